//! Parsers: choose which of the matches found are written.
//!
//! | levels   | parser                                            | decides by                   |
//! |----------|---------------------------------------------------|------------------------------|
//! | 1        | [`fast`]                                          | lengths of the last matches  |
//! | 2 to 9   | `lazy`, `quick` or `flat`, chosen by [`adaptive`] | estimated [`cost`]           |
//! | 10 to 12 | [`near_optimal`]                                  | the cheapest path (`path`)   |
//!
//! A parser goes through the input from front to back, a [`SPAN`] at a time, queries a match finder
//! and records its decisions in the open block. After each span it decides whether the block ends.
//! It keeps its state between spans, so the input may arrive in pieces: a span is parsed once all
//! bytes that its decisions depend on have arrived, or the input's end is known.
//!
//! ```text
//! start      start + 1024           position            to
//! |-- span --|-- span --| ...       |-- parsed now -----|-- AHEAD bytes, which have arrived --|
//! ```
//!
//! So the output does not depend on how the input is divided into calls. All periodic work (spans,
//! checks, refreshes of costs) is tied to positions, none to calls.
//!
//! This file contains what several parsers use: the grid, the step between searches in data that
//! does not match, functions that recognise some kinds of data by a sample, and the rules for a
//! block's end. The message encoder uses `fast`, or a parser of its own (`message/chain.rs`).

pub(super) mod adaptive;
pub(super) mod cost;
mod counts;
pub(super) mod fast;
mod flat;
mod lazy;
pub(super) mod near_optimal;
mod path;
mod quick;
pub(super) mod recent;
pub(super) mod repetition;
mod tuning;

pub(super) use flat::Memory as FlatMemory;

use super::block_split::{BlockSplit, MAX_BLOCK, MIN_BLOCK};
use super::entropy::is_larger;
use super::match_finder::distance_rings::LOOKAHEAD;
use super::token::OpenBlock;
use crate::format::deflate::MAX_MATCH;
use cost::Costs;
use recent::RecentMatches;
use repetition::Repetition;

/// The distance in bytes between two lines of the grid, which begins at the chunk's start. At each line a parser leaves its
/// loop to fill the match finder's tables, split blocks and refresh costs. The grid does not depend on how the input is
/// divided into calls, so the output does not either.
pub(super) const SPAN: usize = 1024;

/// The number of bytes past a span's end on which its decisions may depend: the bytes of its last
/// match and of the lazy searches near it, those that show whether enough input is left for another
/// block, and the sample from which `adaptive` chooses the next parser (up to 4 KiB after the last
/// match).
const AHEAD: usize =
    MAX_MATCH + 2 + if LOOKAHEAD + MAX_MATCH > MIN_BLOCK { LOOKAHEAD + MAX_MATCH } else { MIN_BLOCK };

/// The maximum number of positions between two searches in data that does not match. Searches are
/// then 64 positions apart. In a quiet run ([`QUIET_RUN`]), the positions that are entered in the
/// tables repeat with a cycle of 13. The two numbers are coprime, so the searches reach every
/// position of the cycle in turn, and some of them find a repetition.
const MAX_SKIP: usize = 63;
/// The base-2 logarithm of the number of consecutive literals after which steps begin to grow. With 64, 128 or 256 literals,
/// sizes and times are equal within noise; ordinary data has no such runs.
const SKIP_SHIFT: u32 = 7;

/// The number of literals to take before the next search, after `run` consecutive literals without a match.
#[inline(always)]
fn skip_after(run: usize) -> usize {
    (run >> SKIP_SHIFT).min(MAX_SKIP)
}

/// After this many consecutive literals, more than a window, only some positions are entered in the match finder's tables. This
/// reduces the time for noise to two thirds.
const QUIET_RUN: usize = 40 * SPAN;

/// Adds the bytes from `from` to `to` as literals; returns where they end.
fn take_literals(data: &[u8], from: usize, to: usize, block: &mut OpenBlock) -> usize {
    for &byte in data.get(from..to).unwrap_or_default() {
        block.add_literal(byte);
    }
    from.max(to)
}

/// The minimum size of a sample.
pub(super) const SAMPLE_MIN: usize = 64;
/// The number of bytes that `few_letters` looks at. Unless the input ends, `AHEAD` bytes past the
/// span's end have arrived, so the sample does not depend on how the input is divided into calls.
const LETTERS_SAMPLE: usize = 4096;
const _: () = assert!(LETTERS_SAMPLE + MAX_MATCH < AHEAD);

