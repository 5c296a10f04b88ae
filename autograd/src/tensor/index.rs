//! Picking elements by indices and masks, and making either from the other.
//!
//! ```
//! use wengert_autograd::tensor;
//! use wengert_autograd::tensor::Tensor;
//!
//! let x = tensor![[10, 11, 12], [20, 21, 22]];
//! assert_eq!(x.index_select(1, &tensor![2, 0]), tensor![[12, 10], [22, 20]]);
//! assert_eq!(x.take_along(&tensor![[1], [0]], 1), tensor![[11], [20]]);
//! assert_eq!(x.masked_select(&x.gt(12)), tensor![20, 21, 22]);
//! assert_eq!(x.eq(21).nonzero(), tensor![[1, 1]]);
//! let codes: Tensor<f32> = tensor![1, 0].one_hot(3);
//! assert_eq!(codes, tensor![[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]);
//! ```
//!
//! Indices are `Tensor<i64>`; negative ones count from the end. One out of range panics, like that of a slice.

use super::{Dims, Element, Fresh, Tensor, TensorError, valid};

/// The position of an index that may be counted from the end.
#[inline]
#[track_caller]
fn position(operation: &'static str, index: i64, axis: usize, shape: &Dims) -> usize {
    let size = shape[axis] as i64;
    let position = if index < 0 { index.saturating_add(size) } else { index };
    if position < 0 || position >= size {
        let index = isize::try_from(index).unwrap_or(isize::MAX);
        TensorError::Index { operation, index, axis, shape: shape.to_vec() }.raise();
    }
    position as usize
}

impl<E: Element> Tensor<E> {
    /// The slices of an axis with these indices, in their order. The indices are a row, or one scalar.
    ///
    /// # Panics
    /// If the axis or an index is out of range, or the indices have several axes.
    #[track_caller]
    pub fn index_select(&self, axis: isize, indices: &Tensor<i64>) -> Tensor<E> {
        let axis = self.sizes().axis("index_select", axis);
        if indices.rank() > 1 {
            let problem = format!("the indices are a row, not of shape {:?}", indices.dims());
            TensorError::argument("index_select", self.sizes(), problem).raise();
        }
        let mut order = Vec::with_capacity(indices.len());
        for index in indices {
            order.push(position("index_select", index, axis, self.sizes()));
        }
        self.taken(axis, &order)
    }

    /// The elements with these indices in row-major order, in the indices' shape.
    ///
    /// ```
    /// use wengert_autograd::tensor;
    /// let x = tensor![[1.0, 2.0], [3.0, 4.0]];
    /// assert_eq!(x.take(&tensor![3, 0, -2]), tensor![4.0, 1.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// If an index is out of range.
    #[track_caller]
    pub fn take(&self, indices: &Tensor<i64>) -> Tensor<E> {
        let row = self.reshape([self.len()]);
        let mut order = Vec::with_capacity(indices.len());
        for index in indices {
            order.push(position("take", index, 0, row.sizes()));
        }
        row.taken(0, &order).reshape(indices.dims())
    }

    /// Along an axis, the elements with these indices: `result[i][j] = self[indices[i][j]][j]` for axis 0. The other
    /// axes broadcast. (PyTorch's `gather`, NumPy's `take_along_axis`.)
    ///
    /// # Panics
    /// If the axis or an index is out of range, or the other axes do not broadcast.
    #[track_caller]
    pub fn take_along(&self, indices: &Tensor<i64>, axis: isize) -> Tensor<E> {
        let axis = self.sizes().axis("take_along", axis);
        if indices.rank() != self.rank() {
            let problem = format!("the indices have other axes: {:?}", indices.dims());
            TensorError::argument("take_along", self.sizes(), problem).raise();
        }
        // Both with the axis last, and broadcast but for it.
        let outer = valid(self.sizes().with(axis, 1).broadcast(&indices.sizes().with(axis, 1), "take_along"));
        let spread = |size: usize| outer.with(axis, size);
        let data = self.expand(spread(self.sizes()[axis])).movedim(axis as isize, -1).contiguous();
        let places = indices.expand(spread(indices.sizes()[axis])).movedim(axis as isize, -1).contiguous();
        let (data_row, place_row) = (self.sizes()[axis], indices.sizes()[axis]);
        let elements = data.as_slice().unwrap_or_default();
        let mut fresh = Fresh::new(places.dims());
        let chosen = places.as_slice().unwrap_or_default();
        for (at, (to, &index)) in fresh.as_uninit_slice().iter_mut().zip(chosen).enumerate() {
            let lane = at / place_row * data_row;
            to.write(elements[lane + position("take_along", index, axis, self.sizes())]);
        }
        // SAFETY: there are as many indices as places: each was written.
        unsafe { fresh.assume_init() }.movedim(-1, axis as isize).contiguous()
    }

