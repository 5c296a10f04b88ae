//! Plain n-dimensional numbers: [`Tensor`], its memory, its views.
//!
//! ```
//! use wengert_autograd::tensor::Tensor;
//!
//! let x = Tensor::<f32>::arange(0.0, 6.0, 1.0).reshape([2, 3]);
//! assert_eq!(x.shape(), [2, 3]);
//! let column = x.t().select(0, -1); // views: nothing is copied
//! assert_eq!(column.to_vec(), [2.0, 5.0]);
//! ```
//!
//! A tensor is a reference to a block of memory and a layout: the offset of its first element, a shape, and a stride
//! for each axis. A clone is one atomic increment; transposing, slicing and broadcasting make another layout of the
//! same block. Strides are never negative (flipping copies), so a view never reaches before its first element.
//!
//! Derivatives are not known here: a tensor is what a graph's variables hold. It has what has no derivative
//! (comparison, sorting, indices), and views and copies that the graph's operations are built from.

mod buffer;
mod compare;
mod construct;
mod convert;
mod copy;
mod count;
mod dims;
mod element;
mod error;
mod index;
mod iter;
mod join;
#[doc(hidden)]
pub mod literal;
pub(crate) mod order;
mod print;
mod random;
mod recycle;
mod serial;
mod slicing;
mod total;
mod triangle;
mod view;
mod whole;
mod window;

use std::{mem::MaybeUninit, sync::Arc};

pub use compare::Operand;
pub use dims::{Dims, IntoShape, MAX_RANK, ReshapeTarget};
pub use element::{DType, Element, Number};
pub use error::TensorError;
pub use iter::Iter;
pub use literal::Nested;
pub use order::Unique;
pub use random::{Generator, philox};
pub use slicing::{AxisIndex, Ellipsis, NewAxis};

#[allow(unused_imports)] // for the modules beside this one
pub(crate) use {dims::resolve_axis, element::sealed::Convert, error::valid};

use buffer::Buffer;

/// The pool of large memory blocks: its figures, its limit, and a call that empties it.
pub mod memory {
    pub use super::recycle::{Statistics, set_limit, statistics, trim};
}

/// An n-dimensional array of `f32`, `f64`, `i64`, `u8` or `bool`.
///
/// Tensors are cheap to clone (a clone refers to the same memory) and never change under another's eyes: writing
/// through [`set`](Tensor::set) first makes the memory the tensor's own.
// Invariant, on which every `unsafe` in this folder rests: each element that the layout can reach, i.e. at `offset +
// Σ index·stride` for an index within `shape`, lies inside the block and has been initialised. It also holds for all
// elements between the first and the last of those, since blocks are initialised as a whole.
//
// A tensor is two pointers: it moves and clones through graphs at no cost worth measuring. The shape that a block was made
// with stands in the block itself, so that a new tensor is one allocation; only views have a layout of their own.
#[derive(Clone)]
pub struct Tensor<E: Element = f32> {
    buffer: Buffer<E>,
    /// None for all of the block, in the shape it was made with.
    view: Option<Arc<View>>,
}

/// A layout other than a block's own.
struct View {
    offset: usize,
    shape: Dims,
    strides: Dims,
}

impl<E: Element> Tensor<E> {
    /// The size of each axis; empty for a scalar.
    #[inline]
    pub fn shape(&self) -> &[usize] {
        self.sizes()
    }

    /// The shape, borrowed.
    #[inline]
    pub(crate) fn sizes(&self) -> &Dims {
        self.view.as_ref().map_or_else(|| self.buffer.shape(), |view| &view.shape)
    }

    /// The strides, borrowed.
    #[inline]
    fn steps(&self) -> &Dims {
        self.view.as_ref().map_or_else(|| self.buffer.strides(), |view| &view.strides)
    }

    /// Where in the block the first element is.
    #[inline]
    fn offset(&self) -> usize {
        self.view.as_ref().map_or(0, |view| view.offset)
    }

    /// The shape as a value.
    #[inline]
    pub fn dims(&self) -> Dims {
        *self.sizes()
    }

    /// For each axis the distance, in elements, between neighbours along it.
    #[inline]
    pub fn strides(&self) -> &[usize] {
        self.steps()
    }

    /// The number of axes.
    #[inline]
    pub fn rank(&self) -> usize {
        self.sizes().rank()
    }

