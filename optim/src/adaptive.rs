//! Optimisers that divide by running means of the gradient's square: RMSprop, Adagrad, Adadelta.

use crate::rule::{Rule, Slot, settings, standard_parts};
use crate::sgd::effective;
use wengert_autograd::{
    Float, Tensor,
    scalar::{Formula, Real},
};

settings! {
    /// RMSprop: divides by the root of a running mean of the square.
    ///
    /// ```text
    /// g ← g + λ·p
    /// v ← α·v + (1 − α)·g²
    /// a ← α·a + (1 − α)·g               if centered
    /// D = √v + ε                        or √(v − a²) + ε if centered
    /// p ← p − γ·g/D                     or b ← μ·b + g/D, p ← p − γ·b with momentum
    /// ```
    /// (Tieleman and Hinton, lecture 6.5 of "Neural networks for machine learning", 2012; Graves 2013 for the centered form.)
    RmsProp is RmsPropRule {
        /// The learning rate γ: 10⁻².
        lr: f64 = 1e-2,
        /// The decay rate α of the means: 0.99.
        alpha: f64 = 0.99,
        /// ε, which keeps the division finite: 10⁻⁸.
        eps: f64 = 1e-8,
        /// Adds λ·p to the gradient: 0.
        weight_decay: f64 = 0.0,
        /// The momentum μ: 0.
        momentum: f64 = 0.0,
        /// Divides by the deviation from the mean: no.
        centered: bool = false,
        /// Goes up the gradient instead of down: no.
        maximize: bool = false,
    }
}

impl Rule for RmsPropRule {
    const NAME: &'static str = "RMSprop";
    fn states(&self) -> &'static [&'static str] {
        match (self.centered, self.momentum != 0.0) {
            (false, false) => &["square_avg"],
            (true, false) => &["square_avg", "grad_avg"],
            (false, true) => &["square_avg", "momentum_buffer"],
            (true, true) => &["square_avg", "grad_avg", "momentum_buffer"],
        }
    }
    fn set_momentum(&mut self, momentum: f64) {
        self.momentum = momentum;
    }
    fn update<T: Float>(&self, slot: &mut Slot<T>, gradient: &Tensor<T>) {
        match self.states().len() {
            1 => slot.apply::<_, 3, 2>(self, gradient),
            2 => slot.apply::<_, 4, 3>(self, gradient),
            _ => slot.apply::<_, 5, 4>(self, gradient),
        }
    }
    standard_parts!();
}

impl RmsPropRule {
    /// New (p, v, a, b); a and b are only meant where the settings have them.
    #[inline(always)]
    fn step<R: Real>(&self, p: R, g: R, v: R, a: R, b: R) -> [R; 4] {
        let (keep, take) = (R::constant(self.alpha), R::constant(1.0 - self.alpha));
        let g = effective(p, g, self.weight_decay, self.maximize);
        let v = keep * v + take * (g * g);
        let a = keep * a + take * g;
        let variance = if self.centered { v - a * a } else { v };
        let scaled = g / (variance.sqrt() + R::constant(self.eps));
        let b = R::constant(self.momentum) * b + scaled;
        let direction = if self.momentum == 0.0 { scaled } else { b };
        [p - R::constant(self.lr) * direction, v, a, b]
    }
}

impl Formula<3, 2> for RmsPropRule {
    fn name(&self) -> &'static str {
        Self::NAME
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [p, g, v]: [R; 3]) -> [R; 2] {
        let [p, v, _, _] = self.step(p, g, v, v, v);
        [p, v]
    }
}

/// Centered or with momentum.
impl Formula<4, 3> for RmsPropRule {
    fn name(&self) -> &'static str {
        Self::NAME
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [p, g, v, other]: [R; 4]) -> [R; 3] {
        let [p, v, a, b] = self.step(p, g, v, other, other);
        [p, v, if self.centered { a } else { b }]
    }
}

