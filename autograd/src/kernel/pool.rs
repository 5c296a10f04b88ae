//! Maxima of windows: where they are, and what goes back there.
//!
//! A maximum is an element of its window, so pooling finds *positions*; values are read from them and gradients added
//! to them. Rows of the output are searched together, kernel index by kernel index, which vectorises; where windows of
//! 2 × 2 lie side by side, all four of their elements are compared in one loop.

use super::{parallel::in_chunks_of_two, reduce::in_chunks, simd::dispatch, window::Window};
use crate::{
    scalar::Float,
    tensor::{Dims, Fresh, Tensor},
};
use std::{mem::MaybeUninit, ops::Range};

/// The position of a window that lies in the padding entirely: its maximum is −∞, and no gradient goes anywhere.
const NOWHERE: i64 = -1;
/// Nanoseconds for an element of a window, and for reading or adding at a position.
const COST: f64 = 0.15;
const COST_POSITION: f64 = 1.0;

/// The maxima of the windows of each plane, and their positions within the plane: the first of equals, any NaN before
/// all numbers. `shape` is that of the result.
pub(crate) fn max_pool<T: Float>(x: &Tensor<T>, window: &Window, shape: Dims) -> (Tensor<T>, Tensor<i64>) {
    let (mut values, mut positions) = (Fresh::new(shape), Fresh::new(shape));
    let x = x.contiguous();
    let x = x.as_slice().expect("made contiguous");
    let count = shape.count() / window.positions().max(1);
    let planes = planes_in_a_task(window.positions() * window.volume());
    let cost = (shape.count() * window.volume()) as f64 * COST;
    let search = |first: usize, values: &mut [MaybeUninit<T>], positions: &mut [MaybeUninit<i64>]| {
        let planes = x[first / window.positions() * window.plane()..].chunks_exact(window.plane());
        dispatch!([T: Float] search_planes::<FMA, T>(
            planes: std::slice::ChunksExact<'_, T>,
            window: &Window,
            values: &mut [MaybeUninit<T>],
            positions: &mut [MaybeUninit<i64>],
        ));
    };
    if count > 0 {
        let len = planes * window.positions();
        in_chunks_of_two(
            (values.as_uninit_slice(), len),
            (positions.as_uninit_slice(), len),
            cost,
            |task, v, p| {
                search(task * len, v, p);
            },
        );
    }
    // SAFETY: the search writes each place of both.
    unsafe { (values.assume_init(), positions.assume_init()) }
}

/// How many planes make a task, for so many elements to be looked at in each.
fn planes_in_a_task(elements: usize) -> usize {
    (65_536 / elements.max(1)).max(1)
}

/// # Safety
/// None; the signature is that of `dispatch!`.
#[inline(always)]
unsafe fn search_planes<const FMA: bool, T: Float>(
    planes: std::slice::ChunksExact<'_, T>,
    window: &Window,
    values: &mut [MaybeUninit<T>],
    positions: &mut [MaybeUninit<i64>],
) {
    let [out_depth, out_height, out_width] = window.output;
    let mut lines = values.chunks_exact_mut(out_width).zip(positions.chunks_exact_mut(out_width));
    let task = lines.len() / (out_depth * out_height);
    let halves = halves_both_axes(window);
    let (mut best, mut places) = (vec![T::zero(); out_width], vec![NOWHERE; out_width]);
    for plane in planes.take(task) {
        for d in 0..out_depth {
            for h in 0..out_height {
                let (values, positions) = lines.next().expect("a line for each pair of outer indices");
                if halves {
                    larger_of_four(plane, window.input[2], h, values, positions);
                    continue;
                }
                best.fill(T::neg_infinity());
                places.fill(NOWHERE);
                search_line(plane, window, [d, h], &mut best, &mut places);
                for w in 0..out_width {
                    values[w].write(best[w]);
                    positions[w].write(places[w]);
                }
            }
        }
    }
}

/// Are these windows of 2 × 2 side by side, without padding, in a plane whose places have 32 bits? Such pooling is nearly
/// all that there is in practice.
fn halves_both_axes(window: &Window) -> bool {
    let square = [1, 2, 2];
    window.kernel == square
        && window.stride == square
        && window.dilation == [1; 3]
        && window.before == [0; 3]
        && (1..3).all(|axis| 2 * window.output[axis] <= window.input[axis])
        && window.input[0] == 1
        && i32::try_from(window.plane()).is_ok()
}

/// The maxima of line `h` of windows of 2 × 2, and their positions.
#[inline(always)]
fn larger_of_four<T: Float>(
    plane: &[T],
    width: usize,
    h: usize,
    values: &mut [MaybeUninit<T>],
    positions: &mut [MaybeUninit<i64>],
) {
    let (count, start) = (values.len(), 2 * h * width);
    let (upper, lower) = (&plane[start..][..2 * count], &plane[start + width..][..2 * count]);
    let positions = &mut positions[..count];
    for w in 0..count {
        let at = (start + 2 * w) as i32;
        let candidates = [
            (upper[2 * w], at),
            (upper[2 * w + 1], at + 1),
            (lower[2 * w], at + width as i32),
            (lower[2 * w + 1], at + width as i32 + 1),
        ];
        let (mut best, mut place) = candidates[0];
        for (value, at) in &candidates[1..] {
            let larger = *value > best || value.is_nan();
            best = if larger { *value } else { best };
            place = if larger { *at } else { place };
        }
        values[w].write(best);
        positions[w].write(i64::from(place));
    }
}

