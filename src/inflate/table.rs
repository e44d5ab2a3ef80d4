//! Decode tables, built from codeword lengths, that decode a symbol with one lookup.
//!
//! A table is indexed with the next bits of the input. The entry holds everything that the decoder needs, packed in 32
//! bits, so that no second lookup follows:
//!
//! ```text
//! bit  31      30..16                      15           14        13     12       11..8             7..0
//!      literal base of the length/offset,  exceptional  subtable  end    pair     codeword length   bits to drop:
//!              literal, or subtable start                         of block                          codeword + extra
//! ```
//!
//! The low byte is the total number of bits to drop, so one shift drops codeword and extra bits together; the extra bits
//! are extracted from the buffer's previous value, off the critical path. The sign bit marks a literal, and the flag
//! *exceptional* marks every rare case (end of block, a codeword longer than the index, a codeword without a meaning).
//!
//! A literal's entry may hold two consecutive literals, if both codewords fit into the index and the second literal is
//! below 128. This is ISA-L's idea; it pays only on data with many short literal codewords ([`pair_likelihood`]). The
//! second literal is in bits 30..24, the flag is bit 12, and the total is that of both; the codeword length remains that
//! of the first, so a caller that wants a single literal can use the same entry.
//!
//! Codewords longer than the index continue in a subtable: the root entry drops the index bits and holds the subtable's
//! start (bits 30..16) and index width (bits 11..8).
//!
//! # One pool for both codes
//!
//! The tables of a block share an array of [`POOL`] entries, about 6 KB, so that a stream needs no more memory than
//! zlib's, and the fast loop addresses both by constant displacements from one register:
//!
//! ```text
//! 0               256                       256 + 1024                  POOL
//! |  offset root  |  literal/length root    |  subtables of either code |
//! ```
//!
//! An array for every code possible with these indexes would be an eighth larger. Codes that need more subtables than
//! fit are legal but do not occur in practice: for these the literal/length root gets one bit less, which halves it, and
//! then everything fits. The precode's table uses the place of the offset root.
//!
//! A root is filled in order of codeword length, doubling its size: a codeword of `n` bits is stored once in the first
//! 2^n entries, and whenever the length grows by one, the entries so far are copied to the place after them. This takes
//! a few wide copies instead of a strided store per entry. The codewords are kept bit-reversed, as in the stream.
//!
//! For example, A has a codeword of one bit, B and C have two: 0, 10 and 11. A reader sees the
//! first bit lowest, so the indexes are 0, 01 and 11 in binary:
//!
//! ```text
//! index           0  1  2  3
//! length 1        A  .            A at 0
//! copied          A  .  A  .
//! length 2        A  B  A  C      B at 01, C at 11
//! ```
//!
//! Accepts exactly the sets of lengths that zlib accepts: over-subscribed is an error; incomplete is an error except for
//! a single codeword of one bit, and then the other one-bit codeword has no meaning; a code without any symbol is
//! accepted, and fails only when the stream uses it.

use core::mem::MaybeUninit;

use crate::raw::placed::Zeroed;

use crate::format::deflate::{
    END_OF_BLOCK as END_SYMBOL, FIRST_LENGTH, FIXED_LITLEN_LENGTHS, FIXED_OFFSET_LENGTH, LENGTH_BASE,
    LENGTH_EXTRA, LENGTH_SLOTS, LITLEN_SYMBOLS, MAX_CODEWORD, OFFSET_BASE, OFFSET_EXTRA, OFFSET_SYMBOLS,
    PRECODE_SYMBOLS,
};

/// Symbols of the literal/length code, including the two without a meaning.
const LITLEN_CODES: usize = FIXED_LITLEN_LENGTHS.len();
/// Symbols of the offset code, including the two without a meaning.
const OFFSET_CODES: usize = OFFSET_SYMBOLS + 2;
/// The longest codeword, as an index.
const MAX_CODE_LEN: usize = MAX_CODEWORD as usize;

