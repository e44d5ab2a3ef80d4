//! Writing blocks: stored, fixed or dynamic, whichever is the shortest (RFC 1951, 3.2).
//!
//! The exact size of each form follows from the block's frequencies before a bit is written, so the choice is free.
//!
//! **The bound.** A chunk never takes more than its bytes in stored blocks of 65535 would, five bytes each. Two rules give
//! that. Blocks that are best stored are not written but left pending, so that neighbours join into one range that is cut
//! at 65535 afresh. And a compressed block over input that ends `n` bytes into the chunk is taken only if the chunk's
//! output stays within `n + 5 * floor(n / 65535)` bytes, or within `n + 5 * ceil(n / 65535)` when it is the last: a stored
//! range of `r` bytes that follows adds at most `r + 5 * ceil(r / 65535)`, and the floor and the ceiling of the parts
//! never exceed the ceiling of the whole. Only blocks that save next to nothing are turned down by this.

#![forbid(unsafe_code)]

use super::bit_writer::{BitWriter, FLUSH_BITS};
use super::huffman::{assign_codewords, build_lengths};
use super::sequence::{Frequencies, OpenBlock, Sequence};
use crate::error::Result;
use crate::format::deflate::{
    END_OF_BLOCK, FIRST_LENGTH, FIXED_LITLEN_LENGTHS, FIXED_OFFSET_LENGTH, LENGTH_BASE, LENGTH_EXTRA,
    LITLEN_SYMBOLS, MAX_CODEWORD, MAX_MATCH, MAX_PRECODE_CODEWORD, MAX_STORED, OFFSET_BASE, OFFSET_EXTRA,
    OFFSET_SYMBOLS, PRECODE_ORDER, PRECODE_SYMBOLS,
};

/// The longest literal/length codeword we make: one below the format's limit, so that even four literals fit between two
/// flushes of the bit writer. Symbols that rare cost the block a few bits at most.
const MAX_LITLEN_CODEWORD: u32 = 14;

/// Literals written at a time. Four would fit between two flushes; at level 1 four are 1 % faster, at levels 3 and up, where runs
/// are short, 2 % slower.
const GROUP: usize = 3;
const _: () = assert!(GROUP as u32 * MAX_LITLEN_CODEWORD <= FLUSH_BITS);

/// Bytes that `len` input bytes take as stored blocks from a byte boundary.
pub(super) const fn stored_size(len: usize) -> usize {
    len + 5 * len.div_ceil(MAX_STORED)
}

/// Where the bit position `from` moves when `len` bytes are written as stored blocks.
fn after_stored(from: u64, len: usize) -> u64 {
    if len == 0 {
        return from;
    }
    // The first header needs three bits before it aligns; the others start aligned.
    let first = (from + 3).div_ceil(8) * 8 + 32;
    first + 40 * (len.div_ceil(MAX_STORED) as u64 - 1) + 8 * len as u64
}

/// A codeword and, in the top six bits, its length; for a match length the extra bits are part of it.
#[derive(Clone, Copy, Default)]
struct Code(u32);

impl Code {
    const COUNT_SHIFT: u32 = 26;

    fn new(bits: u32, count: u32) -> Self {
        Self(bits | count << Self::COUNT_SHIFT)
    }

    #[inline(always)]
    fn bits(self) -> u64 {
        u64::from(self.0 & ((1 << Self::COUNT_SHIFT) - 1))
    }

    #[inline(always)]
    fn count(self) -> u32 {
        self.0 >> Self::COUNT_SHIFT
    }
}

/// The codeword of an offset slot, and how the extra bits follow it.
#[derive(Clone, Copy, Default)]
struct OffsetCode {
    bits: u16,
    /// The slot's first offset, from which the extra bits count.
    base: u16,
    count: u8,
    /// With the extra bits.
    total: u8,
}

/// The codes of the block being written, and the buffers to make them: lives in the encoder, meaningless between blocks.
pub(super) struct Codes {
    litlen_lengths: [u8; 288],
    offset_lengths: [u8; OFFSET_SYMBOLS],
    precode: Precode,
    literals: [Code; 512],
    matches: [Code; MAX_MATCH + 1],
    offsets: [OffsetCode; 32],
    end_of_block: Code,
}

impl Codes {
    pub(super) fn new() -> Self {
        Self {
            litlen_lengths: [0; 288],
            offset_lengths: [0; OFFSET_SYMBOLS],
            precode: Precode::new(),
            literals: [Code::default(); 512],
            matches: [Code::default(); MAX_MATCH + 1],
            offsets: [OffsetCode::default(); 32],
            end_of_block: Code::default(),
        }
    }

