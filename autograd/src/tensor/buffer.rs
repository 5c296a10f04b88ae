//! The storage behind tensors: one block of memory, counted references, contents uninitialised until written.
//!
//! A block is a single allocation, its header directly before the data:
//!
//! ```text
//! | padding | shape, strides | references, capacity | data …
//!           '-- 144 bytes --------------------------'-- 16-byte boundary; from 1 kB up a 64-byte boundary
//! ```
//!
//! A [`Buffer`] is one pointer to the data, from which the header is found at a fixed distance, so that reading an
//! element takes one indirection and cloning a tensor one atomic increment. The 64-byte boundary is a cache line
//! and a whole AVX-512 register: an addition in the first-level cache runs at 26 instead of 17 elements a
//! nanosecond. It is made by padding a plain allocation, for aligned ones cost 10 to 40 ns more. Blocks up to 1 kB
//! come from the thread's own lists ([`crate::blocks`]), those from 16 kB up are recycled (see [`super::recycle`]); nothing is ever zeroed here, since a kernel that overwrites what was
//! zeroed pays for the block twice.

use std::alloc::{Layout, alloc, dealloc};
use std::marker::PhantomData;
use std::ptr::NonNull;

use super::{Dims, recycle};
use crate::{blocks, owners::Owners};

/// Stands directly before a block's data.
#[repr(C, align(16))]
struct Header {
    /// The shape that the block was made for, and its row-major strides.
    shape: Dims,
    strides: Dims,
    references: Owners,
    /// Bytes of data, a multiple of 16, plus (in the low four bits, hence) the distance from the allocation's
    /// start to the data in units of 16 bytes: 9 to 12.
    span: usize,
}

const HEADER: usize = size_of::<Header>();
/// What sizes and distances are multiples of.
const UNIT: usize = align_of::<Header>();
const LINE: usize = 64;
/// From this many bytes up, data begin at a cache line.
const ALIGNED_FROM: usize = 1024;

const _: () = assert!(HEADER == 144 && UNIT == blocks::ALIGN);

/// The layout of the whole allocation for data of `capacity` bytes (a multiple of 16).
#[inline]
fn layout(capacity: usize) -> Layout {
    let padding = if capacity >= ALIGNED_FROM { LINE - UNIT } else { 0 };
    match Layout::from_size_align(HEADER + padding + capacity, UNIT) {
        Ok(layout) => layout,
        Err(_) => panic!("a block of {capacity} bytes is more than can be addressed"),
    }
}

/// A new block for at least `bytes` bytes of data, with one reference: the address of the data. Its shape is not yet
/// written.
///
/// # Panics
/// If the system has no memory left, even after all that waits for reuse was given back.
#[inline]
#[track_caller]
pub(super) fn allocate(bytes: usize) -> NonNull<u8> {
    let capacity = bytes.next_multiple_of(UNIT);
    let layout = layout(capacity);
    let take = || match layout.size() {
        small if small <= blocks::LARGEST => blocks::take(small),
        // SAFETY: the layout includes the header, so its size is not zero.
        _ => NonNull::new(unsafe { alloc(layout) }),
    };
    let base = take().or_else(|| {
        recycle::trim();
        take()
    });
    let Some(base) = base else { panic!("no memory left for a tensor of {bytes} bytes") };
    let base = base.as_ptr();
    let lead = if capacity >= ALIGNED_FROM {
        (base as usize + HEADER).next_multiple_of(LINE) - base as usize
    } else {
        HEADER
    };
    // SAFETY: `lead` is 144, or at most 144 + 48 where the layout has 48 bytes of padding; so header and data lie within
    // the allocation, the header at a multiple of 16, as `base` and `lead` are multiples of 16.
    unsafe {
        let data = base.add(lead);
        let header = data.sub(HEADER).cast::<Header>();
        (&raw mut (*header).references).write(Owners::one());
        (&raw mut (*header).span).write(capacity | (lead / UNIT));
        NonNull::new_unchecked(data)
    }
}

/// Gives a block back to the system; says how many bytes of data it had.
///
/// # Safety
/// `data` came from [`allocate`], and nothing uses the block afterwards.
#[inline]
pub(super) unsafe fn free(data: NonNull<u8>) -> usize {
    // SAFETY: by contract the block is live, so its header is readable; `span` tells where the allocation began and
    // how long it is.
    unsafe {
        let header = data.as_ptr().sub(HEADER).cast::<Header>();
        let span = (&raw const (*header).span).read();
        let (capacity, lead) = (span & !15, (span & 15) * UNIT);
        let (base, layout) = (data.sub(lead), layout(capacity));
        match layout.size() {
            small if small <= blocks::LARGEST => blocks::put(base, small),
            _ => dealloc(base.as_ptr(), layout),
        }
        capacity
    }
}

/// A counted reference to a block of elements, all of which may be uninitialised: which of them have been written
/// is known to the tensors that refer to it.
pub(crate) struct Buffer<E> {
    data: NonNull<E>,
    owns: PhantomData<E>,
}

// SAFETY: references are counted atomically, and shared data are only read; what one thread wrote before handing its
// reference over is ordered by the hand-over or by the release/acquire pair in `drop` and `is_unique`.
unsafe impl<E: Send + Sync> Send for Buffer<E> {}
// SAFETY: as above; `&Buffer` gives out nothing but addresses and further references.
unsafe impl<E: Send + Sync> Sync for Buffer<E> {}

