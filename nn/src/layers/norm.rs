//! Normalisation: to mean 0 and variance 1 over the batch, over features, or over groups of channels.

use crate::{Buffer, Init, Layer, Module, Training};
use wengert_autograd::{
    Float, Tensor, Variable,
    tensor::{Dims, IntoShape},
};

/// What the normalisations that begin with weight and bias let one choose.
macro_rules! options_of_norms {
    ($layer:ident) => {
        impl<T: Float> $layer<T> {
            /// ε, which keeps the division finite: 10⁻⁵.
            #[must_use]
            pub fn eps(mut self, eps: f64) -> Self {
                self.eps = eps;
                self
            }
            /// With weight and bias or without.
            #[must_use]
            pub fn affine(mut self, affine: bool) -> Self {
                if !affine {
                    (self.weight, self.bias) = (None, None);
                }
                self
            }
        }
    };
}

/// (x − μ)/√(σ² + ε)·γ + β with mean and variance over the last axes (Ba, Kiros and Hinton 2016).
///
/// `weight` γ (ones) and `bias` β (zeros) have the normalised shape; ε is 10⁻⁵.
///
/// ```
/// use wengert_autograd::Variable;
/// use wengert_nn::{Layer, LayerNorm};
///
/// let y = LayerNorm::new(2).forward(&Variable::from([[1.0_f32, 3.0]]));
/// assert!((y.value().to_vec()[1] - 1.0).abs() < 1e-4);
/// ```
#[derive(Clone, Debug, Module)]
#[module(crate = crate)]
pub struct LayerNorm<T: Float = f32> {
    /// γ.
    pub weight: Option<Variable<T>>,
    /// β.
    pub bias: Option<Variable<T>>,
    #[module(skip)]
    shape: Dims,
    #[module(skip)]
    eps: f64,
}

impl LayerNorm {
    /// A layer of f32 over last axes of this shape.
    pub fn new(shape: impl IntoShape) -> Self {
        LayerNorm::typed(shape)
    }
}

impl<T: Float> LayerNorm<T> {
    /// A layer of any number type.
    pub fn typed(shape: impl IntoShape) -> Self {
        let shape = shape.into_shape();
        let (weight, bias) = (Init::Constant(1.0).parameter(shape), Init::Constant(0.0).parameter(shape));
        LayerNorm { weight: Some(weight), bias: Some(bias), shape, eps: 1e-5 }
    }
}
options_of_norms!(LayerNorm);

impl<T: Float> Layer<Variable<T>> for LayerNorm<T> {
    type Output = Variable<T>;
    #[track_caller]
    fn forward(&self, input: &Variable<T>) -> Variable<T> {
        input.layer_norm(self.shape, self.weight.as_ref(), self.bias.as_ref(), self.eps)
    }
}

/// x/√(mean of x² + ε)·γ over the last axes (Zhang and Sennrich 2019).
///
/// `weight` γ (ones) has the normalised shape; ε is the machine's rounding unit of the number type, as in PyTorch.
///
/// ```
/// use wengert_autograd::Variable;
/// use wengert_nn::{Layer, RMSNorm};
///
/// let y = RMSNorm::new(2).forward(&Variable::from([[3.0_f32, 3.0]]));
/// assert!((y.value().to_vec()[0] - 1.0).abs() < 1e-5);
/// ```
#[derive(Clone, Debug, Module)]
#[module(crate = crate)]
pub struct RMSNorm<T: Float = f32> {
    /// γ.
    pub weight: Option<Variable<T>>,
    #[module(skip)]
    shape: Dims,
    #[module(skip)]
    eps: f64,
}

impl RMSNorm {
    /// A layer of f32 over last axes of this shape.
    pub fn new(shape: impl IntoShape) -> Self {
        RMSNorm::typed(shape)
    }
}

impl<T: Float> RMSNorm<T> {
    /// A layer of any number type.
    pub fn typed(shape: impl IntoShape) -> Self {
        let shape = shape.into_shape();
        RMSNorm { weight: Some(Init::Constant(1.0).parameter(shape)), shape, eps: T::epsilon().into_f64() }
    }
    /// ε, which keeps the division finite.
    #[must_use]
    pub fn eps(mut self, eps: f64) -> Self {
        self.eps = eps;
        self
    }
}

impl<T: Float> Layer<Variable<T>> for RMSNorm<T> {
    type Output = Variable<T>;
    #[track_caller]
    fn forward(&self, input: &Variable<T>) -> Variable<T> {
        input.rms_norm(self.shape, self.weight.as_ref(), self.eps)
    }
}

