//! The header of the zlib wrapper (RFC 1950), two bytes, and the bound of a stream. `stream::deflate` writes the big-endian
//! check values: the dictionary's after the header, the data's as trailer.

#![forbid(unsafe_code)]

/// `CMF`'s method for DEFLATE.
const DEFLATED: u16 = 8;
/// `FLG`'s bit for a preset dictionary.
const PRESET_DICTIONARY: u16 = 0x20;

/// `compressBound()`: the maximum length of a zlib stream of `len` bytes with the usual window and memory. Programs contain
/// copies of this formula.
pub fn compress_bound(len: u64) -> u64 {
    [12, 14, 25].iter().fold(len, |sum, shift| sum.saturating_add(len >> shift)).saturating_add(13)
}

/// The header's two bytes (RFC 1950, 2.2). `effort` is `FLEVEL`, 0 to 3.
pub fn header(window_bits: u32, effort: u16, has_dictionary: bool) -> [u8; 2] {
    let mut header = (DEFLATED + (((window_bits - 8) as u16) << 4)) << 8 | effort << 6;
    if has_dictionary {
        header |= PRESET_DICTIONARY;
    }
    header += 31 - header % 31;
    header.to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_the_well_known_ones() {
        assert_eq!(header(15, 0, false), [0x78, 0x01]);
        assert_eq!(header(15, 2, false), [0x78, 0x9c]);
        assert_eq!(header(15, 3, false), [0x78, 0xda]);
        assert_eq!(header(15, 2, true), [0x78, 0xbb]);
    }
}
