//! The random numbers of all tests: splitmix64. A seed determines every number, on every machine, so that a failure can be
//! reproduced.
//!
//! Tests outside of `src` include this file by its path.

#![allow(dead_code, reason = "each test uses its part")]

/// A generator.
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The state of splitmix64 advances by a constant, so the seed is hashed first: otherwise two seeds could yield the same
    /// numbers, shifted.
    pub(crate) fn new(seed: u64) -> Self {
        let mut scatter = Self(seed);
        Self(scatter.next() ^ scatter.next().rotate_left(17))
    }

    /// A generator whose numbers also depend on `TEST_SEED=n` in the environment.
    pub(crate) fn varied(seed: u64) -> Self {
        let other = std::env::var("TEST_SEED").ok().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        Self::new(seed.wrapping_add(other << 8))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number in `0..limit`, or 0 if `limit` is 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.next() as u8
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.byte()).collect()
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}
