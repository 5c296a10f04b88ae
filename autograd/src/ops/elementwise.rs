//! Applying a formula: the one operation behind every elementwise function.
//!
//! ```
//! use wengert_autograd::{Variable, apply_formula, scalar::{Formula, Real}};
//!
//! #[derive(Clone, Copy)]
//! struct Swish;
//! impl Formula<1> for Swish {
//!     fn name(&self) -> &'static str { "swish" }
//!     #[inline(always)]
//!     fn eval<R: Real>(&self, [x]: [R; 1]) -> [R; 1] { [x * x.sigmoid()] }
//! }
//! let x = Variable::from(1.0_f32).requires_grad();
//! let [y] = apply_formula(Swish, [&x]);
//! y.backward();
//! assert!((x.grad().unwrap().item() - 0.927_670_5).abs() < 1e-6);
//! ```
//!
//! The first derivative is one fused loop over memory. When the backward pass is itself recorded, the derivative is
//! written down step by step and played back as operations, each of them again a formula: any order, from one body.

use crate::{
    graph::{
        Context, Cotangents, Gradient, Grads, Keep, Op, Variable,
        mode::{Mode, line},
        op::Line,
        variable::{Value, kept_inputs, record_boxed, record_kept},
    },
    inspect,
    kernel::elementwise::{
        Direction, Elementwise, Input, Loops, map, map_at_once, map_back, map_back_adding,
    },
    scalar::{
        Float, Formula,
        expr::{Binary, Listing, Step, Unary},
        float::compiled,
        formula::elementary,
        table::unary_functions,
    },
    tensor::Tensor,
};
use smallvec::{SmallVec, smallvec};
use std::borrow::Cow;

/// Applies a formula to `N` variables that broadcast against each other; `M` results of the common shape.
///
/// # Panics
/// If the shapes do not broadcast; the text names the formula, the shapes and the axis.
#[track_caller]
pub fn apply_formula<T: Float, F: Formula<N, M>, const N: usize, const M: usize>(
    formula: F,
    inputs: [&Variable<T>; N],
) -> [Variable<T>; M] {
    apply_at(formula, inputs, line())
}

/// [`apply_formula`] for a caller that knows the line to blame.
pub(crate) fn apply_at<T: Float, F: Formula<N, M>, const N: usize, const M: usize>(
    formula: F,
    inputs: [&Variable<T>; N],
    line: Line,
) -> [Variable<T>; M] {
    let formula: Elementwise<F, N, M> = Elementwise(formula);
    let op = || -> Box<dyn Op<T>> { Box::new(formula) };
    if const { M == 1 } {
        all_of(std::iter::once(apply_to_one(&formula, &op, &inputs, line)))
    } else {
        all_of(apply(&formula, &op, &inputs, line).into_iter())
    }
}

/// The outputs as an array; a function of its own, since it does not depend on the formula.
fn all_of<X, const M: usize>(mut outputs: impl Iterator<Item = X>) -> [X; M] {
    std::array::from_fn(|_| outputs.next().expect("the loop has M outputs"))
}