/// Each group of channels of `[N, C, …]` to mean 0 and variance 1, then ·γ + β for each channel (Wu and He 2018).
///
/// `weight` γ (ones) and `bias` β (zeros) have the shape `[C]`; ε is 10⁻⁵.
///
/// ```
/// use wengert_autograd::Variable;
/// use wengert_nn::{GroupNorm, Layer};
/// assert_eq!(GroupNorm::new(2, 6).forward(&Variable::ones([4, 6, 5, 5])).shape(), [4, 6, 5, 5]);
/// ```
#[derive(Clone, Debug, Module)]
#[module(crate = crate)]
pub struct GroupNorm<T: Float = f32> {
    /// γ.
    pub weight: Option<Variable<T>>,
    /// β.
    pub bias: Option<Variable<T>>,
    #[module(skip)]
    groups: usize,
    #[module(skip)]
    channels: usize,
    #[module(skip)]
    eps: f64,
}

impl GroupNorm {
    /// A layer of f32 for `channels` channels in `groups` groups.
    ///
    /// # Panics
    /// If the channels do not fall into so many groups.
    #[track_caller]
    pub fn new(groups: usize, channels: usize) -> Self {
        GroupNorm::typed(groups, channels)
    }
}

impl<T: Float> GroupNorm<T> {
    /// A layer of any number type.
    ///
    /// # Panics
    /// If the channels do not fall into so many groups.
    #[track_caller]
    pub fn typed(groups: usize, channels: usize) -> Self {
        assert!(
            groups > 0 && channels.is_multiple_of(groups),
            "GroupNorm: {channels} channels do not fall into {groups} groups"
        );
        let (weight, bias) =
            (Init::Constant(1.0).parameter(channels), Init::Constant(0.0).parameter(channels));
        GroupNorm { weight: Some(weight), bias: Some(bias), groups, channels, eps: 1e-5 }
    }
}
options_of_norms!(GroupNorm);

impl<T: Float> Layer<Variable<T>> for GroupNorm<T> {
    type Output = Variable<T>;
    #[track_caller]
    fn forward(&self, input: &Variable<T>) -> Variable<T> {
        let shape = input.shape();
        assert!(
            shape.len() >= 2 && shape[1] == self.channels,
            "GroupNorm: [N, {}, …] wanted, not {shape:?}",
            self.channels
        );
        input.group_norm(self.groups, self.weight.as_ref(), self.bias.as_ref(), self.eps)
    }
}

