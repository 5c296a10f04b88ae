//! Pooling: the maximum or the mean of windows, and of the cells of a grid of given size.
//!
//! ```
//! use wengert_autograd::{PoolOptions, Variable};
//!
//! let x = Variable::from([[[1.0_f32, 3.0, 2.0, 5.0]]]).requires_grad();
//! let y = x.max_pool1d(2);
//! assert_eq!(y.value().to_vec(), [3.0, 5.0]);
//! y.sum().backward();
//! assert_eq!(x.grad().unwrap().to_vec(), [0.0, 1.0, 0.0, 1.0]);
//! assert_eq!(x.avg_pool1d(PoolOptions::new(2).stride(1)).value().to_vec(), [2.0, 2.5, 3.5]);
//! ```
//!
//! A maximum is an element of its window. Once the windows have been searched, max pooling is reading elements at fixed
//! positions, whose adjoint adds to those positions, and whose adjoint is reading again: two operations that name each
//! other. Average pooling is a linear map along each axis, see [`resample`](super::resample).

use super::{
    conv::{promote, size_setters, span, spatial},
    registry::samples,
    resample::resampled,
};
use crate::{
    graph::{Context, Cotangents, Grads, Keep, Op, Variable, mode::line, op::Line, variable::record},
    kernel::{pool, resample::AxisMap, window::Window},
    scalar::{Float, float::compiled},
    tensor::{Dims, IntoShape, Tensor, TensorError, valid},
};
use std::{borrow::Cow, ops::Range};

/// The windows of a pooling operation. A single number stands for all spatial axes, and is also accepted in place of
/// the options: `x.max_pool2d(2)`.
///
/// ```
/// use wengert_autograd::{PoolOptions, Variable};
/// let x = Variable::ones([1, 8, 11, 11]);
/// assert_eq!(x.max_pool2d(PoolOptions::new(3).stride(2).padding(1)).shape(), [1, 8, 6, 6]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    kernel: Dims,
    stride: Option<Dims>,
    padding: Dims,
    dilation: Dims,
    ceil: bool,
    count_padding: bool,
}

impl<S: IntoShape> From<S> for PoolOptions {
    fn from(kernel: S) -> Self {
        PoolOptions::new(kernel)
    }
}

impl PoolOptions {
    /// Windows of this size, side by side, without padding.
    pub fn new(kernel: impl IntoShape) -> Self {
        PoolOptions {
            kernel: kernel.into_shape(),
            stride: None,
            padding: Dims::new(&[0]),
            dilation: Dims::new(&[1]),
            ceil: false,
            count_padding: true,
        }
    }
    /// The distance between neighbouring windows; if it is not given, that is the windows' size.
    #[must_use]
    pub fn stride(mut self, stride: impl IntoShape) -> Self {
        self.stride = Some(stride.into_shape());
        self
    }
    /// Is the number of windows rounded up, so that the last one may reach over the end? One that would begin behind the
    /// input and the padding in front is left out all the same.
    #[must_use]
    pub fn ceil_mode(mut self, ceil: bool) -> Self {
        self.ceil = ceil;
        self
    }
    /// Do averages count the zeros of the padding (as they do unless told otherwise)? Those beyond the padding are never
    /// counted.
    #[must_use]
    pub fn count_include_pad(mut self, count: bool) -> Self {
        self.count_padding = count;
        self
    }

    /// The windows on an input of this shape.
    fn window(&self, name: &'static str, rank: usize, shape: Dims) -> Result<Window, TensorError> {
        check_spatial(name, rank, shape)?;
        let kernel = spatial(name, "kernel", &self.kernel, rank, 1, 1)?;
        let stride = match &self.stride {
            Some(stride) => spatial(name, "stride", stride, rank, 1, 1)?,
            None => kernel,
        };
        let before = spatial(name, "padding", &self.padding, rank, 0, 0)?;
        let dilation = spatial(name, "dilation", &self.dilation, rank, 1, 1)?;
        let input = promote(&shape[shape.len() - rank..]);
        let mut output = [1; 3];
        for axis in 3 - rank..3 {
            let span = span(kernel[axis], dilation[axis]);
            let wrong = |problem| Err(TensorError::argument(name, &shape, problem));
            if before[axis] >= span {
                return wrong(format!(
                    "with a padding of {} the first window, over {span} elements, would hold nothing else",
                    before[axis]
                ));
            }
            let Some(steps) = (input[axis] + 2 * before[axis]).checked_sub(span) else {
                return wrong(format!(
                    "windows over {span} elements do not fit an axis of {} with a padding of {}",
                    input[axis], before[axis]
                ));
            };
            output[axis] = steps / stride[axis] + 1;
            if self.ceil
                && steps % stride[axis] != 0
                && output[axis] * stride[axis] < input[axis] + before[axis]
            {
                output[axis] += 1;
            }
        }
        Ok(Window { input, kernel, output, stride, dilation, before })
    }
}

