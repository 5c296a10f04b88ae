//! The confusion matrix, and the scores of classes that follow from it.

use super::{
    Metric, Tally,
    classification::{check_targets, predicted},
};
use crate::{Float, Tensor, Variable};

/// How often items of each class were taken for each class.
///
/// ```
/// use wengert::{prelude::*, train::metrics::{Average, ConfusionMatrix}};
///
/// let found = ConfusionMatrix::of(&tensor![0, 0, 1, 1, 1], &tensor![0, 1, 1, 1, 0]);
/// assert_eq!((found.count(0, 1), found.count(1, 1)), (1, 2)); // of class 0 taken for 1; of class 1 for 1
/// assert_eq!(found.recall(Average::Binary), 2.0 / 3.0);
/// ```
///
/// As a metric its value is the accuracy.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfusionMatrix {
    classes: usize,
    /// Row by row: the true class, then the one it was taken for.
    counts: Vec<f64>,
}

/// What becomes of the scores of several classes; as in scikit-learn, a quotient 0/0 counts as 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Average {
    /// The score of class 1.
    #[default]
    Binary,
    /// The mean over the classes that occur.
    Macro,
    /// The mean over the classes, each with the weight of its number of items.
    Weighted,
    /// The score of all classes' counts added up; the accuracy, where each item has one class.
    Micro,
}

impl ConfusionMatrix {
    /// Empty; it grows with the classes that it sees.
    pub fn new() -> Self {
        ConfusionMatrix::default()
    }

    /// Of true classes and those that were predicted, two tensors of the same shape.
    ///
    /// # Panics
    /// If the shapes differ, or a class is negative.
    #[track_caller]
    pub fn of(classes: &Tensor<i64>, predicted: &Tensor<i64>) -> Self {
        let mut matrix = ConfusionMatrix::new();
        matrix.add(classes, predicted);
        matrix
    }

    /// Counts more items.
    ///
    /// # Panics
    /// If the shapes differ, or a class is negative.
    #[track_caller]
    pub fn add(&mut self, classes: &Tensor<i64>, predicted: &Tensor<i64>) {
        check_targets("confusion matrix", predicted.shape(), classes.shape());
        let largest = classes.iter().chain(predicted.iter()).max().unwrap_or(-1);
        self.grow((largest + 1) as usize);
        for (class, found) in classes.iter().zip(predicted.iter()) {
            assert!(class >= 0 && found >= 0, "confusion matrix: the class {}", class.min(found));
            self.counts[class as usize * self.classes + found as usize] += 1.0;
        }
    }

    fn grow(&mut self, classes: usize) {
        if classes <= self.classes {
            return;
        }
        let mut counts = vec![0.0; classes * classes];
        for class in 0..self.classes {
            let row = &self.counts[class * self.classes..][..self.classes];
            counts[class * classes..][..self.classes].copy_from_slice(row);
        }
        *self = ConfusionMatrix { classes, counts };
    }

    /// How many classes it has seen: one more than the largest number.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many items of a class were taken for another (or for itself).
    pub fn count(&self, class: usize, predicted: usize) -> u64 {
        self.at(class, predicted) as u64
    }

    fn at(&self, class: usize, predicted: usize) -> f64 {
        if class.max(predicted) < self.classes { self.counts[class * self.classes + predicted] } else { 0.0 }
    }

    /// The share of items on the diagonal.
    pub fn accuracy(&self) -> f64 {
        let right: f64 = (0..self.classes).map(|class| self.at(class, class)).sum();
        right / self.counts.iter().sum::<f64>()
    }

    /// Of the items taken for a class, the share that is of it: tp/(tp + fp).
    pub fn precision(&self, average: Average) -> f64 {
        self.score(average, |[tp, fp, _]| ratio(tp, tp + fp))
    }

