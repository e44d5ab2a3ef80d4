//! The near-optimal parser: finds the cheapest path through each block, by estimated costs (levels 10 to 12).
//!
//! The lazy parser compares a match with those of the next two bytes; this one compares whole paths ([`Path`]) over all
//! useful matches of every position (`match_finder/all_lengths.rs`). It goes through the input once with a search:
//!
//! ```text
//! at each position:
//!     matches = search, unless the path dominates the position
//!     a match of `nice` bytes is taken at once; other matches, and the literal, are offered to the path
//!     if no match spans the position: record the path in the open block; end the block if its statistics change
//! ```
//!
//! This pass uses costs from the block so far. When a block ends, the parser goes through it again
//! without a search, as often as the level specifies, each time with the costs of the whole block
//! as last parsed. The block's matches are kept for that: a number of matches for each position,
//! and the matches of all positions in one list.
//!
//! A path depends on the costs, and the costs on the symbols of the path: each pass starts with
//! costs that are closer to those of the block. Level 11 has one such pass, level 12 two, and a
//! third gained nothing. Level 10 has none and keeps no matches.
//!
//! Most of the time goes into the search, so the parser skips searches:
//!
//! - Inside a match that reaches further at less than the cost of this position (by the level's
//!   `margin`; more than a third of all positions).
//! - For lengths up to that of a long match that began a byte before, whose rest is a match here
//!   without a search (`carry_from`).
//! - At a growing share of the positions, after many searches in a row that found nothing.
//!
//! A skipped search only loses matches for the path: every position is in the rings all the same,
//! since the fill pass inserts them.
//!
//! All state belongs to the chunk, as with the other parsers: the output depends only on the arguments.

#![forbid(unsafe_code)]

use super::cost::Costs;
use super::path::Path;
use super::repetition::{LONG_MATCH, Repetition};
use super::{Arrived, Cursor, SPAN, skip_after};
use crate::deflate::level::NearOptimalLevel;
use crate::deflate::match_finder::Match;
use crate::deflate::match_finder::all_lengths::{Found, MAX_FOUND, Packed};
use crate::deflate::match_finder::distance_rings::{DistanceRings, Keys, LOOKAHEAD};
use crate::deflate::match_finder::tail_chain::{Effort, TailChain};
use crate::deflate::token::OpenBlock;
use crate::error::{Error, Result};
use crate::format::deflate::{MAX_MATCH, MIN_MATCH};

/// The number of kept matches at which a block is closed: limits memory, reached only by data with
/// over three per byte. They take 3.6 MB; a list that grows by doubling may take twice that.
const MAX_KEPT: usize = 900_000;

/// The memory that the parser needs in addition to the rings, up to 8 MiB.
pub(in crate::deflate) struct Memory {
    path: Path,
    kept: Kept,
}

impl Memory {
    pub(in crate::deflate) fn new() -> Result<Self> {
        Ok(Self { path: Path::new()?, kept: Kept { counts: Vec::new(), matches: Vec::new() } })
    }
}

/// All matches of the open block, in the order of their positions. A position's matches follow
/// those of the position before; only their numbers separate them, so the list can be read from
/// front to back only.
struct Kept {
    /// The number of matches for each position from the block's start on.
    counts: Vec<u8>,
    matches: Vec<Packed>,
}

impl Kept {
    fn clear(&mut self) {
        self.counts.clear();
        self.matches.clear();
    }

    /// Reserves memory for one stretch of the grid, so that `push` and `skip` cannot fail: the last
    /// match of the stretch may end up to 257 bytes past it.
    fn reserve(&mut self) -> Result<()> {
        let positions = SPAN + MAX_MATCH;
        self.counts.try_reserve(positions).map_err(|_| Error::Memory)?;
        self.matches.try_reserve(positions * MAX_FOUND).map_err(|_| Error::Memory)
    }

    fn push(&mut self, matches: &[Packed]) {
        self.counts.push(matches.len() as u8);
        self.matches.extend_from_slice(matches);
    }

    /// Records no matches for the next `count` positions: a match that is already chosen covers them.
    fn skip(&mut self, count: usize) {
        self.counts.resize(self.counts.len() + count, 0);
    }

    fn is_full(&self) -> bool {
        self.matches.len() >= MAX_KEPT
    }
}

/// The parser's state between two stretches of the grid.
#[derive(Debug)]
pub(in crate::deflate) struct NearOptimal {
    level: &'static NearOptimalLevel,
    cursor: Cursor,
    costs: Costs,
    /// Where the path begins.
    path_start: usize,
    next_split_check: usize,
    /// The longest match at the position before the cursor: found there, or the rest of an earlier
    /// one.
    carry: Packed,
    repetition: Repetition,
    /// The number of consecutive searches that found nothing.
    barren: usize,
    /// No search before this position, since the data does not match. Up to 63 positions are
    /// skipped, the more, the larger `barren` is.
    next_search: usize,
}

