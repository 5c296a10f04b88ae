//! Random numbers that depend on a seed and a position alone: [`Generator`], and tensors drawn from it.
//!
//! ```
//! use rand::RngExt;
//! use wengert_autograd::tensor::{Generator, Tensor};
//!
//! let mut generator = Generator::new(7);
//! let weights = Tensor::<f32>::randn([3, 4], &mut generator);
//! let saved = generator.clone();
//! let noise = Tensor::<f64>::uniform([100], -1.0, 1.0, &mut generator);
//! assert!(noise.iter().all(|x| (-1.0..1.0).contains(&x)));
//! // From a saved state the same numbers follow; the traits of the `rand` crate work too.
//! assert_eq!(Tensor::uniform([100], -1.0, 1.0, &mut saved.clone()), noise);
//! let coin: bool = generator.random();
//! # let _ = (weights, coin);
//! ```
//!
//! The generator is Philox 4×32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC
//! 2011, section 3.3): a function that scrambles a key, the seed, and a counter into four words. There is no state but
//! the counter, so that a block of numbers can be computed anywhere, by any thread, in any order, and is the same;
//! and saving two numbers saves everything. It passes the usual batteries of tests; it is not for cryptography.

use std::convert::Infallible;

use rand::{SeedableRng, TryRng};
use serde::{Deserialize, Serialize};

use super::{DType, Dims, Element, Fresh, IntoShape, Tensor, TensorError};
use crate::scalar::{Float, float::compiled};

/// Four random words: the block with this number of the sequence that belongs to this seed.
#[inline]
pub fn philox(seed: u64, block: u64) -> [u32; 4] {
    const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
    const KEY_STEPS: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
    rounds(
        [block as u32, (block >> 32) as u32, 0, 0],
        [seed as u32, (seed >> 32) as u32],
        MULTIPLIERS,
        KEY_STEPS,
    )
}

#[inline(always)]
fn rounds(mut words: [u32; 4], mut key: [u32; 2], multipliers: [u32; 2], steps: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let first = u64::from(words[0]) * u64::from(multipliers[0]);
        let second = u64::from(words[2]) * u64::from(multipliers[1]);
        words = [
            (second >> 32) as u32 ^ words[1] ^ key[0],
            second as u32,
            (first >> 32) as u32 ^ words[3] ^ key[1],
            first as u32,
        ];
        key = [key[0].wrapping_add(steps[0]), key[1].wrapping_add(steps[1])];
    }
    words
}

/// A source of random numbers: a seed, and a counter of the words that were taken.
///
/// It implements the traits of the `rand` crate ([`rand::Rng`], [`rand::SeedableRng`]), hence all of that crate's
/// distributions and shuffles; and it can be cloned and stored, to go on later where it stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generator {
    seed: u64,
    counter: u64,
}

impl Generator {
    /// The generator that begins the sequence of this seed.
    pub const fn new(seed: u64) -> Generator {
        Generator { seed, counter: 0 }
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How many 32-bit words were taken (or skipped, to begin with a whole block).
    pub fn counter(&self) -> u64 {
        self.counter
    }

    /// A generator with a sequence of its own, for a part that shall not depend on how much others draw.
    pub fn split(&mut self) -> Generator {
        Generator::new(rand::Rng::next_u64(self))
    }

    /// Reserves a number of blocks of four words; their first number for [`philox`].
    ///
    /// What is drawn element by element in parallel takes its words from here: block `first + i` for elements that are
    /// known by their index alone, whatever thread computes them.
    #[inline]
    pub fn reserve(&mut self, blocks: u64) -> u64 {
        let first = self.counter.div_ceil(4);
        self.counter = first.wrapping_add(blocks).wrapping_mul(4);
        first
    }

    /// A whole number below `bound`, each (but for a bias below 2⁻⁶⁴ · bound) as likely.
    ///
    /// # Panics
    /// If `bound` is 0.
    #[inline]
    #[track_caller]
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "below: no number is below 0");
        // The high half of the product (Lemire 2019), without its rejections: each draw takes as many words.
        ((u128::from(rand::Rng::next_u64(self)) * u128::from(bound)) >> 64) as u64
    }

    /// Puts the items in random order, every one as likely (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }

    /// The numbers 0 to `count - 1` in random order.
    pub fn permutation(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        self.shuffle(&mut order);
        order
    }
}

