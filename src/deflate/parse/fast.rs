//! The fastest parser (level 1): one table of the most recent position of each four or five bytes, two positions at a time.
//!
//! ```text
//! one load reads the bytes of p and p + 1; their hashes were computed in the previous turn
//! a match at p:      take it, unless it is shorter than 8 and p + 1 has a better one
//! a match at p + 1:  a literal, then take it, unless it is shorter than 8 and p + 2 has a better one
//! neither:           two literals in one token, p += 2
//! ```
//!
//! A match that could have begun earlier replaces the literals before it: the position where it begins was not in the table.
//!
//! - Candidates are compared eight bytes at a time; the distance is tested only after the bytes are equal, which is rare.
//! - The choice of p + 1 for its longer match is a predicted branch. A conditional move would join the chain of loads that
//!   the next turn waits for, and costs 10 %.
//! - Only the last two positions inside a match are entered.
//! - Where data nearly repeats, a match of eight bytes or more is replaced by a longer recent one ([`RecentMatches`]).
//! - For a run of one byte the table keeps its start, which has the longest match.
//! - After 64 consecutive literals the loop begins to skip: positions between two searches are entered, but not searched, and
//!   after 8192 not entered either.
//! - A small second table finds matches of three bytes on data where that saves enough. The first bytes decide whether to use
//!   it, and then the blocks do ([`FastTable::note_block`]).
//!
//! Positions are 16 bits. A stale entry reads as some other position before the current one; the comparison rejects it unless
//! the bytes are equal.

mod keys;

pub(in crate::deflate) use keys::Keys;

use super::recent::RecentMatches;
use super::{Arrived, Cursor, SPAN, take_literals};
use crate::deflate::match_finder::{Match, match_length, starts_earlier};
use crate::deflate::token::{Frequencies, OpenBlock, drop_literal, lone_literal, match_token, two_literals};
use crate::error::Result;
use crate::format::deflate::{MAX_MATCH, MIN_MATCH, WINDOW_SIZE};
use crate::raw::load::u64_at;
use crate::raw::{Allocator, Table};

/// Entries of the table, as a power of two. 2^13 with a key of five bytes is 10 % faster on bulk data, with 3 % larger
/// output.
const HEAD_BITS: u32 = 15;
/// The longest key.
const KEY_MAX: usize = 5;
/// The shortest match without the table for three bytes.
const MATCH_MIN: usize = 4;
/// Entries of the table for three bytes, as a power of two.
const SHORT_BITS: u32 = 12;
/// The maximum offset of a three-byte match; farther ones cost more than their literals.
const SHORT_OFFSET_MAX: usize = 4096;
/// A short match farther back than this is replaced by one of three bytes that is 32 times nearer.
const FAR: usize = 256;
const NEARER: usize = 32;
/// Maximum tokens that one turn of the loop adds.
pub(in crate::deflate) const TURN_TOKENS: usize = 64;
/// The number of consecutive literals, as a power of two, after which the loop skips: 64, and then one pair more for each 64.
const SKIP_SHIFT: u32 = 6;
/// The number of consecutive literals after which skips have 2 to 16 bytes, and after which they have 30 to 90, whose positions are
/// not entered.
const MEDIUM_SKIPS_FROM: usize = 256;
const LONG_SKIPS_FROM: usize = 8192;
/// A longer run of literals does not lengthen skips, so its start need not be remembered.
const RUN_MAX: usize = 32768;

/// The minimum saving of a dynamic code, in 256ths of a block of `len` bytes, for it to be worth its time.
pub(in crate::deflate) fn margin(len: usize) -> u32 {
    // With 20, short tables of numbers became up to 8 % larger than with zlib; 2 costs more time and saves nothing more.
    if len < 4096 { 6 } else { 2 }
}

/// The most recent position of each string of the keys.
#[derive(Debug)]
pub(in crate::deflate) struct FastTable {
    heads: Table<u16>,
    bits: u32,
    /// Empty if memory is short.
    short_heads: Table<u16>,
    /// The strings that are looked up.
    keys: Keys,
    /// All entries are below this position.
    newest: usize,
    /// Where a flush ended the input: the last positions before it were entered with bytes that had not arrived yet.
    reenter_at: usize,
    /// The offset of the last match, if it had the maximum length.
    repeated: usize,
    recent: RecentMatches,
}