    /// The elements where the mask holds, in row-major order, as a row; mask and tensor broadcast.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn masked_select(&self, mask: &Tensor<bool>) -> Tensor<E> {
        let shape = valid(self.sizes().broadcast(mask.sizes(), "masked_select"));
        let (data, mask) = (self.expand(shape), mask.expand(shape));
        data.iter().zip(mask.iter()).filter_map(|(element, chosen)| chosen.then_some(element)).collect()
    }

    /// This value where the mask holds, the tensor's elements elsewhere; the mask broadcasts to the tensor's shape.
    ///
    /// # Panics
    /// If the mask does not broadcast to the shape.
    #[track_caller]
    pub fn masked_fill(&self, mask: &Tensor<bool>, value: E) -> Tensor<E> {
        let mask = valid(mask.try_expand("masked_fill", self.dims()));
        let mut filled = self.packed();
        for (element, chosen) in filled.make_mut().iter_mut().zip(mask.iter()) {
            if chosen {
                *element = value;
            }
        }
        filled
    }

    /// The indices of the elements that are not 0 (not `false`), a row each, in row-major order: shape [count, rank].
    pub fn nonzero(&self) -> Tensor<i64> {
        let mut found = Vec::new();
        let mut count = 0;
        let mut index = Dims::filled(self.rank(), 0);
        for element in self {
            if element.into_bool() {
                found.extend(index.iter().map(|&i| i as i64));
                count += 1;
            }
            for axis in (0..self.rank()).rev() {
                index[axis] += 1;
                if index[axis] < self.sizes()[axis] {
                    break;
                }
                index[axis] = 0;
            }
        }
        valid(Tensor::from_vec(found, [count, self.rank()]))
    }
}

impl Tensor<i64> {
    /// For each label a row with 1 in its place and 0 elsewhere, along a new last axis of this many classes.
    ///
    /// # Panics
    /// If a label is negative or not below `classes`.
    #[track_caller]
    pub fn one_hot<E: Element>(&self, classes: usize) -> Tensor<E> {
        let mut codes = Tensor::zeros(self.sizes().with_pushed(classes));
        let one = E::from_element(1_u8);
        let data = codes.make_mut();
        for (row, label) in self.iter().enumerate() {
            if label < 0 || label >= classes as i64 {
                let problem = format!("label {label} is not one of {classes} classes");
                TensorError::argument("one_hot", self.sizes(), problem).raise();
            }
            data[row * classes + label as usize] = one;
        }
        codes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor;

    #[test]
    fn selection_along_every_axis() {
        let x = Tensor::<i64>::arange(0, 24, 1).reshape([2, 3, 4]);
        for axis in 0..3_isize {
            let size = x.size(axis) as i64;
            let picks = Tensor::from([size - 1, 0, -1]);
            let parts = [-1, 0, -1].map(|index| x.select(axis, index));
            for view in [x.clone(), x.transpose(0, 2).contiguous().transpose(0, 2)] {
                assert_eq!(view.index_select(axis, &picks), Tensor::stack(&parts, axis));
            }
            assert_eq!(x.index_select(axis, &Tensor::zeros([0])).size(axis), 0);
        }
        let text = std::panic::catch_unwind(|| x.index_select(1, &tensor![3,])).unwrap_err();
        let expected = "index_select: index 3 is out of range for axis 1 of shape [2, 3, 4]";
        assert_eq!(text.downcast_ref::<String>().unwrap(), expected);
    }

    #[test]
    fn elements_along_an_axis() {
        let x = tensor![[1, 2, 3], [4, 5, 6]];
        assert_eq!(x.take_along(&tensor![[0, 1, 0], [1, 1, -1]], 0), tensor![[1, 5, 3], [4, 5, 6]]);
        assert_eq!(x.take_along(&tensor![[2, 0]], 1), tensor![[3, 1], [6, 4]]);
        assert_eq!(x.take_along(&Tensor::zeros([2, 0]), 1).shape(), [2, 0]);
        assert!(std::panic::catch_unwind(|| x.take_along(&tensor![[2]], 0)).is_err());
        assert!(std::panic::catch_unwind(|| x.take_along(&tensor![0,], 0)).is_err());
        assert_eq!(x.t().take(&tensor![[1, -1]]), tensor![[4, 6]]);
    }

    #[test]
    fn masks() {
        let x = tensor![[1.0, 2.0], [3.0, 4.0]];
        let rows = tensor![[true], [false]];
        assert_eq!(x.masked_select(&rows), tensor![1.0, 2.0]);
        assert_eq!(x.masked_fill(&rows, 0.0), tensor![[0.0, 0.0], [3.0, 4.0]]);
        assert_eq!(x.t().masked_fill(&rows, 0.0), tensor![[0.0, 0.0], [2.0, 4.0]]);
        assert_eq!(x.masked_select(&Tensor::zeros([2, 2])).shape(), [0]);
        assert_eq!(x.gt(1.5).nonzero(), tensor![[0, 1], [1, 0], [1, 1]]);
        assert_eq!(tensor!(5).nonzero().shape(), [1, 0]);
        assert_eq!(tensor![0, 0].nonzero().shape(), [0, 1]);
        assert!(std::panic::catch_unwind(|| tensor!(1).masked_fill(&tensor![true, false], 0)).is_err());
    }

    #[test]
    fn codes() {
        let labels = tensor![[0, 2], [1, 0]];
        let codes: Tensor<bool> = labels.one_hot(3);
        assert_eq!(codes.shape(), [2, 2, 3]);
        assert_eq!(codes.cast::<u8>().argmax(-1, false), labels);
        assert_eq!(Tensor::zeros([0]).one_hot::<f64>(3).shape(), [0, 3]);
        for bad in [3, -1] {
            assert!(std::panic::catch_unwind(|| tensor![bad, 0].one_hot::<f32>(3)).is_err());
        }
    }
}
