//! A network of two layers learns to read handwritten digits, as in the well-known Keras tutorial.
//!
//! `cargo run --release --example mnist -- --epochs 10 --batch-size 32 --seed 0 --threads 2 --data DIR`
//!
//! `DIR` holds the four files of MNIST or of a set of its form (Fashion-MNIST); by default it is the MNIST that comes
//! with the repository. The same seed gives the same weights, to the last bit, on any number of threads.

use indicatif::{ProgressBar, ProgressStyle};
use std::{error::Error, path::PathBuf, process::ExitCode};
use wengert::prelude::*;

type Outcome<A> = Result<A, Box<dyn Error + Send + Sync>>;

/// How many images have their highest score where it should be.
fn correct(scores: &Variable, labels: &Tensor<i64>) -> usize {
    scores.value().argmax(-1, false).eq(labels).count_true()
}

fn train([epochs, batch_size, seed, _]: [usize; 4], data: Option<PathBuf>) -> Outcome<()> {
    let mnist = data.map_or_else(Mnist::bundled, Mnist::load)?; // images as rows of numbers between 0 and 1
    let (train, test) = (mnist.train(), mnist.test());
    manual_seed(seed as u64);
    let pixels = train.images().shape()[1..].iter().product();
    let net = Sequential::new((Linear::new(pixels, 128), ReLU, Linear::new(128, train.classes())));
    let mut adam = Adam::new(net.named_parameters()).lr(1e-3);
    let loader = train.loader().batch_size(batch_size).shuffle(seed as u64);

    let accuracy = || {
        let batches = test.clone().loader().batch_size(1000).into_iter();
        let right: usize = no_grad(|| batches.map(|(x, y)| correct(&net.forward(&x), &y)).sum());
        right as f64 / test.len() as f64
    };
    for epoch in 1..=epochs {
        // Without a terminal the bar is silent, and the line after each epoch remains.
        let style = ProgressStyle::with_template("epoch {msg} {bar:40} {pos}/{len} {elapsed}")?;
        let bar = ProgressBar::new(loader.len() as u64).with_style(style);
        bar.set_message(format!("{epoch}/{epochs}"));
        let (mut seen, mut right, mut total) = (0, 0, 0.0);
        for (images, labels) in &loader {
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
        // As in the tutorial, the test images judge every epoch. To choose among epochs by this number would be to train
        // on them a little; a part of the training images set aside (a validation split) is the clean way.
        let (loss, right) = (total / seen as f64, right as f64 / seen as f64);
        println!("epoch {epoch}: loss {loss:.4}, accuracy {right:.4}, test accuracy {:.4}", accuracy());
    }
    println!("weights: {:016x}\nTest accuracy: {:.4}", net.named_parameters().fingerprint(), accuracy());
    Ok(())
}

fn run() -> Outcome<()> {
    const NAMES: [&str; 4] = ["--epochs", "--batch-size", "--seed", "--threads"];
    let (mut numbers, mut data) = ([10, 32, 0, 0], None);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match NAMES.iter().position(|known| *known == name) {
            Some(k) => {
                numbers[k] = value.parse().map_err(|_| format!("{name}: {value} is no whole number"))?
            }
            None if name == "--data" => data = Some(value.into()),
            None => {
                return Err(format!("unknown option {name}; there are --data, {}", NAMES.join(", ")).into());
            }
        }
    }
    if numbers[1] == 0 {
        return Err("--batch-size: a batch needs at least one image".into());
    }
    wengert::set_threads(numbers[3])?; // 0: as many as there are processors
    wengert::parallel(|| train(numbers, data)) // inside the pool, where small kernels need not knock at its door
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => return ExitCode::SUCCESS,
        Err(error) => eprintln!("mnist: {error}"),
    }
    ExitCode::FAILURE
}
