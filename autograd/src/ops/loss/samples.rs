//! Sample calls of the losses.

use super::*;
use crate::{ops::registry::samples, tensor::Tensor};

/// Class indices.
fn classes<const N: usize>(classes: [i64; N]) -> Tensor<i64> {
    Tensor::from_vec(classes.to_vec(), [N]).expect("N classes")
}

fn weights<T: Float>(count: usize) -> Tensor<T> {
    Tensor::from_fn([count], |i| T::from_f64(0.5 + 0.25 * i[0] as f64))
}

samples! {
    cross_entropy {
        "class indices" (x: normal([3, 4])) => super::cross_entropy(x, &classes([3, 0, 3]));
        "a class that is ignored" (x: normal([3, 4])) => {
            CrossEntropyLoss::new().ignore_index(1).reduction(Reduction::None).forward(x, &classes([3, 1, 0]))
        };
        "weights and smoothing" (x: normal([3, 4])) => {
            CrossEntropyLoss::new().weight(weights(4)).label_smoothing(0.2).forward(x, &classes([3, 1, 0]))
        };
        "smoothing, not reduced" (x: normal([2, 3, 2])) => CrossEntropyLoss::new()
            .label_smoothing(0.2)
            .reduction(Reduction::None)
            .forward(x, &classes([2, 1, 0, 0]).reshape([2, 2]));
        "one vector" (x: normal([4])) => super::cross_entropy(x, &Tensor::scalar(2));
        "probabilities" (x: normal([2, 3]), y: probabilities([2, 3])) => {
            CrossEntropyLoss::new().weight(weights(3)).label_smoothing(0.1).forward_probabilities(x, y)
        };
        "no such class" (x: normal([2, 3])) => super::cross_entropy(x, &classes([0, 3])), panics("row 1 is class 3, but there are 3");
        "shapes that differ" (x: normal([2, 3])) => super::cross_entropy(x, &classes([0])), panics("must have the shape [2], not [1]");
    }
    nll_loss {
        "class indices" (x: normal([3, 4])) => super::nll_loss(x, &classes([3, 0, 3]));
        "weights, not reduced" (x: normal([2, 3, 2])) => NllLoss::new()
            .weight(weights(3))
            .ignore_index(1)
            .reduction(Reduction::None)
            .forward(x, &classes([2, 1, 0, 0]).reshape([2, 2]));
        "one of a batch" (x: normal([1, 3])) => super::nll_loss(x, &classes([2]));
        "none, not reduced" (x: normal([0, 3])) => {
            NllLoss::new().reduction(Reduction::None).forward(x, &classes([]))
        };
        "no such class" (x: normal([2, 3])) => super::nll_loss(x, &classes([0, -1])), panics("row 1 is class -1");
    }
    mse_loss {
        "the mean" (x: normal([2, 3]), y: normal([2, 3])) => super::mse_loss(x, y);
        "not reduced" (x: normal([2, 3]), y: normal([2, 3])) => MseLoss::new().reduction(Reduction::None).forward(x, y);
        "shapes that differ" (x: normal([2, 1]), y: normal([2])) => super::mse_loss(x, y), panics("must be the same");
    }
    l1_loss {
        "the sum" (x: positive([2, 3]), y: uniform(-2.0, 0.2, [2, 3])) => {
            L1Loss::new().reduction(Reduction::Sum).forward(x, y)
        };
    }
    smooth_l1_loss {
        "both parts" (x: values([4], &[0.1, 0.3, 1.0, -2.0]), y: values([4], &[0.3, 0.0, 0.2, 1.0])) => {
            SmoothL1Loss::new().beta(0.5).forward(x, y)
        };
        "one" (x: values([1], &[0.1]), y: values([1], &[0.4])) => SmoothL1Loss::new().forward(x, y);
        "on the target" (x: values([2], &[0.5, -1.0]), y: values([2], &[0.5, -1.0])) => SmoothL1Loss::new().forward(x, y);
        "none, not reduced" (x: normal([0]), y: normal([0])) => {
            SmoothL1Loss::new().reduction(Reduction::None).forward(x, y)
        };
    }
    huber_loss {
        "on the target" (x: values([2], &[0.5, -1.0]), y: values([2], &[0.5, -1.0])) => HuberLoss::new().forward(x, y);
        "both parts" (x: values([4], &[0.1, 0.3, 1.0, -2.0]), y: values([4], &[0.3, 0.0, 0.2, 1.0])) => {
            HuberLoss::new().delta(0.5).forward(x, y)
        };
        "one" (x: values([1], &[0.1]), y: values([1], &[2.4])) => HuberLoss::new().forward(x, y);
        "none, not reduced" (x: normal([0]), y: normal([0])) => {
            HuberLoss::new().reduction(Reduction::None).forward(x, y)
        };
    }
    poisson_nll_loss {
        "a logarithm" (x: normal([4]), y: values([4], &[0.0, 1.0, 2.5, 3.0]).constant()) => {
            PoissonNllLoss::new().full(true).forward(x, y)
        };
        "a count" (x: positive([4]), y: positive([4])) => PoissonNllLoss::new().log_input(false).forward(x, y);
    }
    gaussian_nll_loss {
        "the mean" (x: normal([2, 3]), y: normal([2, 3]), var: positive([2, 1])) => super::gaussian_nll_loss(x, y, var);
        "full" (x: normal([3]), y: normal([3]), var: positive([3])) => {
            GaussianNllLoss::new().full(true).reduction(Reduction::None).forward(x, y, var)
        };
    }
    binary_cross_entropy {
        "the mean" (x: uniform(0.1, 0.9, [2, 3]), y: uniform(0.1, 0.9, [2, 3])) => super::binary_cross_entropy(x, y);
        "weighted" (x: uniform(0.1, 0.9, [2, 3]), y: uniform(0.1, 0.9, [2, 3]), w: positive([3])) => {
            BceLoss::new().weight(w.clone()).reduction(Reduction::None).forward(x, y)
        };
    }
    binary_cross_entropy_with_logits {
        "the mean" (x: normal([2, 3]), y: uniform(0.0, 1.0, [2, 3])) => super::binary_cross_entropy_with_logits(x, y);
        "weighted" (x: normal([2, 3]), y: uniform(0.0, 1.0, [2, 3]), w: positive([3]), p: positive([3])) => {
            BceWithLogitsLoss::new().weight(w.clone()).pos_weight(p.clone()).forward(x, y)
        };
    }
    kl_div {
        "probabilities" (x: normal([2, 3]), y: probabilities([2, 3])) => KlDivLoss::new().batchmean(true).forward(x, y);
        "logarithms" (x: normal([2, 3]), y: normal([2, 3])) => KlDivLoss::new().log_target(true).forward(x, y);
    }
    soft_margin_loss {
        "the mean" (x: normal([2, 3]), y: signs([2, 3]).constant()) => super::soft_margin_loss(x, y);
    }
    multi_margin_loss {
        "the mean" (x: distinct([2, 3])) => MultiMarginLoss::new().margin(0.05).forward(x, &classes([2, 0]));
        "squared" (x: distinct([2, 3])) => MultiMarginLoss::new().squared(true).margin(0.05).forward(x, &classes([2, 0]));
        "one of a batch" (x: distinct([1, 3])) => MultiMarginLoss::new().margin(10.0).forward(x, &classes([1]));
        "none, not reduced" (x: distinct([0, 3])) => {
            MultiMarginLoss::new().reduction(Reduction::None).forward(x, &classes([]))
        };
    }
    hinge_embedding_loss {
        "the mean" (x: away_from(1.0, [6]), y: signs([6]).constant()) => super::hinge_embedding_loss(x, y);
    }
    margin_ranking_loss {
        "the mean" (x: positive([4]), y: uniform(-2.0, 0.2, [4]), t: signs([4]).constant()) => super::margin_ranking_loss(x, y, t);
    }
    triplet_margin_loss {
        "within the margin" (a: normal([2, 3]), p: normal([2, 3]), n: normal([2, 3])) => {
            TripletMarginLoss::new().margin(20.0).forward(a, p, n)
        };
        "beyond it" (a: normal([2, 3]), p: normal([2, 3]), n: normal([2, 3])) => {
            TripletMarginLoss::new().margin(-20.0).forward(a, p, n)
        };
    }
    cosine_embedding_loss {
        "both signs" (x: normal([2, 3]), y: normal([2, 3]), t: values([2], &[1.0, -1.0]).constant()) => {
            CosineEmbeddingLoss::new().margin(-2.0).forward(x, y, t)
        };
    }
}
