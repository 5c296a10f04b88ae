//! Convolution by matrix products with the matrix of windows (im2col).
//!
//! The matrix is made for one sample at a time: that of a whole batch is many times larger than the caches (K. Chellapilla,
//! S. Puri and P. Simard, "High performance convolutional neural networks for document processing", 2006, introduced the
//! method). Samples are spread over threads, each with a recycled block for its matrix; a single sample's product is itself
//! spread. A 1×1 kernel needs no matrix: the input is one.

use super::Geometry;
use crate::{
    kernel::{
        matmul::{Matrix, Sizes, gemm_into},
        parallel,
        reduce::{self, in_chunks},
        window::{col2im, im2col},
    },
    scalar::Float,
    tensor::{Dims, Fresh, Tensor},
};
use std::mem::MaybeUninit;

impl Geometry {
    /// An estimate of the time for one sample: the product, and the matrix of windows.
    fn nanoseconds(&self) -> f64 {
        let (rows, positions) = (self.rows() as f64, self.window.positions() as f64);
        self.groups as f64 * rows * positions * (0.02 * self.channels_out as f64 + 0.3)
    }
    /// How many samples make a block that is worth a task.
    fn samples(&self) -> usize {
        ((TASK / self.nanoseconds().max(1.0)) as usize).clamp(1, self.batch.max(1))
    }
    /// Room for the matrix of windows of one group, where one is needed.
    fn workspace<T: Float>(&self) -> Option<Fresh<T>> {
        let len = self.rows() * self.window.positions();
        (!self.window.is_pointwise()).then(|| Fresh::new(Dims::new(&[len])))
    }
    /// The matrix of windows of one group: in the workspace, or the input itself.
    fn columns<T: Float>(&self, x: &[T], workspace: &mut Option<Fresh<T>>) -> Matrix<*const T> {
        let data = match workspace {
            None => x.as_ptr(),
            Some(workspace) => {
                im2col(x, &self.window, workspace.as_uninit_slice());
                workspace.as_mut_ptr().cast_const()
            }
        };
        Matrix::row_major(data, self.window.positions())
    }
}

/// Nanoseconds that a task should take at least.
const TASK: f64 = 10_000.0;

/// y = conv(x, w), plus a number for each channel. All of the result is written.
pub(super) fn output<T: Float>(g: &Geometry, x: &[T], w: &[T], bias: Option<&[T]>) -> Fresh<T> {
    let mut out = Fresh::new(g.output_shape());
    let sizes = Sizes { m: g.channels_out, n: g.window.positions(), k: g.rows() };
    for_each_sample(g, out.as_uninit_slice(), g.group_out(), |sample, group, out, workspace, spread| {
        let at = sample * g.groups + group;
        fill_channels(out, bias.map(|bias| &bias[group * g.channels_out..]), sizes.n);
        let columns = g.columns(&x[at * g.group_in()..][..g.group_in()], workspace);
        let w = Matrix::row_major(w[group * g.group_weight()..][..g.group_weight()].as_ptr(), sizes.k);
        let y = Matrix::row_major(out.as_mut_ptr().cast::<T>(), sizes.n);
        // SAFETY: the slices have the sizes of the matrices; `out` is initialised where there is a bias.
        unsafe { gemm_into(y, w, columns, sizes, bias.is_some(), spread) }
    });
    out
}

/// The transposed convolution of y, plus a number for each channel. All of the result is written.
pub(super) fn input<T: Float>(g: &Geometry, y: &[T], w: &[T], bias: Option<&[T]>) -> Fresh<T> {
    let mut out = Fresh::new(g.input_shape());
    let sizes = Sizes { m: g.rows(), n: g.window.positions(), k: g.channels_out };
    for_each_sample(g, out.as_uninit_slice(), g.group_in(), |sample, group, out, workspace, spread| {
        let at = sample * g.groups + group;
        let bias = bias.map(|bias| &bias[group * g.channels_in..]);
        let y = Matrix::row_major(y[at * g.group_out()..][..g.group_out()].as_ptr(), sizes.n);
        let w = Matrix::row_major(w[group * g.group_weight()..][..g.group_weight()].as_ptr(), sizes.m).t();
        match workspace {
            None => {
                fill_channels(out, bias, g.window.plane());
                let x = Matrix::row_major(out.as_mut_ptr().cast::<T>(), sizes.n);
                // SAFETY: the slices have the sizes of the matrices; `out` is initialised where there is a bias.
                unsafe { gemm_into(x, w, y, sizes, bias.is_some(), spread) }
            }
            Some(workspace) => {
                let columns = Matrix::row_major(workspace.as_mut_ptr(), sizes.n);
                // SAFETY: the slices have the sizes of the matrices, and so has the workspace.
                unsafe { gemm_into(columns, w, y, sizes, false, spread) };
                // SAFETY: the product wrote all of the workspace.
                let columns = unsafe { assume_init(workspace.as_uninit_slice()) };
                if bias.is_some() {
                    fill_channels(out, bias, g.window.plane());
                } else {
                    out.fill(MaybeUninit::new(T::zero()));
                }
                // SAFETY: all of `out` was just written.
                col2im(columns, &g.window, unsafe { assume_init(out) });
            }
        }
    });
    out
}

