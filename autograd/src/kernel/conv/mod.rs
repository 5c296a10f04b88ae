//! Convolution and its two adjoints.
//!
//! ⟨ȳ, conv(x, w)⟩ is linear in each of x, w and ȳ. The three kernels are its derivatives with respect to each:
//!
//! | kernel | computes | directly | by columns, for each sample and group |
//! |---|---|---|---|
//! | [`output`] | y from x and w: the convolution | tiles of channels × windows | y = W · im2col(x) |
//! | [`input`] | x̄ from ȳ and w: the transposed convolution | the convolution of ȳ with W reversed | x̄ = col2im(Wᵀ · ȳ) |
//! | [`weight`] | w̄ from x and ȳ | tiles of elements × channels | W̄ = Σ over samples ȳ · im2col(x)ᵀ |
//!
//! The [direct](direct) way reads the input from where it lies and rearranges nothing large. The way by [columns](columns)
//! first writes out the matrix of windows, which is `volume` times as large as the input, and leaves the rest to the product of
//! matrices; it is kept for the shapes that the direct tiles do not suit. The shape decides.

mod columns;
mod direct;
mod gradient;
mod lattice;
#[cfg(test)]
mod tests;

use super::window::Window;
use crate::{
    scalar::Float,
    tensor::{Dims, Tensor},
};
use direct::Packed;
use lattice::Lattice;

/// Samples whose weight gradients are added one after the other; the sums of these runs are added in a tree.
const RUN: usize = 8;
/// The largest number of elements that the sums of runs may take.
const PARTIAL_SUMS: usize = 1 << 22;

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

    /// The runs of samples whose weight gradients, of `len` numbers, are summed one by one: how many, and how long.
    fn runs(&self, len: usize) -> (usize, usize) {
        let runs = self.batch.div_ceil(RUN).min(PARTIAL_SUMS / len).max(1);
        let run = self.batch.div_ceil(runs);
        (self.batch.div_ceil(run), run)
    }

    /// The convolution that takes ȳ to x̄, where there is one without zeros between the elements of ȳ: its output are the
    /// places of x, and its weights are those of `self` in reverse.
    fn reversed(&self) -> Option<Geometry> {
        let Window { input, kernel, output, stride, dilation, before } = self.window;
        let reach = [0, 1, 2].map(|axis| (kernel[axis] - 1) * dilation[axis]);
        let fits = stride == [1; 3] && (0..3).all(|axis| before[axis] <= reach[axis]);
        let before = [0, 1, 2].map(|axis| reach[axis].wrapping_sub(before[axis]));
        fits.then_some(Geometry {
            channels_in: self.channels_out,
            channels_out: self.channels_in,
            window: Window { input: output, output: input, before, ..self.window },
            ..*self
        })
    }

    /// The lattice for the direct kernels, if they suit.
    fn lattice<T: Float>(&self) -> Option<Lattice> {
        if self.window.is_pointwise() || self.rows() == 0 {
            return None; // The input is the matrix of windows, or there is none.
        }
        let lattice = Lattice::new(self);
        direct::suits::<T>(self, &lattice).then_some(lattice)
    }
}

/// y = conv(x, w), plus a number for each channel.
pub(crate) fn output<T: Float>(
    g: &Geometry,
    x: &Tensor<T>,
    w: &Tensor<T>,
    bias: Option<&Tensor<T>>,
) -> Tensor<T> {
    let shape = g.output_shape();
    if shape.count() == 0 {
        return Tensor::zeros(shape);
    }
    let (x, w, bias) = (x.contiguous(), w.contiguous(), bias.map(Tensor::contiguous));
    let (x, w, bias) = (packed(&x), packed(&w), bias.as_ref().map(packed));
    let out = match g.lattice::<T>() {
        Some(lattice) => direct::correlate(g, &lattice, x, &Packed::of_output(g, w), bias, shape),
        None => columns::output(g, x, w, bias),
    };
    // SAFETY: both ways write every group of every sample.
    unsafe { out.assume_init() }
}

/// The transposed convolution of y, plus a number for each channel.
pub(crate) fn input<T: Float>(
    g: &Geometry,
    y: &Tensor<T>,
    w: &Tensor<T>,
    bias: Option<&Tensor<T>>,
) -> Tensor<T> {
    let shape = g.input_shape();
    if shape.count() == 0 {
        return Tensor::zeros(shape);
    }
    let (y, w, bias) = (y.contiguous(), w.contiguous(), bias.map(Tensor::contiguous));
    let (y, w, bias) = (packed(&y), packed(&w), bias.as_ref().map(packed));
    let reversed = g.reversed().and_then(|reversed| Some((reversed, reversed.lattice::<T>()?)));
    let out = match reversed {
        Some((reversed, lattice)) => {
            direct::correlate(&reversed, &lattice, y, &Packed::of_input(g, w), bias, shape)
        }
        None => columns::input(g, y, w, bias),
    };
    // SAFETY: both ways write every group of every sample.
    unsafe { out.assume_init() }
}

/// w̄ from x and ȳ.
///
/// Samples are added in runs whose length depends on the shape alone, and the runs' sums in a tree: the same bits on any
/// number of threads.
pub(crate) fn weight<T: Float>(g: &Geometry, x: &Tensor<T>, y: &Tensor<T>) -> Tensor<T> {
    if g.batch == 0 || g.groups * g.group_weight() == 0 {
        return Tensor::zeros(g.weight_shape());
    }
    let (x, y) = (x.contiguous(), y.contiguous());
    let (x, y) = (packed(&x), packed(&y));
    if gradient::suits::<T>(g) {
        gradient::weight(g, &Lattice::new(g), x, y)
    } else {
        columns::weight(g, x, y)
    }
}

/// The elements of a tensor that was made contiguous.
fn packed<T: Float>(x: &Tensor<T>) -> &[T] {
    x.as_slice().expect("made contiguous by the caller")
}
