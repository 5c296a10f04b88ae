//! Checks every operation against differences and prints a table.
//!
//! `cargo run --release --example gradcheck` for people, with `-- --json` one object a line for programs. The exit code
//! is 1 unless every operation passes.

use serde_json::json;
use std::process::ExitCode;
use wengert::check::{Examination, Gradcheck, examine, registry};

fn main() -> ExitCode {
    let as_json = std::env::args().any(|argument| argument == "--json");
    // A sample whose call panics fails its check; the table says so.
    std::panic::set_hook(Box::new(|_| {}));
    if !as_json {
        println!("{:<34}{:>6}{:>11}{:>11}  verdict", "operation", "cases", "order 1", "order 2");
    }
    let (mut passed, mut count) = (0, 0);
    for entry in registry() {
        let found = examine(&entry, &Gradcheck::new());
        count += 1;
        passed += usize::from(found.verdict.is_ok());
        println!("{}", if as_json { object(&found) } else { row(&found) });
    }
    if !as_json {
        println!(
            "{passed} of {count} operations pass; errors are relative to the largest entry of the gradient"
        );
    }
    if passed == count { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn row(found: &Examination) -> String {
    let second = found.order2.map_or("-".into(), |error| format!("{error:.1e}"));
    let verdict = verdict(found);
    format!(
        "{:<34}{:>6}{:>11}{second:>11}  {verdict}",
        found.op,
        found.cases,
        format!("{:.1e}", found.order1)
    )
}

fn object(found: &Examination) -> String {
    let Examination { op, cases, order1, order2, .. } = found;
    json!({ "op": op, "cases": cases, "order1": order1, "order2": order2, "verdict": verdict(found) })
        .to_string()
}

fn verdict(found: &Examination) -> &str {
    match &found.verdict {
        Ok(()) => "pass",
        Err(why) => why.trim_end(),
    }
}
