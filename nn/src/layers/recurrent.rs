//! Recurrent layers over sequences, and their cells.
//!
//! ```
//! use wengert_autograd::Variable;
//! use wengert_nn::{Layer, Lstm};
//!
//! let lstm = Lstm::new(16, 32).layers(2).bidirectional(true).batch_first(true);
//! let (out, (h, _c)) = lstm.forward(&Variable::zeros([8, 20, 16]));
//! assert_eq!(out.shape(), [8, 20, 64]); // both directions side by side
//! assert_eq!(h.shape(), [4, 8, 32]); // layers · directions
//! ```
//!
//! The parameters have PyTorch's names: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, then those of
//! `_l0_reverse` and of `_l1`. All are drawn from the uniform distribution in ±1/√hidden.

use crate::{Init, Layer, Module, Training, Visitor, VisitorMut};
use wengert_autograd::{
    Float, Nonlinearity, RecurrentOptions, RecurrentWeights, Tensor, Variable, gru, gru_cell, lstm,
    lstm_cell, rnn, rnn_cell,
};

/// The mask `[rows, steps]` of sequences with these lengths, for [`Lstm::forward_masked`] and its like: true where a step
/// is real.
///
/// ```
/// use wengert_autograd::Variable;
/// use wengert_nn::{Lstm, sequence_mask};
///
/// let lstm = Lstm::new(4, 8).batch_first(true);
/// let mask = sequence_mask(&[3, 5, 1], 5);
/// let (out, (h, _)) = lstm.forward_masked(&Variable::ones([3, 5, 4]), None, &mask);
/// assert_eq!(out.select(0, 2).select(0, 0).value(), h.select(0, 0).select(0, 2).value());
/// assert!(out.select(0, 2).select(0, 1).value().iter().all(|x| x == 0.0));
/// ```
///
/// # Panics
/// If a length is greater than `steps`.
#[track_caller]
pub fn sequence_mask(lengths: &[usize], steps: usize) -> Tensor<bool> {
    let longest = lengths.iter().copied().max().unwrap_or(0);
    assert!(longest <= steps, "sequence_mask: a sequence of {longest} in {steps} steps");
    Tensor::from_fn([lengths.len(), steps], |at| at[1] < lengths[at[0]])
}

/// Sizes, options and weights of a stack of layers.
#[derive(Clone, Debug)]
struct Stack<T: Float> {
    gates: usize,
    input: usize,
    hidden: usize,
    layers: usize,
    bias: bool,
    /// Of an Elman network.
    nonlinearity: Nonlinearity,
    options: RecurrentOptions,
    weights: Vec<RecurrentWeights<T>>,
    training: Training,
}

fn draw<T: Float>(gates: usize, input: usize, hidden: usize, bias: bool) -> RecurrentWeights<T> {
    let bound = 1.0 / (hidden.max(1) as f64).sqrt();
    let uniform = Init::Uniform { low: -bound, high: bound };
    let rows = gates * hidden;
    RecurrentWeights {
        weight_ih: uniform.parameter([rows, input]),
        weight_hh: uniform.parameter([rows, hidden]),
        bias_ih: bias.then(|| uniform.parameter(rows)),
        bias_hh: bias.then(|| uniform.parameter(rows)),
    }
}

impl<T: Float> Stack<T> {
    fn new(gates: usize, input: usize, hidden: usize) -> Self {
        let stack = Stack {
            gates,
            input,
            hidden,
            layers: 1,
            bias: true,
            nonlinearity: Nonlinearity::Tanh,
            options: RecurrentOptions::default(),
            weights: Vec::new(),
            training: Training::default(),
        };
        stack.drawn()
    }

    fn drawn(mut self) -> Self {
        let directions = 1 + usize::from(self.options.bidirectional);
        self.weights = (0..self.layers * directions)
            .map(|k| {
                let input = if k < directions { self.input } else { directions * self.hidden };
                draw(self.gates, input, self.hidden, self.bias)
            })
            .collect();
        self
    }

    /// The options of this call: no dropout outside training.
    fn options(&self, mask: Option<&Tensor<bool>>) -> RecurrentOptions {
        let dropout = if self.training.is_on() { self.options.dropout } else { 0.0 };
        RecurrentOptions { dropout, mask: mask.cloned(), ..self.options }
    }

    /// `l0`, `l0_reverse`, `l1`, …
    fn suffix(&self, k: usize) -> String {
        match self.options.bidirectional {
            true => format!("l{}{}", k / 2, if k % 2 == 1 { "_reverse" } else { "" }),
            false => format!("l{k}"),
        }
    }
}

