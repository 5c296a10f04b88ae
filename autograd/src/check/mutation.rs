//! Wrong rules on purpose: do the checks notice?
//!
//! Inside [`with_mutation`] the rule of one operation returns gradients that are wrong in a given way. The registry's
//! tests break every rule in every way, and each must be caught.

use crate::{
    graph::{Gradient, Variable},
    scalar::Float,
};
use smallvec::SmallVec;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
};

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
    static SEEN: RefCell<Option<BTreeSet<&'static str>>> = const { RefCell::new(None) };
}

/// Runs `work` and lists the operations whose rules ran, on this thread.
pub fn rules_run<R>(work: impl FnOnce() -> R) -> (R, BTreeSet<&'static str>) {
    SEEN.set(Some(BTreeSet::new()));
    let result = work();
    (result, SEEN.take().unwrap_or_default())
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
    SEEN.with_borrow_mut(|seen| seen.iter_mut().for_each(|seen| _ = seen.insert(operation)));
    let Some((mutated, mutation)) = MUTATED.get() else { return };
    if mutated != operation {
        return;
    }
    // Its own operations must not be broken in turn.
    MUTATED.set(None);
    let before = values(gradients);
    let detached = mutation == Mutation::Detached && recording && gradients.iter().any(flows);
    apply(mutation, recording, gradients);
    // Twice zero is zero: only what comes out different is a mutant.
    let changed = detached || !same(&before, &values(gradients));
    MUTATED.set(Some((mutated, mutation)));
    APPLIED.set(APPLIED.get() || changed);
}

/// The values of each gradient; nothing for one that is missing.
fn values<T: Float>(gradients: &[Gradient<T>]) -> Vec<Vec<f64>> {
    let of = |gradient: &Gradient<T>| match gradient {
        Gradient::None => Vec::new(),
        Gradient::Whole(g) | Gradient::Part(_, g) => g.read().iter().map(|g| g.to_f64()).collect(),
    };
    gradients.iter().map(of).collect()
}

/// Are they equal, where a missing gradient is one of zeros?
fn same(a: &[Vec<f64>], b: &[Vec<f64>]) -> bool {
    a.iter().zip(b).all(|(a, b)| {
        let at = |list: &[f64], i: usize| list.get(i).copied().unwrap_or(0.0);
        (0..a.len().max(b.len())).all(|i| at(a, i) == at(b, i))
    })
}

/// Can the gradient itself be differentiated?
fn flows<T: Float>(gradient: &Gradient<T>) -> bool {
    matches!(gradient, Gradient::Whole(g) | Gradient::Part(_, g) if g.needs_grad())
}

fn apply<T: Float>(mutation: Mutation, recording: bool, gradients: &mut SmallVec<[Gradient<T>; 2]>) {
    let each = |gradients: &mut SmallVec<[Gradient<T>; 2]>, change: &dyn Fn(&Variable<T>) -> Variable<T>| {
        for gradient in gradients.iter_mut() {
            if let Gradient::Whole(g) | Gradient::Part(_, g) = gradient {
                *g = change(g);
            }
        }
    };
    match mutation {
        Mutation::Twice => each(gradients, &|g| g * 2.0),
        Mutation::Negated => each(gradients, &|g| -g),
        Mutation::Zero => each(gradients, &|g| g * 0.0),
        Mutation::Shifted => each(gradients, &|g| g + 1e-3),
        Mutation::Detached if recording => each(gradients, &Variable::detach),
        Mutation::Detached => {}
        Mutation::Reversed => each(gradients, &reversed),
        Mutation::Dropped => {
            let present = |gradient: &&mut Gradient<T>| !matches!(gradient, Gradient::None);
            if let Some(last) = gradients.iter_mut().rev().find(present) {
                *last = Gradient::None;
            }
        }
        Mutation::Swapped => {
            let shape = |gradient: &Gradient<T>| match gradient {
                Gradient::Whole(g) => Some(g.shape()),
                _ => None,
            };
            if let [first, second, ..] = &gradients[..]
                && shape(first).is_some()
                && shape(first) == shape(second)
            {
                gradients.swap(0, 1);
            }
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
        result += from * Variable::new(mask);
    }
    result
}
