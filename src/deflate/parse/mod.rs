//! Parsers: which of the matches found become the output?
//!
//! One file each. A parser reads the input from front to back, asks a match finder, records its decisions in the open block
//! and decides with [`BlockSplit`](super::block_split::BlockSplit) where blocks end.

pub(super) mod cost;
pub(super) mod fastest;
pub(super) mod lazy;
pub(super) mod near_optimal;
mod path;
mod tuning;

use super::block::BlockWriter;
use super::block_split::{BlockSplit, MAX_BLOCK, MIN_BLOCK};
use super::sequence::OpenBlock;

/// The grid, counted from the chunk's start, on which a parser looks up from its loop: to fill the rings, split blocks and
/// refresh costs. The grid is a function of the input alone, so the output is.
pub(super) const SEGMENT: usize = 1024;

/// Longest step taken without a search in data that does not match. With the byte searched it is prime to the cycle of positions that are
/// entered in a quiet run.
const MAX_SKIP: usize = 63;
/// Literals in a row after which steps begin to grow. With 64, 128 or 256 sizes and times are the same within noise; on
/// ordinary data such runs do not occur.
const SKIP_SHIFT: u32 = 7;

/// How many literals to take before the next search when `run` literals in a row came without a match.
#[inline(always)]
fn skip_after(run: usize) -> usize {
    (run >> SKIP_SHIFT).min(MAX_SKIP)
}

/// Literals in a row, more than a window, from which on the finders enter only some positions: noise at one and a half times the speed.
const QUIET_RUN: usize = 40 * SEGMENT;

/// Counts the bytes from `from` to `to` as literals; tells where they end.
fn take_literals(data: &[u8], from: usize, to: usize, block: &mut OpenBlock) -> usize {
    for &byte in data.get(from..to).unwrap_or_default() {
        block.add_literal(byte);
    }
    from.max(to)
}

/// What a parser writes to: the open block, and where it goes when it ends.
pub(super) struct Sink<'a, 'w> {
    pub(super) block: &'a mut OpenBlock,
    pub(super) split: BlockSplit,
    pub(super) writer: BlockWriter<'w>,
}

impl Sink<'_, '_> {
    /// Ends the block at `position`, a multiple of [`SEGMENT`] or the end of the input, if that is wise.
    fn end_block_if_due(&mut self, position: usize, end: usize) -> bool {
        let is_due = self.is_end_due(position, end);
        if is_due {
            self.end_block(position);
        }
        is_due
    }

    /// Whether the block should end at `position`.
    fn is_end_due(&mut self, position: usize, end: usize) -> bool {
        let len = position - self.block.start;
        if position == end || self.block.is_full() {
            return true;
        }
        if end - position < MIN_BLOCK {
            return false;
        }
        len >= MAX_BLOCK || self.split.should_end(&self.block.frequencies, len)
    }

    fn end_block(&mut self, position: usize) {
        self.writer.end_block(self.block, position);
        self.split.reset();
    }
}
