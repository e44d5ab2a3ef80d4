//! Decode tables: from codeword lengths to a lookup that gives the whole answer.
//!
//! A table is indexed with the next `root_bits` bits of the input. The entry found there is all the decoder wants to
//! know, packed in 32 bits, so that no second lookup follows:
//!
//! ```text
//! bit  31      30..16                      15           14        13     12       11..8             7..0
//!      literal base of the length/offset,  exceptional  subtable  end    pair     codeword length   bits to drop:
//!              literal, or table start                            of block                          codeword + extra
//! ```
//!
//! The low byte is the total to drop, so one shift moves past codeword and extra bits together; the extra bits
//! themselves are cut from the buffer as it was before, off the critical path. A literal shows in the sign, and
//! everything rare (end of block, a codeword longer than `root_bits`, a codeword that means nothing) in the one flag
//! *exceptional*.
//!
//! A literal's entry may stand for two literals in a row, if both codewords fit into the index and the second literal is below 128:
//! ISA-L's idea, which pays on data of many short literal codewords (`pair_likelihood` tells) and nowhere else. The second
//! literal is in bits 30..24, the flag in bit 12, the total is that of both; the codeword length stays that of the first, so whoever wants a
//! single literal finds it in the same entry.
//!
//! Codewords longer than `root_bits` go on in a subtable: the root entry drops `root_bits` bits and tells the
//! subtable's start (bits 30..16) and index width (bits 11..8).
//!
//! A table is filled in order of the codeword length, doubling as it goes: a codeword of `n` bits is stored once in
//! the first 2^n entries, and whenever the length grows by one, what is there is copied behind itself. That is a few
//! wide copies in place of a strided store per entry. The codewords are kept bit-reversed, as the stream has them.
//!
//! Which sets of lengths are accepted is zlib's rule, to the letter: over-subscribed is an error; incomplete is an
//! error except for a single codeword of one bit, whose twin then means nothing; and a code without any symbol is
//! accepted too, and fails only when the stream uses it.

use core::mem::MaybeUninit;

use crate::format::deflate::{
    END_OF_BLOCK as END_SYMBOL, FIRST_LENGTH, FIXED_LITLEN_LENGTHS, FIXED_OFFSET_LENGTH, LENGTH_BASE,
    LENGTH_EXTRA, LENGTH_SLOTS, MAX_CODEWORD, OFFSET_BASE, OFFSET_EXTRA, OFFSET_SYMBOLS, PRECODE_SYMBOLS,
};

/// Symbols of the literal/length code, the two that mean nothing among them.
const LITLEN_CODES: usize = FIXED_LITLEN_LENGTHS.len();
/// Symbols of the offset code, the two that mean nothing among them.
const OFFSET_CODES: usize = OFFSET_SYMBOLS + 2;
/// The longest codeword, as an index.
const MAX_CODE_LEN: usize = MAX_CODEWORD as usize;

/// The entry stands for a literal.
pub(super) const LITERAL: u32 = 1 << 31;
/// The entry is none of literal, length, offset: see the other flags; with none of them the codeword means nothing.
pub(super) const EXCEPTIONAL: u32 = 1 << 15;
/// The entry points to a subtable.
pub(super) const SUBTABLE: u32 = 1 << 14;
/// A literal's entry that stands for two of them: the second, below 128, is in bits 30..24, and the total to drop is that of both.
/// The codeword length is the first one's, so who wants one literal takes that.
pub(super) const PAIR: u32 = 1 << 12;
/// The entry ends the block.
pub(super) const END_OF_BLOCK: u32 = 1 << 13;

/// Index bits of the literal/length table at most. 11 keeps the table (8 KiB and subtables) inside a quarter of the
/// L1 cache and leaves subtables to less than one symbol in a hundred; so does libdeflate.
pub(super) const LITLEN_ROOT_BITS: u32 = 11;
/// Index bits of the offset table at most.
pub(super) const OFFSET_ROOT_BITS: u32 = 8;
/// Index bits of the precode's table: no codeword is longer.
pub(super) const PRECODE_ROOT_BITS: u32 = 7;

