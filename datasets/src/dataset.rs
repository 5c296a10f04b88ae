//! Data sets: items by index, and how items become a batch.
//!
//! ```
//! use wengert_datasets::Dataset;
//!
//! let set = vec![(1.0_f32, 3_i64), (0.5, 1), (2.0, 7)];
//! let (x, labels) = set.batch(&[2, 0]);
//! assert_eq!(x.value().to_vec(), [2.0, 1.0]);
//! assert_eq!(labels.to_vec(), [7, 3]);
//! ```
//!
//! A set of one's own says how many items it has and gives one of them; the type of the item decides what a batch of
//! them is ([`Collate`]): numbers become a tensor (a `Variable` if they are floating-point numbers, ready for a model), tensors are stacked, tuples become tuples of batches. A set that can
//! make a batch faster than item by item, as tensors can, overrides [`Dataset::batch`].

use std::sync::Arc;

use wengert_autograd::tensor::{Element, Tensor};
use wengert_autograd::{Float, Variable};

use crate::DataLoader;

/// What a batch of the items of `D` is.
pub type BatchOf<D> = <<D as Dataset>::Item as Collate>::Batch;

/// A finite collection of items, each found by its index.
///
/// ```
/// use wengert_datasets::Dataset;
///
/// /// Numbers and their squares.
/// struct Squares(usize);
///
/// impl Dataset for Squares {
///     type Item = (f32, f32);
///     fn len(&self) -> usize {
///         self.0
///     }
///     fn get(&self, index: usize) -> (f32, f32) {
///         let x = index as f32;
///         (x, x * x)
///     }
/// }
///
/// let (x, y) = Squares(10).batch(&[1, 2, 3]);
/// assert_eq!((x.shape().to_vec(), y.value().to_vec()), (vec![3], vec![1.0, 4.0, 9.0]));
/// ```
///
/// A set is shared by the threads that prefetch batches, hence `Send + Sync + 'static`.
pub trait Dataset: Send + Sync + 'static {
    /// One item.
    type Item: Collate;

    /// How many items there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One item.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Self::len).
    fn get(&self, index: usize) -> Self::Item;

    /// The items at these indices, in this order, as one batch.
    ///
    /// # Panics
    /// If an index is not below [`len`](Self::len).
    fn batch(&self, indices: &[usize]) -> BatchOf<Self>
    where
        Self: Sized,
    {
        Collate::collate(indices.iter().map(|&index| self.get(index)).collect())
    }

    /// A loader of this set: one item a batch, in order, until it is told otherwise.
    fn loader(self) -> DataLoader<Self>
    where
        Self: Sized,
    {
        DataLoader::new(self)
    }

    /// The items at these indices, as a set of their own.
    ///
    /// # Panics
    /// If an index is not below [`len`](Self::len).
    #[track_caller]
    fn subset(self, indices: impl Into<Vec<usize>>) -> Subset<Self>
    where
        Self: Sized,
    {
        Subset::new(self, indices)
    }

    /// The set whose items are `function` of this one's, computed whenever they are asked for.
    fn map<T: Collate, F: Fn(Self::Item) -> T + Send + Sync + 'static>(self, function: F) -> Map<Self, F>
    where
        Self: Sized,
    {
        Map { set: self, function }
    }
}

/// How items of a type become one batch.
///
/// | item | batch of n |
/// |---|---|
/// | `f32`, `f64` | a `Variable` of shape \[n\] |
/// | `i64`, `u8`, `bool` | a `Tensor` of shape \[n\] |
/// | a `Tensor` of shape S | a `Variable` or `Tensor`, as above, of shape \[n, S\] |
/// | `String`, `Vec<T>`, `Option<T>`, `Arc<T>` | a `Vec` of them |
/// | a tuple of two to four | the tuple of their batches |
///
/// A structure of one's own says it by this trait, mostly by collating its fields:
///
/// ```
/// use wengert_autograd::{Variable, tensor::Tensor};
/// use wengert_datasets::{Collate, Dataset};
///
/// #[derive(Clone)]
/// struct Patient { age: f32, blood: Tensor<f32>, ill: bool }
/// struct Patients { age: Variable, blood: Variable, ill: Tensor<bool> }
///
/// impl Collate for Patient {
///     type Batch = Patients;
///     fn collate(items: Vec<Patient>) -> Patients {
///         let fields = items.into_iter().map(|patient| (patient.age, patient.blood, patient.ill));
///         let (age, blood, ill) = Collate::collate(fields.collect());
///         Patients { age, blood, ill }
///     }
/// }
///
/// let set = vec![Patient { age: 61.0, blood: Tensor::zeros([4]), ill: true }; 10];
/// let batch = set.loader().batch_size(3).into_iter().next().unwrap();
/// assert_eq!((batch.age.len(), batch.blood.shape().to_vec(), batch.ill.len()), (3, vec![3, 4], 3));
/// ```
pub trait Collate: Sized {
    /// The batch.
    type Batch: Send + 'static;

    /// One batch of these items.
    ///
    /// # Panics
    /// If they do not fit together: tensors of different shapes.
    fn collate(items: Vec<Self>) -> Self::Batch;
}

/// How many items a batch has: a tensor's first axis, a list's length, that of a tuple's first part.
pub trait BatchSize {
    /// The number of items.
    fn batch_size(&self) -> usize;
}

impl<E: Element> BatchSize for Tensor<E> {
    fn batch_size(&self) -> usize {
        self.shape().first().copied().unwrap_or(1)
    }
}

impl<T: Float> BatchSize for Variable<T> {
    fn batch_size(&self) -> usize {
        self.shape().first().copied().unwrap_or(1)
    }
}

