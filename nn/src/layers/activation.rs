//! Activation functions as layers.

use super::shape::without_parameters;
use crate::Layer;
use wengert_autograd::{Float, Variable};

/// Layers without settings, each a method of [`Variable`].
macro_rules! activations {
    ($($(#[$doc:meta])* $layer:ident = $method:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// Elementwise, on any shape.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $layer;

        impl<T: Float> Layer<Variable<T>> for $layer {
            type Output = Variable<T>;
            #[track_caller]
            fn forward(&self, input: &Variable<T>) -> Variable<T> {
                input.$method()
            }
        }
        without_parameters!($layer);
    )*};
}

activations! {
    /// max(x, 0).
    ReLU = relu;
    /// The logistic function 1/(1 + e⁻ˣ).
    Sigmoid = sigmoid;
    /// tanh x.
    Tanh = tanh;
}
