//! Lesson 22: gradients of gradients.
//!
//! A gradient is computed by operations like any other, so it can be differentiated again. `create_graph(true)` records it.
//! Two uses: *Newton's method*, which divides the slope by the curvature, and learning a function from the differential
//! equation that it obeys, whose loss is made of derivatives of the network. (There *L-BFGS* makes the steps: it is Newton's
//! method with a curvature guessed from the last few gradients, since the true one of many weights is too large.)
//!
//! Source: J. Nocedal, S. Wright, *Numerical Optimization*, 2nd edition (2006), section 3.3; I. Lagaris, A. Likas, D. Fotiadis,
//! "Artificial neural networks for solving ordinary and partial differential equations" (1998), section 2.
//!
//! `cargo run --release --example 22_gradients_of_gradients`

use std::f64::consts::PI;
use wengert::nn::Sequential;
use wengert::{hessian, optim::Lbfgs, prelude::*};

/// (1 - x)² + 100(y - x²)², as in lesson 14.
fn rosenbrock(p: &Variable<f64>) -> Variable<f64> {
    let (x, y) = (p.select(0, 0), p.select(0, 1));
    (1.0 - &x).square() + 100.0 * (y - x.square()).square()
}

/// dy/dx of a sum of functions of one x each, recorded.
fn slope(y: &Variable<f64>, x: &Variable<f64>) -> Variable<f64> {
    grad(&[&y.sum()]).create_graph(true).wrt(&[x]).remove(0)
}

fn main() {
    let x = Variable::from(2.0_f64).requires_grad();
    let mut y = x.powf(4.0);
    println!("y = x⁴ at x = 2, and its derivatives, each the gradient of the one before:");
    for (order, exact) in [16.0, 32.0, 48.0, 48.0, 24.0].into_iter().enumerate() {
        println!("  order {order}: {:>4}   by hand {exact:>4}", y.item());
        assert!((y.item() - exact).abs() < 1e-12);
        if order < 4 {
            y = slope(&y, &x);
        }
    }

    println!("\nNewton's method, p ← p - H⁻¹·g, H the second derivatives. Down Rosenbrock's valley:");
    let mut p = Variable::from([-1.2, 1.0]).requires_grad();
    let h = hessian(rosenbrock, &p).value().to_vec();
    println!(
        "  H at the start = [{:.0} {:.0}; {:.0} {:.0}], symmetric: ∂²f/∂x∂y = ∂²f/∂y∂x",
        h[0], h[1], h[2], h[3]
    );
    assert_eq!(h[1], h[2]);
    println!("  {:>5}{:>16}{:>24}{:>12}", "step", "loss", "p", "|g|");
    let mut losses = vec![];
    for step in 0..8 {
        let loss = rosenbrock(&p);
        let g = grad(&[&loss]).wrt(&[&p]).remove(0);
        let at = p.value().to_vec();
        let size = g.square().sum().sqrt().item();
        println!(
            "  {step:>5}{:>16.2e}{:>24}{size:>12.1e}",
            loss.item(),
            format!("({:.6}, {:.6})", at[0], at[1])
        );
        losses.push(loss.item());
        let move_by = hessian(rosenbrock, &p).solve(&g.unsqueeze(-1)).squeeze(-1);
        p = (&p - move_by).detach().requires_grad();
    }
    println!("Seven steps, where Adam took thousands. Near the end each step doubles the right digits;");
    println!("on the way the loss may rise, for only near the valley's floor is the function a bowl.");
    assert!(losses[7] < 1e-20 && losses.iter().any(|&loss| loss > losses[0]));

    println!("\nA differential equation: u″ = -u with u(0) = 0 and u′(0) = 1, from 0 to π. Nobody tells the");
    println!("network a value of u. u(x) = x + x²·N(x) keeps both conditions whatever N is, and the loss is");
    println!("the mean of (u″ + u)² at 32 points: second derivatives inside, and a third for the weights.");
    manual_seed(3);
    let net = Sequential::new((Linear::<f64>::typed(1, 12), Tanh, Linear::<f64>::typed(12, 1)));
    let u = |x: &Variable<f64>| x + x.square() * net.forward(x);
    let x = Variable::new(Tensor::<f64>::linspace(0.0, PI, 32).reshape([32, 1])).requires_grad();
    let loss = || (slope(&slope(&u(&x), &x), &x) + u(&x)).square().mean();
    let mut lbfgs = Lbfgs::new(net.named_parameters()).max_iter(1);
    println!("  {:>12}{:>14}{:>24}", "iterations", "loss", "farthest from sin(x)");
    let far = || {
        let points = Variable::new(Tensor::<f64>::linspace(0.0, PI, 101).reshape([101, 1]));
        let exact = points.value().map(f64::sin);
        u(&points).value().iter().zip(exact.iter()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    };
    for iteration in 0..=200 {
        if [0, 10, 20, 50, 100, 200].contains(&iteration) {
            println!("  {iteration:>12}{:>14.2e}{:>24.2e}", loss().item(), far());
        }
        lbfgs.step(loss);
    }
    println!("\n  {:>8}{:>12}{:>12}{:>12}{:>12}", "x", "learned u", "sin(x)", "learned u′", "cos(x)");
    for degrees in [0.0, 45.0, 90.0, 135.0, 180.0_f64] {
        let at = degrees.to_radians();
        let point = Variable::new(Tensor::full([1, 1], at)).requires_grad();
        let value = u(&point);
        println!(
            "  {:>8}{:>12.6}{:>12.6}{:>12.6}{:>12.6}",
            format!("{degrees}°"),
            value.item(),
            at.sin(),
            slope(&value, &point).item(),
            at.cos()
        );
    }
    assert!(far() < 1e-3, "it has found the sine");
    println!("The network was told one equation, and found the sine.");
}
