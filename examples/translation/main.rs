//! A network learns to translate English into Spanish, and to look at the word that it translates.
//!
//! `cargo run --release --example translation` takes less than two minutes on two cores; `--quick` is a short run.
//!
//! The pairs are short Bible verses in two free translations of a third text, fewer than ten thousand. That is enough for a
//! network to learn frequent phrases and to find names, numbers and nouns in the source; it is far from enough for
//! sentences that one could use. The proof that it reads its source at all is in the numbers: with the sources exchanged
//! among the sentences, it predicts the translations much worse.

#[path = "../arguments/mod.rs"]
mod arguments;
mod vocabulary;

use arguments::{Arguments, Checkpoints, Outcome};
use std::process::ExitCode;
use vocabulary::{BEGIN, END, PAD, Vocabulary};
use wengert::{
    datasets::{
        TensorDataset, bundled,
        split::train_test_split,
        text::{Pad, Side, pad_sequences},
    },
    optim::{
        clip_grad_norm,
        schedule::{Scheduler, WarmupCosine},
    },
    prelude::*,
    tensor::Generator,
};

/// An encoder that reads both ways, a decoder that looks back at what was read: attention as a product of states (Luong,
/// Pham and Manning, "Effective approaches to attention-based neural machine translation", 2015).
#[derive(Module)]
struct Translator {
    source_words: Embedding,
    encoder: Gru,
    target_words: Embedding,
    decoder: Gru,
    /// From the decoder's first state to a first guess of the whole: the encoder's last states.
    bridge: Linear,
    /// What a decoder's state looks for among the encoder's states.
    query: Linear,
    combine: Linear,
    dropout: Dropout,
    out: Linear,
}

/// A source that was read: `states` `[batch, words, 2·width]`, which of them are words, and the decoder's first state.
struct Read {
    states: Variable,
    real: Tensor<bool>,
    first: Variable,
}

impl Translator {
    fn new(source: usize, target: usize, width: usize) -> Translator {
        Translator {
            source_words: Embedding::new(source, width).padding_idx(0),
            encoder: Gru::new(width, width).bidirectional(true).batch_first(true),
            target_words: Embedding::new(target, width).padding_idx(0),
            decoder: Gru::new(width, width).batch_first(true),
            bridge: Linear::new(2 * width, width),
            query: Linear::new(width, 2 * width),
            combine: Linear::new(3 * width, width),
            dropout: Dropout::new(0.3),
            out: Linear::new(width, target),
        }
    }

    fn read(&self, source: &Tensor<i64>) -> Read {
        let real = source.ne(PAD);
        let words = self.dropout.forward(&self.source_words.forward(source));
        let (states, last) = self.encoder.forward_masked(&words, None, &real);
        let both = Variable::cat(&[last.select(0, 0), last.select(0, 1)], -1);
        let first = self.bridge.forward(&both).tanh().unsqueeze(0);
        Read { states, real, first }
    }

    /// From the words so far `[batch, length]` the scores of the next at each place, the decoder's last state, and how
    /// much each place attends to each word of the source `[batch, length, words]`.
    fn write(&self, read: &Read, state: &Variable, words: &Tensor<i64>) -> (Variable, Variable, Variable) {
        let words = self.dropout.forward(&self.target_words.forward(words));
        let (h, state) = self.decoder.forward_from(&words, Some(state));
        let scores = self.query.forward(&h).matmul(&read.states.transpose(1, 2));
        let weights =
            scores.masked_fill(&read.real.logical_not().unsqueeze(1), f64::NEG_INFINITY).softmax(-1);
        let found = weights.matmul(&read.states);
        let combined = self.combine.forward(&Variable::cat(&[h, found], -1)).tanh();
        (self.out.forward(&self.dropout.forward(&combined)), state, weights)
    }

    /// The mean loss of a word, given the true words before it.
    fn loss(&self, source: &Tensor<i64>, target: &Tensor<i64>) -> Variable {
        let read = self.read(source);
        let (rows, length) = (target.size(0), target.size(1));
        let begin = Tensor::full([rows, 1], BEGIN);
        let before = Tensor::cat(&[begin, target.narrow(1, 0, length - 1)], 1);
        let (scores, ..) = self.write(&read, &read.first, &before);
        let classes = scores.shape()[2];
        CrossEntropyLoss::new()
            .ignore_index(PAD)
            .forward(&scores.reshape([rows * length, classes]), &target.reshape([rows * length]))
    }

    /// The most probable words one after the other, and where each looked.
    fn translate(&self, source: &Tensor<i64>, longest: usize) -> (Vec<i64>, Vec<Tensor>) {
        let read = no_grad(|| self.read(source));
        let (mut state, mut word) = (read.first.clone(), BEGIN);
        let (mut words, mut looks) = (Vec::new(), Vec::new());
        while words.len() < longest && word != END {
            let (scores, next, weights) = no_grad(|| self.write(&read, &state, &Tensor::full([1, 1], word)));
            state = next;
            word = scores.value().argmax(-1, false).item();
            words.push(word);
            looks.push(weights.value());
        }
        (words, looks)
    }
}

