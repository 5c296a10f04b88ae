//! What the fuzz targets do with their bytes, one module a target.
//!
//! A target of libFuzzer is one line that calls `run` of its module. The test `fuzz_regressions` of the main package includes
//! this file and runs the same functions over `corpus/` and `regressions/` with stable Rust, so nothing here knows libFuzzer.

pub mod checkpoint;
pub mod choices;
pub mod csv;
pub mod graphs;
pub mod idx;
pub mod npy;
pub mod npz;
pub mod safetensors;
mod scratch;
pub mod views;

/// A target: its name, which is that of its corpus too, and what it does. It panics where something is wrong.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("checkpoint", checkpoint::run),
    ("csv", csv::run),
    ("graphs", graphs::run),
    ("idx", idx::run),
    ("npy", npy::run),
    ("npz", npz::run),
    ("safetensors", safetensors::run),
    ("views", views::run),
];
