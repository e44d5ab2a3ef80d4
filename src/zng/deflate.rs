//! A raw DEFLATE compressor by zlib-ng. Its functions fail with the [`Error`](crate::error::Error) for zlib-ng's return code.

use super::{Stream, done, outcome, sys};
use crate::error::{Result, Status};
use crate::format::params::{Flush, Level, Strategy};
use crate::raw::{Allocator, Buffer, Output};
use core::ffi::c_int;

/// The parameters of a compressor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateParams {
    /// Levels above 9 count as 9.
    pub level: Level,
    /// 9 to 15.
    pub window_bits: i32,
    /// 1 to 9.
    pub mem_level: i32,
    /// How matches are searched.
    pub strategy: Strategy,
}

/// The zlib-ng level used for `level`. Above 0 it matters only to the fixed strategy, since the others search in the same way at all
/// levels. At levels 1 to 6 zlib-ng searches less than zlib does at the same level, so the next level is used. Its level 1
/// also stores no blocks and expands noise by 5 %, beyond the bound that programs hard-code.
fn engine_level(level: Level) -> c_int {
    match level.number().min(9) as c_int {
        level @ 1..=6 => level + 1,
        level => level,
    }
}

/// zlib's number.
fn strategy_number(strategy: Strategy) -> c_int {
    match strategy {
        Strategy::Default => 0,
        Strategy::Filtered => 1,
        Strategy::HuffmanOnly => 2,
        Strategy::Rle => 3,
        Strategy::Fixed => 4,
    }
}

/// zlib's number.
fn flush_number(flush: Flush) -> c_int {
    match flush {
        Flush::None => 0,
        Flush::Partial => 1,
        Flush::Sync => 2,
        Flush::Full => 3,
        Flush::Finish => 4,
        Flush::Block => 5,
        Flush::Trees => 6,
    }
}

/// A raw DEFLATE compressor.
#[derive(Debug)]
pub struct Deflate {
    stream: Stream,
}

impl Deflate {
    /// Creates a compressor.
    pub fn new(params: DeflateParams, allocator: Allocator) -> Result<Self> {
        const METHOD: c_int = 8;
        let stream = Stream::new(allocator)?;
        let level = engine_level(params.level);
        // SAFETY: the stream is zeroed except for its allocator, as zlib-ng's init requires.
        done(unsafe {
            sys::zng_deflateInit2(
                stream.as_ptr(),
                level,
                METHOD,
                -params.window_bits,
                params.mem_level,
                strategy_number(params.strategy),
            )
        })?;
        Ok(Self { stream })
    }

    /// `deflate()` of the zlib manual.
    pub fn deflate(&mut self, input: &mut &[u8], output: &mut Output<'_>, flush: Flush) -> Result<Status> {
        loop {
            // If the slice's length exceeds 32 bits, only the last piece has the caller's flush.
            let flush_now = if input.len() > u32::MAX as usize { Flush::None } else { flush };
            let code = self.stream.exchange(input, output, |strm| {
                // SAFETY: the stream is initialised and its buffers are lent for this call.
                unsafe { sys::zng_deflate(strm, flush_number(flush_now)) }
            });
            if flush_now == flush || code != 0 || output.is_full() {
                return outcome(code);
            }
        }
    }

    /// `deflateParams()`; may write pending data at the old level.
    pub fn params(
        &mut self,
        level: Level,
        strategy: Strategy,
        input: &mut &[u8],
        output: &mut Output<'_>,
    ) -> Result<()> {
        let (level, strategy) = (engine_level(level), strategy_number(strategy));
        done(self.stream.exchange(input, output, |strm| {
            // SAFETY: the stream is initialised and its buffers are lent for this call.
            unsafe { sys::zng_deflateParams(strm, level, strategy) }
        }))
    }

    /// Returns to the start of a stream and drops the history.
    pub fn reset(&mut self) -> Result<()> {
        // SAFETY: the stream is initialised.
        done(unsafe { sys::zng_deflateReset(self.stream.as_ptr()) })
    }

    /// `deflateResetKeep()`: as `reset`, but keeps the window.
    pub fn reset_keep(&mut self) -> Result<()> {
        // SAFETY: the stream is initialised.
        done(unsafe { sys::zng_deflateResetKeep(self.stream.as_ptr()) })
    }

    /// `deflateTune()`.
    pub fn tune(&mut self, good: i32, lazy: i32, nice: i32, chain: i32) -> Result<()> {
        // SAFETY: the stream is initialised.
        done(unsafe { sys::zng_deflateTune(self.stream.as_ptr(), good, lazy, nice, chain) })
    }

    /// `deflatePending()`: bytes and bits that wait for output space.
    pub fn pending(&self) -> (u32, u32) {
        let (mut bytes, mut bits) = (0u32, 0i32);
        // SAFETY: the stream is initialised and both results are writable.
        unsafe { sys::zng_deflatePending(self.stream.as_ptr(), &raw mut bytes, &raw mut bits) };
        (bytes, bits as u32)
    }

    /// `deflatePrime()`: inserts the low `bits` bits of `value` before the following output.
    pub fn prime(&mut self, bits: i32, value: i32) -> Result<()> {
        // SAFETY: the stream is initialised.
        done(unsafe { sys::zng_deflatePrime(self.stream.as_ptr(), bits, value) })
    }

    /// `deflateSetDictionary()`: `dictionary` becomes history.
    pub fn set_dictionary(&mut self, dictionary: &[u8]) -> Result<()> {
        // Only the last window matters, so the length fits 32 bits.
        let tail = &dictionary[dictionary.len().saturating_sub(1 << 16)..];
        // SAFETY: the stream is initialised and `tail` is readable.
        done(unsafe { sys::zng_deflateSetDictionary(self.stream.as_ptr(), tail.as_ptr(), tail.len() as u32) })
    }

    /// The history, at most 32 KiB, in memory of `allocator`.
    pub fn dictionary(&self, allocator: Allocator) -> Result<Buffer> {
        super::history(allocator, |place, len| {
            // SAFETY: the stream is initialised; zlib-ng writes at most 32 KiB, which `place` has room for.
            unsafe { sys::zng_deflateGetDictionary(self.stream.as_ptr(), place, len) }
        })
    }

    /// An independent compressor in the same state.
    pub fn try_clone(&self) -> Result<Self> {
        let stream = Stream::new(self.stream.allocator)?;
        // `zng_deflateCopy` overwrites the whole destination struct, but not its address.
        // SAFETY: the source is initialised, the destination is a stream's memory.
        done(unsafe { sys::zng_deflateCopy(stream.as_ptr(), self.stream.as_ptr()) })?;
        Ok(Self { stream })
    }

    /// `Z_BINARY`, `Z_TEXT` or `Z_UNKNOWN`, as determined from the first block.
    pub fn data_type(&self) -> i32 {
        self.stream.get().data_type
    }
}

impl Drop for Deflate {
    fn drop(&mut self) {
        // SAFETY: the stream is initialised; ending it frees zlib-ng's state, then `Stream` frees itself.
        unsafe { sys::zng_deflateEnd(self.stream.as_ptr()) };
    }
}
