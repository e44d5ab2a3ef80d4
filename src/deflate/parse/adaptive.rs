//! Levels 3 to 9: the lazy parser or the flat one, whichever suits the data.
//!
//! The time of the lazy parser grows with its searches and the candidates that they compare; the flat one takes the same time
//! for all data. Where matches are long, the lazy parser compares more candidates and its output is smaller. So the flat parser
//! is for data with short matches and many symbols (prose, DNA reads, binaries, SQL), the lazy parser for data with long ones
//! (logs, markup, most source code) and for noise, which it skips.
//!
//! A chunk begins with the lazy parser. After each 16 KiB (a *check*) the counts of these bytes, and earlier ones with half the
//! weight, choose the next parser. A new parser stays for some checks, since it must first enter the window in its tables.
//! With the flat parser, the counts also choose its keys: those for binaries are tried first, since only they show how many
//! matches of three bytes there are.
//!
//! Counts depend only on the data, so the output does too.

#![forbid(unsafe_code)]

use super::counts::{CHECK, Counts};
use super::flat::{Flat, Keys, Memory, has_vectors};
use super::lazy::Lazy;
use super::tuning::FIVES_FEW;
use super::{Arrived, ParseState};
use crate::deflate::level::LazyLevel;
use crate::deflate::match_finder::distance_rings::{DistanceRings, MEDIUM_INPUT};
use crate::deflate::token::OpenBlock;
use crate::error::{Error, Result};
use crate::raw::{Allocator, Placed};

/// The number of checks that a change of the parser lasts at least: the window of 32 KiB has to be entered again.
const STAY: u32 = 4;
/// The number of checks after which the keys for binaries are tried again.
const BINARY_REST: u32 = 6;

/// Data is short if its matches have fewer bytes than this in the mean, or if it has at least this many symbols in 1 KiB.
const SHORT: (u32, u32) = (12, 200);
/// Data that the flat parser compresses is long if both is more, since it finds more short matches.
const LONG: (u32, u32) = (13, 170);
/// Data is noise if matches cover less than one byte in this many.
const NOISE: u32 = 8;
/// The time that the lazy parser takes for the chain or table of five bytes, in the units of [`lazy_work`]: without many of
/// their matches it does not use them.
const FIVES_WORK: u32 = 200;
/// The keys for binaries stay if at least one match in this many has three bytes.
const THREES_PAY: u32 = 5;

/// Whether the flat parser with this many candidates would be faster than the lazy one that counted this, and finds enough.
fn suits_flat(counts: &Counts, ways: usize) -> bool {
    let is_short = counts.covered < SHORT.0 * counts.matches || counts.symbols_in_kib() >= SHORT.1;
    is_short && !is_noise(counts) && lazy_work(counts) > flat_work(ways)
}

/// Whether the lazy parser suits the data better than the flat one that counted this.
fn suits_lazy(counts: &Counts) -> bool {
    let is_long = counts.covered >= LONG.0 * counts.matches && counts.symbols_in_kib() < LONG.1;
    is_long || is_noise(counts)
}

fn is_noise(counts: &Counts) -> bool {
    counts.covered * NOISE < counts.len
}

/// The time that the lazy parser took for 1 KiB beyond that of its fill pass, in units of about 10 ns: fitted to 21 files at
/// levels 3, 6 and 9.
fn lazy_work(counts: &Counts) -> u32 {
    let work = 2 * counts.searches + 5 * counts.matches + counts.compared * 4 / 3;
    let fives = if counts.fives * FIVES_FEW > counts.matches { FIVES_WORK } else { 0 };
    work * 1024 / counts.len.max(1) + fives
}

