//! Gradient checks: rules against differences.

use super::{
    Differences, InputReport, Outputs, Report, Verdict, WorstEntry, differences::one_sided, random::Numbers,
};
use crate::{
    functional::grad,
    graph::{Variable, enable_grad, no_grad},
    tensor::{Dims, Tensor},
};

/// Why a check could not be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// There is nothing to differentiate by.
    #[error("gradcheck: no inputs were given")]
    NoInputs,
    /// There is nothing to differentiate.
    #[error("gradcheck: the function returned no outputs")]
    NoOutputs,
    /// A function is its own derivative of order 0: there is nothing to compare it with.
    #[error("gradcheck: derivatives of order 0 were asked for; orders begin with 1")]
    OrderZero,
    /// The function's value at the inputs is not finite, so it has no derivative there.
    #[error(
        "gradcheck: output {output} has the value {value} at {index:?}; derivatives are checked where values are finite"
    )]
    NotFinite {
        /// Which output.
        output: usize,
        /// Where in it.
        index: Vec<usize>,
        /// The value.
        value: f64,
    },
}

/// Compares the gradients of `f` with differences of its values, entry by entry.
///
/// `f` gets its inputs as variables and returns one, a tuple, an array or a vector of them. It is checked in `f64`
/// only: differences in `f32` have no digits to spare.
///
/// # Errors
/// If there are no inputs or outputs, or a value is not finite. A wrong gradient is no error but a [`Report`].
pub fn gradcheck<R: Outputs<f64>>(
    f: impl Fn(&[Variable<f64>]) -> R,
    inputs: &[Tensor<f64>],
) -> Result<Report, CheckError> {
    Gradcheck::new().check(f, inputs)
}

/// Compares the second derivatives of `f` with differences of its gradients, along the inputs and along the cotangents.
///
/// # Errors
/// As [`gradcheck`].
pub fn gradgradcheck<R: Outputs<f64>>(
    f: impl Fn(&[Variable<f64>]) -> R,
    inputs: &[Tensor<f64>],
) -> Result<Report, CheckError> {
    Gradcheck::new().order(2).check(f, inputs)
}

/// Checks the derivatives of every order up to `order`; the report is that of the first order that fails, or of the last.
///
/// Every order is compared with differences of the one below it, which is exact, so no digits are lost on the way up; but a
/// gradient of the gradient has twice as many inputs, so the work grows by more than that with each.
///
/// # Errors
/// As [`gradcheck`], or if `order` is 0.
pub fn check_grads<R: Outputs<f64>>(
    f: impl Fn(&[Variable<f64>]) -> R,
    inputs: &[Tensor<f64>],
    order: usize,
) -> Result<Report, CheckError> {
    for order in 1..order {
        let report = Gradcheck::new().order(order).check(&f, inputs)?;
        if !report.passed() {
            return Ok(report);
        }
    }
    Gradcheck::new().order(order).check(f, inputs)
}

/// A gradient check with settings.
///
/// ```
/// use wengert_autograd::{Tensor, check::{Differences, Gradcheck}};
///
/// let x = Tensor::<f64>::linspace(0.5, 2.0, 100);
/// let check = Gradcheck::new().differences(Differences::Central).projected(3).seed(1);
/// assert!(check.check(|x| x[0].ln(), &[x])?.passed());
/// # Ok::<(), wengert_autograd::check::CheckError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Gradcheck {
    order: usize,
    eps: Option<f64>,
    relative: Option<f64>,
    floor: f64,
    directions: Option<usize>,
    seed: u64,
    differences: Differences,
}

impl Default for Gradcheck {
    fn default() -> Self {
        Self::new()
    }
}

