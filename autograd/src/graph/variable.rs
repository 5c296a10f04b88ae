//! [`Variable`]: a value with a place in the graph.

use super::{
    anomaly, engine,
    mode::{Mode, line},
    node::{Edge, End, Extras, Leaf, Node, Slot, Traced, lock},
    op::{Keep, KeptTensors, Op},
    shared::Shared,
};
use crate::{
    kernel,
    scalar::Float,
    tensor::{Dims, Tensor},
};
use smallvec::SmallVec;
use std::{fmt, ops::Deref, panic::Location, sync::Arc};

/// A tensor that knows how it was computed, so that [`backward`](Variable::backward) can find its derivatives.
///
/// Define-by-run: each operation on variables that need a gradient records itself, and the record is the graph.
///
/// ```
/// use wengert_autograd::Variable;
///
/// let w = Variable::from([2.0_f32, -1.0]).requires_grad();
/// let loss = (&w * &w).sum();
/// loss.backward();
/// assert_eq!(w.grad().unwrap().to_vec(), [4.0, -2.0]); // d(w²)/dw = 2w
/// ```
///
/// A variable is a cheap handle: cloning it shares the value, and for a leaf (a parameter) also the place where a new
/// value is put, so that the model's field, the optimiser and every tied layer see the same one. An operation's result
/// is immutable. `Variable` is `Send` and `Sync`.
#[derive(Clone)]
pub struct Variable<T: Float = f32>(Repr<T>);

#[derive(Clone)]
enum Repr<T: Float> {
    /// A handle of a leaf: reads whatever value is in its slot.
    Leaf(Arc<Leaf<T>>),
    /// A result or a constant, and the edge where its gradient goes.
    Fixed(Tensor<T>, Option<Edge<T>>),
}

/// A variable's value: borrowed where it is fixed, a snapshot where it is a leaf's.
pub(crate) enum Value<'a, T: Float> {
    Borrowed(&'a Tensor<T>),
    Snapshot(Tensor<T>),
}

impl<T: Float> Value<'_, T> {
    /// The tensor: a snapshot as it is, anything else as a further handle.
    #[inline]
    pub(crate) fn into_tensor(self) -> Tensor<T> {
        match self {
            Value::Borrowed(tensor) => tensor.clone(),
            Value::Snapshot(tensor) => tensor,
        }
    }
}

impl<T: Float> Deref for Value<'_, T> {
    type Target = Tensor<T>;
    #[inline]
    fn deref(&self) -> &Tensor<T> {
        match self {
            Value::Borrowed(tensor) => tensor,
            Value::Snapshot(tensor) => tensor,
        }
    }
}

impl<T: Float> Variable<T> {
    /// A constant: no gradient goes there.
    pub fn new(value: Tensor<T>) -> Self {
        Variable::fixed(value, None)
    }

    /// A leaf that gets a gradient: what a model learns.
    pub fn parameter(value: Tensor<T>) -> Self {
        Variable(Repr::Leaf(Arc::new(Leaf::new(value, true))))
    }

    /// A leaf without a gradient: state that changes by other means, such as a running mean.
    pub fn buffer(value: Tensor<T>) -> Self {
        Variable(Repr::Leaf(Arc::new(Leaf::new(value, false))))
    }

    /// A handle of a leaf.
    pub(crate) fn of_leaf(leaf: Arc<Leaf<T>>) -> Self {
        Variable(Repr::Leaf(leaf))
    }

    #[inline]
    pub(crate) fn fixed(value: Tensor<T>, edge: Option<Edge<T>>) -> Self {
        Variable(Repr::Fixed(value, edge))
    }

    /// Turns a constant into a leaf that gets a gradient, or makes a leaf trainable (again).
    ///
    /// # Panics
    /// If the variable is the result of a recorded operation: it has a gradient already; for a copy that does not, say
    /// `x.detach().requires_grad()`.
    #[track_caller]
    pub fn requires_grad(self) -> Self {
        match self.0 {
            Repr::Leaf(ref leaf) => leaf.set_trainable(true),
            Repr::Fixed(value, None) => return Variable::parameter(value),
            Repr::Fixed(_, Some(_)) => panic!(
                "requires_grad: the variable is the result of {}, not a leaf; detach() it first",
                self.op_name().unwrap_or("an operation")
            ),
        }
        self
    }

