//! Decoding must work, with and without the window, from any position that the start finder finds in hostile data.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| rigz_fuzz::engines::middle(input));
