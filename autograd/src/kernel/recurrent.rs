//! Recurrent layers over whole sequences: one loop over time in each direction.
//!
//! The projections of the inputs come in computed, as one product over all steps. What is left is, for each step, a
//! product of the state with the recurrent weights and the cell's arithmetic. The rows of a batch do not know of each
//! other, so groups of rows go through the whole sequence on a thread of their own, which waits for nobody; how rows are
//! grouped depends on their number alone. The gradient of the recurrent weights is one product over all steps at the end.

use super::{
    matmul::{Matrix, Sizes, gemm_into},
    parallel::for_each_block,
    simd::dispatch,
};
use crate::{
    scalar::{Float, mathematics::Mathematics},
    tensor::{Dims, Fresh, Tensor},
};

/// The arithmetic of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// h' = tanh(x + W·h)
    Tanh,
    /// h' = max(x + W·h, 0)
    Relu,
    /// Gates i, f, g, o.
    Lstm,
    /// Gates r, z, n.
    Gru,
}

impl Cell {
    /// Rows of the weights for each element of the state.
    pub(crate) fn gates(self) -> usize {
        match self {
            Cell::Tanh | Cell::Relu => 1,
            Cell::Gru => 3,
            Cell::Lstm => 4,
        }
    }
    /// Numbers kept for each element of the state: i, f, g, o or r, z, n and the recurrent part of n.
    fn kept(self) -> usize {
        match self {
            Cell::Tanh | Cell::Relu => 0,
            Cell::Lstm | Cell::Gru => 4,
        }
    }
    pub(crate) fn has_memory(self) -> bool {
        self == Cell::Lstm
    }
}

/// A sequence to be run through a cell. All slices are packed.
#[derive(Clone, Copy)]
pub(crate) struct Sequence<'a, T> {
    pub(crate) cell: Cell,
    /// Does time run from the last step to the first?
    pub(crate) reverse: bool,
    /// Are sequences `[N, T, …]`, and not `[T, N, …]`?
    pub(crate) batch_first: bool,
    /// The number of steps, of rows, and the size of the state.
    pub(crate) steps: usize,
    pub(crate) rows: usize,
    pub(crate) size: usize,
    /// The projected inputs, gates · size a row and step.
    pub(crate) x: &'a [T],
    /// The first state and, of an LSTM, the first memory: `[N, H]`.
    pub(crate) h0: &'a [T],
    pub(crate) c0: &'a [T],
    /// `[gates · H, H]`
    pub(crate) weight: &'a [T],
    /// Added to the product of state and weights, `[gates · H]`, or empty.
    pub(crate) bias: &'a [T],
}

/// What the forward pass finds, in the layout of the sequence.
pub(crate) struct Run<T: Float> {
    /// The state after each step.
    pub(crate) out: Tensor<T>,
    /// The state after the last step, `[N, H]`.
    pub(crate) h: Tensor<T>,
    /// The memory after each step.
    pub(crate) cells: Tensor<T>,
    /// The memory after the last step.
    pub(crate) c: Tensor<T>,
    /// What the backward pass reads of each step.
    pub(crate) kept: Tensor<T>,
}

/// The cotangents of a sequence's inputs.
pub(crate) struct Cotangent<T: Float> {
    pub(crate) x: Tensor<T>,
    pub(crate) h0: Tensor<T>,
    pub(crate) c0: Tensor<T>,
    pub(crate) weight: Tensor<T>,
    /// Of the recurrent products, whose sum over rows and steps is that of the bias.
    pub(crate) product: Tensor<T>,
}

/// An address behind which threads write the rows of their own groups.
#[derive(Clone, Copy)]
struct Place<T>(*mut T);
// SAFETY: every row belongs to one group, and each group is one thread's.
unsafe impl<T: Send> Sync for Place<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for Place<T> {}

