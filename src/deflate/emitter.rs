//! Writes blocks as bytes while the output has room, and continues at the next call.
//!
//! One thing is written at a time: a stored range of the input or a compressed block, then, if
//! requested, the mark that ends a chunk or the stream. Only the bit buffer, the position within
//! the header, the tokens or the range, and a few bytes that did not fit are kept until the next
//! call. So no output buffer is needed, and the bytes do not depend on how the caller splits the
//! output.
//!
//! ```text
//! Nothing -> StoredHeader -> StoredBytes -> Nothing    (header and bytes for each 65,535 bytes)
//! Nothing -> Header -> Tokens or Literals -> Nothing   (the end-of-block codeword last)
//! Nothing, with an end mark left: write it, then idle
//! ```
//!
//! Bits go to a 64-bit buffer, from the low end up (RFC 1951, 3.1.1), and leave it as whole bytes;
//! between two steps it holds at most seven. Tokens are written directly to the output, eight bytes
//! with each store. All else, and tokens near the output's end, goes through a few *staged* bytes,
//! which are moved to the output first in each turn. So any room is enough to go on, even one byte.
//!
//! The emitter also counts the output's length, which [`Emitter::plan`] uses to choose a block's
//! form.
//!
//! **Literals alone.** Parsers estimate what each match saves, but together matches may cost more
//! than they save: without them the literals' codewords would be shorter, and no bits would be
//! needed to distinguish literals from matches. This happens in DNA, rows of images, columns of
//! numbers and other data with few symbols. So `plan` also computes the size of the block with all
//! its bytes as literals, and writes the block from the input instead of its tokens where that is
//! smaller.
//!
//! **The bound.** The output never exceeds the input plus five bytes for each [`STORED_MIN`] of it
//! (and the end mark). Two rules ensure that. A block that is best stored is not written at once
//! but merged with its neighbours, until the range has [`STORED_MIN`] bytes or must be written
//! before a compressed block. And a compressed block over input that ends at byte `n` is chosen
//! only if the output so far stays within `n + 5 * floor(n / STORED_MIN)`, or if it saves at least
//! [`CLEAR_SAVING`], which pays for the header of the next range. A stored range costs five bytes
//! for each 65,535, so one of [`STORED_MIN`] bytes or more keeps within that sum. A shorter one
//! precedes a compressed block, which is checked together with it, or is the chunk's last; that one
//! may add five bytes once more.
//!
//! `message` may exceed this sum, but not `deflateBound`. Its ranges are shorter where the window
//! is small or a move of the window forces one, and a block whose first bytes have left the window
//! is compressed without a check. With the usual window and `memLevel` 8, such a block has more
//! than 32,400 bytes in at most 15,024 tokens of at most two literals, so its matches save more
//! than its code costs; and a forced range has 16,000 bytes or more. For other parameters
//! `deflateBound` allows nine bits for each byte, as the fixed code needs. After such noise a block
//! is compressed if it saves enough: by the sum alone it would be stored, whatever it saved.

use super::block::{BLOCK_START_BITS, BlockCode, Form, MAX_TOKEN_BITS};
use super::entropy::{BIT, entropy, log2_sixteenths};
use super::token::{Frequencies, OpenBlock, lone_literal, two_literals};
use super::{ChunkEnd, PendingBits};
use crate::error::{Error, Result};
use crate::format::deflate::MAX_STORED;
use crate::raw::{Allocator, Output, Placed};

/// A stored range is written once it has this many bytes: 5 bytes of overhead for each. A larger
/// range would cost less, but these bytes are held back until it is written, and must still be in
/// the buffer then.
pub(super) const STORED_MIN: usize = 20 << 10;

/// Bits that a compressed block saves if it is chosen whatever the output so far: at least the
/// header of a stored range, which takes 3 + 32 bits and up to 7 to reach a byte's end.
const CLEAR_SAVING: u64 = 48;

