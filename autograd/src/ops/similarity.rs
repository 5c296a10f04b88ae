//! How near two vectors are: the cosine of their angle, and their distance.
//!
//! ```
//! use wengert_autograd::{Variable, cosine_similarity, pairwise_distance};
//!
//! let (x, y) = (Variable::from([[3.0_f64, 4.0]]), Variable::from([[4.0, 3.0]]));
//! assert!((cosine_similarity(&x, &y, -1, 1e-8).item() - 0.96).abs() < 1e-15);
//! assert!((pairwise_distance(&x, &y, 1.0, 0.0, false).item() - 2.0).abs() < 1e-15);
//! ```

use super::registry::samples;
use crate::{
    graph::{
        Variable,
        mode::{line, on_behalf_of},
        op::Line,
    },
    scalar::{Float, float::compiled},
    tensor::Tensor,
};

fn cosine_at<T: Float>(x: &Variable<T>, y: &Variable<T>, axis: isize, eps: f64, line: Line) -> Variable<T> {
    let least = Variable::new(Tensor::scalar(T::from_f64(eps)));
    let unit = |x: &Variable<T>| x / x.norm_axes(2.0, axis, true).maximum(&least);
    on_behalf_of(line, || (unit(x) * unit(y)).sum_axes(axis, false))
}

/// x·y / (max(|x|, ε)·max(|y|, ε)) along an axis, which is removed: the cosine of the angle between vectors.
///
/// x and y broadcast against each other. The gradient of a vector of length 0 is y/(ε·max(|y|, ε)).
///
/// ```
/// use wengert_autograd::{Variable, cosine_similarity};
/// let x = Variable::from([[1.0_f32, 0.0], [0.0, 2.0]]);
/// assert_eq!(cosine_similarity(&x, &Variable::from([[5.0, 0.0]]), 1, 1e-8).value().to_vec(), [1.0, 0.0]);
/// ```
///
/// # Panics
/// If the shapes do not broadcast, or there is no such axis.
#[track_caller]
pub fn cosine_similarity<T: Float>(x: &Variable<T>, y: &Variable<T>, axis: isize, eps: f64) -> Variable<T> {
    let line = line();
    compiled!(cosine_at(x: &Variable<T>, y: &Variable<T>, axis: isize, eps: f64, line: Line) -> Variable<T>)
}

/// ‖x − y + ε‖ₚ over the last axis, which is removed, or kept with size 1 when `keepdim` holds.
///
/// p is positive or ∞; ε keeps the distance differentiable where x = y. Where all differences are 0 the gradient is 0.
///
/// ```
/// use wengert_autograd::{Variable, pairwise_distance};
/// let (x, y) = (Variable::from([[3.0_f64, 4.0]]), Variable::from([[0.0, 0.0]]));
/// assert_eq!(pairwise_distance(&x, &y, 2.0, 0.0, false).value().to_vec(), [5.0]);
/// ```
///
/// # Panics
/// If the shapes do not broadcast, or p is not positive.
#[track_caller]
pub fn pairwise_distance<T: Float>(
    x: &Variable<T>,
    y: &Variable<T>,
    p: f64,
    eps: f64,
    keepdim: bool,
) -> Variable<T> {
    assert!(p > 0.0, "pairwise_distance: p must be positive, and is {p}");
    (x - y + eps).norm_axes(p, -1, keepdim)
}

samples! {
    cosine_similarity {
        "rows" (x: normal([2, 3]), y: normal([2, 3])) => super::cosine_similarity(x, y, -1, 1e-8);
        "columns that broadcast" (x: normal([3, 2]), y: normal([3, 1])) => super::cosine_similarity(x, y, 0, 1e-8);
        "a large eps" (x: normal([2, 3]), y: normal([2, 3])) => super::cosine_similarity(x, y, -1, 10.0);
        "shapes that differ" (x: normal([2]), y: normal([3])) => super::cosine_similarity(x, y, 0, 1e-8), panics("do not broadcast");
    }
    pairwise_distance {
        "p = 2" (x: normal([2, 3]), y: normal([2, 3])) => super::pairwise_distance(x, y, 2.0, 1e-6, false);
        "p = 1" (x: positive([2, 3]), y: uniform(-2.0, 0.2, [2, 3])) => super::pairwise_distance(x, y, 1.0, 1e-6, true);
        "p = 3" (x: positive([2, 3]), y: uniform(-2.0, 0.2, [2, 3])) => super::pairwise_distance(x, y, 3.0, 0.0, false);
        "the largest" (x: distinct([6]), y: values([1], &[3.0])) => super::pairwise_distance(x, y, f64::INFINITY, 0.0, true);
        "p = 0" (x: normal([2]), y: normal([2])) => super::pairwise_distance(x, y, 0.0, 0.0, false), panics("p must be positive");
    }
}
