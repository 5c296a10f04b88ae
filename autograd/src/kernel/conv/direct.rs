//! The convolution without a matrix of windows: a tile of channels × windows in registers.
//!
//! A tile's sums are begun with the bias; then, for each element of a window, the vectors of that element in neighbouring
//! windows are loaded from where they lie in the [`Lattice`], and multiplied by the weight of each channel. Nothing is
//! rearranged but the weights. Each sum is one chain in the order of the weights, whoever computes it, so tiles may be
//! dealt to threads in any way.

use super::{Geometry, lattice::Lattice};
use crate::{
    kernel::{
        parallel::for_each_block,
        simd::{Level, level},
        vector::{Vector, dispatch_vector, lanes},
    },
    scalar::Float,
    tensor::{Dims, Fresh},
};
use std::ops::Range;

/// Vectors of windows in a tile. With 8 channels that makes 24 running sums of 32 registers, with 3 it makes 9 of 16.
const VECTORS: usize = 3;
/// The most lanes that a vector has.
const MOST_LANES: usize = 16;

/// The sums of a tile on their way from registers to the output. A vector that lies across cache lines is slow to read
/// again just after it was written.
#[repr(align(64))]
struct Sums<T, const ROWS: usize>([[[T; MOST_LANES]; VECTORS]; ROWS]);
/// Nanoseconds that a task should take at least, and those for a multiplication.
const TASK: f64 = 10_000.0;
const COST: f64 = 0.01;

/// Does the tile suit this convolution? Not if there are few windows beside the places between rows, or beside a tile; with many
/// channels the matrix of windows is a small price for computing none but the windows. (Measured: windows of 7×7 and 4×4 places,
/// where tiles compute half as much again, take as long either way at 128 channels.)
pub(super) fn suits<T: Float>(g: &Geometry, lattice: &Lattice) -> bool {
    let channels = g.channels_out;
    let vectors: usize =
        tiles(lattice.span, lanes::<T>(), rows_of_a_tile(channels)).map(|tile| tile.vectors).sum();
    let excess = (vectors * lanes::<T>()) as f64 / g.window.positions() as f64;
    excess <= 1.6 && excess * channels as f64 <= 1.1 * channels as f64 + 45.0
}

/// Some vectors of places.
#[derive(Clone, Copy)]
struct Tile {
    start: usize,
    vectors: usize,
    /// The first place whose result is wanted: those before belong to another tile.
    wanted: usize,
}

/// The tiles of so many places. The last one begins earlier, rather than reach beyond the places. Single vectors at the end
/// keep the processor's multipliers busy only with many rows; with few a whole tile takes no longer than two of them.
fn tiles(span: usize, lanes: usize, rows: usize) -> impl Iterator<Item = Tile> {
    let whole = VECTORS * lanes;
    let (count, rest) = (span / whole, span % whole);
    let singles = if rows < 8 { 1 } else { VECTORS - 1 };
    let (vectors, last) = if rest > singles * lanes { (VECTORS, 1) } else { (1, rest.div_ceil(lanes)) };
    let first = (0..count).map(move |tile| (tile * whole, VECTORS));
    let last = (0..last).map(move |tile| (count * whole + tile * lanes, vectors));
    first.chain(last).map(move |(wanted, vectors)| {
        let start = wanted.min(span.saturating_sub(vectors * lanes));
        Tile { start, vectors, wanted }
    })
}

/// The channels in a tile: 1 where a group has only one, as in a depthwise convolution.
fn rows_of_a_tile(channels: usize) -> usize {
    match level() {
        _ if channels == 1 => 1,
        Level::Avx512 => 8,
        _ => 3,
    }
}

/// Weights in the order in which tiles read them: for each block of channels, for each element of a window, a number for
/// each channel; 0 beyond the last.
pub(super) struct Packed<T> {
    weights: Vec<T>,
    rows: usize,
    /// Blocks of channels in a group.
    blocks: usize,
}

impl<T: Float> Packed<T> {
    /// The weights of a convolution.
    pub(super) fn of_output(g: &Geometry, w: &[T]) -> Self {
        let elements = g.rows();
        Self::new(g.groups, g.channels_out, elements, |number| {
            w[number * elements..][..elements].iter().copied()
        })
    }

    /// The weights of the [reversed](Geometry::reversed) convolution.
    pub(super) fn of_input(g: &Geometry, w: &[T]) -> Self {
        let (volume, channels_in, channels_out) = (g.window.volume(), g.channels_in, g.channels_out);
        Self::new(g.groups, channels_in, channels_out * volume, |number| {
            let (group, channel) = (number / channels_in, number % channels_in);
            (0..channels_out).flat_map(move |from| {
                let kernel = (group * channels_out + from) * channels_in + channel;
                w[kernel * volume..][..volume].iter().rev().copied()
            })
        })
    }

