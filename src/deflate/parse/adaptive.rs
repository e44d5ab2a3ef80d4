//! Levels 2 to 9: the lazy, the flat or the quick parser, whichever suits the data.
//!
//! The time of the lazy parser grows with its searches and the candidates that they compare; the flat one takes the same time
//! for all data. Where matches are long, the lazy parser compares more candidates and its output is smaller. So the flat parser
//! is for data with short matches and many symbols (prose, DNA reads, binaries, SQL), the lazy parser for data with long ones
//! (logs, markup, most source code) and, from level 4 on, for noise, which it skips. Where matches are very long the quick
//! parser takes half of the lazy one's time, for slightly larger output. Level 4 uses it there. Levels 2 and 3 use it for
//! everything but tables of numbers and, at level 3, data with dense matches, which the flat parser takes. Level 2 has no flat
//! parser.
//!
//! A chunk begins with the lazy parser, at levels 2 and 3 with the quick one, unless a sample shows
//! that another one suits it. After each 16 KiB (a *check*) the counts of these bytes, and earlier
//! ones with half the weight, choose the next parser. A new parser stays for some checks, since it
//! must first enter the window in its tables. With the flat parser, the counts also choose its
//! keys: those for binaries are tried first, since only they show how many matches of three bytes
//! there are.
//!
//! Where matches are long but the lazy parser is slow, since it compares many candidates for each, the flat one takes over too, and
//! stays until matches become very long.
//!
//! Data of few letters, such as DNA, goes to the flat parser at once, with longer keys: its short
//! strings occur so often that with the usual keys no parser's candidates would reach the few far
//! matches that pay. Other filtered data stays with the lazy parser.
//!
//! At levels 5 and 6 the flat parser compares as many candidates as at level 9 in text with characters of two bytes (UTF-16).
//!
//! The quick parser finds no matches of three bytes, which tables of numbers consist of, and poor ones in runs of equal pixels.
//! So samples of the data are searched for both, at the start of a chunk and at each check; if there are many, the lazy parser
//! is tried.
//!
//! Counts depend only on the data, so the output does too.
//!
//! The changes, with the condition that causes each (levels 4 to 9 begin with the lazy parser,
//! levels 2 and 3 with the quick one):
//!
//! ```text
//! from     to      if
//! lazy     flat    it is slow enough that the flat one is faster, and matches are short
//!                  (`suits_flat`); or it is very slow (`is_slow`)
//! lazy     quick   level 4: matches are very long; levels 2, 3: there are no numbers or pixels
//! quick    flat    levels 3, 4: many matches, few literals (`is_dense`)
//! quick    lazy    level 4: matches became shorter; all: samples of numbers or pixels
//! flat     first   matches became long, or noise (`suits_lazy`)
//! flat     flat    the other keys, by the share of three-byte matches and of literals
//! any      flat    a sample has few letters (`letter_keys`), and matches are not very long;
//!                  back to `first` when one of the two no longer holds
//! ```
//!
//! Each condition but the last differs from that for the way back, so that data near a limit does
//! not change parsers again and again.

#![forbid(unsafe_code)]

use super::counts::{CHECK, Counts};
use super::flat::{Flat, Keys, Memory, has_vectors};
use super::lazy::Lazy;
use super::quick::Quick;
use super::tuning::FIVES_FEW;
use super::{
    Arrived, Cursor, LetterCount, ParseState, SAMPLE_MIN, few_letters, has_pixels, has_wide_characters,
    in_short_matches,
};
use crate::deflate::level::AdaptiveLevel;
use crate::deflate::match_finder::distance_rings::{DistanceRings, MEDIUM_INPUT};
use crate::deflate::token::OpenBlock;
use crate::error::{Error, Result};
use crate::raw::{Allocator, Placed};

