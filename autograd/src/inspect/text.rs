//! A graph as indented text, the result first.

use super::{
    notation::bar,
    snapshot::{Graph, Kind, Node, Output, Place},
    walk::in_short,
};
use crate::scalar::Float;
use std::fmt::{self, Write};

/// Levels that are drawn; what is deeper stands at the last one.
const LEVELS: usize = 24;

impl<T: Float> Graph<T> {
    /// The graph as indented text: the result first, each node's inputs below it. What is used twice is written out once.
    ///
    /// ```
    /// use wengert_autograd::{Variable, inspect};
    ///
    /// let w = Variable::from(3.0_f32).requires_grad().named("w");
    /// let x = Variable::from(0.5_f32).named("x");
    /// let y = inspect::trace(|| (&w * &x).named("y"));
    /// let text = inspect::graph(&y).text();
    /// let lines: Vec<&str> = text.lines().collect();
    /// assert!(lines[0].starts_with("y = w · x = 3 · 0.5 = 1.5   ȳ = 1   mul at "));
    /// assert_eq!(lines[1], "├─ w = 3   w̄ = 0.5   parameter");
    /// assert_eq!(lines[2], "└─ x = 0.5   constant");
    /// ```
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut seen = vec![false; self.nodes.len()];
        // What is still to be written: the place, its level, and for each level above whether more follows there.
        let mut stack: Vec<(Place, Vec<bool>)> = vec![(self.output, Vec::new())];
        while let Some((place, more)) = stack.pop() {
            let known = std::mem::replace(&mut seen[place.node], true);
            let _ = writeln!(text, "{}{}", Branches(&more), self.line(place, known));
            if known {
                continue;
            }
            let inputs = &self.nodes[place.node].inputs;
            for (i, input) in inputs.iter().enumerate().rev() {
                let mut more = more.clone();
                more.push(i + 1 < inputs.len());
                if more.len() > LEVELS {
                    more.remove(0);
                }
                stack.push((*input, more));
            }
        }
        text
    }

    fn line(&self, place: Place, known: bool) -> String {
        let node = &self.nodes[place.node];
        let data = self.at(place);
        let symbol = &data.symbol;
        if known && node.inputs.is_empty() {
            return format!("{symbol}   {}", node.op);
        }
        if known {
            return format!("{symbol}   as above");
        }
        let mut line = match node.kind {
            Kind::Operation if node.results().len() == 1 && data.value.is_some() => {
                self.definition(place.node)
            }
            Kind::Operation => format!("{}{}", self.definition(place.node), shapes(node)),
            _ => match &data.value {
                Some(value) => format!("{symbol} = {}", in_short(value)),
                None => symbol.clone(),
            },
        };
        for output in node.results() {
            if let Some(gradient) = &output.gradient {
                line += &format!("   {} = {}", bar(&output.symbol), in_short(gradient));
            }
        }
        line += &format!("   {}", node.op);
        if let Some(at) = node.line {
            line += &format!(" at {at}");
        }
        line
    }
}

/// The shapes of outputs whose values are not shown.
fn shapes<T: Float>(node: &Node<T>) -> String {
    let shape = |data: &Output<T>| data.shape.map_or("?".into(), |shape| format!("{shape:?}"));
    format!("   {}", node.results().iter().map(shape).collect::<Vec<_>>().join(" "))
}

/// The lines in front of an entry.
struct Branches<'a>(&'a [bool]);

impl fmt::Display for Branches<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((last, above)) = self.0.split_last() else { return Ok(()) };
        for more in above {
            f.write_str(if *more { "│  " } else { "   " })?;
        }
        f.write_str(if *last { "├─ " } else { "└─ " })
    }
}

/// The indented text.
impl<T: Float> fmt::Display for Graph<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}
