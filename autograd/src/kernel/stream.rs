//! Stores that pass the caches by.
//!
//! A plain store to a line that is in no cache reads it from memory first. Where the results are larger than the caches that
//! read is wasted, a third of the traffic of an elementwise operation.

#[cfg(target_arch = "x86_64")]
use super::simd::{Level, level};

/// Copies `n` numbers, past the caches where the processor can; [`finish`] must follow before another thread may read them.
///
/// # Safety
/// `from` is valid for `n` reads, `to` for `n` writes, and they do not overlap.
#[inline]
pub(super) unsafe fn copy<T: Copy>(from: *const T, to: *mut T, n: usize) {
    // SAFETY: the same contract; AVX2, which this level has, includes AVX.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        match level() {
            Level::Baseline => copy_narrow(from, to, n),
            _ => copy_wide(from, to, n),
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    // SAFETY: the same contract.
    unsafe {
        std::ptr::copy_nonoverlapping(from, to, n);
    }
}

#[cfg(target_arch = "x86_64")]
macro_rules! copy_vectors {
    ($(#[$feature:meta])? $name:ident: $vector:ident, $load:ident, $stream:ident) => {
        /// # Safety
        /// See [`copy`]; the processor must have the vectors.
        $(#[$feature])?
        unsafe fn $name<T: Copy>(from: *const T, to: *mut T, n: usize) {
            use std::arch::x86_64::{$load, $stream, $vector};
            const VECTOR: usize = size_of::<$vector>();
            let bytes = n * size_of::<T>();
            let vectors = if to.addr().is_multiple_of(VECTOR) { bytes / VECTOR } else { 0 };
            let (source, target) = (from.cast::<$vector>(), to.cast::<$vector>());
            // SAFETY: the vectors lie within both ranges and `target` is aligned; what is left is fewer bytes than a vector,
            // or everything.
            unsafe {
                for i in 0..vectors {
                    $stream(target.add(i), $load(source.add(i)));
                }
                let (source, target) = (source.add(vectors).cast::<u8>(), target.add(vectors).cast::<u8>());
                std::ptr::copy_nonoverlapping(source, target, bytes - vectors * VECTOR);
            }
        }
    };
}
#[cfg(target_arch = "x86_64")]
copy_vectors!(copy_narrow: __m128i, _mm_loadu_si128, _mm_stream_si128);
#[cfg(target_arch = "x86_64")]
copy_vectors!(#[target_feature(enable = "avx")] copy_wide: __m256i, _mm256_loadu_si256, _mm256_stream_si256);

/// Makes what [`copy`] wrote on this thread visible in the order of the program, as plain stores are.
#[inline]
pub(super) fn finish() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: in every x86-64 processor.
    unsafe {
        std::arch::x86_64::_mm_sfence();
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn any_length_from_and_to_any_place() {
        let from: Vec<f32> = (0..100).map(|i| i as f32).collect();
        for n in 0..60 {
            for (start, target) in [(0, 0), (1, 4), (2, 8), (3, 1), (5, 2)] {
                let mut to = vec![-1.0_f32; 100];
                // SAFETY: both ranges lie within their vectors.
                unsafe { super::copy(from[start..].as_ptr(), to[target..].as_mut_ptr(), n) };
                super::finish();
                assert_eq!(to[target..target + n], from[start..start + n]);
                assert!(to[..target].iter().chain(&to[target + n..]).all(|&x| x == -1.0));
            }
        }
    }
}
