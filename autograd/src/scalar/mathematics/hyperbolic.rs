//! Hyperbolic functions and their inverses.
//!
//! The coefficients interpolate at the Chebyshev nodes (solved with 60 digits, then rounded).

use super::Mathematics;
use super::exponential::{exp_moderate_f32, exp_moderate_f64, exp_short, half_exp};
use super::logarithm::ln_1p_f64;
use super::polynomial::polynomial;
use std::f64::consts::LN_2;

/// `(tanh x - x) / x³` as a polynomial in `x²`, on `|x| <= 0.6`; relative error of `tanh` 2^-26.
const TANH_F32: [f32; 5] = [-0.3333333, 0.13332915, -0.05387395, 0.02111096, -0.0062691197];
/// The same for `f64`; relative error 2^-57.
const TANH_F64: [f64; 12] = [
    -0.3333333333333333,
    0.13333333333333205,
    -0.05396825396808531,
    0.021869488527368107,
    -0.008863235292803289,
    0.0035921242500086925,
    -0.0014557958855734635,
    0.0005897680994688268,
    -0.00023795201383924994,
    9.332432233847448e-05,
    -3.2086614037935994e-05,
    6.934046420988954e-06,
];
/// `(sinh x - x) / x³` as a polynomial in `x²`, on `|x| <= 1`; relative error of `sinh` 2^-41.7.
const SINH_SHORT: [f64; 5] = [
    0.16666666666698407,
    0.008333333317464362,
    0.0001984128253011599,
    2.755377026364149e-06,
    2.545670657152382e-08,
];
/// The same for `f64`; relative error 2^-56.8.
const SINH_F64: [f64; 8] = [
    0.16666666666666666,
    0.008333333333333333,
    0.00019841269841269773,
    2.755731922404034e-06,
    2.505210836405804e-08,
    1.6059048396350562e-10,
    7.646625361656657e-13,
    2.8445264169895285e-15,
];

/// `1 - 2 / (e^2x + 1)` away from zero, where at most half of the result is subtracted; a polynomial near zero.
#[inline(always)]
pub(super) fn tanh_f32<const FMA: bool>(x: f32) -> f32 {
    let a = x.abs();
    let doubled = a + a;
    let e = exp_moderate_f32::<FMA>(if doubled > 20.0 { 20.0 } else { doubled });
    let large = 1.0 - 2.0 / (e + 1.0);
    let z = a * a;
    let small = f32::fma::<FMA>(a * z, polynomial::<f32, FMA, 5>(z, &TANH_F32), a);
    (if a < 0.6 { small } else { large }).copysign(x)
}

/// As [`tanh_f32`].
#[inline(always)]
pub(super) fn tanh_f64<const FMA: bool>(x: f64) -> f64 {
    let a = x.abs();
    let doubled = a + a;
    let e = exp_moderate_f64::<FMA>(if doubled > 40.0 { 40.0 } else { doubled });
    let large = 1.0 - 2.0 / (e + 1.0);
    let z = a * a;
    let small = f64::fma::<FMA>(a * z, polynomial::<f64, FMA, 12>(z, &TANH_F64), a);
    (if a < 0.6 { small } else { large }).copysign(x)
}

/// `(e^x - e^-x) / 2` in `f64`, whose range makes overflow a matter of the last rounding; a polynomial near zero.
#[inline(always)]
pub(super) fn sinh_f32<const FMA: bool>(x: f32) -> f32 {
    let a = f64::from(x.abs());
    let e = exp_short::<FMA>(if a > 100.0 { 100.0 } else { a });
    let large = 0.5 * (e - 1.0 / e);
    let z = a * a;
    let small = f64::fma::<FMA>(a * z, polynomial::<f64, FMA, 5>(z, &SINH_SHORT), a);
    ((if a < 1.0 { small } else { large }) as f32).copysign(x)
}

