//! The level table: the parser and the parameters of each compression level.
//!
//! Level 1 looks up one candidate and takes the match, unless the next byte has a better one. Levels 2 to 9 choose
//! by the data between the lazy parser, the quick one (levels 2 to 4) and the flat one (levels 3 to 9). Higher levels compare
//! more candidates and try more later positions. Levels 10 to 12, which zlib does not have, compare whole paths through the
//! input, with the lazy parser's match finder.
//!
//! On each of the seven Silesia files of docs/ENCODER.md, each level's output is smaller than zlib's at the same level. Over all
//! seven it is smaller than zlib-ng's, in less time: slightly less up to level 4, much less above.

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
    /// Checks the most recent position with the same 4 bytes, or 5, by the data
    /// (`parse/fast/keys.rs`).
    Fast,
    Adaptive(AdaptiveLevel),
    NearOptimal(NearOptimalLevel),
}

/// Parameters of the quick parser. With `depth` 0 it is the parser of level 2, which compares the
/// most recent positions alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct QuickLevel {
    /// Candidates of the long key compared after the most recent one; with 0, one later position is tried at most.
    pub(super) depth: u32,
    /// A match this long ends a search, and is taken. Unused if `depth` is 0.
    pub(super) nice: usize,
}

/// The parsers of a level, of which `parse::adaptive` chooses one.
#[derive(Debug)]
pub(super) struct AdaptiveLevel {
    /// Not for filtered data.
    pub(super) quick: Option<QuickLevel>,
    /// If true, chunks begin with the quick parser, and the lazy one is only for tables of numbers. Otherwise the quick parser
    /// is only for very long matches.
    pub(super) begins_quick: bool,
    pub(super) lazy: LazyLevel,
    /// Candidates that the flat parser compares: 1, 2 or 4; 0 for levels without it.
    pub(super) ways: usize,
}

/// Parameters of the lazy parser.
#[derive(Debug)]
pub(super) struct LazyLevel {
    /// Candidates compared in a search.
    pub(super) depth: u32,
    /// The same where nearly all bytes are in matches and most searches run out of candidates.
    pub(super) deep: u32,
    /// Candidates compared in the search one byte later.
    pub(super) lazy_depth: u32,
    /// Candidates compared in the search two bytes later; 0 for no such search.
    pub(super) second_lazy_depth: u32,
    /// A match this long ends a search.
    pub(super) nice: usize,
    /// After a match this long, a later search compares a quarter of the candidates (zlib's `good_length`).
    pub(super) good: usize,
    /// Matches this long are taken without a lazy search.
    pub(super) lazy_below: usize,
    /// If matches are very long and few are short, takes none under six bytes, and first searches compare twice as many
    /// candidates.
    pub(super) skips_short: bool,
}

/// Parameters of the near-optimal parser.
#[derive(Debug)]
pub(super) struct NearOptimalLevel {
    /// Candidates compared in a search.
    pub(super) depth: u32,
    /// A match this long is taken at once.
    pub(super) nice: usize,
    /// Searches a position only if its path cost is at least this far (1/16 bit) below the cost at the end of the match that
    /// spans it.
    pub(super) margin: i32,
    /// If the previous position's match has at least this many bytes left, looks only for longer matches.
    pub(super) carry_from: usize,
    /// How often a block is parsed again with its own costs.
    pub(super) passes: u32,
}

const fn near_optimal(depth: u32, nice: usize, margin: i32, carry_from: usize, passes: u32) -> Method {
    Method::NearOptimal(NearOptimalLevel { depth, nice, margin, carry_from, passes })
}

const fn lazy(depths: [u32; 4], good: usize, nice: usize, lazy_below: usize, ways: usize) -> Method {
    let [depth, deep, lazy_depth, second_lazy_depth] = depths;
    let lazy = LazyLevel {
        depth,
        deep,
        lazy_depth,
        second_lazy_depth,
        good,
        nice,
        lazy_below,
        skips_short: ways < 4,
    };
    // Levels 5 and 6: at level 9 logs became 0.8 % larger.
    Method::Adaptive(AdaptiveLevel { quick: None, begins_quick: false, lazy, ways })
}

/// A level with the quick parser.
const fn quick((depth, nice): (u32, usize), begins_quick: bool, lazy: LazyLevel, ways: usize) -> Method {
    Method::Adaptive(AdaptiveLevel { quick: Some(QuickLevel { depth, nice }), begins_quick, lazy, ways })
}

/// For the data on levels 2 and 3 that needs matches of three bytes, and for filtered data.
const SHALLOW: LazyLevel = LazyLevel {
    depth: 2,
    deep: 2,
    lazy_depth: 1,
    second_lazy_depth: 0,
    good: 32,
    nice: 32,
    lazy_below: 6,
    skips_short: false,
};
const LEVEL_4: LazyLevel = LazyLevel {
    depth: 4,
    deep: 4,
    lazy_depth: 2,
    second_lazy_depth: 0,
    good: 48,
    nice: 48,
    lazy_below: 12,
    skips_short: false,
};

const METHODS: [Method; 13] = [
    Method::Stored,
    Method::Fast,
    quick((0, 0), true, SHALLOW, 0),
    quick((1, 16), true, SHALLOW, 1),
    quick((4, 32), false, LEVEL_4, 1),
    lazy([6, 24, 3, 0], 96, 96, 32, 2),
    // Levels up to 5 do a lazy search after short matches only; levels from 6 on do one after all matches shorter than `nice`.
    lazy([8, 64, 4, 0], 130, 130, 130, 2),
    lazy([8, 128, 4, 2], 130, 130, 130, 4),
    lazy([24, 384, 12, 6], 32, 258, 130, 4),
    // A depth of 300 gains 0.03 %; a lazy depth of 64 gains another 0.04 %, at 6 % more time.
    // The `good` limit: logs and tables take 5 to 9 % less time and are 0.4 % larger; other data take 2 % less at the same size.
    lazy([128, 128, 32, 16], 32, 258, 258, 4),
    // A single pass, that of the search: 0.6 % larger than level 11, in six tenths of its time.
    near_optimal(16, 258, 32, 10, 0),
    near_optimal(24, 258, -16, 16, 1),
    // A third pass gains nothing; a depth of 48 loses 0.1 % and hardly saves time.
    near_optimal(100, 258, -16, 32, 2),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_search_may_compare_something() {
        for method in &METHODS {
            if let Method::Adaptive(AdaptiveLevel { quick, lazy: level, begins_quick, .. }) = method {
                assert!(quick.is_some() || !begins_quick);
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
