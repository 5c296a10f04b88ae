//! Lesson 17: an LSTM cell opened up, and gradients through time.
//!
//! A recurrent network carries a state from step to step: h ← tanh(Wx + Uh + b). Going back over T steps the gradient passes
//! U and a tanh T times, and fades (lesson 12, in time). The LSTM adds a memory c that is passed on by a *sum*, c ← f·c + i·g,
//! where the gates f, i and o, numbers between 0 and 1, say what to forget, what to let in and what to show. With f near 1
//! the gradient comes back almost whole.
//!
//! Source: S. Hochreiter, J. Schmidhuber, "Long short-term memory" (1997); F. Gers and others, "Learning to forget" (2000),
//! the forget gate; R. Pascanu and others, "On the difficulty of training recurrent neural networks" (2013), section 2.
//!
//! `cargo run --release --example 17_lstm`

use wengert::{Nonlinearity, RecurrentWeights, lstm_cell, prelude::*, rnn_cell};

fn sigmoid(s: f64) -> f64 {
    1.0 / (1.0 + (-s).exp())
}

const STEPS: usize = 40;
const SIZE: usize = 8;

fn weights(gates: usize, forget_bias: f64) -> RecurrentWeights<f64> {
    manual_seed(4);
    let std = 1.0 / (SIZE as f64).sqrt();
    let draw = |shape: [usize; 2]| Init::Normal { mean: 0.0, std: 0.7 * std }.parameter::<f64>(shape);
    let bias = Tensor::from_fn([gates * SIZE], |i| if i[0] / SIZE == 1 { forget_bias } else { 0.0 });
    RecurrentWeights {
        weight_ih: draw([gates * SIZE, SIZE]),
        weight_hh: draw([gates * SIZE, SIZE]),
        bias_ih: Some(Variable::parameter(bias)),
        bias_hh: None,
    }
}

/// |∂(r·h_T)/∂x_t| for every step t, r a random direction: how much the last answer listens to each input.
fn listening(run: impl Fn(&[Variable<f64>]) -> Variable<f64>) -> Vec<f64> {
    manual_seed(5);
    let draw = |shape| Init::Normal { mean: 0.0, std: 1.0 }.parameter::<f64>(shape);
    let inputs: Vec<Variable<f64>> = (0..STEPS).map(|_| draw([1, SIZE])).collect();
    run(&inputs).backward_with(&draw([1, SIZE]).detach());
    inputs
        .iter()
        .map(|x| x.grad().expect("every input counts").iter().map(|g| g * g).sum::<f64>().sqrt())
        .collect()
}

fn main() {
    println!("One cell with one number of everything, by hand. x = 0.5, h = 0.1, c = 2, and for each gate");
    println!("a sum s = w·x + u·h + b with w, u, b:");
    let (x, h, c) = (0.5, 0.1, 2.0);
    let table = [
        ("i, let in", 0.4, 0.3, 0.1),
        ("f, keep", -0.2, 0.5, 1.0),
        ("g, new", 0.9, -0.6, 0.0),
        ("o, show", 0.3, 0.8, -0.1),
    ];
    let sums = table.map(|(_, w, u, b)| w * x + u * h + b);
    let (i, f, g, o) = (sigmoid(sums[0]), sigmoid(sums[1]), sums[2].tanh(), sigmoid(sums[3]));
    for ((name, w, u, b), (s, gate)) in table.into_iter().zip(sums.into_iter().zip([i, f, g, o])) {
        println!("  {name:<10} w {w:>5.2}  u {u:>5.2}  b {b:>5.2}  s = {s:>7.4}  gate {gate:>7.4}");
    }
    let memory = f * c + i * g;
    let state = o * memory.tanh();
    println!("  c ← f·c + i·g   = {f:.4}·{c} + {i:.4}·{g:.4} = {memory:.6}");
    println!("  h ← o·tanh(c)   = {o:.4}·tanh({memory:.4}) = {state:.6}");
    let column = |of: fn(&(&str, f64, f64, f64)) -> f64| table.iter().map(of).collect::<Vec<f64>>();
    let leaf =
        |v: Vec<f64>, shape: &[usize]| Variable::parameter(Tensor::from_vec(v, shape).expect("four gates"));
    let one = |v: f64| leaf(vec![v], &[1, 1]);
    let by_hand = RecurrentWeights {
        weight_ih: leaf(column(|row| row.1), &[4, 1]),
        weight_hh: leaf(column(|row| row.2), &[4, 1]),
        bias_ih: Some(leaf(column(|row| row.3), &[4])),
        bias_hh: None,
    };
    let old = one(c);
    let (h1, c1) = lstm_cell(&one(x), &one(h), &old, &by_hand);
    println!("  lstm_cell       = {:.6} and {:.6}", c1.item(), h1.item());
    assert!((c1.item() - memory).abs() < 1e-12 && (h1.item() - state).abs() < 1e-12);
    c1.backward();
    let kept = old.grad().expect("a pass").item();
    println!("  the slope of the new memory in the old one is {kept:.4}: the forget gate, no more.\n");
    assert!((kept - f).abs() < 1e-12);

    println!(
        "Now {STEPS} steps of {SIZE} numbers. How much does the last state listen to the input of step t?"
    );
    let zero = || Variable::new(Tensor::<f64>::zeros([1, SIZE]));
    let plain = listening(|inputs| {
        let weights = weights(1, 0.0);
        inputs.iter().fold(zero(), |h, x| rnn_cell(x, &h, &weights, Nonlinearity::Tanh))
    });
    let lstm = |forget_bias: f64| {
        listening(|inputs| {
            let weights = weights(4, forget_bias);
            inputs.iter().fold((zero(), zero()), |(h, c), x| lstm_cell(x, &h, &c, &weights)).0
        })
    };
    let (half, kept) = (lstm(0.0), lstm(4.0));
    println!("  {:>6}{:>16}{:>22}{:>22}", "step", "tanh network", "LSTM, f about 0.5", "LSTM, f about 0.98");
    for step in [1, 5, 10, 20, 30, 35, 38, 40] {
        println!("  {step:>6}{:>16.1e}{:>22.1e}{:>22.1e}", plain[step - 1], half[step - 1], kept[step - 1]);
    }
    let ratio = |g: &[f64]| g[0] / g[STEPS - 1];
    println!(
        "The first step's share is {:.0e}, {:.0e} and {:.1} times that of the last.",
        ratio(&plain),
        ratio(&half),
        ratio(&kept)
    );
    assert!(ratio(&plain) < 1e-6 && ratio(&half) < 1e-6, "it vanishes");
    assert!(ratio(&kept) > 1e-3, "an open forget gate lets it through");
    println!(
        "Keeping is up to the forget gate: hence its bias is often begun at 1 or more, so that the network"
    );
    println!("can learn at all what is worth keeping.");
}
