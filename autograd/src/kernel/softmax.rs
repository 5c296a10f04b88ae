//! Softmax and what is built on it, row by row: stable, and one pass over memory in each direction.
//!
//! Rows are worked on in blocks that stay in the first-level cache: the largest number of each row is subtracted, one
//! flat loop takes the exponential of the whole block, each row is summed and scaled. The exponential is what takes the
//! time, and in a flat loop it runs in full vectors even where rows are as short as a classifier's ten classes.
//!
//! The sum of a row is taken in running sums and a fixed tree (see [`lanes`](super::lanes)), so its bits depend on the row alone.

use super::{
    lanes::{fold, sum},
    reduce::in_chunks,
    simd::dispatch,
};
use crate::scalar::{Float, mathematics::Mathematics};
use std::mem::MaybeUninit;

/// Elements in a block, but at least one row.
const BLOCK: usize = 1024;
/// Rows in a block at most.
const ROWS: usize = 64;
/// Elements that one thread takes at a time, but at least one row.
const CHUNK: usize = 4096;
/// Nanoseconds an element.
const COST: f64 = 0.6;

fn rows_in_block(n: usize) -> usize {
    (BLOCK / n).clamp(1, ROWS)
}

fn rows_in_chunk(n: usize) -> usize {
    (CHUNK / n).max(1)
}

/// The largest number of a row. NaN are passed over: they reach the result through the exponential.
#[inline(always)]
pub(super) fn largest<T: Float>(row: &[T]) -> T {
    fold!(([row] | x | x), T::neg_infinity(), |a, b| if b > a { b } else { a })
}

#[inline(always)]
pub(super) fn total<T: Float>(row: &[T]) -> T {
    sum!([row] | x | x)
}

#[inline(always)]
pub(super) fn dot<T: Float>(a: &[T], b: &[T]) -> T {
    sum!([a, b] | x, y | x * y)
}

#[inline(always)]
fn exponential<const FMA: bool, T: Float>(values: &mut [T]) {
    for value in values {
        *value = Mathematics::exp::<FMA>(*value);
    }
}

/// Writes all of `out`, one number from each of `values`, and returns it as numbers.
#[inline(always)]
fn fill<T>(out: &mut [MaybeUninit<T>], values: impl Iterator<Item = T>) -> &mut [T] {
    let mut written = 0;
    for (out, value) in out.iter_mut().zip(values) {
        out.write(value);
        written += 1;
    }
    assert_eq!(written, out.len(), "a number for each place");
    // SAFETY: every element was written, as just counted; `MaybeUninit<T>` has the layout of `T`.
    unsafe { &mut *(std::ptr::from_mut(out) as *mut [T]) }
}

/// The largest number m of each row, and ln Σ e^(x−m): two numbers a row, `out[2·row]` and `out[2·row + 1]`. Their sum is
/// the log-sum-exp; apart they keep the digits that it loses where m is large.
pub(crate) fn log_sum_exp<T: Float>(x: &[T], n: usize, out: &mut [MaybeUninit<T>]) {
    in_chunks(out, 2 * rows_in_chunk(n), x.len() as f64 * COST, |first, out| {
        let out = fill(out, std::iter::repeat_n(T::zero(), out.len()));
        let x = &x[first / 2 * n..][..out.len() / 2 * n];
        dispatch!([T: Float] log_sum_exp_rows::<FMA, T>(x: &[T], n: usize, out: &mut [T]));
    });
}

