//! Tensors as text, in NumPy's manner: aligned columns, one common number of decimals, large ones summarised.
//!
//! ```
//! use wengert_autograd::tensor::Tensor;
//!
//! let x = Tensor::from_vec(vec![1.0_f32, -0.25, 3.14159265, 100.0], [2, 2]).unwrap();
//! assert_eq!(x.to_string(), "[[  1.0000  -0.2500]\n [  3.1416 100.0000]]");
//! assert_eq!(format!("{x:.1}"), "[[  1.0  -0.2]\n [  3.1 100.0]]");
//! let y = Tensor::<i64>::arange(0, 3, 1);
//! assert_eq!(format!("{y:?}"), "Tensor([0, 1, 2], shape [3], i64)");
//! ```
//!
//! `{}` shows the numbers alone, `{:?}` also shape and element type. Beyond 1000 elements only three at either end of
//! each axis are shown; `{:#}` shows all. Floating-point numbers get as many decimals as the one that needs most, at
//! most 4 (or as many as `{:.2}` asks for), and exponents where sizes differ too much for that.

use std::fmt::{self, Write};

use super::{DType, Element, Tensor};

/// Tensors with more elements than this are summarised.
const SUMMARISED_FROM: usize = 1000;
/// How many entries at either end of an axis a summary shows.
const EDGE: usize = 3;
/// Rows are broken at this width.
const LINE: usize = 78;
/// Decimals, unless the format string says otherwise.
const PRECISION: usize = 4;

impl<E: Element> fmt::Display for Tensor<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Page::new(self, f, " ").write(self, f, 1)
    }
}

impl<E: Element> fmt::Debug for Tensor<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LEAD: &str = "Tensor(";
        f.write_str(LEAD)?;
        Page::new(self, f, ", ").write(self, f, LEAD.len() + 1)?;
        write!(f, ", shape {:?}, {})", self.dims(), E::DTYPE)
    }
}

/// How elements are written: one choice for the whole tensor.
#[derive(Clone, Copy)]
enum Style {
    Plain,
    /// With this many decimals.
    Fixed(usize),
    /// With an exponent, and this many decimals in front of it.
    Scientific(usize),
}

impl Style {
    fn text<E: Element>(self, element: E) -> String {
        let value = element.into_f64();
        match self {
            Style::Fixed(0) if value.is_finite() => format!("{element:.0}."),
            Style::Fixed(decimals) if value.is_finite() => format!("{element:.decimals$}"),
            Style::Scientific(decimals) if value.is_finite() => {
                let text = format!("{value:.decimals$e}");
                let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                let (sign, digits) =
                    exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
                format!("{mantissa}e{sign}{digits:0>2}")
            }
            _ if element.not_a_number() => "nan".into(),
            _ => element.to_string(),
        }
    }

    /// The style that suits these elements, with a wished-for number of decimals or the usual one.
    fn suited<E: Element>(elements: &[E], decimals: Option<usize>) -> Style {
        if !matches!(E::DTYPE, DType::F32 | DType::F64) {
            return Style::Plain;
        }
        let finite = || elements.iter().filter(|element| element.into_f64().is_finite());
        let sizes = || finite().map(|element| element.into_f64().abs()).filter(|&size| size > 0.0);
        let (least, most) = (sizes().fold(f64::INFINITY, f64::min), sizes().fold(0.0, f64::max));
        // The fewest digits that tell an element from its neighbours, as many as the neediest one has.
        let needed = |texts: &mut dyn Iterator<Item = String>| {
            let digits = texts.map(|text| text.split_once('.').map_or(0, |(_, digits)| digits.len()));
            digits.max().unwrap_or(0).min(PRECISION)
        };
        // All whole numbers need no exponent as long as they are exact.
        let whole = finite().all(|element| element.into_f64().fract() == 0.0);
        if most >= 1e8 || (!whole && (least < 1e-4 || most > 1e3 * least)) {
            let shortest = |element: &E| format!("{:e}", Shortest(*element)).replace('e', " ");
            let mut texts =
                finite().map(|element| shortest(element).split(' ').next().unwrap_or("").to_string());
            Style::Scientific(decimals.unwrap_or_else(|| needed(&mut texts)))
        } else {
            Style::Fixed(decimals.unwrap_or_else(|| needed(&mut finite().map(E::to_string))))
        }
    }
}

/// An element's shortest exact text with an exponent.
struct Shortest<E>(E);

impl<E: Element> fmt::LowerExp for Shortest<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The shortest text depends on the type: 0.1 as f32 has more digits when read as f64.
        match E::DTYPE {
            DType::F32 => write!(f, "{:e}", self.0.into_f32()),
            _ => write!(f, "{:e}", self.0.into_f64()),
        }
    }
}

/// What the writing of one tensor needs to know throughout.
struct Page {
    style: Style,
    width: usize,
    summarised: bool,
    separator: &'static str,
}

impl Page {
    fn new<E: Element>(x: &Tensor<E>, f: &fmt::Formatter<'_>, separator: &'static str) -> Page {
        let summarised = x.len() > SUMMARISED_FROM && !f.alternate();
        let mut page = Page { style: Style::Plain, width: 0, summarised, separator };
        let mut shown = Vec::new();
        page.collect(x, &mut shown);
        page.style = Style::suited(&shown, f.precision());
        page.width = shown.iter().map(|&element| page.style.text(element).len()).max().unwrap_or(0);
        page
    }

