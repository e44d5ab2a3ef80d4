//! Prices: the costs of symbols in the form that the steps of the flat parser use, in 1/8 bit.

use crate::deflate::parse::cost::Costs;
use crate::format::deflate::{MAX_MATCH, OFFSET_BASE};

/// A symbol or match that cannot be used. Every real price is below.
pub(super) const NO_PRICE: u8 = u8::MAX;
/// In [`Offer::prices`](super::memory::Offer): no match.
pub(super) const NO_OFFER: u16 = u16::MAX;

/// The choices at a position, as the low two bits of a price; 0 is a literal.
pub(super) const LONG: u32 = 1;
pub(super) const SHORT: u32 = 2;
pub(super) const CUT: u32 = 3;
pub(super) const CHOICE_MASK: u32 = 3;
/// Prices are shifted by this to make room for the choice.
pub(super) const CHOICE_BITS: u32 = 2;

/// The value of a covered byte past the last position, in percent of a mean literal.
const COVERED_VALUE: u32 = 70;

#[derive(Debug)]
#[repr(C, align(16))]
pub(super) struct Prices {
    /// By length 0 to 31, then by length less one 0 to 31: for the byte shuffles of vectors.
    pub(super) small_lengths: [[u8; 32]; 2],
    pub(super) offsets: [u8; 32],
    pub(super) lengths: [u8; MAX_MATCH + 1],
    /// Shifted by [`CHOICE_BITS`].
    pub(super) literals: [u32; 256],
    /// The value of a covered byte, likewise shifted.
    pub(super) covered: u32,
}

impl Prices {
    /// Sets all prices. `shortest`: the minimum length of a match.
    pub(super) fn set(&mut self, costs: &Costs, shortest: usize) {
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
        self.covered = (costs.mean_literal() * COVERED_VALUE / 200) << CHOICE_BITS;
    }
}

/// The price of a match in [`Offer::prices`](super::memory::Offer), of the prices of its length and its offset.
#[inline(always)]
pub(super) fn offer(length: u8, offset: u8, choice: u32) -> u16 {
    match length.saturating_add(offset) {
        NO_PRICE => NO_OFFER,
        price => u16::from(price) << CHOICE_BITS | choice as u16,
    }
}
