//! Fused operations: kernels for the first derivative, `define` for the higher ones.

use wengert_autograd::{Context, Cotangents, Float, Fused, Grads, Keep, Variable, grad, no_grad};

/// x·y², with kernels of its own.
struct Product;

impl<T: Float> Fused<T> for Product {
    fn name(&self) -> &'static str {
        "product"
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        assert!(!cx.is_recording(), "a kernel would cut the graph");
        let (g, x, y) = (g.only(), cx.input(0), cx.input(1));
        cx.gradients([&|| &g * &y * &y, &|| &g * &x * &y * 2.0])
    }
    fn define(&self, inputs: &[Variable<T>]) -> Vec<Variable<T>> {
        vec![&inputs[0] * &inputs[1] * &inputs[1]]
    }
}

fn product(x: &Variable<f64>, y: &Variable<f64>) -> Variable<f64> {
    let value = no_grad(|| x * y * y).value();
    let [z] = Variable::from_fused(Product, &[x, y], [value], Keep::NOTHING);
    z
}

#[test]
fn inputs_that_depend_on_each_other_have_partial_derivatives_of_their_own() {
    // z = a·tanh²(a), against the same function written without the fused operation, to the third order.
    let derivatives = |z: &dyn Fn(&Variable<f64>) -> Variable<f64>| {
        let a = Variable::from(0.7).requires_grad();
        let mut y = z(&a);
        let mut found = vec![y.item()];
        for _ in 0..3 {
            y = grad(&[&y]).create_graph(true).wrt(&[&a]).remove(0);
            found.push(y.item());
        }
        let first = z(&a);
        first.backward();
        found.push(a.grad().unwrap().item());
        found
    };
    let fused = derivatives(&|a| product(a, &a.tanh()));
    let plain = derivatives(&|a| a * a.tanh() * a.tanh());
    for (fused, plain) in fused.iter().zip(&plain) {
        assert!((fused - plain).abs() < 1e-13, "{fused} against {plain}");
    }
}

#[test]
fn only_the_wanted_partial_derivative_is_found() {
    let (x, y) = (Variable::from(2.0).requires_grad(), Variable::from(3.0).requires_grad());
    let z = product(&x, &y);
    let dx = grad(&[&z]).create_graph(true).wrt(&[&x]).remove(0); // y²
    let mixed = grad(&[&dx]).wrt_allowing_unused(&[&x, &y]);
    assert!(mixed[0].as_ref().is_none_or(|second| second.item() == 0.0));
    assert_eq!(mixed[1].as_ref().unwrap().item(), 6.0);
    assert_eq!(product(&x, &Variable::from(3.0)).op_name(), Some("product"));
}
