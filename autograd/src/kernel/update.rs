//! Updating a parameter: one pass over all the streams of an optimiser.
//!
//! ```
//! use wengert_autograd::{Tensor, Variable, scalar::{Formula, Real}, update_parameter};
//!
//! /// Gradient descent with momentum: b ← μ·b + g, p ← p − γ·b.
//! #[derive(Clone, Copy)]
//! struct Momentum { rate: f64, momentum: f64 }
//!
//! impl Formula<3, 2> for Momentum {
//!     fn name(&self) -> &'static str { "momentum" }
//!     #[inline(always)]
//!     fn eval<R: Real>(&self, [p, g, b]: [R; 3]) -> [R; 2] {
//!         let b = R::constant(self.momentum) * b + g;
//!         [p - R::constant(self.rate) * b, b]
//!     }
//! }
//! let p = Variable::parameter(Tensor::from_vec(vec![1.0_f32, 2.0], [2]).unwrap());
//! let g = Tensor::ones([2]);
//! let mut state = [Tensor::zeros([2])];
//! update_parameter(&Momentum { rate: 0.5, momentum: 0.9 }, &p, &g, &mut state);
//! assert_eq!(p.value().to_vec(), [0.5, 1.5]);
//! assert_eq!(state[0].to_vec(), [1.0, 1.0]);
//! ```
//!
//! An optimiser's step is bound by memory: Adam reads four numbers and writes three for a dozen operations. So it is a
//! [`Formula`], and every number passes once. The states belong to the optimiser alone and are written in place. The new
//! value of the parameter goes to a recycled block and is swapped in: whoever reads the model meanwhile, a graph or a
//! thread that serves it, keeps the values that it began with.

use super::{
    elementwise::{BLOCK, Pointer},
    finite::are_finite,
    formula::{array, run_forward},
    parallel,
};
use crate::{
    graph::{Variable, mode::Mode},
    scalar::{
        Float, Formula,
        expr::{Listing, list_forward},
    },
    tensor::{Fresh, Tensor},
};
use smallvec::SmallVec;
use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
};

/// Gives a leaf a new value, and an optimiser's `states` theirs, by a formula from (parameter, gradient, states …) to
/// (parameter, states …); all have the shape of the parameter.
///
/// The states are written in place where nobody else holds their memory. Graphs recorded with the parameter's old value
/// keep it.
///
/// # Panics
/// If the shapes differ, the formula does not fit the number of states, or `parameter` is not a leaf.
#[track_caller]
pub fn update_parameter<T: Float, F: Formula<N, M>, const N: usize, const M: usize>(
    formula: &F,
    parameter: &Variable<T>,
    gradient: &Tensor<T>,
    states: &mut [Tensor<T>],
) {
    assert!(
        N == states.len() + 2 && M == states.len() + 1,
        "{}: a formula of {N} inputs and {M} outputs cannot update a parameter with {} states",
        formula.name(),
        states.len()
    );
    let run = |n: usize, from: &[*const T], to: &[*mut T]| {
        // SAFETY: `update` hands over as many pointers as the formula has places, under the contract of the loop.
        unsafe { run_forward(formula, n, array(from), array(to)) }
    };
    update(&run, &|| list_forward(formula), parameter, gradient, states);
}

/// What [`watch_gradients`] saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GradientsSeen {
    /// How many elements the gradients had.
    pub elements: usize,
    /// Were all of them finite?
    pub all_finite: bool,
}

thread_local! {
    /// What the watch of this number has seen.
    static SEEN: Cell<(u32, GradientsSeen)> = const { Cell::new((0, NOTHING)) };
}
const NOTHING: GradientsSeen = GradientsSeen { elements: 0, all_finite: true };

