//! The elementary functions as methods, generated from one list: documentation, example and formula of each.

use super::{
    elementwise::{apply_at, one},
    registry::samples,
};
use crate::{
    graph::{Variable, mode::line, op::Line},
    scalar::{Float, float::compiled, formula::elementary},
};

/// `name = formula, example argument => its value, on the interval that samples are drawn from;` with the documentation
/// above. The interval lies within the domain, samples keep away from the kinks in `except`, and `also` is the name that
/// PyTorch has for the function where Rust's is another.
macro_rules! functions {
    ($(
        $(#[$doc:meta])*
        pub fn $name:ident = $formula:ident, $argument:literal => $value:literal,
            on $low:literal..$high:literal $(except [$($kink:literal),*])? $(, also $pytorch:literal)?;
    )*) => {
        impl<T: Float> Variable<T> {$(
            $(#[$doc])*
            ///
            /// Elementwise; the result has the shape of `self`.
            /// ```
            #[doc = concat!("let y = wengert_autograd::Variable::from(", stringify!($argument), "_f64).", stringify!($name), "();")]
            #[doc = concat!("assert!((y.item() - ", stringify!($value), ").abs() < 1e-9);")]
            /// ```
            #[track_caller]
            pub fn $name(&self) -> Variable<T> {
                fn run<T: Float>(x: &Variable<T>, line: Line) -> Variable<T> {
                    one(apply_at(elementary::$formula, [x], line))
                }
                let (x, line) = (self, line());
                compiled!(run(x: &Variable<T>, line: Line) -> Variable<T>)
            }
        )*}

        samples! {$(
            $name {
                "a matrix" (x: between($low, $high, &[$($($kink),*)?], [2, 3])) => x.$name(), elementwise;
            }
        )*}

        /// The entries of the registry.
        #[cfg(feature = "check")]
        pub(crate) fn entries() -> Vec<crate::check::Entry> {
            vec![$(crate::check::Entry::new([$($pytorch,)? stringify!($name)][0], samples::$name)),*]
        }
    };
}

functions! {
    /// −x. Slope −1.
    pub fn neg = neg, 0.5 => -0.5, on -2.0..2.0;
    /// |x|. Slope sign(x): 0 at 0.
    pub fn abs = abs, -0.5 => 0.5, on -2.0..2.0 except [0.0];
    /// −1, 0 or 1, and 0 for NaN. Slope 0.
    pub fn sign = sign, -0.5 => -1.0, on -2.0..2.0 except [0.0];
    /// eˣ. Slope eˣ.
    pub fn exp = exp, 0.5 => 1.6487212707001282, on -2.0..2.0;
    /// 2ˣ. Slope 2ˣ·ln 2.
    pub fn exp2 = exp2, 0.5 => 1.4142135623730951, on -2.0..2.0;
    /// eˣ − 1, exact to the last bits near 0. Slope eˣ.
    pub fn expm1 = expm1, 0.5 => 0.6487212707001282, on -2.0..2.0;
    /// The natural logarithm; NaN below 0. Slope 1/x.
    pub fn ln = ln, 0.5 => -0.6931471805599453, on 0.5..3.0, also "log";
    /// ln(1 + x), exact to the last bits near 0. Slope 1/(1 + x).
    pub fn ln_1p = ln_1p, 0.5 => 0.4054651081081644, on -0.5..3.0, also "log1p";
    /// The logarithm to base 2. Slope 1/(x·ln 2).
    pub fn log2 = log2, 0.5 => -1.0, on 0.5..3.0;
    /// The logarithm to base 10. Slope 1/(x·ln 10).
    pub fn log10 = log10, 0.5 => -0.3010299956639812, on 0.5..3.0;
    /// √x; NaN below 0. Slope 1/(2√x): ∞ at 0.
    pub fn sqrt = sqrt, 0.25 => 0.5, on 0.5..3.0;
    /// 1/√x. Slope −1/(2x√x).
    pub fn rsqrt = rsqrt, 0.25 => 2.0, on 0.5..3.0;
    /// x². Slope 2x.
    pub fn square = square, 0.5 => 0.25, on -2.0..2.0;
    /// 1/x. Slope −1/x².
    pub fn reciprocal = reciprocal, 0.5 => 2.0, on 0.5..3.0;
    /// The sine of x radians. Slope cos x.
    pub fn sin = sin, 0.5 => 0.479425538604203, on -2.0..2.0;
    /// The cosine of x radians. Slope −sin x.
    pub fn cos = cos, 0.5 => 0.8775825618903728, on -2.0..2.0;
    /// The tangent of x radians. Slope 1 + tan² x.
    pub fn tan = tan, 0.5 => 0.5463024898437905, on -1.2..1.2;
    /// The angle in [−π/2, π/2] whose sine is x. Slope 1/√(1 − x²).
    pub fn asin = asin, 0.5 => 0.5235987755982989, on -0.8..0.8;
    /// The angle in [0, π] whose cosine is x. Slope −1/√(1 − x²).
    pub fn acos = acos, 0.5 => 1.0471975511965979, on -0.8..0.8;
    /// The angle in (−π/2, π/2) whose tangent is x. Slope 1/(1 + x²).
    pub fn atan = atan, 0.5 => 0.4636476090008061, on -2.0..2.0;
    /// (eˣ − e⁻ˣ)/2. Slope cosh x.
    pub fn sinh = sinh, 0.5 => 0.5210953054937474, on -2.0..2.0;
    /// (eˣ + e⁻ˣ)/2. Slope sinh x.
    pub fn cosh = cosh, 0.5 => 1.1276259652063807, on -2.0..2.0;
    /// sinh(x)/cosh(x). Slope 1 − tanh² x.
    pub fn tanh = tanh, 0.5 => 0.46211715726000973, on -2.0..2.0;
    /// The inverse of sinh. Slope 1/√(x² + 1).
    pub fn asinh = asinh, 0.5 => 0.48121182505960347, on -2.0..2.0;
    /// The inverse of cosh; NaN below 1. Slope 1/√(x² − 1).
    pub fn acosh = acosh, 1.5 => 0.9624236501192069, on 1.5..3.0;
    /// The inverse of tanh; NaN outside [−1, 1]. Slope 1/(1 − x²).
    pub fn atanh = atanh, 0.5 => 0.5493061443340549, on -0.8..0.8;
    /// The error function 2/√π · ∫₀ˣ e^(−t²) dt. Slope 2/√π · e^(−x²).
    pub fn erf = erf, 0.5 => 0.5204998778130465, on -2.0..2.0;
    /// 1 − erf(x), without cancellation. Slope −2/√π · e^(−x²).
    pub fn erfc = erfc, 0.5 => 0.4795001221869535, on -2.0..2.0;
    /// The logistic function σ(x) = 1/(1 + e⁻ˣ). Slope σ(x)·(1 − σ(x)).
    pub fn sigmoid = sigmoid, 0.5 => 0.6224593312018546, on -2.0..2.0;
    /// ln(1 + eˣ), without overflow. Slope σ(x).
    pub fn softplus = softplus, 0.5 => 0.9740769841801067, on -2.0..2.0;
    /// max(x, 0); NaN passes. Slope 1 above 0, and 0 at 0 and below.
    pub fn relu = relu, 0.5 => 0.5, on -2.0..2.0 except [0.0];
    /// The largest integer ≤ x. Slope 0.
    pub fn floor = floor, 0.5 => 0.0, on -1.8..1.8 except [-1.0, 0.0, 1.0];
    /// The smallest integer ≥ x. Slope 0.
    pub fn ceil = ceil, 0.5 => 1.0, on -1.8..1.8 except [-1.0, 0.0, 1.0];
    /// The nearest integer, halves to the even one. Slope 0.
    pub fn round = round, 0.5 => 0.0, on -2.0..2.0 except [-1.5, -0.5, 0.5, 1.5];
    /// x without its fraction. Slope 0.
    pub fn trunc = trunc, 0.5 => 0.0, on -1.8..1.8 except [-1.0, 0.0, 1.0];
}
