//! Trainings that go on where they were interrupted.

use super::{CallbackState, History, TrainError, Trainer, trainer::Session};
use crate::{
    Float,
    checkpoint::{Checkpoint, CheckpointError, load, save},
    datasets::{BatchSize, Position},
};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where a training is stored, and when.
pub(super) struct Checkpoints {
    folder: PathBuf,
    /// After how many steps within an epoch.
    every: Option<u64>,
    resume: bool,
}

const FILE: &str = "training.ckpt";

/// Everything that going on needs.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
struct Stored<T: Float> {
    checkpoint: Checkpoint<T>,
    /// Of each group: a callback may have changed them.
    learning_rates: Vec<f64>,
    /// That of the last step.
    learning_rate: f64,
    schedule: u64,
    /// What was counted in the epoch so far.
    items: usize,
    loss: Vec<f64>,
    metrics: Vec<Vec<f64>>,
    history: History,
    callbacks: Vec<CallbackState<T>>,
    /// Why it ended, if it did.
    stop: Option<String>,
}

impl<X, Y: BatchSize, O, T: Float> Trainer<'_, X, Y, O, T> {
    /// Stores the training in this folder after each epoch, and when it is interrupted by a
    /// [`StopFlag`](super::StopFlag): model, optimiser, schedule, random numbers, place in the data, metrics, callbacks,
    /// history.
    ///
    /// The file is replaced as a whole (see [`checkpoint`](mod@crate::checkpoint)): a process that is killed at whatever moment
    /// leaves a good one, and a training that goes on from it ends with the same bits as one that was never interrupted.
    /// The loader, the augmentation and the trainer must be set up as they were, with the same seeds.
    #[must_use]
    pub fn checkpoint(mut self, folder: impl AsRef<Path>) -> Self {
        self.checkpoints = Some(Checkpoints { folder: folder.as_ref().into(), every: None, resume: false });
        self
    }

    /// Stores the training also within epochs, after so many steps of the optimiser.
    ///
    /// # Panics
    /// If no folder was named by [`checkpoint`](Self::checkpoint), or the number is 0.
    #[must_use]
    #[track_caller]
    pub fn checkpoint_every(mut self, steps: u64) -> Self {
        assert!(steps > 0, "checkpoint_every: every 0 steps");
        self.checkpoints.as_mut().expect("checkpoint_every: first name a folder by `checkpoint`").every =
            Some(steps);
        self
    }

    /// Whether to go on with the training that the folder holds; with a new one if it holds none.
    ///
    /// # Panics
    /// If no folder was named by [`checkpoint`](Self::checkpoint).
    #[must_use]
    #[track_caller]
    pub fn resume(mut self, resume: bool) -> Self {
        self.checkpoints.as_mut().expect("resume: first name a folder by `checkpoint`").resume = resume;
        self
    }

    /// Takes the stored training up, or stores the new one: what an earlier training left there is not this one's.
    pub(super) fn restore(&mut self, session: &mut Session) -> Result<(), TrainError> {
        let Some(Checkpoints { folder, resume, .. }) = &self.checkpoints else { return Ok(()) };
        fs::create_dir_all(folder).map_err(|source| CheckpointError::Io { path: folder.clone(), source })?;
        let path = folder.join(FILE);
        if !(*resume && path.exists()) {
            return self.save(session);
        }
        let stored: Stored<T> = load(path)?;
        let fits = |what, stored: usize, found: usize| {
            if stored == found { Ok(()) } else { Err(TrainError::Setup { what, stored, found }) }
        };
        fits("metrics", stored.metrics.len(), self.metrics.len())?;
        fits("callbacks", stored.callbacks.len(), self.callbacks.len())?;
        fits("groups of parameters", stored.learning_rates.len(), self.optimizer.groups())?;
        let Checkpoint { epoch, step, data, ref optimizers, .. } = stored.checkpoint;
        let optimizer =
            optimizers.first().ok_or(TrainError::Setup { what: "optimisers", stored: 0, found: 1 })?;
        self.optimizer.load_state(optimizer.clone())?;
        stored.checkpoint.resume(self.model)?;
        if let Some(scheduler) = &mut self.scheduler {
            scheduler.seek(stored.schedule, &mut *self.optimizer);
        }
        for (group, &lr) in stored.learning_rates.iter().enumerate() {
            self.optimizer.set_learning_rate(group, lr);
        }
        self.metrics.iter_mut().zip(&stored.metrics).for_each(|(metric, state)| metric.restore(state));
        self.callbacks.iter_mut().zip(stored.callbacks).for_each(|(callback, state)| callback.restore(state));
        session.progress.epoch = epoch + 1;
        session.progress.batch = data.map_or(0, |position| position.batch);
        session.progress.items = stored.items;
        session.progress.step = step;
        session.learning_rate = stored.learning_rate;
        session.loss.restore(&stored.loss);
        session.history = stored.history;
        session.stop = stored.stop;
        Ok(())
    }

    pub(super) fn save(&self, session: &Session) -> Result<(), TrainError> {
        let Some(Checkpoints { folder, .. }) = &self.checkpoints else { return Ok(()) };
        let progress = &session.progress;
        let epoch = progress.epoch - 1;
        let checkpoint = Checkpoint::of(self.model)
            .optimizer(self.optimizer.state())
            .epoch(epoch)
            .step(progress.step)
            .data(Position { epoch, batch: progress.batch });
        let stored = Stored {
            checkpoint,
            learning_rates: (0..self.optimizer.groups())
                .map(|group| self.optimizer.learning_rate(group))
                .collect(),
            learning_rate: session.learning_rate,
            schedule: self.scheduler.as_ref().map_or(0, |scheduler| scheduler.steps()),
            items: progress.items,
            loss: session.loss.state(),
            metrics: self.metrics.iter().map(|metric| metric.state()).collect(),
            history: session.history.clone(),
            callbacks: self.callbacks.iter().map(|callback| callback.state()).collect(),
            stop: session.stop.clone(),
        };
        Ok(save(folder.join(FILE), &stored)?)
    }

    /// Stores the training if it is time to do so within an epoch.
    pub(super) fn save_between(&self, session: &Session) -> Result<(), TrainError> {
        let every = self.checkpoints.as_ref().and_then(|checkpoints| checkpoints.every);
        match every {
            Some(steps) if session.progress.step.is_multiple_of(steps) => self.save(session),
            _ => Ok(()),
        }
    }
}