/// Entries that a literal/length table may need: zlib's `enough` program gives 2342 for 288 symbols, 11 index bits,
/// 15 at most, and less for fewer index bits.
const LITLEN_ENTRIES: usize = 2342;
/// Entries that an offset table may need: `enough` gives 402 for 32 symbols, 8 index bits, 15 at most.
const OFFSET_ENTRIES: usize = 402;

/// Bits to drop: codeword and extra bits.
#[inline(always)]
pub(super) const fn total_bits(entry: u32) -> u32 {
    entry & 63
}

/// Length of the codeword, or index width of the subtable.
#[inline(always)]
pub(super) const fn code_bits(entry: u32) -> u32 {
    entry >> 8 & 15
}

/// The literal, the base of a length or offset, or the start of a subtable.
#[inline(always)]
pub(super) const fn base(entry: u32) -> u32 {
    entry >> 16 & 0x7fff
}

/// Why a set of codeword lengths cannot be used: it is over-subscribed or incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadLengths;

/// A table ready for lookups.
#[derive(Clone, Copy, Debug)]
pub(super) struct Code<'a> {
    /// Root entries, then the subtables. There are at least `2^root_bits`.
    entries: &'a [u32],
    root_bits: u32,
    /// Whether there are entries that stand for two literals.
    has_pairs: bool,
}

impl<'a> Code<'a> {
    /// Whether there are entries that stand for two literals.
    #[inline(always)]
    pub(super) fn has_pairs(&self) -> bool {
        self.has_pairs
    }

    /// The entry for the bits at the low end of `bits`, through a subtable if need be, and how many bits the root
    /// took if so.
    ///
    /// When the buffer holds fewer bits than the entry drops, the entry found is not to be trusted but for that fact.
    #[inline(always)]
    pub(super) fn lookup(&self, bits: u64) -> (u32, u32) {
        let entry = self.entries[(bits & self.mask()) as usize];
        if entry & SUBTABLE == 0 {
            return (entry, 0);
        }
        let root = total_bits(entry);
        let index = base(entry) as usize + ((bits >> root) & ((1 << code_bits(entry)) - 1)) as usize;
        (self.entries[index], root)
    }

    /// All entries.
    #[inline(always)]
    pub(super) fn entries(&self) -> &'a [u32] {
        self.entries
    }

    /// The mask that cuts a root index from the bit buffer; smaller than the number of entries.
    #[inline(always)]
    pub(super) fn mask(&self) -> u64 {
        (1 << self.root_bits) - 1
    }
}

/// Room for a table of up to `N` entries, of which the first `used` are there.
#[derive(Clone, Copy)]
pub(super) struct Table<const N: usize> {
    // `MaybeUninit` because zeroing 11 KiB per stream costs a small message more than it has.
    entries: [MaybeUninit<u32>; N],
    used: usize,
    root_bits: u32,
    has_pairs: bool,
}

impl<const N: usize> Table<N> {
    /// A table that no lookup may use yet.
    pub(super) const fn empty() -> Self {
        Self { entries: [MaybeUninit::uninit(); N], used: 0, root_bits: 0, has_pairs: false }
    }

