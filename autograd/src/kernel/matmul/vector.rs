//! Matrix times vector: as fast as memory, the same bits on any number of threads.
//!
//! Rows are dot products, added in leaves of 4096 numbers that are joined in pairs; columns are added up in blocks of
//! rows of a fixed height, joined in pairs likewise. So the order of additions depends on the shape alone.

use super::product::{Matrix, Sizes};
use crate::{
    kernel::{parallel, simd::dispatch},
    scalar::Float,
};

/// Numbers in a leaf of a dot product.
const LEAF: usize = 4096;
/// Entries of the result that a block of columns has.
const WIDTH: usize = 1024;
/// Nanoseconds to read an element of the matrix.
const COST: f64 = 0.06;

/// Has the matrix rows or columns that are contiguous?
pub(super) fn suits<P>(a: Matrix<P>, sizes: Sizes) -> bool {
    a.column == 1 || a.row == 1 || sizes.m == 1 || sizes.k == 1
}

/// y = A · x, or y += A · x: a product of sizes m × k and k × 1.
///
/// # Safety
/// As [`gemm_into`](super::gemm_into), with n = 1, for an `a` that [`suits`].
pub(super) unsafe fn matrix_times_vector<T: Float>(
    y: Matrix<*mut T>,
    a: Matrix<*const T>,
    x: Matrix<*const T>,
    sizes: Sizes,
    accumulate: bool,
    spread: bool,
) {
    let Sizes { m, k, .. } = sizes;
    let packed: Vec<T>;
    let x = if x.row == 1 {
        // SAFETY: the vector has `k` elements, one beside the other.
        unsafe { std::slice::from_raw_parts(x.data, k) }
    } else {
        // SAFETY: the index lies within the vector.
        packed = (0..k).map(|p| unsafe { *x.data.add(p * x.row) }).collect();
        &packed
    };
    let nanoseconds = if spread { (m * k) as f64 * COST } else { 0.0 };
    // SAFETY: by the caller, `a` has m × k elements.
    let found = unsafe {
        if a.column == 1 || k == 1 && a.row != 1 {
            by_rows(a, x, m, nanoseconds)
        } else {
            by_columns(a, x, m, nanoseconds)
        }
    };
    for (i, value) in found.into_iter().enumerate() {
        // SAFETY: the result has `m` elements, initialised if they are added to.
        unsafe {
            let place = y.data.add(i * y.row);
            place.write(if accumulate { *place + value } else { value });
        }
    }
}

/// An address that several threads may read from.
#[derive(Clone, Copy)]
struct Shared<T>(*const T);
// SAFETY: the memory is only read, and outlives the call that the threads work for.
unsafe impl<T: Sync> Sync for Shared<T> {}
impl<T> Shared<T> {
    fn get(&self) -> *const T {
        self.0
    }
}

/// Each row of A times x, for contiguous rows.
///
/// # Safety
/// `a` has `m` × `x.len()` elements.
unsafe fn by_rows<T: Float>(a: Matrix<*const T>, x: &[T], m: usize, nanoseconds: f64) -> Vec<T> {
    let start = Shared(a.data);
    // A task is a leaf of so many rows, a multiple of four: a microsecond's work or two, for handing one out takes part of one.
    let rows = (8 * LEAF / x.len().min(LEAF)).max(4).next_multiple_of(4);
    let (leaves, blocks) = (x.len().div_ceil(LEAF), m.div_ceil(rows));
    let mut sums = vec![T::zero(); leaves * m];
    let place = Places(sums.as_mut_ptr());
    parallel::for_each_block(leaves * blocks, nanoseconds, |task| {
        let (leaf, first) = (task / blocks, task % blocks * rows);
        let x = &x[leaf * LEAF..x.len().min((leaf + 1) * LEAF)];
        // SAFETY: each task has a part of a leaf's sums to itself; the parts of the rows lie within the matrix.
        unsafe {
            let sums = std::slice::from_raw_parts_mut(place.get().add(leaf * m + first), rows.min(m - first));
            dot_rows(start.get().add(first * a.row + leaf * LEAF), a.row, x, sums);
        }
    });
    join_in_pairs(&mut sums, m);
    sums.truncate(m);
    sums
}

/// The dot products of x with `sums.len()` rows, each `stride` after the one before.
///
/// # Safety
/// There are so many rows of `x.len()` elements at `data`.
unsafe fn dot_rows<T: Float>(data: *const T, stride: usize, x: &[T], sums: &mut [T]) {
    // SAFETY: by the caller.
    let row = |i: usize| unsafe { std::slice::from_raw_parts(data.add(i * stride), x.len()) };
    let (fours, rest) = sums.as_chunks_mut::<4>();
    for (q, sums) in fours.iter_mut().enumerate() {
        let rows = [row(4 * q), row(4 * q + 1), row(4 * q + 2), row(4 * q + 3)];
        // Two vectors of AVX2 for each row.
        *sums = if size_of::<T>() == 4 { dots::<T, 16, 4>(rows, x) } else { dots::<T, 8, 4>(rows, x) };
    }
    for (i, sum) in rest.iter_mut().enumerate() {
        [*sum] = dots::<T, 32, 1>([row(4 * fours.len() + i)], x);
    }
}

