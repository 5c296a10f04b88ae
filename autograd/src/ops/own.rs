//! [`elementwise!`](crate::elementwise): operations of one's own, written as formulas.

/// What the expansion of [`elementwise!`](crate::elementwise) names.
#[doc(hidden)]
pub mod names {
    pub use wengert_autograd_macros::elementwise_impl;

    pub use crate::{
        Float, Variable, apply_formula,
        scalar::{Formula, Real},
    };
}

/// Operations of one's own: each definition becomes a function of [`Variable`](crate::Variable)s, computed in one pass
/// over memory in both directions and differentiable to any order. No derivative is written.
///
/// ```
/// use wengert_autograd::{Variable, elementwise, grad};
///
/// elementwise! {
///     /// The swish activation.
///     pub fn swish(x, beta) = x / (1 + exp(-beta * x))
///
///     /// x, held between two constants, which follow the inputs as `f64`.
///     pub fn clipped[lo: f64, hi: f64](x) = if x < lo { lo } else if x > hi { hi } else { x }
///
///     /// An LSTM cell's new hidden and cell states: several outputs.
///     pub fn cell(i, f, g, o, c) = {
///         let c = sigmoid(f) * c + sigmoid(i) * tanh(g);
///         (sigmoid(o) * tanh(c), c)
///     }
/// }
///
/// let x = Variable::from([-1.0_f64, 0.5, 3.0]).requires_grad();
/// let y = swish(&clipped(&x, -0.75, 0.75), &Variable::from(1.0)); // inputs broadcast
/// y.sum().backward();
/// let gradient = x.grad().unwrap().to_vec();
/// assert!(gradient[0] == 0.0 && (gradient[1] - 0.739_961_2).abs() < 1e-7 && gradient[2] == 0.0);
/// ```
///
/// The language is a small part of Rust's expressions: numbers, inputs, constants and paths of constants
/// (`std::f64::consts::PI`), `+ - * /`, the functions of [`Real`](crate::scalar::Real) as calls or methods (and `log` for
/// `ln`), `let` in blocks, and `select(condition, a, b)` or `if`/`else`, of which **both sides are computed** and one is
/// chosen element by element. A side that is not finite where it is not chosen harms neither the value nor the first
/// derivative; a second one is NaN there (0 · ∞), so guard the side's own argument if you need it: `sqrt(max(x, 1e-12))`.
/// Anything else is a compile error at the word that is not known.
#[macro_export]
macro_rules! elementwise {
    ($($definitions:tt)*) => {
        $crate::__elementwise::elementwise_impl! { $crate::__elementwise ; $($definitions)* }
    };
}
