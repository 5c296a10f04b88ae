//! Views: the same elements in another shape or order. Each rule is the view that leads back.

use super::registry::samples;
use crate::{
    IntoAxes,
    graph::{Context, Cotangents, Grads, Keep, Op, Variable, mode::line, op::Line, variable::record},
    scalar::Float,
    tensor::{Dims, ReshapeTarget, Tensor, TensorError},
};
use std::borrow::Cow;

struct Reshape;
impl<T: Float> Op<T> for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = x, in another shape; x̄ += ȳ, in the old shape".into()
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
    fn rule(&self) -> Cow<'static, str> {
        "y = x, its axes reordered; x̄ += ȳ, its axes put back".into()
    }
    fn backward(&self, _: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let mut inverse = vec![0; self.order.len()];
        for (to, &from) in self.order.iter().enumerate() {
            inverse[from as usize] = to as isize;
        }
        Grads::one(g.only().permute(&inverse))
    }
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
        record_reshape(self, &value, value.reshape(shape), line())
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

    /// Axes `start` to `end`, both included, made one.
    ///
    /// ```
    /// let images = wengert_autograd::Variable::ones([8, 1, 28, 28]);
    /// assert_eq!(images.flatten(1, -1).shape(), [8, 784]);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or `end` lies before `start`.
    #[track_caller]
    pub fn flatten(&self, start: isize, end: isize) -> Variable<T> {
        let value = self.read();
        record_reshape(self, &value, value.flatten(start, end), line())
    }

    /// Without these axes where they have size 1; others stay.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::ones([1, 3, 1]);
    /// assert_eq!(x.squeeze(0).shape(), [3, 1]);
    /// assert_eq!(x.squeeze([0, 1, 2]).shape(), [3]); // axis 1 has not size 1 and stays
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn squeeze(&self, axes: impl IntoAxes) -> Variable<T> {
        let shape = self.shape();
        let axes = axes.into_axes(shape, "squeeze");
        let value = self.read();
        let mut squeezed = value.clone();
        for axis in (0..shape.len()).rev().filter(|axis| axes >> axis & 1 == 1) {
            squeezed = squeezed.squeeze(axis as isize);
        }
        record_reshape(self, &value, squeezed, line())
    }

    /// Without all axes of size 1.
    ///
    /// ```
    /// assert_eq!(wengert_autograd::Variable::ones([1, 3, 1]).squeeze_all().shape(), [3]);
    /// ```
    #[track_caller]
    pub fn squeeze_all(&self) -> Variable<T> {
        let value = self.read();
        record_reshape(self, &value, value.squeeze_all(), line())
    }

    /// With a new axis of size 1 at a position from 0 to the rank (or, from the end, −1 to −rank−1).
    ///
    /// ```
    /// assert_eq!(wengert_autograd::Variable::ones([2, 3]).unsqueeze(-1).shape(), [2, 3, 1]);
    /// ```
    ///
    /// # Panics
    /// If the position is out of range.
    #[track_caller]
    pub fn unsqueeze(&self, axis: isize) -> Variable<T> {
        let value = self.read();
        record_reshape(self, &value, value.unsqueeze(axis), line())
    }

    /// Repeats axes of size 1, and adds axes in front; −1 keeps an axis as it is. No element is copied. As
    /// [`broadcast_to`](Variable::broadcast_to), which takes a shape.
    ///
    /// ```
    /// assert_eq!(wengert_autograd::Variable::ones([3, 1]).expand([-1, 4]).shape(), [3, 4]);
    /// ```
    ///
    /// # Panics
    /// If any other axis would change, or −1 stands for a new one.
    #[track_caller]
    pub fn expand(&self, shape: impl AsRef<[isize]>) -> Variable<T> {
        let (from, to) = (self.shape(), shape.as_ref());
        let mut wide = Dims::filled(to.len(), 0);
        for (axis, &size) in to.iter().enumerate() {
            let present = (axis + from.len()).checked_sub(to.len()).map(|axis| from[axis]);
            wide[axis] = match (size, present) {
                (-1, Some(present)) => present,
                (0.., _) => size as usize,
                _ => {
                    let problem = format!("{size} is not a size for axis {axis} of {to:?}");
                    TensorError::argument("expand", &from, problem).raise()
                }
            };
        }
        self.broadcast_to(wide)
    }

    /// One axis moved to another position, the others keeping their order: a view.
    ///
    /// ```
    /// assert_eq!(wengert_autograd::Variable::ones([2, 3, 4]).movedim(0, -1).shape(), [3, 4, 2]);
    /// ```
    ///
    /// # Panics
    /// If a position is out of range.
    #[track_caller]
    pub fn movedim(&self, source: isize, destination: isize) -> Variable<T> {
        self.movedims(&[source], &[destination])
    }

    /// Several axes moved to other positions, the others keeping their order: a view.
    ///
    /// ```
    /// assert_eq!(wengert_autograd::Variable::ones([2, 3, 4]).movedims(&[0, 1], &[-1, 0]).shape(), [3, 4, 2]);
    /// ```
    ///
    /// # Panics
    /// If a position is out of range or named twice, or the lists differ in length.
    #[track_caller]
    pub fn movedims(&self, sources: &[isize], destinations: &[isize]) -> Variable<T> {
        let shape = self.shape();
        if sources.len() != destinations.len() {
            let problem = format!("{sources:?} and {destinations:?} differ in length");
            TensorError::argument("movedim", &shape, problem).raise();
        }
        let moved = sources.into_axes(shape, "movedim");
        destinations.into_axes(shape, "movedim");
        let mut order: Vec<Option<isize>> = vec![None; shape.len()];
        for (&from, &to) in sources.iter().zip(destinations) {
            order[shape.axis("movedim", to)] = Some(shape.axis("movedim", from) as isize);
        }
        let mut others = (0..shape.len() as isize).filter(|axis| moved >> axis & 1 == 0);
        let order: Vec<isize> = order
            .into_iter()
            .map(|axis| axis.unwrap_or_else(|| others.next().expect("as many axes are left as positions")))
            .collect();
        self.permute(&order)
    }
}

/// Records a view of the same elements in the same order.
fn record_reshape<T: Float>(x: &Variable<T>, value: &Tensor<T>, view: Tensor<T>, line: Line) -> Variable<T> {
    if view.dims() == value.dims() {
        return x.clone();
    }
    record(Reshape, &[x], &[value], view, Keep::NOTHING, line)
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
    flatten {
        "the first two" (x: normal([2, 3, 2])) => x.flatten(0, 1);
        "backwards" (x: normal([2, 3])) => x.flatten(1, 0), panics("flatten");
    }
    squeeze {
        "one" (x: normal([1, 3, 1])) => x.squeeze(0);
        "all" (x: normal([1, 3, 1])) => x.squeeze_all();
    }
    unsqueeze {
        "behind" (x: normal([2, 3])) => x.unsqueeze(-1);
        "too far" (x: normal([2, 3])) => x.unsqueeze(3), panics("unsqueeze: axis 3 is out of range");
    }
    expand {
        "kept and new" (x: normal([2, 1])) => x.expand([3, -1, 4]);
        "no such axis" (x: normal([2])) => x.expand([-1, 2]), panics("expand: -1 is not a size for axis 0");
    }
    movedim {
        "one" (x: normal([2, 3, 4])) => x.movedim(0, -1);
        "two" (x: normal([2, 3, 4])) => x.movedims(&[0, 1], &[-1, 0]);
        "twice" (x: normal([2, 3])) => x.movedims(&[0, 0], &[0, 1]), panics("named twice");
    }
}