/// The number of checks that a change of the parser lasts at least: the window of 32 KiB has to be entered again.
const STAY: u32 = 4;
/// The number of checks after which the keys for binaries are tried again. With the keys for text
/// no match of three bytes is found, so their number is not known.
const BINARY_REST: u32 = 6;
/// The number of checks after which samples may select the lazy parser again: a chunk of the pipeline.
const THREES_REST: u32 = 31;

/// Data is short if its matches have fewer bytes than this in the mean, or if it has at least this
/// many symbols in 1 KiB. Without the first condition Python and Rust sources became up to 25 %
/// slower and 1 % larger; without the second CSV and markup 2 to 10 % larger.
const SHORT: (u32, u32) = (12, 200);
/// Data that the flat parser compresses is long if its matches have at least this many bytes in the mean, and if it has fewer
/// symbols in 1 KiB: the limits differ, since the flat parser finds more short matches.
const LONG: (u32, u32) = (13, 170);
/// The same limits for data with which the lazy parser was slow.
const VERY_LONG: (u32, u32) = (20, 100);
/// Literals are few if there is at most one for this many matches. Without this condition in
/// `is_slow`, UTF-16 was 1.8 % larger.
const LITERALS_FEW: u32 = 7;
/// Data suits the quick parser if its matches have at least this many bytes in the mean, and if it has fewer symbols in 1 KiB:
/// then many candidates need not be compared, nor matches of three bytes found.
const QUICK: (u32, u32) = (16, 160);
/// The same limits for data that the quick parser already compresses.
const QUICK_STILL: (u32, u32) = (14, 180);
/// Data that the quick parser compresses suits the flat one if it has at least this many matches in
/// 1 KiB, and fewer literals than matches.
const DENSE: u32 = 100;
/// Data is noise if matches cover less than one byte in this many. The lazy and the quick parser
/// skip most of it; the flat one takes as long as for other data.
const NOISE: u32 = 8;
/// The time that the lazy parser takes to fill the chain or table of five bytes, in the units of
/// [`lazy_work`]. It uses them only where they find enough matches.
const FIVES_WORK: u32 = 200;
/// The bytes of a sample that is searched for matches of three bytes. Unless the data ends, all of
/// them have arrived: after a span at least `MIN_BLOCK` bytes have (`AHEAD`).
const SAMPLE: usize = 512;
/// The lazy parser replaces the quick one if at least this much of a sample, in percent, is in
/// matches of three bytes: at the start of a chunk, where a wrong choice costs little, and later.
/// With 20 at both places logs took 1.8 times as long.
const THREES_AT_START: usize = 20;
const THREES_LATER: usize = 40;
/// The keys for binaries stay if at least one match in this many has three bytes.
const THREES_PAY: u32 = 5;

/// Whether the flat parser with this many candidates would be faster than the lazy one that counted
/// this, and finds enough: it compares few candidates for each position, which loses most where
/// matches are long.
fn suits_flat(counts: &Counts, ways: usize) -> bool {
    ways > 0 && !is_long(counts, SHORT) && !is_noise(counts) && lazy_work(counts) > flat_work(ways)
}

/// Whether the lazy parser that counted this was so slow that the flat one with this many
/// candidates suits long matches too: it compared many candidates for each. Where there are almost
/// no literals, the longest matches are worth that time.
///
/// The limit is 1.4 times [`flat_work`]. Descriptions of locales became 7.3 % smaller in 0.79 of
/// the time by this, shared libraries 0.5 % in 0.82 of it.
fn is_slow(counts: &Counts, ways: usize) -> bool {
    let has_literals = counts.literals() * LITERALS_FEW > counts.matches;
    let is_long = counts.covered >= VERY_LONG.0 * counts.matches;
    ways > 0 && has_literals && !is_long && !is_noise(counts) && lazy_work(counts) * 5 > flat_work(ways) * 7
}

/// Whether the matches have at least `mean` bytes in the mean, and there are fewer than `symbols` symbols in 1 KiB.
fn is_long(counts: &Counts, (mean, symbols): (u32, u32)) -> bool {
    counts.covered >= mean * counts.matches && counts.symbols_in_kib() < symbols
}

