//! Running results along an axis: each is computed from the one before it, so this direction is never split.

use super::reduce::in_chunks;
use crate::{scalar::Float, tensor::Tensor};

/// Numbers that one thread does at a time.
const BLOCK: usize = 16 * 1024;
/// Nanoseconds an element: the latency of an addition.
const COST: f64 = 1.0;

/// `out[0] = x[0]` and `out[i] = step(out[i − 1], x[i], place)` along an axis, from its end when `reversed`; `place` is
/// the row-major number of the element.
pub(crate) fn scan<T: Float>(
    x: &Tensor<T>,
    axis: usize,
    reversed: bool,
    step: impl Fn(T, T, usize) -> T + Sync,
) -> Tensor<T> {
    let mut out = x.packed();
    if x.is_empty() {
        return out;
    }
    let size = x.shape()[axis];
    let inner: usize = x.shape()[axis + 1..].iter().product();
    let group = size * inner;
    let groups = (BLOCK / group).max(1);
    in_chunks(out.make_mut(), groups * group, x.len() as f64 * COST, |first, chunk| {
        for (k, group_of_rows) in chunk.chunks_exact_mut(group).enumerate() {
            let start = first + k * group;
            if inner == 1 {
                let place = |i| if reversed { size - 1 - i } else { i };
                let mut done = group_of_rows[place(0)];
                for now in (1..size).map(place) {
                    done = step(done, group_of_rows[now], start + now);
                    group_of_rows[now] = done;
                }
                continue;
            }
            for i in 1..size {
                // Row `now` is next, the row before it in the direction of the scan is done.
                let now = if reversed { size - 1 - i } else { i };
                let (front, back) = group_of_rows.split_at_mut(if reversed { now + 1 } else { now } * inner);
                let (done, row) = match reversed {
                    true => (&back[..inner], &mut front[now * inner..]),
                    false => (&front[(now - 1) * inner..], &mut back[..inner]),
                };
                for (j, (row, &done)) in row.iter_mut().zip(done).enumerate() {
                    *row = step(done, *row, start + now * inner + j);
                }
            }
        }
    });
    out
}
