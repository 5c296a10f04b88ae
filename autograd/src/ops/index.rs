//! Picking and adding whole slices by index: index_select, index_add, and the embedding of tokens.
//!
//! ```
//! use wengert_autograd::{Variable, embedding, tensor};
//!
//! let table = Variable::from([[0.0_f32, 0.0], [1.0, 2.0], [3.0, 4.0]]).requires_grad();
//! let vectors = embedding(&tensor![[2, 1, 2]], &table, None);
//! assert_eq!(vectors.shape(), [1, 3, 2]);
//! vectors.sum().backward();
//! assert_eq!(table.grad().unwrap().to_vec(), [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]);
//! ```
//!
//! Reading slices and adding to them are [each other's adjoint](super::gather), padding included: an index of no row reads
//! zeros and adds nothing.
//! The gradient of an embedding is the most collision-prone sum of a language model; it is cut by rows of the table,
//! each of which one thread adds up in the order of the tokens.

use super::{
    gather::{Places, add_at, nothing, read_at, valid_indices},
    registry::samples,
};
use crate::{
    graph::{Context, Cotangents, Grads, Keep, Op, Variable, mode::line, op::Line, variable::record},
    kernel::gather::{NO_ROW, take_rows},
    scalar::{Float, float::compiled},
    tensor::{Tensor, TensorError},
};
use std::borrow::Cow;

/// Rows of a table, one for each index. The forward pass reads every row; what flows back is without the padding's.
struct Embedding {
    /// Slices of the table, [`NO_ROW`] in place of the padding.
    places: Places,
    tokens: usize,
}
impl<T: Float> Op<T> for Embedding {
    fn name(&self) -> &'static str {
        "embedding"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = w[tokens]; w̄ += ȳ, each row added at its token".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let (table, g) = (cx.input_shape(0), g.only());
        let rows = g.reshape([self.tokens, table[1]]);
        Grads::one(add_at(&nothing(table), &self.places, &rows, line()))
    }
}

/// The rows of `weight`, shape [entries, size], that `index` names: a vector for each token. The result has the shape
/// of `index` with `size` behind it.
///
/// The row `padding_idx` is read like any other but gets no gradient.
///
/// ```
/// use wengert_autograd::{Variable, embedding, tensor};
/// let table = Variable::from([[0.0_f32, 0.0], [1.0, 2.0]]).requires_grad();
/// let vectors = embedding(&tensor![1, 0, 1], &table, Some(0));
/// vectors.sum().backward();
/// assert_eq!(table.grad().unwrap().to_vec(), [0.0, 0.0, 2.0, 2.0]);
/// ```
///
/// # Panics
/// If `weight` has not two axes, or an index or `padding_idx` is not one of its rows (none may be negative).
#[track_caller]
pub fn embedding<T: Float>(
    index: &Tensor<i64>,
    weight: &Variable<T>,
    padding_idx: Option<usize>,
) -> Variable<T> {
    let table = weight.shape();
    if table.len() != 2 {
        TensorError::argument("embedding", &table, "the table has two axes: [entries, size]").raise();
    }
    if padding_idx.is_some_and(|padding| padding >= table[0]) {
        let problem = format!("the padding {padding_idx:?} is not one of the {} entries", table[0]);
        TensorError::argument("embedding", &table, problem).raise();
    }
    if let Some(negative) = index.iter().find(|&i| i < 0) {
        let problem = format!("index {negative} is out of range: {} entries, counted from 0", table[0]);
        TensorError::argument("embedding", &table, problem).raise();
    }
    let (index, line) = (&valid_indices("embedding", index, 0, table), line());
    compiled!(embedding_at(index: &Tensor<i64>, weight: &Variable<T>, padding_idx: Option<usize>, line: Line) -> Variable<T>)
}

fn embedding_at<T: Float>(
    index: &Tensor<i64>,
    weight: &Variable<T>,
    padding_idx: Option<usize>,
    line: Line,
) -> Variable<T> {
    let table = weight.read();
    let tokens = index.as_slice().expect("indices were packed when they were checked");
    let rows = take_rows(&table, 0, tokens).reshape(index.dims().with_pushed(table.shape()[1]));
    let (tokens, index) = (tokens.len(), index.reshape([index.len()]));
    let index = match padding_idx {
        Some(padding) => index.map(|i| if i == padding as i64 { NO_ROW } else { i }),
        None => index,
    };
    let op = Embedding { places: Places::Slices(0, index), tokens };
    record(op, &[weight], &[&table], rows, Keep::NOTHING, line)
}

