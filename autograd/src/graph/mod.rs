//! The define-by-run graph: variables, nodes, and the engine that walks back.
//!
//! | file | what |
//! |---|---|
//! | [`variable`] | the handle that users hold, and how an operation is recorded |
//! | [`node`] | leaves, nodes, edges: the record; dropping without recursion |
//! | [`op`] | the trait of an operation and its rule |
//! | [`engine`] | the chain rule over the record |
//! | [`mode`] | whether to record |

pub(crate) mod engine;
pub(crate) mod mode;
pub(crate) mod node;
pub(crate) mod op;
pub(crate) mod variable;

pub use mode::{enable_grad, is_grad_enabled, no_grad};
pub use node::live_nodes;
pub use op::{Context, Cotangents, Gradient, Grads, Keep, Op, Region};
pub use variable::Variable;