impl TryRng for Generator {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let words = philox(self.seed, self.counter / 4);
        let word = words[(self.counter % 4) as usize];
        self.counter = self.counter.wrapping_add(1);
        Ok(word)
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        // From an even position, so that both words are of one block.
        let start = self.counter.next_multiple_of(2);
        let words = philox(self.seed, start / 4);
        self.counter = start.wrapping_add(2);
        Ok(double_word(words, (start % 4 / 2) as usize))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for part in bytes.chunks_mut(4) {
            let word = self.try_next_u32()?.to_le_bytes();
            part.copy_from_slice(&word[..part.len()]);
        }
        Ok(())
    }
}

impl SeedableRng for Generator {
    type Seed = [u8; 8];

    fn from_seed(seed: [u8; 8]) -> Generator {
        Generator::new(u64::from_le_bytes(seed))
    }

    fn seed_from_u64(seed: u64) -> Generator {
        Generator::new(seed)
    }
}

/// The first or second pair of words as one number.
#[inline(always)]
fn double_word(words: [u32; 4], pair: usize) -> u64 {
    u64::from(words[2 * pair]) | u64::from(words[2 * pair + 1]) << 32
}

/// The numbers in [0, 1) that a block of words gives: four of 24 bits for f32, two of 53 bits for f64.
#[inline(always)]
fn unit<T: Float>(words: [u32; 4], mut put: impl FnMut(T)) {
    match T::DTYPE {
        DType::F32 => {
            words.iter().for_each(|word| put(T::from_f64(f64::from(word >> 8) * (1.0 / (1 << 24) as f64))));
        }
        _ => [0, 1].iter().for_each(|&pair| {
            put(T::from_f64((double_word(words, pair) >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)));
        }),
    }
}

/// The standard normal numbers that a block of words gives: four for f32, two for f64. Computed in f64; the half keeps
/// the logarithm's argument above 0.
#[inline(always)]
fn normal<T: Float>(words: [u32; 4], mut put: impl FnMut(T)) {
    match T::DTYPE {
        DType::F32 => {
            for pair in [[words[0], words[1]], [words[2], words[3]]] {
                let uniform = pair.map(|word| (f64::from(word) + 0.5) * (1.0 / (1_u64 << 32) as f64));
                box_muller(uniform).iter().for_each(|&x| put(T::from_f64(x)));
            }
        }
        _ => {
            let scaled = |word: u64| ((word >> 12) as f64 + 0.5) * (1.0 / (1_u64 << 52) as f64);
            let uniform = [0, 1].map(|pair| scaled(double_word(words, pair)));
            box_muller(uniform).iter().for_each(|&x| put(T::from_f64(x)));
        }
    }
}

/// The greatest number below another.
fn next_below<T: Float>(x: T) -> T {
    T::from_f64(match T::DTYPE {
        DType::F32 => f64::from(x.into_f32().next_down()),
        _ => x.into_f64().next_down(),
    })
}

/// Two independent standard normal numbers from two uniform ones of (0, 1) (Box and Muller 1958).
#[inline(always)]
fn box_muller([first, second]: [f64; 2]) -> [f64; 2] {
    let radius = (-2.0 * first.ln()).sqrt();
    let (sine, cosine) = (std::f64::consts::TAU * second).sin_cos();
    [radius * cosine, radius * sine]
}

impl<T: Float> Tensor<T> {
    /// Independent standard normal numbers.
    ///
    /// # Panics
    /// If the shape is too large.
    #[track_caller]
    pub fn randn(shape: impl IntoShape, generator: &mut Generator) -> Tensor<T> {
        let shape = shape.into_shape();
        compiled!(draw_normal(shape: Dims, generator: &mut Generator) -> Tensor<T>)
    }

    /// Independent numbers, uniform between `low` (included) and `high` (excluded).
    ///
    /// # Panics
    /// If `low` is not below `high`, their difference is not finite, or the shape is too large.
    #[track_caller]
    pub fn uniform(shape: impl IntoShape, low: T, high: T, generator: &mut Generator) -> Tensor<T> {
        let shape = shape.into_shape();
        let range = high - low;
        if !(low < high && range.is_finite()) {
            let problem = format!("there is no range from {low} to {high}");
            TensorError::argument("uniform", &shape, problem).raise();
        }
        compiled!(draw_uniform(shape: Dims, low: T, high: T, generator: &mut Generator) -> Tensor<T>)
    }
}

#[track_caller]
fn draw_normal<T: Float>(shape: Dims, generator: &mut Generator) -> Tensor<T> {
    draw(shape, generator, |words, put| normal(words, put))
}