    /// The codeword lengths of the best code for `frequencies`, and the header that tells them.
    fn fit(&mut self, frequencies: &Frequencies) {
        self.litlen_lengths[LITLEN_SYMBOLS..].fill(0);
        build_lengths(&frequencies.litlen, MAX_LITLEN_CODEWORD, &mut self.litlen_lengths[..LITLEN_SYMBOLS]);
        build_lengths(&frequencies.offset, MAX_CODEWORD, &mut self.offset_lengths);
        self.precode.describe(&self.litlen_lengths[..LITLEN_SYMBOLS], &self.offset_lengths);
    }

    /// The codeword lengths of the fixed code.
    fn set_fixed(&mut self) {
        self.litlen_lengths = FIXED_LITLEN_LENGTHS;
        self.offset_lengths.fill(FIXED_OFFSET_LENGTH);
    }

    /// Derives what the body needs from the codeword lengths.
    fn assign(&mut self) {
        let mut codewords = [0u16; 288];
        assign_codewords(&self.litlen_lengths, &mut codewords);
        let code =
            |symbol: usize| Code::new(u32::from(codewords[symbol]), u32::from(self.litlen_lengths[symbol]));
        for (symbol, literal) in self.literals[..256].iter_mut().enumerate() {
            *literal = code(symbol);
        }
        self.end_of_block = code(END_OF_BLOCK);
        for (slot, (&base, &extra_bits)) in LENGTH_BASE.iter().zip(&LENGTH_EXTRA).enumerate() {
            let symbol = code(FIRST_LENGTH + slot);
            let entries = self.matches[base as usize..].iter_mut().take(1 << extra_bits);
            for (extra, entry) in (0..).zip(entries) {
                let bits = symbol.bits() as u32 | extra << symbol.count();
                *entry = Code::new(bits, symbol.count() + u32::from(extra_bits));
            }
        }
        let mut codewords = [0u16; OFFSET_SYMBOLS];
        assign_codewords(&self.offset_lengths, &mut codewords);
        for (slot, (offset, &codeword)) in self.offsets.iter_mut().zip(&codewords).enumerate() {
            let count = self.offset_lengths[slot];
            *offset = OffsetCode {
                bits: codeword,
                base: OFFSET_BASE[slot],
                count,
                total: count + OFFSET_EXTRA[slot],
            };
        }
    }
}

/// The code lengths of a dynamic block, as its header sends them (3.2.7).
struct Precode {
    /// Symbol, and the value of its extra bits.
    items: [(u8, u8); LITLEN_SYMBOLS + OFFSET_SYMBOLS],
    item_count: usize,
    lengths: [u8; PRECODE_SYMBOLS],
    litlen_count: usize,
    offset_count: usize,
    /// How many of the precode's own lengths are sent.
    sent: usize,
    header_bits: u64,
}

impl Precode {
    fn new() -> Self {
        Self {
            items: [(0, 0); LITLEN_SYMBOLS + OFFSET_SYMBOLS],
            item_count: 0,
            lengths: [0; PRECODE_SYMBOLS],
            litlen_count: 0,
            offset_count: 0,
            sent: 0,
            header_bits: 0,
        }
    }

    /// Run-length codes both alphabets' lengths as one row and fits the precode to the result.
    fn describe(&mut self, litlen_lengths: &[u8], offset_lengths: &[u8]) {
        let used =
            |lengths: &[u8]| lengths.iter().rposition(|&length| length != 0).map_or(0, |last| last + 1);
        self.litlen_count = used(litlen_lengths).max(FIRST_LENGTH);
        self.offset_count = used(offset_lengths).max(1);
        let mut row = [0u8; LITLEN_SYMBOLS + OFFSET_SYMBOLS];
        let row = &mut row[..self.litlen_count + self.offset_count];
        row[..self.litlen_count].copy_from_slice(&litlen_lengths[..self.litlen_count]);
        row[self.litlen_count..].copy_from_slice(&offset_lengths[..self.offset_count]);

        let mut frequencies = [0u32; PRECODE_SYMBOLS];
        self.item_count = 0;
        let mut rest = &*row;
        while let Some(&length) = rest.first() {
            let run = rest.iter().take_while(|&&other| other == length).count();
            rest = &rest[run..];
            self.add_run(length, run, &mut frequencies);
        }
        build_lengths(&frequencies, MAX_PRECODE_CODEWORD, &mut self.lengths);
        let unsent = PRECODE_ORDER.iter().rev().take_while(|&&symbol| self.lengths[symbol] == 0).count();
        self.sent = (PRECODE_SYMBOLS - unsent).max(4);
        self.header_bits = 5 + 5 + 4 + 3 * self.sent as u64;
        for (symbol, (&frequency, &length)) in frequencies.iter().zip(&self.lengths).enumerate() {
            self.header_bits +=
                u64::from(frequency) * u64::from(u32::from(length) + extra_bits(symbol as u8));
        }
    }

