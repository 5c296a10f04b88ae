//! Convolutions and their transposes.
//!
//! ```
//! use wengert_autograd::Variable;
//! use wengert_nn::{Conv2d, Layer};
//!
//! let layer = Conv2d::new(3, 16, 3).stride(2).padding(1);
//! assert_eq!(layer.forward(&Variable::zeros([8, 3, 32, 32])).shape(), [8, 16, 16, 16]);
//! ```

use crate::{Init, Layer, Module};
use wengert_autograd::{
    ConvOptions, ConvPadding, ConvTransposeOptions, Float, Variable,
    tensor::{Dims, IntoShape},
};

/// A kernel of `rank` axes from one number for all of them or one for each.
#[track_caller]
fn kernel_sizes(layer: &str, rank: usize, kernel: impl IntoShape) -> Dims {
    let kernel = kernel.into_shape();
    match kernel.len() {
        1 => Dims::filled(rank, kernel[0]),
        len if len == rank => kernel,
        _ => panic!("{layer}: a kernel of {rank} axes wanted, not {kernel:?}"),
    }
}

/// Weight and bias, uniform in ±1/√fan in.
#[track_caller]
fn draw<T: Float>(
    layer: &str,
    sizes: [usize; 2],
    groups: usize,
    kernel: Dims,
    outputs: usize,
) -> (Variable<T>, Variable<T>) {
    let [first, second] = sizes;
    assert!(
        groups > 0 && second % groups == 0 && first % groups == 0,
        "{layer}: {first} and {second} channels do not fall into {groups} groups"
    );
    let mut shape = Dims::new(&[first, second / groups]);
    for &size in kernel.iter() {
        shape = shape.with_pushed(size);
    }
    let fan: usize = shape[1..].iter().product();
    let bound = 1.0 / (fan.max(1) as f64).sqrt();
    let uniform = Init::Uniform { low: -bound, high: bound };
    (uniform.parameter(shape), uniform.parameter(outputs))
}

