//! Counting the owners of a block of memory: what tensors' buffers and the graph's nodes have in common.

use std::sync::atomic::{AtomicUsize, Ordering, fence};

/// How many owners a block has; at least one.
#[repr(transparent)]
pub(crate) struct Owners(AtomicUsize);

impl Owners {
    /// The count of a new block.
    #[inline]
    pub(crate) fn one() -> Owners {
        Owners(AtomicUsize::new(1))
    }

    /// Is there only one? Acquire: whatever former owners did with the block happened before the one writes to it.
    #[inline]
    pub(crate) fn is_sole(&self) -> bool {
        self.0.load(Ordering::Acquire) == 1
    }

    /// One more, made from one that exists, for which Relaxed suffices.
    #[inline]
    pub(crate) fn add(&self) {
        // Forgotten owners could make the count wrap, and the block would be freed while in use.
        if self.0.fetch_add(1, Ordering::Relaxed) > isize::MAX as usize {
            std::process::abort();
        }
    }

    /// One less; whether it was the last, to whom the block is left, with a count of one.
    ///
    /// The only owner, the common case, needs no atomic subtraction: it is the only way to a further one, and a plain load is
    /// some 5 ns cheaper.
    #[inline]
    pub(crate) fn let_go(&self) -> bool {
        if self.is_sole() {
            return true;
        }
        if self.0.fetch_sub(1, Ordering::Release) != 1 {
            return false;
        }
        fence(Ordering::Acquire);
        self.0.store(1, Ordering::Relaxed);
        true
    }
}