/// The entry is a literal.
pub(super) const LITERAL: u32 = 1 << 31;
/// The entry is not a literal, length or offset: see the other flags; without any of them the codeword has no meaning.
pub(super) const EXCEPTIONAL: u32 = 1 << 15;
/// The entry points to a subtable.
pub(super) const SUBTABLE: u32 = 1 << 14;
/// The literal's entry holds two literals.
pub(super) const PAIR: u32 = 1 << 12;
/// The entry ends the block.
pub(super) const END_OF_BLOCK: u32 = 1 << 13;

/// The most index bits of the literal/length table. With 11, 64 KiB pieces decode 0 to 2 % faster, but the table is too
/// large to stay within zlib's memory, and takes longer to fill.
pub(super) const LITLEN_ROOT_BITS: u32 = 10;
/// Index bits of the offset table, always.
pub(super) const OFFSET_ROOT_BITS: u32 = 8;
/// Index bits of the precode's table, always: no codeword is longer.
pub(super) const PRECODE_ROOT_BITS: u32 = 7;

/// Where the literal/length root begins in the pool. The offset root begins at 0.
pub(super) const LITLEN_AT: usize = 1 << OFFSET_ROOT_BITS;
/// Entries for the subtables of both codes, next to the widest roots.
const SUBTABLE_ENTRIES: usize = 272;
/// Entries of a pool. With a literal/length root of 9 bits, zlib's `enough` computes at most 852 entries for that code's
/// 286 symbols, and 400 for the offset code's 30 symbols with its root of 8, so these fit for any lengths. The assertion
/// has the values for 288 and 32 symbols.
pub(super) const POOL: usize = LITLEN_AT + (1 << LITLEN_ROOT_BITS) + SUBTABLE_ENTRIES;
const _: () = assert!(854 + 402 <= POOL);

/// Bits to drop: codeword and extra bits. The mask 63 is that of a 64-bit shift's count, so a shift
/// by this needs no instruction for it on x86-64 and AArch64. Bits 6 and 7 of an entry are zero.
#[inline(always)]
pub(super) const fn total_bits(entry: u32) -> u32 {
    entry & 63
}

/// Length of the codeword, or index width of the subtable.
#[inline(always)]
pub(super) const fn code_bits(entry: u32) -> u32 {
    entry >> 8 & 15
}

/// The literal, the base of a length or offset, or the start of a subtable in the pool.
#[inline(always)]
pub(super) const fn base(entry: u32) -> u32 {
    entry >> 16 & 0x7fff
}

/// A set of codeword lengths cannot be used: it is over-subscribed or incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadLengths;

/// Which of a block's two codes cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadCode {
    Litlen,
    Offset,
}

/// Memory for the tables of a block. `MaybeUninit`, because for a small message zeroing it costs more than filling it.
type Pool = [MaybeUninit<u32>; POOL];

/// Both codes of a block, ready for lookups.
#[derive(Clone, Copy)]
pub(super) struct Codes<'a> {
    /// All entries that a lookup can reach are initialised: the roots, and the subtables that they point to.
    pool: &'a Pool,
    litlen_bits: u32,
    has_pairs: bool,
}

