//! Several threads must compress to the same bytes as one thread.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| rigz_fuzz::engines::parallel(input));
