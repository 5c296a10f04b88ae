//! [`Shared`]: a value with several owners, in a small block of memory.
//!
//! What `Arc` is, without weak references, and with its memory from [`blocks`]: a graph's nodes come and go by the thousand.

use crate::{blocks, owners::Owners};
use std::{
    alloc::{Layout, handle_alloc_error},
    marker::PhantomData,
    ops::Deref,
    ptr::{NonNull, drop_in_place},
};

/// One of the owners of a value.
pub(crate) struct Shared<A> {
    block: NonNull<Block<A>>,
    owns: PhantomData<Block<A>>,
}

struct Block<A> {
    owners: Owners,
    value: A,
}

// SAFETY: owners are counted atomically and see the value shared, so it must be `Sync`; the last one drops it, on
// whatever thread, so it must be `Send`.
unsafe impl<A: Send + Sync> Send for Shared<A> {}
// SAFETY: as above.
unsafe impl<A: Send + Sync> Sync for Shared<A> {}

impl<A> Shared<A> {
    const SIZE: usize = {
        assert!(size_of::<Block<A>>() <= blocks::LARGEST && align_of::<Block<A>>() <= blocks::ALIGN);
        size_of::<Block<A>>()
    };

    #[inline]
    pub(crate) fn new(value: A) -> Self {
        let Some(block) = blocks::take(Self::SIZE) else { handle_alloc_error(Layout::new::<Block<A>>()) };
        let block = block.cast::<Block<A>>();
        // SAFETY: the block is new, large enough and aligned.
        unsafe { block.write(Block { owners: Owners::one(), value }) };
        Shared { block, owns: PhantomData }
    }

    #[inline]
    fn owners(&self) -> &Owners {
        // SAFETY: an owner keeps the block alive.
        unsafe { &(*self.block.as_ptr()).owners }
    }

    /// The value's identity as long as it lives.
    #[inline]
    pub(crate) fn address(&self) -> usize {
        self.block.as_ptr().addr()
    }

    /// Is this the only owner? What former owners did has then happened before.
    #[inline]
    pub(crate) fn is_sole(&self) -> bool {
        self.owners().is_sole()
    }

    /// The value for its only owner.
    #[inline]
    pub(crate) fn get_mut(&mut self) -> Option<&mut A> {
        // SAFETY: nobody else owns the value, and further owners could only be made from this one, which is borrowed.
        self.is_sole().then(|| unsafe { &mut (*self.block.as_ptr()).value })
    }
}

impl<A> Deref for Shared<A> {
    type Target = A;
    #[inline]
    fn deref(&self) -> &A {
        // SAFETY: an owner keeps the block alive, and its value is shared as long as it is borrowed from an owner.
        unsafe { &(*self.block.as_ptr()).value }
    }
}

impl<A> Clone for Shared<A> {
    #[inline]
    fn clone(&self) -> Self {
        self.owners().add();
        Shared { block: self.block, owns: PhantomData }
    }
}

impl<A> Drop for Shared<A> {
    #[inline]
    fn drop(&mut self) {
        if !self.owners().let_go() {
            return;
        }
        /// Gives the block back even when the value's own `Drop` panics.
        struct Put<A>(NonNull<Block<A>>);
        impl<A> Drop for Put<A> {
            fn drop(&mut self) {
                // SAFETY: from `take` with this size; its value has been dropped.
                unsafe { blocks::put(self.0.cast(), Shared::<A>::SIZE) }
            }
        }
        let block = Put(self.block);
        // SAFETY: no other owner exists, and the value is dropped once.
        unsafe { drop_in_place(&raw mut (*block.0.as_ptr()).value) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn the_last_owner_drops_the_value() {
        let witness = Arc::new(());
        let mut first = Shared::new((witness.clone(), 5));
        assert!(first.is_sole());
        first.get_mut().unwrap().1 = 6;
        let second = first.clone();
        assert!(first.get_mut().is_none() && !second.is_sole());
        assert_eq!((second.1, second.address()), (6, first.address()));
        drop(first);
        assert!(second.is_sole());
        drop(second);
        assert_eq!(Arc::strong_count(&witness), 1);
    }

    #[test]
    fn any_thread_may_be_the_last() {
        let witness = Arc::new(());
        for _ in 0..200 {
            let shared = Shared::new((witness.clone(), [1_u64; 20]));
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    let mine = shared.clone();
                    scope.spawn(move || assert_eq!(mine.clone().1.iter().sum::<u64>(), 20));
                }
                drop(shared);
            });
        }
        assert_eq!(Arc::strong_count(&witness), 1);
    }

    #[test]
    fn a_value_that_panics_while_it_is_dropped_leaks_nothing() {
        struct Panics(#[allow(dead_code, reason = "dropped with it")] Arc<()>);
        impl Drop for Panics {
            fn drop(&mut self) {
                panic!("dropped");
            }
        }
        let witness = Arc::new(());
        let shared = Shared::new(Panics(witness.clone()));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(shared))).is_err());
        assert_eq!(Arc::strong_count(&witness), 1);
    }
}
