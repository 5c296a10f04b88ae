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

/// Layers of one kind: the options that they take, the order of channels in their weights, and their setters.
macro_rules! convolutions {
    (
        options $options:ident, weight $weight:literal, bound $bound:literal, channels $channels:expr;
        setters $setters:tt
        $($(#[$doc:meta])* $layer:ident = $method:ident, rank $rank:literal;)*
    ) => {$(
        $(#[$doc])*
        ///
        #[doc = concat!("`weight` has the shape `", $weight, "`, `bias` `[out]`; both are drawn from the uniform")]
        #[doc = concat!("distribution in ±", $bound, ".")]
        #[derive(Clone, Debug, Module)]
        #[module(crate = crate)]
        pub struct $layer<T: Float = f32> {
            #[doc = concat!("`", $weight, "`.")]
            pub weight: Variable<T>,
            /// `[out]`.
            pub bias: Option<Variable<T>>,
            #[module(skip)]
            inputs: usize,
            #[module(skip)]
            outputs: usize,
            #[module(skip)]
            kernel: Dims,
            #[module(skip)]
            options: $options,
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
                let (weight, bias) =
                    draw(stringify!($layer), ($channels)(inputs, outputs), 1, kernel, outputs);
                $layer { weight, bias: Some(bias), inputs, outputs, kernel, options: $options::new() }
            }
            /// Into how many groups the channels fall: 1. Draws weight and bias anew.
            ///
            /// # Panics
            /// If the channels do not fall into so many groups.
            #[must_use]
            #[track_caller]
            pub fn groups(mut self, groups: usize) -> Self {
                let channels = ($channels)(self.inputs, self.outputs);
                let (weight, bias) = draw(stringify!($layer), channels, groups, self.kernel, self.outputs);
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
        setters! { $layer $setters }

        impl<T: Float> Layer<Variable<T>> for $layer<T> {
            type Output = Variable<T>;
            #[track_caller]
            fn forward(&self, input: &Variable<T>) -> Variable<T> {
                input.$method(&self.weight, self.bias.as_ref(), self.options)
            }
        }
    )*};
}

/// The methods of a layer that set one of its options.
macro_rules! setters {
    ($layer:ident { $($(#[$doc:meta])* $option:ident: $argument:ty;)* }) => {
        impl<T: Float> $layer<T> {$(
            $(#[$doc])*
            #[must_use]
            pub fn $option(mut self, $option: $argument) -> Self {
                self.options = self.options.$option($option);
                self
            }
        )*}
    };
}

convolutions! {
    options ConvOptions, weight "[out, in / groups, kernel …]", bound "1/√(in / groups · kernel elements)",
    channels |inputs: usize, outputs: usize| [outputs, inputs];
    setters {
        /// The distance between neighbouring windows: 1.
        stride: impl IntoShape;
        /// Zeros around the input: none.
        padding: impl Into<ConvPadding>;
        /// The distance between neighbouring elements of a window: 1.
        dilation: impl IntoShape;
    }
    /// A convolution along one axis: from `[N, in, L]` to `[N, out, L′]`.
    Conv1d = conv1d, rank 1;
    /// A convolution over images: from `[N, in, H, W]` to `[N, out, H′, W′]`.
    Conv2d = conv2d, rank 2;
    /// A convolution over volumes: from `[N, in, D, H, W]` to `[N, out, D′, H′, W′]`.
    Conv3d = conv3d, rank 3;
}

convolutions! {
    options ConvTransposeOptions, weight "[in, out / groups, kernel …]", bound "1/√(out / groups · kernel elements)",
    channels |inputs: usize, outputs: usize| [inputs, outputs];
    setters {
        /// The distance in the result between what neighbouring elements of the input are spread to: 1.
        stride: impl IntoShape;
        /// How much is cut off on both sides of the result: nothing.
        padding: impl IntoShape;
        /// How much larger the result is at the end of each axis: nothing.
        output_padding: impl IntoShape;
        /// The distance between neighbouring elements of a window: 1.
        dilation: impl IntoShape;
    }
    /// The adjoint of a convolution along one axis: from `[N, in, L]` to `[N, out, L′]`.
    ConvTranspose1d = conv_transpose1d, rank 1;
    /// The adjoint of a convolution over images: from `[N, in, H, W]` to `[N, out, H′, W′]`.
    ConvTranspose2d = conv_transpose2d, rank 2;
    /// The adjoint of a convolution over volumes: from `[N, in, D, H, W]` to `[N, out, D′, H′, W′]`.
    ConvTranspose3d = conv_transpose3d, rank 3;
}
