//! Symbol costs: the estimates on which the chunk encoder's parsers for levels 2 to 12 base their
//! decisions.
//!
//! A block's Huffman codes (RFC 1951, 3.2.7) are computed after all its symbols are known, but the
//! parser must compare choices before that. So it estimates: a symbol of frequency `f` among `n`
//! costs `log2(n / f)` bits, the ideal length of its codeword. Costs are in sixteenths of a bit.
//!
//! ```text
//! literal          log2(literals and matches / frequency of the byte)
//! match's length   log2(literals and matches / frequency of its slot)  + the slot's extra bits
//! match's offset   log2(matches / frequency of its slot)               + the slot's extra bits
//! ```
//!
//! Lengths share a code with the literals, offsets have their own; so the totals differ. For
//! example, with 1000 symbols, of which 400 are matches: a literal that occurred 50 times costs
//! log2(1000 / 50) = 4.3 bits, and an offset slot that occurred 50 times log2(400 / 50) = 3 bits,
//! and its extra bits.
//!
//! The frequencies are those of the open block so far. Costs are refreshed after 4 KiB of a block,
//! then at doubling distances; the next block starts with the last ones. Levels 10 to 12 also
//! refresh them at a block's end. A chunk starts with fixed defaults, since costs must not depend
//! on earlier chunks.
//!
//! The estimates affect themselves: cheap symbols are chosen more often and become cheaper. On data of four letters, such as
//! DNA, this can make choices permanently poor. Limits on every cost, and the lazy parser's minimum gain of a match over
//! literals, prevent that.

#![forbid(unsafe_code)]

use crate::deflate::entropy::{BIT, log2_sixteenths};
use crate::deflate::token::Frequencies;
use crate::format::deflate::{
    FIRST_LENGTH, LENGTH_EXTRA, LENGTH_SLOT, LENGTH_SLOTS, MAX_MATCH, MIN_MATCH, OFFSET_EXTRA,
    OFFSET_SYMBOLS, offset_slot,
};

// The lowest and the highest cost of a symbol without its extra bits. A Huffman codeword has at
// least one bit. A symbol that has not occurred gets the highest cost: it may be chosen in the rest
// of the block, but only if it saves many bits.
const LITERAL_RANGE: (u32, u32) = (BIT, 13 * BIT);
const LENGTH_RANGE: (u32, u32) = (BIT, 12 * BIT);
const OFFSET_RANGE: (u32, u32) = (BIT, 9 * BIT);

/// Costs of all symbols, extra bits included: by byte, by length, by offset slot. The cost of a
/// match is the sum of two entries. An entry for each length, not for each slot, saves the parsers
/// a look-up.
#[derive(Debug)]
pub(in crate::deflate) struct Costs {
    literal: [u16; 256],
    length: [u16; MAX_MATCH + 1],
    offset: [u16; OFFSET_SYMBOLS],
    /// The mean cost of the literals that occurred. Parsers use it where a sum over the bytes of a
    /// match would cost too much time.
    mean_literal: u32,
}

impl Costs {
    /// The costs assumed before any data.
    pub(in crate::deflate) fn defaults() -> Self {
        const DEFAULTS: Costs = default_costs();
        DEFAULTS
    }

    /// Derives all costs from the open block's frequencies so far. Changes nothing if there are no
    /// symbols yet, and does not change `mean_literal` if there are no literals.
    pub(in crate::deflate) fn refresh(&mut self, frequencies: &Frequencies) {
        let literals = &frequencies.litlen[..256];
        let literal_count: u32 = literals.iter().sum();
        let matches: u32 = frequencies.offset.iter().sum();
        if literal_count + matches == 0 {
            return;
        }
        // Each match has one length and one offset symbol, so `matches` is also the number of length
        // symbols.
        let total = log2_sixteenths(literal_count + matches);
        // The logarithm of the sum of all frequencies divided by `frequency`; `total` is the sum's
        // logarithm, never smaller than the frequency's. `min` makes sure that the subtraction
        // cannot wrap.
        let cost = |total: u32, frequency: u32, (low, high): (u32, u32)| match frequency {
            0 => high,
            _ => (total - log2_sixteenths(frequency).min(total)).clamp(low, high),
        };
        let mut sum = 0;
        for (literal, &frequency) in self.literal.iter_mut().zip(literals) {
            let cost = cost(total, frequency, LITERAL_RANGE);
            *literal = cost as u16;
            sum += u64::from(cost) * u64::from(frequency);
        }
        if literal_count > 0 {
            self.mean_literal = (sum / u64::from(literal_count)) as u32;
        }
        self.set_lengths(|slot| cost(total, frequencies.litlen[FIRST_LENGTH + slot], LENGTH_RANGE));
        let total = log2_sixteenths(matches.max(1));
        self.set_offsets(|slot| cost(total, frequencies.offset[slot], OFFSET_RANGE));
    }

