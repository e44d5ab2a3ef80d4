//! Any order of decompressing calls on a hostile stream: ours and the system's zlib answer alike.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| rigz_fuzz::calls::inflate(input));
