//! L-BFGS: a quasi-Newton method with limited memory.
//!
//! ```
//! use wengert_autograd::{NamedParameters, Tensor, Variable};
//! use wengert_optim::Lbfgs;
//!
//! // Rosenbrock's valley, from (−1.2, 1).
//! let x = Variable::parameter(Tensor::from_vec(vec![-1.2_f64, 1.0], [2]).unwrap());
//! let mut lbfgs = Lbfgs::new(NamedParameters::from_iter([("x", x.clone())])).max_iter(100).tolerance_change(1e-14);
//! lbfgs.step(|| {
//!     let (a, b) = (x.narrow(0, 0, 1), x.narrow(0, 1, 1));
//!     ((1.0 - &a).square() + 100.0 * (&b - a.square()).square()).sum()
//! });
//! assert!(x.value().iter().all(|x| (x - 1.0).abs() < 1e-5));
//! ```
//!
//! From the last m steps s and changes of the gradient y the method knows something of the curvature, and multiplies the
//! gradient by an approximate inverse of the Hessian without ever forming it (Nocedal, "Updating quasi-Newton matrices
//! with limited storage", 1980; Nocedal and Wright, "Numerical optimization", 2006, algorithm 7.4). The length of a step
//! is found by a line search for the strong Wolfe conditions (algorithms 3.5 and 3.6 there). It is for losses of the
//! whole data set: the gradient of another batch would be taken for curvature.

use crate::state::{OptimizerState, ParameterState, StateError};
use std::collections::{BTreeMap, VecDeque};
use wengert_autograd::{Float, NamedParameters, Tensor, Variable};

/// L-BFGS with a line search; see the [module documentation](self).
#[derive(Clone, Debug)]
pub struct Lbfgs<T: Float = f32> {
    parameters: NamedParameters<T>,
    lr: f64,
    max_iter: usize,
    max_eval: Option<usize>,
    tolerance_grad: f64,
    tolerance_change: f64,
    history_size: usize,
    line_search: bool,
    memory: Memory<T>,
}

/// What the method remembers from step to step; all vectors are those of the parameters, end to end.
#[derive(Clone, Debug)]
struct Memory<T> {
    iterations: u64,
    direction: Vec<T>,
    /// How far along the direction the last step went.
    length: f64,
    gradient: Vec<T>,
    /// Changes of the gradient y and steps s, oldest first.
    pairs: VecDeque<(Vec<T>, Vec<T>)>,
}

/// A point on the line that is searched.
#[derive(Clone)]
struct Point<T> {
    length: f64,
    loss: f64,
    /// The derivative along the line.
    slope: f64,
    gradient: Vec<T>,
}

impl<T: Float> Lbfgs<T> {
    /// An optimiser of these parameters with the default settings: a learning rate of 1, 20 iterations a step, a memory of
    /// 100 pairs, a line search.
    pub fn new(parameters: NamedParameters<T>) -> Self {
        let memory = Memory {
            iterations: 0,
            direction: Vec::new(),
            length: 0.0,
            gradient: Vec::new(),
            pairs: VecDeque::new(),
        };
        Lbfgs {
            parameters,
            lr: 1.0,
            max_iter: 20,
            max_eval: None,
            tolerance_grad: 1e-7,
            tolerance_change: 1e-9,
            history_size: 100,
            line_search: true,
            memory,
        }
    }

