//! Weights for rare classes.

use crate::{Float, Tensor};

/// A weight for each class, \[classes\], such that all classes weigh as much: n/(C·n_c) for n items, C classes, n_c items of
/// class c; 0 for a class without items. For [`CrossEntropyLoss::weight`](crate::loss::CrossEntropyLoss::weight). (King and
/// Zeng, "Logistic regression in rare events data", 2001; `class_weight="balanced"` of scikit-learn.)
///
/// ```
/// use wengert::{prelude::*, train::class_weights};
/// let weights: Tensor = class_weights(&tensor![0, 0, 0, 1], 2);
/// assert_eq!(weights.to_vec(), [4.0 / 6.0, 2.0]);
/// ```
///
/// # Panics
/// If a label is not below the number of classes.
#[track_caller]
pub fn class_weights<T: Float>(labels: &Tensor<i64>, classes: usize) -> Tensor<T> {
    let mut counts = vec![0usize; classes];
    for label in labels.iter() {
        assert!((0..classes as i64).contains(&label), "class_weights: label {label} of {classes} classes");
        counts[label as usize] += 1;
    }
    let weight = |&count: &usize| {
        let whole = labels.len() as f64 / (classes * count) as f64;
        T::from_f64(if count == 0 { 0.0 } else { whole })
    };
    Tensor::from_vec(counts.iter().map(weight).collect(), [classes]).expect("one weight a class")
}
