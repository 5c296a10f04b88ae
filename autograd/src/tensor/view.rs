//! Views: other layouts of the same memory. Nothing here copies, but for `reshape` and `flatten` where they must.
//!
//! ```
//! use wengert_autograd::tensor::Tensor;
//!
//! let x = Tensor::<i64>::arange(0, 12, 1).reshape([3, -1]);
//! assert_eq!(x.narrow(0, 1, 2).select(1, -1).to_vec(), [7, 11]);
//! assert_eq!(x.slice_axis(1, -3, isize::MAX, 2).to_vec(), [1, 3, 5, 7, 9, 11]);
//! assert_eq!(x.unsqueeze(0).expand([2, 3, 4]).shape(), [2, 3, 4]);
//! ```
//!
//! An axis is an `isize`, counted from the end if negative. A mistaken one panics at the caller's line, with the
//! method, the axis and the shape.

use super::copy::Collapsed;
use super::{Dims, Element, IntoShape, MAX_RANK, ReshapeTarget, Tensor, TensorError, resolve_axis, valid};

impl<E: Element> Tensor<E> {
    /// The same elements, in row-major order, in another shape; one size may be -1 and is inferred. A view where the
    /// layout allows it, else a copy.
    ///
    /// # Panics
    /// If the numbers of elements differ, or the size to infer is not determined.
    #[track_caller]
    pub fn reshape(&self, shape: impl ReshapeTarget) -> Tensor<E> {
        let shape = valid(shape.resolve(self.sizes()));
        match self.reshaped_strides(&shape) {
            Some(strides) => self.relaid(shape, strides, 0),
            None => {
                let packed = self.packed();
                packed.relaid(shape, shape.row_major_strides(), 0)
            }
        }
    }

    /// The strides with which a view of this memory has the new shape, if there are any.
    fn reshaped_strides(&self, shape: &Dims) -> Option<Dims> {
        if self.is_contiguous() {
            return Some(shape.row_major_strides());
        }
        // A new axis must lie within one evenly spaced run of the old ones: the sizes, from the last on, are used up
        // run by run.
        let runs = Collapsed::new(self.sizes(), self.steps());
        let mut strides = shape.row_major_strides();
        let mut axis = shape.rank();
        for run in (0..runs.rank).rev() {
            let (mut count, mut spacing) = (runs.shape[run], runs.strides[run]);
            while count > 1 {
                axis -= 1;
                if !count.is_multiple_of(shape[axis]) {
                    return None;
                }
                strides[axis] = spacing;
                spacing *= shape[axis];
                count /= shape[axis];
            }
        }
        Some(strides)
    }

    /// Axes `start` to `end`, both included, made one.
    ///
    /// ```
    /// # use wengert_autograd::tensor::Tensor;
    /// let images = Tensor::<f32>::zeros([8, 1, 28, 28]);
    /// assert_eq!(images.flatten(1, -1).shape(), [8, 784]);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or `end` lies before `start`.
    #[track_caller]
    pub fn flatten(&self, start: isize, end: isize) -> Tensor<E> {
        if self.rank() == 0 && matches!((start, end), (0 | -1, 0 | -1)) {
            return self.relaid(Dims::filled(1, 1), Dims::filled(1, 1), 0);
        }
        let (first, last) = (self.sizes().axis("flatten", start), self.sizes().axis("flatten", end));
        if first > last {
            let problem = format!("axis {end} lies before axis {start}");
            TensorError::argument("flatten", self.sizes(), problem).raise();
        }
        let mut shape = self.dims();
        for axis in (first + 1..=last).rev() {
            shape[axis - 1] *= shape[axis];
            shape = shape.without(axis);
        }
        self.reshape(shape)
    }

    /// Two axes exchanged.
    ///
    /// # Panics
    /// If an axis is out of range.
    #[track_caller]
    pub fn transpose(&self, a: isize, b: isize) -> Tensor<E> {
        let (a, b) = (self.sizes().axis("transpose", a), self.sizes().axis("transpose", b));
        let (mut shape, mut strides) = (self.dims(), *self.steps());
        shape.swap(a, b);
        strides.swap(a, b);
        self.relaid(shape, strides, 0)
    }

