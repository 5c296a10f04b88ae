//! Clipping: gradients that are too large are made smaller, between `backward` and `step`.
//!
//! ```
//! use wengert_autograd::{NamedParameters, Tensor, Variable};
//! use wengert_optim::clip_grad_norm;
//!
//! let w = Variable::parameter(Tensor::from_vec(vec![3.0_f32, 4.0], [2]).unwrap());
//! let parameters = NamedParameters::from_iter([("w", w.clone())]);
//! (&w * &w).sum().backward(); // the gradient (6, 8) has the norm 10
//! let norm = clip_grad_norm(&parameters, 1.0, 2.0);
//! assert_eq!(norm, 10.0);
//! assert!((w.grad().unwrap().to_vec()[0] - 0.6).abs() < 1e-6);
//! ```

use wengert_autograd::{Float, NamedParameters, Tensor, Variable, no_grad};

/// Scales all gradients so that their common norm is at most `max_norm`; returns the norm before.
///
/// With ‖·‖ of order `norm_type` (2, 1, ∞, …): total = ‖(‖g₁‖, ‖g₂‖, …)‖, and each gradient is multiplied by
/// min(1, max_norm/(total + 10⁻⁶)). (Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural
/// networks", 2013.) Parameters without a gradient do not count. A NaN among them makes all
/// gradients NaN; where the total is infinite, finite ones become 0, as in PyTorch.
pub fn clip_grad_norm<T: Float>(parameters: &NamedParameters<T>, max_norm: f64, norm_type: f64) -> f64 {
    let with_gradient: Vec<(&Variable<T>, Tensor<T>)> =
        parameters.iter().filter_map(|(_, p)| Some((p, p.grad()?))).collect();
    let norms: Vec<f64> = with_gradient.iter().map(|(_, gradient)| norm(gradient, norm_type)).collect();
    let total = combine(&norms, norm_type);
    // Not a `min`: a NaN must pass.
    let scale = max_norm / (total + 1e-6);
    let scale = if scale > 1.0 { 1.0 } else { scale };
    if scale != 1.0 {
        for (parameter, gradient) in with_gradient {
            let scaled = no_grad(|| Variable::new(gradient) * scale);
            parameter.set_grad(Some(scaled.value()));
        }
    }
    total
}

/// Limits each element of each gradient to [−limit, limit].
pub fn clip_grad_value<T: Float>(parameters: &NamedParameters<T>, limit: f64) {
    let limit = T::from_f64(limit);
    for (_, parameter) in parameters.iter() {
        if let Some(gradient) = parameter.grad() {
            // Comparisons that leave a NaN as it is.
            let clipped = |x: T| {
                if x > limit {
                    limit
                } else if x < -limit {
                    -limit
                } else {
                    x
                }
            };
            parameter.set_grad(Some(gradient.map(clipped)));
        }
    }
}

/// The norm of a tensor, seen as a vector; sums in the tensor's own precision, in a fixed tree.
fn norm<T: Float>(x: &Tensor<T>, order: f64) -> f64 {
    if order.is_infinite() {
        return x.iter().fold(0.0, |largest: f64, x| {
            let x = x.into_f64().abs();
            if x > largest || x.is_nan() { x } else { largest }
        });
    }
    let x = Variable::new(x.clone());
    no_grad(|| match order {
        1.0 => x.abs().sum().item().into_f64(),
        2.0 => x.square().sum().item().into_f64().sqrt(),
        _ => x.abs().value().iter().map(|x| x.into_f64().powf(order)).sum::<f64>().powf(1.0 / order),
    })
}

fn combine(norms: &[f64], order: f64) -> f64 {
    if order.is_infinite() {
        return norms
            .iter()
            .fold(0.0, |largest: f64, &x| if x > largest || x.is_nan() { x } else { largest });
    }
    norms.iter().map(|norm| norm.powf(order)).sum::<f64>().powf(1.0 / order)
}
