//! Two series, one and twelve months ahead: airline passengers and sunspots. A small network beside the two methods that
//! every forecast must be compared with.
//!
//! `cargo run --release --example forecast -- --out target/pictures`
//!
//! Persistence says that nothing will change; seasonal naive with growth, that what happened a season ago happens again,
//! shifted by what has changed since. Both, and the network, work on the logarithm (passengers) or the square root
//! (sunspots), on which swings are of one size. The network predicts what the better of the two methods gets wrong, and its
//! last layer begins at zero: so before it has learned anything it is that method. It learns from the first part of a
//! series and is judged on the rest.
//!
//! The forecast that is to reach the floor is the mean of the network's and the simple method's. A few years cannot tell
//! how to weigh two forecasts, and their mean is seldom worse than the better of them (Bates and Granger, "The combination
//! of forecasts", 1969): what the network has learned of the growth of nine years need not hold in the next three.

mod application;

use application::{Options, Outcome, at_most, rows, table::Table, who_won};
use std::process::ExitCode;
use wengert::{
    datasets::{
        TensorDataset,
        bundled::{self, Series},
        transform::Standardizer,
    },
    loss::HuberLoss,
    plot::Chart,
    prelude::*,
    train::Trainer,
};

const HORIZONS: [usize; 2] = [1, 12];
const WEIGHT_DECAY: f64 = 0.3;

/// A series, and how it is looked at.
struct Problem {
    name: &'static str,
    unit: &'static str,
    /// The series, transformed.
    values: Vec<f64>,
    /// From the transformed value to the value.
    back: fn(f64) -> f64,
    times: Vec<String>,
    /// In months.
    season: usize,
    /// How many last months' growth over a season is looked at.
    growths: usize,
    /// How many months before are looked at.
    lags: usize,
    /// From which month on forecasts are judged.
    test_from: usize,
    /// How long each network learns.
    epochs: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum Method {
    Persistence,
    Seasonal,
}

impl Problem {
    /// The transformed forecast of a simple method for `horizon` months after month `now`.
    fn naive(&self, method: Method, now: usize, horizon: usize) -> f64 {
        let y = &self.values;
        match method {
            Method::Persistence => y[now],
            Method::Seasonal => y[now + horizon - self.season] + y[now] - y[now - self.season],
        }
    }

    /// The months from which forecasts can be made whose last outcome lies in this range.
    fn origins(&self, outcomes: std::ops::Range<usize>, horizon: usize) -> std::ops::Range<usize> {
        outcomes.start.max(self.window() + horizon) - horizon..outcomes.end - horizon
    }

    /// The mean absolute error of forecasts, in the series' unit.
    fn error(
        &self,
        outcomes: std::ops::Range<usize>,
        horizon: usize,
        forecast: impl Fn(usize) -> f64,
    ) -> f64 {
        let origins = self.origins(outcomes, horizon);
        let count = origins.len() as f64;
        let off = |now| ((self.back)(forecast(now)) - (self.back)(self.values[now + horizon])).abs();
        origins.map(off).sum::<f64>() / count
    }

    /// From which month on there is as much past as the network looks at.
    fn window(&self) -> usize {
        self.lags.max(self.season + self.growths)
    }

    /// What the network sees in month `now`: the last growths over a season, and how the months before differ from it.
    fn features(&self, now: usize) -> impl Iterator<Item = f32> {
        let y = &self.values;
        let growths = (0..self.growths).map(move |back| y[now - back] - y[now - back - self.season]);
        let lags = (1..=self.lags).map(move |back| y[now - back] - y[now]);
        growths.chain(lags).map(|x| x as f32)
    }

    /// What a simple method's transformed forecasts from each month on must be corrected by, in the mean of some networks;
    /// 0 for months before the window's length.
    fn corrections(&self, options: &Options, horizon: usize, base: Method) -> Outcome<Vec<f64>> {
        let learned = self.origins(0..self.test_from, horizon);
        let all: Vec<f32> = (self.window()..self.values.len()).flat_map(|now| self.features(now)).collect();
        let all = Tensor::from_vec(all, [self.values.len() - self.window(), self.growths + self.lags])?;
        let learned: Vec<usize> = learned.map(|now| now - self.window()).collect();
        let missed = |at: usize| {
            let now = at + self.window();
            (self.values[now + horizon] - self.naive(base, now, horizon)) as f32
        };
        let targets = Tensor::from_fn([learned.len(), 1], |i| missed(learned[i[0]]));
        let scale = Standardizer::fit(&rows(&all, &learned));
        let unit = Standardizer::fit(&targets).deviation[0];
        let (x, all) = (scale.apply(&rows(&all, &learned)), scale.apply(&all));
        let targets = targets.map(|t| t / unit as f32);

        let mut corrections = vec![0.0; self.values.len()];
        let (members, epochs) = if options.quick { (3, self.epochs / 2) } else { (8, self.epochs) };
        for member in 0..members {
            let seed = 100 * options.seed + member;
            manual_seed(seed);
            let net = Sequential::new((
                Linear::new(self.growths + self.lags, 16),
                Tanh,
                Dropout::new(0.2),
                Linear::new(16, 1),
            ));
            for parameter in [&net.0.3.weight, net.0.3.bias.as_ref().expect("a linear layer has one")] {
                parameter.update(|value| value.map(|_| 0.0));
            }
            let loader =
                TensorDataset::new((x.clone(), targets.clone())).loader().batch_size(32).shuffle(seed);
            let adam = AdamW::new(net.named_parameters()).lr(2e-3).weight_decay(WEIGHT_DECAY);
            let huber = HuberLoss::new();
            let loss = |y: &Variable, t: &Variable| huber.forward(y, t);
            let trainer = Trainer::new(&net, Layer::forward, loss, adam).epochs(epochs);
            let name = format!("{}-{horizon}-{member}", self.name);
            options.fit(&name, trainer, &loader)?;
            let found = no_grad(|| net.forward(&Variable::new(all.clone()))).value();
            for (at, y) in found.iter().enumerate() {
                corrections[at + self.window()] += f64::from(y) * unit / members as f64;
            }
        }
        Ok(corrections)
    }