/// The part of the input to parse.
#[derive(Clone, Copy, Debug)]
pub(in crate::deflate) struct Span {
    /// The first position.
    pub(in crate::deflate) from: usize,
    /// No search begins here or later.
    pub(in crate::deflate) limit: usize,
    /// No match reaches past this.
    pub(in crate::deflate) end: usize,
    /// Whether the input ends at `end`, by a flush.
    pub(in crate::deflate) is_last: bool,
}

impl FastTable {
    /// A table of the usual size, in memory of `allocator`.
    pub(in crate::deflate) fn new(allocator: Allocator) -> Result<Self> {
        Ok(Self::of(Table::new(1 << HEAD_BITS, allocator)?, Table::new(1 << SHORT_BITS, allocator)?))
    }

    /// A table in the memory of `heads` and, for three bytes, of `short_heads`. The capacity of `heads` is a power of two, and
    /// so is that of `short_heads`, unless it is 0.
    pub(in crate::deflate) fn of(heads: Table<u16>, short_heads: Table<u16>) -> Self {
        // A hash has at least one bit.
        assert!(heads.capacity() > 1 && short_heads.capacity() != 1);
        let bits = heads.capacity().ilog2().min(HEAD_BITS);
        let recent = RecentMatches::NONE;
        Self { heads, bits, short_heads, keys: Keys::Four, newest: 0, reenter_at: 0, repeated: 0, recent }
    }

    /// Whether there is memory for the table of three bytes.
    pub(in crate::deflate) fn has_short(&self) -> bool {
        self.short_heads.capacity() > 0
    }

    /// The number of entries of the main table.
    pub(in crate::deflate) fn len(&self) -> usize {
        1 << self.bits
    }

    /// Clears the tables. `keys`: the strings to look up from now on.
    pub(in crate::deflate) fn clear(&mut self, keys: Keys) {
        self.heads.fill_with(0);
        self.short_heads.fill_with(0);
        self.keys = self.usable(keys);
        (self.newest, self.reenter_at, self.repeated) = (0, 0, 0);
        self.recent = RecentMatches::NONE;
    }

    /// `keys`, unless they need the table for three bytes and there is no memory for it.
    fn usable(&self, keys: Keys) -> Keys {
        if keys == Keys::FourAndThree && self.short_heads.is_empty() { Keys::Four } else { keys }
    }

    /// Chooses the keys for the data after a block by its symbols `frequencies` and its last bytes, those of `data`, where the
    /// window begins at `window`. `least`: see [`Keys::after`].
    pub(in crate::deflate) fn note_block(
        &mut self,
        frequencies: &Frequencies,
        data: &[u8],
        window: usize,
        least: u32,
    ) {
        let earlier = self.keys;
        self.keys = self.usable(earlier.after(frequencies, least, data));
        let to = data.len().saturating_sub(7);
        match (earlier, self.keys) {
            (Keys::Five, Keys::Five) => {}
            (_, Keys::Five) => self.enter_keys::<5, true>(data, window, to),
            (Keys::Five, _) => self.enter_keys::<4, true>(data, window, to),
            _ => {}
        }
    }

    /// Lends its memory to chains, for their heads and the heads of three bytes. The table must be [cleared](Self::clear)
    /// before it is used for parsing again.
    pub(in crate::deflate) fn lend(&mut self) -> (&mut [u16], &mut [u16]) {
        self.newest = 1 << 16;
        (&mut self.heads, &mut self.short_heads)
    }

    /// A table with the same entries, in memory of the same allocator.
    pub(in crate::deflate) fn try_clone(&self) -> Result<Self> {
        Ok(Self { heads: self.heads.try_clone()?, short_heads: self.short_heads.try_clone()?, ..*self })
    }

    /// Reduces all positions by `count`; positions before `count` become 0.
    pub(in crate::deflate) fn move_down(&mut self, count: usize) {
        // One vector loop each: chained iterators would not be vectorised.
        for heads in [&mut *self.heads, &mut *self.short_heads] {
            heads.iter_mut().for_each(|head| *head = head.saturating_sub(count as u16));
        }
        self.recent.move_down(count);
        self.newest = self.newest.saturating_sub(count);
        self.reenter_at = self.reenter_at.saturating_sub(count);
    }

