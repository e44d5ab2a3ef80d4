//! Replaces `src/pipeline/encoder.rs` in the loom models, where real compression would be too slow. It copies the chunk; at the level
//! `PANICS` it panics; if `WORKERS_LACK_MEMORY` is set it fails in workers. It also panics if it runs while `IS_RESTING` is set.

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread::{self, ThreadId};

use crate::error::{Error, Result};
use crate::raw::Output;

pub(super) use crate::deflate::ChunkEnd;

/// Replaces `deflate::Level`; only `PANICS` has a meaning.
pub(super) type Level = i32;

/// The level at which encoding panics.
pub(super) const PANICS: Level = 9;

loom::lazy_static! {
    /// Set while no worker may touch a chunk's memory.
    pub(super) static ref IS_RESTING: AtomicBool = AtomicBool::new(false);
    /// Set by a model before workers start, to make their allocations fail.
    pub(super) static ref WORKERS_LACK_MEMORY: AtomicBool = AtomicBool::new(false);
    /// The model's main thread. It is initialised at the first read, so the main thread must read it first.
    pub(super) static ref OWNER: ThreadId = thread::current().id();
    /// Number of chunks encoded.
    pub(super) static ref ENCODED: AtomicUsize = AtomicUsize::new(0);
}

/// Replaces `Form` of `src/pipeline/encoder.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Raw,
    Bgzf,
}

impl Form {
    pub(super) fn bound(self, len: usize) -> usize {
        len
    }
}

pub(super) fn bound(len: usize) -> usize {
    len
}

#[derive(Debug, Default)]
pub(super) struct ChunkEncoder {
    /// The number of calls of `discard`.
    pub(super) discarded: usize,
}

impl ChunkEncoder {
    pub(super) fn encode(
        &mut self,
        level: Level,
        (data, window_len): (&[u8], usize),
        _is_first: bool,
        _: ChunkEnd,
        out: &mut Output<'_>,
    ) -> Result<u32> {
        assert!(!IS_RESTING.load(Ordering::SeqCst), "a chunk is being encoded between two calls");
        if WORKERS_LACK_MEMORY.load(Ordering::SeqCst) && thread::current().id() != *OWNER {
            return Err(Error::Memory);
        }
        if level == PANICS {
            std::panic::resume_unwind(Box::new("the model's intentional panic"));
        }
        out.put(&data[window_len..]);
        ENCODED.fetch_add(1, Ordering::SeqCst);
        assert!(!IS_RESTING.load(Ordering::SeqCst), "a chunk is being encoded between two calls");
        // All bits of the last byte are in use.
        Ok(8)
    }

    /// Not used: no model has a BGZF chunk.
    pub(super) fn encode_blocks(&mut self, _: i32, _: &[u8], _: ChunkEnd, _: &mut Output<'_>) -> Result<()> {
        Err(Error::Stream)
    }

    /// Returns `None`: there is no real encoder.
    pub(super) fn current(&self) -> Option<&crate::deflate::ChunkEncoder> {
        None
    }

    /// Does nothing: there is no real encoder to return.
    pub(super) fn rest(&mut self) {}

    pub(super) fn discard(&mut self) {
        self.discarded += 1;
    }
}
