//! Tensors, the define-by-run graph, and the derivatives of Wengert.

mod scalar;
pub mod tensor;
