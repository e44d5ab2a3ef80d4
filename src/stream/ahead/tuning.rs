//! What tests and experiments may set about reading ahead.

use crate::pipeline::decode::Hurdle;

/// Compressed bytes that must have been read in a row before workers are asked: programs that look at a file's beginning only should cost
/// nothing.
const ENGAGE_AFTER: u64 = 256 << 10;

/// Compressed bytes of a stretch. Longer ones make more of the time that finding a beginning takes, and use more memory.
const STRETCH: u64 = 512 << 10;

/// What tests and experiments may set.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// Whether anything is decoded ahead, and how.
    pub way: Way,
    /// Compressed bytes that must have been read before.
    pub engage_after: u64,
    /// Compressed bytes of a stretch.
    pub stretch: u64,
    /// What goes wrong on purpose, with every stretch of an even number.
    pub hurdle: Hurdle,
    /// Whether stretches that the head comes to are waited for however long they take, so that what happens does not depend on time.
    pub patient: bool,
}

/// How to decode ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Not at all.
    Serial,
    /// As seems best, if it seems good at all.
    Measured,
    /// Exact stretches only, whatever is measured.
    Exact,
    /// Guessed stretches only, whatever is measured.
    Guessed,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            way: Way::Measured,
            engage_after: ENGAGE_AFTER,
            stretch: STRETCH,
            hurdle: Hurdle::None,
            patient: false,
        }
    }
}
