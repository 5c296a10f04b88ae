//! The innermost loop of a product: a tile of C, a few rows by two vectors of columns, is summed in registers.
//!
//! Each step of the inner sum reads two vectors of a row of B and one number of each row of A, and multiplies each with
//! each: 24 running sums of 32 registers, or 12 of 16, so that the processor's multipliers never wait for a sum. An element of
//! C is one chain over the inner sum whatever tile it stands in; so tiles may be of any height and the bits stay the same.

use super::product::Matrix;
use crate::{kernel::vector::Vector, scalar::Float};
use std::mem::MaybeUninit;

/// Rows of the highest tile where there are 32 registers, and where there are 16.
pub(super) const MANY: usize = 12;
pub(super) const FEW: usize = 6;
/// Vectors of the widest tile.
pub(super) const WIDTH: usize = 2;
/// Elements of the largest tile: 12 rows by two vectors of 16 numbers.
const LARGEST: usize = MANY * WIDTH * 16;

/// C = A · B, or C += A · B, for operands that lie as [`tiles`] reads them.
#[derive(Clone, Copy)]
pub(super) struct Block<T> {
    pub(super) m: usize,
    pub(super) n: usize,
    pub(super) k: usize,
    pub(super) c: Matrix<*mut T>,
    pub(super) a: Left<T>,
    pub(super) b: Right<T>,
    pub(super) accumulate: bool,
}

/// The left operand.
#[derive(Clone, Copy)]
pub(super) enum Left<T> {
    /// Strips of [`strip_height`] rows one after another, each column by column.
    Packed(*const T),
    /// Where it is.
    InPlace(Matrix<*const T>),
}

/// The right operand, in panels of [`WIDTH`] vectors of columns, then one of a single vector if one is left.
#[derive(Clone, Copy)]
pub(super) struct Right<T> {
    /// The first element.
    pub(super) data: *const T,
    /// The distance of its rows, which are contiguous; or the panels lie one after another, each row by row.
    pub(super) in_place: Option<usize>,
    /// The columns that do not fill a vector, as a panel of one vector that zeros fill up.
    pub(super) rest: *const T,
}

/// The height of the next strip of tiles, where so many rows are left: no strip is much lower than need be.
#[inline(always)]
pub(super) fn strip_height(highest: usize, rows: usize) -> usize {
    match (highest, rows) {
        (MANY, 12..16 | 17..) => 12,
        (MANY, 8..) => 8,
        (_, 6 | 7 | 10..) if highest == FEW => 6,
        (_, 4..) => 4,
        (_, 2..) => 2,
        _ => 1,
    }
}

/// All tiles of a block, with strips of up to `HIGHEST` rows.
///
/// # Safety
/// The operands must have the sizes of the block, and C is the caller's alone, written before if it is added to; the
/// processor must have the vectors' instructions.
#[inline(always)]
pub(super) unsafe fn tiles<const HIGHEST: usize, V: Vector<T>, T: Float>(block: &Block<T>) {
    let whole = block.n / V::LANES * V::LANES;
    let mut j = 0;
    while j < block.n {
        let left = block.n - j;
        let width = if j + WIDTH * V::LANES <= whole { WIDTH * V::LANES } else { V::LANES };
        // SAFETY: by the caller; panels begin where the ones before them end.
        unsafe {
            let (data, step) = match block.b.in_place {
                _ if left < V::LANES => (block.b.rest, V::LANES),
                Some(row) => (block.b.data.add(j), row),
                None => (block.b.data.add(j * block.k), width),
            };
            let panel = Panel { data, step, first: j, columns: width.min(left) };
            if width > V::LANES {
                column_of_tiles::<HIGHEST, WIDTH, V, T>(block, panel);
            } else {
                column_of_tiles::<HIGHEST, 1, V, T>(block, panel);
            }
        }
        j += width;
    }
}

/// Some columns of B.
#[derive(Clone, Copy)]
struct Panel<T> {
    data: *const T,
    /// From row to row.
    step: usize,
    /// Of the columns of B and C.
    first: usize,
    columns: usize,
}

