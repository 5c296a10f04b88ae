//! A graph as one HTML page that needs nothing else: drawing, data, style and script in a file.
//!
//! The script knows nothing of derivatives. It shows what stands in the data: the forward computation node by node, then the
//! steps of the backward pass, with the texts that [`steps`](super::steps) gives.

use super::{
    json::kind,
    notation::{bar, escaped, number},
    rule::Rule,
    sample::Sample,
    snapshot::{Graph, Kind, Output, Place},
    svg,
    walk::{Step, in_short},
};
use crate::{scalar::Float, tensor::Tensor};
use serde::Serialize;
use std::collections::HashMap;

/// Elements of tensors that a page shows, in all, so that it stays small; and of one tensor at most.
const ELEMENTS: usize = 8_000;
const ELEMENTS_OF_ONE: usize = 400;

#[derive(Serialize)]
struct Contents {
    output: Place,
    nodes: Vec<NodeContents>,
    forward: Vec<ForwardStep>,
    /// What the cotangent of the output is at the beginning.
    seed: Option<String>,
    backward: Vec<BackwardStep>,
}

#[derive(Serialize)]
struct NodeContents {
    kind: &'static str,
    op: &'static str,
    line: Option<String>,
    inputs: Vec<Place>,
    outputs: Vec<OutputContents>,
    rule: Option<String>,
}

#[derive(Serialize)]
struct OutputContents {
    symbol: String,
    bar: String,
    shape: Option<Vec<usize>>,
    value: Option<Sample>,
    gradient: Option<Sample>,
}

#[derive(Serialize)]
struct ForwardStep {
    node: usize,
    text: String,
}

#[derive(Serialize)]
struct BackwardStep {
    node: usize,
    input: usize,
    target: Place,
    text: String,
    /// What the target's cotangent has come to, where it is one number.
    so_far: Option<String>,
    /// The contribution; none where it is all that arrives at the target, whose gradient is shown then.
    contribution: Option<Sample>,
}

/// The page, under a title.
pub(super) fn page<T: Float>(graph: &Graph<T>, title: &str) -> String {
    let mut drawing = String::new();
    svg::draw(graph, "", &mut drawing);
    let contents =
        serde_json::to_string(&contents(graph)).expect("strings, numbers and lists can be written");
    let style = format!("{}{}", svg::STYLE, include_str!("page/page.css"));
    fill(
        include_str!("page/page.html"),
        &[
            ("@title@", &escaped(title)),
            ("@style@", &style),
            ("@heading@", &escaped(title)),
            ("@graph@", &drawing),
            ("@data@", &in_script(&contents)),
            ("@script@", include_str!("page/page.js")),
        ],
    )
}

/// Puts contents in the places of a template; what they contain is not looked at again.
fn fill(template: &str, places: &[(&str, &str)]) -> String {
    let mut page = String::new();
    let mut rest = template;
    for (place, content) in places {
        let (before, after) = rest.split_once(place).expect("the template has every place, in this order");
        page += before;
        page += content;
        rest = after;
    }
    page + rest
}

/// JSON that may stand in a script element: nothing in it ends the element, opens a comment or breaks a line.
fn in_script(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => safe.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => safe.push(c),
        }
    }
    safe
}

fn contents<T: Float>(graph: &Graph<T>) -> Contents {
    let steps: Vec<_> = graph.steps().collect();
    let mut arrivals: HashMap<Place, usize> = HashMap::new();
    steps.iter().for_each(|step| *arrivals.entry(step.target).or_default() += 1);
    let meets_others = |step: &Step<T>| arrivals[&step.target] > 1;
    let shown = graph.nodes.iter().flat_map(|node| node.results());
    let tensors: usize =
        shown.map(|data| usize::from(data.value.is_some()) + usize::from(data.gradient.is_some())).sum();
    let tensors = tensors + steps.iter().filter(|step| meets_others(step)).count();
    let limit = (ELEMENTS / tensors.max(1)).clamp(1, ELEMENTS_OF_ONE);
    let sample = |tensor: &Tensor<T>| Sample::of(tensor, limit);

    let data = |data: &Output<T>| OutputContents {
        symbol: data.symbol.clone(),
        bar: bar(&data.symbol),
        shape: data.shape.map(|shape| shape.to_vec()),
        value: data.value.as_ref().map(sample),
        gradient: data.gradient.as_ref().map(sample),
    };
    let nodes = graph.nodes.iter().map(|node| NodeContents {
        kind: kind(node.kind),
        op: node.op,
        line: node.line.map(|line| line.to_string()),
        inputs: node.inputs.clone(),
        outputs: node.results().iter().map(data).collect(),
        rule: node.rule().map(Rule::readable),
    });
    let forward = graph.nodes.iter().enumerate().filter(|(_, node)| node.kind == Kind::Operation);
    let output = graph.at(graph.output);
    let seed = (!steps.is_empty()).then_some(output.gradient.as_ref()).flatten();
    let seed = seed.map(|gradient| format!("{} = {}", bar(&output.symbol), in_short(gradient)));
    let backward = steps.iter().map(|step| {
        let only = (step.gradient.len() == 1).then(|| step.gradient.reshape([1]).to_vec()[0]);
        BackwardStep {
            node: step.node,
            input: step.input,
            target: step.target,
            text: step.to_string(),
            so_far: only.map(|value| number(value.into_f64())),
            contribution: meets_others(step).then(|| sample(&step.contribution)),
        }
    });
    Contents {
        output: graph.output,
        nodes: nodes.collect(),
        forward: forward.map(|(node, _)| ForwardStep { node, text: graph.definition(node) }).collect(),
        seed,
        backward: backward.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_the_script() {
        assert_eq!(in_script("[\"</script><!--\"]"), "[\"\\u003c/script\\u003e\\u003c!--\"]");
        assert_eq!(fill("a@x@b@y@c", &[("@x@", "@y@"), ("@y@", "2")]), "a@y@b2c");
    }
}
