//! Variables from numbers: conversions from tensors, scalars and nested arrays, and constructors of `f32` constants.
//!
//! ```
//! use wengert_autograd::Variable;
//!
//! let x = Variable::from([[1.0, 2.0], [3.0, 4.0]]); // f32, unless something says otherwise
//! assert_eq!((&x + Variable::ones([2])).value().to_vec(), [2.0, 3.0, 4.0, 5.0]);
//! ```
//!
//! They know nothing of a variable's insides: each is [`Variable::new`] of a tensor.

use super::Variable;
use crate::{
    scalar::Float,
    tensor::{IntoShape, Tensor},
};

impl<T: Float> From<Tensor<T>> for Variable<T> {
    fn from(value: Tensor<T>) -> Self {
        Variable::new(value)
    }
}

impl<T: Float> From<T> for Variable<T> {
    fn from(value: T) -> Self {
        Variable::new(Tensor::scalar(value))
    }
}

impl<T: Float, const N: usize> From<[T; N]> for Variable<T> {
    fn from(values: [T; N]) -> Self {
        Variable::new(Tensor::from_vec(values.to_vec(), N).expect("as many values as places"))
    }
}

impl<T: Float, const N: usize, const M: usize> From<[[T; M]; N]> for Variable<T> {
    fn from(values: [[T; M]; N]) -> Self {
        Variable::new(Tensor::from_vec(values.concat(), [N, M]).expect("as many values as places"))
    }
}

impl<T: Float, const A: usize, const B: usize, const C: usize> From<[[[T; C]; B]; A]> for Variable<T> {
    fn from(values: [[[T; C]; B]; A]) -> Self {
        let values = values.concat().concat();
        Variable::new(Tensor::from_vec(values, [A, B, C]).expect("as many values as places"))
    }
}

impl<T: Float, const A: usize, const B: usize, const C: usize, const D: usize> From<[[[[T; D]; C]; B]; A]>
    for Variable<T>
{
    fn from(values: [[[[T; D]; C]; B]; A]) -> Self {
        let values = values.concat().concat().concat();
        Variable::new(Tensor::from_vec(values, [A, B, C, D]).expect("as many values as places"))
    }
}

/// Constructors without a type annotation: they are of `f32`, because a default type parameter does not guide inference.
/// For f64 wrap a tensor: `Variable::new(Tensor::<f64>::zeros([2, 2]))`.
///
/// ```
/// let x = wengert_autograd::Variable::zeros([2, 2]);
/// let _: wengert_autograd::Tensor<f32> = x.value();
/// ```
impl Variable<f32> {
    /// A constant of zeros.
    #[track_caller]
    pub fn zeros(shape: impl IntoShape) -> Self {
        Variable::new(Tensor::zeros(shape))
    }
    /// A constant of ones.
    #[track_caller]
    pub fn ones(shape: impl IntoShape) -> Self {
        Variable::new(Tensor::ones(shape))
    }
    /// A constant of one value.
    #[track_caller]
    pub fn full(shape: impl IntoShape, value: f32) -> Self {
        Variable::new(Tensor::full(shape, value))
    }
}
