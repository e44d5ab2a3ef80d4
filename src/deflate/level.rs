//! The level table: what each compression level does.
//!
//! Levels 1 and 2 look up one or two places and take what they find. Levels 3 to 9 are one parser over one match finder, with
//! more candidates compared and later places tried as the number grows; 3 is greedy. The near-optimal levels 10 to 12 that
//! other encoders offer do not exist here.
//!
//! On the seven Silesia files of docs/ENCODER.md each level's output is smaller than that of zlib's and zlib-ng's same level,
//! at zlib-ng's speed up to level 4 and faster above.

#![forbid(unsafe_code)]

/// A compression level, 0 (stored) to [`Level::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(u8);

impl Level {
    /// The highest level.
    pub const MAX: Self = Self(9);

    /// The level of this number, if there is one.
    pub const fn new(number: u32) -> Option<Self> {
        if number <= Self::MAX.0 as u32 { Some(Self(number as u8)) } else { None }
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        self.0 as u32
    }

    pub(super) fn method(self) -> &'static Method {
        &METHODS[self.0 as usize]
    }
}

/// A parser and its parameters.
pub(super) enum Method {
    /// No compression: stored blocks.
    Stored,
    /// One place per hash.
    Fastest,
    /// Two places per hash.
    Fast,
    Lazy(LazyLevel),
}

/// Parameters of the lazy parser.
pub(super) struct LazyLevel {
    /// Candidates compared in a search.
    pub(super) depth: u32,
    /// In the search one byte later.
    pub(super) lazy_depth: u32,
    /// In the search two bytes later; 0 for none.
    pub(super) second_lazy_depth: u32,
    /// A match this long ends a search.
    pub(super) nice: usize,
    /// Matches this long are taken without a lazy search.
    pub(super) lazy_below: usize,
}

const fn lazy(depth: u32, lazy_depth: u32, second_lazy_depth: u32, nice: usize, lazy_below: usize) -> Method {
    Method::Lazy(LazyLevel { depth, lazy_depth, second_lazy_depth, nice, lazy_below })
}

const METHODS: [Method; 10] = [
    Method::Stored,
    Method::Fastest,
    Method::Fast,
    lazy(2, 1, 0, 32, 0),
    lazy(2, 1, 0, 32, 8),
    lazy(6, 3, 0, 96, 32),
    // Up to here a second place is tried for short matches only, from here on for all.
    lazy(8, 4, 0, 130, 130),
    lazy(8, 4, 2, 130, 130),
    lazy(24, 12, 6, 130, 130),
    // A depth of 300 gains 0.03 %; 64 in the lazy searches another 0.04 %, at 6 % more time.
    lazy(128, 32, 16, 258, 258),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_numbered_0_to_9() {
        assert!((0..=9).all(|number| Level::new(number).is_some_and(|level| level.number() == number)));
        assert_eq!(Level::new(10), None);
        assert_eq!(Level::new(9), Some(Level::MAX));
    }

    #[test]
    fn every_search_may_compare_something() {
        for method in &METHODS {
            if let Method::Lazy(level) = method {
                assert!(level.depth > 0 && (level.lazy_depth > 0 || level.lazy_below == 0));
                assert!(level.nice <= crate::format::deflate::MAX_MATCH);
            }
        }
    }
}
