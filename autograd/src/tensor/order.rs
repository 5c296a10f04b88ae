//! Order: sorting, the k largest, the greatest and least, the distinct values.
//!
//! ```
//! use wengert_autograd::tensor;
//!
//! let x = tensor![[3.0, 1.0, 2.0], [0.0, 5.0, 5.0]];
//! let (sorted, places) = x.sort(-1, false);
//! assert_eq!(sorted, tensor![[1.0, 2.0, 3.0], [0.0, 5.0, 5.0]]);
//! assert_eq!(places, tensor![[1, 2, 0], [0, 1, 2]]);
//! assert_eq!(x.argmax(-1, false), tensor![0, 1]);
//! assert_eq!(tensor![3, 1, 3, 2].unique(), tensor![1, 2, 3]);
//! ```
//!
//! As in PyTorch, NaN counts as greater than every number, also by `argmin`, which it wins as well; among equals the
//! first comes first, since sorting is stable in both directions.

use super::{Element, Fresh, Tensor, TensorError};
use crate::kernel::reduce::in_chunks;

/// Where an element stands in the order of its type, and its index in the lane. Numbers of every type are sorted by ranks,
/// so that sorting is compiled once, and compares integers that lie side by side.
pub(crate) type Ranked = (u64, i64);

/// The rank of a number: NaN above all others, the two zeros equal.
#[inline]
pub(super) fn rank_of_real(x: f64) -> u64 {
    const SIGN: u64 = 1 << 63;
    if x.is_nan() {
        return u64::MAX;
    }
    // Of negative numbers the greater magnitude is less; -0 + 0 is 0.
    let bits = (x + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// The rank of an integer.
#[inline]
pub(super) fn rank_of_integer(x: i64) -> u64 {
    x.wrapping_sub(i64::MIN) as u64
}

/// The indices of the numbers in ascending order.
pub(crate) fn ascending(numbers: impl Iterator<Item = f64>) -> impl Iterator<Item = usize> {
    let mut ranked: Vec<Ranked> = numbers.map(rank_of_real).zip(0..).collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, index)| index as usize)
}

/// The lane's elements with their ranks, in the order of the lane; ranks are reversed where the order is to descend.
fn rank<E: Element>(lane: &[E], descending: bool, ranked: &mut Vec<Ranked>) {
    ranked.clear();
    E::ranks(lane, ranked);
    if descending {
        ranked.iter_mut().for_each(|(rank, _)| *rank = !*rank);
    }
}

/// The ranks of the first `count` elements of the sorted lane, at least one. Among equals the order is that of their indices.
fn front_of_lane<E: Element>(lane: &[E], count: usize, descending: bool, front: &mut Vec<Ranked>) {
    if count < lane.len() && count <= FEW {
        return E::few_of_lane(lane, count, descending, front);
    }
    rank(lane, descending, front);
    sort_front(front, count);
}

/// Leaves the first `count` of the sorted ranks, in order. A function of its own, since it does not depend on the type of the
/// elements.
fn sort_front(ranked: &mut Vec<Ranked>, count: usize) {
    if count < ranked.len() {
        ranked.select_nth_unstable(count - 1);
        ranked.truncate(count);
    }
    ranked.sort_unstable();
}

/// So many elements are kept in order while the lane goes by.
const FEW: usize = 32;

/// As [`front_of_lane`], for a small `count`: the front is kept in order while the lane goes by. Each element is compared with the
/// last of those held, and rarely has a place before it.
pub(super) fn few_of_lane<E: Element>(lane: &[E], count: usize, descending: bool, held: &mut Vec<Ranked>) {
    let precedes = |element: E, last: E| {
        if descending {
            (element > last) | (element.not_a_number() & !last.not_a_number())
        } else {
            (element < last) | (last.not_a_number() & !element.not_a_number())
        }
    };
    rank(&lane[..count], descending, held);
    sort_front(held, count);
    for (number, block) in lane[count..].chunks(BLOCK).enumerate() {
        let mut last = lane[held[count - 1].1 as usize];
        if !block.iter().fold(false, |found, &element| found | precedes(element, last)) {
            continue;
        }
        for (place, &element) in block.iter().enumerate() {
            if !precedes(element, last) {
                continue;
            }
            E::ranks(&[element], held);
            let rank = held.pop().expect("just pushed").0;
            let ranked = (if descending { !rank } else { rank }, (count + number * BLOCK + place) as i64);
            let at = held.partition_point(|other| *other < ranked);
            held.insert(at, ranked);
            held.truncate(count);
            last = lane[held[count - 1].1 as usize];
        }
    }
}

