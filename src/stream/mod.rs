//! zlib's streaming meaning, in safe Rust.
//!
//! [`deflate::DeflateStream`], [`bgzf::BgzfStream`] and [`inflate::InflateStream`] hold everything that lives between two calls of `deflate()` or
//! `inflate()`; neither knows C nor files. `policy` alone decides which engine does the work, and whether in parallel.

#![forbid(unsafe_code)]

pub mod bgzf;
mod body;
pub mod deflate;
mod idle;
pub mod inflate;
pub mod inflate_back;
mod log;
pub mod oneshot;
mod policy;
mod stats;

use crate::error::{Error, Result};

/// How matches are looked for (zlib manual, `deflateInit2`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// `Z_DEFAULT_STRATEGY`.
    #[default]
    Default,
    /// `Z_FILTERED`: small values with a random part; fewer short matches.
    Filtered,
    /// `Z_HUFFMAN_ONLY`: no matches.
    HuffmanOnly,
    /// `Z_RLE`: matches at distance one only.
    Rle,
    /// `Z_FIXED`: no dynamic codes.
    Fixed,
}

/// What a call asks to be finished before it returns (zlib manual, `deflate` and `inflate`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// `Z_NO_FLUSH`: collect as much as is good for compression.
    None,
    /// `Z_PARTIAL_FLUSH`: all input decodable, by an empty fixed block.
    Partial,
    /// `Z_SYNC_FLUSH`: all input decodable, output byte-aligned behind an empty stored block.
    Sync,
    /// `Z_FULL_FLUSH`: as `Sync`, and later data refers to nothing before it.
    Full,
    /// `Z_FINISH`: this is all the input there is.
    Finish,
    /// `Z_BLOCK`: end the block (deflate); stop at the next block boundary (inflate).
    Block,
    /// `Z_TREES`: as `Block`, and also stop behind each block header (inflate only).
    Trees,
}

impl Flush {
    /// zlib's number, for the engine that speaks zlib.
    fn to_zlib(self) -> i32 {
        match self {
            Flush::None => 0,
            Flush::Partial => 1,
            Flush::Sync => 2,
            Flush::Full => 3,
            Flush::Finish => 4,
            Flush::Block => 5,
            Flush::Trees => 6,
        }
    }

    /// How much a flush asks for: a call that asks for no more than the one before, and brings nothing, has nothing to do.
    fn rank(self) -> i32 {
        match self {
            Flush::None => 0,
            Flush::Block | Flush::Trees => 1,
            Flush::Partial => 2,
            Flush::Sync => 4,
            Flush::Full => 6,
            Flush::Finish => 8,
        }
    }
}

/// A level as zlib takes it; -1 stands for 6.
fn resolve_level(level: i32) -> Result<i32> {
    match level {
        -1 => Ok(6),
        0..=9 => Ok(level),
        _ => Err(Error::Stream),
    }
}