impl Codes<'_> {
    /// Whether there are entries with two literals.
    #[inline(always)]
    pub(super) fn has_pairs(&self) -> bool {
        self.has_pairs
    }

    /// The mask that cuts an index into the literal/length root from the bit buffer.
    #[inline(always)]
    pub(super) fn litlen_mask(&self) -> u64 {
        (1 << self.litlen_bits) - 1
    }

    /// The root entry of the literal/length code for `index`.
    ///
    /// # Safety
    /// - `index` is at most [`litlen_mask`](Self::litlen_mask).
    #[inline(always)]
    pub(super) unsafe fn litlen_root(&self, index: u64) -> u32 {
        debug_assert!(index <= self.litlen_mask());
        // SAFETY: `litlen_bits` is `LITLEN_ROOT_BITS` at most, so by the caller's promise the index lies in the pool.
        let entry = unsafe { self.pool.get_unchecked(LITLEN_AT + index as usize) };
        // SAFETY: every entry of the root is initialised.
        unsafe { entry.assume_init() }
    }

    /// The root entry of the offset code for the bits at the low end of `bits`.
    #[inline(always)]
    pub(super) fn offset_root(&self, bits: u64) -> u32 {
        let entry = &self.pool[bits as usize & (LITLEN_AT - 1)];
        // SAFETY: every entry of the root is initialised.
        unsafe { entry.assume_init() }
    }

    /// The entry of the subtable that `pointer` points to, for the bits at the low end of `bits`.
    ///
    /// # Safety
    /// - `pointer` is an entry of these codes that has [`SUBTABLE`] set.
    #[inline(always)]
    pub(super) unsafe fn in_subtable(&self, pointer: u32, bits: u64) -> u32 {
        let index = base(pointer) as usize + (bits & ((1 << code_bits(pointer)) - 1)) as usize;
        // SAFETY: a pointer's subtable is filled when the pointer is stored.
        unsafe { self.pool[index].assume_init() }
    }

    /// Returns the literal/length entry for the bits at the low end of `bits`, from a subtable if necessary, and how many
    /// bits the root took in that case.
    ///
    /// If the buffer holds fewer bits than the entry drops, more bits are needed and the rest of the entry is not reliable.
    #[inline(always)]
    pub(super) fn litlen(&self, bits: u64) -> (u32, u32) {
        // SAFETY: the mask limits the index.
        let entry = unsafe { self.litlen_root(bits & self.litlen_mask()) };
        // SAFETY: an entry of these codes.
        unsafe { self.through_subtable(entry, bits) }
    }

    /// As [`litlen`](Self::litlen), for the offset code.
    #[inline(always)]
    pub(super) fn offset(&self, bits: u64) -> (u32, u32) {
        // SAFETY: an entry of these codes.
        unsafe { self.through_subtable(self.offset_root(bits), bits) }
    }

    /// # Safety
    /// - `entry` is an entry of these codes.
    #[inline(always)]
    unsafe fn through_subtable(&self, entry: u32, bits: u64) -> (u32, u32) {
        if entry & SUBTABLE == 0 {
            return (entry, 0);
        }
        let root = total_bits(entry);
        // SAFETY: the caller's promise, and the flag was just checked.
        (unsafe { self.in_subtable(entry, bits >> root) }, root)
    }
}

/// The tables of one dynamic block after another, and the codeword lengths that they are made from.
#[derive(Clone, Copy)]
pub(super) struct Tables {
    pool: Pool,
    /// Lengths of the literal/length code, then of the offset code.
    pub(super) lens: [u8; LITLEN_SYMBOLS + OFFSET_SYMBOLS],
    pub(super) precode_lens: [u8; PRECODE_SYMBOLS],
    litlen_bits: u8,
    has_pairs: bool,
    /// Whether the pool holds both tables.
    is_built: bool,
    /// Whether the pool holds the precode's table.
    is_precode_built: bool,
}

// SAFETY: numbers, flags of which zero is false, and memory that need not be initialised; `new` sets the same values.
unsafe impl Zeroed for Tables {}

impl Tables {
    /// No tables yet.
    #[inline(always)]
    pub(super) const fn new() -> Self {
        Self {
            pool: [MaybeUninit::uninit(); POOL],
            lens: [0; LITLEN_SYMBOLS + OFFSET_SYMBOLS],
            precode_lens: [0; PRECODE_SYMBOLS],
            litlen_bits: 0,
            has_pairs: false,
            is_built: false,
            is_precode_built: false,
        }
    }

