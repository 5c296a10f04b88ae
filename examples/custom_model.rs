//! A model of one's own in some sixty lines: two inputs, a tied embedding, a buffer, a number of layers known at run time.
//!
//! `cargo run --release --example custom_model -- --layers 3` predicts the next letter of a passage, given who wrote it, by three layers.

mod arguments;

use arguments::{Arguments, Outcome};
use wengert::datasets::{bundled, text::CharTokenizer};
use wengert::{Padding, prelude::*};

#[derive(Module)]
struct Writer {
    letters: Embedding, // also the last layer: one parameter, used twice
    author: Embedding,
    layers: Vec<(Linear, LayerNorm)>,
    seen: Buffer, // how often each letter was seen: kept with the model, not learned
    training: Training,
}

impl Writer {
    /// The scores of the next letter at each place of `[batch, length]`, for an author each `[batch]`.
    fn forward(&self, text: &Tensor<i64>, author: &Tensor<i64>) -> Variable {
        let mut seen = self.seen.constant();
        if self.training.is_on() {
            let letters = text.one_hot(seen.len()).reshape([text.len(), seen.len()]);
            seen += Variable::new(letters).sum_axes(0, false);
            self.seen.set(seen.value());
        }
        let mut h = self.letters.forward(text) + self.author.forward(author).unsqueeze(1);
        for (k, (linear, norm)) in self.layers.iter().enumerate() {
            // Each layer sees four places, each further apart than in the layer before.
            let earlier = |by: usize| h.pad(&[0, 0, by as isize, 0], Padding::Constant(0.0));
            let views = [0, 1, 2, 3].map(|place| earlier(place << (2 * k)).narrow(1, 0, h.shape()[1]));
            h = &h + norm.forward(&linear.forward(&Variable::cat(&views, -1)).gelu());
        }
        h.linear(&self.letters.weight, Some(&(&seen / seen.sum()).ln()))
    }
}

fn work(arguments: &Arguments) -> Outcome {
    let layers = arguments.value("--layers", 2);
    let (passages, width, length) = (bundled::authors()?, 64, 128);
    let tokenizer = CharTokenizer::new(&passages.texts.concat());
    manual_seed(0);
    let writer = Writer {
        letters: Embedding::new(tokenizer.len(), width),
        author: Embedding::new(passages.class_names.len(), width),
        layers: (0..layers).map(|_| (Linear::new(4 * width, width), LayerNorm::new(width))).collect(),
        seen: Buffer::new(Tensor::ones([tokenizer.len()])),
        training: Training::default(),
    };
    Init::Normal { mean: 0.0, std: 0.05 }.fill(&writer.letters.weight); // scores that begin near the prior
    let mut adam = Adam::new(writer.named_parameters()).lr(3e-3);
    println!("{}", writer.summary_of(|w| w.forward(&Tensor::zeros([16, length]), &Tensor::zeros([16]))));
    let (rows, mut mean) = (16, f32::NAN);
    let batches = passages.texts.len() / rows;
    for step in 0..3 * batches {
        let start = step % batches * rows;
        let texts = passages.texts[start..start + rows].iter().map(|text| &text[..=length]);
        let codes = Tensor::from_vec(tokenizer.encode(&texts.collect::<String>())?, [rows, length + 1])?;
        let scores = writer.forward(&codes.narrow(1, 0, length), &passages.labels.narrow(0, start, rows));
        let scores = scores.reshape([rows * length, tokenizer.len()]);
        let loss = cross_entropy(&scores, &codes.narrow(1, 1, length).reshape([rows * length]));
        adam.zero_grad();
        loss.backward();
        adam.step();
        mean = if step == 0 { loss.item() } else { 0.9 * mean + 0.1 * loss.item() };
    }
    println!("Loss: {mean:.4} nats a letter");
    if mean < 2.3 { Ok(()) } else { Err("the loss should be below 2.3".into()) }
}

fn main() -> std::process::ExitCode {
    arguments::run(&["--layers N"], work)
}
