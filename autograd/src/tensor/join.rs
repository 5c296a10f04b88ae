//! Copies that put tensors together, or the parts of one elsewhere: concatenation, flipping, rolling, repetition.
//!
//! ```
//! use wengert_autograd::tensor::Tensor;
//!
//! let a = Tensor::<i64>::arange(0, 4, 1).reshape([2, 2]);
//! assert_eq!(Tensor::cat(&[a.clone(), a.flip(&[1])], 1).to_vec(), [0, 1, 1, 0, 2, 3, 3, 2]);
//! assert_eq!(Tensor::stack(&[a.clone(), a.clone()], 0).shape(), [2, 2, 2]);
//! assert_eq!(a.split(1, 0).len(), 2);
//! ```

use std::mem::MaybeUninit;

use super::{Dims, Element, Fresh, IntoShape, MAX_RANK, Tensor, TensorError, resolve_axis, valid};

/// Writes a run of elements to as many places.
#[inline]
fn write_run<E: Element>(to: &mut [MaybeUninit<E>], from: &[E]) {
    assert_eq!(to.len(), from.len());
    if let ([to], [from]) = (&mut *to, from) {
        to.write(*from);
        return;
    }
    // SAFETY: as many places as elements; a mutable and a shared reference do not overlap.
    unsafe { to.as_mut_ptr().cast::<E>().copy_from_nonoverlapping(from.as_ptr(), from.len()) };
}

impl<E: Element> Tensor<E> {
    /// Tensors put behind one another along an axis; their other sizes agree.
    ///
    /// # Panics
    /// If there are none, the axis is out of range, or another size differs.
    #[track_caller]
    pub fn cat(tensors: &[Tensor<E>], axis: isize) -> Tensor<E> {
        let Some(first) = tensors.first() else {
            TensorError::argument("cat", &[], "at least one tensor is wanted").raise()
        };
        let axis = first.sizes().axis("cat", axis);
        let mut total = 0_usize;
        for tensor in tensors {
            let alike = tensor.rank() == first.rank()
                && (0..first.rank())
                    .all(|other| other == axis || tensor.sizes()[other] == first.sizes()[other]);
            if !alike {
                let problem = format!("it does not fit {:?} but along axis {axis}", first.dims());
                TensorError::argument("cat", tensor.sizes(), problem).raise();
            }
            total = total.saturating_add(tensor.sizes()[axis]);
        }
        let shape = first.sizes().with(axis, total);
        let mut fresh = Fresh::new(shape);
        // For each index of the axes in front of it, every tensor contributes one run.
        let outer: usize = shape[..axis].iter().product();
        let inner: usize = shape[axis + 1..].iter().product();
        let to = fresh.as_uninit_slice();
        if outer == 1 {
            let mut rest = to;
            for tensor in tensors {
                let (part, behind) = rest.split_at_mut(tensor.len());
                tensor.copy_to(part);
                rest = behind;
            }
        } else if !to.is_empty() {
            let packed: Vec<_> = tensors.iter().map(Tensor::contiguous).collect();
            let mut rest = to;
            for row in 0..outer {
                for tensor in &packed {
                    let run = tensor.sizes()[axis] * inner;
                    let source = &tensor.as_slice().unwrap_or_default()[row * run..][..run];
                    let (part, behind) = rest.split_at_mut(run);
                    write_run(part, source);
                    rest = behind;
                }
            }
        }
        // SAFETY: the sizes along the axis add up to `total`, so the runs fill the whole.
        unsafe { fresh.assume_init() }
    }

    /// Tensors of one shape put side by side along a new axis.
    ///
    /// # Panics
    /// If there are none, their shapes differ, or the position is out of range.
    #[track_caller]
    pub fn stack(tensors: &[Tensor<E>], axis: isize) -> Tensor<E> {
        let Some(first) = tensors.first() else {
            TensorError::argument("stack", &[], "at least one tensor is wanted").raise()
        };
        let axis = valid(resolve_axis("stack", axis, first.rank() + 1, first.sizes()));
        let mut slices = Vec::with_capacity(tensors.len());
        for tensor in tensors {
            if tensor.dims() != first.dims() {
                let problem = format!("it differs from {:?}", first.dims());
                TensorError::argument("stack", tensor.sizes(), problem).raise();
            }
            slices.push(tensor.unsqueeze(axis as isize));
        }
        Tensor::cat(&slices, axis as isize)
    }

    /// Views of `size` indices each along an axis; the last may be shorter.
    ///
    /// # Panics
    /// If the axis is out of range or `size` is 0.
    #[track_caller]
    pub fn split(&self, size: usize, axis: isize) -> Vec<Tensor<E>> {
        let axis = self.sizes().axis("split", axis);
        if size == 0 {
            TensorError::argument("split", self.sizes(), "parts of size 0 never end").raise();
        }
        let whole = self.sizes()[axis];
        if whole == 0 {
            return vec![self.clone()];
        }
        (0..whole)
            .step_by(size)
            .map(|start| self.narrow(axis as isize, start, size.min(whole - start)))
            .collect()
    }