impl Gradcheck {
    /// First order, every entry, five-point differences, relative error at most 10⁻⁶.
    pub fn new() -> Self {
        Gradcheck {
            order: 1,
            eps: None,
            relative: None,
            floor: 1e-3,
            directions: None,
            seed: 0x5eed,
            differences: Differences::FivePoint,
        }
    }
    /// Checks the derivatives of this order against differences of those one order lower.
    #[must_use]
    pub fn order(mut self, order: usize) -> Self {
        self.order = order;
        self
    }
    /// The step of the differences, relative to the size of the number that it is added to where that is above 1.
    #[must_use]
    pub fn eps(mut self, eps: f64) -> Self {
        self.eps = Some(eps);
        self
    }
    /// The largest error that passes, relative to the largest entry of the gradient, or to `floor` where all entries are
    /// smaller. The defaults are 10⁻⁶ for the first order, ten times as much for each further one up to 10⁻³, and a floor of
    /// 10⁻³.
    #[must_use]
    pub fn tolerances(mut self, relative: f64, floor: f64) -> Self {
        (self.relative, self.floor) = (Some(relative), floor);
        self
    }
    /// Checks the slopes along this many random directions of each input, not every entry: for large inputs.
    #[must_use]
    pub fn projected(mut self, directions: usize) -> Self {
        self.directions = Some(directions);
        self
    }
    /// Checks every entry, as is the default.
    #[must_use]
    pub fn full(mut self) -> Self {
        self.directions = None;
        self
    }
    /// The seed of the random cotangents and directions.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
    /// The kind of differences.
    #[must_use]
    pub fn differences(mut self, differences: Differences) -> Self {
        self.differences = differences;
        self
    }

    /// Makes the check.
    ///
    /// # Errors
    /// If there are no inputs or outputs, a value is not finite, or the order is 0.
    pub fn check<R: Outputs<f64>>(
        &self,
        f: impl Fn(&[Variable<f64>]) -> R,
        inputs: &[Tensor<f64>],
    ) -> Result<Report, CheckError> {
        if inputs.is_empty() {
            return Err(CheckError::NoInputs);
        }
        if self.order == 0 {
            return Err(CheckError::OrderZero);
        }
        let function: &Function<'_> = &|inputs, _| f(inputs).into_outputs();
        let names = (0..inputs.len()).map(|i| format!("input {i}")).collect();
        let inputs_found =
            self.descend(self.order, function, inputs.to_vec(), names, &mut Numbers::new(self.seed))?;
        Ok(Report {
            order: self.order,
            inputs: inputs_found,
            operation: last_operation(function, inputs),
            given: inputs.to_vec(),
            check: self.clone(),
            function: None,
        })
    }

