//! Every function against a more precise reference, in units in the last place, with both bodies; and the special
//! values that no sweep of finite numbers shows.

use super::Mathematics;

mod double;
mod single;

/// The same kind of result: NaN for NaN, the same infinity or zero with its sign, or nearly the same number.
fn agree(got: f64, want: f64) -> bool {
    match want {
        _ if want.is_nan() => got.is_nan(),
        _ if want == 0.0 || want.is_infinite() => got.to_bits() == want.to_bits(),
        _ => (got - want).abs() <= 1e-6 * want.abs(),
    }
}

macro_rules! agree_at_special_values {
    ($($name:ident: $reference:expr;)*) => { $(
        let reference: fn(f64) -> f64 = $reference;
        for x in [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            let want = reference(x);
            let results = [
                Mathematics::$name::<false>(x),
                Mathematics::$name::<true>(x),
                f64::from(Mathematics::$name::<false>(x as f32)),
                f64::from(Mathematics::$name::<true>(x as f32)),
            ];
            for got in results {
                assert!(agree(got, want), "{}({x}) = {got}, not {want}", stringify!($name));
            }
        }
    )* };
}

#[test]
fn zeros_infinities_and_nan() {
    agree_at_special_values! {
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
        asinh: f64::asinh;
        acosh: f64::acosh;
        atanh: f64::atanh;
        erf: libm::erf;
        erfc: libm::erfc;
        sigmoid: |x| 1.0 / (1.0 + (-x).exp());
    }
}

#[test]
fn powers_and_angles_of_zeros_infinities_and_nan() {
    let special = [0.0, 0.5, 1.0, 2.0, 3.0, f64::INFINITY, f64::NAN];
    let special: Vec<f64> = special.iter().flat_map(|&x| [x, -x]).collect();
    for &x in &special {
        for &y in &special {
            for (name, got, want) in [
                ("powf", Mathematics::powf::<false>(x, y), x.powf(y)),
                ("powf", Mathematics::powf::<false>(x as f32, y as f32).into(), x.powf(y)),
                ("atan2", Mathematics::atan2::<false>(x, y), x.atan2(y)),
                ("atan2", Mathematics::atan2::<false>(x as f32, y as f32).into(), x.atan2(y)),
                ("hypot", Mathematics::hypot::<false>(x, y), x.hypot(y)),
                ("hypot", Mathematics::hypot::<false>(x as f32, y as f32).into(), x.hypot(y)),
            ] {
                assert!(agree(got, want), "{name}({x}, {y}) = {got}, not {want}");
            }
        }
    }
}
