//! The quick parser (levels 2 to 4): takes the first match that costs less than literals, unless a later one is better.
//!
//! ```text
//! m = find(p)
//! if there is none, or it is too far back for its length: literal, p += 1
//! level 2:       m' = find(p + 1); if m' is better: literal, p += 1, m = m'
//! levels 3, 4:   repeat this while m' is better; each find also follows the chain of the long key
//! take m, or a longer one of the recent matches; p += its length
//! ```
//!
//! - *Too far* is a table look-up: each refresh of the [`Costs`] computes how far back a match of four, five, six or seven
//!   bytes may be to cost less than literals ([`Reach`]). Longer matches always cost less.
//! - *Better* means of higher [`value`]. Level 2 compares only the first eight bytes of both matches; one of eight bytes
//!   is good enough for it.
//! - Both tables of the finder are searched on data where short matches save enough ([`needs_short`]), otherwise only the
//!   long one.
//!
//! All work that does not depend on decisions is done ahead of the loop: the tables' fill pass
//! finds the candidates of every position, and a refresh computes [`Reach`]. So the loop has no
//! sums of costs, only loads, comparisons of eight bytes and look-ups.
//!
//! It gives up matches of three bytes, which neither key finds (`adaptive` uses another parser
//! where they are frequent), and the exact comparison of costs: [`value`] counts four bits for
//! every byte.
//!
//! After a long stretch without matches, the step between searches grows, and finally whole spans
//! are not even entered.

#![forbid(unsafe_code)]

use super::cost::Costs;
use super::counts::{CHECK, Counts};
use super::recent::RecentMatches;
use super::{Arrived, Cursor, FIRST_REFRESH, ParseState, QUIET_RUN, SPAN, take_literals};
use crate::deflate::level::QuickLevel;
use crate::deflate::match_finder::Match;
use crate::deflate::match_finder::distance_rings::DistanceRings;
use crate::deflate::match_finder::hash_table::{Candidate, HashTables, Spot, SpotPair, WORD, value};
use crate::deflate::token::{Frequencies, OpenBlock};
use crate::error::Result;
use crate::format::deflate::{FIRST_LENGTH, OFFSET_BASE, OFFSET_SYMBOLS, WINDOW_SIZE};

/// The number of consecutive literals, as a power of two, after which the stride begins to grow: 64. Such runs are common
/// here.
const STRIDE_SHIFT: u32 = 6;
/// The longest stride, reached after 4096 literals.
const MAX_STRIDE: usize = 64;
/// In a quiet run only one span in this many is searched: noise at twice the speed.
const QUIET_STEP: usize = 4;
/// The value of a later match must exceed the current one's by more than this, in units of
/// [`value`]: by a byte, which counts 4, since a literal is added before it.
const LATER_VALUE: u32 = 3;

/// If there are more literals per match than this, the short key is used.
const SHORT_OVER_LITERALS: u32 = 3;
/// The number of bytes of a block before that decision: its second refresh of costs.
const SHORT_CHECK: usize = 2 * FIRST_REFRESH;

/// The parser's state between two spans.
#[derive(Debug)]
pub(super) struct Quick {
    level: &'static QuickLevel,
    reach: Reach,
    /// Whether the short key is in use.
    short: bool,
    /// Positions before this one are in the rings of the tables.
    filled: usize,
    /// Since [`take_counts`](Self::take_counts).
    counts: Counts,
}

impl Quick {
    /// A parser from `position` on, whose first match may reach back a whole window.
    pub(super) fn new(
        level: &'static QuickLevel,
        costs: &Costs,
        rings: &mut DistanceRings,
        position: usize,
    ) -> Result<Self> {
        let filled = HashTables::clear(rings, position, level.depth > 0)?;
        Ok(Self { level, reach: Reach::new(costs), short: true, filled, counts: Counts::default() })
    }

    /// Parses one span into `block`. Returns `None` if too little of the input has arrived, otherwise whether the block ends
    /// there.
    pub(super) fn advance(
        &mut self,
        arrived: Arrived<'_>,
        state: &mut ParseState,
        rings: &mut DistanceRings,
        block: &mut OpenBlock,
    ) -> Option<bool> {
        let data = arrived.data;
        let Cursor { start, position: from, .. } = state.cursor;
        let to = arrived.span_end(start, from)?;
        let mut tables = HashTables::resume(rings, data, self.filled);
        // Noise: most spans become literals without being entered, one in four is parsed as usual.
        // Which ones depends on the grid, not on how the input arrives.
        let is_quiet = from - block.literals_from >= QUIET_RUN;
        let position = if is_quiet && !((to - start) / SPAN).is_multiple_of(QUIET_STEP) {
            tables.skip(to);
            take_literals(data, from, to, block)
        } else {
            if self.short {
                tables.fill::<true>(to + 1);
            } else {
                tables.fill::<false>(to + 1);
            }
            // One loop for each way, so that none tests for a key or a chain that it does not use.
            let parse = match (self.short, self.level.depth > 0) {
                (false, false) => Span::parse::<false, false>,
                (true, false) => Span::parse::<true, false>,
                (false, true) => Span::parse::<false, true>,
                (true, true) => Span::parse::<true, true>,
            };
            let Self { level, reach, counts, .. } = self;
            let recent = &mut state.recent;
            parse(&mut Span { tables: &tables, level, reach, end: to, recent, counts }, from, block)
        };
        self.counts.len += (position - from) as u32;
        state.cursor.position = position;
        if state.refresh_costs(data, block) {
            self.reach = Reach::new(&state.costs);
            let len = position - block.start;
            // Only when the costs change: the frequencies of a block's start show too little.
            if len >= SHORT_CHECK && self.short != needs_short(&block.frequencies, self.short) {
                self.short = !self.short;
                if self.short {
                    tables.begin_short();
                }
            }
        }
        self.filled = tables.filled();
        Some(state.cursor.end_span(arrived, block))
    }

