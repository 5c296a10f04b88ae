//! Shapes and strides: up to seven sizes in a small array that is copied, never allocated.
//!
//! ```
//! use wengert_autograd::tensor::Dims;
//!
//! let a = Dims::new(&[4, 1, 3]);
//! assert_eq!(a, [4, 1, 3]);
//! assert_eq!(a.row_major_strides(), [3, 3, 1]);
//! assert_eq!(a.broadcast(&Dims::new(&[2, 3]), "add").unwrap(), [4, 2, 3]);
//! assert_eq!(format!("{a:?}"), "[4, 1, 3]");
//! ```
//!
//! Every operation makes several of these. A `Vec` would be an allocation each, and a small-vector type, which
//! must ask where its elements are and drop itself, costs 60 to 80 ns an operation; 64 plain bytes cost next to
//! nothing. Seven axes cover all that is common (batched 3-D convolution windows have seven); more is an error.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::error::{TensorError, valid};

/// The greatest number of axes that a tensor can have.
pub const MAX_RANK: usize = 7;

/// A short list of sizes: the shape of a tensor, or its strides in elements. Derefs to `[usize]`.
// The array beyond `rank` is kept zero.
#[derive(Clone, Copy, Eq, Default)]
pub struct Dims {
    rank: u8,
    sizes: [usize; MAX_RANK],
}

impl PartialEq for Dims {
    // Compared for every operand of every operation: a loop over the few sizes in use beats a call of `memcmp`.
    #[inline]
    fn eq(&self, other: &Dims) -> bool {
        let mut equal = self.rank == other.rank;
        for axis in 0..usize::from(self.rank) {
            equal &= self.sizes[axis] == other.sizes[axis];
        }
        equal
    }
}

impl std::hash::Hash for Dims {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_slice().hash(state);
    }
}

impl Dims {
    /// The list of these sizes.
    ///
    /// # Panics
    /// If there are more than [`MAX_RANK`].
    #[inline]
    #[track_caller]
    pub fn new(sizes: &[usize]) -> Dims {
        valid(Dims::try_new(sizes))
    }

    /// The list of these sizes; an error if there are more than [`MAX_RANK`].
    #[inline]
    pub fn try_new(sizes: &[usize]) -> Result<Dims, TensorError> {
        if sizes.len() > MAX_RANK {
            return Err(TensorError::Rank { shape: sizes.to_vec() });
        }
        let mut dims = Dims { rank: sizes.len() as u8, sizes: [0; MAX_RANK] };
        dims.sizes[..sizes.len()].copy_from_slice(sizes);
        Ok(dims)
    }

    /// `rank` times the same value.
    ///
    /// # Panics
    /// If `rank` exceeds [`MAX_RANK`].
    #[track_caller]
    pub fn filled(rank: usize, value: usize) -> Dims {
        if rank > MAX_RANK {
            TensorError::Rank { shape: vec![value; rank] }.raise();
        }
        let mut dims = Dims { rank: rank as u8, sizes: [0; MAX_RANK] };
        dims.sizes[..rank].fill(value);
        dims
    }

    /// The number of sizes.
    #[inline]
    pub fn rank(&self) -> usize {
        self.rank as usize
    }

    /// The sizes as a slice.
    #[inline]
    pub fn as_slice(&self) -> &[usize] {
        self
    }

    /// The product of the sizes: how many elements a tensor of this shape has (1 for the empty list). Only shapes
    /// that passed [`checked_count`](Self::checked_count), as every tensor's has, are sure not to overflow.
    #[inline]
    pub fn count(&self) -> usize {
        self.iter().fold(1, |count: usize, &size| count.wrapping_mul(size))
    }

    /// The product of the sizes, or an error if that many elements of `width` bytes cannot be addressed. Sizes of
    /// zero count as one in that test, so that strides are safe to compute also for empty shapes.
    #[inline]
    pub fn checked_count(&self, width: usize) -> Result<usize, TensorError> {
        let mut bytes = Some(width);
        for &size in self.iter() {
            bytes = bytes.and_then(|bytes| bytes.checked_mul(size.max(1)));
        }
        match bytes {
            Some(bytes) if bytes <= isize::MAX as usize / 2 => Ok(self.count()),
            _ => Err(TensorError::TooLarge { shape: self.to_vec() }),
        }
    }

