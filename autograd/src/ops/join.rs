//! Putting variables together: cat and stack, and a variable with itself: repeat and repeat_interleave.
//!
//! ```
//! use wengert_autograd::Variable;
//!
//! let (a, b) = (Variable::from([1.0_f32, 2.0]), Variable::from([3.0_f32]));
//! assert_eq!(Variable::cat(&[&a, &b], 0).value().to_vec(), [1.0, 2.0, 3.0]);
//! assert_eq!(a.repeat([2]).value().to_vec(), [1.0, 2.0, 1.0, 2.0]);
//! assert_eq!(a.repeat_interleave(2, 0).value().to_vec(), [1.0, 1.0, 2.0, 2.0]);
//! ```
//!
//! The gradient of a cat is a view of each part. Repetition is a broadcast and a reshape, and so has no rule of its own.

use super::{registry::samples, slice::slice_region};
use crate::{
    graph::{
        Context, Cotangents, Gradient, Grads, Keep, Op, Region, Variable,
        mode::line,
        op::Line,
        variable::{Value, record},
    },
    scalar::{Float, float::compiled},
    tensor::{IntoShape, Tensor, TensorError, resolve_axis, valid},
};
use smallvec::SmallVec;
use std::{borrow::Borrow, borrow::Cow};

/// Parts behind one another; each one's gradient is a slice.
struct Cat {
    axis: usize,
    /// The sizes of the parts along the axis.
    sizes: Vec<usize>,
}
impl<T: Float> Op<T> for Cat {
    fn name(&self) -> &'static str {
        "cat"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = cat(x₁, x₂, …); x̄₁ += ȳ, the part that it became".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let g = g.only();
        let mut start = 0;
        Grads::of(self.sizes.iter().enumerate().map(|(i, &len)| {
            let region = Region { axis: self.axis, start, len, step: 1 };
            start += len;
            if cx.wants(i) { Gradient::Whole(slice_region(&g, region)) } else { Gradient::None }
        }))
    }
}

fn cat_at<T: Float>(parts: &[&Variable<T>], axis: usize, line: Line) -> Variable<T> {
    let values: Vec<Value<'_, T>> = parts.iter().map(|part| part.read()).collect();
    let tensors: Vec<Tensor<T>> = values.iter().map(|value| (**value).clone()).collect();
    let whole = Tensor::cat(&tensors, axis as isize);
    let sizes = tensors.iter().map(|tensor| tensor.shape()[axis]).collect();
    let values: Vec<&Tensor<T>> = values.iter().map(|value| &**value).collect();
    record(Cat { axis, sizes }, parts, &values, whole, Keep::NOTHING, line)
}

impl<T: Float> Variable<T> {
    /// Variables put behind one another along an axis; their other sizes agree.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// let (a, b) = (Variable::ones([2, 3]), Variable::zeros([2, 1]));
    /// assert_eq!(Variable::cat(&[a, b], 1).shape(), [2, 4]);
    /// ```
    ///
    /// # Panics
    /// If there are none, the axis is out of range, or another size differs.
    #[track_caller]
    pub fn cat(variables: &[impl Borrow<Variable<T>>], axis: isize) -> Variable<T> {
        let parts: SmallVec<[&Variable<T>; 8]> = variables.iter().map(Borrow::borrow).collect();
        let Some(first) = parts.first().map(|part| part.shape()) else {
            TensorError::argument("cat", &[], "at least one variable is wanted").raise()
        };
        let axis = first.axis("cat", axis);
        for part in &parts {
            let shape = part.shape();
            if shape.len() != first.len() || shape.with(axis, first[axis]) != first {
                let problem = format!("it does not fit {first:?} but along axis {axis}");
                TensorError::argument("cat", &shape, problem).raise();
            }
        }
        let (parts, line): (&[&Variable<T>], _) = (&parts, line());
        compiled!(cat_at(parts: &[&Variable<T>], axis: usize, line: Line) -> Variable<T>)
    }

    /// Variables of one shape put side by side along a new axis.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// let rows = [Variable::ones([3]), Variable::zeros([3])];
    /// assert_eq!(Variable::stack(&rows, 0).shape(), [2, 3]);
    /// ```
    ///
    /// # Panics
    /// If there are none, their shapes differ, or the position is out of range.
    #[track_caller]
    pub fn stack(variables: &[impl Borrow<Variable<T>>], axis: isize) -> Variable<T> {
        let Some(first) = variables.first().map(|first| first.borrow().shape()) else {
            TensorError::argument("stack", &[], "at least one variable is wanted").raise()
        };
        let axis = valid(resolve_axis("stack", axis, first.len() + 1, &first)) as isize;
        let mut parts = Vec::with_capacity(variables.len());
        for variable in variables {
            let variable = variable.borrow();
            if variable.shape() != first {
                TensorError::argument("stack", &variable.shape(), format!("it differs from {first:?}"))
                    .raise();
            }
            parts.push(variable.unsqueeze(axis));
        }
        Variable::cat(&parts, axis)
    }

