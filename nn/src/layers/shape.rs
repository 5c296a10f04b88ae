//! Layers that only rearrange.

use crate::Layer;
use wengert_autograd::{Float, Interpolation, Variable};

/// Passes its input on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Identity;

impl<I: Clone> Layer<I> for Identity {
    type Output = I;
    fn forward(&self, input: &I) -> I {
        input.clone()
    }
}

/// Joins the axes from `start` to `end` into one; by default all but the first, which counts the samples.
///
/// ```
/// use wengert_autograd::Variable;
/// use wengert_nn::{Flatten, Layer};
/// assert_eq!(Flatten::default().forward(&Variable::zeros([32, 3, 5, 5])).shape(), [32, 75]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Flatten {
    /// The first axis.
    pub start: isize,
    /// The last axis.
    pub end: isize,
}

impl Default for Flatten {
    fn default() -> Self {
        Flatten { start: 1, end: -1 }
    }
}

impl<T: Float> Layer<Variable<T>> for Flatten {
    type Output = Variable<T>;
    #[track_caller]
    fn forward(&self, input: &Variable<T>) -> Variable<T> {
        let shape = input.shape();
        let place = |axis: isize| if axis < 0 { axis + shape.len() as isize } else { axis };
        let (start, end) = (place(self.start), place(self.end));
        assert!(
            0 <= start && start <= end && end < shape.len() as isize,
            "flatten: the axes {} to {} are not a range of those of the shape {shape:?}",
            self.start,
            self.end
        );
        let (start, end) = (start as usize, end as usize);
        let joined = shape[start..=end].iter().product();
        let sizes: Vec<usize> =
            shape[..start].iter().copied().chain([joined]).chain(shape[end + 1..].iter().copied()).collect();
        input.reshape(&sizes)
    }
}

/// Splits an axis into several.
///
/// ```
/// use wengert_autograd::Variable;
/// use wengert_nn::{Layer, Unflatten};
/// assert_eq!(Unflatten::new(1, &[3, 5, 5]).forward(&Variable::zeros([32, 75])).shape(), [32, 3, 5, 5]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unflatten {
    axis: isize,
    sizes: Vec<usize>,
}

impl Unflatten {
    /// `axis` becomes as many axes as there are sizes.
    pub fn new(axis: isize, sizes: &[usize]) -> Self {
        Unflatten { axis, sizes: sizes.to_vec() }
    }
}

impl<T: Float> Layer<Variable<T>> for Unflatten {
    type Output = Variable<T>;
    #[track_caller]
    fn forward(&self, input: &Variable<T>) -> Variable<T> {
        let shape = input.shape();
        let axis = if self.axis < 0 { self.axis + shape.len() as isize } else { self.axis } as usize;
        assert!(
            axis < shape.len() && shape[axis] == self.sizes.iter().product::<usize>(),
            "unflatten: axis {} of the shape {shape:?} does not split into {:?}",
            self.axis,
            self.sizes
        );
        let sizes: Vec<usize> =
            shape[..axis].iter().chain(&self.sizes).chain(&shape[axis + 1..]).copied().collect();
        input.reshape(&sizes)
    }
}

/// Gathers r² channels into an image r times as high and wide: from `[N, C·r², H, W]` to `[N, C, H·r, W·r]` (Shi and
/// others 2016).
///
/// ```
/// use wengert_autograd::Variable;
/// use wengert_nn::{Layer, PixelShuffle};
/// assert_eq!(PixelShuffle(2).forward(&Variable::zeros([1, 8, 3, 3])).shape(), [1, 2, 6, 6]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelShuffle(
    /// The factor r.
    pub usize,
);

impl<T: Float> Layer<Variable<T>> for PixelShuffle {
    type Output = Variable<T>;
    #[track_caller]
    fn forward(&self, input: &Variable<T>) -> Variable<T> {
        input.pixel_shuffle(self.0)
    }
}

/// The inverse of [`PixelShuffle`]: from `[N, C, H·r, W·r]` to `[N, C·r², H, W]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelUnshuffle(
    /// The factor r.
    pub usize,
);

impl<T: Float> Layer<Variable<T>> for PixelUnshuffle {
    type Output = Variable<T>;
    #[track_caller]
    fn forward(&self, input: &Variable<T>) -> Variable<T> {
        input.pixel_unshuffle(self.0)
    }
}

/// Images, sequences or volumes made larger (or smaller) by a factor.
///
/// ```
/// use wengert_autograd::{Interpolation, Variable};
/// use wengert_nn::{Layer, Upsample};
/// let double = Upsample::new(2.0, Interpolation::Nearest);
/// assert_eq!(double.forward(&Variable::zeros([1, 3, 4, 5])).shape(), [1, 3, 8, 10]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Upsample {
    factor: f64,
    method: Interpolation,
}

impl Upsample {
    /// By `factor` along each spatial axis.
    pub fn new(factor: f64, method: Interpolation) -> Self {
        Upsample { factor, method }
    }
}

impl<T: Float> Layer<Variable<T>> for Upsample {
    type Output = Variable<T>;
    #[track_caller]
    fn forward(&self, input: &Variable<T>) -> Variable<T> {
        let spatial = input.rank().saturating_sub(2);
        input.interpolate_by(&vec![self.factor; spatial], self.method)
    }
}

macro_rules! without_parameters {
    ($($layer:ty),*) => {$(
        impl<T: Float> $crate::Module<T> for $layer {
            fn visit(&self, _: &mut $crate::Visitor<'_, T>) {}
            fn visit_mut(&mut self, _: &mut $crate::VisitorMut<'_, T>) {}
        }
    )*};
}
pub(crate) use without_parameters;
without_parameters!(Identity, Flatten, Unflatten, PixelShuffle, PixelUnshuffle, Upsample);