    /// The strides of a packed tensor of this shape: the last axis has stride 1, each other the product of the
    /// sizes behind it (a size of zero counts as one).
    #[inline]
    pub fn row_major_strides(&self) -> Dims {
        let mut strides = *self;
        let mut step = 1_usize;
        for axis in (0..self.rank()).rev() {
            strides[axis] = step;
            step = step.wrapping_mul(self[axis].max(1));
        }
        strides
    }

    /// The shape to which both shapes broadcast: aligned at the last axis, sizes agree or one of them is 1.
    pub fn broadcast(&self, other: &Dims, operation: &'static str) -> Result<Dims, TensorError> {
        let (long, short) = if self.rank >= other.rank { (self, other) } else { (other, self) };
        let mut shape = *long;
        let lead = long.rank() - short.rank();
        for axis in (0..short.rank()).rev() {
            let (a, b) = (long[lead + axis], short[axis]);
            shape[lead + axis] = match (a, b) {
                _ if a == b => a,
                (1, b) => b,
                (a, 1) => a,
                _ => {
                    let (left_size, right_size) = if self.rank >= other.rank { (a, b) } else { (b, a) };
                    let (left, right) = (self.to_vec(), other.to_vec());
                    let axis = axis as isize - short.rank() as isize;
                    return Err(TensorError::Broadcast {
                        operation,
                        left,
                        right,
                        axis,
                        left_size,
                        right_size,
                    });
                }
            };
        }
        Ok(shape)
    }

    /// Does this shape broadcast to exactly `wide`?
    pub fn broadcasts_to(&self, wide: &Dims) -> bool {
        self.rank() <= wide.rank()
            && self.iter().rev().zip(wide.iter().rev()).all(|(narrow, wide)| narrow == wide || *narrow == 1)
    }

    /// These sizes with one more at the end.
    ///
    /// # Panics
    /// If there are [`MAX_RANK`] already.
    #[inline]
    #[track_caller]
    pub fn with_pushed(&self, size: usize) -> Dims {
        self.with_inserted(self.rank(), size)
    }

    /// These sizes with one more before position `axis`.
    ///
    /// # Panics
    /// If there are [`MAX_RANK`] already, or fewer than `axis`.
    #[inline]
    #[track_caller]
    pub fn with_inserted(&self, axis: usize, size: usize) -> Dims {
        let rank = self.rank();
        assert!(axis <= rank, "position {axis} lies beyond the {rank} sizes {self:?}");
        if rank == MAX_RANK {
            let mut shape = self.to_vec();
            shape.insert(axis, size);
            TensorError::Rank { shape }.raise();
        }
        let mut dims = *self;
        dims.rank += 1;
        dims.sizes.copy_within(axis..rank, axis + 1);
        dims.sizes[axis] = size;
        dims
    }

    /// These sizes without the one at position `axis`.
    ///
    /// # Panics
    /// If there is none.
    #[inline]
    #[track_caller]
    pub fn without(&self, axis: usize) -> Dims {
        let rank = self.rank();
        assert!(axis < rank, "there is no position {axis} among {self:?}");
        let mut dims = *self;
        dims.rank -= 1;
        dims.sizes.copy_within(axis + 1..rank, axis);
        dims.sizes[rank - 1] = 0;
        dims
    }

    /// These sizes with `size` at position `axis`.
    ///
    /// # Panics
    /// If there is no such position.
    #[inline]
    #[track_caller]
    pub fn with(&self, axis: usize, size: usize) -> Dims {
        let mut dims = *self;
        dims[axis] = size;
        dims
    }

    /// The axes in the bit set `axes`.
    pub(crate) fn axes_in(&self, axes: u32) -> Vec<isize> {
        (0..self.rank() as isize).filter(|axis| axes >> axis & 1 == 1).collect()
    }

    /// All axes, those in the bit set `last` after the others.
    pub(crate) fn axes_with_last(&self, last: u32) -> Vec<isize> {
        [self.axes_in(!last), self.axes_in(last)].concat()
    }