    /// Both codes; [`build`](Self::build) must have succeeded.
    #[inline(always)]
    pub(super) fn codes(&self) -> Codes<'_> {
        assert!(self.is_built);
        Codes { pool: &self.pool, litlen_bits: u32::from(self.litlen_bits), has_pairs: self.has_pairs }
    }

    /// Builds the precode's table from `precode_lens`; overwrites the other two. Unlike theirs, its code must be complete, or
    /// have no symbol at all.
    pub(super) fn build_precode(&mut self) -> Result<(), BadLengths> {
        (self.is_built, self.is_precode_built) = (false, false);
        let mut sorted = Sorted::NONE;
        sort(&self.precode_lens, &mut sorted)?;
        if sorted.is_incomplete() {
            return Err(BadLengths);
        }
        let bits = fill_root(&mut self.pool, &sorted, &PRECODE_MEANINGS, PRECODE_ROOT_BITS).0;
        widen(&mut self.pool, bits, PRECODE_ROOT_BITS);
        self.is_precode_built = true;
        Ok(())
    }

    /// The precode's entry for the bits at the low end of `bits`.
    ///
    /// # Panics
    /// Unless [`build_precode`](Self::build_precode) has succeeded, and [`build`](Self::build) was not called since.
    #[inline(always)]
    pub(super) fn precode(&self, bits: u64) -> u32 {
        assert!(self.is_precode_built);
        // SAFETY: `build_precode` has stored all entries of its root.
        unsafe { self.pool[bits as usize & ((1 << PRECODE_ROOT_BITS) - 1)].assume_init() }
    }

    /// Builds both tables from the first `litlen_symbols` lengths and the `offset_symbols` after those. The literal/length
    /// root gets at most `litlen_bits` index bits, which must not exceed `LITLEN_ROOT_BITS`.
    pub(super) fn build(
        &mut self,
        litlen_symbols: usize,
        offset_symbols: usize,
        litlen_bits: u32,
    ) -> Result<(), BadCode> {
        (self.is_built, self.is_precode_built) = (false, false);
        let (litlen_lens, offset_lens) =
            self.lens[..litlen_symbols + offset_symbols].split_at(litlen_symbols);
        let (mut litlen, mut offset) = (Sorted::NONE, Sorted::NONE);
        sort(litlen_lens, &mut litlen).map_err(|_| BadCode::Litlen)?;
        // The literal/length code is checked first, as in zlib, so its error is reported if both
        // are bad.
        let is_offset_good = sort(offset_lens, &mut offset).is_ok();
        let mut max_bits = litlen_bits;
        let root_bits = loop {
            let start = LITLEN_AT + (1 << max_bits);
            let (root_bits, free) =
                fill(&mut self.pool, LITLEN_AT, start, &litlen, &LITLEN_MEANINGS, max_bits);
            if !is_offset_good {
                return Err(BadCode::Offset);
            }
            if let Some(free) = free
                && fill(&mut self.pool, 0, free, &offset, &OFFSET_MEANINGS, OFFSET_ROOT_BITS).1.is_some()
            {
                break root_bits;
            }
            // Not every code fits with the widest root; with this one every code does.
            max_bits = LITLEN_ROOT_BITS - 1;
        };
        self.litlen_bits = root_bits as u8;
        self.has_pairs = max_bits == LITLEN_ROOT_BITS && pair_likelihood(litlen_lens) >= PAIRS_PAY;
        if self.has_pairs {
            self.pair_literals();
        }
        self.is_built = true;
        Ok(())
    }

    /// Stores two literals in each root entry of the literal/length code where both codewords fit into the index.
    fn pair_literals(&mut self) {
        // A code of short codewords has a small root, in which pairs do not fit: widen it.
        let root = &mut self.pool[LITLEN_AT..LITLEN_AT + (1 << LITLEN_ROOT_BITS)];
        widen(root, u32::from(self.litlen_bits), LITLEN_ROOT_BITS);
        self.litlen_bits = LITLEN_ROOT_BITS as u8;
        // From the top down: the second entry is at a smaller index, or at the same index 0, so it
        // is not paired yet.
        for at in (0..root.len()).rev() {
            // SAFETY: all entries of the root are stored.
            let first = unsafe { root[at].assume_init() };
            // The index without the first codeword; its upper bits are zeros instead of the
            // stream's bits. If both codewords fit into the index, the second does not depend on
            // these.
            // SAFETY: as above.
            let second = unsafe { root[at >> total_bits(first)].assume_init() };
            let total = total_bits(first) + total_bits(second);
            if first & second & LITERAL != 0 && base(second) < 128 && total <= LITLEN_ROOT_BITS {
                root[at].write((first + total_bits(second)) | PAIR | (base(second) << 24));
            }
        }
    }
}

impl core::fmt::Debug for Tables {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Tables").field("is_built", &self.is_built).finish_non_exhaustive()
    }
}

/// The symbols of a code in order of their codewords.
struct Sorted {
    symbols: [u16; LITLEN_CODES],
    coded: usize,
    /// How many codewords there are of each length.
    count: [u16; MAX_CODE_LEN + 1],
    max_len: u32,
    /// The part of the code space that no codeword covers, in codewords of the greatest length.
    unused: u32,
}

