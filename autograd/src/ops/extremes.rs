//! The greatest and the least: amax and amin, max and min with their indices, sort, topk.
//!
//! ```
//! use wengert_autograd::Variable;
//!
//! let x = Variable::from([[1.0_f32, 3.0, 3.0]]).requires_grad();
//! let (values, indices) = x.max_axis(1, false);
//! assert_eq!((values.item(), indices.item()), (3.0, 1));
//! values.backward(); // with an index: all to the first of equals
//! assert_eq!(x.grad().unwrap().to_vec(), [0.0, 1.0, 0.0]);
//! x.zero_grad();
//! x.amax().backward(); // without: evenly to all
//! assert_eq!(x.grad().unwrap().to_vec(), [0.0, 0.5, 0.5]);
//! ```
//!
//! Where the values come with indices they *are* a [gather](Variable::gather) at these indices, and so is the rule.

use super::{
    gather::{Places, read_at},
    reduction::{all_axes, reduced_shape},
    registry::samples,
};
use crate::{
    IntoAxes,
    graph::{Context, Cotangents, Grads, Keep, Op, Variable, mode::line, op::Line, variable::record},
    kernel::reduce,
    scalar::{Float, float::compiled},
    tensor::{Dims, Tensor, TensorError},
};
use std::borrow::Cow;

/// The extreme over axes; equal ones share the gradient.
struct Extreme {
    name: &'static str,
    axes: u32,
}
impl<T: Float> Op<T> for Extreme {
    fn name(&self) -> &'static str {
        self.name
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = the extreme of x; x̄ += ȳ · [x = y], shared among ties".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let (x, y) = (cx.input(0), cx.output(0));
        let wide = reduced_shape(x.shape(), self.axes, true);
        // Which elements are extreme does not change in a small step: constants.
        let (x, y) = (x.read(), y.read());
        let mut extreme = x.eq(y.reshape(wide)).cast::<T>();
        let count = reduce::reduce(reduce::Sum, &extreme, self.axes);
        if count.iter().any(|count| count != T::one()) {
            extreme = (Variable::new(extreme) / Variable::new(count)).value();
        }
        Grads::one(g.only().reshape(wide) * Variable::new(extreme))
    }
}

fn extreme_at<T: Float>(
    x: &Variable<T>,
    name: &'static str,
    axes: u32,
    keepdim: bool,
    line: Line,
) -> Variable<T> {
    let value = x.read();
    let found = match name {
        "amax" => reduce::reduce(reduce::Largest, &value, axes),
        _ => reduce::reduce(reduce::Smallest, &value, axes),
    };
    let found = found.reshape(reduced_shape(value.dims(), axes, keepdim));
    let keep = Keep::inputs([0]).and(Keep::outputs([0]));
    record(Extreme { name, axes }, &[x], &[&value], found, keep, line)
}

/// # Panics
/// If one of the axes has no elements to choose from.
#[track_caller]
fn not_empty(operation: &'static str, shape: Dims, axes: u32) -> u32 {
    if let Some(axis) = (0..shape.len()).find(|&axis| axes >> axis & 1 == 1 && shape[axis] == 0) {
        let problem = format!("axis {axis} has no elements to choose from");
        TensorError::argument(operation, &shape, problem).raise();
    }
    axes
}

/// The index of the extreme so far at every place of an axis: the last of equals, as PyTorch has it, and of a NaN once
/// there is one.
fn running<T: Float>(x: &Tensor<T>, axis: usize, better: impl Fn(T, T) -> bool) -> Tensor<i64> {
    let lanes = x.movedim(axis as isize, -1).contiguous();
    let mut found = Tensor::<i64>::zeros(lanes.dims());
    let (len, data) = (lanes.size(-1), lanes.as_slice().expect("packed above"));
    if len > 0 {
        for (lane, found) in data.chunks_exact(len).zip(found.make_mut().chunks_exact_mut(len)) {
            let mut best = 0;
            for (i, &value) in lane.iter().enumerate() {
                if value.is_nan() || !(lane[best].is_nan() || better(lane[best], value)) {
                    best = i;
                }
                found[i] = best as i64;
            }
        }
    }
    found.movedim(-1, axis as isize).contiguous()
}

