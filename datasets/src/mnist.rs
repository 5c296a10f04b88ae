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
const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// What can be wrong with a folder of images.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MnistError {
    /// A file of the set is not there.
    #[error("{}: no file {file}, plain or with .gz; the folder must hold {}", folder.display(), FILES.join(", "))]
    Missing {
        /// The folder that was searched.
        folder: PathBuf,
        /// The file's name, without `.gz`.
        file: &'static str,
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
        let folder = folder.as_ref();
        let find = |file: &'static str| {
            let candidates = [folder.join(file), folder.join(format!("{file}.gz"))];
            let missing = || MnistError::Missing { folder: folder.into(), file };
            candidates.into_iter().find(|path| path.is_file()).ok_or_else(missing)
        };
        let [train_images, train_labels, test_images, test_labels] = FILES.map(find);
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