/// With `h = e^|x| / 2`, which overflows where the result does: `h - 1 / (4 h)`; a polynomial near zero.
#[inline(always)]
pub(super) fn sinh_f64<const FMA: bool>(x: f64) -> f64 {
    let a = x.abs();
    let h = half_exp::<FMA>(a);
    let large = h - 0.25 / h;
    let z = a * a;
    let small = f64::fma::<FMA>(a * z, polynomial::<f64, FMA, 8>(z, &SINH_F64), a);
    (if a < 1.0 { small } else { large }).copysign(x)
}

/// With `h = e^|x| / 2`: `h + 1 / (4 h)`.
#[inline(always)]
pub(super) fn cosh_f64<const FMA: bool>(x: f64) -> f64 {
    let h = half_exp::<FMA>(x.abs());
    h + 0.25 / h
}

/// `(e^x + e^-x) / 2` in `f64`.
#[inline(always)]
pub(super) fn cosh_f32<const FMA: bool>(x: f32) -> f32 {
    let a = f64::from(x.abs());
    let e = exp_short::<FMA>(if a > 100.0 { 100.0 } else { a });
    (0.5 * (e + 1.0 / e)) as f32
}

/// `ln(x + √(x² + 1))` in `f64`, with the 1 taken out so that nothing cancels near zero.
#[inline(always)]
pub(super) fn asinh_f32<const FMA: bool>(x: f32) -> f32 {
    let a = f64::from(x.abs());
    let square = a * a;
    let y = ln_1p_f64::<FMA>(a + square / (1.0 + (square + 1.0).sqrt()));
    (if a < f64::INFINITY { y as f32 } else { x }).copysign(x)
}

/// As [`asinh_f32`]; from 10¹⁵⁰ on, where the square would come to overflow, `ln x + ln 2`.
#[inline(always)]
pub(super) fn asinh_f64<const FMA: bool>(x: f64) -> f64 {
    let a = x.abs();
    let huge = a > 1e150;
    let square = if huge { 1.0 } else { a * a };
    let argument = if huge { a } else { a + square / (1.0 + (square + 1.0).sqrt()) };
    let y = ln_1p_f64::<FMA>(argument) + if huge { LN_2 } else { 0.0 };
    y.copysign(x)
}

/// `ln(1 + t + √(t (t + 2)))` with `t = x - 1`, which is exact in `f64`.
#[inline(always)]
pub(super) fn acosh_f32<const FMA: bool>(x: f32) -> f32 {
    let t = f64::from(x) - 1.0;
    let y = ln_1p_f64::<FMA>(t + (t * (t + 2.0)).sqrt());
    if t < 0.0 { f32::NAN } else { y as f32 }
}

/// As [`acosh_f32`]; from 10¹⁵⁰ on `ln x + ln 2`.
#[inline(always)]
pub(super) fn acosh_f64<const FMA: bool>(x: f64) -> f64 {
    let t = x - 1.0;
    let huge = t > 1e150;
    let argument = if huge { x } else { t + (t * (t + 2.0)).sqrt() };
    let y = ln_1p_f64::<FMA>(argument) + if huge { LN_2 } else { 0.0 };
    if t < 0.0 { f64::NAN } else { y }
}

/// `ln(1 + 2 |x| / (1 - |x|)) / 2`: of the absolute value, for on the negative side the logarithm's argument would
/// be near zero and only coarsely known.
#[inline(always)]
pub(super) fn atanh_f64<const FMA: bool>(x: f64) -> f64 {
    let a = x.abs();
    (0.5 * ln_1p_f64::<FMA>(2.0 * a / (1.0 - a))).copysign(x)
}

/// As [`atanh_f64`], in `f64`.
#[inline(always)]
pub(super) fn atanh_f32<const FMA: bool>(x: f32) -> f32 {
    let a = f64::from(x.abs());
    ((0.5 * ln_1p_f64::<FMA>(2.0 * a / (1.0 - a))) as f32).copysign(x)
}
