//! The same bits on any number of threads: forward, gradients and fifty steps of training, for a perceptron, a convolutional
//! network, an LSTM and a transformer; and the same programs on processors with fewer vector instructions.
//!
//! The pool is the process's and keeps its size, so each number of threads is a process of its own: this test program,
//! started once more with an environment variable that says what to do.

// The models of the benchmark; what only that uses is not dead.
#[allow(dead_code)]
#[path = "../benches/workloads/data.rs"]
mod data;
#[allow(dead_code)]
#[path = "../benches/workloads/models.rs"]
mod models;

use data::{integers, uniform};
use models::{Gpt, GptSizes, TextLstm};
use std::{
    env,
    fmt::Write,
    process::{Command, Stdio},
};
use wengert::{manual_seed, prelude::*};

/// How many threads the process is to have, when it is such a child.
const THREADS: &str = "WENGERT_TEST_THREADS";
/// What precedes a line of the child's results.
const MARK: &str = "result ";

/// A number that any changed bit changes.
fn fingerprint(tensor: &Tensor) -> u64 {
    let bits = tensor.iter().map(|x| u64::from(x.to_bits()));
    // FNV-1a.
    bits.fold(0xCBF2_9CE4_8422_2325, |hash, bits| (hash ^ bits).wrapping_mul(0x0100_0000_01B3))
}

/// Fifty steps of Adam: fingerprints of the first scores, of the gradients of the first step and of the weights at the end.
fn trained<I, M: Module + Layer<I, Output = Variable>>(
    model: &M,
    input: &I,
    classes: &Tensor<i64>,
) -> String {
    let parameters = model.named_parameters();
    let mut adam = Adam::new(parameters.clone()).lr(1e-3);
    let (mut report, mut losses) = (String::new(), Vec::new());
    for step in 0..50 {
        let scores = model.forward(input);
        let number = scores.shape()[scores.rank() - 1] as isize;
        let loss = cross_entropy(&scores.reshape([-1, number]), &classes.reshape([-1]));
        adam.zero_grad();
        loss.backward();
        if step == 0 {
            write!(report, "scores {:016x} gradients", fingerprint(&scores.value())).unwrap();
            for (_, parameter) in parameters.iter() {
                write!(report, " {:016x}", fingerprint(&parameter.grad().expect("every parameter has one")))
                    .unwrap();
            }
        }
        adam.step();
        losses.push(loss.item());
    }
    assert!(losses[49] < losses[0], "fifty steps on one batch must lower the loss: {losses:?}");
    write!(report, " weights {:016x}", parameters.fingerprint()).unwrap();
    report
}

/// Small enough for a test without optimisation, and large enough that the larger kernels go parallel inside the pool.
fn results() -> Vec<(&'static str, String)> {
    manual_seed(0);
    let perceptron = Sequential::new((Linear::new(128, 128), ReLU, Linear::new(128, 10)));
    let convolutional = Sequential::new((
        (Conv2d::new(1, 8, 3), ReLU, Conv2d::new(8, 16, 3), ReLU, MaxPool2d::new(2), Flatten::default()),
        (Linear::new(256, 32), ReLU, Linear::new(32, 10)),
    ));
    let sizes = GptSizes { vocabulary: 65, width: 32, heads: 4, layers: 1, time: 32 };
    let inputs = |shape: &[usize]| Variable::new(uniform(1, shape));
    vec![
        ("perceptron", trained(&perceptron, &inputs(&[64, 128]), &integers(2, 10, 64))),
        ("convolutional", trained(&convolutional, &inputs(&[8, 1, 12, 12]), &integers(2, 10, 8))),
        ("lstm", trained(&TextLstm::new(100, 32, 32), &integers(1, 100, [16, 8]), &integers(2, 2, 16))),
        ("gpt", trained(&Gpt::new(&sizes), &integers(1, 65, [4, 32]), &integers(2, 65, [4, 32]))),
    ]
}

/// The results of a process with these variables in its environment.
fn child(variables: &[(&str, &str)]) -> Vec<String> {
    let mut command = Command::new(env::current_exe().expect("this program has a path"));
    command
        .args(["--exact", "in_a_child", "--nocapture", "--test-threads=1"])
        .envs(variables.iter().copied());
    let output = command.stderr(Stdio::inherit()).output().expect("this program can be started");
    assert!(output.status.success(), "the child with {variables:?} failed");
    let text = String::from_utf8(output.stdout).expect("the test harness prints text");
    // The harness may have begun the first line.
    text.lines().filter_map(|line| line.split_once(MARK)).map(|(_, result)| result.to_string()).collect()
}

/// The work of a child; without the variable, which the harness has not, nothing.
#[test]
fn in_a_child() {
    let Ok(threads) = env::var(THREADS) else { return };
    wengert::set_threads(threads.parse().expect("a number")).expect("nothing has run in parallel yet");
    for (model, result) in wengert::parallel(results) {
        println!("{MARK}{model}: {result}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let one = child(&[(THREADS, "1")]);
    assert_eq!(one.len(), 4, "four models: {one:?}");
    for threads in ["2", "3", "4", "8"] {
        for (several, one) in child(&[(THREADS, threads)]).iter().zip(&one) {
            assert_eq!(several, one, "with {threads} threads");
        }
    }
}

/// Other instructions round otherwise, so bits differ; the models must train all the same.
#[test]
fn processors_without_vector_instructions_will_do() {
    for level in ["baseline", "avx2"] {
        let one = child(&[(THREADS, "1"), ("WENGERT_SIMD", level)]);
        assert_eq!(one.len(), 4, "at the level {level}: {one:?}");
    }
}
