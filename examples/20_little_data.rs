//! Lesson 20: little data.
//!
//! Why does deep learning want so many examples? Here it is measured: the same network, the same number of steps, and 100,
//! 1,000, 10,000 or 60,000 handwritten digits. The test error falls as a power of the number of examples; a larger network
//! does not make up for them. What helps is to make examples: a digit moved or turned a little is the same digit.
//!
//! Source: J. Hestness and others, "Deep learning scaling is predictable, empirically" (2017), section 2; P. Simard and others,
//! "Best practices for convolutional neural networks applied to visual document analysis" (2003), on making examples.
//!
//! `cargo run --release --example 20_little_data`

use wengert::datasets::transform::{RandomAffine, Transform};
use wengert::datasets::{Dataset, LabelledImages};
use wengert::nn::Sequential;
use wengert::prelude::*;

const STEPS: usize = 3000;
type Net = Sequential<(Linear, ReLU, Linear)>;

/// The share of wrong answers, in percent.
fn error(net: &Net, set: &LabelledImages, count: usize) -> f64 {
    let indices: Vec<usize> = (0..count.min(10_000)).collect();
    let (x, y) = set.batch(&indices);
    let found = no_grad(|| net.forward(&x)).value().argmax(-1, false);
    100.0 * found.ne(&y).count_true() as f64 / y.len() as f64
}

/// Trains 784-`width`-10 on the first `count` digits, for always the same number of steps; the errors on the digits that it
/// learned from and on the 10,000 test digits.
fn run(mnist: &Mnist, count: usize, width: usize, augmented: bool) -> (f64, f64) {
    manual_seed(0);
    let net = Sequential::new((Linear::new(784, width), ReLU, Linear::new(width, 10)));
    let mut adam = Adam::new(net.named_parameters()).lr(2e-3);
    let digits = mnist.train();
    let loader = digits.clone().subset((0..count).collect::<Vec<_>>()).loader().batch_size(64).shuffle(1);
    let bend = RandomAffine { degrees: 12.0, translate: 0.08, scale: (0.9, 1.1) };
    let loader = loader.map_seeded(2, move |(x, y), generator| {
        if !augmented {
            return (x, y);
        }
        let images = x.value().reshape([-1, 28, 28]);
        (Variable::new(bend.apply(images, generator).reshape([-1, 784])), y)
    });
    for (x, y) in (0..).flat_map(|epoch| loader.epoch(epoch)).take(STEPS) {
        adam.zero_grad();
        cross_entropy(&net.forward(&x), &y).backward();
        adam.step();
    }
    (error(&net, &digits, count), error(&net, &mnist.test(), 10_000))
}

/// A digit in characters, every second row.
fn show(images: [&Tensor; 3]) {
    for row in (4..26).step_by(2) {
        let line = |image: &Tensor| {
            let grey = |&p: &f32| [' ', '+', '#'][usize::from(p > 0.2) + usize::from(p > 0.6)];
            image.narrow(0, row, 1).to_vec().iter().map(grey).collect::<String>()
        };
        println!("   {}", images.map(line).join("  "));
    }
}

fn main() {
    let mnist = Mnist::bundled().expect("the digits come with the repository");
    println!("784-64-10, {STEPS} steps of 64 digits each, Adam. Wrong answers in percent:\n");
    println!("{:>8}{:>16}{:>20}", "digits", "on those seen", "on 10,000 others");
    let mut errors = vec![];
    for count in [100, 1_000, 10_000, 60_000] {
        let (seen, others) = run(&mnist, count, 64, false);
        println!("{count:>8}{seen:>16.1}{others:>20.1}  {}", "#".repeat(others.round() as usize));
        errors.push((seen, others));
    }
    assert!(errors.windows(2).all(|pair| pair[1].1 < 0.75 * pair[0].1), "more digits, fewer errors");
    assert!(errors[0].0 < 0.1 && errors[0].1 > 20.0, "100 digits are learned by heart, and little else");
    let power = (errors[0].1 / errors[2].1).log10() / 2.0;
    println!("From 100 to 10,000 the error falls as (number of digits)^-{power:.2}: ten times the data");
    println!(
        "leave {:.0} % of the errors. Few digits are soon known by heart; the gap is what is missing.\n",
        100.0 * 10f64.powf(-power)
    );
    assert!((0.2..0.8).contains(&power));

    println!("Is the network too small? 1,000 digits and other widths:");
    let widths =
        [(16, run(&mnist, 1_000, 16, false).1), (64, errors[1].1), (256, run(&mnist, 1_000, 256, false).1)];
    for (width, others) in widths {
        println!("{width:>8} neurons{others:>28.1}");
    }
    println!("Sixteen times the neurons do less than ten times the digits.\n");
    assert!(widths.iter().all(|(_, others)| *others > 1.3 * errors[2].1), "width is no substitute for data");

    println!("Making examples: turned by up to 12°, moved by up to 2 pixels, 10 % larger or smaller.");
    let first = mnist.train().images_f32().narrow(0, 0, 1).reshape([1, 28, 28]);
    let bend = RandomAffine { degrees: 12.0, translate: 0.08, scale: (0.9, 1.1) };
    let mut generator = wengert::tensor::Generator::new(4);
    let mut other = || bend.apply(first.clone(), &mut generator).squeeze(0);
    show([&first.squeeze(0), &other(), &other()]);
    println!("{:>8}{:>12}{:>24}", "digits", "as they are", "new ones at each step");
    for (i, count) in [100, 1_000].into_iter().enumerate() {
        let (_, others) = run(&mnist, count, 64, true);
        println!("{count:>8}{:>12.1}{others:>24.1}", errors[i].1);
        assert!(others < 0.85 * errors[i].1, "made examples help");
    }
    println!("It is knowledge put in by hand: turning changes no digit. (Turn a 6 by 180° and it does.)");
}