/// w̄ from x and ȳ.
///
/// Samples are added in runs whose length depends on the shape alone, and the runs' sums in a tree: the same bits on any
/// number of threads.
pub(super) fn weight<T: Float>(g: &Geometry, x: &[T], y: &[T]) -> Tensor<T> {
    let len = g.groups * g.group_weight();
    let (runs, run) = g.runs(len);
    let mut sums = Fresh::new(Dims::new(&[runs, len]));
    let sizes = Sizes { m: g.channels_out, n: g.rows(), k: g.window.positions() };
    in_chunks(sums.as_uninit_slice(), len, g.nanoseconds() * g.batch as f64, |first, sums| {
        let start = first / len * run;
        let mut workspace = g.workspace();
        for sample in start..g.batch.min(start + run) {
            for (group, sum) in sums.chunks_exact_mut(g.group_weight()).enumerate() {
                let at = sample * g.groups + group;
                let columns = g.columns(&x[at * g.group_in()..][..g.group_in()], &mut workspace);
                let y = Matrix::row_major(y[at * g.group_out()..][..g.group_out()].as_ptr(), sizes.k);
                let sum = Matrix::row_major(sum.as_mut_ptr().cast::<T>(), sizes.n);
                // SAFETY: the slices have the sizes of the matrices; the run's first product initialises the sum.
                unsafe { gemm_into(sum, y, columns.t(), sizes, sample > start, runs == 1) }
            }
        }
    });
    // SAFETY: each run has at least one sample, which wrote its sum.
    let sums = unsafe { sums.assume_init() };
    reduce::reduce(reduce::Sum, &sums, 1).reshape(g.weight_shape())
}

/// Calls `run` with each group of each sample: its numbers, its part of `out`, a workspace of its thread, and whether its
/// product should be spread over threads.
fn for_each_sample<T: Float>(
    g: &Geometry,
    out: &mut [MaybeUninit<T>],
    group_len: usize,
    run: impl Fn(usize, usize, &mut [MaybeUninit<T>], &mut Option<Fresh<T>>, bool) + Sync,
) {
    if out.is_empty() {
        return;
    }
    let len = g.groups * group_len;
    let samples = g.samples();
    // Too few samples for the threads: the products are spread instead.
    let spread = g.batch == 1 && parallel::worthwhile(g.nanoseconds());
    in_chunks(out, samples * len, g.nanoseconds() * g.batch as f64, |first, out| {
        let mut workspace = g.workspace();
        for (i, out) in out.chunks_exact_mut(len).enumerate() {
            for (group, out) in out.chunks_exact_mut(group_len).enumerate() {
                run(first / len + i, group, out, &mut workspace, spread);
            }
        }
    });
}

/// Writes a number for each channel to all of it, if there are such numbers.
fn fill_channels<T: Float>(out: &mut [MaybeUninit<T>], bias: Option<&[T]>, plane: usize) {
    if let Some(bias) = bias {
        for (plane, bias) in out.chunks_exact_mut(plane).zip(bias) {
            plane.fill(MaybeUninit::new(*bias));
        }
    }
}

/// # Safety
/// All elements have been written.
unsafe fn assume_init<T>(x: &mut [MaybeUninit<T>]) -> &mut [T] {
    // SAFETY: the same layout, and initialised by contract.
    unsafe { &mut *(x as *mut [MaybeUninit<T>] as *mut [T]) }
}