    /// The transposed matrix.
    ///
    /// # Panics
    /// If there are more or fewer than two axes.
    #[track_caller]
    pub fn t(&self) -> Tensor<E> {
        if self.rank() != 2 {
            TensorError::argument("t", self.sizes(), "a matrix has two axes; transpose(a, b) takes any")
                .raise();
        }
        self.transpose(0, 1)
    }

    /// The axes in another order: axis `i` of the result is axis `axes[i]` of this tensor.
    ///
    /// ```
    /// # use wengert_autograd::tensor::Tensor;
    /// assert_eq!(Tensor::<u8>::zeros([28, 20, 3]).permute(&[2, 0, 1]).shape(), [3, 28, 20]);
    /// ```
    ///
    /// # Panics
    /// If `axes` does not name each axis once.
    #[track_caller]
    pub fn permute(&self, axes: &[isize]) -> Tensor<E> {
        let (mut shape, mut strides) = (self.dims(), *self.steps());
        let mut seen = [false; MAX_RANK];
        if axes.len() != self.rank() {
            let problem = format!("{axes:?} names {} axes of {}", axes.len(), self.rank());
            TensorError::argument("permute", self.sizes(), problem).raise();
        }
        for (to, &axis) in axes.iter().enumerate() {
            let from = self.sizes().axis("permute", axis);
            if std::mem::replace(&mut seen[from], true) {
                let problem = format!("{axes:?} names axis {from} twice");
                TensorError::argument("permute", self.sizes(), problem).raise();
            }
            shape[to] = self.sizes()[from];
            strides[to] = self.steps()[from];
        }
        self.relaid(shape, strides, 0)
    }

    /// One axis moved to another position, the others keeping their order.
    ///
    /// # Panics
    /// If a position is out of range.
    #[track_caller]
    pub fn movedim(&self, source: isize, destination: isize) -> Tensor<E> {
        let from = self.sizes().axis("movedim", source);
        let to = self.sizes().axis("movedim", destination);
        let shape = self.sizes().without(from).with_inserted(to, self.sizes()[from]);
        let strides = self.steps().without(from).with_inserted(to, self.steps()[from]);
        self.relaid(shape, strides, 0)
    }

    /// Without an axis of size 1; unchanged if its size is another.
    ///
    /// # Panics
    /// If the axis is out of range.
    #[track_caller]
    pub fn squeeze(&self, axis: isize) -> Tensor<E> {
        let axis = self.sizes().axis("squeeze", axis);
        if self.sizes()[axis] != 1 {
            return self.clone();
        }
        self.relaid(self.sizes().without(axis), self.steps().without(axis), 0)
    }

    /// Without all axes of size 1.
    pub fn squeeze_all(&self) -> Tensor<E> {
        let (mut shape, mut strides) = (self.dims(), *self.steps());
        for axis in (0..self.rank()).rev() {
            if shape[axis] == 1 {
                shape = shape.without(axis);
                strides = strides.without(axis);
            }
        }
        self.relaid(shape, strides, 0)
    }

    /// With a new axis of size 1 at a position from 0 to the rank (or, from the end, -1 to -rank-1).
    ///
    /// # Panics
    /// If the position is out of range, or there would be more than [`MAX_RANK`] axes.
    #[track_caller]
    pub fn unsqueeze(&self, axis: isize) -> Tensor<E> {
        let axis = valid(resolve_axis("unsqueeze", axis, self.rank() + 1, self.sizes()));
        let stride = self.sizes().get(axis).map_or(1, |size| size * self.steps()[axis]);
        self.relaid(self.sizes().with_inserted(axis, 1), self.steps().with_inserted(axis, stride), 0)
    }

