//! Plain numbers as [`Real`]: `f32` and `f64` themselves, and [`Lane`], one element of a vectorised loop.
//!
//! A loop over a formula of `Lane`s is compiled several times, for the baseline instruction set, for AVX2 with FMA and,
//! of `f32`, for AVX-512; the loop is scalar code that the compiler vectorises. `FMA` tells the elementary functions whether the
//! caller may use fused multiply-add: where it is not an instruction, `mul_add` is a library call per element.

use super::{Float, Real, mathematics::Mathematics, table::unary_functions};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// One element in a loop compiled with (`FMA`) or without fused multiply-add.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Lane<T, const FMA: bool>(pub T);

macro_rules! arithmetic {
    ($($operator:ident $method:ident),*) => {$(
        impl<T: Float, const FMA: bool> $operator for Lane<T, FMA> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Lane($operator::$method(self.0, other.0))
            }
        }
    )*};
}
arithmetic!(Add add, Sub sub, Mul mul, Div div);

impl<T: Float, const FMA: bool> Neg for Lane<T, FMA> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Lane(-self.0)
    }
}

/// The functions of the table that [`Mathematics`] has under the same name, and the others in terms of those.
mod value {
    use super::{Float, Mathematics};

    macro_rules! from_mathematics {
        ($($name:ident)*) => {$(
            #[inline(always)]
            pub(super) fn $name<T: Float, const FMA: bool>(x: T) -> T {
                Mathematics::$name::<FMA>(x)
            }
        )*};
    }
    from_mathematics!(exp exp2 expm1 ln ln_1p log2 log10 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh
        erf erfc sigmoid);

    macro_rules! exact {
        ($($name:ident)*) => {$(
            #[inline(always)]
            pub(super) fn $name<T: Float, const FMA: bool>(x: T) -> T {
                Mathematics::$name(x)
            }
        )*};
    }
    exact!(sqrt floor ceil trunc abs);

    #[inline(always)]
    pub(super) fn sign<T: Float, const FMA: bool>(x: T) -> T {
        let one = T::one();
        let magnitude = if x < T::zero() { -one } else { one };
        // Zero keeps its sign; NaN has none.
        if x == T::zero() {
            x
        } else if x.is_nan() {
            T::zero()
        } else {
            magnitude
        }
    }
    #[inline(always)]
    pub(super) fn rsqrt<T: Float, const FMA: bool>(x: T) -> T {
        T::one() / Mathematics::sqrt(x)
    }
    #[inline(always)]
    pub(super) fn square<T: Float, const FMA: bool>(x: T) -> T {
        x * x
    }
    #[inline(always)]
    pub(super) fn reciprocal<T: Float, const FMA: bool>(x: T) -> T {
        T::one() / x
    }
    #[inline(always)]
    pub(super) fn softplus<T: Float, const FMA: bool>(x: T) -> T {
        // ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|); the exponential cannot overflow.
        relu::<T, FMA>(x) + Mathematics::ln_1p::<FMA>(Mathematics::exp::<FMA>(-Mathematics::abs(x)))
    }
    #[inline(always)]
    pub(super) fn relu<T: Float, const FMA: bool>(x: T) -> T {
        if x <= T::zero() { T::zero() } else { x }
    }
    #[inline(always)]
    pub(super) fn round<T: Float, const FMA: bool>(x: T) -> T {
        Mathematics::round_ties_even(x)
    }
}

/// The larger (`LARGER`) or the smaller of two numbers, NaN if either is.
#[inline(always)]
fn extreme<T: Float, const LARGER: bool>(a: T, b: T) -> T {
    let chosen = if (LARGER && a < b) || (!LARGER && b < a) { b } else { a };
    if b.is_nan() { b } else { chosen }
}

macro_rules! lane_methods {
    ($($name:ident($x:ident, $y:ident) => $slope:expr;)*) => {$(
        #[inline(always)]
        fn $name(self) -> Self {
            Lane(value::$name::<T, FMA>(self.0))
        }
    )*};
}

impl<T: Float, const FMA: bool> Real for Lane<T, FMA> {
    type Mask = bool;

    #[inline(always)]
    fn constant(value: f64) -> Self {
        Lane(T::from_f64(value))
    }
    unary_functions!(lane_methods);
    #[inline(always)]
    fn powf(self, exponent: Self) -> Self {
        Lane(Mathematics::powf::<FMA>(self.0, exponent.0))
    }
    #[inline(always)]
    fn atan2(self, x: Self) -> Self {
        Lane(Mathematics::atan2::<FMA>(self.0, x.0))
    }
    #[inline(always)]
    fn hypot(self, other: Self) -> Self {
        Lane(Mathematics::hypot::<FMA>(self.0, other.0))
    }
    #[inline(always)]
    fn rem(self, divisor: Self) -> Self {
        Lane(self.0 % divisor.0)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Lane(extreme::<T, true>(self.0, other.0))
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Lane(extreme::<T, false>(self.0, other.0))
    }
    #[inline(always)]
    fn lt(self, other: Self) -> bool {
        self.0 < other.0
    }
    #[inline(always)]
    fn le(self, other: Self) -> bool {
        self.0 <= other.0
    }
    #[inline(always)]
    fn eq(self, other: Self) -> bool {
        self.0 == other.0
    }
    #[inline(always)]
    fn select(mask: bool, yes: Self, no: Self) -> Self {
        if mask { yes } else { no }
    }
}

/// Plain numbers read a formula as a lane without fused multiply-add, so that `swish(0.5)` just works.
macro_rules! plain_numbers {
    ($($t:ident)*) => {$(
        impl Real for $t {
            type Mask = bool;
            #[inline(always)]
            fn constant(value: f64) -> Self {
                value as $t
            }
            unary_functions!(plain_methods);
            plain_methods! { @binary $t powf atan2 hypot rem max min }
            #[inline(always)]
            fn lt(self, other: Self) -> bool {
                self < other
            }
            #[inline(always)]
            fn le(self, other: Self) -> bool {
                self <= other
            }
            #[inline(always)]
            fn eq(self, other: Self) -> bool {
                self == other
            }
            #[inline(always)]
            fn select(mask: bool, yes: Self, no: Self) -> Self {
                if mask { yes } else { no }
            }
        }
    )*};
}
macro_rules! plain_methods {
    (@binary $t:ident $($name:ident)*) => {$(
        #[inline(always)]
        fn $name(self, other: Self) -> Self {
            Real::$name(Lane::<$t, false>(self), Lane(other)).0
        }
    )*};
    ($($name:ident($x:ident, $y:ident) => $slope:expr;)*) => {$(
        #[inline(always)]
        fn $name(self) -> Self {
            value::$name::<Self, false>(self)
        }
    )*};
}
plain_numbers!(f32 f64);
