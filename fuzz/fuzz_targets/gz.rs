//! gz functions called in any order, on a file with hostile content or on one that they write.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| rigz_fuzz::calls::gz(input));
