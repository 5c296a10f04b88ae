//! The Transformer's layers (Vaswani and others, "Attention is all you need", 2017). The batch comes first: `[N, L, E]`.

use crate::{AttentionOptions, Dropout, Layer, LayerNorm, Linear, Module, MultiheadAttention};
use wengert_autograd::{Float, Variable};

/// Sizes and options of a Transformer's layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TransformerOptions {
    /// The width of the hidden layer of the feed-forward part: 2048.
    pub feedforward: usize,
    /// The probability of dropout, in training: 0.1.
    pub dropout: f64,
    /// Whether to normalise before each part rather than after it (Xiong and others 2020): no.
    pub norm_first: bool,
    /// Whether the feed-forward part goes through GELU rather than relu: no.
    pub gelu: bool,
}

impl Default for TransformerOptions {
    fn default() -> Self {
        TransformerOptions { feedforward: 2048, dropout: 0.1, norm_first: false, gelu: false }
    }
}

/// Self-attention and a feed-forward part, each around a residual connection, from `[N, L, E]` to `[N, L, E]`:
/// x ← norm(x + attention(x)), x ← norm(x + W₂·relu(W₁·x)); with `norm_first` x ← x + part(norm(x)).
///
/// The parts have PyTorch's names: `self_attn`, `linear1`, `linear2`, `norm1`, `norm2`.
///
/// ```
/// use wengert_autograd::Variable;
/// use wengert_nn::{Layer, TransformerEncoderLayer, TransformerOptions};
///
/// let layer = TransformerEncoderLayer::new(16, 4, TransformerOptions { feedforward: 32, ..Default::default() });
/// assert_eq!(layer.forward(&Variable::ones([2, 5, 16])).shape(), [2, 5, 16]);
/// ```
#[derive(Clone, Debug, Module)]
#[module(crate = crate)]
pub struct TransformerEncoderLayer<T: Float = f32> {
    /// Each position attends to the others.
    pub self_attn: MultiheadAttention<T>,
    /// Into the feed-forward part.
    pub linear1: Linear<T>,
    /// Out of it.
    pub linear2: Linear<T>,
    /// About attention.
    pub norm1: LayerNorm<T>,
    /// About the feed-forward part.
    pub norm2: LayerNorm<T>,
    dropout: Dropout,
    #[module(skip)]
    options: TransformerOptions,
}

impl TransformerEncoderLayer {
    /// A layer of f32 for vectors of `width` numbers, which divide among `heads` heads.
    ///
    /// # Panics
    /// If they do not.
    #[track_caller]
    pub fn new(width: usize, heads: usize, options: TransformerOptions) -> Self {
        TransformerEncoderLayer::typed(width, heads, options)
    }
}

impl<T: Float> TransformerEncoderLayer<T> {
    /// A layer of any number type.
    ///
    /// # Panics
    /// If the width does not divide among the heads.
    #[track_caller]
    pub fn typed(width: usize, heads: usize, options: TransformerOptions) -> Self {
        TransformerEncoderLayer {
            self_attn: MultiheadAttention::typed(width, heads).dropout(options.dropout),
            linear1: Linear::typed(width, options.feedforward),
            linear2: Linear::typed(options.feedforward, width),
            norm1: LayerNorm::typed(width),
            norm2: LayerNorm::typed(width),
            dropout: Dropout::new(options.dropout),
            options,
        }
    }

    /// The output under a mask.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn encode(&self, x: &Variable<T>, mask: &AttentionOptions<T>) -> Variable<T> {
        let attend = |x: &Variable<T>| self.dropout.forward(&self.self_attn.attend(x, x, x, mask).0);
        let feed =
            |x: &Variable<T>| feed_forward(x, &self.linear1, &self.linear2, &self.dropout, self.options.gelu);
        let x = residual(x, &self.norm1, self.options.norm_first, attend);
        residual(&x, &self.norm2, self.options.norm_first, feed)
    }
}

/// x + part(norm(x)), or norm(x + part(x)).
#[track_caller]
fn residual<T: Float>(
    x: &Variable<T>,
    norm: &LayerNorm<T>,
    norm_first: bool,
    part: impl FnOnce(&Variable<T>) -> Variable<T>,
) -> Variable<T> {
    if norm_first { x + part(&norm.forward(x)) } else { norm.forward(&(x + part(x))) }
}

