//! Attention with several heads.

use crate::{Init, Layer, Linear, Module, Training};
use wengert_autograd::{Float, MultiHeadAttention, Tensor, Variable, multi_head_attention};

/// What a query may attend to, and what is returned.
#[derive(Clone, Debug, Default)]
pub struct AttentionOptions {
    /// `[N, S]`: true where a key is padding, to be ignored.
    pub key_padding_mask: Option<Tensor<bool>>,
    /// `[L, S]`: true where a query may *not* attend to a key, as in PyTorch.
    pub attn_mask: Option<Tensor<bool>>,
    /// Whether query l sees the keys 0 to l only.
    pub causal: bool,
    /// Whether to return the weights, averaged over the heads.
    pub need_weights: bool,
}

/// Attention with several heads (Vaswani and others, "Attention is all you need", 2017, section 3.2.2): from queries
/// `[N, L, E]`, keys `[N, S, E]` and values `[N, S, E]` to `[N, L, E]`. The batch comes first.
///
/// Each head has its own E/heads columns of Q, K, V = x·Wᵀ + b and gives softmax(Q·Kᵀ/√(E/heads))·V; the heads side by side
/// go through `out_proj`.
///
/// Parameters as PyTorch's: `in_proj_weight` `[3E, E]` (rows for queries, keys, values; Xavier-uniform), `in_proj_bias`
/// `[3E]` (zero), `out_proj.weight` `[E, E]` (as [`Linear`]) and `out_proj.bias` `[E]` (zero).
///
/// ```
/// use wengert_autograd::Variable;
/// use wengert_nn::{AttentionOptions, MultiheadAttention};
///
/// let attention = MultiheadAttention::new(16, 4);
/// let x = Variable::zeros([2, 5, 16]);
/// let options = AttentionOptions { causal: true, need_weights: true, ..Default::default() };
/// let (out, weights) = attention.attend(&x, &x, &x, &options);
/// assert_eq!(out.shape(), [2, 5, 16]);
/// assert_eq!(weights.unwrap().shape(), [2, 5, 5]);
/// ```
#[derive(Clone, Debug, Module)]
#[module(crate = crate)]
pub struct MultiheadAttention<T: Float = f32> {
    /// `[3E, E]`.
    pub in_proj_weight: Variable<T>,
    /// `[3E]`.
    pub in_proj_bias: Option<Variable<T>>,
    /// From the heads side by side to the output.
    pub out_proj: Linear<T>,
    #[module(skip)]
    heads: usize,
    #[module(skip)]
    dropout: f64,
    training: Training,
}

impl MultiheadAttention {
    /// A layer of f32 for vectors of `width` numbers, which divide among `heads` heads.
    ///
    /// # Panics
    /// If they do not.
    #[track_caller]
    pub fn new(width: usize, heads: usize) -> Self {
        MultiheadAttention::typed(width, heads)
    }
}

impl<T: Float> MultiheadAttention<T> {
    /// A layer of any number type.
    ///
    /// # Panics
    /// If the width does not divide among the heads.
    #[track_caller]
    pub fn typed(width: usize, heads: usize) -> Self {
        assert!(
            heads > 0 && width.is_multiple_of(heads),
            "MultiheadAttention: a width of {width} does not divide among {heads} heads"
        );
        let out_proj = Linear::typed(width, width);
        if let Some(bias) = &out_proj.bias {
            Init::Constant(0.0).fill(bias);
        }
        MultiheadAttention {
            in_proj_weight: Init::XavierUniform { gain: 1.0 }.parameter([3 * width, width]),
            in_proj_bias: Some(Init::Constant(0.0).parameter(3 * width)),
            out_proj,
            heads,
            dropout: 0.0,
            training: Training::default(),
        }
    }

    /// The probability that a weight is dropped, in training: 0.
    #[must_use]
    pub fn dropout(mut self, p: f64) -> Self {
        self.dropout = p;
        self
    }

    /// The layer with biases or without.
    #[must_use]
    pub fn bias(mut self, bias: bool) -> Self {
        if !bias {
            self.in_proj_bias = None;
            self.out_proj.bias = None;
        }
        self
    }

    /// The output, and the weights `[N, L, S]` if they are asked for.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn attend(
        &self,
        query: &Variable<T>,
        key: &Variable<T>,
        value: &Variable<T>,
        options: &AttentionOptions,
    ) -> (Variable<T>, Option<Variable<T>>) {
        let options = MultiHeadAttention {
            in_proj_bias: self.in_proj_bias.clone(),
            out_proj_bias: self.out_proj.bias.clone(),
            key_padding_mask: options.key_padding_mask.clone(),
            attn_mask: options.attn_mask.clone(),
            causal: options.causal,
            dropout: if self.training.is_on() { self.dropout } else { 0.0 },
            need_weights: options.need_weights,
            ..MultiHeadAttention::new(self.heads, self.in_proj_weight.clone(), self.out_proj.weight.clone())
        };
        multi_head_attention(query, key, value, &options)
    }
}

/// Self-attention without a mask.
impl<T: Float> Layer<Variable<T>> for MultiheadAttention<T> {
    type Output = Variable<T>;
    #[track_caller]
    fn forward(&self, input: &Variable<T>) -> Variable<T> {
        self.attend(input, input, input, &AttentionOptions::default()).0
    }
}
