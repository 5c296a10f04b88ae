//! A case of the kind `op`: its inputs by role, and its attributes.

#![allow(dead_code, reason = "attributes are read as operations come to need them")]

use super::pack::number;
use serde_json::Value;
use wengert_autograd::{Float, Tensor, Variable};

/// An input of any type.
#[derive(Clone)]
pub enum Input<T: Float> {
    Float(Variable<T>),
    Index(Tensor<i64>),
    Mask(Tensor<bool>),
}

/// An output of any type.
pub enum Output<T: Float> {
    Float(Variable<T>),
    Index(Tensor<i64>),
    Mask(Tensor<bool>),
}

impl<T: Float> Output<T> {
    /// The name of its type.
    pub fn dtype(&self) -> &'static str {
        match self {
            Output::Float(_) => "floating point",
            Output::Index(_) => "i64",
            Output::Mask(_) => "bool",
        }
    }
}
impl<T: Float> From<Variable<T>> for Output<T> {
    fn from(output: Variable<T>) -> Self {
        Output::Float(output)
    }
}
impl<T: Float> From<Tensor<i64>> for Output<T> {
    fn from(output: Tensor<i64>) -> Self {
        Output::Index(output)
    }
}
impl<T: Float> From<Tensor<bool>> for Output<T> {
    fn from(output: Tensor<bool>) -> Self {
        Output::Mask(output)
    }
}

/// A whole number, also in the form `2.0`.
fn integer(value: &Value) -> Option<isize> {
    let whole = || value.as_f64().filter(|number| number.fract() == 0.0).map(|number| number as i64);
    value.as_i64().or_else(whole).map(|number| number as isize)
}

/// What an operation is given.
pub struct Case<T: Float> {
    pub inputs: Vec<(String, Input<T>)>,
    pub attrs: Value,
}

impl<T: Float> Case<T> {
    fn input(&self, role: &str) -> Option<&Input<T>> {
        self.inputs.iter().find(|(name, _)| name == role).map(|(_, input)| input)
    }

    /// The input `x`.
    pub fn x(&self) -> &Variable<T> {
        self.var("x")
    }
    /// The floating-point input of that role.
    pub fn var(&self, role: &str) -> &Variable<T> {
        self.maybe(role).unwrap_or_else(|| panic!("the case has no floating-point input {role}"))
    }
    /// The floating-point input of that role, if the case has one.
    pub fn maybe(&self, role: &str) -> Option<&Variable<T>> {
        if let Some(Input::Float(x)) = self.input(role) { Some(x) } else { None }
    }
    /// The floating-point inputs `x0`, `x1`, … (for the prefix `x`).
    pub fn vars(&self, prefix: &str) -> Vec<&Variable<T>> {
        (0..).map_while(|k| self.maybe(&format!("{prefix}{k}"))).collect()
    }
    /// The integer input of that role.
    pub fn index(&self, role: &str) -> &Tensor<i64> {
        self.maybe_index(role).unwrap_or_else(|| panic!("the case has no integer input {role}"))
    }
    /// The integer input of that role, if the case has one.
    pub fn maybe_index(&self, role: &str) -> Option<&Tensor<i64>> {
        if let Some(Input::Index(x)) = self.input(role) { Some(x) } else { None }
    }
    /// The boolean input of that role.
    pub fn mask(&self, role: &str) -> &Tensor<bool> {
        self.maybe_mask(role).unwrap_or_else(|| panic!("the case has no boolean input {role}"))
    }
    /// The boolean input of that role, if the case has one.
    pub fn maybe_mask(&self, role: &str) -> Option<&Tensor<bool>> {
        if let Some(Input::Mask(x)) = self.input(role) { Some(x) } else { None }
    }

    /// Has the case this attribute?
    pub fn has(&self, name: &str) -> bool {
        !self.attrs[name].is_null()
    }
    /// A number, if it is given.
    pub fn maybe_number(&self, name: &str) -> Option<f64> {
        number(&self.attrs[name])
    }
    /// A number.
    pub fn number(&self, name: &str, default: f64) -> f64 {
        self.maybe_number(name).unwrap_or(default)
    }
    /// A size or count.
    pub fn count(&self, name: &str, default: usize) -> usize {
        self.maybe_axis(name).map_or(default, |count| usize::try_from(count).expect("a count"))
    }
    /// A yes or no.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.attrs[name].as_bool().unwrap_or(default)
    }
    /// A word.
    pub fn text(&self, name: &str, default: &'static str) -> &str {
        self.attrs[name].as_str().unwrap_or(default)
    }
    /// An integer, if it is given.
    pub fn maybe_axis(&self, name: &str) -> Option<isize> {
        integer(&self.attrs[name])
    }
    /// An axis or other integer that must be given.
    pub fn axis(&self, name: &str) -> isize {
        self.maybe_axis(name).unwrap_or_else(|| panic!("the case has no integer {name}"))
    }
    /// An integer or a list of them; none when it is absent.
    pub fn axes(&self, name: &str) -> Option<Vec<isize>> {
        match &self.attrs[name] {
            Value::Null => None,
            Value::Array(list) => list.iter().map(integer).collect(),
            one => integer(one).map(|axis| vec![axis]),
        }
    }
    /// The same, where sizes are meant that may be −1.
    pub fn sizes(&self, name: &str) -> Option<Vec<isize>> {
        self.axes(name)
    }
    /// A size or a list of them; none when it is absent.
    pub fn counts_of(&self, name: &str) -> Option<Vec<usize>> {
        Some(self.axes(name)?.into_iter().map(|size| size as usize).collect())
    }
    /// A list of sizes, or one for all of `rank` axes.
    pub fn counts(&self, name: &str, rank: usize, default: usize) -> Vec<usize> {
        match self.axes(name) {
            None => vec![default; rank],
            Some(list) if list.len() == 1 => vec![list[0] as usize; rank],
            Some(list) => list.into_iter().map(|size| size as usize).collect(),
        }
    }
}
