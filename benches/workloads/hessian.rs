//! w9: the product of a Hessian with a vector, for the mean squared error of a network 64-64-1 on a batch of 128.

use crate::{Failure, data::symmetric, measure::Bench};
use wengert::{grad, jvp, prelude::*};

pub(crate) fn vector_product(bench: &Bench) -> Result<(), Failure> {
    let (x, y) = (Variable::new(symmetric(31, [128, 64])), Variable::new(symmetric(32, [128, 1])));
    let weight = |seed, shape: [usize; 2]| (Variable::new(symmetric(seed, shape)) * 0.1).requires_grad();
    let bias = |size: usize| Variable::zeros(size).requires_grad();
    let parameters = [weight(33, [64, 64]), bias(64), weight(34, [64, 1]), bias(1)];
    let parameters: Vec<&Variable> = parameters.iter().collect();
    let vectors: Vec<Variable> =
        (35..).zip(&parameters).map(|(seed, p)| Variable::new(symmetric(seed, p.shape()))).collect();
    let vectors: Vec<&Variable> = vectors.iter().collect();

    let loss = |p: &[&Variable]| ((x.matmul(p[0]) + p[1]).tanh().matmul(p[2]) + p[3] - &y).square().mean();
    let gradients = |p: &[&Variable]| grad(&[&loss(p)]).create_graph(true).wrt(p);
    let double_backward = || {
        let gradients = gradients(&parameters);
        let gradients: Vec<&Variable> = gradients.iter().collect();
        grad(&gradients).grad_outputs(&vectors).wrt(&parameters)
    };

    let product = double_backward();
    let checksum: f32 = product.iter().zip(&vectors).map(|(h, v)| (h * *v).sum().item()).sum();
    bench.report("checksum", checksum.into(), "v.Hv");
    let seconds = bench.seconds_per_call(None, || drop(double_backward()));
    bench.report("double_backward", seconds * 1e6, "us/HVP");
    let slope = |p: &[Variable]| gradients(&p.iter().collect::<Vec<_>>());
    let seconds = bench.seconds_per_call(None, || drop(jvp(slope, &parameters, &vectors)));
    bench.report("func_jvp_of_grad", seconds * 1e6, "us/HVP");
    Ok(())
}
