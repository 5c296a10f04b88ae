//! Convolution and its two adjoints, as matrix products with the matrix of windows.
//!
//! ⟨ȳ, conv(x, w)⟩ is linear in each of x, w and ȳ. The three kernels are its derivatives with respect to each:
//!
//! | kernel | computes | by, for each sample and group |
//! |---|---|---|
//! | [`output`] | y from x and w: the convolution | y = W · im2col(x) |
//! | [`input`] | x̄ from ȳ and w: the transposed convolution | x̄ = col2im(Wᵀ · ȳ) |
//! | [`weight`] | w̄ from x and ȳ | W̄ = Σ over samples ȳ · im2col(x)ᵀ |
//!
//! The matrix of windows is made for one sample at a time: that of a whole batch is many times larger than the caches
//! (K. Chellapilla, S. Puri and P. Simard, "High performance convolutional neural networks for document processing",
//! 2006, introduced the method). Samples are spread over threads, each with a recycled block for its matrix; a single
//! sample's product is itself spread. A 1×1 kernel needs no matrix: the input is one.

use super::{
    matmul::{Matrix, Sizes, gemm_into},
    parallel,
    reduce::{self, in_chunks},
    window::{Window, col2im, im2col},
};
use crate::{
    scalar::Float,
    tensor::{Dims, Fresh, Tensor},
};
use std::mem::MaybeUninit;

/// All sizes of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub(crate) batch: usize,
    pub(crate) groups: usize,
    /// Channels of the input in each group.
    pub(crate) channels_in: usize,
    /// Channels of the output in each group.
    pub(crate) channels_out: usize,
    /// How many of the window's axes the tensors have: the last ones.
    pub(crate) rank: usize,
    pub(crate) window: Window,
}

impl Geometry {
    /// The shape of x.
    pub(crate) fn input_shape(&self) -> Dims {
        self.shape(self.batch, self.groups * self.channels_in, self.window.input)
    }
    /// The shape of y.
    pub(crate) fn output_shape(&self) -> Dims {
        self.shape(self.batch, self.groups * self.channels_out, self.window.output)
    }
    /// The shape of w.
    pub(crate) fn weight_shape(&self) -> Dims {
        self.shape(self.groups * self.channels_out, self.channels_in, self.window.kernel)
    }
    fn shape(&self, first: usize, second: usize, spatial: [usize; 3]) -> Dims {
        spatial[3 - self.rank..]
            .iter()
            .fold(Dims::new(&[first, second]), |shape, &size| shape.with_pushed(size))
    }

    /// Elements of one group of one sample of x.
    fn group_in(&self) -> usize {
        self.channels_in * self.window.plane()
    }
    /// Elements of one group of one sample of y.
    fn group_out(&self) -> usize {
        self.channels_out * self.window.positions()
    }
    /// Rows of the matrix of windows.
    fn rows(&self) -> usize {
        self.channels_in * self.window.volume()
    }
    /// Elements of one group of w.
    fn group_weight(&self) -> usize {
        self.channels_out * self.rows()
    }
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
/// Samples whose weight gradients are added one after the other; the sums of these runs are added in a tree.
const RUN: usize = 8;
/// The largest number of elements that the sums of such runs may take.
const PARTIAL_SUMS: usize = 1 << 22;

/// y = conv(x, w), plus a number for each channel.
pub(crate) fn output<T: Float>(
    g: &Geometry,
    x: &Tensor<T>,
    w: &Tensor<T>,
    bias: Option<&Tensor<T>>,
) -> Tensor<T> {
    let (x, w, bias) = (x.contiguous(), w.contiguous(), bias.map(Tensor::contiguous));
    let (x, w) = (packed(&x), packed(&w));
    let bias = bias.as_ref().map(packed);
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
    // SAFETY: every group of every sample was written by its product.
    unsafe { out.assume_init() }
}

/// The transposed convolution of y, plus a number for each channel.
pub(crate) fn input<T: Float>(
    g: &Geometry,
    y: &Tensor<T>,
    w: &Tensor<T>,
    bias: Option<&Tensor<T>>,
) -> Tensor<T> {
    let (y, w, bias) = (y.contiguous(), w.contiguous(), bias.map(Tensor::contiguous));
    let (y, w) = (packed(&y), packed(&w));
    let bias = bias.as_ref().map(packed);
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
    // SAFETY: every group of every sample was written.
    unsafe { out.assume_init() }
}

/// w̄ from x and ȳ.
///
/// Samples are added in runs whose length depends on the shape alone, and the runs' sums in a tree: the same bits on any
/// number of threads.
pub(crate) fn weight<T: Float>(g: &Geometry, x: &Tensor<T>, y: &Tensor<T>) -> Tensor<T> {
    let len = g.groups * g.group_weight();
    if g.batch == 0 || len == 0 {
        return Tensor::zeros(g.weight_shape());
    }
    let (x, y) = (x.contiguous(), y.contiguous());
    let (x, y) = (packed(&x), packed(&y));
    let runs = g.batch.div_ceil(RUN).min(PARTIAL_SUMS / len).max(1);
    let run = g.batch.div_ceil(runs);
    let runs = g.batch.div_ceil(run);
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

/// The elements of a tensor that was made contiguous.
fn packed<T: Float>(x: &Tensor<T>) -> &[T] {
    x.as_slice().expect("made contiguous by the caller")
}

/// # Safety
/// All elements have been written.
unsafe fn assume_init<T>(x: &mut [MaybeUninit<T>]) -> &mut [T] {
    // SAFETY: the same layout, and initialised by contract.
    unsafe { &mut *(x as *mut [MaybeUninit<T>] as *mut [T]) }
}
