//! An LSTM tells unwanted messages from others: the well-known Keras recipe, beside a naive Bayes classifier.
//!
//! `cargo run --release --example text_classification`
//!
//! The recipe: a tokenizer with a limited vocabulary and a token for all other words, sequences padded to one length, an
//! embedding, an LSTM, a softmax layer. Exact repeats are removed before the messages are split, so that no test message
//! was seen in training.
//!
//! - `--authors` tells instead who wrote a passage, of a work that was not seen in training.
//! - `--sentences` is the tutorial's first example as it was meant: three sentences, three labels, one row each, and a mask
//!   for the padding.

#[path = "../arguments/mod.rs"]
mod arguments;
mod naive_bayes;

use arguments::{Arguments, Checkpoints, Outcome};
use naive_bayes::NaiveBayes;
use std::process::ExitCode;
use wengert::{
    datasets::{
        TensorDataset, bundled,
        split::{Split, stratified_split},
        text::{Pad, Side, Tokenizer, pad_sequences},
    },
    optim::clip_grad_norm,
    prelude::*,
};

#[derive(Module)]
struct Classifier {
    embedding: Embedding,
    lstm: Lstm,
    dropout: Dropout,
    out: Linear,
}

impl Classifier {
    fn new(words: usize, width: usize, classes: usize) -> Classifier {
        Classifier {
            embedding: Embedding::new(words, width).padding_idx(0),
            lstm: Lstm::new(width, width).batch_first(true),
            dropout: Dropout::new(0.5),
            out: Linear::new(width, classes),
        }
    }

    /// One score a class, from sequences `[batch, words]` in which 0 is padding. The mask makes the LSTM skip it; without
    /// one it would run on over nothing, and a short text be forgotten before its end.
    fn forward(&self, words: &Tensor<i64>) -> Variable {
        let embedded = self.dropout.forward(&self.embedding.forward(words));
        let (_, (h, _)) = self.lstm.forward_masked(&embedded, None, &words.ne(0));
        self.out.forward(&self.dropout.forward(&h.select(0, 0)))
    }

    /// The most probable class of each sequence.
    fn classify(&self, words: &Tensor<i64>) -> Vec<i64> {
        self.eval();
        let rows: Vec<i64> = (0..words.size(0) as i64).collect();
        let mut found = Vec::new();
        for rows in rows.chunks(256) {
            let rows = Tensor::from_slice(rows, [rows.len()]).expect("as many as there are");
            let scores = no_grad(|| self.forward(&words.index_select(0, &rows)));
            found.extend(scores.value().argmax(-1, false).iter());
        }
        self.train();
        found
    }
}

/// Texts with labels, and which of them are held out.
struct Task {
    texts: Vec<String>,
    labels: Vec<i64>,
    classes: Vec<String>,
    split: Split,
    epochs: u64,
}

fn spam(seed: u64) -> Outcome<Task> {
    let all = bundled::sms_spam()?.without_repeats();
    let labels = all.labels.to_vec();
    let split = stratified_split(&labels, 0.2, seed);
    Ok(Task { texts: all.texts, labels, classes: all.class_names, split, epochs: 12 })
}

fn authors() -> Outcome<Task> {
    let (all, works) = (bundled::authors()?, bundled::author_works()?);
    let unseen = ["Persuasion", "Twelfth Night", "Paradise Regained"];
    let rows = |held_out: bool| {
        (0..works.len()).filter(|&row| unseen.contains(&works[row].as_str()) == held_out).collect()
    };
    let split = Split { train: rows(false), test: rows(true) };
    Ok(Task { texts: all.texts, labels: all.labels.to_vec(), classes: all.class_names, split, epochs: 5 })
}

fn share(found: &[i64], labels: &[i64]) -> f64 {
    found.iter().zip(labels).filter(|(found, label)| found == label).count() as f64 / labels.len() as f64
}

/// The harmonic mean of precision and recall of a class.
fn f1(found: &[i64], labels: &[i64], class: i64) -> f64 {
    let both = found.iter().zip(labels).filter(|(f, l)| **f == class && **l == class).count() as f64;
    let count = |list: &[i64]| list.iter().filter(|&&label| label == class).count() as f64;
    2.0 * both / (count(found) + count(labels)).max(1.0)
}

/// The classes of the test texts: by the network, by naive Bayes, and as they are.
type Classes = [Vec<i64>; 3];