    /// The number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.sizes().count()
    }

    /// Whether there is no element.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.sizes().contains(&0)
    }

    /// The type of the elements.
    #[inline]
    pub fn dtype(&self) -> DType {
        E::DTYPE
    }

    /// The size of one axis, counted from the end if negative.
    ///
    /// # Panics
    /// If there is no such axis.
    #[inline]
    #[track_caller]
    pub fn size(&self, axis: isize) -> usize {
        self.sizes()[self.sizes().axis("size", axis)]
    }

    /// Whether the elements lie in memory in row-major order without gaps; axes of size 1 are ignored, and an empty
    /// tensor always does.
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        if self.view.is_none() {
            return true;
        }
        let mut expected = 1;
        for axis in (0..self.rank()).rev() {
            let size = self.sizes()[axis];
            if size != 1 {
                if self.steps()[axis] != expected {
                    return self.is_empty();
                }
                expected *= size;
            }
        }
        true
    }

    /// Whether two different indices may mean the same element in memory, as in an expanded or a windowed tensor.
    /// Never false where they do; for layouts made by the views of this crate it is exact.
    pub fn is_view_overlapping(&self) -> bool {
        if self.is_empty() {
            return false;
        }
        // Sorted by stride, each axis must step over all that the smaller ones span.
        let mut axes = [(0, 0); MAX_RANK];
        let mut rank = 0;
        for (&size, &stride) in self.sizes().iter().zip(self.steps().iter()) {
            if size > 1 {
                axes[rank] = (stride, size);
                rank += 1;
            }
        }
        axes[..rank].sort_unstable();
        let mut span = 0;
        axes[..rank].iter().any(|&(stride, size)| {
            let overlaps = stride <= span;
            span += stride * (size - 1);
            overlaps
        })
    }

    /// The elements as a slice, if they lie in memory in row-major order.
    #[inline]
    pub fn as_slice(&self) -> Option<&[E]> {
        // SAFETY: a contiguous layout reaches exactly `len` elements from the first one on, which are initialised and
        // not written to while this reference exists (writing takes `&mut` and a unique buffer).
        self.is_contiguous().then(|| unsafe { std::slice::from_raw_parts(self.data_ptr(), self.len()) })
    }

    /// The elements as a mutable slice, if they lie in row-major order and no other tensor shares the memory.
    #[inline]
    pub fn as_mut_slice(&mut self) -> Option<&mut [E]> {
        if !self.is_contiguous() || !self.is_unique() {
            return None;
        }
        // SAFETY: contiguous as above; the only reference to the block is `self`, which is borrowed mutably.
        Some(unsafe { std::slice::from_raw_parts_mut(self.data_ptr().cast_mut(), self.len()) })
    }

    /// The elements as a mutable slice in row-major order; copied first if the memory is shared or not in that order.
    pub fn make_mut(&mut self) -> &mut [E] {
        if !self.is_contiguous() || !self.is_unique() {
            *self = self.packed();
        }
        // SAFETY: contiguous and unique, by the test or by the copy.
        unsafe { std::slice::from_raw_parts_mut(self.data_ptr().cast_mut(), self.len()) }
    }

    /// A tensor whose elements lie in row-major order: a clone where they do already, else a copy.
    #[inline]
    pub fn contiguous(&self) -> Tensor<E> {
        if self.is_contiguous() { self.clone() } else { self.packed() }
    }

    /// A copy in row-major order, in memory of its own.
    #[inline]
    pub fn packed(&self) -> Tensor<E> {
        // SAFETY: `copy_to` writes every element.
        unsafe { Tensor::build(self.dims(), |data| self.copy_to(data)) }
    }

    /// The elements in row-major order.
    pub fn to_vec(&self) -> Vec<E> {
        let mut data = Vec::with_capacity(self.len());
        self.copy_to(&mut data.spare_capacity_mut()[..self.len()]);
        // SAFETY: `copy_to` wrote all of the first `len` elements.
        unsafe { data.set_len(self.len()) };
        data
    }

    /// The only element.
    ///
    /// # Panics
    /// If there are none or several.
    #[inline]
    #[track_caller]
    pub fn item(&self) -> E {
        if self.len() != 1 {
            TensorError::argument(
                "item",
                self.sizes(),
                format!("one element wanted, there are {}", self.len()),
            )
            .raise()
        }
        // SAFETY: the only element's index is all zeros.
        unsafe { *self.data_ptr() }
    }

    /// The element at an index, or `None` if it lies outside the shape or has another number of axes.
    #[inline]
    pub fn get(&self, index: &[usize]) -> Option<E> {
        if index.len() != self.rank() {
            return None;
        }
        let mut position = 0;
        for ((&i, &size), &stride) in index.iter().zip(self.sizes().iter()).zip(self.steps().iter()) {
            if i >= size {
                return None;
            }
            position += i * stride;
        }
        // SAFETY: the index lies within the shape.
        Some(unsafe { *self.data_ptr().add(position) })
    }

    /// Writes one element; copied first if the memory is shared or not in row-major order.
    ///
    /// ```
    /// # use wengert_autograd::tensor::Tensor;
    /// let x = Tensor::<i64>::zeros([2, 2]);
    /// let mut y = x.clone();
    /// y.set(&[1, 0], 5);
    /// assert_eq!((y.to_vec(), x.to_vec()), (vec![0, 0, 5, 0], vec![0; 4]));
    /// ```
    ///
    /// # Panics
    /// If the index lies outside the shape or has another number of axes.
    #[track_caller]
    pub fn set(&mut self, index: &[usize], value: E) {
        let position = self.position("set", index);
        self.make_mut()[position] = value;
    }

    /// The position of an index in row-major order.
    ///
    /// # Panics
    /// If the index lies outside the shape or has another number of axes.
    #[inline]
    #[track_caller]
    fn position(&self, operation: &'static str, index: &[usize]) -> usize {
        if index.len() != self.rank() || index.iter().zip(self.sizes().iter()).any(|(i, size)| i >= size) {
            TensorError::argument(operation, self.sizes(), format!("there is no index {index:?}")).raise()
        }
        index.iter().zip(self.sizes().iter()).fold(0, |at, (i, size)| at * size + i)
    }

    /// Each element converted, as Rust's `as` does: fractions are cut off, floating-point numbers out of range become
    /// the nearest integer there is, NaN becomes 0, integers keep their low bits. `bool` counts as 0 or 1, and whatever
    /// is not 0 becomes `true`.
    ///
    /// ```
    /// # use wengert_autograd::tensor::Tensor;
    /// let x = Tensor::from_vec(vec![-1.5_f32, 0.0, 300.0], [3]).unwrap();
    /// assert_eq!(x.cast::<i64>().to_vec(), [-1, 0, 300]);
    /// assert_eq!(x.cast::<u8>().to_vec(), [0, 0, 255]);
    /// assert_eq!(x.cast::<bool>().to_vec(), [true, false, true]);
    /// ```
    pub fn cast<F: Element>(&self) -> Tensor<F> {
        let same: &dyn std::any::Any = self;
        if let Some(same) = same.downcast_ref::<Tensor<F>>() {
            return same.clone();
        }
        self.map(F::from_element)
    }

    /// A tensor of the same shape with a function of each element.
    ///
    /// ```
    /// # use wengert_autograd::tensor::Tensor;
    /// let x = Tensor::<i64>::arange(0, 4, 1);
    /// assert_eq!(x.map(|x| x % 2 == 0).to_vec(), [true, false, true, false]);
    /// ```
    pub fn map<F: Element>(&self, mut function: impl FnMut(E) -> F) -> Tensor<F> {
        let packed = self.contiguous();
        let mut fresh = Fresh::new(self.dims());
        for (to, &from) in fresh.as_uninit_slice().iter_mut().zip(packed.as_slice().unwrap_or_default()) {
            to.write(function(from));
        }
        // SAFETY: `packed` is contiguous and has as many elements as the new tensor: each was written.
        unsafe { fresh.assume_init() }
    }

    /// The address of the first element; not to be read if the tensor is empty.
    #[inline]
    pub(crate) fn data_ptr(&self) -> *const E {
        // `wrapping_add`, as an empty view's offset may point anywhere.
        self.buffer.as_ptr().wrapping_add(self.offset())
    }

    /// The address of the elements, if they lie in row-major order and have this shape: the quick test of a kernel.
    #[inline]
    pub(crate) fn packed_ptr(&self, shape: &Dims) -> Option<*const E> {
        (self.sizes() == shape && self.is_contiguous()).then(|| self.data_ptr())
    }

    /// Whether no other tensor shares the memory.
    #[inline]
    pub(crate) fn is_unique(&self) -> bool {
        self.buffer.is_unique()
    }

    /// Whether both tensors refer to the same memory block.
    #[inline]
    #[allow(dead_code)] // for the kernels that reuse an operand
    pub(crate) fn shares_memory_with(&self, other: &Tensor<E>) -> bool {
        self.buffer.as_ptr() == other.buffer.as_ptr()
    }

    /// The distance from the first element to the one furthest from it; `None` if there are none.
    #[inline]
    fn span(&self) -> Option<usize> {
        span(self.sizes(), self.steps())
    }

    /// Another layout of the same memory, its offset counted from this tensor's first element.
    ///
    /// # Panics
    /// If it reaches beyond this tensor's last element.
    #[inline]
    #[track_caller]
    #[allow(dead_code)] // for the operations with views of their own
    pub(crate) fn with_layout(&self, shape: Dims, strides: Dims, offset: usize) -> Tensor<E> {
        let fits = match (span(&shape, &strides), self.span()) {
            (None, _) => true,
            (Some(new), Some(old)) => shape.rank() == strides.rank() && offset + new <= old,
            (Some(_), None) => false,
        };
        assert!(
            fits,
            "layout {shape:?} / {strides:?} + {offset} reaches beyond a tensor of {:?}",
            self.dims()
        );
        self.relaid(shape, strides, offset)
    }

    /// As [`with_layout`](Self::with_layout), for layouts known to stay within this one.
    #[inline]
    fn relaid(&self, shape: Dims, strides: Dims, offset: usize) -> Tensor<E> {
        debug_assert!(match (span(&shape, &strides), self.span()) {
            (None, _) => true,
            (Some(new), old) => old.is_some_and(|old| offset + new <= old),
        });
        let view = View { offset: self.offset() + offset, shape, strides };
        Tensor { buffer: self.buffer.clone(), view: Some(Arc::new(view)) }
    }

    /// A packed tensor of `shape` whose elements `fill` writes into memory that is not initialised (nor zeroed).
    ///
    /// # Safety
    /// `fill` must write every element.
    ///
    /// # Panics
    /// If there is no room for that many elements.
    #[inline]
    #[track_caller]
    pub(crate) unsafe fn build(shape: Dims, fill: impl FnOnce(&mut [MaybeUninit<E>])) -> Tensor<E> {
        let mut fresh = Fresh::new(shape);
        fill(fresh.as_uninit_slice());
        // SAFETY: by this function's contract every element was written.
        unsafe { fresh.assume_init() }
    }
}

