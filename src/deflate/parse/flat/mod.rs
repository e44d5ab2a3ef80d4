//! The flat parser: finds matches for every position ahead, without branches, and chooses among them by the cheapest path.
//!
//! The lazy parser spends its time waiting for mispredicted branches: whether there is a match, how long it is, whether the
//! next byte has a better one. Here each span of 1 KiB goes through five steps, each a loop over all its positions:
//!
//! ```text
//! fill       enter the positions into two tables; store the distances of the candidates found there
//! verify     compare the bytes of each candidate
//! prepare    choose the longest of the long key; turn slots and lengths into prices
//! plan       from the last position to the first: the cheapest step
//! walk       from match to match: tokens
//! ```
//!
//! Apart from matches of 32 bytes and more in step 3, only the walk has branches that depend on the
//! data, about one for each match. So the cost of a byte is nearly the same for all data: less than
//! that of the lazy parser where matches are short, more where they are long.
//!
//! A plan goes [`AHEAD`] positions past its span, and these are planned again with the next span.
//! The bytes of a match past the plan's end count as an average price each.
//!
//! ```text
//!             base    base + AHEAD           base + SPAN    base + SPAN + AHEAD
//! prepared    |--- before ---|-------------- now ----------------------|
//! planned     |--------------------------------------------------------|
//! walked           from |====================|====> a match may end past the line
//! ```
//!
//! `base` is a line of the grid; `from` is after it if the last match of the span before reached
//! into this one. The walk may do the same in the next.
//!
//! There are two tables: one for a long key (6 bytes; 5 for binaries, 8 for DNA, 12 for binary
//! digits), one for a short key (4 bytes, or 3). A bucket of the long key has the 1, 2 or 4 most
//! recent positions of its hash. Positions are 16 bits and are never rebased: an old one reads as a
//! distance within 64 Ki, and is compared like any other.
//!
//! The last 32 positions of the data do not go through these steps ([`tail`]). As literals they would cost a short stream ten
//! bytes, too much for programs that fill records of a fixed size (zlib's example fitblk).
//!
//! Steps 1 to 3 have a form with AVX2 and a plain one with the same results, so the output does not depend on the processor.

mod fill;
mod memory;
mod plan;
mod prepare;
mod price;
mod tail;
mod verify;
mod walk;

pub(in crate::deflate) use memory::Memory;

use super::counts::Counts;
use super::repetition::{LONG_MATCH, Repetition};
use super::{Arrived, ParseState, SPAN};
use crate::deflate::match_finder::distance_rings::DistanceRings;
use crate::deflate::token::OpenBlock;
use crate::error::Result;
use crate::format::deflate::{MIN_MATCH, WINDOW_SIZE};
use memory::{Found, Heads};
use price::Prices;
use verify::LONG_LIMIT;

/// The positions past a span that are planned with it. The price at the plan's end is a guess; the
/// further away it is, the less it affects the steps of the span. The cost: these positions, one in
/// eight, are planned twice.
const AHEAD: usize = 128;

/// Which strings the two tables index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// Six bytes and four, for text.
    Text,
    /// Five bytes and three, for binaries.
    Binary,
    /// Eight bytes and four, for data of four letters, such as DNA: shorter strings occur again and again by chance.
    FourLetters,
    /// Twelve bytes and four, for data of two letters.
    TwoLetters,
}

impl Keys {
    /// The shortest match that they find.
    fn shortest(self) -> usize {
        match self {
            Self::Text | Self::FourLetters | Self::TwoLetters => MIN_MATCH + 1,
            Self::Binary => MIN_MATCH,
        }
    }
}

