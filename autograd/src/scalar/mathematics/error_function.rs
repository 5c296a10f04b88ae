//! The error function and its complement.
//!
//! Near zero `erf x = x + x P(x²)`. Beyond, `erfc x = e^-x² G(t) / (x + K)` with `t = (x - K) / (x + K)` (Shepherd
//! and Laframboise, 1981): the exponential carries the fall over hundreds of powers of ten, and `G` is smooth.
//!
//! The coefficients interpolate at the Chebyshev nodes (solved with 60 digits, then rounded).

use super::Mathematics;
use super::compensated::{exact_product_and, two_product, two_sum};
use super::exponential::{exp_compensated_f32, exp_compensated_f64, exp_moderate_f32, exp_moderate_f64};
use super::polynomial::{polynomial, scale_f32, scale_f64};

/// `erf x / x - 1` as a polynomial in `x²`, on `|x| <= 0.93`; relative error of `erf` 2^-25.9.
const ERF_F32: [f32; 7] =
    [0.12837917, -0.37612635, 0.11283691, -0.026859151, 0.005200369, -0.0008134709, 8.3347186e-05];
/// `ln erfc x` on `0.92 <= x <= 4`; relative error of `erf` 2^-27.
const LN_ERFC_F32: [f32; 9] = [
    0.00032044153,
    -1.1302376,
    -0.63181454,
    -0.11009448,
    0.026431018,
    -0.0047635753,
    0.0005977435,
    -4.6177913e-05,
    1.6435697e-06,
];
/// `erf x / x - 1` in `x²`, on `|x| <= 0.6`; relative error of `erfc` 2^-26.9.
const ERFC_SMALL_F32: [f32; 6] =
    [0.12837917, -0.37612638, 0.11283719, -0.02685746, 0.0051767076, -0.0007348931];
/// `G(t)` with `K = 3`, on `0.6 <= x <= 10.5`, the first two coefficients and those from `t²` on; relative error of
/// `erfc` 2^-26.9.
const ERFC_F32: ([f32; 2], [f32; 8]) = (
    [1.0740069, -0.8833945],
    [
        0.59022826,
        -0.31046668,
        0.11952969,
        -0.026833745,
        -0.0012305916,
        0.0030599046,
        -0.0004758396,
        -0.00030161257,
    ],
);
/// `erf x / x - 1` in `x²`, on `|x| <= 1`; relative error of `erf` 2^-55.5.
const ERF_F64: [f64; 13] = [
    0.1283791670955126,
    -0.3761263890318375,
    0.11283791670954879,
    -0.026866170645076792,
    0.0052239776248180145,
    -0.000854832698083379,
    0.0001205533111164271,
    -1.4925595266831182e-05,
    1.6461000484121368e-06,
    -1.6350312701054695e-07,
    1.4659775274047436e-08,
    -1.1372848856791674e-09,
    5.957176147748911e-11,
];
/// `G(t)` with `K = 2`, on `0.9 <= x <= 6`; relative error of `erfc` 2^-54.5.
const ERFC_F64: [f64; 17] = [
    1.021582705242023,
    -0.687160684413811,
    0.279472092556061,
    -0.03644223150679438,
    -0.021510661890266937,
    0.006479185061605486,
    0.0030906120977167747,
    -0.0008372958690893739,
    -0.0006630744735837312,
    3.4368343009140257e-05,
    0.00014448446651107349,
    3.4175001500677455e-05,
    -2.1808250492368732e-05,
    -1.6230055695123544e-05,
    -6.221338771259716e-07,
    3.8126397955267175e-06,
    9.447635057376344e-07,
];

/// `G(t)` with `K = 2`, on `0.55 <= x <= 28`; relative error of `erfc` 2^-58. The first two coefficients to twice the
/// precision, then those from `t²` on.
const ERFC_LEADING: [(f64, f64); 2] =
    [(1.021582705242023, -2.1453758279681058e-17), (-0.6871606844138106, 5.826811345494665e-18)];
const ERFC_REST: [f64; 21] = [
    0.27947209255605715,
    -0.03644223150687618,
    -0.021510661889708974,
    0.006479185067695847,
    0.0030906120670960743,
    -0.0008372960652427685,
    -0.0006630736467740728,
    3.437154331244678e-05,
    0.0001444721833846918,
    3.414727975769657e-05,
    -2.1704833181724257e-05,
    -1.6107789471876666e-05,
    -1.095648637418387e-06,
    3.5816691610266093e-06,
    1.951029474516074e-06,
    1.7319337186035053e-07,
    -5.702435197017107e-07,
    -5.772864467088632e-07,
    1.289135129440587e-07,
    2.5997990857737367e-07,
    -9.385297540482346e-08,
];

/// From 0.92 on by a polynomial for `ln erfc`, whose exponential is at most 0.2 and is subtracted from 1.
#[inline(always)]
pub(super) fn erf_f32<const FMA: bool>(x: f32) -> f32 {
    let a = x.abs();
    let limited = if a > 4.0 { 4.0 } else { a };
    let large = 1.0 - exp_moderate_f32::<FMA>(polynomial::<f32, FMA, 9>(limited, &LN_ERFC_F32));
    let small = f32::fma::<FMA>(a, polynomial::<f32, FMA, 7>(a * a, &ERF_F32), a);
    (if a < 0.92 { small } else { large }).copysign(x)
}

