//! Attention over a batch of heads: blocks of queries against all keys, never a whole matrix of scores.
//!
//! A block of queries is small enough that its scores stay in the second-level cache: product with the keys, softmax,
//! product with the values, next block. What is kept for the backward pass is one number a query, the log-sum-exp of its
//! scores, from which the probabilities are found again (Dao et al., "FlashAttention", 2022, section 3.1; since a block
//! holds all keys, no running softmax is needed). Under a causal mask the keys that no query of the block sees are left
//! out of the products. Heads go to the threads one by one, and everything within a head has a fixed order.

use super::{
    matmul::{Matrix, Sizes, gemm_into},
    parallel::for_each_block,
    simd::dispatch,
    softmax::{dot, largest, total},
};
use crate::{
    ops::Drops,
    scalar::{Float, mathematics::Mathematics},
    tensor::{Dims, Fresh, Tensor},
};

/// What attention is computed from. The batch axes of all tensors are the same; repeated entries have stride 0.
pub(crate) struct Attention<'a, T: Float> {
    /// `[…, L, E]`
    pub(crate) q: &'a Tensor<T>,
    /// `[…, S, E]`
    pub(crate) k: &'a Tensor<T>,
    /// `[…, S, F]`
    pub(crate) v: &'a Tensor<T>,
    /// Added to the scores: `[…, L, S]`.
    pub(crate) mask: Option<&'a Tensor<T>>,
    /// Does query l see the keys 0 to l only?
    pub(crate) causal: bool,
    pub(crate) scale: T,
    pub(crate) drops: Option<Drops>,
}

#[derive(Clone, Copy)]
struct Extent {
    batch: Dims,
    l: usize,
    s: usize,
    e: usize,
    f: usize,
}

/// Scores in a block, about: 128 kB of f32.
const BLOCK: usize = 32 * 1024;

/// An address that several threads write disjoint parts behind.
#[derive(Clone, Copy)]
struct Place<T>(*mut T);
// SAFETY: every use writes the part of one head, and each head is one thread's.
unsafe impl<T: Send> Sync for Place<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for Place<T> {}

impl<T> Place<T> {
    fn at(&self, offset: usize) -> *mut T {
        self.0.wrapping_add(offset)
    }
}

/// The matrix of one head: the last two axes at this index of the batch.
fn head<T: Float>(x: &Tensor<T>, batch: Dims, mut index: usize) -> Matrix<*const T> {
    let rank = x.rank();
    let mut offset = 0;
    for axis in (0..batch.len()).rev() {
        offset += index % batch[axis] * x.strides()[axis];
        index /= batch[axis];
    }
    Matrix {
        data: x.data_ptr().wrapping_add(offset),
        row: x.strides()[rank - 2],
        column: x.strides()[rank - 1],
    }
}

/// How the heads of a result lie in memory: like those of the input that it belongs to. Where these stand side by side in
/// each position, as a projection leaves them, so do those of the result, and putting them together moves nothing.
#[derive(Clone, Copy)]
struct Layout {
    shape: Dims,
    /// Heads beside each other in a position; 0 where each head has a matrix of its own.
    side_by_side: usize,
}

impl Layout {
    /// For `width` numbers at each place of `like`.
    fn like<T: Float>(like: &Tensor<T>, width: usize) -> Layout {
        let (mut shape, rank) = (like.dims(), like.rank());
        shape[rank - 1] = width;
        let mut side_by_side = 0;
        if rank > 2 && like.strides()[rank - 3] < like.strides()[rank - 2] && !like.is_empty() {
            side_by_side = shape[rank - 3];
            shape.swap(rank - 3, rank - 2);
        }
        Layout { shape, side_by_side }
    }

    /// The matrix of the head at this index of the batch, from `row` on.
    fn head<T>(&self, data: &Place<T>, index: usize, row: usize) -> Matrix<*mut T> {
        let [first, second, width] = [3, 2, 1].map(|back| match self.shape.len() {
            rank if rank < back => 1,
            rank => self.shape[rank - back],
        });
        match self.side_by_side {
            0 => Matrix::row_major(data.at((index * second + row) * width), width),
            heads => {
                let place = (index / heads * first + row) * heads + index % heads;
                Matrix { data: data.at(place * width), row: heads * width, column: 1 }
            }
        }
    }

