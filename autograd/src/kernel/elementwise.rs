//! Elementwise loops: every formula, in both directions, over any layout.
//!
//! A formula gives two loops, outputs from inputs and cotangents from inputs, outputs and cotangents of outputs, each
//! compiled for every instruction set; they know only runs of contiguous numbers ([`Loops`]). Everything about shapes is
//! in one place, [`map`], and not compiled anew for each formula: where all inputs are contiguous and of one shape the
//! loop runs over whole blocks of them; otherwise inputs that are broadcast or strided are first gathered, tile by tile,
//! into a buffer that stays in the first-level cache.

use super::{
    parallel,
    simd::dispatch,
    source::{Source, gather},
};
use crate::{
    scalar::{
        Float, Formula, Lane, Slope,
        expr::{Listing, list_forward, list_pullback},
        reads::{Dependence, dependence},
    },
    tensor::{Dims, Fresh, Tensor},
};
use smallvec::SmallVec;
use std::{mem::MaybeUninit, ops::Deref};

/// Elements gathered at a time: small enough that a dozen such buffers fit the first-level cache.
const TILE: usize = 256;
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
    /// Can the pullback compute just these cotangents, or only all of them at once?
    fn computes_alone(&self, wanted: u32) -> bool;
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
    let direction = Direction::Backward(wanted);
    let packed = cotangent.packed_ptr(shape);
    let reusable = packed.is_some() && cotangent.is_unique();
    let mut results = SmallVec::new();
    let mut others: SmallVec<[Fresh<T>; 1]> = SmallVec::new();
    let mut places: SmallVec<[*mut T; 4]> = SmallVec::new();
    if reusable {
        places.push(cotangent.data_ptr().cast_mut());
    }
    while places.len() < wanted.count_ones() as usize {
        let mut other = if packed.is_some() { Fresh::like(&cotangent) } else { Fresh::new(*shape) };
        places.push(other.as_mut_ptr());
        others.push(other);
    }
    let (n, count) = (shape.count(), loops.arity().0 + 1);
    let mut runs = [std::ptr::null(); FEW];
    let mut at_once = n <= BLOCK && n > 0 && count < FEW;
    if let (true, Some(run)) = (at_once, packed) {
        runs[count] = run;
        for k in 0..count {
            // What is not read may be anything.
            runs[k] = kept(k).map_or(Some(run), |tensor| tensor.packed_ptr(shape)).unwrap_or_else(|| {
                at_once = false;
                run
            });
        }
    } else {
        at_once = false;
    }
    // SAFETY: the places are fresh tensors of this shape, or the memory of the cotangent, which nobody else has and which
    // is an input in all its extent; the runs have n elements each.
    unsafe {
        if at_once {
            loops.run(direction, n, &runs[..=count], &places);
        } else {
            let mut inputs: SmallVec<[Input<'_, T>; 6]> = SmallVec::new();
            for k in 0..count {
                inputs.push(kept(k).map_or(Input::Unread, Input::Tensor));
            }
            inputs.push(Input::Tensor(&cotangent));
            let places: SmallVec<[Pointer<T>; 4]> = places.iter().map(|place| Pointer(*place)).collect();
            fill(loops, direction, *shape, &inputs, &places);
        }
    }
    if reusable {
        results.push(cotangent);
    }
    for other in others {
        // SAFETY: `fill` wrote all of every place.
        results.push(unsafe { other.assume_init() });
    }
    results
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
    let mut places: SmallVec<[Pointer<T>; 4]> = SmallVec::new();
    for _ in 0..count {
        let mut output = Fresh::new(shape);
        places.push(Pointer(output.as_mut_ptr()));
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
    places: &[Pointer<T>],
) -> bool {
    if n > BLOCK || inputs.len() > FEW || places.len() > FEW {
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
        outputs[i] = places[i].0;
    }
    // SAFETY: every input that is read has n elements; the outputs are as this function's contract says.
    unsafe { loops.run(direction, n, &runs[..inputs.len()], &outputs[..places.len()]) };
    true
}

/// # Safety
/// Each of `places` has room for a tensor of `shape`, and overlaps none of the others and none of the inputs; backward one
/// may be a packed input of this shape.
unsafe fn fill<T: Float>(
    loops: &dyn Loops<T>,
    direction: Direction,
    shape: Dims,
    inputs: &[Input<'_, T>],
    places: &[Pointer<T>],
) {
    let n = shape.count();
    // SAFETY: the same contract.
    if n == 0 || unsafe { fill_at_once(loops, direction, &shape, n, inputs, places) } {
        return;
    }
    let mut sources: SmallVec<[Source<'_, T>; 8]> = SmallVec::new();
    let mut direct = true;
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
                run_gathered(loops, direction, start, end, shape, &sources, places);
            }
        }
    };
    if n <= BLOCK {
        return block(0);
    }
    let nanoseconds = n as f64 * loops.listing(direction).nanoseconds();
    parallel::for_each_block(n.div_ceil(BLOCK), nanoseconds, block);
}