/// # Safety
/// None; the signature is that of `dispatch!`, here and below.
#[inline(always)]
unsafe fn log_sum_exp_rows<const FMA: bool, T: Float>(x: &[T], n: usize, out: &mut [T]) {
    let rows = rows_in_block(n);
    let mut shifted = [T::zero(); BLOCK];
    let mut totals = [T::one(); ROWS];
    for (x, out) in x.chunks(rows * n).zip(out.chunks_mut(2 * rows)) {
        if x.len() <= BLOCK {
            let shifted = &mut shifted[..x.len()];
            for ((x, shifted), out) in
                x.chunks_exact(n).zip(shifted.chunks_exact_mut(n)).zip(out.chunks_exact_mut(2))
            {
                out[0] = largest(x);
                for (shifted, &x) in shifted.iter_mut().zip(x) {
                    *shifted = x - out[0];
                }
            }
            exponential::<FMA, T>(shifted);
            for (row, sum) in shifted.chunks_exact(n).zip(&mut totals) {
                *sum = total(row);
            }
        } else {
            let top = largest(x);
            out[0] = top;
            totals[0] = sum!([x] | x | Mathematics::exp::<FMA>(x - top));
        }
        for total in &mut totals {
            *total = Mathematics::ln::<FMA>(*total);
        }
        for (out, &total) in out.chunks_exact_mut(2).zip(&totals) {
            out[1] = total;
        }
    }
}

/// Softmax, or its logarithm, of each row of `n` numbers.
pub(crate) fn softmax<T: Float>(x: &[T], n: usize, logarithm: bool, out: &mut [MaybeUninit<T>]) {
    in_chunks(out, rows_in_chunk(n) * n, x.len() as f64 * COST, |first, out| {
        let x = &x[first..][..out.len()];
        if logarithm {
            dispatch!([T: Float] log_softmax_rows::<FMA, T>(x: &[T], n: usize, out: &mut [MaybeUninit<T>]));
        } else {
            dispatch!([T: Float] softmax_rows::<FMA, T>(x: &[T], n: usize, out: &mut [MaybeUninit<T>]));
        }
    });
}

/// # Safety
/// None.
#[inline(always)]
unsafe fn softmax_rows<const FMA: bool, T: Float>(x: &[T], n: usize, out: &mut [MaybeUninit<T>]) {
    let block = rows_in_block(n) * n;
    for (x, out) in x.chunks(block).zip(out.chunks_mut(block)) {
        for (x, out) in x.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
            let top = largest(x);
            fill(out, x.iter().map(|&x| x - top));
        }
        // SAFETY: the rows fill the block, and each was written.
        let out = unsafe { &mut *(std::ptr::from_mut(out) as *mut [T]) };
        exponential::<FMA, T>(out);
        for row in out.chunks_exact_mut(n) {
            let scale = T::one() / total(row);
            for value in row {
                *value = *value * scale;
            }
        }
    }
}

/// # Safety
/// None.
#[inline(always)]
unsafe fn log_softmax_rows<const FMA: bool, T: Float>(x: &[T], n: usize, out: &mut [MaybeUninit<T>]) {
    let rows = rows_in_block(n);
    let mut logs = [T::zero(); 2 * ROWS];
    for (x, out) in x.chunks(rows * n).zip(out.chunks_mut(rows * n)) {
        let logs = &mut logs[..x.len() / n * 2];
        // SAFETY: it asks for nothing.
        unsafe { log_sum_exp_rows::<FMA, T>(x, n, logs) };
        for ((x, out), log) in x.chunks_exact(n).zip(out.chunks_exact_mut(n)).zip(logs.chunks_exact(2)) {
            fill(out, x.iter().map(|&x| (x - log[0]) - log[1]));
        }
    }
}

/// The cotangents of softmax, y·(g − Σ g·y), or of its logarithm, g − eʸ·Σ g, from the output y and its cotangent g.
pub(crate) fn softmax_backward<T: Float>(
    y: &[T],
    g: &[T],
    n: usize,
    logarithm: bool,
    out: &mut [MaybeUninit<T>],
) {
    in_chunks(out, rows_in_chunk(n) * n, y.len() as f64 * COST, |first, out| {
        let (y, g) = (&y[first..][..out.len()], &g[first..][..out.len()]);
        dispatch!([T: Float] backward_rows::<FMA, T>(
            y: &[T], g: &[T], n: usize, logarithm: bool, out: &mut [MaybeUninit<T>]
        ));
    });
}

