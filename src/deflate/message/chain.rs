//! The chain parser of messages (levels 2 to 9, level 1 with a small table, and `deflateTune`): takes
//! the longest match along a chain, unless the next byte has a longer one, or one as long and much
//! nearer. A match that could have begun earlier begins there. Where data nearly repeats, a longer one
//! of the [`RecentMatches`] replaces it.
//!
//! A *chain* links each position to the previous one with the same hash of [`KEY`] bytes:
//!
//! ```text
//! heads[hash]             the most recent position
//! previous[p % size]      the position before p with the same hash
//! short[hash of 3]        the most recent position of three bytes
//! ```
//!
//! To beat a match of length `L` at `p`, a candidate must also contain the [`KEY`] bytes that end
//! at byte `L`. So the search follows the chain of the match's *tail*, at `p + L + 1 - KEY`: its
//! candidates contain those bytes, which most candidates of the front lack. When a longer match is
//! found, the search switches to the new tail's chain if its next candidate is farther back. At
//! equal depth this finds 8 % more than the front's chain. With `L` 6 at `p` and `KEY` 4, the
//! tail's chain is that of the bytes 3 to 6:
//!
//! ```text
//! p:            a b c d e f|g      a match of 6 bytes was found: a to f
//! tail:               d e f g      only places with these four can have 7 bytes
//! ```
//!
//! Positions are entered in batches a little ahead of the parser, so that tails have their chains.
//! Matches of three bytes have a separate small table, and only short distances. For some data the
//! key has three or eight bytes, and that table is not used ([`Nature`]).
//!
//! Unlike the lazy parser of chunks, this one compares lengths, not costs.

use super::TURN_TOKENS;
use super::nature::Nature;
use crate::deflate::match_finder::{Match, match_length};
use crate::deflate::parse::fast::{DATA_MAX, Span};
use crate::deflate::parse::recent::RecentMatches;
use crate::deflate::parse::repetition::{LONG_MATCH, Repetition};
use crate::deflate::token::OpenBlock;
use crate::error::Result;
use crate::format::deflate::{MAX_MATCH, MIN_MATCH};
use crate::raw::load::u64_at;
use crate::raw::{Allocator, Table};

/// Bytes of the chains' key in most data.
const KEY: usize = 4;
/// The same in data of few letters, where shorter matches cost more than their literals.
const LETTERS_KEY: usize = 8;
/// The longest key.
pub(super) const KEY_MAX: usize = LETTERS_KEY;
/// With a smaller [`Search::lazy`], numbers get the usual key: the parser takes most matches
/// at once, and then the nearest is as good as the longest.
const NUMBERS_LAZY: usize = 8;
/// Maximum entries of the table for three bytes.
const SHORT_MAX: usize = 4096;
/// The maximum offset of a three-byte match; farther ones cost more than their literals.
const SHORT_OFFSET_MAX: usize = 4096;
/// A match as long as the one a byte earlier is taken instead if it is at least this many times nearer.
const NEARER: usize = 16;
/// The minimum length of a match in filtered data (`Z_FILTERED`), as in zlib.
pub(super) const FILTERED_SHORTEST: usize = 6;

/// Characters of two bytes recur so often that a search compares twice as many candidates, at most
/// this many more: level 9's depth is enough for them.
const WIDE_MAX: u32 = 24;
/// A match adds `length * max(depth, 16) / CREDIT` candidates to the credit, which is at most three times the depth. Each search
/// compares that many more candidates, and then halves the credit. Level 6 becomes 0.2 % smaller and 1.4 % slower, pixels 3 to 8 % smaller.
const CREDIT: u32 = 64;
/// Longer matches add none: in image masks, where nearly all matches are long, deeper searches make the output up to a quarter larger.
const CREDIT_BELOW: usize = 64;

