//! Elementwise loops: every formula, in both directions, over any layout.
//!
//! A formula gives two loops, outputs from inputs and cotangents from inputs, outputs and cotangents of outputs, each
//! compiled for each [instruction set](super::simd); they know only runs of contiguous numbers ([`Loops`]). Everything
//! about shapes is in one place, [`map`], and not compiled anew for each formula: where all inputs are contiguous and of
//! one shape the loop runs over whole blocks of them; otherwise inputs that are broadcast or strided are first gathered,
//! tile by tile, into a buffer that stays in the first-level cache.

pub(crate) use super::formula::Elementwise;
use super::{
    accumulate::add_few,
    parallel,
    source::{Source, gather},
    stream,
};
use crate::{
    scalar::{Float, expr::Listing, reads::Dependence},
    tensor::{Dims, Fresh, Tensor},
};
use smallvec::SmallVec;
use std::{mem::MaybeUninit, ops::Deref};

/// Elements that pass through buffers at a time: small enough that a dozen such buffers fit the first-level cache.
const TILE: usize = 256;
/// Results of at least this many bytes are written past the caches, where they would not stay: a plain store reads the
/// cache line from memory first.
const PAST_CACHES: usize = 8 << 20;
/// But not those that take longer to compute, in nanoseconds an element: plain stores wait for memory while the next
/// results are computed, stores past the caches keep the processor waiting.
const LONG: f64 = 0.5;
/// Elements in a block, the unit of parallel work.
pub(super) const BLOCK: usize = 16 * 1024;

/// Which of a formula's two loops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Outputs from inputs.
    Forward,
    /// Cotangents of the inputs in this bit set, from inputs, outputs and cotangents of outputs, in this order.
    Backward(u32),
}

/// A formula as compiled loops over numbers of type `T`.
pub(crate) trait Loops<T: Float>: Send + Sync {
    fn name(&self) -> &'static str;
    /// The numbers of inputs and outputs.
    fn arity(&self) -> (usize, usize);
    /// What the cotangent of input `i` depends on.
    fn dependence(&self, i: usize) -> Dependence;
    /// The steps of the formula or of its pullback.
    fn listing(&self, direction: Direction) -> Listing;
    /// Runs a loop.
    ///
    /// # Safety
    /// Reads `n` elements at each of `inputs` and writes `n` at each of `outputs`: all valid, outputs overlap nothing. Only
    /// backward may an output be an input: each place is read before it is written.
    unsafe fn run(&self, direction: Direction, n: usize, inputs: &[*const T], outputs: &[*mut T]);
}

/// An input of [`map`].
#[derive(Clone, Copy)]
pub(crate) enum Input<'a, T: Float> {
    Tensor(&'a Tensor<T>),
    /// One number in all places.
    Constant(T),
    /// Something that the wanted results do not depend on, so that any numbers will do.
    Unread,
}

/// The one output of a formula whose inputs are few, packed, of one shape and no more than a block; nothing if they are
/// not. Around small tensors every list and every test costs more than the arithmetic.
pub(crate) fn map_at_once<T: Float>(
    loops: &dyn Loops<T>,
    inputs: &[impl Deref<Target = Tensor<T>>],
) -> Option<Tensor<T>> {
    let shape = inputs[0].sizes();
    let n = shape.count();
    if n == 0 || n > BLOCK || inputs.len() > FEW {
        return None;
    }
    let mut runs = [std::ptr::null(); FEW];
    for i in 0..inputs.len() {
        runs[i] = inputs[i].packed_ptr(shape)?;
    }
    let mut output = Fresh::like(&inputs[0]);
    // SAFETY: every input has n elements side by side, the output has room for as many, and all of them are written.
    unsafe {
        loops.run(Direction::Forward, n, &runs[..inputs.len()], &[output.as_mut_ptr()]);
        Some(output.assume_init())
    }
}