    /// Of a group's `channels` × `elements` weights; `weights_of` gives those of a channel, counted through all groups.
    fn new<I: Iterator<Item = T>>(
        groups: usize,
        channels: usize,
        elements: usize,
        weights_of: impl Fn(usize) -> I,
    ) -> Self {
        let rows = rows_of_a_tile(channels);
        let blocks = channels.div_ceil(rows);
        let mut weights = vec![T::zero(); groups * blocks * elements * rows];
        for (block, weights) in weights.chunks_exact_mut(elements * rows).enumerate() {
            let (group, first) = (block / blocks, block % blocks * rows);
            for row in 0..rows.min(channels - first) {
                let places = weights[row..].iter_mut().step_by(rows);
                for (place, weight) in places.zip(weights_of(group * channels + first + row)) {
                    *place = weight;
                }
            }
        }
        Packed { weights, rows, blocks }
    }
}

/// Some lanes of one vector of a tile, and how far they go.
struct Piece {
    vector: usize,
    lanes: Range<usize>,
    /// The window of lane 0, if it were one.
    window: isize,
}

/// The lanes of a tile that are windows, and wanted.
fn pieces(g: &Geometry, lattice: &Lattice, tile: Tile, lanes: usize, pieces: &mut Vec<Piece>) {
    let ([_, height, width], [_, lattice_height, pitch]) = (g.window.output, lattice.sizes);
    pieces.clear();
    for vector in 0..tile.vectors {
        let start = tile.start + vector * lanes;
        let end = (start + lanes).min(lattice.span);
        for line in start / pitch..end.div_ceil(pitch) {
            let (d, h) = (line / lattice_height, line % lattice_height);
            let from = start.max(line * pitch).max(tile.wanted);
            let to = end.min(line * pitch + width);
            if h < height && from < to {
                let window = ((d * height + h) * width) as isize + start as isize - (line * pitch) as isize;
                pieces.push(Piece { vector, lanes: from - start..to - start, window });
            }
        }
    }
}

/// y from x and packed weights: the windows of `g`, whose output this is.
pub(super) fn correlate<T: Float>(
    g: &Geometry,
    lattice: &Lattice,
    x: &[T],
    weights: &Packed<T>,
    bias: Option<&[T]>,
    shape: Dims,
) -> Fresh<T> {
    struct Place<T>(*mut T);
    // SAFETY: every window is wanted of one tile, and every tile is one thread's.
    unsafe impl<T: Send> Sync for Place<T> {}
    let mut out = Fresh::<T>::new(shape);
    let place = Place(out.as_mut_ptr());
    let lanes = lanes::<T>();
    let tiles: Vec<Tile> = tiles(lattice.span, lanes, weights.rows).collect();
    let samples = g.batch * g.groups;
    let tile_cost = (weights.blocks * weights.rows * lattice.offsets.len() * VECTORS * lanes) as f64 * COST;
    // Whole samples if there are many, so that each is brought into the lattice once; else parts of them.
    let least = (TASK / tile_cost.max(1.0)) as usize + 1;
    let tiles_in_a_task = match (samples * tiles.len()).div_ceil(16).max(least) {
        part if part < tiles.len() => part,
        many => (many / tiles.len()) * tiles.len(),
    };
    let tasks_in_a_sample = tiles.len().div_ceil(tiles_in_a_task);
    let samples_in_a_task = (tiles_in_a_task / tiles.len()).max(1);
    let tasks = samples.div_ceil(samples_in_a_task) * tasks_in_a_sample;
    let cost = tile_cost * (samples * tiles.len()) as f64;
    for_each_block(tasks, cost, |task| {
        let place = &place;
        let mut workspace = lattice.workspace(VECTORS * lanes);
        let first = task / tasks_in_a_sample * samples_in_a_task;
        let part = task % tasks_in_a_sample * tiles_in_a_task;
        let tiles = &tiles[part..tiles.len().min(part + tiles_in_a_task)];
        for sample in first..samples.min(first + samples_in_a_task) {
            let x = lattice.place(&x[sample * g.group_in()..][..g.group_in()], &mut workspace);
            let group = sample % g.groups;
            let bias = bias.map(|bias| &bias[group * g.channels_out..][..g.channels_out]);
            let len = weights.blocks * weights.rows * lattice.offsets.len();
            let weights = &weights.weights[group * len..][..len];
            let y = place.0.wrapping_add(sample * g.group_out());
            if g.channels_out == 1 {
                dispatch_vector!([T: Float] run::<{1, 1}, T>(
                    g: &Geometry, lattice: &Lattice, tiles: &[Tile], x: *const T, weights: &[T],
                    bias: Option<&[T]>, y: *mut T,
                ));
            } else {
                dispatch_vector!([T: Float] run::<{8, 3}, T>(
                    g: &Geometry, lattice: &Lattice, tiles: &[Tile], x: *const T, weights: &[T],
                    bias: Option<&[T]>, y: *mut T,
                ));
            }
        }
    });
    out
}