    /// Enters the positions from `from` to `to` without parsing them, such as the window before the input.
    pub(in crate::deflate) fn enter(&mut self, data: &[u8], from: usize, to: usize) {
        let to = to.min(data.len().saturating_sub(7));
        match self.keys {
            Keys::Four | Keys::FourAndThree => self.enter_keys::<4, false>(data, from, to),
            Keys::Five => self.enter_keys::<5, false>(data, from, to),
        }
        if self.keys == Keys::FourAndThree {
            let short_bits = self.short_bits();
            for position in from.max(to.saturating_sub(SHORT_OFFSET_MAX))..to {
                // SAFETY: `position + 8 <= data.len()`, as `to` was limited.
                let word = unsafe { u64_at(data, position) };
                self.short_heads[hash::<MIN_MATCH>(word, short_bits)] = position as u16;
            }
        }
        self.newest = self.newest.max(to);
    }

    /// Enters the positions in the table of keys of `KEY` bytes. `RUNS`: of a run of one byte only its start; that takes longer.
    /// Eight bytes are readable at each position.
    fn enter_keys<const KEY: usize, const RUNS: bool>(&mut self, data: &[u8], from: usize, to: usize) {
        assert!(to + 7 <= data.len() || from >= to);
        let bits = self.bits;
        let heads = &mut self.heads[..1 << bits];
        let mut was_run = false;
        for position in from..to {
            // SAFETY: `position + 8 <= data.len()`, as `position < to`.
            let word = unsafe { u64_at(data, position) };
            let is_run = RUNS && (word ^ word >> 8) as u32 == 0;
            if !(is_run && was_run) {
                heads[hash::<KEY>(word, bits)] = position as u16;
            }
            was_run = is_run;
        }
    }

    fn short_bits(&self) -> u32 {
        self.short_heads.len().checked_ilog2().unwrap_or(0)
    }

    /// Parses `span` of `data` into `block`, up to its end or limit, or until `block` has less room than one turn may need.
    /// Match offsets are at most `max_offset`. Returns where it stopped: at most a match past the limit.
    ///
    /// `data` has at least 16 readable bytes after each position before the limit, and at most [`DATA_MAX`].
    pub(in crate::deflate) fn parse(
        &mut self,
        data: &[u8],
        span: Span,
        max_offset: usize,
        block: &mut OpenBlock,
    ) -> usize {
        let Span { from, limit, end, is_last } = span;
        assert!(limit + 16 <= data.len() && end <= data.len() && data.len() <= DATA_MAX && limit <= 1 << 16);
        assert!(limit <= end.max(from) && max_offset <= WINDOW_SIZE);
        assert!(self.repeated <= from && self.newest <= from + 2 && self.heads.len() == 1 << self.bits);
        let literals_from = block.literals_from;
        if self.reenter_at == from && from < limit {
            self.enter(data, from.saturating_sub(KEY_MAX - 1), from);
        }
        let (tokens, token_count, frequencies) = block.raw();
        if from >= limit || *token_count + TURN_TOKENS >= tokens.len() {
            return from;
        }
        let out = Tokens { tokens, count: *token_count, frequencies };
        let (bits, short_bits, repeated) = (self.bits, self.short_bits(), self.repeated);
        let (heads, short_heads) = (&mut *self.heads, &mut *self.short_heads);
        let recent = &mut self.recent;
        let scan =
            Scan { recent, data, heads, bits, short_heads, short_bits, max_offset, limit, end, repeated };
        let run_start = literals_from.max(from.saturating_sub(RUN_MAX));
        let Run { position, count, matched_to, repeated } = match self.keys {
            // SAFETY: by the asserts above, and every entry is below `newest`.
            Keys::Four => unsafe { scan.run::<4, false>(from, run_start, out) },
            // SAFETY: as above.
            Keys::FourAndThree => unsafe { scan.run::<4, true>(from, run_start, out) },
            // SAFETY: as above.
            Keys::Five => unsafe { scan.run::<5, false>(from, run_start, out) },
        };
        self.repeated = repeated;
        *token_count = count;
        self.newest = self.newest.max(position + 2);
        self.reenter_at = if is_last && position == end { position } else { 0 };
        if let Some(matched_to) = matched_to {
            block.literals_from = matched_to;
        }
        position
    }
}