    /// The counts since the last call, if enough was parsed for a check.
    pub(super) fn take_counts(&mut self) -> Option<Counts> {
        (self.counts.len as usize >= CHECK).then(|| core::mem::take(&mut self.counts))
    }
}

/// Whether to use the short key from here on. `now`: whether it is in use. It is dropped if fewer
/// than one match in ten has four or five bytes, and used again if there are more than
/// [`SHORT_OVER_LITERALS`] literals per match.
///
/// Two different tests: without the key hardly any match of four or five bytes is found, so only
/// many literals show that it may be missing. On nci, xml and logs, level 2 is 15 to 35 % faster
/// without it, at equal size.
fn needs_short(frequencies: &Frequencies, now: bool) -> bool {
    let literals: u32 = frequencies.litlen[..256].iter().sum();
    let matches: u32 = frequencies.offset.iter().sum();
    let of_four_bytes = frequencies.litlen[FIRST_LENGTH + 1];
    let of_five_bytes = frequencies.litlen[FIRST_LENGTH + 2];
    if now {
        10 * (of_four_bytes + of_five_bytes) >= matches
    } else {
        literals > SHORT_OVER_LITERALS * matches
    }
}

/// The maximum offset at which a match costs less than literals, by its length; the entry for
/// [`WORD`] is for all longer ones too.
///
/// For example, if literals cost 4.5 bits, and a match of four bytes 3 bits for its length, 4.5 for
/// its offset's slot, and the extra bits: it must cost less than 18 bits, so the offset may have 10
/// extra bits. The farthest such offset is 4096 (RFC 1951, 3.2.5), and that is the entry.
#[derive(Debug)]
struct Reach([usize; WORD + 1]);

impl Reach {
    fn new(costs: &Costs) -> Self {
        let mut reach = [0; WORD + 1];
        // Of lengths below four the entry remains 0, which covers no offset.
        for (length, reach) in reach.iter_mut().enumerate().take(WORD).skip(4) {
            let is_gain = |&slot: &usize| costs.is_gain(length, usize::from(OFFSET_BASE[slot]));
            // The farthest slot that saves bits. All nearer offsets count as saving bits too, also
            // those of a slot that is rare, and therefore costs more.
            if let Some(slot) = (0..OFFSET_SYMBOLS).rev().find(is_gain) {
                *reach = OFFSET_BASE.get(slot + 1).map_or(WINDOW_SIZE, |&next| usize::from(next) - 1);
            }
        }
        reach[WORD] = WINDOW_SIZE;
        Self(reach)
    }

    #[inline(always)]
    fn covers(&self, found: Candidate) -> bool {
        found.offset.wrapping_sub(1) < self.0[found.length()]
    }
}

/// The part of the input that one call of the loop parses. The tables are filled past its end.
struct Span<'a, 'd> {
    tables: &'a HashTables<'d>,
    level: &'static QuickLevel,
    reach: &'a Reach,
    end: usize,
    recent: &'a mut RecentMatches,
    counts: &'a mut Counts,
}

