//! The hash table: the newest places of each four-byte string, and no chains (levels 1 and 2).
//!
//! A bucket holds one or two places, newest first. Entries are positions modulo 64 Ki, so the whole table stays in the
//! first-level cache and nothing is ever rebased: an entry's distance is a 16-bit subtraction, and one that has gone stale
//! reads as some other distance, which the comparison turns down like any hash collision. Only the positions that the
//! parser hands over are entered.

use super::{WORD, hash, match_length};
use crate::deflate::match_finder::distance_rings::Match;
use crate::error::{Error, Result};
use crate::format::deflate::WINDOW_SIZE;
use crate::raw::load::u32_at;

/// Buckets, as a power of two: 14 (32 or 64 KiB in all). 12 costs 2 % in size, 16 is slower by its cache misses.
const BUCKET_BITS: u32 = 15;
/// For inputs up to [`SMALL_INPUT`]: less to clear.
const SMALL_BUCKET_BITS: u32 = 11;
const SMALL_INPUT: usize = 4096;

/// Newest places by four-byte hash, `WAYS` per bucket.
pub(in crate::deflate) struct HashTable {
    entries: Vec<u16>,
}

impl HashTable {
    pub(in crate::deflate) fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// A cleared table with `WAYS` places per bucket, for `data`.
    pub(in crate::deflate) fn reset<'a, const WAYS: usize>(
        &'a mut self,
        data: &'a [u8],
    ) -> Result<Buckets<'a, WAYS>> {
        let bits = if data.len() <= SMALL_INPUT { SMALL_BUCKET_BITS } else { BUCKET_BITS };
        self.entries.clear();
        self.entries.try_reserve_exact(WAYS << bits).map_err(|_| Error::Memory)?;
        // Position 0 needs no mark of its own: as a false entry it is compared like any other.
        self.entries.resize(WAYS << bits, 0);
        let (buckets, _) = self.entries.as_chunks_mut::<WAYS>();
        Ok(Buckets { data, buckets, bits })
    }
}

/// A table in use on one input.
pub(in crate::deflate) struct Buckets<'a, const WAYS: usize> {
    pub(in crate::deflate) data: &'a [u8],
    buckets: &'a mut [[u16; WAYS]],
    bits: u32,
}

impl<const WAYS: usize> Buckets<'_, WAYS> {
    /// Enters `position`, which has four bytes at least after it, and tells the places its bucket held before.
    #[inline(always)]
    pub(in crate::deflate) fn enter(&mut self, position: usize) -> (u32, [u16; WAYS]) {
        debug_assert!(position + WORD <= self.data.len());
        // SAFETY: the caller's duty; the parser enters no position nearer to the end.
        let word = unsafe { u32_at(self.data, position) };
        let bucket = &mut self.buckets[hash(u64::from(word), WORD, self.bits)];
        let before = *bucket;
        bucket.copy_within(..WAYS - 1, 1);
        bucket[0] = position as u16;
        (word, before)
    }

    /// Enters `position` and tells the longest match there, of at most `limit` bytes, of which there are 4 at least.
    #[inline(always)]
    pub(in crate::deflate) fn find(&mut self, position: usize, limit: usize) -> Match {
        let (word, places) = self.enter(position);
        let window = position.min(WINDOW_SIZE);
        let mut best = Match::NONE;
        for place in places {
            let offset = usize::from((position as u16).wrapping_sub(place));
            // Offset 0 is an entry of 64 Ki ago.
            if offset.wrapping_sub(1) >= window {
                continue;
            }
            // SAFETY: `1 <= offset <= window <= position`, and four bytes are left at `position`.
            if unsafe { u32_at(self.data, position - offset) } == word {
                // SAFETY: `limit` bytes, 4 at least, are left at `position`, and the other place lies before it.
                let length = unsafe { match_length(self.data, position - offset, position, WORD, limit) };
                if length > best.length {
                    best = Match { length, offset };
                }
            }
        }
        best
    }
}
