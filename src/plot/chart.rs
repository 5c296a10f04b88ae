//! Charts of lines and points.

use super::{COLOURS, DrawingError, save_drawing};
use crate::storage::StorageError;
use plotters::{
    chart::{ChartContext, SeriesLabelPosition},
    coord::types::RangedCoordf64,
    prelude::*,
};
use std::path::Path;

/// Lines and points in a plane with two axes; what is not finite is left out.
#[derive(Clone, Debug)]
pub struct Chart {
    title: String,
    x: Axis,
    y: Axis,
    series: Vec<Series>,
}

#[derive(Clone, Debug, Default)]
struct Axis {
    label: String,
    logarithmic: bool,
    range: Option<(f64, f64)>,
}

#[derive(Clone, Debug)]
struct Series {
    name: String,
    style: Style,
    points: Vec<(f64, f64)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Style {
    Line,
    /// Thin and grey: something to compare with.
    Reference,
    Points,
}

impl Chart {
    /// An empty chart with this title.
    pub fn new(title: impl Into<String>) -> Self {
        Chart { title: title.into(), x: Axis::default(), y: Axis::default(), series: Vec::new() }
    }

    /// What the horizontal axis shows, with its unit.
    #[must_use]
    pub fn x(mut self, label: impl Into<String>) -> Self {
        self.x.label = label.into();
        self
    }

    /// What the vertical axis shows, with its unit.
    #[must_use]
    pub fn y(mut self, label: impl Into<String>) -> Self {
        self.y.label = label.into();
        self
    }

    /// A horizontal axis by powers of ten.
    #[must_use]
    pub fn log_x(mut self) -> Self {
        self.x.logarithmic = true;
        self
    }

    /// A vertical axis by powers of ten.
    #[must_use]
    pub fn log_y(mut self) -> Self {
        self.y.logarithmic = true;
        self
    }

    /// The part of the vertical axis that is shown, instead of as much as the data needs.
    #[must_use]
    pub fn y_range(mut self, low: f64, high: f64) -> Self {
        self.y.range = Some((low, high));
        self
    }

    /// Adds a line through these points, named in the legend.
    #[must_use]
    pub fn line(self, name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        self.series(name, Style::Line, points)
    }

    /// Adds a thin grey line to compare the others with: a diagonal, a baseline.
    #[must_use]
    pub fn reference(self, name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        self.series(name, Style::Reference, points)
    }

    /// Adds points, named in the legend.
    #[must_use]
    pub fn points(self, name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        self.series(name, Style::Points, points)
    }

    fn series(
        mut self,
        name: impl Into<String>,
        style: Style,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        let scaled = |(x, y): (f64, f64)| (self.x.scaled(x), self.y.scaled(y));
        let finite = |(x, y): &(f64, f64)| x.is_finite() && y.is_finite();
        let points = points.into_iter().map(scaled).filter(finite).collect();
        self.series.push(Series { name: name.into(), style, points });
        self
    }

    /// Draws the chart into a file, 800 × 500 pixels.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), StorageError> {
        save_drawing(path.as_ref(), (800, 500), |area| {
            let all = || self.series.iter().flat_map(|series| &series.points);
            let (left, right) = self.x.limits(all().map(|point| point.0));
            let (low, high) = self.y.limits(all().map(|point| point.1));
            let mut chart = ChartBuilder::on(area)
                .caption(&self.title, ("sans-serif", 24))
                .margin(16)
                .x_label_area_size(56)
                .y_label_area_size(76)
                .build_cartesian_2d(left..right, low..high)?;
            chart
                .configure_mesh()
                .light_line_style(TRANSPARENT)
                .bold_line_style(BLACK.mix(0.12))
                .axis_style(BLACK.mix(0.6))
                .x_desc(&self.x.label)
                .y_desc(&self.y.label)
                .x_labels(self.x_ticks())
                .y_labels(7)
                .x_label_formatter(&|x| self.x.tick(*x, right - left))
                .y_label_formatter(&|y| self.y.tick(*y, high - low))
                .label_style(("sans-serif", 15))
                .axis_desc_style(("sans-serif", 17))
                .draw()?;
            self.draw(&mut chart)?;
            let named = self.series.iter().filter(|series| !series.name.is_empty()).count();
            if named > 0 {
                chart
                    .configure_series_labels()
                    .position(emptiest_corner(all(), (left, right), (low, high)))
                    .margin(12)
                    .legend_area_size(34)
                    .background_style(WHITE.mix(0.85))
                    .border_style(BLACK.mix(0.3))
                    .label_font(("sans-serif", 16))
                    .draw()?;
            }
            Ok(())
        })
    }

