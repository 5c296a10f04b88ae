//! [`AveragedParameters`]: a second set of values that follows the parameters, for evaluation.
//!
//! ```
//! use wengert_autograd::{NamedParameters, Tensor, Variable};
//! use wengert_optim::{AveragedParameters, Averaging};
//!
//! let w = Variable::parameter(Tensor::from_vec(vec![0.0_f32], [1]).unwrap());
//! let parameters = NamedParameters::from_iter([("w", w.clone())]);
//! let mut average = AveragedParameters::new(parameters, Averaging::Exponential(0.9));
//! w.set(Tensor::ones([1]));
//! average.update(); // after each step of the optimiser
//! average.swap(); // the model now has the averages
//! assert!((w.item() - 0.1).abs() < 1e-6);
//! average.swap(); // and its own values again
//! assert_eq!(w.item(), 1.0);
//! ```

use crate::state::{OptimizerState, ParameterState, StateError};
use wengert_autograd::{
    Float, NamedParameters, Tensor, Variable, apply_formula, no_grad,
    scalar::{Formula, Real},
};

/// How an average follows.
///
/// The running statistics of batch normalisation are not parameters, and those that were measured belong to other weights
/// than the averages: after a [`swap`](AveragedParameters::swap) pass some batches through the model in training, then
/// evaluate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Averaging {
    /// a ← d·a + (1 − d)·p: an exponential moving average with this decay (Polyak and Juditsky 1992).
    Exponential(f64),
    /// The plain mean of all values so far: stochastic weight averaging (Izmailov and others 2018).
    Equal,
}

/// Averages of parameters; see the [module documentation](self).
#[derive(Clone, Debug)]
pub struct AveragedParameters<T: Float = f32> {
    parameters: NamedParameters<T>,
    averages: Vec<Tensor<T>>,
    averaging: Averaging,
    updates: u64,
}

/// d·a + (1 − d)·p.
#[derive(Clone, Copy)]
struct Follow(f64);
impl Formula<2> for Follow {
    fn name(&self) -> &'static str {
        "average"
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [a, p]: [R; 2]) -> [R; 1] {
        [R::constant(self.0) * a + R::constant(1.0 - self.0) * p]
    }
}

impl<T: Float> AveragedParameters<T> {
    /// Begins with the values that the parameters have.
    pub fn new(parameters: NamedParameters<T>, averaging: Averaging) -> Self {
        let averages = parameters.iter().map(|(_, parameter)| parameter.value()).collect();
        AveragedParameters { parameters, averages, averaging, updates: 0 }
    }

    /// Takes the values that the parameters have now into the averages.
    pub fn update(&mut self) {
        self.updates += 1;
        let decay = match self.averaging {
            Averaging::Exponential(decay) => decay,
            // The values at the beginning do not count.
            Averaging::Equal => 1.0 - 1.0 / self.updates as f64,
        };
        no_grad(|| {
            for ((_, parameter), average) in self.parameters.iter().zip(&mut self.averages) {
                let [next] = apply_formula(Follow(decay), [&Variable::new(average.clone()), parameter]);
                *average = next.value();
            }
        });
    }

    /// Exchanges the parameters' values and the averages: to evaluate with the averages, and to go on training after.
    pub fn swap(&mut self) {
        for ((_, parameter), average) in self.parameters.iter().zip(&mut self.averages) {
            let own = parameter.value();
            parameter.set(std::mem::replace(average, own));
        }
    }

    /// The averages by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor<T>)> {
        self.parameters.names().zip(&self.averages)
    }

    /// How often the averages were updated.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// The averages by parameter name, to be stored with a model in training, beside the optimiser's state.
    pub fn state(&self) -> OptimizerState<T> {
        let parameters = self.iter().map(|(name, average)| {
            let states = vec![(AVERAGE.to_string(), average.clone())];
            (name.to_string(), ParameterState { step: self.updates, carried: 1.0, states })
        });
        OptimizerState { optimizer: NAME.into(), parameters: parameters.collect() }
    }

    /// Goes on from a stored state.
    ///
    /// # Errors
    /// If it is an optimiser's, or does not fit the parameters; then nothing has been changed.
    pub fn load_state(&mut self, mut state: OptimizerState<T>) -> Result<(), StateError> {
        let wanted =
            self.parameters.iter().map(|(name, parameter)| (name, parameter.shape(), &[AVERAGE][..]));
        state.check(NAME, wanted)?;
        for (name, average) in self.parameters.names().zip(&mut self.averages) {
            let stored = state.parameters.remove(name).expect("checked above");
            self.updates = stored.step;
            if let Some((_, tensor)) = stored.states.into_iter().next() {
                *average = tensor;
            }
        }
        Ok(())
    }
}

/// What a stored state of averages is called, and each average in it.
const NAME: &str = "averages";
const AVERAGE: &str = "average";