/// Whether `sample` is text in characters of two bytes, as in UTF-16: most bytes at either even or
/// odd positions are below 16 (at least 3/8 of the whole sample), and few of the others (at most
/// 1/16). Four bytes of such text are only two characters, which recur often, so the match finder
/// needs more candidates or longer keys.
pub(super) fn has_wide_characters(sample: &[u8]) -> bool {
    let is_small = |byte: &&u8| **byte < 16;
    let small = [0, 1].map(|first| sample.iter().skip(first).step_by(2).filter(is_small).count());
    let (fewer, more) = (small[0].min(small[1]), small[0].max(small[1]));
    sample.len() >= SAMPLE_MIN && more * 8 >= sample.len() * 3 && fewer * 16 <= sample.len()
}

/// How [`few_letters`] counts bytes.
pub(super) struct LetterCount {
    /// The first two of every `step` bytes are counted.
    pub(super) step: usize,
    /// The result is 0 if over `same` / 16 of the counted bytes have the most frequent value, or if over `same` / 16 of the
    /// counted pairs are two equal bytes.
    pub(super) same: usize,
}

/// The number of different letters, 2 or 4, that nearly all of the first 4 KiB of `data` consist of,
/// as in binary digits or DNA. Returns 0 if there are more, if most bytes have one value or most
/// pairs are equal bytes ([`LetterCount::same`]), as in images, and for fewer than [`SAMPLE_MIN`]
/// counted bytes.
pub(super) fn few_letters(data: &[u8], count: &LetterCount) -> usize {
    let mut counts = [0u16; 256];
    let (mut bytes, mut equal_pairs) = (0, 0);
    for pair in data[..data.len().min(LETTERS_SAMPLE)].chunks_exact(count.step) {
        counts[usize::from(pair[0])] += 1;
        counts[usize::from(pair[1])] += 1;
        bytes += 2;
        equal_pairs += usize::from(pair[0] == pair[1]);
    }
    counts.select_nth_unstable_by(3, |one, other| other.cmp(one));
    counts[..4].sort_unstable_by(|one, other| other.cmp(one));
    let is_mixed = (2 * equal_pairs).max(counts[0].into()) * 16 <= bytes * count.same;
    let share = |letters: usize| counts[..letters].iter().map(|&count| usize::from(count)).sum::<usize>();
    let are_few = |&letters: &usize| share(letters) * 16 >= bytes * 15;
    if bytes < SAMPLE_MIN || !is_mixed { 0 } else { [2, 4].into_iter().find(are_few).unwrap_or(0) }
}

/// `has_pixels` is true if at least this share of the sample, in percent, repeats the pixel before.
const PIXELS: usize = 60;

/// Whether most of `sample` are pixels of two to four bytes that equal the pixel before. The most
/// recent positions of such a pixel are inside its last run; the lazy parser goes on to the run's
/// start.
///
/// A byte counts if it equals the byte two, three or four positions before it, and differs from the
/// byte just before it: runs of one byte are not pixels.
pub(super) fn has_pixels(sample: &[u8]) -> bool {
    let is_repeated = |bytes: &[u8]| bytes[4] != bytes[3] && bytes[..3].contains(&bytes[4]);
    let repeated = sample.windows(5).filter(|bytes| is_repeated(bytes)).count();
    sample.len() >= SAMPLE_MIN && repeated * 100 >= sample.len() * PIXELS
}

/// The number of bytes of `sample` in matches of exactly three bytes. `sample` has at most 64 KiB.
///
/// A greedy parser with one table entry for each hash of three bytes. It does not take longer
/// matches: it goes on with the next byte. Unused entries are 0, which is also a valid position:
/// the bytes are compared in any case.
pub(super) fn in_short_matches(sample: &[u8]) -> usize {
    const BITS: u32 = 8;
    let mut newest = [0u16; 1 << BITS];
    let (mut position, mut covered) = (0, 0);
    while position + 4 <= sample.len() {
        let word = u32::from_le_bytes([
            sample[position],
            sample[position + 1],
            sample[position + 2],
            sample[position + 3],
        ]);
        // The shift removes the fourth byte.
        let head = &mut newest[((word << 8).wrapping_mul(0x9e37_79b1) >> (32 - BITS)) as usize];
        let earlier = usize::from(core::mem::replace(head, position as u16));
        let is_short = earlier < position
            && sample[earlier..earlier + 3] == sample[position..position + 3]
            && sample[earlier + 3] != sample[position + 3];
        covered += if is_short { 3 } else { 0 };
        position += if is_short { 3 } else { 1 };
    }
    covered
}

/// A block is closed once it takes about this many bytes of output, so that parsed data is written
/// soon. Together with the input not parsed yet, the output held back stays below 32 KiB, so that
/// programs which call `deflate(Z_FINISH)` once, with a buffer that is always enough for zlib, work
/// (`c_tests/finish_once.c`). 36 KiB make files 0.02 to 0.05 % smaller.
const BLOCK_BYTES_MAX: usize = 27 << 10;

