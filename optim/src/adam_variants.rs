//! Relatives of Adam: Adamax, NAdam, RAdam.

use crate::adam::adam_settings;
use crate::rule::{Rule, Slot, settings, standard_parts};
use crate::sgd::effective;
use wengert_autograd::{
    Float, Tensor,
    scalar::{Formula, Real},
};

adam_settings! {
    /// Adamax: Adam with the largest gradient in place of the mean square.
    ///
    /// ```text
    /// g ← g + λ·p
    /// m ← β₁·m + (1 − β₁)·g
    /// u ← max(β₂·u, |g| + ε)
    /// p ← p − γ/(1 − β₁ᵗ) · m/u
    /// ```
    /// (Kingma and Ba 2015, algorithm 2.)
    Adamax is AdamaxRule {
        lr "2·10⁻³" = 2e-3,
        eps "10⁻⁸" = 1e-8,
        /// Adds λ·p to the gradient: 0.
        weight_decay = 0.0,
    }
}

impl Rule for AdamaxRule {
    const NAME: &'static str = "Adamax";
    fn states(&self) -> &'static [&'static str] {
        &["exp_avg", "exp_inf"]
    }
    fn set_momentum(&mut self, momentum: f64) {
        self.betas.0 = momentum;
    }
    fn update<T: Float>(&self, slot: &mut Slot<T>, gradient: &Tensor<T>) {
        let lr = self.lr / (1.0 - self.betas.0.powf(slot.step as f64));
        slot.apply(&AdamaxRule { lr, ..*self }, gradient);
    }
    standard_parts!();
}

impl Formula<4, 3> for AdamaxRule {
    fn name(&self) -> &'static str {
        Self::NAME
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [p, g, m, u]: [R; 4]) -> [R; 3] {
        let g = effective(p, g, self.weight_decay, self.maximize);
        let m = R::constant(self.betas.0) * m + R::constant(1.0 - self.betas.0) * g;
        let u = (R::constant(self.betas.1) * u).max(g.abs() + R::constant(self.eps));
        [p - R::constant(self.lr) * m / u, m, u]
    }
}

adam_settings! {
    /// NAdam: Adam with Nesterov's momentum, whose weight grows with the steps.
    ///
    /// ```text
    /// g ← g + λ·p                                  or p ← (1 − γ·λ)·p with decoupled decay
    /// μₜ = β₁·(1 − 0.96^(t·ψ)/2),  P = μ₁·…·μₜ
    /// m ← β₁·m + (1 − β₁)·g,  v ← β₂·v + (1 − β₂)·g²,  D = √(v/(1 − β₂ᵗ)) + ε
    /// p ← p − γ·(1 − μₜ)/(1 − P) · g/D − γ·μₜ₊₁/(1 − P·μₜ₊₁) · m/D
    /// ```
    /// (Dozat, "Incorporating Nesterov momentum into Adam", 2016.)
    NAdam is NAdamRule {
        lr "2·10⁻³" = 2e-3,
        eps "10⁻⁸" = 1e-8,
        /// The weight decay λ: 0.
        weight_decay = 0.0,
        /// ψ, by which the momentum grows: 4·10⁻³.
        momentum_decay: f64 = 4e-3,
        /// Shrinks the parameter instead of adding to the gradient: no.
        decoupled_weight_decay: bool = false,
    }
}

/// A step from both moments: p − a·g/D − b·m/D with D = √v·c + ε.
#[derive(Clone, Copy)]
struct MomentStep {
    name: &'static str,
    betas: (f64, f64),
    eps: f64,
    coupled_decay: f64,
    /// 1 − γ·λ where the decay is decoupled.
    shrink: f64,
    maximize: bool,
    /// The factor a of the gradient.
    gradient: f64,
    /// The factor b of the mean.
    mean: f64,
    /// The factor c of the root; where there is none, the step is not divided.
    root: Option<f64>,
}

impl Formula<4, 3> for MomentStep {
    fn name(&self) -> &'static str {
        self.name
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [p, g, m, v]: [R; 4]) -> [R; 3] {
        let p = if self.shrink == 1.0 { p } else { R::constant(self.shrink) * p };
        let g = effective(p, g, self.coupled_decay, self.maximize);
        let m = R::constant(self.betas.0) * m + R::constant(1.0 - self.betas.0) * g;
        let v = R::constant(self.betas.1) * v + R::constant(1.0 - self.betas.1) * (g * g);
        let step = R::constant(self.gradient) * g + R::constant(self.mean) * m;
        let step = match self.root {
            Some(root) => step / (v.sqrt() * R::constant(root) + R::constant(self.eps)),
            None => step,
        };
        [p - step, m, v]
    }
}

