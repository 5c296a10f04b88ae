//! Arithmetic of two and three operands beyond `+ − × ÷`: powers, extremes, angles, remainders, interpolation, choice.
//!
//! ```
//! use wengert_autograd::Variable;
//!
//! let x = Variable::from([3.0_f32, 5.0]);
//! assert_eq!(x.maximum(&Variable::from([4.0, 4.0])).value().to_vec(), [4.0, 5.0]);
//! ```
//!
//! Operands broadcast against each other as NumPy's do. Each is a formula over the table of derivatives, so there is no
//! rule in this file.

use super::{
    elementwise::{evaluate, formulas},
    registry::samples,
};
use crate::{
    graph::Variable,
    scalar::{Float, Formula, Real, Slope, formula::elementary, table::c},
    tensor::Tensor,
};

formulas! {
    Clamp { low, high } "clamp" |x| {
        let raised = R::select(x.lt(low), low, x);
        R::select(high.lt(raised), high, raised)
    };
    PowNumber { exponent } "pow" |x| x.powf(exponent);
    Cube {} "pow" |x| x * x * x;
    NumberPow { base } "pow" |x| base.powf(x);
    Remainder {} "remainder" |x, y| {
        let (rest, zero) = (x.rem(y), R::constant(0.0));
        // One more divisor where the rest has the other sign.
        let (negative, below) = (rest.lt(zero), y.lt(zero));
        let apart = (negative & !below) | (!negative & below & !rest.eq(zero));
        R::select(apart, rest + y, rest)
    };
    Lerp {} "lerp" |x, y, weight| x + weight * (y - x);
    Addcmul { value } "addcmul" |x, y, z| x + value * y * z;
    Addcdiv { value } "addcdiv" |x, y, z| x + value * y / z;
    Xlogy {} "xlogy" |x, y| {
        // The logarithm of 1 in place of one that is infinite or no number, where it does not count.
        let idle = x.eq(c(0.0)) & (y.le(c(0.0)) | y.eq(c(f64::INFINITY)));
        x * R::select(idle, c(1.0), y).ln()
    };
    Copysign {} "copysign" |x, y| {
        // −0 is negative: its reciprocal is −∞.
        let negative = y.lt(c(0.0)) | (y.eq(c(0.0)) & y.reciprocal().lt(c(0.0)));
        R::select(negative, -x.abs(), x.abs())
    };
    Sinc {} "sinc" |x| {
        let z = x * c(std::f64::consts::PI);
        let small = z.abs().lt(c(0.5));
        // Near 0 by its series, so that every derivative is right there too. Each branch is given a harmless number
        // where the other is taken.
        let square = R::select(small, z, c(0.0)).square();
        let far = R::select(small, c(1.0), z);
        R::select(small, sinc_series(square), far.sin() / far)
    };
    Frac {} "frac" |x| x - x.trunc();
    NanToNum { nan, high, low } "nan_to_num" |x| {
        let below = R::select(x.eq(c(f64::NEG_INFINITY)), low, x);
        let finite = R::select(x.eq(c(f64::INFINITY)), high, below);
        R::select(x.eq(x), finite, nan)
    };
}

/// ln(eˣ + eʸ). The slopes are written out: in those of the maximum and the absolute value below the second derivative
/// at x = y would be lost.
#[derive(Clone, Copy)]
struct Logaddexp;
impl Formula<2> for Logaddexp {
    fn name(&self) -> &'static str {
        "logaddexp"
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [x, y]: [R; 2]) -> [R; 1] {
        // Two equal infinities have no distance.
        let distance = R::select(x.eq(y), R::constant(0.0), (x - y).abs());
        [x.max(y) + (-distance).softplus()]
    }
    #[inline(always)]
    fn pullback<R: Real>(&self, [x, y]: [R; 2], _: [R; 1], [g]: [R; 1]) -> [Slope<R>; 2] {
        [Slope::Is(g * (x - y).sigmoid()), Slope::Is(g * (y - x).sigmoid())]
    }
}

