//! Chunks compressed by several threads are those of one.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| rigz_fuzz::engines::parallel(input));