macro_rules! decay {
    ($rule:ident) => {
        if $rule.decoupled_weight_decay {
            (0.0, 1.0 - $rule.lr * $rule.weight_decay)
        } else {
            ($rule.weight_decay, 1.0)
        }
    };
}

impl Rule for NAdamRule {
    const NAME: &'static str = "NAdam";
    fn states(&self) -> &'static [&'static str] {
        &["exp_avg", "exp_avg_sq"]
    }
    fn set_momentum(&mut self, momentum: f64) {
        self.betas.0 = momentum;
    }
    fn update<T: Float>(&self, slot: &mut Slot<T>, gradient: &Tensor<T>) {
        let t = slot.step as f64;
        let momentum = |t: f64| self.betas.0 * (1.0 - 0.5 * 0.96_f64.powf(t * self.momentum_decay));
        let (now, next) = (momentum(t), momentum(t + 1.0));
        slot.carried *= now;
        let (coupled_decay, shrink) = decay!(self);
        let step = MomentStep {
            name: Self::NAME,
            betas: self.betas,
            eps: self.eps,
            coupled_decay,
            shrink,
            maximize: self.maximize,
            gradient: self.lr * (1.0 - now) / (1.0 - slot.carried),
            mean: self.lr * next / (1.0 - slot.carried * next),
            root: Some(1.0 / (1.0 - self.betas.1.powf(t)).sqrt()),
        };
        slot.apply(&step, gradient);
    }
    standard_parts!();
}

adam_settings! {
    /// RAdam: Adam that waits with the division until the mean square is worth dividing by.
    ///
    /// ```text
    /// g ← g + λ·p                                  or p ← (1 − γ·λ)·p with decoupled decay
    /// m, v as Adam,  m̂ = m/(1 − β₁ᵗ)
    /// ρ∞ = 2/(1 − β₂) − 1,  ρ = ρ∞ − 2t·β₂ᵗ/(1 − β₂ᵗ)
    /// r = √((ρ − 4)(ρ − 2)ρ∞ / ((ρ∞ − 4)(ρ∞ − 2)ρ))
    /// p ← p − γ·m̂·r·√(1 − β₂ᵗ)/(√v + ε)            if ρ > 5, else p ← p − γ·m̂
    /// ```
    /// (Liu and others, "On the variance of the adaptive learning rate and beyond", 2020.)
    RAdam is RAdamRule {
        lr "10⁻³" = 1e-3,
        eps "10⁻⁸" = 1e-8,
        /// The weight decay λ: 0.
        weight_decay = 0.0,
        /// Shrinks the parameter instead of adding to the gradient: no.
        decoupled_weight_decay: bool = false,
    }
}

impl Rule for RAdamRule {
    const NAME: &'static str = "RAdam";
    fn states(&self) -> &'static [&'static str] {
        &["exp_avg", "exp_avg_sq"]
    }
    fn set_momentum(&mut self, momentum: f64) {
        self.betas.0 = momentum;
    }
    fn update<T: Float>(&self, slot: &mut Slot<T>, gradient: &Tensor<T>) {
        let t = slot.step as f64;
        let (b1, b2) = self.betas;
        let correction = 1.0 - b2.powf(t);
        let limit = 2.0 / (1.0 - b2) - 1.0;
        let length = limit - 2.0 * t * b2.powf(t) / correction;
        let mut mean = self.lr / (1.0 - b1.powf(t));
        let mut root = None;
        if length > 5.0 {
            let rectified =
                (length - 4.0) * (length - 2.0) * limit / ((limit - 4.0) * (limit - 2.0) * length);
            mean *= rectified.sqrt() * correction.sqrt();
            root = Some(1.0);
        }
        let (coupled_decay, shrink) = decay!(self);
        let (betas, eps, maximize) = (self.betas, self.eps, self.maximize);
        let name = Self::NAME;
        slot.apply(
            &MomentStep { name, betas, eps, coupled_decay, shrink, maximize, gradient: 0.0, mean, root },
            gradient,
        );
    }
    standard_parts!();
}
