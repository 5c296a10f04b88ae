//! Metrics of class scores that are means over the items.

use super::{Mean, Metric, Tally, tally_of_mean};
use crate::{Float, Tensor, Variable, loss::CrossEntropyLoss, loss::Reduction, no_grad};

/// The classes with the highest scores: scores \[N, C\] give \[N\], \[N, C, …\] give \[N, …\], \[C\] gives \[\].
pub(super) fn predicted<T: Float>(scores: &Variable<T>) -> Tensor<i64> {
    scores.value().argmax(if scores.rank() > 2 { 1 } else { -1 }, false)
}

#[track_caller]
pub(super) fn check_targets(metric: &str, found: &[usize], targets: &[usize]) {
    assert!(found == targets, "{metric}: predictions for {found:?}, targets of shape {targets:?}");
}

/// The share of the items whose class has the highest score (or, of one score an item, lies on the right side of the
/// threshold).
#[derive(Clone, Debug, Default)]
pub struct Accuracy {
    threshold: f64,
    mean: Mean,
}

impl Accuracy {
    /// Of class scores; of single scores with the threshold 0, as logits have it.
    pub fn new() -> Self {
        Accuracy::default()
    }

    /// For single scores the one from which on an item counts as positive: 0.5 for probabilities.
    #[must_use]
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }
}

tally_of_mean!(Accuracy, |self| "accuracy");

/// Scores \[N, C, …\] against class numbers \[N, …\].
impl<T: Float> Metric<Variable<T>, Tensor<i64>> for Accuracy {
    fn update(&mut self, scores: &Variable<T>, classes: &Tensor<i64>) {
        let found = predicted(scores);
        check_targets("accuracy", found.shape(), classes.shape());
        let right = found.iter().zip(classes.iter()).filter(|(found, class)| found == class).count();
        self.mean.add(right as f64, classes.len() as f64);
    }
}

/// One score an item against targets of the same shape, 0 or 1.
impl<T: Float> Metric<Variable<T>, Variable<T>> for Accuracy {
    fn update(&mut self, scores: &Variable<T>, targets: &Variable<T>) {
        check_targets("accuracy", &scores.shape(), &targets.shape());
        let positive = |score: T| score.into_f64() >= self.threshold;
        let (scores, targets) = (scores.value(), targets.value());
        let pairs = scores.iter().zip(targets.iter());
        let right = pairs.filter(|&(score, target)| positive(score) == (target.into_f64() >= 0.5)).count();
        self.mean.add(right as f64, targets.len() as f64);
    }
}

/// The share of the items whose class is among the k with the highest scores.
#[derive(Clone, Debug)]
pub struct TopK {
    k: usize,
    mean: Mean,
}

impl TopK {
    /// Among the `k` highest.
    pub fn new(k: usize) -> Self {
        TopK { k, mean: Mean::default() }
    }
}

tally_of_mean!(TopK, |self| format!("top_{}_accuracy", self.k));

/// Scores \[N, C\] against class numbers \[N\].
impl<T: Float> Metric<Variable<T>, Tensor<i64>> for TopK {
    fn update(&mut self, scores: &Variable<T>, classes: &Tensor<i64>) {
        let k = self.k.min(scores.shape().last().copied().unwrap_or(0));
        let (_, best) = scores.value().topk(k, -1, true);
        check_targets("top-k accuracy", &best.shape()[..best.rank() - 1], classes.shape());
        let best = best.to_vec();
        let right = best.chunks_exact(k.max(1)).zip(classes.iter()).filter(|(best, c)| best.contains(c));
        self.mean.add(right.count() as f64, classes.len() as f64);
    }
}

/// exp of the mean cross entropy: among how many classes a model that knows as much would have to guess. Of language
/// models: a target with the number −100 does not count, as in [`CrossEntropyLoss`].
#[derive(Clone, Debug, Default)]
pub struct Perplexity {
    mean: Mean,
}

impl Perplexity {
    /// Of logits.
    pub fn new() -> Self {
        Perplexity::default()
    }
}

impl Tally for Perplexity {
    fn name(&self) -> String {
        "perplexity".into()
    }
    fn value(&self) -> f64 {
        self.mean.value().exp()
    }
    fn state(&self) -> Vec<f64> {
        self.mean.state()
    }
    fn restore(&mut self, state: &[f64]) {
        self.mean.restore(state);
    }
}

/// Logits \[N, C, …\] against class numbers \[N, …\].
impl<T: Float> Metric<Variable<T>, Tensor<i64>> for Perplexity {
    fn update(&mut self, logits: &Variable<T>, classes: &Tensor<i64>) {
        let loss = no_grad(|| CrossEntropyLoss::new().reduction(Reduction::Sum).forward(logits, classes));
        let count = classes.iter().filter(|&class| class != -100).count();
        self.mean.add(loss.item().into_f64(), count as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor;

    fn value<O, Y>(mut metric: impl Metric<O, Y>, batches: &[(O, Y)]) -> f64 {
        assert!(metric.value().is_nan());
        let (first, rest) = batches.split_first().unwrap();
        metric.update(&first.0, &first.1);
        let state = metric.state();
        metric.reset();
        assert!(metric.value().is_nan());
        metric.restore(&state);
        rest.iter().for_each(|(output, target)| metric.update(output, target));
        metric.value()
    }

    fn scores() -> [(Variable, Tensor<i64>); 2] {
        [
            (Variable::from([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]]), tensor![0, 2]),
            (Variable::from([[0.0, 1.0, 9.0]]), Tensor::zeros([1])),
        ]
    }

    #[test]
    fn shares_of_the_items() {
        assert_eq!(value(Accuracy::new(), &scores()), 1.0 / 3.0);
        assert_eq!(value(TopK::new(2), &scores()), 2.0 / 3.0);
        assert_eq!(value(TopK::new(7), &scores()), 1.0);
        let logits = Variable::from([-1.0, 0.5, 0.0]);
        let targets = Variable::from([0.0, 1.0, 0.0]);
        assert_eq!(value(Accuracy::new(), &[(logits.clone(), targets.clone())]), 2.0 / 3.0);
        assert_eq!(value(Accuracy::new().threshold(0.2), &[(logits, targets)]), 1.0);
    }

    #[test]
    fn a_class_axis_in_the_middle() {
        let scores = Variable::from([[[0.0, 1.0], [1.0, 0.0]]]); // [1, 2 classes, 2 places]
        assert_eq!(value(Accuracy::new(), &[(scores, tensor![[1, 1]])]), 0.5);
    }

    #[test]
    fn perplexity_is_the_size_of_a_fair_die() {
        let batches = [
            (Variable::<f64>::from(Tensor::zeros([2, 6])), tensor![3, 0]),
            (Variable::from(Tensor::zeros([2, 6])), tensor![5, -100]),
        ];
        assert!((value(Perplexity::new(), &batches) - 6.0).abs() < 1e-12);
    }

    #[test]
    #[should_panic = "accuracy: predictions for [2], targets of shape [3]"]
    fn counts_that_differ() {
        Accuracy::new().update(&Variable::from([[1.0, 2.0], [2.0, 1.0]]), &tensor![0, 1, 1]);
    }
}
