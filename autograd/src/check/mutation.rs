//! Wrong rules on purpose: do the checks notice?
//!
//! Inside [`with_mutation`] the rule of one operation returns gradients that are wrong in a given way. The registry's
//! tests break every rule in every way, and each must be caught.

use crate::{
    graph::{Gradient, Variable},
    scalar::Float,
};
use smallvec::SmallVec;
use std::cell::Cell;

/// A way for a rule to be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mutation {
    /// All gradients are twice as large.
    Twice,
    /// All gradients have the other sign.
    Negated,
    /// All gradients are zero.
    Zero,
    /// All gradients are larger by 10⁻³.
    Shifted,
    /// The first two gradients are exchanged, where their shapes agree.
    Swapped,
    /// The last gradient is missing.
    Dropped,
    /// The gradients run backwards along their last axis.
    Reversed,
    /// The gradients are right, and their own derivatives are cut off.
    Detached,
}

impl Mutation {
    /// All of them.
    pub const ALL: [Mutation; 8] = [
        Mutation::Twice,
        Mutation::Negated,
        Mutation::Zero,
        Mutation::Shifted,
        Mutation::Swapped,
        Mutation::Dropped,
        Mutation::Reversed,
        Mutation::Detached,
    ];
}

thread_local! {
    static MUTATED: Cell<Option<(&'static str, Mutation)>> = const { Cell::new(None) };
    static APPLIED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` with the rules of the operations of that name broken, on this thread. Also says whether any gradient was
/// changed at all.
pub fn with_mutation<R>(operation: &'static str, mutation: Mutation, work: impl FnOnce() -> R) -> (R, bool) {
    struct Restore(Option<(&'static str, Mutation)>);
    impl Drop for Restore {
        fn drop(&mut self) {
            MUTATED.set(self.0);
        }
    }
    APPLIED.set(false);
    let _restore = Restore(MUTATED.replace(Some((operation, mutation))));
    let result = work();
    (result, APPLIED.get())
}

/// What the engine does with the gradients that a rule returned.
#[inline]
pub(crate) fn mutate<T: Float>(
    operation: &'static str,
    recording: bool,
    gradients: &mut SmallVec<[Gradient<T>; 2]>,
) {
    let Some((mutated, mutation)) = MUTATED.get() else { return };
    if mutated != operation {
        return;
    }
    // Its own operations must not be broken in turn.
    MUTATED.set(None);
    let changed = apply(mutation, recording, gradients);
    MUTATED.set(Some((mutated, mutation)));
    APPLIED.set(APPLIED.get() || changed);
}

fn apply<T: Float>(mutation: Mutation, recording: bool, gradients: &mut SmallVec<[Gradient<T>; 2]>) -> bool {
    let each = |gradients: &mut SmallVec<[Gradient<T>; 2]>, change: &dyn Fn(&Variable<T>) -> Variable<T>| {
        let mut changed = false;
        for gradient in gradients.iter_mut() {
            if let Gradient::Whole(g) | Gradient::Part(_, g) = gradient {
                changed |= !g.is_empty();
                *g = change(g);
            }
        }
        changed
    };
    match mutation {
        Mutation::Twice => each(gradients, &|g| g * 2.0),
        Mutation::Negated => each(gradients, &|g| -g),
        Mutation::Zero => each(gradients, &|g| g * 0.0),
        Mutation::Shifted => each(gradients, &|g| g + 1e-3),
        Mutation::Detached => recording && each(gradients, &Variable::detach),
        Mutation::Reversed => each(gradients, &reversed),
        Mutation::Dropped => {
            match gradients.iter_mut().rev().find(|gradient| !matches!(gradient, Gradient::None)) {
                Some(last) => {
                    *last = Gradient::None;
                    true
                }
                None => false,
            }
        }
        Mutation::Swapped => {
            let shape = |gradient: &Gradient<T>| match gradient {
                Gradient::Whole(g) => Some(g.shape()),
                _ => None,
            };
            let swap = gradients.len() >= 2
                && shape(&gradients[0]).is_some()
                && shape(&gradients[0]) == shape(&gradients[1]);
            if swap {
                gradients.swap(0, 1);
            }
            swap
        }
    }
}

/// The entries in the opposite order along the last axis.
fn reversed<T: Float>(g: &Variable<T>) -> Variable<T> {
    let shape = g.shape();
    let Some(&size) = shape.last() else { return g.clone() };
    let mut result = g * 0.0;
    for k in 0..size {
        // An entry at a time, by masks: differentiable, and of no operation that could itself be under test.
        let from = g.narrow(-1, size - 1 - k, 1);
        let mask = crate::tensor::Tensor::from_fn(size, |at| if at[0] == k { T::one() } else { T::zero() });
        result = result + from * Variable::new(mask);
    }
    result
}
