//! A small GPT learns to write like Shakespeare, one character after the other.
//!
//! `cargo run --release --example char_gpt` trains for about a quarter of an hour on two cores, until it predicts the last
//! tenth of the text, which it never sees in training, better than a 5-gram model that is counted for comparison. With
//! `--quick` it takes a minute and shows that the loss falls. On the way it writes.
//!
//! The text is that of nine plays (`datasets/data/README.md`), not the file known as "tiny Shakespeare": losses on the two
//! are not comparable. The last tenth is a play of its own, with names that the first nine tenths do not have.

#[path = "../arguments/mod.rs"]
mod arguments;
mod ngrams;

use arguments::{Arguments, Checkpoints, Outcome};
use ngrams::NGrams;
use std::{process::ExitCode, time::Instant};
use wengert::{
    datasets::{bundled, text::CharTokenizer},
    nn::{AttentionOptions, LearnedEncoding, TransformerEncoderLayer, TransformerOptions},
    optim::{
        clip_grad_norm,
        schedule::{Scheduler, WarmupCosine},
    },
    prelude::*,
    tensor::Generator,
};

/// A decoder-only Transformer (Radford and others, "Improving language understanding by generative pre-training", 2018;
/// normalised before each part, as from GPT-2 on). The vectors of the characters are also the rows of the last layer.
#[derive(Module)]
struct Gpt {
    tokens: Embedding,
    positions: LearnedEncoding,
    dropout: Dropout,
    blocks: Vec<TransformerEncoderLayer>,
    norm: LayerNorm,
    #[module(skip)]
    context: usize,
}

struct Sizes {
    characters: usize,
    context: usize,
    width: usize,
    heads: usize,
    layers: usize,
    dropout: f64,
}

impl Gpt {
    fn new(sizes: &Sizes) -> Gpt {
        let options = TransformerOptions {
            feedforward: 4 * sizes.width,
            dropout: sizes.dropout,
            norm_first: true,
            gelu: true,
        };
        let block = |_| TransformerEncoderLayer::new(sizes.width, sizes.heads, options);
        let gpt = Gpt {
            tokens: Embedding::new(sizes.characters, sizes.width),
            positions: LearnedEncoding::new(sizes.context, sizes.width),
            dropout: Dropout::new(sizes.dropout),
            blocks: (0..sizes.layers).map(block).collect(),
            norm: LayerNorm::new(sizes.width),
            context: sizes.context,
        };
        // GPT-2's first values: small, and smaller still where a block adds to the stream that runs past all of them.
        let parts = 2.0 * sizes.layers as f64;
        gpt.apply(|name, parameter| {
            if parameter.rank() == 2 {
                let last = name.ends_with("out_proj.weight") || name.ends_with("linear2.weight");
                Init::Normal { mean: 0.0, std: if last { 0.02 / parts.sqrt() } else { 0.02 } }
                    .fill(parameter);
            }
        });
        gpt
    }

    /// For each position of `[batch, length]` the scores of the character that follows.
    fn forward(&self, text: &Tensor<i64>) -> Variable {
        let causal = AttentionOptions { causal: true, ..AttentionOptions::default() };
        let mut h = self.dropout.forward(&self.positions.forward(&self.tokens.forward(text)));
        for block in &self.blocks {
            h = block.encode(&h, &causal);
        }
        self.norm.forward(&h).linear(&self.tokens.weight, None)
    }

    /// `count` characters that go on from `text`, each drawn with its probability at this temperature.
    fn write(&self, text: &mut Vec<i64>, count: usize, temperature: f64, generator: &mut Generator) {
        self.eval();
        for _ in 0..count {
            let seen = &text[text.len().saturating_sub(self.context)..];
            let seen = Tensor::from_slice(seen, [1, seen.len()]).expect("as many as there are");
            let next = no_grad(|| {
                let last = self.forward(&seen).select(0, 0).select(0, -1);
                (last / temperature).softmax(-1).value()
            });
            let mut left = Tensor::<f64>::uniform((), 0.0, 1.0, generator).item();
            let drawn = next.iter().position(|p| {
                left -= f64::from(p);
                left < 0.0
            });
            text.push(drawn.unwrap_or(next.len() - 1) as i64);
        }
        self.train();
    }
}

/// Windows of a text and the same windows one character later, from these places on.
fn windows(text: &[i64], starts: &[usize], length: usize) -> (Tensor<i64>, Tensor<i64>) {
    let shifted = |by: usize| {
        let all = starts.iter().flat_map(|&start| &text[start + by..start + by + length]);
        Tensor::from_vec(all.copied().collect(), [starts.len(), length]).expect("as many as there are")
    };
    (shifted(0), shifted(1))
}