    /// Turns a check of order n of `f` into one of order n − 1 of its gradient, until it is of order 1.
    fn descend(
        &self,
        order: usize,
        f: &Function<'_>,
        mut inputs: Vec<Tensor<f64>>,
        mut names: Vec<String>,
        numbers: &mut Numbers,
    ) -> Result<Vec<InputReport>, CheckError> {
        if order == 1 {
            return self.first_order(f, &inputs, names, numbers);
        }
        let count = inputs.len();
        let outputs = evaluate(f, &inputs);
        for (k, output) in outputs.iter().enumerate() {
            names.push(format!("cotangent {k}"));
            inputs.push(normal(numbers, output.dims()));
        }
        let gradient: &Function<'_> = &|given, recorded| {
            let (x, cotangents) = given.split_at(count);
            gradients(f, x, cotangents, recorded)
        };
        self.descend(order - 1, gradient, inputs, names, numbers)
    }

    fn first_order(
        &self,
        f: &Function<'_>,
        inputs: &[Tensor<f64>],
        names: Vec<String>,
        numbers: &mut Numbers,
    ) -> Result<Vec<InputReport>, CheckError> {
        let values = evaluate(f, inputs);
        if values.is_empty() {
            return Err(CheckError::NoOutputs);
        }
        for (output, value) in values.iter().enumerate() {
            if let Some(at) = value.iter().position(|value| !value.is_finite()) {
                let (index, value) = (index_of(at, value.dims()), value.to_vec()[at]);
                return Err(CheckError::NotFinite { output, index, value });
            }
        }
        let weights: Vec<Tensor<f64>> = values.iter().map(|value| normal(numbers, value.dims())).collect();
        let cotangents: Vec<Variable<f64>> = weights.iter().cloned().map(Variable::new).collect();
        let leaves: Vec<Variable<f64>> = inputs.iter().cloned().map(Variable::parameter).collect();
        let backward = || -> Vec<Tensor<f64>> {
            let found = gradients(f, &leaves, &cotangents, false);
            found.into_iter().map(|gradient| gradient.value()).collect()
        };
        let (analytic, again) = (backward(), backward());
        let same_values =
            values.iter().zip(evaluate(f, inputs)).all(|(value, again)| same_bits(value, &again));
        let weights: Vec<f64> = weights.iter().flat_map(Tensor::to_vec).collect();
        let mut reports = Vec::new();
        for (i, name) in names.into_iter().enumerate() {
            let (verdict, worst) = self.compare(f, inputs, i, &weights, &analytic[i], numbers);
            let repeatable = same_values && same_bits(&analytic[i], &again[i]);
            let verdict = if repeatable { verdict } else { Verdict::Nondeterministic };
            reports.push(InputReport { name, shape: inputs[i].dims(), verdict, worst });
        }
        Ok(reports)
    }

    /// Compares the gradient of input `i` with differences.
    fn compare(
        &self,
        f: &Function<'_>,
        inputs: &[Tensor<f64>],
        i: usize,
        weights: &[f64],
        analytic: &Tensor<f64>,
        numbers: &mut Numbers,
    ) -> (Verdict, Option<WorstEntry>) {
        let x = inputs[i].to_vec();
        let analytic = analytic.to_vec();
        let directions: Vec<Direction> = match self.directions {
            None => (0..x.len()).map(Direction::Entry).collect(),
            Some(_) if x.is_empty() => Vec::new(),
            Some(count) => (0..count)
                .map(|_| Direction::Along((0..x.len()).map(|_| numbers.normal()).collect()))
                .collect(),
        };
        let values = |direction: &Direction, t: f64| -> Vec<f64> {
            let mut moved = inputs.to_vec();
            let moved_x = direction.moved(&x, t);
            moved[i] = Tensor::from_vec(moved_x, inputs[i].dims()).expect("as many values as before");
            evaluate(f, &moved).iter().flat_map(Tensor::to_vec).collect()
        };
        let eps = self.eps.unwrap_or(self.differences.usual_step());
        let mut found: Vec<(f64, f64)> = Vec::new();
        for direction in &directions {
            let eps = eps * direction.scale(&x);
            let numeric = self.differences.slope(eps, weights, &|t| values(direction, t));
            found.push((direction.product(&analytic), numeric));
        }
        let size = found
            .iter()
            .flat_map(|(a, n)| [a.abs(), n.abs()])
            .filter(|x| x.is_finite())
            .fold(self.floor, f64::max);
        let tolerance = self.relative.unwrap_or((1e-6 * 10_f64.powi(self.order as i32 - 1)).min(1e-3));
        let mut worst: Option<(Verdict, WorstEntry)> = None;
        for (place, (direction, (analytic, numeric))) in directions.iter().zip(found).enumerate() {
            let near = 1e-6 * direction.scale(&x);
            let suspect = Suspect { analytic, numeric, size, tolerance };
            let (verdict, numeric, error) = suspect.judge(near, weights, &|t| values(direction, t));
            let worse = |(before, entry): &(Verdict, WorstEntry)| {
                (verdict.severity(), error) > (before.severity(), entry.error)
            };
            if worst.as_ref().is_none_or(worse) {
                let index = match direction {
                    Direction::Entry(at) => index_of(*at, inputs[i].dims()),
                    Direction::Along(_) => vec![place],
                };
                worst = Some((verdict, WorstEntry { index, analytic, numeric, error }));
            }
        }
        worst.map_or((Verdict::Pass, None), |(verdict, entry)| (verdict, Some(entry)))
    }

    /// The settings that are not the usual ones, as calls.
    pub(super) fn settings(&self) -> String {
        let usual = Gradcheck::new();
        let mut calls = String::new();
        let mut add = |call: Option<String>| calls.extend(call);
        add((self.order != usual.order).then(|| format!(".order({})", self.order)));
        add(self.eps.map(|eps| format!(".eps({eps:?})")));
        let relative = self.relative.or((self.floor != usual.floor).then_some(1e-6));
        add(relative.map(|relative| format!(".tolerances({relative:?}, {:?})", self.floor)));
        add(self.directions.map(|count| format!(".projected({count})")));
        add((self.seed != usual.seed).then(|| format!(".seed({})", self.seed)));
        add((self.differences != usual.differences).then(|| ".differences(Differences::Central)".into()));
        calls
    }

    /// Whether entries are random directions.
    pub(super) fn is_projected(&self) -> bool {
        self.directions.is_some()
    }
}