    /// The length, in directions, at which the line search begins; without a line search that of every step: 1.
    #[must_use]
    pub fn lr(mut self, lr: f64) -> Self {
        self.lr = lr;
        self
    }
    /// How many iterations a call of [`step`](Self::step) makes at most: 20.
    #[must_use]
    pub fn max_iter(mut self, max_iter: usize) -> Self {
        self.max_iter = max_iter;
        self
    }
    /// How many evaluations of the loss a call of [`step`](Self::step) makes at most, give or take a line search: 5/4 of
    /// the iterations.
    #[must_use]
    pub fn max_eval(mut self, max_eval: usize) -> Self {
        self.max_eval = Some(max_eval);
        self
    }
    /// Stops where no element of the gradient is larger: 10⁻⁷.
    #[must_use]
    pub fn tolerance_grad(mut self, tolerance: f64) -> Self {
        self.tolerance_grad = tolerance;
        self
    }
    /// Stops where neither the parameters nor the loss change by more: 10⁻⁹.
    #[must_use]
    pub fn tolerance_change(mut self, tolerance: f64) -> Self {
        self.tolerance_change = tolerance;
        self
    }
    /// How many pairs are remembered: 100.
    #[must_use]
    pub fn history_size(mut self, pairs: usize) -> Self {
        self.history_size = pairs;
        self
    }
    /// Whether to search for the length of a step, or to take the learning rate: search.
    #[must_use]
    pub fn line_search(mut self, search: bool) -> Self {
        self.line_search = search;
        self
    }

    /// Goes down the loss that `loss` computes, for up to [`max_iter`](Self::max_iter) iterations; returns the loss that it
    /// began with. `loss` is called again and again and must compute the same function each time.
    pub fn step(&mut self, mut loss: impl FnMut() -> Variable<T>) -> T {
        let (first, mut gradient) = self.evaluate(&mut loss);
        let mut value = first.into_f64();
        let mut evaluations = 1;
        let max_eval = self.max_eval.unwrap_or(self.max_iter * 5 / 4);
        for _ in 0..self.max_iter {
            if largest(&gradient) <= self.tolerance_grad {
                break;
            }
            self.learn_curvature(&gradient);
            let direction = self.direction(&gradient);
            let slope = dot(&gradient, &direction);
            // Not a direction down: the end, or a gradient that is not a number.
            if slope.is_nan() || slope > -self.tolerance_change {
                self.memory.direction = direction;
                self.memory.gradient = gradient;
                self.memory.length = 0.0;
                break;
            }
            let begin = if self.memory.iterations == 0 {
                let size: f64 = gradient.iter().map(|x| x.into_f64().abs()).sum();
                (1.0 / size).min(1.0) * self.lr
            } else {
                self.lr
            };
            self.memory.iterations += 1;
            let start = Point { length: 0.0, loss: value, slope, gradient: gradient.clone() };
            let origin = self.values();
            let mut evaluate = |length: f64| {
                self.set_values(&origin, &direction, length);
                evaluations += 1;
                let (loss, gradient) = self.evaluate(&mut loss);
                let slope = dot(&gradient, &direction);
                Point { length, loss: loss.into_f64(), slope, gradient }
            };
            let reached = if self.line_search {
                let smallest = self.tolerance_change / largest(&direction);
                let reached = strong_wolfe(&mut evaluate, start.clone(), begin, smallest);
                self.set_values(&origin, &direction, reached.length);
                reached
            } else {
                evaluate(begin)
            };
            self.memory.gradient = std::mem::replace(&mut gradient, reached.gradient);
            let moved = largest(&direction) * reached.length;
            self.memory.direction = direction;
            self.memory.length = reached.length;
            let changed = (reached.loss - value).abs();
            value = reached.loss;
            if evaluations >= max_eval || moved <= self.tolerance_change || changed < self.tolerance_change {
                break;
            }
        }
        first
    }

    /// The parameters.
    pub fn parameters(&self) -> NamedParameters<T> {
        self.parameters.clone()
    }

    /// Remembers what the step from the last gradient to this one shows of the curvature, if it is positive.
    fn learn_curvature(&mut self, gradient: &[T]) {
        let memory = &mut self.memory;
        if memory.iterations == 0 || memory.length == 0.0 {
            return;
        }
        let y: Vec<T> = gradient.iter().zip(&memory.gradient).map(|(&new, &old)| new - old).collect();
        let length = T::from_f64(memory.length);
        let s: Vec<T> = memory.direction.iter().map(|&d| d * length).collect();
        if dot(&y, &s) > 1e-10 {
            if memory.pairs.len() >= self.history_size {
                memory.pairs.pop_front();
            }
            memory.pairs.push_back((y, s));
        }
    }

