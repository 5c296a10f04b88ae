//! Comparisons and truth values: elementwise with broadcasting, and the questions whether any or all hold.
//!
//! ```
//! use wengert_autograd::tensor;
//! use wengert_autograd::tensor::Tensor;
//!
//! let x = tensor![[1.0, 5.0], [3.0, 2.0]];
//! let large = x.gt(2.5);
//! assert_eq!(large, tensor![[false, true], [true, false]]);
//! assert!(large.any() && !large.all());
//! assert_eq!(x.ge(&tensor![3.0, 2.0]).logical_not(), tensor![[true, false], [false, false]]);
//! ```
//!
//! The methods are named as in PyTorch. `x == y` is Rust's: whether shapes and all elements agree, one `bool`.

use std::mem::MaybeUninit;

use super::element::sealed::Convert;
use super::{Dims, Element, Fresh, Tensor, valid};
use crate::{
    kernel::finite::all_finite,
    scalar::{Float, float::compiled},
};

/// What an elementwise comparison takes on its right: a tensor, or one element for all.
pub trait Operand<E: Element> {
    /// The operand as a tensor.
    fn operand(self) -> Tensor<E>;
}

impl<E: Element> Operand<E> for E {
    fn operand(self) -> Tensor<E> {
        Tensor::scalar(self)
    }
}

impl<E: Element> Operand<E> for &Tensor<E> {
    fn operand(self) -> Tensor<E> {
        self.clone()
    }
}

impl<E: Element> Operand<E> for Tensor<E> {
    fn operand(self) -> Tensor<E> {
        self
    }
}

/// A relation between two elements; those with NaN are all false, but for `Differs`.
#[derive(Clone, Copy, Debug)]
pub enum Relation {
    /// Equal.
    Equals,
    /// Not equal.
    Differs,
    /// The first is less.
    Less,
    /// The first is less or equal.
    AtMost,
    /// The first is greater.
    More,
    /// The first is greater or equal.
    AtLeast,
}

/// Compares two rows, element by element; a row of one element is compared with all of the other.
pub(super) fn compare_rows<E: Element>(relation: Relation, a: &[E], b: &[E], to: &mut [MaybeUninit<bool>]) {
    match relation {
        Relation::Equals => zip_rows(a, b, to, |a, b| a == b),
        Relation::Differs => zip_rows(a, b, to, |a, b| a != b),
        Relation::Less => zip_rows(a, b, to, |a, b| a < b),
        Relation::AtMost => zip_rows(a, b, to, |a, b| a <= b),
        Relation::More => zip_rows(a, b, to, |a, b| a > b),
        Relation::AtLeast => zip_rows(a, b, to, |a, b| a >= b),
    }
}

#[inline(always)]
fn zip_rows<A: Copy, B: Copy, C>(a: &[A], b: &[B], to: &mut [MaybeUninit<C>], f: impl Fn(A, B) -> C) {
    let len = to.len();
    match (a, b) {
        (&[a], b) if b.len() == len => to.iter_mut().zip(b).for_each(|(to, &b)| _ = to.write(f(a, b))),
        (a, &[b]) if a.len() == len => to.iter_mut().zip(a).for_each(|(to, &a)| _ = to.write(f(a, b))),
        (a, b) => {
            let (a, b) = (&a[..len], &b[..len]);
            for i in 0..len {
                to[i].write(f(a[i], b[i]));
            }
        }
    }
}

/// Both operands ready for a pass over all elements of the shape they broadcast to: packed, or of one element.
#[track_caller]
fn aligned<A: Element, B: Element>(
    operation: &'static str,
    a: &Tensor<A>,
    b: &Tensor<B>,
) -> (Dims, Tensor<A>, Tensor<B>) {
    let shape = valid(a.sizes().broadcast(b.sizes(), operation));
    fn spread<E: Element>(x: &Tensor<E>, shape: Dims) -> Tensor<E> {
        if x.len() == 1 { x.contiguous() } else { x.expand(shape).contiguous() }
    }
    (shape, spread(a, shape), spread(b, shape))
}

impl<E: Element> Tensor<E> {
    /// `function` of the elements of both, which broadcast.
    #[track_caller]
    pub(super) fn zip<F: Element>(
        &self,
        operation: &'static str,
        other: &Tensor<E>,
        function: impl Fn(E, E) -> F,
    ) -> Tensor<F> {
        let (shape, a, b) = aligned(operation, self, other);
        let mut fresh = Fresh::new(shape);
        let rows = (a.as_slice().unwrap_or_default(), b.as_slice().unwrap_or_default());
        zip_rows(rows.0, rows.1, fresh.as_uninit_slice(), function);
        // SAFETY: `zip_rows` writes every element, or panics where the rows are shorter.
        unsafe { fresh.assume_init() }
    }

