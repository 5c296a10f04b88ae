//! Tensors, the define-by-run graph, and the derivatives of Wengert.

#[cfg(feature = "check")]
pub mod check;
mod functional;
mod graph;
mod kernel;
mod ops;
pub mod scalar;
pub mod tensor;

pub use functional::{Grad, grad};
pub use graph::{
    Context, Cotangents, Gradient, Grads, Keep, Op, Region, Variable, enable_grad, is_grad_enabled,
    live_nodes, no_grad,
};
pub use kernel::parallel::{join, parallel};
pub use ops::{Fused, IntoAxes, apply_formula};
pub use scalar::Float;
pub use tensor::Tensor;