/// Runs `work`, and says of the gradients that [`update_parameter`] got meanwhile, on this thread, whether they were finite.
/// Blocks of 16 Ki elements of which one is not are passed over: parameter and states stay there as they were.
///
/// Only a gradient that the parameter itself holds counts, not one that an optimiser has made of it. A pass of its own over
/// the gradients costs a twentieth of a small model's step; here each block is looked at just before the formula reads
/// it, which costs next to nothing.
///
/// ```
/// use wengert_autograd::{Tensor, Variable, scalar::{Formula, Real}, update_parameter, watch_gradients};
///
/// #[derive(Clone, Copy)]
/// struct Descent;
/// impl Formula<2> for Descent {
///     fn name(&self) -> &'static str { "descent" }
///     #[inline(always)]
///     fn eval<R: Real>(&self, [p, g]: [R; 2]) -> [R; 1] { [p - g] }
/// }
/// let p = Variable::<f32>::zeros([3]).requires_grad();
/// let g = Tensor::from([1.0, f32::NAN, 2.0]);
/// p.set_grad(Some(g.clone()));
/// let ((), seen) = watch_gradients(|| update_parameter(&Descent, &p, &g, &mut []));
/// assert!(seen.elements == 3 && !seen.all_finite);
/// assert_eq!(p.value().to_vec(), [0.0; 3]);
/// ```
pub fn watch_gradients<R>(work: impl FnOnce() -> R) -> (R, GradientsSeen) {
    static NUMBERS: AtomicU32 = AtomicU32::new(1);
    /// Goes back to what was watched before, whatever happens.
    struct Before((u32, GradientsSeen));
    impl Drop for Before {
        fn drop(&mut self) {
            SEEN.set(self.0);
        }
    }
    let (mode, number) = (Mode::current(), NUMBERS.fetch_add(1, Ordering::Relaxed));
    let mut before = Before(SEEN.replace((number, NOTHING)));
    let result = Mode { watch: number, ..mode }.run(work);
    let seen = SEEN.get().1;
    let (outer, total) = &mut before.0;
    if *outer == mode.watch {
        *total = total.and(seen);
    }
    (result, seen)
}

impl GradientsSeen {
    fn and(self, other: GradientsSeen) -> GradientsSeen {
        GradientsSeen {
            elements: self.elements + other.elements,
            all_finite: self.all_finite && other.all_finite,
        }
    }
}

/// A formula's loop over a number of elements, from inputs to outputs.
type Run<'a, T> = &'a (dyn Fn(usize, &[*const T], &[*mut T]) + Sync);

