//! Linear maps along spatial axes, and interpolation, which is one.
//!
//! ```
//! use wengert_autograd::{Interpolation, Variable};
//!
//! let x = Variable::from([[[1.0_f32, 3.0]]]);
//! let wide = x.interpolate([4], Interpolation::Linear { align_corners: false });
//! assert_eq!(wide.value().to_vec(), [1.0, 1.5, 2.5, 3.0]);
//! ```
//!
//! Every element of the result is a weighted sum over a box, and the weight a product of one for each axis. The adjoint has
//! the same form, with the matrix of each axis transposed, so one operation is all that interpolation, average pooling
//! and their derivatives of any order need.

use super::{
    conv::promote,
    pool::{check_spatial, with_spatial},
    registry::samples,
};
use crate::{
    graph::{Context, Cotangents, Grads, Keep, Op, Variable, mode::line, op::Line, variable::record},
    kernel::resample::{AxisMap, resample},
    scalar::{Float, float::compiled},
    tensor::{IntoShape, Tensor, TensorError, valid},
};
use std::{borrow::Cow, sync::Arc};

/// A matrix for each of the last three axes, of which the first may be missing.
struct Resample {
    name: &'static str,
    rank: usize,
    maps: Arc<[AxisMap; 3]>,
}

impl<T: Float> Op<T> for Resample {
    fn name(&self) -> &'static str {
        self.name
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = R·x, R the weights of the neighbours; x̄ += Rᵀ·ȳ, R the weights of the neighbours".into()
    }
    fn backward(&self, _: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let transposed = self.maps.each_ref().map(AxisMap::t);
        Grads::one(resample_at(&g.only(), self.name, self.rank, transposed, line()))
    }
}

/// The last `rank` axes of `x` multiplied by a matrix each; the first `3 − rank` matrices are those of one element.
pub(crate) fn resampled<T: Float>(
    x: &Variable<T>,
    name: &'static str,
    rank: usize,
    maps: [AxisMap; 3],
    line: Line,
) -> Variable<T> {
    compiled!(resample_at(
        x: &Variable<T>, name: &'static str, rank: usize, maps: [AxisMap; 3], line: Line
    ) -> Variable<T>)
}

fn resample_at<T: Float>(
    x: &Variable<T>,
    name: &'static str,
    rank: usize,
    maps: [AxisMap; 3],
    line: Line,
) -> Variable<T> {
    let value = x.read();
    let shape = with_spatial(value.dims(), rank, maps.each_ref().map(AxisMap::rows));
    let result: Tensor<T> = resample(&value, &maps, shape);
    record(Resample { name, rank, maps: Arc::new(maps) }, &[x], &[&value], result, Keep::NOTHING, line)
}

/// How [`Variable::interpolate`] finds values between elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpolation {
    /// The element below: index ⌊i · in / out⌋.
    Nearest,
    /// The straight line between two elements, along each axis: (bi-, tri-)linear.
    Linear {
        /// Are the centres of the first and the last elements those of the result's (or rather the outer edges)?
        align_corners: bool,
    },
    /// A cubic through four elements, along each axis, smooth at the elements: bicubic. It may overshoot.
    Cubic {
        /// As for [`Linear`](Interpolation::Linear).
        align_corners: bool,
    },
}

/// The place that element `i` of `count` is read at, in an axis whose last index is `last`; `ratio` elements of the input
/// for one of the result.
fn centre(i: usize, count: usize, last: usize, ratio: f64, align_corners: bool) -> f64 {
    match align_corners {
        // The only element of the result is the first of the input.
        true => i as f64 * (last as f64 / (count.max(2) - 1) as f64),
        false => (i as f64 + 0.5) * ratio - 0.5,
    }
}

/// The weights of four neighbours, for a place `t` behind the second of them: cubic convolution with slope −¾ at distance 1,
/// as PyTorch has it (R. G. Keys, "Cubic convolution interpolation for digital image processing", 1981).
fn cubic(t: f64) -> [f64; 4] {
    const A: f64 = -0.75;
    let near = |x: f64| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let far = |x: f64| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    [far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)]
}

impl Interpolation {
    /// The matrix of an axis; `ratio` elements of the input for one of the result.
    fn map(self, size: usize, count: usize, ratio: f64) -> AxisMap {
        let last = size - 1;
        match self {
            Interpolation::Nearest => {
                AxisMap::new(size, (0..count).map(|i| [(((i as f64 * ratio) as usize).min(last), 1.0)]))
            }
            Interpolation::Linear { align_corners } => AxisMap::new(
                size,
                (0..count).map(|i| {
                    let at = centre(i, count, last, ratio, align_corners).max(0.0);
                    let below = (at as usize).min(last);
                    let share = if below == last { 0.0 } else { at - below as f64 };
                    [(below, 1.0 - share), ((below + 1).min(last), share)]
                        .into_iter()
                        .filter(|(_, w)| *w != 0.0)
                }),
            ),
            Interpolation::Cubic { align_corners } => AxisMap::new(
                size,
                (0..count).map(|i| {
                    let at = centre(i, count, last, ratio, align_corners);
                    let mut row: Vec<(usize, f64)> = Vec::with_capacity(4);
                    for (k, weight) in cubic(at - at.floor()).into_iter().enumerate() {
                        // Beyond the ends the last element goes on.
                        let index = (at.floor() as isize + k as isize - 1).clamp(0, last as isize) as usize;
                        match row.last_mut() {
                            Some((same, sum)) if *same == index => *sum += weight,
                            _ => row.push((index, weight)),
                        }
                    }
                    row
                }),
            ),
        }
    }
}

