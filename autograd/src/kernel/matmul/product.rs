//! One product C = A · B of matrices with any strides, by the method that suits its size.
//!
//! | product | method |
//! |---|---|
//! | fewer than 800 multiplications | plain loops: a call of the blocked product costs 200 ns |
//! | a row or a column | [`vector`](super::vector): such products are as fast as memory |
//! | all others | [`blocked`](super::blocked): tiles of C in registers |
//!
//! The method depends on the shape and the strides only. Products are cut into parts for threads by rows or columns, never
//! along the inner sum, so every method gives the same bits on any number of threads.

use super::{
    blocked::blocked,
    vector::{self, multiply_add},
};
use crate::{kernel::simd::dispatch, scalar::Float};

/// A matrix in somebody's memory: the address of its first element, and the distances in elements between
/// neighbouring rows and between neighbouring columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix<P> {
    pub(crate) data: P,
    pub(crate) row: usize,
    pub(crate) column: usize,
}

impl<P> Matrix<P> {
    /// A packed row-major matrix of so many columns.
    pub(crate) fn row_major(data: P, columns: usize) -> Self {
        Matrix { data, row: columns, column: 1 }
    }
    /// The transposed matrix.
    pub(crate) fn t(self) -> Self {
        Matrix { data: self.data, row: self.column, column: self.row }
    }
}

/// The sizes of a product: `m` × `k` times `k` × `n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) k: usize,
}

impl Sizes {
    /// m·n·k.
    pub(crate) fn multiplications(self) -> usize {
        self.m.saturating_mul(self.n).saturating_mul(self.k)
    }
    /// The sizes of the transposed product Cᵀ = Bᵀ · Aᵀ.
    pub(crate) fn t(self) -> Self {
        Sizes { m: self.n, n: self.m, k: self.k }
    }
    /// An estimate of the time on one thread.
    pub(crate) fn nanoseconds(self) -> f64 {
        self.multiplications() as f64 * COST
    }
}

/// Nanoseconds for a multiplication and an addition in the blocked product.
const COST: f64 = 0.02;
/// The number of multiplications below which plain loops are faster.
const SMALL: usize = 800;

/// C = A · B, or C += A · B when `accumulate` holds; on several threads where `spread` allows it and it is worth while.
///
/// # Safety
/// `a` and `b` must reach `m` × `k` and `k` × `n` initialised elements, and `c` `m` × `n` elements of its own, which
/// overlap neither each other nor `a` or `b`. They must be initialised when `accumulate` holds.
pub(crate) unsafe fn gemm_into<T: Float>(
    c: Matrix<*mut T>,
    a: Matrix<*const T>,
    b: Matrix<*const T>,
    sizes: Sizes,
    accumulate: bool,
    spread: bool,
) {
    let Sizes { m, n, .. } = sizes;
    // SAFETY: handed on; a transposed product reaches the same elements.
    unsafe {
        if sizes.multiplications() < SMALL {
            plain(c, a, b, sizes, accumulate);
        } else if n == 1 && vector::suits(a, sizes) {
            vector::matrix_times_vector(c, a, b, sizes, accumulate, spread);
        } else if m == 1 && vector::suits(b.t(), sizes.t()) {
            vector::matrix_times_vector(c.t(), b.t(), a.t(), sizes.t(), accumulate, spread);
        } else {
            blocked(c, a, b, sizes, accumulate, spread);
        }
    }
}

/// Plain loops: over strips of columns that a vector holds where rows of B and C are contiguous.
///
/// # Safety
/// As [`gemm_into`].
unsafe fn plain<T: Float>(
    c: Matrix<*mut T>,
    a: Matrix<*const T>,
    b: Matrix<*const T>,
    sizes: Sizes,
    accumulate: bool,
) {
    /// # Safety
    /// As [`gemm_into`], for contiguous rows of B and C.
    #[inline(always)]
    unsafe fn strips<const FMA: bool, T: Float>(
        c: Matrix<*mut T>,
        a: Matrix<*const T>,
        b: Matrix<*const T>,
        sizes: Sizes,
        accumulate: bool,
    ) {
        let mut column = 0;
        // SAFETY: by the caller; the strips lie within the columns.
        unsafe {
            while column + 8 <= sizes.n {
                strip::<FMA, T, 8>(c, a, b, sizes, accumulate, column);
                column += 8;
            }
            while column + 4 <= sizes.n {
                strip::<FMA, T, 4>(c, a, b, sizes, accumulate, column);
                column += 4;
            }
            for column in column..sizes.n {
                strip::<FMA, T, 1>(c, a, b, sizes, accumulate, column);
            }
        }
    }
    if b.column == 1 && c.column == 1 && sizes.n >= 4 {
        return dispatch!([T: Float] strips::<FMA, T>(
            c: Matrix<*mut T>,
            a: Matrix<*const T>,
            b: Matrix<*const T>,
            sizes: Sizes,
            accumulate: bool,
        ));
    }
    // SAFETY: by the caller; the indices lie within the sizes.
    unsafe {
        for i in 0..sizes.m {
            for j in 0..sizes.n {
                let place = c.data.add(i * c.row + j * c.column);
                let mut sum = if accumulate { *place } else { T::zero() };
                for p in 0..sizes.k {
                    sum = sum + *a.data.add(i * a.row + p * a.column) * *b.data.add(p * b.row + j * b.column);
                }
                place.write(sum);
            }
        }
    }
}

/// W columns of the product, from `column` on.
///
/// # Safety
/// As [`gemm_into`], for contiguous rows of B and C that have these columns.
#[inline(always)]
unsafe fn strip<const FMA: bool, T: Float, const W: usize>(
    c: Matrix<*mut T>,
    a: Matrix<*const T>,
    b: Matrix<*const T>,
    sizes: Sizes,
    accumulate: bool,
    column: usize,
) {
    for i in 0..sizes.m {
        // SAFETY: by the caller; arrays of elements need no more alignment than elements.
        unsafe {
            let place = c.data.add(i * c.row + column).cast::<[T; W]>();
            let mut sums = if accumulate { *place } else { [T::zero(); W] };
            for p in 0..sizes.k {
                let factor = *a.data.add(i * a.row + p * a.column);
                let row = *b.data.add(p * b.row + column).cast::<[T; W]>();
                for lane in 0..W {
                    sums[lane] = multiply_add::<FMA, T>(factor, row[lane], sums[lane]);
                }
            }
            place.write(sums);
        }
    }
}
