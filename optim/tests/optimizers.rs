//! Optimisers that the reference values do not cover, against their papers' formulas in plain arithmetic; groups, states,
//! schedules at work.

use wengert_autograd::{NamedParameters, Tensor, Variable, tensor::Generator};
use wengert_optim::{schedule::*, *};

fn parameter(values: &[f64]) -> Variable<f64> {
    Variable::parameter(Tensor::from_slice(values, values.len()).unwrap())
}

fn one(parameter: &Variable<f64>) -> NamedParameters<f64> {
    NamedParameters::from_iter([("w", parameter.clone())])
}

/// Gradients of three steps.
const GRADIENTS: [[f64; 3]; 3] = [[0.3, -1.2, 0.05], [-0.4, -0.1, 2.0], [0.9, 0.0, -0.7]];

/// The parameter after each of three steps.
fn follow(optimizer: &mut impl Optimizer<f64>, w: &Variable<f64>) -> Vec<Vec<f64>> {
    GRADIENTS
        .iter()
        .map(|g| {
            w.set_grad(Some(Tensor::from_slice(g, 3).unwrap()));
            optimizer.step();
            w.value().to_vec()
        })
        .collect()
}

#[track_caller]
fn close(got: &[f64], want: &[f64]) {
    for (got, want) in got.iter().zip(want) {
        assert!((got - want).abs() < 1e-12, "{got} against {want}");
    }
}

#[test]
fn lion_is_algorithm_2_of_chen_and_others() {
    let w = parameter(&[1.0, -2.0, 0.5]);
    let (lr, b1, b2, decay) = (0.1, 0.9, 0.99, 0.2);
    let got = follow(&mut Lion::new(one(&w)).lr(lr).betas((b1, b2)).weight_decay(decay), &w);
    let (mut p, mut m) = ([1.0, -2.0, 0.5], [0.0; 3]);
    for (g, got) in GRADIENTS.iter().zip(got) {
        for i in 0..3 {
            let c: f64 = b1 * m[i] + (1.0 - b1) * g[i];
            let sign = if c == 0.0 { 0.0 } else { c.signum() };
            p[i] -= lr * (sign + decay * p[i]);
            m[i] = b2 * m[i] + (1.0 - b2) * g[i];
        }
        close(&got, &p);
    }
}

#[test]
fn lamb_is_algorithm_2_of_you_and_others() {
    let w = parameter(&[1.0, -2.0, 0.5]);
    let (lr, b1, b2, eps, decay) = (0.05, 0.9, 0.99, 1e-6, 0.1);
    let got = follow(&mut Lamb::new(one(&w)).lr(lr).betas((b1, b2)).eps(eps).weight_decay(decay), &w);
    let (mut p, mut m, mut v) = ([1.0, -2.0, 0.5], [0.0; 3], [0.0; 3]);
    for (t, (g, got)) in GRADIENTS.iter().zip(got).enumerate() {
        let t = t as i32 + 1;
        let mut r = [0.0; 3];
        for i in 0..3 {
            m[i] = b1 * m[i] + (1.0 - b1) * g[i];
            v[i] = b2 * v[i] + (1.0 - b2) * g[i] * g[i];
            let (mean, square): (f64, f64) = (m[i] / (1.0 - b1.powi(t)), v[i] / (1.0 - b2.powi(t)));
            r[i] = mean / (square.sqrt() + eps) + decay * p[i];
        }
        let norm = |x: &[f64; 3]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
        let trust = norm(&p) / norm(&r);
        for i in 0..3 {
            p[i] -= lr * trust * r[i];
        }
        close(&got, &p);
    }
}

#[test]
fn muon_steps_have_singular_values_near_one() {
    let mut generator = Generator::new(5);
    for shape in [[6, 4], [4, 6], [5, 5]] {
        let w = Variable::parameter(Tensor::<f64>::zeros(shape));
        let mut muon = Muon::new(one(&w)).lr(1.0).weight_decay(0.0);
        let gradient = Tensor::<f64>::randn(shape, &mut generator);
        w.set_grad(Some(gradient.clone()));
        muon.step();
        let scale = (shape[0] as f64 / shape[1] as f64).max(1.0).sqrt();
        let step = w.value().map(|x| -x / scale);
        // Singular values between 0.6 and 1.3: so are the squares' sum and the product with the gradient's own direction.
        let small = shape[0].min(shape[1]) as f64;
        let squares: f64 = step.iter().map(|x| x * x).sum();
        assert!(squares > 0.4 * small && squares < 1.5 * small, "{shape:?}: {squares}");
        let along: f64 = step.iter().zip(gradient.iter()).map(|(a, b)| a * b).sum();
        assert!(along > 0.0);
    }
}

#[test]
#[should_panic(expected = "it is for matrices, give the others to AdamW")]
fn muon_is_for_matrices() {
    let w = parameter(&[1.0]);
    w.set_grad(Some(Tensor::ones([1])));
    Muon::new(one(&w)).step();
}

