//! BGZF (SAM specification, 4.1): gzip members of at most 64 KiB each, whose headers contain their own size.
//!
//! Any gzip reader reads such a file as many concatenated members. A reader that supports BGZF can also skip from block to block
//! without decoding, and so start anywhere: the index of bgzip, tabix and samtools is a table of block starts. The block size is
//! in the header's extra field, subfield `BC`. A fixed empty block at the end shows that the file is complete.
//!
//! No block refers to earlier data, so blocks can be compressed in any order, and the output depends only on the data, the level
//! and the flushes.

#![forbid(unsafe_code)]

use super::deflate::MAX_STORED;

/// Data bytes of a full block, as in htslib: incompressible data with its header and trailer still fits 64 KiB.
pub const BLOCK_DATA: usize = 0xff00;

/// Bytes of a block's header.
pub const HEADER_LEN: usize = 18;

/// Bytes of a block in addition to its DEFLATE data: header, CRC-32 and length.
pub const WRAP_LEN: usize = HEADER_LEN + 8;

/// The maximum block size: `BSIZE`, the size minus one, has 16 bits.
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
    fn the_end_of_file_block_has_the_header_that_we_write() {
        assert_eq!(END_OF_FILE[..HEADER_LEN], header(2));
    }

    #[test]
    fn the_size_of_the_largest_block_fits_its_field() {
        assert_eq!(header(MAX_BLOCK - WRAP_LEN)[16..], [0xff, 0xff]);
    }
}
