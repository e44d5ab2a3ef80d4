//! The code of a block: its shortest form, its header, and the table with which its tokens are
//! written.
//!
//! The exact size of each form (stored, fixed, dynamic: RFC 1951, 3.2.3) follows from the block's
//! frequencies before a bit is written: each symbol's frequency times the bits of its codeword and
//! its extra bits, plus the header. So the choice needs neither a trial nor a buffer. In steps:
//!
//! 1. [`BlockCode::fit`] sums the fixed form's size. For a short block it then estimates the size
//!    of the dynamic form (the entropy of the symbols plus a typical header). If that is not
//!    smaller, no dynamic code is built, which saves time.
//! 2. Otherwise it builds the two codes' lengths (`huffman`) and the header that describes them,
//!    and sums the exact size.
//! 3. The emitter compares the sizes of all three forms, and [`BlockCode::choose`] prepares the
//!    form that it selected.
//! 4. [`Codes::of`] then returns the bits of one token after the other.
//!
//! A dynamic block, with the parts that this file makes:
//!
//! ```text
//! 3 bits       final flag, form
//! header       counts, precode lengths, run-length coded lengths of both codes
//! body         one token after the other
//! end          the codeword of symbol 256
//! ```
//!
//! The estimate is not exact. Where it is too low, the code is built in vain. Where it is too high,
//! the block gets the fixed code although a dynamic one would be slightly smaller.

use super::huffman::{
    MAX_SYMBOLS, Used, UsedSymbols, assign_codewords, build_lengths, frequency_of, symbol_of,
};
use super::token::{EXTRA_SHIFT, Frequencies, LENGTH_SYMBOL, SECOND_LITERAL};
use crate::format::deflate::{
    END_OF_BLOCK, FIRST_LENGTH, FIXED_LITLEN_LENGTHS, FIXED_OFFSET_LENGTH, LENGTH_BASE, LENGTH_EXTRA,
    MAX_CODEWORD, MAX_MATCH, MAX_PRECODE_CODEWORD, OFFSET_EXTRA, OFFSET_SYMBOLS, PRECODE_ORDER,
    PRECODE_SYMBOLS,
};
use crate::raw::Zeroed;

/// The longest literal/length codeword in use, one bit below the format's limit. A token then takes
/// at most 47 bits; with up to 7 bits left from the token before, that is 54, so one store of the
/// 64-bit buffer per token is enough. The shorter limit costs a block a few bits at most.
const MAX_LITLEN_CODEWORD: u32 = 14;
/// The maximum bits of a token: a literal/length codeword, five extra bits, an offset codeword,
/// thirteen extra bits (RFC 1951, 3.2.5). Two literals take less: twice a codeword.
pub(super) const MAX_TOKEN_BITS: u32 = MAX_LITLEN_CODEWORD + 5 + MAX_CODEWORD + 13;
/// Bits before a block's header or body: the final flag and the form (RFC 1951, 3.2.3).
pub(super) const BLOCK_START_BITS: u64 = 3;

/// Blocks with fewer tokens get fixed codes, since a dynamic header costs more than it saves, unless
/// nearly all of them are matches, and at least [`FEW_MATCHES`]: data that repeats again and again
/// has few different symbols, and a fixed code takes 13 bits for each match.
const DYNAMIC_MIN_TOKENS: usize = 24;
const FEW_MATCHES: usize = 12;
/// The maximum number of symbols for which the size of the dynamic form is estimated first.
/// [`log2`] has a table entry for each number up to it.
const ESTIMATE_MAX: u32 = 4096;

/// The form of a block that is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Form {
    Fixed = 0,
    Dynamic,
}

/// The codewords of one block, indexed by the parts of a token. Extra bits are part of the entries
/// where the token does not hold them separately:
///
/// ```text
/// litlen  bits 0..26   codeword, then the extra bits of a length (19 bits at most)
///         bits 26..32  the number of these bits
/// second  bits 0..16   codeword
///         bits 16..21  its length: where the offset's extra bits begin
///         bits 24..32  its length and the number of the offset's extra bits
/// ```
///
/// A match length has an entry of its own in `litlen`, with its extra bits in place: 256 entries
/// instead of 29, so that the writer computes neither slot nor extra bits. Offsets are too many for
/// that: the token holds their extra bits.
///
/// After a block, entries of symbols that it used stay. They are harmless, since every symbol of
/// the next block's tokens is counted in its frequencies, and [`BlockCode::choose`] sets the
/// entries of all symbols that are.
#[derive(Clone, Debug)]
pub(super) struct Codes {
    /// By a token's symbol: the codeword and a length's extra bits; from
    /// [`COUNT_SHIFT`](Self::COUNT_SHIFT) on, their bit count.
    litlen: [u32; 512],
    /// By a token's second part (an offset slot, nothing, or a literal): the codeword; from bit 16
    /// on, its bit count; from bit 24 on, its bit count including extra bits. The entry for nothing
    /// stays 0, so a lone literal adds no bits and needs no branch.
    second: [u32; SECOND_LITERAL as usize + 256],
    end_of_block: u32,
}