/// The bytes of the sample from `at` on.
fn sample(data: &[u8], at: usize) -> &[u8] {
    &data[at..data.len().min(at + SAMPLE)]
}

/// Whether at least `percent` of `sample` are in matches of three bytes, which the quick parser does not find.
fn has_numbers(sample: &[u8], percent: usize) -> bool {
    sample.len() >= SAMPLE_MIN && in_short_matches(sample) * 100 >= sample.len() * percent
}

/// The step is a prime number, so that few records have the same bytes there.
const LETTERS: LetterCount = LetterCount { step: 11, same: 9 };

/// The flat parser's keys for the data at the front of `data`, if it has few letters and no pixels.
/// Looks at 4 KiB, fewer than `MIN_BLOCK`, so they have arrived (see [`SAMPLE`]).
fn letter_keys(data: &[u8]) -> Option<Keys> {
    let keys = match few_letters(data, &LETTERS) {
        2 => Keys::TwoLetters,
        4 => Keys::FourLetters,
        _ => return None,
    };
    (!has_pixels(sample(data, 0))).then_some(keys)
}

/// Whether at least half of the matches have three bytes, and there are any. After the quick
/// parser, which finds none, `threes` is set from a sample ([`Adaptive::advance`]).
fn has_threes(counts: &Counts) -> bool {
    counts.threes * 2 >= counts.matches && counts.threes > 0
}

/// Whether the flat parser suits the data better than the quick one that counted this: there are
/// many matches and few literals.
fn is_dense(counts: &Counts, ways: usize) -> bool {
    ways > 0 && counts.matches * 1024 >= counts.len * DENSE && counts.literals() < counts.matches
}

/// Whether the level's first parser suits the data better than the flat one that counted this. `was_slow`: it was slow before.
fn suits_lazy(counts: &Counts, was_slow: bool) -> bool {
    is_long(counts, if was_slow { VERY_LONG } else { LONG }) || is_noise(counts)
}

fn is_noise(counts: &Counts) -> bool {
    counts.covered * NOISE < counts.len
}

/// The time that the lazy parser took for 1 KiB beyond that of its fill pass, in units of about
/// 10 ns: fitted to 21 files at levels 3, 6 and 9, for which it is right within a fifth. Time is
/// estimated from counts, not measured: the output must not depend on the machine.
fn lazy_work(counts: &Counts) -> u32 {
    // In 64 bits: level 9 may compare hundreds of candidates for each byte.
    let [searches, matches, compared] = [counts.searches, counts.matches, counts.compared].map(u64::from);
    let work = (2 * searches + 5 * matches + compared * 4 / 3) * 1024 / u64::from(counts.len.max(1));
    let fives = if counts.fives * FIVES_FEW > counts.matches { FIVES_WORK } else { 0 };
    u32::try_from(work).unwrap_or(u32::MAX - FIVES_WORK) + fives
}

/// The time that the flat parser takes, in the same units, and a fifth more: a smaller gain is not
/// worth a change. It does not depend on the data.
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
    Quick,
    Flat(Keys),
}

/// Makes the choices.
#[derive(Debug)]
struct Chooser {
    /// The parser that a chunk begins with, and that follows the flat one: quick at levels 2 and 3, otherwise lazy.
    first: Choice,
    is_filtered: bool,
    /// Whether the level has the quick parser.
    has_quick: bool,
    /// Candidates that the flat parser compares.
    ways: usize,
    now: Choice,
    /// Whether the lazy parser was slow when it was left.
    was_slow: bool,
    /// The counts since the last change; older ones have less weight.
    seen: Counts,
    /// Checks before the parser may change.
    stay: u32,
    /// Checks before samples may select the lazy parser for matches of three bytes again: it did not find many.
    threes_rest: u32,
    /// Checks before the keys for binaries may be tried again.
    binary_rest: u32,
    /// The flat parser's keys for the next data if it has few letters and the level has that parser.
    letters: Option<Keys>,
}

