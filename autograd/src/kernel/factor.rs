//! Factorisations of small dense matrices, batch by batch: LU with partial pivoting, Cholesky, triangular systems.
//!
//! Matrices are packed by rows, and every inner loop runs along a row (the "kij" order of G. H. Golub and C. F. Van Loan,
//! "Matrix Computations", sections 3.4 and 4.2), so that it vectorises. Threads share a batch, never a matrix: the
//! order of operations in a matrix is always the same.

use super::simd::dispatch;
use crate::{
    scalar::Float,
    tensor::{Dims, Tensor},
};

/// A matrix of a batch that has no inverse, or is not positive definite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Defect {
    /// Its number in the batch.
    pub(crate) matrix: usize,
    /// The pivot that is not what it must be, counted from 1: the order of the leading minor that fails.
    pub(crate) order: usize,
}

/// P·A = L·U for each matrix of a batch.
pub(crate) struct Lu<T: Float> {
    /// L below the diagonal, where its own diagonal of ones is left out, and U above.
    factors: Tensor<T>,
    n: usize,
    /// For each matrix and step, the row that was exchanged with the step's.
    exchanges: Vec<u32>,
}

/// `row` −= `factor` · `other`.
fn subtract_multiple<T: Float>(row: &mut [T], factor: T, other: &[T]) {
    /// # Safety
    /// None; the signature is that of `dispatch!`.
    #[inline(always)]
    unsafe fn run<const FMA: bool, T: Float>(row: &mut [T], factor: T, other: &[T]) {
        let minus = -factor;
        for (x, y) in row.iter_mut().zip(other) {
            *x = if FMA { minus.mul_add(*y, *x) } else { *x + minus * *y };
        }
    }
    if row.len() < 16 {
        for (x, y) in row.iter_mut().zip(other) {
            *x = *x - factor * *y;
        }
        return;
    }
    dispatch!([T: Float] run::<FMA, T>(row: &mut [T], factor: T, other: &[T]))
}

/// Row `i` mutably and row `p` of a matrix with `columns` columns.
fn two_rows<T>(matrix: &mut [T], columns: usize, i: usize, p: usize) -> (&mut [T], &[T]) {
    let (before, after) = matrix.split_at_mut(i.max(p) * columns);
    if i > p {
        (&mut after[..columns], &before[p * columns..][..columns])
    } else {
        (&mut before[i * columns..][..columns], &after[..columns])
    }
}

/// Runs `work` on each of `count` pieces of `len` elements of a tensor's memory, several threads at a time where it pays.
fn each_matrix<T: Float>(
    data: &mut [T],
    len: usize,
    nanoseconds: f64,
    work: impl Fn(usize, &mut [T]) + Sync,
) {
    if len > 0 {
        super::reduce::in_chunks(data, len, nanoseconds * (data.len() / len) as f64, |first, matrix| {
            work(first / len, matrix);
        });
    }
}

/// The number of matrices in a tensor of at least two axes.
fn batch_count(shape: Dims) -> usize {
    shape[..shape.len() - 2].iter().product()
}

impl<T: Float> Lu<T> {
    /// The factors of square matrices [..., n, n].
    pub(crate) fn new(a: &Tensor<T>) -> Lu<T> {
        let (n, count) = (a.size(-1), batch_count(a.dims()));
        let mut factors = a.packed();
        let mut exchanges = vec![0; count * n];
        if n > 0 {
            let mut work: Vec<(&mut [T], &mut [u32])> =
                factors.make_mut().chunks_exact_mut(n * n).zip(exchanges.chunks_exact_mut(n)).collect();
            let nanoseconds = (n * n * n) as f64 * 0.1 * count as f64;
            super::reduce::in_chunks(&mut work, 1, nanoseconds, |_, work| {
                for (matrix, exchanges) in work {
                    factorise(matrix, n, exchanges);
                }
            });
        }
        Lu { factors, n, exchanges }
    }

