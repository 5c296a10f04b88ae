//! [`detect_anomaly`]: who made the first NaN.

use super::{mode::Mode, op::Line};
use crate::{scalar::Float, tensor::Tensor};

/// Runs `work` and panics at the first operation that computes a NaN, and at the first rule that returns a NaN or an
/// infinite gradient. The text names the operation, the line of the program that recorded it, the shape, and the first bad
/// entry.
///
/// Every recorded operation reads its outputs once more, so this is for looking for a mistake, not for training. Infinite
/// values of operations are let through: masks are made of them.
///
/// ```should_panic
/// use wengert_autograd::{Variable, detect_anomaly};
///
/// let x = Variable::from([1.0_f32, 0.0]).requires_grad();
/// detect_anomaly(|| x.sqrt().sum().backward()); // sqrt (recorded at src/…): ∞ at [1], the slope of √x at 0
/// ```
///
/// # Panics
/// As said.
pub fn detect_anomaly<R>(work: impl FnOnce() -> R) -> R {
    Mode { checking: true, ..Mode::current() }.run(work)
}

/// Panics if a value is NaN.
pub(crate) fn check_output<T: Float>(operation: &'static str, line: Line, k: usize, value: &Tensor<T>) {
    if let Some((index, _)) = first(value, |x| x.is_nan()) {
        let shape = value.shape();
        panic!(
            "detect_anomaly: {operation} (recorded at {line}) computed NaN at {index:?} of output {k}, shape {shape:?}"
        )
    }
}

/// Panics if a gradient is not finite.
pub(crate) fn check_gradient<T: Float>(operation: &'static str, line: Line, i: usize, gradient: &Tensor<T>) {
    if let Some((index, bad)) = first(gradient, |x| !x.is_finite()) {
        let shape = gradient.shape();
        panic!(
            "detect_anomaly: the rule of {operation} (recorded at {line}) returned {bad} at {index:?} of the gradient of \
             input {i}, shape {shape:?}"
        )
    }
}

fn first<T: Float>(tensor: &Tensor<T>, bad: impl Fn(T) -> bool) -> Option<(Vec<usize>, T)> {
    let (mut at, value) = tensor.iter().enumerate().find(|(_, value)| bad(*value))?;
    let mut index = vec![0; tensor.rank()];
    for axis in (0..tensor.rank()).rev() {
        index[axis] = at % tensor.shape()[axis];
        at /= tensor.shape()[axis];
    }
    Some((index, value))
}
