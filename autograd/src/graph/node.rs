//! Leaves, nodes and edges: what a recorded computation is made of.
//!
//! ```text
//!   Variable ──edge──▶ Node(mul) ──edge──▶ Node(tanh) ──edge──▶ Leaf(w)
//!                        │ kept: the tensors that mul's rule reads
//! ```
//!
//! An edge points from a result to where its gradient goes. A node holds the operation, the edges to its
//! inputs' nodes (not their values), the tensors its rule reads, and the line of the program that recorded it. What is
//! rarely wanted (hooks, retained gradients, names, traced values) stands behind one lazily made box.
//!
//! Edges are the only owners of nodes, so [`Edge`] is the only type whose `Drop` must not recurse: dropping a chain of a
//! million nodes would overflow the stack. It empties a queue instead.

use super::{op::Op, shared::Shared};
use crate::{
    scalar::Float,
    tensor::{Dims, Tensor},
};
use smallvec::SmallVec;
use std::{
    cell::{Cell, RefCell},
    mem::ManuallyDrop,
    panic::Location,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

/// Locks, whether or not somebody panicked while holding the lock: all data behind our locks are whole at any moment.
#[inline]
pub(crate) fn lock<A>(mutex: &Mutex<A>) -> MutexGuard<'_, A> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The place of a value that can change: one for the model's field, the optimiser and every tied layer.
///
/// Its address is its identity. The locks are held for one clone or one swap, never while computing.
pub(crate) struct Leaf<T: Float> {
    /// The same for all its values: asked for without the lock.
    shape: Dims,
    value: Mutex<Tensor<T>>,
    /// A tensor, not a variable: a variable here would close a cycle leaf → gradient → graph → leaf.
    gradient: Mutex<Option<Tensor<T>>>,
    trainable: AtomicBool,
    pub(crate) extras: OnceLock<Box<Extras<T>>>,
}

impl<T: Float> Leaf<T> {
    pub(crate) fn new(value: Tensor<T>, trainable: bool) -> Self {
        Leaf {
            shape: value.dims(),
            value: Mutex::new(value),
            gradient: Mutex::new(None),
            trainable: AtomicBool::new(trainable),
            extras: OnceLock::new(),
        }
    }
    #[inline]
    pub(crate) fn value(&self) -> Tensor<T> {
        lock(&self.value).clone()
    }
    #[inline]
    pub(crate) fn shape(&self) -> Dims {
        self.shape
    }
    /// Swaps a value of the same shape in and returns the old one, so that it is dropped outside the lock.
    pub(crate) fn replace(&self, value: Tensor<T>) -> Tensor<T> {
        debug_assert!(value.dims() == self.shape);
        std::mem::replace(&mut *lock(&self.value), value)
    }
    pub(crate) fn gradient(&self) -> Option<Tensor<T>> {
        lock(&self.gradient).clone()
    }
    pub(crate) fn replace_gradient(&self, gradient: Option<Tensor<T>>) -> Option<Tensor<T>> {
        std::mem::replace(&mut *lock(&self.gradient), gradient)
    }
    /// Adds to the gradient. The sum is computed outside the lock; when somebody else put a gradient there meanwhile,
    /// it is added in turn.
    pub(crate) fn accumulate(
        &self,
        mut gradient: Tensor<T>,
        add: impl Fn(Tensor<T>, Tensor<T>) -> Tensor<T>,
    ) {
        loop {
            let present = {
                let mut slot = lock(&self.gradient);
                match slot.take() {
                    None => {
                        *slot = Some(gradient);
                        return;
                    }
                    Some(present) => present,
                }
            };
            gradient = add(present, gradient);
        }
    }
    pub(crate) fn is_trainable(&self) -> bool {
        self.trainable.load(Ordering::Relaxed)
    }
    pub(crate) fn set_trainable(&self, trainable: bool) {
        self.trainable.store(trainable, Ordering::Relaxed);
    }
}

/// A recorded operation.
pub(crate) struct Node<T: Float> {
    /// How deep its deepest input is: an order in which every node comes after its inputs, without a counter that
    /// threads would share.
    pub(crate) depth: u32,
    pub(crate) line: &'static Location<'static>,
    /// One for each input; none where no gradient is wanted.
    pub(crate) inputs: SmallVec<[Option<Edge<T>>; 2]>,
    /// The shapes of the outputs.
    pub(crate) shapes: SmallVec<[Dims; 1]>,
    pub(crate) kept: Mutex<Kept<T>>,
    pub(crate) extras: OnceLock<Box<Extras<T>>>,
    /// Most operations are of size zero, and a box of those is no allocation.
    pub(crate) op: Box<dyn Op<T>>,
    _counted: Counted,
}

impl<T: Float> Node<T> {
    #[inline]
    pub(crate) fn new(
        op: Box<dyn Op<T>>,
        inputs: SmallVec<[Option<Edge<T>>; 2]>,
        shapes: SmallVec<[Dims; 1]>,
        kept: SmallVec<[(Slot, Tensor<T>); 2]>,
        line: &'static Location<'static>,
    ) -> Shared<Self> {
        let mut depth = 0;
        for edge in inputs.iter().flatten() {
            depth = depth.max(edge.end().depth());
        }
        let kept = Mutex::new(Kept::Held(kept));
        Shared::new(Node {
            depth,
            line,
            inputs,
            shapes,
            kept,
            extras: OnceLock::new(),
            _counted: Counted::new(),
            op,
        })
    }
}

/// Which of a node's inputs or outputs a kept tensor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    Input(u32),
    Output(u32),
}

