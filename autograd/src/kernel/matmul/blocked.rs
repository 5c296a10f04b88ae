//! Products in tiles: parts for threads, blocks for caches, copies where reading in place would be slower.
//!
//! The method is that of Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008: of B a block that
//! stays in the outer caches, of A one that stays in the second-level cache, and of both the strip and panel that a tile
//! reads. Unlike theirs a block is copied only where that pays: a small product would spend more time copying than
//! multiplying, and most of those of a training step are small.

use super::{
    pack::{pack, pack_padded},
    product::{Matrix, Sizes},
    tile::{self, Block, FEW, Left, MANY, Right, WIDTH},
};
use crate::{
    kernel::{
        parallel,
        simd::{Level, level},
        vector::{dispatch_vector, lanes},
    },
    scalar::Float,
    tensor::{Dims, Fresh},
};

/// Steps of the inner sum in a block: a panel of them stays in the first-level cache, with room for strips that pass by.
/// What a sum comes to depends on this and on `k` alone.
const STEPS: usize = 384;
/// Rows in a block of A: multiples of the strips' heights.
const ROWS: usize = 72;
/// Columns in a block of B: a multiple of the panels' widths.
const COLUMNS: usize = 1024;

/// Rows or columns of a part for a thread: at least so many, in steps of about the sides of tiles.
const LEAST: usize = 48;
const STEP: usize = 16;
/// From so many rows or columns a thread on, there are two parts for each, so that a thread which was held up does not hold
/// up the others for long.
const LONG: usize = 1024;

/// C = A · B, or C += A · B.
///
/// # Safety
/// As [`gemm_into`](super::gemm_into).
pub(super) unsafe fn blocked<T: Float>(
    c: Matrix<*mut T>,
    a: Matrix<*const T>,
    b: Matrix<*const T>,
    sizes: Sizes,
    accumulate: bool,
    spread: bool,
) {
    let as_it_stands = detours::<T>(c.column, b.column, sizes);
    let transposed = detours::<T>(c.row, a.row, sizes.t());
    // SAFETY: handed on; a transposed product reaches the same elements.
    unsafe {
        if transposed < as_it_stands {
            in_parts(c.t(), b.t(), a.t(), sizes.t(), accumulate, spread);
        } else {
            in_parts(c, a, b, sizes, accumulate, spread);
        }
    }
}

/// What a product costs beyond its multiplications, in elements copied: those of B where its columns lie apart, twice those of C
/// where its columns do, and the lanes that the last columns leave empty.
fn detours<T: Float>(c_column: usize, b_column: usize, Sizes { m, n, k }: Sizes) -> usize {
    let copied = if b_column == 1 { 0 } else { n * k };
    let scattered = if c_column == 1 { 0 } else { 2 * m * n };
    let lanes = lanes::<T>();
    copied + scattered + m * k * (n.next_multiple_of(lanes) - n) / lanes
}

/// The product in parts of C, each by one thread.
///
/// # Safety
/// As [`blocked`].
unsafe fn in_parts<T: Float>(
    c: Matrix<*mut T>,
    a: Matrix<*const T>,
    b: Matrix<*const T>,
    sizes: Sizes,
    accumulate: bool,
    spread: bool,
) {
    let Sizes { m, n, .. } = sizes;
    struct Operands<T>(Matrix<*mut T>, Matrix<*const T>, Matrix<*const T>);
    // SAFETY: each thread writes a part of its own of C; A and B are only read.
    unsafe impl<T: Send + Sync> Sync for Operands<T> {}
    let threads = rayon::current_num_threads();
    let longer = m.max(n);
    let parts = (longer / LEAST).min(if longer >= LONG * threads { 2 * threads } else { threads });
    let layout = Layout::of::<T>(a, b, sizes);
    if !spread || parts < 2 || !parallel::worthwhile(sizes.nanoseconds()) {
        // SAFETY: handed on.
        return unsafe { in_blocks(c, a, b, sizes, accumulate, layout) };
    }
    let start = |i: usize| if i == parts { longer } else { longer * i / parts / STEP * STEP };
    let operands = Operands(c, a, b);
    parallel::for_each_block(parts, sizes.nanoseconds(), |i| {
        let Operands(c, a, b) = &operands;
        let (mut c, mut a, mut b, mut sizes) = (*c, *a, *b, sizes);
        let (first, count) = (start(i), start(i + 1) - start(i));
        // SAFETY: the part lies within the operands.
        unsafe {
            if n >= m {
                b.data = b.data.add(first * b.column);
                c.data = c.data.add(first * c.column);
                sizes.n = count;
            } else {
                a.data = a.data.add(first * a.row);
                c.data = c.data.add(first * c.row);
                sizes.m = count;
            }
            in_blocks(c, a, b, sizes, accumulate, layout);
        }
    });
}

/// Which operands are copied.
#[derive(Clone, Copy)]
struct Layout {
    pack_a: bool,
    pack_b: bool,
}