impl Sorted {
    const NONE: Self =
        Self { symbols: [0; LITLEN_CODES], coded: 0, count: [0; MAX_CODE_LEN + 1], max_len: 0, unused: 0 };

    /// Whether it is the one incomplete code that is accepted: a single codeword of one bit.
    fn is_incomplete(&self) -> bool {
        self.unused > 0 && self.max_len == 1
    }
}

/// Sorts symbols by length, then by number. In place, because two of these and their copies would be a large part of a
/// call's stack.
///
/// That is the order in which the codewords count up (RFC 1951, 3.2.2), so a table is filled by one
/// pass over the sorted symbols. It is a counting sort: count the symbols of each length, add up
/// where each length begins, place the symbols.
///
/// Fails if the code is over-subscribed, or incomplete with a codeword longer than one bit.
fn sort(lens: &[u8], sorted: &mut Sorted) -> Result<(), BadLengths> {
    // Most symbols of a small block have no codeword. They are skipped once, without a branch: counting and sorting them
    // too would be hundreds of increments of one counter, each dependent on the one before.
    let mut coded = [0u16; 512];
    let mut coded_symbols = 0;
    for (symbol, &len) in lens.iter().enumerate() {
        coded[coded_symbols & 511] = symbol as u16 | u16::from(len) << 12;
        coded_symbols += usize::from(len != 0);
    }
    let coded = &coded[..coded_symbols];
    let Sorted { symbols, count, .. } = sorted;
    count.fill(0);
    for &symbol in coded {
        count[usize::from(symbol >> 12)] += 1;
    }
    let max_len = (1..=MAX_CODE_LEN).rev().find(|&len| count[len] != 0).unwrap_or(0);
    // The code space that is left after each length, in codewords of this length. One codeword of
    // `n` bits covers two of `n + 1`.
    let mut unused = 1i32;
    for &of_len in &count[1..=max_len] {
        unused = (unused << 1) - i32::from(of_len);
        if unused < 0 {
            return Err(BadLengths);
        }
    }
    if unused > 0 && max_len > 1 {
        return Err(BadLengths);
    }
    let mut place = [0u16; MAX_CODE_LEN + 2];
    for len in 1..=MAX_CODE_LEN {
        place[len + 1] = place[len] + count[len];
    }
    for &symbol in coded {
        let at = &mut place[usize::from(symbol >> 12)];
        symbols[usize::from(*at)] = symbol & 0xfff;
        *at += 1;
    }
    (sorted.coded, sorted.max_len, sorted.unused) = (coded_symbols, max_len as u32, unused as u32);
    Ok(())
}

/// Fills the table of a code: a root of at most `max_bits` index bits at `root_at` of the pool, and subtables from
/// `free` on. `meanings` has each symbol's entry without the lengths. Returns the root's index bits and the first free
/// index of the pool, or `None` if the pool is too small. The offset root is widened to its fixed size.
fn fill(
    pool: &mut Pool,
    root_at: usize,
    free: usize,
    sorted: &Sorted,
    meanings: &[u32],
    max_bits: u32,
) -> (u32, Option<usize>) {
    let root = &mut pool[root_at..root_at + (1 << max_bits)];
    let (bits, codeword, done) = fill_root(root, sorted, meanings, max_bits);
    if root_at == 0 {
        widen(root, bits, max_bits);
    }
    let long = &sorted.symbols[done..sorted.coded];
    if long.is_empty() {
        return (bits, Some(free));
    }
    let long = long.iter().map(|&symbol| meanings[usize::from(symbol)]);
    (bits, fill_subtables(pool, root_at, free, long, sorted.count, bits, codeword))
}

