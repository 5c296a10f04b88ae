//! Recurrent cells and layers: Elman's network, LSTM and GRU, step by step and over whole sequences.
//!
//! ```
//! use wengert_autograd::{RecurrentOptions, RecurrentWeights, Variable, lstm};
//!
//! let (steps, rows, inputs, size) = (5, 2, 3, 4);
//! let weights = RecurrentWeights {
//!     weight_ih: Variable::full([4 * size, inputs], 0.1).requires_grad(),
//!     weight_hh: Variable::full([4 * size, size], 0.1).requires_grad(),
//!     bias_ih: None,
//!     bias_hh: None,
//! };
//! let x = Variable::ones([steps, rows, inputs]);
//! let (out, h, c) = lstm(&x, None, &[weights], RecurrentOptions::default());
//! assert_eq!(out.shape(), [steps, rows, size]);
//! assert_eq!((h.shape(), c.shape()), (Variable::ones([1, rows, size]).shape(), h.shape()));
//! ```
//!
//! Weights, gates and states are ordered as in PyTorch. A layer over a sequence is one fused operation for each direction:
//! the inputs of all steps are projected in one product, a kernel runs through time, and the meaning is the cell applied
//! step by step. Sources: Elman, "Finding structure in time", 1990; Hochreiter and Schmidhuber, "Long short-term memory",
//! 1997, with the forget gate of Gers et al., 2000; Cho et al., "Learning phrase representations", 2014, in the form
//! in which the reset gate acts after the product.

use super::{
    elementwise::apply_at,
    fused::{Fused, record_fused},
    ragged::Ragged,
    registry::samples,
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
    scalar::{Float, Formula, Real, float::compiled},
    tensor::{Dims, Tensor},
};
use std::borrow::Cow;

/// The weights of one layer in one direction, with PyTorch's names and layouts. G gates: 1 of an Elman network, 3 of a GRU
/// (r, z, n), 4 of an LSTM (i, f, g, o).
#[derive(Clone, Debug)]
pub struct RecurrentWeights<T: Float = f32> {
    /// `[G·H, I]`
    pub weight_ih: Variable<T>,
    /// `[G·H, H]`
    pub weight_hh: Variable<T>,
    /// `[G·H]`
    pub bias_ih: Option<Variable<T>>,
    /// `[G·H]`
    pub bias_hh: Option<Variable<T>>,
}

/// How sequences are laid out, and how layers are stacked.
#[derive(Clone, Debug, Default)]
pub struct RecurrentOptions {
    /// Are sequences `[N, T, …]`, and not `[T, N, …]`?
    pub batch_first: bool,
    /// Has each layer a second direction, from the last step to the first?
    pub bidirectional: bool,
    /// The probability of dropout between layers; 0 outside training.
    pub dropout: f64,
    /// Which steps are real, `[N, T]` in either layout; all if there is no mask. The others are skipped, wherever they
    /// stand: a state passes them by, the last state is that after the last real step of the row (of the reverse
    /// direction, after the first), and their output is 0. That is what PyTorch's packed sequences give.
    pub mask: Option<Tensor<bool>>,
}

/// What an Elman network's sums go through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nonlinearity {
    /// The hyperbolic tangent.
    #[default]
    Tanh,
    /// max(x, 0).
    Relu,
}

impl From<Nonlinearity> for Cell {
    fn from(nonlinearity: Nonlinearity) -> Cell {
        match nonlinearity {
            Nonlinearity::Tanh => Cell::Tanh,
            Nonlinearity::Relu => Cell::Relu,
        }
    }
}

/// The sums of the gates i, f, g, o and the memory, to state and memory.
#[derive(Clone, Copy)]
struct LstmCell;
impl Formula<5, 2> for LstmCell {
    fn name(&self) -> &'static str {
        "lstm_cell"
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [i, f, g, o, c]: [R; 5]) -> [R; 2] {
        let c = f.sigmoid() * c + i.sigmoid() * g.tanh();
        [o.sigmoid() * c.tanh(), c]
    }
}

