//! A fault on purpose, behind four bytes that coverage must find one by one: a read behind a buffer that only AddressSanitizer
//! sees. `scripts/fuzz` runs this first and believes the other targets only when the fault is found.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if let [b'R', b'I', b'G', b'Z', ..] = input {
        let buffer = vec![0u8; std::hint::black_box(16)];
        // SAFETY: none: this is the fault.
        std::hint::black_box(unsafe { buffer.as_ptr().add(std::hint::black_box(16)).read() });
    }
});
