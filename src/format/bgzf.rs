//! BGZF (SAM specification, 4.1): gzip members of at most 64 KiB each, which name their own size.
//!
//! Any gzip reader takes such a file for what it is, many members in a row. A reader that knows the form can also go from block to
//! block without decoding, and so begin anywhere: the index of bgzip, tabix and samtools is a table of block starts. The size
//! stands in a field of the member's header, subfield `BC`; an empty block of a fixed form tells that the file is whole.
//!
//! Blocks refer to nothing before them, so they are compressed in any order, and the bytes of a file depend on its data, the
//! level and the flushes alone.

#![forbid(unsafe_code)]

use super::deflate::MAX_STORED;

/// Data bytes of a full block. As htslib's: what does not compress still fits a block of 64 KiB with its wrap.
pub const BLOCK_DATA: usize = 0xff00;

/// Bytes of a block's header.
pub const HEADER_LEN: usize = 18;

/// Bytes of a block beside its DEFLATE data: header, CRC-32 and length.
pub const WRAP_LEN: usize = HEADER_LEN + 8;

/// The most bytes of a block: `BSIZE` is one less and has 16 bits.
pub const MAX_BLOCK: usize = 1 << 16;

/// The empty block at the end of a file. Readers compare all of it, so its bytes are fixed.
pub const END_OF_FILE: [u8; 28] = [
    0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, b'B', b'C', 2, 0, 0x1b, 0, // the header, size 28
    3, 0, // an empty block with the fixed codes
    0, 0, 0, 0, 0, 0, 0, 0, // no data
];

// A block's data fits one stored block, which takes 5 bytes more than its data.
const _: () = assert!(BLOCK_DATA <= MAX_STORED && BLOCK_DATA + 5 + WRAP_LEN <= MAX_BLOCK);

/// The header of a block whose DEFLATE data takes `deflate_len` bytes.
pub fn header(deflate_len: usize) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    header.copy_from_slice(&END_OF_FILE[..HEADER_LEN]);
    let size = deflate_len + WRAP_LEN;
    debug_assert!(size <= MAX_BLOCK);
    header[16..].copy_from_slice(&((size - 1) as u16).to_le_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_file_is_a_block_by_its_own_header() {
        assert_eq!(END_OF_FILE[..HEADER_LEN], header(2));
    }

    #[test]
    fn the_size_of_the_largest_block_fits_its_field() {
        assert_eq!(header(MAX_BLOCK - WRAP_LEN)[16..], [0xff, 0xff]);
    }
}
