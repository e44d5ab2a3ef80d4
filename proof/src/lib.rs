//! The library without zlib-ng, from the same source files: the parts that miri and loom can run.
//!
//! miri interprets Rust and knows when an access has no right to be; it can neither call C nor do anything fast. So the unsafe
//! foundations and the engines stand here alone, with their own unit tests and with `tests/tiny.rs`.
//!
//! loom runs a program under every order of its threads' steps. With `cfg(loom)` the pool, the ring and its jobs use loom's locks,
//! counts and threads; only the encoder is a stand-in, one that copies.

#![allow(dead_code, reason = "the layers above are not here")]

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
