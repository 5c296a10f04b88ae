//! The best epoch: to stop when there is no better one, to keep its weights.

use super::super::{Callback, CallbackState, Run, TrainError};
use crate::{Float, nn::StateDict, storage::save_weights};
use std::path::PathBuf;

/// Follows a measurement and says when it is better than ever.
#[derive(Clone, Debug)]
struct Best {
    measurement: String,
    largest: bool,
    min_delta: f64,
    best: Option<f64>,
    /// How many epochs in a row were not better.
    since: f64,
}

impl Best {
    fn new(measurement: String) -> Self {
        Best { measurement, largest: false, min_delta: 0.0, best: None, since: 0.0 }
    }

    /// Takes note of the epoch that ended; whether it is better.
    fn improves<T: Float>(&mut self, run: &Run<'_, T>) -> Result<bool, TrainError> {
        let value = run.last(&self.measurement)?;
        let better = match self.best {
            None => !value.is_nan(),
            Some(best) if self.largest => value > best + self.min_delta,
            Some(best) => value < best - self.min_delta,
        };
        if better {
            self.best = Some(value);
            self.since = 0.0;
        } else {
            self.since += 1.0;
        }
        Ok(better)
    }

    fn numbers(&self) -> Vec<f64> {
        vec![self.since, f64::from(u8::from(self.best.is_some())), self.best.unwrap_or(0.0)]
    }

    fn restore(&mut self, numbers: &[f64]) {
        if let &[since, known, best] = numbers {
            self.since = since;
            self.best = (known == 1.0).then_some(best);
        }
    }
}

/// The builder methods that both callbacks have.
macro_rules! what_is_better {
    () => {
        /// Larger is better, as for an accuracy; without this smaller is, as for a loss.
        #[must_use]
        pub fn maximize(mut self) -> Self {
            self.best.largest = true;
            self
        }
        /// By how much an epoch must be better to count: 0.
        #[must_use]
        pub fn min_delta(mut self, delta: f64) -> Self {
            self.best.min_delta = delta;
            self
        }
    };
}

/// Stops when no epoch has been better for some time, and gives the model the weights of the best one.
///
/// ```
/// use wengert::train::EarlyStopping;
/// let stop = EarlyStopping::new("val_accuracy").maximize().patience(3).min_delta(0.001);
/// # let _: &dyn wengert::train::Callback = &stop;
/// ```
///
/// The best weights are given back whatever ended the training.
#[derive(Clone, Debug)]
pub struct EarlyStopping<T: Float = f32> {
    best: Best,
    patience: f64,
    restore: bool,
    weights: Option<StateDict<T>>,
}

impl<T: Float> EarlyStopping<T> {
    /// By a measurement, such as `val_loss`; smaller is better, and 5 epochs in a row may fail to be.
    pub fn new(measurement: impl Into<String>) -> Self {
        EarlyStopping { best: Best::new(measurement.into()), patience: 5.0, restore: true, weights: None }
    }
    what_is_better!();
    /// How many epochs in a row may fail to be better: 5.
    #[must_use]
    pub fn patience(mut self, epochs: u32) -> Self {
        self.patience = f64::from(epochs);
        self
    }
    /// Whether to give the model the best weights at the end: yes.
    #[must_use]
    pub fn restore_best(mut self, restore: bool) -> Self {
        self.restore = restore;
        self
    }
}

impl<T: Float> Callback<T> for EarlyStopping<T> {
    fn on_epoch_end(&mut self, run: &mut Run<'_, T>) -> Result<(), TrainError> {
        if self.best.improves(run)? {
            self.weights = self.restore.then(|| run.model.state_dict());
        } else if self.best.since > self.patience {
            let Best { measurement, since, .. } = &self.best;
            run.stop(format!("{measurement} has not become better for {since} epochs"));
        }
        Ok(())
    }

    fn on_fit_end(&mut self, run: &mut Run<'_, T>) -> Result<(), TrainError> {
        if let Some(weights) = &self.weights {
            run.model.load_state_dict(weights)?;
        }
        Ok(())
    }

    fn state(&self) -> CallbackState<T> {
        CallbackState { numbers: self.best.numbers(), model: self.weights.clone() }
    }

    fn restore(&mut self, state: CallbackState<T>) {
        self.best.restore(&state.numbers);
        self.weights = state.model;
    }
}

/// Writes the weights into a file whenever an epoch is better than all before.
///
/// ```
/// use wengert::train::SaveBest;
/// let keep = SaveBest::new("best.safetensors", "val_loss");
/// # let _: &dyn wengert::train::Callback = &keep;
/// ```
#[derive(Clone, Debug)]
pub struct SaveBest {
    best: Best,
    path: PathBuf,
}

impl SaveBest {
    /// Into this file (`safetensors`, see [`load_weights`](crate::storage::load_weights)), by a measurement of which
    /// smaller is better.
    pub fn new(path: impl Into<PathBuf>, measurement: impl Into<String>) -> Self {
        SaveBest { best: Best::new(measurement.into()), path: path.into() }
    }
    what_is_better!();
}

impl<T: Float> Callback<T> for SaveBest {
    fn on_epoch_end(&mut self, run: &mut Run<'_, T>) -> Result<(), TrainError> {
        if self.best.improves(run)? {
            save_weights(&self.path, &run.model.state_dict())?;
        }
        Ok(())
    }

    fn state(&self) -> CallbackState<T> {
        CallbackState { numbers: self.best.numbers(), model: None }
    }

    fn restore(&mut self, state: CallbackState<T>) {
        self.best.restore(&state.numbers);
    }
}