impl<T: Float> Module<T> for Stack<T> {
    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        for (k, weights) in self.weights.iter().enumerate() {
            let suffix = self.suffix(k);
            visitor.field(&format!("weight_ih_{suffix}"), &weights.weight_ih);
            visitor.field(&format!("weight_hh_{suffix}"), &weights.weight_hh);
            visitor.field(&format!("bias_ih_{suffix}"), &weights.bias_ih);
            visitor.field(&format!("bias_hh_{suffix}"), &weights.bias_hh);
        }
        visitor.field("training", &self.training);
    }
    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
        for weights in &mut self.weights {
            visitor.field("weight_ih", &mut weights.weight_ih);
            visitor.field("weight_hh", &mut weights.weight_hh);
            visitor.field("bias_ih", &mut weights.bias_ih);
            visitor.field("bias_hh", &mut weights.bias_hh);
        }
        visitor.field("training", &mut self.training);
    }
}

macro_rules! recurrent {
    ($($(#[$doc:meta])* $layer:ident, gates $gates:literal, state $state:ty,
        |$stack:ident, $x:ident, $given:ident, $options:ident| $forward:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $layer<T: Float = f32> {
            stack: Stack<T>,
        }

        impl $layer {
            /// A layer of f32 from `input` numbers a step to a state of `hidden`.
            pub fn new(input: usize, hidden: usize) -> Self {
                Self::typed(input, hidden)
            }
        }

        impl<T: Float> $layer<T> {
            /// A layer of any number type.
            pub fn typed(input: usize, hidden: usize) -> Self {
                $layer { stack: Stack::new($gates, input, hidden) }
            }
            /// How many layers stand on each other: 1. Draws all weights anew.
            #[must_use]
            pub fn layers(mut self, layers: usize) -> Self {
                self.stack.layers = layers;
                self.stack = self.stack.drawn();
                self
            }
            /// Whether each layer also runs from the end to the beginning: no. Draws all weights anew.
            #[must_use]
            pub fn bidirectional(mut self, bidirectional: bool) -> Self {
                self.stack.options.bidirectional = bidirectional;
                self.stack = self.stack.drawn();
                self
            }
            /// Whether there are biases: yes. Draws all weights anew.
            #[must_use]
            pub fn bias(mut self, bias: bool) -> Self {
                self.stack.bias = bias;
                self.stack = self.stack.drawn();
                self
            }
            /// The probability of dropout between layers, in training: 0.
            #[must_use]
            pub fn dropout(mut self, p: f64) -> Self {
                self.stack.options.dropout = p;
                self
            }
            /// Whether sequences are `[N, T, …]` rather than `[T, N, …]`: no. States are never batch-first.
            #[must_use]
            pub fn batch_first(mut self, batch_first: bool) -> Self {
                self.stack.options.batch_first = batch_first;
                self
            }

            /// Output and last state from a first state, zero if none is given.
            ///
            /// # Panics
            /// If the shapes do not fit.
            #[track_caller]
            pub fn forward_from(&self, input: &Variable<T>, state: Option<&$state>) -> (Variable<T>, $state) {
                self.run(input, state, None)
            }

            /// The same for rows of several lengths: `mask` `[N, T]`, in either layout, is true where a step is real. The
            /// other steps are skipped, wherever they stand: their output is 0, and the last state is that after the
            /// last real step of the row (of the reverse direction, after the first). For a mask from lengths see
            /// [`sequence_mask`].
            ///
            /// # Panics
            /// If the shapes do not fit.
            #[track_caller]
            pub fn forward_masked(
                &self,
                input: &Variable<T>,
                state: Option<&$state>,
                mask: &Tensor<bool>,
            ) -> (Variable<T>, $state) {
                self.run(input, state, Some(mask))
            }

            #[track_caller]
            fn run(
                &self,
                input: &Variable<T>,
                state: Option<&$state>,
                mask: Option<&Tensor<bool>>,
            ) -> (Variable<T>, $state) {
                let ($stack, $x, $given, $options) = (&self.stack, input, state, self.stack.options(mask));
                $forward
            }
        }

        impl<T: Float> Layer<Variable<T>> for $layer<T> {
            type Output = (Variable<T>, $state);
            #[track_caller]
            fn forward(&self, input: &Variable<T>) -> Self::Output {
                self.forward_from(input, None)
            }
        }

        impl<T: Float> Module<T> for $layer<T> {
            fn visit(&self, visitor: &mut Visitor<'_, T>) {
                self.stack.visit(visitor);
            }
            fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
                self.stack.visit_mut(visitor);
            }
        }
    )*};
}

