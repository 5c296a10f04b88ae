//! Losses of pairs and triplets: what belongs together shall be near, what does not shall be far.

use super::{Reduction, options, same_shape};
use crate::{graph::Variable, ops::similarity::pairwise_distance, scalar::Float};

/// 1 where a sign is not `other`, 0 elsewhere.
fn unless<T: Float>(signs: &Variable<T>, other: T) -> Variable<T> {
    Variable::new(signs.value().map(|sign| if sign == other { T::zero() } else { T::one() }))
}

options! {
    /// Distances that shall be small for one sign of the target and large for the other.
    pub struct HingeEmbeddingLoss {
        /// How large is large enough; 1 unless said otherwise.
        margin: f64 = 1.0,
    }
}
impl HingeEmbeddingLoss {
    /// x where target = 1, max(0, margin − x) where target = −1; then reduced.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn forward<T: Float>(&self, x: &Variable<T>, target: &Variable<T>) -> Variable<T> {
        same_shape("hinge_embedding_loss", x, target);
        let (near, far) = (unless(target, -T::one()), unless(target, T::one()));
        self.reduction.apply(x * near + (self.margin - x).relu() * far)
    }
}

/// The mean of x where target = 1 and max(0, 1 − x) where it is −1; for other options see [`HingeEmbeddingLoss`].
///
/// ```
/// use wengert_autograd::{Variable, loss::hinge_embedding_loss};
/// let loss = hinge_embedding_loss(&Variable::from([0.5_f32, 0.25]), &Variable::from([1.0, -1.0]));
/// assert_eq!(loss.item(), (0.5 + 0.75) / 2.0);
/// ```
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn hinge_embedding_loss<T: Float>(x: &Variable<T>, target: &Variable<T>) -> Variable<T> {
    HingeEmbeddingLoss::new().forward(x, target)
}

options! {
    /// Pairs of scores of which one shall be higher.
    pub struct MarginRankingLoss {
        /// How much higher; 0 unless said otherwise.
        margin: f64 = 0.0,
    }
}
impl MarginRankingLoss {
    /// max(0, margin − target·(x − y)); target is 1 where x shall be higher, −1 where y shall; then reduced.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn forward<T: Float>(&self, x: &Variable<T>, y: &Variable<T>, target: &Variable<T>) -> Variable<T> {
        same_shape("margin_ranking_loss", x, y);
        same_shape("margin_ranking_loss", x, target);
        self.reduction.apply((self.margin - target * (x - y)).relu())
    }
}

/// The mean of max(0, −target·(x − y)), target being 1 or −1; for other options see [`MarginRankingLoss`].
///
/// ```
/// use wengert_autograd::{Variable, loss::margin_ranking_loss};
/// let (x, y, target) = (Variable::from([1.0_f32, 1.0]), Variable::from([3.0, 3.0]), Variable::from([1.0, -1.0]));
/// assert_eq!(margin_ranking_loss(&x, &y, &target).item(), 1.0);
/// ```
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn margin_ranking_loss<T: Float>(x: &Variable<T>, y: &Variable<T>, target: &Variable<T>) -> Variable<T> {
    MarginRankingLoss::new().forward(x, y, target)
}

options! {
    /// An anchor that shall be nearer to one point than to another (Balntas et al., 2016).
    pub struct TripletMarginLoss {
        /// How much nearer; 1 unless said otherwise.
        margin: f64 = 1.0,
        /// The norm that measures distances; 2 unless said otherwise.
        p: f64 = 2.0,
        /// Added to each difference, so that the distance has a slope where two points coincide; 10⁻⁶.
        eps: f64 = 1e-6,
    }
}
impl TripletMarginLoss {
    /// max(0, d(anchor, positive) − d(anchor, negative) + margin) with d(x, y) = ‖x − y + ε‖ₚ over the last axis; then
    /// reduced.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn forward<T: Float>(
        &self,
        anchor: &Variable<T>,
        positive: &Variable<T>,
        negative: &Variable<T>,
    ) -> Variable<T> {
        same_shape("triplet_margin_loss", anchor, positive);
        same_shape("triplet_margin_loss", anchor, negative);
        let near = pairwise_distance(anchor, positive, self.p, self.eps, false);
        let far = pairwise_distance(anchor, negative, self.p, self.eps, false);
        self.reduction.apply((near - far + self.margin).relu())
    }
}

/// The mean of max(0, |anchor − positive| − |anchor − negative| + 1); for other options see [`TripletMarginLoss`].
///
/// ```
/// use wengert_autograd::{Variable, loss::triplet_margin_loss};
/// let (anchor, near, far) = (Variable::from([[0.0_f64]]), Variable::from([[1.0]]), Variable::from([[1.5]]));
/// assert!((triplet_margin_loss(&anchor, &near, &far).item() - 0.5).abs() < 1e-5);
/// ```
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn triplet_margin_loss<T: Float>(
    anchor: &Variable<T>,
    positive: &Variable<T>,
    negative: &Variable<T>,
) -> Variable<T> {
    TripletMarginLoss::new().forward(anchor, positive, negative)
}

options! {
    /// Directions that shall agree for one sign of the target and not for the other.
    pub struct CosineEmbeddingLoss {
        /// The cosine that is small enough; 0 unless said otherwise.
        margin: f64 = 0.0,
    }
}
impl CosineEmbeddingLoss {
    /// 1 − cos(x, y) where target = 1, max(0, cos(x, y) − margin) where target = −1; then reduced.
    ///
    /// x and y are `[N, D]` or `[D]`, the target `[N]` or `[]`. cos = x·y/√((|x|² + 10⁻¹²)(|y|² + 10⁻¹²)).
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward<T: Float>(&self, x: &Variable<T>, y: &Variable<T>, target: &Variable<T>) -> Variable<T> {
        same_shape("cosine_embedding_loss", x, y);
        let (shape, signs) = (x.shape(), target.shape());
        let fits = matches!(shape.len(), 1 | 2) && signs == shape.without(shape.len() - 1);
        assert!(
            fits,
            "cosine_embedding_loss: vectors have the shape [N, D] or [D] and the target [N] or [], not {shape:?} and \
             {signs:?}"
        );
        let squared = |x: &Variable<T>| x.square().sum_axes(-1, false) + 1e-12;
        let cosine = (x * y).sum_axes(-1, false) / (squared(x) * squared(y)).sqrt();
        let (same, other) = (unless(target, -T::one()), unless(target, T::one()));
        self.reduction.apply((1.0 - &cosine) * same + (cosine - self.margin).relu() * other)
    }
}

/// The mean of 1 − cos(x, y) where target = 1 and max(0, cos(x, y)) where it is −1; for other options see
/// [`CosineEmbeddingLoss`].
///
/// ```
/// use wengert_autograd::{Variable, loss::cosine_embedding_loss};
/// let (x, y) = (Variable::from([[1.0_f64, 0.0]]), Variable::from([[0.0, 2.0]]));
/// assert_eq!(cosine_embedding_loss(&x, &y, &Variable::from([1.0])).item(), 1.0);
/// ```
///
/// # Panics
/// If the shapes do not fit.
#[track_caller]
pub fn cosine_embedding_loss<T: Float>(
    x: &Variable<T>,
    y: &Variable<T>,
    target: &Variable<T>,
) -> Variable<T> {
    CosineEmbeddingLoss::new().forward(x, y, target)
}
