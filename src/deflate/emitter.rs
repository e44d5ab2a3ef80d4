//! Writing blocks: bits to bytes, as far as the room goes, and on from there at the next call.
//!
//! One thing is written at a time: a stored range of the input, or a compressed block, and after it, if asked for, the
//! mark that ends a chunk or the stream. All that must survive until the next call is the bit buffer, the place within the
//! header, the tokens or the range, and a few bytes that found no room. So output needs no buffer of its own, and how the
//! caller cuts it does not show in the bytes.
//!
//! The emitter also keeps account of the output's length, by which [`Emitter::plan`] chooses a block's form.
//!
//! **The bound.** The output never exceeds the input plus five bytes for each [`STORED_MIN`] of it (and the mark at the
//! end). Two rules give that. A block that is best stored is not written at once but joined with its neighbours, until the
//! range has [`STORED_MIN`] bytes or must be written before a compressed block. And a compressed block over input that
//! ends at byte `n` is taken only if the output so far stays within `n + 5 * floor(n / STORED_MIN)`.

use super::block::{BLOCK_START_BITS, BlockCode, Form, MAX_TOKEN_BITS};
use super::token::OpenBlock;
use super::{ChunkEnd, PendingBits};
use crate::error::{Error, Result};
use crate::format::deflate::MAX_STORED;
use crate::raw::{Allocator, Output, Placed};

/// A stored range is written once it has so many bytes: 5 bytes of overhead for each.
pub(super) const STORED_MIN: usize = 20 << 10;

/// What is being written. Of zero bytes it is `Nothing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Step {
    Nothing,
    /// A stored range: `stored_from..stored_to`, in blocks of at most 65,535 bytes; the first of them needs a header.
    StoredHeader,
    /// Bytes of the present stored block, up to this place.
    StoredBytes(usize),
    /// The header from this bit on.
    Header(usize),
    /// The tokens from this one on.
    Tokens(usize),
}

/// How a block is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// The block is to join the stored range that waits.
    Store,
    /// In this form.
    Compress(Form, u64),
}

/// Whole bytes that may wait for room beside what is being written: a few of a block's, and primed ones.
const STAGED_MAX: usize = 64;

/// The writer of a stream's or a chunk's blocks.
#[derive(Debug)]
pub(super) struct Emitter {
    code: Placed<BlockCode>,
    bits: u64,
    count: u32,
    /// Whole bytes that found no room yet.
    staged: [u8; STAGED_MAX],
    staged_len: u8,
    step: Step,
    /// Input that waits to be stored or is being stored.
    stored_from: usize,
    stored_to: usize,
    /// What follows when the present step is done.
    end: Option<ChunkEnd>,
    /// Bits of output up to the end of the present step, less the end mark.
    planned_bits: u64,
    /// Input up to here is in `planned_bits`, as bytes since the start; and the bits before the start.
    given: u64,
    start_bits: u64,
    /// Bits in use in the last byte before it was last filled up, 1 to 8.
    used_bits: u32,
}

impl Emitter {
    pub(super) fn new(allocator: Allocator) -> Result<Self> {
        Ok(Self {
            code: Placed::zeroed(allocator)?,
            bits: 0,
            count: 0,
            staged: [0; STAGED_MAX],
            staged_len: 0,
            step: Step::Nothing,
            stored_from: 0,
            stored_to: 0,
            end: None,
            planned_bits: 0,
            given: 0,
            start_bits: 0,
            used_bits: 0,
        })
    }

    /// A writer in the same state, in memory of the same allocator.
    pub(super) fn try_clone(&self) -> Result<Self> {
        Ok(Self { code: self.code.try_clone()?, ..*self })
    }

    /// Starts over at input position `start`, after the bits `before` of an output byte.
    pub(super) fn begin(&mut self, start: usize, before: PendingBits) {
        (self.bits, self.count) = (u64::from(before.bits), before.count);
        self.staged_len = 0;
        self.go_on_at(start);
    }

    /// Goes on at input position `start`, after the bits that are there. No block is being written.
    pub(super) fn go_on_at(&mut self, start: usize) {
        self.step = Step::Nothing;
        (self.stored_from, self.stored_to) = (start, start);
        self.end = None;
        self.restart_account();
    }

