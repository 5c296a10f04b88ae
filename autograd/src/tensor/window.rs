//! Views in which an index moves along two axes at once: diagonals, and the windows that slide along an axis.
//!
//! ```
//! use wengert_autograd::tensor::Tensor;
//!
//! let x = Tensor::<i64>::arange(0, 9, 1).reshape([3, 3]);
//! assert_eq!(x.diagonal(0, 0, 1).to_vec(), [0, 4, 8]);
//! let windows = Tensor::<i64>::arange(0, 5, 1).unfold(0, 3, 1);
//! assert_eq!(windows.to_vec(), [0, 1, 2, 1, 2, 3, 2, 3, 4]);
//! ```

use super::{Dims, Element, Tensor, TensorError};

impl<E: Element> Tensor<E> {
    /// The elements whose indices along two axes differ by `offset` (second minus first), as a last axis that
    /// replaces the two. An offset beyond the matrix gives an empty axis.
    ///
    /// # Panics
    /// If an axis is out of range or both are the same.
    #[track_caller]
    pub fn diagonal(&self, offset: isize, first: isize, second: isize) -> Tensor<E> {
        let (rows, columns) = (self.sizes().axis("diagonal", first), self.sizes().axis("diagonal", second));
        if rows == columns {
            TensorError::argument("diagonal", self.sizes(), format!("axis {rows} was named twice")).raise();
        }
        let skip = offset.unsigned_abs();
        let (down, right) = if offset < 0 { (skip, 0) } else { (0, skip) };
        let len = self.sizes()[rows].saturating_sub(down).min(self.sizes()[columns].saturating_sub(right));
        let begin = if len == 0 { 0 } else { down * self.steps()[rows] + right * self.steps()[columns] };
        let (low, high) = (rows.min(columns), rows.max(columns));
        let reduce = |dims: &Dims, last: usize| dims.without(high).without(low).with_pushed(last);
        let stride = self.steps()[rows] + self.steps()[columns];
        self.relaid(reduce(self.sizes(), len), reduce(self.steps(), stride), begin)
    }

    /// The windows of `size` consecutive indices of an axis, one every `step`: the axis then counts the windows, and
    /// a new last axis goes through each. Windows overlap in memory.
    ///
    /// # Panics
    /// If the axis is out of range, `size` exceeds it, `step` is 0, or there would be too many axes.
    #[track_caller]
    pub fn unfold(&self, axis: isize, size: usize, step: usize) -> Tensor<E> {
        let axis = self.sizes().axis("unfold", axis);
        if step == 0 || size > self.sizes()[axis] {
            let problem = format!("no windows of {size} in steps of {step} along axis {axis}");
            TensorError::argument("unfold", self.sizes(), problem).raise();
        }
        let count = (self.sizes()[axis] - size) / step + 1;
        let stride = self.steps()[axis];
        let spread = if count > 1 { stride * step } else { stride };
        let strides = self.steps().with(axis, spread).with_pushed(stride);
        self.relaid(self.sizes().with(axis, count).with_pushed(size), strides, 0)
    }
}
