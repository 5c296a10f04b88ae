//! Lesson 6: a scalar variable in 60 lines.
//!
//! Lesson 3 wrote the backward lines by hand. A program can do it: let each value remember how it was made, from which
//! values and with which slopes. Then the backward pass is a loop. This is the whole idea of this library, for single
//! numbers, in plain Rust; the library does the same for arrays.
//!
//! Source: the shape of it is that of A. Karpathy's *micrograd* (2020); the record is R. E. Wengert's list (1964).
//!
//! `cargo run --release --example 06_scalar_variable`

use std::{array, cell::Cell, ops, rc::Rc};

/// A number that remembers how it was computed: a value, its slope, and its origin.
#[derive(Clone)]
pub(crate) struct Variable(pub(crate) Rc<Node>);
pub(crate) struct Node {
    pub(crate) value: f64,
    pub(crate) grad: Cell<f64>, // x̄, the slope of the final result in this value
    pub(crate) inputs: Vec<(Variable, f64)>, // what it was computed from, and ∂(this)/∂(that)
}

impl Variable {
    /// An input.
    pub(crate) fn new(value: f64) -> Self {
        Variable::made_of(value, vec![])
    }
    fn made_of(value: f64, inputs: Vec<(Variable, f64)>) -> Self {
        Variable(Rc::new(Node { value, grad: Cell::new(0.0), inputs }))
    }
    /// Its slope is 1 - tanh².
    pub(crate) fn tanh(&self) -> Self {
        let y = self.0.value.tanh();
        Variable::made_of(y, vec![(self.clone(), 1.0 - y * y)])
    }
    /// The slope that has arrived here.
    pub(crate) fn grad(&self) -> f64 {
        self.0.grad.get()
    }
    fn place_in(&self, list: &[Variable]) -> Option<usize> {
        list.iter().position(|v| Rc::ptr_eq(&v.0, &self.0))
    }
    /// All values below this one, each after everything that it was computed from.
    pub(crate) fn sorted(&self) -> Vec<Variable> {
        fn visit(v: &Variable, list: &mut Vec<Variable>) {
            if v.place_in(list).is_none() {
                v.0.inputs.iter().for_each(|(input, _)| visit(input, list));
                list.push(v.clone());
            }
        }
        let mut list = vec![];
        visit(self, &mut list);
        list
    }
    /// The chain rule: from the last value to the first, x̄ += ȳ · ∂y/∂x.
    pub(crate) fn backward(&self) {
        self.0.grad.set(1.0);
        for y in self.sorted().iter().rev() {
            for (x, slope) in &y.0.inputs {
                x.0.grad.set(x.grad() + y.grad() * slope);
            }
        }
    }
}

impl ops::Add for &Variable {
    type Output = Variable;
    fn add(self, other: &Variable) -> Variable {
        Variable::made_of(self.0.value + other.0.value, vec![(self.clone(), 1.0), (other.clone(), 1.0)])
    }
}
impl ops::Mul for &Variable {
    type Output = Variable;
    fn mul(self, other: &Variable) -> Variable {
        let (a, b) = (self.0.value, other.0.value);
        Variable::made_of(a * b, vec![(self.clone(), b), (other.clone(), a)])
    }
}
// Here the 60 lines end.

/// Two neurons, one after the other: E = (v · tanh(w·x + b) + c)².
fn network([w, x, b, v, c]: &[Variable; 5]) -> Variable {
    let y = &(v * &(&(w * x) + b).tanh()) + c;
    &y * &y
}

fn main() {
    let (names, values) = (["w", "x", "b", "v", "c"], [0.5, 2.0, -0.3, 1.5, 0.2]);
    let p = values.map(Variable::new);
    let e = network(&p);
    e.backward();
    println!("E = (v · tanh(w·x + b) + c)² at w, x, b, v, c = {values:?}");
    println!("The record that it left: number, value, and what it was made of (number: slope in it)");
    let list = e.sorted();
    for (i, v) in list.iter().enumerate() {
        let name = v.place_in(&p).map_or("", |i| names[i]);
        let number = |x: &Variable| x.place_in(&list).expect("it is listed");
        let inputs = v.0.inputs.iter().map(|(x, slope)| format!("{}: {slope:.4}   ", number(x)));
        println!("  {i:>4}{:>10.4}   {name}{}", v.0.value, inputs.collect::<String>());
    }
    assert_eq!(list.len(), 11, "five inputs and six steps");

    println!("\nbackward() walks it from last to first. What arrives at the inputs, and differences:");
    for (i, name) in names.iter().enumerate() {
        let moved = |h: f64| array::from_fn(|j| values[j] + if i == j { h } else { 0.0 });
        let at = |h: f64| network(&moved(h).map(Variable::new)).0.value;
        let differences = (at(1e-5) - at(-1e-5)) / 2e-5;
        println!("  {name:>4}{:>14.8}{differences:>14.8}", p[i].grad());
        assert!((p[i].grad() - differences).abs() < 1e-8);
    }

    println!("\nWith slopes at hand it learns: ten steps of w ← w - 0.02·w̄, on w, b, v and c.");
    let mut learned = values;
    for step in 0..=10 {
        let p = learned.map(Variable::new);
        let e = network(&p);
        e.backward();
        println!("  step {step:>2}: E = {:.1e}", e.0.value);
        [0, 2, 3, 4].iter().for_each(|&i| learned[i] -= 0.02 * p[i].grad());
    }
    assert!(network(&learned.map(Variable::new)).0.value < 1e-3);
    println!("\nThree questions are left: why sort the list (lesson 7), why add (8), why zero slopes (9)?");
}
