//! Checkpoints: the state of a training run in one file, whole or not at all.
//!
//! ```
//! use wengert::{checkpoint, prelude::*};
//!
//! let net = Linear::new(3, 2);
//! let mut adam = Adam::new(net.named_parameters());
//! # let folder = std::env::temp_dir().join(format!("wengert-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! # let path = folder.join("run.checkpoint");
//! checkpoint::save(&path, &(5_u64, net.state_dict(), adam.state()))?;
//!
//! let (epoch, weights, state): (u64, _, _) = checkpoint::load(&path)?;
//! net.load_state_dict(&weights)?;
//! adam.load_state(state)?;
//! assert_eq!(epoch, 5);
//! # std::fs::remove_dir_all(folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`Checkpoint`] has everything that going on with a training to the same bits needs. But any value that serde can
//! take may be saved. The file is a header (what it is, version, length, checksum) and the value
//! as bincode has it. It is written beside its place, flushed to the disk, and then renamed: a crash at any moment leaves
//! the previous file whole.
//!
//! bincode 2 is unmaintained (RUSTSEC-2025-0141). So it is used in this module alone, behind the feature `checkpoint`, and
//! trusted with little: length and checksum are verified before it sees a byte, and what it may allocate is bounded by
//! the size of the file.

mod training;

pub use training::{Checkpoint, CheckpointFolder};

use crate::storage::{StorageError, write_atomically};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

const MAGIC: [u8; 8] = *b"WENGERT\x1a";
const VERSION: u32 = 1;
/// Magic, version, length of the payload, its checksum.
const HEADER: usize = 8 + 4 + 8 + 8;

/// Why a checkpoint could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file does not begin as a checkpoint does.
    #[error("{path}: not a checkpoint (its first bytes are {found:02x?})")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it begins with.
        found: Vec<u8>,
    },
    /// A version that this program does not know.
    #[error("{path}: a checkpoint of version {found}; this program reads version {VERSION}")]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// The file is shorter or longer than its header says.
    #[error("{path}: the header promises {expected} bytes, the file has {found}")]
    Length {
        /// The file.
        path: PathBuf,
        /// The length of the payload by the header.
        expected: u64,
        /// The bytes that follow the header.
        found: u64,
    },
    /// The content is not what was written.
    #[error("{path}: the checksum is {found:016x} and should be {expected:016x}; the file is damaged")]
    Checksum {
        /// The file.
        path: PathBuf,
        /// The checksum by the header.
        expected: u64,
        /// That of the content.
        found: u64,
    },
    /// The content is not a value of the type that was asked for.
    #[error("{path}: the content is not what was asked for: {problem}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        problem: String,
    },
}

impl CheckpointError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> CheckpointError + '_ {
        move |source| CheckpointError::Io { path: path.into(), source }
    }
}

/// Writes `state` to `path`, replacing what was there only once the new file is whole and on the disk.
///
/// # Errors
/// If the file system refuses, or the value cannot be serialised.
pub fn save<S: Serialize + ?Sized>(path: impl AsRef<Path>, state: &S) -> Result<(), CheckpointError> {
    let path = path.as_ref();
    let payload = bincode::serde::encode_to_vec(state, bincode::config::standard())
        .map_err(|problem| CheckpointError::Content { path: path.into(), problem: problem.to_string() })?;
    let mut header = Vec::with_capacity(HEADER);
    header.extend(MAGIC);
    header.extend(VERSION.to_le_bytes());
    header.extend((payload.len() as u64).to_le_bytes());
    header.extend(checksum(&payload).to_le_bytes());
    let written = write_atomically(path, |file| {
        file.write_all(&header)?;
        file.write_all(&payload)
    });
    written.map_err(|error| match error {
        StorageError::Io { path, source } => CheckpointError::Io { path, source },
        StorageError::Format { path, problem } => CheckpointError::Content { path, problem },
    })
}

/// Reads what [`save`] wrote.
///
/// # Errors
/// If the file cannot be read, is not a checkpoint, is truncated or damaged, or holds something else than an `S`. Each
/// error names the file.
pub fn load<S: DeserializeOwned>(path: impl AsRef<Path>) -> Result<S, CheckpointError> {
    let path = path.as_ref();
    let io = |source| CheckpointError::Io { path: path.into(), source };
    let mut file = File::open(path).map_err(io)?;
    let size = file.metadata().map_err(io)?.len();
    let mut header = Vec::with_capacity(HEADER);
    (&file).take(HEADER as u64).read_to_end(&mut header).map_err(io)?;
    if header.len() < HEADER || header[..8] != MAGIC {
        header.truncate(MAGIC.len());
        return Err(CheckpointError::Foreign { path: path.into(), found: header });
    }
    let version = u32::from_le_bytes(header[8..12].try_into().expect("four bytes"));
    if version != VERSION {
        return Err(CheckpointError::Version { path: path.into(), found: version });
    }
    let field = |at: usize| u64::from_le_bytes(header[at..at + 8].try_into().expect("eight bytes"));
    let (expected, sum) = (field(12), field(20));
    let found = size.saturating_sub(HEADER as u64);
    if expected != found {
        return Err(CheckpointError::Length { path: path.into(), expected, found });
    }
    // As long as the file is, whatever the header says: that was compared above.
    let mut payload = Vec::new();
    file.read_to_end(&mut payload).map_err(io)?;
    let computed = checksum(&payload);
    if computed != sum {
        return Err(CheckpointError::Checksum { path: path.into(), expected: sum, found: computed });
    }
    decode(&payload).map_err(|problem| CheckpointError::Content { path: path.into(), problem })
}

