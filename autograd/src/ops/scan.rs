//! Running results along an axis: cumsum, cumprod, the linear recurrence, and the product, whose gradient they are.
//!
//! ```
//! use wengert_autograd::Variable;
//!
//! let x = Variable::from([2.0_f32, 0.0, 4.0]).requires_grad();
//! assert_eq!(x.cumsum(0).value().to_vec(), [2.0, 2.0, 6.0]);
//! x.prod().backward(); // a factor 0: only it has a slope, the product of the others
//! assert_eq!(x.grad().unwrap().to_vec(), [0.0, 8.0, 0.0]);
//! ```
//!
//! All rests on one family that is closed under differentiation, the linear recurrence sₖ = bₖ + aₖ·sₖ₋₁:
//!
//! - its adjoint is a linear recurrence from the other end, b̄ₖ = s̄ₖ + aₖ₊₁·b̄ₖ₊₁, and āₖ = b̄ₖ·sₖ₋₁;
//! - cumsum has a = 1: its adjoint is the sum from the other end;
//! - cumprod yₖ = xₖ·yₖ₋₁ has x̄ₖ = rₖ·yₖ₋₁ with rₖ = ȳₖ + xₖ₊₁·rₖ₊₁. No division, so zeros are ordinary numbers;
//! - the gradient of a product is the product of the others, those before times those after: two cumprods.

use super::{
    reduction::{all_axes, reduced_count, reduced_shape},
    registry::samples,
};
use crate::{
    IntoAxes,
    graph::{Context, Cotangents, Grads, Keep, Op, Variable, mode::line, op::Line, variable::record},
    kernel::{reduce, scan::scan},
    scalar::{Float, float::compiled},
    tensor::{Dims, TensorError},
};
use std::borrow::Cow;

/// What stands one place before each element in the direction of a scan, and `first` where nothing does.
fn previous<T: Float>(x: &Variable<T>, axis: usize, reversed: bool, first: f64) -> Variable<T> {
    let mut amounts = [(0, 0); crate::tensor::MAX_RANK];
    amounts[axis] = if reversed { (-1, 1) } else { (1, -1) };
    super::pad::pad_at(x, amounts, first, line())
}

/// Running sums; the adjoint is the same from the other end.
struct CumSum {
    axis: usize,
    reversed: bool,
}
impl<T: Float> Op<T> for CumSum {
    fn name(&self) -> &'static str {
        "cumsum"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = the running sum of x; x̄ += the running sum of ȳ, from the other end".into()
    }
    fn backward(&self, _: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        Grads::one(cumsum_at(&g.only(), self.axis, !self.reversed, line()))
    }
}

fn cumsum_at<T: Float>(x: &Variable<T>, axis: usize, reversed: bool, line: Line) -> Variable<T> {
    let value = x.read();
    let sums = scan(&value, axis, reversed, |sum, x, _| sum + x);
    record(CumSum { axis, reversed }, &[x], &[&value], sums, Keep::NOTHING, line)
}

/// Running products.
struct CumProd {
    axis: usize,
    reversed: bool,
}
impl<T: Float> Op<T> for CumProd {
    fn name(&self) -> &'static str {
        "cumprod"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = the running product of x; x̄ += Σ ȳ·y/x, over what comes after".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let Self { axis, reversed } = *self;
        let next = previous(&cx.input(0), axis, !reversed, 0.0);
        let r = recurrence_at(&g.only(), &next, axis, !reversed, line());
        Grads::one(r * previous(&cx.output(0), axis, reversed, 1.0))
    }
}

fn cumprod_at<T: Float>(x: &Variable<T>, axis: usize, reversed: bool, line: Line) -> Variable<T> {
    let value = x.read();
    let products = scan(&value, axis, reversed, |product, x, _| product * x);
    let keep = Keep::inputs([0]).and(Keep::outputs([0]));
    record(CumProd { axis, reversed }, &[x], &[&value], products, keep, line)
}

