//! The workloads that `benches/README.md` compares with PyTorch, written with the public API as a user would write them.
//!
//! ```text
//! cargo bench --bench workloads -- [--json] [--threads N] [--init DIR] [NAME…]
//! ```
//!
//! A NAME is a whole workload (`w8_matmul_1024`) or the part before its first `_` (`w8`); without any, all run.
//! `--json` prints one JSON object a figure instead of the table, `--init` starts from weights in
//! `DIR/<workload>.safetensors`, such as `benches/peers/workloads_torch.py` writes them.
//!
//! Each workload runs in a process of its own: its peak of memory is then its own, and none inherits another's pool,
//! recycled buffers or threads.

mod data;
mod elementwise;
mod hessian;
mod inference;
mod matmul;
mod measure;
mod models;
mod small_ops;
mod training;

use measure::Bench;
use std::{
    env,
    error::Error,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
};

type Failure = Box<dyn Error + Send + Sync>;
type Run = fn(&Bench) -> Result<(), Failure>;

const WORKLOADS: &[(&str, Run)] = &[
    ("w1_mnist_mlp_b32", |bench| training::mnist_mlp(bench, 32)),
    // PyTorch's plain and fused Adam are two; there is one here, which is fused, and it is measured under both names.
    ("w1_mnist_mlp_b32_fusedopt", |bench| training::mnist_mlp(bench, 32)),
    ("w1_mnist_mlp_b256", |bench| training::mnist_mlp(bench, 256)),
    ("w1_mnist_mlp_b256_fusedopt", |bench| training::mnist_mlp(bench, 256)),
    ("w2_wide_mlp", training::wide_mlp),
    ("w3_lenet_cnn", training::lenet_cnn),
    ("w4_lstm_text", |bench| training::lstm(bench, &training::TEXT)),
    ("w4_lstm_tiny", |bench| training::lstm(bench, &training::TINY)),
    ("w5_gpt_mini", training::gpt_mini),
    ("w6_small_ops_n1", |bench| small_ops::chain(bench, 1)),
    ("w6_small_ops_n64", |bench| small_ops::chain(bench, 64)),
    ("w7_elementwise", |bench| elementwise::bump(bench, elementwise::op_by_op)),
    ("w7_elementwise_formula", |bench| elementwise::bump(bench, elementwise::as_formula)),
    ("w8_matmul_1024", |bench| matmul::product(bench, &[1024, 1024], &[1024, 1024])),
    ("w8_matmul_2048", |bench| matmul::product(bench, &[2048, 2048], &[2048, 2048])),
    ("w8_matmul_32x784x128", |bench| matmul::product(bench, &[32, 784], &[784, 128])),
    ("w8_matmul_b16_128x64x128", |bench| matmul::product(bench, &[16, 128, 64], &[16, 64, 128])),
    ("w9_hvp", hessian::vector_product),
    ("w10_infer_mlp", inference::mlp),
    ("w10_infer_cnn", inference::cnn),
];

struct Options {
    json: bool,
    threads: usize,
    init: Option<PathBuf>,
    workloads: Vec<(&'static str, Run)>,
}

fn options() -> Result<Options, Failure> {
    let (mut json, mut threads, mut init, mut names) = (false, 2, None, Vec::new());
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--json" => json = true,
            "--bench" => {} // cargo's own
            "--threads" => {
                let text = value()?;
                threads = text.parse().map_err(|_| format!("--threads: {text} is not a whole number"))?;
            }
            "--init" => init = Some(PathBuf::from(value()?)),
            option if option.starts_with('-') => {
                Err(format!("unknown option {option}; there are --json, --threads N, --init DIR"))?
            }
            name => names.push(name.to_string()),
        }
    }
    let family = |name: &'static str| name.split('_').next().unwrap_or(name);
    for name in &names {
        if !WORKLOADS.iter().any(|(workload, _)| workload == name || family(workload) == name) {
            let known: Vec<&str> = WORKLOADS.iter().map(|(workload, _)| *workload).collect();
            Err(format!("there is no workload {name}; there are {}", known.join(", ")))?;
        }
    }
    let wanted = |workload: &'static str| {
        names.is_empty() || names.iter().any(|name| name == workload || name == family(workload))
    };
    let workloads = WORKLOADS.iter().filter(|(workload, _)| wanted(workload)).copied().collect();
    Ok(Options { json, threads, init, workloads })
}

fn run(options: &Options) -> Result<(), Failure> {
    if !options.json {
        measure::print_heading();
    }
    if let [(name, run)] = options.workloads[..] {
        let bench = Bench::new(name, options.threads, options.json, options.init.clone());
        wengert::set_threads(options.threads)?;
        return wengert::parallel(|| run(&bench)); // inside the pool, where small kernels need not knock at its door
    }
    for (name, _) in &options.workloads {
        in_a_process(options, name)?;
    }
    Ok(())
}

/// One workload in a process of its own, whose figures are handed on as they come.
fn in_a_process(options: &Options, name: &str) -> Result<(), Failure> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["--json", "--threads", &options.threads.to_string(), name]);
    if let Some(folder) = &options.init {
        command.arg("--init").arg(folder);
    }
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    for line in BufReader::new(child.stdout.take().expect("it is piped")).lines() {
        let line = line?;
        match options.json {
            true => println!("{line}"),
            false => measure::print_row(&serde_json::from_str(&line)?),
        }
    }
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(format!("{name}: {status}").into()) }
}

fn main() -> ExitCode {
    match options().and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("workloads: {error}");
            ExitCode::FAILURE
        }
    }
}