/// Limits of a search.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search {
    /// Candidates compared; half as many if the previous byte has a match of [`good`](Self::good) bytes.
    depth: u32,
    /// A pending match this long halves the depth (in zlib `good_length`, which quarters it).
    good: usize,
    /// A match of this length is taken without a search at the next byte.
    lazy: usize,
    /// A match of this length ends the search.
    nice: usize,
}

impl Search {
    /// The bytes of the chains' key. `has_short`: there is a table for three bytes; else the chains find those, too.
    pub(super) fn key(self, nature: Nature, has_short: bool) -> usize {
        match nature {
            Nature::Numbers if self.lazy >= NUMBERS_LAZY => MIN_MATCH,
            Nature::FewLetters => LETTERS_KEY,
            _ if !has_short => MIN_MATCH,
            _ => KEY,
        }
    }
}

const fn limits(depth: u32, good: usize, lazy: usize, nice: usize) -> Search {
    Search { depth, good, lazy, nice }
}

/// The limits of levels 1 to 9. Level 1 uses them only where its own table would be too small
/// (`FAST_HEADS`).
const SEARCHES: [Search; 9] = [
    limits(2, 4, 4, 16),
    limits(4, 4, 5, 32),
    limits(6, 4, 8, 32),
    limits(8, 4, 16, 64),
    limits(12, 8, 32, 128),
    limits(16, 8, 32, 258),
    limits(24, 8, 64, 258),
    limits(96, 32, 258, 258),
    limits(256, 32, 258, 258),
];

/// More candidates than a chain can have, since it has at most as many as the window. It keeps the
/// sums of depths within 32 bits.
const CHAIN_MAX: u32 = 1 << 16;

/// Limits in zlib's terms (zlib manual, `deflateTune`), as closely as possible. A program may pass
/// any numbers; one out of range becomes the nearest with which the parser works.
pub(super) fn tuned(good: usize, lazy: usize, nice: usize, chain: u32) -> Search {
    let nice = nice.clamp(MIN_MATCH, MAX_MATCH);
    Search { depth: chain.clamp(1, CHAIN_MAX), good: good.max(1), lazy: lazy.max(1), nice }
}

/// The limits of `level`, 1 to 9.
pub(super) fn search(level: u32) -> Search {
    SEARCHES[(level as usize - 1).min(SEARCHES.len() - 1)]
}

/// The chains and the parser's state.
#[derive(Debug)]
pub(super) struct Chain {
    /// The previous position with the same hash, indexed by position modulo the window's size. An
    /// entry is overwritten one window later, when no match may reach it any more.
    previous: Table<u16>,
    /// Positions before this one are entered. During a search it is more than a match's maximum
    /// length past the searched position, except near the end of the input.
    filled: usize,
    /// The pending match of the previous byte, which a longer one may replace; its length is 0 if
    /// there is none. Kept between calls, so that a search's result does not depend on where the
    /// input was split.
    waiting_length: usize,
    waiting_offset: usize,
    /// The last long match.
    repeated: Repetition,
    recent: RecentMatches,
    /// Must be that with which the positions were entered: it chooses the key.
    pub(super) nature: Nature,
    /// Additional candidates for the next search: data with long matches needs few searches.
    credit: u32,
}

impl Chain {
    /// Entries of the table for three bytes, if `rest` bytes are left for it and the tokens; 0 if they are too few.
    pub(super) fn short_count(rest: usize) -> usize {
        let most = (rest / 16).min(SHORT_MAX);
        if most < 256 { 0 } else { 1 << most.ilog2() }
    }

    /// The number of positions entered at a time. A batch overwrites the links of as many positions at
    /// the window's end, which matters for small windows, so it is at most 1/64 of the window.
    pub(super) fn batch(window_size: usize) -> usize {
        (window_size / 64).min(32)
    }

    pub(super) fn new(window_size: usize, allocator: Allocator) -> Result<Self> {
        Ok(Self {
            previous: Table::new(window_size, allocator)?,
            filled: 0,
            waiting_length: 0,
            waiting_offset: 0,
            repeated: Repetition::default(),
            recent: RecentMatches::NONE,
            nature: Nature::Usual,
            credit: 0,
        })
    }

