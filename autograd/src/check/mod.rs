//! Is a derivative right? Tools that answer, for this library's operations and for yours.
//!
//! Every operation declares sample inputs beside its rule, and is one line of the [registry]; the registry's tests take
//! them through finite differences of the first and second order, strided, empty and repeated inputs, both precisions,
//! and any number of threads.

pub mod distributions;
pub mod random;
mod sample;

pub use crate::ops::registry::{Entry, registry};
pub use distributions::Input;
pub use sample::{Outputs, Precision, Sample};