/// The mean loss over a text. The windows overlap by half, and of each but the first only the second half counts: so every
/// character is predicted once, nearly all of them from at least half a window of text.
fn loss_of(gpt: &Gpt, text: &[i64]) -> f64 {
    gpt.eval();
    let (length, half) = (gpt.context, gpt.context / 2);
    let starts: Vec<usize> = (0..text.len() - length).step_by(half).collect();
    let (mut total, mut count) = (0.0, 0);
    for (k, starts) in starts.chunks(32).enumerate() {
        let (x, y) = windows(text, starts, length);
        let each = no_grad(|| {
            let scores = gpt.forward(&x);
            let classes = scores.shape()[2];
            CrossEntropyLoss::new()
                .reduction(wengert::loss::Reduction::None)
                .forward(&scores.reshape([x.len(), classes]), &y.reshape([y.len()]))
                .value()
        });
        for (i, loss) in each.iter().enumerate() {
            if i % length >= half || (k == 0 && i < length) {
                total += f64::from(loss);
                count += 1;
            }
        }
    }
    gpt.train();
    total / f64::from(count)
}

fn work(arguments: &Arguments) -> Outcome {
    let quick = arguments.flag("--quick");
    let seed = arguments.value("--seed", 0);
    let steps: u64 = arguments.value("--steps", if quick { 250 } else { 3500 });
    let batch = arguments.value("--batch-size", 16);
    let lr = arguments.value("--lr", 2e-3);

    let text = bundled::shakespeare()?;
    let characters = CharTokenizer::new(&text);
    let code = characters.encode(&text)?;
    let (known, unknown) = code.split_at(code.len() * 9 / 10);
    let baseline = NGrams::count(known, 5, characters.len()).loss(unknown);
    println!("{} characters, {} to validate; 5-gram model: {baseline:.4} nats", code.len(), unknown.len());

    manual_seed(seed);
    let sizes = Sizes {
        characters: characters.len(),
        context: arguments.value("--context", 128),
        width: arguments.value("--width", 128),
        heads: arguments.value("--heads", 4),
        layers: arguments.value("--layers", 4),
        dropout: arguments.value("--dropout", 0.0),
    };
    let gpt = Gpt::new(&sizes);
    // Decay is for what multiplies: matrices, not biases and norms.
    let mut adam = AdamW::new(gpt.named_parameters())
        .lr(lr)
        .betas((0.9, 0.99))
        .weight_decay(0.1)
        .group(|name| name.contains("norm") || name.ends_with("bias"), |rule| rule.weight_decay = 0.0);
    let mut scheduler = Scheduler::new(WarmupCosine::new((steps / 20).max(1), steps + 1), &mut adam);
    println!("{} parameters", gpt.num_parameters());

    let checkpoints = Checkpoints::of(arguments)?;
    let done = checkpoints.done(&gpt, &mut adam)?;
    scheduler.seek(done, &mut adam);

    let parameters = gpt.named_parameters();
    let (start, mut mean) = (Instant::now(), None);
    // On the way a part of the text will do; the end is judged by all of it.
    let part = &unknown[..unknown.len().min(if quick { 4 } else { 20 } * 1000)];
    let judged = |step| if step == steps && !quick { unknown } else { part };
    let mut validation = loss_of(&gpt, judged(done));
    println!("step {done}: validation {validation:.4} (on {} characters)", judged(done).len());
    for step in done..steps {
        // From the number of the step alone, so that a resumed run sees the same text.
        let mut generator = Generator::new(seed ^ (step + 1) << 20);
        let last = (known.len() - sizes.context) as u64;
        let starts: Vec<usize> = (0..batch).map(|_| generator.below(last) as usize).collect();
        let (x, y) = windows(known, &starts, sizes.context);
        let scores = gpt.forward(&x).reshape([x.len(), characters.len()]);
        let loss = cross_entropy(&scores, &y.reshape([y.len()]));
        adam.zero_grad();
        loss.backward();
        clip_grad_norm(&parameters, 1.0, 2.0);
        adam.step();
        scheduler.step(&mut adam);
        let loss = f64::from(loss.item());
        mean = Some(mean.map_or(loss, |mean: f64| 0.98 * mean + 0.02 * loss));

        let step = step + 1;
        if step % (steps / 10).max(1) == 0 || step == steps {
            validation = loss_of(&gpt, judged(step));
            let train = mean.unwrap_or(f64::NAN);
            let seconds = start.elapsed().as_secs_f64();
            println!("\nstep {step}: training {train:.4}, validation {validation:.4}, {seconds:.0} s");
            let mut text = characters.encode("\n")?;
            gpt.write(&mut text, if step == steps { 600 } else { 120 }, 0.8, &mut Generator::new(seed));
            println!("{}", characters.decode(&text).unwrap_or_default());
            checkpoints.save(step, &gpt, &adam)?;
        }
    }
    println!("weights: {:016x}", parameters.fingerprint());
    println!("Validation loss: {validation:.4} nats a character; 5-gram model: {baseline:.4}");
    let bound = if quick { 2.6 } else { baseline };
    if validation < bound {
        return Ok(());
    }
    Err(format!("the validation loss should be below {bound:.4}").into())
}

fn main() -> ExitCode {
    let sizes = ["--batch-size N>0", "--context N>0", "--width N>0", "--heads N>0", "--layers N"];
    let others =
        ["--steps N", "--dropout X", "--lr X", "--seed N", "--checkpoint DIR", "--resume", "--quick"];
    arguments::run(&[&sizes[..], &others].concat(), work)
}
