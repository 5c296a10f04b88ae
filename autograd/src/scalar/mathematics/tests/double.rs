//! `f64`: chosen and random points against 320-bit arithmetic.

use crate::scalar::mathematics::Mathematics;
use astro_float::{BigFloat, Consts, RoundingMode};
use std::f64::consts::{FRAC_1_SQRT_2, LN_2, SQRT_2};

/// Bits of precision of the reference.
const P: usize = 320;
const RM: RoundingMode = RoundingMode::None;

fn big(x: f64) -> BigFloat {
    if x.is_subnormal() {
        // The crate takes the exponent field of a subnormal number literally.
        return big(x * 2_f64.powi(100)).mul(&big(2_f64.powi(-100)), P, RM);
    }
    BigFloat::from_f64(x, P)
}

/// `x · 2^-shift` as an `f64` of about 50 correct bits.
fn scaled_down(x: &BigFloat, shift: i32) -> f64 {
    match x.as_raw_parts() {
        Some((words, _, _, exponent, _)) if !x.is_zero() => {
            let top = words[words.len() - 1] as f64 / 2_f64.powi(64);
            top * 2_f64.powi((exponent - shift).clamp(-1000, 1000))
        }
        _ => 0.0,
    }
}

/// The error of `got` in units in the last place of `want`, which is not zero; an overflow counts as 2¹⁰²⁴.
fn ulp(got: f64, want: &BigFloat) -> f64 {
    if want.is_nan() || got.is_nan() {
        return if want.is_nan() && got.is_nan() { 0.0 } else { f64::INFINITY };
    }
    let limit = big(f64::MAX).add(&big(2_f64.powi(970)), P, RM);
    let got = if got == f64::INFINITY {
        limit.clone()
    } else if got == f64::NEG_INFINITY {
        limit.neg()
    } else {
        big(got)
    };
    let want = want.clamp(&limit.neg(), &limit);
    let exponent = want.exponent().unwrap_or(0).clamp(-1021, 1024) - 53;
    scaled_down(&got.sub(&want, P, RM), exponent)
}

/// Pseudo-random 64 bits: a linear congruential generator with its low bits mixed.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state ^ (*state >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ (*state >> 32)
}

/// Within `[low, high]`: points spread evenly, points of every magnitude, the neighbours of breakpoints, the ends.
fn arguments(low: f64, high: f64) -> Vec<f64> {
    let breakpoints = [1e-17, 0.25, 0.5, 0.6, FRAC_1_SQRT_2, 1.0, SQRT_2, 2.0, 6.0, 20.0, 708.4, 745.1];
    let breakpoints = breakpoints.into_iter().chain((1..60).map(|k| f64::from(k) * 0.5 * LN_2));
    let near = breakpoints.flat_map(|x| {
        (-3..=3).flat_map(move |step| {
            let x = f64::from_bits(x.to_bits().wrapping_add_signed(step));
            [x, -x]
        })
    });
    let mut state = 7;
    let mut points = vec![
        low,
        high,
        6381956970095103.0 * 2_f64.powi(797),
        6381956970095103.0 * 2_f64.powi(796),
        f64::MIN_POSITIVE,
        5e-324,
        -5e-324,
        1e-310,
    ];
    points.extend(near);
    for _ in 0..400 {
        let unit = (random(&mut state) >> 11) as f64 / 2_f64.powi(53);
        points.push(low.max(-40.0) + (high.min(40.0) - low.max(-40.0)) * unit);
        points.push(low + (high / 2.0 - low / 2.0) * unit * 2.0);
        points.push(f64::from_bits(random(&mut state)));
        // From 2^-32 to 2^32, both signs.
        let bits = random(&mut state);
        let exponent = 1023 - 32 + (bits >> 58);
        points.push(f64::from_bits((bits << 63) | (exponent << 52) | ((bits >> 4) & 0x000f_ffff_ffff_ffff)));
    }
    points.retain(|x| *x >= low && *x <= high && *x != 0.0);
    points
}