#[track_caller]
fn draw_uniform<T: Float>(shape: Dims, low: T, high: T, generator: &mut Generator) -> Tensor<T> {
    let (range, last) = (high - low, next_below(high));
    draw(shape, generator, |words, put| {
        unit(words, |unit: T| {
            // Rounding may reach `high`.
            let value = low + range * unit;
            put(if value < high { value } else { last });
        });
    })
}

impl Tensor<i64> {
    /// Independent whole numbers from `low` (included) to `high` (excluded), each as likely.
    ///
    /// ```
    /// use wengert_autograd::tensor::{Generator, Tensor};
    /// let dice = Tensor::randint([1000], 1, 7, &mut Generator::new(0));
    /// assert!(dice.iter().all(|x| (1..7).contains(&x)));
    /// ```
    ///
    /// # Panics
    /// If `low` is not below `high`, or the shape is too large.
    #[track_caller]
    pub fn randint(shape: impl IntoShape, low: i64, high: i64, generator: &mut Generator) -> Tensor<i64> {
        let shape = shape.into_shape();
        if low >= high {
            TensorError::argument(
                "randint",
                &shape,
                format!("there is no number from {low} to below {high}"),
            )
            .raise();
        }
        let range = high.wrapping_sub(low) as u64;
        draw(shape, generator, |words, put| {
            for pair in [0, 1] {
                let below = (u128::from(double_word(words, pair)) * u128::from(range)) >> 64;
                put(low.wrapping_add(below as i64));
            }
        })
    }
}

impl Tensor<bool> {
    /// Independent truth values, each `true` with this probability.
    ///
    /// # Panics
    /// If the probability lies outside 0 to 1, or the shape is too large.
    #[track_caller]
    pub fn bernoulli(shape: impl IntoShape, probability: f64, generator: &mut Generator) -> Tensor<bool> {
        let shape = shape.into_shape();
        if !(0.0..=1.0).contains(&probability) {
            TensorError::argument("bernoulli", &shape, format!("{probability} is no probability")).raise();
        }
        let threshold = (probability * (1_u64 << 32) as f64) as u64;
        draw(shape, generator, |words, put| words.iter().for_each(|&word| put(u64::from(word) < threshold)))
    }
}

