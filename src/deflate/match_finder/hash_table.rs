//! The hash tables of levels 1 and 2: the newest place of each six-byte string, and of each four-byte one; no chains.
//!
//! As at the higher levels ([`distance_rings`](super::distance_rings)) a tight loop runs ahead of the parser: for every position
//! it hashes, takes the newest earlier place from the table, enters the position instead, and puts the place down in a small
//! ring, where the parser reads its candidates. So no search waits for a hash or a table, every position is entered, and a look
//! one byte further costs the parser next to nothing.
//!
//! The newest place of *six* bytes is by far the better candidate: that of four is nearer, but mostly a shorter match, and
//! with one place for each string the longer match behind it is forgotten. Machine code and records, though, live on
//! matches of four and five bytes, so there is a second table for them, filled only where that pays.
//!
//! Entries are positions modulo 64 Ki, so the tables are small and nothing is ever rebased. An entry that has gone stale reads as
//! some other place before the position, which the comparison turns down like any hash collision.
//!
//! The loop is bound by its stores, one for the table and one for the ring, so the ring is written four positions at a time.

use super::distance_rings::DistanceRings;
use super::{hash, match_length};
use crate::error::Result;
use crate::format::deflate::{MAX_MATCH, WINDOW_SIZE};
use crate::raw::load::u64_at;

/// Entries of a ring: those ahead of the parser, which are a span and a little more.
const RING: usize = 1 << 12;
/// Positions filled at a time, with one store into a ring.
const GROUP: usize = 4;
/// Bytes that a search compares at once.
pub(in crate::deflate) const WORD: usize = 8;
/// Positions are searched where so many bytes are left: those that the fill of a group reads.
const LOOKAHEAD: usize = GROUP - 1 + WORD;

/// Bytes of the long key: 5 is 0.3 % smaller on dickens and 2.5 % on mr at level 1, but 3 % larger on nci, 6 % on xml, and
/// slower. At level 2, with the other key beside, 7 equals 6.
const LONG_KEY: usize = 6;
const SHORT_KEY: usize = 4;

/// Buckets of a table.
const BUCKETS: usize = 1 << 15;
const BUCKET_BITS: u32 = BUCKETS.trailing_zeros();

/// One key's table and ring.
struct Table<'a> {
    heads: &'a mut [i16; BUCKETS],
    ring: &'a mut [[u16; GROUP]; RING / GROUP],
}

/// The tables in use on one input.
pub(in crate::deflate) struct HashTables<'a> {
    data: &'a [u8],
    long: Table<'a>,
    short: Table<'a>,
    /// Positions before this one, a multiple of [`GROUP`], are in the rings.
    filled: usize,
}

/// A position that may be searched: at least [`WORD`] bytes of `data` are left there. The unchecked loads of a search read the
/// spot's own `data`, so a spot is sound with any tables. Only [`SpotPair`] makes one.
#[derive(Clone, Copy)]
pub(in crate::deflate) struct Spot<'a> {
    data: &'a [u8],
    position: usize,
    /// The bytes there.
    pub(in crate::deflate) word: u64,
}

/// Two neighbouring positions that may be searched: more than [`LOOKAHEAD`] bytes of `data` are left at the first. Only
/// [`HashTables::spots`] makes one.
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

/// An earlier place to compare with.
#[derive(Clone, Copy)]
pub(in crate::deflate) struct Candidate {
    /// How far back it lies. Not yet known to be in 1 to 32768.
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

    /// How many of the first [`WORD`] bytes agree.
    #[inline(always)]
    pub(in crate::deflate) fn length(self) -> usize {
        (self.difference.trailing_zeros() >> 3) as usize
    }

    /// Whether a match may reach there.
    #[inline(always)]
    pub(in crate::deflate) fn is_in_window(self) -> bool {
        self.offset.wrapping_sub(1) < WINDOW_SIZE
    }

    /// What a match there is worth, in bits or so: four for each byte, less the extra bits of its offset. 0 outside the window.
    #[inline(always)]
    pub(in crate::deflate) fn value(self) -> u32 {
        let offset_bits = 32 - (self.offset as u32).leading_zeros();
        let value = 4 * self.length() as u32 + 16 - offset_bits.min(16);
        if self.is_in_window() { value } else { 0 }
    }
}

impl<'a> HashTables<'a> {
    /// Makes empty tables in the memory of `rings`, which forget what they held.
    pub(in crate::deflate) fn clear(rings: &mut DistanceRings) -> Result<()> {
        // Position 0 needs no mark of its own: as a false entry it is compared like any other.
        rings.clear_for_lending(2 * BUCKETS)
    }

    /// The tables in the memory of `rings`, for `data`, of which the positions before `filled` are in the rings.
    pub(in crate::deflate) fn resume(rings: &'a mut DistanceRings, data: &'a [u8], filled: usize) -> Self {
        let (heads, rings) = rings.lend();
        let (long, short) = heads.split_first_chunk_mut().expect("`clear` made two tables");
        let (short, _) = short.split_first_chunk_mut().expect("`clear` made two tables");
        let (groups, _) = rings.as_chunks_mut();
        let (long_ring, groups) =
            groups.split_first_chunk_mut().expect("the memory lent has room for two rings");
        let (short_ring, _) = groups.split_first_chunk_mut().expect("the memory lent has room for two rings");
        Self {
            data,
            long: Table { heads: long, ring: long_ring },
            short: Table { heads: short, ring: short_ring },
            filled,
        }
    }

