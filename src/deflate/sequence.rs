//! The open block: what the parser decided and has not been written yet.
//!
//! A *sequence* is a run of literals and the match that ends it, eight bytes. The literals themselves are not copied: they
//! lie in the input between the matches. Counting is done as decisions fall, one counter per literal and two per match, so
//! that a block's end costs no pass over its symbols.

#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::format::deflate::{
    END_OF_BLOCK, FIRST_LENGTH, LENGTH_SLOT, LITLEN_SYMBOLS, MAX_MATCH, OFFSET_SYMBOLS, offset_slot,
};

/// A run of literals and the match after it.
#[derive(Clone, Copy)]
pub(super) struct Sequence {
    /// Literals before the match.
    pub(super) literals: u32,
    /// The match's length, 3 to 258, and below it in five bits the slot of its offset.
    length_and_slot: u16,
    /// 1 to 32768.
    pub(super) offset: u16,
}

impl Sequence {
    /// Of the match.
    #[inline(always)]
    pub(super) fn length(self) -> usize {
        usize::from(self.length_and_slot >> 5)
    }

    /// Of the match's offset; below 32.
    #[inline(always)]
    pub(super) fn offset_slot(self) -> usize {
        usize::from(self.length_and_slot & 31)
    }
}

/// How often each symbol occurs in the open block.
#[derive(Clone)]
pub(super) struct Frequencies {
    pub(super) litlen: [u32; LITLEN_SYMBOLS],
    pub(super) offset: [u32; OFFSET_SYMBOLS],
}

impl Frequencies {
    pub(super) const NONE: Self = Self { litlen: [0; LITLEN_SYMBOLS], offset: [0; OFFSET_SYMBOLS] };
}

/// The decisions of the open block.
pub(super) struct OpenBlock {
    pub(super) sequences: Vec<Sequence>,
    pub(super) frequencies: Frequencies,
    /// Where the block's first byte lies in the input.
    pub(super) start: usize,
    /// Where the last match ended: literals from here on belong to no sequence yet.
    pub(super) literals_from: usize,
}

/// The most sequences a block holds before it is closed: a bound on memory (144 KiB). More change sizes by 0.01 %
/// at most.
pub(super) const MAX_SEQUENCES: usize = 17 * 1024;
/// What the parser may add between two looks at [`OpenBlock::is_full`].
pub(super) const SEQUENCE_SLACK: usize = 1024;

impl OpenBlock {
    pub(super) fn new() -> Self {
        Self { sequences: Vec::new(), frequencies: Frequencies::NONE, start: 0, literals_from: 0 }
    }

    /// Makes room for the sequences of `len` bytes of input, and opens a block at `start`.
    pub(super) fn prepare(&mut self, start: usize, len: usize) -> Result<()> {
        self.open(start);
        // A match has three bytes at least.
        let room = (len / 3 + 1).min(MAX_SEQUENCES + SEQUENCE_SLACK);
        self.sequences.try_reserve_exact(room).map_err(|_| Error::Memory)
    }

    /// Opens an empty block at `start`.
    pub(super) fn open(&mut self, start: usize) {
        self.sequences.clear();
        self.frequencies = Frequencies::NONE;
        self.start = start;
        self.literals_from = start;
    }

    /// Whether the block must be closed for want of room.
    pub(super) fn is_full(&self) -> bool {
        self.sequences.len() >= MAX_SEQUENCES
    }

    /// Counts one literal.
    #[inline(always)]
    pub(super) fn add_literal(&mut self, byte: u8) {
        self.frequencies.litlen[byte as usize] += 1;
    }

    /// Records a match at `position`; the bytes since the last one were literals.
    #[inline(always)]
    pub(super) fn add_match(&mut self, position: usize, length: usize, offset: usize) {
        debug_assert!((3..=MAX_MATCH).contains(&length) && (1..=32768).contains(&offset));
        self.frequencies.litlen[FIRST_LENGTH + LENGTH_SLOT[length] as usize] += 1;
        let slot = offset_slot(offset);
        self.frequencies.offset[slot] += 1;
        let literals = (position - self.literals_from) as u32;
        let length_and_slot = (length << 5 | slot) as u16;
        self.sequences.push(Sequence { literals, length_and_slot, offset: offset as u16 });
        self.literals_from = position + length;
    }

    /// Counts the end of the block.
    pub(super) fn close(&mut self) {
        self.frequencies.litlen[END_OF_BLOCK] = 1;
    }
}
