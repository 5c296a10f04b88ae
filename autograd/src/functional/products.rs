//! Products of the derivatives of a function with vectors, at about the cost of the function itself.

use super::{Outputs, grad};
use crate::{
    graph::{Variable, enable_grad},
    ops::alias,
    scalar::Float,
    tensor::Tensor,
};

/// The inputs at places of their own: gradients with respect to these do not run into one another, even if one variable
/// stands in two places or one was computed from another. Whether the results are to be differentiated again is whether
/// any input needs a gradient.
fn places<T: Float>(inputs: &[&Variable<T>]) -> (Vec<Variable<T>>, bool) {
    let place =
        |x: &&Variable<T>| if x.needs_grad() { enable_grad(|| alias(x)) } else { x.detach().requires_grad() };
    (inputs.iter().map(place).collect(), inputs.iter().any(|x| x.needs_grad()))
}

/// Jᵀ·v with the outputs that need it; zeros for inputs that nothing depends on.
fn pull<T: Float>(
    outputs: &[Variable<T>],
    inputs: &[Variable<T>],
    v: &[&Variable<T>],
    recorded: bool,
) -> Vec<Variable<T>> {
    let flowing = || outputs.iter().zip(v).filter(|(output, _)| output.needs_grad());
    let outputs: Vec<&Variable<T>> = flowing().map(|(output, _)| output).collect();
    let v: Vec<&Variable<T>> = flowing().map(|(_, v)| *v).collect();
    let targets: Vec<&Variable<T>> = inputs.iter().collect();
    let found = grad(&outputs).grad_outputs(&v).create_graph(recorded).wrt_allowing_unused(&targets);
    found.into_iter().zip(inputs).map(|(found, x)| found.unwrap_or_else(|| zeros(x))).collect()
}

fn zeros<T: Float>(x: &Variable<T>) -> Variable<T> {
    Variable::new(Tensor::zeros(x.shape()))
}

#[track_caller]
fn same_shapes<T: Float>(operation: &str, what: &str, given: &[&Variable<T>], wanted: &[Variable<T>]) {
    let (n, m) = (given.len(), wanted.len());
    assert!(n == m, "{operation}: {n} vectors for {m} {what}s");
    for (i, (given, wanted)) in given.iter().zip(wanted).enumerate() {
        let (a, b) = (given.shape(), wanted.shape());
        assert!(a == b, "{operation}: vector {i} has the shape {a:?}, {what} {i} the shape {b:?}");
    }
}

fn constants<T: Float>(variables: Vec<Variable<T>>, recorded: bool) -> Vec<Variable<T>> {
    if recorded { variables } else { variables.iter().map(Variable::detach).collect() }
}

/// The outputs of `f` at `inputs`, and Jᵀ·v: one vector v for each output, one product for each input.
///
/// One backward pass, whatever the number of inputs. See [`jvp`] for the other side.
///
/// ```
/// use wengert_autograd::{Variable, vjp};
///
/// let (x, y) = (Variable::from(3.0_f64), Variable::from(5.0));
/// let (z, products) = vjp(|x| &x[0] * &x[1], &[&x, &y], &[&Variable::from(10.0)]);
/// assert_eq!((z[0].item(), products[0].item(), products[1].item()), (15.0, 50.0, 30.0));
/// ```
///
/// # Panics
/// If the vectors have not the shapes of the outputs.
#[track_caller]
pub fn vjp<T: Float, R: Outputs<T>>(
    f: impl Fn(&[Variable<T>]) -> R,
    inputs: &[&Variable<T>],
    v: &[&Variable<T>],
) -> (Vec<Variable<T>>, Vec<Variable<T>>) {
    let (x, recorded) = places(inputs);
    let outputs = enable_grad(|| f(&x)).into_outputs();
    same_shapes("vjp", "output", v, &outputs);
    let products = pull(&outputs, &x, v, recorded);
    (constants(outputs, recorded), products)
}

/// The outputs of `f` at `inputs`, and J·v: one vector v for each input, one product for each output.
///
/// Jᵀ·u is linear in u, and its derivative along v is J·v: two backward passes, whatever the number of outputs. For
/// elementwise formulas [`Dual`](crate::scalar::Dual) numbers give the same in one forward pass.
///
/// ```
/// use wengert_autograd::{Variable, jvp};
///
/// let (x, y) = (Variable::from(3.0_f64), Variable::from(5.0));
/// let (_, slope) = jvp(|x| &x[0] * &x[1], &[&x, &y], &[&Variable::from(1.0), &Variable::from(10.0)]);
/// assert_eq!(slope[0].item(), 35.0); // 1·y + 10·x
/// ```
///
/// # Panics
/// If the vectors have not the shapes of the inputs.
#[track_caller]
pub fn jvp<T: Float, R: Outputs<T>>(
    f: impl Fn(&[Variable<T>]) -> R,
    inputs: &[&Variable<T>],
    v: &[&Variable<T>],
) -> (Vec<Variable<T>>, Vec<Variable<T>>) {
    let (x, recorded) = places(inputs);
    same_shapes("jvp", "input", v, &x);
    enable_grad(|| {
        let outputs = f(&x).into_outputs();
        // At which u does not matter; at 1 nothing is hidden behind a factor of 0.
        let u: Vec<Variable<T>> =
            outputs.iter().map(|y| Variable::parameter(Tensor::ones(y.shape()))).collect();
        let pulled = pull(&outputs, &x, &u.iter().collect::<Vec<_>>(), true);
        let products = pull(&pulled, &u, v, recorded);
        (constants(outputs, recorded), products)
    })
}

/// The value of a scalar function at `x`, and H·v, the product of its second derivative with a vector.
///
/// The gradient is differentiated along v: H itself, which has the square of x's size, is never formed.
///
/// ```
/// use wengert_autograd::{Variable, hvp};
///
/// let x = Variable::from([1.0_f64, 2.0]);
/// let (_, product) = hvp(|x| x.powf(3.0).sum(), &x, &Variable::from([1.0, 10.0]));
/// assert_eq!(product.value().to_vec(), [6.0, 120.0]); // 6x·v
/// ```
///
/// # Panics
/// If the function's result is no scalar, or `v` has not the shape of `x`.
#[track_caller]
pub fn hvp<T: Float>(
    f: impl Fn(&Variable<T>) -> Variable<T>,
    x: &Variable<T>,
    v: &Variable<T>,
) -> (Variable<T>, Variable<T>) {
    let (place, recorded) = places(&[x]);
    same_shapes("hvp", "input", &[v], &place);
    enable_grad(|| {
        let y = f(&place[0]);
        assert!(y.len() == 1, "hvp: the function must return a scalar, not the shape {:?}", y.shape());
        let one = Variable::new(Tensor::ones(y.shape()));
        let gradient = pull(std::slice::from_ref(&y), &place, &[&one], true);
        let product = pull(&gradient, &place, &[v], recorded).remove(0);
        (constants(vec![y], recorded).remove(0), product)
    })
}
