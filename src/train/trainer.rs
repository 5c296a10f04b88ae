//! [`Trainer`]: the loop.

use super::{
    Callback, Epoch, History, Measurements, Progress, Run, StopFlag, TrainError,
    callback::OnEpoch,
    metrics::{Mean, Metric},
};
use crate::{
    Float, NamedParameters, Tensor, Variable,
    datasets::{BatchSize, Loader, Position},
    find_anomaly,
    nn::Module,
    no_grad,
    optim::{
        Optimizer, clip_grad_norm, clip_grad_value,
        schedule::{Schedule, Scheduler},
    },
    random_state, set_random_state,
    tensor::Generator,
    watch_gradients,
};
use std::time::Instant;

/// A mean loss of outputs against targets.
type Loss<'a, O, Y, T> = Box<dyn Fn(&O, &Y) -> Variable<T> + 'a>;

/// Trains a model: from inputs `X` it computes outputs `O`, which a loss compares with targets `Y`. See the
/// [module documentation](super).
pub struct Trainer<'a, X, Y, O = Variable, T: Float = f32> {
    pub(super) model: &'a dyn Module<T>,
    forward: Box<dyn Fn(&X) -> O + 'a>,
    loss: Loss<'a, O, Y, T>,
    pub(super) optimizer: Box<dyn Optimizer<T> + 'a>,
    parameters: NamedParameters<T>,
    /// Those of all parameters.
    elements: usize,
    epochs: u64,
    pub(super) metrics: Vec<Box<dyn Metric<O, Y> + 'a>>,
    validation: Option<&'a dyn Loader<Batch = (X, Y)>>,
    pub(super) callbacks: Vec<Box<dyn Callback<T> + 'a>>,
    pub(super) scheduler: Option<Scheduler<Box<dyn Schedule + 'a>>>,
    /// Whether the schedule counts epochs; otherwise it counts steps.
    by_epoch: bool,
    accumulate: usize,
    clip: Option<Clip>,
    stop: Option<StopFlag>,
    #[cfg(feature = "checkpoint")]
    pub(super) checkpoints: Option<super::resume::Checkpoints>,
}

/// The elements of a large model.
const LARGE: usize = 1 << 22;

enum Clip {
    Norm(f64),
    Value(f64),
}

/// A training under way.
pub(super) struct Session {
    pub(super) progress: Progress,
    /// The loss of the epoch so far.
    pub(super) loss: Mean,
    pub(super) history: History,
    pub(super) stop: Option<String>,
    /// Since the optimiser's last step.
    batches: usize,
    items: usize,
    /// That of the last step.
    pub(super) learning_rate: f64,
}

impl<'a, X, Y: BatchSize, O, T: Float> Trainer<'a, X, Y, O, T> {
    /// A trainer of a model; `forward` computes the output of a batch's input, `loss` its mean loss against the batch's
    /// target, and `optimizer` makes the steps.
    ///
    /// `forward` is often the path of a method, `Net::forward`, and `loss` that of a function, `cross_entropy`. A closure
    /// says the types of its parameters: `|net: &Net, x: &Variable| net.forward(x)`.
    pub fn new<M: Module<T>>(
        model: &'a M,
        forward: impl Fn(&M, &X) -> O + 'a,
        loss: impl Fn(&O, &Y) -> Variable<T> + 'a,
        optimizer: impl Optimizer<T> + 'a,
    ) -> Self {
        let parameters = optimizer.parameters();
        Trainer {
            elements: parameters.iter().map(|(_, parameter)| parameter.len()).sum(),
            parameters,
            model,
            forward: Box::new(move |x| forward(model, x)),
            loss: Box::new(loss),
            optimizer: Box::new(optimizer),
            epochs: 1,
            metrics: Vec::new(),
            validation: None,
            callbacks: Vec::new(),
            scheduler: None,
            by_epoch: false,
            accumulate: 1,
            clip: None,
            stop: None,
            #[cfg(feature = "checkpoint")]
            checkpoints: None,
        }
    }

    /// How often the training data is gone through: once.
    #[must_use]
    pub fn epochs(mut self, epochs: u64) -> Self {
        self.epochs = epochs;
        self
    }

    /// Adds a metric, which is measured on the training data as the model learns, and on the validation data.
    #[must_use]
    pub fn metric(mut self, metric: impl Metric<O, Y> + 'a) -> Self {
        self.metrics.push(Box::new(metric));
        self
    }

    /// Data by which each epoch is judged and from which nothing is learned; its measurements begin with `val_`.
    #[must_use]
    pub fn validation(mut self, data: &'a dyn Loader<Batch = (X, Y)>) -> Self {
        self.validation = Some(data);
        self
    }

