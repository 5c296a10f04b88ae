//! The operations of the group `reduction`.

use super::{Case, Output};
use wengert_autograd::Float;

pub fn apply<T: Float>(op: &str, case: &Case<T>) -> Option<Vec<Output<T>>> {
    let keepdim = case.flag("keepdim", false);
    let axes = case.axes("dim");
    Some(vec![match (op, axes.as_deref()) {
        ("sum", None) if !keepdim => case.x().sum().into(),
        ("sum", Some(axes)) => case.x().sum_axes(axes, keepdim).into(),
        ("mean", None) if !keepdim => case.x().mean().into(),
        ("mean", Some(axes)) => case.x().mean_axes(axes, keepdim).into(),
        _ => return None,
    }])
}
