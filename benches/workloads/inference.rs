//! w10: one sample through a network, without recording.

use crate::{Failure, data::uniform, measure::Bench, models};
use wengert::prelude::*;

fn infer<M: Module + Layer<Variable, Output = Variable>>(
    bench: &Bench,
    model: &M,
    input: &Variable,
) -> Result<(), Failure> {
    model.eval();
    // PyTorch has two ways of recording nothing; here there is one, and it is measured under both names.
    for metric in ["inference_mode", "no_grad"] {
        let seconds = no_grad(|| bench.seconds_per_call(None, || drop(model.forward(input))));
        bench.report(metric, seconds * 1e6, "us/call");
    }
    Ok(())
}

/// The network of w1.
pub(crate) fn mlp(bench: &Bench) -> Result<(), Failure> {
    infer(bench, &models::mnist_mlp(), &Variable::new(uniform(41, [1, 784])))
}

/// The network of w3.
pub(crate) fn cnn(bench: &Bench) -> Result<(), Failure> {
    infer(bench, &models::lenet(), &Variable::new(uniform(42, [1, 1, 28, 28])))
}