/// Decodes a value that fills `payload` exactly.
fn decode<S: DeserializeOwned>(payload: &[u8]) -> Result<S, String> {
    // A claimed length makes bincode allocate up to its limit, which is a constant: the smallest step above the payload.
    macro_rules! within {
        ($($limit:literal)*) => {
            match payload.len() {
                $(length if length <= $limit => {
                    let config = bincode::config::standard().with_limit::<{ $limit * 4 }>();
                    bincode::serde::decode_from_slice::<S, _>(payload, config)
                })*
                _ => bincode::serde::decode_from_slice::<S, _>(payload, bincode::config::standard()),
            }
        };
    }
    let decoded = within!(0x1_0000 0x10_0000 0x100_0000 0x1000_0000 0x1_0000_0000 0x10_0000_0000);
    match decoded {
        Ok((value, read)) if read == payload.len() => Ok(value),
        Ok((_, read)) => Err(format!("{} bytes are left over", payload.len() - read)),
        Err(problem) => Err(problem.to_string()),
    }
}

/// FNV-1a over words of eight bytes: enough to notice damage, and no defence against intent.
fn checksum(bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x0100_0000_01b3;
    let (words, rest) = bytes.as_chunks::<8>();
    let mut sum = 0xcbf2_9ce4_8422_2325_u64 ^ bytes.len() as u64;
    for word in words {
        sum = (sum ^ u64::from_le_bytes(*word)).wrapping_mul(PRIME).rotate_left(29);
    }
    for byte in rest {
        sum = (sum ^ u64::from(*byte)).wrapping_mul(PRIME);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tensor;
    use std::fs;

    /// A folder of this test's own, removed at the end.
    struct Folder(PathBuf);
    impl Folder {
        fn new(name: &str) -> Self {
            let folder =
                std::env::temp_dir().join(format!("wengert-checkpoint-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Folder(folder)
        }
    }
    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    type State = (u64, Vec<(String, Tensor<f32>)>);

    fn state() -> State {
        let weight = Tensor::from_vec(vec![1.0, -0.0, f32::NAN, f32::INFINITY], [2, 2]).unwrap();
        (7, vec![("weight".into(), weight)])
    }

    #[test]
    fn every_bit_comes_back_and_only_the_file_remains() {
        let folder = Folder::new("round-trip");
        let path = folder.0.join("run");
        save(&path, &(1_u64, Vec::<(String, Tensor<f32>)>::new())).unwrap();
        save(&path, &state()).unwrap();
        let (epoch, entries): State = load(&path).unwrap();
        assert_eq!(epoch, 7);
        let bits = |state: &[(String, Tensor<f32>)]| {
            state[0].1.to_vec().iter().map(|x| x.to_bits()).collect::<Vec<_>>()
        };
        assert_eq!(bits(&entries), bits(&state().1));
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
    }

    #[test]
    fn every_damage_is_an_error_that_names_the_file() {
        let folder = Folder::new("damage");
        let path = folder.0.join("run");
        save(&path, &state()).unwrap();
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x40;
            fs::write(&path, &flipped).unwrap();
            let error = load::<State>(&path).unwrap_err();
            assert!(error.to_string().contains("run"), "{error}");
            fs::write(&path, &whole[..at]).unwrap();
            load::<State>(&path).unwrap_err();
        }
        fs::write(&path, [&whole[..], b"more"].concat()).unwrap();
        assert!(matches!(load::<State>(&path), Err(CheckpointError::Length { .. })));
        fs::write(&path, &whole).unwrap();
        assert!(matches!(load::<(String, String)>(&path), Err(CheckpointError::Content { .. })));
    }

    #[test]
    fn a_claimed_length_allocates_nothing_to_speak_of() {
        // A vector of 2⁶² numbers, and a string of as many bytes.
        let claim = bincode::serde::encode_to_vec(1_u64 << 62, bincode::config::standard()).unwrap();
        decode::<Vec<f64>>(&claim).unwrap_err();
        decode::<String>(&claim).unwrap_err();
    }
}