impl<T> BatchSize for Vec<T> {
    fn batch_size(&self) -> usize {
        self.len()
    }
}

macro_rules! batch_size_of_tuples {
    ($(($first:ident $($rest:ident)*)),*) => {$(
        impl<$first: BatchSize, $($rest),*> BatchSize for ($first, $($rest),*) {
            fn batch_size(&self) -> usize {
                self.0.batch_size()
            }
        }
    )*};
}
batch_size_of_tuples!((A B), (A B C), (A B C D));

/// What a batch of elements is: a `Variable` if a model can take its derivative, a `Tensor` if not.
pub trait BatchElement: Element {
    /// The batch.
    type Batch: Send + 'static;

    /// A tensor as a batch.
    fn batch(tensor: Tensor<Self>) -> Self::Batch;
}

impl<E: BatchElement> Collate for Tensor<E> {
    type Batch = E::Batch;

    fn collate(items: Vec<Self>) -> E::Batch {
        E::batch(Tensor::stack(&items, 0))
    }
}

macro_rules! batch_elements {
    ($($number:ty => $batch:ident :: $make:ident),*) => {$(
        impl BatchElement for $number {
            type Batch = $batch<$number>;

            fn batch(tensor: Tensor<$number>) -> Self::Batch {
                $batch::$make(tensor)
            }
        }

        impl Collate for $number {
            type Batch = $batch<$number>;

            fn collate(items: Vec<Self>) -> Self::Batch {
                let len = items.len();
                Self::batch(Tensor::from_vec(items, [len]).expect("the shape is the number of items"))
            }
        }
    )*};
}
batch_elements!(f32 => Variable::new, f64 => Variable::new, i64 => Tensor::from, u8 => Tensor::from, bool => Tensor::from);

macro_rules! collate_as_list {
    ($([$($parameter:ident)?] $item:ty),*) => {$(
        impl$(<$parameter: Send + Sync + 'static>)? Collate for $item {
            type Batch = Vec<$item>;

            fn collate(items: Vec<Self>) -> Self::Batch {
                items
            }
        }
    )*};
}
collate_as_list!([] String, [T] Vec<T>, [T] Option<T>, [T] Arc<T>);

macro_rules! collate_tuples {
    ($(($($item:ident $list:ident),*)),*) => {$(
        impl<$($item: Collate),*> Collate for ($($item,)*) {
            type Batch = ($($item::Batch,)*);

            fn collate(items: Vec<Self>) -> Self::Batch {
                $(let mut $list = Vec::with_capacity(items.len());)*
                #[allow(non_snake_case)] // the types' names stand for the values
                for ($($item,)*) in items {
                    $($list.push($item);)*
                }
                ($($item::collate($list),)*)
            }
        }
    )*};
}
collate_tuples!((A a, B b), (A a, B b, C c), (A a, B b, C c, D d));

/// A part of another set, or the same in another order.
///
/// ```
/// use wengert_autograd::tensor::Tensor;
/// use wengert_datasets::{Dataset, TensorDataset};
///
/// let letters = TensorDataset::new(Tensor::<i64>::arange(0, 26, 1)).subset([2, 0, 19]);
/// assert_eq!(letters.batch(&[0, 2]).to_vec(), [2, 19]);
/// ```
#[derive(Clone, Debug)]
pub struct Subset<D> {
    set: D,
    indices: Arc<[usize]>,
}

impl<D: Dataset> Subset<D> {
    /// The items of `set` at these indices.
    ///
    /// # Panics
    /// If an index is not below the length of the set.
    #[track_caller]
    pub fn new(set: D, indices: impl Into<Vec<usize>>) -> Subset<D> {
        let indices = indices.into();
        if let Some(index) = indices.iter().find(|&&index| index >= set.len()) {
            panic!("subset: index {index} is out of range for a set of {} items", set.len());
        }
        Subset { set, indices: indices.into() }
    }

    /// Where the items lie in the other set.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }
}

impl<D: Dataset> Dataset for Subset<D> {
    type Item = D::Item;

    fn len(&self) -> usize {
        self.indices.len()
    }

    fn get(&self, index: usize) -> D::Item {
        self.set.get(self.indices[index])
    }

    fn batch(&self, indices: &[usize]) -> BatchOf<D> {
        let indices: Vec<usize> = indices.iter().map(|&index| self.indices[index]).collect();
        self.set.batch(&indices)
    }
}

/// Another set's items, passed through a function; made by [`Dataset::map`].
#[derive(Clone, Debug)]
pub struct Map<D, F> {
    set: D,
    function: F,
}

impl<D: Dataset, T: Collate, F: Fn(D::Item) -> T + Send + Sync + 'static> Dataset for Map<D, F> {
    type Item = T;

    fn len(&self) -> usize {
        self.set.len()
    }

    fn get(&self, index: usize) -> T {
        (self.function)(self.set.get(index))
    }
}

/// The items of a list, cloned.
impl<T: Collate + Clone + Send + Sync + 'static> Dataset for Vec<T> {
    type Item = T;

    fn len(&self) -> usize {
        self.as_slice().len()
    }

    fn get(&self, index: usize) -> T {
        self[index].clone()
    }
}

/// The same set, shared.
impl<D: Dataset> Dataset for Arc<D> {
    type Item = D::Item;

    fn len(&self) -> usize {
        D::len(self)
    }

    fn get(&self, index: usize) -> D::Item {
        D::get(self, index)
    }

    fn batch(&self, indices: &[usize]) -> BatchOf<D> {
        D::batch(self, indices)
    }
}
