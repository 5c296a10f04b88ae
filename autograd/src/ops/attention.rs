//! Scaled dot-product attention, and attention with several heads (Vaswani et al., "Attention is all you need", 2017).
//!
//! ```
//! use wengert_autograd::{Tensor, Variable, scaled_dot_product_attention};
//!
//! // Two keys, of which the query is nearer to the second.
//! let q = Variable::from([[1.0_f32, 0.0]]).requires_grad();
//! let k = Variable::from([[-9.0, 0.0], [9.0, 0.0]]);
//! let v = Variable::from([[1.0, 2.0], [3.0, 4.0]]);
//! let out = scaled_dot_product_attention(&q, &k, &v);
//! assert!((out.value().to_vec()[0] - 3.0).abs() < 1e-4);
//! ```
//!
//! The operation is fused: the matrix of scores is never held as a whole, see the kernel.

use super::{
    dropout::{Drops, dropout_at},
    fused::{Fused, record_fused},
    registry::samples,
};
use crate::{
    graph::{
        Context, Cotangents, Grads, Keep, Variable,
        mode::{line, on_behalf_of},
        op::Line,
        seed::split_generator,
    },
    kernel::attention::Attention,
    scalar::{Float, float::compiled},
    tensor::{Dims, Tensor, valid},
};
use std::borrow::Cow;

/// The options of scaled dot-product attention.
#[derive(Clone, Debug)]
pub struct ScaledDotProductAttention<T: Float = f32> {
    causal: bool,
    scale: Option<f64>,
    allowed: Option<Tensor<bool>>,
    bias: Option<Variable<T>>,
    dropout: f64,
}

impl<T: Float> Default for ScaledDotProductAttention<T> {
    fn default() -> Self {
        ScaledDotProductAttention { causal: false, scale: None, allowed: None, bias: None, dropout: 0.0 }
    }
}

impl<T: Float> ScaledDotProductAttention<T> {
    /// Without a mask, scores divided by √E.
    pub fn new() -> Self {
        Self::default()
    }
    /// Does query l see the keys 0 to l only, counted from the top left?
    #[must_use]
    pub fn causal(mut self, causal: bool) -> Self {
        self.causal = causal;
        self
    }
    /// What the scores are multiplied by, instead of 1/√E.
    #[must_use]
    pub fn scale(mut self, scale: impl Into<Option<f64>>) -> Self {
        self.scale = scale.into();
        self
    }
    /// Which key each query may attend to (true), broadcastable to `[…, L, S]`. A query that may attend to none has the
    /// output 0.
    #[must_use]
    pub fn mask(mut self, allowed: impl Into<Option<Tensor<bool>>>) -> Self {
        self.allowed = allowed.into();
        self
    }
    /// What is added to the scores, broadcastable to `[…, L, S]`.
    #[must_use]
    pub fn bias(mut self, bias: impl Into<Option<Variable<T>>>) -> Self {
        self.bias = bias.into();
        self
    }
    /// The probability that a key is dropped for a query, the others being scaled up; 0 unless said otherwise.
    #[must_use]
    pub fn dropout(mut self, p: f64) -> Self {
        self.dropout = p;
        self
    }

