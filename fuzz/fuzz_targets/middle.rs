//! A place found in the middle of hostile data is one to decode from, with or without the window.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| rigz_fuzz::engines::middle(input));