/// Compiled with hardware fma, as the callers of the bodies with `FMA = true` are.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn apply_fma(function: impl Fn(f64) -> f64, x: &[f64]) -> Vec<f64> {
    x.iter().map(|&x| function(x)).collect()
}

fn check(
    name: &str,
    [low, high]: [f64; 2],
    plain: impl Fn(f64) -> f64,
    fused: impl Fn(f64) -> f64,
    reference: impl Fn(&BigFloat, &mut Consts) -> BigFloat,
) {
    let x = arguments(low, high);
    let mut results = vec![(false, x.iter().map(|&x| plain(x)).collect::<Vec<f64>>())];
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the features were just detected.
        results.push((true, unsafe { apply_fma(fused, &x) }));
    }
    let mut constants = Consts::new().expect("memory for the constants");
    for (index, &x) in x.iter().enumerate() {
        let want = reference(&big(x), &mut constants);
        for (fma, y) in &results {
            let error = ulp(y[index], &want);
            assert!(error <= 2.0, "{name}({x:e}) = {:e}, not {want}: {error} ulp (fma: {fma})", y[index]);
        }
    }
}

macro_rules! functions {
    ($($name:ident on $range:expr => $reference:expr;)*) => { $(
        #[test]
        fn $name() {
            check(
                stringify!($name),
                $range,
                |x| Mathematics::$name::<false>(x),
                |x| Mathematics::$name::<true>(x),
                $reference,
            );
        }
    )* };
}

const ALL: [f64; 2] = [f64::MIN, f64::MAX];

/// `x + c x²` for tiny `x`, where the full formula would cancel, and `other` elsewhere.
fn near_zero(x: &BigFloat, c: f64, other: impl FnOnce() -> BigFloat) -> BigFloat {
    if x.exponent().is_some_and(|exponent| exponent < -100) {
        x.add(&x.mul(x, P, RM).mul(&big(c), P, RM), P, RM)
    } else {
        other()
    }
}

/// `2/√π e^-x² Σ (2x²)^n x / (2n + 1)!!`, all of whose terms have one sign, with `p` bits.
fn erf_series(x: &BigFloat, p: usize, constants: &mut Consts) -> BigFloat {
    let square = x.mul(x, p, RM);
    let double = square.add(&square, p, RM);
    let mut term = x.clone();
    let mut sum = x.clone();
    let mut n = 1;
    while term.exponent().unwrap_or(0) + p as i32 > sum.exponent().unwrap_or(0) && !term.is_zero() {
        term = term.mul(&double, p, RM).div(&BigFloat::from_word(2 * n + 1, 64), p, RM);
        sum = sum.add(&term, p, RM);
        n += 1;
    }
    let scale = square.neg().exp(p, RM, constants).div(&constants.pi(p, RM).sqrt(p, RM), p, RM);
    sum.mul(&scale, p, RM).mul(&BigFloat::from_word(2, 64), p, RM)
}

