//! Dual numbers: a value and its slopes, the whole of forward mode.
//!
//! `(x, ẋ)` stands for `x + ẋ·ε` with ε² = 0 (W. K. Clifford, 1873). Computing with such numbers carries the chain rule
//! along, so a formula evaluated on duals is its own derivative, and no rule is written for it.
//!
//! ```
//! use wengert_autograd::scalar::{Dual, Real};
//!
//! let [x, y] = Dual::variables([3.0, 4.0]);
//! let z = x * y + x.square();
//! assert_eq!((z.value(), z.slopes()), (21.0, [10.0, 3.0])); // ∂z/∂x = y + 2x, ∂z/∂y = x
//! ```
//!
//! Slopes are [`Slope`]s: a zero or a one that is so by *structure* is folded away, a computed number that happens to be
//! 0 never is. Without this, `x·c` at x = ∞ has the slope `∞·0 + c = NaN` where the rule says `c`; with it the loop also
//! has less to do.

use super::{
    Real,
    table::{binary_functions, c, power_slope_in_base, power_slope_in_exponent, share, unary_functions},
};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A slope: structurally zero, structurally one, or a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slope<R> {
    /// The value does not depend on the variable.
    Zero,
    /// The value is the variable.
    One,
    /// The value changes by this much per unit.
    Is(R),
}

impl<R: Real> Slope<R> {
    /// The slope as a number.
    #[inline(always)]
    pub fn get(self) -> R {
        match self {
            Slope::Zero => c(0.0),
            Slope::One => c(1.0),
            Slope::Is(slope) => slope,
        }
    }
    #[inline(always)]
    pub(crate) fn scale(self, by: R) -> Self {
        match self {
            Slope::Zero => Slope::Zero,
            Slope::One => Slope::Is(by),
            Slope::Is(slope) => Slope::Is(slope * by),
        }
    }
    #[inline(always)]
    fn negate(self) -> Self {
        match self {
            Slope::Zero => Slope::Zero,
            slope => Slope::Is(-slope.get()),
        }
    }
    #[inline(always)]
    pub(crate) fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Slope::Zero, b) => b,
            (a, Slope::Zero) => a,
            (a, b) => Slope::Is(a.get() + b.get()),
        }
    }
    #[inline(always)]
    fn select(mask: R::Mask, yes: Self, no: Self) -> Self {
        match (yes, no) {
            (Slope::Zero, Slope::Zero) => Slope::Zero,
            (Slope::One, Slope::One) => Slope::One,
            (yes, no) => Slope::Is(R::select(mask, yes.get(), no.get())),
        }
    }
    /// slope · g, the contribution to a cotangent.
    #[inline(always)]
    pub(crate) fn times(self, g: R) -> Slope<R> {
        match self {
            Slope::Zero => Slope::Zero,
            Slope::One => Slope::Is(g),
            Slope::Is(slope) => Slope::Is(slope * g),
        }
    }
}

/// A value with its slopes along `N` variables.
#[derive(Clone, Copy, Debug)]
pub struct Dual<R, const N: usize = 1> {
    pub(crate) value: R,
    pub(crate) slopes: [Slope<R>; N],
}

/// An array computed index by index with plain loops: closures in `array::from_fn` are not always inlined into
/// functions with target features, and then nothing vectorises.
macro_rules! each {
    ($n:ident, $i:ident => $value:expr) => {{
        let mut slopes = [Slope::Zero; $n];
        let mut $i = 0;
        while $i < $n {
            slopes[$i] = $value;
            $i += 1;
        }
        slopes
    }};
}

impl<R: Real> Dual<R, 1> {
    /// The variable itself: slope 1.
    pub fn variable(value: R) -> Self {
        Dual { value, slopes: [Slope::One] }
    }
    /// dy/dx.
    pub fn slope(self) -> R {
        self.slopes[0].get()
    }
}