    /// The position of an axis that may be counted from the end, or a panic that names the operation.
    #[inline]
    #[track_caller]
    pub(crate) fn axis(&self, operation: &'static str, axis: isize) -> usize {
        valid(resolve_axis(operation, axis, self.rank(), self))
    }
}

/// The position of `axis` among `rank` axes, counted from the end if negative.
#[inline]
pub(crate) fn resolve_axis(
    operation: &'static str,
    axis: isize,
    rank: usize,
    shape: &[usize],
) -> Result<usize, TensorError> {
    let position = if axis < 0 { axis + rank as isize } else { axis };
    if position < 0 || position >= rank as isize {
        return Err(TensorError::Axis { operation, axis, rank, shape: shape.to_vec() });
    }
    Ok(position as usize)
}

impl Deref for Dims {
    type Target = [usize];

    #[inline]
    fn deref(&self) -> &[usize] {
        // The bound is always kept; `min` lets the compiler see it.
        &self.sizes[..(self.rank as usize).min(MAX_RANK)]
    }
}

impl DerefMut for Dims {
    #[inline]
    fn deref_mut(&mut self) -> &mut [usize] {
        &mut self.sizes[..(self.rank as usize).min(MAX_RANK)]
    }
}

impl fmt::Debug for Dims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
    }
}

impl fmt::Display for Dims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl PartialEq<[usize]> for Dims {
    fn eq(&self, other: &[usize]) -> bool {
        self.as_slice() == other
    }
}

impl PartialEq<&[usize]> for Dims {
    fn eq(&self, other: &&[usize]) -> bool {
        self.as_slice() == *other
    }
}

impl<const N: usize> PartialEq<[usize; N]> for Dims {
    fn eq(&self, other: &[usize; N]) -> bool {
        self.as_slice() == other
    }
}

impl PartialEq<Vec<usize>> for Dims {
    fn eq(&self, other: &Vec<usize>) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl PartialEq<Dims> for [usize] {
    fn eq(&self, other: &Dims) -> bool {
        self == other.as_slice()
    }
}

impl PartialEq<Dims> for &[usize] {
    fn eq(&self, other: &Dims) -> bool {
        *self == other.as_slice()
    }
}

impl<const N: usize> PartialEq<Dims> for [usize; N] {
    fn eq(&self, other: &Dims) -> bool {
        self == other.as_slice()
    }
}

/// What can be given as a shape: a size, an array, slice or vector of sizes, [`Dims`], or `()` for a scalar.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a shape",
    note = "give a `usize`, an array, slice or `Vec` of `usize`, `Dims`, or `()` for a scalar"
)]
pub trait IntoShape {
    /// The shape, or an error if it has more than [`MAX_RANK`] axes.
    fn try_into_shape(self) -> Result<Dims, TensorError>;

    /// The shape.
    ///
    /// # Panics
    /// If it has more than [`MAX_RANK`] axes.
    #[inline]
    #[track_caller]
    fn into_shape(self) -> Dims
    where
        Self: Sized,
    {
        valid(self.try_into_shape())
    }
}

impl IntoShape for Dims {
    #[inline]
    fn try_into_shape(self) -> Result<Dims, TensorError> {
        Ok(self)
    }
}

impl IntoShape for &Dims {
    #[inline]
    fn try_into_shape(self) -> Result<Dims, TensorError> {
        Ok(*self)
    }
}

impl IntoShape for () {
    #[inline]
    fn try_into_shape(self) -> Result<Dims, TensorError> {
        Ok(Dims::default())
    }
}

impl IntoShape for usize {
    #[inline]
    fn try_into_shape(self) -> Result<Dims, TensorError> {
        Dims::try_new(&[self])
    }
}

impl<const N: usize> IntoShape for [usize; N] {
    #[inline]
    fn try_into_shape(self) -> Result<Dims, TensorError> {
        Dims::try_new(&self)
    }
}

impl<const N: usize> IntoShape for &[usize; N] {
    #[inline]
    fn try_into_shape(self) -> Result<Dims, TensorError> {
        Dims::try_new(self)
    }
}

