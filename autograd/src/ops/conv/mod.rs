//! Convolutions of one, two and three spatial axes, and the transposed ones.
//!
//! ```
//! use wengert_autograd::{ConvOptions, Variable};
//!
//! let images = Variable::ones([8, 3, 32, 32]);
//! let weight = Variable::ones([16, 3, 5, 5]).requires_grad();
//! let y = images.conv2d(&weight, None, ConvOptions::new().stride(2).padding(2));
//! assert_eq!(y.shape(), [8, 16, 16, 16]);
//! y.sum().backward();
//! assert_eq!(weight.grad().unwrap().shape(), [16, 3, 5, 5]);
//! ```
//!
//! ⟨ȳ, conv(x, w)⟩ is a trilinear form: linear in each of ȳ, x and w. The convolution is its derivative with respect to ȳ,
//! the transposed convolution that with respect to x, and the gradient of the weight that with respect to w. One
//! operation stands for all three, with the name of the argument that it is the derivative for, and its rules are the other
//! two: the family is closed under differentiation, to any order.

pub(crate) mod columns;
mod options;

pub use options::{ConvOptions, ConvPadding, ConvTransposeOptions};
pub(crate) use options::{promote, size_setters, span, spatial};

use super::registry::samples;
use crate::{
    graph::{Context, Cotangents, Grads, Keep, Op, Variable, mode::line, op::Line, variable::record},
    kernel::conv::{self, Geometry},
    scalar::{Float, float::compiled},
    tensor::{Tensor, valid},
};
use std::borrow::Cow;

/// Which of x, w and ȳ the trilinear form is differentiated for: what the operation's result stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// y from (x, w): the convolution.
    Output,
    /// x̄ from (ȳ, w): the transposed convolution.
    Input,
    /// w̄ from (x, ȳ).
    Weight,
}

/// A derivative of the trilinear form. A third input, if there is one, is added to each channel of the result.
struct Convolution {
    geometry: Geometry,
    part: Part,
    biased: bool,
}

impl<T: Float> Op<T> for Convolution {
    fn name(&self) -> &'static str {
        let names = match self.part {
            Part::Output => ["conv1d", "conv2d", "conv3d"],
            Part::Input => ["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"],
            Part::Weight => ["conv1d_weight_gradient", "conv2d_weight_gradient", "conv3d_weight_gradient"],
        };
        names[self.geometry.rank - 1]
    }

    fn rule(&self) -> Cow<'static, str> {
        match self.part {
            Part::Output => {
                "y = x ∗ w; x̄ += ȳ ∗ᵀ w, the transposed convolution; w̄ += x ∗ ȳ, over the batch; b̄ += Σ ȳ"
                    .into()
            }
            Part::Input => {
                "y = x ∗ᵀ w; x̄ += ȳ ∗ w, the convolution; w̄ += ȳ ∗ x, over the batch; b̄ += Σ ȳ".into()
            }
            Part::Weight => "y = a ∗ b, over the batch; ā += b ∗ᵀ ȳ; b̄ += a ∗ ȳ".into(),
        }
    }

    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let g = g.only();
        let find = |part, a: &Variable<T>, b: &Variable<T>| apply(self.geometry, part, a, b, None, line());
        let first = || match self.part {
            Part::Output => find(Part::Input, &g, &cx.input(1)),
            Part::Input => find(Part::Output, &g, &cx.input(1)),
            Part::Weight => find(Part::Input, &cx.input(1), &g),
        };
        let second = || match self.part {
            Part::Output => find(Part::Weight, &cx.input(0), &g),
            Part::Input => find(Part::Weight, &g, &cx.input(0)),
            Part::Weight => find(Part::Output, &cx.input(0), &g),
        };
        let bias = || sum_to_channels(&g);
        if self.biased { cx.gradients([&first, &second, &bias]) } else { cx.gradients([&first, &second]) }
    }
}

/// The sums over batch and spatial axes.
fn sum_to_channels<T: Float>(x: &Variable<T>) -> Variable<T> {
    let shape = x.shape();
    let plane: usize = shape[2..].iter().product();
    x.reshape([shape[0], shape[1], plane]).sum_axes(2, false).sum_axes(0, false)
}