functions! {
    exp on [-750.0, 715.0] => |x, c| x.exp(P, RM, c);
    exp2 on [-1080.0, 1030.0] => |x, c| x.mul(&c.ln_2(P, RM), P, RM).exp(P, RM, c);
    expm1 on [-750.0, 715.0] => |x, c| near_zero(x, 0.5, || x.exp(P, RM, c).sub(&big(1.0), P, RM));
    ln on [0.0, f64::MAX] => |x, c| x.ln(P, RM, c);
    ln_1p on [-1.0 + 1e-16, f64::MAX] => |x, c| near_zero(x, -0.5, || x.add(&big(1.0), P, RM).ln(P, RM, c));
    log2 on [0.0, f64::MAX] => |x, c| x.ln(P, RM, c).div(&c.ln_2(P, RM), P, RM);
    log10 on [0.0, f64::MAX] => |x, c| x.ln(P, RM, c).div(&c.ln_10(P, RM), P, RM);
    sin on ALL => |x, c| x.sin(P, RM, c);
    cos on ALL => |x, c| x.cos(P, RM, c);
    tan on ALL => |x, c| x.tan(P, RM, c);
    asin on [-1.0, 1.0] => |x, c| x.asin(P, RM, c);
    acos on [-1.0, 1.0] => |x, c| x.acos(P, RM, c);
    atan on ALL => |x, c| x.atan(P, RM, c);
    sinh on [-711.0, 711.0] => |x, c| x.sinh(P, RM, c);
    cosh on [-711.0, 711.0] => |x, c| x.cosh(P, RM, c);
    tanh on [-750.0, 750.0] => |x, c| x.tanh(P, RM, c);
    asinh on ALL => |x, c| x.asinh(P, RM, c);
    acosh on [1.0, f64::MAX] => |x, c| x.acosh(P, RM, c);
    atanh on [-1.0 + 1e-16, 1.0 - 1e-16] => |x, c| x.atanh(P, RM, c);
    erf on [-6.5, 6.5] => |x, c| erf_series(x, 200, c);
    erfc on [-6.5, 27.3] => |x, c| {
        // The subtraction loses 1.44 x² bits.
        let p = 200 + (1.6 * scaled_down(x, 0).powi(2)) as usize;
        big(1.0).sub(&erf_series(x, p, c), p, RM)
    };
    sigmoid on [-750.0, 750.0] => |x, c| big(1.0).div(&x.neg().exp(P, RM, c).add(&big(1.0), P, RM), P, RM);
}

/// `(y, x)` of every sign and ratio.
fn pairs() -> Vec<(f64, f64)> {
    let mut state = 3;
    let mut side = |spread: u64| {
        let bits = random(&mut state);
        let exponent = 1023 - spread / 2 + (bits >> 54) % spread;
        f64::from_bits((bits << 63) | (exponent << 52) | ((bits >> 4) & 0x000f_ffff_ffff_ffff))
    };
    (0..1500).map(|k| if k % 3 == 0 { (side(2000), side(2000)) } else { (side(8), side(8)) }).collect()
}

fn check_pairs(
    name: &str,
    function: impl Fn(f64, f64) -> f64,
    reference: impl Fn(&BigFloat, &BigFloat, &mut Consts) -> BigFloat,
) {
    let mut constants = Consts::new().expect("memory for the constants");
    for (a, b) in pairs() {
        let want = reference(&big(a), &big(b), &mut constants);
        let error = ulp(function(a, b), &want);
        assert!(error <= 2.0, "{name}({a:e}, {b:e}) is not {want}: {error} ulp");
    }
}

#[test]
fn atan2() {
    let angle = |y: &BigFloat, x: &BigFloat, c: &mut Consts| {
        let principal = y.div(x, P, RM).atan(P, RM, c);
        match (x.is_negative(), y.is_negative()) {
            (false, _) => principal,
            (true, false) => principal.add(&c.pi(P, RM), P, RM),
            (true, true) => principal.sub(&c.pi(P, RM), P, RM),
        }
    };
    check_pairs("atan2", Mathematics::atan2::<false>, angle);
    check_pairs("atan2", Mathematics::atan2::<true>, angle);
}

#[test]
fn hypot() {
    let length =
        |x: &BigFloat, y: &BigFloat, _: &mut Consts| x.mul(x, P, RM).add(&y.mul(y, P, RM), P, RM).sqrt(P, RM);
    check_pairs("hypot", Mathematics::hypot::<false>, length);
}

#[test]
fn powf() {
    let power = |x: &BigFloat, y: &BigFloat, c: &mut Consts| x.abs().pow(y, P, RM, c);
    check_pairs("powf", |x: f64, y| Mathematics::powf::<false>(x.abs(), y), power);
}