#[test]
fn groups_have_settings_of_their_own() {
    let (a, b) = (parameter(&[1.0]), parameter(&[1.0]));
    let parameters = NamedParameters::from_iter([("a.weight", a.clone()), ("a.bias", b.clone())]);
    let mut sgd = Sgd::new(parameters).lr(0.5).group(|name| name.ends_with("bias"), |rule| rule.lr = 0.1);
    for w in [&a, &b] {
        w.set_grad(Some(Tensor::ones([1])));
    }
    sgd.step();
    assert_eq!((a.item(), b.item()), (0.5, 0.9));
    assert_eq!((sgd.groups(), sgd.learning_rate(0), sgd.learning_rate(1)), (2, 0.5, 0.1));
    // A schedule scales each group from its own rate.
    let mut scheduler = Scheduler::new(ExponentialLr::new(0.5), &mut sgd);
    scheduler.step(&mut sgd);
    assert_eq!((sgd.learning_rate(0), sgd.learning_rate(1)), (0.25, 0.05));
    assert_eq!(sgd.parameters().names().collect::<Vec<_>>(), ["a.weight", "a.bias"]);
}

#[test]
fn parameters_without_a_gradient_stay() {
    let (a, b) = (parameter(&[1.0]), parameter(&[1.0]));
    let parameters = NamedParameters::from_iter([("a", a.clone()), ("b", b.clone())]);
    let mut adam = Adam::new(parameters).weight_decay(0.1);
    a.set_grad(Some(Tensor::ones([1])));
    adam.step();
    assert!(a.item() < 1.0 && b.item() == 1.0);
    let state = adam.state();
    assert_eq!((state.parameters["a"].step, state.parameters["b"].step), (1, 0));
    adam.load_state(state).unwrap();
}

#[test]
fn states_go_to_the_parameters_of_their_names() {
    let run = |w: &Variable<f64>, optimizer: &mut NAdam<f64>, steps: std::ops::Range<usize>| {
        for step in steps {
            w.set_grad(Some(Tensor::from_slice(&GRADIENTS[step], 3).unwrap()));
            optimizer.step();
        }
    };
    let w = parameter(&[1.0, -2.0, 0.5]);
    let mut straight = NAdam::new(one(&w));
    run(&w, &mut straight, 0..3);

    let v = parameter(&[1.0, -2.0, 0.5]);
    let mut first = NAdam::new(one(&v));
    run(&v, &mut first, 0..2);
    let text = serde_json::to_string(&first.state()).unwrap();
    let mut second = NAdam::new(one(&v));
    second.load_state(serde_json::from_str(&text).unwrap()).unwrap();
    run(&v, &mut second, 2..3);
    assert_eq!(v.value(), w.value());

    let other = NamedParameters::from_iter([("v", parameter(&[1.0, 1.0, 1.0]))]);
    let error = NAdam::new(other).load_state(first.state()).unwrap_err();
    assert!(
        matches!(&error, StateError::Names { missing, unexpected } if missing == &["v"] && unexpected == &["w"])
    );
    let shorter = NamedParameters::from_iter([("w", parameter(&[1.0]))]);
    let error = NAdam::new(shorter).load_state(first.state()).unwrap_err();
    assert!(error.to_string().contains("exp_avg has the shape [3], the parameter [1]"), "{error}");
}

#[test]
fn clipping_lets_a_nan_be_seen() {
    let w = parameter(&[1.0, 1.0]);
    w.set_grad(Some(Tensor::from_slice(&[f64::NAN, 1.0], 2).unwrap()));
    assert!(clip_grad_norm(&one(&w), 1.0, 2.0).is_nan());
    assert!(w.grad().unwrap().iter().all(f64::is_nan));
}

#[test]
fn averages_follow() {
    let w = parameter(&[0.0]);
    let mut mean = AveragedParameters::new(one(&w), Averaging::Equal);
    for value in [1.0, 2.0, 6.0] {
        w.set(Tensor::full([1], value));
        mean.update();
    }
    let average = mean.iter().next().unwrap().1.item();
    assert!((average - 3.0).abs() < 1e-12);
}

#[test]
fn lbfgs_minimises_in_single_precision_and_without_a_line_search() {
    for search in [true, false] {
        let w = Variable::parameter(Tensor::<f32>::full([4], 3.0));
        let parameters = NamedParameters::from_iter([("w", w.clone())]);
        let mut lbfgs = Lbfgs::new(parameters).line_search(search).max_iter(30).tolerance_grad(1e-5);
        let scale = Variable::from([1.0_f32, 2.0, 5.0, 10.0]);
        lbfgs.step(|| (w.square() * &scale).sum());
        assert!(w.value().iter().all(|x| x.abs() < 1e-3), "{:?}", w.value().to_vec());
    }
}
