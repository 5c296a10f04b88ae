//! Copies of parts of a matrix, in the order in which tiles read them.
//!
//! A strip (of rows of A) or panel (of columns of B) of some width is stored as its widths one after another: `width`
//! numbers for the first step of the inner sum, then for the second, and so on. [`pack`] serves both, since a strip of A is a
//! panel of Aᵀ.

use super::product::Matrix;
use crate::scalar::Float;

/// Writes `k` rows of `count` panels of `width` columns each, one panel after another.
///
/// # Safety
/// `from` has so many elements, and `to` room for them.
pub(super) unsafe fn pack<T: Float>(
    to: *mut T,
    from: Matrix<*const T>,
    count: usize,
    width: usize,
    k: usize,
) {
    // SAFETY: by the caller.
    unsafe {
        match width {
            32 if from.column == 1 => rows::<32, T>(to, from, count, k),
            16 if from.column == 1 => rows::<16, T>(to, from, count, k),
            12 if from.column == 1 => rows::<12, T>(to, from, count, k),
            8 if from.column == 1 => rows::<8, T>(to, from, count, k),
            6 if from.column == 1 => rows::<6, T>(to, from, count, k),
            4 if from.column == 1 => rows::<4, T>(to, from, count, k),
            _ => {
                for panel in 0..count {
                    let from = Matrix { data: at(from, 0, panel * width), ..from };
                    columns::<4, T>(to.add(panel * width * k), from, width, k);
                }
            }
        }
    }
}

/// Writes `k` rows of a panel of `width` columns of which the matrix has only `count`: zeros in the others.
///
/// # Safety
/// `from` has so many elements, and `to` room for `k * width`.
pub(super) unsafe fn pack_padded<T: Float>(
    to: *mut T,
    from: Matrix<*const T>,
    count: usize,
    width: usize,
    k: usize,
) {
    for p in 0..k {
        for x in 0..width {
            // SAFETY: by the caller.
            unsafe { to.add(p * width + x).write(if x < count { *at(from, p, x) } else { T::zero() }) };
        }
    }
}

/// The element in a row and a column.
///
/// # Safety
/// There is one.
#[inline(always)]
unsafe fn at<T>(from: Matrix<*const T>, row: usize, column: usize) -> *const T {
    // SAFETY: by the caller.
    unsafe { from.data.add(row * from.row + column * from.column) }
}

/// Panels of `W` contiguous columns: row by row, as they lie in memory.
///
/// # Safety
/// As [`pack`].
#[inline(always)]
unsafe fn rows<const W: usize, T: Float>(to: *mut T, from: Matrix<*const T>, count: usize, k: usize) {
    for p in 0..k {
        for panel in 0..count {
            // SAFETY: by the caller; arrays need no more alignment than their elements.
            unsafe {
                let place = to.add((panel * k + p) * W).cast::<[T; W]>();
                place.write(*at(from, p, panel * W).cast::<[T; W]>());
            }
        }
    }
}

/// `width` columns that lie apart: `W` at a time, since a cache has a place for only a few lines that are pages apart; where
/// they are contiguous themselves in squares, which the compiler turns in registers.
///
/// # Safety
/// As [`pack`].
#[inline(always)]
unsafe fn columns<const W: usize, T: Float>(to: *mut T, from: Matrix<*const T>, width: usize, k: usize) {
    let mut x = 0;
    // SAFETY: by the caller.
    unsafe {
        while x + W <= width {
            let mut p = 0;
            while from.row == 1 && p + W <= k {
                let mut square = [[T::zero(); W]; W];
                for i in 0..W {
                    square[i] = *at(from, p, x + i).cast::<[T; W]>();
                }
                for j in 0..W {
                    let mut row = [T::zero(); W];
                    for i in 0..W {
                        row[i] = square[i][j];
                    }
                    to.add((p + j) * width + x).cast::<[T; W]>().write(row);
                }
                p += W;
            }
            while p < k {
                let mut row = [T::zero(); W];
                for i in 0..W {
                    row[i] = *at(from, p, x + i);
                }
                to.add(p * width + x).cast::<[T; W]>().write(row);
                p += 1;
            }
            x += W;
        }
        for x in x..width {
            for p in 0..k {
                to.add(p * width + x).write(*at(from, p, x));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_packs_to_the_same_panels() {
        let (k, panels) = (11, 3);
        for width in [1, 2, 4, 6, 7, 8, 12, 16, 32] {
            let value = |p: usize, x: usize| (1 + p * 100 + x) as f32;
            let expected: Vec<f32> = (0..panels * k * width)
                .map(|i| value(i / width % k, i / width / k * width + i % width))
                .collect();
            for (row, column) in [(panels * width, 1), (1, k), (2 * panels * width, 2), (3, 3 * k)] {
                let mut data = vec![f32::NAN; k * row + panels * width * column];
                for p in 0..k {
                    for x in 0..panels * width {
                        data[p * row + x * column] = value(p, x);
                    }
                }
                let what = format!("width {width}, strides {row} and {column}");
                let from = Matrix { data: data.as_ptr(), row, column };
                let mut packed = vec![f32::NAN; panels * k * width];
                // SAFETY: both have the elements.
                unsafe { pack(packed.as_mut_ptr(), from, panels, width, k) };
                assert_eq!(packed, expected, "{what}");

                let mut padded = vec![f32::NAN; k * width];
                // SAFETY: as above.
                unsafe { pack_padded(padded.as_mut_ptr(), from, width / 2, width, k) };
                for (i, &got) in padded.iter().enumerate() {
                    let inside = i % width < width / 2;
                    assert_eq!(got, if inside { value(i / width, i % width) } else { 0.0 }, "{what}");
                }
            }
        }
    }
}
