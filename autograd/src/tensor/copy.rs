//! The strided copy: any layout into packed memory. `contiguous`, `to_vec`, `cat` and many operations rest on it.
//!
//! Axes that lie behind one another in memory are first made one. What is left is either runs of neighbouring
//! elements (copied whole), one value repeated (filled), a transposition (done in square tiles, so that every cache
//! line read is used up while it is still cached), or a plain strided loop.
//!
//! An element is only moved, never looked at, so the loops are written for widths of 1, 4 and 8 bytes and are
//! compiled once, here.

use std::mem::MaybeUninit;

use super::{Dims, Element, MAX_RANK, Tensor};
use crate::kernel::parallel;

/// Side of the square tiles of a transposition. 16 elements of 4 bytes are a cache line.
const TILE: usize = 16;
/// Larger copies are cut into blocks of about this many bytes, for several threads.
const BLOCK: usize = 1 << 18;
/// Nanoseconds a byte, roughly: whether a second thread pays.
const COST: f64 = 0.1;

impl<E: Element> Tensor<E> {
    /// Writes the elements in row-major order to `to`, all of which is written.
    ///
    /// # Panics
    /// If `to` has another length.
    pub(crate) fn copy_to(&self, to: &mut [MaybeUninit<E>]) {
        assert_eq!(to.len(), self.len(), "the target of a copy of {:?}", self.dims());
        if to.is_empty() {
            return;
        }
        let layout = Collapsed::new(self.sizes(), self.steps());
        let places = Places(self.data_ptr(), to.as_mut_ptr());
        let bytes = size_of_val(to);
        if bytes <= BLOCK {
            // SAFETY: the layout reaches initialised elements only, and `to` has as many places as it has elements.
            return unsafe { places.copy(0, 0, &layout) };
        }
        // The outermost axis is cut: into whole tiles where it is long.
        let (size, stride) = (layout.shape[0], layout.strides[0]);
        let inner = to.len() / size;
        let fitting = (BLOCK / (inner * size_of::<E>())).max(1);
        let height = if fitting > TILE { fitting.next_multiple_of(TILE) } else { fitting };
        parallel::for_each_block(size.div_ceil(height), COST * bytes as f64, |block| {
            let start = block * height;
            let mut part = layout;
            part.shape[0] = height.min(size - start);
            // SAFETY: the part lies within the layout, and its elements are at `start · inner` in packed order; parts do
            // not overlap there.
            unsafe { places.copy(start * stride, start * inner, &part) };
        });
    }
}

/// Where a copy comes from and where it goes.
struct Places<E>(*const E, *mut MaybeUninit<E>);

// SAFETY: threads only read from the one, and write to parts of the other that do not overlap (see `copy_to`).
unsafe impl<E: Element> Sync for Places<E> {}

impl<E: Element> Places<E> {
    /// Copies the elements of a layout, shifted by `source`, to packed places from `target` on.
    ///
    /// # Safety
    /// The layout must reach initialised elements only, at least one, and there must be as many places, which nobody else
    /// uses meanwhile.
    unsafe fn copy(&self, source: usize, target: usize, layout: &Collapsed) {
        // SAFETY: by contract. Read as integers of the same size, the elements are copied with all their bits; both sides
        // are aligned as `E` is, and so as the integer.
        unsafe {
            let (from, to) = (self.0.add(source), self.1.add(target));
            match size_of::<E>() {
                1 => copy_bytes(from.cast(), to.cast(), layout),
                4 => copy_words(from.cast(), to.cast(), layout),
                8 => copy_doubles(from.cast(), to.cast(), layout),
                _ => copy(from, to.cast(), layout),
            }
        }
    }
}

/// A layout without axes of size 1, in which no axis continues the one behind it.
#[derive(Clone, Copy)]
pub(super) struct Collapsed {
    pub(super) rank: usize,
    pub(super) shape: [usize; MAX_RANK],
    pub(super) strides: [usize; MAX_RANK],
}

impl Collapsed {
    pub(super) fn new(shape: &Dims, strides: &Dims) -> Collapsed {
        let mut layout = Collapsed { rank: 0, shape: [1; MAX_RANK], strides: [1; MAX_RANK] };
        for (&size, &stride) in shape.iter().zip(strides.iter()) {
            if size == 1 {
                continue;
            }
            let last = layout.rank.wrapping_sub(1);
            if layout.rank > 0 && layout.strides[last] == size * stride {
                layout.shape[last] *= size;
                layout.strides[last] = stride;
            } else {
                layout.shape[layout.rank] = size;
                layout.strides[layout.rank] = stride;
                layout.rank += 1;
            }
        }
        layout
    }
}

// SAFETY of the three: that of `copy`.
unsafe fn copy_bytes(from: *const u8, to: *mut u8, layout: &Collapsed) {
    // SAFETY: passed on.
    unsafe { copy(from, to, layout) }
}

