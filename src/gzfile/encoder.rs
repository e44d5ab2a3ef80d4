//! The encoder of a gzFile's writer: one gzip member, as in zlib, or BGZF if `RIGZ_FORMAT` selects it.

#![forbid(unsafe_code)]

use crate::config::config;
use crate::error::{Result, Status};
use crate::raw::{Allocator, Output};
use crate::stream::bgzf::BgzfStream;
use crate::stream::deflate::{Config, DeflateStream};
use crate::stream::{Flush, Level, Strategy};

/// Window bits of 32 KiB, with a gzip wrapper.
const GZIP_WINDOW_BITS: i32 = 15 + 16;

/// zlib's default; the range is 1 to 9.
const MEM_LEVEL: i32 = 8;

/// A compressing stream of either form.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "`Box::new` aborts if allocation fails")]
pub(super) enum FileEncoder {
    Gzip(DeflateStream),
    /// Ignores strategies: they are hints, and our own engine always compresses its blocks.
    Bgzf(BgzfStream),
}

impl FileEncoder {
    /// Creates a stream in the format that the environment selects.
    pub(super) fn new(level: Level, strategy: Strategy) -> Result<Self> {
        if config().bgzf {
            return Ok(Self::Bgzf(BgzfStream::new(level, Allocator::SYSTEM)));
        }
        let config = Config { level, window_bits: GZIP_WINDOW_BITS, mem_level: MEM_LEVEL, strategy };
        DeflateStream::for_own_output(config).map(Self::Gzip)
    }

    /// See [`DeflateStream::deflate`].
    pub(super) fn deflate(
        &mut self,
        input: &mut &[u8],
        output: &mut Output<'_>,
        flush: Flush,
    ) -> Result<Status> {
        match self {
            Self::Gzip(stream) => stream.deflate(input, output, flush),
            Self::Bgzf(stream) => stream.deflate(input, output, flush),
        }
    }

    /// See [`DeflateStream::params`].
    pub(super) fn params(&mut self, level: Level, strategy: Strategy, output: &mut Output<'_>) -> Result<()> {
        match self {
            Self::Gzip(stream) => stream.params(level, strategy, &mut &[][..], output),
            Self::Bgzf(stream) => stream.set_level(level, output),
        }
    }

    /// Returns to the start, with the same parameters.
    pub(super) fn reset(&mut self) -> Result<()> {
        match self {
            Self::Gzip(stream) => stream.reset(),
            Self::Bgzf(stream) => {
                stream.reset();
                Ok(())
            }
        }
    }
}
