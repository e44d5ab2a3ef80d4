//! Byte search with the C library's `memchr`, which glibc has in versions for each processor.
//!
//! Rust's own search compares words of eight bytes; `gzgets` searches for lines often enough for that to matter.

use core::ffi::c_int;

/// Where `byte` first occurs in `bytes`.
pub fn find_byte(byte: u8, bytes: &[u8]) -> Option<usize> {
    // SAFETY: `bytes` is readable for its length.
    let found = unsafe { libc::memchr(bytes.as_ptr().cast(), c_int::from(byte), bytes.len()) };
    (!found.is_null()).then(|| found.addr() - bytes.as_ptr().addr())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_several_is_found() {
        assert_eq!(find_byte(b'\n', b"one\ntwo\n"), Some(3));
        assert_eq!(find_byte(0xff, &[0x7f, 0xff, 0xff]), Some(1));
    }

    #[test]
    fn nothing_is_found_past_the_end() {
        assert_eq!(find_byte(b'\n', &b"one\n"[..3]), None);
        assert_eq!(find_byte(b'\n', b""), None);
    }
}
