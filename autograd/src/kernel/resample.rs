//! Linear maps along spatial axes: what average pooling and interpolation have in common.
//!
//! Each element of the result is a weighted sum over a box of the input, and the weights are products of one for each
//! axis. So an axis is a sparse matrix, a result the input multiplied by one of them along each axis, and the adjoint
//! the same with all matrices transposed.

use super::{reduce::in_chunks, simd::dispatch};
use crate::{
    scalar::Float,
    tensor::{Dims, Fresh, Tensor},
};
use std::mem::MaybeUninit;

/// A sparse matrix, row by row: which elements of an axis are summed, and with which weights.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AxisMap {
    columns: usize,
    /// Where the terms of each row begin, and after the last row where they end.
    starts: Vec<usize>,
    /// Column and weight of each term.
    terms: Vec<(usize, f64)>,
}

impl AxisMap {
    /// The matrix with these terms in its rows.
    pub(crate) fn new<R: IntoIterator<Item = (usize, f64)>>(
        columns: usize,
        rows: impl IntoIterator<Item = R>,
    ) -> Self {
        let mut map = AxisMap { columns, starts: vec![0], terms: Vec::new() };
        for row in rows {
            map.terms.extend(row);
            map.starts.push(map.terms.len());
        }
        map
    }
    /// What leaves an axis as it is.
    pub(crate) fn identity(size: usize) -> Self {
        AxisMap::new(size, (0..size).map(|i| [(i, 1.0)]))
    }
    /// The size of the axis in the result.
    pub(crate) fn rows(&self) -> usize {
        self.starts.len() - 1
    }
    /// The size of the axis in the input.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }
    /// The transposed matrix.
    pub(crate) fn t(&self) -> Self {
        let mut rows = vec![Vec::new(); self.columns];
        for row in 0..self.rows() {
            for &(column, weight) in self.row(row) {
                rows[column].push((row, weight));
            }
        }
        AxisMap::new(self.rows(), rows)
    }
    fn row(&self, row: usize) -> &[(usize, f64)] {
        &self.terms[self.starts[row]..self.starts[row + 1]]
    }
    fn is_identity(&self) -> bool {
        self.columns == self.rows() && (0..self.columns).all(|i| self.row(i) == [(i, 1.0)])
    }
}

/// Multiplies the last three axes of `x`, [planes, depth, height, width], by a matrix each.
pub(crate) fn resample<T: Float>(x: &Tensor<T>, maps: &[AxisMap; 3], shape: Dims) -> Tensor<T> {
    let x = x.contiguous();
    let x = x.as_slice().expect("made contiguous");
    let from: usize = maps.iter().map(AxisMap::columns).product();
    let to: usize = maps.iter().map(AxisMap::rows).product();
    let mut out = Fresh::new(shape);
    if !out.as_uninit_slice().is_empty() {
        let terms = |map: &AxisMap| map.terms.len() as f64;
        let lines = terms(&maps[0]) * terms(&maps[1]);
        let each = 0.1 * lines * maps[2].columns as f64
            + (maps[0].rows() * maps[1].rows()) as f64 * terms(&maps[2])
            + 20.0;
        let planes = ((20_000.0 / each) as usize).max(1);
        let cost = each * (shape.count() / to) as f64;
        let same_width = maps[2].is_identity();
        in_chunks(out.as_uninit_slice(), planes * to, cost, |first, out| {
            let x = &x[first / to * from..][..out.len() / to * from];
            dispatch!([T: Float] planes_of::<FMA, T>(
                x: &[T],
                maps: &[AxisMap; 3],
                same_width: bool,
                out: &mut [MaybeUninit<T>],
            ));
        });
    }
    // SAFETY: each element of each plane was written.
    unsafe { out.assume_init() }
}

/// # Safety
/// None; the signature is that of `dispatch!`.
#[inline(always)]
unsafe fn planes_of<const FMA: bool, T: Float>(
    x: &[T],
    maps: &[AxisMap; 3],
    same_width: bool,
    out: &mut [MaybeUninit<T>],
) {
    let [depth, height, width] = maps;
    let mut lines = out.chunks_exact_mut(width.rows());
    // The sum of the lines of the input that a line of the result reads.
    let mut line = vec![T::zero(); width.columns];
    for plane in x.chunks_exact(depth.columns * height.columns * width.columns) {
        for d in 0..depth.rows() {
            for h in 0..height.rows() {
                line.fill(T::zero());
                for &(from_d, weight_d) in depth.row(d) {
                    for &(from_h, weight_h) in height.row(h) {
                        let from =
                            &plane[(from_d * height.columns + from_h) * width.columns..][..width.columns];
                        let weight = T::from_f64(weight_d * weight_h);
                        for (sum, &from) in line.iter_mut().zip(from) {
                            *sum = *sum + weight * from;
                        }
                    }
                }
                let out = lines.next().expect("a line for each pair of outer indices");
                if same_width {
                    out.iter_mut().zip(&line).for_each(|(out, &sum)| {
                        out.write(sum);
                    });
                } else {
                    for (w, out) in out.iter_mut().enumerate() {
                        let sum = width
                            .row(w)
                            .iter()
                            .fold(T::zero(), |sum, &(from, weight)| sum + T::from_f64(weight) * line[from]);
                        out.write(sum);
                    }
                }
            }
        }
    }
}
