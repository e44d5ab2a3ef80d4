//! The gathering search: finds every match length at a position, each at its nearest offset, in one
//! walk (levels 10 to 12).
//!
//! A parser that compares whole paths needs, for every length, the nearest match, not only the
//! longest one. A farther match of the same length has the same offset slot or a higher one, and so
//! at least as many extra bits; it is seldom cheaper. A match may be used at any shorter length. So
//! a farther match is worth recording only if it is longer than all nearer ones:
//!
//! ```text
//! distance back    7    40    95    300    2100
//! length           5     5     9      7      14
//! recorded        yes    -   yes      -     yes
//! ```
//!
//! The chains list candidates nearest first, so the nearest match of each length is the first that
//! is longer than all before it. The search of [`tail_chain`](super::tail_chain), within its depth,
//! visits all of these: everything that its second chain skips is no longer than the best match so
//! far. So this is that search, recording each improvement. It differs in one point: it does not
//! jump over a run of short period. The positions of a run have matches of increasing length,
//! nearest first, which are those to record.
//!
//! Three- and four-byte matches come from the most recent position of each string, since the
//! chains' key is longer. They may be missed: the table of three bytes contains only some
//! positions, and a table's entry may be that of another string with the same hash.

use super::tail_chain::{Effort, SearchPosition};
use super::{Match, match_length, same_word};
use crate::format::deflate::{WINDOW_SIZE, offset_slot};

/// Maximum matches at one position: one of three bytes, one of four, and as many improvements as a
/// walk of usual depth makes. A deeper walk may find more; then the last entry is overwritten.
pub(in crate::deflate) const MAX_FOUND: usize = 32;

/// A match in 32 bits, for long lists:
///
/// ```text
/// bits  0..15   offset - 1
/// bits 15..20   offset slot
/// bits 20..29   length
/// ```
///
/// Levels 11 and 12 keep all matches of a block, up to about 900,000, and go through them again, so
/// they are small. The slot could be computed from the offset, but each pass would do it again:
/// that was 5 % slower. With the length on top, numbers compare as lengths do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::deflate) struct Packed(u32);

/// 15: offsets of 1 to 32768 are stored less one.
const OFFSET_BITS: u32 = WINDOW_SIZE.trailing_zeros();
const LENGTH_SHIFT: u32 = OFFSET_BITS + 5;

impl Packed {
    /// No match: of length 0, which no match has.
    pub(in crate::deflate) const NONE: Self = Self(0);

    #[inline(always)]
    pub(in crate::deflate) fn new(length: usize, offset: usize) -> Self {
        Self::of_offset(offset).with_length(length)
    }

    /// A match of length 0 at `offset`.
    #[inline(always)]
    pub(in crate::deflate) fn of_offset(offset: usize) -> Self {
        Self((offset_slot(offset) << OFFSET_BITS | (offset - 1)) as u32)
    }

    /// The same offset with another length.
    #[inline(always)]
    pub(in crate::deflate) fn with_length(self, length: usize) -> Self {
        Self(self.0 & ((1 << LENGTH_SHIFT) - 1) | (length as u32) << LENGTH_SHIFT)
    }

    /// A match that [`to_bits`](Self::to_bits) returned: the path keeps it in half of a node.
    #[inline(always)]
    pub(in crate::deflate) fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    #[inline(always)]
    pub(in crate::deflate) fn to_bits(self) -> u32 {
        self.0
    }

    #[inline(always)]
    pub(in crate::deflate) fn length(self) -> usize {
        (self.0 >> LENGTH_SHIFT) as usize
    }

    #[inline(always)]
    pub(in crate::deflate) fn offset(self) -> usize {
        (self.0 as usize & (WINDOW_SIZE - 1)) + 1
    }

    #[inline(always)]
    pub(in crate::deflate) fn offset_slot(self) -> usize {
        (self.0 >> OFFSET_BITS) as usize & 31
    }
}

