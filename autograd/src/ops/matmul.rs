//! Products of matrices, vectors and batches of matrices, and the fully connected layer.
//!
//! ```
//! use wengert_autograd::Variable;
//!
//! let a = Variable::from([[1.0_f32, 2.0], [3.0, 4.0]]).requires_grad();
//! let x = Variable::from([1.0_f32, -1.0]);
//! let y = a.matmul(&x);
//! assert_eq!(y.value().to_vec(), [-1.0, -1.0]);
//! y.sum().backward();
//! assert_eq!(a.grad().unwrap().to_vec(), [1.0, -1.0, 1.0, -1.0]);
//! ```
//!
//! For C = A·B the cotangents are Ā = C̄·Bᵀ and B̄ = Aᵀ·C̄ (M. Giles, "Collected matrix derivative results for forward and
//! reverse mode algorithmic differentiation", 2008, section 2.2): each reads only the other operand, so A is kept only when
//! B wants a gradient, and the other way round. Transposing is a view, and the kernels take any strides: no rule copies.

use super::registry::samples;
use crate::{
    graph::{Context, Cotangents, Grads, Keep, Op, Variable, mode::line, op::Line, variable::record},
    kernel::matmul::{self, Plan},
    scalar::{Float, float::compiled},
    tensor::{Dims, Tensor, TensorError, valid},
};
use std::borrow::Cow;

struct Matmul;

impl<T: Float> Op<T> for Matmul {
    fn name(&self) -> &'static str {
        "matmul"
    }
    fn rule(&self) -> Cow<'static, str> {
        "c = a·b; ā += c̄·bᵀ; b̄ += aᵀ·c̄".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let g = g.only();
        cx.gradients([&|| left_cotangent(cx.input_shape(0), &cx.input(1), &g), &|| {
            right_cotangent(&cx.input(0), cx.input_shape(1), &g)
        }])
    }
}

/// Ā = C̄ · Bᵀ, before the engine sums it over batch axes along which A was repeated.
fn left_cotangent<T: Float>(a: Dims, b: &Variable<T>, g: &Variable<T>) -> Variable<T> {
    match (a.len(), b.rank()) {
        (1, 1) => g * b,
        // A row times a matrix: what was summed over, k, is the row axis of B.
        (1, _) => b.matmul(&g.unsqueeze(-1)).squeeze(-1),
        // A matrix times a column: an outer product.
        (_, 1) => g.unsqueeze(-1).matmul(&b.unsqueeze(0)),
        _ => g.matmul(&b.transpose(-1, -2)),
    }
}

/// B̄ = Aᵀ · C̄, before the engine sums it over batch axes along which B was repeated.
fn right_cotangent<T: Float>(a: &Variable<T>, b: Dims, g: &Variable<T>) -> Variable<T> {
    match (a.rank(), b.len()) {
        (1, 1) => g * a,
        (1, _) => a.unsqueeze(-1).matmul(&g.unsqueeze(-2)),
        // One column or matrix for a whole batch: the sum over the batch is part of the product.
        (_, 1) => rows(a).t().matmul(&g.reshape([g.len()])),
        (_, 2) => rows(a).t().matmul(&rows(g)),
        _ => a.transpose(-1, -2).matmul(g),
    }
}

/// All rows of a batch of matrices as one matrix.
fn rows<T: Float>(x: &Variable<T>) -> Variable<T> {
    let shape = x.shape();
    let columns = shape[shape.len() - 1];
    x.reshape([shape[..shape.len() - 1].iter().product::<usize>(), columns])
}

/// Which operands of a bilinear operation are kept: each for the gradient of the other.
fn keep_for_each_other<T: Float>(a: &Variable<T>, b: &Variable<T>) -> Keep {
    let kept = [(0, b.needs_grad()), (1, a.needs_grad())];
    Keep::inputs(kept.into_iter().filter(|(_, read)| *read).map(|(operand, _)| operand))
}

fn matmul_at<T: Float>(a: &Variable<T>, b: &Variable<T>, line: Line) -> Variable<T> {
    let (a_value, b_value) = (a.read(), b.read());
    let product = matmul::matmul(&a_value, &b_value);
    record(Matmul, &[a, b], &[&a_value, &b_value], product, keep_for_each_other(a, b), line)
}

/// Inputs x, weight and, perhaps, bias.
struct Linear {
    biased: bool,
}

