//! `f32`: a sweep over all bit patterns against `f64`.

use crate::scalar::mathematics::Mathematics;
use std::f32::consts::{FRAC_1_SQRT_2, FRAC_PI_2, FRAC_PI_4, PI, SQRT_2};

/// The error of `got` in units in the last place of `want`; infinite for a NaN too many or too few, a wrong
/// infinity or a wrong sign of zero.
fn ulp(got: f32, want: f64) -> f64 {
    if want.is_nan() || got.is_nan() {
        return if want.is_nan() && got.is_nan() { 0.0 } else { f64::INFINITY };
    }
    if got == 0.0 && want == 0.0 {
        return if got.is_sign_negative() == want.is_sign_negative() { 0.0 } else { f64::INFINITY };
    }
    // An overflow counts as 2¹²⁸, the number after the largest.
    let limit = 2_f64.powi(128);
    let got = f64::from(got).clamp(-limit, limit);
    let want_in_range = want.clamp(-limit, limit);
    let exponent = ((want_in_range.abs().to_bits() >> 52) as i32 - 1023).clamp(-126, 127);
    (got - want_in_range).abs() / 2_f64.powi(exponent - 23)
}

/// Points where the bodies change their formula or their result its kind.
const BREAKPOINTS: [f32; 37] = [
    0.0,
    1e-45,
    f32::MIN_POSITIVE,
    1e-8,
    1e-4,
    0.17,
    0.25,
    0.29289323,
    0.3465736,
    0.41421357,
    0.5,
    0.6,
    FRAC_1_SQRT_2,
    FRAC_PI_4,
    0.85,
    0.92,
    1.0,
    1.0397208,
    SQRT_2,
    FRAC_PI_2,
    2.0,
    PI,
    4.0,
    9.010913,
    10.0,
    10.05,
    16.635532,
    20.0,
    87.33655,
    88.37626,
    88.72284,
    89.41599,
    103.97208,
    1e15,
    2.2517998e15,
    1.5111573e23,
    1.0141205e31,
];

/// Every 9973rd bit pattern, the breakpoints with their neighbours and those of their negatives, and the specials.
fn arguments() -> impl Iterator<Item = f32> {
    let sweep = (0..=u32::MAX).step_by(9973).map(f32::from_bits);
    let near = BREAKPOINTS.iter().flat_map(|point| {
        let bits = point.to_bits();
        (bits.saturating_sub(40)..bits + 40).flat_map(|bits| {
            let x = f32::from_bits(bits);
            [x, -x]
        })
    });
    let specials =
        [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MAX, f32::MIN, 128.0, -126.0, -149.0, -150.0];
    sweep.chain(near).chain(specials)
}

/// Compiled with hardware fma, as the callers of the bodies with `FMA = true` are.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn apply_fma(function: impl Fn(f32) -> f32, x: &[f32], y: &mut [f32]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y = function(x);
    }
}

/// The results of a body over `x`, compiled with the features it asks for; `None` where the machine lacks them.
fn apply(fma: bool, function: impl Fn(f32) -> f32, x: &[f32]) -> Option<Vec<f32>> {
    if !fma {
        return Some(x.iter().map(|&x| function(x)).collect());
    }
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        let mut y = vec![0.0; x.len()];
        // SAFETY: the features were just detected.
        unsafe { apply_fma(function, x, &mut y) };
        return Some(y);
    }
    None
}

fn check(name: &str, plain: impl Fn(f32) -> f32, fused: impl Fn(f32) -> f32, reference: impl Fn(f64) -> f64) {
    let x: Vec<f32> = arguments().collect();
    for (fma, y) in [(false, apply(false, plain, &x)), (true, apply(true, fused, &x))] {
        let Some(y) = y else { continue };
        let mut worst = (0.0, 0.0, 0.0, 0.0);
        for (&x, &y) in x.iter().zip(&y) {
            let want = reference(f64::from(x));
            let error = ulp(y, want);
            if error > worst.0 {
                worst = (error, x, y, want);
            }
        }
        let (error, x, y, want) = worst;
        assert!(error <= 2.0, "{name}({x:e}) = {y:e}, not {want:e}: {error} ulp (fma: {fma})");
    }
}

macro_rules! functions {
    ($($name:ident: $reference:expr;)*) => { $(
        #[test]
        fn $name() {
            check(
                stringify!($name),
                |x| Mathematics::$name::<false>(x),
                |x| Mathematics::$name::<true>(x),
                $reference,
            );
        }
    )* };
}

functions! {
    exp: f64::exp;
    exp2: f64::exp2;
    expm1: f64::exp_m1;
    ln: f64::ln;
    ln_1p: f64::ln_1p;
    log2: f64::log2;
    log10: f64::log10;
    sin: f64::sin;
    cos: f64::cos;
    tan: f64::tan;
    asin: f64::asin;
    acos: f64::acos;
    atan: f64::atan;
    sinh: f64::sinh;
    cosh: f64::cosh;
    tanh: f64::tanh;
    asinh: libm::asinh;
    acosh: |x| if x < 1.0 { f64::NAN } else { (x - 1.0 + ((x - 1.0) * (x + 1.0)).sqrt()).ln_1p() };
    atanh: |x| (0.5 * (2.0 * x.abs() / (1.0 - x.abs())).ln_1p()).copysign(x);
    erf: libm::erf;
    erfc: libm::erfc;
    sigmoid: |x| if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) };
}
