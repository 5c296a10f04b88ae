//! Handwritten digits squeezed through 16 numbers: an autoencoder beside principal component analysis with as many
//! components.
//!
//! `cargo run --release --example autoencoder -- --out target/pictures`
//!
//! PCA is the best that a linear map can do; what an autoencoder wins over it is what a curved one is worth.

mod application;
#[path = "application/pca.rs"]
mod pca;

use application::{Options, Outcome, at_most, table::Table, who_won};
use pca::Pca;
use std::process::ExitCode;
use wengert::{
    datasets::LabelledImages, loss::mse_loss, optim::schedule::CosineAnnealingLr, plot::ImageGrid,
    prelude::*, train::Trainer,
};

const CODE: usize = 16;

#[derive(Module)]
struct Autoencoder {
    encoder: Sequential<(Linear, ReLU, Linear, ReLU, Linear)>,
    decoder: Sequential<(Linear, ReLU, Linear, ReLU, Linear)>,
}

impl Autoencoder {
    fn new() -> Autoencoder {
        let layers = |sizes: [usize; 4]| {
            let layer = |i: usize| Linear::new(sizes[i], sizes[i + 1]);
            Sequential::new((layer(0), ReLU, layer(1), ReLU, layer(2)))
        };
        Autoencoder { encoder: layers([784, 512, 256, CODE]), decoder: layers([CODE, 256, 512, 784]) }
    }

    /// Images again, \[batch, 784\].
    fn forward(&self, images: &Variable) -> Variable {
        self.decoder.forward(&self.encoder.forward(images)).sigmoid()
    }
}

fn error(found: &Tensor, images: &Tensor) -> f64 {
    found.iter().zip(images.iter()).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / images.len() as f64
}

fn autoencoder(options: &Options) -> Outcome {
    let mnist = Mnist::bundled()?;
    let images = LabelledImages::images_f32;
    let (train, test) = (images(&mnist.train()), images(&mnist.test()));
    let pca = Pca::fit(&train, CODE);
    let of_pca = pca.reconstruct(&test);

    manual_seed(options.seed);
    let net = Autoencoder::new();
    let loader = mnist.train().loader().batch_size(128).shuffle(options.seed).prefetch(2);
    let loader = loader.map(|(images, _)| (images.clone(), images));
    let held_out = mnist.test().loader().batch_size(1000).map(|(images, _)| (images.clone(), images));
    let epochs = if options.quick { 4 } else { 20 };
    let steps = epochs * loader.len() as u64;
    let trainer =
        Trainer::new(&net, Autoencoder::forward, mse_loss, Adam::new(net.named_parameters()).lr(2e-3))
            .epochs(epochs)
            .schedule(CosineAnnealingLr::new(steps))
            .validation(&held_out);
    let history = options.fit_slowly("autoencoder", trainer, &loader)?;
    let of_net = no_grad(|| net.forward(&Variable::new(test.clone()))).value();

    let (a, b) = (error(&of_pca, &test), error(&of_net, &test));
    let mut table = Table::new(["10 000 held-out digits, 16 numbers each", "mean square error of a pixel"]);
    table.numbers("one principal component", [error(&Pca::fit(&train, 1).reconstruct(&test), &test)]);
    table.numbers("principal components", [a]);
    table.numbers("autoencoder", [b]);
    table.print();
    let some = |of: &Tensor| of.narrow(0, 0, 10).reshape([10, 28, 28]);
    ImageGrid::new("Digits through 16 numbers")
        .row("original", &some(&test))
        .row("autoencoder", &some(&of_net))
        .row("PCA", &some(&of_pca))
        .save(options.picture("autoencoder.svg"))?;
    history
        .chart("loss")
        .title("Autoencoder: reconstruction error by epoch")
        .y("mean square error of a pixel (of white²)")
        .reference("PCA", [1.0, epochs as f64].map(|x| (x, a)))
        .save(options.picture("autoencoder-loss.svg"))?;
    who_won("PCA (error)", a - b);
    at_most("error of the autoencoder", b, if options.quick { a } else { 0.6 * a })
}

fn main() -> ExitCode {
    application::run(&[], autoencoder)
}
