//! [`GradientAccumulation`]: one step for several batches, where a large one does not fit into memory.
//!
//! ```
//! use wengert_autograd::{NamedParameters, Tensor, Variable};
//! use wengert_optim::{GradientAccumulation, Optimizer, Sgd};
//!
//! let w = Variable::parameter(Tensor::from_vec(vec![1.0_f32], [1]).unwrap());
//! let mut sgd = Sgd::new(NamedParameters::from_iter([("w", w.clone())])).lr(0.5);
//! let mut accumulation = GradientAccumulation::new(2);
//! for x in [1.0, 3.0] {
//!     accumulation.backward(&(&w * x).sum());
//!     accumulation.step(&mut sgd);
//! }
//! assert_eq!(w.item(), 0.0); // one step, with the mean of the gradients, 2
//! ```
//!
//! Backward passes add to the gradients that are there, so accumulating is no more than not to clear them in between. What
//! is easily forgotten is the scale: the gradient of the mean of k losses is that of each divided by k.

use crate::Optimizer;
use wengert_autograd::{Float, Variable};

/// Counts batches, and lets every k-th of them step; see the [module documentation](self).
#[derive(Clone, Debug)]
pub struct GradientAccumulation {
    every: usize,
    /// How many batches since the last step.
    count: usize,
}

impl GradientAccumulation {
    /// One step for every `every` batches.
    ///
    /// # Panics
    /// If it is 0.
    #[track_caller]
    pub fn new(every: usize) -> Self {
        assert!(every > 0, "GradientAccumulation: a step needs at least one batch");
        GradientAccumulation { every, count: 0 }
    }

    /// Adds the gradient of `loss`/k, for a loss that is the mean over its batch.
    #[track_caller]
    pub fn backward<T: Float>(&mut self, loss: &Variable<T>) {
        (loss / self.every as f64).backward();
        self.count += 1;
    }

    /// Whether enough batches were seen for a step: the moment to clip.
    pub fn is_due(&self) -> bool {
        self.count >= self.every
    }

    /// Makes a step and clears the gradients, if it is due; returns whether it was.
    pub fn step<T: Float>(&mut self, optimizer: &mut (impl Optimizer<T> + ?Sized)) -> bool {
        let due = self.is_due();
        if due {
            optimizer.step();
            optimizer.zero_grad();
            self.count = 0;
        }
        due
    }

    /// Makes a step of the batches that are left, at the end of an epoch, if there are any; their gradients are scaled to
    /// be the mean over them. Returns whether there were.
    pub fn finish<T: Float>(&mut self, optimizer: &mut (impl Optimizer<T> + ?Sized)) -> bool {
        if self.count == 0 {
            return false;
        }
        let scale = T::from_f64(self.every as f64 / self.count as f64);
        for (_, parameter) in optimizer.parameters().iter() {
            if let Some(gradient) = parameter.grad() {
                parameter.set_grad(Some(gradient.map(|g| g * scale)));
            }
        }
        self.count = self.every;
        self.step(optimizer)
    }
}
