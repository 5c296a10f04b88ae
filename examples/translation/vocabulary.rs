//! Words as numbers, for both languages.

use std::collections::HashMap;

/// Padding, begin, end, any other word.
pub(crate) const PAD: i64 = 0;
pub(crate) const BEGIN: i64 = 1;
pub(crate) const END: i64 = 2;
pub(crate) const UNKNOWN: i64 = 3;

/// The most frequent words of a language.
pub(crate) struct Vocabulary {
    words: Vec<String>,
    numbers: HashMap<String, i64>,
}

/// Words in lower case; marks are words of their own.
fn words_of(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for character in text.chars().flat_map(char::to_lowercase) {
        if character.is_alphanumeric() || character == '’' {
            words.last_mut().expect("never empty").push(character);
        } else {
            words.extend([
                if character.is_whitespace() { String::new() } else { character.to_string() },
                String::new(),
            ]);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

impl Vocabulary {
    /// The `count` most frequent words of these texts, with the four signs above.
    pub(crate) fn new<'a>(texts: impl Iterator<Item = &'a str>, count: usize) -> Vocabulary {
        let mut counts: HashMap<String, usize> = HashMap::new();
        texts.flat_map(words_of).for_each(|word| *counts.entry(word).or_default() += 1);
        let mut sorted: Vec<(String, usize)> = counts.into_iter().collect();
        sorted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let signs = ["", "<begin>", "<end>", "<?>"].map(String::from);
        let frequent = sorted.into_iter().take(count - signs.len()).map(|(word, _)| word);
        let words: Vec<String> = signs.into_iter().chain(frequent).collect();
        let numbers = words.iter().enumerate().map(|(number, word)| (word.clone(), number as i64)).collect();
        Vocabulary { words, numbers }
    }

    /// How many numbers there are.
    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }

    /// The numbers of a text's words, with an end.
    pub(crate) fn encode(&self, text: &str) -> Vec<i64> {
        let number = |word: String| self.numbers.get(&word).copied().unwrap_or(UNKNOWN);
        words_of(text).into_iter().map(number).chain([END]).collect()
    }

    /// The word of a number.
    pub(crate) fn word(&self, number: i64) -> &str {
        &self.words[number as usize]
    }

    /// The words of these numbers, up to an end.
    pub(crate) fn decode(&self, numbers: &[i64]) -> String {
        let words = numbers.iter().take_while(|&&number| number != END).map(|&number| self.word(number));
        words.collect::<Vec<_>>().join(" ")
    }
}
