//! RFC 1951: DEFLATE's limits and tables.
//!
//! Lengths and offsets are coded as a *slot* (the symbol) plus extra bits. Lengths 3 to 258 use slots 0 to 28, sent as
//! symbols 257 to 285; offsets 1 to 32768 use slots 0 to 29.

#![forbid(unsafe_code)]

/// The shortest match.
pub const MIN_MATCH: usize = 3;
/// The longest match.
pub const MAX_MATCH: usize = 258;
/// The maximum offset of a match.
pub const WINDOW_SIZE: usize = 32768;
/// The maximum number of bytes in one stored block.
pub const MAX_STORED: usize = 65535;

/// The symbol that ends a block.
pub const END_OF_BLOCK: usize = 256;
/// The symbol of length slot 0.
pub const FIRST_LENGTH: usize = 257;
/// Number of literal/length symbols that may occur.
pub const LITLEN_SYMBOLS: usize = 286;
/// Number of offset symbols that may occur.
pub const OFFSET_SYMBOLS: usize = 30;
/// Number of precode symbols.
pub const PRECODE_SYMBOLS: usize = 19;
/// Longest codeword of the literal/length and offset codes.
pub const MAX_CODEWORD: u32 = 15;
/// Longest codeword of the precode.
pub const MAX_PRECODE_CODEWORD: u32 = 7;

/// Number of length slots.
pub const LENGTH_SLOTS: usize = 29;
/// The shortest length of each slot (3.2.5).
pub const LENGTH_BASE: [u16; LENGTH_SLOTS] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
    227, 258,
];
/// The extra bits of each length slot.
pub const LENGTH_EXTRA: [u8; LENGTH_SLOTS] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
/// The smallest offset of each slot (3.2.5).
pub const OFFSET_BASE: [u16; OFFSET_SYMBOLS] = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073,
    4097, 6145, 8193, 12289, 16385, 24577,
];
/// The extra bits of each offset slot.
pub const OFFSET_EXTRA: [u8; OFFSET_SYMBOLS] =
    [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
/// The order in which precode lengths are sent (3.2.7).
pub const PRECODE_ORDER: [usize; PRECODE_SYMBOLS] =
    [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// The slot of each length 0 to 258; lengths below [`MIN_MATCH`] have no slot, and their entry is 0.
pub const LENGTH_SLOT: [u8; MAX_MATCH + 1] = length_slots();

const fn length_slots() -> [u8; MAX_MATCH + 1] {
    let mut slots = [0; MAX_MATCH + 1];
    let mut slot = 0;
    let mut length = MIN_MATCH;
    while length <= MAX_MATCH {
        // Slot 27 would reach 258, which has its own slot.
        while slot + 1 < LENGTH_SLOTS && LENGTH_BASE[slot + 1] as usize <= length {
            slot += 1;
        }
        slots[length] = slot as u8;
        length += 1;
    }
    slots
}

/// The slot of an offset 1 to 32768: the position of the top bit of `offset - 1`, doubled, plus the bit below it.
#[inline(always)]
pub fn offset_slot(offset: usize) -> usize {
    let value = (offset as u32).wrapping_sub(1);
    // With bit 1 set, 0 and 1 have the same bit length as 2, so no branch is needed for them.
    let below_top = 30 - (value | 2).leading_zeros();
    (2 * below_top + (value >> below_top)) as usize
}

/// The fixed literal/length code's codeword lengths (3.2.6).
pub const FIXED_LITLEN_LENGTHS: [u8; 288] = fixed_litlen_lengths();

const fn fixed_litlen_lengths() -> [u8; 288] {
    let mut lengths = [8; 288];
    let mut symbol = 144;
    while symbol < 280 {
        lengths[symbol] = if symbol < 256 { 9 } else { 7 };
        symbol += 1;
    }
    lengths
}

/// The length of every codeword of the fixed offset code (3.2.6).
pub const FIXED_OFFSET_LENGTH: u8 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_lies_in_its_slot() {
        for (length, &slot) in LENGTH_SLOT.iter().enumerate().skip(MIN_MATCH) {
            let slot = slot as usize;
            let extra = length - LENGTH_BASE[slot] as usize;
            assert!(extra < 1 << LENGTH_EXTRA[slot], "length {length}, slot {slot}");
        }
        assert_eq!(LENGTH_SLOT[257], 27);
        assert_eq!(LENGTH_SLOT[258], 28);
    }

    #[test]
    fn every_offset_lies_in_its_slot() {
        for offset in 1..=WINDOW_SIZE {
            let slot = offset_slot(offset);
            let extra = offset - OFFSET_BASE[slot] as usize;
            assert!(extra < 1 << OFFSET_EXTRA[slot], "offset {offset}, slot {slot}");
        }
    }
}
