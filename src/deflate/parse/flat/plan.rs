//! Step 4, plan: the cheapest path through the positions, from the last to the first.
//!
//! At each position a literal, the long match, the same less its last byte, and the short match are offered. The price of the
//! path from there is the least sum of a step's price and the price of the path from its end. A price carries its choice in
//! the low two bits, so one minimum selects both.

use super::memory::{Offers, POSITIONS, Path};
use super::price::{CHOICE_MASK, Prices};

/// The price of the path from the position past the last one: above any sum of [`Prices::covered`].
const HORIZON: u32 = 1 << 20;
/// The shortest match.
const MIN: usize = 3;

/// Finds the path of the first `count` positions, which are those of `data`.
#[inline(never)]
pub(super) fn plan(path: &mut Path, offers: &Offers, prices: &Prices, data: &[u8], count: usize) {
    assert!(count <= POSITIONS && data.len() >= count, "the positions are in the arrays");
    for (past, price) in path.prices[count..count + 260].iter_mut().enumerate() {
        *price = HORIZON - prices.covered * past as u32;
    }
    let Offers { long, cut_prices, short } = offers;
    let mut next = HORIZON;
    for index in (0..count).rev() {
        let length = usize::from(long.lengths[index]);
        let mut best = path.prices[index + MIN + length] + u32::from(long.prices[index]);
        best = smaller(best, path.prices[index + MIN - 1 + length] + u32::from(cut_prices[index]));
        let length = usize::from(short.lengths[index]);
        best = smaller(best, path.prices[index + MIN + length] + u32::from(short.prices[index]));
        // The price of the next position is available last.
        best = smaller(best, next + prices.literals[data[index] as usize]);
        path.choices[index] = best as u8;
        next = best & !CHOICE_MASK;
        path.prices[index] = next;
    }
    mark_matches(path, count);
}

/// The smaller of two prices. As `min` it would become a branch, which costs a quarter of the parser's time.
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

/// Sets a bit for each of the first `count` positions where a match was chosen, and clears the bits after them.
#[inline(never)]
fn mark_matches(path: &mut Path, count: usize) {
    path.choices[count..].fill(0);
    for (choices, word) in path.choices.chunks_exact(64).zip(&mut path.matches) {
        let mut bits = 0;
        for (byte, choices) in choices.chunks_exact(8).enumerate() {
            let choices = u64::from_le_bytes(choices.try_into().expect("eight bytes"));
            // The lowest bit of each byte whose choice is not 0; the product brings the eight together in its top byte.
            let are_matches = (choices | choices >> 1) & 0x0101_0101_0101_0101;
            bits |= are_matches.wrapping_mul(0x0102_0408_1020_4080) >> 56 << (8 * byte);
        }
        *word = bits;
    }
}