/// Elements that are looked at together for one that is better than the best so far, which in most blocks there is not.
const BLOCK: usize = 64;

/// The index of the first greatest (or least) element; of the first NaN, if there is any. The lane is not empty.
pub(super) fn extreme_of_lane<E: Element>(lane: &[E], greatest: bool) -> i64 {
    let (mut best, mut held) = (0, lane[0]);
    let better = |element: E, held: E| {
        (if greatest { element > held } else { element < held }) || element.not_a_number()
    };
    for (number, block) in lane.chunks(BLOCK).enumerate() {
        if held.not_a_number() {
            break;
        }
        if !block.iter().fold(false, |found, &element| found | better(element, held)) {
            continue;
        }
        for (place, &element) in block.iter().enumerate() {
            if !held.not_a_number() && better(element, held) {
                (best, held) = (number * BLOCK + place, element);
            }
        }
    }
    best as i64
}

/// Elements of lanes that one thread sorts at a time.
const BLOCK_OF_LANES: usize = 16 * 1024;

/// What [`Tensor::unique_all`] returns.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Unique<E: Element> {
    /// The distinct values in ascending order.
    pub values: Tensor<E>,
    /// For each element of the tensor, in its shape, the position of its value among `values`.
    pub inverse: Tensor<i64>,
    /// How often each value occurs.
    pub counts: Tensor<i64>,
}

impl<E: Element> Tensor<E> {
    /// The indices of the first `count` elements of each sorted lane along an axis.
    fn ordered(&self, axis: usize, count: usize, descending: bool) -> Tensor<i64> {
        let lanes = self.movedim(axis as isize, -1).contiguous();
        let data = lanes.as_slice().unwrap_or_default();
        let len = self.sizes()[axis];
        let mut fresh = Fresh::new(lanes.sizes().with(self.rank() - 1, count));
        if count > 0 {
            let compared = if count <= FEW { 1.0 } else { (len as f64).log2() };
            let lanes_at_once = (BLOCK_OF_LANES / len).max(1);
            let cost = data.len() as f64 * (1.0 + compared);
            in_chunks(fresh.as_uninit_slice(), lanes_at_once * count, cost, |first, places| {
                let mut front = Vec::with_capacity(len);
                let lanes = data[first / count * len..].chunks_exact(len);
                for (lane, places) in lanes.zip(places.chunks_exact_mut(count)) {
                    front_of_lane(lane, count, descending, &mut front);
                    places.iter_mut().zip(&front).for_each(|(place, &(_, index))| _ = place.write(index));
                }
            });
        }
        // SAFETY: there are as many lanes of `len` as of `count` elements, and `count` is at most `len`, the number of
        // indices: every element was written.
        unsafe { fresh.assume_init() }.movedim(-1, axis as isize).contiguous()
    }

    /// The elements along an axis in ascending (or descending) order, and the index that each had.
    ///
    /// # Panics
    /// If the axis is out of range.
    #[track_caller]
    pub fn sort(&self, axis: isize, descending: bool) -> (Tensor<E>, Tensor<i64>) {
        let axis = self.sizes().axis("sort", axis);
        let indices = self.ordered(axis, self.sizes()[axis], descending);
        (self.take_along(&indices, axis as isize), indices)
    }

    /// The indices that sort an axis: as [`sort`](Self::sort) returns them.
    ///
    /// # Panics
    /// If the axis is out of range.
    #[track_caller]
    pub fn argsort(&self, axis: isize, descending: bool) -> Tensor<i64> {
        let axis = self.sizes().axis("argsort", axis);
        self.ordered(axis, self.sizes()[axis], descending)
    }

    /// The `count` greatest (or least) elements along an axis, the most extreme first, and their indices.
    ///
    /// ```
    /// use wengert_autograd::tensor;
    /// let (values, indices) = tensor![4.0, 9.0, 1.0, 9.0].topk(3, 0, true);
    /// assert_eq!((values, indices), (tensor![9.0, 9.0, 4.0], tensor![1, 3, 0]));
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range or has fewer elements.
    #[track_caller]
    pub fn topk(&self, count: usize, axis: isize, greatest: bool) -> (Tensor<E>, Tensor<i64>) {
        let axis = self.sizes().axis("topk", axis);
        if count > self.sizes()[axis] {
            let problem = format!("axis {axis} has no {count} elements");
            TensorError::argument("topk", self.sizes(), problem).raise();
        }
        let indices = self.ordered(axis, count, greatest);
        (self.take_along(&indices, axis as isize), indices)
    }

