//! Activation functions as layers: each is a method of [`Variable`], whose documentation has the formula's details.
//!
//! ```
//! use wengert_autograd::Variable;
//! use wengert_nn::{Layer, LeakyReLU};
//! let y = LeakyReLU::default().forward(&Variable::from([-1.0_f32, 2.0]));
//! assert_eq!(y.value().to_vec(), [-0.01, 2.0]);
//! ```

use super::shape::without_parameters;
use crate::{Init, Layer, Module};
use wengert_autograd::{Float, Variable};

/// Layers without settings, whose forward is a method of [`Variable`]; they are unit structures.
macro_rules! plain_activations {
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

plain_activations! {
    /// max(x, 0) (Nair and Hinton 2010).
    ReLU = relu;
    /// min(max(x, 0), 6) (Howard and others, "MobileNets", 2017).
    ReLU6 = relu6;
    /// The logistic function 1/(1 + e⁻ˣ).
    Sigmoid = sigmoid;
    /// ln(1/(1 + e⁻ˣ)), without overflow.
    LogSigmoid = logsigmoid;
    /// tanh x.
    Tanh = tanh;
    /// x − tanh x.
    Tanhshrink = tanhshrink;
    /// x/(1 + |x|) (Bergstra and others 2009).
    Softsign = softsign;
    /// x/(1 + e⁻ˣ), also called swish (Elfwing, Uchibe and Doya 2018; Ramachandran, Zoph and Le 2017).
    SiLU = silu;
    /// x·tanh(ln(1 + eˣ)) (Misra 2019).
    Mish = mish;
    /// s·(max(0, x) + min(0, α·(eˣ − 1))) with s = 1.0507… and α = 1.6733…: signals keep mean 0 and variance 1 from layer to
    /// layer, with the initialiser [`LecunNormal`](Init::LecunNormal) (Klambauer and others 2017).
    SELU = selu;
    /// min(max(x + 3, 0), 6)/6, nearly the logistic function (Howard and others 2019).
    Hardsigmoid = hardsigmoid;
    /// x·min(max(x + 3, 0), 6)/6, nearly [`SiLU`] (Howard and others, "Searching for MobileNetV3", 2019).
    Hardswish = hardswish;
}

/// Layers whose forward is an expression of their settings, which are fields, and the input.
macro_rules! activations {
    ($($(#[$doc:meta])* $layer:ident { $($(#[$setting_doc:meta])* $setting:ident: $type:ty = $default:expr),* } |$self:ident, $x:ident| $y:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $layer {
            $($(#[$setting_doc])* pub $setting: $type,)*
        }

        impl Default for $layer {
            fn default() -> Self {
                $layer { $($setting: $default,)* }
            }
        }

        impl<T: Float> Layer<Variable<T>> for $layer {
            type Output = Variable<T>;
            #[track_caller]
            fn forward(&self, input: &Variable<T>) -> Variable<T> {
                let ($self, $x) = (self, input);
                $y
            }
        }
        without_parameters!($layer);
    )*};
}

activations! {
    /// x above 0, slope·x elsewhere (Maas, Hannun and Ng 2013). Elementwise.
    LeakyReLU {
        /// The slope below 0: 0.01.
        negative_slope: f64 = 0.01
    } |layer, x| x.leaky_relu(layer.negative_slope);
    /// x above 0, α·(eˣ − 1) elsewhere (Clevert, Unterthiner and Hochreiter 2016). Elementwise.
    ELU {
        /// α: 1.
        alpha: f64 = 1.0
    } |layer, x| x.elu(layer.alpha);
    /// max(x, 0) + min(0, α·(e^(x/α) − 1)) (Barron 2017). Elementwise.
    CELU {
        /// α: 1.
        alpha: f64 = 1.0
    } |layer, x| x.celu(layer.alpha);
    /// ln(1 + e^(βx))/β; x itself where βx is above the threshold (Dugas and others 2001). Elementwise.
    Softplus {
        /// β: 1.
        beta: f64 = 1.0,
        /// The threshold: 20.
        threshold: f64 = 20.0
    } |layer, x| x.softplus_with(layer.beta, layer.threshold);
    /// min(max(x, low), high) (Collobert 2004). Elementwise.
    Hardtanh {
        /// The lower bound: −1.
        low: f64 = -1.0,
        /// The upper bound: 1.
        high: f64 = 1.0
    } |layer, x| x.hardtanh(layer.low, layer.high);
    /// a·σ(b), with a the first half of an axis and b the second: the axis is half as long in the result (Dauphin and others
    /// 2017).
    GLU {
        /// The axis: the last.
        axis: isize = -1
    } |layer, x| x.glu(layer.axis);
    /// eˣ/Σ eˣ along an axis, of the same shape: numbers from 0 to 1 that sum to 1 (Bridle 1990).
    Softmax {
        /// The axis: the last.
        axis: isize = -1
    } |layer, x| x.softmax(layer.axis);
    /// x − ln Σ eˣ along an axis, of the same shape: the logarithm of [`Softmax`], without overflow.
    LogSoftmax {
        /// The axis: the last.
        axis: isize = -1
    } |layer, x| x.log_softmax(layer.axis);
    /// x·Φ(x) with the normal distribution function Φ, or its approximation by tanh (Hendrycks and Gimpel 2016).
    GELU {
        /// Whether to approximate by tanh, as GPT-2 does: no.
        tanh: bool = false
    } |layer, x| if layer.tanh { x.gelu_tanh() } else { x.gelu() };
    /// e⁻ˣ/Σ e⁻ˣ along an axis: [`Softmax`] of −x.
    Softmin {
        /// The axis: the last.
        axis: isize = -1
    } |layer, x| x.softmin(layer.axis);
    /// x nearer to 0 by λ, and 0 within λ of it: the proximal map of λ·|x|.
    Softshrink {
        /// λ: ½.
        lambda: f64 = 0.5
    } |layer, x| x.softshrink(layer.lambda);
    /// x, and 0 within λ of 0.
    Hardshrink {
        /// λ: ½.
        lambda: f64 = 0.5
    } |layer, x| x.hardshrink(layer.lambda);
    /// x above a threshold, a value elsewhere.
    Threshold {
        /// The threshold: 0.
        threshold: f64 = 0.0,
        /// The value: 0.
        value: f64 = 0.0
    } |layer, x| x.threshold(layer.threshold, layer.value);
}

/// x above 0, a·x elsewhere, with a slope that is learned: one for all, or one for each channel (axis 1)
/// (He and others 2015). `weight` begins as 0.25.
#[derive(Clone, Debug, Module)]
#[module(crate = crate)]
pub struct PReLU<T: Float = f32> {
    /// `[1]` or `[channels]`.
    pub weight: Variable<T>,
}

impl PReLU {
    /// A layer of f32 with this many slopes: 1, or as many as there are channels.
    pub fn new(slopes: usize) -> Self {
        PReLU::typed(slopes)
    }
}

impl<T: Float> PReLU<T> {
    /// A layer of any number type.
    pub fn typed(slopes: usize) -> Self {
        PReLU { weight: Init::Constant(0.25).parameter(slopes) }
    }
}

impl<T: Float> Layer<Variable<T>> for PReLU<T> {
    type Output = Variable<T>;
    #[track_caller]
    fn forward(&self, input: &Variable<T>) -> Variable<T> {
        input.prelu(&self.weight)
    }
}