/// The maxima of one line of windows, with their positions in the plane.
#[inline(always)]
fn search_line<T: Float>(
    plane: &[T],
    window: &Window,
    [d, h]: [usize; 2],
    best: &mut [T],
    places: &mut [i64],
) {
    let [_, height, width] = window.input;
    for kd in (0..window.kernel[0]).filter(|&kd| window.inside(0, kd).contains(&d)) {
        for kh in (0..window.kernel[1]).filter(|&kh| window.inside(1, kh).contains(&h)) {
            let line = (window.place(0, d, kd) * height + window.place(1, h, kh)) * width;
            for kw in 0..window.kernel[2] {
                let widths = window.inside(2, kw);
                if widths.is_empty() {
                    continue;
                }
                let start = line + window.place(2, widths.start, kw);
                let from = &plane[start..line + width];
                let (best, places) = (&mut best[widths.clone()], &mut places[widths]);
                match window.stride[2] {
                    1 => take_larger::<T, 1>(from, 1, best, places, start as i64),
                    2 => take_larger::<T, 2>(from, 2, best, places, start as i64),
                    3 => take_larger::<T, 3>(from, 3, best, places, start as i64),
                    stride => take_larger::<T, 0>(from, stride, best, places, start as i64),
                }
            }
        }
    }
}

/// Replaces what is smaller than every `stride`-th element of `from`, or has no place yet; `from` begins at `start`.
/// `STRIDE` is the same number as `stride`, or 0 for any.
#[inline(always)]
fn take_larger<T: Float, const STRIDE: usize>(
    from: &[T],
    stride: usize,
    best: &mut [T],
    places: &mut [i64],
    start: i64,
) {
    let stride = if STRIDE == 0 { stride } else { STRIDE };
    let count = best.len();
    assert!(places.len() == count && (count - 1) * stride < from.len());
    for i in 0..count {
        // SAFETY: i · stride is at most (count − 1) · stride, which lies within `from`.
        let value = unsafe { *from.get_unchecked(i * stride) };
        let larger = value > best[i] || value.is_nan() || places[i] == NOWHERE;
        best[i] = if larger { value } else { best[i] };
        places[i] = if larger { start + (i * stride) as i64 } else { places[i] };
    }
}

/// The maxima of cells of several sizes, given as ranges along each axis, and their positions.
pub(crate) fn max_of_cells<T: Float>(
    x: &Tensor<T>,
    input: [usize; 3],
    cells: &[Vec<Range<usize>>; 3],
    shape: Dims,
) -> (Tensor<T>, Tensor<i64>) {
    let x = x.contiguous();
    let plane: usize = input.iter().product();
    let (mut values, mut positions) = (Vec::with_capacity(shape.count()), Vec::with_capacity(shape.count()));
    for plane in x.as_slice().expect("made contiguous").chunks_exact(plane) {
        for depths in &cells[0] {
            for heights in &cells[1] {
                for widths in &cells[2] {
                    let (mut best, mut at) = (T::neg_infinity(), None);
                    for d in depths.clone() {
                        for h in heights.clone() {
                            for w in widths.clone() {
                                let position = (d * input[1] + h) * input[2] + w;
                                let value = plane[position];
                                if at.is_none() || value > best || value.is_nan() {
                                    (best, at) = (value, Some(position));
                                }
                            }
                        }
                    }
                    values.push(best);
                    positions.push(at.map_or(NOWHERE, |at| at as i64));
                }
            }
        }
    }
    let build = "a value and a position for each cell";
    (Tensor::from_vec(values, shape).expect(build), Tensor::from_vec(positions, shape).expect(build))
}

/// The elements of each plane at the positions; 0 for those nowhere.
pub(crate) fn pick<T: Float>(x: &Tensor<T>, plane: usize, positions: &Tensor<i64>) -> Tensor<T> {
    let (x, places) = (x.contiguous(), positions.as_slice().expect("made packed"));
    let x = x.as_slice().expect("made contiguous");
    let mut out = Fresh::new(positions.dims());
    let picked = places.len() / (x.len() / plane.max(1)).max(1);
    if picked > 0 && !places.is_empty() {
        in_chunks(out.as_uninit_slice(), picked, places.len() as f64 * COST_POSITION, |first, out| {
            let plane = &x[first / picked * plane..][..plane];
            for (out, &at) in out.iter_mut().zip(&places[first..]) {
                out.write(if at == NOWHERE { T::zero() } else { plane[at as usize] });
            }
        });
    }
    // SAFETY: each place was written.
    unsafe { out.assume_init() }
}

/// The adjoint of [`pick`]: planes of zeros, in which each element is added to at its position.
pub(crate) fn place<T: Float>(
    y: &Tensor<T>,
    shape: Dims,
    plane: usize,
    positions: &Tensor<i64>,
) -> Tensor<T> {
    let (y, places) = (y.contiguous(), positions.as_slice().expect("made packed"));
    let y = y.as_slice().expect("made contiguous");
    let mut out = Fresh::new(shape);
    let picked = places.len() / (shape.count() / plane.max(1)).max(1);
    let cost = places.len() as f64 * COST_POSITION + shape.count() as f64 * 0.1;
    if shape.count() > 0 {
        let planes = planes_in_a_task(plane);
        in_chunks(out.as_uninit_slice(), planes * plane, cost, |first, out| {
            for (i, out) in out.chunks_exact_mut(plane).enumerate() {
                let start = (first / plane + i) * picked;
                out.fill(MaybeUninit::new(T::zero()));
                for (y, &at) in y[start..start + picked].iter().zip(&places[start..]) {
                    if at != NOWHERE {
                        let place = &mut out[at as usize];
                        // SAFETY: all of `out` was filled with zeros above.
                        let sum = unsafe { place.assume_init() } + *y;
                        place.write(sum);
                    }
                }
            }
        });
    }
    // SAFETY: each plane was filled.
    unsafe { out.assume_init() }
}
