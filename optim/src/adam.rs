//! Adam and AdamW.

use crate::rule::{Rule, Slot, settings, standard_parts};
use crate::sgd::effective;
use wengert_autograd::{
    Float, Tensor,
    scalar::{Formula, Real},
};

/// [`settings!`] of the optimisers with two running means: a learning rate and an ε with their defaults in words, the weight
/// decay with its documentation, and whatever else there is.
macro_rules! adam_settings {
    ($(#[$doc:meta])* $optimizer:ident is $rule:ident {
        lr $lr_text:literal = $lr:expr,
        eps $eps_text:literal = $eps:expr,
        $(#[$decay_doc:meta])* weight_decay = $decay:expr,
        $($(#[$setting_doc:meta])* $setting:ident: $type:ty = $default:expr,)*
    }) => {
        settings! {
            $(#[$doc])*
            $optimizer is $rule {
                #[doc = concat!("The learning rate γ: ", $lr_text, ".")]
                lr: f64 = $lr,
                /// The decay rates (β₁, β₂) of the means: (0.9, 0.999).
                betas: (f64, f64) = (0.9, 0.999),
                #[doc = concat!("ε, which keeps the division finite: ", $eps_text, ".")]
                eps: f64 = $eps,
                $(#[$decay_doc])*
                weight_decay: f64 = $decay,
                $($(#[$setting_doc])* $setting: $type = $default,)*
                /// Goes up the gradient instead of down: no.
                maximize: bool = false,
            }
        }
    };
}
pub(crate) use adam_settings;

adam_settings! {
    /// Adam: steps of the size of the learning rate, by running means of the gradient and of its square.
    ///
    /// ```text
    /// g ← g + λ·p
    /// m ← β₁·m + (1 − β₁)·g
    /// v ← β₂·v + (1 − β₂)·g²
    /// p ← p − γ/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)
    /// ```
    /// at step t from 1. With `amsgrad` the largest v so far stands in the last line. (Kingma and Ba, "Adam: a method for
    /// stochastic optimization", 2015, algorithm 1; Reddi, Kale and Kumar 2018 for AMSGrad.)
    ///
    /// ```
    /// # use wengert_autograd::{NamedParameters, Tensor, Variable};
    /// use wengert_optim::{Adam, Optimizer};
    ///
    /// let w = Variable::parameter(Tensor::from_vec(vec![3.0_f32, -1.0], [2]).unwrap());
    /// let mut adam = Adam::new(NamedParameters::from_iter([("w", w.clone())])).lr(0.1);
    /// (&w * &w).sum().backward();
    /// adam.step();
    /// assert!((w.value().to_vec()[0] - 2.9).abs() < 1e-6); // the first step has the size of the learning rate
    /// ```
    Adam is AdamRule {
        lr "10⁻³" = 1e-3,
        eps "10⁻⁸" = 1e-8,
        /// Adds λ·p to the gradient: 0.
        weight_decay = 0.0,
        /// Divides by the largest mean square so far: no.
        amsgrad: bool = false,
    }
}

adam_settings! {
    /// AdamW: [`Adam`] with weight decay apart from the gradient.
    ///
    /// ```text
    /// p ← (1 − γ·λ)·p
    /// p ← Adam's step without weight decay
    /// ```
    /// (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, algorithm 2.)
    AdamW is AdamWRule {
        lr "10⁻³" = 1e-3,
        eps "10⁻⁸" = 1e-8,
        /// Shrinks the parameter by γ·λ in each step: 10⁻².
        weight_decay = 1e-2,
        /// Divides by the largest mean square so far: no.
        amsgrad: bool = false,
    }
}

/// One step of either, its constants worked out.
#[derive(Clone, Copy)]
struct AdamStep {
    /// γ/(1 − β₁ᵗ).
    rate: f64,
    /// 1/√(1 − β₂ᵗ).
    root_correction: f64,
    betas: (f64, f64),
    eps: f64,
    coupled_decay: f64,
    /// 1 − γ·λ where the decay is decoupled.
    shrink: f64,
    maximize: bool,
    /// The smallest normal number. The moments of a parameter that gets no gradient any more (a unit that is never active)
    /// shrink until they are smaller, and stay there, where arithmetic is several times slower on most processors; they
    /// count as 0 instead.
    smallest: f64,
}

impl AdamStep {
    #[inline(always)]
    fn moments<R: Real>(&self, p: R, g: R, m: R, v: R) -> (R, R, R) {
        let p = if self.shrink == 1.0 { p } else { R::constant(self.shrink) * p };
        let g = effective(p, g, self.coupled_decay, self.maximize);
        let m = R::constant(self.betas.0) * m + R::constant(1.0 - self.betas.0) * g;
        let v = R::constant(self.betas.1) * v + R::constant(1.0 - self.betas.1) * (g * g);
        (p, self.normal(m), self.normal(v))
    }
    #[inline(always)]
    fn normal<R: Real>(&self, x: R) -> R {
        R::select(x.abs().lt(R::constant(self.smallest)), R::constant(0.0), x)
    }
    #[inline(always)]
    fn descend<R: Real>(&self, p: R, m: R, v: R) -> R {
        p - R::constant(self.rate) * m
            / (v.sqrt() * R::constant(self.root_correction) + R::constant(self.eps))
    }
}

impl Formula<4, 3> for AdamStep {
    fn name(&self) -> &'static str {
        "Adam"
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [p, g, m, v]: [R; 4]) -> [R; 3] {
        let (p, m, v) = self.moments(p, g, m, v);
        [self.descend(p, m, v), m, v]
    }
}

/// With AMSGrad.
impl Formula<5, 4> for AdamStep {
    fn name(&self) -> &'static str {
        "Adam"
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [p, g, m, v, largest]: [R; 5]) -> [R; 4] {
        let (p, m, v) = self.moments(p, g, m, v);
        let largest = largest.max(v);
        [self.descend(p, m, largest), m, v, largest]
    }
}

macro_rules! adam {
    ($rule:ident, $name:literal, |$settings:ident| $coupled:expr, $shrink:expr) => {
        impl Rule for $rule {
            const NAME: &'static str = $name;
            fn states(&self) -> &'static [&'static str] {
                if self.amsgrad {
                    &["exp_avg", "exp_avg_sq", "max_exp_avg_sq"]
                } else {
                    &["exp_avg", "exp_avg_sq"]
                }
            }
            fn set_momentum(&mut self, momentum: f64) {
                self.betas.0 = momentum;
            }
            fn update<T: Float>(&self, slot: &mut Slot<T>, gradient: &Tensor<T>) {
                let $settings = self;
                let t = slot.step as f64;
                let step = AdamStep {
                    rate: self.lr / (1.0 - self.betas.0.powf(t)),
                    root_correction: 1.0 / (1.0 - self.betas.1.powf(t)).sqrt(),
                    betas: self.betas,
                    eps: self.eps,
                    coupled_decay: $coupled,
                    shrink: $shrink,
                    maximize: self.maximize,
                    smallest: T::min_positive_value().to_f64(),
                };
                if self.amsgrad {
                    slot.apply::<_, 5, 4>(&step, gradient);
                } else {
                    slot.apply::<_, 4, 3>(&step, gradient);
                }
            }
            standard_parts!();
        }
    };
}
adam!(AdamRule, "Adam", |settings| settings.weight_decay, 1.0);
adam!(AdamWRule, "AdamW", |settings| 0.0, 1.0 - settings.lr * settings.weight_decay);
