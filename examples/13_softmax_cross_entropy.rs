//! Lesson 13: softmax and cross-entropy, and why the gradient is p - y.
//!
//! For a choice among classes the network gives a score a class, and softmax makes probabilities of them:
//! p_i = exp(s_i) / Σ exp(s_j). The loss is what the right class was worth, E = -ln p_right. The slope of softmax is a
//! matrix, since each score moves every probability: ∂p_i/∂s_j = p_i(δ_ij - p_j). But with -1/p behind it nearly everything
//! cancels, and ∂E/∂s = p - y, where y is 1 at the right class and 0 elsewhere.
//!
//! Source: C. Bishop, *Pattern Recognition and Machine Learning* (2006), section 4.3.4; J. Bridle, "Probabilistic
//! interpretation of feedforward classification network outputs" (1990).
//!
//! `cargo run --release --example 13_softmax_cross_entropy`

use wengert::{jacobian, prelude::*};

fn leaf(scores: [f64; 3]) -> Variable<f64> {
    Variable::from(scores).requires_grad()
}
fn numbers(x: &Tensor<f64>) -> Vec<f64> {
    x.to_vec()
}
fn close(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12)
}

fn main() {
    let s = leaf([2.0, 1.0, -0.5]);
    let p = numbers(&s.softmax(0).value());
    let exponentials: Vec<f64> = numbers(&s.value()).iter().map(|s| s.exp()).collect();
    let total: f64 = exponentials.iter().sum();
    println!("scores s          = {:>8.4?}", numbers(&s.value()));
    println!("exp(s)            = {exponentials:>8.4?}   sum {total:.4}");
    println!("p = exp(s) / sum  = {p:>8.4?}   sum {:.4}", p.iter().sum::<f64>());
    assert!(close(&p, &exponentials.iter().map(|e| e / total).collect::<Vec<_>>()));

    println!("\nThe slopes of softmax are a matrix, ∂p_i/∂s_j = p_i(δ_ij - p_j):");
    let j = jacobian(|s| s.softmax(0), &s).value();
    for (i, row) in numbers(&j).chunks(3).enumerate() {
        println!("  {row:>8.4?}   sum {:>7.4}", row.iter().sum::<f64>().abs());
        let formula: Vec<f64> = (0..3).map(|k| p[i] * (f64::from(u8::from(i == k)) - p[k])).collect();
        assert!(close(row, &formula));
    }
    println!("Each row sums to 0: raise all scores alike and no probability moves.");

    let right = 1;
    let target = Tensor::full([1], right as i64);
    println!(
        "\nLet class {right} be the right one. E = -ln p_{right} = {:.4}. Two steps back:",
        -p[right].ln()
    );
    let e_p: Vec<f64> = (0..3).map(|i| if i == right { -1.0 / p[i] } else { 0.0 }).collect();
    let entries = numbers(&j);
    let e_s: Vec<f64> = (0..3).map(|k| (0..3).map(|i| e_p[i] * entries[3 * i + k]).sum()).collect();
    let p_minus_y: Vec<f64> = (0..3).map(|i| p[i] - f64::from(u8::from(i == right))).collect();
    println!("  ∂E/∂p = -y/p      = {e_p:>8.4?}");
    println!("  ∂E/∂s = Jᵀ ∂E/∂p  = {e_s:>8.4?}");
    println!("  p - y             = {p_minus_y:>8.4?}");
    assert!(close(&e_s, &p_minus_y));
    cross_entropy(&s.reshape([1, 3]), &target).backward();
    let found = numbers(&s.grad().expect("a pass"));
    println!("  cross_entropy     = {found:>8.4?}   this library's, in one step");
    assert!(close(&found, &p_minus_y), "cross_entropy's gradient is p - y");

    println!("\nWhy not the squared error? A network that is sure and wrong, s = (z, 0, 0), class 1 right:");
    println!("{:>6}{:>12}{:>26}{:>26}", "z", "p_1", "slope in s_1, squared", "slope in s_1, -ln p");
    let mut slopes = vec![];
    for z in [0.0, 2.0, 5.0, 10.0, 20.0] {
        let (a, b) = (leaf([z, 0.0, 0.0]), leaf([z, 0.0, 0.0]));
        (0.5 * (a.softmax(0) - Variable::from([0.0, 1.0, 0.0])).square().sum()).backward();
        cross_entropy(&b.reshape([1, 3]), &target).backward();
        let slope = |x: &Variable<f64>| numbers(&x.grad().expect("a pass"))[1];
        println!("{z:>6}{:>12.1e}{:>26.1e}{:>26.4}", numbers(&a.softmax(0).value())[1], slope(&a), slope(&b));
        slopes.push((slope(&a), slope(&b)));
    }
    println!("The more wrong, the less the squared error pushes: softmax is flat there. -ln p undoes that.");
    assert!(slopes[4].0.abs() < 1e-8 && slopes[4].1 < -0.999);

    println!("\nWith large scores exp overflows. Subtract the largest: ln Σ exp(s) = m + ln Σ exp(s - m):");
    let large = leaf([1000.0, 999.0, 0.0]);
    let naive = large.exp().sum().ln().item();
    println!(
        "  ln Σ exp(s) at s = (1000, 999, 0): as written {naive}, with m = 1000 {:.6}",
        large.logsumexp().item()
    );
    let loss = cross_entropy(&large.reshape([1, 3]), &target);
    loss.backward();
    println!("  cross_entropy {:.6}, gradient {:.4?}", loss.item(), numbers(&large.grad().expect("a pass")));
    assert!(naive.is_infinite() && (loss.item() - 1.313_261_687_518_222_6).abs() < 1e-12);
    println!("So give a loss the scores, not probabilities: cross_entropy takes both steps at once, safely.");
}