/// The output that is being written, and how far. The all-zero representation is `Nothing`.
/// [`Emitter::run`] does a step's work and moves to the next; it may return in each of them, when
/// the output is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Step {
    Nothing,
    /// A stored range, `stored_from..stored_to`, in blocks of at most 65,535 bytes; the header of the next one is due.
    StoredHeader,
    /// Bytes of the current stored block, up to this position.
    StoredBytes(usize),
    /// The block's header, from this bit on.
    Header(usize),
    /// The block's tokens, from this index on.
    Tokens(usize),
    /// The input `literals_from..literals_to`, as literals.
    Literals,
}

/// How to write a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Append the block to the pending stored range. Nothing is written yet.
    Store,
    Compress(Coding),
}

/// How to compress a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Coding {
    form: Form,
    /// All bytes are literals; otherwise the tokens are written.
    is_literal: bool,
    /// The size in bits.
    size: u64,
}

/// Shorter blocks are not tried as literals. At this length the pieces of the first sample, 16
/// bytes each, begin 17 bytes apart.
const LITERALS_MIN: usize = 256;
/// The first sample that shows whether literals may be smaller: the number of pieces, or one more, and the bytes in each.
const SMALL_SAMPLE: (usize, usize) = (15, 16);
/// The second sample: the bytes in each piece, and the distance between pieces.
const SAMPLE: (usize, usize) = (64, 512);
/// Literals must save at least one bit in this many: matches are decoded faster.
const LITERALS_GAIN: u64 = 128;

/// Maximum staged bytes: at most eight of one step, or primed ones (`deflatePrime`), which may come
/// before any output is accepted.
const STAGED_MAX: usize = 64;

