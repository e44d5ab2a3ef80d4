//! Unaligned little-endian loads.
//!
//! DEFLATE packs its bits from the low end of each byte upward, so a little-endian word loaded at any address is a piece of the
//! bit stream as it stands. One such load per symbol is what keeps the decoder's refill free of branches.

/// The eight bytes at `source` as one word, the first byte lowest.
///
/// # Safety
/// - `source` is valid for reads of 8 bytes.
#[inline(always)]
pub(crate) unsafe fn u64_le(source: *const u8) -> u64 {
    // SAFETY: the caller vouches for 8 readable bytes; the read asks for no alignment.
    u64::from_le(unsafe { source.cast::<u64>().read_unaligned() })
}

/// The first eight bytes of `bytes` as one word, or `None` when there are fewer.
#[inline(always)]
pub(crate) fn first_u64_le(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk::<8>().map(|chunk| u64::from_le_bytes(*chunk))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_is_the_lowest() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        assert_eq!(first_u64_le(&bytes), Some(0x0807_0605_0403_0201));
        assert_eq!(first_u64_le(&bytes[2..]), None);
        // SAFETY: nine bytes lie there, eight from the second on.
        assert_eq!(unsafe { u64_le(bytes.as_ptr().wrapping_add(1)) }, 0x0908_0706_0504_0302);
    }
}
