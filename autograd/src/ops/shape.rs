//! Views: the same elements in another shape or order. Each rule is the view that leads back.

use super::registry::samples;
use crate::{
    graph::{Context, Cotangents, Gradient, Grads, Keep, Op, Region, Variable, mode::line, variable::record},
    kernel::elementwise::add_into,
    scalar::Float,
    tensor::{Dims, ReshapeTarget, Tensor},
};

struct Reshape;
impl<T: Float> Op<T> for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        Grads::one(g.only().reshape(cx.input_shape(0)))
    }
}

struct Permute {
    /// Output axis k is input axis `order[k]`.
    order: Vec<isize>,
}
impl<T: Float> Op<T> for Permute {
    fn name(&self) -> &'static str {
        "permute"
    }
    fn backward(&self, _: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let mut inverse = vec![0; self.order.len()];
        for (to, &from) in self.order.iter().enumerate() {
            inverse[from as usize] = to as isize;
        }
        Grads::one(g.only().permute(&inverse))
    }
}

/// Reads a region; its adjoint is [`Place`].
struct Slice(Region);
impl<T: Float> Op<T> for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }
    fn backward(&self, _: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        Grads::one(Gradient::Part(self.0, g.only()))
    }
}

/// Zeros with a region filled in; its adjoint is [`Slice`].
struct Place(Region);
impl<T: Float> Op<T> for Place {
    fn name(&self) -> &'static str {
        "place"
    }
    fn backward(&self, _: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        Grads::one(slice_region(&g.only(), self.0))
    }
}

/// The part of `x` in a region.
pub(crate) fn slice_region<T: Float>(x: &Variable<T>, region: Region) -> Variable<T> {
    let value = x.read();
    let Region { axis, start, len, step } = region;
    let part = value.slice_axis(axis as isize, start as isize, (start + len * step) as isize, step);
    record(Slice(region), &[x], &[&value], part, Keep::NOTHING, line())
}

/// A tensor of `shape` that is zero except for `part` in a region.
pub(crate) fn place<T: Float>(part: &Variable<T>, region: Region, shape: Dims) -> Variable<T> {
    let value = part.read();
    let whole = add_region(Tensor::zeros(shape), region, &value);
    record(Place(region), &[part], &[&value], whole, Keep::NOTHING, line())
}

/// Adds `part` to a region of `whole`, in place when nobody else holds it.
pub(crate) fn add_region<T: Float>(mut whole: Tensor<T>, region: Region, part: &Tensor<T>) -> Tensor<T> {
    let shape = whole.dims();
    let outer: usize = shape[..region.axis].iter().product();
    let inner: usize = shape[region.axis + 1..].iter().product();
    let part = part.contiguous();
    let from = part.as_slice().expect("packed above");
    // Whole runs of indices when the step is 1, else index by index.
    let (runs, run) = if region.step == 1 { (1, region.len * inner) } else { (region.len, inner) };
    let into = whole.make_mut();
    for o in 0..outer {
        for r in 0..runs {
            let at = (o * shape[region.axis] + region.start + r * region.step) * inner;
            add_into(&mut into[at..at + run], &from[(o * runs + r) * run..][..run]);
        }
    }
    whole
}

impl<T: Float> Variable<T> {
    /// The same elements in row-major order, in another shape; one size may be −1, found from the others.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.reshape([3, -1]).shape(), [3, 2]);
    /// ```
    ///
    /// # Panics
    /// If the number of elements differs.
    #[track_caller]
    pub fn reshape(&self, shape: impl ReshapeTarget) -> Variable<T> {
        let value = self.read();
        let reshaped = value.reshape(shape);
        if reshaped.dims() == value.dims() {
            return self.clone();
        }
        record(Reshape, &[self], &[&value], reshaped, Keep::NOTHING, line())
    }

    /// The axes in another order: axis k of the result is axis `order[k]`.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::ones([2, 3, 4]);
    /// assert_eq!(x.permute(&[2, 0, 1]).shape(), [4, 2, 3]);
    /// ```
    ///
    /// # Panics
    /// If `order` is not a permutation of the axes.
    #[track_caller]
    pub fn permute(&self, order: &[isize]) -> Variable<T> {
        let value = self.read();
        let permuted = value.permute(order);
        let rank = value.rank() as isize;
        let order = order.iter().map(|&axis| if axis < 0 { axis + rank } else { axis }).collect();
        record(Permute { order }, &[self], &[&value], permuted, Keep::NOTHING, line())
    }

    /// Two axes exchanged.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::ones([2, 3, 4]);
    /// assert_eq!(x.transpose(-1, -2).shape(), [2, 4, 3]);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range.
    #[track_caller]
    pub fn transpose(&self, a: isize, b: isize) -> Variable<T> {
        let shape = self.shape();
        let (a, b) = (shape.axis("transpose", a), shape.axis("transpose", b));
        let mut order: Vec<isize> = (0..shape.len() as isize).collect();
        order.swap(a, b);
        self.permute(&order)
    }

    /// A matrix transposed.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.t().value().to_vec(), [1.0, 3.0, 2.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If the variable has not two axes.
    #[track_caller]
    pub fn t(&self) -> Variable<T> {
        let shape = self.shape();
        assert!(
            shape.len() == 2,
            "t: a matrix has two axes, and this variable the shape {shape:?}; for others see transpose"
        );
        self.permute(&[1, 0])
    }

    /// The indices `start..start + len` of one axis.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([1.0_f32, 2.0, 3.0, 4.0]);
    /// assert_eq!(x.narrow(0, 1, 2).value().to_vec(), [2.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// If the range does not lie within the axis.
    #[track_caller]
    pub fn narrow(&self, axis: isize, start: usize, len: usize) -> Variable<T> {
        let value = self.read();
        let part = value.narrow(axis, start, len);
        let region = Region { axis: value.dims().axis("narrow", axis), start, len, step: 1 };
        record(Slice(region), &[self], &[&value], part, Keep::NOTHING, line())
    }
}

samples! {
    reshape {
        "an inferred size" (x: normal([2, 3, 2])) => x.reshape([3, -1]);
        "empty" (x: normal([2, 0])) => x.reshape([0, 5]);
        "another count" (x: normal([2, 3])) => x.reshape([4, 2]), panics("[2, 3] (6 elements) cannot become [4, 2]");
    }
    permute {
        "three axes" (x: normal([2, 3, 4])) => x.permute(&[2, 0, -2]);
        "an axis twice" (x: normal([2, 3])) => x.permute(&[0, 0]), panics("permute");
    }
    transpose {
        "last two" (x: normal([2, 3, 4])) => x.transpose(-1, -2);
        "a matrix" (x: normal([2, 3])) => x.t();
        "three axes" (x: normal([2, 3, 4])) => x.t(), panics("a matrix has two axes");
    }
    narrow {
        "the middle" (x: normal([2, 5])) => x.narrow(1, 1, 3);
        "nothing" (x: normal([2, 5])) => x.narrow(0, 1, 0);
        "past the end" (x: normal([2, 5])) => x.narrow(1, 3, 3), panics("narrow");
    }
}
