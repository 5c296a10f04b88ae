//! The operations of the group `loss`.

use super::{Case, Output};
use wengert_autograd::{
    Float,
    loss::{
        BceLoss, BceWithLogitsLoss, CosineEmbeddingLoss, CrossEntropyLoss, GaussianNllLoss,
        HingeEmbeddingLoss, HuberLoss, KlDivLoss, L1Loss, MarginRankingLoss, MseLoss, MultiMarginLoss,
        NllLoss, PoissonNllLoss, Reduction, SmoothL1Loss, SoftMarginLoss, TripletMarginLoss,
    },
};

pub fn apply<T: Float>(op: &str, case: &Case<T>) -> Option<Vec<Output<T>>> {
    let x = || case.x();
    let target = || case.var("target");
    let number = |name: &str, default: f64| case.number(name, default);
    let ignored = case.maybe_axis("ignore_index").unwrap_or(-100) as i64;
    let reduction = match case.text("reduction", "mean") {
        "none" => Reduction::None,
        "sum" => Reduction::Sum,
        _ => Reduction::Mean,
    };
    Some(vec![Output::Float(match op {
        "cross_entropy" => {
            let mut loss = CrossEntropyLoss::new().ignore_index(ignored).reduction(reduction);
            loss = loss.label_smoothing(number("label_smoothing", 0.0));
            if let Some(weight) = case.maybe("weight") {
                loss = loss.weight(weight.value());
            }
            match case.maybe_index("target") {
                Some(classes) => loss.forward(x(), classes),
                None => loss.forward_probabilities(x(), target()),
            }
        }
        "nll_loss" => {
            let mut loss = NllLoss::new().ignore_index(ignored).reduction(reduction);
            if let Some(weight) = case.maybe("weight") {
                loss = loss.weight(weight.value());
            }
            loss.forward(x(), case.index("target"))
        }
        "mse_loss" => MseLoss::new().reduction(reduction).forward(x(), target()),
        "l1_loss" => L1Loss::new().reduction(reduction).forward(x(), target()),
        "soft_margin_loss" => SoftMarginLoss::new().reduction(reduction).forward(x(), target()),
        "smooth_l1_loss" => {
            SmoothL1Loss::new().beta(number("beta", 1.0)).reduction(reduction).forward(x(), target())
        }
        "huber_loss" => {
            HuberLoss::new().delta(number("delta", 1.0)).reduction(reduction).forward(x(), target())
        }
        "binary_cross_entropy" => {
            let mut loss = BceLoss::new().reduction(reduction);
            if let Some(weight) = case.maybe("weight") {
                loss = loss.weight(weight.clone());
            }
            loss.forward(x(), target())
        }
        "binary_cross_entropy_with_logits" => {
            let mut loss = BceWithLogitsLoss::new().reduction(reduction);
            if let Some(weight) = case.maybe("weight") {
                loss = loss.weight(weight.clone());
            }
            if let Some(weight) = case.maybe("pos_weight") {
                loss = loss.pos_weight(weight.clone());
            }
            loss.forward(x(), target())
        }
        "kl_div" => KlDivLoss::new()
            .reduction(reduction)
            .batchmean(case.text("reduction", "mean") == "batchmean")
            .log_target(case.flag("log_target", false))
            .forward(x(), target()),
        "hinge_embedding_loss" => HingeEmbeddingLoss::new()
            .margin(number("margin", 1.0))
            .reduction(reduction)
            .forward(x(), target()),
        "margin_ranking_loss" => MarginRankingLoss::new()
            .margin(number("margin", 0.0))
            .reduction(reduction)
            .forward(x(), case.var("y"), target()),
        "multi_margin_loss" => MultiMarginLoss::new()
            .squared(case.count("p", 1) == 2)
            .margin(number("margin", 1.0))
            .reduction(reduction)
            .forward(x(), case.index("target")),
        "triplet_margin_loss" => TripletMarginLoss::new()
            .margin(number("margin", 1.0))
            .p(number("p", 2.0))
            .eps(number("eps", 1e-6))
            .reduction(reduction)
            .forward(case.var("anchor"), case.var("positive"), case.var("negative")),
        "cosine_embedding_loss" => CosineEmbeddingLoss::new()
            .margin(number("margin", 0.0))
            .reduction(reduction)
            .forward(x(), case.var("y"), target()),
        "poisson_nll_loss" => PoissonNllLoss::new()
            .log_input(case.flag("log_input", true))
            .full(case.flag("full", false))
            .eps(number("eps", 1e-8))
            .reduction(reduction)
            .forward(x(), target()),
        "gaussian_nll_loss" => GaussianNllLoss::new()
            .full(case.flag("full", false))
            .eps(number("eps", 1e-6))
            .reduction(reduction)
            .forward(x(), target(), case.var("var")),
        _ => return None,
    })])
}