/// The mean loss of a word over a whole set; with another sentence's source, if `shuffled`.
fn loss_of(net: &Translator, source: &Tensor<i64>, target: &Tensor<i64>, shuffled: bool) -> f64 {
    net.eval();
    let rows = source.size(0);
    let order = if shuffled { Generator::new(1).permutation(rows) } else { (0..rows).collect() };
    let (mut total, mut words) = (0.0, 0.0);
    for start in (0..rows).step_by(64) {
        let end = rows.min(start + 64);
        let index = |rows: Vec<i64>| {
            let count = rows.len();
            Tensor::from_vec(rows, [count]).expect("as many as there are")
        };
        let sources =
            source.index_select(0, &index(order[start..end].iter().map(|&row| row as i64).collect()));
        let targets = target.narrow(0, start, end - start).contiguous();
        let count = targets.iter().filter(|&word| word != PAD).count() as f64;
        total += no_grad(|| f64::from(net.loss(&sources, &targets).item())) * count;
        words += count;
    }
    net.train();
    total / words
}

/// A row for each word of the translation, a column for each of the source: the darker, the more it was looked at.
fn draw(source: &[&str], target: &[&str], looks: &[Tensor]) {
    const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];
    let width = target.iter().map(|word| word.chars().count()).max().unwrap_or(0);
    for (row, word) in source.iter().enumerate() {
        println!("{:width$} {}{word}", "", "│ ".repeat(row));
    }
    for (word, look) in target.iter().zip(looks) {
        let shades = look.iter().take(source.len()).map(|weight| {
            let shade = SHADES[((weight * 5.0) as usize).min(4)];
            [shade, shade].iter().collect::<String>()
        });
        println!("{word:>width$} {}", shades.collect::<String>());
    }
}

fn work(arguments: &Arguments) -> Outcome {
    let quick = arguments.flag("--quick");
    let seed = arguments.value("--seed", 0);
    let epochs: u64 = arguments.value("--epochs", if quick { 1 } else { 8 });
    let pairs = bundled::verses()?;
    let split = train_test_split(pairs.len(), 0.1, seed);
    let of = |rows: &[usize]| -> (Vec<&str>, Vec<&str>) {
        rows.iter().map(|&row| (pairs[row].0.as_str(), pairs[row].1.as_str())).unzip()
    };
    let ((train_en, train_es), (test_en, test_es)) = (of(&split.train), of(&split.test));
    let english = Vocabulary::new(train_en.iter().copied(), arguments.value("--words", 3000));
    let spanish = Vocabulary::new(train_es.iter().copied(), arguments.value("--words", 3000));
    let rows = |vocabulary: &Vocabulary, texts: &[&str]| {
        let sequences: Vec<Vec<i64>> = texts.iter().map(|text| vocabulary.encode(text)).collect();
        pad_sequences(&sequences, &Pad { padding: Side::Post, ..Pad::default() })
    };
    let (source, target) = (rows(&english, &train_en), rows(&spanish, &train_es));
    let (test_source, test_target) = (rows(&english, &test_en), rows(&spanish, &test_es));

    manual_seed(seed);
    let net = Translator::new(english.len(), spanish.len(), arguments.value("--width", 128));
    let loader = TensorDataset::new((source, target)).loader().batch_size(64).shuffle(seed);
    let steps = if quick { 40 } else { loader.len() };
    let mut adam = Adam::new(net.named_parameters()).lr(3e-3);
    let total = epochs * steps as u64;
    let mut scheduler = Scheduler::new(WarmupCosine::new(total / 20, total + 1), &mut adam);
    let checkpoints = Checkpoints::of(arguments)?;
    let done = checkpoints.done(&net, &mut adam)?;
    scheduler.seek(done * steps as u64, &mut adam);
    println!(
        "{} pairs to learn from, {} to test, {} parameters",
        train_en.len(),
        test_en.len(),
        net.num_parameters()
    );
    for epoch in done..epochs {
        let mut total = 0.0;
        for (source, target) in loader.epoch(epoch).take(steps) {
            let loss = net.loss(&source, &target);
            adam.zero_grad();
            loss.backward();
            clip_grad_norm(&net.named_parameters(), 1.0, 2.0);
            adam.step();
            scheduler.step(&mut adam);
            total += f64::from(loss.item());
        }
        checkpoints.save(epoch + 1, &net, &adam)?;
        let validation = loss_of(&net, &test_source, &test_target, false);
        println!("epoch {}: loss {:.4}, validation {validation:.4}", epoch + 1, total / steps as f64);
    }
    println!("weights: {:016x}", net.named_parameters().fingerprint());

    net.eval();
    for row in 0..4 {
        let (words, looks) = net.translate(&test_source.narrow(0, row, 1), 24);
        println!("\n{}\n  it says:  {}\n  the book: {}", test_en[row], spanish.decode(&words), test_es[row]);
        if row == 0 {
            let source: Vec<i64> = test_source.select(0, 0).iter().filter(|&word| word != PAD).collect();
            let source: Vec<&str> = source.iter().map(|&word| english.word(word)).collect();
            let target: Vec<&str> = words.iter().map(|&word| spanish.word(word)).collect();
            draw(&source, &target, &looks);
        }
    }
    let read = loss_of(&net, &test_source, &test_target, false);
    let shuffled = loss_of(&net, &test_source, &test_target, true);
    println!("\nValidation loss: {read:.4} nats a word, with shuffled sources {shuffled:.4}");
    let gain = if quick { 0.0 } else { 0.3 };
    if shuffled - read < gain {
        return Err(format!("the source should be worth {gain} nats a word").into());
    }
    Ok(())
}

fn main() -> ExitCode {
    arguments::run(
        &["--epochs N", "--words N>0", "--width N>0", "--seed N", "--checkpoint DIR", "--resume", "--quick"],
        work,
    )
}
