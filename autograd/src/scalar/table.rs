//! The table of derivatives: a line for every elementary function, and the only place where a scalar derivative stands.
//!
//! In a line, `x` is the argument, `y` the value of the function, and the right-hand side its slope. A slope is itself
//! written in elementary functions, so the table is closed: the second derivative is the slope of the slope. A line that
//! reads only `y` needs only the output kept (`tanh`), one that reads neither needs nothing (`floor`, whose slope is the
//! word `zero`: it is zero as a matter of structure, and times an infinity it is still zero).
//!
//! ```
//! use wengert_autograd::scalar::{Dual, Real};
//!
//! // tanh: 1 − y²
//! let y = Dual::variable(0.5).tanh();
//! assert_eq!(y.slope(), 1.0 - y.value() * y.value());
//! ```
//!
//! The table is a macro that hands its lines to another macro, so that each reading of a formula ([plain
//! numbers](super::lane), [duals](super::dual), [what is read](super::reads), [recorded operations](super::expr), and the
//! methods of `Variable`) is generated from the same lines and none can be forgotten.
//! Formulas: Abramowitz and Stegun, Handbook of Mathematical Functions, chapters 4 and 7.

use super::Real;

/// Hands `name(x, y) => slope;` for every elementary function of one argument to the macro `$reading`.
macro_rules! unary_functions {
    ($reading:ident) => {
        $reading! {
            abs(x, y) => x.sign();
            sign(x, y) => zero;
            exp(x, y) => y;
            exp2(x, y) => y * R::constant(std::f64::consts::LN_2);
            expm1(x, y) => y + R::constant(1.0);
            ln(x, y) => x.reciprocal();
            ln_1p(x, y) => (x + R::constant(1.0)).reciprocal();
            log2(x, y) => (x * R::constant(std::f64::consts::LN_2)).reciprocal();
            log10(x, y) => (x * R::constant(std::f64::consts::LN_10)).reciprocal();
            sqrt(x, y) => R::constant(0.5) / y;
            rsqrt(x, y) => R::constant(-0.5) * y / x;
            square(x, y) => x + x;
            reciprocal(x, y) => -(y * y);
            sin(x, y) => x.cos();
            cos(x, y) => -x.sin();
            tan(x, y) => y * y + R::constant(1.0);
            asin(x, y) => (R::constant(1.0) - x * x).rsqrt();
            acos(x, y) => -(R::constant(1.0) - x * x).rsqrt();
            atan(x, y) => (x * x + R::constant(1.0)).reciprocal();
            sinh(x, y) => x.cosh();
            cosh(x, y) => x.sinh();
            tanh(x, y) => R::constant(1.0) - y * y;
            asinh(x, y) => (x * x + R::constant(1.0)).rsqrt();
            acosh(x, y) => ((x - R::constant(1.0)) * (x + R::constant(1.0))).rsqrt();
            atanh(x, y) => (R::constant(1.0) - x * x).reciprocal();
            erf(x, y) => (-(x * x)).exp() * R::constant(std::f64::consts::FRAC_2_SQRT_PI);
            erfc(x, y) => (-(x * x)).exp() * R::constant(-std::f64::consts::FRAC_2_SQRT_PI);
            sigmoid(x, y) => y * (R::constant(1.0) - y);
            softplus(x, y) => x.sigmoid();
            relu(x, y) => R::select(x.le(R::constant(0.0)), R::constant(0.0), R::constant(1.0)); // NaN is not ≤ 0, so its cotangent passes
            floor(x, y) => zero;
            ceil(x, y) => zero;
            round(x, y) => zero;
            trunc(x, y) => zero;
        }
    };
}
pub(crate) use unary_functions;

/// Hands `name(a, b, y) => slope in a, slope in b;` for every elementary function of two arguments to `$reading`.
macro_rules! binary_functions {
    ($reading:ident) => {
        $reading! {
            powf(a, b, y) => power_slope_in_base(a, b), power_slope_in_exponent(a, b, y);
            atan2(a, b, y) => b / (a * a + b * b), -(a / (a * a + b * b));
            hypot(a, b, y) => a / y, b / y;
            rem(a, b, y) => R::constant(1.0), -(a / b).trunc();
            max(a, b, y) => share(b.lt(a), a.eq(b), a, b), share(a.lt(b), a.eq(b), a, b);
            min(a, b, y) => share(a.lt(b), a.eq(b), a, b), share(b.lt(a), a.eq(b), a, b);
        }
    };
}
pub(crate) use binary_functions;

/// A constant of the table.
#[inline(always)]
pub(crate) fn c<R: Real>(value: f64) -> R {
    R::constant(value)
}

/// b·aᵇ⁻¹, and 0 where b = 0 (there a⁰ = 1 for every a, even 0 and ∞).
#[inline(always)]
pub(crate) fn power_slope_in_base<R: Real>(a: R, b: R) -> R {
    R::select(b.eq(c(0.0)), c(0.0), b * a.powf(b - c(1.0)))
}

/// aᵇ·ln a, and 0 where a = 0 and b ≥ 0 (the limit; the product is 0·∞).
#[inline(always)]
pub(crate) fn power_slope_in_exponent<R: Real>(a: R, b: R, y: R) -> R {
    R::select(a.eq(c(0.0)) & b.ge(c(0.0)), c(0.0), y * a.ln())
}

/// The slope of max and min on one side: 1 where it is chosen, ½ at a tie, 0 elsewhere; 1 on both sides at NaN, which
/// both pass on.
#[inline(always)]
pub(crate) fn share<R: Real>(chosen: R::Mask, tie: R::Mask, a: R, b: R) -> R {
    let ordered = a.le(b) | b.le(a);
    R::select(chosen | !ordered, c(1.0), R::select(tie, c(0.5), c(0.0)))
}