    /// For each matrix the pivots, U's diagonal, and whether the rows were exchanged an odd number of times.
    fn pivots(&self) -> impl Iterator<Item = (impl Iterator<Item = T> + '_, bool)> + '_ {
        let n = self.n;
        let data = self.factors.as_slice().expect("packed when it was made");
        (0..batch_count(self.factors.dims())).map(move |matrix| {
            let exchanges = &self.exchanges[matrix * n..][..n];
            let odd =
                exchanges.iter().enumerate().filter(|(step, row)| **row as usize != *step).count() % 2 == 1;
            ((0..n).map(move |i| data[(matrix * n + i) * n + i]), odd)
        })
    }

    fn batch_shape(&self) -> Dims {
        let shape = self.factors.dims();
        Dims::new(&shape[..shape.len() - 2])
    }

    /// The determinants.
    pub(crate) fn determinant(&self) -> Tensor<T> {
        let found = self.pivots().map(|(pivots, odd)| {
            let product = pivots.fold(T::one(), |product, pivot| product * pivot);
            if odd { -product } else { product }
        });
        Tensor::from_vec(found.collect(), self.batch_shape()).expect("one for each matrix")
    }

    /// The signs of the determinants (0 for a singular matrix) and the logarithms of their sizes.
    pub(crate) fn sign_and_logarithm(&self) -> (Tensor<T>, Tensor<T>) {
        let (mut signs, mut logarithms) = (Vec::new(), Vec::new());
        for (pivots, odd) in self.pivots() {
            let (mut sign, mut logarithm) = (if odd { -T::one() } else { T::one() }, T::zero());
            for pivot in pivots {
                sign = if pivot == T::zero() { T::zero() } else { sign * num_traits::Float::signum(pivot) };
                logarithm = logarithm + num_traits::Float::ln(num_traits::Float::abs(pivot));
            }
            signs.push(sign);
            logarithms.push(logarithm);
        }
        let shape = self.batch_shape();
        let tensor = |data| Tensor::from_vec(data, shape).expect("one for each matrix");
        (tensor(signs), tensor(logarithms))
    }

    /// The first matrix without an inverse: one of its pivots is 0.
    pub(crate) fn singular(&self) -> Option<Defect> {
        self.pivots().enumerate().find_map(|(matrix, (mut pivots, _))| {
            pivots.position(|pivot| pivot == T::zero()).map(|at| Defect { matrix, order: at + 1 })
        })
    }

    /// X with A·X = B, for B of shape [..., n, k] and batches that broadcast to `batch`.
    pub(crate) fn solve(&self, b: &Tensor<T>, batch: Dims) -> Tensor<T> {
        let (n, k) = (self.n, b.size(-1));
        let mut x = b.expand(batch.with_pushed(n).with_pushed(k)).packed();
        let factors = self.factors.as_slice().expect("packed when it was made");
        let number = Repeated::new(self.batch_shape(), batch);
        each_matrix(x.make_mut(), n * k, (n * n * k) as f64 * 0.2, |index, x| {
            let matrix = number.of(index);
            let factors = &factors[matrix * n * n..][..n * n];
            for (step, &row) in self.exchanges[matrix * n..][..n].iter().enumerate() {
                if row as usize != step {
                    let (a, b) = x.split_at_mut(row as usize * k);
                    a[step * k..][..k].swap_with_slice(&mut b[..k]);
                }
            }
            let at = |i: usize, p: usize| factors[i * n + p];
            substitute(at, x, n, k, false, true);
            substitute(at, x, n, k, true, false);
        });
        x
    }
}

/// P·A = L·U in place.
fn factorise<T: Float>(a: &mut [T], n: usize, exchanges: &mut [u32]) {
    for step in 0..n {
        let size = |row: usize| num_traits::Float::abs(a[row * n + step]);
        // The first of the largest; a NaN is never larger, and spreads by itself.
        let pivot = (step + 1..n).fold(step, |best, row| if size(row) > size(best) { row } else { best });
        exchanges[step] = pivot as u32;
        if pivot != step {
            let (above, below) = a.split_at_mut(pivot * n);
            above[step * n..][..n].swap_with_slice(&mut below[..n]);
        }
        let divisor = a[step * n + step];
        if divisor == T::zero() {
            // The whole column is 0: nothing to eliminate.
            continue;
        }
        for row in step + 1..n {
            let (row, pivot_row) = two_rows(a, n, row, step);
            let factor = row[step] / divisor;
            row[step] = factor;
            subtract_multiple(&mut row[step + 1..], factor, &pivot_row[step + 1..]);
        }
    }
}

/// Solves a triangular system in place, for `k` right-hand sides packed by rows; `unit`: the diagonal is one and not read.
fn substitute<T: Float>(
    at: impl Fn(usize, usize) -> T,
    x: &mut [T],
    n: usize,
    k: usize,
    upper: bool,
    unit: bool,
) {
    for step in 0..n {
        let (i, known) = if upper { (n - 1 - step, n - step..n) } else { (step, 0..step) };
        for p in known {
            let (row, solved) = two_rows(x, k, i, p);
            subtract_multiple(row, at(i, p), solved);
        }
        if !unit {
            let divisor = at(i, i);
            for value in &mut x[i * k..][..k] {
                *value = *value / divisor;
            }
        }
    }
}

/// X with A·X = B for triangular A; `unit`: its diagonal is one. Only the named triangle is read. [..., n, n] and
/// [..., n, k], with batches that broadcast to `batch`.
pub(crate) fn solve_triangular<T: Float>(
    a: &Tensor<T>,
    b: &Tensor<T>,
    batch: Dims,
    upper: bool,
    unit: bool,
) -> Tensor<T> {
    let (n, k) = (a.size(-1), b.size(-1));
    let mut x = b.expand(batch.with_pushed(n).with_pushed(k)).packed();
    let shape = a.dims();
    let number = Repeated::new(Dims::new(&shape[..shape.len() - 2]), batch);
    let a = a.contiguous();
    let a = a.as_slice().expect("packed above");
    each_matrix(x.make_mut(), n * k, (n * n * k) as f64 * 0.1, |index, x| {
        let a = &a[number.of(index) * n * n..][..n * n];
        substitute(|i, p| a[i * n + p], x, n, k, upper, unit);
    });
    x
}

/// The lower L with L·Lᵀ = A, of which only the lower triangle is read; the first matrix that is not positive definite
/// otherwise.
pub(crate) fn cholesky<T: Float>(a: &Tensor<T>) -> Result<Tensor<T>, Defect> {
    let (n, count) = (a.size(-1), batch_count(a.dims()));
    let mut factor = a.packed();
    let mut failures = vec![0; count];
    if n > 0 {
        let mut work: Vec<(&mut [T], &mut usize)> =
            factor.make_mut().chunks_exact_mut(n * n).zip(&mut failures).collect();
        let nanoseconds = (n * n * n) as f64 * 0.1 * count as f64;
        super::reduce::in_chunks(&mut work, 1, nanoseconds, |_, work| {
            for (matrix, failure) in work {
                **failure = cholesky_in_place(matrix, n);
            }
        });
    }
    match failures.iter().position(|&order| order > 0) {
        Some(matrix) => Err(Defect { matrix, order: failures[matrix] }),
        None => Ok(factor),
    }
}

/// Returns 0, or the order of the leading minor that is not positive.
fn cholesky_in_place<T: Float>(a: &mut [T], n: usize) -> usize {
    for i in 0..n {
        for j in 0..=i {
            // Row j is row i itself on the diagonal.
            let (above, own) = a.split_at_mut(i * n);
            let (row, other) = if j < i { (&own[..j], &above[j * n..][..j]) } else { (&own[..j], &own[..j]) };
            let sum = row.iter().zip(other).fold(own[j], |sum, (x, y)| sum - *x * *y);
            if j < i {
                own[j] = sum / above[j * n + j];
            } else if sum > T::zero() {
                own[j] = num_traits::Float::sqrt(sum);
            } else {
                return i + 1;
            }
        }
        a[i * n + i + 1..(i + 1) * n].fill(T::zero());
    }
    0
}

/// Which matrix of a batch an index of the batch that it broadcasts to refers to.
struct Repeated {
    batch: Dims,
    strides: Dims,
}

impl Repeated {
    fn new(own: Dims, batch: Dims) -> Repeated {
        let (mut strides, packed) = (Dims::filled(batch.len(), 0), own.row_major_strides());
        for back in 1..=own.len() {
            if own[own.len() - back] != 1 {
                strides[batch.len() - back] = packed[own.len() - back];
            }
        }
        Repeated { batch, strides }
    }

    fn of(&self, mut index: usize) -> usize {
        let mut number = 0;
        for axis in (0..self.batch.len()).rev() {
            number += index % self.batch[axis] * self.strides[axis];
            index /= self.batch[axis];
        }
        number
    }
}
