#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wengert_fuzz::npz::run(bytes));