unsafe fn copy_words(from: *const u32, to: *mut u32, layout: &Collapsed) {
    // SAFETY: passed on.
    unsafe { copy(from, to, layout) }
}

unsafe fn copy_doubles(from: *const u64, to: *mut u64, layout: &Collapsed) {
    // SAFETY: passed on.
    unsafe { copy(from, to, layout) }
}

/// Copies the elements of a layout, in its row-major order, to packed memory.
///
/// # Safety
/// `from` plus the layout must reach initialised elements only, at least one; `to` must have room for all of them and not overlap.
#[inline(always)]
unsafe fn copy<W: Copy>(from: *const W, to: *mut W, layout: &Collapsed) {
    let Some(last) = layout.rank.checked_sub(1) else {
        // SAFETY: one element on either side.
        unsafe { *to = *from };
        return;
    };
    let (len, stride) = (layout.shape[last], layout.strides[last]);
    // SAFETY: in all branches `odometer` calls with the offsets of the remaining axes, so that each element reached
    // belongs to the layout, and with the offset of its place in packed order.
    unsafe {
        if stride == 1 {
            odometer(layout, [last; 2], |source, target| {
                let (from, to) = (from.add(source), to.add(target));
                if len < 8 {
                    // A call of memcpy takes longer than these few.
                    (0..len).for_each(|i| *to.add(i) = *from.add(i));
                } else {
                    to.copy_from_nonoverlapping(from, len);
                }
            });
        } else if stride == 0 {
            odometer(layout, [last; 2], |source, target| {
                std::slice::from_raw_parts_mut(to.add(target).cast::<MaybeUninit<W>>(), len)
                    .fill(MaybeUninit::new(*from.add(source)));
            });
        } else if let Some(rows) = (0..last).find(|&axis| layout.strides[axis] == 1 && len > 1) {
            // In memory the neighbours lie along `rows`: a transposition, for each index of the other axes.
            let height = layout.shape[rows];
            let pitch: usize = layout.shape[rows + 1..layout.rank].iter().product();
            odometer(layout, [rows, last], |source, target| {
                transpose(from.add(source), to.add(target), [height, len], stride, pitch);
            });
        } else {
            odometer(layout, [last; 2], |source, target| {
                let (from, to) = (from.add(source), to.add(target));
                (0..len).for_each(|i| *to.add(i) = *from.add(i * stride));
            });
        }
    }
}

/// `to[i * pitch + j] = from[i + j * stride]` for all i below `height` and j below `width`, in tiles.
///
/// # Safety
/// All those elements must exist, those of `from` be initialised.
#[inline(always)]
unsafe fn transpose<W: Copy>(
    from: *const W,
    to: *mut W,
    [height, width]: [usize; 2],
    stride: usize,
    pitch: usize,
) {
    for top in (0..height).step_by(TILE) {
        let rows = TILE.min(height - top);
        for left in (0..width).step_by(TILE) {
            let columns = TILE.min(width - left);
            // SAFETY: the tile lies within height and width.
            unsafe {
                let (from, to) = (from.add(top + left * stride), to.add(top * pitch + left));
                if rows == TILE && columns == TILE {
                    // Constant bounds, for the compiler to unroll.
                    tile(from, to, [TILE, TILE], stride, pitch);
                } else {
                    tile(from, to, [rows, columns], stride, pitch);
                }
            }
        }
    }
}

/// One tile of [`transpose`]; the same contract.
#[inline(always)]
unsafe fn tile<W: Copy>(
    from: *const W,
    to: *mut W,
    [rows, columns]: [usize; 2],
    stride: usize,
    pitch: usize,
) {
    for i in 0..rows {
        for j in 0..columns {
            // SAFETY: by contract.
            unsafe { *to.add(i * pitch + j) = *from.add(i + j * stride) };
        }
    }
}

/// Calls `visit` with the offset in the layout and the offset in packed order, for every index of all axes but the
/// (one or two) `inner` ones.
#[inline(always)]
fn odometer(layout: &Collapsed, inner: [usize; 2], mut visit: impl FnMut(usize, usize)) {
    // The outer axes: sizes, strides here, strides in packed order.
    let mut axes = [(1_usize, 0_usize, 0_usize); MAX_RANK];
    let (mut rank, mut packed) = (0, 1);
    for axis in (0..layout.rank).rev() {
        if !inner.contains(&axis) {
            axes[rank] = (layout.shape[axis], layout.strides[axis], packed);
            rank += 1;
        }
        packed *= layout.shape[axis];
    }
    let mut index = [0; MAX_RANK];
    let (mut source, mut target) = (0, 0);
    loop {
        visit(source, target);
        let mut axis = 0;
        loop {
            if axis == rank {
                return;
            }
            let (size, stride, pitch) = axes[axis];
            index[axis] += 1;
            source += stride;
            target += pitch;
            if index[axis] < size {
                break;
            }
            index[axis] = 0;
            source -= size * stride;
            target -= size * pitch;
            axis += 1;
        }
    }
}