impl Codes {
    const COUNT_SHIFT: u32 = 26;

    const EMPTY: Self =
        Self { litlen: [0; 512], second: [0; SECOND_LITERAL as usize + 256], end_of_block: 0 };

    /// The fixed code (RFC 1951, 3.2.6).
    const FIXED: Self = fixed_codes();

    /// A token's bits and their count, at most [`MAX_TOKEN_BITS`]. All kinds of tokens take the
    /// same path, two loads and a few shifts. The order of the bits is that of RFC 1951, 3.2.3:
    /// length codeword, its extra bits, offset codeword, its extra bits.
    #[inline(always)]
    pub(super) fn of(&self, token: u32) -> (u64, u32) {
        let first = self.litlen[(token & 511) as usize];
        let second = self.second[(token >> 9 & 511) as usize];
        let first_count = first >> Self::COUNT_SHIFT;
        let extra = u64::from(token >> EXTRA_SHIFT) << (second >> 16 & 31);
        let rest = u64::from(second & 0xffff) | extra;
        let bits = u64::from(first & ((1 << Self::COUNT_SHIFT) - 1)) | rest << first_count;
        (bits, first_count + (second >> 24))
    }

    /// The end-of-block codeword and its bit count.
    pub(super) fn end_of_block(&self) -> (u64, u32) {
        (
            u64::from(self.end_of_block & ((1 << Self::COUNT_SHIFT) - 1)),
            self.end_of_block >> Self::COUNT_SHIFT,
        )
    }

    /// Sets the entries of a literal/length symbol, whose `codeword` is already bit-reversed. A
    /// literal has two: it may be the first or the second part of a token. A length symbol has one
    /// for each length of its slot. Symbols 286 and 287, which take part in the fixed code but
    /// never occur (RFC 1951, 3.2.6), have none.
    const fn set_litlen(&mut self, symbol: usize, codeword: u32, length: u32) {
        let code = codeword | length << Self::COUNT_SHIFT;
        if symbol < END_OF_BLOCK {
            self.litlen[symbol] = code;
            self.second[SECOND_LITERAL as usize + symbol] = codeword | length << 16 | length << 24;
        } else if symbol == END_OF_BLOCK {
            self.end_of_block = code;
        } else if symbol - FIRST_LENGTH < LENGTH_BASE.len() {
            let slot = symbol - FIRST_LENGTH;
            let extra_bits = LENGTH_EXTRA[slot] as u32;
            let mut extra = 0;
            while extra < 1 << extra_bits {
                let match_length = LENGTH_BASE[slot] as usize + extra as usize;
                // The next-to-last slot, 227 to 257, could express 258 with its five extra bits,
                // but 258 has its own slot (3.2.5).
                if match_length < MAX_MATCH || slot + 1 == LENGTH_BASE.len() {
                    let bits = codeword | extra << length;
                    self.litlen[match_length + LENGTH_SYMBOL] =
                        bits | (length + extra_bits) << Self::COUNT_SHIFT;
                }
                extra += 1;
            }
        }
    }

    const fn set_offset(&mut self, slot: usize, codeword: u32, length: u32) {
        if slot < OFFSET_SYMBOLS {
            self.second[slot] = codeword | length << 16 | (length + OFFSET_EXTRA[slot] as u32) << 24;
        }
    }
}

