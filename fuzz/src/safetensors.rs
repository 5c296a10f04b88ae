//! The reader of `safetensors` files on hostile bytes: an error, or tensors that come back when they are written and read
//! again.

use super::scratch;
use wengert::storage::{load_weights, save_weights};

/// Reads the bytes in both precisions.
pub fn run(bytes: &[u8]) {
    let path = scratch::file(bytes);
    let single = load_weights::<f32>(&path);
    let Ok(double) = load_weights::<f64>(&path) else {
        assert!(single.is_err(), "one precision reads what the other does not");
        return;
    };
    let single = single.expect("one precision reads what the other does");
    assert_eq!(single.len(), double.len());
    let total: usize = double.iter().map(|(_, tensor)| tensor.len()).sum();
    assert!(total <= bytes.len(), "{total} elements in {} bytes", bytes.len());
    save_weights(&path, &double).expect("the file can be written");
    let again = load_weights::<f64>(&path).expect("what was written can be read");
    assert_eq!(double.len(), again.len());
    for (name, tensor) in double.iter() {
        let other = again.get(name).expect("every name comes back");
        assert_eq!(tensor.shape(), other.shape(), "{name}");
        assert!(tensor.iter().zip(other.iter()).all(|(a, b)| a.to_bits() == b.to_bits()), "{name}");
    }
}
