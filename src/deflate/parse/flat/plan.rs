//! Step 4, plan: the cheapest path through the positions, from the last to the first.
//!
//! At each position a literal, the long match, the same less its last byte, and the short match are
//! offered. The price of the path from there is the least sum of a step's price and the price of
//! the path from its end:
//!
//! ```text
//! for i from the last position to the first:
//!     price[i] = min of  literal of byte i    + price[i + 1]
//!                        long match of L      + price[i + L]
//!                        the same cut by one  + price[i + L - 1]
//!                        short match of S     + price[i + S]
//! ```
//!
//! Going backwards, the path from the end of each step is already known, so one pass decides all
//! positions. Only these four steps are compared, not all lengths of a match as in `near_optimal`.
//! The cut match lets a path leave the last byte to the next step, or use a cheaper length slot.
//!
//! A price carries its choice in the low two bits ([`CHOICE_MASK`]), so one minimum selects both.
//!
//! All four steps are computed at each position, also where there is no match, so the loop has no
//! branch that depends on the data. Where there is none, the step has the price `NO_OFFER`, 65,535,
//! and ends at most 64 positions later. It is never chosen: as many literals cost at most 64 * 13
//! bits, 26,624 in these units (1/8 bit, shifted by two).

use super::memory::{Offers, POSITIONS, Path};
use super::price::{CHOICE_BITS, CHOICE_MASK, Prices};
use crate::deflate::parse::SPAN;

/// The price of the path from the position past the last one: above any sum of [`Prices::covered`],
/// so that no price becomes negative. Only differences of prices matter.
const HORIZON: u32 = 1 << 20;
/// See [`plan`]. With 1 and 3 sizes differ by 0.1 % either way.
const MEANS: u32 = 2;
/// The shortest match.
const MIN: usize = 3;

/// Finds the path of the first `count` positions, which are those of `data`.
///
/// A match may end up to 257 bytes after these positions, where nothing is planned yet. Each byte
/// that it covers there lowers the price by `covered`. If these bytes counted nothing, a match
/// would gain nothing by reaching further. If they counted much more than they cost, the path to
/// the match that reaches furthest would be chosen whatever it costs; so they count at most
/// [`MEANS`] times as much as a byte of the last span.
#[inline(never)]
pub(super) fn plan(path: &mut Path, offers: &Offers, prices: &Prices, data: &[u8], count: usize) {
    assert!(count <= POSITIONS && data.len() >= count, "the positions are in the arrays");
    let most = path.mean.saturating_mul(MEANS).max(1 << CHOICE_BITS);
    // Without a choice in the low bits, as every price of a path.
    let covered = prices.covered.min(most) & !CHOICE_MASK;
    for (past, price) in path.prices[count..count + 260].iter_mut().enumerate() {
        *price = HORIZON - covered * past as u32;
    }
    let Offers { long, cut_prices, short } = offers;
    let mut next = HORIZON;
    for index in (0..count).rev() {
        let length = usize::from(long.lengths[index]);
        let mut best = path.prices[index + MIN + length] + u32::from(long.prices[index]);
        best = smaller(best, path.prices[index + MIN - 1 + length] + u32::from(cut_prices[index]));
        let length = usize::from(short.lengths[index]);
        best = smaller(best, path.prices[index + MIN + length] + u32::from(short.prices[index]));
        // Each position waits for `next` from the turn before, the loop's chain of dependencies. So
        // the literal is compared last: all other minimums are computed meanwhile.
        best = smaller(best, next + prices.literals[data[index] as usize]);
        path.choices[index] = best as u8;
        next = best & !CHOICE_MASK;
        path.prices[index] = next;
    }
    if count == POSITIONS {
        path.mean = path.prices[0].saturating_sub(path.prices[SPAN]) / SPAN as u32;
    }
    mark_matches(path, count);
}

/// The smaller of two prices, by a conditional move. Of `min` or `select_unpredictable` the
/// compiler makes branches: the plan then takes three times as long, which costs a quarter of the
/// parser's time.
#[inline(always)]
fn smaller(first: u32, second: u32) -> u32 {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        let mut smaller = first;
        // SAFETY: the two instructions change only that register and the flags.
        unsafe {
            core::arch::asm!(
                "cmp {1:e}, {0:e}", "cmovb {0:e}, {1:e}",
                inout(reg) smaller, in(reg) second, options(pure, nomem, nostack),
            );
        }
        smaller
    }
    #[cfg(any(not(target_arch = "x86_64"), miri))]
    {
        first.min(second)
    }
}

/// Sets a bit for each of the first `count` positions where a match was chosen, and clears the bits
/// after them: those choices are left from earlier spans.
#[inline(never)]
fn mark_matches(path: &mut Path, count: usize) {
    path.choices[count..].fill(0);
    for (choices, word) in path.choices.chunks_exact(64).zip(&mut path.matches) {
        let mut bits = 0;
        for (byte, choices) in choices.chunks_exact(8).enumerate() {
            let choices = u64::from_le_bytes(choices.try_into().expect("eight bytes"));
            // The lowest bit of each byte: whether its choice is not 0. The product shifts the bit
            // of byte `k` by `56 - 7 * k` to bit `56 + k`. So its top byte has all eight, the first
            // position lowest. No two of the products' bits are at the same place, so nothing is
            // carried.
            let are_matches = (choices | choices >> 1) & 0x0101_0101_0101_0101;
            bits |= are_matches.wrapping_mul(0x0102_0408_1020_4080) >> 56 << (8 * byte);
        }
        *word = bits;
    }
}
