//! Lesson 11: batches, epochs, and the three sets of data.
//!
//! One step can look at all examples or at a few, a *batch*; once through them all is an *epoch*. What a network has learned
//! by heart is not what it has understood, so the data are parted in three: *training* data to learn from, *validation* data to
//! choose by, and *test* data to be judged by, once, at the very end.
//!
//! Source: I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning* (2016), sections 5.3 and 8.1.3; T. Hastie, R. Tibshirani,
//! J. Friedman, *The Elements of Statistical Learning*, 2nd edition (2009), section 7.2.
//!
//! `cargo run --release --example 11_batches_and_epochs`

use wengert::datasets::{Dataset, TensorDataset, toy};
use wengert::{optim::Sgd, prelude::*, tensor::Generator};

/// Two inputs, 16 neurons, one output between -1 and 1 whose sign is the answer.
#[derive(Module)]
struct Net {
    hidden: Linear,
    out: Linear,
}

impl Net {
    fn forward(&self, x: &Variable) -> Variable {
        self.out.forward(&self.hidden.forward(x).tanh()).tanh()
    }
}

type Points = TensorDataset<(Tensor, Tensor)>;

/// The mean squared error and the share of right signs.
fn judge(net: &Net, set: &Points) -> (f64, f64) {
    let (x, y) = set.columns();
    let found = no_grad(|| net.forward(&Variable::new(x.clone())).reshape([y.len() as isize]));
    let right = found.value().iter().zip(y.iter()).filter(|(a, b)| a * b > 0.0).count();
    ((found - Variable::new(y.clone())).square().mean().item().into(), right as f64 / y.len() as f64)
}

fn loss(net: &Net, x: &Variable, y: &Variable) -> Variable {
    (net.forward(x).reshape([y.len() as isize]) - y).square().mean()
}

/// Trains a new network; the losses in training and validation after each epoch, and the network.
fn train(train: &Points, validation: &Points, batch: usize, epochs: usize) -> (Net, Vec<(f64, f64)>) {
    manual_seed(1);
    let net = Net { hidden: Linear::new(2, 16), out: Linear::new(16, 1) };
    let mut sgd = Sgd::new(net.named_parameters()).lr(0.2);
    let loader = TensorDataset::new(train.columns().clone()).loader().batch_size(batch).shuffle(3);
    let mut history = vec![];
    for _ in 0..epochs {
        for (x, y) in &loader {
            sgd.zero_grad();
            loss(&net, &x, &y).backward();
            sgd.step();
        }
        history.push((judge(&net, train).0, judge(&net, validation).0));
    }
    (net, history)
}

fn main() {
    let (points, classes) = toy::moons(1000, 0.15, 0);
    let signs = classes.map(|class| if class == 1 { 1.0 } else { -1.0_f32 });
    let order = Generator::new(5).permutation(1000);
    let part = |indices: &[usize]| {
        let indices = Tensor::from_fn([indices.len()], |i| indices[i[0]] as i64);
        TensorDataset::new((points.index_select(0, &indices), signs.index_select(0, &indices)))
    };
    let (training, validation, test) = (part(&order[..600]), part(&order[600..800]), part(&order[800..]));
    println!("1000 points of two half moons, parted at random: 600 to train, 200 to validate, 200 to test");

    println!("\nThe same 20 epochs in batches of different sizes; loss in training after the epoch:");
    println!("   batch   steps/epoch  steps in all   epoch 1   epoch 5  epoch 20");
    let mut last = vec![];
    for batch in [600, 100, 10] {
        let (_, history) = train(&training, &validation, batch, 20);
        let steps = training.len() / batch;
        let [first, fifth, twentieth] = [1, 5, 20].map(|epoch| history[epoch - 1].0);
        println!("{batch:>8}{steps:>14}{:>14}{first:>10.4}{fifth:>10.4}{twentieth:>10.4}", 20 * steps);
        last.push(twentieth);
    }
    println!("All see each point 20 times. Small batches take more steps, each a little off the mark.\n");
    assert!(last[2] < last[1] && last[1] < last[0], "more steps, more progress");

    println!("How far off? The slope in one weight, from 400 random batches: its mean and its spread");
    println!("{:>8}{:>12}{:>12}{:>20}", "batch", "mean", "spread", "spread · √batch");
    let (net, _) = train(&training, &validation, 100, 1);
    let weight = &net.hidden.weight;
    let scaled = [4, 16, 64].map(|batch| {
        let loader = TensorDataset::new(training.columns().clone()).loader().batch_size(batch).shuffle(9);
        let slopes: Vec<f64> = (0..200)
            .flat_map(|epoch| loader.epoch(epoch).take(2))
            .map(|(x, y)| {
                weight.zero_grad();
                loss(&net, &x, &y).backward();
                f64::from(weight.grad().expect("a pass").to_vec()[0])
            })
            .collect();
        let mean = slopes.iter().sum::<f64>() / slopes.len() as f64;
        let spread = (slopes.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / slopes.len() as f64).sqrt();
        println!("{batch:>8}{mean:>12.4}{spread:>12.4}{:>20.4}", spread * (batch as f64).sqrt());
        spread * (batch as f64).sqrt()
    });
    println!("Four times the batch halves the noise, and costs four times as much.\n");
    assert!(scaled.iter().all(|s| (0.6..1.6).contains(&(s / scaled[0]))), "the spread falls as 1/√batch");

    println!("60 epochs in batches of 10, watched by the validation set:");
    let (net, history) = train(&training, &validation, 10, 60);
    for epoch in [1, 2, 5, 10, 20, 40, 60] {
        let (training, validation) = history[epoch - 1];
        println!("  epoch {epoch:>2}: loss {training:.4} in training, {validation:.4} in validation");
    }
    let (error, accuracy) = judge(&net, &test);
    println!("And now, once, the test set: loss {error:.4}, {:.1} % right.", 100.0 * accuracy);
    assert!(history[59].0 < 0.5 * history[0].0 && accuracy > 0.95);

    let in_order: Vec<usize> = (0..1000).collect();
    let (net, _) = train(&part(&in_order[..600]), &part(&in_order[600..800]), 10, 60);
    let (_, unfair) = judge(&net, &part(&in_order[800..]));
    println!("\nWhy at random? The points come in order along the moons. Cut as they come, the end of each");
    println!("moon is never seen in training, and of the test points {:.1} % are right.", 100.0 * unfair);
    assert!(unfair < 0.5, "the parts must be alike");
}
