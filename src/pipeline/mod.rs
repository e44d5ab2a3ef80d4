//! Ordered parallel work on chunks. Does not use C types, zlib codes or files. README.md in this folder is the protocol.

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
