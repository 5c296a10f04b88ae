//! A network of two layers learns to read handwritten digits, as in the well-known Keras tutorial.
//!
//! `cargo run --release --example mnist -- --epochs 10 --batch-size 32 --seed 0 --threads 2 --data DIR`
//!
//! `DIR` holds the four files of MNIST or of a set of its form (Fashion-MNIST); by default it is the MNIST that comes
//! with the repository. The same seed gives the same weights, to the last bit, on any number of threads; so does a training
//! that `--checkpoint DIR` stores after each epoch, and that goes on with `--resume` after it was ended.

mod arguments;

use arguments::{Arguments, Checkpoints, Outcome};
use indicatif::{ProgressBar, ProgressStyle};
use std::{path::PathBuf, process::ExitCode};
use wengert::prelude::*;

/// How many images have their highest score where it should be.
fn correct(scores: &Variable, labels: &Tensor<i64>) -> usize {
    scores.value().argmax(-1, false).eq(labels).count_true()
}

fn train(arguments: &Arguments) -> Outcome {
    let (epochs, seed) = (arguments.value("--epochs", 10), arguments.value("--seed", 0));
    let data: Option<PathBuf> = arguments.given("--data");
    let mnist = data.map_or_else(Mnist::bundled, Mnist::load)?; // images as rows of numbers between 0 and 1
    let (train, test) = (mnist.train(), mnist.test());
    manual_seed(seed);
    let pixels = train.images().shape()[1..].iter().product();
    let net = Sequential::new((Linear::new(pixels, 128), ReLU, Linear::new(128, train.classes())));
    let mut adam = Adam::new(net.named_parameters()).lr(1e-3);
    let loader = train.loader().batch_size(arguments.value("--batch-size", 32)).shuffle(seed);

    let accuracy = || {
        let batches = test.clone().loader().batch_size(1000).into_iter();
        let right: usize = no_grad(|| batches.map(|(x, y)| correct(&net.forward(&x), &y)).sum());
        right as f64 / test.len() as f64
    };
    let checkpoints = Checkpoints::of(arguments)?;
    for epoch in checkpoints.done(&net, &mut adam)?..epochs {
        // Without a terminal the bar is silent, and the line after each epoch remains.
        let style = ProgressStyle::with_template("epoch {msg} {bar:40} {pos}/{len} {elapsed}")?;
        let bar = ProgressBar::new(loader.len() as u64).with_style(style);
        bar.set_message(format!("{}/{epochs}", epoch + 1));
        let (mut seen, mut right, mut total) = (0, 0, 0.0);
        for (images, labels) in loader.epoch(epoch) {
            let scores = net.forward(&images);
            let loss = cross_entropy(&scores, &labels);
            adam.zero_grad();
            loss.backward();
            adam.step();
            seen += labels.len();
            right += correct(&scores, &labels);
            total += f64::from(loss.item()) * labels.len() as f64;
            bar.inc(1);
        }
        bar.finish_and_clear();
        checkpoints.save(epoch + 1, &net, &adam)?;
        // As in the tutorial, the test images judge every epoch. To choose among epochs by this number would be to train
        // on them a little; a part of the training images set aside (a validation split) is the clean way.
        let (loss, right) = (total / seen as f64, right as f64 / seen as f64);
        let test = accuracy();
        println!("epoch {}: loss {loss:.4}, accuracy {right:.4}, test accuracy {test:.4}", epoch + 1);
    }
    println!("weights: {:016x}\nTest accuracy: {:.4}", net.named_parameters().fingerprint(), accuracy());
    Ok(())
}

fn main() -> ExitCode {
    let known = ["--epochs N", "--batch-size N>0", "--seed N", "--data DIR", "--checkpoint DIR", "--resume"];
    arguments::run(&known, train)
}
