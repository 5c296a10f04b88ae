//! The JSON form of a tokenizer, that of `Tokenizer.to_json` and `tokenizer_from_json` in Keras.
//!
//! It is an object of the settings in which the tables of words are strings, each of which holds JSON again.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::tokenizer::{Tokenizer, Word};

/// What can be wrong with a saved tokenizer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// Not JSON, or not of the form that is expected.
    #[error("saved tokenizer: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON of the right form, in which the parts contradict each other.
    #[error("saved tokenizer: {0}")]
    Inconsistent(String),
}

#[derive(Serialize, Deserialize)]
struct Document {
    class_name: String,
    config: Config,
}

#[derive(Serialize, Deserialize)]
struct Config {
    num_words: Option<usize>,
    filters: String,
    lower: bool,
    split: String,
    char_level: bool,
    oov_token: Option<String>,
    document_count: u64,
    word_counts: String,
    word_docs: String,
    index_docs: String,
    index_word: String,
    word_index: String,
}

/// An object whose order matters: that of first appearance decides between words that are as frequent.
struct Ordered<K, V>(Vec<(K, V)>);

impl<K: Serialize, V: Serialize> Serialize for Ordered<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Ordered<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs<K, V>(std::marker::PhantomData<(K, V)>);

        impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for Pairs<K, V> {
            type Value = Ordered<K, V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Ordered(pairs))
            }
        }
        deserializer.deserialize_map(Pairs(std::marker::PhantomData))
    }
}

impl Tokenizer {
    /// The settings and the vocabulary as JSON, as Keras writes it.
    pub fn to_json(&self) -> String {
        let mut numbered: Vec<(&str, usize)> =
            self.index.iter().map(|(word, &number)| (word.as_str(), number)).collect();
        numbered.sort_by_key(|&(_, number)| number);
        let documents =
            self.words.iter().filter_map(|word| Some((self.word_index(&word.word)?, word.documents)));
        let config = Config {
            num_words: self.num_words,
            filters: self.filters.clone(),
            lower: self.lower,
            split: self.split.clone(),
            char_level: self.char_level,
            oov_token: self.oov_token.clone(),
            document_count: self.documents,
            word_counts: json(self.words.iter().map(|word| (&word.word, word.count))),
            word_docs: json(self.words.iter().map(|word| (&word.word, word.documents))),
            index_docs: json(documents),
            index_word: json(numbered.iter().map(|&(word, number)| (number, word))),
            word_index: json(numbered.iter().copied()),
        };
        let document = Document { class_name: "Tokenizer".to_string(), config };
        serde_json::to_string(&document).expect("strings and numbers can be written")
    }

    /// The tokenizer that [`to_json`](Self::to_json), or Keras, wrote.
    ///
    /// # Errors
    /// If it is not JSON of that form, or numbers are given twice, left out or missing.
    pub fn from_json(text: &str) -> Result<Tokenizer, TokenizerError> {
        let Document { class_name, config } = serde_json::from_str(text)?;
        let inconsistent = |message: String| Err(TokenizerError::Inconsistent(message));
        if class_name != "Tokenizer" {
            return inconsistent(format!("class_name is \"{class_name}\", expected \"Tokenizer\""));
        }
        if config.split.is_empty() {
            return inconsistent("split is empty".to_string());
        }
        let Ordered(counts) = table::<String, u64>(&config.word_counts)?;
        let documents: HashMap<String, u64> = table(&config.word_docs)?.0.into_iter().collect();
        let Ordered(index) = table::<String, usize>(&config.word_index)?;

        let mut words = Vec::with_capacity(counts.len());
        for (word, count) in counts {
            let Some(&documents) = documents.get(&word) else {
                return inconsistent(format!("\"{word}\" is in word_counts, but not in word_docs"));
            };
            words.push(Word { word, count, documents });
        }
        let mut numbers = HashSet::new();
        for (word, number) in &index {
            if !(1..=index.len()).contains(number) || !numbers.insert(*number) {
                return inconsistent(format!(
                    "the number of \"{word}\" is {number}, expected 1 to {}, each once",
                    index.len()
                ));
            }
        }
        let index: HashMap<String, usize> = index.into_iter().collect();
        if let Some(word) = words
            .iter()
            .map(|word| &word.word)
            .chain(&config.oov_token)
            .find(|word| !index.contains_key(*word))
        {
            return inconsistent(format!("\"{word}\" has no number in word_index"));
        }
        Ok(Tokenizer {
            num_words: config.num_words,
            oov_token: config.oov_token,
            filters: config.filters,
            lower: config.lower,
            split: config.split,
            char_level: config.char_level,
            documents: config.document_count,
            words,
            index,
        })
    }
}

