//! `RIGZ_STATS`: one line of JSON for each finished stream.
//!
//! The one way to see from outside what the library did in a program. Without the switch nothing is counted or timed.

#![forbid(unsafe_code)]

use crate::config::config;
use crate::pipeline::Counters;
use crate::raw::report;
use crate::readahead::ReadCounters;
use std::time::{Duration, Instant};

/// What a stream does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Deflate,
    Inflate,
}

/// Counters of one stream.
#[derive(Clone, Debug)]
pub(super) struct Stats {
    operation: Operation,
    is_on: bool,
    bytes_in: u64,
    bytes_out: u64,
    time: Duration,
    /// Places that a reader kept to go back to.
    pub(super) checkpoints: u64,
    /// Returns to such places.
    pub(super) resumptions: u64,
}

impl Stats {
    pub(super) fn new(operation: Operation) -> Self {
        Self {
            operation,
            is_on: config().stats.is_some(),
            bytes_in: 0,
            bytes_out: 0,
            time: Duration::ZERO,
            checkpoints: 0,
            resumptions: 0,
        }
    }

    /// Starts the clock of one call.
    pub(super) fn timer(&self) -> Option<Instant> {
        self.is_on.then(Instant::now)
    }

    /// Counts what one call did.
    pub(super) fn count(&mut self, timer: Option<Instant>, bytes_in: usize, bytes_out: usize) {
        if let Some(start) = timer {
            self.time += start.elapsed();
            self.bytes_in += bytes_in as u64;
            self.bytes_out += bytes_out as u64;
        }
    }

    /// Appends the stream's line, if anything happened, and starts anew. A line that cannot be written is lost: statistics
    /// must not disturb the host.
    pub(super) fn finish(&mut self, counters: Counters) {
        if config().stats.is_none() || self.bytes_in + self.bytes_out == 0 {
            return;
        }
        let engine = if counters.threads > 1 { "parallel" } else { "serial" };
        let operation = if self.operation == Operation::Deflate { "deflate" } else { "inflate" };
        let line = format!(
            "{{\"operation\":\"{operation}\",\"engine\":\"{engine}\",\"bytes_in\":{},\"bytes_out\":{},\"chunks\":{},\
             \"chunks_by_workers\":{},\"threads\":{},\"checkpoints\":{},\"resumptions\":{},\"seconds\":{:.6},\
             \"pid\":{}}}\n",
            self.bytes_in,
            self.bytes_out,
            counters.chunks,
            counters.by_workers,
            counters.threads.max(1),
            self.checkpoints,
            self.resumptions,
            self.time.as_secs_f64(),
            std::process::id(),
        );
        append(&line);
        *self = Self::new(self.operation);
    }
}

/// Appends a line about what other threads decoded ahead for `operation`, if they were asked to.
pub(super) fn note_read_ahead(operation: &str, counters: &ReadCounters) {
    if config().stats.is_none() || counters.since == 0 {
        return;
    }
    let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
    append(&format!(
        "{{\"operation\":\"{operation}\",\"engine\":\"{}\",\"bytes_ahead\":{},\"read_ahead\":{},\"hits\":{},\"misses\":{},\
         \"pauses\":{},\"gap\":{:.2},\"worker_seconds\":{:.6},\"finder_seconds\":{:.6},\"decoder_seconds\":{:.6},\
         \"delivery_seconds\":{:.6},\"waiting_seconds\":{:.6},\"seconds\":{:.6},\"pid\":{}}}\n",
        if counters.bytes > 0 { "parallel" } else { "serial" },
        counters.bytes,
        counters.exact,
        counters.hits,
        counters.misses,
        counters.pauses,
        counters.gap,
        seconds(counters.ran),
        seconds(counters.sought),
        seconds(counters.decoded),
        seconds(counters.delivered),
        seconds(counters.waited),
        seconds(counters.since),
        std::process::id(),
    ));
}

/// Appends a line to the file of statistics.
fn append(line: &str) {
    if let Some(path) = &config().stats {
        report::append(path, line.as_bytes());
    }
}