macro_rules! convolutions {
    ($($(#[$doc:meta])* $layer:ident = $method:ident, rank $rank:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// `weight` has the shape `[out, in / groups, kernel …]`, `bias` `[out]`; both are drawn from the uniform
        /// distribution in ±1/√(in / groups · kernel elements).
        #[derive(Clone, Debug, Module)]
        #[module(crate = crate)]
        pub struct $layer<T: Float = f32> {
            /// `[out, in / groups, kernel …]`.
            pub weight: Variable<T>,
            /// `[out]`.
            pub bias: Option<Variable<T>>,
            #[module(skip)]
            channels: [usize; 2],
            #[module(skip)]
            kernel: Dims,
            #[module(skip)]
            options: ConvOptions,
        }

        impl $layer {
            /// A layer of f32 from `inputs` to `outputs` channels with a kernel of this size (one number for all axes).
            #[track_caller]
            pub fn new(inputs: usize, outputs: usize, kernel: impl IntoShape) -> Self {
                Self::typed(inputs, outputs, kernel)
            }
        }

        impl<T: Float> $layer<T> {
            /// A layer of any number type.
            #[track_caller]
            pub fn typed(inputs: usize, outputs: usize, kernel: impl IntoShape) -> Self {
                let kernel = kernel_sizes(stringify!($layer), $rank, kernel);
                let (weight, bias) = draw(stringify!($layer), [outputs, inputs], 1, kernel, outputs);
                let channels = [outputs, inputs];
                $layer { weight, bias: Some(bias), channels, kernel, options: ConvOptions::new() }
            }
            /// The distance between neighbouring windows: 1.
            #[must_use]
            pub fn stride(mut self, stride: impl IntoShape) -> Self {
                self.options = self.options.stride(stride);
                self
            }
            /// Zeros around the input: none.
            #[must_use]
            pub fn padding(mut self, padding: impl Into<ConvPadding>) -> Self {
                self.options = self.options.padding(padding);
                self
            }
            /// The distance between neighbouring elements of a window: 1.
            #[must_use]
            pub fn dilation(mut self, dilation: impl IntoShape) -> Self {
                self.options = self.options.dilation(dilation);
                self
            }
            /// Into how many groups the channels fall: 1. Draws weight and bias anew.
            ///
            /// # Panics
            /// If the channels do not fall into so many groups.
            #[must_use]
            #[track_caller]
            pub fn groups(mut self, groups: usize) -> Self {
                let (weight, bias) =
                    draw(stringify!($layer), self.channels, groups, self.kernel, self.channels[0]);
                self.weight = weight;
                self.bias = self.bias.map(|_| bias);
                self.options = self.options.groups(groups);
                self
            }
            /// The layer with a bias or without one.
            #[must_use]
            pub fn bias(mut self, bias: bool) -> Self {
                if !bias {
                    self.bias = None;
                }
                self
            }
        }

        impl<T: Float> Layer<Variable<T>> for $layer<T> {
            type Output = Variable<T>;
            #[track_caller]
            fn forward(&self, input: &Variable<T>) -> Variable<T> {
                input.$method(&self.weight, self.bias.as_ref(), self.options)
            }
        }
    )*};
}

convolutions! {
    /// A convolution along one axis: from `[N, in, L]` to `[N, out, L′]`.
    Conv1d = conv1d, rank 1;
    /// A convolution over images: from `[N, in, H, W]` to `[N, out, H′, W′]`.
    Conv2d = conv2d, rank 2;
    /// A convolution over volumes: from `[N, in, D, H, W]` to `[N, out, D′, H′, W′]`.
    Conv3d = conv3d, rank 3;
}

macro_rules! transposed {
    ($($(#[$doc:meta])* $layer:ident = $method:ident, rank $rank:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// `weight` has the shape `[in, out / groups, kernel …]`, `bias` `[out]`; both are drawn from the uniform
        /// distribution in ±1/√(out / groups · kernel elements).
        #[derive(Clone, Debug, Module)]
        #[module(crate = crate)]
        pub struct $layer<T: Float = f32> {
            /// `[in, out / groups, kernel …]`.
            pub weight: Variable<T>,
            /// `[out]`.
            pub bias: Option<Variable<T>>,
            #[module(skip)]
            channels: [usize; 2],
            #[module(skip)]
            kernel: Dims,
            #[module(skip)]
            options: ConvTransposeOptions,
        }

        impl $layer {
            /// A layer of f32 from `inputs` to `outputs` channels with a kernel of this size (one number for all axes).
            #[track_caller]
            pub fn new(inputs: usize, outputs: usize, kernel: impl IntoShape) -> Self {
                Self::typed(inputs, outputs, kernel)
            }
        }

        impl<T: Float> $layer<T> {
            /// A layer of any number type.
            #[track_caller]
            pub fn typed(inputs: usize, outputs: usize, kernel: impl IntoShape) -> Self {
                let kernel = kernel_sizes(stringify!($layer), $rank, kernel);
                let (weight, bias) = draw(stringify!($layer), [inputs, outputs], 1, kernel, outputs);
                let channels = [inputs, outputs];
                $layer { weight, bias: Some(bias), channels, kernel, options: ConvTransposeOptions::new() }
            }
            /// The distance in the result between what neighbouring elements of the input are spread to: 1.
            #[must_use]
            pub fn stride(mut self, stride: impl IntoShape) -> Self {
                self.options = self.options.stride(stride);
                self
            }
            /// How much is cut off on both sides of the result: nothing.
            #[must_use]
            pub fn padding(mut self, padding: impl IntoShape) -> Self {
                self.options = self.options.padding(padding);
                self
            }
            /// How much larger the result is at the end of each axis: nothing.
            #[must_use]
            pub fn output_padding(mut self, padding: impl IntoShape) -> Self {
                self.options = self.options.output_padding(padding);
                self
            }
            /// The distance between neighbouring elements of a window: 1.
            #[must_use]
            pub fn dilation(mut self, dilation: impl IntoShape) -> Self {
                self.options = self.options.dilation(dilation);
                self
            }
            /// Into how many groups the channels fall: 1. Draws weight and bias anew.
            ///
            /// # Panics
            /// If the channels do not fall into so many groups.
            #[must_use]
            #[track_caller]
            pub fn groups(mut self, groups: usize) -> Self {
                let (weight, bias) =
                    draw(stringify!($layer), self.channels, groups, self.kernel, self.channels[1]);
                self.weight = weight;
                self.bias = self.bias.map(|_| bias);
                self.options = self.options.groups(groups);
                self
            }
            /// The layer with a bias or without one.
            #[must_use]
            pub fn bias(mut self, bias: bool) -> Self {
                if !bias {
                    self.bias = None;
                }
                self
            }
        }

        impl<T: Float> Layer<Variable<T>> for $layer<T> {
            type Output = Variable<T>;
            #[track_caller]
            fn forward(&self, input: &Variable<T>) -> Variable<T> {
                input.$method(&self.weight, self.bias.as_ref(), self.options)
            }
        }
    )*};
}

transposed! {
    /// The adjoint of a convolution along one axis: from `[N, in, L]` to `[N, out, L′]`.
    ConvTranspose1d = conv_transpose1d, rank 1;
    /// The adjoint of a convolution over images: from `[N, in, H, W]` to `[N, out, H′, W′]`.
    ConvTranspose2d = conv_transpose2d, rank 2;
}
