//! Loaders: a data set in batches, epoch after epoch.
//!
//! ```
//! use wengert_datasets::Dataset;
//!
//! let set: Vec<i64> = (0..10).collect();
//! let loader = set.loader().batch_size(4).shuffle(7).prefetch(2);
//! for epoch in 0..3 {
//!     let sizes: Vec<usize> = loader.epoch(epoch).map(|batch| batch.len()).collect();
//!     assert_eq!(sizes, [4, 4, 2]);
//! }
//! for batch in &loader {
//!     // the same, with the epochs counted by the loader
//!     assert!(batch.iter().all(|x| x < 10));
//! }
//! ```
//!
//! What an epoch yields depends on the set, the sampler, the seeds and the epoch's number alone. Neither the number of
//! threads nor prefetching change it, and a [`Position`] is enough to go on in the middle of an epoch.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use wengert_autograd::tensor::Generator;

use crate::dataset::{BatchOf, Dataset};
use crate::prefetch::Prefetch;
use crate::sampler::{Sampler, Sequential, Shuffled, epoch_generator};

/// A place between two batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Position {
    /// The epoch, counted from 0.
    pub epoch: u64,
    /// The batch that comes next in it, counted from 0.
    pub batch: usize,
}

/// Makes a batch of the items at some indices; it is also told which batch it is.
type MakeBatch<B> = Arc<dyn Fn(&[usize], Position) -> B + Send + Sync>;

/// A data set in batches of type `B`; made by [`Dataset::loader`], refined by its builder methods.
pub struct DataLoader<D: Dataset, B = BatchOf<D>> {
    set: Arc<D>,
    sampler: Arc<dyn Sampler>,
    make: MakeBatch<B>,
    batch_size: usize,
    drop_last: bool,
    depth: usize,
    /// The position from which `&loader` goes on: its epoch, and its batch if it was told to.
    epoch: AtomicU64,
    batch: AtomicUsize,
}

impl<D: Dataset> DataLoader<D> {
    /// A loader that yields one item a batch, in order.
    pub fn new(set: D) -> DataLoader<D> {
        let set = Arc::new(set);
        let source = set.clone();
        DataLoader {
            sampler: Arc::new(Sequential::new(set.len())),
            make: Arc::new(move |indices, _| source.batch(indices)),
            set,
            batch_size: 1,
            drop_last: false,
            depth: 0,
            epoch: AtomicU64::new(0),
            batch: AtomicUsize::new(0),
        }
    }
}