/// From 1 on by `1 - erfc`; at 6 and beyond the result is 1.
#[inline(always)]
pub(super) fn erf_f64<const FMA: bool>(x: f64) -> f64 {
    let a = x.abs();
    let limited = if a > 6.0 { 6.0 } else { a };
    let inverse = 1.0 / (limited + 2.0);
    let g = polynomial::<f64, FMA, 17>((limited - 2.0) * inverse, &ERFC_F64);
    let large = 1.0 - exp_moderate_f64::<FMA>(-limited * limited) * (g * inverse);
    let small = f64::fma::<FMA>(a, polynomial::<f64, FMA, 13>(a * a, &ERF_F64), a);
    (if a < 1.0 { small } else { large }).copysign(x)
}

/// With what every rounding on the way lost carried along, since the factors' errors would come to 3 ulp. At 10.5 the result
/// has become 0.
#[inline(always)]
pub(super) fn erfc_f32<const FMA: bool>(x: f32) -> f32 {
    let a = x.abs();
    let limited = if a > 10.5 { 10.5 } else { a };
    let square = limited * limited;
    let square_low = exact_product_and::<FMA>(limited, limited, -square);
    let (e, e_low, rounded) = exp_compensated_f32::<FMA>(-square, -square_low);

    // 1 / (x + 3) = inverse (1 + error), and so t = (x - 3) / (x + 3) = 1 - 6 inverse, less 6 inverse · error.
    let sum = limited + 3.0;
    let inverse = 1.0 / sum;
    let error = exact_product_and::<FMA>(-sum, inverse, 1.0) - (limited - (sum - 3.0)) * inverse;
    let t = exact_product_and::<FMA>(-6.0, inverse, 1.0);

    // G = c0 + t u with u = c1 + t (…), and G' ≈ u. The error of the inverse counts twice, in t and as a factor.
    let ([c0, c1], rest) = &ERFC_F32;
    let u = exact_product_and::<FMA>(t, polynomial::<f32, FMA, 8>(t, rest), *c1);
    let g = f32::fma::<FMA>(t, u, *c0);
    let g_low = exact_product_and::<FMA>(t, u, c0 - g);
    let g_low = f32::fma::<FMA>(error, f32::fma::<FMA>(t - 1.0, u, g), g_low);

    let product = e * g;
    let product_low = exact_product_and::<FMA>(e, g, -product);
    let product_low = f32::fma::<FMA>(e_low, g, f32::fma::<FMA>(e, g_low, product_low));
    let quotient = product * inverse;
    let quotient_low = exact_product_and::<FMA>(product, inverse, -quotient);
    let tail = scale_f32(quotient + f32::fma::<FMA>(inverse, product_low, quotient_low), rounded);

    let large = if x < 0.0 { 2.0 - tail } else { tail };
    // 1 - x is exact from ½ on, where the difference begins to cancel.
    let small = (1.0 - x) - x * polynomial::<f32, FMA, 6>(x * x, &ERFC_SMALL_F32);
    if a < 0.6 { small } else { large }
}

/// As [`erfc_f32`], and `t` with what its rounding lost.
#[inline(always)]
pub(super) fn erfc_f64<const FMA: bool>(x: f64) -> f64 {
    let a = x.abs();
    let limited = if a > 28.0 { 28.0 } else { a };
    let (square, square_low) = two_product::<FMA>(limited, limited);
    let (e, e_low, rounded) = exp_compensated_f64::<FMA>(-square, -square_low);

    let (sum, sum_low) = two_sum(limited, 2.0);
    let (difference, difference_low) = two_sum(limited, -2.0);
    let inverse = 1.0 / sum;
    let t = difference * inverse;
    let (product, product_low) = two_product::<FMA>(t, sum);
    let t_low = (((difference - product) - product_low) + (difference_low - t * sum_low)) * inverse;

    // G = c0 + t u with u = c1 + t (…), and G' ≈ u + t (…).
    let [(c0, c0_low), (c1, c1_low)] = ERFC_LEADING;
    let rest = t * polynomial::<f64, FMA, 21>(t, &ERFC_REST);
    let (u, u_low) = two_sum(c1, rest);
    let (product, product_low) = two_product::<FMA>(t, u);
    let (g, g_low) = two_sum(c0, product);
    let g_low = g_low + (product_low + (t * (u_low + c1_low) + (t_low * (u + rest) + c0_low)));

    let (product, product_low) = two_product::<FMA>(e, g);
    let product_low = product_low + (e * g_low + e_low * g);
    let quotient = product * inverse;
    let (back, back_low) = two_product::<FMA>(quotient, sum);
    let remainder = ((product - back) - back_low) + (product_low - quotient * sum_low);
    let tail = scale_f64(quotient + remainder * inverse, rounded);

    let large = if x < 0.0 { 2.0 - tail } else { tail };
    // 1 - x is exact from ½ on, where the difference begins to cancel.
    let small = (1.0 - x) - x * polynomial::<f64, FMA, 13>(x * x, &ERF_F64);
    if a < 0.6 { small } else { large }
}
