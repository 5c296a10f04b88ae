//! [`graph`]: a snapshot of a graph, which shares nothing with it but the values.

use super::{
    dot, json,
    notation::{numbered, one_line},
    page,
    rule::Rule,
    svg,
    walk::{Contribution, Watcher},
};
use crate::{
    graph::{
        NamedParameters, Variable, engine,
        mode::line,
        node::{self, Edge, End, Kept, Leaf, Slot, lock},
        shared::Shared,
    },
    scalar::Float,
    tensor::{Dims, Tensor},
};
use std::{collections::HashMap, panic::Location, sync::Arc};

/// A snapshot of what a result was computed from.
///
/// Every node comes after its inputs, in the order in which the operations would be carried out anew: the list that
/// Wengert made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Graph<T: Float = f32> {
    /// The leaves, constants and operations.
    pub nodes: Vec<Node<T>>,
    /// The result that the snapshot was taken of.
    pub output: Place,
    pub(super) contributions: Vec<Contribution<T>>,
}

/// A leaf, a constant, or a recorded operation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Node<T: Float = f32> {
    /// What kind of node it is.
    pub kind: Kind,
    /// The name of the operation; `parameter` or `constant` otherwise.
    pub op: &'static str,
    /// The line of the program that recorded the operation.
    pub line: Option<&'static Location<'static>>,
    /// Where the inputs come from, in the order in which the operation takes them.
    pub inputs: Vec<Place>,
    /// The results; one for a leaf or a constant.
    pub outputs: Vec<Output<T>>,
    pub(super) rule: Rule,
    leaf: Option<Variable<T>>,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A leaf that gets a gradient.
    Parameter,
    /// A value that no gradient flows to.
    Constant,
    /// A recorded operation.
    Operation,
}

/// Output `output` of node number `node`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct Place {
    /// The node's number in [`Graph::nodes`].
    pub node: usize,
    /// Which of its outputs.
    pub output: usize,
}

/// A value, and what flowed back to it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Output<T: Float = f32> {
    /// The name that [`named`](Variable::named) gave, or that came by [`Graph::with_names`].
    pub name: Option<String>,
    /// What formulas call it: its name, or a letter with a number.
    pub symbol: String,
    /// The shape, where it is known: a constant that nobody keeps is gone.
    pub shape: Option<Dims>,
    /// The value; in a graph that was not recorded under [`trace`](super::trace), only where some rule reads it.
    pub value: Option<Tensor<T>>,
    /// ∂L/∂value, complete. None where nothing arrived, or no pass could be run (see [`graph`]).
    pub gradient: Option<Tensor<T>>,
}

/// A snapshot of what `output` was computed from.
///
/// When `output` has one element the snapshot holds gradients: those of a backward pass from it, which changes nothing. For
/// that the graph must still have what its rules read: take the snapshot before `backward()`, or record under
/// [`trace`](super::trace), where it does not matter. Otherwise leaves are shown with the gradient
/// that they have accumulated, and results without. For other results give a cotangent: [`graph_with`].
///
/// Hooks run, as in every backward pass.
///
/// ```
/// use wengert_autograd::{Variable, inspect};
///
/// let w = Variable::from([1.0_f32, -2.0]).requires_grad().named("w");
/// let graph = inspect::graph(&w.square().sum());
/// let names: Vec<&str> = graph.nodes.iter().map(|node| node.op).collect();
/// assert_eq!(names, ["parameter", "square", "sum"]);
/// assert_eq!(graph.nodes[0].outputs[0].gradient.as_ref().unwrap().to_vec(), [2.0, -4.0]);
/// assert!(w.grad().is_none()); // only looked
/// ```
#[track_caller]
pub fn graph<T: Float>(output: &Variable<T>) -> Graph<T> {
    let mut graph = Capture::of(output);
    let one = output.len() == 1 && output.needs_grad();
    if one && !graph.released {
        graph.run(output, &Variable::new(Tensor::full(output.shape(), T::one())), line());
    } else {
        graph.accumulated();
    }
    graph.finish()
}

