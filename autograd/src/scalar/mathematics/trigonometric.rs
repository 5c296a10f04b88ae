//! Sine, cosine and tangent, to the last digit at every magnitude.
//!
//! `x = (n + y) π/2` needs `x · 2/π` to some hundred binary digits beyond the point when `x` has hundreds before it.
//! After Payne and Hanek (1983), the digits of `2/π` whose product with `x` is a whole number of turns are left out;
//! what remains is a window of digits that starts where the exponent of `x` says. Four windows serve all of `f32`,
//! and are selected; for `f64` they are the one table of this module, from which a loop gathers without a branch. A
//! branch to another routine for large arguments would keep the whole loop around it from vectorising.
//!
//! The coefficients interpolate at the Chebyshev nodes (solved with 60 digits, then rounded).

use super::Mathematics;
use super::compensated::{two_product, two_sum};
use super::polynomial::{ROUND_F64, polynomial};
use std::f64::consts::FRAC_PI_2;

/// The first 1280 binary digits of `2/π`.
const TWO_OVER_PI: [u64; 20] = [
    0xa2f9_836e_4e44_1529,
    0xfc27_57d1_f534_ddc0,
    0xdb62_9599_3c43_9041,
    0xfe51_63ab_debb_c561,
    0xb724_6e3a_424d_d2e0,
    0x0649_2eea_09d1_921c,
    0xfe1d_eb1c_b129_a73e,
    0xe882_35f5_2ebb_4484,
    0xe99c_7026_b45f_7e41,
    0x3991_d639_8353_39f4,
    0x9c84_5f8b_bdf9_283b,
    0x1ff8_97ff_de05_980f,
    0xef2f_118b_5a0a_6d1f,
    0x6d36_7ecf_27cb_09b7,
    0x4f46_3f66_9e5f_ea2d,
    0x7527_bac7_ebe5_f17b,
    0x3d07_39f7_8a52_92ea,
    0x6bfb_5fb1_1f8d_5d08,
    0x5603_3046_fc7b_6bab,
    0xf0cf_bc20_9af4_361d,
];
/// `π/2` less its `f64`.
const FRAC_PI_2_REST: f64 = 6.123233995736766e-17;
/// `(sin r - r) / r³` in `r²`, on `|r| <= π/4`; relative error of the sine 2^-55.5.
const SIN_F64: [f64; 6] = [
    -0.16666666666666666,
    0.008333333333330946,
    -0.0001984126983675497,
    2.755731610068303e-06,
    -2.5051131455427946e-08,
    1.591810123027412e-10,
];
/// `(cos r - 1 + r²/2) / r⁴` in `r²`, on `|r| <= π/4`; relative error of the cosine 2^-59.5.
const COS_F64: [f64; 6] = [
    0.041666666666666664,
    -0.0013888888888887395,
    2.4801587298763433e-05,
    -2.7557317270560326e-07,
    2.0876146024689747e-09,
    -1.1382614868556325e-11,
];

/// The fraction of `2^8j · 2/π` in four parts of 53 digits: `WINDOWS[part][j]`.
static WINDOWS: [[f64; 128]; 4] = [windows(0), windows(1), windows(2), windows(3)];

const fn windows(part: usize) -> [f64; 128] {
    let mut scale = 1.0;
    let mut digit = 0;
    while digit < 53 * (part + 1) {
        scale *= 0.5;
        digit += 1;
    }
    let mut windows = [0.0; 128];
    let mut j = 0;
    // The largest exponent asks for window 121; the array is longer so that a mask can take the place of a check.
    while j <= 121 {
        let start = 8 * j + 53 * part;
        let (word, shift) = (start / 64, start % 64);
        let pair = ((TWO_OVER_PI[word] as u128) << 64) | TWO_OVER_PI[word + 1] as u128;
        windows[j] = ((pair << shift) >> (128 - 53)) as f64 * scale;
        j += 1;
    }
    windows
}

/// Takes the nearest integer off `x`: the rest, and the sum whose lowest bits hold the integer's.
#[inline(always)]
fn without_integer(x: f64) -> (f64, u64) {
    let rounded = x + ROUND_F64;
    (x - (rounded - ROUND_F64), rounded.to_bits())
}