impl IntoShape for &[usize] {
    #[inline]
    fn try_into_shape(self) -> Result<Dims, TensorError> {
        Dims::try_new(self)
    }
}

impl IntoShape for Vec<usize> {
    #[inline]
    fn try_into_shape(self) -> Result<Dims, TensorError> {
        Dims::try_new(&self)
    }
}

impl IntoShape for &Vec<usize> {
    #[inline]
    fn try_into_shape(self) -> Result<Dims, TensorError> {
        Dims::try_new(self)
    }
}

/// What [`reshape`](super::Tensor::reshape) takes: a shape in which one size may be -1, to be inferred.
///
/// Implemented for arrays of any of the usual integers, so that `[2, 3]`, `[-1, 3]` and `[n, m]` all work.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a shape to reshape to",
    note = "give an array of integers (one may be -1), a slice of `usize` or `isize`, `Dims`, or `()` for a scalar"
)]
pub trait ReshapeTarget {
    /// The shape for a tensor of shape `from`, or an error if the numbers of elements differ.
    fn resolve(&self, from: &Dims) -> Result<Dims, TensorError>;
}

/// Resolves sizes of which at most one may be -1.
fn infer(target: &[isize], from: &Dims) -> Result<Dims, TensorError> {
    let mismatch =
        || TensorError::Reshape { shape: from.to_vec(), len: from.count(), target: target.to_vec() };
    if target.len() > MAX_RANK {
        return Err(TensorError::Rank { shape: target.iter().map(|&size| size.max(0) as usize).collect() });
    }
    let mut shape = Dims::filled(target.len(), 1);
    let mut inferred = None;
    for (axis, &size) in target.iter().enumerate() {
        match size {
            -1 if inferred.is_none() => inferred = Some(axis),
            0.. => shape[axis] = size as usize,
            _ => return Err(mismatch()),
        }
    }
    let known = shape.checked_count(1)?;
    if let Some(axis) = inferred {
        if known == 0 || !from.count().is_multiple_of(known) {
            return Err(mismatch());
        }
        shape[axis] = from.count() / known;
    }
    if shape.count() == from.count() { Ok(shape) } else { Err(mismatch()) }
}

macro_rules! reshape_target {
    ($($integer:ty),*) => {$(
        impl<const N: usize> ReshapeTarget for [$integer; N] {
            #[inline]
            fn resolve(&self, from: &Dims) -> Result<Dims, TensorError> {
                // Sizes too great for isize cannot match anything; they become a size that is never accepted.
                infer(&self.map(|size| isize::try_from(size).unwrap_or(isize::MIN)), from)
            }
        }
    )*};
}
reshape_target!(i32, i64, isize, usize);

impl ReshapeTarget for &[isize] {
    fn resolve(&self, from: &Dims) -> Result<Dims, TensorError> {
        infer(self, from)
    }
}

impl ReshapeTarget for &[usize] {
    fn resolve(&self, from: &Dims) -> Result<Dims, TensorError> {
        Dims::try_new(self)?.resolve(from)
    }
}

impl ReshapeTarget for Vec<usize> {
    fn resolve(&self, from: &Dims) -> Result<Dims, TensorError> {
        Dims::try_new(self)?.resolve(from)
    }
}

impl ReshapeTarget for &Vec<usize> {
    fn resolve(&self, from: &Dims) -> Result<Dims, TensorError> {
        Dims::try_new(self)?.resolve(from)
    }
}

impl ReshapeTarget for usize {
    fn resolve(&self, from: &Dims) -> Result<Dims, TensorError> {
        Dims::new(&[*self]).resolve(from)
    }
}

impl ReshapeTarget for () {
    fn resolve(&self, from: &Dims) -> Result<Dims, TensorError> {
        Dims::default().resolve(from)
    }
}

impl ReshapeTarget for Dims {
    #[inline]
    fn resolve(&self, from: &Dims) -> Result<Dims, TensorError> {
        self.checked_count(1)?;
        if self.count() == from.count() {
            return Ok(*self);
        }
        let target = self.iter().map(|&size| size as isize).collect();
        Err(TensorError::Reshape { shape: from.to_vec(), len: from.count(), target })
    }
}