impl Chooser {
    fn new(level: &AdaptiveLevel, is_filtered: bool) -> Self {
        let first = if level.begins_quick && !is_filtered { Choice::Quick } else { Choice::Lazy };
        Self {
            first,
            is_filtered,
            has_quick: level.quick.is_some(),
            ways: level.ways,
            now: first,
            was_slow: false,
            seen: Counts::default(),
            stay: 0,
            threes_rest: 0,
            binary_rest: 0,
            letters: None,
        }
    }

    /// Chooses for the start of a chunk, which begins with `data`: the level's first parser, unless a sample shows that another
    /// one suits it.
    fn start(&mut self, data: &[u8]) {
        let sample = sample(data, 0);
        self.note_letters(data);
        if let Some(keys) = self.letters {
            self.now = Choice::Flat(keys);
        } else if self.now == Choice::Quick && (has_numbers(sample, THREES_AT_START) || has_pixels(sample)) {
            self.now = Choice::Lazy;
        }
    }

    /// Looks for few letters in the next data, which begins with `data`.
    fn note_letters(&mut self, data: &[u8]) {
        self.letters = if self.ways > 0 { letter_keys(data) } else { None };
    }

    /// Chooses for the data after that of `counts`. Earlier counts are added with half their
    /// weight, so one unusual check decides little. After a change they start anew: the counts of
    /// two parsers cannot be compared.
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
        self.threes_rest = self.threes_rest.saturating_sub(1);
        if self.stay > 0 {
            self.stay -= 1;
        } else if let Some(next) = self.next_parser(&seen) {
            self.stay = STAY;
            self.was_slow = self.now == Choice::Lazy && is_slow(&seen, self.ways);
            // The lazy parser found no numbers or pixels: samples may select it again only after a
            // while.
            if (self.now, next) == (Choice::Lazy, Choice::Quick) {
                self.threes_rest = THREES_REST;
            }
            self.now = next;
            return;
        }
        // The parser stays; perhaps its keys change. That does not wait for `stay`: a change of
        // keys may follow a change of parsers at once.
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

    /// The parser to change to, if one suits the data better.
    fn next_parser(&self, seen: &Counts) -> Option<Choice> {
        let letters = self.letters.filter(|_| !is_long(seen, VERY_LONG)).map(Choice::Flat);
        let are_letters = matches!(self.now, Choice::Flat(Keys::FourLetters | Keys::TwoLetters));
        if letters.is_some() || are_letters {
            return letters.or(Some(self.first)).filter(|&next| next != self.now);
        }
        // Other filtered data stays with the lazy parser, which alone has a rule for it (`tuning`).
        if self.is_filtered {
            return None;
        }
        match self.now {
            Choice::Lazy if suits_flat(seen, self.ways) || is_slow(seen, self.ways) => {
                Some(self.first_keys())
            }
            Choice::Lazy if self.suits_quick(seen) => Some(Choice::Quick),
            Choice::Quick if is_dense(seen, self.ways) => Some(self.first_keys()),
            Choice::Quick if !self.suits_quick_still(seen) => Some(Choice::Lazy),
            Choice::Flat(_) if suits_lazy(seen, self.was_slow) => Some(self.first),
            _ => None,
        }
    }

    fn suits_quick(&self, seen: &Counts) -> bool {
        let is_suited = self.first == Choice::Quick || is_long(seen, QUICK) && !is_noise(seen);
        self.has_quick && is_suited && !has_threes(seen)
    }

    fn suits_quick_still(&self, seen: &Counts) -> bool {
        let is_suited = self.first == Choice::Quick || is_long(seen, QUICK_STILL) && !is_noise(seen);
        is_suited && (self.threes_rest > 0 || !has_threes(seen))
    }

