//! Property tests of every operation, at inputs that nobody chose.

use proptest::prelude::*;
use wengert_autograd::{
    Tensor, Variable,
    check::{Gradcheck, Sample, registry, strategies},
    grad,
};

fn settings(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// All samples that differences can judge, with the operation's name.
fn samples() -> Vec<(&'static str, Sample)> {
    let named =
        registry().into_iter().flat_map(|entry| entry.samples().into_iter().map(move |s| (entry.name, s)));
    named.filter(|(_, sample)| sample.highest_order() > 0).collect()
}

#[test]
fn every_operation_has_the_right_gradient_at_random_inputs() {
    for (name, sample) in samples() {
        proptest!(settings(4), |(seed in any::<u64>())| {
            let check = Gradcheck::new().projected(2).seed(seed);
            let report = sample.check(sample.draw(seed), &check).map_err(TestCaseError::fail)?;
            prop_assert!(report.passed(), "{name}, {}: {report}", sample.name);
        });
    }
}

#[test]
fn gradients_are_linear_in_the_cotangent() {
    for (name, sample) in samples() {
        let x = sample.draw(11);
        let variables: Vec<Variable<f64>> = x.into_iter().map(Variable::parameter).collect();
        let pulled = |scale: f64| -> Vec<f64> {
            let outputs = sample.run(&variables);
            let outputs: Vec<&Variable<f64>> = outputs.iter().filter(|y| y.needs_grad()).collect();
            let g: Vec<Variable<f64>> =
                outputs.iter().map(|y| Variable::new(Tensor::full(y.shape(), scale))).collect();
            let g: Vec<&Variable<f64>> = g.iter().collect();
            let targets: Vec<&Variable<f64>> = variables.iter().collect();
            let found = grad(&outputs).grad_outputs(&g).wrt_allowing_unused(&targets);
            found.into_iter().flatten().flat_map(|gradient| gradient.value().to_vec()).collect()
        };
        // A power of two, so that the products are exact.
        for (once, eight) in pulled(1.0).into_iter().zip(pulled(8.0)) {
            assert!((8.0 * once - eight).abs() <= 1e-12 * eight.abs(), "{name}, {}", sample.name);
        }
    }
}

proptest! {
    #![proptest_config(settings(64))]

    #[test]
    fn arithmetic_broadcasts_and_its_gradients_are_summed_back((x, y) in strategies::broadcastable_pair(0..=4, 4)) {
        let check = Gradcheck::new().projected(2);
        let f = |v: &[Variable<f64>]| &v[0] * &v[1] - v[0].tanh() / (v[1].square() + 1.0);
        let report = check.check(f, &[x, y])?;
        prop_assert!(report.passed(), "{report}");
    }

    #[test]
    fn layout_makes_no_difference(
        (x, y) in strategies::tensor(0..=4, 4).prop_flat_map(|x| (strategies::laid_out(x.clone()), Just(x))),
    ) {
        let value = |x: Tensor<f64>| {
            let x = Variable::parameter(x);
            let y = (x.exp() * x.sin() + &x).sum();
            y.backward();
            (y.item(), x.grad().unwrap().to_vec())
        };
        prop_assert_eq!(value(x), value(y));
    }
}
