//! The lazy parser: takes a match only if none that begins one or two bytes later is better (levels 2 to 9, for the data that
//! the module `adaptive` leaves to it).
//!
//! *Better* is decided by estimated cost ([`Costs`]), not by length:
//!
//! - A match is taken over literals if it saves more than [`GAIN`] ([`SHORT_GAIN`] for three bytes). Without that minimum the
//!   parser takes many matches that save nothing, and the costs adapt to them.
//! - A later match replaces the current one if its gain exceeds [`LAZY_GAIN`] per byte of delay. The gain is the current
//!   match's cost, minus the later one's, minus that of the literals between, plus [`COVERED_VALUE`] percent of a mean
//!   literal (about the cost of an average byte) for each byte that the later one reaches further.
//! - A match that could begin a byte earlier does so, if that literal costs more than the added
//!   length.
//!
//! For example, a match of 5 bytes at offset 8000 costs 20 bits; one byte later there is one of 7
//! bytes at offset 200 that costs 15 bits. A mean literal and the one between them cost 5 bits. The
//! later match reaches 3 bytes further, which is worth 3 * 5 * 0.7 = 10.5 bits. Its gain is
//! 20 - 15 - 5 + 10.5 = 10.5 bits. That is more than `LAZY_GAIN`, 1.25 bits, so it replaces the
//! first one.
//!
//! ```text
//! m = search(p), or a longer one of the recent matches
//! unless m is worth it: literal, p += 1
//! while a longer match after p is possible:
//!     m' = search(p + 1, at least as long), or else search(p + 2, longer)
//!     if m' is better: literals up to its start; p, m = its start, m'    else break
//! take m, p += its length
//! ```
//!
//! The inner loop runs over one span of 1 KiB; hashing, block ends and cost updates come between spans, so the loop only compares
//! the position with the span's end. After a long stretch without matches (incompressible data), searches are made at
//! increasing distances, and finally most positions are not even entered in the tables.

#![forbid(unsafe_code)]

use super::cost::Costs;
use super::counts::Counts;
use super::recent::RecentMatches;
use super::repetition::{LONG_MATCH, Repetition};
use super::tuning::{KeyTuning, LONG, MatchStats};
use super::{Arrived, Cursor, ParseState, QUIET_RUN, skip_after, take_literals};
use crate::deflate::entropy::BIT;
use crate::deflate::level::LazyLevel;
use crate::deflate::match_finder::distance_rings::{DistanceRings, Keys, LOOKAHEAD};
use crate::deflate::match_finder::tail_chain::{Effort, TailChain};
use crate::deflate::match_finder::{Match, WORD};
use crate::deflate::token::OpenBlock;
use crate::error::Result;
use crate::format::deflate::{MAX_MATCH, MIN_MATCH, WINDOW_SIZE};

/// The minimum saving of a match over literals, in 1/16 bit: half a bit.
const GAIN: u32 = 8;
/// The same for matches of three bytes: one bit.
const SHORT_GAIN: u32 = 16;
/// The minimum gain of a later match, in 1/16 bit per byte of delay. Values up to 48 change sizes
/// by 0.1 %.
const LAZY_GAIN: i32 = 20;
/// The value of one more covered byte, in percent of a mean literal. 55 to 70 is best for prose, 85 to 100 for binaries.
const COVERED_VALUE: u32 = 70;
/// If a match costs this much less than as many mean literals, the literals' exact cost is not computed.
const CLEAR_GAIN: u32 = 10 * BIT;

/// With more bytes per search than this, searches are few, so each may compare four times as many
/// candidates, up to [`SPARSE_DEPTH_MAX`]. Otherwise images with few colours were 7 % larger than
/// zlib's at level 6, and with at most 64 candidates up to 8 % at level 9.
const SPARSE_FROM: usize = 24;
const SPARSE_DEPTH_MAX: u32 = 512;

/// Whether most searches ran out of candidates although nearly all bytes are in matches: fewer
/// literals than half the matches, and at least 1.5 times `depth` candidates compared for each
/// match. So it is in texts whose characters take several bytes with a common start (`\u0430` in
/// JSON, `%D0%B0`): a key of six bytes is about one character there. With the usual depth such
/// texts were up to 1.2 times as large as with zlib; files of other kinds change by less than .1 %.
fn runs_out(counts: &Counts, depth: u32) -> bool {
    counts.literals() * 2 < counts.matches && counts.compared * 2 > 3 * depth * counts.matches
}

/// The parser's state between two spans.
#[derive(Debug)]
pub(super) struct Lazy {
    level: &'static LazyLevel,
    tuning: KeyTuning,
    /// Whether the last span needed few searches. It sets the next one's depth, since the number is
    /// known only at a span's end.
    is_sparse: bool,
    /// Whether the searches [run out](runs_out) of candidates, as of the last check of the tuning.
    runs_out: bool,
    /// The data's counts, if the last span ended with a check of the tuning: see [`take_counts`](Self::take_counts).
    counts: Option<Counts>,
}

