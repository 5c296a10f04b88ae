//! Pooling: windows or cells become one number each.
//!
//! ```
//! use wengert_autograd::Variable;
//! use wengert_nn::{Layer, MaxPool2d};
//! assert_eq!(MaxPool2d::new(2).forward(&Variable::zeros([8, 3, 28, 28])).shape(), [8, 3, 14, 14]);
//! ```

use super::shape::without_parameters;
use crate::Layer;
use wengert_autograd::{
    Float, PoolOptions, Variable,
    tensor::{Dims, IntoShape},
};

macro_rules! pools {
    ($($(#[$doc:meta])* $layer:ident = $method:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $layer(
            /// The windows.
            pub PoolOptions,
        );

        impl $layer {
            /// Windows of this size (one number for all axes), side by side; other windows by their
            /// [options](PoolOptions).
            pub fn new(windows: impl Into<PoolOptions>) -> Self {
                $layer(windows.into())
            }
        }

        impl<T: Float> Layer<Variable<T>> for $layer {
            type Output = Variable<T>;
            #[track_caller]
            fn forward(&self, input: &Variable<T>) -> Variable<T> {
                input.$method(self.0)
            }
        }
        without_parameters!($layer);
    )*};
}

pools! {
    /// The maximum of each window of `[N, C, L]`.
    MaxPool1d = max_pool1d;
    /// The maximum of each window of `[N, C, H, W]`.
    MaxPool2d = max_pool2d;
    /// The maximum of each window of `[N, C, D, H, W]`.
    MaxPool3d = max_pool3d;
    /// The mean of each window of `[N, C, L]`.
    AvgPool1d = avg_pool1d;
    /// The mean of each window of `[N, C, H, W]`.
    AvgPool2d = avg_pool2d;
    /// The mean of each window of `[N, C, D, H, W]`.
    AvgPool3d = avg_pool3d;
}

macro_rules! adaptive {
    ($($(#[$doc:meta])* $layer:ident = $method:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $layer(Dims);

        impl $layer {
            /// So many cells along each axis (one number for all axes).
            pub fn new(cells: impl IntoShape) -> Self {
                $layer(cells.into_shape())
            }
        }

        impl<T: Float> Layer<Variable<T>> for $layer {
            type Output = Variable<T>;
            #[track_caller]
            fn forward(&self, input: &Variable<T>) -> Variable<T> {
                input.$method(self.0)
            }
        }
        without_parameters!($layer);
    )*};
}

adaptive! {
    /// The means of a given number of cells of `[N, C, L]`.
    AdaptiveAvgPool1d = adaptive_avg_pool1d;
    /// The means of a grid of cells of `[N, C, H, W]`.
    AdaptiveAvgPool2d = adaptive_avg_pool2d;
    /// The maxima of a grid of cells of `[N, C, H, W]`.
    AdaptiveMaxPool2d = adaptive_max_pool2d;
}
