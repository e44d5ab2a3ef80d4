//! What we write at any level, strategy and flush pattern, both decoders read.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| rigz_fuzz::engines::round_trip(input));
