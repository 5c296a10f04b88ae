//! Diagonals and windows, views in which one index moves along two axes, and the triangles of matrices.
//!
//! ```
//! use wengert_autograd::Variable;
//!
//! let x = Variable::from([[1.0_f32, 2.0], [3.0, 4.0]]);
//! assert_eq!(x.diagonal(0, 0, 1).value().to_vec(), [1.0, 4.0]);
//! assert_eq!(x.tril(0).value().to_vec(), [1.0, 0.0, 3.0, 4.0]);
//! let windows = Variable::from([1.0_f32, 2.0, 3.0]).unfold(0, 2, 1);
//! assert_eq!(windows.value().to_vec(), [1.0, 2.0, 2.0, 3.0]);
//! ```
//!
//! [`View`] and [`Placed`] are each other's adjoint: what was read through a layout is added back through it, windows
//! that overlap adding up. A triangle is a projection, and its own adjoint.

use super::registry::samples;
use crate::{
    graph::{Context, Cotangents, Grads, Keep, Op, Variable, mode::line, op::Line, variable::record},
    kernel::gather::add_through,
    scalar::{Float, float::compiled},
    tensor::{Dims, Tensor, TensorError},
};
use std::borrow::Cow;

/// Which elements a view shows.
#[derive(Clone, Copy)]
enum Layout {
    Diagonal { offset: isize, first: isize, second: isize },
    Windows { axis: isize, size: usize, step: usize },
}

impl Layout {
    #[track_caller]
    fn of<T: Float>(self, x: &Tensor<T>) -> Tensor<T> {
        match self {
            Layout::Diagonal { offset, first, second } => x.diagonal(offset, first, second),
            Layout::Windows { axis, size, step } => x.unfold(axis, size, step),
        }
    }
}

/// Shows elements; its adjoint is [`Placed`].
struct View(Layout);
impl<T: Float> Op<T> for View {
    fn name(&self) -> &'static str {
        match self.0 {
            Layout::Diagonal { .. } => "diagonal",
            Layout::Windows { .. } => "unfold",
        }
    }
    fn rule(&self) -> Cow<'static, str> {
        match self.0 {
            Layout::Diagonal { .. } => "y = the diagonal of x; x̄ += ȳ, on the diagonal".into(),
            Layout::Windows { .. } => "y = the windows of x; x̄ += ȳ, each window added at its place".into(),
        }
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        Grads::one(placed_at(&g.only(), self.0, cx.input_shape(0), line()))
    }
}

#[track_caller]
fn view_at<T: Float>(x: &Variable<T>, layout: Layout, line: Line) -> Variable<T> {
    let value = x.read();
    let view = layout.of(&value);
    record(View(layout), &[x], &[&value], view, Keep::NOTHING, line)
}

/// Adds elements to zeros where a view would show them; its adjoint is [`View`].
struct Placed(Layout);
impl<T: Float> Op<T> for Placed {
    fn name(&self) -> &'static str {
        match self.0 {
            Layout::Diagonal { .. } => "diag_embed",
            Layout::Windows { .. } => "fold",
        }
    }
    fn rule(&self) -> Cow<'static, str> {
        match self.0 {
            Layout::Diagonal { .. } => "y = x, on the diagonal; x̄ += the diagonal of ȳ".into(),
            Layout::Windows { .. } => "y = windows x, each added at its place; x̄ += the windows of ȳ".into(),
        }
    }
    fn backward(&self, _: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        Grads::one(view_at(&g.only(), self.0, line()))
    }
}

fn placed_at<T: Float>(part: &Variable<T>, layout: Layout, shape: Dims, line: Line) -> Variable<T> {
    let (value, whole) = (part.read(), Tensor::<T>::zeros(shape));
    let view = layout.of(&whole);
    let strides = Dims::new(view.strides());
    let offset = (view.data_ptr().addr() - whole.data_ptr().addr()) / size_of::<T>();
    drop(view);
    let whole = if value.is_empty() { whole } else { add_through(whole, strides, offset, &value) };
    record(Placed(layout), &[part], &[&value], whole, Keep::NOTHING, line)
}

/// Zeros on one side of a diagonal; its own adjoint.
struct Triangle {
    upper: bool,
    diagonal: isize,
}
impl<T: Float> Op<T> for Triangle {
    fn name(&self) -> &'static str {
        if self.upper { "triu" } else { "tril" }
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = x, 0 beside the triangle; x̄ += ȳ, 0 beside the triangle".into()
    }
    fn backward(&self, _: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        Grads::one(triangle_at(&g.only(), self.upper, self.diagonal, line()))
    }
}

fn triangle_at<T: Float>(x: &Variable<T>, upper: bool, diagonal: isize, line: Line) -> Variable<T> {
    let value = x.read();
    let kept = if upper { value.triu(diagonal) } else { value.tril(diagonal) };
    record(Triangle { upper, diagonal }, &[x], &[&value], kept, Keep::NOTHING, line)
}