    /// −H·g by the two loops over the pairs.
    fn direction(&self, gradient: &[T]) -> Vec<T> {
        let mut q: Vec<T> = gradient.iter().map(|&g| -g).collect();
        let mut weights = Vec::with_capacity(self.memory.pairs.len());
        for (y, s) in self.memory.pairs.iter().rev() {
            let weight = dot(s, &q) / dot(y, s);
            add_scaled(&mut q, y, -weight);
            weights.push(weight);
        }
        if let Some((y, s)) = self.memory.pairs.back() {
            let scale = T::from_f64(dot(y, s) / dot(y, y));
            q.iter_mut().for_each(|x| *x = *x * scale);
        }
        for ((y, s), weight) in self.memory.pairs.iter().zip(weights.into_iter().rev()) {
            let back = dot(y, &q) / dot(y, s);
            add_scaled(&mut q, s, weight - back);
        }
        q
    }

    fn evaluate(&self, loss: &mut impl FnMut() -> Variable<T>) -> (T, Vec<T>) {
        self.parameters.zero_grad();
        let loss = loss();
        loss.backward();
        let mut gradient = Vec::with_capacity(self.parameters.elements());
        for (_, parameter) in self.parameters.iter() {
            match parameter.grad() {
                Some(part) => gradient.extend(part.iter()),
                None => gradient.extend(std::iter::repeat_n(T::zero(), parameter.len())),
            }
        }
        (loss.item(), gradient)
    }

    fn values(&self) -> Vec<T> {
        self.parameters.iter().flat_map(|(_, parameter)| parameter.value().to_vec()).collect()
    }

    /// Parameters at `origin + length · direction`.
    fn set_values(&self, origin: &[T], direction: &[T], length: f64) {
        let length = T::from_f64(length);
        let mut at = 0;
        for (_, parameter) in self.parameters.iter() {
            let range = at..at + parameter.len();
            at = range.end;
            let moved = origin[range.clone()].iter().zip(&direction[range]).map(|(&x, &d)| x + length * d);
            let value = Tensor::from_vec(moved.collect(), parameter.shape());
            parameter.set(value.expect("as many numbers as the parameter has"));
        }
    }

    /// What the optimiser remembers, by parameter name.
    pub fn state(&self) -> OptimizerState<T> {
        let memory = &self.memory;
        let mut parameters = BTreeMap::new();
        let mut at = 0;
        for (name, parameter) in self.parameters.iter() {
            let range = at..at + parameter.len();
            at = range.end;
            let part = |vector: &[T]| {
                let numbers = vector[range.clone()].to_vec();
                Tensor::from_vec(numbers, parameter.shape()).expect("as many numbers as the parameter has")
            };
            let mut states = Vec::new();
            if !memory.direction.is_empty() {
                states.push(("direction".to_string(), part(&memory.direction)));
                states.push(("gradient".to_string(), part(&memory.gradient)));
            }
            for (k, (y, s)) in memory.pairs.iter().enumerate() {
                states.push((format!("y.{k}"), part(y)));
                states.push((format!("s.{k}"), part(s)));
            }
            let state = ParameterState { step: memory.iterations, carried: memory.length, states };
            parameters.insert(name.to_string(), state);
        }
        OptimizerState { optimizer: "L-BFGS".into(), parameters }
    }

    /// Goes on from a stored state.
    ///
    /// # Errors
    /// If it is another optimiser's, or does not fit the parameters; then nothing has been changed.
    pub fn load_state(&mut self, state: OptimizerState<T>) -> Result<(), StateError> {
        let first = state.parameters.values().next();
        let names: Vec<String> = first
            .map(|state| state.states.iter().map(|(name, _)| name.clone()).collect())
            .unwrap_or_default();
        let expected: Vec<&str> = names.iter().map(String::as_str).collect();
        let wanted = self.parameters.iter().map(|(name, p)| (name, p.shape(), expected.as_slice()));
        state.check("L-BFGS", wanted)?;
        let vector = |wanted: &str| -> Vec<T> {
            let parts = self.parameters.names().flat_map(|name| {
                let states = &state.parameters[name].states;
                states.iter().filter(|(name, _)| name == wanted).flat_map(|(_, tensor)| tensor.to_vec())
            });
            parts.collect()
        };
        let pairs = names.iter().filter(|name| name.starts_with("y.")).count();
        let pairs = (0..pairs).map(|k| (vector(&format!("y.{k}")), vector(&format!("s.{k}")))).collect();
        self.memory = Memory {
            iterations: first.map_or(0, |state| state.step),
            direction: vector("direction"),
            length: first.map_or(0.0, |state| state.carried),
            gradient: vector("gradient"),
            pairs,
        };
        Ok(())
    }
}