/// The tensor whose elements are what `numbers` makes of block after block of words.
#[track_caller]
fn draw<E: Element>(
    shape: Dims,
    generator: &mut Generator,
    numbers: impl Fn([u32; 4], &mut dyn FnMut(E)),
) -> Tensor<E> {
    let mut fresh = Fresh::new(shape);
    let mut places = fresh.as_uninit_slice().iter_mut();
    let mut block = generator.reserve(0);
    while places.len() > 0 {
        numbers(philox(generator.seed, block), &mut |number| {
            if let Some(place) = places.next() {
                place.write(number);
            }
        });
        block = block.wrapping_add(1);
    }
    generator.counter = block.wrapping_mul(4);
    // SAFETY: the loop ended when no place was left.
    unsafe { fresh.assume_init() }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, RngExt, seq::SliceRandom};

    use super::*;

    #[test]
    fn philox_gives_the_published_numbers() {
        // The known answers of the authors' library, Random123: the counter's upper half is only used in the test.
        let full =
            |counter, key| rounds(counter, key, [0xD251_1F53, 0xCD9E_8D57], [0x9E37_79B9, 0xBB67_AE85]);
        assert_eq!(full([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(full([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            full([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
        assert_eq!(philox(0, 0), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
    }

    #[test]
    fn words_follow_one_another_without_repetition() {
        let mut generator = Generator::new(3);
        let words: Vec<u32> = (0..8).map(|_| generator.next_u32()).collect();
        assert_eq!(words, [philox(3, 0), philox(3, 1)].concat());
        generator.next_u32();
        assert_eq!(generator.next_u64(), double_word(philox(3, 2), 1));
        assert_eq!(generator.counter(), 12);
        let mut bytes = [0; 6];
        generator.fill_bytes(&mut bytes);
        assert_eq!(bytes[..4], philox(3, 3)[0].to_le_bytes());
        assert_ne!(generator.split(), generator.split());
        assert_eq!(Generator::seed_from_u64(9), Generator::new(9));
    }

    #[test]
    fn a_stored_generator_goes_on_where_it_stood() {
        let mut generator = Generator::new(1 << 60);
        Tensor::<f32>::randn([5], &mut generator);
        let text = serde_json::to_string(&generator).unwrap();
        let mut again: Generator = serde_json::from_str(&text).unwrap();
        assert_eq!(Tensor::<f64>::randn([9], &mut generator), Tensor::randn([9], &mut again));
        assert_eq!(generator, again);
    }

    #[test]
    fn a_prefix_does_not_depend_on_the_length() {
        let whole = Tensor::<f32>::randn([1001], &mut Generator::new(5));
        let part = Tensor::<f32>::randn([10], &mut Generator::new(5));
        assert_eq!(whole.narrow(0, 0, 10), part);
        let mut generator = Generator::new(5);
        let (first, second) =
            (Tensor::<f32>::randn([3], &mut generator), Tensor::<f32>::randn([3], &mut generator));
        assert_ne!(first, second);
        assert_eq!(second, whole.narrow(0, 4, 3), "each tensor begins with a whole block");
    }

    /// Mean, variance, skewness and kurtosis.
    fn moments(x: &[f64]) -> [f64; 4] {
        let count = x.len() as f64;
        let mean = x.iter().sum::<f64>() / count;
        let central = |power: i32| x.iter().map(|x| (x - mean).powi(power)).sum::<f64>() / count;
        let variance = central(2);
        [mean, variance, central(3) / variance.powf(1.5), central(4) / variance.powi(2)]
    }

    #[test]
    fn distributions_have_their_moments() {
        // Five standard errors of each estimate at 200 000 draws.
        let mut generator = Generator::new(11);
        for _ in 0..2 {
            let f32s = Tensor::<f32>::randn([200_000], &mut generator).cast::<f64>();
            let f64s = Tensor::<f64>::randn([200_000], &mut generator);
            for normal in [f32s, f64s] {
                let [mean, variance, skewness, kurtosis] = moments(&normal.to_vec());
                assert!(mean.abs() < 0.0112 && (variance - 1.0).abs() < 0.0159, "{mean} {variance}");
                assert!(skewness.abs() < 0.0274 && (kurtosis - 3.0).abs() < 0.0548, "{skewness} {kurtosis}");
            }
        }
        let uniform = Tensor::<f32>::uniform([200_000], -2.0, 4.0, &mut generator).cast::<f64>();
        let [mean, variance, ..] = moments(&uniform.to_vec());
        assert!((mean - 1.0).abs() < 0.0194 && (variance - 3.0).abs() < 0.0301, "{mean} {variance}");
        let dice = Tensor::randint([60_000], 1, 7, &mut generator).to_vec();
        for face in 1..7 {
            let count = dice.iter().filter(|&&x| x == face).count() as f64;
            assert!((count - 10_000.0).abs() < 5.0 * 91.3, "{face}: {count}");
        }
        let heads = Tensor::bernoulli([100_000], 0.3, &mut generator).iter().filter(|&x| x).count() as f64;
        assert!((heads - 30_000.0).abs() < 5.0 * 145.0, "{heads}");
        assert!(Tensor::bernoulli([100], 1.0, &mut generator).iter().all(|x| x));
    }

    #[test]
    fn shuffles_are_permutations_and_all_alike_likely() {
        let mut generator = Generator::new(2);
        let mut counts = std::collections::HashMap::new();
        for _ in 0..12_000 {
            *counts.entry(generator.permutation(4)).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 24);
        assert!(counts.values().all(|&count| (count - 500_i32).abs() < 110), "{counts:?}");
        let mut items: Vec<i32> = (0..100).collect();
        items.shuffle(&mut generator);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
        assert!((0..10).contains(&generator.random_range(0..10)));
    }

    #[test]
    fn ranges_are_half_open_to_the_last_bit() {
        let mut generator = Generator::new(4);
        let next = f32::from_bits(1.0_f32.to_bits() + 1);
        assert!(Tensor::<f32>::uniform([100], 1.0, next, &mut generator).iter().all(|x| x == 1.0));
        let all = Tensor::randint([100], i64::MIN, i64::MAX, &mut generator);
        assert!(all.iter().any(|x| x < 0) && all.iter().any(|x| x > 0));
        assert!(
            std::panic::catch_unwind(|| Tensor::<f32>::uniform([1], 2.0, 2.0, &mut Generator::new(0)))
                .is_err()
        );
        assert!(std::panic::catch_unwind(|| Tensor::randint([1], 3, 3, &mut Generator::new(0))).is_err());
        assert!(
            std::panic::catch_unwind(|| Tensor::bernoulli([1], f64::NAN, &mut Generator::new(0))).is_err()
        );
    }
}