#[track_caller]
fn feed_forward<T: Float>(
    x: &Variable<T>,
    linear1: &Linear<T>,
    linear2: &Linear<T>,
    dropout: &Dropout,
    gelu: bool,
) -> Variable<T> {
    let hidden = linear1.forward(x);
    let hidden = if gelu { hidden.gelu() } else { hidden.relu() };
    dropout.forward(&linear2.forward(&dropout.forward(&hidden)))
}

/// Without a mask.
impl<T: Float> Layer<Variable<T>> for TransformerEncoderLayer<T> {
    type Output = Variable<T>;
    #[track_caller]
    fn forward(&self, input: &Variable<T>) -> Variable<T> {
        self.encode(input, &AttentionOptions::default())
    }
}

/// Self-attention, attention to the encoder's output, and a feed-forward part, each around a residual connection as in
/// [`TransformerEncoderLayer`]: from `[N, L, E]` and `[N, S, E]` to `[N, L, E]`.
///
/// The parts have PyTorch's names: `self_attn`, `multihead_attn`, `linear1`, `linear2`, `norm1`, `norm2`, `norm3`.
///
/// ```
/// use wengert_autograd::Variable;
/// use wengert_nn::{AttentionOptions, TransformerDecoderLayer, TransformerOptions};
///
/// let layer = TransformerDecoderLayer::new(16, 4, TransformerOptions { feedforward: 32, ..Default::default() });
/// let (x, memory) = (Variable::ones([2, 5, 16]), Variable::ones([2, 7, 16]));
/// let causal = AttentionOptions { causal: true, ..Default::default() };
/// assert_eq!(layer.decode(&x, &memory, &causal, &AttentionOptions::default()).shape(), [2, 5, 16]);
/// ```
#[derive(Clone, Debug, Module)]
#[module(crate = crate)]
pub struct TransformerDecoderLayer<T: Float = f32> {
    /// Each position attends to the others.
    pub self_attn: MultiheadAttention<T>,
    /// Each position attends to the encoder's output.
    pub multihead_attn: MultiheadAttention<T>,
    /// Into the feed-forward part.
    pub linear1: Linear<T>,
    /// Out of it.
    pub linear2: Linear<T>,
    /// About self-attention.
    pub norm1: LayerNorm<T>,
    /// About attention to the encoder.
    pub norm2: LayerNorm<T>,
    /// About the feed-forward part.
    pub norm3: LayerNorm<T>,
    dropout: Dropout,
    #[module(skip)]
    options: TransformerOptions,
}

impl TransformerDecoderLayer {
    /// A layer of f32 for vectors of `width` numbers, which divide among `heads` heads.
    ///
    /// # Panics
    /// If they do not.
    #[track_caller]
    pub fn new(width: usize, heads: usize, options: TransformerOptions) -> Self {
        TransformerDecoderLayer::typed(width, heads, options)
    }
}

impl<T: Float> TransformerDecoderLayer<T> {
    /// A layer of any number type.
    ///
    /// # Panics
    /// If the width does not divide among the heads.
    #[track_caller]
    pub fn typed(width: usize, heads: usize, options: TransformerOptions) -> Self {
        TransformerDecoderLayer {
            self_attn: MultiheadAttention::typed(width, heads).dropout(options.dropout),
            multihead_attn: MultiheadAttention::typed(width, heads).dropout(options.dropout),
            linear1: Linear::typed(width, options.feedforward),
            linear2: Linear::typed(options.feedforward, width),
            norm1: LayerNorm::typed(width),
            norm2: LayerNorm::typed(width),
            norm3: LayerNorm::typed(width),
            dropout: Dropout::new(options.dropout),
            options,
        }
    }

    /// The output for `x` `[N, L, E]` and the encoder's `memory` `[N, S, E]`, under a mask for each.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn decode(
        &self,
        x: &Variable<T>,
        memory: &Variable<T>,
        mask: &AttentionOptions<T>,
        memory_mask: &AttentionOptions<T>,
    ) -> Variable<T> {
        let attend = |x: &Variable<T>| self.dropout.forward(&self.self_attn.attend(x, x, x, mask).0);
        let look = |x: &Variable<T>| {
            self.dropout.forward(&self.multihead_attn.attend(x, memory, memory, memory_mask).0)
        };
        let feed =
            |x: &Variable<T>| feed_forward(x, &self.linear1, &self.linear2, &self.dropout, self.options.gelu);
        let x = residual(x, &self.norm1, self.options.norm_first, attend);
        let x = residual(&x, &self.norm2, self.options.norm_first, look);
        residual(&x, &self.norm3, self.options.norm_first, feed)
    }
}
