//! Any order of compressing calls: what ours writes, the system's zlib reads.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| rigz_fuzz::calls::deflate(input));