/// `x = n π/2 + high + low` with an integer `n`, of which the first result's lowest bits hold the last ones.
#[inline(always)]
fn reduce<const FMA: bool>(x: f64) -> (u64, f64, f64) {
    // From 2⁵⁴ on the last bit of x counts at least four quarter turns times a power of two, of which every eighth
    // exponent gives a new window.
    let exponent = (x.to_bits() >> 52) & 0x7ff;
    let excess = exponent as i64 - (1023 + 54);
    let j = (if excess > 0 { excess as u64 } else { 0 }) >> 3;
    let window = |part: usize| WINDOWS[part][j as usize & 127];
    let scaled = f64::from_bits(x.to_bits().wrapping_sub(j << 55)); // x · 2^-8j, less than 2⁶²

    let (p1, e1) = two_product::<FMA>(scaled, window(0));
    let (p2, e2) = two_product::<FMA>(scaled, window(1));
    let (p3, e3) = two_product::<FMA>(scaled, window(2));
    let p4 = scaled * window(3);
    // Multiples of 2¹² first: the rounding to integers holds up to 2⁵¹ only.
    let p1 = p1 - ((p1 + 4096.0 * ROUND_F64) - 4096.0 * ROUND_F64);
    let ((p1, n1), (e1, n2), (p2, n3)) = (without_integer(p1), without_integer(e1), without_integer(p2));
    let (sum, lost1) = two_sum(p1, e1);
    let (sum, lost2) = two_sum(sum, p2);
    let (sum, n4) = without_integer(sum);
    let (sum, lost3) = two_sum(sum, e2);
    let (sum, lost4) = two_sum(sum, p3);
    let rest = (lost1 + lost2) + (lost3 + lost4) + (e3 + p4);
    let y = sum + rest;
    let y_low = rest - (y - sum);

    let (high, low) = two_product::<FMA>(y, FRAC_PI_2);
    let low = low + (y * FRAC_PI_2_REST + y_low * FRAC_PI_2);
    (n1.wrapping_add(n2).wrapping_add(n3).wrapping_add(n4), high, low)
}

/// Sine and cosine of `high + low`, at most `π/4` in size.
#[inline(always)]
fn sine_and_cosine<const FMA: bool>(high: f64, low: f64) -> (f64, f64) {
    let z = high * high;
    let half = 0.5 * z;
    let near_one = 1.0 - half;
    let sine_tail = f64::fma::<FMA>(high * z, polynomial::<f64, FMA, 6>(z, &SIN_F64), low * near_one);
    let cosine_tail = f64::fma::<FMA>(z * z, polynomial::<f64, FMA, 6>(z, &COS_F64), -(high * low));
    (high + sine_tail, near_one + (((1.0 - near_one) - half) + cosine_tail))
}

/// Where `x` itself is the nearest number to its sine and tangent; this also keeps zeros and subnormal numbers.
const TINY: f64 = 5e-9;

/// Puts NaN in place of the result for ±∞, whose exponent the reduction takes for a finite number's, and for NaN.
#[inline(always)]
fn finite(x: f64, result: f64) -> f64 {
    if x.abs() < f64::INFINITY { result } else { f64::NAN }
}

#[inline(always)]
pub(super) fn sin_f64<const FMA: bool>(x: f64) -> f64 {
    let (n, high, low) = reduce::<FMA>(x);
    let (sine, cosine) = sine_and_cosine::<FMA>(high, low);
    let value = if n & 1 == 0 { sine } else { cosine };
    // Bit 1 of the quadrant is the sign.
    let value = f64::from_bits(value.to_bits() ^ ((n & 2) << 62));
    finite(x, if x.abs() < TINY { x } else { value })
}

#[inline(always)]
pub(super) fn cos_f64<const FMA: bool>(x: f64) -> f64 {
    let (n, high, low) = reduce::<FMA>(x);
    let (sine, cosine) = sine_and_cosine::<FMA>(high, low);
    let value = if n & 1 == 0 { cosine } else { sine };
    finite(x, f64::from_bits(value.to_bits() ^ ((n.wrapping_add(1) & 2) << 62)))
}

#[inline(always)]
pub(super) fn tan_f64<const FMA: bool>(x: f64) -> f64 {
    let (n, high, low) = reduce::<FMA>(x);
    let (sine, cosine) = sine_and_cosine::<FMA>(high, low);
    let even = n & 1 == 0;
    let value = if even { sine } else { -cosine } / if even { cosine } else { sine };
    finite(x, if x.abs() < TINY { x } else { value })
}