    /// softmax(q·kᵀ·scale + bias)·v: queries `[…, L, E]`, keys `[…, S, E]` and values `[…, S, F]` to `[…, L, F]`.
    ///
    /// The batch axes broadcast. Gradients flow into q, k, v and the bias.
    ///
    /// ```
    /// use wengert_autograd::{ScaledDotProductAttention, Variable};
    ///
    /// let x = Variable::from([[1.0_f32, 0.0], [0.0, 1.0]]);
    /// let out = ScaledDotProductAttention::new().causal(true).forward(&x, &x, &x).value().to_vec();
    /// assert_eq!(out[..2], [1.0, 0.0]); // the first query sees the first key alone
    /// ```
    ///
    /// # Panics
    /// If the shapes do not fit, or the probability of dropout does not lie between 0 and 1.
    #[track_caller]
    pub fn forward(&self, q: &Variable<T>, k: &Variable<T>, v: &Variable<T>) -> Variable<T> {
        let batch = valid(batch_axes(q.shape(), k.shape(), v.shape()));
        let (l, s) = (q.shape()[q.rank() - 2], k.shape()[k.rank() - 2]);
        assert!(
            (0.0..=1.0).contains(&self.dropout),
            "scaled_dot_product_attention: the probability of dropout must lie between 0 and 1, and is {}",
            self.dropout
        );
        let scores = batch.with_pushed(l).with_pushed(s);
        for shape in self.allowed.iter().map(Tensor::dims).chain(self.bias.iter().map(Variable::shape)) {
            assert!(
                shape.broadcasts_to(&scores),
                "scaled_dot_product_attention: the mask of shape {shape:?} does not broadcast to the scores {scores:?}"
            );
        }
        let seed = || split_generator().seed();
        let drops = (self.dropout > 0.0).then(|| Drops { seed: seed(), p: self.dropout, group: 1 });
        let width = q.shape()[q.rank() - 1] as f64;
        let meaning = Meaning {
            batch,
            mask: self.allowed.as_ref().map(hidden),
            causal: self.causal,
            scale: self.scale.unwrap_or(1.0 / width.sqrt()),
            drops,
        };
        let (bias, line) = (self.bias.as_ref(), line());
        compiled!(attention_at(
            q: &Variable<T>,
            k: &Variable<T>,
            v: &Variable<T>,
            bias: Option<&Variable<T>>,
            meaning: Meaning<T>,
            line: Line
        ) -> Variable<T>)
    }
}

/// softmax(q·kᵀ/√E)·v from queries `[…, L, E]`, keys `[…, S, E]` and values `[…, S, Ev]`: `[…, L, Ev]`. For masks and other
/// options see [`ScaledDotProductAttention`].
///
/// ```
/// use wengert_autograd::{Variable, scaled_dot_product_attention};
/// let (q, k) = (Variable::zeros([1, 4]), Variable::ones([2, 4]));
/// let v = Variable::from([[1.0_f32], [3.0]]);
/// assert_eq!(scaled_dot_product_attention(&q, &k, &v).item(), 2.0); // equal scores: the mean of the values
/// ```
///
/// # Panics
/// If the shapes do not fit.
#[track_caller]
pub fn scaled_dot_product_attention<T: Float>(
    q: &Variable<T>,
    k: &Variable<T>,
    v: &Variable<T>,
) -> Variable<T> {
    ScaledDotProductAttention::new().forward(q, k, v)
}

/// The common batch axes.
fn batch_axes(q: Dims, k: Dims, v: Dims) -> Result<Dims, crate::tensor::TensorError> {
    let problem =
        |problem: String| crate::tensor::TensorError::argument("scaled_dot_product_attention", &q, problem);
    if q.len() < 2 || k.len() < 2 || v.len() < 2 {
        return Err(problem(format!("q, k and v have at least two axes; k has the shape {k:?}, v {v:?}")));
    }
    let last = |x: Dims| (x[x.len() - 2], x[x.len() - 1]);
    if last(q).1 != last(k).1 || last(k).0 != last(v).0 {
        return Err(problem(format!(
            "q is […, L, E], k […, S, E] and v […, S, F]; k has the shape {k:?}, v {v:?}"
        )));
    }
    let batch = |x: Dims| Dims::new(&x[..x.len() - 2]);
    batch(q)
        .broadcast(&batch(k), "scaled_dot_product_attention")?
        .broadcast(&batch(v), "scaled_dot_product_attention")
}

/// A mask as numbers to be added: −∞ where a key is hidden.
fn hidden<T: Float>(allowed: &Tensor<bool>) -> Tensor<T> {
    allowed.map(|allowed| if allowed { T::zero() } else { T::neg_infinity() })
}

/// What attention computes, besides its inputs q, k, v and perhaps a bias.
#[derive(Clone)]
struct Meaning<T: Float> {
    batch: Dims,
    mask: Option<Tensor<T>>,
    causal: bool,
    scale: f64,
    drops: Option<Drops>,
}

/// The kernels, and the log-sum-exps that they share.
struct ScaledDotProduct<T: Float> {
    meaning: Meaning<T>,
    /// The mask and the bias, for the kernels.
    added: Option<Tensor<T>>,
    logs: Tensor<T>,
}

impl<T: Float> Meaning<T> {
    /// A tensor repeated over the batch.
    fn repeated(&self, x: &Tensor<T>) -> Tensor<T> {
        let rank = x.rank();
        x.broadcast_to(self.batch.with_pushed(x.shape()[rank - 2]).with_pushed(x.shape()[rank - 1]))
    }

