//! Sums of whole numbers and counts of truth values, as `i64`. (Sums of floating-point numbers are operations.)
//!
//! ```
//! use wengert_autograd::tensor;
//!
//! let x = tensor![[1, 2, 3], [4, 5, 6]];
//! assert_eq!(x.sum(), 21);
//! assert_eq!(x.sum_axis(0, false), tensor![5, 7, 9]);
//! assert_eq!(x.cumsum(1), tensor![[1, 3, 6], [4, 9, 15]]);
//! assert_eq!(x.gt(2).sum(), 4);
//! ```
//!
//! Sums that exceed `i64` wrap around, as in PyTorch.

use super::{Element, Tensor};

macro_rules! totals {
    ($($type:ty),*) => {$(
        impl Tensor<$type> {
            /// The sum of all elements; wraps around where it exceeds `i64`.
            pub fn sum(&self) -> i64 {
                self.iter().fold(0, |sum: i64, x| sum.wrapping_add(x as i64))
            }

            /// The sums along an axis; they wrap around where they exceed `i64`.
            ///
            /// # Panics
            /// If the axis is out of range.
            #[track_caller]
            pub fn sum_axis(&self, axis: isize, keepdim: bool) -> Tensor<i64> {
                self.fold_axis("sum_axis", axis, keepdim, |lane| {
                    lane.iter().fold(0, |sum: i64, &x| sum.wrapping_add(x as i64))
                })
            }

            /// Along an axis, the sum of each element and all before it; it wraps around where it exceeds `i64`.
            ///
            /// # Panics
            /// If the axis is out of range.
            #[track_caller]
            pub fn cumsum(&self, axis: isize) -> Tensor<i64> {
                let axis = self.sizes().axis("cumsum", axis);
                let mut lanes = self.movedim(axis as isize, -1).cast::<i64>();
                let len = self.sizes()[axis].max(1);
                for lane in lanes.make_mut().chunks_exact_mut(len) {
                    let mut sum = 0_i64;
                    for x in lane {
                        sum = sum.wrapping_add(*x);
                        *x = sum;
                    }
                }
                lanes.movedim(-1, axis as isize).contiguous()
            }
        }
    )*};
}
totals!(i64, u8, bool);

impl<E: Element> Tensor<E> {
    /// The greatest element, NaN if there is any; `None` if there are no elements.
    pub fn greatest(&self) -> Option<E> {
        self.first_extreme(true)
    }

    /// The least element, NaN if there is any; `None` if there are no elements.
    pub fn least(&self) -> Option<E> {
        self.first_extreme(false)
    }

    fn first_extreme(&self, greatest: bool) -> Option<E> {
        let packed = self.contiguous();
        let data = packed.as_slice().unwrap_or_default();
        (!data.is_empty()).then(|| data[E::extreme_of_lane(data, greatest) as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor;

    #[test]
    fn sums_and_running_sums() {
        let x = tensor![u8; [200, 100], [50, 7]];
        assert_eq!(x.sum(), 357);
        assert_eq!(x.t().sum_axis(0, true), tensor![[300, 57]]);
        assert_eq!(x.cumsum(0), tensor![[200, 100], [250, 107]]);
        assert_eq!(tensor![i64::MAX, 1].sum(), i64::MIN);
        assert_eq!(Tensor::<i64>::zeros([0, 3]).sum_axis(0, false), tensor![0, 0, 0]);
        assert_eq!(Tensor::<i64>::zeros([2, 0]).cumsum(1).shape(), [2, 0]);
        assert_eq!(tensor![true, false, true].cumsum(0), tensor![1, 1, 2]);
    }

    #[test]
    fn extremes() {
        assert_eq!((tensor![3, -1, 2].greatest(), tensor![3, -1, 2].least()), (Some(3), Some(-1)));
        assert!(tensor![1.0, f32::NAN].least().is_some_and(f32::is_nan));
        assert_eq!(Tensor::<f32>::zeros([0]).greatest(), None);
    }
}
