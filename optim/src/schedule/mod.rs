//! [`Schedule`]: the learning rate as a function of the step.
//!
//! ```
//! # use wengert_autograd::{NamedParameters, Tensor, Variable};
//! use wengert_optim::{Optimizer, Sgd, schedule::{CosineAnnealingLr, Scheduler}};
//! # let parameters = NamedParameters::from_iter([("w", Variable::parameter(Tensor::<f32>::ones([2])))]);
//! let mut sgd = Sgd::new(parameters).lr(0.1);
//! let mut scheduler = Scheduler::new(CosineAnnealingLr::new(100), &mut sgd);
//! for _ in 0..50 {
//!     // … backward …
//!     sgd.step();
//!     scheduler.step(&mut sgd);
//! }
//! assert!((sgd.learning_rate(0) - 0.05).abs() < 1e-12);
//! ```
//!
//! A schedule has no state: the rate of step t is computed from t, so that going on from a stored state, or looking ahead
//! to draw the curve, needs nothing but a number. A [`Scheduler`] counts the steps and knows the rates that the
//! optimiser's groups began with. Only [`ReduceLrOnPlateau`], which listens to the loss, has a memory.

mod cycle;
mod decay;
mod plateau;
mod warmup;

pub use cycle::{Anneal, CosineAnnealingWarmRestarts, CycleMode, CyclicLr, OneCycleLr};
pub use decay::{
    ConstantLr, CosineAnnealingLr, ExponentialLr, LambdaLr, LinearLr, MultiStepLr, PolynomialLr, StepLr,
};
pub use plateau::{PlateauMode, ReduceLrOnPlateau, Threshold};
pub use warmup::{Noam, WarmupConstant, WarmupCosine, WarmupLinear};

use crate::Optimizer;
use wengert_autograd::Float;

/// The learning rate as a function of the step, from 0, and of the rate that a group began with.
pub trait Schedule {
    /// The learning rate of step `step` for a group that began with `base`.
    fn lr(&self, base: f64, step: u64) -> f64;

    /// The momentum of step `step`, if the schedule moves it.
    fn momentum(&self, _step: u64) -> Option<f64> {
        None
    }
}

impl<S: Schedule + ?Sized> Schedule for Box<S> {
    fn lr(&self, base: f64, step: u64) -> f64 {
        (**self).lr(base, step)
    }
    fn momentum(&self, step: u64) -> Option<f64> {
        (**self).momentum(step)
    }
}

/// Sets an optimiser's learning rates by a schedule, group by group.
#[derive(Clone, Debug)]
pub struct Scheduler<S> {
    schedule: S,
    base: Vec<f64>,
    step: u64,
}

impl<S: Schedule> Scheduler<S> {
    /// Takes the optimiser's rates as those that it begins with, and sets those of step 0.
    pub fn new<T: Float>(schedule: S, optimizer: &mut (impl Optimizer<T> + ?Sized)) -> Self {
        let base = (0..optimizer.groups()).map(|group| optimizer.learning_rate(group)).collect();
        let scheduler = Scheduler { schedule, base, step: 0 };
        scheduler.apply(optimizer);
        scheduler
    }

    /// Sets the rates of the next step; to be called after each step of the optimiser, or after each epoch if the
    /// schedule counts epochs.
    pub fn step<T: Float>(&mut self, optimizer: &mut (impl Optimizer<T> + ?Sized)) {
        self.step += 1;
        self.apply(optimizer);
    }

    /// How many steps have been made.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Goes on from a step, as after loading a stored state.
    pub fn seek<T: Float>(&mut self, step: u64, optimizer: &mut (impl Optimizer<T> + ?Sized)) {
        self.step = step;
        self.apply(optimizer);
    }

    fn apply<T: Float>(&self, optimizer: &mut (impl Optimizer<T> + ?Sized)) {
        for (group, &base) in self.base.iter().enumerate() {
            optimizer.set_learning_rate(group, self.schedule.lr(base, self.step));
            if let Some(momentum) = self.schedule.momentum(self.step) {
                optimizer.set_momentum(group, momentum);
            }
        }
    }
}

/// One schedule after the other: each begins at its own step 0 when the one before it ends.
pub struct SequentialLr {
    first: Box<dyn Schedule + Send + Sync>,
    rest: Vec<(u64, Box<dyn Schedule + Send + Sync>)>,
}

impl SequentialLr {
    /// Begins with this schedule.
    ///
    /// ```
    /// use wengert_optim::schedule::{ExponentialLr, LinearLr, Schedule, SequentialLr};
    /// let warm = SequentialLr::new(LinearLr::new(0.1, 1.0, 10)).then(10, ExponentialLr::new(0.9));
    /// assert_eq!(warm.lr(1.0, 10), 1.0);
    /// assert_eq!(warm.lr(1.0, 11), 0.9);
    /// ```
    pub fn new(first: impl Schedule + Send + Sync + 'static) -> Self {
        SequentialLr { first: Box::new(first), rest: Vec::new() }
    }

    /// Goes on with `schedule` from step `milestone`.
    ///
    /// # Panics
    /// If the milestone is not after the one before.
    #[must_use]
    #[track_caller]
    pub fn then(mut self, milestone: u64, schedule: impl Schedule + Send + Sync + 'static) -> Self {
        let last = self.rest.last().map_or(0, |(last, _)| *last);
        assert!(milestone > last, "SequentialLr: milestone {milestone} is not after {last}");
        self.rest.push((milestone, Box::new(schedule)));
        self
    }

    fn at(&self, step: u64) -> (&dyn Schedule, u64) {
        match self.rest.iter().rfind(|(milestone, _)| *milestone <= step) {
            Some((milestone, schedule)) => (schedule, step - milestone),
            None => (&self.first, step),
        }
    }
}

impl Schedule for SequentialLr {
    fn lr(&self, base: f64, step: u64) -> f64 {
        let (schedule, step) = self.at(step);
        schedule.lr(base, step)
    }
    fn momentum(&self, step: u64) -> Option<f64> {
        let (schedule, step) = self.at(step);
        schedule.momentum(step)
    }
}

/// Several schedules at once: the product of the factors by which each changes the first rate.
#[derive(Default)]
pub struct ChainedLr(Vec<Box<dyn Schedule + Send + Sync>>);

impl ChainedLr {
    /// None yet: the rate stays as it is.
    pub fn new() -> Self {
        ChainedLr::default()
    }

    /// Adds a schedule.
    #[must_use]
    pub fn and(mut self, schedule: impl Schedule + Send + Sync + 'static) -> Self {
        self.0.push(Box::new(schedule));
        self
    }
}

impl Schedule for ChainedLr {
    fn lr(&self, base: f64, step: u64) -> f64 {
        self.0
            .iter()
            .fold(base, |lr, schedule| if base == 0.0 { 0.0 } else { lr * (schedule.lr(base, step) / base) })
    }
}
