//! The operations: one file a family, each with its forward pass, its rule and its documentation.

mod activations;
mod arithmetic;
pub(crate) mod elementwise;
mod functions;
pub(crate) mod fused;
mod matmul;
mod operators;
pub(crate) mod reduction;
pub(crate) mod registry;
pub(crate) mod shape;

pub use elementwise::apply_formula;
pub use fused::Fused;
pub use reduction::IntoAxes;
pub(crate) use reduction::sum_to;
pub(crate) use shape::{add_region, place};
