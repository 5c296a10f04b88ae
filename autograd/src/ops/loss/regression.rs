//! Losses of numbers against numbers.

use super::{Reduction, formulas, options, same_shape};
use crate::{
    graph::{Variable, mode::line, op::Line},
    ops::elementwise::{apply_at, one},
    scalar::{Float, Formula, Real, float::compiled, formula::elementary},
    tensor::Tensor,
};

formulas! {
    mse [x, target] {} => (x - target).square();
    // The square is that of the difference, not of its size, whose slope at 0 would cost the second derivative there.
    smooth_l1 [x, target] { beta } => {
        let (difference, half) = (x - target, R::constant(0.5));
        let distance = difference.abs();
        R::select(distance.lt(beta), half * difference.square() / beta, distance - half * beta)
    };
    huber [x, target] { delta } => {
        let (difference, half) = (x - target, R::constant(0.5));
        let distance = difference.abs();
        R::select(distance.le(delta), half * difference.square(), delta * (distance - half * delta))
    };
}

options! {
    /// (x − target)², the squared error.
    pub struct MseLoss {}
}
impl MseLoss {
    /// (x − target)², elementwise, then reduced. Both want a gradient if they need one.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn forward<T: Float>(&self, x: &Variable<T>, target: &Variable<T>) -> Variable<T> {
        same_shape("mse_loss", x, target);
        let line = line();
        self.reduction.apply(compiled!(mse(x: &Variable<T>, target: &Variable<T>, line: Line) -> Variable<T>))
    }
}

/// The mean of (x − target)²; for other options see [`MseLoss`].
///
/// ```
/// use wengert_autograd::{Variable, loss::mse_loss};
///
/// let x = Variable::from([1.0_f32, 2.0]).requires_grad();
/// let loss = mse_loss(&x, &Variable::from([0.0, 4.0]));
/// loss.backward();
/// assert_eq!(loss.item(), 2.5);
/// assert_eq!(x.grad().unwrap().to_vec(), [1.0, -2.0]); // 2(x − target)/n
/// ```
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn mse_loss<T: Float>(x: &Variable<T>, target: &Variable<T>) -> Variable<T> {
    MseLoss::new().forward(x, target)
}

options! {
    /// |x − target|, the absolute error.
    pub struct L1Loss {}
}
impl L1Loss {
    /// |x − target|, elementwise, then reduced. Slope 0 where they are equal.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn forward<T: Float>(&self, x: &Variable<T>, target: &Variable<T>) -> Variable<T> {
        same_shape("l1_loss", x, target);
        self.reduction.apply((x - target).abs())
    }
}

/// The mean of |x − target|; for other options see [`L1Loss`].
///
/// ```
/// use wengert_autograd::{Variable, loss::l1_loss};
/// assert_eq!(l1_loss(&Variable::from([1.0_f32, 2.0]), &Variable::from([0.0, 4.0])).item(), 1.5);
/// ```
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn l1_loss<T: Float>(x: &Variable<T>, target: &Variable<T>) -> Variable<T> {
    L1Loss::new().forward(x, target)
}

options! {
    /// Quadratic near the target and linear far from it (Girshick, "Fast R-CNN", 2015, equation 3).
    pub struct SmoothL1Loss {
        /// The distance where the two parts meet, 1 unless said otherwise; at 0 the loss is |x − target|.
        beta: f64 = 1.0,
    }
}
impl SmoothL1Loss {
    /// d²/(2β) where d = |x − target| < β, d − β/2 elsewhere; then reduced.
    ///
    /// # Panics
    /// If the shapes differ, or β is negative.
    #[track_caller]
    pub fn forward<T: Float>(&self, x: &Variable<T>, target: &Variable<T>) -> Variable<T> {
        same_shape("smooth_l1_loss", x, target);
        let (beta, line) = (self.beta, line());
        assert!(beta >= 0.0, "smooth_l1_loss: beta must not be negative, and is {beta}");
        if beta == 0.0 {
            // Without a quadratic part, whose second derivative would be 0/0.
            return L1Loss::new().reduction(self.reduction).forward(x, target);
        }
        self.reduction.apply(
            compiled!(smooth_l1(x: &Variable<T>, target: &Variable<T>, beta: f64, line: Line) -> Variable<T>),
        )
    }
}

/// The mean of the smooth absolute error with β = 1; for other options see [`SmoothL1Loss`].
///
/// ```
/// use wengert_autograd::{Variable, loss::smooth_l1_loss};
/// assert_eq!(smooth_l1_loss(&Variable::from([0.5_f32, 3.0]), &Variable::from([0.0, 0.0])).item(), 1.3125);
/// ```
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn smooth_l1_loss<T: Float>(x: &Variable<T>, target: &Variable<T>) -> Variable<T> {
    SmoothL1Loss::new().forward(x, target)
}

options! {
    /// Quadratic near the target and linear far from it (Huber, "Robust estimation of a location parameter", 1964).
    pub struct HuberLoss {
        /// The distance where the two parts meet; 1 unless said otherwise.
        delta: f64 = 1.0,
    }
}
impl HuberLoss {
    /// d²/2 where d = |x − target| ≤ δ, δ·(d − δ/2) elsewhere; then reduced.
    ///
    /// # Panics
    /// If the shapes differ, or δ is not positive.
    #[track_caller]
    pub fn forward<T: Float>(&self, x: &Variable<T>, target: &Variable<T>) -> Variable<T> {
        same_shape("huber_loss", x, target);
        let (delta, line) = (self.delta, line());
        assert!(delta > 0.0, "huber_loss: delta must be positive, and is {delta}");
        self.reduction.apply(
            compiled!(huber(x: &Variable<T>, target: &Variable<T>, delta: f64, line: Line) -> Variable<T>),
        )
    }
}

