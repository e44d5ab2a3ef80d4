//! An intentional fault: a read past the end of a buffer, which only AddressSanitizer detects, after four bytes that the fuzzer can
//! find only with coverage, one by one. `scripts/fuzz` runs this target first and fails if the fault is not found.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if let [b'R', b'I', b'G', b'Z', ..] = input {
        let buffer = vec![0u8; std::hint::black_box(16)];
        // SAFETY: none; this is the intentional fault.
        std::hint::black_box(unsafe { buffer.as_ptr().add(std::hint::black_box(16)).read() });
    }
});
