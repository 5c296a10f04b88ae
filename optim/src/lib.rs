//! Optimisers on Wengert.
//!
//! ```
//! use wengert_autograd::{NamedParameters, Tensor, Variable};
//! use wengert_optim::{Adam, Optimizer};
//!
//! let w = Variable::parameter(Tensor::<f32>::ones([3]));
//! let mut adam = Adam::new(NamedParameters::from_iter([("w", w.clone())])).lr(0.1);
//! for _ in 0..100 {
//!     adam.zero_grad();
//!     (&w * &w).sum().backward();
//!     adam.step();
//! }
//! assert!(w.value().iter().all(|x| x.abs() < 0.1));
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`rule`] | [`Rule`] and [`FirstOrder`], on which most optimisers stand; [`Optimizer`], which all implement |
//! | [`lbfgs`] | a quasi-Newton method |
//! | [`GradientAccumulation`], [`clip_grad_norm`], [`add_gradient_noise`] | what is done with gradients before a step |
//! | [`averaging`] | moving averages of the parameters |
//! | [`schedule`] | learning rates that change |
//! | [`state`] | what an optimiser remembers, by parameter name |
//!
//! Formulas are those of the papers and of PyTorch to the last term.

#![forbid(unsafe_code)]

mod accumulation;
mod adam;
mod adam_variants;
mod adaptive;
pub mod averaging;
mod clip;
mod layerwise;
pub mod lbfgs;
mod noise;
pub mod rule;
pub mod schedule;
mod sgd;
mod sign;
pub mod state;

pub use accumulation::GradientAccumulation;
pub use adam::{Adam, AdamRule, AdamW, AdamWRule};
pub use adam_variants::{Adamax, AdamaxRule, NAdam, NAdamRule, RAdam, RAdamRule};
pub use adaptive::{Adadelta, AdadeltaRule, Adagrad, AdagradRule, RmsProp, RmsPropRule};
pub use averaging::{AveragedParameters, Averaging};
pub use clip::{clip_grad_norm, clip_grad_value};
pub use layerwise::{Lamb, LambRule, Muon, MuonRule};
pub use lbfgs::Lbfgs;
pub use noise::add_gradient_noise;
pub use rule::{FirstOrder, Optimizer, Rule, Slot};
pub use sgd::{Sgd, SgdRule};
pub use sign::{Lion, LionRule, Rprop, RpropRule};
pub use state::{OptimizerState, ParameterState, StateError};
