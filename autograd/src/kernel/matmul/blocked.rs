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
use std::cmp::Ordering;

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

/// Steps of the inner sum in a block: a panel of them stays in the first-level cache, with room for strips that pass by. Fewer
/// where the sum is short: numbers added in shorter chains come out more exact, and C is still read only a few times. How a
/// sum is grouped depends on `k` alone.
fn steps_in_block(k: usize) -> usize {
    let most = if k <= 1024 { 256 } else { 384 };
    // Blocks of equal depth.
    k.div_ceil(k.div_ceil(most))
}

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
    let layout = Layout::of::<T>(a, b, sizes);
    // SAFETY: handed on.
    let whole = || unsafe { in_blocks(c, a, b, sizes, accumulate, layout) };
    if !spread || !parallel::worthwhile(sizes.nanoseconds()) {
        return whole();
    }
    let threads = rayon::current_num_threads();
    let by_columns = layout.by_columns(sizes, threads);
    let cut = if by_columns { n } else { m };
    let parts = (cut / LEAST).min(if cut >= LONG * threads { 2 * threads } else { threads });
    if parts < 2 {
        return whole();
    }
    let start = |i: usize| if i == parts { cut } else { cut * i / parts / STEP * STEP };
    let operands = Operands(c, a, b);
    parallel::for_each_block(parts, sizes.nanoseconds(), |i| {
        let Operands(c, a, b) = &operands;
        let (mut c, mut a, mut b, mut sizes) = (*c, *a, *b, sizes);
        let (first, count) = (start(i), start(i + 1) - start(i));
        // SAFETY: the part lies within the operands.
        unsafe {
            if by_columns {
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
        let bad = bytes(a.column) >= PAGE / 2 || a.row > 0 && bytes(a.row) % PAGE == 0;
        Layout {
            pack_a: bad && k > 16 && n >= 96,
            pack_b: b.column != 1 || bytes(b.row) >= PAGE / 2 && k > 64 && m >= 48,
        }
    }

    /// Are parts for threads cut from the columns? Each part of the columns copies all of A, each of the rows all of B.
    fn by_columns(self, Sizes { m, n, .. }: Sizes, threads: usize) -> bool {
        let copied = |is: bool, side: usize| if is { side } else { 0 };
        match copied(self.pack_a, m).cmp(&copied(self.pack_b, n)) {
            Ordering::Less if n >= LEAST * threads => true,
            Ordering::Greater if m >= LEAST * threads => false,
            _ => n >= m,
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
    let steps = steps_in_block(k);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A matrix of small whole numbers in its own memory: sums of their products are exact, in any order.
    struct Stored {
        data: Vec<f32>,
        row: usize,
        column: usize,
    }

    impl Stored {
        fn new(rows: usize, columns: usize, layout: usize, value: impl Fn(usize, usize) -> f32) -> Stored {
            let (row, column) = [(columns, 1), (1, rows), (columns + 3, 1), (2, 2 * rows + 5)][layout];
            let mut data = vec![f32::NAN; rows * row + columns * column];
            for i in 0..rows {
                for j in 0..columns {
                    data[i * row + j * column] = value(i, j);
                }
            }
            Stored { data, row, column }
        }
        fn get(&self, i: usize, j: usize) -> f32 {
            self.data[i * self.row + j * self.column]
        }
        fn matrix(&self) -> Matrix<*const f32> {
            Matrix { data: self.data.as_ptr(), row: self.row, column: self.column }
        }
    }

    fn whole(i: usize, j: usize) -> f32 {
        ((i * 7 + j * 13 + i * j) % 7) as f32 - 3.0
    }

    fn check(sizes: Sizes, layouts: [usize; 3], accumulate: bool) {
        let Sizes { m, n, k } = sizes;
        let a = Stored::new(m, k, layouts[0], whole);
        let b = Stored::new(k, n, layouts[1], |i, j| whole(j, i));
        let mut c = Stored::new(m, n, layouts[2], |i, j| if accumulate { whole(i, j) } else { f32::NAN });
        let untouched = c.data.iter().filter(|x| x.is_nan()).count();
        let place = Matrix { data: c.data.as_mut_ptr(), row: c.row, column: c.column };
        // SAFETY: the matrices have these sizes, and C memory of its own.
        unsafe { blocked(place, a.matrix(), b.matrix(), sizes, accumulate, true) };
        let (mut a_rows, mut b_columns) = (vec![0.0; m * k], vec![0.0; n * k]);
        (0..m * k).for_each(|at| a_rows[at] = a.get(at / k, at % k));
        (0..n * k).for_each(|at| b_columns[at] = b.get(at % k, at / k));
        for i in 0..m {
            for j in 0..n {
                let pairs = a_rows[i * k..][..k].iter().zip(&b_columns[j * k..][..k]);
                let expected =
                    pairs.fold(if accumulate { whole(i, j) } else { 0.0 }, |sum, (a, b)| sum + a * b);
                assert_eq!(c.get(i, j), expected, "{sizes:?}, {layouts:?}, at {i}, {j}");
            }
        }
        let nan = c.data.iter().filter(|x| x.is_nan()).count();
        assert_eq!(
            nan,
            if accumulate { untouched } else { untouched - m * n },
            "nothing beside C is written"
        );
    }

    #[test]
    fn every_height_and_width_of_the_last_tiles() {
        for m in 1..=26 {
            check(Sizes { m, n: 35, k: 5 }, [0, 0, 0], m % 2 == 0);
        }
        for n in 1..=70 {
            check(Sizes { m: 9, n, k: 5 }, [0, 0, 0], n % 2 == 0);
        }
    }

    #[test]
    fn every_layout() {
        for layouts in 0..64 {
            let layouts = [layouts / 16, layouts / 4 % 4, layouts % 4];
            check(Sizes { m: 29, n: 45, k: 17 }, layouts, layouts[0] == 1);
        }
    }

    #[test]
    fn several_blocks_and_copies() {
        for layouts in [[0, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0], [3, 3, 3]] {
            check(Sizes { m: 150, n: 70, k: 800 }, layouts, true); // blocks of rows and of the inner sum
            check(Sizes { m: 50, n: 1100, k: 70 }, layouts, false); // blocks of columns, and parts for threads
            check(Sizes { m: 1100, n: 97, k: 20 }, layouts, false); // columns of A that are far apart
        }
        check(Sizes { m: 25, n: 100, k: 1024 }, [0, 0, 0], false); // rows of A that are whole pages apart
        for k in [256, 257, 1025, 1160] {
            check(Sizes { m: 14, n: 40, k }, [0, 0, 0], true); // one block more or less, and deeper ones
        }
    }
}
