//! Recycling of large memory blocks: what a dropped tensor leaves is what the next one gets.
//!
//! ```
//! use wengert_autograd::tensor::{Tensor, memory};
//!
//! drop(Tensor::<f32>::zeros([256, 256]));
//! let before = memory::statistics();
//! let again = Tensor::<f32>::zeros([256, 256]); // no new memory is asked for
//! assert!(memory::statistics().hits > before.hits || before.held == 0);
//! memory::trim(); // what is not in use goes back to the allocator
//! # drop(again);
//! ```
//!
//! A training step frees and asks for the same sizes over and over. The system's allocator returns large freed
//! blocks to the kernel, and each of their pages then faults in anew: steps that hold tens of megabytes run five
//! to seven times faster when blocks are kept. They are kept here by size class (four to each power of two, so at
//! most a quarter of a block is slack), each class one list behind a lock that is held for a push or a pop. Lists
//! are shared by all threads, for thread-local ones strand the blocks that another thread frees, and there is
//! nothing to do when a thread ends. Blocks below 16 kB are left to the system's allocator, which is good at them, and
//! those up to 1 kB are kept by the thread that frees them.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::buffer;
use crate::blocks;

/// Blocks of at least this many bytes are recycled.
pub(super) const SMALLEST: usize = 1 << 14;

/// Classes: four for each power of two from `SMALLEST` up to the greatest addressable block.
const CLASSES: usize = 4 * (usize::BITS as usize - 14);

/// How many bytes may be held for reuse, unless [`set_limit`] says otherwise: 512 MiB.
const DEFAULT_LIMIT: usize = 512 << 20;

/// A block that nobody uses: the address of its data.
struct Idle(NonNull<u8>);

// SAFETY: an idle block is plain memory with a single owner, this value.
unsafe impl Send for Idle {}

static FREE: [Mutex<Vec<Idle>>; CLASSES] = [const { Mutex::new(Vec::new()) }; CLASSES];
static LIMIT: AtomicUsize = AtomicUsize::new(DEFAULT_LIMIT);
static HELD: AtomicUsize = AtomicUsize::new(0);
static LIVE: AtomicUsize = AtomicUsize::new(0);
static HITS: AtomicU64 = AtomicU64::new(0);
static MISSES: AtomicU64 = AtomicU64::new(0);
/// The class to be emptied next when room is needed, so that sizes no longer asked for do not stay for ever.
static EVICT: AtomicUsize = AtomicUsize::new(0);

/// What the pool of large blocks (16 kB and more) holds and has done since the program began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// Bytes in blocks that wait for reuse.
    pub held: usize,
    /// Bytes in blocks that tensors use now.
    pub live: usize,
    /// How often a block was reused.
    pub hits: u64,
    /// How often a block had to be asked of the system.
    pub misses: u64,
}

/// The pool's figures at this moment.
pub fn statistics() -> Statistics {
    Statistics {
        held: HELD.load(Relaxed),
        live: LIVE.load(Relaxed),
        hits: HITS.load(Relaxed),
        misses: MISSES.load(Relaxed),
    }
}

/// Gives all memory that waits for reuse back to the system; says how many bytes that were. Of the smallest blocks, which
/// each thread keeps for itself, only those of this thread.
pub fn trim() -> usize {
    (0..CLASSES).map(empty).sum::<usize>() + blocks::trim()
}

/// Sets how many bytes may wait for reuse (512 MiB at first) and gives back what exceeds that. 0 turns recycling
/// off. Returns the former limit.
pub fn set_limit(bytes: usize) -> usize {
    let former = LIMIT.swap(bytes, Relaxed);
    make_room();
    former
}

/// The class whose blocks have just room for `bytes`, and their size.
fn class(bytes: usize) -> (usize, usize) {
    debug_assert!(bytes >= SMALLEST && bytes <= isize::MAX as usize / 2);
    // Sizes in (2^e, 2^(e+1)] are rounded up to a multiple of 2^(e-2).
    let exponent = (bytes - 1).ilog2();
    let step = 1_usize << (exponent - 2);
    let quarters = bytes.div_ceil(step);
    (4 * (exponent as usize - 13) + quarters - 5, quarters * step)
}

fn list(class: usize) -> MutexGuard<'static, Vec<Idle>> {
    // Nothing can panic while a list is locked but `Vec::push` for want of memory, which leaves the list whole.
    FREE[class].lock().unwrap_or_else(PoisonError::into_inner)
}