    /// The variable repeated along each axis; new axes in front where more numbers are given than it has.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 2.0]]);
    /// assert_eq!(x.repeat([2, 2]).value().to_vec(), [1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// If fewer numbers are given than the variable has axes, or the result cannot be addressed.
    #[track_caller]
    pub fn repeat(&self, times: impl IntoShape) -> Variable<T> {
        let (times, shape) = (times.into_shape(), self.shape());
        if times.len() < shape.len() {
            let problem = format!("{times:?} gives fewer numbers than there are axes");
            TensorError::argument("repeat", &shape, problem).raise();
        }
        let mut whole = self.clone();
        for _ in shape.len()..times.len() {
            whole = whole.unsqueeze(0);
        }
        for axis in (0..times.len()).filter(|&axis| times[axis] != 1) {
            whole = repeated(&whole, axis, times[axis], true);
        }
        whole
    }

    /// Each index of an axis repeated on the spot.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.repeat_interleave(2, 1).value().to_vec(), [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range, or the result cannot be addressed.
    #[track_caller]
    pub fn repeat_interleave(&self, times: usize, axis: isize) -> Variable<T> {
        let axis = self.shape().axis("repeat_interleave", axis);
        repeated(self, axis, times, false)
    }

    /// Matrices along the diagonal of a larger one, zeros elsewhere: the rows and columns of the result are the sums of
    /// theirs.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// let (a, b) = (Variable::from([[1.0_f32, 2.0]]), Variable::from([[3.0_f32]]));
    /// assert_eq!(Variable::block_diag(&[a, b]).value().to_vec(), [1.0, 2.0, 0.0, 0.0, 0.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// If there are none, or one has not two axes.
    #[track_caller]
    pub fn block_diag(variables: &[impl Borrow<Variable<T>>]) -> Variable<T> {
        let shapes: Vec<_> = variables.iter().map(|variable| variable.borrow().shape()).collect();
        if let Some(shape) = shapes.iter().find(|shape| shape.len() != 2) {
            TensorError::argument("block_diag", shape, "matrices are wanted").raise();
        }
        let columns: usize = shapes.iter().map(|shape| shape[1]).sum();
        let (mut rows, mut before) = (Vec::with_capacity(variables.len()), 0);
        for (variable, shape) in variables.iter().zip(&shapes) {
            let after = columns - before - shape[1];
            let margins = [before as isize, after as isize];
            rows.push(variable.borrow().pad(&margins, super::Padding::Constant(0.0)));
            before += shape[1];
        }
        Variable::cat(&rows, 0)
    }
}

/// An axis repeated as a whole, or each of its indices. Neighbouring axes are made one, so that the axis that the
/// repetition adds has room even in the largest rank.
#[track_caller]
fn repeated<T: Float>(x: &Variable<T>, axis: usize, times: usize, whole: bool) -> Variable<T> {
    let shape = x.shape();
    let target = shape.with(axis, shape[axis].saturating_mul(times));
    valid(target.checked_count(size_of::<T>()));
    let outer: usize = shape[..axis].iter().product();
    let inner: usize = shape[axis + 1..].iter().product();
    let (before, behind) = if whole { (outer, shape[axis] * inner) } else { (outer * shape[axis], inner) };
    x.reshape([before, 1, behind]).broadcast_to([before, times, behind]).reshape(target)
}

samples! {
    cat {
        "columns" (a: normal([2, 3]), b: normal([2, 1])) => Variable::cat(&[a, b, a], 1);
        "rows" (a: normal([2, 3]), b: normal([0, 3])) => Variable::cat(&[a, b], 0);
        "other sizes" (a: normal([2, 3]), b: normal([3, 2])) => Variable::cat(&[a, b], 0), panics("cat");
    }
    stack {
        "in front" (a: normal([2, 3]), b: normal([2, 3])) => Variable::stack(&[a, b], 0);
        "behind" (a: normal([2]), b: normal([2])) => Variable::stack(&[a, b, a], -1);
        "shapes that differ" (a: normal([2]), b: normal([3])) => Variable::stack(&[a, b], 0), panics("stack");
    }
    repeat {
        "more axes" (x: normal([2, 3])) => x.repeat([2, 1, 3]);
        "too few numbers" (x: normal([2, 3])) => x.repeat([2]), panics("repeat");
    }
    repeat_interleave {
        "the middle" (x: normal([2, 3, 2])) => x.repeat_interleave(3, 1);
    }
    block_diag {
        "three" (a: normal([1, 2]), b: normal([2, 2]), c: normal([1, 1])) => Variable::block_diag(&[a, b, c]);
        "one" (a: normal([2, 2])) => Variable::block_diag(&[a]);
        "vectors" (a: normal([2])) => Variable::block_diag(&[a]), panics("block_diag: ");
    }
}
