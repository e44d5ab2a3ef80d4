//! `RIGZ_LOG`: a line for each decision on how a stream is compressed, and why.
//!
//! Decisions are made per segment, the data between two flushes. To avoid repetition for a stream of many short ones, a
//! line is written only when the kind of decision differs from the last one logged. Without `RIGZ_LOG` a decision costs
//! one check of a flag.

#![forbid(unsafe_code)]

use super::policy::{self, Hold};
use crate::config::config;
use crate::format::params::{Level, Strategy};
use crate::pipeline;
use crate::raw::report;
use std::fmt::{self, Display};

/// How a segment is compressed, and why.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Decision {
    /// A strategy that only zlib-ng implements.
    Strategy(Strategy),
    /// A segment of this many bytes that the message encoder compresses: it is short, or may not use the pipeline
    /// (level 0, a small window, a low `memLevel`, `deflateTune()`, too little memory).
    Message(usize),
    /// Cut into chunks, but with this many bytes too short for workers.
    Short(usize),
    /// Long enough for workers, compressed by this many threads, including the caller's.
    Long { threads: usize, hold: Hold, is_system_memory: bool },
}

impl Decision {
    /// Whether both are of the same kind: they may differ in the number of bytes.
    fn is_like(self, other: Self) -> bool {
        use Decision::{Message, Short};
        matches!((self, other), (Message(_), Message(_)) | (Short(_), Short(_))) || self == other
    }
}

impl Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = policy::parallel_from();
        match *self {
            Decision::Strategy(strategy) => {
                write!(f, "serial: strategy {strategy:?}, neither the default nor filtered")
            }
            Decision::Message(len) => write!(f, "serial: {len} bytes between two flushes, a message"),
            Decision::Short(len) => write!(f, "serial: {len} bytes without a flush, less than {from}"),
            Decision::Long { threads: 1, .. } if pipeline::thread_limit() == 1 => {
                write!(f, "serial: only one thread is allowed")
            }
            Decision::Long { threads: 1, hold: Hold::No, .. } => {
                write!(
                    f,
                    "serial: no call has {from} bytes of input and at least as much room, and the program was not seen to fetch output that is held back"
                )
            }
            Decision::Long { threads: 1, .. } => {
                write!(f, "serial: the system refused to start threads, or RIGZ_MEMORY is used up")
            }
            Decision::Long { threads, hold, is_system_memory } => {
                let within = if is_system_memory {
                    ""
                } else {
                    ", within calls only: the program has its own allocator"
                };
                let why = match hold {
                    Hold::No => "only within calls that have at least that much input and room",
                    Hold::OwnOutput => "the output is the library's own",
                    Hold::SmallRoom => "the room for output is small",
                    Hold::Loops => "the program fetches output in a loop",
                    Hold::Known => "the program is known to fetch all output",
                    Hold::Switch => "RIGZ_HOLD_BACK=any",
                };
                write!(f, "parallel: at least {from} bytes without a flush, {threads} threads{within}; {why}")
            }
        }
    }
}

/// Whether a stream logs its decisions, and the last one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Log {
    is_on: bool,
    last: Option<Decision>,
}

impl Log {
    pub(super) fn new() -> Self {
        Self { is_on: config().log.is_some(), last: None }
    }

    /// Whether decisions are logged.
    pub(super) fn is_on(&self) -> bool {
        self.is_on
    }

    /// Logs a decision of a stream with this level. A line that cannot be written is lost: logging must not affect the
    /// host.
    pub(super) fn note(&mut self, level: Level, decision: Decision) {
        let level = level.number();
        if !self.is_on || self.last.is_some_and(|last| last.is_like(decision)) {
            return;
        }
        self.last = Some(decision);
        if let Some(path) = &config().log {
            let line = format!("rigz {} deflate level {level}: {decision}\n", std::process::id());
            report::append(path, line.as_bytes());
        }
    }
}
