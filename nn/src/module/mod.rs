//! [`Module`]: what has parameters, by dotted names.
//!
//! ```
//! use wengert_nn::{Linear, Module};
//!
//! #[derive(Module)]
//! struct Net {
//!     hidden: Linear,
//!     out: Linear,
//! }
//!
//! let net = Net { hidden: Linear::new(784, 128), out: Linear::new(128, 10) };
//! let names: Vec<String> = net.named_parameters().names().map(String::from).collect();
//! assert_eq!(names, ["hidden.weight", "hidden.bias", "out.weight", "out.bias"]);
//! assert_eq!(net.num_parameters(), 101_770);
//! ```
//!
//! The derive writes two methods, [`visit`](Module::visit) and [`visit_mut`](Module::visit_mut), that call the visitor
//! for each field. Everything else is a visitor and is written here once: listing, counting, saving, loading, copying.
//! A [`Variable`] is a parameter, a [`Buffer`] is state that is saved but not learned, a [`Training`] flag follows
//! [`train`](Module::train) and [`eval`](Module::eval); options, lists, boxes, tuples, arrays and maps of modules are
//! modules, with their indices or keys as names; numbers, strings and functions have no parameters.
//!
//! A field of any other type is an error at that field, whose note has the cures:
//!
//! ```compile_fail,E0277
//! # use wengert_nn::{Linear, Module};
//! #[derive(Module)]
//! struct Net {
//!     hidden: Linear,
//!     began: std::time::Instant, // the trait `Module` is not implemented: skip it
//! }
//! ```
//!
//! So is a layer of another number type than the module's:
//!
//! ```compile_fail,E0277
//! # use wengert_nn::{Linear, Module};
//! #[derive(Module)]
//! struct Net {
//!     hidden: Linear,
//!     out: Linear<f64>, // `#[module(scalar = f64)]`, and all of them f64
//! }
//! ```

mod containers;
mod members;
mod state;
mod summary;

pub use members::{Buffer, Training};
pub use state::{ShapeMismatch, StateDict, StateDictError, Unmatched};
pub use summary::Summary;

use crate::Layer;
use members::{Member, MemberMut};
use wengert_autograd::{Float, NamedParameters, Tensor, Variable};

/// A part of a model: a layer, a group of layers, the model itself. See the [module documentation](self).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a module over `{T}`",
    label = "not a module",
    note = "put `#[derive(Module)]` on it, or `#[module(skip)]` on the field",
    note = "a module of f64 says so: `#[module(scalar = f64)]`, or a type parameter `T: Float`"
)]
pub trait Module<T: Float = f32> {
    /// Calls the visitor for each field, in order. Written by `#[derive(Module)]`.
    fn visit(&self, visitor: &mut Visitor<'_, T>);

    /// The same with fields that the visitor may replace. Written by `#[derive(Module)]`.
    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>);

    /// The parameters with their dotted names, in order; a tied one once, under its first name.
    fn named_parameters(&self) -> NamedParameters<T> {
        let mut list = NamedParameters::new();
        each(self, |path, member| {
            if let Member::Parameter(parameter) = member {
                list.push(path, parameter.clone());
            }
        });
        list
    }

    /// The parameters, in order.
    fn parameters(&self) -> Vec<Variable<T>> {
        self.named_parameters().into_iter().map(|(_, parameter)| parameter).collect()
    }

    /// The buffers with their dotted names, in order.
    fn named_buffers(&self) -> Vec<(String, Buffer<T>)> {
        let mut list: Vec<(String, Buffer<T>)> = Vec::new();
        each(self, |path, member| {
            if let Member::Buffer(buffer) = member
                && !list.iter().any(|(_, known)| known.is_same(buffer))
            {
                list.push((path.to_string(), buffer.clone()));
            }
        });
        list
    }

    /// The buffers, in order.
    fn buffers(&self) -> Vec<Buffer<T>> {
        self.named_buffers().into_iter().map(|(_, buffer)| buffer).collect()
    }

