//! `InflateStream`: what zlib's `inflate()` means.
//!
//! The engine, `inflate::Inflate`, has that meaning in every corner; this type speaks zlib's flushes and counts.

#![forbid(unsafe_code)]

use super::Flush;
use super::stats::{Operation, Stats};
use crate::error::{Error, Result, Status};
use crate::inflate::{Goal, Inflate};
use crate::pipeline::Counters;
use crate::raw::{Allocator, Output};
use core::ffi::CStr;

pub use crate::inflate::HeaderPart;

/// A decompressing stream.
#[derive(Debug)]
pub struct InflateStream {
    engine: Inflate,
    stats: Stats,
}

impl InflateStream {
    /// A stream at its start. `window_bits` as `inflateInit2()` takes it: 8 to 15 for zlib, 16 more for gzip, 32 more for
    /// either, negative for raw, 0 for what the zlib header says.
    pub fn new(window_bits: i32, allocator: Allocator) -> Result<Self> {
        Ok(Self { engine: Inflate::new(window_bits, allocator)?, stats: Stats::new(Operation::Inflate) })
    }

    /// Decompresses: takes input and gives output as far as both allow and `flush` asks.
    ///
    /// [`Error::Buffer`] when nothing could be done, which is not fatal; [`Error::Data`] with a [`message`](Self::message).
    pub fn inflate(&mut self, input: &mut &[u8], output: &mut Output<'_>, flush: Flush) -> Result<Status> {
        self.inflate_with_header(input, output, flush, &mut |_| {})
    }

    /// As [`inflate`](Self::inflate); parts of a gzip header go to `report` as they are met.
    pub fn inflate_with_header(
        &mut self,
        input: &mut &[u8],
        output: &mut Output<'_>,
        flush: Flush,
        report: &mut dyn FnMut(HeaderPart<'_>),
    ) -> Result<Status> {
        let goal = match flush {
            Flush::Finish => Goal::Finish,
            Flush::Block => Goal::Block,
            Flush::Trees => Goal::BlockHeader,
            Flush::None | Flush::Partial | Flush::Sync | Flush::Full => Goal::Progress,
        };
        let (given, written) = (input.len(), output.written());
        let timer = self.stats.timer();
        let outcome = self.engine.inflate(input, output, goal, report);
        self.stats.count(timer, given - input.len(), output.written() - written);
        outcome
    }

    /// Back to the start of a stream of the same form.
    pub fn reset(&mut self) {
        self.stats.finish(Counters::default());
        self.engine.reset();
    }

    /// Back to the start of a stream of another form.
    pub fn reset2(&mut self, window_bits: i32) -> Result<()> {
        self.stats.finish(Counters::default());
        self.engine.reset2(window_bits)
    }

    /// zlib's text for the last error.
    pub fn message(&self) -> Option<&'static CStr> {
        self.engine.message()
    }

    /// The engine, for what means the same in every layer.
    pub fn engine(&self) -> &Inflate {
        &self.engine
    }

    /// As [`engine`](Self::engine), to be changed.
    pub fn engine_mut(&mut self) -> &mut Inflate {
        &mut self.engine
    }

    /// A stream in the same state, to go on apart.
    pub fn try_clone(&self) -> Result<Self> {
        Ok(Self { engine: self.engine.try_clone()?, stats: self.stats.clone() })
    }
}

impl Drop for InflateStream {
    fn drop(&mut self) {
        self.stats.finish(Counters::default());
    }
}

/// Decompresses a whole zlib stream, as `uncompress2()` does. Tells how much input was used. [`Error::Buffer`] when the output
/// does not fit, [`Error::Data`] when the stream is damaged, needs a dictionary or does not end.
pub fn uncompress(source: &[u8], output: &mut Output<'_>) -> (usize, Result<()>) {
    let mut input = source;
    let outcome = if output.is_full() {
        // A stream of no data may be asked for with no room at all.
        let mut byte = [0];
        let mut spare = Output::new(&mut byte);
        let outcome = decode(&mut input, &mut spare);
        if outcome == Err(Error::Buffer) { Err(Error::Data) } else { outcome }
    } else {
        decode(&mut input, output)
    };
    (source.len() - input.len(), outcome)
}

fn decode(input: &mut &[u8], output: &mut Output<'_>) -> Result<()> {
    let mut stream = InflateStream::new(15, Allocator::SYSTEM)?;
    loop {
        match stream.inflate(input, output, Flush::None) {
            Ok(Status::Ok) => {}
            Ok(Status::StreamEnd) => return Ok(()),
            Err(Error::Buffer) if output.is_full() => return Err(Error::Buffer),
            Ok(Status::NeedDictionary) | Err(Error::Buffer) => return Err(Error::Data),
            Err(error) => return Err(error),
        }
    }
}
