//! The gradient of the weights without a matrix of windows: a tile of weights in registers while windows go by.
//!
//! W̄ = Σ over windows of (ȳ of all channels) · (elements of the window)ᵀ. The output's cotangent is transposed, so that the
//! channels of a window stand side by side and are a few vectors; the elements of the window are read one by one from
//! where they lie in the [`Lattice`]. A tile of elements × channels is summed over all windows of a sample, and goes on with
//! the next sample of its run. Each sum is one chain over the run, and the runs' sums are added in a tree.

use super::{Geometry, lattice::Lattice};
use crate::{
    kernel::{
        parallel::for_each_block,
        reduce,
        simd::{Level, dispatch, level},
        vector::{Vector, dispatch_vector, lanes},
    },
    scalar::Float,
    tensor::{Dims, Fresh, Tensor},
};
use std::mem::MaybeUninit;

/// Vectors of channels in a tile. With 12 elements of a window that makes 24 running sums of 32 registers, with 6 half.
const VECTORS: usize = 2;
/// About how many windows go by before the next tile has its turn, so that their cotangents stay in the first-level cache.
const WINDOWS: usize = 192;
/// Nanoseconds for a multiplication.
const COST: f64 = 0.01;

fn elements_of_a_tile() -> usize {
    if level() == Level::Avx512 { 12 } else { 6 }
}

/// Do the channels fill at least half of the vectors?
pub(super) fn suits<T: Float>(g: &Geometry) -> bool {
    let width = VECTORS * lanes::<T>();
    g.channels_out.next_multiple_of(width) <= 2 * g.channels_out
}

/// w̄ from x and ȳ.
pub(super) fn weight<T: Float>(g: &Geometry, lattice: &Lattice, x: &[T], y: &[T]) -> Tensor<T> {
    struct Place<T>(*mut T);
    // SAFETY: every task has tiles of its own.
    unsafe impl<T: Send> Sync for Place<T> {}
    let (rows, elements) = (elements_of_a_tile(), lattice.offsets.len());
    let width = VECTORS * lanes::<T>();
    let (blocks, tiles) = (g.channels_out.div_ceil(width), elements.div_ceil(rows));
    // The sums of a run, for each group: [tiles][blocks][rows][width].
    let tile = blocks * rows * width;
    let len = g.groups * tiles * tile;
    let (runs, run) = g.runs(len);
    // Few runs are divided further, by tiles.
    let parts = if runs * g.groups < 8 { tiles.min(4) } else { 1 };
    let part = tiles.div_ceil(parts);
    let parts = tiles.div_ceil(part);
    let mut sums = Fresh::<T>::new(Dims::new(&[runs, len]));
    let place = Place(sums.as_mut_ptr());
    let cost = (g.batch * g.window.positions() * len) as f64 * COST;
    for_each_block(runs * g.groups * parts, cost, |task| {
        let place = &place;
        let (run_number, group, first) =
            (task / parts / g.groups, task / parts % g.groups, task % parts * part);
        let own = part.min(tiles - first);
        let start = run_number * len + (group * tiles + first) * tile;
        // SAFETY: the task's own tiles, which are filled before they are read.
        let sums = unsafe {
            let sums =
                std::slice::from_raw_parts_mut(place.0.add(start).cast::<MaybeUninit<T>>(), own * tile);
            sums.fill(MaybeUninit::new(T::zero()));
            std::slice::from_raw_parts_mut(place.0.add(start), own * tile)
        };
        let offsets = &lattice.offsets[first * rows..elements.min((first + own) * rows)];
        let mut workspace = lattice.workspace(0);
        let mut side_by_side = Fresh::new(Dims::new(&[blocks * g.window.positions() * width]));
        for sample in run_number * run..g.batch.min((run_number + 1) * run) {
            let at = sample * g.groups + group;
            let x = lattice.place(&x[at * g.group_in()..][..g.group_in()], &mut workspace);
            let y = transposed(g, width, &y[at * g.group_out()..][..g.group_out()], &mut side_by_side);
            dispatch_vector!([T: Float] add::<{12, 6}, T>(
                g: &Geometry, lattice: &Lattice, offsets: &[usize], x: *const T, y: &[T], sums: &mut [T]
            ));
        }
    });
    // SAFETY: every task filled its tiles, and tasks cover all.
    let sums = reduce::reduce(reduce::Sum, &unsafe { sums.assume_init() }, 1);
    let sums = sums.as_slice().expect("as the reduction made it");
    let mut out = Vec::with_capacity(g.groups * g.group_weight());
    for group in sums.chunks_exact(tiles * tile) {
        for channel in 0..g.channels_out {
            let (block, lane) = (channel / width, channel % width);
            out.extend((0..elements).map(|element| {
                group[(element / rows * blocks + block) * rows * width + element % rows * width + lane]
            }));
        }
    }
    Tensor::from_vec(out, g.weight_shape()).expect("a number for each weight")
}

