//! Synthetic data: the same numbers in every framework, because they are computed from a seed by counting.

use wengert::{Tensor, tensor::IntoShape};

/// Word `i` is the output of splitmix64 (Steele, Lea and Flood 2014) for the state seed·2⁴⁰ + i.
fn splitmix(seed: u64, i: u64) -> u64 {
    const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut z = ((seed << 40).wrapping_add(i)).wrapping_mul(GAMMA).wrapping_add(GAMMA);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn tensor<E: wengert::tensor::Element>(
    shape: impl IntoShape,
    seed: u64,
    number: impl Fn(u64) -> E,
) -> Tensor<E> {
    let shape = shape.into_shape();
    let count = shape.iter().product::<usize>() as u64;
    Tensor::from_vec((0..count).map(|i| number(splitmix(seed, i))).collect(), shape)
        .expect("as many as places")
}

/// 24 random bits as a number in [0, 1).
fn unit(word: u64) -> f32 {
    (word >> 40) as f32 / (1 << 24) as f32
}

/// Numbers in [0, 1).
pub(crate) fn uniform(seed: u64, shape: impl IntoShape) -> Tensor {
    tensor(shape, seed, unit)
}

/// Numbers in [-1, 1).
pub(crate) fn symmetric(seed: u64, shape: impl IntoShape) -> Tensor {
    tensor(shape, seed, |word| unit(word) * 2.0 - 1.0)
}

/// Whole numbers in [0, high).
pub(crate) fn integers(seed: u64, high: u64, shape: impl IntoShape) -> Tensor<i64> {
    tensor(shape, seed, |word| ((word >> 33) % high) as i64)
}
