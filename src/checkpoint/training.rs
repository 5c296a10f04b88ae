//! States of training, to go on from.

use super::{CheckpointError, load, save};
use crate::{
    Float, Tensor,
    datasets::Position,
    nn::{Module, StateDict, StateDictError},
    optim::OptimizerState,
    random_state, set_random_state,
    tensor::Generator,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Everything that going on with a training needs: the model, the optimisers' memories, the random numbers, the place in
/// the data. Training for ten epochs, and for five, storing, and five more in a new process, give the same bits.
///
/// ```
/// use wengert::{checkpoint::Checkpoint, prelude::*};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("wengert-checkpoint-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("training.ckpt");
/// let net = Linear::new(3, 2);
/// let mut adam = Adam::new(net.named_parameters());
/// // … train for five epochs …
/// Checkpoint::of(&net).optimizer(adam.state()).epoch(5).save(&path)?;
///
/// // In a new process:
/// let checkpoint = Checkpoint::load(&path)?;
/// checkpoint.resume(&net)?;
/// adam.load_state(checkpoint.optimizers[0].clone())?;
/// assert_eq!(checkpoint.epoch, 5);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Checkpoint<T: Float = f32> {
    /// The model's parameters and buffers, by name.
    pub model: Vec<(String, Tensor<T>)>,
    /// What the optimisers remember.
    pub optimizers: Vec<OptimizerState<T>>,
    /// The state of the process's random numbers.
    pub random: Generator,
    /// How many epochs are done.
    pub epoch: u64,
    /// How many steps are done; where a schedule goes on.
    pub step: u64,
    /// The place in the data.
    pub data: Option<Position>,
    /// Other numbers by name, such as the best loss so far.
    pub values: BTreeMap<String, f64>,
}

impl<T: Float> Checkpoint<T> {
    /// The state of a model, and of the process's random numbers.
    pub fn of(model: &(impl Module<T> + ?Sized)) -> Self {
        Checkpoint {
            model: model.state_dict().into_iter().collect(),
            optimizers: Vec::new(),
            random: random_state(),
            epoch: 0,
            step: 0,
            data: None,
            values: BTreeMap::new(),
        }
    }

    /// With what an optimiser remembers; several are kept in order.
    #[must_use]
    pub fn optimizer(mut self, state: OptimizerState<T>) -> Self {
        self.optimizers.push(state);
        self
    }
    /// With the number of epochs done.
    #[must_use]
    pub fn epoch(mut self, epoch: u64) -> Self {
        self.epoch = epoch;
        self
    }
    /// With the number of steps done.
    #[must_use]
    pub fn step(mut self, step: u64) -> Self {
        self.step = step;
        self
    }
    /// With the place in the data.
    #[must_use]
    pub fn data(mut self, position: Position) -> Self {
        self.data = Some(position);
        self
    }
    /// With another number.
    #[must_use]
    pub fn value(mut self, name: impl Into<String>, value: f64) -> Self {
        self.values.insert(name.into(), value);
        self
    }

    /// Puts the stored values into the model, and the random numbers where they stood. The optimisers take theirs from
    /// [`optimizers`](Self::optimizers).
    ///
    /// # Errors
    /// If the model has other names or shapes; then nothing has been changed.
    pub fn resume(&self, model: &(impl Module<T> + ?Sized)) -> Result<(), StateDictError> {
        let dict: StateDict<T> = self.model.iter().cloned().collect();
        model.load_state_dict(&dict)?;
        set_random_state(self.random.clone());
        Ok(())
    }

    /// Writes the state into a file, which is whole or not there; see [`save`].
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), CheckpointError> {
        save(path, self)
    }

    /// Reads a state from a file; see [`load`].
    ///
    /// # Errors
    /// If the file cannot be read, or is truncated, damaged, of another kind, version or number type.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, CheckpointError> {
        load(path)
    }
}

/// A folder of checkpoints, of which the last few are kept.
#[derive(Clone, Debug)]
pub struct CheckpointFolder {
    folder: PathBuf,
    keep: usize,
}

impl CheckpointFolder {
    /// Keeps the last `count` checkpoints in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// If the system cannot make it.
    ///
    /// # Panics
    /// If `count` is 0.
    pub fn keep_last(folder: impl AsRef<Path>, count: usize) -> Result<Self, CheckpointError> {
        assert!(count > 0, "CheckpointFolder: a folder that keeps no checkpoint");
        let folder = folder.as_ref();
        fs::create_dir_all(folder).map_err(CheckpointError::io(folder))?;
        Ok(CheckpointFolder { folder: folder.into(), keep: count })
    }

    /// Writes a checkpoint, named by its step, and removes those that are no longer kept.
    ///
    /// # Errors
    /// If the system cannot write or remove a file.
    pub fn save<T: Float>(&self, checkpoint: &Checkpoint<T>) -> Result<PathBuf, CheckpointError> {
        let path = self.folder.join(format!("step-{:012}.ckpt", checkpoint.step));
        checkpoint.save(&path)?;
        let all = self.all()?;
        for old in &all[..all.len().saturating_sub(self.keep)] {
            fs::remove_file(old).map_err(CheckpointError::io(old))?;
        }
        Ok(path)
    }

    /// The last checkpoint, if there is one.
    ///
    /// # Errors
    /// If the system cannot list the folder.
    pub fn last(&self) -> Result<Option<PathBuf>, CheckpointError> {
        Ok(self.all()?.pop())
    }

    /// Removes all checkpoints: a new training begins in this folder, and what an earlier one left there must not be taken
    /// for its own.
    ///
    /// # Errors
    /// If the system cannot list the folder or remove a file.
    pub fn clear(&self) -> Result<(), CheckpointError> {
        for old in self.all()? {
            fs::remove_file(&old).map_err(CheckpointError::io(&old))?;
        }
        Ok(())
    }

    /// All checkpoints, by rising step.
    fn all(&self) -> Result<Vec<PathBuf>, CheckpointError> {
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(CheckpointError::io(&self.folder))? {
            let path = entry.map_err(CheckpointError::io(&self.folder))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
            if name.starts_with("step-") && name.ends_with(".ckpt") {
                all.push(path);
            }
        }
        all.sort();
        Ok(all)
    }
}
