//! Layers over whole sequences: one fused operation for each layer and direction, and stacks of them.

use super::{
    Nonlinearity, RecurrentOptions, RecurrentWeights,
    cells::{check_state, check_weights, step},
    ragged::Ragged,
};
use crate::{
    graph::{
        Context, Cotangents, Grads, Keep, Variable,
        mode::{line, on_behalf_of},
        op::Line,
    },
    kernel::{
        recurrent::{Cell, Sequence},
        reduce,
    },
    ops::fused::{Fused, record_fused},
    scalar::{Float, float::compiled},
    tensor::{Dims, Tensor},
};
use std::borrow::Cow;

/// A layer in one direction, from projected inputs. Inputs: x, h0, weight_hh, then c0 of an LSTM or bias_hh of a GRU.
struct Layer {
    cell: Cell,
    reverse: bool,
    batch_first: bool,
    /// Is there a fourth input?
    has_fourth: bool,
}

impl Layer {
    /// The kernel's view of the (packed) inputs.
    fn sequence<'a, T: Float>(&self, inputs: &'a [Tensor<T>]) -> Sequence<'a, T> {
        let data =
            |i: usize| inputs.get(i).map_or(&[] as &[T], |x| x.as_slice().expect("packed by the caller"));
        let (shape, time) = (inputs[0].shape(), usize::from(self.batch_first));
        let fourth = data(3);
        let (c0, bias) = if self.cell.has_memory() { (fourth, &[] as &[T]) } else { (&[] as &[T], fourth) };
        Sequence {
            cell: self.cell,
            reverse: self.reverse,
            batch_first: self.batch_first,
            steps: shape[time],
            rows: shape[1 - time],
            size: inputs[1].size(-1),
            x: data(0),
            h0: data(1),
            c0,
            weight: data(2),
            bias,
        }
    }
}

/// Runs a layer: the states of all steps, the last state, the last memory.
fn layer_at<T: Float>(layer: Layer, inputs: &[&Variable<T>], line: Line) -> [Variable<T>; 3] {
    let values: Vec<Tensor<T>> = inputs.iter().map(|input| input.value().contiguous()).collect();
    let run = layer.sequence(&values).forward();
    let values: Vec<&Tensor<T>> = values.iter().collect();
    let outputs = [run.out, run.h, run.c, run.cells, run.kept];
    let [out, h, c, ..] = record_fused(layer, inputs, &values, outputs, Keep::outputs([0, 3, 4]), line);
    [out, h, c]
}

impl<T: Float> Fused<T> for Layer {
    fn name(&self) -> &'static str {
        match self.cell {
            Cell::Tanh | Cell::Relu => "rnn",
            Cell::Lstm => "lstm",
            Cell::Gru => "gru",
        }
    }

    fn rule(&self) -> Cow<'static, str> {
        let states = match self.cell {
            Cell::Tanh | Cell::Relu => "(y, h) = rnn(x, h₀, w), step after step",
            Cell::Lstm => "(y, h, c) = lstm(x, h₀, w, c₀), step after step",
            Cell::Gru => "(y, h) = gru(x, h₀, w, b), step after step",
        };
        let last = match self.cell {
            Cell::Lstm => "; c̄₀ += f₁ · c̄₁, f the forget gate",
            _ => "; b̄ += Σₜ of the cotangents of the candidate's product",
        };
        let rules = "x̄ += ḡ, the cotangents of the gates, from the last step to the first; h̄₀ += ḡ₁·w, and what \
                     passes by the gates; w̄ += Σₜ ḡₜᵀ·hₜ₋₁";
        format!("{states}; {rules}{}", if self.has_fourth { last } else { "" }).into()
    }

    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let inputs: Vec<Tensor<T>> = (0..cx.input_count()).map(|i| cx.input_tensor(i).clone()).collect();
        let g = [0, 1, 2].map(|k| g.get(k).map(|g| g.value().contiguous()));
        let reached = [0, 3, 4].map(|k| cx.output_tensor(k).as_slice().expect("packed by the kernel"));
        let arriving = [0, 1, 2].map(|k| g[k].as_ref().map(|g| g.as_slice().expect("packed above")));
        let found = self.sequence(&inputs).backward(reached, arriving);
        let mut gradients = vec![found.x, found.h0, found.weight];
        if self.has_fourth {
            gradients.push(match self.cell {
                Cell::Lstm => found.c0,
                _ => reduce::reduce(reduce::Sum, &found.product, 0b11).reshape([found.product.size(-1)]),
            });
        }
        Grads::of(
            gradients.into_iter().enumerate().map(|(i, found)| cx.wants(i).then(|| Variable::new(found))),
        )
    }

    fn define(&self, inputs: &[Variable<T>]) -> Vec<Variable<T>> {
        let time = isize::from(self.batch_first);
        let steps = inputs[0].shape()[time as usize];
        let (mut h, weight) = (inputs[1].clone(), &inputs[2]);
        let memory = self.cell.has_memory();
        let mut c = if memory { inputs.get(3).cloned() } else { None };
        let bias = if memory { None } else { inputs.get(3) };
        let mut states: Vec<Variable<T>> = Vec::with_capacity(steps);
        for step_number in 0..steps {
            let at = if self.reverse { steps - 1 - step_number } else { step_number };
            let x = inputs[0].select(time, at as isize);
            (h, c) = step(self.cell, &x, (&h, c.as_ref()), weight, bias);
            states.push(h.clone());
        }
        if self.reverse {
            states.reverse();
        }
        let out = if states.is_empty() {
            let shape = inputs[0].shape();
            let empty = Dims::new(&[shape[0], shape[1], h.shape()[1]]);
            Variable::new(Tensor::zeros(empty))
        } else {
            Variable::stack(&states, time)
        };
        let mut outputs = vec![out, h];
        outputs.extend(c);
        outputs
    }
}