impl<R: Real, const N: usize> Dual<R, N> {
    /// `N` variables, each with slope 1 along itself.
    pub fn variables(values: [R; N]) -> [Self; N] {
        std::array::from_fn(|i| Self::seed(values[i], i))
    }
    /// A value along variable `i`.
    #[inline(always)]
    pub(crate) fn seed(value: R, i: usize) -> Self {
        Dual { value, slopes: each!(N, k => if i == k { Slope::One } else { Slope::Zero }) }
    }
    /// A value with the given slopes: a direction to differentiate along.
    pub fn with_slopes(value: R, slopes: [R; N]) -> Self {
        Dual { value, slopes: each!(N, i => Slope::Is(slopes[i])) }
    }
    /// The value.
    pub fn value(self) -> R {
        self.value
    }
    /// The slopes, as numbers.
    pub fn slopes(self) -> [R; N] {
        std::array::from_fn(|i| self.slopes[i].get())
    }
    /// The chain rule for a function of one argument.
    #[inline(always)]
    fn chain(self, value: R, slope: R) -> Self {
        Dual { value, slopes: each!(N, i => self.slopes[i].scale(slope)) }
    }
    /// The chain rule for a function of two arguments.
    #[inline(always)]
    fn chain2(self, other: Self, value: R, a: R, b: R) -> Self {
        Dual { value, slopes: each!(N, i => self.slopes[i].scale(a).plus(other.slopes[i].scale(b))) }
    }
    #[inline(always)]
    fn flat(value: R) -> Self {
        Dual { value, slopes: [Slope::Zero; N] }
    }
}

impl<R: Real, const N: usize> Add for Dual<R, N> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Dual { value: self.value + other.value, slopes: each!(N, i => self.slopes[i].plus(other.slopes[i])) }
    }
}
impl<R: Real, const N: usize> Sub for Dual<R, N> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Dual {
            value: self.value - other.value,
            slopes: each!(N, i => match (self.slopes[i], other.slopes[i]) {
                (a, Slope::Zero) => a,
                (Slope::Zero, b) => b.negate(),
                (a, b) => Slope::Is(a.get() - b.get()),
            }),
        }
    }
}
impl<R: Real, const N: usize> Mul for Dual<R, N> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.chain2(other, self.value * other.value, other.value, self.value)
    }
}
impl<R: Real, const N: usize> Div for Dual<R, N> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let (a, b) = (self.value, other.value);
        let y = a / b;
        let slopes = each!(N, i => match (self.slopes[i], other.slopes[i]) {
            (slope, Slope::Zero) => match slope { Slope::Zero => Slope::Zero, slope => Slope::Is(slope.get() / b) },
            (slope, other) => slope.scale(c::<R>(1.0) / b).plus(other.scale(-(a / (b * b)))),
        });
        Dual { value: y, slopes }
    }
}
impl<R: Real, const N: usize> Neg for Dual<R, N> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Dual { value: -self.value, slopes: each!(N, i => self.slopes[i].negate()) }
    }
}

macro_rules! dual_methods {
    () => {};
    ($name:ident($x:ident, $y:ident) => zero; $($rest:tt)*) => {
        #[inline(always)]
        fn $name(self) -> Self {
            Self::flat(self.value.$name())
        }
        dual_methods! { $($rest)* }
    };
    ($name:ident($x:ident, $y:ident) => $slope:expr; $($rest:tt)*) => {
        #[inline(always)]
        #[allow(unused_variables)]
        fn $name(self) -> Self {
            let ($x, $y) = (self.value, self.value.$name());
            self.chain($y, $slope)
        }
        dual_methods! { $($rest)* }
    };
}
macro_rules! dual_binary {
    ($($name:ident($a:ident, $b:ident, $y:ident) => $slope_a:expr, $slope_b:expr;)*) => {$(
        #[inline(always)]
        #[allow(unused_variables)]
        fn $name(self, other: Self) -> Self {
            let ($a, $b) = (self.value, other.value);
            let $y = $a.$name($b);
            self.chain2(other, $y, $slope_a, $slope_b)
        }
    )*};
}

impl<R: Real, const N: usize> Real for Dual<R, N> {
    type Mask = R::Mask;

    #[inline(always)]
    fn constant(value: f64) -> Self {
        Self::flat(c(value))
    }
    unary_functions!(dual_methods);
    binary_functions!(dual_binary);

    #[inline(always)]
    fn lt(self, other: Self) -> R::Mask {
        self.value.lt(other.value)
    }
    #[inline(always)]
    fn le(self, other: Self) -> R::Mask {
        self.value.le(other.value)
    }
    #[inline(always)]
    fn eq(self, other: Self) -> R::Mask {
        self.value.eq(other.value)
    }
    #[inline(always)]
    fn select(mask: R::Mask, yes: Self, no: Self) -> Self {
        Dual {
            value: R::select(mask, yes.value, no.value),
            slopes: each!(N, i => Slope::select(mask, yes.slopes[i], no.slopes[i])),
        }
    }
}
