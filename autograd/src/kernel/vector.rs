//! Vectors of the processor as types, for kernels whose running sums have to stay in registers.
//!
//! Most kernels are plain loops which the compiler vectorises, see [`simd`](super::simd). A loop over two dozen running sums
//! is not safe there: after a small change the sums are written to memory and read again at every step, at a fifth of the
//! speed. Such a kernel is written once over [`Vector`], and [`dispatch_vector!`] compiles it for each instruction set.

use crate::scalar::Float;
use std::ops::Range;

/// Some numbers in a register.
///
/// All methods are unsafe because the processor must have the instructions, which `dispatch_vector!` makes sure of, and
/// because pointers must have what they are read or written for.
pub trait Vector<T>: Copy {
    /// How many numbers.
    const LANES: usize;
    /// The same number in all lanes.
    ///
    /// # Safety
    /// See the trait.
    unsafe fn splat(value: T) -> Self;
    /// The `LANES` numbers at `from`.
    ///
    /// # Safety
    /// See the trait.
    unsafe fn load(from: *const T) -> Self;
    /// Writes all lanes to `to`.
    ///
    /// # Safety
    /// See the trait.
    unsafe fn store(self, to: *mut T);
    /// Writes some lanes to their places from `to` on, and nothing to the places of the others, which need not exist.
    ///
    /// # Safety
    /// See the trait.
    unsafe fn store_lanes(self, to: *mut T, lanes: Range<usize>);
    /// self + a·b
    ///
    /// # Safety
    /// See the trait.
    unsafe fn multiply_add(self, a: Self, b: Self) -> Self;
}

/// A short array in place of a vector, for processors without wider ones; the compiler makes of it what it can.
#[derive(Clone, Copy, Debug)]
pub struct Plain<T, const N: usize>([T; N]);