/// [`update_parameter`] but for the formula's type.
#[track_caller]
fn update<T: Float>(
    run: Run<'_, T>,
    listing: &dyn Fn() -> Listing,
    parameter: &Variable<T>,
    gradient: &Tensor<T>,
    states: &mut [Tensor<T>],
) {
    let shape = parameter.shape();
    for other in states.iter().chain([gradient]) {
        assert!(
            other.dims() == shape,
            "update of a parameter of the shape {shape:?}: its gradient or state has the shape {:?}",
            other.dims()
        );
    }
    let watch = Mode::current().watch;
    let watched = watch != 0
        && SEEN.get().0 == watch
        && parameter.grad().is_some_and(|own| own.data_ptr() == gradient.data_ptr());
    let value = parameter.value().contiguous();
    let gradient = gradient.contiguous();
    let mut fresh = Fresh::<T>::new(shape);
    let n = shape.count();
    if n > 0 {
        let mut inputs: SmallVec<[Pointer<T>; 8]> = SmallVec::new();
        let mut outputs: SmallVec<[Pointer<T>; 8]> = SmallVec::new();
        inputs.push(Pointer(value.data_ptr().cast_mut()));
        inputs.push(Pointer(gradient.data_ptr().cast_mut()));
        outputs.push(Pointer(fresh.as_mut_ptr()));
        for state in states.iter_mut() {
            let place = Pointer(state.make_mut().as_mut_ptr());
            inputs.push(place);
            outputs.push(place);
        }
        // Each pointer is to `n` contiguous numbers: of `value` and `gradient`, which are held for the whole call; of
        // states, which `make_mut` made this call's own; and of fresh memory. The blocks are disjoint. An output
        // overlaps no input but its own state at the same place.
        let finite = AtomicBool::new(true);
        let numbers = gradient.as_slice().expect("packed above");
        let block = |block: usize| {
            let (start, end) = (block * BLOCK, n.min((block + 1) * BLOCK));
            let at = |pointer: &Pointer<T>| pointer.0.wrapping_add(start);
            let from: SmallVec<[*const T; 8]> =
                inputs.iter().map(|pointer| at(pointer).cast_const()).collect();
            let to: SmallVec<[*mut T; 8]> = outputs.iter().map(at).collect();
            if watched && !are_finite(&numbers[start..end]) {
                finite.store(false, Ordering::Relaxed);
                // SAFETY: the block of the old value, and of fresh memory.
                unsafe { std::ptr::copy_nonoverlapping(from[0], to[0], end - start) };
                return;
            }
            run(end - start, &from, &to);
        };
        if n <= BLOCK {
            block(0);
        } else {
            parallel::for_each_block(n.div_ceil(BLOCK), n as f64 * listing().nanoseconds(), block);
        }
        if watched {
            let seen = GradientsSeen { elements: n, all_finite: finite.into_inner() };
            SEEN.set((watch, SEEN.get().1.and(seen)));
        }
    }
    // SAFETY: the blocks cover all `n` elements.
    parameter.set(unsafe { fresh.assume_init() });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::Real;

    #[derive(Clone, Copy)]
    struct Rotate;
    impl Formula<4, 3> for Rotate {
        fn name(&self) -> &'static str {
            "rotate"
        }
        #[inline(always)]
        fn eval<R: Real>(&self, [p, g, a, b]: [R; 4]) -> [R; 3] {
            [p + a, b * g, p - b]
        }
    }

    #[test]
    fn every_stream_is_read_before_it_is_written() {
        let n = 2 * BLOCK + 77;
        let numbers = |scale: f64| Tensor::from_fn([n], |i| (i[0] % 1013) as f64 * scale);
        let (p, g, a, b) = (numbers(1.0), numbers(0.5), numbers(-2.0), numbers(3.0));
        let leaf = Variable::parameter(p.clone());
        let before = leaf.value();
        let mut states = [a.clone(), b.packed()];
        update_parameter(&Rotate, &leaf, &g, &mut states);
        assert_eq!(before, p, "an old value stays as it was");
        assert_eq!(a, numbers(-2.0), "a shared state is copied first");
        for i in [0, 1, BLOCK - 1, BLOCK, n - 1] {
            let (p, g, a, b) = (p.to_vec()[i], g.to_vec()[i], a.to_vec()[i], b.to_vec()[i]);
            assert_eq!(leaf.value().to_vec()[i], p + a);
            assert_eq!(states[0].to_vec()[i], b * g);
            assert_eq!(states[1].to_vec()[i], p - b);
        }
    }

    #[test]
    fn strided_and_empty_operands() {
        let p = Variable::parameter(Tensor::<f32>::ones([2, 3]).t());
        let gradient = Tensor::from_fn([2, 3], |i| (i[0] * 3 + i[1]) as f32).t();
        update_parameter(&Rotate, &p, &gradient, &mut [Tensor::zeros([3, 2]), Tensor::ones([3, 2])]);
        assert_eq!(p.value().to_vec(), [1.0; 6]);
        let empty = Variable::parameter(Tensor::<f32>::zeros([0, 3]));
        let state = || Tensor::zeros([0, 3]);
        update_parameter(&Rotate, &empty, &state(), &mut [state(), state()]);
        assert_eq!(empty.shape(), [0, 3]);
    }

    #[test]
    #[should_panic(
        expected = "update of a parameter of the shape [2]: its gradient or state has the shape [3]"
    )]
    fn shapes_must_agree() {
        let p = Variable::parameter(Tensor::<f32>::ones([2]));
        update_parameter(&Rotate, &p, &Tensor::ones([3]), &mut [Tensor::ones([2]), Tensor::ones([2])]);
    }

    #[test]
    fn watching_sees_every_block_and_every_parameter() {
        let n = 3 * BLOCK + 5;
        let step = |bad: Option<usize>| {
            let p = Variable::parameter(Tensor::full([n], 0.5));
            let g = Tensor::from_fn([n], |i| if Some(i[0]) == bad { f64::INFINITY } else { 1.0 });
            p.set_grad(Some(g.clone()));
            let mut states = [Tensor::zeros([n]), Tensor::ones([n])];
            update_parameter(&Rotate, &p, &g, &mut states);
            (p.value().to_vec(), states[0].to_vec())
        };
        for bad in [0, BLOCK, 2 * BLOCK - 1, n - 1] {
            let ((p, state), seen) = watch_gradients(|| step(Some(bad)));
            assert_eq!(seen, GradientsSeen { elements: n, all_finite: false }, "{bad}");
            for i in 0..n {
                // Rotate's parameter stays, since its first state is 0; the state becomes 1 where the block is good.
                let expected = if i / BLOCK == bad / BLOCK { 0.0 } else { 1.0 };
                assert_eq!((p[i], state[i]), (0.5, expected), "{bad} {i}");
            }
        }
        let (inner, outer) = watch_gradients(|| {
            step(None);
            watch_gradients(|| step(Some(7))).1
        });
        assert_eq!(inner, GradientsSeen { elements: n, all_finite: false });
        assert_eq!(outer, GradientsSeen { elements: 2 * n, all_finite: false });
        step(Some(1)); // nobody watches
        assert_eq!(watch_gradients(|| step(None)).1, GradientsSeen { elements: n, all_finite: true });
        // Somebody else's work on this thread, and a gradient that is not the parameter's own, do not count.
        assert_eq!(watch_gradients(|| Mode::DEFAULT.run(|| step(None))).1, NOTHING);
        let p = Variable::parameter(Tensor::<f64>::zeros([2]));
        let other = || {
            update_parameter(&Rotate, &p, &Tensor::ones([2]), &mut [Tensor::zeros([2]), Tensor::ones([2])])
        };
        assert_eq!(watch_gradients(other).1, NOTHING);
    }
}
