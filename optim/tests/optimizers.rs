//! Optimisers that the reference values do not cover, against their papers' formulas; groups, states, schedules at work.

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

#[track_caller]
fn close(got: &[f64], want: &[f64]) {
    for (got, want) in got.iter().zip(want) {
        assert!((got - want).abs() < 1e-11, "{got} against {want}");
    }
}

/// Three steps of each optimiser as `fixtures/steps.py` has them from the papers' formulas.
#[test]
fn steps_are_those_of_the_papers() {
    let text = include_str!("fixtures/steps.json");
    let stored: serde_json::Value = serde_json::from_str(text).unwrap();
    let matrix = |value: &serde_json::Value, turned: bool| {
        let rows: Vec<Vec<f64>> = serde_json::from_value(value.clone()).unwrap();
        let matrix = Tensor::from_vec(rows.concat(), [rows.len(), rows[0].len()]).unwrap();
        if turned { matrix.t().contiguous() } else { matrix }
    };
    for case in stored["cases"].as_array().unwrap() {
        let turned = case["turned"].as_bool().unwrap_or(false);
        let w = Variable::parameter(matrix(&stored["start"], turned));
        let number = |key: &str| case[key].as_f64().unwrap();
        let betas = || (case["betas"][0].as_f64().unwrap(), case["betas"][1].as_f64().unwrap());
        let (lr, decay) = (number("lr"), number("weight_decay"));
        let maximize = case["maximize"].as_bool().unwrap_or(false);
        let name = case["optimizer"].as_str().unwrap();
        let mut optimizer: Box<dyn Optimizer<f64>> = match name {
            "lion" => {
                Box::new(Lion::new(one(&w)).lr(lr).betas(betas()).weight_decay(decay).maximize(maximize))
            }
            "lamb" => {
                Box::new(Lamb::new(one(&w)).lr(lr).betas(betas()).eps(number("eps")).weight_decay(decay))
            }
            _ => {
                let muon = Muon::new(one(&w)).lr(lr).momentum(number("momentum")).weight_decay(decay);
                Box::new(muon.nesterov(case["nesterov"].as_bool().unwrap()))
            }
        };
        let steps = stored["gradients"].as_array().unwrap().iter().zip(case["expected"].as_array().unwrap());
        for (gradient, expected) in steps {
            w.set_grad(Some(matrix(gradient, turned)));
            optimizer.step();
            close(&w.value().to_vec(), &matrix(expected, false).to_vec());
        }
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
    // What was stored goes on as if it had never stopped.
    let mut again = AveragedParameters::new(one(&w), Averaging::Equal);
    again.load_state(mean.state()).unwrap();
    w.set(Tensor::full([1], 7.0));
    again.update();
    assert_eq!(again.updates(), 4);
    assert!((again.iter().next().unwrap().1.item() - 4.0).abs() < 1e-12);
    assert!(again.load_state(Sgd::new(one(&w)).state()).is_err());
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

#[test]
fn accumulated_batches_are_one_large_batch() {
    let x = Tensor::<f64>::randn([12, 3], &mut Generator::new(2));
    let loss = |w: &Variable<f64>, x: Tensor<f64>| (Variable::new(x) * w).square().mean();
    let (whole, parts) = (parameter(&[1.0, -2.0, 0.5]), parameter(&[1.0, -2.0, 0.5]));
    let mut adam = Adam::new(one(&whole)).lr(0.1);
    loss(&whole, x.narrow(0, 0, 9)).backward();
    adam.step();
    adam.zero_grad();
    loss(&whole, x.narrow(0, 9, 3)).backward();
    adam.step();
    let mut adam = Adam::new(one(&parts)).lr(0.1);
    let mut accumulation = GradientAccumulation::new(3);
    let mut steps = Vec::new();
    for batch in 0..4 {
        accumulation.backward(&loss(&parts, x.narrow(0, 3 * batch, 3)));
        steps.push(accumulation.step(&mut adam));
    }
    assert_eq!(steps, [false, false, true, false]);
    // The last batch stands alone.
    assert!(accumulation.finish(&mut adam) && !accumulation.finish(&mut adam));
    close(&parts.value().to_vec(), &whole.value().to_vec());
    assert!(parts.grad().is_none_or(|g| g.iter().all(|g| g == 0.0)));
}

#[test]
fn gradient_noise_fades_as_the_paper_says() {
    let w = Variable::parameter(Tensor::<f64>::zeros([40_000]));
    for step in [0, 99] {
        w.set_grad(Some(Tensor::zeros([40_000])));
        add_gradient_noise(&one(&w), 0.3, 0.55, step, &mut Generator::new(step));
        let found = w.grad().unwrap().iter().map(|g| g * g).sum::<f64>() / 40_000.0;
        let variance = 0.3 / (1.0 + step as f64).powf(0.55);
        assert!((found / variance - 1.0).abs() < 0.05, "{found} at step {step}, expected {variance}");
    }
}