    pub(super) fn try_clone(&self) -> Result<Self> {
        Ok(Self { previous: self.previous.try_clone()?, ..*self })
    }

    /// Whether a match is pending.
    pub(super) fn has_match(&self) -> bool {
        self.waiting_length > 0
    }

    /// Drops the pending match.
    pub(super) fn restart(&mut self) {
        self.waiting_length = 0;
    }

    /// Clears the chains and the parser's state; [`enter_again`](Self::enter_again) must follow.
    pub(super) fn clear(&mut self) {
        self.previous.clear();
        (self.waiting_length, self.credit) = (0, 0);
        (self.repeated, self.recent) = (Repetition::default(), RecentMatches::NONE);
    }

    /// The next search enters the positions from `from` on, again. Must be called when the heads are cleared.
    pub(super) fn enter_again(&mut self, from: usize) {
        self.filled = from;
    }

    /// Reduces all positions by the window's size, `count`. Positions that leave the window become
    /// 0, which no search follows. The ring's indices stay the same, since they are positions
    /// modulo the same number.
    pub(super) fn move_down(&mut self, count: usize) {
        for place in self.previous.iter_mut() {
            *place = place.saturating_sub(count as u16);
        }
        self.filled = self.filled.saturating_sub(count);
        self.repeated.end = self.repeated.end.saturating_sub(count);
        self.recent.move_down(count);
    }

    /// Parses `span` of `data` into `block`, up to its limit, or until `block` has less room than one turn may need. Match
    /// offsets are at most `max_offset`, match lengths at least `shortest`. Returns where it stopped.
    #[expect(clippy::too_many_arguments, reason = "the parts of one encoder, lent for a call")]
    pub(super) fn parse(
        &mut self,
        search: Search,
        shortest: usize,
        (heads, short): (&mut [u16], &mut [u16]),
        data: &[u8],
        span: Span,
        max_offset: usize,
        block: &mut OpenBlock,
    ) -> usize {
        // The unchecked loads below rely on this: 32 bytes are readable after the end. A table's
        // entry may be any number of 16 bits; the searches use only those before the current
        // position.
        assert!(span.end + 32 <= data.len() && data.len() <= DATA_MAX && span.limit <= span.end);
        assert!(heads.len().is_power_of_two() && self.previous.capacity().is_power_of_two());
        let bits = heads.len().ilog2();
        // With few heads, chains are long and most of their positions have only the hash in common.
        // The depth doubles for each three bits, or part of them, that the hash is short of 15.
        let depth = search.depth << (15 - bits).div_ceil(3);
        let more = if self.nature == Nature::WideCharacters { depth.min(WIDE_MAX) } else { 0 };
        let search = Search { depth: depth + more, ..search };
        let key = search.key(self.nature, !short.is_empty());
        let short = if key == KEY { short } else { &mut [] };
        let walk = Walk { chain: self, search, shortest, heads, short, bits, data, span, max_offset };
        match key {
            MIN_MATCH => walk.run::<MIN_MATCH>(block),
            LETTERS_KEY => walk.run::<LETTERS_KEY>(block),
            _ => walk.run::<KEY>(block),
        }
    }
}

/// One call of the parser.
struct Walk<'a> {
    chain: &'a mut Chain,
    search: Search,
    shortest: usize,
    heads: &'a mut [u16],
    /// The most recent position of each three bytes; empty if memory is short, or if the key has three or eight bytes.
    short: &'a mut [u16],
    bits: u32,
    data: &'a [u8],
    span: Span,
    max_offset: usize,
}

/// The first `K` bytes of `word`, 3, 4 or 8, in its upper part.
#[inline(always)]
fn key<const K: usize>(word: u64) -> u64 {
    word << (64 - 8 * K)
}