    /// Adds a callback.
    #[must_use]
    pub fn callback(mut self, callback: impl Callback<T> + 'a) -> Self {
        self.callbacks.push(Box::new(callback));
        self
    }

    /// Calls a function after each epoch: to print it, for example.
    #[must_use]
    pub fn on_epoch(self, function: impl FnMut(&Epoch) + 'a) -> Self {
        self.callback(OnEpoch(function))
    }

    /// The learning rate by a schedule that counts the optimiser's steps.
    #[must_use]
    pub fn schedule(mut self, schedule: impl Schedule + 'a) -> Self {
        let schedule: Box<dyn Schedule + 'a> = Box::new(schedule);
        self.scheduler = Some(Scheduler::new(schedule, &mut *self.optimizer));
        self.by_epoch = false;
        self
    }

    /// The learning rate by a schedule that counts epochs.
    #[must_use]
    pub fn schedule_by_epoch(self, schedule: impl Schedule + 'a) -> Self {
        let mut trainer = self.schedule(schedule);
        trainer.by_epoch = true;
        trainer
    }

    /// One step of the optimiser for so many batches: as if they were one batch, in less memory. Where a batch has more
    /// items it weighs more, so that the gradient is that of the mean over all items; the last batches of an epoch make
    /// a step of their own.
    ///
    /// # Panics
    /// If there are none.
    #[must_use]
    #[track_caller]
    pub fn accumulate(mut self, batches: usize) -> Self {
        assert!(batches > 0, "accumulate: a step needs at least one batch");
        self.accumulate = batches;
        self
    }

    /// Scales the gradients before each step so that their common norm is at most this; see [`clip_grad_norm`].
    #[must_use]
    pub fn clip_norm(mut self, max_norm: f64) -> Self {
        self.clip = Some(Clip::Norm(max_norm));
        self
    }

    /// Limits each element of the gradients before each step; see [`clip_grad_value`].
    #[must_use]
    pub fn clip_value(mut self, limit: f64) -> Self {
        self.clip = Some(Clip::Value(limit));
        self
    }

    /// Ends the training after the batch at which the flag is raised, with a checkpoint if they are on.
    #[must_use]
    pub fn stop_flag(mut self, flag: StopFlag) -> Self {
        self.stop = Some(flag);
        self
    }

    /// The optimiser.
    pub fn optimizer(&mut self) -> &mut dyn Optimizer<T> {
        &mut *self.optimizer
    }

    /// Trains. The model is in evaluation mode afterwards, ready for use.
    ///
    /// Of each batch: forward, loss, backward; after [`accumulate`](Self::accumulate) of them clip, step, schedule. After
    /// each epoch: validation, schedule, callbacks, checkpoint. Loss and gradients are checked: what is not finite ends the
    /// training, and the parameters are those from before the step.
    ///
    /// # Errors
    /// If a loss or gradient is not finite (the error names the operation and the line of the program where that began),
    /// the data has no batch, a callback fails, or a file cannot be written or read.
    pub fn fit<L: Loader<Batch = (X, Y)> + ?Sized>(&mut self, train: &L) -> Result<History, TrainError> {
        let mut session = self.begin()?;
        session.progress.batches = train.batches_per_epoch();
        self.call(&mut session, |callback, run| callback.on_fit_begin(run))?;
        while session.progress.epoch <= self.epochs && session.stop.is_none() {
            self.epoch(train, &mut session)?;
        }
        self.call(&mut session, |callback, run| callback.on_fit_end(run))?;
        self.model.eval();
        session.history.stopped = session.stop;
        Ok(session.history)
    }

    /// The loss and the metrics of data, without learning from it.
    pub fn evaluate<L: Loader<Batch = (X, Y)> + ?Sized>(&mut self, data: &L) -> Measurements {
        self.model.eval();
        self.reset_metrics();
        let mut mean = Mean::default();
        no_grad(|| {
            for (x, y) in data.batches(Position::default()) {
                let output = (self.forward)(&x);
                let (loss, items) = ((self.loss)(&output, &y), y.batch_size() as f64);
                mean.add(loss.item().into_f64() * items, items);
                self.metrics.iter_mut().for_each(|metric| metric.update(&output, &y));
            }
        });
        let measured = measured(&mean, &self.metrics);
        self.reset_metrics();
        measured
    }

    /// The output for one batch's input, in evaluation mode and without a graph.
    pub fn predict(&self, x: &X) -> O {
        self.model.eval();
        no_grad(|| (self.forward)(x))
    }

    /// A new training, or the stored one to go on with.
    fn begin(&mut self) -> Result<Session, TrainError> {
        let mut session = Session::new(self.epochs);
        self.reset_metrics();
        if let Some(scheduler) = &mut self.scheduler {
            scheduler.seek(0, &mut *self.optimizer);
        }
        self.restore(&mut session)?;
        Ok(session)
    }

