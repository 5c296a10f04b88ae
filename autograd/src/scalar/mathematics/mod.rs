//! Elementary functions of one number, written so that a loop over them becomes vector code.
//!
//! ```text
//! #[target_feature(enable = "avx2,fma")]
//! fn tanh_avx2(x: &mut [f32]) {
//!     for x in x {
//!         *x = Mathematics::tanh::<true>(*x); // eight lanes at a time
//!     }
//! }
//! ```
//!
//! A call of the system's `tanhf` handles one number and cannot be inlined, so a loop over it costs 15 ns an
//! element; the functions here cost about 1 ns. They are plain scalar Rust without branches or calls:
//! special cases are selected, not branched to, so that the compiler turns a loop over them into whatever vector
//! width the enclosing function was compiled for. That is why all of them are `#[inline(always)]`: the same body
//! serves the baseline, AVX2 and AVX-512.
//!
//! The `FMA` parameter says whether the enclosing function was compiled with hardware fused multiply-add. Without
//! that feature, [`f32::mul_add`] is a call into the C library for each element, so the bodies only use it where
//! `FMA` is true. Both bodies keep within 2 ulp of the true value over the whole range of arguments, subnormal
//! ones included.

mod compensated;
mod double;
mod error_function;
mod exponential;
mod hyperbolic;
mod inverse_trigonometric;
mod logarithm;
mod polynomial;
mod power;
mod single;
#[cfg(test)]
mod tests;
mod trigonometric;

/// Elementary functions of one element, branch-free so that a loop over them vectorises under run-time SIMD
/// dispatch.
///
/// Call them as `Mathematics::exp::<FMA>(x)`. None is a method, so that in generic code of users `x.exp()` means that of
/// [`num_traits::Float`], which [`Float`](super::Float) includes too. `FMA` may only be true inside functions that are compiled with
/// the target feature `fma`; it changes speed and the last bit, never meaning.
///
/// Everywhere, NaN gives NaN, and the odd functions keep the sign of a zero.
pub trait Mathematics: Copy {
    /// `a * b + c`, rounded once when `FMA` holds and twice otherwise.
    fn fma<const FMA: bool>(a: Self, b: Self, c: Self) -> Self;

    /// The exponential `e^x`; subnormal below -87.3 (f32) or -708.4 (f64), and ∞ where it overflows.
    fn exp<const FMA: bool>(x: Self) -> Self;
    /// The power of two `2^x`; exact for integers.
    fn exp2<const FMA: bool>(x: Self) -> Self;
    /// `e^x - 1`, without cancellation near zero.
    fn expm1<const FMA: bool>(x: Self) -> Self;
    /// The natural logarithm: -∞ at zero, NaN for negative arguments.
    fn ln<const FMA: bool>(x: Self) -> Self;
    /// `ln(1 + x)`, without rounding `1 + x`: -∞ at -1, NaN below.
    fn ln_1p<const FMA: bool>(x: Self) -> Self;
    /// The logarithm to base 2; exact for powers of two.
    fn log2<const FMA: bool>(x: Self) -> Self;
    /// The logarithm to base 10.
    fn log10<const FMA: bool>(x: Self) -> Self;

    /// The sine of an angle in radians; NaN at ±∞.
    fn sin<const FMA: bool>(x: Self) -> Self;
    /// The cosine of an angle in radians; NaN at ±∞.
    fn cos<const FMA: bool>(x: Self) -> Self;
    /// The tangent of an angle in radians; NaN at ±∞.
    fn tan<const FMA: bool>(x: Self) -> Self;
    /// The arc sine, in `[-π/2, π/2]`; NaN outside `[-1, 1]`.
    fn asin<const FMA: bool>(x: Self) -> Self;
    /// The arc cosine, in `[0, π]`; NaN outside `[-1, 1]`.
    fn acos<const FMA: bool>(x: Self) -> Self;
    /// The arc tangent, in `[-π/2, π/2]`.
    fn atan<const FMA: bool>(x: Self) -> Self;
    /// The angle of the point `(x, y)`, in `[-π, π]`: `atan(y / x)` in the right quadrant.
    fn atan2<const FMA: bool>(y: Self, x: Self) -> Self;

    /// The hyperbolic sine.
    fn sinh<const FMA: bool>(x: Self) -> Self;
    /// The hyperbolic cosine.
    fn cosh<const FMA: bool>(x: Self) -> Self;
    /// The hyperbolic tangent.
    fn tanh<const FMA: bool>(x: Self) -> Self;
    /// The inverse hyperbolic sine.
    fn asinh<const FMA: bool>(x: Self) -> Self;
    /// The inverse hyperbolic cosine; NaN below 1.
    fn acosh<const FMA: bool>(x: Self) -> Self;
    /// The inverse hyperbolic tangent: ±∞ at ±1, NaN beyond.
    fn atanh<const FMA: bool>(x: Self) -> Self;

    /// The error function `2/√π ∫₀ˣ exp(-t²) dt`.
    fn erf<const FMA: bool>(x: Self) -> Self;
    /// The complementary error function `1 - erf(x)`, accurate relative to its own size in the tail.
    fn erfc<const FMA: bool>(x: Self) -> Self;
    /// The logistic function `1 / (1 + e^-x)`, accurate relative to its own size in both tails.
    fn sigmoid<const FMA: bool>(x: Self) -> Self;

    /// The power `x^y`, with the special cases of C's `pow`: `x^0` and `1^y` are 1 even for NaN, and a negative
    /// base has a power only for integer `y`.
    fn powf<const FMA: bool>(x: Self, y: Self) -> Self;
    /// The length `√(x² + y²)`, without overflow or underflow in between; ∞ when either is infinite.
    fn hypot<const FMA: bool>(x: Self, y: Self) -> Self;
    /// The square root, correctly rounded; NaN for negative arguments.
    fn sqrt(x: Self) -> Self;

    /// The largest integer not above `x`.
    fn floor(x: Self) -> Self;
    /// The smallest integer not below `x`.
    fn ceil(x: Self) -> Self;
    /// The integer part: `x` rounded towards zero.
    fn trunc(x: Self) -> Self;
    /// The nearest integer; of two equally near ones the even one.
    fn round_ties_even(x: Self) -> Self;
    /// The absolute value.
    fn abs(x: Self) -> Self;
    /// The magnitude of `x` with the sign of `sign`.
    fn copysign(x: Self, sign: Self) -> Self;
}