    /// The positions before this one are in the rings.
    pub(in crate::deflate) fn filled(&self) -> usize {
        self.filled
    }

    /// Makes ready to fill and search by the short key too, after it was left out.
    pub(in crate::deflate) fn begin_short(&mut self) {
        self.short.heads.fill(0);
        // What was filled ahead has no entries of the short key.
        self.short.ring.fill([0; GROUP]);
    }

    /// Fills the rings up to `to`, or as far as may be searched.
    #[inline(never)]
    pub(in crate::deflate) fn fill<const SHORT: bool>(&mut self, to: usize) {
        let (long, short) = (&mut *self.long.heads, &mut *self.short.heads);
        let mut position = self.filled;
        while position < to {
            let Some(bytes) = self.data.get(position..).and_then(|rest| rest.first_chunk::<LOOKAHEAD>())
            else {
                break;
            };
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
            let group = position / GROUP % (RING / GROUP);
            self.long.ring[group] = unpacked(long_places);
            if SHORT {
                self.short.ring[group] = unpacked(short_places);
            }
            position += GROUP;
        }
        self.filled = position;
    }

    /// Leaves out the positions up to `to`: they are not entered, nor may they be searched.
    pub(in crate::deflate) fn skip(&mut self, to: usize) {
        self.filled = self.filled.max(to / GROUP * GROUP);
    }

    /// The input.
    #[inline(always)]
    pub(in crate::deflate) fn data(&self) -> &'a [u8] {
        self.data
    }

    /// The spots at `position` and after it, if enough bytes are left there.
    #[inline(always)]
    pub(in crate::deflate) fn spots(&self, position: usize) -> Option<SpotPair<'a>> {
        let is_in = position < self.data.len().saturating_sub(LOOKAHEAD);
        is_in.then_some(SpotPair { data: self.data, position })
    }

    /// The newest place of the six bytes at `spot`.
    #[inline(always)]
    pub(in crate::deflate) fn long(&self, spot: Spot<'_>) -> Candidate {
        self.candidate(spot, self.long.ring)
    }

    /// The newest place of the four bytes at `spot`.
    #[inline(always)]
    pub(in crate::deflate) fn short(&self, spot: Spot<'_>) -> Candidate {
        self.candidate(spot, self.short.ring)
    }

    #[inline(always)]
    fn candidate(&self, spot: Spot<'_>, ring: &[[u16; GROUP]; RING / GROUP]) -> Candidate {
        debug_assert!(spot.position < self.filled);
        let Spot { data, position, word } = spot;
        let entry = ring.as_flattened()[position % RING];
        let place = position.saturating_sub(usize::from((position as u16).wrapping_sub(entry)));
        // SAFETY: `place <= position`, and a `Spot` has `WORD` bytes of `data` left at `position`.
        let difference = unsafe { u64_at(data, place) } ^ word;
        Candidate { offset: position - place, difference }
    }
}

impl Spot<'_> {
    /// The length of the match here with a candidate whose first [`WORD`] bytes agree.
    #[inline(always)]
    pub(in crate::deflate) fn whole_length(self, candidate: Candidate) -> usize {
        let Self { data, position, .. } = self;
        let limit = (data.len() - position).min(MAX_MATCH);
        // A candidate of this spot lies in the data. One of another spot may not.
        let earlier = position.saturating_sub(candidate.offset);
        // SAFETY: `earlier <= position`, and a `Spot` has `limit >= WORD` bytes of `data` left at `position`.
        unsafe { match_length(data, earlier, position, WORD, limit) }
    }
}

/// A group's entries.
#[inline(always)]
fn unpacked(places: u64) -> [u16; GROUP] {
    core::array::from_fn(|index| (places >> (16 * index)) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new<'a>(rings: &'a mut DistanceRings, data: &'a [u8]) -> HashTables<'a> {
        HashTables::clear(rings).unwrap();
        HashTables::resume(rings, data, 0)
    }

    #[test]
    fn each_key_finds_its_newest_place() {
        let data = b"abcdefgh....abcd----abcdefgh, and a dozen bytes";
        let mut rings = DistanceRings::new().unwrap();
        let mut tables = new(&mut rings, data);
        tables.fill::<true>(32);
        let spot = tables.spots(20).unwrap().first();
        let (long, short) = (tables.long(spot), tables.short(spot));
        assert_eq!((long.length(), long.offset), (8, 20));
        assert_eq!((short.length(), short.offset), (4, 8));
        assert_eq!(spot.whole_length(long), 8);
        assert!(long.value() > short.value());
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
    fn what_is_skipped_is_not_found() {
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
        // The ring of the short input knows nothing of that position, and the spot does not lie in its data.
        of_short.skip(2048);
        let _ = of_short.candidate(far, of_short.long.ring);
        let near = of_long.spots(40).unwrap().first();
        assert!(near.whole_length(Candidate { offset: 5000, difference: 0 }) >= WORD);
    }
}
