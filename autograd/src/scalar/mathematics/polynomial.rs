//! Polynomials and the powers of two: what every approximation here ends in.

use super::Mathematics;

/// Horner's rule: `c[0] + c[1] x + c[2] x² + …`.
#[inline(always)]
pub(super) fn polynomial<T: Mathematics, const FMA: bool, const N: usize>(x: T, c: &[T; N]) -> T {
    let mut sum = c[N - 1];
    let mut power = N - 1;
    while power > 0 {
        power -= 1;
        sum = T::fma::<FMA>(sum, x, c[power]);
    }
    sum
}

/// Adding 1.5·2²³ to a small number pushes its fraction out of the significand: the sum is rounded to an integer
/// (ties to even), which stands in its lowest bits in two's complement.
pub(super) const ROUND_F32: f32 = 12_582_912.0;
/// The same for `f64`: 1.5·2⁵².
pub(super) const ROUND_F64: f64 = 6_755_399_441_055_744.0;

/// `2^n` for `-126 <= n <= 127`, from the sum `n + ROUND_F32`.
#[inline(always)]
pub(super) fn power_of_two_f32(rounded: f32) -> f32 {
    f32::from_bits(rounded.to_bits().wrapping_add(127) << 23)
}

/// `2^n` for `-1022 <= n <= 1023`, from the sum `n + ROUND_F64`.
#[inline(always)]
pub(super) fn power_of_two_f64(rounded: f64) -> f64 {
    f64::from_bits(rounded.to_bits().wrapping_add(1023) << 52)
}

/// `p · 2^n` for `|n| <= 252`, from the sum `n + ROUND_F32`, in two steps: `2^n` itself may be too large or too small where
/// the product is not. The first product is exact, so that a subnormal result is rounded once.
#[inline(always)]
pub(super) fn scale_f32(p: f32, rounded: f32) -> f32 {
    // The bits of the sum above n are an even number, and what is left of them above the exponent is shifted out.
    let bits = rounded.to_bits();
    let half = bits >> 1;
    let power = |n: u32| f32::from_bits(n.wrapping_add(127) << 23);
    p * power(half) * power(bits - half)
}

/// `p · 2^n` for `|n| <= 2044`, as [`scale_f32`].
#[inline(always)]
pub(super) fn scale_f64(p: f64, rounded: f64) -> f64 {
    let bits = rounded.to_bits();
    let half = bits >> 1;
    let power = |n: u64| f64::from_bits(n.wrapping_add(1023) << 52);
    p * power(half) * power(bits - half)
}

/// `x` limited to `[low, high]` by two selects; unlike `clamp` with its assertion, it is two instructions, and NaN
/// passes through.
#[inline(always)]
pub(super) fn limit_f32(x: f32, low: f32, high: f32) -> f32 {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// As [`limit_f32`].
#[inline(always)]
pub(super) fn limit_f64(x: f64, low: f64, high: f64) -> f64 {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}
