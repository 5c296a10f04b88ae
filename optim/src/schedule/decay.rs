//! Rates that change once and for all.

use super::Schedule;
use std::f64::consts::PI;

/// base · γ^⌊t/size⌋: a step down every `size` steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepLr {
    size: u64,
    gamma: f64,
}

impl StepLr {
    /// Multiplies by `gamma` every `size` steps.
    ///
    /// # Panics
    /// If `size` is 0.
    #[track_caller]
    pub fn new(size: u64, gamma: f64) -> Self {
        assert!(size > 0, "StepLr: a step must have a size");
        StepLr { size, gamma }
    }
}

impl Schedule for StepLr {
    fn lr(&self, base: f64, step: u64) -> f64 {
        base * self.gamma.powf((step / self.size) as f64)
    }
}

/// base · γ^k with k milestones reached.
#[derive(Clone, Debug, PartialEq)]
pub struct MultiStepLr {
    milestones: Vec<u64>,
    gamma: f64,
}

impl MultiStepLr {
    /// Multiplies by `gamma` at each milestone; one that is listed twice counts twice.
    pub fn new(milestones: &[u64], gamma: f64) -> Self {
        MultiStepLr { milestones: milestones.to_vec(), gamma }
    }
}

impl Schedule for MultiStepLr {
    fn lr(&self, base: f64, step: u64) -> f64 {
        let reached = self.milestones.iter().filter(|&&milestone| milestone <= step).count();
        base * self.gamma.powf(reached as f64)
    }
}

/// base · γᵗ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExponentialLr {
    gamma: f64,
}

impl ExponentialLr {
    /// Multiplies by `gamma` at every step.
    pub fn new(gamma: f64) -> Self {
        ExponentialLr { gamma }
    }
}

impl Schedule for ExponentialLr {
    fn lr(&self, base: f64, step: u64) -> f64 {
        base * self.gamma.powf(step as f64)
    }
}

/// base · factor for some steps, then base.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConstantLr {
    factor: f64,
    total: u64,
}

impl ConstantLr {
    /// `factor` for the first `total` steps.
    pub fn new(factor: f64, total: u64) -> Self {
        ConstantLr { factor, total }
    }
}

impl Schedule for ConstantLr {
    fn lr(&self, base: f64, step: u64) -> f64 {
        if step < self.total { base * self.factor } else { base }
    }
}

/// base · (start + (end − start)·min(t, total)/total).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinearLr {
    start: f64,
    end: f64,
    total: u64,
}

impl LinearLr {
    /// From the factor `start` to the factor `end` in `total` steps.
    pub fn new(start: f64, end: f64, total: u64) -> Self {
        LinearLr { start, end, total }
    }
}

impl Schedule for LinearLr {
    fn lr(&self, base: f64, step: u64) -> f64 {
        base * (self.start + (self.end - self.start) * part(step, self.total))
    }
}

/// base · (1 − min(t, total)/total)^power.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PolynomialLr {
    total: u64,
    power: f64,
}

impl PolynomialLr {
    /// To 0 in `total` steps.
    pub fn new(total: u64, power: f64) -> Self {
        PolynomialLr { total, power }
    }
}

impl Schedule for PolynomialLr {
    fn lr(&self, base: f64, step: u64) -> f64 {
        base * (1.0 - part(step, self.total)).powf(self.power)
    }
}

/// min + (base − min)·(1 + cos(π·t/T))/2; past T it rises again (Loshchilov and Hutter, SGDR, 2017, without restarts).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CosineAnnealingLr {
    period: u64,
    min: f64,
}

impl CosineAnnealingLr {
    /// Down to 0 in `period` steps.
    pub fn new(period: u64) -> Self {
        CosineAnnealingLr { period, min: 0.0 }
    }

    /// Down to this rate.
    #[must_use]
    pub fn min(mut self, min: f64) -> Self {
        self.min = min;
        self
    }
}

impl Schedule for CosineAnnealingLr {
    fn lr(&self, base: f64, step: u64) -> f64 {
        self.min + (base - self.min) * (1.0 + (PI * step as f64 / self.period as f64).cos()) / 2.0
    }
}

/// base · f(t) with any function.
#[derive(Clone, Copy, Debug)]
pub struct LambdaLr<F>(
    /// The factor as a function of the step.
    pub F,
);

impl<F: Fn(u64) -> f64> Schedule for LambdaLr<F> {
    fn lr(&self, base: f64, step: u64) -> f64 {
        base * (self.0)(step)
    }
}

/// min(t, total)/total; 1 for a total of 0.
fn part(step: u64, total: u64) -> f64 {
    if step >= total { 1.0 } else { step as f64 / total as f64 }
}
