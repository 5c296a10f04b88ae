//! What holds of every operation, from the samples in the registry alone.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Mutex,
    time::{Duration, Instant},
};
use wengert_autograd::{
    Tensor, Variable,
    check::{Entry, Gradcheck, Precision, Sample, Verdict, examine, registry, rules_run},
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

/// Samples whose outputs do not change with an input, with the reason; the name of one sample, or "" for all of an operation.
const FLAT: &[(&str, &str, &str)] = &[
    ("sign", "", "a step"),
    ("floor", "", "a step"),
    ("ceil", "", "a step"),
    ("round", "", "a step"),
    ("trunc", "", "a step"),
    ("norm", "p = 0", "it counts"),
    ("dropout", "all", "nothing is left"),
    ("broadcast_to", "to nothing", "nothing is left"),
    ("narrow", "nothing", "nothing is left"),
    ("diagonal", "beyond", "nothing is left"),
    ("masked_select", "none", "nothing is left"),
    ("triplet_margin_loss", "beyond it", "the loss is 0"),
    ("xlogy", "x = 0", "0 times a logarithm"),
    ("smooth_l1_loss", "on the target", "its minimum"),
    ("huber_loss", "on the target", "its minimum"),
    ("copysign", "", "of the second input only the sign counts"),
    ("diff", "to nothing", "nothing is left"),
    ("masked_scatter", "none", "nothing is taken"),
    ("take", "none", "nothing is left"),
];

#[test]
fn every_input_matters() {
    let has_elements = |sample: &Sample| sample.inputs.iter().all(|(_, input)| !input.shape().contains(&0));
    for_all(
        |sample| is_differentiable(sample) && has_elements(sample),
        |entry, sample| {
            let flat = |(op, name, _): &(&str, &str, &str)| {
                *op == entry.name && (name.is_empty() || *name == sample.name)
            };
            let varied = sample.inputs.iter().filter(|(_, input)| !input.is_constant());
            // A negative part of few numbers may be empty once, but not always.
            let draws: Vec<Found<f64>> = (8..16).map(|seed| run(sample, &sample.draw(seed), false)).collect();
            let zero = |which: usize| {
                !draws.iter().any(|found| found.gradients[which].iter().any(|slope| slope != 0.0))
            };
            let zeros: Vec<&str> =
                varied.enumerate().filter(|(which, _)| zero(*which)).map(|(_, (name, _))| *name).collect();
            if zeros.is_empty() == FLAT.iter().any(flat) {
                return Err(format!("gradients that are zero: {zeros:?}"));
            }
            Ok(())
        },
    );
}

/// Operations that other operations are made of, and that have another name there, or none.
const INNER: &[&str] = &[
    "bce",
    "bce_with_logits",
    "channel_window_mean",
    "combination",
    "diag_embed",
    "gelu_tanh",
    "huber",
    "kl",
    "ln",
    "ln_1p",
    "mse",
    "power_of_size",
    "root_of_sum",
    "smooth_l1",
];

#[test]
fn nodes_have_the_names_of_operations() {
    let names: BTreeSet<&str> =
        registry().iter().map(|entry| entry.name).chain(INNER.iter().copied()).collect();
    let unknown = Mutex::new(BTreeSet::new());
    for_all(is_differentiable, |_, sample| {
        let (_, rules) = rules_run(|| run(sample, &sample.draw(1), false));
        unknown.lock().unwrap().extend(rules.into_iter().filter(|rule| !names.contains(rule)));
        Ok(())
    });
    let unknown = unknown.into_inner().unwrap();
    assert!(unknown.is_empty(), "no operation has the name of these nodes: {unknown:?}");
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
fn mistakes_are_blamed_on_the_callers_line() {
    thread_local! {
        /// Where this thread panicked last.
        static PANICKED: RefCell<Option<(String, u32)>> = const { RefCell::new(None) };
    }
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let at = info.location().map(|at| (at.file().to_owned(), at.line()));
        PANICKED.with(|panicked| panicked.replace(at));
        before(info);
    }));
    for_all(
        |sample| sample.expected_panic().is_some(),
        |_, sample| {
            let inputs: Vec<Variable<f64>> = sample.draw(1).into_iter().map(Variable::new).collect();
            let Err(panic) = catch_unwind(AssertUnwindSafe(|| sample.run(&inputs))) else {
                return Err("no panic".to_string());
            };
            // Either the panic is at the caller's line, or its text says which that is: "… (at file:line:column)".
            let named = text(&*panic).rsplit_once("(at ").and_then(|(_, at)| {
                let mut parts = at.trim_end_matches(')').split(':');
                Some((parts.next()?.to_owned(), parts.next()?.parse().ok()?))
            });
            let (file, line) =
                named.or_else(|| PANICKED.with(RefCell::take)).ok_or("a panic without a place")?;
            if is_callers(&file, line) { Ok(()) } else { Err(format!("{file}:{line} is blamed")) }
        },
    );
    drop(std::panic::take_hook());
}

