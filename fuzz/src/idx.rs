//! The IDX reader on hostile bytes: an error, or an array that the bytes really hold.

use wengert::datasets::idx;

/// Reads the bytes.
pub fn run(bytes: &[u8]) {
    let Ok(array) = idx::parse(bytes, "fuzz") else { return };
    let elements = array.to_vec();
    assert_eq!(elements.len(), array.shape().iter().product::<usize>());
    // Plain files end with their elements; packed ones begin with the mark of gzip.
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        assert!(bytes.ends_with(&elements), "{:?} from {} bytes", array.shape(), bytes.len());
    }
}
