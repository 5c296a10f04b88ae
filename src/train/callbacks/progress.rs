//! A progress bar on the terminal.

use super::super::{Callback, Run, TrainError};
use crate::Float;
use indicatif::{ProgressBar as Bar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};

/// A bar with rate, time left, loss and metrics, and a line after each epoch; on the standard error stream. Without a
/// terminal the bar is silent, and the lines remain. Feature `progress`.
#[derive(Debug)]
pub struct ProgressBar {
    bar: Bar,
    shown: Instant,
}

/// How often loss and metrics are written anew.
const PAUSE: Duration = Duration::from_millis(100);

impl ProgressBar {
    /// On the standard error stream.
    pub fn new() -> Self {
        ProgressBar { bar: Bar::hidden(), shown: Instant::now() }
    }
}

impl Default for ProgressBar {
    fn default() -> Self {
        ProgressBar::new()
    }
}

impl<T: Float> Callback<T> for ProgressBar {
    fn on_epoch_begin(&mut self, run: &mut Run<'_, T>) -> Result<(), TrainError> {
        let progress = run.progress;
        let length = progress.batches.map(|count| count as u64);
        self.bar = Bar::with_draw_target(length, ProgressDrawTarget::stderr());
        let template = match length {
            Some(_) => "{prefix} {bar:30} {pos}/{len} {per_sec} left {eta} {msg}",
            None => "{prefix} {spinner} {pos} {per_sec} {msg}",
        };
        let style = ProgressStyle::with_template(template).expect("a valid template");
        self.bar.set_style(style);
        self.bar.set_prefix(format!("epoch {}/{}", progress.epoch, progress.epochs));
        // What was done before an interruption says nothing about the rate.
        self.bar.set_position(progress.batch as u64);
        self.bar.reset_eta();
        Ok(())
    }

    fn on_batch_end(&mut self, run: &mut Run<'_, T>) -> Result<(), TrainError> {
        self.bar.inc(1);
        if self.shown.elapsed() >= PAUSE && !self.bar.is_hidden() {
            self.bar.set_message(run.measured().to_string());
            self.shown = Instant::now();
        }
        Ok(())
    }

    fn on_epoch_end(&mut self, run: &mut Run<'_, T>) -> Result<(), TrainError> {
        self.bar.finish_and_clear();
        if let Some(epoch) = run.history.epochs.last() {
            eprintln!("{epoch}");
        }
        Ok(())
    }

    fn on_fit_end(&mut self, run: &mut Run<'_, T>) -> Result<(), TrainError> {
        self.bar.finish_and_clear();
        if let Some(reason) = &run.stop {
            eprintln!("stopped: {reason}");
        }
        Ok(())
    }
}
