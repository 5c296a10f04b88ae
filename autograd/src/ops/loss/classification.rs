//! Losses of scores and probabilities against classes and probabilities.

use super::{Reduction, cross_entropy::Labels, formulas, options, same_shape};
use crate::{
    graph::{Variable, mode::line, op::Line},
    ops::elementwise::apply_at,
    scalar::{Float, Formula, Real, float::compiled},
    tensor::Tensor,
};

formulas! {
    bce [x, target] {} => {
        let (one, least) = (R::constant(1.0), R::constant(-100.0));
        -(target * x.ln().max(least) + (one - target) * (-x).ln_1p().max(least))
    };
    bce_with_logits [x, target] {} => x.softplus() - target * x;
    kl [x, target] {} => {
        let zero = R::constant(0.0);
        R::select(target.eq(zero), zero, target * (target.ln() - x))
    };
}

options! {
    /// Cross entropy of probabilities of yes against targets between 0 and 1.
    pub struct BceLoss<T> {
        /// A weight for each element; it broadcasts.
        weight: Option<Variable<T>> = None,
    }
}
impl<T: Float> BceLoss<T> {
    /// −(target·ln x + (1 − target)·ln(1 − x)), weighted, then reduced.
    ///
    /// Each logarithm is at least −100, so that x = 0 or 1 does not cost an infinity; where that holds it has slope 0.
    ///
    /// # Panics
    /// If the shapes of x and target differ.
    #[track_caller]
    pub fn forward(&self, x: &Variable<T>, target: &Variable<T>) -> Variable<T> {
        same_shape("binary_cross_entropy", x, target);
        let line = line();
        let losses = compiled!(bce(x: &Variable<T>, target: &Variable<T>, line: Line) -> Variable<T>);
        self.reduction.apply(weighted(losses, self.weight.as_ref()))
    }
}

#[track_caller]
fn weighted<T: Float>(losses: Variable<T>, weight: Option<&Variable<T>>) -> Variable<T> {
    match weight {
        Some(weight) => losses * weight,
        None => losses,
    }
}

/// The mean cross entropy of probabilities x of yes with targets between 0 and 1; for other options see [`BceLoss`].
///
/// ```
/// use wengert_autograd::{Variable, loss::binary_cross_entropy};
/// let loss = binary_cross_entropy(&Variable::from([0.5_f64, 0.5]), &Variable::from([1.0, 0.0]));
/// assert!((loss.item() - 2.0_f64.ln()).abs() < 1e-15);
/// ```
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn binary_cross_entropy<T: Float>(x: &Variable<T>, target: &Variable<T>) -> Variable<T> {
    BceLoss::new().forward(x, target)
}

options! {
    /// Cross entropy of logits of yes against targets between 0 and 1.
    pub struct BceWithLogitsLoss<T> {
        /// A weight for each element; it broadcasts.
        weight: Option<Variable<T>> = None,
        /// A weight for the yes of each class; it broadcasts.
        pos_weight: Option<Variable<T>> = None,
    }
}
impl<T: Float> BceWithLogitsLoss<T> {
    /// −(p·target·ln σ(x) + (1 − target)·ln(1 − σ(x))) with p = pos_weight or 1, weighted, then reduced; without overflow.
    ///
    /// # Panics
    /// If the shapes of x and target differ.
    #[track_caller]
    pub fn forward(&self, x: &Variable<T>, target: &Variable<T>) -> Variable<T> {
        same_shape("binary_cross_entropy_with_logits", x, target);
        let line = line();
        let losses = match &self.pos_weight {
            None => {
                compiled!(bce_with_logits(x: &Variable<T>, target: &Variable<T>, line: Line) -> Variable<T>)
            }
            Some(p) => (1.0 - target) * x + ((p - 1.0) * target + 1.0) * (-x).softplus(),
        };
        self.reduction.apply(weighted(losses, self.weight.as_ref()))
    }
}

/// The mean cross entropy of logits x of yes with targets between 0 and 1; for other options see [`BceWithLogitsLoss`].
///
/// ```
/// use wengert_autograd::{Variable, loss::binary_cross_entropy_with_logits};
/// let loss = binary_cross_entropy_with_logits(&Variable::from([1000.0_f32, 0.0]), &Variable::from([1.0, 0.0]));
/// assert_eq!(loss.item(), 2.0_f32.ln() / 2.0);
/// ```
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn binary_cross_entropy_with_logits<T: Float>(x: &Variable<T>, target: &Variable<T>) -> Variable<T> {
    BceWithLogitsLoss::new().forward(x, target)
}

