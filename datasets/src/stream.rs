//! Streams: data sets that are read from beginning to end.
//!
//! ```
//! use wengert_datasets::IterableDataset;
//!
//! /// The Fibonacci numbers below 100.
//! struct Fibonacci;
//!
//! impl IterableDataset for Fibonacci {
//!     type Item = i64;
//!     fn items(&self, _epoch: u64) -> Box<dyn Iterator<Item = i64> + Send> {
//!         let pairs = std::iter::successors(Some((1, 2)), |&(a, b)| Some((b, a + b)));
//!         Box::new(pairs.map(|(a, _)| a).take_while(|&a| a < 100))
//!     }
//! }
//!
//! let loader = Fibonacci.stream().batch_size(4).prefetch(2);
//! let batches: Vec<Vec<i64>> = loader.epoch(0).map(|batch| batch.to_vec()).collect();
//! assert_eq!(batches, [vec![1, 2, 3, 5], vec![8, 13, 21, 34], vec![55, 89]]);
//! ```
//!
//! For what has no index: the lines of a file that does not fit into memory, games that a program plays against itself.
//! As with a [`DataLoader`](crate::DataLoader) an epoch depends on its number alone, and neither prefetching nor the
//! number of threads changes what it yields. To go on in its middle means to read what comes before once more.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wengert_autograd::tensor::Generator;

use crate::dataset::Collate;
use crate::loader::{Loader, Position};
use crate::sampler::epoch_generator;

/// Items in an order of their own; see the [module documentation](self).
pub trait IterableDataset: Send + Sync + 'static {
    /// One item.
    type Item: Collate + Send;

    /// The items of an epoch; the same ones whenever it is asked for again.
    fn items(&self, epoch: u64) -> Box<dyn Iterator<Item = Self::Item> + Send>;

    /// A loader: one item a batch, until it is told otherwise.
    fn stream(self) -> StreamLoader<Self>
    where
        Self: Sized,
    {
        StreamLoader { set: Arc::new(self), batch_size: 1, drop_last: false, depth: 0, shuffle: None }
    }
}

/// A stream in batches; made by [`IterableDataset::stream`], refined by its builder methods.
#[derive(Debug)]
pub struct StreamLoader<D> {
    set: Arc<D>,
    batch_size: usize,
    drop_last: bool,
    depth: usize,
    /// The buffer's size and the seed.
    shuffle: Option<(usize, u64)>,
}

impl<D: IterableDataset> StreamLoader<D> {
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

    /// Whether to leave out a last batch that is smaller than the others.
    pub fn drop_last(mut self, drop_last: bool) -> Self {
        self.drop_last = drop_last;
        self
    }

    /// How many batches are made ahead by rayon's threads while the loop works; with 0, the default, none. It never
    /// changes what is yielded.
    pub fn prefetch(mut self, batches: usize) -> Self {
        self.depth = batches;
        self
    }

    /// Mixes the items: each is drawn from the next `buffer` ones, in another way each epoch. The larger the buffer, the
    /// better the mixture.
    ///
    /// # Panics
    /// If the buffer is of size 0.
    #[track_caller]
    pub fn shuffle(mut self, buffer: usize, seed: u64) -> Self {
        assert!(buffer > 0, "shuffle: a buffer for no items");
        self.shuffle = Some((buffer, seed));
        self
    }

    /// The batches of an epoch.
    pub fn epoch(&self, epoch: u64) -> StreamBatches<D::Item> {
        self.resume(Position { epoch, batch: 0 })
    }

    /// The batches of an epoch from a position on.
    pub fn resume(&self, position: Position) -> StreamBatches<D::Item> {
        let mut items = self.set.items(position.epoch);
        if let Some((buffer, seed)) = self.shuffle {
            let generator = epoch_generator(seed, position.epoch);
            items = Box::new(Mixed {
                items,
                buffer: Vec::with_capacity(buffer.min(1 << 16)),
                size: buffer,
                generator,
            });
        }
        // What comes before is read and dropped, not collated.
        let before = position.batch.saturating_mul(self.batch_size);
        let source = Source { items, before, size: self.batch_size, drop_last: self.drop_last };
        let shared = Arc::new(Shared { source: Mutex::new(source), ready: Mutex::new(VecDeque::new()) });
        let batches = StreamBatches { shared, depth: self.depth };
        batches.produce_ahead();
        batches
    }
}

impl<D: IterableDataset> Loader for StreamLoader<D> {
    type Batch = <D::Item as Collate>::Batch;

    fn batches(&self, from: Position) -> Box<dyn Iterator<Item = Self::Batch> + '_> {
        Box::new(self.resume(from))
    }

    fn batches_per_epoch(&self) -> Option<usize> {
        None
    }
}

/// The batches of one epoch, from [`StreamLoader::epoch`].
pub struct StreamBatches<I: Collate> {
    shared: Arc<Shared<I>>,
    depth: usize,
}

/// A batch, the end, or what making it panicked with.
type Outcome<B> = Result<Option<B>, Box<dyn Any + Send>>;

struct Shared<I: Collate> {
    source: Mutex<Source<I>>,
    /// In order.
    ready: Mutex<VecDeque<Outcome<I::Batch>>>,
}

struct Source<I> {
    items: Box<dyn Iterator<Item = I> + Send>,
    before: usize,
    size: usize,
    drop_last: bool,
}