/// The dot products of x with R rows, in L running sums each.
fn dots<T: Float, const L: usize, const R: usize>(rows: [&[T]; R], x: &[T]) -> [T; R] {
    /// # Safety
    /// None; the signature is that of `dispatch!`. The sums are returned through memory, so that what is done with them
    /// afterwards cannot keep the compiler from holding them in vectors.
    #[inline(always)]
    unsafe fn run<const FMA: bool, T: Float, const L: usize, const R: usize>(
        rows: &[&[T]; R],
        x: &[T],
        out: &mut [[T; L]; R],
    ) {
        let mut sums = [[T::zero(); L]; R];
        let (x, _) = x.as_chunks::<L>();
        // Plain loops over the rows: mapping an array is a call, and these products are short.
        let mut chunks: [&[[T; L]]; R] = [&[]; R];
        for r in 0..R {
            chunks[r] = &rows[r].as_chunks::<L>().0[..x.len()];
        }
        for (at, x) in x.iter().enumerate() {
            for r in 0..R {
                let row = chunks[r][at];
                for lane in 0..L {
                    sums[r][lane] = multiply_add::<FMA, T>(row[lane], x[lane], sums[r][lane]);
                }
            }
        }
        *out = sums;
    }
    let mut sums = [[T::zero(); L]; R];
    let (all, out) = (&rows, &mut sums);
    dispatch!([T: Float, const L: usize, const R: usize] run::<FMA, T, L, R>(
        all: &[&[T]; R],
        x: &[T],
        out: &mut [[T; L]; R],
    ));
    let mut found = [T::zero(); R];
    for r in 0..R {
        let mut width = L / 2;
        while width > 0 {
            for lane in 0..width {
                sums[r][lane] = sums[r][lane] + sums[r][lane + width];
            }
            width /= 2;
        }
        found[r] = sums[r][0];
        for i in x.len() / L * L..x.len() {
            found[r] = found[r] + rows[r][i] * x[i];
        }
    }
    found
}

/// a·b + c, rounded once where the processor can.
#[inline(always)]
pub(super) fn multiply_add<const FMA: bool, T: Float>(a: T, b: T, c: T) -> T {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// The columns of A weighted by x and added, for contiguous columns.
///
/// # Safety
/// `a` has `m` × `x.len()` elements.
unsafe fn by_columns<T: Float>(a: Matrix<*const T>, x: &[T], m: usize, nanoseconds: f64) -> Vec<T> {
    let start = Shared(a.data);
    // Columns that are added in sequence; their number depends on the shape alone.
    let height = (16 * LEAF / m).clamp(128, 1024);
    let (parts, blocks) = (x.len().div_ceil(height), m.div_ceil(WIDTH));
    let mut sums = vec![T::zero(); parts * m];
    let place = Places(sums.as_mut_ptr());
    parallel::for_each_block(parts * blocks, nanoseconds, |task| {
        let (part, block) = (task / blocks, task % blocks);
        let (first, width) = (block * WIDTH, WIDTH.min(m - block * WIDTH));
        let columns = part * height..x.len().min((part + 1) * height);
        // SAFETY: each task has a part of a row of `sums` to itself; the columns' pieces lie within the matrix.
        unsafe {
            let sums = std::slice::from_raw_parts_mut(place.get().add(part * m + first), width);
            let data = start.get().add(first + columns.start * a.column);
            add_columns(data, a.column, &x[columns], sums);
        }
    });
    join_in_pairs(&mut sums, m);
    sums.truncate(m);
    sums
}

/// An address at which several threads write, each in a place of its own.
struct Places<T>(*mut T);
// SAFETY: see above.
unsafe impl<T: Send> Sync for Places<T> {}
impl<T> Places<T> {
    fn get(&self) -> *mut T {
        self.0
    }
}

/// `sums` += Σ `x[p]` · column p; a column has as many elements as `sums`, `stride` after that of the one before.
///
/// # Safety
/// There are `x.len()` such columns at `data`.
unsafe fn add_columns<T: Float>(data: *const T, stride: usize, x: &[T], sums: &mut [T]) {
    /// # Safety
    /// As the function around it.
    #[inline(always)]
    unsafe fn run<const FMA: bool, T: Float>(data: *const T, stride: usize, x: &[T], sums: &mut [T]) {
        let len = sums.len();
        // SAFETY: by the caller.
        let column = |p: usize| unsafe { std::slice::from_raw_parts(data.add(p * stride), len) };
        let (fours, rest) = x.as_chunks::<4>();
        for (q, w) in fours.iter().enumerate() {
            let (a, b, c, d) = (column(4 * q), column(4 * q + 1), column(4 * q + 2), column(4 * q + 3));
            for i in 0..len {
                let ab = multiply_add::<FMA, T>(w[1], b[i], w[0] * a[i]);
                let cd = multiply_add::<FMA, T>(w[3], d[i], w[2] * c[i]);
                sums[i] = sums[i] + (ab + cd);
            }
        }
        for (p, &w) in rest.iter().enumerate() {
            let a = column(4 * fours.len() + p);
            for i in 0..len {
                sums[i] = multiply_add::<FMA, T>(w, a[i], sums[i]);
            }
        }
    }
    dispatch!([T: Float] run::<FMA, T>(data: *const T, stride: usize, x: &[T], sums: &mut [T]))
}

/// Adds rows of `len` numbers in pairs until one is left: the first.
fn join_in_pairs<T: Float>(rows: &mut [T], len: usize) {
    let count = rows.len() / len;
    let mut distance = 1;
    while distance < count {
        for at in (0..count - distance).step_by(2 * distance) {
            let (left, right) = rows.split_at_mut((at + distance) * len);
            for (into, value) in left[at * len..][..len].iter_mut().zip(&right[..len]) {
                *into = *into + *value;
            }
        }
        distance *= 2;
    }
}
