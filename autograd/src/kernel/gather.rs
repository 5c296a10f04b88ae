//! Reads and writes by index along an axis, in an order that the shapes alone decide.
//!
//! Reading is easy to spread over threads. Writing is not: several indices may name one place, and whoever adds with
//! atomics gets other bits in every run. Here each thread owns a part of the *output* and goes through its indices in
//! their order: whole leading indices for [`scatter`], rows for [`add_rows`], which first sorts the indices by row.

use super::{accumulate::add_into, parallel::for_each_block, reduce::in_chunks};
use crate::{
    scalar::Float,
    tensor::{Dims, Element, Tensor},
};
use std::{
    mem::MaybeUninit,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

/// Elements that one thread does at a time.
const BLOCK: usize = 16 * 1024;
/// Nanoseconds an element for a read or a write somewhere in memory.
const COST: f64 = 0.8;

/// An index that stands for no row: it reads zeros and writes nothing.
pub(crate) const NO_ROW: i64 = -1;

/// Whether all indices lie in `-size..size`, and whether any is negative.
pub(crate) fn survey(indices: &[i64], size: i64) -> (bool, bool) {
    let (outside, negative) = (AtomicBool::new(false), AtomicBool::new(false));
    for_each_block(indices.len().div_ceil(BLOCK), indices.len() as f64 * 0.5, |block| {
        let block = &indices[block * BLOCK..indices.len().min((block + 1) * BLOCK)];
        let found = block.iter().fold((false, false), |(outside, negative), &i| {
            (outside | (i >= size) | (i < -size), negative | (i < 0))
        });
        if found.0 {
            outside.store(true, Relaxed);
        }
        if found.1 {
            negative.store(true, Relaxed);
        }
    });
    (!outside.into_inner(), negative.into_inner())
}

/// Where the rows (all axes but the last) of one shape begin in packed memory of another.
struct Rows {
    sizes: Dims,
    strides: Dims,
}

impl Rows {
    /// Rows of `shape` in memory with these strides, index 0 being taken along `axis`.
    fn new(shape: &[usize], strides: &[usize], axis: usize) -> Rows {
        let last = shape.len() - 1;
        let mut strides = Dims::new(&strides[..last]);
        if axis < last {
            strides[axis] = 0;
        }
        Rows { sizes: Dims::new(&shape[..last]), strides }
    }

    fn offset(&self, row: usize) -> usize {
        let (mut rest, mut offset) = (row, 0);
        for (&size, &stride) in self.sizes.iter().zip(self.strides.iter()).rev() {
            offset += rest % size * stride;
            rest /= size;
        }
        offset
    }
}

/// A packed tensor of `shape`, its rows of `width` elements written by `fill`.
///
/// # Safety
/// `fill` writes every element of the row that it is given.
unsafe fn by_rows<E: Element>(
    shape: Dims,
    width: usize,
    fill: impl Fn(usize, &mut [MaybeUninit<E>]) + Sync,
) -> Tensor<E> {
    let n = shape.count();
    if n == 0 {
        return Tensor::zeros(shape);
    }
    let rows = (BLOCK / width).max(1);
    // SAFETY: the chunks cover the tensor, the rows the chunks, and `fill` writes each row by contract.
    unsafe {
        Tensor::build(shape, |places| {
            in_chunks(places, rows * width, n as f64 * COST, |first, chunk| {
                for (k, row) in chunk.chunks_exact_mut(width).enumerate() {
                    fill(first / width + k, row);
                }
            });
        })
    }
}

/// `out[…i…] = x[…index[…i…]…]` along `axis`. The indices lie within the axis; on other axes `index` has at most the
/// size of `x`.
pub(crate) fn gather<E: Element>(x: &Tensor<E>, axis: usize, index: &Tensor<i64>) -> Tensor<E> {
    let (x, index) = (x.contiguous(), index.contiguous());
    let (Some(data), Some(indices)) = (x.as_slice(), index.as_slice()) else { unreachable!("packed above") };
    let (shape, strides) = (index.dims(), x.dims().row_major_strides());
    let last = shape.len() - 1;
    let (width, step, along) = (shape[last], strides[axis], usize::from(axis != last));
    let (rows, size) = (Rows::new(&shape, &strides, axis), x.shape()[axis]);
    // SAFETY: there are `width` indices in a row, so the loop writes the whole row.
    unsafe {
        by_rows(shape, width, |row, out: &mut [MaybeUninit<E>]| {
            let base = rows.offset(row);
            let indices = &indices[row * width..][..width];
            if along == 0 {
                // Along the last axis a row is picked from one row.
                let data = &data[base..][..size];
                out.iter_mut().zip(indices).for_each(|(out, &i)| _ = out.write(data[i as usize]));
                return;
            }
            for (j, (out, &i)) in out.iter_mut().zip(indices).enumerate() {
                out.write(data[base + i as usize * step + j * along]);
            }
        })
    }
}

/// The adjoint of [`gather`]: `put(&mut onto[…index[…i…]…], from[…i…])` for every index in row-major order. `from` has
/// the shape of `index`.
pub(crate) fn scatter<E: Element>(
    mut onto: Tensor<E>,
    axis: usize,
    index: &Tensor<i64>,
    from: &Tensor<E>,
    put: impl Fn(&mut E, E) + Sync,
) -> Tensor<E> {
    if index.is_empty() {
        return onto;
    }
    let (index, from) = (index.contiguous(), from.contiguous());
    let (Some(indices), Some(values)) = (index.as_slice(), from.as_slice()) else {
        unreachable!("packed above")
    };
    let (whole, shape) = (onto.dims(), index.dims());
    let strides = whole.row_major_strides();
    let last = shape.len() - 1;
    let (step, along) = (strides[axis], usize::from(axis != last));
    let inside = Rows::new(&shape[axis..], &strides[axis..], 0);
    // A leading index is one on all axes before `axis`: what it owns is contiguous.
    let (block, read) = (whole[axis..].iter().product::<usize>(), shape[axis..].iter().product::<usize>());
    let width = shape[last];
    let leading = (BLOCK / read).max(1);
    in_chunks(onto.make_mut(), leading * block, values.len() as f64 * COST, |first, chunk| {
        for (k, part) in chunk.chunks_exact_mut(block).enumerate() {
            let Some(lead) = renumbered(first / block + k, &whole[..axis], &shape[..axis]) else { continue };
            for row in 0..read / width {
                let at = lead * read + row * width;
                let base = inside.offset(row);
                for (j, (&i, &value)) in indices[at..at + width].iter().zip(&values[at..]).enumerate() {
                    put(&mut part[base + i as usize * step + j * along], value);
                }
            }
        }
    });
    onto
}

/// The row-major number within `narrow` of the index that has `number` within `wide`; none if it lies outside.
fn renumbered(number: usize, wide: &[usize], narrow: &[usize]) -> Option<usize> {
    let (mut rest, mut pitch, mut found) = (number, 1, 0);
    for (&wide, &narrow) in wide.iter().zip(narrow).rev() {
        let i = rest % wide;
        if i >= narrow {
            return None;
        }
        found += i * pitch;
        pitch *= narrow;
        rest /= wide;
    }
    Some(found)
}

/// The slices of `axis` that `indices` name, in their order; zeros for [`NO_ROW`].
pub(crate) fn take_rows<E: Element>(x: &Tensor<E>, axis: usize, indices: &[i64]) -> Tensor<E> {
    let x = x.contiguous();
    let data = x.as_slice().expect("packed above");
    let size = x.shape()[axis];
    let inner: usize = x.shape()[axis + 1..].iter().product();
    let count = indices.len();
    // SAFETY: all three branches write the whole row.
    unsafe {
        by_rows(x.dims().with(axis, count), inner, |row, out: &mut [MaybeUninit<E>]| {
            let index = indices[row % count];
            if index == NO_ROW {
                out.fill(MaybeUninit::new(E::default()));
                return;
            }
            let source = (row / count * size + index as usize) * inner;
            if inner == 1 {
                out[0].write(data[source]);
                return;
            }
            for (out, &value) in out.iter_mut().zip(&data[source..source + inner]) {
                out.write(value);
            }
        })
    }
}

/// The adjoint of [`take_rows`]: adds each slice of `from` to the slice of `onto` that its index names, in the order of
/// the indices.
pub(crate) fn add_rows<T: Float>(
    mut onto: Tensor<T>,
    axis: usize,
    indices: &[i64],
    from: &Tensor<T>,
) -> Tensor<T> {
    let size = onto.shape()[axis];
    let inner: usize = onto.shape()[axis + 1..].iter().product();
    if onto.is_empty() || from.is_empty() {
        return onto;
    }
    let from = from.contiguous();
    let (values, count) = (from.as_slice().expect("packed above"), indices.len());
    // Positions sorted by row, those of one row in their order (a counting sort): row r has `sorted[ends[r - 1]..ends[r]]`.
    let mut ends = vec![0_usize; size + 1];
    for &index in indices.iter().filter(|index| **index != NO_ROW) {
        ends[index as usize + 1] += 1;
    }
    for row in 0..size {
        ends[row + 1] += ends[row];
    }
    let mut sorted = vec![0_usize; ends[size]];
    for (position, &index) in indices.iter().enumerate().filter(|(_, index)| **index != NO_ROW) {
        sorted[ends[index as usize]] = position;
        ends[index as usize] += 1;
    }
    let rows = (BLOCK / inner).max(1);
    in_chunks(onto.make_mut(), rows * inner, values.len() as f64 * COST, |first, chunk| {
        for (k, into) in chunk.chunks_exact_mut(inner).enumerate() {
            let (outer, row) = ((first / inner + k) / size, (first / inner + k) % size);
            let begin = if row == 0 { 0 } else { ends[row - 1] };
            for &position in &sorted[begin..ends[row]] {
                let from = &values[(outer * count + position) * inner..][..inner];
                if inner < 16 {
                    into.iter_mut().zip(from).for_each(|(into, &value)| *into = *into + value);
                } else {
                    add_into(into, from);
                }
            }
        }
    });
    onto
}

/// The adjoint of a view: adds `from` to `onto` through the layout (shape of `from`, `strides`, `offset`) in packed
/// memory, in row-major order; places that overlap add up.
pub(crate) fn add_through<T: Float>(
    mut onto: Tensor<T>,
    strides: Dims,
    offset: usize,
    from: &Tensor<T>,
) -> Tensor<T> {
    let shape = from.dims();
    let from = from.contiguous();
    let (Some(values), into) = (from.as_slice(), onto.make_mut()) else { unreachable!("packed above") };
    let Some(last) = shape.len().checked_sub(1) else {
        into[offset] = into[offset] + values[0];
        return onto;
    };
    if values.is_empty() {
        return onto;
    }
    let rows = Rows { sizes: Dims::new(&shape[..last]), strides: Dims::new(&strides[..last]) };
    for (row, values) in values.chunks_exact(shape[last]).enumerate() {
        let base = offset + rows.offset(row);
        for (j, &value) in values.iter().enumerate() {
            let place = &mut into[base + j * strides[last]];
            *place = *place + value;
        }
    }
    onto
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_survey_sees_every_block() {
        assert_eq!(survey(&[], 0), (true, false));
        assert_eq!(survey(&[i64::MIN], 5), (false, true));
        let mut indices = vec![2; 3 * BLOCK + 7];
        assert_eq!(survey(&indices, 3), (true, false));
        for at in [0, BLOCK, 3 * BLOCK + 6] {
            for (index, expected) in
                [(3, (false, false)), (-1, (true, true)), (-3, (true, true)), (-4, (false, true))]
            {
                indices[at] = index;
                assert_eq!(survey(&indices, 3), expected, "{index} at {at}");
            }
            indices[at] = 0;
        }
    }

    #[test]
    fn few_rows_of_many_are_gathered_along_each_axis() {
        let (x, size) = (Tensor::arange(0, 60, 1).reshape([4, 3, 5]), [4, 3, 5]);
        for axis in 0..3 {
            let mut shape = [2, 2, 3];
            shape[axis] = size[axis] + 2;
            let count: usize = shape.iter().product();
            let index: Vec<i64> = (0..count).map(|at| (at * 7 % size[axis]) as i64).collect();
            let picked = gather(&x, axis, &Tensor::from_vec(index.clone(), shape).expect("as many"));
            for (at, &picked) in picked.as_slice().expect("packed").iter().enumerate() {
                let mut place = [at / (shape[1] * shape[2]), at / shape[2] % shape[1], at % shape[2]];
                place[axis] = index[at] as usize;
                assert_eq!(
                    picked,
                    (place[0] * 15 + place[1] * 5 + place[2]) as i64,
                    "axis {axis}, number {at}"
                );
            }
        }
    }
}
