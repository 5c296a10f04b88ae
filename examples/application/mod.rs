//! What the applications have in common: their options, how they train, tables, floors.
//!
//! Each one compares a network with a simple method, on data that neither has seen, and fails if the network falls
//! below its floor.

#![allow(dead_code)] // not every application needs every part

#[path = "../arguments/mod.rs"]
mod arguments;
pub(crate) mod logistic;
pub(crate) mod table;

pub(crate) use arguments::Outcome;

use arguments::Arguments;
use std::{path::PathBuf, process::ExitCode};
use wengert::{
    Tensor,
    datasets::{BatchSize, Loader},
    tensor::Element,
    train::{History, ProgressBar, StopFlag, Trainer},
};

/// What the command line says.
pub(crate) struct Options {
    /// The reduced form, in which all applications together take a few minutes: fewer epochs, lower floors.
    pub(crate) quick: bool,
    /// Where pictures go.
    pub(crate) out: PathBuf,
    /// Where the state of the training goes, if anywhere.
    pub(crate) checkpoint: Option<PathBuf>,
    /// Whether to go on from there.
    pub(crate) resume: bool,
    pub(crate) seed: u64,
    /// A folder of the user's own.
    pub(crate) data: Option<PathBuf>,
}

impl Options {
    fn of(arguments: &Arguments) -> Outcome<Options> {
        let options = Options {
            quick: arguments.flag("--quick"),
            out: arguments.value("--out", "target/pictures".into()),
            checkpoint: arguments.given("--checkpoint"),
            resume: arguments.flag("--resume"),
            seed: arguments.value("--seed", 0),
            data: arguments.given("--data"),
        };
        std::fs::create_dir_all(&options.out)
            .map_err(|error| format!("{}: {error}", options.out.display()))?;
        Ok(options)
    }

    /// Trains, with checkpoints if they are asked for; `name` tells several trainings of one program apart. Ctrl-C stops
    /// cleanly.
    pub(crate) fn fit<X, Y: BatchSize, O, L: Loader<Batch = (X, Y)> + ?Sized>(
        &self,
        name: &str,
        trainer: Trainer<'_, X, Y, O>,
        train: &L,
    ) -> Outcome<History> {
        let mut trainer = trainer.stop_flag(StopFlag::on_ctrl_c()?);
        if let Some(folder) = &self.checkpoint {
            trainer = trainer.checkpoint(folder.join(name)).checkpoint_every(200).resume(self.resume);
        }
        let history = trainer.fit(train)?;
        match &history.stopped {
            Some(reason) if reason == "interrupted" && self.checkpoint.is_some() => {
                Err("interrupted; go on with --resume")?
            }
            Some(reason) if reason == "interrupted" => Err("interrupted")?,
            _ => Ok(history),
        }
    }

    /// As [`fit`](Self::fit), with a progress bar.
    pub(crate) fn fit_slowly<X, Y: BatchSize, O, L: Loader<Batch = (X, Y)> + ?Sized>(
        &self,
        name: &str,
        trainer: Trainer<'_, X, Y, O>,
        train: &L,
    ) -> Outcome<History> {
        self.fit(name, trainer.callback(ProgressBar::new()), train)
    }

    /// The path of a picture, which is named on the way.
    pub(crate) fn picture(&self, name: &str) -> PathBuf {
        let path = self.out.join(name);
        println!("picture: {}", path.display());
        path
    }
}

/// The rows at these indices.
pub(crate) fn rows<E: Element>(of: &Tensor<E>, indices: &[usize]) -> Tensor<E> {
    let indices: Vec<i64> = indices.iter().map(|&index| index as i64).collect();
    of.index_select(0, &Tensor::from_slice(&indices, [indices.len()]).expect("as many as there are"))
}

/// Runs an application that has these options beside those of all applications.
pub(crate) fn run(more: &[&str], application: impl FnOnce(&Options) -> Outcome + Send) -> ExitCode {
    let common = ["--quick", "--out DIR", "--seed N", "--checkpoint DIR", "--resume"];
    arguments::run(&[&common, more].concat(), |arguments| application(&Options::of(arguments)?))
}

/// Says whether a value reaches its floor; an error if not. `better` of `value` is at least `floor`.
pub(crate) fn at_least(what: &str, value: f64, floor: f64) -> Outcome {
    verdict(what, value, "at least", floor, value >= floor)
}

/// The same for what should be small.
pub(crate) fn at_most(what: &str, value: f64, ceiling: f64) -> Outcome {
    verdict(what, value, "at most", ceiling, value <= ceiling)
}

fn verdict(what: &str, value: f64, word: &str, limit: f64, holds: bool) -> Outcome {
    println!("{what}: {value:.4}, should be {word} {limit:.4}: {}", if holds { "holds" } else { "FAILS" });
    if holds { Ok(()) } else { Err(format!("{what} is {value:.4}, should be {word} {limit:.4}"))? }
}

/// Says in words who did better: `by` is how much better the network is.
pub(crate) fn who_won(baseline: &str, by: f64) {
    if by > 0.0 {
        println!("The network is better than {baseline}, by {by:.4}.");
    } else if by == 0.0 {
        println!("The network is as good as {baseline}, and no better.");
    } else {
        println!("The network does not win: {baseline} is better, by {:.4}.", -by);
    }
}