#[track_caller]
fn interpolated<T: Float>(
    x: &Variable<T>,
    sizes: impl Fn(usize, usize) -> Result<(usize, f64), String>,
    rank: usize,
    method: Interpolation,
    line: Line,
) -> Variable<T> {
    let shape = x.shape();
    let wrong = |problem: String| TensorError::argument("interpolate", &shape, problem);
    if !(1..=3).contains(&rank) {
        wrong(format!("there can be 1 to 3 spatial axes, not {rank}")).raise();
    }
    valid(check_spatial("interpolate", rank, shape));
    let input = promote(&shape[shape.len() - rank..]);
    let mut maps = [0, 1, 2].map(|_| AxisMap::identity(1));
    for axis in 0..rank {
        let size = input[3 - rank + axis];
        let (count, ratio) = valid(sizes(axis, size).map_err(wrong));
        maps[3 - rank + axis] = method.map(size, count, ratio);
    }
    resampled(x, "interpolate", rank, maps, line)
}

impl<T: Float> Variable<T> {
    /// The last one to three axes brought to other sizes: `[N, C, spatial…]` gives `[N, C, size…]`.
    ///
    /// Element i of an axis is read at i·in/out, rounded down ([`Nearest`](Interpolation::Nearest)), or between the two
    /// elements around (i + ½)·in/out − ½, at least 0, or with `align_corners` around i·(in − 1)/(out − 1)
    /// ([`Linear`](Interpolation::Linear)), or among four around there ([`Cubic`](Interpolation::Cubic)). Gradient: each element gets what it gave, with the same weights.
    ///
    /// ```
    /// use wengert_autograd::{Interpolation, Variable};
    /// let x = Variable::from([[[[1.0_f32, 2.0], [3.0, 4.0]]]]);
    /// let y = x.interpolate([3, 3], Interpolation::Linear { align_corners: true });
    /// assert_eq!(y.value().to_vec(), [1.0, 1.5, 2.0, 2.0, 2.5, 3.0, 3.0, 3.5, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If the input has not one or two axes before the spatial ones, or a size is 0.
    #[track_caller]
    pub fn interpolate(&self, size: impl IntoShape, method: Interpolation) -> Variable<T> {
        let to = size.into_shape();
        let sizes = |axis: usize, size: usize| match to[axis] {
            0 => Err(format!("the sizes {to:?} must be at least 1")),
            count => Ok((count, size as f64 / count as f64)),
        };
        interpolated(self, sizes, to.len(), method, line())
    }

    /// The last one to three axes made longer by factors (or shorter): the new sizes are ⌊size · factor⌋, and positions are found
    /// by the factors themselves, not by the ratio of sizes. Otherwise as [`interpolate`](Self::interpolate).
    ///
    /// ```
    /// use wengert_autograd::{Interpolation, Variable};
    /// let x = Variable::from([[[1.0_f32, 2.0]]]);
    /// assert_eq!(x.interpolate_by(&[2.0], Interpolation::Nearest).value().to_vec(), [1.0, 1.0, 2.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// If the input has not one or two axes before the spatial ones, or a factor leaves no element.
    #[track_caller]
    pub fn interpolate_by(&self, factors: &[f64], method: Interpolation) -> Variable<T> {
        let sizes = |axis: usize, size: usize| {
            let (factor, count) = (factors[axis], (size as f64 * factors[axis]).floor());
            if !(1.0..1e15).contains(&count) {
                return Err(format!("the factor {factor} makes an axis of {size} one of {count} elements"));
            }
            Ok((count as usize, 1.0 / factor))
        };
        interpolated(self, sizes, factors.len(), method, line())
    }
}

samples! {
    interpolate {
        "nearest" (x: normal([2, 2, 3, 4])) => x.interpolate([5, 2], Interpolation::Nearest);
        "a line" (x: normal([2, 2, 5])) => x.interpolate(7, Interpolation::Linear { align_corners: false });
        "a plane" (x: normal([1, 2, 3, 4])) => x.interpolate([6, 3], Interpolation::Linear { align_corners: false });
        "corners" (x: normal([1, 2, 3, 4])) => x.interpolate([5, 1], Interpolation::Linear { align_corners: true });
        "cubic" (x: normal([1, 1, 4, 3])) => x.interpolate([7, 2], Interpolation::Cubic { align_corners: false });
        "cubic, corners" (x: normal([1, 2, 5])) => x.interpolate(8, Interpolation::Cubic { align_corners: true });
        "a block, by factors" (x: normal([1, 1, 2, 3, 2])) =>
            x.interpolate_by(&[2.0, 0.7, 1.5], Interpolation::Linear { align_corners: false });
        "to nothing" (x: normal([1, 1, 3])) => x.interpolate(0, Interpolation::Nearest), panics("must be at least 1");
        "by nothing" (x: normal([1, 1, 3])) => x.interpolate_by(&[0.1], Interpolation::Nearest),
            panics("the factor 0.1 makes an axis of 3 one of 0 elements");
    }
}
