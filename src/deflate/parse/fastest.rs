//! The fastest parser: take the first match there is, unless the next byte begins a better one.
//!
//! ```text
//! m = find(p)
//! if there is none, or it lies too far back for its length: literal, p += 1
//! else m' = find(p + 1); if m' is better: literal, p += 1, m = m'
//!      take m, p += its length
//! ```
//!
//! - *Too far* is looked up: from the [`Costs`], as they are refreshed, follows how far back a match of four, five, six or
//!   seven bytes may lie to be worth more than literals ([`Reach`]). Longer ones are always worth it.
//! - *Better* is longer at level 1, and of more [`value`](Candidate::value) at level 2. A match of eight bytes is
//!   good enough for both.
//! - Both tables of the finder are asked where short matches are worth it ([`needs_short`]), else the long one alone. Level 1
//!   does with the long one unless that leaves very many literals, as in machine code; level 2 unless hardly any match is short.
//!
//! Where nothing has matched for long, the step between searches grows, and at last whole spans are not even entered.

#![forbid(unsafe_code)]

use super::cost::Costs;
use super::{Arrived, Cursor, FIRST_REFRESH, QUIET_RUN, SPAN, take_literals};
use crate::deflate::match_finder::distance_rings::DistanceRings;
use crate::deflate::match_finder::hash_table::{Candidate, HashTables, WORD};
use crate::deflate::token::{Frequencies, OpenBlock};
use crate::error::Result;
use crate::format::deflate::{FIRST_LENGTH, OFFSET_BASE, OFFSET_SYMBOLS, WINDOW_SIZE};

/// Literals in a row after which the stride begins to grow: 64. Such runs are common here, where searches find little.
const STRIDE_SHIFT: u32 = 6;
const MAX_STRIDE: usize = 64;
/// Of so many spans one is looked at in a quiet run: noise at twice the speed.
const QUIET_STEP: usize = 4;
/// What a later match must be worth more, in the measure of [`Candidate::value`].
const LATER_VALUE: u32 = 3;

/// Literals per match over which the short key is taken up: machine code has 7 to 15 with the long key alone, tables and
/// records 3 to 5, text up to 4. From 5 on, level 1 takes a tenth more time on tables, for 0.3 %.
const SHORT_OVER_LITERALS: u32 = 6;
/// The same at level 2, where only data of long matches does without it.
const SHORT_OVER_LITERALS_BY_VALUE: u32 = 3;
/// Bytes of a block before that is judged.
const SHORT_CHECK: usize = 2 * FIRST_REFRESH;

/// The parser's state between two spans. `BY_VALUE` compares matches by their value, not their length.
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
        // Without a window four-byte matches are most of what there is, until the tables have filled.
        let short = BY_VALUE || start == 0;
        Ok(Self { cursor: Cursor::new(start), costs, reach, short, filled: 0 })
    }

    /// Parses one span into `block`, if enough of it has arrived. Returns whether it did and whether the block is to end
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

    /// Everything before this place is parsed.
    pub(in crate::deflate) fn position(&self) -> usize {
        self.cursor.position
    }
}

/// Whether the short key should be used in what follows, when it is now or not.
fn needs_short<const BY_VALUE: bool>(frequencies: &Frequencies, now: bool) -> bool {
    let literals: u32 = frequencies.litlen[..256].iter().sum();
    let matches: u32 = frequencies.offset.iter().sum();
    let of_four_bytes = frequencies.litlen[FIRST_LENGTH + 1];
    let of_five_bytes = frequencies.litlen[FIRST_LENGTH + 2];
    match (BY_VALUE, now) {
        (true, true) => 10 * (of_four_bytes + of_five_bytes) >= matches,
        (true, false) => literals > SHORT_OVER_LITERALS_BY_VALUE * matches,
        // What text has of such matches is not worth the time.
        (false, true) => 8 * (of_four_bytes + of_five_bytes) >= matches && 2 * literals >= 3 * matches,
        (false, false) => literals > SHORT_OVER_LITERALS * matches,
    }
}

/// How far back a match may lie to be worth more than its bytes as literals, by its length up to [`WORD`], which stands for more.
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

/// Parses from `position` to `end` or a little over, which is filled; tells where it stopped.
#[inline(never)]
fn parse_span<const SHORT: bool, const BY_VALUE: bool>(
    tables: &HashTables<'_>,
    reach: &Reach,
    mut position: usize,
    end: usize,
    block: &mut OpenBlock,
) -> usize {
    let data = tables.data();
    // Where the loop must look up: at the end, or where the literals have become many.
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
            // One branch for both.
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

/// The better candidate; `other` is the one by the short key.
#[inline(always)]
fn better<const BY_VALUE: bool>(other: Candidate, found: Candidate) -> Candidate {
    let is_better = if BY_VALUE { other.value() >= found.value() } else { other.length() > found.length() };
    if is_better { other } else { found }
}
