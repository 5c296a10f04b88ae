//! Cases of the kinds `optimizer` and `minimize`.

use super::{Manifest, Outcome, Output, Stored, compare, pack::number};
use serde_json::Value;
use wengert_autograd::{Float, NamedParameters, Variable};
use wengert_optim::*;

pub fn run(manifest: &Manifest) -> Outcome {
    let first = manifest.names("params");
    match manifest.tensor(&first[0]) {
        Ok(Stored::F32(_)) => run_as::<f32>(manifest),
        Ok(_) => run_as::<f64>(manifest),
        Err(error) => Some(Err(error)),
    }
}

fn run_as<T: Float>(manifest: &Manifest) -> Outcome {
    let mut parameters = NamedParameters::<T>::new();
    for name in manifest.names("params") {
        match manifest.float(&name) {
            Ok(value) => parameters.push(name, Variable::parameter(value)),
            Err(error) => return Some(Err(error)),
        }
    }
    let optimizer = optimizer(manifest.text("optimizer"), parameters.clone(), &manifest.json)?;
    Some(follow(manifest, &parameters, optimizer))
}

fn follow<T: Float>(
    manifest: &Manifest,
    parameters: &NamedParameters<T>,
    mut optimizer: Box<dyn Optimizer<T>>,
) -> Result<(), String> {
    let (gradients, expected) = (manifest.names("grads"), manifest.names("expected"));
    for step in 0..manifest.number("steps").unwrap_or(0.0) as isize {
        for ((_, parameter), gradient) in parameters.iter().zip(&gradients) {
            parameter.set_grad(Some(manifest.float::<T>(gradient)?.select(0, step)));
        }
        optimizer.step();
        for ((name, parameter), expected) in parameters.iter().zip(&expected) {
            let wanted = match manifest.tensor(expected)? {
                Stored::F64(all) => Stored::F64(all.select(0, step)),
                Stored::F32(all) => Stored::F32(all.select(0, step)),
                _ => return Err(format!("{expected} is not of floating point")),
            };
            let what = format!("{name} after step {}", step + 1);
            compare(&what, &Output::from(parameter.clone()), &wanted, manifest.tolerances())?;
        }
    }
    Ok(())
}

/// A setting from its JSON form.
trait Setting: Sized {
    fn read(value: &Value) -> Option<Self>;
}
impl Setting for f64 {
    fn read(value: &Value) -> Option<Self> {
        number(value)
    }
}
impl Setting for bool {
    fn read(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}
impl Setting for (f64, f64) {
    fn read(value: &Value) -> Option<Self> {
        Some((number(&value[0])?, number(&value[1])?))
    }
}

/// The optimiser of a case, with its groups.
pub fn optimizer<T: Float>(
    name: &str,
    parameters: NamedParameters<T>,
    case: &Value,
) -> Option<Box<dyn Optimizer<T>>> {
    macro_rules! make {
        ($optimizer:ident: $($setting:ident)*) => {{
            let mut made = $optimizer::<T>::new(parameters.clone()).configure(|rule| {
                $(if let Some(value) = Setting::read(&case["hyper"][stringify!($setting)]) {
                    rule.$setting = value;
                })*
            });
            let groups = case["param_groups"].as_array().map(Vec::as_slice).unwrap_or_default();
            for group in groups.iter().skip(1) {
                let members = group["params"].as_array().expect("a list of numbers");
                let names: Vec<&str> = parameters.names().collect();
                let members: Vec<&str> =
                    members.iter().map(|k| names[k.as_u64().expect("a number") as usize]).collect();
                made = made.group(|name| members.contains(&name), |rule| {
                    $(if let Some(value) = Setting::read(&group[stringify!($setting)]) {
                        rule.$setting = value;
                    })*
                });
            }
            // What the first group overrides, after the others have taken their settings from it.
            if let Some(first) = groups.first() {
                let mut at = 0;
                made = made.configure(|rule| {
                    if at == 0 {
                        $(if let Some(value) = Setting::read(&first[stringify!($setting)]) {
                            rule.$setting = value;
                        })*
                    }
                    at += 1;
                });
            }
            Box::new(made) as Box<dyn Optimizer<T>>
        }};
    }
    Some(match name {
        "sgd" => make!(Sgd: lr momentum dampening weight_decay nesterov maximize),
        "adam" => make!(Adam: lr betas eps weight_decay amsgrad maximize),
        "adamw" => make!(AdamW: lr betas eps weight_decay amsgrad maximize),
        "nadam" => make!(NAdam: lr betas eps weight_decay momentum_decay decoupled_weight_decay maximize),
        "radam" => make!(RAdam: lr betas eps weight_decay decoupled_weight_decay maximize),
        "rmsprop" => make!(RmsProp: lr alpha eps weight_decay momentum centered maximize),
        "adagrad" => make!(Adagrad: lr lr_decay weight_decay initial_accumulator_value eps maximize),
        "adadelta" => make!(Adadelta: lr rho eps weight_decay maximize),
        "adamax" => make!(Adamax: lr betas eps weight_decay maximize),
        "rprop" => make!(Rprop: lr etas step_sizes maximize),
        _ => return None,
    })
}

pub fn minimize(manifest: &Manifest) -> Outcome {
    Some(minimum(manifest))
}

fn minimum(manifest: &Manifest) -> Result<(), String> {
    let hyper = &manifest.json["hyper"];
    let x = Variable::parameter(manifest.float::<f64>("x0")?);
    let setting = |name: &str, default: f64| number(&hyper[name]).unwrap_or(default);
    let mut lbfgs = Lbfgs::new(NamedParameters::from_iter([("x", x.clone())]))
        .lr(setting("lr", 1.0))
        .max_iter(setting("max_iter", 20.0) as usize)
        .history_size(setting("history_size", 100.0) as usize)
        .tolerance_grad(setting("tolerance_grad", 1e-7))
        .tolerance_change(setting("tolerance_change", 1e-9));
    let constant = |name: &str| manifest.float::<f64>(name).map(Variable::new);
    let objective: Box<dyn Fn() -> Variable<f64>> = match manifest.text("objective") {
        "rosenbrock" => Box::new(|| {
            let n = x.len();
            let (low, high) = (x.narrow(0, 0, n - 1), x.narrow(0, 1, n - 1));
            (100.0 * (high - low.square()).square() + (1.0 - low).square()).sum()
        }),
        "quadratic" => {
            let (a, b) = (constant("A")?, constant("b")?);
            let x = x.clone();
            Box::new(move || 0.5 * (&x * a.matmul(&x)).sum() - (&b * &x).sum())
        }
        "logistic" => {
            let (rows, y, lam) = (constant("X")?, constant("y")?, constant("lam")?);
            let x = x.clone();
            Box::new(move || (-(&y * rows.matmul(&x))).softplus().mean() + 0.5 * &lam * (&x * &x).sum())
        }
        other => return Err(format!("there is no objective {other}")),
    };
    for _ in 0..manifest.number("outer_steps").unwrap_or(1.0) as usize {
        lbfgs.step(&objective);
    }
    compare(
        "x",
        &Output::from(x.clone()),
        manifest.tensor(manifest.text("expected_x"))?,
        manifest.tolerances(),
    )?;
    let (got, want) = (objective().item(), manifest.number("expected_f").unwrap_or(0.0));
    let (rtol, atol) = manifest.tolerances();
    if (got - want).abs() > atol + rtol * want.abs() {
        return Err(format!("the objective ends at {got:e}, expected {want:e}"));
    }
    Ok(())
}