    /// The keys with which the flat parser begins. Only those for binaries show whether they pay.
    fn first_keys(&self) -> Choice {
        Choice::Flat(if self.binary_rest == 0 { Keys::Binary } else { Keys::Text })
    }
}

/// The parser in use.
#[derive(Debug)]
enum Parser {
    Quick(Quick),
    Lazy(Lazy),
    Flat(Flat),
}

/// The state between two spans.
#[derive(Debug)]
pub(in crate::deflate) struct Adaptive {
    level: &'static AdaptiveLevel,
    is_filtered: bool,
    is_long: bool,
    vectors: bool,
    state: ParseState,
    chooser: Chooser,
    /// The parser of the last span, and its choice. After a change of the choice, the new parser is
    /// made at the start of the next span: if its memory cannot be allocated there, the call can be
    /// repeated.
    parser: Option<(Choice, Parser)>,
}

impl Adaptive {
    /// A parser of `data[start..]`, where `data[..start]` is the window. `is_long`: more than 64 KiB of data is expected.
    pub(in crate::deflate) fn new(
        level: &'static AdaptiveLevel,
        is_filtered: bool,
        start: usize,
        is_long: bool,
    ) -> Self {
        let chooser = Chooser::new(level, is_filtered);
        let state = ParseState::new(start);
        Self { level, is_filtered, is_long, vectors: has_vectors(), state, chooser, parser: None }
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
        let Cursor { start, position, .. } = self.state.cursor;
        if arrived.span_end(start, position).is_none() {
            return Ok(None);
        }
        if self.parser.is_none() {
            self.chooser.start(&arrived.data[position..]);
        }
        let choice = self.chooser.now;
        if self.parser.as_ref().is_none_or(|(running, _)| *running != choice) {
            self.parser = Some((choice, self.make(choice, arrived.data, rings, memory)?));
        }
        let state = &mut self.state;
        let (is_due, counts) = match (&mut self.parser, memory) {
            (Some((_, Parser::Quick(quick))), _) => {
                let is_due = quick.advance(arrived, state, rings, block);
                // The quick parser counts no matches of three bytes. A sample of the next data
                // takes the place of the count: all of the matches have three bytes, or none.
                let counts = quick.take_counts().map(|counts| {
                    let sample = sample(arrived.data, state.cursor.position);
                    let is_for_lazy = has_numbers(sample, THREES_LATER) || has_pixels(sample);
                    Counts { threes: if is_for_lazy { counts.matches.max(1) } else { 0 }, ..counts }
                });
                (is_due, counts)
            }
            (Some((_, Parser::Lazy(lazy))), _) => {
                let is_due = lazy.advance(arrived, state, rings, block);
                // While there are pixels, the lazy parser must not return to the quick one: they
                // count as numbers.
                let counts = lazy.take_counts().map(|counts| {
                    let is_pixels = has_pixels(sample(arrived.data, state.cursor.position));
                    Counts { threes: if is_pixels { counts.matches.max(1) } else { counts.threes }, ..counts }
                });
                (is_due, counts)
            }
            (Some((_, Parser::Flat(flat))), Some(memory)) => {
                (flat.advance(arrived, state, (rings, memory), block), flat.take_counts(CHECK))
            }
            _ => return Err(Error::Stream),
        };
        if let Some(counts) = counts {
            self.chooser.note_letters(&arrived.data[self.state.cursor.position..]);
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
                Parser::Lazy(Lazy::new(&self.level.lazy, self.is_filtered, rings, position, is_long)?)
            }
            Choice::Quick => {
                let level = self.level.quick.as_ref().ok_or(Error::Stream)?;
                Parser::Quick(Quick::new(level, &self.state.costs, rings, self.state.cursor.position)?)
            }
            Choice::Flat(keys) => {
                let memory = match memory {
                    Some(memory) => memory,
                    none => none.insert(Placed::zeroed(Allocator::SYSTEM)?),
                };
                // In UTF-16 four bytes are only two characters, so more candidates must be
                // compared.
                let sample = sample(data, self.state.cursor.position);
                let is_wide = has_wide_characters(sample);
                let ways = if is_wide && self.level.ways == 2 { 4 } else { self.level.ways };
                Parser::Flat(Flat::new(keys, ways, self.vectors, &self.state, (rings, memory), data)?)
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
    use crate::deflate::level::Method;
    use crate::deflate::token::{Symbol, TOKEN_SLACK};
    use crate::format::params::Level;
    use crate::random::Random;

    fn chooser() -> Chooser {
        chooser_of(6)
    }

    fn chooser_of(level: u32) -> Chooser {
        Chooser::new(adaptive(level), false)
    }

    fn adaptive(level: u32) -> &'static AdaptiveLevel {
        match Level::new(level).expect("a level").method() {
            Method::Adaptive(level) => level,
            _ => unreachable!("levels 2 to 9 only"),
        }
    }

    /// The choice after each of `count` checks with these counts.
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
    fn very_long_matches_choose_the_quick_parser_where_there_is_one() {
        assert_eq!(course(&mut chooser_of(4), &LOGS, 3), [Choice::Quick; 3]);
        let mut chooser = chooser_of(4);
        course(&mut chooser, &LOGS, 1);
        let after = course(&mut chooser, &BINARY, 10);
        assert!(after.contains(&Choice::Lazy) && matches!(after[9], Choice::Flat(_)), "{after:?}");
    }

    #[test]
    fn levels_2_and_3_have_the_quick_parser_unless_matches_are_dense() {
        let binary = Counts { threes: 0, matches: 1400, covered: 10_000, ..BINARY };
        for counts in [LOGS, NOISE_ONLY, binary] {
            for level in [2, 3] {
                assert_eq!(course(&mut chooser_of(level), &counts, 3), [Choice::Quick; 3]);
            }
        }
        assert_eq!(course(&mut chooser_of(2), &PROSE, 3), [Choice::Quick; 3]);
        assert!(matches!(course(&mut chooser_of(3), &PROSE, 2)[1], Choice::Flat(_)));
    }

    #[test]
    fn many_matches_of_three_bytes_select_the_lazy_parser() {
        let numbers = Counts { threes: 2000, ..BINARY };
        for level in [2, 3] {
            let mut chooser = chooser_of(level);
            assert_eq!(course(&mut chooser, &numbers, 3), [Choice::Lazy; 3], "level {level}");
            // The sample was wrong: samples are ignored for a while.
            let text = Counts { threes: 0, ..LOGS };
            assert!(course(&mut chooser, &text, 10).ends_with(&[Choice::Quick; 3]), "level {level}");
            let sampled = Counts { threes: LOGS.matches, ..LOGS };
            assert_eq!(course(&mut chooser, &sampled, 10), [Choice::Quick; 10], "level {level}");
        }
    }

    #[test]
    fn chunks_of_numbers_and_pixels_begin_with_the_lazy_parser() {
        let numbers: Vec<u8> = (0..20_000u32).flat_map(|number| (number * 3).to_le_bytes()).collect();
        let mut random = Random::new(3);
        let mut pixels = Vec::new();
        while pixels.len() < 80_000 {
            let pixel = random.pick(&[[64u8, 76, 87], [226, 53, 1], [152, 76, 9], [3, 200, 90]]);
            pixels.extend(pixel.repeat(2 + random.below(9)));
        }
        let text = b"2026-11-29 INFO request handled in 12 ms, status 200\n".repeat(1500);
        for level in [2, 3] {
            for data in [&numbers, &pixels] {
                let (_, [lazy, quick, _]) = parse(level, (data, data.len()), has_vectors(), |_| {});
                assert!(lazy > 0 && quick == 0, "level {level}: {lazy}, {quick}");
            }
            let (_, [lazy, quick, _]) = parse(level, (&text, text.len()), has_vectors(), |_| {});
            assert!(lazy == 0 && quick > 0, "level {level}: {lazy}, {quick}");
        }
    }

    #[test]
    fn filtered_data_get_no_matches_by_chance() {
        // Like the residuals of a predictor on a photograph: small values of either sign, independent of each other.
        let mut random = Random::new(77);
        let data: Vec<u8> = (0..100_000)
            .map(|_| (random.next().trailing_zeros() as i8 * if random.below(2) == 0 { 1 } else { -1 }) as u8)
            .collect();
        for level in [6, 9] {
            let [usual, filtered] = [false, true].map(|is_filtered| {
                let parser = Adaptive::new(adaptive(level), is_filtered, 0, true);
                let mut rings = DistanceRings::new().expect("memory");
                let (symbols, _) = parse_with(parser, &mut rings, (&data, data.len()), has_vectors(), |_| {});
                let is_short = |symbol: &&Symbol| matches!(symbol, Symbol::Match { length: ..6, .. });
                symbols.iter().filter(is_short).count()
            });
            assert!(filtered == 0 && usual > 100, "level {level}: {filtered} after {usual}");
        }
    }

    #[test]
    fn few_letters_choose_the_flat_parser_until_matches_are_very_long() {
        let mut random = Random::new(5);
        let mut data =
            |next: &dyn Fn(&mut Random) -> u8| -> Vec<u8> { (0..5000).map(|_| next(&mut random)).collect() };
        let dna = data(&|random| b"ACGT"[random.below(4)]);
        let digits = data(&|random| b'0' + random.below(2) as u8);
        let bits = data(&|random| 1 << random.below(8));
        let runs: Vec<u8> = (0..5000).map(|at| (at / 100 % 3) as u8).collect();
        let pixels: Vec<u8> = (0..5000).map(|at| (at % 2 + at / 10 % 2 * 2) as u8).collect();
        let (four, two) = (Some(Keys::FourLetters), Some(Keys::TwoLetters));
        for (data, keys) in [(&dna, four), (&digits, two), (&bits, None), (&runs, None), (&pixels, None)] {
            for level in 3..=9 {
                let mut chooser = chooser_of(level);
                chooser.start(data);
                let is_usual = matches!(chooser.now, Choice::Lazy | Choice::Quick);
                assert!(keys.map_or(is_usual, |keys| chooser.now == Choice::Flat(keys)), "level {level}");
                let mut filtered = Chooser::new(adaptive(level), true);
                filtered.start(data);
                assert_eq!(filtered.now, keys.map_or(Choice::Lazy, Choice::Flat), "level {level}");
            }
        }
        let mut chooser = chooser();
        chooser.letters = four;
        let dna = Choice::Flat(Keys::FourLetters);
        assert_eq!(course(&mut chooser, &NOISE_ONLY, 2), [dna; 2]);
        let repeated = Counts { len: 16_384, matches: 64, covered: 16_380, ..Counts::default() };
        assert_eq!(course(&mut chooser, &repeated, 6)[5], Choice::Lazy);
        assert_eq!(course(&mut chooser, &NOISE_ONLY, 6)[5], dna);
        chooser.letters = None;
        assert_eq!(course(&mut chooser, &NOISE_ONLY, 6)[5], Choice::Lazy);
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
            let kind = random.below(7);
            while data.len() < end {
                match kind {
                    0 => data.extend(&words[random.below(words.len())]),
                    1 => data.extend_from_slice(b"2026-11-29 INFO request handled in 12 ms, status 200\n"),
                    2 => data.extend(random.bytes(64)),
                    3 => data.push(b"ACGT"[random.below(4)]),
                    4 if data.len() > 40_000 => {
                        let from = data.len() - 20_000 - random.below(12_000);
                        data.extend_from_within(from..from + 1000);
                    }
                    _ => data.extend([random.byte() & 7, 0, random.byte() & 3, 1]),
                }
            }
        }
        data.truncate(len);
        data
    }