    /// Of the items of a class, the share taken for it: tp/(tp + fn).
    pub fn recall(&self, average: Average) -> f64 {
        self.score(average, |[tp, _, r#fn]| ratio(tp, tp + r#fn))
    }

    /// The harmonic mean of precision and recall: 2·tp/(2·tp + fp + fn).
    pub fn f1(&self, average: Average) -> f64 {
        self.score(average, |[tp, fp, r#fn]| ratio(2.0 * tp, 2.0 * tp + fp + r#fn))
    }

    /// True positives, false positives, false negatives of a class.
    fn outcomes(&self, class: usize) -> [f64; 3] {
        let others = || (0..self.classes).filter(|&other| other != class);
        let wrongly = others().map(|other| self.at(other, class)).sum();
        [self.at(class, class), wrongly, others().map(|other| self.at(class, other)).sum()]
    }

    fn score(&self, average: Average, score: impl Fn([f64; 3]) -> f64) -> f64 {
        let outcomes: Vec<[f64; 3]> = (0..self.classes).map(|class| self.outcomes(class)).collect();
        let occurs = || outcomes.iter().filter(|outcome| outcome.iter().sum::<f64>() > 0.0);
        match average {
            Average::Binary => score(self.outcomes(1)),
            Average::Macro => occurs().map(|&outcome| score(outcome)).sum::<f64>() / occurs().count() as f64,
            Average::Micro => {
                score(outcomes.iter().fold([0.0; 3], |sum, o| [sum[0] + o[0], sum[1] + o[1], sum[2] + o[2]]))
            }
            Average::Weighted => {
                let weight = |[tp, _, r#fn]: &[f64; 3]| tp + r#fn;
                let weighted = outcomes.iter().map(|outcome| weight(outcome) * score(*outcome)).sum::<f64>();
                weighted / outcomes.iter().map(weight).sum::<f64>()
            }
        }
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

impl Tally for ConfusionMatrix {
    fn name(&self) -> String {
        "accuracy".into()
    }
    fn value(&self) -> f64 {
        self.accuracy()
    }
    fn state(&self) -> Vec<f64> {
        self.counts.clone()
    }
    fn restore(&mut self, state: &[f64]) {
        *self = ConfusionMatrix { classes: state.len().isqrt(), counts: state.to_vec() };
    }
}

/// Scores \[N, C, …\] against class numbers \[N, …\].
impl<T: Float> Metric<Variable<T>, Tensor<i64>> for ConfusionMatrix {
    fn update(&mut self, scores: &Variable<T>, classes: &Tensor<i64>) {
        self.add(classes, &predicted(scores));
    }
}

/// Precision, recall or F1 as a metric.
///
/// ```
/// use wengert::{prelude::*, train::metrics::{Average, ClassScore, Metric, Tally}};
///
/// let mut f1 = ClassScore::f1(Average::Macro);
/// f1.update(&Variable::from([[1.0, 0.0], [0.0, 1.0]]), &tensor![0, 1]);
/// assert_eq!(f1.value(), 1.0);
/// ```
#[derive(Clone, Debug)]
pub struct ClassScore {
    name: &'static str,
    average: Average,
    score: fn(&ConfusionMatrix, Average) -> f64,
    matrix: ConfusionMatrix,
}

impl ClassScore {
    fn new(name: &'static str, average: Average, score: fn(&ConfusionMatrix, Average) -> f64) -> Self {
        ClassScore { name, average, score, matrix: ConfusionMatrix::new() }
    }

    /// See [`ConfusionMatrix::precision`].
    pub fn precision(average: Average) -> Self {
        ClassScore::new("precision", average, ConfusionMatrix::precision)
    }

    /// See [`ConfusionMatrix::recall`].
    pub fn recall(average: Average) -> Self {
        ClassScore::new("recall", average, ConfusionMatrix::recall)
    }

    /// See [`ConfusionMatrix::f1`].
    pub fn f1(average: Average) -> Self {
        ClassScore::new("f1", average, ConfusionMatrix::f1)
    }
}

impl Tally for ClassScore {
    fn name(&self) -> String {
        self.name.into()
    }
    fn value(&self) -> f64 {
        (self.score)(&self.matrix, self.average)
    }
    fn state(&self) -> Vec<f64> {
        self.matrix.state()
    }
    fn restore(&mut self, state: &[f64]) {
        self.matrix.restore(state);
    }
}

/// Scores \[N, C, …\] against class numbers \[N, …\].
impl<T: Float> Metric<Variable<T>, Tensor<i64>> for ClassScore {
    fn update(&mut self, scores: &Variable<T>, classes: &Tensor<i64>) {
        self.matrix.update(scores, classes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor;

    /// The example of scikit-learn's guide to `classification_report`: classes 0 0 1 2 2, found 0 0 2 2 1 … worked out
    /// by hand below.
    fn matrix() -> ConfusionMatrix {
        ConfusionMatrix::of(&tensor![0, 1, 2, 2, 2], &tensor![0, 0, 2, 2, 1])
    }

    #[test]
    fn scores_by_hand() {
        // Class 0: tp 1, fp 1, fn 0; class 1: tp 0, fp 1, fn 1; class 2: tp 2, fp 0, fn 1.
        let near = |x: f64, y: f64| assert!((x - y).abs() < 1e-15, "{x} {y}");
        let m = matrix();
        near(m.accuracy(), 0.6);
        near(m.precision(Average::Macro), (0.5 + 0.0 + 1.0) / 3.0);
        near(m.recall(Average::Macro), (1.0 + 0.0 + 2.0 / 3.0) / 3.0);
        near(m.f1(Average::Macro), (2.0 / 3.0 + 0.0 + 0.8) / 3.0);
        near(m.f1(Average::Weighted), (2.0 / 3.0 + 3.0 * 0.8) / 5.0);
        near(m.precision(Average::Micro), 0.6);
        near(m.f1(Average::Micro), 0.6);
        near(m.precision(Average::Binary), 0.0);
    }

    #[test]
    fn a_class_that_never_occurs_does_not_count() {
        let m = ConfusionMatrix::of(&tensor![0, 2], &tensor![0, 2]);
        assert_eq!((m.classes(), m.f1(Average::Macro)), (3, 1.0));
    }

    #[test]
    fn counting_goes_on_from_a_state() {
        let scores = Variable::from([[0.0, 1.0], [1.0, 0.0]]);
        let mut whole = ConfusionMatrix::new();
        whole.update(&scores, &tensor![1, 1]);
        let mut again = ConfusionMatrix::new();
        again.restore(&whole.state());
        assert_eq!(again, whole);
        let wider = Variable::from([[0.0, 0.0, 3.0]]);
        again.update(&wider, &Tensor::zeros([1]));
        assert_eq!((again.classes(), again.count(0, 2), again.count(1, 0)), (3, 1, 1));
    }

    #[test]
    #[should_panic = "the class -1"]
    fn negative_classes() {
        ConfusionMatrix::of(&tensor![0, -1], &tensor![0, 1]);
    }
}