impl<T: Float> Variable<T> {
    /// The greatest element: a scalar. NaN if any is. Equal ones share the gradient evenly.
    ///
    /// ```
    /// assert_eq!(wengert_autograd::Variable::from([1.0_f32, 3.0, 2.0]).amax().item(), 3.0);
    /// ```
    ///
    /// # Panics
    /// If there are no elements.
    #[track_caller]
    pub fn amax(&self) -> Variable<T> {
        let shape = self.shape();
        let (x, name, axes, keepdim, line) =
            (self, "amax", not_empty("amax", shape, all_axes(shape)), false, line());
        compiled!(extreme_at(x: &Variable<T>, name: &'static str, axes: u32, keepdim: bool, line: Line) -> Variable<T>)
    }

    /// The greatest elements over some axes, which are removed, or kept with size 1 when `keepdim` holds; as
    /// [`amax`](Variable::amax).
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 4.0], [3.0, 2.0]]);
    /// assert_eq!(x.amax_axes(0, false).value().to_vec(), [3.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range, named twice, or has size 0.
    #[track_caller]
    pub fn amax_axes(&self, axes: impl IntoAxes, keepdim: bool) -> Variable<T> {
        let shape = self.shape();
        let (x, name, line) = (self, "amax", line());
        let axes = not_empty(name, shape, axes.into_axes(shape, name));
        compiled!(extreme_at(x: &Variable<T>, name: &'static str, axes: u32, keepdim: bool, line: Line) -> Variable<T>)
    }

    /// The least element: a scalar. NaN if any is. Equal ones share the gradient evenly.
    ///
    /// ```
    /// assert_eq!(wengert_autograd::Variable::from([1.0_f32, 3.0, 2.0]).amin().item(), 1.0);
    /// ```
    ///
    /// # Panics
    /// If there are no elements.
    #[track_caller]
    pub fn amin(&self) -> Variable<T> {
        let shape = self.shape();
        let (x, name, axes, keepdim, line) =
            (self, "amin", not_empty("amin", shape, all_axes(shape)), false, line());
        compiled!(extreme_at(x: &Variable<T>, name: &'static str, axes: u32, keepdim: bool, line: Line) -> Variable<T>)
    }

    /// The least elements over some axes, which are removed, or kept with size 1 when `keepdim` holds; as
    /// [`amin`](Variable::amin).
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 4.0], [3.0, 2.0]]);
    /// assert_eq!(x.amin_axes(-1, true).value().to_vec(), [1.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range, named twice, or has size 0.
    #[track_caller]
    pub fn amin_axes(&self, axes: impl IntoAxes, keepdim: bool) -> Variable<T> {
        let shape = self.shape();
        let (x, name, line) = (self, "amin", line());
        let axes = not_empty(name, shape, axes.into_axes(shape, name));
        compiled!(extreme_at(x: &Variable<T>, name: &'static str, axes: u32, keepdim: bool, line: Line) -> Variable<T>)
    }

    /// The greatest elements along an axis and their indices, the first at ties (that of the first NaN, if there is
    /// any). The axis is removed, or kept with size 1 when `keepdim` holds. The whole gradient goes to these indices.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 4.0], [3.0, 2.0]]);
    /// let (values, indices) = x.max_axis(1, false);
    /// assert_eq!((values.value().to_vec(), indices.to_vec()), (vec![4.0, 3.0], vec![1, 0]));
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range or has size 0.
    #[track_caller]
    pub fn max_axis(&self, axis: isize, keepdim: bool) -> (Variable<T>, Tensor<i64>) {
        let shape = self.shape();
        let position = shape.axis("max", axis);
        not_empty("max", shape, 1 << position);
        let indices = self.read().argmax(axis, true);
        picked(self, "max", position, indices, keepdim, line())
    }

    /// The least elements along an axis and their indices; as [`max_axis`](Variable::max_axis).
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 4.0], [3.0, 2.0]]);
    /// let (values, indices) = x.min_axis(1, false);
    /// assert_eq!((values.value().to_vec(), indices.to_vec()), (vec![1.0, 2.0], vec![0, 1]));
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range or has size 0.
    #[track_caller]
    pub fn min_axis(&self, axis: isize, keepdim: bool) -> (Variable<T>, Tensor<i64>) {
        let shape = self.shape();
        let position = shape.axis("min", axis);
        not_empty("min", shape, 1 << position);
        let indices = self.read().argmin(axis, true);
        picked(self, "min", position, indices, keepdim, line())
    }

    /// The elements along an axis in ascending (or descending) order, and the index that each had; equal ones keep their
    /// order, NaN counts as greatest. The gradient goes back to where each came from.
    ///
    /// ```
    /// let (values, indices) = wengert_autograd::Variable::from([2.0_f32, 1.0, 3.0]).sort(0, true);
    /// assert_eq!((values.value().to_vec(), indices.to_vec()), (vec![3.0, 2.0, 1.0], vec![2, 0, 1]));
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range.
    #[track_caller]
    pub fn sort(&self, axis: isize, descending: bool) -> (Variable<T>, Tensor<i64>) {
        let position = self.shape().axis("sort", axis);
        let indices = self.read().argsort(axis, descending);
        picked(self, "sort", position, indices, true, line())
    }

    /// The `count` greatest (or least) elements along an axis, the most extreme first, and their indices. The gradient
    /// goes to these indices.
    ///
    /// ```
    /// let (values, _) = wengert_autograd::Variable::from([2.0_f32, 1.0, 3.0]).topk(2, 0, true);
    /// assert_eq!(values.value().to_vec(), [3.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range or has fewer elements.
    #[track_caller]
    pub fn topk(&self, count: usize, axis: isize, greatest: bool) -> (Variable<T>, Tensor<i64>) {
        let position = self.shape().axis("topk", axis);
        let (_, indices) = self.read().topk(count, axis, greatest);
        picked(self, "topk", position, indices, true, line())
    }

    /// The greatest element up to each place of an axis, and its index, the last at ties (that of a NaN, once there is
    /// one). The gradient goes to these indices.
    ///
    /// ```
    /// let (values, indices) = wengert_autograd::Variable::from([1.0_f32, 3.0, 2.0, 3.0]).cummax(0);
    /// assert_eq!((values.value().to_vec(), indices.to_vec()), (vec![1.0, 3.0, 3.0, 3.0], vec![0, 1, 1, 3]));
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range.
    #[track_caller]
    pub fn cummax(&self, axis: isize) -> (Variable<T>, Tensor<i64>) {
        let position = self.shape().axis("cummax", axis);
        let indices = running(&self.read(), position, |best, value| best > value);
        picked(self, "cummax", position, indices, true, line())
    }

    /// The least element up to each place of an axis, and its index; as [`cummax`](Variable::cummax).
    ///
    /// ```
    /// let (values, indices) = wengert_autograd::Variable::from([2.0_f32, 3.0, 1.0]).cummin(0);
    /// assert_eq!((values.value().to_vec(), indices.to_vec()), (vec![2.0, 2.0, 1.0], vec![0, 0, 2]));
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range.
    #[track_caller]
    pub fn cummin(&self, axis: isize) -> (Variable<T>, Tensor<i64>) {
        let position = self.shape().axis("cummin", axis);
        let indices = running(&self.read(), position, |best, value| best < value);
        picked(self, "cummin", position, indices, true, line())
    }

    /// The `k`-th least element along an axis (counted from 1) and its index. The axis is removed, or kept with size 1
    /// when `keepdim` holds. NaN counts as greatest. The gradient goes to the index.
    ///
    /// ```
    /// let (value, index) = wengert_autograd::Variable::from([2.0_f32, 1.0, 3.0]).kthvalue(2, 0, false);
    /// assert_eq!((value.item(), index.item()), (2.0, 0));
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range, or has not so many elements, or `k` is 0.
    #[track_caller]
    pub fn kthvalue(&self, k: usize, axis: isize, keepdim: bool) -> (Variable<T>, Tensor<i64>) {
        let shape = self.shape();
        let position = shape.axis("kthvalue", axis);
        if !(1..=shape[position]).contains(&k) {
            let problem = format!("axis {position} has no element number {k}, counted from 1");
            TensorError::argument("kthvalue", &shape, problem).raise();
        }
        let indices = self.read().argsort(axis, false).narrow(axis, k - 1, 1);
        picked(self, "kthvalue", position, indices, keepdim, line())
    }

    /// The median along an axis, of an even number of elements the lower of the middle two, as in PyTorch, and its index.
    /// The axis is removed, or kept with size 1 when `keepdim` holds. NaN if there is any. The gradient goes to the index.
    ///
    /// ```
    /// let (value, index) = wengert_autograd::Variable::from([4.0_f32, 1.0, 3.0, 2.0]).median(0, false);
    /// assert_eq!((value.item(), index.item()), (2.0, 3));
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range or has size 0.
    #[track_caller]
    pub fn median(&self, axis: isize, keepdim: bool) -> (Variable<T>, Tensor<i64>) {
        let shape = self.shape();
        let position = shape.axis("median", axis);
        not_empty("median", shape, 1 << position);
        let (value, count) = (self.read(), shape[position]);
        let order = value.argsort(axis, false);
        let (middle, last) = (order.narrow(axis, (count - 1) / 2, 1), order.narrow(axis, count - 1, 1));
        // NaN is sorted to the end.
        let lost = value.take_along(&last, axis).isnan();
        picked(self, "median", position, last.where_(&lost, &middle), keepdim, line())
    }

    /// The `q`-th quantile along an axis, `q` between 0 and 1: of the n elements in ascending order the one at place
    /// q·(n − 1), by linear interpolation between its neighbours, which share the gradient accordingly. The axis is
    /// removed, or kept with size 1 when `keepdim` holds. NaN if there is any.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([4.0_f32, 1.0, 3.0, 2.0]);
    /// assert_eq!((x.quantile(0.5, 0, false).item(), x.quantile(1.0, 0, false).item()), (2.5, 4.0));
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range or has size 0, or `q` lies outside of [0, 1].
    #[track_caller]
    pub fn quantile(&self, q: f64, axis: isize, keepdim: bool) -> Variable<T> {
        let shape = self.shape();
        let position = shape.axis("quantile", axis);
        not_empty("quantile", shape, 1 << position);
        if !(0.0..=1.0).contains(&q) {
            TensorError::argument("quantile", &shape, format!("q must lie between 0 and 1, it is {q}"))
                .raise();
        }
        let place = q * (shape[position] - 1) as f64;
        let sorted = self.sort(axis, false).0;
        let low = sorted.narrow(axis, place.floor() as usize, 1);
        let high = sorted.narrow(axis, place.ceil() as usize, 1);
        let between = &low + (&high - &low) * place.fract();
        let lost = self.read().isnan().any_axis(axis, true);
        let found = if lost.any() { between.masked_fill(&lost, f64::NAN) } else { between };
        if keepdim { found } else { found.squeeze(axis) }
    }
}

