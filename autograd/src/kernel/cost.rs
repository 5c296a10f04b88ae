//! How long a formula takes an element, estimated from the formula itself.
//!
//! The estimate only decides whether a second thread pays, so it may be off by a factor; what matters is that nobody has
//! to write it down beside a formula and keep it right.

use crate::scalar::{Formula, Real, Slope, table::unary_functions};
use std::{
    cell::Cell,
    ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub},
};

/// Nanoseconds that memory takes an element even when the arithmetic is nothing.
const MEMORY: f64 = 0.15;
/// Nanoseconds for an addition in a vectorised loop, and for an elementary function.
const ARITHMETIC: f64 = 0.03;
const FUNCTION: f64 = 0.5;

pub(crate) fn of_forward<F: Formula<N, M>, const N: usize, const M: usize>(formula: &F) -> f64 {
    let spent = Cell::new(MEMORY);
    formula.eval([Tally(Some(&spent)); N]);
    spent.get()
}

pub(crate) fn of_backward<F: Formula<N, M>, const N: usize, const M: usize>(formula: &F) -> f64 {
    let spent = Cell::new(MEMORY * 2.0);
    let counted = Tally(Some(&spent));
    let _: [Slope<_>; N] = formula.pullback([counted; N], [counted; M], [counted; M], [true; N]);
    spent.get()
}

/// A number of which only the cost of computing it is known; a constant costs nothing.
#[derive(Clone, Copy)]
struct Tally<'a>(Option<&'a Cell<f64>>);

impl Tally<'_> {
    fn spend(self, nanoseconds: f64) -> Self {
        if let Some(spent) = self.0 {
            spent.set(spent.get() + nanoseconds);
        }
        self
    }
    fn with(self, other: Self, nanoseconds: f64) -> Self {
        Tally(self.0.or(other.0)).spend(nanoseconds)
    }
}

macro_rules! operators {
    ($($operator:ident $method:ident)*) => {$(
        impl $operator for Tally<'_> {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                self.with(other, ARITHMETIC)
            }
        }
    )*};
}
operators!(Add add Sub sub Mul mul Div div BitAnd bitand BitOr bitor);
impl Neg for Tally<'_> {
    type Output = Self;
    fn neg(self) -> Self {
        self.spend(ARITHMETIC)
    }
}
impl Not for Tally<'_> {
    type Output = Self;
    fn not(self) -> Self {
        self.spend(ARITHMETIC)
    }
}

macro_rules! functions {
    ($($name:ident($x:ident, $y:ident) => $slope:expr;)*) => {$(
        fn $name(self) -> Self {
            let cheap = ["abs", "sign", "square", "reciprocal", "relu", "floor", "ceil", "round", "trunc", "sqrt", "rsqrt"];
            self.spend(if cheap.contains(&stringify!($name)) { ARITHMETIC * 3.0 } else { FUNCTION })
        }
    )*};
}
macro_rules! of_two {
    ($($name:ident $cost:expr;)*) => {$(
        fn $name(self, other: Self) -> Self {
            self.with(other, $cost)
        }
    )*};
}
impl Real for Tally<'_> {
    type Mask = Self;
    fn constant(_: f64) -> Self {
        Tally(None)
    }
    unary_functions!(functions);
    of_two! {
        powf 10.0 * FUNCTION;
        atan2 10.0 * FUNCTION;
        hypot FUNCTION;
        max ARITHMETIC;
        min ARITHMETIC;
        lt ARITHMETIC;
        le ARITHMETIC;
        eq ARITHMETIC;
    }
    fn select(mask: Self, yes: Self, no: Self) -> Self {
        mask.with(yes, ARITHMETIC).with(no, 0.0)
    }
}
