//! Step 5, walk: turns the path into tokens.

use super::memory::{Offers, Path};
use super::price::{CHOICE_BITS, CHOICE_MASK, CUT, Prices, SHORT};
use crate::deflate::parse::counts::Counts;
use crate::deflate::token::{OpenBlock, lone_literal, two_literals};
use crate::format::deflate::MIN_MATCH;

/// Adds the tokens of the path from `position` to `to`, and returns where the last match or literal ends. Index 0 of the path
/// is position `base`.
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
    let mut literals = position;
    while position < to {
        let ahead = ahead(path, position - base);
        if ahead == 0 {
            position += 64;
            continue;
        }
        position += ahead.trailing_zeros() as usize;
        if position >= to {
            break;
        }
        add_literals(block, data, (literals, position));
        let index = position - base;
        let choice = u32::from(path.choices[index]) & CHOICE_MASK;
        let offer = if choice == SHORT { &offers.short } else { &offers.long };
        let length = usize::from(offer.lengths[index]) + MIN_MATCH - usize::from(choice == CUT);
        counts.add_match(length);
        let found = (length, usize::from(offer.distances[index]));
        position = block.add_match_early(data, position, found, |literal, length| {
            let literal = prices.literals[usize::from(literal)] >> CHOICE_BITS;
            literal + u32::from(prices.lengths[length]) > u32::from(prices.lengths[length + 1])
        });
        literals = position;
    }
    add_literals(block, data, (literals, to.max(literals)));
    literals.max(to)
}

/// A bit for each of the 64 positions from `index` on where a match was chosen.
#[inline(always)]
fn ahead(path: &Path, index: usize) -> u64 {
    let (word, bit) = (index / 64, index % 64);
    // Two shifts, since one by 64 is not defined.
    path.matches[word] >> bit | path.matches[word + 1] << 1 << (63 - bit)
}

/// Adds the literals from `from` to `to`. Four at a time, without a branch that depends on their number below four.
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
    if count % 2 == 1 {
        tokens[*len + count / 2] = lone_literal(data[to - 1]);
    }
    *len += count.div_ceil(2);
}

/// The bytes at `at`, or zeros past the end.
#[inline(always)]
fn four_bytes(data: &[u8], at: usize) -> [u8; 4] {
    match data.get(at..).and_then(|rest| rest.first_chunk()) {
        Some(bytes) => *bytes,
        None => core::array::from_fn(|ahead| data.get(at + ahead).copied().unwrap_or(0)),
    }
}
