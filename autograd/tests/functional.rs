//! Derivatives of functions: products, matrices, checkpoints, and the search for NaN.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};
use wengert_autograd::{
    NamedParameters, Tensor, Variable,
    check::{Gradcheck, random::Numbers, registry},
    checkpoint, detect_anomaly, grad, hessian, hvp, jacobian, jvp, vjp,
};

/// Random numbers belong to the process: tests that draw go one after the other.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> std::sync::MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[track_caller]
fn close(a: &[f64], b: &[f64], tolerance: f64) {
    approx::assert_relative_eq!(a, b, epsilon = tolerance, max_relative = tolerance);
}

fn normal(numbers: &mut Numbers, like: &Variable<f64>) -> Variable<f64> {
    Variable::new(Tensor::from_fn(like.shape(), |_| numbers.normal()))
}

fn inner(a: &[Variable<f64>], b: &[Variable<f64>]) -> f64 {
    a.iter()
        .zip(b)
        .flat_map(|(a, b)| a.value().iter().zip(b.value().iter()).map(|(a, b)| a * b).collect::<Vec<_>>())
        .sum()
}

#[test]
fn forward_and_backward_products_are_adjoint_for_every_operation() {
    let _alone = alone();
    let mut checked = 0;
    for entry in registry() {
        for sample in entry.samples().into_iter().filter(|sample| sample.highest_order() >= 2) {
            for seed in 0..3 {
                let mut numbers = Numbers::new(seed);
                let all: Vec<Variable<f64>> = sample.draw(seed).into_iter().map(Variable::new).collect();
                let varied: Vec<usize> =
                    (0..all.len()).filter(|&i| !sample.inputs[i].1.is_constant()).collect();
                let f = |x: &[Variable<f64>]| {
                    let mut inputs = all.clone();
                    varied.iter().zip(x).for_each(|(&i, x)| inputs[i] = x.clone());
                    sample.run(&inputs)
                };
                let x: Vec<&Variable<f64>> = varied.iter().map(|&i| &all[i]).collect();
                let v: Vec<Variable<f64>> = x.iter().map(|x| normal(&mut numbers, x)).collect();
                let (outputs, forward) = jvp(f, &x, &v.iter().collect::<Vec<_>>());
                let u: Vec<Variable<f64>> = outputs.iter().map(|y| normal(&mut numbers, y)).collect();
                let (_, backward) = vjp(f, &x, &u.iter().collect::<Vec<_>>());
                let (a, b) = (inner(&forward, &u), inner(&v, &backward));
                let size = inner(&forward, &forward).sqrt() * inner(&u, &u).sqrt();
                let name = format!("{}, {}", entry.name, sample.name);
                assert!((a - b).abs() <= 1e-12 * (1.0 + size), "{name}: ⟨Jv, u⟩ = {a:e}, ⟨v, Jᵀu⟩ = {b:e}");
                checked += 1;
            }
        }
    }
    assert!(checked > 100, "{checked} checks");
}

fn rosenbrock(x: &Variable<f64>) -> Variable<f64> {
    let n = x.shape()[0];
    let (now, next) = (x.narrow(0, 0, n - 1), x.narrow(0, 1, n - 1));
    (100.0 * (next - now.square()).square() + (1.0 - now).square()).sum()
}

#[test]
fn hessian_of_rosenbrocks_function() {
    let (x, y) = (-1.2_f64, 1.0);
    let found = hessian(rosenbrock, &Variable::from([x, y]));
    let expected = [1200.0 * x * x - 400.0 * y + 2.0, -400.0 * x, -400.0 * x, 200.0];
    close(&found.value().to_vec(), &expected, 1e-13);
    let (value, product) = hvp(rosenbrock, &Variable::from([x, y]), &Variable::from([1.0, 2.0]));
    close(&[value.item()], &[100.0 * (y - x * x).powi(2) + (1.0 - x).powi(2)], 1e-13);
    let products = [expected[0] + 2.0 * expected[1], expected[2] + 2.0 * expected[3]];
    close(&product.value().to_vec(), &products, 1e-13);
}