impl NearOptimal {
    /// A parser of `data[start..]`, where `data[..start]` is the window.
    pub(in crate::deflate) fn new(
        level: &'static NearOptimalLevel,
        memory: &mut Memory,
        rings: &mut DistanceRings,
        start: usize,
    ) -> Result<Self> {
        rings.reset(true, Keys::Five, 0)?;
        let costs = Costs::defaults();
        memory.kept.clear();
        memory.path.set_costs(&costs);
        memory.path.restart();
        Ok(Self {
            level,
            cursor: Cursor::new(start),
            costs,
            path_start: start,
            next_split_check: start + SPAN,
            carry: Packed::NONE,
            repetition: Repetition::default(),
            barren: 0,
            next_search: start,
        })
    }

    /// Everything before this position is searched.
    pub(in crate::deflate) fn position(&self) -> usize {
        self.cursor.position
    }

    /// Parses to the next line of the grid, or to the end of the block. Returns `None` if too little of the input has
    /// arrived, otherwise whether the block ends there.
    pub(in crate::deflate) fn advance(
        &mut self,
        arrived: Arrived<'_>,
        memory: &mut Memory,
        rings: &mut DistanceRings,
        block: &mut OpenBlock,
    ) -> Result<Option<bool>> {
        let data = arrived.data;
        let Some(to) = arrived.span_end(self.cursor.start, self.cursor.position) else { return Ok(None) };
        rings.fill(data, data.len().min(to + MAX_MATCH + LOOKAHEAD));
        let mut parser = Parser { state: self, data, path: &mut memory.path, kept: &mut memory.kept };
        parser.reserve()?;
        Ok(Some(parser.parse(rings.search(data), to, arrived, block)))
    }
}

/// The parser at work on the input that has arrived.
struct Parser<'a> {
    state: &'a mut NearOptimal,
    data: &'a [u8],
    path: &'a mut Path,
    kept: &'a mut Kept,
}