macro_rules! over_channels {
    ($($(#[$doc:meta])* $layer:ident, rank $($rank:literal)|+;)*) => {$(
        $(#[$doc])*
        ///
        /// In training each channel gets mean 0 and variance 1 over the batch and all positions, and the running statistics
        /// follow: r ← (1 − m)·r + m·statistic with m = 0.1, the variance divided by n − 1. In evaluation the running
        /// statistics stand in their place. `weight` γ (ones) and `bias` β (zeros) have the shape `[C]`; ε is 10⁻⁵.
        #[derive(Clone, Debug, Module)]
        #[module(crate = crate)]
        pub struct $layer<T: Float = f32> {
            /// γ.
            pub weight: Option<Variable<T>>,
            /// β.
            pub bias: Option<Variable<T>>,
            /// The running mean of each channel.
            pub running_mean: Buffer<T>,
            /// The running variance of each channel.
            pub running_var: Buffer<T>,
            /// How many batches the running statistics have seen.
            pub num_batches_tracked: Buffer<T>,
            training: Training,
            #[module(skip)]
            eps: f64,
            #[module(skip)]
            momentum: Option<f64>,
        }

        impl $layer {
            /// A layer of f32 for this many channels.
            pub fn new(channels: usize) -> Self {
                Self::typed(channels)
            }
        }

        impl<T: Float> $layer<T> {
            /// A layer of any number type.
            pub fn typed(channels: usize) -> Self {
                $layer {
                    weight: Some(Init::Constant(1.0).parameter(channels)),
                    bias: Some(Init::Constant(0.0).parameter(channels)),
                    running_mean: Buffer::new(Tensor::zeros([channels])),
                    running_var: Buffer::new(Tensor::ones([channels])),
                    num_batches_tracked: Buffer::new(Tensor::zeros(())),
                    training: Training::default(),
                    eps: 1e-5,
                    momentum: Some(0.1),
                }
            }
            /// How far the running statistics move with a batch, 0.1; without a number they are the plain mean over all
            /// batches.
            #[must_use]
            pub fn momentum(mut self, momentum: Option<f64>) -> Self {
                self.momentum = momentum;
                self
            }
        }
        options_of_norms!($layer);

        impl<T: Float> Layer<Variable<T>> for $layer<T> {
            type Output = Variable<T>;
            #[track_caller]
            fn forward(&self, input: &Variable<T>) -> Variable<T> {
                let (shape, channels) = (input.shape(), self.running_mean.value().len());
                assert!(
                    matches!(shape.len(), $($rank)|+) && shape[1] == channels,
                    "{}: {channels} channels at axis 1 wanted, the input has the shape {shape:?}",
                    stringify!($layer)
                );
                let (weight, bias) = (self.weight.as_ref(), self.bias.as_ref());
                let (mean, variance) = (self.running_mean.value(), self.running_var.value());
                if !self.training.is_on() {
                    return input.batch_norm_with(&mean, &variance, weight, bias, self.eps);
                }
                let (y, moments) = input.batch_norm(weight, bias, self.eps);
                let seen = self.num_batches_tracked.value().item() + T::one();
                self.num_batches_tracked.set(Tensor::scalar(seen));
                let momentum = self.momentum.unwrap_or(1.0 / seen.into_f64());
                let (mean, variance) = moments.blended_into(&mean, &variance, momentum);
                self.running_mean.set(mean);
                self.running_var.set(variance);
                y
            }
        }
    )*};
}

over_channels! {
    /// Batch normalisation of `[N, C]` or `[N, C, L]` (Ioffe and Szegedy 2015).
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// use wengert_nn::{BatchNorm1d, Layer};
    ///
    /// let norm = BatchNorm1d::new(1);
    /// let y = norm.forward(&Variable::from([[1.0_f32], [3.0]]));
    /// assert!((y.value().to_vec()[1] - 1.0).abs() < 1e-4);
    /// assert!((norm.running_mean.value().item() - 0.2).abs() < 1e-6);
    /// ```
    BatchNorm1d, rank 2 | 3;
    /// Batch normalisation of `[N, C, H, W]` (Ioffe and Szegedy 2015).
    BatchNorm2d, rank 4;
    /// Batch normalisation of `[N, C, D, H, W]` (Ioffe and Szegedy 2015).
    BatchNorm3d, rank 5;
}

macro_rules! instances {
    ($($(#[$doc:meta])* $layer:ident, rank $rank:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// `weight` γ (ones) and `bias` β (zeros) `[C]` only when [`affine`](Self::affine) asks for them; ε is 10⁻⁵.
        #[derive(Clone, Debug, Module)]
        #[module(crate = crate)]
        pub struct $layer<T: Float = f32> {
            /// γ.
            pub weight: Option<Variable<T>>,
            /// β.
            pub bias: Option<Variable<T>>,
            #[module(skip)]
            channels: usize,
            #[module(skip)]
            eps: f64,
        }

        impl $layer {
            /// A layer of f32 for this many channels.
            pub fn new(channels: usize) -> Self {
                Self::typed(channels)
            }
        }

        impl<T: Float> $layer<T> {
            /// A layer of any number type.
            pub fn typed(channels: usize) -> Self {
                $layer { weight: None, bias: None, channels, eps: 1e-5 }
            }
            /// ε, which keeps the division finite: 10⁻⁵.
            #[must_use]
            pub fn eps(mut self, eps: f64) -> Self {
                self.eps = eps;
                self
            }
            /// With weight and bias or without.
            #[must_use]
            pub fn affine(mut self, affine: bool) -> Self {
                self.weight = affine.then(|| Init::Constant(1.0).parameter(self.channels));
                self.bias = affine.then(|| Init::Constant(0.0).parameter(self.channels));
                self
            }
        }

        impl<T: Float> Layer<Variable<T>> for $layer<T> {
            type Output = Variable<T>;
            #[track_caller]
            fn forward(&self, input: &Variable<T>) -> Variable<T> {
                let shape = input.shape();
                assert!(
                    shape.len() == $rank && shape[1] == self.channels,
                    "{}: {} channels at axis 1 of {} wanted, the input has the shape {shape:?}",
                    stringify!($layer), self.channels, $rank
                );
                input.instance_norm(self.weight.as_ref(), self.bias.as_ref(), self.eps)
            }
        }
    )*};
}

instances! {
    /// Each channel of each sample of `[N, C, L]` to mean 0 and variance 1 (Ulyanov, Vedaldi and Lempitsky 2016).
    InstanceNorm1d, rank 3;
    /// Each channel of each sample of `[N, C, H, W]` to mean 0 and variance 1 (Ulyanov, Vedaldi and Lempitsky 2016).
    InstanceNorm2d, rank 4;
}