/// [`apply_at`] but for the formula's type, so that it is compiled once.
fn apply<T: Float>(
    loops: &dyn Loops<T>,
    op: &dyn Fn() -> Box<dyn Op<T>>,
    inputs: &[&Variable<T>],
    line: Line,
) -> SmallVec<[Variable<T>; 2]> {
    let read: SmallVec<[Value<'_, T>; 4]> = inputs.iter().map(|input| input.read()).collect();
    let values: SmallVec<[&Tensor<T>; 4]> = read.iter().map(|value| &**value).collect();
    let outputs = compute(loops, &values, line);
    match kept(loops, inputs) {
        Some(keep) => record_boxed(op(), inputs, &values, outputs, keep, line),
        None => outputs.into_iter().map(Variable::new).collect(),
    }
}

/// The same for a formula of one output, without lists of them: the usual case, and on small tensors they would cost more
/// than the arithmetic.
fn apply_to_one<T: Float>(
    loops: &dyn Loops<T>,
    op: &dyn Fn() -> Box<dyn Op<T>>,
    inputs: &[&Variable<T>],
    line: Line,
) -> Variable<T> {
    if Mode::current().tracing {
        return apply(loops, op, inputs, line).remove(0);
    }
    let mut read: SmallVec<[Value<'_, T>; 2]> = SmallVec::new();
    for input in inputs {
        read.push(input.read());
    }
    let output = map_at_once(loops, &read).unwrap_or_else(|| {
        let values: SmallVec<[&Tensor<T>; 4]> = read.iter().map(|value| &**value).collect();
        compute(loops, &values, line).remove(0)
    });
    let Some(keep) = kept(loops, inputs) else { return Variable::new(output) };
    let mut read = read.into_iter();
    let mut next = 0;
    let kept = kept_inputs(keep, |i| {
        let value = read.nth(i - next).expect("kept inputs are asked for in order");
        next = i + 1;
        value.into_tensor()
    });
    record_kept(op(), inputs, kept, output, keep, line)
}

/// What a node keeps, or nothing if there is to be none.
#[inline]
fn kept<T: Float>(loops: &dyn Loops<T>, inputs: &[&Variable<T>]) -> Option<Keep> {
    if !Mode::current().recording {
        return None;
    }
    let (mut reads, mut any) = (0, false);
    for (i, input) in inputs.iter().enumerate() {
        if input.needs_grad() {
            any = true;
            reads |= u64::from(loops.dependence(i).reads);
        }
    }
    any.then(|| Keep { inputs: reads & ((1 << inputs.len()) - 1), outputs: reads >> inputs.len() })
}

/// The formula's values on plain tensors.
pub(crate) fn formula_on_tensors<T: Float, F: Formula<N, M>, const N: usize, const M: usize>(
    formula: F,
    values: [&Tensor<T>; N],
    line: Line,
) -> [Tensor<T>; M] {
    let formula: Elementwise<F, N, M> = Elementwise(formula);
    all_of(compute(&formula, &values, line).into_iter())
}

fn compute<T: Float>(loops: &dyn Loops<T>, values: &[&Tensor<T>], line: Line) -> SmallVec<[Tensor<T>; 2]> {
    let mut shape = values[0].dims();
    let mut inputs: SmallVec<[Input<'_, T>; 4]> = smallvec![Input::Tensor(values[0])];
    for value in &values[1..] {
        if value.dims() != shape {
            let joined = shape.broadcast(&value.dims(), loops.name());
            shape = joined.unwrap_or_else(|error| panic!("{error} (at {line})"));
        }
        inputs.push(Input::Tensor(value));
    }
    map(loops, Direction::Forward, shape, &inputs)
}

impl<T: Float, F: Formula<N, M>, const N: usize, const M: usize> Op<T> for Elementwise<F, N, M> {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn rule(&self) -> Cow<'static, str> {
        written::<T>(self).into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        pullback(self, cx, g)
    }
}

/// Characters of a formula that is shown; longer ones go by their name.
const LONGEST: usize = 72;

/// The formula and its slopes as text: see [`Op::rule`].
fn written<T: Float>(loops: &dyn Loops<T>) -> String {
    let (n, m) = loops.arity();
    let inputs: Vec<String> = match n {
        1 => vec!["x".into()],
        2 => vec!["a".into(), "b".into()],
        _ => (1..=n).map(|i| inspect::numbered('x', i)).collect(),
    };
    let outputs: Vec<String> = match m {
        1 => vec!["y".into()],
        _ => (1..=m).map(|j| inspect::numbered('y', j)).collect(),
    };
    let cotangents: Vec<String> = outputs.iter().map(|y| inspect::bar(y)).collect();
    let given = [&inputs[..], &outputs, &cotangents].concat();
    let short = |text: &String| text.chars().count() <= LONGEST;

    let forward = loops.listing(Direction::Forward);
    let by_name = || format!("{}({})", loops.name(), inputs.join(", "));
    let results: Vec<String> =
        (0..m).map(|j| forward.written(j, &given).filter(short).unwrap_or_else(by_name)).collect();
    let mut text = match m {
        1 => format!("{} = {}", outputs[0], results[0]),
        _ => format!("({}) = {}", outputs.join(", "), by_name()),
    };
    let backward = loops.listing(Direction::Backward((1 << n) - 1));
    for (i, input) in inputs.iter().enumerate() {
        let generic = |j: usize| format!("{} · ∂{}/∂{input}", cotangents[j], outputs[j]);
        let slope = match backward.written(i, &given) {
            None => "0".into(),
            Some(slope) if short(&slope) => slope,
            Some(_) => (0..m).map(generic).collect::<Vec<_>>().join(" + "),
        };
        text += &format!("; {} += {slope}", inspect::bar(input));
    }
    text
}

/// The rule of every formula.
fn pullback<T: Float>(loops: &dyn Loops<T>, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
    let (n, m) = loops.arity();
    let mut gradients: SmallVec<[Gradient<T>; 2]> = SmallVec::new();
    let (mut wanted, mut reads) = (0, 0);
    for i in 0..n {
        let mut gradient = Gradient::None;
        if cx.wants(i) {
            let dependence = loops.dependence(i);
            match dependence.passes {
                // A cotangent that passes through unchanged needs no loop.
                Some(j) => gradient = g.get(usize::from(j)).cloned().into(),
                None => {
                    wanted |= 1 << i;
                    reads |= dependence.reads;
                }
            }
        }
        gradients.push(gradient);
    }
    if wanted != 0 && cx.is_recording() {
        // Every elementary function stands behind this call: formulas of other crates find them compiled here.
        let (g, out) = (&g, &mut gradients[..]);
        compiled!(recorded(loops: &dyn Loops<T>, cx: &Context<'_, T>, g: &Cotangents<T>, wanted: u32,
            out: &mut [Gradient<T>]) -> ());
    } else if wanted != 0 && m == 1 {
        fused_of_one(loops, cx, g.only(), wanted, reads, &mut gradients);
    } else if wanted != 0 {
        fused(loops, cx, &g, wanted, reads, &mut gradients);
    }
    Grads(gradients)
}

/// Input or output number `k` of a formula of `n` inputs, if a fused loop reads it; what no wanted cotangent reads was not
/// kept.
#[inline]
fn read_by_loop<'a, T: Float>(
    cx: &'a Context<'_, T>,
    n: usize,
    reads: u32,
    k: usize,
) -> Option<&'a Tensor<T>> {
    match reads >> k & 1 {
        0 => None,
        _ if k < n => Some(cx.input_tensor(k)),
        _ => Some(cx.output_tensor(k - n)),
    }
}

