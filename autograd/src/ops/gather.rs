//! Picking and placing single elements along an axis: gather, scatter and their like.
//!
//! ```
//! use wengert_autograd::{Variable, tensor};
//!
//! // The score of each row's label, as a loss picks it.
//! let scores = Variable::from([[0.1_f32, 0.7, 0.2], [0.5, 0.3, 0.2]]).requires_grad();
//! let chosen = scores.gather(1, &tensor![[1], [0]]);
//! assert_eq!(chosen.value().to_vec(), [0.7, 0.5]);
//! chosen.sum().backward();
//! assert_eq!(scores.grad().unwrap().to_vec(), [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
//! ```
//!
//! [`Read`] and [`Add`] are each other's adjoint: the matrix of the one is the transpose of the other's. So each names
//! the other in its rule, and derivatives of any order stay within the pair, whether the [`Places`] are single elements
//! or the whole slices of [`index`](super::index). Contributions to one place are added in the row-major order of the
//! indices, by one thread: the same bits every time.

use super::registry::samples;
use crate::{
    graph::{Context, Cotangents, Grads, Keep, Op, Variable, mode::line, op::Line, variable::record},
    kernel::gather::{self, add_rows, take_rows},
    scalar::{Float, float::compiled},
    tensor::{Dims, Tensor, TensorError},
};
use std::borrow::Cow;

/// A constant of zeros that takes no memory.
pub(crate) fn nothing<T: Float>(shape: Dims) -> Variable<T> {
    Variable::new(Tensor::scalar(T::zero()).expand(shape))
}

/// The indices, packed, those from the end resolved.
///
/// # Panics
/// If one lies outside `axis` of `shape`; the text names the operation, the index and its position.
#[track_caller]
pub(crate) fn valid_indices(
    operation: &'static str,
    index: &Tensor<i64>,
    axis: usize,
    shape: Dims,
) -> Tensor<i64> {
    let size = shape[axis] as i64;
    let packed = index.contiguous();
    let indices = packed.as_slice().expect("packed above");
    let (inside, negative) = gather::survey(indices, size);
    if !inside {
        let at = indices.iter().position(|&i| i < -size || i >= size).expect("as the survey found");
        let mut position = Dims::filled(index.rank(), 0);
        let mut rest = at;
        for axis in (0..index.rank()).rev() {
            position[axis] = rest % index.shape()[axis];
            rest /= index.shape()[axis];
        }
        let problem = format!(
            "index {} at position {position:?} is out of range for axis {axis}, which has size {size}",
            indices[at]
        );
        TensorError::argument(operation, &shape, problem).raise();
    }
    if negative { packed.map(|i| if i < 0 { i + size } else { i }) } else { packed }
}

/// The axis, and the indices made valid, for indices with as many axes as `shape` and none longer but `axis`.
#[track_caller]
fn aligned_indices(
    operation: &'static str,
    axis: isize,
    index: &Tensor<i64>,
    shape: Dims,
) -> (usize, Tensor<i64>) {
    let axis = shape.axis(operation, axis);
    let fits = |(other, (&size, &whole)): (usize, (&usize, &usize))| other == axis || size <= whole;
    if index.rank() != shape.len() || !index.shape().iter().zip(shape.iter()).enumerate().all(fits) {
        let problem = format!(
            "indices of shape {:?} do not fit: as many axes are wanted, none but axis {axis} longer",
            index.shape()
        );
        TensorError::argument(operation, &shape, problem).raise();
    }
    (axis, valid_indices(operation, index, axis, shape))
}

/// Places along an axis that checked indices name.
#[derive(Clone)]
pub(crate) enum Places {
    /// One element for each index, which has as many axes as what is read.
    Elements(usize, Tensor<i64>),
    /// A whole slice for each index of a packed row; [`NO_ROW`](gather::NO_ROW) reads zeros and takes nothing.
    Slices(usize, Tensor<i64>),
}

