//! CIFAR-10 and CIFAR-100 in their binary form.
//!
//! ```no_run
//! use wengert_datasets::{Cifar, Dataset};
//!
//! let cifar = Cifar::load_10("cifar-10-batches-bin")?;
//! let (images, labels) = cifar.train().batch(&[0, 1]);
//! assert_eq!(images.shape().to_vec(), [2, 3, 32, 32]);
//! # Ok::<(), wengert_datasets::CifarError>(())
//! ```
//!
//! A file is a row of records without a header: one label byte (CIFAR-100: a coarse one and a fine one), then 32 × 32 bytes
//! each of red, green and blue (<https://www.cs.toronto.edu/~kriz/cifar.html>, "binary version"). As no file says how long it
//! is, a record that is cut short and a label that does not exist are all that can be found wrong. The data are not bundled.

use std::io;
use std::path::{Path, PathBuf};

use wengert_autograd::tensor::Tensor;

use crate::mnist::LabelledImages;
use crate::source;

const PIXELS: usize = 3 * 32 * 32;
/// The largest file that is read, in bytes: twenty times the largest of the two sets.
const LIMIT: u64 = 20 * 50_000 * (PIXELS as u64 + 2);

/// What can be wrong with a CIFAR file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CifarError {
    /// The file cannot be opened, read or unpacked.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system or the decoder says.
        source: io::Error,
    },
    /// The file is empty or ends within a record.
    #[error("{}: {found} bytes, expected a multiple of {record}", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length.
        found: u64,
        /// The length of a record.
        record: usize,
    },
    /// More bytes than any such set has.
    #[error("{}: more than {LIMIT} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A label that the set does not have.
    #[error("{}, record {record}: label {label}, expected one below {classes}", path.display())]
    Label {
        /// The file.
        path: PathBuf,
        /// The record, counted from 0.
        record: usize,
        /// The label.
        label: u8,
        /// How many classes there are.
        classes: usize,
    },
}

/// A training set and a test set of small colour images. As a [`Dataset`](crate::Dataset) each has items of shape
/// \[3, 32, 32\] between 0 and 1, and a label.
#[derive(Clone, Debug)]
pub struct Cifar {
    train: LabelledImages,
    test: LabelledImages,
}

impl Cifar {
    /// CIFAR-10 from a folder with `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`: labels 0 to 9.
    ///
    /// # Errors
    /// See [`CifarError`].
    pub fn load_10(folder: impl AsRef<Path>) -> Result<Cifar, CifarError> {
        let folder = folder.as_ref();
        let train: Vec<PathBuf> = (1..=5).map(|part| folder.join(format!("data_batch_{part}.bin"))).collect();
        Ok(Cifar { train: read(&train, 1, 10)?, test: read(&[folder.join("test_batch.bin")], 1, 10)? })
    }

    /// CIFAR-100 from a folder with `train.bin` and `test.bin`: the fine labels, 0 to 99.
    ///
    /// # Errors
    /// See [`CifarError`].
    pub fn load_100(folder: impl AsRef<Path>) -> Result<Cifar, CifarError> {
        let folder = folder.as_ref();
        let part = |name: &str| read(&[folder.join(name)], 2, 100);
        Ok(Cifar { train: part("train.bin")?, test: part("test.bin")? })
    }

    /// The images to learn from.
    pub fn train(&self) -> LabelledImages {
        self.train.clone()
    }

    /// The images to be judged by.
    pub fn test(&self) -> LabelledImages {
        self.test.clone()
    }
}

/// The records of these files, one after the other; of several label bytes the last one counts.
fn read(paths: &[PathBuf], label_bytes: usize, classes: usize) -> Result<LabelledImages, CifarError> {
    let record = label_bytes + PIXELS;
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for path in paths {
        let failed = |source| CifarError::Io { path: path.clone(), source };
        let bytes =
            source::read_up_to(&mut source::open(path).map_err(failed)?, LIMIT + 1).map_err(failed)?;
        if bytes.len() as u64 > LIMIT {
            return Err(CifarError::TooLarge { path: path.clone() });
        }
        if bytes.is_empty() || bytes.len() % record != 0 {
            return Err(CifarError::Length { path: path.clone(), found: bytes.len() as u64, record });
        }
        for (number, image) in bytes.chunks_exact(record).enumerate() {
            let label = image[label_bytes - 1];
            if usize::from(label) >= classes {
                return Err(CifarError::Label { path: path.clone(), record: number, label, classes });
            }
            labels.push(i64::from(label));
            pixels.extend_from_slice(&image[label_bytes..]);
        }
    }
    let count = labels.len();
    let images = Tensor::from_vec(pixels, [count, 3, 32, 32]).expect("3072 bytes an image");
    let labels = Tensor::from_vec(labels, [count]).expect("a label an image");
    Ok(LabelledImages::new(images, labels, classes, &[3, 32, 32]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dataset;

    /// A file that is removed at the end.
    struct Temporary(PathBuf);

    impl Temporary {
        fn new(name: &str, bytes: &[u8]) -> Temporary {
            let path = std::env::temp_dir().join(format!("wengert-{}-cifar-{name}", std::process::id()));
            std::fs::write(&path, bytes).expect("a temporary file");
            Temporary(path)
        }
    }

    impl Drop for Temporary {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    fn record(labels: &[u8], first: u8) -> Vec<u8> {
        let mut bytes = labels.to_vec();
        bytes.extend((0..PIXELS).map(|i| first.wrapping_add((i / 1024) as u8)));
        bytes
    }

    #[test]
    fn records_of_several_files_follow_each_other() {
        let a = Temporary::new("a", &[record(&[7], 0), record(&[9], 51)].concat());
        let b = Temporary::new("b", &record(&[0], 100));
        let set = read(&[a.0.clone(), b.0.clone()], 1, 10).expect("valid");
        assert_eq!((set.len(), set.classes(), set.labels().to_vec()), (3, 10, vec![7, 9, 0]));
        let (images, labels) = set.batch(&[1]);
        assert_eq!((images.shape().to_vec(), labels.to_vec()), (vec![1, 3, 32, 32], vec![9]));
        assert_eq!(images.value().get(&[0, 0, 31, 31]), Some(0.2));
        assert_eq!(set.get(2).0.get(&[2, 0, 0]), Some(102.0 / 255.0));
        let fine = Temporary::new("fine", &record(&[200, 99], 0));
        assert_eq!(read(std::slice::from_ref(&fine.0), 2, 100).expect("valid").labels().to_vec(), [99]);
    }

    #[test]
    fn damaged_files_are_refused() {
        let short = Temporary::new("short", &record(&[1], 0)[1..]);
        let error = read(std::slice::from_ref(&short.0), 1, 10).expect_err("short");
        assert!(matches!(error, CifarError::Length { found: 3072, record: 3073, .. }), "{error}");
        let empty = Temporary::new("empty", &[]);
        assert!(matches!(
            read(std::slice::from_ref(&empty.0), 1, 10),
            Err(CifarError::Length { found: 0, .. })
        ));
        let label = Temporary::new("label", &[record(&[9], 0), record(&[10], 0)].concat());
        let error = read(std::slice::from_ref(&label.0), 1, 10).expect_err("label 10");
        assert!(matches!(error, CifarError::Label { record: 1, label: 10, .. }), "{error}");
        let error = Cifar::load_100("/nowhere").expect_err("no folder").to_string();
        assert!(error.starts_with("/nowhere/train.bin: "), "{error}");
    }
}
