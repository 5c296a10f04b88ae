//! A derivative written down: expressions over inputs, outputs and cotangents.
//!
//! Evaluating a pullback on [`Expr`]s lists the elementary steps of the derivative. The list is then played back as
//! operations on `Variable`s, which is how the gradient of a gradient comes to be an ordinary graph. An `Expr` is a
//! `Copy` handle into an arena (or a known constant); equal steps are listed once, and steps that nothing wanted reads
//! are never played.

use super::{Formula, Real, Slope, table::unary_functions};
use std::{
    cell::RefCell,
    ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub},
};

macro_rules! function_enum {
    ($($name:ident($x:ident, $y:ident) => $slope:expr;)*) => {
        /// An elementary function of one argument, under the table's name.
        #[allow(non_camel_case_types)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Unary { neg, $($name),* }
    };
}
unary_functions!(function_enum);

/// An elementary function of two arguments.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    add,
    sub,
    mul,
    div,
    powf,
    atan2,
    hypot,
    rem,
    max,
    min,
    lt,
    le,
    eq,
}

/// A step of a derivative; the numbers are places in the list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    /// Number `k` of the inputs, then the outputs, then the cotangents of the outputs.
    Given(usize),
    Constant(f64),
    Unary(Unary, usize),
    Binary(Binary, usize, usize),
    Select(usize, usize, usize),
}

/// The list of steps that expressions point into.
#[derive(Default)]
struct Arena(RefCell<Vec<Step>>);

impl Arena {
    fn given(&self, k: usize) -> Expr<'_> {
        Expr::Step(self, self.place(Step::Given(k)))
    }
    /// `K` given things, from number `first` on.
    fn several<const K: usize>(&self, first: usize) -> [Expr<'_>; K] {
        let mut found = [Expr::Constant(0.0); K];
        for k in 0..K {
            found[k] = self.given(first + k);
        }
        found
    }
    /// The place of an equal step, or a new one. The lists are short, so a scan beats a hash.
    fn place(&self, step: Step) -> usize {
        let mut steps = self.0.borrow_mut();
        // NaN constants are never equal to themselves, so they are simply listed again.
        steps.iter().position(|known| *known == step && !is_negative_zero(step)).unwrap_or_else(|| {
            steps.push(step);
            steps.len() - 1
        })
    }
    fn place_of(&self, expression: Expr<'_>) -> usize {
        match expression {
            Expr::Constant(value) => self.place(Step::Constant(value)),
            Expr::Step(_, place) => place,
        }
    }
}

/// Steps, each after its operands, and the places of the results.
pub(crate) struct Listing {
    pub(crate) steps: Vec<Step>,
    /// None where the result is structurally zero or not wanted.
    pub(crate) results: Vec<Option<usize>>,
}

/// The steps of a formula; given are its inputs.
pub(crate) fn list_forward<F: Formula<N, M>, const N: usize, const M: usize>(formula: &F) -> Listing {
    let arena = Arena::default();
    let mut results = Vec::with_capacity(M);
    for y in formula.eval(arena.several::<N>(0)) {
        results.push(Some(arena.place_of(y)));
    }
    Listing { steps: arena.0.into_inner(), results }
}

/// The steps of a formula's pullback, and of its results those that are wanted; given are its inputs, its outputs and their cotangents, in this order.
pub(crate) fn list_pullback<F: Formula<N, M>, const N: usize, const M: usize>(
    formula: &F,
    wanted: u32,
) -> Listing {
    let arena = Arena::default();
    let cotangents = formula.pullback(arena.several(0), arena.several(N), arena.several(N + M));
    let mut results = Vec::with_capacity(N);
    for (i, cotangent) in cotangents.into_iter().enumerate() {
        results.push(match cotangent {
            Slope::Zero => None,
            slope => (wanted >> i & 1 == 1).then(|| arena.place_of(slope.get())),
        });
    }
    Listing { steps: arena.0.into_inner(), results }
}

impl Listing {
    /// Which steps the results need.
    pub(crate) fn needed(&self) -> Vec<bool> {
        let mut needed = vec![false; self.steps.len()];
        for place in self.results.iter().flatten() {
            needed[*place] = true;
        }
        for (place, step) in self.steps.iter().enumerate().rev() {
            if !needed[place] {
                continue;
            }
            let operands = match *step {
                Step::Given(_) | Step::Constant(_) => [place; 3],
                Step::Unary(_, x) => [x; 3],
                Step::Binary(_, a, b) => [a, b, b],
                Step::Select(m, a, b) => [m, a, b],
            };
            for operand in operands {
                needed[operand] = true;
            }
        }
        needed
    }

