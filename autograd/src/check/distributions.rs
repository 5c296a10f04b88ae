//! Where the values of a sample input come from: a shape and a way to draw.
//!
//! ```
//! use wengert_autograd::check::distributions::{away_from, normal};
//!
//! let x = away_from(0.0, [2, 3]).draw(7);
//! assert!(x.iter().all(|x| x.abs() > 0.1));
//! assert_eq!(normal([4]).draw(1).to_vec(), normal([4]).draw(1).to_vec()); // the seed decides
//! ```
//!
//! All values are numbers that `f32` has exactly, so that both precisions are given the same input.

use super::random::Numbers;
use crate::tensor::{Dims, IntoShape, Tensor};
use std::{fmt, sync::Arc};

/// Draws all elements of a tensor, in row-major order.
type Draw = Arc<dyn Fn(&mut Numbers, &Dims) -> Vec<f64> + Send + Sync>;

/// One input of a [`Sample`](super::Sample): its shape and its distribution.
#[derive(Clone)]
pub struct Input {
    shape: Dims,
    draw: Draw,
    constant: bool,
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("shape", &self.shape).field("constant", &self.constant).finish()
    }
}

impl Input {
    /// The shape.
    pub fn shape(&self) -> Dims {
        self.shape
    }

    /// Has it no derivative: a target, a weight, a running mean?
    pub fn is_constant(&self) -> bool {
        self.constant
    }

    /// The input takes part in the computation, and no gradient is asked for it.
    #[must_use]
    pub fn constant(mut self) -> Self {
        self.constant = true;
        self
    }

    /// The same distribution in another shape.
    #[must_use]
    pub fn with_shape(&self, shape: impl IntoShape) -> Self {
        Input { shape: shape.into_shape(), ..self.clone() }
    }

    /// The values that this seed gives, rounded to numbers that `f32` has.
    pub fn draw(&self, seed: u64) -> Tensor<f64> {
        let values = (self.draw)(&mut Numbers::new(seed), &self.shape);
        let rounded: Vec<f64> = values.into_iter().map(|value| f64::from(value as f32)).collect();
        Tensor::from_vec(rounded, self.shape).expect("a distribution draws as many values as the shape has")
    }
}

/// Any way to draw: `draw` returns as many values as the shape has elements.
pub fn drawn(
    shape: impl IntoShape,
    draw: impl Fn(&mut Numbers, &Dims) -> Vec<f64> + Send + Sync + 'static,
) -> Input {
    Input { shape: shape.into_shape(), draw: Arc::new(draw), constant: false }
}

/// Element by element, independently.
pub fn each(shape: impl IntoShape, draw: impl Fn(&mut Numbers) -> f64 + Send + Sync + 'static) -> Input {
    drawn(shape, move |numbers, shape| (0..shape.count()).map(|_| draw(numbers)).collect())
}

/// Standard normal values, none further out than 3.
pub fn normal(shape: impl IntoShape) -> Input {
    each(shape, |numbers| numbers.normal().clamp(-3.0, 3.0))
}

/// Values between `low` and `high`.
pub fn uniform(low: f64, high: f64, shape: impl IntoShape) -> Input {
    each(shape, move |numbers| numbers.uniform(low, high))
}

/// Values between ½ and 2.
pub fn positive(shape: impl IntoShape) -> Input {
    uniform(0.5, 2.0, shape)
}

/// Values of either sign between ½ and 2 in size: divisors.
pub fn nonzero(shape: impl IntoShape) -> Input {
    each(shape, |numbers| {
        let size = numbers.uniform(0.5, 2.0);
        if numbers.bits() & 1 == 1 { size } else { -size }
    })
}

/// Normal values at least 0.15 away from a kink.
pub fn away_from(kink: f64, shape: impl IntoShape) -> Input {
    between(-3.0, 3.0, &[kink], shape)
}

/// Values between `low` and `high` at least 0.15 away from each of `kinks`.
pub fn between(low: f64, high: f64, kinks: &[f64], shape: impl IntoShape) -> Input {
    let kinks = kinks.to_vec();
    each(shape, move |numbers| {
        loop {
            let value = numbers.uniform(low, high);
            if kinks.iter().all(|kink| (value - kink).abs() >= 0.15) {
                return value;
            }
        }
    })
}

/// Values of which no two are closer than 0.1: for maxima, sorting, medians.
pub fn distinct(shape: impl IntoShape) -> Input {
    drawn(shape, |numbers, shape| {
        let count = shape.count();
        let place = |rank: usize| 0.2 * (rank as f64 - count as f64 / 2.0);
        let order = numbers.permutation(count);
        order.into_iter().map(|rank| place(rank) + numbers.uniform(0.0, 0.1)).collect()
    })
}

/// 1 or −1.
pub fn signs(shape: impl IntoShape) -> Input {
    each(shape, |numbers| if numbers.bits() & 1 == 1 { 1.0 } else { -1.0 })
}

/// Positive values that sum to 1 along the last axis.
pub fn probabilities(shape: impl IntoShape) -> Input {
    drawn(shape, |numbers, shape| {
        let mut values: Vec<f64> = (0..shape.count()).map(|_| numbers.uniform(0.2, 1.0)).collect();
        for row in values.chunks_mut(shape.last().copied().unwrap_or(1).max(1)) {
            let total: f64 = row.iter().sum();
            row.iter_mut().for_each(|value| *value /= total);
        }
        values
    })
}

/// Square matrices well away from singular ones: small noise on a diagonal between 1½ and 2½. Their determinants are
/// positive.
///
/// # Panics
/// When drawn, if the last two axes differ.
pub fn invertible(shape: impl IntoShape) -> Input {
    drawn(shape, |numbers, shape| {
        let n = *shape.last().expect("a matrix has two axes");
        assert!(shape.len() >= 2 && shape[shape.len() - 2] == n, "invertible: {shape:?} is no square matrix");
        (0..shape.count())
            .map(|at| {
                let noise = numbers.uniform(-0.3, 0.3);
                if at % n == at / n % n { 2.0 + noise + numbers.uniform(-0.2, 0.2) } else { noise }
            })
            .collect()
    })
}

/// Exactly these values.
pub fn values(shape: impl IntoShape, values: &[f64]) -> Input {
    let values = values.to_vec();
    drawn(shape, move |_, _| values.clone())
}
