//! Inverse trigonometric functions.
//!
//! The coefficients interpolate at the Chebyshev nodes (solved with 60 digits, then rounded).

use super::Mathematics;
use super::polynomial::polynomial;
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

/// `(atan x - x) / x³` in `x²`, on `|x| <= 1`; relative error of the arc tangent 2^-34.4.
const ATAN_SHORT: [f64; 12] = [
    -0.3333333332694414,
    0.19999998154086215,
    -0.14285624891483525,
    0.11109392308322223,
    -0.09073553118976409,
    0.0758665283364667,
    -0.06246315194128317,
    0.047294798621813336,
    -0.02991311194551696,
    0.014072923344697239,
    -0.0042216579909296476,
    0.0005930437556365282,
];
/// `(asin x - x) / x³` in `x²`, on `|x| <= 0.5`; relative error of the arc sine 2^-38.
const ASIN_SHORT: [f64; 8] = [
    0.1666666666549084,
    0.07500000600759216,
    0.04464235707939134,
    0.030397671953511674,
    0.022131964555376638,
    0.0193093461897726,
    0.005433409887231672,
    0.02931732560480542,
];
/// `(atan x - x) / x³` in `x²`, on `|x| <= tan π/8`; relative error of the arc tangent 2^-58.
const ATAN_F64: [f64; 12] = [
    -0.3333333333333333,
    0.19999999999999804,
    -0.14285714285659729,
    0.11111111105145725,
    -0.09090908753017178,
    0.07692296361048218,
    -0.06666424634599337,
    0.05878926110528101,
    -0.052304330074828924,
    0.0455149623749493,
    -0.034568068014968874,
    0.016282993238924487,
];
/// `(asin x - x) / x³` in `x²`, on `|x| <= 0.5`; relative error of the arc sine 2^-57.4.
const ASIN_F64: [f64; 13] = [
    0.16666666666666669,
    0.07499999999998425,
    0.04464285714637338,
    0.030381944137085216,
    0.022372173002005596,
    0.017352391265909227,
    0.013971235301124539,
    0.011478952690257387,
    0.010324318288744113,
    0.005450878187720551,
    0.017419357964884856,
    -0.014881409392818063,
    0.02877844261259304,
];
/// `π/2` less its `f64`.
const FRAC_PI_2_REST: f64 = 6.123233995736766e-17;

/// Up to ½ a polynomial; beyond, `asin x = π/2 - 2 asin √((1 - x) / 2)`. Returns the arc sine of `a` or of the root,
/// and whether it is the latter.
#[inline(always)]
fn asin_part_f32<const FMA: bool>(a: f64) -> (f64, bool) {
    let large = a > 0.5;
    let z = if large { 0.5 * (1.0 - a) } else { a * a };
    let s = if large { z.sqrt() } else { a };
    (f64::fma::<FMA>(s * z, polynomial::<f64, FMA, 8>(z, &ASIN_SHORT), s), large)
}

#[inline(always)]
pub(super) fn asin_f32<const FMA: bool>(x: f32) -> f32 {
    let (part, large) = asin_part_f32::<FMA>(f64::from(x.abs()));
    ((if large { f64::fma::<FMA>(part, -2.0, FRAC_PI_2) } else { part }) as f32).copysign(x)
}

#[inline(always)]
pub(super) fn acos_f32<const FMA: bool>(x: f32) -> f32 {
    let (part, large) = asin_part_f32::<FMA>(f64::from(x.abs()));
    let signed = if x < 0.0 { -part } else { part };
    let outer = if x < 0.0 { PI - 2.0 * part } else { 2.0 * part };
    (if large { outer } else { FRAC_PI_2 - signed }) as f32
}

/// `atan(p / q)` for `0 <= p`, `0 <= q`, not both zero or both infinite: the smaller over the larger, and the
/// complement of the angle where that turned the quotient round.
#[inline(always)]
fn angle_f32<const FMA: bool>(p: f64, q: f64) -> f64 {
    let steep = p > q;
    let t = if steep { q / p } else { p / q };
    let z = t * t;
    let part = f64::fma::<FMA>(t * z, polynomial::<f64, FMA, 12>(z, &ATAN_SHORT), t);
    if steep { FRAC_PI_2 - part } else { part }
}

#[inline(always)]
pub(super) fn atan_f32<const FMA: bool>(x: f32) -> f32 {
    (angle_f32::<FMA>(f64::from(x.abs()), 1.0) as f32).copysign(x)
}

