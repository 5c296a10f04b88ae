//! Softmax and log-softmax along an axis.
//!
//! ```
//! use wengert_autograd::Variable;
//!
//! let logits = Variable::from([[0.0_f32, 0.0], [1000.0, 1000.0]]);
//! assert_eq!(logits.softmax(-1).value().to_vec(), [0.5; 4]); // e¹⁰⁰⁰ is never computed
//! ```
//!
//! Both rules read the output alone and are a kernel of one pass; recorded, they are the same formulas in variables.

use super::registry::samples;
use crate::{
    graph::{Context, Cotangents, Grads, Keep, Op, Variable, mode::line, op::Line, variable::record},
    kernel,
    scalar::{Float, float::compiled},
    tensor::Tensor,
};
use std::borrow::Cow;

struct Softmax {
    axis: usize,
    logarithm: bool,
}

impl<T: Float> Op<T> for Softmax {
    fn name(&self) -> &'static str {
        if self.logarithm { "log_softmax" } else { "softmax" }
    }
    fn rule(&self) -> Cow<'static, str> {
        match self.logarithm {
            true => "y = x − ln Σ exp(x); x̄ += ȳ − exp(y) · Σȳ".into(),
            false => "y = exp(x) / Σ exp(x); x̄ += y · (ȳ − Σ(ȳ·y))".into(),
        }
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let (g, axis) = (g.only(), self.axis as isize);
        if !cx.is_recording() {
            let (y, g) = (last_axis(cx.output_tensor(0), self.axis), last_axis(&g.read(), self.axis));
            return Grads::one(Variable::new(rows_backward(&y, &g, self.logarithm).movedim(-1, axis)));
        }
        let y = cx.output(0);
        Grads::one(match self.logarithm {
            true => &g - y.exp() * g.sum_axes(axis, true),
            false => &y * (&g - (&g * &y).sum_axes(axis, true)),
        })
    }
}

/// The tensor with `axis` moved to the end, packed.
pub(crate) fn last_axis<T: Float>(x: &Tensor<T>, axis: usize) -> Tensor<T> {
    x.movedim(axis as isize, -1).contiguous()
}

/// Softmax, or its logarithm, along the last axis of a packed tensor.
fn rows<T: Float>(x: &Tensor<T>, logarithm: bool) -> Tensor<T> {
    let data = x.as_slice().expect("packed by the caller");
    let fill = |out: &mut [_]| {
        if !data.is_empty() {
            kernel::softmax::softmax(data, x.size(-1), logarithm, out);
        }
    };
    // SAFETY: the kernel writes as many numbers as it reads, and there are as many as the shape takes.
    unsafe { Tensor::build(x.dims(), fill) }
}

fn rows_backward<T: Float>(y: &Tensor<T>, g: &Tensor<T>, logarithm: bool) -> Tensor<T> {
    let (data, g) =
        (y.as_slice().expect("packed by the caller"), g.as_slice().expect("packed by the caller"));
    let fill = |out: &mut [_]| {
        if !data.is_empty() {
            kernel::softmax::softmax_backward(data, g, y.size(-1), logarithm, out);
        }
    };
    // SAFETY: as in `rows`.
    unsafe { Tensor::build(y.dims(), fill) }
}

fn softmax_at<T: Float>(x: &Variable<T>, axis: usize, logarithm: bool, line: Line) -> Variable<T> {
    let value = x.read();
    let out = rows(&last_axis(&value, axis), logarithm).movedim(-1, axis as isize);
    record(Softmax { axis, logarithm }, &[x], &[&value], out, Keep::outputs([0]), line)
}

impl<T: Float> Variable<T> {
    /// softmax(x)ᵢ = e^xᵢ / Σⱼ e^xⱼ along an axis: positive numbers that add up to 1. Shape as `self`.
    ///
    /// x̄ = y·(ȳ − Σ ȳ·y). Computed from x − max x, so that it does not overflow. An entry −∞ has probability 0; where all
    /// are −∞, or one is +∞, the result is NaN.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([0.0_f64, 3.0_f64.ln()]);
    /// let y = x.softmax(0).value().to_vec();
    /// assert!((y[0] - 0.25).abs() < 1e-15 && (y[1] - 0.75).abs() < 1e-15);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn softmax(&self, axis: isize) -> Variable<T> {
        let (x, axis, logarithm, line) = (self, self.shape().axis("softmax", axis), false, line());
        compiled!(softmax_at(x: &Variable<T>, axis: usize, logarithm: bool, line: Line) -> Variable<T>)
    }

    /// ln softmax(x)ᵢ = xᵢ − ln Σⱼ e^xⱼ along an axis, without under- or overflow. Shape as `self`.
    ///
    /// x̄ = ȳ − e^y·Σ ȳ. Where all entries are −∞, or one is +∞, the result is NaN.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([0.0_f64, -1000.0]);
    /// assert_eq!(x.log_softmax(0).value().to_vec(), [0.0, -1000.0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn log_softmax(&self, axis: isize) -> Variable<T> {
        let (x, axis, logarithm, line) = (self, self.shape().axis("log_softmax", axis), true, line());
        compiled!(softmax_at(x: &Variable<T>, axis: usize, logarithm: bool, line: Line) -> Variable<T>)
    }

    /// softmax(−x) along an axis: the more, the less x is. Shape as `self`; gradient and conventions as
    /// [`softmax`](Variable::softmax).
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([0.0_f64, 3.0_f64.ln()]);
    /// let y = x.softmin(0).value().to_vec();
    /// assert!((y[0] - 0.75).abs() < 1e-15 && (y[1] - 0.25).abs() < 1e-15);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn softmin(&self, axis: isize) -> Variable<T> {
        (-self).softmax(axis)
    }
}

samples! {
    softmax {
        "rows" (x: normal([2, 5])) => x.softmax(-1);
        "short rows" (x: normal([70, 2])) => x.softmax(1), order(1, "seventy rows are slow to differentiate numerically");
        "long rows" (x: normal([2, 40])) => x.softmax(1), order(1, "forty columns are slow to differentiate numerically");
        "the middle axis" (x: normal([2, 3, 2])) => x.softmax(1);
        "of nothing" (x: normal([2, 0])) => x.softmax(1);
        "no such axis" (x: normal([2])) => x.softmax(1), panics("axis 1 is out of range for shape [2]");
    }
    log_softmax {
        "rows" (x: normal([2, 5])) => x.log_softmax(-1);
        "short rows" (x: normal([70, 2])) => x.log_softmax(1), order(1, "seventy rows are slow to differentiate numerically");
        "long rows" (x: normal([2, 40])) => x.log_softmax(1), order(1, "forty columns are slow to differentiate numerically");
        "the middle axis" (x: normal([2, 3, 2])) => x.log_softmax(1);
        "of nothing" (x: normal([2, 0])) => x.log_softmax(1);
        "no such axis" (x: normal([2])) => x.log_softmax(-2), panics("axis -2 is out of range for shape [2]");
    }
    softmin {
        "rows" (x: normal([2, 4])) => x.softmin(-1);
        "no such axis" (x: normal([2])) => x.softmin(1), panics("axis 1 is out of range for shape [2]");
    }
}
