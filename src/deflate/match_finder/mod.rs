//! Match finders: search for earlier occurrences of the bytes at a position.
//!
//! One file each: [`hash_table`] for the quick parser; for the others [`distance_rings`], which builds the chains,
//! [`tail_chain`], which searches them for the longest match, and [`all_lengths`], which searches them for matches of every
//! length. This file contains the shared parts: hashing a few bytes, and comparing two positions.

pub(super) mod all_lengths;
pub(super) mod distance_rings;
pub(super) mod hash_table;
pub(super) mod tail_chain;

use crate::raw::load::{u32_at, u64_at};

/// Bytes that a comparison reads at once. Only positions with at least this many bytes left are searched.
pub(in crate::deflate) const WORD: usize = 4;

/// Entries of the chain ring: enough for every position that a chain may reach back to, and those
/// filled ahead. A power of two, so that an index is the position's low bits.
const RING: usize = 1 << 16;
/// Entries of the four-byte ring: the positions ahead of the parser.
const NEAR_RING: usize = 1 << 12;

/// A match at some position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Match {
    /// 3 to 258, or 0 for no match.
    pub(super) length: usize,
    /// 1 to 32768.
    pub(super) offset: usize,
}

impl Match {
    pub(super) const NONE: Self = Self { length: 0, offset: 0 };
}

/// Hashes the low `bytes` bytes of `word` to `bits` bits: shifts them to the top, multiplies, and
/// keeps the top bits, which are mixed best: a product's bit depends only on the factor's bits at
/// or below it.
#[inline(always)]
pub(super) const fn hash(word: u64, bytes: usize, bits: u32) -> usize {
    const MULTIPLIER: u64 = 0x9E37_79B1_85EB_CA87;
    ((word << (64 - 8 * bytes)).wrapping_mul(MULTIPLIER) >> (64 - bits)) as usize
}

/// The number of equal bytes at `earlier` and `later`, in `from..=limit`; the first `from` are known to be equal.
///
/// # Safety
/// - `earlier <= later`, `from <= limit`, and `later + limit <= data.len()`.
#[inline(always)]
pub(super) unsafe fn match_length(
    data: &[u8],
    earlier: usize,
    later: usize,
    from: usize,
    limit: usize,
) -> usize {
    let mut length = from;
    while length + 8 <= limit {
        // SAFETY: `later + length + 8 <= later + limit`, which is in `data` by the caller's promise.
        let new = unsafe { u64_at(data, later + length) };
        // SAFETY: as above, since `earlier <= later`.
        let old = unsafe { u64_at(data, earlier + length) };
        let differing = new ^ old;
        if differing != 0 {
            return length + (differing.trailing_zeros() >> 3) as usize;
        }
        length += 8;
    }
    // Fewer than eight bytes are left.
    while length < limit && data[earlier + length] == data[later + length] {
        length += 1;
    }
    length
}

/// Whether the four bytes at two positions are equal.
///
/// # Safety
/// - `a + 4 <= data.len()` and `b + 4 <= data.len()`.
#[inline(always)]
pub(super) unsafe fn same_word(data: &[u8], a: usize, b: usize) -> bool {
    // SAFETY: by the caller's promise.
    let first = unsafe { u32_at(data, a) };
    // SAFETY: by the caller's promise.
    first == unsafe { u32_at(data, b) }
}

/// Whether the match at `position`, with this offset, could begin a byte earlier. If a lazy search finds such a match, the search
/// at the previous byte missed it, because it compares a limited number of candidates.
#[inline(always)]
pub(super) fn starts_earlier(data: &[u8], position: usize, offset: usize) -> bool {
    offset < position && data[position - 1] == data[position - 1 - offset]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn match_length_finds_the_first_difference_at_every_position() {
        for limit in 4..40 {
            for difference in 4..=limit {
                let mut data = vec![7u8; 100];
                if difference < limit {
                    data[50 + difference] = 8;
                }
                // SAFETY: `50 + 40 < 100`.
                assert_eq!(unsafe { match_length(&data, 1, 50, 4, limit) }, difference);
            }
        }
    }

    #[test]
    fn a_match_may_overlap_itself() {
        let data = [b'a'; 300];
        // SAFETY: `1 + 258 <= 300`.
        assert_eq!(unsafe { match_length(&data, 0, 1, 0, 258) }, 258);
    }
}
