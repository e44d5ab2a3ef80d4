//! Levels 3 to 9: the lazy parser or the flat one, whichever suits the data.
//!
//! The lazy parser's time grows with the number of searches, the flat one's is the same for all data; and where matches are
//! long, more candidates than the flat one compares make the output smaller. So the flat parser takes data with short matches
//! and many symbols (prose, reads, binaries, SQL), the lazy one data with long matches (logs, markup, most source code) and
//! data without any (noise).
//!
//! A choice is made for each stretch of 16 KiB by the counts of the stretch before it. A chunk begins with the flat parser,
//! which starts faster, and decides after 4 KiB; an input that may be short begins with the lazy parser. After a change the
//! choice stays for some stretches, since the new parser must enter the window again.

#![forbid(unsafe_code)]

use super::flat::{Flat, Keys, Memory};
use super::lazy::Lazy;
use super::{Arrived, ParseState, SPAN};
use crate::deflate::level::LazyLevel;
use crate::deflate::match_finder::distance_rings::{DistanceRings, MEDIUM_INPUT};
use crate::deflate::token::OpenBlock;
use crate::error::{Error, Result};
use crate::raw::{Allocator, Placed};

/// Bytes between two choices.
const STRETCH: usize = 16 * SPAN;
/// Bytes before the first one of a chunk that begins with the flat parser.
const FIRST_STRETCH: usize = 4 * SPAN;
/// The number of stretches that a change of the parser lasts at least: the window of 32 KiB has to be entered again.
const STAY: u32 = 4;
/// The number of stretches after which the keys for binaries are tried again.
const BINARY_REST: u32 = 16;

/// The flat parser suits matches that are shorter than this in the mean,
const SHORT_MEAN: u32 = 12;
/// or data with at least this many symbols in 1024 bytes,
const MANY_SYMBOLS: u32 = 150;
/// unless matches cover less than one byte in this many.
const NOISE: u32 = 8;
/// The keys for binaries stay if at least one match in this many has three bytes.
const THREES_PAY: u32 = 4;

/// Counts of parsed data.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stretch {
    pub(super) len: u32,
    pub(super) matches: u32,
    /// Those of three bytes.
    pub(super) threes: u32,
    /// The bytes in matches.
    pub(super) covered: u32,
}

impl Stretch {
    fn literals(&self) -> u32 {
        self.len - self.covered.min(self.len)
    }

    fn suits_flat(&self) -> bool {
        let symbols = self.literals() + self.matches;
        let is_short = self.covered < SHORT_MEAN * self.matches || symbols * 1024 >= MANY_SYMBOLS * self.len;
        is_short && self.covered * NOISE >= self.len
    }
}

/// A parser with its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Lazy,
    Flat(Keys),
}

/// Makes the choices.
#[derive(Debug)]
struct Chooser {
    now: Choice,
    /// Stretches before the parser may change.
    stay: u32,
    /// Stretches before the keys for binaries may be tried again.
    binary_rest: u32,
}

impl Chooser {
    /// Chooses for the stretch after `stretch`.
    fn choose(&mut self, stretch: &Stretch) {
        self.binary_rest = self.binary_rest.saturating_sub(1);
        if self.stay > 0 {
            self.stay -= 1;
        } else if stretch.suits_flat() != (self.now != Choice::Lazy) {
            self.stay = STAY;
            self.now = if self.now == Choice::Lazy { self.first_keys() } else { Choice::Lazy };
            return;
        }
        match self.now {
            Choice::Flat(Keys::Binary) if stretch.threes * THREES_PAY < stretch.matches => {
                self.binary_rest = BINARY_REST;
                self.now = Choice::Flat(Keys::Text);
            }
            Choice::Flat(Keys::Text) if 2 * stretch.literals() > 3 * stretch.matches => {
                self.now = self.first_keys();
            }
            _ => {}
        }
    }

    /// Only the keys for binaries show whether they pay.
    fn first_keys(&self) -> Choice {
        Choice::Flat(if self.binary_rest == 0 { Keys::Binary } else { Keys::Text })
    }
}

/// The parser in use.
#[derive(Debug)]
enum Parser {
    Lazy(Lazy),
    Flat(Flat),
}

/// The state between two spans.
#[derive(Debug)]
pub(in crate::deflate) struct Adaptive {
    level: &'static LazyLevel,
    is_filtered: bool,
    is_long: bool,
    state: ParseState,
    chooser: Chooser,
    /// The parser of the choice that was current at the last span.
    parser: Option<(Choice, Parser)>,
    next_stretch: usize,
}

impl Adaptive {
    /// A parser of `data[start..]`, where `data[..start]` is the window. `is_long`: more than 64 KiB of data is expected.
    pub(in crate::deflate) fn new(
        level: &'static LazyLevel,
        is_filtered: bool,
        start: usize,
        is_long: bool,
    ) -> Self {
        let now = if is_long && !is_filtered { Choice::Flat(Keys::Binary) } else { Choice::Lazy };
        let chooser = Chooser { now, stay: 0, binary_rest: 0 };
        let state = ParseState::new(start);
        Self { level, is_filtered, is_long, state, chooser, parser: None, next_stretch: FIRST_STRETCH }
    }

    /// Parses one span into `block`. Returns `None` if too little of the input has arrived, otherwise whether the block ends
    /// there.
    ///
    /// Fails with `Error::Memory` if the memory of a parser cannot be allocated; the call may be repeated.
    pub(in crate::deflate) fn advance(
        &mut self,
        arrived: Arrived<'_>,
        rings: &mut DistanceRings,
        memory: &mut Option<Placed<Memory>>,
        block: &mut OpenBlock,
    ) -> Result<Option<bool>> {
        let choice = self.chooser.now;
        if self.parser.as_ref().is_none_or(|(running, _)| *running != choice) {
            self.parser = Some((choice, self.make(choice, arrived.data, rings, memory)?));
        }
        let state = &mut self.state;
        let (is_due, stretch) = match (&mut self.parser, memory) {
            (Some((_, Parser::Lazy(lazy))), _) => {
                (lazy.advance(arrived, state, rings, block), lazy.take_stretch())
            }
            (Some((_, Parser::Flat(flat))), Some(memory)) => {
                (flat.advance(arrived, state, memory, block), flat.take_stretch(self.next_stretch))
            }
            _ => return Err(Error::Stream),
        };
        if let Some(stretch) = stretch
            && !self.is_filtered
        {
            self.chooser.choose(&stretch);
            self.next_stretch = STRETCH;
        }
        Ok(is_due)
    }

    /// A parser for `choice` from the current position on.
    fn make(
        &self,
        choice: Choice,
        data: &[u8],
        rings: &mut DistanceRings,
        memory: &mut Option<Placed<Memory>>,
    ) -> Result<Parser> {
        Ok(match choice {
            Choice::Lazy => {
                let position = self.state.cursor.position;
                let is_long = self.is_long || position >= MEDIUM_INPUT;
                Parser::Lazy(Lazy::new(self.level, self.is_filtered, rings, position, is_long)?)
            }
            Choice::Flat(keys) => {
                let memory = match memory {
                    Some(memory) => memory,
                    none => none.insert(Placed::zeroed(Allocator::SYSTEM)?),
                };
                Parser::Flat(Flat::new(keys, self.level.ways, &self.state, memory, data))
            }
        })
    }

    /// Everything before this position is parsed.
    pub(in crate::deflate) fn position(&self) -> usize {
        self.state.cursor.position
    }
}
