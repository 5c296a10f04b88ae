//! Padding: more at the ends of axes, or less.
//!
//! ```
//! use wengert_autograd::{Padding, Variable};
//!
//! let x = Variable::from([1.0_f32, 2.0, 3.0]);
//! assert_eq!(x.pad(&[2, 1], Padding::Constant(0.0)).value().to_vec(), [0.0, 0.0, 1.0, 2.0, 3.0, 0.0]);
//! assert_eq!(x.pad(&[2, 1], Padding::Reflect).value().to_vec(), [3.0, 2.0, 1.0, 2.0, 3.0, 2.0]);
//! assert_eq!(x.pad(&[2, 1], Padding::Replicate).value().to_vec(), [1.0, 1.0, 1.0, 2.0, 3.0, 3.0]);
//! assert_eq!(x.pad(&[2, 1], Padding::Circular).value().to_vec(), [2.0, 3.0, 1.0, 2.0, 3.0, 1.0]);
//! ```
//!
//! The adjoint of padding with zeros by n is cropping by n, which is padding by −n: the operation is its own family.
//! The other modes read an axis at indices that repeat, so they are index_select, whose adjoint is index_add.

use super::registry::samples;
use crate::{
    graph::{Context, Cotangents, Grads, Keep, Op, Variable, mode::line, op::Line, variable::record},
    scalar::{Float, float::compiled},
    tensor::{Dims, MAX_RANK, Tensor, TensorError},
};
use std::borrow::Cow;

/// What stands in the places that padding adds.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Padding {
    /// One number. Negative amounts crop.
    Constant(f64),
    /// The axis mirrored at its first and last index, which are not repeated: `c b | a b c | b a`.
    Reflect,
    /// The first and the last index: `a a | a b c | c c`.
    Replicate,
    /// The axis from its other end: `b c | a b c | a b`.
    Circular,
}

/// How much before and behind each axis.
type Amounts = [(isize, isize); MAX_RANK];

/// Pads with a constant, and crops; the adjoint is the same by the negative amounts, with zeros.
struct Pad {
    amounts: Amounts,
}
impl<T: Float> Op<T> for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = x, with a border; x̄ += ȳ, without the border".into()
    }
    fn backward(&self, _: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let back = self.amounts.map(|(before, behind)| (-before, -behind));
        Grads::one(pad_at(&g.only(), back, 0.0, line()))
    }
}

/// Constant padding by amounts that leave no axis with a negative size.
pub(crate) fn pad_at<T: Float>(x: &Variable<T>, amounts: Amounts, fill: f64, line: Line) -> Variable<T> {
    let value = x.read();
    let mut cropped = value.clone();
    let mut shape = value.dims();
    for axis in 0..shape.len() {
        let (before, behind) = amounts[axis];
        let size = shape[axis] as isize;
        // What stays of the axis: nothing, where more is cropped at one end than there is.
        let start = (-before).clamp(0, size);
        let stop = (size + behind.min(0)).clamp(start, size);
        cropped = cropped.narrow(axis as isize, start as usize, (stop - start) as usize);
        shape[axis] = (size + before + behind) as usize;
    }
    let padded = if cropped.dims() == shape { cropped } else { padded(&cropped, shape, &amounts, fill) };
    record(Pad { amounts }, &[x], &[&value], padded, Keep::NOTHING, line)
}

/// A tensor of `shape` filled with a number, and `x` written into it.
fn padded<T: Float>(x: &Tensor<T>, shape: Dims, amounts: &Amounts, fill: f64) -> Tensor<T> {
    let mut whole = Tensor::full(shape, T::from_f64(fill));
    let Some(last) = shape.len().checked_sub(1) else { return whole };
    if x.is_empty() || whole.is_empty() {
        return whole;
    }
    let strides = shape.row_major_strides();
    let before = |axis: usize| amounts[axis].0.max(0) as usize;
    let corner: usize = (0..=last).map(|axis| before(axis) * strides[axis]).sum();
    let packed = x.contiguous();
    let (source, target) = (packed.as_slice().expect("packed above"), whole.make_mut());
    for (row, values) in source.chunks_exact(x.shape()[last]).enumerate() {
        let (mut rest, mut at) = (row, corner);
        for axis in (0..last).rev() {
            at += rest % x.shape()[axis] * strides[axis];
            rest /= x.shape()[axis];
        }
        target[at..at + values.len()].copy_from_slice(values);
    }
    whole
}

