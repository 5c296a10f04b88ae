//! Benign or malignant, from measurements of cell nuclei: a small network beside logistic regression, by 5-fold
//! cross-validation.
//!
//! `cargo run --release --example tumour -- --out target/pictures`
//!
//! The data (Breast Cancer Wisconsin, 569 tumours, 30 measurements) is nearly linear: logistic regression is hard to beat,
//! and on so few rows a difference of one or two tumours is luck.

mod application;

use application::{Options, Outcome, at_least, logistic::LogisticRegression, rows, table::Table, who_won};
use std::process::ExitCode;
use wengert::{
    datasets::{TensorDataset, bundled, split, transform::Standardizer},
    plot::Chart,
    prelude::*,
    train::{
        Trainer,
        metrics::{Auc, Average, ConfusionMatrix, roc_curve},
    },
};

const FOLDS: usize = 5;

/// The mean probability of class 1 over some networks that differ in their first values: the mean of several is steadier
/// than any of them.
fn network(options: &Options, fold: usize, x: &Tensor, y: &Tensor<i64>, test: &Tensor) -> Outcome<Vec<f64>> {
    let (members, epochs) = if options.quick { (3, 30) } else { (10, 40) };
    let mut mean = vec![0.0; test.shape()[0]];
    for member in 0..members {
        manual_seed(options.seed + member);
        let net = Sequential::new((Linear::new(30, 16), Tanh, Dropout::new(0.2), Linear::new(16, 2)));
        let loader = TensorDataset::new((x.clone(), y.clone())).loader().batch_size(32).shuffle(member);
        let adam = AdamW::new(net.named_parameters()).lr(5e-3).weight_decay(0.3);
        let trainer = Trainer::new(&net, Layer::forward, cross_entropy, adam).epochs(epochs);
        options.fit(&format!("fold-{fold}-{member}"), trainer, &loader)?;
        let found = no_grad(|| net.forward(&Variable::new(test.clone())).softmax(-1)).value();
        for (mean, pair) in mean.iter_mut().zip(found.to_vec().chunks_exact(2)) {
            *mean += f64::from(pair[1]) / members as f64;
        }
    }
    Ok(mean)
}

/// What a method said of all tumours, each while it was held out.
struct HeldOut {
    /// The probability of malignancy, and the truth.
    scores: Vec<(f64, bool)>,
}

impl HeldOut {
    fn matrix(&self) -> ConfusionMatrix {
        let classes = |part: fn(&(f64, bool)) -> bool| {
            Tensor::from_fn([self.scores.len()], |i| i64::from(part(&self.scores[i[0]])))
        };
        ConfusionMatrix::of(&classes(|pair| pair.1), &classes(|pair| pair.0 >= 0.5))
    }
}

fn tumour(options: &Options) -> Outcome {
    let data = bundled::breast_cancer()?;
    let malignant =
        data.class_names.iter().position(|name| name.starts_with('m')).ok_or("no class malignant")? as i64;
    let y: Tensor<i64> = data.labels.map(|label| i64::from(label == malignant));
    println!("{} tumours, {} malignant, {} measurements", y.len(), y.sum(), data.feature_names.len());

    let mut linear = HeldOut { scores: Vec::new() };
    let mut net = HeldOut { scores: Vec::new() };
    let mut table = Table::new(["fold", "held out", "logistic regression", "network"]);
    for (fold, split) in split::stratified_k_fold(&y.to_vec(), FOLDS, options.seed).into_iter().enumerate() {
        // The scale is that of the part to learn from.
        let scale = Standardizer::fit(&rows(&data.features, &split.train));
        let part = |indices: &[usize]| (scale.apply(&rows(&data.features, indices)), rows(&y, indices));
        let ((x, t), (test, truth)) = (part(&split.train), part(&split.test));
        let regression = LogisticRegression::fit(&x, &t, 2).probabilities(&test).to_vec();
        let regression: Vec<f64> = regression.chunks_exact(2).map(|pair| f64::from(pair[1])).collect();
        let found = network(options, fold, &x, &t, &test)?;
        let right = |scores: &[f64]| {
            scores.iter().zip(truth.iter()).filter(|&(&score, class)| (score >= 0.5) == (class == 1)).count()
                as f64
                / truth.len() as f64
        };
        table.row([
            (fold + 1).to_string(),
            truth.len().to_string(),
            format!("{:.4}", right(&regression)),
            format!("{:.4}", right(&found)),
        ]);
        linear.scores.extend(regression.into_iter().zip(truth.iter().map(|class| class == 1)));
        net.scores.extend(found.into_iter().zip(truth.iter().map(|class| class == 1)));
    }
    table.print();

    let mut table = Table::new(["all held-out tumours", "accuracy", "AUC", "sensitivity", "precision"]);
    let always = 1.0 - y.sum() as f64 / y.len() as f64;
    table.numbers("always \"benign\"", [always, 0.5, 0.0, 0.0]);
    for (name, method) in [("logistic regression", &linear), ("network", &net)] {
        let matrix = method.matrix();
        let auc = Auc::of(method.scores.iter().copied());
        let scores = [matrix.recall(Average::Binary), matrix.precision(Average::Binary)];
        table.numbers(name, [matrix.accuracy(), auc, scores[0], scores[1]]);
    }
    table.print();
    println!(
        "Sensitivity is the share of the malignant tumours that were found: here the number that matters most."
    );

    let (ours, theirs) = (net.matrix().accuracy(), linear.matrix().accuracy());
    let roc = |method: &HeldOut| roc_curve(method.scores.iter().copied());
    Chart::new("Malignant tumours found, by false alarms")
        .x("benign tumours taken for malignant (share)")
        .y("malignant tumours found (share)")
        .reference("a coin", [(0.0, 0.0), (1.0, 1.0)])
        .line(format!("logistic regression, AUC {:.4}", Auc::of(linear.scores.iter().copied())), roc(&linear))
        .line(format!("network, AUC {:.4}", Auc::of(net.scores.iter().copied())), roc(&net))
        .save(options.picture("tumour-roc.svg"))?;
    net.matrix().save_picture(
        options.picture("tumour-confusion.svg"),
        "Network, held-out tumours",
        &["benign", "malignant"],
    )?;
    who_won("logistic regression", ours - theirs);
    at_least("accuracy of the network", ours, theirs - if options.quick { 0.01 } else { 0.005 })
}

fn main() -> ExitCode {
    application::run(&[], tumour)
}
