//! Reverse-mode automatic differentiation with a define-by-run graph, and neural networks on it.
//!
//! ```
//! use wengert::prelude::*;
//!
//! #[derive(Module)]
//! struct Net { hidden: Linear, out: Linear }
//!
//! impl Net {
//!     fn forward(&self, x: &Variable) -> Variable {
//!         self.out.forward(&self.hidden.forward(x).relu())
//!     }
//! }
//!
//! let net = Net { hidden: Linear::new(2, 8), out: Linear::new(8, 1) };
//! let mut adam = Adam::new(net.named_parameters()).lr(0.05);
//! let x = Variable::from([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
//! let y = Variable::from([[0.0], [1.0], [1.0], [2.0]]);
//! for _ in 0..200 {
//!     let loss = (net.forward(&x) - &y).square().mean();
//!     adam.zero_grad();
//!     loss.backward();
//!     adam.step();
//! }
//! assert!((net.forward(&x) - &y).abs().value().iter().all(|error| error < 0.5));
//! ```
//!
//! | module | what |
//! |---|---|
//! | this one | tensors, variables, operations, derivatives: everything of [`wengert_autograd`] |
//! | [`nn`] | modules, layers, losses, initialisers |
//! | [`optim`] | optimisers |
//! | [`datasets`] | data sets and loaders |
//! | `checkpoint` | the state of a training run in a file (feature `checkpoint`, on by default) |
//! | `plot` | charts as SVG (feature `plot`) |
//! | [`storage`] | weights in files, both ways with PyTorch |
//! | [`train`] | the training loop, with metrics and callbacks |
//! | [`prelude`] | the names that most programs need |
//! | [`guide`] | how to use all this, chapter by chapter |

#![forbid(unsafe_code)]

#[cfg(feature = "checkpoint")]
pub mod checkpoint;

pub mod guide;

pub use wengert_autograd::*;
pub use wengert_datasets as datasets;
pub use wengert_optim as optim;

/// Modules, layers, losses and initialisers: [`wengert_nn`].
pub mod nn {
    // The derive of users of this crate, whose paths begin with `wengert`; it goes before the one that the glob brings.
    pub use wengert_nn::FacadeModule as Module;
    pub use wengert_nn::*;
}

#[cfg(feature = "plot")]
pub mod plot;
pub mod storage;
pub mod train;

/// `use wengert::prelude::*`: the names that most programs need.
pub mod prelude {
    pub use crate::datasets::{DataLoader, Dataset, Mnist};
    pub use crate::loss::{binary_cross_entropy_with_logits, cross_entropy, mse_loss};
    pub use crate::nn::layers::*;
    pub use crate::nn::losses::*;
    pub use crate::nn::{Buffer, Init, Layer, Module, Sequential, StateDict, Training};
    pub use crate::optim::{Adam, AdamW, Optimizer, Sgd};
    pub use crate::train::Trainer;
    pub use crate::{Float, NamedParameters, Tensor, Variable, grad, manual_seed, no_grad, s, tensor};
}

/// The README's examples run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
