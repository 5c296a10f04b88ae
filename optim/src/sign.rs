//! Optimisers that follow the sign of the gradient: Rprop, Lion.

use crate::rule::{Rule, Slot, settings, standard_parts};
use wengert_autograd::{
    Float, Tensor,
    scalar::{Formula, Real},
};

settings! {
    /// Rprop: a step size for each number, which grows while the sign of the gradient stays and shrinks when it turns.
    /// For gradients of the whole data set, not of batches.
    ///
    /// ```text
    /// s ← s·η⁺ where g and the gradient before have one sign, s·η⁻ where they have two; within the bounds
    /// g ← 0 where the sign turned
    /// p ← p − sign(g)·s
    /// ```
    /// (Riedmiller and Braun 1993, as iRprop⁻: Igel and Hüsken 2000.)
    Rprop is RpropRule {
        /// The first step size: 10⁻².
        lr: f64 = 1e-2,
        /// The factors (η⁻, η⁺): (0.5, 1.2).
        etas: (f64, f64) = (0.5, 1.2),
        /// The bounds of a step: (10⁻⁶, 50).
        step_sizes: (f64, f64) = (1e-6, 50.0),
        /// Goes up the gradient instead of down: no.
        maximize: bool = false,
    }
}

impl Rule for RpropRule {
    const NAME: &'static str = "Rprop";
    fn states(&self) -> &'static [&'static str] {
        &["prev", "step_size"]
    }
    fn first(&self, state: usize) -> f64 {
        [0.0, self.lr][state]
    }
    fn update<T: Float>(&self, slot: &mut Slot<T>, gradient: &Tensor<T>) {
        slot.apply(self, gradient);
    }
    standard_parts!();
}

impl Formula<4, 3> for RpropRule {
    fn name(&self) -> &'static str {
        Self::NAME
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [p, g, previous, size]: [R; 4]) -> [R; 3] {
        let (zero, one) = (R::constant(0.0), R::constant(1.0));
        let g = if self.maximize { -g } else { g };
        // The signs, rather than the numbers, so that the product cannot underflow.
        let agreement = g.sign() * previous.sign();
        let turned = agreement.lt(zero);
        let factor = R::select(turned, R::constant(self.etas.0), one);
        let factor = R::select(zero.lt(agreement), R::constant(self.etas.1), factor);
        let size = (size * factor).max(R::constant(self.step_sizes.0)).min(R::constant(self.step_sizes.1));
        let g = R::select(turned, zero, g);
        [p - g.sign() * size, g, size]
    }
}

settings! {
    /// Lion: the sign of a mixture of gradient and momentum; one state, steps of one size. It wants a learning rate 3 to
    /// 10 times smaller than Adam's, and a weight decay as much larger.
    ///
    /// ```text
    /// c = β₁·m + (1 − β₁)·g
    /// p ← (1 − γ·λ)·p − γ·sign(c)
    /// m ← β₂·m + (1 − β₂)·g
    /// ```
    /// (Chen and others, "Symbolic discovery of optimization algorithms", 2023, algorithm 2.)
    Lion is LionRule {
        /// The learning rate γ: 10⁻⁴.
        lr: f64 = 1e-4,
        /// The rates (β₁, β₂) of the mixture and of the mean: (0.9, 0.99).
        betas: (f64, f64) = (0.9, 0.99),
        /// Shrinks the parameter by γ·λ in each step: 0.
        weight_decay: f64 = 0.0,
        /// Goes up the gradient instead of down: no.
        maximize: bool = false,
    }
}

impl Rule for LionRule {
    const NAME: &'static str = "Lion";
    fn states(&self) -> &'static [&'static str] {
        &["exp_avg"]
    }
    fn set_momentum(&mut self, momentum: f64) {
        self.betas.0 = momentum;
    }
    fn update<T: Float>(&self, slot: &mut Slot<T>, gradient: &Tensor<T>) {
        slot.apply(self, gradient);
    }
    standard_parts!();
}

impl Formula<3, 2> for LionRule {
    fn name(&self) -> &'static str {
        Self::NAME
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [p, g, m]: [R; 3]) -> [R; 2] {
        let g = if self.maximize { -g } else { g };
        let mix = |beta: f64| R::constant(beta) * m + R::constant(1.0 - beta) * g;
        let shrunk = R::constant(1.0 - self.lr * self.weight_decay) * p;
        [shrunk - R::constant(self.lr) * mix(self.betas.0).sign(), mix(self.betas.1)]
    }
}
