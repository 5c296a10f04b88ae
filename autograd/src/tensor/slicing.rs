//! Slicing in Python's manner: the [`s!`](crate::s!) macro.
//!
//! ```
//! use wengert_autograd::s;
//! use wengert_autograd::tensor::{Ellipsis, NewAxis, Tensor};
//!
//! let x = Tensor::<i64>::arange(0, 24, 1).reshape([2, 3, 4]);
//! assert_eq!(x.slice(s![0, 1.., ..;2]).to_vec(), [4, 6, 8, 10]);
//! assert_eq!(x.slice(s![.., -1]).shape(), [2, 4]);
//! assert_eq!(x.slice(s![Ellipsis, 1..-1]).shape(), [2, 3, 2]);
//! assert_eq!(x.slice(s![NewAxis, 0]).shape(), [1, 3, 4]);
//! ```

use std::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

use super::{Element, Tensor, TensorError};

/// What is wanted of one axis: an entry of [`s!`](crate::s!).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AxisIndex {
    /// One index, from the end if negative; the axis is removed.
    At(isize),
    /// Every `step`-th index from `start` up to, but without, `stop`; negative bounds count from the end, bounds beyond
    /// the axis are clipped.
    Span {
        /// The first index; the axis' first if `None`.
        start: Option<isize>,
        /// The first index no longer wanted; none if `None`.
        stop: Option<isize>,
        /// The distance between indices, at least 1.
        step: isize,
    },
    /// A new axis of size 1.
    New,
    /// As many whole axes as the other entries leave.
    Rest,
}

/// In [`s!`](crate::s!), a new axis of size 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewAxis;

/// In [`s!`](crate::s!), as many whole axes as the other entries leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ellipsis;

impl AxisIndex {
    /// The same range with another step; other entries are unchanged.
    pub fn step(self, by: isize) -> AxisIndex {
        match self {
            AxisIndex::Span { start, stop, .. } => AxisIndex::Span { start, stop, step: by },
            other => other,
        }
    }
}

/// The entries of a slice, separated by commas: indices, ranges, ranges with a step (`1..;2`), [`NewAxis`],
/// [`Ellipsis`]. For [`Tensor::slice`].
///
/// ```
/// use wengert_autograd::s;
/// use wengert_autograd::tensor::Tensor;
///
/// let x = Tensor::<i64>::arange(0, 10, 1);
/// assert_eq!(x.slice(s![2..8;3]).to_vec(), [2, 5]);
/// assert_eq!(x.slice(s![..=2]).to_vec(), [0, 1, 2]);
/// assert_eq!(x.slice(s![-3..]).to_vec(), [7, 8, 9]);
/// ```
#[macro_export]
macro_rules! s {
    ($($index:expr $(; $step:expr)?),* $(,)?) => {{
        // `1..-1` is empty for clippy, but not here.
        #[allow(clippy::reversed_empty_ranges)]
        let indices = [$($crate::tensor::AxisIndex::from($index)$(.step($step))?),*];
        indices
    }};
}

impl From<NewAxis> for AxisIndex {
    fn from(_: NewAxis) -> AxisIndex {
        AxisIndex::New
    }
}

impl From<Ellipsis> for AxisIndex {
    fn from(_: Ellipsis) -> AxisIndex {
        AxisIndex::Rest
    }
}

impl From<RangeFull> for AxisIndex {
    fn from(_: RangeFull) -> AxisIndex {
        AxisIndex::Span { start: None, stop: None, step: 1 }
    }
}

/// The first index behind `last`: for the last index of all, counted from the end, there is none to name.
fn behind(last: isize) -> Option<isize> {
    if last == -1 { None } else { Some(last.saturating_add(1)) }
}

macro_rules! axis_index {
    ($($integer:ty),*) => {$(
        // Numbers beyond `isize` lie beyond every axis, as its greatest value does.
        impl From<$integer> for AxisIndex {
            fn from(index: $integer) -> AxisIndex {
                AxisIndex::At(isize::try_from(index).unwrap_or(isize::MAX))
            }
        }

        impl From<Range<$integer>> for AxisIndex {
            fn from(range: Range<$integer>) -> AxisIndex {
                let bound = |bound| Some(isize::try_from(bound).unwrap_or(isize::MAX));
                AxisIndex::Span { start: bound(range.start), stop: bound(range.end), step: 1 }
            }
        }

        impl From<RangeInclusive<$integer>> for AxisIndex {
            fn from(range: RangeInclusive<$integer>) -> AxisIndex {
                let bound = |bound| isize::try_from(bound).unwrap_or(isize::MAX);
                AxisIndex::Span { start: Some(bound(*range.start())), stop: behind(bound(*range.end())), step: 1 }
            }
        }

        impl From<RangeFrom<$integer>> for AxisIndex {
            fn from(range: RangeFrom<$integer>) -> AxisIndex {
                let start = Some(isize::try_from(range.start).unwrap_or(isize::MAX));
                AxisIndex::Span { start, stop: None, step: 1 }
            }
        }

        impl From<RangeTo<$integer>> for AxisIndex {
            fn from(range: RangeTo<$integer>) -> AxisIndex {
                let stop = Some(isize::try_from(range.end).unwrap_or(isize::MAX));
                AxisIndex::Span { start: None, stop, step: 1 }
            }
        }

        impl From<RangeToInclusive<$integer>> for AxisIndex {
            fn from(range: RangeToInclusive<$integer>) -> AxisIndex {
                let stop = behind(isize::try_from(range.end).unwrap_or(isize::MAX));
                AxisIndex::Span { start: None, stop, step: 1 }
            }
        }
    )*};
}
axis_index!(i32, i64, isize, usize);