/// The matches at one position, in increasing order of length. Offsets increase as well, with three
/// exceptions: the match carried over from the previous byte, and one of three bytes whose nearer
/// occurrence was not entered, may be farther than the next, and the last one may be nearer than
/// that before it if it continues a repetition. The path does not rely on that order.
pub(in crate::deflate) struct Found {
    list: [Packed; MAX_FOUND],
    count: usize,
}

impl Found {
    pub(in crate::deflate) fn new() -> Self {
        Self { list: [Packed::NONE; MAX_FOUND], count: 0 }
    }

    pub(in crate::deflate) fn list(&self) -> &[Packed] {
        &self.list[..self.count]
    }

    pub(in crate::deflate) fn clear(&mut self) {
        self.count = 0;
    }

    /// Appends a match longer than all before it; in a full list it replaces the longest one, since
    /// a longer one serves all its lengths. The index is clamped rather than tested, so there is no
    /// branch.
    #[inline(always)]
    pub(in crate::deflate) fn push(&mut self, found: Packed) {
        self.list[self.count.min(MAX_FOUND - 1)] = found;
        self.count = (self.count + 1).min(MAX_FOUND);
    }
}

impl SearchPosition<'_, '_> {
    /// Appends to `found` all matches here longer than `above` bytes, up to the limits of `effort`;
    /// always enters the three bytes here in the short table.
    ///
    /// `above` is 0, or the length of the match carried over from the previous byte, which is
    /// already in `found`: then shorter ones are of no use, and the walk may begin on the chain of
    /// that match's tail.
    #[inline(always)]
    pub(in crate::deflate) fn gather(&mut self, above: usize, effort: Effort, found: &mut Found) {
        let short = self.enter_short();
        let mut length = above;
        if length < 3 {
            let Match { length: found_length, offset } = self.short_match(short);
            if found_length > 0 {
                length = found_length;
                found.push(Packed::new(length, offset));
            }
        }
        // Above `K` bytes the chain alone finds everything that is longer.
        if length <= self.finder.key()
            && let Some(near) = self.near_match()
            && near.length > length
        {
            // At the same offset the three-byte match is a part of this one, and the only entry of
            // the list: a carried match is longer than `K`, and this is not reached.
            if found.list().last().is_some_and(|last| last.offset() == near.offset) {
                found.clear();
            }
            length = near.length;
            found.push(Packed::new(length, near.offset));
        }
        self.gather_chain(length, effort, found);
    }

