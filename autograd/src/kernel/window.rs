//! Windows that slide over up to three spatial axes, and the matrix whose columns they are (im2col).
//!
//! Convolution, pooling and `unfold` visit the same places: output index `o` and kernel index `k` of an axis meet input
//! index `o·stride + k·dilation − before`. Here this is written once, for three axes; one or two axes are three of which
//! the first have size 1.

use super::simd::dispatch;
use crate::scalar::Float;
use std::{mem::MaybeUninit, ops::Range};

/// How windows lie on the spatial axes of an input. Places outside of the input are padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) input: [usize; 3],
    pub(crate) kernel: [usize; 3],
    pub(crate) output: [usize; 3],
    pub(crate) stride: [usize; 3],
    pub(crate) dilation: [usize; 3],
    /// The padding in front of each axis; that behind it follows from the sizes.
    pub(crate) before: [usize; 3],
}

impl Window {
    /// Elements of one channel of the input.
    pub(crate) fn plane(&self) -> usize {
        self.input.iter().product()
    }
    /// Elements of a window.
    pub(crate) fn volume(&self) -> usize {
        self.kernel.iter().product()
    }
    /// How many windows there are.
    pub(crate) fn positions(&self) -> usize {
        self.output.iter().product()
    }
    /// Is each window one element, and each element a window: is the matrix of windows the input itself?
    pub(crate) fn is_pointwise(&self) -> bool {
        self.volume() == 1 && self.stride == [1; 3] && self.before == [0; 3] && self.output == self.input
    }
    /// The output indices at which kernel index `k` of an axis meets the input and not the padding.
    #[inline]
    pub(crate) fn inside(&self, axis: usize, k: usize) -> Range<usize> {
        let (offset, before, stride) = (k * self.dilation[axis], self.before[axis], self.stride[axis]);
        let first = before.saturating_sub(offset).div_ceil(stride);
        // The places before `end` lie in front of the input's end.
        let end = (self.input[axis] + before).saturating_sub(offset).div_ceil(stride);
        let end = end.min(self.output[axis]);
        first.min(end)..end
    }
    /// The input index that output index `o` and kernel index `k` of an axis meet at, where they are [`inside`](Self::inside).
    #[inline]
    pub(crate) fn place(&self, axis: usize, o: usize, k: usize) -> usize {
        o * self.stride[axis] + k * self.dilation[axis] - self.before[axis]
    }
    /// The indices of a window in row-major order.
    pub(crate) fn kernel_indices(&self) -> impl Iterator<Item = [usize; 3]> + use<> {
        let [depth, height, width] = self.kernel;
        (0..depth).flat_map(move |d| (0..height).flat_map(move |h| (0..width).map(move |w| [d, h, w])))
    }
}

/// The matrix of windows: a row for each channel and kernel index, a column for each window; 0 in the padding.
///
/// `x` holds whole channels; `columns` has `volume · positions` places for each, and all are written.
pub(crate) fn im2col<T: Float>(x: &[T], window: &Window, columns: &mut [MaybeUninit<T>]) {
    let mut rows = columns.chunks_exact_mut(window.positions());
    for plane in x.chunks_exact(window.plane()) {
        for kernel in window.kernel_indices() {
            gather_row(plane, window, kernel, rows.next().expect("as many rows as kernel indices"));
        }
    }
}

/// What kernel index `kernel` of each window meets.
fn gather_row<T: Float>(plane: &[T], window: &Window, kernel: [usize; 3], row: &mut [MaybeUninit<T>]) {
    let [_, height, width] = window.input;
    let [out_depth, out_height, out_width] = window.output;
    let [depths, heights, widths] = [0, 1, 2].map(|axis| window.inside(axis, kernel[axis]));
    let stride = window.stride[2];
    let zero = MaybeUninit::new(T::zero());
    let mut lines = row.chunks_exact_mut(out_width);
    for d in 0..out_depth {
        for h in 0..out_height {
            let line = lines.next().expect("a line for each pair of outer indices");
            if !depths.contains(&d) || !heights.contains(&h) || widths.is_empty() {
                line.fill(zero);
                continue;
            }
            let start = (window.place(0, d, kernel[0]) * height + window.place(1, h, kernel[1])) * width
                + window.place(2, widths.start, kernel[2]);
            let (front, rest) = line.split_at_mut(widths.start);
            let (middle, back) = rest.split_at_mut(widths.len());
            front.fill(zero);
            back.fill(zero);
            if stride == 1 {
                for (to, from) in middle.iter_mut().zip(&plane[start..start + widths.len()]) {
                    to.write(*from);
                }
            } else {
                for (to, from) in middle.iter_mut().zip(plane[start..].iter().step_by(stride)) {
                    to.write(*from);
                }
            }
        }
    }
}

/// The adjoint of [`im2col`]: adds each element of the matrix to the place that it was read from.
pub(crate) fn col2im<T: Float>(columns: &[T], window: &Window, x: &mut [T]) {
    /// # Safety
    /// None; the signature is that of `dispatch!`.
    #[inline(always)]
    unsafe fn run<const FMA: bool, T: Float>(columns: &[T], window: &Window, x: &mut [T]) {
        let mut rows = columns.chunks_exact(window.positions());
        for plane in x.chunks_exact_mut(window.plane()) {
            for kernel in window.kernel_indices() {
                scatter_row(plane, window, kernel, rows.next().expect("as many rows as kernel indices"));
            }
        }
    }
    dispatch!([T: Float] run::<FMA, T>(columns: &[T], window: &Window, x: &mut [T]));
}

/// The adjoint of [`gather_row`].
#[inline(always)]
fn scatter_row<T: Float>(plane: &mut [T], window: &Window, kernel: [usize; 3], row: &[T]) {
    let [_, height, width] = window.input;
    let [_, out_height, out_width] = window.output;
    let [depths, heights, widths] = [0, 1, 2].map(|axis| window.inside(axis, kernel[axis]));
    if widths.is_empty() {
        return;
    }
    let stride = window.stride[2];
    for d in depths {
        for h in heights.clone() {
            let line = &row[(d * out_height + h) * out_width..][widths.clone()];
            let start = (window.place(0, d, kernel[0]) * height + window.place(1, h, kernel[1])) * width
                + window.place(2, widths.start, kernel[2]);
            if stride == 1 {
                for (to, from) in plane[start..start + widths.len()].iter_mut().zip(line) {
                    *to = *to + *from;
                }
            } else {
                for (to, from) in plane[start..].iter_mut().step_by(stride).zip(line) {
                    *to = *to + *from;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_is_where_the_input_is() {
        for input in 1..7 {
            for kernel in 1..4 {
                for stride in 1..4 {
                    for dilation in 1..4 {
                        for before in 0..4 {
                            let axis = |size, one| [one, one, size];
                            let window = Window {
                                input: axis(input, 1),
                                kernel: axis(kernel, 1),
                                output: axis(8, 1),
                                stride: axis(stride, 1),
                                dilation: axis(dilation, 1),
                                before: axis(before, 0),
                            };
                            for k in 0..kernel {
                                let expected: Vec<usize> = (0..8)
                                    .filter(|o| {
                                        (before..input + before).contains(&(o * stride + k * dilation))
                                    })
                                    .collect();
                                assert_eq!(window.inside(2, k).collect::<Vec<_>>(), expected, "{window:?}");
                            }
                        }
                    }
                }
            }
        }
    }
}
