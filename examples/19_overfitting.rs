//! Lesson 19: overfitting, and three ways to hold it back.
//!
//! A large network and few examples: the loss in training goes to 0 while that on new points turns and rises. It is learning
//! the noise by heart. *Dropout* silences random neurons at each step, so that none may rely on another; *weight decay* pulls
//! all weights towards 0, so that only what the data insist on grows; *early stopping* ends when the validation loss turns.
//!
//! Source: N. Srivastava and others, "Dropout", *Journal of Machine Learning Research* 15 (2014); A. Krogh, J. Hertz, "A
//! simple weight decay can improve generalization" (1992); L. Prechelt, "Early stopping, but when?" (1998).
//!
//! `cargo run --release --example 19_overfitting`

mod picture;

use picture::Chart;
use wengert::datasets::toy;
use wengert::nn::Sequential;
use wengert::prelude::*;

type Points = (Variable, Tensor<i64>);
type Net = Sequential<(Linear, ReLU, Dropout, Linear, ReLU, Dropout, Linear)>;

const EPOCHS: usize = 200;

/// Noisy half moons; the seed says which.
fn points(count: usize, seed: u64) -> Points {
    let (x, y) = toy::moons(count, 0.35, seed);
    (Variable::new(x), y)
}

/// Loss and share of right answers.
fn judge(net: &Net, (x, y): &Points) -> (f64, f64) {
    net.eval();
    let scores = no_grad(|| net.forward(x));
    net.train();
    let right = scores.value().argmax(-1, false).eq(y).count_true();
    (f64::from(cross_entropy(&scores, y).item()), right as f64 / y.len() as f64)
}

struct Run {
    /// Loss in training and validation after each epoch.
    history: Vec<(f64, f64)>,
    net: Net,
    /// The epoch of the least validation loss, and the weights then.
    best: (usize, StateDict),
}

fn train(dropout: f64, weight_decay: f64, training: &Points, validation: &Points) -> Run {
    manual_seed(2);
    let net = Sequential::new((
        Linear::new(2, 64),
        ReLU,
        Dropout::new(dropout),
        Linear::new(64, 64),
        ReLU,
        Dropout::new(dropout),
        Linear::new(64, 2),
    ));
    let mut adam = AdamW::new(net.named_parameters()).lr(0.005).weight_decay(weight_decay);
    let mut run = Run { history: vec![], best: (0, net.state_dict()), net };
    for epoch in 0..EPOCHS {
        adam.zero_grad();
        cross_entropy(&run.net.forward(&training.0), &training.1).backward();
        adam.step();
        let now = (judge(&run.net, training).0, judge(&run.net, validation).0);
        if run.history.iter().all(|before: &(f64, f64)| now.1 < before.1) {
            run.best = (epoch, run.net.state_dict());
        }
        run.history.push(now);
    }
    run
}

fn main() {
    let (training, validation, test) = (points(40, 3), points(400, 1), points(4000, 2));
    println!("40 points of two noisy half moons to learn from, 400 to watch, 4000 to judge by at the end.");
    println!("The network: 2-64-64-2, 4,482 weights, a hundred for each point. {EPOCHS} epochs of Adam.\n");
    let runs = [
        ("nothing", train(0.0, 0.0, &training, &validation)),
        ("dropout 0.5", train(0.5, 0.0, &training, &validation)),
        ("weight decay 2", train(0.0, 2.0, &training, &validation)),
    ];
    println!("Loss in training | in validation, after the epoch:");
    println!("{:>6}{:>22}{:>22}{:>22}", "epoch", runs[0].0, runs[1].0, runs[2].0);
    for epoch in [1, 10, 20, 40, 80, 120, 200] {
        let cells = runs.iter().map(|(_, run)| run.history[epoch - 1]);
        let cells = cells.map(|(t, v)| format!("{:>22}", format!("{t:.3} | {v:.3}")));
        println!("{epoch:>6}{}", cells.collect::<String>());
    }
    let (first, last) = (&runs[0].1, runs[0].1.history[EPOCHS - 1]);
    let least = first.history[first.best.0].1;
    let epoch = first.best.0 + 1;
    println!(
        "\nWithout anything the validation loss is least, {least:.3}, at epoch {epoch}, and rises to {:.3}.",
        last.1
    );
    println!("Early stopping keeps the weights of that epoch; it costs nothing but some points to watch.\n");
    assert!(last.0 < 0.1 && last.1 > 1.5 * least, "it overfits");

    println!("Judged by the 4000 test points, which had no say in anything:");
    println!("  {:<18}{:>10}{:>12}{:>12}", "", "test loss", "right", "weights²");
    let mut losses = vec![];
    let mut report = |name: &str, net: &Net| {
        let (loss, accuracy) = judge(net, &test);
        let squares: f32 = net.parameters().iter().map(|p| p.square().sum().item()).sum();
        println!("  {name:<18}{loss:>10.3}{:>10.1} %{squares:>12.0}", 100.0 * accuracy);
        losses.push((loss, squares));
    };
    runs.iter().for_each(|(name, run)| report(name, &run.net));
    first.net.load_state_dict(&first.best.1).expect("the same network");
    report("early stopping", &first.net);
    assert!(losses[1..].iter().all(|run| run.0 < 0.75 * losses[0].0), "each of the three helps");
    assert!(losses[2].1 < 0.7 * losses[0].1, "weight decay keeps the weights small");

    let epochs = ("epoch", (0.0, EPOCHS as f64));
    let mut chart = Chart::new("Validation loss, 40 training points", epochs, ("loss", (0.0, 2.0)));
    for (name, run) in &runs {
        chart = chart.line(name, run.history.iter().enumerate().map(|(epoch, now)| (epoch as f64, now.1)));
    }
    let file = chart.save("19_overfitting").expect("target/pictures can be written");
    println!("\nThe curves: {}", file.display());
}
