//! Metrics: how good predictions are, gathered batch by batch.
//!
//! ```
//! use wengert::{prelude::*, train::metrics::{Accuracy, Metric, Tally}};
//!
//! let mut accuracy = Accuracy::new();
//! let scores = Variable::from([[2.0, 1.0], [0.0, 3.0], [1.0, 0.0]]);
//! accuracy.update(&scores, &tensor![0, 1, 1]);
//! assert_eq!((accuracy.name().as_str(), accuracy.value()), ("accuracy", 2.0 / 3.0));
//! ```
//!
//! | metric | of |
//! |---|---|
//! | [`Accuracy`], [`TopK`], [`ClassScore`] (precision, recall, F1), [`ConfusionMatrix`], [`Perplexity`] | class scores \[N, C\] or \[N, C, …\] and class numbers |
//! | [`Auc`], [`Accuracy`] | one score a row and whether it is positive |
//! | [`MeanSquaredError`], [`MeanAbsoluteError`], [`R2`] | numbers and numbers |
//! | [`MeanOf`] | anything, by a function |
//!
//! A metric counts over all the items of an epoch, and is not the mean of what it is on the batches: F1, AUC and R² of
//! parts do not add up to those of the whole. What it has counted is a list of numbers, so that a training that was
//! interrupted in the middle of an epoch goes on counting.

mod classification;
mod confusion;
mod ranking;
mod regression;

pub use classification::{Accuracy, Perplexity, TopK};
pub use confusion::{Average, ClassScore, ConfusionMatrix};
pub use ranking::{Auc, roc_curve};
pub use regression::{MeanAbsoluteError, MeanSquaredError, R2};

use crate::datasets::BatchSize;

/// What a metric has counted so far.
pub trait Tally {
    /// What it is called in logs and in [`History`](super::History).
    fn name(&self) -> String;

    /// The metric of everything since the last reset; NaN where there was nothing.
    fn value(&self) -> f64;

    /// What has been counted since the last reset.
    fn state(&self) -> Vec<f64>;

    /// Goes on from what [`state`](Tally::state) returned; from nothing, if it is empty.
    fn restore(&mut self, state: &[f64]);

    /// Forgets everything.
    fn reset(&mut self) {
        self.restore(&[]);
    }
}

/// How good outputs `O` are for targets `Y`: a [`Tally`] that takes batches of them into account.
pub trait Metric<O, Y>: Tally {
    /// Takes a batch into account.
    fn update(&mut self, output: &O, target: &Y);
}

/// The sum of something, and how much of it there was.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    pub(crate) fn add(&mut self, sum: f64, count: f64) {
        self.sum += sum;
        self.count += count;
    }
    pub(crate) fn value(&self) -> f64 {
        self.sum / self.count
    }
    pub(crate) fn state(&self) -> Vec<f64> {
        vec![self.sum, self.count]
    }
    pub(crate) fn restore(&mut self, state: &[f64]) {
        *self = match state {
            &[sum, count] => Mean { sum, count },
            _ => Mean::default(),
        };
    }
}

/// The [`Tally`] of a metric that is a mean, in its field `mean`.
macro_rules! tally_of_mean {
    ($metric:ident $(<$f:ident>)?, |$self:ident| $name:expr) => {
        impl$(<$f>)? Tally for $metric$(<$f>)? {
            fn name(&$self) -> String {
                $name.to_string()
            }
            fn value(&self) -> f64 {
                self.mean.value()
            }
            fn state(&self) -> Vec<f64> {
                self.mean.state()
            }
            fn restore(&mut self, state: &[f64]) {
                self.mean.restore(state);
            }
        }
    };
}
use tally_of_mean;

/// The mean of a function of output and target, each batch with the weight of its size.
///
/// ```
/// use wengert::{prelude::*, train::metrics::{MeanOf, Metric, Tally}};
///
/// let mut largest = MeanOf::new("largest error", |y: &Variable, target: &Variable| {
///     f64::from((y - target).abs().amax().item())
/// });
/// largest.update(&Variable::from([1.0, 2.0]), &Variable::from([1.5, 2.0]));
/// assert_eq!(largest.value(), 0.5);
/// ```
#[derive(Clone, Debug)]
pub struct MeanOf<F> {
    name: String,
    function: F,
    mean: Mean,
}

impl<F> MeanOf<F> {
    /// The mean of this function, under this name.
    pub fn new(name: impl Into<String>, function: F) -> Self {
        MeanOf { name: name.into(), function, mean: Mean::default() }
    }
}

tally_of_mean!(MeanOf<F>, |self| self.name);

impl<O, Y: BatchSize, F: Fn(&O, &Y) -> f64> Metric<O, Y> for MeanOf<F> {
    fn update(&mut self, output: &O, target: &Y) {
        let items = target.batch_size() as f64;
        self.mean.add((self.function)(output, target) * items, items);
    }
}
