//! What happened while a file was read, and where the time of its threads went.

use crate::config::config;
use crate::raw::process::program_name;
use crate::stream::stats;
use crate::trace::is_plain;
use std::time::{Duration, Instant};

/// What happened while a file was read. Times are in nanoseconds, and count from when workers were first asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadCounters {
    /// Exact stretches delivered.
    pub exact: u64,
    /// Guessed stretches delivered.
    pub hits: u64,
    /// Stretches dropped: the head never met them, or they came too late.
    pub misses: u64,
    /// Bytes delivered from stretches.
    pub bytes: u64,
    /// Times that reading ahead paused.
    pub pauses: u64,
    /// For which workers ran for stretches that were delivered.
    pub ran: u64,
    /// Of these, for which they looked for a place to begin.
    pub sought: u64,
    /// For which the reader's own decoder ran.
    pub decoded: u64,
    /// For which the reader delivered from stretches.
    pub delivered: u64,
    /// For which the reader waited for a stretch.
    pub waited: u64,
}

/// Adds to a time.
pub(super) fn add(time: &mut u64, more: Duration) {
    *time += more.as_nanos() as u64;
}

impl ReadCounters {
    /// Says what happened, if that is asked for.
    pub(super) fn tell(&self, gap: f64, since: Option<Instant>) {
        if config().stats.is_none() {
            return;
        }
        let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
        stats::append(&format!(
            "{{\"operation\":\"gzread\",\"engine\":\"{}\",\"program\":\"{}\",\"bytes_ahead\":{},\"read_ahead\":{},\"hits\":{},\"misses\":{},\
             \"pauses\":{},\"gap\":{gap:.2},\"worker_seconds\":{:.6},\"finder_seconds\":{:.6},\"decoder_seconds\":{:.6},\
             \"delivery_seconds\":{:.6},\"waiting_seconds\":{:.6},\"seconds\":{:.6},\"pid\":{}}}\n",
            if self.bytes > 0 { "parallel" } else { "serial" },
            Some(program_name()).filter(|name| is_plain(name)).unwrap_or("?"),
            self.bytes,
            self.exact,
            self.hits,
            self.misses,
            self.pauses,
            seconds(self.ran),
            seconds(self.sought),
            seconds(self.decoded),
            seconds(self.delivered),
            seconds(self.waited),
            since.map_or(0.0, |since| since.elapsed().as_secs_f64()),
            std::process::id(),
        ));
    }
}