    /// Between epochs there is nothing: where all are whole numbers, so are the ticks.
    fn x_ticks(&self) -> usize {
        const MOST: usize = 9;
        let xs = || self.series.iter().flat_map(|series| &series.points).map(|point| point.0);
        let (low, high) = xs().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
        let whole = !self.x.logarithmic && xs().all(|x| x.fract() == 0.0) && high - low >= 1.0;
        if whole { MOST.min((high - low) as usize + 1) } else { MOST }
    }

    fn draw<'a>(
        &self,
        chart: &mut ChartContext<'a, SVGBackend<'_>, Cartesian2d<RangedCoordf64, RangedCoordf64>>,
    ) -> Result<(), DrawingError> {
        let mut colours = COLOURS.iter().cycle();
        let mut greys = [RGBColor(140, 140, 140), RGBColor(40, 40, 40)].iter().cycle();
        for series in &self.series {
            let (colour, width) = match series.style {
                Style::Reference => (*greys.next().expect("they come again and again"), 1),
                _ => (*colours.next().expect("they come again and again"), 2),
            };
            let points = series.points.iter().copied();
            let drawn = match series.style {
                Style::Points => {
                    chart.draw_series(points.map(|point| Circle::new(point, 3, colour.mix(0.7).filled())))?
                }
                _ => chart.draw_series(LineSeries::new(points, colour.stroke_width(width)))?,
            };
            if !series.name.is_empty() {
                let drawn = drawn.label(&series.name);
                match series.style {
                    Style::Points => {
                        drawn.legend(move |(x, y)| Circle::new((x + 14, y), 4, colour.filled()));
                    }
                    _ => {
                        let stroke = colour.stroke_width(width + 1);
                        drawn.legend(move |(x, y)| PathElement::new([(x, y), (x + 28, y)], stroke));
                    }
                }
            }
        }
        Ok(())
    }
}

impl Axis {
    fn scaled(&self, value: f64) -> f64 {
        if self.logarithmic { value.log10() } else { value }
    }

    /// From the least to the greatest value, and a little more.
    fn limits(&self, values: impl Iterator<Item = f64>) -> (f64, f64) {
        if let Some((low, high)) = self.range {
            return (self.scaled(low), self.scaled(high));
        }
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
        if low > high {
            return (0.0, 1.0); // nothing to show
        }
        let margin = if high > low { 0.03 * (high - low) } else { 0.5 * high.abs().max(1e-3) };
        (low - margin, high + margin)
    }

    /// A tick's label, with as many digits as tell it from its neighbours.
    fn tick(&self, value: f64, span: f64) -> String {
        if self.logarithmic {
            return format!("{:.0e}", 10f64.powf(value));
        }
        let digits = (1.0 - (span / 8.0).log10().floor()).clamp(0.0, 6.0) as usize;
        let text = format!("{value:.digits$}");
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        if text == "-0" { "0".into() } else { text.into() }
    }
}

/// Where a legend hides the fewest points.
fn emptiest_corner<'a>(
    points: impl Iterator<Item = &'a (f64, f64)>,
    (left, right): (f64, f64),
    (low, high): (f64, f64),
) -> SeriesLabelPosition {
    let mut hidden = [0usize; 4];
    for &(x, y) in points {
        let (across, up) = ((x - left) / (right - left), (y - low) / (high - low));
        let side = if across > 0.55 {
            Some(1)
        } else if across < 0.45 {
            Some(0)
        } else {
            None
        };
        let end = if up > 0.65 {
            Some(0)
        } else if up < 0.35 {
            Some(2)
        } else {
            None
        };
        if let (Some(side), Some(end)) = (side, end) {
            hidden[side + end] += 1;
        }
    }
    let order = [1, 0, 3, 2]; // the upper right one if all are as empty
    match order.into_iter().min_by_key(|&corner| hidden[corner]) {
        Some(0) => SeriesLabelPosition::UpperLeft,
        Some(2) => SeriesLabelPosition::LowerLeft,
        Some(3) => SeriesLabelPosition::LowerRight,
        _ => SeriesLabelPosition::UpperRight,
    }
}
