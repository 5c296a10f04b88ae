//! Features on a common scale.

use serde::{Deserialize, Serialize};
use wengert_autograd::tensor::Tensor;

/// x ↦ (x - mean) / deviation, column by column: mean 0 and (population) deviation 1 on the data it was fitted to. A
/// constant column is only shifted; missing values (NaN) are left out of both and stay missing.
///
/// It is a part of the model that was trained on the scaled data. It goes into the file of the weights as the layer
/// `Normalization` of `wengert-nn`, whose buffers are `mean` and `deviation`, or beside them: it is `Serialize`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standardizer {
    /// The mean of each column.
    pub mean: Vec<f64>,
    /// The standard deviation of each column, 1 for a constant one.
    pub deviation: Vec<f64>,
}

/// x ↦ (x - low) / (high - low), column by column: from 0 to 1 on the data it was fitted to. A constant column becomes 0;
/// missing values (NaN) are left out and stay missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MinMax {
    /// The smallest value of each column.
    pub low: Vec<f64>,
    /// The largest value of each column.
    pub high: Vec<f64>,
}

/// The values of a column that are not missing.
fn column(rows: &[f32], width: usize, index: usize) -> impl Iterator<Item = f64> + Clone {
    rows.iter().skip(index).step_by(width).map(|&x| f64::from(x)).filter(|x| !x.is_nan())
}

#[track_caller]
fn matrix(operation: &str, features: &Tensor<f32>, expected: Option<usize>) -> usize {
    let shape = features.shape();
    match (shape, expected) {
        (&[_, width], None) => width,
        (&[_, width], Some(columns)) if width == columns => width,
        (_, None) => panic!("{operation}: expected [rows, columns], got {shape:?}"),
        (_, Some(columns)) => panic!("{operation}: expected [rows, {columns}], got {shape:?}"),
    }
}

/// Each element passed through a function that is also given its column.
fn by_column(features: &Tensor<f32>, width: usize, function: impl Fn(f64, usize) -> f64) -> Tensor<f32> {
    let mut at = 0;
    features.map(|x| {
        let y = function(f64::from(x), at);
        at = (at + 1) % width;
        y as f32
    })
}

impl Standardizer {
    /// The means and deviations of the columns of \[rows, columns\].
    ///
    /// # Panics
    /// If the tensor has not two axes.
    #[track_caller]
    pub fn fit(features: &Tensor<f32>) -> Standardizer {
        let width = matrix("Standardizer::fit", features, None);
        let rows = features.to_vec();
        let (mut mean, mut deviation) = (Vec::with_capacity(width), Vec::with_capacity(width));
        for index in 0..width {
            let values = column(&rows, width, index);
            let count = values.clone().count().max(1) as f64;
            let centre = values.clone().sum::<f64>() / count;
            let spread = (values.map(|x| (x - centre).powi(2)).sum::<f64>() / count).sqrt();
            mean.push(centre);
            // Rounding may give a constant column a tiny spread; dividing by it would only magnify the rounding.
            deviation.push(if spread > 1e-9 * centre.abs() { spread } else { 1.0 });
        }
        Standardizer { mean, deviation }
    }

    /// The features on the new scale.
    ///
    /// # Panics
    /// If the tensor is not of shape \[rows, columns\] with as many columns as were fitted.
    #[track_caller]
    pub fn apply(&self, features: &Tensor<f32>) -> Tensor<f32> {
        let width = matrix("Standardizer::apply", features, Some(self.mean.len()));
        by_column(features, width, |x, j| (x - self.mean[j]) / self.deviation[j])
    }

    /// The features on their own scale again.
    ///
    /// # Panics
    /// If the tensor is not of shape \[rows, columns\] with as many columns as were fitted.
    #[track_caller]
    pub fn invert(&self, features: &Tensor<f32>) -> Tensor<f32> {
        let width = matrix("Standardizer::invert", features, Some(self.mean.len()));
        by_column(features, width, |x, j| x * self.deviation[j] + self.mean[j])
    }
}

impl MinMax {
    /// The smallest and largest values of the columns of \[rows, columns\].
    ///
    /// # Panics
    /// If the tensor has not two axes.
    #[track_caller]
    pub fn fit(features: &Tensor<f32>) -> MinMax {
        let width = matrix("MinMax::fit", features, None);
        let rows = features.to_vec();
        // A column without values has no range; as a constant 0 it serves as well as any.
        let range = |index| {
            let values = column(&rows, width, index);
            let low = values.clone().reduce(f64::min).unwrap_or(0.0);
            (low, values.reduce(f64::max).unwrap_or(0.0))
        };
        let (low, high) = (0..width).map(range).unzip();
        MinMax { low, high }
    }

    fn span(&self, column: usize) -> f64 {
        let span = self.high[column] - self.low[column];
        if span > 0.0 { span } else { 1.0 }
    }

    /// The features on the new scale.
    ///
    /// # Panics
    /// If the tensor is not of shape \[rows, columns\] with as many columns as were fitted.
    #[track_caller]
    pub fn apply(&self, features: &Tensor<f32>) -> Tensor<f32> {
        let width = matrix("MinMax::apply", features, Some(self.low.len()));
        by_column(features, width, |x, j| (x - self.low[j]) / self.span(j))
    }

    /// The features on their own scale again.
    ///
    /// # Panics
    /// If the tensor is not of shape \[rows, columns\] with as many columns as were fitted.
    #[track_caller]
    pub fn invert(&self, features: &Tensor<f32>) -> Tensor<f32> {
        let width = matrix("MinMax::invert", features, Some(self.low.len()));
        by_column(features, width, |x, j| x * self.span(j) + self.low[j])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features() -> Tensor<f32> {
        let values = vec![1.0, 5.0, 0.1, 2.0, 5.0, f32::NAN, 6.0, 5.0, 0.3];
        Tensor::from_vec(values, [3, 3]).expect("3 · 3")
    }

    #[track_caller]
    fn close(a: &Tensor<f32>, b: &[f32]) {
        let same = |(x, &y): (f32, &f32)| (x - y).abs() < 1e-6 || x.is_nan() && y.is_nan();
        assert!(a.len() == b.len() && a.iter().zip(b).all(same), "{a:?} against {b:?}");
    }

    #[test]
    fn standardizing() {
        let scale = Standardizer::fit(&features());
        assert_eq!((scale.mean[0], scale.deviation[1]), (3.0, 1.0));
        let deviation = (14.0f64 / 3.0).sqrt() as f32;
        let nan = f32::NAN;
        let expected = [-2.0 / deviation, 0.0, -1.0, -1.0 / deviation, 0.0, nan, 3.0 / deviation, 0.0, 1.0];
        close(&scale.apply(&features()), &expected);
        close(&scale.invert(&scale.apply(&features())), &features().to_vec());
        let json = serde_json::to_string(&scale).expect("numbers");
        assert_eq!(serde_json::from_str::<Standardizer>(&json).expect("numbers"), scale);
    }

    #[test]
    fn ranges() {
        let scale = MinMax::fit(&features());
        close(&scale.apply(&features()), &[0.0, 0.0, 0.0, 0.2, 0.0, f32::NAN, 1.0, 0.0, 1.0]);
        close(&scale.invert(&scale.apply(&features())), &features().to_vec());
    }

    #[test]
    #[should_panic = "Standardizer::apply: expected [rows, 3], got [3, 2]"]
    fn other_columns_than_fitted() {
        Standardizer::fit(&features()).apply(&Tensor::zeros([3, 2]));
    }
}
