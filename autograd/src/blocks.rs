//! Small blocks of memory: each thread keeps those it frees for the next it needs.
//!
//! An operation on a few numbers needs two, one for its node and one for its result. The system's allocator is quick as long
//! as blocks come back one by one; a training step frees a whole graph at once, thousands of blocks, which it then joins
//! and splits again for the next step: half of the time that such an operation takes. Here a block goes into a list of its
//! size, whose links stand in the idle blocks themselves, so that taking one is two moves. What a thread keeps is bounded,
//! and goes back to the system when the thread ends.

use std::{
    alloc::{Layout, alloc, dealloc},
    cell::Cell,
    ptr::{NonNull, null_mut},
};

/// What sizes are rounded up to: a cache line.
const UNIT: usize = 64;
/// Blocks of up to this many bytes are kept.
pub(crate) const LARGEST: usize = 1024;
/// What all blocks are aligned to.
pub(crate) const ALIGN: usize = 16;
/// The bytes that a thread keeps at most.
const LIMIT: usize = 16 << 20;

/// An idle block: where the next of its size is.
struct Idle {
    next: *mut Idle,
}

/// The idle blocks of a thread, by size.
struct Kept {
    lists: [Cell<*mut Idle>; LARGEST / UNIT],
    bytes: Cell<usize>,
}

thread_local! {
    static KEPT: Kept = const { Kept { lists: [const { Cell::new(null_mut()) }; LARGEST / UNIT], bytes: Cell::new(0) } };
}

/// The list for blocks of `size` bytes, and what they have in truth.
#[inline]
fn class(size: usize) -> (usize, Layout) {
    let rounded = size.next_multiple_of(UNIT);
    // SAFETY: at most 1 kB, and 16 is a power of two.
    (rounded / UNIT - 1, unsafe { Layout::from_size_align_unchecked(rounded, ALIGN) })
}

/// A block of at least `size` bytes, between 1 and [`LARGEST`], at a multiple of [`ALIGN`]; nothing if the system has none.
#[inline]
pub(crate) fn take(size: usize) -> Option<NonNull<u8>> {
    debug_assert!((1..=LARGEST).contains(&size));
    let (list, layout) = class(size);
    // A thread that is ending has no lists any more.
    let idle = KEPT.try_with(|kept| {
        let first = kept.lists[list].get();
        if !first.is_null() {
            // SAFETY: what is in a list is idle, with its link written by `put`.
            kept.lists[list].set(unsafe { (*first).next });
            kept.bytes.set(kept.bytes.get() - layout.size());
        }
        first
    });
    match idle {
        Ok(first) if !first.is_null() => NonNull::new(first.cast()),
        // SAFETY: the size is not zero.
        _ => NonNull::new(unsafe { alloc(layout) }),
    }
}

/// Keeps a block for the next that is wanted, or gives it back to the system.
///
/// # Safety
/// The block came from [`take`] with this size, on any thread, and nothing uses it any more.
#[inline]
pub(crate) unsafe fn put(block: NonNull<u8>, size: usize) {
    let (list, layout) = class(size);
    let kept = !cfg!(fuzzing) // an address sanitizer sees only what is truly freed
        && KEPT.try_with(|kept| {
            let bytes = kept.bytes.get() + layout.size();
            if bytes > LIMIT {
                return false;
            }
            kept.bytes.set(bytes);
            let idle = block.cast::<Idle>().as_ptr();
            // SAFETY: the block is ours, large enough for a link and aligned for it.
            unsafe { idle.write(Idle { next: kept.lists[list].get() }) };
            kept.lists[list].set(idle);
            true
        }) == Ok(true);
    if !kept {
        // SAFETY: `take` got it from the system with this layout.
        unsafe { dealloc(block.as_ptr(), layout) };
    }
}

/// Gives all blocks that this thread keeps back to the system; says how many bytes that were.
pub(crate) fn trim() -> usize {
    KEPT.try_with(Kept::free).unwrap_or(0)
}

impl Kept {
    fn free(&self) -> usize {
        for (list, first) in self.lists.iter().enumerate() {
            let (_, layout) = class((list + 1) * UNIT);
            let mut first = first.replace(null_mut());
            while !first.is_null() {
                // SAFETY: as in `take`; the link is read before the block is given away, by the layout it was made with.
                unsafe {
                    let next = (*first).next;
                    dealloc(first.cast(), layout);
                    first = next;
                }
            }
        }
        self.bytes.replace(0)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.free();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_block_is_the_next_of_its_size() {
        for size in [1, 16, 63, 64, 65, 500, LARGEST] {
            let block = take(size).unwrap();
            assert_eq!(block.as_ptr().addr() % ALIGN, 0);
            // SAFETY: the block has `size` bytes and is ours, until it is put away; then nothing uses it.
            unsafe {
                block.write_bytes(7, size);
                put(block, size);
            }
            let again = take(size).unwrap();
            assert!(cfg!(fuzzing) || again == block, "{size}");
            // SAFETY: as above.
            unsafe { put(again, size) };
        }
        assert!(cfg!(fuzzing) || trim() >= 64);
        assert_eq!(trim(), 0);
    }

    #[test]
    fn what_a_thread_keeps_is_bounded_and_ends_with_it() {
        std::thread::spawn(|| {
            let blocks: Vec<_> = (0..LIMIT / LARGEST + 100).map(|_| take(LARGEST).unwrap()).collect();
            // Freed by another thread than the one that took them.
            let addresses: Vec<usize> =
                blocks.into_iter().map(|block| block.as_ptr().expose_provenance()).collect();
            std::thread::spawn(move || {
                for address in addresses {
                    let block = std::ptr::with_exposed_provenance_mut(address);
                    // SAFETY: taken above with this size, and not used since.
                    unsafe { put(NonNull::new(block).unwrap(), LARGEST) };
                }
                assert_eq!(KEPT.with(|kept| kept.bytes.get()), if cfg!(fuzzing) { 0 } else { LIMIT });
            })
            .join()
            .unwrap();
        })
        .join()
        .unwrap();
    }
}
