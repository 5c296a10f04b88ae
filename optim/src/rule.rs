//! [`Rule`]: what an optimiser does to one parameter; [`FirstOrder`]: a rule at work on all of them.
//!
//! ```
//! use wengert_autograd::{Float, NamedParameters, Tensor, Variable, scalar::{Formula, Real}};
//! use wengert_optim::{FirstOrder, Optimizer, Rule, Slot};
//!
//! /// The sign of the gradient alone: p ← p − γ·sign(g).
//! #[derive(Clone, Copy, Debug)]
//! struct SignDescent { lr: f64 }
//!
//! impl Formula<2> for SignDescent {
//!     fn name(&self) -> &'static str { "sign descent" }
//!     #[inline(always)]
//!     fn eval<R: Real>(&self, [p, g]: [R; 2]) -> [R; 1] { [p - R::constant(self.lr) * g.sign()] }
//! }
//! impl Rule for SignDescent {
//!     const NAME: &'static str = "sign descent";
//!     fn states(&self) -> &'static [&'static str] { &[] }
//!     fn lr(&self) -> f64 { self.lr }
//!     fn set_lr(&mut self, lr: f64) { self.lr = lr; }
//!     fn update<T: Float>(&self, slot: &mut Slot<T>, gradient: &Tensor<T>) { slot.apply(self, gradient); }
//! }
//!
//! let w = Variable::parameter(Tensor::from_vec(vec![1.0_f32, -2.0], [2]).unwrap());
//! let parameters = NamedParameters::from_iter([("w", w.clone())]);
//! let mut descent = FirstOrder::with_rule(parameters, SignDescent { lr: 0.5 });
//! (&w * &w).sum().backward();
//! descent.step();
//! assert_eq!(w.value().to_vec(), [0.5, -1.5]);
//! ```
//!
//! Nearly all optimisers are the same program around a line of arithmetic: for each parameter that has a gradient, count
//! the step, find the parameter's state, and write new values. The rule is the line, usually a
//! [`Formula`] of parameter, gradient and state, which runs as one pass over memory;
//! everything else is here: groups with settings of their own, learning rates for schedules, states that are saved and
//! loaded by the parameter's name.

use crate::state::{OptimizerState, ParameterState, StateError};
use std::any::Any;
use wengert_autograd::{Float, NamedParameters, Tensor, Variable, scalar::Formula, update_parameter};

/// What an optimiser does to one parameter; its fields are its settings. See the [module documentation](self).
pub trait Rule: Clone + Send + Sync + 'static {
    /// The optimiser's name in messages and saved states.
    const NAME: &'static str;

    /// The names of the state tensors that each parameter has, all of the parameter's shape.
    fn states(&self) -> &'static [&'static str];

    /// The first value of a state; 0 unless the rule says otherwise.
    fn first(&self, _state: usize) -> f64 {
        0.0
    }

    /// The learning rate.
    fn lr(&self) -> f64;

    /// Sets the learning rate: what a schedule calls.
    fn set_lr(&mut self, lr: f64);

    /// Sets the momentum (β₁ where there are two), for schedules that move it; a rule without momentum ignores it.
    fn set_momentum(&mut self, _momentum: f64) {}

    /// Performs one step: gives the slot's parameter and states new values. `slot.step` counts from 1.
    fn update<T: Float>(&self, slot: &mut Slot<T>, gradient: &Tensor<T>);

    /// [`update`](Rule::update) for f32. The rules of this crate have it compiled here, with this crate's optimisation.
    #[doc(hidden)]
    fn update_single(&self, slot: &mut Slot<f32>, gradient: &Tensor<f32>) {
        self.update(slot, gradient);
    }

    /// As [`update_single`](Rule::update_single), for f64.
    #[doc(hidden)]
    fn update_double(&self, slot: &mut Slot<f64>, gradient: &Tensor<f64>) {
        self.update(slot, gradient);
    }
}

/// The parts that are the same in every implementation of [`Rule`] here: the learning rate is the field `lr`, and the
/// update for both number types is compiled in this crate, so that a user's debug build does not compile the loop again
/// without optimisation.
macro_rules! standard_parts {
    () => {
        fn lr(&self) -> f64 {
            self.lr
        }
        fn set_lr(&mut self, lr: f64) {
            self.lr = lr;
        }
        #[inline(never)]
        fn update_single(&self, slot: &mut Slot<f32>, gradient: &Tensor<f32>) {
            self.update(slot, gradient);
        }
        #[inline(never)]
        fn update_double(&self, slot: &mut Slot<f64>, gradient: &Tensor<f64>) {
            self.update(slot, gradient);
        }
    };
}
pub(crate) use standard_parts;

/// A parameter, and what its optimiser remembers of it.
#[derive(Clone, Debug)]
pub struct Slot<T: Float> {
    /// The dotted name.
    pub name: String,
    /// The parameter.
    pub parameter: Variable<T>,
    /// How many steps it has made, this one included.
    pub step: u64,
    /// One for each name in [`Rule::states`]; none before the first step.
    pub states: Vec<Tensor<T>>,
    /// A number that the rule carries from step to step, 1 at first.
    pub carried: f64,
}

