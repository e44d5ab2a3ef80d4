//! The library without zlib-ng, from the same source files: the parts that miri and loom can run.
//!
//! miri interprets Rust and detects undefined behaviour, but cannot call C and is slow. So this crate has only the unsafe foundations
//! and the engines, with their unit tests and `tests/tiny.rs`.
//!
//! loom runs a program in every interleaving of its threads. With `cfg(loom)` the pool, the ring and its jobs use loom's locks,
//! counters and threads; the encoder is replaced by one that copies.

#![allow(dead_code, reason = "the layers that call this code are not included")]

#[path = "../../src/checksum/mod.rs"]
pub mod checksum;
#[cfg(loom)]
#[path = "../../src/config.rs"]
pub mod config;
#[path = "../../src/deflate/mod.rs"]
pub mod deflate;
#[path = "../../src/error.rs"]
pub mod error;
#[path = "../../src/format/mod.rs"]
pub mod format;
#[path = "../../src/inflate/mod.rs"]
pub mod inflate;
#[cfg(loom)]
mod pipeline;
#[cfg(loom)]
#[path = "../../src/pool/mod.rs"]
mod pool;
#[cfg(test)]
#[path = "../../src/random.rs"]
mod random;
#[path = "../../src/raw/mod.rs"]
pub mod raw;
#[cfg(loom)]
#[path = "../../src/trace.rs"]
mod trace;
