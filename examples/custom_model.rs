//! A model of one's own in sixty lines: two inputs, a tied embedding, a buffer, a number of layers known at run time.
//!
//! `cargo run --release --example custom_model -- 3` predicts the next letter of a passage, given who wrote it, by three layers.

use wengert::{
    Padding,
    datasets::{bundled, text::CharTokenizer},
    prelude::*,
};

#[derive(Module)]
struct Writer {
    letters: Embedding, // also the last layer: one parameter, used twice
    author: Embedding,
    layers: Vec<(Linear, LayerNorm)>,
    seen: Buffer, // how often each letter was seen: kept with the model, not learned
    training: Training,
}

impl Writer {
    fn new(letters: usize, authors: usize, width: usize, layers: usize) -> Writer {
        let layer = |_| (Linear::new(4 * width, width), LayerNorm::new(width));
        Writer {
            letters: Embedding::new(letters, width),
            author: Embedding::new(authors, width),
            layers: (0..layers).map(layer).collect(),
            seen: Buffer::new(Tensor::ones([letters])),
            training: Training::default(),
        }
    }

    /// The scores of the next letter at each place of `[batch, length]`, for an author each `[batch]`.
    fn forward(&self, text: &Tensor<i64>, author: &Tensor<i64>) -> Variable {
        if self.training.is_on() {
            let counts =
                text.one_hot::<f32>(self.seen.value().len()).reshape([text.len(), self.seen.value().len()]);
            self.seen.set((Variable::new(counts).sum_axes(0, false) + self.seen.constant()).value());
        }
        let mut h = self.letters.forward(text) + self.author.forward(author).unsqueeze(1);
        for (reach, (linear, norm)) in self.layers.iter().enumerate() {
            // Each layer sees four places, each further apart than in the layer before.
            let step = 1 << (2 * reach);
            let earlier =
                |by: usize| h.pad(&[0, 0, by as isize, 0], Padding::Constant(0.0)).narrow(1, 0, h.shape()[1]);
            let views: Vec<Variable> = (0..4).map(|k| earlier(k * step)).collect();
            h = &h + norm.forward(&linear.forward(&Variable::cat(&views, -1)).gelu());
        }
        let prior = (self.seen.constant() / self.seen.constant().sum()).ln();
        h.linear(&self.letters.weight, Some(&prior))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let layers = std::env::args().nth(1).map_or(Ok(2), |count| count.parse())?;
    let (passages, length) = (bundled::authors()?, 128);
    let tokenizer = CharTokenizer::new(&passages.texts.concat());
    manual_seed(0);
    let writer = Writer::new(tokenizer.len(), 3, 64, layers);
    let mut adam = Adam::new(writer.named_parameters()).lr(3e-3);
    println!(
        "{}",
        writer.summary_of(|writer| writer.forward(&Tensor::zeros([16, length]), &Tensor::zeros([16])))
    );
    let mut last = f32::INFINITY;
    for (step, rows) in (0..passages.texts.len()).collect::<Vec<_>>().chunks_exact(16).enumerate() {
        let codes = rows.iter().map(|&row| tokenizer.encode(&passages.texts[row][..=length]));
        let codes =
            Tensor::from_vec(codes.collect::<Result<Vec<_>, _>>()?.concat(), [rows.len(), length + 1])?;
        let authors = passages.labels.narrow(0, rows[0], rows.len());
        let scores = writer
            .forward(&codes.narrow(1, 0, length), &authors)
            .reshape([rows.len() * length, tokenizer.len()]);
        let loss = cross_entropy(&scores, &codes.narrow(1, 1, length).reshape([rows.len() * length]));
        adam.zero_grad();
        loss.backward();
        adam.step();
        last = if step == 0 { loss.item() } else { 0.9 * last + 0.1 * loss.item() };
    }
    println!("Loss: {last:.4} nats a letter");
    if last < 2.3 { Ok(()) } else { Err("the loss should be below 2.3".into()) }
}