size_setters! {
    PoolOptions {
        /// How far windows reach over either end: less than they are long, so that each has an element to look at. For a
        /// maximum the padding is −∞.
        padding;
        /// The distance between neighbouring elements of a window (maxima only).
        dilation;
    }
}

/// Spatial axes behind one or two others, none of them empty.
pub(crate) fn check_spatial(name: &'static str, rank: usize, shape: Dims) -> Result<(), TensorError> {
    if !(rank + 1..=rank + 2).contains(&shape.len()) || shape[shape.len() - rank..].contains(&0) {
        let problem =
            format!("the input must be [batch, channels, {rank} spatial axes], with or without the batch");
        return Err(TensorError::argument(name, &shape, problem));
    }
    Ok(())
}

/// A shape with other spatial sizes, given as those of three axes.
pub(crate) fn with_spatial(shape: Dims, rank: usize, sizes: [usize; 3]) -> Dims {
    let leading = Dims::new(&shape[..shape.len() - rank]);
    sizes[3 - rank..].iter().fold(leading, |shape, &size| shape.with_pushed(size))
}

/// Elements at fixed positions of each plane: max pooling, once the maxima are found. Its adjoint is [`Place`].
struct Pick {
    name: &'static str,
    positions: Tensor<i64>,
    /// The shape of what is read from, and the elements of its planes.
    shape: Dims,
    plane: usize,
}

impl<T: Float> Op<T> for Pick {
    fn name(&self) -> &'static str {
        self.name
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = max(x), in each window; x̄ += ȳ, at the maximum of each window".into()
    }
    fn backward(&self, _: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let g = g.only();
        let value = pool::place(&g.read(), self.shape, self.plane, &self.positions);
        let op = Place(Pick { positions: self.positions.clone(), ..*self });
        let placed = record(op, &[&g], &[&g.read()], value, Keep::NOTHING, line());
        Grads::one(placed)
    }
}

/// Adds elements to zeros at fixed positions of each plane; its adjoint is [`Pick`].
struct Place(Pick);

impl<T: Float> Op<T> for Place {
    fn name(&self) -> &'static str {
        "max_unpool"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = x, at the positions of the maxima; x̄ += ȳ, picked at these positions".into()
    }
    fn backward(&self, _: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let g = g.only();
        let value = pool::pick(&g.read(), self.0.plane, &self.0.positions);
        let op = Pick { positions: self.0.positions.clone(), ..self.0 };
        let picked = record(op, &[&g], &[&g.read()], value, Keep::NOTHING, line());
        Grads::one(picked)
    }
}

fn max_pool<T: Float>(
    x: &Variable<T>,
    window: Window,
    name: &'static str,
    shape: Dims,
    line: Line,
) -> Variable<T> {
    let value = x.read();
    let (maxima, positions) = pool::max_pool(&value, &window, shape);
    let op = Pick { name, positions, shape: value.dims(), plane: window.plane() };
    record(op, &[x], &[&value], maxima, Keep::NOTHING, line)
}

fn adaptive_max_pool<T: Float>(
    x: &Variable<T>,
    rank: usize,
    sizes: [usize; 3],
    name: &'static str,
    line: Line,
) -> Variable<T> {
    let value = x.read();
    let input = promote(&value.shape()[value.rank() - rank..]);
    let cells = [0, 1, 2].map(|axis| cells(input[axis], sizes[axis]).collect());
    let shape = with_spatial(value.dims(), rank, sizes);
    let (maxima, positions) = pool::max_of_cells(&value, input, &cells, shape);
    let op = Pick { name, positions, shape: value.dims(), plane: input.iter().product() };
    record(op, &[x], &[&value], maxima, Keep::NOTHING, line)
}

