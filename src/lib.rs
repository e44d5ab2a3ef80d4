//! rigz: a complete stand-in for libz.so.1 that compresses large writes on every core.
//!
//! The floors, from the C border down; a module imports only from floors to its right (`tests/layering.rs` checks it):
//!
//! ```text
//! capi -> gzfile -> stream -> readahead -> pipeline -> deflate | inflate | zng | isal -> checksum, format -> config -> raw, arch -> error
//! ```
//!
//! ARCHITECTURE.md tells what each floor holds and what it knows nothing of.

pub mod capi;
pub mod checksum;
pub mod config;
pub mod deflate;
pub mod error;
pub mod format;
pub mod gzfile;
pub mod inflate;
#[cfg(feature = "isa-l")]
pub mod isal;
pub mod pipeline;
pub mod raw;
pub mod readahead;
pub mod stream;
pub mod zng;
