//! `RIGZ_STATS`: one line of JSON for each finished stream.
//!
//! The lines show what the library did in a program. If neither `RIGZ_STATS` nor `RIGZ_TRACE` is set, nothing is counted or
//! timed. `RIGZ_TRACE` needs the times too, since it shows the same calls.

#![forbid(unsafe_code)]

use crate::config::config;
use crate::format::params::Level;
use crate::pipeline::Counters;
use crate::raw::process::{monotonic, program_name, thread_time};
use crate::raw::report;
use crate::readahead::ReadCounters;
use crate::trace::{self, Span};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The operation of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Deflate,
    Inflate,
    /// `inflateBack()`.
    InflateBack,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Deflate => "deflate",
            Self::Inflate => "inflate",
            Self::InflateBack => "inflateBack",
        }
    }
}

/// Counters of one stream.
#[derive(Clone, Debug)]
pub(super) struct Stats {
    operation: Operation,
    is_on: bool,
    bytes_in: u64,
    bytes_out: u64,
    time: Duration,
    /// CPU time that the calling threads spent in the calls.
    cpu: Duration,
    /// The monotonic time at which the first call began.
    began: Option<Duration>,
    /// The latest level of a deflate stream.
    pub(super) level: Option<Level>,
    /// Checkpoints that a reader kept.
    pub(super) checkpoints: u64,
    /// How often the stream continued from a checkpoint.
    pub(super) resumptions: u64,
}

/// The start times of one call.
#[derive(Debug)]
pub(super) struct Timer {
    began: Duration,
    wall: Instant,
    cpu: Duration,
    /// The call in the trace; it ends when the timer is dropped.
    _span: Span,
}

impl Timer {
    #[cold]
    fn start(operation: Operation) -> Self {
        let (began, cpu) = (monotonic(), thread_time());
        Self { began, cpu, wall: Instant::now(), _span: Span::call(operation.name()) }
    }
}

impl Stats {
    pub(super) fn new(operation: Operation) -> Self {
        Self {
            operation,
            is_on: config().stats.is_some() || trace::is_on(),
            bytes_in: 0,
            bytes_out: 0,
            time: Duration::ZERO,
            cpu: Duration::ZERO,
            began: None,
            level: None,
            checkpoints: 0,
            resumptions: 0,
        }
    }

    /// Whether counting is on.
    #[inline(always)]
    pub(super) fn is_on(&self) -> bool {
        self.is_on
    }

    /// Starts the clocks of one call.
    #[inline]
    pub(super) fn timer(&self) -> Option<Timer> {
        if self.is_on { Some(Timer::start(self.operation)) } else { None }
    }

    /// Counts what one call did.
    #[inline]
    pub(super) fn count(&mut self, timer: Option<Timer>, bytes_in: usize, bytes_out: usize) {
        if let Some(timer) = timer {
            self.add(timer, bytes_in, bytes_out);
        }
    }

    #[cold]
    fn add(&mut self, timer: Timer, bytes_in: usize, bytes_out: usize) {
        self.time += timer.wall.elapsed();
        self.cpu += thread_time().saturating_sub(timer.cpu);
        self.began.get_or_insert(timer.began);
        self.bytes_in += bytes_in as u64;
        self.bytes_out += bytes_out as u64;
    }

    /// Writes the stream's line and its event, if any byte was read or written, and resets the counters.
    pub(super) fn finish(&mut self, counters: Counters) {
        if !self.is_on {
            return;
        }
        let has_data = self.bytes_in + self.bytes_out > 0;
        if has_data && config().stats.is_some() {
            self.write_line(counters);
        }
        if let Some(began) = self.began.filter(|_| has_data) {
            let level = self.level.map(|level| u64::from(level.number()));
            let level = level.map(|level| ("level", level));
            let arguments = [Some(("bytes_in", self.bytes_in)), Some(("bytes_out", self.bytes_out)), level];
            trace::stream(self.operation.name(), began, &arguments);
        }
        *self = Self::new(self.operation);
    }

    fn write_line(&self, counters: Counters) {
        let engine = if counters.threads > 1 { "parallel" } else { "serial" };
        let program = Some(program_name()).filter(|name| trace::is_plain(name)).unwrap_or("?");
        let level = self.level.map_or(String::new(), |level| format!("\"level\":{},", level.number()));
        let age = self.began.map_or(Duration::ZERO, |began| monotonic().saturating_sub(began));
        let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(age);
        append(&format!(
            "{{\"operation\":\"{}\",\"engine\":\"{engine}\",\"program\":\"{program}\",{level}\"bytes_in\":{},\
             \"bytes_out\":{},\"chunks\":{},\"chunks_by_workers\":{},\"threads\":{},\"checkpoints\":{},\
             \"resumptions\":{},\"start\":{:.6},\"seconds\":{:.6},\"cpu_seconds\":{:.6},\"pid\":{}}}\n",
            self.operation.name(),
            self.bytes_in,
            self.bytes_out,
            counters.chunks,
            counters.by_workers,
            counters.threads.max(1),
            self.checkpoints,
            self.resumptions,
            start.as_secs_f64(),
            self.time.as_secs_f64(),
            (self.cpu + counters.cpu).as_secs_f64(),
            std::process::id(),
        ));
    }
}

/// Appends a line with the counters of an `operation` that decoded ahead, if it started to.
pub(super) fn note_read_ahead(operation: &str, counters: &ReadCounters) {
    if config().stats.is_none() || counters.since == 0 {
        return;
    }
    let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
    append(&format!(
        "{{\"operation\":\"{operation}\",\"engine\":\"{}\",\"program\":\"{}\",\"bytes_ahead\":{},\"read_ahead\":{},\"hits\":{},\"misses\":{},\
         \"pauses\":{},\"gap\":{:.2},\"worker_seconds\":{:.6},\"finder_seconds\":{:.6},\"decoder_seconds\":{:.6},\
         \"delivery_seconds\":{:.6},\"waiting_seconds\":{:.6},\"seconds\":{:.6},\"pid\":{}}}\n",
        if counters.bytes > 0 { "parallel" } else { "serial" },
        Some(program_name()).filter(|name| trace::is_plain(name)).unwrap_or("?"),
        counters.bytes,
        counters.exact,
        counters.hits,
        counters.misses,
        counters.pauses,
        counters.gap as f64 / 64.0,
        seconds(counters.ran),
        seconds(counters.sought),
        seconds(counters.decoded),
        seconds(counters.delivered),
        seconds(counters.waited),
        seconds(counters.since),
        std::process::id(),
    ));
}

/// Appends a line to the file of statistics. A line that cannot be written is lost: statistics must not affect the program.
fn append(line: &str) {
    if let Some(path) = &config().stats {
        report::append(path, line.as_bytes());
    }
}