/// A sample's cotangent as [blocks][windows][width]: the channels of a window side by side, 0 beyond the last.
fn transposed<'a, T: Float>(g: &Geometry, width: usize, y: &[T], place: &'a mut Fresh<T>) -> &'a [T] {
    /// # Safety
    /// None; the signature is that of `dispatch!`.
    #[inline(always)]
    unsafe fn run<const FMA: bool, T: Float>(
        positions: usize,
        width: usize,
        y: &[T],
        place: &mut [MaybeUninit<T>],
    ) {
        /// Channels taken at a time: a number known to the compiler, which then gathers them into vectors.
        const CHANNELS: usize = 16;
        for (y, place) in y.chunks(width * positions).zip(place.chunks_exact_mut(positions * width)) {
            if y.len() < place.len() {
                place.fill(MaybeUninit::new(T::zero()));
            }
            for (part, y) in y.chunks(CHANNELS * positions).enumerate() {
                let channels = y.len() / positions;
                for (window, place) in place.chunks_exact_mut(width).enumerate() {
                    let place = &mut place[part * CHANNELS..];
                    if let (CHANNELS, Some(place)) = (channels, place.first_chunk_mut::<CHANNELS>()) {
                        for channel in 0..CHANNELS {
                            // SAFETY: these are whole channels, and the window is one of their positions.
                            let value = unsafe { *y.get_unchecked(channel * positions + window) };
                            place[channel] = MaybeUninit::new(value);
                        }
                    } else {
                        for channel in 0..channels {
                            place[channel] = MaybeUninit::new(y[channel * positions + window]);
                        }
                    }
                }
            }
        }
    }
    let positions = g.window.positions();
    let whole = place.as_uninit_slice();
    let place = &mut *whole;
    dispatch!([T: Float] run::<FMA, T>(positions: usize, width: usize, y: &[T], place: &mut [MaybeUninit<T>]));
    // SAFETY: every window of every block was written, for all channels.
    unsafe { &*(std::ptr::from_mut(whole) as *const [T]) }
}

/// Adds a sample's part to tiles: those of the elements at `offsets`.
///
/// # Safety
/// `x` has the lattice's places.
#[inline(always)]
unsafe fn add<const ROWS: usize, V: Vector<T>, T: Float>(
    g: &Geometry,
    lattice: &Lattice,
    offsets: &[usize],
    x: *const T,
    y: &[T],
    sums: &mut [T],
) {
    let ([depth, height, width], [_, lattice_height, pitch]) = (g.window.output, lattice.sizes);
    let channels = VECTORS * V::LANES;
    let (lines, positions) = (depth * height, g.window.positions());
    let blocks = y.len() / (positions * channels);
    let group = (WINDOWS / width).max(1);
    for block in 0..blocks {
        for first in (0..lines).step_by(group) {
            for (offsets, sums) in offsets.chunks(ROWS).zip(sums.chunks_exact_mut(blocks * ROWS * channels)) {
                // Beyond the last element the last is repeated; nobody reads those sums.
                let mut distances = [offsets[offsets.len() - 1]; ROWS];
                distances[..offsets.len()].copy_from_slice(offsets);
                let place = sums[block * ROWS * channels..][..ROWS * channels].as_mut_ptr();
                // SAFETY: the tile has ROWS · VECTORS vectors; lines and windows lie within the output, so `y` has their
                // channels, and the lattice has their elements.
                unsafe {
                    let mut tile = [[V::splat(T::zero()); VECTORS]; ROWS];
                    for row in 0..ROWS {
                        for vector in 0..VECTORS {
                            tile[row][vector] = V::load(place.add(row * channels + vector * V::LANES));
                        }
                    }
                    for line in first..lines.min(first + group) {
                        let start = (line / height * lattice_height + line % height) * pitch;
                        let mut from = [x; ROWS];
                        for row in 0..ROWS {
                            from[row] = x.add(distances[row] + start);
                        }
                        let y =
                            y[(block * positions + line * width) * channels..][..width * channels].as_ptr();
                        for window in 0..width {
                            let mut cotangents = [V::splat(T::zero()); VECTORS];
                            for vector in 0..VECTORS {
                                cotangents[vector] = V::load(y.add(window * channels + vector * V::LANES));
                            }
                            for row in 0..ROWS {
                                let element = V::splat(*from[row].add(window));
                                for vector in 0..VECTORS {
                                    tile[row][vector] =
                                        tile[row][vector].multiply_add(element, cotangents[vector]);
                                }
                            }
                        }
                    }
                    for row in 0..ROWS {
                        for vector in 0..VECTORS {
                            tile[row][vector].store(place.add(row * channels + vector * V::LANES));
                        }
                    }
                }
            }
        }
    }
}
