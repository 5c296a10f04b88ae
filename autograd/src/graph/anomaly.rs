//! [`detect_anomaly`], [`find_anomaly`]: who made the first NaN.

use super::{mode::Mode, op::Line};
use crate::{scalar::Float, tensor::Tensor};
use std::{
    fmt,
    panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind},
};

/// What happens to a NaN.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Checking {
    /// Nothing.
    Off,
    /// A panic with a text.
    Panic,
    /// [`find_anomaly`] returns it.
    Report,
}

/// The first operation that computed a NaN, or whose rule returned a gradient that is not finite; found by
/// [`find_anomaly`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anomaly {
    /// The name of the operation.
    pub operation: &'static str,
    /// The line of the program that recorded it.
    pub recorded_at: &'static Location<'static>,
    /// In words: whether in the values or in a gradient, and where.
    pub problem: String,
    in_rule: bool,
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Anomaly { operation, recorded_at, problem, in_rule } = self;
        let rule = if *in_rule { "the rule of " } else { "" };
        write!(f, "{rule}{operation} (recorded at {recorded_at}) {problem}")
    }
}

impl std::error::Error for Anomaly {}

impl Anomaly {
    fn raise(self) -> ! {
        match Mode::current().checking {
            // Past the panic hook, which would print.
            Checking::Report => resume_unwind(Box::new(self)),
            Checking::Off | Checking::Panic => panic!("detect_anomaly: {self}"),
        }
    }
}

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
    Mode { checking: Checking::Panic, ..Mode::current() }.run(work)
}

/// As [`detect_anomaly`], for programs that go on: the anomaly comes back as a value.
///
/// ```
/// use wengert_autograd::{Variable, find_anomaly};
///
/// let x = Variable::from([1.0_f32, -1.0]).requires_grad();
/// let anomaly = find_anomaly(|| x.ln().sum().backward()).unwrap_err();
/// assert_eq!(anomaly.operation, "ln");
/// assert!(anomaly.to_string().contains("NaN at [1]"));
/// ```
///
/// # Errors
/// The first anomaly.
///
/// # Panics
/// If `work` panics for another reason.
pub fn find_anomaly<R>(work: impl FnOnce() -> R) -> Result<R, Anomaly> {
    let mode = Mode { checking: Checking::Report, ..Mode::current() };
    catch_unwind(AssertUnwindSafe(|| mode.run(work))).map_err(|panic| match panic.downcast::<Anomaly>() {
        Ok(anomaly) => *anomaly,
        Err(other) => resume_unwind(other),
    })
}

/// Raises the anomaly if a value is NaN.
pub(crate) fn check_output<T: Float>(operation: &'static str, line: Line, k: usize, value: &Tensor<T>) {
    if let Some((index, _)) = first(value, |x| x.is_nan()) {
        let problem = format!("computed NaN at {index:?} of output {k}, shape {:?}", value.shape());
        Anomaly { operation, recorded_at: line, problem, in_rule: false }.raise();
    }
}

/// Raises the anomaly if a gradient is not finite.
pub(crate) fn check_gradient<T: Float>(operation: &'static str, line: Line, i: usize, gradient: &Tensor<T>) {
    if let Some((index, bad)) = first(gradient, |x| !x.is_finite()) {
        let shape = gradient.shape();
        let problem = format!("returned {bad} at {index:?} of the gradient of input {i}, shape {shape:?}");
        Anomaly { operation, recorded_at: line, problem, in_rule: true }.raise();
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
