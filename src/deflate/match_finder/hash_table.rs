//! The hash tables of the quick parser: the most recent position of each six-byte and each four-byte string.
//!
//! As for the lazy parser ([`distance_rings`](super::distance_rings)), a tight loop runs ahead of the parser: for every
//! position it hashes, replaces the most recent position in the table by this one, and stores the replaced position in a
//! ring, where the parser reads its candidates. So no search waits for a hash or a table, every position is entered, and a
//! search one byte further costs the parser almost nothing. The ring of the six bytes keeps the entries of a window, so it is
//! also the chain of the positions with the same six bytes ([`HashTables::older`]).
//!
//! The most recent position of the *six* bytes is by far the better candidate. That of four is nearer, but mostly a shorter
//! match: the table keeps one position for each string, so it has overwritten the longer match. But machine code and records
//! consist of matches of four and five bytes, so there is a second table for them, filled only if that is worth the time.
//!
//! Entries are positions modulo 64 Ki, so the tables are small and are never rebased. A stale entry
//! reads as some other position before the current one, which the comparison rejects like any hash
//! collision. At position 70,000, which is 4464 modulo 64 Ki:
//!
//! ```text
//! entry 4400     distance 64        position 69,936: a candidate
//! entry 5000     distance 65,000    position 5,000: outside the window
//! ```
//!
//! An entry made more than 64 Ki ago has the same form. Its position is wrong by a multiple of 64
//! Ki, but it is one that the input contains, so it may be compared.
//!
//! The loop is limited by its stores, one to the table and one to the ring, so it writes the ring four positions at a time.

use super::distance_rings::DistanceRings;
use super::{Match, hash, match_length};
use crate::error::Result;
use crate::format::deflate::{MAX_MATCH, WINDOW_SIZE};
use crate::raw::load::u64_at;

/// Positions filled at a time, with one store into a ring: with both keys a byte takes 1.2 ns
/// instead of 1.7.
const GROUP: usize = 4;
/// Bytes that a search compares at once.
pub(in crate::deflate) const WORD: usize = 8;
/// Positions with more than this many bytes left are searched: filling a group reads this many, and
/// only filled positions can be searched.
const LOOKAHEAD: usize = GROUP - 1 + WORD;

/// Bytes of the long key. With 5, output at level 1 is 0.3 % smaller on dickens and 2.5 % on mr, but 3 % larger on nci and
/// 6 % on xml, and it is slower. At level 2, with the other key as well, 7 equals 6.
const LONG_KEY: usize = 6;
/// Bytes of the short key: the shortest match that the quick parser takes.
const SHORT_KEY: usize = 4;

/// Buckets of a table.
const BUCKETS: usize = 1 << 15;
const BUCKET_BITS: u32 = BUCKETS.trailing_zeros();

/// Entries of the rings: that of the long key is its chain too.
const LONG_RING: usize = super::RING;
const SHORT_RING: usize = super::NEAR_RING;

/// One key's table and ring of `GROUPS` groups. A group is stored at once; read by position, the
/// ring is one flat array.
struct Table<'a, const GROUPS: usize> {
    heads: &'a mut [i16; BUCKETS],
    ring: &'a mut [[u16; GROUP]; GROUPS],
}

/// The tables in use on one input.
pub(in crate::deflate) struct HashTables<'a> {
    data: &'a [u8],
    long: Table<'a, { LONG_RING / GROUP }>,
    short: Table<'a, { SHORT_RING / GROUP }>,
    /// Positions before this one, a multiple of [`GROUP`], are in the rings.
    filled: usize,
}

/// A position that may be searched: at least [`WORD`] bytes of `data` are left there. The unchecked loads of a search read
/// the spot's own `data`, so a spot is sound with any tables. Only [`SpotPair`] constructs one.
#[derive(Clone, Copy)]
pub(in crate::deflate) struct Spot<'a> {
    data: &'a [u8],
    position: usize,
    /// The bytes there.
    pub(in crate::deflate) word: u64,
}

/// Two adjacent positions that may be searched: more than [`LOOKAHEAD`] bytes of `data` are left at the first. Only
/// [`HashTables::spots`] constructs one.
#[derive(Clone, Copy)]
pub(in crate::deflate) struct SpotPair<'a> {
    data: &'a [u8],
    position: usize,
}

