//! What can be wrong with a shape, an axis, an index or the data given for them, in words.
//!
//! ```
//! use wengert_autograd::tensor::{Tensor, TensorError};
//!
//! let error = Tensor::from_vec(vec![1.0_f32, 2.0, 3.0], [2, 2]).unwrap_err();
//! assert!(matches!(error, TensorError::Length { len: 3, .. }));
//! assert_eq!(error.to_string(), "shape [2, 2] takes 4 elements, but 3 were given");
//! ```
//!
//! Functions whose input comes from data return these values; methods for which a bad argument is a mistake of
//! the program panic with the same words, so that every text is made here once.

use super::MAX_RANK;

/// A shape, axis, index or length that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TensorError {
    /// More axes than a tensor can have.
    #[error("a tensor has at most {MAX_RANK} axes, but {shape:?} has {}", shape.len())]
    Rank {
        /// The shape as it was given.
        shape: Vec<usize>,
    },
    /// The number of elements, or their bytes, exceeds what can be addressed.
    #[error("shape {shape:?} has more elements than memory can address")]
    TooLarge {
        /// The shape as it was given.
        shape: Vec<usize>,
    },
    /// The data do not fill the shape exactly.
    #[error("shape {shape:?} takes {expected} elements, but {len} were given")]
    Length {
        /// The shape as it was given.
        shape: Vec<usize>,
        /// Its number of elements.
        expected: usize,
        /// How many elements there were.
        len: usize,
    },
    /// An axis that the shape does not have.
    #[error("{operation}: axis {axis} is out of range for shape {shape:?}, {}", axes(*rank))]
    Axis {
        /// The method that was called.
        operation: &'static str,
        /// The axis as it was given.
        axis: isize,
        /// How many axes there are to choose from (one more than the shape has, where an axis is inserted).
        rank: usize,
        /// The tensor's shape.
        shape: Vec<usize>,
    },
    /// An index outside its axis.
    #[error("{operation}: index {index} is out of range for axis {axis} of shape {shape:?}")]
    Index {
        /// The method that was called.
        operation: &'static str,
        /// The index as it was given.
        index: isize,
        /// The axis, counted from 0.
        axis: usize,
        /// The tensor's shape.
        shape: Vec<usize>,
    },
    /// Two shapes that cannot be broadcast to one.
    #[error(
        "{operation}: shapes {left:?} and {right:?} do not broadcast: {left_size} against {right_size} on axis {axis}"
    )]
    Broadcast {
        /// The method or operation.
        operation: &'static str,
        /// The left (or only) operand's shape.
        left: Vec<usize>,
        /// The right operand's shape, or the shape asked for.
        right: Vec<usize>,
        /// The first axis on which the sizes differ while neither is 1. Shapes are aligned at the last axis, so it is
        /// counted from there: −1 is the last.
        axis: isize,
        /// The left operand's size on this axis.
        left_size: usize,
        /// The right operand's size on this axis.
        right_size: usize,
    },
    /// Two shapes whose product does not exist, since the sizes to be summed over differ.
    #[error("{operation}: inner sizes differ: {left:?} · {right:?} ({left_size} against {right_size}){cure}")]
    Product {
        /// The method or operation.
        operation: &'static str,
        /// The left operand's shape.
        left: Vec<usize>,
        /// The right operand's shape.
        right: Vec<usize>,
        /// The left operand's last size.
        left_size: usize,
        /// The right operand's size that should equal it.
        right_size: usize,
        /// What may have been meant, or nothing.
        cure: &'static str,
    },
    /// A shape with another number of elements.
    #[error("reshape: shape {shape:?} ({len} elements) cannot become {target:?}")]
    Reshape {
        /// The tensor's shape.
        shape: Vec<usize>,
        /// Its number of elements.
        len: usize,
        /// The shape asked for, with -1 for a size to be inferred.
        target: Vec<isize>,
    },
    /// Any other argument that does not fit the shape.
    #[error("{operation}: {problem} (shape {shape:?})")]
    Argument {
        /// The method that was called.
        operation: &'static str,
        /// What is wrong, and what was expected.
        problem: String,
        /// The tensor's shape.
        shape: Vec<usize>,
    },
}

/// The axes to choose from, in words.
fn axes(rank: usize) -> String {
    match rank {
        0 => "which has none".into(),
        1 => "whose only axis is 0 (or -1)".into(),
        _ => format!("whose axes are 0 to {} (or -{rank} to -1)", rank - 1),
    }
}

impl TensorError {
    /// Panics with this text at the caller's caller: the way out of methods whose arguments are the program's own.
    #[cold]
    #[track_caller]
    pub(crate) fn raise(self) -> ! {
        panic!("{self}")
    }

    /// An [`Argument`](Self::Argument) error.
    pub(crate) fn argument(
        operation: &'static str,
        shape: &[usize],
        problem: impl Into<String>,
    ) -> TensorError {
        TensorError::Argument { operation, problem: problem.into(), shape: shape.to_vec() }
    }
}

/// The value, or a panic with the error's text at the caller's line (`unwrap_or_else` would lose that line).
#[inline]
#[track_caller]
pub(crate) fn valid<T>(result: Result<T, TensorError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => error.raise(),
    }
}
