//! What holds of every operation, from the samples in the registry alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use wengert_autograd::{
    Tensor, Variable,
    check::{Entry, Gradcheck, Precision, Sample, Verdict, examine, registry},
    grad,
    tensor::Dims,
};

/// Runs `check` on every sample of every operation and lists all failures.
fn for_all(wanted: impl Fn(&Sample) -> bool, check: impl Fn(&Entry, &Sample) -> Result<(), String>) {
    let mut failures = Vec::new();
    let mut checked = 0;
    for entry in registry() {
        for sample in entry.samples().into_iter().filter(&wanted) {
            checked += 1;
            let attempt = catch_unwind(AssertUnwindSafe(|| check(&entry, &sample)));
            let failure = match attempt {
                Ok(Ok(())) => continue,
                Ok(Err(why)) => why,
                Err(panic) => format!("panicked: {}", text(&*panic)),
            };
            failures.push(format!("{}, {} ({}): {failure}", entry.name, sample.name, sample.text));
        }
    }
    assert!(checked > 0, "no sample was checked");
    assert!(failures.is_empty(), "{} of {checked}:\n{}", failures.len(), failures.join("\n"));
}

fn text(panic: &(dyn std::any::Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("")
}

fn is_call(sample: &Sample) -> bool {
    sample.expected_panic().is_none()
}
fn is_differentiable(sample: &Sample) -> bool {
    sample.highest_order() > 0
}

/// Values and gradients, for cotangents that depend on the shapes alone.
struct Found<T: Precision> {
    outputs: Vec<Tensor<T>>,
    gradients: Vec<Tensor<T>>,
}

/// Runs a sample forward and backward; with `recorded`, the backward pass is recorded.
fn run<T: Precision>(sample: &Sample, inputs: &[Tensor<T>], recorded: bool) -> Found<T> {
    let variables: Vec<Variable<T>> = inputs
        .iter()
        .zip(&sample.inputs)
        .map(|(x, (_, input))| match input.is_constant() {
            true => Variable::new(x.clone()),
            false => Variable::parameter(x.clone()),
        })
        .collect();
    let outputs = sample.run(&variables);
    let flowing: Vec<&Variable<T>> = outputs.iter().filter(|output| output.needs_grad()).collect();
    let cotangents: Vec<Variable<T>> = flowing.iter().map(|y| Variable::new(cotangent(y.shape()))).collect();
    let cotangents: Vec<&Variable<T>> = cotangents.iter().collect();
    let wanted: Vec<&Variable<T>> = variables.iter().filter(|x| x.needs_grad()).collect();
    let found = grad(&flowing).grad_outputs(&cotangents).create_graph(recorded).wrt_allowing_unused(&wanted);
    let gradients = found
        .iter()
        .zip(&wanted)
        .map(|(found, x)| found.as_ref().map_or_else(|| Tensor::zeros(x.shape()), Variable::value));
    Found { gradients: gradients.collect(), outputs: outputs.iter().map(Variable::value).collect() }
}

/// Irregular numbers between −1½ and 1½.
fn cotangent<T: Precision>(shape: Dims) -> Tensor<T> {
    let mut k = 0.0;
    Tensor::from_fn(shape, |_| {
        k += 1.0;
        T::from_f64(f64::from((1.5 * (k * 2.399_963_f64).sin()) as f32))
    })
}

fn all<T: Precision>(found: &Found<T>) -> Vec<Vec<f64>> {
    let tensors = found.outputs.iter().chain(&found.gradients);
    tensors.map(|tensor| tensor.iter().map(|x| x.to_f64()).collect()).collect()
}

/// Equal within a relative error of each tensor's largest entry; not-numbers agree with one another.
fn agree(a: &[Vec<f64>], b: &[Vec<f64>], tolerance: f64) -> Result<(), String> {
    if a.len() != b.len() {
        return Err(format!("{} tensors against {}", a.len(), b.len()));
    }
    for (which, (a, b)) in a.iter().zip(b).enumerate() {
        if a.len() != b.len() {
            return Err(format!("tensor {which}: {} elements against {}", a.len(), b.len()));
        }
        let size = a.iter().map(|x| x.abs()).filter(|x| x.is_finite()).fold(1e-3, f64::max);
        for (at, (a, b)) in a.iter().zip(b).enumerate() {
            let same = a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * size;
            if !same {
                return Err(format!("tensor {which}, element {at}: {a:e} against {b:e}"));
            }
        }
    }
    Ok(())
}

#[test]
fn derivatives_agree_with_differences() {
    let failures: Vec<String> = registry()
        .iter()
        .filter_map(|entry| {
            let found = examine(entry, &Gradcheck::new());
            if entry.samples().iter().any(is_differentiable) && found.cases == 0 {
                return Some(format!("{}: nothing was checked", entry.name));
            }
            found.verdict.err().map(|why| format!("{}: {why}", entry.name))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn names_are_unique_and_every_operation_is_differentiated() {
    let mut names: Vec<&str> = registry().iter().map(|entry| entry.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "a name is in the registry twice");
    for entry in registry() {
        assert!(
            entry.samples().iter().any(is_differentiable),
            "{} has no sample to differentiate",
            entry.name
        );
    }
}

#[test]
fn mistakes_are_named() {
    for_all(
        |sample| sample.expected_panic().is_some(),
        |_, sample| {
            let expected = sample.expected_panic().unwrap();
            let inputs: Vec<Variable<f64>> = sample.draw(1).into_iter().map(Variable::new).collect();
            match catch_unwind(AssertUnwindSafe(|| sample.run(&inputs))) {
                Ok(_) => Err(format!("no panic with {expected:?}")),
                Err(panic) if text(&*panic).contains(expected) => Ok(()),
                Err(panic) => Err(format!("the panic says {:?}, not {expected:?}", text(&*panic))),
            }
        },
    );
}

#[test]
fn layout_in_memory_makes_no_difference() {
    for_all(is_call, |_, sample| {
        let packed = sample.draw(2);
        let expected = all(&run(sample, &packed, false));
        for layout in [transposed, every_second, inner] {
            let strided: Vec<Tensor<f64>> = packed.iter().map(layout).collect();
            agree(&expected, &all(&run(sample, &strided, false)), 1e-14)?;
            agree(&expected, &all(&run(sample, &strided, true)), 1e-12)?;
        }
        Ok(())
    });
}

/// The last two axes exchanged in memory.
fn transposed(x: &Tensor<f64>) -> Tensor<f64> {
    if x.rank() < 2 { x.clone() } else { x.transpose(-1, -2).packed().transpose(-1, -2) }
}

/// Every second element of a row, NaN between them.
fn every_second(x: &Tensor<f64>) -> Tensor<f64> {
    let Some(&size) = x.shape().last() else { return x.clone() };
    let pairs = Tensor::stack(&[x.clone(), x.full_like(f64::NAN)], -1);
    pairs.reshape(x.dims().with(x.rank() - 1, 2 * size)).slice_axis(-1, 0, 2 * size as isize, 2)
}

/// The middle of a larger block of NaN.
fn inner(x: &Tensor<f64>) -> Tensor<f64> {
    if x.rank() == 0 {
        return x.clone();
    }
    let edge = Tensor::full(x.dims().with(0, 1), f64::NAN);
    Tensor::cat(&[edge.clone(), x.clone(), edge], 0).narrow(0, 1, x.shape()[0])
}

#[test]
fn one_precision_agrees_with_the_other() {
    for_all(is_call, |_, sample| {
        let inputs = sample.draw(3);
        let single: Vec<Tensor<f32>> = inputs.iter().map(Tensor::cast).collect();
        agree(&all(&run(sample, &inputs, false)), &all(&run(sample, &single, false)), 2e-4)
    });
}

#[test]
fn a_recorded_backward_pass_gives_the_same_gradients() {
    for_all(is_call, |_, sample| {
        let inputs = sample.draw(4);
        agree(&all(&run(sample, &inputs, false)), &all(&run(sample, &inputs, true)), 1e-13)
    });
}

#[test]
fn formulas_are_the_same_fused_and_recorded_at_special_values() {
    let special = [0.0, -0.0, 1.0, -2.5, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e-310, 1e300];
    for_all(Sample::is_elementwise, |_, sample| {
        let count = sample.inputs.len();
        // All pairs of special values for the first two inputs, the third in between.
        let n = special.len();
        let inputs: Vec<Tensor<f64>> = (0..count)
            .map(|i| {
                Tensor::from_fn([n * n], |at| match i {
                    0 => special[at[0] / n],
                    1 => special[at[0] % n],
                    _ => special[(at[0] / n + 2 * at[0]) % n],
                })
            })
            .collect();
        let (fused, recorded) = (all(&run(sample, &inputs, false)), all(&run(sample, &inputs, true)));
        for (which, (fused, recorded)) in fused.iter().zip(&recorded).enumerate() {
            for (at, (a, b)) in fused.iter().zip(recorded).enumerate() {
                if !(a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-13 * a.abs()) {
                    let x: Vec<f64> =
                        inputs.iter().map(|x| x.to_vec().get(at).copied().unwrap_or(0.0)).collect();
                    return Err(format!("tensor {which} at {x:?}: {a:e} fused, {b:e} recorded"));
                }
            }
        }
        Ok(())
    });
}

#[test]
fn any_shapes_that_broadcast() {
    let shapes: &[&[&[usize]]] = &[
        &[&[], &[], &[]],
        &[&[0], &[0], &[0]],
        &[&[2, 0, 3], &[3], &[1]],
        &[&[1], &[1], &[1]],
        &[&[1, 3], &[2, 1], &[1, 1]],
        &[&[2, 1, 3], &[4, 1], &[3]],
    ];
    for_all(
        |sample| sample.is_elementwise() && is_differentiable(sample),
        |_, sample| {
            for shapes in shapes {
                let inputs: Vec<Tensor<f64>> = sample
                    .inputs
                    .iter()
                    .zip(*shapes)
                    .enumerate()
                    .map(|(i, ((_, input), shape))| input.with_shape(*shape).draw(5 + i as u64))
                    .collect();
                let report = sample.check(inputs, &Gradcheck::new())?;
                if !report.passed() {
                    return Err(format!("shapes {shapes:?}: {report}"));
                }
            }
            Ok(())
        },
    );
}

#[test]
fn one_variable_in_every_place() {
    for_all(
        |sample| {
            let shapes: Vec<Dims> = sample.inputs.iter().map(|(_, input)| input.shape()).collect();
            is_differentiable(sample) && shapes.len() > 1 && shapes.iter().all(|shape| *shape == shapes[0])
        },
        |_, sample| {
            // Strictly inside the domain of each input: the last one's, which is the narrowest by custom.
            let x = sample.draw(6).pop().expect("at least two inputs");
            let inputs: Vec<Tensor<f64>> = vec![x.clone(); sample.inputs.len()];
            let apart = run(sample, &inputs, false);
            let shared = Variable::parameter(x);
            let outputs = sample.run(&vec![shared.clone(); sample.inputs.len()]);
            let flowing: Vec<&Variable<f64>> = outputs.iter().filter(|y| y.needs_grad()).collect();
            let cotangents: Vec<Variable<f64>> =
                flowing.iter().map(|y| Variable::new(cotangent(y.shape()))).collect();
            let cotangents: Vec<&Variable<f64>> = cotangents.iter().collect();
            let found = grad(&flowing).grad_outputs(&cotangents).wrt(&[&shared]).remove(0).value();
            let mut sum = vec![0.0; found.len()];
            let varied = apart.gradients.iter();
            varied.for_each(|gradient| sum.iter_mut().zip(gradient.iter()).for_each(|(sum, g)| *sum += g));
            if sample.inputs.iter().any(|(_, input)| input.is_constant()) {
                return Ok(()); // its gradient would have to be left out of the sum
            }
            agree(&[sum], &[found.to_vec()], 1e-13)
        },
    );
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let bits = |threads: usize| -> Vec<Vec<Vec<u64>>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let entries = registry();
            let samples = entries.iter().flat_map(Entry::samples).filter(is_call);
            samples
                .map(|sample| {
                    let found = all(&run(&sample, &large(&sample), false));
                    found.iter().map(|tensor| tensor.iter().map(|x| x.to_bits()).collect()).collect()
                })
                .collect()
        })
    };
    let alone = bits(1);
    for threads in 2..=8 {
        assert!(alone == bits(threads), "{threads} threads gave other bits than one");
    }
}

/// Inputs that are worth several threads, where the sample takes any shape.
fn large(sample: &Sample) -> Vec<Tensor<f64>> {
    if !sample.is_elementwise() {
        return sample.draw(7);
    }
    let draw = |(i, (_, input)): (usize, &(&str, wengert_autograd::check::Input))| {
        let shape = if input.shape().is_empty() { Dims::new(&[]) } else { Dims::new(&[13, 701]) };
        let rows = if i == 0 { shape } else { Dims::new(&shape[shape.len().saturating_sub(1)..]) };
        // Samples that list their values have only as many as their own shape.
        catch_unwind(AssertUnwindSafe(|| input.with_shape(rows).draw(7))).unwrap_or_else(|_| input.draw(7))
    };
    sample.inputs.iter().enumerate().map(draw).collect()
}

#[test]
fn a_wrong_rule_is_reported_as_wrong() {
    use wengert_autograd::check::{Mutation, gradcheck, with_mutation};
    let x = Tensor::from_vec(vec![0.5, 1.5, -2.0], [3]).unwrap();
    let (report, changed) =
        with_mutation("tanh", Mutation::Twice, || gradcheck(|x| x[0].tanh(), std::slice::from_ref(&x)));
    let report = report.unwrap();
    assert!(changed);
    assert_eq!(report.verdict(), Verdict::Wrong);
    let text = report.to_string();
    for part in
        ["input 0 [3]: wrong", "the function ends in tanh", "registry.rs", "assert_gradients!(f, &[x0])"]
    {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
}
