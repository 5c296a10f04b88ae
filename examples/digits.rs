//! Handwritten digits of 8 × 8 pixels, in seconds: a small convolutional network beside logistic regression.
//!
//! `cargo run --release --example digits -- --out target/pictures`

mod application;

use application::{Options, Outcome, at_least, logistic::LogisticRegression, table::Table, who_won};
use std::{process::ExitCode, time::Instant};
use wengert::{
    datasets::{TensorDataset, bundled},
    plot::ImageGrid,
    prelude::*,
    train::{
        Trainer,
        metrics::{Accuracy, ConfusionMatrix, Metric},
    },
};

/// The last rows are held out: they were written by other people than the first ones.
const HELD_OUT: usize = 450;

fn digits(options: &Options) -> Outcome {
    let data = bundled::digits()?;
    let count = data.labels.len();
    let images = data.features.map(|pixel| pixel / 16.0);
    let part = |start: usize, len: usize| {
        (images.narrow(0, start, len).contiguous(), data.labels.narrow(0, start, len).contiguous())
    };
    let ((x, y), (test, truth)) = (part(0, count - HELD_OUT), part(count - HELD_OUT, HELD_OUT));
    println!("{} digits to learn from, {} held out", y.len(), truth.len());

    let started = Instant::now();
    let probabilities = LogisticRegression::fit(&x, &y, 10).probabilities(&test);
    let linear = ConfusionMatrix::of(&truth, &probabilities.argmax(-1, false));
    let linear_time = started.elapsed().as_secs_f64();

    let started = Instant::now();
    manual_seed(options.seed);
    let net = Sequential::new((
        Conv2d::new(1, 32, 3).padding(1),
        ReLU,
        Conv2d::new(32, 32, 3).padding(1),
        ReLU,
        MaxPool2d::new(2),
        Flatten::default(),
        Dropout::new(0.3),
        Linear::new(32 * 4 * 4, 10),
    ));
    let images = |flat: &Tensor| flat.reshape([flat.shape()[0], 1, 8, 8]);
    let loader = TensorDataset::new((images(&x), y.clone())).loader().batch_size(32).shuffle(options.seed);
    let epochs = if options.quick { 8 } else { 30 };
    let trainer =
        Trainer::new(&net, Layer::forward, cross_entropy, Adam::new(net.named_parameters()).lr(2e-3))
            .epochs(epochs)
            .metric(Accuracy::new());
    let history = options.fit("digits", trainer, &loader)?;
    let scores = no_grad(|| net.forward(&Variable::new(images(&test))));
    let mut found = ConfusionMatrix::new();
    found.update(&scores, &truth);
    let time = started.elapsed().as_secs_f64();

    let mut table = Table::new(["held-out digits", "accuracy", "seconds"]);
    table.numbers("logistic regression", [linear.accuracy(), linear_time]);
    table.numbers("network", [found.accuracy(), time]);
    table.print();
    found.save_picture(options.picture("digits-confusion.svg"), "Network, held-out digits", &[])?;
    history
        .chart("accuracy")
        .title("Digits: accuracy by epoch")
        .y("accuracy on the training data (share)")
        .save(options.picture("digits-accuracy.svg"))?;

    let predicted = scores.value().argmax(-1, false);
    let wrong: Vec<i64> = (0..HELD_OUT as i64)
        .filter(|&i| predicted.get(&[i as usize]) != truth.get(&[i as usize]))
        .take(12)
        .collect();
    if !wrong.is_empty() {
        let class = |of: &Tensor<i64>, row: i64| of.get(&[row as usize]).expect("a row");
        let captions =
            wrong.iter().map(|&row| format!("{} → {}", class(&truth, row), class(&predicted, row)));
        let indices = Tensor::from_slice(&wrong, [wrong.len()])?;
        let shown = test.index_select(0, &indices).reshape([wrong.len(), 8, 8]);
        ImageGrid::new("Digits that the network mistook: what they are → what it took them for")
            .row("mistaken", &shown)
            .captions(captions)
            .save(options.picture("digits-mistakes.svg"))?;
    }
    who_won("logistic regression", found.accuracy() - linear.accuracy());
    at_least("accuracy of the network", found.accuracy(), if options.quick { 0.94 } else { 0.95 })
}

fn main() -> ExitCode {
    application::run(&[], digits)
}