impl<E: Element> Tensor<E> {
    /// The view that the entries of [`s!`](crate::s!) ask for, one for each axis from the first; axes without an entry
    /// stay whole.
    ///
    /// # Panics
    /// If there are more entries than axes, an index is out of range, a step is not positive ([`flip`](Self::flip)
    /// reverses), or there are several ellipses.
    #[track_caller]
    pub fn slice(&self, indices: impl AsRef<[AxisIndex]>) -> Tensor<E> {
        let indices = indices.as_ref();
        let consumed =
            indices.iter().filter(|index| matches!(index, AxisIndex::At(_) | AxisIndex::Span { .. })).count();
        let ellipses = indices.iter().filter(|index| matches!(index, AxisIndex::Rest)).count();
        if consumed > self.rank() || ellipses > 1 {
            let problem = match ellipses {
                0 | 1 => format!("{consumed} indices for {} axes", self.rank()),
                _ => "more than one ellipsis".into(),
            };
            TensorError::argument("slice", self.sizes(), problem).raise();
        }
        let mut view = self.clone();
        // The position in the view, and in this tensor, of the axis that comes next.
        let (mut axis, mut original) = (0_isize, 0);
        for &index in indices {
            match index {
                AxisIndex::At(index) => {
                    let size = self.sizes()[original] as isize;
                    if index < -size || index >= size {
                        let shape = self.sizes().to_vec();
                        TensorError::Index { operation: "slice", index, axis: original, shape }.raise();
                    }
                    view = view.select(axis, index);
                    original += 1;
                }
                AxisIndex::Span { start, stop, step } => {
                    if step < 1 {
                        let problem = format!("step {step} is not positive; flip reverses an axis");
                        TensorError::argument("slice", self.sizes(), problem).raise();
                    }
                    view =
                        view.slice_axis(axis, start.unwrap_or(0), stop.unwrap_or(isize::MAX), step as usize);
                    axis += 1;
                    original += 1;
                }
                AxisIndex::New => {
                    view = view.unsqueeze(axis);
                    axis += 1;
                }
                AxisIndex::Rest => {
                    let skipped = self.rank() - consumed;
                    axis += skipped as isize;
                    original += skipped;
                }
            }
        }
        view
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_as_in_python() {
        let x = Tensor::<i64>::arange(0, 24, 1).reshape([2, 3, 4]);
        // Each with what NumPy gives for the same.
        assert_eq!(x.slice(s![1]).to_vec(), (12..24).collect::<Vec<_>>());
        assert_eq!(x.slice(s![-1, -1, -1]).item(), 23);
        assert_eq!(x.slice(s![.., 0..2, 1..3]).to_vec(), [1, 2, 5, 6, 13, 14, 17, 18]);
        assert_eq!(x.slice(s![0, ..;2, 1..;2]).to_vec(), [1, 3, 9, 11]);
        assert_eq!(x.slice(s![Ellipsis, 0]).to_vec(), [0, 4, 8, 12, 16, 20]);
        assert_eq!(x.slice(s![0, Ellipsis, 0]).to_vec(), [0, 4, 8]);
        assert_eq!(x.slice(s![.., 5..9]).shape(), [2, 0, 4]);
        assert_eq!(x.slice(s![.., 2..1]).shape(), [2, 0, 4]);
        assert_eq!(x.slice(s![.., ..=-1, ..=-2]).shape(), [2, 3, 3]);
        assert_eq!(x.slice(s![0, NewAxis, 1, NewAxis]).shape(), [1, 1, 4]);
        assert_eq!(x.slice(s![]).shape(), [2, 3, 4]);
        let (from, to) = (1_usize, 3_usize);
        assert_eq!(x.slice(s![0, from, to]).item(), 7);
        assert_eq!(x.slice(s![0, from..to, 0]).to_vec(), [4, 8]);
    }

    #[test]
    fn mistakes_are_named() {
        let x = Tensor::<i64>::zeros([2, 3]);
        for (indices, expected) in [
            (&s![0, 3][..], "slice: index 3 is out of range for axis 1 of shape [2, 3]"),
            (&s![0, 0, 0], "slice: 3 indices for 2 axes (shape [2, 3])"),
            (&s![..;-1], "slice: step -1 is not positive; flip reverses an axis (shape [2, 3])"),
            (&s![Ellipsis, Ellipsis], "slice: more than one ellipsis (shape [2, 3])"),
        ] {
            let panic = std::panic::catch_unwind(|| x.slice(indices)).unwrap_err();
            assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some(expected));
        }
    }
}
