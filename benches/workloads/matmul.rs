//! w8: products of matrices, and their gradients (two more products).

use crate::{Failure, data::symmetric, measure::Bench};
use wengert::prelude::*;

pub(crate) fn product(bench: &Bench, left: &[usize], right: &[usize]) -> Result<(), Failure> {
    let a = Variable::new(symmetric(21, left)).requires_grad();
    let b = Variable::new(symmetric(22, right)).requires_grad();
    let multiply = || no_grad(|| a.matmul(&b));
    let weights = Variable::new(symmetric(23, multiply().shape()));
    let operations = (2 * weights.len() * left[left.len() - 1]) as f64;

    let seconds = bench.seconds_per_call(None, || drop(multiply()));
    bench.report("forward", operations / seconds / 1e9, "GFLOP/s");
    bench.report("forward_time", seconds * 1e6, "us");

    let seconds = bench.seconds_per_call(None, || {
        a.zero_grad();
        b.zero_grad();
        (a.matmul(&b) * &weights).sum().backward();
    });
    bench.report("fwd_bwd", 3.0 * operations / seconds / 1e9, "GFLOP/s");
    bench.report("fwd_bwd_time", seconds * 1e6, "us");
    Ok(())
}
