//! A graph as a drawing. The page shows the same one and lights its parts up.

use super::{
    layout::{Layout, Point, layered},
    notation::{bar, columns, cut, escaped, number},
    snapshot::{Graph, Kind, Node, Output},
};
use crate::{scalar::Float, tensor::Tensor};
use std::fmt::Write;

/// Colours and fonts of the drawing, in light and dark. They are those of M. Okabe and K. Ito ("Color universal design",
/// 2008), which people who see colours differently can tell apart; no fact is told by colour alone.
pub(super) const STYLE: &str = include_str!("page/graph.css");

/// Columns that a label may take.
const LONGEST: usize = 30;
/// The width of a character of the fixed-width font, in parts of its size.
const ASPECT: f64 = 0.61;
const TITLE: f64 = 13.0;
const DETAIL: f64 = 11.0;
/// The height of a node: two lines, or three where there is a number to show.
const HEIGHTS: [f64; 2] = [46.0, 64.0];

/// The lines in a node.
struct Label {
    title: String,
    detail: String,
    /// Value and gradient, where they are one number.
    numbers: Option<(String, String)>,
    width: f64,
    height: f64,
}

/// A drawing that stands by itself.
pub(super) fn standalone<T: Float>(graph: &Graph<T>) -> String {
    let mut svg = String::new();
    draw(graph, &format!("<style>{STYLE}.graph {{ background: var(--paper); }}</style>"), &mut svg);
    svg
}

/// The element, with `inside` at its beginning.
pub(super) fn draw<T: Float>(graph: &Graph<T>, inside: &str, svg: &mut String) {
    let labels: Vec<Label> = graph.nodes.iter().map(label).collect();
    let sizes: Vec<(f64, f64)> = labels.iter().map(|label| (label.width, label.height)).collect();
    let mut edges = Vec::new();
    let mut names = Vec::new();
    for (to, node) in graph.nodes.iter().enumerate() {
        for (i, input) in node.inputs.iter().enumerate() {
            edges.push((input.node, to));
            names.push((to, i));
        }
    }
    let Layout { centres, paths, width, height } = layered(&sizes, &edges);
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"graph\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" role=\"group\" aria-label=\"graph\">{inside}\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"9\" markerHeight=\"9\" \
         markerUnits=\"userSpaceOnUse\" orient=\"auto-start-reverse\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>"
    );
    for ((to, i), path) in names.iter().zip(&paths) {
        let _ = write!(svg, "<path class=\"edge\" id=\"e{to}-{i}\" d=\"{}\"/>", curve(path));
    }
    for (number, ((node, label), centre)) in graph.nodes.iter().zip(&labels).zip(&centres).enumerate() {
        let output = graph.output.node == number;
        draw_node(number, node, label, *centre, output, svg);
    }
    svg.push_str("</svg>\n");
}

fn label<T: Float>(node: &Node<T>) -> Label {
    let shape = |data: &Output<T>| match data.shape {
        Some(shape) if !shape.is_empty() => format!(" {shape:?}"),
        _ => String::new(),
    };
    let results = node.results();
    let (title, detail) = match node.kind {
        Kind::Operation => {
            let parts: Vec<String> = results.iter().map(|data| data.symbol.clone() + &shape(data)).collect();
            (node.op.to_string(), parts.join(", "))
        }
        Kind::Parameter | Kind::Constant => {
            (results[0].symbol.clone(), node.op.to_string() + &shape(&results[0]))
        }
    };
    let (title, detail) = (cut(&title, LONGEST), cut(&detail, LONGEST));
    let numbers = match results {
        [Output { value: Some(value), gradient, .. }] if value.len() == 1 => {
            let gradient = gradient.as_ref().map(|gradient| bar_equals(&results[0], gradient));
            Some((scalar(value), gradient.unwrap_or_default()))
        }
        _ => None,
    };
    let third = numbers.as_ref().map_or(0, |(value, gradient)| columns(value) + columns(gradient) + 2);
    let needed = [columns(&title) as f64 * TITLE, columns(&detail) as f64 * DETAIL, third as f64 * DETAIL];
    let width = needed.into_iter().fold(0.0, f64::max) * ASPECT + 24.0;
    let height = HEIGHTS[usize::from(numbers.is_some())];
    // Even, so that half of it is whole.
    let width = (width.max(64.0) / 2.0).ceil() * 2.0;
    Label { title, detail, numbers, width, height }
}

fn scalar<T: Float>(tensor: &Tensor<T>) -> String {
    tensor.iter().map(|value| number(value.into_f64())).collect()
}

/// `x̄ 0.5`, short enough for a node.
fn bar_equals<T: Float>(data: &Output<T>, gradient: &Tensor<T>) -> String {
    let bar = bar(&data.symbol);
    let bar = if columns(&bar) > 6 { "grad".into() } else { bar };
    format!("{bar} {}", scalar(gradient))
}

fn draw_node<T: Float>(
    number: usize,
    node: &Node<T>,
    label: &Label,
    centre: Point,
    output: bool,
    svg: &mut String,
) {
    let Label { title, detail, numbers, width, height } = label;
    let kind = super::json::kind(node.kind);
    let symbols: Vec<&str> = node.results().iter().map(|data| data.symbol.as_str()).collect();
    let spoken = escaped(&format!("{} {}", node.op, symbols.join(", ")));
    let _ = write!(
        svg,
        "<g class=\"node {kind}{}\" id=\"n{number}\" transform=\"translate({:.0} {:.0})\">\
         <title>{spoken}</title><rect x=\"{:.0}\" y=\"{:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" rx=\"{}\"/>",
        if output { " output" } else { "" },
        centre.0,
        centre.1,
        -width / 2.0,
        -height / 2.0,
        if node.kind == Kind::Operation { 12 } else { 2 },
    );
    let top = -height / 2.0;
    let _ = write!(svg, "<text class=\"title\" y=\"{:.0}\">{}</text>", top + 19.0, escaped(title));
    let _ = write!(svg, "<text class=\"detail\" y=\"{:.0}\">{}</text>", top + 35.0, escaped(detail));
    if let Some((value, gradient)) = numbers {
        let (y, side) = (top + 54.0, width / 2.0 - 10.0);
        let _ =
            write!(svg, "<text class=\"value\" x=\"{:.0}\" y=\"{y:.0}\">{}</text>", -side, escaped(value));
        let _ = write!(svg, "<text class=\"grad\" x=\"{side:.0}\" y=\"{y:.0}\">{}</text>", escaped(gradient));
    }
    svg.push_str("</g>");
}

/// Straight through a layer, bent between two.
fn curve(path: &[Point]) -> String {
    let mut d = String::new();
    for (at, &(x, y)) in path.iter().enumerate() {
        let _ = match at {
            0 => write!(d, "M{x:.0} {y:.0}"),
            // No piece without a length: the arrow at its end would not know where to point.
            _ if at % 2 == 1 && (y - path[at - 1].1).abs() < 0.5 => Ok(()),
            _ if at % 2 == 1 => write!(d, "V{y:.0}"),
            _ => {
                let (x0, y0) = path[at - 1];
                let middle = (y0 + y) / 2.0;
                write!(d, "C{x0:.0} {middle:.0} {x:.0} {middle:.0} {x:.0} {y:.0}")
            }
        };
    }
    d
}
