//! Trigonometric functions and their inverses.
//!
//! The coefficients interpolate at the Chebyshev nodes (solved with 60 digits, then rounded).

use super::Mathematics;
use super::polynomial::{ROUND_F64, polynomial};
use std::f64::consts::{FRAC_PI_2, PI};

/// `(sin r - r) / r³` in `r²`, on `|r| <= π/4`; relative error of the sine 2^-35.6.
const SIN_SHORT: [f64; 4] =
    [-0.16666666663853044, 0.008333331873837089, -0.00019840086263755443, 2.7249864655139585e-06];
/// `(cos r - 1 + r²/2) / r⁴` in `r²`, on `|r| <= π/4`; relative error of the cosine 2^-39.5.
const COS_SHORT: [f64; 4] =
    [0.04166666666431933, -0.0013888887671288108, 2.480059998353171e-05, -2.7300908167996537e-07];
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

/// `2/π` in parts of 26, 29 and 53 bits, from bit 1, 27, 53 and 79 on.
const TWO_OVER_PI: [(f64, f64, f64); 4] = [
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
fn reduce<const FMA: bool>(x: f64) -> (u64, f64) {
    let a = x.abs();
    let (first, second, third) = if a < 2_251_799_813_685_248.0 {
        TWO_OVER_PI[0]
    } else if a < 151_115_727_451_828_646_838_272.0 {
        TWO_OVER_PI[1]
    } else if a < 10_141_204_801_825_835_211_973_625_643_008.0 {
        TWO_OVER_PI[2]
    } else {
        TWO_OVER_PI[3]
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
fn sine_and_cosine<const FMA: bool>(r: f64) -> (f64, f64) {
    let z = r * r;
    // A product, unlike a sum, keeps the sign of a zero.
    let sine = r * f64::fma::<FMA>(z, polynomial::<f64, FMA, 4>(z, &SIN_SHORT), 1.0);
    let tail = f64::fma::<FMA>(z, polynomial::<f64, FMA, 4>(z, &COS_SHORT), -0.5);
    (sine, f64::fma::<FMA>(z, tail, 1.0))
}

#[inline(always)]
pub(super) fn sin_f32<const FMA: bool>(x: f32) -> f32 {
    let (n, r) = reduce::<FMA>(f64::from(x));
    let (sine, cosine) = sine_and_cosine::<FMA>(r);
    let value = if n & 1 == 0 { sine } else { cosine };
    // Bit 1 of the quadrant is the sign.
    f64::from_bits(value.to_bits() ^ ((n & 2) << 62)) as f32
}

#[inline(always)]
pub(super) fn cos_f32<const FMA: bool>(x: f32) -> f32 {
    let (n, r) = reduce::<FMA>(f64::from(x));
    let (sine, cosine) = sine_and_cosine::<FMA>(r);
    let value = if n & 1 == 0 { cosine } else { sine };
    f64::from_bits(value.to_bits() ^ ((n.wrapping_add(1) & 2) << 62)) as f32
}

#[inline(always)]
pub(super) fn tan_f32<const FMA: bool>(x: f32) -> f32 {
    let (n, r) = reduce::<FMA>(f64::from(x));
    let (sine, cosine) = sine_and_cosine::<FMA>(r);
    let even = n & 1 == 0;
    (if even { sine } else { -cosine } / if even { cosine } else { sine }) as f32
}

/// Up to ½ a polynomial; beyond, `asin x = π/2 - 2 asin √((1 - x) / 2)`. Returns the arc sine of `a` or of the root,
/// and whether it is the latter.
#[inline(always)]
fn asin_part<const FMA: bool>(a: f64) -> (f64, bool) {
    let large = a > 0.5;
    let z = if large { 0.5 * (1.0 - a) } else { a * a };
    let s = if large { z.sqrt() } else { a };
    (f64::fma::<FMA>(s * z, polynomial::<f64, FMA, 8>(z, &ASIN_SHORT), s), large)
}

#[inline(always)]
pub(super) fn asin_f32<const FMA: bool>(x: f32) -> f32 {
    let (part, large) = asin_part::<FMA>(f64::from(x.abs()));
    ((if large { f64::fma::<FMA>(part, -2.0, FRAC_PI_2) } else { part }) as f32).copysign(x)
}

#[inline(always)]
pub(super) fn acos_f32<const FMA: bool>(x: f32) -> f32 {
    let (part, large) = asin_part::<FMA>(f64::from(x.abs()));
    let signed = if x < 0.0 { -part } else { part };
    let outer = if x < 0.0 { PI - 2.0 * part } else { 2.0 * part };
    (if large { outer } else { FRAC_PI_2 - signed }) as f32
}

/// `atan(p / q)` for `0 <= p`, `0 <= q`, not both zero or both infinite: the smaller over the larger, and the
/// complement of the angle where that turned the quotient round.
#[inline(always)]
fn angle<const FMA: bool>(p: f64, q: f64) -> f64 {
    let steep = p > q;
    let t = if steep { q / p } else { p / q };
    let z = t * t;
    let part = f64::fma::<FMA>(t * z, polynomial::<f64, FMA, 12>(z, &ATAN_SHORT), t);
    if steep { FRAC_PI_2 - part } else { part }
}

#[inline(always)]
pub(super) fn atan_f32<const FMA: bool>(x: f32) -> f32 {
    (angle::<FMA>(f64::from(x.abs()), 1.0) as f32).copysign(x)
}

/// The angle in the first quadrant, reflected into that of `(x, y)`.
#[inline(always)]
pub(super) fn atan2_f32<const FMA: bool>(y: f32, x: f32) -> f32 {
    let (p, q) = (f64::from(y.abs()), f64::from(x.abs()));
    // 0/0 and ∞/∞ stand for the angles 0 and π/4.
    let same = p == q && (p == 0.0 || p == f64::INFINITY);
    let first = angle::<FMA>(if same { p.min(1.0) } else { p }, if same { 1.0 } else { q });
    let first = if x.is_sign_negative() { PI - first } else { first };
    (first as f32).copysign(y)
}
