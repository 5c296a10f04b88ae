//! What a training measured, epoch by epoch.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Named numbers in order: losses and metrics.
///
/// ```
/// use wengert::train::Measurements;
///
/// let epoch = Measurements::from_iter([("loss", 0.25), ("accuracy", 0.9)]);
/// assert_eq!(epoch.get("accuracy"), Some(0.9));
/// assert_eq!(epoch.to_string(), "loss 0.2500, accuracy 0.9000");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measurements(Vec<(String, f64)>);

impl Measurements {
    /// The number of this name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(known, _)| known == name).map(|&(_, value)| value)
    }

    /// Names and numbers, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// Adds a number at the end.
    pub fn push(&mut self, name: impl Into<String>, value: f64) {
        self.0.push((name.into(), value));
    }
}

impl<S: Into<String>> FromIterator<(S, f64)> for Measurements {
    fn from_iter<I: IntoIterator<Item = (S, f64)>>(numbers: I) -> Self {
        Measurements(numbers.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

/// Four digits after the point, or four significant ones where that would hide the number.
pub(crate) fn short(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-3..1e6).contains(&size) && value.is_finite() {
        format!("{value:.3e}")
    } else {
        format!("{value:.4}")
    }
}

impl fmt::Display for Measurements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, value)) in self.iter().enumerate() {
            write!(f, "{}{name} {}", if i > 0 { ", " } else { "" }, short(value))?;
        }
        Ok(())
    }
}

/// One epoch of a [`History`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Its number, counted from 1.
    pub number: u64,
    /// `loss` and the metrics over the training data as the epoch went by, in the course of which the model changed;
    /// with the prefix `val_` those over the validation data at its end.
    pub measured: Measurements,
    /// The learning rate of the first group in the epoch's last step.
    pub learning_rate: f64,
    /// How long it took, validation included, in seconds; what it took before an interruption does not count.
    pub seconds: f64,
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {}: {} ({:.1} s)", self.number, self.measured, self.seconds)
    }
}

/// What a training measured; returned by [`Trainer::fit`](super::Trainer::fit).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The epochs that were finished.
    pub epochs: Vec<Epoch>,
    /// Why the training ended before its last epoch, if it did.
    pub stopped: Option<String>,
}

impl History {
    /// A measurement of each epoch, such as `val_loss`; `lr` is the learning rate, `seconds` the time. Empty if there is
    /// none of that name.
    pub fn get(&self, name: &str) -> Vec<f64> {
        self.epochs.iter().filter_map(|epoch| epoch.get(name)).collect()
    }

    /// The measurement of the last epoch.
    pub fn last(&self, name: &str) -> Option<f64> {
        self.epochs.last()?.get(name)
    }

    /// The names of all measurements, in order.
    pub fn names(&self) -> Vec<&str> {
        self.epochs
            .first()
            .map_or_else(Vec::new, |epoch| epoch.measured.iter().map(|(name, _)| name).collect())
    }
}

impl Epoch {
    fn get(&self, name: &str) -> Option<f64> {
        match name {
            "lr" => Some(self.learning_rate),
            "seconds" => Some(self.seconds),
            _ => self.measured.get(name),
        }
    }
}