options! {
    /// The Kullback-Leibler divergence of a distribution from one given by its log-probabilities.
    pub struct KlDivLoss {
        /// Is the target given by its logarithms too? Not unless said so.
        log_target: bool = false,
        /// Shall the sum be divided by the size of the first axis, whatever the reduction? That is the divergence for
        /// each row of a batch, which the mean over all elements is not.
        batchmean: bool = false,
    }
}
impl KlDivLoss {
    /// target·(ln target − x), and 0 where target = 0; with `log_target`, e^target·(target − x); then reduced.
    ///
    /// # Panics
    /// If the shapes differ, or `batchmean` is set and there is no axis.
    #[track_caller]
    pub fn forward<T: Float>(&self, x: &Variable<T>, target: &Variable<T>) -> Variable<T> {
        same_shape("kl_div", x, target);
        let line = line();
        let losses = match self.log_target {
            true => target.exp() * (target - x),
            false => compiled!(kl(x: &Variable<T>, target: &Variable<T>, line: Line) -> Variable<T>),
        };
        if self.batchmean {
            let shape = x.shape();
            assert!(!shape.is_empty(), "kl_div: a batch has at least one axis, and this is a scalar");
            return losses.sum() / shape[0] as f64;
        }
        self.reduction.apply(losses)
    }
}

/// The mean over all elements of target·(ln target − x), x being log-probabilities; for other options see [`KlDivLoss`].
///
/// ```
/// use wengert_autograd::{Variable, loss::kl_div};
/// let p = Variable::from([0.25_f64, 0.75]);
/// assert_eq!(kl_div(&p.ln(), &p).item(), 0.0);
/// ```
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn kl_div<T: Float>(x: &Variable<T>, target: &Variable<T>) -> Variable<T> {
    KlDivLoss::new().forward(x, target)
}

options! {
    /// The logistic loss of scores against signs.
    pub struct SoftMarginLoss {}
}
impl SoftMarginLoss {
    /// ln(1 + e^(−target·x)), target being 1 or −1; then reduced.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn forward<T: Float>(&self, x: &Variable<T>, target: &Variable<T>) -> Variable<T> {
        same_shape("soft_margin_loss", x, target);
        self.reduction.apply((-(target * x)).softplus())
    }
}

/// The mean of ln(1 + e^(−target·x)), target being 1 or −1; for other options see [`SoftMarginLoss`].
///
/// ```
/// use wengert_autograd::{Variable, loss::soft_margin_loss};
/// let loss = soft_margin_loss(&Variable::from([0.0_f64]), &Variable::from([-1.0]));
/// assert_eq!(loss.item(), 2.0_f64.ln());
/// ```
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn soft_margin_loss<T: Float>(x: &Variable<T>, target: &Variable<T>) -> Variable<T> {
    SoftMarginLoss::new().forward(x, target)
}

options! {
    /// The hinge loss of scores against classes (Crammer and Singer, 2001, summed over the classes).
    pub struct MultiMarginLoss {
        /// Is the hinge squared? Not unless said so (PyTorch's p = 2).
        squared: bool = false,
        /// How much higher the score of the right class shall be; 1 unless said otherwise.
        margin: f64 = 1.0,
    }
}
impl MultiMarginLoss {
    /// Σ over classes j ≠ t of max(0, margin − x_t + x_j), or of its square, divided by C; then reduced.
    ///
    /// Scores `[N, C]` or `[C]`, class indices `[N]` or `[]`. Slope 0 where the maximum is a tie.
    ///
    /// # Panics
    /// If the shapes do not fit, or a class index is out of range.
    #[track_caller]
    pub fn forward<T: Float>(&self, x: &Variable<T>, targets: &Tensor<i64>) -> Variable<T> {
        let labels = Labels::new("multi_margin_loss", x.shape(), targets, i64::MIN);
        assert!(x.rank() <= 2, "multi_margin_loss: scores have the shape [C] or [N, C], not {:?}", x.shape());
        let (axis, n) = (labels.axis as isize, labels.classes);
        let mut chosen = vec![T::zero(); x.len()];
        for (row, class) in labels.rows.iter().enumerate() {
            if let Some(class) = class {
                chosen[row * n + class] = T::one();
            }
        }
        let chosen = Tensor::from_vec(chosen, x.shape()).expect("a number for each score");
        let others = Variable::new(chosen.map(|chosen| T::one() - chosen));
        let right = (x * Variable::new(chosen)).sum_axes(axis, true);
        let hinge = (x - right + self.margin).relu();
        let hinge = if self.squared { hinge.square() } else { hinge };
        self.reduction.apply((hinge * others).sum_axes(axis, false) / n as f64)
    }
}

/// The mean hinge loss of scores against class indices; for other options see [`MultiMarginLoss`].
///
/// ```
/// use wengert_autograd::{Tensor, Variable, loss::multi_margin_loss};
/// let scores = Variable::from([[2.0_f32, 1.5, 0.0, 0.0]]);
/// let loss = multi_margin_loss(&scores, &Tensor::from_vec(vec![0], [1]).unwrap());
/// assert_eq!(loss.item(), 0.5 / 4.0);
/// ```
///
/// # Panics
/// If the shapes do not fit, or a class index is out of range.
#[track_caller]
pub fn multi_margin_loss<T: Float>(x: &Variable<T>, targets: &Tensor<i64>) -> Variable<T> {
    MultiMarginLoss::new().forward(x, targets)
}
