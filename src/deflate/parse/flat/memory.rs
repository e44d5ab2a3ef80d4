//! The tables and arrays of the flat parser, whose steps are loops over all positions of a span.
//!
//! Each step reads the arrays of the one before, index by index; index 0 is the span's start, at a
//! multiple of 1 KiB from the chunk's:
//!
//! ```text
//! fill      Heads -> Found::buckets -> Found::distances, short_distances
//! verify    distances -> Found::lengths, short_lengths
//! prepare   Found -> Offers
//! plan      Offers -> Path
//! walk      Path, Offers -> tokens
//! ```
//!
//! `Found` is needed for the positions of one call only. `Offers` also keep the last 128 positions,
//! which are planned again with the next span ([`Memory::shift`]); `Path` is computed anew.
//!
//! The long key of a position is a hash of its next 5 to 12 bytes, the short key one of 3 or 4.
//!
//! The layout is structures of arrays: a step loops over one or two fields of all positions, and
//! with vectors loads 16 or 32 of them at once.

use super::AHEAD;
use super::price::Prices;
use crate::deflate::match_finder::distance_rings::{CHAIN_BITS, DistanceRings, NEAR_BITS};
use crate::deflate::parse::SPAN;
use crate::raw::Zeroed;

/// The positions that the arrays hold: a span and those after it that its decisions depend on.
pub(super) const POSITIONS: usize = SPAN + AHEAD;
/// The maximum number of candidates with the same long key.
pub(super) const WAYS_MAX: usize = 4;
/// Entries of the table of the long key, in buckets of 1, 2 or 4.
const LONG_HEADS: usize = 1 << CHAIN_BITS;
/// The binary logarithm of the number of entries in the short key's table.
pub(super) const SHORT_BITS: u32 = NEAR_BITS;
const SHORT_HEADS: usize = 1 << SHORT_BITS;

/// The arrays, 48 KiB.
#[repr(C, align(16))]
pub(in crate::deflate) struct Memory {
    pub(super) found: Found,
    pub(super) offers: Offers,
    pub(super) path: Path,
    pub(super) prices: Prices,
}

// SAFETY: arrays of numbers.
unsafe impl Zeroed for Memory {}

/// The most recent positions of each string, modulo 64 Ki, stored in the tables of the [`DistanceRings`], which are unused meanwhile.
///
/// Old entries are not removed: modulo 64 Ki they look recent, and are compared like recent ones.
/// 0 does not mean "empty".
///
/// A bucket of the long key is a queue in one number of 16, 32 or 64 bits, so one shift drops the
/// oldest entry:
///
/// ```text
/// before    | p3 | p2 | p1 | p0 |      p0, in the low 16 bits, is the most recent
/// after     | p2 | p1 | p0 | p  |      push_long(p) returns the old number
/// ```
pub(super) struct Heads<'a> {
    long: &'a mut [i16; LONG_HEADS],
    short: &'a mut [i16; SHORT_HEADS],
}

/// The binary logarithm of the number of buckets of `ways` entries. With 2 and 4 ways all `1 << 17`
/// entries are used, with 1 half of them.
pub(super) const fn long_bits(ways: usize) -> u32 {
    if ways == 4 { 15 } else { 16 }
}

impl<'a> Heads<'a> {
    /// The tables of `rings`, after [`DistanceRings::clear_heads`].
    pub(super) fn of(rings: &'a mut DistanceRings) -> Self {
        let (long, short) = rings.heads();
        let sized = "sized by `clear_heads`";
        Self { long: long.try_into().expect(sized), short: short.try_into().expect(sized) }
    }