/// The mean of Huber's loss with δ = 1; for other options see [`HuberLoss`].
///
/// ```
/// use wengert_autograd::{Variable, loss::huber_loss};
/// assert_eq!(huber_loss(&Variable::from([0.5_f32, 3.0]), &Variable::from([0.0, 0.0])).item(), 1.3125);
/// ```
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn huber_loss<T: Float>(x: &Variable<T>, target: &Variable<T>) -> Variable<T> {
    HuberLoss::new().forward(x, target)
}

options! {
    /// The negative log-likelihood of counts under a Poisson distribution.
    pub struct PoissonNllLoss {
        /// Is x the logarithm of the expected count (the default), or the count itself?
        log_input: bool = true,
        /// Shall Stirling's approximation of ln target! be added where target > 1?
        full: bool = false,
        /// Added to x before its logarithm is taken when `log_input` is false; 10⁻⁸ unless said otherwise.
        eps: f64 = 1e-8,
    }
}
impl PoissonNllLoss {
    /// eˣ − target·x, or x − target·ln(x + ε) when x is not a logarithm; then reduced.
    ///
    /// With `full`, target·ln target − target + ln(2π·target)/2 is added where target > 1.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn forward<T: Float>(&self, x: &Variable<T>, target: &Variable<T>) -> Variable<T> {
        same_shape("poisson_nll_loss", x, target);
        let mut losses = match self.log_input {
            true => x.exp() - target * x,
            false => x - target * (x + self.eps).ln(),
        };
        if self.full {
            let line = line();
            losses += compiled!(stirling(target: &Variable<T>, line: Line) -> Variable<T>);
        }
        self.reduction.apply(losses)
    }
}

/// Stirling's approximation of ln target!, and 0 where target ≤ 1.
fn stirling<T: Float>(target: &Variable<T>, line: Line) -> Variable<T> {
    let number = |number: f64| Variable::new(Tensor::scalar(T::from_f64(number)));
    let above = one(apply_at(elementary::lt, [&number(1.0), &target.detach()], line));
    // A number for which the logarithm is defined stands in where the result is not used.
    let safe = one(apply_at(elementary::select, [&above, target, &number(2.0)], line));
    let value = &safe * safe.ln() - &safe + (&safe * std::f64::consts::TAU).ln() * 0.5;
    one(apply_at(elementary::select, [&above, &value, &number(0.0)], line))
}

/// The mean of eˣ − target·x; for other options see [`PoissonNllLoss`].
///
/// ```
/// use wengert_autograd::{Variable, loss::poisson_nll_loss};
/// assert_eq!(poisson_nll_loss(&Variable::from([0.0_f32]), &Variable::from([3.0])).item(), 1.0);
/// ```
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn poisson_nll_loss<T: Float>(x: &Variable<T>, target: &Variable<T>) -> Variable<T> {
    PoissonNllLoss::new().forward(x, target)
}

options! {
    /// The negative log-likelihood under normal distributions of given variances (Nix and Weigend, 1994).
    pub struct GaussianNllLoss {
        /// Shall the constant ln(2π)/2 be added?
        full: bool = false,
        /// The smallest variance; 10⁻⁶ unless said otherwise.
        eps: f64 = 1e-6,
    }
}
impl GaussianNllLoss {
    /// (ln v + (x − target)²/v)/2 with v = max(var, ε), then reduced.
    ///
    /// The gradient in var is that in v, also where var < ε, so that a variance can grow again.
    ///
    /// # Panics
    /// If x and target differ in shape, or var does not broadcast to them.
    #[track_caller]
    pub fn forward<T: Float>(&self, x: &Variable<T>, target: &Variable<T>, var: &Variable<T>) -> Variable<T> {
        same_shape("gaussian_nll_loss", x, target);
        let least = T::from_f64(self.eps);
        let value = var.value();
        let raised;
        let v = if value.iter().any(|v| v < least) {
            let lift = value.map(|v| if v < least { least - v } else { T::zero() });
            raised = var + Variable::new(lift);
            &raised
        } else {
            var
        };
        let mut losses = (v.ln() + (x - target).square() / v) * 0.5;
        if self.full {
            losses += 0.5 * std::f64::consts::TAU.ln();
        }
        self.reduction.apply(losses)
    }
}

/// The mean of (ln var + (x − target)²/var)/2; for other options see [`GaussianNllLoss`].
///
/// ```
/// use wengert_autograd::{Variable, loss::gaussian_nll_loss};
/// let (x, target, var) = (Variable::from([1.0_f32]), Variable::from([3.0]), Variable::from([1.0]));
/// assert_eq!(gaussian_nll_loss(&x, &target, &var).item(), 2.0);
/// ```
///
/// # Panics
/// If x and target differ in shape, or var does not broadcast to them.
#[track_caller]
pub fn gaussian_nll_loss<T: Float>(x: &Variable<T>, target: &Variable<T>, var: &Variable<T>) -> Variable<T> {
    GaussianNllLoss::new().forward(x, target, var)
}
