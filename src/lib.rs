//! rigz: a complete stand-in for libz.so.1 that compresses large writes on every core.
//!
//! The floors, from the C border down; a module imports only from floors to its right (`tests/layering.rs` checks it):
//!
//! ```text
//! capi -> gzfile -> stream -> readahead -> pipeline -> deflate | inflate | zng | pool -> checksum, format -> budget | trace
//!      -> config -> raw -> error
//! ```
//!
//! ARCHITECTURE.md says what each floor holds.

pub mod budget;
pub mod capi;
pub mod checksum;
pub mod config;
pub mod deflate;
pub mod error;
pub mod format;
pub mod gzfile;
pub mod inflate;
pub mod pipeline;
pub(crate) mod pool;
#[cfg(test)]
mod random;
pub mod raw;
pub mod readahead;
pub mod stream;
pub mod trace;
pub mod zng;