/// The parser of a chunk, with a [`FastTable`].
#[derive(Debug)]
pub(in crate::deflate) struct Fast {
    cursor: Cursor,
    /// The position in the input of the table's position 0.
    base: usize,
}

/// The most bytes that a parser with positions of 16 bits gets: no match begins in the last of them.
pub(in crate::deflate) const DATA_MAX: usize = (1 << 16) + 102;
/// The numbers of bytes of a block after which [`FastTable::note_block`] is called, besides its end.
const NOTES: [usize; 2] = [1024, 4096];
/// If more than this percentage of the block is literals, matches of three bytes are searched for.
const OPEN_IN_BULK: u32 = 60;

/// The base moves up once the position is this far past it: a span and the longest match must still fit 16 bits.
const BASE_MOVES_AT: usize = 62 << 10;
/// The step by which it moves: a whole window remains before the position.
const BASE_STEP: usize = 16 << 10;
const _: () =
    assert!(BASE_MOVES_AT - BASE_STEP >= WINDOW_SIZE && BASE_MOVES_AT + SPAN + 2 * MAX_MATCH < 1 << 16);

impl Fast {
    /// A parser of `data[start..]`, where `data[..start]` is the window.
    pub(in crate::deflate) fn new(table: &mut FastTable, start: usize) -> Self {
        table.clear(Keys::Four);
        Self { cursor: Cursor::new(start), base: 0 }
    }

    /// Everything before this position is parsed.
    pub(in crate::deflate) fn position(&self) -> usize {
        self.cursor.position
    }

    /// Parses one span into `block`. Returns `None` if too little of the input has arrived, otherwise whether the block ends
    /// there.
    pub(in crate::deflate) fn advance(
        &mut self,
        arrived: Arrived<'_>,
        table: &mut FastTable,
        block: &mut OpenBlock,
    ) -> Option<bool> {
        let data = arrived.data;
        let Cursor { start, position, .. } = self.cursor;
        let to = arrived.span_end(start, position)?;
        if position == start {
            table.clear(Keys::at_start(&data[start..]));
            table.enter(data, 0, start);
        }
        if position - self.base >= BASE_MOVES_AT {
            table.move_down(BASE_STEP);
            self.base += BASE_STEP;
        }
        let near = &data[self.base..data.len().min(self.base + (1 << 16))];
        let from = position - self.base;
        let limit = (to - self.base).min(near.len().saturating_sub(16));
        let span = Span { from, limit: limit.max(from), end: near.len(), is_last: false };
        let mut position = position;
        if from < limit {
            // `near` begins at the base. A run of literals that began before it counts from there,
            // and is then longer than `RUN_MAX` all the same.
            block.literals_from = block.literals_from.saturating_sub(self.base);
            position = self.base + table.parse(near, span, WINDOW_SIZE, block);
            block.literals_from += self.base;
        }
        // Near the end of the input, too few bytes are left for a search.
        position = take_literals(data, position, to, block);
        self.cursor.position = position;
        let is_due = self.cursor.end_span(arrived, block);
        let len = position - block.start;
        let is_note = |at: &usize| (*at..*at + SPAN).contains(&len);
        if is_due || NOTES.iter().any(is_note) {
            let near = &data[self.base..position];
            let window = near.len().saturating_sub(WINDOW_SIZE);
            table.note_block(&block.frequencies, near, window, OPEN_IN_BULK);
        }
        Some(is_due)
    }
}

/// The hash of the first `K` bytes of `word`, 3 to 5.
#[inline(always)]
fn hash<const K: usize>(word: u64, bits: u32) -> usize {
    if K <= 4 {
        let key = (word as u32) << (32 - 8 * K as u32);
        (key.wrapping_mul(0x9e37_79b1) >> (32 - bits)) as usize
    } else {
        let key = word << (64 - 8 * K as u32);
        (key.wrapping_mul(0x9e37_79b1_85eb_ca87) >> (64 - bits)) as usize
    }
}

/// The number of bytes to skip after `run` consecutive literals, of which the last two begin `word`. Longer skips depend on
/// the data, so that repeated noise is searched at the same positions again.
#[inline(always)]
fn skip(run: usize, word: u64) -> usize {
    match run {
        ..MEDIUM_SKIPS_FROM => run >> SKIP_SHIFT << 1,
        MEDIUM_SKIPS_FROM..LONG_SKIPS_FROM => 2 + 2 * (word >> 8 & 7) as usize,
        _ => 30 + 4 * (word >> 8 & 15) as usize,
    }
}

