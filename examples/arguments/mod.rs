//! The command line of an example: options with a value (`--epochs 3`), flags (`--quick`) and words, read in one way by
//! all; and what follows from `--checkpoint DIR` and `--resume`.
//!
//! A command line that is wrong ends in one line on stderr and exit code 2; whatever else goes wrong, a floor that is not
//! reached included, in exit code 1.

#![allow(dead_code, reason = "not every example needs every part")]

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fmt,
    path::PathBuf,
    process::ExitCode,
    str::FromStr,
};
use wengert::{
    checkpoint::{Checkpoint, CheckpointFolder},
    prelude::*,
};

/// What comes of an example or a part of it, or what went wrong, in words.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// What was given on the command line.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    values: BTreeMap<String, String>,
    flags: BTreeSet<String>,
    words: Vec<String>,
}

/// What is wrong with a command line.
#[derive(Debug)]
pub(crate) struct Wrong(pub(crate) String);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Wrong {}

impl Arguments {
    /// Reads a command line, on which only what is `known` may stand: `--quick` is a flag, `--epochs N` an option with a
    /// whole number, `--batch-size N>0` with one above 0, `--lr X` with a number, `--out DIR` with any text; `OPERATION`
    /// stands for words that follow no option.
    fn read(known: &[&str], words: impl IntoIterator<Item = String>) -> Result<Arguments, Wrong> {
        let mut read = Arguments::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let named = |known: &&&str| known.split(' ').next() == Some(&word);
            match known.iter().find(named).and_then(|known| known.split_once(' ')) {
                Some((_, kind)) => {
                    let value = words.next().ok_or_else(|| Wrong(format!("{word} needs a value, {kind}")))?;
                    check(&word, kind, &value)?;
                    read.values.insert(word, value);
                }
                None if word.starts_with("--") && known.contains(&word.as_str()) => {
                    read.flags.insert(word);
                }
                None if !word.starts_with('-') && known.iter().any(|known| !known.starts_with('-')) => {
                    read.words.push(word);
                }
                None => return Err(Wrong(format!("unknown option {word}; there are {}", known.join(", ")))),
            }
        }
        if read.flag("--resume") && !read.values.contains_key("--checkpoint") {
            return Err(Wrong("--resume needs --checkpoint DIR, the folder to go on from".into()));
        }
        Ok(read)
    }

    /// The value of an option, if it was given.
    pub(crate) fn given<V: FromStr>(&self, option: &str) -> Option<V> {
        // Numbers were checked when they were read.
        self.values.get(option).and_then(|value| value.parse().ok())
    }

    /// The value of an option, or the default.
    pub(crate) fn value<V: FromStr>(&self, option: &str, default: V) -> V {
        self.given(option).unwrap_or(default)
    }

    /// Whether a flag was given.
    pub(crate) fn flag(&self, flag: &str) -> bool {
        self.flags.contains(flag)
    }

    /// The words that follow no option.
    pub(crate) fn words(&self) -> &[String] {
        &self.words
    }
}

/// Whether a value is of its option's kind.
fn check(option: &str, kind: &str, value: &str) -> Result<(), Wrong> {
    let (fits, what) = match kind {
        "N" => (value.parse::<u64>().is_ok(), "whole number"),
        "N>0" => (value.parse().is_ok_and(|number: u64| number > 0), "whole number above 0"),
        "X" => (value.parse().is_ok_and(f64::is_finite), "number"),
        _ => (true, ""),
    };
    if fits { Ok(()) } else { Err(Wrong(format!("{option}: {value} is no {what}"))) }
}

/// Runs an example whose command line may hold what is `known` (see [`Arguments::read`]), inside the thread pool, where
/// small kernels need not knock at its door. Every example has `--threads N` as well; 0 are as many as there are
/// processors.
pub(crate) fn run(known: &[&str], work: impl FnOnce(&Arguments) -> Outcome + Send) -> ExitCode {
    let run = || {
        let arguments = Arguments::read(&[known, &["--threads N"]].concat(), std::env::args().skip(1))?;
        if let (Some(folder), false) = (arguments.given("--checkpoint"), arguments.flag("--resume")) {
            forget(folder)?;
        }
        wengert::set_threads(arguments.value("--threads", 0))?;
        wengert::parallel(|| work(&arguments))
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{}: {problem}", env!("CARGO_CRATE_NAME"));
            ExitCode::from(if problem.is::<Wrong>() { 2 } else { 1 })
        }
    }
}

/// Removes what earlier trainings left in a folder, by [`Checkpoints`] or, in folders within it, by the trainer: if this
/// run is interrupted before it has stored anything, that must not be taken for its own.
fn forget(folder: PathBuf) -> Outcome {
    CheckpointFolder::keep_last(&folder, 1)?.clear()?;
    for training in std::fs::read_dir(folder)? {
        let stored = training?.path().join("training.ckpt");
        if stored.is_file() {
            std::fs::remove_file(stored)?;
        }
    }
    Ok(())
}

/// Where a training is stored as it goes on (`--checkpoint DIR`), and whether to go on from there (`--resume`).
pub(crate) struct Checkpoints {
    folder: Option<CheckpointFolder>,
}

impl Checkpoints {
    /// As the options say. The last two states are kept.
    pub(crate) fn of(arguments: &Arguments) -> Outcome<Checkpoints> {
        let folder: Option<PathBuf> = arguments.given("--checkpoint");
        let folder = folder.map(|path| CheckpointFolder::keep_last(path, 2)).transpose()?;
        Ok(Checkpoints { folder })
    }

    /// How many steps (or epochs) are done. Model, optimiser and random numbers are then as they were after them.
    pub(crate) fn done(&self, model: &impl Module, optimizer: &mut impl Optimizer) -> Outcome<u64> {
        let Some(folder) = &self.folder else { return Ok(0) };
        // Nothing is stored yet: from the beginning.
        let Some(path) = folder.last()? else { return Ok(0) };
        let stored = Checkpoint::load(path)?;
        stored.resume(model)?;
        let state = stored.optimizers.into_iter().next().ok_or("the checkpoint has no optimiser")?;
        optimizer.load_state(state)?;
        Ok(stored.step)
    }

    /// Stores the state after so many steps (or epochs).
    pub(crate) fn save(&self, done: u64, model: &impl Module, optimizer: &impl Optimizer) -> Outcome {
        if let Some(folder) = &self.folder {
            folder.save(&Checkpoint::of(model).optimizer(optimizer.state()).step(done))?;
        }
        Ok(())
    }
}
