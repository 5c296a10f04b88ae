//! Weights from PyTorch, frozen, under a new head: what a network learned of some digits helps with others.
//!
//! `cargo run --release --example finetune`
//!
//! `features.safetensors` was written by PyTorch (`pretrain.py` beside it): convolutions that were trained to tell the MNIST
//! digits 0 to 4, in half precision. Here a new last layer learns the digits 5 to 9, which they never saw, from twenty
//! examples of each; beside it the same network learns from first values alone.

#[path = "../arguments/mod.rs"]
mod arguments;

use arguments::{Arguments, Outcome};
use std::{path::Path, process::ExitCode};
use wengert::{datasets::LabelledImages, prelude::*, storage::load_weights};

#[derive(Module)]
struct Features {
    conv1: Conv2d,
    conv2: Conv2d,
    conv3: Conv2d,
}

impl Features {
    fn new() -> Features {
        Features {
            conv1: Conv2d::new(1, 16, 3).padding(1),
            conv2: Conv2d::new(16, 24, 3).padding(1),
            conv3: Conv2d::new(24, 32, 3).padding(1),
        }
    }

    /// `[batch, 288]` from images `[batch, 1, 28, 28]`.
    fn forward(&self, images: &Variable) -> Variable {
        let x = self.conv1.forward(images).relu().max_pool2d(2);
        let x = self.conv2.forward(&x).relu().max_pool2d(2);
        let x = self.conv3.forward(&x).relu().adaptive_avg_pool2d(3);
        Flatten::default().forward(&x)
    }
}

#[derive(Module)]
struct Net {
    features: Features,
    head: Linear,
}

/// The images of the digits 5 to 9, up to `each` of each, with labels 0 to 4.
fn new_digits(images: &LabelledImages, each: usize) -> (Variable, Tensor<i64>) {
    let mut counts = [0; 10];
    let mut rows = Vec::new();
    for (row, label) in images.labels().iter().enumerate() {
        counts[label as usize] += 1;
        if label >= 5 && counts[label as usize] <= each {
            rows.push(row as i64);
        }
    }
    let rows = Tensor::from_slice(&rows, [rows.len()]).expect("as many as there are");
    let chosen = images.images_f32().index_select(0, &rows);
    let labels = images.labels().index_select(0, &rows).map(|label| label - 5);
    (Variable::new(chosen.reshape([rows.len(), 1, 28, 28])), labels)
}

fn accuracy(net: &Net, (images, labels): &(Variable, Tensor<i64>)) -> f64 {
    let scores = no_grad(|| net.head.forward(&net.features.forward(images)));
    let right = scores.value().argmax(-1, false).iter().zip(labels.iter()).filter(|(a, b)| a == b).count();
    right as f64 / labels.len() as f64
}

/// Learns from all examples at once, for as many steps; returns the accuracy on others.
fn learn(net: &Net, train: &(Variable, Tensor<i64>), test: &(Variable, Tensor<i64>), lr: f64) -> f64 {
    // Only what is not frozen has a gradient, and only that is changed.
    let mut adam = Adam::new(net.named_parameters()).lr(lr);
    for _ in 0..150 {
        let loss = cross_entropy(&net.head.forward(&net.features.forward(&train.0)), &train.1);
        adam.zero_grad();
        loss.backward();
        adam.step();
    }
    accuracy(net, test)
}

fn work(arguments: &Arguments) -> Outcome {
    manual_seed(arguments.value("--seed", 0));
    let mnist = Mnist::bundled()?;
    let train = new_digits(&mnist.train(), arguments.value("--examples", 20));
    let test = new_digits(&mnist.test(), usize::MAX);

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/finetune/features.safetensors");
    let net = Net { features: Features::new(), head: Linear::new(288, 5) };
    // The file has no head: the names that were missing are its two, and nothing was unexpected.
    let unmatched = net.load_state_dict_partially(&load_weights(path)?)?;
    if unmatched.missing != ["head.weight", "head.bias"] || !unmatched.unexpected.is_empty() {
        return Err(format!("the file is another network's: {unmatched:?}").into());
    }
    net.features.requires_grad_(false);
    let frozen = net.features.named_parameters().fingerprint();
    let tuned = learn(&net, &train, &test, 2e-2);
    if net.features.named_parameters().fingerprint() != frozen {
        return Err("what is frozen has changed".into());
    }

    let fresh = Net { features: Features::new(), head: Linear::new(288, 5) };
    let alone = learn(&fresh, &train, &test, 2e-3);
    println!("{} images to learn from, {} to test", train.1.len(), test.1.len());
    println!("From first values: {alone:.4}");
    println!("Test accuracy: {tuned:.4}");
    if tuned < 0.90 || tuned < alone {
        return Err("the accuracy should be at least 0.90, and no lower than from first values".into());
    }
    Ok(())
}

fn main() -> ExitCode {
    arguments::run(&["--examples N>0", "--seed N"], work)
}
