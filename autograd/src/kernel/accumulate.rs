//! Adding gradients up, in place where nobody else holds the buffer.

use super::{
    elementwise::{Direction, Elementwise, Input, map},
    reduce::in_chunks,
    simd::dispatch,
};
use crate::{
    scalar::{Float, formula::elementary},
    tensor::Tensor,
};

/// Numbers that one thread adds at a time.
const BLOCK: usize = 16 * 1024;

/// a + b, in the buffer of whichever nobody else holds.
pub(crate) fn add_owned<T: Float>(mut a: Tensor<T>, mut b: Tensor<T>) -> Tensor<T> {
    debug_assert_eq!(a.dims(), b.dims());
    for _ in 0..2 {
        if let (Some(into), Some(from)) = (a.as_mut_slice(), b.as_slice()) {
            add_into(into, from);
            return a;
        }
        std::mem::swap(&mut a, &mut b);
    }
    let inputs = [Input::Tensor(&a), Input::Tensor(&b)];
    let sum: Elementwise<_, 2, 1> = Elementwise(elementary::add);
    map(&sum, Direction::Forward, a.dims(), &inputs).pop().expect("one output")
}

/// into += from.
pub(crate) fn add_into<T: Float>(into: &mut [T], from: &[T]) {
    assert_eq!(into.len(), from.len());
    let n = into.len();
    if n <= BLOCK {
        return add_few(into, from);
    }
    in_chunks(into, BLOCK, n as f64 * 0.2, |first, into| add_few(into, &from[first..first + into.len()]));
}

/// into += from, on this thread.
pub(super) fn add_few<T: Float>(into: &mut [T], from: &[T]) {
    /// # Safety
    /// None; the signature is that of `dispatch!`.
    #[inline(always)]
    unsafe fn add<const FMA: bool, T: Float>(into: &mut [T], from: &[T]) {
        for (a, &b) in into.iter_mut().zip(from) {
            *a = *a + b;
        }
    }
    dispatch!([T: Float] add::<FMA, T>(into: &mut [T], from: &[T]));
}
