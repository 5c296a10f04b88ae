//! Lesson 23: write your own operation, and prove it.
//!
//! A formula of single numbers is a line in `elementwise!`, and there is nothing to prove: its derivative comes from the
//! library's table. Anything else is a value and a rule, `impl Op`. A rule can be wrong, so it is checked against
//! differences, with random cotangents, at first and second order; then it is as trustworthy as those of the library.
//!
//! Source: A. Griewank, A. Walther, *Evaluating Derivatives*, 2nd edition (2008), section 3.2; PyTorch's note "Gradcheck
//! mechanics".
//!
//! `cargo run --release --example 23_own_operation`

use wengert::check::{gradcheck, gradgradcheck};
use wengert::{Context, Cotangents, Grads, Keep, Op, Tensor, Variable, elementwise, tensor};

elementwise! {
    /// x squashed by how much it exceeds its scale: x / √(1 + (x/s)²).
    fn squash(x, s) = x / sqrt(1 + (x / s) * (x / s))
}

/// What the rule of the geometric mean does; the first is right.
#[derive(Clone, Copy)]
enum Rule {
    Right,
    /// Forgets to divide by n.
    Scaled,
    /// Takes the numbers off the graph: right once, wrong twice.
    Detached,
}

/// y = (x₁ · x₂ · … · xₙ)^(1/n), of positive numbers.
struct GeometricMean(Rule);

impl Op<f64> for GeometricMean {
    fn name(&self) -> &'static str {
        "geometric_mean"
    }
    /// ∂y/∂xᵢ = y / (n·xᵢ), so x̄ += ȳ · y / (n·x).
    fn backward(&self, cx: &Context<'_, f64>, g: Cotangents<f64>) -> Grads<f64> {
        let (x, y) = (cx.input(0), cx.output(0));
        let n = x.len() as f64;
        Grads::one(match self.0 {
            Rule::Right => g.only() * y / (x * n),
            Rule::Scaled => g.only() * y / x,
            Rule::Detached => g.only() * y.detach() / (x.detach() * n),
        })
    }
}

fn geometric_mean(x: &Variable<f64>, rule: Rule) -> Variable<f64> {
    let logarithms: f64 = x.value().iter().map(f64::ln).sum();
    let y = Tensor::scalar((logarithms / x.len() as f64).exp());
    // The rule reads the input and the output, so both are kept.
    Variable::from_op(GeometricMean(rule), &[x], y, Keep::inputs([0]).and(Keep::outputs([0])))
}

/// Softmax with a rule that returns zeros.
struct Lazy;

impl Op<f64> for Lazy {
    fn name(&self) -> &'static str {
        "lazy_softmax"
    }
    fn backward(&self, _: &Context<'_, f64>, g: Cotangents<f64>) -> Grads<f64> {
        Grads::one(g.only() * 0.0)
    }
}

fn lazy_softmax(x: &Variable<f64>) -> Variable<f64> {
    Variable::from_op(Lazy, &[x], x.softmax(0).value(), Keep::NOTHING)
}

fn verdict(passed: bool) -> &'static str {
    if passed { "pass" } else { "FAIL" }
}

fn main() {
    let x = tensor!(f64; 0.5, 2.0, 3.0, 0.9);
    let leaf = Variable::parameter(x.clone());
    let y = squash(&leaf, &Variable::from(1.0));
    y.sum().backward();
    println!("A formula, one line: squash(x, s) = x / √(1 + (x/s)²). At s = 1 its slope is (1 + x²)^(-3/2).");
    println!("  {:>6}{:>12}{:>12}{:>12}", "x", "squash", "backward", "by hand");
    for ((x, y), slope) in x.iter().zip(y.value().iter()).zip(leaf.grad().expect("a pass").iter()) {
        let exact = (1.0 + x * x).powf(-1.5);
        println!("  {x:>6}{y:>12.6}{slope:>12.6}{exact:>12.6}");
        assert!((slope - exact).abs() < 1e-12);
    }
    let s = tensor!(f64; 1.5);
    let report = gradgradcheck(|x| squash(&x[0], &x[1]), &[x.clone(), s]).expect("finite values");
    println!("  second derivatives in x and s against differences: {}\n", verdict(report.passed()));
    assert!(report.passed());

    println!("An operation: the geometric mean of {:?}, as a value and a rule.", x.to_vec());
    let leaf = Variable::parameter(x.clone());
    let y = geometric_mean(&leaf, Rule::Right);
    y.backward();
    println!("  y = {:.6}, x̄ = y / (n·x) = {:.4?}\n", y.item(), leaf.grad().expect("a pass").to_vec());
    println!("  {:<44}{:>9}{:>9}", "rule", "order 1", "order 2");
    let rules = [
        ("x̄ = ȳ·y/(n·x)", Rule::Right, (true, true)),
        ("x̄ = ȳ·y/x, the n forgotten", Rule::Scaled, (false, false)),
        ("x and y detached, as if they were constants", Rule::Detached, (true, false)),
    ];
    for (name, rule, expected) in rules {
        let first = gradcheck(|x| geometric_mean(&x[0], rule), &[x.clone()]).expect("finite values");
        let second = gradgradcheck(|x| geometric_mean(&x[0], rule), &[x.clone()]).expect("finite values");
        println!("  {name:<44}{:>9}{:>9}", verdict(first.passed()), verdict(second.passed()));
        assert_eq!((first.passed(), first.passed() && second.passed()), expected, "{name}");
    }
    println!("\nWhat a failing check says:");
    let report = gradcheck(|x| geometric_mean(&x[0], Rule::Scaled), &[x.clone()]).expect("finite values");
    report.to_string().lines().for_each(|line| println!("  | {line}"));

    println!("\nAnd a trap: checking the gradient of a plain sum. Softmax's outputs sum to 1, so the true");
    println!("gradient of their sum is 0, and a rule that returns nothing but zeros passes:");
    let leaf = Variable::parameter(x.clone());
    lazy_softmax(&leaf).sum().backward();
    let sum = |h: f64| lazy_softmax(&Variable::new(&x + h * tensor!(f64; 1.0, 0.0, 0.0, 0.0))).sum().item();
    let (rule, differences) = (leaf.grad().expect("a pass").to_vec()[0], (sum(1e-5) - sum(-1e-5)) / 2e-5);
    let fooled = (rule - differences).abs() < 1e-6;
    println!("  plain sum: rule {rule}, differences {differences:.0e}: {}", verdict(fooled));
    let report = gradcheck(|x| lazy_softmax(&x[0]), &[x]).expect("finite values");
    println!("  gradcheck, which weights the outputs by random numbers: {}", verdict(report.passed()));
    assert!(fooled && !report.passed(), "random cotangents find it");
}
