//! Lesson 18: attention.
//!
//! A dictionary looks a key up and gives its value. Attention does so softly: a query is compared with all keys by dot products,
//! softmax (lesson 13) makes weights of the scores, and the answer is the weighted mean of the values: softmax(q·kᵀ/√d)·v.
//! Everything has a slope, so what to look for, what to be found by and what to say are all learned.
//!
//! Source: A. Vaswani and others, "Attention is all you need" (2017), section 3.2.1; the soft lookup is D. Bahdanau's, K. Cho's
//! and Y. Bengio's, "Neural machine translation by jointly learning to align and translate" (2015).
//!
//! `cargo run --release --example 18_attention`

use wengert::{ScaledDotProductAttention, prelude::*, scaled_dot_product_attention};

fn normal(shape: [usize; 2]) -> Variable<f64> {
    Init::Normal { mean: 0.0, std: 1.0 }.parameter(shape)
}

/// softmax(q·kᵀ/√d), the weights, `[queries, keys]`.
fn weights(q: &Variable<f64>, k: &Variable<f64>, scale: f64) -> Variable<f64> {
    (q.matmul(&k.t()) * scale).softmax(-1)
}

fn close(a: &Variable<f64>, b: &Variable<f64>) -> bool {
    a.shape() == b.shape() && a.value().iter().zip(b.value().iter()).all(|(a, b)| (a - b).abs() < 1e-12)
}

fn main() {
    let words = ["the", "cat", "sat"];
    let k = Variable::from([[0.0, 0.1], [2.0, 0.0], [0.0, 2.0]]);
    let v = Variable::from([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
    println!("Three words with a key each, d = 2. A query that looks for what \"cat\" can be found by:");
    let q = Variable::from([[1.5, 0.3]]);
    let scores = q.matmul(&k.t()).value().to_vec();
    let scale = 1.0 / 2f64.sqrt();
    let w = weights(&q, &k, scale);
    println!("  {:<6}{:>14}{:>10}{:>10}{:>10}", "word", "key", "q·k", "/√d", "weight");
    for (i, word) in words.iter().enumerate() {
        let (score, weight) = (scores[i], w.value().to_vec()[i]);
        let key = format!("{:?}", k.value().select(0, i as isize).to_vec());
        println!("  {word:<6}{key:>14}{score:>10.4}{:>10.4}{weight:>10.4}", score * scale);
    }
    let answer = w.matmul(&v);
    println!("  The answer is the mean of the values with these weights: {:.4?}", answer.value().to_vec());
    assert!(close(&answer, &scaled_dot_product_attention(&q, &k, &v)), "the library's, in one operation");

    println!("\nWhy divide by √d? Scores of random vectors of d numbers spread as √d; softmax of large");
    println!("scores is all or nothing, with no slope left (16 keys, mean of 200 queries):");
    println!("      d    spread    largest weight         with 1/√d         slope     with 1/√d");
    manual_seed(0);
    let mut slopes = vec![];
    for d in [4, 64, 1024] {
        let (q, k) = (normal([200, d]).detach(), normal([16, d]).detach());
        let scores = q.matmul(&k.t());
        let spread = scores.square().mean().item().sqrt();
        let measure = |scale: f64| {
            let s = (&scores * scale).requires_grad();
            let top = s.softmax(-1).amax_axes(-1, false).mean();
            // The slope of the weights in their scores, p(1 - p), summed over the keys.
            let p = s.softmax(-1);
            (top.item(), (&p * (1.0 - &p)).sum_axes(-1, false).mean().item())
        };
        let ((top, slope), (scaled_top, scaled_slope)) = (measure(1.0), measure(1.0 / (d as f64).sqrt()));
        println!("  {d:>5}{spread:>10.2}{top:>18.3}{scaled_top:>18.3}{slope:>14.4}{scaled_slope:>14.4}");
        assert!((spread / (d as f64).sqrt() - 1.0).abs() < 0.2);
        slopes.push((slope, scaled_slope));
    }
    assert!(slopes[2].0 < 0.1 && slopes[2].1 > 0.6, "without the division softmax is saturated");

    println!("\nA causal mask: word t may look at words 0 to t, so that a model can learn to say the next.");
    manual_seed(1);
    let (q, k, v) = (normal([5, 4]), normal([5, 4]), normal([5, 4]));
    let causal = ScaledDotProductAttention::new().causal(true);
    println!("  |slope| of answer t (row) in value j (column):");
    for t in 0..5 {
        v.zero_grad();
        let pick = Tensor::from_fn([5, 4], |i| if i[0] == t { 1.0 } else { 0.0 });
        causal.forward(&q, &k, &v).backward_with(&Variable::new(pick));
        let sizes: Vec<f64> = v.grad().expect("a pass").to_vec().chunks(4).map(|row| row[0].abs()).collect();
        let show = |&size: &f64| if size == 0.0 { "      .".into() } else { format!("{size:>7.3}") };
        println!("    {}", sizes.iter().map(show).collect::<String>());
        assert!(sizes[..=t].iter().all(|&size| size > 0.0), "it listens to what came before");
        assert!(sizes[t + 1..].iter().all(|&size| size == 0.0), "and does not look ahead");
        assert!((sizes.iter().sum::<f64>() - 1.0).abs() < 1e-12, "the weights of a query sum to 1");
    }

    println!("\nAttention sees a set, not a sequence: exchange two words, and their answers are exchanged.");
    let order = tensor![3, 1, 2, 0, 4];
    let mixed = |x: &Variable<f64>| x.index_select(0, &order);
    let plain = scaled_dot_product_attention(&q, &k, &v);
    assert!(close(&mixed(&plain), &scaled_dot_product_attention(&mixed(&q), &mixed(&k), &mixed(&v))));
    println!("  equal to 12 digits. Hence positions are added: SinusoidalEncoding, RotaryEncoding.");

    println!("\nLearning to look: keys fixed, a query learns by descent to fetch the third value.");
    let q = Variable::from([[1.0, 0.0]]).requires_grad();
    let k = Variable::from([[2.0, 0.0], [0.0, 2.0], [-2.0, -1.0]]);
    let v = Variable::from([[0.0], [0.0], [1.0]]);
    for step in 0..=200 {
        let got = scaled_dot_product_attention(&q, &k, &v);
        if [0, 10, 50, 200].contains(&step) {
            let (w, q) = (weights(&q, &k, scale).value().to_vec(), q.value().to_vec());
            println!("  step {step:>3}: weights {w:.3?}, query {q:.2?}");
        }
        q.zero_grad();
        (got - 1.0).square().sum().backward();
        q.set(q.value() - q.grad().expect("a pass") * 1.0);
    }
    assert!(weights(&q, &k, scale).value().to_vec()[2] > 0.95);
}
