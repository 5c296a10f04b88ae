//! Storing models: weights in the format of `safetensors`.
//!
//! ```
//! use wengert::prelude::*;
//! use wengert::storage::{load_weights, save_weights};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = std::env::temp_dir().join(format!("wengert-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! # let path = folder.join("net.safetensors");
//! let net = Linear::new(3, 2);
//! save_weights(&path, &net.state_dict())?;
//! let other = Linear::new(3, 2);
//! other.load_state_dict(&load_weights(&path)?)?;
//! assert_eq!(other.weight.value(), net.weight.value());
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok(())
//! # }
//! ```
//!
//! Weights cross over to PyTorch and back by name: `safetensors.torch.load_file` reads what [`save_weights`] writes, and
//! [`load_weights`] what `save_file` writes. The state of a training, with the optimiser's memory and the random numbers,
//! is another matter: see `wengert::checkpoint`.
//!
//! A file is written beside its place and moved there when it is whole, so that whatever happens meanwhile the old one
//! or the new one is there. Files are not trusted: nothing is allocated that the file's true length does not warrant, and
//! errors name the file and what is wrong with it.

mod atomic;
mod weights;

pub use atomic::write_atomically;
pub use weights::{WeightsFile, load_weights, save_weights};

use std::{
    io,
    path::{Path, PathBuf},
};

/// What can go wrong with a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The system could not read or write it.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not what it should be: truncated, damaged, or of another kind.
    #[error("{}: {problem}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl StorageError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> StorageError + '_ {
        move |source| StorageError::Io { path: path.into(), source }
    }

    fn format(path: &Path, problem: impl Into<String>) -> StorageError {
        StorageError::Format { path: path.into(), problem: problem.into() }
    }
}
