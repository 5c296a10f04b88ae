//! The windows of an image as columns (`torch.nn.functional.unfold`), its adjoint, and pixels for channels.

use super::ConvOptions;
use crate::{
    graph::{Context, Cotangents, Grads, Keep, Op, Variable, mode::line, op::Line, variable::record},
    kernel::{conv::Geometry, reduce::in_chunks, window},
    ops::registry::samples,
    scalar::{Float, float::compiled},
    tensor::{Dims, Fresh, IntoShape, Tensor, TensorError, valid},
};
use std::{borrow::Cow, mem::MaybeUninit};

/// The matrix of windows of each sample; its adjoint is [`Fold`].
struct Im2col(Geometry);

impl<T: Float> Op<T> for Im2col {
    fn name(&self) -> &'static str {
        "im2col"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = the windows of x, as columns; x̄ += ȳ, each window added at its place".into()
    }
    fn backward(&self, _: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        Grads::one(fold(&g.only(), self.0, line()))
    }
}

/// Images from matrices of windows: what meets at a place is added. Its adjoint is [`Im2col`].
struct Fold(Geometry);

impl<T: Float> Op<T> for Fold {
    fn name(&self) -> &'static str {
        "col2im"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = windows x, each added at its place; x̄ += the windows of ȳ".into()
    }
    fn backward(&self, _: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        Grads::one(columns(&g.only(), self.0, line()))
    }
}

/// The shape of the matrices of windows.
fn columns_shape(geometry: &Geometry) -> Dims {
    let window = &geometry.window;
    Dims::new(&[geometry.batch, geometry.channels_in * window.volume(), window.positions()])
}

/// Fills each sample of a new tensor from the same sample of `from`.
fn each_sample<T: Float>(
    from: &Tensor<T>,
    shape: Dims,
    batch: usize,
    fill: impl Fn(&[T], &mut [MaybeUninit<T>]) + Sync,
) -> Tensor<T> {
    let from = from.contiguous();
    let data = from.as_slice().expect("made contiguous");
    let mut out = Fresh::new(shape);
    if shape.count() > 0 {
        let (len, source) = (shape.count() / batch, data.len() / batch);
        in_chunks(out.as_uninit_slice(), len, 0.3 * shape.count().max(data.len()) as f64, |first, out| {
            fill(&data[first / len * source..][..source], out);
        });
    }
    // SAFETY: both callers' `fill` writes all of its sample.
    unsafe { out.assume_init() }
}

fn columns<T: Float>(x: &Variable<T>, geometry: Geometry, line: Line) -> Variable<T> {
    let value = x.read();
    let columns = each_sample(&value, columns_shape(&geometry), geometry.batch, |x, columns| {
        window::im2col(x, &geometry.window, columns);
    });
    record(Im2col(geometry), &[x], &[&value], columns, Keep::NOTHING, line)
}

fn fold<T: Float>(columns: &Variable<T>, geometry: Geometry, line: Line) -> Variable<T> {
    let value = columns.read();
    let image = each_sample(&value, geometry.input_shape(), geometry.batch, |columns, x| {
        x.fill(MaybeUninit::new(T::zero()));
        // SAFETY: all of it was just written; the two types have the same layout.
        let x = unsafe { &mut *(x as *mut [MaybeUninit<T>] as *mut [T]) };
        window::col2im(columns, &geometry.window, x);
    });
    record(Fold(geometry), &[columns], &[&value], image, Keep::NOTHING, line)
}

/// The windows of a kernel of this size on images of this shape.
fn geometry(
    name: &'static str,
    images: Dims,
    kernel: Dims,
    options: ConvOptions,
) -> Result<Geometry, TensorError> {
    if images.len() != 4 || !(1..=2).contains(&kernel.len()) {
        let problem = format!(
            "images [batch, channels, height, width] and a kernel of two sizes or one, not {kernel:?}"
        );
        return Err(TensorError::argument(name, &images, problem));
    }
    let weight = Dims::new(&[1, images[1], kernel[0], kernel[kernel.len() - 1]]);
    options.groups(1).geometry(name, 2, images, weight)
}

impl<T: Float> Variable<T> {
    /// The windows of images as the columns of a matrix: `[N, C, H, W]` gives `[N, C·kH·kW, L]` with a column for each of
    /// the L positions of the kernel, in row-major order, and a row for each channel and element of the kernel; the padding
    /// is 0. A convolution is the product of its weight, as a matrix, with this one. (PyTorch's `functional.unfold`.)
    ///
    /// Gradient: each element gets the sum over the windows that it is in, [`col2im`](Self::col2im).
    ///
    /// ```
    /// use wengert_autograd::{ConvOptions, Variable};
    /// let x = Variable::from([[[[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]]]]);
    /// let columns = x.im2col([2, 2], ConvOptions::new());
    /// assert_eq!(columns.shape(), [1, 4, 2]);
    /// assert_eq!(columns.value().to_vec(), [1.0, 2.0, 2.0, 3.0, 4.0, 5.0, 5.0, 6.0]);
    /// ```
    ///
    /// # Panics
    /// If the input has not four axes, or the kernel does not fit.
    #[track_caller]
    pub fn im2col(&self, kernel: impl IntoShape, options: ConvOptions) -> Variable<T> {
        let geometry = valid(geometry("im2col", self.shape(), kernel.into_shape(), options));
        let (x, line) = (self, line());
        compiled!(columns(x: &Variable<T>, geometry: Geometry, line: Line) -> Variable<T>)
    }

