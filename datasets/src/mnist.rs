//! MNIST, and any set of grey images that is stored as it is: Fashion-MNIST, KMNIST, EMNIST.
//!
//! ```
//! use wengert_datasets::{Dataset, Mnist};
//!
//! # fn main() -> Result<(), wengert_datasets::MnistError> {
//! let mnist = Mnist::bundled()?;
//! assert_eq!(mnist.train().images().shape(), [60_000, 28, 28]);
//! let (images, labels) = mnist.test().batch(&[0, 1, 2]);
//! assert_eq!(images.shape().to_vec(), [3, 784]);
//! assert_eq!(labels.to_vec(), [7, 2, 1]);
//! # Ok(())
//! # }
//! ```
//!
//! Images stay bytes until a batch is made of them, a quarter of the memory (and of the memory traffic) of `f32`; the
//! division by 255 costs nothing beside the gathering.

use std::path::{Path, PathBuf};

use wengert_autograd::Variable;
use wengert_autograd::tensor::{Dims, Tensor};

use crate::dataset::{BatchOf, Dataset};
use crate::idx::{self, IdxError};

/// The four files that make up a set, in the order training images and labels, test images and labels.
fn files(prefix: &str, test: &str) -> [String; 4] {
    [("train", "images-idx3"), ("train", "labels-idx1"), (test, "images-idx3"), (test, "labels-idx1")]
        .map(|(part, content)| format!("{prefix}{part}-{content}-ubyte"))
}

/// What can be wrong with a folder of images.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MnistError {
    /// A file of the set is not there.
    #[error("{}: no file {file}, plain or with .gz; the folder must hold {}", folder.display(), all.join(", "))]
    Missing {
        /// The folder that was searched.
        folder: PathBuf,
        /// The file's name, without `.gz`.
        file: String,
        /// The names of all files that must be there.
        all: Vec<String>,
    },
    /// A file is not a valid IDX file.
    #[error(transparent)]
    Idx(#[from] IdxError),
    /// A valid array of another form than expected.
    #[error("{}: an array of shape {shape:?}, expected {expected}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The array's shape.
        shape: Vec<usize>,
        /// What the shape should be, in words.
        expected: &'static str,
    },
    /// There are not as many labels as images.
    #[error("{} images in {}, but {} labels in {}", images.1, images.0.display(), labels.1, labels.0.display())]
    Counts {
        /// The file of images, and how many it holds.
        images: (PathBuf, usize),
        /// The file of labels, and how many it holds.
        labels: (PathBuf, usize),
    },
}

/// A training set and a test set of labelled images.
#[derive(Clone, Debug)]
pub struct Mnist {
    train: LabelledImages,
    test: LabelledImages,
}

