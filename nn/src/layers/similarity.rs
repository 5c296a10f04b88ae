//! How near two batches of vectors are to each other.
//!
//! ```
//! use wengert_autograd::Variable;
//! use wengert_nn::{CosineSimilarity, Layer};
//!
//! let pair = (Variable::from([[1.0_f32, 0.0]]), Variable::from([[3.0, 4.0]]));
//! assert!((CosineSimilarity::default().forward(&pair).item() - 0.6).abs() < 1e-6);
//! ```

use super::shape::without_parameters;
use crate::Layer;
use wengert_autograd::{Float, Variable, cosine_similarity, pairwise_distance};

/// x·y/(max(‖x‖, ε)·max(‖y‖, ε)) along an axis of two variables whose shapes broadcast; the axis is gone in the result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CosineSimilarity {
    /// The axis: 1.
    pub axis: isize,
    /// ε, which keeps the division finite: 10⁻⁸.
    pub eps: f64,
}

impl Default for CosineSimilarity {
    fn default() -> Self {
        CosineSimilarity { axis: 1, eps: 1e-8 }
    }
}

impl<T: Float> Layer<(Variable<T>, Variable<T>)> for CosineSimilarity {
    type Output = Variable<T>;
    #[track_caller]
    fn forward(&self, (x, y): &(Variable<T>, Variable<T>)) -> Variable<T> {
        cosine_similarity(x, y, self.axis, self.eps)
    }
}

/// ‖x − y + ε‖ₚ over the last axis of `[…, D]`: `[…]`, or `[…, 1]` if the axis is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairwiseDistance {
    /// The order p of the norm: 2.
    pub p: f64,
    /// ε, which keeps the derivative finite where x = y: 10⁻⁶.
    pub eps: f64,
    /// Whether the last axis stays, with one element: no.
    pub keepdim: bool,
}

impl Default for PairwiseDistance {
    fn default() -> Self {
        PairwiseDistance { p: 2.0, eps: 1e-6, keepdim: false }
    }
}

impl<T: Float> Layer<(Variable<T>, Variable<T>)> for PairwiseDistance {
    type Output = Variable<T>;
    #[track_caller]
    fn forward(&self, (x, y): &(Variable<T>, Variable<T>)) -> Variable<T> {
        pairwise_distance(x, y, self.p, self.eps, self.keepdim)
    }
}
without_parameters!(CosineSimilarity, PairwiseDistance);
