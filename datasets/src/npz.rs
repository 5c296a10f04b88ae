//! `.npz`, NumPy's file format for several named arrays.
//!
//! ```
//! use wengert_autograd::tensor::Tensor;
//! use wengert_datasets::{npy::Array, npz};
//!
//! let arrays = [("x", Array::F32(Tensor::ones([2, 3]))), ("y", Array::I64(Tensor::zeros([2])))];
//! let mut file = std::io::Cursor::new(Vec::new());
//! npz::write(arrays.iter().map(|(name, array)| (*name, array)), &mut file)?;
//! let read = npz::parse(file, "in memory")?;
//! assert_eq!((read["x"].clone(), read.len()), (arrays[0].1.clone(), 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A file is a ZIP archive in which each array is an `.npy` file, as `numpy.savez` (stored) and `numpy.savez_compressed`
//! (deflated) write it. The archive's directory is not believed: an array is read by the rules of [`npy`], so that what a
//! compressed one unfolds to is bounded by its own header and by [`npy::LIMIT`].

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::npy::{self, Array, NpyError};

/// The most arrays that are read from one file.
pub const MOST: usize = 1 << 16;

/// What can be wrong with an `.npz` file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpzError {
    /// The file cannot be opened, read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not a ZIP archive, or a damaged one.
    #[error("{}: not an .npz file: {problem}", path.display())]
    Archive {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// An array in it is damaged or of a kind that no tensor holds; its path is that of the archive and its name in it.
    #[error(transparent)]
    Array(#[from] NpyError),
    /// Two arrays of one name.
    #[error("{}: two arrays are named \"{name}\"", path.display())]
    Duplicate {
        /// The file.
        path: PathBuf,
        /// The name.
        name: String,
    },
}

/// The arrays in a file, by name.
///
/// # Errors
/// See [`NpzError`].
pub fn read(path: impl AsRef<Path>) -> Result<BTreeMap<String, Array>, NpzError> {
    let path = path.as_ref();
    let file = File::open(path).map_err(|source| NpzError::Io { path: path.into(), source })?;
    parse(BufReader::new(file), path)
}

/// The arrays in a stream, by name; `path` stands for the file in errors.
///
/// # Errors
/// See [`NpzError`].
pub fn parse(stream: impl Read + Seek, path: impl AsRef<Path>) -> Result<BTreeMap<String, Array>, NpzError> {
    let path = path.as_ref();
    let archive_error = |error: ZipError| match error {
        ZipError::Io(source) => NpzError::Io { path: path.into(), source },
        other => NpzError::Archive { path: path.into(), problem: other.to_string() },
    };
    let mut archive = ZipArchive::new(stream).map_err(archive_error)?;
    if archive.len() > MOST {
        let problem = format!("{} arrays, expected at most {MOST}", archive.len());
        return Err(NpzError::Archive { path: path.into(), problem });
    }
    let mut arrays = BTreeMap::new();
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(archive_error)?;
        let file = entry.name().to_string();
        let name = file.strip_suffix(".npy").unwrap_or(&file).to_string();
        let array = npy::parse(entry, path.join(&file))?;
        if arrays.insert(name.clone(), array).is_some() {
            return Err(NpzError::Duplicate { path: path.into(), name });
        }
    }
    Ok(arrays)
}

/// Writes arrays under their names, not compressed, as `numpy.savez` does.
///
/// # Errors
/// If writing fails, or a name is given twice.
pub fn write<'a>(
    arrays: impl IntoIterator<Item = (&'a str, &'a Array)>,
    stream: impl Write + Seek,
) -> io::Result<()> {
    // A fixed time, so that the same arrays are the same bytes.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default())
        .large_file(true);
    let mut archive = ZipWriter::new(stream);
    for (name, array) in arrays {
        archive.start_file(format!("{name}.npy"), options).map_err(io::Error::other)?;
        npy::write(array, &mut archive)?;
    }
    archive.finish().map_err(io::Error::other)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use wengert_autograd::tensor::Tensor;

    use super::*;

    fn written() -> Vec<u8> {
        let x = Array::F32(Tensor::from_fn([2, 3], |i| (3 * i[0] + i[1]) as f32));
        let mut file = Cursor::new(Vec::new());
        write([("x", &x), ("flags", &Array::Bool(Tensor::zeros([4])))], &mut file).expect("to memory");
        file.into_inner()
    }

    #[test]
    fn a_compressed_archive() {
        let mut file = Cursor::new(Vec::new());
        let mut archive = ZipWriter::new(&mut file);
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        archive.start_file("weights.npy", options).expect("to memory");
        let zeros = Array::F64(Tensor::zeros([1000, 10]));
        npy::write(&zeros, &mut archive).expect("to memory");
        archive.finish().expect("to memory");
        assert!(file.get_ref().len() < 2000);
        assert_eq!(parse(file, "x.npz").expect("valid")["weights"], zeros);
    }

    #[test]
    fn damaged_files_are_refused() {
        let whole = written();
        assert_eq!(parse(Cursor::new(&whole), "x").expect("valid").len(), 2);
        for length in 0..whole.len() {
            parse(Cursor::new(&whole[..length]), "x.npz").expect_err("cut off");
        }
        let mut flipped = whole.clone();
        let at = whole.windows(4).position(|bytes| bytes == [0, 0, 128, 63]).expect("the element 1");
        flipped[at] ^= 1;
        let message = parse(Cursor::new(&flipped), "x.npz").expect_err("a wrong checksum").to_string();
        assert!(message.contains("x.npz/x.npy") && message.to_lowercase().contains("checksum"), "{message}");
        let message = parse(Cursor::new(b"PKnothing".to_vec()), "x.npz").expect_err("no archive").to_string();
        assert!(message.starts_with("x.npz: not an .npz file"), "{message}");
    }

    #[test]
    fn the_same_arrays_are_the_same_bytes() {
        assert_eq!(written(), written());
    }
}