impl<D: Dataset, B: Send + 'static> DataLoader<D, B> {
    /// How many items a batch has.
    ///
    /// # Panics
    /// If it is 0.
    #[track_caller]
    pub fn batch_size(mut self, size: usize) -> Self {
        assert!(size > 0, "batch_size: a batch needs at least one item");
        self.batch_size = size;
        self
    }

    /// Another random order each epoch, a function of this seed and of the epoch.
    pub fn shuffle(self, seed: u64) -> Self {
        let count = self.set.len();
        self.sampler(Shuffled::new(count, seed))
    }

    /// The items that a sampler chooses.
    pub fn sampler(mut self, sampler: impl Sampler + 'static) -> Self {
        self.sampler = Arc::new(sampler);
        self
    }

    /// Whether to leave out a last batch that is smaller than the others.
    pub fn drop_last(mut self, drop_last: bool) -> Self {
        self.drop_last = drop_last;
        self
    }

    /// How many batches are made ahead by rayon's threads while the loop works; with 0, the default, none: each batch is
    /// made when it is asked for. It never changes what is yielded.
    pub fn prefetch(mut self, batches: usize) -> Self {
        self.depth = batches;
        self
    }

    /// Passes each batch through a function, on the thread that made it: padding, one-hot labels, another type.
    ///
    /// ```
    /// use wengert_datasets::Dataset;
    ///
    /// let words = vec!["to".to_string(), "be".into(), "or".into()];
    /// let loader = words.loader().batch_size(2).map(|words| words.join(" "));
    /// assert!((&loader).into_iter().eq(["to be", "or"]));
    /// ```
    pub fn map<C: Send + 'static>(
        self,
        function: impl Fn(B) -> C + Send + Sync + 'static,
    ) -> DataLoader<D, C> {
        self.with_make(|make| Arc::new(move |indices, position| function(make(indices, position))))
    }

    /// Makes batches of items by a function of one's own instead of [`Collate`](crate::Collate).
    ///
    /// ```
    /// use wengert_datasets::Dataset;
    ///
    /// let sentences = vec![vec![1_i64, 2], vec![3]];
    /// let lengths = sentences.loader().batch_size(2).collate_with(|items| items.iter().map(Vec::len).collect::<Vec<_>>());
    /// assert!((&lengths).into_iter().eq([[2, 1]]));
    /// ```
    pub fn collate_with<C: Send + 'static>(
        self,
        collate: impl Fn(Vec<D::Item>) -> C + Send + Sync + 'static,
    ) -> DataLoader<D, C> {
        let set = self.set.clone();
        self.with_make(|_| {
            Arc::new(move |indices, _| collate(indices.iter().map(|&index| set.get(index)).collect()))
        })
    }

    /// As [`map`](Self::map), with random numbers that depend on the seed and on the batch's place: for augmentation.
    pub fn map_seeded<C: Send + 'static>(
        self,
        seed: u64,
        function: impl Fn(B, &mut Generator) -> C + Send + Sync + 'static,
    ) -> DataLoader<D, C> {
        self.with_make(|make| {
            Arc::new(move |indices, position| {
                let batches = epoch_generator(seed, position.epoch).seed();
                function(make(indices, position), &mut epoch_generator(batches, position.batch as u64))
            })
        })
    }

    fn with_make<C>(self, change: impl FnOnce(MakeBatch<B>) -> MakeBatch<C>) -> DataLoader<D, C> {
        let DataLoader { set, sampler, make, batch_size, drop_last, depth, epoch, batch } = self;
        DataLoader { set, sampler, make: change(make), batch_size, drop_last, depth, epoch, batch }
    }

    /// How many batches an epoch has.
    pub fn len(&self) -> usize {
        let items = self.sampler.len();
        if self.drop_last { items / self.batch_size } else { items.div_ceil(self.batch_size) }
    }

    /// Whether an epoch has no batch.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The set.
    pub fn dataset(&self) -> &D {
        &self.set
    }

    /// The batches of an epoch.
    ///
    /// # Panics
    /// If the sampler yields an index that the set does not have.
    #[track_caller]
    pub fn epoch(&self, epoch: u64) -> Batches<B> {
        self.resume(Position { epoch, batch: 0 })
    }

    /// The batches of an epoch from a position on; none if it lies behind the epoch's end.
    ///
    /// # Panics
    /// If the sampler yields an index that the set does not have.
    #[track_caller]
    pub fn resume(&self, position: Position) -> Batches<B> {
        let order = self.sampler.order(position.epoch);
        if let Some(index) = order.iter().find(|&&index| index >= self.set.len()) {
            panic!("DataLoader: the sampler yields index {index}, the set has {} items", self.set.len());
        }
        let batches = if self.drop_last {
            order.len() / self.batch_size
        } else {
            order.len().div_ceil(self.batch_size)
        };
        let first = position.batch.min(batches);
        let (make, size, epoch) = (self.make.clone(), self.batch_size, position.epoch);
        let nth = move |batch: usize| {
            let indices = &order[batch * size..order.len().min((batch + 1) * size)];
            make(indices, Position { epoch, batch })
        };
        let source = if self.depth == 0 {
            Source::Direct(Box::new(nth))
        } else {
            Source::Ahead(Prefetch::new(batches - first, self.depth, Arc::new(move |i| nth(first + i))))
        };
        Batches { epoch, remaining: first..batches, source }
    }

    /// The position from which iterating over `&loader` goes on.
    pub fn position(&self) -> Position {
        Position { epoch: self.epoch.load(Ordering::Relaxed), batch: self.batch.load(Ordering::Relaxed) }
    }

    /// Sets the position from which iterating over `&loader` goes on.
    pub fn seek(&self, position: Position) {
        self.epoch.store(position.epoch, Ordering::Relaxed);
        self.batch.store(position.batch, Ordering::Relaxed);
    }
}

