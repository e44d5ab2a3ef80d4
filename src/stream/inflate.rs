//! `InflateStream`: zlib's `inflate()` on input in memory, and the same on a file that is read through a `Source`.
//!
//! The engine, `inflate::Inflate`, implements all of zlib's behaviour, and `readahead::Decoder` lets other threads help
//! it. This type translates zlib's flushes and counts for the statistics.

#![forbid(unsafe_code)]

use super::Flush;
use super::stats::{self, Operation, Stats};
use crate::error::{Error, Result, Status};
use crate::inflate::{End, Goal, Inflate, decode_zlib};
use crate::pipeline::{Counters, thread_limit};
use crate::raw::fault::{Point, point};
use crate::raw::{Allocator, Output};
use crate::readahead::{Decoder, SourceKind};
use core::ffi::CStr;

pub use crate::inflate::{Bookmark, HeaderPart};
pub use crate::readahead::{InjectedFault, ReadCounters, Source, Tuning};

/// A decompressing stream.
#[derive(Debug)]
pub struct InflateStream {
    decoder: Decoder,
    kind: SourceKind,
    stats: Stats,
}

impl InflateStream {
    /// Creates a stream. `window_bits` as `inflateInit2()` takes it: 8 to 15 for zlib, 24 to 31 for gzip,
    /// 40 to 47 to detect either, -8 to -15 for raw; 0, 16 and 32: as the first three, with the window size of a zlib
    /// header. [`Error::Stream`] for others.
    #[inline(always)]
    pub fn new(window_bits: i32, allocator: Allocator) -> Result<Self> {
        let engine = Inflate::new(window_bits, allocator)?;
        Ok(Self::over(engine, SourceKind::Memory, Tuning::default()))
    }

    /// A stream of a gzip file, to be [`read`](Self::read) from a source.
    pub fn of_file(window_bits: i32, tuning: Tuning) -> Result<Self> {
        let engine = Inflate::new(window_bits, Allocator::SYSTEM)?;
        Ok(Self::over(engine, SourceKind::File, tuning))
    }

    #[inline(always)]
    fn over(engine: Inflate, kind: SourceKind, tuning: Tuning) -> Self {
        let decoder = Decoder::new(engine, kind, tuning);
        Self { decoder, kind, stats: Stats::new(Operation::Inflate) }
    }

    /// Decompresses: takes input and writes output as far as both allow and `flush` requires.
    ///
    /// [`Status::StreamEnd`] at the stream's end, [`Status::NeedDictionary`] when a zlib stream needs a preset dictionary.
    /// [`Error::Buffer`] when nothing could be done, which is not fatal; [`Error::Data`] with a [`message`](Self::message);
    /// [`Error::Memory`] when memory is refused.
    pub fn inflate(&mut self, input: &mut &[u8], output: &mut Output<'_>, flush: Flush) -> Result<Status> {
        self.inflate_with_header(input, output, flush, &mut |_| {})
    }

