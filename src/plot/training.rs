//! The charts of a training.

use super::Chart;
use crate::{
    storage::StorageError,
    train::{History, LearningRateCurve},
};
use std::path::Path;

impl History {
    /// The chart of a measurement, epoch by epoch, over the training data and, where it was measured, over the validation
    /// data; of the learning rate for `lr`. Feature `plot`.
    pub fn chart(&self, name: &str) -> Chart {
        let points = |name: &str| -> Vec<(f64, f64)> {
            let numbers = self.epochs.iter().map(|epoch| epoch.number as f64);
            numbers.zip(self.get(name)).collect()
        };
        if name == "lr" {
            return Chart::new("learning rate").x("epoch").y("learning rate").line("", points("lr"));
        }
        let mut chart = Chart::new(name).x("epoch").y(name).line("training data", points(name));
        let validation = points(&format!("val_{name}"));
        if !validation.is_empty() {
            chart = chart.line("validation data", validation);
        }
        chart
    }

    /// Draws the charts of all measurements and of the learning rate into a folder, a file each: `loss.svg`, `lr.svg` ….
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn save_charts(&self, folder: impl AsRef<Path>) -> Result<(), StorageError> {
        let names = self.names().into_iter().filter(|name| !name.starts_with("val_")).chain(["lr"]);
        for name in names {
            let file: String =
                name.chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '_' }).collect();
            self.chart(name).save(folder.as_ref().join(format!("{file}.svg")))?;
        }
        Ok(())
    }
}

impl LearningRateCurve {
    /// The chart of the loss against the learning rate. Feature `plot`.
    pub fn chart(&self) -> Chart {
        let points = self.rates.iter().copied().zip(self.losses.iter().copied());
        let chart = Chart::new("learning-rate range").log_x().x("learning rate").y("loss, smoothed");
        let chart = chart.line("loss", points);
        let Some(best) = self.suggestion() else { return chart };
        let at = self.rates.iter().zip(&self.losses).find(|(rate, _)| **rate == best).map(|(r, l)| (*r, *l));
        chart.points("steepest", at)
    }
}
