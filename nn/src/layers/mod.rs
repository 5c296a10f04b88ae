//! The layers, with PyTorch's names, layouts, defaults and first values.

mod activation;
mod linear;
mod shape;

pub use activation::*;
pub use linear::Linear;
pub use shape::{Flatten, Identity, Unflatten};