    fn solve(&self, options: &Options) -> Outcome {
        let test = || self.test_from..self.values.len();
        println!(
            "{}: {} months, judged on those from {} on",
            self.name,
            self.values.len(),
            self.times[self.test_from]
        );
        let mut table = Table::new(["mean absolute error", "1 month ahead", "12 months ahead"]);
        let naive = |method, horizon| self.error(test(), horizon, |now| self.naive(method, now, horizon));
        let (persistence, seasonal) = (
            HORIZONS.map(|horizon| naive(Method::Persistence, horizon)),
            HORIZONS.map(|horizon| naive(Method::Seasonal, horizon)),
        );
        table.numbers("persistence", persistence);
        table.numbers("seasonal naive with growth", seasonal);
        let (mut alone, mut errors) = ([0.0; 2], [0.0; 2]);
        for (k, horizon) in HORIZONS.into_iter().enumerate() {
            // Which method the network begins with is decided by the part that it learns from.
            let past =
                |method| self.error(0..self.test_from, horizon, |now| self.naive(method, now, horizon));
            let better = past(Method::Seasonal) < past(Method::Persistence);
            let base = if better { Method::Seasonal } else { Method::Persistence };
            let corrections = self.corrections(options, horizon, base)?;
            let forecast = |weight: f64, now| self.naive(base, now, horizon) + weight * corrections[now];
            alone[k] = self.error(test(), horizon, |now| forecast(1.0, now));
            errors[k] = self.error(test(), horizon, |now| forecast(0.5, now));
            let year = |month: usize| self.times[0][..4].parse::<f64>().unwrap_or(0.0) + month as f64 / 12.0;
            if horizon == 12 {
                let drawn = |weight: f64| {
                    let value = move |now| (self.back)(forecast(weight, now));
                    self.origins(test(), horizon).map(move |now| (year(now + horizon), value(now)))
                };
                let from = self.test_from - self.season;
                let actual =
                    (from..self.values.len()).map(|month| (year(month), (self.back)(self.values[month])));
                Chart::new(format!("Forecasts of {}, twelve months ahead", self.name))
                    .x("year")
                    .y(self.unit)
                    .line("measured", actual)
                    .line("forecast: mean of simple method and network", drawn(0.5))
                    .line("forecast of the network alone", drawn(1.0))
                    .save(options.picture(&format!("forecast-{}.svg", self.name.replace(' ', "-"))))?;
            }
        }
        table.numbers("network alone", alone);
        table.numbers("mean of simple method and network", errors);
        table.print();
        for (k, horizon) in HORIZONS.into_iter().enumerate() {
            let best = persistence[k].min(seasonal[k]);
            let name =
                if persistence[k] < seasonal[k] { "persistence" } else { "seasonal naive with growth" };
            who_won(&format!("{name} at {horizon} (error)"), best - alone[k]);
            at_most(&format!("error of the mean at {horizon} of {}", self.name), errors[k], best)?;
        }
        println!();
        Ok(())
    }
}

/// The series, transformed.
fn transformed(series: &Series, transform: fn(f64) -> f64) -> Vec<f64> {
    series.values.iter().map(|value| transform(f64::from(value))).collect()
}

fn forecast(options: &Options) -> Outcome {
    let passengers = bundled::air_passengers()?;
    Problem {
        name: "passengers",
        unit: "passengers a month (thousands)",
        values: transformed(&passengers, f64::ln),
        back: f64::exp,
        times: passengers.times,
        season: 12,
        growths: 6,
        lags: 0,
        test_from: 108,
        epochs: 60,
    }
    .solve(options)?;
    let sunspots = bundled::sunspots()?;
    Problem {
        name: "sunspots",
        unit: "sunspot number of the month",
        values: transformed(&sunspots, f64::sqrt),
        back: |root| root.max(0.0).powi(2),
        times: sunspots.times,
        season: 132, // the cycle of about eleven years
        growths: 12,
        lags: 144,
        test_from: 2400,
        epochs: 30,
    }
    .solve(options)
}

fn main() -> ExitCode {
    application::run(&[], forecast)
}
