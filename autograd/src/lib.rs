//! Tensors, the define-by-run graph, and the derivatives of Wengert.

mod blocks;
#[cfg(feature = "check")]
pub mod check;
mod functional;
mod graph;
pub mod inspect;
mod kernel;
mod ops;
mod owners;
pub mod scalar;
pub mod tensor;

pub use functional::{Grad, Outputs, grad, hessian, hvp, jacobian, jvp, vjp};
pub use graph::{
    Anomaly, Context, Cotangents, Gradient, Grads, Keep, NamedParameters, Op, Region, Variable, checkpoint,
    detect_anomaly, enable_grad, find_anomaly, is_grad_enabled, live_nodes, manual_seed, no_grad,
    random_state, set_random_state, split_generator,
};
pub use kernel::{
    parallel::{ThreadsError, join, parallel, set_threads},
    update::{GradientsSeen, update_parameter, watch_gradients},
};
#[doc(hidden)]
pub use ops::own::names as __elementwise;
pub use ops::{BatchMoments, ConvOptions, ConvPadding, ConvTransposeOptions, Interpolation, PoolOptions};
pub use ops::{
    Fused, InProjection, IntoAxes, MultiHeadAttention, Nonlinearity, Padding, RecurrentOptions,
    RecurrentWeights, ScaledDotProductAttention, Triangle, apply_formula, cosine_similarity, einsum,
    embedding, gru, gru_cell, loss, lstm, lstm_cell, multi_head_attention, pairwise_distance, rnn, rnn_cell,
    scaled_dot_product_attention, where_,
};
pub use scalar::Float;
pub use tensor::Tensor;
