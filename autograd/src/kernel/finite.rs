//! Is a tensor without infinities and NaN?

use super::{lanes::sum, parallel, simd::dispatch};
use crate::{scalar::Float, tensor::Tensor};
use std::sync::atomic::{AtomicBool, Ordering};

/// Numbers that one thread looks at at a time.
const BLOCK: usize = 16 * 1024;

/// Whether all numbers are finite: 0·x is 0 for those and NaN for the others.
pub(super) fn are_finite<T: Float>(values: &[T]) -> bool {
    /// # Safety
    /// None; the signature is that of `dispatch!`.
    #[inline(always)]
    unsafe fn zero_sum<const FMA: bool, T: Float>(values: &[T]) -> T {
        sum!([values] | x | x * T::zero())
    }
    !dispatch!([T: Float] zero_sum::<FMA, T>(values: &[T]) -> T).is_nan()
}

/// Whether all elements are finite.
pub(crate) fn all_finite<T: Float>(x: &Tensor<T>) -> bool {
    let packed = x.contiguous();
    let values = packed.as_slice().expect("packed above");
    let finite = AtomicBool::new(true);
    parallel::for_each_block(values.len().div_ceil(BLOCK), values.len() as f64 * 0.1, |block| {
        if !are_finite(&values[block * BLOCK..values.len().min((block + 1) * BLOCK)]) {
            finite.store(false, Ordering::Relaxed);
        }
    });
    finite.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_element_is_found_anywhere() {
        for n in [0, 1, 31, 32, 33, 1000, 40_000] {
            let mut values = vec![-1.5_f32; n];
            let finite = |values: &[f32]| all_finite(&Tensor::from_slice(values, [n]).unwrap());
            assert!(finite(&values));
            for at in (0..n).step_by(n / 7 + 1).chain(n.checked_sub(1)) {
                for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    let good = std::mem::replace(&mut values[at], bad);
                    assert!(!finite(&values), "{bad} at {at} of {n}");
                    values[at] = good;
                }
            }
        }
        let strided = Tensor::from_vec(vec![1.0, f64::NAN, 2.0, f64::NAN], [2, 2]).unwrap();
        assert!(all_finite(&strided.narrow(1, 0, 1)) && !all_finite(&strided.t()));
    }
}
