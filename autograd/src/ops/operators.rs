//! `+ − × ÷` on variables: owned and borrowed operands, and numbers on either side.
//!
//! ```
//! use wengert_autograd::Variable;
//!
//! let x = Variable::from([1.0_f32, 2.0]).requires_grad();
//! let y = 2.0 * &x + 1.0 - &x / 4.0;
//! assert_eq!(y.value().to_vec(), [2.75, 4.5]);
//! ```
//!
//! Numbers are f64 for variables of either precision.

use super::{
    elementwise::{apply_at, one},
    registry::samples,
};
use crate::{
    graph::{Variable, mode::line, op::Line},
    scalar::{Float, Formula, Real, float::compiled, formula::elementary},
};
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A number on one side of an operator.
macro_rules! with_number {
    ($($formula:ident $name:literal |$x:ident, $c:ident| $value:expr;)*) => {$(
        #[derive(Clone, Copy)]
        pub(super) struct $formula(pub(super) f64);
        impl Formula<1> for $formula {
            fn name(&self) -> &'static str {
                $name
            }
            #[inline(always)]
            fn eval<R: Real>(&self, [$x]: [R; 1]) -> [R; 1] {
                let $c = R::constant(self.0);
                [$value]
            }
        }
    )*};
}
with_number! {
    AddNumber "add" |x, c| x + c;
    SubNumber "sub" |x, c| x - c;
    MulNumber "mul" |x, c| x * c;
    DivNumber "div" |x, c| x / c;
    NumberSub "rsub" |x, c| c - x;
    NumberDiv "rdiv" |x, c| c / x;
}

macro_rules! operator {
    ($operator:ident $method:ident $formula:ident, $number_right:ident, $number_left:ident, $assign:ident $assign_method:ident) => {
        operator! { @variables $operator $method $formula [&Variable<T>] [&Variable<T>] |a, b| (a, b) }
        operator! { @variables $operator $method $formula [&Variable<T>] [Variable<T>] |a, b| (a, &b) }
        operator! { @variables $operator $method $formula [Variable<T>] [&Variable<T>] |a, b| (&a, b) }
        operator! { @variables $operator $method $formula [Variable<T>] [Variable<T>] |a, b| (&a, &b) }

        impl<T: Float> $operator<f64> for &Variable<T> {
            type Output = Variable<T>;
            #[track_caller]
            fn $method(self, number: f64) -> Variable<T> {
                fn run<T: Float>(x: &Variable<T>, number: f64, line: Line) -> Variable<T> {
                    one(apply_at($number_right(number), [x], line))
                }
                let (x, line) = (self, line());
                compiled!(run(x: &Variable<T>, number: f64, line: Line) -> Variable<T>)
            }
        }
        impl<T: Float> $operator<f64> for Variable<T> {
            type Output = Variable<T>;
            #[track_caller]
            fn $method(self, number: f64) -> Variable<T> {
                $operator::$method(&self, number)
            }
        }
        impl<T: Float> $operator<&Variable<T>> for f64 {
            type Output = Variable<T>;
            #[track_caller]
            fn $method(self, x: &Variable<T>) -> Variable<T> {
                fn run<T: Float>(x: &Variable<T>, number: f64, line: Line) -> Variable<T> {
                    one(apply_at($number_left(number), [x], line))
                }
                let (number, line) = (self, line());
                compiled!(run(x: &Variable<T>, number: f64, line: Line) -> Variable<T>)
            }
        }
        impl<T: Float> $operator<Variable<T>> for f64 {
            type Output = Variable<T>;
            #[track_caller]
            fn $method(self, x: Variable<T>) -> Variable<T> {
                $operator::$method(self, &x)
            }
        }
        impl<T: Float> $assign<&Variable<T>> for Variable<T> {
            /// Binds the name to the result; the old value is not changed.
            #[track_caller]
            fn $assign_method(&mut self, other: &Variable<T>) {
                *self = $operator::$method(&*self, other);
            }
        }
        impl<T: Float> $assign<Variable<T>> for Variable<T> {
            /// Binds the name to the result; the old value is not changed.
            #[track_caller]
            fn $assign_method(&mut self, other: Variable<T>) {
                *self = $operator::$method(&*self, &other);
            }
        }
        impl<T: Float> $assign<f64> for Variable<T> {
            /// Binds the name to the result; the old value is not changed.
            #[track_caller]
            fn $assign_method(&mut self, number: f64) {
                *self = $operator::$method(&*self, number);
            }
        }
    };
    (@variables $operator:ident $method:ident $formula:ident [$left:ty] [$right:ty] |$a:ident, $b:ident| $operands:expr) => {
        impl<T: Float> $operator<$right> for $left {
            type Output = Variable<T>;
            #[track_caller]
            fn $method(self, other: $right) -> Variable<T> {
                fn run<T: Float>(a: &Variable<T>, b: &Variable<T>, line: Line) -> Variable<T> {
                    one(apply_at(elementary::$formula, [a, b], line))
                }
                let ($a, $b) = (self, other);
                let (a, b): (&Variable<T>, &Variable<T>) = $operands;
                let line = line();
                compiled!(run(a: &Variable<T>, b: &Variable<T>, line: Line) -> Variable<T>)
            }
        }
    };
}
operator!(Add add add, AddNumber, AddNumber, AddAssign add_assign);
operator!(Sub sub sub, SubNumber, NumberSub, SubAssign sub_assign);
operator!(Mul mul mul, MulNumber, MulNumber, MulAssign mul_assign);
operator!(Div div div, DivNumber, NumberDiv, DivAssign div_assign);

