//! Line charts as SVG files in `target/pictures`, for the lessons.
//!
//! An SVG file is text that every browser draws. A chart here is a frame, labelled ticks, and coloured lines with a legend;
//! the colours are those of Okabe and Ito, which the colour-blind can tell apart.

use std::{fmt::Write, fs, io, path::PathBuf};

/// The size of the picture, and the margins around the frame (left, top, right, bottom).
const SIZE: (f64, f64) = (640.0, 420.0);
const MARGIN: (f64, f64, f64, f64) = (64.0, 40.0, 150.0, 48.0);
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

/// A chart being drawn.
pub(crate) struct Chart {
    x: (f64, f64),
    y: (f64, f64),
    body: String,
    lines: usize,
}

impl Chart {
    /// An empty chart over these ranges, with a title and the names of the axes.
    pub(crate) fn new(
        title: &str,
        (x_name, x): (&str, (f64, f64)),
        (y_name, y): (&str, (f64, f64)),
    ) -> Chart {
        let mut chart = Chart { x, y, body: String::new(), lines: 0 };
        let (left, right, top, bottom) =
            (chart.place(x.0, y.0).0, chart.place(x.1, y.0).0, MARGIN.1, chart.place(x.0, y.0).1);
        chart.text(left, 24.0, "start", title);
        chart.text((left + right) / 2.0, SIZE.1 - 10.0, "middle", x_name);
        chart.text(8.0, top - 8.0, "start", y_name);
        let frame = format!("M{left} {top}V{bottom}H{right}V{top}Z");
        writeln!(chart.body, r##"<path d="{frame}" fill="none" stroke="#888"/>"##).expect("a string");
        for tick in 0..=4 {
            let share = f64::from(tick) / 4.0;
            let (x, y) = (x.0 + share * (x.1 - x.0), y.0 + share * (y.1 - y.0));
            chart.text(chart.place(x, y).0, bottom + 18.0, "middle", &short(x));
            chart.text(left - 6.0, chart.place(x, y).1 + 4.0, "end", &short(y));
        }
        chart
    }

    /// A named line through these points, cut off at the frame.
    pub(crate) fn line(mut self, name: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Chart {
        let colour = COLOURS[self.lines % COLOURS.len()];
        let path = self.path(points);
        writeln!(self.body, r#"<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>"#)
            .expect("a string");
        let (x, y) = (SIZE.0 - MARGIN.2 + 12.0, MARGIN.1 + 14.0 + 22.0 * self.lines as f64);
        writeln!(self.body, r#"<path d="M{x} {}h18" stroke="{colour}" stroke-width="3"/>"#, y - 4.0)
            .expect("a string");
        self.text(x + 24.0, y, "start", name);
        self.lines += 1;
        self
    }

    /// A thin grey line without a name, such as a contour. (Not every lesson has one.)
    #[allow(dead_code)]
    pub(crate) fn guide(mut self, points: impl IntoIterator<Item = (f64, f64)>) -> Chart {
        let path = self.path(points);
        writeln!(self.body, r##"<path d="{path}" fill="none" stroke="#bbb"/>"##).expect("a string");
        self
    }

    /// Writes `target/pictures/NAME.svg`, and returns where that is.
    pub(crate) fn save(self, name: &str) -> io::Result<PathBuf> {
        let folder = PathBuf::from("target/pictures");
        fs::create_dir_all(&folder)?;
        let (width, height) = SIZE;
        let head = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">"#
        );
        let path = folder.join(format!("{name}.svg"));
        fs::write(
            &path,
            format!(
                "{head}\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n{}</svg>\n",
                self.body
            ),
        )?;
        Ok(path)
    }

    /// Where a point of the data is in the picture.
    fn place(&self, x: f64, y: f64) -> (f64, f64) {
        let share = |value: f64, (low, high): (f64, f64)| ((value - low) / (high - low)).clamp(0.0, 1.0);
        let (left, top, right, bottom) = MARGIN;
        let (width, height) = (SIZE.0 - left - right, SIZE.1 - top - bottom);
        (left + width * share(x, self.x), top + height * (1.0 - share(y, self.y)))
    }

    fn path(&self, points: impl IntoIterator<Item = (f64, f64)>) -> String {
        let finite = points.into_iter().filter(|(x, y)| x.is_finite() && y.is_finite());
        let step = |(i, (x, y))| {
            let (x, y) = self.place(x, y);
            format!("{}{x:.1} {y:.1}", if i == 0 { "M" } else { "L" })
        };
        finite.enumerate().map(step).collect()
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        writeln!(
            self.body,
            r##"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" fill="#222">{text}</text>"##
        )
        .expect("a string");
    }
}

/// A tick's number in few characters.
fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').into()
}