/// The tensors that a node's rule reads.
pub(crate) enum Kept<T: Float> {
    Held(SmallVec<[(Slot, Tensor<T>); 2]>),
    /// A backward pass, started at this line, took them.
    Released(&'static Location<'static>),
}

/// What few nodes and leaves have.
pub(crate) struct Extras<T: Float> {
    pub(crate) hooks: Mutex<Vec<(u32, Hook<T>)>>,
    /// The outputs whose gradient is to be retained, and what was.
    pub(crate) retained: Mutex<Vec<(u32, Option<Tensor<T>>)>>,
    /// Output number and name; a leaf is its own output 0.
    pub(crate) names: Mutex<Vec<(u32, Box<str>)>>,
    pub(crate) traced: OnceLock<Traced<T>>,
}

impl<T: Float> Extras<T> {
    /// Gives an output a name; the first name stays.
    pub(crate) fn set_name(&self, output: u32, name: &str) {
        let mut names = lock(&self.names);
        if !names.iter().any(|(known, _)| *known == output) {
            names.push((output, name.into()));
        }
    }
    pub(crate) fn name(&self, output: u32) -> Option<String> {
        lock(&self.names).iter().find(|(known, _)| *known == output).map(|(_, name)| name.to_string())
    }
}

/// What a node was computed from and what came out, whether or not its rule reads it.
pub(crate) struct Traced<T: Float> {
    pub(crate) inputs: Vec<Tensor<T>>,
    pub(crate) outputs: Vec<Tensor<T>>,
    /// The inputs that no gradient flows to, which have no edge: for their names.
    pub(crate) constants: Vec<(usize, super::Variable<T>)>,
}

/// A function that sees a gradient as it passes, and may replace it.
pub(crate) type Hook<T> = Arc<dyn Fn(&super::Variable<T>) -> Option<super::Variable<T>> + Send + Sync>;

impl<T: Float> Default for Extras<T> {
    fn default() -> Self {
        Extras {
            hooks: Mutex::default(),
            retained: Mutex::default(),
            names: Mutex::default(),
            traced: OnceLock::new(),
        }
    }
}

/// Where an edge ends.
pub(crate) enum End<T: Float> {
    Leaf(Arc<Leaf<T>>),
    /// Output number `.1` of a node.
    Output(Shared<Node<T>>, u32),
}

impl<T: Float> End<T> {
    #[inline]
    pub(crate) fn depth(&self) -> u32 {
        match self {
            End::Leaf(_) => 0,
            End::Output(node, _) => node.depth + 1,
        }
    }
    /// The address of the leaf or node: its identity as long as the edge lives.
    #[inline]
    pub(crate) fn address(&self) -> usize {
        match self {
            End::Leaf(leaf) => Arc::as_ptr(leaf).addr(),
            End::Output(node, _) => node.address(),
        }
    }
    /// Which output of that node; 0 for a leaf.
    #[inline]
    pub(crate) fn output(&self) -> u32 {
        match self {
            End::Leaf(_) => 0,
            End::Output(_, output) => *output,
        }
    }
    pub(crate) fn shape(&self) -> Dims {
        match self {
            End::Leaf(leaf) => leaf.shape(),
            End::Output(node, output) => node.shapes[*output as usize],
        }
    }
    /// Has it the shape of `value`?
    #[inline]
    pub(crate) fn has_shape_of(&self, value: &Tensor<T>) -> bool {
        match self {
            End::Leaf(leaf) => leaf.shape == *value.sizes(),
            End::Output(node, output) => node.shapes[*output as usize] == *value.sizes(),
        }
    }
    #[inline]
    pub(crate) fn extras(&self) -> &OnceLock<Box<Extras<T>>> {
        match self {
            End::Leaf(leaf) => &leaf.extras,
            End::Output(node, _) => &node.extras,
        }
    }
}

