//! [`Op`]: an operation and its rule, the trait of every operation here and of users' own.
//!
//! ```
//! use wengert_autograd::{Context, Cotangents, Float, Grads, Keep, Op, Variable};
//!
//! /// y = x³
//! struct Cube;
//!
//! impl<T: Float> Op<T> for Cube {
//!     fn name(&self) -> &'static str { "cube" }
//!     fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
//!         let x = cx.input(0);
//!         Grads::one(g.only() * (&x * &x) * 3.0) // x̄ += ȳ · 3x²
//!     }
//! }
//!
//! fn cube(x: &Variable) -> Variable {
//!     let value = no_grad_cube(x);
//!     Variable::from_op(Cube, &[x], value, Keep::inputs([0]))
//! }
//! # fn no_grad_cube(x: &Variable) -> wengert_autograd::Tensor { wengert_autograd::no_grad(|| x * x * x).value() }
//!
//! let x = Variable::from(2.0_f32).requires_grad();
//! cube(&x).backward();
//! assert_eq!(x.grad().unwrap().item(), 12.0);
//! ```
//!
//! A rule is written with `Variable`s, so the same line serves the first derivative (where they are plain values) and
//! every higher one (where [`Context::input`] returns them with their place in the graph). A rule returns what it found
//! and touches nothing: the engine adds contributions up and sums over axes that were broadcast.

use super::{
    Variable,
    node::{Edge, End, Kept, Node, Slot, lock},
    shared::Shared,
};
use crate::{
    kernel::elementwise::Sum,
    scalar::Float,
    tensor::{Dims, Tensor},
};
use smallvec::{SmallVec, smallvec};
use std::{borrow::Cow, cell::RefCell, collections::HashSet, panic::Location};

/// What a node keeps, by the slot it stands for.
pub(crate) type KeptTensors<T> = SmallVec<[(Slot, Tensor<T>); 2]>;

/// A line of somebody's program.
pub(crate) type Line = &'static Location<'static>;

/// An operation on variables: its name and its rule.
///
/// The value is computed before the operation is recorded (see [`Variable::from_op`]), so there is no forward function
/// here; fields hold what the rule needs besides inputs and outputs: an axis, a mask, indices.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an operation on `Variable<{T}>`",
    note = "implement `Op<T>` with `name` and `backward`; see the example in the documentation of `Op`"
)]
pub trait Op<T: Float>: Send + Sync + 'static {
    /// The name in messages, graphs and profiles.
    fn name(&self) -> &'static str;

    /// The operation and its rule as a person would write them, for [`inspect`](crate::inspect) and lessons: the definition,
    /// then a line for each input in order, separated by semicolons, such as `c = a·b; ā += c̄·bᵀ; b̄ += aᵀ·c̄`.
    ///
    /// A letter is an input or output, with a bar (U+0304) its cotangent; each line begins with the input that it is for, the
    /// definition with the outputs, `(h, c) = …` where there are several. Words stand after a comma:
    /// `x̄ += ȳ, repeated along the axis`. The last line serves all further inputs. Without a text the generic
    /// rule is shown, x̄ += ȳ · ∂y/∂x.
    fn rule(&self) -> Cow<'static, str> {
        Cow::Borrowed("")
    }

    /// The gradients of the inputs from the cotangents of the outputs (∂L/∂output).
    ///
    /// Return one entry for each input; [`Gradient::None`] where `cx.wants(i)` is false. A gradient has the shape of the
    /// input, or one that the input was broadcast to (the engine sums it back). The cotangents come by value, so that
    /// their buffers can be used again. There is no default body: an operation without a rule does not exist.
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T>;
}

/// Which inputs and outputs a rule reads, so the node keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    pub(crate) inputs: u64,
    pub(crate) outputs: u64,
}

impl Keep {
    /// The rule reads neither inputs nor outputs.
    pub const NOTHING: Keep = Keep { inputs: 0, outputs: 0 };

    /// The rule reads these inputs (numbers below 64).
    pub fn inputs(numbers: impl IntoIterator<Item = usize>) -> Self {
        Keep { inputs: mask(numbers), outputs: 0 }
    }
    /// The rule reads these outputs (numbers below 64).
    pub fn outputs(numbers: impl IntoIterator<Item = usize>) -> Self {
        Keep { inputs: 0, outputs: mask(numbers) }
    }
    /// The rule reads what either reads.
    #[must_use]
    pub fn and(self, other: Keep) -> Self {
        Keep { inputs: self.inputs | other.inputs, outputs: self.outputs | other.outputs }
    }
}

