//! Prices: the costs of symbols in the form that the steps of the flat parser use, in 1/8 bit.
//!
//! [`Costs`] are in 1/16 bit and may exceed a byte. Halved, the price of a length or an offset fits
//! one, so vectors look up 32 prices at once with byte shuffles. Prices are computed at each
//! refresh of the costs, not for each position.
//!
//! In the plan a price also carries the choice that it belongs to:
//!
//! ```text
//! bits 2 ..        the price, in 1/8 bit
//! bits 0 .. 2      the choice: 0 literal, LONG, SHORT, CUT
//! ```
//!
//! So one minimum selects both the price and the choice; of equal prices it selects the smaller
//! number, first of all the literal. A path's price has 0 in these bits, and one step is added to
//! it, so the sum has the step's choice.

use crate::deflate::parse::cost::Costs;
use crate::format::deflate::{MAX_MATCH, OFFSET_BASE};

/// A length or match that cannot be used. The price of every length (at most 12 + 5 bits) and
/// offset (9 + 13 bits) is below, by the limits of [`Costs`]; see [`sum`] for both together.
pub(super) const NO_PRICE: u8 = u8::MAX;
/// In [`Offer::prices`](super::memory::Offer): no match. The plan does not test for it; the head of
/// `plan.rs` has the reason.
pub(super) const NO_OFFER: u16 = u16::MAX;

/// The choices at a position, as the low two bits of a price; 0 is a literal.
pub(super) const LONG: u32 = 1;
pub(super) const SHORT: u32 = 2;
pub(super) const CUT: u32 = 3;
pub(super) const CHOICE_MASK: u32 = 3;
/// Prices are shifted by this to make room for the choice.
pub(super) const CHOICE_BITS: u32 = 2;

/// The value of a covered byte past the last position, in percent of a mean literal, as in the lazy
/// parser: about the cost of an average byte, which is often part of a match and then costs less
/// than a literal.
const COVERED_VALUE: u32 = 70;

/// The prices of all symbols.
#[derive(Debug)]
#[repr(C, align(16))]
pub(super) struct Prices {
    /// By length 0 to 31: the price of that length, and that of one byte less. For the byte
    /// shuffles of vectors.
    pub(super) small_lengths: [[u8; 32]; 2],
    /// By offset slot (RFC 1951, 3.2.5), extra bits included.
    pub(super) offsets: [u8; 32],
    /// By length, extra bits included.
    pub(super) lengths: [u8; MAX_MATCH + 1],
    /// Shifted by [`CHOICE_BITS`].
    pub(super) literals: [u32; 256],
    /// The value of a covered byte, likewise shifted.
    pub(super) covered: u32,
}

impl Prices {
    /// Sets all prices. `shortest`: the minimum length of a match. Shorter lengths get
    /// [`NO_PRICE`]: they occur where hashes collide.
    pub(super) fn set(&mut self, costs: &Costs, shortest: usize) {
        // Costs are in 1/16 bit, prices in 1/8.
        let eighths = |cost: u32| (cost / 2).min(u32::from(NO_PRICE)) as u8;
        for (length, price) in self.lengths.iter_mut().enumerate() {
            *price = if length < shortest { NO_PRICE } else { eighths(costs.of_length(length)) };
        }
        let [small, cut] = &mut self.small_lengths;
        small.copy_from_slice(&self.lengths[..32]);
        cut[0] = NO_PRICE;
        cut[1..].copy_from_slice(&self.lengths[..31]);
        for (base, price) in OFFSET_BASE.iter().zip(&mut self.offsets) {
            *price = eighths(costs.of_offset(usize::from(*base)));
        }
        for (byte, price) in (0..=u8::MAX).zip(&mut self.literals) {
            *price = (costs.literal(byte) / 2) << CHOICE_BITS;
        }
        // 100 for the percentage, times 2 since prices are half of costs.
        self.covered = (costs.mean_literal() * COVERED_VALUE / 200) << CHOICE_BITS;
    }
}

/// The price of a match, from those of its length and its offset: [`NO_PRICE`] if its length has
/// none, and at most 254, or 31.75 bits. A match whose symbols have not occurred yet may cost up to
/// 39 bits, but must be offered: it saves more than that if it is long.
#[inline(always)]
pub(super) fn sum(length: u8, offset: u8) -> u8 {
    if length == NO_PRICE { NO_PRICE } else { length.saturating_add(offset).min(NO_PRICE - 1) }
}

/// As [`sum`], in the form of [`Offer::prices`](super::memory::Offer).
#[inline(always)]
pub(super) fn offer(length: u8, offset: u8, choice: u32) -> u16 {
    match sum(length, offset) {
        NO_PRICE => NO_OFFER,
        price => u16::from(price) << CHOICE_BITS | choice as u16,
    }
}