    /// The walk that the head of `tail_chain` describes, for matches longer than `length` bytes.
    #[inline(always)]
    fn gather_chain(&self, length: usize, effort: Effort, found: &mut Found) {
        let Self { position, limit, window, .. } = *self;
        let (data, key) = (self.finder.data(), self.finder.key());
        // The chain has matches of `K` bytes and more; a shorter one would be a collision.
        let mut length = length.max(key - 1);
        let nice = effort.nice.min(limit);
        if length >= nice {
            return;
        }
        // `distance` is that of the current candidate. Its chain is that of `position + shift`: the
        // front's with 0, else the tail's.
        let mut distance = self.finder.chain_at(position);
        let mut shift = 0;
        // Both chains contain every match that is longer than `length`, so the one whose first
        // candidate is farther skips more.
        if length >= key {
            let tail = self.finder.chain_at(position + length + 1 - key);
            if tail >= distance {
                distance = tail;
                shift = length + 1 - key;
            }
        }
        let mut left = effort.depth;
        while distance <= window {
            let candidate = position - distance;
            // The four bytes that end at byte `length` come first: on the front's chain they reject
            // most candidates. Both tests together compare the front and the byte after the current
            // length; only then is a measurement worth its time.
            // SAFETY: `3 <= length < limit`, and a `SearchPosition` has `limit` bytes after it, so the four bytes that end at
            // byte `length` are in `data`; the candidate's bytes are before them, and `distance <= window <= position`.
            if unsafe { same_word(data, candidate + length - 3, position + length - 3) }
                // SAFETY: a `SearchPosition` has at least four bytes after it, and `candidate` is before it.
                && unsafe { same_word(data, candidate, position) }
            {
                // SAFETY: a `SearchPosition` has `limit >= 4` bytes after it, and `candidate` is before it.
                let longer = unsafe { match_length(data, candidate, position, super::WORD, limit) };
                if longer > length {
                    length = longer;
                    found.push(Packed::new(length, distance));
                    left -= 1;
                    if length >= nice || left == 0 {
                        return;
                    }
                    // As above, with the new length: the next candidate of this chain, or the first
                    // of the new tail's if it is as far or farther.
                    let next = distance + self.finder.chain_at(position + shift - distance);
                    let tail = self.finder.chain_at(position + length + 1 - key);
                    distance = if tail >= next {
                        shift = length + 1 - key;
                        tail
                    } else {
                        next
                    };
                    continue;
                }
            }
            left -= 1;
            if left == 0 {
                return;
            }
            distance += self.finder.chain_at(position + shift - distance);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::distance_rings::{DistanceRings, Keys, LOOKAHEAD};
    use super::*;
    use crate::format::deflate::MAX_MATCH;
    use crate::random::Random;
    use proptest::prelude::*;

    #[test]
    fn a_packed_match_keeps_its_parts() {
        for (length, offset) in [(3, 1), (258, 32_768), (10, 2), (4, 257), (57, 24_577)] {
            let packed = Packed::new(length, offset);
            assert_eq!((packed.length(), packed.offset()), (length, offset));
            assert_eq!(packed.offset_slot(), offset_slot(offset));
            assert_eq!(packed.with_length(5), Packed::new(5, offset));
            assert_ne!(packed, Packed::NONE);
        }
        assert_eq!(Packed::NONE.length(), 0);
    }

    /// Pieces of a few letters, so that there are many lengths at many distances.
    fn pieces(seed: u64, len: usize) -> Vec<u8> {
        let mut random = Random::new(seed);
        let mut data = random.bytes(40);
        while data.len() < len {
            let from = random.below(data.len());
            for i in 0..3 + random.below(20) {
                data.push(data[from + i]);
            }
            data.push(random.below(5) as u8);
        }
        data.truncate(len);
        data
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn an_exhaustive_search_finds_the_nearest_match_of_every_length(seed: u64) {
            let data = pieces(seed, 40_000);
            let mut rings = DistanceRings::new().unwrap();
            rings.reset(true, Keys::Five, 0).unwrap();
            for position in [1, 50, 700, 5_000, 32_768, 32_800, 39_000, 39_990] {
                rings.fill(&data, data.len().min(position + LOOKAHEAD));
                let limit = (data.len() - position).min(MAX_MATCH);
                let mut expected: Vec<(usize, usize)> = Vec::new();
                for offset in 1..=position.min(WINDOW_SIZE) {
                    let same = |&i: &usize| data[position + i - offset] == data[position + i];
                    let length = (0..limit).take_while(same).count();
                    if length >= 5 && expected.last().is_none_or(|&(last, _)| length > last) {
                        expected.push((length, offset));
                    }
                }
                let mut found = Found::new();
                let effort = Effort { depth: u32::MAX, nice: MAX_MATCH };
                rings.search(&data).at(position).unwrap().gather(0, effort, &mut found);
                let list: Vec<_> = found.list().iter().map(|m| (m.length(), m.offset())).collect();
                for &(length, offset) in &list {
                    prop_assert!((0..length).all(|i| data[position + i - offset] == data[position + i]));
                }
                let long: Vec<_> = list.into_iter().filter(|&(length, _)| length >= 5).collect();
                prop_assert_eq!(&long, &expected, "at {}", position);
                found.clear();
                rings.search(&data).at(position).unwrap().gather(9, effort, &mut found);
                let list: Vec<_> = found.list().iter().map(|m| (m.length(), m.offset())).collect();
                expected.retain(|&(length, _)| length > 9);
                prop_assert_eq!(list, expected, "above 9 at {}", position);
            }
        }
    }

    #[test]
    fn a_full_list_keeps_the_longest() {
        let mut found = Found::new();
        for length in 3..60 {
            found.push(Packed::new(length, length));
        }
        assert_eq!(found.list().len(), MAX_FOUND);
        assert_eq!(found.list().last().unwrap().length(), 59);
    }
}