impl<T: Float> Op<T> for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }
    fn rule(&self) -> Cow<'static, str> {
        match self.biased {
            true => "y = x·wᵀ + b; x̄ += ȳ·w; w̄ += ȳᵀ·x; b̄ += ȳ".into(),
            false => "y = x·wᵀ; x̄ += ȳ·w; w̄ += ȳᵀ·x".into(),
        }
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let g = g.only();
        let x = || g.matmul(&cx.input(1));
        let weight = || rows(&g).t().matmul(&rows(&cx.input(0)));
        // The engine sums over the rows along which the bias was repeated.
        let bias = || g.clone();
        if self.biased { cx.gradients([&x, &weight, &bias]) } else { cx.gradients([&x, &weight]) }
    }
}

fn linear_at<T: Float>(
    x: &Variable<T>,
    weight: &Variable<T>,
    bias: Option<&Variable<T>>,
    line: Line,
) -> Variable<T> {
    let (x_value, weight_value, bias_value) = (x.read(), weight.read(), bias.map(Variable::read));
    let product = matmul::linear(&x_value, &weight_value, bias_value.as_deref());
    let keep = keep_for_each_other(x, weight);
    let op = Linear { biased: bias.is_some() };
    match (bias, &bias_value) {
        (Some(bias), Some(bias_value)) => {
            record(op, &[x, weight, bias], &[&x_value, &weight_value, bias_value], product, keep, line)
        }
        _ => record(op, &[x, weight], &[&x_value, &weight_value], product, keep, line),
    }
}

/// The shapes of a fully connected layer, checked.
fn check_linear(x: Dims, weight: Dims, bias: Option<Dims>) -> Result<(), TensorError> {
    if weight.len() != 2 {
        return Err(TensorError::argument("linear", &weight, "the weight must have two axes: [out, in]"));
    }
    let [out, inner] = [weight[0], weight[1]];
    if x.is_empty() || x[x.len() - 1] != inner {
        let problem = format!("the weight {weight:?} takes a last axis of {inner}");
        return Err(TensorError::argument("linear", &x, problem));
    }
    match bias {
        Some(bias) if bias != [out] => {
            let problem = format!("the weight {weight:?} takes a bias of shape [{out}]");
            Err(TensorError::argument("linear", &bias, problem))
        }
        _ => Ok(()),
    }
}

impl<T: Float> Variable<T> {
    /// The product of matrices, vectors or batches of matrices: Cᵢⱼ = Σₖ Aᵢₖ·Bₖⱼ.
    ///
    /// | `self` | `other` | result |
    /// |---|---|---|
    /// | `[m, k]` | `[k, n]` | `[m, n]` |
    /// | `[k]` | `[k]` | a scalar |
    /// | `[m, k]` | `[k]` | `[m]` |
    /// | `[k]` | `[k, n]` | `[n]` |
    /// | `[…, m, k]` | `[…, k, n]` | `[…, m, n]`, the leading axes broadcast; a vector on either side as above |
    ///
    /// Gradients: Ā = C̄·Bᵀ, B̄ = Aᵀ·C̄.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// let a = Variable::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// let b = Variable::from([[0.0_f32, 1.0], [1.0, 0.0]]);
    /// assert_eq!(a.matmul(&b).value().to_vec(), [2.0, 1.0, 4.0, 3.0]);
    /// assert_eq!(Variable::ones([5, 1, 3, 2]).matmul(&Variable::ones([4, 2, 6])).shape(), [5, 4, 3, 6]);
    /// ```
    ///
    /// # Panics
    /// If an operand is a scalar, the inner sizes differ, or the batch axes do not broadcast.
    #[track_caller]
    pub fn matmul(&self, other: &Variable<T>) -> Variable<T> {
        valid(Plan::new("matmul", self.shape(), other.shape()));
        let (a, b, line) = (self, other, line());
        compiled!(matmul_at(a: &Variable<T>, b: &Variable<T>, line: Line) -> Variable<T>)
    }

