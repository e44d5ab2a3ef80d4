//! A hostile stream decoded in one call, in pieces, and by uncompress.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| rigz_fuzz::engines::one_shot(input));