/// Builds the code of RFC 1951, 3.2.6. The RFC lists codewords from the top bit down. The bit
/// buffer fills from the low end, so they are reversed (3.1.1).
const fn fixed_codes() -> Codes {
    let mut codes = Codes::EMPTY;
    let mut symbol = 0;
    while symbol < 288 {
        let length = FIXED_LITLEN_LENGTHS[symbol] as u32;
        let code = match symbol {
            0..144 => 0x30 + symbol as u32,
            144..256 => 0x190 + (symbol as u32 - 144),
            256..280 => symbol as u32 - 256,
            _ => 0xc0 + (symbol as u32 - 280),
        };
        codes.set_litlen(symbol, code.reverse_bits() >> (32 - length), length);
        symbol += 1;
    }
    let mut slot = 0;
    while slot < OFFSET_SYMBOLS {
        let length = FIXED_OFFSET_LENGTH as u32;
        codes.set_offset(slot, (slot as u32).reverse_bits() >> (32 - length), length);
        slot += 1;
    }
    codes
}

/// The maximum bytes of a dynamic header: 14 bits of counts, 19 precode lengths, and 316 lengths of
/// at most 14 bits each: a precode codeword of 7 bits and 7 extra bits. Eight more bytes allow
/// loads and stores of whole words.
const HEADER_MAX: usize = (14 + 3 * PRECODE_SYMBOLS + 14 * (286 + 30)).div_ceil(8) + 8;

/// A dynamic block's header, as a bit string. It is built when the block is planned, since its size
/// decides the form, and kept until it is written, since the output may have no room.
#[derive(Clone, Debug)]
struct Header {
    bytes: [u8; HEADER_MAX],
    bits: usize,
}

impl Header {
    /// Appends `count` bits, at most 25. The store of four bytes also clears the bytes after them,
    /// so bits past the end are always 0, and the next call may combine its own with them.
    fn put(&mut self, bits: u32, count: u32) {
        let at = self.bits / 8;
        let word = u32::from(self.bytes[at]) | bits << (self.bits % 8);
        self.bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        self.bits += count as usize;
    }
}

/// Sizes of a block's two compressed forms, in bits, including the three that begin it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) fixed: u64,
    /// `None` if no dynamic code was built.
    pub(super) dynamic: Option<u64>,
}

impl Sizes {
    /// The shorter form and its size; the fixed one if both sizes are equal.
    pub(super) fn best(self) -> (Form, u64) {
        match self.dynamic {
            Some(dynamic) if dynamic < self.fixed => (Form::Dynamic, dynamic),
            _ => (Form::Fixed, self.fixed),
        }
    }
}

/// The code of the block that is being planned or written. Its lengths and its header are those of
/// the last [`fit`](Self::fit) that built a dynamic code. The emitter fits a block twice when it
/// also tries literals alone; it then repeats the first fit if the second was not better.
#[derive(Clone, Debug)]
pub(super) struct BlockCode {
    litlen_lengths: [u8; MAX_SYMBOLS],
    offset_lengths: [u8; 32],
    header: Header,
    codes: Codes,
    form: Form,
}

// SAFETY: numbers, arrays of numbers, and a `Form`, for which 0 is a valid value.
unsafe impl Zeroed for BlockCode {}

impl BlockCode {
    /// Builds the best code for a block of `token_count` tokens with these frequencies, and returns
    /// the size of each form. Skips the dynamic code, since building it takes time, if the block is
    /// very short, or if the estimate shows that it saves less than `margin` 256ths of the fixed
    /// size.
    pub(super) fn fit(&mut self, frequencies: &Frequencies, token_count: usize, margin: u32) -> Sizes {
        let fixed = BLOCK_START_BITS + fixed_body_bits(frequencies);
        if token_count < DYNAMIC_MIN_TOKENS {
            let matches: u32 = frequencies.offset.iter().sum();
            if (matches as usize) < FEW_MATCHES.max(token_count * 3 / 4) {
                return Sizes { fixed, dynamic: None };
            }
        }
        // From here on only symbols that occur are visited: a short block uses few of the 286 and
        // 30.
        let litlen = UsedSymbols::<MAX_SYMBOLS>::new(frequencies.litlen());
        let litlen = litlen.entries();
        let offset = UsedSymbols::<32>::new(frequencies.offset());
        let offset = offset.entries();
        if let Some(estimate) = estimated_bits(litlen, offset)
            && estimate + fixed * u64::from(margin) / 256 >= fixed
        {
            return Sizes { fixed, dynamic: None };
        }
        // The header depends on the lengths alone, so its size is exact before codewords are
        // assigned. Codewords are computed only for the form that is selected.
        build_lengths(litlen, MAX_LITLEN_CODEWORD, &mut self.litlen_lengths);
        build_lengths(offset, MAX_CODEWORD, &mut self.offset_lengths);
        self.describe(litlen, offset);
        let body = body_bits(litlen, &self.litlen_lengths, &LITLEN_EXTRA)
            + body_bits(offset, &self.offset_lengths, &OFFSET_EXTRA_ALL);
        Sizes { fixed, dynamic: Some(BLOCK_START_BITS + self.header.bits as u64 + body) }
    }