#[test]
fn hessian_of_the_logarithm_of_a_sum_of_exponentials() {
    let x = Variable::from([0.3_f64, -1.0, 2.0]);
    let found = hessian(|x| x.exp().sum().ln(), &x).value().to_vec();
    // diag(p) − p·pᵀ, with p the softmax
    let e: Vec<f64> = x.value().iter().map(f64::exp).collect();
    let p: Vec<f64> = e.iter().map(|x| x / e.iter().sum::<f64>()).collect();
    for i in 0..3 {
        for j in 0..3 {
            let expected = if i == j { p[i] } else { 0.0 } - p[i] * p[j];
            close(&[found[3 * i + j]], &[expected], 1e-13);
        }
    }
}

#[test]
fn hessian_of_a_network_is_symmetric_and_agrees_with_differences() {
    let mut numbers = Numbers::new(3);
    let mut matrix =
        |rows, columns| Variable::new(Tensor::<f64>::from_fn([rows, columns], |_| 0.5 * numbers.normal()));
    let (w, v, x) = (matrix(4, 5), matrix(5, 1), matrix(1, 4));
    let net = |x: &Variable<f64>| x.reshape([1, 4]).matmul(&w).tanh().matmul(&v).tanh().sum();
    let x = x.reshape([4]);
    let h = hessian(net, &x).value();
    close(&h.to_vec(), &h.transpose(0, 1).to_vec(), 1e-12);
    let report = Gradcheck::new().order(2).check(|x| net(&x[0]), &[x.value()]).unwrap();
    assert!(report.passed(), "{report}");
    let e = 1e-5;
    for j in 0..4 {
        let moved = |t: f64| {
            let x = x.value();
            let x = Tensor::from_fn([4], |at| x.get(at).unwrap() + if at[0] == j { t } else { 0.0 });
            jacobian(|x| net(x), &Variable::new(x)).value().to_vec()
        };
        let (high, low) = (moved(e), moved(-e));
        let column: Vec<f64> = high.iter().zip(low).map(|(high, low)| (high - low) / (2.0 * e)).collect();
        close(&h.select(1, j as isize).to_vec(), &column, 1e-8);
    }
}

#[test]
fn derivatives_of_inputs_that_need_one_can_be_differentiated() {
    let x = Variable::from([1.0_f64, 2.0]).requires_grad();
    let j = jacobian(|x| x.powf(3.0), &x); // diag(3x²)
    let third = grad(&[&j.sum()]).wrt(&[&x]).remove(0);
    close(&third.value().to_vec(), &[6.0, 12.0], 1e-13);
    assert!(!jacobian(|x| x.powf(3.0), &x.detach()).needs_grad());
}

#[test]
fn one_variable_in_two_places_has_two_partial_derivatives() {
    let x = Variable::from(3.0_f64);
    let (_, partial) = vjp(|x| &x[0] * x[1].square(), &[&x, &x], &[&Variable::from(1.0)]);
    assert_eq!((partial[0].item(), partial[1].item()), (9.0, 18.0));
}

#[test]
fn a_checkpoint_has_the_same_gradients_and_keeps_less() {
    let _alone = alone();
    let w = Variable::from([0.5_f64, -0.3, 0.8]).requires_grad();
    let x = Variable::from([1.0_f64, 2.0, -0.7]).requires_grad();
    let runs = std::sync::Arc::new(AtomicUsize::new(0));
    let segment = {
        let (w, runs) = (w.clone(), runs.clone());
        move |x: &[Variable<f64>]| {
            runs.fetch_add(1, Ordering::Relaxed);
            let h = (&x[0] * &w).tanh().exp().sin();
            vec![&h * &w, h.square()]
        }
    };
    let loss = |parts: Vec<Variable<f64>>| (&parts[0] * 2.0 + &parts[1]).square().sum();

    loss(segment(std::slice::from_ref(&x))).backward();
    let plain = (x.grad().unwrap().to_vec(), w.grad().unwrap().to_vec());
    x.zero_grad();
    w.zero_grad();

    let parts = checkpoint(segment.clone(), &[&x]);
    runs.store(0, Ordering::Relaxed);
    loss(parts).backward();
    assert_eq!(runs.load(Ordering::Relaxed), 1, "computed once more");
    assert_eq!((x.grad().unwrap().to_vec(), w.grad().unwrap().to_vec()), plain);

    let check = |x: &[Variable<f64>]| checkpoint(|x| vec![(&x[0] * &x[1]).tanh().exp()], &[&x[0], &x[1]]);
    for order in [1, 2] {
        let report = Gradcheck::new().order(order).check(check, &[x.value(), w.value()]).unwrap();
        assert!(report.passed(), "{report}");
    }
}

