//! The last positions of the data, where too few bytes are left for the steps: each match is taken as it is found.

use super::Counts;
use super::fill::enter_word;
use super::memory::Heads;
use super::price::{CHOICE_BITS, NO_PRICE, Prices};
use crate::deflate::match_finder::match_length;
use crate::deflate::token::OpenBlock;
use crate::format::deflate::{MAX_MATCH, WINDOW_SIZE, offset_slot};

/// Adds the tokens from `position` to `to`, or slightly past it; returns where the last one ends.
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
    let mut word = [0; 8];
    let known = rest.len().min(8);
    word[..known].copy_from_slice(&rest[..known]);
    let (bucket, short) = enter_word::<LONG, SHORT, WAYS>(heads, u64::from_le_bytes(word), position);
    let limit = rest.len().min(MAX_MATCH);
    let entries = (0..WAYS).map(|way| (bucket >> (16 * way)) as u16).chain([short]);
    let matches = entries.filter_map(|entry| {
        let distance = usize::from((position as u16).wrapping_sub(entry));
        if distance == 0 || distance > position.min(WINDOW_SIZE) {
            return None;
        }
        // SAFETY: `distance <= position`, and `limit` bytes are left there.
        let length = unsafe { match_length(data, position - distance, position, 0, limit) };
        let price = prices.lengths[length].saturating_add(prices.offsets[offset_slot(distance)]);
        let literals: u32 = rest[..length].iter().map(|&byte| prices.literals[usize::from(byte)]).sum();
        let saved = (literals >> CHOICE_BITS).checked_sub(u32::from(price)).filter(|_| price != NO_PRICE)?;
        (saved > 0).then_some((saved, length, distance))
    });
    matches.max_by_key(|&(saved, ..)| saved).map(|(_, length, distance)| (length, distance))
}