fn learn(task: &Task, arguments: &Arguments, seed: u64) -> Outcome<Classes> {
    let of = |rows: &[usize]| -> (Vec<&str>, Vec<i64>) {
        rows.iter().map(|&row| (task.texts[row].as_str(), task.labels[row])).unzip()
    };
    let ((train, train_labels), (test, test_labels)) = (of(&task.split.train), of(&task.split.test));

    // The vocabulary is that of the training texts: a word that only test texts have is unknown, as it will be in use.
    let mut tokenizer = Tokenizer::new().num_words(5000).oov_token("<OOV>");
    tokenizer.fit_on_texts(&train);
    let pad = Pad { maxlen: Some(60), padding: Side::Post, truncating: Side::Post, ..Pad::default() };
    let sequences = |texts: &[&str]| pad_sequences(&tokenizer.texts_to_sequences(texts), &pad);
    let (train_words, test_words) = (sequences(&train), sequences(&test));

    let words =
        |texts: &[&str]| -> Vec<Vec<String>> { texts.iter().map(|t| tokenizer.words_of(t)).collect() };
    let bayes = NaiveBayes::fit(&words(&train), &train_labels, task.classes.len());
    let by_bayes: Vec<i64> = words(&test).iter().map(|text| bayes.classify(text)).collect();

    manual_seed(seed);
    let net = Classifier::new(tokenizer.vocabulary_size(), 64, task.classes.len());
    let mut adam = Adam::new(net.named_parameters()).lr(2e-3);
    println!(
        "{} texts to learn from, {} to test, {} parameters",
        train.len(),
        test.len(),
        net.num_parameters()
    );
    let labels = Tensor::from_slice(&train_labels, [train.len()])?;
    let loader = TensorDataset::new((train_words, labels)).loader().batch_size(32).shuffle(seed);
    let epochs = arguments.value("--epochs", task.epochs);
    let checkpoints = Checkpoints::of(arguments)?;
    for epoch in checkpoints.done(&net, &mut adam)?..epochs {
        let mut total = 0.0;
        for (words, labels) in loader.epoch(epoch) {
            let loss = cross_entropy(&net.forward(&words), &labels);
            adam.zero_grad();
            loss.backward();
            clip_grad_norm(&net.named_parameters(), 1.0, 2.0);
            adam.step();
            total += f64::from(loss.item()) * labels.len() as f64;
        }
        checkpoints.save(epoch + 1, &net, &adam)?;
        println!("epoch {}: loss {:.4}", epoch + 1, total / train.len() as f64);
    }
    println!("weights: {:016x}", net.named_parameters().fingerprint());
    Ok([net.classify(&test_words), by_bayes, test_labels])
}

/// Three sentences, a label each. It shows the parts at work; a network cannot learn a language from three sentences.
fn sentences(seed: u64) -> Outcome {
    let texts = ["This is a positive sentence.", "This is a negative sentence.", "A neutral one."];
    let (names, labels) = (["positive", "negative", "neutral"], Tensor::from_slice(&[0_i64, 1, 2], [3])?);
    let mut tokenizer = Tokenizer::new().num_words(1000).oov_token("<OOV>");
    tokenizer.fit_on_texts(texts);
    let sequences = tokenizer.texts_to_sequences(texts);
    let words = pad_sequences(&sequences, &Pad { maxlen: Some(10), padding: Side::Post, ..Pad::default() });
    manual_seed(seed);
    let net = Classifier::new(tokenizer.vocabulary_size(), 64, names.len());
    let mut adam = Adam::new(net.named_parameters()).lr(1e-2);
    for _ in 0..30 {
        let loss = cross_entropy(&net.forward(&words), &labels);
        adam.zero_grad();
        loss.backward();
        adam.step();
    }
    let found = net.classify(&words);
    for ((text, sequence), &class) in texts.iter().zip(&sequences).zip(&found) {
        println!("{text:30} {sequence:?} {}", names[class as usize]);
    }
    if share(&found, &labels.to_vec()) < 1.0 {
        return Err("three sentences should be learned by heart".into());
    }
    Ok(())
}

fn work(arguments: &Arguments) -> Outcome {
    let seed = arguments.value("--seed", 0);
    if arguments.flag("--sentences") {
        return sentences(seed);
    }
    let by_author = arguments.flag("--authors");
    let task = if by_author { authors()? } else { spam(seed)? };
    let [found, by_bayes, labels] = learn(&task, arguments, seed)?;
    let (own, bayes) = (share(&found, &labels), share(&by_bayes, &labels));
    if by_author {
        for (class, name) in task.classes.iter().enumerate() {
            let class = class as i64;
            println!(
                "{name:12} F1 {:.4}, naive Bayes {:.4}",
                f1(&found, &labels, class),
                f1(&by_bayes, &labels, class)
            );
        }
        let verdict = if own >= bayes { "ahead of" } else { "behind" };
        println!("On works that neither has seen, the network is {verdict} naive Bayes ({bayes:.4}).");
        println!("Test accuracy: {own:.4}");
        return if own > 0.75 { Ok(()) } else { Err("the accuracy should be above 0.75".into()) };
    }
    let spam = task.classes.iter().position(|name| name == "spam").ok_or("no class of that name")? as i64;
    let spam_f1 = f1(&found, &labels, spam);
    println!("Naive Bayes: accuracy {bayes:.4}, spam F1 {:.4}", f1(&by_bayes, &labels, spam));
    println!("Test accuracy: {own:.4}");
    println!("Spam F1: {spam_f1:.4}");
    if own < 0.975 || spam_f1 < 0.90 || own < bayes - 0.005 {
        return Err("expected: accuracy 0.975 and not 0.005 below naive Bayes, F1 0.90".into());
    }
    Ok(())
}

fn main() -> ExitCode {
    let options = ["--epochs N", "--seed N", "--checkpoint DIR", "--resume", "--authors", "--sentences"];
    arguments::run(&options, work)
}
