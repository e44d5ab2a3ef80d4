//! An encoder that copies, panics or is refused memory, as the chunk's level or its maker says; and that sees whether it is used while it
//! must not be.

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::deflate::ChunkInfo;
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
    is_refused_memory: bool,
    pub(super) discarded: usize,
}

impl ChunkEncoder {
    /// One that finds no memory.
    pub(super) fn refused() -> Self {
        Self { is_refused_memory: true, ..Self::default() }
    }

    pub(super) fn encode(
        &mut self,
        level: Level,
        data: &[u8],
        window_len: usize,
        _: ChunkEnd,
        out: &mut Output<'_>,
    ) -> Result<ChunkInfo> {
        assert!(!IS_RESTING.load(Ordering::SeqCst), "a chunk is encoded between two calls");
        if self.is_refused_memory {
            return Err(Error::Memory);
        }
        if level == PANICS {
            std::panic::resume_unwind(Box::new("as the model wants"));
        }
        out.put(&data[window_len..]);
        ENCODED.fetch_add(1, Ordering::SeqCst);
        assert!(!IS_RESTING.load(Ordering::SeqCst), "a chunk is encoded between two calls");
        Ok(ChunkInfo { last_bits: 8 })
    }

    /// No model has a chunk of this form.
    pub(super) fn encode_blocks(&mut self, _: i32, _: &[u8], _: ChunkEnd, _: &mut Output<'_>) -> Result<()> {
        Err(Error::Stream)
    }

    /// There is no engine to lend.
    pub(super) fn rest(&mut self) {}

    pub(super) fn discard(&mut self) {
        self.discarded += 1;
    }
}
