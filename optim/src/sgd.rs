//! Stochastic gradient descent.

use crate::rule::{Rule, Slot, settings, standard_parts};
use wengert_autograd::{
    Float, Tensor,
    scalar::{Formula, Real},
};

settings! {
    /// Stochastic gradient descent, with momentum, dampening, Nesterov's momentum and weight decay.
    ///
    /// ```text
    /// g ← g + λ·p
    /// b ← g at the first step, then μ·b + (1 − d)·g
    /// p ← p − γ·b        or, with Nesterov's momentum, p − γ·(g + μ·b)
    /// ```
    /// with the learning rate γ, weight decay λ, momentum μ and dampening d. (Robbins and Monro 1951; Polyak 1964;
    /// Sutskever, Martens, Dahl and Hinton 2013 for Nesterov's momentum in this form.)
    ///
    /// ```
    /// # use wengert_autograd::{NamedParameters, Tensor, Variable};
    /// use wengert_optim::{Optimizer, Sgd};
    ///
    /// let w = Variable::parameter(Tensor::from_vec(vec![3.0_f32], [1]).unwrap());
    /// let mut sgd = Sgd::new(NamedParameters::from_iter([("w", w.clone())])).lr(0.1).momentum(0.5);
    /// for _ in 0..50 {
    ///     sgd.zero_grad();
    ///     (&w * &w).sum().backward();
    ///     sgd.step();
    /// }
    /// assert!(w.item().abs() < 1e-3);
    /// ```
    Sgd is SgdRule {
        /// The learning rate γ: 10⁻³.
        lr: f64 = 1e-3,
        /// The momentum μ: 0.
        momentum: f64 = 0.0,
        /// The dampening d of the momentum: 0.
        dampening: f64 = 0.0,
        /// Adds λ·p to the gradient: 0.
        weight_decay: f64 = 0.0,
        /// Looks ahead by one step of momentum: no.
        nesterov: bool = false,
        /// Goes up the gradient instead of down: no.
        maximize: bool = false,
    }
}

impl Rule for SgdRule {
    const NAME: &'static str = "SGD";
    fn states(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { &["momentum_buffer"] }
    }
    fn set_momentum(&mut self, momentum: f64) {
        self.momentum = momentum;
    }
    fn update<T: Float>(&self, slot: &mut Slot<T>, gradient: &Tensor<T>) {
        let mut rule = *self;
        if slot.step == 1 {
            rule.dampening = 0.0; // b = g: what the first state, 0, gives then
        }
        if self.momentum == 0.0 {
            slot.apply::<_, 2, 1>(&rule, gradient);
        } else {
            slot.apply::<_, 3, 2>(&rule, gradient);
        }
    }
    standard_parts!();
}

/// The gradient as a rule takes it: negated when it shall go up, with the coupled weight decay.
#[inline(always)]
pub(crate) fn effective<R: Real>(p: R, g: R, weight_decay: f64, maximize: bool) -> R {
    let g = if maximize { -g } else { g };
    if weight_decay == 0.0 { g } else { g + R::constant(weight_decay) * p }
}

impl Formula<2> for SgdRule {
    fn name(&self) -> &'static str {
        Self::NAME
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [p, g]: [R; 2]) -> [R; 1] {
        [p - R::constant(self.lr) * effective(p, g, self.weight_decay, self.maximize)]
    }
}

impl Formula<3, 2> for SgdRule {
    fn name(&self) -> &'static str {
        Self::NAME
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [p, g, b]: [R; 3]) -> [R; 2] {
        let (rate, momentum) = (R::constant(self.lr), R::constant(self.momentum));
        let g = effective(p, g, self.weight_decay, self.maximize);
        let b = momentum * b + R::constant(1.0 - self.dampening) * g;
        let direction = if self.nesterov { g + momentum * b } else { b };
        [p - rate * direction, b]
    }
}