/// [`graph`] of a result of any shape, with the gradients that flow from `cotangent`, which has the same shape.
///
/// # Panics
/// As [`Variable::backward_with`] does: if the shapes differ, no gradient flows into `output`, or an earlier
/// backward pass released the graph and it was not recorded under [`trace`](super::trace).
#[track_caller]
pub fn graph_with<T: Float>(output: &Variable<T>, cotangent: &Variable<T>) -> Graph<T> {
    let mut graph = Capture::of(output);
    graph.run(output, cotangent, line());
    graph.finish()
}

impl<T: Float> Graph<T> {
    /// Calls parameters by the names that a model gives them, where they have none of their own.
    ///
    /// ```
    /// use wengert_autograd::{NamedParameters, Variable, inspect};
    ///
    /// let w = Variable::from([1.0_f32]).requires_grad();
    /// let names = NamedParameters::from_iter([("out.weight", w.clone())]);
    /// let graph = inspect::graph(&w.sum()).with_names(&names);
    /// assert_eq!(graph.nodes[0].outputs[0].symbol, "out.weight");
    /// ```
    #[must_use]
    pub fn with_names(mut self, parameters: &NamedParameters<T>) -> Self {
        for (name, parameter) in parameters.iter() {
            for node in &mut self.nodes {
                if node.leaf.as_ref().is_some_and(|leaf| leaf.is_same(parameter)) {
                    node.outputs[0].name.get_or_insert_with(|| name.to_string());
                }
            }
        }
        self.give_symbols();
        self
    }

    /// The graph in the language of [Graphviz](https://graphviz.org): `dot -Tsvg graph.dot`.
    pub fn dot(&self) -> String {
        dot::dot(self)
    }

    /// The graph as a drawing, in the colours that the reader's system prefers (light or dark).
    pub fn svg(&self) -> String {
        svg::standalone(self)
    }

    /// The graph as JSON: nodes, values, gradients, and the [`steps`](Graph::steps). Tensors of more than 4096 elements are
    /// described by their [`Statistics`](super::Statistics) alone. What is infinite or NaN is a string.
    pub fn json(&self) -> String {
        json::json(self)
    }

    /// The graph as an HTML page to step through, forward and backward. It needs no network and opens from disk; tensors are
    /// heat maps of up to 400 evenly spaced elements, fewer in a large graph, so that a page of 200 nodes stays below 300 kB.
    pub fn html(&self, title: &str) -> String {
        page::page(self, title)
    }

    /// The value and gradient at a place.
    pub fn at(&self, place: Place) -> &Output<T> {
        &self.nodes[place.node].outputs[place.output]
    }

    fn give_symbols(&mut self) {
        let mut counts = [0; 3];
        for node in &mut self.nodes {
            let (letter, count) = match node.kind {
                Kind::Operation => ('v', &mut counts[0]),
                Kind::Parameter => ('p', &mut counts[1]),
                Kind::Constant => ('c', &mut counts[2]),
            };
            if node.outputs.iter().any(|data| data.name.is_none()) {
                *count += 1;
            }
            let several = node.results().len() > 1;
            for (k, data) in node.outputs.iter_mut().enumerate() {
                data.symbol = match &data.name {
                    Some(name) => one_line(name),
                    None if several => format!("{}.{k}", numbered(letter, *count)),
                    None => numbered(letter, *count),
                };
            }
        }
    }
}

/// A snapshot under way.
pub(super) struct Capture<T: Float> {
    graph: Graph<T>,
    /// Addresses of nodes and leaves to numbers of nodes. The edges keep the addresses from being used again.
    places: HashMap<usize, usize>,
    edges: Vec<Edge<T>>,
    /// The constants that are known, by address, shape and strides.
    constants: HashMap<(usize, Dims, Dims), usize>,
    /// Did some backward pass take away what a rule reads?
    released: bool,
}

impl<T: Float> Capture<T> {
    fn of(output: &Variable<T>) -> Self {
        let graph =
            Graph { nodes: Vec::new(), output: Place { node: 0, output: 0 }, contributions: Vec::new() };
        let mut capture = Capture {
            graph,
            places: HashMap::new(),
            edges: Vec::new(),
            constants: HashMap::new(),
            released: false,
        };
        match output.edge() {
            Some(edge) => {
                capture.visit(edge.clone());
                capture.graph.output = capture.place(edge.end()).expect("it was visited");
            }
            None => {
                capture.constant(Some(output.value()), Some(output));
            }
        }
        let Place { node, output: k } = capture.graph.output;
        capture.graph.nodes[node].outputs[k].value = Some(output.value());
        capture.values();
        capture
    }