/// `(sin r - r) / r³` in `r²`, on `|r| <= π/4`; relative error of the sine 2^-35.6.
const SIN_SHORT: [f64; 4] =
    [-0.16666666663853044, 0.008333331873837089, -0.00019840086263755443, 2.7249864655139585e-06];
/// `(cos r - 1 + r²/2) / r⁴` in `r²`, on `|r| <= π/4`; relative error of the cosine 2^-39.5.
const COS_SHORT: [f64; 4] =
    [0.04166666666431933, -0.0013888887671288108, 2.480059998353171e-05, -2.7300908167996537e-07];
/// `2/π` in parts of 26, 29 and 53 bits, from bit 1, 27, 53 and 79 on.
const TWO_OVER_PI_PARTS: [(f64, f64, f64); 4] = [
    (0.6366197615861893, 1.0781392056902206e-08, 1.6153797880892852e-17),
    (1.0781392001391055e-08, 7.166494882838848e-17, 2.8376220177865265e-25),
    (7.166494634684664e-17, 2.765304035419047e-24, 4.018688565460554e-33),
    (2.7653040292560713e-24, 1.0181664348640722e-32, 3.8858987075186823e-41),
];

/// `x = (n + y) π/2` with an integer `n`, of which the result's lowest bits hold the last ones, and `|y|` hardly
/// above ½; returns those bits and `y π/2`. Holds for every `x` that came from an `f32`.
///
/// `x · 2/π` after Payne and Hanek (1983): of the digits of `2/π`, those whose product with the 24 bits of `x` is a
/// multiple of 4 turns are left out, and of the next 108 the products with `x` are exact or small. Four windows
/// suffice for the exponents of `f32`; they are selected without a table.
#[inline(always)]
fn reduce_short<const FMA: bool>(x: f64) -> (u64, f64) {
    let a = x.abs();
    let (first, second, third) = if a < 2_251_799_813_685_248.0 {
        TWO_OVER_PI_PARTS[0]
    } else if a < 151_115_727_451_828_646_838_272.0 {
        TWO_OVER_PI_PARTS[1]
    } else if a < 10_141_204_801_825_835_211_973_625_643_008.0 {
        TWO_OVER_PI_PARTS[2]
    } else {
        TWO_OVER_PI_PARTS[3]
    };
    let product = x * first;
    let turns = product + ROUND_F64;
    let rest = f64::fma::<FMA>(x, second, product - (turns - ROUND_F64));
    let more = rest + ROUND_F64;
    let y = f64::fma::<FMA>(x, third, rest - (more - ROUND_F64));
    (turns.to_bits().wrapping_add(more.to_bits()), y * FRAC_PI_2)
}

/// `sin r` and `cos r` for `|r| <= π/4`, to 2^-35.
#[inline(always)]
fn sine_and_cosine_short<const FMA: bool>(r: f64) -> (f64, f64) {
    let z = r * r;
    // A product, unlike a sum, keeps the sign of a zero.
    let sine = r * f64::fma::<FMA>(z, polynomial::<f64, FMA, 4>(z, &SIN_SHORT), 1.0);
    let tail = f64::fma::<FMA>(z, polynomial::<f64, FMA, 4>(z, &COS_SHORT), -0.5);
    (sine, f64::fma::<FMA>(z, tail, 1.0))
}

#[inline(always)]
pub(super) fn sin_f32<const FMA: bool>(x: f32) -> f32 {
    let (n, r) = reduce_short::<FMA>(f64::from(x));
    let (sine, cosine) = sine_and_cosine_short::<FMA>(r);
    let value = if n & 1 == 0 { sine } else { cosine };
    // Bit 1 of the quadrant is the sign.
    f64::from_bits(value.to_bits() ^ ((n & 2) << 62)) as f32
}

#[inline(always)]
pub(super) fn cos_f32<const FMA: bool>(x: f32) -> f32 {
    let (n, r) = reduce_short::<FMA>(f64::from(x));
    let (sine, cosine) = sine_and_cosine_short::<FMA>(r);
    let value = if n & 1 == 0 { cosine } else { sine };
    f64::from_bits(value.to_bits() ^ ((n.wrapping_add(1) & 2) << 62)) as f32
}

#[inline(always)]
pub(super) fn tan_f32<const FMA: bool>(x: f32) -> f32 {
    let (n, r) = reduce_short::<FMA>(f64::from(x));
    let (sine, cosine) = sine_and_cosine_short::<FMA>(r);
    let even = n & 1 == 0;
    (if even { sine } else { -cosine } / if even { cosine } else { sine }) as f32
}