impl<T> Place<T> {
    /// # Safety
    /// The `len` elements from `start` on lie within the memory and are this thread's; they may be uninitialised only if
    /// they are written before they are read.
    unsafe fn slice<'a>(self, start: usize, len: usize) -> &'a mut [T] {
        // SAFETY: by the caller.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(start), len) }
    }
}

/// Memory for `len` numbers, none of which is anything yet.
fn fresh<T: Float>(shape: &[usize]) -> (Fresh<T>, Place<T>) {
    let mut fresh = Fresh::new(Dims::new(shape));
    let place = Place(fresh.as_mut_ptr());
    (fresh, place)
}

impl<T: Float> Sequence<'_, T> {
    /// The shape of a sequence of `width` numbers a row and step.
    fn shape(&self, width: usize) -> [usize; 3] {
        if self.batch_first { [self.rows, self.steps, width] } else { [self.steps, self.rows, width] }
    }
    /// The place of a row and step among all, and the distance between neighbouring rows.
    fn at(&self, step: usize, row: usize) -> usize {
        let time = if self.reverse { self.steps - 1 - step } else { step };
        if self.batch_first { row * self.steps + time } else { time * self.rows + row }
    }
    fn row_distance(&self) -> usize {
        if self.batch_first { self.steps } else { 1 }
    }
    /// The number of groups of rows, and of rows in each but perhaps the last.
    fn groups(&self) -> (usize, usize) {
        let group = self.rows.div_ceil(self.rows.div_ceil(16).max(1)).max(1);
        (self.rows.div_ceil(group), group)
    }
    fn nanoseconds(&self) -> f64 {
        let gates = self.cell.gates() * self.size;
        (self.steps * self.rows * gates) as f64 * (self.size as f64 * 0.02 + 1.0)
    }

    /// Runs the sequence.
    pub(crate) fn forward(&self) -> Run<T> {
        let (cell, n) = (self.cell, self.size);
        let (width, kept_width) = (cell.gates() * n, cell.kept() * n);
        let memory = if cell.has_memory() { n } else { 0 };
        let (out, out_place) = fresh::<T>(&self.shape(n));
        let (h, h_place) = fresh::<T>(&[self.rows, n]);
        let (cells, cells_place) = fresh::<T>(&self.shape(memory));
        let (c, c_place) = fresh::<T>(&[self.rows, memory]);
        let (kept, kept_place) = fresh::<T>(&self.shape(kept_width));
        let transposed = transposed(self.weight, width, n);
        let (groups, group) = self.groups();
        for_each_block(groups, self.nanoseconds(), |g| {
            let first = g * group;
            let m = group.min(self.rows - first);
            let mut product = vec![T::zero(); m * width];
            for step in 0..self.steps {
                let state = match step {
                    0 => Matrix::row_major(self.h0[first * n..].as_ptr(), n),
                    _ => Matrix {
                        data: out_place.0.wrapping_add(self.at(step - 1, first) * n).cast_const(),
                        row: self.row_distance() * n,
                        column: 1,
                    },
                };
                let place = Matrix::row_major(product.as_mut_ptr(), width);
                let weight = Matrix::row_major(transposed.as_ptr(), width);
                // SAFETY: the states of the group's rows are initialised: the first, or those of the step before.
                unsafe { gemm_into(place, state, weight, Sizes { m, n: width, k: n }, false, groups == 1) };
                for r in 0..m {
                    let at = self.at(step, first + r);
                    let before = self.at(step.saturating_sub(1), first + r);
                    // SAFETY: the rows of this group are this thread's; those of the step before were written.
                    let (h_before, c_before): (&[T], &[T]) = unsafe {
                        match step {
                            0 => {
                                (&self.h0[(first + r) * n..][..n], &self.c0[(first + r) * memory..][..memory])
                            }
                            _ => (out_place.slice(before * n, n), cells_place.slice(before * memory, memory)),
                        }
                    };
                    // SAFETY: as above, and every number is written.
                    let (h, c, kept) = unsafe {
                        (
                            out_place.slice(at * n, n),
                            cells_place.slice(at * memory, memory),
                            kept_place.slice(at * kept_width, kept_width),
                        )
                    };
                    let before = Before { h: h_before, c: c_before };
                    let product = &mut product[r * width..][..width];
                    step_forward(
                        cell,
                        &self.x[at * width..][..width],
                        product,
                        self.bias,
                        before,
                        After { h, c, kept },
                    );
                }
            }
            for row in first..first + m {
                let last = self.at(self.steps.saturating_sub(1), row);
                // SAFETY: as above.
                unsafe {
                    let (h, c) = match self.steps {
                        0 => (&self.h0[row * n..][..n], &self.c0[row * memory..][..memory]),
                        _ => (&*out_place.slice(last * n, n), &*cells_place.slice(last * memory, memory)),
                    };
                    h_place.slice(row * n, n).copy_from_slice(h);
                    c_place.slice(row * memory, memory).copy_from_slice(c);
                }
            }
        });
        // SAFETY: every row and step was written.
        unsafe {
            Run {
                out: out.assume_init(),
                h: h.assume_init(),
                cells: cells.assume_init(),
                c: c.assume_init(),
                kept: kept.assume_init(),
            }
        }
    }

    /// The cotangents of the inputs from those of the states after each step, of the last state and of the last memory.
    pub(crate) fn backward(
        &self,
        [out, cells, kept]: [&[T]; 3],
        [g_out, g_h, g_c]: [Option<&[T]>; 3],
    ) -> Cotangent<T> {
        let (cell, n) = (self.cell, self.size);
        let (width, kept_width) = (cell.gates() * n, cell.kept() * n);
        let memory = if cell.has_memory() { n } else { 0 };
        let (dx, dx_place) = fresh::<T>(&self.shape(width));
        // Only a GRU's recurrent product is not simply added to the input.
        let (product, product_place) = fresh::<T>(&self.shape(if cell == Cell::Gru { width } else { 0 }));
        let (dh0, dh_place) = fresh::<T>(&[self.rows, n]);
        let (dc0, dc_place) = fresh::<T>(&[self.rows, memory]);
        let (groups, group) = self.groups();
        for_each_block(groups, 1.5 * self.nanoseconds(), |g| {
            let first = g * group;
            let m = group.min(self.rows - first);
            // SAFETY: the rows of this group are this thread's, and are written here.
            let (dh, dc) =
                unsafe { (dh_place.slice(first * n, m * n), dc_place.slice(first * memory, m * memory)) };
            let begin = |into: &mut [T], from: Option<&[T]>, width: usize| match from {
                Some(from) => into.copy_from_slice(&from[first * width..][..m * width]),
                None => into.fill(T::zero()),
            };
            begin(dh, g_h, n);
            begin(dc, g_c, memory);
            for step in (0..self.steps).rev() {
                for r in 0..m {
                    let at = self.at(step, first + r);
                    let dh = &mut dh[r * n..][..n];
                    if let Some(g) = g_out {
                        for (dh, &g) in dh.iter_mut().zip(&g[at * n..][..n]) {
                            *dh = *dh + g;
                        }
                    }
                    let before = self.at(step.saturating_sub(1), first + r);
                    let before = match step {
                        0 => Before {
                            h: &self.h0[(first + r) * n..][..n],
                            c: &self.c0[(first + r) * memory..][..memory],
                        },
                        _ => Before { h: &out[before * n..][..n], c: &cells[before * memory..][..memory] },
                    };
                    let after = Reached {
                        h: &out[at * n..][..n],
                        c: &cells[at * memory..][..memory],
                        kept: &kept[at * kept_width..][..kept_width],
                    };
                    // SAFETY: the rows of this group are this thread's, and every number is written.
                    let (dx, product) = unsafe {
                        let wide = if cell == Cell::Gru { width } else { 0 };
                        (dx_place.slice(at * width, width), product_place.slice(at * wide, wide))
                    };
                    step_backward(cell, before, after, dh, &mut dc[r * memory..][..memory], dx, product);
                }
                let from = if cell == Cell::Gru { product_place } else { dx_place };
                let gradients = Matrix {
                    data: from.0.wrapping_add(self.at(step, first) * width).cast_const(),
                    row: self.row_distance() * width,
                    column: 1,
                };
                let weight = Matrix::row_major(self.weight.as_ptr(), n);
                // SAFETY: the cotangents of this step were written; what dh holds is kept only where it is a part of the
                // cotangent of the state before.
                unsafe {
                    let dh = Matrix::row_major(dh.as_mut_ptr(), n);
                    gemm_into(
                        dh,
                        gradients,
                        weight,
                        Sizes { m, n, k: width },
                        cell == Cell::Gru,
                        groups == 1,
                    );
                }
            }
        });
        // SAFETY: every row and step was written.
        let (dx, product, h0, c0) =
            unsafe { (dx.assume_init(), product.assume_init(), dh0.assume_init(), dc0.assume_init()) };
        let product = if cell == Cell::Gru { product } else { dx.clone() };
        let weight = self.weight_cotangent(out, product.as_slice().expect("packed"));
        Cotangent { x: dx, h0, c0, weight, product }
    }

    /// Σ over rows and steps of (cotangent of the product)·(state before)ᵀ: one product.
    fn weight_cotangent(&self, out: &[T], gradients: &[T]) -> Tensor<T> {
        let (n, width, k) = (self.size, self.cell.gates() * self.size, self.steps * self.rows);
        let (mut states, states_place) = fresh::<T>(&[k, n]);
        for_each_block(self.rows, 0.1 * (k * n) as f64, |row| {
            for step in 0..self.steps {
                let from = match step {
                    0 => &self.h0[row * n..][..n],
                    _ => &out[self.at(step - 1, row) * n..][..n],
                };
                // SAFETY: each row and step has a place of its own, and is written here.
                unsafe { states_place.slice(self.at(step, row) * n, n) }.copy_from_slice(from);
            }
        });
        let (mut weight, _) = fresh::<T>(&[width, n]);
        let place = Matrix::row_major(weight.as_mut_ptr(), n);
        let gradients = Matrix::row_major(gradients.as_ptr(), width).t();
        // SAFETY: the sizes are those of the slices, and the product writes all of `weight`.
        unsafe {
            let states = Matrix::row_major(states.as_mut_ptr().cast_const(), n);
            gemm_into(place, gradients, states, Sizes { m: width, n, k }, false, true);
            weight.assume_init()
        }
    }
}

