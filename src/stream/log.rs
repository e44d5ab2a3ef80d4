//! `RIGZ_LOG`: a line for each decision on how a stream is compressed, and why.
//!
//! Decisions are made per segment, the data between two flushes. A stream of many short ones would say the same again and again, so a
//! line is written only when a decision is of another kind than the stream's last. Without the switch a decision costs one look
//! at a flag.

#![forbid(unsafe_code)]

use super::policy;
use crate::config::config;
use crate::pipeline;
use crate::raw::report;
use crate::zng::DeflateParams;
use std::fmt::{self, Display};
use std::mem::{Discriminant, discriminant};

/// How a segment is compressed, and what decided on it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Decision {
    /// Parameters that only the serial engine has.
    Parameters(DeflateParams),
    /// `deflateTune()` or `deflatePrime()` was called, which only the serial engine can do.
    Pinned,
    /// The segment fits the first chunk.
    Whole(usize),
    /// Short, and behind a flush: the serial engine still has the history at hand.
    Message(usize),
    /// Cut into chunks, but too few to call workers for.
    Short(usize),
    /// Long enough for workers, which this many threads are, the caller's included.
    Long { threads: usize, is_system_memory: bool },
}

impl Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = policy::parallel_from();
        match *self {
            Decision::Parameters(params) if params.level == 0 => write!(f, "serial: level 0 stores"),
            Decision::Parameters(params) if params.window_bits != 15 => {
                write!(f, "serial: a window of {} bits, not 15", params.window_bits)
            }
            Decision::Parameters(params) => {
                write!(f, "serial: strategy {}, neither the default nor filtered", params.strategy)
            }
            Decision::Pinned => write!(f, "serial: deflateTune() or deflatePrime() was called"),
            Decision::Whole(len) => {
                write!(f, "serial: {len} bytes up to a flush or the end, less than a chunk")
            }
            Decision::Message(len) => write!(f, "serial: {len} bytes between two flushes, a short message"),
            Decision::Short(len) => write!(f, "serial: {len} bytes without a flush, less than {from}"),
            Decision::Long { threads: 1, .. } if pipeline::thread_limit() == 1 => {
                write!(f, "serial: one thread is all it may use")
            }
            Decision::Long { threads: 1, .. } => write!(f, "serial: the system refused to start threads"),
            Decision::Long { threads, is_system_memory } => {
                let within =
                    if is_system_memory { "" } else { ", within calls only: the program gave an allocator" };
                write!(f, "parallel: {from} bytes without a flush, {threads} threads{within}")
            }
        }
    }
}

/// What a stream has said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Log {
    is_on: bool,
    last: Option<Discriminant<Decision>>,
}

impl Log {
    pub(super) fn new() -> Self {
        Self { is_on: config().log.is_some(), last: None }
    }

    /// Whether decisions are wanted at all.
    pub(super) fn is_on(&self) -> bool {
        self.is_on
    }

    /// Notes a decision for a stream of this level. A line that cannot be written is lost: the log must not disturb the host.
    pub(super) fn note(&mut self, level: i32, decision: Decision) {
        let kind = discriminant(&decision);
        if !self.is_on || self.last == Some(kind) {
            return;
        }
        self.last = Some(kind);
        if let Some(path) = &config().log {
            let line = format!("rigz {} deflate level {level}: {decision}\n", std::process::id());
            report::append(path, line.as_bytes());
        }
    }
}
