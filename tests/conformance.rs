//! The conformance pack: values, gradients and second derivatives computed by PyTorch and ONNX, reproduced here.
//!
//! `cargo test --test conformance` runs all cases in `tests/conformance/`, or in the directory that `CONFORMANCE_DIR`
//! names; `cargo test --test conformance -- conv` those whose group or name contains `conv`. What the cases mean stands
//! in `tests/conformance/README.md`. Tolerances come from the cases alone. An operation is one arm of a `match` in the
//! file of its group, under `tests/runner/`.

#![allow(unreachable_pub, reason = "everything in a test is private to it")]

#[path = "runner/mod.rs"]
mod runner;

use runner::{Pack, Verdict};
use std::{path::PathBuf, process::ExitCode};

fn main() -> ExitCode {
    // What the test harness would understand (`--nocapture`) is of no concern; there is nothing to list.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let filters: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let directory = std::env::var_os("CONFORMANCE_DIR").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance")),
        PathBuf::from,
    );
    let pack = match Pack::open(&directory) {
        Ok(pack) => pack,
        Err(error) => {
            eprintln!("conformance: {error}");
            return ExitCode::FAILURE;
        }
    };
    // A case that panics fails with the panic's text; the default hook would print each of them as well.
    std::panic::set_hook(Box::new(|_| {}));
    let (mut passed, mut failed, mut unsupported) = (0, 0, 0);
    for manifest in pack.manifests() {
        let (name, group) = (manifest.text("case"), manifest.text("group"));
        if !filters.is_empty() && !filters.iter().any(|f| name.contains(f.as_str()) || group == f.as_str()) {
            continue;
        }
        match runner::run(&manifest) {
            Verdict::Passed => passed += 1,
            Verdict::Failed(why) => {
                failed += 1;
                println!("FAIL {name}: {why}");
            }
            Verdict::Unsupported => {
                unsupported += 1;
                println!("UNSUPPORTED {name}");
            }
        }
    }
    println!("conformance: {passed} passed, {failed} failed, {unsupported} unsupported");
    if failed + unsupported == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
