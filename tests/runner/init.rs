//! Cases of the kind `init`: random initialisers by their statistics, the others exactly.

use super::{Manifest, Outcome, Output, compare, pack::number};
use serde_json::Value;
use wengert_autograd::{Tensor, Variable, tensor::Generator};
use wengert_nn::{Fan, Init, Nonlinearity, init::fans};

pub fn run(manifest: &Manifest) -> Outcome {
    let (name, hyper) = (manifest.text("initializer"), &manifest.json["hyper"]);
    let expected = &manifest.json["expected"];
    if name == "gain" {
        let (got, want) = (nonlinearity(hyper)?.gain(), number(&expected["gain"])?);
        let close = (got - want).abs() <= 1e-9 * want;
        return Some(if close { Ok(()) } else { Err(format!("the gain is {got}, expected {want}")) });
    }
    let init = initializer(name, hyper)?;
    let shape: Vec<usize> =
        manifest.json["shape"].as_array()?.iter().map(|size| size.as_u64().unwrap_or(0) as usize).collect();
    Some(match expected["distribution"].as_str()? {
        "exact" => {
            let got = Variable::new(init.tensor::<f64>(&shape, &mut Generator::new(0)));
            manifest
                .tensor(manifest.text("out"))
                .and_then(|want| compare("values", &Output::from(got), want, manifest.tolerances()))
        }
        "orthogonal" => orthogonal(init, &shape, number(&expected["gain"])?),
        _ => statistics(init, &shape, expected),
    })
}

fn nonlinearity(hyper: &Value) -> Option<Nonlinearity> {
    Some(match hyper["nonlinearity"].as_str()? {
        "linear" | "conv1d" | "conv2d" | "conv3d" => Nonlinearity::Linear,
        "sigmoid" => Nonlinearity::Sigmoid,
        "tanh" => Nonlinearity::Tanh,
        "relu" => Nonlinearity::Relu,
        "leaky_relu" => Nonlinearity::LeakyRelu(number(&hyper["a"]).unwrap_or(0.01)),
        "selu" => Nonlinearity::Selu,
        _ => return None,
    })
}

fn initializer(name: &str, hyper: &Value) -> Option<Init> {
    let float = |name: &str, default: f64| number(&hyper[name]).unwrap_or(default);
    let gain = float("gain", 1.0);
    let fan = if hyper["mode"].as_str() == Some("fan_out") { Fan::Out } else { Fan::In };
    let kaiming = || Some(nonlinearity(hyper)?.gain());
    Some(match name {
        "uniform" => Init::Uniform { low: float("a", 0.0), high: float("b", 1.0) },
        "normal" => Init::Normal { mean: float("mean", 0.0), std: float("std", 1.0) },
        "trunc_normal" => Init::TruncatedNormal {
            mean: float("mean", 0.0),
            std: float("std", 1.0),
            low: float("a", -2.0),
            high: float("b", 2.0),
        },
        "constant" => Init::Constant(float("value", 0.0)),
        "eye" => Init::Eye,
        "dirac" => Init::Dirac { groups: float("groups", 1.0) as usize },
        "orthogonal" => Init::Orthogonal { gain },
        "xavier_uniform" => Init::XavierUniform { gain },
        "xavier_normal" => Init::XavierNormal { gain },
        "kaiming_uniform" => Init::KaimingUniform { fan, gain: kaiming()? },
        "kaiming_normal" => Init::KaimingNormal { fan, gain: kaiming()? },
        _ => return None,
    })
}

fn orthogonal(init: Init, shape: &[usize], gain: f64) -> Result<(), String> {
    for seed in 0..5 {
        let weight = init.tensor::<f64>(shape, &mut Generator::new(seed));
        let matrix = weight.reshape([shape[0], weight.len() / shape[0]]);
        let matrix = if matrix.shape()[0] <= matrix.shape()[1] { matrix } else { matrix.t() };
        let products = matrix.matmul(&matrix.t());
        let wanted = Tensor::<f64>::eye(products.shape()[0]).map(|x| x * gain * gain);
        let worst = products.iter().zip(wanted.iter()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        if worst > 1e-6 {
            return Err(format!("rows are off orthogonality by {worst:e}"));
        }
    }
    Ok(())
}

fn statistics(init: Init, shape: &[usize], expected: &Value) -> Result<(), String> {
    for (name, found) in [("fan_in", 0), ("fan_out", 1)] {
        if let Some(want) = expected[name].as_u64() {
            let (fan_in, fan_out) = fans(shape);
            let got = [fan_in, fan_out][found] as u64;
            if got != want {
                return Err(format!("{name} is {got}, expected {want}"));
            }
        }
    }
    let mut numbers: Vec<f64> = Vec::new();
    for seed in 0.. {
        numbers.extend(init.tensor::<f64>(shape, &mut Generator::new(seed)).iter());
        if numbers.len() >= 40_000 {
            break;
        }
    }
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let std = (numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt();
    let bound = number(&expected["bound"]);
    let wanted_std = number(&expected["std"])
        .or(bound.map(|bound| bound / 3.0_f64.sqrt()))
        .ok_or("the case gives neither a standard deviation nor a bound")?;
    if let Some(bound) = bound {
        let limit = bound * (1.0 + 1e-12);
        if let Some(outside) = numbers.iter().find(|x| x.abs() > limit) {
            return Err(format!("{outside} lies outside ±{bound}"));
        }
    }
    if (std - wanted_std).abs() > 0.03 * wanted_std {
        return Err(format!("standard deviation {std}, expected {wanted_std}"));
    }
    let wanted_mean = number(&expected["mean"]).unwrap_or(0.0);
    if (mean - wanted_mean).abs() > 5.0 * wanted_std / count.sqrt() {
        return Err(format!("mean {mean}, expected {wanted_mean}"));
    }
    Ok(())
}
