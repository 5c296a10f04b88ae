//! Metrics of the order in which scores put the items.

use super::{Metric, Tally, classification::check_targets};
use crate::{Float, Tensor, Variable};

/// The area under the ROC curve: how likely a positive item has a higher score than a negative one, a tie counting half
/// (Mann and Whitney). It does not depend on a threshold, nor on how rare positives are. NaN without both kinds.
#[derive(Clone, Debug, Default)]
pub struct Auc {
    /// Score, then 1 for a positive and 0 for a negative item.
    pairs: Vec<f64>,
}

impl Auc {
    /// Of nothing yet.
    pub fn new() -> Self {
        Auc::default()
    }

    /// Of scores and whether each is that of a positive item.
    ///
    /// ```
    /// use wengert::train::metrics::Auc;
    /// assert_eq!(Auc::of([(0.1, false), (0.4, false), (0.35, true), (0.8, true)]), 0.75);
    /// ```
    pub fn of(scores: impl IntoIterator<Item = (f64, bool)>) -> f64 {
        let mut auc = Auc::new();
        scores.into_iter().for_each(|(score, positive)| auc.add(score, positive));
        auc.area()
    }

    fn add(&mut self, score: f64, positive: bool) {
        self.pairs.extend([score, f64::from(u8::from(positive))]);
    }

    fn area(&self) -> f64 {
        let points = roc_curve(self.scores());
        points.windows(2).map(|p| (p[1].0 - p[0].0) * (p[1].1 + p[0].1) / 2.0).sum::<f64>()
            + if points.is_empty() { f64::NAN } else { 0.0 }
    }

    fn scores(&self) -> impl Iterator<Item = (f64, bool)> {
        self.pairs.chunks_exact(2).map(|pair| (pair[0], pair[1] == 1.0))
    }
}

/// The points (false positive rate, true positive rate) for every threshold, from (0, 0) to (1, 1); none if there are not
/// both kinds of items, or a score is NaN.
pub fn roc_curve(scores: impl IntoIterator<Item = (f64, bool)>) -> Vec<(f64, f64)> {
    let mut scores: Vec<(f64, bool)> = scores.into_iter().collect();
    let positives = scores.iter().filter(|(_, positive)| *positive).count();
    let negatives = scores.len() - positives;
    if positives == 0 || negatives == 0 || scores.iter().any(|(score, _)| score.is_nan()) {
        return Vec::new();
    }
    scores.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut points = vec![(0.0, 0.0)];
    let (mut right, mut wrong) = (0, 0);
    for tie in scores.chunk_by(|a, b| a.0 == b.0) {
        right += tie.iter().filter(|(_, positive)| *positive).count();
        wrong += tie.iter().filter(|(_, positive)| !*positive).count();
        points.push((wrong as f64 / negatives as f64, right as f64 / positives as f64));
    }
    points
}

impl Tally for Auc {
    fn name(&self) -> String {
        "auc".into()
    }
    fn value(&self) -> f64 {
        self.area()
    }
    fn state(&self) -> Vec<f64> {
        self.pairs.clone()
    }
    fn restore(&mut self, state: &[f64]) {
        self.pairs = state.to_vec();
    }
}

/// One score an item against targets of the same shape, 0 or 1.
impl<T: Float> Metric<Variable<T>, Variable<T>> for Auc {
    fn update(&mut self, scores: &Variable<T>, targets: &Variable<T>) {
        check_targets("auc", &scores.shape(), &targets.shape());
        for (score, target) in scores.value().iter().zip(targets.value().iter()) {
            self.add(score.into_f64(), target.into_f64() >= 0.5);
        }
    }
}

/// Scores of two classes \[N, 2\] against class numbers \[N\]: the difference of the two scores is the score of class 1.
impl<T: Float> Metric<Variable<T>, Tensor<i64>> for Auc {
    fn update(&mut self, scores: &Variable<T>, classes: &Tensor<i64>) {
        assert!(
            scores.shape()[..] == [classes.len(), 2],
            "auc: scores {:?}, expected [{}, 2]",
            scores.shape(),
            classes.len()
        );
        for (row, class) in scores.value().to_vec().chunks_exact(2).zip(classes.iter()) {
            self.add(row[1].into_f64() - row[0].into_f64(), class == 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor;

    #[test]
    fn areas_by_counting_pairs() {
        let scores = [0.9, 0.8, 0.8, 0.3, 0.3, 0.3, 0.1];
        let positive = [true, true, false, true, false, false, false];
        let pairs = || scores.into_iter().zip(positive);
        let mut wins = 0.0;
        for (a, _) in pairs().filter(|pair| pair.1) {
            for (b, _) in pairs().filter(|pair| !pair.1) {
                wins += if a > b {
                    1.0
                } else if a == b {
                    0.5
                } else {
                    0.0
                };
            }
        }
        assert!((Auc::of(pairs()) - wins / 12.0).abs() < 1e-15);
        assert!((Auc::of(pairs().map(|(score, p)| (-score, p))) - (1.0 - wins / 12.0)).abs() < 1e-15);
        assert!(Auc::of([(1.0, true)]).is_nan());
        assert!(Auc::of([(f64::NAN, true), (0.0, false)]).is_nan());
    }

    #[test]
    fn both_forms_of_targets() {
        let mut one = Auc::new();
        one.update(&Variable::from([0.1, 0.4, 0.35, 0.8]), &Variable::from([0.0, 0.0, 1.0, 1.0]));
        assert_eq!(one.area(), 0.75);
        let mut two = Auc::new();
        two.update(&Variable::from([[0.0, 0.1], [0.0, 0.4]]), &tensor![0, 0]);
        two.update(&Variable::from([[0.0, 0.35], [-0.8, 0.0]]), &tensor![1, 1]);
        assert_eq!(two.area(), 0.75);
    }
}