impl<T: Float> Neg for &Variable<T> {
    type Output = Variable<T>;
    #[track_caller]
    fn neg(self) -> Variable<T> {
        Variable::neg(self)
    }
}
impl<T: Float> Neg for Variable<T> {
    type Output = Variable<T>;
    #[track_caller]
    fn neg(self) -> Variable<T> {
        Variable::neg(&self)
    }
}

samples! {
    add {
        "one shape" (x: normal([2, 3]), y: normal([2, 3])) => x + y, elementwise;
        "a column and a row" (x: normal([2, 1]), y: normal([3])) => x + y;
        "a number" (x: normal([2, 3])) => x + 1.5, elementwise;
        "a number first" (x: normal([2, 3])) => 1.5 + x;
        "shapes that differ" (x: normal([2]), y: normal([3])) => x + y, panics("add: shapes [2] and [3]");
    }
    sub {
        "one shape" (x: normal([2, 3]), y: normal([2, 3])) => x - y, elementwise;
        "a column and a row" (x: normal([2, 1]), y: normal([3])) => x - y;
        "a number" (x: normal([2, 3])) => x - 1.5, elementwise;
        "shapes that differ" (x: normal([2]), y: normal([3])) => x - y, panics("sub: shapes [2] and [3]");
    }
    rsub {
        "a number first" (x: normal([2, 3])) => 1.5 - x, elementwise;
    }
    mul {
        "one shape" (x: normal([2, 3]), y: normal([2, 3])) => x * y, elementwise;
        "a column and a row" (x: normal([2, 1]), y: normal([3])) => x * y;
        "a number" (x: normal([2, 3])) => x * 1.5, elementwise;
        "a number first" (x: normal([2, 3])) => 1.5 * x;
        "shapes that differ" (x: normal([2]), y: normal([3])) => x * y, panics("mul: shapes [2] and [3]");
    }
    div {
        "one shape" (x: normal([2, 3]), y: nonzero([2, 3])) => x / y, elementwise;
        "a column and a row" (x: normal([2, 1]), y: nonzero([3])) => x / y;
        "a number" (x: normal([2, 3])) => x / 1.5, elementwise;
        "shapes that differ" (x: normal([2]), y: nonzero([3])) => x / y, panics("div: shapes [2] and [3]");
    }
    rdiv {
        "a number first" (x: nonzero([2, 3])) => 1.5 / x, elementwise;
    }
}