#[test]
fn results_are_recorded_at_the_callers_line() {
    for_all(is_call, |entry, sample| {
        let inputs: Vec<Variable<f64>> = sample.draw(1).into_iter().map(Variable::parameter).collect();
        for at in sample.run(&inputs).iter().filter_map(Variable::recorded_at) {
            // The elementary functions and their samples are made by one macro, at one place.
            if !at.file().ends_with("functions.rs") && !is_callers(at.file(), at.line()) {
                return Err(format!("{} is recorded at {at}", entry.name));
            }
        }
        Ok(())
    });
}

/// The calls of samples stand in the `samples!` block at the end of their file; a line before it is the library's own.
fn is_callers(file: &str, line: u32) -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let samples = text.lines().position(|line| line == "samples! {").expect("calls in samples");
    line as usize > samples
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

/// Operations of which no sample can be called with an axis of size 0 (or 1) instead of another, with the reason.
const FIXED_SIZES: &[(usize, &str, &str)] =
    &[(0, "batch_norm", "it refuses batches of less than two elements, as they have no variance")];

/// The inputs of a sample with every axis of size `from` made `to`, if its distributions can be drawn so.
fn resized(sample: &Sample, from: usize, to: usize, seed: u64) -> Option<Vec<Tensor<f64>>> {
    let draw = |(i, (_, input)): (usize, &(&str, wengert_autograd::check::Input))| {
        let mut shape = input.shape();
        for axis in 0..shape.len() {
            if shape[axis] == from {
                shape = shape.with(axis, to);
            }
        }
        // Samples that list their values have only as many as their own shape.
        catch_unwind(AssertUnwindSafe(|| input.with_shape(shape).draw(seed + i as u64))).ok()
    };
    sample.inputs.iter().enumerate().map(draw).collect()
}

/// The sizes of axes that occur in the inputs of a sample.
fn sizes(sample: &Sample) -> BTreeSet<usize> {
    sample.inputs.iter().flat_map(|(_, input)| input.shape().to_vec()).collect()
}

/// Does the sample accept these inputs? Those that it refuses, it must refuse in words.
fn accepts(sample: &Sample, inputs: &[Tensor<f64>]) -> Result<bool, String> {
    let variables: Vec<Variable<f64>> = inputs.iter().cloned().map(Variable::new).collect();
    let Err(panic) = catch_unwind(AssertUnwindSafe(|| sample.run(&variables))) else { return Ok(true) };
    let text = text(&*panic);
    let internal =
        ["out of bounds", "attempt to", "unwrap()", "out of range for slice", "assertion", "expect"];
    match internal.iter().any(|sign| text.contains(sign)) || text.is_empty() {
        true => Err(format!("is refused by an accident: {text}")),
        false => Ok(false),
    }
}

