//! Pooling: windows or cells become one number each.
//!
//! ```
//! use wengert_autograd::Variable;
//! use wengert_nn::{Layer, MaxPool2d};
//! assert_eq!(MaxPool2d::new(2).forward(&Variable::zeros([8, 3, 28, 28])).shape(), [8, 3, 14, 14]);
//! ```
//!
//! An axis of L elements has ⌊(L + 2·padding − dilation·(kernel − 1) − 1)/stride⌋ + 1 windows (LeCun and others 1998 for
//! means, Ranzato and others 2007 for maxima); of k adaptive cells, number i covers ⌊i·L/k⌋ to ⌈(i + 1)·L/k⌉.

use super::shape::without_parameters;
use crate::Layer;
use wengert_autograd::{
    Float, PoolOptions, Variable,
    tensor::{Dims, IntoShape},
};

/// Layers whose only part is what `new` makes of its argument.
macro_rules! pools {
    (
        new($argument:ident: $from:ty) $new_doc:literal, $kept:ty = $into:expr, $kept_doc:literal;
        $($(#[$doc:meta])* $layer:ident = $method:ident;)*
    ) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $layer(
            #[doc = $kept_doc]
            pub $kept,
        );

        impl $layer {
            #[doc = $new_doc]
            pub fn new($argument: $from) -> Self {
                $layer($into)
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
    new(windows: impl Into<PoolOptions>)
        "Windows of this size (one number for all axes), side by side; other windows by their [options](PoolOptions).",
    PoolOptions = windows.into(), "The windows.";
    /// The maximum of each window of `[N, C, L]`: to `[N, C, L′]`.
    MaxPool1d = max_pool1d;
    /// The maximum of each window of `[N, C, H, W]`: to `[N, C, H′, W′]`.
    MaxPool2d = max_pool2d;
    /// The maximum of each window of `[N, C, D, H, W]`: to `[N, C, D′, H′, W′]`.
    MaxPool3d = max_pool3d;
    /// The mean of each window of `[N, C, L]`: to `[N, C, L′]`.
    AvgPool1d = avg_pool1d;
    /// The mean of each window of `[N, C, H, W]`: to `[N, C, H′, W′]`.
    AvgPool2d = avg_pool2d;
    /// The mean of each window of `[N, C, D, H, W]`: to `[N, C, D′, H′, W′]`.
    AvgPool3d = avg_pool3d;
}

pools! {
    new(cells: impl IntoShape) "So many cells along each axis (one number for all axes).",
    Dims = cells.into_shape(), "The number of cells along each axis, or along all of them.";
    /// The means of a given number of cells of `[N, C, L]`: to `[N, C, cells]`.
    AdaptiveAvgPool1d = adaptive_avg_pool1d;
    /// The means of a grid of cells of `[N, C, H, W]`: to `[N, C, rows, columns]`.
    AdaptiveAvgPool2d = adaptive_avg_pool2d;
    /// The means of a grid of cells of `[N, C, D, H, W]`.
    AdaptiveAvgPool3d = adaptive_avg_pool3d;
    /// The maxima of a given number of cells of `[N, C, L]`: to `[N, C, cells]`.
    AdaptiveMaxPool1d = adaptive_max_pool1d;
    /// The maxima of a grid of cells of `[N, C, H, W]`: to `[N, C, rows, columns]`.
    AdaptiveMaxPool2d = adaptive_max_pool2d;
    /// The maxima of a grid of cells of `[N, C, D, H, W]`.
    AdaptiveMaxPool3d = adaptive_max_pool3d;
}
