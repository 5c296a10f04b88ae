//! What the trainer costs: the bare loop and `Trainer::fit` on MNIST, in turn, each with loss and accuracy.
//!
//! ```text
//! cargo bench --bench trainer
//! ```
//!
//! The two take turns within one process, and what is reported is the median of the ratios of neighbours: whatever else
//! the machine does meets both.

use std::time::Instant;
use wengert::{
    datasets::{DataLoader, LabelledImages},
    prelude::*,
    train::{Trainer, metrics::Accuracy},
};

#[derive(Module)]
struct Net {
    hidden: Linear,
    out: Linear,
}

impl Net {
    fn new() -> Net {
        manual_seed(0);
        Net { hidden: Linear::new(784, 128), out: Linear::new(128, 10) }
    }
    fn forward(&self, x: &Variable) -> Variable {
        self.out.forward(&self.hidden.forward(x).relu())
    }
}

/// One epoch of the bare loop; the weights' hash.
fn bare(loader: &DataLoader<LabelledImages>) -> u64 {
    let net = Net::new();
    let mut adam = Adam::new(net.named_parameters());
    let (mut seen, mut right, mut total) = (0, 0, 0.0);
    for (x, y) in loader.epoch(0) {
        let scores = net.forward(&x);
        let loss = cross_entropy(&scores, &y);
        adam.zero_grad();
        loss.backward();
        adam.step();
        right += scores.value().argmax(-1, false).iter().zip(y.iter()).filter(|(a, b)| a == b).count();
        seen += y.len();
        total += f64::from(loss.item()) * y.len() as f64;
    }
    assert!(right * 10 > seen * 8 && total.is_finite());
    net.named_parameters().fingerprint()
}

/// The same by the trainer.
fn fit(loader: &DataLoader<LabelledImages>) -> u64 {
    let net = Net::new();
    let adam = Adam::new(net.named_parameters());
    let mut trainer = Trainer::new(&net, Net::forward, cross_entropy, adam).metric(Accuracy::new());
    let history = trainer.fit(loader).expect("it trains");
    assert!(history.last("accuracy") > Some(0.8));
    net.named_parameters().fingerprint()
}

fn seconds(work: impl FnOnce() -> u64) -> (f64, u64) {
    let started = Instant::now();
    let hash = work();
    (started.elapsed().as_secs_f64(), hash)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn measure(batch_size: usize, rounds: usize) {
    let mnist = Mnist::bundled().expect("the files are in the repository");
    let loader = mnist.train().loader().batch_size(batch_size).shuffle(0);
    let (mut ratios, mut bares, mut fits) = (Vec::new(), Vec::new(), Vec::new());
    bare(&loader); // warms the pool and the caches
    for _ in 0..rounds {
        let ((a, first), (b, second)) = (seconds(|| bare(&loader)), seconds(|| fit(&loader)));
        assert_eq!(first, second, "the trainer computes what the loop computes");
        ratios.push(b / a);
        bares.push(a);
        fits.push(b);
    }
    let (bare, fit, ratio) = (median(bares), median(fits), median(ratios));
    println!("batches of {batch_size}: bare loop {bare:.3} s an epoch, fit {fit:.3} s; ratio {ratio:.3}");
}

fn main() {
    wengert::parallel(|| {
        measure(32, 9);
        measure(256, 15);
    });
}
