//! `Plan`: where guessed stretches start, how long they are, and when there should be none.
//!
//! With one worker the data is divided into *rounds*. In each, the decoder decodes a gap of `g` bytes
//! while the worker decodes a stretch. The worker ends when the decoder reaches the stretch's start, so
//! neither waits:
//!
//! ```text
//! decoder:  |== gap ==|= delivers =|======= gap =======|= delivers =|
//! worker:              |searches|=== stretch ===|searches|=== stretch ===|
//!                      ^ starts one gap after the last stretch
//! ```
//!
//! The length of a stretch follows from the gap, and from the costs of searching, markers and
//! delivering. So the gap is tuned: it is widened when stretches end well before their memory is full,
//! and narrowed when the worker had to wait for its next one, because its memory was full and the
//! decoder still far away. Towards the data's end rounds become shorter, so that both reach it together.
//!
//! With several workers there is one gap before every `workers` stretches, and none between these. It is
//! widened when the decoder had to wait, and narrowed when all workers were idle.

#![forbid(unsafe_code)]

use super::SourceKind;
use super::tuning::{Tuning, Way};
use crate::inflate::Search;
use std::time::Duration;

/// Compressed bytes of the first stretch; each further one is twice as long, up to the planned length.
const FIRST_STRETCH: u64 = 128 << 10;

/// Compressed bytes that a stretch should have at least.
const SHORTEST: u64 = 64 << 10;

/// The gap at first, in 64ths of a stretch.
const FIRST_GAP: u64 = 48;

/// The most elements of a guessed stretch, two bytes each. With one worker there are at most two
/// stretches: one delivered or ready, one being decoded. With several workers there are more, and each is
/// shorter.
const MOST_ELEMENTS: usize = 4 << 20;
const MOST_ELEMENTS_OF_MANY: usize = 2 << 20;

/// Data that is compressed better than this is not worth a second processor: decoding it is little
/// more than copying.
const HIGH_RATIO: u64 = 10;

/// Compressed bytes for which nothing is tried after a failure; doubled each time, up to 16 times this.
const PAUSE: u64 = 4 << 20;

/// Compressed bytes for which nothing is tried if no processor is idle.
const BRIEF_PAUSE: u64 = 1 << 20;

#[derive(Debug)]
pub(super) struct Plan {
    tuning: Tuning,
    /// What to search for in the next stretch, and after a miss.
    search: Search,
    widest_search: Search,
    /// The most elements of a stretch.
    elements: usize,
    /// Compressed bytes of the next stretch, while they are still growing.
    stretch: u64,
    /// The gap, in 64ths of a stretch.
    gap: u64,
    /// No stretch begins before this offset.
    resume_at: u64,
    /// How long the next pause is.
    pause: u64,
    misses_in_a_row: u32,
    disturbed_in_a_row: u32,
    /// No stretch has succeeded since the last pause; the first failure begins another pause.
    is_on_trial: bool,
    /// The time that a guessed stretch takes a worker with a processor.
    pub(super) typical: Duration,
    /// Output and input bytes of the decoder and of stretches, fading: how well the data is compressed.
    ratio: (u64, u64),
    /// The same for the last stretch whose progress was checked.
    coming: (u64, u64),
}

/// How a guessed stretch ended, if the decoder reached its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It was requested to end, with this many 64ths of its memory used.
    Hurried(u64),
    /// Its memory was full, or it had its planned length.
    Full,
    /// As `Full`, and the workers had nothing more to do.
    Idle,
    /// The decoder had to wait for it.
    Late,
}

impl Plan {
    pub(super) fn new(kind: SourceKind, tuning: Tuning) -> Self {
        let widest_search = match kind {
            SourceKind::File => Search::All,
            SourceKind::Memory => Search::Blocks,
        };
        Self {
            tuning,
            search: widest_search,
            widest_search,
            elements: MOST_ELEMENTS,
            stretch: FIRST_STRETCH.min(tuning.stretch),
            gap: FIRST_GAP,
            resume_at: 0,
            pause: PAUSE,
            misses_in_a_row: 0,
            disturbed_in_a_row: 0,
            is_on_trial: false,
            typical: Duration::from_millis(4),
            ratio: (4, 1),
            coming: (1, 1),
        }
    }

    /// Whether the next stretch is the first after a pause.
    pub(super) fn is_on_trial(&self) -> bool {
        self.is_on_trial
    }