    fn place(&self, end: &End<T>) -> Option<Place> {
        let node = *self.places.get(&end.address())?;
        Some(Place { node, output: end.output() as usize })
    }

    /// Lists what `edge` leads to, inputs first. Without recursion: a graph may be a million operations deep.
    fn visit(&mut self, edge: Edge<T>) {
        let mut stack = vec![(edge, false)];
        while let Some((edge, inputs_done)) = stack.pop() {
            let address = edge.end().address();
            if self.places.contains_key(&address) {
                continue;
            }
            match edge.end() {
                End::Leaf(leaf) => {
                    self.leaf(leaf.clone());
                }
                End::Output(node, _) if inputs_done => self.operation(node),
                End::Output(node, _) => {
                    let inputs: Vec<Edge<T>> = node.inputs.iter().rev().flatten().cloned().collect();
                    stack.push((edge, true));
                    stack.extend(inputs.into_iter().map(|input| (input, false)));
                    continue;
                }
            }
            self.edges.push(edge);
        }
    }

    fn leaf(&mut self, leaf: Arc<Leaf<T>>) -> usize {
        let address = Arc::as_ptr(&leaf).addr();
        if let Some(known) = self.places.get(&address) {
            return *known;
        }
        let (kind, op) = match leaf.is_trainable() {
            true => (Kind::Parameter, "parameter"),
            false => (Kind::Constant, "constant"),
        };
        let name = leaf.extras.get().and_then(|extras| extras.name(0));
        let data = Output { shape: Some(leaf.shape()), ..Output::unknown(name) };
        self.edges.push(Edge::new(End::Leaf(leaf.clone())));
        let node = Node::source(kind, op, data, Some(Variable::of_leaf(leaf)));
        self.push(node, Some(address))
    }

    /// A constant that a node reads, if anybody knows its value.
    fn constant(&mut self, value: Option<Tensor<T>>, variable: Option<&Variable<T>>) -> usize {
        if let Some(leaf) = variable.and_then(Variable::as_leaf) {
            return self.leaf(leaf.clone());
        }
        // The same value at the same place in memory, in the same layout, is the same constant.
        let key =
            value.as_ref().map(|value| (value.data_ptr().addr(), value.dims(), Dims::new(value.strides())));
        if let Some(known) = key.and_then(|key| self.constants.get(&key)) {
            return *known;
        }
        let shape = value.as_ref().map(Tensor::dims);
        let data = Output { shape, value, ..Output::unknown(None) };
        let number = self.push(Node::source(Kind::Constant, "constant", data, None), None);
        self.constants.extend(key.map(|key| (key, number)));
        number
    }

    fn operation(&mut self, node: &Shared<node::Node<T>>) {
        let extras = node.extras.get();
        let traced = extras.and_then(|extras| extras.traced.get());
        let kept = match &*lock(&node.kept) {
            Kept::Held(held) => held.clone(),
            Kept::Released(_) => {
                self.released |= traced.is_none();
                Default::default()
            }
        };
        let mut inputs = Vec::with_capacity(node.inputs.len());
        for (i, edge) in node.inputs.iter().enumerate() {
            let input = edge.as_ref().and_then(|edge| self.place(edge.end()));
            inputs.push(input.unwrap_or_else(|| {
                let held =
                    kept.iter().find(|(slot, _)| *slot == Slot::Input(i as u32)).map(|(_, value)| value);
                let value = traced.map(|traced| &traced.inputs[i]).or(held).cloned();
                let variable = traced.and_then(|traced| traced.constants.iter().find(|(at, _)| *at == i));
                Place { node: self.constant(value, variable.map(|(_, variable)| variable)), output: 0 }
            }));
        }
        let name = |k: usize| extras.and_then(|extras| extras.name(k as u32));
        let output = |(k, shape): (usize, &Dims)| Output { shape: Some(*shape), ..Output::unknown(name(k)) };
        let outputs: Vec<Output<T>> = node.shapes.iter().enumerate().map(output).collect();
        let rule = Rule::new(&node.op.rule(), node.op.name(), inputs.len(), outputs.len());
        let op = node.op.name();
        let listed =
            Node { kind: Kind::Operation, op, line: Some(node.line), inputs, outputs, rule, leaf: None };
        self.push(listed, Some(node.address()));
    }

