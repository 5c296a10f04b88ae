//! Lesson 3: the chain rule with numbers.
//!
//! A computation is a list of small steps, each a function whose slope everybody knows. Write x̄ for the slope of the
//! final result in x: how much the result grows when x grows by 1. Walk the list backward, and for each step y = f(x)
//! say x̄ += ȳ · ∂y/∂x. That one line is all of backpropagation.
//!
//! Source: A. Baydin, B. Pearlmutter, A. Radul, J. Siskind, "Automatic differentiation in machine learning: a survey",
//! *Journal of Machine Learning Research* 18 (2018), section 3.2, table 3: this function at this point. The list is R. E.
//! Wengert's, "A simple automatic derivative evaluation program", *Communications of the ACM* 7 (1964).
//!
//! `cargo run --release --example 03_chain_rule`

use wengert::{inspect, prelude::*};

fn f(x1: f64, x2: f64) -> f64 {
    x1.ln() + x1 * x2 - x2.sin()
}

/// x̄ += ȳ · ∂y/∂x, in words and numbers.
fn add(name: &str, x_bar: &mut f64, y_bar: f64, rule: &str, slope: f64) {
    let before = *x_bar;
    *x_bar += y_bar * slope;
    let gap = " ".repeat(12 - rule.chars().filter(|&c| c != '\u{304}').count()); // a bar above a letter has no width
    println!("  {name} += {rule}{gap} = {before:>7.4} + {y_bar:>7.4} · {slope:>7.4} = {x_bar:>7.4}");
}

fn main() {
    let (x1, x2) = (2.0_f64, 5.0_f64);
    println!("f(x1, x2) = ln(x1) + x1·x2 - sin(x2) at x1 = {x1}, x2 = {x2}\n");
    println!("Forward, one small step a line:");
    let a = x1.ln();
    println!("  a = ln(x1)   = ln({x1})            = {a:>8.4}");
    let b = x1 * x2;
    println!("  b = x1 · x2  = {x1} · {x2}            = {b:>8.4}");
    let c = x2.sin();
    println!("  c = sin(x2)  = sin({x2})           = {c:>8.4}");
    let d = a + b;
    println!("  d = a + b    = {a:.4} + {b:.4} = {d:>8.4}");
    let y = d - c;
    println!("  y = d - c    = {d:.4} + {:.4} = {y:>8.4}", -c);
    assert_eq!(y, f(x1, x2));

    println!("\nBackward, the same lines from the last to the first. ȳ = 1: y grows as fast as itself.");
    let y_bar = 1.0;
    let (mut x1_bar, mut x2_bar, mut a_bar, mut b_bar, mut c_bar, mut d_bar) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    println!("y = d - c");
    add("d̄ ", &mut d_bar, y_bar, "ȳ · 1", 1.0);
    add("c̄ ", &mut c_bar, y_bar, "ȳ · (-1)", -1.0);
    println!("d = a + b");
    add("ā ", &mut a_bar, d_bar, "d̄ · 1", 1.0);
    add("b̄ ", &mut b_bar, d_bar, "d̄ · 1", 1.0);
    println!("c = sin(x2)");
    add("x̄2", &mut x2_bar, c_bar, "c̄ · cos(x2)", x2.cos());
    println!("b = x1 · x2");
    add("x̄1", &mut x1_bar, b_bar, "b̄ · x2", x2);
    add("x̄2", &mut x2_bar, b_bar, "b̄ · x1", x1);
    println!("a = ln(x1)");
    add("x̄1", &mut x1_bar, a_bar, "ā · 1/x1", 1.0 / x1);
    println!("x1 and x2 were used twice each, so two contributions were added up for each.\n");

    // The judge of lesson 2.
    let h = 1e-5;
    let by_x1 = (f(x1 + h, x2) - f(x1 - h, x2)) / (2.0 * h);
    let by_x2 = (f(x1, x2 + h) - f(x1, x2 - h)) / (2.0 * h);
    println!("            backward      differences");
    println!("  ∂y/∂x1  {x1_bar:>10.6}  {by_x1:>13.6}");
    println!("  ∂y/∂x2  {x2_bar:>10.6}  {by_x2:>13.6}");
    assert!((x1_bar - by_x1).abs() < 1e-8 && (x2_bar - by_x2).abs() < 1e-8);
    assert_eq!(format!("{x1_bar:.3} {x2_bar:.3}"), "5.500 1.716", "the numbers of the survey's table 3");

    println!("\nThis library keeps the same list, and walks it the same way. What it did, step by step:");
    let leaf = |x: f64, name: &str| Variable::from(x).requires_grad().named(name);
    let (v1, v2) = (leaf(x1, "x1"), leaf(x2, "x2"));
    let y = inspect::trace(|| {
        let (a, b, c) = (v1.ln().named("a"), (&v1 * &v2).named("b"), v2.sin().named("c"));
        ((a + b).named("d") - c).named("y")
    });
    let steps: Vec<_> = inspect::steps(&y).collect();
    steps.iter().for_each(|step| println!("  {step}"));
    let mut contributions: Vec<f64> = steps.iter().map(|step| step.contribution.item()).collect();
    let mut by_hand = [1.0, -1.0, 1.0, 1.0, -x2.cos(), x2, x1, 1.0 / x1];
    contributions.sort_by(f64::total_cmp);
    by_hand.sort_by(f64::total_cmp);
    assert_eq!(contributions, by_hand, "the same contributions, to the bit");
    y.backward();
    assert_eq!([v1.grad(), v2.grad()].map(|g| g.unwrap().item()), [x1_bar, x2_bar]);
}