/// Layers and directions on top of each other: the states of the last layer, and the last states and memories of all.
#[track_caller]
fn stacked<T: Float>(
    operation: &'static str,
    cell: Cell,
    x: &Variable<T>,
    (h0, c0): (Option<&Variable<T>>, Option<&Variable<T>>),
    weights: &[RecurrentWeights<T>],
    options: RecurrentOptions,
) -> (Variable<T>, Variable<T>, Option<Variable<T>>) {
    let (shape, directions) = (x.shape(), 1 + usize::from(options.bidirectional));
    assert!(
        shape.len() == 3,
        "{operation}: x must have the shape {}, not {shape:?}",
        if options.batch_first { "[N, T, I]" } else { "[T, N, I]" }
    );
    assert!(
        !weights.is_empty() && weights.len().is_multiple_of(directions),
        "{operation}: weights are given for each layer and direction, and these are {} for {directions} directions",
        weights.len()
    );
    let time = usize::from(options.batch_first);
    let (steps, rows) = (shape[time], shape[1 - time]);
    if let Some(mask) = &options.mask {
        assert!(
            mask.shape() == [rows, steps],
            "{operation}: the mask must have the shape [{rows}, {steps}] ([N, T]), not {:?}",
            mask.shape()
        );
    }
    let size = weights[0].weight_hh.shape().last().copied().unwrap_or(0);
    let states = [weights.len(), rows, size];
    for (name, state) in [("h0", h0), ("c0", c0)] {
        if let Some(state) = state {
            check_state(operation, name, state, &states);
        }
    }
    let caller = line();
    let first = |state: Option<&Variable<T>>, k: usize| match state {
        Some(state) => on_behalf_of(caller, || state.select(0, k as isize)),
        None => Variable::new(Tensor::zeros([rows, size])),
    };
    let (mut input, mut last, mut memories) = (x.clone(), Vec::new(), Vec::new());
    for (number, weights) in weights.chunks_exact(directions).enumerate() {
        if number > 0 {
            input = input.dropout(options.dropout, options.dropout > 0.0);
        }
        let mut outputs = Vec::with_capacity(directions);
        for (direction, weights) in weights.iter().enumerate() {
            let k = number * directions + direction;
            let found = check_weights(operation, cell, input.shape()[2], weights);
            assert!(
                found == size,
                "{operation}: all layers must have states of one size, not {size} and {found}"
            );
            // Only a GRU needs the second bias by itself: its reset gate acts on it.
            let (bias, recurrent_bias) = match (cell, &weights.bias_ih, &weights.bias_hh) {
                (Cell::Gru, input, recurrent) => (input.clone(), recurrent.clone()),
                (_, Some(input), Some(recurrent)) => (Some(input + recurrent), None),
                (_, input, recurrent) => (input.clone().or_else(|| recurrent.clone()), None),
            };
            let mut projected = input.linear(&weights.weight_ih, bias.as_ref());
            let ragged =
                options.mask.as_ref().map(|mask| Ragged::new(mask, options.batch_first, direction == 1));
            if let Some(ragged) = &ragged {
                projected = on_behalf_of(caller, || ragged.gather(cell, &projected));
            }
            let mut inputs = vec![projected, first(h0, k), weights.weight_hh.clone()];
            if cell.has_memory() {
                inputs.push(first(c0, k));
            }
            inputs.extend(recurrent_bias);
            let layer = Layer {
                cell,
                // The real steps are in the order of the direction already.
                reverse: direction == 1 && ragged.is_none(),
                batch_first: options.batch_first,
                has_fourth: inputs.len() == 4,
            };
            let (given, line): (Vec<&Variable<T>>, Line) = (inputs.iter().collect(), line());
            let given = given.as_slice();
            let [mut out, mut h, c] =
                compiled!(layer_at(layer: Layer, given: &[&Variable<T>], line: Line) -> [Variable<T>; 3]);
            if let Some(ragged) = &ragged {
                (h, out) = on_behalf_of(caller, || (ragged.last(&out, &inputs[1]), ragged.scatter(&out)));
            }
            outputs.push(out);
            last.push(h);
            memories.push(c);
        }
        input = if directions == 1 { outputs.remove(0) } else { Variable::cat(&outputs, -1) };
    }
    let memory = if cell.has_memory() { Some(Variable::stack(&memories, 0)) } else { None };
    (input, Variable::stack(&last, 0), memory)
}

