//! Lesson 10: matrices, and `backward()` against lesson 4.
//!
//! A variable of this library is not a number but an array of them, and a step is not a product but a matrix product. The
//! bookkeeping is that of lesson 6; only the rules are of arrays. For Y = A·B they are Ā += Ȳ·Bᵀ and B̄ += Aᵀ·Ȳ. A gradient
//! always has the shape of what it is the gradient of.
//!
//! Source: M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation",
//! *Advances in Automatic Differentiation* (2008), section 2.2.2.
//!
//! `cargo run --release --example 10_matrices`

#[path = "04_layer_backward.rs"]
#[allow(dead_code)]
mod lesson_04;

use lesson_04::{LAYERS, T, backward};
use wengert::{Variable, tensor};

/// The largest difference between the entries of two lists.
fn apart(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn gradient(x: &Variable<f64>) -> Vec<f64> {
    x.grad().expect("the loss depends on it").to_vec()
}

fn main() {
    println!("The two layers of lesson 4, as five variables: W, b, V, c and x.");
    let ([w, v], [b, c, row]) = LAYERS;
    let [w, v] = [w, v].map(|m| Variable::from(m).requires_grad());
    let [b, c] = [b, c].map(|b| Variable::from(b).requires_grad());
    let x = Variable::from([row]).requires_grad(); // one row, one example
    let forward = |x: &Variable<f64>| {
        let h = (x.matmul(&w.t()) + &b).tanh();
        (h.matmul(&v.t()) + &c).sigmoid()
    };
    let loss = 0.5 * (forward(&x) - Variable::from(T)).square().sum();
    println!("  h = tanh(x·Wᵀ + b)   y = sigmoid(h·Vᵀ + c)   E = ½ Σ (y - t)² = {:.6}", loss.item());
    println!("  (Examples are rows, so the products are the other way round than on paper: (Wx)ᵀ = xᵀWᵀ.)\n");
    loss.backward();

    let (([by_hand_w, by_hand_v], [by_hand_b, by_hand_c, by_hand_x]), _) = backward(LAYERS);
    println!("One call, E.backward(). What it leaves, beside the formulas of lesson 4:");
    println!("  {:<8}{:<9}{:<36}{:<36}", "", "shape", "backward()", "by hand");
    let list = |numbers: &[f64]| numbers.iter().map(|n| format!("{n:>8.4}")).collect::<String>();
    for (name, variable, hand) in [
        ("∂E/∂V", &v, by_hand_v.as_flattened()),
        ("∂E/∂c", &c, &by_hand_c),
        ("∂E/∂W", &w, by_hand_w.as_flattened()),
        ("∂E/∂b", &b, &by_hand_b),
        ("∂E/∂x", &x, &by_hand_x),
    ] {
        let found = gradient(variable);
        println!("  {name:<8}{:<9}{:<36}{:<36}", format!("{:?}", variable.shape()), list(&found), list(hand));
        assert!(apart(&found, hand) < 1e-12, "{name}");
        assert_eq!(variable.grad().map(|g| g.dims()), Some(variable.shape()));
    }

    println!("\nThe rule of the matrix product by itself. Y = A·B, A of 2 × 3 and B of 3 × 2, and some Ȳ:");
    let a = Variable::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).requires_grad();
    let m = Variable::from([[1.0, -1.0], [0.0, 2.0], [0.5, 1.0]]).requires_grad();
    let y_bar = Variable::new(tensor!(f64; [1.0, 10.0], [-1.0, 0.5]));
    a.matmul(&m).backward_with(&y_bar);
    println!("  Ȳ        = {:?}", y_bar.value().to_vec());
    println!("  Ā = Ȳ·Bᵀ = {:?}", gradient(&a));
    println!("  B̄ = Aᵀ·Ȳ = {:?}", gradient(&m));
    assert_eq!(gradient(&a), y_bar.matmul(&m.t()).value().to_vec());
    assert_eq!(gradient(&m), a.t().matmul(&y_bar).value().to_vec());

    println!("\nThree examples as three rows. Each uses the weights, so their slopes add up (lesson 8):");
    let rows = [row, [0.3, -0.8], [-1.5, 0.2]];
    let mut sum = vec![0.0; 4];
    for (i, row) in rows.into_iter().enumerate() {
        w.zero_grad();
        (0.5 * (forward(&Variable::from([row])) - Variable::from(T)).square().sum()).backward();
        println!("  example {i} alone: ∂E/∂W ={}", list(&gradient(&w)));
        sum.iter_mut().zip(gradient(&w)).for_each(|(sum, g)| *sum += g);
    }
    w.zero_grad();
    (0.5 * (forward(&Variable::from(rows)) - Variable::from(T)).square().sum()).backward();
    println!("  their sum:       ∂E/∂W ={}", list(&sum));
    println!("  all three rows:  ∂E/∂W ={}", list(&gradient(&w)));
    assert!(apart(&sum, &gradient(&w)) < 1e-12);
    println!(
        "\nThe bias b is one row, added to three: its gradient is summed over the rows, back to the shape {:?}.",
        b.shape()
    );
    assert_eq!(b.grad().map(|g| g.shape().to_vec()), Some(vec![2]));
}
