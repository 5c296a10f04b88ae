//! Powers and lengths of `f32`, by way of `f64`: `y log2 x` needs eight bits more than the result has.

use super::exponential::exp2_short;
use super::logarithm::log2_positive;
use super::polynomial::limit_f64;

/// 2⁵²: added to a smaller positive number and subtracted again, it rounds that to an integer.
const ROUND_POSITIVE: f64 = 4_503_599_627_370_496.0;

/// `2^(y log2 |x|)`, then the sign and the special cases of C's `pow`.
#[inline(always)]
pub(super) fn powf_f32<const FMA: bool>(x: f32, y: f32) -> f32 {
    let (base, exponent) = (f64::from(x.abs()), f64::from(y));
    // 0 and ∞ have the logarithms -∞ and ∞, and the limits below turn those into 0 and ∞ of an f32.
    let logarithm = log2_positive::<FMA>(base);
    let logarithm = if base < f64::INFINITY { logarithm } else { base };
    let logarithm = if base == 0.0 { f64::NEG_INFINITY } else { logarithm };
    let power = exp2_short::<FMA>(limit_f64(exponent * logarithm, -200.0, 200.0)) as f32;
    let power = if base == 1.0 && !y.is_nan() { 1.0 } else { power };

    // Every f32 from 2²⁴ on is an even integer, and 2⁵³ stands for all of those that large.
    let size = exponent.abs();
    let size = if size > 2.0 * ROUND_POSITIVE { 2.0 * ROUND_POSITIVE } else { size };
    let half = 0.5 * size;
    let integer = (size + ROUND_POSITIVE) - ROUND_POSITIVE == size;
    let odd = integer && (half + ROUND_POSITIVE) - ROUND_POSITIVE != half;
    let negative = x.is_sign_negative();
    let power = if negative && odd { -power } else { power };
    let undefined = x < 0.0 && x > f32::NEG_INFINITY && !integer;
    let power = if undefined { f32::NAN } else { power };
    if y == 0.0 || x == 1.0 { 1.0 } else { power }
}

/// In `f64` the squares neither overflow nor vanish. An infinite leg beats NaN, as in C.
#[inline(always)]
pub(super) fn hypot_f32(x: f32, y: f32) -> f32 {
    let (p, q) = (f64::from(x), f64::from(y));
    let length = (p * p + q * q).sqrt() as f32;
    if x.abs() == f32::INFINITY || y.abs() == f32::INFINITY { f32::INFINITY } else { length }
}
