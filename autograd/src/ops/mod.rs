//! The operations: one file a family, each with its forward pass, its rule and its documentation.

mod activations;
mod arithmetic;
mod diagonal;
mod dropout;
pub(crate) mod elementwise;
mod extremes;
mod functions;
pub(crate) mod fused;
mod gather;
mod index;
mod join;
mod logsumexp;
pub mod loss;
mod mask;
mod matmul;
mod operators;
mod pad;
pub(crate) mod reduction;
pub(crate) mod registry;
mod reorder;
mod scan;
pub(crate) mod shape;
mod similarity;
mod slice;
mod softmax;
mod statistics;
mod vector_norm;

pub use elementwise::apply_formula;
pub use fused::Fused;
pub use index::embedding;
pub use mask::where_;
pub use pad::Padding;
pub use reduction::IntoAxes;
pub(crate) use reduction::sum_to;
pub use similarity::{cosine_similarity, pairwise_distance};
pub(crate) use slice::{add_region, place};
