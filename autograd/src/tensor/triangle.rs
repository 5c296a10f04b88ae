//! The triangles of matrices.
//!
//! ```
//! use wengert_autograd::tensor::Tensor;
//!
//! // Who may look at whom: each position at itself and at those before it.
//! let causal = Tensor::<bool>::ones([3, 3]).tril(0);
//! assert_eq!(causal.to_vec(), [true, false, false, true, true, false, true, true, true]);
//! ```

use super::{Element, Tensor, TensorError};
use crate::kernel::reduce::in_chunks;

impl<E: Element> Tensor<E> {
    /// The lower triangle of the last two axes: zeros (`false`) above the diagonal number `diagonal`, 0 being the main
    /// one and positive ones above it.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn tril(&self, diagonal: isize) -> Tensor<E> {
        self.triangle("tril", false, diagonal)
    }

    /// The upper triangle of the last two axes: zeros (`false`) below the diagonal number `diagonal`.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn triu(&self, diagonal: isize) -> Tensor<E> {
        self.triangle("triu", true, diagonal)
    }

    #[track_caller]
    fn triangle(&self, operation: &'static str, upper: bool, diagonal: isize) -> Tensor<E> {
        let [.., rows, columns] = *self.shape() else {
            TensorError::argument(operation, self.shape(), "a matrix has two axes").raise()
        };
        let mut kept = self.packed();
        if kept.is_empty() {
            return kept;
        }
        let at_once = (16 * 1024 / columns).max(1) * columns;
        let cost = kept.len() as f64 * 0.1;
        in_chunks(kept.make_mut(), at_once, cost, |first, chunk| {
            for (k, row) in chunk.chunks_exact_mut(columns).enumerate() {
                let i = ((first / columns + k) % rows) as isize;
                // Columns below `edge` lie under the diagonal, for `triu`, or up to it, for `tril`.
                let edge = i.saturating_add(diagonal).saturating_add(isize::from(!upper));
                let edge = edge.clamp(0, columns as isize) as usize;
                if upper { &mut row[..edge] } else { &mut row[edge..] }.fill(E::default());
            }
        });
        kept
    }
}
