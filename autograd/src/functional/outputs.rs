//! What a function of variables may return.

use crate::{graph::Variable, scalar::Float, tensor::Tensor};

/// What a function to be differentiated may return: a variable, or several as a tuple, an array or a vector.
pub trait Outputs<T: Float> {
    /// The outputs in their order.
    fn into_outputs(self) -> Vec<Variable<T>>;
}
impl<T: Float> Outputs<T> for Variable<T> {
    fn into_outputs(self) -> Vec<Variable<T>> {
        vec![self]
    }
}
impl<T: Float> Outputs<T> for Vec<Variable<T>> {
    fn into_outputs(self) -> Vec<Variable<T>> {
        self
    }
}
impl<T: Float, const N: usize> Outputs<T> for [Variable<T>; N] {
    fn into_outputs(self) -> Vec<Variable<T>> {
        self.into()
    }
}
impl<T: Float> Outputs<T> for (Variable<T>, Variable<T>) {
    fn into_outputs(self) -> Vec<Variable<T>> {
        vec![self.0, self.1]
    }
}
impl<T: Float> Outputs<T> for (Variable<T>, Variable<T>, Variable<T>) {
    fn into_outputs(self) -> Vec<Variable<T>> {
        vec![self.0, self.1, self.2]
    }
}
/// Values with their indices.
impl<T: Float> Outputs<T> for (Variable<T>, Tensor<i64>) {
    fn into_outputs(self) -> Vec<Variable<T>> {
        vec![self.0]
    }
}
