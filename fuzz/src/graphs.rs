//! Random graphs of the registry's operations: derivatives against finite differences in f64.
//!
//! A graph is a list of steps. Each takes a call from the registry and feeds it: an input is a constant of the sample's own
//! distribution plus a small smooth function of something that the graph has computed already, so that every operation
//! stays where its derivative exists while derivatives flow through all of them.

use super::choices::Choices;
use std::sync::OnceLock;
use wengert::{
    Tensor, Variable,
    check::{Gradcheck, Sample, Verdict, registry},
};

/// How far a value of the graph moves an input: less than the distributions keep from kinks, ties and poles.
const REACH: f64 = 0.02;

/// Builds the graph that the bytes describe and checks its derivatives.
pub fn run(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let seed = u64::from(choices.byte());
    let twice = choices.byte() & 7 == 0;
    let steps: Vec<Step> =
        (0..5).map_while(|k| choices.any().then(|| Step::choose(&mut choices, k))).collect();
    if steps.is_empty() {
        return;
    }
    let leaves = [
        Tensor::from_fn([2, 3], |at| 0.3 * (1 + at[0] * 3 + at[1]) as f64 - 1.0),
        Tensor::from_fn([4], |at| 0.7 - 0.4 * at[0] as f64),
    ];
    let graph = |inputs: &[Variable<f64>]| -> Vec<Variable<f64>> {
        let mut values: Vec<(Variable<f64>, bool)> = inputs.iter().map(|x| (x.clone(), false)).collect();
        for step in &steps {
            step.run(seed, &mut values);
        }
        // What nothing has used: the ends of the graph.
        let ends = values.into_iter().skip(inputs.len()).filter(|(_, used)| !used);
        ends.map(|(value, _)| value).collect()
    };
    let highest = steps.iter().map(|step| step.sample.highest_order()).min().unwrap_or(1);
    for order in 1..=(if twice { highest.min(2) } else { 1 }) {
        // Differences of long chains are less exact than those of one operation; a wrong rule is wrong by more.
        let check = Gradcheck::new().order(order).projected(1).tolerances(1e-4, 1e-4).seed(seed);
        let Ok(report) = check.check(graph, &leaves) else { return };
        let wrong = |verdict| matches!(verdict, Verdict::Wrong | Verdict::Nondeterministic);
        assert!(!report.inputs.iter().any(|input| wrong(input.verdict)), "{}\n{report}", describe(&steps));
    }
}

/// One call of an operation.
struct Step {
    name: &'static str,
    sample: &'static Sample,
    /// For each input, which of the values computed before moves it.
    sources: Vec<usize>,
}

impl Step {
    /// `before` steps are there already.
    fn choose(choices: &mut Choices<'_>, before: usize) -> Step {
        let all = samples();
        let which = choices.below(256) * 256 + choices.below(256);
        let (name, sample) = &all[which % all.len()];
        let sources = sample.inputs.iter().map(|_| choices.below(before + 2)).collect();
        Step { name, sample, sources }
    }

    fn run(&self, seed: u64, values: &mut Vec<(Variable<f64>, bool)>) {
        let mut inputs = Vec::new();
        for ((constant, (_, input)), &source) in
            self.sample.draw(seed).into_iter().zip(&self.sample.inputs).zip(&self.sources)
        {
            let constant = Variable::new(constant);
            // A step may have had no output, or several: the last ones stand for those that are missing.
            let source = source.min(values.len() - 1);
            if input.is_constant() || constant.shape().contains(&0) || values[source].0.shape().contains(&0) {
                inputs.push(constant);
                continue;
            }
            values[source].1 = true;
            inputs.push(&constant + moved(&values[source].0, constant.len()).reshape(constant.shape()));
        }
        values.extend(self.sample.run(&inputs).into_iter().map(|output| (output, false)));
    }
}

/// `count` numbers between −[`REACH`] and `REACH` made of the elements of `x`.
fn moved(x: &Variable<f64>, count: usize) -> Variable<f64> {
    let flat = x.reshape([x.len()]);
    let times = count.div_ceil(flat.len());
    let wave = (flat.atan() * 5.0).sin() * REACH;
    wave.repeat([times]).narrow(0, 0, count)
}

/// All calls that differences can judge.
fn samples() -> &'static [(&'static str, Sample)] {
    static SAMPLES: OnceLock<Vec<(&'static str, Sample)>> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        let entries = registry().into_iter();
        let named =
            entries.flat_map(|entry| entry.samples().into_iter().map(move |sample| (entry.name, sample)));
        named.filter(|(_, sample)| sample.highest_order() > 0).collect()
    })
}

fn describe(steps: &[Step]) -> String {
    let line = |step: &Step| format!("  {}: {} from {:?}", step.name, step.sample.text, step.sources);
    steps.iter().map(line).collect::<Vec<String>>().join("\n")
}