    /// Selects a form for the block; [`fit`](Self::fit) must have built the code lengths for the same frequencies.
    pub(super) fn choose(&mut self, form: Form, frequencies: &Frequencies) {
        self.form = form;
        if form == Form::Dynamic {
            // Both lists are in ascending order of symbols, which is the order in which canonical
            // codewords are assigned (RFC 1951, 3.2.2); the two slices run in parallel.
            let mut codewords = [0; MAX_SYMBOLS];
            let used = UsedSymbols::<MAX_SYMBOLS>::new(frequencies.litlen());
            assign_codewords(used.entries(), &self.litlen_lengths, &mut codewords);
            for (&entry, &codeword) in used.entries().iter().zip(&codewords) {
                let length = u32::from(self.litlen_lengths[symbol_of(entry)]);
                self.codes.set_litlen(symbol_of(entry), u32::from(codeword), length);
            }
            let used = UsedSymbols::<32>::new(frequencies.offset());
            assign_codewords(used.entries(), &self.offset_lengths, &mut codewords);
            for (&entry, &codeword) in used.entries().iter().zip(&codewords) {
                let length = u32::from(self.offset_lengths[symbol_of(entry)]);
                self.codes.set_offset(symbol_of(entry), u32::from(codeword), length);
            }
        }
    }

    /// The codewords of the selected form.
    #[inline(always)]
    pub(super) fn codes(&self) -> &Codes {
        const FIXED: &Codes = &Codes::FIXED;
        match self.form {
            Form::Fixed => FIXED,
            Form::Dynamic => &self.codes,
        }
    }

    /// The header's bits starting at bit `from`, at most 32 of them, and their count. Five bytes
    /// are enough: the first bit may be the last one of its byte, 7 + 32 bits.
    pub(super) fn header_bits(&self, from: usize) -> (u64, u32) {
        let count = (self.header.bits - from).min(32);
        let at = from / 8;
        let bytes = self.header.bytes[at..at + 5].iter().rev();
        let word = bytes.fold(0u64, |word, &byte| word << 8 | u64::from(byte));
        (word >> (from % 8) & ((1 << count) - 1), count as u32)
    }

    /// The header's size in bits.
    pub(super) fn header_len(&self) -> usize {
        match self.form {
            Form::Fixed => 0,
            Form::Dynamic => self.header.bits,
        }
    }