    fn epoch<L: Loader<Batch = (X, Y)> + ?Sized>(
        &mut self,
        train: &L,
        session: &mut Session,
    ) -> Result<(), TrainError> {
        let started = Instant::now();
        self.model.train();
        self.call(session, |callback, run| callback.on_epoch_begin(run))?;
        let Progress { epoch, batch, .. } = session.progress;
        for (x, y) in train.batches(Position { epoch: epoch - 1, batch }) {
            let random = random_state();
            self.batch(&x, &y, session)?;
            if session.batches == self.accumulate {
                self.step_if_finite((&x, &y), random, session)?;
            }
            self.call(session, |callback, run| callback.on_batch_end(run))?;
            if session.batches > 0 {
                continue; // gradients that wait for more are not stored
            }
            if self.stop.as_ref().is_some_and(StopFlag::is_stopped) {
                self.save(session)?; // before there is a reason to stop, so that the stored training does not
                session.stop = Some("interrupted".into());
            }
            if session.stop.is_some() {
                return Ok(());
            }
            self.save_between(session)?;
        }
        if session.progress.batch == 0 {
            return Err(TrainError::NoBatches { epoch });
        }
        if session.batches > 0 {
            self.step(session);
        }

        let mut all = measured(&session.loss, &self.metrics);
        if let Some(validation) = self.validation {
            self.evaluate(validation).iter().for_each(|(name, value)| all.push(format!("val_{name}"), value));
        }
        session.history.epochs.push(Epoch {
            number: epoch,
            measured: all,
            learning_rate: session.learning_rate,
            seconds: started.elapsed().as_secs_f64(),
        });
        if let (Some(scheduler), true) = (&mut self.scheduler, self.by_epoch) {
            scheduler.step(&mut *self.optimizer);
        }
        self.call(session, |callback, run| callback.on_epoch_end(run))?;
        session.progress = Progress { epoch: epoch + 1, batch: 0, items: 0, ..session.progress };
        session.loss = Mean::default();
        self.reset_metrics();
        self.save(session)
    }

    /// Forward and backward for one batch, and the metrics.
    pub(super) fn batch(&mut self, x: &X, y: &Y, session: &mut Session) -> Result<(), TrainError> {
        if session.batches == 0 {
            self.parameters.zero_grad();
        }
        let random = random_state();
        let output = (self.forward)(x);
        let loss = (self.loss)(&output, y);
        let (value, items) = (loss.item().into_f64(), y.batch_size());
        if !value.is_finite() {
            return Err(self.explain("loss".into(), value, (x, y), random, session));
        }
        if self.accumulate > 1 {
            (&loss * items as f64).backward()
        } else {
            loss.backward()
        }
        if !self.looks_in_the_step()
            && let Some((name, value)) = first_not_finite(&self.parameters)
        {
            return Err(self.explain(format!("gradient of {name}"), value, (x, y), random, session));
        }
        no_grad(|| self.metrics.iter_mut().for_each(|metric| metric.update(&output, y)));
        session.loss.add(value * items as f64, items as f64);
        session.batches += 1;
        session.items += items;
        session.progress.batch += 1;
        session.progress.items += items;
        session.progress.loss = value;
        Ok(())
    }

    /// Are gradients looked at by the optimiser as it reads them? Not where they go to it changed; and not in large models,
    /// whose old values would take much memory until the step is made, while a pass over gradients is little beside the rest.
    fn looks_in_the_step(&self) -> bool {
        self.accumulate == 1 && self.clip.is_none() && self.elements < LARGE
    }

    /// A step after a batch, which began with these random numbers. If its gradient turns out not to be finite, the
    /// parameters are put back.
    pub(super) fn step_if_finite(
        &mut self,
        batch: (&X, &Y),
        random: Generator,
        session: &mut Session,
    ) -> Result<(), TrainError> {
        if !self.looks_in_the_step() {
            self.step(session); // looked at after the batch
            return Ok(());
        }
        // An update leaves the old block as it is, so these are no copies.
        let with_gradient =
            |(_, parameter): (&str, &Variable<T>)| Some((parameter.value(), parameter.grad()?));
        let before: Vec<_> = self.parameters.iter().map(with_gradient).collect();
        let ((), seen) = watch_gradients(|| self.step(session));
        let elements: usize = before.iter().flatten().map(|(_, gradient)| gradient.len()).sum();
        if seen.all_finite && seen.elements >= elements {
            return Ok(());
        }
        let stepped =
            || self.parameters.iter().zip(&before).filter_map(|(one, before)| Some((one, before.as_ref()?)));
        let bad = stepped().find_map(|((name, _), (_, gradient))| Some((name, not_finite(gradient)?)));
        let Some((name, value)) = bad else { return Ok(()) };
        for ((_, parameter), (value, _)) in stepped() {
            parameter.set(value.clone());
        }
        session.progress.batch -= 1; // it ends here
        Err(self.explain(format!("gradient of {name}"), value, batch, random, session))
    }