fn lstm_gates<T: Float>(gates: &Variable<T>, c: &Variable<T>, line: Line) -> [Variable<T>; 2] {
    let size = c.shape()[c.rank() - 1];
    let [i, f, g, o] = [0, 1, 2, 3].map(|gate| gates.narrow(-1, gate * size, size));
    apply_at(LstmCell, [&i, &f, &g, &o, c], line)
}

/// One step from projected inputs `[N, G·H]`: state and, of an LSTM, memory.
#[track_caller]
fn step<T: Float>(
    cell: Cell,
    x: &Variable<T>,
    (h, c): (&Variable<T>, Option<&Variable<T>>),
    weight_hh: &Variable<T>,
    bias_hh: Option<&Variable<T>>,
) -> (Variable<T>, Option<Variable<T>>) {
    let product = h.linear(weight_hh, bias_hh);
    match cell {
        Cell::Tanh => ((x + product).tanh(), None),
        Cell::Relu => ((x + product).relu(), None),
        Cell::Lstm => {
            let (gates, line) = (x + product, line());
            let (gates, c) = (&gates, c.expect("an LSTM has a memory"));
            let [h, c] =
                compiled!(lstm_gates(gates: &Variable<T>, c: &Variable<T>, line: Line) -> [Variable<T>; 2]);
            (h, Some(c))
        }
        Cell::Gru => {
            let size = h.shape()[h.rank() - 1];
            on_behalf_of(line(), || {
                let part = |gates: &Variable<T>, gate: usize| gates.narrow(-1, gate * size, size);
                let r = (part(x, 0) + part(&product, 0)).sigmoid();
                let z = (part(x, 1) + part(&product, 1)).sigmoid();
                let new = (part(x, 2) + r * part(&product, 2)).tanh();
                (&new + z * (h - &new), None)
            })
        }
    }
}

/// # Panics
/// If the weights do not fit each other or the input.
#[track_caller]
fn check_weights<T: Float>(
    operation: &str,
    cell: Cell,
    inputs: usize,
    weights: &RecurrentWeights<T>,
) -> usize {
    let recurrent = weights.weight_hh.shape();
    assert!(
        recurrent.len() == 2 && recurrent[0] == cell.gates() * recurrent[1],
        "{operation}: weight_hh must have the shape [{g}·H, H], not {recurrent:?}",
        g = cell.gates()
    );
    let (rows, input) = (recurrent[0], weights.weight_ih.shape());
    assert!(
        input == [rows, inputs],
        "{operation}: weight_ih must have the shape {:?} for inputs of size {inputs}, not {input:?}",
        [rows, inputs]
    );
    for (name, bias) in [("bias_ih", &weights.bias_ih), ("bias_hh", &weights.bias_hh)] {
        if let Some(bias) = bias {
            let shape = bias.shape();
            assert!(shape == [rows], "{operation}: {name} must have the shape [{rows}], not {shape:?}");
        }
    }
    recurrent[1]
}

#[track_caller]
fn check_state<T: Float>(operation: &str, name: &str, state: &Variable<T>, shape: &[usize]) {
    let given = state.shape();
    assert!(given == *shape, "{operation}: {name} must have the shape {shape:?}, not {given:?}");
}

#[track_caller]
fn one_step<T: Float>(
    operation: &str,
    cell: Cell,
    x: &Variable<T>,
    (h, c): (&Variable<T>, Option<&Variable<T>>),
    weights: &RecurrentWeights<T>,
) -> (Variable<T>, Option<Variable<T>>) {
    let shape = x.shape();
    assert!(shape.len() == 2, "{operation}: x must have the shape [N, I], not {shape:?}");
    let size = check_weights(operation, cell, shape[1], weights);
    check_state(operation, "h", h, &[shape[0], size]);
    if let Some(c) = c {
        check_state(operation, "c", c, &[shape[0], size]);
    }
    let projected = x.linear(&weights.weight_ih, weights.bias_ih.as_ref());
    step(cell, &projected, (h, c), &weights.weight_hh, weights.bias_hh.as_ref())
}

