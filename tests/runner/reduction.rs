//! The operations of the group `reduction`.

use super::{Case, Output};
use wengert_autograd::{Float, Tensor, Variable, tensor::Element};

pub fn apply<T: Float>(op: &str, case: &Case<T>) -> Option<Vec<Output<T>>> {
    let x = case.maybe("x")?;
    let keepdim = case.flag("keepdim", false);
    let all: Vec<isize> = (0..x.rank() as isize).collect();
    let whole = case.axes("dim").is_none() && !keepdim;
    let axes = case.axes("dim").unwrap_or(all);
    let axes = axes.as_slice();
    let axis = || case.axis("dim");
    let correction = case.count("correction", 1);
    let p = case.number("p", 2.0);
    let output: Variable<T> = match op {
        "sum" if whole => x.sum(),
        "sum" => x.sum_axes(axes, keepdim),
        "mean" if whole => x.mean(),
        "mean" => x.mean_axes(axes, keepdim),
        "prod" if whole => x.prod(),
        "prod" => x.prod_axes(axes, keepdim),
        "var" if whole => x.var(correction),
        "var" => x.var_axes(axes, correction, keepdim),
        "std" if whole => x.std(correction),
        "std" => x.std_axes(axes, correction, keepdim),
        "amax" if whole => x.amax(),
        "amax" => x.amax_axes(axes, keepdim),
        "amin" if whole => x.amin(),
        "amin" => x.amin_axes(axes, keepdim),
        "logsumexp" if whole => x.logsumexp(),
        "logsumexp" => x.logsumexp_axes(axes, keepdim),
        "norm" if whole => x.norm(p),
        "norm" => x.norm_axes(p, axes, keepdim),
        "cumsum" => x.cumsum(axis()),
        "cumprod" => x.cumprod(axis()),
        "max" => return pair(x.max_axis(axis(), keepdim)),
        "min" => return pair(x.min_axis(axis(), keepdim)),
        "sort" => return pair(x.sort(axis(), case.flag("descending", false))),
        "topk" => return pair(x.topk(case.count("k", 1), axis(), case.flag("largest", true))),
        "argmax" | "argmin" | "argsort" => return Some(vec![of_order(op, &x.value(), case).into()]),
        _ => return None,
    };
    Some(vec![output.into()])
}

fn pair<T: Float>((values, indices): (Variable<T>, Tensor<i64>)) -> Option<Vec<Output<T>>> {
    Some(vec![values.into(), indices.into()])
}

/// The indices of extremes, or of elements in order.
pub fn of_order<E: Element, T: Float>(op: &str, x: &Tensor<E>, case: &Case<T>) -> Tensor<i64> {
    let keepdim = case.flag("keepdim", false);
    let find = |x: &Tensor<E>, axis| match op {
        "argmax" => x.argmax(axis, keepdim),
        "argmin" => x.argmin(axis, keepdim),
        _ => x.argsort(axis, case.flag("descending", false)),
    };
    match case.maybe_axis("dim") {
        Some(axis) => find(x, axis),
        // Flattened; keepdim then leaves a 1 for every axis.
        None if keepdim => find(&x.reshape([-1]), 0).reshape(vec![1; x.rank()]),
        None => find(&x.reshape([-1]), 0),
    }
}