    /// Builds the header (RFC 1951, 3.2.7): the lengths of both alphabets as one sequence,
    /// run-length coded, preceded by the code of these items, the *precode*.
    ///
    /// ```text
    /// HLIT   5 bits   number of literal/length lengths - 257
    /// HDIST  5 bits   number of offset lengths - 1
    /// HCLEN  4 bits   number of precode lengths - 4
    ///        3 bits each   the precode lengths, in the order of PRECODE_ORDER
    ///        the items: a precode codeword, and the extra bits of 16, 17 and 18
    /// ```
    ///
    /// Trailing zeros of each list are left out, as far as the minimum counts allow.
    fn describe(&mut self, litlen: &[Used], offset: &[Used]) {
        let mut runs = Runs { items: [(0, 0); 286 + 30], len: 0, frequencies: [0; PRECODE_SYMBOLS] };
        let last = |used: &[Used]| used.last().map_or(0, |&entry| symbol_of(entry) + 1);
        // HLIT and HDIST cannot express fewer than 257 and 1 lengths.
        let (litlen_count, offset_count) = (last(litlen).max(FIRST_LENGTH), last(offset).max(1));
        let mut row = Row { runs: &mut runs, length: 0, run: 0 };
        // `Row` receives the lengths in order. The gaps between used symbols are zeros. The runs
        // are not ended between the two alphabets: RFC 1951, 3.2.7 allows a repeat to cross from
        // one to the other.
        let mut next = 0;
        let lengths = litlen.iter().map(|&entry| (symbol_of(entry), &self.litlen_lengths[..]));
        for (symbol, lengths) in lengths {
            row.add_zeros(symbol - next);
            row.add(lengths[symbol]);
            next = symbol + 1;
        }
        row.add_zeros(litlen_count - next);
        next = 0;
        for &entry in offset {
            row.add_zeros(symbol_of(entry) - next);
            row.add(self.offset_lengths[symbol_of(entry)]);
            next = symbol_of(entry) + 1;
        }
        row.end();

        // The precode is a Huffman code of 19 symbols with lengths up to 7. `UsedSymbols` makes it
        // have two codewords at least, so it is complete.
        let used = UsedSymbols::<32>::new(&runs.frequencies);
        let mut lengths = [0u8; PRECODE_SYMBOLS];
        build_lengths(used.entries(), MAX_PRECODE_CODEWORD, &mut lengths);
        let mut in_order = [0; MAX_SYMBOLS];
        assign_codewords(used.entries(), &lengths, &mut in_order);
        let mut codewords = [0u16; PRECODE_SYMBOLS];
        for (&entry, &codeword) in used.entries().iter().zip(&in_order) {
            codewords[symbol_of(entry)] = codeword;
        }
        // Symbols that are seldom used are at the end of the order, so that their zero lengths need
        // not be sent.
        let unsent = PRECODE_ORDER.iter().rev().take_while(|&&symbol| lengths[symbol] == 0).count();
        let sent = (PRECODE_SYMBOLS - unsent).max(4);

        let header = &mut self.header;
        header.bits = 0;
        header.bytes[0] = 0;
        header.put((litlen_count - FIRST_LENGTH) as u32, 5);
        header.put((offset_count - 1) as u32, 5);
        header.put((sent - 4) as u32, 4);
        for &symbol in &PRECODE_ORDER[..sent] {
            header.put(u32::from(lengths[symbol]), 3);
        }
        for &(symbol, extra) in &runs.items[..runs.len] {
            let count = u32::from(lengths[symbol as usize]);
            let bits = u32::from(codewords[symbol as usize]) | u32::from(extra) << count;
            header.put(bits, count + extra_bits(symbol));
        }
        // `header_bits` reads whole words, past the end.
        let end = header.bits.div_ceil(8);
        header.bytes[end..end + 4].fill(0);
    }
}

/// The run-length coded lengths of a header. Each length makes at most one item, so the capacity is
/// the number of lengths.
struct Runs {
    /// Symbol and the value of its extra bits.
    items: [(u8, u8); 286 + 30],
    len: usize,
    frequencies: [u32; PRECODE_SYMBOLS],
}

impl Runs {
    fn push(&mut self, symbol: u8, extra: usize) {
        self.items[self.len] = (symbol, extra as u8);
        self.len += 1;
        self.frequencies[symbol as usize] += 1;
    }
}

/// Run-length encodes a sequence of lengths into [`Runs`], with the three repeat symbols of RFC
/// 1951, 3.2.7:
///
/// ```text
/// 16  repeats the previous length 3 to 6 times    5 5 5 5 5 5 5    -> 5 16(6)
/// 17  3 to 10 zeros                               0 0 0 0         -> 17(4)
/// 18  11 to 138 zeros                             140 zeros       -> 18(138) 0 0
/// ```
struct Row<'a> {
    runs: &'a mut Runs,
    /// The last length and the number of its consecutive occurrences.
    length: u8,
    run: usize,
}

impl Row<'_> {
    fn add(&mut self, length: u8) {
        if length != self.length {
            self.end();
            self.length = length;
        }
        self.run += 1;
    }

    /// Adds `count` zeros. The gaps of a sparse alphabet are long, so they are not added one by
    /// one.
    fn add_zeros(&mut self, count: usize) {
        if count > 0 {
            if self.length != 0 {
                self.end();
                self.length = 0;
            }
            self.run += count;
        }
    }

    /// Ends the run: writes its items, the longest repeats first. One or two lengths, too few for a
    /// repeat, are written as they are.
    fn end(&mut self) {
        let mut run = core::mem::take(&mut self.run);
        if self.length == 0 {
            while run >= 11 {
                let count = run.min(138);
                self.runs.push(18, count - 11);
                run -= count;
            }
            if run >= 3 {
                self.runs.push(17, run - 3);
                run = 0;
            }
        } else if run > 0 {
            // 16 repeats the item before it, so the length must have occurred once.
            self.runs.push(self.length, 0);
            run -= 1;
            while run >= 3 {
                let count = run.min(6);
                self.runs.push(16, count - 3);
                run -= count;
            }
        }
        for _ in 0..run {
            self.runs.push(self.length, 0);
        }
    }
}

