//! One product C = A · B of matrices with any strides, by the method that suits its size.
//!
//! | product | method |
//! |---|---|
//! | fewer than 800 multiplications | plain loops: a call of the blocked product costs 200 ns |
//! | a row or a column | [`vector`](super::vector): such products are as fast as memory |
//! | all others | the blocked, packed product of the `gemm` crate |
//!
//! The method depends on the shape and the strides only. The blocked product is cut into parts for threads by rows or columns,
//! never along the inner sum, so every method gives the same bits on any number of threads.

use super::vector::{self, multiply_add};
use crate::{
    kernel::{parallel, simd::dispatch},
    scalar::{Float, float::sealed::Compiled},
    tensor::{Dims, Fresh},
};
use gemm_common::Parallelism;
use std::sync::Once;

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

impl Sizes {
    /// The sizes of the transposed product Cᵀ = Bᵀ · Aᵀ.
    fn t(self) -> Self {
        Sizes { m: self.n, n: self.m, k: self.k }
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

/// `gemm`'s own signature: dst = alpha·dst + beta·lhs·rhs, strides in the order column, row.
type Gemm<T> = unsafe fn(
    m: usize,
    n: usize,
    k: usize,
    dst: *mut T,
    dst_cs: isize,
    dst_rs: isize,
    read_dst: bool,
    lhs: *const T,
    lhs_cs: isize,
    lhs_rs: isize,
    rhs: *const T,
    rhs_cs: isize,
    rhs_rs: isize,
    alpha: T,
    beta: T,
    conj_dst: bool,
    conj_lhs: bool,
    conj_rhs: bool,
    parallelism: Parallelism,
);

/// The blocked product for this type and processor.
fn blocked_product<T: Float>() -> Gemm<T> {
    static THRESHOLD: Once = Once::new();
    // How many threads work is decided here, where it is known whether the pool has been entered.
    THRESHOLD.call_once(|| gemm_common::gemm::set_threading_threshold(0));
    let function = <T as Compiled>::choose(
        gemm_f32::gemm::f32::get_gemm_fn() as *const (),
        gemm_f64::gemm::f64::get_gemm_fn() as *const (),
    );
    // SAFETY: T is f32 or f64 (`Float` is sealed), and `choose` returned the function for that type.
    unsafe { std::mem::transmute::<*const (), Gemm<T>>(function) }
}

/// The blocked product.
///
/// The crate's inner loop keeps columns of C in registers and wants the columns of its left operand contiguous. For
/// row-major C that is the transposed product Cᵀ = Bᵀ · Aᵀ. When B is stored transposed, its left operand has to be
/// rearranged first, which is dear where it is the larger one. There the product is taken as it stands, and the small C
/// is rearranged instead: written with strides where rows are short, else computed aside and transposed, since strides of
/// whole pages fall into the same places of the cache. That takes long inner sums, beside which C counts for little.
///
/// # Safety
/// As [`gemm_into`].
unsafe fn blocked<T: Float>(
    c: Matrix<*mut T>,
    a: Matrix<*const T>,
    b: Matrix<*const T>,
    sizes: Sizes,
    accumulate: bool,
    spread: bool,
) {
    let Sizes { m, n, k } = sizes;
    // SAFETY: handed on; a transposed product reaches the same elements, and `aside` has room for the product.
    unsafe {
        if c.column != 1 {
            if c.row == 1 {
                call(c, a, b, sizes, accumulate, spread);
            } else {
                call(c.t(), b.t(), a.t(), sizes.t(), accumulate, spread);
            }
        } else if b.column == 1 || m >= n || k < 96 || k < 2 * m {
            call(c.t(), b.t(), a.t(), sizes.t(), accumulate, spread);
        } else if n * size_of::<T>() < PAGE {
            call(c, a, b, sizes, accumulate, spread);
        } else {
            let mut aside = Fresh::<T>::new(Dims::new(&[n, m]));
            let columns = Matrix { data: aside.as_mut_ptr(), row: 1, column: m };
            call(columns, a, b, sizes, false, spread);
            add_transposed(c, columns, sizes, accumulate, spread);
        }
    }
}

/// Bytes from which on strides are avoided.
const PAGE: usize = 4096;

/// C = D, or C += D, for contiguous rows of C and contiguous columns of D, in square tiles.
///
/// # Safety
/// C and D have `m` × `n` elements, C of its own; those of D are initialised, and those of C if they are added to.
unsafe fn add_transposed<T: Float>(
    c: Matrix<*mut T>,
    d: Matrix<*mut T>,
    sizes: Sizes,
    accumulate: bool,
    spread: bool,
) {
    /// The side of a tile: a cache line of f32.
    const SIDE: usize = 16;
    struct Both<T>(Matrix<*mut T>, Matrix<*mut T>);
    // SAFETY: each thread writes rows of its own of C, and D is only read.
    unsafe impl<T: Send + Sync> Sync for Both<T> {}
    let Sizes { m, n, .. } = sizes;
    let both = Both(c, d);
    let nanoseconds = if spread { (m * n) as f64 } else { 0.0 };
    parallel::for_each_block(m.div_ceil(SIDE), nanoseconds, |block| {
        let Both(c, d) = &both;
        for first in (0..n).step_by(SIDE) {
            for i in block * SIDE..m.min((block + 1) * SIDE) {
                for j in first..n.min(first + SIDE) {
                    // SAFETY: the indices lie within the sizes.
                    unsafe {
                        let (place, value) = (c.data.add(i * c.row + j), *d.data.add(i + j * d.column));
                        place.write(if accumulate { *place + value } else { value });
                    }
                }
            }
        }
    });
}

/// Calls the blocked product of the crate, on several threads for parts of the result.
///
/// Threads of the crate's own would wait for each other after every block of the inner sum. How it cuts that depends on `k`
/// alone as long as a part has more than 64 rows or columns, so parts of any size give the same bits.
///
/// # Safety
/// As [`gemm_into`].
unsafe fn call<T: Float>(
    c: Matrix<*mut T>,
    a: Matrix<*const T>,
    b: Matrix<*const T>,
    sizes: Sizes,
    accumulate: bool,
    spread: bool,
) {
    let Sizes { m, n, .. } = sizes;
    struct Operands<T>(Matrix<*mut T>, Matrix<*const T>, Matrix<*const T>);
    // SAFETY: each thread writes a part of its own of C; A and B are only read.
    unsafe impl<T: Send + Sync> Sync for Operands<T> {}
    let threads = rayon::current_num_threads();
    let longer = m.max(n);
    let parts = (longer / LEAST).min(if longer >= LONG * threads { 2 * threads } else { threads });
    if !spread || parts < 2 || !parallel::worthwhile(sizes.nanoseconds()) {
        // SAFETY: handed on.
        return unsafe { call_alone(c, a, b, sizes, accumulate) };
    }
    // All parts but the last begin and end at a whole tile.
    let start = |i: usize| if i == parts { longer } else { longer * i / parts / STEP * STEP };
    let operands = Operands(c, a, b);
    parallel::for_each_block(parts, sizes.nanoseconds(), |i| {
        let Operands(c, a, b) = &operands;
        let (mut c, mut a, mut b, mut sizes) = (*c, *a, *b, sizes);
        let (first, count) = (start(i), start(i + 1) - start(i));
        // SAFETY: the part lies within the operands.
        unsafe {
            if n >= m {
                b.data = b.data.add(first * b.column);
                c.data = c.data.add(first * c.column);
                sizes.n = count;
            } else {
                a.data = a.data.add(first * a.row);
                c.data = c.data.add(first * c.row);
                sizes.m = count;
            }
            call_alone(c, a, b, sizes, accumulate);
        }
    });
}

/// The rows or columns of a part: more than 64, and a multiple of the sides of the crate's tiles.
const LEAST: usize = 96;
const STEP: usize = 16;
/// From so many rows or columns a thread on, there are two parts for each, so that a thread which was held up does not hold
/// up the others for long.
const LONG: usize = 512;

/// Calls the blocked product of the crate on this thread.
///
/// # Safety
/// As [`gemm_into`].
unsafe fn call_alone<T: Float>(
    c: Matrix<*mut T>,
    a: Matrix<*const T>,
    b: Matrix<*const T>,
    sizes: Sizes,
    accumulate: bool,
) {
    let Sizes { m, n, k } = sizes;
    let one_if = |condition: bool| if condition { T::one() } else { T::zero() };
    let product = blocked_product::<T>();
    // SAFETY: the caller answers for the matrices; strides are below isize::MAX, as all tensors' are.
    unsafe {
        product(
            m,
            n,
            k,
            c.data,
            c.column as isize,
            c.row as isize,
            accumulate,
            a.data,
            a.column as isize,
            a.row as isize,
            b.data,
            b.column as isize,
            b.row as isize,
            one_if(accumulate),
            T::one(),
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}