    /// The tokens of `data`, which arrives in pieces of at most `piece` bytes, and the number of spans of the lazy, the quick
    /// and the flat parser. Calls `before_span` before each span.
    fn parse(
        level: u32,
        data: (&[u8], usize),
        vectors: bool,
        before_span: impl FnMut(&mut Chooser),
    ) -> (Vec<Symbol>, [usize; 3]) {
        parse_in(&mut DistanceRings::new().expect("memory"), level, data, vectors, before_span)
    }

    /// The same with these rings.
    fn parse_in(
        rings: &mut DistanceRings,
        level: u32,
        (data, piece): (&[u8], usize),
        vectors: bool,
        before_span: impl FnMut(&mut Chooser),
    ) -> (Vec<Symbol>, [usize; 3]) {
        parse_with(Adaptive::new(adaptive(level), false, 0, true), rings, (data, piece), vectors, before_span)
    }

    /// The same with this parser.
    fn parse_with(
        mut parser: Adaptive,
        rings: &mut DistanceRings,
        (data, piece): (&[u8], usize),
        vectors: bool,
        mut before_span: impl FnMut(&mut Chooser),
    ) -> (Vec<Symbol>, [usize; 3]) {
        let mut memory = None;
        let mut block = OpenBlock::new(data.len() + TOKEN_SLACK, Allocator::SYSTEM).expect("memory");
        block.prepare(data.len() + TOKEN_SLACK);
        block.open(0);
        parser.vectors = vectors;
        let (mut arrived, mut spans) = (0, [0; 3]);
        while parser.position() < data.len() {
            before_span(&mut parser.chooser);
            let part = Arrived { data: &data[..arrived], is_whole: arrived == data.len() };
            match parser.advance(part, rings, &mut memory, &mut block).expect("memory") {
                Some(_) => match parser.parser {
                    Some((Choice::Lazy, _)) => spans[0] += 1,
                    Some((Choice::Quick, _)) => spans[1] += 1,
                    _ => spans[2] += 1,
                },
                None => arrived = data.len().min(arrived + piece),
            }
        }
        (block.symbols(), spans)
    }

