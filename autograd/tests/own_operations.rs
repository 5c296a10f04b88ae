//! Operations as users write them, outside of the crate: any arity, state, several outputs, any order.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use wengert_autograd::{
    Context, Cotangents, Float, Gradient, Grads, Keep, Op, Tensor, Variable, check::Gradcheck, grad, no_grad,
};

fn parameter(values: &[f64]) -> Variable<f64> {
    Variable::parameter(Tensor::from_slice(values, [values.len()]).expect("a vector"))
}

/// The point (x, y) turned by an angle: three inputs, two outputs.
struct Turn;

impl<T: Float> Op<T> for Turn {
    fn name(&self) -> &'static str {
        "turn"
    }
    fn backward(&self, cx: &Context<'_, T>, mut g: Cotangents<T>) -> Grads<T> {
        let (angle, u, v) = (cx.input(2), cx.output(0), cx.output(1));
        let (cos, sin) = (angle.cos(), angle.sin());
        let nothing = || Variable::new(Tensor::zeros(cx.output_shape(0)));
        // Either output may have been left unused.
        let (gu, gv) = (g.take(0).unwrap_or_else(nothing), g.take(1).unwrap_or_else(nothing));
        cx.gradients([
            &|| &gu * &cos + &gv * &sin,
            &|| &gv * &cos - &gu * &sin,
            &|| &gv * &u - &gu * &v, // ∂u/∂angle = −v, ∂v/∂angle = u
        ])
    }
}

#[track_caller]
fn turn<T: Float>(x: &Variable<T>, y: &Variable<T>, angle: &Variable<T>) -> [Variable<T>; 2] {
    let [u, v] = no_grad(|| {
        let (cos, sin) = (angle.cos(), angle.sin());
        [x * &cos - y * &sin, x * &sin + y * &cos]
    });
    let keep = Keep::inputs([2]).and(Keep::outputs([0, 1]));
    Variable::from_op_many(Turn, &[x, y, angle], [u.value(), v.value()], keep)
}

#[test]
fn several_inputs_and_outputs() {
    let inputs = [[0.5, -1.0], [2.0, 0.3], [0.7, -2.1]].map(|values| parameter(&values).value());
    let both = |x: &[Variable<f64>]| turn(&x[0], &x[1], &x[2]);
    let first = |x: &[Variable<f64>]| turn(&x[0], &x[1], &x[2]).into_iter().next().unwrap();
    for order in [1, 2] {
        let check = Gradcheck::new().order(order);
        for report in [check.check(both, &inputs).unwrap(), check.check(first, &inputs).unwrap()] {
            assert!(report.passed(), "{report}");
        }
    }
    let [x, y, angle] = inputs.map(Variable::parameter);
    let line = line!() + 1;
    let [u, _] = turn(&x, &y, &angle);
    assert_eq!((u.op_name(), u.recorded_at().unwrap().line()), (Some("turn"), line));
    // Four quarter turns of the derivative: d⁴u/dangle⁴ = u.
    let mut derivative = u.sum();
    for _ in 0..4 {
        derivative = grad(&[&derivative.sum()]).create_graph(true).wrt(&[&angle]).remove(0);
    }
    for (found, expected) in derivative.value().iter().zip(u.value().iter()) {
        assert!((found - expected).abs() < 1e-12, "{found} against {expected}");
    }
}

/// Σ wₖ·xₖᵖ of any number of inputs: the weights and the power are the operation's state.
struct Mixture {
    weights: Vec<f64>,
    power: i32,
    /// How often the rule has run: state that changes.
    runs: Arc<AtomicUsize>,
}

impl Op<f64> for Mixture {
    fn name(&self) -> &'static str {
        "mixture"
    }
    fn backward(&self, cx: &Context<'_, f64>, g: Cotangents<f64>) -> Grads<f64> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        let g = g.only();
        let slope = |i: usize| {
            let power = f64::from(self.power);
            cx.input(i).powf(power - 1.0) * (&g * (self.weights[i] * power))
        };
        Grads::of((0..cx.input_count()).map(|i| match cx.wants(i) {
            true => Gradient::Whole(slope(i)),
            false => Gradient::None,
        }))
    }
}

fn mixture(inputs: &[&Variable<f64>], power: i32, runs: &Arc<AtomicUsize>) -> Variable<f64> {
    let weights: Vec<f64> = (0..inputs.len()).map(|k| 0.5 + k as f64).collect();
    let terms = inputs.iter().zip(&weights);
    let value = no_grad(|| {
        let terms = terms.map(|(x, &weight)| x.powf(f64::from(power)) * weight);
        terms.reduce(|a, b| a + b).expect("at least one input")
    });
    let op = Mixture { weights, power, runs: runs.clone() };
    Variable::from_op(op, inputs, value.value(), Keep::inputs(0..inputs.len()))
}

#[test]
fn any_number_of_inputs_with_state() {
    let runs = Arc::new(AtomicUsize::new(0));
    for count in [1, 2, 7, 20] {
        let inputs: Vec<Tensor<f64>> =
            (0..count).map(|k| parameter(&[0.5 + 0.1 * k as f64, 1.5]).value()).collect();
        let call = |x: &[Variable<f64>]| mixture(&x.iter().collect::<Vec<_>>(), 3, &runs);
        for order in [1, 2] {
            let report = Gradcheck::new().order(order).check(call, &inputs).unwrap();
            assert!(report.passed(), "{count} inputs: {report}");
        }
    }
    // Gradients that are not wanted are not asked for, and a rule runs once a pass.
    let (x, y) = (parameter(&[2.0]), parameter(&[3.0]));
    let z = mixture(&[&x, &y.detach()], 2, &runs);
    runs.store(0, Ordering::Relaxed);
    z.backward();
    assert_eq!((runs.load(Ordering::Relaxed), x.grad().unwrap().item()), (1, 2.0));
    assert!(y.grad().is_none());
}

/// A unit that fires when its potential reaches 1. Its true derivative is 0 wherever there is one.
struct Spike;

impl<T: Float> Op<T> for Spike {
    fn name(&self) -> &'static str {
        "spike"
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        // Deliberately not the derivative: that of a soft threshold, 1/(1 + 10|u − 1|)².
        let distance = (cx.input(0) - 1.0).abs();
        Grads::one(g.only() / (distance * 10.0 + 1.0).square())
    }
}

#[test]
fn a_surrogate_gradient_is_used_as_it_is_and_the_check_says_that_it_is_none() {
    let spike = |u: &Variable<f64>| {
        let fired = u.value().map(|u| if u >= 1.0 { 1.0 } else { 0.0 });
        Variable::from_op(Spike, &[u], fired, Keep::inputs([0]))
    };
    let u = parameter(&[0.9, 1.0, 2.0]);
    let spikes = spike(&u);
    assert_eq!(spikes.value().to_vec(), [0.0, 1.0, 1.0]);
    spikes.sum().backward();
    for (found, expected) in u.grad().unwrap().iter().zip([0.25, 1.0, 1.0 / 121.0]) {
        assert!((found - expected).abs() < 1e-12, "{found} against {expected}");
    }
    let report = Gradcheck::new().check(|x| spike(&x[0]), &[u.value() + 0.3]).unwrap();
    assert!(!report.passed(), "a surrogate must not pass for a derivative");
}
