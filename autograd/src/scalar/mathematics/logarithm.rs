//! Logarithms to base e, 2 and 10, and `ln(1 + x)`.
//!
//! All write `x = m 2^k` with `m` in `[√½, √2)` and `f = m - 1`, which is exact. `ln m = f + t` with a small tail
//! `t`; the parts are added smallest first.
//!
//! The coefficients interpolate at the Chebyshev nodes (solved with 60 digits, then rounded).

use super::Mathematics;
use super::exponential::{LN_2_F32, LN_2_F64};
use super::polynomial::polynomial;

/// `(ln(1 + f) - f) / f²` on `√½ - 1 <= f <= √2 - 1`; relative error of the logarithm 2^-26.1.
const LN_F32: [f32; 9] = [
    -0.49999997,
    0.3333333,
    -0.2500078,
    0.20001234,
    -0.16626644,
    0.14204852,
    -0.13127573,
    0.1272271,
    -0.07673638,
];
/// `(ln((1 + s) / (1 - s)) - 2 s) / s³` as a polynomial in `s²`, on `|s| <= 3 - √8`; relative error 2^-57.6.
const LN_F64: [f64; 7] = [
    0.666666666666667,
    0.39999999999899455,
    0.2857142862599856,
    0.2222221113102852,
    0.1818288939967772,
    0.15331712479381301,
    0.14616562422104645,
];
/// `log10 2` to 14 bits, and the rest.
const LOG10_2_F32: (f32, f32) = (0.301_025_4, 4.605_039e-6);
/// `log10 2` to 32 bits, and the rest.
const LOG10_2_F64: (f64, f64) = (0.301_029_995_549_470_2, 1.145_110_089_802_183_8e-10);
/// `log2 e - 1` and `log10 e - 1/2`: the leading product is then exact.
const LOG2_E_LESS_1: f64 = 0.442_695_040_888_963_4;
const LOG10_E_LESS_HALF: f64 = -0.065_705_518_096_748_17;

/// `x = m 2^k` for a positive normal `x`: `m` in `[√½, √2)`, the bits of `2^k` offset by 127, and `k`.
#[inline(always)]
fn split_f32(x: f32) -> (f32, u32, f32) {
    // Subtracting the bits of √½ makes the exponent change at √½ rather than at 1.
    let shifted = x.to_bits().wrapping_sub(0x3f35_04f3).wrapping_add(0x3f80_0000);
    let exponent = shifted & 0xff80_0000;
    let m = f32::from_bits(x.to_bits().wrapping_sub(exponent).wrapping_add(0x3f80_0000));
    (m, exponent, ((exponent >> 23) as i32 - 127) as f32)
}

/// As [`split_f32`], offset by 1023.
#[inline(always)]
fn split_f64(x: f64) -> (f64, u64, f64) {
    let shifted = x.to_bits().wrapping_sub(0x3fe6_a09e_667f_3bcd).wrapping_add(0x3ff0_0000_0000_0000);
    let exponent = shifted & 0xfff0_0000_0000_0000;
    let m = f64::from_bits(x.to_bits().wrapping_sub(exponent).wrapping_add(0x3ff0_0000_0000_0000));
    // The exponent becomes the last bits of 2⁵² + exponent: AVX2 has no conversion from 64-bit integers.
    let k = f64::from_bits((exponent >> 52) | 0x4330_0000_0000_0000) - (4_503_599_627_370_496.0 + 1023.0);
    (m, exponent, k)
}

/// `ln(1 + f) - f` for `√½ <= 1 + f < √2`.
#[inline(always)]
fn tail_f32<const FMA: bool>(f: f32) -> f32 {
    f * f * polynomial::<f32, FMA, 9>(f, &LN_F32)
}

/// As [`tail_f32`], by `s = f / (2 + f)`: `ln(1 + f) = 2 artanh s`, and `2 s = f - s f`, so the tail is
/// `s (f²/2 + R) - f²/2` with `R = s² (2/3 + …)`; the correction `s (…)` is small.
#[inline(always)]
fn tail_f64<const FMA: bool>(f: f64) -> f64 {
    let s = f / (2.0 + f);
    let z = s * s;
    let half_square = 0.5 * f * f;
    f64::fma::<FMA>(s, f64::fma::<FMA>(z, polynomial::<f64, FMA, 7>(z, &LN_F64), half_square), -half_square)
}

/// The parts of a logarithm: `f`, the tail and `k`, with subnormal `x` scaled into the normal range first.
#[inline(always)]
fn parts_f32<const FMA: bool>(x: f32) -> (f32, f32, f32) {
    let tiny = x < f32::MIN_POSITIVE;
    let (m, _, k) = split_f32(if tiny { x * 8_388_608.0 } else { x });
    let f = m - 1.0;
    (f, tail_f32::<FMA>(f), if tiny { k - 23.0 } else { k })
}

/// As [`parts_f32`].
#[inline(always)]
fn parts_f64<const FMA: bool>(x: f64) -> (f64, f64, f64) {
    let tiny = x < f64::MIN_POSITIVE;
    let (m, _, k) = split_f64(if tiny { x * 4_503_599_627_370_496.0 } else { x });
    let f = m - 1.0;
    (f, tail_f64::<FMA>(f), if tiny { k - 52.0 } else { k })
}

