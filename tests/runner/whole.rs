//! Operations on tensors of whole numbers and truth values, which have no derivative.

use super::{Case, Output, elementwise::compared, reduction::of_order, shape::slices};
use wengert_autograd::{Float, Tensor, tensor::Element};

pub fn apply<T: Float>(op: &str, case: &Case<T>) -> Option<Vec<Output<T>>> {
    if op == "one_hot" {
        let codes: Tensor<i64> = case.index("index").one_hot(case.count("num_classes", 0));
        return Some(vec![codes.into()]);
    }
    let parts = || (0..).map(|k| format!("x{k}"));
    if case.maybe_index("x").or(case.maybe_index("x0")).is_some() {
        let parts: Vec<&Tensor<i64>> = parts().map_while(|role| case.maybe_index(&role)).collect();
        return of_numbers(op, case).or_else(|| all(of_any(op, case, case.maybe_index("x"), &parts)?));
    }
    if case.maybe_mask("x").or(case.maybe_mask("x0")).is_some() {
        let parts: Vec<&Tensor<bool>> = parts().map_while(|role| case.maybe_mask(&role)).collect();
        return of_truth(op, case).or_else(|| all(of_any(op, case, case.maybe_mask("x"), &parts)?));
    }
    None
}

fn all<T: Float, E: Element>(outputs: Vec<Tensor<E>>) -> Option<Vec<Output<T>>>
where
    Output<T>: From<Tensor<E>>,
{
    Some(outputs.into_iter().map(Output::from).collect())
}

fn of_numbers<T: Float>(op: &str, case: &Case<T>) -> Option<Vec<Output<T>>> {
    let x = case.maybe_index("x")?;
    if let Some(y) = case.maybe_index("y") {
        return Some(vec![match op {
            "add" => (x + y).into(),
            "sub" => (x - y).into(),
            "mul" => (x * y).into(),
            "pow" => x.pow(y).into(),
            "maximum" => x.where_(&x.ge(y), y).into(),
            "minimum" => x.where_(&x.le(y), y).into(),
            "where" => x.where_(case.mask("cond"), y).into(),
            _ => compared(op, x, y)?.into(),
        }]);
    }
    let keepdim = case.flag("keepdim", false);
    Some(vec![match (op, case.maybe_axis("dim")) {
        ("neg", _) => (-x).into(),
        ("abs", _) => x.map(i64::abs).into(),
        ("sign", _) => x.map(i64::signum).into(),
        ("square", _) => (x * x).into(),
        ("add", _) => (x + case.maybe_axis("other")? as i64).into(),
        ("sub", _) => (x - case.maybe_axis("other")? as i64).into(),
        ("mul", _) => (x * case.maybe_axis("other")? as i64).into(),
        ("sum", Some(axis)) => x.sum_axis(axis, keepdim).into(),
        ("sum", None) => Tensor::full(vec![1; if keepdim { x.rank() } else { 0 }], x.sum()).into(),
        ("cumsum", Some(axis)) => x.cumsum(axis).into(),
        ("argmax" | "argmin" | "argsort", _) => of_order(op, x, case).into(),
        ("sort", Some(axis)) => {
            let (values, indices) = x.sort(axis, case.flag("descending", false));
            return Some(vec![values.into(), indices.into()]);
        }
        ("topk", Some(axis)) => {
            let (values, indices) = x.topk(case.count("k", 1), axis, case.flag("largest", true));
            return Some(vec![values.into(), indices.into()]);
        }
        _ => return None,
    }])
}

fn of_truth<T: Float>(op: &str, case: &Case<T>) -> Option<Vec<Output<T>>> {
    let x = case.maybe_mask("x")?;
    if let Some(y) = case.maybe_mask("y") {
        return Some(vec![match op {
            "logical_and" => x.logical_and(y).into(),
            "logical_or" => x.logical_or(y).into(),
            "logical_xor" => x.logical_xor(y).into(),
            "where" => x.where_(case.mask("cond"), y).into(),
            _ => compared(op, x, y)?.into(),
        }]);
    }
    let keepdim = case.flag("keepdim", false);
    // The greatest truth value is whether any holds, the least whether all do.
    let over = |x: &Tensor<bool>, axis| match op {
        "all" | "amin" => x.all_axis(axis, keepdim),
        _ => x.any_axis(axis, keepdim),
    };
    Some(vec![match op {
        "logical_not" => x.logical_not().into(),
        "all" | "any" | "amax" | "amin" => {
            let rank = x.rank() as isize;
            let axes = case.axes("dim").unwrap_or_else(|| (0..rank).collect());
            let mut axes: Vec<isize> = axes.into_iter().map(|axis| axis.rem_euclid(rank.max(1))).collect();
            // From the last, so that those before it keep their place.
            axes.sort_unstable_by(|a, b| b.cmp(a));
            axes.into_iter().fold(x.clone(), |x, axis| over(&x, axis)).into()
        }
        _ => return None,
    }])
}

/// Operations that only move elements.
fn of_any<T: Float, E: Element>(
    op: &str,
    case: &Case<T>,
    x: Option<&Tensor<E>>,
    parts: &[&Tensor<E>],
) -> Option<Vec<Tensor<E>>> {
    let dim = || case.axis("dim");
    if let "cat" | "stack" = op {
        let parts: Vec<Tensor<E>> = parts.iter().map(|part| (*part).clone()).collect();
        return Some(vec![if op == "cat" {
            Tensor::cat(&parts, dim())
        } else {
            Tensor::stack(&parts, dim())
        }]);
    }
    let x = x?;
    let axis = |name: &str, default: isize| case.maybe_axis(name).unwrap_or(default);
    let index = || case.index("index");
    Some(vec![match op {
        "reshape" => x.reshape(case.sizes("shape")?.as_slice()),
        "flatten" => x.flatten(axis("start_dim", 0), axis("end_dim", -1)),
        "transpose" => x.transpose(case.axis("dim0"), case.axis("dim1")),
        "permute" => x.permute(&case.axes("dims")?),
        "squeeze" => match case.axes("dim") {
            Some(axes) if axes.len() == 1 => x.squeeze(axes[0]),
            Some(_) => return None,
            None => x.squeeze_all(),
        },
        "unsqueeze" => x.unsqueeze(dim()),
        "broadcast_to" => x.broadcast_to(case.counts_of("shape")?),
        "chunk" => return Some(x.chunk(case.count("chunks", 1), dim())),
        "split" => return Some(x.split(case.count("split_size", 1), dim())),
        "unbind" => return Some((0..x.size(dim())).map(|k| x.select(dim(), k as isize)).collect()),
        "narrow" => x.narrow(dim(), case.count("start", 0), case.count("length", 0)),
        "select" => x.select(dim(), case.axis("index")),
        "slice" => x.slice(slices(&case.attrs["slices"])?),
        "flip" => x.flip(&case.axes("dims")?),
        "gather" => x.take_along(index(), dim()),
        "index_select" => x.index_select(dim(), index()),
        "masked_select" => x.masked_select(case.mask("mask")),
        "tril" => x.tril(axis("diagonal", 0)),
        "triu" => x.triu(axis("diagonal", 0)),
        "repeat" => x.repeat(case.counts_of("repeats")?),
        "diagonal" => x.diagonal(axis("offset", 0), axis("dim1", 0), axis("dim2", 1)),
        "unfold" => x.unfold(dim(), case.count("size", 1), case.count("step", 1)),
        _ => return None,
    }])
}
