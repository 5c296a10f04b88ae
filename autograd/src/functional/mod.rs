//! Derivatives as values: [`grad`] and what is built on it.
//!
//! ```
//! use wengert_autograd::{Variable, grad};
//!
//! let x = Variable::from(2.0_f64).requires_grad();
//! let y = &x * &x * &x;
//! let dy = grad(&[&y]).create_graph(true).wrt(&[&x]).remove(0); // 3x²
//! let ddy = grad(&[&dy]).wrt(&[&x]).remove(0); // 6x
//! assert_eq!((dy.item(), ddy.item()), (12.0, 12.0));
//! ```
//!
//! Unlike `backward`, which adds to the leaves' gradients, these return the derivatives and touch nothing. [`vjp`], [`jvp`],
//! [`hvp`], [`jacobian`] and [`hessian`] take the function itself; their results can be differentiated again when the
//! inputs need a gradient.

mod matrices;
mod outputs;
mod products;

pub use matrices::{hessian, jacobian};
pub use outputs::Outputs;
pub use products::{hvp, jvp, vjp};

use crate::{
    graph::{
        Variable,
        engine::{self, Request},
        mode::line,
        op::Line,
    },
    scalar::Float,
    tensor::Tensor,
};

/// The derivatives of `outputs` (their sum, weighted by cotangents), to be asked for with [`wrt`](Grad::wrt).
#[track_caller]
pub fn grad<'a, T: Float>(outputs: &'a [&'a Variable<T>]) -> Grad<'a, T> {
    Grad { outputs, cotangents: None, create_graph: false, retain_graph: false, line: line() }
}

/// A derivative being asked for; see [`grad`].
#[must_use = "nothing is computed before wrt"]
pub struct Grad<'a, T: Float> {
    outputs: &'a [&'a Variable<T>],
    cotangents: Option<&'a [&'a Variable<T>]>,
    create_graph: bool,
    retain_graph: bool,
    line: Line,
}

impl<'a, T: Float> Grad<'a, T> {
    /// The cotangents ∂L/∂output, each of its output's shape. Without them every output must be a scalar, with weight 1.
    pub fn grad_outputs(mut self, cotangents: &'a [&'a Variable<T>]) -> Self {
        self.cotangents = Some(cotangents);
        self
    }

    /// Records the backward pass itself, so that the derivatives can be differentiated again. The graph is retained.
    pub fn create_graph(mut self, create: bool) -> Self {
        self.create_graph = create;
        self
    }

    /// Keeps the graph for another pass.
    pub fn retain_graph(mut self, retain: bool) -> Self {
        self.retain_graph = retain;
        self
    }

    /// The derivatives in `inputs`, any variables that gradients flow into.
    ///
    /// # Panics
    /// If an output does not depend on an input (see [`wrt_allowing_unused`](Grad::wrt_allowing_unused)), if an output
    /// without cotangent is not a scalar, if shapes differ, or if the graph was released.
    pub fn wrt(self, inputs: &[&Variable<T>]) -> Vec<Variable<T>> {
        let line = self.line;
        let found = self.wrt_allowing_unused(inputs);
        let whole = |(i, gradient): (usize, Option<Variable<T>>)| {
            gradient.unwrap_or_else(|| {
                panic!("grad at {line}: the outputs do not depend on input {i}; if that is meant, use wrt_allowing_unused")
            })
        };
        found.into_iter().enumerate().map(whole).collect()
    }

    /// Like [`wrt`](Grad::wrt), with none for inputs that the outputs do not depend on.
    pub fn wrt_allowing_unused(self, inputs: &[&Variable<T>]) -> Vec<Option<Variable<T>>> {
        let Grad { outputs, cotangents, create_graph, retain_graph, line: started_at } = self;
        let ones: Vec<Variable<T>>;
        let given: Vec<&Variable<T>>;
        let cotangents = match cotangents {
            Some(cotangents) => {
                let (n, m) = (cotangents.len(), outputs.len());
                assert!(n == m, "grad at {started_at}: {n} cotangents for {m} outputs");
                cotangents
            }
            None => {
                ones = outputs.iter().map(|output| scalar_one(output, started_at)).collect();
                given = ones.iter().collect();
                &given
            }
        };
        engine::gradients(outputs, cotangents, inputs, &Request { create_graph, retain_graph, started_at })
    }
}

fn scalar_one<T: Float>(output: &Variable<T>, line: Line) -> Variable<T> {
    let shape = output.shape();
    assert!(
        shape.count() == 1,
        "grad at {line}: an output of shape {shape:?} has no single derivative; give its cotangent with grad_outputs"
    );
    Variable::new(Tensor::full(shape, T::one()))
}