/// Puts the special cases of a logarithm over a `result` that holds for positive finite `x`.
#[inline(always)]
fn special_f32(x: f32, result: f32) -> f32 {
    let result = if x < f32::INFINITY { result } else { x }; // ∞ and NaN are their own logarithm
    let result = if x == 0.0 { f32::NEG_INFINITY } else { result };
    if x < 0.0 { f32::NAN } else { result }
}

/// As [`special_f32`].
#[inline(always)]
fn special_f64(x: f64, result: f64) -> f64 {
    let result = if x < f64::INFINITY { result } else { x };
    let result = if x == 0.0 { f64::NEG_INFINITY } else { result };
    if x < 0.0 { f64::NAN } else { result }
}

#[inline(always)]
pub(super) fn ln_f32<const FMA: bool>(x: f32) -> f32 {
    let (f, tail, k) = parts_f32::<FMA>(x);
    let sum = f + f32::fma::<FMA>(k, LN_2_F32.1, tail);
    special_f32(x, f32::fma::<FMA>(k, LN_2_F32.0, sum))
}

#[inline(always)]
pub(super) fn ln_f64<const FMA: bool>(x: f64) -> f64 {
    let (f, tail, k) = parts_f64::<FMA>(x);
    let sum = f + f64::fma::<FMA>(k, LN_2_F64.1, tail);
    special_f64(x, f64::fma::<FMA>(k, LN_2_F64.0, sum))
}

#[inline(always)]
pub(super) fn log2_f32<const FMA: bool>(x: f32) -> f32 {
    let (f, tail, k) = parts_f32::<FMA>(x);
    let low = f32::fma::<FMA>(f, LOG2_E_LESS_1 as f32, tail * std::f32::consts::LOG2_E);
    special_f32(x, k + (f + low))
}

#[inline(always)]
pub(super) fn log2_f64<const FMA: bool>(x: f64) -> f64 {
    let (f, tail, k) = parts_f64::<FMA>(x);
    let low = f64::fma::<FMA>(f, LOG2_E_LESS_1, tail * std::f64::consts::LOG2_E);
    special_f64(x, k + (f + low))
}

/// `log2 x` of a positive normal `x`, where the caller looks after the others.
#[inline(always)]
pub(super) fn log2_positive<const FMA: bool>(x: f64) -> f64 {
    let (m, _, k) = split_f64(x);
    let f = m - 1.0;
    let low = f64::fma::<FMA>(f, LOG2_E_LESS_1, tail_f64::<FMA>(f) * std::f64::consts::LOG2_E);
    k + (f + low)
}

#[inline(always)]
pub(super) fn log10_f32<const FMA: bool>(x: f32) -> f32 {
    let (f, tail, k) = parts_f32::<FMA>(x);
    let low = f32::fma::<FMA>(f, LOG10_E_LESS_HALF as f32, tail * std::f32::consts::LOG10_E);
    let sum = f32::fma::<FMA>(f, 0.5, f32::fma::<FMA>(k, LOG10_2_F32.1, low));
    special_f32(x, f32::fma::<FMA>(k, LOG10_2_F32.0, sum))
}

#[inline(always)]
pub(super) fn log10_f64<const FMA: bool>(x: f64) -> f64 {
    let (f, tail, k) = parts_f64::<FMA>(x);
    let low = f64::fma::<FMA>(f, LOG10_E_LESS_HALF, tail * std::f64::consts::LOG10_E);
    let sum = f64::fma::<FMA>(f, 0.5, f64::fma::<FMA>(k, LOG10_2_F64.1, low));
    special_f64(x, f64::fma::<FMA>(k, LOG10_2_F64.0, sum))
}

/// `1 + x` is rounded to `u`, and what the rounding lost is added to the reduced `f`, where it counts.
#[inline(always)]
pub(super) fn ln_1p_f32<const FMA: bool>(x: f32) -> f32 {
    let u = 1.0 + x;
    let lost = if x < 1.0 { x - (u - 1.0) } else { 1.0 - (u - x) };
    let (m, exponent, k) = split_f32(u);
    // 2^-k, whose bits are those of 2^k reflected; it is not needed where `lost` has become negligible.
    let scaled = lost * f32::from_bits(0x7f00_0000_u32.wrapping_sub(exponent));
    let f = (m - 1.0) + if x < 1e15 { scaled } else { 0.0 };
    let sum = f + f32::fma::<FMA>(k, LN_2_F32.1, tail_f32::<FMA>(f));
    let result = special_f32(u, f32::fma::<FMA>(k, LN_2_F32.0, sum));
    if x.abs() < 1e-8 { x } else { result }
}

/// As [`ln_1p_f32`].
#[inline(always)]
pub(super) fn ln_1p_f64<const FMA: bool>(x: f64) -> f64 {
    let u = 1.0 + x;
    let lost = if x < 1.0 { x - (u - 1.0) } else { 1.0 - (u - x) };
    let (m, exponent, k) = split_f64(u);
    let scaled = lost * f64::from_bits(0x7fe0_0000_0000_0000_u64.wrapping_sub(exponent));
    let f = (m - 1.0) + if x < 1e30 { scaled } else { 0.0 };
    let sum = f + f64::fma::<FMA>(k, LN_2_F64.1, tail_f64::<FMA>(f));
    let result = special_f64(u, f64::fma::<FMA>(k, LN_2_F64.0, sum));
    if x.abs() < 1e-17 { x } else { result }
}