    /// The result, with the axes in their order.
    fn finish<T: Float>(&self, result: Tensor<T>) -> Tensor<T> {
        if self.side_by_side > 0 { result.transpose(-3, -2) } else { result }
    }
}

/// The matrix from that row on.
fn rows_from<T>(x: Matrix<*const T>, row: usize) -> Matrix<*const T> {
    Matrix { data: x.data.wrapping_add(row * x.row), ..x }
}

impl<T: Float> Attention<'_, T> {
    fn extent(&self) -> Extent {
        let (q, v, rank) = (self.q.shape(), self.v.shape(), self.q.rank());
        let (l, e, s, f) = (q[rank - 2], q[rank - 1], v[rank - 2], v[rank - 1]);
        Extent { batch: Dims::new(&q[..rank - 2]), l, s, e, f }
    }

    /// The queries of a block, whatever their number.
    fn block(&self, extent: Extent) -> usize {
        (BLOCK / extent.s.max(1)).clamp(16, 64)
    }

    /// How many keys the queries up to `end` see.
    fn width(&self, extent: Extent, end: usize) -> usize {
        if self.causal { extent.s.min(end) } else { extent.s }
    }

    fn nanoseconds(&self, extent: Extent) -> f64 {
        let scores = (extent.batch.count() * extent.l * extent.s) as f64;
        scores * ((extent.e + extent.f) as f64 * 0.02 + 0.6)
    }

    /// The output `[…, L, F]` and the log-sum-exp of each query's scores `[…, L]`: +∞ for a query that sees no key, whose
    /// output is 0.
    pub(crate) fn forward(&self) -> (Tensor<T>, Tensor<T>) {
        let extent = self.extent();
        let Extent { batch, l, s, e, f } = extent;
        let (count, block) = (batch.count(), self.block(extent));
        let layout = Layout::like(self.q, f);
        let (mut out, mut logs) = (Fresh::<T>::new(layout.shape), Fresh::<T>::new(batch.with_pushed(l)));
        let (out_place, logs_place) = (Place(out.as_mut_ptr()), Place(logs.as_mut_ptr()));
        for_each_block(count, self.nanoseconds(extent), |b| {
            let mut scratch = vec![T::zero(); block.min(l) * s];
            let (q, k, v) = (head(self.q, batch, b), head(self.k, batch, b), head(self.v, batch, b));
            for first in (0..l).step_by(block) {
                let m = block.min(l - first);
                let width = self.width(extent, first + m);
                let scores = &mut scratch[..m * width];
                let place_of_first = self.causal.then_some(first);
                // SAFETY: the block's queries and the first `width` keys and values lie within the tensors, the block's
                // outputs and logarithms are this head's alone, and every one is written.
                unsafe {
                    let place = Matrix::row_major(scores.as_mut_ptr(), width);
                    gemm_into(
                        place,
                        rows_from(q, first),
                        k.t(),
                        Sizes { m, n: width, k: e },
                        false,
                        count == 1,
                    );
                    self.mask(b, extent, first, width, scores);
                    let logs = std::slice::from_raw_parts_mut(logs_place.at(b * l + first), m);
                    normalise(scores, width, place_of_first, logs);
                    self.drop(b, extent, first, width, scores);
                    let out = layout.head(&out_place, b, first);
                    let place = Matrix::row_major(scores.as_ptr(), width);
                    gemm_into(out, place, v, Sizes { m, n: f, k: width }, false, count == 1);
                }
            }
        });
        // SAFETY: every head's blocks were written.
        unsafe { (layout.finish(out.assume_init()), logs.assume_init()) }
    }

    /// The cotangents of q, k and v from that of the output and the log-sum-exps.
    pub(crate) fn backward(&self, logs: &Tensor<T>, g: &Tensor<T>) -> [Tensor<T>; 3] {
        let extent = self.extent();
        let Extent { batch, l, s, e, f } = extent;
        let (count, block) = (batch.count(), self.block(extent));
        let logs = logs.as_slice().expect("packed by the forward pass");
        let layouts = [Layout::like(self.q, e), Layout::like(self.k, e), Layout::like(self.v, f)];
        let [mut dq, mut dk, mut dv] = layouts.map(|layout| Fresh::<T>::new(layout.shape));
        let [q_place, k_place, v_place] =
            [Place(dq.as_mut_ptr()), Place(dk.as_mut_ptr()), Place(dv.as_mut_ptr())];
        for_each_block(count, 2.5 * self.nanoseconds(extent), |b| {
            let mut scratch = vec![T::zero(); 2 * block.min(l) * s];
            let (q, k, v) = (head(self.q, batch, b), head(self.k, batch, b), head(self.v, batch, b));
            let g = head(g, batch, b);
            let spread = count == 1;
            let (dk, dv) = (layouts[1].head(&k_place, b, 0), layouts[2].head(&v_place, b, 0));
            // SAFETY: these parts are this head's alone; after this they are initialised.
            unsafe {
                for key in 0..s {
                    dk.data.wrapping_add(key * dk.row).write_bytes(0, e);
                    dv.data.wrapping_add(key * dv.row).write_bytes(0, f);
                }
            }
            for first in (0..l).step_by(block) {
                let m = block.min(l - first);
                let width = self.width(extent, first + m);
                let (p, dp) = scratch.split_at_mut(block.min(l) * s);
                let (p, dp) = (&mut p[..m * width], &mut dp[..m * width]);
                let logs = &logs[b * l + first..][..m];
                let (q, g) = (rows_from(q, first), rows_from(g, first));
                let place_of_first = self.causal.then_some(first);
                // SAFETY: as in `forward`; dk and dv were zeroed above and are added to.
                unsafe {
                    let place = Matrix::row_major(p.as_mut_ptr(), width);
                    gemm_into(place, q, k.t(), Sizes { m, n: width, k: e }, false, spread);
                    self.mask(b, extent, first, width, p);
                    probabilities(p, width, place_of_first, logs);
                    let place = Matrix::row_major(dp.as_mut_ptr(), width);
                    gemm_into(place, g, v.t(), Sizes { m, n: width, k: f }, false, spread);
                    self.drop(b, extent, first, width, dp);
                    // What the values were weighted by: the probabilities, without those that were dropped.
                    let dropped;
                    let weights = if self.drops.is_some() {
                        let mut copy = p.to_vec();
                        self.drop(b, extent, first, width, &mut copy);
                        dropped = copy;
                        dropped.as_ptr()
                    } else {
                        p.as_ptr()
                    };
                    let weights = Matrix::row_major(weights, width);
                    gemm_into(dv, weights.t(), g, Sizes { m: width, n: f, k: m }, true, spread);
                    score_cotangents(p, dp, width, place_of_first, self.scale);
                    let ds = Matrix::row_major(dp.as_ptr(), width);
                    let dq = layouts[0].head(&q_place, b, first);
                    gemm_into(dq, ds, k, Sizes { m, n: e, k: width }, false, spread);
                    gemm_into(dk, ds.t(), q, Sizes { m: width, n: e, k: m }, true, spread);
                }
            }
        });
        // SAFETY: every head's parts were written: dq block by block, dk and dv when they were zeroed.
        let [q, k, v] = unsafe { [dq.assume_init(), dk.assume_init(), dv.assume_init()] };
        [layouts[0].finish(q), layouts[1].finish(k), layouts[2].finish(v)]
    }

    /// Scales the scores of a block and adds the mask.
    fn mask(&self, b: usize, extent: Extent, first: usize, width: usize, scores: &mut [T]) {
        if width == 0 {
            return;
        }
        scale_rows(scores, self.scale);
        let Some(mask) = self.mask.map(|mask| head(mask, extent.batch, b)) else { return };
        for (r, row) in scores.chunks_exact_mut(width).enumerate() {
            for (j, score) in row.iter_mut().enumerate() {
                // SAFETY: the mask is [L, S] for each head, and the row and column lie within.
                *score =
                    *score + unsafe { *mask.data.wrapping_add((first + r) * mask.row + j * mask.column) };
            }
        }
    }

    /// Multiplies the numbers of a block by what dropout leaves of each.
    fn drop(&self, b: usize, extent: Extent, first: usize, width: usize, numbers: &mut [T]) {
        let Some(drops) = self.drops else { return };
        let mut factors = vec![T::zero(); width];
        for (r, row) in numbers.chunks_exact_mut(width.max(1)).enumerate() {
            drops.factors((b * extent.l + first + r) * extent.s, &mut factors);
            for (number, &factor) in row.iter_mut().zip(&factors) {
                *number = *number * factor;
            }
        }
    }
}

