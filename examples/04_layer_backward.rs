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
/// What the network should answer; E = ½ Σ (y - t)².
pub(crate) const T: Vector = [0.9, 0.1];

/// All that the loss depends on; and, with the same shapes, its slopes.
#[derive(Clone, Copy)]
pub(crate) struct Layers {
    pub(crate) w: Matrix,
    pub(crate) b: Vector,
    pub(crate) v: Matrix,
    pub(crate) c: Vector,
    pub(crate) x: Vector,
}

pub(crate) const LAYERS: Layers = Layers {
    w: [[0.5, -1.2], [0.8, 0.3]],
    b: [0.1, -0.4],
    v: [[1.1, 0.7], [-0.6, 1.4]],
    c: [0.2, 0.5],
    x: [1.0, 0.6],
};

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

impl Layers {
    /// h and y.
    fn forward(&self) -> (Vector, Vector) {
        let h = affine(self.w, self.x, self.b).map(f64::tanh);
        (h, affine(self.v, h, self.c).map(G))
    }
    fn loss(&self) -> f64 {
        let (_, y) = self.forward();
        0.5 * ((y[0] - T[0]).powi(2) + (y[1] - T[1]).powi(2))
    }
    /// The slopes, and ∂E/∂y, δ and ∂E/∂h on the way.
    pub(crate) fn backward(&self) -> (Layers, [Vector; 3]) {
        let (h, y) = self.forward();
        let e_y = [y[0] - T[0], y[1] - T[1]];
        let delta = times(e_y, affine(self.v, h, self.c).map(G_SLOPE));
        let e_h = transposed(self.v, delta);
        let epsilon = times(e_h, affine(self.w, self.x, self.b).map(F_SLOPE));
        let (w, v, x) = (outer(epsilon, self.x), outer(delta, h), transposed(self.w, epsilon));
        (Layers { w, b: epsilon, v, c: delta, x }, [e_y, delta, e_h])
    }
}

/// A part of the layers, as a list of numbers.
type Part = fn(&mut Layers) -> &mut [f64];

/// Prints what is claimed of ∂E/∂part beside the differences, and returns the largest error.
fn judge(name: &str, claimed: &[f64], part: Part) -> f64 {
    let at = |i: usize, h: f64| {
        let mut moved = LAYERS;
        part(&mut moved)[i] += h;
        moved.loss()
    };
    let true_slopes: Vec<f64> = (0..claimed.len()).map(|i| (at(i, 1e-5) - at(i, -1e-5)) / 2e-5).collect();
    let worst = claimed.iter().zip(&true_slopes).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    let list = |slopes: &[f64]| slopes.iter().map(|s| format!("{s:>9.4}")).collect::<String>();
    println!("  {name:<36}{:<36}  error {worst:.0e}", list(claimed));
    if worst > 1e-8 {
        println!("  {:<36}{}", "differences say", list(&true_slopes));
    }
    worst
}

fn main() {
    let (slopes, [e_y, delta, e_h]) = LAYERS.backward();
    let (h, y) = LAYERS.forward();
    println!("h = tanh(Wx + b), y = sigmoid(Vh + c), E = ½ Σ (y - t)²; x = {:?}, t = {T:?}", LAYERS.x);
    println!("Forward:   h = {h:.4?}   y = {y:.4?}   E = {:.6}", LAYERS.loss());
    println!("Backward:  ∂E/∂y = y - t = {e_y:.4?}");
    println!("           δ = ∂E/∂y ⊙ g′(Vh + c) = {delta:.4?}    ∂E/∂h = Vᵀδ = {e_h:.4?}\n");
    let parts: [(&str, &[f64], Part); 5] = [
        ("∂E/∂V = δhᵀ", slopes.v.as_flattened(), |l| l.v.as_flattened_mut()),
        ("∂E/∂c = δ", &slopes.c, |l| &mut l.c),
        ("∂E/∂W = εxᵀ", slopes.w.as_flattened(), |l| l.w.as_flattened_mut()),
        ("∂E/∂b = ε = ∂E/∂h ⊙ f′(Wx + b)", &slopes.b, |l| &mut l.b),
        ("∂E/∂x = Wᵀε", &slopes.x, |l| &mut l.x),
    ];
    for (name, claimed, part) in parts {
        assert!(judge(name, claimed, part) < 1e-9, "{name}");
    }

    let one = outer(times(e_h, affine(LAYERS.v, h, LAYERS.c).map(G_SLOPE)), h);
    let term = |i: usize, j: usize| e_y[i] * G_SLOPE(LAYERS.v[i][j] * h[j] + LAYERS.c[i]) * h[j];
    let two = [term(0, 0), term(0, 1), term(1, 0), term(1, 1)];
    let three = times(e_h, affine(LAYERS.w, LAYERS.x, LAYERS.b).map(G_SLOPE));
    println!("\nFalse form 1: ∂E/∂h in the place of ∂E/∂y. The way back through g starts from the slope in");
    println!("what g gave, y; ∂E/∂h is found at the other end of the layer, from δ.");
    let mut errors = [0.0; 3];
    errors[0] = judge("∂E/∂V = (∂E/∂h ⊙ g′)hᵀ", one.as_flattened(), parts[0].2);
    println!(
        "\nFalse form 2: g′ at a single term. g was applied to the whole sum, so its slope is that there."
    );
    errors[1] = judge("∂E/∂Vij = ∂E/∂yi g′(Vij hj + ci) hj", &two, parts[0].2);
    println!("\nFalse form 3: g′ where f′ belongs. A layer is left by the function that it was entered by.");
    errors[2] = judge("∂E/∂b = ∂E/∂h ⊙ g′(Wx + b)", &three, parts[3].2);
    assert!(errors.iter().all(|&error| error > 1e-3), "differences find each of them out");

    println!("\nAnd stopping early: with δ and ∂E/∂h nothing is learned yet. A change of h is gone with the");
    println!(
        "next forward pass; what stays are W, b, V and c: descent needs their slopes. One step on them:"
    );
    let mut moved = LAYERS;
    for (_, claimed, part) in &parts[..4] {
        part(&mut moved).iter_mut().zip(*claimed).for_each(|(p, slope)| *p -= slope);
    }
    println!("  E before {:.6}, after {:.6}", LAYERS.loss(), moved.loss());
    assert!(moved.loss() < 0.9 * LAYERS.loss());
    println!("(g works entry by entry here. For a softmax g′ is a matrix: lesson 13.)");
}