    fn push(&mut self, node: Node<T>, address: Option<usize>) -> usize {
        self.graph.nodes.push(node);
        let number = self.graph.nodes.len() - 1;
        if let Some(address) = address {
            self.places.insert(address, number);
        }
        number
    }

    /// Collects every value that some node keeps.
    fn values(&mut self) {
        let mut found: Vec<(Place, Tensor<T>)> = Vec::new();
        for edge in &self.edges {
            let (End::Output(node, _), Some(at)) = (edge.end(), self.place(edge.end())) else { continue };
            let listed = &self.graph.nodes[at.node];
            let source = |slot: &Slot| match *slot {
                Slot::Input(i) => listed.inputs[i as usize],
                Slot::Output(k) => Place { node: at.node, output: k as usize },
            };
            let (kept, _) = node.kept_for_inspection();
            found.extend(kept.iter().map(|(slot, value)| (source(slot), value.clone())));
            if let Some(traced) = node.extras.get().and_then(|extras| extras.traced.get()) {
                let inputs =
                    traced.inputs.iter().enumerate().map(|(i, value)| (Slot::Input(i as u32), value));
                let outputs =
                    traced.outputs.iter().enumerate().map(|(k, value)| (Slot::Output(k as u32), value));
                found.extend(inputs.chain(outputs).map(|(slot, value)| (source(&slot), value.clone())));
            }
        }
        for (place, value) in found {
            let data = &mut self.graph.nodes[place.node].outputs[place.output];
            data.shape.get_or_insert(value.dims());
            data.value.get_or_insert(value);
        }
        for node in &mut self.graph.nodes {
            if let Some(leaf) = &node.leaf {
                node.outputs[0].value.get_or_insert_with(|| leaf.value());
            }
        }
    }

    fn run(&mut self, output: &Variable<T>, cotangent: &Variable<T>, line: &'static Location<'static>) {
        let mut watcher = Watcher::new(&self.places);
        engine::watch(output, cotangent, line, &mut watcher);
        let Watcher { gradients, contributions, .. } = watcher;
        for (place, gradient) in gradients {
            self.graph.nodes[place.node].outputs[place.output].gradient = Some(gradient);
        }
        self.graph.contributions = contributions;
    }

    /// The gradients of earlier passes, where they are kept.
    fn accumulated(&mut self) {
        for node in &mut self.graph.nodes {
            if let Some(leaf) = &node.leaf {
                node.outputs[0].gradient = leaf.grad();
            }
        }
    }

    fn finish(self) -> Graph<T> {
        let mut graph = self.graph;
        graph.give_symbols();
        graph
    }
}

impl<T: Float> Node<T> {
    /// The operation and its rule in letters, as [`Op::rule`](crate::Op::rule) gives them. None for a leaf or a constant, and
    /// for an operation that gives no text, which is shown by its generic rule.
    pub fn rule(&self) -> Option<&str> {
        self.rule.text()
    }

    /// The outputs that the operation is defined by; others are only kept for its rule.
    pub(super) fn results(&self) -> &[Output<T>] {
        &self.outputs[..self.rule.output_count().clamp(1, self.outputs.len())]
    }

    fn source(kind: Kind, op: &'static str, data: Output<T>, leaf: Option<Variable<T>>) -> Self {
        let rule = Rule::new("", op, 0, 1);
        Node { kind, op, line: None, inputs: Vec::new(), outputs: vec![data], rule, leaf }
    }
}

impl<T: Float> Output<T> {
    fn unknown(name: Option<String>) -> Self {
        Output { name, symbol: String::new(), shape: None, value: None, gradient: None }
    }
}