impl ReshapeTarget for &Dims {
    #[inline]
    fn resolve(&self, from: &Dims) -> Result<Dims, TensorError> {
        (**self).resolve(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_ignores_how_the_list_came_about() {
        let long = Dims::new(&[2, 9, 3]);
        assert_eq!(long.without(1), Dims::new(&[2, 3]));
        assert_eq!(Dims::new(&[2, 3]).with_inserted(1, 9), long);
        assert_eq!(long.without(2).without(1).without(0), Dims::default());
        assert_eq!(Dims::new(&[2]).with_pushed(5), [2, 5]);
        assert_ne!(Dims::new(&[0]), Dims::default());
    }

    #[test]
    fn counts_are_checked_also_for_empty_shapes() {
        assert_eq!(Dims::new(&[]).checked_count(4), Ok(1));
        assert_eq!(Dims::new(&[3, 0]).checked_count(4), Ok(0));
        for shape in [[usize::MAX, 2], [1 << 40, 1 << 40], [0, usize::MAX], [1 << 60, 4]] {
            assert!(
                matches!(Dims::new(&shape).checked_count(4), Err(TensorError::TooLarge { .. })),
                "{shape:?}"
            );
        }
    }

    #[test]
    fn strides_of_packed_shapes() {
        assert_eq!(Dims::new(&[2, 3, 4]).row_major_strides(), [12, 4, 1]);
        assert_eq!(Dims::new(&[2, 0, 4]).row_major_strides(), [4, 4, 1]);
        assert_eq!(Dims::new(&[]).row_major_strides(), [0; 0]);
    }

    #[test]
    fn broadcasting_aligns_at_the_last_axis() {
        let cases: [(&[usize], &[usize], &[usize]); 5] = [
            (&[2, 3], &[3], &[2, 3]),
            (&[3], &[2, 3], &[2, 3]),
            (&[4, 1, 3], &[5, 1], &[4, 5, 3]),
            (&[], &[2], &[2]),
            (&[1, 3], &[0, 1], &[0, 3]),
        ];
        for (a, b, expected) in cases {
            assert_eq!(Dims::new(a).broadcast(&Dims::new(b), "add").unwrap(), expected);
        }
        let error = Dims::new(&[3]).broadcast(&Dims::new(&[2, 4]), "add").unwrap_err();
        assert_eq!(error.to_string(), "add: shapes [3] and [2, 4] do not broadcast: 3 against 4 on axis -1");
    }

    #[test]
    fn reshape_targets() {
        let from = Dims::new(&[2, 6]);
        assert_eq!([3, 4].resolve(&from).unwrap(), [3, 4]);
        assert_eq!([-1, 4].resolve(&from).unwrap(), [3, 4]);
        assert_eq!([12_usize].resolve(&from).unwrap(), [12]);
        assert_eq!([0, 5].resolve(&Dims::new(&[0])).unwrap(), [0, 5]);
        for bad in [&[-1_isize, -1][..], &[5, -1], &[-2, 6], &[0, -1], &[13]] {
            assert!(matches!(bad.resolve(&from), Err(TensorError::Reshape { .. })), "{bad:?}");
        }
        assert!(matches!([1, 1, 1, 1, 1, 1, 1, 12].resolve(&from), Err(TensorError::Rank { .. })));
        assert!([isize::MAX, isize::MAX].resolve(&from).is_err());
        let text = [5, -1].resolve(&from).unwrap_err().to_string();
        assert_eq!(text, "reshape: shape [2, 6] (12 elements) cannot become [5, -1]");
    }

    #[test]
    #[should_panic(expected = "a tensor has at most 7 axes, but [1, 1, 1, 1, 1, 1, 1, 1] has 8")]
    fn eight_axes_are_too_many() {
        [1_usize; 8].into_shape();
    }

    #[test]
    #[should_panic(
        expected = "sum: axis -3 is out of range for shape [2, 3], whose axes are 0 to 1 (or -2 to -1)"
    )]
    fn an_axis_out_of_range_is_named() {
        Dims::new(&[2, 3]).axis("sum", -3);
    }
}
