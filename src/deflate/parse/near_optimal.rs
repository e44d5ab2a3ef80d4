//! The near-optimal parser: the cheapest way through each block, as far as costs can be known (levels 10 to 12).
//!
//! Where the lazy parser compares a match with those of the next two bytes, this one weighs whole paths ([`Path`]) over all useful
//! matches of every position (`match_finder/all_lengths.rs`). It goes through the input once with a search:
//!
//! ```text
//! at each position:
//!     matches = search, unless the position is hopeless
//!     a match of `nice` bytes is taken at once; others, and the literal, are offered to the path
//!     where nothing crosses: record the path in the open block; end the block if its statistics change
//! ```
//!
//! with the costs of what the block holds so far, and then, when a block ends, goes through the block again without a search, as often as
//! the level says, each time with the costs of the whole block as last decided. The matches of the block were kept for that.
//!
//! What makes it fast is what is not searched: inside a match that reaches further for less than it costs to be here (the level's
//! `margin` says how much less; more than a third of all positions), and below the length of a long match that began a byte
//! before, whose rest is a match here at no cost (`carry_from`). And the fill pass does all inserting anyway.
//!
//! The whole state is the chunk's own, as with the other parsers: the output depends on the arguments alone.

#![forbid(unsafe_code)]

use super::cost::Costs;
use super::path::{MAX_SEGMENT, Path};
use super::{SEGMENT, Sink, skip_after};
use crate::deflate::level::NearOptimalLevel;
use crate::deflate::match_finder::Place;
use crate::deflate::match_finder::all_lengths::{Found, MAX_FOUND, Packed};
use crate::deflate::match_finder::distance_rings::{DistanceRings, Keys, LOOKAHEAD};
use crate::deflate::match_finder::tail_chain::Effort;
use crate::deflate::sequence::OpenBlock;
use crate::error::{Error, Result};
use crate::format::deflate::{MAX_MATCH, MIN_MATCH};

/// The first cost refresh of a block; the others follow at doubling distances.
const FIRST_REFRESH: usize = 4096;

/// Kept matches with which a block is closed: a bound on memory, met only by data with more than three for each byte.
const MAX_KEPT: usize = 900_000;

/// What the parser needs beside the rings: made when a level first asks for it, then kept.
pub(in crate::deflate) struct NearOptimal {
    path: Path,
    kept: Kept,
}

impl NearOptimal {
    #[inline(never)]
    pub(in crate::deflate) fn boxed() -> Result<Box<Self>> {
        Ok(Box::new(Self { path: Path::new()?, kept: Kept { counts: Vec::new(), matches: Vec::new() } }))
    }
}

/// All matches of the open block, in the order of their positions.
struct Kept {
    /// How many, for each position.
    counts: Vec<u8>,
    matches: Vec<Packed>,
}

impl Kept {
    fn clear(&mut self) {
        self.counts.clear();
        self.matches.clear();
    }

    /// Makes room for one segment, of an input of which `left` bytes are left.
    fn reserve(&mut self, left: usize) -> Result<()> {
        let positions = left.min(MAX_SEGMENT + MAX_MATCH);
        self.counts.try_reserve(positions).map_err(|_| Error::Memory)?;
        self.matches.try_reserve(positions * MAX_FOUND).map_err(|_| Error::Memory)
    }

    fn push(&mut self, matches: &[Packed]) {
        self.counts.push(matches.len() as u8);
        self.matches.extend_from_slice(matches);
    }

    /// Nothing is kept for the next `count` positions: a match covers them for good.
    fn skip(&mut self, count: usize) {
        self.counts.resize(self.counts.len() + count, 0);
    }

    fn is_full(&self) -> bool {
        self.matches.len() >= MAX_KEPT
    }
}

/// Encodes `data[start..]`, `data[..start]` being the window. Not inlined: the stack that its tables take is not for other levels.
#[inline(never)]
pub(in crate::deflate) fn parse(
    level: &NearOptimalLevel,
    state: &mut NearOptimal,
    rings: &mut DistanceRings,
    data: &[u8],
    start: usize,
    sink: &mut Sink<'_, '_>,
) -> Result<()> {
    let end = data.len();
    rings.reset(end, Keys::Five)?;
    rings.fill(data, start);
    let mut parser = Parser {
        level,
        data,
        path: &mut state.path,
        kept: &mut state.kept,
        costs: Costs::defaults(),
        segment_start: start,
        next_refresh: start + FIRST_REFRESH,
        next_split_check: start + SEGMENT,
        carry: Packed::NONE,
        barren: 0,
        next_search: start,
    };
    parser.kept.clear();
    parser.reserve(start)?;
    parser.path.set_costs(&parser.costs);
    parser.path.restart();
    let mut position = start;
    let mut stretch_end = start;
    let mut found = Found::new();
    while position < end {
        while stretch_end <= position {
            stretch_end += SEGMENT;
        }
        rings.fill(data, end.min(stretch_end + MAX_MATCH + LOOKAHEAD));
        let mut finder = rings.search(data);
        while position < stretch_end.min(end) {
            found.clear();
            if let Some(place) = Place::new(data, position) {
                parser.carry_on();
                if position < parser.next_search || parser.path.is_hopeless(level.margin) {
                    finder.enter_short(place);
                } else {
                    let above = parser.carry_into(&mut found);
                    finder.gather(place, above, Effort { depth: level.depth, nice: level.nice }, &mut found);
                    parser.note_search(position, &found);
                }
            }
            if level.passes > 0 {
                parser.kept.push(found.list());
            }
            position = match parser.offer(position, found.list(), end) {
                Some(match_end) => {
                    finder.enter_ends(position, match_end);
                    if level.passes > 0 {
                        parser.kept.skip(match_end - position - 1);
                    }
                    parser.carry = Packed::NONE;
                    match_end
                }
                None => position + 1,
            };
            if parser.has_closed_at(position) || position == end {
                parser.close(position, sink)?;
            }
        }
    }
    Ok(())
}

