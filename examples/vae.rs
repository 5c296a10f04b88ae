//! A variational autoencoder on handwritten digits: reconstructions beside those of principal component analysis, and
//! digits that nobody wrote.
//!
//! `cargo run --release --example vae -- --out target/pictures`
//!
//! The encoder gives a normal distribution of 16 numbers for each image, the decoder the probability of each pixel. The
//! loss is the negative evidence lower bound: −ln p(x | z) + KL(q(z | x) ‖ N(0, 1)) (Kingma and Welling, "Auto-encoding
//! variational Bayes", 2014).

mod application;
#[path = "application/pca.rs"]
mod pca;

use application::{Options, Outcome, at_most, table::Table, who_won};
use pca::Pca;
use std::process::ExitCode;
use wengert::{
    datasets::LabelledImages,
    loss::{BceWithLogitsLoss, Reduction},
    optim::schedule::CosineAnnealingLr,
    plot::ImageGrid,
    prelude::*,
    split_generator,
    train::{Trainer, metrics::MeanOf},
};

const CODE: usize = 16;

#[derive(Module)]
struct Vae {
    encoder: Sequential<(Linear, ReLU, Linear, ReLU)>,
    mean: Linear,
    log_variance: Linear,
    decoder: Sequential<(Linear, ReLU, Linear, ReLU, Linear)>,
    training: Training,
}

/// Logits of the pixels \[batch, 784\], and mean and logarithm of the variance of the code \[batch, 16\].
type Output = (Variable, Variable, Variable);

impl Vae {
    fn new() -> Vae {
        Vae {
            encoder: Sequential::new((Linear::new(784, 512), ReLU, Linear::new(512, 256), ReLU)),
            mean: Linear::new(256, CODE),
            log_variance: Linear::new(256, CODE),
            decoder: Sequential::new((
                Linear::new(CODE, 256),
                ReLU,
                Linear::new(256, 512),
                ReLU,
                Linear::new(512, 784),
            )),
            training: Training::default(),
        }
    }

    fn forward(&self, images: &Variable) -> Output {
        let hidden = self.encoder.forward(images);
        let (mean, log_variance) = (self.mean.forward(&hidden), self.log_variance.forward(&hidden));
        let code = if self.training.is_on() {
            // z = μ + σ·ε: random, and yet a function of μ and σ that has derivatives.
            let noise = Variable::new(Tensor::randn(mean.shape(), &mut split_generator()));
            &mean + (&log_variance * 0.5).exp() * noise
        } else {
            mean.clone()
        };
        (self.decoder.forward(&code), mean, log_variance)
    }

    /// Images \[n, 784\] from codes \[n, 16\].
    fn decode(&self, code: &Variable) -> Tensor {
        no_grad(|| self.decoder.forward(code).sigmoid()).value()
    }
}

/// KL(N(μ, σ²) ‖ N(0, 1)) = ½ Σ (μ² + σ² − 1 − ln σ²), the mean over the batch; in nats.
fn divergence((_, mean, log_variance): &Output) -> Variable {
    let each = mean.square() + log_variance.exp() - 1.0 - log_variance;
    each.sum_axes(-1, false).mean() * 0.5
}

/// The negative evidence lower bound of an image, in nats.
fn loss(output: &Output, images: &Variable) -> Variable {
    let pixels = BceWithLogitsLoss::new().reduction(Reduction::Sum).forward(&output.0, images);
    pixels * (1.0 / images.shape()[0] as f64) + divergence(output)
}

fn error(found: &Tensor, images: &Tensor) -> f64 {
    found.iter().zip(images.iter()).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / images.len() as f64
}

fn vae(options: &Options) -> Outcome {
    let mnist = Mnist::bundled()?;
    let images = LabelledImages::images_f32;
    let (train, test) = (images(&mnist.train()), images(&mnist.test()));
    let of_pca = Pca::fit(&train, CODE).reconstruct(&test);

    manual_seed(options.seed);
    let net = Vae::new();
    let loader = mnist.train().loader().batch_size(128).shuffle(options.seed).prefetch(2);
    let loader = loader.map(|(images, _)| (images.clone(), images));
    let held_out = mnist.test().loader().batch_size(1000).map(|(images, _)| (images.clone(), images));
    let epochs = if options.quick { 3 } else { 30 };
    let steps = epochs * loader.len() as u64;
    let kl = |output: &Output, _: &Variable| f64::from(divergence(output).item());
    let trainer = Trainer::new(&net, Vae::forward, loss, Adam::new(net.named_parameters()).lr(1.5e-3))
        .epochs(epochs)
        .schedule(CosineAnnealingLr::new(steps))
        .metric(MeanOf::new("kl", kl))
        .validation(&held_out);
    let history = options.fit_slowly("vae", trainer, &loader)?;
    let (logits, code, _) = no_grad(|| net.forward(&Variable::new(test.clone())));
    let of_net = logits.value().map(|x| 1.0 / (1.0 + (-x).exp()));

    let (a, b) = (error(&of_pca, &test), error(&of_net, &test));
    let bound = history.last("val_loss").ok_or("no epoch")?;
    let mut table = Table::new(["10 000 held-out digits, 16 numbers each", "mean square error of a pixel"]);
    table.numbers("principal components", [a]);
    table.numbers("variational autoencoder", [b]);
    table.print();
    println!(
        "evidence lower bound: −{bound:.2} nats an image with the mean code, {:.2} of them for the code",
        history.last("val_kl").ok_or("no epoch")?
    );
    let some = |of: &Tensor| of.narrow(0, 0, 10).reshape([10, 28, 28]);
    let mut generator = wengert::tensor::Generator::new(options.seed);
    let random = |generator: &mut _| {
        net.decode(&Variable::new(Tensor::randn([10, CODE], generator))).reshape([10, 28, 28])
    };
    // From the code of one digit to that of another, in equal steps.
    let (from, to) = (code.narrow(0, 0, 1), code.narrow(0, 4, 1));
    let way: Vec<Tensor> = (0..10)
        .map(|step| net.decode(&(&from + (&to - &from) * (f64::from(step) / 9.0))).reshape([28, 28]))
        .collect();
    let mut grid = ImageGrid::new("Digits of a variational autoencoder")
        .row("original", &some(&test))
        .row("reconstructed", &some(&of_net))
        .row("PCA", &some(&of_pca))
        .row("from 7 to 4", &Tensor::stack(&way, 0));
    for row in ["drawn at random", "", ""] {
        grid = grid.row(row, &random(&mut generator));
    }
    grid.save(options.picture("vae.svg"))?;
    history
        .chart("loss")
        .title("Variational autoencoder: loss by epoch")
        .y("negative evidence lower bound (nats an image)")
        .save(options.picture("vae-loss.svg"))?;
    who_won("PCA (error)", a - b);
    at_most("error of the variational autoencoder", b, if options.quick { a } else { 0.7 * a })
}

fn main() -> ExitCode {
    application::run(&[], vae)
}
