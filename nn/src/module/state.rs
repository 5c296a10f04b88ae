//! State dictionaries: a model's tensors by name, out of it and into it.

use super::{Member, Module, each};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, fmt};
use wengert_autograd::{Float, Tensor, Variable};

/// Tensors by dotted name, in order: a model's parameters and buffers, or the content of a file of weights.
///
/// ```
/// use wengert_nn::{Linear, Module};
///
/// let (a, b) = (Linear::new(3, 2), Linear::new(3, 2));
/// b.load_state_dict(&a.state_dict()).unwrap();
/// assert_eq!(a.weight.value(), b.weight.value());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "", into = "Vec<(String, Tensor<T>)>", from = "Vec<(String, Tensor<T>)>")]
pub struct StateDict<T: Float = f32> {
    entries: Vec<(String, Tensor<T>)>,
    places: HashMap<String, usize>,
}

impl<T: Float> StateDict<T> {
    /// The empty dictionary.
    pub fn new() -> Self {
        StateDict { entries: Vec::new(), places: HashMap::new() }
    }

    pub(super) fn of<M: Module<T> + ?Sized>(module: &M) -> Self {
        let mut dict = StateDict::new();
        each(module, |path, member| {
            if let Some(leaf) = leaf_of(&member) {
                dict.insert(path, leaf.value());
            }
        });
        dict
    }

    /// Sets the tensor of a name, which comes last if it is new; returns the one it had.
    pub fn insert(&mut self, name: impl Into<String>, tensor: Tensor<T>) -> Option<Tensor<T>> {
        let name = name.into();
        match self.places.get(&name) {
            Some(&place) => Some(std::mem::replace(&mut self.entries[place].1, tensor)),
            None => {
                self.places.insert(name.clone(), self.entries.len());
                self.entries.push((name, tensor));
                None
            }
        }
    }

    /// The tensor of this name.
    pub fn get(&self, name: &str) -> Option<&Tensor<T>> {
        self.places.get(name).map(|&place| &self.entries[place].1)
    }

    /// Names and tensors, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor<T>)> {
        self.entries.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(name, _)| name)
    }

    /// How many tensors there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The same tensors under other names; a name that becomes `None` is left out. For weights of another program:
    ///
    /// ```
    /// # use wengert_nn::{Linear, Module};
    /// let dict = Linear::new(2, 2).state_dict().rename(|name| Some(format!("encoder.{name}")));
    /// assert_eq!(dict.names().next(), Some("encoder.weight"));
    /// ```
    #[must_use]
    pub fn rename(self, mut rename: impl FnMut(&str) -> Option<String>) -> Self {
        self.entries.into_iter().filter_map(|(name, tensor)| Some((rename(&name)?, tensor))).collect()
    }
}

impl<T: Float> Default for StateDict<T> {
    fn default() -> Self {
        StateDict::new()
    }
}

impl<T: Float, S: Into<String>> FromIterator<(S, Tensor<T>)> for StateDict<T> {
    fn from_iter<I: IntoIterator<Item = (S, Tensor<T>)>>(entries: I) -> Self {
        let mut dict = StateDict::new();
        for (name, tensor) in entries {
            dict.insert(name, tensor);
        }
        dict
    }
}

impl<T: Float> From<Vec<(String, Tensor<T>)>> for StateDict<T> {
    fn from(entries: Vec<(String, Tensor<T>)>) -> Self {
        entries.into_iter().collect()
    }
}

impl<T: Float> From<StateDict<T>> for Vec<(String, Tensor<T>)> {
    fn from(dict: StateDict<T>) -> Self {
        dict.entries
    }
}

impl<T: Float> IntoIterator for StateDict<T> {
    type Item = (String, Tensor<T>);
    type IntoIter = std::vec::IntoIter<(String, Tensor<T>)>;
    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

/// A tensor whose shape is not that of the parameter of its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeMismatch {
    /// The dotted name.
    pub name: String,
    /// The parameter's shape.
    pub expected: Vec<usize>,
    /// The tensor's shape.
    pub found: Vec<usize>,
}

/// The names that a load left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unmatched {
    /// In the model, not in the dictionary.
    pub missing: Vec<String>,
    /// In the dictionary, not in the model.
    pub unexpected: Vec<String>,
}

/// Why a state dictionary does not fit a model: everything that is wrong, at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct StateDictError {
    /// Names in the model that the dictionary lacks.
    pub missing: Vec<String>,
    /// Names in the dictionary that the model lacks.
    pub unexpected: Vec<String>,
    /// Names whose shapes differ.
    pub mismatched: Vec<ShapeMismatch>,
}

impl fmt::Display for StateDictError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the state dictionary does not fit the model")?;
        if !self.missing.is_empty() {
            write!(f, "; missing: {}", self.missing.join(", "))?;
        }
        if !self.unexpected.is_empty() {
            write!(f, "; unexpected: {}", self.unexpected.join(", "))?;
        }
        for ShapeMismatch { name, expected, found } in &self.mismatched {
            write!(f, "; {name} has the shape {found:?}, the model's is {expected:?}")?;
        }
        Ok(())
    }
}

fn leaf_of<'a, T: Float>(member: &Member<'a, T>) -> Option<&'a Variable<T>> {
    match member {
        Member::Parameter(parameter) => Some(parameter),
        Member::Buffer(buffer) => Some(buffer.leaf()),
        Member::Enter(_) | Member::Training(_) => None,
    }
}

/// Compares first, so that a dictionary that does not fit changes nothing.
pub(super) fn load<T: Float, M: Module<T> + ?Sized>(
    module: &M,
    dict: &StateDict<T>,
    strict: bool,
) -> Result<Unmatched, StateDictError> {
    let mut leaves: Vec<(String, Variable<T>)> = Vec::new();
    each(module, |path, member| {
        if let Some(leaf) = leaf_of(&member) {
            leaves.push((path.to_string(), leaf.clone()));
        }
    });
    let mut unmatched = Unmatched::default();
    let mut mismatched = Vec::new();
    let given = |leaf: &Variable<T>| {
        leaves.iter().any(|(name, other)| other.is_same(leaf) && dict.places.contains_key(name))
    };
    for (name, leaf) in &leaves {
        match dict.get(name) {
            Some(tensor) if tensor.dims() != leaf.shape() => mismatched.push(ShapeMismatch {
                name: name.clone(),
                expected: leaf.shape().to_vec(),
                found: tensor.shape().to_vec(),
            }),
            Some(_) => {}
            None if given(leaf) => {}
            None => unmatched.missing.push(name.clone()),
        }
    }
    let known: std::collections::HashSet<&str> = leaves.iter().map(|(name, _)| name.as_str()).collect();
    unmatched.unexpected = dict.names().filter(|name| !known.contains(name)).map(String::from).collect();
    let complete = unmatched.missing.is_empty() && unmatched.unexpected.is_empty();
    if !mismatched.is_empty() || (strict && !complete) {
        let Unmatched { missing, unexpected } = unmatched;
        return Err(StateDictError { missing, unexpected, mismatched });
    }
    for (name, leaf) in &leaves {
        if let Some(tensor) = dict.get(name) {
            leaf.set(tensor.clone());
        }
    }
    Ok(unmatched)
}
