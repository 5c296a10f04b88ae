//! The operations of the group `elementwise`.

use super::{Case, Output};
use wengert_autograd::Float;

pub fn apply<T: Float>(op: &str, case: &Case<T>) -> Option<Vec<Output<T>>> {
    let x = || case.x();
    Some(vec![match op {
        "neg" => (-x()).into(),
        "abs" => x().abs().into(),
        "exp" => x().exp().into(),
        "tanh" => x().tanh().into(),
        _ => return None,
    }])
}