    /// The index of the greatest element along an axis, the first at ties; that of the first NaN, if there is any.
    ///
    /// # Panics
    /// If the axis is out of range or has size 0.
    #[track_caller]
    pub fn argmax(&self, axis: isize, keepdim: bool) -> Tensor<i64> {
        self.extreme("argmax", axis, keepdim, true)
    }

    /// The index of the least element along an axis, the first at ties; that of the first NaN, if there is any.
    ///
    /// # Panics
    /// If the axis is out of range or has size 0.
    #[track_caller]
    pub fn argmin(&self, axis: isize, keepdim: bool) -> Tensor<i64> {
        self.extreme("argmin", axis, keepdim, false)
    }

    #[track_caller]
    fn extreme(&self, operation: &'static str, axis: isize, keepdim: bool, greatest: bool) -> Tensor<i64> {
        let position = self.sizes().axis(operation, axis);
        if self.sizes()[position] == 0 {
            let problem = format!("axis {position} has no elements to choose from");
            TensorError::argument(operation, self.sizes(), problem).raise();
        }
        self.fold_axis(operation, axis, keepdim, |lane| E::extreme_of_lane(lane, greatest))
    }

    /// The distinct values in ascending order. Every NaN is distinct from the others.
    pub fn unique(&self) -> Tensor<E> {
        self.unique_all().values
    }

