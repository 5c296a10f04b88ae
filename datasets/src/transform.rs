//! Transforms: features on a common scale, images with random changes.
//!
//! ```
//! use wengert_autograd::tensor::{Generator, Tensor};
//! use wengert_datasets::Dataset;
//! use wengert_datasets::transform::{Compose, RandomCrop, RandomFlip, Standardizer, Transform};
//!
//! let train = Tensor::from_vec(vec![1.0_f32, 10.0, 3.0, 30.0], [2, 2]).unwrap();
//! let scale = Standardizer::fit(&train); // on the training part alone
//! assert_eq!(scale.apply(&train).to_vec(), [-1.0, -1.0, 1.0, 1.0]);
//!
//! let augment = Compose::new().then(RandomCrop { padding: 2 }).then(RandomFlip { probability: 0.5 });
//! let images: Vec<Tensor<f32>> = vec![Tensor::ones([1, 8, 8]); 20];
//! let loader = images.loader().batch_size(10).map_seeded(1, move |images, generator: &mut Generator| {
//!     augment.apply(images.value(), generator)
//! });
//! assert!((&loader).into_iter().all(|batch| batch.shape() == [10, 1, 8, 8]));
//! ```
//!
//! Labels become rows of zeros with a one by [`Tensor::one_hot`](wengert_autograd::tensor::Tensor::one_hot), categories of a
//! table by [`Table::features`](crate::table::Table::features).
//!
//! A scale is fitted on the training part and stored with the model (it is `Serialize`). Random changes take their numbers
//! from a generator that the loader derives from the seed, the epoch and the batch, one for each image: what happens to an
//! image does not depend on threads, nor on what happens to the others.

mod image;
mod mixup;
mod scale;

pub use image::{
    Compose, Cutout, Normalize, RandomAffine, RandomCrop, RandomErase, RandomFlip, RandomRotation, Transform,
};
pub use mixup::mixup;
pub use scale::{MinMax, Standardizer};