fn mask(numbers: impl IntoIterator<Item = usize>) -> u64 {
    numbers.into_iter().fold(0, |mask, number| {
        assert!(
            number < 64,
            "Keep: number {number}; only the first 64 inputs and outputs of an operation can be kept"
        );
        mask | 1 << number
    })
}

/// ∂L/∂output for each output of an operation; none where nothing arrived.
pub struct Cotangents<T: Float>(pub(crate) SmallVec<[Option<Variable<T>>; 1]>);

impl<T: Float> Cotangents<T> {
    /// The cotangent of the only output.
    ///
    /// # Panics
    /// If the operation has several outputs, any of which may have no cotangent.
    pub fn only(self) -> Variable<T> {
        assert_eq!(self.0.len(), 1, "Cotangents::only: the operation has {} outputs", self.0.len());
        self.0.into_iter().next().flatten().expect("the engine runs a node only when something arrived")
    }
    /// The cotangent of output `k`, if any arrived.
    pub fn get(&self, k: usize) -> Option<&Variable<T>> {
        self.0[k].as_ref()
    }
    /// Takes the cotangent of output `k` out.
    pub fn take(&mut self, k: usize) -> Option<Variable<T>> {
        self.0[k].take()
    }
}

/// The gradient of one input, as a rule returns it.
#[derive(Clone)]
pub enum Gradient<T: Float> {
    /// Not wanted, or zero.
    None,
    /// The gradient.
    Whole(Variable<T>),
    /// The gradient of a [`Region`] of the input, zero elsewhere. The engine adds it in place, so that taking a tensor
    /// apart slice by slice costs as much as the tensor is large, not its square.
    Part(Region, Variable<T>),
}

/// Every `step`-th index along one axis: what a slice reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// The axis.
    pub axis: usize,
    /// The first index.
    pub start: usize,
    /// How many indices.
    pub len: usize,
    /// The distance between two, at least 1.
    pub step: usize,
}

impl<T: Float> From<Variable<T>> for Gradient<T> {
    fn from(gradient: Variable<T>) -> Self {
        Gradient::Whole(gradient)
    }
}
impl<T: Float> From<Option<Variable<T>>> for Gradient<T> {
    fn from(gradient: Option<Variable<T>>) -> Self {
        gradient.map_or(Gradient::None, Gradient::Whole)
    }
}

/// The gradients of the inputs, in their order.
pub struct Grads<T: Float>(pub(crate) SmallVec<[Gradient<T>; 2]>);

impl<T: Float> Grads<T> {
    /// The gradient of the only input.
    pub fn one(gradient: impl Into<Gradient<T>>) -> Self {
        Grads(smallvec![gradient.into()])
    }
    /// The gradients of several inputs.
    pub fn of(gradients: impl IntoIterator<Item = impl Into<Gradient<T>>>) -> Self {
        Grads(gradients.into_iter().map(Into::into).collect())
    }
}

/// What a rule may look at: which gradients are wanted, and the kept inputs and outputs.
pub struct Context<'a, T: Float> {
    pub(crate) node: &'a Shared<Node<T>>,
    pub(crate) kept: KeptTensors<T>,
    pub(crate) recording: bool,
    /// When only some gradients are asked for: the addresses of nodes and leaves that lead to them.
    pub(crate) leading: Option<&'a HashSet<usize, rustc_hash::FxBuildHasher>>,
    pub(crate) released_at: Option<Line>,
    /// Large gradients under way, to which a rule may add its contribution in the pass over memory that computes it,
    /// instead of returning it.
    pub(crate) sums: RefCell<SmallVec<[Sum<T>; 1]>>,
}

