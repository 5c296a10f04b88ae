//! Strategies for property tests with `proptest`: shapes, operands that broadcast, tensors away from kinks.
//!
//! ```
//! use proptest::prelude::*;
//! use wengert_autograd::{Variable, check::{gradcheck, strategies}};
//!
//! proptest!(|(x in strategies::tensor_away_from(0.0, 0..=3, 4))| {
//!     let report = gradcheck(|x| x[0].abs(), &[x])?;
//!     prop_assert!(report.passed(), "{report}");
//! });
//! ```
//!
//! Shapes shrink towards few axes and small sizes.

use super::{
    distributions::{Input, away_from, normal},
    random::Numbers,
};
use crate::tensor::{Dims, Tensor};
use proptest::{collection::vec, prelude::*};
use std::ops::RangeInclusive;

/// Shapes with so many axes, each of at most `largest`; sizes of 1 and 0 occur.
pub fn shapes(rank: RangeInclusive<usize>, largest: usize) -> impl Strategy<Value = Vec<usize>> {
    // A zero now and then: enough of them to be met, few enough that most tensors have elements.
    let size = prop_oneof![8 => 1..=largest.max(1), 1 => Just(1), 1 => Just(0)];
    vec(size, rank)
}

/// Two shapes that broadcast against each other: sizes of 1 in either, and axes that only one has.
pub fn broadcastable_shapes(
    rank: RangeInclusive<usize>,
    largest: usize,
) -> impl Strategy<Value = (Vec<usize>, Vec<usize>)> {
    shapes(rank, largest).prop_flat_map(|shape| {
        let narrow = |shape: Vec<usize>| {
            let axes = shape.len();
            (vec(prop::bool::weighted(0.3), axes), 0..=axes).prop_map(move |(ones, dropped)| {
                let narrowed = shape.iter().zip(&ones).map(|(&size, &one)| if one { 1 } else { size });
                narrowed.skip(dropped).collect::<Vec<usize>>()
            })
        };
        // Only one side may lose axes, or the common shape would be another.
        let other =
            (vec(prop::bool::weighted(0.3), shape.len()), Just(shape.clone())).prop_map(|(ones, shape)| {
                shape.into_iter().zip(ones).map(|(size, one)| if one { 1 } else { size }).collect()
            });
        (other, narrow(shape))
    })
}

/// Tensors of normal values.
pub fn tensor(rank: RangeInclusive<usize>, largest: usize) -> impl Strategy<Value = Tensor<f64>> {
    filled(shapes(rank, largest), normal)
}

/// Tensors whose elements keep their distance from a kink, so that differences are good.
pub fn tensor_away_from(
    kink: f64,
    rank: RangeInclusive<usize>,
    largest: usize,
) -> impl Strategy<Value = Tensor<f64>> {
    filled(shapes(rank, largest), move |shape| away_from(kink, shape))
}

/// Two tensors that broadcast against each other.
pub fn broadcastable_pair(
    rank: RangeInclusive<usize>,
    largest: usize,
) -> impl Strategy<Value = (Tensor<f64>, Tensor<f64>)> {
    (broadcastable_shapes(rank, largest), any::<u64>())
        .prop_map(|((a, b), seed)| (normal(a).draw(seed), normal(b).draw(!seed)))
}

/// The same values with another layout in memory: as they are, transposed, every second element of a row, or the middle of
/// a larger block, with NaN around.
pub fn laid_out(x: Tensor<f64>) -> impl Strategy<Value = Tensor<f64>> {
    (0..4_u8).prop_map(move |layout| match layout {
        1 if x.rank() >= 2 => x.transpose(-1, -2).packed().transpose(-1, -2),
        2 if x.rank() >= 1 => {
            let (last, size) = (x.rank() - 1, x.shape()[x.rank() - 1]);
            let pairs = Tensor::stack(&[x.clone(), x.full_like(f64::NAN)], -1);
            pairs.reshape(x.dims().with(last, 2 * size)).slice_axis(-1, 0, 2 * size as isize, 2)
        }
        3 if x.rank() >= 1 => {
            let edge = Tensor::full(x.dims().with(0, 1), f64::NAN);
            Tensor::cat(&[edge.clone(), x.clone(), edge], 0).narrow(0, 1, x.shape()[0])
        }
        _ => x.clone(),
    })
}

fn filled(
    shapes: impl Strategy<Value = Vec<usize>>,
    input: impl Fn(Dims) -> Input,
) -> impl Strategy<Value = Tensor<f64>> {
    (shapes, any::<u64>())
        .prop_map(move |(shape, seed)| input(Dims::new(&shape)).draw(Numbers::new(seed).bits()))
}