/// The steps that depend on the keys and the number of candidates, compiled for these.
#[derive(Clone, Copy, Debug)]
struct Kernel {
    prime: fn(&mut Heads<'_>, &mut Found, &[u8], (usize, usize), bool),
    look: Look,
    tail: Tail,
}

/// [`tail::take`] for one pair of keys and number of candidates.
type Tail = fn(&mut Heads<'_>, &Prices, &[u8], (usize, usize), &mut OpenBlock, &mut Counts) -> usize;
/// [`Flat::look`] likewise.
type Look = fn(&mut Flat, (&mut Heads<'_>, &mut Memory), &[u8], (usize, usize), usize);

impl Kernel {
    fn of(keys: Keys, ways: usize) -> Self {
        match (keys, ways) {
            (Keys::Text, 1) => Self::with::<6, 4, 1>(),
            (Keys::Text, 2) => Self::with::<6, 4, 2>(),
            (Keys::Text, _) => Self::with::<6, 4, 4>(),
            (Keys::Binary, 1) => Self::with::<5, 3, 1>(),
            (Keys::Binary, 2) => Self::with::<5, 3, 2>(),
            (Keys::Binary, _) => Self::with::<5, 3, 4>(),
            (Keys::FourLetters, 1) => Self::with::<8, 4, 1>(),
            (Keys::FourLetters, 2) => Self::with::<8, 4, 2>(),
            (Keys::FourLetters, _) => Self::with::<8, 4, 4>(),
            (Keys::TwoLetters, 1) => Self::with::<12, 4, 1>(),
            (Keys::TwoLetters, 2) => Self::with::<12, 4, 2>(),
            (Keys::TwoLetters, _) => Self::with::<12, 4, 4>(),
        }
    }

    const fn with<const LONG: usize, const SHORT: usize, const WAYS: usize>() -> Self {
        Self {
            prime: fill::prime::<LONG, SHORT, WAYS>,
            look: Flat::look::<LONG, SHORT, WAYS>,
            tail: tail::take::<LONG, SHORT, WAYS>,
        }
    }
}

const _: () = assert!(LONG_LIMIT == LONG_MATCH);

/// The parser's state between two spans.
#[derive(Debug)]
pub(super) struct Flat {
    keys: Keys,
    kernel: Kernel,
    /// Positions before this one are entered in the tables and, from the span's start on, prepared.
    filled: usize,
    /// The last match of 32 bytes or more that was prepared; it may begin after the cursor.
    last: Repetition,
    /// Whether to use the forms with vectors.
    vectors: bool,
    /// Since [`take_counts`](Self::take_counts).
    counts: Counts,
}

impl Flat {
    /// A parser from the line of the grid at or before the cursor on. `ways`: candidates of the
    /// long key, 1, 2 or 4. `vectors`: see [`has_vectors`]. Until the parser is dropped, the rings
    /// must not be used.
    ///
    /// Enters the window before that line in the tables, so the first match may reach back as far
    /// as RFC 1951 allows. That takes time, so `adaptive` does not change parsers often.
    ///
    /// Fails with `Error::Memory`.
    pub(super) fn new(
        keys: Keys,
        ways: usize,
        vectors: bool,
        state: &ParseState,
        (rings, memory): (&mut DistanceRings, &mut Memory),
        data: &[u8],
    ) -> Result<Self> {
        let filled = state.cursor.line();
        memory.prices.set(&state.costs, keys.shortest());
        memory.path.mean = u32::MAX;
        rings.clear_heads()?;
        let to = filled.min(data.len().saturating_sub(LONG_LIMIT));
        let range = (filled.saturating_sub(WINDOW_SIZE), to);
        let (heads, found) = (&mut Heads::of(rings), &mut memory.found);
        let kernel = Kernel::of(keys, ways);
        (kernel.prime)(heads, found, data, range, vectors);
        // The last match may begin after that line, so it is not known to reach past it.
        let last = Repetition { end: state.repetition.end.min(filled), ..state.repetition };
        let counts = Counts::default();
        Ok(Self { keys, kernel, filled, last, vectors, counts })
    }

    /// Parses one span into `block`. Returns `None` if too little of the input has arrived, otherwise whether the block ends
    /// there.
    pub(super) fn advance(
        &mut self,
        arrived: Arrived<'_>,
        state: &mut ParseState,
        (rings, memory): (&mut DistanceRings, &mut Memory),
        block: &mut OpenBlock,
    ) -> Option<bool> {
        let data = arrived.data;
        let from = state.cursor.position;
        let to = arrived.span_end(state.cursor.start, from)?;
        let base = state.cursor.line();
        // At positions from `end` on, too few bytes are left for the steps.
        let end = data.len().saturating_sub(LONG_LIMIT);
        let prepared = (base + SPAN + AHEAD).min(end);
        // The first positions of this span were prepared with the span before.
        let range = (self.filled.max(base), prepared);
        if range.0 < range.1 {
            (self.kernel.look)(self, (&mut Heads::of(rings), memory), data, range, base);
            self.filled = prepared;
        }
        let Memory { offers, path, prices, .. } = memory;
        // At the end of the data `end` may be before `base`: nothing is planned, and `tail` does
        // all.
        plan::plan(path, offers, prices, &data[base..], prepared.saturating_sub(base));
        let planned = (&*path, &*offers);
        let mut position = from;
        if from < end {
            position = walk::walk(planned, data, (from, to.min(end)), base, prices, block, &mut self.counts);
        }
        // Does nothing unless this span contains some of the last 32 positions.
        let heads = &mut Heads::of(rings);
        position = (self.kernel.tail)(heads, prices, data, (position, to), block, &mut self.counts);
        self.counts.len += (position - from) as u32;
        state.repetition = Repetition { end: self.last.end.min(position), ..self.last };
        state.cursor.position = position;
        memory.shift();
        // The offers of the positions that were shifted keep the old prices; all later ones, and
        // the literals, have the new ones.
        if state.refresh_costs(data, block) {
            memory.prices.set(&state.costs, self.keys.shortest());
        }
        Some(state.cursor.end_span(arrived, block))
    }

    /// Steps 1 to 3 for the positions of `range`. They depend on the data only, not on the plan, so
    /// each position goes through them once.
    fn look<const LONG: usize, const SHORT: usize, const WAYS: usize>(
        &mut self,
        (heads, memory): (&mut Heads<'_>, &mut Memory),
        data: &[u8],
        range: (usize, usize),
        base: usize,
    ) {
        let Memory { found, offers, prices, .. } = memory;
        let indices = (range.0 - base, range.1 - base);
        fill::fill::<LONG, SHORT, WAYS>(heads, found, data, range, indices.0, self.vectors);
        // SAFETY: `fill` stores no distance that reaches before the front of the data.
        unsafe { verify::verify::<WAYS>(found, data, indices, base, self.vectors) };
        let last = &mut self.last;
        prepare::prepare::<WAYS>((found, offers), prices, last, data, indices, base, self.vectors);
    }

    /// The counts since the last call, if at least `len` bytes were parsed.
    pub(super) fn take_counts(&mut self, len: usize) -> Option<Counts> {
        (self.counts.len as usize >= len).then(|| core::mem::take(&mut self.counts))
    }
}

/// Whether the processor has the vectors that the fast forms use. Both forms make the same tokens,
/// so the output does not depend on the answer.
pub(super) fn has_vectors() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("bmi1")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

#[cfg(test)]
mod tests;
