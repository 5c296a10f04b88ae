//! w7: Σ tanh(x)·exp(−x²) + 2x over four million elements, forward and backward.

use crate::{Failure, data::symmetric, measure::Bench};
use wengert::{elementwise, prelude::*};

const ELEMENTS: usize = 4 << 20;

pub(crate) fn op_by_op(x: &Variable) -> Variable {
    x.tanh() * (-x * x).exp() + x * 2.0
}

elementwise! {
    /// tanh(x)·exp(−x²) + 2x in one pass over memory, and its derivative in another.
    pub(crate) fn as_formula(x) = tanh(x) * exp(-x * x) + x * 2
}

pub(crate) fn bump(bench: &Bench, function: fn(&Variable) -> Variable) -> Result<(), Failure> {
    let x = Variable::new(symmetric(11, ELEMENTS)).requires_grad();
    let seconds = bench.seconds_per_call(None, || {
        x.zero_grad();
        function(&x).sum().backward();
    });
    bench.report("fwd_bwd", seconds * 1e3, "ms");
    // Reading x twice and writing its gradient is the least that a forward and a backward pass can do.
    bench.report("fwd_bwd_effective", (12 * ELEMENTS) as f64 / seconds / 1e9, "GB/s");
    let seconds = bench.seconds_per_call(None, || drop(no_grad(|| function(&x).sum())));
    bench.report("fwd_no_grad", seconds * 1e3, "ms");
    Ok(())
}