    /// The table for lookups; [`build`](Self::build) must have succeeded.
    #[inline(always)]
    pub(super) fn code(&self) -> Code<'_> {
        let entries = &self.entries[..self.used];
        // SAFETY: `build` sets `used` once it has stored every entry below it: the codewords of a complete code, and
        // the two entries of the incomplete ones, cover their table without a gap, which `build` checks by the Kraft
        // sum before it begins.
        let entries = unsafe { &*(entries as *const [MaybeUninit<u32>] as *const [u32]) };
        Code { entries, root_bits: self.root_bits, has_pairs: self.has_pairs }
    }

    /// Builds the table of the canonical code whose codeword lengths are `lens`; `meanings` gives each symbol's entry
    /// without the lengths. At most `max_root_bits` index the root.
    ///
    /// On failure the table is empty.
    pub(super) fn build(
        &mut self,
        lens: &[u8],
        meanings: &[u32],
        max_root_bits: u32,
    ) -> Result<(), BadLengths> {
        self.used = 0;
        self.root_bits = 0;
        self.has_pairs = false;
        // Most symbols of a small block have no codeword. They are passed over once, without a branch: counting and
        // sorting them too would be hundreds of increments of one counter, each waiting for the one before.
        let mut coded = [0u16; 512];
        let mut coded_symbols = 0;
        for (symbol, &len) in lens.iter().enumerate() {
            coded[coded_symbols & 511] = symbol as u16 | u16::from(len) << 12;
            coded_symbols += usize::from(len != 0);
        }
        let coded = &coded[..coded_symbols];
        let mut count = [0u16; MAX_CODE_LEN + 1];
        for &symbol in coded {
            count[usize::from(symbol >> 12)] += 1;
        }
        let max_len = (1..=MAX_CODE_LEN).rev().find(|&len| count[len] != 0).unwrap_or(0);
        if max_len == 0 {
            self.entries[0].write(EXCEPTIONAL | 0x101);
            self.entries[1].write(EXCEPTIONAL | 0x101);
            (self.used, self.root_bits) = (2, 1);
            return Ok(());
        }
        let mut unused = 1i32;
        for &of_len in &count[1..] {
            unused = (unused << 1) - i32::from(of_len);
            if unused < 0 {
                return Err(BadLengths);
            }
        }
        if unused > 0 && max_len != 1 {
            return Err(BadLengths);
        }

        // Sort by length, then by symbol.
        let mut sorted = [0u16; LITLEN_CODES];
        let mut place = [0u16; MAX_CODE_LEN + 2];
        for len in 1..=MAX_CODE_LEN {
            place[len + 1] = place[len] + count[len];
        }
        for &symbol in coded {
            let at = &mut place[usize::from(symbol >> 12)];
            sorted[usize::from(*at)] = symbol & 0xfff;
            *at += 1;
        }
        let mut symbols = sorted[..coded_symbols].iter().map(|&symbol| meanings[usize::from(symbol)]);

        let root_bits = max_root_bits.min(max_len as u32);
        let mut codeword = 0;
        for len in 1..=root_bits {
            for meaning in symbols.by_ref().take(usize::from(count[len as usize])) {
                self.entries[codeword as usize].write(meaning + len * 0x101);
                codeword = next_codeword(codeword, len);
            }
            if len < root_bits {
                let filled = 1 << len;
                self.entries.copy_within(..filled, filled);
            }
        }
        let mut used = 1usize << root_bits;
        if unused > 0 {
            // The twin of a single one-bit codeword.
            self.entries[1].write(EXCEPTIONAL | 0x101);
        } else if max_len as u32 > root_bits {
            used = self.fill_subtables(symbols, &mut count, root_bits, codeword);
        }
        (self.used, self.root_bits) = (used, root_bits);
        Ok(())
    }

    /// Stores the codewords longer than `root_bits`, the first of which is `codeword`; tells how many entries there
    /// are then.
    fn fill_subtables(
        &mut self,
        symbols: impl Iterator<Item = u32>,
        count: &mut [u16; MAX_CODE_LEN + 1],
        root_bits: u32,
        mut codeword: u32,
    ) -> usize {
        let root_mask = (1u32 << root_bits) - 1;
        let mut used = 1usize << root_bits;
        let (mut start, mut prefix) = (used, u32::MAX);
        let mut len = root_bits + 1;
        for meaning in symbols {
            while count[len as usize] == 0 {
                len += 1;
            }
            if codeword & root_mask != prefix {
                // Just wide enough for the codewords that share the prefix: widen until those left fill it.
                prefix = codeword & root_mask;
                start = used;
                let mut width = len - root_bits;
                let mut covered = u32::from(count[len as usize]);
                while covered < 1 << width {
                    width += 1;
                    covered = (covered << 1) + u32::from(count[(root_bits + width) as usize]);
                }
                let pointer = EXCEPTIONAL | SUBTABLE | (start as u32) << 16 | width << 8 | root_bits;
                self.entries[prefix as usize].write(pointer);
                used += 1 << width;
            }
            let entry = meaning + (len - root_bits) * 0x101;
            for place in self.entries[start..used]
                .iter_mut()
                .skip((codeword >> root_bits) as usize)
                .step_by(1 << (len - root_bits))
            {
                place.write(entry);
            }
            codeword = next_codeword(codeword, len);
            count[len as usize] -= 1;
        }
        used
    }
}