    /// The distinct values in ascending order, where each element's value stands among them, and how often each
    /// occurs. Every NaN is distinct from the others.
    pub fn unique_all(&self) -> Unique<E> {
        let packed = self.contiguous();
        let data = packed.as_slice().unwrap_or_default();
        let mut ranked = Vec::with_capacity(data.len());
        rank(data, false, &mut ranked);
        ranked.sort_unstable();
        let (mut values, mut counts) = (Vec::new(), Vec::new());
        let mut inverse = vec![0_i64; data.len()];
        for (_, index) in ranked {
            let element = data[index as usize];
            match counts.last_mut() {
                Some(count) if values.last() == Some(&element) => *count += 1,
                _ => {
                    values.push(element);
                    counts.push(1_i64);
                }
            }
            inverse[index as usize] = values.len() as i64 - 1;
        }
        Unique {
            values: values.into(),
            inverse: Tensor::from(inverse).reshape(self.dims()),
            counts: counts.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tensor;

    #[test]
    fn nan_is_greatest_and_ties_keep_their_order() {
        let x = tensor![2.0, f32::NAN, -0.0, 0.0, f32::NEG_INFINITY];
        assert_eq!(x.argsort(0, false), tensor![4, 2, 3, 0, 1]);
        assert_eq!(x.argsort(0, true), tensor![1, 0, 2, 3, 4]);
        assert_eq!(x.argmax(0, false).item(), 1);
        assert_eq!(x.argmin(0, true), tensor![1,]);
        assert_eq!(tensor![7, 7, 3, 3].argmax(0, false).item(), 0);
        assert_eq!(tensor![7, 7, 3, 3].argmin(0, false).item(), 2);
        assert_eq!(tensor![false, true, true].argmax(0, false).item(), 1);
        assert_eq!(x.topk(2, 0, true).1, tensor![1, 0]);
        assert_eq!(x.topk(2, 0, false).0, tensor![f32::NEG_INFINITY, -0.0]);
        assert_eq!(x.topk(0, 0, true).0.shape(), [0]);
    }

    /// More lanes, and longer ones, than a thread takes at a time.
    #[test]
    fn a_few_of_many_lanes() {
        for (lanes, len) in [(700, 150), (3, 30_000)] {
            let data: Vec<f32> = (0..lanes * len).map(|at| (at * 7919 % 10_007) as f32).collect();
            let x = Tensor::from_vec(data, [lanes, len]).expect("as many");
            for descending in [false, true] {
                let sorted = x.argsort(1, descending);
                for count in [1, 5, 32, 33] {
                    assert_eq!(x.topk(count, 1, descending).1, sorted.narrow(1, 0, count));
                }
            }
        }
    }

    #[test]
    fn along_any_axis() {
        let x = tensor![[3, 1], [2, 5], [1, 4]];
        assert_eq!(x.sort(0, false).0, tensor![[1, 1], [2, 4], [3, 5]]);
        assert_eq!(x.sort(0, true).1, tensor![[0, 1], [1, 2], [2, 0]]);
        assert_eq!(x.argmax(0, false), tensor![0, 1]);
        assert_eq!(x.argmin(1, true), tensor![[1], [0], [0]]);
        assert_eq!(Tensor::<f32>::zeros([0, 2]).sort(0, false).0.shape(), [0, 2]);
        assert_eq!(Tensor::<f32>::zeros([0, 2]).argmax(1, false).shape(), [0]);
        assert!(std::panic::catch_unwind(|| Tensor::<f32>::zeros([0, 2]).argmax(0, false)).is_err());
        assert!(std::panic::catch_unwind(|| x.topk(4, 0, true)).is_err());
    }

    #[test]
    fn distinct_values() {
        let x = tensor![[3, 1], [3, 2]];
        let unique = x.unique_all();
        assert_eq!(unique.values, tensor![1, 2, 3]);
        assert_eq!(unique.inverse, tensor![[2, 0], [2, 1]]);
        assert_eq!(unique.counts, tensor![1, 1, 2]);
        assert_eq!(tensor![f32::NAN, 1.0, f32::NAN].unique().len(), 3);
        assert_eq!(Tensor::<f32>::zeros([0]).unique().len(), 0);
    }

    #[test]
    fn ranks_have_the_order_of_their_numbers() {
        let ascending =
            [f64::NEG_INFINITY, f64::MIN, -1.5, -1e-310, 0.0, 5e-324, 0.5, f64::MAX, f64::INFINITY, f64::NAN];
        assert!(ascending.map(rank_of_real).is_sorted_by(|a, b| a < b));
        assert_eq!(rank_of_real(-0.0), rank_of_real(0.0));
        assert_eq!(rank_of_real(-f64::NAN), rank_of_real(f64::NAN));
        assert!([i64::MIN, -1, 0, 1, i64::MAX].map(rank_of_integer).is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn the_ends_of_small_types() {
        assert_eq!(tensor![true, false, true].sort(0, true).1, tensor![0, 2, 1]);
        assert_eq!(tensor![true, false, true].unique(), tensor![false, true]);
        let bytes = Tensor::from(vec![255_u8, 0, 128, 255]);
        assert_eq!(bytes.argsort(0, false), tensor![1, 2, 0, 3]);
        assert_eq!(bytes.unique().to_vec(), [0, 128, 255]);
        assert_eq!(tensor![i64::MAX, i64::MIN, 0].argsort(0, false), tensor![1, 2, 0]);
    }

    fn special() -> impl Strategy<Value = f64> {
        let values =
            [f64::NAN, -f64::NAN, 0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, 5e-324, -1e-310, 1.0, -1.0];
        prop_oneof![prop::sample::select(values.to_vec()), -2.0..2.0_f64]
    }

    proptest! {
        #[test]
        fn floats_come_in_order(data in prop::collection::vec(special(), 1..80), k in 1_usize..80) {
            let x = Tensor::from(&data[..]);
            let order = |a: f64, b: f64| a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()));
            for descending in [false, true] {
                let mut expected: Vec<usize> = (0..data.len()).collect();
                expected.sort_by(|&a, &b| match descending {
                    true => order(data[b], data[a]),
                    false => order(data[a], data[b]),
                });
                let expected = Tensor::from(expected.iter().map(|&at| at as i64).collect::<Vec<_>>());
                prop_assert_eq!(x.argsort(0, descending), expected.clone());
                let k = k.min(data.len());
                prop_assert_eq!(x.topk(k, 0, descending).1, expected.narrow(0, 0, k));
            }
        }

        #[test]
        fn sorting_agrees_with_the_standard_library(data in prop::collection::vec(-5_i64..5, 1..60), k in 0_usize..60) {
            let x = Tensor::from(&data[..]);
            for descending in [false, true] {
                let mut pairs: Vec<(usize, i64)> = data.iter().copied().enumerate().collect();
                pairs.sort_by_key(|&(_, value)| if descending { -value } else { value });
                let (values, indices) = x.sort(0, descending);
                prop_assert_eq!(values.to_vec(), pairs.iter().map(|pair| pair.1).collect::<Vec<_>>());
                prop_assert_eq!(indices.to_vec(), pairs.iter().map(|pair| pair.0 as i64).collect::<Vec<_>>());
                let k = k.min(data.len());
                let (top, places) = x.cast::<f64>().topk(k, 0, descending);
                prop_assert_eq!(top.cast::<i64>(), values.narrow(0, 0, k));
                prop_assert_eq!(places, indices.narrow(0, 0, k));
            }
        }
    }
}
