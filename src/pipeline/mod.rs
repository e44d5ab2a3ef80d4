//! Ordered parallel work on chunks. Knows no C, no zlib codes and no files; README.md beside this file is the protocol.

#![forbid(unsafe_code)]

mod compress;
mod encoder;
pub(crate) mod handover;
mod job;
pub(crate) mod pool;
mod ring;
mod sync;

pub use compress::{Compressor, Counters, Settings};
pub use encoder::{ChunkEncoder, ChunkEnd, Form, Level, bound};
pub use pool::thread_limit;

/// How far back a match may reach, and so how much of the previous chunk primes the next one.
pub const WINDOW: usize = 32 * 1024;
