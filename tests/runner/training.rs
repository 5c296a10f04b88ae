//! The operations of the group `training`.

use super::{Case, Output};
use wengert_autograd::{Float, NamedParameters, Tensor, Variable};
use wengert_optim::{clip_grad_norm, clip_grad_value};

pub fn apply<T: Float>(op: &str, case: &Case<T>) -> Option<Vec<Output<T>>> {
    if !op.starts_with("clip_grad") {
        return None;
    }
    let gradients = case.vars("g");
    let mut parameters = NamedParameters::new();
    for (k, gradient) in gradients.iter().enumerate() {
        let parameter = Variable::parameter(Tensor::zeros(gradient.shape()));
        parameter.set_grad(Some(gradient.value()));
        parameters.push(format!("g{k}"), parameter);
    }
    let total = match op {
        "clip_grad_norm" => {
            let total =
                clip_grad_norm(&parameters, case.number("max_norm", 1.0), case.number("norm_type", 2.0));
            Some(Variable::new(Tensor::scalar(T::from_f64(total))))
        }
        "clip_grad_value" => {
            clip_grad_value(&parameters, case.number("clip_value", 1.0));
            None
        }
        _ => return None,
    };
    let clipped = parameters.iter().filter_map(|(_, parameter)| parameter.grad()).map(Variable::new);
    Some(clipped.chain(total).map(Output::from).collect())
}