/// A packed matrix of `rows` × `columns` transposed: what every step multiplies by, so packed once.
fn transposed<T: Float>(matrix: &[T], rows: usize, columns: usize) -> Vec<T> {
    /// Rows taken at a time: as many as there are numbers in a cache line, which is then written whole.
    const BAND: usize = 16;
    let mut transposed = vec![T::zero(); rows * columns];
    for first in (0..rows).step_by(BAND) {
        let band = BAND.min(rows - first);
        for j in 0..columns {
            for (i, place) in transposed[j * rows + first..][..band].iter_mut().enumerate() {
                *place = matrix[(first + i) * columns + j];
            }
        }
    }
    transposed
}

/// State and memory of a row before a step.
#[derive(Clone, Copy)]
struct Before<'a, T> {
    h: &'a [T],
    c: &'a [T],
}

/// State, memory and what is kept of a row, to be written.
struct After<'a, T> {
    h: &'a mut [T],
    c: &'a mut [T],
    kept: &'a mut [T],
}

/// The same, to be read.
#[derive(Clone, Copy)]
struct Reached<'a, T> {
    h: &'a [T],
    c: &'a [T],
    kept: &'a [T],
}

/// The rows of the gates: `N` pieces of a slice.
#[inline(always)]
fn pieces<const N: usize, T>(gates: &[T]) -> [&[T]; N] {
    let size = gates.len() / N;
    std::array::from_fn(|gate| &gates[gate * size..][..size])
}