/// A block with room for at least `bytes`, its contents arbitrary: a recycled one if there is any.
#[track_caller]
pub(super) fn take(bytes: usize) -> NonNull<u8> {
    let (class, capacity) = class(bytes);
    LIVE.fetch_add(capacity, Relaxed);
    let idle = list(class).pop();
    match idle {
        Some(Idle(data)) => {
            HELD.fetch_sub(capacity, Relaxed);
            HITS.fetch_add(1, Relaxed);
            data
        }
        None => {
            MISSES.fetch_add(1, Relaxed);
            buffer::allocate(capacity)
        }
    }
}

/// Keeps a block for reuse, or frees it when the limit leaves no room.
///
/// # Safety
/// The block came from [`take`], has this capacity, and nothing refers to it any more.
pub(super) unsafe fn put(data: NonNull<u8>, capacity: usize) {
    LIVE.fetch_sub(capacity, Relaxed);
    if capacity > LIMIT.load(Relaxed) {
        // SAFETY: by this function's contract the block is ours to free.
        unsafe { buffer::free(data) };
        return;
    }
    let (class, _) = class(capacity);
    let held = HELD.fetch_add(capacity, Relaxed) + capacity;
    list(class).push(Idle(data));
    if held > LIMIT.load(Relaxed) {
        make_room();
    }
}

/// Empties one class after the other until the limit is kept.
#[cold]
fn make_room() {
    for _ in 0..CLASSES {
        if HELD.load(Relaxed) <= LIMIT.load(Relaxed) {
            return;
        }
        empty(EVICT.fetch_add(1, Relaxed) % CLASSES);
    }
}

/// Frees the idle blocks of a class; says how many bytes that were.
fn empty(class: usize) -> usize {
    // Taken out first, so that the lock is not held while the system frees them.
    let blocks = std::mem::take(&mut *list(class));
    let mut bytes = 0;
    for Idle(data) in blocks {
        // SAFETY: an idle block has no user, and it left the list by the `take` above, so nobody finds it again.
        bytes += unsafe { buffer::free(data) };
    }
    HELD.fetch_sub(bytes, Relaxed);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Tensor;

    #[test]
    fn classes_are_tight_and_distinct() {
        let mut former = (0, 0);
        for bytes in (SMALLEST..1 << 18).step_by(64).chain([1 << 30, (1 << 40) + 1]) {
            let (index, capacity) = class(bytes);
            assert!(capacity >= bytes && capacity - bytes <= capacity / 4, "{bytes} got {capacity}");
            assert_eq!(class(capacity), (index, capacity), "a class holds blocks of its own capacity");
            assert!(index == former.0 && capacity == former.1 || index > former.0 || bytes == SMALLEST);
            former = (index, capacity);
        }
        assert!(class(isize::MAX as usize / 2).0 < CLASSES);
    }

    // One test, for the pool is the whole program's and other tests use it at the same time: only differences that
    // others cannot undo are asserted, with sizes that no other test uses.
    #[test]
    fn blocks_come_back_and_the_limit_is_kept() {
        let elements = 3_456_789;
        let first = Tensor::<u8>::full(elements, 1);
        let address = first.data_ptr();
        assert!(statistics().live >= elements);
        drop(first);
        let second = Tensor::<u8>::full(elements, 2);
        assert_eq!(second.data_ptr(), address, "the block was recycled");
        assert!(statistics().hits >= 1);

        let former = set_limit(0);
        drop(second);
        assert_eq!(list(class(elements).0).len(), 0, "with a limit of 0 nothing is kept");
        set_limit(former);

        drop(Tensor::<u8>::full(elements, 3));
        assert!(trim() >= elements);
        assert_eq!(list(class(elements).0).len(), 0);
    }

    #[test]
    fn threads_share_the_pool_and_may_end_at_any_time() {
        let threads: Vec<_> = (0..4)
            .map(|seed| {
                std::thread::spawn(move || {
                    let mut kept = Vec::new();
                    for round in 0..200_usize {
                        let len = 5_000 + 997 * ((round * 7 + seed) % 13);
                        let value = (round * 4 + seed) as i64;
                        kept.push((value, Tensor::<i64>::full(len, value)));
                        if kept.len() > 5 {
                            let (value, tensor) = kept.swap_remove(round % 5);
                            assert!(tensor.as_slice().unwrap().iter().all(|&x| x == value));
                        }
                    }
                    kept
                })
            })
            .collect();
        for thread in threads {
            for (value, tensor) in thread.join().unwrap() {
                assert!(tensor.as_slice().unwrap().iter().all(|&x| x == value));
            }
        }
    }
}
