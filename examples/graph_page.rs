//! Writes pages that show the graphs of a neuron, the MNIST network, an LSTM and a Transformer block: open them in a browser and
//! step through the forward and the backward pass.
//!
//! `cargo run --release --example graph_page -- --out DIR` (by default `target/graphs`). Beside each page stand the same graph
//! as SVG, DOT, JSON and text.

#[path = "arguments/mod.rs"] // a test reads this file too, from another place
mod arguments;

use arguments::{Arguments, Outcome};
use std::{fs, path::PathBuf, process::ExitCode};
use wengert::{inspect, nn::TransformerOptions, prelude::*};

/// y = tanh(w·x + b), against 1: a graph whose every number can be checked by hand.
fn neuron() -> inspect::Graph {
    let w = Variable::from(3.0).requires_grad().named("w");
    let b = Variable::from(-1.0).requires_grad().named("b");
    let x = Variable::from(0.5).named("x");
    let loss = inspect::trace(|| {
        let y = (&w * &x + &b).tanh().named("y");
        (&y - 1.0).square().named("L")
    });
    inspect::graph(&loss)
}

#[derive(Module)]
struct Net {
    hidden: Linear,
    out: Linear,
}

/// The network of `examples/mnist.rs` on sixteen digits.
fn mnist() -> Outcome<inspect::Graph> {
    let net = Net { hidden: Linear::new(784, 128), out: Linear::new(128, 10) };
    let digits = Mnist::bundled()?.test();
    let images = Variable::new(digits.images_f32().narrow(0, 0, 16).reshape([16, 784])).named("images");
    let labels = digits.labels().narrow(0, 0, 16);
    let loss = inspect::trace(|| {
        let hidden = net.hidden.forward(&images).relu().named("h");
        cross_entropy(&net.out.forward(&hidden).named("logits"), &labels).named("loss")
    });
    Ok(inspect::graph(&loss).with_names(&net.named_parameters()))
}

/// Five steps of one cell: the weights are used five times, so five contributions meet in their gradients.
fn lstm() -> inspect::Graph {
    let cell = LstmCell::new(3, 4);
    let mut numbers = wengert::split_generator();
    let target = Variable::new(Tensor::randn([2, 4], &mut numbers)).named("target");
    let loss = inspect::trace(|| {
        let zero = |name| Variable::zeros([2, 4]).named(name);
        let mut state = (zero("h0"), zero("c0"));
        for step in 1..=5 {
            let x = Variable::new(Tensor::randn([2, 3], &mut numbers)).named(&format!("x{step}"));
            let (h, c) = cell.step(&x, &state);
            state = (h.named(&format!("h{step}")), c.named(&format!("c{step}")));
        }
        (&state.0 - &target).square().mean().named("loss")
    });
    inspect::graph(&loss).with_names(&cell.named_parameters())
}

/// A block of a Transformer's encoder on a batch of two sequences.
fn transformer() -> inspect::Graph {
    let options = TransformerOptions { feedforward: 32, dropout: 0.1, norm_first: true, gelu: true };
    let block = TransformerEncoderLayer::new(16, 4, options);
    let mut numbers = wengert::split_generator();
    let x = Variable::new(Tensor::randn([2, 6, 16], &mut numbers)).named("x");
    let target = Variable::new(Tensor::randn([2, 6, 16], &mut numbers)).named("target");
    let loss = inspect::trace(|| (block.forward(&x).named("y") - &target).square().mean().named("loss"));
    inspect::graph(&loss).with_names(&block.named_parameters())
}

/// The name of the files, the title of the page, and the graph.
pub(crate) type Page = (&'static str, &'static str, inspect::Graph);

/// The four graphs.
pub(crate) fn graphs() -> Outcome<[Page; 4]> {
    manual_seed(0);
    Ok([
        ("neuron", "A neuron", neuron()),
        ("mnist", "The MNIST network", mnist()?),
        ("lstm", "An LSTM over five steps", lstm()),
        ("transformer", "A Transformer block", transformer()),
    ])
}

fn work(arguments: &Arguments) -> Outcome {
    let directory: PathBuf = arguments.value("--out", "target/graphs".into());
    fs::create_dir_all(&directory)?;
    for (name, title, graph) in graphs()? {
        let page = graph.html(title);
        println!(
            "{}: {} nodes, {} steps back, {} kB",
            directory.join(name).with_extension("html").display(),
            graph.nodes.len(),
            graph.steps().len(),
            page.len().div_ceil(1000)
        );
        for (extension, text) in [
            ("html", page),
            ("svg", graph.svg()),
            ("dot", graph.dot()),
            ("json", graph.json()),
            ("txt", graph.text()),
        ] {
            fs::write(directory.join(name).with_extension(extension), text)?;
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    arguments::run(&["--out DIR"], work)
}
