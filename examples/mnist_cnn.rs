//! A small convolutional network reads handwritten digits: 99 of 100 within five epochs.
//!
//! `cargo run --release --example mnist_cnn` takes about a minute on two cores. With `--augment` the images are turned,
//! scaled and shifted at random, each time anew, for more epochs and a few mistakes fewer. `--quick` is one short epoch.

mod arguments;

use arguments::{Arguments, Checkpoints, Outcome};
use std::process::ExitCode;
use wengert::{
    datasets::{
        LabelledImages,
        transform::{RandomAffine, Transform},
    },
    optim::schedule::{OneCycleLr, Scheduler},
    prelude::*,
};

#[derive(Module)]
struct Cnn {
    conv1: Conv2d,
    norm1: BatchNorm2d,
    conv2: Conv2d,
    norm2: BatchNorm2d,
    hidden: Linear,
    dropout: Dropout,
    out: Linear,
}

impl Cnn {
    fn new(classes: usize) -> Cnn {
        Cnn {
            // Without a bias: the normalisation that follows would take it away again.
            conv1: Conv2d::new(1, 16, 3).padding(1).bias(false),
            norm1: BatchNorm2d::new(16),
            conv2: Conv2d::new(16, 32, 3).padding(1).bias(false),
            norm2: BatchNorm2d::new(32),
            hidden: Linear::new(32 * 7 * 7, 64),
            dropout: Dropout::new(0.3),
            out: Linear::new(64, classes),
        }
    }

    /// One score a class, from images `[batch, 784]`.
    fn forward(&self, images: &Variable) -> Variable {
        let x = images.reshape([images.shape()[0], 1, 28, 28]);
        let x = self.norm1.forward(&self.conv1.forward(&x)).relu().max_pool2d(2);
        let x = self.norm2.forward(&self.conv2.forward(&x)).relu().max_pool2d(2);
        let x = self.hidden.forward(&x.reshape([x.shape()[0], 32 * 7 * 7])).relu();
        self.out.forward(&self.dropout.forward(&x))
    }
}

fn accuracy(net: &Cnn, images: LabelledImages) -> f64 {
    net.eval();
    let count = images.len();
    let right: usize = no_grad(|| {
        let batches = images.loader().batch_size(500);
        let right = |(x, y): (Variable, Tensor<i64>)| {
            let found = net.forward(&x).value().argmax(-1, false);
            found.iter().zip(y.iter()).filter(|(found, label)| found == label).count()
        };
        batches.into_iter().map(right).sum()
    });
    net.train();
    right as f64 / count as f64
}

fn work(arguments: &Arguments) -> Outcome {
    let (augment, quick) = (arguments.flag("--augment"), arguments.flag("--quick"));
    let seed = arguments.value("--seed", 0);
    let epochs: u64 = arguments.value(
        "--epochs",
        if quick {
            1
        } else if augment {
            15
        } else {
            5
        },
    );
    let mnist = Mnist::bundled()?;
    let train = mnist.train();
    manual_seed(seed);
    let net = Cnn::new(train.classes());
    println!("{}", net.summary_of(|net| net.forward(&Variable::zeros([64, 784]))));

    let affine = RandomAffine { degrees: 12.0, translate: 0.08, scale: (0.9, 1.1) };
    let loader = train.loader().batch_size(64).shuffle(seed).drop_last(true).map_seeded(
        seed,
        move |(images, labels): (Variable, Tensor<i64>), generator| {
            if !augment {
                return (images, labels);
            }
            let planes = images.value().reshape([labels.len(), 1, 28, 28]);
            (Variable::new(affine.apply(planes, generator).reshape([labels.len(), 784])), labels)
        },
    );
    let loader = loader.prefetch(2);
    let steps = if quick { 200 } else { loader.len() };

    let mut adam = AdamW::new(net.named_parameters()).weight_decay(1e-2);
    let cycle = OneCycleLr::new(4e-3, epochs * steps as u64);
    let mut scheduler = Scheduler::new(cycle, &mut adam);
    let checkpoints = Checkpoints::of(arguments)?;
    let done = checkpoints.done(&net, &mut adam)?;
    scheduler.seek(done * steps as u64, &mut adam);

    let mut test_accuracy = accuracy(&net, mnist.test());
    for epoch in done..epochs {
        let mut total = 0.0;
        for (images, labels) in loader.epoch(epoch).take(steps) {
            let loss = cross_entropy(&net.forward(&images), &labels);
            adam.zero_grad();
            loss.backward();
            adam.step();
            scheduler.step(&mut adam);
            total += f64::from(loss.item());
        }
        checkpoints.save(epoch + 1, &net, &adam)?;
        test_accuracy = accuracy(&net, mnist.test());
        println!("epoch {}: loss {:.4}, test accuracy {test_accuracy:.4}", epoch + 1, total / steps as f64);
    }
    println!("weights: {:016x}", net.named_parameters().fingerprint());
    println!("Test accuracy: {test_accuracy:.4}");
    let floor = if quick {
        0.95
    } else if augment {
        0.993
    } else {
        0.990
    };
    if test_accuracy < floor {
        return Err(format!("the accuracy should be at least {floor}").into());
    }
    Ok(())
}

fn main() -> ExitCode {
    arguments::run(&["--epochs N", "--seed N", "--checkpoint DIR", "--resume", "--augment", "--quick"], work)
}