/// Fills a root of at most `max_bits` index bits. Returns its index bits, the first codeword that is longer, and the
/// number of codewords that are not.
fn fill_root(
    root: &mut [MaybeUninit<u32>],
    sorted: &Sorted,
    meanings: &[u32],
    max_bits: u32,
) -> (u32, u32, usize) {
    // `0x101` adds one bit to both the codeword length and the bits to drop; below, `len * 0x101`.
    let meaningless = EXCEPTIONAL | 0x101;
    if sorted.max_len == 0 {
        root[..2].fill(MaybeUninit::new(meaningless));
        return (1, 0, 0);
    }
    // A code of short codewords needs no wider index. While `len` is processed, the first 2^len
    // entries are in use; those of them that no codeword has yet are filled with longer ones, or
    // with pointers.
    let bits = max_bits.min(sorted.max_len);
    let (mut codeword, mut done) = (0, 0);
    for len in 1..=bits {
        for &symbol in &sorted.symbols[done..done + usize::from(sorted.count[len as usize])] {
            root[codeword as usize].write(meanings[usize::from(symbol)] + len * 0x101);
            codeword = next_codeword(codeword, len);
        }
        done += usize::from(sorted.count[len as usize]);
        if len < bits {
            let filled = 1 << len;
            root.copy_within(..filled, filled);
        }
    }
    if sorted.is_incomplete() {
        root[1].write(meaningless);
    }
    (bits, codeword, done)
}

/// Widens a root of `from` index bits, without subtables, to `to`. The entries are repeated: the
/// additional index bits belong to the next codeword and do not matter.
fn widen(root: &mut [MaybeUninit<u32>], from: u32, to: u32) {
    for bits in from..to {
        root.copy_within(..1 << bits, 1 << bits);
    }
}

/// Stores the codewords longer than `root_bits`, the first of which is `codeword`, in subtables from `free` on. Returns
/// the first free index after them, or `None` if the pool is too small.
///
/// The first `root_bits` bits of a codeword are its prefix, which in reversed form are the lowest
/// ones. In canonical order the codewords with the same prefix are consecutive, so a subtable is
/// complete when the prefix changes. A pointer at the prefix's root entry has the subtable's place
/// and width.
fn fill_subtables(
    pool: &mut Pool,
    root_at: usize,
    mut free: usize,
    long: impl Iterator<Item = u32>,
    mut count: [u16; MAX_CODE_LEN + 1],
    root_bits: u32,
    mut codeword: u32,
) -> Option<usize> {
    let root_mask = (1u32 << root_bits) - 1;
    let (mut start, mut prefix) = (free, u32::MAX);
    let mut len = root_bits + 1;
    for meaning in long {
        while count[len as usize] == 0 {
            len += 1;
        }
        if codeword & root_mask != prefix {
            // As narrow as possible for the codewords that share the prefix: widen until the remaining ones fill it.
            prefix = codeword & root_mask;
            start = free;
            let mut width = len - root_bits;
            let mut covered = u32::from(count[len as usize]);
            while covered < 1 << width {
                width += 1;
                covered = (covered << 1) + u32::from(count[(root_bits + width) as usize]);
            }
            free += 1 << width;
            if free > POOL {
                return None;
            }
            let pointer = EXCEPTIONAL | SUBTABLE | (start as u32) << 16 | width << 8 | root_bits;
            pool[root_at + prefix as usize].write(pointer);
        }
        // The root's bits are dropped before the lookup in the subtable, so the entry has only the
        // rest. It is stored once for each value of the index bits after the codeword.
        let entry = meaning + (len - root_bits) * 0x101;
        let step = 1 << (len - root_bits);
        for place in pool[start..free].iter_mut().skip((codeword >> root_bits) as usize).step_by(step) {
            place.write(entry);
        }
        codeword = next_codeword(codeword, len);
        count[len as usize] -= 1;
    }
    Some(free)
}

/// The least probability of a pair of literals, in 1024ths, for which a table with pairs pays. Blocks of logs have 100 to
/// 170 and of Silesia's `nci` 100 to 200, and gain; those of prose and programs have fewer than 25 and would lose 3 to 10 %
/// (docs/DECODER.md).
const PAIRS_PAY: u32 = 100;

