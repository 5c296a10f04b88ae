//! The functions for `f32`.

use super::{
    Mathematics, error_function, exponential, hyperbolic, inverse_trigonometric, logarithm, power,
    trigonometric,
};

impl Mathematics for f32 {
    #[inline(always)]
    fn fma<const FMA: bool>(a: Self, b: Self, c: Self) -> Self {
        if FMA { a.mul_add(b, c) } else { a * b + c }
    }

    #[inline(always)]
    fn exp<const FMA: bool>(self) -> Self {
        exponential::exp_f32::<FMA>(self)
    }

    #[inline(always)]
    fn exp2<const FMA: bool>(self) -> Self {
        exponential::exp2_f32::<FMA>(self)
    }

    #[inline(always)]
    fn ln<const FMA: bool>(self) -> Self {
        logarithm::ln_f32::<FMA>(self)
    }

    #[inline(always)]
    fn log2<const FMA: bool>(self) -> Self {
        logarithm::log2_f32::<FMA>(self)
    }

    #[inline(always)]
    fn log10<const FMA: bool>(self) -> Self {
        logarithm::log10_f32::<FMA>(self)
    }

    #[inline(always)]
    fn sin<const FMA: bool>(self) -> Self {
        trigonometric::sin_f32::<FMA>(self)
    }

    #[inline(always)]
    fn cos<const FMA: bool>(self) -> Self {
        trigonometric::cos_f32::<FMA>(self)
    }

    #[inline(always)]
    fn tan<const FMA: bool>(self) -> Self {
        trigonometric::tan_f32::<FMA>(self)
    }

    #[inline(always)]
    fn asin<const FMA: bool>(self) -> Self {
        inverse_trigonometric::asin_f32::<FMA>(self)
    }

    #[inline(always)]
    fn acos<const FMA: bool>(self) -> Self {
        inverse_trigonometric::acos_f32::<FMA>(self)
    }

    #[inline(always)]
    fn atan<const FMA: bool>(self) -> Self {
        inverse_trigonometric::atan_f32::<FMA>(self)
    }

    #[inline(always)]
    fn sinh<const FMA: bool>(self) -> Self {
        hyperbolic::sinh_f32::<FMA>(self)
    }

    #[inline(always)]
    fn cosh<const FMA: bool>(self) -> Self {
        hyperbolic::cosh_f32::<FMA>(self)
    }

    #[inline(always)]
    fn tanh<const FMA: bool>(self) -> Self {
        hyperbolic::tanh_f32::<FMA>(self)
    }

    #[inline(always)]
    fn asinh<const FMA: bool>(self) -> Self {
        hyperbolic::asinh_f32::<FMA>(self)
    }

    #[inline(always)]
    fn acosh<const FMA: bool>(self) -> Self {
        hyperbolic::acosh_f32::<FMA>(self)
    }

    #[inline(always)]
    fn atanh<const FMA: bool>(self) -> Self {
        hyperbolic::atanh_f32::<FMA>(self)
    }

    #[inline(always)]
    fn expm1<const FMA: bool>(self) -> Self {
        exponential::expm1_f32::<FMA>(self)
    }

    #[inline(always)]
    fn ln_1p<const FMA: bool>(self) -> Self {
        logarithm::ln_1p_f32::<FMA>(self)
    }

    #[inline(always)]
    fn erf<const FMA: bool>(self) -> Self {
        error_function::erf_f32::<FMA>(self)
    }

    #[inline(always)]
    fn erfc<const FMA: bool>(self) -> Self {
        error_function::erfc_f32::<FMA>(self)
    }

    #[inline(always)]
    fn sigmoid<const FMA: bool>(self) -> Self {
        exponential::sigmoid_f32::<FMA>(self)
    }

    #[inline(always)]
    fn atan2<const FMA: bool>(self, other: Self) -> Self {
        inverse_trigonometric::atan2_f32::<FMA>(self, other)
    }

    #[inline(always)]
    fn powf<const FMA: bool>(self, other: Self) -> Self {
        power::powf_f32::<FMA>(self, other)
    }

    #[inline(always)]
    fn hypot<const FMA: bool>(self, other: Self) -> Self {
        power::hypot_f32(self, other)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }

    #[inline(always)]
    fn floor(self) -> Self {
        f32::floor(self)
    }

    #[inline(always)]
    fn ceil(self) -> Self {
        f32::ceil(self)
    }

    #[inline(always)]
    fn trunc(self) -> Self {
        f32::trunc(self)
    }

    #[inline(always)]
    fn round_ties_even(self) -> Self {
        f32::round_ties_even(self)
    }

    #[inline(always)]
    fn abs(self) -> Self {
        f32::abs(self)
    }

    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        f32::copysign(self, sign)
    }
}
