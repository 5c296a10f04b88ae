//! Lesson 16: embedding and padding.
//!
//! Words become vectors by looking them up in a table with a row a word. That is a product with a one-hot matrix, without
//! the multiplications, and its gradient is a *scatter-add*: each row gets the sum of the slopes of all places where the
//! word stood. Sentences of different lengths are filled up to one length with a padding word; and then whatever comes
//! next must be told which places are real, or padding changes the answer.
//!
//! Source: Y. Bengio, R. Ducharme, P. Vincent, C. Jauvin, "A neural probabilistic language model", *Journal of Machine
//! Learning Research* 3 (2003), section 2, whose matrix C the table is.
//!
//! `cargo run --release --example 16_embedding_and_padding`

use wengert::datasets::text::{Pad, Side, pad_sequences};
use wengert::{embedding, optim::Sgd, prelude::*};

const WORDS: [&str; 6] = ["<pad>", "the", "film", "was", "good", "bad"];

/// The numbers of words, filled up at the end with 0 to a length.
fn numbers(sentences: &[&str], length: usize) -> Tensor<i64> {
    let number = |word| WORDS.iter().position(|w| *w == word).expect("a known word") as i64;
    let rows: Vec<Vec<i64>> = sentences.iter().map(|s| s.split(' ').map(number).collect()).collect();
    pad_sequences(&rows, &Pad { maxlen: Some(length), padding: Side::Post, ..Pad::default() })
}

/// The mean of the vectors of each sentence, `[sentences, size]`; over all places, or over the words only.
fn mean(vectors: &Variable, tokens: &Tensor<i64>, masked: bool) -> Variable {
    if !masked {
        return vectors.mean_axes(1, false);
    }
    let real = Variable::new(tokens.ne(0).cast::<f32>()); // [sentences, length]
    (vectors * real.unsqueeze(-1)).sum_axes(1, false) / real.sum_axes(1, true)
}

fn main() {
    println!("A table with a row of two numbers for each word:");
    let start = Tensor::from_fn([6, 2], |i| (i[0] * 10 + i[1]) as f32);
    let table = Variable::parameter(start.clone());
    for (word, row) in WORDS.iter().zip(start.to_vec().chunks(2)) {
        println!("  {word:<6} {row:?}");
    }
    let tokens = numbers(&["the film was good", "good film"], 4);
    println!(
        "\"the film was good\" and \"good film\" in numbers, filled up to length 4: {:?}",
        tokens.to_vec()
    );

    let vectors = embedding(&tokens, &table, None);
    let product = Variable::new(tokens.one_hot::<f32>(6)).matmul(&table);
    println!(
        "Looked up, shape {:?}; the same as one-hot rows times the table: {}\n",
        vectors.shape(),
        vectors.value() == product.value()
    );
    assert_eq!(vectors.value(), product.value());

    println!("Backward with a slope of 1 at every place: how often a word stood there is what its row gets.");
    vectors.sum().backward();
    let gradient = table.grad().expect("a pass");
    for (word, row) in WORDS.iter().zip(gradient.to_vec().chunks(2)) {
        println!("  {word:<6} {row:?}");
    }
    assert_eq!(gradient.select(1, 0).to_vec(), [2.0, 1.0, 2.0, 1.0, 2.0, 0.0], "a scatter-add counts");
    table.zero_grad();
    embedding(&tokens, &table, Some(0)).sum().backward();
    let padding = table.grad().expect("a pass").select(0, 0).to_vec();
    println!("With padding_idx = 0 the padding's row gets {padding:?}, and stays what it is.\n");
    assert_eq!(padding, [0.0, 0.0]);

    println!("Now the mask. The mean of a sentence's vectors, filled up to 4, 10 and 100 places:");
    println!("{:>10}{:>26}{:>26}", "length", "mean over all places", "mean over the words");
    let mut answers = vec![];
    for length in [4, 10, 100] {
        let tokens = numbers(&["the film was good"], length);
        let vectors = embedding(&tokens, &Variable::new(&start * 0.1), Some(0));
        let [all, words] = [false, true].map(|masked| mean(&vectors, &tokens, masked).value().to_vec());
        println!("{length:>10}{:>26}{:>26}", format!("{all:.3?}"), format!("{words:.3?}"));
        answers.push((all[0], words[0]));
    }
    assert!(answers.iter().all(|a| a.1 == answers[0].1), "masked, padding does not matter");
    assert!(answers[2].0 < 0.1 * answers[0].0, "unmasked, it drowns the words");

    println!("\nWhat that does: learn good from bad with length 4, and be asked with length 4 and 40.");
    let sentences = ["the film was good", "the film was bad", "good film", "bad film", "good", "bad"];
    let labels = Variable::from([[1.0], [-1.0], [1.0], [-1.0], [1.0], [-1.0]]);
    let mut sure = vec![];
    for masked in [false, true] {
        manual_seed(0);
        let net = (Embedding::new(6, 4).padding_idx(0), Linear::new(4, 1));
        let answer = |length: usize| {
            let tokens = numbers(&sentences, length);
            net.1.forward(&mean(&net.0.forward(&tokens), &tokens, masked)).tanh()
        };
        let mut sgd = Sgd::new(net.named_parameters()).lr(0.3);
        for _ in 0..200 {
            sgd.zero_grad();
            (answer(4) - &labels).square().mean().backward();
            sgd.step();
        }
        for length in [4, 40] {
            let margin = (answer(length) * &labels).value().least().expect("six sentences");
            println!(
                "  {:<9} length {length:>2}: least sure answer {margin:>6.3}, where 1 is right and -1 wrong",
                if masked { "masked" } else { "unmasked" }
            );
            sure.push(margin);
        }
    }
    assert!(sure[0] > 0.7 && sure[1] < 0.3, "unmasked, the longer padding spoils what was learned");
    assert!(sure[2] > 0.7 && sure[2] == sure[3], "masked, it is the same answer to the bit");
}