    /// Broadcast to a larger shape: axes of size 1, and new axes in front, repeat without being copied.
    ///
    /// # Panics
    /// If any other axis would change, or the shape has fewer axes.
    #[track_caller]
    pub fn expand(&self, shape: impl IntoShape) -> Tensor<E> {
        valid(self.try_expand("expand", shape.into_shape()))
    }

    /// The same as [`expand`](Self::expand), by NumPy's name.
    ///
    /// # Panics
    /// As `expand`.
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl IntoShape) -> Tensor<E> {
        valid(self.try_expand("broadcast_to", shape.into_shape()))
    }

    pub(super) fn try_expand(&self, operation: &'static str, shape: Dims) -> Result<Tensor<E>, TensorError> {
        shape.checked_count(size_of::<E>())?;
        let (rank, target_rank) = (self.rank(), shape.rank());
        let mut strides = Dims::filled(target_rank, 0);
        for back in 1..=rank {
            let size = self.sizes()[rank - back];
            let wanted = if back <= target_rank { shape[target_rank - back] } else { 0 };
            if back > target_rank || (size != wanted && size != 1) {
                let (left, right) = (self.sizes().to_vec(), shape.to_vec());
                return Err(TensorError::Broadcast {
                    operation,
                    left,
                    right,
                    axis: -(back as isize),
                    left_size: size,
                    right_size: wanted,
                });
            }
            if size == wanted {
                strides[target_rank - back] = self.steps()[rank - back];
            }
        }
        Ok(self.relaid(shape, strides, 0))
    }

    /// `len` consecutive indices of an axis, from `start` on.
    ///
    /// # Panics
    /// If the axis is out of range or has not that many indices.
    #[track_caller]
    pub fn narrow(&self, axis: isize, start: usize, len: usize) -> Tensor<E> {
        let axis = self.sizes().axis("narrow", axis);
        if start.checked_add(len).is_none_or(|end| end > self.sizes()[axis]) {
            let problem = format!("axis {axis} has no {len} indices from {start} on");
            TensorError::argument("narrow", self.sizes(), problem).raise();
        }
        self.relaid(self.sizes().with(axis, len), *self.steps(), start * self.steps()[axis])
    }

    /// One index of an axis (from the end if negative), which is removed.
    ///
    /// # Panics
    /// If axis or index is out of range.
    #[track_caller]
    pub fn select(&self, axis: isize, index: isize) -> Tensor<E> {
        let axis = self.sizes().axis("select", axis);
        let size = self.sizes()[axis];
        let position = if index < 0 { index + size as isize } else { index };
        if position < 0 || position >= size as isize {
            TensorError::Index { operation: "select", index, axis, shape: self.sizes().to_vec() }.raise();
        }
        let offset = position as usize * self.steps()[axis];
        self.relaid(self.sizes().without(axis), self.steps().without(axis), offset)
    }

    /// Every `step`-th index of an axis from `start` up to, but without, `stop`. Negative bounds count from the end;
    /// bounds beyond the axis are clipped to it, as in Python.
    ///
    /// # Panics
    /// If the axis is out of range or the step is 0.
    #[track_caller]
    pub fn slice_axis(&self, axis: isize, start: isize, stop: isize, step: usize) -> Tensor<E> {
        let axis = self.sizes().axis("slice_axis", axis);
        if step == 0 {
            TensorError::argument("slice_axis", self.sizes(), "the step must not be 0").raise();
        }
        let size = self.sizes()[axis];
        let clip = |bound: isize| {
            let from_start = if bound < 0 { bound.saturating_add(size as isize) } else { bound };
            from_start.clamp(0, size as isize) as usize
        };
        let (start, stop) = (clip(start), clip(stop));
        let len = stop.saturating_sub(start).div_ceil(step);
        let stride = if len > 1 { self.steps()[axis] * step } else { self.steps()[axis] };
        self.relaid(self.sizes().with(axis, len), self.steps().with(axis, stride), start * self.steps()[axis])
    }
}
