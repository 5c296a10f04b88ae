//! What an optimiser remembers, apart from the optimiser: to store, and to go on from.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wengert_autograd::{Float, Tensor, tensor::Dims};

/// An optimiser's memory, keyed by the dotted names of the parameters.
///
/// The names are the identity: a state goes to the parameter of its name in whatever process and order, and a name that
/// is missing or unknown is an error rather than a fresh start in silence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct OptimizerState<T: Float> {
    /// Which optimiser.
    pub optimizer: String,
    /// What it remembers of each parameter.
    pub parameters: BTreeMap<String, ParameterState<T>>,
}

/// What an optimiser remembers of one parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct ParameterState<T: Float> {
    /// How many steps it has made.
    pub step: u64,
    /// A number that the rule carries from step to step.
    pub carried: f64,
    /// The state tensors with their names; none before the first step.
    pub states: Vec<(String, Tensor<T>)>,
}

/// Why a stored state does not fit an optimiser.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// It was stored by another optimiser.
    #[error("the state is that of {found}, the optimiser is {expected}")]
    Optimizer {
        /// This optimiser.
        expected: String,
        /// The one that stored the state.
        found: String,
    },
    /// Names that are missing or unknown.
    #[error(
        "the optimiser's state does not fit its parameters; missing: {missing:?}, unexpected: {unexpected:?}"
    )]
    Names {
        /// Parameters without a state.
        missing: Vec<String>,
        /// States without a parameter.
        unexpected: Vec<String>,
    },
    /// A state tensor that the rule does not have, or of another shape than its parameter.
    #[error("the state of {parameter} does not fit: {problem}")]
    Tensor {
        /// The parameter's name.
        parameter: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl<T: Float> OptimizerState<T> {
    /// Whether this is a state for the named optimiser, and its parameters with their shapes and state tensors.
    pub(crate) fn check<'a>(
        &self,
        optimizer: &str,
        parameters: impl Iterator<Item = (&'a str, Dims, &'a [&'a str])>,
    ) -> Result<(), StateError> {
        if self.optimizer != optimizer {
            return Err(StateError::Optimizer { expected: optimizer.into(), found: self.optimizer.clone() });
        }
        let parameters: BTreeMap<&str, (Dims, &[&str])> =
            parameters.map(|(name, shape, states)| (name, (shape, states))).collect();
        let missing: Vec<String> = parameters
            .keys()
            .filter(|&&name| !self.parameters.contains_key(name))
            .map(|name| name.to_string())
            .collect();
        let unexpected: Vec<String> =
            self.parameters.keys().filter(|name| !parameters.contains_key(name.as_str())).cloned().collect();
        if !missing.is_empty() || !unexpected.is_empty() {
            return Err(StateError::Names { missing, unexpected });
        }
        for (name, state) in &self.parameters {
            let problem = |problem: String| StateError::Tensor { parameter: name.clone(), problem };
            let (shape, states) = parameters[name.as_str()];
            let found: Vec<&str> = state.states.iter().map(|(name, _)| name.as_str()).collect();
            if !found.is_empty() && found != states {
                return Err(problem(format!("its tensors are {found:?}, {optimizer} has {states:?}")));
            }
            if found.is_empty() && state.step > 0 && !states.is_empty() {
                return Err(problem(format!("after {} steps there must be {states:?}", state.step)));
            }
            if let Some((tensor, found)) = state.states.iter().find(|(_, tensor)| tensor.dims() != shape) {
                return Err(problem(format!(
                    "{tensor} has the shape {:?}, the parameter {shape:?}",
                    found.shape()
                )));
            }
        }
        Ok(())
    }
}
