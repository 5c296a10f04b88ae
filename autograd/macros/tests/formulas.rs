//! The expansion compiles and computes, on a stand-in for the crate that it names.

/// The part of `wengert_autograd` that the expansion names; its only `Real` is `f64`, and a variable is one number.
mod graph {
    use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

    pub(crate) trait Float {}
    impl Float for f64 {}

    /// A number, the line whose call made it, and the number type.
    pub(crate) struct Variable<T>(pub(crate) f64, pub(crate) u32, pub(crate) std::marker::PhantomData<T>);

    pub(crate) trait Real:
        Copy
        + Add<Output = Self>
        + Sub<Output = Self>
        + Mul<Output = Self>
        + Div<Output = Self>
        + Neg<Output = Self>
    {
        type Mask: BitAnd<Output = Self::Mask> + BitOr<Output = Self::Mask> + Not<Output = Self::Mask>;
        fn constant(c: f64) -> Self;
        fn exp(self) -> Self;
        fn tanh(self) -> Self;
        fn sigmoid(self) -> Self;
        fn powi(self, n: i32) -> Self;
        fn max(self, other: Self) -> Self;
        fn lt(self, other: Self) -> Self::Mask;
        fn gt(self, other: Self) -> Self::Mask;
        fn eq(self, other: Self) -> Self::Mask;
        fn select(mask: Self::Mask, a: Self, b: Self) -> Self;
    }

    impl Real for f64 {
        type Mask = bool;
        fn constant(c: f64) -> f64 {
            c
        }
        fn exp(self) -> f64 {
            f64::exp(self)
        }
        fn tanh(self) -> f64 {
            f64::tanh(self)
        }
        fn sigmoid(self) -> f64 {
            1.0 / (1.0 + f64::exp(-self))
        }
        fn powi(self, n: i32) -> f64 {
            f64::powi(self, n)
        }
        fn max(self, other: f64) -> f64 {
            f64::max(self, other)
        }
        fn lt(self, other: f64) -> bool {
            self < other
        }
        fn gt(self, other: f64) -> bool {
            self > other
        }
        fn eq(self, other: f64) -> bool {
            self == other
        }
        fn select(mask: bool, a: f64, b: f64) -> f64 {
            if mask { a } else { b }
        }
    }

    pub(crate) trait Formula<const N: usize, const M: usize = 1>:
        Copy + Send + Sync + std::fmt::Debug + 'static
    {
        fn name(&self) -> &'static str;
        fn eval<R: Real>(&self, inputs: [R; N]) -> [R; M];
    }

    #[track_caller]
    pub(crate) fn apply_formula<T: Float, F: Formula<N, M>, const N: usize, const M: usize>(
        formula: F,
        inputs: [&Variable<T>; N],
    ) -> [Variable<T>; M] {
        let line = std::panic::Location::caller().line();
        assert!(!formula.name().is_empty());
        formula.eval(inputs.map(|input| input.0)).map(|value| Variable(value, line, std::marker::PhantomData))
    }
}

use graph::Variable;
use wengert_autograd_macros::elementwise_impl;

/// As the crate wraps it.
macro_rules! elementwise {
    ($($definitions:tt)*) => { elementwise_impl! { crate::graph ; $($definitions)* } };
}

const TWO: f64 = 2.0;

elementwise! {
    /// The swish activation.
    pub fn swish(x, beta) = x / (1 + exp(-beta * x))

    pub(crate) fn clipped[lo: f64, hi: f64](x) = select(x < lo, lo, select(x > hi, hi, x))

    fn lstm_cell(i, f, g, o, c) = {
        let c = sigmoid(f) * c + sigmoid(i) * tanh(g);
        (sigmoid(o) * tanh(c), c)
    }

    fn branches(x, y) = if x < 0 && !(y == 1) { x.powi(2) } else if x != x || y > TWO { -(x - y) * 3 } else { max(x, y) };

    fn t(r#type) = (r#type + 1) * { let a = r#type * 2; a - 1 }
}

fn v(value: f64) -> Variable<f64> {
    Variable(value, 0, std::marker::PhantomData)
}

#[test]
fn formulas_compute_what_they_say() {
    assert_eq!(swish(&v(2.0), &v(0.5)).0, 2.0 / (1.0 + (-1.0f64).exp()));
    assert_eq!([-3.0, 0.5, 7.0].map(|x| clipped(&v(x), -1.0, 2.0).0), [-1.0, 0.5, 2.0]);
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let (h, c) = lstm_cell(&v(0.1), &v(0.2), &v(0.3), &v(0.4), &v(0.5));
    let expected = sigmoid(0.2) * 0.5 + sigmoid(0.1) * 0.3f64.tanh();
    assert_eq!((h.0, c.0), (sigmoid(0.4) * expected.tanh(), expected));
    assert_eq!(t(&v(3.0)).0, 20.0);
}

#[test]
fn branches_choose() {
    let at = |x, y| branches(&v(x), &v(y)).0;
    assert_eq!(at(-3.0, 2.0), 9.0);
    assert_eq!(at(-3.0, 1.0), 1.0);
    assert_eq!(at(1.0, 4.0), 9.0);
    assert_eq!(at(1.0, 1.5), 1.5);
    assert!(at(f64::NAN, 1.0).is_nan());
}

#[test]
fn the_location_is_the_callers() {
    let (made, line) = (swish(&v(1.0), &v(1.0)), line!());
    assert_eq!(made.1, line);
}