    /// In variables, with the probabilities.
    fn compose(
        &self,
        q: &Variable<T>,
        k: &Variable<T>,
        v: &Variable<T>,
        bias: Option<&Variable<T>>,
    ) -> (Variable<T>, Variable<T>) {
        let mut scores = q.matmul(&k.transpose(-1, -2)) * self.scale;
        let (l, s) = (scores.shape()[scores.rank() - 2], scores.shape()[scores.rank() - 1]);
        if let Some(bias) = bias {
            scores += bias;
        }
        let causal = self
            .causal
            .then(|| Tensor::from_fn([l, s], |at| if at[1] > at[0] { T::neg_infinity() } else { T::zero() }));
        let mut dead = None;
        for mask in [causal.as_ref(), self.mask.as_ref()].into_iter().flatten() {
            scores += Variable::new(mask.clone());
        }
        let value = scores.value().contiguous();
        let rows = value.as_slice().expect("packed").chunks(s.max(1));
        let is_dead: Vec<T> = rows
            .map(|row| if row.iter().all(|&score| score == T::neg_infinity()) { T::one() } else { T::zero() })
            .collect();
        if is_dead.contains(&T::one()) {
            // A query that sees no key: its scores become 0 to be differentiable, and its output 0.
            let shape = value.dims().with(value.rank() - 1, 1);
            let is_dead = Tensor::from_vec(is_dead, shape).expect("one for each row");
            scores =
                scores.masked_fill(&is_dead.map(|dead| dead == T::one()).broadcast_to(value.dims()), 0.0);
            dead = Some(is_dead);
        }
        let mut weights = scores.softmax(-1);
        if let Some(dead) = dead {
            weights *= Variable::new(dead.map(|dead| T::one() - dead));
        }
        let shown = match self.drops {
            Some(drops) => {
                dropout_at(&weights.broadcast_to(self.batch.with_pushed(l).with_pushed(s)), drops, line())
            }
            None => weights.clone(),
        };
        (shown.matmul(v), weights)
    }
}

fn attention_at<T: Float>(
    q: &Variable<T>,
    k: &Variable<T>,
    v: &Variable<T>,
    bias: Option<&Variable<T>>,
    meaning: Meaning<T>,
    line: Line,
) -> Variable<T> {
    if bias.is_some_and(Variable::needs_grad) {
        // A gradient of the scores has the size that the kernels avoid.
        return on_behalf_of(line, || meaning.compose(q, k, v, bias).0);
    }
    let (q_value, k_value, v_value) = (q.read(), k.read(), v.read());
    let rank = meaning.batch.len() + 2;
    let scores = meaning.batch.with_pushed(q_value.size(-2)).with_pushed(k_value.size(-2));
    let bias = bias.map(|bias| bias.value().broadcast_to(scores));
    let mask = meaning.mask.as_ref().map(|mask| mask.broadcast_to(scores));
    let added = match (mask, bias) {
        (Some(mask), Some(bias)) => {
            let sum = mask.contiguous();
            let mut bias = bias.contiguous().to_vec();
            for (bias, &mask) in bias.iter_mut().zip(sum.as_slice().expect("packed")) {
                *bias = *bias + mask;
            }
            Some(Tensor::from_vec(bias, scores).expect("a number for each score"))
        }
        (mask, bias) => mask.or(bias),
    };
    debug_assert!(added.as_ref().is_none_or(|added| added.rank() == rank));
    let (q_all, k_all, v_all) =
        (meaning.repeated(&q_value), meaning.repeated(&k_value), meaning.repeated(&v_value));
    let kernel = kernel(&meaning, added.as_ref(), [&q_all, &k_all, &v_all]);
    let (out, logs) = kernel.forward();
    let op = ScaledDotProduct { meaning, added, logs };
    let [out] = record_fused(op, &[q, k, v], &[&q_value, &k_value, &v_value], [out], Keep::NOTHING, line);
    out
}

fn kernel<'a, T: Float>(
    meaning: &Meaning<T>,
    mask: Option<&'a Tensor<T>>,
    [q, k, v]: [&'a Tensor<T>; 3],
) -> Attention<'a, T> {
    Attention {
        q,
        k,
        v,
        mask,
        causal: meaning.causal,
        scale: T::from_f64(meaning.scale),
        drops: meaning.drops,
    }
}

