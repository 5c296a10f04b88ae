//! Tensors and Rust's own types: vectors, slices, iterators, indexing, equality.
//!
//! ```
//! use wengert_autograd::tensor::Tensor;
//!
//! let x: Tensor<f32> = vec![1.0, 2.0].into();
//! let squares: Tensor<i64> = (0..4).map(|i| i * i).collect();
//! assert_eq!(squares[[3]], 9);
//! assert_eq!(Vec::from(x), [1.0, 2.0]);
//! ```

use std::ops::{Index, IndexMut};

use super::{Element, Tensor, TensorError};

impl<E: Element> From<Vec<E>> for Tensor<E> {
    /// The row of these elements.
    fn from(data: Vec<E>) -> Tensor<E> {
        data.as_slice().into()
    }
}

impl<E: Element> From<&[E]> for Tensor<E> {
    /// The row of these elements.
    fn from(data: &[E]) -> Tensor<E> {
        super::valid(Tensor::from_slice(data, data.len()))
    }
}

impl<E: Element> FromIterator<E> for Tensor<E> {
    /// The row of these elements.
    fn from_iter<I: IntoIterator<Item = E>>(elements: I) -> Tensor<E> {
        elements.into_iter().collect::<Vec<E>>().into()
    }
}

impl<E: Element> From<Tensor<E>> for Vec<E> {
    /// The elements in row-major order.
    fn from(tensor: Tensor<E>) -> Vec<E> {
        tensor.to_vec()
    }
}

impl<E: Element> From<&Tensor<E>> for Tensor<E> {
    fn from(tensor: &Tensor<E>) -> Tensor<E> {
        tensor.clone()
    }
}

impl<E: Element> Default for Tensor<E> {
    /// The scalar 0 (or `false`).
    fn default() -> Tensor<E> {
        Tensor::scalar(E::default())
    }
}

/// Equal shapes and equal elements; NaN equals nothing. Strides do not matter.
impl<E: Element> PartialEq for Tensor<E> {
    fn eq(&self, other: &Tensor<E>) -> bool {
        self.dims() == other.dims()
            && match (self.as_slice(), other.as_slice()) {
                (Some(a), Some(b)) => a == b,
                _ => self.iter().eq(other.iter()),
            }
    }
}

impl<E: Element, const N: usize> Index<[usize; N]> for Tensor<E> {
    type Output = E;

    /// The element at an index.
    #[track_caller]
    fn index(&self, index: [usize; N]) -> &E {
        if N != self.rank() || index.iter().zip(self.sizes().iter()).any(|(i, size)| i >= size) {
            TensorError::argument("index", self.sizes(), format!("there is no index {index:?}")).raise();
        }
        let position: usize = index.iter().zip(self.steps().iter()).map(|(i, stride)| i * stride).sum();
        // SAFETY: the index lies within the shape, so the element exists; it lives as long as the borrowed tensor and
        // is not written meanwhile.
        unsafe { &*self.data_ptr().add(position) }
    }
}

impl<E: Element, const N: usize> IndexMut<[usize; N]> for Tensor<E> {
    /// The element at an index, to be changed; copied first if the memory is shared or not in row-major order.
    #[track_caller]
    fn index_mut(&mut self, index: [usize; N]) -> &mut E {
        let position = self.position("index", &index);
        &mut self.make_mut()[position]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexing_reads_views_and_writes_copies() {
        let mut x = Tensor::<i64>::arange(0, 6, 1).reshape([2, 3]);
        let t = x.t();
        assert_eq!((x[[1, 2]], t[[2, 1]], t[[0, 1]]), (5, 5, 3));
        x[[0, 0]] = 9;
        assert_eq!((x[[0, 0]], t[[0, 0]]), (9, 0));
        let mut t = t;
        t[[2, 0]] += 10;
        assert_eq!(t.to_vec(), [0, 3, 1, 4, 12, 5]);
        assert!(std::panic::catch_unwind(|| x[[0, 3]]).is_err());
        assert!(std::panic::catch_unwind(|| x[[0]]).is_err());
    }

    #[test]
    fn equality_is_of_values_and_shapes() {
        let x = Tensor::<f32>::arange(0.0, 6.0, 1.0).reshape([2, 3]);
        assert_eq!(x, x.t().contiguous().t());
        assert_ne!(x, x.reshape([3, 2]));
        assert_ne!(Tensor::scalar(f32::NAN), Tensor::scalar(f32::NAN));
        assert_eq!(Tensor::<f32>::zeros([0, 2]), Tensor::zeros([0, 2]));
        assert!(!Tensor::<bool>::default().item());
        let back: Vec<f32> = x.t().into();
        assert_eq!(back, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    }
}
