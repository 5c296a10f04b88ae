//! Walking over elements in row-major order, whatever the layout.
//!
//! ```
//! use wengert_autograd::tensor::Tensor;
//!
//! let x = Tensor::<i64>::arange(0, 6, 1).reshape([2, 3]);
//! assert_eq!(x.t().iter().collect::<Vec<_>>(), [0, 3, 1, 4, 2, 5]);
//! let total: i64 = (&x).into_iter().sum();
//! assert_eq!(total, 15);
//! ```

use std::iter::FusedIterator;
use std::marker::PhantomData;

use super::{Dims, Element, Tensor};

/// The elements of a tensor in row-major order, from [`Tensor::iter`].
#[derive(Clone, Debug)]
pub struct Iter<'a, E: Element> {
    /// The next element, as long as any remain.
    next: *const E,
    remaining: usize,
    shape: Dims,
    strides: Dims,
    index: Dims,
    borrows: PhantomData<&'a Tensor<E>>,
}

// SAFETY: the iterator only reads, and borrows the tensor that owns what it reads, which is `Sync`.
unsafe impl<E: Element> Send for Iter<'_, E> {}
// SAFETY: as above; through a shared reference nothing is read at all.
unsafe impl<E: Element> Sync for Iter<'_, E> {}

impl<E: Element> Tensor<E> {
    /// The elements in row-major order.
    pub fn iter(&self) -> Iter<'_, E> {
        Iter {
            next: self.data_ptr(),
            remaining: self.len(),
            shape: self.dims(),
            strides: *self.steps(),
            index: Dims::filled(self.rank(), 0),
            borrows: PhantomData,
        }
    }
}

impl<E: Element> Iterator for Iter<'_, E> {
    type Item = E;

    #[inline]
    fn next(&mut self) -> Option<E> {
        if self.remaining == 0 {
            return None;
        }
        self.remaining -= 1;
        // SAFETY: `next` is the address of the element at `index`, which lies within the shape of the borrowed tensor.
        let element = unsafe { *self.next };
        for axis in (0..self.shape.rank()).rev() {
            self.index[axis] += 1;
            self.next = self.next.wrapping_add(self.strides[axis]);
            if self.index[axis] < self.shape[axis] {
                break;
            }
            self.next = self.next.wrapping_sub(self.strides[axis] * self.shape[axis]);
            self.index[axis] = 0;
        }
        Some(element)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }
}

impl<E: Element> ExactSizeIterator for Iter<'_, E> {}
impl<E: Element> FusedIterator for Iter<'_, E> {}

impl<'a, E: Element> IntoIterator for &'a Tensor<E> {
    type Item = E;
    type IntoIter = Iter<'a, E>;

    fn into_iter(self) -> Iter<'a, E> {
        self.iter()
    }
}
