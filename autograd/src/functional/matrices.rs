//! Whole derivative matrices, row by row.

use super::{grad, vjp};
use crate::{
    graph::{Variable, enable_grad},
    scalar::Float,
    tensor::{Dims, Tensor},
};

/// All first derivatives of `f` at `x`: the entry at `[i.., j..]` is ∂f(x)ᵢ/∂xⱼ, so the shape is that of the output followed
/// by that of the input.
///
/// One backward pass for each element of the output. The result can be differentiated again if `x` needs a gradient.
///
/// ```
/// use wengert_autograd::{Variable, jacobian};
///
/// let x = Variable::from([1.0_f64, 2.0]);
/// let j = jacobian(|x| x.sum() * x, &x); // yᵢ = (x₀ + x₁)·xᵢ
/// assert_eq!(j.value().to_vec(), [4.0, 1.0, 2.0, 5.0]);
/// ```
///
/// # Panics
/// If output and input together have more axes than a tensor can have.
#[track_caller]
pub fn jacobian<T: Float>(f: impl Fn(&Variable<T>) -> Variable<T>, x: &Variable<T>) -> Variable<T> {
    let recorded = x.needs_grad();
    let x = if recorded { x.clone() } else { x.detach().requires_grad() };
    let y = enable_grad(|| f(&x));
    let count = y.len();
    let shape = joined(y.shape(), x.shape());
    if count == 0 || !y.needs_grad() {
        return Variable::new(Tensor::zeros(shape));
    }
    let flat = enable_grad(|| y.reshape([count]));
    let row = |i: usize| {
        let unit = Tensor::from_fn(count, |at| if at[0] == i { T::one() } else { T::zero() });
        let (outputs, cotangent) = ([&flat], Variable::new(unit));
        let cotangents = [&cotangent];
        let request = grad(&outputs).grad_outputs(&cotangents).create_graph(recorded).retain_graph(true);
        let found = request.wrt_allowing_unused(&[&x]).remove(0);
        found.unwrap_or_else(|| Variable::new(Tensor::zeros(x.shape())))
    };
    let rows: Vec<Variable<T>> = (0..count).map(row).collect();
    Variable::stack(&rows, 0).reshape(shape)
}

/// All second derivatives of a scalar function at `x`: the entry at `[i.., j..]` is ∂²f/∂xᵢ∂xⱼ.
///
/// One backward pass for each element of `x`; where products with vectors will do, see [`hvp`](super::hvp).
///
/// ```
/// use wengert_autograd::{Variable, hessian};
///
/// let x = Variable::from([2.0_f64, 3.0]);
/// let h = hessian(|x| (x.square() * x.flip(0)).sum(), &x); // x₀²x₁ + x₁²x₀
/// assert_eq!(h.value().to_vec(), [6.0, 10.0, 10.0, 4.0]);
/// ```
///
/// # Panics
/// If the function's result is no scalar, or twice the axes of `x` are more than a tensor can have.
#[track_caller]
pub fn hessian<T: Float>(f: impl Fn(&Variable<T>) -> Variable<T>, x: &Variable<T>) -> Variable<T> {
    let gradient = |x: &Variable<T>| {
        let scalar = |x: &[Variable<T>]| {
            let y = f(&x[0]);
            assert!(
                y.len() == 1,
                "hessian: the function must return a scalar, not the shape {:?}",
                y.shape()
            );
            y.reshape(())
        };
        vjp(scalar, &[x], &[&Variable::new(Tensor::scalar(T::one()))]).1.remove(0)
    };
    jacobian(gradient, x)
}

#[track_caller]
fn joined(a: Dims, b: Dims) -> Dims {
    Dims::new(&[&a[..], &b[..]].concat())
}