#[inline(always)]
fn pieces_mut<const N: usize, T>(gates: &mut [T]) -> [&mut [T]; N] {
    let size = (gates.len() / N).max(1);
    let mut pieces = gates.chunks_exact_mut(size);
    std::array::from_fn(|_| pieces.next().unwrap_or_default())
}

/// One row through one step; `product` is W·h, to which the bias is added.
fn step_forward<T: Float>(
    cell: Cell,
    x: &[T],
    product: &mut [T],
    bias: &[T],
    before: Before<'_, T>,
    after: After<'_, T>,
) {
    /// # Safety
    /// None; the signature is that of `dispatch!`.
    #[inline(always)]
    unsafe fn body<const FMA: bool, T: Float>(
        cell: Cell,
        x: &[T],
        product: &[T],
        before: Before<'_, T>,
        after: After<'_, T>,
    ) {
        let n = after.h.len();
        match cell {
            Cell::Tanh => {
                for j in 0..n {
                    after.h[j] = Mathematics::tanh::<FMA>(x[j] + product[j]);
                }
            }
            Cell::Relu => {
                for j in 0..n {
                    let sum = x[j] + product[j];
                    after.h[j] = if sum <= T::zero() { T::zero() } else { sum };
                }
            }
            Cell::Lstm => {
                let [xi, xf, xg, xo] = pieces(x);
                let [pi, pf, pg, po] = pieces(product);
                let [i, f, g, o] = pieces_mut(after.kept);
                let (h, c, c_before) = (after.h, after.c, &before.c[..n]);
                let (i, f, g, o, c) = (&mut i[..n], &mut f[..n], &mut g[..n], &mut o[..n], &mut c[..n]);
                let (xi, xf, xg, xo) = (&xi[..n], &xf[..n], &xg[..n], &xo[..n]);
                let (pi, pf, pg, po) = (&pi[..n], &pf[..n], &pg[..n], &po[..n]);
                for j in 0..n {
                    i[j] = Mathematics::sigmoid::<FMA>(xi[j] + pi[j]);
                    f[j] = Mathematics::sigmoid::<FMA>(xf[j] + pf[j]);
                    g[j] = Mathematics::tanh::<FMA>(xg[j] + pg[j]);
                    o[j] = Mathematics::sigmoid::<FMA>(xo[j] + po[j]);
                }
                for j in 0..n {
                    c[j] = f[j] * c_before[j] + i[j] * g[j];
                    h[j] = o[j] * Mathematics::tanh::<FMA>(c[j]);
                }
            }
            Cell::Gru => {
                let [xr, xz, xn] = pieces(x);
                let [pr, pz, pn] = pieces(product);
                let [r, z, new, recurrent] = pieces_mut(after.kept);
                let (h, h_before) = (after.h, &before.h[..n]);
                let (r, z, new, recurrent) = (&mut r[..n], &mut z[..n], &mut new[..n], &mut recurrent[..n]);
                let (xr, xz, xn, pr, pz, pn) = (&xr[..n], &xz[..n], &xn[..n], &pr[..n], &pz[..n], &pn[..n]);
                for j in 0..n {
                    r[j] = Mathematics::sigmoid::<FMA>(xr[j] + pr[j]);
                    z[j] = Mathematics::sigmoid::<FMA>(xz[j] + pz[j]);
                    recurrent[j] = pn[j];
                }
                for j in 0..n {
                    new[j] = Mathematics::tanh::<FMA>(xn[j] + r[j] * recurrent[j]);
                    h[j] = (T::one() - z[j]) * new[j] + z[j] * h_before[j];
                }
            }
        }
    }
    for (product, &bias) in product.iter_mut().zip(bias) {
        *product = *product + bias;
    }
    let product = &*product;
    dispatch!([T: Float] body::<FMA, T>(
        cell: Cell, x: &[T], product: &[T], before: Before<'_, T>, after: After<'_, T>
    ));
}

