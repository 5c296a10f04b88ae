//! Lesson 12: why the first weights matter.
//!
//! A signal that passes 20 layers is multiplied 20 times. If each layer shrinks it a little it is gone at the end, and so is
//! the gradient on its way back; if each widens it, it explodes. The cure is to draw the first weights just so wide that
//! both keep their size: variance 1/n for tanh (Glorot), 2/n for relu, which cuts half of every signal away (He).
//!
//! Source: X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010),
//! section 4.2; K. He and others, "Delving deep into rectifiers" (2015), section 2.2.
//!
//! `cargo run --release --example 12_initialisation`

use wengert::{nn::Nonlinearity, prelude::*};

type Bend = fn(&Variable) -> Variable;
const WIDTH: usize = 128;
const LAYERS: usize = 20;

/// The standard deviation of all entries.
fn spread(x: &Tensor) -> f64 {
    let n = x.len() as f64;
    let mean = x.iter().map(f64::from).sum::<f64>() / n;
    (x.iter().map(|x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n).sqrt()
}

/// Sends 64 random examples through layers with weights of deviation `std`, and a random gradient back: the spread of
/// the signal after each layer, and of the gradient there.
fn through(std: f64, bend: Bend) -> Vec<(f64, f64)> {
    manual_seed(0);
    let normal = |std, shape: [usize; 2]| Init::Normal { mean: 0.0, std }.parameter::<f32>(shape);
    let mut x = normal(1.0, [64, WIDTH]);
    let mut signals = vec![];
    for _ in 0..LAYERS {
        x = bend(&x.matmul(&normal(std, [WIDTH, WIDTH])));
        x.retain_grad();
        signals.push(x.clone());
    }
    x.backward_with(&normal(1.0, [64, WIDTH]).detach());
    let sizes = |x: &Variable| (spread(&x.value()), spread(&x.grad().expect("it was retained")));
    signals.iter().map(sizes).collect()
}

/// A bar on a logarithmic scale from 1e-12 to 1e12.
fn bar(size: f64) -> String {
    let column = (size.log10() + 12.0).clamp(0.0, 24.0).round() as usize;
    let mut dots = vec!['.'; 25];
    dots[12] = '|';
    dots[column] = '#';
    dots.into_iter().collect()
}

fn main() {
    let n = WIDTH as f64;
    let xavier = (1.0 / n).sqrt();
    let he = Nonlinearity::Relu.gain() * xavier;
    println!("{LAYERS} layers of {WIDTH} neurons. The spread of signal and gradient after a layer.");
    println!("Each dot is a factor of 10, the bar in the middle is 1.\n");
    let tries: [(&str, f64, Bend); 5] = [
        ("tanh, deviation 0.02: both vanish", 0.02, Variable::tanh),
        ("tanh, √(1/n): Glorot", xavier, Variable::tanh),
        ("relu, √(1/n): half is cut away in each layer", xavier, Variable::relu),
        ("relu, √(2/n): He", he, Variable::relu),
        ("relu, deviation 0.5: both explode", 0.5, Variable::relu),
    ];
    let mut found = vec![];
    for (name, std, bend) in tries {
        println!("{name}");
        println!("  {:>5}  {:>9}  {:<25}  {:>9}  {:<25}", "layer", "signal", "", "gradient", "");
        let sizes = through(std, bend);
        for layer in [1, 5, 10, 15, 20] {
            let (signal, gradient) = sizes[layer - 1];
            println!("  {layer:>5}  {signal:>9.1e}  {}  {gradient:>9.1e}  {}", bar(signal), bar(gradient));
        }
        found.push((sizes[LAYERS - 1].0, sizes[0].1));
    }
    let between = |x: f64| (0.02..50.0).contains(&x);
    assert!(found[0].0 < 1e-9 && found[0].1 < 1e-9, "narrow weights: signal and gradient vanish");
    assert!(between(found[1].0) && between(found[1].1), "Glorot's keep their size");
    assert!(found[2].0 < 1e-2, "with relu they are too narrow");
    assert!(between(found[3].0) && between(found[3].1), "He's keep it");
    assert!(found[4].0 > 1e6 && found[4].1 > 1e6, "wide weights: both explode");

    println!("\nDead relus. A sum that is below 0 for every example has slope 0, and never learns again.");
    println!("1000 examples, one layer of {WIDTH} relus, the bias moved by one bad step:");
    manual_seed(1);
    let x = Init::Normal { mean: 0.0, std: 1.0 }.parameter::<f32>([1000, WIDTH]).detach();
    let layer = Linear::new(WIDTH, WIDTH);
    Init::Normal { mean: 0.0, std: he }.fill(&layer.weight);
    let mut dead_counts = vec![];
    for bias in [0.0, -2.0, -4.0, -6.0] {
        layer.bias.as_ref().expect("a bias").set(Tensor::full([WIDTH], bias));
        layer.zero_grad();
        let h = layer.forward(&x).relu();
        h.sum().backward();
        let gradient = layer.weight.grad().expect("a pass");
        let silent = |row: usize| gradient.select(0, row as isize).iter().all(|slope| slope == 0.0);
        let dead = (0..WIDTH).filter(|&row| silent(row)).count();
        let active = h.value().iter().filter(|&h| h > 0.0).count() as f64 / h.len() as f64;
        println!(
            "  bias {bias:>4}: {:>5.1} % of the answers above 0, {dead:>3} of {WIDTH} neurons dead",
            100.0 * active
        );
        dead_counts.push(dead);
    }
    assert!(dead_counts[0] == 0 && dead_counts[3] > WIDTH / 2, "a large step can kill");
    println!("Hence small first biases, rates that are not too large, or a relu that leaks below 0.");

    println!("\nThe layers of this library draw their weights by themselves. Linear::new({WIDTH}, {WIDTH}):");
    let (drawn, formula) = (spread(&Linear::new(WIDTH, WIDTH).weight.value()), (1.0 / (3.0 * n)).sqrt());
    println!("  deviation {drawn:.4}, uniform within ±√(1/n), which is √(1/3n) = {formula:.4}");
    assert!((drawn / formula - 1.0).abs() < 0.03);
}
