//! Numbers: element types, the table of derivatives, and the readings of a formula.
//!
//! | reading | of a [`Formula`] gives |
//! |---|---|
//! | [`Lane`] | the forward loop |
//! | [`Dual`] over `Lane` | the fused derivative loop |
//! | `Dual` over `Expr` | the derivative as recorded operations: any order; and as text |
//! | `Dual` over `Reads` | what the derivative reads, so what is kept |
//! | `Dual` over `f64` | forward mode |

pub(crate) mod dual;
pub(crate) mod expr;
pub(crate) mod float;
pub(crate) mod formula;
pub(crate) mod lane;
pub(crate) mod mathematics;
pub(crate) mod reads;
pub(crate) mod real;
pub mod table;
mod written;

pub use dual::{Dual, Slope};
pub use float::Float;
pub use formula::Formula;
pub use lane::Lane;
pub use real::Real;
