//! Kernels, operations and backward passes one by one: `cargo bench` in this folder, `cargo bench -- matmul` for some.
//!
//! The workloads (`benches/workloads`) tell whether Wengert is fast, these where the time goes. All run inside the pool, as
//! a training loop inside `wengert::parallel` does; `RAYON_NUM_THREADS` says how many threads it has.

use divan::{Bencher, black_box, counter::ItemsCount};
use wengert::{ConvOptions, Tensor, Variable, grad, no_grad};

fn main() {
    wengert::parallel(divan::main);
}

/// Numbers between -1 and 1 without a pattern that a kernel could profit from.
fn numbers(shape: &[usize]) -> Tensor {
    let mut state = 1_u32;
    Tensor::from_fn(shape, |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    })
}

fn leaf(shape: &[usize]) -> Variable {
    Variable::parameter(numbers(shape))
}

/// The value alone, without recording.
mod kernels {
    use super::*;

    #[divan::bench(args = [16, 64, 256, 1024])]
    fn matmul(bencher: Bencher<'_, '_>, n: usize) {
        let (a, b) = (leaf(&[n, n]), leaf(&[n, n]));
        bencher.counter(ItemsCount::new(2 * n * n * n)).bench_local(|| no_grad(|| black_box(&a).matmul(&b)));
    }

    #[divan::bench(args = [128, 784, 4096])]
    fn matrix_times_vector(bencher: Bencher<'_, '_>, n: usize) {
        let (a, x) = (leaf(&[n, n]), leaf(&[n]));
        bencher.counter(ItemsCount::new(n * n)).bench_local(|| no_grad(|| black_box(&a).matmul(&x)));
    }

    const FUNCTIONS: [(&str, fn(&Variable) -> Variable); 7] = [
        ("exp", Variable::exp),
        ("tanh", Variable::tanh),
        ("ln_1p", |x| x.abs().ln_1p()),
        ("gelu", Variable::gelu),
        ("sum", Variable::sum),
        ("softmax", |x| x.reshape([-1, 1024]).softmax(-1)),
        ("add", |x| x + x),
    ];

    #[divan::bench(args = FUNCTIONS.map(|(name, _)| name), consts = [4096, 1 << 20])]
    fn elementwise<const N: usize>(bencher: Bencher<'_, '_>, name: &str) {
        let x = leaf(&[N]);
        let (_, function) =
            FUNCTIONS.into_iter().find(|(known, _)| *known == name).expect("it is in the list");
        bencher.counter(ItemsCount::new(N)).bench_local(|| no_grad(|| function(black_box(&x))));
    }

    #[divan::bench(args = [(1, 32, 28), (32, 64, 26)])]
    fn conv2d(bencher: Bencher<'_, '_>, (inputs, outputs, side): (usize, usize, usize)) {
        let (x, weight) = (leaf(&[64, inputs, side, side]), leaf(&[outputs, inputs, 3, 3]));
        bencher.bench_local(|| no_grad(|| black_box(&x).conv2d(&weight, None, ConvOptions::default())));
    }
}

/// What an operation costs around its arithmetic: one element, recorded.
mod ops {
    use super::*;

    #[divan::bench]
    fn mul(bencher: Bencher<'_, '_>) {
        let (a, b) = (leaf(&[1]), leaf(&[1]));
        bencher.bench_local(|| black_box(&a) * black_box(&b));
    }

    #[divan::bench]
    fn tanh(bencher: Bencher<'_, '_>) {
        let x = leaf(&[1]);
        bencher.bench_local(|| black_box(&x).tanh());
    }

    #[divan::bench]
    fn reshape(bencher: Bencher<'_, '_>) {
        let x = leaf(&[4, 4]);
        bencher.bench_local(|| black_box(&x).reshape([16]));
    }
}

/// Backward passes alone.
mod backward {
    use super::*;

    #[divan::bench(args = [1, 64, 4096])]
    fn chain_of_a_thousand(bencher: Bencher<'_, '_>, n: usize) {
        let (a, b, start) = (leaf(&[n]), leaf(&[n]), leaf(&[n]));
        let forward = || (0..333).fold(start.clone(), |x, _| (&x * &a + &b).tanh()).sum();
        bencher.with_inputs(forward).bench_local_values(|loss| grad(&[&loss]).wrt(&[&a, &b, &start]));
    }

    #[divan::bench(args = [32, 256])]
    fn linear(bencher: Bencher<'_, '_>, batch: usize) {
        let (x, weight, bias) = (leaf(&[batch, 784]), leaf(&[128, 784]), leaf(&[128]));
        let forward = || x.linear(&weight, Some(&bias)).relu().sum();
        bencher.with_inputs(forward).bench_local_values(|loss| grad(&[&loss]).wrt(&[&x, &weight, &bias]));
    }
}