/// The hash of the first `K` bytes of `word`: the top bits of a product, which depend on all of them.
#[inline(always)]
fn hash<const K: usize>(word: u64, bits: u32) -> usize {
    let key = key::<K>(word);
    if K > 4 {
        (key.wrapping_mul(0x9e37_79b1_85eb_ca87) >> (64 - bits)) as usize
    } else {
        (((key >> 32) as u32).wrapping_mul(0x9e37_79b1) >> (32 - bits)) as usize
    }
}

impl Walk<'_> {
    /// The eight bytes at `at`.
    #[inline(always)]
    fn word(&self, at: usize) -> u64 {
        // SAFETY: all callers stay before `span.end`, and `Chain::parse` checked that 32 bytes follow it.
        unsafe { u64_at(self.data, at) }
    }

    /// Enters positions up to `to`: each becomes the head of its chain, and refers to the head
    /// before it. Callers leave enough bytes before the end that the whole key is there.
    fn fill<const K: usize>(&mut self, to: usize) {
        let mask = self.chain.previous.capacity() - 1;
        self.chain.previous.extend_to(to, 0);
        for position in self.chain.filled..to {
            let head = &mut self.heads[hash::<K>(self.word(position), self.bits)];
            self.chain.previous[position & mask] = core::mem::replace(head, position as u16);
        }
        self.chain.filled = self.chain.filled.max(to);
    }

    /// Parses positions as long as the key's bytes are there; with `is_last`, also the rest. `K`:
    /// the bytes of the key.
    fn run<const K: usize>(mut self, block: &mut OpenBlock) -> usize {
        let Span { from, limit, end, is_last } = self.span;
        // Before this position all of the key's bytes are there.
        let keyed_end = end.saturating_sub(K - 1);
        let search_limit = limit.min(keyed_end);
        // A position has 16 bits. The window moves before larger ones are needed.
        let fill_end = keyed_end.min(1 << 16);
        let batch = Chain::batch(self.chain.previous.capacity());
        let mut position = from;
        while position < search_limit && block.room() > TURN_TOKENS {
            // The longest match at this position has its tail at most `MAX_MATCH` bytes on, so its
            // chain is filled.
            if position + MAX_MATCH >= self.chain.filled {
                self.fill::<K>((position + MAX_MATCH + batch).min(fill_end));
            }
            position = self.step::<K>(position, block);
        }
        if is_last && position >= search_limit && block.room() > TURN_TOKENS {
            position = self.finish(position, end, block);
        }
        position
    }

    /// Decides on one position, and returns the next one. One of four cases:
    ///
    /// ```text
    /// pending, a better one here    literal for the byte before; the better one is pending
    /// pending, none better here     take the pending one
    /// none pending, one here        it is pending
    /// neither                       literal
    /// ```
    ///
    /// A new match of `lazy` bytes or more is taken at once.
    #[inline(always)]
    fn step<const K: usize>(&mut self, position: usize, block: &mut OpenBlock) -> usize {
        let waiting = self.chain.waiting_length;
        let found = if waiting < self.search.lazy { self.find::<K>(position, waiting) } else { None };
        match found {
            Some((length, offset)) => {
                if waiting > 0 {
                    block.add_literal(self.data[position - 1]);
                }
                (self.chain.waiting_length, self.chain.waiting_offset) = (length, offset);
                if length < self.search.lazy {
                    return position + 1;
                }
                self.take(position, block)
            }
            None if waiting > 0 => self.take(position - 1, block),
            None => {
                block.add_literal(self.data[position]);
                position + 1
            }
        }
    }

    /// Takes the pending match, at `position`; returns its end. If the match could begin earlier,
    /// it replaces the literals there, whatever they cost, since costs are not known here.
    #[inline(always)]
    fn take(&mut self, position: usize, block: &mut OpenBlock) -> usize {
        let length = core::mem::take(&mut self.chain.waiting_length).min(self.span.end - position);
        if length < MIN_MATCH {
            for &byte in &self.data[position..position + length] {
                block.add_literal(byte);
            }
            return position + length;
        }
        let found = Match { length, offset: self.chain.waiting_offset };
        let data = &self.data[..self.span.end];
        let Match { length, offset } = self.chain.recent.best(data, position, found, self.max_offset);
        if length >= LONG_MATCH {
            self.chain.repeated = Repetition { offset, end: position + length };
        }
        let to = block.add_match_early(self.data, position, (length, offset), |_, _| true);
        if length < CREDIT_BELOW.min(self.search.nice) {
            let more = length as u32 * self.search.depth.max(16) / CREDIT;
            self.chain.credit = (self.chain.credit + more).min(3 * self.search.depth);
        }
        // Of the positions inside a match only the last two are entered in the table for three
        // bytes. The test makes sure that all three bytes of the last one have arrived.
        if to + 1 < self.span.end {
            for place in [to - 2, to - 1] {
                self.swap_short(place);
            }
        }
        to
    }

    /// Enters the three bytes at `position`, and returns their previous position. Without a table
    /// it returns `position`, whose offset 0 is not a match's.
    #[inline(always)]
    fn swap_short(&mut self, position: usize) -> usize {
        if self.short.is_empty() {
            return position;
        }
        let bits = self.short.len().ilog2();
        let index = hash::<MIN_MATCH>(self.word(position), bits);
        let head = &mut self.short[index];
        usize::from(core::mem::replace(head, position as u16))
    }

    /// The best match at `position`: longer than `waiting` bytes, or as long and at least [`NEARER`] times nearer than the
    /// pending one.
    #[inline(always)]
    fn find<const K: usize>(&mut self, position: usize, waiting: usize) -> Option<(usize, usize)> {
        // The length to exceed: that of the pending match, or two bytes.
        let mut best = waiting.max(2);
        let mut found = None;
        if K == KEY {
            let place = self.swap_short(position);
            let offset = position.wrapping_sub(place);
            if waiting == 0 {
                if offset.wrapping_sub(1) < self.max_offset.min(SHORT_OFFSET_MAX)
                    && key::<MIN_MATCH>(self.word(place) ^ self.word(position)) == 0
                {
                    best = MIN_MATCH;
                    found = Some((MIN_MATCH, offset));
                }
            } else if offset.wrapping_sub(1) < self.chain.waiting_offset / NEARER {
                let most = (self.span.end - position).min(MAX_MATCH);
                // SAFETY: by the condition `1 <= offset <= position`, so `place < position`; and `position + most <= span.end`.
                let length = unsafe { match_length(self.data, place, position, 0, most) };
                if length >= waiting {
                    best = length;
                    found = Some((length, offset));
                }
            }
        }
        let depth =
            if waiting >= self.search.good { self.search.depth.div_ceil(2) } else { self.search.depth };
        // Half of the credit is used up by each search, so it lasts for a few after the match that
        // gave it.
        let depth = depth + self.chain.credit;
        self.chain.credit /= 2;
        if let Some(longer) = self.longest::<K>(position, best, depth) {
            found = Some(longer);
        }
        // Where data repeats, the search may run out of candidates before it reaches the offset of the repetition.
        if let Some(longer) = self.at_repeated(position, found.map_or(best, |(length, _)| length)) {
            found = Some(longer);
        }
        // Filtered data takes no short ones; and with a key of three bytes the chains may find
        // three bytes at any distance.
        found.filter(|&(length, offset)| {
            length >= self.shortest && (length > MIN_MATCH || offset <= SHORT_OFFSET_MAX)
        })
    }

    /// The match at `position` at the offset of the last long match, if it is long again, and longer than `best`.
    #[inline(always)]
    fn at_repeated(&self, position: usize, best: usize) -> Option<(usize, usize)> {
        let offset = self.chain.repeated.offset;
        let most = (self.span.end - position).min(MAX_MATCH);
        let is_due = self.chain.repeated.is_near(position) && best < most;
        if !is_due || offset >= position || offset > self.max_offset {
            return None;
        }
        // SAFETY: `offset <= position`, and `position + most <= span.end`.
        let length = unsafe { match_length(self.data, position - offset, position, 0, most) };
        (length >= LONG_MATCH.max(best + 1)).then_some((length, offset))
    }

    /// The longest match at `position` of more than `best` bytes, along the chains of tails. Each
    /// turn compares one candidate:
    ///
    /// 1. The key's bytes at its tail, which reject hash collisions.
    /// 2. Its first eight bytes, with those of `position`, which are in a register.
    /// 3. The rest, if all eight are equal.
    ///
    /// `place` is the candidate's tail, `place - shift` its front. `shift` grows with the match.
    #[inline(always)]
    fn longest<const K: usize>(
        &self,
        position: usize,
        mut best: usize,
        mut depth: u32,
    ) -> Option<(usize, usize)> {
        let mask = self.chain.previous.capacity() - 1;
        let previous = |place: usize| usize::from(self.chain.previous[place & mask]);
        let most = (self.span.end - position).min(MAX_MATCH);
        let nice = self.search.nice.min(most);
        // The distance from `position` to the tail; its chain must be filled.
        let mut shift = (best + 1).saturating_sub(K);
        if best >= most || position + shift >= self.chain.filled {
            return None;
        }
        // Position 0 marks the end of a chain, so no match begins there.
        let lowest = position.saturating_sub(self.max_offset).max(1);
        let mut place = previous(position + shift);
        let mut found = None;
        // SAFETY: `position < span.end`, and 32 bytes follow `span.end`.
        let front = unsafe { u64_at(self.data, position) };
        // The second condition excludes entries that are not before the tail: those of a chain that
        // was overwritten.
        while place >= lowest + shift && place < position + shift {
            let start = place - shift;
            if key::<K>(self.word(place) ^ self.word(position + shift)) == 0 {
                // SAFETY: `start < position < span.end`, and 32 bytes follow `span.end`.
                let unlike = unsafe { u64_at(self.data, start) } ^ front;
                let length = match unlike {
                    // SAFETY: `start < position`, `position + most <= span.end`, and the first eight are equal.
                    0 if most > 8 => unsafe { match_length(self.data, start, position, 8, most) },
                    _ => ((unlike.trailing_zeros() >> 3) as usize).min(most),
                };
                if length > best {
                    best = length;
                    found = Some((length, position - start));
                    depth -= 1;
                    if length >= nice || depth == 0 {
                        break;
                    }
                    // Switch to the new tail's chain if its next candidate is farther back.
                    let new_shift = length + 1 - K;
                    // Near the end of the input the new tail may not be entered.
                    if position + new_shift >= self.chain.filled {
                        break;
                    }
                    let tail = previous(position + new_shift);
                    let next = previous(place);
                    // The two candidates are compared by their fronts. -1, before every front,
                    // means that this chain has ended, and so does the search: either chain
                    // contains every longer match.
                    let next_start = if next < place { next.wrapping_sub(shift) as isize } else { -1 };
                    if tail as isize - new_shift as isize <= next_start {
                        shift = new_shift;
                        place = tail;
                    } else {
                        place = next;
                        if next_start < 0 {
                            break;
                        }
                    }
                    continue;
                }
            }
            depth -= 1;
            if depth == 0 {
                break;
            }
            let next = previous(place);
            // A chain leads backwards. Else it has ended, or the entry was overwritten by a newer
            // position.
            if next >= place {
                break;
            }
            place = next;
        }
        found
    }

    /// Ends the input: takes the pending match, and adds the last bytes as literals, fewer than the
    /// key has: no search is possible there. Returns the end.
    fn finish(&mut self, mut position: usize, end: usize, block: &mut OpenBlock) -> usize {
        if self.chain.waiting_length > 0 {
            position = self.take(position - 1, block);
        }
        for &byte in self.data.get(position..end).unwrap_or_default() {
            block.add_literal(byte);
        }
        position.max(end)
    }
}
