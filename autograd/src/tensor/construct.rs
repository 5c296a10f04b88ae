//! Making tensors: from data, from a rule, from nothing but a shape.
//!
//! ```
//! use wengert_autograd::tensor::Tensor;
//!
//! let x = Tensor::<f64>::linspace(0.0, 1.0, 5);
//! assert_eq!(x.to_vec(), [0.0, 0.25, 0.5, 0.75, 1.0]);
//! let table = Tensor::from_fn([2, 3], |i| (i[0] * i[1]) as i64);
//! assert_eq!(table.to_vec(), [0, 0, 0, 0, 1, 2]);
//! ```
//!
//! What comes from data may not fit its shape and returns a `Result`; what comes from the program's own numbers
//! panics where they make no sense.

use super::{Element, Fresh, IntoShape, Number, Tensor, TensorError, valid};

impl<E: Element> Tensor<E> {
    /// The tensor of these elements, in row-major order.
    ///
    /// # Errors
    /// If the shape takes another number of elements, or has too many axes.
    pub fn from_vec(data: Vec<E>, shape: impl IntoShape) -> Result<Tensor<E>, TensorError> {
        Tensor::from_slice(&data, shape)
    }

    /// The tensor of a copy of these elements, in row-major order.
    ///
    /// # Errors
    /// If the shape takes another number of elements, or has too many axes.
    pub fn from_slice(data: &[E], shape: impl IntoShape) -> Result<Tensor<E>, TensorError> {
        let shape = shape.try_into_shape()?;
        let expected = shape.checked_count(size_of::<E>())?;
        if expected != data.len() {
            return Err(TensorError::Length { shape: shape.to_vec(), expected, len: data.len() });
        }
        let mut fresh = Fresh::<E>::new(shape);
        // SAFETY: the new memory has room for as many elements as the shape has, which are as many as `data` has; then
        // every element was written.
        unsafe {
            fresh.as_mut_ptr().copy_from_nonoverlapping(data.as_ptr(), data.len());
            Ok(fresh.assume_init())
        }
    }

    /// The tensor whose element at each index is what `element` returns for it, called in row-major order.
    #[track_caller]
    pub fn from_fn(shape: impl IntoShape, mut element: impl FnMut(&[usize]) -> E) -> Tensor<E> {
        let shape = shape.into_shape();
        let mut fresh = Fresh::new(shape);
        let mut index = super::Dims::filled(shape.rank(), 0);
        for slot in fresh.as_uninit_slice() {
            slot.write(element(&index));
            for axis in (0..shape.rank()).rev() {
                index[axis] += 1;
                if index[axis] < shape[axis] {
                    break;
                }
                index[axis] = 0;
            }
        }
        // SAFETY: the loop wrote every element.
        unsafe { fresh.assume_init() }
    }

    /// A tensor without axes.
    #[inline]
    pub fn scalar(value: E) -> Tensor<E> {
        Tensor::full((), value)
    }

    /// A tensor of one value throughout.
    #[inline]
    #[track_caller]
    pub fn full(shape: impl IntoShape, value: E) -> Tensor<E> {
        let mut fresh = Fresh::new(shape.into_shape());
        value.fill(fresh.as_uninit_slice());
        // SAFETY: every element was written.
        unsafe { fresh.assume_init() }
    }

    /// A tensor of zeros (of `false` for `bool`).
    #[inline]
    #[track_caller]
    pub fn zeros(shape: impl IntoShape) -> Tensor<E> {
        Tensor::full(shape, E::default())
    }

    /// A tensor of ones (of `true` for `bool`).
    #[inline]
    #[track_caller]
    pub fn ones(shape: impl IntoShape) -> Tensor<E> {
        Tensor::full(shape, E::from_element(1_u8))
    }

    /// Zeros of this tensor's shape.
    pub fn zeros_like(&self) -> Tensor<E> {
        Tensor::zeros(self.dims())
    }

    /// Ones of this tensor's shape.
    pub fn ones_like(&self) -> Tensor<E> {
        Tensor::ones(self.dims())
    }

    /// One value throughout, in this tensor's shape.
    pub fn full_like(&self, value: E) -> Tensor<E> {
        Tensor::full(self.dims(), value)
    }

    /// The identity matrix: `size` rows and columns, ones on the diagonal.
    #[track_caller]
    pub fn eye(size: usize) -> Tensor<E> {
        let mut matrix = Tensor::zeros([size, size]);
        for element in matrix.make_mut().iter_mut().step_by(size + 1) {
            *element = E::from_element(1_u8);
        }
        matrix
    }
}

impl<E: Number> Tensor<E> {
    /// `start, start + step, start + 2·step, …` as long as `end` is not reached; with floating-point steps each
    /// element is rounded once. A negative step counts down.
    ///
    /// ```
    /// # use wengert_autograd::tensor::Tensor;
    /// assert_eq!(Tensor::<i64>::arange(5, 0, -2).to_vec(), [5, 3, 1]);
    /// assert_eq!(Tensor::<f32>::arange(0.0, 1.0, 0.25).to_vec(), [0.0, 0.25, 0.5, 0.75]);
    /// ```
    ///
    /// # Panics
    /// If the step is zero or leads away from `end`, or anything is not finite.
    #[track_caller]
    pub fn arange(start: E, end: E, step: E) -> Tensor<E> {
        let problem = || format!("no step of {step} leads from {start} to {end}");
        let integer = matches!(E::DTYPE, super::DType::I64 | super::DType::U8);
        if integer {
            let (start, end, step) =
                (start.into_i64() as i128, end.into_i64() as i128, step.into_i64() as i128);
            if step == 0 || (end - start) * step.signum() < 0 {
                TensorError::argument("arange", &[], problem()).raise();
            }
            let len = ((end - start) / step + i128::from((end - start) % step != 0)) as usize;
            valid(super::Dims::new(&[len]).checked_count(size_of::<E>()));
            return Tensor::from_fn([len], |i| E::from_element((start + i[0] as i128 * step) as i64));
        }
        let (start, end, step) = (start.into_f64(), end.into_f64(), step.into_f64());
        let steps = (end - start) / step;
        if !steps.is_finite() || steps < 0.0 || step == 0.0 || !step.is_finite() {
            TensorError::argument("arange", &[], problem()).raise();
        }
        Tensor::from_fn([steps.ceil() as usize], |i| E::from_element(start + i[0] as f64 * step))
    }

    /// `count` values at equal distances from `start` to `end`, both included.
    ///
    /// # Panics
    /// Never but for want of memory; one value is `start`.
    #[track_caller]
    pub fn linspace(start: E, end: E, count: usize) -> Tensor<E> {
        let (start, end) = (start.into_f64(), end.into_f64());
        let step = (end - start) / count.saturating_sub(1).max(1) as f64;
        // From the nearer end, so that both ends are met exactly and the values are symmetric.
        Tensor::from_fn([count], |i| {
            let i = i[0];
            E::from_element(if i < count.div_ceil(2) {
                start + i as f64 * step
            } else {
                end - (count - 1 - i) as f64 * step
            })
        })
    }
}
