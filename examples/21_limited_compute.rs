//! Lesson 21: limited compute, counted.
//!
//! What does a step cost? Multiplications: a layer of n × m weights takes n·m an example forward, as much again for the slope
//! in its input, and again for that in its weights: backward costs two forwards. Memory: weights, gradients, the optimiser's
//! means, and what the forward pass keeps for the backward pass, which grows with the batch. *Checkpointing* keeps only some
//! of it and computes the rest again: memory for time.
//!
//! Source: A. Griewank, A. Walther, *Evaluating Derivatives*, 2nd edition (2008), section 4.6, the cheap gradient; T. Chen and
//! others, "Training deep nets with sublinear memory cost" (2016), section 4.2.
//!
//! `cargo run --release --example 21_limited_compute`

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;
use wengert::{checkpoint, prelude::*, tensor::memory};

/// Multiplications an example, and the numbers that come out.
fn cost(name: &str, weights: usize, multiplications: usize, outputs: usize) -> usize {
    println!("  {name:<38}{weights:>10}{multiplications:>14}{outputs:>10}");
    multiplications
}

const DEPTH: usize = 64;
const WIDTH: usize = 32;
const BATCH: usize = 1024;

/// How many layers were computed, and the most memory that tensors held meanwhile.
static LAYERS_RUN: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn layer(x: &Variable, w: &Variable) -> Variable {
    let y = x.matmul(w).tanh();
    LAYERS_RUN.fetch_add(1, Relaxed);
    PEAK.fetch_max(memory::statistics().live, Relaxed);
    y
}

/// One pass forward and back through the chain, in segments of so many layers that keep their input only (or, with
/// segments of 0, everything); layers computed, peak of memory in kilobytes, and the fingerprint of the gradients.
fn pass(weights: &[Variable], x: &Variable, segment: usize) -> (usize, usize, u64) {
    weights.iter().for_each(Variable::zero_grad);
    LAYERS_RUN.store(0, Relaxed);
    PEAK.store(0, Relaxed);
    let before = memory::statistics().live;
    let run = |x: &Variable, weights: &[Variable]| weights.iter().fold(x.clone(), |x, w| layer(&x, w));
    let y = match segment {
        0 => run(x, weights),
        _ => weights.chunks(segment).fold(x.clone(), |x, part| {
            let part = part.to_vec();
            checkpoint(move |x| vec![run(&x[0], &part)], &[&x]).remove(0)
        }),
    };
    y.square().sum().backward();
    let gradients = weights.iter().map(|w| Variable::parameter(w.grad().expect("a pass")));
    let list: wengert::NamedParameters = gradients.enumerate().map(|(i, g)| (i.to_string(), g)).collect();
    (LAYERS_RUN.load(Relaxed), (PEAK.load(Relaxed) - before) >> 10, list.fingerprint())
}

fn main() {
    println!("Multiplications of one example, forward:");
    println!("  {:<38}{:>10}{:>14}{:>10}", "layer", "weights", "products", "outputs");
    let dense = cost("dense 784 to 128", 784 * 128 + 128, 784 * 128, 128)
        + cost("dense 128 to 10", 128 * 10 + 10, 128 * 10, 10);
    let conv = cost("conv 3×3, 1 to 32, on 28×28", 9 * 32 + 32, 9 * 32 * 26 * 26, 32 * 26 * 26);
    cost("LSTM of 128, 100 steps", 4 * (128 + 128 + 2) * 128, 100 * 4 * (128 + 128) * 128, 100 * 128);
    cost("attention, 100 words of 128", 4 * 128 * 128, 4 * 100 * 128 * 128 + 2 * 100 * 100 * 128, 100 * 128);
    let (fewer, times) = (100_480 / 320, conv as f64 / dense as f64);
    println!(
        "The convolution has {fewer} times fewer weights than the first layer, and {times:.1} times its products.\n"
    );

    let net = (Linear::new(784, 128), Linear::new(128, 10));
    assert_eq!(net.num_parameters(), 101_770);
    let forward = 32 * dense;
    println!("Training 784-128-10, Adam, batch 32: {forward} products forward, {} backward.", 2 * forward);
    println!("Bytes: weights 407,080; gradients as many; Adam's two means twice as many; in all 1,628,320.");
    println!("Kept for backward: 32 · (784 + 128 + 10) numbers, 118,016 bytes; this grows with the batch.");
    let kept = 32 * (784 + 128 + 10) * 4;
    assert_eq!((4 * 4 * net.num_parameters(), kept), (1_628_320, 118_016));

    manual_seed(0);
    let normal = |shape: [usize; 2], std| Init::Normal { mean: 0.0, std }.parameter::<f32>(shape);
    let std = (1.0 / WIDTH as f64).sqrt();
    let weights: Vec<Variable> = (0..DEPTH).map(|_| normal([WIDTH, WIDTH], std)).collect();
    let x = normal([BATCH, WIDTH], 1.0).detach();
    let time = |work: &dyn Fn()| {
        let run = || {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        };
        (0..5).map(|_| run()).fold(f64::INFINITY, f64::min)
    };
    let forward = |x: &Variable| weights.iter().fold(x.clone(), |x, w| layer(&x, w));
    let once = time(&|| drop(no_grad(|| forward(&x))));
    let both = time(&|| forward(&x).sum().backward());
    println!("\nMeasured, {DEPTH} layers of {WIDTH}, batch {BATCH}: forward {:.1} ms,", once * 1e3);
    println!("forward and backward {:.1} ms, {:.1} times as long.", both * 1e3, both / once);
    let slopes = DEPTH * WIDTH * WIDTH;
    println!("The cheap gradient: {slopes} slopes for a few forward passes, not two a slope (lesson 2).\n");

    println!("Checkpointing the same chain. One layer's output is {} kB.", BATCH * WIDTH / 256);
    println!("  {:<30}{:>14}{:>16}{:>20}", "", "layers run", "peak, kB", "gradients");
    let mut found = vec![];
    for segment in [0, 1, 4, 8, 16, 64] {
        let (layers, peak, print) = pass(&weights, &x, segment);
        let name = DEPTH.checked_div(segment).map(|count| format!("{count} segments of {segment}"));
        let name = name.unwrap_or_else(|| "keep everything".into());
        println!("  {name:<30}{layers:>14}{peak:>16}    {print:016x}");
        found.push((layers, peak, print));
    }
    println!("The least peak is at √{DEPTH} = 8 segments of 8: an input a segment, and a segment at a time.");
    assert!(found.iter().all(|run| run.2 == found[0].2), "the same gradients to the bit");
    assert_eq!((found[0].0, found[3].0), (DEPTH, 2 * DEPTH), "one more forward pass");
    assert!(found[3].1 * 2 < found[0].1, "less than half the memory");
    assert!(found[3].1 <= found[1].1 && found[3].1 <= found[5].1, "√n is best");
}