#[test]
fn a_checkpoint_drops_the_same_units_again() {
    let _alone = alone();
    let x = Variable::new(Tensor::<f64>::ones([100])).requires_grad();
    let y = checkpoint(|x| vec![x[0].dropout(0.5, true)], &[&x]).remove(0);
    y.sum().backward();
    assert_eq!(x.grad().unwrap().to_vec(), y.value().to_vec());
}

#[test]
fn a_panic_while_a_segment_is_computed_again_leaves_the_random_numbers_alone() {
    let _alone = alone();
    let runs = AtomicUsize::new(0);
    let segment = move |x: &[Variable<f64>]| {
        let y = x[0].dropout(0.5, true);
        assert!(runs.fetch_add(1, Ordering::Relaxed) == 0, "the second time, on purpose");
        vec![y]
    };
    let x = Variable::new(Tensor::<f64>::ones([8])).requires_grad();
    let y = checkpoint(segment, &[&x]).remove(0).sum();
    let before = wengert_autograd::random_state();
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| y.backward())).unwrap_err();
    assert_eq!(wengert_autograd::random_state(), before);
}

#[test]
fn what_a_hook_records_bears_the_hooks_line() {
    let x = Variable::from([1.0_f64, 2.0]).requires_grad();
    let y = x.exp();
    let line = line!() + 1;
    y.on_grad(|g| Some(g * 2.0));
    let slope = grad(&[&y.square().sum()]).create_graph(true).wrt(&[&y]).remove(0);
    let at = slope.recorded_at().expect("the pass was recorded");
    assert_eq!((at.file().ends_with("functional.rs"), at.line()), (true, line));
}

#[test]
fn a_panic_in_a_hook_leaves_recording_on() {
    let _alone = alone();
    let attempt = std::panic::catch_unwind(|| {
        let x = Variable::from([1.0_f64, 2.0]).requires_grad();
        let y = x.exp();
        y.on_grad(|_| panic!("a hook of the user's"));
        (y * &x).sum().backward();
    });
    assert!(attempt.is_err());
    assert!(wengert_autograd::is_grad_enabled());
}

fn panic_text(work: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(work).expect_err("a panic");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn the_first_nan_is_named() {
    let text = panic_text(|| {
        detect_anomaly(|| {
            let x = Variable::from([[1.0_f64, -2.0], [3.0, 4.0]]).requires_grad();
            _ = x.ln().sum();
        });
    });
    for part in ["ln (recorded at", "functional.rs", "NaN at [0, 1] of output 0", "[2, 2]"] {
        assert!(text.contains(part), "{part:?} is missing in {text}");
    }
    let text = panic_text(|| {
        detect_anomaly(|| {
            let x = Variable::from([4.0_f64, 0.0]).requires_grad();
            x.sqrt().sum().backward();
        });
    });
    for part in ["the rule of sqrt (recorded at", "functional.rs", "inf at [1] of the gradient of input 0"] {
        assert!(text.contains(part), "{part:?} is missing in {text}");
    }
    let x = Variable::from([4.0_f64, 0.0]).requires_grad();
    x.sqrt().sum().backward(); // outside nothing is checked
    assert_eq!(x.grad().unwrap().to_vec(), [0.25, f64::INFINITY]);
}

#[test]
fn forgotten_parameters_are_named() {
    let parameter = || Variable::parameter(Tensor::<f32>::ones([2]));
    let (used, cut, frozen) = (parameter(), parameter(), parameter());
    frozen.set_requires_grad(false);
    let all =
        NamedParameters::from_iter([("a.used", used.clone()), ("b.cut", cut.clone()), ("c.frozen", frozen)]);
    (&used * cut.detach()).sum().backward();
    assert_eq!(all.missing_gradients(), ["b.cut"]);
}
