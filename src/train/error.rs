//! Why a training ended without a result.

use crate::{nn::StateDictError, optim::StateError, storage::StorageError};
use std::error::Error;

/// Why a training ended without a result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A loss or a gradient is not a number, or infinite.
    #[error("epoch {epoch}, batch {batch}: the {what} is {value}; {cause}")]
    NotFinite {
        /// The epoch, counted from 1.
        epoch: u64,
        /// The batch of it, counted from 1.
        batch: usize,
        /// `loss`, or `gradient of` and the parameter's name.
        what: String,
        /// NaN, inf or -inf.
        value: f64,
        /// The operation where it began, with the line of the program that recorded it.
        cause: String,
    },
    /// The loader had nothing to learn from.
    #[error("epoch {epoch}: the training data has no batch")]
    NoBatches {
        /// The epoch, counted from 1.
        epoch: u64,
    },
    /// Early stopping, a plateau or a checkpoint listens to something that is not measured.
    #[error("no measurement is called {name:?}; there are {}", known.join(", "))]
    UnknownMeasurement {
        /// What was listened to.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A file could not be written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The stored state of a training could not be written or read.
    #[cfg(feature = "checkpoint")]
    #[error(transparent)]
    Checkpoint(#[from] crate::checkpoint::CheckpointError),
    /// The stored model is another one.
    #[error("{0}")]
    Model(#[from] StateDictError),
    /// The stored optimiser is another one.
    #[error("{0}")]
    Optimizer(#[from] StateError),
    /// The stored state is that of a training with other metrics or callbacks.
    #[error("the stored training has {stored} {what}, this one {found}")]
    Setup {
        /// `metrics` or `callbacks`.
        what: &'static str,
        /// How many the stored training has.
        stored: usize,
        /// How many this one has.
        found: usize,
    },
    /// What a callback of one's own failed with.
    #[error(transparent)]
    Callback(#[from] Box<dyn Error + Send + Sync>),
}
