//! How a sample lies in memory for the direct kernels: every element of every window at a fixed distance from its window.
//!
//! Where windows move by one place, the element at kernel index `k` of window `o` stands at `o + k` along each axis. So in
//! packed memory of rows of length `P` window (h, w) begins at `h·P + w`, and its elements follow at distances that are the
//! same for all windows: neighbouring windows read neighbouring numbers, and a vector of windows is one load. If they move
//! by a stride of s places, the sample is divided into s phases along that axis (every s-th element, from each of the first
//! s), and each kernel index meets one phase only, again at a fixed distance. Padding becomes zeros in memory.
//!
//! Between the last window of a row and the first of the next there are places without a window. The kernels compute
//! them too, for the sake of whole vectors, and leave the results out.

use super::Geometry;
use crate::{
    kernel::window::Window,
    scalar::Float,
    tensor::{Dims, Fresh},
};
use std::mem::MaybeUninit;

/// The places of a sample's elements, and of its windows.
pub(super) struct Lattice {
    window: Window,
    /// The places along each axis of one phase.
    pub(super) sizes: [usize; 3],
    /// The places of a channel: those of all phases.
    plane: usize,
    /// The distance of each channel's and kernel index's element from its window, in the order of the weights.
    pub(super) offsets: Vec<usize>,
    /// The places from the first window to the last.
    pub(super) span: usize,
    channels: usize,
}

impl Lattice {
    /// The lattice of the windows of a convolution that has some.
    pub(super) fn new(g: &Geometry) -> Lattice {
        let window = g.window;
        let Window { kernel, output, stride, dilation, .. } = window;
        let sizes = [0, 1, 2].map(|axis| {
            let reach = (output[axis] - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1;
            reach.div_ceil(stride[axis])
        });
        let phase: usize = sizes.iter().product();
        let plane = phase * stride.iter().product::<usize>();
        let row_major = |[d, h, w]: [usize; 3], [_, height, width]: [usize; 3]| (d * height + h) * width + w;
        let within: Vec<usize> = window
            .kernel_indices()
            .map(|k| {
                let place = [0, 1, 2].map(|axis| k[axis] * dilation[axis]);
                let in_phase = [0, 1, 2].map(|axis| place[axis] / stride[axis]);
                let of_phase = [0, 1, 2].map(|axis| place[axis] % stride[axis]);
                row_major(of_phase, stride) * phase + row_major(in_phase, sizes)
            })
            .collect();
        let offsets = (0..g.channels_in)
            .flat_map(|channel| within.iter().map(move |at| channel * plane + at))
            .collect();
        let span = row_major([0, 1, 2].map(|axis| output[axis] - 1), sizes) + 1;
        Lattice { window, sizes, plane, offsets, span, channels: g.channels_in }
    }

    /// Does a sample lie so as it is?
    fn is_plain(&self) -> bool {
        let Window { input, stride, before, .. } = self.window;
        stride == [1; 3] && before == [0; 3] && input == self.sizes
    }

    /// Room for samples that do not lie so, filled with the zeros of the padding. `reach` is how many places are read at
    /// once: more than there are windows are padding, too.
    pub(super) fn workspace<T: Float>(&self, reach: usize) -> Option<Fresh<T>> {
        if self.is_plain() && self.span >= reach {
            return None;
        }
        let mut room = Fresh::new(Dims::new(&[self.channels * self.plane + reach]));
        room.as_uninit_slice().fill(MaybeUninit::new(T::zero()));
        Some(room)
    }

    /// The channels of a sample in this lattice: copied into the workspace, if there is one.
    pub(super) fn place<T: Float>(&self, x: &[T], workspace: &mut Option<Fresh<T>>) -> *const T {
        let Some(workspace) = workspace else { return x.as_ptr() };
        let Window { input, stride: [by_depth, by_height, by_width], before, .. } = self.window;
        let mut lines = workspace.as_uninit_slice().chunks_exact_mut(self.sizes[2]);
        for plane in x.chunks_exact(self.window.plane()) {
            for phase in (0..by_depth)
                .flat_map(|d| (0..by_height).flat_map(move |h| (0..by_width).map(move |w| [d, h, w])))
            {
                let widths = self.inside(2, phase[2]);
                let start = (widths.start * by_width + phase[2]).wrapping_sub(before[2]);
                let (depths, heights) = (self.inside(0, phase[0]), self.inside(1, phase[1]));
                for d in 0..self.sizes[0] {
                    for h in 0..self.sizes[1] {
                        let line = lines.next().expect("a line for each pair of outer places");
                        if widths.is_empty() || !depths.contains(&d) || !heights.contains(&h) {
                            continue;
                        }
                        let (d, h) =
                            (d * by_depth + phase[0] - before[0], h * by_height + phase[1] - before[1]);
                        let from = &plane[(d * input[1] + h) * input[2] + start..];
                        let line = &mut line[widths.clone()];
                        if by_width == 1 {
                            for (to, from) in line.iter_mut().zip(from) {
                                to.write(*from);
                            }
                        } else {
                            for (to, from) in line.iter_mut().zip(from.iter().step_by(by_width)) {
                                to.write(*from);
                            }
                        }
                    }
                }
            }
        }
        workspace.as_mut_ptr().cast_const()
    }

    /// The places of a phase along an axis that are the input's and not the padding's.
    fn inside(&self, axis: usize, phase: usize) -> std::ops::Range<usize> {
        let Window { input, stride, before, .. } = self.window;
        let place = |at: usize| at.saturating_sub(phase).div_ceil(stride[axis]).min(self.sizes[axis]);
        place(before[axis])..place(before[axis] + input[axis])
    }
}