    fn add_run(&mut self, length: u8, mut run: usize, frequencies: &mut [u32; PRECODE_SYMBOLS]) {
        let mut add = |symbol: u8, extra: usize| {
            self.items[self.item_count] = (symbol, extra as u8);
            self.item_count += 1;
            frequencies[symbol as usize] += 1;
        };
        if length == 0 {
            while run >= 11 {
                let count = run.min(138);
                add(18, count - 11);
                run -= count;
            }
            if run >= 3 {
                add(17, run - 3);
                run = 0;
            }
        } else {
            add(length, 0);
            run -= 1;
            while run >= 3 {
                let count = run.min(6);
                add(16, count - 3);
                run -= count;
            }
        }
        for _ in 0..run {
            add(length, 0);
        }
    }

    fn write(&self, bits: &mut BitWriter<'_>) {
        bits.put((self.litlen_count - FIRST_LENGTH) as u32, 5);
        bits.put((self.offset_count - 1) as u32, 5);
        bits.put((self.sent - 4) as u32, 4);
        for &symbol in &PRECODE_ORDER[..self.sent] {
            bits.put(u32::from(self.lengths[symbol]), 3);
        }
        let mut codewords = [0u16; PRECODE_SYMBOLS];
        assign_codewords(&self.lengths, &mut codewords);
        for &(symbol, extra) in &self.items[..self.item_count] {
            let (codeword, count) = (codewords[symbol as usize], u32::from(self.lengths[symbol as usize]));
            bits.put(u32::from(codeword) | u32::from(extra) << count, count + extra_bits(symbol));
        }
    }
}

/// The extra bits of a precode symbol.
fn extra_bits(symbol: u8) -> u32 {
    match symbol {
        16 => 2,
        17 => 3,
        18 => 7,
        _ => 0,
    }
}

/// Bits of a body with these frequencies under these codeword lengths.
fn body_bits(frequencies: &Frequencies, litlen_lengths: &[u8], offset_lengths: &[u8]) -> u64 {
    let plain = |frequencies: &[u32], lengths: &[u8]| -> u64 {
        frequencies.iter().zip(lengths).map(|(&f, &l)| u64::from(f) * u64::from(l)).sum()
    };
    plain(&frequencies.litlen, litlen_lengths)
        + plain(&frequencies.litlen[FIRST_LENGTH..], &LENGTH_EXTRA)
        + plain(&frequencies.offset, offset_lengths)
        + plain(&frequencies.offset, &OFFSET_EXTRA)
}

/// Writes the blocks of one chunk.
pub(super) struct BlockWriter<'a> {
    bits: BitWriter<'a>,
    codes: &'a mut Codes,
    data: &'a [u8],
    /// Where the chunk begins in `data`.
    chunk_start: usize,
    /// Input up to here is in the output.
    written_to: usize,
    /// Input up to here was given; what lies between waits to be stored.
    given_to: usize,
    /// Whether the chunk's last block ends the stream.
    finishing: bool,
}

impl<'a> BlockWriter<'a> {
    pub(super) fn new(
        bits: BitWriter<'a>,
        codes: &'a mut Codes,
        data: &'a [u8],
        chunk_start: usize,
        finishing: bool,
    ) -> Self {
        Self { bits, codes, data, chunk_start, written_to: chunk_start, given_to: chunk_start, finishing }
    }