/// The writer of a stream's or a chunk's blocks.
#[derive(Debug)]
pub(super) struct Emitter {
    code: Placed<BlockCode>,
    bits: u64,
    count: u32,
    /// Whole bytes that wait for room. They precede the bits of the buffer.
    staged: [u8; STAGED_MAX],
    staged_len: u8,
    step: Step,
    /// Input that is waiting to be stored or is being stored. Without such input both are the
    /// position up to which all input is in written blocks. So whenever a block is planned,
    /// `planned_bits` covers the input up to `stored_from`.
    stored_from: usize,
    stored_to: usize,
    /// Input that is being written as literals, and the bits that it takes. Empty if the block's tokens are written.
    literals_from: usize,
    literals_to: usize,
    literal_bits: u64,
    /// The end mark to write after the current step.
    end: Option<ChunkEnd>,
    /// Bits of output up to the end of the current step, without the end mark. Updated when a block
    /// is started, before its bits are written, so that decisions do not depend on the room.
    planned_bits: u64,
    /// The number of input bytes that `planned_bits` covers, and the number of bits before the start.
    given: u64,
    start_bits: u64,
    /// The number of bits in use in the last byte before it was padded, 1 to 8.
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
            literals_from: 0,
            literals_to: 0,
            literal_bits: 0,
            end: None,
            planned_bits: 0,
            given: 0,
            start_bits: 0,
            used_bits: 0,
        })
    }

    /// An emitter in the same state, in memory of the same allocator.
    pub(super) fn try_clone(&self) -> Result<Self> {
        Ok(Self { code: self.code.try_clone()?, ..*self })
    }

    /// Restarts at input position `start`, after the bits `before` of an output byte.
    pub(super) fn begin(&mut self, start: usize, before: PendingBits) {
        (self.bits, self.count) = (u64::from(before.bits), before.count);
        self.staged_len = 0;
        self.go_on_at(start);
    }

    /// Continues at input position `start`, after the bits already in the buffer. No block may be in progress.
    pub(super) fn go_on_at(&mut self, start: usize) {
        self.step = Step::Nothing;
        (self.stored_from, self.stored_to) = (start, start);
        self.end = None;
        self.restart_account();
    }

    /// Restarts the count for the bound: the output before belongs to another chunk. The bits of a
    /// begun byte count as output of this one, so that bit positions remain aligned.
    pub(super) fn restart_account(&mut self) {
        self.start_bits = u64::from(self.count);
        self.planned_bits = self.start_bits;
        self.given = 0;
    }

    /// Reduces all input positions by `count`. Bytes of the open block that leave the buffer are still counted.
    pub(super) fn move_down(&mut self, count: usize) {
        self.given += count.saturating_sub(self.stored_from) as u64;
        self.stored_from = self.stored_from.saturating_sub(count);
        self.stored_to = self.stored_to.saturating_sub(count);
    }

    /// Whether nothing is left to write.
    pub(super) fn is_idle(&self) -> bool {
        self.step == Step::Nothing && self.end.is_none() && self.staged_len == 0
    }

    /// The bits of the last, incomplete byte. Nothing else may be left to write.
    pub(super) fn pending_bits(&self) -> PendingBits {
        PendingBits { bits: self.bits as u8, count: self.count }
    }

    /// Whole bytes that wait for room: before the first block, primed ones.
    pub(super) fn staged(&self) -> &[u8] {
        &self.staged[..usize::from(self.staged_len)]
    }

    /// The number of bits in use in the last byte before it was padded, 1 to 8; 0 if no byte was padded.
    pub(super) fn used_bits(&self) -> u32 {
        self.used_bits
    }

    /// The number of input bytes that wait to be stored.
    pub(super) fn waiting(&self) -> usize {
        self.stored_to - self.stored_from
    }

    /// Where the input that waits to be stored begins.
    pub(super) fn waiting_from(&self) -> usize {
        self.stored_from
    }

    /// Inserts at most 16 bits before the following output (`deflatePrime`). Fails with
    /// `Error::Buffer` if too many bytes are already waiting: 16 bits and seven left in the buffer
    /// make at most two more.
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

    /// Chooses how to write `block`, which ends at input position `end`. `bytes`: its bytes, if
    /// they are still in the buffer; if not, it can be neither stored nor written as literals.
    /// `is_last`: they are the last of their chunk. `margin`: see [`BlockCode::fit`].
    ///
    /// Changes only the code, so the caller may plan the same block again after it has written the
    /// stored range before it.
    pub(super) fn plan(
        &mut self,
        block: &OpenBlock,
        end: usize,
        bytes: Option<&[u8]>,
        is_last: bool,
        margin: u32,
    ) -> Decision {
        let coding = self.fit_tokens(block, margin);
        let Some(bytes) = bytes else { return Decision::Compress(coding) };
        let coding = self.fit_literals(block, bytes, margin, coding);
        // Both sizes are bit positions in the output: the pending range stored and the block
        // compressed, or both stored as one range. So the header that a separate range would need
        // is part of the comparison.
        let compressed = after_stored(self.planned_bits, self.waiting()) + coding.size;
        let stored = after_stored(self.planned_bits, end - self.stored_from);
        let given = self.given + (end - self.stored_from) as u64;
        let min = STORED_MIN as u64;
        // The bound, see the head of this file. The chunk's last range is written however short it
        // is, so there the quotient is rounded up.
        let stored_blocks = if is_last { given.div_ceil(min) } else { given / min };
        let allowed = self.start_bits + 8 * (given + 5 * stored_blocks);
        if compressed < stored && (compressed <= allowed || stored - compressed >= CLEAR_SAVING) {
            Decision::Compress(coding)
        } else {
            Decision::Store
        }
    }

    /// Builds the code for the block's tokens.
    fn fit_tokens(&mut self, block: &OpenBlock, margin: u32) -> Coding {
        let (form, size) = self.code.fit(&block.frequencies, block.tokens().len(), margin).best();
        Coding { form, is_literal: false, size }
    }

    /// Builds the code for the block's `bytes` as literals instead, if they are clearly smaller than `tokens`, for which the code
    /// was built.
    fn fit_literals(&mut self, block: &OpenBlock, bytes: &[u8], margin: u32, tokens: Coding) -> Coding {
        // Cheap tests come first and exclude most blocks. Data whose blocks keep their matches
        // loses 1 % of its speed at level 1.
        let limit = tokens.size - tokens.size / LITERALS_GAIN;
        let has_matches = block.frequencies.offset.iter().any(|&frequency| frequency > 0);
        if !has_matches || bytes.len() < LITERALS_MIN || !may_be_smaller(bytes, limit) {
            return tokens;
        }
        match self.fit_bytes(bytes, margin, limit) {
            Some(coding) if coding.size < limit => coding,
            // The code was overwritten, and the literals are not smaller after all: their entropy
            // was just below the limit, or the dynamic header made the difference.
            Some(_) => self.fit_tokens(block, margin),
            None => tokens,
        }
    }

    /// Builds the code for `bytes` as literals, unless their entropy shows that they take `limit`
    /// bits or more. Tokens hold two literals each, so half as many tokens as bytes are announced.
    /// Not inlined, to keep its stack use out of the caller.
    #[inline(never)]
    fn fit_bytes(&mut self, bytes: &[u8], margin: u32, limit: u64) -> Option<Coding> {
        let literals = Frequencies::of_bytes(bytes);
        if entropy(&literals) >= limit {
            return None;
        }
        let (form, size) = self.code.fit(&literals, bytes.len().div_ceil(2), margin).best();
        Some(Coding { form, is_literal: true, size })
    }

    /// Appends the block that ends at `end` to the range that waits to be stored. It begins where
    /// the range ends, since blocks follow each other without gaps.
    pub(super) fn store(&mut self, end: usize) {
        self.stored_to = end;
    }

    /// Starts to write the range that waits to be stored, followed by `end`. The range's last block
    /// is final if `end` is [`ChunkEnd::Finish`].
    pub(super) fn start_stored(&mut self, end: Option<ChunkEnd>) {
        debug_assert!(self.step == Step::Nothing && self.end.is_none());
        if self.waiting() > 0 {
            self.planned_bits = after_stored(self.planned_bits, self.waiting());
            self.given += self.waiting() as u64;
            self.step = Step::StoredHeader;
        }
        self.end = end;
    }

    /// Starts to write a block that ends at `to`, in the form that [`plan`](Self::plan) chose, followed by `end`. `bytes`: as for
    /// `plan`.
    pub(super) fn start_block(
        &mut self,
        block: &OpenBlock,
        coding: Coding,
        bytes: Option<&[u8]>,
        to: usize,
        end: Option<ChunkEnd>,
    ) {
        debug_assert!(self.step == Step::Nothing && self.end.is_none() && self.waiting() == 0);
        (self.literals_from, self.literals_to, self.literal_bits) = (to, to, 0);
        match bytes.filter(|_| coding.is_literal) {
            Some(bytes) => {
                self.choose_for_bytes(coding.form, bytes);
                // `literal_bits` is the size of the literals alone: the planned size without
                // start, header and end. It counts down as they are written, for `remaining_bits`.
                let around = BLOCK_START_BITS + self.code.header_len() as u64;
                let end_of_block = u64::from(self.code.codes().end_of_block().1);
                self.literals_from = to - bytes.len();
                self.literal_bits = coding.size - around - end_of_block;
            }
            None => self.code.choose(coding.form, &block.frequencies),
        }
        self.planned_bits += coding.size;
        self.given += (to - self.stored_from) as u64;
        (self.stored_from, self.stored_to) = (to, to);
        // RFC 1951, 3.2.3: the final flag, then the form in two bits, 01 for fixed and 10 for
        // dynamic codes. The emitter was idle, so at most seven bits are in the buffer, and the
        // three make at most one byte.
        let is_final = u64::from(end == Some(ChunkEnd::Finish));
        let form = if coding.form == Form::Fixed { 1 } else { 2 };
        self.add(is_final | form << 1, BLOCK_START_BITS as u32);
        self.stage_whole_bytes();
        self.step = Step::Header(0);
        self.end = end;
    }

    /// Selects a form for `bytes` as literals. Not inlined, to keep its stack use out of the callers.
    #[inline(never)]
    fn choose_for_bytes(&mut self, form: Form, bytes: &[u8]) {
        self.code.choose(form, &Frequencies::of_bytes(bytes));
    }

    /// Starts to write an end mark without a block before it. Only [`ChunkEnd::Finish`] needs bits
    /// for that here: a stream must have a final block, so it gets an empty one.
    pub(super) fn start_end(&mut self, end: ChunkEnd) {
        debug_assert!(self.step == Step::Nothing && self.end.is_none());
        if end == ChunkEnd::Finish {
            // An empty fixed block: its header, and seven zero bits that end it.
            self.add(1 | 1 << 1, BLOCK_START_BITS as u32 + 7);
            self.stage_whole_bytes();
        }
        self.end = Some(end);
    }

    /// Writes while `out` has room. True when nothing is left. `tokens` is the block, `data` the
    /// input; until the block is written, its tokens and its bytes must stay as they are.
    ///
    /// Staged bytes precede everything else, so no step does anything before all of them are in the
    /// output. Each step leaves at most eight staged bytes.
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
                // The header is complete, or the code is fixed and has none.
                Step::Header(_) if self.literals_from < self.literals_to => self.step = Step::Literals,
                Step::Header(_) => self.step = Step::Tokens(0),
                Step::Tokens(from) if from < tokens.len() => {
                    let tokens = &tokens[from..];
                    let written = self.write_tokens(tokens.len(), tokens.iter().copied(), out);
                    self.step = Step::Tokens(from + written);
                }
                Step::Literals if self.literals_from < self.literals_to => {
                    self.write_literals(&data[self.literals_from..self.literals_to], out);
                }
                // All tokens or literals are written: the block ends.
                Step::Tokens(_) | Step::Literals => {
                    let (bits, count) = self.code.codes().end_of_block();
                    self.add(bits, count);
                    self.stage_whole_bytes();
                    self.step = Step::Nothing;
                }
            }
        }
    }

    /// The number of bits that [`run`](Self::run) would write with unlimited room, including those
    /// of an incomplete last byte. For `deflatePending`. Each step adds what it and the steps after
    /// it would write.
    pub(super) fn remaining_bits(&self, tokens: &[u32]) -> u64 {
        let mut bits = 8 * u64::from(self.staged_len) + u64::from(self.count);
        let codes = self.code.codes();
        let mut from = match self.step {
            Step::Tokens(from) => Some(from),
            _ => None,
        };
        match self.step {
            Step::Nothing | Step::Tokens(_) => {}
            Step::Literals => bits += self.literal_bits + u64::from(codes.end_of_block().1),
            Step::StoredHeader => bits = after_stored(bits, self.waiting()),
            Step::StoredBytes(to) => {
                bits += 8 * (to - self.stored_from) as u64;
                bits = after_stored(bits, self.stored_to - to);
            }
            Step::Header(at) => {
                bits += (self.code.header_len() - at) as u64;
                if self.literals_from < self.literals_to {
                    bits += self.literal_bits + u64::from(codes.end_of_block().1);
                } else {
                    from = Some(0);
                }
            }
        }
        if let Some(from) = from {
            bits += tokens[from..].iter().map(|&token| u64::from(codes.of(token).1)).sum::<u64>();
            bits += u64::from(codes.end_of_block().1);
        }
        // The end mark's bits as `write_end` writes them. A sync mark has three bits, padding, and
        // four bytes; padding depends on all bits before it, and the staged bytes are whole, so
        // `bits` has the same remainder modulo 8 as the position in the output.
        bits + match self.end {
            None | Some(ChunkEnd::Block) => 0,
            Some(ChunkEnd::Finish) => bits.next_multiple_of(8) - bits,
            Some(ChunkEnd::Partial) => 10,
            Some(ChunkEnd::Sync) => (bits + 3).next_multiple_of(8) + 32 - bits,
        }
    }

    /// Adds `count` bits to the buffer. Callers stage whole bytes afterwards.
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
        // A shift by 64 bits would overflow.
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

    /// Pads the last byte with zero bits. Of a complete byte, or an empty buffer, all eight bits
    /// are in use.
    fn fill_last_byte(&mut self) {
        self.used_bits = (self.count.wrapping_sub(1) & 7) + 1;
        self.count = self.count.next_multiple_of(8);
    }

    /// Writes the header of the next stored block (RFC 1951, 3.2.4): final flag, form 00, padding
    /// to a byte, length, and the length's complement. Only the last block of the range can be
    /// final.
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

    /// Writes an end mark. `Partial`: an empty fixed block, three bits of start and the seven zero
    /// bits of end-of-block. `Sync`: the start of an empty stored block, padding, and then 00 00 FF
    /// FF. Neither is final. `Finish`: the block before was final.
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

    /// Writes the front of `bytes` as literals, while there is room, and at least one. They are
    /// written in pairs, as tokens are; the last byte of an odd number is written by the next call,
    /// when no pairs are left.
    fn write_literals(&mut self, bytes: &[u8], out: &mut Output<'_>) {
        let (before, waiting) = (out.written() + usize::from(self.staged_len), self.count);
        let (pairs, last) = bytes.as_chunks::<2>();
        let written = match last {
            &[byte] if pairs.is_empty() => self.write_tokens(1, [lone_literal(byte)].into_iter(), out),
            _ => 2 * self.write_tokens(pairs.len(), pairs.iter().map(|&[a, b]| two_literals(a, b)), out),
        };
        // The bits that were added: whole bytes in the output or staged, and the change of the bits
        // in the buffer.
        let bytes = out.written() + usize::from(self.staged_len) - before;
        self.literal_bits -= 8 * bytes as u64 + u64::from(self.count) - u64::from(waiting);
        self.literals_from += written;
    }

    /// Writes the first of the `count` tokens, while there is room, and at least one: a token
    /// without room is staged. Returns their number.
    ///
    /// The number of tokens is fixed before the loop, from the room and the longest token, so the
    /// loop has no test for room. It usually leaves some room, which further calls fill: each
    /// leaves a fraction of the room that the one before did. With less than eight bytes of room,
    /// a call stages one token.
    #[inline(never)]
    fn write_tokens(
        &mut self,
        count: usize,
        mut tokens: impl Iterator<Item = u32>,
        out: &mut Output<'_>,
    ) -> usize {
        // Each token stores eight bytes and advances by the whole ones. With up to seven bits from
        // before, 54 bits are at most six whole bytes; seven are allowed for.
        const TOKEN_MAX: usize = (MAX_TOKEN_BITS + 7).div_ceil(8) as usize;
        let spare = out.spare();
        let Some(room) = spare.len().checked_sub(8) else {
            let Some(token) = tokens.next() else { return 0 };
            // Less than eight bytes are left. The staged bytes are empty here, and the token adds
            // at most six.
            let (bits, bit_count) = self.code.codes().of(token);
            self.add(bits, bit_count);
            self.stage_whole_bytes();
            return 1;
        };
        // Before the last token at most `(number - 1) * TOKEN_MAX <= room` bytes are written, so
        // its eight bytes fit.
        let number = (room / TOKEN_MAX + 1).min(count);
        let codes = self.code.codes();
        let (mut buffer, mut count) = (self.bits, self.count);
        assert!(count < 8, "whole bytes were staged");
        let start = spare.as_mut_ptr().cast::<u8>();
        let mut place = start;
        for token in tokens.take(number) {
            let (bits, bit_count) = codes.of(token);
            // The store writes bits that are not complete bytes yet, too; the next one overwrites
            // them with the same bits and more.
            buffer |= bits << count;
            count += bit_count;
            // SAFETY: before token `i` at most `i * TOKEN_MAX` bytes were written, and `number` leaves space for eight more.
            unsafe { place.cast::<[u8; 8]>().write_unaligned(buffer.to_le_bytes()) };
            // SAFETY: as above: advances by at most `TOKEN_MAX` bytes, which stays in `spare`.
            place = unsafe { place.add((count >> 3) as usize) };
            buffer >>= count & !7;
            count &= 7;
        }
        (self.bits, self.count) = (buffer, count);
        // SAFETY: both point into `spare`, and `place` is not before `start`.
        let written = unsafe { place.offset_from(start) } as usize;
        // SAFETY: `written` bytes from the cursor on were written.
        unsafe { out.advance(written) };
        number
    }
}

