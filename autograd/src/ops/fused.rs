//! [`Fused`]: an operation with kernels of its own for both directions, and its meaning in variables beside them.
//!
//! ```
//! use wengert_autograd::{Context, Cotangents, Float, Fused, Grads, Keep, Tensor, Variable, grad};
//!
//! /// |x|², the sum of squares.
//! struct SquaredNorm;
//!
//! impl<T: Float> Fused<T> for SquaredNorm {
//!     fn name(&self) -> &'static str { "squared_norm" }
//!     fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
//!         let twice = T::from_f64(2.0) * g.only().item();
//!         Grads::one(Variable::new(cx.input(0).value().map(|x| twice * x))) // one loop over memory
//!     }
//!     fn define(&self, inputs: &[Variable<T>]) -> Vec<Variable<T>> {
//!         vec![(&inputs[0] * &inputs[0]).sum()]
//!     }
//! }
//!
//! let x = Variable::from([1.0_f64, 2.0]).requires_grad();
//! let value = Tensor::scalar(x.value().iter().map(|x| x * x).sum());
//! let [y] = Variable::from_fused(SquaredNorm, &[&x], [value], Keep::NOTHING);
//! let dx = grad(&[&y]).create_graph(true).wrt(&[&x]).remove(0); // from `define`: it can be differentiated again
//! let ddx = grad(&[&dx.sum()]).wrt(&[&x]).remove(0);
//! assert_eq!(ddx.value().to_vec(), [2.0, 2.0]);
//! ```
//!
//! A kernel is fast because it does not leave a graph behind, so it cannot serve when the backward pass is itself to be
//! differentiated. Then the operation is computed again from its kept inputs as [`define`](Fused::define) says, and the
//! gradient of that is taken: every higher derivative comes out of operations that have rules already. Nobody writes a
//! second-order rule by hand, and a fast path never cuts the graph. That the kernels compute what `define` says is
//! what the tests of a fused operation check.

use crate::{
    graph::{
        Context, Cotangents, Grads, Keep, Op, Variable,
        engine::{self, Request},
        mode::line,
        op::Line,
        variable::{Value, record_many},
    },
    scalar::Float,
    tensor::Tensor,
};
use smallvec::SmallVec;
use std::borrow::Cow;

/// An operation with a forward and a backward kernel, and its definition in variables.
///
/// The forward kernel is run by whoever applies the operation (see [`Variable::from_fused`]).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a fused operation on `Variable<{T}>`",
    note = "implement `Fused<T>` with `name`, `backward` and `define`; an operation without kernels of its own is an `Op`"
)]
pub trait Fused<T: Float>: Send + Sync + 'static {
    /// The name in messages, graphs and profiles.
    fn name(&self) -> &'static str;

    /// The operation and its rule as a person would write them; see [`Op::rule`].
    fn rule(&self) -> Cow<'static, str> {
        Cow::Borrowed("")
    }

    /// The gradients of the inputs, by a kernel on plain tensors; see [`Op::backward`] for what to return.
    ///
    /// Called only when the backward pass is not recorded, so `cx.input(i)` and `cx.output(k)` are constants.
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T>;

    /// The outputs from the inputs, as operations on variables: what the kernels compute.
    ///
    /// Outputs that are only kept for the backward kernel, and so never have a cotangent, come last and are left out.
    fn define(&self, inputs: &[Variable<T>]) -> Vec<Variable<T>>;
}

/// A fused operation as an [`Op`].
struct Recorded<O>(O);

impl<T: Float, O: Fused<T>> Op<T> for Recorded<O> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn rule(&self) -> Cow<'static, str> {
        self.0.rule()
    }

    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        match cx.is_recording() {
            true => gradients_of_definition(&self.0, cx, g),
            false => self.0.backward(cx, g),
        }
    }
}

/// The gradients of what an operation's `define` computes, as operations that are recorded themselves: compiled once for all
/// fused operations.
fn gradients_of_definition<T: Float>(
    op: &dyn Fused<T>,
    cx: &Context<'_, T>,
    mut g: Cotangents<T>,
) -> Grads<T> {
    // One input may have been computed from another, as in f(a, tanh a). The partial derivatives are those with
    // respect to a fresh node on each input, past which no path leads from one to the other.
    let inputs: Vec<Variable<T>> = (0..cx.input_count()).map(|i| alias(&cx.input(i))).collect();
    let (mut outputs, mut cotangents) = (Vec::new(), Vec::new());
    for (k, output) in op.define(&inputs).into_iter().enumerate() {
        if let (Some(cotangent), true) = (g.take(k), output.needs_grad()) {
            outputs.push(output);
            cotangents.push(cotangent);
        }
    }
    let outputs: Vec<&Variable<T>> = outputs.iter().collect();
    let cotangents: Vec<&Variable<T>> = cotangents.iter().collect();
    let wanted: Vec<usize> = (0..inputs.len()).filter(|&i| cx.wants(i)).collect();
    let targets: Vec<&Variable<T>> = wanted.iter().map(|&i| &inputs[i]).collect();
    let request = Request { create_graph: true, retain_graph: true, started_at: line() };
    let found = engine::gradients(&outputs, &cotangents, &targets, &request);
    let mut gradients: Vec<Option<Variable<T>>> = vec![None; inputs.len()];
    for (i, gradient) in wanted.into_iter().zip(found) {
        gradients[i] = gradient;
    }
    Grads::of(gradients)
}

/// The same value at a new place in the graph.
struct Alias;

impl<T: Float> Op<T> for Alias {
    fn name(&self) -> &'static str {
        "alias"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = x; x̄ += ȳ".into()
    }
    fn backward(&self, _: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        Grads::one(g.only())
    }
}

pub(crate) fn alias<T: Float>(x: &Variable<T>) -> Variable<T> {
    let value = x.read();
    let [alias] = record_many(Alias, &[x], &[&value], [value.clone()], Keep::NOTHING, line());
    alias
}

/// Records a fused operation. `values` are those of `inputs`; all inputs are kept, since `define` reads them, and of the
/// outputs those that `keep` names.
pub(crate) fn record_fused<T: Float, const M: usize>(
    op: impl Fused<T>,
    inputs: &[&Variable<T>],
    values: &[&Tensor<T>],
    outputs: [Tensor<T>; M],
    keep: Keep,
    line: Line,
) -> [Variable<T>; M] {
    record_many(Recorded(op), inputs, values, outputs, keep.and(Keep::inputs(0..inputs.len())), line)
}

impl<T: Float> Variable<T> {
    /// Records a fused operation: `outputs` were computed from `inputs` by its forward kernel. All inputs are kept for the
    /// backward pass, and of the outputs those that `keep` names. See [`Fused`] for an example.
    ///
    /// # Panics
    /// If there are more than 64 inputs.
    #[track_caller]
    pub fn from_fused<const M: usize>(
        op: impl Fused<T>,
        inputs: &[&Variable<T>],
        outputs: [Tensor<T>; M],
        keep: Keep,
    ) -> [Variable<T>; M] {
        let values: SmallVec<[Value<'_, T>; 4]> = inputs.iter().map(|input| input.read()).collect();
        let values: SmallVec<[&Tensor<T>; 4]> = values.iter().map(|value| &**value).collect();
        record_fused(op, inputs, &values, outputs, keep, line())
    }
}