    /// The number of learned numbers: the elements of all parameters.
    fn num_parameters(&self) -> usize {
        self.named_parameters().elements()
    }

    /// Removes the gradients of all parameters.
    fn zero_grad(&self) {
        self.named_parameters().zero_grad();
    }

    /// The names of the trainable parameters that no backward pass has reached since their gradients were removed: what
    /// was forgotten in the forward pass or cut off by `detach`, and does not learn.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// use wengert_nn::{Layer, Linear, Module};
    ///
    /// #[derive(Module)]
    /// struct Net { used: Linear, forgotten: Linear }
    ///
    /// let net = Net { used: Linear::new(2, 1), forgotten: Linear::new(2, 1) };
    /// net.used.forward(&Variable::ones([1, 2])).sum().backward();
    /// assert_eq!(net.missing_gradients(), ["forgotten.weight", "forgotten.bias"]);
    /// ```
    #[must_use]
    fn missing_gradients(&self) -> Vec<String> {
        self.named_parameters().missing_gradients().into_iter().map(String::from).collect()
    }

    /// Freezes (`false`) or thaws (`true`) all parameters.
    fn requires_grad_(&self, trainable: bool) {
        self.named_parameters().iter().for_each(|(_, parameter)| parameter.set_requires_grad(trainable));
    }

    /// Turns to training: dropout drops, batch normalisation uses and updates the statistics of the batch.
    fn train(&self) {
        set_training(self, true);
    }

    /// Turns to evaluation: dropout passes, batch normalisation uses its running statistics.
    fn eval(&self) {
        set_training(self, false);
    }

    /// Calls `function` with the name of each parameter and the parameter: to initialise, to freeze some, to look.
    ///
    /// ```
    /// use wengert_nn::{Init, Linear, Module};
    ///
    /// let layer = Linear::new(3, 3);
    /// layer.apply(|name, parameter| {
    ///     if name.ends_with("weight") {
    ///         Init::Eye.fill(parameter);
    ///     }
    /// });
    /// assert_eq!(layer.weight.value(), wengert_autograd::Tensor::eye(3));
    /// ```
    fn apply(&self, mut function: impl FnMut(&str, &Variable<T>))
    where
        Self: Sized,
    {
        self.named_parameters().iter().for_each(|(name, parameter)| function(name, parameter));
    }

