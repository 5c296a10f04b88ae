//! Elementwise loops: every formula, in both directions, over any layout.
//!
//! A formula gives two *tile* functions, compiled for each instruction set: outputs from inputs, and cotangents of inputs
//! from inputs, outputs and cotangents of outputs. A tile is a run of contiguous numbers. Everything about shapes is in
//! one place, [`map`], and not compiled anew for each formula: where all inputs are contiguous and of one shape a tile is
//! a whole block of them; otherwise inputs that are broadcast or strided are first gathered into a small buffer that stays
//! in the first-level cache.

use super::{parallel, simd::dispatch};
use crate::{
    scalar::{Float, Formula, Lane, Slope},
    tensor::{Dims, Fresh, Tensor},
};
use smallvec::SmallVec;
use std::mem::MaybeUninit;

/// Elements gathered at a time: small enough that a dozen such buffers fit the first-level cache.
const TILE: usize = 256;
/// Elements in a block, the unit of parallel work.
const BLOCK: usize = 16 * 1024;

/// A function from tiles to tiles.
///
/// # Safety
/// `run` reads `n` elements at each of `inputs` and writes `n` at each of `outputs`, all valid; outputs overlap nothing.
pub(crate) unsafe trait Tile<T: Float>: Sync {
    /// How many outputs.
    fn outputs(&self) -> usize;
    /// An estimate in nanoseconds an element.
    fn cost(&self) -> f64;
    /// # Safety
    /// See the trait.
    unsafe fn run(&self, n: usize, inputs: &[*const T], outputs: &[*mut T]);
}

/// An input of [`map`]: a tensor, or one number in all places.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a, T: Float> {
    Tensor(&'a Tensor<T>),
    Constant(T),
}

