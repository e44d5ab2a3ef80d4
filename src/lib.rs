//! rigz: a complete replacement for libz.so.1 that compresses and decompresses large data with several threads.
//!
//! C programs use the functions of [`capi`]; Rust programs [`stream::deflate::DeflateStream`] and
//! [`stream::inflate::InflateStream`].
//!
//! The layers, from the C interface down; a module imports only from layers to its right (`tests/layering.rs` checks it).
//! Modules separated by `|` are one layer:
//!
//! ```text
//! capi -> gzfile -> stream -> readahead -> pipeline -> deflate | inflate | zng | pool -> checksum | format -> budget | trace
//!      -> config -> raw -> error
//! ```
//!
//! ARCHITECTURE.md describes each layer.

#![cfg_attr(not(feature = "internals"), allow(unreachable_pub, reason = "public with the feature"))]

pub mod capi;
pub mod config;
pub mod error;
pub mod gzfile;
pub mod stream;

// The modules below are internal. Tests, benchmarks, fuzzers and the command use them with the feature `internals`; without it they
// are private, so that the compiler reports unused code.
#[cfg(feature = "internals")]
pub mod budget;
#[cfg(not(feature = "internals"))]
mod budget;
#[cfg(feature = "internals")]
pub mod checksum;
#[cfg(not(feature = "internals"))]
mod checksum;
#[cfg(feature = "internals")]
pub mod deflate;
#[cfg(not(feature = "internals"))]
mod deflate;
#[cfg(feature = "internals")]
pub mod format;
#[cfg(not(feature = "internals"))]
mod format;
#[cfg(feature = "internals")]
pub mod inflate;
#[cfg(not(feature = "internals"))]
mod inflate;
#[cfg(feature = "internals")]
pub mod pipeline;
#[cfg(not(feature = "internals"))]
mod pipeline;
mod pool;
#[cfg(test)]
mod random;
#[cfg(feature = "internals")]
pub mod raw;
#[cfg(not(feature = "internals"))]
mod raw;
#[cfg(feature = "internals")]
pub mod readahead;
#[cfg(not(feature = "internals"))]
mod readahead;
#[cfg(feature = "internals")]
pub mod trace;
#[cfg(not(feature = "internals"))]
mod trace;
#[cfg(feature = "internals")]
pub mod zng;
#[cfg(not(feature = "internals"))]
mod zng;