impl Parser<'_> {
    /// Parses to `to`, or to the end of the block. Returns whether the block ends there.
    #[inline(always)]
    fn parse(
        &mut self,
        mut finder: TailChain<'_>,
        to: usize,
        arrived: Arrived<'_>,
        block: &mut OpenBlock,
    ) -> bool {
        let mut found = Found::new();
        while self.state.cursor.position < to {
            let position = self.state.cursor.position;
            found.clear();
            if let Some(mut at) = finder.at(position) {
                // Also at positions without a search: the carried match shortens with every byte.
                self.carry_on();
                if position < self.state.next_search || self.path.is_dominated(self.state.level.margin) {
                    // The table of three bytes has only the positions that were visited.
                    at.enter_short();
                } else {
                    // A long carried match serves for all lengths up to its own. Only longer ones
                    // are searched; a nearer one of a shorter length may be missed.
                    let above = self.carry_into(&mut found);
                    let effort = Effort { depth: self.state.level.depth, nice: self.state.level.nice };
                    at.gather(above, effort, &mut found);
                    let longest = found.list().last().map_or(0, |longest| longest.length());
                    if self.state.repetition.is_near(position)
                        && let Some(Match { length, offset }) = at.match_at(self.state.repetition.offset)
                        && length >= LONG_MATCH.max(longest + 1)
                    {
                        found.push(Packed::new(length, offset));
                    }
                    self.note_search(position, &found);
                }
            }
            let keeps = self.state.level.passes > 0;
            if keeps {
                self.kept.push(found.list());
            }
            let next = match self.offer(position, found.list()) {
                Some(match_end) => {
                    // The positions inside the match are not visited. They have no matches, also in
                    // later passes: the match was taken without comparison.
                    finder.enter_ends(position, match_end);
                    if keeps {
                        self.kept.skip(match_end - position - 1);
                    }
                    self.state.carry = Packed::NONE;
                    match_end
                }
                None => position + 1,
            };
            self.state.cursor.position = next;
            // A span ends where no match crosses, and a block only at the end of a span.
            let is_end = arrived.is_whole && next == self.data.len();
            if (self.has_closed_at(next) || is_end) && self.close(arrived, block) {
                return true;
            }
        }
        false
    }

    /// Shortens the carried match by a byte, for the next position. With three bytes it ends: two
    /// are no match.
    #[inline(always)]
    fn carry_on(&mut self) {
        self.state.carry = match self.state.carry.length() {
            0..=MIN_MATCH => Packed::NONE,
            length => self.state.carry.with_length(length - 1),
        };
    }

    /// Adds the carried match to `found`, if it is long; returns the length above which to search.
    #[inline(always)]
    fn carry_into(&mut self, found: &mut Found) -> usize {
        let length = self.state.carry.length();
        if length < self.state.level.carry_from {
            return 0;
        }
        found.push(self.state.carry);
        length
    }

    /// Records the result of a search: the longest match is carried on; after a search without any,
    /// the next one may be further away.
    #[inline(always)]
    fn note_search(&mut self, position: usize, found: &Found) {
        match found.list().last() {
            Some(&longest) => {
                if longest.length() > self.state.carry.length() {
                    self.state.carry = longest;
                }
                if longest.length() >= LONG_MATCH {
                    self.state.repetition =
                        Repetition { offset: longest.offset(), end: position + longest.length() };
                }
                self.state.barren = 0;
            }
            None => {
                self.state.barren += 1;
                self.state.next_search = position + 1 + skip_after(self.state.barren);
            }
        }
    }

    /// Offers the path the steps from `position`. Returns the end of a match that is taken without
    /// comparison.
    #[inline(always)]
    fn offer(&mut self, position: usize, matches: &[Packed]) -> Option<usize> {
        self.offer_within(position, matches, self.data.len())
    }

    /// As [`offer`](Self::offer), for an input that ends at `end`. In later passes that is the end
    /// of the block; a kept match may reach past it if the last span ended because it was full.
    ///
    /// A match of `nice` bytes is taken at once, and the positions inside it are not visited. So
    /// data that repeats over and over takes little time.
    #[inline(always)]
    fn offer_within(&mut self, position: usize, matches: &[Packed], end: usize) -> Option<usize> {
        if let Some(&longest) = matches.last() {
            if longest.length() >= self.state.level.nice && position + longest.length() <= end {
                self.path.take(longest);
                return Some(position + longest.length());
            }
            self.path.offer(matches, end - position);
        }
        self.path.offer_literal(self.state.costs.literal(self.data[position]));
        None
    }

    /// Whether the span may end at `position`, which was just reached.
    #[inline(always)]
    fn has_closed_at(&self, position: usize) -> bool {
        debug_assert_eq!(position, self.state.path_start + self.path.len());
        self.path.may_end()
    }

    /// Ends the path at the cursor; refreshes the costs if due. Returns whether the block ends
    /// here, in which case its parse is final.
    ///
    /// The end of a block is looked for at most once per 1 KiB, unless it must end. It is decided
    /// by the symbols of the first pass; the later passes are made after that and do not change it.
    fn close(&mut self, arrived: Arrived<'_>, block: &mut OpenBlock) -> bool {
        let position = self.state.cursor.position;
        self.record(position, block);
        if self.state.cursor.is_refresh_due() {
            self.refresh_costs(block);
            self.state.cursor.note_refresh(block);
        }
        let is_end = arrived.is_whole && position == self.data.len();
        let must_look = is_end || block.is_full() || self.kept.is_full();
        if !must_look && position < self.state.next_split_check {
            return false;
        }
        self.state.next_split_check = position + SPAN;
        if !self.state.cursor.is_end_due(arrived, block) && !self.kept.is_full() {
            return false;
        }
        // The block ends here. The costs of its final parse are those that the next block starts
        // with.
        self.refine(position, block);
        if !is_end {
            self.refresh_costs(block);
        }
        self.state.cursor.begin_block();
        self.kept.clear();
        true
    }

    /// Reserves memory for the matches of the next stretch, if they are kept. This fails before the
    /// stretch is begun, so the call can be repeated.
    fn reserve(&mut self) -> Result<()> {
        if self.state.level.passes == 0 { Ok(()) } else { self.kept.reserve() }
    }

    /// Adds the cheapest path of the span, which ends at `position`, to the block; starts the next
    /// span.
    fn record(&mut self, position: usize, block: &mut OpenBlock) {
        self.path.record(block, self.data, self.state.path_start);
        self.state.path_start = position;
        self.path.restart();
    }

    /// Computes the costs from the block's symbols. Only between spans, as `Path::set_costs`
    /// requires.
    fn refresh_costs(&mut self, block: &OpenBlock) {
        self.state.costs.refresh(&block.frequencies);
        self.path.set_costs(&self.state.costs);
    }

    /// Parses the open block, which ends at `end`, again: with the costs from the last parse, as
    /// often as the level specifies.
    ///
    /// Each pass goes through the kept matches as the first did through those found, and takes the
    /// same matches of `nice` bytes at once. Only the costs differ.
    fn refine(&mut self, end: usize, block: &mut OpenBlock) {
        let start = block.start;
        // Moved out, so that the lists and `self` can be borrowed at once.
        let counts = std::mem::take(&mut self.kept.counts);
        let matches = std::mem::take(&mut self.kept.matches);
        for _ in 0..self.state.level.passes {
            self.refresh_costs(block);
            // Each byte takes at most one token. Without memory for them the block stays as it is.
            if block.reopen(start, end - start).is_err() {
                break;
            }
            self.state.path_start = start;
            let (mut position, mut rest) = (start, &matches[..]);
            while position < end {
                let (here, after) = rest.split_at(usize::from(counts[position - start]));
                rest = after;
                position = self.offer_within(position, here, end).unwrap_or(position + 1);
                if self.has_closed_at(position) || position == end {
                    self.record(position, block);
                }
            }
        }
        self.kept.counts = counts;
        self.kept.matches = matches;
    }
}