impl<T: Float> Fused<T> for ScaledDotProduct<T> {
    fn name(&self) -> &'static str {
        "scaled_dot_product_attention"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = softmax(q·kᵀ/√d)·v; q̄ += S·k/√d, S the cotangent of the scores q·kᵀ/√d; k̄ += Sᵀ·q/√d, S the cotangent of the scores q·kᵀ/√d; v̄ += Pᵀ·ȳ, P the weights softmax(q·kᵀ/√d)".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let [q, k, v] = std::array::from_fn(|i| self.meaning.repeated(cx.input_tensor(i)));
        let g = g.only().into_value();
        let found = kernel(&self.meaning, self.added.as_ref(), [&q, &k, &v]).backward(&self.logs, &g);
        Grads::of(found.into_iter().enumerate().map(|(i, found)| cx.wants(i).then(|| Variable::new(found))))
    }
    fn define(&self, inputs: &[Variable<T>]) -> Vec<Variable<T>> {
        let meaning = Meaning { mask: self.added.clone(), ..self.meaning.clone() };
        vec![meaning.compose(&inputs[0], &inputs[1], &inputs[2], None).0]
    }
}

/// The matrices by which queries, keys and values are projected; see [`multi_head_attention`].
#[derive(Clone, Debug)]
pub enum InProjection<T: Float = f32> {
    /// `[3E, E]`: the three below each other.
    Packed(Variable<T>),
    /// `[E, E]`, `[E, Ek]` and `[E, Ev]`: keys of size Ek and values of size Ev.
    Separate([Variable<T>; 3]),
}

impl<T: Float> From<Variable<T>> for InProjection<T> {
    fn from(packed: Variable<T>) -> Self {
        InProjection::Packed(packed)
    }
}

impl<T: Float> From<[Variable<T>; 3]> for InProjection<T> {
    fn from(separate: [Variable<T>; 3]) -> Self {
        InProjection::Separate(separate)
    }
}

impl<T: Float> InProjection<T> {
    /// The three inputs times their matrices, plus their parts of a bias `[3E]`.
    #[track_caller]
    fn project(&self, inputs: [&Variable<T>; 3], bias: Option<&Variable<T>>) -> [Variable<T>; 3] {
        let [query, key, value] = inputs;
        let e = query.shape()[2];
        let bias_of = |part: usize| bias.map(|bias| bias.narrow(0, part * e, e));
        match self {
            InProjection::Packed(weight) => {
                expect_shape("in_proj_weight", weight, &[3 * e, e]);
                if query.is_same(key) && query.is_same(value) {
                    let all = query.linear(weight, bias);
                    return [0, 1, 2].map(|part| all.narrow(-1, part * e, e));
                }
                let of = |part: usize, x: &Variable<T>| {
                    x.linear(&weight.narrow(0, part * e, e), bias_of(part).as_ref())
                };
                [of(0, query), of(1, key), of(2, value)]
            }
            InProjection::Separate(weights) => {
                for (part, name) in ["q_proj_weight", "k_proj_weight", "v_proj_weight"].iter().enumerate() {
                    expect_shape(name, &weights[part], &[e, inputs[part].shape()[2]]);
                }
                [0, 1, 2].map(|part| inputs[part].linear(&weights[part], bias_of(part).as_ref()))
            }
        }
    }
}

#[track_caller]
fn expect_shape<T: Float>(name: &str, weight: &Variable<T>, expected: &[usize]) {
    assert!(
        weight.shape() == expected,
        "multi_head_attention: {name} must have the shape {expected:?}, not {:?}",
        weight.shape()
    );
}

/// The weights and options of attention with several heads; see [`multi_head_attention`].
#[derive(Clone, Debug)]
pub struct MultiHeadAttention<T: Float = f32> {
    /// How many heads; the embedding's size is a multiple of it.
    pub num_heads: usize,
    /// The projections of queries, keys and values.
    pub in_proj_weight: InProjection<T>,
    /// `[3E]`
    pub in_proj_bias: Option<Variable<T>>,
    /// `[E, E]`
    pub out_proj_weight: Variable<T>,
    /// `[E]`
    pub out_proj_bias: Option<Variable<T>>,
    /// `[N, S]`: true where a key is to be ignored.
    pub key_padding_mask: Option<Tensor<bool>>,
    /// `[L, S]`: true where a query may *not* attend to a key (as in PyTorch; the opposite of
    /// [`ScaledDotProductAttention::mask`]).
    pub attn_mask: Option<Tensor<bool>>,
    /// Broadcastable to `[N, heads, L, S]`, added to the scores.
    pub attn_bias: Option<Variable<T>>,
    /// Does query l see the keys 0 to l only?
    pub causal: bool,
    /// The probability that a weight is dropped; 0 outside training.
    pub dropout: f64,
    /// Shall the weights be returned too? Then they are held as a whole.
    pub need_weights: bool,
}