/// The elements at these indices, which come out of the variable itself.
#[track_caller]
fn picked<T: Float>(
    x: &Variable<T>,
    name: &'static str,
    axis: usize,
    indices: Tensor<i64>,
    keepdim: bool,
    line: Line,
) -> (Variable<T>, Tensor<i64>) {
    let places = &Places::Elements(axis, indices.clone());
    let values =
        compiled!(read_at(x: &Variable<T>, name: &'static str, places: &Places, line: Line) -> Variable<T>);
    if keepdim { (values, indices) } else { (values.squeeze(axis as isize), indices.squeeze(axis as isize)) }
}

samples! {
    amax {
        "all" (x: distinct([2, 3])) => x.amax();
        "two axes" (x: distinct([2, 3, 2])) => x.amax_axes([0, 2], true);
        "ties" (x: values([3], &[2.0, 1.0, 2.0])) => x.amax(), kink("equal elements share the gradient");
        "nothing" (x: normal([0])) => x.amax(), panics("amax: axis 0 has no elements");
    }
    amin {
        "all" (x: distinct([2, 3])) => x.amin();
        "rows" (x: distinct([3, 4])) => x.amin_axes(1, false);
    }
    max {
        "columns" (x: distinct([3, 4])) => x.max_axis(0, false);
        "ties" (x: values([3], &[2.0, 1.0, 2.0])) => x.max_axis(0, true), kink("the first gets the gradient");
        "nothing" (x: normal([2, 0])) => x.max_axis(1, true), panics("max: axis 1 has no elements");
    }
    min {
        "rows" (x: distinct([3, 4])) => x.min_axis(1, true);
    }
    sort {
        "ascending" (x: distinct([3, 4])) => x.sort(1, false);
        "descending" (x: distinct([4, 2])) => x.sort(0, true);
    }
    topk {
        "greatest" (x: distinct([3, 4])) => x.topk(2, 1, true);
        "least" (x: distinct([4, 2])) => x.topk(3, 0, false);
        "too many" (x: distinct([2])) => x.topk(3, 0, true), panics("topk");
    }
    cummax {
        "columns" (x: distinct([4, 2])) => x.cummax(0);
        "rows" (x: distinct([2, 5])) => x.cummax(-1);
        "ties" (x: values([3], &[2.0, 1.0, 2.0])) => x.cummax(0), kink("the last of equals gets the gradient");
        "no such axis" (x: normal([3])) => x.cummax(1), panics("cummax: axis 1 is out of range");
    }
    cummin {
        "columns" (x: distinct([4, 2])) => x.cummin(0);
        "no such axis" (x: normal([3])) => x.cummin(1), panics("cummin: axis 1 is out of range");
    }
    kthvalue {
        "rows" (x: distinct([3, 4])) => x.kthvalue(2, 1, false);
        "columns" (x: distinct([3, 2])) => x.kthvalue(3, 0, true);
        "none" (x: distinct([3])) => x.kthvalue(0, 0, true), panics("kthvalue: ");
        "too many" (x: distinct([3])) => x.kthvalue(4, 0, true), panics("axis 0 has no element number 4");
    }
    median {
        "odd" (x: distinct([3, 2])) => x.median(0, false);
        "even" (x: distinct([2, 4])) => x.median(-1, true);
        "not a number" (x: values([3], &[1.0, f64::NAN, 0.0])) => x.median(0, false), kink("NaN gets the gradient");
        "nothing" (x: normal([2, 0])) => x.median(1, true), panics("median: axis 1 has no elements");
    }
    quantile {
        "a quarter" (x: distinct([4, 2])) => x.quantile(0.25, 0, false);
        "the greatest" (x: distinct([2, 3])) => x.quantile(1.0, -1, true);
        "more than all" (x: distinct([3])) => x.quantile(1.5, 0, true), panics("q must lie between 0 and 1, it is 1.5");
    }
}