    /// An independent model of the same values, in which what was tied is tied again.
    ///
    /// A plain `clone()` shares the parameters with the original.
    ///
    /// ```
    /// use wengert_nn::{Linear, Module};
    ///
    /// let layers = vec![Linear::new(2, 2); 2]; // one layer used twice
    /// let copy = layers.copy();
    /// assert!(copy[0].weight.is_same(&copy[1].weight));
    /// assert!(!copy[0].weight.is_same(&layers[0].weight));
    /// ```
    #[must_use]
    fn copy(&self) -> Self
    where
        Self: Sized + Clone,
    {
        let mut copy = self.clone();
        let mut copied: Vec<(Variable<T>, Variable<T>)> = Vec::new();
        let mut fresh = |old: &Variable<T>| match copied.iter().find(|(known, _)| known.is_same(old)) {
            Some((_, new)) => new.clone(),
            None => {
                let new = Variable::buffer(old.value());
                new.set_requires_grad(old.needs_grad());
                copied.push((old.clone(), new.clone()));
                new
            }
        };
        let mut replace = |member: MemberMut<'_, T>| match member {
            MemberMut::Parameter(parameter) => *parameter = fresh(parameter),
            MemberMut::Buffer(buffer) => *buffer = Buffer::from_leaf(fresh(buffer.leaf())),
            MemberMut::Training(_) => {}
        };
        copy.visit_mut(&mut VisitorMut { replace: &mut replace });
        copy
    }

    /// All parameters and buffers with their names: what a file of weights holds. A tied parameter is listed under each
    /// of its names, as PyTorch does.
    fn state_dict(&self) -> StateDict<T> {
        StateDict::of(self)
    }

    /// Sets all parameters and buffers from a dictionary, strictly: every name must be there, in its shape, and no other.
    ///
    /// # Errors
    /// Lists all names that are missing, unexpected, or of another shape; then nothing has been changed. A tied
    /// parameter is missing only when none of its names is there.
    fn load_state_dict(&self, dict: &StateDict<T>) -> Result<(), StateDictError> {
        state::load(self, dict, true).map(|_| ())
    }

    /// Sets the parameters and buffers whose names the dictionary has, and returns what did not match.
    ///
    /// # Errors
    /// If a name has another shape; then nothing has been changed.
    fn load_state_dict_partially(&self, dict: &StateDict<T>) -> Result<Unmatched, StateDictError> {
        state::load(self, dict, false)
    }

    /// What the summary calls this module: the name of its type.
    fn kind(&self) -> &'static str {
        summary::short_name(std::any::type_name::<Self>())
    }

    /// A table of the parts that have parameters, to be printed, for an input of this shape; see [`Summary`].
    ///
    /// # Panics
    /// If the input does not fit the model.
    #[track_caller]
    fn summary(&self, input: &[usize]) -> Summary
    where
        Self: Layer<Variable<T>, Output = Variable<T>> + Sized,
    {
        Summary::of(self, |model| model.forward(&Variable::new(Tensor::zeros(input))))
    }

    /// The same for a model with other inputs: `forward` calls it. Nothing is changed by the call: it is made in evaluation.
    ///
    /// ```
    /// use wengert_autograd::Tensor;
    /// use wengert_nn::{Embedding, Layer, Module};
    ///
    /// let model = Embedding::new(1000, 16);
    /// let summary = model.summary_of(|model| model.forward(&Tensor::zeros([8, 5])));
    /// assert!(summary.to_string().contains("Embedding  [8, 5, 16]  [1000, 16]       16000"));
    /// ```
    fn summary_of(&self, forward: impl FnOnce(&Self) -> Variable<T>) -> Summary
    where
        Self: Sized,
    {
        Summary::of(self, forward)
    }
}

/// Goes through a module and shows its members to a function; the derive calls [`field`](Visitor::field).
pub struct Visitor<'a, T: Float = f32> {
    path: &'a mut String,
    found: &'a mut dyn FnMut(&str, Member<'_, T>),
}

impl<T: Float> Visitor<'_, T> {
    /// Visits a field, whose members get its name before theirs.
    pub fn field<M: Module<T> + ?Sized>(&mut self, name: &str, field: &M) {
        let len = self.path.len();
        if len > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        (self.found)(self.path, Member::Enter(field.kind()));
        field.visit(self);
        self.path.truncate(len);
    }

    fn found(&mut self, member: Member<'_, T>) {
        (self.found)(self.path, member);
    }
}

/// Goes through a module and may replace its members; the derive calls [`field`](VisitorMut::field).
pub struct VisitorMut<'a, T: Float = f32> {
    replace: &'a mut dyn FnMut(MemberMut<'_, T>),
}

impl<T: Float> VisitorMut<'_, T> {
    /// Visits a field.
    pub fn field<M: Module<T> + ?Sized>(&mut self, _name: &str, field: &mut M) {
        field.visit_mut(self);
    }
}

/// Shows every member of `module`, with its dotted name, to `found`.
fn each<T: Float, M: Module<T> + ?Sized>(module: &M, mut found: impl FnMut(&str, Member<'_, T>)) {
    module.visit(&mut Visitor { path: &mut String::new(), found: &mut found });
}

fn set_training<T: Float, M: Module<T> + ?Sized>(module: &M, on: bool) {
    each(module, |_, member| {
        if let Member::Training(flag) = member {
            flag.set(on);
        }
    });
}