/// The number of extra bits of a precode symbol (RFC 1951, 3.2.7).
fn extra_bits(symbol: u8) -> u32 {
    match symbol {
        16 => 2,
        17 => 3,
        18 => 7,
        _ => 0,
    }
}

/// The number of extra bits of every literal/length symbol: 0 for literals and end-of-block.
const LITLEN_EXTRA: [u8; MAX_SYMBOLS] = litlen_extra();

const fn litlen_extra() -> [u8; MAX_SYMBOLS] {
    let mut extra = [0; MAX_SYMBOLS];
    let mut slot = 0;
    while slot < LENGTH_EXTRA.len() {
        extra[FIRST_LENGTH + slot] = LENGTH_EXTRA[slot];
        slot += 1;
    }
    extra
}

/// The number of extra bits of every offset symbol; 0 for the two that do not exist.
const OFFSET_EXTRA_ALL: [u8; 32] = offset_extra();

const fn offset_extra() -> [u8; 32] {
    let mut extra = [0; 32];
    let mut slot = 0;
    while slot < OFFSET_SYMBOLS {
        extra[slot] = OFFSET_EXTRA[slot];
        slot += 1;
    }
    extra
}

/// Total bits of the used symbols, including their extra bits.
fn body_bits(used: &[Used], lengths: &[u8], extra: &[u8]) -> u64 {
    let bits = |&entry: &u32| {
        let symbol = symbol_of(entry);
        u64::from(frequency_of(entry)) * u64::from(lengths[symbol] + extra[symbol])
    };
    used.iter().map(bits).sum()
}

/// Total bits of a body with these frequencies in the fixed code: sums of products over whole
/// arrays, without branches. `entropy` also uses it as a quick first test.
pub(super) fn fixed_body_bits(frequencies: &Frequencies) -> u64 {
    const LITLEN: [u8; MAX_SYMBOLS] = fixed_litlen_bits();
    const OFFSET: [u8; 32] = fixed_offset_bits();
    let sum = |frequencies: &[u32], bits: &[u8]| -> u32 {
        frequencies.iter().zip(bits).map(|(&frequency, &bits)| frequency * u32::from(bits)).sum()
    };
    u64::from(sum(&frequencies.litlen, &LITLEN)) + u64::from(sum(&frequencies.offset, &OFFSET))
}

const fn fixed_litlen_bits() -> [u8; MAX_SYMBOLS] {
    let mut bits = LITLEN_EXTRA;
    let mut symbol = 0;
    while symbol < MAX_SYMBOLS {
        bits[symbol] += FIXED_LITLEN_LENGTHS[symbol];
        symbol += 1;
    }
    bits
}

const fn fixed_offset_bits() -> [u8; 32] {
    let mut bits = OFFSET_EXTRA_ALL;
    let mut slot = 0;
    while slot < 32 {
        bits[slot] += FIXED_OFFSET_LENGTH;
        slot += 1;
    }
    bits
}

/// The estimated size of a dynamic block, in bits; `None` for blocks of more than [`ESTIMATE_MAX`]
/// symbols, which need no estimate.
///
/// The body is taken as its entropy, `sum of f * (log2(total) - log2(f))`, computed as `total *
/// log2(total) - sum of f * log2(f)`, plus its extra bits. The header is taken as a linear function
/// of the numbers of used symbols; its constants were fitted to messages of five kinds of data: 135
/// bits, 4.4 for each of the first 96 literal/length symbols, one for each further one, and half a
/// bit for each offset symbol.
fn estimated_bits(litlen: &[Used], offset: &[Used]) -> Option<u64> {
    const HEADER: u64 = 135;
    /// In sixteenths of a bit.
    const PER_LITLEN_SYMBOL: u64 = 70;
    /// With more symbols than this, neighbours often have equal lengths, which take fewer bits.
    /// With 4.4 bits for all symbols, a block of nearly random bytes with long matches got fixed
    /// codes and was up to 10 % larger.
    const SPREAD_SYMBOLS: u64 = 96;
    const PER_CLOSE_SYMBOL: u64 = 16;
    const PER_OFFSET_SYMBOL: u64 = 8;
    let mut bits = 0;
    for (used, extra) in [(litlen, &LITLEN_EXTRA[..]), (offset, &OFFSET_EXTRA_ALL[..])] {
        // No product overflows 32 bits: both are at most 4096 * log2(4096) = 4096 * 12 * 2048,
        // below 2^27.
        let (mut total, mut weighted, mut extra_bits) = (0, 0, 0);
        for &entry in used {
            let frequency = frequency_of(entry);
            total += frequency;
            if total > ESTIMATE_MAX {
                return None;
            }
            weighted += frequency * log2(frequency);
            extra_bits += frequency * u32::from(extra[symbol_of(entry)]);
        }
        bits += u64::from(total * log2(total) - weighted) / LOG2_UNIT + u64::from(extra_bits);
    }
    let symbols = litlen.len() as u64;
    let spread = symbols.min(SPREAD_SYMBOLS);
    let header = PER_LITLEN_SYMBOL * spread
        + PER_CLOSE_SYMBOL * (symbols - spread)
        + PER_OFFSET_SYMBOL * offset.len() as u64;
    Some(bits + HEADER + header / 16)
}

