//! The two-table parser (level 2): takes the first match found, unless the next byte begins a better one.
//!
//! ```text
//! m = find(p)
//! if there is none, or it lies too far back for its length: literal, p += 1
//! else m' = find(p + 1); if m' is better: literal, p += 1, m = m'
//!      take m, p += its length
//! ```
//!
//! - *Too far* is a table look-up: each refresh of the [`Costs`] computes how far back a match of four, five, six or seven
//!   bytes may be to cost less than literals ([`Reach`]). Longer matches always cost less.
//! - *Better* means longer without `BY_VALUE`, and of higher [`value`](Candidate::value) with it. A match of eight bytes is
//!   good enough for both.
//! - Both tables of the finder are searched on data where short matches save enough ([`needs_short`]), otherwise only the
//!   long one. Without `BY_VALUE` the long one suffices unless very many literals are left, as in machine code; with it, the
//!   short one is dropped only if hardly any match is short.
//!
//! After a long stretch without matches, the step between searches grows, and finally whole spans are not even entered.

#![forbid(unsafe_code)]

use super::cost::Costs;
use super::{Arrived, Cursor, FIRST_REFRESH, QUIET_RUN, SPAN, take_literals};
use crate::deflate::match_finder::distance_rings::DistanceRings;
use crate::deflate::match_finder::hash_table::{Candidate, HashTables, WORD};
use crate::deflate::token::{Frequencies, OpenBlock};
use crate::error::Result;
use crate::format::deflate::{FIRST_LENGTH, OFFSET_BASE, OFFSET_SYMBOLS, WINDOW_SIZE};

/// The number of consecutive literals, as a power of two, after which the stride begins to grow: 64. Such runs are common
/// here.
const STRIDE_SHIFT: u32 = 6;
const MAX_STRIDE: usize = 64;
/// In a quiet run only one span in this many is searched: noise at twice the speed.
const QUIET_STEP: usize = 4;
/// The minimum by which the value of a later match must be higher, in units of [`Candidate::value`].
const LATER_VALUE: u32 = 3;

/// If there are more literals per match than this, the short key is used: machine code has 7 to 15 with the long key alone,
/// tables and records 3 to 5, text up to 4. With 5, level 1 takes a tenth more time on tables, for 0.3 %.
const SHORT_OVER_LITERALS: u32 = 6;
/// The same with `BY_VALUE` (level 2), where only data with long matches goes without the short key.
const SHORT_OVER_LITERALS_BY_VALUE: u32 = 3;
/// The number of bytes of a block before this decision.
const SHORT_CHECK: usize = 2 * FIRST_REFRESH;

/// The parser's state between two spans. `BY_VALUE`: compares matches by value, not by length.
#[derive(Debug)]
pub(in crate::deflate) struct Fastest<const BY_VALUE: bool> {
    cursor: Cursor,
    costs: Costs,
    reach: Reach,
    /// Whether the short key is in use.
    short: bool,
    filled: usize,
}

impl<const BY_VALUE: bool> Fastest<BY_VALUE> {
    /// A parser of `data[start..]`, where `data[..start]` is the window.
    pub(in crate::deflate) fn new(rings: &mut DistanceRings, start: usize) -> Result<Self> {
        HashTables::clear(rings)?;
        let costs = Costs::defaults();
        let reach = Reach::new(&costs);
        // Without a window, most matches have four bytes until the tables have filled.
        let short = BY_VALUE || start == 0;
        Ok(Self { cursor: Cursor::new(start), costs, reach, short, filled: 0 })
    }

    /// Parses one span into `block`. Returns `None` if too little of the input has arrived, otherwise whether the block ends
    /// there.
    pub(in crate::deflate) fn advance(
        &mut self,
        arrived: Arrived<'_>,
        rings: &mut DistanceRings,
        block: &mut OpenBlock,
    ) -> Option<bool> {
        let data = arrived.data;
        let Cursor { start, position, .. } = self.cursor;
        let to = arrived.span_end(start, position)?;
        let mut tables = HashTables::resume(rings, data, self.filled);
        let is_quiet = position - block.literals_from >= QUIET_RUN;
        let position = if is_quiet && !((to - start) / SPAN).is_multiple_of(QUIET_STEP) {
            tables.skip(to);
            take_literals(data, position, to, block)
        } else if self.short {
            tables.fill::<true>(to + 1);
            parse_span::<true, BY_VALUE>(&tables, &self.reach, position, to, block)
        } else {
            tables.fill::<false>(to + 1);
            parse_span::<false, BY_VALUE>(&tables, &self.reach, position, to, block)
        };
        self.cursor.position = position;
        if self.cursor.is_refresh_due() && position < data.len() {
            self.costs.refresh(&block.frequencies);
            self.reach = Reach::new(&self.costs);
            self.cursor.note_refresh(block);
            if position - block.start >= SHORT_CHECK
                && self.short != needs_short::<BY_VALUE>(&block.frequencies, self.short)
            {
                self.short = !self.short;
                if self.short {
                    tables.begin_short();
                }
            }
        }
        self.filled = tables.filled();
        Some(self.cursor.end_span(arrived, block))
    }