fn apply<T: Float>(
    geometry: Geometry,
    part: Part,
    a: &Variable<T>,
    b: &Variable<T>,
    bias: Option<&Variable<T>>,
    line: Line,
) -> Variable<T> {
    let (a_value, b_value, bias_value) = (a.read(), b.read(), bias.map(Variable::read));
    let kernel_bias: Option<&Tensor<T>> = bias_value.as_deref();
    let value = match part {
        Part::Output => conv::output(&geometry, &a_value, &b_value, kernel_bias),
        Part::Input => conv::input(&geometry, &a_value, &b_value, kernel_bias),
        Part::Weight => conv::weight(&geometry, &a_value, &b_value),
    };
    let op = Convolution { geometry, part, biased: bias.is_some() };
    // Each factor is read for the gradient of the other.
    let read = [(0, b.needs_grad()), (1, a.needs_grad())];
    let keep = Keep::inputs(read.into_iter().filter(|(_, read)| *read).map(|(input, _)| input));
    match (bias, kernel_bias) {
        (Some(bias), Some(bias_value)) => {
            record(op, &[a, b, bias], &[&a_value, &b_value, bias_value], value, keep, line)
        }
        _ => record(op, &[a, b], &[&a_value, &b_value], value, keep, line),
    }
}

/// The bias must have a number for each channel of the result.
#[track_caller]
fn check_bias<T: Float>(name: &'static str, bias: Option<&Variable<T>>, channels: usize) {
    if let Some(bias) = bias.filter(|bias| bias.shape() != [channels]) {
        let problem = format!("the bias must have the shape [{channels}]");
        crate::tensor::TensorError::argument(name, &bias.shape(), problem).raise();
    }
}