    /// Counts the bound from here on: the output before is another chunk's.
    pub(super) fn restart_account(&mut self) {
        self.start_bits = u64::from(self.count);
        self.planned_bits = self.start_bits;
        self.given = 0;
    }

    /// All input positions become smaller by `count`. Bytes of the open block that leave the buffer are still counted.
    pub(super) fn move_down(&mut self, count: usize) {
        self.given += count.saturating_sub(self.stored_from) as u64;
        self.stored_from = self.stored_from.saturating_sub(count);
        self.stored_to = self.stored_to.saturating_sub(count);
    }

    /// Whether nothing is left to write.
    pub(super) fn is_idle(&self) -> bool {
        self.step == Step::Nothing && self.end.is_none() && self.staged_len == 0
    }

    /// Bits of the last, incomplete byte. Nothing else may be left to write.
    pub(super) fn pending_bits(&self) -> PendingBits {
        PendingBits { bits: self.bits as u8, count: self.count }
    }

    /// Bits in use in the last byte before it was last filled up, 1 to 8; 0 when none was.
    pub(super) fn used_bits(&self) -> u32 {
        self.used_bits
    }

    /// Bytes of input that wait to be stored.
    pub(super) fn waiting(&self) -> usize {
        self.stored_to - self.stored_from
    }

    /// Where the input begins that waits to be stored.
    pub(super) fn waiting_from(&self) -> usize {
        self.stored_from
    }

    /// Puts bits before whatever follows, at most 16. `Error::Buffer` when too many bytes wait already.
    pub(super) fn prime(&mut self, bits: u32, count: u32) -> Result<()> {
        if usize::from(self.staged_len) + 3 > STAGED_MAX {
            return Err(Error::Buffer);
        }
        self.bits |= u64::from(bits) << self.count;
        self.count += count;
        self.stage_whole_bytes();
        self.restart_account();
        Ok(())
    }

    /// Decides how `block`, of `len` bytes that end at `end`, is written best. `can_store` says whether its bytes are still
    /// in the buffer; `is_last` whether they are the last of their chunk.
    pub(super) fn plan(
        &mut self,
        block: &OpenBlock,
        end: usize,
        can_store: bool,
        is_last: bool,
        margin: u32,
    ) -> Decision {
        let sizes = self.code.fit(block, margin);
        let (form, size) = sizes.best();
        if !can_store {
            return Decision::Compress(form, size);
        }
        let compressed = after_stored(self.planned_bits, self.waiting()) + size;
        let stored = after_stored(self.planned_bits, end - self.stored_from);
        let given = self.given + (end - self.stored_from) as u64;
        let min = STORED_MIN as u64;
        let stored_blocks = if is_last { given.div_ceil(min) } else { given / min };
        let allowed = self.start_bits + 8 * (given + 5 * stored_blocks);
        if compressed < stored && compressed <= allowed {
            Decision::Compress(form, size)
        } else {
            Decision::Store
        }
    }

    /// The block that ends at `end` joins the range that waits to be stored.
    pub(super) fn store(&mut self, end: usize) {
        self.stored_to = end;
    }

    /// Begins to write the range that waits to be stored. `end` is what follows it.
    pub(super) fn start_stored(&mut self, end: Option<ChunkEnd>) {
        debug_assert!(self.step == Step::Nothing && self.end.is_none());
        if self.waiting() > 0 {
            self.planned_bits = after_stored(self.planned_bits, self.waiting());
            self.given += self.waiting() as u64;
            self.step = Step::StoredHeader;
        }
        self.end = end;
    }

    /// Begins to write a block that ends at `to`, of `size` bits in the form that [`plan`](Self::plan) decided on. `end` is
    /// what follows it.
    pub(super) fn start_block(
        &mut self,
        block: &OpenBlock,
        (form, size): (Form, u64),
        to: usize,
        end: Option<ChunkEnd>,
    ) {
        debug_assert!(self.step == Step::Nothing && self.end.is_none() && self.waiting() == 0);
        self.code.choose(form, &block.frequencies);
        self.planned_bits += size;
        self.given += (to - self.stored_from) as u64;
        (self.stored_from, self.stored_to) = (to, to);
        let is_final = u64::from(end == Some(ChunkEnd::Finish));
        let form = if form == Form::Fixed { 1 } else { 2 };
        self.add(is_final | form << 1, BLOCK_START_BITS as u32);
        self.stage_whole_bytes();
        self.step = Step::Header(0);
        self.end = end;
    }

