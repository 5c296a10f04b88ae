//! `e^x` and its relatives: `2^x`, `e^x - 1` and the logistic function.
//!
//! All write `x = n ln 2 + r` with an integer `n` and `|r| <= ln 2 / 2`, approximate on that interval and multiply
//! by `2^n`. `n ln 2` is subtracted in two parts, the first with so few bits that its product with `n` is exact.
//!
//! The coefficients interpolate at the Chebyshev nodes (solved with 60 digits, then rounded): within a factor of two
//! or so of the best approximation of their degree.

use super::Mathematics;
use super::polynomial::{
    ROUND_F32, ROUND_F64, limit_f32, limit_f64, polynomial, power_of_two_f32, power_of_two_f64, scale_f32,
    scale_f64,
};
use std::f32::consts::LOG2_E as LOG2_E_F32;
use std::f64::consts::{LN_2, LOG2_E as LOG2_E_F64};

/// The leading 14 bits of `ln 2`, and the rest.
pub(super) const LN_2_F32: (f32, f32) = (0.693_115_23, 3.194_618_3e-5);
/// The leading 32 bits of `ln 2`, and the rest.
pub(super) const LN_2_F64: (f64, f64) = (0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10);

/// `(e^r - 1 - r) / r²` on `|r| <= 0.3466`; relative error of `e^r` 2^-26.5.
const EXP_F32: [f32; 5] = [0.5, 0.16666576, 0.041666556, 0.008363178, 0.0013926182];
/// The same for `f64`; relative error 2^-55.8.
const EXP_F64: [f64; 10] = [
    0.5000000000000001,
    0.16666666666666669,
    0.041666666666624136,
    0.008333333333330063,
    0.001388888891720967,
    0.00019841269863050506,
    2.4801521302241082e-05,
    2.7557268464831627e-06,
    2.7620085455018414e-07,
    2.510038319586702e-08,
];
/// The same to 2^-32: enough where an `f32` function computes in `f64`.
const EXP_SHORT: [f64; 6] = [
    0.5000000013463886,
    0.16666666681621095,
    0.041666464944505696,
    0.008333310927615311,
    0.0013933647862928863,
    0.00019890988455544567,
];
/// `(2^r - 1) / r` on `|r| <= 0.5`; relative error of `2^r` 2^-26.7.
const EXP2_F32: [f32; 6] = [LN_2 as f32, 0.2402265, 0.05550357, 0.009618082, 0.0013390887, 0.00015453182];
/// The same for `f64`; relative error 2^-55.5.
const EXP2_F64: [f64; 11] = [
    LN_2,
    0.24022650695910097,
    0.0555041086648216,
    0.009618129107606854,
    0.0013333558146416916,
    0.00015403530441794136,
    1.525273382986708e-05,
    1.3215442552522291e-06,
    1.0178062426976924e-07,
    7.072593027878997e-09,
    4.4549643712692967e-10,
];
/// The same to 2^-33, for `f32` functions that compute in `f64`.
const EXP2_SHORT: [f64; 7] = [
    LN_2,
    0.2402265092256076,
    0.05550410883930555,
    0.00961805662050108,
    0.001333350234150156,
    0.00015461467905285986,
    1.529734162283227e-05,
];

/// `x = n ln 2 + r`: the sum `n + ROUND`, `n`, and `r` but for `n` times the second part of `ln 2`.
#[inline(always)]
fn reduce_f32<const FMA: bool>(x: f32) -> (f32, f32, f32) {
    let rounded = f32::fma::<FMA>(x, LOG2_E_F32, ROUND_F32);
    let n = rounded - ROUND_F32;
    (rounded, n, f32::fma::<FMA>(n, -LN_2_F32.0, x))
}

/// As [`reduce_f32`].
#[inline(always)]
fn reduce_f64<const FMA: bool>(x: f64) -> (f64, f64, f64) {
    let rounded = f64::fma::<FMA>(x, LOG2_E_F64, ROUND_F64);
    let n = rounded - ROUND_F64;
    (rounded, n, f64::fma::<FMA>(n, -LN_2_F64.0, x))
}

/// `e^r` for a reduced argument.
#[inline(always)]
fn exp_reduced_f32<const FMA: bool>(n: f32, high: f32) -> f32 {
    let r = f32::fma::<FMA>(n, -LN_2_F32.1, high);
    1.0 + f32::fma::<FMA>(r * r, polynomial::<f32, FMA, 5>(r, &EXP_F32), r)
}

