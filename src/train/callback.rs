//! Callbacks: what happens beside the training, between batches and between epochs.

use super::{History, Measurements, TrainError};
use crate::{
    Float,
    nn::{Module, StateDict},
    optim::Optimizer,
};
use serde::{Deserialize, Serialize};

/// Something that is called while [`Trainer::fit`](super::Trainer::fit) runs: to watch, to log, to stop.
///
/// ```
/// use wengert::train::{Callback, Run, TrainError};
///
/// /// Stops when an epoch is good enough.
/// struct GoodEnough(f64);
///
/// impl Callback for GoodEnough {
///     fn on_epoch_end(&mut self, run: &mut Run<'_>) -> Result<(), TrainError> {
///         if run.history.last("val_loss").is_some_and(|loss| loss < self.0) {
///             run.stop("good enough");
///         }
///         Ok(())
///     }
/// }
/// ```
///
/// The callbacks are called in the order in which they were added.
pub trait Callback<T: Float = f32> {
    /// Before the first epoch, also of a training that goes on from a stored state.
    ///
    /// # Errors
    /// End the training, as in all other methods.
    fn on_fit_begin(&mut self, _run: &mut Run<'_, T>) -> Result<(), TrainError> {
        Ok(())
    }

    /// Before the first batch of an epoch, or before the batch with which a resumed training goes on.
    ///
    /// # Errors
    /// End the training.
    fn on_epoch_begin(&mut self, _run: &mut Run<'_, T>) -> Result<(), TrainError> {
        Ok(())
    }

    /// After each batch.
    ///
    /// # Errors
    /// End the training.
    fn on_batch_end(&mut self, _run: &mut Run<'_, T>) -> Result<(), TrainError> {
        Ok(())
    }

    /// After each epoch and its validation; the epoch is the last one of `run.history`.
    ///
    /// # Errors
    /// End the training.
    fn on_epoch_end(&mut self, _run: &mut Run<'_, T>) -> Result<(), TrainError> {
        Ok(())
    }

    /// After the last epoch, or when the training was stopped.
    ///
    /// # Errors
    /// End the training.
    fn on_fit_end(&mut self, _run: &mut Run<'_, T>) -> Result<(), TrainError> {
        Ok(())
    }

    /// What it must remember for a training to go on from a checkpoint.
    fn state(&self) -> CallbackState<T> {
        CallbackState::default()
    }

    /// Goes on from what [`state`](Callback::state) returned.
    fn restore(&mut self, _state: CallbackState<T>) {}
}

/// What a callback remembers: numbers, and a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct CallbackState<T: Float = f32> {
    /// Whatever the callback counts.
    pub numbers: Vec<f64>,
    /// Weights, such as the best so far.
    pub model: Option<StateDict<T>>,
}

impl<T: Float> Default for CallbackState<T> {
    fn default() -> Self {
        CallbackState { numbers: Vec::new(), model: None }
    }
}

/// A training under way, as a callback sees it.
pub struct Run<'r, T: Float = f32> {
    /// The model.
    pub model: &'r dyn Module<T>,
    /// The optimiser.
    pub optimizer: &'r mut dyn Optimizer<T>,
    /// Where the training stands.
    pub progress: &'r Progress,
    /// The epochs that are finished.
    pub history: &'r History,
    pub(super) measured: &'r dyn Fn() -> Measurements,
    pub(super) stop: &'r mut Option<String>,
}

impl<T: Float> Run<'_, T> {
    /// Loss and metrics of the epoch so far. Some metrics take time to compute: not for every batch.
    pub fn measured(&self) -> Measurements {
        (self.measured)()
    }

    /// Ends the training after this batch or epoch, for this reason.
    pub fn stop(&mut self, reason: impl Into<String>) {
        self.stop.get_or_insert(reason.into());
    }

    /// A measurement of the epoch that just ended.
    ///
    /// # Errors
    /// If there is none of that name; the error lists those there are.
    pub fn last(&self, name: &str) -> Result<f64, TrainError> {
        self.history.last(name).ok_or_else(|| TrainError::UnknownMeasurement {
            name: name.into(),
            known: self.history.names().into_iter().map(String::from).collect(),
        })
    }
}

/// Where a training stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// The epoch, counted from 1.
    pub epoch: u64,
    /// How many epochs there will be.
    pub epochs: u64,
    /// How many batches of the epoch are done.
    pub batch: usize,
    /// How many batches the epoch has, if that is known.
    pub batches: Option<usize>,
    /// How many items of the epoch are done.
    pub items: usize,
    /// How many steps the optimiser has made.
    pub step: u64,
    /// The loss of the last batch.
    pub loss: f64,
    /// The norm of the gradient of the last step before it was clipped, if it was.
    pub gradient_norm: Option<f64>,
}

/// A function as a callback after each epoch; made by [`Trainer::on_epoch`](super::Trainer::on_epoch).
pub(super) struct OnEpoch<F>(pub(super) F);

impl<T: Float, F: FnMut(&super::Epoch)> Callback<T> for OnEpoch<F> {
    fn on_epoch_end(&mut self, run: &mut Run<'_, T>) -> Result<(), TrainError> {
        if let Some(epoch) = run.history.epochs.last() {
            (self.0)(epoch);
        }
        Ok(())
    }
}