impl Mnist {
    /// The handwritten digits of LeCun, Cortes and Burges, from the files beside this crate's source: 60 000 and 10 000
    /// images of 28 × 28, labels 0 to 9. Licence CC BY-SA 3.0; see `data/README.md`.
    ///
    /// # Errors
    /// A package from a registry has no data: then the error names the folder where the files should be. Use
    /// [`load`](Self::load) with a folder of your own.
    pub fn bundled() -> Result<Mnist, MnistError> {
        Mnist::load(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist"))
    }

    /// The set in a folder that holds `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`
    /// and `t10k-labels-idx1-ubyte`, each plain or with `.gz`. Numbers and sizes of the images are what the files say.
    ///
    /// # Errors
    /// If a file is missing or not valid, or the counts of images and labels differ.
    pub fn load(folder: impl AsRef<Path>) -> Result<Mnist, MnistError> {
        Mnist::load_files(folder.as_ref(), &files("", "t10k"))
    }

    /// A part of EMNIST (Cohen, Afshar, Tapson, van Schaik, "EMNIST: an extension of MNIST to handwritten letters", 2017)
    /// in a folder that holds `emnist-letters-train-images-idx3-ubyte` and so on, each plain or with `.gz`.
    ///
    /// The files hold each image with rows and columns exchanged; here they are the right way round, as in MNIST. Labels
    /// are those of the files: for the letters 1 to 26, and no 0.
    ///
    /// # Errors
    /// If a file is missing or not valid, or the counts of images and labels differ.
    pub fn load_emnist(folder: impl AsRef<Path>, part: Emnist) -> Result<Mnist, MnistError> {
        let prefix = format!("emnist-{}-", part.name());
        let Mnist { train, test } = Mnist::load_files(folder.as_ref(), &files(&prefix, "test"))?;
        Ok(Mnist { train: train.transposed(), test: test.transposed() })
    }

    fn load_files(folder: &Path, files: &[String; 4]) -> Result<Mnist, MnistError> {
        let find = |file: &String| {
            let candidates = [folder.join(file), folder.join(format!("{file}.gz"))];
            let missing =
                || MnistError::Missing { folder: folder.into(), file: file.clone(), all: files.to_vec() };
            candidates.into_iter().find(|path| path.is_file()).ok_or_else(missing)
        };
        let [train_images, train_labels, test_images, test_labels] = files.each_ref().map(find);
        Ok(Mnist {
            train: LabelledImages::load(train_images?, train_labels?)?,
            test: LabelledImages::load(test_images?, test_labels?)?,
        })
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

/// The parts of EMNIST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emnist {
    /// 62 classes of unequal size: digits, capital and small letters.
    ByClass,
    /// 47 classes: letters whose capital and small forms look alike are one.
    ByMerge,
    /// 47 classes of equal size.
    Balanced,
    /// 26 letters.
    Letters,
    /// 10 digits.
    Digits,
    /// 10 digits, as many as in MNIST.
    Mnist,
}

impl Emnist {
    fn name(self) -> &'static str {
        match self {
            Emnist::ByClass => "byclass",
            Emnist::ByMerge => "bymerge",
            Emnist::Balanced => "balanced",
            Emnist::Letters => "letters",
            Emnist::Digits => "digits",
            Emnist::Mnist => "mnist",
        }
    }
}

/// Images with a label each. As a [`Dataset`] its items are the image as `f32` between 0 and 1, of shape
/// \[rows·columns\] (grey) or \[channels, rows, columns\] (in colour), and the label; a clone shares the memory.
#[derive(Clone, Debug)]
pub struct LabelledImages {
    images: Tensor<u8>,
    labels: Tensor<i64>,
    classes: usize,
    /// The shape of an item.
    item: Dims,
}

impl LabelledImages {
    /// As many bytes for each item as `item` has elements, row by row.
    pub(crate) fn new(
        images: Tensor<u8>,
        labels: Tensor<i64>,
        classes: usize,
        item: &[usize],
    ) -> LabelledImages {
        LabelledImages {
            images: images.contiguous(),
            labels: labels.contiguous(),
            classes,
            item: Dims::new(item),
        }
    }

    /// The images and labels in two IDX files, plain or gzip.
    ///
    /// # Errors
    /// If a file is not valid, or the counts differ.
    pub fn load(images: impl AsRef<Path>, labels: impl AsRef<Path>) -> Result<LabelledImages, MnistError> {
        let (images_path, labels_path) = (images.as_ref(), labels.as_ref());
        let images = idx::read(images_path)?;
        let labels = idx::read(labels_path)?;
        let shape_error = |path: &Path, shape: &[usize], expected| {
            Err(MnistError::Shape { path: path.into(), shape: shape.to_vec(), expected })
        };
        if images.rank() != 3 {
            return shape_error(images_path, images.shape(), "[images, rows, columns]");
        }
        if labels.rank() != 1 {
            return shape_error(labels_path, labels.shape(), "[labels]");
        }
        if images.shape()[0] != labels.shape()[0] {
            return Err(MnistError::Counts {
                images: (images_path.into(), images.shape()[0]),
                labels: (labels_path.into(), labels.shape()[0]),
            });
        }
        let classes = labels.iter().max().map_or(0, |label| usize::from(label) + 1);
        let pixels = images.shape()[1] * images.shape()[2];
        Ok(LabelledImages::new(images, labels.cast(), classes, &[pixels]))
    }

