//! Decoding without the window, to markers that are resolved later, gives what decoding with it gives.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| rigz_fuzz::engines::markers(input));
