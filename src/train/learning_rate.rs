//! Looking for a learning rate.

use super::{TrainError, Trainer, trainer::Session};
use crate::{
    Float,
    datasets::{BatchSize, Loader, Position},
    random_state, set_random_state,
};
use std::ops::RangeInclusive;

/// The loss as the learning rate grows; from [`Trainer::find_learning_rate`].
#[derive(Clone, Debug, PartialEq)]
pub struct LearningRateCurve {
    /// The rates that were tried, rising.
    pub rates: Vec<f64>,
    /// The loss at each, smoothed: an exponential mean of decay 0.9, corrected for its beginning.
    pub losses: Vec<f64>,
}

impl LearningRateCurve {
    /// The rate at which the loss falls most steeply: where to begin, often a little below. None if it never fell.
    pub fn suggestion(&self) -> Option<f64> {
        let slopes = self.losses.windows(2).map(|loss| loss[1] - loss[0]);
        // The first steps say more about the smoothing than about the rate.
        let (at, slope) =
            slopes.enumerate().skip(self.losses.len() / 10).min_by(|a, b| a.1.total_cmp(&b.1))?;
        (slope < 0.0).then(|| self.rates[at])
    }
}

impl<X, Y: BatchSize, O, T: Float> Trainer<'_, X, Y, O, T> {
    /// Trains for some steps while the learning rate grows from one end of a range to the other by equal factors, and
    /// says what became of the loss (Smith, "Cyclical learning rates for training neural networks", 2017, section 3.3).
    /// It ends early where the loss is four times the smallest one. Model, optimiser and random numbers are then as they
    /// were.
    ///
    /// ```
    /// # use wengert::{prelude::*, train::Trainer, loss::mse_loss};
    /// # fn main() -> Result<(), wengert::train::TrainError> {
    /// let net = Linear::new(2, 1);
    /// let data = vec![(Variable::ones([8, 2]), Variable::ones([8, 1]))];
    /// let mut trainer = Trainer::new(&net, Layer::forward, mse_loss, Sgd::new(net.named_parameters()));
    /// let curve = trainer.find_learning_rate(&data, 1e-4..=1.0, 50)?;
    /// if let Some(rate) = curve.suggestion() {
    ///     trainer.optimizer().set_lr(rate);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If there is no data, or the very first loss is not finite.
    ///
    /// # Panics
    /// If the range is not one of rising positive numbers, or there are fewer than two steps.
    #[track_caller]
    pub fn find_learning_rate<L: Loader<Batch = (X, Y)> + ?Sized>(
        &mut self,
        data: &L,
        range: RangeInclusive<f64>,
        steps: u32,
    ) -> Result<LearningRateCurve, TrainError> {
        let (low, high) = (*range.start(), *range.end());
        assert!(
            0.0 < low && low < high && steps > 1,
            "find_learning_rate: {steps} steps from {low} to {high}"
        );
        let (model, optimizer, random) = (self.model.state_dict(), self.optimizer.state(), random_state());
        let groups = 0..self.optimizer.groups();
        let rates: Vec<f64> = groups.map(|group| self.optimizer.learning_rate(group)).collect();
        let scheduler = self.scheduler.take();

        self.model.train();
        let curve = self.climb(data, low, high, steps);

        self.reset_metrics();
        self.scheduler = scheduler;
        self.model.load_state_dict(&model)?;
        self.optimizer.load_state(optimizer)?;
        rates.into_iter().enumerate().for_each(|(group, lr)| self.optimizer.set_learning_rate(group, lr));
        set_random_state(random);
        curve
    }

    fn climb<L: Loader<Batch = (X, Y)> + ?Sized>(
        &mut self,
        data: &L,
        low: f64,
        high: f64,
        steps: u32,
    ) -> Result<LearningRateCurve, TrainError> {
        const DECAY: f64 = 0.9;
        let mut curve = LearningRateCurve { rates: Vec::new(), losses: Vec::new() };
        let (mut mean, mut smallest) = (0.0, f64::INFINITY);
        let mut session = Session::new(1);
        let batches = (0..).flat_map(|epoch| {
            let mut batches = data.batches(Position { epoch, batch: 0 }).peekable();
            // An epoch without batches would be followed by others without end.
            let ended = batches.peek().is_none();
            batches.map(Some).chain(ended.then_some(None))
        });
        for (step, batch) in (0..steps).zip(batches) {
            let Some((x, y)) = batch else { return Err(TrainError::NoBatches { epoch: 1 }) };
            let rate = low * (high / low).powf(f64::from(step) / f64::from(steps - 1));
            self.optimizer.set_lr(rate);
            let random = random_state();
            let taught = self.batch(&x, &y, &mut session);
            match taught.and_then(|()| self.step_if_finite((&x, &y), random, &mut session)) {
                Err(error) if curve.rates.is_empty() => return Err(error),
                Err(_) => break, // the rate before was too high
                Ok(()) => {}
            }
            mean = DECAY * mean + (1.0 - DECAY) * session.progress.loss;
            let smooth = mean / (1.0 - DECAY.powi(step as i32 + 1));
            curve.rates.push(rate);
            curve.losses.push(smooth);
            smallest = smooth.min(smallest);
            if smooth > 4.0 * smallest {
                break;
            }
        }
        Ok(curve)
    }
}
