//! `Bookmark`: a place in the middle of a stream to which a decoder can return.
//!
//! A decoder's state is its window, the codeword lengths of the open block, a few bits that were read but not used, and
//! a dozen numbers. The window, 32 KiB, is the large part; the caller decides where to store it. The rest is this type,
//! about 400 bytes. Tables are not stored: rebuilding them takes microseconds.
//!
//! A bookmark can be taken anywhere in the data except inside a dynamic block's header, so a stream of one giant block can
//! have bookmarks too. It includes the running check value and length, so a resumed stream is verified at its end like any
//! other.

#![forbid(unsafe_code)]

use super::{Inflate, Mode};
use crate::error::{Error, Result};
use crate::format::deflate::WINDOW_SIZE;
use crate::inflate::bit_reader::HeldBits;
use crate::inflate::blocks;
use crate::inflate::wrap::{Found, HeaderReader};

/// A place between the first and the last bit of a stream's data, without the 32 KiB before it.
#[derive(Clone, Copy, Debug)]
pub struct Bookmark {
    /// Which wrap was found, and the running check value.
    header: HeaderReader,
    /// Bits of the input before the place that are not used yet.
    held: HeldBits,
    /// The block machine with the codeword lengths of its tables: most of the bytes.
    blocks: blocks::Saved,
    /// The running length, for a gzip trailer.
    total: u32,
    shown_check: u32,
}

impl Bookmark {
    /// A place between two blocks of a gzip member, for callers that decoded it without `Inflate`. `held` has
    /// the first `held_count` bits (at most 7) of the next block; the input continues after them. `crc` and `length` are
    /// those of the member's data so far.
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
    /// Returns a bookmark of the current position and the window before it; `None` if the stream cannot be resumed here.
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

    /// Continues from `bookmark`, which must be from a stream of the same form, after data that ends with `window`. The next
    /// input must be the bytes that followed the bookmark. Fails with [`Error::Memory`], or with
    /// [`Error::Data`] if the bookmark's codes are not valid; the stream is then at its start.
    pub fn resume(&mut self, bookmark: &Bookmark, window: &[u8]) -> Result<()> {
        // Memory and codes first. If they fail, only a reset is necessary.
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
        // If memory was not refused, the codes were not valid.
        self.reset();
        result.and(Err(Error::Data))
    }
}