/// h' = tanh(W_ih·x + b_ih + W_hh·h + b_hh), or max(…, 0): one step of an Elman network, `[N, I]` and `[N, H]` to `[N, H]`.
///
/// ```
/// use wengert_autograd::{Nonlinearity, RecurrentWeights, Variable, rnn_cell};
///
/// let one = || Variable::ones([1, 1]);
/// let weights = RecurrentWeights { weight_ih: one(), weight_hh: one(), bias_ih: None, bias_hh: None };
/// assert_eq!(rnn_cell(&one(), &one(), &weights, Nonlinearity::Relu).item(), 2.0);
/// ```
///
/// # Panics
/// If the shapes do not fit.
#[track_caller]
pub fn rnn_cell<T: Float>(
    x: &Variable<T>,
    h: &Variable<T>,
    weights: &RecurrentWeights<T>,
    nonlinearity: Nonlinearity,
) -> Variable<T> {
    one_step("rnn_cell", nonlinearity.into(), x, (h, None), weights).0
}

/// One step of a GRU, `[N, I]` and `[N, H]` to `[N, H]`: r, z = σ(W·x + b + W·h + b), n = tanh(W·x + b + r·(W·h + b)),
/// h' = (1 − z)·n + z·h.
///
/// ```
/// use wengert_autograd::{RecurrentWeights, Variable, gru_cell};
///
/// let zeros = || Variable::zeros([3, 1]);
/// let weights = RecurrentWeights { weight_ih: zeros(), weight_hh: zeros(), bias_ih: None, bias_hh: None };
/// assert_eq!(gru_cell(&Variable::ones([1, 1]), &Variable::ones([1, 1]), &weights).item(), 0.5);
/// ```
///
/// # Panics
/// If the shapes do not fit.
#[track_caller]
pub fn gru_cell<T: Float>(x: &Variable<T>, h: &Variable<T>, weights: &RecurrentWeights<T>) -> Variable<T> {
    one_step("gru_cell", Cell::Gru, x, (h, None), weights).0
}

/// One step of an LSTM, `[N, I]`, `[N, H]` and `[N, H]` to the new state and memory: i, f, o = σ(W·x + b + W·h + b) and g = tanh
/// of the like, c' = f·c + i·g, h' = o·tanh(c').
///
/// ```
/// use wengert_autograd::{RecurrentWeights, Variable, lstm_cell};
///
/// let zeros = || Variable::zeros([4, 1]);
/// let weights = RecurrentWeights { weight_ih: zeros(), weight_hh: zeros(), bias_ih: None, bias_hh: None };
/// let one = Variable::ones([1, 1]);
/// let (h, c) = lstm_cell(&one, &one, &one, &weights);
/// assert_eq!(c.item(), 0.5);
/// assert_eq!(h.item(), 0.5 * 0.5_f32.tanh());
/// ```
///
/// # Panics
/// If the shapes do not fit.
#[track_caller]
pub fn lstm_cell<T: Float>(
    x: &Variable<T>,
    h: &Variable<T>,
    c: &Variable<T>,
    weights: &RecurrentWeights<T>,
) -> (Variable<T>, Variable<T>) {
    let (h, c) = one_step("lstm_cell", Cell::Lstm, x, (h, Some(c)), weights);
    (h, c.expect("an LSTM has a memory"))
}

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
/// is ordered likewise and never batch-first. For the step see [`rnn_cell`].
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

/// GRUs over sequences; shapes and order of weights as [`rnn`], the step as [`gru_cell`].
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
/// weights as [`rnn`], the step as [`lstm_cell`]; `state` is (h0, c0), zeros if not given.
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

/// Weights of a layer from four variables.
#[cfg(feature = "check")]
fn gather<T: Float>(
    weight_ih: &Variable<T>,
    weight_hh: &Variable<T>,
    biases: &[&Variable<T>],
) -> RecurrentWeights<T> {
    let bias = |k: usize| biases.get(k).copied().cloned();
    RecurrentWeights {
        weight_ih: weight_ih.clone(),
        weight_hh: weight_hh.clone(),
        bias_ih: bias(0),
        bias_hh: bias(1),
    }
}