/// A length that satisfies the strong Wolfe conditions: the loss falls enough, by 10⁻⁴ of what the slope promises, and
/// the slope has flattened to 0.9 of what it was.
fn strong_wolfe<T: Clone>(
    evaluate: &mut impl FnMut(f64) -> Point<T>,
    start: Point<T>,
    mut length: f64,
    smallest: f64,
) -> Point<T> {
    const FALL: f64 = 1e-4;
    const FLATTEN: f64 = 0.9;
    const EVALUATIONS: usize = 25;
    // A loss that is not a number did not fall.
    let falls = |p: &Point<T>| p.loss <= start.loss + FALL * p.length * start.slope;
    let flat = |p: &Point<T>| p.slope.abs() <= -FLATTEN * start.slope;

    // Go on until two points have a good one between them.
    let mut before = start.clone();
    let mut bracket = None;
    let mut left = EVALUATIONS;
    while left > 0 {
        let here = evaluate(length);
        left -= 1;
        if !falls(&here) || (before.length > 0.0 && here.loss >= before.loss) {
            bracket = Some((before.clone(), here));
            break;
        }
        if flat(&here) {
            return here;
        }
        if here.slope >= 0.0 {
            bracket = Some((here, before.clone()));
            break;
        }
        let (low, high) = (here.length + 0.01 * (here.length - before.length), here.length * 10.0);
        length = cubic_minimum(&before, &here).filter(|t| (low..=high).contains(t)).unwrap_or(high);
        before = here;
    }
    let Some((mut best, mut other)) = bracket else { return before };

    // Narrow the bracket; `best` is the lowest point so far that fell enough, and its slope leads into the bracket.
    while left > 0 && (best.length - other.length).abs() > smallest {
        let (low, high) = (best.length.min(other.length), best.length.max(other.length));
        let margin = 0.1 * (high - low);
        let guess = cubic_minimum(&best, &other).map(|t| t.clamp(low + margin, high - margin));
        let here = evaluate(guess.unwrap_or((low + high) / 2.0));
        left -= 1;
        if !falls(&here) || here.loss >= best.loss {
            other = here;
            continue;
        }
        if flat(&here) {
            return here;
        }
        if here.slope * (other.length - best.length) >= 0.0 {
            other = best;
        }
        best = here;
    }
    best
}

/// Where the cubic through two points with their slopes has its minimum (Nocedal and Wright, equation 3.59).
fn cubic_minimum<T>(a: &Point<T>, b: &Point<T>) -> Option<f64> {
    let d1 = a.slope + b.slope - 3.0 * (a.loss - b.loss) / (a.length - b.length);
    let square = d1 * d1 - a.slope * b.slope;
    let d2 = (b.length - a.length).signum() * square.sqrt();
    let t = b.length - (b.length - a.length) * (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2);
    (square >= 0.0 && t.is_finite()).then_some(t)
}

fn dot<T: Float>(a: &[T], b: &[T]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a.into_f64() * b.into_f64()).sum()
}

fn add_scaled<T: Float>(into: &mut [T], from: &[T], scale: f64) {
    let scale = T::from_f64(scale);
    into.iter_mut().zip(from).for_each(|(x, &y)| *x = *x + scale * y);
}

fn largest<T: Float>(x: &[T]) -> f64 {
    x.iter().fold(0.0, |largest: f64, x| if x.is_nan() { f64::NAN } else { largest.max(x.into_f64().abs()) })
}
