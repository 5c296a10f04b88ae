//! One step of each kind: what a cell means, and what a layer's higher derivatives are made of.

use super::{Nonlinearity, RecurrentWeights};
use crate::{
    graph::{
        Variable,
        mode::{line, on_behalf_of},
        op::Line,
    },
    kernel::recurrent::Cell,
    ops::elementwise::apply_at,
    scalar::{Float, Formula, Real, float::compiled},
};

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
pub(super) fn step<T: Float>(
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
pub(super) fn check_weights<T: Float>(
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
pub(super) fn check_state<T: Float>(operation: &str, name: &str, state: &Variable<T>, shape: &[usize]) {
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
