//! `elementwise!`: a formula on one line becomes a differentiable operation.
//!
//! ```ignore
//! elementwise! {
//!     /// The swish activation.
//!     pub fn swish(x, beta) = x / (1 + exp(-beta * x))
//!
//!     /// x, held between two constants.
//!     pub fn clipped[lo: f64, hi: f64](x) = select(x < lo, lo, select(x > hi, hi, x))
//!
//!     /// One step of an LSTM cell: the new hidden and cell states.
//!     pub fn lstm_cell(i, f, g, o, c) = {
//!         let c = sigmoid(f) * c + sigmoid(i) * tanh(g);
//!         (sigmoid(o) * tanh(c), c)
//!     }
//! }
//! ```
//!
//! Each definition gives a function of `Variable`s, `fn swish<T: Float>(x: &Variable<T>, beta: &Variable<T>)`, whose
//! body is an implementation of `Formula`. The expression is written once more for any `Real`, so that the compiler
//! can read it as a forward loop, as a fused backward loop and as recorded operations. All of it is safe code, and
//! there is no derivative in this crate: it translates syntax, the table in `wengert-autograd` differentiates.
//!
//! # The language
//!
//! A small part of Rust's expressions, with Rust's precedence:
//! - numbers (`1`, `0.5`, `1e-3`), inputs, names bound by `let` in a block, and constants: those in brackets, which the
//!   function takes as `f64` after its inputs, and paths such as `std::f64::consts::PI`;
//! - `+ - * /`, negation, and the functions of `Real` (`exp(x)` or `x.exp()`), with `log` for `ln`;
//! - `select(condition, a, b)` or `if condition { a } else { b }`, which mean the same: **both sides are computed** and one
//!   is chosen, element by element; conditions are made of `< <= > >= == !=`, `& | !` (or `&&`, `||`);
//! - a tuple at the end gives several outputs.
//!
//! Anything else is refused, with an error at the token that lists what would be known.

#![forbid(unsafe_code)]

mod expand;
mod functions;
mod grammar;
mod translate;

use proc_macro::TokenStream;

/// The body of `wengert_autograd::elementwise!`, which adds its own path: `elementwise_impl! { $crate ; definitions }`.
#[proc_macro]
pub fn elementwise_impl(input: TokenStream) -> TokenStream {
    expand::elementwise(input.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