/// Cotangents of the inputs in the bit set `wanted`, in order, from those inputs and outputs that they read (`kept`) and the
/// cotangent of the only output. That comes by value: where nobody else holds its memory, the first result is written into
/// it.
pub(crate) fn map_back<'a, T: Float>(
    loops: &dyn Loops<T>,
    wanted: u32,
    shape: &Dims,
    kept: &dyn Fn(usize) -> Option<&'a Tensor<T>>,
    cotangent: Tensor<T>,
) -> SmallVec<[Tensor<T>; 2]> {
    let Some(runs) = runs_of_one_block(loops, shape, kept, &cotangent) else {
        let results = map_back_adding(loops, wanted, shape, kept, cotangent, &mut []);
        return results.into_iter().flatten().collect();
    };
    let reusable = cotangent.is_unique();
    let mut others: SmallVec<[Fresh<T>; 1]> = SmallVec::new();
    let mut places: SmallVec<[*mut T; 4]> = SmallVec::new();
    if reusable {
        places.push(cotangent.data_ptr().cast_mut());
    }
    while places.len() < wanted.count_ones() as usize {
        let mut other = Fresh::like(&cotangent);
        places.push(other.as_mut_ptr());
        others.push(other);
    }
    // SAFETY: the places are fresh tensors of this shape, or the memory of the cotangent, which nobody else has and which
    // is an input in all its extent; the runs have n elements each.
    unsafe { loops.run(Direction::Backward(wanted), shape.count(), &runs[..loops.arity().0 + 2], &places) };
    let mut results = SmallVec::new();
    if reusable {
        results.push(cotangent);
    }
    for other in others {
        // SAFETY: the loop wrote all of every place.
        results.push(unsafe { other.assume_init() });
    }
    results
}

/// Where the inputs of a backward loop with one output lie, if they are few, packed, of this shape and no more than a block.
fn runs_of_one_block<'a, T: Float>(
    loops: &dyn Loops<T>,
    shape: &Dims,
    kept: &dyn Fn(usize) -> Option<&'a Tensor<T>>,
    cotangent: &Tensor<T>,
) -> Option<[*const T; FEW]> {
    let (n, count) = (shape.count(), loops.arity().0 + 1);
    if n == 0 || n > BLOCK || count >= FEW {
        return None;
    }
    // What is not read may be anything; the last is the cotangent itself.
    let mut runs = [cotangent.packed_ptr(shape)?; FEW];
    for k in 0..count {
        if let Some(tensor) = kept(k) {
            runs[k] = tensor.packed_ptr(shape)?;
        }
    }
    Some(runs)
}

/// A gradient under way, and the bit set of the inputs whose cotangents are to be added to it.
pub(crate) type Sum<T> = (u32, Tensor<T>);