    /// As [`inflate`](Self::inflate); parts of a gzip header are passed to `report` as they are read.
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
        let outcome = if self.decoder.may_be_helped(input.len(), goal) {
            self.decoder.inflate(input, output, goal, report)
        } else {
            self.decoder.engine_mut().inflate(input, output, goal, report)
        };
        point(Point::Inflate);
        self.stats.count(timer, given - input.len(), output.written() - written);
        outcome
    }

    /// Decompresses from `source`; see `readahead::Decoder::decode`. It may change the source's position; the caller then
    /// supplies input from there and calls again. Fails as [`inflate`](Self::inflate) does, and with [`Error::Stream`] if
    /// seeking in the source fails.
    pub fn read(&mut self, source: &mut impl Source, output: &mut Output<'_>) -> Result<Status> {
        let (passed, written) = (self.decoder.passed(), output.written());
        let timer = self.stats.timer();
        let outcome = self.decoder.decode(source, output, Goal::Progress, &mut |_| {});
        point(Point::Inflate);
        let taken = self.decoder.passed() - passed;
        self.stats.count(timer, taken as usize, output.written() - written);
        outcome
    }

    /// Begins the next gzip member of the source. Data that was decoded ahead is kept.
    pub fn begin_next(&mut self) {
        self.stats.finish(Counters::default());
        self.decoder.begin_next();
    }

    /// Ends a stream for the statistics.
    fn finish(&mut self) {
        if !self.stats.is_on() {
            return;
        }
        let ahead = self.decoder.counters();
        let mut counters = Counters::default();
        if self.kind == SourceKind::Memory && ahead.bytes > 0 {
            counters.threads = thread_limit();
        }
        self.stats.finish(counters);
        let operation = match self.kind {
            SourceKind::File => "gzread",
            SourceKind::Memory => "inflate_ahead",
        };
        stats::note_read_ahead(operation, &ahead);
    }

    /// Returns to the start of a stream in the same format.
    pub fn reset(&mut self) {
        self.finish();
        self.decoder.reset();
    }

    /// Returns to the start of a stream in another format; [`Error::Stream`] if `window_bits` is invalid.
    pub fn reset2(&mut self, window_bits: i32) -> Result<()> {
        self.finish();
        self.decoder.reset2(window_bits)
    }

    /// `inflatePrime()`: inserts `count` bits, 0 to 16, before the input; a negative count drops all inserted bits.
    /// [`Error::Stream`] for more than 16, or if more than 32 would be held. Such a stream is decoded serially.
    pub fn prime(&mut self, count: i32, value: i32) -> Result<()> {
        self.decoder.decline();
        self.decoder.engine_mut().prime(count, value)
    }

    /// The stream's position, if decoding can [`resume`](Self::resume) there, and the last output before it, at most 32 KiB.
    /// `None` while data is delivered that was decoded ahead.
    pub fn bookmark(&mut self) -> Option<(Bookmark, &[u8])> {
        self.decoder.bookmark()
    }

    /// Continues from `bookmark`, after data that ends with `window`; an error leaves the stream at its start.
    pub fn resume(&mut self, bookmark: &Bookmark, window: &[u8]) -> Result<()> {
        self.decoder.resume(bookmark, window)
    }

    /// Drops what other threads decoded ahead: the source's position was changed.
    pub fn forget_ahead(&mut self) {
        self.decoder.forget();
    }

    /// Sets how a file is read ahead.
    pub fn tune(&mut self, tuning: Tuning) {
        self.decoder.tune(tuning);
    }

    /// The offset in the compressed source, in bytes, of the data that is being delivered, if it was decoded ahead.
    pub fn offset(&self) -> Option<u64> {
        self.decoder.offset()
    }

    /// Counters of the work that other threads did.
    pub fn counters(&self) -> ReadCounters {
        self.decoder.counters()
    }

    /// Counts a checkpoint that was kept, for the statistics.
    pub fn count_checkpoint(&mut self) {
        self.stats.checkpoints += 1;
    }

    /// Counts a return to a checkpoint.
    pub fn count_resumption(&mut self) {
        self.stats.resumptions += 1;
    }

    /// zlib's text for the last error.
    pub fn message(&self) -> Option<&'static CStr> {
        self.engine().message()
    }

    /// `inflateGetDictionary()`: the history that zlib would have kept.
    pub fn dictionary(&mut self) -> &[u8] {
        self.decoder.dictionary()
    }

    /// The serial decoder, for functions that this type only passes on.
    pub fn engine(&self) -> &Inflate {
        self.decoder.engine()
    }

    /// As [`engine`](Self::engine), mutable.
    pub fn engine_mut(&mut self) -> &mut Inflate {
        self.decoder.engine_mut()
    }

    /// An independent copy of the stream in its current state.
    pub fn try_clone(&self) -> Result<Self> {
        let decoder = self.decoder.try_clone()?;
        Ok(Self { decoder, kind: self.kind, stats: self.stats.clone() })
    }
}

