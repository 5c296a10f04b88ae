//! Lesson 14: momentum, RMSprop and Adam from their formulas.
//!
//! Plain descent knows only the slope under its feet. *Momentum* keeps a running sum of slopes and rolls on along a valley;
//! *RMSprop* divides each slope by its usual size, so that flat and steep directions move alike; *Adam* does both. Each
//! is a line or three. They race down Rosenbrock's valley, f = (1 - x)² + 100(y - x²)², and each formula is held to the
//! library's optimiser at every step.
//!
//! Source: B. Polyak (1964), momentum; G. Hinton, *Neural Networks for Machine Learning*, lecture 6e (2012), RMSprop;
//! D. Kingma, J. Ba, "Adam: a method for stochastic optimization" (2015), algorithm 1.
//!
//! `cargo run --release --example 14_optimisers`

mod picture;

use wengert::NamedParameters;
use wengert::optim::{Adam, Optimizer, RmsProp, Sgd};
use wengert::prelude::Variable;

type Pair = [f64; 2];
const START: Pair = [-1.2, 1.0];

/// f = (1 - x)² + 100(y - x²)²; least at (1, 1), at the end of a curved valley.
fn rosenbrock(p: &Variable<f64>) -> Variable<f64> {
    let (x, y) = (p.select(0, 0), p.select(0, 1));
    (1.0 - &x).square() + 100.0 * (y - x.square()).square()
}

/// The library's optimiser of these parameters.
type Library = fn(NamedParameters<f64>) -> Box<dyn Optimizer<f64>>;
/// The change of a weight from its slope, from what is kept from step to step, and from the number of the step.
type Formula = fn(slope: f64, m: &mut f64, v: &mut f64, step: i32) -> f64;

fn descent(g: f64, _: &mut f64, _: &mut f64, _: i32) -> f64 {
    -0.0015 * g
}
fn momentum(g: f64, m: &mut f64, _: &mut f64, _: i32) -> f64 {
    *m = 0.9 * *m + g;
    -0.001 * *m
}
fn rmsprop(g: f64, _: &mut f64, v: &mut f64, _: i32) -> f64 {
    *v = 0.99 * *v + 0.01 * g * g;
    -0.005 * g / (v.sqrt() + 1e-8)
}
fn adam(g: f64, m: &mut f64, v: &mut f64, step: i32) -> f64 {
    *m = 0.9 * *m + 0.1 * g;
    *v = 0.999 * *v + 0.001 * g * g;
    // Both began at 0 and are too small at first; that is made up for.
    let (m, v) = (*m / (1.0 - 0.9_f64.powi(step)), *v / (1.0 - 0.999_f64.powi(step)));
    -0.02 * m / (v.sqrt() + 1e-8)
}

/// The path of a formula, each step compared with the library's optimiser.
fn race(formula: Formula, library: Library) -> Vec<Pair> {
    let theirs = Variable::from(START).requires_grad();
    let mut optimizer = library(NamedParameters::from_iter([("p", theirs.clone())]));
    let (mut p, mut m, mut v, mut path) = (START, [0.0; 2], [0.0; 2], vec![START]);
    for step in 1..20_000 {
        let ours = Variable::from(p).requires_grad();
        rosenbrock(&ours).backward();
        let g = ours.grad().expect("a pass").to_vec();
        for i in 0..2 {
            p[i] += formula(g[i], &mut m[i], &mut v[i], step);
        }
        if step <= 200 {
            optimizer.zero_grad();
            rosenbrock(&theirs).backward();
            optimizer.step();
            let found = theirs.value().to_vec();
            assert!((0..2).all(|i| (found[i] - p[i]).abs() < 1e-9), "the library's step is the formula's");
        }
        path.push(p);
        if (p[0] - 1.0).hypot(p[1] - 1.0) < 0.01 {
            break;
        }
    }
    path
}

fn main() {
    println!("Rosenbrock's valley, from {START:?} to (1, 1): very steep across, nearly flat along it.\n");
    let racers: [(&str, &str, Formula, Library); 4] = [
        ("descent", "p -= η·g", descent, |p| Box::new(Sgd::new(p).lr(0.0015))),
        ("momentum", "m = 0.9·m + g;  p -= η·m", momentum, |p| {
            Box::new(Sgd::new(p).lr(0.001).momentum(0.9))
        }),
        ("RMSprop", "v = 0.99·v + 0.01·g²;  p -= η·g/√v", rmsprop, |p| {
            Box::new(RmsProp::new(p).lr(0.005))
        }),
        ("Adam", "both, corrected for their start", adam, |p| Box::new(Adam::new(p).lr(0.02))),
    ];
    let paths = racers.map(|(_, _, formula, library)| race(formula, library));
    println!("{:<10}{:<38}{:>8}   where it is after 10, 100, 1000 steps", "", "", "steps");
    for ((name, formula, ..), path) in racers.iter().zip(&paths) {
        let at = |step: usize| path[step.min(path.len() - 1)];
        let places = [10, 100, 1000].map(|step| format!("({:>5.2}, {:>5.2})", at(step)[0], at(step)[1]));
        println!("{name:<10}{formula:<38}{:>8}   {}", path.len() - 1, places.join("  "));
        let end = path[path.len() - 1];
        assert!((end[0] - 1.0).hypot(end[1] - 1.0) < 0.02, "{name} arrives");
    }
    assert!(paths[1..].iter().all(|path| path.len() < paths[0].len()), "all beat plain descent");
    println!("(The first 200 steps of each were compared with wengert::optim, step by step: equal.)\n");

    println!("Why: in the valley the slope along it is small and always one way, that across it large and");
    println!("back and forth. A step of each from a slope of (0.01, 100), then another from (0.01, -100):");
    for (name, _, formula, _) in racers {
        let (mut m, mut v) = ([0.0; 2], [0.0; 2]);
        let mut walk = |g: Pair, step: i32| [0, 1].map(|i| formula(g[i], &mut m[i], &mut v[i], step));
        let ([a, b], [c, d]) = (walk([0.01, 100.0], 1), walk([0.01, -100.0], 2));
        println!("  {name:<10}({a:>10.6}, {b:>10.6})  ({c:>10.6}, {d:>10.6})");
        let even = (a / b - 1.0).abs() < 1e-4;
        assert_eq!(even, ["RMSprop", "Adam"].contains(&name), "dividing by the size makes directions even");
    }

    let title = "Down Rosenbrock's valley, 1000 steps each";
    let mut chart = picture::Chart::new(title, ("x", (-1.6, 1.6)), ("y", (-0.5, 2.5)));
    chart = chart.guide((-32..=32).map(|k| f64::from(k) / 20.0).map(|x| (x, x * x))); // the floor
    for ((name, ..), path) in racers.iter().zip(&paths) {
        chart = chart.line(name, path.iter().take(1000).map(|p| (p[0], p[1])));
    }
    let file = chart.save("14_optimisers").expect("target/pictures can be written");
    println!("\nThe paths as a picture: {}", file.display());
}
