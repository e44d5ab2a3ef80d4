//! The one place that decides which engine compresses, and whether in parallel.
//!
//! What it decides on is part of the output's meaning: the level, the stream's form and the bytes between two flushes. It never
//! looks at threads, time or how the bytes were written, so the output does not depend on them either. Threads come in
//! below, in the pipeline, and only for what is decided here to be bulk.

#![forbid(unsafe_code)]

use crate::config::config;
use crate::zng::DeflateParams;

/// Unflushed bytes from which on a segment is bulk. Two chunks: less would gain nothing from a second thread.
const THRESHOLD: usize = 1 << 20;

/// Bytes per chunk. Priming with 32 KiB costs 5 to 7 % at 128 KiB and next to nothing at 512 KiB (docs/PIPELINE.md).
const CHUNK: usize = 512 << 10;

/// Whether bulk data of such a stream goes through the pipeline.
pub(super) fn is_for_pipeline(params: &DeflateParams) -> bool {
    params.level == 9 && params.window_bits == 15 && params.strategy == 0
}

/// Unflushed bytes from which on a segment goes through the pipeline.
pub(super) fn threshold() -> usize {
    config().threshold.unwrap_or(THRESHOLD)
}

/// Bytes per chunk.
pub(super) fn chunk_len() -> usize {
    config().chunk.unwrap_or(CHUNK)
}