/// Where a gradient goes.
pub(crate) struct Edge<T: Float>(ManuallyDrop<End<T>>);

impl<T: Float> Edge<T> {
    #[inline]
    pub(crate) fn new(end: End<T>) -> Self {
        Edge(ManuallyDrop::new(end))
    }
    #[inline]
    pub(crate) fn end(&self) -> &End<T> {
        &self.0
    }
}

impl<T: Float> Clone for Edge<T> {
    #[inline]
    fn clone(&self) -> Self {
        Edge::new(match self.end() {
            End::Leaf(leaf) => End::Leaf(leaf.clone()),
            End::Output(node, output) => End::Output(node.clone(), *output),
        })
    }
}

/// A node whose last owner is gone, of either type.
pub(crate) enum Doomed {
    Single(Shared<Node<f32>>),
    Double(Shared<Node<f64>>),
}

thread_local! {
    /// Is somebody further up this thread's stack emptying the queue?
    static DRAINING: Cell<bool> = const { Cell::new(false) };
    static DOOMED: RefCell<Vec<Doomed>> = const { RefCell::new(Vec::new()) };
}

impl<T: Float> Drop for Edge<T> {
    fn drop(&mut self) {
        // SAFETY: `drop` runs once, and nothing touches the field afterwards.
        let node = match unsafe { ManuallyDrop::take(&mut self.0) } {
            End::Output(node, _) => node,
            End::Leaf(_) => return,
        };
        if !node.is_sole() {
            // Somebody else owns it still. Should the last two owners let go at the same moment on two threads, one of
            // them frees the node in place: its inputs then go through this function again, at most one level deeper.
            return;
        }
        // A thread that is ending has no queue any more; recursing is all that is left.
        let Ok(nested) = DRAINING.try_with(|draining| draining.replace(true)) else { return };
        if nested {
            // Something that an operation held.
            DOOMED.with_borrow_mut(|queue| queue.push(T::doomed(node)));
            return;
        }
        let _reset = NotDraining;
        free(node);
        while let Some(node) = DOOMED.with_borrow_mut(Vec::pop) {
            match node {
                Doomed::Single(node) => free(node),
                Doomed::Double(node) => free(node),
            }
        }
    }
}

/// Frees a node that nobody else owns, and then those that only it led to, one after the other.
fn free<T: Float>(node: Shared<Node<T>>) {
    let mut doomed: SmallVec<[Shared<Node<T>>; 4]> = SmallVec::new();
    doomed.push(node);
    while let Some(mut node) = doomed.pop() {
        // Its inputs are taken away first, so that what is dropped with the node has none.
        let Some(sole) = node.get_mut() else { continue };
        for input in &mut sole.inputs {
            let Some(edge) = input.take() else { continue };
            let mut edge = ManuallyDrop::new(edge);
            // SAFETY: the edge is not dropped, so its end is taken once.
            if let End::Output(input, _) = unsafe { ManuallyDrop::take(&mut edge.0) }
                && input.is_sole()
            {
                doomed.push(input);
            }
        }
    }
}

/// Clears the flag even when an operation's own `Drop` panics.
struct NotDraining;
impl Drop for NotDraining {
    fn drop(&mut self) {
        DRAINING.set(false);
    }
}

static LIVE: AtomicUsize = AtomicUsize::new(0);

/// One in the count of live nodes.
struct Counted;
impl Counted {
    fn new() -> Self {
        LIVE.fetch_add(1, Ordering::Relaxed);
        Counted
    }
}
impl Drop for Counted {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How many recorded operations are alive in this process.
///
/// Returns to its old value when the variables of a computation are dropped; a count that grows from step to step means
/// that something holds on to old graphs (a list of losses that were not turned into numbers, usually).
pub fn live_nodes() -> usize {
    LIVE.load(Ordering::Relaxed)
}
