//! Ordered parallel work on chunks. Knows no C, no zlib codes and no files; README.md beside this file is the protocol.

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
