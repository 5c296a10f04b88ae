//! The training loop, for those who do not want to write it again: [`Trainer`], its [`metrics`] and its callbacks.
//!
//! ```
//! use wengert::{prelude::*, train::{EarlyStopping, Trainer, metrics::Accuracy}};
//! use wengert::datasets::{TensorDataset, toy};
//!
//! # fn main() -> Result<(), wengert::train::TrainError> {
//! let net = Sequential::new((Linear::new(2, 16), Tanh, Linear::new(16, 2)));
//! let moons = |seed| TensorDataset::new(toy::moons(200, 0.1, seed));
//! let train = moons(0).loader().batch_size(20).shuffle(0);
//! let validation = moons(1).loader().batch_size(100);
//!
//! let history = Trainer::new(&net, Layer::forward, cross_entropy, Adam::new(net.named_parameters()).lr(0.02))
//!     .epochs(15)
//!     .metric(Accuracy::new())
//!     .validation(&validation)
//!     .callback(EarlyStopping::new("val_loss").patience(3))
//!     .fit(&train)?;
//! assert!(history.last("val_accuracy").unwrap() > 0.85);
//! # Ok(())
//! # }
//! ```
//!
//! A trainer is given the four things that a training is made of: the model, what it computes from an input, what that
//! costs against a target, and who makes the steps. The first two are functions, of any types that fit together; so a
//! model may take a pair and give a triple, and a loss may be of one's own. What it does with them is the loop that
//! everybody writes,
//!
//! ```no_run
//! # use wengert::prelude::*;
//! # let net = Linear::new(2, 2);
//! # let mut adam = Adam::new(net.named_parameters());
//! # let loader = vec![(vec![0.0_f32; 2], 0_i64)].loader().map(|_| (Variable::zeros([1, 2]), Tensor::zeros([1])));
//! for (x, y) in &loader {
//!     let loss = cross_entropy(&net.forward(&x), &y);
//!     adam.zero_grad();
//!     loss.backward();
//!     adam.step();
//! }
//! ```
//!
//! and which one goes on writing where a training is not of this form: two optimisers in turn, a closure for
//! [`Lbfgs`](crate::optim::Lbfgs), a loss of gradients. [`metrics`], [`StopFlag`] and
//! [`Checkpoint`](crate::checkpoint::Checkpoint) serve such a loop as well. Nothing here prints, except for a callback
//! whose purpose it is.

mod callback;
mod callbacks;
mod class_weights;
mod error;
mod history;
mod learning_rate;
pub mod metrics;
#[cfg(feature = "checkpoint")]
mod resume;
mod stop;
mod trainer;

pub use callback::{Callback, CallbackState, Progress, Run};
pub use callbacks::*;
pub use class_weights::class_weights;
pub use error::TrainError;
pub use history::{Epoch, History, Measurements};
pub use learning_rate::LearningRateCurve;
pub use stop::StopFlag;
pub use trainer::Trainer;