/// sin z / z from z², for |z| < ½: Σ (−z²)ᵏ/(2k + 1)!
#[inline(always)]
fn sinc_series<R: Real>(square: R) -> R {
    // 1/((2k)·(2k + 1)), from the last term to the first.
    let terms = [272.0, 210.0, 156.0, 110.0, 72.0, 42.0, 20.0, 6.0];
    let mut sum = c::<R>(1.0);
    let mut k = 0;
    while k < terms.len() {
        sum = c::<R>(1.0) - square * sum * c(1.0 / terms[k]);
        k += 1;
    }
    sum
}

impl<T: Float> Variable<T> {
    /// x where it lies between `low` and `high`, the nearer of the two elsewhere; `high` if `low` > `high`. The derivative
    /// is 1 between the bounds and at them, 0 outside. NaN stays NaN.
    ///
    /// Elementwise; the result has the shape of `self`. A bound may be infinite.
    /// ```
    /// let x = wengert_autograd::Variable::from([-4.0_f64, 0.5, 4.0]);
    /// assert_eq!(x.clamp(-1.0, 1.0).value().to_vec(), [-1.0, 0.5, 1.0]);
    /// assert_eq!(x.clamp(0.0, f64::INFINITY).value().to_vec(), [0.0, 0.5, 4.0]);
    /// ```
    #[track_caller]
    pub fn clamp(&self, low: f64, high: f64) -> Variable<T> {
        evaluate!(Clamp { low, high }; self)
    }