macro_rules! convolutions {
    ($($(#[$doc:meta])* $name:ident: $options:ty, $rank:literal, $part:ident, $shape:ident;)*) => {
        impl<T: Float> Variable<T> {$(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self, weight: &Variable<T>, bias: Option<&Variable<T>>, options: $options) -> Variable<T> {
                if self.rank() == $rank + 1 {
                    return self.unsqueeze(0).$name(weight, bias, options).squeeze(0);
                }
                let geometry = valid(options.geometry(stringify!($name), $rank, self.shape(), weight.shape()));
                check_bias(stringify!($name), bias, geometry.$shape()[1]);
                let (x, part, line) = (self, Part::$part, line());
                compiled!(apply(
                    geometry: Geometry,
                    part: Part,
                    x: &Variable<T>,
                    weight: &Variable<T>,
                    bias: Option<&Variable<T>>,
                    line: Line
                ) -> Variable<T>)
            }
        )*}
    };
}

convolutions! {
    /// The convolution (cross-correlation, as everywhere in the field) along one spatial axis.
    ///
    /// `self` is `[N, in, L]`, `weight` `[out, in / groups, K]`, `bias` `[out]`; the result is `[N, out, L′]` with
    /// L′ = ⌊(L + padding − dilation·(K − 1) − 1) / stride⌋ + 1, the padding counted on both sides:
    /// y\[n, o, l\] = b\[o\] + Σ over c, k of w\[o, c, k\] · x\[n, c, l·stride + k·dilation − padding\].
    ///
    /// A single example comes without the batch axis and goes without it.
    ///
    /// Gradients: x̄ is the transposed convolution of ȳ, w̄ the correlation of x with ȳ, b̄ the sum over batch and positions.
    ///
    /// ```
    /// use wengert_autograd::{ConvOptions, Variable};
    /// let x = Variable::from([[[1.0_f32, 2.0, 4.0, 7.0]]]);
    /// let difference = Variable::from([[[-1.0_f32, 1.0]]]);
    /// let y = x.conv1d(&difference, None, ConvOptions::new());
    /// assert_eq!(y.value().to_vec(), [1.0, 2.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes are not these, or the kernel with its dilation is longer than the padded input.
    conv1d: ConvOptions, 1, Output, output_shape;

    /// The convolution (cross-correlation) along two spatial axes: `[N, in, H, W]` and a weight
    /// `[out, in / groups, kH, kW]` give `[N, out, H′, W′]`; sizes and gradients as for [`conv1d`](Self::conv1d), axis by axis.
    ///
    /// ```
    /// use wengert_autograd::{ConvOptions, ConvPadding, Variable};
    /// let (x, weight, bias) = (Variable::ones([1, 2, 4, 4]), Variable::ones([3, 2, 3, 3]), Variable::ones([3]));
    /// let y = x.conv2d(&weight, Some(&bias), ConvOptions::new().padding(ConvPadding::Same));
    /// assert_eq!(y.shape(), [1, 3, 4, 4]);
    /// assert_eq!(y.value().get(&[0, 0, 1, 1]), Some(19.0)); // 2 channels · 9 elements + the bias
    /// ```
    ///
    /// # Panics
    /// If the shapes are not these, or the kernel with its dilation is larger than the padded input.
    conv2d: ConvOptions, 2, Output, output_shape;

    /// The convolution (cross-correlation) along three spatial axes: `[N, in, D, H, W]` and a weight
    /// `[out, in / groups, kD, kH, kW]` give `[N, out, D′, H′, W′]`; sizes and gradients as for [`conv1d`](Self::conv1d),
    /// axis by axis.
    ///
    /// ```
    /// use wengert_autograd::{ConvOptions, Variable};
    /// let y = Variable::ones([1, 1, 4, 4, 4]).conv3d(&Variable::ones([2, 1, 2, 2, 2]), None, ConvOptions::new());
    /// assert_eq!(y.shape(), [1, 2, 3, 3, 3]);
    /// ```
    ///
    /// # Panics
    /// If the shapes are not these, or the kernel with its dilation is larger than the padded input.
    conv3d: ConvOptions, 3, Output, output_shape;

    /// The transposed convolution along one spatial axis: the adjoint of [`conv1d`](Self::conv1d) with the same weight.
    ///
    /// `self` is `[N, in, L]`, `weight` `[in, out / groups, K]`, `bias` `[out]`; the result is `[N, out, L′]` with
    /// L′ = (L − 1)·stride − 2·padding + dilation·(K − 1) + output_padding + 1: each element of the input adds its multiple of
    /// the kernel to the result (V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep learning", 2016).
    ///
    /// Gradients: x̄ is the convolution of ȳ, w̄ the correlation of ȳ with x, b̄ the sum over batch and positions.
    ///
    /// ```
    /// use wengert_autograd::{ConvTransposeOptions, Variable};
    /// let (x, weight) = (Variable::from([[[1.0_f32, 2.0]]]), Variable::from([[[1.0_f32, 10.0, 100.0]]]));
    /// let y = x.conv_transpose1d(&weight, None, ConvTransposeOptions::new());
    /// assert_eq!(y.value().to_vec(), [1.0, 12.0, 120.0, 200.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes are not these, or the padding leaves nothing.
    conv_transpose1d: ConvTransposeOptions, 1, Input, input_shape;

    /// The transposed convolution along two spatial axes: `[N, in, H, W]` and a weight `[in, out / groups, kH, kW]` give
    /// `[N, out, H′, W′]`; see [`conv_transpose1d`](Self::conv_transpose1d).
    ///
    /// ```
    /// use wengert_autograd::{ConvTransposeOptions, Variable};
    /// let (x, weight) = (Variable::ones([1, 4, 5, 5]), Variable::ones([4, 2, 2, 2]));
    /// let y = x.conv_transpose2d(&weight, None, ConvTransposeOptions::new().stride(2));
    /// assert_eq!(y.shape(), [1, 2, 10, 10]);
    /// ```
    ///
    /// # Panics
    /// If the shapes are not these, or the padding leaves nothing.
    conv_transpose2d: ConvTransposeOptions, 2, Input, input_shape;

    /// The transposed convolution along three spatial axes: `[N, in, D, H, W]` and a weight
    /// `[in, out / groups, kD, kH, kW]` give `[N, out, D′, H′, W′]`; see [`conv_transpose1d`](Self::conv_transpose1d).
    ///
    /// ```
    /// use wengert_autograd::{ConvTransposeOptions, Variable};
    /// let (x, weight) = (Variable::ones([1, 1, 2, 2, 2]), Variable::ones([1, 1, 3, 3, 3]));
    /// assert_eq!(x.conv_transpose3d(&weight, None, ConvTransposeOptions::new()).shape(), [1, 1, 4, 4, 4]);
    /// ```
    ///
    /// # Panics
    /// If the shapes are not these, or the padding leaves nothing.
    conv_transpose3d: ConvTransposeOptions, 3, Input, input_shape;
}

samples! {
    conv1d {
        "stride, padding and dilation" (x: normal([2, 2, 9]), w: normal([3, 2, 3]), b: normal([3])) =>
            x.conv1d(w, Some(b), ConvOptions::new().stride(2).padding(2).dilation(2));
        "an even kernel, same sizes" (x: normal([1, 2, 5]), w: normal([2, 2, 4])) =>
            x.conv1d(w, None, ConvOptions::new().padding(ConvPadding::Same));
        "a kernel of one" (x: normal([2, 3, 4]), w: normal([2, 3, 1]), b: normal([2])) =>
            x.conv1d(w, Some(b), ConvOptions::new());
        "an empty batch" (x: normal([0, 2, 5]), w: normal([3, 2, 3]), b: normal([3])) =>
            x.conv1d(w, Some(b), ConvOptions::new());
        "too long a kernel" (x: normal([1, 1, 3]), w: normal([1, 1, 3])) =>
            x.conv1d(w, None, ConvOptions::new().dilation(2)), panics("spans 5 elements of axis 2, which has 3");
        "other channels" (x: normal([1, 2, 5]), w: normal([1, 3, 3])) =>
            x.conv1d(w, None, ConvOptions::new()), panics("takes 3 channels");
    }
    conv2d {
        "a bias and padding" (x: normal([2, 2, 5, 4]), w: normal([3, 2, 3, 2]), b: normal([3])) =>
            x.conv2d(w, Some(b), ConvOptions::new().padding([1, 2]));
        "strides that leave a rest" (x: normal([1, 2, 6, 7]), w: normal([2, 2, 2, 3])) =>
            x.conv2d(w, None, ConvOptions::new().stride([3, 2]));
        "groups" (x: normal([2, 4, 4, 4]), w: normal([6, 2, 3, 3]), b: normal([6])) =>
            x.conv2d(w, Some(b), ConvOptions::new().groups(2).padding(1));
        "each channel by itself" (x: normal([2, 3, 4, 4]), w: normal([3, 1, 3, 3])) =>
            x.conv2d(w, None, ConvOptions::new().groups(3));
        "without a batch" (x: normal([2, 4, 3]), w: normal([3, 2, 2, 2]), b: normal([3])) =>
            x.conv2d(w, Some(b), ConvOptions::new());
        "groups of other sizes" (x: normal([1, 4, 4, 4]), w: normal([3, 2, 3, 3])) =>
            x.conv2d(w, None, ConvOptions::new().groups(2)), panics("the 3 outputs of the weight do not fall into 2 groups");
        "more padding than kernel" (x: normal([1, 1, 2, 2]), w: normal([1, 1, 2, 2])) =>
            x.conv2d(w, None, ConvOptions::new().padding(3));
        "a wrong bias" (x: normal([1, 1, 4, 4]), w: normal([2, 1, 3, 3]), b: normal([3])) =>
            x.conv2d(w, Some(b), ConvOptions::new()), panics("the bias must have the shape [2]");
        "a matrix" (x: normal([4, 4]), w: normal([2, 1, 3, 3])) =>
            x.conv2d(w, None, ConvOptions::new()), panics("the input must be [batch, channels, 2 spatial axes]");
        "no stride" (x: normal([1, 1, 4, 4]), w: normal([2, 1, 3, 3])) =>
            x.conv2d(w, None, ConvOptions::new().stride(0)), panics("stride must be one number");
    }
    conv3d {
        "stride and padding" (x: normal([1, 2, 3, 4, 3]), w: normal([2, 2, 2, 3, 2]), b: normal([2])) =>
            x.conv3d(w, Some(b), ConvOptions::new().stride([1, 2, 1]).padding([0, 1, 1]));
    }
    conv_transpose1d {
        "stride and output padding" (x: normal([2, 2, 4]), w: normal([2, 3, 3]), b: normal([3])) =>
            x.conv_transpose1d(w, Some(b), ConvTransposeOptions::new().stride(3).padding(1).output_padding(2));
        "dilation" (x: normal([1, 2, 3]), w: normal([2, 1, 3])) =>
            x.conv_transpose1d(w, None, ConvTransposeOptions::new().dilation(2).output_padding(1));
        "an empty batch" (x: normal([0, 2, 3]), w: normal([2, 1, 3])) =>
            x.conv_transpose1d(w, None, ConvTransposeOptions::new());
    }
    conv_transpose2d {
        "stride" (x: normal([2, 2, 3, 2]), w: normal([2, 2, 2, 3]), b: normal([2])) =>
            x.conv_transpose2d(w, Some(b), ConvTransposeOptions::new().stride([2, 1]).padding([0, 1]));
        "groups" (x: normal([1, 4, 2, 3]), w: normal([4, 1, 2, 2]), b: normal([2])) =>
            x.conv_transpose2d(w, Some(b), ConvTransposeOptions::new().groups(2));
        "a kernel of one" (x: normal([2, 3, 2, 2]), w: normal([3, 2, 1, 1]), b: normal([2])) =>
            x.conv_transpose2d(w, Some(b), ConvTransposeOptions::new());
        "an empty batch" (x: normal([0, 2, 3, 1]), w: normal([2, 1, 2, 2]), b: normal([1])) =>
            x.conv_transpose2d(w, Some(b), ConvTransposeOptions::new());
        "too much output padding" (x: normal([1, 1, 2, 2]), w: normal([1, 1, 2, 2])) =>
            x.conv_transpose2d(w, None, ConvTransposeOptions::new().output_padding(1)), panics("output_padding 1 must be less");
        "other channels" (x: normal([1, 3, 2, 2]), w: normal([2, 3, 2, 2])) =>
            x.conv_transpose2d(w, None, ConvTransposeOptions::new()), panics("takes 2 channels");
    }
    conv_transpose3d {
        "stride and padding" (x: normal([1, 2, 2, 2, 3]), w: normal([2, 2, 2, 2, 2])) =>
            x.conv_transpose3d(w, None, ConvTransposeOptions::new().stride([1, 2, 2]).padding([0, 1, 0]));
    }
}
