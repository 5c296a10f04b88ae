//! Lesson 4: a layer backward, by hand.
//!
//! Two layers, h = f(Wx + b) and y = g(Vh + c), and a loss E(y). With δ = ∂E/∂y ⊙ g′(Vh + c), where ⊙ multiplies entry by
//! entry, the chain rule of lesson 3 gives the slopes of the upper layer, and with ε = ∂E/∂h ⊙ f′(Wx + b) the lower one's:
//!
//! ```text
//! ∂E/∂V = δhᵀ     ∂E/∂c = δ     ∂E/∂h = Vᵀδ     ∂E/∂W = εxᵀ     ∂E/∂b = ε     ∂E/∂x = Wᵀε
//! ```
//! Three false forms of this circulate in tutorials. Differences, the judge of lesson 2, find each of them out.
//!
//! Source: D. Rumelhart, G. Hinton, R. Williams, "Learning representations by back-propagating errors", *Nature* 323
//! (1986), equations 3 to 7; M. Nielsen, *Neural Networks and Deep Learning* (2015), chapter 2, equations BP1 to BP4.
//!
//! `cargo run --release --example 04_layer_backward`

type Vector = [f64; 2];
type Matrix = [[f64; 2]; 2];
/// W and V; b, c and x: all that the loss depends on. And, in the same places, its slopes.
pub(crate) type Layers = ([Matrix; 2], [Vector; 3]);
pub(crate) const LAYERS: Layers =
    ([[[0.5, -1.2], [0.8, 0.3]], [[1.1, 0.7], [-0.6, 1.4]]], [[0.1, -0.4], [0.2, 0.5], [1.0, 0.6]]);
/// What the network should answer; E = ½ Σ (y - t)².
pub(crate) const T: Vector = [0.9, 0.1];

// Mx + b, Mᵀx, abᵀ and a ⊙ b.
fn affine(m: Matrix, x: Vector, b: Vector) -> Vector {
    [m[0][0] * x[0] + m[0][1] * x[1] + b[0], m[1][0] * x[0] + m[1][1] * x[1] + b[1]]
}
fn transposed(m: Matrix, x: Vector) -> Vector {
    [m[0][0] * x[0] + m[1][0] * x[1], m[0][1] * x[0] + m[1][1] * x[1]]
}
fn outer(a: Vector, b: Vector) -> Matrix {
    a.map(|a| b.map(|b| a * b))
}
fn times(a: Vector, b: Vector) -> Vector {
    [a[0] * b[0], a[1] * b[1]]
}
// f is tanh, g is the sigmoid; their slopes.
const F_SLOPE: fn(f64) -> f64 = |s| 1.0 - s.tanh() * s.tanh();
const G: fn(f64) -> f64 = |s| 1.0 / (1.0 + (-s).exp());
const G_SLOPE: fn(f64) -> f64 = |s| G(s) * (1.0 - G(s));

/// h, y and E.
fn forward(([w, v], [b, c, x]): Layers) -> (Vector, Vector, f64) {
    let h = affine(w, x, b).map(f64::tanh);
    let y = affine(v, h, c).map(G);
    (h, y, 0.5 * ((y[0] - T[0]).powi(2) + (y[1] - T[1]).powi(2)))
}

/// The slopes, and ∂E/∂y, δ and ∂E/∂h on the way.
pub(crate) fn backward(layers: Layers) -> (Layers, [Vector; 3]) {
    let ([w, v], [b, c, x]) = layers;
    let (h, y, _) = forward(layers);
    let e_y = [y[0] - T[0], y[1] - T[1]];
    let delta = times(e_y, affine(v, h, c).map(G_SLOPE));
    let e_h = transposed(v, delta);
    let epsilon = times(e_h, affine(w, x, b).map(F_SLOPE));
    let matrices = [outer(epsilon, x), outer(delta, h)];
    ((matrices, [epsilon, delta, transposed(w, epsilon)]), [e_y, delta, e_h])
}