/// Whether `bytes` may take fewer than `limit` bits as literals, judged by samples. Each test takes
/// longer than the one before: a comparison, 256 bytes, one byte in eight. A wrong answer costs a
/// little time or size, never correctness.
fn may_be_smaller(bytes: &[u8], limit: u64) -> bool {
    let takes = |sixteenths: u32| u64::from(sixteenths) * bytes.len() as u64 / u64::from(BIT);
    // A literal takes one bit at least.
    limit > bytes.len() as u64
        && takes(collision_entropy(bytes)) < limit
        && takes(sampled_entropy(bytes)) < limit
}

/// The collision entropy of a byte, in sixteenths of a bit, estimated from the number of pairs of
/// equal bytes in a small sample. Its true value is never more than the entropy: it is `-log2(p)`,
/// where `p` is the probability that two bytes are equal. The entropy of so few bytes would be far
/// too low, since most values occur once or not at all.
///
/// The pieces are spread over the block, so that one part of it alone does not decide.
#[inline(never)]
fn collision_entropy(bytes: &[u8]) -> u32 {
    let (mut counts, mut equal_pairs, mut len) = ([0u16; 256], 0, 0);
    for piece in bytes.chunks(bytes.len() / SMALL_SAMPLE.0) {
        for &byte in &piece[..piece.len().min(SMALL_SAMPLE.1)] {
            let count = &mut counts[usize::from(byte)];
            // This byte makes a pair with each earlier one of the same value.
            equal_pairs += u32::from(*count);
            *count += 1;
            len += 1;
        }
    }
    let pairs = len * (len - 1) / 2;
    log2_sixteenths(pairs).saturating_sub(log2_sixteenths(equal_pairs.max(1)))
}

