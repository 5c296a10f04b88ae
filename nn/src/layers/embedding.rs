//! Vectors for whole numbers.

use crate::{Init, Layer, Module};
use wengert_autograd::{Float, Tensor, Variable, embedding, no_grad};

/// A vector for each of `entries` numbers: from `[…]` of i64 to `[…, size]`.
///
/// `weight` has the shape `[entries, size]` and is drawn from the standard normal distribution.
///
/// ```
/// use wengert_autograd::tensor;
/// use wengert_nn::{Embedding, Layer};
///
/// let layer = Embedding::new(1000, 16).padding_idx(0);
/// let vectors = layer.forward(&tensor![[5, 7, 0], [1, 0, 0]]);
/// assert_eq!(vectors.shape(), [2, 3, 16]);
/// ```
#[derive(Clone, Debug, Module)]
#[module(crate = crate)]
pub struct Embedding<T: Float = f32> {
    /// `[entries, size]`.
    pub weight: Variable<T>,
    #[module(skip)]
    padding_idx: Option<usize>,
}

impl Embedding {
    /// A layer of f32 with a vector of `size` numbers for each of `entries`.
    pub fn new(entries: usize, size: usize) -> Self {
        Embedding::typed(entries, size)
    }
}

impl<T: Float> Embedding<T> {
    /// A layer of any number type.
    pub fn typed(entries: usize, size: usize) -> Self {
        let weight = Init::Normal { mean: 0.0, std: 1.0 }.parameter([entries, size]);
        Embedding { weight, padding_idx: None }
    }

    /// A layer with these vectors, `[entries, size]`, such as ones learned elsewhere. Freeze them with
    /// [`requires_grad_`](Module::requires_grad_).
    ///
    /// # Panics
    /// If there are not two axes.
    #[track_caller]
    pub fn from_pretrained(vectors: Tensor<T>) -> Self {
        assert!(vectors.rank() == 2, "Embedding: [entries, size] wanted, not {:?}", vectors.shape());
        Embedding { weight: Variable::parameter(vectors), padding_idx: None }
    }

    /// The number that fills up short rows: its vector is zero and stays so, since it gets no gradient.
    ///
    /// # Panics
    /// If there is no such entry.
    #[must_use]
    #[track_caller]
    pub fn padding_idx(mut self, index: usize) -> Self {
        let (entries, size) = (self.weight.shape()[0], self.weight.shape()[1]);
        assert!(index < entries, "Embedding: padding_idx {index} is not one of {entries} entries");
        let mut weight = self.weight.value();
        weight.make_mut()[index * size..(index + 1) * size].fill(T::zero());
        self.weight.set(weight);
        self.padding_idx = Some(index);
        self
    }
}

impl<T: Float> Layer<Tensor<i64>> for Embedding<T> {
    type Output = Variable<T>;
    #[track_caller]
    fn forward(&self, input: &Tensor<i64>) -> Variable<T> {
        embedding(input, &self.weight, self.padding_idx)
    }
}

/// What becomes of the vectors of a bag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BagMode {
    /// Their sum.
    Sum,
    /// Their mean.
    #[default]
    Mean,
    /// The greatest number at each place.
    Max,
}

/// The sum, mean or maximum of the vectors of each row of numbers: from `[N, L]` of i64 to `[N, size]`.
///
/// `weight` as in [`Embedding`]. Entries that are `padding_idx` do not count, also not in the mean. A bag of
/// nothing else is 0.
///
/// ```
/// use wengert_autograd::tensor;
/// use wengert_nn::{EmbeddingBag, Layer};
///
/// let layer = EmbeddingBag::new(10, 4);
/// assert_eq!(layer.forward(&tensor![[1, 2, 3], [4, 4, 4]]).shape(), [2, 4]);
/// ```
#[derive(Clone, Debug, Module)]
#[module(crate = crate)]
pub struct EmbeddingBag<T: Float = f32> {
    /// `[entries, size]`.
    pub weight: Variable<T>,
    #[module(skip)]
    mode: BagMode,
    #[module(skip)]
    padding_idx: Option<usize>,
}

impl EmbeddingBag {
    /// A layer of f32 with a vector of `size` numbers for each of `entries`.
    pub fn new(entries: usize, size: usize) -> Self {
        EmbeddingBag::typed(entries, size)
    }
}

impl<T: Float> EmbeddingBag<T> {
    /// A layer of any number type.
    pub fn typed(entries: usize, size: usize) -> Self {
        let weight = Init::Normal { mean: 0.0, std: 1.0 }.parameter([entries, size]);
        EmbeddingBag { weight, mode: BagMode::default(), padding_idx: None }
    }

    /// What becomes of the vectors of a bag.
    #[must_use]
    pub fn mode(mut self, mode: BagMode) -> Self {
        self.mode = mode;
        self
    }

    /// The number that fills up short rows.
    #[must_use]
    pub fn padding_idx(mut self, index: usize) -> Self {
        self.padding_idx = Some(index);
        self
    }
}

impl<T: Float> Layer<Tensor<i64>> for EmbeddingBag<T> {
    type Output = Variable<T>;
    #[track_caller]
    fn forward(&self, input: &Tensor<i64>) -> Variable<T> {
        assert!(input.rank() == 2, "EmbeddingBag: [N, L] wanted, not {:?}", input.shape());
        let vectors = embedding(input, &self.weight, self.padding_idx);
        let padding = self.padding_idx.map(|index| index as i64);
        let counted = input.map(|index| Some(index) != padding);
        if self.mode == BagMode::Max {
            let masked = vectors.masked_fill(&counted.logical_not().unsqueeze(-1), f64::NEG_INFINITY);
            let empty = counted.any_axis(1, true).logical_not();
            return masked.max_axis(1, false).0.masked_fill(&empty, 0.0);
        }
        let counts = Variable::new(counted.cast::<T>());
        let sum = (vectors * counts.unsqueeze(-1)).sum_axes(1, false);
        if self.mode == BagMode::Sum {
            return sum;
        }
        let counts = no_grad(|| counts.sum_axes(1, true)).value().map(|count| count.max(T::one()));
        sum / Variable::new(counts)
    }
}
