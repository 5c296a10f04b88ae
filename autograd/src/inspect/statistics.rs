//! [`Statistics`]: a tensor in a few numbers.

use crate::{scalar::Float, tensor::Tensor};
use serde::Serialize;

/// What is worth knowing of a tensor that is too large to read. The numbers are of the finite elements.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Statistics {
    /// How many elements there are.
    pub count: usize,
    /// The smallest, 0 if there is none.
    pub min: f64,
    /// The largest, 0 if there is none.
    pub max: f64,
    /// The mean.
    pub mean: f64,
    /// The standard deviation (of the elements themselves: divided by their number).
    pub std: f64,
    /// √(Σx²).
    pub norm: f64,
    /// How many are 0: dead units, masked entries, gradients that do not arrive.
    pub zeros: usize,
    /// How many are infinite or NaN.
    pub not_finite: usize,
}

impl Statistics {
    /// Of all elements, in f64.
    pub fn of<T: Float>(tensor: &Tensor<T>) -> Statistics {
        let values = || tensor.iter().map(|value| value.into_f64());
        let finite = || values().filter(|value| value.is_finite());
        let count = finite().count();
        let per_element = |sum: f64| if count == 0 { 0.0 } else { sum / count as f64 };
        let mean = per_element(finite().sum());
        let (min, max) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        Statistics {
            count: tensor.len(),
            min: if count == 0 { 0.0 } else { min },
            max: if count == 0 { 0.0 } else { max },
            mean,
            std: per_element(finite().map(|x| (x - mean) * (x - mean)).sum()).sqrt(),
            norm: finite().map(|x| x * x).sum::<f64>().sqrt(),
            zeros: finite().filter(|x| *x == 0.0).count(),
            not_finite: tensor.len() - count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_finite_elements() {
        let tensor = Tensor::from_vec(vec![3.0_f32, 0.0, f32::NAN, -4.0, 1.0], [5]).expect("five numbers");
        let found = Statistics::of(&tensor);
        assert_eq!((found.count, found.zeros, found.not_finite), (5, 1, 1));
        assert_eq!((found.min, found.max, found.mean), (-4.0, 3.0, 0.0));
        assert!((found.norm - 26.0_f64.sqrt()).abs() < 1e-12 && (found.std - 6.5_f64.sqrt()).abs() < 1e-12);
        assert_eq!(Statistics::of(&Tensor::<f64>::zeros([0])).mean, 0.0);
    }
}