/// The time that the flat parser takes in the same units, and a fifth more: less than that is not worth a change.
const fn flat_work(ways: usize) -> u32 {
    match ways {
        1 => 1000,
        2 => 1350,
        _ => 1600,
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
    /// Candidates that the flat parser compares.
    ways: usize,
    now: Choice,
    /// The counts since the last change; older ones have less weight.
    seen: Counts,
    /// Checks before the parser may change.
    stay: u32,
    /// Checks before the keys for binaries may be tried again.
    binary_rest: u32,
}

impl Chooser {
    /// Chooses for the data after that of `counts`.
    fn choose(&mut self, counts: &Counts) {
        let before = self.now;
        self.seen = counts.with_half(&self.seen);
        self.choose_now();
        if self.now != before {
            self.seen = Counts::default();
        }
    }

    /// Chooses by `seen`.
    fn choose_now(&mut self) {
        let seen = self.seen;
        self.binary_rest = self.binary_rest.saturating_sub(1);
        if self.stay > 0 {
            self.stay -= 1;
        } else if self.now == Choice::Lazy && suits_flat(&seen, self.ways) {
            self.stay = STAY;
            self.now = self.first_keys();
            return;
        } else if self.now != Choice::Lazy && suits_lazy(&seen) {
            self.stay = STAY;
            self.now = Choice::Lazy;
            return;
        }
        match self.now {
            Choice::Flat(Keys::Binary) if seen.threes * THREES_PAY < seen.matches => {
                self.binary_rest = BINARY_REST;
                self.now = Choice::Flat(Keys::Text);
            }
            Choice::Flat(Keys::Text) if 2 * seen.literals() > 3 * seen.matches => {
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
    vectors: bool,
    state: ParseState,
    chooser: Chooser,
    /// The parser of the choice that was current at the last span.
    parser: Option<(Choice, Parser)>,
}

impl Adaptive {
    /// A parser of `data[start..]`, where `data[..start]` is the window. `is_long`: more than 64 KiB of data is expected.
    pub(in crate::deflate) fn new(
        level: &'static LazyLevel,
        is_filtered: bool,
        start: usize,
        is_long: bool,
    ) -> Self {
        let chooser =
            Chooser { ways: level.ways, now: Choice::Lazy, seen: Counts::default(), stay: 0, binary_rest: 0 };
        let state = ParseState::new(start);
        let parser = None;
        Self { level, is_filtered, is_long, vectors: has_vectors(), state, chooser, parser }
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
        let (is_due, counts) = match (&mut self.parser, memory) {
            (Some((_, Parser::Lazy(lazy))), _) => {
                (lazy.advance(arrived, state, rings, block), lazy.take_counts())
            }
            (Some((_, Parser::Flat(flat))), Some(memory)) => {
                (flat.advance(arrived, state, (rings, memory), block), flat.take_counts(CHECK))
            }
            _ => return Err(Error::Stream),
        };
        if let Some(counts) = counts
            && !self.is_filtered
        {
            self.chooser.choose(&counts);
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
                Parser::Flat(Flat::new(
                    keys,
                    self.level.ways,
                    self.vectors,
                    &self.state,
                    (rings, memory),
                    data,
                )?)
            }
        })
    }

    /// Everything before this position is parsed.
    pub(in crate::deflate) fn position(&self) -> usize {
        self.state.cursor.position
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deflate::token::{Symbol, TOKEN_SLACK};
    use crate::format::params::Level;
    use crate::random::Random;

    fn chooser() -> Chooser {
        Chooser { ways: 2, now: Choice::Lazy, seen: Counts::default(), stay: 0, binary_rest: 0 }
    }

    /// The choices after each of `count` checks with these counts.
    fn course(chooser: &mut Chooser, counts: &Counts, count: usize) -> Vec<Choice> {
        (0..count)
            .map(|_| {
                chooser.choose(counts);
                chooser.now
            })
            .collect()
    }

    const PROSE: Counts = Counts {
        len: 16_384,
        matches: 2200,
        threes: 100,
        covered: 15_400,
        searches: 3000,
        compared: 4500,
        fives: 100,
    };
    const BINARY: Counts = Counts {
        len: 16_384,
        matches: 2000,
        threes: 800,
        covered: 13_000,
        searches: 5500,
        compared: 3600,
        fives: 100,
    };
    const LOGS: Counts = Counts {
        len: 16_384,
        matches: 550,
        threes: 20,
        covered: 15_000,
        searches: 1800,
        compared: 3000,
        fives: 0,
    };
    const NOISE_ONLY: Counts =
        Counts { len: 16_384, matches: 3, threes: 0, covered: 12, searches: 2000, compared: 100, fives: 0 };

    #[test]
    fn short_matches_choose_the_flat_parser() {
        let (text, binary) = (Choice::Flat(Keys::Text), Choice::Flat(Keys::Binary));
        assert_eq!(course(&mut chooser(), &PROSE, 3), [binary, text, text]);
        assert!(course(&mut chooser(), &BINARY, 20).iter().all(|&choice| choice == binary));
    }

    #[test]
    fn long_matches_and_noise_choose_the_lazy_parser() {
        assert!(course(&mut chooser(), &LOGS, 20).iter().all(|&choice| choice == Choice::Lazy));
        assert!(course(&mut chooser(), &NOISE_ONLY, 20).iter().all(|&choice| choice == Choice::Lazy));
    }

    #[test]
    fn a_change_lasts_some_checks() {
        let mut chooser = chooser();
        course(&mut chooser, &PROSE, 2);
        let mut flat = 0;
        while course(&mut chooser, &LOGS, 1) != [Choice::Lazy] {
            flat += 1;
        }
        assert!((STAY as usize - 2..8).contains(&flat), "{flat}");
        assert_eq!(course(&mut chooser, &PROSE, STAY as usize), [Choice::Lazy; STAY as usize]);
        assert!(course(&mut chooser, &PROSE, 4).contains(&Choice::Flat(Keys::Text)));
    }

    #[test]
    fn text_with_many_literals_tries_the_keys_for_binaries_again() {
        let mut chooser = chooser();
        course(&mut chooser, &PROSE, 2);
        let after = course(&mut chooser, &BINARY, BINARY_REST as usize + 2);
        assert!(after.contains(&Choice::Flat(Keys::Binary)), "{after:?}");
    }

    /// Data that changes its kind every 100 KB or so.
    fn changing(random: &mut Random, len: usize) -> Vec<u8> {
        let words: Vec<Vec<u8>> = (2..2002).map(|word| random.bytes(2 + word % 6)).collect();
        let mut data = Vec::new();
        while data.len() < len {
            let end = len.min(data.len() + 40_000 + random.below(120_000));
            let kind = random.below(4);
            while data.len() < end {
                match kind {
                    0 => data.extend(&words[random.below(words.len())]),
                    1 => data.extend_from_slice(b"2026-11-29 INFO request handled in 12 ms, status 200\n"),
                    2 => data.extend(random.bytes(64)),
                    _ => data.extend([random.byte() & 7, 0, random.byte() & 3, 1]),
                }
            }
        }
        data.truncate(len);
        data
    }

    /// The tokens of `data`, which arrives in pieces of at most `piece` bytes, and the number of spans of each parser. Calls
    /// `before_span` before each span.
    fn parse(
        data: &[u8],
        vectors: bool,
        piece: usize,
        mut before_span: impl FnMut(&mut Chooser),
    ) -> (Vec<Symbol>, [usize; 2]) {
        let crate::deflate::level::Method::Lazy(level) = Level::new(6).expect("a level").method() else {
            unreachable!("level 6 is lazy")
        };
        let mut rings = DistanceRings::new().expect("memory");
        let mut memory = None;
        let mut block = OpenBlock::new(data.len() + TOKEN_SLACK, Allocator::SYSTEM).expect("memory");
        block.prepare(data.len() + TOKEN_SLACK);
        block.open(0);
        let mut parser = Adaptive::new(level, false, 0, true);
        parser.vectors = vectors;
        let (mut arrived, mut spans) = (0, [0, 0]);
        while parser.position() < data.len() {
            before_span(&mut parser.chooser);
            let part = Arrived { data: &data[..arrived], is_whole: arrived == data.len() };
            match parser.advance(part, &mut rings, &mut memory, &mut block).expect("memory") {
                Some(_) => spans[usize::from(matches!(parser.parser, Some((Choice::Flat(_), _))))] += 1,
                None => arrived = data.len().min(arrived + piece),
            }
        }
        (block.symbols(), spans)
    }

    #[test]
    fn the_parser_may_change_before_every_span() {
        let mut random = Random::varied(7);
        let data = changing(&mut random, if cfg!(miri) { 3000 } else { 500_000 });
        let mut choices =
            [Choice::Lazy, Choice::Flat(Keys::Binary), Choice::Flat(Keys::Text)].into_iter().cycle();
        let next = |chooser: &mut Chooser| chooser.now = choices.next().expect("it is endless");
        let (symbols, [lazy, flat]) = parse(&data, has_vectors(), data.len(), next);
        assert!(lazy > 0 && flat > lazy, "all were used: {lazy}, {flat}");
        let mut decoded = Vec::new();
        symbols.into_iter().for_each(|symbol| symbol.decode(&mut decoded));
        assert!(decoded == data);
    }

    #[test]
    fn neither_vectors_nor_pieces_change_the_tokens() {
        if cfg!(miri) {
            return; // The parser changes after 16 KiB or more; the test above changes it earlier.
        }
        let mut random = Random::varied(6);
        for _ in 0..3 {
            let data = changing(&mut random, 900_000);
            let (whole, [lazy, flat]) = parse(&data, has_vectors(), data.len(), |_| {});
            assert!(lazy > 20 && flat > 20, "both parsers were used: {lazy}, {flat}");
            let piece = 1 + random.below(20_000);
            assert!(parse(&data, false, data.len(), |_| {}).0 == whole, "without vectors");
            assert!(parse(&data, has_vectors(), piece, |_| {}).0 == whole, "in pieces of {piece}");
        }
    }
}
