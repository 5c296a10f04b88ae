//! Does a result agree with the stored one?

use super::{Output, Stored};
use wengert_autograd::{Float, Tensor};

/// Agreement within `rtol` and `atol`; integers and booleans exactly. The error names `what` and the worst element.
pub fn compare<T: Float>(
    what: &str,
    got: &Output<T>,
    want: &Stored,
    (rtol, atol): (f64, f64),
) -> Result<(), String> {
    match (got, want) {
        (Output::Float(got), Stored::F64(want)) => floats(what, &got.value(), want, rtol, atol),
        (Output::Float(got), Stored::F32(want)) => floats(what, &got.value(), want, rtol, atol),
        (Output::Index(got), Stored::I64(want)) => exact(what, got, want),
        (Output::Mask(got), Stored::Bool(want)) => exact(what, got, want),
        (got, _) => Err(format!("{what}: the result is of the type {}, which was not stored", got.dtype())),
    }
}

fn floats<T: Float, W: Float>(
    what: &str,
    got: &Tensor<T>,
    want: &Tensor<W>,
    rtol: f64,
    atol: f64,
) -> Result<(), String> {
    if T::DTYPE != W::DTYPE {
        return Err(format!("{what}: computed in {:?}, stored in {:?}", T::DTYPE, W::DTYPE));
    }
    same_shape(what, got.shape(), want.shape())?;
    let shape = want.shape();
    let mut worst: Option<(f64, usize, f64, f64)> = None;
    for (at, (got, want)) in got.iter().zip(want.iter()).enumerate() {
        let (got, want) = (got.to_f64(), want.to_f64());
        let agrees = if want.is_nan() {
            got.is_nan()
        } else if want.is_infinite() {
            got == want
        } else {
            (got - want).abs() <= atol + rtol * want.abs()
        };
        if !agrees {
            let error = (got - want).abs();
            let error = if error.is_nan() { f64::INFINITY } else { error };
            if worst.is_none_or(|(largest, ..)| error > largest) {
                worst = Some((error, at, got, want));
            }
        }
    }
    match worst {
        None => Ok(()),
        Some((_, at, got, want)) => Err(format!(
            "{what}{:?}: {got:e}, expected {want:e} (off by {:e}, rtol {rtol:e}, atol {atol:e})",
            position(at, shape),
            (got - want).abs()
        )),
    }
}

fn exact<E: wengert_autograd::tensor::Element>(
    what: &str,
    got: &Tensor<E>,
    want: &Tensor<E>,
) -> Result<(), String> {
    same_shape(what, got.shape(), want.shape())?;
    match got.iter().zip(want.iter()).enumerate().find(|(_, (got, want))| got != want) {
        None => Ok(()),
        Some((at, (got, wanted))) => {
            Err(format!("{what}{:?}: {got:?}, expected {wanted:?}", position(at, want.shape())))
        }
    }
}

fn same_shape(what: &str, got: &[usize], want: &[usize]) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("{what}: shape {got:?}, expected {want:?}")) }
}

/// The index of the element at a place in row-major order.
fn position(mut at: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for axis in (0..shape.len()).rev() {
        index[axis] = at % shape[axis];
        at /= shape[axis];
    }
    index
}