    /// xʸ, as C's `pow` has it: NaN for x < 0 and a y that is not whole, 1 for y = 0.
    ///
    /// Derivatives: ∂/∂x = y·xʸ⁻¹, and 0 where y = 0; ∂/∂y = xʸ·ln x, and 0 where x = 0 and y ≥ 0. The shapes broadcast.
    /// ```
    /// let x = wengert_autograd::Variable::from([2.0_f64, 9.0]);
    /// assert_eq!(x.pow(&wengert_autograd::Variable::from([3.0, 0.5])).value().to_vec(), [8.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn pow(&self, exponent: &Variable<T>) -> Variable<T> {
        evaluate!(elementary::powf {}; self, exponent)
    }

    /// xᶜ for a number c; squares and cubes are multiplications, and powers of ±½ are roots, as in PyTorch (NaN at −∞).
    /// Derivative c·xᶜ⁻¹, and 0 if c = 0.
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// assert_eq!(wengert_autograd::Variable::from(4.0_f64).powf(-0.5).item(), 0.5);
    /// ```
    #[track_caller]
    pub fn powf(&self, exponent: f64) -> Variable<T> {
        match exponent {
            2.0 => self.square(),
            3.0 => evaluate!(Cube {}; self),
            0.5 => self.sqrt(),
            -0.5 => self.rsqrt(),
            _ => evaluate!(PowNumber { exponent }; self),
        }
    }

    /// cˣ for a number c (Python's `c ** x`). Derivative cˣ·ln c, and 0 where c = 0 and x ≥ 0.
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// assert_eq!(wengert_autograd::Variable::from(3.0_f64).rpow(2.0).item(), 8.0);
    /// ```
    #[track_caller]
    pub fn rpow(&self, base: f64) -> Variable<T> {
        evaluate!(NumberPow { base }; self)
    }

    /// The larger of the two; NaN if either is. At a tie each side gets half of the gradient. The shapes broadcast.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([1.0_f64, 5.0]);
    /// assert_eq!(x.maximum(&wengert_autograd::Variable::from(2.0)).value().to_vec(), [2.0, 5.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn maximum(&self, other: &Variable<T>) -> Variable<T> {
        evaluate!(elementary::max {}; self, other)
    }

    /// The smaller of the two; NaN if either is. At a tie each side gets half of the gradient. The shapes broadcast.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([1.0_f64, 5.0]);
    /// assert_eq!(x.minimum(&wengert_autograd::Variable::from(2.0)).value().to_vec(), [1.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn minimum(&self, other: &Variable<T>) -> Variable<T> {
        evaluate!(elementary::min {}; self, other)
    }

    /// The angle of the point with ordinate `self` and abscissa `x`, in (−π, π].
    ///
    /// With y for `self`: ∂/∂y = x/(x² + y²), ∂/∂x = −y/(x² + y²). The shapes broadcast.
    /// ```
    /// let y = wengert_autograd::Variable::from(1.0_f64);
    /// let angle = y.atan2(&wengert_autograd::Variable::from(-1.0));
    /// assert!((angle.item() - 0.75 * std::f64::consts::PI).abs() < 1e-15);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn atan2(&self, x: &Variable<T>) -> Variable<T> {
        evaluate!(elementary::atan2 {}; self, x)
    }

    /// √(x² + y²), without overflow. The derivatives are x and y over the result: NaN where that is 0. The shapes broadcast.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from(3.0_f64);
    /// assert_eq!(x.hypot(&wengert_autograd::Variable::from(4.0)).item(), 5.0);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn hypot(&self, other: &Variable<T>) -> Variable<T> {
        evaluate!(elementary::hypot {}; self, other)
    }

    /// x − ⌊x/y⌋·y without rounding, which has the sign of the divisor y (Python's `%`). Derivatives: ∂/∂x = 1, ∂/∂y = −⌊x/y⌋. The
    /// shapes broadcast.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([-7.0_f64, 7.0]);
    /// assert_eq!(x.remainder(&wengert_autograd::Variable::from(3.0)).value().to_vec(), [2.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn remainder(&self, divisor: &Variable<T>) -> Variable<T> {
        evaluate!(Remainder {}; self, divisor)
    }

    /// x − trunc(x/y)·y without rounding, which has the sign of x (C's `fmod`, Rust's `%`). Derivatives: ∂/∂x = 1, ∂/∂y = −trunc(x/y).
    /// The shapes broadcast.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([-7.0_f64, 7.0]);
    /// assert_eq!(x.fmod(&wengert_autograd::Variable::from(3.0)).value().to_vec(), [-1.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn fmod(&self, divisor: &Variable<T>) -> Variable<T> {
        evaluate!(elementary::rem {}; self, divisor)
    }

    /// Linear interpolation, x + weight·(y − x): `self` at weight 0 and `end` at weight 1. The shapes broadcast.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// let x = Variable::from(2.0_f64).lerp(&Variable::from(6.0), &Variable::from(0.25));
    /// assert_eq!(x.item(), 3.0);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn lerp(&self, end: &Variable<T>, weight: &Variable<T>) -> Variable<T> {
        evaluate!(Lerp {}; self, end, weight)
    }

    /// x + value·y·z. The shapes broadcast.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// let x = Variable::from(1.0_f64).addcmul(&Variable::from(2.0), &Variable::from(3.0), 0.5);
    /// assert_eq!(x.item(), 4.0);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn addcmul(&self, y: &Variable<T>, z: &Variable<T>, value: f64) -> Variable<T> {
        evaluate!(Addcmul { value }; self, y, z)
    }

    /// x + value·y/z. The shapes broadcast.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// let x = Variable::from(1.0_f64).addcdiv(&Variable::from(2.0), &Variable::from(4.0), 0.5);
    /// assert_eq!(x.item(), 1.25);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn addcdiv(&self, y: &Variable<T>, z: &Variable<T>, value: f64) -> Variable<T> {
        evaluate!(Addcdiv { value }; self, y, z)
    }

    /// `self` where `mask` holds, `other` elsewhere. The side not taken gets the gradient 0. The three shapes broadcast.
    ///
    /// ```
    /// use wengert_autograd::{Tensor, Variable};
    /// let mask = Tensor::from_vec(vec![true, false], [2])?;
    /// let x = Variable::from([1.0_f64, 2.0]).where_(&mask, &Variable::from(0.0));
    /// assert_eq!(x.value().to_vec(), [1.0, 0.0]);
    /// # Ok::<(), wengert_autograd::tensor::TensorError>(())
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn where_(&self, mask: &Tensor<bool>, other: &Variable<T>) -> Variable<T> {
        let mask = Variable::new(mask.cast::<T>());
        evaluate!(elementary::select {}; &mask, self, other)
    }

    /// ln(eˣ + eʸ), without overflow: probabilities added, as logarithms. ∂/∂x = σ(x − y), ∂/∂y = σ(y − x). The shapes
    /// broadcast.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([1000.0_f64, f64::NEG_INFINITY]);
    /// let y = x.logaddexp(&x).value().to_vec();
    /// assert_eq!(y, [1000.0 + 2.0_f64.ln(), f64::NEG_INFINITY]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn logaddexp(&self, other: &Variable<T>) -> Variable<T> {
        evaluate!(Logaddexp {}; self, other)
    }

    /// x·ln y, and 0 where x is 0, whatever y is (but for NaN): the terms of an entropy. Derivatives: ∂/∂x = ln y, and 0 where x is 0 and
    /// y no positive number; ∂/∂y = x/y. The shapes broadcast.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// let p = Variable::from([0.0_f64, 0.5, 0.5]);
    /// assert!((-p.xlogy(&p).sum().item() - 2.0_f64.ln()).abs() < 1e-15); // the entropy
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn xlogy(&self, y: &Variable<T>) -> Variable<T> {
        evaluate!(Xlogy {}; self, y)
    }

    /// |x| with the sign of y, zeros included. Derivatives: ∂/∂x = sign(x)·sign(y), and 0 where x is 0; ∂/∂y = 0. The shapes broadcast.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// let x = Variable::from([1.0_f64, -2.0]).copysign(&Variable::from([-0.0, 3.0]));
    /// assert_eq!(x.value().to_vec(), [-1.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn copysign(&self, sign: &Variable<T>) -> Variable<T> {
        evaluate!(Copysign {}; self, sign)
    }

    /// sin(πx)/(πx), and 1 at 0: the ideal low-pass filter. Derivative (cos(πx) − sinc(x))/x, and 0 at 0.
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// let y = wengert_autograd::Variable::from([0.0_f64, 0.5]).sinc().value().to_vec();
    /// assert!(y[0] == 1.0 && (y[1] - std::f64::consts::FRAC_2_PI).abs() < 1e-15);
    /// ```
    #[track_caller]
    pub fn sinc(&self) -> Variable<T> {
        evaluate!(Sinc {}; self)
    }

    /// x − trunc(x), the fraction with the sign of x. Derivative 1.
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// let x = wengert_autograd::Variable::from([2.25_f64, -2.25]);
    /// assert_eq!(x.frac().value().to_vec(), [0.25, -0.25]);
    /// ```
    #[track_caller]
    pub fn frac(&self) -> Variable<T> {
        evaluate!(Frac {}; self)
    }

    /// The numbers as they are, `nan` in place of NaN, `high` in place of ∞ and `low` in place of −∞. Derivative 1, and 0
    /// where something was replaced.
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// let x = wengert_autograd::Variable::from([1.0_f64, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]);
    /// assert_eq!(x.nan_to_num(0.0, 9.0, -9.0).value().to_vec(), [1.0, 0.0, 9.0, -9.0]);
    /// ```
    #[track_caller]
    pub fn nan_to_num(&self, nan: f64, high: f64, low: f64) -> Variable<T> {
        evaluate!(NanToNum { nan, high, low }; self)
    }
}

