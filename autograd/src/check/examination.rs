//! What the registry's checks say about one operation: a line of the table.

use super::{Entry, Gradcheck, Report, Sample, Verdict, report::literal};
use crate::{graph::Variable, tensor::Tensor};
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// The result of all difference checks of an operation.
#[derive(Clone, Debug)]
#[must_use]
pub struct Examination {
    /// The operation.
    pub op: &'static str,
    /// How many of its samples were compared with differences.
    pub cases: usize,
    /// The largest relative error of the first derivatives.
    pub order1: f64,
    /// The largest relative error of the second derivatives; none if no sample has any.
    pub order2: Option<f64>,
    /// `pass`, or what is wrong: sample, order and the report.
    pub verdict: Result<(), String>,
}

/// The checks of order 1 and 2 of every sample of an operation, with the settings of `check`.
pub fn examine(entry: &Entry, check: &Gradcheck) -> Examination {
    let mut examination =
        Examination { op: entry.name, cases: 0, order1: 0.0, order2: None, verdict: Ok(()) };
    for sample in entry.samples() {
        for order in 1..=sample.highest_order().min(2) {
            examination.cases += usize::from(order == 1);
            let attempt = catch_unwind(AssertUnwindSafe(|| {
                check_sample(&sample, sample.draw(1), &check.clone().order(order))
            }));
            let (error, failure) = match attempt.unwrap_or_else(|panic| Err(text(&*panic))) {
                Ok(report) => {
                    let wrong = report.verdict() != Verdict::Pass;
                    (report.error(), wrong.then(|| report.to_string()))
                }
                Err(error) => (f64::INFINITY, Some(error)),
            };
            match order {
                1 => examination.order1 = examination.order1.max(error),
                _ => examination.order2 = Some(examination.order2.unwrap_or(0.0).max(error)),
            }
            if let (Some(failure), true) = (failure, examination.verdict.is_ok()) {
                let (name, text) = (sample.name, sample.text);
                examination.verdict = Err(format!("{name} ({text}), order {order}: {failure}"));
            }
        }
    }
    examination
}

fn text(panic: &(dyn Any + Send)) -> String {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    format!(
        "panicked: {}",
        owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a text")
    )
}

/// Checks one sample at given inputs, with respect to those that are not constants.
fn check_sample(sample: &Sample, inputs: Vec<Tensor<f64>>, check: &Gradcheck) -> Result<Report, String> {
    let varied: Vec<usize> = (0..inputs.len()).filter(|&i| !sample.inputs[i].1.is_constant()).collect();
    let given: Vec<Tensor<f64>> = varied.iter().map(|&i| inputs[i].clone()).collect();
    let call = |x: &[Variable<f64>]| {
        let mut all: Vec<Variable<f64>> = inputs.iter().cloned().map(Variable::new).collect();
        for (&i, x) in varied.iter().zip(x) {
            all[i] = x.clone();
        }
        sample.run(&all)
    };
    let report = check.check(call, &given).map_err(|error| error.to_string())?;
    Ok(Report { function: Some(definition(sample, &inputs, &varied)), ..report })
}

/// The call of a sample as the definition of a closure `f`, its constants before it.
fn definition(sample: &Sample, inputs: &[Tensor<f64>], varied: &[usize]) -> String {
    let mut code = String::new();
    for (input, (name, kind)) in inputs.iter().zip(&sample.inputs) {
        if kind.is_constant() {
            code += &format!("let {name} = &Variable::new({});\n", literal(input));
        }
    }
    let names: Vec<&str> = varied.iter().map(|&i| sample.inputs[i].0).collect();
    let text: Vec<&str> = sample.text.split_whitespace().collect();
    code += "let f = |x: &[Variable<f64>]| {\n";
    code += &format!(
        "    let [{}] = x else {{ unreachable!() }};\n    {}\n}};",
        names.join(", "),
        text.join(" ")
    );
    code
}

impl Sample {
    /// Compares the derivatives of this call with differences, at the given inputs.
    ///
    /// # Errors
    /// A [`CheckError`](super::CheckError) in words.
    pub fn check(&self, inputs: Vec<Tensor<f64>>, check: &Gradcheck) -> Result<Report, String> {
        check_sample(self, inputs, check)
    }
}