/// Whether a match one byte later is better than one of fewer than eight bytes: its length and offset, and those of the earlier one.
/// Eight bytes are compared, so a length of eight means at least that.
#[inline(always)]
fn is_better(later: (usize, usize), found: (usize, usize)) -> bool {
    later.0 > found.0 + 1 || later.0 == 8 || later.0 >= found.0 && later.1 * NEARER < found.1
}

/// The token buffer.
struct Tokens<'a> {
    tokens: &'a mut [u32],
    count: usize,
    frequencies: &'a mut Frequencies,
}

impl Tokens<'_> {
    /// # Safety
    /// - There is room for one more token.
    #[inline(always)]
    unsafe fn push(&mut self, token: u32) {
        // SAFETY: by the caller's promise.
        *unsafe { self.tokens.get_unchecked_mut(self.count) } = token;
        self.count += 1;
    }

    /// # Safety
    /// - There is room for one more token.
    #[inline(always)]
    unsafe fn pair(&mut self, first: u8, second: u8) {
        self.frequencies.litlen[first as usize] += 1;
        self.frequencies.litlen[second as usize] += 1;
        // SAFETY: by the caller's promise.
        unsafe { self.push(two_literals(first, second)) };
    }

    /// # Safety
    /// - There is room for one more token.
    #[inline(always)]
    unsafe fn literal(&mut self, byte: u8) {
        self.frequencies.litlen[byte as usize] += 1;
        // SAFETY: by the caller's promise.
        unsafe { self.push(lone_literal(byte)) };
    }

    /// Removes the literals from `run_start` to `position` that the match there can cover too. Returns where it then begins.
    fn take_back(&mut self, data: &[u8], mut position: usize, offset: usize, run_start: usize) -> usize {
        while position > run_start && starts_earlier(data, position, offset) {
            position -= 1;
            drop_literal(self.tokens, &mut self.count, self.frequencies, data[position]);
        }
        position
    }
}

/// One run of the loop.
struct Scan<'a> {
    recent: &'a mut RecentMatches,
    data: &'a [u8],
    heads: &'a mut [u16],
    bits: u32,
    short_heads: &'a mut [u16],
    short_bits: u32,
    max_offset: usize,
    limit: usize,
    end: usize,
    /// The offset of the last match, if it had the maximum length.
    repeated: usize,
}

/// The results of one run of the loop.
struct Run {
    position: usize,
    count: usize,
    /// Where the last match ended.
    matched_to: Option<usize>,
    repeated: usize,
}

