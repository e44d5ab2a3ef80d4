//! `Bookmark`: a place in the middle of a stream to which a decoder can be brought back.
//!
//! What a decoder knows at a place is its window, the codeword lengths of the open block, a few bits that were taken
//! but not used, and a dozen numbers. The window is the large part, 32 KiB, and whoever keeps bookmarks decides where
//! it lives; the rest is this type, about 450 bytes. Tables are not kept: building them again takes microseconds.
//!
//! Any place will do but the inside of a block's header, so a stream of one giant block can be marked too. The running
//! check value and length belong to the bookmark, so a stream that is resumed is verified at its end like any other.

#![forbid(unsafe_code)]

use super::{Inflate, Mode};
use crate::error::{Error, Result};
use crate::format::deflate::WINDOW_SIZE;
use crate::inflate::bit_reader::HeldBits;
use crate::inflate::blocks;
use crate::inflate::wrap::{Found, HeaderReader};

/// A place between the first bit of a stream's data and its last, but for the 32 KiB before it.
#[derive(Clone, Copy, Debug)]
pub struct Bookmark {
    header: HeaderReader,
    held: HeldBits,
    blocks: blocks::Saved,
    total: u32,
    shown_check: u32,
}

impl Bookmark {
    /// A place between two blocks of a gzip member, as one finds it who decodes by other means than `Inflate`. The first
    /// byte of the input that follows comes behind `held`, the `held_count` bits (7 at most) that belong to the next block already. `crc` and
    /// `length` are those of the member's data so far.
    pub fn at_block(held: u8, held_count: u32, crc: u32, length: u32) -> Self {
        debug_assert!(held_count < 8);
        let mut header = HeaderReader::new();
        (header.found, header.check) = (Found::Gzip(0), crc);
        let bits = u64::from(held) & ((1 << held_count) - 1);
        Self {
            header,
            held: HeldBits { bits, count: held_count },
            blocks: blocks::Saved::BETWEEN_BLOCKS,
            total: length,
            shown_check: crc,
        }
    }
}

impl Inflate {
    /// Where the stream stands, and what the data before it ends with; `None` where it cannot be resumed.
    pub fn bookmark(&mut self) -> Option<(Bookmark, &[u8])> {
        if self.mode != Mode::Blocks {
            return None;
        }
        let bookmark = Bookmark {
            header: self.header,
            held: self.held,
            blocks: self.blocks.save(self.tables.as_deref())?,
            total: self.total,
            shown_check: self.shown_check,
        };
        Some((bookmark, self.dictionary()))
    }

    /// Goes on from `bookmark`, which was taken of a stream of the same form behind data that ends with `window`. The input to
    /// give next is what followed then. An error leaves the stream at its start.
    pub fn resume(&mut self, bookmark: &Bookmark, window: &[u8]) -> Result<()> {
        self.reset();
        let window = &window[window.len().saturating_sub(WINDOW_SIZE)..];
        let mut result = self.window.remember(window);
        if result.is_ok() && bookmark.blocks.needs_tables() {
            result = self.take_tables();
        }
        if result.is_ok() && self.blocks.restore(&bookmark.blocks, self.tables.as_deref_mut()) {
            if !window.is_empty() {
                self.grow_history(window.len());
            }
            self.header = bookmark.header;
            self.held = bookmark.held;
            self.total = bookmark.total;
            self.shown_check = bookmark.shown_check;
            self.mode = Mode::Blocks;
            return Ok(());
        }
        self.reset();
        result.and(Err(Error::Data))
    }
}