impl Lazy {
    /// A parser from `position` on. `is_long`: more than 64 KiB of data is expected.
    pub(super) fn new(
        level: &'static LazyLevel,
        is_filtered: bool,
        rings: &mut DistanceRings,
        position: usize,
        is_long: bool,
    ) -> Result<Self> {
        let (tuning, keys) = KeyTuning::new(position, is_long, is_filtered, level.skips_short);
        rings.reset(is_long, keys, position)?;
        Ok(Self { level, tuning, is_sparse: false, runs_out: false, counts: None })
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
        let Cursor { start, position, .. } = state.cursor;
        let to = arrived.span_end(start, position)?;
        self.tuning.note_length(rings, data, position);
        // A span's last match and the lazy searches in it begin at most two bytes past its end.
        let ahead = data.len().min(to + MAX_MATCH + LOOKAHEAD);
        // After a window's length of literals the data counts as incompressible.
        if position - block.literals_from < QUIET_RUN {
            rings.fill(data, ahead);
        } else {
            rings.fill_thinly(data, ahead);
        }
        let shortest = self.tuning.shortest();
        let usual = self.level.depth;
        let depth = if self.runs_out { self.level.deep } else { usual };
        let depth = if self.is_sparse { depth.max(SPARSE_DEPTH_MAX.min(4 * usual)) } else { depth };
        // With these keys searches are fewer, so each may compare more (`tuning`).
        let depth = if rings.keys() == Keys::SixAlone { 2 * depth } else { depth };
        // Where searches are few, each may look for the longest match.
        let nice = if self.is_sparse { MAX_MATCH } else { self.level.nice };
        let (level, costs, stats) = (self.level, &state.costs, &mut self.tuning.stats);
        let (from, before) = (position, stats.searches);
        let (repetition, recent) = (&mut state.repetition, &mut state.recent);
        let mut span = ParseSpan { level, depth, nice, costs, end: to, repetition, recent, stats };
        let finder = rings.search(data);
        // The minimum length is a constant parameter: each value gets a loop without the tests that
        // it does not need.
        let position = match shortest {
            MIN_MATCH => span.parse::<MIN_MATCH>(finder, position, block),
            WORD => span.parse::<WORD>(finder, position, block),
            _ => span.parse::<LONG>(finder, position, block),
        };
        let searches = (self.tuning.stats.searches - before) as usize;
        self.is_sparse = searches * SPARSE_FROM < position - from;
        self.tuning.stats.len += (position - from) as u32;
        state.cursor.position = position;
        self.counts = self.tuning.check(rings, data, position);
        if let Some(counts) = &self.counts {
            self.runs_out = runs_out(counts, self.level.depth);
        }
        state.refresh_costs(data, block);
        Some(state.cursor.end_span(arrived, block))
    }

    /// The counts of the data between the last two checks of the tuning, if the last check was at
    /// the end of this span.
    pub(super) fn take_counts(&mut self) -> Option<Counts> {
        self.counts.take()
    }
}

/// What one call of the inner loop needs to parse a span.
struct ParseSpan<'a> {
    level: &'a LazyLevel,
    /// Maximum number of candidates compared in a search that is not lazy.
    depth: u32,
    /// A match this long ends such a search.
    nice: usize,
    costs: &'a Costs,
    end: usize,
    repetition: &'a mut Repetition,
    recent: &'a mut RecentMatches,
    stats: &'a mut MatchStats,
}

