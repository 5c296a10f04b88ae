//! Good or bad credit risk: a small network beside logistic regression, by 5-fold cross-validation; whether the
//! probabilities can be believed, and why accuracy is the wrong measure.
//!
//! `cargo run --release --example credit -- --out target/pictures`
//!
//! The German credit data (1000 loans of 1994) is for a demonstration, not for a decision about people: it has sex, age
//! and foreign-worker status among its columns. The program says what leaving them out would cost.

mod application;

use application::{Options, Outcome, at_least, logistic::LogisticRegression, rows, table::Table, who_won};
use std::process::ExitCode;
use wengert::{
    datasets::{TensorDataset, bundled, split, table::Features, transform::Standardizer},
    plot::Chart,
    prelude::*,
    train::{Trainer, metrics::Auc},
};

/// Columns by which a lender must not judge, or may not.
const SENSITIVE: [&str; 3] = ["personal_status_sex", "age_years", "foreign_worker"];
const FOLDS: usize = 5;
/// A bad loan that was given costs five times as much as a good one that was refused: the cost matrix that comes with
/// the data.
const COST_OF_BAD: f64 = 5.0;

/// The probability that each loan turns out bad, each said while it was held out.
type Scores = Vec<(f64, bool)>;

/// Cross-validation of a method, which learns from features and labels and judges other features.
fn held_out(
    options: &Options,
    features: &Tensor,
    bad: &Tensor<i64>,
    mut method: impl FnMut(usize, &Tensor, &Tensor<i64>, &Tensor) -> Outcome<Vec<f64>>,
) -> Outcome<Scores> {
    let mut scores = vec![(0.0, false); bad.len()];
    let folds = split::stratified_k_fold(&bad.to_vec(), FOLDS, options.seed);
    for (fold, split) in folds.into_iter().enumerate() {
        let scale = Standardizer::fit(&rows(features, &split.train));
        let part = |indices: &[usize]| scale.apply(&rows(features, indices));
        let found = method(fold, &part(&split.train), &rows(bad, &split.train), &part(&split.test))?;
        for (&index, outcome) in split.test.iter().zip(found.into_iter().zip(rows(bad, &split.test).iter())) {
            scores[index] = (outcome.0, outcome.1 == 1);
        }
    }
    Ok(scores)
}

fn of_class_one(probabilities: Tensor) -> Vec<f64> {
    probabilities.to_vec().chunks_exact(2).map(|pair| f64::from(pair[1])).collect()
}

fn regression(_: usize, x: &Tensor, y: &Tensor<i64>, test: &Tensor) -> Outcome<Vec<f64>> {
    Ok(of_class_one(LogisticRegression::fit(x, y, 2).probabilities(test)))
}

/// The mean of some small networks, each with much dropout and weight decay: there are 800 rows to learn from.
fn network(options: &Options, fold: usize, x: &Tensor, y: &Tensor<i64>, test: &Tensor) -> Outcome<Vec<f64>> {
    let (members, epochs) = if options.quick { (3, 20) } else { (10, 30) };
    let mut mean = vec![0.0; test.shape()[0]];
    for member in 0..members {
        manual_seed(options.seed + member);
        let inputs = x.shape()[1];
        let net = Sequential::new((
            Dropout::new(0.1),
            Linear::new(inputs, 24),
            ReLU,
            Dropout::new(0.5),
            Linear::new(24, 2),
        ));
        let loader = TensorDataset::new((x.clone(), y.clone())).loader().batch_size(50).shuffle(member);
        let adam = AdamW::new(net.named_parameters()).lr(4e-3).weight_decay(0.1);
        let trainer = Trainer::new(&net, Layer::forward, cross_entropy, adam).epochs(epochs);
        options.fit(&format!("fold-{fold}-{member}"), trainer, &loader)?;
        let found = of_class_one(no_grad(|| net.forward(&Variable::new(test.clone())).softmax(-1)).value());
        mean.iter_mut().zip(found).for_each(|(mean, found)| *mean += found / members as f64);
    }
    Ok(mean)
}

/// The mean square distance of probability and outcome (Brier 1950).
fn brier(scores: &Scores) -> f64 {
    let square = |&(score, bad): &(f64, bool)| (score - f64::from(u8::from(bad))).powi(2);
    scores.iter().map(square).sum::<f64>() / scores.len() as f64
}

