//! Charts of lines and points.

use super::{COLOURS, DrawingError, save_drawing};
use crate::storage::StorageError;
use plotters::{
    chart::{ChartContext, SeriesLabelPosition},
    coord::types::RangedCoordf64,
    element::DashedPathElement,
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
    /// Dashed and grey: something to compare with.
    Reference,
    Points,
}

impl Chart {
    /// An empty chart with this title.
    pub fn new(title: impl Into<String>) -> Self {
        Chart { title: title.into(), x: Axis::default(), y: Axis::default(), series: Vec::new() }
    }

    /// Another title: for charts that are ready-made.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
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

    /// Adds a dashed grey line to compare the others with: a diagonal, a baseline.
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
            let legend = self.legend();
            let (corner, covered) = emptiest_corner(&self.drawn(), (left, right), (low, high), legend);
            // Where it would hide something wherever it stood, room is made for it.
            let make_room = covered > 0 && self.y.range.is_none();
            let high = if make_room { low + (high - low) / (1.0 - legend.1) } else { high };
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
            if legend.1 > 0.0 {
                chart
                    .configure_series_labels()
                    .position(corner)
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

    /// About the width and the height of the legend, as shares of the plane.
    fn legend(&self) -> (f64, f64) {
        let names =
            || self.series.iter().map(|series| series.name.chars().count()).filter(|&count| count > 0);
        let Some(longest) = names().max() else { return (0.0, 0.0) };
        ((8 * longest + 90) as f64 / 690.0, ((20 * names().count() + 30) as f64 / 380.0).min(0.6))
    }

    /// Places that are drawn on: the points, and along lines also places between them.
    fn drawn(&self) -> Vec<(f64, f64)> {
        const PARTS: i32 = 10;
        let mut places = Vec::new();
        for Series { style, points, .. } in &self.series {
            places.extend(points);
            if *style != Style::Points {
                places.extend(points.windows(2).flat_map(|pair| {
                    let [(x0, y0), (x1, y1)] = [pair[0], pair[1]];
                    (1..PARTS)
                        .map(|part| f64::from(part) / f64::from(PARTS))
                        .map(move |part| (x0 + part * (x1 - x0), y0 + part * (y1 - y0)))
                }));
            }
        }
        places
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
        // Long dashes and short ones, with the gaps between them.
        let mut greys = [(RGBColor(110, 110, 110), 10, 5), (RGBColor(40, 40, 40), 3, 4)].iter().cycle();
        for series in &self.series {
            let points = series.points.iter().copied();
            let mut colour = || *colours.next().expect("they come again and again");
            let drawn = match series.style {
                Style::Points => {
                    let colour = colour();
                    chart
                        .draw_series(points.map(|point| Circle::new(point, 3, colour.mix(0.7).filled())))?
                        .legend(move |(x, y)| Circle::new((x + 14, y), 4, colour.filled()))
                }
                Style::Line => {
                    let colour = colour();
                    chart
                        .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
                        .legend(move |(x, y)| PathElement::new([(x, y), (x + 28, y)], colour.stroke_width(3)))
                }
                Style::Reference => {
                    let (grey, dash, gap) = *greys.next().expect("they come again and again");
                    let stroke = grey.stroke_width(2);
                    chart.draw_series(DashedLineSeries::new(points, dash, gap, stroke))?.legend(
                        move |(x, y)| DashedPathElement::new([(x, y), (x + 28, y)], dash, gap, stroke),
                    )
                }
            };
            if !series.name.is_empty() {
                drawn.label(&series.name);
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

/// Where a legend of this width and height hides the fewest places, and how many. If all corners hide as many: the upper
/// right one.
fn emptiest_corner(
    places: &[(f64, f64)],
    (left, right): (f64, f64),
    (low, high): (f64, f64),
    (width, height): (f64, f64),
) -> (SeriesLabelPosition, usize) {
    let hidden = |on_the_right: bool, above: bool| {
        let hides = |&&(x, y): &&(f64, f64)| {
            let (across, up) = ((x - left) / (right - left), (y - low) / (high - low));
            let beside = if on_the_right { across > 1.0 - width } else { across < width };
            beside && if above { up > 1.0 - height } else { up < height }
        };
        places.iter().filter(hides).count()
    };
    let corners = [
        (SeriesLabelPosition::UpperRight, hidden(true, true)),
        (SeriesLabelPosition::UpperLeft, hidden(false, true)),
        (SeriesLabelPosition::LowerRight, hidden(true, false)),
        (SeriesLabelPosition::LowerLeft, hidden(false, false)),
    ];
    let least = corners.iter().map(|corner| corner.1).min().unwrap_or(0);
    let best = if least == 0 { corners.into_iter().find(|corner| corner.1 == 0) } else { None };
    best.unwrap_or((SeriesLabelPosition::UpperRight, least))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_legend_stands_where_it_hides_nothing() {
        let corner = |places: &[(f64, f64)]| emptiest_corner(places, (0.0, 1.0), (0.0, 1.0), (0.4, 0.3));
        assert!(matches!(corner(&[]), (SeriesLabelPosition::UpperRight, 0)));
        assert!(matches!(corner(&[(0.9, 0.9)]), (SeriesLabelPosition::UpperLeft, 0)));
        assert!(matches!(corner(&[(0.9, 0.9), (0.1, 0.8)]), (SeriesLabelPosition::LowerRight, 0)));
        let three = [(0.9, 0.9), (0.1, 0.8), (0.7, 0.2)];
        assert!(matches!(corner(&three), (SeriesLabelPosition::LowerLeft, 0)));
        assert!(matches!(
            corner(&[&three[..], &[(0.3, 0.1)]].concat()),
            (SeriesLabelPosition::UpperRight, 1)
        ));
        // Beside it there may be as much as there will.
        assert!(matches!(corner(&[(0.5, 0.9), (0.9, 0.6)]), (SeriesLabelPosition::UpperRight, 0)));
    }

    #[test]
    fn a_line_is_drawn_between_its_points_too() {
        let chart = Chart::new("").line("across", [(0.0, 0.0), (10.0, 10.0)]).points("points", [(0.0, 5.0)]);
        let drawn = chart.drawn();
        assert!(drawn.contains(&(5.0, 5.0)) && drawn.contains(&(0.0, 5.0)));
        assert_eq!(drawn.len(), 2 + 9 + 1);
    }
}
