//! `f32`: a sweep over all bit patterns against `f64`.

use crate::scalar::mathematics::Mathematics;
use std::f32::consts::{FRAC_1_SQRT_2, FRAC_PI_2, FRAC_PI_4, PI, SQRT_2};
use std::fmt::Debug;

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
fn apply_fma<A: Copy>(function: impl Fn(A) -> f32, x: &[A], y: &mut [f32]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y = function(x);
    }
}

/// The results of a body over `x`, compiled with the features it asks for; `None` where the machine lacks them.
fn apply<A: Copy>(fma: bool, function: impl Fn(A) -> f32, x: &[A]) -> Option<Vec<f32>> {
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

/// Asserts at most 2 ulp between a function's two bodies and its reference.
fn check<A: Copy + Debug>(
    name: &str,
    x: &[A],
    plain: impl Fn(A) -> f32,
    fused: impl Fn(A) -> f32,
    reference: impl Fn(A) -> f64,
) {
    for (fma, y) in [(false, apply(false, plain, x)), (true, apply(true, fused, x))] {
        for (&x, &y) in x.iter().zip(y.iter().flatten()) {
            let want = reference(x);
            let error = ulp(y, want);
            assert!(error <= 2.0, "{name}({x:?}) = {y:e}, not {want:e}: {error} ulp (fma: {fma})");
        }
    }
}

macro_rules! functions {
    ($($name:ident: $reference:expr;)*) => { $(
        #[test]
        fn $name() {
            let x: Vec<f32> = arguments().collect();
            let reference: fn(f64) -> f64 = $reference;
            check(
                stringify!($name),
                &x,
                |x| Mathematics::$name::<false>(x),
                |x| Mathematics::$name::<true>(x),
                |x| reference(f64::from(x)),
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

/// Every breakpoint with every other, both signs, integers and halves; then pairs of bit patterns, and pairs of
/// moderate size, where a power neither overflows nor vanishes.
fn pairs() -> Vec<(f32, f32)> {
    let special =
        [f32::NAN, f32::INFINITY, f32::MAX, 3.0, 5.5, 7.0, 16_777_215.0, 16_777_216.0, 33_554_432.0, 1e30];
    let few: Vec<f32> = BREAKPOINTS.iter().chain(&special).flat_map(|&x| [x, -x]).collect();
    let mut pairs: Vec<(f32, f32)> = few.iter().flat_map(|&x| few.iter().map(move |&y| (x, y))).collect();
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as u32
    };
    for _ in 0..100_000 {
        pairs.push((f32::from_bits(next()), f32::from_bits(next())));
        let base = f32::from_bits(next() & 0x07ff_ffff | 0x3c00_0000);
        pairs.push((base, (next() as f32 - 2_147_483_648.0) * 1e-8));
        pairs.push((-base, (next() % 64) as f32 - 32.0));
    }
    pairs
}

macro_rules! functions_of_two {
    ($($name:ident: $reference:expr;)*) => { $(
        #[test]
        fn $name() {
            let reference: fn(f64, f64) -> f64 = $reference;
            check(
                stringify!($name),
                &pairs(),
                |(x, y)| Mathematics::$name::<false>(x, y),
                |(x, y)| Mathematics::$name::<true>(x, y),
                |(x, y)| reference(f64::from(x), f64::from(y)),
            );
        }
    )* };
}

functions_of_two! {
    powf: f64::powf;
    atan2: f64::atan2;
    hypot: f64::hypot;
}
