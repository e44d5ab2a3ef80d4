//! zlib's streaming meaning, in safe Rust.
//!
//! [`deflate::DeflateStream`] and [`inflate::InflateStream`] hold everything that lives between two calls of `deflate()` or
//! `inflate()`; neither knows C nor files. `policy` alone decides which engine does the work, and whether in parallel.

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
