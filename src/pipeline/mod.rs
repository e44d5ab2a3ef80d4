//! Ordered parallel work on chunks. Does not use C types, zlib codes or files. README.md in this folder is the protocol.
//!
//! - `compress`: a segment of a stream, its open chunk, and the loop of a call;
//! - `ring`: the chunks that are jobs, in the stream's order;
//! - `job`: one chunk and its result, for whichever thread is free;
//! - `encoder`: the DEFLATE encoder of a chunk, and those that are idle.

#![forbid(unsafe_code)]

mod compress;
mod encoder;
mod job;
mod ring;

pub use crate::pool::thread_limit;
pub use compress::{Compressor, Counters, Drive, Settings};
pub use encoder::{ChunkEnd, Form};
#[cfg(any(test, feature = "internals"))]
pub use encoder::{Level, PendingBits, bound};
pub use ring::Between;
