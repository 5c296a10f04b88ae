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

mod cells;
mod layers;
mod ragged;

pub use cells::{gru_cell, lstm_cell, rnn_cell};
pub use layers::{gru, lstm, rnn};

use super::registry::samples;
use crate::{graph::Variable, kernel::recurrent::Cell, scalar::Float, tensor::Tensor};

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
