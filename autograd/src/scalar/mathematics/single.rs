//! The functions for `f32`.

use super::Mathematics;

impl Mathematics for f32 {
    #[inline(always)]
    fn fma<const FMA: bool>(a: Self, b: Self, c: Self) -> Self {
        if FMA { a.mul_add(b, c) } else { a * b + c }
    }

    #[inline(always)]
    fn exp<const FMA: bool>(self) -> Self {
        f32::exp(self)
    }

    #[inline(always)]
    fn exp2<const FMA: bool>(self) -> Self {
        f32::exp2(self)
    }

    #[inline(always)]
    fn ln<const FMA: bool>(self) -> Self {
        f32::ln(self)
    }

    #[inline(always)]
    fn log2<const FMA: bool>(self) -> Self {
        f32::log2(self)
    }

    #[inline(always)]
    fn log10<const FMA: bool>(self) -> Self {
        f32::log10(self)
    }

    #[inline(always)]
    fn sin<const FMA: bool>(self) -> Self {
        f32::sin(self)
    }

    #[inline(always)]
    fn cos<const FMA: bool>(self) -> Self {
        f32::cos(self)
    }

    #[inline(always)]
    fn tan<const FMA: bool>(self) -> Self {
        f32::tan(self)
    }

    #[inline(always)]
    fn asin<const FMA: bool>(self) -> Self {
        f32::asin(self)
    }

    #[inline(always)]
    fn acos<const FMA: bool>(self) -> Self {
        f32::acos(self)
    }

    #[inline(always)]
    fn atan<const FMA: bool>(self) -> Self {
        f32::atan(self)
    }

    #[inline(always)]
    fn sinh<const FMA: bool>(self) -> Self {
        f32::sinh(self)
    }

    #[inline(always)]
    fn cosh<const FMA: bool>(self) -> Self {
        f32::cosh(self)
    }

    #[inline(always)]
    fn tanh<const FMA: bool>(self) -> Self {
        f32::tanh(self)
    }

    #[inline(always)]
    fn asinh<const FMA: bool>(self) -> Self {
        f32::asinh(self)
    }

    #[inline(always)]
    fn acosh<const FMA: bool>(self) -> Self {
        f32::acosh(self)
    }

    #[inline(always)]
    fn atanh<const FMA: bool>(self) -> Self {
        f32::atanh(self)
    }

    #[inline(always)]
    fn expm1<const FMA: bool>(self) -> Self {
        f32::exp_m1(self)
    }

    #[inline(always)]
    fn ln_1p<const FMA: bool>(self) -> Self {
        f32::ln_1p(self)
    }

    #[inline(always)]
    fn erf<const FMA: bool>(self) -> Self {
        libm::erff(self)
    }

    #[inline(always)]
    fn erfc<const FMA: bool>(self) -> Self {
        libm::erfcf(self)
    }

    #[inline(always)]
    fn sigmoid<const FMA: bool>(self) -> Self {
        let e = f32::exp(-f32::abs(self));
        (if self < 0.0 { e } else { 1.0 }) / (1.0 + e)
    }

    #[inline(always)]
    fn atan2<const FMA: bool>(self, other: Self) -> Self {
        f32::atan2(self, other)
    }

    #[inline(always)]
    fn powf<const FMA: bool>(self, other: Self) -> Self {
        f32::powf(self, other)
    }

    #[inline(always)]
    fn hypot<const FMA: bool>(self, other: Self) -> Self {
        f32::hypot(self, other)
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
