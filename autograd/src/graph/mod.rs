//! The define-by-run graph: variables, nodes, and the engine that walks back.
//!
//! | file | what |
//! |---|---|
//! | [`variable`] | the handle that users hold, and how an operation is recorded |
//! | [`convert`] | variables from numbers |
//! | [`label`] | names, operations and lines of variables |
//! | [`node`] | leaves, nodes, edges: the record; dropping without recursion |
//! | [`op`] | the trait of an operation and its rule |
//! | [`engine`] | the chain rule over the record |
//! | [`mode`] | whether to record |
//! | [`checkpoint`] | computing again instead of keeping |
//! | [`anomaly`] | who made the first NaN |
//! | [`named`] | what a model hands to an optimiser |
//! | [`seed`] | the process's random numbers |

mod anomaly;
mod checkpoint;
mod convert;
pub(crate) mod engine;
mod label;
pub(crate) mod mode;
pub(crate) mod named;
pub(crate) mod node;
pub(crate) mod op;
pub(crate) mod seed;
pub(crate) mod shared;
pub(crate) mod variable;

pub use anomaly::{Anomaly, detect_anomaly, find_anomaly};
pub use checkpoint::checkpoint;
pub use mode::{enable_grad, is_grad_enabled, no_grad};
pub use named::NamedParameters;
pub use node::live_nodes;
pub use op::{Context, Cotangents, Gradient, Grads, Keep, Op, Region};
pub use seed::{manual_seed, random_state, set_random_state, split_generator};
pub use variable::Variable;