/// A slope by the rules and the same by differences.
struct Suspect {
    analytic: f64,
    numeric: f64,
    size: f64,
    tolerance: f64,
}

impl Suspect {
    /// The verdict about the pair, with the differences that it rests on and the relative error.
    fn judge(&self, near: f64, weights: &[f64], values: &dyn Fn(f64) -> Vec<f64>) -> (Verdict, f64, f64) {
        let Suspect { analytic, numeric, size, tolerance } = *self;
        let distance = |numeric: f64| {
            let error = (analytic - numeric).abs() / size;
            if error.is_nan() { f64::INFINITY } else { error }
        };
        if distance(numeric) <= tolerance {
            return (Verdict::Pass, numeric, distance(numeric));
        }
        // Perhaps the differences reached over a kink or a pole nearby: ask again with a much smaller step.
        let closer = Differences::Central.slope(near, weights, values);
        if distance(closer) <= tolerance {
            return (Verdict::Pass, closer, distance(closer));
        }
        // What the slopes of the two sides differ by stays as it is at a kink, however small the step. Where the function
        // is merely curved, it shrinks with the step; and where rounding makes it, it grows.
        let jump = |step: f64| {
            let (before, after) = one_sided(step, weights, values);
            (after - before).abs()
        };
        let (wide, narrow) = (jump(near), jump(near / 16.0));
        let stays = wide > 1e-3 * size && (0.5..2.0).contains(&(narrow / wide));
        let apart = (numeric - closer).abs();
        let verdict = if stays || wide.is_nan() {
            Verdict::Kink
        } else if apart.is_nan() || apart > 10.0 * tolerance * size {
            Verdict::IllConditioned
        } else {
            Verdict::Wrong
        };
        (verdict, numeric, distance(numeric))
    }
}

/// A function under check. The flag says whether its result is going to be differentiated.
type Function<'a> = dyn Fn(&[Variable<f64>], bool) -> Vec<Variable<f64>> + 'a;

/// Along what an input is moved.
enum Direction {
    Entry(usize),
    Along(Vec<f64>),
}

impl Direction {
    fn moved(&self, x: &[f64], t: f64) -> Vec<f64> {
        match self {
            Direction::Entry(at) => {
                let mut moved = x.to_vec();
                moved[*at] += t;
                moved
            }
            Direction::Along(v) => x.iter().zip(v).map(|(x, v)| x + t * v).collect(),
        }
    }
    /// The slope along the direction, from the gradient.
    fn product(&self, gradient: &[f64]) -> f64 {
        match self {
            Direction::Entry(at) => gradient[*at],
            Direction::Along(v) => gradient.iter().zip(v).map(|(g, v)| g * v).sum(),
        }
    }
    fn scale(&self, x: &[f64]) -> f64 {
        match self {
            Direction::Entry(at) => x[*at].abs().max(1.0),
            Direction::Along(_) => 1.0,
        }
    }
}

