//! A vocabulary of single characters.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

/// Numbers for the characters of a text, in the order of Unicode, from 0.
///
/// ```
/// use wengert_datasets::text::CharTokenizer;
///
/// let tokenizer = CharTokenizer::new("hello");
/// assert_eq!(tokenizer.len(), 4); // e h l o
/// let code = tokenizer.encode("hole")?;
/// assert_eq!((code.as_slice(), tokenizer.decode(&code)), (&[1, 3, 2, 0][..], Some("hole".to_string())));
/// assert_eq!(tokenizer.encode("help").unwrap_err().to_string(), "character 'p' at position 3 is not in the vocabulary");
/// # Ok::<(), wengert_datasets::text::UnknownCharacter>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct CharTokenizer {
    characters: Vec<char>,
    numbers: HashMap<char, i64>,
}

/// A character that a [`CharTokenizer`] does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("character {character:?} at position {position} is not in the vocabulary")]
pub struct UnknownCharacter {
    /// The character.
    pub character: char,
    /// How many characters come before it.
    pub position: usize,
}

impl CharTokenizer {
    /// The vocabulary of all characters that occur in a text.
    pub fn new(text: &str) -> CharTokenizer {
        let characters: Vec<char> = text.chars().collect::<BTreeSet<_>>().into_iter().collect();
        let numbers = characters.iter().zip(0..).map(|(&character, number)| (character, number)).collect();
        CharTokenizer { characters, numbers }
    }

    /// How many characters there are.
    pub fn len(&self) -> usize {
        self.characters.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.characters.is_empty()
    }

    /// The characters, each at the position that is its number.
    pub fn characters(&self) -> &[char] {
        &self.characters
    }

    /// The numbers of a text's characters.
    ///
    /// # Errors
    /// If one is not in the vocabulary.
    pub fn encode(&self, text: &str) -> Result<Vec<i64>, UnknownCharacter> {
        let number = |(position, character)| {
            self.numbers.get(&character).copied().ok_or(UnknownCharacter { character, position })
        };
        text.chars().enumerate().map(number).collect()
    }

    /// The text of these numbers; `None` if one of them stands for no character.
    pub fn decode(&self, numbers: &[i64]) -> Option<String> {
        numbers.iter().map(|&number| self.characters.get(usize::try_from(number).ok()?)).collect()
    }
}

impl From<String> for CharTokenizer {
    fn from(text: String) -> CharTokenizer {
        CharTokenizer::new(&text)
    }
}

impl From<CharTokenizer> for String {
    fn from(tokenizer: CharTokenizer) -> String {
        tokenizer.characters.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_as_the_string_of_its_characters() {
        let tokenizer = CharTokenizer::new("zażółć\n\"");
        let json = serde_json::to_string(&tokenizer).expect("a string");
        assert_eq!(serde_json::from_str::<CharTokenizer>(&json).expect("a string"), tokenizer);
        assert_eq!(tokenizer.decode(&[-1]), None);
        assert_eq!(tokenizer.decode(&[8]), None);
    }
}
