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
        variable::record_many,
    },
    kernel::elementwise::{Backward, Forward, Input, Tile, map},
    scalar::{
        Float, Formula, Slope,
        expr::{Arena, Binary, Step, Unary},
        formula::elementary,
        reads::dependence,
        table::unary_functions,
    },
    tensor::Tensor,
};
use smallvec::SmallVec;

/// A recorded formula.
struct Elementwise<F, const N: usize, const M: usize>(F);

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
    let reads = inputs.map(Variable::read);
    let values: [&Tensor<T>; N] = std::array::from_fn(|i| &*reads[i]);
    let outputs = formula_on_tensors(&formula, values, line);
    if !Mode::current().recording {
        return outputs.map(Variable::new);
    }
    let wants = inputs.map(Variable::needs_grad);
    if !wants.contains(&true) {
        return outputs.map(Variable::new);
    }
    let needs = dependence(&formula).reads;
    let mut bits = 0;
    for i in 0..N {
        if wants[i] {
            bits |= u64::from(needs[i]);
        }
    }
    let keep = Keep { inputs: bits & ((1 << N) - 1), outputs: bits >> N };
    record_many(Elementwise(formula), &inputs, &values, outputs, keep, line)
}

/// The formula's values on plain tensors.
pub(crate) fn formula_on_tensors<T: Float, F: Formula<N, M>, const N: usize, const M: usize>(
    formula: &F,
    values: [&Tensor<T>; N],
    line: Line,
) -> [Tensor<T>; M] {
    let mut shape = values[0].dims();
    for value in &values[1..] {
        if value.dims() != shape {
            shape = shape
                .broadcast(&value.dims(), formula.name())
                .unwrap_or_else(|error| panic!("{error} (at {line})"));
        }
    }
    let outputs = map(&Forward::<F, N, M>(*formula), shape, &values.map(Input::Tensor));
    let mut outputs = outputs.into_iter();
    std::array::from_fn(|_| outputs.next().expect("the loop has M outputs"))
}

impl<T: Float, F: Formula<N, M>, const N: usize, const M: usize> Op<T> for Elementwise<F, N, M> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let mut wanted: [bool; N] = std::array::from_fn(|i| cx.wants(i));
        let mut gradients: SmallVec<[Gradient<T>; 2]> = SmallVec::from_elem(Gradient::None, N);
        // A cotangent that passes through unchanged needs no loop.
        for (i, passed) in dependence(&self.0).passes.into_iter().enumerate() {
            if let (true, Some(j)) = (wanted[i], passed) {
                gradients[i] = g.get(usize::from(j)).cloned().into();
                wanted[i] = false;
            }
        }
        if wanted.contains(&true) {
            if cx.is_recording() {
                self.recorded(cx, &g, wanted, &mut gradients);
            } else {
                self.fused(cx, &g, wanted, &mut gradients);
            }
        }
        Grads(gradients)
    }
}

