//! The history in a file, for other programs.
//!
//! Each epoch writes the whole file anew, beside its place, and moves it there: a training that was killed and goes on
//! leaves neither half a line nor the same epoch twice.

use super::super::{Callback, Run, TrainError};
use crate::{Float, storage::write_atomically};
use std::path::PathBuf;

/// Writes epoch, loss, metrics, learning rate and seconds into a CSV file, a line each epoch.
#[derive(Clone, Debug)]
pub struct CsvLog(PathBuf);

impl CsvLog {
    /// Into this file, replacing what was there.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        CsvLog(path.into())
    }
}

impl<T: Float> Callback<T> for CsvLog {
    fn on_epoch_end(&mut self, run: &mut Run<'_, T>) -> Result<(), TrainError> {
        let quoted = |name: &str| {
            if name.contains(['"', ',', '\n']) {
                format!("\"{}\"", name.replace('"', "\"\""))
            } else {
                name.into()
            }
        };
        let names: Vec<String> = run.history.names().into_iter().map(quoted).collect();
        let mut text = format!("epoch,{},lr,seconds\n", names.join(","));
        for epoch in &run.history.epochs {
            let values: Vec<String> = epoch.measured.iter().map(|(_, value)| value.to_string()).collect();
            text += &format!(
                "{},{},{},{:.3}\n",
                epoch.number,
                values.join(","),
                epoch.learning_rate,
                epoch.seconds
            );
        }
        Ok(write_atomically(&self.0, |file| file.write_all(text.as_bytes()))?)
    }
}

/// Writes the same as JSON, an object a line (<https://jsonlines.org>); what is not finite is `null`.
#[derive(Clone, Debug)]
pub struct JsonLinesLog(PathBuf);

impl JsonLinesLog {
    /// Into this file, replacing what was there.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        JsonLinesLog(path.into())
    }
}

impl<T: Float> Callback<T> for JsonLinesLog {
    fn on_epoch_end(&mut self, run: &mut Run<'_, T>) -> Result<(), TrainError> {
        let mut text = String::new();
        for epoch in &run.history.epochs {
            let mut line = serde_json::Map::new();
            line.insert("epoch".into(), epoch.number.into());
            line.extend(epoch.measured.iter().map(|(name, value)| (name.to_string(), value.into())));
            line.insert("lr".into(), epoch.learning_rate.into());
            line.insert("seconds".into(), epoch.seconds.into());
            text += &format!("{}\n", serde_json::Value::Object(line));
        }
        Ok(write_atomically(&self.0, |file| file.write_all(text.as_bytes()))?)
    }
}
