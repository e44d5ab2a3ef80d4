//! The hash table: the newest places of each four-byte string, and no chains (levels 1 and 2).
//!
//! A bucket holds one or two places, newest first. Entries are positions modulo 64 Ki, so the whole table is small and
//! nothing is ever rebased: an entry's distance is a 16-bit subtraction, and one that has gone stale
//! reads as some other distance, which the comparison turns down like any hash collision. Only the positions that the
//! parser hands over are entered.

use super::{Match, Place, WORD, hash, match_length};
use crate::error::{Error, Result};
use crate::raw::load::u32_at;

/// Buckets, as a power of two: 15 (64 or 128 KiB in all). 14 is 0.8 % larger at level 1, 0.3 % at level 2, and no faster.
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
    /// Enters `position`, if four bytes are left there.
    #[inline(always)]
    pub(in crate::deflate) fn enter(&mut self, position: usize) {
        if let Some(place) = Place::new(self.data, position) {
            self.swap(place);
        }
    }

    /// Enters a place and tells its word and what its bucket held before.
    #[inline(always)]
    fn swap(&mut self, place: Place) -> (u32, [u16; WAYS]) {
        // SAFETY: a `Place` has four bytes after it at least.
        let word = unsafe { u32_at(self.data, place.position) };
        let bucket = &mut self.buckets[hash(u64::from(word), WORD, self.bits)];
        let before = *bucket;
        bucket.copy_within(..WAYS - 1, 1);
        bucket[0] = place.position as u16;
        (word, before)
    }

    /// Enters a place and tells the longest match there.
    #[inline(always)]
    pub(in crate::deflate) fn find(&mut self, place: Place) -> Match {
        let (word, earlier) = self.swap(place);
        let Place { position, limit, window } = place;
        let mut best = Match::NONE;
        for entry in earlier {
            let offset = usize::from((position as u16).wrapping_sub(entry));
            // Offset 0 is an entry of 64 Ki ago.
            if offset.wrapping_sub(1) >= window {
                continue;
            }
            // SAFETY: `offset <= window <= position`, and a `Place` has four bytes after it at least.
            if unsafe { u32_at(self.data, position - offset) } == word {
                // SAFETY: a `Place` has `limit >= 4` bytes after it, and `position - offset` lies before.
                let length = unsafe { match_length(self.data, position - offset, position, WORD, limit) };
                if length > best.length {
                    best = Match { length, offset };
                }
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_of_two_places_is_found() {
        let data = b"abcdefgh....abcd----abcdefgh";
        let mut table = HashTable::new();
        let mut buckets = table.reset::<2>(data).unwrap();
        buckets.enter(0);
        buckets.enter(12);
        let found = buckets.find(Place::new(data, 20).unwrap());
        assert_eq!((found.length, found.offset), (8, 20));
        let mut buckets = table.reset::<1>(data).unwrap();
        buckets.enter(0);
        buckets.enter(12);
        let found = buckets.find(Place::new(data, 20).unwrap());
        assert_eq!((found.length, found.offset), (4, 8));
    }

    #[test]
    fn entries_of_64_kib_ago_are_no_matches() {
        let mut data = vec![0u8; 65_536 + 8];
        data[..4].copy_from_slice(b"abcd");
        data[65_536..65_540].copy_from_slice(b"abcd");
        let mut table = HashTable::new();
        let mut buckets = table.reset::<1>(&data).unwrap();
        buckets.enter(0);
        assert_eq!(buckets.find(Place::new(&data, 65_536).unwrap()).length, 0);
    }
}