    /// The images, \[n, rows, columns\] or \[n, channels, rows, columns\].
    pub fn images(&self) -> &Tensor<u8> {
        &self.images
    }

    /// The labels, \[n\].
    pub fn labels(&self) -> &Tensor<i64> {
        &self.labels
    }

    /// The same with rows and columns of each image exchanged.
    #[must_use]
    pub fn transposed(&self) -> LabelledImages {
        LabelledImages { images: self.images.transpose(-2, -1).contiguous(), ..self.clone() }
    }

    /// How many classes there are: one more than the largest label, unless the format says it.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// All images between 0 and 1, \[n, …\] with the shape of an item.
    pub fn images_f32(&self) -> Tensor<f32> {
        self.images.map(unit).reshape(self.batch_shape(self.len()))
    }

    fn batch_shape(&self, items: usize) -> Dims {
        self.item.with_inserted(0, items)
    }
}

/// A byte as a number between 0 and 1.
fn unit(byte: u8) -> f32 {
    f32::from(byte) / 255.0
}

impl Dataset for LabelledImages {
    type Item = (Tensor<f32>, i64);

    fn len(&self) -> usize {
        self.labels.len()
    }

    fn get(&self, index: usize) -> (Tensor<f32>, i64) {
        let label = self.labels.select(0, index as isize).item();
        (self.images.select(0, index as isize).map(unit).reshape(self.item), label)
    }

    fn batch(&self, indices: &[usize]) -> BatchOf<Self> {
        let pixels = self.item.count();
        let mut images = Tensor::<f32>::zeros(self.batch_shape(indices.len()));
        let mut labels = Tensor::<i64>::zeros([indices.len()]);
        let bytes = self.images.as_slice().expect("made contiguous");
        let all_labels = self.labels.as_slice().expect("made contiguous");
        for (image, &index) in images.make_mut().chunks_exact_mut(pixels.max(1)).zip(indices) {
            for (to, &byte) in image.iter_mut().zip(&bytes[index * pixels..][..pixels]) {
                *to = unit(byte);
            }
        }
        for (label, &index) in labels.make_mut().iter_mut().zip(indices) {
            *label = all_labels[index];
        }
        (Variable::new(images), labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emnist_is_the_right_way_round() {
        let folder = std::env::temp_dir().join(format!("wengert-emnist-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let images = [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];
        let labels = [0, 0, 8, 1, 0, 0, 0, 1, 26];
        for part in ["train", "test"] {
            std::fs::write(folder.join(format!("emnist-letters-{part}-images-idx3-ubyte")), images)
                .expect("a file");
            std::fs::write(folder.join(format!("emnist-letters-{part}-labels-idx1-ubyte")), labels)
                .expect("a file");
        }
        let letters = Mnist::load_emnist(&folder, Emnist::Letters).expect("valid").train();
        let missing = Mnist::load_emnist(&folder, Emnist::Digits).expect_err("no digits").to_string();
        std::fs::remove_dir_all(&folder).expect("a temporary folder");
        assert_eq!(
            (letters.images().shape(), letters.images().to_vec()),
            (&[1, 3, 2][..], vec![1, 4, 2, 5, 3, 6])
        );
        assert_eq!((letters.labels().to_vec(), letters.classes()), (vec![26], 27));
        assert!(missing.contains("no file emnist-digits-train-images-idx3-ubyte"), "{missing}");
        assert!(missing.contains("emnist-digits-test-labels-idx1-ubyte"), "{missing}");
    }
}
