//! The layers, with PyTorch's names, layouts, defaults and first values.

mod activation;
mod dropout;
mod embedding;
mod linear;
mod shape;

pub use activation::*;
pub use dropout::{AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d};
pub use embedding::{BagMode, Embedding, EmbeddingBag};
pub use linear::{Bilinear, Linear};
pub use shape::{Flatten, Identity, Unflatten};
