//! Where the elementwise loops read from: inputs of any layout as runs of contiguous numbers.
//!
//! An input that is packed and has the output's shape is read where it lies, one number in all places is written into a tile
//! once, and everything else (broadcast, transposed, sliced) is copied tile by tile into a buffer that stays in the first-level
//! cache. So the loops themselves know nothing of shapes.

use super::elementwise::Input;
use crate::{
    scalar::Float,
    tensor::{Dims, Tensor},
};

/// Where a tile of an input comes from.
pub(super) enum Source<'a, T: Float> {
    /// As many contiguous numbers as the output has; no slice, since they may be overwritten one after the other.
    Run(*const T),
    /// One number in all places.
    Constant(T),
    /// Any numbers.
    Unread,
    /// The strides of the tensor, expanded to the output's shape.
    Strided(&'a Tensor<T>, Dims),
}

// SAFETY: a run is only read, and written by the thread that has read the same places.
unsafe impl<T: Float> Sync for Source<'_, T> {}

impl<'a, T: Float> Source<'a, T> {
    #[inline]
    pub(super) fn new(input: Input<'a, T>, shape: Dims) -> Self {
        let tensor = match input {
            Input::Constant(value) => return Source::Constant(value),
            Input::Unread => return Source::Unread,
            Input::Tensor(tensor) => tensor,
        };
        if let Some(run) = tensor.packed_ptr(&shape) {
            return Source::Run(run);
        }
        let strides = expanded_strides(tensor, shape);
        // One number, or an expanded one: what the gradient of a sum is.
        if !tensor.is_empty() && (0..shape.len()).all(|axis| strides[axis] == 0 || shape[axis] == 1) {
            // SAFETY: there is a first element.
            return Source::Constant(unsafe { *tensor.data_ptr() });
        }
        Source::Strided(tensor, strides)
    }
}

/// The strides of `tensor` seen as `shape`: zero along broadcast axes.
fn expanded_strides<T: Float>(tensor: &Tensor<T>, shape: Dims) -> Dims {
    let missing = shape.len() - tensor.rank();
    let mut strides = Dims::filled(shape.len(), 0);
    for axis in 0..tensor.rank() {
        if tensor.shape()[axis] != 1 {
            strides[missing + axis] = tensor.strides()[axis];
        }
    }
    strides
}

/// Copies the elements with row-major numbers `from..from + out.len()` of a strided view of `shape`.
pub(super) fn gather<T: Float>(
    tensor: &Tensor<T>,
    strides: &[usize],
    shape: &[usize],
    from: usize,
    out: &mut [T],
) {
    let data = tensor.data_ptr();
    let last = shape.len() - 1;
    let (inner, stride) = (shape[last], strides[last]);
    let mut index = [0; crate::tensor::MAX_RANK];
    let mut rest = from;
    let mut offset = 0;
    for axis in (0..shape.len()).rev() {
        index[axis] = rest % shape[axis];
        rest /= shape[axis];
        offset += index[axis] * strides[axis];
    }
    let mut written = 0;
    while written < out.len() {
        let run = (inner - index[last]).min(out.len() - written);
        let target = &mut out[written..written + run];
        // SAFETY: the indices stay below the shape, so the offsets stay within the view.
        unsafe {
            let source = data.add(offset);
            match stride {
                0 => target.fill(*source),
                1 => std::ptr::copy_nonoverlapping(source, target.as_mut_ptr(), run),
                _ => {
                    for (k, place) in target.iter_mut().enumerate() {
                        *place = *source.add(k * stride);
                    }
                }
            }
        }
        written += run;
        offset += run * stride;
        index[last] += run;
        // Carry into the outer axes.
        let mut axis = last;
        while index[axis] == shape[axis] && axis > 0 {
            offset -= index[axis] * strides[axis];
            index[axis] = 0;
            axis -= 1;
            index[axis] += 1;
            offset += strides[axis];
        }
    }
}