    #[test]
    fn the_parser_may_change_before_every_span() {
        let mut random = Random::varied(7);
        let data = changing(&mut random, if cfg!(miri) { 5000 } else { 500_000 });
        let flat = [Keys::Binary, Keys::Text, Keys::FourLetters, Keys::TwoLetters].map(Choice::Flat);
        let all = [Choice::Lazy, flat[0], Choice::Quick, flat[1], flat[2], flat[3]];
        let mut choices = all.into_iter().cycle();
        let next = |chooser: &mut Chooser| chooser.now = choices.next().expect("the choices do not end");
        let (symbols, spans) = parse(4, (&data, data.len()), has_vectors(), next);
        assert!(spans.iter().all(|&count| count > 0), "every parser must be used: {spans:?}");
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
        for (level, used) in [
            (2, [true, true, false]),
            (3, [true, true, true]),
            (4, [true, true, true]),
            (6, [true, false, true]),
        ] {
            let data = changing(&mut random, 2_000_000);
            let (whole, spans) = parse(level, (&data, data.len()), has_vectors(), |_| {});
            assert_eq!(spans.map(|count| count > 20), used, "the parsers of level {level}: {spans:?}");
            let piece = 1 + random.below(20_000);
            assert!(parse(level, (&data, data.len()), false, |_| {}).0 == whole, "without vectors");
            assert!(parse(level, (&data, piece), has_vectors(), |_| {}).0 == whole, "in pieces of {piece}");
            let mut used = DistanceRings::new().expect("memory");
            let other = changing(&mut random, 300_000);
            for before in [4, 6] {
                parse_in(&mut used, before, (&other, other.len()), has_vectors(), |_| {});
                let again = parse_in(&mut used, level, (&data, data.len()), has_vectors(), |_| {});
                assert!(again.0 == whole, "after level {before} in the same tables");
            }
        }
    }
}
