//! Compression calls in any order; the system's zlib must decompress our output.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| rigz_fuzz::calls::deflate(input));
