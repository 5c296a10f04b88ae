//! [`Real`]: what a formula may do.
//!
//! A formula is written once, against this trait, and read many times: with plain numbers it is the forward loop, with
//! [`Dual`](crate::scalar::Dual) numbers it is the derivative, with [`Reads`](crate::scalar::reads::Reads) it tells what
//! the derivative reads, and with [`Expr`](crate::scalar::expr::Expr) it writes the derivative down as operations of the
//! graph, which can be differentiated again.
//!
//! ```
//! use wengert_autograd::scalar::{Dual, Real};
//!
//! fn swish<R: Real>(x: R) -> R {
//!     x * x.sigmoid()
//! }
//! let at = Dual::variable(1.0);
//! assert_eq!(swish(at).value(), swish(1.0));
//! assert!((swish(at).slope() - 0.927_670_511_8).abs() < 1e-9);
//! ```
//!
//! The trait asks for `Copy`, so that no formula ever says `.clone()`, and has no `if`: a choice is a
//! [`select`](Real::select), which vectorises and is recorded like any other step.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

/// A number that a formula computes with: a plain one, a dual one, or a description of one.
///
/// Sources for the slopes are in the [table of derivatives](crate::scalar::table).
pub trait Real:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// What a comparison gives and [`select`](Real::select) takes.
    type Mask: Copy + BitAnd<Output = Self::Mask> + BitOr<Output = Self::Mask> + Not<Output = Self::Mask>;

    /// The number `value`, rounded to the precision at hand. Its slope is zero.
    fn constant(value: f64) -> Self;

    /// |x|. Slope sign(x), so 0 at 0.
    fn abs(self) -> Self;
    /// −1, 0 or 1, and 0 for NaN. Slope 0.
    fn sign(self) -> Self;
    /// eˣ.
    fn exp(self) -> Self;
    /// 2ˣ.
    fn exp2(self) -> Self;
    /// eˣ − 1, exact to the last bits near 0.
    fn expm1(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// ln(1 + x), exact to the last bits near 0.
    fn ln_1p(self) -> Self;
    /// The logarithm to base 2.
    fn log2(self) -> Self;
    /// The logarithm to base 10.
    fn log10(self) -> Self;
    /// √x.
    fn sqrt(self) -> Self;
    /// 1/√x.
    fn rsqrt(self) -> Self;
    /// x².
    fn square(self) -> Self;
    /// 1/x.
    fn reciprocal(self) -> Self;
    /// The sine of x radians.
    fn sin(self) -> Self;
    /// The cosine of x radians.
    fn cos(self) -> Self;
    /// The tangent of x radians.
    fn tan(self) -> Self;
    /// The angle in [−π/2, π/2] whose sine is x.
    fn asin(self) -> Self;
    /// The angle in [0, π] whose cosine is x.
    fn acos(self) -> Self;
    /// The angle in (−π/2, π/2) whose tangent is x.
    fn atan(self) -> Self;
    /// (eˣ − e⁻ˣ)/2.
    fn sinh(self) -> Self;
    /// (eˣ + e⁻ˣ)/2.
    fn cosh(self) -> Self;
    /// sinh(x)/cosh(x).
    fn tanh(self) -> Self;
    /// The inverse of sinh.
    fn asinh(self) -> Self;
    /// The inverse of cosh, for x ≥ 1.
    fn acosh(self) -> Self;
    /// The inverse of tanh, for |x| ≤ 1.
    fn atanh(self) -> Self;
    /// The error function 2/√π · ∫₀ˣ e^(−t²) dt.
    fn erf(self) -> Self;
    /// 1 − erf(x), without cancellation.
    fn erfc(self) -> Self;
    /// 1/(1 + e⁻ˣ).
    fn sigmoid(self) -> Self;
    /// ln(1 + eˣ), without overflow.
    fn softplus(self) -> Self;
    /// max(x, 0); NaN passes. Slope 0 at 0.
    fn relu(self) -> Self;
    /// The largest integer ≤ x. Slope 0.
    fn floor(self) -> Self;
    /// The smallest integer ≥ x. Slope 0.
    fn ceil(self) -> Self;
    /// The nearest integer, halves to the even one. Slope 0.
    fn round(self) -> Self;
    /// x without its fraction. Slope 0.
    fn trunc(self) -> Self;

    /// xʸ as C's `pow` has it. Slope in x: y·xʸ⁻¹, and 0 where y = 0; in y: xʸ·ln x, and 0 where x = 0 and y ≥ 0.
    fn powf(self, exponent: Self) -> Self;
    /// The angle of the point with ordinate `self` and abscissa `x`.
    fn atan2(self, x: Self) -> Self;
    /// √(x² + y²), without overflow.
    fn hypot(self, other: Self) -> Self;
    /// x − trunc(x/y)·y without rounding, as C's `fmod`: the sign of x. Slope in x: 1; in y: −trunc(x/y).
    fn rem(self, divisor: Self) -> Self;
    /// The larger of the two; NaN if either is. At a tie each side has slope ½.
    fn max(self, other: Self) -> Self;
    /// The smaller of the two; NaN if either is. At a tie each side has slope ½.
    fn min(self, other: Self) -> Self;

    /// `self < other`; false if either is NaN.
    fn lt(self, other: Self) -> Self::Mask;
    /// `self ≤ other`; false if either is NaN.
    fn le(self, other: Self) -> Self::Mask;
    /// `self = other`; false if either is NaN.
    fn eq(self, other: Self) -> Self::Mask;
    /// `yes` where the mask holds, `no` elsewhere; the branch not taken has slope 0 there.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;

    /// `self > other`.
    #[inline(always)]
    fn gt(self, other: Self) -> Self::Mask {
        other.lt(self)
    }
    /// `self ≥ other`.
    #[inline(always)]
    fn ge(self, other: Self) -> Self::Mask {
        other.le(self)
    }
    /// xⁿ by repeated squaring.
    #[inline(always)]
    fn powi(self, n: i32) -> Self {
        let (mut base, mut left, mut power) = (self, n.unsigned_abs(), Self::constant(1.0));
        let mut started = false;
        while left > 0 {
            if left & 1 == 1 {
                power = if started { power * base } else { base };
                started = true;
            }
            left >>= 1;
            if left > 0 {
                base = base.square();
            }
        }
        if n < 0 { power.reciprocal() } else { power }
    }
}
