//! Rates that rise and fall.

use super::Schedule;
use std::f64::consts::PI;

/// min + (base − min)·(1 + cos(π·t/T))/2 in periods T₀, T₀·m, T₀·m², …, each beginning at base again
/// (Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CosineAnnealingWarmRestarts {
    first: u64,
    factor: u64,
    min: f64,
}

impl CosineAnnealingWarmRestarts {
    /// The first period has `first` steps, each later one `factor` times those of the one before.
    ///
    /// # Panics
    /// If either is 0.
    #[track_caller]
    pub fn new(first: u64, factor: u64) -> Self {
        assert!(
            first > 0 && factor > 0,
            "CosineAnnealingWarmRestarts: periods of {first} steps, times {factor}"
        );
        CosineAnnealingWarmRestarts { first, factor, min: 0.0 }
    }

    /// Down to this rate.
    #[must_use]
    pub fn min(mut self, min: f64) -> Self {
        self.min = min;
        self
    }
}

impl Schedule for CosineAnnealingWarmRestarts {
    fn lr(&self, base: f64, step: u64) -> f64 {
        let (mut left, mut period) = (step, self.first);
        if self.factor == 1 {
            left %= period;
        }
        while left >= period {
            left -= period;
            period = period.saturating_mul(self.factor);
        }
        self.min + (base - self.min) * (1.0 + (PI * left as f64 / period as f64).cos()) / 2.0
    }
}

/// The way from one rate to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anneal {
    /// Half a cosine.
    #[default]
    Cosine,
    /// A straight line.
    Linear,
}

impl Anneal {
    fn between(self, start: f64, end: f64, part: f64) -> f64 {
        match self {
            Anneal::Cosine => end + (start - end) / 2.0 * (1.0 + (PI * part).cos()),
            Anneal::Linear => start + part * (end - start),
        }
    }
}

/// One rise to a high rate and one long fall, while the momentum does the opposite (Smith and Topin,
/// "Super-convergence", 2018). The rate that the optimiser began with is not used.
///
/// From max/div_factor to max until step pct·total − 1, then to max/div_factor/final_div_factor at step total − 1; in three
/// phases back to max/div_factor first, as fast as it rose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneCycleLr {
    /// The highest rate.
    pub max: f64,
    /// The number of steps.
    pub total: u64,
    /// The part of the steps in which the rate rises: 0.3.
    pub pct_start: f64,
    /// The way between the rates.
    pub anneal: Anneal,
    /// The highest rate over the first: 25.
    pub div_factor: f64,
    /// The first rate over the last: 10⁴.
    pub final_div_factor: f64,
    /// Whether to come back to the first rate as fast as it rose: no.
    pub three_phase: bool,
    /// The least and the greatest momentum, if it cycles: (0.85, 0.95).
    pub momentum: Option<(f64, f64)>,
}

impl OneCycleLr {
    /// Up to `max` and down in `total` steps.
    pub fn new(max: f64, total: u64) -> Self {
        OneCycleLr {
            max,
            total,
            pct_start: 0.3,
            anneal: Anneal::Cosine,
            div_factor: 25.0,
            final_div_factor: 1e4,
            three_phase: false,
            momentum: Some((0.85, 0.95)),
        }
    }

    /// The value at `step` of what passes through `values`, one more than there are phases.
    fn at(&self, step: u64, values: &[f64]) -> f64 {
        let (total, rise) = (self.total as f64, self.pct_start * self.total as f64);
        let ends: &[f64] = if self.three_phase {
            &[rise - 1.0, 2.0 * rise - 2.0, total - 1.0]
        } else {
            &[rise - 1.0, total - 1.0]
        };
        let mut start = 0.0;
        for (phase, &end) in ends.iter().enumerate() {
            if step as f64 <= end || phase + 1 == ends.len() {
                let part = (step as f64 - start) / (end - start);
                return self.anneal.between(values[phase], values[phase + 1], part.min(1.0));
            }
            start = end;
        }
        values[values.len() - 1]
    }
}

impl Schedule for OneCycleLr {
    fn lr(&self, _base: f64, step: u64) -> f64 {
        let first = self.max / self.div_factor;
        let last = first / self.final_div_factor;
        if self.three_phase {
            self.at(step, &[first, self.max, first, last])
        } else {
            self.at(step, &[first, self.max, last])
        }
    }
    fn momentum(&self, step: u64) -> Option<f64> {
        let (low, high) = self.momentum?;
        Some(if self.three_phase {
            self.at(step, &[high, low, high, high])
        } else {
            self.at(step, &[high, low, high])
        })
    }
}

/// What becomes of the height of the cycles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CycleMode {
    /// It stays.
    Triangular,
    /// It is halved with each cycle.
    Triangular2,
    /// It is multiplied by this number at each step.
    ExpRange(f64),
}

/// Up and down between two rates, again and again (Smith, "Cyclical learning rates", 2017).
///
/// low + (high − low)·s·scale, where s rises from 0 to 1 in `up` steps and falls in `down`. The rate that the optimiser
/// began with is not used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CyclicLr {
    /// The lowest rate.
    pub low: f64,
    /// The highest rate.
    pub high: f64,
    /// How many steps it rises.
    pub up: u64,
    /// How many steps it falls.
    pub down: u64,
    /// What becomes of the height.
    pub mode: CycleMode,
}

impl CyclicLr {
    /// Between `low` and `high`, `up` steps each way.
    pub fn new(low: f64, high: f64, up: u64) -> Self {
        CyclicLr { low, high, up, down: up, mode: CycleMode::Triangular }
    }
}

impl Schedule for CyclicLr {
    fn lr(&self, _base: f64, step: u64) -> f64 {
        let total = (self.up + self.down) as f64;
        let cycle = (1.0 + step as f64 / total).floor();
        let at = 1.0 + step as f64 / total - cycle;
        let rise = self.up as f64 / total;
        let height = if at <= rise { at / rise } else { (at - 1.0) / (rise - 1.0) };
        let scale = match self.mode {
            CycleMode::Triangular => 1.0,
            CycleMode::Triangular2 => 0.5_f64.powf(cycle - 1.0),
            CycleMode::ExpRange(gamma) => gamma.powf(step as f64),
        };
        self.low + (self.high - self.low) * height * scale
    }
}