impl<'a> SpotPair<'a> {
    /// The spot at the first position.
    #[inline(always)]
    pub(in crate::deflate) fn first(self) -> Spot<'a> {
        let Self { data, position } = self;
        // SAFETY: a pair has more than `LOOKAHEAD > WORD` bytes of `data` left at `position`.
        Spot { data, position, word: unsafe { u64_at(data, position) } }
    }

    /// The spot one byte later.
    #[inline(always)]
    pub(in crate::deflate) fn second(self) -> Spot<'a> {
        let (data, position) = (self.data, self.position + 1);
        // SAFETY: a pair has more than `LOOKAHEAD > WORD` bytes of `data` left one byte before `position`.
        Spot { data, position, word: unsafe { u64_at(data, position) } }
    }
}

/// An earlier position to compare with.
#[derive(Clone, Copy)]
pub(in crate::deflate) struct Candidate {
    /// The distance back to it. Not yet known to be in 1 to 32768.
    pub(in crate::deflate) offset: usize,
    /// The exclusive or of the bytes there and those of the spot.
    difference: u64,
}

impl Candidate {
    /// Whether the first four bytes agree.
    #[inline(always)]
    pub(in crate::deflate) fn is_match(self) -> bool {
        self.difference as u32 == 0
    }

    /// The number of equal bytes at the front, up to [`WORD`]: equal bytes are zero in the
    /// exclusive or, the first byte lowest.
    #[inline(always)]
    pub(in crate::deflate) fn length(self) -> usize {
        (self.difference.trailing_zeros() >> 3) as usize
    }

    /// Whether its offset is valid for a match: 1 to 32768. One comparison, since 0 wraps around.
    #[inline(always)]
    pub(in crate::deflate) fn is_in_window(self) -> bool {
        self.offset.wrapping_sub(1) < WINDOW_SIZE
    }

    /// The [`value`] of the match of up to eight bytes; 0 outside the window.
    #[inline(always)]
    pub(in crate::deflate) fn value(self) -> u32 {
        if self.is_in_window() { value(self.length(), self.offset) } else { 0 }
    }
}

/// The approximate value of a match, in bits: four for each byte, minus the number of binary digits
/// of its offset. For example, 4 bytes at 100 are worth 16 + 16 - 7 = 25, and more than 5 bytes at
/// 30,000, worth 20 + 16 - 15 = 21. The 16 keeps it from becoming negative.
#[inline(always)]
pub(in crate::deflate) fn value(length: usize, offset: usize) -> u32 {
    let offset_bits = 32 - (offset as u32).leading_zeros();
    4 * length as u32 + 16 - offset_bits.min(16)
}

impl<'a> HashTables<'a> {
    /// Creates empty tables in the memory of `rings`, whose contents are lost, for a parser from
    /// `position` on; returns the position to [`resume`](Self::resume) from, a group's border at or
    /// just before the start of its window. `has_chain`: [`older`](Self::older) will be called.
    pub(in crate::deflate) fn clear(
        rings: &mut DistanceRings,
        position: usize,
        has_chain: bool,
    ) -> Result<usize> {
        // Position 0 can mark an empty entry: like any wrong candidate it is compared. So an empty
        // entry needs no test.
        rings.clear_for_lending(2 * BUCKETS, has_chain)?;
        Ok(position.saturating_sub(WINDOW_SIZE) / GROUP * GROUP)
    }

    /// The tables in the memory of `rings`, for `data`; the rings contain the positions before `filled`.
    pub(in crate::deflate) fn resume(rings: &'a mut DistanceRings, data: &'a [u8], filled: usize) -> Self {
        let (heads, chain, near) = rings.lend();
        let (long, heads) = heads.split_first_chunk_mut().expect("`clear` made two tables");
        let (short, _) = heads.split_first_chunk_mut().expect("`clear` made two tables");
        let long_ring = chain.as_chunks_mut().0.try_into().expect("the ring has this length");
        let short_ring = near.as_chunks_mut().0.try_into().expect("the ring has this length");
        Self {
            data,
            long: Table { heads: long, ring: long_ring },
            short: Table { heads: short, ring: short_ring },
            filled,
        }
    }

    /// The rings contain the positions before this one.
    pub(in crate::deflate) fn filled(&self) -> usize {
        self.filled
    }

    /// Prepares to fill and search by the short key again, after a time without it.
    pub(in crate::deflate) fn begin_short(&mut self) {
        self.short.heads.fill(0);
        // The positions filled ahead have no entries of the short key.
        self.short.ring.fill([0; GROUP]);
    }