/// The axis, and a row of indices made valid.
#[track_caller]
fn row_of_indices<T: Float>(
    operation: &'static str,
    x: &Variable<T>,
    axis: isize,
    index: &Tensor<i64>,
) -> (usize, Tensor<i64>) {
    let shape = x.shape();
    let axis = shape.axis(operation, axis);
    if index.rank() > 1 {
        let problem = format!("the indices are a row, not of shape {:?}", index.shape());
        TensorError::argument(operation, &shape, problem).raise();
    }
    (axis, valid_indices(operation, index, axis, shape).reshape([index.len()]))
}

impl<T: Float> Variable<T> {
    /// The slices of an axis with these indices, in their order; an index may repeat, negative ones count from the end.
    /// Adjoint: [`index_add`](Variable::index_add).
    ///
    /// ```
    /// use wengert_autograd::{Variable, tensor};
    /// let x = Variable::from([[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.index_select(1, &tensor![2, 0]).value().to_vec(), [3.0, 1.0, 6.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If the axis or an index is out of range, or the indices have several axes.
    #[track_caller]
    pub fn index_select(&self, axis: isize, index: &Tensor<i64>) -> Variable<T> {
        let (x, name, line) = (self, "index_select", line());
        let (axis, index) = row_of_indices(name, self, axis, index);
        let places = &Places::Slices(axis, index);
        compiled!(read_at(x: &Variable<T>, name: &'static str, places: &Places, line: Line) -> Variable<T>)
    }

    /// A copy in which `alpha` times each slice of `src` is added to the slice that its index names; indices may repeat.
    /// `src` has the variable's shape but for the axis, where it has one slice for each index. Adjoint:
    /// [`index_select`](Variable::index_select).
    ///
    /// ```
    /// use wengert_autograd::{Variable, tensor};
    /// let (x, src) = (Variable::zeros([3]), Variable::from([1.0_f32, 2.0]));
    /// assert_eq!(x.index_add(0, &tensor![2, 2], &src, 10.0).value().to_vec(), [0.0, 0.0, 30.0]);
    /// ```
    ///
    /// # Panics
    /// If the axis or an index is out of range, or the shapes do not fit.
    #[track_caller]
    pub fn index_add(&self, axis: isize, index: &Tensor<i64>, src: &Variable<T>, alpha: f64) -> Variable<T> {
        let (x, line) = (self, line());
        let (axis, index) = row_of_indices("index_add", self, axis, index);
        let wanted = self.shape().with(axis, index.len());
        if src.shape() != wanted {
            let problem = format!("src must have the shape {wanted:?}");
            TensorError::argument("index_add", &src.shape(), problem).raise();
        }
        let scaled;
        let src = if alpha == 1.0 {
            src
        } else {
            scaled = src * alpha;
            &scaled
        };
        let places = &Places::Slices(axis, index);
        compiled!(add_at(x: &Variable<T>, places: &Places, src: &Variable<T>, line: Line) -> Variable<T>)
    }

    /// The elements with these numbers, counted in row-major order over the whole variable; negative ones count from the
    /// end, and one may repeat. The result has the shape of `index`.
    ///
    /// ```
    /// use wengert_autograd::{Variable, tensor};
    /// let x = Variable::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.take(&tensor![3, 0]).value().to_vec(), [4.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If an index is out of range.
    #[track_caller]
    pub fn take(&self, index: &Tensor<i64>) -> Variable<T> {
        let (row, name, line) = (self.reshape([self.len()]), "take", line());
        let checked = valid_indices(name, index, 0, row.shape()).reshape([index.len()]);
        let (x, places) = (&row, &Places::Slices(0, checked));
        let taken = compiled!(read_at(x: &Variable<T>, name: &'static str, places: &Places, line: Line) -> Variable<T>);
        taken.reshape(index.dims())
    }

    /// A copy in which the slices of an axis that `index` names are filled with `value`. What is replaced gets gradient 0.
    ///
    /// ```
    /// use wengert_autograd::{Variable, tensor};
    /// let x = Variable::from([1.0_f32, 2.0, 3.0]);
    /// assert_eq!(x.index_fill(0, &tensor![0, -1], 9.0).value().to_vec(), [9.0, 2.0, 9.0]);
    /// ```
    ///
    /// # Panics
    /// If the axis or an index is out of range, or the indices have several axes.
    #[track_caller]
    pub fn index_fill(&self, axis: isize, index: &Tensor<i64>, value: f64) -> Variable<T> {
        let (axis, index) = row_of_indices("index_fill", self, axis, index);
        let mut filled = vec![false; self.shape()[axis]];
        index.iter().for_each(|i| filled[i as usize] = true);
        let along = crate::tensor::Dims::filled(self.rank(), 1).with(axis, filled.len());
        self.masked_fill(&Tensor::from_vec(filled, along).expect("one for each slice"), value)
    }

    /// A copy in which each slice of `src` replaces the slice of an axis that its index names; of equal indices the last
    /// one stays, and it alone gets a gradient. `src` has the variable's shape but for the axis, where it has one slice
    /// for each index.
    ///
    /// ```
    /// use wengert_autograd::{Variable, tensor};
    /// let (x, src) = (Variable::zeros([3]), Variable::from([1.0_f32, 2.0]));
    /// assert_eq!(x.index_copy(0, &tensor![2, 0], &src).value().to_vec(), [2.0, 0.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If the axis or an index is out of range, or the shapes do not fit.
    #[track_caller]
    pub fn index_copy(&self, axis: isize, index: &Tensor<i64>, src: &Variable<T>) -> Variable<T> {
        let (axis, index) = row_of_indices("index_copy", self, axis, index);
        let wanted = self.shape().with(axis, index.len());
        if src.shape() != wanted {
            let problem = format!("src must have the shape {wanted:?}");
            TensorError::argument("index_copy", &src.shape(), problem).raise();
        }
        let along = crate::tensor::Dims::filled(self.rank(), 1).with(axis, index.len());
        self.scatter(axis as isize, &index.reshape(along).expand(wanted), src)
    }
}

samples! {
    index_select {
        "rows" (x: normal([3, 4])) => x.index_select(0, &crate::tensor![2, 0, 2, -1]);
        "the middle" (x: normal([2, 3, 2])) => x.index_select(1, &crate::tensor![1, 1]);
        "out of range" (x: normal([3])) => x.index_select(0, &crate::tensor![0, 3]),
            panics("index_select: index 3 at position [1] is out of range for axis 0, which has size 3");
    }
    index_add {
        "rows" (x: normal([3, 2]), src: normal([4, 2])) => x.index_add(0, &crate::tensor![2, 0, 2, 2], src, -2.5);
        "the last axis" (x: normal([2, 3]), src: normal([2, 2])) => x.index_add(1, &crate::tensor![1, 1], src, 1.0);
        "other shapes" (x: normal([3]), src: normal([3])) => x.index_add(0, &crate::tensor![2, 0], src, 1.0),
            panics("index_add: src must have the shape [2]");
    }
    embedding {
        "tokens" (weight: normal([4, 3])) => crate::embedding(&crate::tensor![[1, 2], [1, 1]], weight, None);
        "no such token" (weight: normal([4, 3])) => crate::embedding(&crate::tensor![1, 4], weight, None),
            panics("embedding: index 4 at position [1] is out of range for axis 0, which has size 4");
    }
    take {
        "some" (x: normal([2, 3])) => x.take(&crate::tensor![[5, 0], [0, -2]]);
        "none" (x: normal([2, 3])) => x.take(&Tensor::zeros([0, 2]));
        "out of range" (x: normal([2, 3])) => x.take(&crate::tensor![6]),
            panics("take: index 6 at position [] is out of range for axis 0, which has size 6");
    }
    index_fill {
        "rows" (x: normal([3, 2])) => x.index_fill(0, &crate::tensor![2, 0], 0.5);
        "none" (x: normal([2, 3])) => x.index_fill(1, &Tensor::zeros([0]), 0.5);
        "out of range" (x: normal([3])) => x.index_fill(0, &crate::tensor![3], 0.5), panics("index_fill: index 3");
    }
    index_copy {
        "rows" (x: normal([3, 2]), src: normal([2, 2])) => x.index_copy(0, &crate::tensor![2, 0], src);
        "the last one stays" (x: normal([2, 3]), src: normal([2, 2])) => x.index_copy(1, &crate::tensor![1, 1], src);
        "none" (x: normal([2, 3]), src: normal([2, 0])) => x.index_copy(1, &Tensor::zeros([0]), src);
        "other shapes" (x: normal([3]), src: normal([3])) => x.index_copy(0, &crate::tensor![2, 0], src),
            panics("index_copy: src must have the shape [2]");
    }
}