    /// At most `count` views of equal size along an axis; the last may be shorter.
    ///
    /// # Panics
    /// If the axis is out of range or `count` is 0.
    #[track_caller]
    pub fn chunk(&self, count: usize, axis: isize) -> Vec<Tensor<E>> {
        let position = self.sizes().axis("chunk", axis);
        if count == 0 {
            TensorError::argument("chunk", self.sizes(), "at least one part is wanted").raise();
        }
        self.split(self.sizes()[position].div_ceil(count).max(1), axis)
    }

    /// A copy with the order of these axes reversed.
    ///
    /// # Panics
    /// If an axis is out of range.
    #[track_caller]
    pub fn flip(&self, axes: &[isize]) -> Tensor<E> {
        let mut whole = self.clone();
        let mut reversed = [false; MAX_RANK];
        for &axis in axes {
            let axis = self.sizes().axis("flip", axis);
            if !std::mem::replace(&mut reversed[axis], true) {
                let order: Vec<usize> = (0..self.sizes()[axis]).rev().collect();
                whole = whole.taken(axis, &order);
            }
        }
        whole
    }

    /// A copy in which each element is `shift` places further along an axis, those at the end coming round.
    ///
    /// ```
    /// # use wengert_autograd::tensor::Tensor;
    /// assert_eq!(Tensor::<i64>::arange(0, 5, 1).roll(2, 0).to_vec(), [3, 4, 0, 1, 2]);
    /// assert_eq!(Tensor::<i64>::arange(0, 5, 1).roll(-1, 0).to_vec(), [1, 2, 3, 4, 0]);
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range.
    #[track_caller]
    pub fn roll(&self, shift: isize, axis: isize) -> Tensor<E> {
        let position = self.sizes().axis("roll", axis);
        let size = self.sizes()[position];
        if size == 0 {
            return self.clone();
        }
        let start = (-shift).rem_euclid(size as isize) as usize;
        let axis = position as isize;
        Tensor::cat(&[self.narrow(axis, start, size - start), self.narrow(axis, 0, start)], axis)
    }

    /// The tensor repeated along each axis; new axes in front where more numbers are given than it has.
    ///
    /// ```
    /// # use wengert_autograd::tensor::Tensor;
    /// let x = Tensor::<i64>::arange(0, 2, 1);
    /// assert_eq!(x.repeat([2, 2]).to_vec(), [0, 1, 0, 1, 0, 1, 0, 1]);
    /// ```
    ///
    /// # Panics
    /// If fewer numbers are given than the tensor has axes, or the result cannot be addressed.
    #[track_caller]
    pub fn repeat(&self, times: impl IntoShape) -> Tensor<E> {
        let times = times.into_shape();
        if times.rank() < self.rank() {
            let problem = format!("{times:?} gives fewer numbers than there are axes");
            TensorError::argument("repeat", self.sizes(), problem).raise();
        }
        let mut whole = self.clone();
        for _ in self.rank()..times.rank() {
            whole = whole.unsqueeze(0);
        }
        let total: Vec<usize> =
            whole.sizes().iter().zip(times.iter()).map(|(a, b)| a.saturating_mul(*b)).collect();
        valid(Dims::new(&total).checked_count(size_of::<E>()));
        for axis in (0..times.rank()).rev() {
            if times[axis] != 1 {
                let size = whole.sizes()[axis];
                let order: Vec<usize> = (0..times[axis] * size).map(|index| index % size).collect();
                whole = whole.taken(axis, &order);
            }
        }
        whole
    }

    /// A copy whose index `i` along an axis is this tensor's index `order[i]`.
    ///
    /// # Panics
    /// If an index is out of range.
    #[track_caller]
    pub(super) fn taken(&self, axis: usize, order: &[usize]) -> Tensor<E> {
        let packed = self.contiguous();
        let data = packed.as_slice().unwrap_or_default();
        let inner: usize = self.sizes()[axis + 1..].iter().product();
        let block = self.sizes()[axis] * inner;
        let mut fresh = Fresh::new(self.sizes().with(axis, order.len()));
        let mut places = fresh.as_uninit_slice();
        let outer = places.len().checked_div(order.len() * inner).unwrap_or(0);
        for source in (0..outer).map(|index| &data[index * block..][..block]) {
            for &index in order {
                let (run, rest) = places.split_at_mut(inner);
                write_run(run, &source[index * inner..][..inner]);
                places = rest;
            }
        }
        // SAFETY: the loops went through all of `places`, in runs of `inner`.
        unsafe { fresh.assume_init() }
    }
}
