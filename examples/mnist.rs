//! A network of two layers learns to read handwritten digits, as in the well-known Keras tutorial.
//!
//! `cargo run --release --example mnist -- --epochs 10 --batch-size 32 --seed 0 --threads 2 --data DIR`
//!
//! `DIR` holds the four files of MNIST or of a set of its form (Fashion-MNIST); by default it is the MNIST that comes
//! with the repository. The same seed gives the same weights, to the last bit, on any number of threads.

use indicatif::{ProgressBar, ProgressStyle};
use std::{error::Error, path::PathBuf, process::ExitCode};
use wengert::{datasets::LabelledImages, prelude::*};

#[derive(Module)]
struct Net {
    hidden: Linear,
    out: Linear,
}

impl Net {
    /// One score a class, from images `[batch, pixels]`.
    fn forward(&self, images: &Variable) -> Variable {
        self.out.forward(&self.hidden.forward(images).relu())
    }
}

/// How many images of the batch have their highest score where it should be.
fn correct(scores: &Variable, labels: &Tensor<i64>) -> usize {
    scores.value().argmax(-1, false).iter().zip(labels.iter()).filter(|(found, label)| found == label).count()
}

fn accuracy(net: &Net, images: LabelledImages) -> f64 {
    let count = images.len();
    let batches = images.loader().batch_size(1000);
    let right: usize = no_grad(|| batches.into_iter().map(|(x, y)| correct(&net.forward(&x), &y)).sum());
    right as f64 / count as f64
}

fn train(options: &Options) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mnist = options.data.as_ref().map_or_else(Mnist::bundled, Mnist::load)?;
    let train = mnist.train();
    manual_seed(options.seed);
    let pixels = train.images().shape()[1..].iter().product();
    let net = Net { hidden: Linear::new(pixels, 128), out: Linear::new(128, train.classes()) };
    let mut adam = Adam::new(net.named_parameters()).lr(1e-3);
    let loader = train.loader().batch_size(options.batch_size).shuffle(options.seed);

    let mut test_accuracy = accuracy(&net, mnist.test());
    for epoch in 1..=options.epochs {
        // Without a terminal the bar is silent, and the line after each epoch remains.
        let bar = ProgressBar::new(loader.len() as u64)
            .with_style(ProgressStyle::with_template("epoch {msg} {bar:40} {pos}/{len} {elapsed}")?);
        bar.set_message(format!("{epoch}/{}", options.epochs));
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
        test_accuracy = accuracy(&net, mnist.test());
        let (loss, right) = (total / seen as f64, right as f64 / seen as f64);
        println!("epoch {epoch}: loss {loss:.4}, accuracy {right:.4}, test accuracy {test_accuracy:.4}");
    }
    println!("weights: {:016x}", net.named_parameters().fingerprint());
    println!("Test accuracy: {test_accuracy:.4}");
    Ok(())
}

struct Options {
    epochs: usize,
    batch_size: usize,
    data: Option<PathBuf>,
    seed: u64,
    threads: usize,
}

fn options() -> Result<Options, Box<dyn Error + Send + Sync>> {
    let mut options = Options { epochs: 10, batch_size: 32, data: None, seed: 0, threads: 0 };
    let mut arguments = std::env::args().skip(1);
    while let Some(option) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{option} needs a value"))?;
        let number = || value.parse().map_err(|_| format!("{option}: {value} is not a whole number"));
        match option.as_str() {
            "--epochs" => options.epochs = number()?,
            "--batch-size" => options.batch_size = number()?,
            "--seed" => options.seed = number()? as u64,
            "--threads" => options.threads = number()?,
            "--data" => options.data = Some(value.into()),
            _ => Err(format!(
                "unknown option {option}; there are --epochs, --batch-size, --data, --seed, --threads"
            ))?,
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    let run = || {
        let options = options()?;
        wengert::set_threads(options.threads)?;
        wengert::parallel(|| train(&options)) // inside the pool, where small kernels need not knock at its door
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mnist: {error}");
            ExitCode::FAILURE
        }
    }
}