    /// Fills the rings up to `to`, or up to the last position that may be searched.
    #[inline(never)]
    pub(in crate::deflate) fn fill<const SHORT: bool>(&mut self, to: usize) {
        let (long, short) = (&mut *self.long.heads, &mut *self.short.heads);
        let mut position = self.filled;
        while position < to {
            let Some(bytes) = self.data.get(position..).and_then(|rest| rest.first_chunk::<LOOKAHEAD>())
            else {
                break;
            };
            // The replaced entries of a group are collected in one word each, 16 bits for each
            // position.
            let (mut long_places, mut short_places) = (0, 0);
            for index in 0..GROUP {
                let mut word = [0; WORD];
                word.copy_from_slice(&bytes[index..index + WORD]);
                let word = u64::from_le_bytes(word);
                let newest = (position + index) as i16;
                let place = core::mem::replace(&mut long[hash(word, LONG_KEY, BUCKET_BITS)], newest);
                long_places |= u64::from(place as u16) << (16 * index);
                if SHORT {
                    let place = core::mem::replace(&mut short[hash(word, SHORT_KEY, BUCKET_BITS)], newest);
                    short_places |= u64::from(place as u16) << (16 * index);
                }
            }
            let group = position / GROUP;
            self.long.ring[group % (LONG_RING / GROUP)] = unpacked(long_places);
            if SHORT {
                self.short.ring[group % (SHORT_RING / GROUP)] = unpacked(short_places);
            }
            position += GROUP;
        }
        self.filled = position;
    }

    /// Skips the positions up to `to`: they are not entered and must not be searched. For noise, in
    /// which most spans are not searched. Rounded down, so that `filled` remains at a group's
    /// border.
    pub(in crate::deflate) fn skip(&mut self, to: usize) {
        self.filled = self.filled.max(to / GROUP * GROUP);
    }

    /// The input.
    #[inline(always)]
    pub(in crate::deflate) fn data(&self) -> &'a [u8] {
        self.data
    }

    /// The spots at `position` and one byte later, if enough bytes are left there.
    #[inline(always)]
    pub(in crate::deflate) fn spots(&self, position: usize) -> Option<SpotPair<'a>> {
        let is_in = position < self.data.len().saturating_sub(LOOKAHEAD);
        is_in.then_some(SpotPair { data: self.data, position })
    }

    /// The most recent position of the six bytes at `spot`.
    #[inline(always)]
    pub(in crate::deflate) fn long(&self, spot: Spot<'_>) -> Candidate {
        debug_assert!(spot.position < self.filled);
        let entry = self.long.ring.as_flattened()[spot.position % LONG_RING];
        Self::candidate(spot, spot.position, entry)
    }

    /// The most recent position of the four bytes at `spot`.
    #[inline(always)]
    pub(in crate::deflate) fn short(&self, spot: Spot<'_>) -> Candidate {
        debug_assert!(spot.position < self.filled);
        let entry = self.short.ring.as_flattened()[spot.position % SHORT_RING];
        Self::candidate(spot, spot.position, entry)
    }

    /// The position before that of `candidate` in the chain of the long key. Where the chain has
    /// ended it may be any position at or before that of `candidate`, also the same. The ring's
    /// entry of a position is the position that it replaced in the table, so the entries lead from
    /// one to the next, with no table look-up.
    #[inline(always)]
    pub(in crate::deflate) fn older(&self, spot: Spot<'_>, candidate: Candidate) -> Candidate {
        let place = spot.position.saturating_sub(candidate.offset);
        Self::candidate(spot, place, self.long.ring.as_flattened()[place % LONG_RING])
    }

    /// The candidate at the nearest position up to `later` that is equal to `entry` modulo 64 Ki.
    /// The distance is computed in 16 bits. Near the start of the input such a position may not
    /// exist; then position 0 is compared, which is as harmless.
    #[inline(always)]
    fn candidate(spot: Spot<'_>, later: usize, entry: u16) -> Candidate {
        let Spot { data, position, word } = spot;
        let place = later.min(position).saturating_sub(usize::from((later as u16).wrapping_sub(entry)));
        // SAFETY: `place <= position`, and a `Spot` has `WORD` bytes of `data` left at `position`.
        let difference = unsafe { u64_at(data, place) } ^ word;
        Candidate { offset: position - place, difference }
    }
}

impl Spot<'_> {
    /// The match here with `candidate`, whose first eight bytes are already compared.
    #[inline(always)]
    pub(in crate::deflate) fn whole_match(self, candidate: Candidate) -> Match {
        let length = candidate.length();
        let length = if length == WORD { self.whole_length(candidate) } else { length };
        Match { length, offset: candidate.offset }
    }

    /// The length of the match here with a candidate whose first [`WORD`] bytes agree.
    #[inline(always)]
    fn whole_length(self, candidate: Candidate) -> usize {
        let Self { data, position, .. } = self;
        let limit = (data.len() - position).min(MAX_MATCH);
        // A candidate of this spot is within the data. One of another spot may not be.
        let earlier = position.saturating_sub(candidate.offset);
        // SAFETY: `earlier <= position`, and a `Spot` has `limit >= WORD` bytes of `data` left at `position`.
        unsafe { match_length(data, earlier, position, WORD, limit) }
    }
}