/// The same, but a cotangent that `sums` has a sum for is added to that, in the same pass over memory, and not returned. The
/// sums are packed, of the output's shape, and nobody else holds them.
pub(crate) fn map_back_adding<'a, T: Float>(
    loops: &dyn Loops<T>,
    wanted: u32,
    shape: &Dims,
    kept: &dyn Fn(usize) -> Option<&'a Tensor<T>>,
    cotangent: Tensor<T>,
    sums: &mut [Sum<T>],
) -> SmallVec<[Option<Tensor<T>>; 2]> {
    enum Made<T: Float> {
        Added,
        InCotangent,
        Fresh(Fresh<T>),
    }
    let mut reusable = cotangent.packed_ptr(shape).is_some() && cotangent.is_unique();
    let how = How::fresh(loops, Direction::Backward(wanted), shape.count());
    let mut made: SmallVec<[Made<T>; 2]> = SmallVec::new();
    let mut places: SmallVec<[Place<T>; 4]> = SmallVec::new();
    for i in (0..u32::BITS).filter(|i| wanted >> i & 1 == 1) {
        if let Some((_, sum)) = sums.iter_mut().find(|(inputs, _)| inputs >> i & 1 == 1) {
            debug_assert!(sum.is_unique() && sum.packed_ptr(shape).is_some());
            places.push(Place { to: sum.data_ptr().cast_mut(), how: How::Add });
            made.push(Made::Added);
        } else if std::mem::take(&mut reusable) {
            places.push(Place { to: cotangent.data_ptr().cast_mut(), how: How::Write });
            made.push(Made::InCotangent);
        } else {
            let mut fresh = Fresh::new(*shape);
            places.push(Place { to: fresh.as_mut_ptr(), how });
            made.push(Made::Fresh(fresh));
        }
    }
    let mut inputs: SmallVec<[Input<'_, T>; 6]> = SmallVec::new();
    for k in 0..=loops.arity().0 {
        inputs.push(kept(k).map_or(Input::Unread, Input::Tensor));
    }
    inputs.push(Input::Tensor(&cotangent));
    // SAFETY: the places are fresh tensors of this shape, sums that nobody else holds, or the memory of the cotangent, which
    // nobody else has and which is an input in all its extent.
    unsafe { fill(loops, Direction::Backward(wanted), *shape, &inputs, &places) };
    drop(inputs);
    let mut cotangent = Some(cotangent);
    let results = made.into_iter().map(|made| match made {
        Made::Added => None,
        Made::InCotangent => cotangent.take(),
        // SAFETY: `fill` wrote all of every place.
        Made::Fresh(fresh) => Some(unsafe { fresh.assume_init() }),
    });
    results.collect()
}

/// Computes all outputs of a loop, each a new tensor of `shape`, to which the inputs broadcast.
pub(crate) fn map<T: Float>(
    loops: &dyn Loops<T>,
    direction: Direction,
    shape: Dims,
    inputs: &[Input<'_, T>],
) -> SmallVec<[Tensor<T>; 2]> {
    let count = match direction {
        Direction::Forward => loops.arity().1,
        Direction::Backward(wanted) => wanted.count_ones() as usize,
    };
    let mut written = SmallVec::new();
    let mut outputs: SmallVec<[Fresh<T>; 2]> = SmallVec::new();
    let mut places: SmallVec<[Place<T>; 4]> = SmallVec::new();
    let how = How::fresh(loops, direction, shape.count());
    for _ in 0..count {
        let mut output = Fresh::new(shape);
        places.push(Place { to: output.as_mut_ptr(), how });
        outputs.push(output);
    }
    // SAFETY: the places are `count` fresh tensors of this shape.
    unsafe { fill(loops, direction, shape, inputs, &places) };
    for output in outputs {
        // SAFETY: `fill` wrote all of every output.
        written.push(unsafe { output.assume_init() });
    }
    written
}

/// Where the results of a loop go.
#[derive(Clone, Copy)]
struct Place<T> {
    to: *mut T,
    how: How,
}
// SAFETY: threads write to disjoint parts.
unsafe impl<T: Send> Sync for Place<T> {}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Write,
    /// Past the caches.
    Stream,
    /// To what is there.
    Add,
}

impl How {
    /// How `n` results are written to fresh memory.
    fn fresh<T: Float>(loops: &dyn Loops<T>, direction: Direction, n: usize) -> How {
        let past_caches = n * size_of::<T>() >= PAST_CACHES && loops.listing(direction).nanoseconds() < LONG;
        if past_caches { How::Stream } else { How::Write }
    }
}

/// The most inputs of a loop that is run without looking at layouts twice.
const FEW: usize = 8;

/// Runs the loop at once if that is all there is to do: few inputs, packed, of one shape, and one block of them.
///
/// # Safety
/// See [`fill`].
#[inline]
unsafe fn fill_at_once<T: Float>(
    loops: &dyn Loops<T>,
    direction: Direction,
    shape: &Dims,
    n: usize,
    inputs: &[Input<'_, T>],
    places: &[Place<T>],
) -> bool {
    if n > BLOCK
        || inputs.len() > FEW
        || places.len() > FEW
        || places.iter().any(|place| place.how != How::Write)
    {
        return false;
    }
    let mut runs = [std::ptr::null(); FEW];
    // The last input is always read: in a backward loop it is a cotangent.
    let mut readable = std::ptr::null();
    for i in (0..inputs.len()).rev() {
        match inputs[i] {
            Input::Unread => {}
            Input::Constant(_) => return false,
            Input::Tensor(tensor) => match tensor.packed_ptr(shape) {
                None => return false,
                Some(address) => readable = address,
            },
        }
        runs[i] = readable;
    }
    let mut outputs = [std::ptr::null_mut(); FEW];
    for i in 0..places.len() {
        outputs[i] = places[i].to;
    }
    // SAFETY: every input that is read has n elements; the outputs are as this function's contract says.
    unsafe { loops.run(direction, n, &runs[..inputs.len()], &outputs[..places.len()]) };
    true
}

/// # Safety
/// Each of `places` has room for a tensor of `shape`, initialised where results are added, and overlaps none of the inputs
/// and, unless both are added to, none of the others; backward one may be a packed input of this shape.
unsafe fn fill<T: Float>(
    loops: &dyn Loops<T>,
    direction: Direction,
    shape: Dims,
    inputs: &[Input<'_, T>],
    places: &[Place<T>],
) {
    let n = shape.count();
    // SAFETY: the same contract.
    if n == 0 || unsafe { fill_at_once(loops, direction, &shape, n, inputs, places) } {
        return;
    }
    let mut sources: SmallVec<[Source<'_, T>; 8]> = SmallVec::new();
    let mut direct = places.iter().all(|place| place.how == How::Write);
    for input in inputs {
        let source = Source::new(*input, shape);
        direct &= matches!(source, Source::Run(_) | Source::Unread);
        sources.push(source);
    }
    let block = |b: usize| {
        let start = b * BLOCK;
        let end = n.min(start + BLOCK);
        // SAFETY: the block lies within the outputs, which are ours alone, and within every run, which has `n` elements.
        unsafe {
            if direct {
                run_direct(loops, direction, start, end - start, &sources, places);
            } else {
                run_in_tiles(loops, direction, start, end, shape, &sources, places);
            }
        }
    };
    if n <= BLOCK {
        return block(0);
    }
    // Backward a loop computes all cotangents, whichever are written.
    let computed = match direction {
        Direction::Forward => direction,
        Direction::Backward(_) => Direction::Backward((1 << loops.arity().0) - 1),
    };
    let nanoseconds = n as f64 * loops.listing(computed).nanoseconds();
    parallel::for_each_block(n.div_ceil(BLOCK), nanoseconds, block);
}

/// # Safety
/// `start..start + n` lies within every run and every place; all sources are runs or unread, all results written.
unsafe fn run_direct<T: Float>(
    loops: &dyn Loops<T>,
    direction: Direction,
    start: usize,
    n: usize,
    sources: &[Source<'_, T>],
    places: &[Place<T>],
) {
    let mut readable = places[0].to.cast_const();
    let mut inputs: SmallVec<[*const T; 8]> = SmallVec::new();
    for source in sources {
        let Source::Run(run) = source else {
            inputs.push(std::ptr::null());
            continue;
        };
        // SAFETY: within the run, by contract.
        readable = unsafe { run.add(start) };
        inputs.push(readable);
    }
    for input in &mut inputs {
        if input.is_null() {
            *input = readable;
        }
    }
    // SAFETY: within the places, by contract.
    let outputs: SmallVec<[*mut T; 4]> = places.iter().map(|place| unsafe { place.to.add(start) }).collect();
    // SAFETY: by contract.
    unsafe { loops.run(direction, n, &inputs, &outputs) }
}

/// Inputs that are no runs are gathered tile by tile, and results that are not simply written leave from there.
///
/// # Safety
/// `start..end` lies within every run and every place; the strided sources were expanded to `shape`.
unsafe fn run_in_tiles<T: Float>(
    loops: &dyn Loops<T>,
    direction: Direction,
    start: usize,
    end: usize,
    shape: Dims,
    sources: &[Source<'_, T>],
    places: &[Place<T>],
) {
    let mut buffers: SmallVec<[[T; TILE]; 4]> = SmallVec::new();
    for source in sources {
        match source {
            Source::Run(_) => {}
            Source::Constant(value) => buffers.push([*value; TILE]),
            Source::Unread | Source::Strided(..) => buffers.push([T::zero(); TILE]),
        }
    }
    let mut results: SmallVec<[[MaybeUninit<T>; TILE]; 2]> = SmallVec::new();
    for place in places {
        if place.how != How::Write {
            results.push([MaybeUninit::uninit(); TILE]);
        }
    }
    let mut at = start;
    while at < end {
        let n = TILE.min(end - at);
        let mut inputs: SmallVec<[*const T; 8]> = SmallVec::new();
        let mut buffer = 0;
        for source in sources {
            if let Source::Run(run) = source {
                // SAFETY: within the run, by contract.
                inputs.push(unsafe { run.add(at) });
                continue;
            }
            if let Source::Strided(tensor, strides) = source {
                gather(tensor, strides, &shape, at, &mut buffers[buffer][..n]);
            }
            inputs.push(buffers[buffer].as_ptr());
            buffer += 1;
        }
        let mut outputs: SmallVec<[*mut T; 4]> = SmallVec::new();
        let mut staged = results.iter_mut();
        for place in places {
            outputs.push(match place.how {
                // SAFETY: within the place, by contract.
                How::Write => unsafe { place.to.add(at) },
                _ => staged.next().expect("one for each such place").as_mut_ptr().cast(),
            });
        }
        // SAFETY: by contract; the buffers have TILE elements, of which the loop writes n.
        unsafe {
            loops.run(direction, n, &inputs, &outputs);
            for (place, result) in places.iter().zip(&outputs) {
                let to = place.to.add(at);
                match place.how {
                    How::Write => {}
                    How::Stream => stream::copy(*result, to, n),
                    How::Add => {
                        add_few(std::slice::from_raw_parts_mut(to, n), std::slice::from_raw_parts(*result, n))
                    }
                }
            }
        }
        at += n;
    }
    stream::finish();
}

/// A pointer that threads may share: they write to disjoint parts.
#[derive(Clone, Copy)]
pub(super) struct Pointer<T>(pub(super) *mut T);
// SAFETY: only used by functions that give each thread blocks of its own.
unsafe impl<T: Send> Send for Pointer<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Pointer<T> {}