    /// Asks for an end mark without a block before it.
    pub(super) fn start_end(&mut self, end: ChunkEnd) {
        debug_assert!(self.step == Step::Nothing && self.end.is_none());
        if end == ChunkEnd::Finish {
            // An empty fixed block: its header, and seven zero bits that end it.
            self.add(1 | 1 << 1, BLOCK_START_BITS as u32 + 7);
            self.stage_whole_bytes();
        }
        self.end = Some(end);
    }

    /// Writes as far as `out` has room. True when nothing is left. `tokens` is the block, `data` the input.
    pub(super) fn run(&mut self, tokens: &[u32], data: &[u8], out: &mut Output<'_>) -> bool {
        loop {
            if !self.drain(out) {
                return false;
            }
            match self.step {
                Step::Nothing => match self.end.take() {
                    Some(end) => self.write_end(end),
                    None => return true,
                },
                Step::StoredHeader => self.write_stored_header(),
                Step::StoredBytes(to) => {
                    self.stored_from += out.put(&data[self.stored_from..to]);
                    if self.stored_from < to {
                        return false;
                    }
                    let is_done = to == self.stored_to;
                    self.step = if is_done { Step::Nothing } else { Step::StoredHeader };
                }
                Step::Header(from) if from < self.code.header_len() => {
                    let (bits, count) = self.code.header_bits(from);
                    self.add(bits, count);
                    self.stage_whole_bytes();
                    self.step = Step::Header(from + count as usize);
                }
                Step::Header(_) => self.step = Step::Tokens(0),
                Step::Tokens(from) if from < tokens.len() => {
                    let written = self.write_tokens(&tokens[from..], out);
                    self.step = Step::Tokens(from + written);
                }
                Step::Tokens(_) => {
                    let (bits, count) = self.code.codes().end_of_block();
                    self.add(bits, count);
                    self.stage_whole_bytes();
                    self.step = Step::Nothing;
                }
            }
        }
    }

    /// How many bits [`run`](Self::run) would write without limit, those of an incomplete last byte included.
    pub(super) fn remaining_bits(&self, tokens: &[u32]) -> u64 {
        let mut bits = 8 * u64::from(self.staged_len) + u64::from(self.count);
        let codes = self.code.codes();
        let mut from = match self.step {
            Step::Tokens(from) => Some(from),
            _ => None,
        };
        match self.step {
            Step::Nothing | Step::Tokens(_) => {}
            Step::StoredHeader => bits = after_stored(bits, self.waiting()),
            Step::StoredBytes(to) => {
                bits += 8 * (to - self.stored_from) as u64;
                bits = after_stored(bits, self.stored_to - to);
            }
            Step::Header(at) => {
                bits += (self.code.header_len() - at) as u64;
                from = Some(0);
            }
        }
        if let Some(from) = from {
            bits += tokens[from..].iter().map(|&token| u64::from(codes.of(token).1)).sum::<u64>();
            bits += u64::from(codes.end_of_block().1);
        }
        bits + match self.end {
            None | Some(ChunkEnd::Block) => 0,
            Some(ChunkEnd::Finish) => bits.next_multiple_of(8) - bits,
            Some(ChunkEnd::Partial) => 10,
            Some(ChunkEnd::Sync) => (bits + 3).next_multiple_of(8) + 32 - bits,
        }
    }

    #[inline(always)]
    fn add(&mut self, bits: u64, count: u32) {
        debug_assert!(self.count + count <= 64 && (count == 64 || bits >> count == 0));
        self.bits |= bits << self.count;
        self.count += count;
    }

    /// Moves whole bytes from the bit buffer to the staged ones.
    fn stage_whole_bytes(&mut self) {
        let bytes = (self.count >> 3) as usize;
        let at = usize::from(self.staged_len);
        self.staged[at..at + bytes].copy_from_slice(&self.bits.to_le_bytes()[..bytes]);
        self.staged_len += bytes as u8;
        self.bits = if bytes == 8 { 0 } else { self.bits >> (8 * bytes) };
        self.count &= 7;
    }

