//! Cases of the kind `scheduler`.

use super::{Manifest, Outcome, pack::number};
use serde_json::Value;
use wengert_autograd::{NamedParameters, Tensor, Variable};
use wengert_optim::{Optimizer, Sgd, schedule::*};

pub fn run(manifest: &Manifest) -> Outcome {
    let case = &manifest.json;
    let (name, hyper) = (manifest.text("scheduler"), &case["hyper"]);
    let base = manifest.number("base_lr").unwrap_or(1.0);
    let got = if name == "reduce_lr_on_plateau" {
        (plateau(hyper, base, &numbers(&case["metrics"])), Vec::new())
    } else {
        let schedule = schedule(name, hyper)?;
        let steps = 0..manifest.number("steps").unwrap_or(0.0) as u64;
        let momentum = steps.clone().filter_map(|step| schedule.momentum(step)).collect();
        (steps.map(|step| schedule.lr(base, step)).collect(), momentum)
    };
    let check = || {
        agree("lr", &got.0, &numbers(&case["expected_lr"]), manifest)?;
        match &case["expected_momentum"] {
            Value::Null => Ok(()),
            expected => agree("momentum", &got.1, &numbers(expected), manifest),
        }
    };
    Some(check())
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().map(Vec::as_slice).unwrap_or_default().iter().filter_map(number).collect()
}

fn agree(what: &str, got: &[f64], want: &[f64], manifest: &Manifest) -> Result<(), String> {
    let (rtol, atol) = manifest.tolerances();
    if got.len() != want.len() {
        return Err(format!("{what}: {} values, expected {}", got.len(), want.len()));
    }
    for (step, (got, want)) in got.iter().zip(want).enumerate() {
        if got.is_nan() || (got - want).abs() > atol + rtol * want.abs() {
            return Err(format!("{what} of step {step}: {got:e}, expected {want:e}"));
        }
    }
    Ok(())
}

fn schedule(name: &str, hyper: &Value) -> Option<Box<dyn Schedule + Send + Sync>> {
    let float = |name: &str, default: f64| number(&hyper[name]).unwrap_or(default);
    let count = |name: &str, default: u64| hyper[name].as_u64().unwrap_or(default);
    let text = |name: &str| hyper[name].as_str().unwrap_or("");
    Some(match name {
        "step_lr" => Box::new(StepLr::new(count("step_size", 1), float("gamma", 0.1))),
        "multi_step_lr" => {
            let milestones: Vec<u64> = numbers(&hyper["milestones"]).iter().map(|&m| m as u64).collect();
            Box::new(MultiStepLr::new(&milestones, float("gamma", 0.1)))
        }
        "exponential_lr" => Box::new(ExponentialLr::new(float("gamma", 1.0))),
        "constant_lr" => Box::new(ConstantLr::new(float("factor", 1.0 / 3.0), count("total_iters", 5))),
        "linear_lr" => {
            let (start, end) = (float("start_factor", 1.0 / 3.0), float("end_factor", 1.0));
            Box::new(LinearLr::new(start, end, count("total_iters", 5)))
        }
        "polynomial_lr" => Box::new(PolynomialLr::new(count("total_iters", 5), float("power", 1.0))),
        "cosine_annealing_lr" => {
            Box::new(CosineAnnealingLr::new(count("T_max", 1)).min(float("eta_min", 0.0)))
        }
        "cosine_annealing_warm_restarts" => {
            let restarts = CosineAnnealingWarmRestarts::new(count("T_0", 1), count("T_mult", 1));
            Box::new(restarts.min(float("eta_min", 0.0)))
        }
        "one_cycle_lr" => {
            let mut one = OneCycleLr::new(float("max_lr", 1.0), count("total_steps", 1));
            one.pct_start = float("pct_start", one.pct_start);
            one.div_factor = float("div_factor", one.div_factor);
            one.final_div_factor = float("final_div_factor", one.final_div_factor);
            one.three_phase = hyper["three_phase"].as_bool().unwrap_or(false);
            one.momentum = (hyper["cycle_momentum"].as_bool() != Some(false))
                .then(|| (float("base_momentum", 0.85), float("max_momentum", 0.95)));
            if text("anneal_strategy") == "linear" {
                one.anneal = Anneal::Linear;
            }
            Box::new(one)
        }
        "cyclic_lr" => {
            let mut cyclic =
                CyclicLr::new(float("base_lr", 0.0), float("max_lr", 1.0), count("step_size_up", 2000));
            cyclic.down = count("step_size_down", cyclic.up);
            cyclic.mode = match text("mode") {
                "triangular2" => CycleMode::Triangular2,
                "exp_range" => CycleMode::ExpRange(float("gamma", 1.0)),
                _ => CycleMode::Triangular,
            };
            Box::new(cyclic)
        }
        "warmup_constant" => Box::new(WarmupConstant::new(count("warmup", 1))),
        "warmup_cosine" => Box::new(WarmupCosine::new(count("warmup", 1), count("total", 2))),
        "warmup_linear" => Box::new(WarmupLinear::new(count("warmup", 1), count("total", 2))),
        "noam" => Box::new(Noam::new(count("d_model", 1), count("warmup", 1))),
        "sequential_lr" => {
            let part = |k: usize| {
                let part = &hyper["schedulers"][k];
                schedule(part["scheduler"].as_str().unwrap_or(""), &part["hyper"])
            };
            let milestone = hyper["milestones"][0].as_u64()?;
            Box::new(SequentialLr::new(part(0)?).then(milestone, part(1)?))
        }
        _ => return None,
    })
}

fn plateau(hyper: &Value, base: f64, metrics: &[f64]) -> Vec<f64> {
    let float = |name: &str, default: f64| number(&hyper[name]).unwrap_or(default);
    let count = |name: &str, default: u64| hyper[name].as_u64().unwrap_or(default);
    let mut plateau = ReduceLrOnPlateau::default();
    plateau.factor = float("factor", plateau.factor);
    plateau.patience = count("patience", plateau.patience);
    plateau.cooldown = count("cooldown", plateau.cooldown);
    plateau.min_lr = float("min_lr", plateau.min_lr);
    plateau.eps = float("eps", plateau.eps);
    if hyper["mode"].as_str() == Some("max") {
        plateau.mode = PlateauMode::Max;
    }
    let threshold = float("threshold", 1e-4);
    plateau.threshold = match hyper["threshold_mode"].as_str() {
        Some("abs") => Threshold::Absolute(threshold),
        _ => Threshold::Relative(threshold),
    };
    let parameter = Variable::parameter(Tensor::<f64>::ones([1]));
    let mut sgd = Sgd::new(NamedParameters::from_iter([("w", parameter)])).lr(base);
    let mut rates = vec![base];
    for &metric in metrics {
        plateau.step(metric, &mut sgd);
        rates.push(sgd.learning_rate(0));
    }
    rates
}
