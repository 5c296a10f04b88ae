//! [`NamedParameters`]: what a model learns, each with its dotted name.
//!
//! ```
//! use wengert_autograd::{NamedParameters, Tensor, Variable};
//!
//! let mut parameters = NamedParameters::new();
//! parameters.push("out.weight", Variable::parameter(Tensor::<f32>::ones([10, 128])));
//! parameters.push("out.bias", Variable::parameter(Tensor::zeros([10])));
//! assert_eq!(parameters.names().collect::<Vec<_>>(), ["out.weight", "out.bias"]);
//! assert_eq!(parameters.elements(), 1290);
//! ```
//!
//! A model yields the list and an optimiser takes it; that is all that the two know of each other. The name is a
//! parameter's identity wherever the program's memory is not: in a file of weights, in an optimiser's saved state.

use super::Variable;
use crate::{scalar::Float, tensor::DType};

/// An ordered list of variables with dotted names, such as `layers.0.weight`.
///
/// A parameter that is used in several places (tied) stands in the list once, under its first name.
#[derive(Clone, Debug)]
pub struct NamedParameters<T: Float = f32>(Vec<(String, Variable<T>)>);

impl<T: Float> NamedParameters<T> {
    /// The empty list.
    pub fn new() -> Self {
        NamedParameters(Vec::new())
    }

    /// Adds a parameter at the end; does nothing when the list has it already (under whatever name).
    ///
    /// # Panics
    /// If another parameter has the name.
    #[track_caller]
    pub fn push(&mut self, name: impl Into<String>, parameter: Variable<T>) {
        let name = name.into();
        if self.0.iter().any(|(_, known)| known.is_same(&parameter)) {
            return;
        }
        assert!(self.get(&name).is_none(), "named parameters: two parameters have the name \"{name}\"");
        self.0.push((name, parameter));
    }

    /// The parameter of this name.
    pub fn get(&self, name: &str) -> Option<&Variable<T>> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, parameter)| parameter)
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Names and parameters, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Variable<T>)> {
        self.0.iter().map(|(name, parameter)| (name.as_str(), parameter))
    }

    /// How many parameters there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many numbers there are in all parameters together.
    pub fn elements(&self) -> usize {
        self.0.iter().map(|(_, parameter)| parameter.len()).sum()
    }

    /// Those whose name `wanted` accepts.
    ///
    /// ```
    /// # use wengert_autograd::{NamedParameters, Tensor, Variable};
    /// # let mut parameters = NamedParameters::new();
    /// # parameters.push("weight", Variable::parameter(Tensor::<f32>::ones([2])));
    /// # parameters.push("bias", Variable::parameter(Tensor::<f32>::ones([2])));
    /// let biases = parameters.filter(|name| name.ends_with("bias"));
    /// assert_eq!(biases.names().collect::<Vec<_>>(), ["bias"]);
    /// ```
    #[must_use]
    pub fn filter(&self, mut wanted: impl FnMut(&str) -> bool) -> Self {
        self.0.iter().filter(|(name, _)| wanted(name)).cloned().collect()
    }

    /// Removes the gradients of all parameters.
    pub fn zero_grad(&self) {
        self.0.iter().for_each(|(_, parameter)| parameter.zero_grad());
    }

    /// The names of the parameters that no backward pass has reached since their gradients were removed: layers that
    /// were forgotten in the forward pass, or cut off by `detach`. After a first step the list should be empty, or a part
    /// of the model does not learn. Frozen parameters are not expected to have a gradient.
    ///
    /// ```
    /// # use wengert_autograd::{NamedParameters, Tensor, Variable};
    /// let (used, forgotten) = (Variable::parameter(Tensor::<f32>::ones([2])), Variable::parameter(Tensor::ones([2])));
    /// let parameters = NamedParameters::from_iter([("used", used.clone()), ("forgotten", forgotten)]);
    /// used.sum().backward();
    /// assert_eq!(parameters.missing_gradients(), ["forgotten"]);
    /// ```
    #[must_use]
    pub fn missing_gradients(&self) -> Vec<&str> {
        let missing = |parameter: &Variable<T>| parameter.needs_grad() && parameter.grad().is_none();
        self.iter().filter(|(_, parameter)| missing(parameter)).map(|(name, _)| name).collect()
    }

    /// A hash of all names and of all bits of all values (FNV-1a, 64 bits): equal when two models are the same to the last
    /// bit, and, for all practical purposes, only then.
    ///
    /// ```
    /// # use wengert_autograd::{NamedParameters, Tensor, Variable};
    /// let of = |value: f32| {
    ///     let weight = Variable::parameter(Tensor::full([3], value));
    ///     NamedParameters::from_iter([("weight", weight)]).fingerprint()
    /// };
    /// assert_eq!(of(1.0), of(1.0));
    /// assert_ne!(of(0.0), of(-0.0));
    /// ```
    pub fn fingerprint(&self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut take = |bytes: &[u8]| {
            for &byte in bytes {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        for (name, parameter) in self.iter() {
            take(name.as_bytes());
            for value in parameter.value().iter() {
                match T::DTYPE {
                    DType::F32 => take(&value.into_f32().to_bits().to_le_bytes()),
                    _ => take(&value.into_f64().to_bits().to_le_bytes()),
                }
            }
        }
        hash
    }
}

impl<T: Float> Default for NamedParameters<T> {
    fn default() -> Self {
        NamedParameters::new()
    }
}

impl<T: Float, S: Into<String>> FromIterator<(S, Variable<T>)> for NamedParameters<T> {
    fn from_iter<I: IntoIterator<Item = (S, Variable<T>)>>(parameters: I) -> Self {
        let mut list = NamedParameters::new();
        list.extend(parameters);
        list
    }
}

impl<T: Float, S: Into<String>> Extend<(S, Variable<T>)> for NamedParameters<T> {
    fn extend<I: IntoIterator<Item = (S, Variable<T>)>>(&mut self, parameters: I) {
        parameters.into_iter().for_each(|(name, parameter)| self.push(name, parameter));
    }
}

impl<T: Float> IntoIterator for NamedParameters<T> {
    type Item = (String, Variable<T>);
    type IntoIter = std::vec::IntoIter<(String, Variable<T>)>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
