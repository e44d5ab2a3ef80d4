//! zlib's streaming functions, in safe Rust.
//!
//! [`deflate::DeflateStream`], [`bgzf::BgzfStream`], [`inflate::InflateStream`] and [`inflate_back::BackStream`] hold all
//! state between two calls; they use neither C types nor files. Every call may also fail with
//! [`Error::Memory`](crate::error::Error::Memory). Only `policy` decides which engine does the work,
//! and whether in parallel.

#![forbid(unsafe_code)]

pub mod bgzf;
mod body;
mod data_type;
pub mod deflate;
mod idle;
pub mod inflate;
pub mod inflate_back;
mod log;
pub mod oneshot;
mod policy;
mod stats;

pub use crate::format::params::{Flush, Level, Strategy};

/// zlib's rank of a flush: a call without input whose flush ranks no higher than the last one has nothing to do.
fn rank(flush: Flush) -> i32 {
    match flush {
        Flush::None => 0,
        Flush::Block | Flush::Trees => 1,
        Flush::Partial => 2,
        Flush::Sync => 4,
        Flush::Full => 6,
        Flush::Finish => 8,
    }
}
