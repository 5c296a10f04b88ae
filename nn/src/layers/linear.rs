//! Affine maps.

use crate::{Init, Layer, Module};
use wengert_autograd::{Float, Variable};

/// y = x·Wᵀ + b: from `[…, in]` to `[…, out]`.
///
/// `weight` has the shape `[out, in]`, `bias` `[out]`; both are drawn from the uniform distribution in ±1/√in.
///
/// ```
/// use wengert_autograd::Variable;
/// use wengert_nn::{Layer, Linear};
///
/// let layer = Linear::new(784, 128);
/// assert_eq!(layer.forward(&Variable::zeros([32, 784])).shape(), [32, 128]);
/// ```
#[derive(Clone, Debug, Module)]
#[module(crate = crate)]
pub struct Linear<T: Float = f32> {
    /// `[out, in]`.
    pub weight: Variable<T>,
    /// `[out]`.
    pub bias: Option<Variable<T>>,
}

impl Linear {
    /// A layer of f32 from `inputs` to `outputs` numbers.
    pub fn new(inputs: usize, outputs: usize) -> Self {
        Linear::typed(inputs, outputs)
    }
}

impl<T: Float> Linear<T> {
    /// A layer of any number type: `Linear::<f64>::typed(784, 128)`.
    pub fn typed(inputs: usize, outputs: usize) -> Self {
        let bound = 1.0 / (inputs.max(1) as f64).sqrt();
        let weight = Init::LAYER.parameter([outputs, inputs]);
        Linear { weight, bias: Some(Init::Uniform { low: -bound, high: bound }.parameter(outputs)) }
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

impl<T: Float> Layer<Variable<T>> for Linear<T> {
    type Output = Variable<T>;
    #[track_caller]
    fn forward(&self, input: &Variable<T>) -> Variable<T> {
        input.linear(&self.weight, self.bias.as_ref())
    }
}

/// yₒ = x₁ᵀ·Wₒ·x₂ + bₒ: from a pair `[N, in₁]`, `[N, in₂]` to `[N, out]`.
///
/// `weight` has the shape `[out, in₁, in₂]`, `bias` `[out]`; both are drawn from the uniform distribution in ±1/√in₁.
///
/// ```
/// use wengert_autograd::Variable;
/// use wengert_nn::{Bilinear, Layer};
///
/// let layer = Bilinear::new(3, 4, 2);
/// let pair = (Variable::zeros([5, 3]), Variable::zeros([5, 4]));
/// assert_eq!(layer.forward(&pair).shape(), [5, 2]);
/// ```
#[derive(Clone, Debug, Module)]
#[module(crate = crate)]
pub struct Bilinear<T: Float = f32> {
    /// `[out, in₁, in₂]`.
    pub weight: Variable<T>,
    /// `[out]`.
    pub bias: Option<Variable<T>>,
}

impl Bilinear {
    /// A layer of f32 from pairs of `first` and `second` numbers to `outputs`.
    pub fn new(first: usize, second: usize, outputs: usize) -> Self {
        Bilinear::typed(first, second, outputs)
    }
}

impl<T: Float> Bilinear<T> {
    /// A layer of any number type.
    pub fn typed(first: usize, second: usize, outputs: usize) -> Self {
        let bound = 1.0 / (first.max(1) as f64).sqrt();
        let uniform = Init::Uniform { low: -bound, high: bound };
        Bilinear {
            weight: uniform.parameter([outputs, first, second]),
            bias: Some(uniform.parameter(outputs)),
        }
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

impl<T: Float> Layer<(Variable<T>, Variable<T>)> for Bilinear<T> {
    type Output = Variable<T>;
    #[track_caller]
    fn forward(&self, (first, second): &(Variable<T>, Variable<T>)) -> Variable<T> {
        let shape = self.weight.shape();
        let (outputs, left, right) = (shape[0], shape[1], shape[2]);
        let count = first.shape()[0];
        assert!(
            first.shape() == [count, left] && second.shape() == [count, right],
            "Bilinear: inputs [N, {left}] and [N, {right}] wanted, not {:?} and {:?}",
            first.shape(),
            second.shape()
        );
        // x₁·W for all outputs in one product.
        let wide = self.weight.permute(&[1, 0, 2]).reshape([left, outputs * right]);
        let half = first.matmul(&wide).reshape([count, outputs, right]);
        let product = (half * second.reshape([count, 1, right])).sum_axes(-1, false);
        match &self.bias {
            Some(bias) => product + bias,
            None => product,
        }
    }
}
