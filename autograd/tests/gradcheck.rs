//! The gradient checks themselves: does each verdict come when it should, and does the report say what one needs?

use approx::{assert_abs_diff_eq, assert_relative_eq};
use std::{
    panic::catch_unwind,
    sync::atomic::{AtomicUsize, Ordering},
};
use wengert_autograd::{
    Context, Cotangents, Grads, Keep, Op, Tensor, Variable, assert_gradients,
    check::{CheckError, Differences, Gradcheck, Report, Verdict, check_grads, gradcheck, gradgradcheck},
    grad,
};

/// The product of two inputs, with a rule that may be wrong in the ways that rules of users are.
#[derive(Clone, Copy)]
enum Product {
    Right,
    /// The gradients of the two inputs are exchanged.
    Exchanged,
    /// The second input gets none.
    Forgotten,
    /// One entry of the first gradient is a little too large.
    OneEntry,
    /// The gradients are right and constants, so that second derivatives are lost.
    Detached,
}

impl Op<f64> for Product {
    fn name(&self) -> &'static str {
        "product"
    }
    fn backward(&self, cx: &Context<'_, f64>, g: Cotangents<f64>) -> Grads<f64> {
        let g = g.only();
        let (first, second) = (&g * cx.input(1), &g * cx.input(0));
        match self {
            Product::Right => Grads::of([first, second]),
            Product::Exchanged => Grads::of([second, first]),
            Product::Forgotten => Grads::of([first.clone(), first * 0.0]),
            Product::OneEntry => {
                let shape = first.shape();
                let tilt = Tensor::from_fn(shape, |at| if at == [1, 2] { 1.001 } else { 1.0 });
                Grads::of([first * Variable::new(tilt), second])
            }
            Product::Detached => Grads::of([first.detach(), second.detach()]),
        }
    }
}

impl Product {
    #[track_caller]
    fn of(self, x: &[Variable<f64>]) -> Variable<f64> {
        let value = (x[0].detach() * x[1].detach()).value();
        Variable::from_op(self, &[&x[0], &x[1]], value, Keep::inputs([0, 1]))
    }
}

fn operands() -> [Tensor<f64>; 2] {
    let wave =
        |phase: f64| Tensor::from_fn([2, 3], move |at| (phase + 1.7 * (3 * at[0] + at[1]) as f64).sin());
    [wave(0.3), wave(1.1)]
}

fn verdicts(report: &Report) -> Vec<Verdict> {
    report.inputs.iter().map(|input| input.verdict).collect()
}

fn at(values: &[f64]) -> [Tensor<f64>; 1] {
    [Tensor::from_slice(values, [values.len()]).unwrap()]
}

#[test]
fn a_right_rule_passes_in_every_mode() {
    for differences in [Differences::Central, Differences::FivePoint] {
        for order in 1..=3 {
            let check = Gradcheck::new().order(order).differences(differences).seed(5);
            let full = check.check(|x| Product::Right.of(x), &operands()).unwrap();
            let projected = check.projected(4).check(|x| Product::Right.of(x), &operands()).unwrap();
            assert!(full.passed() && projected.passed(), "{full}\n{projected}");
            assert!(full.error() < 1e-6);
        }
    }
}

#[test]
fn wrong_rules_are_wrong_for_the_inputs_that_they_concern() {
    let found = |product: Product| verdicts(&gradcheck(|x| product.of(x), &operands()).unwrap());
    assert_eq!(found(Product::Exchanged), [Verdict::Wrong, Verdict::Wrong]);
    assert_eq!(found(Product::Forgotten), [Verdict::Pass, Verdict::Wrong]);
    assert_eq!(found(Product::OneEntry), [Verdict::Wrong, Verdict::Pass]);
    let projected = Gradcheck::new().projected(3).check(|x| Product::OneEntry.of(x), &operands()).unwrap();
    assert_eq!(verdicts(&projected), [Verdict::Wrong, Verdict::Pass]);
    assert!(projected.to_string().contains("along random direction ["), "{projected}");
}

