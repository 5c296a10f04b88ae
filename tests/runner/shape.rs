//! The operations of the group `shape`.

use super::{Case, Output};
use wengert_autograd::Float;

pub fn apply<T: Float>(op: &str, case: &Case<T>) -> Option<Vec<Output<T>>> {
    Some(vec![match op {
        "reshape" => case.x().reshape(case.sizes("shape")?.as_slice()).into(),
        "transpose" => case.x().transpose(case.axis("dim0"), case.axis("dim1")).into(),
        "permute" => case.x().permute(&case.axes("dims")?).into(),
        "narrow" => case.x().narrow(case.axis("dim"), case.count("start", 0), case.count("length", 0)).into(),
        _ => return None,
    }])
}