impl<I: Collate> Source<I> {
    fn next(&mut self) -> Option<I::Batch> {
        for _ in 0..std::mem::take(&mut self.before) {
            self.items.next()?;
        }
        let items: Vec<I> = self.items.by_ref().take(self.size).collect();
        let enough = if self.drop_last { items.len() == self.size } else { !items.is_empty() };
        enough.then(|| I::collate(items))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<I: Collate> Shared<I> {
    /// Makes the next batch and puts it at the end of the queue. Whoever holds the source is the only one who does, which
    /// is what keeps the order.
    fn produce(&self, source: &mut Source<I>) {
        let outcome = catch_unwind(AssertUnwindSafe(|| source.next()));
        lock(&self.ready).push_back(outcome);
    }
}

impl<I: Collate + Send + 'static> StreamBatches<I> {
    /// Lets a thread of the pool fill the queue, if none is at it.
    fn produce_ahead(&self) {
        if self.depth == 0 {
            return;
        }
        let (shared, depth) = (self.shared.clone(), self.depth);
        rayon::spawn(move || {
            // Where another one holds the source, that one fills the queue.
            let Ok(mut source) = shared.source.try_lock() else { return };
            let wanted = || {
                let ready = lock(&shared.ready);
                let ended = ready.back().is_some_and(|outcome| !matches!(outcome, Ok(Some(_))));
                // One owner left: nobody reads it any more.
                ready.len() < depth && !ended && Arc::strong_count(&shared) > 1
            };
            while wanted() {
                shared.produce(&mut source);
            }
        });
    }
}

impl<I: Collate + Send + 'static> Iterator for StreamBatches<I> {
    type Item = I::Batch;

    fn next(&mut self) -> Option<I::Batch> {
        let ready = |shared: &Shared<I>| lock(&shared.ready).pop_front();
        let outcome = ready(&self.shared).unwrap_or_else(|| {
            // Waits for whoever is at it, or does it itself: waiting for a thread that has not begun would be waiting for
            // oneself where this is the pool's only one.
            let mut source = lock(&self.shared.source);
            ready(&self.shared).unwrap_or_else(|| catch_unwind(AssertUnwindSafe(|| source.next())))
        });
        match outcome {
            Ok(Some(batch)) => {
                self.produce_ahead();
                Some(batch)
            }
            Ok(None) => None,
            Err(panic) => resume_unwind(panic),
        }
    }
}

impl<I: Collate> std::fmt::Debug for StreamBatches<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamBatches").field("prefetch", &self.depth).finish_non_exhaustive()
    }
}

/// Items drawn at random from those that come next.
struct Mixed<I> {
    items: Box<dyn Iterator<Item = I> + Send>,
    buffer: Vec<I>,
    size: usize,
    generator: Generator,
}

impl<I> Iterator for Mixed<I> {
    type Item = I;

    fn next(&mut self) -> Option<I> {
        while self.buffer.len() < self.size {
            let Some(item) = self.items.next() else { break };
            self.buffer.push(item);
        }
        if self.buffer.is_empty() {
            return None;
        }
        let drawn = self.generator.below(self.buffer.len() as u64) as usize;
        Some(self.buffer.swap_remove(drawn))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers below a bound, some of which take longer than others.
    struct Numbers(i64);

    impl IterableDataset for Numbers {
        type Item = i64;
        fn items(&self, epoch: u64) -> Box<dyn Iterator<Item = i64> + Send> {
            let slow = |i: i64| std::thread::sleep(std::time::Duration::from_micros((i * 7919 % 13) as u64));
            Box::new((0..self.0).inspect(move |&i| slow(i)).map(move |i| i + 1000 * epoch as i64))
        }
    }

    fn all(batches: StreamBatches<i64>) -> Vec<Vec<i64>> {
        batches.map(|batch| batch.to_vec()).collect()
    }

    #[test]
    fn prefetching_changes_nothing() {
        let loader = |depth| Numbers(101).stream().batch_size(10).shuffle(17, 3).prefetch(depth);
        let expected = all(loader(0).epoch(1));
        let mut sorted: Vec<i64> = expected.concat();
        assert_ne!(sorted, (1000..1101).collect::<Vec<_>>());
        sorted.sort_unstable();
        assert_eq!(sorted, (1000..1101).collect::<Vec<_>>());
        for depth in [1, 3, 100] {
            assert_eq!(all(loader(depth).epoch(1)), expected, "prefetch {depth}");
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
        assert_eq!(pool.install(|| all(loader(3).epoch(1))), expected);
        assert_ne!(all(loader(2).epoch(0)), all(loader(2).epoch(1)));
    }

    #[test]
    fn going_on_in_the_middle() {
        let loader = Numbers(35).stream().batch_size(4).shuffle(9, 1).prefetch(2).drop_last(true);
        let whole = all(loader.epoch(2));
        assert_eq!(whole.len(), 8);
        for batch in 0..=8 {
            assert_eq!(all(loader.resume(Position { epoch: 2, batch })), whole[batch..]);
        }
        assert!(all(loader.resume(Position { epoch: 2, batch: 99 })).is_empty());
    }

    #[test]
    fn a_panic_arrives_in_its_place() {
        struct Broken;
        impl IterableDataset for Broken {
            type Item = i64;
            fn items(&self, _: u64) -> Box<dyn Iterator<Item = i64> + Send> {
                Box::new((0..9).inspect(|&i| assert_ne!(i, 5, "the sixth")))
            }
        }
        let mut batches = Broken.stream().batch_size(2).prefetch(4).epoch(0);
        assert!(batches.next().is_some() && batches.next().is_some());
        let panic = catch_unwind(AssertUnwindSafe(|| batches.next())).expect_err("the third batch panics");
        assert!(panic.downcast_ref::<String>().is_some_and(|text| text.contains("the sixth")));
    }
}