impl<T: Float> Slot<T> {
    fn new(name: String, parameter: Variable<T>) -> Self {
        Slot { name, parameter, step: 0, states: Vec::new(), carried: 1.0 }
    }

    /// New values by a formula from (parameter, gradient, states …) to (parameter, states …), in one pass.
    pub fn apply<F: Formula<N, M>, const N: usize, const M: usize>(
        &mut self,
        formula: &F,
        gradient: &Tensor<T>,
    ) {
        update_parameter(formula, &self.parameter, gradient, &mut self.states);
    }
}

/// Parameters that share their settings.
#[derive(Clone, Debug)]
pub(crate) struct Group<R, T: Float> {
    pub(crate) rule: R,
    pub(crate) slots: Vec<Slot<T>>,
}

/// An optimiser: takes the gradients that backward passes have left in the parameters, and makes steps.
pub trait Optimizer<T: Float = f32> {
    /// Gives each parameter that has a gradient a new value.
    fn step(&mut self);

    /// The parameters, group after group.
    fn parameters(&self) -> NamedParameters<T>;

    /// How many groups of parameters there are; without [`FirstOrder::group`] one.
    fn groups(&self) -> usize;

    /// The learning rate of a group.
    ///
    /// # Panics
    /// If there is no such group.
    fn learning_rate(&self, group: usize) -> f64;

    /// Sets the learning rate of a group.
    ///
    /// # Panics
    /// If there is no such group.
    fn set_learning_rate(&mut self, group: usize, lr: f64);

    /// Sets the momentum (β₁ where there are two) of a group; ignored by optimisers without one.
    fn set_momentum(&mut self, group: usize, momentum: f64);

    /// What the optimiser remembers, by parameter name: to be stored with a model in training.
    fn state(&self) -> OptimizerState<T>;

    /// Goes on from a stored state.
    ///
    /// # Errors
    /// If it is another optimiser's, or a parameter's name is missing, unknown, or of another shape; then nothing has
    /// been changed.
    fn load_state(&mut self, state: OptimizerState<T>) -> Result<(), StateError>;

    /// Removes the gradients of all parameters, before the next backward pass adds to them.
    fn zero_grad(&self) {
        self.parameters().zero_grad();
    }

    /// Sets the learning rate of all groups.
    fn set_lr(&mut self, lr: f64) {
        (0..self.groups()).for_each(|group| self.set_learning_rate(group, lr));
    }
}

/// A borrowed optimiser is one.
impl<T: Float, O: Optimizer<T> + ?Sized> Optimizer<T> for &mut O {
    fn step(&mut self) {
        (**self).step();
    }
    fn parameters(&self) -> NamedParameters<T> {
        (**self).parameters()
    }
    fn groups(&self) -> usize {
        (**self).groups()
    }
    fn learning_rate(&self, group: usize) -> f64 {
        (**self).learning_rate(group)
    }
    fn set_learning_rate(&mut self, group: usize, lr: f64) {
        (**self).set_learning_rate(group, lr);
    }
    fn set_momentum(&mut self, group: usize, momentum: f64) {
        (**self).set_momentum(group, momentum);
    }
    fn state(&self) -> OptimizerState<T> {
        (**self).state()
    }
    fn load_state(&mut self, state: OptimizerState<T>) -> Result<(), StateError> {
        (**self).load_state(state)
    }
}

/// An optimiser that applies a [`Rule`] to each parameter by itself; `Adam`, `Sgd` and the others are names for it.
#[derive(Clone, Debug)]
pub struct FirstOrder<R: Rule, T: Float = f32> {
    groups: Vec<Group<R, T>>,
}

impl<R: Rule, T: Float> FirstOrder<R, T> {
    /// An optimiser of these parameters with this rule.
    pub fn with_rule(parameters: NamedParameters<T>, rule: R) -> Self {
        let slots = parameters.into_iter().map(|(name, parameter)| Slot::new(name, parameter)).collect();
        FirstOrder { groups: vec![Group { rule, slots }] }
    }

    /// Makes a group of the parameters whose names `wanted` accepts, with settings of its own.
    ///
    /// ```
    /// # use wengert_autograd::{NamedParameters, Tensor, Variable};
    /// use wengert_optim::{AdamW, Optimizer};
    /// # let p = || Variable::parameter(Tensor::<f32>::ones([2]));
    /// # let parameters = NamedParameters::from_iter([("weight", p()), ("bias", p())]);
    /// let adam = AdamW::new(parameters)
    ///     .lr(1e-3)
    ///     .group(|name| name.ends_with("bias"), |settings| settings.weight_decay = 0.0);
    /// assert_eq!(adam.groups(), 2);
    /// ```
    ///
    /// The settings begin as those of the first group; builder methods that follow change all groups.
    ///
    /// # Panics
    /// If no parameter has such a name.
    #[must_use]
    #[track_caller]
    pub fn group(mut self, mut wanted: impl FnMut(&str) -> bool, settings: impl FnOnce(&mut R)) -> Self {
        let mut slots = Vec::new();
        for group in &mut self.groups {
            slots.extend(group.slots.extract_if(.., |slot| wanted(&slot.name)));
        }
        assert!(
            !slots.is_empty(),
            "{}: no parameter has a name that makes it part of the new group",
            R::NAME
        );
        let mut rule = self.groups[0].rule.clone();
        settings(&mut rule);
        self.groups.push(Group { rule, slots });
        self
    }