/// Computes all outputs of `tile`, each a new tensor of `shape`, to which the inputs broadcast.
pub(crate) fn map<T: Float>(
    tile: &dyn Tile<T>,
    shape: Dims,
    inputs: &[Input<'_, T>],
) -> SmallVec<[Tensor<T>; 2]> {
    let n: usize = shape.iter().product();
    let count = tile.outputs();
    let mut outputs: SmallVec<[Fresh<T>; 2]> = (0..count).map(|_| Fresh::new(shape)).collect();
    let places: SmallVec<[Pointer<T>; 2]> =
        outputs.iter_mut().map(|output| Pointer(output.as_mut_ptr())).collect();
    if n > 0 {
        let sources: SmallVec<[Source<'_, T>; 4]> =
            inputs.iter().map(|input| Source::new(*input, shape)).collect();
        let direct = sources.iter().all(|source| matches!(source, Source::Run(_)));
        // Half a nanosecond an element is what memory takes even when the arithmetic is nothing.
        let blocks = n.div_ceil(BLOCK);
        let block = |b: usize| {
            let start = b * BLOCK;
            let end = n.min(start + BLOCK);
            // SAFETY: the block lies within the outputs, which are ours alone, and within every `Run`, which has `n`
            // elements; `gathered` reads through the sources' own layouts.
            unsafe {
                if direct {
                    run_direct(tile, start, end - start, &sources, &places);
                } else {
                    run_gathered(tile, start, end, shape, &sources, &places);
                }
            }
        };
        if blocks == 1 {
            block(0);
        } else {
            parallel::for_each_block(blocks, n as f64 * tile.cost(), block);
        }
    }
    // SAFETY: every tile wrote its part of every output, and the tiles cover them.
    outputs.into_iter().map(|output| unsafe { output.assume_init() }).collect()
}

/// A pointer that threads may share: they write to disjoint parts.
#[derive(Clone, Copy)]
struct Pointer<T>(*mut T);
// SAFETY: only used by `map`, which gives each thread blocks of its own.
unsafe impl<T: Send> Send for Pointer<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Pointer<T> {}

/// Where a tile of an input comes from.
enum Source<'a, T: Float> {
    /// As many contiguous numbers as the output has.
    Run(&'a [T]),
    /// One number in all places.
    Constant(T),
    /// The strides of the tensor, expanded to the output's shape.
    Strided(&'a Tensor<T>, Dims),
}

impl<'a, T: Float> Source<'a, T> {
    fn new(input: Input<'a, T>, shape: Dims) -> Self {
        match input {
            Input::Constant(value) => Source::Constant(value),
            Input::Tensor(tensor) if tensor.dims() == shape => match tensor.as_slice() {
                Some(run) => Source::Run(run),
                None => Source::Strided(tensor, expanded_strides(tensor, shape)),
            },
            Input::Tensor(tensor) if tensor.len() == 1 => Source::Constant(tensor.item()),
            Input::Tensor(tensor) => Source::Strided(tensor, expanded_strides(tensor, shape)),
        }
    }
}

/// The strides of `tensor` seen as `shape`: zero along broadcast axes.
fn expanded_strides<T: Float>(tensor: &Tensor<T>, shape: Dims) -> Dims {
    let missing = shape.len() - tensor.rank();
    let mut strides = Dims::filled(shape.len(), 0);
    for axis in 0..tensor.rank() {
        if tensor.shape()[axis] != 1 {
            strides[missing + axis] = tensor.strides()[axis];
        }
    }
    strides
}

/// # Safety
/// `start..start + n` lies within every `Run` and every output.
unsafe fn run_direct<T: Float>(
    tile: &dyn Tile<T>,
    start: usize,
    n: usize,
    sources: &[Source<'_, T>],
    outputs: &[Pointer<T>],
) {
    let inputs: SmallVec<[*const T; 8]> = sources
        .iter()
        .map(|source| match source {
            Source::Run(run) => run[start..start + n].as_ptr(),
            _ => unreachable!("direct means that all are runs"),
        })
        .collect();
    // SAFETY: within the outputs, by contract.
    let outputs: SmallVec<[*mut T; 4]> =
        outputs.iter().map(|output| unsafe { output.0.add(start) }).collect();
    // SAFETY: inputs were sliced above; outputs are fresh and overlap nothing.
    unsafe { tile.run(n, &inputs, &outputs) }
}

/// # Safety
/// `start..end` lies within every `Run` and every output; the strided sources were expanded to `shape`.
unsafe fn run_gathered<T: Float>(
    tile: &dyn Tile<T>,
    start: usize,
    end: usize,
    shape: Dims,
    sources: &[Source<'_, T>],
    outputs: &[Pointer<T>],
) {
    let mut buffers: SmallVec<[[MaybeUninit<T>; TILE]; 4]> = SmallVec::new();
    for source in sources {
        let fill = if let Source::Constant(value) = source { *value } else { T::zero() };
        if !matches!(source, Source::Run(_)) {
            buffers.push([MaybeUninit::new(fill); TILE]);
        }
    }
    let mut at = start;
    while at < end {
        let n = TILE.min(end - at);
        let mut inputs: SmallVec<[*const T; 8]> = SmallVec::new();
        let mut buffer = 0;
        for source in sources {
            inputs.push(match source {
                Source::Run(run) => run[at..at + n].as_ptr(),
                _ => {
                    if let Source::Strided(tensor, strides) = source {
                        gather(tensor, strides, &shape, at, &mut buffers[buffer][..n]);
                    }
                    buffer += 1;
                    buffers[buffer - 1].as_ptr().cast()
                }
            });
        }
        // SAFETY: within the outputs, by contract.
        let places: SmallVec<[*mut T; 4]> =
            outputs.iter().map(|output| unsafe { output.0.add(at) }).collect();
        // SAFETY: the runs were sliced, the buffers are initialised; outputs are fresh and overlap nothing.
        unsafe { tile.run(n, &inputs, &places) };
        at += n;
    }
}

/// Copies the elements with row-major numbers `from..from + out.len()` of a strided view of `shape`.
fn gather<T: Float>(
    tensor: &Tensor<T>,
    strides: &[usize],
    shape: &[usize],
    from: usize,
    out: &mut [MaybeUninit<T>],
) {
    let data = tensor.data_ptr();
    let last = shape.len() - 1;
    let (inner, stride) = (shape[last], strides[last]);
    let mut index = [0; crate::tensor::MAX_RANK];
    let mut rest = from;
    let mut offset = 0;
    for axis in (0..shape.len()).rev() {
        index[axis] = rest % shape[axis];
        rest /= shape[axis];
        offset += index[axis] * strides[axis];
    }
    let mut written = 0;
    while written < out.len() {
        let run = (inner - index[last]).min(out.len() - written);
        let target = &mut out[written..written + run];
        // SAFETY: the indices stay below the shape, so the offsets stay within the view.
        unsafe {
            let source = data.add(offset);
            match stride {
                0 => target.fill(MaybeUninit::new(*source)),
                1 => std::ptr::copy_nonoverlapping(source, target.as_mut_ptr().cast(), run),
                _ => {
                    for (k, place) in target.iter_mut().enumerate() {
                        place.write(*source.add(k * stride));
                    }
                }
            }
        }
        written += run;
        offset += run * stride;
        index[last] += run;
        // Carry into the outer axes.
        let mut axis = last;
        while index[axis] == shape[axis] && axis > 0 {
            offset -= index[axis] * strides[axis];
            index[axis] = 0;
            axis -= 1;
            index[axis] += 1;
            offset += strides[axis];
        }
    }
}

/// A formula as a tile function: outputs from inputs.
pub(crate) struct Forward<F, const N: usize, const M: usize>(pub(crate) F);

/// The loop of [`Forward`].
///
/// # Safety
/// See [`Tile`].
#[inline(always)]
unsafe fn forward<const FMA: bool, T: Float, F: Formula<N, M>, const N: usize, const M: usize>(
    formula: &F,
    n: usize,
    x: [*const T; N],
    y: [*mut T; M],
) {
    if N * M + M * (M - 1) / 2 <= DIRECT_PAIRS {
        for k in 0..n {
            // SAFETY: k < n.
            unsafe { forward_one::<FMA, T, F, N, M>(formula, k, x, y) }
        }
        return;
    }
    let mut results = [[MaybeUninit::<T>::uninit(); STAGE]; M];
    let mut at = 0;
    while at < n {
        let m = STAGE.min(n - at);
        let stage: [*mut T; M] = pointers(&mut results);
        for k in 0..m {
            let mut inputs = [Lane::<T, FMA>(T::zero()); N];
            let mut i = 0;
            while i < N {
                // SAFETY: at + k < n.
                inputs[i] = Lane(unsafe { *x[i].add(at + k) });
                i += 1;
            }
            let outputs = formula.eval(inputs);
            let mut j = 0;
            while j < M {
                results[j][k] = MaybeUninit::new(outputs[j].0);
                j += 1;
            }
        }
        let mut j = 0;
        while j < M {
            // SAFETY: the first m were just written.
            unsafe { std::ptr::copy_nonoverlapping(stage[j].cast_const(), y[j].add(at), m) };
            j += 1;
        }
        at += m;
    }
}

/// Before a loop with several pointers the compiler puts a check that they do not overlap; with more pairs than this it
/// gives up vectorising. Then results go through a small array of our own, which it knows to be apart.
const DIRECT_PAIRS: usize = 6;
const STAGE: usize = 64;

#[inline(always)]
fn pointers<T, const M: usize>(arrays: &mut [[MaybeUninit<T>; STAGE]; M]) -> [*mut T; M] {
    let mut pointers = [std::ptr::null_mut(); M];
    let mut j = 0;
    while j < M {
        pointers[j] = arrays[j].as_mut_ptr().cast();
        j += 1;
    }
    pointers
}

/// # Safety
/// `k` is below the length of all runs.
#[inline(always)]
unsafe fn forward_one<const FMA: bool, T: Float, F: Formula<N, M>, const N: usize, const M: usize>(
    formula: &F,
    k: usize,
    x: [*const T; N],
    y: [*mut T; M],
) {
    let mut inputs = [Lane::<T, FMA>(T::zero()); N];
    let mut i = 0;
    while i < N {
        // SAFETY: by contract.
        inputs[i] = Lane(unsafe { *x[i].add(k) });
        i += 1;
    }
    let outputs = formula.eval(inputs);
    let mut j = 0;
    while j < M {
        // SAFETY: by contract.
        unsafe { *y[j].add(k) = outputs[j].0 };
        j += 1;
    }
}

#[inline(always)]
fn array<P: Copy, const N: usize>(pointers: &[P]) -> [P; N] {
    <[P; N]>::try_from(pointers).expect("as many pointers as the formula has places")
}

// SAFETY: `forward` touches the first n elements of each pointer.
unsafe impl<T: Float, F: Formula<N, M>, const N: usize, const M: usize> Tile<T> for Forward<F, N, M> {
    fn outputs(&self) -> usize {
        M
    }
    fn cost(&self) -> f64 {
        super::cost::of_forward(&self.0)
    }
    unsafe fn run(&self, n: usize, inputs: &[*const T], outputs: &[*mut T]) {
        let (formula, x, y): (&F, [*const T; N], [*mut T; M]) = (&self.0, array(inputs), array(outputs));
        dispatch!([T: Float, F: Formula<N, M>, const N: usize, const M: usize]
            forward::<FMA, T, F, N, M>(formula: &F, n: usize, x: [*const T; N], y: [*mut T; M]));
    }
}

/// The pullback of a formula as a tile function: cotangents of the inputs in the bit set `WANTED` from inputs, outputs
/// and cotangents of outputs, in this order.
pub(crate) struct Backward<F, const N: usize, const M: usize, const WANTED: u32>(pub(crate) F);

/// The loop of [`Backward`].
///
/// # Safety
/// See [`Tile`].
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
    let mut results = [[MaybeUninit::<T>::uninit(); STAGE]; N];
    let stage: [*mut T; N] = pointers(&mut results);
    let direct = (N + 2 * M) * N + N * (N - 1) / 2 <= DIRECT_PAIRS;
    let mut at = 0;
    while at < n {
        let m = if direct { n } else { STAGE.min(n - at) };
        for k in 0..m {
            let mut inputs = [Lane::<T, FMA>(T::zero()); N];
            let mut outputs = [Lane::<T, FMA>(T::zero()); M];
            let mut cotangents = [Lane::<T, FMA>(T::zero()); M];
            let mut wanted = [false; N];
            let mut i = 0;
            while i < N {
                // SAFETY: at + k < n.
                inputs[i] = Lane(unsafe { *x[i].add(at + k) });
                wanted[i] = WANTED >> i & 1 == 1;
                i += 1;
            }
            let mut j = 0;
            while j < M {
                // SAFETY: at + k < n.
                unsafe {
                    outputs[j] = Lane(*y[j].add(at + k));
                    cotangents[j] = Lane(*g[j].add(at + k));
                }
                j += 1;
            }
            let found = formula.pullback(inputs, outputs, cotangents, wanted);
            let mut i = 0;
            while i < N {
                if wanted[i] {
                    let value = match found[i] {
                        Slope::Zero => T::zero(),
                        slope => slope.get().0,
                    };
                    if direct {
                        // SAFETY: at + k < n.
                        unsafe { *out[i].add(at + k) = value };
                    } else {
                        results[i][k] = MaybeUninit::new(value);
                    }
                }
                i += 1;
            }
        }
        if !direct {
            let mut i = 0;
            while i < N {
                if WANTED >> i & 1 == 1 {
                    // SAFETY: the first m were just written.
                    unsafe { std::ptr::copy_nonoverlapping(stage[i].cast_const(), out[i].add(at), m) };
                }
                i += 1;
            }
        }
        at += m;
    }
}

// SAFETY: `backward` touches the first n elements of each pointer.
unsafe impl<T: Float, F: Formula<N, M>, const N: usize, const M: usize, const WANTED: u32> Tile<T>
    for Backward<F, N, M, WANTED>
{
    fn outputs(&self) -> usize {
        WANTED.count_ones() as usize
    }
    fn cost(&self) -> f64 {
        super::cost::of_backward(&self.0)
    }
    unsafe fn run(&self, n: usize, inputs: &[*const T], outputs: &[*mut T]) {
        let formula: &F = &self.0;
        let x: [*const T; N] = array(&inputs[..N]);
        let y: [*const T; M] = array(&inputs[N..N + M]);
        let g: [*const T; M] = array(&inputs[N + M..]);
        let mut out = [std::ptr::null_mut(); N];
        let mut given = outputs.iter();
        for i in 0..N {
            if WANTED >> i & 1 == 1 {
                out[i] = *given.next().expect("one for each wanted");
            }
        }
        dispatch!([T: Float, F: Formula<N, M>, const N: usize, const M: usize, const WANTED: u32]
            backward::<FMA, T, F, N, M, WANTED>(formula: &F, n: usize, x: [*const T; N], y: [*const T; M],
                g: [*const T; M], out: [*mut T; N]));
    }
}

/// a + b, in the buffer of whichever nobody else holds.
pub(crate) fn add_owned<T: Float>(mut a: Tensor<T>, mut b: Tensor<T>) -> Tensor<T> {
    use crate::scalar::formula::elementary;
    debug_assert_eq!(a.dims(), b.dims());
    for _ in 0..2 {
        if let (Some(into), Some(from)) = (a.as_mut_slice(), b.as_slice()) {
            add_into(into, from);
            return a;
        }
        std::mem::swap(&mut a, &mut b);
    }
    let inputs = [Input::Tensor(&a), Input::Tensor(&b)];
    map(&Forward::<_, 2, 1>(elementary::add), a.dims(), &inputs).pop().expect("one output")
}

/// into += from.
pub(crate) fn add_into<T: Float>(into: &mut [T], from: &[T]) {
    /// # Safety
    /// None; the signature is that of `dispatch!`.
    #[inline(always)]
    unsafe fn add<const FMA: bool, T: Float>(into: &mut [T], from: &[T]) {
        for (a, &b) in into.iter_mut().zip(from) {
            *a = *a + b;
        }
    }
    fn block<T: Float>(into: &mut [T], from: &[T]) {
        dispatch!([T: Float] add::<FMA, T>(into: &mut [T], from: &[T]));
    }
    assert_eq!(into.len(), from.len());
    let n = into.len();
    if n <= BLOCK {
        return block(into, from);
    }
    let place = Pointer(into.as_mut_ptr());
    parallel::for_each_block(n.div_ceil(BLOCK), n as f64 * 0.2, |b| {
        let place = place;
        let (start, end) = (b * BLOCK, n.min((b + 1) * BLOCK));
        // SAFETY: the blocks are disjoint parts of `into`, which is borrowed for the whole call.
        block(unsafe { std::slice::from_raw_parts_mut(place.0.add(start), end - start) }, &from[start..end]);
    });
}