/// The angle in the first quadrant, reflected into that of `(x, y)`.
#[inline(always)]
pub(super) fn atan2_f32<const FMA: bool>(y: f32, x: f32) -> f32 {
    let (p, q) = (f64::from(y.abs()), f64::from(x.abs()));
    // 0/0 and ∞/∞ stand for the angles 0 and π/4.
    let same = p == q && (p == 0.0 || p == f64::INFINITY);
    let first = angle_f32::<FMA>(if same { p.min(1.0) } else { p }, if same { 1.0 } else { q });
    let first = if x.is_sign_negative() { PI - first } else { first };
    (first as f32).copysign(y)
}

/// As [`asin_part_f32`], in two addends: the argument of the polynomial, and what the polynomial adds to it.
#[inline(always)]
fn asin_part_f64<const FMA: bool>(a: f64) -> (f64, f64, bool) {
    let large = a > 0.5;
    let z = if large { 0.5 * (1.0 - a) } else { a * a };
    let s = if large { z.sqrt() } else { a };
    (s, s * z * polynomial::<f64, FMA, 13>(z, &ASIN_F64), large)
}

#[inline(always)]
pub(super) fn asin_f64<const FMA: bool>(x: f64) -> f64 {
    let (s, tail, large) = asin_part_f64::<FMA>(x.abs());
    let complement = (FRAC_PI_2 - 2.0 * s) + (FRAC_PI_2_REST - 2.0 * tail);
    (if large { complement } else { s + tail }).copysign(x)
}

#[inline(always)]
pub(super) fn acos_f64<const FMA: bool>(x: f64) -> f64 {
    let (s, tail, large) = asin_part_f64::<FMA>(x.abs());
    let negative = x < 0.0;
    let (s, tail) = if large { (2.0 * s, 2.0 * tail) } else { (s, tail) };
    // π - 2 asin s, 2 asin s, or π/2 ∓ asin |x|.
    let (from, rest) = if large { (PI, 2.0 * FRAC_PI_2_REST) } else { (FRAC_PI_2, FRAC_PI_2_REST) };
    let less = (from - s) + (rest - tail);
    let more = (from + s) + (rest + tail);
    let outer = if negative { less } else { s + tail };
    let inner = if negative { more } else { less };
    if large { outer } else { inner }
}

/// As [`angle_f32`]: beyond `tan π/8` the angle is turned back by `π/4`, beyond its cotangent by `π/2`.
#[inline(always)]
fn angle_f64<const FMA: bool>(p: f64, q: f64) -> f64 {
    const TAN_PI_8: f64 = std::f64::consts::SQRT_2 - 1.0;
    let steep = q < TAN_PI_8 * p;
    let flat = p < TAN_PI_8 * q;
    let numerator = if steep {
        -q
    } else if flat {
        p
    } else {
        p - q
    };
    let denominator = if steep {
        p
    } else if flat {
        q
    } else {
        p + q
    };
    let base = if steep {
        FRAC_PI_2
    } else if flat {
        0.0
    } else {
        FRAC_PI_4
    };
    let base_rest = if steep {
        FRAC_PI_2_REST
    } else if flat {
        0.0
    } else {
        0.5 * FRAC_PI_2_REST
    };
    let t = numerator / denominator;
    let z = t * t;
    base + (t + f64::fma::<FMA>(t * z, polynomial::<f64, FMA, 12>(z, &ATAN_F64), base_rest))
}

#[inline(always)]
pub(super) fn atan_f64<const FMA: bool>(x: f64) -> f64 {
    let a = x.abs();
    // From 2⁶⁰ on the angle is π/2 to the last digit, and ∞/∞ is avoided.
    let limited = if a > 1.2e18 { 1.2e18 } else { a };
    angle_f64::<FMA>(limited, 1.0).copysign(x)
}

/// As [`atan2_f32`].
#[inline(always)]
pub(super) fn atan2_f64<const FMA: bool>(y: f64, x: f64) -> f64 {
    let (p, q) = (y.abs(), x.abs());
    let same = p == q && (p == 0.0 || p == f64::INFINITY);
    let (p, q) = if same { (if p == 0.0 { 0.0 } else { 1.0 }, 1.0) } else { (p, q) };
    // The sum of two huge sides must not overflow.
    let huge = p > 1e300 || q > 1e300;
    let scale = if huge { 0.25 } else { 1.0 };
    let first = angle_f64::<FMA>(p * scale, q * scale);
    let first = if x.is_sign_negative() { (PI - first) + 2.0 * FRAC_PI_2_REST } else { first };
    first.copysign(y)
}