    /// Writes the open block, which ends at `end`, and opens the next one there.
    pub(super) fn end_block(&mut self, block: &mut OpenBlock, end: usize) {
        debug_assert_eq!(block.start, self.given_to);
        block.close();
        let is_last = end == self.data.len();
        let position = self.bits.len_bits();
        let before = after_stored(position, self.given_to - self.written_to);
        let stored = after_stored(position, end - self.written_to);

        self.codes.fit(&block.frequencies);
        let dynamic = before
            + 3
            + self.codes.precode.header_bits
            + body_bits(&block.frequencies, &self.codes.litlen_lengths, &self.codes.offset_lengths);
        let fixed = before
            + 3
            + body_bits(&block.frequencies, &FIXED_LITLEN_LENGTHS, &[FIXED_OFFSET_LENGTH; OFFSET_SYMBOLS]);
        let compressed = dynamic.min(fixed);

        let given = end - self.chunk_start;
        let stored_blocks = if is_last { given.div_ceil(MAX_STORED) } else { given / MAX_STORED };
        let allowed = 8 * (given + 5 * stored_blocks) as u64;
        if compressed < stored && compressed <= allowed {
            self.write_pending(false);
            let is_final = u32::from(is_last && self.finishing);
            if fixed <= dynamic {
                self.bits.put(is_final | 1 << 1, 3);
                self.codes.set_fixed();
            } else {
                self.bits.put(is_final | 2 << 1, 3);
                self.codes.precode.write(&mut self.bits);
            }
            self.codes.assign();
            let literals = &self.data[block.start..end];
            self.bits.by_value(|bits| write_body(bits, self.codes, &block.sequences, literals));
            debug_assert_eq!(self.bits.len_bits(), compressed);
            self.written_to = end;
        }
        self.given_to = end;
        block.open(end);
    }

    /// Gives input up to `end` to be stored as it is.
    pub(super) fn store(&mut self, end: usize) {
        self.given_to = end;
    }

    /// Writes what waits to be stored.
    fn write_pending(&mut self, is_final: bool) {
        while self.written_to < self.given_to {
            let count = (self.given_to - self.written_to).min(MAX_STORED);
            let end = self.written_to + count;
            self.bits.put(u32::from(is_final && end == self.given_to), 3);
            self.bits.align();
            self.bits.put(count as u32, 16);
            self.bits.put(!count as u32 & 0xffff, 16);
            self.bits.put_bytes(&self.data[self.written_to..end]);
            self.written_to = end;
        }
    }

    /// Ends the chunk: bytes written, and how many bits of the last byte were in use before it was filled up.
    pub(super) fn finish(mut self) -> Result<(usize, u32)> {
        let nothing_written = self.data.len() == self.chunk_start;
        self.write_pending(self.finishing);
        let last_bits = if self.finishing {
            if nothing_written {
                // An empty fixed block: its header and the seven zero bits of the end-of-block codeword.
                self.bits.put(1 | 1 << 1, 3 + 7);
            }
            self.bits.align()
        } else {
            self.bits.put(0, 3);
            let used = self.bits.align();
            self.bits.put(0xffff_0000, 32);
            used
        };
        Ok((self.bits.finish()?, last_bits))
    }
}

/// The symbols of a block. `input` is what it stands for, where the literals are found.
///
/// Literals go out in groups. How many of the last group belong to a run is a coin that no branch predictor calls, so a
/// whole group is looked up there too, and what is not of the run adds no bits: the upper half of the literals' table is empty.
#[inline(always)]
fn write_body(bits: &mut BitWriter<'_>, codes: &Codes, sequences: &[Sequence], input: &[u8]) {
    let mut rest = input;
    for sequence in sequences {
        let mut literals = sequence.literals as usize;
        while literals > GROUP {
            let Some((group, after)) = rest.split_first_chunk::<GROUP>() else { break };
            for &literal in group {
                let code = codes.literals[literal as usize];
                bits.add(code.bits(), code.count());
            }
            bits.flush();
            literals -= GROUP;
            rest = after;
        }
        match rest.first_chunk::<GROUP>() {
            Some(group) => {
                for (index, &literal) in group.iter().enumerate() {
                    let code = codes.literals[literal as usize | usize::from(index >= literals) << 8];
                    bits.add(code.bits(), code.count());
                }
                bits.flush();
            }
            None => write_literals(bits, codes, &rest[..literals]),
        }
        let length = sequence.length();
        rest = &rest[literals + length..];
        let code = codes.matches[length.min(MAX_MATCH)];
        bits.add(code.bits(), code.count());
        let code = codes.offsets[sequence.offset_slot()];
        let extra = u64::from(sequence.offset.wrapping_sub(code.base));
        bits.add(u64::from(code.bits) | extra << code.count, u32::from(code.total));
        bits.flush();
    }
    write_literals(bits, codes, rest);
    bits.add(codes.end_of_block.bits(), codes.end_of_block.count());
    bits.flush();
}

/// The literals at the end of a block.
#[inline(never)]
fn write_literals(bits: &mut BitWriter<'_>, codes: &Codes, literals: &[u8]) {
    for group in literals.chunks(GROUP) {
        for &literal in group {
            let code = codes.literals[literal as usize];
            bits.add(code.bits(), code.count());
        }
        bits.flush();
    }
}
