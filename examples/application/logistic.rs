//! Logistic regression, the simple method for classes.

use wengert::{no_grad, optim::Lbfgs, prelude::*};

/// softmax(W·x + b), with the weights that are most likely given the data and a normal prior: what minimises
/// Σ cross entropy + ½‖W‖², as scikit-learn's `LogisticRegression` does by default. Found by L-BFGS, in f64.
pub(crate) struct LogisticRegression {
    layer: Linear<f64>,
}

impl LogisticRegression {
    /// From features \[rows, features\], on a common scale, and labels \[rows\].
    pub(crate) fn fit(features: &Tensor, labels: &Tensor<i64>, classes: usize) -> LogisticRegression {
        let layer = Linear::<f64>::typed(features.shape()[1], classes);
        layer.named_parameters().iter().for_each(|(_, p)| p.set(Tensor::zeros(p.shape())));
        let x = Variable::new(features.cast::<f64>());
        let penalty = 0.5 / labels.len() as f64;
        let mut lbfgs = Lbfgs::new(layer.named_parameters()).max_iter(500).max_eval(2000);
        lbfgs.step(|| cross_entropy(&layer.forward(&x), labels) + penalty * layer.weight.square().sum());
        LogisticRegression { layer }
    }

    /// The probability of each class, \[rows, classes\].
    pub(crate) fn probabilities(&self, features: &Tensor) -> Tensor {
        let x = Variable::new(features.cast::<f64>());
        no_grad(|| self.layer.forward(&x).softmax(-1)).value().cast()
    }
}
