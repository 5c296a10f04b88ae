//! w6: what an operation costs that computes next to nothing; nanoseconds an operation.

use crate::{
    Failure,
    measure::{Bench, median},
};
use std::time::Instant;
use wengert::{live_nodes, prelude::*};

/// x = tanh(x·a + b), so often, of three recorded operations each.
const TURNS: usize = 3334;
const OPERATIONS: usize = 3 * TURNS;
const REPEATS: usize = 12;
const WARM_UP: usize = 3;

pub(crate) fn chain(bench: &Bench, elements: usize) -> Result<(), Failure> {
    let leaf = |value| Variable::full(elements, value).requires_grad();
    let (a, b, x0) = (leaf(0.9), leaf(0.1), leaf(0.5));
    let turns = || {
        let mut x = x0.clone();
        for _ in 0..TURNS {
            x = (&x * &a + &b).tanh();
        }
        x
    };
    let (mut forward, mut backward, mut no_graph) = (Vec::new(), Vec::new(), Vec::new());
    for repeat in 0..REPEATS {
        [&a, &b, &x0].iter().for_each(|leaf| leaf.zero_grad());
        let start = Instant::now();
        let x = turns();
        let recorded = Instant::now();
        assert_eq!(live_nodes(), OPERATIONS, "a turn records three nodes: a product, a sum and a tanh");
        x.sum().backward();
        let differentiated = Instant::now();
        no_grad(|| {
            drop(x); // as in the script for Python, where the name x is given anew
            drop(turns());
        });
        let end = Instant::now();
        if repeat >= WARM_UP {
            let each = |from: Instant, to: Instant| (to - from).as_secs_f64() / OPERATIONS as f64 * 1e9;
            forward.push(each(start, recorded));
            backward.push(each(recorded, differentiated));
            no_graph.push(each(differentiated, end));
        }
    }
    bench.report("forward_recorded", median(forward), "ns/op");
    bench.report("backward", median(backward), "ns/op");
    bench.report("forward_no_grad", median(no_graph), "ns/op");
    Ok(())
}