impl ParseSpan<'_> {
    /// Parses from `position` to the end of the span or slightly past it; returns where it stopped.
    /// Matches have at least `SHORTEST` bytes, which is one of the lengths of
    /// [`KeyTuning::shortest`].
    ///
    /// Each turn decides one position: search, compare with literals, and either add a literal or
    /// [`take`](Self::take) the match. A three-byte match is tried only if none of four or more
    /// bytes is worth its bits.
    fn parse<const SHORTEST: usize>(
        &mut self,
        mut finder: TailChain<'_>,
        mut position: usize,
        block: &mut OpenBlock,
    ) -> usize {
        let data = finder.data();
        while position < self.end {
            // A search needs four bytes, so no match begins in the data's last three.
            let Some(mut at) = finder.at(position) else {
                block.add_literal(data[position]);
                position += 1;
                continue;
            };
            self.stats.searches += 1;
            let effort = Effort { depth: self.depth, nice: self.nice };
            // Entered at every searched position, also if it is not used: later searches may find
            // it.
            let short = if SHORTEST == MIN_MATCH { Some(at.enter_short()) } else { None };
            let near = if SHORTEST <= WORD { at.near_match() } else { None };
            let mut found = at.longest(near, effort);
            // `longest` compared lengths only; a nearer match may be cheaper.
            if let Some(near) = near
                && near.length < found.length
                && !self.is_better(found, 0, near, 0)
            {
                found = near;
            }
            if self.repetition.is_near(position)
                && let Some(repeated) = at.match_at(self.repetition.offset)
                && repeated.length >= LONG_MATCH.max(found.length + 1)
            {
                found = repeated;
            }
            found = self.recent.best(data, position, found, WINDOW_SIZE);
            // `longest` returns length 0 if there is none, and may return less than `SHORTEST`.
            let mut worth_it = found.length >= SHORTEST && self.is_worth_it(found, &data[position..]);
            if worth_it {
                self.stats.matches += 1;
                self.stats.fours_and_fives += u32::from(found.length < LONG);
                self.stats.fives +=
                    u32::from(found.length == 5 && near.is_none_or(|near| near.offset != found.offset));
            } else if let Some(short) = short {
                found = at.short_match(short);
                worth_it = found.length > 0 && self.is_worth_it(found, &data[position..]);
                self.stats.shorts += u32::from(worth_it);
            }
            if !worth_it {
                block.add_literal(data[position]);
                position += 1;
                // The longer the run of literals, the larger the step.
                let skip = skip_after(position - block.literals_from);
                if skip > 0 {
                    position = take_literals(data, position, self.end.min(position + skip), block);
                }
                continue;
            }
            let (end, taken) = self.take::<SHORTEST>(&mut finder, position, found, block);
            if taken.length >= LONG_MATCH {
                *self.repetition = Repetition { offset: taken.offset, end };
            }
            self.stats.covered += (end - position) as u32;
            position = end;
        }
        self.stats.compared += finder.compared();
        position
    }

    /// Whether `found`, at the front of `bytes`, costs enough less than literals. Most matches
    /// are clearly worth it by the cost of mean literals; for the others the bytes' own costs are
    /// summed.
    #[inline(always)]
    fn is_worth_it(&self, found: Match, bytes: &[u8]) -> bool {
        let cost = self.costs.of_match(found.length, found.offset);
        if found.length as u32 * self.costs.mean_literal() > cost + CLEAR_GAIN {
            return true;
        }
        let gain = if found.length == MIN_MATCH { SHORT_GAIN } else { GAIN };
        self.costs.of_literals(&bytes[..found.length]) > cost + gain
    }

    /// Takes `found`, or a better match soon after it; returns the end of the match taken, and the match.
    ///
    /// The loop replaces `found` by a better match one or two bytes later, as often as there is
    /// one. It ends at a match of `lazy_below` bytes or more, at the end of the span, or where one
    /// look-up shows that no later match can be longer, which saves most searches. The literals
    /// before a later match are added when it replaces `found`, which so always begins at
    /// `position`.
    #[inline(always)]
    fn take<const SHORTEST: usize>(
        &self,
        finder: &mut TailChain<'_>,
        mut position: usize,
        mut found: Match,
        block: &mut OpenBlock,
    ) -> (usize, Match) {
        let data = finder.data();
        let level = self.level;
        while found.length < level.lazy_below
            && position < self.end
            && !finder.nothing_longer_follows(position, found.length)
        {
            // As a shift: a quarter of the candidates after a good match, as zlib does.
            let quarter = if found.length >= level.good { 2 } else { 0 };
            let effort = Effort { depth: level.lazy_depth >> quarter, nice: level.nice };
            let first_literal = data[position];
            // A later match of the same length reaches one byte further.
            if let Some(at) = finder.at(position + 1)
                && let Some(later) = at.at_least(found.length, effort)
                && self.is_better(later, 1, found, self.costs.literal(first_literal))
            {
                block.add_literal(first_literal);
                position += 1;
                found = later;
                continue;
            }
            if level.second_lazy_depth == 0 {
                break;
            }
            let effort = Effort { depth: level.second_lazy_depth >> quarter, nice: level.nice };
            let second_literal = data[position + 1];
            // A match of the same length is rarely worth two literals.
            let literals = self.costs.literal(first_literal) + self.costs.literal(second_literal);
            if let Some(at) = finder.at(position + 2)
                && let Some(later) = at.at_least(found.length + 1, effort)
                && self.is_better(later, 2, found, literals)
            {
                block.add_literal(first_literal);
                block.add_literal(second_literal);
                position += 2;
                found = later;
                continue;
            }
            break;
        }
        // The match absorbs the literal before it only if that costs more than the added length.
        let is_gain = |literal, length| {
            self.costs.literal(literal) + self.costs.of_length(length) > self.costs.of_length(length + 1)
        };
        let end = block.add_match_early(data, position, (found.length, found.offset), is_gain);
        if SHORTEST == MIN_MATCH {
            finder.enter_ends(position, end);
        }
        (end, found)
    }

    /// Whether `later`, `delay` bytes after `found`, is the better choice; `literals` is the cost
    /// of the literals in between. It reaches at least as far as `found`.
    ///
    /// The two choices end at different positions. To compare them, each byte that `later` covers
    /// beyond the end of `found` counts as saved at [`COVERED_VALUE`].
    #[inline(always)]
    fn is_better(&self, later: Match, delay: usize, found: Match, literals: u32) -> bool {
        let covered = (later.length + delay - found.length) as i32;
        let value = covered * (self.costs.mean_literal() * COVERED_VALUE / 100) as i32;
        let saved = self.costs.of_match(found.length, found.offset) as i32
            - self.costs.of_match(later.length, later.offset) as i32;
        value + saved - literals as i32 > LAZY_GAIN * delay as i32
    }
}