/// The entropy of a byte, in sixteenths of a bit, by a larger sample: 64 of each 512 bytes.
/// `of_pieces` also counts an end-of-block symbol, which makes no difference.
#[inline(never)]
fn sampled_entropy(bytes: &[u8]) -> u32 {
    let (piece, step) = SAMPLE;
    let sample = Frequencies::of_pieces(bytes.chunks(step).map(|bytes| &bytes[..bytes.len().min(piece)]));
    let len: u32 = sample.litlen.iter().sum();
    (entropy(&sample) * u64::from(BIT) / u64::from(len)) as u32
}

/// The bit position after `len` bytes are written as stored blocks, starting at bit `from`. Each
/// block has at most 65,535 bytes and a header: three bits, padding, and 32 bits.
fn after_stored(from: u64, len: usize) -> u64 {
    if len == 0 {
        return from;
    }
    // The first header takes three bits before it is aligned; the others begin at a byte.
    let first = (from + 3).next_multiple_of(8) + 32;
    first + 40 * (len.div_ceil(MAX_STORED) as u64 - 1) + 8 * len as u64
}

/// The maximum output for `len` bytes, with an end mark: see the head of this file. The end mark
/// takes at most six bytes: a sync mark has three bits and four bytes, and may begin anywhere in a
/// byte.
pub const fn bound(len: usize) -> usize {
    len + 5 * len.div_ceil(STORED_MIN) + 6
}
