//! Lesson 7: why the backward pass goes in sorted order.
//!
//! A value may be used by several others. Its slope is complete only when all of them have sent their share, and only then
//! may it be passed on. The walk of lesson 6 sorts the graph so that this holds. Here are two walks that do not: one is wrong,
//! the other right and hopelessly slow.
//!
//! Source: A. Griewank, A. Walther, *Evaluating Derivatives*, 2nd edition (2008), section 3.2; for the number of paths,
//! F. Bauer, "Computational graphs and rounding error", *SIAM Journal on Numerical Analysis* 11 (1974).
//!
//! `cargo run --release --example 07_why_sort`

#[path = "06_scalar_variable.rs"]
#[allow(dead_code)]
mod lesson_06;

use lesson_06::Variable;
use std::{collections::HashSet, rc::Rc};

/// Passes slopes on from whatever value was met first, each value once.
fn backward_unsorted(root: &Variable) -> usize {
    root.0.grad.set(1.0);
    let (mut queue, mut seen) = (vec![root.clone()], HashSet::new());
    while let Some(y) = queue.pop() {
        if seen.insert(Rc::as_ptr(&y.0)) {
            for (x, slope) in &y.0.inputs {
                x.0.grad.set(x.grad() + y.grad() * slope);
                queue.push(x.clone());
            }
        }
    }
    seen.len()
}

/// Passes every share on at once, on its own: one walk for each path from the result to an input.
fn backward_by_paths(y: &Variable, share: f64) -> usize {
    y.0.grad.set(y.grad() + share);
    1 + y.0.inputs.iter().map(|(x, slope)| backward_by_paths(x, share * slope)).sum::<usize>()
}

fn backward_sorted(y: &Variable) -> usize {
    y.backward();
    y.sorted().len()
}

/// y = (a·x)·x + a with a = x² + x: a is used twice, at different distances from the end.
fn shortcut(x: &Variable) -> Variable {
    let a = &(x * x) + x;
    &(&(&a * x) * x) + &a
}

/// x doubled n times by x + x: n values, but 2ⁿ paths.
fn doubled(x: &Variable, n: usize) -> Variable {
    (0..n).fold(x.clone(), |x, _| &x + &x)
}

fn main() {
    let (x, h) = (2.0, 1e-5);
    let at = |x: f64| shortcut(&Variable::new(x)).0.value;
    let differences = (at(x + h) - at(x - h)) / (2.0 * h);
    println!("y = (a·x)·x + a with a = x² + x, at x = {x}: a = 6, y = {}", at(x));
    println!("By hand: dy/dx = a′x² + 2ax + a′ with a′ = 2x + 1 = 5, so 20 + 24 + 5 = 49");
    println!("By differences: {differences:.6}\n");
    assert!((differences - 49.0).abs() < 1e-6);

    println!("{:<34}{:>10}{:>10}", "walk", "dy/dx", "visits");
    let mut found = vec![];
    type Walk = fn(&Variable) -> usize;
    let walks: [(&str, Walk); 3] = [
        ("unsorted, each value once", backward_unsorted),
        ("every path on its own", |y| backward_by_paths(y, 1.0)),
        ("sorted, each value once", backward_sorted),
    ];
    for (name, walk) in walks {
        let x = Variable::new(x);
        let visits = walk(&shortcut(&x));
        println!("{name:<34}{:>10}{visits:>10}{}", x.grad(), if x.grad() == 49.0 { "" } else { "   wrong!" });
        found.push((x.grad(), visits));
    }
    assert!(found[0].0 != 49.0, "out of order, a passed on a slope that was not complete");
    assert_eq!((found[1].0, found[2].0), (49.0, 49.0));
    println!(
        "The unsorted walk passed a's slope on when it had come by the short way, from y. The share that came"
    );
    println!("later, through (a·x)·x, stayed at a and never reached x.\n");

    println!("Path by path is right: the chain rule is a sum over paths. But count them; x doubled n times:");
    println!("{:>6}{:>16}{:>14}{:>14}", "n", "dy/dx = 2ⁿ", "by paths", "sorted");
    for n in [1, 2, 5, 10, 15, 20] {
        let (slow, fast) = (Variable::new(1.0), Variable::new(1.0));
        let visits = (backward_by_paths(&doubled(&slow, n), 1.0), backward_sorted(&doubled(&fast, n)));
        println!("{n:>6}{:>16}{:>14}{:>14}", fast.grad(), visits.0, visits.1);
        assert_eq!((slow.grad(), fast.grad()), (2f64.powi(n as i32), 2f64.powi(n as i32)));
        assert_eq!(visits, ((2 << n) - 1, n + 1));
    }
    println!("100 layers of 10 neurons have 10¹⁰⁰ paths, more than there are atoms. Sorting makes");
    println!("the sum cheap: each value collects all its shares first, and hands on one number.");

    // The library sorts with a heap, deepest value first.
    let x = wengert::Variable::from(2.0_f64).requires_grad();
    let a = &x * &x + &x;
    (&a * &x * &x + &a).backward();
    let slope = x.grad().expect("y depends on x").item();
    println!("\nThis library on the same graph: dy/dx = {slope}");
    assert_eq!(slope, 49.0);
}