fn json<K: Serialize, V: Serialize>(pairs: impl Iterator<Item = (K, V)>) -> String {
    serde_json::to_string(&Ordered(pairs.collect())).expect("strings and numbers can be written")
}

fn table<K: DeserializeOwned, V: DeserializeOwned>(text: &str) -> Result<Ordered<K, V>, serde_json::Error> {
    serde_json::from_str(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What keras-preprocessing 1.1.2 writes after `fit_on_texts(["a rose is a rose", "a thorn"])` with `num_words=4,
    /// oov_token="?"`.
    const KERAS: &str = r##"{"class_name": "Tokenizer", "config": {"num_words": 4, "filters": "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n", "lower": true, "split": " ", "char_level": false, "oov_token": "?", "document_count": 2, "word_counts": "{\"a\": 3, \"rose\": 2, \"is\": 1, \"thorn\": 1}", "word_docs": "{\"rose\": 1, \"a\": 2, \"is\": 1, \"thorn\": 1}", "index_docs": "{\"3\": 1, \"2\": 2, \"4\": 1, \"5\": 1}", "index_word": "{\"1\": \"?\", \"2\": \"a\", \"3\": \"rose\", \"4\": \"is\", \"5\": \"thorn\"}", "word_index": "{\"?\": 1, \"a\": 2, \"rose\": 3, \"is\": 4, \"thorn\": 5}"}}"##;

    #[test]
    fn the_form_of_keras_is_read_and_written() {
        let mut tokenizer = Tokenizer::new().num_words(4).oov_token("?");
        tokenizer.fit_on_texts(["a rose is a rose", "a thorn"]);
        let theirs = Tokenizer::from_json(KERAS).expect("valid");
        assert_eq!(theirs, tokenizer);
        assert_eq!(Tokenizer::from_json(&tokenizer.to_json()).expect("valid"), tokenizer);
        let document = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        assert_eq!(document(&tokenizer.to_json())["config"]["filters"], document(KERAS)["config"]["filters"]);
        assert_eq!(theirs.texts_to_sequences(["a thorn"]), [[2, 1]]);
    }

    #[test]
    fn contradictions_are_named() {
        let refused = |from: &str, to: &str| {
            assert!(KERAS.contains(from), "{from}");
            Tokenizer::from_json(&KERAS.replacen(from, to, 1)).expect_err("must be refused").to_string()
        };
        assert!(
            refused("\\\"thorn\\\": 5}\"}", "\\\"thorn\\\": 4}\"}")
                .contains("is 4, expected 1 to 5, each once")
        );
        assert!(refused("\\\"thorn\\\": 5}\"}", "\\\"thorn\\\": 0}\"}").contains("is 0"));
        assert!(
            refused("\\\"a\\\": 2", "\\\"an\\\": 2")
                .contains("\"a\" is in word_counts, but not in word_docs")
        );
        assert!(refused("\"Tokenizer\"", "\"Model\"").contains("expected \"Tokenizer\""));
        assert!(refused("\"oov_token\": \"?\"", "\"oov_token\": \"!\"").contains("\"!\" has no number"));
        assert!(refused("\"split\": \" \"", "\"split\": \"\"").contains("split is empty"));
        assert!(matches!(Tokenizer::from_json("{"), Err(TokenizerError::Json(_))));
        assert!(matches!(Tokenizer::from_json(&"[".repeat(100_000)), Err(TokenizerError::Json(_))));
    }
}