/// The index that a place of a padded axis reads.
fn source(mode: Padding, place: isize, size: isize) -> i64 {
    let index = match mode {
        Padding::Reflect if size == 1 => 0,
        Padding::Reflect => {
            let around = place.rem_euclid(2 * (size - 1));
            around.min(2 * (size - 1) - around)
        }
        Padding::Circular => place.rem_euclid(size),
        Padding::Replicate | Padding::Constant(_) => place.clamp(0, size - 1),
    };
    index as i64
}

impl<T: Float> Variable<T> {
    /// More (or, in constant mode, with negative amounts, less) at the ends of axes. `amounts` are pairs (before,
    /// behind) from the last axis backwards, as in PyTorch: `[left, right, top, bottom]` pads an image.
    ///
    /// ```
    /// use wengert_autograd::{Padding, Variable};
    /// let image = Variable::ones([3, 28, 28]);
    /// assert_eq!(image.pad(&[1, 1, 2, 2], Padding::Constant(0.0)).shape(), [3, 32, 30]);
    /// assert_eq!(image.pad(&[-4, -4], Padding::Constant(0.0)).shape(), [3, 28, 20]);
    /// ```
    ///
    /// # Panics
    /// If there are an odd number of amounts or more than two for each axis; if more is cropped than there is; in the
    /// other modes, if an amount is negative or reaches around the axis (for `Reflect` at least its size, for `Circular`
    /// more), or the axis is empty.
    #[track_caller]
    pub fn pad(&self, amounts: &[isize], mode: Padding) -> Variable<T> {
        let (shape, line) = (self.shape(), line());
        let wrong = |problem: String| TensorError::argument("pad", &shape, problem);
        if amounts.len() % 2 == 1 || amounts.len() > 2 * shape.len() {
            wrong(format!("{amounts:?} is not a pair for each axis or the last of them")).raise();
        }
        let mut by_axis: Amounts = [(0, 0); MAX_RANK];
        for (pair, axis) in amounts.chunks_exact(2).zip((0..shape.len()).rev()) {
            let (before, behind) = (pair[0], pair[1]);
            let size = shape[axis] as isize;
            by_axis[axis] = (before, behind);
            if let Padding::Constant(_) = mode {
                let left = size.checked_add(before).and_then(|size| size.checked_add(behind));
                if left.is_none_or(|left| left < 0) {
                    wrong(format!("({before}, {behind}) crops more than axis {axis} has")).raise();
                }
                continue;
            }
            let limit = match mode {
                Padding::Reflect => size - 1,
                Padding::Circular => size,
                _ => isize::MAX,
            };
            if before.min(behind) < 0 || before.max(behind) > limit || (size == 0 && before + behind > 0) {
                wrong(format!("({before}, {behind}) is not possible for axis {axis} in mode {mode:?}"))
                    .raise();
            }
        }
        if let Padding::Constant(fill) = mode {
            let (x, amounts) = (self, by_axis);
            return compiled!(pad_at(x: &Variable<T>, amounts: Amounts, fill: f64, line: Line) -> Variable<T>);
        }
        let mut padded = self.clone();
        for axis in (0..shape.len()).filter(|&axis| by_axis[axis] != (0, 0)) {
            let ((before, behind), size) = (by_axis[axis], shape[axis] as isize);
            let places = -before..size + behind;
            let index: Vec<i64> = places.map(|place| source(mode, place, size)).collect();
            let count = index.len();
            let index = Tensor::from_vec(index, count).expect("as many as there are");
            padded = padded.index_select(axis as isize, &index);
        }
        padded
    }
}

samples! {
    pad {
        "constant" (x: normal([2, 3])) => x.pad(&[1, 2, 0, 1], Padding::Constant(1.5));
        "crop and pad" (x: normal([2, 4])) => x.pad(&[-1, 2, 1, -1], Padding::Constant(0.0));
        "reflect" (x: normal([3, 4])) => x.pad(&[3, 2, 1, 2], Padding::Reflect);
        "replicate" (x: normal([2, 1])) => x.pad(&[2, 3, 0, 1], Padding::Replicate);
        "circular" (x: normal([3, 4])) => x.pad(&[4, 1, 0, 3], Padding::Circular);
        "mirrored too far" (x: normal([3])) => x.pad(&[3, 0], Padding::Reflect), panics("pad: (3, 0) is not possible");
    }
}