impl<'d> Span<'_, 'd> {
    /// Parses from `position` to the end or slightly past it; returns where it stopped. `SHORT`:
    /// with the short key. `LAZY`: with chains, and trying later positions repeatedly.
    ///
    /// The loop has one test per turn for all that is rare: at `pause` either the span ends, or so
    /// many literals are in a row that the stride applies. Then one position is searched after each
    /// stride, until a match resets the pause.
    #[inline(never)]
    fn parse<const SHORT: bool, const LAZY: bool>(
        &mut self,
        mut position: usize,
        block: &mut OpenBlock,
    ) -> usize {
        let Self { tables, reach, end, .. } = *self;
        let data = tables.data();
        // Where the loop must stop to check: at the end, or after many literals.
        let mut pause = end.min(block.literals_from + (1 << STRIDE_SHIFT));
        loop {
            if position >= pause {
                if position >= end {
                    return position;
                }
                let stride = ((position - block.literals_from) >> STRIDE_SHIFT).min(MAX_STRIDE);
                position = take_literals(data, position, end.min(position + stride), block);
                if position >= end {
                    return position;
                }
                pause = position + 1;
            }
            // Too few bytes are left to search, here and at all later positions.
            let Some(spots) = tables.spots(position) else {
                return take_literals(data, position, end, block);
            };
            let spot = spots.first();
            let mut first = tables.long(spot);
            if SHORT {
                let other = tables.short(spot);
                // One branch tests both.
                if !(first.is_match() | other.is_match()) {
                    block.add_literal(spot.word as u8);
                    position += 1;
                    continue;
                }
                first = better(other, first);
            }
            if !first.is_match() || !reach.covers(first) {
                block.add_literal(spot.word as u8);
                position += 1;
                continue;
            }
            // From here on there is a match that is taken, here or slightly later.
            let found = if LAZY {
                let found = self.longest(spot, first);
                self.lazily::<SHORT>(&mut position, found, block)
            } else {
                self.or_next::<SHORT>(&mut position, spots, first, block)
            };
            let found = self.recent.best(data, position, found, WINDOW_SIZE);
            self.counts.add_match(found.length);
            // Bytes before it that are equal at this distance are always added to the match: their
            // cost is not compared here, as it is in the lazy and the flat parser.
            position = block.add_match_early(data, position, (found.length, found.offset), |_, _| true);
            pause = end.min(position + (1 << STRIDE_SHIFT));
        }
    }

    /// `found`, at `position`, or the last of the better matches that each begin one byte later; moves `position` there.
    #[inline(always)]
    fn lazily<const SHORT: bool>(
        &self,
        position: &mut usize,
        mut found: Match,
        block: &mut OpenBlock,
    ) -> Match {
        while found.length < self.level.nice && *position < self.end {
            let Some(later) = self.later::<SHORT>(*position + 1, found) else { break };
            block.add_literal(self.tables.data()[*position]);
            *position += 1;
            found = later;
        }
        found
    }

    /// The match with `first`, at `position`, or a better one a byte later; moves `position` there. Compares the first eight
    /// bytes.
    #[inline(always)]
    fn or_next<const SHORT: bool>(
        &self,
        position: &mut usize,
        spots: SpotPair<'d>,
        first: Candidate,
        block: &mut OpenBlock,
    ) -> Match {
        let (spot, next) = (spots.first(), spots.second());
        // A match of eight bytes or more is not compared with a later one.
        if first.length() < WORD {
            let later = self.newest::<SHORT>(next);
            if later.is_match() && later.value() > first.value() + LATER_VALUE {
                block.add_literal(spot.word as u8);
                *position += 1;
                return next.whole_match(later);
            }
        }
        spot.whole_match(first)
    }

    /// The better of the most recent positions.
    #[inline(always)]
    fn newest<const SHORT: bool>(&self, spot: Spot<'d>) -> Candidate {
        let long = self.tables.long(spot);
        if SHORT { better(self.tables.short(spot), long) } else { long }
    }

    /// A match at `position`, if it is better than `found`, one byte before.
    #[inline(always)]
    fn later<const SHORT: bool>(&self, position: usize, found: Match) -> Option<Match> {
        // At most at the span's end, which is filled too.
        let spot = self.tables.spots(position)?.first();
        let first = self.newest::<SHORT>(spot);
        if !first.is_match() || !first.is_in_window() {
            return None;
        }
        let later = self.longest(spot, first);
        (value(later.length, later.offset) > value(found.length, found.offset) + LATER_VALUE).then_some(later)
    }

    /// The match with `first`, or a better one of the chain of the long key. Of the chain, only matches of eight bytes and more
    /// are considered.
    #[inline(always)]
    fn longest(&self, spot: Spot<'d>, first: Candidate) -> Match {
        let QuickLevel { depth, nice } = *self.level;
        let mut found = spot.whole_match(first);
        let mut candidate = self.tables.long(spot);
        for _ in 0..depth {
            if found.length >= nice || !candidate.is_in_window() {
                break;
            }
            let older = self.tables.older(spot, candidate);
            // The ring's entry may be of a position that was not entered, or overwritten: then the
            // chain does not lead further back, and ends.
            if older.offset <= candidate.offset || !older.is_in_window() {
                break;
            }
            if older.length() == WORD {
                let other = spot.whole_match(older);
                if value(other.length, other.offset) > value(found.length, found.offset) {
                    found = other;
                }
            }
            candidate = older;
        }
        found
    }
}

/// The better candidate; `other` is that of the short key, which is usually nearer and is taken if
/// both have the same value.
#[inline(always)]
fn better(other: Candidate, found: Candidate) -> Candidate {
    if other.value() >= found.value() { other } else { found }
}