impl<T: Float, const N: usize> Vector<T> for Plain<T, N> {
    const LANES: usize = N;
    #[inline(always)]
    unsafe fn splat(value: T) -> Self {
        Plain([value; N])
    }
    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: by contract; an array needs no more alignment than its elements.
        Plain(unsafe { *from.cast::<[T; N]>() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: as above.
        unsafe { to.cast::<[T; N]>().write(self.0) }
    }
    #[inline(always)]
    unsafe fn store_lanes(self, to: *mut T, lanes: Range<usize>) {
        for lane in lanes {
            // SAFETY: by contract.
            unsafe { to.wrapping_add(lane).write(self.0[lane]) };
        }
    }
    #[inline(always)]
    unsafe fn multiply_add(mut self, a: Self, b: Self) -> Self {
        for lane in 0..N {
            self.0[lane] = self.0[lane] + a.0[lane] * b.0[lane];
        }
        self
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Plain, Vector};
    use std::{arch::x86_64::*, ops::Range};

    macro_rules! vector {
        ($vector:ty: $lanes:literal of $element:ty, $splat:ident, $load:ident, $store:ident, $multiply_add:ident,
            |$values:ident, $to:ident, $range:ident| $store_lanes:expr) => {
            impl Vector<$element> for $vector {
                const LANES: usize = $lanes;
                #[inline(always)]
                unsafe fn splat(value: $element) -> Self {
                    // SAFETY: by contract, here and below.
                    unsafe { $splat(value) }
                }
                #[inline(always)]
                unsafe fn load(from: *const $element) -> Self {
                    // SAFETY: by contract.
                    unsafe { $load(from) }
                }
                #[inline(always)]
                unsafe fn store(self, to: *mut $element) {
                    // SAFETY: by contract.
                    unsafe { $store(to, self) }
                }
                #[inline(always)]
                unsafe fn store_lanes(self, $to: *mut $element, $range: Range<usize>) {
                    let $values = self;
                    // SAFETY: by contract.
                    unsafe { $store_lanes }
                }
                #[inline(always)]
                unsafe fn multiply_add(self, a: Self, b: Self) -> Self {
                    // SAFETY: by contract.
                    unsafe { $multiply_add(a, b, self) }
                }
            }
        };
    }
    /// The bits `lanes`.
    fn mask(lanes: Range<usize>) -> u32 {
        (1 << lanes.end) - (1 << lanes.start)
    }
    vector!(__m512: 16 of f32, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_fmadd_ps,
        |values, to, lanes| _mm512_mask_storeu_ps(to, mask(lanes) as u16, values));
    vector!(__m512d: 8 of f64, _mm512_set1_pd, _mm512_loadu_pd, _mm512_storeu_pd, _mm512_fmadd_pd,
        |values, to, lanes| _mm512_mask_storeu_pd(to, mask(lanes) as u8, values));
    vector!(__m256: 8 of f32, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_fmadd_ps,
        |values, to, lanes| Plain(std::mem::transmute::<__m256, [f32; 8]>(values)).store_lanes(to, lanes));
    vector!(__m256d: 4 of f64, _mm256_set1_pd, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_fmadd_pd,
        |values, to, lanes| Plain(std::mem::transmute::<__m256d, [f64; 4]>(values)).store_lanes(to, lanes));
}

/// The vectors of an element type for each [`Level`](super::simd::Level).
pub trait Vectors: Sized {
    /// 512 bits.
    type Wide: Vector<Self>;
    /// 256 bits.
    type Medium: Vector<Self>;
    /// What every processor has.
    type Narrow: Vector<Self>;
    /// `Wide` where there is no such vector.
    #[cfg(test)]
    type Emulated: Vector<Self>;
}

#[cfg(target_arch = "x86_64")]
impl Vectors for f32 {
    type Wide = std::arch::x86_64::__m512;
    type Medium = std::arch::x86_64::__m256;
    type Narrow = Plain<f32, 4>;
    #[cfg(test)]
    type Emulated = Plain<f32, 16>;
}
#[cfg(target_arch = "x86_64")]
impl Vectors for f64 {
    type Wide = std::arch::x86_64::__m512d;
    type Medium = std::arch::x86_64::__m256d;
    type Narrow = Plain<f64, 2>;
    #[cfg(test)]
    type Emulated = Plain<f64, 8>;
}
#[cfg(not(target_arch = "x86_64"))]
impl Vectors for f32 {
    type Wide = Plain<f32, 4>;
    type Medium = Plain<f32, 4>;
    type Narrow = Plain<f32, 4>;
    #[cfg(test)]
    type Emulated = Plain<f32, 16>;
}
#[cfg(not(target_arch = "x86_64"))]
impl Vectors for f64 {
    type Wide = Plain<f64, 2>;
    type Medium = Plain<f64, 2>;
    type Narrow = Plain<f64, 2>;
    #[cfg(test)]
    type Emulated = Plain<f64, 8>;
}

/// How many numbers a vector of this processor holds.
pub(crate) fn lanes<T: Float>() -> usize {
    use super::simd::{Level, level};
    match level() {
        Level::Avx512 => T::Wide::LANES,
        Level::Avx2 => T::Medium::LANES,
        Level::Baseline => T::Narrow::LANES,
    }
}

/// Calls an `#[inline(always)]` function in the version for this processor's vectors.
///
/// `dispatch_vector!([T: Float] function::<{A, B}, T>(arguments: types))`: the function's generic arguments are a
/// number (`A` where there are 32 registers, `B` where there are 16), the vector type and the element type.
macro_rules! dispatch_vector {
    ([$($generics:tt)*] $function:ident::<{$many:literal, $few:literal}, $element:tt>
        ($($argument:ident : $type:ty),* $(,)?)) => {{
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
        unsafe fn avx512<$($generics)*>($($argument: $type),*) {
            // SAFETY: the caller of `dispatch_vector!` upholds the function's own contract.
            unsafe { $function::<$many, T::Wide, $element>($($argument),*) }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        unsafe fn avx2<$($generics)*>($($argument: $type),*) {
            // SAFETY: as above.
            unsafe { $function::<$few, T::Medium, $element>($($argument),*) }
        }
        match $crate::kernel::simd::level() {
            // SAFETY: the caller upholds the function's contract.
            #[cfg(test)]
            _ if $crate::kernel::simd::emulated() => unsafe {
                $function::<$many, T::Emulated, $element>($($argument),*)
            },
            // SAFETY: the processor has the instructions, and the caller upholds the function's contract.
            #[cfg(target_arch = "x86_64")]
            $crate::kernel::simd::Level::Avx512 => unsafe { avx512::<$element>($($argument),*) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            $crate::kernel::simd::Level::Avx2 => unsafe { avx2::<$element>($($argument),*) },
            // SAFETY: the caller upholds the function's contract.
            _ => unsafe { $function::<$few, T::Narrow, $element>($($argument),*) },
        }
    }};
}
pub(crate) use dispatch_vector;

#[cfg(test)]
mod tests {
    use super::*;

    /// Loads, multiplies, adds and stores in all ways.
    #[inline(always)]
    unsafe fn exercise<const N: usize, V: Vector<T>, T: Float>(x: &[T], out: &mut [T]) {
        assert!(N == 3 || N == 7, "one of the two numbers");
        // SAFETY: x and out have more than LANES numbers.
        unsafe {
            let sum = V::load(x.as_ptr()).multiply_add(V::splat(x[1]), V::load(x[1..].as_ptr()));
            sum.store(out.as_mut_ptr());
            for start in 0..=V::LANES {
                for end in start..=V::LANES {
                    let mut place = vec![T::zero(); V::LANES];
                    sum.store_lanes(place.as_mut_ptr(), start..end);
                    for lane in 0..V::LANES {
                        let expected = if (start..end).contains(&lane) { out[lane] } else { T::zero() };
                        assert!(place[lane] == expected, "lanes {start}..{end} of {}", V::LANES);
                    }
                }
            }
        }
    }

    fn check<T: Float>() {
        let x: Vec<T> = (0..17).map(|i| T::from_f64(f64::from(i) * 0.25 - 1.0)).collect();
        let mut out = vec![T::zero(); 17];
        let (x, out) = (x.as_slice(), out.as_mut_slice());
        dispatch_vector!([T: Float] exercise::<{3, 7}, T>(x: &[T], out: &mut [T]));
        for lane in 0..lanes::<T>() {
            // Products of eighths are exact.
            assert!(out[lane] == x[lane] + x[1] * x[lane + 1]);
        }
    }

    #[test]
    fn vectors_do_what_numbers_do() {
        check::<f32>();
        check::<f64>();
    }
}
