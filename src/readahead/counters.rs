//! Statistics of reading ahead: what happened, and where the time of the threads went.

use std::time::Duration;

/// Counters of a stream's decoding. Times are in nanoseconds, and count from the moment at which
/// workers were first used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ReadCounters {
    /// Stretches delivered whose start was known exactly.
    pub exact: u64,
    /// Stretches delivered whose start was guessed.
    pub hits: u64,
    /// Stretches dropped: the decoder never reached their start, or they were too late.
    pub misses: u64,
    /// Bytes delivered from stretches.
    pub bytes: u64,
    /// Times that reading ahead paused.
    pub pauses: u64,
    /// The gap before a guessed stretch, in 64ths of a stretch.
    pub gap: u64,
    /// Worker time of the stretches that were delivered.
    pub ran: u64,
    /// The part of `ran` that was spent on searching for a start.
    pub sought: u64,
    /// Time in which the decoder decoded.
    pub decoded: u64,
    /// Time in which the decoder delivered from stretches.
    pub delivered: u64,
    /// Time in which the decoder waited for stretches.
    pub waited: u64,
    /// Wall time; 0 if workers were never used.
    pub since: u64,
}

impl ReadCounters {
    /// Adds the counters of another part of the stream.
    pub(super) fn add(&mut self, more: &Self) {
        self.exact += more.exact;
        self.hits += more.hits;
        self.misses += more.misses;
        self.bytes += more.bytes;
        self.pauses += more.pauses;
        self.gap = more.gap;
        self.ran += more.ran;
        self.sought += more.sought;
        self.decoded += more.decoded;
        self.delivered += more.delivered;
        self.waited += more.waited;
        self.since += more.since;
    }
}

/// Adds to a time.
pub(super) fn add(time: &mut u64, more: Duration) {
    *time += more.as_nanos() as u64;
}