/// How many keys row `r` of a block sees: all, or under a causal mask those up to its own place.
#[inline(always)]
fn seen(width: usize, first: Option<usize>, r: usize) -> usize {
    first.map_or(width, |first| width.min(first + r + 1))
}

/// Scales scores.
fn scale_rows<T: Float>(scores: &mut [T], scale: T) {
    /// # Safety
    /// None; the signature is that of `dispatch!`, here and below.
    #[inline(always)]
    unsafe fn all<const FMA: bool, T: Float>(scores: &mut [T], scale: T) {
        for score in scores {
            *score = *score * scale;
        }
    }
    dispatch!([T: Float] all::<FMA, T>(scores: &mut [T], scale: T));
}

/// Softmax of each row in place, and its log-sum-exp. `first` is the place of the first query under a causal mask.
fn normalise<T: Float>(scores: &mut [T], width: usize, first: Option<usize>, logs: &mut [T]) {
    /// # Safety
    /// None.
    #[inline(always)]
    unsafe fn rows<const FMA: bool, T: Float>(
        scores: &mut [T],
        width: usize,
        first: Option<usize>,
        logs: &mut [T],
    ) {
        for (r, (row, log)) in scores.chunks_exact_mut(width).zip(logs).enumerate() {
            let (row, unseen) = row.split_at_mut(seen(width, first, r));
            unseen.fill(T::zero());
            let top = largest(row);
            if top == T::neg_infinity() && !row.iter().any(|score| score.is_nan()) {
                row.fill(T::zero());
                *log = T::infinity();
                continue;
            }
            for score in row.iter_mut() {
                *score = Mathematics::exp::<FMA>(*score - top);
            }
            let total = total(row);
            let scale = T::one() / total;
            for score in row {
                *score = *score * scale;
            }
            *log = top + Mathematics::ln::<FMA>(total);
        }
    }
    if width == 0 {
        return logs.fill(T::infinity());
    }
    dispatch!([T: Float] rows::<FMA, T>(scores: &mut [T], width: usize, first: Option<usize>, logs: &mut [T]));
}