impl Scan<'_> {
    /// Enters `position` and returns the previous entry of its hash.
    ///
    /// # Safety
    /// - `index` is a hash of `bits` bits.
    #[inline(always)]
    unsafe fn swap(&mut self, index: usize, position: usize) -> usize {
        // SAFETY: there is a head for each value of a hash.
        let head = unsafe { self.heads.get_unchecked_mut(index) };
        usize::from(core::mem::replace(head, position as u16))
    }

    /// Enters `position`, where the bytes of `word` are, in the table of three bytes, and returns the offset of the match
    /// there, if it is near enough to be worth taking.
    ///
    /// # Safety
    /// - There are short heads, and 16 bytes after `position`.
    #[inline(always)]
    unsafe fn swap_short(&mut self, word: u64, position: usize) -> Option<usize> {
        // SAFETY: there is a head for each value of a hash.
        let head = unsafe { self.short_heads.get_unchecked_mut(hash::<MIN_MATCH>(word, self.short_bits)) };
        let place = usize::from(core::mem::replace(head, position as u16));
        let offset = position.wrapping_sub(place);
        // SAFETY: `place` is at most one past `position`, after which there are 16 bytes.
        let difference = unsafe { u64_at(self.data, place) } ^ word;
        let is_worth_it = offset.wrapping_sub(1) < self.max_offset.min(SHORT_OFFSET_MAX);
        ((difference as u32) << 8 == 0 && is_worth_it).then_some(offset)
    }

    /// Searches for a match of three bytes at `position`, where the bytes of `word` are, and one byte later. Returns its
    /// distance from `position`, 0 or 1, and its offset.
    ///
    /// # Safety
    /// - As for [`swap_short`](Self::swap_short) at both.
    #[inline(always)]
    unsafe fn short_match(&mut self, word: u64, position: usize) -> Option<(usize, usize)> {
        // SAFETY: by the caller's promise.
        let first = unsafe { self.swap_short(word, position) };
        if let Some(offset) = first.filter(|&offset| offset <= FAR) {
            return Some((0, offset));
        }
        // SAFETY: by the caller's promise; the bytes past the word are not compared.
        let second = unsafe { self.swap_short(word >> 8, position + 1) };
        match second.filter(|near| first.is_none_or(|far| near * NEARER < far)) {
            Some(offset) => Some((1, offset)),
            None => first.map(|offset| (0, offset)),
        }
    }

    /// As [`short_match`](Self::short_match), but returns only a match that is more than [`NEARER`] times nearer than the
    /// four-byte match at `offset`, and so the better one.
    ///
    /// # Safety
    /// - As for [`swap_short`](Self::swap_short) at both.
    #[inline(always)]
    unsafe fn near_short_match(
        &mut self,
        word: u64,
        position: usize,
        offset: usize,
    ) -> Option<(usize, usize)> {
        // SAFETY: by the caller's promise.
        let first = unsafe { self.swap_short(word, position) };
        // SAFETY: by the caller's promise.
        let second = unsafe { self.swap_short(word >> 8, position + 1) };
        let is_near = |near: &usize| near * NEARER < offset;
        second.filter(is_near).map(|near| (1, near)).or(first.filter(is_near).map(|near| (0, near)))
    }

    /// Enters the last two positions of a match that ends at `end`, unless they are in a run of one byte.
    ///
    /// # Safety
    /// - `end` is 2 or more.
    #[inline(always)]
    unsafe fn enter_end<const KEY: usize, const SHORT: bool>(&mut self, end: usize) {
        if end + 6 <= self.data.len() {
            // SAFETY: eight bytes from `end - 2` on are in the data.
            let last = unsafe { u64_at(self.data, end - 2) };
            if (last ^ last >> 8) as u32 & 0xff_ffff == 0 {
                return;
            }
            // SAFETY: hashes of `bits` bits.
            unsafe { self.swap(hash::<KEY>(last, self.bits), end - 2) };
            // SAFETY: as above.
            unsafe { self.swap(hash::<KEY>(last >> 8, self.bits), end - 1) };
            if SHORT {
                self.short_heads[hash::<MIN_MATCH>(last, self.short_bits)] = (end - 2) as u16;
                self.short_heads[hash::<MIN_MATCH>(last >> 8, self.short_bits)] = (end - 1) as u16;
            }
        }
    }

    /// Data that repeats for longer than a match continues at the same offset, although few of its positions are in the
    /// table. Takes such matches from `position` on and returns their end. Sets `offset` to 0 if the last one is shorter than
    /// the maximum length.
    ///
    /// # Safety
    /// - `end <= data.len()`, and `offset` is at most `position`.
    #[inline(never)]
    unsafe fn go_on_at(&mut self, offset: &mut usize, mut position: usize, out: &mut Tokens<'_>) -> usize {
        while position < self.limit && out.count + TURN_TOKENS < out.tokens.len() {
            let most = (self.end - position.min(self.end)).min(MAX_MATCH);
            // SAFETY: the earlier place is before `position`, and `position + most <= end`.
            let length = unsafe { match_length(self.data, position - *offset, position, 0, most) };
            if length >= MATCH_MIN {
                let token = match_token(out.frequencies, length, *offset);
                // SAFETY: there is room for a turn's tokens.
                unsafe { out.push(token) };
                position += length;
            }
            if length < MAX_MATCH {
                *offset = 0;
                break;
            }
        }
        position
    }

    /// The loop. `run_start` is where the literals before `position` begin. Returns where it stopped, the number of tokens,
    /// and where the last match ended. It is one long function because its turns share the word and both hashes in registers.
    ///
    /// # Safety
    /// - `limit + 16 <= data.len()`, `end <= data.len()`, `position < limit`.
    /// - All heads are at most `position + 1`, and there are `2^bits`.
    /// - There is room for [`TURN_TOKENS`] tokens.
    #[inline(never)]
    unsafe fn run<const KEY: usize, const SHORT: bool>(
        mut self,
        mut position: usize,
        mut run_start: usize,
        mut out: Tokens<'_>,
    ) -> Run {
        let Self { data, bits, max_offset, limit, end, .. } = self;
        let token_limit = out.tokens.len() - TURN_TOKENS;
        // Where the last match of this run ended; `None` while there is none.
        let mut matched_to = None;
        let mut repeated = self.repeated;
        if repeated > 0 {
            // SAFETY: the position has only moved up, by matches, since the offset was in use.
            position = unsafe { self.go_on_at(&mut repeated, position, &mut out) };
            (run_start, matched_to) = (position, Some(position));
            if repeated == 0 {
                // SAFETY: the match ended here, three bytes or more after its start.
                unsafe { self.enter_end::<KEY, SHORT>(position) };
            }
            if position >= limit || out.count >= token_limit {
                return Run { position, count: out.count, matched_to, repeated };
            }
        }
        let load = |at: usize| {
            // SAFETY: `at` is at most 8 past a position below the limit, which 16 bytes follow, or 8 bytes before the end of the
            // data; a head is below such a position.
            unsafe { u64_at(data, at) }
        };
        let mut word = load(position);
        let (mut hash_0, mut hash_1) = (hash::<KEY>(word, bits), hash::<KEY>(word >> 8, bits));
        loop {
            // In a run of one byte both hashes are equal. Then the table keeps `position`, after
            // which more of the run is left, and `place_1` is `position`: a match at offset 1.
            // SAFETY: hashes of `bits` bits.
            let place_0 = unsafe { self.swap(hash_0, position) };
            // SAFETY: as above.
            let place_1 = unsafe { self.swap(hash_1, position + usize::from(hash_0 != hash_1)) };
            // For the next turn, if this one finds nothing: its loads then need not wait for
            // hashes. With a key of five bytes, `hash_3` uses bytes 3 to 7 of the word, its last
            // ones.
            let (hash_2, hash_3) = (hash::<KEY>(word >> 16, bits), hash::<KEY>(word >> 24, bits));
            let difference_0 = load(place_0) ^ word;
            let difference_1 = load(place_1) ^ load(position + 1);
            let (offset_0, offset_1) = (position.wrapping_sub(place_0), (position + 1).wrapping_sub(place_1));
            let is_match_0 = difference_0 as u32 == 0 && offset_0.wrapping_sub(1) < max_offset;
            let length_0 = (difference_0.trailing_zeros() >> 3) as usize;
            let length_1 = (difference_1.trailing_zeros() >> 3) as usize;
            let mut found = (length_0, offset_0, difference_0);
            // The number of literals before the match.
            let mut lead = 0;
            if is_match_0 {
                if length_0 < 8
                    && is_better((length_1, offset_1), (length_0, offset_0))
                    && offset_1.wrapping_sub(1) < max_offset
                {
                    (found, lead) = ((length_1, offset_1, difference_1), 1);
                }
                if SHORT && found.0 == MATCH_MIN && found.1 > FAR {
                    // SAFETY: there are short heads, and 16 bytes after a position below the limit.
                    if let Some((later, offset)) = unsafe { self.near_short_match(word, position, found.1) } {
                        let difference = load(position + later - offset) ^ load(position + later);
                        let length = (difference.trailing_zeros() >> 3) as usize;
                        (found, lead) = ((length, offset, difference), later);
                    }
                }
            } else if difference_1 as u32 == 0 && offset_1.wrapping_sub(1) < max_offset {
                (found, lead) = ((length_1, offset_1, difference_1), 1);
                if length_1 < 8 && position + 2 < end {
                    let place_2 = usize::from(self.heads[hash_2]);
                    let difference_2 = load(place_2) ^ load(position + 2);
                    let offset_2 = (position + 2).wrapping_sub(place_2);
                    let length_2 = (difference_2.trailing_zeros() >> 3) as usize;
                    if is_better((length_2, offset_2), (length_1, offset_1))
                        && offset_2.wrapping_sub(1) < max_offset
                    {
                        self.heads[hash_2] = (position + 2) as u16;
                        (found, lead) = ((length_2, offset_2, difference_2), 2);
                    }
                }
            } else if let Some((later, offset)) = if SHORT {
                // SAFETY: there are short heads, and 16 bytes after a position below the limit, as after the next one
                // to be compared: eight of a place at most one past it.
                unsafe { self.short_match(word, position) }
            } else {
                None
            } {
                // SAFETY: the earlier position is before the match, and 8 bytes from there are in the data.
                let difference = load(position + later - offset) ^ load(position + later);
                (found, lead) = (((difference.trailing_zeros() >> 3) as usize, offset, difference), later);
            } else {
                // SAFETY: there is room for a turn's tokens.
                unsafe { out.pair(word as u8, (word >> 8) as u8) };
                position += 2;
                // Two literals were added. After 64 in a row, more are added without a search.
                let run = position.wrapping_sub(run_start);
                if run >= 1 << SKIP_SHIFT && position < end {
                    let next = position + skip(run, word).min((end - position) & !1);
                    for pair in data[position..next].chunks_exact(2) {
                        // SAFETY: as above: a skip has at most 45 pairs.
                        unsafe { out.pair(pair[0], pair[1]) };
                    }
                    if run < LONG_SKIPS_FROM {
                        // Up to the end, not the limit, which depends on how the input was cut.
                        for at in position..next.min(data.len() - 8) {
                            // SAFETY: a hash of `bits` bits.
                            unsafe { self.swap(hash::<KEY>(load(at), bits), at) };
                            if SHORT {
                                self.short_heads[hash::<MIN_MATCH>(load(at), self.short_bits)] = at as u16;
                            }
                        }
                    }
                    position = next;
                    if position >= limit || out.count >= token_limit {
                        break;
                    }
                    word = load(position);
                    (hash_0, hash_1) = (hash::<KEY>(word, bits), hash::<KEY>(word >> 8, bits));
                    continue;
                }
                if position >= limit || out.count >= token_limit {
                    break;
                }
                word = load(position);
                (hash_0, hash_1) = (hash_2, hash_3);
                continue;
            }
            match lead {
                0 => {}
                // SAFETY: there is room for a turn's tokens.
                1 => unsafe { out.literal(word as u8) },
                // SAFETY: as above.
                _ => unsafe { out.pair(word as u8, (word >> 8) as u8) },
            }
            position += lead;
            let (mut length, mut offset, mut difference) = found;
            if position > run_start && starts_earlier(data, position, offset) {
                position = out.take_back(data, position, offset, run_start);
                difference = load(position - offset) ^ load(position);
                length = (difference.trailing_zeros() >> 3) as usize;
            }
            // The eight bytes compared so far may be part of a longer match, or reach past the
            // input's end: `data` is readable beyond it.
            let most = (end - position.min(end)).min(MAX_MATCH);
            if difference == 0 && most > 8 {
                // SAFETY: the earlier place is before `position`, and `position + most <= end`.
                length = unsafe { match_length(data, position - offset, position, 8, most) };
                let found = Match { length, offset };
                Match { length, offset } = self.recent.best(&data[..end], position, found, max_offset);
            }
            length = length.min(most);
            // So few bytes are left before the end that the match is too short: they become
            // literals.
            if length < MIN_MATCH {
                for &byte in &data[position..end.max(position)] {
                    // SAFETY: there is room for a turn's tokens, and these are at most two.
                    unsafe { out.literal(byte) };
                }
                position = end.max(position);
                break;
            }
            let token = match_token(out.frequencies, length, offset);
            // SAFETY: there is room for a turn's tokens.
            unsafe { out.push(token) };
            position += length;
            // The data probably repeats for longer, with the same offset; its positions are not
            // entered.
            if length == MAX_MATCH {
                repeated = offset;
                // SAFETY: as for this function, at a later position.
                position = unsafe { self.go_on_at(&mut repeated, position, &mut out) };
            }
            run_start = position;
            matched_to = Some(position);
            if repeated == 0 {
                // SAFETY: a match ended here, three bytes or more after its start.
                unsafe { self.enter_end::<KEY, SHORT>(position) };
            }
            if position >= limit || out.count >= token_limit {
                break;
            }
            word = load(position);
            (hash_0, hash_1) = (hash::<KEY>(word, bits), hash::<KEY>(word >> 8, bits));
        }
        if position > end {
            // One literal too many: the last token is a pair whose second byte is past the end of the input.
            drop_literal(out.tokens, &mut out.count, out.frequencies, data[end]);
            position = end;
        }
        Run { position, count: out.count, matched_to, repeated }
    }
}

#[cfg(test)]
mod tests;