/// A pointer that threads may share: they write to disjoint parts.
#[derive(Clone, Copy)]
pub(super) struct Pointer<T>(pub(super) *mut T);
// SAFETY: only used by functions that give each thread blocks of its own.
unsafe impl<T: Send> Send for Pointer<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Pointer<T> {}

/// # Safety
/// `start..start + n` lies within every run and every place; all sources are runs or unread.
unsafe fn run_direct<T: Float>(
    loops: &dyn Loops<T>,
    direction: Direction,
    start: usize,
    n: usize,
    sources: &[Source<'_, T>],
    places: &[Pointer<T>],
) {
    let mut readable = places[0].0.cast_const();
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
    let outputs: SmallVec<[*mut T; 4]> = places.iter().map(|place| unsafe { place.0.add(start) }).collect();
    // SAFETY: by contract.
    unsafe { loops.run(direction, n, &inputs, &outputs) }
}

/// # Safety
/// `start..end` lies within every run and every place; the strided sources were expanded to `shape`.
unsafe fn run_gathered<T: Float>(
    loops: &dyn Loops<T>,
    direction: Direction,
    start: usize,
    end: usize,
    shape: Dims,
    sources: &[Source<'_, T>],
    places: &[Pointer<T>],
) {
    let mut buffers: SmallVec<[[T; TILE]; 4]> = SmallVec::new();
    for source in sources {
        match source {
            Source::Run(_) => {}
            Source::Constant(value) => buffers.push([*value; TILE]),
            Source::Unread | Source::Strided(..) => buffers.push([T::zero(); TILE]),
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
        // SAFETY: within the places, by contract.
        let outputs: SmallVec<[*mut T; 4]> = places.iter().map(|place| unsafe { place.0.add(at) }).collect();
        // SAFETY: by contract; the buffers have TILE elements.
        unsafe { loops.run(direction, n, &inputs, &outputs) };
        at += n;
    }
}

/// Before a loop over several pointers the compiler puts a check that they do not overlap; with more pairs than this it
/// gives up vectorising, and where they do overlap the loop that it falls back to is not vectorised. Then results go
/// through a small array of our own, which it knows to be apart.
const DIRECT_PAIRS: usize = 6;
const STAGE: usize = 64;

/// Runs `compute(k)`, which gives `K` results for element `k`, for `k` in `0..n`, and writes the results of which `WRITTEN`
/// has the bit. `pairs` counts the pointer pairs that a direct loop would have to tell apart. The closure must be
/// `#[inline(always)]`: as a function of its own it is compiled for the baseline, where `mul_add` is a library call.
///
/// # Safety
/// `out[i]` is valid for `n` writes for each written `i`.
#[inline(always)]
unsafe fn for_each<T: Float, const K: usize, const WRITTEN: u32>(
    n: usize,
    pairs: usize,
    out: [*mut T; K],
    compute: impl Fn(usize) -> [T; K],
) {
    if pairs <= DIRECT_PAIRS {
        for k in 0..n {
            let results = compute(k);
            let mut i = 0;
            while i < K {
                if WRITTEN >> i & 1 == 1 {
                    // SAFETY: k < n.
                    unsafe { *out[i].add(k) = results[i] };
                }
                i += 1;
            }
        }
        return;
    }
    let mut stage = [[MaybeUninit::<T>::uninit(); STAGE]; K];
    let mut at = 0;
    while at < n {
        let m = STAGE.min(n - at);
        for k in 0..m {
            let results = compute(at + k);
            let mut i = 0;
            while i < K {
                stage[i][k] = MaybeUninit::new(results[i]);
                i += 1;
            }
        }
        let mut i = 0;
        while i < K {
            if WRITTEN >> i & 1 == 1 {
                // A whole stage is copied in a few instructions, the rest by a call.
                // SAFETY: the first m were just written, and at + m ≤ n.
                unsafe {
                    let (from, to) = (stage[i].as_ptr().cast::<T>(), out[i].add(at));
                    match m {
                        STAGE => std::ptr::copy_nonoverlapping(from, to, STAGE),
                        1 => *to = *from,
                        _ => std::ptr::copy_nonoverlapping(from, to, m),
                    }
                }
            }
            i += 1;
        }
        at += m;
    }
}

/// The numbers at place `k` of several runs.
///
/// # Safety
/// All runs are longer than `k`.
#[inline(always)]
unsafe fn load<T: Float, const FMA: bool, const K: usize>(
    runs: [*const T; K],
    k: usize,
) -> [Lane<T, FMA>; K] {
    let mut lanes = [Lane(T::zero()); K];
    let mut i = 0;
    while i < K {
        // SAFETY: by contract.
        lanes[i] = Lane(unsafe { *runs[i].add(k) });
        i += 1;
    }
    lanes
}

/// # Safety
/// See [`Loops::run`].
#[inline(always)]
unsafe fn forward<const FMA: bool, T: Float, F: Formula<N, M>, const N: usize, const M: usize>(
    formula: &F,
    n: usize,
    x: [*const T; N],
    y: [*mut T; M],
) {
    // SAFETY: by contract; k < n.
    unsafe {
        for_each::<T, M, { u32::MAX }>(
            n,
            N * M + M * (M - 1) / 2,
            y,
            #[inline(always)]
            |k| {
                let outputs = formula.eval(load::<T, FMA, N>(x, k));
                let mut results = [T::zero(); M];
                let mut j = 0;
                while j < M {
                    results[j] = outputs[j].0;
                    j += 1;
                }
                results
            },
        )
    }
}

/// The loop from inputs to outputs, by itself.
///
/// # Safety
/// See [`Loops::run`]; but an output may be an input, since each place is read before it is written.
pub(super) unsafe fn run_forward<T: Float, F: Formula<N, M>, const N: usize, const M: usize>(
    formula: &F,
    n: usize,
    x: [*const T; N],
    y: [*mut T; M],
) {
    dispatch!([T: Float, F: Formula<N, M>, const N: usize, const M: usize]
        forward::<FMA, T, F, N, M>(formula: &F, n: usize, x: [*const T; N], y: [*mut T; M]));
}

/// # Safety
/// See [`Loops::run`]; `out` need only be valid for the wanted.
#[inline(always)]
unsafe fn backward<
    const FMA: bool,
    T: Float,
    F: Formula<N, M>,
    const N: usize,
    const M: usize,
    const WANTED: u32,
>(
    formula: &F,
    n: usize,
    x: [*const T; N],
    y: [*const T; M],
    g: [*const T; M],
    out: [*mut T; N],
) {
    let mut wanted = [false; N];
    let mut i = 0;
    while i < N {
        wanted[i] = WANTED >> i & 1 == 1;
        i += 1;
    }
    // SAFETY: by contract; k < n.
    unsafe {
        for_each::<T, N, WANTED>(
            n,
            usize::MAX, // the cotangents may be written where they are read
            out,
            #[inline(always)]
            |k| {
                let (x, y, g) = (load::<T, FMA, N>(x, k), load::<T, FMA, M>(y, k), load::<T, FMA, M>(g, k));
                let found = formula.pullback(x, y, g, wanted);
                let mut results = [T::zero(); N];
                let mut i = 0;
                while i < N {
                    results[i] = match found[i] {
                        Slope::Zero => T::zero(),
                        slope => slope.get().0,
                    };
                    i += 1;
                }
                results
            },
        )
    }
}

#[inline(always)]
pub(super) fn array<P: Copy, const N: usize>(pointers: &[P]) -> [P; N] {
    <[P; N]>::try_from(pointers).expect("as many pointers as the formula has places")
}

/// A formula with its numbers of inputs and outputs in the type, which [`Loops`] needs.
#[derive(Clone, Copy)]
pub(crate) struct Elementwise<F, const N: usize, const M: usize>(pub(crate) F);

impl<F: Formula<N, M>, const N: usize, const M: usize> Elementwise<F, N, M> {
    /// # Safety
    /// See [`Loops::run`].
    unsafe fn run_backward<T: Float, const WANTED: u32>(
        &self,
        n: usize,
        inputs: &[*const T],
        outputs: &[*mut T],
    ) {
        let formula: &F = &self.0;
        let (x, rest) = inputs.split_at(N);
        let (x, y, g): ([*const T; N], [*const T; M], [*const T; M]) =
            (array(x), array(&rest[..M]), array(&rest[M..]));
        let mut out: [*mut T; N] = [std::ptr::null_mut(); N];
        let mut given = outputs.iter();
        for (i, place) in out.iter_mut().enumerate() {
            if WANTED >> i & 1 == 1 {
                *place = *given.next().expect("one for each wanted");
            }
        }
        dispatch!([T: Float, F: Formula<N, M>, const N: usize, const M: usize, const WANTED: u32]
            backward::<FMA, T, F, N, M, WANTED>(formula: &F, n: usize, x: [*const T; N], y: [*const T; M],
                g: [*const T; M], out: [*mut T; N]));
    }
}

impl<T: Float, F: Formula<N, M>, const N: usize, const M: usize> Loops<T> for Elementwise<F, N, M> {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn arity(&self) -> (usize, usize) {
        (N, M)
    }
    fn dependence(&self, i: usize) -> Dependence {
        dependence(&self.0)[i]
    }
    fn listing(&self, direction: Direction) -> Listing {
        match direction {
            Direction::Forward => list_forward(&self.0),
            Direction::Backward(wanted) => list_pullback(&self.0, wanted),
        }
    }
    fn computes_alone(&self, wanted: u32) -> bool {
        wanted == (1 << N) - 1 || N == 2
    }
    unsafe fn run(&self, direction: Direction, n: usize, inputs: &[*const T], outputs: &[*mut T]) {
        let Direction::Backward(wanted) = direction else {
            // SAFETY: the same contract.
            return unsafe { run_forward(&self.0, n, array(inputs), array(outputs)) };
        };
        // Of two inputs, each alone has a loop of its own. `const`: the others are then not even compiled.
        if const { N == 2 } {
            match wanted {
                // SAFETY: the same contract.
                1 => return unsafe { self.run_backward::<T, 1>(n, inputs, outputs) },
                // SAFETY: the same contract.
                2 => return unsafe { self.run_backward::<T, 2>(n, inputs, outputs) },
                _ => {}
            }
        }
        // SAFETY: the same contract.
        unsafe { self.run_backward::<T, { u32::MAX }>(n, inputs, outputs) }
    }
}