samples! {
    clamp {
        "both bounds" (x: between(-2.0, 2.0, &[-0.5, 1.0], [2, 5])) => x.clamp(-0.5, 1.0), elementwise;
        "one bound" (x: away_from(0.5, [2, 3])) => x.clamp(0.5, f64::INFINITY), elementwise;
        "at the bounds" (x: values([2], &[-0.5, 1.0])) => x.clamp(-0.5, 1.0), kink("1 at both bounds");
    }
    pow {
        "two operands" (x: positive([2, 3]), y: normal([2, 3])) => x.pow(y), elementwise;
        "a column and a row" (x: positive([2, 1]), y: normal([3])) => x.pow(y);
        "a square" (x: normal([2, 3])) => x.powf(2.0), elementwise;
        "a cube" (x: normal([2, 3])) => x.powf(3.0), elementwise;
        "a root" (x: positive([2, 3])) => x.powf(0.3), elementwise;
        "a negative base" (x: nonzero([2, 3])) => x.powf(-2.0);
        "a power of 0" (x: values([2], &[0.0, 0.0]), y: values([2], &[0.0, 2.5])) => x.pow(y),
            kink("0 in both, where the formulas are 0·∞");
        "shapes that differ" (x: positive([2]), y: normal([3])) => x.pow(y), panics("pow: shapes [2] and [3]");
    }
    rpow {
        "two to the x" (x: normal([2, 3])) => x.rpow(2.0), elementwise;
        "a half to the x" (x: normal([2, 3])) => x.rpow(0.5);
    }
    maximum {
        "no ties" (x: normal([2, 3]), y: uniform(3.5, 4.0, [2, 3])) => (x * 2.0).maximum(&(y * -0.25));
        "a column and a row" (x: values([3, 1], &[1.0, 2.0, 3.0]), y: values([2], &[1.5, 2.5])) => x.maximum(y);
        "a tie" (x: values([2], &[1.0, 2.0]), y: values([2], &[1.0, 3.0])) => x.maximum(y), elementwise,
            kink("each side gets half");
        "shapes that differ" (x: normal([2]), y: normal([3])) => x.maximum(y), panics("maximum: shapes [2] and [3]");
    }
    minimum {
        "a column and a row" (x: values([3, 1], &[1.0, 2.0, 3.0]), y: values([2], &[1.5, 2.5])) => x.minimum(y);
        "none" (x: normal([0, 2]), y: normal([2])) => x.minimum(y);
        "a tie" (x: values([2], &[1.0, 2.0]), y: values([2], &[1.0, 3.0])) => x.minimum(y),
            kink("each side gets half");
        "shapes that differ" (x: normal([2]), y: normal([3])) => x.minimum(y), panics("minimum: shapes [2] and [3]");
    }
    atan2 {
        "all quadrants" (y: nonzero([2, 3]), x: nonzero([2, 3])) => y.atan2(x), elementwise;
        "a column and a row" (y: nonzero([2, 1]), x: nonzero([3])) => y.atan2(x);
        "shapes that differ" (y: normal([2]), x: normal([3])) => y.atan2(x), panics("atan2: shapes [2] and [3]");
    }
    hypot {
        "all quadrants" (x: nonzero([2, 3]), y: nonzero([2, 3])) => x.hypot(y), elementwise;
        "a column and a row" (x: nonzero([2, 1]), y: nonzero([3])) => x.hypot(y);
        "shapes that differ" (x: normal([2]), y: normal([3])) => x.hypot(y), panics("hypot: shapes [2] and [3]");
    }
    remainder {
        "both signs" (x: values([2, 2], &[-7.3, 7.3, 5.1, -0.4]), y: values([2], &[3.1, -2.2])) => x.remainder(y);
        "no rest" (x: values([3], &[6.0, -6.0, 0.0]), y: values([3], &[3.0, 3.0, -2.0])) => x.remainder(y),
            kink("1 in x, the negative quotient in y");
        "a number of turns" (x: uniform(6.3, 8.7, [2, 3]), y: uniform(2.95, 3.1, [2, 3])) => x.remainder(y), elementwise;
        "shapes that differ" (x: normal([2]), y: nonzero([3])) => x.remainder(y), panics("remainder: shapes [2]");
    }
    fmod {
        "both signs" (x: values([2, 2], &[-7.3, 7.3, 5.1, -0.4]), y: values([2], &[3.1, -2.2])) => x.fmod(y);
        "a number of turns" (x: uniform(6.3, 8.7, [2, 3]), y: uniform(2.95, 3.1, [2, 3])) => x.fmod(y), elementwise;
        "shapes that differ" (x: normal([2]), y: nonzero([3])) => x.fmod(y), panics("fmod: shapes [2] and [3]");
    }
    lerp {
        "one shape" (x: normal([2, 3]), y: normal([2, 3]), weight: normal([2, 3])) => x.lerp(y, weight), elementwise;
        "three shapes" (x: normal([2, 1]), y: normal([3]), weight: normal([])) => x.lerp(y, weight);
        "shapes that differ" (x: normal([2]), y: normal([3]), w: normal([])) => x.lerp(y, w), panics("lerp: shapes [2]");
    }
    addcmul {
        "one shape" (x: normal([2, 3]), y: normal([2, 3]), z: normal([2, 3])) => x.addcmul(y, z, 0.7), elementwise;
        "three shapes" (x: normal([2, 1]), y: normal([3]), z: normal([])) => x.addcmul(y, z, -0.7);
        "shapes that differ" (x: normal([2]), y: normal([3]), z: normal([])) => x.addcmul(y, z, 1.0), panics("addcmul");
    }
    addcdiv {
        "one shape" (x: normal([2, 3]), y: normal([2, 3]), z: nonzero([2, 3])) => x.addcdiv(y, z, 0.7), elementwise;
        "three shapes" (x: normal([2, 1]), y: normal([3]), z: nonzero([])) => x.addcdiv(y, z, -0.7);
        "shapes that differ" (x: normal([2]), y: normal([3]), z: normal([])) => x.addcdiv(y, z, 1.0), panics("addcdiv");
    }
    where_ {
        "a mask" (x: normal([2, 2]), y: normal([2, 2])) => {
            x.where_(&Tensor::from_fn([2, 2], |at| at[0] == at[1]), y)
        };
        "three shapes" (x: normal([2, 1]), y: normal([3])) => x.where_(&Tensor::from_fn([3], |at| at[0] == 1), y);
        "shapes that differ" (x: normal([2]), y: normal([3])) => x.where_(&Tensor::zeros([2]), y),
            panics("where: shapes");
    }
    logaddexp {
        "one shape" (x: normal([2, 3]), y: normal([2, 3])) => x.logaddexp(y), elementwise;
        "a column and a row" (x: normal([2, 1]), y: normal([3])) => x.logaddexp(y);
        "equal numbers" (x: values([2], &[1.0, -3.0]), y: values([2], &[1.0, -3.0])) => x.logaddexp(y);
        "shapes that differ" (x: normal([2]), y: normal([3])) => x.logaddexp(y), panics("logaddexp: shapes [2] and [3]");
    }
    xlogy {
        "one shape" (x: normal([2, 3]), y: positive([2, 3])) => x.xlogy(y), elementwise;
        "a column and a row" (x: normal([2, 1]), y: positive([3])) => x.xlogy(y);
        "x = 0" (x: values([2], &[0.0, 0.0]), y: values([2], &[0.5, 2.0])) => x.xlogy(y);
        "both 0" (x: values([1], &[0.0]), y: values([1], &[0.0])) => x.xlogy(y), kink("0 in both");
        "shapes that differ" (x: normal([2]), y: positive([3])) => x.xlogy(y), panics("xlogy: shapes [2] and [3]");
    }
    copysign {
        "both signs" (x: nonzero([2, 3]), y: nonzero([2, 3])) => x.copysign(y), elementwise;
        "a column and a row" (x: nonzero([2, 1]), y: nonzero([3])) => x.copysign(y);
        "at 0" (x: values([2], &[0.0, -0.0]), y: values([2], &[-1.0, 1.0])) => x.copysign(y), kink("the slope at 0 is 0");
        "shapes that differ" (x: normal([2]), y: normal([3])) => x.copysign(y), panics("copysign: shapes [2] and [3]");
    }
    sinc {
        "both branches" (x: normal([2, 3])) => x.sinc(), elementwise;
        "near 0" (x: values([4], &[0.0, 0.1, -0.01, 0.159])) => x.sinc();
    }
    frac {
        "both signs" (x: between(-1.8, 1.8, &[-1.0, 1.0], [2, 3])) => x.frac(), elementwise;
        "at a whole number" (x: values([2], &[1.0, -2.0])) => x.frac(), kink("1, as everywhere");
    }
    nan_to_num {
        "numbers" (x: normal([2, 3])) => x.nan_to_num(0.0, 9.0, -9.0), elementwise;
        "others" (x: values([3], &[f64::NAN, f64::INFINITY, f64::NEG_INFINITY])) => x.nan_to_num(0.0, 9.0, -9.0),
            kink("0 where something was replaced");
    }
}