/// The cotangents that a loop computed, to the places of their inputs.
#[inline]
fn hand_out<T: Float>(
    found: impl IntoIterator<Item = Option<Tensor<T>>>,
    wanted: u32,
    out: &mut [Gradient<T>],
) {
    for (i, gradient) in (0..out.len()).filter(|i| wanted >> i & 1 == 1).zip(found) {
        if let Some(gradient) = gradient {
            out[i] = Gradient::Whole(Variable::new(gradient));
        }
    }
}

/// One loop that computes all wanted cotangents of a formula with one output. Its cotangent is ours: a chain of operations
/// goes backward in one and the same block of memory.
fn fused_of_one<T: Float>(
    loops: &dyn Loops<T>,
    cx: &Context<'_, T>,
    g: Variable<T>,
    wanted: u32,
    reads: u32,
    out: &mut [Gradient<T>],
) {
    let n = loops.arity().0;
    let kept = |k| read_by_loop(cx, n, reads, k);
    let mut sums = cx.sums.borrow_mut();
    if sums.is_empty() {
        let found = map_back(loops, wanted, cx.output_shape_ref(0), &kept, g.into_value());
        return hand_out(found.into_iter().map(Some), wanted, out);
    }
    let found = map_back_adding(loops, wanted, cx.output_shape_ref(0), &kept, g.into_value(), &mut sums);
    hand_out(found, wanted, out);
}