    /// Puts `position` first in bucket `index`. Returns the bucket's earlier entries, the most recent in the low 16 bits.
    #[inline(always)]
    pub(super) fn push_long<const WAYS: usize>(&mut self, index: u32, position: u16) -> u64 {
        debug_assert!(index >> long_bits(WAYS) == 0);
        let index = index as usize;
        let start = self.long.as_mut_ptr();
        match WAYS {
            1 => u64::from(core::mem::replace(&mut self.long[index & 0xffff], position as i16) as u16),
            2 => {
                // SAFETY: two entries for each of `1 << 16` indices are `1 << 17` entries.
                let bucket = unsafe { start.cast::<u32>().add(index & 0xffff) };
                // SAFETY: as above; `&mut self` makes the access exclusive.
                let earlier = unsafe { bucket.read_unaligned() };
                // SAFETY: as above.
                unsafe { bucket.write_unaligned(earlier << 16 | u32::from(position)) };
                u64::from(earlier)
            }
            _ => {
                // SAFETY: four entries for each of `1 << 15` indices are `1 << 17` entries.
                let bucket = unsafe { start.cast::<u64>().add(index & 0x7fff) };
                // SAFETY: as above; `&mut self` makes the access exclusive.
                let earlier = unsafe { bucket.read_unaligned() };
                // SAFETY: as above.
                unsafe { bucket.write_unaligned(earlier << 16 | u64::from(position)) };
                earlier
            }
        }
    }

    /// Replaces the entry of `index` by `position`, and returns the earlier entry.
    #[inline(always)]
    pub(super) fn swap_short(&mut self, index: u32, position: u16) -> u16 {
        core::mem::replace(&mut self.short[index as usize & 0xffff], position as i16) as u16
    }
}

/// The candidates of each position: distances, 0 for none, and match lengths, up to 32 for the long key
/// and up to 8 for the short one.
#[repr(C, align(16))]
pub(super) struct Found {
    /// The earlier entries of each position's bucket.
    pub(super) buckets: [u64; POSITIONS],
    pub(super) distances: [[u16; POSITIONS]; WAYS_MAX],
    pub(super) lengths: [[u8; POSITIONS]; WAYS_MAX],
    pub(super) short_distances: [u16; POSITIONS],
    pub(super) short_lengths: [u8; POSITIONS],
}

/// The matches that the planner chooses from: at each position the longest of the long key, and that of the short key.
#[repr(C, align(16))]
pub(super) struct Offers {
    pub(super) long: Offer,
    /// The price of the long match if it is made one byte shorter.
    pub(super) cut_prices: [u16; POSITIONS],
    pub(super) short: Offer,
}

/// One match at each position.
#[repr(C, align(16))]
pub(super) struct Offer {
    pub(super) distances: [u16; POSITIONS],
    /// Lengths less 3; `NO_LENGTH` of `prepare.rs` where there is no match.
    pub(super) lengths: [u8; POSITIONS],
    /// Prices, with the number of the choice in the low two bits; [`NO_OFFER`](super::price::NO_OFFER) for no match.
    pub(super) prices: [u16; POSITIONS],
}

/// The longest match may end 257 bytes past the end of the positions, so `plan` sets 260 prices
/// there, two more than it needs.
const PATH_END: usize = POSITIONS + 260;

/// The cheapest path.
#[repr(C, align(16))]
pub(super) struct Path {
    /// The price of the path from each position to the end.
    pub(super) prices: [u32; PATH_END],
    /// The first step of that path, in the low two bits.
    pub(super) choices: [u8; POSITIONS],
    /// The mean price of a byte of the last span, `u32::MAX` before the first.
    pub(super) mean: u32,
    /// One bit for each position whose choice is a match, and two words of zeros past the end.
    pub(super) matches: [u64; POSITIONS / 64 + 2],
}

impl Memory {
    /// Moves the last [`AHEAD`] positions to the front, where they are the first of the next span.
    /// Their offers keep their prices, even if the costs are refreshed now.
    pub(super) fn shift(&mut self) {
        let Offers { long, cut_prices, short } = &mut self.offers;
        cut_prices.copy_within(SPAN.., 0);
        for offer in [long, short] {
            offer.distances.copy_within(SPAN.., 0);
            offer.lengths.copy_within(SPAN.., 0);
            offer.prices.copy_within(SPAN.., 0);
        }
    }
}
