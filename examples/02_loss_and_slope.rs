//! Lesson 2: a loss, and its slope by differences.
//!
//! The *loss* is one number that says how wrong the network is. Its *slope* in a weight says what happens to that
//! number when the weight grows a little: dE/dw ≈ (E(w + h) - E(w)) / h. This needs nothing but forward passes, so it is
//! the judge of every other way to find slopes, here and in the tests of this library.
//!
//! Source: W. Press and others, *Numerical Recipes*, 3rd edition (2007), section 5.7, "Numerical derivatives".
//!
//! `cargo run --release --example 02_loss_and_slope`

/// The logistic function: squeezes any number into 0 to 1.
fn sigmoid(s: f64) -> f64 {
    1.0 / (1.0 + (-s).exp())
}

const X: f64 = 1.5;
const TARGET: f64 = 0.2;

/// A neuron's answer to the input X.
fn answer(w: f64, b: f64) -> f64 {
    sigmoid(w * X + b)
}

/// Half the square of the error. The half is there so that the slope in y is just y - t.
fn loss(w: f64, b: f64) -> f64 {
    0.5 * (answer(w, b) - TARGET).powi(2)
}

/// (E(w + h) - E(w)) / h: its error falls as h.
fn forward_difference(f: impl Fn(f64) -> f64, w: f64, h: f64) -> f64 {
    (f(w + h) - f(w)) / h
}

/// (E(w + h) - E(w - h)) / 2h: its error falls as h².
fn central_difference(f: impl Fn(f64) -> f64, w: f64, h: f64) -> f64 {
    (f(w + h) - f(w - h)) / (2.0 * h)
}

fn main() {
    let (w, b) = (0.8, -0.3);
    println!("A neuron y = sigmoid(w·x + b) with x = {X}, w = {w}, b = {b} should answer t = {TARGET}.");
    println!("  y = {:.6}, so the loss is E = ½(y - t)² = {:.6}\n", answer(w, b), loss(w, b));

    println!("Turn w a little, and look at E:");
    for step in [-0.2, -0.1, 0.0, 0.1, 0.2] {
        let e = loss(w + step, b);
        println!("  w = {:.1}   E = {e:.6}  {}", w + step, "#".repeat((e * 300.0) as usize));
    }
    let slope = central_difference(|w| loss(w, b), w, 1e-5);
    println!("E rises with w. Its slope at w = {w} is dE/dw = {slope:.6}: to lower E, lower w.\n");
    assert!(slope > 0.0 && loss(w - 0.1, b) < loss(w, b), "against the slope the loss falls");

    // With pencil and paper: dE/dw = (y - t) · y(1 - y) · x. Lesson 3 shows where this comes from.
    let y = answer(w, b);
    let exact = (y - TARGET) * y * (1.0 - y) * X;
    println!("How small should h be? The exact slope is {exact:.12}. The error of");
    println!("{:>10}{:>24}{:>26}", "h", "(E(w+h) - E(w)) / h", "(E(w+h) - E(w-h)) / 2h");
    let mut errors = Vec::new();
    for exponent in 1..=13 {
        let h = 10f64.powi(-exponent);
        let one_sided = (forward_difference(|w| loss(w, b), w, h) - exact).abs();
        let central = (central_difference(|w| loss(w, b), w, h) - exact).abs();
        println!("{:>10}{one_sided:>24.1e}{central:>26.1e}", format!("1e-{exponent}"));
        errors.push((one_sided, central));
    }
    let (first, second) = (errors[2].0 / errors[3].0, errors[2].1 / errors[3].1);
    println!("A tenth of h leaves a {first:.0}th of the error on the left and a {second:.0}th on the right,");
    println!("until rounding takes over: E has 16 digits, and E(w+h) - E(w) loses those that the two share.");
    println!("The best h is about 1e-8 on the left (the root of 1e-16), 1e-5 on the right (its cube root).");
    println!();
    assert!((9.0..11.0).contains(&first) && (90.0..110.0).contains(&second), "orders 1 and 2");
    let best = |of: fn(&(f64, f64)) -> f64| errors.iter().map(of).fold(f64::INFINITY, f64::min);
    assert!(best(|e| e.1) < best(|e| e.0), "central differences are the better judge");
    assert!(errors[12].1 > 1000.0 * best(|e| e.1), "too small a step is as bad as too large a one");

    println!("The two slopes of this neuron, by central differences with h = 1e-5:");
    let by_w = central_difference(|w| loss(w, b), w, 1e-5);
    let by_b = central_difference(|b| loss(w, b), b, 1e-5);
    println!("  dE/dw = {by_w:.9}   dE/db = {by_b:.9}   and dE/dw = x · dE/db, as it must be");
    assert!((by_w - X * by_b).abs() < 1e-10);

    println!("\nWhat it costs: two forward passes a weight. For a network with 101,770 weights (784-128-10)");
    println!("that is 203,540 forward passes for one set of slopes.");
    println!("Backpropagation, lessons 3 and 4, gets all of them for about the price of three.");
}
