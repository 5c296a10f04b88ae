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

use serde::Serialize;
use std::process::ExitCode;
use wengert::check::{Entry, Examination, Gradcheck, Mutation, examine, registry, with_mutation};

/// What was asked for on the command line.
#[derive(Default)]
struct Options {
    json: bool,
    broken: Option<Mutation>,
    names: Vec<String>,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
        let mut options = Options::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--json" => options.json = true,
                "--break" => {
                    let named = |mutation: &Mutation| format!("{mutation:?}").to_lowercase();
                    let wanted = arguments.next().unwrap_or_default();
                    let known = || Mutation::ALL.iter().map(named).collect::<Vec<String>>().join(", ");
                    let found = Mutation::ALL.into_iter().find(|mutation| named(mutation) == wanted);
                    options.broken = Some(
                        found.ok_or_else(|| format!("--break {wanted:?}: it takes one of {}", known()))?,
                    );
                }
                name if registry().iter().any(|entry| entry.name == name) => options.names.push(argument),
                _ => return Err(format!("{argument:?} is neither --json, --break nor an operation")),
            }
        }
        Ok(options)
    }

    fn wants(&self, entry: &Entry) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| name == entry.name)
    }

    fn examine(&self, entry: &Entry) -> Examination {
        let examine = || examine(entry, &Gradcheck::new());
        match self.broken {
            Some(mutation) => with_mutation(entry.name, mutation, examine).0,
            None => examine(),
        }
    }
}

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    // A sample whose call panics fails its check; the table says so.
    std::panic::set_hook(Box::new(|_| {}));
    if !options.json {
        println!("{:<34}{:>6}{:>11}{:>11}  verdict", "operation", "cases", "order 1", "order 2");
    }
    let (mut passed, mut count) = (0, 0);
    for entry in registry().iter().filter(|entry| options.wants(entry)) {
        let found = options.examine(entry);
        count += 1;
        passed += usize::from(found.verdict.is_ok());
        println!("{}", if options.json { object(&found) } else { row(&found) });
    }
    if !options.json {
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
