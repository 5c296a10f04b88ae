//! Layers, losses and initialisers on Wengert.
//!
//! ```
//! use wengert_autograd::Variable;
//! use wengert_nn::{Layer, Linear, Module};
//!
//! #[derive(Module)]
//! struct Net {
//!     hidden: Linear,
//!     out: Linear,
//! }
//!
//! impl Net {
//!     fn forward(&self, x: &Variable) -> Variable {
//!         self.out.forward(&self.hidden.forward(x).relu())
//!     }
//! }
//!
//! let net = Net { hidden: Linear::new(4, 8), out: Linear::new(8, 2) };
//! net.forward(&Variable::zeros([1, 4])).sum().backward();
//! assert!(net.missing_gradients().is_empty());
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`module`] | [`Module`]: parameters by dotted names, and what follows from them |
//! | [`layer`] | [`Layer`]: a module that is a function; [`Sequential`] |
//! | [`init`] | [`Init`]: first values |
//! | [`layers`] | the layers |
//! | [`losses`] | losses as modules |
//!
//! Names, layouts, defaults and first values are PyTorch's, so that weights cross over.

#![forbid(unsafe_code)]

pub mod init;
pub mod layer;
pub mod layers;
pub mod losses;
pub mod module;

pub use init::{Fan, Init, Nonlinearity};
pub use layer::{AnyLayer, Lambda, Layer, Sequential};
pub use layers::*;
pub use losses::*;
pub use module::{
    Buffer, Module, ShapeMismatch, StateDict, StateDictError, Summary, Training, Unmatched, Visitor,
    VisitorMut,
};
#[doc(hidden)]
pub use wengert_nn_derive::FacadeModule;
pub use wengert_nn_derive::Module;