#[test]
fn axes_of_size_0_and_1() {
    let reached = Mutex::new(BTreeSet::new());
    for_all(is_differentiable, |entry, sample| {
        // A sample that has such an axis is among them, with 0 made 0.
        for (from, to) in sizes(sample).into_iter().flat_map(|from| [(from, 0), (from, 1)]) {
            let at = |why: String| format!("axes of size {from} made {to}: {why}");
            let Some(inputs) = resized(sample, from, to, 5) else { continue };
            if !accepts(sample, &inputs).map_err(at)? {
                continue;
            }
            reached.lock().unwrap().insert((to, entry.name));
            let found = run(sample, &inputs, false);
            let (plain, recorded) = (all(&found), all(&run(sample, &inputs, true)));
            // The variance of one number is 0, and a division by √ε makes the last bits a thousand times as large.
            agree(&plain, &recorded, 1e-11).map_err(at)?;
            // The mean of nothing is no number, and parts of nothing are no parts: neither has differences.
            let any = !found.outputs.is_empty();
            if any && plain.iter().flatten().all(|x| x.is_finite()) {
                let report = sample.check(inputs, &Gradcheck::new().projected(2)).map_err(at)?;
                if report.verdict() == Verdict::Wrong {
                    return Err(at(report.to_string()));
                }
            }
        }
        Ok(())
    });
    let reached = reached.into_inner().unwrap();
    let missing: Vec<(usize, &str)> = registry()
        .iter()
        .flat_map(|entry| [(0, entry.name), (1, entry.name)])
        .filter(|at| !reached.contains(at) && !FIXED_SIZES.iter().any(|(to, name, _)| (*to, *name) == *at))
        .collect();
    assert!(missing.is_empty(), "no sample takes an axis of that size: {missing:?}");
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let entries = registry();
    // All samples as they are, and two larger calls of every operation.
    let samples = || entries.iter().flat_map(Entry::samples).filter(is_call);
    let large =
        entries.iter().flat_map(|entry| entry.samples().into_iter().filter(is_call).flat_map(large).take(2));
    let calls: Vec<(Sample, Vec<Tensor<f64>>)> =
        samples().map(|sample| (sample.clone(), sample.draw(7))).chain(large).collect();
    let bits = |threads: usize| -> Vec<Vec<Vec<u64>>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let found = calls.iter().map(|(sample, inputs)| all(&run(sample, inputs, false)));
            found.map(|all| all.iter().map(|x| x.iter().map(|x| x.to_bits()).collect()).collect()).collect()
        })
    };
    let alone = bits(1);
    for threads in 2..=8 {
        let found = bits(threads);
        for ((alone, found), (sample, inputs)) in alone.iter().zip(&found).zip(&calls) {
            let shapes: Vec<Dims> = inputs.iter().map(Tensor::dims).collect();
            assert!(alone == found, "{threads} threads gave other bits: {} at {shapes:?}", sample.text);
        }
    }
}

/// A sample with inputs that are worth several threads, for every one of its sizes that may grow.
fn large(sample: Sample) -> Vec<(Sample, Vec<Tensor<f64>>)> {
    const ELEMENTS: usize = 8_000;
    let mut calls = Vec::new();
    for from in sizes(&sample).into_iter().filter(|&from| from > 0) {
        // Of the largest input, how many elements there are for each index along axes of this size, and how many axes.
        let count = |(_, input): &(&str, wengert_autograd::check::Input)| {
            let shape = input.shape();
            let (axes, rest) =
                (shape.iter().filter(|&&size| size == from), shape.iter().filter(|&&size| size != from));
            (axes.count(), rest.product::<usize>())
        };
        let Some((axes, rest)) = sample.inputs.iter().map(count).max().filter(|(axes, _)| *axes > 0) else {
            continue;
        };
        let to = (ELEMENTS as f64 / rest.max(1) as f64).powf(1.0 / axes as f64) as usize | 1;
        let Some(inputs) = resized(&sample, from, to, 7) else { continue };
        // Where the work grows with a power of the size, what takes long says no more than what does not.
        let begun = Instant::now();
        if accepts(&sample, &inputs) == Ok(true) && begun.elapsed() < Duration::from_millis(100) {
            calls.push((sample.clone(), inputs));
        }
    }
    calls
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

/// What this program has been started with when it checks another instruction set.
const SIMD: &str = "WENGERT_SIMD";

/// On a processor without vector instructions the plain paths run; `WENGERT_SIMD` forces them here.
#[test]
fn all_of_this_holds_without_vector_instructions() {
    if std::env::var_os(SIMD).is_some() {
        return; // the child itself
    }
    let mut child = std::process::Command::new(std::env::current_exe().expect("this program has a path"));
    let output = child.env(SIMD, "baseline").output().expect("this program can be started");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
}
