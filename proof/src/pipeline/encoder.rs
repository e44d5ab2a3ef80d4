//! An encoder that copies, panics or is refused memory, as the chunk's level or the model says; it notices when it is used at a
//! forbidden time.

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread::{self, ThreadId};

use crate::error::{Error, Result};
use crate::raw::Output;

pub(super) use crate::deflate::ChunkEnd;

/// A number is all that matters here.
pub(super) type Level = i32;

/// The level at which encoding panics.
pub(super) const PANICS: Level = 9;

loom::lazy_static! {
    /// Set while no worker may touch a chunk's memory.
    pub(super) static ref IS_RESTING: AtomicBool = AtomicBool::new(false);
    /// Set before workers begin, if they find no memory.
    pub(super) static ref WORKERS_ARE_REFUSED: AtomicBool = AtomicBool::new(false);
    /// The model's own thread, which asks first.
    pub(super) static ref OWNER: ThreadId = thread::current().id();
    /// How often a chunk was encoded.
    pub(super) static ref ENCODED: AtomicUsize = AtomicUsize::new(0);
}

/// As the pipeline's, which has two.
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
    pub(super) discarded: usize,
}

impl ChunkEncoder {
    pub(super) fn encode(
        &mut self,
        level: Level,
        (data, window_len): (&[u8], usize),
        _: bool,
        _: ChunkEnd,
        out: &mut Output<'_>,
    ) -> Result<u32> {
        assert!(!IS_RESTING.load(Ordering::SeqCst), "a chunk is encoded between two calls");
        if WORKERS_ARE_REFUSED.load(Ordering::SeqCst) && thread::current().id() != *OWNER {
            return Err(Error::Memory);
        }
        if level == PANICS {
            std::panic::resume_unwind(Box::new("as the model wants"));
        }
        out.put(&data[window_len..]);
        ENCODED.fetch_add(1, Ordering::SeqCst);
        assert!(!IS_RESTING.load(Ordering::SeqCst), "a chunk is encoded between two calls");
        Ok(8)
    }

    /// No model has a chunk of this form.
    pub(super) fn encode_blocks(&mut self, _: i32, _: &[u8], _: ChunkEnd, _: &mut Output<'_>) -> Result<()> {
        Err(Error::Stream)
    }

    /// There is no engine.
    pub(super) fn current(&self) -> Option<&crate::deflate::ChunkEncoder> {
        None
    }

    /// There is no engine to lend.
    pub(super) fn rest(&mut self) {}

    pub(super) fn discard(&mut self) {
        self.discarded += 1;
    }
}