    /// Sets how much memory a stretch has.
    pub(super) fn divide_memory(&mut self, is_short: bool) {
        self.elements = if is_short { MOST_ELEMENTS_OF_MANY } else { MOST_ELEMENTS };
    }

    /// The most elements of a stretch.
    pub(super) fn elements(&self) -> usize {
        self.elements
    }

    /// What to search for in the next stretch.
    pub(super) fn search(&self) -> Search {
        self.search
    }

    /// A search has succeeded, after which `next` is the one to use.
    pub(super) fn found(&mut self, next: Search) {
        self.search = if self.widest_search == Search::Blocks { Search::Blocks } else { next };
    }

    /// Whether decoding is little more than copying.
    pub(super) fn is_highly_compressed(&self) -> bool {
        self.ratio.0 > HIGH_RATIO * self.ratio.1
    }

    /// The gap, in 64ths of a stretch.
    pub(super) fn gap(&self) -> u64 {
        self.gap
    }

    pub(super) fn count_ratio(&mut self, bytes_in: u64, bytes_out: u64) {
        if self.ratio.1 > 1 << 20 {
            self.ratio = (self.ratio.0 / 2, self.ratio.1 / 2);
        }
        self.ratio = (self.ratio.0 + bytes_out, self.ratio.1 + bytes_in);
    }

    /// A worker decoded `bytes_in` compressed bytes to `bytes_out` bytes ahead of the decoder.
    pub(super) fn foresee(&mut self, bytes_in: u64, bytes_out: u64) {
        if bytes_in > 0 {
            self.coming = (bytes_out, bytes_in);
        }
    }

    /// Compressed bytes that decode to `bytes` bytes, but no more than a stretch should have. Uses the higher
    /// of the compression ratios decoded so far and ahead: a stretch that is too long does not fit, and a
    /// gap that is too wide makes the worker wait.
    pub(super) fn len_for(&self, bytes: usize) -> u64 {
        let by = |(bytes_out, bytes_in): (u64, u64)| bytes as u64 * bytes_in / bytes_out.max(1);
        self.stretch.min(by(self.ratio)).min(by(self.coming)).max(16 << 10)
    }

    /// Start and length of the next guessed stretch, in data that ends at `size` and of which everything
    /// before `frontier` is decoded or pending; `None` when there should be none.
    pub(super) fn next(&self, frontier: u64, size: u64, has_gap: bool) -> Option<(u64, u64)> {
        let shortest = SHORTEST.min(self.tuning.stretch / 2);
        let gap = if has_gap { self.gap } else { 0 };
        let left = size.checked_sub(frontier)?;
        let mut len = self.len_for(self.elements * 15 / 16);
        let last = left * 64 / (64 + gap);
        if last < 2 * len {
            len = if last / 2 >= 2 * shortest { last / 2 } else { last };
        }
        let from = frontier + len * gap / 64;
        (len >= shortest && from >= self.resume_at).then_some((from, len))
    }

    /// A stretch was begun.
    pub(super) fn begun(&mut self) {
        self.stretch = (self.stretch * 2).min(self.tuning.stretch);
    }

    /// Whether no stretch may begin at `from`.
    pub(super) fn is_paused(&self, from: u64) -> bool {
        from < self.resume_at
    }

    /// The decoder reached a guessed stretch, which took a worker `ran`.
    pub(super) fn met(&mut self, ending: Ending, ran: Duration) {
        self.misses_in_a_row = 0;
        self.typical = (self.typical * 3 + ran) / 4;
        // A step is small compared with the gap, so that one late worker changes it little.
        let step = self.gap / 16 + 1;
        self.gap = match ending {
            Ending::Late | Ending::Hurried(0..52) => (self.gap + step).min(256),
            Ending::Idle => self.gap.saturating_sub(step).max(8),
            Ending::Full | Ending::Hurried(_) => self.gap,
        };
    }

    /// A single worker had to wait for its next stretch: the decoder was too late to begin one.
    pub(super) fn was_idle(&mut self) {
        self.gap = self.gap.saturating_sub(self.gap / 32 + 1).max(16);
    }

    /// The decoder passed a guessed stretch because finding its start took too long.
    pub(super) fn came_late(&mut self) {
        self.gap = (self.gap + 16).min(256);
    }

