//! Attention with several heads.

use crate::{Init, Layer, Linear, Module, Training};
use wengert_autograd::{Float, InProjection, MultiHeadAttention, Tensor, Variable, multi_head_attention};

/// What a query may attend to, and what is returned.
#[derive(Clone, Debug)]
pub struct AttentionOptions<T: Float = f32> {
    /// `[N, S]`: true where a key is padding, to be ignored.
    pub key_padding_mask: Option<Tensor<bool>>,
    /// `[L, S]`: true where a query may *not* attend to a key, as in PyTorch.
    pub attn_mask: Option<Tensor<bool>>,
    /// Added to the scores before the softmax, broadcastable to `[N, heads, L, S]`: −∞ hides a key as a mask does (PyTorch's
    /// `attn_mask` of numbers), and what is learned, such as a bias of relative positions, gets its gradient.
    pub attn_bias: Option<Variable<T>>,
    /// Whether query l sees the keys 0 to l only.
    pub causal: bool,
    /// Whether to return the weights, averaged over the heads.
    pub need_weights: bool,
}

/// Every query sees every key, and no weights are returned.
impl<T: Float> Default for AttentionOptions<T> {
    fn default() -> Self {
        AttentionOptions {
            key_padding_mask: None,
            attn_mask: None,
            attn_bias: None,
            causal: false,
            need_weights: false,
        }
    }
}

/// Attention with several heads (Vaswani and others, "Attention is all you need", 2017, section 3.2.2): from queries
/// `[N, L, E]`, keys `[N, S, E]` and values `[N, S, E]` to `[N, L, E]`. The batch comes first.
///
/// Each head has its own E/heads columns of Q, K, V = x·Wᵀ + b and gives softmax(Q·Kᵀ/√(E/heads))·V; the heads side by side
/// go through `out_proj`.
///
/// Parameters as PyTorch's: `in_proj_weight` `[3E, E]` (rows for queries, keys, values; Xavier-uniform), `in_proj_bias`
/// `[3E]` (zero), `out_proj.weight` `[E, E]` (as [`Linear`]) and `out_proj.bias` `[E]` (zero). Keys and values of
/// [other sizes](Self::key_value_sizes) have `q_proj_weight` `[E, E]`, `k_proj_weight` `[E, Ek]` and `v_proj_weight`
/// `[E, Ev]` in place of `in_proj_weight`.
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
    /// `[3E, E]`, unless keys and values have sizes of their own.
    pub in_proj_weight: Option<Variable<T>>,
    /// `[E, E]`, where keys and values have sizes of their own.
    pub q_proj_weight: Option<Variable<T>>,
    /// `[E, Ek]`, as above.
    pub k_proj_weight: Option<Variable<T>>,
    /// `[E, Ev]`, as above.
    pub v_proj_weight: Option<Variable<T>>,
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

/// How the projections begin.
const XAVIER: Init = Init::XavierUniform { gain: 1.0 };

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
            in_proj_weight: Some(XAVIER.parameter([3 * width, width])),
            q_proj_weight: None,
            k_proj_weight: None,
            v_proj_weight: None,
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

    /// The layer for keys of size Ek and values of size Ev, each with a matrix of its own (PyTorch's `kdim` and `vdim`).
    #[must_use]
    pub fn key_value_sizes(mut self, key: usize, value: usize) -> Self {
        let width = self.out_proj.weight.shape()[0];
        self.in_proj_weight = None;
        self.q_proj_weight = Some(XAVIER.parameter([width, width]));
        self.k_proj_weight = Some(XAVIER.parameter([width, key]));
        self.v_proj_weight = Some(XAVIER.parameter([width, value]));
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
        options: &AttentionOptions<T>,
    ) -> (Variable<T>, Option<Variable<T>>) {
        let separate = [&self.q_proj_weight, &self.k_proj_weight, &self.v_proj_weight];
        let projection = match (&self.in_proj_weight, separate.map(Option::as_ref)) {
            (Some(packed), _) => InProjection::Packed(packed.clone()),
            (None, [Some(q), Some(k), Some(v)]) => InProjection::Separate([q, k, v].map(Clone::clone)),
            _ => panic!(
                "MultiheadAttention: without in_proj_weight there must be q_proj_weight, k_proj_weight and v_proj_weight"
            ),
        };
        let options = MultiHeadAttention {
            in_proj_bias: self.in_proj_bias.clone(),
            out_proj_bias: self.out_proj.bias.clone(),
            key_padding_mask: options.key_padding_mask.clone(),
            attn_mask: options.attn_mask.clone(),
            attn_bias: options.attn_bias.clone(),
            causal: options.causal,
            dropout: if self.training.is_on() { self.dropout } else { 0.0 },
            need_weights: options.need_weights,
            ..MultiHeadAttention::new(self.heads, projection, self.out_proj.weight.clone())
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