impl Places {
    fn read<T: Float>(&self, x: &Tensor<T>) -> Tensor<T> {
        match self {
            Places::Elements(axis, index) => gather::gather(x, *axis, index),
            Places::Slices(axis, index) => take_rows(x, *axis, row(index)),
        }
    }
    fn add<T: Float>(&self, onto: Tensor<T>, src: &Tensor<T>) -> Tensor<T> {
        match self {
            Places::Elements(axis, index) => {
                gather::scatter(onto, *axis, index, src, |place, value| *place = *place + value)
            }
            Places::Slices(axis, index) => add_rows(onto, *axis, row(index), src),
        }
    }
}

fn row(index: &Tensor<i64>) -> &[i64] {
    index.as_slice().expect("indices were packed when they were checked")
}

/// Reads what is at these places; its adjoint is [`Add`].
struct Read {
    name: &'static str,
    places: Places,
}
impl<T: Float> Op<T> for Read {
    fn name(&self) -> &'static str {
        self.name
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = x[index], along the axis; x̄ += ȳ, added at the index".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        Grads::one(add_at(&nothing(cx.input_shape(0)), &self.places, &g.only(), line()))
    }
}

/// What of `x` is at these places, recorded under a name.
pub(crate) fn read_at<T: Float>(
    x: &Variable<T>,
    name: &'static str,
    places: &Places,
    line: Line,
) -> Variable<T> {
    let value = x.read();
    let picked = places.read(&value);
    record(Read { name, places: places.clone() }, &[x], &[&value], picked, Keep::NOTHING, line)
}

/// Adds to what is at these places; its adjoint is [`Read`].
struct Add(Places);
impl<T: Float> Op<T> for Add {
    fn name(&self) -> &'static str {
        match self.0 {
            Places::Elements(..) => "scatter_add",
            Places::Slices(..) => "index_add",
        }
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = x, with s added at the index; x̄ += ȳ; s̄ += ȳ[index]".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let g = g.only();
        let name = match self.0 {
            Places::Elements(..) => "gather",
            Places::Slices(..) => "index_select",
        };
        cx.gradients([&|| g.clone(), &|| read_at(&g, name, &self.0, line())])
    }
}

/// `x` with `src` added at these places.
pub(crate) fn add_at<T: Float>(
    x: &Variable<T>,
    places: &Places,
    src: &Variable<T>,
    line: Line,
) -> Variable<T> {
    let (value, from) = (x.read(), src.read());
    let sum = places.add(value.packed(), &from);
    record(Add(places.clone()), &[x, src], &[&value, &from], sum, Keep::NOTHING, line)
}

/// Replaces elements by index.
struct Scatter<T: Float> {
    axis: usize,
    index: Tensor<i64>,
    /// 1 where the element of `src` is the one that stayed, 0 where a later one replaced it.
    stayed: Option<Tensor<T>>,
}
impl<T: Float> Op<T> for Scatter<T> {
    fn name(&self) -> &'static str {
        "scatter"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = x, replaced by s at the index; x̄ += ȳ, 0 where it was replaced; s̄ += ȳ[index]".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let g = g.only();
        let kept = || scatter_at(&g, self.axis, &self.index, &nothing(self.index.dims()), line());
        let picked = || {
            let picked = read_at(&g, "gather", &Places::Elements(self.axis, self.index.clone()), line());
            match &self.stayed {
                Some(stayed) => picked * Variable::new(stayed.clone()),
                None => picked,
            }
        };
        cx.gradients([&kept, &picked])
    }
}

fn scatter_at<T: Float>(
    x: &Variable<T>,
    axis: usize,
    index: &Tensor<i64>,
    src: &Variable<T>,
    line: Line,
) -> Variable<T> {
    let (value, from) = (x.read(), src.read());
    let replaced = gather::scatter(value.packed(), axis, index, &from, |place, value| *place = value);
    let stayed = if src.needs_grad() { stayed(value.dims(), axis, index) } else { None };
    let op = Scatter { axis, index: index.clone(), stayed };
    record(op, &[x, src], &[&value, &from], replaced, Keep::NOTHING, line)
}