    /// A guess was wrong or late. Returns whether the decoder should decode alone for a while: after two
    /// in a row, or the first after a pause.
    #[must_use]
    pub(super) fn missed(&mut self, at: u64) -> bool {
        self.search = self.widest_search;
        self.misses_in_a_row += 1;
        let is_enough = self.misses_in_a_row >= 2 || self.is_on_trial;
        let pauses = is_enough && self.tuning.way == Way::Measured;
        if pauses {
            self.pause_from(at);
        }
        pauses
    }

    /// Notes whether the worker of a stretch that ends at `until` had to share its processor; returns the
    /// same as [`missed`](Self::missed).
    #[must_use]
    pub(super) fn disturbed(&mut self, until: u64, is_disturbed: bool) -> bool {
        self.disturbed_in_a_row = if is_disturbed { self.disturbed_in_a_row + 1 } else { 0 };
        let is_enough = self.disturbed_in_a_row >= 2 || (is_disturbed && self.is_on_trial);
        self.is_on_trial &= is_disturbed;
        let pauses = is_enough && self.tuning.way == Way::Measured;
        if pauses {
            self.pause_from(until);
        }
        pauses
    }

    /// There were no failures for a while: the next pause is short.
    pub(super) fn forgive(&mut self) {
        self.pause = PAUSE;
    }

    /// Begins nothing for a short while, since no processor is idle.
    pub(super) fn pause_briefly(&mut self, offset: u64) {
        self.resume_at = self.resume_at.max(offset + BRIEF_PAUSE);
    }

    /// The expected output of `bytes` compressed bytes, at the current compression ratio.
    pub(super) fn output_of(&self, bytes: u64) -> u64 {
        bytes.saturating_mul(self.ratio.0) / self.ratio.1.max(1)
    }

    /// Begins nothing for a long while.
    pub(super) fn pause_long(&mut self, offset: u64) {
        self.pause = 16 * PAUSE;
        self.pause_from(offset);
    }

    pub(super) fn pause_from(&mut self, offset: u64) {
        self.resume_at = offset + self.pause;
        self.pause = (self.pause * 2).min(16 * PAUSE);
        (self.misses_in_a_row, self.disturbed_in_a_row) = (0, 0);
        self.is_on_trial = true;
        // The trial after the pause must not cost much.
        self.stretch = FIRST_STRETCH.min(self.tuning.stretch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_rounds_become_shorter_and_end_with_the_file() {
        let mut plan = Plan::new(SourceKind::File, Tuning::default());
        for _ in 0..4 {
            plan.begun();
        }
        let (mut frontier, size, mut lens) = (0, 8 << 20, Vec::new());
        while let Some((from, len)) = plan.next(frontier, size, true) {
            assert!(from >= frontier && from + len <= size);
            lens.push(len);
            frontier = from + len;
        }
        assert!(size - frontier < 2 * SHORTEST, "{lens:?}");
        assert!(lens.windows(2).all(|pair| pair[0] + 1 >= pair[1] || pair[1] < 4 * SHORTEST), "{lens:?}");
        assert!(lens[0] > 800 << 10 && lens.last().is_some_and(|&last| last < 4 * SHORTEST), "{lens:?}");
    }

    #[test]
    fn a_gap_finds_the_width_at_which_stretches_fill_their_room() {
        let mut plan = Plan::new(SourceKind::File, Tuning::default());
        let gap = plan.gap();
        plan.met(Ending::Hurried(20), Duration::ZERO);
        assert!(plan.gap() > gap);
        plan.met(Ending::Hurried(60), Duration::ZERO);
        let gap = plan.gap();
        plan.met(Ending::Idle, Duration::ZERO);
        assert!(plan.gap() < gap);
    }

    #[test]
    fn pauses_double_until_all_went_well() {
        let mut plan = Plan::new(SourceKind::File, Tuning::default());
        assert!(!plan.missed(0) && plan.missed(0));
        assert!(plan.is_paused(PAUSE - 1) && !plan.is_paused(PAUSE));
        assert!(!plan.disturbed(PAUSE, false) && !plan.disturbed(PAUSE, true));
        assert!(plan.disturbed(PAUSE, true), "two in a row");
        assert!(plan.is_paused(3 * PAUSE - 1) && plan.next(0, 64 << 20, true).is_none());
        assert!(plan.disturbed(3 * PAUSE, true), "the first one after a pause");
        plan.forgive();
        plan.pause_from(0);
        assert!(!plan.is_paused(PAUSE));
    }
}
