//! [`trace`]: keeping the values that a graph has no need of.

use crate::graph::mode::Mode;

/// Runs `work`; every operation recorded in it keeps all its inputs and outputs, for [`graph`](super::graph) to show.
///
/// Costs the memory of every intermediate value for as long as the graph lives, and a box a node; the numbers that the
/// program computes are the same. Restored when `work` returns or unwinds.
///
/// ```
/// use wengert_autograd::{Variable, inspect};
///
/// let x = Variable::from([1.0_f32, 2.0]).requires_grad();
/// let y = inspect::trace(|| (&x + 1.0).sum()); // neither rule reads a value, so an ordinary graph keeps none
/// let sum = &inspect::graph(&y).nodes[1];
/// assert_eq!(sum.outputs[0].value.as_ref().unwrap().to_vec(), [2.0, 3.0]);
/// ```
pub fn trace<R>(work: impl FnOnce() -> R) -> R {
    Mode { tracing: true, ..Mode::current() }.run(work)
}