/// The probabilities again, from scores and log-sum-exps.
fn probabilities<T: Float>(scores: &mut [T], width: usize, first: Option<usize>, logs: &[T]) {
    /// # Safety
    /// None.
    #[inline(always)]
    unsafe fn rows<const FMA: bool, T: Float>(
        scores: &mut [T],
        width: usize,
        first: Option<usize>,
        logs: &[T],
    ) {
        for (r, (row, &log)) in scores.chunks_exact_mut(width).zip(logs).enumerate() {
            let (row, unseen) = row.split_at_mut(seen(width, first, r));
            unseen.fill(T::zero());
            for score in row {
                *score = Mathematics::exp::<FMA>(*score - log);
            }
        }
    }
    let width = width.max(1);
    dispatch!([T: Float] rows::<FMA, T>(scores: &mut [T], width: usize, first: Option<usize>, logs: &[T]));
}

/// The cotangents of the unscaled scores, p·(dp − Σ p·dp)·scale, in place of dp.
fn score_cotangents<T: Float>(p: &[T], dp: &mut [T], width: usize, first: Option<usize>, scale: T) {
    /// # Safety
    /// None.
    #[inline(always)]
    unsafe fn rows<const FMA: bool, T: Float>(
        p: &[T],
        dp: &mut [T],
        width: usize,
        first: Option<usize>,
        scale: T,
    ) {
        for (r, (p, dp)) in p.chunks_exact(width).zip(dp.chunks_exact_mut(width)).enumerate() {
            let (dp, unseen) = dp.split_at_mut(seen(width, first, r));
            unseen.fill(T::zero());
            let p = &p[..dp.len()];
            let mean = dot(p, dp);
            for (dp, &p) in dp.iter_mut().zip(p) {
                *dp = p * (*dp - mean) * scale;
            }
        }
    }
    let width = width.max(1);
    dispatch!([T: Float] rows::<FMA, T>(p: &[T], dp: &mut [T], width: usize, first: Option<usize>, scale: T));
}
