//! What RFC 1951 says a decoder must know: the numbers behind the symbols, and their limits.

#![forbid(unsafe_code)]

/// The longest codeword of the literal/length and the offset code.
pub const MAX_CODE_LEN: usize = 15;
/// The longest codeword of the precode, whose lengths are sent in three bits.
pub const MAX_PRECODE_LEN: usize = 7;
/// Symbols of the literal/length code, the two that may not be used among them.
pub const LITLEN_SYMBOLS: usize = 288;
/// Symbols of the offset code, the two that may not be used among them.
pub const OFFSET_SYMBOLS: usize = 32;
/// The most literal/length symbols that a dynamic block may describe.
pub const MAX_LITLEN_SYMBOLS: usize = 286;
/// The most offset symbols that a dynamic block may describe.
pub const MAX_OFFSET_SYMBOLS: usize = 30;
/// Symbols of the precode: lengths 0 to 15 and three kinds of repeat.
pub const PRECODE_SYMBOLS: usize = 19;
/// The literal/length symbol that ends a block.
pub const END_OF_BLOCK: usize = 256;
/// The first literal/length symbol that stands for a length.
pub const FIRST_LENGTH: usize = 257;
/// How far back a match may reach.
pub const WINDOW_SIZE: usize = 32768;

/// The order in which the precode's lengths are sent (RFC 1951, 3.2.7).
pub static PRECODE_ORDER: [u8; PRECODE_SYMBOLS] =
    [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Shortest match length and count of extra bits of each length symbol from 257 on (RFC 1951, 3.2.5).
pub const LENGTHS: [(u16, u8); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];

/// Shortest offset and count of extra bits of each offset symbol (RFC 1951, 3.2.5).
pub const OFFSETS: [(u16, u8); MAX_OFFSET_SYMBOLS] = [
    (1, 0),
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 1),
    (7, 1),
    (9, 2),
    (13, 2),
    (17, 3),
    (25, 3),
    (33, 4),
    (49, 4),
    (65, 5),
    (97, 5),
    (129, 6),
    (193, 6),
    (257, 7),
    (385, 7),
    (513, 8),
    (769, 8),
    (1025, 9),
    (1537, 9),
    (2049, 10),
    (3073, 10),
    (4097, 11),
    (6145, 11),
    (8193, 12),
    (12289, 12),
    (16385, 13),
    (24577, 13),
];

/// Codeword length of a literal/length symbol in a fixed block (RFC 1951, 3.2.6).
pub const fn fixed_litlen_len(symbol: usize) -> u8 {
    match symbol {
        0..=143 => 8,
        144..=255 => 9,
        256..=279 => 7,
        _ => 8,
    }
}

/// Codeword length of every offset symbol in a fixed block (RFC 1951, 3.2.6).
pub const FIXED_OFFSET_LEN: u8 = 5;