/// One walk through the input.
struct Parser<'a> {
    level: &'a NearOptimalLevel,
    data: &'a [u8],
    path: &'a mut Path,
    kept: &'a mut Kept,
    costs: Costs,
    segment_start: usize,
    next_refresh: usize,
    next_split_check: usize,
    /// What is left here of the longest match of the byte before.
    carry: Packed,
    /// Searches in a row that found nothing.
    barren: usize,
    /// No search before here: the data does not match.
    next_search: usize,
}

impl Parser<'_> {
    /// Moves the carried match on by a byte.
    #[inline(always)]
    fn carry_on(&mut self) {
        self.carry = match self.carry.length() {
            0..=MIN_MATCH => Packed::NONE,
            length => self.carry.with_length(length - 1),
        };
    }

    /// Begins a search with the carried match, if it is long; tells above which length to look.
    #[inline(always)]
    fn carry_into(&mut self, found: &mut Found) -> usize {
        let length = self.carry.length();
        if length < self.level.carry_from {
            return 0;
        }
        found.push(self.carry);
        length
    }

    #[inline(always)]
    fn note_search(&mut self, position: usize, found: &Found) {
        match found.list().last() {
            Some(&longest) => {
                if longest.length() > self.carry.length() {
                    self.carry = longest;
                }
                self.barren = 0;
            }
            None => {
                self.barren += 1;
                self.next_search = position + 1 + skip_after(self.barren);
            }
        }
    }

    /// Offers the path what is possible at `position`, up to `end`. Where a match is taken for good, tells its end.
    #[inline(always)]
    fn offer(&mut self, position: usize, matches: &[Packed], end: usize) -> Option<usize> {
        if let Some(&longest) = matches.last() {
            if longest.length() >= self.level.nice && position + longest.length() <= end {
                self.path.take(longest);
                return Some(position + longest.length());
            }
            self.path.offer(matches, end - position);
        }
        self.path.offer_literal(self.costs.literal(self.data[position]));
        None
    }

    /// Whether the segment may end at `position`, just reached.
    #[inline(always)]
    fn has_closed_at(&self, position: usize) -> bool {
        debug_assert_eq!(position, self.segment_start + self.path.len());
        self.path.may_end()
    }

    /// Ends the segment at `position`; refreshes the costs and ends the block if it is time.
    fn close(&mut self, position: usize, sink: &mut Sink<'_, '_>) -> Result<()> {
        let end = self.data.len();
        self.record(position, sink.block);
        if position >= self.next_refresh {
            self.refresh_costs(sink.block);
            self.next_refresh = position + (position - sink.block.start);
        }
        let must_look = position == end || sink.block.is_full() || self.kept.is_full();
        if must_look || position >= self.next_split_check {
            self.next_split_check = position + SEGMENT;
            if sink.is_end_due(position, end) || self.kept.is_full() {
                self.refine(position, sink.block);
                if position < end {
                    self.refresh_costs(sink.block);
                }
                self.next_refresh = position + FIRST_REFRESH;
                sink.end_block(position);
                self.kept.clear();
            }
        }
        self.reserve(position)
    }

    /// Makes room for the matches of the segment that begins at `position`, if they are to be kept.
    fn reserve(&mut self, position: usize) -> Result<()> {
        if self.level.passes == 0 { Ok(()) } else { self.kept.reserve(self.data.len() - position) }
    }

    fn record(&mut self, position: usize, block: &mut OpenBlock) {
        self.path.record(block, self.data, self.segment_start);
        self.segment_start = position;
        self.path.restart();
    }

    fn refresh_costs(&mut self, block: &OpenBlock) {
        self.costs.refresh(&block.frequencies);
        self.path.set_costs(&self.costs);
    }

    /// Decides the open block, which ends at `end`, anew: with the costs that the last decisions make, as often as the level says.
    fn refine(&mut self, end: usize, block: &mut OpenBlock) {
        let start = block.start;
        let counts = std::mem::take(&mut self.kept.counts);
        let matches = std::mem::take(&mut self.kept.matches);
        for _ in 0..self.level.passes {
            self.refresh_costs(block);
            block.open(start);
            self.segment_start = start;
            let (mut position, mut rest) = (start, &matches[..]);
            while position < end {
                let (here, after) = rest.split_at(usize::from(counts[position - start]));
                rest = after;
                position = self.offer(position, here, end).unwrap_or(position + 1);
                if self.has_closed_at(position) || position == end {
                    self.record(position, block);
                }
            }
        }
        self.kept.counts = counts;
        self.kept.matches = matches;
    }
}
