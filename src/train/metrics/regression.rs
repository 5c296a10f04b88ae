//! Metrics of predicted numbers.

use super::{Mean, Metric, Tally, classification::check_targets, tally_of_mean};
use crate::{Float, Variable};

/// Predictions and targets, side by side.
#[track_caller]
fn pairs<T: Float>(metric: &str, output: &Variable<T>, target: &Variable<T>) -> Vec<(f64, f64)> {
    check_targets(metric, &output.shape(), &target.shape());
    let (output, target) = (output.value(), target.value());
    output.iter().zip(target.iter()).map(|(y, t)| (y.into_f64(), t.into_f64())).collect()
}

macro_rules! mean_error {
    ($(#[$doc:meta])* $metric:ident, $name:literal, |$y:ident, $t:ident| $error:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub struct $metric {
            mean: Mean,
        }

        impl $metric {
            /// Of nothing yet.
            pub fn new() -> Self {
                Self::default()
            }
        }

        tally_of_mean!($metric, |self| $name);

        /// Two variables of the same shape.
        impl<T: Float> Metric<Variable<T>, Variable<T>> for $metric {
            fn update(&mut self, output: &Variable<T>, target: &Variable<T>) {
                for ($y, $t) in pairs($name, output, target) {
                    self.mean.add($error, 1.0);
                }
            }
        }
    };
}
mean_error!(
    /// The mean of (y − t)².
    MeanSquaredError, "mse", |y, t| (y - t) * (y - t)
);
mean_error!(
    /// The mean of |y − t|.
    MeanAbsoluteError, "mae", |y, t| (y - t).abs()
);

/// The coefficient of determination: R² = 1 − Σ(y − t)²/Σ(t − t̄)², 1 for perfect predictions and 0 for those that are
/// no better than the targets' mean.
#[derive(Clone, Debug, Default)]
pub struct R2 {
    count: f64,
    mean: f64,
    /// Σ(t − t̄)², kept up to date as the mean moves (Welford 1962).
    spread: f64,
    /// Σ(y − t)².
    error: f64,
}

impl R2 {
    /// Of nothing yet.
    pub fn new() -> Self {
        R2::default()
    }

    /// Of predictions and targets.
    ///
    /// ```
    /// use wengert::train::metrics::R2;
    /// let r2 = R2::of([(2.5, 3.0), (0.0, -0.5), (2.0, 2.0), (8.0, 7.0)]);
    /// assert!((r2 - 0.9486081370449679).abs() < 1e-12);
    /// ```
    pub fn of(pairs: impl IntoIterator<Item = (f64, f64)>) -> f64 {
        let mut r2 = R2::new();
        pairs.into_iter().for_each(|(y, t)| r2.add(y, t));
        r2.score()
    }

    fn add(&mut self, y: f64, t: f64) {
        self.count += 1.0;
        let step = t - self.mean;
        self.mean += step / self.count;
        self.spread += step * (t - self.mean);
        self.error += (y - t) * (y - t);
    }

    fn score(&self) -> f64 {
        1.0 - self.error / self.spread
    }
}

impl Tally for R2 {
    fn name(&self) -> String {
        "r2".into()
    }
    fn value(&self) -> f64 {
        self.score()
    }
    fn state(&self) -> Vec<f64> {
        vec![self.count, self.mean, self.spread, self.error]
    }
    fn restore(&mut self, state: &[f64]) {
        *self = match state {
            &[count, mean, spread, error] => R2 { count, mean, spread, error },
            _ => R2::new(),
        };
    }
}

/// Two variables of the same shape.
impl<T: Float> Metric<Variable<T>, Variable<T>> for R2 {
    fn update(&mut self, output: &Variable<T>, target: &Variable<T>) {
        pairs("r2", output, target).into_iter().for_each(|(y, t)| self.add(y, t));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(mut metric: impl Metric<Variable<f64>, Variable<f64>>) -> f64 {
        let batches = [([2.5, 0.0], [3.0, -0.5]), ([2.0, 8.0], [2.0, 7.0])];
        for (y, t) in batches {
            let state = metric.state();
            metric.reset();
            metric.restore(&state);
            metric.update(&Variable::from(y), &Variable::from(t));
        }
        metric.value()
    }

    /// The numbers of scikit-learn's documentation.
    #[test]
    fn errors_by_hand() {
        assert_eq!(value(MeanSquaredError::new()), 0.375);
        assert_eq!(value(MeanAbsoluteError::new()), 0.5);
        assert!((value(R2::new()) - 0.948_608_137_044_967_9).abs() < 1e-12);
    }

    #[test]
    fn a_spread_far_from_zero_keeps_its_digits() {
        let pairs = [(0.0, 1.0), (2.0, 2.0), (3.0, 3.0)].map(|(y, t)| (y + 1e9, t + 1e9));
        assert_eq!(R2::of(pairs), 0.5);
    }

    #[test]
    #[should_panic = "r2: predictions for [2], targets of shape [2, 1]"]
    fn shapes_that_would_broadcast() {
        let (y, t) = (Variable::from([1.0, 2.0]), Variable::from([[1.0], [2.0]]));
        R2::new().update(&y, &t);
    }
}
