//! The one place that decides which engine compresses, and whether in parallel.
//!
//! What decides on the engine and on the chunk grid is part of the output's meaning: the level, the stream's form and the bytes between two
//! flushes, never threads, time or how the bytes were written. Whether threads help is decided here too, and shows in nothing but time.

#![forbid(unsafe_code)]

use crate::config::config;
use crate::error::Result;
use crate::format::bgzf;
use crate::pipeline::{Between, Level};
use crate::raw::Allocator;
use crate::zng::DeflateParams;

/// Unflushed bytes from which on workers are called: less would hardly gain anything.
const PARALLEL_FROM: usize = 1 << 20;

/// Bytes in the first chunk of a segment. Output begins to flow, and memory to be used, at about the pace of zlib's own.
const FIRST_CHUNK: usize = 128 << 10;

/// Bytes in the third chunk and on; the second has half of it. Priming with 32 KiB costs 5 to 7 % at 128 KiB and next to nothing
/// at 512 KiB.
const CHUNK: usize = 512 << 10;

/// A segment this short, in a stream that has history, is cheaper with the serial engine, which still has its history at hand.
const MESSAGE: usize = 8 << 10;

/// All that `memLevel` means to zlib-ng is how many symbols a block has, and with 7 a block holds a message's. It spares
/// such a stream 40 KiB. (zlib-ng's hash table always has 65,536 places, 64 KiB more than zlib's.)
const MESSAGE_MEM_LEVEL: i32 = 7;

/// `Z_FILTERED`; 0 is `Z_DEFAULT_STRATEGY`.
const FILTERED: i32 = 1;

/// Whether our own engine, and so the pipeline, may compress for such a stream: the usual window, and a strategy that looks for matches of any distance.
pub(super) fn is_for_pipeline(params: &DeflateParams) -> bool {
    params.level > 0 && params.window_bits == 15 && params.strategy <= FILTERED
}

/// The number of the level that compresses where the program asked for `level`: 10 to 12 for our own engine only.
fn mapped(level: i32) -> i32 {
    config().level_map.get(level)
}

/// The level that our own engine compresses with for a program that asked for this one.
pub(super) fn level_for(level: i32, strategy: i32) -> Result<Level> {
    let level = Level::try_from(mapped(level))?;
    Ok(if strategy == FILTERED { level.filtered() } else { level })
}

/// What the serial engine, which knows levels up to 9, is made with. If it gets all of the stream, or `is_pinned` for another reason, its
/// blocks must be as long as the program asked for, or noise would exceed `deflateBound()`.
pub(super) fn serial_params(params: &DeflateParams, is_pinned: bool) -> DeflateParams {
    let is_for_messages = is_for_pipeline(params) && !is_pinned;
    let mem_level = if is_for_messages { params.mem_level.min(MESSAGE_MEM_LEVEL) } else { params.mem_level };
    DeflateParams { level: mapped(params.level).min(9), mem_level, ..*params }
}

/// Whether a segment of `len` bytes that begins with history is left to the serial engine.
pub(super) fn is_message(len: usize) -> bool {
    len < MESSAGE
}

/// Unflushed bytes from which on a segment is compressed in parallel.
pub(super) fn parallel_from() -> usize {
    config().threshold.unwrap_or(PARALLEL_FROM)
}

/// What workers may do while the program is not in a call. A stream with an allocator of the program's may be abandoned without
/// `deflateEnd()`, when its arena is freed as a whole: no worker has a job of such a stream then.
pub(super) fn between(allocator: &Allocator) -> Between {
    if allocator.is_system() { Between::GoOn } else { Between::Rest }
}

/// Bytes in the chunk of this number, from 0, of a segment.
pub(super) fn chunk_len(number: usize) -> usize {
    let usual = match number {
        0 => FIRST_CHUNK,
        1 => CHUNK / 2,
        _ => CHUNK,
    };
    config().chunk.unwrap_or(usual)
}

/// As [`chunk_len`], of a BGZF stream: whole blocks, so that the chunks do not show in the bytes.
pub(super) fn bgzf_chunk_len(number: usize) -> usize {
    (chunk_len(number) / bgzf::BLOCK_DATA).max(1) * bgzf::BLOCK_DATA
}