/// Unpacks a group's entries.
#[inline(always)]
fn unpacked(places: u64) -> [u16; GROUP] {
    core::array::from_fn(|index| (places >> (16 * index)) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new<'a>(rings: &'a mut DistanceRings, data: &'a [u8]) -> HashTables<'a> {
        HashTables::clear(rings, 0, true).unwrap();
        HashTables::resume(rings, data, 0)
    }

    #[test]
    fn each_key_finds_its_most_recent_position() {
        let data = b"abcdefgh....abcd----abcdefgh, and a dozen bytes";
        let mut rings = DistanceRings::new().unwrap();
        let mut tables = new(&mut rings, data);
        tables.fill::<true>(32);
        let spot = tables.spots(20).unwrap().first();
        let (long, short) = (tables.long(spot), tables.short(spot));
        assert_eq!((long.length(), long.offset), (8, 20));
        assert_eq!((short.length(), short.offset), (4, 8));
        assert_eq!(spot.whole_match(long).length, 8);
        assert!(long.value() > short.value());
    }

    #[test]
    fn the_chain_goes_through_all_positions_of_a_string() {
        let data = [*b"0123456789abcdefghijklmnopqrstuv"; 1300].concat();
        let mut rings = DistanceRings::new().unwrap();
        let mut tables = new(&mut rings, &data);
        tables.fill::<false>(41_000);
        let spot = tables.spots(40_970).unwrap().first();
        let mut candidate = tables.long(spot);
        for count in 1..=WINDOW_SIZE / 32 {
            assert_eq!((candidate.offset, spot.whole_match(candidate).length), (32 * count, MAX_MATCH));
            candidate = tables.older(spot, candidate);
        }
        assert!(!candidate.is_in_window());
    }

    #[test]
    fn an_entry_of_64_kib_ago_is_outside_the_window() {
        let mut data = vec![0u8; 65_536 + 32];
        data[..8].copy_from_slice(b"abcdefgh");
        data[65_536..65_544].copy_from_slice(b"abcdefgh");
        let mut rings = DistanceRings::new().unwrap();
        let mut tables = new(&mut rings, &data);
        for to in (1024..=65_536 + 1024).step_by(1024) {
            tables.fill::<false>(to);
        }
        let found = tables.long(tables.spots(65_536).unwrap().first());
        assert!(!found.is_in_window());
        assert_eq!(found.value(), 0);
    }

    #[test]
    fn skipped_positions_are_not_found() {
        let data = [*b"0123456789abcdefghijklmnopqrstuv"; 3].concat();
        let mut rings = DistanceRings::new().unwrap();
        for skip in [0, 32] {
            let mut tables = new(&mut rings, &data);
            tables.skip(skip);
            tables.fill::<false>(40);
            let found = tables.long(tables.spots(34).unwrap().first());
            assert_eq!(found.is_match() && found.is_in_window(), skip == 0);
        }
    }

    #[test]
    fn spots_end_where_a_group_could_not_be_filled() {
        let data = [7u8; 100];
        let mut rings = DistanceRings::new().unwrap();
        let mut tables = new(&mut rings, &data);
        tables.fill::<true>(200);
        let last = (0..100).filter(|&position| tables.spots(position).is_some()).max().unwrap();
        let pair = tables.spots(last).unwrap();
        assert_eq!(tables.short(pair.second()).offset, 1);
        assert_eq!(pair.first().whole_length(tables.long(pair.first())), 100 - last);
    }

    #[test]
    fn a_spot_reads_its_own_data_with_any_tables() {
        let long = [*b"0123456789abcdefghijklmnopqrstuv"; 40].concat();
        let mut rings = [DistanceRings::new().unwrap(), DistanceRings::new().unwrap()];
        let [first, second] = &mut rings;
        let (mut of_long, mut of_short) = (new(first, &long), new(second, &long[..64]));
        of_long.fill::<true>(1280);
        of_short.fill::<true>(1280);
        let far = of_long.spots(1200).unwrap().second();
        let found = of_long.long(far);
        assert_eq!((found.offset, far.whole_length(found)), (32, 1280 - 1201));
        // That position is not in the ring of the short input, and the spot is not in its data.
        of_short.skip(2048);
        let _ = HashTables::candidate(far, 2000, of_short.long.ring[0][0]);
        let near = of_long.spots(40).unwrap().first();
        assert!(near.whole_length(Candidate { offset: 5000, difference: 0 }) >= WORD);
    }
}