/// Batches, epoch after epoch, from any place on: what a training loop reads. A [`DataLoader`] is one, and so is a list
/// of batches, for data that is small enough to be one batch.
pub trait Loader {
    /// One batch.
    type Batch;

    /// The batches of an epoch from a position on; the same ones whenever it is asked again.
    fn batches(&self, from: Position) -> Box<dyn Iterator<Item = Self::Batch> + '_>;

    /// How many batches an epoch has, if that is known before it is over.
    fn batches_per_epoch(&self) -> Option<usize>;
}

impl<D: Dataset, B: Send + 'static> Loader for DataLoader<D, B> {
    type Batch = B;

    fn batches(&self, from: Position) -> Box<dyn Iterator<Item = B> + '_> {
        Box::new(self.resume(from))
    }

    fn batches_per_epoch(&self) -> Option<usize> {
        Some(self.len())
    }
}

/// The same batches in every epoch.
impl<B: Clone> Loader for [B] {
    type Batch = B;

    fn batches(&self, from: Position) -> Box<dyn Iterator<Item = B> + '_> {
        Box::new(self.iter().skip(from.batch).cloned())
    }

    fn batches_per_epoch(&self) -> Option<usize> {
        Some(self.len())
    }
}

/// The same batches in every epoch.
impl<B: Clone> Loader for Vec<B> {
    type Batch = B;

    fn batches(&self, from: Position) -> Box<dyn Iterator<Item = B> + '_> {
        self.as_slice().batches(from)
    }

    fn batches_per_epoch(&self) -> Option<usize> {
        Some(self.len())
    }
}

/// The next epoch: the first loop over `&loader` is epoch 0, the second epoch 1, unless [`DataLoader::seek`] said
/// otherwise.
impl<D: Dataset, B: Send + 'static> IntoIterator for &DataLoader<D, B> {
    type Item = B;
    type IntoIter = Batches<B>;

    fn into_iter(self) -> Batches<B> {
        let epoch = self.epoch.fetch_add(1, Ordering::Relaxed);
        let batch = self.batch.swap(0, Ordering::Relaxed);
        self.resume(Position { epoch, batch })
    }
}

/// The first epoch.
impl<D: Dataset, B: Send + 'static> IntoIterator for DataLoader<D, B> {
    type Item = B;
    type IntoIter = Batches<B>;

    fn into_iter(self) -> Batches<B> {
        (&self).into_iter()
    }
}

impl<D: Dataset, B> std::fmt::Debug for DataLoader<D, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DataLoader")
            .field("items", &self.set.len())
            .field("sampled", &self.sampler.len())
            .field("batch_size", &self.batch_size)
            .field("drop_last", &self.drop_last)
            .field("prefetch", &self.depth)
            .finish_non_exhaustive()
    }
}

/// The batches of one epoch, from [`DataLoader::epoch`].
pub struct Batches<B> {
    epoch: u64,
    /// The numbers of the batches that are still to come.
    remaining: Range<usize>,
    source: Source<B>,
}

/// Where batches come from.
enum Source<B> {
    /// Made when asked for, by their number.
    Direct(Box<dyn Fn(usize) -> B + Send + Sync>),
    /// Made ahead.
    Ahead(Prefetch<B>),
}

impl<B> Batches<B> {
    /// The place of the batch that comes next: what [`DataLoader::resume`] goes on from.
    pub fn position(&self) -> Position {
        Position { epoch: self.epoch, batch: self.remaining.start }
    }
}

impl<B: Send + 'static> Iterator for Batches<B> {
    type Item = B;

    fn next(&mut self) -> Option<B> {
        let batch = self.remaining.next()?;
        match &mut self.source {
            Source::Direct(nth) => Some(nth(batch)),
            Source::Ahead(prefetch) => prefetch.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.remaining.size_hint()
    }
}

impl<B: Send + 'static> ExactSizeIterator for Batches<B> {}

impl<B> std::fmt::Debug for Batches<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batches").field("epoch", &self.epoch).field("remaining", &self.remaining).finish()
    }
}
