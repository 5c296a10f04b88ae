//! Checks every operation against differences and prints a table.
//!
//! ```sh
//! cargo run --release --example gradcheck                            # all operations, a line each
//! cargo run --release --example gradcheck -- atan2 conv2d            # these only
//! cargo run --release --example gradcheck -- --json                  # one object a line, for programs
//! cargo run --release --example gradcheck -- --break negated atan2   # with the rule of atan2 broken on purpose
//! ```
//!
//! The exit code is 1 unless every operation passes.

mod arguments;

use arguments::{Arguments, Outcome, Wrong};
use serde::Serialize;
use std::process::ExitCode;
use wengert::check::{Entry, Examination, Gradcheck, Mutation, examine, registry, with_mutation};

/// Which rules to break, by their name in lower case.
fn mutation(name: &str) -> Result<Mutation, Wrong> {
    let named = |mutation: &Mutation| format!("{mutation:?}").to_lowercase();
    Mutation::ALL.into_iter().find(|mutation| named(mutation) == name).ok_or_else(|| {
        let known: Vec<String> = Mutation::ALL.iter().map(named).collect();
        Wrong(format!("--break: {name} is none of {}", known.join(", ")))
    })
}

fn work(arguments: &Arguments) -> Outcome {
    let (json, names) = (arguments.flag("--json"), arguments.words());
    let broken: Option<String> = arguments.given("--break");
    let broken = broken.as_deref().map(mutation).transpose()?;
    if let Some(name) = names.iter().find(|name| registry().iter().all(|entry| entry.name != **name)) {
        return Err(Wrong(format!("there is no operation {name}")).into());
    }
    // A sample whose call panics fails its check; the table says so.
    std::panic::set_hook(Box::new(|_| {}));
    if !json {
        println!("{:<34}{:>6}{:>11}{:>11}  verdict", "operation", "cases", "order 1", "order 2");
    }
    let (mut passed, mut count) = (0, 0);
    let wanted = |entry: &&Entry| names.is_empty() || names.iter().any(|name| name == entry.name);
    for entry in registry().iter().filter(wanted) {
        let examine = || examine(entry, &Gradcheck::new());
        let found = match broken {
            Some(mutation) => with_mutation(entry.name, mutation, examine).0,
            None => examine(),
        };
        count += 1;
        passed += usize::from(found.verdict.is_ok());
        println!("{}", if json { object(&found) } else { row(&found) });
    }
    if !json {
        println!(
            "{passed} of {count} operations pass; errors are relative to the largest entry of the gradient"
        );
    }
    if passed == count { Ok(()) } else { Err(format!("{} operations fail", count - passed).into()) }
}

fn main() -> ExitCode {
    arguments::run(&["--json", "--break MUTATION", "OPERATION"], work)
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
    #[derive(Serialize)]
    struct Object<'a> {
        op: &'a str,
        cases: usize,
        order1: f64,
        order2: Option<f64>,
        verdict: &'a str,
    }
    let Examination { op, cases, order1, order2, .. } = *found;
    let object = Object { op, cases, order1, order2, verdict: verdict(found) };
    serde_json::to_string(&object).expect("numbers and texts")
}

fn verdict(found: &Examination) -> &str {
    match &found.verdict {
        Ok(()) => "pass",
        Err(why) => why.trim_end(),
    }
}