impl Layout {
    /// Rows of B that are far apart, and columns of A, are in pages of their own, too many for the processor to know them
    /// all; rows of A that are whole pages apart fall into the same few places of the first-level cache. A copy cures both,
    /// and is worth its while where it is read often.
    fn of<T>(a: Matrix<*const T>, b: Matrix<*const T>, Sizes { m, n, k }: Sizes) -> Layout {
        /// Bytes.
        const PAGE: usize = 4096;
        let bytes = |distance: usize| distance * size_of::<T>();
        let bad = bytes(a.column) >= PAGE / 2 || bytes(a.row) % PAGE == 0;
        Layout {
            pack_a: bad && k > 16 && n >= 96,
            pack_b: b.column != 1 || bytes(b.row) >= PAGE / 2 && k > 64 && m >= 48,
        }
    }
}

/// The product on this thread, block by block.
///
/// # Safety
/// As [`blocked`].
unsafe fn in_blocks<T: Float>(
    c: Matrix<*mut T>,
    a: Matrix<*const T>,
    b: Matrix<*const T>,
    Sizes { m, n, k }: Sizes,
    accumulate: bool,
    Layout { pack_a, pack_b }: Layout,
) {
    let lanes = lanes::<T>();
    // Blocks of equal depth.
    let steps = k.div_ceil(k.div_ceil(STEPS));
    let columns = if pack_b { n.min(COLUMNS) } else { n };
    let of_a = if pack_a { ROWS.min(m) * steps } else { 0 };
    let of_b = match n % lanes {
        _ if pack_b => columns.next_multiple_of(lanes) * steps,
        0 => 0,
        _ => lanes * steps,
    };
    let mut workspace = (of_a + of_b > 0).then(|| Fresh::<T>::new(Dims::new(&[of_a + of_b])));
    let b_copy = workspace.as_mut().map_or(std::ptr::null_mut(), Fresh::as_mut_ptr);
    for j in (0..n).step_by(columns.max(1)) {
        let n = columns.min(n - j);
        for p in (0..k).step_by(steps) {
            let k = steps.min(k - p);
            // SAFETY: the blocks lie within the operands, and the copies within the workspace.
            unsafe {
                let b = Matrix { data: b.data.add(p * b.row + j * b.column), ..b };
                let b = right(b, n, k, pack_b, b_copy, lanes);
                for i in (0..m).step_by(ROWS) {
                    let m = ROWS.min(m - i);
                    let a = Matrix { data: a.data.add(i * a.row + p * a.column), ..a };
                    let a = if pack_a { left(a, m, k, b_copy.add(of_b)) } else { Left::InPlace(a) };
                    let c = Matrix { data: c.data.add(i * c.row + j * c.column), ..c };
                    let accumulate = accumulate || p > 0;
                    run(&Block { m, n, k, c, a, b, accumulate });
                }
            }
        }
    }
}

/// All tiles of a block, in the version for this processor.
///
/// # Safety
/// As [`tile::tiles`].
unsafe fn run<T: Float>(block: &Block<T>) {
    use tile::tiles;
    const { assert!(MANY == 12 && FEW == 6) };
    dispatch_vector!([T: Float] tiles::<{12, 6}, T>(block: &Block<T>));
}

/// `k` × `n` elements of B for tiles: copied as a whole, or only the columns that do not fill a vector.
///
/// # Safety
/// `b` has so many elements, and there is room for the copy.
unsafe fn right<T: Float>(
    b: Matrix<*const T>,
    n: usize,
    k: usize,
    packed: bool,
    copy: *mut T,
    lanes: usize,
) -> Right<T> {
    let whole = n / lanes * lanes;
    let mut rest = copy;
    // SAFETY: by the caller.
    unsafe {
        let from = |column: usize| Matrix { data: b.data.add(column * b.column), ..b };
        if packed {
            let width = WIDTH * lanes;
            let wide = whole / width * width;
            pack(copy, b, wide / width, width, k);
            if wide < whole {
                pack(copy.add(wide * k), from(wide), 1, lanes, k);
            }
            rest = copy.add(whole * k);
        }
        if whole < n {
            pack_padded(rest, from(whole), n - whole, lanes, k);
        }
    }
    let (data, in_place) = if packed { (copy.cast_const(), None) } else { (b.data, Some(b.row)) };
    Right { data, in_place, rest }
}

/// `m` × `k` elements of A for tiles, copied.
///
/// # Safety
/// `a` has so many elements, and there is room for the copy.
unsafe fn left<T: Float>(a: Matrix<*const T>, m: usize, k: usize, copy: *mut T) -> Left<T> {
    let highest = if level() == Level::Avx512 { MANY } else { FEW };
    let mut i = 0;
    while i < m {
        let height = tile::strip_height(highest, m - i);
        let mut strips = 1;
        while i + strips * height < m && tile::strip_height(highest, m - i - strips * height) == height {
            strips += 1;
        }
        // SAFETY: by the caller.
        unsafe {
            let rows = Matrix { data: a.data.add(i * a.row), ..a };
            pack(copy.add(i * k), rows.t(), strips, height, k);
        }
        i += strips * height;
    }
    Left::Packed(copy)
}