/// The values of `f` at constants.
fn evaluate(f: &Function<'_>, inputs: &[Tensor<f64>]) -> Vec<Tensor<f64>> {
    let inputs: Vec<Variable<f64>> = inputs.iter().cloned().map(Variable::new).collect();
    no_grad(|| f(&inputs, false)).into_iter().map(|output| output.value()).collect()
}

/// The operation that computed the first output that was recorded, and its line.
fn last_operation(
    f: &Function<'_>,
    inputs: &[Tensor<f64>],
) -> Option<(&'static str, &'static std::panic::Location<'static>)> {
    let leaves: Vec<Variable<f64>> = inputs.iter().cloned().map(Variable::parameter).collect();
    let outputs = enable_grad(|| f(&leaves, true));
    outputs.iter().find_map(|output| Some((output.op_name()?, output.recorded_at()?)))
}

/// Jᵀ·cotangents of `f` at `x`; zeros for what the outputs do not depend on.
fn gradients(
    f: &Function<'_>,
    x: &[Variable<f64>],
    cotangents: &[Variable<f64>],
    recorded: bool,
) -> Vec<Variable<f64>> {
    // Somewhere to differentiate by, when the values are constants.
    let leaf = |x: &Variable<f64>| if x.needs_grad() { x.clone() } else { x.detach().requires_grad() };
    let x: Vec<Variable<f64>> = x.iter().map(leaf).collect();
    enable_grad(|| {
        let outputs = f(&x, true);
        let flowing = || outputs.iter().zip(cotangents).filter(|(output, _)| output.needs_grad());
        let outputs: Vec<&Variable<f64>> = flowing().map(|(output, _)| output).collect();
        let cotangents: Vec<&Variable<f64>> = flowing().map(|(_, cotangent)| cotangent).collect();
        let targets: Vec<&Variable<f64>> = x.iter().collect();
        let request = grad(&outputs).grad_outputs(&cotangents).create_graph(recorded);
        let found = request.wrt_allowing_unused(&targets);
        let zeros = |x: &Variable<f64>| Variable::new(Tensor::zeros(x.shape()));
        found.into_iter().zip(&x).map(|(found, x)| found.unwrap_or_else(|| zeros(x))).collect()
    })
}

fn normal(numbers: &mut Numbers, shape: Dims) -> Tensor<f64> {
    Tensor::from_fn(shape, |_| numbers.normal())
}

fn same_bits(a: &Tensor<f64>, b: &Tensor<f64>) -> bool {
    a.iter().zip(b.iter()).all(|(a, b)| a.to_bits() == b.to_bits())
}

fn index_of(mut at: usize, shape: Dims) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for axis in (0..shape.len()).rev() {
        index[axis] = at % shape[axis];
        at /= shape[axis];
    }
    index
}

/// Panics with the full report unless the gradients of a function are right: `assert_gradients!(f, &[x])` for the first
/// order, `assert_gradients!(f, &[x], order = 2)` for the first and second.
///
/// ```
/// use wengert_autograd::{Tensor, assert_gradients};
///
/// let x = Tensor::<f64>::linspace(0.5, 2.0, 4);
/// assert_gradients!(|x| x[0].ln() * &x[1], &[x.clone(), x], order = 2);
/// ```
#[macro_export]
macro_rules! assert_gradients {
    ($f:expr, $inputs:expr $(,)?) => {
        $crate::assert_gradients!($f, $inputs, order = 1)
    };
    ($f:expr, $inputs:expr, order = $order:expr $(,)?) => {
        match $crate::check::check_grads($f, $inputs, $order) {
            Ok(report) => assert!(report.passed(), "{report}"),
            Err(error) => panic!("{error}"),
        }
    };
}