/// The tiles of a panel, from top to bottom.
///
/// # Safety
/// As [`tiles`].
#[inline(always)]
unsafe fn column_of_tiles<const HIGHEST: usize, const W: usize, V: Vector<T>, T: Float>(
    block: &Block<T>,
    panel: Panel<T>,
) {
    let mut i = 0;
    while i < block.m {
        let rows = strip_height(HIGHEST, block.m - i);
        // SAFETY: by the caller; strips begin where the ones before them end.
        unsafe {
            let c = block.c;
            let c = Matrix { data: c.data.add(i * c.row + panel.first * c.column), ..c };
            macro_rules! tile {
                ($rows:literal) => {
                    match block.a {
                        Left::Packed(data) => {
                            let strip = Matrix { data: data.add(i * block.k), row: 1, column: $rows };
                            tile::<$rows, W, V, T>(block.k, strip, panel, c, block.accumulate)
                        }
                        Left::InPlace(a) => {
                            let strip = Matrix { data: a.data.add(i * a.row), ..a };
                            tile::<$rows, W, V, T>(block.k, strip, panel, c, block.accumulate)
                        }
                    }
                };
            }
            match rows {
                12 if const { HIGHEST == MANY } => tile!(12),
                8 if const { HIGHEST == MANY } => tile!(8),
                6 if const { HIGHEST == FEW } => tile!(6),
                4 => tile!(4),
                2 => tile!(2),
                _ => tile!(1),
            }
        }
        i += rows;
    }
}

/// One tile: R rows by W vectors.
///
/// # Safety
/// As [`tiles`]: `strip` has R rows and `panel` W vectors for each of `k` steps, and C so many elements from `c` on as the
/// panel has columns.
#[inline(always)]
unsafe fn tile<const R: usize, const W: usize, V: Vector<T>, T: Float>(
    k: usize,
    strip: Matrix<*const T>,
    panel: Panel<T>,
    c: Matrix<*mut T>,
    accumulate: bool,
) {
    // SAFETY: by the caller.
    unsafe {
        // By the end of the sum the tile's place has come into the cache.
        for r in 0..R {
            prefetch(c.data.add(r * c.row));
            prefetch(c.data.add(r * c.row + (panel.columns - 1) * c.column));
        }
        let mut sums = [[V::splat(T::zero()); W]; R];
        let (mut a, mut b) = (strip.data, panel.data);
        for _ in 0..k {
            let mut row = [V::splat(T::zero()); W];
            for w in 0..W {
                row[w] = V::load(b.add(w * V::LANES));
            }
            for r in 0..R {
                let factor = V::splat(*a.add(r * strip.row));
                for w in 0..W {
                    sums[r][w] = sums[r][w].multiply_add(factor, row[w]);
                }
            }
            // Past the last step these point beyond the operands, and are not read.
            a = a.wrapping_add(strip.column);
            b = b.wrapping_add(panel.step);
        }
        if c.column == 1 && panel.columns == W * V::LANES {
            for r in 0..R {
                for w in 0..W {
                    let place = c.data.add(r * c.row + w * V::LANES);
                    let mut sum = sums[r][w];
                    if accumulate {
                        sum = sum.multiply_add(V::splat(T::one()), V::load(place));
                    }
                    sum.store(place);
                }
            }
        } else {
            let mut aside = [MaybeUninit::<T>::uninit(); LARGEST];
            let start = aside.as_mut_ptr().cast::<T>();
            for r in 0..R {
                for w in 0..W {
                    sums[r][w].store(start.add((r * W + w) * V::LANES));
                }
            }
            scatter(start, W * V::LANES, [R, panel.columns], c, accumulate);
        }
    }
}

/// Asks for the cache line of a place.
#[inline(always)]
fn prefetch<T>(place: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, in every x86-64 processor, which reads nothing.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(place.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

/// Writes a tile whose rows are `width` apart to places that are not vectors: columns that lie apart, or fewer than a
/// vector has.
///
/// # Safety
/// The tile has `rows` × `columns` elements, and so has C from `c` on.
#[inline(never)]
unsafe fn scatter<T: Float>(
    tile: *const T,
    width: usize,
    [rows, columns]: [usize; 2],
    c: Matrix<*mut T>,
    accumulate: bool,
) {
    for j in 0..columns {
        for r in 0..rows {
            // SAFETY: by the caller.
            unsafe {
                let (place, sum) = (c.data.add(r * c.row + j * c.column), *tile.add(r * width + j));
                place.write(if accumulate { *place + sum } else { sum });
            }
        }
    }
}
