//! Sums and means over axes, and their adjoint, broadcasting.

use super::registry::samples;
use crate::{
    graph::{Context, Cotangents, Grads, Keep, Op, Variable, mode::line, op::Line, variable::record},
    kernel::reduce,
    scalar::{Float, float::compiled},
    tensor::Dims,
};
use std::borrow::Cow;

/// Axes to reduce over, counted from the end when negative: one, several, or none (`[]`: nothing is reduced).
pub trait IntoAxes {
    /// The axes as a bit set.
    ///
    /// # Panics
    /// If an axis is out of range or named twice; the text names the operation and the shape.
    #[doc(hidden)]
    #[track_caller]
    fn into_axes(self, shape: Dims, operation: &'static str) -> u32;
}

impl IntoAxes for isize {
    #[track_caller]
    fn into_axes(self, shape: Dims, operation: &'static str) -> u32 {
        1 << shape.axis(operation, self)
    }
}
impl IntoAxes for &[isize] {
    #[track_caller]
    fn into_axes(self, shape: Dims, operation: &'static str) -> u32 {
        let mut set = 0;
        for &axis in self {
            let bit = axis.into_axes(shape, operation);
            assert!(set & bit == 0, "{operation}: axis {axis} is named twice in {self:?}, shape {shape:?}");
            set |= bit;
        }
        set
    }
}
impl<const N: usize> IntoAxes for [isize; N] {
    #[track_caller]
    fn into_axes(self, shape: Dims, operation: &'static str) -> u32 {
        self.as_slice().into_axes(shape, operation)
    }
}

/// The shape after reducing over `axes`: without them, or with size 1 in their place.
pub(crate) fn reduced_shape(shape: Dims, axes: u32, keepdim: bool) -> Dims {
    let mut reduced = Dims::filled(0, 0);
    for (axis, &size) in shape.iter().enumerate() {
        match axes >> axis & 1 == 1 {
            false => reduced = reduced.with_pushed(size),
            true if keepdim => reduced = reduced.with_pushed(1),
            true => {}
        }
    }
    reduced
}

/// How many elements are reduced to one.
pub(crate) fn reduced_count(shape: Dims, axes: u32) -> usize {
    (0..shape.len()).filter(|axis| axes >> axis & 1 == 1).map(|axis| shape[axis]).product()
}

/// All axes of a shape.
pub(crate) fn all_axes(shape: Dims) -> u32 {
    (1 << shape.len()) - 1
}

struct Sum {
    axes: u32,
}

impl<T: Float> Op<T> for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = Σ x; x̄ += ȳ, the same for every summand".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        // Every summand has slope 1: the cotangent is spread over what was summed.
        let shape = cx.input_shape(0);
        Grads::one(g.only().reshape(reduced_shape(shape, self.axes, true)).broadcast_to(shape))
    }
}

pub(crate) fn sum_at<T: Float>(x: &Variable<T>, axes: u32, keepdim: bool, line: Line) -> Variable<T> {
    let value = x.read();
    let shape = reduced_shape(value.dims(), axes, keepdim);
    let total = reduce::reduce(reduce::Sum, &value, axes).reshape(shape);
    record(Sum { axes }, &[x], &[&value], total, Keep::NOTHING, line)
}

/// Sums over the axes along which `shape` was broadcast to that of `x`.
pub(crate) fn sum_to<T: Float>(x: &Variable<T>, shape: Dims) -> Variable<T> {
    let from = x.shape();
    let missing = from.len() - shape.len();
    let mut axes = 0;
    for axis in 0..from.len() {
        if axis < missing || (shape[axis - missing] == 1 && from[axis] != 1) {
            axes |= 1 << axis;
        }
    }
    sum_at(x, axes, true, line()).reshape(shape)
}

struct Broadcast;

impl<T: Float> Op<T> for Broadcast {
    fn name(&self) -> &'static str {
        "broadcast_to"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = x, repeated; x̄ += ȳ".into()
    }
    fn backward(&self, _: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        // The engine sums a gradient of the broadcast shape back to the input's.
        Grads::one(g.only())
    }
}

impl<T: Float> Variable<T> {
    /// The sum of all elements: a scalar. Gradient: 1 everywhere.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum().item(), 10.0);
    /// ```
    #[track_caller]
    pub fn sum(&self) -> Variable<T> {
        let (x, axes, keepdim, line) = (self, all_axes(self.shape()), false, line());
        compiled!(sum_at(x: &Variable<T>, axes: u32, keepdim: bool, line: Line) -> Variable<T>)
    }