/// sₖ = bₖ + aₖ·sₖ₋₁, with inputs b and a.
struct LinearRecurrence {
    axis: usize,
    reversed: bool,
}
impl<T: Float> Op<T> for LinearRecurrence {
    fn name(&self) -> &'static str {
        "linear_recurrence"
    }
    fn rule(&self) -> Cow<'static, str> {
        "s = b + a · s, of the step before; b̄ += r, with r = s̄ + a·r of the step after; ā += r · s, of the step before".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let Self { axis, reversed } = *self;
        let next = previous(&cx.input(1), axis, !reversed, 0.0);
        let b = recurrence_at(&g.only(), &next, axis, !reversed, line());
        let a = || &b * previous(&cx.output(0), axis, reversed, 0.0);
        cx.gradients([&|| b.clone(), &a])
    }
}

fn recurrence_at<T: Float>(
    b: &Variable<T>,
    a: &Variable<T>,
    axis: usize,
    reversed: bool,
    line: Line,
) -> Variable<T> {
    let (value, factors) = (b.read(), a.read());
    let packed = factors.contiguous();
    let factor = packed.as_slice().expect("packed above");
    let states = scan(&value, axis, reversed, |state, b, place| factor[place] * state + b);
    let keep = Keep::inputs([1]).and(if a.needs_grad() { Keep::outputs([0]) } else { Keep::NOTHING });
    record(LinearRecurrence { axis, reversed }, &[b, a], &[&value, &factors], states, keep, line)
}

/// A product over axes.
struct Product {
    axes: u32,
}
impl<T: Float> Op<T> for Product {
    fn name(&self) -> &'static str {
        "prod"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = Π x; x̄ += ȳ · y/x, the product of the others".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let (x, y) = (cx.input(0), cx.output(0));
        let wide = reduced_shape(x.shape(), self.axes, true);
        let g = g.only().reshape(wide);
        // A quotient is quick, and right as long as nothing is 0, infinite, or lost to underflow.
        let plain = y.read().iter().all(num_traits::Float::is_normal);
        Grads::one(if plain { g * y.reshape(wide) / x } else { g * products_of_others(&x, self.axes) })
    }
}

/// For each element the product of the others that `axes` join it with.
fn products_of_others<T: Float>(x: &Variable<T>, axes: u32) -> Variable<T> {
    let shape = x.shape();
    // The axes of the product last, and made one.
    let order = shape.axes_with_last(axes);
    let mut inverse = vec![0; order.len()];
    for (to, &from) in order.iter().enumerate() {
        inverse[from as usize] = to as isize;
    }
    let front = x.permute(&order);
    let len = reduced_count(shape, axes);
    let rows = front.reshape([shape.count() / len.max(1), len]);
    let before = previous(&cumprod_at(&rows, 1, false, line()), 1, false, 1.0);
    let after = previous(&cumprod_at(&rows, 1, true, line()), 1, true, 1.0);
    (before * after).reshape(front.shape()).permute(&inverse)
}

fn product_at<T: Float>(x: &Variable<T>, axes: u32, keepdim: bool, line: Line) -> Variable<T> {
    let value = x.read();
    let shape = reduced_shape(value.dims(), axes, keepdim);
    let product = reduce::reduce(reduce::Product, &value, axes).reshape(shape);
    let keep = Keep::inputs([0]).and(Keep::outputs([0]));
    record(Product { axes }, &[x], &[&value], product, keep, line)
}

/// Running logarithms of sums of exponentials.
struct LogCumSumExp {
    axis: usize,
}
impl<T: Float> Op<T> for LogCumSumExp {
    fn name(&self) -> &'static str {
        "logcumsumexp"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = the running logarithm of Σ e^x; x̄ += Σ ȳ·e^(x − y), over what comes after".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        // x̄ᵢ = e^(xᵢ − yᵢ)·rᵢ with rᵢ = ȳᵢ + e^(yᵢ − yᵢ₊₁)·rᵢ₊₁: y does not fall, so no factor exceeds 1.
        let (x, y) = (cx.input(0), cx.output(0));
        // Where nothing but −∞ has been met nothing has a share; −∞ − (−∞) would be NaN.
        let nothing = y.read().eq(T::neg_infinity());
        let share = |a: &Variable<T>| (a - y.masked_fill(&nothing, 0.0)).exp().masked_fill(&nothing, 0.0);
        let next = previous(&y, self.axis, true, f64::INFINITY).masked_fill(&nothing, 0.0);
        let factors = (y.masked_fill(&nothing, 0.0) - next).exp().masked_fill(&nothing, 0.0);
        let r = recurrence_at(&g.only(), &factors, self.axis, true, line());
        Grads::one(share(&x) * r)
    }
}