/// # Safety
/// None.
#[inline(always)]
unsafe fn backward_rows<const FMA: bool, T: Float>(
    y: &[T],
    g: &[T],
    n: usize,
    logarithm: bool,
    out: &mut [MaybeUninit<T>],
) {
    let block = rows_in_block(n) * n;
    for ((y, g), out) in y.chunks(block).zip(g.chunks(block)).zip(out.chunks_mut(block)) {
        if logarithm {
            let out = fill(out, y.iter().map(|&y| Mathematics::exp::<FMA>(y)));
            for (out, g) in out.chunks_exact_mut(n).zip(g.chunks_exact(n)) {
                let total = total(g);
                for (out, &g) in out.iter_mut().zip(g) {
                    *out = g - *out * total;
                }
            }
        } else {
            for ((y, g), out) in y.chunks_exact(n).zip(g.chunks_exact(n)).zip(out.chunks_exact_mut(n)) {
                let mean = dot(g, y);
                fill(out, y.iter().zip(g).map(|(&y, &g)| y * (g - mean)));
            }
        }
    }
}

/// What the cotangent of one row of logits is made of: probability·p − target·(1 at its class) − smooth·w.
#[derive(Clone, Copy)]
pub(crate) struct Row<T> {
    /// The class; `None` for a row that does not count.
    pub(crate) class: Option<usize>,
    pub(crate) probability: T,
    pub(crate) target: T,
    pub(crate) smooth: T,
}

/// The cotangents of logits in cross entropy; `logs` are what [`log_sum_exp`] gave, `weights` those of the classes.
pub(crate) fn cross_entropy_backward<T: Float>(
    x: &[T],
    logs: &[T],
    rows: &[Row<T>],
    weights: &[T],
    out: &mut [MaybeUninit<T>],
) {
    let n = weights.len();
    in_chunks(out, rows_in_chunk(n) * n, x.len() as f64 * COST, |first, out| {
        let (row, count) = (first / n, out.len() / n);
        let (x, logs, rows) =
            (&x[first..][..out.len()], &logs[2 * row..][..2 * count], &rows[row..][..count]);
        dispatch!([T: Float] cross_entropy_rows::<FMA, T>(
            x: &[T], logs: &[T], rows: &[Row<T>], weights: &[T], out: &mut [MaybeUninit<T>]
        ));
    });
}

/// # Safety
/// None.
#[inline(always)]
unsafe fn cross_entropy_rows<const FMA: bool, T: Float>(
    x: &[T],
    logs: &[T],
    rows: &[Row<T>],
    weights: &[T],
    out: &mut [MaybeUninit<T>],
) {
    let n = weights.len();
    let block = rows_in_block(n);
    let blocks = x.chunks(block * n).zip(out.chunks_mut(block * n));
    for (((x, out), logs), rows) in blocks.zip(logs.chunks(2 * block)).zip(rows.chunks(block)) {
        for ((x, out), log) in x.chunks_exact(n).zip(out.chunks_exact_mut(n)).zip(logs.chunks_exact(2)) {
            fill(out, x.iter().map(|&x| (x - log[0]) - log[1]));
        }
        // SAFETY: the rows fill the block, and each was written.
        let out = unsafe { &mut *(std::ptr::from_mut(out) as *mut [T]) };
        exponential::<FMA, T>(out);
        for (out, row) in out.chunks_exact_mut(n).zip(rows) {
            let Some(class) = row.class else {
                out.fill(T::zero());
                continue;
            };
            if row.smooth == T::zero() {
                for out in out.iter_mut() {
                    *out = row.probability * *out;
                }
            } else {
                for (out, &weight) in out.iter_mut().zip(weights) {
                    *out = row.probability * *out - row.smooth * weight;
                }
            }
            out[class] = out[class] - row.target;
        }
    }
}