/// Centered and with momentum.
impl Formula<5, 4> for RmsPropRule {
    fn name(&self) -> &'static str {
        Self::NAME
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [p, g, v, a, b]: [R; 5]) -> [R; 4] {
        self.step(p, g, v, a, b)
    }
}

settings! {
    /// Adagrad: divides by the root of the sum of all squares so far.
    ///
    /// ```text
    /// g ← g + λ·p
    /// s ← s + g²
    /// p ← p − γ/(1 + (t − 1)·η) · g/(√s + ε)
    /// ```
    /// (Duchi, Hazan and Singer, "Adaptive subgradient methods", 2011.)
    Adagrad is AdagradRule {
        /// The learning rate γ: 10⁻².
        lr: f64 = 1e-2,
        /// The decay η of the learning rate: 0.
        lr_decay: f64 = 0.0,
        /// Adds λ·p to the gradient: 0.
        weight_decay: f64 = 0.0,
        /// The first value of the sum: 0.
        initial_accumulator_value: f64 = 0.0,
        /// ε, which keeps the division finite: 10⁻¹⁰.
        eps: f64 = 1e-10,
        /// Goes up the gradient instead of down: no.
        maximize: bool = false,
    }
}

impl Rule for AdagradRule {
    const NAME: &'static str = "Adagrad";
    fn states(&self) -> &'static [&'static str] {
        &["sum"]
    }
    fn first(&self, _: usize) -> f64 {
        self.initial_accumulator_value
    }
    fn update<T: Float>(&self, slot: &mut Slot<T>, gradient: &Tensor<T>) {
        let lr = self.lr / (1.0 + (slot.step - 1) as f64 * self.lr_decay);
        slot.apply(&AdagradRule { lr, ..*self }, gradient);
    }
    standard_parts!();
}

impl Formula<3, 2> for AdagradRule {
    fn name(&self) -> &'static str {
        Self::NAME
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [p, g, sum]: [R; 3]) -> [R; 2] {
        let g = effective(p, g, self.weight_decay, self.maximize);
        let sum = sum + g * g;
        [p - R::constant(self.lr) * g / (sum.sqrt() + R::constant(self.eps)), sum]
    }
}

settings! {
    /// Adadelta: steps in the units of the parameter, by running means of the squares of gradients and of steps.
    ///
    /// ```text
    /// g ← g + λ·p
    /// v ← ρ·v + (1 − ρ)·g²
    /// d = √(u + ε)/√(v + ε) · g
    /// u ← ρ·u + (1 − ρ)·d²
    /// p ← p − γ·d
    /// ```
    /// (Zeiler, "ADADELTA: an adaptive learning rate method", 2012.)
    Adadelta is AdadeltaRule {
        /// The learning rate γ: 1.
        lr: f64 = 1.0,
        /// The decay rate ρ of the means: 0.9.
        rho: f64 = 0.9,
        /// ε, which starts the steps: 10⁻⁶.
        eps: f64 = 1e-6,
        /// Adds λ·p to the gradient: 0.
        weight_decay: f64 = 0.0,
        /// Goes up the gradient instead of down: no.
        maximize: bool = false,
    }
}

impl Rule for AdadeltaRule {
    const NAME: &'static str = "Adadelta";
    fn states(&self) -> &'static [&'static str] {
        &["square_avg", "acc_delta"]
    }
    fn update<T: Float>(&self, slot: &mut Slot<T>, gradient: &Tensor<T>) {
        slot.apply(self, gradient);
    }
    standard_parts!();
}

impl Formula<4, 3> for AdadeltaRule {
    fn name(&self) -> &'static str {
        Self::NAME
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [p, g, v, u]: [R; 4]) -> [R; 3] {
        let (keep, take, eps) = (R::constant(self.rho), R::constant(1.0 - self.rho), R::constant(self.eps));
        let g = effective(p, g, self.weight_decay, self.maximize);
        let v = keep * v + take * (g * g);
        let delta = (u + eps).sqrt() / (v + eps).sqrt() * g;
        [p - R::constant(self.lr) * delta, v, keep * u + take * (delta * delta)]
    }
}
