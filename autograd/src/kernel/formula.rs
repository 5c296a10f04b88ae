//! The two loops of a formula over runs of contiguous numbers, compiled for each [instruction set](super::simd).

use super::{
    elementwise::{Direction, Loops},
    simd::dispatch,
};
use crate::scalar::{
    Float, Formula, Lane, Slope,
    expr::{Listing, list_forward, list_pullback},
    reads::{Dependence, dependence},
};
use std::mem::MaybeUninit;

/// Before a loop over several pointers the compiler puts a check that they do not overlap; with more pairs than this it
/// gives up vectorising, and where they do overlap the loop that it falls back to is not vectorised. Then results go
/// through a small array of our own, which it knows to be apart.
const DIRECT_PAIRS: usize = 6;
const STAGE: usize = 64;

/// Runs `compute(k)`, which gives `K` results for element `k`, for `k` in `0..n`, and writes them where they belong. The closure
/// must be `#[inline(always)]`: as a function of its own it is compiled for the baseline, where `mul_add` is a library call.
///
/// # Safety
/// `out[i]` is valid for `n` writes.
#[inline(always)]
unsafe fn directly<T: Float, const K: usize>(n: usize, out: [*mut T; K], compute: impl Fn(usize) -> [T; K]) {
    for k in 0..n {
        let results = compute(k);
        let mut i = 0;
        while i < K {
            // SAFETY: k < n.
            unsafe { *out[i].add(k) = results[i] };
            i += 1;
        }
    }
}

/// The same through an array; of the results only those are written whose bit `written` has.
///
/// # Safety
/// `out[i]` is valid for `n` writes for each written `i`.
#[inline(always)]
unsafe fn in_stages<T: Float, const K: usize>(
    n: usize,
    out: [*mut T; K],
    written: u32,
    compute: impl Fn(usize) -> [T; K],
) {
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
            if written >> i & 1 == 1 {
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
        if const { N * M + M * (M - 1) / 2 <= DIRECT_PAIRS } {
            directly(
                n,
                y,
                #[inline(always)]
                |k| results(formula.eval(load::<T, FMA, N>(x, k))),
            )
        } else {
            in_stages(
                n,
                y,
                u32::MAX,
                #[inline(always)]
                |k| results(formula.eval(load::<T, FMA, N>(x, k))),
            )
        }
    }
}

#[inline(always)]
fn results<T: Float, const FMA: bool, const M: usize>(outputs: [Lane<T, FMA>; M]) -> [T; M] {
    let mut results = [T::zero(); M];
    let mut j = 0;
    while j < M {
        results[j] = outputs[j].0;
        j += 1;
    }
    results
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
/// See [`Loops::run`]; `out` need only be valid for the written.
#[inline(always)]
unsafe fn backward<const FMA: bool, T: Float, F: Formula<N, M>, const N: usize, const M: usize>(
    formula: &F,
    n: usize,
    x: [*const T; N],
    y: [*const T; M],
    g: [*const T; M],
    out: [*mut T; N],
    written: u32,
) {
    // The cotangents may be written where they are read: never directly.
    // SAFETY: by contract; k < n.
    unsafe {
        in_stages(
            n,
            out,
            written,
            #[inline(always)]
            |k| {
                let (x, y, g) = (load::<T, FMA, N>(x, k), load::<T, FMA, M>(y, k), load::<T, FMA, M>(g, k));
                let found = formula.pullback(x, y, g);
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

/// Inputs, outputs and cotangents of the outputs, apart.
fn backward_inputs<P: Copy, const N: usize, const M: usize>(pointers: &[P]) -> ([P; N], [P; M], [P; M]) {
    let (x, rest) = pointers.split_at(N);
    (array(x), array(&rest[..M]), array(&rest[M..]))
}

/// The places for the wanted cotangents, at the places of their inputs.
fn backward_outputs<T, const N: usize>(pointers: &[*mut T], wanted: u32) -> [*mut T; N] {
    let mut out = [std::ptr::null_mut(); N];
    let mut given = pointers.iter();
    for (i, place) in out.iter_mut().enumerate() {
        if wanted >> i & 1 == 1 {
            *place = *given.next().expect("one for each wanted");
        }
    }
    out
}

/// A function of its own, since it does not depend on the type of the numbers.
#[inline(never)]
fn dependence_on<F: Formula<N, M>, const N: usize, const M: usize>(formula: &F, i: usize) -> Dependence {
    dependence(formula)[i]
}

/// A formula with its numbers of inputs and outputs in the type, which [`Loops`] needs.
#[derive(Clone, Copy)]
pub(crate) struct Elementwise<F, const N: usize, const M: usize>(pub(crate) F);

impl<T: Float, F: Formula<N, M>, const N: usize, const M: usize> Loops<T> for Elementwise<F, N, M> {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn arity(&self) -> (usize, usize) {
        (N, M)
    }
    fn dependence(&self, i: usize) -> Dependence {
        dependence_on(&self.0, i)
    }
    fn listing(&self, direction: Direction) -> Listing {
        match direction {
            Direction::Forward => list_forward(&self.0),
            Direction::Backward(wanted) => list_pullback(&self.0, wanted),
        }
    }
    unsafe fn run(&self, direction: Direction, n: usize, inputs: &[*const T], outputs: &[*mut T]) {
        let Direction::Backward(written) = direction else {
            // SAFETY: the same contract.
            return unsafe { run_forward(&self.0, n, array(inputs), array(outputs)) };
        };
        // All cotangents are computed, and one loop does for any that are wanted. For most formulas that takes hardly longer
        // than reading and writing; a power of which one side is wanted pays for the slopes of both.
        let formula: &F = &self.0;
        let (x, y, g) = backward_inputs(inputs);
        let out = backward_outputs(outputs, written);
        dispatch!([T: Float, F: Formula<N, M>, const N: usize, const M: usize]
            backward::<FMA, T, F, N, M>(formula: &F, n: usize, x: [*const T; N], y: [*const T; M], g: [*const T; M],
                out: [*mut T; N], written: u32));
    }
}
