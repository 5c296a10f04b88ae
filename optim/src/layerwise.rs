//! Optimisers that look at a whole parameter at once: LAMB at its norm, Muon at its singular values.

use crate::adam::adam_settings;
use crate::rule::{Rule, Slot, settings, standard_parts};
use crate::sgd::effective;
use wengert_autograd::{
    Float, Tensor, Variable, apply_formula, no_grad,
    scalar::{Formula, Real},
};

adam_settings! {
    /// LAMB: Adam's step, scaled to the norm of the parameter, for very large batches.
    ///
    /// ```text
    /// m ← β₁·m + (1 − β₁)·g,  v ← β₂·v + (1 − β₂)·g²
    /// r = m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε) + λ·p
    /// p ← p − γ·‖p‖/‖r‖·r                          without the quotient where a norm is 0
    /// ```
    /// (You and others, "Large batch optimization for deep learning", 2020, algorithm 2, with φ the identity.)
    Lamb is LambRule {
        lr "10⁻³" = 1e-3,
        eps "10⁻⁶" = 1e-6,
        /// The weight decay λ, part of the step that is scaled: 0.
        weight_decay = 0.0,
    }
}

/// The moments, and the step before it is scaled.
#[derive(Clone, Copy)]
struct LambStep {
    rule: LambRule,
    corrections: (f64, f64),
}

impl Formula<4, 3> for LambStep {
    fn name(&self) -> &'static str {
        LambRule::NAME
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [p, g, m, v]: [R; 4]) -> [R; 3] {
        let (b1, b2) = self.rule.betas;
        let g = effective(p, g, 0.0, self.rule.maximize);
        let m = R::constant(b1) * m + R::constant(1.0 - b1) * g;
        let v = R::constant(b2) * v + R::constant(1.0 - b2) * (g * g);
        let root = (v * R::constant(1.0 / self.corrections.1)).sqrt() + R::constant(self.rule.eps);
        let step = m * R::constant(1.0 / self.corrections.0) / root;
        [step + R::constant(self.rule.weight_decay) * p, m, v]
    }
}

impl Rule for LambRule {
    const NAME: &'static str = "LAMB";
    fn states(&self) -> &'static [&'static str] {
        &["exp_avg", "exp_avg_sq"]
    }
    fn set_momentum(&mut self, momentum: f64) {
        self.betas.0 = momentum;
    }
    fn update<T: Float>(&self, slot: &mut Slot<T>, gradient: &Tensor<T>) {
        let t = slot.step as f64;
        let corrections = (1.0 - self.betas.0.powf(t), 1.0 - self.betas.1.powf(t));
        no_grad(|| {
            let p = slot.parameter.detach();
            let given = [gradient.clone(), slot.states[0].clone(), slot.states[1].clone()].map(Variable::new);
            let step = LambStep { rule: *self, corrections };
            let [r, m, v] = apply_formula(step, [&p, &given[0], &given[1], &given[2]]);
            let (size, step) = (norm(&p), norm(&r));
            let trust = if size > 0.0 && step > 0.0 { size / step } else { 1.0 };
            slot.parameter.set((p - r * (self.lr * trust)).value());
            slot.states = vec![m.value(), v.value()];
        });
    }
    standard_parts!();
}

fn norm<T: Float>(x: &Variable<T>) -> f64 {
    x.square().sum().item().into_f64().sqrt()
}

settings! {
    /// Muon: momentum whose step has all singular values near 1. For the matrices in the inside of a network; give the
    /// other parameters (embeddings, the last layer, vectors) to [`AdamW`](crate::AdamW).
    ///
    /// ```text
    /// b ← μ·b + (1 − μ)·g
    /// u = (1 − μ)·g + μ·b with Nesterov's momentum, else b
    /// X = u/‖u‖, five times X ← a·X + (b·A + c·A²)·X with A = X·Xᵀ, (a, b, c) = (3.4445, −4.775, 2.0315)
    /// p ← (1 − γ·λ)·p − γ·√max(1, rows/columns)·X
    /// ```
    /// (Jordan and others, "Muon: an optimizer for hidden layers in neural networks", 2024; Nesterov's momentum and the
    /// scale as `torch.optim.Muon`.) Computed in the precision of the parameter.
    Muon is MuonRule {
        /// The learning rate γ: 10⁻³.
        lr: f64 = 1e-3,
        /// The momentum μ: 0.95.
        momentum: f64 = 0.95,
        /// Looks ahead by one step of momentum: yes.
        nesterov: bool = true,
        /// Shrinks the parameter by γ·λ in each step: 0.1.
        weight_decay: f64 = 0.1,
        /// How many Newton-Schulz iterations: 5.
        iterations: usize = 5,
        /// Goes up the gradient instead of down: no.
        maximize: bool = false,
    }
}

impl Rule for MuonRule {
    const NAME: &'static str = "Muon";
    fn states(&self) -> &'static [&'static str] {
        &["momentum_buffer"]
    }
    fn set_momentum(&mut self, momentum: f64) {
        self.momentum = momentum;
    }
    /// # Panics
    /// If the parameter is not a matrix.
    fn update<T: Float>(&self, slot: &mut Slot<T>, gradient: &Tensor<T>) {
        let shape = slot.parameter.shape();
        assert!(
            shape.len() == 2,
            "Muon: {} has the shape {shape:?}; it is for matrices, give the others to AdamW",
            slot.name
        );
        no_grad(|| {
            let g = Variable::new(gradient.clone()) * if self.maximize { -1.0 } else { 1.0 };
            let b = Variable::new(slot.states[0].clone()) * self.momentum + &g * (1.0 - self.momentum);
            let direction =
                if self.nesterov { g * (1.0 - self.momentum) + &b * self.momentum } else { b.clone() };
            let scale = (shape[0] as f64 / shape[1].max(1) as f64).max(1.0).sqrt();
            let p = slot.parameter.detach() * (1.0 - self.lr * self.weight_decay);
            let step = orthogonalised(&direction, self.iterations) * (self.lr * scale);
            slot.parameter.set((p - step).value());
            slot.states[0] = b.value();
        });
    }
    standard_parts!();
}

/// The matrix with its singular values brought near 1, by a polynomial of odd powers that pushes them there.
fn orthogonalised<T: Float>(x: &Variable<T>, iterations: usize) -> Variable<T> {
    const A: f64 = 3.4445;
    const B: f64 = -4.775;
    const C: f64 = 2.0315;
    let tall = x.shape()[0] > x.shape()[1];
    let mut x = if tall { x.t() } else { x.clone() };
    x = &x / norm(&x).max(1e-7);
    for _ in 0..iterations {
        let square = x.matmul(&x.t());
        let polynomial = &square * B + square.matmul(&square) * C;
        x = &x * A + polynomial.matmul(&x);
    }
    if tall { x.t() } else { x }
}
