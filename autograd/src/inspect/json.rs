//! A graph as JSON, for other programs.

use super::{
    sample::Number,
    snapshot::{Graph, Kind, Output, Place},
    statistics::Statistics,
};
use crate::{scalar::Float, tensor::Tensor};
use serde::Serialize;

/// Tensors with more elements are described by their statistics alone.
pub(super) const COMPLETE: usize = 4096;

#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    output: Place,
    nodes: Vec<NodeRecord<'a>>,
    steps: Vec<StepRecord>,
}

#[derive(Serialize)]
struct NodeRecord<'a> {
    kind: &'static str,
    op: &'a str,
    line: Option<String>,
    inputs: &'a [Place],
    outputs: Vec<OutputRecord<'a>>,
    definition: String,
    rule: Option<&'a str>,
}

#[derive(Serialize)]
struct OutputRecord<'a> {
    name: Option<&'a str>,
    symbol: &'a str,
    shape: Option<Vec<usize>>,
    value: Option<TensorRecord>,
    gradient: Option<TensorRecord>,
}

#[derive(Serialize)]
struct StepRecord {
    node: usize,
    input: usize,
    target: Place,
    rule: String,
    contribution: TensorRecord,
}

#[derive(Serialize)]
struct TensorRecord {
    shape: Vec<usize>,
    values: Option<Vec<Number>>,
    statistics: Statistics,
}

impl TensorRecord {
    fn of<T: Float>(tensor: &Tensor<T>) -> Self {
        let values = || tensor.iter().map(|value| Number(value.into_f64())).collect();
        TensorRecord {
            shape: tensor.shape().to_vec(),
            values: (tensor.len() <= COMPLETE).then(values),
            statistics: Statistics::of(tensor),
        }
    }
}

/// The word for a kind of node.
pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Parameter => "parameter",
        Kind::Constant => "constant",
        Kind::Operation => "operation",
    }
}

/// The document.
pub(super) fn json<T: Float>(graph: &Graph<T>) -> String {
    let data = |data: &'_ Output<T>| -> (Option<TensorRecord>, Option<TensorRecord>) {
        (data.value.as_ref().map(TensorRecord::of), data.gradient.as_ref().map(TensorRecord::of))
    };
    let nodes = graph.nodes.iter().enumerate().map(|(number, node)| NodeRecord {
        kind: kind(node.kind),
        op: node.op,
        line: node.line.map(|line| line.to_string()),
        inputs: &node.inputs,
        outputs: node
            .outputs
            .iter()
            .map(|output| {
                let (value, gradient) = data(output);
                let shape = output.shape.map(|shape| shape.to_vec());
                OutputRecord { name: output.name.as_deref(), symbol: &output.symbol, shape, value, gradient }
            })
            .collect(),
        definition: graph.definition(number),
        rule: node.rule(),
    });
    let steps = graph.steps().map(|step| StepRecord {
        node: step.node,
        input: step.input,
        target: step.target,
        contribution: TensorRecord::of(&step.contribution),
        rule: step.rule,
    });
    let document = Document {
        format: "wengert graph 1",
        output: graph.output,
        nodes: nodes.collect(),
        steps: steps.collect(),
    };
    serde_json::to_string(&document).expect("strings, numbers and lists can be written")
}