recurrent! {
    /// Elman's network ("Finding structure in time", 1990): h ← tanh(W·x + b + U·h + b′), from `[T, N, input]` to
    /// `[T, N, directions · hidden]`; the state is `[layers · directions, N, hidden]`.
    Rnn, gates 1, state Variable<T>, |stack, x, state, options| {
        rnn(x, state, &stack.weights, stack.nonlinearity, options)
    };
    /// Gated recurrent units (Cho and others 2014), from `[T, N, input]` to `[T, N, directions · hidden]`; the state is
    /// `[layers · directions, N, hidden]`.
    ///
    /// ```text
    /// r = σ(W_r·x + b_r + U_r·h + b′_r),  z = σ(W_z·x + b_z + U_z·h + b′_z)
    /// n = tanh(W_n·x + b_n + r·(U_n·h + b′_n))
    /// h ← (1 − z)·n + z·h
    /// ```
    Gru, gates 3, state Variable<T>, |stack, x, state, options| {
        gru(x, state, &stack.weights, options)
    };
    /// Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers and others 2000), from
    /// `[T, N, input]` to `[T, N, directions · hidden]`; the state is a pair (h, c), each `[layers · directions, N, hidden]`.
    ///
    /// ```text
    /// i, f, o = σ(W·x + b + U·h + b′),  g = tanh(W·x + b + U·h + b′), each with rows of its own
    /// c ← f·c + i·g
    /// h ← o·tanh c
    /// ```
    Lstm, gates 4, state (Variable<T>, Variable<T>), |stack, x, state, options| {
        let (out, h, c) = lstm(x, state.map(|(h, c)| (h, c)), &stack.weights, options);
        (out, (h, c))
    };
}

impl<T: Float> Rnn<T> {
    /// What the sums go through: tanh.
    #[must_use]
    pub fn nonlinearity(mut self, nonlinearity: Nonlinearity) -> Self {
        self.stack.nonlinearity = nonlinearity;
        self
    }
}

macro_rules! cells {
    ($($(#[$doc:meta])* $cell:ident { $($(#[$setting_doc:meta])* $setting:ident: $type:ty = $default:expr)? },
        gates $gates:literal, state $state:ty, |$this:ident, $x:ident, $h:ident| $step:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh` are drawn from the uniform distribution in ±1/√hidden.
        #[derive(Clone, Debug)]
        pub struct $cell<T: Float = f32> {
            /// The weights.
            pub weights: RecurrentWeights<T>,
            $($(#[$setting_doc])* $setting: $type,)?
        }

        impl $cell {
            /// A cell of f32 from `input` numbers to a state of `hidden`.
            pub fn new(input: usize, hidden: usize) -> Self {
                Self::typed(input, hidden)
            }
        }

        impl<T: Float> $cell<T> {
            /// A cell of any number type.
            pub fn typed(input: usize, hidden: usize) -> Self {
                $cell { weights: draw($gates, input, hidden, true), $($setting: $default)? }
            }
            /// The cell with biases or without.
            #[must_use]
            pub fn bias(mut self, bias: bool) -> Self {
                if !bias {
                    (self.weights.bias_ih, self.weights.bias_hh) = (None, None);
                }
                self
            }
            $(
                $(#[$setting_doc])*
                #[must_use]
                pub fn $setting(mut self, $setting: $type) -> Self {
                    self.$setting = $setting;
                    self
                }
            )?
            /// The state after the input `[N, input]`.
            ///
            /// # Panics
            /// If the shapes do not fit.
            #[track_caller]
            pub fn step(&self, $x: &Variable<T>, $h: &$state) -> $state {
                let $this = self;
                $step
            }
        }

        impl<T: Float> Module<T> for $cell<T> {
            fn visit(&self, visitor: &mut Visitor<'_, T>) {
                visitor.field("weight_ih", &self.weights.weight_ih);
                visitor.field("weight_hh", &self.weights.weight_hh);
                visitor.field("bias_ih", &self.weights.bias_ih);
                visitor.field("bias_hh", &self.weights.bias_hh);
            }
            fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
                visitor.field("weight_ih", &mut self.weights.weight_ih);
                visitor.field("weight_hh", &mut self.weights.weight_hh);
                visitor.field("bias_ih", &mut self.weights.bias_ih);
                visitor.field("bias_hh", &mut self.weights.bias_hh);
            }
        }
    )*};
}

cells! {
    /// One step of [`Rnn`], from a state `[N, hidden]`.
    RnnCell {
        /// What the sum goes through: tanh.
        nonlinearity: Nonlinearity = Nonlinearity::Tanh
    }, gates 1, state Variable<T>, |cell, x, h| rnn_cell(x, h, &cell.weights, cell.nonlinearity);
    /// One step of [`Gru`], from a state `[N, hidden]`.
    GruCell {}, gates 3, state Variable<T>, |cell, x, h| gru_cell(x, h, &cell.weights);
    /// One step of [`Lstm`], from a state (h, c), each `[N, hidden]`.
    LstmCell {}, gates 4, state (Variable<T>, Variable<T>), |cell, x, h| {
        lstm_cell(x, &h.0, &h.1, &cell.weights)
    };
}