impl<T: Float> Context<'_, T> {
    /// Is the gradient of input `i` wanted?
    pub fn wants(&self, i: usize) -> bool {
        self.node.inputs[i]
            .as_ref()
            .is_some_and(|edge| self.leading.is_none_or(|leading| leading.contains(&edge.end().address())))
    }

    /// Is the backward pass itself recorded (`create_graph`)?
    ///
    /// A rule written in variables need not ask; a rule with a kernel of its own may only use it when this is false.
    pub fn is_recording(&self) -> bool {
        self.recording
    }

    /// The kept input `i`, with its place in the graph while the backward pass is recorded.
    ///
    /// # Panics
    /// If the input was not kept, or an earlier backward pass released it.
    pub fn input(&self, i: usize) -> Variable<T> {
        let edge = if self.recording { self.node.inputs[i].clone() } else { None };
        Variable::fixed(self.tensor(Slot::Input(i as u32)).clone(), edge)
    }

    /// The leaf that input `i` is, if it is one.
    pub(crate) fn leaf(&self, i: usize) -> Option<Variable<T>> {
        match self.node.inputs[i].as_ref()?.end() {
            End::Leaf(leaf) => Some(Variable::of_leaf(leaf.clone())),
            End::Output(..) => None,
        }
    }

    /// The kept output `k`, with its place in the graph while the backward pass is recorded.
    ///
    /// # Panics
    /// If the output was not kept, or an earlier backward pass released it.
    pub fn output(&self, k: usize) -> Variable<T> {
        let edge = self.recording.then(|| Edge::new(End::Output(self.node.clone(), k as u32)));
        Variable::fixed(self.tensor(Slot::Output(k as u32)).clone(), edge)
    }

    /// How many inputs the operation has.
    pub fn input_count(&self) -> usize {
        self.node.inputs.len()
    }

    /// The shape of input `i`; only for inputs whose gradient can be wanted.
    pub fn input_shape(&self, i: usize) -> Dims {
        self.node.inputs[i].as_ref().expect("input_shape: this input has no gradient").end().shape()
    }

    /// The shape of output `k`.
    pub fn output_shape(&self, k: usize) -> Dims {
        self.node.shapes[k]
    }

    /// The same, borrowed.
    pub(crate) fn output_shape_ref(&self, k: usize) -> &Dims {
        &self.node.shapes[k]
    }

    /// The gradients of `N` inputs; a closure runs only when its gradient is wanted.
    pub fn gradients<const N: usize>(&self, rules: [&dyn Fn() -> Variable<T>; N]) -> Grads<T> {
        Grads(rules.iter().enumerate().map(|(i, rule)| self.wants(i).then(rule).into()).collect())
    }

    /// The kept input `i` as plain numbers.
    pub(crate) fn input_tensor(&self, i: usize) -> &Tensor<T> {
        self.tensor(Slot::Input(i as u32))
    }

    /// The kept output `k` as plain numbers.
    pub(crate) fn output_tensor(&self, k: usize) -> &Tensor<T> {
        self.tensor(Slot::Output(k as u32))
    }

    fn tensor(&self, slot: Slot) -> &Tensor<T> {
        if let Some((_, tensor)) = self.kept.iter().find(|(kept, _)| *kept == slot) {
            return tensor;
        }
        let (name, line) = (self.node.op.name(), self.node.line);
        match self.released_at {
            Some(first) => panic!(
                "backward: the graph of {name} (recorded at {line}) was already released by the backward pass started \
                 at {first}; to run a second one, start the first with retain_graph"
            ),
            None => panic!("rule of {name} (recorded at {line}): it reads {slot:?}, which was not kept"),
        }
    }
}

impl<T: Float> Node<T> {
    /// The kept tensors: taken away, or copied when they are to stay for another pass.
    pub(crate) fn kept_for_backward(&self, retain: bool, started_at: Line) -> (KeptTensors<T>, Option<Line>) {
        let mut kept = lock(&self.kept);
        match &mut *kept {
            Kept::Released(first) => (SmallVec::new(), Some(first)),
            Kept::Held(held) if retain => (held.clone(), None),
            Kept::Held(held) => {
                let taken = std::mem::take(held);
                *kept = Kept::Released(started_at);
                (taken, None)
            }
        }
    }

    /// The kept tensors for a pass that only looks: copied, and where an earlier pass released them, from the trace if there
    /// is one.
    pub(crate) fn kept_for_inspection(&self) -> (KeptTensors<T>, Option<Line>) {
        let released_at = match &*lock(&self.kept) {
            Kept::Held(held) => return (held.clone(), None),
            Kept::Released(first) => *first,
        };
        let Some(traced) = self.extras.get().and_then(|extras| extras.traced.get()) else {
            return (SmallVec::new(), Some(released_at));
        };
        let inputs =
            traced.inputs.iter().enumerate().map(|(i, value)| (Slot::Input(i as u32), value.clone()));
        let outputs =
            traced.outputs.iter().enumerate().map(|(k, value)| (Slot::Output(k as u32), value.clone()));
        (inputs.chain(outputs).collect(), None)
    }
}
