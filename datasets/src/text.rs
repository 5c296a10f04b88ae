//! Texts as numbers: tokenizers, padding, plain files.
//!
//! ```
//! use wengert_datasets::text::{Pad, Tokenizer, pad_sequences};
//!
//! let texts = ["The cat sat.", "The cat ate the rat!"];
//! let mut tokenizer = Tokenizer::new().oov_token("<OOV>");
//! tokenizer.fit_on_texts(texts);
//! let sequences = tokenizer.texts_to_sequences(["The rat sat", "A dog"]);
//! assert_eq!(sequences, [[2, 6, 4].to_vec(), vec![1, 1]]);
//! let padded = pad_sequences(&sequences, &Pad { maxlen: Some(4), ..Pad::default() });
//! assert_eq!(padded.to_vec(), [0, 2, 6, 4, 0, 0, 1, 1]);
//! ```
//!
//! [`Tokenizer`] follows the one of Keras in every rule, and reads and writes its JSON, so that a vocabulary made with the
//! one serves the other. [`CharTokenizer`] knows single characters, for models of the letters of a text.

mod characters;
mod keras_json;
mod padding;
mod tokenizer;

use std::io;
use std::path::Path;

pub use characters::{CharTokenizer, UnknownCharacter};
pub use keras_json::TokenizerError;
pub use padding::{Pad, Side, pad_sequences};
pub use tokenizer::{MatrixMode, Tokenizer};

use crate::source;

/// The longest text file that is read, in bytes after unpacking.
const LIMIT: u64 = 1 << 30;

/// A whole text file, plain or gzip, in UTF-8.
///
/// # Errors
/// If it cannot be read or unpacked, is not UTF-8 (the error names the byte), or has more than 1 GiB.
pub fn read(path: impl AsRef<Path>) -> io::Result<String> {
    let bytes = source::read_up_to(&mut source::open(path.as_ref())?, LIMIT + 1)?;
    if bytes.len() as u64 > LIMIT {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("more than {LIMIT} bytes after unpacking"),
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let message = format!("not UTF-8 text: wrong byte at position {}", error.utf8_error().valid_up_to());
        io::Error::new(io::ErrorKind::InvalidData, message)
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_wrong_byte_is_named() {
        let path = std::env::temp_dir().join(format!("wengert-{}-latin1.txt", std::process::id()));
        std::fs::write(&path, b"caf\xe9").expect("a temporary file");
        let error = super::read(&path).expect_err("Latin-1");
        std::fs::remove_file(&path).expect("a temporary file");
        assert_eq!(error.to_string(), "not UTF-8 text: wrong byte at position 3");
    }
}
