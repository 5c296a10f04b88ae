//! The process's source of random numbers: what initialisers and dropout draw from when they are given no generator.
//!
//! ```
//! use wengert_autograd::{Tensor, manual_seed, split_generator};
//!
//! manual_seed(7);
//! let first = Tensor::<f32>::randn([3], &mut split_generator());
//! manual_seed(7);
//! assert_eq!(Tensor::<f32>::randn([3], &mut split_generator()), first);
//! ```
//!
//! One source for the process, not one a thread: a training loop that runs [inside the pool](crate::parallel) draws what
//! it would draw outside. Whoever wants numbers splits a [`Generator`] off, so the lock is held for one step of a counter
//! and never while numbers are made. A program that draws from several threads at once and must repeat itself hands a
//! generator of its own to each.

use super::node::lock;
use crate::tensor::Generator;
use std::sync::Mutex;

static SOURCE: Mutex<Generator> = Mutex::new(Generator::new(0));

/// Starts the process's random numbers anew; without it they are those of seed 0.
pub fn manual_seed(seed: u64) {
    set_random_state(Generator::new(seed));
}

/// A generator with a sequence of its own, split off the process's.
pub fn split_generator() -> Generator {
    lock(&SOURCE).split()
}

/// The state of the process's random numbers, to be stored with a training state.
pub fn random_state() -> Generator {
    lock(&SOURCE).clone()
}

/// Goes on from a stored state.
pub fn set_random_state(state: Generator) {
    *lock(&SOURCE) = state;
}