    #[track_caller]
    fn compared(&self, operation: &'static str, relation: Relation, other: &Tensor<E>) -> Tensor<bool> {
        let (shape, a, b) = aligned(operation, self, other);
        let mut fresh = Fresh::new(shape);
        let rows = (a.as_slice().unwrap_or_default(), b.as_slice().unwrap_or_default());
        E::compare(relation, rows.0, rows.1, fresh.as_uninit_slice());
        // SAFETY: `compare_rows` writes every element, or panics where the rows are shorter.
        unsafe { fresh.assume_init() }
    }

    /// Where both are equal.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn eq(&self, other: impl Operand<E>) -> Tensor<bool> {
        self.compared("eq", Relation::Equals, &other.operand())
    }

    /// Where both differ; NaN differs from everything.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn ne(&self, other: impl Operand<E>) -> Tensor<bool> {
        self.compared("ne", Relation::Differs, &other.operand())
    }

    /// Where this one is less.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn lt(&self, other: impl Operand<E>) -> Tensor<bool> {
        self.compared("lt", Relation::Less, &other.operand())
    }

    /// Where this one is less or equal.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn le(&self, other: impl Operand<E>) -> Tensor<bool> {
        self.compared("le", Relation::AtMost, &other.operand())
    }

    /// Where this one is greater.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn gt(&self, other: impl Operand<E>) -> Tensor<bool> {
        self.compared("gt", Relation::More, &other.operand())
    }

    /// Where this one is greater or equal.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn ge(&self, other: impl Operand<E>) -> Tensor<bool> {
        self.compared("ge", Relation::AtLeast, &other.operand())
    }

    /// Where an element is not a number.
    pub fn isnan(&self) -> Tensor<bool> {
        self.map(Convert::not_a_number)
    }

    /// Where an element is infinite, of either sign.
    pub fn isinf(&self) -> Tensor<bool> {
        self.map(|x| x.into_f64().is_infinite())
    }

    /// Where an element is neither infinite nor NaN.
    pub fn isfinite(&self) -> Tensor<bool> {
        self.map(|x| x.into_f64().is_finite())
    }

    /// This tensor's element where the mask holds, the other's elsewhere; all three broadcast.
    ///
    /// ```
    /// use wengert_autograd::tensor;
    /// let x = tensor![1, -2, 3];
    /// assert_eq!(x.where_(&x.gt(0), 0), tensor![1, 0, 3]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn where_(&self, mask: &Tensor<bool>, other: impl Operand<E>) -> Tensor<E> {
        let other = other.operand();
        let (shape, a, b) = aligned("where", self, &other);
        let shape = valid(mask.sizes().broadcast(&shape, "where"));
        let (mask, a, b) = (mask.expand(shape), a.expand(shape), b.expand(shape));
        let mut choices = mask.iter().zip(a.iter()).zip(b.iter());
        let mut fresh = Fresh::new(shape);
        for place in fresh.as_uninit_slice() {
            if let Some(((choice, a), b)) = choices.next() {
                place.write(if choice { a } else { b });
            }
        }
        // SAFETY: all three iterators give as many elements as the shape has.
        unsafe { fresh.assume_init() }
    }
}

impl<T: Float> Tensor<T> {
    /// Is no element infinite or NaN? One pass over memory, for checks in every training step.
    ///
    /// ```
    /// let x = wengert_autograd::tensor![1.0, 2.0];
    /// assert!(x.all_finite() && !(&x / 0.0).all_finite());
    /// ```
    pub fn all_finite(&self) -> bool {
        let x = self;
        compiled!(all_finite(x: &Tensor<T>) -> bool)
    }

    /// Where |self − other| ≤ `atol` + `rtol`·|other|, or both are the same infinity. NaN is close to nothing.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn isclose(&self, other: &Tensor<T>, rtol: f64, atol: f64) -> Tensor<bool> {
        let close = |a: T, b: T| {
            let (a, b) = (a.to_f64(), b.to_f64());
            a == b || (b.is_finite() && (a - b).abs() <= atol + rtol * b.abs())
        };
        self.zip("isclose", other, close)
    }

    /// Whether all elements are [close](Self::isclose).
    ///
    /// ```
    /// use wengert_autograd::tensor;
    /// assert!(tensor![1.0, 2.0].allclose(&tensor![1.0, 2.000_001], 1e-5, 0.0));
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn allclose(&self, other: &Tensor<T>, rtol: f64, atol: f64) -> bool {
        self.isclose(other, rtol, atol).all()
    }
}