fn logcumsumexp_at<T: Float>(x: &Variable<T>, axis: usize, line: Line) -> Variable<T> {
    let value = x.read();
    let join = |a: T, b: T| {
        let (low, high) = if a < b { (a, b) } else { (b, a) };
        // Of two equal infinities the distance is no number.
        if low == high && low.is_infinite() { high } else { high + (low - high).exp().ln_1p() }
    };
    let sums = scan(&value, axis, false, |sum, x, _| join(sum, x));
    let keep = Keep::inputs([0]).and(Keep::outputs([0]));
    record(LogCumSumExp { axis }, &[x], &[&value], sums, keep, line)
}

impl<T: Float> Variable<T> {
    /// Sums up to each element along an axis, it included. Adjoint: the same from the end.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([1.0_f32, 2.0, 3.0]);
    /// assert_eq!(x.cumsum(0).value().to_vec(), [1.0, 3.0, 6.0]);
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range.
    #[track_caller]
    pub fn cumsum(&self, axis: isize) -> Variable<T> {
        let (x, axis, reversed, line) = (self, self.shape().axis("cumsum", axis), false, line());
        compiled!(cumsum_at(x: &Variable<T>, axis: usize, reversed: bool, line: Line) -> Variable<T>)
    }

    /// Products up to each element along an axis, it included. The gradient is exact where factors are 0.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([1.0_f32, 2.0, 3.0]);
    /// assert_eq!(x.cumprod(0).value().to_vec(), [1.0, 2.0, 6.0]);
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range.
    #[track_caller]
    pub fn cumprod(&self, axis: isize) -> Variable<T> {
        let (x, axis, reversed, line) = (self, self.shape().axis("cumprod", axis), false, line());
        compiled!(cumprod_at(x: &Variable<T>, axis: usize, reversed: bool, line: Line) -> Variable<T>)
    }

    /// The linear recurrence s₀ = x₀, sₖ = xₖ + factorₖ·sₖ₋₁ along an axis: running averages, discounted returns,
    /// diagonal state-space models. `factors` has the shape of the variable; its first slice is not read.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// let (x, decay) = (Variable::from([1.0_f32, 1.0, 1.0]), Variable::from([0.5_f32; 3]));
    /// assert_eq!(x.linear_recurrence(&decay, 0).value().to_vec(), [1.0, 1.5, 1.75]);
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range or the shapes differ.
    #[track_caller]
    pub fn linear_recurrence(&self, factors: &Variable<T>, axis: isize) -> Variable<T> {
        let (shape, line) = (self.shape(), line());
        let axis = shape.axis("linear_recurrence", axis);
        if factors.shape() != shape {
            let problem = format!("the factors must have the same shape, not {:?}", factors.shape());
            TensorError::argument("linear_recurrence", &shape, problem).raise();
        }
        let (b, a, reversed) = (self, factors, false);
        compiled!(recurrence_at(b: &Variable<T>, a: &Variable<T>, axis: usize, reversed: bool, line: Line) -> Variable<T>)
    }

    /// The product of all elements: a scalar. Gradient: the product of the others, also where factors are 0. The
    /// product of nothing is 1.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.prod().item(), 24.0);
    /// ```
    #[track_caller]
    pub fn prod(&self) -> Variable<T> {
        let (x, axes, keepdim, line) = (self, all_axes(self.shape()), false, line());
        compiled!(product_at(x: &Variable<T>, axes: u32, keepdim: bool, line: Line) -> Variable<T>)
    }

