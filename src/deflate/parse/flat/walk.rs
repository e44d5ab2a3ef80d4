//! Step 5, walk: turns the path into tokens.
//!
//! The plan has set a bit in `Path::matches` for each position whose cheapest step is a match. The
//! walk goes from match to match:
//!
//! 1. Load the bits of the next 64 positions. The zeros before the first set bit are literals.
//! 2. Add these literals, two in a token.
//! 3. The choice at the set bit selects the length and distance. Add the match; go on at its end.
//!
//! Bits inside a match are of paths that begin there. The walk steps over them:
//!
//! ```text
//! index     0  1  2  3  4  5  6  7  8  9
//! byte      a  b  c  a  b  c  a  b  c  x
//! bit       0  0  0  1  1  1  0  0  0  0     keys of six and four bytes
//! tokens    (a b)(c)(------ 6, 3 ------)     literals; a match of 6 bytes at distance 3
//! ```
//!
//! A branch for each literal would often be mispredicted. Here the number of literals comes from
//! one count of zero bits, and the literals are added four at a time.

use super::memory::{Offers, Path};
use super::price::{CHOICE_BITS, CHOICE_MASK, CUT, Prices, SHORT};
use crate::deflate::parse::counts::Counts;
use crate::deflate::token::{OpenBlock, lone_literal, two_literals};
use crate::format::deflate::MIN_MATCH;

/// Adds the tokens of the path from `position` to `to`, and returns where the last match or literal
/// ends: at `to`, or past it if a match begins before `to` and spans it. Index 0 of the path is
/// position `base`.
///
/// `position` may be after `base`, since the last match of the previous span may reach into this
/// one. Every position from there to `to` must be planned.
#[inline(never)]
pub(super) fn walk(
    (path, offers): (&Path, &Offers),
    data: &[u8],
    (mut position, to): (usize, usize),
    base: usize,
    prices: &Prices,
    block: &mut OpenBlock,
    counts: &mut Counts,
) -> usize {
    // Where the literals begin that are not added yet.
    let mut literals = position;
    while position < to {
        let ahead = ahead(path, position - base);
        if ahead == 0 {
            // No match begins in these 64 positions: they remain literals for now.
            position += 64;
            continue;
        }
        position += ahead.trailing_zeros() as usize;
        // The plan goes past `to`; that match belongs to the next span, which plans it again.
        if position >= to {
            break;
        }
        add_literals(block, data, (literals, position));
        let index = position - base;
        let choice = u32::from(path.choices[index]) & CHOICE_MASK;
        // The short match has an offer of its own. The other two choices are of the long one: its
        // whole length, and that without the last byte (`CUT`).
        let offer = if choice == SHORT { &offers.short } else { &offers.long };
        let length = usize::from(offer.lengths[index]) + MIN_MATCH - usize::from(choice == CUT);
        counts.add_match(length);
        let found = (length, usize::from(offer.distances[index]));
        // If the bytes before are equal at this distance too, the match begins earlier. The plan
        // did not offer that: a bucket holds only the most recent positions, so the positions
        // before had other candidates. Each literal that the match replaces must cost more than
        // the longer length adds; the offset's cost stays the same. Without this comparison
        // images and binaries were up to 0.3 % larger.
        position = block.add_match_early(data, position, found, |literal, length| {
            let literal = prices.literals[usize::from(literal)] >> CHOICE_BITS;
            literal + u32::from(prices.lengths[length]) > u32::from(prices.lengths[length + 1])
        });
        literals = position;
    }
    add_literals(block, data, (literals, to.max(literals)));
    literals.max(to)
}

/// A bit for each of the 64 positions from `index` on where a match was chosen, the first position
/// in the lowest bit.
///
/// `index` is below `SPAN`, so the second word exists.
#[inline(always)]
fn ahead(path: &Path, index: usize) -> u64 {
    let (word, bit) = (index / 64, index % 64);
    // Two shifts, since one by 64 is not defined.
    path.matches[word] >> bit | path.matches[word + 1] << 1 << (63 - bit)
}

/// Adds the literals from `from` to `to`. Four at a time, without a branch that depends on their
/// number below four: that number is hard to predict.
///
/// Each turn writes two tokens of two literals, also past the last literal. That is harmless:
/// tokens past `len` are not part of the block, the next ones overwrite them, and `OpenBlock` has
/// room for them (`TOKEN_SLACK`). Only literals before `to` are counted.
#[inline(always)]
fn add_literals(block: &mut OpenBlock, data: &[u8], (from, to): (usize, usize)) {
    let count = to - from;
    let (tokens, len, frequencies) = block.raw();
    let mut done = 0;
    loop {
        let bytes = four_bytes(data, from + done);
        for (ahead, &byte) in bytes.iter().enumerate() {
            frequencies.litlen[usize::from(byte)] += u32::from(done + ahead < count);
        }
        let at = *len + done / 2;
        tokens[at] = two_literals(bytes[0], bytes[1]);
        tokens[at + 1] = two_literals(bytes[2], bytes[3]);
        done += 4;
        if done >= count {
            break;
        }
    }
    // The last of an odd number was written as the first of a pair.
    if count % 2 == 1 {
        tokens[*len + count / 2] = lone_literal(data[to - 1]);
    }
    *len += count.div_ceil(2);
}

/// The bytes at `at`, or zeros past the end. A turn reads up to three bytes past the literals, and
/// the data may end there.
#[inline(always)]
fn four_bytes(data: &[u8], at: usize) -> [u8; 4] {
    match data.get(at..).and_then(|rest| rest.first_chunk()) {
        Some(bytes) => *bytes,
        None => core::array::from_fn(|ahead| data.get(at + ahead).copied().unwrap_or(0)),
    }
}
