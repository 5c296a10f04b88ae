//! The `.npz` reader on hostile bytes: an error, or arrays that come back the same when they are written and read again.

use super::npy::bits;
use std::io::Cursor;
use wengert::datasets::npz;

/// Reads the bytes, and what it found once more.
pub fn run(bytes: &[u8]) {
    let Ok(arrays) = npz::parse(Cursor::new(bytes), "fuzz") else { return };
    let mut written = Cursor::new(Vec::new());
    npz::write(arrays.iter().map(|(name, array)| (&name[..], array)), &mut written)
        .expect("memory can be written, and no name is there twice");
    let again = npz::parse(written, "fuzz").expect("what was written can be read");
    assert_eq!(arrays.len(), again.len());
    for ((name, array), (name_again, array_again)) in arrays.iter().zip(&again) {
        assert_eq!((name, bits(array)), (name_again, bits(array_again)));
    }
}
