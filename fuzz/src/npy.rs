//! The `.npy` reader on hostile bytes: an error, or an array that comes back the same when it is written and read again.

use wengert::datasets::npy::{self, Array};

/// Reads the bytes, and what it found once more.
pub fn run(bytes: &[u8]) {
    let Ok(array) = npy::parse(bytes, "fuzz") else { return };
    let mut written = Vec::new();
    npy::write(&array, &mut written).expect("memory can be written");
    let again = npy::parse(&written[..], "fuzz").expect("what was written can be read");
    assert_eq!(bits(&array), bits(&again));
}

/// Shape and elements; those of floats as bits, since NaN differs from itself.
pub(crate) fn bits(array: &Array) -> (&'static str, Vec<usize>, Vec<u64>) {
    match array {
        Array::F32(x) => ("f32", x.shape().to_vec(), x.iter().map(|x| x.to_bits().into()).collect()),
        Array::F64(x) => ("f64", x.shape().to_vec(), x.iter().map(f64::to_bits).collect()),
        Array::I64(x) => ("i64", x.shape().to_vec(), x.iter().map(|x| x as u64).collect()),
        Array::U8(x) => ("u8", x.shape().to_vec(), x.iter().map(u64::from).collect()),
        Array::Bool(x) => ("bool", x.shape().to_vec(), x.iter().map(u64::from).collect()),
        other => panic!("a kind of array that this target does not know: {other:?}"),
    }
}