/// The cells of an axis: number k of n covers ⌊k·size/n⌋ to ⌈(k + 1)·size/n⌉.
fn cells(size: usize, count: usize) -> impl Iterator<Item = Range<usize>> {
    (0..count).map(move |k| k * size / count..((k + 1) * size).div_ceil(count))
}

/// The sizes of a grid, with the axes' own size where an axis of three does not exist.
fn grid(name: &'static str, rank: usize, shape: Dims, sizes: Dims) -> Result<[usize; 3], TensorError> {
    check_spatial(name, rank, shape)?;
    spatial(name, "output size", &sizes, rank, 1, 1)
}

/// The average of each window: along an axis, of its elements within the input, over those that count.
fn averages(window: &Window, axis: usize, count_padding: bool) -> AxisMap {
    let (size, before) = (window.input[axis], window.before[axis]);
    AxisMap::new(
        size,
        (0..window.output[axis]).map(|o| {
            // Counted from the beginning of the padding.
            let start = o * window.stride[axis];
            let end = (start + window.kernel[axis]).min(size + 2 * before);
            let inside = start.max(before) - before..end.saturating_sub(before).min(size);
            let count = if count_padding { end - start } else { inside.len() };
            inside.map(move |i| (i, 1.0 / count as f64))
        }),
    )
}