#[test]
fn only_the_second_order_sees_that_a_gradient_is_cut_off() {
    let product = |x: &[Variable<f64>]| Product::Detached.of(x);
    assert!(gradcheck(product, &operands()).unwrap().passed());
    let report = gradgradcheck(product, &operands()).unwrap();
    assert_eq!(report.verdict(), Verdict::Wrong);
    assert_eq!(report.order, 2);
    let names: Vec<&str> = report.inputs.iter().map(|input| input.name.as_str()).collect();
    assert_eq!(names, ["input 0", "input 1", "cotangent 0"]);
    assert_eq!(check_grads(product, &operands(), 3).unwrap().order, 2, "the first order that fails");
}

#[test]
fn kinks() {
    let f = |x: &[Variable<f64>]| x[0].relu() + x[0].abs();
    assert_eq!(gradcheck(f, &at(&[1.0, 0.0, -2.0])).unwrap().verdict(), Verdict::Kink);
    // Close to a kink, but not on it: a smaller step settles it.
    assert_eq!(gradcheck(f, &at(&[1.0, 1e-4, -2.0])).unwrap().verdict(), Verdict::Pass);
    // Half of the function does not exist: there is no slope on the left.
    assert_eq!(gradcheck(|x| x[0].sqrt() * 2.0, &at(&[0.0])).unwrap().verdict(), Verdict::Kink);
    // A rule that is wrong elsewhere outweighs the kink, and is what the report shows.
    let broken = |x: &[Variable<f64>]| x[0].abs() * x[0].detach();
    let report = gradcheck(broken, &at(&[0.0, 3.0])).unwrap();
    assert_eq!(report.verdict(), Verdict::Wrong);
    assert_eq!(report.inputs[0].worst.as_ref().unwrap().index, [1]);
}

#[test]
fn ill_conditioned_functions() {
    // It turns so fast that no difference of doubles follows.
    let wave = gradcheck(|x| (x[0].clone() * 3e7).sin(), &at(&[0.3])).unwrap();
    assert_eq!(wave.verdict(), Verdict::IllConditioned, "{wave}");
    // Its digits are lost: the spacing of doubles near 10¹³ is about 2·10⁻³.
    let lost = gradcheck(|x| (x[0].clone() + 1e13) - 1e13, &at(&[0.3])).unwrap();
    assert_eq!(lost.verdict(), Verdict::IllConditioned, "{lost}");
}

#[test]
fn functions_that_differ_from_call_to_call() {
    let calls = AtomicUsize::new(0);
    let drifting = |x: &[Variable<f64>]| &x[0] * (1.0 + 1e-3 * calls.fetch_add(1, Ordering::Relaxed) as f64);
    assert_eq!(gradcheck(drifting, &at(&[0.5, 2.0])).unwrap().verdict(), Verdict::Nondeterministic);
    let dropping = |x: &[Variable<f64>]| x[0].dropout(0.5, true);
    let many = [Tensor::<f64>::ones([64])];
    assert_eq!(gradcheck(dropping, &many).unwrap().verdict(), Verdict::Nondeterministic);
}

#[test]
fn a_gradient_that_is_no_number_is_wrong() {
    // 0·∞ in the branch that is not taken, the trap of `where`.
    let report = gradcheck(|x| (&x[0] * f64::NAN).detach() * 0.0 + &x[0], &at(&[1.0]));
    assert!(matches!(report, Err(CheckError::NotFinite { output: 0, .. })));
    let masked = |x: &[Variable<f64>]| {
        let positive = x[0].value().gt(0.0);
        x[0].sqrt().where_(&positive, &Variable::from([0.0, 0.0]))
    };
    let report = gradcheck(masked, &at(&[4.0, -1.0])).unwrap();
    assert_eq!(report.verdict(), Verdict::Wrong, "{report}");
    assert!(report.to_string().contains("analytic NaN"), "{report}");
}

