//! A learning rate that falls when a measurement no longer does.

use super::super::{Callback, CallbackState, Run, TrainError};
use crate::{Float, optim::schedule::ReduceLrOnPlateau};

/// [`ReduceLrOnPlateau`] after each epoch.
///
/// ```
/// use wengert::{optim::schedule::ReduceLrOnPlateau, train::ReduceOnPlateau};
/// let plateau = ReduceOnPlateau::new("val_loss", ReduceLrOnPlateau { patience: 2, ..Default::default() });
/// # let _: &dyn wengert::train::Callback = &plateau;
/// ```
#[derive(Clone, Debug)]
pub struct ReduceOnPlateau {
    measurement: String,
    plateau: ReduceLrOnPlateau,
}

impl ReduceOnPlateau {
    /// By a measurement, such as `val_loss`.
    pub fn new(measurement: impl Into<String>, plateau: ReduceLrOnPlateau) -> Self {
        ReduceOnPlateau { measurement: measurement.into(), plateau }
    }
}

impl<T: Float> Callback<T> for ReduceOnPlateau {
    fn on_epoch_end(&mut self, run: &mut Run<'_, T>) -> Result<(), TrainError> {
        self.plateau.step(run.last(&self.measurement)?, &mut *run.optimizer);
        Ok(())
    }

    fn state(&self) -> CallbackState<T> {
        let ReduceLrOnPlateau { best, bad, cooling, .. } = self.plateau;
        let mut numbers = vec![bad as f64, cooling as f64];
        numbers.extend(best);
        CallbackState { numbers, model: None }
    }

    fn restore(&mut self, state: CallbackState<T>) {
        if let [bad, cooling, best @ ..] = &state.numbers[..] {
            self.plateau.best = best.first().copied();
            (self.plateau.bad, self.plateau.cooling) = (*bad as u64, *cooling as u64);
        }
    }
}
