//! Pictures as SVG files: charts, confusion matrices, rows of images. Feature `plot`.
//!
//! ```
//! use wengert::plot::Chart;
//!
//! # let path = std::env::temp_dir().join(format!("wengert-plot-{}.svg", std::process::id()));
//! Chart::new("Training")
//!     .x("epoch")
//!     .y("cross entropy (nats)")
//!     .line("training data", [(1.0, 2.3), (2.0, 0.9), (3.0, 0.4)])
//!     .line("validation data", [(1.0, 1.8), (2.0, 0.8), (3.0, 0.5)])
//!     .save(&path)?;
//! # std::fs::remove_file(path).unwrap();
//! # Ok::<(), wengert::storage::StorageError>(())
//! ```
//!
//! A trained model's charts are ready-made: [`History::chart`](crate::train::History::chart),
//! [`LearningRateCurve::chart`](crate::train::LearningRateCurve::chart),
//! [`ConfusionMatrix::save_picture`](crate::train::metrics::ConfusionMatrix::save_picture).
//!
//! The drawing is [`plotters`](https://docs.rs/plotters)'. SVG alone, because letters in a bitmap need a font file, which
//! a library cannot count on; every browser shows SVG, and `rsvg-convert picture.svg > picture.png` makes a bitmap of it.

mod chart;
mod images;
mod matrix;
mod training;

pub use chart::Chart;
pub use images::ImageGrid;

use crate::storage::{StorageError, write_atomically};
use plotters::prelude::*;
use std::path::Path;

/// Colours that people who confuse red and green tell apart (Okabe and Ito, "Color universal design", 2008).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(60, 60, 60),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type DrawingError = DrawingAreaErrorKind<std::io::Error>;

/// Draws a picture of this size, in pixels, into a file.
fn save_drawing(
    path: &Path,
    size: (u32, u32),
    draw: impl FnOnce(&Area<'_>) -> Result<(), DrawingError>,
) -> Result<(), StorageError> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        let drawn = area.fill(&WHITE).and_then(|()| draw(&area)).and_then(|()| area.present());
        drawn.map_err(|error| StorageError::Format { path: path.into(), problem: error.to_string() })?;
    }
    write_atomically(path, |file| file.write_all(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Tensor, tensor,
        train::{Epoch, History, LearningRateCurve, Measurements, metrics::ConfusionMatrix},
    };
    use std::{fs, path::PathBuf};

    /// What a picture's file holds.
    fn text(name: &str, save: impl FnOnce(&Path) -> Result<(), StorageError>) -> String {
        let path: PathBuf = std::env::temp_dir().join(format!("wengert-{}-{name}.svg", std::process::id()));
        save(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        fs::remove_file(path).unwrap();
        assert!(text.starts_with("<svg") && text.trim_end().ends_with("</svg>"), "{text}");
        text
    }

    #[test]
    fn a_chart_says_what_it_shows() {
        let points = [(0.0, 1.0), (1.0, f64::NAN), (2.0, 3.0)];
        let chart = Chart::new("title & more")
            .x("time (s)")
            .y("length (m)")
            .line("one", points)
            .points("two", points);
        let text = text("chart", |path| chart.save(path));
        for part in ["title &amp; more", "time (s)", "length (m)", "one", "two", "width=\"800\""] {
            assert!(text.contains(part), "{part:?} is missing in {text}");
        }
        assert!(!text.contains("NaN"));
    }

    #[test]
    fn nothing_to_show_is_no_error() {
        text("empty", |path| Chart::new("").save(path));
        text("one", |path| Chart::new("").log_y().line("a", [(1.0, 0.0)]).save(path));
        text("constant", |path| Chart::new("").line("a", [(1.0, 5.0), (2.0, 5.0)]).save(path));
        text("matrix", |path| ConfusionMatrix::new().save_picture(path, "", &[]));
        text("images", |path| ImageGrid::new("").row("a", &Tensor::zeros([0, 3, 3])).save(path));
    }

    #[test]
    fn a_history_draws_its_measurements() {
        let measured = |x: f64| Measurements::from_iter([("loss", x), ("val_loss", 2.0 * x)]);
        let epoch = |number, x| Epoch { number, measured: measured(x), learning_rate: 0.1 / x, seconds: 1.0 };
        let history = History { epochs: vec![epoch(1, 2.0), epoch(2, 1.0)], stopped: None };
        let loss = text("loss", |path| history.chart("loss").save(path));
        assert!(loss.contains("validation data") && loss.contains("epoch"));
        assert!(text("lr", |path| history.chart("lr").save(path)).contains("learning rate"));
        let folder = std::env::temp_dir().join(format!("wengert-charts-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        history.save_charts(&folder).unwrap();
        let mut files: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name()).collect();
        files.sort();
        fs::remove_dir_all(folder).unwrap();
        assert_eq!(files, ["loss.svg", "lr.svg"]);
        let curve = LearningRateCurve { rates: vec![1e-3, 1e-2, 1e-1], losses: vec![2.0, 1.0, 3.0] };
        assert!(text("curve", |path| curve.chart().save(path)).contains("1e-2"));
    }

    #[test]
    fn images_have_their_captions() {
        let grid =
            ImageGrid::new("digits").row("found", &Tensor::zeros([2, 3, 3])).captions(["5 → 6", "1 → 9"]);
        let text = text("grid", |path| grid.save(path));
        for part in ["digits", "found", "5 → 6", "1 → 9"] {
            assert!(text.contains(part), "{part:?} is missing in {text}");
        }
    }

    #[test]
    fn a_matrix_has_its_counts_and_names() {
        let matrix = ConfusionMatrix::of(&tensor![0, 0, 1], &tensor![0, 1, 1]);
        let text = text("confusion", |path| matrix.save_picture(path, "found", &["cat", "dog"]));
        for part in ["cat", "dog", "predicted class", "true class", "found"] {
            assert!(text.contains(part), "{part:?} is missing in {text}");
        }
    }
}