/// The distance from the first element of a layout to the furthest; `None` if it has no elements.
#[inline]
fn span(shape: &Dims, strides: &Dims) -> Option<usize> {
    let mut span = 0;
    for (&size, &stride) in shape.iter().zip(strides.iter()) {
        span += size.checked_sub(1)? * stride;
    }
    Some(span)
}

/// Memory for a tensor that is yet to be written: what a kernel fills.
pub(crate) struct Fresh<E: Element> {
    buffer: Buffer<E>,
    len: usize,
}

impl<E: Element> Fresh<E> {
    /// Memory for a packed tensor of this shape, not initialised.
    ///
    /// # Panics
    /// If there is no room for that many elements.
    #[inline]
    #[track_caller]
    pub(crate) fn new(shape: Dims) -> Fresh<E> {
        let len = valid(shape.checked_count(size_of::<E>()));
        Fresh { buffer: Buffer::uninit(len, shape), len }
    }

    /// Memory for a packed tensor of the shape of `other`, whose layout is copied where it is that of its block.
    #[inline]
    pub(crate) fn like(other: &Tensor<E>) -> Fresh<E> {
        match other.view {
            None => Fresh { len: other.len(), buffer: Buffer::uninit_like(&other.buffer) },
            Some(_) => Fresh::new(other.dims()),
        }
    }

    /// The address of the first element.
    #[inline]
    pub(crate) fn as_mut_ptr(&mut self) -> *mut E {
        self.buffer.as_ptr()
    }

    /// All elements, to be written.
    #[inline]
    pub(crate) fn as_uninit_slice(&mut self) -> &mut [MaybeUninit<E>] {
        // SAFETY: the block has room for `len` elements, and this value is its only reference; `MaybeUninit` may be
        // anything.
        unsafe { std::slice::from_raw_parts_mut(self.buffer.as_ptr().cast(), self.len) }
    }

    /// The tensor.
    ///
    /// # Safety
    /// Every element has been written.
    #[inline]
    pub(crate) unsafe fn assume_init(self) -> Tensor<E> {
        Tensor { buffer: self.buffer, view: None }
    }
}

#[cfg(test)]
mod tests;