impl LitlenTable {
    /// Lets root entries stand for two literals wherever both codewords fit into the index. The table must have been built.
    pub(super) fn pair_literals(&mut self) {
        // A code of short codewords has a small root, which may as well be as wide as any.
        while self.root_bits < LITLEN_ROOT_BITS && self.used == 1 << self.root_bits {
            self.entries.copy_within(..self.used, self.used);
            self.root_bits += 1;
            self.used *= 2;
        }
        let root_bits = self.root_bits;
        let root = &mut self.entries[..1 << root_bits];
        // From the top down: what follows the first codeword of an index is at a smaller one, and not paired yet.
        for at in (0..root.len()).rev() {
            // SAFETY: `build` has stored all entries of the root.
            let first = unsafe { root[at].assume_init() };
            // SAFETY: as above.
            let second = unsafe { root[at >> total_bits(first)].assume_init() };
            let total = total_bits(first) + total_bits(second);
            if first & second & LITERAL != 0 && base(second) < 128 && total <= root_bits {
                root[at].write((first + total_bits(second)) | PAIR | (base(second) << 24));
            }
        }
        self.has_pairs = true;
    }
}

/// How likely it is that the next two symbols are literals whose codewords fit into one index, if the code suits the data: in
/// 2048ths. The second must be below 128.
pub(super) fn pair_likelihood(lens: &[u8]) -> u32 {
    let mut count = [0u32; MAX_CODE_LEN + 1];
    let mut second = [0u32; MAX_CODE_LEN + 1];
    for (literal, &len) in lens[..END_SYMBOL].iter().enumerate() {
        count[usize::from(len)] += 1;
        second[usize::from(len)] += u32::from(literal < 128);
    }
    let longest = LITLEN_ROOT_BITS as usize;
    let mut sum = 0;
    for (first_len, &firsts) in (1..longest).zip(&count[1..]) {
        for (second_len, &seconds) in (1..=longest - first_len).zip(&second[1..]) {
            sum += (firsts * seconds) << (longest - first_len - second_len);
        }
    }
    sum
}

/// The codeword behind `codeword` in canonical order, both bit-reversed, of `len` bits; 0 behind the last.
#[inline(always)]
const fn next_codeword(codeword: u32, len: u32) -> u32 {
    // Adding one at the top end: the highest zero becomes one, the ones above it become zeros.
    let zeros = codeword ^ ((1 << len) - 1);
    if zeros == 0 {
        return 0;
    }
    let highest = 1 << (31 - zeros.leading_zeros());
    codeword & (highest - 1) | highest
}

impl<const N: usize> core::fmt::Debug for Table<N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Table")
            .field("used", &self.used)
            .field("root_bits", &self.root_bits)
            .finish_non_exhaustive()
    }
}

/// Room for a literal/length table.
pub(super) type LitlenTable = Table<LITLEN_ENTRIES>;
/// Room for an offset table.
pub(super) type OffsetTable = Table<OFFSET_ENTRIES>;
/// Room for a precode table.
pub(super) type PrecodeTable = Table<{ 1 << PRECODE_ROOT_BITS }>;

/// The entry of each literal/length symbol, without lengths.
pub(super) static LITLEN_MEANINGS: [u32; LITLEN_CODES] = {
    let mut meanings = [EXCEPTIONAL; LITLEN_CODES];
    let mut symbol = 0;
    while symbol < END_SYMBOL {
        meanings[symbol] = LITERAL | (symbol as u32) << 16;
        symbol += 1;
    }
    meanings[END_SYMBOL] = EXCEPTIONAL | END_OF_BLOCK;
    let mut slot = 0;
    while slot < LENGTH_SLOTS {
        meanings[FIRST_LENGTH + slot] = (LENGTH_BASE[slot] as u32) << 16 | LENGTH_EXTRA[slot] as u32;
        slot += 1;
    }
    meanings
};

