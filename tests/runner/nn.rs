//! The operations of the group `nn`.

use super::{Case, Output};
use wengert_autograd::{Float, cosine_similarity, pairwise_distance};

pub fn apply<T: Float>(op: &str, case: &Case<T>) -> Option<Vec<Output<T>>> {
    Some(vec![Output::Float(match op {
        "softmax" => case.x().softmax(case.axis("dim")),
        "log_softmax" => case.x().log_softmax(case.axis("dim")),
        "cosine_similarity" => {
            cosine_similarity(case.x(), case.var("y"), case.axis("dim"), case.number("eps", 1e-8))
        }
        "pairwise_distance" => pairwise_distance(
            case.x(),
            case.var("y"),
            case.number("p", 2.0),
            case.number("eps", 1e-6),
            case.flag("keepdim", false),
        ),
        _ => return None,
    })])
}
