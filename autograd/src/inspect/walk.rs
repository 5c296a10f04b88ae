//! [`steps`]: the backward pass, one contribution at a time.

use super::{
    notation::{bar, number},
    rule::{Meanings, explained, put_in, with_numbers},
    snapshot::{Graph, Node, Output, Place, graph_with},
};
use crate::{
    graph::{
        Variable,
        engine::Watch,
        node::{self, End},
        shared::Shared,
        variable::add_gradients,
    },
    scalar::Float,
    tensor::Tensor,
};
use std::{collections::HashMap, fmt};

/// One contribution to a gradient: a node's rule was run, and this flowed to one of its inputs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Step<T: Float = f32> {
    /// The node whose rule it is, by its number in [`Graph::nodes`].
    pub node: usize,
    /// Which of its inputs.
    pub input: usize,
    /// Where the contribution flows: what that input was computed by.
    pub target: Place,
    /// The rule as a formula, with the numbers put in where they are scalars: `x̄ += ȳ · w = 0.5 · 3 = 1.5`.
    pub rule: String,
    /// What is added, in the input's shape.
    pub contribution: Tensor<T>,
    /// The gradient of the target after it was added.
    pub gradient: Tensor<T>,
    /// The target's symbol, and whether something had arrived there before.
    target_symbol: String,
    adds_up: bool,
}

/// The rule; and where contributions meet, what they have come to.
impl<T: Float> fmt::Display for Step<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rule)?;
        if self.adds_up {
            write!(f, ", together {} = {}", bar(&self.target_symbol), in_short(&self.gradient))?;
        }
        Ok(())
    }
}

/// The steps of a backward pass, from [`steps`] or [`Graph::steps`].
#[derive(Clone, Debug)]
pub struct Steps<T: Float = f32>(std::vec::IntoIter<Step<T>>);

impl<T: Float> Iterator for Steps<T> {
    type Item = Step<T>;
    fn next(&mut self) -> Option<Step<T>> {
        self.0.next()
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}
impl<T: Float> DoubleEndedIterator for Steps<T> {
    fn next_back(&mut self) -> Option<Step<T>> {
        self.0.next_back()
    }
}
impl<T: Float> ExactSizeIterator for Steps<T> {}

/// The backward pass from a scalar, step by step: every contribution to every gradient, in the order in which the engine adds
/// them up (the deepest node first, then the order of arrival).
///
/// Nothing is changed: leaves get no gradient, and the graph can still be walked.
///
/// ```
/// use wengert_autograd::{Variable, inspect};
///
/// let x = Variable::from(2.0_f32).requires_grad().named("x");
/// let y = &x * &x; // x is used twice, so two contributions meet
/// let steps: Vec<String> = inspect::steps(&y).map(|step| step.to_string()).collect();
/// assert_eq!(steps, ["x̄ += v̄₁ · x = 1 · 2 = 2", "x̄ += v̄₁ · x = 1 · 2 = 2, together x̄ = 4"]);
/// ```
///
/// # Panics
/// As [`Variable::backward`] does: if the result has more than one element (use [`steps_with`]), no gradient flows into it,
/// or an earlier backward pass released the graph and it was not recorded under [`trace`](super::trace).
#[track_caller]
pub fn steps<T: Float>(output: &Variable<T>) -> Steps<T> {
    let shape = output.shape();
    assert!(
        output.len() == 1,
        "inspect::steps: a derivative is that of a scalar, and this variable has the shape {shape:?}; reduce it first (sum, \
         mean, a loss), or give its cotangent: steps_with(y, g)"
    );
    steps_with(output, &Variable::new(Tensor::full(shape, T::one())))
}

/// [`steps`] from a given cotangent of the shape of `output`.
///
/// # Panics
/// As [`Variable::backward_with`] does.
#[track_caller]
pub fn steps_with<T: Float>(output: &Variable<T>, cotangent: &Variable<T>) -> Steps<T> {
    graph_with(output, cotangent).steps()
}

/// A contribution as the engine reports it.
#[derive(Clone, Debug)]
pub(super) struct Contribution<T: Float> {
    pub(super) node: usize,
    pub(super) input: usize,
    pub(super) value: Tensor<T>,
    /// Did the engine sum it over axes along which the input was repeated?
    pub(super) summed: bool,
}

/// Writes down what the engine does.
pub(super) struct Watcher<'a, T: Float> {
    places: &'a HashMap<usize, usize>,
    pub(super) gradients: Vec<(Place, Tensor<T>)>,
    pub(super) contributions: Vec<Contribution<T>>,
}

impl<'a, T: Float> Watcher<'a, T> {
    pub(super) fn new(places: &'a HashMap<usize, usize>) -> Self {
        Watcher { places, gradients: Vec::new(), contributions: Vec::new() }
    }
}

impl<T: Float> Watch<T> for Watcher<'_, T> {
    const LOOKS_ONLY: bool = true;

    fn arrived(&mut self, end: &End<T>, output: usize, gradient: &Variable<T>) {
        // A graph that hooks build while they run is not in the snapshot.
        if let Some(&node) = self.places.get(&end.address()) {
            self.gradients.push((Place { node, output }, gradient.value()));
        }
    }
    fn contributed(
        &mut self,
        node: &Shared<node::Node<T>>,
        input: usize,
        contribution: &Variable<T>,
        summed: bool,
    ) {
        if let Some(&node) = self.places.get(&node.address()) {
            self.contributions.push(Contribution { node, input, value: contribution.value(), summed });
        }
    }
}