#[test]
fn the_report_says_where_and_how_to_repeat_it() {
    let line = line!() + 1;
    let broken = |x: &[Variable<f64>]| Product::OneEntry.of(x);
    let report = gradcheck(broken, &operands()).unwrap();
    let text = report.to_string();
    let worst = report.inputs[0].worst.clone().unwrap();
    assert_eq!(worst.index, [1, 2]);
    assert_relative_eq!(worst.analytic, 1.001 * worst.numeric, max_relative = 1e-9);
    for part in [
        "derivatives of order 1: 1 of 2 fail",
        "input 0 [2, 3]: wrong, relative error",
        "input 1 [2, 3]: pass",
        &format!("at [1, 2]: analytic {:e}, numeric {:e}, error", worst.analytic, worst.numeric),
        &format!("the function ends in product, recorded at {}:{line}:", file!()),
        "#[test]\n    fn gradient_of_product() {\n        let x0 = Tensor::<f64>::from_vec(vec![0.29552",
        "assert_gradients!(f, &[x0, x1]);",
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
    // Of the second order too it is the function's own operation that is named.
    let second = gradgradcheck(|x| Product::Detached.of(x), &operands()).unwrap();
    assert_eq!(second.operation().unwrap().0, "product");
    assert!(second.test().contains("let report = Gradcheck::new().order(2).check(f, &[x0, x1]).unwrap();"));
}

#[test]
fn the_test_in_a_report_has_the_settings_of_the_check() {
    let check = Gradcheck::new().projected(2).seed(9).eps(1e-4).tolerances(1e-7, 1e-2);
    let check = check.differences(Differences::Central);
    let test = check.check(|x| x[0].exp(), &at(&[0.5])).unwrap().test();
    let calls = ".eps(0.0001).tolerances(1e-7, 0.01).projected(2).seed(9).differences(Differences::Central)";
    assert!(test.contains(&format!("Gradcheck::new(){calls}.check(f, &[x0])")), "{test}");
    let large = gradcheck(|x| x[0].abs() * x[0].detach(), &[Tensor::linspace(1.0, 2.0, 1000)]).unwrap();
    let text = large.to_string();
    assert!(text.len() < 600 && text.contains("Report::test()"), "{text}");
    assert!(large.test().len() > 1000);
}

#[test]
fn what_cannot_be_checked_is_an_error() {
    let identity = |x: &[Variable<f64>]| x[0].clone();
    assert_eq!(gradcheck(identity, &[]).unwrap_err(), CheckError::NoInputs);
    let nothing = |_: &[Variable<f64>]| Vec::<Variable<f64>>::new();
    assert_eq!(gradcheck(nothing, &at(&[1.0])).unwrap_err(), CheckError::NoOutputs);
    assert_eq!(check_grads(identity, &at(&[1.0]), 0).unwrap_err(), CheckError::OrderZero);
    let error = gradcheck(|x| x[0].ln(), &at(&[1.0, 0.0])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "gradcheck: output 0 has the value -inf at [1]; derivatives are checked where values are finite"
    );
}

#[test]
fn any_order() {
    let report = check_grads(|x| x[0].exp() * x[0].sin(), &at(&[0.4]), 6).unwrap();
    assert!(report.passed() && report.order == 6, "{report}");
}

#[test]
fn empty_inputs_and_unused_ones_pass() {
    let x = [Tensor::<f64>::zeros([0, 3]), Tensor::<f64>::ones([2])];
    let report = gradcheck(|x| x[0].exp(), &x).unwrap();
    assert!(report.passed() && report.inputs[0].worst.is_none(), "{report}");
}

#[test]
fn the_macro_panics_with_the_report() {
    assert_gradients!(|x| Product::Right.of(x), &operands(), order = 2);
    let panic = catch_unwind(|| assert_gradients!(|x| Product::Exchanged.of(x), &operands())).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.contains("input 0 [2, 3]: wrong"), "{text}");
    let panic = catch_unwind(|| assert_gradients!(|x| x[0].clone(), &[])).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "gradcheck: no inputs were given");
}

#[test]
fn a_plain_sum_would_not_have_noticed() {
    // The rows of a softmax sum to 1, so the gradient of their sum is 0, and a rule that returns zeros would pass.
    let x = Variable::new(operands()[0].clone()).requires_grad();
    let of_sum = grad(&[&x.softmax(-1).sum()]).wrt(&[&x]).remove(0);
    assert_abs_diff_eq!(of_sum.value(), Tensor::zeros([2, 3]), epsilon = 1e-16);
    let zeroed = gradcheck(|x| x[0].softmax(-1).detach() + &x[0] * 0.0, &operands()[..1]).unwrap();
    assert_eq!(zeroed.verdict(), Verdict::Wrong);
}