    /// Moves staged bytes to the output. True when none is left.
    #[inline]
    fn drain(&mut self, out: &mut Output<'_>) -> bool {
        let len = usize::from(self.staged_len);
        if len > 0 {
            let count = out.put(&self.staged[..len]);
            self.staged.copy_within(count..len, 0);
            self.staged_len = (len - count) as u8;
        }
        self.staged_len == 0
    }

    fn fill_last_byte(&mut self) {
        self.used_bits = (self.count.wrapping_sub(1) & 7) + 1;
        self.count = self.count.next_multiple_of(8);
    }

    fn write_stored_header(&mut self) {
        let count = self.waiting().min(MAX_STORED);
        let is_last = count == self.waiting();
        let is_final = is_last && self.end == Some(ChunkEnd::Finish);
        self.add(u64::from(is_final), 3);
        self.fill_last_byte();
        self.stage_whole_bytes();
        self.add(count as u64 | (!count as u64 & 0xffff) << 16, 32);
        self.stage_whole_bytes();
        self.step = Step::StoredBytes(self.stored_from + count);
    }

    fn write_end(&mut self, end: ChunkEnd) {
        match end {
            ChunkEnd::Block => {}
            ChunkEnd::Partial => self.add(1 << 1, 10),
            ChunkEnd::Sync => {
                self.add(0, 3);
                self.fill_last_byte();
                self.stage_whole_bytes();
                self.add(0xffff_0000, 32);
            }
            ChunkEnd::Finish => self.fill_last_byte(),
        }
        self.stage_whole_bytes();
    }

    /// Writes tokens as far as the room goes, and at least one; a token that finds none is staged. Returns their number.
    #[inline(never)]
    fn write_tokens(&mut self, tokens: &[u32], out: &mut Output<'_>) -> usize {
        // A store of eight bytes for each token, which takes six at most with what was left before.
        const TOKEN_MAX: usize = (MAX_TOKEN_BITS + 7).div_ceil(8) as usize;
        let spare = out.spare();
        let Some(room) = spare.len().checked_sub(8) else {
            let (bits, count) = self.code.codes().of(tokens[0]);
            self.add(bits, count);
            self.stage_whole_bytes();
            return 1;
        };
        let number = (room / TOKEN_MAX + 1).min(tokens.len());
        let codes = self.code.codes();
        let (mut buffer, mut count) = (self.bits, self.count);
        assert!(count < 8, "whole bytes were staged");
        let start = spare.as_mut_ptr().cast::<u8>();
        let mut place = start;
        for &token in &tokens[..number] {
            let (bits, bit_count) = codes.of(token);
            buffer |= bits << count;
            count += bit_count;
            // SAFETY: before token `i` at most `i * TOKEN_MAX` bytes were written, and `number` is such that eight more fit.
            unsafe { place.cast::<[u8; 8]>().write_unaligned(buffer.to_le_bytes()) };
            // SAFETY: as above: at most `TOKEN_MAX` bytes further, which is still in `spare`.
            place = unsafe { place.add((count >> 3) as usize) };
            buffer >>= count & !7;
            count &= 7;
        }
        (self.bits, self.count) = (buffer, count);
        // SAFETY: both point into `spare`, and `place` is not before `start`.
        let written = unsafe { place.offset_from(start) } as usize;
        // SAFETY: that many bytes from the cursor on were written.
        unsafe { out.advance(written) };
        number
    }
}

/// Where the bit position `from` moves when `len` bytes are written as stored blocks.
fn after_stored(from: u64, len: usize) -> u64 {
    if len == 0 {
        return from;
    }
    // The first header needs three bits before it is aligned; the others begin at a byte.
    let first = (from + 3).next_multiple_of(8) + 32;
    first + 40 * (len.div_ceil(MAX_STORED) as u64 - 1) + 8 * len as u64
}

/// The most bytes that `len` bytes become, with an end mark: see the head of this file.
pub const fn bound(len: usize) -> usize {
    len + 5 * len.div_ceil(STORED_MIN) + 6
}
