//! Samplers: which items an epoch visits, and in which order.
//!
//! ```
//! use wengert_datasets::sampler::{Sampler, Shuffled};
//!
//! let sampler = Shuffled::new(5, 42);
//! assert_eq!(sampler.order(3), sampler.order(3));
//! assert_ne!(sampler.order(3), sampler.order(4));
//! ```
//!
//! An order is a function of the sampler and of the epoch's number, and of nothing that happened before: so a run that
//! is resumed in the middle of epoch 7 sees what the uninterrupted run saw, without replaying epochs 0 to 6.

use std::sync::Arc;

use wengert_autograd::tensor::{Generator, philox};

/// Chooses the items of each epoch.
pub trait Sampler: Send + Sync {
    /// How many items an epoch has.
    fn len(&self) -> usize;

    /// Whether an epoch has none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The indices of the items of an epoch, [`len`](Self::len) of them.
    fn order(&self, epoch: u64) -> Vec<usize>;
}

/// The generator of an epoch: neighbouring seeds and epochs have nothing to do with each other.
pub(crate) fn epoch_generator(seed: u64, epoch: u64) -> Generator {
    let [low, high, ..] = philox(seed, epoch);
    Generator::new(u64::from(low) | u64::from(high) << 32)
}

/// Every item once, in the order of the set.
#[derive(Clone, Debug)]
pub struct Sequential {
    count: usize,
}

impl Sequential {
    /// The items 0 to `count - 1`.
    pub fn new(count: usize) -> Sequential {
        Sequential { count }
    }
}

impl Sampler for Sequential {
    fn len(&self) -> usize {
        self.count
    }

    fn order(&self, _epoch: u64) -> Vec<usize> {
        (0..self.count).collect()
    }
}

/// Every item once, in another random order each epoch, all orders as likely (Fisher and Yates).
#[derive(Clone, Debug)]
pub struct Shuffled {
    indices: Arc<[usize]>,
    seed: u64,
}

impl Shuffled {
    /// The items 0 to `count - 1`.
    pub fn new(count: usize, seed: u64) -> Shuffled {
        Shuffled::of((0..count).collect::<Vec<_>>(), seed)
    }

    /// These items.
    pub fn of(indices: impl Into<Vec<usize>>, seed: u64) -> Shuffled {
        Shuffled { indices: indices.into().into(), seed }
    }
}

impl Sampler for Shuffled {
    fn len(&self) -> usize {
        self.indices.len()
    }

    fn order(&self, epoch: u64) -> Vec<usize> {
        let mut order = self.indices.to_vec();
        epoch_generator(self.seed, epoch).shuffle(&mut order);
        order
    }
}

/// Items drawn with a probability proportional to their weight: to see rare classes as often as frequent ones.
///
/// ```
/// use wengert_datasets::sampler::{Sampler, Weighted};
///
/// let order = Weighted::new(&[1.0, 0.0, 3.0], 1000, 7).order(0);
/// let twos = order.iter().filter(|&&index| index == 2).count();
/// assert!(!order.contains(&1) && (700..800).contains(&twos));
/// ```
#[derive(Clone, Debug)]
pub struct Weighted {
    /// The sum of the weights up to and with each item.
    cumulative: Arc<[f64]>,
    count: usize,
    seed: u64,
}

impl Weighted {
    /// `count` independent draws an epoch, with replacement.
    ///
    /// # Panics
    /// If a weight is negative or not finite, or none is positive.
    #[track_caller]
    pub fn new(weights: &[f64], count: usize, seed: u64) -> Weighted {
        let mut sum = 0.0;
        let mut cumulative = Vec::with_capacity(weights.len());
        for (index, &weight) in weights.iter().enumerate() {
            assert!(weight >= 0.0, "Weighted: weight {weight} of item {index} is not a number ≥ 0");
            sum += weight;
            cumulative.push(sum);
        }
        assert!(
            sum > 0.0 && sum.is_finite(),
            "Weighted: the weights of {} items add up to {sum}",
            weights.len()
        );
        Weighted { cumulative: cumulative.into(), count, seed }
    }

    /// Weights such that every class is drawn as often: each item weighs one over the size of its class.
    ///
    /// # Panics
    /// If there are no labels.
    #[track_caller]
    pub fn balanced(labels: &[i64], count: usize, seed: u64) -> Weighted {
        let mut sizes = std::collections::HashMap::new();
        labels.iter().for_each(|label| *sizes.entry(label).or_insert(0u64) += 1);
        let weights: Vec<f64> = labels.iter().map(|label| 1.0 / sizes[label] as f64).collect();
        Weighted::new(&weights, count, seed)
    }
}

impl Sampler for Weighted {
    fn len(&self) -> usize {
        self.count
    }

    fn order(&self, epoch: u64) -> Vec<usize> {
        let mut generator = epoch_generator(self.seed, epoch);
        let total = self.cumulative.last().expect("there is a positive weight");
        let draw = |_| {
            let point = generator.below(1 << 53) as f64 * (0.5f64).powi(53) * total;
            // The first item whose sum exceeds the point: items without weight are never it.
            self.cumulative.partition_point(|&sum| sum <= point).min(self.cumulative.len() - 1)
        };
        (0..self.count).map(draw).collect()
    }
}