/// One row back through one step. `dh` and `dc` are the cotangents of state and memory after the step; `dc` becomes that
/// of the memory before, and `dh` the part of that of the state before that does not go through the product.
fn step_backward<T: Float>(
    cell: Cell,
    before: Before<'_, T>,
    after: Reached<'_, T>,
    dh: &mut [T],
    dc: &mut [T],
    dx: &mut [T],
    product: &mut [T],
) {
    /// # Safety
    /// None; the signature is that of `dispatch!`.
    #[inline(always)]
    unsafe fn body<const FMA: bool, T: Float>(
        cell: Cell,
        before: Before<'_, T>,
        after: Reached<'_, T>,
        dh: &mut [T],
        dc: &mut [T],
        dx: &mut [T],
        product: &mut [T],
    ) {
        let (n, one) = (dh.len(), T::one());
        match cell {
            Cell::Tanh => {
                for j in 0..n {
                    dx[j] = dh[j] * (one - after.h[j] * after.h[j]);
                }
            }
            Cell::Relu => {
                for j in 0..n {
                    dx[j] = if after.h[j] == T::zero() { T::zero() } else { dh[j] };
                }
            }
            Cell::Lstm => {
                let [i, f, g, o] = pieces(after.kept);
                let [di, df, dg, d_o] = pieces_mut(dx);
                let (i, f, g, o) = (&i[..n], &f[..n], &g[..n], &o[..n]);
                let (di, df, dg, d_o) = (&mut di[..n], &mut df[..n], &mut dg[..n], &mut d_o[..n]);
                let (c, c_before, dc) = (&after.c[..n], &before.c[..n], &mut dc[..n]);
                for j in 0..n {
                    let shown = Mathematics::tanh::<FMA>(c[j]);
                    let d_memory = dc[j] + dh[j] * o[j] * (one - shown * shown);
                    d_o[j] = dh[j] * shown * o[j] * (one - o[j]);
                    di[j] = d_memory * g[j] * i[j] * (one - i[j]);
                    df[j] = d_memory * c_before[j] * f[j] * (one - f[j]);
                    dg[j] = d_memory * i[j] * (one - g[j] * g[j]);
                    dc[j] = d_memory * f[j];
                }
            }
            Cell::Gru => {
                let [r, z, new, recurrent] = pieces(after.kept);
                let [dr, dz, dn] = pieces_mut(dx);
                let [pr, pz, pn] = pieces_mut(product);
                let (r, z, new, recurrent) = (&r[..n], &z[..n], &new[..n], &recurrent[..n]);
                let (dr, dz, dn) = (&mut dr[..n], &mut dz[..n], &mut dn[..n]);
                let (pr, pz, pn, h_before) = (&mut pr[..n], &mut pz[..n], &mut pn[..n], &before.h[..n]);
                for j in 0..n {
                    let d_new = dh[j] * (one - z[j]) * (one - new[j] * new[j]);
                    dn[j] = d_new;
                    pn[j] = d_new * r[j];
                    dr[j] = d_new * recurrent[j] * r[j] * (one - r[j]);
                    pr[j] = dr[j];
                    dz[j] = dh[j] * (h_before[j] - new[j]) * z[j] * (one - z[j]);
                    pz[j] = dz[j];
                    dh[j] = dh[j] * z[j];
                }
            }
        }
    }
    dispatch!([T: Float] body::<FMA, T>(
        cell: Cell, before: Before<'_, T>, after: Reached<'_, T>,
        dh: &mut [T], dc: &mut [T], dx: &mut [T], product: &mut [T]
    ));
}
