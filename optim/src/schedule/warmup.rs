//! Rates that rise first.

use super::Schedule;
use std::f64::consts::PI;

/// How far the warm-up is: (t + 1)/warmup.
fn risen(step: u64, warmup: u64) -> f64 {
    (step + 1) as f64 / warmup as f64
}

/// base · min(1, (t + 1)/warmup).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WarmupConstant {
    warmup: u64,
}

impl WarmupConstant {
    /// Rises for `warmup` steps, then stays.
    pub fn new(warmup: u64) -> Self {
        WarmupConstant { warmup }
    }
}

impl Schedule for WarmupConstant {
    fn lr(&self, base: f64, step: u64) -> f64 {
        if step < self.warmup { base * risen(step, self.warmup) } else { base }
    }
}

/// base · (t + 1)/warmup, then base · (1 + cos(π·(t − warmup)/(total − warmup)))/2 down to 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WarmupCosine {
    warmup: u64,
    total: u64,
}

impl WarmupCosine {
    /// Rises for `warmup` steps and falls until step `total`.
    ///
    /// # Panics
    /// If `total` is not greater than `warmup`.
    #[track_caller]
    pub fn new(warmup: u64, total: u64) -> Self {
        assert!(total > warmup, "WarmupCosine: {total} steps in all, {warmup} of them to warm up");
        WarmupCosine { warmup, total }
    }
}

impl Schedule for WarmupCosine {
    fn lr(&self, base: f64, step: u64) -> f64 {
        if step < self.warmup {
            return base * risen(step, self.warmup);
        }
        let part = (step - self.warmup) as f64 / (self.total - self.warmup) as f64;
        base * 0.5 * (1.0 + (PI * part.min(1.0)).cos())
    }
}

/// base · (t + 1)/warmup, then base · (total − t)/(total − warmup) down to 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WarmupLinear {
    warmup: u64,
    total: u64,
}

impl WarmupLinear {
    /// Rises for `warmup` steps and falls until step `total`.
    ///
    /// # Panics
    /// If `total` is not greater than `warmup`.
    #[track_caller]
    pub fn new(warmup: u64, total: u64) -> Self {
        assert!(total > warmup, "WarmupLinear: {total} steps in all, {warmup} of them to warm up");
        WarmupLinear { warmup, total }
    }
}

impl Schedule for WarmupLinear {
    fn lr(&self, base: f64, step: u64) -> f64 {
        if step < self.warmup {
            return base * risen(step, self.warmup);
        }
        base * self.total.saturating_sub(step) as f64 / (self.total - self.warmup) as f64
    }
}

/// base · d^(−½)·min((t + 1)^(−½), (t + 1)·warmup^(−3/2)): the Transformer's (Vaswani and others, "Attention is all you
/// need", 2017, section 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noam {
    width: u64,
    warmup: u64,
}

impl Noam {
    /// For a model of this width d.
    pub fn new(width: u64, warmup: u64) -> Self {
        Noam { width, warmup }
    }
}

impl Schedule for Noam {
    fn lr(&self, base: f64, step: u64) -> f64 {
        let t = (step + 1) as f64;
        base * (self.width as f64).powf(-0.5) * t.powf(-0.5).min(t * (self.warmup as f64).powf(-1.5))
    }
}