impl<T: Float> Graph<T> {
    /// The backward pass that gave the gradients, step by step; no steps if none was run.
    pub fn steps(&self) -> Steps<T> {
        let mut sums: HashMap<Place, Tensor<T>> = HashMap::new();
        let mut steps = Vec::with_capacity(self.contributions.len());
        for contribution in &self.contributions {
            let Contribution { node, input, value, .. } = contribution;
            let target = self.nodes[*node].inputs[*input];
            let before = sums.remove(&target);
            let adds_up = before.is_some();
            let gradient = before.map_or_else(|| value.clone(), |sum| add_gradients(sum, value.clone()));
            sums.insert(target, gradient.clone());
            steps.push(Step {
                node: *node,
                input: *input,
                target,
                rule: self.rule(contribution),
                contribution: value.clone(),
                gradient,
                target_symbol: self.at(target).symbol.clone(),
                adds_up,
            });
        }
        Steps(steps.into_iter())
    }

    /// What the operation computes, with names and numbers: `y = w · x = 3 · 0.5 = 1.5`. Empty for a leaf or a constant.
    pub fn definition(&self, node: usize) -> String {
        let listed = &self.nodes[node];
        if listed.inputs.is_empty() {
            return String::new();
        }
        let (names, numbers) = (self.names(listed), self.numbers(listed));
        let symbols: Vec<&str> = listed.results().iter().map(|data| data.symbol.as_str()).collect();
        let left =
            if let [only] = symbols[..] { only.to_string() } else { format!("({})", symbols.join(", ")) };
        let (formula, words) = explained(listed.rule.definition());
        let left = format!("{left} = {}", put_in(formula, &names));
        let words = in_parentheses(&[&put_in(words, &names)]);
        let [Output { value: Some(value), .. }] = listed.results() else {
            return left + &words;
        };
        equation(&left, with_numbers(formula, &numbers, &names), value) + &words
    }

    fn rule(&self, contribution: &Contribution<T>) -> String {
        let Contribution { node, input, ref value, summed } = *contribution;
        let listed = &self.nodes[node];
        let (formula, words) = explained(listed.rule.contribution(input));
        let (names, numbers) = (self.names(listed), self.numbers(listed));
        let target = self.at(listed.inputs[input]);
        let left = format!("{} += {}", bar(&target.symbol), put_in(formula, &names));
        let calculation = if summed { None } else { with_numbers(formula, &numbers, &names) };
        let sum = if summed { "summed where it was repeated" } else { "" };
        equation(&left, calculation, value) + &in_parentheses(&[&put_in(words, &names), sum])
    }

    /// What the letters of the node's rule are called.
    fn names(&self, node: &Node<T>) -> Meanings {
        self.meanings(node, |data| Some(data.symbol.clone()), |data| Some(bar(&data.symbol)))
    }

    /// The letters of the node's rule that are scalars, as numbers.
    fn numbers(&self, node: &Node<T>) -> Meanings {
        let scalar = |tensor: &Option<Tensor<T>>| match tensor {
            Some(tensor) if tensor.len() == 1 => Some(number(tensor.reshape([1]).to_vec()[0].into_f64())),
            _ => None,
        };
        self.meanings(node, |data| scalar(&data.value), |data| scalar(&data.gradient))
    }

    fn meanings(
        &self,
        node: &Node<T>,
        value: impl Fn(&Output<T>) -> Option<String>,
        gradient: impl Fn(&Output<T>) -> Option<String>,
    ) -> Meanings {
        let mut meanings = Meanings::new();
        let inputs = node
            .inputs
            .iter()
            .enumerate()
            .filter_map(|(i, place)| Some((node.rule.input(i)?, self.at(*place))));
        let outputs =
            node.outputs.iter().enumerate().filter_map(|(k, data)| Some((node.rule.output(k)?, data)));
        for (letter, data) in inputs.chain(outputs) {
            meanings.extend(value(data).map(|value| (letter.to_string(), value)));
            meanings.extend(gradient(data).map(|gradient| (bar(letter), gradient)));
        }
        meanings
    }
}

/// `formula = calculation = result`, without what would be said twice.
fn equation<T: Float>(formula: &str, calculation: Option<String>, result: &Tensor<T>) -> String {
    let result = in_short(result);
    match calculation {
        Some(calculation) if calculation != result => format!("{formula} = {calculation} = {result}"),
        _ => format!("{formula} = {result}"),
    }
}

/// What explains a formula, behind it.
fn in_parentheses(words: &[&str]) -> String {
    let words: Vec<&str> = words.iter().copied().filter(|words| !words.is_empty()).collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}

/// Numbers to write out before a summary says more.
const FEW: usize = 6;

/// A few numbers, or the shape and the norm.
pub(super) fn in_short<T: Float>(tensor: &Tensor<T>) -> String {
    let numbers = || tensor.iter().map(|value| number(value.into_f64()));
    match tensor.len() {
        1 => numbers().collect(),
        _ if tensor.rank() == 1 && tensor.len() <= FEW => {
            format!("[{}]", numbers().collect::<Vec<_>>().join(", "))
        }
        _ => {
            let norm = tensor.iter().map(|x| x.into_f64() * x.into_f64()).sum::<f64>().sqrt();
            format!("{:?} of norm {}", tensor.shape(), number(norm))
        }
    }
}