/// As [`exp_reduced_f32`].
#[inline(always)]
fn exp_reduced_f64<const FMA: bool>(n: f64, high: f64) -> f64 {
    let r = f64::fma::<FMA>(n, -LN_2_F64.1, high);
    1.0 + f64::fma::<FMA>(r * r, polynomial::<f64, FMA, 10>(r, &EXP_F64), r)
}

#[inline(always)]
pub(super) fn exp_f32<const FMA: bool>(x: f32) -> f32 {
    // Outside these limits the result has long been 0 or ∞.
    let (rounded, n, high) = reduce_f32::<FMA>(limit_f32(x, -104.0, 89.0));
    scale_f32(exp_reduced_f32::<FMA>(n, high), rounded)
}

#[inline(always)]
pub(super) fn exp_f64<const FMA: bool>(x: f64) -> f64 {
    let (rounded, n, high) = reduce_f64::<FMA>(limit_f64(x, -746.0, 710.0));
    scale_f64(exp_reduced_f64::<FMA>(n, high), rounded)
}

/// `e^x / 2`, which overflows only beyond 710.4, as the hyperbolic functions do.
#[inline(always)]
pub(super) fn half_exp<const FMA: bool>(x: f64) -> f64 {
    let (rounded, n, high) = reduce_f64::<FMA>(limit_f64(x, -746.0, 712.0));
    scale_f64(exp_reduced_f64::<FMA>(n, high), rounded - 1.0)
}

/// `e^x` for `|x| <= 87`, where `2^n` is a normal number and one multiplication does.
#[inline(always)]
pub(super) fn exp_moderate_f32<const FMA: bool>(x: f32) -> f32 {
    let (rounded, n, high) = reduce_f32::<FMA>(x);
    exp_reduced_f32::<FMA>(n, high) * power_of_two_f32(rounded)
}

/// `e^x` for `|x| <= 708`.
#[inline(always)]
pub(super) fn exp_moderate_f64<const FMA: bool>(x: f64) -> f64 {
    let (rounded, n, high) = reduce_f64::<FMA>(x);
    exp_reduced_f64::<FMA>(n, high) * power_of_two_f64(rounded)
}

/// `e^(x + low)` for `-120 <= x <= 0` and a small `low`, as a sum of two numbers times `2^n`, and the sum `n + ROUND`.
#[inline(always)]
pub(super) fn exp_compensated_f32<const FMA: bool>(x: f32, low: f32) -> (f32, f32, f32) {
    let (rounded, n, high) = reduce_f32::<FMA>(x);
    let r = high + f32::fma::<FMA>(n, -LN_2_F32.1, low);
    let tail = f32::fma::<FMA>(r * r, polynomial::<f32, FMA, 5>(r, &EXP_F32), r);
    let sum = 1.0 + tail;
    (sum, tail - (sum - 1.0), rounded)
}

/// The same for `-800 <= x <= 0`, and with what the roundings of `r` and `1 + r` lost.
#[inline(always)]
pub(super) fn exp_compensated_f64<const FMA: bool>(x: f64, low: f64) -> (f64, f64, f64) {
    let (rounded, n, high) = reduce_f64::<FMA>(x);
    let rest = f64::fma::<FMA>(n, -LN_2_F64.1, low);
    let r = high + rest;
    let tail = f64::fma::<FMA>(r * r, polynomial::<f64, FMA, 10>(r, &EXP_F64), rest - (r - high));
    let one_more = 1.0 + r;
    let tail = tail + (r - (one_more - 1.0));
    let sum = one_more + tail;
    (sum, tail - (sum - one_more), rounded)
}

/// `e^x` for `|x| <= 708` to 2^-32, for `f32` functions that compute in `f64`.
#[inline(always)]
pub(super) fn exp_short<const FMA: bool>(x: f64) -> f64 {
    let (rounded, n, high) = reduce_f64::<FMA>(x);
    let r = f64::fma::<FMA>(n, -LN_2_F64.1, high);
    let q = polynomial::<f64, FMA, 6>(r, &EXP_SHORT);
    (1.0 + f64::fma::<FMA>(r * r, q, r)) * power_of_two_f64(rounded)
}

