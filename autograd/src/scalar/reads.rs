//! What a derivative reads, derived from the formula rather than declared beside it.
//!
//! A [`Reads`] is the set of things that a number was computed from. Evaluating the pullback of a formula on such sets
//! tells which inputs and outputs the backward pass will look at, so exactly those are kept: `a + b` keeps nothing,
//! `a · b` keeps the other operand, `tanh(x)` its output. It also notices when a cotangent passes through unchanged, so
//! that the engine hands it on without a loop.

use super::{Formula, Real, Slope, table::unary_functions};
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

/// A set of inputs, outputs and cotangents, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reads {
    bits: u32,
    /// This number *is* the one thing in `bits`, not computed from it.
    itself: bool,
}

impl Reads {
    const NOTHING: Reads = Reads { bits: 0, itself: false };

    #[inline(always)]
    fn only(bit: usize) -> Self {
        Reads { bits: 1 << bit, itself: true }
    }
    #[inline(always)]
    fn with(self, other: Self) -> Self {
        Reads { bits: self.bits | other.bits, itself: false }
    }
    #[inline(always)]
    fn computed(self) -> Self {
        Reads { bits: self.bits, itself: false }
    }
}

/// What the cotangent of an input of a formula with `N` inputs and `M` outputs depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dependence {
    /// The bits of the inputs (0..N) and outputs (N..N+M) that it reads.
    pub(crate) reads: u32,
    /// The output whose cotangent it gets unchanged.
    pub(crate) passes: Option<u8>,
}

/// Reads the pullback of `formula`.
#[inline(always)]
pub(crate) fn dependence<F: Formula<N, M>, const N: usize, const M: usize>(formula: &F) -> [Dependence; N] {
    let (mut x, mut y, mut g) = ([Reads::NOTHING; N], [Reads::NOTHING; M], [Reads::NOTHING; M]);
    for i in 0..N {
        x[i] = Reads::only(i);
    }
    for j in 0..M {
        y[j] = Reads::only(N + j);
        g[j] = Reads::only(N + M + j);
    }
    let cotangents = formula.pullback(x, y, g);
    let mut found = [Dependence::default(); N];
    for i in 0..N {
        if let Slope::Is(read) = cotangents[i] {
            found[i].reads = read.bits & ((1 << (N + M)) - 1);
            if read.itself {
                found[i].passes = Some((read.bits.trailing_zeros() as usize - N - M) as u8);
            }
        }
    }
    found
}

macro_rules! union {
    ($($operator:ident $method:ident)*) => {$(
        impl $operator for Reads {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.with(other)
            }
        }
    )*};
}
union!(Add add Sub sub Mul mul Div div BitAnd bitand BitOr bitor);

impl Neg for Reads {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.computed()
    }
}
impl Not for Reads {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        self.computed()
    }
}

macro_rules! computed {
    ($($name:ident($x:ident, $y:ident) => $slope:expr;)*) => {$(
        #[inline(always)]
        fn $name(self) -> Self {
            self.computed()
        }
    )*};
}
macro_rules! joined {
    ($($name:ident)*) => {$(
        #[inline(always)]
        fn $name(self, other: Self) -> Self {
            self.with(other)
        }
    )*};
}

impl Real for Reads {
    type Mask = Self;
    #[inline(always)]
    fn constant(_: f64) -> Self {
        Self::NOTHING
    }
    unary_functions!(computed);
    joined!(powf atan2 hypot rem max min lt le eq);
    #[inline(always)]
    fn select(mask: Self, yes: Self, no: Self) -> Self {
        mask.with(yes).with(no)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::formula::elementary;

    #[test]
    fn rules_read_what_they_must_and_no_more() {
        let passing = Dependence { reads: 0, passes: Some(0) };
        let reading = |reads| Dependence { reads, passes: None };
        assert_eq!(dependence(&elementary::add), [passing, passing]);
        assert_eq!(dependence(&elementary::sub), [passing, reading(0)]);
        assert_eq!(dependence(&elementary::mul), [reading(0b10), reading(0b01)]);
        assert_eq!(dependence(&elementary::div), [reading(0b10), reading(0b11)]);
        assert_eq!(dependence(&elementary::tanh), [reading(0b10)]);
        assert_eq!(dependence(&elementary::sin), [reading(0b01)]);
        assert_eq!(dependence(&elementary::floor), [reading(0)]);
    }
}