impl<T: Float> MultiHeadAttention<T> {
    /// Without biases, masks and dropout.
    pub fn new(
        num_heads: usize,
        in_proj_weight: impl Into<InProjection<T>>,
        out_proj_weight: Variable<T>,
    ) -> Self {
        MultiHeadAttention {
            num_heads,
            in_proj_weight: in_proj_weight.into(),
            in_proj_bias: None,
            out_proj_weight,
            out_proj_bias: None,
            key_padding_mask: None,
            attn_mask: None,
            attn_bias: None,
            causal: false,
            dropout: 0.0,
            need_weights: false,
        }
    }
}

/// Attention with several heads: queries `[N, L, E]`, keys `[N, S, Ek]` and values `[N, S, Ev]` to `[N, L, E]`, and the weights
/// `[N, L, S]`, averaged over the heads, if they are asked for. Ek and Ev are E unless each of the three has a matrix of its
/// own.
///
/// Queries, keys and values are projected; head h attends with the columns h·E/heads to (h+1)·E/heads of each; the
/// results stand side by side and are projected once more. Where a query may attend to no key its weights are 0.
///
/// ```
/// use wengert_autograd::{MultiHeadAttention, Tensor, Variable, multi_head_attention};
///
/// let x = Variable::ones([2, 3, 4]);
/// let options = MultiHeadAttention::new(2, Variable::ones([12, 4]), Variable::ones([4, 4]));
/// let (out, weights) = multi_head_attention(&x, &x, &x, &MultiHeadAttention { need_weights: true, ..options });
/// assert_eq!(out.shape(), [2, 3, 4]);
/// assert_eq!(weights.unwrap().shape(), [2, 3, 3]);
/// ```
///
/// # Panics
/// If the shapes do not fit.
#[track_caller]
pub fn multi_head_attention<T: Float>(
    query: &Variable<T>,
    key: &Variable<T>,
    value: &Variable<T>,
    options: &MultiHeadAttention<T>,
) -> (Variable<T>, Option<Variable<T>>) {
    let (shape, heads) = (query.shape(), options.num_heads);
    assert!(
        shape.len() == 3 && key.rank() == 3 && value.rank() == 3,
        "multi_head_attention: query, key and value have three axes, not {shape:?}, {:?} and {:?}",
        key.shape(),
        value.shape()
    );
    let (n, l, e, s) = (shape[0], shape[1], shape[2], key.shape()[1]);
    assert!(
        heads > 0 && e.is_multiple_of(heads),
        "multi_head_attention: an embedding of {e} does not divide among {heads} heads"
    );
    let width = e / heads;
    let projected = options.in_proj_weight.project([query, key, value], options.in_proj_bias.as_ref());
    let [q, k, v] = projected.map(|x| {
        let length = x.shape()[1];
        x.reshape([n, length, heads, width]).transpose(1, 2)
    });
    let scores = Dims::new(&[n, heads, l, s]);
    let mut mask: Option<Tensor<bool>> = options.attn_mask.as_ref().map(|hidden| hidden.logical_not());
    if let Some(ignored) = &options.key_padding_mask {
        assert!(
            ignored.dims() == [n, s],
            "multi_head_attention: key_padding_mask must have the shape {:?}, not {:?}",
            [n, s],
            ignored.dims()
        );
        let seen = ignored.logical_not().reshape([n, 1, 1, s]);
        mask = Some(mask.map_or(seen.clone(), |mask| mask.logical_and(&seen)));
    }
    let attention = ScaledDotProductAttention::new()
        .causal(options.causal)
        .mask(mask)
        .bias(options.attn_bias.clone())
        .dropout(options.dropout);
    let (out, weights) = if options.need_weights {
        let drops = (options.dropout > 0.0).then(|| Drops {
            seed: split_generator().seed(),
            p: options.dropout,
            group: 1,
        });
        let meaning = Meaning {
            batch: Dims::new(&scores[..2]),
            mask: attention.allowed.as_ref().map(hidden),
            causal: options.causal,
            scale: 1.0 / (width as f64).sqrt(),
            drops,
        };
        let (out, weights) = meaning.compose(&q, &k, &v, options.attn_bias.as_ref());
        (out, Some(weights.mean_axes(1, false)))
    } else {
        (attention.forward(&q, &k, &v), None)
    };
    let together = out.transpose(1, 2).reshape([n, l, e]);
    (together.linear(&options.out_proj_weight, options.out_proj_bias.as_ref()), weights)
}

