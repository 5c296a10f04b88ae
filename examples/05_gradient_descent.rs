//! Lesson 5: gradient descent, and its learning rate.
//!
//! The slopes of the loss in all weights together are the *gradient*; it points to where the loss rises fastest. So take a
//! step against it, w ← w - η·∇E, and again. η is the *learning rate*: too small and it takes forever, too large and it
//! flies apart. When to stop: when the slope is about 0, or when the patience (the epochs) is spent.
//!
//! Source: I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning* (2016), section 4.3; the method is A. Cauchy's (1847).
//!
//! `cargo run --release --example 05_gradient_descent`

mod picture;

use picture::Chart;
use wengert::prelude::*;

type Point = (f64, f64);

/// A bowl that is ten times as steep in b as in a.
fn loss((a, b): Point) -> f64 {
    0.5 * (a * a + 10.0 * b * b)
}
/// Its slopes by the rules of lesson 3.
fn gradient((a, b): Point) -> Point {
    (a, 10.0 * b)
}

const START: Point = (9.0, 1.5);
const EPOCHS: usize = 120;

/// The points that descent comes by, and why it stopped.
fn descend(rate: f64) -> (Vec<Point>, &'static str) {
    let mut path = vec![START];
    let mut w = START;
    for _ in 0..EPOCHS {
        let slope = gradient(w);
        if slope.0.hypot(slope.1) < 1e-4 {
            return (path, "the slope is about 0");
        }
        w = (w.0 - rate * slope.0, w.1 - rate * slope.1);
        path.push(w);
    }
    (path, "the epochs are spent")
}

/// The path on paper: columns are a from -10 to 10, rows are b from 2 to -2; digits count the steps.
fn draw(path: &[Point]) {
    let mut paper = vec![vec![' '; 61]; 13];
    paper[6][30] = '+';
    for (step, (a, b)) in path.iter().take(10).enumerate() {
        let (row, column) = (6.0 - b * 3.0, 30.0 + a * 3.0);
        if (0.0..13.0).contains(&row) && (0.0..61.0).contains(&column) {
            paper[row.round().min(12.0) as usize][column.round().min(60.0) as usize] =
                char::from(b'0' + step as u8);
        }
    }
    paper.iter().for_each(|row| println!("    |{}|", row.iter().collect::<String>()));
}

fn main() {
    let e = loss(START);
    println!("E(a, b) = ½(a² + 10b²), a bowl whose lowest point is (0, 0). Start at {START:?}, E = {e:.3}.");
    let slope = gradient(START);
    println!("The gradient there is ({}, {}). One step with η = 0.1:", slope.0, slope.1);
    let w = (START.0 - 0.1 * slope.0, START.1 - 0.1 * slope.1);
    print!("  a = {} - 0.1·{} = {:.2}   ", START.0, slope.0, w.0);
    println!("b = {} - 0.1·{} = {:.2}   E = {:.3}\n", START.1, slope.1, w.1, loss(w));

    println!("{:>6}{:>8}{:>12}   stopped because", "η", "steps", "last E");
    let mut ends = Vec::new();
    for rate in [0.001, 0.01, 0.1, 0.18, 0.2, 0.21] {
        let (path, why) = descend(rate);
        let end = loss(path[path.len() - 1]);
        println!("{rate:>6}{:>8}{end:>12.1e}   {why}", path.len() - 1);
        ends.push((path.len() - 1, end));
    }
    assert!(ends[0].1 > 10.0, "too small: hardly moved");
    assert!(ends[2].1 < 1e-6 && ends[3].1 < 1e-6, "good rates arrive");
    assert!(ends[2].0 < EPOCHS && ends[3].0 < EPOCHS, "and stop by themselves");
    assert!(ends[4].1 > 1.0, "at 2/10 it jumps from side to side for ever");
    assert!(ends[5].1 > 1e6, "above, it flies apart");

    println!(
        "\nWhy 0.2? A step multiplies a by 1 - η and b by 1 - 10η. While both are within ±1 it converges."
    );
    println!("So η must be below 2/10, 10 being the steepest curvature; the flat direction sets the pace.");
    for rate in [0.01, 0.1, 0.18, 0.21_f64] {
        println!("  η = {rate:<5} a by {:>5.2}, b by {:>5.2} a step", 1.0 - rate, 1.0 - 10.0 * rate);
    }
    let (path, _) = descend(0.18);
    for (step, w) in path.iter().take(20).enumerate() {
        let formula = (START.0 * 0.82_f64.powi(step as i32), START.1 * (-0.8_f64).powi(step as i32));
        assert!((w.0 - formula.0).hypot(w.1 - formula.1) < 1e-9, "the factors explain the path");
    }

    println!("\nThe first steps with η = 0.18: across the valley they jump, along it they walk.");
    draw(&path);

    let w = Variable::from([START.0, START.1]).requires_grad();
    let mut sgd = Sgd::new(NamedParameters::from_iter([("w", w.clone())])).lr(0.18);
    for &(a, b) in &path {
        let found = w.value().to_vec();
        assert!((found[0] - a).hypot(found[1] - b) < 1e-9, "the library's steps are the same");
        let slope = gradient((a, b));
        w.set_grad(Some(tensor!(f64; slope.0, slope.1)));
        sgd.step();
    }
    println!("This library's Sgd, given the same slopes, goes by the same {} points.", path.len());

    let ellipse = |level: f64| {
        (0..=72)
            .map(move |k| (f64::from(k) * 5.0).to_radians())
            .map(move |t| ((2.0 * level).sqrt() * t.cos(), (0.2 * level).sqrt() * t.sin()))
    };
    let mut chart = Chart::new("Gradient descent on ½(a² + 10b²)", ("a", (-10.0, 10.0)), ("b", (-2.0, 2.0)));
    for level in [1.0, 4.0, 9.0, 16.0] {
        chart = chart.guide(ellipse(level));
    }
    for rate in [0.01, 0.1, 0.18] {
        chart = chart.line(&format!("η = {rate}"), descend(rate).0);
    }
    let file = chart.save("05_gradient_descent").expect("target/pictures can be written");
    println!("The same as a picture, with contours: {}", file.display());
}
