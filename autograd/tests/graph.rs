//! The graph as users see it: gradients, order, release, drop.

use approx::assert_relative_eq;
use wengert_autograd::{Tensor, Variable, no_grad, tensor::Generator};

#[track_caller]
fn close(a: &Tensor<f64>, b: &[f64]) {
    let b = Tensor::from_slice(b, a.shape()).expect("as many elements");
    assert_relative_eq!(*a, b, epsilon = 1e-12, max_relative = 1e-12);
}

#[test]
fn a_million_operations_run_backward_and_drop_on_a_small_stack() {
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(|| {
            let x = Variable::from(1.0_f32).requires_grad();
            let mut y = &x * 1.0;
            for _ in 1..1_000_000 {
                y *= 1.0;
            }
            y.backward();
            assert_eq!(x.grad().unwrap().item(), 1.0);
        })
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn a_value_used_twice_gets_both_contributions() {
    let x = Variable::from(3.0_f64).requires_grad();
    let y = &x * &x + &x;
    y.backward();
    close(&x.grad().unwrap(), &[7.0]);
    x.zero_grad();
    (&x * 2.0).backward();
    (&x * 2.0).backward();
    close(&x.grad().unwrap(), &[4.0]);
}

#[test]
fn broadcast_axes_are_summed_back() {
    let x = Variable::from([[1.0_f64, 2.0, 3.0], [4.0, 5.0, 6.0]]).requires_grad();
    let b = Variable::from([10.0_f64, 20.0, 30.0]).requires_grad();
    let s = Variable::from(2.0_f64).requires_grad();
    let y = (&x * &b + &x.sin() / &s).sum();
    y.backward();
    close(&b.grad().unwrap(), &[5.0, 7.0, 9.0]);
    let expected: f64 = [1.0_f64, 2.0, 3.0, 4.0, 5.0, 6.0].iter().map(|x| -x.sin() / 4.0).sum();
    close(&s.grad().unwrap(), &[expected]);
}

#[test]
fn nothing_is_recorded_without_need() {
    let x = Variable::from(3.0_f64).requires_grad();
    assert!(!no_grad(|| &x * &x).needs_grad());
    assert!((&x * &x).needs_grad());
}

#[test]
fn third_derivatives_of_a_fused_formula() {
    use wengert_autograd::grad;
    // f = x³·sin(x)
    let x = Variable::from(0.7_f64).requires_grad();
    let f = &x * &x * &x * x.sin();
    let mut d = f;
    for _ in 0..3 {
        d = grad(&[&d]).create_graph(true).wrt(&[&x]).remove(0);
    }
    let x: f64 = 0.7;
    let expected = 6.0 * x.sin() + 18.0 * x * x.cos() - 9.0 * x * x * x.sin() - x.powi(3) * x.cos();
    close(&d.value(), &[expected]);
}

#[test]
fn grad_with_respect_to_an_inner_result() {
    use wengert_autograd::grad;
    let x = Variable::from([1.0_f64, 2.0]).requires_grad();
    let inner = x.exp();
    let y = (&inner * &inner).sum();
    let found = grad(&[&y]).wrt(&[&inner]).remove(0);
    close(&found.value(), &[2.0 * 1f64.exp(), 2.0 * 2f64.exp()]);
    assert!(x.grad().is_none());
}

/// Gradients of large variables are added up inside the loops that compute them, those of small ones in passes of their own.
#[test]
fn large_gradients_are_added_as_small_ones_are() {
    let column = |n: usize, seed: u64| Tensor::<f32>::randn([n], &mut Generator::new(seed));
    let gradients = |x: &Tensor<f32>, y: &Tensor<f32>, weights: &Tensor<f32>| {
        let (x, y) = (Variable::new(x.clone()).requires_grad(), Variable::new(y.clone()).requires_grad());
        // Of each: alone and squared, on either side of a product, twice in one formula, under a sum that expands.
        let z = &x * &x + x.tanh() * y.exp() + &y * 3.0 - &x / (&y * &y + 1.0) + x.maximum(&y) + y.sum() * &x;
        z.backward_with(&Variable::new(weights.clone()));
        [x.grad().unwrap().to_vec(), y.grad().unwrap().to_vec()]
    };
    for n in [1 << 14, 40_000] {
        let (x, y, weights) = (column(n, 1), column(n, 2), column(n, 3));
        let whole = gradients(&x, &y, &weights);
        // The term that reduces is the only one in which elements meet.
        let again = gradients(&x, &y, &weights);
        assert_eq!(whole, again);
        let (a, b) = (Variable::new(x.cast::<f64>()), Variable::new(y.cast::<f64>()));
        let g = Variable::new(weights.cast::<f64>());
        let one = Variable::from(1.0_f64);
        // The same by hand, term by term.
        let (ta, eb, square) = (a.tanh(), b.exp(), &b * &b + 1.0);
        let above = Variable::new(a.value().gt(b.value()).cast::<f64>());
        let mine = [
            &g * (&a * 2.0 + (&one - &ta * &ta) * &eb - &one / &square + &above + b.sum()),
            &g * (&ta * &eb + 3.0 + &a * &b * 2.0 / (&square * &square) + (&one - &above)) + (&g * &a).sum(),
        ];
        for (found, expected) in whole.iter().zip(mine) {
            for (found, expected) in found.iter().zip(expected.value().to_vec()) {
                let error = (f64::from(*found) - expected).abs();
                assert!(error < 1e-4 * expected.abs().max(10.0), "{found} is not {expected}");
            }
        }
    }
}