impl Tensor<bool> {
    /// Where both hold.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn logical_and(&self, other: &Tensor<bool>) -> Tensor<bool> {
        self.zip("logical_and", other, |a, b| a & b)
    }

    /// Where at least one holds.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn logical_or(&self, other: &Tensor<bool>) -> Tensor<bool> {
        self.zip("logical_or", other, |a, b| a | b)
    }

    /// Where exactly one holds.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn logical_xor(&self, other: &Tensor<bool>) -> Tensor<bool> {
        self.zip("logical_xor", other, |a, b| a ^ b)
    }

    /// Where it does not hold.
    pub fn logical_not(&self) -> Tensor<bool> {
        self.map(|x| !x)
    }

    /// Whether any element holds; false where there are none.
    pub fn any(&self) -> bool {
        self.iter().any(|x| x)
    }

    /// Whether all elements hold; true where there are none.
    pub fn all(&self) -> bool {
        self.iter().all(|x| x)
    }

    /// Along an axis, whether any element holds.
    ///
    /// # Panics
    /// If the axis is out of range.
    #[track_caller]
    pub fn any_axis(&self, axis: isize, keepdim: bool) -> Tensor<bool> {
        self.fold_axis("any_axis", axis, keepdim, |lane| lane.contains(&true))
    }

    /// Along an axis, whether all elements hold.
    ///
    /// # Panics
    /// If the axis is out of range.
    #[track_caller]
    pub fn all_axis(&self, axis: isize, keepdim: bool) -> Tensor<bool> {
        self.fold_axis("all_axis", axis, keepdim, |lane| !lane.contains(&false))
    }

    /// How many elements hold.
    pub fn count_true(&self) -> usize {
        self.iter().filter(|&x| x).count()
    }
}

impl<E: Element> Tensor<E> {
    /// One value for each lane along an axis, which is removed or kept with size 1.
    #[track_caller]
    pub(super) fn fold_axis<F: Element>(
        &self,
        operation: &'static str,
        axis: isize,
        keepdim: bool,
        fold: impl Fn(&[E]) -> F,
    ) -> Tensor<F> {
        let axis = self.sizes().axis(operation, axis);
        let lanes = self.movedim(axis as isize, -1).contiguous();
        let data = lanes.as_slice().unwrap_or_default();
        let len = self.sizes()[axis];
        let shape = if keepdim { self.sizes().with(axis, 1) } else { self.sizes().without(axis) };
        let mut fresh = Fresh::new(shape);
        for (lane, place) in fresh.as_uninit_slice().iter_mut().enumerate() {
            place.write(fold(&data[lane * len..][..len]));
        }
        // SAFETY: the loop wrote every element.
        unsafe { fresh.assume_init() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor;

    #[test]
    fn comparisons_broadcast_and_nan_compares_with_nothing() {
        let x = tensor![1.0, f32::NAN, 3.0];
        assert_eq!(x.eq(&x), tensor![true, false, true]);
        assert_eq!(x.ne(&x), tensor![false, true, false]);
        assert_eq!(x.lt(3.0), tensor![true, false, false]);
        assert_eq!(x.le(3.0), tensor![true, false, true]);
        assert_eq!(x.gt(1.0), tensor![false, false, true]);
        assert_eq!(x.ge(1.0), tensor![true, false, true]);
        let column = tensor![[1], [2]];
        assert_eq!(column.lt(tensor![1, 2, 3]), tensor![[false, true, true], [false, false, true]]);
        assert_eq!(column.gt(tensor![1, 2, 3]), tensor![[false, false, false], [true, false, false]]);
        assert_eq!(Tensor::<u8>::zeros([0, 3]).eq(Tensor::zeros([1, 3])).shape(), [0, 3]);
        assert_eq!(Tensor::<u8>::zeros([0]).eq(1).shape(), [0]);
        assert_eq!(tensor![true, false].eq(true), tensor![true, false]);
        let error = std::panic::catch_unwind(|| tensor![1, 2].lt(tensor![1, 2, 3])).unwrap_err();
        let text = error.downcast_ref::<String>().unwrap();
        assert_eq!(text, "lt: shapes [2] and [3] do not broadcast: 2 against 3 on axis -1");
    }

    #[test]
    fn kinds_of_numbers() {
        let x = tensor![f64; 0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        assert_eq!(x.isnan(), tensor![false, true, false, false]);
        assert_eq!(x.isinf(), tensor![false, false, true, true]);
        assert_eq!(x.isfinite(), tensor![true, false, false, false]);
        assert!(tensor![i64::MAX, i64::MIN].isfinite().all());
    }

    #[test]
    fn truth_values_combine() {
        let (a, b) = (tensor![[true], [false]], tensor![true, false]);
        assert_eq!(a.logical_and(&b), tensor![[true, false], [false, false]]);
        assert_eq!(a.logical_or(&b), tensor![[true, true], [true, false]]);
        assert_eq!(a.logical_xor(&b), tensor![[false, true], [true, false]]);
        let x = a.logical_or(&b);
        assert_eq!(x.any_axis(0, false), tensor![true, true]);
        assert_eq!(x.all_axis(1, true), tensor![[true], [false]]);
        assert_eq!(x.count_true(), 3);
        let none = Tensor::<bool>::zeros([0, 2]);
        assert!(!none.any() && none.all());
        assert_eq!(none.all_axis(0, false), tensor![true, true]);
        assert_eq!(tensor![1, 2].where_(&a, tensor![[-1, -2]]), tensor![[1, 2], [-1, -2]]);
        assert_eq!(tensor!(1).where_(&b, 0), tensor![1, 0]);
    }
}
