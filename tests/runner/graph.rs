//! The operations of the group `graph`: small graphs, and derivatives of high order.

use super::{Case, Output};
use wengert_autograd::{Float, Tensor, Variable, grad};

pub fn apply<T: Float>(op: &str, case: &Case<T>) -> Option<Vec<Output<T>>> {
    let output = match op {
        "nth_derivative" => nth_derivative(case)?,
        "composite" => composite(case.text("formula", ""), case)?,
        _ => return None,
    };
    Some(vec![output.into()])
}

/// Elementwise, so the derivative of the sum is that of each element.
fn nth_derivative<T: Float>(case: &Case<T>) -> Option<Variable<T>> {
    let x = case.x();
    // A leaf of its own when no gradient is asked for x, so that there is something to differentiate by.
    let x = if x.needs_grad() { x.clone() } else { x.detach().requires_grad() };
    let mut y = match case.text("function", "") {
        "sin" => x.sin(),
        "exp" => x.exp(),
        "tanh" => x.tanh(),
        "sigmoid" => x.sigmoid(),
        "log" => x.ln(),
        "softplus" => x.softplus(),
        "gelu" => x.gelu(),
        "erf" => x.erf(),
        "pow5" => x.powf(5.0),
        "rsqrt" => x.rsqrt(),
        "atan" => x.atan(),
        "x*sin(x)" => &x * x.sin(),
        "exp(-x^2)" => (-x.square()).exp(),
        "silu" => x.silu(),
        _ => return None,
    };
    let ones = Variable::new(Tensor::ones(x.shape()));
    for _ in 0..case.count("order", 1) {
        y = grad(&[&y]).grad_outputs(&[&ones]).create_graph(true).wrt(&[&x]).remove(0);
    }
    Some(y)
}

fn composite<T: Float>(formula: &str, case: &Case<T>) -> Option<Variable<T>> {
    let x = case.x();
    let (y, w, n) = (|| case.var("y"), || case.var("w"), || x.shape()[0]);
    Some(match formula {
        "x*x + x" => x * x + x,
        "y = 2*x; z = y*y; z + y + x" => {
            let y = 2.0 * x;
            let z = &y * &y;
            z + y + x
        }
        "detach(x) * x" => x.detach() * x,
        "detach(sin(x)) + cos(x)*x" => x.sin().detach() + x.cos() * x,
        "x[0:n-1] * x[1:n] (axis 0)" => x.narrow(0, 0, n() - 1) * x.narrow(0, 1, n() - 1),
        "sum(100*(x[1:n]-x[0:n-1]^2)^2 + (1-x[0:n-1])^2)" => {
            let (now, next) = (x.narrow(0, 0, n() - 1), x.narrow(0, 1, n() - 1));
            (100.0 * (next - now.square()).square() + (1.0 - now).square()).sum()
        }
        "where(x > 0, sqrt(where(x > 0, x, 1)), x^3)" => {
            let positive = x.value().gt(T::zero());
            let safe = x.where_(&positive, &Variable::from(T::one()));
            safe.sqrt().where_(&positive, &x.powf(3.0))
        }
        "g = d/dx sum(x^3*y); sum(g*g)" => {
            let inner = if x.needs_grad() { x.clone() } else { x.detach().requires_grad() };
            let f = (inner.powf(3.0) * y()).sum();
            let g = grad(&[&f]).create_graph(true).wrt(&[&inner]).remove(0);
            (&g * &g).sum()
        }
        "broadcast: x [n,1] * y [1,m] + x - y" => x * y() + x - y(),
        "log(sum(exp(x), -1)) - sum(y*x, -1)" => {
            x.exp().sum_axes(-1, false).ln() - (y() * x).sum_axes(-1, false)
        }
        "sum(tanh(x @ w) * x)" => (x.matmul(w()).tanh() * x).sum(),
        "softmax(x @ w, -1) @ transpose(w)" => x.matmul(w()).softmax(-1).matmul(&w().transpose(-1, -2)),
        "mean((x @ w + b - y)^2)" => (x.matmul(w()) + case.var("b") - y()).square().mean(),
        "h = x; repeat 8 times: h = tanh(h @ w + x)" => {
            (0..8).fold(x.clone(), |h, _| (h.matmul(w()) + x).tanh())
        }
        "cat([x, x^2, sin(x)], -1) * cat([sin(x), x, x^2], -1)" => {
            let (square, sine) = (x.square(), x.sin());
            Variable::cat(&[x, &square, &sine], -1) * Variable::cat(&[&sine, x, &square], -1)
        }
        "(x - mean(x, -1, keepdim)) / sqrt(var(x, -1, correction=0, keepdim) + 1e-5)" => {
            (x - x.mean_axes(-1, true)) / (x.var_axes(-1, 0, true) + 1e-5).sqrt()
        }
        "transpose(x) @ x + x @ transpose(x)" => {
            let t = x.transpose(-1, -2);
            t.matmul(x) + x.matmul(&t)
        }
        _ => return None,
    })
}