/// Tiles of one group of one sample, for all of its channels.
///
/// # Safety
/// `x` has the lattice's places, `y` room for the group's output, and the weights are those of tiles of `ROWS` channels.
#[inline(always)]
unsafe fn run<const ROWS: usize, V: Vector<T>, T: Float>(
    g: &Geometry,
    lattice: &Lattice,
    tiles: &[Tile],
    x: *const T,
    weights: &[T],
    bias: Option<&[T]>,
    y: *mut T,
) {
    let (elements, positions) = (lattice.offsets.len(), g.window.positions());
    let mut windows = Vec::new();
    let mut sums = Sums([[[T::zero(); MOST_LANES]; VECTORS]; ROWS]);
    for &tile in tiles {
        pieces(g, lattice, tile, V::LANES, &mut windows);
        let x = x.wrapping_add(tile.start);
        for (block, weights) in weights.chunks_exact(elements * ROWS).enumerate() {
            let first = block * ROWS;
            let rows = ROWS.min(g.channels_out - first);
            let mut begin = [T::zero(); ROWS];
            if let Some(bias) = bias {
                begin[..rows].copy_from_slice(&bias[first..first + rows]);
            }
            // SAFETY: by contract, all vectors of the tile lie within the lattice or the padding behind it; the pieces are
            // windows, which have room in `y`.
            unsafe {
                if tile.vectors == 1 {
                    sum::<ROWS, 1, V, T>(&lattice.offsets, x, weights, begin, &mut sums);
                } else {
                    sum::<ROWS, VECTORS, V, T>(&lattice.offsets, x, weights, begin, &mut sums);
                }
                for Piece { vector, lanes, window } in &windows {
                    for row in 0..rows {
                        let to = y.wrapping_add((first + row) * positions).wrapping_offset(*window);
                        V::load(sums.0[row][*vector].as_ptr()).store_lanes(to, lanes.clone());
                    }
                }
            }
        }
    }
}

/// The sums of one tile.
///
/// # Safety
/// At each offset from `x` there are `COLUMNS` vectors.
#[inline(always)]
unsafe fn sum<const ROWS: usize, const COLUMNS: usize, V: Vector<T>, T: Float>(
    offsets: &[usize],
    x: *const T,
    weights: &[T],
    begin: [T; ROWS],
    out: &mut Sums<T, ROWS>,
) {
    // SAFETY: by contract; a row of the result has room for a vector.
    unsafe {
        let mut sums = [[V::splat(T::zero()); COLUMNS]; ROWS];
        for row in 0..ROWS {
            sums[row] = [V::splat(begin[row]); COLUMNS];
        }
        for (&offset, weights) in offsets.iter().zip(weights.as_chunks::<ROWS>().0) {
            let from = x.add(offset);
            let mut columns = [V::splat(T::zero()); COLUMNS];
            for column in 0..COLUMNS {
                columns[column] = V::load(from.add(column * V::LANES));
            }
            for row in 0..ROWS {
                let weight = V::splat(weights[row]);
                for column in 0..COLUMNS {
                    sums[row][column] = sums[row][column].multiply_add(weight, columns[column]);
                }
            }
        }
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                sums[row][column].store(out.0[row][column].as_mut_ptr());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_all_places_and_no_others() {
        for (lanes, rows) in [(2, 3), (4, 8), (8, 3), (16, 8)] {
            for span in 1..200 {
                let mut next = 0;
                for Tile { start, vectors, wanted } in tiles(span, lanes, rows) {
                    assert_eq!(wanted, next, "{span} places, {lanes} lanes");
                    next = start + vectors * lanes;
                    assert!(start <= wanted && next <= span.max(VECTORS * lanes));
                }
                assert!(next >= span, "{span} places, {lanes} lanes");
            }
        }
    }
}
