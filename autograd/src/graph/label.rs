//! What a variable tells of itself: its name, the operation that computed it, and the line that recorded it.

use super::{
    Variable,
    node::{End, Node},
    shared::Shared,
    variable::extras,
};
use crate::scalar::Float;
use std::panic::Location;

impl<T: Float> Variable<T> {
    /// Gives the variable a name, for graphs and messages; the first name stays. A constant becomes a
    /// [`buffer`](Variable::buffer), so that there is a place where the name is.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    ///
    /// let x = Variable::from(2.0_f32).named("x");
    /// let w = Variable::from(3.0_f32).requires_grad().named("w");
    /// assert_eq!((&w * &x).named("product").name().as_deref(), Some("product"));
    /// ```
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        if let Some(leaf) = self.as_leaf() {
            leaf.extras.get_or_init(Box::default).set_name(0, name);
        } else if let Some(edge) = self.edge() {
            extras(edge.end()).set_name(edge.end().output(), name);
        } else {
            return Variable::buffer(self.into_value()).named(name);
        }
        self
    }

    /// The name that [`named`](Variable::named) gave.
    pub fn name(&self) -> Option<String> {
        if let Some(leaf) = self.as_leaf() {
            return leaf.extras.get()?.name(0);
        }
        let edge = self.edge()?;
        edge.end().extras().get()?.name(edge.end().output())
    }

    /// The operation that computed the variable, if it was recorded.
    pub fn op_name(&self) -> Option<&'static str> {
        self.recorded().map(|node| node.op.name())
    }

    /// The line of the program that recorded the operation.
    pub fn recorded_at(&self) -> Option<&'static Location<'static>> {
        self.recorded().map(|node| node.line)
    }

    fn recorded(&self) -> Option<Shared<Node<T>>> {
        match self.edge()?.end() {
            End::Output(node, _) => Some(node.clone()),
            End::Leaf(_) => None,
        }
    }
}