    /// The product over some axes, which are removed, or kept with size 1 when `keepdim` holds.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.prod_axes(0, false).value().to_vec(), [3.0, 8.0]);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn prod_axes(&self, axes: impl IntoAxes, keepdim: bool) -> Variable<T> {
        let shape: Dims = self.shape();
        let (x, axes, line) = (self, axes.into_axes(shape, "prod"), line());
        compiled!(product_at(x: &Variable<T>, axes: u32, keepdim: bool, line: Line) -> Variable<T>)
    }

    /// yᵢ = ln Σⱼ≤ᵢ e^xⱼ along an axis, without overflow. Gradient: x̄ⱼ = Σᵢ≥ⱼ ȳᵢ·e^(xⱼ − yᵢ). −∞
    /// counts as nothing and has the gradient 0.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([1000.0_f64, 1000.0]);
    /// assert_eq!(x.logcumsumexp(0).value().to_vec(), [1000.0, 1000.0 + 2.0_f64.ln()]);
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range.
    #[track_caller]
    pub fn logcumsumexp(&self, axis: isize) -> Variable<T> {
        let (x, axis, line) = (self, self.shape().axis("logcumsumexp", axis), line());
        compiled!(logcumsumexp_at(x: &Variable<T>, axis: usize, line: Line) -> Variable<T>)
    }

    /// The differences of neighbours along an axis, xᵢ₊₁ − xᵢ, `n` times over: the axis gets shorter by `n` (and empty at
    /// the least). What [`cumsum`](Variable::cumsum) undoes.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([1.0_f32, 4.0, 9.0, 16.0]);
    /// assert_eq!(x.diff(1, 0).value().to_vec(), [3.0, 5.0, 7.0]);
    /// assert_eq!(x.diff(2, 0).value().to_vec(), [2.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range.
    #[track_caller]
    pub fn diff(&self, n: usize, axis: isize) -> Variable<T> {
        let position = self.shape().axis("diff", axis);
        let mut x = self.clone();
        for _ in 0..n {
            let Some(count) = x.shape()[position].checked_sub(1) else { break };
            x = x.narrow(axis, 1, count) - x.narrow(axis, 0, count);
        }
        x
    }
}

samples! {
    cumsum {
        "columns" (x: normal([3, 4])) => x.cumsum(0);
        "rows" (x: normal([2, 3, 4])) => x.cumsum(-1);
        "empty" (x: normal([0, 3])) => x.cumsum(0);
        "no such axis" (x: normal([3])) => x.cumsum(1), panics("cumsum: axis 1 is out of range");
    }
    cumprod {
        "columns" (x: nonzero([3, 4])) => x.cumprod(0);
        "zeros" (x: values([2, 3], &[0.0, 2.0, 0.0, 1.5, 0.0, -2.0])) => x.cumprod(1);
        "empty" (x: normal([3, 0])) => x.cumprod(1);
    }
    linear_recurrence {
        "rows" (x: normal([2, 4]), factors: normal([2, 4])) => x.linear_recurrence(factors, 1);
        "columns" (x: normal([3, 2]), factors: normal([3, 2])) => x.linear_recurrence(factors, 0);
        "other factors" (x: normal([3]), factors: normal([2])) => x.linear_recurrence(factors, 0),
            panics("the factors must have the same shape");
    }
    prod {
        "all" (x: nonzero([2, 3])) => x.prod();
        "two axes" (x: nonzero([2, 3, 2])) => x.prod_axes([0, 2], true);
        "a zero" (x: values([3], &[2.0, 0.0, -1.5])) => x.prod();
        "several zeros" (x: values([2, 3], &[0.0, 2.0, 0.0, 1.5, 0.0, -2.0])) => x.prod_axes(1, false);
        "nothing" (x: normal([0, 3])) => x.prod_axes(0, false);
    }
    logcumsumexp {
        "columns" (x: normal([3, 2])) => x.logcumsumexp(0);
        "rows" (x: normal([2, 4])) => x.logcumsumexp(-1);
        "nothing at first" (x: values([3], &[f64::NEG_INFINITY, 1.0, 2.0])) => x.logcumsumexp(0), kink("no share of −∞");
        "empty" (x: normal([3, 0])) => x.logcumsumexp(1);
        "no such axis" (x: normal([3])) => x.logcumsumexp(1), panics("logcumsumexp: axis 1 is out of range");
    }
    diff {
        "neighbours" (x: normal([2, 4])) => x.diff(1, -1);
        "twice" (x: normal([4, 2])) => x.diff(2, 0);
        "none" (x: normal([2])) => x.diff(0, 0);
        "to nothing" (x: normal([2, 2])) => x.diff(5, 0);
        "no such axis" (x: normal([3])) => x.diff(1, 1), panics("diff: axis 1 is out of range");
    }
}
