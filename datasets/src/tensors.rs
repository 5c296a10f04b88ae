//! Tensors as a data set: the rows of one, or of several side by side.
//!
//! ```
//! use wengert_autograd::tensor::Tensor;
//! use wengert_datasets::{Dataset, TensorDataset};
//!
//! let x = Tensor::<f32>::arange(0.0, 6.0, 1.0).reshape([3, 2]);
//! let y = Tensor::<i64>::arange(0, 3, 1);
//! let set = TensorDataset::new((x, y));
//! let (features, labels) = set.batch(&[2, 0]);
//! assert_eq!(features.value().to_vec(), [4.0, 5.0, 0.0, 1.0]);
//! assert_eq!(labels.to_vec(), [2, 0]);
//! ```
//!
//! A batch is gathered row by row straight into its own memory: no item is ever made.

use wengert_autograd::tensor::Tensor;

use crate::dataset::{BatchElement, BatchOf, Collate, Dataset};

/// A set whose items are the rows (the parts along the first axis) of tensors: of one tensor, or of a tuple of two to
/// four with as many rows each.
#[derive(Clone, Debug)]
pub struct TensorDataset<C> {
    columns: C,
}

impl<C: Columns> TensorDataset<C> {
    /// The set of the rows of `columns`.
    ///
    /// # Panics
    /// If a tensor has no axis, or the tensors differ in their number of rows.
    #[track_caller]
    pub fn new(columns: C) -> TensorDataset<C> {
        let mut shapes = Vec::new();
        columns.shapes(&mut shapes);
        let rows = shapes[0].first();
        if rows.is_none() || shapes.iter().any(|shape| shape.first() != rows) {
            panic!(
                "TensorDataset: first axes differ or are missing: {}",
                shapes.iter().map(|s| format!("{s:?}")).collect::<Vec<_>>().join(" and ")
            );
        }
        TensorDataset { columns }
    }

    /// The tensors.
    pub fn columns(&self) -> &C {
        &self.columns
    }
}

impl<C: Columns> Dataset for TensorDataset<C> {
    type Item = C::Row;

    fn len(&self) -> usize {
        self.columns.rows()
    }

    fn get(&self, index: usize) -> C::Row {
        self.columns.row(index)
    }

    fn batch(&self, indices: &[usize]) -> BatchOf<Self> {
        self.columns.gather(indices)
    }
}

/// A tensor, or a tuple of two to four: what a [`TensorDataset`] is made of.
pub trait Columns: Send + Sync + 'static {
    /// One row of each.
    type Row: Collate;

    /// The shape of each tensor.
    fn shapes(&self, shapes: &mut Vec<Vec<usize>>);

    /// How many rows there are.
    fn rows(&self) -> usize;

    /// The row at an index, as views.
    fn row(&self, index: usize) -> Self::Row;

    /// The rows at these indices, copied.
    fn gather(&self, indices: &[usize]) -> <Self::Row as Collate>::Batch;
}

impl<E: BatchElement> Columns for Tensor<E> {
    type Row = Tensor<E>;

    fn shapes(&self, shapes: &mut Vec<Vec<usize>>) {
        shapes.push(self.shape().to_vec());
    }

    fn rows(&self) -> usize {
        self.shape()[0]
    }

    fn row(&self, index: usize) -> Tensor<E> {
        self.select(0, index as isize)
    }

    fn gather(&self, indices: &[usize]) -> E::Batch {
        let Some(data) = self.as_slice() else {
            return Tensor::collate(indices.iter().map(|&index| self.row(index)).collect());
        };
        let width: usize = self.shape()[1..].iter().product();
        let mut shape = self.shape().to_vec();
        shape[0] = indices.len();
        let mut batch = Tensor::<E>::zeros(shape);
        for (row, &index) in batch.make_mut().chunks_exact_mut(width.max(1)).zip(indices) {
            row.copy_from_slice(&data[index * width..][..width]);
        }
        E::batch(batch)
    }
}

macro_rules! columns_of_tuples {
    ($(($first:ident $($column:ident)*)),*) => {$(
        #[allow(non_snake_case)] // the types' names stand for the values
        impl<$first: Columns, $($column: Columns),*> Columns for ($first, $($column),*) {
            type Row = ($first::Row, $($column::Row),*);

            fn shapes(&self, shapes: &mut Vec<Vec<usize>>) {
                let ($first, $($column),*) = self;
                $first.shapes(shapes);
                $($column.shapes(shapes);)*
            }

            fn rows(&self) -> usize {
                self.0.rows()
            }

            fn row(&self, index: usize) -> Self::Row {
                let ($first, $($column),*) = self;
                ($first.row(index), $($column.row(index)),*)
            }

            fn gather(&self, indices: &[usize]) -> <Self::Row as Collate>::Batch {
                let ($first, $($column),*) = self;
                ($first.gather(indices), $($column.gather(indices)),*)
            }
        }
    )*};
}
columns_of_tuples!((A B), (A B C), (A B C D));

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(rows: usize, width: usize) -> Tensor<f32> {
        Tensor::from_fn([rows, width], |i| (10 * i[0] + i[1]) as f32)
    }

    #[test]
    fn gathering_equals_stacking() {
        let labels = Tensor::<i64>::arange(0, 5, 1);
        let strided = Tensor::<f64>::from_fn([2, 5], |i| (i[0] * 100 + i[1]) as f64).t();
        let set = TensorDataset::new((numbers(5, 3), labels, strided));
        let indices = [4, 0, 0, 2];
        let gathered = set.batch(&indices);
        let stacked = Collate::collate(indices.iter().map(|&index| set.get(index)).collect::<Vec<_>>());
        assert_eq!(gathered.0.shape().to_vec(), [4, 3]);
        assert_eq!(gathered.0.value(), stacked.0.value());
        assert_eq!(gathered.1, stacked.1);
        assert_eq!(gathered.2.value().to_vec(), [4.0, 104.0, 0.0, 100.0, 0.0, 100.0, 2.0, 102.0]);
    }

    #[test]
    fn rows_without_elements() {
        let set = TensorDataset::new(Tensor::<f32>::zeros([3, 0]));
        assert_eq!((set.len(), set.batch(&[0, 2]).shape().to_vec()), (3, vec![2, 0]));
        assert_eq!(set.batch(&[]).shape().to_vec(), [0, 0]);
    }

    #[test]
    #[should_panic = "TensorDataset: first axes differ or are missing: [2, 3] and [3, 1]"]
    fn columns_of_different_lengths() {
        TensorDataset::new((numbers(2, 3), numbers(3, 1)));
    }

    #[test]
    #[should_panic = "index"]
    fn an_index_beyond_the_end() {
        TensorDataset::new(numbers(2, 3)).batch(&[2]);
    }
}