impl<E: Copy> Buffer<E> {
    /// A block with room for `len` elements, not initialised, for a tensor of `shape`.
    ///
    /// # Panics
    /// If that is more than can be addressed, or more than there is.
    #[inline]
    #[track_caller]
    pub(crate) fn uninit(len: usize, shape: Dims) -> Buffer<E> {
        const { assert!(align_of::<E>() <= UNIT && size_of::<E>() > 0) };
        let bytes = len.checked_mul(size_of::<E>()).filter(|&bytes| bytes <= isize::MAX as usize / 2);
        let Some(bytes) = bytes else { panic!("a block of {len} elements is more than can be addressed") };
        let bytes = bytes.next_multiple_of(UNIT);
        let data = if bytes >= recycle::SMALLEST { recycle::take(bytes) } else { allocate(bytes) };
        // SAFETY: the header stands directly before the data, and a block just made or taken is nobody else's.
        unsafe {
            let header = data.as_ptr().sub(HEADER).cast::<Header>();
            (&raw mut (*header).shape).write(shape);
            (&raw mut (*header).strides).write(shape.row_major_strides());
        }
        Buffer { data: data.cast(), owns: PhantomData }
    }

    /// A block like another: as large, not initialised, and of the same shape.
    #[inline]
    #[track_caller]
    pub(crate) fn uninit_like(other: &Buffer<E>) -> Buffer<E> {
        let from = other.header();
        let bytes = from.span & !15;
        let data = if bytes >= recycle::SMALLEST { recycle::take(bytes) } else { allocate(bytes) };
        // SAFETY: as in `uninit`; a live block's shape and strides have been written.
        unsafe {
            let header = data.as_ptr().sub(HEADER).cast::<Header>();
            (&raw mut (*header).shape).write(from.shape);
            (&raw mut (*header).strides).write(from.strides);
        }
        Buffer { data: data.cast(), owns: PhantomData }
    }

    /// The address of the first element.
    #[inline]
    pub(crate) fn as_ptr(&self) -> *mut E {
        self.data.as_ptr()
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: the header stands directly before the data and lives as long as any reference, hence as `self`.
        unsafe { &*self.data.as_ptr().cast::<u8>().sub(HEADER).cast::<Header>() }
    }

    /// The shape that the block was made for.
    #[inline]
    pub(super) fn shape(&self) -> &Dims {
        &self.header().shape
    }

    /// The row-major strides of that shape.
    #[inline]
    pub(super) fn strides(&self) -> &Dims {
        &self.header().strides
    }

    /// How many bytes of data the block has room for.
    #[cfg(test)]
    fn capacity(&self) -> usize {
        self.header().span & !15
    }

    /// Whether this is the only reference to the block.
    #[inline]
    pub(crate) fn is_unique(&self) -> bool {
        self.header().references.is_sole()
    }
}

impl<E: Copy> Clone for Buffer<E> {
    #[inline]
    fn clone(&self) -> Buffer<E> {
        self.header().references.add();
        Buffer { data: self.data, owns: PhantomData }
    }
}

impl<E> Drop for Buffer<E> {
    #[inline]
    fn drop(&mut self) {
        let data = self.data.cast::<u8>();
        // SAFETY: the header stands directly before the data, and our reference keeps the block alive.
        let header = unsafe { &*data.as_ptr().sub(HEADER).cast::<Header>() };
        // Whoever takes the block again expects one reference, as it is left.
        if !header.references.let_go() {
            return;
        }
        let capacity = header.span & !15;
        // SAFETY: no other reference exists, the elements need no drop (`uninit` takes `Copy` types only), and by its
        // capacity the block goes back to where `uninit` took it from.
        unsafe {
            if capacity >= recycle::SMALLEST {
                recycle::put(data, capacity);
            } else {
                free(data);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_are_aligned_and_writable_to_the_last_byte() {
        for len in
            (0..40).chain([1008, 1023, 1024, 1025, 5000, 16_368, 16_369, 16_383, 16_384, 16_385, 300_000])
        {
            let buffer = Buffer::<u8>::uninit(len, Dims::new(&[len]));
            let address = buffer.as_ptr() as usize;
            let boundary = if len >= ALIGNED_FROM { LINE } else { UNIT };
            assert_eq!(address % boundary, 0, "{len} bytes at {address:x}");
            assert!(buffer.capacity() >= len);
            // SAFETY: the block has room for `capacity` bytes and no other reference.
            unsafe { buffer.as_ptr().write_bytes(7, buffer.capacity()) };
            assert!(buffer.is_unique());
        }
    }

    #[test]
    fn references_are_counted() {
        let buffer = Buffer::<i64>::uninit(3, Dims::new(&[3]));
        let other = buffer.clone();
        assert_eq!(buffer.as_ptr(), other.as_ptr());
        assert!(!buffer.is_unique() && !other.is_unique());
        drop(buffer);
        assert!(other.is_unique());
    }

    #[test]
    fn the_last_of_many_threads_frees() {
        for len in [4, 400, 40_000] {
            let buffer = Buffer::<i64>::uninit(len, Dims::new(&[len]));
            // SAFETY: the block is new, so nobody else reads or writes it.
            unsafe { (0..len).for_each(|i| buffer.as_ptr().add(i).write(i as i64)) };
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    let shared = buffer.clone();
                    scope.spawn(move || {
                        for _ in 0..1000 {
                            let again = shared.clone();
                            // SAFETY: all `len` elements were written above, before the threads began.
                            assert_eq!(unsafe { *again.as_ptr().add(len - 1) }, len as i64 - 1);
                        }
                    });
                }
            });
            assert!(buffer.is_unique());
        }
    }

    #[test]
    #[should_panic(expected = "more than can be addressed")]
    fn absurd_lengths_are_refused() {
        Buffer::<f64>::uninit(usize::MAX / 4, Dims::new(&[usize::MAX / 4]));
    }
}