    /// Changes the settings of all groups.
    #[must_use]
    pub fn configure(mut self, mut change: impl FnMut(&mut R)) -> Self {
        self.groups.iter_mut().for_each(|group| change(&mut group.rule));
        self
    }

    /// The settings of a group.
    ///
    /// # Panics
    /// If there is no such group.
    pub fn rule(&self, group: usize) -> &R {
        &self.groups[group].rule
    }

    fn slots(&self) -> impl Iterator<Item = (&Slot<T>, &'static [&'static str])> {
        self.groups.iter().flat_map(|group| group.slots.iter().map(|slot| (slot, group.rule.states())))
    }
}

impl<R: Rule, T: Float> Optimizer<T> for FirstOrder<R, T> {
    fn step(&mut self) {
        for Group { rule, slots } in &mut self.groups {
            for slot in slots {
                let Some(gradient) = slot.parameter.grad() else { continue };
                slot.step += 1;
                if slot.states.len() != rule.states().len() {
                    let first = |k| Tensor::full(slot.parameter.shape(), T::from_f64(rule.first(k)));
                    slot.states = (0..rule.states().len()).map(first).collect();
                }
                // One of the two holds; the match calls the copy that was compiled with the rule.
                let (slot, gradient): (&mut dyn Any, &dyn Any) = (slot, &gradient);
                if let (Some(slot), Some(gradient)) = (slot.downcast_mut(), gradient.downcast_ref()) {
                    rule.update_single(slot, gradient);
                } else if let (Some(slot), Some(gradient)) = (slot.downcast_mut(), gradient.downcast_ref()) {
                    rule.update_double(slot, gradient);
                }
            }
        }
    }

    fn parameters(&self) -> NamedParameters<T> {
        self.slots().map(|(slot, _)| (slot.name.clone(), slot.parameter.clone())).collect()
    }

    fn groups(&self) -> usize {
        self.groups.len()
    }

    fn learning_rate(&self, group: usize) -> f64 {
        self.groups[group].rule.lr()
    }

    fn set_learning_rate(&mut self, group: usize, lr: f64) {
        self.groups[group].rule.set_lr(lr);
    }

    fn set_momentum(&mut self, group: usize, momentum: f64) {
        self.groups[group].rule.set_momentum(momentum);
    }

    fn state(&self) -> OptimizerState<T> {
        let parameters = self.slots().map(|(slot, names)| {
            let states = names.iter().map(|name| name.to_string()).zip(slot.states.iter().cloned()).collect();
            (slot.name.clone(), ParameterState { step: slot.step, carried: slot.carried, states })
        });
        OptimizerState { optimizer: R::NAME.into(), parameters: parameters.collect() }
    }

    fn load_state(&mut self, mut state: OptimizerState<T>) -> Result<(), StateError> {
        let wanted = self.slots().map(|(slot, names)| (slot.name.as_str(), slot.parameter.shape(), names));
        state.check(R::NAME, wanted)?;
        for slot in self.groups.iter_mut().flat_map(|group| &mut group.slots) {
            let ParameterState { step, carried, states } =
                state.parameters.remove(&slot.name).expect("checked above");
            (slot.step, slot.carried) = (step, carried);
            slot.states = states.into_iter().map(|(_, state)| state).collect();
        }
        Ok(())
    }
}

/// The settings of an optimiser, its name, and a builder method for each setting.
///
/// ```text
/// settings! {
///     /// documentation of the optimiser
///     Sgd is SgdRule {
///         /// documentation of the setting
///         lr: f64 = 1e-3,
///     }
/// }
/// ```
macro_rules! settings {
    ($(#[$doc:meta])* $optimizer:ident is $rule:ident {
        $($(#[$setting_doc:meta])* $setting:ident: $type:ty = $default:expr,)*
    }) => {
        #[doc = concat!("The settings of [`", stringify!($optimizer), "`].")]
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $rule {
            $($(#[$setting_doc])* pub $setting: $type,)*
        }

        impl Default for $rule {
            fn default() -> Self {
                $rule { $($setting: $default,)* }
            }
        }

        $(#[$doc])*
        pub type $optimizer<T = f32> = $crate::rule::FirstOrder<$rule, T>;

        impl<T: wengert_autograd::Float> $optimizer<T> {
            /// An optimiser of these parameters, with the default settings.
            pub fn new(parameters: wengert_autograd::NamedParameters<T>) -> Self {
                Self::with_rule(parameters, $rule::default())
            }
            $(
                $(#[$setting_doc])*
                #[must_use]
                pub fn $setting(self, $setting: $type) -> Self {
                    self.configure(|rule| rule.$setting = $setting)
                }
            )*
        }
    };
}
pub(crate) use settings;
