//! The command line of an example: options with a value (`--epochs 3`) and flags (`--quick`); and what follows from
//! `--checkpoint DIR` and `--resume`.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    path::PathBuf,
    process::ExitCode,
    str::FromStr,
};
use wengert::{
    checkpoint::{Checkpoint, CheckpointFolder},
    prelude::*,
};

/// What went wrong, in words.
pub(crate) type Problem = Box<dyn Error + Send + Sync>;

/// The options that were given.
pub(crate) struct Arguments {
    values: BTreeMap<String, String>,
    flags: BTreeSet<String>,
}

impl Arguments {
    /// Reads the command line, on which only these options may stand.
    fn read(options: &[&str], flags: &[&str]) -> Result<Arguments, Problem> {
        let mut read = Arguments { values: BTreeMap::new(), flags: BTreeSet::new() };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            if flags.contains(&word.as_str()) {
                read.flags.insert(word);
            } else if options.contains(&word.as_str()) {
                let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
                read.values.insert(word, value);
            } else {
                let known = [options, flags].concat().join(", ");
                return Err(format!("unknown option {word}; there are {known}").into());
            }
        }
        Ok(read)
    }

    /// The value of an option, if it was given.
    pub(crate) fn given<V: FromStr>(&self, option: &str) -> Result<Option<V>, Problem> {
        let Some(value) = self.values.get(option) else { return Ok(None) };
        let kind = std::any::type_name::<V>().rsplit("::").next().unwrap_or_default();
        value.parse().map(Some).map_err(|_| format!("{option}: {value} is no {kind}").into())
    }

    /// The value of an option, or the default.
    #[allow(dead_code, reason = "not every example has an option with a default")]
    pub(crate) fn value<V: FromStr>(&self, option: &str, default: V) -> Result<V, Problem> {
        Ok(self.given(option)?.unwrap_or(default))
    }

    /// Whether a flag was given.
    #[allow(dead_code, reason = "not every example has a flag")]
    pub(crate) fn flag(&self, flag: &str) -> bool {
        self.flags.contains(flag)
    }
}

/// Runs an example with these options and flags, inside the thread pool, where small kernels need not knock at its door.
/// Every example has `--threads` as well.
pub(crate) fn run(
    options: &[&str],
    flags: &[&str],
    work: impl FnOnce(&Arguments) -> Result<(), Problem> + Send,
) -> ExitCode {
    let run = || {
        let arguments = Arguments::read(&[options, &["--threads"]].concat(), flags)?;
        wengert::set_threads(arguments.value("--threads", 0)?)?;
        wengert::parallel(|| work(&arguments))
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Where a training is stored as it goes on (`--checkpoint DIR`), and whether to go on from there (`--resume`).
#[allow(dead_code, reason = "not every example trains for long")]
pub(crate) struct Checkpoints {
    folder: Option<CheckpointFolder>,
    resume: bool,
}

#[allow(dead_code, reason = "not every example trains for long")]
impl Checkpoints {
    /// As the options say. The last two states are kept.
    pub(crate) fn of(arguments: &Arguments) -> Result<Checkpoints, Problem> {
        let folder: Option<PathBuf> = arguments.given("--checkpoint")?;
        let resume = arguments.flag("--resume");
        if resume && folder.is_none() {
            return Err("--resume goes on from the folder that --checkpoint names".into());
        }
        Ok(Checkpoints {
            folder: folder.map(|path| CheckpointFolder::keep_last(path, 2)).transpose()?,
            resume,
        })
    }

    /// How many steps (or epochs) are done. Model, optimiser and random numbers are then as they were after them.
    pub(crate) fn done(&self, model: &impl Module, optimizer: &mut impl Optimizer) -> Result<u64, Problem> {
        let last = match &self.folder {
            Some(folder) if self.resume => folder.last()?,
            _ => None,
        };
        // Killed before the first state was stored: from the beginning.
        let Some(path) = last else { return Ok(0) };
        let stored = Checkpoint::load(path)?;
        stored.resume(model)?;
        let state = stored.optimizers.into_iter().next().ok_or("the checkpoint has no optimiser")?;
        optimizer.load_state(state)?;
        Ok(stored.step)
    }

    /// Stores the state after so many steps (or epochs).
    pub(crate) fn save(
        &self,
        done: u64,
        model: &impl Module,
        optimizer: &impl Optimizer,
    ) -> Result<(), Problem> {
        if let Some(folder) = &self.folder {
            folder.save(&Checkpoint::of(model).optimizer(optimizer.state()).step(done))?;
        }
        Ok(())
    }
}
