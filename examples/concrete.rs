//! How strong concrete becomes, from what it is mixed of and its age: a network beside ridge regression.
//!
//! `cargo run --release --example concrete -- --out target/pictures`
//!
//! Many rows are one mixture at several ages. The folds keep each mixture together: a test on a mixture that was learned
//! from would be a test of memory.

mod application;

use application::{Options, Outcome, at_least, rows, table::Table, who_won};
use std::process::ExitCode;
use wengert::{
    datasets::{TensorDataset, bundled, split, transform::Standardizer},
    loss::mse_loss,
    optim::schedule::CosineAnnealingLr,
    plot::Chart,
    prelude::*,
    train::{Trainer, metrics::R2},
};

/// Ridge regression: the w that minimises ‖X·w − y‖² + ‖w‖², from its equation (XᵀX + 1)·w = Xᵀy; columns and target are
/// centred.
fn ridge(x: &Tensor, y: &Tensor, test: &Tensor) -> Vec<f64> {
    no_grad(|| {
        let (x, y) = (Variable::new(x.cast::<f64>()), Variable::new(y.cast::<f64>()));
        let mut normal = x.t().matmul(&x).value();
        for column in 0..normal.shape()[0] {
            let diagonal = normal.get(&[column, column]).expect("a square matrix") + 1.0;
            normal.set(&[column, column], diagonal);
        }
        let w = Variable::new(normal).solve(&x.t().matmul(&y));
        Variable::new(test.cast::<f64>()).matmul(&w).value().to_vec()
    })
}

fn network(options: &Options, fold: usize, x: &Tensor, y: &Tensor, test: &Tensor) -> Outcome<Vec<f64>> {
    let (members, epochs) = if options.quick { (1, 60) } else { (3, 150) };
    let mut mean = vec![0.0; test.shape()[0]];
    for member in 0..members {
        manual_seed(options.seed + member);
        let net = Sequential::new((Linear::new(8, 64), SiLU, Linear::new(64, 64), SiLU, Linear::new(64, 1)));
        let loader = TensorDataset::new((x.clone(), y.clone())).loader().batch_size(32).shuffle(member);
        let adam = AdamW::new(net.named_parameters()).lr(5e-3).weight_decay(0.02);
        let trainer = Trainer::new(&net, Layer::forward, mse_loss, adam)
            .epochs(epochs)
            .schedule_by_epoch(CosineAnnealingLr::new(epochs));
        options.fit(&format!("fold-{fold}-{member}"), trainer, &loader)?;
        let found = no_grad(|| net.forward(&Variable::new(test.clone()))).value();
        mean.iter_mut().zip(found.iter()).for_each(|(mean, y)| *mean += f64::from(y) / members as f64);
    }
    Ok(mean)
}

fn concrete(options: &Options) -> Outcome {
    let data = bundled::concrete()?;
    let mixtures = bundled::concrete_mixtures(&data);
    let kinds = mixtures.iter().max().map_or(0, |last| last + 1);
    println!("{} specimens of {kinds} mixtures; {}", mixtures.len(), data.feature_names.join(", "));
    // Strength grows with the logarithm of the age. The network is told; so is a second ridge regression, to see what a
    // linear method gains by the right column.
    let age = data.features.shape()[1] - 1;
    let (plain, mut features) = (data.features.clone(), data.features.clone());
    let columns = features.shape()[1];
    features.make_mut().iter_mut().skip(age).step_by(columns).for_each(|days| *days = days.ln_1p());
    let targets = data.targets.reshape([data.targets.len(), 1]);

    let folds = split::group_k_fold(&mixtures, if options.quick { 3 } else { 5 }, options.seed);
    let mut table = Table::new(["fold", "held out", "R² ridge", "R² ridge, log age", "R² network"]);
    let (mut linear, mut told, mut net) = (Vec::new(), Vec::new(), Vec::new());
    for (fold, split) in folds.into_iter().enumerate() {
        let out_scale = Standardizer::fit(&rows(&targets, &split.train));
        let y = out_scale.apply(&rows(&targets, &split.train));
        let truth = rows(&targets, &split.test);
        let scaled = |of: &Tensor| {
            let scale = Standardizer::fit(&rows(of, &split.train));
            (scale.apply(&rows(of, &split.train)), scale.apply(&rows(of, &split.test)))
        };
        // Megapascals again.
        let pairs = |found: Vec<f64>| -> Vec<(f64, f64)> {
            let found = found.into_iter().map(|y| y * out_scale.deviation[0] + out_scale.mean[0]);
            found.zip(truth.iter().map(f64::from)).collect()
        };
        let ((plain_x, plain_test), (x, test)) = (scaled(&plain), scaled(&features));
        let of_ridge = pairs(ridge(&plain_x, &y, &plain_test));
        let of_told = pairs(ridge(&x, &y, &test));
        let of_net = pairs(network(options, fold, &x, &y, &test)?);
        let r2 = |pairs: &[(f64, f64)]| format!("{:.4}", R2::of(pairs.iter().copied()));
        let counts = [(fold + 1).to_string(), truth.len().to_string()];
        table.row(counts.into_iter().chain([r2(&of_ridge), r2(&of_told), r2(&of_net)]));
        linear.extend(of_ridge);
        told.extend(of_told);
        net.extend(of_net);
    }
    table.print();

    let error =
        |pairs: &[(f64, f64)]| pairs.iter().map(|(y, t)| (y - t).abs()).sum::<f64>() / pairs.len() as f64;
    let r2 = |pairs: &[(f64, f64)]| R2::of(pairs.iter().copied());
    let mut table = Table::new(["all held-out specimens", "R²", "mean error in MPa"]);
    table.numbers("ridge regression", [r2(&linear), error(&linear)]);
    table.numbers("ridge regression with the logarithm of the age", [r2(&told), error(&told)]);
    table.numbers("network", [r2(&net), error(&net)]);
    table.print();
    let swapped = |pairs: &[(f64, f64)]| pairs.iter().map(|&(y, t)| (t, y)).collect::<Vec<_>>();
    Chart::new("Compressive strength of mixtures that were held out")
        .x("measured (MPa)")
        .y("predicted (MPa)")
        .reference("as measured", [(0.0, 0.0), (85.0, 85.0)])
        .points(format!("ridge regression, R² {:.3}", r2(&linear)), swapped(&linear))
        .points(format!("network, R² {:.3}", r2(&net)), swapped(&net))
        .save(options.picture("concrete.svg"))?;
    who_won("ridge regression (R²)", r2(&net) - r2(&linear));
    who_won("ridge regression with the logarithm of the age (R²)", r2(&net) - r2(&told));
    let margin = if options.quick { 0.1 } else { 0.15 };
    at_least("R² of the network", r2(&net), r2(&linear) + margin)
}

fn main() -> ExitCode {
    application::run(&[], concrete)
}
