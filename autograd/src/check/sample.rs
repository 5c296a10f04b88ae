//! [`Sample`]: one way to call an operation, with inputs that its derivative can be checked at.

use super::Input;
use crate::{graph::Variable, scalar::Float, tensor::Tensor};

/// A call of an operation: inputs by name, and the expression, compiled for both precisions from one text.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What is special about this call.
    pub name: &'static str,
    /// The inputs, in the order that [`run`](Sample::run) takes them.
    pub inputs: Vec<(&'static str, Input)>,
    /// The expression, as it is written beside the rule.
    pub text: &'static str,
    single: fn(&[Variable<f32>]) -> Vec<Variable<f32>>,
    double: fn(&[Variable<f64>]) -> Vec<Variable<f64>>,
    elementwise: bool,
    order: usize,
    kink: Option<&'static str>,
    panics: Option<&'static str>,
}

impl Sample {
    /// What the `samples!` declaration beside a rule expands to.
    pub fn new(
        name: &'static str,
        inputs: Vec<(&'static str, Input)>,
        text: &'static str,
        single: fn(&[Variable<f32>]) -> Vec<Variable<f32>>,
        double: fn(&[Variable<f64>]) -> Vec<Variable<f64>>,
    ) -> Self {
        let (elementwise, order, kink, panics) = (false, 2, None, None);
        Sample { name, inputs, text, single, double, elementwise, order, kink, panics }
    }

    /// The call accepts its inputs in any shapes that broadcast, so it is also made with empty ones, scalars, and axes
    /// of size 1.
    #[must_use]
    pub fn elementwise(mut self) -> Self {
        self.elementwise = true;
        self
    }

    /// Differences hold only up to this order, for this reason.
    #[must_use]
    pub fn order(mut self, order: usize, reason: &'static str) -> Self {
        assert!(!reason.is_empty(), "{}: say why only order {order} can be checked", self.name);
        self.order = order;
        self
    }

    /// Differences say nothing here, because the derivative is a convention; everything else is checked.
    #[must_use]
    pub fn kink(mut self, convention: &'static str) -> Self {
        self.kink = Some(convention);
        self
    }

    /// The call is a mistake: it panics, with this in the text.
    #[must_use]
    pub fn panics(mut self, text: &'static str) -> Self {
        self.panics = Some(text);
        self
    }

    /// See [`elementwise`](Sample::elementwise).
    pub fn is_elementwise(&self) -> bool {
        self.elementwise
    }
    /// The highest order at which differences hold; 0 at a [`kink`](Sample::kink) and for calls that panic.
    pub fn highest_order(&self) -> usize {
        if self.kink.is_some() || self.panics.is_some() { 0 } else { self.order }
    }
    /// Is the derivative here a convention? See [`kink`](Sample::kink).
    pub fn is_at_kink(&self) -> bool {
        self.kink.is_some()
    }
    /// Part of the text of the panic, when the call is a mistake.
    pub fn expected_panic(&self) -> Option<&'static str> {
        self.panics
    }

    /// The inputs' values for a seed.
    pub fn draw(&self, seed: u64) -> Vec<Tensor<f64>> {
        self.inputs
            .iter()
            .enumerate()
            .map(|(i, (_, input))| input.draw(seed.wrapping_mul(31).wrapping_add(i as u64)))
            .collect()
    }

    /// Makes the call. Outputs that have no derivative (indices) are left out.
    ///
    /// # Panics
    /// If the number of inputs is not that of the declaration.
    pub fn run<T: Precision>(&self, inputs: &[Variable<T>]) -> Vec<Variable<T>> {
        T::call(self)(inputs)
    }
}

/// `f32` or `f64`, as a choice between the two compiled calls of a [`Sample`].
pub trait Precision: Float {
    /// The call for this precision.
    #[doc(hidden)]
    fn call(sample: &Sample) -> fn(&[Variable<Self>]) -> Vec<Variable<Self>>;
}
impl Precision for f32 {
    fn call(sample: &Sample) -> fn(&[Variable<f32>]) -> Vec<Variable<f32>> {
        sample.single
    }
}
impl Precision for f64 {
    fn call(sample: &Sample) -> fn(&[Variable<f64>]) -> Vec<Variable<f64>> {
        sample.double
    }
}