impl Drop for InflateStream {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Decompresses a whole zlib stream, as `uncompress2()` does. Returns the number of input bytes used. [`Error::Buffer`]
/// when the output is full before the stream ends; [`Error::Data`] when the stream is damaged, needs a dictionary or does not
/// end, or when the output has no room and the stream contains data; [`Error::Memory`] when memory is refused.
pub fn uncompress(source: &[u8], output: &mut Output<'_>) -> (usize, Result<()>) {
    if source.len() >= LARGE_INPUT
        && !output.is_full()
        && thread_limit() > 1
        && let Ok(stream) = InflateStream::new(15, Allocator::SYSTEM)
    {
        return uncompress_large(stream, source, output);
    }
    let mut stats = Stats::new(Operation::Inflate);
    let timer = stats.timer();
    let has_room = !output.is_full();
    let decoded = if has_room {
        decode_zlib(source, output)
    } else {
        // A stream of no data may be decoded with no room at all.
        decode_zlib(source, &mut Output::new(&mut [0]))
    };
    stats.count(timer, decoded.consumed, decoded.produced);
    stats.finish(Counters::default());
    let outcome = match decoded.end {
        End::Complete => Ok(()),
        // zlib distinguishes the two by the room that is left, not by what was missing.
        End::InputEnds | End::OutputFull if has_room && output.is_full() => Err(Error::Buffer),
        End::InputEnds | End::OutputFull | End::NeedsDictionary | End::Damaged(_) => Err(Error::Data),
    };
    (decoded.consumed, outcome)
}

/// From this input size on `uncompress()` uses a stream, which workers may help.
const LARGE_INPUT: usize = 2 << 20;

/// As [`uncompress`], with a stream.
fn uncompress_large(
    mut stream: InflateStream,
    source: &[u8],
    output: &mut Output<'_>,
) -> (usize, Result<()>) {
    let mut input = source;
    let outcome = match stream.inflate(&mut input, output, Flush::Finish) {
        Ok(Status::StreamEnd) => Ok(()),
        Err(Error::Memory) => Err(Error::Memory),
        Err(Error::Buffer) if output.is_full() => Err(Error::Buffer),
        Ok(Status::Ok | Status::NeedDictionary) | Err(_) => Err(Error::Data),
    };
    (source.len() - input.len(), outcome)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::crc32;
    use crate::random::Random;
    use crate::stream::Strategy;
    use crate::stream::deflate::{Config, DeflateStream};

    /// A gzip member.
    fn member(data: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; data.len() + 10_000];
        let mut output = Output::new(&mut bytes);
        let config = Config {
            level: crate::stream::Level::DEFAULT,
            window_bits: 31,
            mem_level: 8,
            strategy: Strategy::Default,
        };
        let mut stream = DeflateStream::new(config, Allocator::SYSTEM).unwrap();
        while stream.deflate(&mut { data }, &mut output, Flush::Finish).unwrap() != Status::StreamEnd {}
        let len = output.written();
        bytes.truncate(len);
        bytes
    }

    /// Text, noise that is stored, and text again.
    fn sample() -> Vec<u8> {
        let mut random = Random::new(7);
        let mut data = Vec::new();
        while data.len() < 300_000 {
            match data.len() {
                100_000..200_000 => data.push(random.byte()),
                _ => {
                    let (number, digits) = (random.below(1 << 10), random.next() & 0xf0f);
                    data.extend_from_slice(format!("{number} {digits:x} ").as_bytes());
                }
            }
        }
        data
    }

    fn rest(stream: &mut InflateStream, mut input: &[u8]) -> (Result<Status>, Vec<u8>) {
        let mut bytes = vec![0; 400_000];
        let mut output = Output::new(&mut bytes);
        let result = stream.inflate(&mut input, &mut output, Flush::None);
        let len = output.written();
        bytes.truncate(len);
        (result, bytes)
    }

