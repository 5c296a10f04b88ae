//! The operations: one file a family, each with its forward pass, its rule and its documentation.

mod activations;
mod arithmetic;
mod attention;
pub(crate) mod conv;
mod diagonal;
mod dropout;
mod einsum;
pub(crate) mod elementwise;
mod extremes;
mod factor;
mod functions;
pub(crate) mod fused;
mod gather;
mod index;
mod join;
mod logsumexp;
pub mod loss;
mod mask;
mod matmul;
pub(crate) mod norm;
mod operators;
mod orthogonal;
pub(crate) mod own;
mod pad;
pub(crate) mod pool;
mod products;
mod recurrent;
pub(crate) mod reduction;
pub(crate) mod registry;
mod reorder;
pub(crate) mod resample;
mod scan;
pub(crate) mod shape;
mod similarity;
mod slice;
mod softmax;
mod statistics;
mod tensor_operators;
mod vector_norm;

pub use attention::{
    InProjection, MultiHeadAttention, ScaledDotProductAttention, multi_head_attention,
    scaled_dot_product_attention,
};
pub use conv::{ConvOptions, ConvPadding, ConvTransposeOptions};
pub(crate) use dropout::Drops;
pub use einsum::einsum;
pub use elementwise::apply_formula;
pub use factor::Triangle;
pub use fused::Fused;
pub(crate) use fused::alias;
pub use index::embedding;
pub use mask::where_;
pub use norm::BatchMoments;
pub use pad::Padding;
pub use pool::PoolOptions;
pub use recurrent::{
    Nonlinearity, RecurrentOptions, RecurrentWeights, gru, gru_cell, lstm, lstm_cell, rnn, rnn_cell,
};
pub use reduction::IntoAxes;
pub(crate) use reduction::sum_to;
pub use resample::Interpolation;
pub use similarity::{cosine_similarity, pairwise_distance};
pub(crate) use slice::{add_region, place};
