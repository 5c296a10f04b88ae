//! A rate that falls when the loss no longer does.

use crate::Optimizer;
use serde::{Deserialize, Serialize};
use wengert_autograd::Float;

/// Which metrics are better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlateauMode {
    /// Smaller ones, such as a loss.
    #[default]
    Min,
    /// Larger ones, such as an accuracy.
    Max,
}

/// By how much a metric must be better to count.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Threshold {
    /// By this part of the best one.
    Relative(f64),
    /// By this much.
    Absolute(f64),
}

/// Multiplies the rate by a factor when a metric has not become better for some time.
///
/// ```
/// # use wengert_autograd::{NamedParameters, Tensor, Variable};
/// use wengert_optim::{Optimizer, Sgd, schedule::ReduceLrOnPlateau};
/// # let parameters = NamedParameters::from_iter([("w", Variable::parameter(Tensor::<f32>::ones([2])))]);
/// let mut sgd = Sgd::new(parameters).lr(1.0);
/// let mut plateau = ReduceLrOnPlateau { patience: 1, ..Default::default() };
/// for loss in [3.0, 2.0, 2.0, 2.0] {
///     plateau.step(loss, &mut sgd);
/// }
/// assert_eq!(sgd.learning_rate(0), 0.1);
/// ```
///
/// The fields with defaults are the settings; the others are its memory, so that it can be stored.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReduceLrOnPlateau {
    /// Which metrics are better: smaller ones.
    pub mode: PlateauMode,
    /// What the rate is multiplied by: 0.1.
    pub factor: f64,
    /// How many metrics in a row may fail to be better: 10.
    pub patience: u64,
    /// By how much a metric must be better: by 10⁻⁴ of the best.
    pub threshold: Threshold,
    /// How many metrics after a change do not count: 0.
    pub cooldown: u64,
    /// The lowest rate: 0.
    pub min_lr: f64,
    /// Changes of the rate that are not larger are not made: 10⁻⁸.
    pub eps: f64,
    /// The best metric so far.
    pub best: Option<f64>,
    /// How many metrics in a row were not better.
    pub bad: u64,
    /// How many more metrics do not count.
    pub cooling: u64,
}

impl Default for ReduceLrOnPlateau {
    fn default() -> Self {
        ReduceLrOnPlateau {
            mode: PlateauMode::Min,
            factor: 0.1,
            patience: 10,
            threshold: Threshold::Relative(1e-4),
            cooldown: 0,
            min_lr: 0.0,
            eps: 1e-8,
            best: None,
            bad: 0,
            cooling: 0,
        }
    }
}

impl ReduceLrOnPlateau {
    /// Takes note of a metric, usually once an epoch, and changes the rates if it is time.
    pub fn step<T: Float>(&mut self, metric: f64, optimizer: &mut (impl Optimizer<T> + ?Sized)) {
        if self.is_better(metric) {
            self.best = Some(metric);
            self.bad = 0;
        } else {
            self.bad += 1;
        }
        if self.cooling > 0 {
            self.cooling -= 1;
            self.bad = 0;
        }
        if self.bad > self.patience {
            for group in 0..optimizer.groups() {
                let lr = optimizer.learning_rate(group);
                let new = (lr * self.factor).max(self.min_lr);
                if lr - new > self.eps {
                    optimizer.set_learning_rate(group, new);
                }
            }
            self.cooling = self.cooldown;
            self.bad = 0;
        }
    }

    fn is_better(&self, metric: f64) -> bool {
        let Some(best) = self.best else { return !metric.is_nan() };
        match (self.mode, self.threshold) {
            (PlateauMode::Min, Threshold::Relative(part)) => metric < best * (1.0 - part),
            (PlateauMode::Max, Threshold::Relative(part)) => metric > best * (1.0 + part),
            (PlateauMode::Min, Threshold::Absolute(by)) => metric < best - by,
            (PlateauMode::Max, Threshold::Absolute(by)) => metric > best + by,
        }
    }
}
