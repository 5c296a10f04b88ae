//! Seeing a graph: its nodes, values, gradients and rules, as text, DOT, SVG, JSON, or a page to step through.
//!
//! ```
//! use wengert_autograd::{Variable, inspect};
//!
//! let w = Variable::from(3.0_f32).requires_grad().named("w");
//! let x = Variable::from(0.5_f32).named("x");
//! let loss = inspect::trace(|| (&w * &x).tanh().named("y"));
//!
//! // The backward pass, one contribution at a time: a rule, and the numbers put in.
//! let rules: Vec<String> = inspect::steps(&loss).map(|step| step.rule).collect();
//! assert_eq!(rules[0], "v̄₁ += ȳ · (1 − y²) = 1 · (1 − 0.90515²) = 0.18071");
//! assert_eq!(rules[1], "w̄ += v̄₁ · x = 0.18071 · 0.5 = 0.090353");
//!
//! let picture = inspect::graph(&loss);
//! print!("{}", picture.text()); // indented, from the result down
//! let page = picture.html("A neuron"); // one file, opens from disk: write it, look at it
//! # assert!(page.starts_with("<!doctype html>"));
//! ```
//!
//! x̄ stands for ∂L/∂x, the *cotangent* of x: how much the result L changes per unit of x.
//!
//! # What it costs
//!
//! Nothing, where it is not used. A node keeps only what its rule reads, so a graph that was recorded in the ordinary way
//! shows the values that happen to be kept. [`trace`] runs a closure in which every node keeps all its values (behind the
//! box for rare things, which other nodes do not have). A snapshot is a copy: taking one runs the
//! engine's own backward pass for somebody who only looks, so leaves get no gradient, nothing is released, and hooks
//! are called as in any backward pass.

mod dot;
mod json;
mod layout;
mod notation;
mod page;
mod rule;
mod sample;
mod snapshot;
mod statistics;
mod svg;
mod text;
mod trace;
mod walk;

pub(crate) use notation::{bar, has_bar, number, numbered};
pub use snapshot::{Graph, Kind, Node, Output, Place, graph, graph_with};
pub use statistics::Statistics;
pub use trace::trace;
pub use walk::{Step, Steps, steps, steps_with};