samples! {
    rnn_cell {
        "tanh" (x: normal([2, 2]), h: normal([2, 3]), w: normal([3, 2]), u: normal([3, 3]), b: normal([3])) => {
            super::rnn_cell(x, h, &gather(w, u, &[b]), Nonlinearity::Tanh)
        };
        "sizes that differ" (x: normal([2, 2]), h: normal([2, 2]), w: normal([3, 2]), u: normal([3, 3])) => {
            super::rnn_cell(x, h, &gather(w, u, &[]), Nonlinearity::Tanh)
        }, panics("h must have the shape [2, 3], not [2, 2]");
    }
    gru_cell {
        "biases" (x: normal([1, 2]), h: normal([1, 2]), w: normal([6, 2]), u: normal([6, 2]), a: normal([6]), b: normal([6])) => {
            super::gru_cell(x, h, &gather(w, u, &[a, b]))
        };
    }
    lstm_cell {
        "state and memory" (x: normal([1, 2]), h: normal([1, 2]), c: normal([1, 2]), w: normal([8, 2]), u: normal([8, 2])) => {
            super::lstm_cell(x, h, c, &gather(w, u, &[]))
        };
    }
    rnn {
        "tanh" (x: normal([3, 2, 1]), h: normal([1, 2, 2]), w: normal([2, 1]), u: normal([2, 2])) => {
            super::rnn(x, Some(h), &[gather(w, u, &[])], Nonlinearity::Tanh, RecurrentOptions::default())
        };
        "a mask with holes, batch first" (x: normal([2, 3, 1]), w: normal([2, 1]), u: normal([2, 2])) => {
            let mask = Tensor::from_fn([2, 3], |at| at[0] != at[1]);
            let options = RecurrentOptions { batch_first: true, mask: Some(mask), ..RecurrentOptions::default() };
            super::rnn(x, None, &[gather(w, u, &[])], Nonlinearity::Tanh, options)
        };
    }
    gru {
        "both directions" (x: normal([2, 2, 1]), h: normal([2, 2, 1]), w: normal([3, 1]), u: normal([3, 1]), a: normal([3]), b: normal([3])) => {
            let options = RecurrentOptions { bidirectional: true, ..RecurrentOptions::default() };
            let weights = gather(w, u, &[a, b]);
            super::gru(x, Some(h), &[weights.clone(), weights], options)
        };
        "one direction" (x: normal([4, 3, 1]), w: normal([6, 1]), u: normal([6, 2])) => {
            super::gru(x, None, &[gather(w, u, &[])], RecurrentOptions::default())
        };
    }
    lstm {
        "one layer" (x: normal([3, 2, 1]), h: normal([1, 2, 1]), c: normal([1, 2, 1]), w: normal([4, 1]), u: normal([4, 1])) => {
            super::lstm(x, Some((h, c)), &[gather(w, u, &[])], RecurrentOptions::default())
        };
        "two layers, batch first" (x: normal([2, 3, 1]), w: normal([4, 1]), u: normal([4, 1]), a: normal([4]), b: normal([4])) => {
            let options = RecurrentOptions { batch_first: true, ..RecurrentOptions::default() };
            let weights = gather(w, u, &[a, b]);
            super::lstm(x, None, &[weights.clone(), weights], options)
        };
        "rows of several lengths, both directions" (x: normal([3, 3, 1]), w: normal([4, 1]), u: normal([4, 1]), c: normal([2, 3, 1])) => {
            let mask = Tensor::from_fn([3, 3], |at| at[1] < [2, 0, 3][at[0]]);
            let options = RecurrentOptions { bidirectional: true, mask: Some(mask), ..RecurrentOptions::default() };
            let weights = gather(w, u, &[]);
            super::lstm(x, Some((c, c)), &[weights.clone(), weights], options)
        };
        "many rows" (x: normal([2, 35, 1]), w: normal([4, 1]), u: normal([4, 1])) => {
            super::lstm(x, None, &[gather(w, u, &[])], RecurrentOptions::default())
        }, order(1, "slow to differentiate twice numerically");
    }
}
