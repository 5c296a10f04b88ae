//! The ends of a module's tree: parameters, buffers, training flags.

use super::{Module, Visitor, VisitorMut};
use std::sync::atomic::{AtomicBool, Ordering};
use wengert_autograd::{Float, Tensor, Variable};

/// What a visitor meets.
pub(crate) enum Member<'a, T: Float> {
    /// A part begins; its kind.
    Enter(&'static str),
    Parameter(&'a Variable<T>),
    Buffer(&'a Buffer<T>),
    Training(&'a Training),
}

/// What a visitor may replace.
pub(crate) enum MemberMut<'a, T: Float> {
    Parameter(&'a mut Variable<T>),
    Buffer(&'a mut Buffer<T>),
    #[allow(dead_code, reason = "a copy leaves the flags as they are")]
    Training(&'a mut Training),
}

/// A leaf is a parameter, frozen or not. A constant has no place for a new value, so it is none.
impl<T: Float> Module<T> for Variable<T> {
    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        if self.is_leaf() {
            visitor.found(Member::Parameter(self));
        }
    }
    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
        if self.is_leaf() {
            (visitor.replace)(MemberMut::Parameter(self));
        }
    }
}

/// State that is saved with a model but not learned, such as a running mean.
///
/// ```
/// use wengert_autograd::Tensor;
/// use wengert_nn::Buffer;
///
/// let mean = Buffer::new(Tensor::<f32>::zeros([3]));
/// mean.set(Tensor::ones([3])); // by `&self`: a model that is being used may update it
/// assert_eq!(mean.value(), Tensor::ones([3]));
/// ```
#[derive(Clone, Debug)]
pub struct Buffer<T: Float = f32>(Variable<T>);

impl<T: Float> Buffer<T> {
    /// A buffer of this value.
    pub fn new(value: Tensor<T>) -> Self {
        Buffer(Variable::buffer(value))
    }

    /// The value at this moment.
    pub fn value(&self) -> Tensor<T> {
        self.0.value()
    }

    /// The value as a constant of the graph.
    pub fn constant(&self) -> Variable<T> {
        self.0.detach()
    }

    /// Puts a new value there.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn set(&self, value: Tensor<T>) {
        self.0.set(value);
    }

    /// Are these two handles of one buffer?
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.is_same(&other.0)
    }

    pub(crate) fn leaf(&self) -> &Variable<T> {
        &self.0
    }

    pub(crate) fn from_leaf(leaf: Variable<T>) -> Self {
        Buffer(leaf)
    }
}

impl<T: Float> Module<T> for Buffer<T> {
    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        visitor.found(Member::Buffer(self));
    }
    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
        (visitor.replace)(MemberMut::Buffer(self));
    }
}

/// Whether a module is being trained; [`train`](Module::train) and [`eval`](Module::eval) of the whole model set it.
///
/// ```
/// use wengert_nn::{Module, Training};
///
/// #[derive(Module)]
/// struct Noisy { training: Training }
///
/// let noisy = Noisy { training: Training::default() };
/// assert!(noisy.training.is_on());
/// noisy.eval();
/// assert!(!noisy.training.is_on());
/// ```
#[derive(Debug)]
pub struct Training(AtomicBool);

impl Training {
    /// Is it?
    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets it.
    pub fn set(&self, on: bool) {
        self.0.store(on, Ordering::Relaxed);
    }
}

impl Default for Training {
    /// A new module is being trained.
    fn default() -> Self {
        Training(AtomicBool::new(true))
    }
}

impl Clone for Training {
    fn clone(&self) -> Self {
        Training(AtomicBool::new(self.is_on()))
    }
}

impl<T: Float> Module<T> for Training {
    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        visitor.found(Member::Training(self));
    }
    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
        (visitor.replace)(MemberMut::Training(self));
    }
}