    /// How long the steps take an element in a vectorised loop, roughly: it only decides whether a second thread pays.
    pub(crate) fn nanoseconds(&self) -> f64 {
        use Unary::*;
        let needed = self.needed();
        let cost = |(step, needed): (&Step, bool)| match step {
            _ if !needed => 0.0,
            Step::Given(_) => 0.1,
            Step::Constant(_) => 0.0,
            Step::Unary(neg | abs | sign | square | relu | floor | ceil | round | trunc, _) => 0.03,
            Step::Unary(..) => 0.5,
            Step::Binary(Binary::powf | Binary::atan2 | Binary::hypot | Binary::rem, ..) => 5.0,
            Step::Binary(..) | Step::Select(..) => 0.03,
        };
        self.steps.iter().zip(needed).map(cost).sum::<f64>() + 0.1
    }
}

/// 0 = −0, but they are not the same constant.
fn is_negative_zero(step: Step) -> bool {
    matches!(step, Step::Constant(value) if value == 0.0 && value.is_sign_negative())
}

/// A known constant, or a step in an arena.
#[derive(Clone, Copy)]
enum Expr<'a> {
    Constant(f64),
    Step(&'a Arena, usize),
}

impl<'a> Expr<'a> {
    fn unary(self, function: Unary, fold: impl FnOnce(f64) -> f64) -> Self {
        match self {
            Expr::Constant(value) => Expr::Constant(fold(value)),
            Expr::Step(arena, x) => Expr::Step(arena, arena.place(Step::Unary(function, x))),
        }
    }
    fn binary(self, other: Self, function: Binary, fold: impl FnOnce(f64, f64) -> f64) -> Self {
        let arena = match (self, other) {
            (Expr::Constant(a), Expr::Constant(b)) => return Expr::Constant(fold(a, b)),
            (Expr::Step(arena, _), _) | (_, Expr::Step(arena, _)) => arena,
        };
        let (a, b) = (arena.place_of(self), arena.place_of(other));
        Expr::Step(arena, arena.place(Step::Binary(function, a, b)))
    }
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

macro_rules! operators {
    ($($operator:ident $method:ident $function:ident |$a:ident, $b:ident| $fold:expr;)*) => {$(
        impl<'a> $operator for Expr<'a> {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                self.binary(other, Binary::$function, |$a, $b| $fold)
            }
        }
    )*};
}
operators! {
    Add add add |a, b| a + b;
    Sub sub sub |a, b| a - b;
    Mul mul mul |a, b| a * b;
    Div div div |a, b| a / b;
    // Masks are the numbers 1 and 0.
    BitAnd bitand min |a, b| a.min(b);
    BitOr bitor max |a, b| a.max(b);
}
impl Neg for Expr<'_> {
    type Output = Self;
    fn neg(self) -> Self {
        self.unary(Unary::neg, |value| -value)
    }
}
impl Not for Expr<'_> {
    type Output = Self;
    fn not(self) -> Self {
        Expr::Constant(1.0) - self
    }
}

macro_rules! listed {
    ($($name:ident($x:ident, $y:ident) => $slope:expr;)*) => {$(
        fn $name(self) -> Self {
            self.unary(Unary::$name, |value| Real::$name(value))
        }
    )*};
}
macro_rules! listed_binary {
    ($($name:ident |$a:ident, $b:ident| $fold:expr;)*) => {$(
        fn $name(self, other: Self) -> Self {
            self.binary(other, Binary::$name, |$a, $b| $fold)
        }
    )*};
}

impl Real for Expr<'_> {
    type Mask = Self;
    fn constant(value: f64) -> Self {
        Expr::Constant(value)
    }
    unary_functions!(listed);
    listed_binary! {
        powf |a, b| Real::powf(a, b);
        atan2 |a, b| Real::atan2(a, b);
        hypot |a, b| Real::hypot(a, b);
        rem |a, b| a % b;
        max |a, b| Real::max(a, b);
        min |a, b| Real::min(a, b);
        lt |a, b| truth(a < b);
        le |a, b| truth(a <= b);
        eq |a, b| truth(a == b);
    }
    fn select(mask: Self, yes: Self, no: Self) -> Self {
        let arena = match (mask, yes, no) {
            (Expr::Constant(holds), _, _) => return if holds == 0.0 { no } else { yes },
            (Expr::Step(arena, _), _, _) => arena,
        };
        let (m, a, b) = (arena.place_of(mask), arena.place_of(yes), arena.place_of(no));
        Expr::Step(arena, arena.place(Step::Select(m, a, b)))
    }
}
