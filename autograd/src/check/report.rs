//! What a gradient check found, in numbers and in words.

use super::Gradcheck;
use crate::tensor::{Dims, Tensor};
use std::{fmt, panic::Location};

/// What was found about one input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The gradient agrees with the differences.
    Pass,
    /// It does not, and the differences can be trusted.
    Wrong,
    /// The differences to the left and to the right disagree: there is no derivative here to compare with.
    Kink,
    /// Differences with different steps disagree with one another: they say nothing.
    IllConditioned,
    /// The same inputs gave different bits the second time.
    Nondeterministic,
}

impl Verdict {
    /// Which of two verdicts about entries of one input is that about the input: the greater.
    pub(super) fn severity(self) -> u8 {
        match self {
            Verdict::Pass => 0,
            Verdict::IllConditioned => 1,
            Verdict::Kink => 2,
            Verdict::Wrong => 3,
            Verdict::Nondeterministic => 4,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Pass => "pass",
            Verdict::Wrong => "wrong",
            Verdict::Kink => "kink",
            Verdict::IllConditioned => "ill-conditioned",
            Verdict::Nondeterministic => "nondeterministic",
        })
    }
}

/// The entry of a gradient that agrees least, of those with the gravest verdict.
#[derive(Clone, Debug)]
pub struct WorstEntry {
    /// Where it stands in the input; the direction's number in projected mode.
    pub index: Vec<usize>,
    /// What the rules say.
    pub analytic: f64,
    /// What differences say.
    pub numeric: f64,
    /// Their distance relative to the largest entry of the gradient.
    pub error: f64,
}

/// What was found about one input.
#[derive(Clone, Debug)]
pub struct InputReport {
    /// Which input: `input 0`, or `cotangent 0` in checks of second order, whose gradients depend on them.
    pub name: String,
    /// Its shape.
    pub shape: Dims,
    /// The verdict.
    pub verdict: Verdict,
    /// The entry that agrees least; none if the input is empty.
    pub worst: Option<WorstEntry>,
}

impl InputReport {
    /// The largest relative error of any entry.
    pub fn error(&self) -> f64 {
        self.worst.as_ref().map_or(0.0, |worst| worst.error)
    }
}

/// The result of a gradient check; [`Display`](fmt::Display) explains it.
#[derive(Clone, Debug)]
#[must_use = "a report may say that a gradient is wrong: ask whether it passed()"]
pub struct Report {
    /// Of which order the derivatives are.
    pub order: usize,
    /// One for each input.
    pub inputs: Vec<InputReport>,
    pub(super) operation: Option<(&'static str, &'static Location<'static>)>,
    pub(super) given: Vec<Tensor<f64>>,
    pub(super) check: Gradcheck,
    /// Code that defines `f`, where it is known.
    pub(super) function: Option<String>,
}

impl Report {
    /// Did every input pass?
    pub fn passed(&self) -> bool {
        self.inputs.iter().all(|input| input.verdict == Verdict::Pass)
    }

    /// The verdict about the whole function: the first that is not [`Verdict::Pass`].
    pub fn verdict(&self) -> Verdict {
        let verdicts = self.inputs.iter().map(|input| input.verdict);
        verdicts.into_iter().find(|verdict| *verdict != Verdict::Pass).unwrap_or(Verdict::Pass)
    }

    /// The largest relative error of any input.
    pub fn error(&self) -> f64 {
        self.inputs.iter().map(InputReport::error).fold(0.0, f64::max)
    }

    /// The operation that computed the first output, and the line that recorded it.
    pub fn operation(&self) -> Option<(&'static str, &'static Location<'static>)> {
        self.operation
    }

    /// A test that repeats the check, as Rust code. In it `f` is the function under check; samples of the registry come with
    /// their definition of it.
    pub fn test(&self) -> String {
        let name = self.operation.map_or("f", |(name, _)| name);
        let mut code = format!("#[test]\nfn gradient_of_{name}() {{\n");
        for (i, input) in self.given.iter().enumerate() {
            code += &format!("    let x{i} = {};\n", literal(input));
        }
        if let Some(function) = &self.function {
            function.lines().for_each(|line| code += &format!("    {line}\n"));
        }
        let names: Vec<String> = (0..self.given.len()).map(|i| format!("x{i}")).collect();
        let (names, settings) = (names.join(", "), self.check.settings());
        code += &match settings.as_str() {
            "" => format!("    assert_gradients!(f, &[{names}]);\n"),
            _ => format!(
                "    let report = Gradcheck::new(){settings}.check(f, &[{names}]).unwrap();\n    \
                 assert!(report.passed(), \"{{report}}\");\n"
            ),
        };
        code + "}\n"
    }
}

/// A tensor as Rust code.
pub(super) fn literal(tensor: &Tensor<f64>) -> String {
    let number = |value: f64| match value {
        _ if value.is_nan() => "f64::NAN".to_string(),
        f64::INFINITY => "f64::INFINITY".into(),
        f64::NEG_INFINITY => "f64::NEG_INFINITY".into(),
        _ => format!("{value:?}"),
    };
    let values: Vec<String> = tensor.iter().map(number).collect();
    format!("Tensor::<f64>::from_vec(vec![{}], {:?}).unwrap()", values.join(", "), tensor.shape())
}

/// Inputs of more elements than this are not written out in a report.
const LONGEST: usize = 100;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.inputs.iter().filter(|input| input.verdict != Verdict::Pass).count();
        match failed {
            0 => writeln!(f, "derivatives of order {}: all of {} pass", self.order, self.inputs.len())?,
            _ => writeln!(f, "derivatives of order {}: {failed} of {} fail", self.order, self.inputs.len())?,
        }
        for input in &self.inputs {
            let (name, shape, verdict) = (&input.name, input.shape, input.verdict);
            writeln!(f, "  {name} {shape:?}: {verdict}, relative error {:.1e}", input.error())?;
            if let (Some(worst), true) = (&input.worst, verdict != Verdict::Pass) {
                let WorstEntry { index, analytic, numeric, error } = worst;
                let place = if self.check.is_projected() { "along random direction" } else { "at" };
                writeln!(
                    f,
                    "    {place} {index:?}: analytic {analytic:e}, numeric {numeric:e}, error {error:.1e}"
                )?;
            }
        }
        if failed > 0 {
            if let Some((name, line)) = self.operation {
                writeln!(f, "  the function ends in {name}, recorded at {line}")?;
            }
            if self.given.iter().any(|input| input.len() > LONGEST) {
                return writeln!(
                    f,
                    "  to repeat it: the inputs are large; Report::test() writes out the test"
                );
            }
            writeln!(f, "  to repeat it:")?;
            for line in self.test().lines() {
                writeln!(f, "    {line}")?;
            }
        }
        Ok(())
    }
}