/// The value of one bit in the results of [`log2`]. Finer than the sixteenths of `entropy`: a short
/// block's forms may differ by a few bits, and the errors of a few hundred symbols add up.
const LOG2_UNIT: u64 = 2048;

/// The logarithm to base 2 of a number up to [`ESTIMATE_MAX`], in units of 1/[`LOG2_UNIT`] bit,
/// rounded down; 0 of 0, so that symbols that do not occur add nothing.
fn log2(value: u32) -> u32 {
    static TABLE: [u16; ESTIMATE_MAX as usize + 1] = logarithms();
    u32::from(TABLE[value as usize])
}

const fn logarithms() -> [u16; ESTIMATE_MAX as usize + 1] {
    let mut table = [0; ESTIMATE_MAX as usize + 1];
    let mut value = 1;
    while value <= ESTIMATE_MAX {
        let top = value.ilog2();
        // Computes eleven binary digits of the fraction by repeatedly squaring a number in 1..2
        // with 30 fractional bits: squaring doubles its logarithm, and if the square is 2 or more,
        // the next digit is 1.
        let mut x = (value as u64) << (30 - top);
        let mut digits = 0;
        let mut digit = 0;
        while digit < 11 {
            x = (x * x) >> 30;
            digits <<= 1;
            if x >= 2 << 30 {
                digits |= 1;
                x >>= 1;
            }
            digit += 1;
        }
        table[value as usize] = (top * LOG2_UNIT as u32 + digits) as u16;
        value += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::{Allocator, Placed};

    #[test]
    fn the_logarithm_is_right_to_a_thousandth_of_a_bit() {
        for value in 1..=ESTIMATE_MAX {
            let exact = f64::from(value).log2() * LOG2_UNIT as f64;
            assert!((f64::from(log2(value)) - exact).abs() <= 2.0, "{value}");
        }
    }

    #[test]
    fn a_block_with_all_literals_gets_a_dynamic_code_where_it_is_smaller() {
        let mut code = Placed::<BlockCode>::zeroed(Allocator::SYSTEM).expect("a few KiB");
        for each in [3, 4, 6, 8] {
            let mut frequencies = Frequencies::NONE;
            frequencies.litlen[..256].fill(each);
            (frequencies.litlen[285], frequencies.offset[0], frequencies.litlen[END_OF_BLOCK]) = (60, 60, 1);
            let sizes = code.fit(&frequencies, 400, 0);
            let exact = sizes.dynamic.expect("the estimate is not far above the size");
            assert!(exact < sizes.fixed, "{each}: {exact} and {} bits", sizes.fixed);
        }
    }

    #[test]
    fn the_fixed_codes_are_those_of_the_rfc() {
        let codes = &Codes::FIXED;
        assert_eq!(codes.litlen[0], 0b0000_1100 | 8 << Codes::COUNT_SHIFT);
        assert_eq!(codes.litlen[255], 0b1_1111_1111 | 9 << Codes::COUNT_SHIFT);
        assert_eq!(codes.end_of_block, 7 << Codes::COUNT_SHIFT);
        // 258 is symbol 285, 0b11000101.
        assert_eq!(codes.litlen[511], 0b1010_0011 | 8 << Codes::COUNT_SHIFT);
    }
}
