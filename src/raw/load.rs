//! Unaligned little-endian loads, and a prefetch.
//!
//! DEFLATE packs its bits from the low end of each byte upward (RFC 1951, 3.1.1), so a little-endian word loaded at any
//! address holds consecutive bits of the stream, the first one lowest. The decoder's fast loop refills its bit buffer by
//! one such load, without a branch.
//!
//! The match finders load a few bytes at computed positions several times per input byte. The bounds checks of ordinary
//! indexing never fail there and cost 1 to 3 % of the encoder's CPU time at level 9 (six files; 2.2 % in total). So
//! [`u32_at`] and [`u64_at`] check the bound only in debug builds, and the caller must prove it. Code outside such loops
//! should index normally.

/// The four bytes from index `at` as one word, the first byte lowest.
///
/// # Safety
/// - `at + 4 <= bytes.len()`.
#[inline(always)]
pub unsafe fn u32_at(bytes: &[u8], at: usize) -> u32 {
    debug_assert!(at + 4 <= bytes.len());
    // SAFETY: `at <= bytes.len()` by the caller's promise, so the address stays in the slice.
    let place = unsafe { bytes.as_ptr().add(at) };
    // SAFETY: four readable bytes start there, by the caller's promise; the read needs no alignment.
    u32::from_le(unsafe { place.cast::<u32>().read_unaligned() })
}

/// The eight bytes from index `at` as one word, the first byte lowest.
///
/// # Safety
/// - `at + 8 <= bytes.len()`.
#[inline(always)]
pub unsafe fn u64_at(bytes: &[u8], at: usize) -> u64 {
    debug_assert!(at + 8 <= bytes.len());
    // SAFETY: `at <= bytes.len()` by the caller's promise, so the address stays in the slice.
    let place = unsafe { bytes.as_ptr().add(at) };
    // SAFETY: eight readable bytes start there, by the caller's promise; the read needs no alignment.
    u64::from_le(unsafe { place.cast::<u64>().read_unaligned() })
}

/// The eight bytes at `source` as one word, the first byte lowest.
///
/// # Safety
/// - `source` is valid for reads of 8 bytes.
#[inline(always)]
pub(crate) unsafe fn u64_le(source: *const u8) -> u64 {
    // SAFETY: the caller guarantees 8 readable bytes; the read needs no alignment.
    u64::from_le(unsafe { source.cast::<u64>().read_unaligned() })
}

/// The first eight bytes of `bytes` as one word, the first byte lowest; `None` if `bytes` is shorter.
#[inline(always)]
pub(crate) fn first_u64_le(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk::<8>().map(|chunk| u64::from_le_bytes(*chunk))
}

/// Prefetches the cache line of `place`, which may be any address: it never faults. It has no effect except on x86-64.
#[inline(always)]
pub(crate) fn prefetch<T>(place: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing that the program could see, and does not fault on an unmapped address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_is_the_lowest() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        assert_eq!(first_u64_le(&bytes), Some(0x0807_0605_0403_0201));
        assert_eq!(first_u64_le(&bytes[2..]), None);
        // SAFETY: eight of the nine bytes follow the first.
        assert_eq!(unsafe { u64_le(bytes.as_ptr().wrapping_add(1)) }, 0x0908_0706_0504_0302);
    }

    #[test]
    fn loads_are_little_endian_at_any_alignment_up_to_the_end() {
        let bytes: Vec<u8> = (1..=16).collect();
        for at in 0..=8 {
            let expected = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
            // SAFETY: `at + 8 <= 16`.
            assert_eq!(unsafe { u64_at(&bytes, at) }, expected);
        }
        for at in 0..=12 {
            let expected = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
            // SAFETY: `at + 4 <= 16`.
            assert_eq!(unsafe { u32_at(&bytes, at) }, expected);
        }
    }
}