/// The input that has arrived: the window, then the chunk's bytes.
#[derive(Clone, Copy)]
pub(super) struct Arrived<'a> {
    pub(super) data: &'a [u8],
    /// Whether no input follows.
    pub(super) is_whole: bool,
}

impl Arrived<'_> {
    /// The end of the span that contains `position`, on the grid that starts at `grid`, if the span
    /// can be parsed now: either `AHEAD` bytes after its end have arrived, or the input is
    /// complete.
    pub(super) fn span_end(&self, grid: usize, position: usize) -> Option<usize> {
        let needed = Self::needed_len(grid, position);
        (self.is_whole || needed <= self.data.len()).then(|| (needed - AHEAD).min(self.data.len()))
    }

    /// The length that `data` must have so that the span that contains `position` can be parsed
    /// although more input follows.
    pub(super) fn needed_len(grid: usize, position: usize) -> usize {
        // With `+ 1`, a position on a line belongs to the span that begins there.
        grid + (position + 1 - grid).next_multiple_of(SPAN) + AHEAD
    }
}

/// The part of the state that all parsers of chunks have.
#[derive(Debug)]
pub(super) struct Cursor {
    /// Where the chunk's own bytes begin: the start of the grid.
    pub(super) start: usize,
    /// Everything before this position is parsed.
    pub(super) position: usize,
    /// The statistics that decide whether a block ends.
    split: BlockSplit,
    next_refresh: usize,
}

/// The state that one parser of [`adaptive`] passes to the next. Tables and counts are not passed on:
/// each parser has its own.
#[derive(Debug)]
struct ParseState {
    cursor: Cursor,
    costs: Costs,
    /// The last long match of the lazy or the flat parser.
    repetition: Repetition,
    /// The recent matches of the quick or the lazy parser.
    recent: RecentMatches,
}

impl ParseState {
    fn new(start: usize) -> Self {
        Self {
            cursor: Cursor::new(start),
            costs: Costs::defaults(),
            repetition: Repetition::default(),
            recent: RecentMatches::NONE,
        }
    }

    /// Refreshes the costs if that is due; returns whether it was.
    fn refresh_costs(&mut self, data: &[u8], block: &OpenBlock) -> bool {
        let is_due = self.cursor.is_refresh_due() && self.cursor.position < data.len();
        if is_due {
            self.costs.refresh(&block.frequencies);
            self.cursor.note_refresh(block);
        }
        is_due
    }
}

/// Bytes before a block's first cost refresh. Each further refresh comes when the block is twice as
/// long as at the one before, so a long block has few.
const FIRST_REFRESH: usize = 4096;

impl Cursor {
    pub(super) fn new(start: usize) -> Self {
        Self { start, position: start, split: BlockSplit::new(), next_refresh: start + FIRST_REFRESH }
    }

    /// Whether `block` should end at the cursor. It must end at the input's end, and where its token
    /// memory is full. Otherwise it ends where it has the maximum length, where its symbols change,
    /// or where its output is long enough, but only if the rest of the input is long enough for
    /// another block.
    fn is_end_due(&mut self, arrived: Arrived<'_>, block: &OpenBlock) -> bool {
        let left = arrived.data.len() - self.position;
        if left == 0 || block.is_full() {
            return true;
        }
        // A span is parsed only when the input is complete or `AHEAD` bytes after it have arrived,
        // at least `MIN_BLOCK`. So if less is left, the input is complete, however it was divided.
        if left < MIN_BLOCK {
            return false;
        }
        let len = self.position - block.start;
        len >= MAX_BLOCK
            || self.split.should_end(&block.frequencies, len)
            || is_larger(&block.frequencies, BLOCK_BYTES_MAX)
    }

    /// The line of the grid at or before the cursor.
    fn line(&self) -> usize {
        self.position - (self.position - self.start) % SPAN
    }

    /// Whether the costs should be refreshed at the cursor.
    fn is_refresh_due(&self) -> bool {
        self.position >= self.next_refresh
    }

    /// Records that the costs were refreshed from `block`: the next refresh is due when it is twice
    /// as long.
    fn note_refresh(&mut self, block: &OpenBlock) {
        self.next_refresh = self.position + (self.position - block.start);
    }

    /// Ends a span at the cursor. Returns whether `block` ends there too.
    fn end_span(&mut self, arrived: Arrived<'_>, block: &OpenBlock) -> bool {
        let is_due = self.is_end_due(arrived, block);
        if is_due {
            self.begin_block();
        }
        is_due
    }

    /// Starts a block at the cursor.
    fn begin_block(&mut self) {
        self.split.reset();
        self.next_refresh = self.position + FIRST_REFRESH;
    }
}