    /// Everything before this position is parsed.
    pub(in crate::deflate) fn position(&self) -> usize {
        self.cursor.position
    }
}

/// Whether to use the short key from here on; `now` says whether it is in use.
fn needs_short<const BY_VALUE: bool>(frequencies: &Frequencies, now: bool) -> bool {
    let literals: u32 = frequencies.litlen[..256].iter().sum();
    let matches: u32 = frequencies.offset.iter().sum();
    let of_four_bytes = frequencies.litlen[FIRST_LENGTH + 1];
    let of_five_bytes = frequencies.litlen[FIRST_LENGTH + 2];
    match (BY_VALUE, now) {
        (true, true) => 10 * (of_four_bytes + of_five_bytes) >= matches,
        (true, false) => literals > SHORT_OVER_LITERALS_BY_VALUE * matches,
        // Text has such matches, but too few to be worth the time.
        (false, true) => 8 * (of_four_bytes + of_five_bytes) >= matches && 2 * literals >= 3 * matches,
        (false, false) => literals > SHORT_OVER_LITERALS * matches,
    }
}

/// The maximum offset at which a match costs less than literals, by its length; the entry for [`WORD`] is for all longer ones
/// too.
#[derive(Debug)]
struct Reach([usize; WORD + 1]);

impl Reach {
    fn new(costs: &Costs) -> Self {
        let mut reach = [0; WORD + 1];
        for (length, reach) in reach.iter_mut().enumerate().take(WORD).skip(4) {
            let is_gain = |&slot: &usize| costs.is_gain(length, usize::from(OFFSET_BASE[slot]));
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

/// Parses from `position` to `end` or slightly past it, which must be filled; returns where it stopped.
#[inline(never)]
fn parse_span<const SHORT: bool, const BY_VALUE: bool>(
    tables: &HashTables<'_>,
    reach: &Reach,
    mut position: usize,
    end: usize,
    block: &mut OpenBlock,
) -> usize {
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
        let Some(spots) = tables.spots(position) else {
            return take_literals(data, position, end, block);
        };
        let mut spot = spots.first();
        let mut found = tables.long(spot);
        if SHORT {
            let other = tables.short(spot);
            // One branch tests both.
            if !(found.is_match() | other.is_match()) {
                block.add_literal(spot.word as u8);
                position += 1;
                continue;
            }
            found = better::<BY_VALUE>(other, found);
        }
        if !found.is_match() || !reach.covers(found) {
            block.add_literal(spot.word as u8);
            position += 1;
            continue;
        }
        if found.length() < WORD {
            let next = spots.second();
            let mut later = tables.long(next);
            if SHORT {
                later = better::<BY_VALUE>(tables.short(next), later);
            }
            let is_better = if BY_VALUE {
                later.is_match() && later.value() > found.value() + LATER_VALUE
            } else {
                later.length() > found.length() && later.is_in_window()
            };
            if is_better {
                block.add_literal(spot.word as u8);
                position += 1;
                (spot, found) = (next, later);
            }
        }
        let mut length = found.length();
        if length == WORD {
            length = spot.whole_length(found);
        }
        block.add_match(position, length, found.offset);
        position += length;
        pause = end.min(position + (1 << STRIDE_SHIFT));
    }
}

/// The better candidate; `other` is that of the short key.
#[inline(always)]
fn better<const BY_VALUE: bool>(other: Candidate, found: Candidate) -> Candidate {
    let is_better = if BY_VALUE { other.value() >= found.value() } else { other.length() > found.length() };
    if is_better { other } else { found }
}
