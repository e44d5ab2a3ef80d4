//! The system's inflate and our decoders must decode our output, for any level, strategy, format and flush pattern.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| rigz_fuzz::engines::round_trip(input));
