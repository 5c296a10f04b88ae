//! Inputs brought to a common scale by the model itself.

use crate::{Buffer, Layer, Module};
use wengert_autograd::{Float, Tensor, Variable};

/// y = (x − mean)/deviation along the last axis, with a mean and a deviation for each feature that are stored with the
/// weights and not learned: a model that is loaded from a file then takes its inputs in their own units.
///
/// ```
/// use wengert_autograd::Variable;
/// use wengert_nn::{Layer, Linear, Module, Normalization, Sequential};
///
/// let net = Sequential::new((Normalization::new(&[170.0, 65.0], &[10.0, 12.0]), Linear::new(2, 1)));
/// assert_eq!(net.0.0.forward(&Variable::from([[180.0, 53.0]])).value().to_vec(), [1.0, -1.0]);
/// assert_eq!(net.state_dict().names().next(), Some("0.mean"));
/// ```
#[derive(Clone, Debug, Module)]
#[module(crate = crate)]
pub struct Normalization<T: Float = f32> {
    /// `[features]`.
    pub mean: Buffer<T>,
    /// `[features]`.
    pub deviation: Buffer<T>,
}

impl Normalization {
    /// A layer of f32 with these means and deviations, of one feature each.
    pub fn new(mean: &[f64], deviation: &[f64]) -> Self {
        Normalization::typed(mean, deviation)
    }
}

impl<T: Float> Normalization<T> {
    /// A layer of any number type.
    ///
    /// # Panics
    /// If there are not as many deviations as means.
    #[track_caller]
    pub fn typed(mean: &[f64], deviation: &[f64]) -> Self {
        let features = mean.len();
        assert!(
            features == deviation.len(),
            "Normalization: {features} means and {} deviations",
            deviation.len()
        );
        let buffer = |values: &[f64]| {
            let values = values.iter().map(|&x| T::from_f64(x)).collect();
            Buffer::new(Tensor::from_vec(values, [features]).expect("one number a feature"))
        };
        Normalization { mean: buffer(mean), deviation: buffer(deviation) }
    }
}

/// `[…, features]` to `[…, features]`.
impl<T: Float> Layer<Variable<T>> for Normalization<T> {
    type Output = Variable<T>;
    #[track_caller]
    fn forward(&self, input: &Variable<T>) -> Variable<T> {
        (input - self.mean.constant()) / self.deviation.constant()
    }
}