macro_rules! pools {
    ($(
        $rank:literal:
        $(#[$max_doc:meta])* $max:ident
        $(#[$avg_doc:meta])* $avg:ident
    )*) => {
        impl<T: Float> Variable<T> {$(
            $(#[$max_doc])*
            #[track_caller]
            pub fn $max(&self, options: impl Into<PoolOptions>) -> Variable<T> {
                let name = stringify!($max);
                let window = valid(options.into().window(name, $rank, self.shape()));
                let shape = with_spatial(self.shape(), $rank, window.output);
                let (x, line) = (self, line());
                compiled!(max_pool(
                    x: &Variable<T>, window: Window, name: &'static str, shape: Dims, line: Line
                ) -> Variable<T>)
            }

            $(#[$avg_doc])*
            #[track_caller]
            pub fn $avg(&self, options: impl Into<PoolOptions>) -> Variable<T> {
                let (name, options) = (stringify!($avg), options.into());
                let window = valid(options.window(name, $rank, self.shape()));
                if window.dilation != [1; 3] {
                    TensorError::argument(name, &self.shape(), "averages have no dilation").raise();
                }
                let maps = [0, 1, 2].map(|axis| averages(&window, axis, options.count_padding));
                resampled(self, name, $rank, maps, line())
            }
        )*}
    };
}

pools! {
    1:
    /// The maximum of each window of the last axis: `[N, C, L]` gives `[N, C, L′]` with
    /// L′ = ⌊(L + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1, rounded up instead with
    /// [`ceil_mode`](PoolOptions::ceil_mode).
    ///
    /// The gradient goes to the element that is the maximum, the first of equal ones. NaN counts as larger than all numbers.
    ///
    /// ```
    /// use wengert_autograd::{PoolOptions, Variable};
    /// let x = Variable::from([[[1.0_f32, 3.0, 2.0, 5.0, 4.0]]]);
    /// assert_eq!(x.max_pool1d(PoolOptions::new(3).stride(1)).value().to_vec(), [3.0, 5.0, 5.0]);
    /// ```
    ///
    /// # Panics
    /// If the input has not these axes, the windows do not fit, or the padding is as long as a window.
    max_pool1d
    /// The mean of each window of the last axis: `[N, C, L]` gives `[N, C, L′]`, sizes as for
    /// [`max_pool1d`](Self::max_pool1d). Gradient: an equal share for each element of the window.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[[1.0_f32, 3.0, 2.0, 6.0]]]);
    /// assert_eq!(x.avg_pool1d(2).value().to_vec(), [2.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// As [`max_pool1d`](Self::max_pool1d), or if a dilation is given.
    avg_pool1d

    2:
    /// The maximum of each window of the last two axes: `[N, C, H, W]` gives `[N, C, H′, W′]`; see
    /// [`max_pool1d`](Self::max_pool1d).
    ///
    /// ```
    /// let x = wengert_autograd::Variable::ones([8, 32, 28, 28]);
    /// assert_eq!(x.max_pool2d(2).shape(), [8, 32, 14, 14]);
    /// ```
    ///
    /// # Panics
    /// If the input has not these axes, the windows do not fit, or the padding is as long as a window.
    max_pool2d
    /// The mean of each window of the last two axes: `[N, C, H, W]` gives `[N, C, H′, W′]`; see
    /// [`avg_pool1d`](Self::avg_pool1d).
    ///
    /// ```
    /// use wengert_autograd::{PoolOptions, Variable};
    /// let x = Variable::ones([1, 1, 4, 4]);
    /// let padded = PoolOptions::new(2).padding(1);
    /// assert_eq!(x.avg_pool2d(padded).value().get(&[0, 0, 0, 0]), Some(1.0 / 4.0));
    /// assert_eq!(x.avg_pool2d(padded.count_include_pad(false)).value().get(&[0, 0, 0, 0]), Some(1.0));
    /// ```
    ///
    /// # Panics
    /// As [`max_pool2d`](Self::max_pool2d), or if a dilation is given.
    avg_pool2d

    3:
    /// The maximum of each window of the last three axes: `[N, C, D, H, W]` gives `[N, C, D′, H′, W′]`; see
    /// [`max_pool1d`](Self::max_pool1d).
    ///
    /// ```
    /// let x = wengert_autograd::Variable::ones([1, 2, 4, 6, 8]);
    /// assert_eq!(x.max_pool3d([4, 3, 2]).shape(), [1, 2, 1, 2, 4]);
    /// ```
    ///
    /// # Panics
    /// If the input has not these axes, the windows do not fit, or the padding is as long as a window.
    max_pool3d
    /// The mean of each window of the last three axes: `[N, C, D, H, W]` gives `[N, C, D′, H′, W′]`; see
    /// [`avg_pool1d`](Self::avg_pool1d).
    ///
    /// ```
    /// let x = wengert_autograd::Variable::ones([1, 2, 4, 6, 8]);
    /// assert_eq!(x.avg_pool3d(2).shape(), [1, 2, 2, 3, 4]);
    /// ```
    ///
    /// # Panics
    /// As [`max_pool3d`](Self::max_pool3d), or if a dilation is given.
    avg_pool3d
}

macro_rules! adaptive {
    ($($(#[$doc:meta])* $name:ident: $rank:literal;)*) => {
        impl<T: Float> Variable<T> {$(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self, output_size: impl IntoShape) -> Variable<T> {
                let (name, shape) = (stringify!($name), self.shape());
                let sizes = valid(grid(name, $rank, shape, output_size.into_shape()));
                if sizes == [1; 3] && !self.is_empty() {
                    // One cell: the mean, whose loops need no map.
                    let axes: Vec<isize> = (1..=$rank).map(|back| -back).collect();
                    return self.mean_axes(&axes[..], true);
                }
                let input = promote(&shape[shape.len() - $rank..]);
                let maps = [0, 1, 2].map(|axis| {
                    let mean = |cell: Range<usize>| {
                        let weight = 1.0 / cell.len() as f64;
                        cell.map(move |i| (i, weight))
                    };
                    AxisMap::new(input[axis], cells(input[axis], sizes[axis]).map(mean))
                });
                resampled(self, name, $rank, maps, line())
            }
        )*}
    };
}

adaptive! {
    /// The means of so many cells of the last axis: `[N, C, L]` gives `[N, C, output_size]`. Cell k of n covers
    /// ⌊k·L/n⌋ to ⌈(k + 1)·L/n⌉, so neighbouring cells may share an element.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[[1.0_f32, 3.0, 5.0]]]);
    /// assert_eq!(x.adaptive_avg_pool1d(2).value().to_vec(), [2.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If the input has not these axes, or the output size is 0.
    adaptive_avg_pool1d: 1;

    /// The means of a grid of cells of the last two axes: `[N, C, H, W]` gives `[N, C, rows, columns]`; see
    /// [`adaptive_avg_pool1d`](Self::adaptive_avg_pool1d).
    ///
    /// ```
    /// let x = wengert_autograd::Variable::ones([2, 64, 7, 7]);
    /// assert_eq!(x.adaptive_avg_pool2d(1).shape(), [2, 64, 1, 1]);
    /// ```
    ///
    /// # Panics
    /// If the input has not these axes, or an output size is 0.
    adaptive_avg_pool2d: 2;

    /// The means of a grid of cells of the last three axes: `[N, C, D, H, W]` gives `[N, C, layers, rows, columns]`; see
    /// [`adaptive_avg_pool1d`](Self::adaptive_avg_pool1d).
    ///
    /// ```
    /// let x = wengert_autograd::Variable::ones([2, 8, 4, 7, 7]);
    /// assert_eq!(x.adaptive_avg_pool3d(1).shape(), [2, 8, 1, 1, 1]);
    /// ```
    ///
    /// # Panics
    /// If the input has not these axes, or an output size is 0.
    adaptive_avg_pool3d: 3;
}

macro_rules! adaptive_maxima {
    ($($(#[$doc:meta])* $name:ident: $rank:literal;)*) => {
        impl<T: Float> Variable<T> {$(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self, output_size: impl IntoShape) -> Variable<T> {
                let (x, rank, name, line) = (self, $rank, stringify!($name), line());
                let sizes = valid(grid(name, rank, self.shape(), output_size.into_shape()));
                compiled!(adaptive_max_pool(
                    x: &Variable<T>, rank: usize, sizes: [usize; 3], name: &'static str, line: Line
                ) -> Variable<T>)
            }
        )*}
    };
}

adaptive_maxima! {
    /// The maxima of so many cells of the last axis: `[N, C, L]` gives `[N, C, output_size]`; the cells are those of
    /// [`adaptive_avg_pool1d`](Self::adaptive_avg_pool1d). The gradient goes to the first of equal maxima.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[[1.0_f32, 3.0, 5.0]]]);
    /// assert_eq!(x.adaptive_max_pool1d(2).value().to_vec(), [3.0, 5.0]);
    /// ```
    ///
    /// # Panics
    /// If the input has not these axes, or the output size is 0.
    adaptive_max_pool1d: 1;

    /// The maxima of a grid of cells of the last two axes: `[N, C, H, W]` gives `[N, C, rows, columns]`; see
    /// [`adaptive_max_pool1d`](Self::adaptive_max_pool1d).
    ///
    /// ```
    /// let x = wengert_autograd::Variable::ones([2, 3, 7, 5]);
    /// assert_eq!(x.adaptive_max_pool2d([2, 3]).shape(), [2, 3, 2, 3]);
    /// ```
    ///
    /// # Panics
    /// If the input has not these axes, or an output size is 0.
    adaptive_max_pool2d: 2;

    /// The maxima of a grid of cells of the last three axes: `[N, C, D, H, W]` gives `[N, C, layers, rows, columns]`; see
    /// [`adaptive_max_pool1d`](Self::adaptive_max_pool1d).
    ///
    /// ```
    /// let x = wengert_autograd::Variable::ones([2, 3, 4, 7, 5]);
    /// assert_eq!(x.adaptive_max_pool3d(1).shape(), [2, 3, 1, 1, 1]);
    /// ```
    ///
    /// # Panics
    /// If the input has not these axes, or an output size is 0.
    adaptive_max_pool3d: 3;
}

samples! {
    max_pool1d {
        "overlapping windows" (x: distinct([2, 2, 7])) => x.max_pool1d(PoolOptions::new(3).stride(2));
        "dilation and padding" (x: distinct([1, 2, 8])) => x.max_pool1d(PoolOptions::new(3).stride(1).dilation(2).padding(1));
        "without a batch" (x: distinct([2, 6])) => x.max_pool1d(2);
        "equal elements" (x: values([1, 1, 4], &[1.0, 1.0, 2.0, 2.0])) => x.max_pool1d(2), kink("the first of equals");
        "too wide" (x: distinct([1, 1, 3])) => x.max_pool1d(4), panics("do not fit an axis of 3");
    }
    max_pool2d {
        "side by side" (x: distinct([2, 2, 4, 6])) => x.max_pool2d(2);
        "padding" (x: distinct([1, 2, 5, 5])) => x.max_pool2d(PoolOptions::new(3).stride(2).padding(1));
        "more padding than half a window" (x: distinct([1, 2, 4, 4])) => x.max_pool2d(PoolOptions::new(3).padding(2));
        "rounded up" (x: distinct([1, 1, 5, 6])) => x.max_pool2d(PoolOptions::new([2, 3]).stride([2, 4]).ceil_mode(true));
        "long steps" (x: distinct([1, 1, 7, 9])) => x.max_pool2d(PoolOptions::new(2).stride(4));
        "an empty batch" (x: normal([0, 2, 4, 4])) => x.max_pool2d(2);
        "too much padding" (x: normal([1, 2, 4, 4])) => x.max_pool2d(PoolOptions::new(2).padding(2)),
            panics("with a padding of 2 the first window, over 2 elements");
        "a matrix" (x: normal([4, 4])) => x.max_pool2d(2), panics("the input must be [batch, channels, 2 spatial axes]");
    }
    max_pool3d {
        "stride and padding" (x: distinct([1, 2, 3, 4, 5])) =>
            x.max_pool3d(PoolOptions::new([2, 2, 3]).stride([1, 2, 2]).padding([0, 1, 1]));
    }
    avg_pool1d {
        "overlapping windows" (x: normal([2, 2, 7])) => x.avg_pool1d(PoolOptions::new(3).stride(2));
        "padding that does not count" (x: normal([1, 2, 6])) =>
            x.avg_pool1d(PoolOptions::new(3).stride(2).padding(1).count_include_pad(false));
        "dilation" (x: normal([1, 2, 6])) => x.avg_pool1d(PoolOptions::new(3).dilation(2)), panics("no dilation");
    }
    avg_pool2d {
        "side by side" (x: normal([2, 2, 4, 6])) => x.avg_pool2d(2);
        "padding, rounded up" (x: normal([1, 2, 6, 5])) =>
            x.avg_pool2d(PoolOptions::new([3, 2]).stride(2).padding(1).ceil_mode(true));
        "gaps between windows" (x: normal([1, 1, 5, 7])) => x.avg_pool2d(PoolOptions::new(1).stride([2, 3]));
        "an empty batch" (x: normal([0, 2, 4, 4])) => x.avg_pool2d(2);
    }
    avg_pool3d {
        "stride" (x: normal([1, 2, 3, 4, 4])) => x.avg_pool3d(PoolOptions::new(2).stride([1, 2, 2]));
    }
    adaptive_avg_pool1d {
        "cells that overlap" (x: normal([2, 2, 7])) => x.adaptive_avg_pool1d(3);
        "more cells than elements" (x: normal([1, 2, 2])) => x.adaptive_avg_pool1d(5);
        "no cells" (x: normal([1, 2, 4])) => x.adaptive_avg_pool1d(0), panics("output size must be one number");
    }
    adaptive_avg_pool2d {
        "rows and columns" (x: normal([2, 2, 5, 4])) => x.adaptive_avg_pool2d([2, 3]);
        "everything" (x: normal([2, 2, 3, 4])) => x.adaptive_avg_pool2d(1);
    }
    adaptive_avg_pool3d {
        "layers, rows and columns" (x: normal([1, 2, 3, 3, 2])) => x.adaptive_avg_pool3d([2, 2, 1]);
        "a matrix" (x: normal([4, 4])) => x.adaptive_avg_pool3d(1), panics("3 spatial axes");
    }
    adaptive_max_pool1d {
        "cells that overlap" (x: distinct([2, 2, 7])) => x.adaptive_max_pool1d(3);
        "equal elements" (x: values([1, 1, 3], &[2.0, 2.0, 1.0])) => x.adaptive_max_pool1d(1), kink("the first of equals");
        "no cells" (x: normal([1, 2, 4])) => x.adaptive_max_pool1d(0), panics("output size must be one number");
    }
    adaptive_max_pool3d {
        "layers, rows and columns" (x: distinct([1, 2, 3, 3, 2])) => x.adaptive_max_pool3d([2, 2, 1]);
        "a matrix" (x: normal([4, 4])) => x.adaptive_max_pool3d(1), panics("3 spatial axes");
    }
    adaptive_max_pool2d {
        "cells that overlap" (x: distinct([2, 2, 5, 4])) => x.adaptive_max_pool2d([2, 3]);
        "an empty batch" (x: normal([0, 2, 4, 4])) => x.adaptive_max_pool2d(2);
    }
}
