//! The functions for `f64`.

use super::{
    Mathematics, error_function, exponential, hyperbolic, inverse_trigonometric, logarithm, trigonometric,
};

impl Mathematics for f64 {
    #[inline(always)]
    fn fma<const FMA: bool>(a: Self, b: Self, c: Self) -> Self {
        if FMA { a.mul_add(b, c) } else { a * b + c }
    }

    #[inline(always)]
    fn exp<const FMA: bool>(x: Self) -> Self {
        exponential::exp_f64::<FMA>(x)
    }

    #[inline(always)]
    fn exp2<const FMA: bool>(x: Self) -> Self {
        exponential::exp2_f64::<FMA>(x)
    }

    #[inline(always)]
    fn ln<const FMA: bool>(x: Self) -> Self {
        logarithm::ln_f64::<FMA>(x)
    }

    #[inline(always)]
    fn log2<const FMA: bool>(x: Self) -> Self {
        logarithm::log2_f64::<FMA>(x)
    }

    #[inline(always)]
    fn log10<const FMA: bool>(x: Self) -> Self {
        logarithm::log10_f64::<FMA>(x)
    }

    #[inline(always)]
    fn sin<const FMA: bool>(x: Self) -> Self {
        trigonometric::sin_f64::<FMA>(x)
    }

    #[inline(always)]
    fn cos<const FMA: bool>(x: Self) -> Self {
        trigonometric::cos_f64::<FMA>(x)
    }

    #[inline(always)]
    fn tan<const FMA: bool>(x: Self) -> Self {
        trigonometric::tan_f64::<FMA>(x)
    }

    #[inline(always)]
    fn asin<const FMA: bool>(x: Self) -> Self {
        inverse_trigonometric::asin_f64::<FMA>(x)
    }

    #[inline(always)]
    fn acos<const FMA: bool>(x: Self) -> Self {
        inverse_trigonometric::acos_f64::<FMA>(x)
    }

    #[inline(always)]
    fn atan<const FMA: bool>(x: Self) -> Self {
        inverse_trigonometric::atan_f64::<FMA>(x)
    }

    #[inline(always)]
    fn sinh<const FMA: bool>(x: Self) -> Self {
        hyperbolic::sinh_f64::<FMA>(x)
    }

    #[inline(always)]
    fn cosh<const FMA: bool>(x: Self) -> Self {
        hyperbolic::cosh_f64::<FMA>(x)
    }

    #[inline(always)]
    fn tanh<const FMA: bool>(x: Self) -> Self {
        hyperbolic::tanh_f64::<FMA>(x)
    }

    #[inline(always)]
    fn asinh<const FMA: bool>(x: Self) -> Self {
        hyperbolic::asinh_f64::<FMA>(x)
    }

    #[inline(always)]
    fn acosh<const FMA: bool>(x: Self) -> Self {
        hyperbolic::acosh_f64::<FMA>(x)
    }

    #[inline(always)]
    fn atanh<const FMA: bool>(x: Self) -> Self {
        hyperbolic::atanh_f64::<FMA>(x)
    }

    #[inline(always)]
    fn expm1<const FMA: bool>(x: Self) -> Self {
        exponential::expm1_f64::<FMA>(x)
    }

    #[inline(always)]
    fn ln_1p<const FMA: bool>(x: Self) -> Self {
        logarithm::ln_1p_f64::<FMA>(x)
    }

    #[inline(always)]
    fn erf<const FMA: bool>(x: Self) -> Self {
        error_function::erf_f64::<FMA>(x)
    }

    #[inline(always)]
    fn erfc<const FMA: bool>(x: Self) -> Self {
        error_function::erfc_f64::<FMA>(x)
    }

    #[inline(always)]
    fn sigmoid<const FMA: bool>(x: Self) -> Self {
        exponential::sigmoid_f64::<FMA>(x)
    }

    #[inline(always)]
    fn atan2<const FMA: bool>(y: Self, x: Self) -> Self {
        inverse_trigonometric::atan2_f64::<FMA>(y, x)
    }

    #[inline(always)]
    fn powf<const FMA: bool>(x: Self, y: Self) -> Self {
        f64::powf(x, y)
    }

    #[inline(always)]
    fn hypot<const FMA: bool>(x: Self, y: Self) -> Self {
        f64::hypot(x, y)
    }

    #[inline(always)]
    fn sqrt(x: Self) -> Self {
        f64::sqrt(x)
    }

    #[inline(always)]
    fn floor(x: Self) -> Self {
        f64::floor(x)
    }

    #[inline(always)]
    fn ceil(x: Self) -> Self {
        f64::ceil(x)
    }

    #[inline(always)]
    fn trunc(x: Self) -> Self {
        f64::trunc(x)
    }

    #[inline(always)]
    fn round_ties_even(x: Self) -> Self {
        f64::round_ties_even(x)
    }

    #[inline(always)]
    fn abs(x: Self) -> Self {
        f64::abs(x)
    }

    #[inline(always)]
    fn copysign(x: Self, sign: Self) -> Self {
        f64::copysign(x, sign)
    }
}