/// V, c, W, b and x, each as a list of numbers.
fn parts(([w, v], [b, c, x]): &mut Layers) -> [&mut [f64]; 5] {
    [v.as_flattened_mut(), c, w.as_flattened_mut(), b, x]
}

/// Prints what is claimed of the slopes in a part beside the differences, and returns the largest error.
fn judge(name: &str, claimed: &[f64], part: usize) -> f64 {
    let at = |i: usize, h: f64| {
        let mut moved = LAYERS;
        parts(&mut moved)[part][i] += h;
        forward(moved).2
    };
    let differences: Vec<f64> = (0..claimed.len()).map(|i| (at(i, 1e-5) - at(i, -1e-5)) / 2e-5).collect();
    let worst = claimed.iter().zip(&differences).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    println!("  {name:<38}{claimed:>8.4?}");
    println!("  {:>36}  {differences:>8.4?}   error {worst:.0e}", "by differences");
    worst
}

fn main() {
    let ([w, v], [b, c, x]) = LAYERS;
    let (h, y, e) = forward(LAYERS);
    let (mut slopes, [e_y, delta, e_h]) = backward(LAYERS);
    println!("h = tanh(Wx + b), y = sigmoid(Vh + c), E = ½ Σ (y - t)²; x = {x:?}, t = {T:?}");
    println!("Forward:   h = {h:.4?}   y = {y:.4?}   E = {e:.6}");
    println!("Backward:  ∂E/∂y = y - t = {e_y:.4?}");
    println!("           δ = ∂E/∂y ⊙ g′(Vh + c) = {delta:.4?}    ∂E/∂h = Vᵀδ = {e_h:.4?}\n");
    let names = ["∂E/∂V = δhᵀ", "∂E/∂c = δ", "∂E/∂W = εxᵀ", "∂E/∂b = ε = ∂E/∂h ⊙ f′(Wx + b)", "∂E/∂x = Wᵀε"];
    for (part, claimed) in parts(&mut slopes).into_iter().enumerate() {
        assert!(judge(names[part], claimed, part) < 1e-9, "{}", names[part]);
    }

    println!("\nFalse form 1: ∂E/∂h in the place of ∂E/∂y. The way back through g starts from the slope in");
    println!("what g gave, y; ∂E/∂h is found at the other end of the layer, from δ.");
    let one = outer(times(e_h, affine(v, h, c).map(G_SLOPE)), h);
    let error_1 = judge("∂E/∂V = (∂E/∂h ⊙ g′)hᵀ", one.as_flattened(), 0);
    println!("\nFalse form 2: g′ at a single term. But g met the whole sum: its slope is that there.");
    let term = |i: usize, j: usize| e_y[i] * G_SLOPE(v[i][j] * h[j] + c[i]) * h[j];
    let two = [term(0, 0), term(0, 1), term(1, 0), term(1, 1)];
    let error_2 = judge("∂E/∂Vij = ∂E/∂yi g′(Vij hj + ci) hj", &two, 0);
    println!("\nFalse form 3: g′ where f′ belongs. A layer is left by the function that it was entered by.");
    let three = times(e_h, affine(w, x, b).map(G_SLOPE));
    let error_3 = judge("∂E/∂b = ∂E/∂h ⊙ g′(Wx + b)", &three, 3);
    assert!(error_1.min(error_2).min(error_3) > 1e-3, "differences find each of them out");

    println!("\nAnd stopping early: with δ and ∂E/∂h nothing is learned yet. A change of h is gone with the");
    println!("next forward pass; W, b, V and c stay, and descent needs their slopes. One step on them:");
    let mut moved = LAYERS;
    for (part, slopes) in parts(&mut moved).into_iter().zip(parts(&mut slopes)).take(4) {
        part.iter_mut().zip(slopes).for_each(|(p, slope)| *p -= *slope);
    }
    let after = forward(moved).2;
    println!("  E before {e:.6}, after {after:.6}");
    assert!(after < 0.9 * e);
    println!("(g works entry by entry here. For a softmax g′ is a matrix: lesson 13.)");
}
