//! The level table: what each compression level does.
//!
//! Levels 1 and 2 look up one or two places and take what they find, unless the next byte has better. Levels 3 to 9 are one
//! parser over one match finder, with more candidates compared and later places tried as the number grows. Levels 10 to 12,
//! which zlib does not have, weigh whole paths through the input over the same match finder.
//!
//! On each of the seven Silesia files of docs/ENCODER.md a level's output is smaller than that of zlib's same level, and all seven
//! together smaller than zlib-ng's, in less time than zlib-ng's: hardly less up to level 4, far less above.

#![forbid(unsafe_code)]

use crate::format::params::Level;

impl Level {
    pub(super) fn method(self) -> &'static Method {
        &METHODS[self.number() as usize]
    }
}

/// A parser and its parameters.
pub(super) enum Method {
    /// No compression: stored blocks.
    Stored,
    /// One table of the newest place of each four bytes.
    Fast,
    /// Two tables, of six bytes and of four: the better match by its value.
    Fastest,
    Lazy(LazyLevel),
    NearOptimal(NearOptimalLevel),
}

/// Parameters of the lazy parser.
#[derive(Debug)]
pub(super) struct LazyLevel {
    /// Candidates compared in a search.
    pub(super) depth: u32,
    /// In the search one byte later.
    pub(super) lazy_depth: u32,
    /// In the search two bytes later; 0 for none.
    pub(super) second_lazy_depth: u32,
    /// A match this long ends a search.
    pub(super) nice: usize,
    /// After a match this long, a later search compares a quarter of the candidates (zlib's `good_length`).
    pub(super) good: usize,
    /// Matches this long are taken without a lazy search.
    pub(super) lazy_below: usize,
}

/// Parameters of the near-optimal parser.
#[derive(Debug)]
pub(super) struct NearOptimalLevel {
    /// Candidates compared in a search.
    pub(super) depth: u32,
    /// A match this long is taken at once.
    pub(super) nice: usize,
    /// What a position must be cheaper to reach than the end of the match that crosses it, in 1/16 bit, to be searched.
    pub(super) margin: i32,
    /// A match with so many bytes left from the byte before is searched only for longer ones.
    pub(super) carry_from: usize,
    /// How often a block is decided anew with its own costs.
    pub(super) passes: u32,
}

const fn near_optimal(depth: u32, nice: usize, margin: i32, carry_from: usize, passes: u32) -> Method {
    Method::NearOptimal(NearOptimalLevel { depth, nice, margin, carry_from, passes })
}

const fn lazy(depths: [u32; 3], good: usize, nice: usize, lazy_below: usize) -> Method {
    let [depth, lazy_depth, second_lazy_depth] = depths;
    Method::Lazy(LazyLevel { depth, lazy_depth, second_lazy_depth, good, nice, lazy_below })
}

const METHODS: [Method; 13] = [
    Method::Stored,
    Method::Fast,
    Method::Fastest,
    lazy([2, 1, 0], 32, 32, 6),
    lazy([4, 2, 0], 48, 48, 12),
    lazy([6, 3, 0], 96, 96, 32),
    // Up to here a second place is tried for short matches only, from here on for all.
    lazy([8, 4, 0], 130, 130, 130),
    lazy([8, 4, 2], 130, 130, 130),
    lazy([24, 12, 6], 32, 130, 130),
    // A depth of 300 gains 0.03 %; 64 in the lazy searches another 0.04 %, at 6 % more time.
    // Good matches: logs and tables take 5 to 9 % less time for 0.4 % of the size, other data 2 % less for nothing.
    lazy([128, 32, 16], 32, 258, 258),
    // No pass but the search's own: 0.6 % larger than level 11, at six tenths of its time.
    near_optimal(16, 130, 32, 10, 0),
    near_optimal(24, 130, -16, 16, 1),
    // A third pass gains nothing; a depth of 48 loses 0.1 %, and saves as little.
    near_optimal(100, 258, -16, 32, 2),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_search_may_compare_something() {
        for method in &METHODS {
            if let Method::Lazy(level) = method {
                assert!(level.depth > 0 && (level.lazy_depth > 0 || level.lazy_below == 0));
                assert!(level.good >= level.nice || level.second_lazy_depth >= 4);
                assert!(level.nice <= crate::format::deflate::MAX_MATCH);
            }
            if let Method::NearOptimal(level) = method {
                assert!(level.depth > 0 && level.nice <= crate::format::deflate::MAX_MATCH);
            }
        }
    }
}