/// Ten groups by rising probability: the mean probability of each, and the share that turned out bad.
fn calibration(scores: &Scores) -> Vec<(f64, f64)> {
    let mut sorted = scores.clone();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let group = |group: &[(f64, bool)]| {
        let bad = group.iter().filter(|(_, bad)| *bad).count() as f64;
        (group.iter().map(|(score, _)| score).sum::<f64>() / group.len() as f64, bad / group.len() as f64)
    };
    sorted.chunks(scores.len().div_ceil(10)).map(group).collect()
}

fn accuracy(scores: &Scores, threshold: f64) -> f64 {
    scores.iter().filter(|&&(score, bad)| (score >= threshold) == bad).count() as f64 / scores.len() as f64
}

/// What a loan costs on average if those above the threshold are refused.
fn cost(scores: &Scores, threshold: f64) -> f64 {
    let cost = |&(score, bad): &(f64, bool)| match (score >= threshold, bad) {
        (false, true) => COST_OF_BAD,
        (true, false) => 1.0,
        _ => 0.0,
    };
    scores.iter().map(cost).sum::<f64>() / scores.len() as f64
}

fn credit(options: &Options) -> Outcome {
    let data = bundled::german_credit()?;
    let (labels, classes) = data.labels("risk")?;
    let bad = labels.map(|label| i64::from(classes[label as usize] == "bad"));
    let names: Vec<&str> = data.names().filter(|&name| name != "risk").collect();
    let features = |names: &[&str]| -> Outcome<Features> { Ok(data.features(names)?) };
    let all = features(&names)?;
    let others: Vec<&str> = names.iter().copied().filter(|name| !SENSITIVE.contains(name)).collect();
    if others.len() + SENSITIVE.len() != names.len() {
        Err(format!("not all of {SENSITIVE:?} are among the columns {names:?}"))?;
    }
    let others = features(&others)?;
    println!("{} loans, {} bad; {} columns, {} features", bad.len(), bad.sum(), names.len(), all.names.len());

    let linear = held_out(options, &all.values, &bad, regression)?;
    let net = held_out(options, &all.values, &bad, |fold, x, y, test| network(options, fold, x, y, test))?;
    let blind = held_out(options, &others.values, &bad, regression)?;

    let auc = |scores: &Scores| Auc::of(scores.iter().copied());
    let mut table = Table::new(["held-out loans", "AUC", "Brier", "accuracy", "cost at 1/2", "cost at 1/6"]);
    let threshold = 1.0 / (1.0 + COST_OF_BAD);
    let share = bad.sum() as f64 / bad.len() as f64;
    let always: Scores = bad.iter().map(|bad| (share, bad == 1)).collect();
    for (name, scores) in [
        ("always the share of bad loans", &always),
        ("logistic regression", &linear),
        ("network", &net),
        ("logistic, sensitive columns left out", &blind),
    ] {
        let numbers =
            [auc(scores), brier(scores), accuracy(scores, 0.5), cost(scores, 0.5), cost(scores, threshold)];
        table.numbers(name, numbers);
    }
    table.print();
    println!(
        "Why accuracy misleads: \"always good\" is right for {:.0} % of the loans and finds no bad one. By the cost matrix\n\
         of the data (a bad loan given costs {COST_OF_BAD}, a good one refused 1) to refuse from a probability of 1/6 is\n\
         cheaper than from 1/2, although it is less accurate: {:.4} against {:.4} for the network.",
        100.0 * (1.0 - share),
        accuracy(&net, threshold),
        accuracy(&net, 0.5),
    );
    println!(
        "Sensitive columns: {}. Without them the AUC of logistic regression changes by {:+.4}. That others stand in for\n\
         them (housing, employment) is not excluded: leaving a column out is not yet fairness.",
        SENSITIVE.join(", "),
        auc(&blind) - auc(&linear),
    );

    let mut table = Table::new(["network: group by probability", "mean probability", "share bad"]);
    for (group, (probability, share)) in calibration(&net).into_iter().enumerate() {
        table.numbers(&(group + 1).to_string(), [probability, share]);
    }
    table.print();
    Chart::new("Calibration: can the probabilities be believed?")
        .x("probability of a bad loan, as said (mean of a tenth of the loans)")
        .y("share that turned out bad")
        .reference("as it should be", [(0.0, 0.0), (0.8, 0.8)])
        .line(format!("logistic regression, Brier {:.4}", brier(&linear)), calibration(&linear))
        .line(format!("network, Brier {:.4}", brier(&net)), calibration(&net))
        .save(options.picture("credit-calibration.svg"))?;
    who_won("logistic regression (AUC)", auc(&net) - auc(&linear));
    at_least("AUC of the network", auc(&net), auc(&linear) - if options.quick { 0.02 } else { 0.01 })
}

fn main() -> ExitCode {
    application::run(&[], credit)
}