impl<T: Float> Variable<T> {
    /// The elements whose indices along two axes differ by `offset` (second minus first), as a last axis that replaces
    /// the two: a view. An offset beyond the matrix gives an empty axis.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::ones([5, 2, 3]);
    /// assert_eq!(x.diagonal(1, 1, 2).shape(), [5, 2]);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or both are the same.
    #[track_caller]
    pub fn diagonal(&self, offset: isize, first: isize, second: isize) -> Variable<T> {
        view_at(self, Layout::Diagonal { offset, first, second }, line())
    }

    /// The diagonal of a matrix; or, of a row of n numbers, the square matrix with them on its diagonal `offset` and
    /// zeros elsewhere.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([1.0_f32, 2.0]);
    /// assert_eq!(x.diag(0).value().to_vec(), [1.0, 0.0, 0.0, 2.0]);
    /// assert_eq!(x.diag(1).shape(), [3, 3]);
    /// ```
    ///
    /// # Panics
    /// If the variable has neither one axis nor two.
    #[track_caller]
    pub fn diag(&self, offset: isize) -> Variable<T> {
        let (shape, line) = (self.shape(), line());
        let layout = Layout::Diagonal { offset, first: 0, second: 1 };
        match *shape {
            [n] => {
                let side = n.saturating_add(offset.unsigned_abs());
                let (part, shape) = (self, Dims::new(&[side, side]));
                compiled!(placed_at(part: &Variable<T>, layout: Layout, shape: Dims, line: Line) -> Variable<T>)
            }
            [_, _] => view_at(self, layout, line),
            _ => TensorError::argument("diag", &shape, "a row or a matrix is wanted").raise(),
        }
    }

    /// The windows of `size` consecutive indices of an axis, one every `step`: the axis then counts the windows, and a
    /// new last axis goes through each. A view: windows overlap in memory, and their gradients add up.
    ///
    /// ```
    /// assert_eq!(wengert_autograd::Variable::ones([8, 10]).unfold(1, 4, 2).shape(), [8, 4, 4]);
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range, `size` exceeds it, `step` is 0, or there would be too many axes.
    #[track_caller]
    pub fn unfold(&self, axis: isize, size: usize, step: usize) -> Variable<T> {
        let axis = self.shape().axis("unfold", axis) as isize;
        view_at(self, Layout::Windows { axis, size, step }, line())
    }

    /// The lower triangle of the last two axes: zeros above the diagonal number `diagonal` (0 the main one, positive
    /// ones above it).
    ///
    /// ```
    /// let x = wengert_autograd::Variable::ones([2, 3]);
    /// assert_eq!(x.tril(0).value().to_vec(), [1.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn tril(&self, diagonal: isize) -> Variable<T> {
        matrices("tril", self);
        let (x, upper, line) = (self, false, line());
        compiled!(triangle_at(x: &Variable<T>, upper: bool, diagonal: isize, line: Line) -> Variable<T>)
    }

    /// The upper triangle of the last two axes: zeros below the diagonal number `diagonal`.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::ones([2, 3]);
    /// assert_eq!(x.triu(1).value().to_vec(), [0.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn triu(&self, diagonal: isize) -> Variable<T> {
        matrices("triu", self);
        let (x, upper, line) = (self, true, line());
        compiled!(triangle_at(x: &Variable<T>, upper: bool, diagonal: isize, line: Line) -> Variable<T>)
    }
}

#[track_caller]
fn matrices<T: Float>(operation: &'static str, x: &Variable<T>) {
    if x.rank() < 2 {
        TensorError::argument(operation, &x.shape(), "a matrix has two axes").raise();
    }
}

samples! {
    diagonal {
        "below" (x: normal([2, 3, 4])) => x.diagonal(-1, 2, 0);
        "beyond" (x: normal([2, 3])) => x.diagonal(5, 0, 1);
        "one axis" (x: normal([2, 3])) => x.diagonal(0, 1, 1), panics("diagonal");
    }
    diag {
        "of a row" (x: normal([3])) => x.diag(-1);
        "of a matrix" (x: normal([3, 4])) => x.diag(1);
        "three axes" (x: normal([2, 2, 2])) => x.diag(0), panics("a row or a matrix is wanted");
    }
    unfold {
        "overlapping" (x: normal([2, 7])) => x.unfold(1, 3, 2);
        "the first axis" (x: normal([4, 2])) => x.unfold(0, 2, 1);
        "too long" (x: normal([3])) => x.unfold(0, 4, 1), panics("unfold");
    }
    tril {
        "main diagonal" (x: normal([3, 3])) => x.tril(0);
        "batched" (x: normal([2, 2, 4])) => x.tril(-1);
        "a row" (x: normal([3])) => x.tril(0), panics("a matrix has two axes");
    }
    triu {
        "above" (x: normal([3, 4])) => x.triu(1);
        "all of it" (x: normal([3, 2])) => x.triu(-9);
    }
}
