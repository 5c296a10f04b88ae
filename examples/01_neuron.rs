//! Lesson 1: a neuron and the forward pass.
//!
//! A neuron adds its inputs up, each times a weight, adds a bias, and bends the sum: h = f(w·x + b). Neurons side by side
//! are a layer, h = f(Wx + b); a second layer on the first is a network, y = g(Vh + c). Computing y from x is the
//! *forward pass*, and it is nothing but this arithmetic.
//!
//! Source: I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning* (2016), section 6.1, whose network for XOR this is.
//!
//! `cargo run --release --example 01_neuron`

/// What bends the sum of a hidden neuron: f(s) = max(s, 0), called relu.
fn f(s: f64) -> f64 {
    s.max(0.0)
}

/// What bends the sum of an output neuron: here nothing, g(s) = s.
fn g(s: f64) -> f64 {
    s
}

/// w·x + b: what a neuron makes of its inputs before it bends it.
fn sum(w: [f64; 2], x: [f64; 2], b: f64) -> f64 {
    w[0] * x[0] + w[1] * x[1] + b
}

/// The weights and biases of two hidden neurons (a row of W each) and one output neuron.
struct Network {
    w: [[f64; 2]; 2],
    b: [f64; 2],
    v: [f64; 2],
    c: f64,
}

impl Network {
    /// y = g(V f(Wx + b) + c), and the hidden values on the way.
    fn forward(&self, x: [f64; 2]) -> ([f64; 2], f64) {
        let h = [f(sum(self.w[0], x, self.b[0])), f(sum(self.w[1], x, self.b[1]))];
        (h, g(sum(self.v, h, self.c)))
    }

    /// The same without f: two layers, but nothing bent between them.
    fn forward_without_f(&self, x: [f64; 2]) -> f64 {
        let h = [sum(self.w[0], x, self.b[0]), sum(self.w[1], x, self.b[1])];
        g(sum(self.v, h, self.c))
    }
}

const INPUTS: [[f64; 2]; 4] = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
/// Exclusive or: 1 if exactly one input is 1.
const XOR: [f64; 4] = [0.0, 1.0, 1.0, 0.0];

fn main() {
    println!("One neuron, slowly: w = (2, -1), b = 0.5, x = (0.75, 3)");
    let (w, x, b) = ([2.0, -1.0], [0.75, 3.0], 0.5);
    let s = sum(w, x, b);
    println!("  w·x + b = 2·0.75 + (-1)·3 + 0.5 = {s}");
    println!("  h = f({s}) = max({s}, 0) = {}    the neuron is silent", f(s));
    assert_eq!((s, f(s)), (-1.0, 0.0));
    println!(
        "  with x = (3, 0.75) instead: h = f({}) = {}",
        sum(w, [3.0, 0.75], b),
        f(sum(w, [3.0, 0.75], b))
    );

    let net = Network { w: [[1.0, 1.0], [1.0, 1.0]], b: [0.0, -1.0], v: [1.0, -2.0], c: 0.0 };
    println!("\nA network: two hidden neurons, one output. h = f(Wx + b), y = g(Vh + c)");
    println!("  W = [1 1; 1 1]   b = (0, -1)   V = (1, -2)   c = 0   f = relu   g = identity\n");
    println!("  {:<10}{:<14}{:<14}{:>4}{:>8}", "x", "Wx + b", "h = f(…)", "y", "XOR");
    for (x, wanted) in INPUTS.into_iter().zip(XOR) {
        let (h, y) = net.forward(x);
        let s = [sum(net.w[0], x, net.b[0]), sum(net.w[1], x, net.b[1])];
        println!(
            "  {:<10}{:<14}{:<14}{y:>4}{wanted:>8}",
            format!("({}, {})", x[0], x[1]),
            format!("({}, {})", s[0], s[1]),
            format!("({}, {})", h[0], h[1])
        );
        assert_eq!(y, wanted, "the network computes XOR");
    }

    // V(Wx + b) + c = (VW)x + (Vb + c): one layer in disguise, with these weights.
    let vw =
        [net.v[0] * net.w[0][0] + net.v[1] * net.w[1][0], net.v[0] * net.w[0][1] + net.v[1] * net.w[1][1]];
    let vbc = sum(net.v, net.b, net.c);
    println!("\nWhy bend at all? Without f the two layers are one: V(Wx + b) + c = (VW)x + (Vb + c)");
    println!("  here VW = ({}, {}) and Vb + c = {vbc}\n", vw[0], vw[1]);
    println!("  {:<10}{:>12}{:>12}{:>8}", "x", "two layers", "one layer", "XOR");
    for (x, wanted) in INPUTS.into_iter().zip(XOR) {
        let (two, one) = (net.forward_without_f(x), sum(vw, x, vbc));
        println!("  {:<10}{two:>12}{one:>12}{wanted:>8}", format!("({}, {})", x[0], x[1]));
        assert_eq!(two, one, "without f, two layers are one");
    }

    // A straight line through XOR: y(0,0) + y(1,1) = y(0,1) + y(1,0) for every w·x + b, but XOR has 0 + 0 and 1 + 1.
    let corner = |i: usize| net.forward_without_f(INPUTS[i]);
    assert_eq!(corner(0) + corner(3), corner(1) + corner(2));
    println!("\nAnd no single layer can do it: w·x + b always has y(0,0) + y(1,1) = y(0,1) + y(1,0),");
    println!("while XOR has 0 + 0 on the left and 1 + 1 on the right. The bend makes depth worth having.");
    println!("\nThe weights above were thought up. Lessons 2 to 5 let the network find such weights itself.");
}
