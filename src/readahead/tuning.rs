//! Settings of reading ahead, for tests and experiments.

use super::task::InjectedFault;

/// Compressed bytes that must have been read in a row before workers are used: a program that reads only
/// a file's beginning should not pay for them.
const ENGAGE_AFTER: u64 = 256 << 10;

/// Bytes that a caller must offer at once for its memory to be read ahead.
const LEAST_INPUT: usize = 1 << 20;

/// Compressed bytes of a stretch. In longer ones searching for a start is a smaller part of the time, but
/// they use more memory.
const STRETCH: u64 = 1 << 20;

/// The settings.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// Whether anything is decoded ahead, and how.
    pub way: Way,
    /// Compressed bytes that must have been read before.
    pub engage_after: u64,
    /// Bytes that a caller must offer at once for its memory to be read ahead.
    pub least_input: usize,
    /// Compressed bytes of a stretch.
    pub stretch: u64,
    /// A fault that is injected into every stretch of an even number.
    pub fault: InjectedFault,
    /// Whether the decoder waits without limit for a stretch that it has reached, so that results do
    /// not depend on time.
    pub patient: bool,
}

/// How to decode ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Not at all.
    Serial,
    /// As measurements decide.
    Measured,
    /// By exact stretches only.
    Exact,
    /// By guessed stretches only.
    Guessed,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            way: Way::Measured,
            engage_after: ENGAGE_AFTER,
            least_input: LEAST_INPUT,
            stretch: STRETCH,
            fault: InjectedFault::None,
            patient: false,
        }
    }
}
