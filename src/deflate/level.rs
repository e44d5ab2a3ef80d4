//! The level table: what each compression level does.

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
    lazy(8, 4, 0, 130, 130),
    lazy(8, 4, 2, 130, 130),
    lazy(64, 32, 16, 258, 258),
    lazy(128, 64, 32, 258, 258),
];
