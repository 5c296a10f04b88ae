//! Noise on gradients.

use wengert_autograd::{Float, NamedParameters, Tensor, Variable, no_grad, tensor::Generator};

/// Adds to every gradient normal noise of variance η/(1 + t)^γ at step t, between `backward` and `step`.
///
/// It helps very deep networks out of bad beginnings, and shows in a lesson how far a gradient may be wrong and still lead
/// down. (Neelakantan and others, "Adding gradient noise improves learning for very deep networks", 2015, with γ = 0.55 and
/// η among 0.01, 0.3 and 1.)
///
/// ```
/// use wengert_autograd::{NamedParameters, Tensor, Variable, tensor::Generator};
/// use wengert_optim::add_gradient_noise;
///
/// let w = Variable::parameter(Tensor::<f32>::ones([1000]));
/// let parameters = NamedParameters::from_iter([("w", w.clone())]);
/// (&w * 2.0).sum().backward();
/// add_gradient_noise(&parameters, 0.3, 0.55, 0, &mut Generator::new(1));
/// let noise = w.grad().unwrap().map(|g| g - 2.0);
/// let variance = noise.iter().map(|x| x * x).sum::<f32>() / 1000.0;
/// assert!((variance - 0.3).abs() < 0.05);
/// ```
pub fn add_gradient_noise<T: Float>(
    parameters: &NamedParameters<T>,
    eta: f64,
    gamma: f64,
    step: u64,
    generator: &mut Generator,
) {
    let deviation = (eta / (1.0 + step as f64).powf(gamma)).sqrt();
    for (_, parameter) in parameters.iter() {
        if let Some(gradient) = parameter.grad() {
            let noise = Variable::new(Tensor::<T>::randn(gradient.shape(), generator));
            let noisy = no_grad(|| Variable::new(gradient) + noise * deviation);
            parameter.set_grad(Some(noisy.value()));
        }
    }
}