/// The entry of each offset symbol, without lengths.
pub(super) static OFFSET_MEANINGS: [u32; OFFSET_CODES] = {
    let mut meanings = [EXCEPTIONAL; OFFSET_CODES];
    let mut slot = 0;
    while slot < OFFSET_SYMBOLS {
        meanings[slot] = (OFFSET_BASE[slot] as u32) << 16 | OFFSET_EXTRA[slot] as u32;
        slot += 1;
    }
    meanings
};

/// The entry of each precode symbol, without lengths: the symbol itself, and the extra bits of the repeats.
pub(super) static PRECODE_MEANINGS: [u32; PRECODE_SYMBOLS] = {
    let mut meanings = [0; PRECODE_SYMBOLS];
    let mut symbol = 0;
    while symbol < PRECODE_SYMBOLS {
        let extra = match symbol {
            16 => 2,
            17 => 3,
            18 => 7,
            _ => 0,
        };
        meanings[symbol] = (symbol as u32) << 16 | extra;
        symbol += 1;
    }
    meanings
};

/// The literal/length table of fixed blocks, made by the compiler.
static FIXED_LITLEN: [u32; 512] = {
    let mut table = [0; 512];
    let mut codeword = 0;
    let mut len = 7;
    while len <= 9 {
        let mut symbol = 0;
        while symbol < LITLEN_CODES {
            if FIXED_LITLEN_LENGTHS[symbol] as u32 == len {
                let mut index = codeword;
                while index < 512 {
                    table[index as usize] = LITLEN_MEANINGS[symbol] + len * 0x101;
                    index += 1 << len;
                }
                codeword = next_codeword(codeword, len);
            }
            symbol += 1;
        }
        len += 1;
    }
    table
};

/// The offset table of fixed blocks.
static FIXED_OFFSET: [u32; 1 << FIXED_OFFSET_LENGTH] = {
    let mut table = [0; 1 << FIXED_OFFSET_LENGTH];
    let mut codeword = 0;
    let mut symbol = 0;
    while symbol < OFFSET_CODES {
        table[codeword as usize] = OFFSET_MEANINGS[symbol] + FIXED_OFFSET_LENGTH as u32 * 0x101;
        codeword = next_codeword(codeword, FIXED_OFFSET_LENGTH as u32);
        symbol += 1;
    }
    table
};

/// The literal/length code of fixed blocks.
pub(super) fn fixed_litlen() -> Code<'static> {
    Code { entries: &FIXED_LITLEN, root_bits: 9, has_pairs: false }
}

/// The offset code of fixed blocks.
pub(super) fn fixed_offset() -> Code<'static> {
    Code { entries: &FIXED_OFFSET, root_bits: u32::from(FIXED_OFFSET_LENGTH), has_pairs: false }
}

/// How many entries zlib's table of this code has, with at most `root_bits` for the root; for `inflateCodesUsed`,
/// which tells just that. The lengths must have been accepted.
pub(super) fn zlib_entries(lens: &[u8], root_bits: usize) -> usize {
    let mut count = [0usize; MAX_CODE_LEN + 1];
    for &len in lens {
        count[usize::from(len)] += 1;
    }
    let Some(max_len) = (1..=MAX_CODE_LEN).rev().find(|&len| count[len] != 0) else { return 2 };
    let min_len = (1..=max_len).find(|&len| count[len] != 0).unwrap_or(max_len);
    let root_bits = root_bits.min(max_len).max(min_len);
    let mut entries = 1 << root_bits;
    // Codewords of the longer lengths fill subtables one after the other, each as wide as it takes to be full.
    let mut len = root_bits + 1;
    while len <= max_len {
        if count[len] == 0 {
            len += 1;
            continue;
        }
        let mut width = len - root_bits;
        let mut left = 1usize << width;
        let mut at = len;
        while left > count[at] && at < max_len {
            left = (left - count[at]) * 2;
            count[at] = 0;
            at += 1;
            width += 1;
        }
        count[at] = count[at].saturating_sub(left);
        entries += 1 << width;
    }
    entries
}
