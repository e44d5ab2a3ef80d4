//! The last positions of the data, where too few bytes are left for the steps: each match is taken
//! as it is found.
//!
//! The five steps load 32 bytes at each position without a test. So they end 32 positions before
//! the end of the data, and these remain for a simple greedy parser:
//!
//! 1. Enter the position in the same two tables, and compare its candidates to the end of the data.
//! 2. Take the match that saves most against literals by the same prices, or else a literal.
//! 3. Go on after it.
//!
//! It compares the matches of one position, not paths: at most 32 positions of a chunk come here.
//! For the same reason positions inside a match are not entered.

use super::Counts;
use super::fill::enter_word;
use super::memory::Heads;
use super::price::{CHOICE_BITS, NO_PRICE, Prices, sum};
use crate::deflate::match_finder::match_length;
use crate::deflate::token::OpenBlock;
use crate::format::deflate::{MAX_MATCH, WINDOW_SIZE, offset_slot};

/// Adds the tokens from `position` to `to`; returns where the last one ends. That is past `to` if a
/// line of the grid lies among the last positions and a match spans it. Without such positions,
/// `position >= to` already holds, and this does nothing.
pub(super) fn take<const LONG: usize, const SHORT: usize, const WAYS: usize>(
    heads: &mut Heads<'_>,
    prices: &Prices,
    data: &[u8],
    (mut position, to): (usize, usize),
    block: &mut OpenBlock,
    counts: &mut Counts,
) -> usize {
    while position < to {
        if let Some((length, distance)) = best::<LONG, SHORT, WAYS>(heads, prices, data, position) {
            block.add_match(position, length, distance);
            counts.add_match(length);
            position += length;
        } else {
            block.add_literal(data[position]);
            position += 1;
        }
    }
    position
}

/// Enters `position`, and returns the length and distance of the match that saves most there, if one does.
fn best<const LONG: usize, const SHORT: usize, const WAYS: usize>(
    heads: &mut Heads<'_>,
    prices: &Prices,
    data: &[u8],
    position: usize,
) -> Option<(usize, usize)> {
    let rest = &data[position..];
    // Zeros past the end only affect the hash: a wrong candidate is compared like any other, and a
    // match has at most `limit` bytes.
    let mut word = [0; 16];
    let known = rest.len().min(16);
    word[..known].copy_from_slice(&rest[..known]);
    let (bucket, short) = enter_word::<LONG, SHORT, WAYS>(heads, u128::from_le_bytes(word), position);
    let limit = rest.len().min(MAX_MATCH);
    // From the nearest of the long key to the farthest, then that of the short key.
    let entries = (0..WAYS).map(|way| (bucket >> (16 * way)) as u16).chain([short]);
    let matches = entries.filter_map(|entry| {
        let distance = usize::from((position as u16).wrapping_sub(entry));
        // An empty or old entry may lie before the front of the data or outside the window.
        if distance == 0 || distance > position.min(WINDOW_SIZE) {
            return None;
        }
        // SAFETY: `distance <= position`, and `limit` bytes are left there.
        let length = unsafe { match_length(data, position - distance, position, 0, limit) };
        let price = sum(prices.lengths[length], prices.offsets[offset_slot(distance)]);
        let literals: u32 = rest[..length].iter().map(|&byte| prices.literals[usize::from(byte)]).sum();
        // Lengths below the keys' shortest have the price `NO_PRICE`, as in the plan.
        let saved = (literals >> CHOICE_BITS).checked_sub(u32::from(price)).filter(|_| price != NO_PRICE)?;
        (saved > 0).then_some((saved, length, distance))
    });
    matches.max_by_key(|&(saved, ..)| saved).map(|(_, length, distance)| (length, distance))
}
