//! A vocabulary of words, by the rules of `keras.preprocessing.text.Tokenizer`.

use std::collections::{HashMap, HashSet};

use wengert_autograd::tensor::Tensor;

/// What Keras removes from texts if not told otherwise; the apostrophe stays.
const FILTERS: &str = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n";

/// Numbers for words: the more frequent a word, the smaller its number, from 1; 0 is for padding.
///
/// Texts become words by lowering the case, replacing the `filters` by spaces, and splitting at spaces.
///
/// ```
/// use wengert_datasets::text::Tokenizer;
///
/// let mut tokenizer = Tokenizer::new().num_words(3).oov_token("?");
/// tokenizer.fit_on_texts(["a rose is a rose", "a thorn"]);
/// // ? is 1, a is 2; rose would be 3, but only numbers below `num_words` are used.
/// assert_eq!(tokenizer.texts_to_sequences(["A rose!"]), [[2, 1]]);
/// assert_eq!(tokenizer.word_index("rose"), Some(3));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Tokenizer {
    pub(super) num_words: Option<usize>,
    pub(super) oov_token: Option<String>,
    pub(super) filters: String,
    pub(super) lower: bool,
    pub(super) split: String,
    pub(super) char_level: bool,
    pub(super) documents: u64,
    /// Every word that occurred, in order of first appearance.
    pub(super) words: Vec<Word>,
    /// The words by number, from 1; with the token for unknown words.
    pub(super) index: HashMap<String, usize>,
}

/// How often a word occurred.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    pub(super) word: String,
    pub(super) count: u64,
    /// In how many texts.
    pub(super) documents: u64,
}

/// What [`Tokenizer::texts_to_matrix`] says of each word of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MatrixMode {
    /// 1 if it occurs.
    Binary,
    /// How often it occurs.
    Count,
    /// Its share of the text's words.
    Freq,
    /// (1 + ln count) · ln(1 + D / (1 + d)), for D texts fitted on, d of them with this word.
    TfIdf,
}

impl Default for Tokenizer {
    fn default() -> Self {
        Tokenizer::new()
    }
}

impl Tokenizer {
    /// An empty vocabulary; all words are used, case is lowered, unknown words are left out.
    pub fn new() -> Tokenizer {
        Tokenizer {
            num_words: None,
            oov_token: None,
            filters: FILTERS.to_string(),
            lower: true,
            split: " ".to_string(),
            char_level: false,
            documents: 0,
            words: Vec::new(),
            index: HashMap::new(),
        }
    }

    /// Uses only words whose number is below this one: the `num_words - 1` most frequent ones.
    pub fn num_words(mut self, num_words: usize) -> Self {
        self.num_words = Some(num_words);
        self
    }

    /// A token, of number 1, for words that are not known or not used.
    pub fn oov_token(mut self, token: impl Into<String>) -> Self {
        self.oov_token = Some(token.into());
        self.number_words();
        self
    }

    /// The characters to replace by spaces, instead of punctuation, tabs and line ends.
    pub fn filters(mut self, characters: impl Into<String>) -> Self {
        self.filters = characters.into();
        self
    }

    /// Whether to lower the case.
    pub fn lower(mut self, lower: bool) -> Self {
        self.lower = lower;
        self
    }

    /// Adds the words of these texts to the vocabulary and numbers it anew: by falling count, words that are as frequent
    /// by first appearance.
    pub fn fit_on_texts<S: AsRef<str>>(&mut self, texts: impl IntoIterator<Item = S>) {
        let mut place: HashMap<String, usize> =
            self.words.iter().enumerate().map(|(place, word)| (word.word.clone(), place)).collect();
        for text in texts {
            self.documents += 1;
            let mut seen = HashSet::new();
            for word in self.words_of(text.as_ref()) {
                let at = *place.entry(word.clone()).or_insert_with(|| {
                    self.words.push(Word { word, count: 0, documents: 0 });
                    self.words.len() - 1
                });
                self.words[at].count += 1;
                self.words[at].documents += u64::from(seen.insert(at));
            }
        }
        self.number_words();
    }

    fn number_words(&mut self) {
        let mut order: Vec<&Word> = self.words.iter().collect();
        order.sort_by_key(|word| std::cmp::Reverse(word.count)); // stable
        let oov = self.oov_token.iter().cloned();
        let words = oov.chain(order.into_iter().map(|word| word.word.clone()));
        // A word that is spelled like the token has the later number, as in Keras.
        self.index = words.zip(1..).collect();
    }

    /// The words of a text, as this tokenizer sees them.
    pub fn words_of(&self, text: &str) -> Vec<String> {
        let lowered = if self.lower { text.to_lowercase() } else { text.to_string() };
        if self.char_level {
            return lowered.chars().map(String::from).collect();
        }
        let mut clean = String::with_capacity(lowered.len());
        for character in lowered.chars() {
            if self.filters.contains(character) {
                clean.push_str(&self.split);
            } else {
                clean.push(character);
            }
        }
        clean.split(&self.split).filter(|word| !word.is_empty()).map(str::to_string).collect()
    }

    /// The number of a word, also if it is not used because of `num_words`.
    pub fn word_index(&self, word: &str) -> Option<usize> {
        self.index.get(word).copied()
    }

    /// How many numbers there are, 0 included: the size that an embedding or a matrix needs.
    pub fn vocabulary_size(&self) -> usize {
        let all = self.index.len() + 1;
        self.num_words.map_or(all, |num_words| num_words.min(all))
    }

