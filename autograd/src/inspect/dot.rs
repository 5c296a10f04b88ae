//! A graph in the language of Graphviz.

use super::{
    notation::one_line,
    snapshot::{Graph, Kind, Node},
};
use crate::scalar::Float;
use std::fmt::Write;

/// The text of a `digraph`.
pub(super) fn dot<T: Float>(graph: &Graph<T>) -> String {
    let mut text = String::from("digraph wengert {\n  node [fontname=\"monospace\" style=filled];\n");
    for (number, node) in graph.nodes.iter().enumerate() {
        let style = match node.kind {
            Kind::Parameter => "shape=box fillcolor=\"#d3efe5\" color=\"#009e73\"",
            Kind::Constant => "shape=box style=\"filled,dashed\" fillcolor=\"#eeeeee\" color=\"#777777\"",
            Kind::Operation => "shape=box style=\"filled,rounded\" fillcolor=\"#ffffff\" color=\"#444444\"",
        };
        let _ = writeln!(text, "  n{number} [label=\"{}\" {style}];", label(node));
    }
    for (number, node) in graph.nodes.iter().enumerate() {
        for input in &node.inputs {
            let shape = graph.at(*input).shape.map_or(String::new(), |shape| format!("{shape:?}"));
            let _ = writeln!(text, "  n{} -> n{number} [label=\"{shape}\"];", input.node);
        }
    }
    text + "}\n"
}

fn label<T: Float>(node: &Node<T>) -> String {
    let mut lines = vec![quoted(node.op)];
    lines.extend(node.results().iter().map(|data| {
        let shape = data.shape.map_or(String::new(), |shape| format!(" {shape:?}"));
        quoted(&data.symbol) + &shape
    }));
    lines.extend(node.line.map(|line| quoted(&line.to_string())));
    lines.join("\\n")
}

/// Text within double quotes.
fn quoted(text: &str) -> String {
    one_line(text).replace('\\', "\\\\").replace('"', "\\\"")
}
