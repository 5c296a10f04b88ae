//! Runs one case of the conformance pack.

mod case;
mod compare;
mod operation;
mod pack;

mod attention;
mod conv;
mod elementwise;
mod graph;
mod init;
mod linalg;
mod loss;
mod model;
mod nn;
mod norm;
mod optimizer;
mod pool;
mod recurrent;
mod reduction;
mod scheduler;
mod shape;
mod training;

pub use case::{Case, Output};
pub use compare::compare;
pub use pack::{Manifest, Pack, Stored};

use std::panic::{AssertUnwindSafe, catch_unwind};
use wengert_autograd::Float;

/// What became of a case.
pub enum Verdict {
    Passed,
    Failed(String),
    Unsupported,
}

/// Passed, failed for a reason, or not supported.
pub type Outcome = Option<Result<(), String>>;

/// Runs a case; a panic is a failure.
pub fn run(manifest: &Manifest) -> Verdict {
    let attempt = catch_unwind(AssertUnwindSafe(|| match manifest.text("kind") {
        "op" => operation::run(manifest),
        "optimizer" => optimizer::run(manifest),
        "minimize" => optimizer::minimize(manifest),
        "scheduler" => scheduler::run(manifest),
        "init" => init::run(manifest),
        "model" => model::run(manifest),
        _ => None,
    }));
    match attempt {
        Ok(Some(Ok(()))) => Verdict::Passed,
        Ok(Some(Err(why))) => Verdict::Failed(why),
        Ok(None) => Verdict::Unsupported,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text =
                text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without text");
            Verdict::Failed(format!("panicked: {text}"))
        }
    }
}

/// The outputs of an operation, by the group that it belongs to; none if it is unknown.
fn apply<T: Float>(group: &str, op: &str, case: &Case<T>) -> Option<Vec<Output<T>>> {
    match group {
        "attention" => attention::apply(op, case),
        "conv" => conv::apply(op, case),
        "elementwise" => elementwise::apply(op, case),
        "graph" => graph::apply(op, case),
        "linalg" => linalg::apply(op, case),
        "loss" => loss::apply(op, case),
        "nn" => nn::apply(op, case),
        "norm" => norm::apply(op, case),
        "pool" => pool::apply(op, case),
        "recurrent" => recurrent::apply(op, case),
        "reduction" => reduction::apply(op, case),
        "shape" => shape::apply(op, case),
        "training" => training::apply(op, case),
        _ => None,
    }
}