impl<F: Formula<N, M>, const N: usize, const M: usize> Elementwise<F, N, M> {
    /// One loop that computes all wanted cotangents.
    fn fused<T: Float>(
        &self,
        cx: &Context<'_, T>,
        g: &Cotangents<T>,
        wanted: [bool; N],
        out: &mut [Gradient<T>],
    ) {
        let dependence = dependence(&self.0);
        let mut reads = 0;
        for i in 0..N {
            if wanted[i] {
                reads |= dependence.reads[i];
            }
        }
        let kept: SmallVec<[Option<Variable<T>>; 4]> = (0..N + M)
            .map(|k| (reads >> k & 1 == 1).then(|| if k < N { cx.input(k) } else { cx.output(k - N) }))
            .collect();
        let values: SmallVec<[_; 4]> = kept.iter().map(|kept| kept.as_ref().map(Variable::read)).collect();
        let arriving: SmallVec<[_; 2]> = (0..M).map(|j| g.get(j).map(Variable::read)).collect();
        let mut inputs: SmallVec<[Input<'_, T>; 6]> = SmallVec::new();
        // What no wanted cotangent reads is not kept; a one stands in its place. A missing cotangent is zero.
        inputs.extend(
            values.iter().map(|value| value.as_ref().map_or(Input::Constant(T::one()), |v| Input::Tensor(v))),
        );
        inputs.extend(
            arriving.iter().map(|g| g.as_ref().map_or(Input::Constant(T::zero()), |g| Input::Tensor(g))),
        );

        let shape = cx.output_shape(0);
        let bits = (0..N).fold(0, |bits, i| bits | u32::from(wanted[i]) << i);
        let formula = self.0;
        // Loops are compiled for one wanted cotangent and for all.
        let found = match bits {
            1 if N > 1 => map(&Backward::<F, N, M, 1>(formula) as &dyn Tile<T>, shape, &inputs),
            2 if N > 1 => map(&Backward::<F, N, M, 2>(formula), shape, &inputs),
            _ => {
                let mut all = map(&Backward::<F, N, M, { u32::MAX }>(formula), shape, &inputs);
                for i in (0..N).rev().filter(|&i| !wanted[i]) {
                    all.remove(i);
                }
                all
            }
        };
        let places = out.iter_mut().zip(wanted).filter(|(_, wanted)| *wanted);
        for ((place, _), found) in places.zip(found) {
            *place = Gradient::Whole(Variable::new(found));
        }
    }

    /// The derivative as operations on variables.
    fn recorded<T: Float>(
        &self,
        cx: &Context<'_, T>,
        g: &Cotangents<T>,
        wanted: [bool; N],
        out: &mut [Gradient<T>],
    ) {
        let arena = Arena::default();
        let given: SmallVec<[_; 8]> = (0..N + 2 * M).map(|k| arena.given(k)).collect();
        let array = |from: usize| -> [_; M] { std::array::from_fn(|j| given[from + j]) };
        let cotangents = self.0.pullback(std::array::from_fn(|i| given[i]), array(N), array(N + M), wanted);
        let places: [Option<usize>; N] = std::array::from_fn(|i| match cotangents[i] {
            _ if !wanted[i] => None,
            Slope::Zero => None,
            slope => Some(arena.place_of(slope.get())),
        });
        let zero = || Variable::new(Tensor::zeros(cx.output_shape(0)));
        let played = play(&arena.steps(), &places, |k| match k {
            input if input < N => cx.input(input),
            output if output < N + M => cx.output(output - N),
            cotangent => g.get(cotangent - N - M).cloned().unwrap_or_else(zero),
        });
        for i in 0..N {
            if wanted[i] {
                let gradient = places[i]
                    .map_or_else(zero, |place| played[place].clone().expect("wanted steps are played"));
                out[i] = Gradient::Whole(gradient);
            }
        }
    }
}

/// Performs the steps that the wanted places need, as operations on variables.
fn play<T: Float>(
    steps: &[Step],
    wanted: &[Option<usize>],
    given: impl Fn(usize) -> Variable<T>,
) -> Vec<Option<Variable<T>>> {
    let mut needed = vec![false; steps.len()];
    for place in wanted.iter().flatten() {
        needed[*place] = true;
    }
    for (place, step) in steps.iter().enumerate().rev() {
        if needed[place] {
            match *step {
                Step::Given(_) | Step::Constant(_) => {}
                Step::Unary(_, x) => needed[x] = true,
                Step::Binary(_, a, b) => {
                    needed[a] = true;
                    needed[b] = true;
                }
                Step::Select(m, a, b) => {
                    needed[m] = true;
                    needed[a] = true;
                    needed[b] = true;
                }
            }
        }
    }
    let mut values: Vec<Option<Variable<T>>> = Vec::with_capacity(steps.len());
    for (place, step) in steps.iter().enumerate() {
        let at = |place: usize| values[place].as_ref().expect("operands come first");
        let value = needed[place].then(|| match *step {
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
    play!(add sub mul div powf atan2 hypot max min lt le eq)
}