    /// The sum over some axes, which are removed, or kept with size 1 when `keepdim` holds. The sum of nothing is 0.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum_axes(0, false).value().to_vec(), [4.0, 6.0]);
    /// assert_eq!(x.sum_axes(-1, true).shape(), [2, 1]);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn sum_axes(&self, axes: impl IntoAxes, keepdim: bool) -> Variable<T> {
        let (x, axes, line) = (self, axes.into_axes(self.shape(), "sum"), line());
        compiled!(sum_at(x: &Variable<T>, axes: u32, keepdim: bool, line: Line) -> Variable<T>)
    }

    /// The mean of all elements: a scalar. Gradient: 1/n everywhere. The mean of nothing is NaN.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.mean().item(), 2.5);
    /// ```
    #[track_caller]
    pub fn mean(&self) -> Variable<T> {
        self.sum() / self.len() as f64
    }

    /// The mean over some axes, which are removed, or kept with size 1 when `keepdim` holds.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.mean_axes(0, false).value().to_vec(), [2.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn mean_axes(&self, axes: impl IntoAxes, keepdim: bool) -> Variable<T> {
        let (x, shape, line) = (self, self.shape(), line());
        let axes = axes.into_axes(shape, "mean");
        let count = reduced_count(shape, axes);
        compiled!(sum_at(x: &Variable<T>, axes: u32, keepdim: bool, line: Line) -> Variable<T>) / count as f64
    }

    /// Repeats axes of size 1, and adds axes in front, to get `shape`; no element is copied.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32], [2.0]]);
    /// assert_eq!(x.broadcast_to([2, 3]).value().to_vec(), [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// If the variable's shape does not broadcast to `shape`.
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl crate::tensor::IntoShape) -> Variable<T> {
        let shape = shape.into_shape();
        if shape == self.shape() {
            return self.clone();
        }
        let value = self.read();
        let wide = value.broadcast_to(shape);
        record(Broadcast, &[self], &[&value], wide, Keep::NOTHING, line())
    }

    /// The sum of all elements but those that are NaN: a scalar. Gradient: 1, and 0 at NaN.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([1.0_f32, f32::NAN, 3.0]);
    /// assert_eq!(x.nansum().item(), 4.0);
    /// ```
    #[track_caller]
    pub fn nansum(&self) -> Variable<T> {
        self.masked_fill(&self.read().isnan(), 0.0).sum()
    }

    /// As [`nansum`](Variable::nansum), over some axes, which are removed, or kept with size 1 when `keepdim` holds.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, f32::NAN], [3.0, 4.0]]);
    /// assert_eq!(x.nansum_axes(0, false).value().to_vec(), [4.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn nansum_axes(&self, axes: impl IntoAxes, keepdim: bool) -> Variable<T> {
        self.masked_fill(&self.read().isnan(), 0.0).sum_axes(axes, keepdim)
    }

    /// The mean of all elements but those that are NaN: a scalar. Gradient: 1/(how many are left), and 0 at NaN. NaN when
    /// none is left.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([1.0_f32, f32::NAN, 3.0]);
    /// assert_eq!(x.nanmean().item(), 2.0);
    /// ```
    #[track_caller]
    pub fn nanmean(&self) -> Variable<T> {
        let count = self.read().isnan().logical_not().count_true();
        self.nansum() / count as f64
    }

    /// As [`nanmean`](Variable::nanmean), gradient included, over some axes, which are removed, or kept with size 1 when
    /// `keepdim` holds.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, f32::NAN], [3.0, 4.0]]);
    /// assert_eq!(x.nanmean_axes(0, false).value().to_vec(), [2.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn nanmean_axes(&self, axes: impl IntoAxes, keepdim: bool) -> Variable<T> {
        let shape = self.shape();
        let axes = axes.into_axes(shape, "nanmean");
        let numbers = self.read().isnan().logical_not();
        let counts = reduce::reduce(reduce::Sum, &numbers.cast::<T>(), axes);
        let list = shape.axes_in(axes);
        let counts = counts.reshape(reduced_shape(shape, axes, keepdim));
        self.nansum_axes(list.as_slice(), keepdim) / Variable::new(counts)
    }
}

samples! {
    sum {
        "all" (x: normal([2, 3])) => x.sum(), elementwise;
        "two axes" (x: normal([2, 3, 2])) => x.sum_axes([0, -1], false);
        "kept" (x: normal([2, 3])) => x.sum_axes(1, true);
        "of nothing" (x: normal([2, 0, 3])) => x.sum_axes(1, false);
        "no such axis" (x: normal([2, 3])) => x.sum_axes(2, false), panics("axis 2 is out of range for shape [2, 3]");
    }
    mean {
        "all" (x: normal([2, 3])) => x.mean();
        "two axes" (x: normal([2, 3, 2])) => x.mean_axes([0, -1], false);
        "kept" (x: normal([2, 3])) => x.mean_axes(1, true);
        "an axis twice" (x: normal([2, 3])) => x.mean_axes([1, -1], false), panics("axis -1 is named twice");
    }
    broadcast_to {
        "wider and deeper" (x: normal([2, 1])) => x.broadcast_to([3, 2, 4]);
        "deeper" (x: normal([3])) => x.broadcast_to([2, 3]);
        "wider" (x: normal([2, 1])) => x.broadcast_to([2, 3]);
        "to nothing" (x: normal([2, 1])) => x.broadcast_to([2, 0]);
        "impossible" (x: normal([2, 3])) => x.broadcast_to([2, 4]), panics("do not broadcast");
    }
    nansum {
        "all" (x: normal([2, 3])) => x.nansum();
        "columns" (x: normal([2, 3])) => x.nansum_axes(0, true);
        "not numbers" (x: values([3], &[1.0, f64::NAN, 2.0])) => x.nansum(), kink("0 where something is left out");
        "no such axis" (x: normal([2])) => x.nansum_axes(1, false), panics("axis 1 is out of range");
    }
    nanmean {
        "all" (x: normal([2, 3])) => x.nanmean();
        "columns" (x: normal([2, 3])) => x.nanmean_axes(0, true);
        "not numbers" (x: values([2, 2], &[1.0, f64::NAN, 2.0, 4.0])) => x.nanmean_axes(1, false),
            kink("0 where something is left out");
        "no such axis" (x: normal([2])) => x.nanmean_axes(1, false), panics("axis 1 is out of range");
    }
}