    /// A step of the optimiser with the gradients of all batches since the last one.
    fn step(&mut self, session: &mut Session) {
        if self.accumulate > 1 {
            let scale = 1.0 / session.items as f64;
            for (_, parameter) in self.parameters.iter() {
                if let Some(gradient) = parameter.grad() {
                    parameter.set_grad(Some(no_grad(|| Variable::new(gradient) * scale).value()));
                }
            }
        }
        session.progress.gradient_norm = None;
        match self.clip {
            Some(Clip::Norm(limit)) => {
                session.progress.gradient_norm = Some(clip_grad_norm(&self.parameters, limit, 2.0));
            }
            Some(Clip::Value(limit)) => clip_grad_value(&self.parameters, limit),
            None => {}
        }
        session.learning_rate = self.optimizer.learning_rate(0);
        self.optimizer.step();
        if let (Some(scheduler), false) = (&mut self.scheduler, self.by_epoch) {
            scheduler.step(&mut *self.optimizer);
        }
        session.progress.step += 1;
        (session.batches, session.items) = (0, 0);
    }

    /// Computes a batch again, with the same random numbers, to find where it ceased to be finite.
    fn explain(
        &self,
        what: String,
        value: f64,
        (x, y): (&X, &Y),
        random: Generator,
        session: &Session,
    ) -> TrainError {
        let progress = &session.progress;
        set_random_state(random);
        let again = find_anomaly(|| {
            let loss = (self.loss)(&(self.forward)(x), y);
            loss.backward();
            loss
        });
        let cause = match again {
            Err(anomaly) => anomaly.to_string(),
            Ok(loss) => match (loss.op_name(), loss.recorded_at()) {
                (Some(operation), Some(line)) => {
                    format!("{operation} (recorded at {line}) computed the loss")
                }
                _ => "no operation of this batch computed a NaN".into(),
            },
        };
        TrainError::NotFinite { epoch: progress.epoch, batch: progress.batch + 1, what, value, cause }
    }

    pub(super) fn reset_metrics(&mut self) {
        self.metrics.iter_mut().for_each(|metric| metric.reset());
    }

    fn call(
        &mut self,
        session: &mut Session,
        event: impl Fn(&mut (dyn Callback<T> + 'a), &mut Run<'_, T>) -> Result<(), TrainError>,
    ) -> Result<(), TrainError> {
        let mut run = Run {
            model: self.model,
            optimizer: &mut *self.optimizer,
            progress: &session.progress,
            history: &session.history,
            measured: &|| measured(&session.loss, &self.metrics),
            stop: &mut session.stop,
        };
        self.callbacks.iter_mut().try_for_each(|callback| event(&mut **callback, &mut run))
    }
}

/// Without checkpoints nothing is stored.
#[cfg(not(feature = "checkpoint"))]
impl<X, Y: BatchSize, O, T: Float> Trainer<'_, X, Y, O, T> {
    fn restore(&mut self, _session: &mut Session) -> Result<(), TrainError> {
        Ok(())
    }
    fn save(&self, _session: &Session) -> Result<(), TrainError> {
        Ok(())
    }
    fn save_between(&self, _session: &Session) -> Result<(), TrainError> {
        Ok(())
    }
}

impl Session {
    pub(super) fn new(epochs: u64) -> Self {
        let progress = Progress {
            epoch: 1,
            epochs,
            batch: 0,
            batches: None,
            items: 0,
            step: 0,
            loss: f64::NAN,
            gradient_norm: None,
        };
        Session {
            progress,
            loss: Mean::default(),
            history: History::default(),
            stop: None,
            batches: 0,
            items: 0,
            learning_rate: f64::NAN,
        }
    }
}

/// Loss and metrics as they stand.
fn measured<O, Y>(loss: &Mean, metrics: &[Box<dyn Metric<O, Y> + '_>]) -> Measurements {
    let mut all = Measurements::from_iter([("loss", loss.value())]);
    metrics.iter().for_each(|metric| all.push(metric.name(), metric.value()));
    all
}

/// The first parameter with a gradient that is not finite.
fn first_not_finite<T: Float>(parameters: &NamedParameters<T>) -> Option<(&str, f64)> {
    parameters.iter().find_map(|(name, parameter)| Some((name, not_finite(&parameter.grad()?)?)))
}

/// The first number that is not finite.
fn not_finite<T: Float>(gradient: &Tensor<T>) -> Option<f64> {
    if gradient.all_finite() {
        return None;
    }
    gradient.iter().map(T::into_f64).find(|x| !x.is_finite())
}