    /// Images of `size` (height and width) from matrices of their windows, `[N, C·kH·kW, L]`: what meets at a place is added.
    /// The adjoint of [`im2col`](Self::im2col), which is also its gradient. (PyTorch's `functional.fold`.)
    ///
    /// ```
    /// use wengert_autograd::{ConvOptions, Variable};
    /// let counts = Variable::ones([1, 4, 2]).col2im([2, 3], [2, 2], ConvOptions::new());
    /// assert_eq!(counts.value().to_vec(), [1.0, 2.0, 1.0, 1.0, 2.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If the input is not the shape of such matrices.
    #[track_caller]
    pub fn col2im(&self, size: [usize; 2], kernel: impl IntoShape, options: ConvOptions) -> Variable<T> {
        let (shape, kernel) = (self.shape(), kernel.into_shape());
        let volume = kernel.count().max(1).pow(3 - kernel.len().clamp(1, 2) as u32);
        let channels = shape.get(1).map_or(0, |rows| rows / volume);
        let batch = shape.first().copied().unwrap_or(0);
        let images = Dims::new(&[batch, channels, size[0], size[1]]);
        let geometry = valid(geometry("col2im", images, kernel, options));
        if shape != columns_shape(&geometry) {
            let problem = format!("the windows of images {images:?} are {:?}", columns_shape(&geometry));
            TensorError::argument("col2im", &shape, problem).raise();
        }
        let (x, line) = (self, line());
        compiled!(fold(x: &Variable<T>, geometry: Geometry, line: Line) -> Variable<T>)
    }

    /// Channels become pixels: `[N, C·r², H, W]` gives `[N, C, H·r, W·r]`; the r² channels of a group are the pixels of an
    /// r × r block, row by row (W. Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel
    /// convolutional neural network", 2016).
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[[[1.0_f32]], [[2.0]], [[3.0]], [[4.0]]]]);
    /// let y = x.pixel_shuffle(2);
    /// assert_eq!((y.shape().to_vec(), y.value().to_vec()), (vec![1, 1, 2, 2], vec![1.0, 2.0, 3.0, 4.0]));
    /// ```
    ///
    /// # Panics
    /// If the input has not four axes, or r² does not divide the channels.
    #[track_caller]
    pub fn pixel_shuffle(&self, upscale_factor: usize) -> Variable<T> {
        let (shape, r) = (self.shape(), upscale_factor);
        if shape.len() != 4 || r == 0 || shape[1] % (r * r) != 0 {
            let problem = format!("the input must be [batch, channels · {r}², height, width]");
            TensorError::argument("pixel_shuffle", &shape, problem).raise();
        }
        let [n, c, h, w] = [shape[0], shape[1] / (r * r), shape[2], shape[3]];
        let blocks = self.reshape([n, c, r, r, h, w]).permute(&[0, 1, 4, 2, 5, 3]);
        blocks.reshape([n, c, h * r, w * r])
    }

    /// Pixels become channels, the inverse of [`pixel_shuffle`](Self::pixel_shuffle): `[N, C, H·r, W·r]` gives
    /// `[N, C·r², H, W]`.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[[[1.0_f32, 2.0], [3.0, 4.0]]]]);
    /// assert_eq!(x.pixel_unshuffle(2).shape(), [1, 4, 1, 1]);
    /// ```
    ///
    /// # Panics
    /// If the input has not four axes, or r does not divide height and width.
    #[track_caller]
    pub fn pixel_unshuffle(&self, downscale_factor: usize) -> Variable<T> {
        let (shape, r) = (self.shape(), downscale_factor);
        if shape.len() != 4 || r == 0 || shape[2] % r != 0 || shape[3] % r != 0 {
            let problem = format!("the input must be [batch, channels, height · {r}, width · {r}]");
            TensorError::argument("pixel_unshuffle", &shape, problem).raise();
        }
        let [n, c, h, w] = [shape[0], shape[1], shape[2] / r, shape[3] / r];
        let blocks = self.reshape([n, c, h, r, w, r]).permute(&[0, 1, 3, 5, 2, 4]);
        blocks.reshape([n, c * r * r, h, w])
    }
}

samples! {
    im2col {
        "padding and dilation" (x: normal([2, 2, 4, 5])) => x.im2col([2, 3], ConvOptions::new().padding(1).dilation([1, 2]));
        "stride" (x: normal([1, 2, 5, 4])) => x.im2col(2, ConvOptions::new().stride([2, 1]));
        "an empty batch" (x: normal([0, 2, 4, 4])) => x.im2col(2, ConvOptions::new());
        "a matrix" (x: normal([4, 5])) => x.im2col(2, ConvOptions::new()), panics("images [batch, channels, height, width]");
    }
    col2im {
        "stride and padding" (x: normal([2, 8, 6])) => x.col2im([4, 3], 2, ConvOptions::new().stride([2, 1]).padding([0, 1]).dilation([1, 2]));
        "other windows" (x: normal([2, 8, 5])) => x.col2im([4, 4], 2, ConvOptions::new()), panics("the windows of images");
    }
    pixel_shuffle {
        "blocks of four" (x: normal([2, 8, 2, 3])) => x.pixel_shuffle(2);
        "too few channels" (x: normal([2, 6, 2, 3])) => x.pixel_shuffle(2), panics("[batch, channels · 2², height, width]");
    }
    pixel_unshuffle {
        "blocks of six" (x: normal([2, 2, 4, 6])) => x.pixel_unshuffle(2);
        "an odd size" (x: normal([2, 2, 3, 6])) => x.pixel_unshuffle(2), panics("height · 2");
    }
}
