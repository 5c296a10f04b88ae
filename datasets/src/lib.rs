//! Data sets, readers and loaders for Wengert.
//!
//! ```
//! use wengert_datasets::{Dataset, Mnist};
//!
//! # fn main() -> Result<(), wengert_datasets::MnistError> {
//! let mnist = Mnist::bundled()?;
//! let loader = mnist.train().loader().batch_size(32).shuffle(0);
//! for (images, labels) in loader.into_iter().take(2) {
//!     assert_eq!((images.shape().to_vec(), labels.shape()), (vec![32, 784], &[32][..]));
//! }
//! # Ok(())
//! # }
//! ```
//!
//! - [`Dataset`]: items by index, and [`Collate`], how items become a batch; [`TensorDataset`], [`Subset`].
//! - [`DataLoader`]: batches, shuffled, sampled ([`sampler`]), prefetched, resumable; [`split`]: train and test, k folds.
//! - [`IterableDataset`]: items in an order of their own, and the loader of such a [`stream`].
//! - [`bundled`]: real data sets, one function each; [`Mnist`].
//! - Readers: [`idx`], [`Cifar`], [`table`] (CSV and TSV), [`npy`], [`npz`]. They trust nothing in a file, and their errors name the file, the place, and what was
//!   expected.
//! - [`text`]: tokenizers, padding; [`transform`]: common scales, augmentation; [`toy`]: generated problems.

#![forbid(unsafe_code)]

pub mod bundled;
mod cifar;
pub mod dataset;
pub mod idx;
mod loader;
mod mnist;
pub mod npy;
pub mod npz;
mod prefetch;
pub mod sampler;
mod source;
pub mod split;
pub mod stream;
pub mod table;
mod tensors;
pub mod text;
pub mod toy;
pub mod transform;

pub use cifar::{Cifar, CifarError};
pub use dataset::{BatchElement, BatchOf, BatchSize, Collate, Dataset, Map, Subset};
pub use loader::{Batches, DataLoader, Loader, Position};
pub use mnist::{Emnist, LabelledImages, Mnist, MnistError};
pub use stream::{IterableDataset, StreamLoader};
pub use tensors::{Columns, TensorDataset};
