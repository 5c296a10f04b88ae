//! Rows of grey images.

use super::save_drawing;
use crate::{Tensor, storage::StorageError};
use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use std::path::Path;

/// Grey images in rows, a label before each row: originals and what a model made of them.
///
/// ```
/// use wengert::{prelude::*, plot::ImageGrid};
/// # let path = std::env::temp_dir().join(format!("wengert-grid-{}.svg", std::process::id()));
/// let digits = Tensor::zeros([5, 28, 28]);
/// ImageGrid::new("Digits").row("black", &digits).save(&path)?;
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), wengert::storage::StorageError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ImageGrid {
    title: String,
    rows: Vec<(String, Tensor<f32>)>,
    captions: Vec<String>,
}

/// Shades of grey that are told apart: more would make the file larger and the picture no better.
const SHADES: f32 = 24.0;

impl ImageGrid {
    /// No rows yet.
    pub fn new(title: impl Into<String>) -> Self {
        ImageGrid { title: title.into(), rows: Vec::new(), captions: Vec::new() }
    }

    /// Adds a row of images \[images, rows, columns\], from 0 (black) to 1 (white).
    ///
    /// # Panics
    /// If the tensor has not three axes.
    #[must_use]
    #[track_caller]
    pub fn row(mut self, label: impl Into<String>, images: &Tensor<f32>) -> Self {
        assert!(images.rank() == 3, "ImageGrid: expected [images, rows, columns], got {:?}", images.shape());
        self.rows.push((label.into(), images.clone()));
        self
    }

    /// What stands below the images of the last row, one after the other; short, a few letters each.
    #[must_use]
    pub fn captions<S: Into<String>>(mut self, captions: impl IntoIterator<Item = S>) -> Self {
        self.captions = captions.into_iter().map(Into::into).collect();
        self
    }

    /// Draws the images into a file, 800 pixels wide.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), StorageError> {
        const LEFT: i32 = 140;
        const TOP: i32 = 56;
        const WIDTH: i32 = 800;
        const GAP: i32 = 4;
        let shape = |images: &Tensor<f32>| [0, 1, 2].map(|axis| images.shape()[axis] as i32);
        let cells: Vec<[i32; 3]> = self.rows.iter().map(|(_, images)| shape(images)).collect();
        // As large as fits into the width, in whole pixels.
        let scale = |[count, _, columns]: &[i32; 3]| {
            let room = (WIDTH - LEFT - 16) / (*count).max(1) - GAP;
            (room / (*columns).max(1)).max(1)
        };
        let below = if self.captions.is_empty() { 0 } else { 24 };
        let height: i32 = cells.iter().map(|cell| cell[1] * scale(cell) + GAP).sum::<i32>() + below;
        save_drawing(path.as_ref(), (WIDTH as u32, (TOP + height + 16) as u32), |area| {
            area.draw(&Text::new(self.title.as_str(), (16, 14), ("sans-serif", 24)))?;
            let mut top = TOP;
            for ((label, images), cell) in self.rows.iter().zip(&cells) {
                let (scale, &[count, rows, columns]) = (scale(cell), cell);
                area.draw(&Text::new(label.as_str(), (16, top + rows * scale / 2 - 8), ("sans-serif", 16)))?;
                let pixels = images.to_vec();
                for image in 0..count {
                    let left = LEFT + image * (columns * scale + GAP);
                    let corner = (left + columns * scale, top + rows * scale);
                    area.draw(&Rectangle::new([(left, top), corner], BLACK.filled()))?;
                    for row in 0..rows {
                        let at = ((image * rows + row) * columns) as usize;
                        let shades: Vec<i32> = pixels[at..][..columns as usize]
                            .iter()
                            .map(|x| (x.clamp(0.0, 1.0) * SHADES).round() as i32)
                            .collect();
                        let mut column = 0;
                        for run in shades.chunk_by(|a, b| a == b) {
                            let begin = column;
                            column += run.len() as i32;
                            if run[0] == 0 {
                                continue; // it is black already
                            }
                            let grey = (run[0] as f32 / SHADES * 255.0) as u8;
                            let from = (left + begin * scale, top + row * scale);
                            let to = (left + column * scale, top + (row + 1) * scale);
                            let colour = RGBColor(grey, grey, grey);
                            area.draw(&Rectangle::new([from, to], colour.filled()))?;
                        }
                    }
                }
                top += rows * scale + GAP;
            }
            let Some(last) = cells.last() else { return Ok(()) };
            let width = last[2] * scale(last);
            let centred =
                TextStyle::from(("sans-serif", 16).into_font()).pos(Pos::new(HPos::Center, VPos::Top));
            for (image, caption) in self.captions.iter().enumerate().take(last[0] as usize) {
                let middle = LEFT + image as i32 * (width + GAP) + width / 2;
                area.draw(&Text::new(caption.as_str(), (middle, top + 4), centred.clone()))?;
            }
            Ok(())
        })
    }
}
