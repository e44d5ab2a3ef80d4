//! Whole buffers in one call: zlib's `compress()` family, on slices.

#![forbid(unsafe_code)]

use super::deflate::{Config, DeflateStream};
use super::{Flush, Level, Strategy};
use crate::error::{Error, Result, Status};
use crate::raw::Output;

/// Compresses `source` to one zlib stream. [`Error::Buffer`] when the stream does not fit in `output`.
pub fn compress(source: &[u8], output: &mut Output<'_>, level: Level) -> Result<()> {
    let config = Config { level, window_bits: 15, mem_level: 8, strategy: Strategy::Default };
    let mut stream = DeflateStream::for_own_output(config)?;
    let mut input = source;
    while stream.deflate(&mut input, output, Flush::Finish)? != Status::StreamEnd {
        if output.is_full() {
            return Err(Error::Buffer);
        }
    }
    Ok(())
}

pub use super::inflate::uncompress;
pub use crate::format::zlib::compress_bound;
