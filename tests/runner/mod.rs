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
mod whole;

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

/// The outputs of an operation; none if it is unknown. An operation has one name, whatever group its case is in.
fn apply<T: Float>(op: &str, case: &Case<T>) -> Option<Vec<Output<T>>> {
    type Group<T> = fn(&str, &Case<T>) -> Option<Vec<Output<T>>>;
    let groups: [Group<T>; 14] = [
        whole::apply,
        attention::apply,
        conv::apply,
        graph::apply,
        linalg::apply,
        loss::apply,
        nn::apply,
        norm::apply,
        pool::apply,
        recurrent::apply,
        reduction::apply,
        shape::apply,
        training::apply,
        elementwise::apply,
    ];
    groups.into_iter().find_map(|group| group(op, case))
}
