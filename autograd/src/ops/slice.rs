//! Parts of axes: views forward, and gradients that are added where they belong.
//!
//! ```
//! use wengert_autograd::{Variable, s};
//!
//! let x = Variable::ones([4, 6]).requires_grad();
//! let part = x.slice(s![1..3, ..;2]);
//! assert_eq!(part.shape(), [2, 3]);
//! part.sum().backward();
//! assert_eq!(x.grad().unwrap().to_vec()[6..12], [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
//! ```
//!
//! [`Slice`] reads regions, and its adjoint [`Place`] puts them into zeros. While a backward pass is not recorded no
//! zeros are made: the rule of a slice returns [`Gradient::Part`], and the engine adds it in place, so that taking a
//! sequence apart step by step costs as much as the sequence is long, not its square.

use super::registry::samples;
use crate::{
    graph::{
        Context, Cotangents, Gradient, Grads, Keep, Op, Region, Variable, mode::line, op::Line,
        variable::record,
    },
    kernel::accumulate::add_into,
    scalar::Float,
    tensor::{AxisIndex, Dims, Tensor, TensorError},
};
use smallvec::{SmallVec, smallvec};
use std::borrow::Cow;

/// Regions of several axes, taken one after the other.
type Regions = SmallVec<[Region; 1]>;

/// Reads regions; its adjoint is [`Place`].
struct Slice {
    regions: Regions,
    /// The shape of what was read, before axes were removed or inserted.
    read: Dims,
}
impl<T: Float> Op<T> for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = x, a slice of it; x̄ += ȳ, at the slice".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let (first, others) = self.regions.split_first().expect("a slice has a region");
        let mut part = g.only().reshape(self.read);
        for (k, region) in others.iter().enumerate().rev() {
            // The shape that this region was taken from: the ones before it had been taken already.
            let mut shape = cx.input_shape(0);
            for earlier in &self.regions[..=k] {
                shape[earlier.axis] = earlier.len;
            }
            part = place(&part, *region, shape);
        }
        Grads::one(Gradient::Part(*first, part))
    }
}

/// Zeros with a region filled in; its adjoint is [`Slice`].
struct Place(Region);
impl<T: Float> Op<T> for Place {
    fn name(&self) -> &'static str {
        "place"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = x, placed into zeros; x̄ += ȳ, what is at the place".into()
    }
    fn backward(&self, _: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        Grads::one(slice_region(&g.only(), self.0))
    }
}

/// A view of `x` that reads these regions, recorded.
fn record_slice<T: Float>(
    x: &Variable<T>,
    value: &Tensor<T>,
    regions: Regions,
    view: Tensor<T>,
    line: Line,
) -> Variable<T> {
    let mut read = value.dims();
    for region in &regions {
        read[region.axis] = region.len;
    }
    record(Slice { regions, read }, &[x], &[value], view, Keep::NOTHING, line)
}

/// The part of `x` in a region.
pub(crate) fn slice_region<T: Float>(x: &Variable<T>, region: Region) -> Variable<T> {
    let value = x.read();
    let Region { axis, start, len, step } = region;
    let part = value.slice_axis(axis as isize, start as isize, (start + len * step) as isize, step);
    record_slice(x, &value, smallvec![region], part, line())
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
    if run == 0 {
        return whole;
    }
    let into = whole.make_mut();
    for o in 0..outer {
        for r in 0..runs {
            let at = (o * shape[region.axis] + region.start + r * region.step) * inner;
            let from = &from[(o * runs + r) * run..][..run];
            if run < 16 {
                into[at..at + run].iter_mut().zip(from).for_each(|(into, &from)| *into = *into + from);
            } else {
                add_into(&mut into[at..at + run], from);
            }
        }
    }
    whole
}

/// The region of an axis from `start` up to `stop`, both clipped to it and counted from the end if negative.
fn span(axis: usize, size: usize, start: Option<isize>, stop: Option<isize>, step: isize) -> Region {
    let clip = |bound: isize| {
        let from_start = if bound < 0 { bound.saturating_add(size as isize) } else { bound };
        from_start.clamp(0, size as isize) as usize
    };
    let (start, stop) = (clip(start.unwrap_or(0)), clip(stop.unwrap_or(isize::MAX)));
    let step = step as usize;
    Region { axis, start, len: stop.saturating_sub(start).div_ceil(step), step }
}

impl<T: Float> Variable<T> {
    /// The view that the entries of [`s!`](crate::s!) ask for: one for each axis from the first, a single index (which
    /// removes the axis), a range, or a range with a step. Axes without an entry stay whole; bounds are clipped as in
    /// Python.
    ///
    /// ```
    /// use wengert_autograd::{Variable, s};
    /// let x = Variable::from([[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.slice(s![-1, ..;2]).value().to_vec(), [4.0, 6.0]);
    /// ```
    ///
    /// # Panics
    /// If there are more entries than axes, an index is out of range, a step is not positive, or there are several
    /// ellipses.
    #[track_caller]
    pub fn slice(&self, indices: impl AsRef<[AxisIndex]>) -> Variable<T> {
        let (indices, value, line) = (indices.as_ref(), self.read(), line());
        let view = value.slice(indices);
        let consumed =
            indices.iter().filter(|i| matches!(i, AxisIndex::At(_) | AxisIndex::Span { .. })).count();
        let mut regions = Regions::new();
        let mut axis = 0;
        for &index in indices {
            let size = value.shape().get(axis).copied().unwrap_or(0);
            let region = match index {
                AxisIndex::New => continue,
                AxisIndex::Rest => {
                    axis += value.rank() - consumed;
                    continue;
                }
                AxisIndex::At(index) => {
                    let start = if index < 0 { index + size as isize } else { index } as usize;
                    Region { axis, start, len: 1, step: 1 }
                }
                AxisIndex::Span { start, stop, step } => span(axis, size, start, stop, step),
            };
            if region.len != size {
                regions.push(region);
            }
            axis += 1;
        }
        if regions.is_empty() {
            return self.reshape(view.dims());
        }
        record_slice(self, &value, regions, view, line)
    }