    /// The numbers of the texts' words. Words that are not known or not used become the token for such words, and are
    /// left out if there is none.
    pub fn texts_to_sequences<S: AsRef<str>>(&self, texts: impl IntoIterator<Item = S>) -> Vec<Vec<i64>> {
        let oov = self.oov_token.as_ref().and_then(|token| self.word_index(token));
        let used = |number: &usize| self.num_words.is_none_or(|num_words| *number < num_words);
        let number = |word: String| self.word_index(&word).filter(used).or(oov).map(|number| number as i64);
        texts
            .into_iter()
            .map(|text| self.words_of(text.as_ref()).into_iter().filter_map(number).collect())
            .collect()
    }

    /// The words of the sequences, separated by spaces; numbers that stand for no word that is used become the token for
    /// unknown words, and are left out if there is none.
    pub fn sequences_to_texts(&self, sequences: &[Vec<i64>]) -> Vec<String> {
        let words: HashMap<i64, &str> = self
            .index
            .iter()
            .filter(|(_, number)| self.num_words.is_none_or(|num_words| **number < num_words))
            .map(|(word, &number)| (number as i64, word.as_str()))
            .collect();
        let text = |sequence: &Vec<i64>| {
            let word = |number| words.get(number).copied().or(self.oov_token.as_deref());
            sequence.iter().filter_map(word).collect::<Vec<_>>().join(" ")
        };
        sequences.iter().map(text).collect()
    }

    /// A row for each text, a column for each number: \[texts, n\], where n is `num_words` if it was given, else one more
    /// than the largest number.
    pub fn texts_to_matrix<S: AsRef<str>>(
        &self,
        texts: impl IntoIterator<Item = S>,
        mode: MatrixMode,
    ) -> Tensor<f32> {
        let sequences = self.texts_to_sequences(texts);
        let width = self.num_words.unwrap_or(self.index.len() + 1);
        let mut texts_with = vec![0; width];
        for word in &self.words {
            if let Some(slot) = self.word_index(&word.word).and_then(|number| texts_with.get_mut(number)) {
                *slot = word.documents;
            }
        }
        let mut matrix = Tensor::<f32>::zeros([sequences.len(), width]);
        for (row, sequence) in matrix.make_mut().chunks_exact_mut(width.max(1)).zip(&sequences) {
            for &number in sequence {
                row[number as usize] += 1.0;
            }
            for (value, &texts) in row.iter_mut().zip(&texts_with).filter(|(value, _)| **value > 0.0) {
                *value = match mode {
                    MatrixMode::Binary => 1.0,
                    MatrixMode::Count => *value,
                    MatrixMode::Freq => *value / sequence.len() as f32,
                    MatrixMode::TfIdf => {
                        let inverse = (1.0 + self.documents as f64 / (1.0 + texts as f64)).ln();
                        ((1.0 + f64::from(*value).ln()) * inverse) as f32
                    }
                };
            }
        }
        matrix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(tokenizer: Tokenizer) -> Tokenizer {
        let mut tokenizer = tokenizer;
        tokenizer.fit_on_texts(["The quick, brown fox.", "the lazy dog; the DOG's tail", ""]);
        tokenizer
    }

    #[test]
    fn words_are_numbered_by_count_then_appearance() {
        let tokenizer = fitted(Tokenizer::new());
        let numbers =
            ["the", "quick", "brown", "fox", "lazy", "dog", "dog's", "tail"].map(|w| tokenizer.word_index(w));
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8].map(Some));
        assert_eq!(tokenizer.vocabulary_size(), 9);
        assert_eq!(tokenizer.texts_to_sequences(["A lazy the", "cat"]), [vec![5, 1], vec![]]);
        let mut again = tokenizer.clone();
        again.fit_on_texts(["tail tail tail tail"]);
        assert_eq!((again.word_index("tail"), again.word_index("the")), (Some(1), Some(2)));
    }

    #[test]
    fn rare_and_unknown_words() {
        let tokenizer = fitted(Tokenizer::new().num_words(3));
        assert_eq!(tokenizer.texts_to_sequences(["the quick brown cat"]), [[1, 2]]);
        assert_eq!(tokenizer.vocabulary_size(), 3);
        let tokenizer = fitted(Tokenizer::new().num_words(3).oov_token("<OOV>"));
        assert_eq!(tokenizer.texts_to_sequences(["the quick brown cat"]), [[2, 1, 1, 1]]);
        assert_eq!(tokenizer.sequences_to_texts(&[vec![2, 1, 7, 0]]), ["the <OOV> <OOV> <OOV>"]);
        // The token may be chosen after fitting.
        assert_eq!(fitted(Tokenizer::new()).oov_token("<OOV>").num_words(3), tokenizer);
    }

    #[test]
    fn filters_and_case() {
        let tokenizer = Tokenizer::new().filters("x").lower(false);
        assert_eq!(tokenizer.words_of("Ax-b, cx  d"), ["A", "-b,", "c", "d"]);
    }

    #[test]
    fn matrices_of_every_mode() {
        let tokenizer = fitted(Tokenizer::new().num_words(4));
        let row = |mode| tokenizer.texts_to_matrix(["the the quick fox"], mode).to_vec();
        assert_eq!(row(MatrixMode::Binary), [0.0, 1.0, 1.0, 0.0]);
        assert_eq!(row(MatrixMode::Count), [0.0, 2.0, 1.0, 0.0]);
        assert_eq!(row(MatrixMode::Freq), [0.0, 2.0 / 3.0, 1.0 / 3.0, 0.0]);
        // 3 texts; "the" is in 2 of them, "quick" in 1.
        let the = (1.0 + 2f64.ln()) * (1.0 + 3.0 / 3.0f64).ln();
        let quick = (1.0 + 3.0 / 2.0f64).ln();
        assert_eq!(row(MatrixMode::TfIdf), [0.0, the as f32, quick as f32, 0.0]);
    }
}