/// Elman networks over sequences `[T, N, I]` (or `[N, T, I]`): the states of the last layer `[T, N, directions·H]`, and the last
/// states of all layers `[layers·directions, N, H]`.
///
/// `weights` are those of layer 0 forward, layer 0 reverse (if bidirectional), layer 1 forward, …; `h0`, zeros if not given,
/// is ordered likewise and never batch-first. For the step see [`rnn_cell`](super::rnn_cell).
///
/// ```
/// use wengert_autograd::{Nonlinearity, RecurrentOptions, RecurrentWeights, Variable, rnn};
///
/// let one = || Variable::ones([1, 1]);
/// let weights = RecurrentWeights { weight_ih: one(), weight_hh: one(), bias_ih: None, bias_hh: None };
/// let x = Variable::ones([3, 1, 1]);
/// let (out, _) = rnn(&x, None, &[weights], Nonlinearity::Relu, RecurrentOptions::default());
/// assert_eq!(out.value().to_vec(), [1.0, 2.0, 3.0]);
/// ```
///
/// # Panics
/// If the shapes do not fit.
#[track_caller]
pub fn rnn<T: Float>(
    x: &Variable<T>,
    h0: Option<&Variable<T>>,
    weights: &[RecurrentWeights<T>],
    nonlinearity: Nonlinearity,
    options: RecurrentOptions,
) -> (Variable<T>, Variable<T>) {
    let (out, h, _) = stacked("rnn", nonlinearity.into(), x, (h0, None), weights, options);
    (out, h)
}

/// GRUs over sequences; shapes and order of weights as [`rnn`], the step as [`gru_cell`](super::gru_cell).
///
/// ```
/// use wengert_autograd::{RecurrentOptions, RecurrentWeights, Variable, gru};
///
/// let zeros = || Variable::zeros([3, 1]);
/// let weights = RecurrentWeights { weight_ih: zeros(), weight_hh: zeros(), bias_ih: None, bias_hh: None };
/// let h0 = Variable::ones([1, 1, 1]);
/// let (out, _) = gru(&Variable::ones([3, 1, 1]), Some(&h0), &[weights], RecurrentOptions::default());
/// assert_eq!(out.value().to_vec(), [0.5, 0.25, 0.125]);
/// ```
///
/// # Panics
/// If the shapes do not fit.
#[track_caller]
pub fn gru<T: Float>(
    x: &Variable<T>,
    h0: Option<&Variable<T>>,
    weights: &[RecurrentWeights<T>],
    options: RecurrentOptions,
) -> (Variable<T>, Variable<T>) {
    let (out, h, _) = stacked("gru", Cell::Gru, x, (h0, None), weights, options);
    (out, h)
}

/// LSTMs over sequences: the states of the last layer, and the last states and memories of all layers. Shapes and order of
/// weights as [`rnn`], the step as [`lstm_cell`](super::lstm_cell); `state` is (h0, c0), zeros if not given.
///
/// ```
/// use wengert_autograd::{RecurrentOptions, RecurrentWeights, Variable, lstm};
/// let weights = [RecurrentWeights {
///     weight_ih: Variable::zeros([4 * 3, 2]), // 2 inputs, 3 units
///     weight_hh: Variable::zeros([4 * 3, 3]),
///     bias_ih: None,
///     bias_hh: None,
/// }];
/// let (out, h, c) = lstm(&Variable::ones([5, 1, 2]), None, &weights, RecurrentOptions::default());
/// assert_eq!((out.shape().to_vec(), h.shape().to_vec(), c.shape().to_vec()), (vec![5, 1, 3], vec![1, 1, 3], vec![1, 1, 3]));
/// ```
///
/// # Panics
/// If the shapes do not fit.
#[track_caller]
pub fn lstm<T: Float>(
    x: &Variable<T>,
    state: Option<(&Variable<T>, &Variable<T>)>,
    weights: &[RecurrentWeights<T>],
    options: RecurrentOptions,
) -> (Variable<T>, Variable<T>, Variable<T>) {
    let state = (state.map(|state| state.0), state.map(|state| state.1));
    let (out, h, c) = stacked("lstm", Cell::Lstm, x, state, weights, options);
    (out, h, c.expect("an LSTM has a memory"))
}