/// Which elements stay when they are written to `shape` one after the other; none if all do.
fn stayed<T: Float>(shape: Dims, axis: usize, index: &Tensor<i64>) -> Option<Tensor<T>> {
    let numbers = Tensor::arange(0, index.len() as i64, 1).reshape(index.dims());
    let writers =
        gather::scatter(Tensor::full(shape, -1), axis, index, &numbers, |place, number| *place = number);
    let last = gather::gather(&writers, axis, index);
    if last == numbers {
        return None;
    }
    let stayed = last.iter().zip(numbers.iter()).map(|(a, b)| if a == b { T::one() } else { T::zero() });
    Some(Tensor::from_vec(stayed.collect(), index.dims()).expect("one number for each index"))
}

impl<T: Float> Variable<T> {
    /// Elements picked by index along an axis: `out[i][j] = x[index[i][j]][j]` for axis 0. The result has the shape of
    /// `index`, which has as many axes as the variable and may be shorter on the others. Negative indices count from the
    /// end. Adjoint: [`scatter_add`](Variable::scatter_add).
    ///
    /// ```
    /// use wengert_autograd::{Variable, tensor};
    /// let x = Variable::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.gather(1, &tensor![[0, 0], [1, 0]]).value().to_vec(), [1.0, 1.0, 4.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// If the axis or an index is out of range, or the shapes do not fit.
    #[track_caller]
    pub fn gather(&self, axis: isize, index: &Tensor<i64>) -> Variable<T> {
        let (x, name, line) = (self, "gather", line());
        let (axis, index) = aligned_indices(name, axis, index, self.shape());
        let places = &Places::Elements(axis, index);
        compiled!(read_at(x: &Variable<T>, name: &'static str, places: &Places, line: Line) -> Variable<T>)
    }

    /// Like [`gather`](Variable::gather), but the other axes broadcast (NumPy's `take_along_axis`).
    ///
    /// ```
    /// use wengert_autograd::{Variable, tensor};
    /// let x = Variable::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.take_along(&tensor![[1]], 1).value().to_vec(), [2.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If the axis or an index is out of range, the ranks differ, or the other axes do not broadcast.
    #[track_caller]
    pub fn take_along(&self, index: &Tensor<i64>, axis: isize) -> Variable<T> {
        let shape = self.shape();
        let axis = shape.axis("take_along", axis);
        if index.rank() != shape.len() {
            let problem = format!("the indices have other axes: {:?}", index.shape());
            TensorError::argument("take_along", &shape, problem).raise();
        }
        let common = shape.with(axis, 1).broadcast(&index.dims().with(axis, 1), "take_along");
        let common = crate::tensor::valid(common);
        let index = index.expand(common.with(axis, index.shape()[axis]));
        let (x, name, line) = (&self.broadcast_to(common.with(axis, shape[axis])), "take_along", line());
        let places = &Places::Elements(axis, valid_indices(name, &index, axis, x.shape()));
        compiled!(read_at(x: &Variable<T>, name: &'static str, places: &Places, line: Line) -> Variable<T>)
    }

    /// A copy in which elements are replaced by those of `src`: `out[index[i][j]][j] = src[i][j]` for axis 0. `src` has
    /// the shape of `index`, which fits as for [`gather`](Variable::gather). Where an index repeats, the last one in
    /// row-major order stays, and it alone gets a gradient.
    ///
    /// ```
    /// use wengert_autograd::{Variable, tensor};
    /// let (x, src) = (Variable::zeros([4]), Variable::from([5.0_f32, 6.0]));
    /// assert_eq!(x.scatter(0, &tensor![3, 0], &src).value().to_vec(), [6.0, 0.0, 0.0, 5.0]);
    /// ```
    ///
    /// # Panics
    /// If the axis or an index is out of range, or the shapes do not fit.
    #[track_caller]
    pub fn scatter(&self, axis: isize, index: &Tensor<i64>, src: &Variable<T>) -> Variable<T> {
        let (axis, index) = aligned_indices("scatter", axis, index, self.shape());
        same_shape("scatter", &index, src.shape());
        let (x, index, line) = (self, &index, line());
        compiled!(scatter_at(x: &Variable<T>, axis: usize, index: &Tensor<i64>, src: &Variable<T>, line: Line) -> Variable<T>)
    }

    /// A copy to which the elements of `src` are added: `out[index[i][j]][j] += src[i][j]` for axis 0; indices may
    /// repeat. Shapes as for [`scatter`](Variable::scatter). Adjoint: [`gather`](Variable::gather).
    ///
    /// ```
    /// use wengert_autograd::{Variable, tensor};
    /// let (x, src) = (Variable::zeros([3]), Variable::from([5.0_f32, 6.0]));
    /// assert_eq!(x.scatter_add(0, &tensor![2, 2], &src).value().to_vec(), [0.0, 0.0, 11.0]);
    /// ```
    ///
    /// # Panics
    /// If the axis or an index is out of range, or the shapes do not fit.
    #[track_caller]
    pub fn scatter_add(&self, axis: isize, index: &Tensor<i64>, src: &Variable<T>) -> Variable<T> {
        let (axis, index) = aligned_indices("scatter_add", axis, index, self.shape());
        same_shape("scatter_add", &index, src.shape());
        let (x, places, line) = (self, &Places::Elements(axis, index), line());
        compiled!(add_at(x: &Variable<T>, places: &Places, src: &Variable<T>, line: Line) -> Variable<T>)
    }
}

#[track_caller]
fn same_shape(operation: &'static str, index: &Tensor<i64>, src: Dims) {
    if index.dims() != src {
        let problem = format!("src must have the shape of the indices, {:?}", index.shape());
        TensorError::argument(operation, &src, problem).raise();
    }
}

samples! {
    gather {
        "rows" (x: normal([3, 4])) => x.gather(1, &crate::tensor![[0, 3, 3], [2, 2, -1]]);
        "columns" (x: normal([3, 4])) => x.gather(0, &crate::tensor![[2, 0, 1], [2, 2, 0]]);
        "one" (x: normal([1, 4])) => x.gather(1, &crate::tensor![[3]]);
        "none" (x: normal([0, 4])) => x.gather(1, &Tensor::zeros([0, 2]));
        "out of range" (x: normal([3, 4])) => x.gather(1, &crate::tensor![[0, 4]]),
            panics("gather: index 4 at position [0, 1] is out of range for axis 1, which has size 4");
    }
    take_along {
        "broadcast" (x: normal([3, 4])) => x.take_along(&crate::tensor![[1, 0, 1]], 1);
        "other axes" (x: normal([3, 4])) => x.take_along(&crate::tensor![1, 0], 1), panics("take_along");
    }
    scatter {
        "rows" (x: normal([3, 4]), src: normal([2, 2])) => x.scatter(1, &crate::tensor![[0, 3], [2, 1]], src);
        "one" (x: normal([1, 3]), src: normal([1, 2])) => x.scatter(1, &crate::tensor![[2, 0]], src);
        "none" (x: normal([0, 4]), src: normal([0, 2])) => x.scatter(1, &Tensor::zeros([0, 2]), src);
        "the last one stays" (x: normal([3]), src: normal([4])) => x.scatter(0, &crate::tensor![2, 0, 2, 2], src);
        "other shapes" (x: normal([3]), src: normal([2])) => x.scatter(0, &crate::tensor![2, 0, 1], src),
            panics("scatter: src must have the shape of the indices, [3]");
    }
    scatter_add {
        "rows" (x: normal([3, 4]), src: normal([2, 2])) => x.scatter_add(1, &crate::tensor![[0, 0], [2, 1]], src);
        "one" (x: normal([1, 3]), src: normal([1, 2])) => x.scatter_add(1, &crate::tensor![[2, 2]], src);
        "none" (x: normal([0, 4]), src: normal([0, 2])) => x.scatter_add(1, &Tensor::zeros([0, 2]), src);
        "columns" (x: normal([3, 4]), src: normal([2, 3])) => x.scatter_add(0, &crate::tensor![[2, 0, 1], [2, 2, 0]], src);
    }
}
