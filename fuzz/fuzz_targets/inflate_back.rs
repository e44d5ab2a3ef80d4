//! inflateBack on a hostile stream: our results must equal those of the system's zlib.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| rigz_fuzz::calls::inflate_back(input));
