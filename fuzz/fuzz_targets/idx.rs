//! The IDX reader on hostile bytes: an error or a tensor that is as large as the input can be, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wengert::datasets::idx;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(tensor) = idx::parse(bytes, "fuzz") {
        assert_eq!(tensor.to_vec().len(), tensor.len());
    }
});
