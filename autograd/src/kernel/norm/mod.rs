//! Normalisation to mean 0 and variance 1: of [rows], each with weights along it, and of sets of [planes].
//!
//! Variances are means of squared differences from the mean, found in a second pass over what is then in the cache: the
//! mean of squares minus the square of the mean would lose all digits of data far from 0.

pub(crate) mod planes;
pub(crate) mod rows;

use crate::scalar::Float;

/// Running sums in a loop; that many are added side by side.
const LANES: usize = 32;

/// Σ over i of `term(i)`, for two sums at once; lane by lane, then the lanes in pairs: the order depends on `count` alone.
#[inline(always)]
fn sums<T: Float>(count: usize, mut term: impl FnMut(usize) -> [T; 2]) -> [T; 2] {
    let mut lanes = [[T::zero(); LANES]; 2];
    let whole = count / LANES * LANES;
    let mut start = 0;
    while start < whole {
        for lane in 0..LANES {
            let [a, b] = term(start + lane);
            lanes[0][lane] = lanes[0][lane] + a;
            lanes[1][lane] = lanes[1][lane] + b;
        }
        start += LANES;
    }
    for lane in 0..count - whole {
        let [a, b] = term(whole + lane);
        lanes[0][lane] = lanes[0][lane] + a;
        lanes[1][lane] = lanes[1][lane] + b;
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[0][lane] = lanes[0][lane] + lanes[0][lane + width];
            lanes[1][lane] = lanes[1][lane] + lanes[1][lane + width];
        }
        width /= 2;
    }
    [lanes[0][0], lanes[1][0]]
}

/// The mean of `x` and the sum of squared differences from it.
#[inline(always)]
fn moments<T: Float>(x: &[T]) -> [T; 2] {
    let [sum, _] = sums(x.len(), |i| [x[i], T::zero()]);
    let mean = sum / T::from_f64(x.len() as f64);
    let [squares, _] = sums(x.len(), |i| [(x[i] - mean) * (x[i] - mean), T::zero()]);
    [mean, squares]
}