    /// The indices of an axis that are shown; `None` stands for those left out.
    fn shown(&self, size: usize) -> impl Iterator<Item = Option<usize>> {
        let cut = self.summarised && size > 2 * EDGE;
        let head = if cut { EDGE } else { size };
        let tail = if cut { size - EDGE } else { size };
        (0..head).map(Some).chain(cut.then_some(None)).chain((tail..size).map(Some))
    }

    fn collect<E: Element>(&self, x: &Tensor<E>, to: &mut Vec<E>) {
        match x.rank() {
            0 => to.push(x.item()),
            _ => self.shown(x.sizes()[0]).flatten().for_each(|i| self.collect(&x.select(0, i as isize), to)),
        }
    }

    /// Writes the tensor; `indent` is the column behind its opening bracket.
    fn write<E: Element>(&self, x: &Tensor<E>, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
        match x.rank() {
            0 => return f.write_str(&self.style.text(x.item())),
            _ if x.is_empty() => return f.write_str("[]"),
            _ => f.write_char('[')?,
        }
        let mut column = indent;
        for (position, index) in self.shown(x.sizes()[0]).enumerate() {
            let entry = index.map(|index| x.select(0, index as isize));
            if x.rank() == 1 {
                let text = entry.map_or_else(|| "...".into(), |entry| self.style.text(entry.item()));
                let width = if index.is_some() { self.width } else { text.len() };
                if position > 0 {
                    f.write_str(self.separator)?;
                    column += self.separator.len();
                    if column + width > LINE {
                        write!(f, "\n{:indent$}", "")?;
                        column = indent;
                    }
                }
                write!(f, "{text:>width$}")?;
                column += width;
            } else {
                if position > 0 {
                    // One empty line between matrices, two between blocks of them, and so on.
                    write!(f, "{}{}{:indent$}", self.separator.trim_end(), "\n".repeat(x.rank() - 1), "")?;
                }
                match entry {
                    Some(entry) => self.write(&entry, f, indent + 1)?,
                    None => f.write_str("...")?,
                }
            }
        }
        f.write_char(']')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(data: &[f32]) -> String {
        Tensor::from_slice(data, data.len()).unwrap().to_string()
    }

    #[test]
    fn decimals_are_as_many_as_are_needed() {
        assert_eq!(row(&[1.0, 2.0, -3.0]), "[ 1.  2. -3.]");
        assert_eq!(row(&[0.5, 0.25]), "[0.50 0.25]");
        assert_eq!(row(&[0.1, 1.0 / 3.0]), "[0.1000 0.3333]");
        assert_eq!(row(&[f32::NAN, 1.5, f32::NEG_INFINITY]), "[ nan  1.5 -inf]");
        assert_eq!(row(&[0.0, -0.0]), "[ 0. -0.]");
        assert_eq!(row(&[f32::INFINITY]), "[inf]");
        assert_eq!(row(&[]), "[]");
    }

    #[test]
    fn exponents_where_the_range_asks_for_them() {
        assert_eq!(row(&[1e-5, 1.0]), "[1e-05 1e+00]");
        assert_eq!(row(&[1.5e10, -2.0]), "[ 1.5e+10 -2.0e+00]");
        assert_eq!(row(&[0.001, 12.34567]), "[1.0000e-03 1.2346e+01]");
        assert_eq!(row(&[100_000.0, 1.0]), "[100000.      1.]");
        assert_eq!(Tensor::scalar(1e-300_f64).to_string(), "1e-300");
    }

    #[test]
    fn other_elements_and_ranks() {
        let mask = Tensor::from_slice(&[true, false], [2, 1]).unwrap();
        assert_eq!(mask.to_string(), "[[ true]\n [false]]");
        assert_eq!(Tensor::scalar(3_u8).to_string(), "3");
        assert_eq!(format!("{:?}", Tensor::scalar(0.5_f32)), "Tensor(0.5, shape [], f32)");
        let cube = Tensor::<i64>::arange(0, 8, 1).reshape([2, 2, 2]);
        assert_eq!(cube.to_string(), "[[[0 1]\n  [2 3]]\n\n [[4 5]\n  [6 7]]]");
        let debug = "Tensor([[0, 1],\n        [2, 3]], shape [2, 2], i64)";
        assert_eq!(format!("{:?}", cube.select(0, 0)), debug);
        assert_eq!(format!("{:?}", Tensor::<f64>::zeros([2, 0])), "Tensor([], shape [2, 0], f64)");
    }

    #[test]
    fn large_tensors_are_summarised_and_long_rows_broken() {
        let x = Tensor::<i64>::arange(0, 10_000, 1).reshape([100, 100]);
        let text = x.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 7);
        assert_eq!(lines[0], "[[   0    1    2 ...   97   98   99]");
        assert_eq!(lines[3], " ...");
        assert_eq!(lines[6], " [9900 9901 9902 ... 9997 9998 9999]]");
        assert_eq!(
            format!("{x:#}").matches(char::is_numeric).count(),
            x.iter().map(|x| x.to_string().len()).sum::<usize>()
        );
        let row = x.select(0, 50).to_string();
        assert!(row.lines().count() > 1 && row.lines().all(|line| line.len() <= LINE + 1), "{row}");
    }
}
