//! The operations of the group `norm`.

use super::{Case, Output};
use wengert_autograd::{Float, Variable};

pub fn apply<T: Float>(op: &str, case: &Case<T>) -> Option<Vec<Output<T>>> {
    let x = case.maybe("x")?;
    let (weight, bias) = (case.maybe("weight"), case.maybe("bias"));
    let eps = case.number("eps", 1e-5);
    let y = match op {
        "layer_norm" => x.layer_norm(sizes(case), weight, bias, eps),
        "rms_norm" => x.rms_norm(sizes(case), weight, eps),
        "group_norm" => x.group_norm(case.count("num_groups", 1), weight, bias, eps),
        "instance_norm" => x.instance_norm(weight, bias, eps),
        "normalize" => x.normalize(case.number("p", 2.0), case.axis("dim"), case.number("eps", 1e-12)),
        "local_response_norm" => {
            let (alpha, beta, k) =
                (case.number("alpha", 1e-4), case.number("beta", 0.75), case.number("k", 1.0));
            x.local_response_norm(case.count("size", 1), alpha, beta, k)
        }
        "batch_norm" => return Some(batch_norm(case, eps)),
        _ => return None,
    };
    Some(vec![y.into()])
}

fn sizes<T: Float>(case: &Case<T>) -> Vec<usize> {
    case.axes("normalized_shape").unwrap_or_default().into_iter().map(|size| size as usize).collect()
}

fn batch_norm<T: Float>(case: &Case<T>, eps: f64) -> Vec<Output<T>> {
    let (x, weight, bias) = (case.x(), case.maybe("weight"), case.maybe("bias"));
    let running = case.maybe("running_mean").zip(case.maybe("running_var"));
    let running = running.map(|(mean, variance)| (mean.value(), variance.value()));
    if !case.flag("training", false) {
        let (mean, variance) = running.expect("evaluation needs running statistics");
        return vec![x.batch_norm_with(&mean, &variance, weight, bias, eps).into()];
    }
    let (y, moments) = x.batch_norm(weight, bias, eps);
    let mut outputs = vec![y.into()];
    if let Some((mean, variance)) = running {
        let (mean, variance) = moments.blended_into(&mean, &variance, case.number("momentum", 0.1));
        outputs.extend([Variable::new(mean).into(), Variable::new(variance).into()]);
    }
    outputs
}