    /// The indices `start..start + len` of one axis: a view.
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
        record_slice(self, &value, smallvec![region], part, line())
    }

    /// One index of an axis, which is removed: a view. A negative index counts from the end.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.select(1, -1).value().to_vec(), [2.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If axis or index is out of range.
    #[track_caller]
    pub fn select(&self, axis: isize, index: isize) -> Variable<T> {
        let value = self.read();
        let part = value.select(axis, index);
        let axis = value.dims().axis("select", axis);
        let start = if index < 0 { index + value.shape()[axis] as isize } else { index } as usize;
        record_slice(self, &value, smallvec![Region { axis, start, len: 1, step: 1 }], part, line())
    }

    /// Parts of `size` indices each along an axis, the last perhaps shorter: views. An axis of size 0 gives one part.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::ones([5, 2]);
    /// let sizes: Vec<usize> = x.split(2, 0).iter().map(|part| part.shape()[0]).collect();
    /// assert_eq!(sizes, [2, 2, 1]);
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range or `size` is 0.
    #[track_caller]
    pub fn split(&self, size: usize, axis: isize) -> Vec<Variable<T>> {
        let shape = self.shape();
        let whole = shape[shape.axis("split", axis)];
        if size == 0 {
            TensorError::argument("split", &shape, "parts of size 0 never end").raise();
        }
        let mut parts = Vec::new();
        for start in (0..whole.max(1)).step_by(size) {
            parts.push(self.narrow(axis, start, size.min(whole - start)));
        }
        parts
    }

    /// Parts of the given sizes along an axis: views.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([1.0_f32, 2.0, 3.0]);
    /// let parts = x.split_sizes(&[1, 2], 0);
    /// assert_eq!(parts[1].value().to_vec(), [2.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range or the sizes do not add up to its size.
    #[track_caller]
    pub fn split_sizes(&self, sizes: &[usize], axis: isize) -> Vec<Variable<T>> {
        let shape = self.shape();
        let whole = shape[shape.axis("split", axis)];
        let total = sizes.iter().fold(0_usize, |total, &size| total.saturating_add(size));
        if total != whole {
            let problem = format!("parts of {sizes:?} make {total}, and axis {axis} has size {whole}");
            TensorError::argument("split", &shape, problem).raise();
        }
        let mut parts = Vec::with_capacity(sizes.len());
        let mut start = 0;
        for &size in sizes {
            parts.push(self.narrow(axis, start, size));
            start += size;
        }
        parts
    }

    /// At most `count` parts of one size along an axis, the last perhaps shorter: views.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::ones([5]);
    /// assert_eq!(x.chunk(4, 0).len(), 3); // of 2, 2 and 1
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range or `count` is 0.
    #[track_caller]
    pub fn chunk(&self, count: usize, axis: isize) -> Vec<Variable<T>> {
        let shape = self.shape();
        let whole = shape[shape.axis("chunk", axis)];
        if count == 0 {
            TensorError::argument("chunk", &shape, "at least one part is wanted").raise();
        }
        self.split(whole.div_ceil(count).max(1), axis)
    }

    /// Every index of an axis as a variable without the axis: views.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::ones([3, 2]);
    /// assert_eq!(x.unbind(0).len(), 3);
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range.
    #[track_caller]
    pub fn unbind(&self, axis: isize) -> Vec<Variable<T>> {
        let shape = self.shape();
        let whole = shape[shape.axis("unbind", axis)];
        let mut parts = Vec::with_capacity(whole);
        for index in 0..whole {
            parts.push(self.select(axis, index as isize));
        }
        parts
    }
}

samples! {
    narrow {
        "the middle" (x: normal([2, 5])) => x.narrow(1, 1, 3);
        "nothing" (x: normal([2, 5])) => x.narrow(0, 1, 0);
        "past the end" (x: normal([2, 5])) => x.narrow(1, 3, 3), panics("narrow");
    }
    select {
        "from the end" (x: normal([2, 3, 2])) => x.select(1, -1);
        "out of range" (x: normal([2, 3])) => x.select(1, 3), panics("select: index 3 is out of range for axis 1");
    }
    slice {
        "steps" (x: normal([3, 5])) => x.slice(crate::s![1.., ..;2]);
        "an index" (x: normal([2, 3, 2])) => x.slice(crate::s![-1, .., 0]);
        "behind an ellipsis" (x: normal([2, 3, 4])) => x.slice(crate::s![crate::tensor::Ellipsis, 1..3]);
        "too many" (x: normal([3])) => x.slice(crate::s![0, 0]), panics("slice: 2 indices for 1 axes");
    }
    split {
        "pieces" (x: normal([5, 2])) => x.split(2, 0);
        "sizes" (x: normal([2, 4])) => x.split_sizes(&[1, 3], 1);
        "sizes that do not add up" (x: normal([4])) => x.split_sizes(&[1, 2], 0), panics("split: parts of [1, 2] make 3");
    }
    chunk {
        "uneven" (x: normal([5])) => x.chunk(4, 0);
        "none" (x: normal([5])) => x.chunk(0, 0), panics("chunk: at least one part");
    }
    unbind {
        "columns" (x: normal([2, 3])) => x.unbind(1);
    }
}
