//! Decoding without the window, to markers that are resolved later, must give the same result as decoding with the window.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| rigz_fuzz::engines::markers(input));
