//! Counts of the matches that a parser found. From them `adaptive` and `tuning` choose how to parse
//! the next 16 KiB.
//!
//! A parser counts matches when it takes them, and the bytes of a span at its end; the literals are
//! the rest. So no literal costs an addition. Each parser counts what it can: the flat one has no
//! searches, the quick one no matches of three bytes.

#![forbid(unsafe_code)]

use super::SPAN;
use crate::format::deflate::MIN_MATCH;

/// Bytes between two checks of the counts.
pub(super) const CHECK: usize = 16 * SPAN;

/// The counts since the last check.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// Bytes parsed.
    pub(super) len: u32,
    pub(super) matches: u32,
    /// Matches of three bytes.
    pub(super) threes: u32,
    /// Bytes in matches.
    pub(super) covered: u32,
    /// First searches of the lazy parser.
    pub(super) searches: u32,
    /// Candidates that its searches compared.
    pub(super) compared: u32,
    /// Matches of five bytes that only its chain or table of five bytes found.
    pub(super) fives: u32,
}

impl Counts {
    /// Counts a match of `length` bytes.
    #[inline(always)]
    pub(super) fn add_match(&mut self, length: usize) {
        self.matches += 1;
        self.threes += u32::from(length == MIN_MATCH);
        self.covered += length as u32;
    }

    /// The bytes that are in no match.
    pub(super) fn literals(&self) -> u32 {
        self.len - self.covered.min(self.len)
    }

    /// Literals and matches in 1 KiB.
    pub(super) fn symbols_in_kib(&self) -> u32 {
        (self.literals() + self.matches) * 1024 / self.len.max(1)
    }

    /// The sums with half of `earlier`: repeated at every check, the counts of `n` checks ago have
    /// the weight `1 / 2^n`.
    pub(super) fn with_half(&self, earlier: &Self) -> Self {
        Self {
            len: self.len + earlier.len / 2,
            matches: self.matches + earlier.matches / 2,
            threes: self.threes + earlier.threes / 2,
            covered: self.covered + earlier.covered / 2,
            searches: self.searches + earlier.searches / 2,
            compared: self.compared + earlier.compared / 2,
            fives: self.fives + earlier.fives / 2,
        }
    }
}