samples! {
    scaled_dot_product_attention {
        "a batch" (q: normal([2, 3, 2]), k: normal([2, 4, 2]), v: normal([2, 4, 3])) => {
            super::scaled_dot_product_attention(q, k, v)
        };
        "causal" (q: normal([3, 2]), k: normal([3, 2]), v: normal([3, 2])) => {
            ScaledDotProductAttention::new().causal(true).scale(0.7).forward(q, k, v)
        };
        "batches that broadcast" (q: normal([2, 1, 2, 2]), k: normal([3, 2]), v: normal([2, 3, 1])) => {
            super::scaled_dot_product_attention(q, k, v)
        };
        "a mask, and a query that sees nothing" (q: normal([2, 2]), k: normal([3, 2]), v: normal([3, 2])) => {
            let mask = Tensor::from_vec(vec![true, false, true, false, false, false], [2, 3]).unwrap();
            ScaledDotProductAttention::new().mask(mask).forward(q, k, v)
        };
        "a bias" (q: normal([2, 2]), k: normal([3, 2]), v: normal([3, 2]), b: normal([2, 3])) => {
            ScaledDotProductAttention::new().bias(b.clone()).forward(q, k, v)
        };
        "dropout" (q: normal([2, 2]), k: normal([3, 2]), v: normal([3, 2])) => {
            let drops = Some(Drops { seed: 5, p: 0.4, group: 1 });
            let meaning = Meaning { batch: Dims::new(&[]), mask: None, causal: false, scale: 0.5, drops };
            attention_at(q, k, v, None, meaning, line())
        };
        "sizes that differ" (q: normal([2, 2]), k: normal([3, 1]), v: normal([3, 2])) => {
            super::scaled_dot_product_attention(q, k, v)
        }, panics("k has the shape [3, 1]");
    }
    multi_head_attention {
        "one input" (x: normal([1, 2, 4]), w: normal([12, 4]), b: normal([12]), o: normal([4, 4])) => {
            let options = MultiHeadAttention::new(2, w.clone(), o.clone());
            super::multi_head_attention(x, x, x, &MultiHeadAttention { in_proj_bias: Some(b.clone()), ..options }).0
        }, order(1, "slow to differentiate twice numerically");
        "weights" (x: normal([1, 2, 2]), y: normal([1, 3, 2]), w: normal([6, 2]), o: normal([2, 2])) => {
            let options = MultiHeadAttention::new(1, w.clone(), o.clone());
            let (out, weights) =
                super::multi_head_attention(x, y, y, &MultiHeadAttention { need_weights: true, ..options });
            (out, weights.unwrap())
        }, order(1, "slow to differentiate twice numerically");
        "keys and values of other sizes, a bias of the scores" (
            x: normal([1, 2, 2]), k: normal([1, 3, 1]), v: normal([1, 3, 3]),
            wq: normal([2, 2]), wk: normal([2, 1]), wv: normal([2, 3]), o: normal([2, 2]), scores: normal([2, 3])
        ) => {
            let options = MultiHeadAttention::new(2, [wq, wk, wv].map(Clone::clone), o.clone());
            super::multi_head_attention(x, k, v, &MultiHeadAttention { attn_bias: Some(scores.clone()), ..options }).0
        }, order(1, "slow to differentiate twice numerically");
        "a matrix of another size" (
            x: normal([1, 2, 2]), k: normal([1, 3, 3]), wq: normal([2, 2]), wk: normal([2, 1]), o: normal([2, 2])
        ) => {
            let options = MultiHeadAttention::new(2, [wq, wk, wk].map(Clone::clone), o.clone());
            super::multi_head_attention(x, k, k, &options).0
        }, panics("k_proj_weight must have the shape [2, 3], not [2, 1]");
    }
}