/// The probability, in 1024ths, that the next two symbols are literals whose codewords fit into one index, the second
/// below 128, assuming that the code fits the data.
fn pair_likelihood(lens: &[u8]) -> u32 {
    const LONGEST: usize = LITLEN_ROOT_BITS as usize;
    let (low, high) = lens[..END_SYMBOL].split_at(128);
    // A loop over bytes that the compiler vectorises; a count of at most 128 fits into a byte.
    let number = |half: &[u8], len: usize| half.iter().map(|&at| u8::from(at == len as u8)).sum::<u8>();
    let (mut firsts, mut seconds) = ([0u32; LONGEST], [0u32; LONGEST]);
    for len in 1..LONGEST {
        seconds[len] = u32::from(number(low, len));
        firsts[len] = seconds[len] + u32::from(number(high, len));
    }
    let mut sum = 0;
    for (first_len, &firsts) in firsts.iter().enumerate().skip(1) {
        for (second_len, &seconds) in seconds.iter().enumerate().take(LONGEST - first_len + 1).skip(1) {
            sum += (firsts * seconds) << (LONGEST - first_len - second_len);
        }
    }
    sum
}

/// The codeword after `codeword` in canonical order, both bit-reversed, of `len` bits; 0 after the last.
///
/// Where the length grows, RFC 1951, 3.2.2, shifts the code left, which appends a zero. In reversed
/// form that is a zero at the upper end, so the value stays the same and the caller does nothing.
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

/// The entry of each literal/length symbol, without lengths.
static LITLEN_MEANINGS: [u32; LITLEN_CODES] = {
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
static OFFSET_MEANINGS: [u32; OFFSET_CODES] = {
    let mut meanings = [EXCEPTIONAL; OFFSET_CODES];
    let mut slot = 0;
    while slot < OFFSET_SYMBOLS {
        meanings[slot] = (OFFSET_BASE[slot] as u32) << 16 | OFFSET_EXTRA[slot] as u32;
        slot += 1;
    }
    meanings
};

/// The entry of each precode symbol, without lengths: the symbol itself, and the extra bits of the repeats.
static PRECODE_MEANINGS: [u32; PRECODE_SYMBOLS] = {
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

/// The tables of fixed blocks, computed at compile time.
static FIXED: Pool = {
    let mut pool = [MaybeUninit::uninit(); POOL];
    let mut codeword = 0;
    let mut len = 7;
    while len <= FIXED_LITLEN_BITS {
        let mut symbol = 0;
        while symbol < LITLEN_CODES {
            if FIXED_LITLEN_LENGTHS[symbol] as u32 == len {
                let mut index = codeword as usize;
                while index < 1 << FIXED_LITLEN_BITS {
                    pool[LITLEN_AT + index] = MaybeUninit::new(LITLEN_MEANINGS[symbol] + len * 0x101);
                    index += 1 << len;
                }
                codeword = next_codeword(codeword, len);
            }
            symbol += 1;
        }
        len += 1;
    }
    let (mut codeword, mut symbol) = (0, 0);
    let len = FIXED_OFFSET_LENGTH as u32;
    while symbol < OFFSET_CODES {
        let mut index = codeword as usize;
        while index < LITLEN_AT {
            pool[index] = MaybeUninit::new(OFFSET_MEANINGS[symbol] + len * 0x101);
            index += 1 << len;
        }
        codeword = next_codeword(codeword, len);
        symbol += 1;
    }
    pool
};

/// The longest codeword of a fixed block.
const FIXED_LITLEN_BITS: u32 = 9;

/// The codes of fixed blocks.
#[inline(always)]
pub(super) fn fixed() -> Codes<'static> {
    Codes { pool: &FIXED, litlen_bits: FIXED_LITLEN_BITS, has_pairs: false }
}

/// The number of entries in zlib's table for this code, with at most `root_bits` for the root; `inflateCodesUsed` returns
/// it. The lengths must have been accepted.
///
/// It follows zlib's `inflate_table`, which gives every code at least the index bits of its
/// shortest codeword, and sizes a subtable by the codewords that are left. A code without symbols
/// takes two entries.
pub(super) fn zlib_entries(lens: &[u8], root_bits: usize) -> usize {
    let mut count = [0usize; MAX_CODE_LEN + 1];
    for &len in lens {
        count[usize::from(len)] += 1;
    }
    let Some(max_len) = (1..=MAX_CODE_LEN).rev().find(|&len| count[len] != 0) else { return 2 };
    let min_len = (1..=max_len).find(|&len| count[len] != 0).unwrap_or(max_len);
    let root_bits = root_bits.min(max_len).max(min_len);
    let mut entries = 1 << root_bits;
    // The longer codewords fill one subtable after another, each just wide enough to be full.
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