    /// The fully connected layer x·Wᵀ + b, as one operation.
    ///
    /// `self` is `[…, in]`, `weight` `[out, in]`, `bias` `[out]`; the result is `[…, out]`.
    /// Gradients, with the leading axes seen as one of rows: x̄ = ȳ·W, W̄ = ȳᵀ·x, b̄ = Σ over the rows of ȳ.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// let x = Variable::from([[1.0_f32, 2.0]]);
    /// let weight = Variable::from([[1.0_f32, 0.0], [0.0, 1.0], [1.0, 1.0]]);
    /// let bias = Variable::from([0.5_f32, 0.0, 0.0]);
    /// assert_eq!(x.linear(&weight, Some(&bias)).value().to_vec(), [1.5, 2.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes are not these.
    #[track_caller]
    pub fn linear(&self, weight: &Variable<T>, bias: Option<&Variable<T>>) -> Variable<T> {
        valid(check_linear(self.shape(), weight.shape(), bias.map(Variable::shape)));
        let (x, line) = (self, line());
        compiled!(linear_at(x: &Variable<T>, weight: &Variable<T>, bias: Option<&Variable<T>>, line: Line) -> Variable<T>)
    }
}

impl<T: Float> Tensor<T> {
    /// The product of matrices, vectors or batches of matrices, by the rules of [`Variable::matmul`].
    ///
    /// # Panics
    /// If an operand is a scalar, the inner sizes differ, or the batch axes do not broadcast.
    #[track_caller]
    pub fn matmul(&self, other: &Tensor<T>) -> Tensor<T> {
        valid(Plan::new("matmul", self.dims(), other.dims()));
        let (a, b) = (self, other);
        compiled!(matmul_tensors(a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T>)
    }
}

fn matmul_tensors<T: Float>(a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
    matmul::matmul(a, b)
}

samples! {
    matmul {
        "matrices" (a: normal([2, 3]), b: normal([3, 4])) => a.matmul(b);
        "vectors" (a: normal([3]), b: normal([3])) => a.matmul(b);
        "matrix and vector" (a: normal([2, 3]), b: normal([3])) => a.matmul(b);
        "vector and matrix" (a: normal([3]), b: normal([3, 2])) => a.matmul(b);
        "batch and vector" (a: normal([2, 2, 3]), b: normal([3])) => a.matmul(b);
        "vector and batch" (a: normal([3]), b: normal([2, 3, 2])) => a.matmul(b);
        "batch and matrix" (a: normal([2, 2, 3]), b: normal([3, 2])) => a.matmul(b);
        "matrix and batch" (a: normal([2, 3]), b: normal([2, 3, 2])) => a.matmul(b);
        "batches that broadcast" (a: normal([2, 1, 2, 3]), b: normal([2, 3, 1])) => a.matmul(b);
        "large enough for the blocked product" (a: normal([9, 8]), b: normal([8, 8])) => a.matmul(b);
        "no rows" (a: normal([0, 3]), b: normal([3, 2])) => a.matmul(b);
        "nothing to sum" (a: normal([2, 0]), b: normal([0, 2])) => a.matmul(b);
        "inner sizes differ" (a: normal([2, 3]), b: normal([4, 3])) => a.matmul(b), panics("(3 against 4); did you mean w.t()?");
        "a scalar" (a: normal(()), b: normal([3])) => a.matmul(b), panics("is a scalar; multiply with *");
        "batches that differ" (a: normal([2, 2, 2]), b: normal([3, 2, 2])) => a.matmul(b), panics("do not broadcast: 2 against 3");
    }
    linear {
        "with bias" (x: normal([3, 2]), w: normal([4, 2]), b: normal([4])) => x.linear(w, Some(b));
        "without bias" (x: normal([3, 2]), w: normal([4, 2])) => x.linear(w, None);
        "a vector" (x: normal([2]), w: normal([3, 2]), b: normal([3])) => x.linear(w, Some(b));
        "two leading axes" (x: normal([2, 2, 2]), w: normal([3, 2]), b: normal([3])) => x.linear(w, Some(b));
        "no rows" (x: normal([0, 2]), w: normal([3, 2]), b: normal([3])) => x.linear(w, Some(b));
        "no inputs" (x: normal([2, 0]), w: normal([3, 0]), b: normal([3])) => x.linear(w, Some(b));
        "a weight the wrong way round" (x: normal([3, 2]), w: normal([2, 4])) => x.linear(w, None),
            panics("linear: the weight [2, 4] takes a last axis of 4");
        "a bias too long" (x: normal([3, 2]), w: normal([4, 2]), b: normal([5])) => x.linear(w, Some(b)),
            panics("takes a bias of shape [4]");
    }
}