/// One loop that computes all wanted cotangents.
fn fused<T: Float>(
    loops: &dyn Loops<T>,
    cx: &Context<'_, T>,
    g: &Cotangents<T>,
    wanted: u32,
    reads: u32,
    out: &mut [Gradient<T>],
) {
    let (n, m) = loops.arity();
    let arriving: SmallVec<[Option<Value<'_, T>>; 2]> =
        (0..m).map(|j| g.get(j).map(Variable::read)).collect();
    let mut inputs: SmallVec<[Input<'_, T>; 6]> = SmallVec::new();
    for k in 0..n + m {
        inputs.push(read_by_loop(cx, n, reads, k).map_or(Input::Unread, Input::Tensor));
    }
    for g in &arriving {
        inputs.push(g.as_ref().map_or(Input::Constant(T::zero()), |g| Input::Tensor(g)));
    }
    let found = map(loops, Direction::Backward(wanted), cx.output_shape(0), &inputs);
    hand_out(found.into_iter().map(Some), wanted, out);
}

/// The derivative as operations on variables.
fn recorded<T: Float>(
    loops: &dyn Loops<T>,
    cx: &Context<'_, T>,
    g: &Cotangents<T>,
    wanted: u32,
    out: &mut [Gradient<T>],
) {
    let (n, m) = loops.arity();
    let listing = loops.listing(Direction::Backward(wanted));
    let zero = || Variable::new(Tensor::zeros(cx.output_shape(0)));
    let played = play(&listing, |k| match k {
        input if input < n => cx.input(input),
        output if output < n + m => cx.output(output - n),
        cotangent => g.get(cotangent - n - m).cloned().unwrap_or_else(zero),
    });
    for i in 0..n {
        if wanted >> i & 1 == 1 {
            let gradient =
                listing.results[i].map(|place| played[place].clone().expect("needed steps are played"));
            out[i] = Gradient::Whole(gradient.unwrap_or_else(zero));
        }
    }
}

/// Performs the steps that the results need, as operations on variables.
fn play<T: Float>(listing: &Listing, given: impl Fn(usize) -> Variable<T>) -> Vec<Option<Variable<T>>> {
    let mut values: Vec<Option<Variable<T>>> = Vec::with_capacity(listing.steps.len());
    for (step, needed) in listing.steps.iter().zip(listing.needed()) {
        let at = |place: usize| values[place].as_ref().expect("operands come first");
        let value = needed.then(|| match *step {
            Step::Given(k) => given(k),
            Step::Constant(value) => Variable::new(Tensor::scalar(T::from_f64(value))),
            Step::Unary(function, x) => play_unary(function, at(x)),
            Step::Binary(function, a, b) => play_binary(function, at(a), at(b)),
            Step::Select(mask, yes, no) => {
                one(apply_formula(elementary::select, [at(mask), at(yes), at(no)]))
            }
        });
        values.push(value);
    }
    values
}

pub(crate) fn one<T: Float>([output]: [Variable<T>; 1]) -> Variable<T> {
    output
}

macro_rules! play_unary {
    ($($name:ident($x:ident, $y:ident) => $slope:expr;)*) => {
        fn play_unary<T: Float>(function: Unary, x: &Variable<T>) -> Variable<T> {
            one(match function {
                Unary::neg => apply_formula(elementary::neg, [x]),
                $(Unary::$name => apply_formula(elementary::$name, [x]),)*
            })
        }
    };
}
unary_functions!(play_unary);

fn play_binary<T: Float>(function: Binary, a: &Variable<T>, b: &Variable<T>) -> Variable<T> {
    macro_rules! play {
        ($($name:ident)*) => {
            one(match function { $(Binary::$name => apply_formula(elementary::$name, [a, b]),)* })
        };
    }
    play!(add sub mul div powf atan2 hypot rem max min lt le eq)
}

/// Declares formulas with their constants: `Name { constants } "its name" |inputs| value;`.
///
/// In the value each constant is a number like the inputs, so `R` is the type that the formula is read with.
macro_rules! formulas {
    ($($(#[$doc:meta])* $name:ident { $($constant:ident),* } $text:literal |$($x:ident),+| $value:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy)]
        struct $name {
            $($constant: f64),*
        }
        impl $crate::scalar::Formula<{ [$(stringify!($x)),+].len() }> for $name {
            fn name(&self) -> &'static str {
                $text
            }
            #[inline(always)]
            fn eval<R: $crate::scalar::Real>(&self, [$($x),+]: [R; { [$(stringify!($x)),+].len() }]) -> [R; 1] {
                $(let $constant = R::constant(self.$constant);)*
                [$value]
            }
        }
    )*};
}
pub(crate) use formulas;

/// The body of a method that applies a formula: `evaluate!(Clamp { low, high }; self)`.
macro_rules! evaluate {
    ($formula:ty { $($field:ident $(: $constant:expr)?),* }; $($x:expr),+) => {{
        type Applied = $formula;
        fn run<T: Float>(
            inputs: [&Variable<T>; { [$(stringify!($x)),+].len() }],
            formula: Applied,
            line: $crate::graph::op::Line,
        ) -> Variable<T> {
            $crate::ops::elementwise::one($crate::ops::elementwise::apply_at(formula, inputs, line))
        }
        let (inputs, line) = ([$($x),+], $crate::graph::mode::line());
        let formula = Applied { $($field $(: $constant)?),* };
        $crate::scalar::float::compiled!(run(
            inputs: [&Variable<T>; { [$(stringify!($x)),+].len() }],
            formula: Applied,
            line: $crate::graph::op::Line,
        ) -> Variable<T>)
    }};
}
pub(crate) use evaluate;