    /// Sets the cost of every length from that of its slot. All lengths of a slot cost the same.
    fn set_lengths(&mut self, symbol_cost: impl Fn(usize) -> u32) {
        let slots: [u32; LENGTH_SLOTS] =
            core::array::from_fn(|slot| symbol_cost(slot) + BIT * u32::from(LENGTH_EXTRA[slot]));
        for length in MIN_MATCH..=MAX_MATCH {
            self.length[length] = slots[LENGTH_SLOT[length] as usize] as u16;
        }
    }

    /// Sets the cost of every offset slot.
    fn set_offsets(&mut self, symbol_cost: impl Fn(usize) -> u32) {
        for (slot, offset) in self.offset.iter_mut().enumerate() {
            *offset = (symbol_cost(slot) + BIT * u32::from(OFFSET_EXTRA[slot])) as u16;
        }
    }

    /// The cost of `byte` as a literal.
    #[inline(always)]
    pub(in crate::deflate) fn literal(&self, byte: u8) -> u32 {
        u32::from(self.literal[byte as usize])
    }

    /// The cost of a match; `length` is at most 258, `offset` at most 32768.
    #[inline(always)]
    pub(in crate::deflate) fn of_match(&self, length: usize, offset: usize) -> u32 {
        u32::from(self.length[length]) + u32::from(self.offset[offset_slot(offset)])
    }

    /// The cost of a match's length alone.
    #[inline(always)]
    pub(in crate::deflate) fn of_length(&self, length: usize) -> u32 {
        u32::from(self.length[length])
    }

    /// The cost of a match's offset alone.
    #[inline(always)]
    pub(in crate::deflate) fn of_offset(&self, offset: usize) -> u32 {
        u32::from(self.offset[offset_slot(offset)])
    }

    /// Whether a match costs less than the same number of bytes as mean literals.
    #[inline(always)]
    pub(in crate::deflate) fn is_gain(&self, length: usize, offset: usize) -> bool {
        length as u32 * self.mean_literal > self.of_match(length, offset)
    }

    /// The mean cost of a literal.
    #[inline(always)]
    pub(in crate::deflate) fn mean_literal(&self) -> u32 {
        self.mean_literal
    }

    /// The cost of `bytes` as literals.
    #[inline(always)]
    pub(in crate::deflate) fn of_literals(&self, bytes: &[u8]) -> u32 {
        bytes.iter().map(|&byte| self.literal(byte)).sum()
    }
}

/// [`Costs::defaults`], computed at compile time, since at run time it would slow down a short
/// chunk.
///
/// Every literal costs 7 bits. A length costs 3 bits, one more for each four slots, and its extra
/// bits: short matches are the frequent ones. An offset costs 4.5 bits and its extra bits, somewhat
/// less than the 4.9 of 30 equally frequent slots.
const fn default_costs() -> Costs {
    let mut costs = Costs {
        literal: [(7 * BIT) as u16; 256],
        length: [0; MAX_MATCH + 1],
        offset: [0; OFFSET_SYMBOLS],
        mean_literal: 7 * BIT,
    };
    let mut length = MIN_MATCH;
    while length <= MAX_MATCH {
        let slot = LENGTH_SLOT[length] as usize;
        costs.length[length] = ((3 + slot as u32 / 4 + LENGTH_EXTRA[slot] as u32) * BIT) as u16;
        length += 1;
    }
    let mut slot = 0;
    while slot < OFFSET_SYMBOLS {
        costs.offset[slot] = (4 * BIT + BIT / 2 + OFFSET_EXTRA[slot] as u32 * BIT) as u16;
        slot += 1;
    }
    costs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_symbols_are_cheap_and_absent_ones_expensive() {
        let mut frequencies = Frequencies::NONE;
        frequencies.litlen[b'e' as usize] = 900;
        frequencies.litlen[b'z' as usize] = 100;
        let mut costs = Costs::defaults();
        costs.refresh(&frequencies);
        assert_eq!(costs.literal(b'e'), BIT);
        assert!((costs.literal(b'z') as i32 - 53).abs() <= 1);
        assert_eq!(costs.literal(b'q'), 13 * BIT);
    }
}
