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
