//! Cases of the kind `op`: outputs, gradients, and products of the second derivative with vectors.

use super::{Manifest, Outcome, Output, Stored, apply, case::Input, compare};
use crate::runner::Case;
use wengert_autograd::{Float, Tensor, Variable, grad, tensor::Element};

pub fn run(manifest: &Manifest) -> Outcome {
    let names = ["inputs", "outputs"].map(|field| manifest.names(field)).concat();
    let single = names.iter().any(|name| matches!(manifest.tensor(name), Ok(Stored::F32(_))));
    if single { run_as::<f32>(manifest) } else { run_as::<f64>(manifest) }
}

fn run_as<T: Float>(manifest: &Manifest) -> Outcome {
    let case = match given::<T>(manifest) {
        Ok(case) => case,
        Err(error) => return Some(Err(error)),
    };
    let outputs = apply(manifest.text("op"), &case)?;
    Some(check(manifest, &case, &outputs))
}

/// The inputs, laid out in memory as the case asks.
fn given<T: Float>(manifest: &Manifest) -> Result<Case<T>, String> {
    let attrs = manifest.json["attrs"].clone();
    let layout = attrs["input_layout"].as_str().unwrap_or("");
    let wanted = manifest.names("requires_grad");
    let mut inputs = Vec::new();
    for name in manifest.names("inputs") {
        let variable = |x: Tensor<T>| {
            let x = Variable::new(x);
            Input::Float(if wanted.contains(&name) { x.requires_grad() } else { x })
        };
        let input = match manifest.tensor(&name)? {
            Stored::F64(x) => variable(laid_out(layout, &x.cast(), T::nan())),
            Stored::F32(x) => variable(laid_out(layout, &x.cast(), T::nan())),
            Stored::I64(x) => Input::Index(laid_out(layout, x, 0)),
            Stored::Bool(x) => Input::Mask(laid_out(layout, x, false)),
        };
        inputs.push((name, input));
    }
    Ok(Case { inputs, attrs })
}

/// A view with the values of `x` on a buffer that holds `fill` elsewhere.
fn laid_out<E: Element>(layout: &str, x: &Tensor<E>, fill: E) -> Tensor<E> {
    let axes = x.rank();
    let around = |axis: usize, size: usize| Tensor::full(x.dims().with(axis, size), fill);
    match layout {
        "transposed" if axes >= 2 => x.transpose(-1, -2).packed().transpose(-1, -2),
        "sliced" if axes >= 1 => {
            let last = axes - 1;
            // x and the filling alternate along the last axis.
            let pairs = Tensor::stack(&[x.clone(), around(last, x.shape()[last])], -1);
            let buffer = pairs.reshape(x.dims().with(last, 2 * x.shape()[last]));
            buffer.slice_axis(-1, 0, 2 * x.shape()[last] as isize, 2)
        }
        "offset" if axes >= 1 => {
            Tensor::cat(&[around(0, 1), x.clone(), around(0, 1)], 0).narrow(0, 1, x.shape()[0])
        }
        _ => x.clone(),
    }
}

fn check<T: Float>(manifest: &Manifest, case: &Case<T>, outputs: &[Output<T>]) -> Result<(), String> {
    let tolerances = manifest.tolerances();
    let names = manifest.names("outputs");
    if outputs.len() != names.len() {
        return Err(format!("{} outputs, expected {}", outputs.len(), names.len()));
    }
    for (name, output) in names.iter().zip(outputs) {
        compare(name, output, manifest.tensor(name)?, tolerances)?;
    }

    let wanted = manifest.names("requires_grad");
    if wanted.is_empty() {
        return Ok(());
    }
    let inputs: Vec<&Variable<T>> = wanted.iter().map(|name| case.var(name)).collect();
    let mut differentiable = Vec::new();
    let mut cotangents = Vec::new();
    let given = manifest.json["grad_outputs"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (output, cotangent) in outputs.iter().zip(given) {
        let (Output::Float(output), Some(name)) = (output, cotangent.as_str()) else { continue };
        if output.needs_grad() {
            differentiable.push(output);
            cotangents.push(Variable::new(manifest.float(name)?));
        }
    }
    let cotangents: Vec<&Variable<T>> = cotangents.iter().collect();
    // The gradients as the fused loops give them, then as a recorded pass does.
    for recorded in [false, true] {
        let request =
            grad(&differentiable).grad_outputs(&cotangents).retain_graph(true).create_graph(recorded);
        let gradients = or_zeros(request.wrt_allowing_unused(&inputs), &inputs);
        for (name, gradient) in wanted.iter().zip(&gradients) {
            let stored = manifest.json["grads"][name].as_str().unwrap_or("");
            let what = format!("gradient of {name}{}", if recorded { ", recorded" } else { "" });
            compare(&what, &Output::from(gradient.clone()), manifest.tensor(stored)?, tolerances)?;
        }
        if recorded && !manifest.json["hvp"].is_null() {
            second(manifest, &inputs, &wanted, &gradients)?;
        }
    }
    Ok(())
}

/// d/dx Σ gradient·v
fn second<T: Float>(
    manifest: &Manifest,
    inputs: &[&Variable<T>],
    wanted: &[String],
    gradients: &[Variable<T>],
) -> Result<(), String> {
    let names = |part: &str| -> Vec<String> {
        let names = manifest.json["hvp"][part].as_array().map(Vec::as_slice).unwrap_or_default();
        names.iter().filter_map(|name| name.as_str()).map(String::from).collect()
    };
    let mut directions = Vec::new();
    let mut dependent = Vec::new();
    for (gradient, v) in gradients.iter().zip(names("v")) {
        if gradient.needs_grad() {
            dependent.push(gradient);
            directions.push(Variable::new(manifest.float(&v)?));
        }
    }
    let directions: Vec<&Variable<T>> = directions.iter().collect();
    let products = or_zeros(grad(&dependent).grad_outputs(&directions).wrt_allowing_unused(inputs), inputs);
    for ((name, product), stored) in wanted.iter().zip(products).zip(names("hvp")) {
        let what = format!("second derivative in {name}");
        compare(&what, &Output::from(product), manifest.tensor(&stored)?, manifest.tolerances())?;
    }
    Ok(())
}

/// What the outputs do not depend on has the derivative 0.
fn or_zeros<T: Float>(found: Vec<Option<Variable<T>>>, inputs: &[&Variable<T>]) -> Vec<Variable<T>> {
    let zeros = |input: &Variable<T>| Variable::new(Tensor::zeros(input.shape()));
    found.into_iter().zip(inputs).map(|(found, input)| found.unwrap_or_else(|| zeros(input))).collect()
}
