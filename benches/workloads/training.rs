//! w1 to w5: the time of a training step, clearing the gradients and computing the loss included.

use crate::{
    Failure,
    data::{integers, symmetric, uniform},
    measure::{Bench, resident_mib},
    models::{self, Gpt, GptSizes, TextLstm},
};
use wengert::{prelude::*, storage::load_weights};

/// A unit of time, and how many of it a second has.
type Unit = (&'static str, f64);
const MICROSECONDS: Unit = ("us/step", 1e6);
const MILLISECONDS: Unit = ("ms/step", 1e3);

/// Inputs and the classes that they should be given.
type Batches<I> = Vec<(I, Tensor<i64>)>;

/// Measures training steps over the batches in turn, and reports the loss: of batch 0 at first, of batch 0 after 20 steps,
/// and of the last step.
fn train<I, M: Module + Layer<I, Output = Variable>, O: Optimizer>(
    bench: &Bench,
    model: &M,
    batches: &Batches<I>,
    optimizer: impl FnOnce(NamedParameters) -> O,
    unit: Unit,
    calls: Option<usize>,
) -> Result<(), Failure> {
    if let Some(folder) = &bench.init {
        model.load_state_dict(&load_weights(folder.join(format!("{}.safetensors", bench.workload)))?)?;
    }
    let mut optimizer = optimizer(model.named_parameters());
    let loss = |turn: usize| {
        let (input, classes) = &batches[turn % batches.len()];
        let scores = model.forward(input);
        match scores.shape()[..] {
            // A class at each place of a sequence.
            [batch, time, number] => {
                cross_entropy(&scores.reshape([batch * time, number]), &classes.reshape([batch * time]))
            }
            _ => cross_entropy(&scores, classes),
        }
    };
    let report = |metric: &str, loss: &Variable| bench.report(metric, f64::from(loss.item()), "nats");
    report("loss_first", &no_grad(|| loss(0)));
    let mut step = |turn: usize| {
        let loss = loss(turn);
        optimizer.zero_grad();
        loss.backward();
        optimizer.step();
        loss.detach()
    };
    (0..20).for_each(|turn| drop(step(turn)));
    report("loss_20", &no_grad(|| loss(0)));
    let (mut turn, mut last) = (0, None);
    let seconds = bench.seconds_per_call(calls, || {
        last = Some(step(turn));
        turn += 1;
    });
    bench.report("train_step", seconds * unit.1, unit.0);
    report("loss_last", &last.expect("steps were made"));
    Ok(())
}

/// w1: 784-128-10 with Adam.
pub(crate) fn mnist_mlp(bench: &Bench, batch: usize) -> Result<(), Failure> {
    let images = |i| Variable::new(uniform(100 + i, [batch, 784]));
    let batches = (0..16).map(|i| (images(i), integers(200 + i, 10, batch))).collect();
    let adam = |parameters| Adam::new(parameters).lr(1e-3);
    train(bench, &models::mnist_mlp(), &batches, adam, MICROSECONDS, Some(500))
}

/// w2: 1024-2048-2048-1000 with momentum, batch 256.
pub(crate) fn wide_mlp(bench: &Bench) -> Result<(), Failure> {
    let inputs = |i| Variable::new(symmetric(300 + i, [256, 1024]));
    let batches = (0..4).map(|i| (inputs(i), integers(400 + i, 1000, 256))).collect();
    let sgd = |parameters| Sgd::new(parameters).lr(1e-2).momentum(0.9);
    train(bench, &models::wide_mlp(), &batches, sgd, MILLISECONDS, None)
}

/// w3: two convolutions, a pooling and two linear layers with Adam, batch 64; and its memory.
pub(crate) fn lenet_cnn(bench: &Bench) -> Result<(), Failure> {
    let images = |i| Variable::new(uniform(500 + i, [64, 1, 28, 28]));
    let batches = (0..4).map(|i| (images(i), integers(600 + i, 10, 64))).collect();
    let model = models::lenet();
    let before = resident_mib();
    train(bench, &model, &batches, |parameters| Adam::new(parameters).lr(1e-3), MILLISECONDS, None)?;
    if let (Some((before, _)), Some((_, peak))) = (before, resident_mib()) {
        bench.report("peak_rss", peak, "MiB");
        bench.report("rss_before_first_step", before, "MiB");
    }
    Ok(())
}

/// The sizes of a w4.
pub(crate) struct Texts {
    vocabulary: usize,
    embedding: usize,
    hidden: usize,
    time: usize,
    batch: usize,
    unit: Unit,
}
pub(crate) const TEXT: Texts =
    Texts { vocabulary: 10_000, embedding: 128, hidden: 128, time: 100, batch: 32, unit: MILLISECONDS };
pub(crate) const TINY: Texts =
    Texts { vocabulary: 1000, embedding: 64, hidden: 64, time: 10, batch: 3, unit: MICROSECONDS };

/// w4: embedding, LSTM and a linear layer of its last state, with Adam.
pub(crate) fn lstm(bench: &Bench, texts: &Texts) -> Result<(), Failure> {
    let Texts { vocabulary, embedding, hidden, time, batch, unit } = *texts;
    let text = |i| integers(700 + i, vocabulary as u64, [batch, time]);
    let batches = (0..4).map(|i| (text(i), integers(800 + i, 2, batch))).collect();
    let model = TextLstm::new(vocabulary, embedding, hidden);
    train(bench, &model, &batches, |parameters| Adam::new(parameters).lr(1e-3), unit, None)
}

/// w5: four blocks of a small GPT with AdamW; each place is to give the token that comes next.
pub(crate) fn gpt_mini(bench: &Bench) -> Result<(), Failure> {
    let (batch, time) = (16, 128);
    let sizes = GptSizes { vocabulary: 65, width: 128, heads: 4, layers: 4, time };
    let texts = |i: u64| {
        let text = integers(900 + i, sizes.vocabulary as u64, [batch, time + 1]);
        (text.narrow(1, 0, time).contiguous(), text.narrow(1, 1, time).contiguous())
    };
    let batches = (0..4).map(texts).collect();
    let adam = |parameters| AdamW::new(parameters).lr(3e-4).weight_decay(0.1);
    train(bench, &Gpt::new(&sizes), &batches, adam, MILLISECONDS, None)
}
