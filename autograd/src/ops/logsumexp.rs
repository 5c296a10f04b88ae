//! The logarithm of a sum of exponentials, without overflow.
//!
//! ```
//! use wengert_autograd::Variable;
//!
//! let x = Variable::from([1000.0_f64, 1000.0]).requires_grad();
//! let y = x.logsumexp();
//! assert!((y.item() - (1000.0 + 2.0_f64.ln())).abs() < 1e-9);
//! y.backward();
//! assert!(x.grad().unwrap().iter().all(|share| (share - 0.5).abs() < 1e-9)); // the softmax
//! ```
//!
//! ln Σeˣ = m + ln Σe^(x−m) for any m; with the greatest x as m no exponential exceeds 1 and one is 1.

use super::{
    elementwise::{apply_at, formula_on_tensors, one},
    reduction::{all_axes, reduced_shape},
    registry::samples,
};
use crate::{
    IntoAxes,
    graph::{Context, Cotangents, Grads, Keep, Op, Variable, mode::line, op::Line, variable::record},
    kernel::reduce,
    scalar::{Float, Formula, Real, float::compiled},
};
use std::borrow::Cow;

/// e^(x−m).
#[derive(Clone, Copy)]
struct ShiftedExp;
impl Formula<2> for ShiftedExp {
    fn name(&self) -> &'static str {
        "shifted_exp"
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [x, shift]: [R; 2]) -> [R; 1] {
        [(x - shift).exp()]
    }
}

/// m + ln s.
#[derive(Clone, Copy)]
struct ShiftedLn;
impl Formula<2> for ShiftedLn {
    fn name(&self) -> &'static str {
        "shifted_ln"
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [sum, shift]: [R; 2]) -> [R; 1] {
        [shift + sum.ln()]
    }
}

struct LogSumExp {
    axes: u32,
}
impl<T: Float> Op<T> for LogSumExp {
    fn name(&self) -> &'static str {
        "logsumexp"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = ln Σ exp(x); x̄ += ȳ · exp(x − y)".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let (x, y) = (cx.input(0), cx.output(0));
        let wide = reduced_shape(x.shape(), self.axes, true);
        let (mut y, g) = (y.reshape(wide), g.only().reshape(wide));
        // Where all are −∞ nothing has a share; −∞ − (−∞) would be NaN.
        let nothing = y.read().map(|y| y == T::neg_infinity());
        if nothing.any() {
            y = y.masked_fill(&nothing, 0.0);
        }
        Grads::one(one(apply_at(ShiftedExp, [&x, &y], line())) * g)
    }
}

fn logsumexp_at<T: Float>(x: &Variable<T>, axes: u32, keepdim: bool, line: Line) -> Variable<T> {
    let value = x.read();
    let finite = |greatest: T| if greatest.is_infinite() { T::zero() } else { greatest };
    let shift = reduce::reduce(reduce::Largest, &value, axes).map(finite);
    let [terms] = formula_on_tensors(ShiftedExp, [&value, &shift], line);
    let sum = reduce::reduce(reduce::Sum, &terms, axes);
    let [y] = formula_on_tensors(ShiftedLn, [&sum, &shift], line);
    let y = y.reshape(reduced_shape(value.dims(), axes, keepdim));
    let keep = Keep::inputs([0]).and(Keep::outputs([0]));
    record(LogSumExp { axes }, &[x], &[&value], y, keep, line)
}

impl<T: Float> Variable<T> {
    /// ln Σeˣ over all elements: a scalar. Gradient: the softmax, e^(x−y). −∞ counts as nothing; nothing gives −∞ (and no
    /// gradient); +∞ gives +∞.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([0.0_f64, f64::NEG_INFINITY, 0.0]);
    /// assert!((x.logsumexp().item() - 2.0_f64.ln()).abs() < 1e-12);
    /// ```
    #[track_caller]
    pub fn logsumexp(&self) -> Variable<T> {
        let (x, axes, keepdim, line) = (self, all_axes(self.shape()), false, line());
        compiled!(logsumexp_at(x: &Variable<T>, axes: u32, keepdim: bool, line: Line) -> Variable<T>)
    }

    /// ln Σeˣ over some axes, which are removed, or kept with size 1 when `keepdim` holds; as
    /// [`logsumexp`](Variable::logsumexp).
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[0.0_f64, 0.0], [1.0, f64::NEG_INFINITY]]);
    /// assert_eq!(x.logsumexp_axes(1, false).value().to_vec(), [2.0_f64.ln(), 1.0]);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn logsumexp_axes(&self, axes: impl IntoAxes, keepdim: bool) -> Variable<T> {
        let (x, axes, line) = (self, axes.into_axes(self.shape(), "logsumexp"), line());
        compiled!(logsumexp_at(x: &Variable<T>, axes: u32, keepdim: bool, line: Line) -> Variable<T>)
    }
}

samples! {
    logsumexp {
        "all" (x: normal([2, 3])) => x.logsumexp();
        "two axes" (x: normal([2, 3, 2])) => x.logsumexp_axes([0, 2], true);
        "rows" (x: normal([2, 3])) => x.logsumexp_axes(-1, false);
        "no such axis" (x: normal([3])) => x.logsumexp_axes(1, false), panics("logsumexp: axis 1");
    }
}