    /// Freezes (`false`) or thaws (`true`) a leaf. A frozen leaf gets no gradient, and nothing is recorded for it.
    ///
    /// # Panics
    /// If the variable is not a leaf.
    #[track_caller]
    pub fn set_requires_grad(&self, trainable: bool) {
        self.leaf("set_requires_grad").set_trainable(trainable);
    }

    /// Does a gradient flow into this variable: is it a trainable leaf, or computed from one?
    #[inline]
    pub fn needs_grad(&self) -> bool {
        match &self.0 {
            Repr::Leaf(leaf) => leaf.is_trainable(),
            Repr::Fixed(_, edge) => edge.is_some(),
        }
    }

    /// Is it a leaf, that is, a place whose value can be set?
    pub fn is_leaf(&self) -> bool {
        matches!(self.0, Repr::Leaf(_))
    }

    /// Are these two handles of one leaf, or the same result?
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Repr::Leaf(a), Repr::Leaf(b)) => Arc::ptr_eq(a, b),
            (Repr::Fixed(_, Some(a)), Repr::Fixed(_, Some(b))) => {
                (a.end().address(), a.end().output()) == (b.end().address(), b.end().output())
            }
            _ => false,
        }
    }

    /// The value. For a leaf, the value at this moment.
    pub fn value(&self) -> Tensor<T> {
        match &self.0 {
            Repr::Leaf(leaf) => leaf.value(),
            Repr::Fixed(value, _) => value.clone(),
        }
    }

    #[inline]
    pub(crate) fn read(&self) -> Value<'_, T> {
        match &self.0 {
            Repr::Leaf(leaf) => Value::Snapshot(leaf.value()),
            Repr::Fixed(value, _) => Value::Borrowed(value),
        }
    }

    /// The value of an owned variable, without a copy of the handle when it is a result.
    pub(crate) fn into_value(self) -> Tensor<T> {
        match self.0 {
            Repr::Leaf(leaf) => leaf.value(),
            Repr::Fixed(value, _) => value,
        }
    }

    /// The shape.
    pub fn shape(&self) -> Dims {
        match &self.0 {
            Repr::Leaf(leaf) => leaf.shape(),
            Repr::Fixed(value, _) => value.dims(),
        }
    }
    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.shape().len()
    }
    /// The number of elements.
    pub fn len(&self) -> usize {
        self.shape().iter().product()
    }
    /// Has it no elements?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The only element, as a number.
    ///
    /// # Panics
    /// If there is not exactly one element.
    #[track_caller]
    pub fn item(&self) -> T {
        self.read().item()
    }

    /// The gradient that backward passes have accumulated here: in a leaf, or where
    /// [`retain_grad`](Variable::retain_grad) asked for it.
    ///
    /// A plain tensor. For a gradient that can be differentiated again see [`grad`](crate::grad).
    pub fn grad(&self) -> Option<Tensor<T>> {
        match &self.0 {
            Repr::Leaf(leaf) => leaf.gradient(),
            Repr::Fixed(_, edge) => {
                let end = edge.as_ref()?.end();
                let retained = lock(&end.extras().get()?.retained);
                retained.iter().find(|(output, _)| *output == end.output())?.1.clone()
            }
        }
    }

    /// Puts a gradient there, or removes it.
    ///
    /// # Panics
    /// If the variable is not a leaf, or the shapes differ.
    #[track_caller]
    pub fn set_grad(&self, gradient: Option<Tensor<T>>) {
        let leaf = self.leaf("set_grad");
        if let Some(gradient) = &gradient {
            assert_eq!(
                gradient.dims(),
                leaf.shape(),
                "set_grad: the gradient must have the shape of the variable"
            );
        }
        drop(leaf.replace_gradient(gradient));
    }

    /// Removes the gradient of a leaf, so that the next backward pass starts from nothing.
    pub fn zero_grad(&self) {
        if let Repr::Leaf(leaf) = &self.0 {
            drop(leaf.replace_gradient(None));
        }
    }

    /// Puts a new value into a leaf. Graphs that were recorded with the old one keep it.
    ///
    /// # Panics
    /// If the variable is not a leaf, or the shapes differ.
    #[track_caller]
    pub fn set(&self, value: Tensor<T>) {
        let leaf = self.leaf("set");
        let shape = leaf.shape();
        assert!(
            value.dims() == shape,
            "set: the variable has the shape {shape:?}, the new value {:?}",
            value.dims()
        );
        drop(leaf.replace(value));
    }

    /// Takes the value out, computes a new one from it, and puts that in.
    ///
    /// While `update` runs the leaf still has the old value, but `update` may find its buffer unshared and reuse it
    /// only when it is given the last handle; an optimiser therefore writes into a recycled block.
    pub fn update(&self, update: impl FnOnce(Tensor<T>) -> Tensor<T>) {
        self.set(update(self.value()));
    }

    /// The same value without its history: no gradient passes.
    pub fn detach(&self) -> Self {
        Variable::new(self.value())
    }

    /// Keeps the gradient of a result when a backward pass goes through it, for [`grad`](Variable::grad) to show.
    /// Leaves do so anyway.
    pub fn retain_grad(&self) {
        if let Repr::Fixed(_, Some(edge)) = &self.0 {
            let mut retained = lock(&extras(edge.end()).retained);
            let output = edge.end().output();
            if !retained.iter().any(|(known, _)| *known == output) {
                retained.push((output, None));
            }
        }
    }

    /// Calls `hook` with the gradient of this variable in every backward pass, once it is complete; what `hook`
    /// returns replaces it.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    ///
    /// let x = Variable::from([1.0_f32, 2.0]).requires_grad();
    /// x.on_grad(|g| Some(g * 10.0));
    /// x.sum().backward();
    /// assert_eq!(x.grad().unwrap().to_vec(), [10.0, 10.0]);
    /// ```
    ///
    /// # Panics
    /// If no gradient flows into the variable.
    #[track_caller]
    pub fn on_grad(&self, hook: impl Fn(&Variable<T>) -> Option<Variable<T>> + Send + Sync + 'static) {
        let edge = self.edge().expect("on_grad: no gradient flows into this variable");
        lock(&extras(edge.end()).hooks).push((edge.end().output(), Arc::new(hook)));
    }

    /// The leaf that it is a handle of, if it is one.
    pub(crate) fn as_leaf(&self) -> Option<&Arc<Leaf<T>>> {
        match &self.0 {
            Repr::Leaf(leaf) => Some(leaf),
            Repr::Fixed(..) => None,
        }
    }

    /// Where the gradient goes, if anywhere.
    #[inline]
    pub(crate) fn edge(&self) -> Option<Edge<T>> {
        match &self.0 {
            Repr::Leaf(leaf) => leaf.is_trainable().then(|| Edge::new(End::Leaf(leaf.clone()))),
            Repr::Fixed(_, edge) => edge.clone(),
        }
    }

    #[track_caller]
    fn leaf(&self, method: &str) -> &Arc<Leaf<T>> {
        match &self.0 {
            Repr::Leaf(leaf) => leaf,
            Repr::Fixed(..) => panic!(
                "{method}: the variable is {}, not a leaf; only parameters and buffers have a value that can be set",
                self.op_name().map_or("a constant".into(), |op| format!("the result of {op}"))
            ),
        }
    }

    /// Finds the derivative of this scalar in every leaf that it was computed from, and adds it to their
    /// [`grad`](Variable::grad).
    ///
    /// What the graph kept for its rules is released on the way.
    ///
    /// # Panics
    /// If the variable has more than one element (use [`backward_with`](Variable::backward_with)), if no gradient flows
    /// into it, or if an earlier backward pass released the graph.
    #[track_caller]
    pub fn backward(&self) {
        let shape = self.shape();
        assert!(
            shape.iter().product::<usize>() == 1,
            "backward: a derivative is that of a scalar, and this variable has the shape {shape:?}; reduce it first \
             (sum, mean, a loss), or give its cotangent: backward_with(g)"
        );
        self.backward_with(&Variable::new(Tensor::full(shape, T::one())));
    }

    /// Like [`backward`](Variable::backward), from a given cotangent ∂L/∂self of the same shape: adds Jᵀ·cotangent to
    /// the leaves.
    ///
    /// # Panics
    /// If the shapes differ, no gradient flows into the variable, or an earlier backward pass released the graph.
    #[track_caller]
    pub fn backward_with(&self, cotangent: &Variable<T>) {
        engine::backward(&[self], &[cotangent], false, line());
    }

    /// Like [`backward_with`](Variable::backward_with), but the graph can be walked again.
    #[track_caller]
    pub fn backward_retaining(&self, cotangent: &Variable<T>) {
        engine::backward(&[self], &[cotangent], true, line());
    }

    /// Records an operation of one output: `value` was computed from `inputs`, and `op` has the rule.
    ///
    /// Nothing is recorded under [`no_grad`](crate::no_grad) or when no input needs a gradient. `keep` says which inputs
    /// and outputs the rule reads. See [`Op`] for an example.
    #[track_caller]
    pub fn from_op(op: impl Op<T>, inputs: &[&Variable<T>], value: Tensor<T>, keep: Keep) -> Variable<T> {
        let values: SmallVec<[Value<'_, T>; 4]> = inputs.iter().map(|input| input.read()).collect();
        let values: SmallVec<[&Tensor<T>; 4]> = values.iter().map(|value| &**value).collect();
        record(op, inputs, &values, value, keep, line())
    }

    /// Records an operation of several outputs; see [`from_op`](Variable::from_op).
    #[track_caller]
    pub fn from_op_many<const M: usize>(
        op: impl Op<T>,
        inputs: &[&Variable<T>],
        outputs: [Tensor<T>; M],
        keep: Keep,
    ) -> [Variable<T>; M] {
        let values: SmallVec<[Value<'_, T>; 4]> = inputs.iter().map(|input| input.read()).collect();
        let values: SmallVec<[&Tensor<T>; 4]> = values.iter().map(|value| &**value).collect();
        record_many(op, inputs, &values, outputs, keep, line())
    }
}

pub(super) fn extras<T: Float>(end: &End<T>) -> &Extras<T> {
    end.extras().get_or_init(Box::default)
}

/// Records an operation of one output. `values` are those of `inputs` that `output` was computed from.
#[inline]
pub(crate) fn record<T: Float>(
    op: impl Op<T>,
    inputs: &[&Variable<T>],
    values: &[&Tensor<T>],
    output: Tensor<T>,
    keep: Keep,
    line: &'static Location<'static>,
) -> Variable<T> {
    if !Mode::current().recording || !inputs.iter().any(|input| input.needs_grad()) {
        return Variable::new(output);
    }
    record_one(Box::new(op), inputs, values, output, keep, line)
}

/// Records an operation of one output although nobody may need its gradient.
pub(crate) fn record_one<T: Float>(
    op: Box<dyn Op<T>>,
    inputs: &[&Variable<T>],
    values: &[&Tensor<T>],
    output: Tensor<T>,
    keep: Keep,
    line: &'static Location<'static>,
) -> Variable<T> {
    let kept = kept_inputs(keep, |i| values[i].clone());
    let output = record_kept(op, inputs, kept, output, keep, line);
    if let (true, Repr::Fixed(value, Some(edge))) = (Mode::current().tracing, &output.0)
        && let End::Output(node, _) = edge.end()
    {
        trace(node, inputs, values, std::slice::from_ref(value));
    }
    output
}

/// The same with the kept inputs given, for a caller that has not to do with traces.
#[inline]
pub(crate) fn record_kept<T: Float>(
    op: Box<dyn Op<T>>,
    inputs: &[&Variable<T>],
    kept: KeptTensors<T>,
    output: Tensor<T>,
    keep: Keep,
    line: &'static Location<'static>,
) -> Variable<T> {
    let node = node(op, inputs, kept, std::slice::from_ref(&output), keep, line);
    Variable::fixed(output, Some(Edge::new(End::Output(node, 0))))
}

/// The inputs that a node keeps.
#[inline]
pub(crate) fn kept_inputs<T: Float>(keep: Keep, mut value: impl FnMut(usize) -> Tensor<T>) -> KeptTensors<T> {
    let mut kept = SmallVec::new();
    let mut left = keep.inputs;
    while left != 0 {
        let i = left.trailing_zeros();
        kept.push((Slot::Input(i), value(i as usize)));
        left &= left - 1;
    }
    kept
}

/// Records an operation of `M` outputs.
#[inline]
pub(crate) fn record_many<T: Float, const M: usize>(
    op: impl Op<T>,
    inputs: &[&Variable<T>],
    values: &[&Tensor<T>],
    outputs: [Tensor<T>; M],
    keep: Keep,
    line: &'static Location<'static>,
) -> [Variable<T>; M] {
    let mut outputs = record_list(op, inputs, values, outputs.into_iter().collect(), keep, line).into_iter();
    std::array::from_fn(|_| outputs.next().expect("as many variables as outputs"))
}

/// Records an operation of any number of outputs.
#[inline]
pub(crate) fn record_list<T: Float>(
    op: impl Op<T>,
    inputs: &[&Variable<T>],
    values: &[&Tensor<T>],
    outputs: SmallVec<[Tensor<T>; 2]>,
    keep: Keep,
    line: &'static Location<'static>,
) -> SmallVec<[Variable<T>; 2]> {
    if !Mode::current().recording || !inputs.iter().any(|input| input.needs_grad()) {
        return outputs.into_iter().map(Variable::new).collect();
    }
    record_boxed(Box::new(op), inputs, values, outputs, keep, line)
}

/// Records an operation although nobody may need its gradient.
pub(crate) fn record_boxed<T: Float>(
    op: Box<dyn Op<T>>,
    inputs: &[&Variable<T>],
    values: &[&Tensor<T>],
    outputs: SmallVec<[Tensor<T>; 2]>,
    keep: Keep,
    line: &'static Location<'static>,
) -> SmallVec<[Variable<T>; 2]> {
    let node = node(op, inputs, kept_inputs(keep, |i| values[i].clone()), &outputs, keep, line);
    if Mode::current().tracing {
        trace(&node, inputs, values, &outputs);
    }
    let mut recorded = SmallVec::new();
    for (k, output) in outputs.into_iter().enumerate() {
        recorded.push(Variable::fixed(output, Some(Edge::new(End::Output(node.clone(), k as u32)))));
    }
    recorded
}

/// The node of an operation.
#[inline]
fn node<T: Float>(
    op: Box<dyn Op<T>>,
    inputs: &[&Variable<T>],
    mut kept: KeptTensors<T>,
    outputs: &[Tensor<T>],
    keep: Keep,
    line: &'static Location<'static>,
) -> Shared<Node<T>> {
    if Mode::current().checking != anomaly::Checking::Off {
        for (k, output) in outputs.iter().enumerate() {
            anomaly::check_output(op.name(), line, k, output);
        }
    }
    let mut left = keep.outputs;
    while left != 0 {
        let k = left.trailing_zeros();
        kept.push((Slot::Output(k), outputs[k as usize].clone()));
        left &= left - 1;
    }
    // Plain loops: collecting into a small vector is not inlined, and this runs for every operation.
    let mut edges = SmallVec::new();
    for input in inputs {
        edges.push(input.edge());
    }
    let mut shapes = SmallVec::new();
    for output in outputs {
        shapes.push(output.dims());
    }
    Node::new(op, edges, shapes, kept, line)
}

/// Keeps all that went in and came out, for [`inspect`](crate::inspect).
#[cold]
fn trace<T: Float>(node: &Node<T>, inputs: &[&Variable<T>], values: &[&Tensor<T>], outputs: &[Tensor<T>]) {
    let constant = |(_, input): &(usize, &&Variable<T>)| !input.needs_grad();
    let traced = Traced {
        inputs: values.iter().map(|value| (*value).clone()).collect(),
        outputs: outputs.to_vec(),
        constants: inputs
            .iter()
            .enumerate()
            .filter(constant)
            .map(|(i, input)| (i, (*input).clone()))
            .collect(),
    };
    // The node is new, so nothing is there.
    let _ = node.extras.get_or_init(Box::default).traced.set(traced);
}

/// The sum of two gradients, in a buffer that nobody else has if there is one.
pub(crate) fn add_gradients<T: Float>(a: Tensor<T>, b: Tensor<T>) -> Tensor<T> {
    kernel::accumulate::add_owned(a, b)
}

impl<T: Float> fmt::Debug for Variable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Variable({:?}", &*self.read())?;
        if let Some(op) = self.op_name() {
            write!(f, ", {op}")?;
        } else if self.needs_grad() {
            write!(f, ", requires_grad")?;
        }
        write!(f, ")")
    }
}

impl<T: Float> fmt::Display for Variable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&*self.read(), f)
    }
}
