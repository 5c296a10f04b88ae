//! The picture of a confusion matrix.

use super::{COLOURS, save_drawing};
use crate::{storage::StorageError, train::metrics::ConfusionMatrix};
use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use std::path::Path;

impl ConfusionMatrix {
    /// Draws the counts as a square of cells, true classes from top to bottom and predicted ones from left to right; the
    /// darker a cell, the larger its share of the true class. Feature `plot`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save_picture(
        &self,
        path: impl AsRef<Path>,
        title: &str,
        classes: &[&str],
    ) -> Result<(), StorageError> {
        const LEFT: i32 = 130;
        const TOP: i32 = 100;
        let count = self.classes().max(1);
        let side = (560 / count as i32).clamp(24, 120);
        let size = side * count as i32;
        let name =
            |class: usize| classes.get(class).map_or_else(|| class.to_string(), |name| name.to_string());
        let (width, height) = ((LEFT + size + 30).max(460) as u32, (TOP + size + 40) as u32);
        save_drawing(path.as_ref(), (width, height), |area| {
            let font = |size: i32| TextStyle::from(("sans-serif", size).into_font());
            let at = |style: TextStyle<'static>, h: HPos, v: VPos| style.pos(Pos::new(h, v));
            area.draw(&Text::new(title, (16, 14), font(24)))?;
            area.draw(&Text::new(
                "predicted class",
                (LEFT + size / 2, 54),
                at(font(17), HPos::Center, VPos::Top),
            ))?;
            let sideways = font(17).transform(FontTransform::Rotate270);
            area.draw(&Text::new("true class", (14, TOP + size / 2), at(sideways, HPos::Center, VPos::Top)))?;
            for class in 0..self.classes() {
                let middle = side * class as i32 + side / 2;
                let label = |x, y, h, v| Text::new(name(class), (x, y), at(font(15), h, v));
                area.draw(&label(LEFT + middle, TOP - 8, HPos::Center, VPos::Bottom))?;
                area.draw(&label(LEFT - 8, TOP + middle, HPos::Right, VPos::Center))?;
                let whole: u64 = (0..self.classes()).map(|other| self.count(class, other)).sum();
                for other in 0..self.classes() {
                    let items = self.count(class, other);
                    let share = items as f64 / whole.max(1) as f64;
                    let corner = (LEFT + side * other as i32, TOP + side * class as i32);
                    let opposite = (corner.0 + side, corner.1 + side);
                    area.draw(&Rectangle::new([corner, opposite], COLOURS[0].mix(share).filled()))?;
                    area.draw(&Rectangle::new([corner, opposite], BLACK.mix(0.2)))?;
                    let colour = if share > 0.5 { &WHITE } else { &BLACK };
                    let style = at(font((side / 3).min(20)).color(colour), HPos::Center, VPos::Center);
                    let centre = (corner.0 + side / 2, corner.1 + side / 2);
                    area.draw(&Text::new(items.to_string(), centre, style))?;
                }
            }
            Ok(())
        })
    }
}