    fn stream() -> InflateStream {
        InflateStream::new(31, Allocator::SYSTEM).unwrap()
    }

    #[test]
    fn a_stream_resumes_from_any_bookmark() {
        let data = sample();
        let member = member(&data);
        for (piece, room, every) in [(1, 70_000, 5_501), (997, 613, 41), (5000, 7, 2_003), (333, 400_000, 19)]
        {
            let (mut stream, mut again) = (stream(), stream());
            let (mut input, mut done, mut calls, mut places) = (&member[..], 0, 0, 0);
            loop {
                let mut offered = &input[..input.len().min(piece)];
                let before = offered.len();
                let mut out = vec![0; room];
                let mut output = Output::new(&mut out);
                let result = stream.inflate(&mut offered, &mut output, Flush::None);
                done += output.written();
                input = &input[before - offered.len()..];
                if result == Ok(Status::StreamEnd) {
                    break;
                }
                calls += 1;
                if calls % every != 0 {
                    continue;
                }
                let Some((bookmark, window)) = stream.bookmark() else { continue };
                assert!(window.ends_with(&data[done - done.min(32_768)..done]));
                again.resume(&bookmark, window).unwrap();
                assert_eq!(rest(&mut again, input), (Ok(Status::StreamEnd), data[done..].to_vec()));
                places += 1;
            }
            assert!(places >= 4, "{places} places in {calls} calls");
        }
    }

    #[test]
    fn a_wrong_trailer_is_found_after_a_resumption() {
        let data = sample();
        let mut member = member(&data);
        let mut stream = stream();
        let mut bytes = vec![0; 100_000];
        let mut input = &member[..];
        stream.inflate(&mut input, &mut Output::new(&mut bytes), Flush::None).unwrap();
        let place = member.len() - input.len();
        let (bookmark, window) = stream.bookmark().unwrap();
        let (bookmark, window) = (bookmark, window.to_vec());
        let last = member.len() - 1;
        for damaged in [last, last - 4] {
            member[damaged] ^= 1;
            stream.resume(&bookmark, &window).unwrap();
            let (result, got) = rest(&mut stream, &member[place..]);
            assert_eq!((result, got), (Err(Error::Data), data[100_000..].to_vec()));
            member[damaged] ^= 1;
        }
        stream.resume(&bookmark, &window).unwrap();
        assert_eq!(rest(&mut stream, &member[place..]).0, Ok(Status::StreamEnd));
    }

    #[test]
    fn a_bookmark_between_blocks_can_be_made_without_the_engine() {
        let data = sample();
        let member = member(&data);
        let (mut stream, mut again) = (stream(), stream());
        let (mut input, mut done, mut places) = (&member[..], 0, 0);
        loop {
            let mut bytes = vec![0; 400_000];
            let mut output = Output::new(&mut bytes);
            let result = stream.inflate(&mut input, &mut output, Flush::Block);
            done += output.written();
            if result == Ok(Status::StreamEnd) {
                break;
            }
            let data_type = stream.engine().data_type();
            if data_type & 64 != 0 {
                continue;
            }
            let held_count = data_type as u32 & 7;
            let held = u32::from(member[member.len() - input.len() - 1]) >> (8 - held_count);
            for crc in [crc32::update(0, &data[..done]), 1] {
                let bookmark = Bookmark::at_block(held as u8, held_count, crc, done as u32);
                again.resume(&bookmark, &data[..done]).unwrap();
                let outcome = if crc == 1 { Err(Error::Data) } else { Ok(Status::StreamEnd) };
                assert_eq!(rest(&mut again, input), (outcome, data[done..].to_vec()));
            }
            places += 1;
        }
        assert!(places > 4, "{places}");
    }
}
