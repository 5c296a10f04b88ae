//! Normalisation to mean 0 and variance 1: of [rows], each with weights along it, and of sets of [planes].
//!
//! Variances are means of squared differences from the mean, found in a second pass over what is then in the cache: the
//! mean of squares minus the square of the mean would lose all digits of data far from 0.

pub(crate) mod planes;
pub(crate) mod rows;

use super::lanes::sum;
use crate::scalar::Float;

/// The mean of `x` and the sum of squared differences from it.
#[inline(always)]
fn moments<T: Float>(x: &[T]) -> [T; 2] {
    let mean = sum!([x] | x | x) / T::from_f64(x.len() as f64);
    [mean, sum!([x] | x | (x - mean) * (x - mean))]
}