#[inline(always)]
pub(super) fn exp2_f32<const FMA: bool>(x: f32) -> f32 {
    let x = limit_f32(x, -151.0, 128.0);
    let rounded = x + ROUND_F32;
    let r = x - (rounded - ROUND_F32);
    scale_f32(1.0 + r * polynomial::<f32, FMA, 6>(r, &EXP2_F32), rounded)
}

#[inline(always)]
pub(super) fn exp2_f64<const FMA: bool>(x: f64) -> f64 {
    let x = limit_f64(x, -1076.0, 1024.0);
    let rounded = x + ROUND_F64;
    let r = x - (rounded - ROUND_F64);
    scale_f64(1.0 + r * polynomial::<f64, FMA, 11>(r, &EXP2_F64), rounded)
}

/// `2^x` for `|x| <= 1022` to 2^-32, for `f32` functions that compute in `f64`.
#[inline(always)]
pub(super) fn exp2_short<const FMA: bool>(x: f64) -> f64 {
    let rounded = x + ROUND_F64;
    let r = x - (rounded - ROUND_F64);
    f64::fma::<FMA>(r, polynomial::<f64, FMA, 7>(r, &EXP2_SHORT), 1.0) * power_of_two_f64(rounded)
}

/// `e^x - 1 = 2^n (e^r - 1) + (2^n - 1)`, everything halved until the end so that `n = 128` does not overflow early.
/// `2^n r` joins the constant first, where the sum is nearly exact, and the small terms follow.
#[inline(always)]
pub(super) fn expm1_f32<const FMA: bool>(x: f32) -> f32 {
    let (rounded, n, r) = reduce_f32::<FMA>(limit_f32(x, -20.0, 89.0));
    let low = n * -LN_2_F32.1;
    let full = r + low;
    let small = f32::fma::<FMA>(full * full, polynomial::<f32, FMA, 5>(full, &EXP_F32), low);
    let half = power_of_two_f32(rounded - 1.0);
    let sum = f32::fma::<FMA>(half, small, f32::fma::<FMA>(half, r, half - 0.5)) * 2.0;
    // Tiny numbers are their own image; halving them would have cost their last bits.
    if x.abs() < 1e-8 { x } else { sum }
}

/// As [`expm1_f32`].
#[inline(always)]
pub(super) fn expm1_f64<const FMA: bool>(x: f64) -> f64 {
    let (rounded, n, r) = reduce_f64::<FMA>(limit_f64(x, -40.0, 710.0));
    let low = n * -LN_2_F64.1;
    let full = r + low;
    let small = f64::fma::<FMA>(full * full, polynomial::<f64, FMA, 10>(full, &EXP_F64), low);
    let half = power_of_two_f64(rounded - 1.0);
    let sum = f64::fma::<FMA>(half, small, f64::fma::<FMA>(half, r, half - 0.5)) * 2.0;
    if x.abs() < 1e-17 { x } else { sum }
}

/// With `e = e^-|x|`, which cannot overflow: `1 / (1 + e)` on the right and `e / (1 + e)` on the left.
#[inline(always)]
pub(super) fn sigmoid_f32<const FMA: bool>(x: f32) -> f32 {
    let e = exp_f32::<FMA>(-x.abs());
    let sum = 1.0 + e;
    let quotient = (if x < 0.0 { e } else { 1.0 }) / sum;
    // What the sum's rounding lost, divided by it; a crude 1 / (1 + e) ≈ 1 - e / 2 is enough for that.
    let lost = (e - (sum - 1.0)) * f32::fma::<FMA>(e, -0.5, 1.0);
    f32::fma::<FMA>(-quotient, lost, quotient)
}

/// As [`sigmoid_f32`].
#[inline(always)]
pub(super) fn sigmoid_f64<const FMA: bool>(x: f64) -> f64 {
    let e = exp_f64::<FMA>(-x.abs());
    let sum = 1.0 + e;
    let quotient = (if x < 0.0 { e } else { 1.0 }) / sum;
    // What the sum's rounding lost, divided by it; a crude 1 / (1 + e) ≈ 1 - e / 2 is enough for that.
    let lost = (e - (sum - 1.0)) * f64::fma::<FMA>(e, -0.5, 1.0);
    f64::fma::<FMA>(-quotient, lost, quotient)
}
