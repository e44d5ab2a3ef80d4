//! `DeflateStream`: zlib's `deflate()`, from header to trailer.
//!
//! This file writes header and trailer, the same for every engine; `Body` writes the data between them. A stream goes
//! through the phases header, body, trailer and done, in this order, and a call can go through several of them.
//!
//! Return codes are zlib's: for calls with nothing new to do, input after the end, and flushes without room. They depend
//! on the order of the checks in `advance`, which is that of zlib's deflate.c.

#![forbid(unsafe_code)]

use super::body::Body;
use super::stats::{Operation, Stats};
use super::{Flush, Level, Strategy, rank};
use crate::checksum::{Check, adler32};
use crate::error::{Error, Result, Status};
use crate::format::{gzip, zlib};
use crate::raw::fault::{Point, point};
use crate::raw::{Allocator, Buffer, Output};
use crate::zng::DeflateParams;

/// The parameters of a stream, in `deflateInit2()`'s terms.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// 0 to 9 as in zlib; 10 to 12 take more time for a smaller output.
    pub level: Level,
    /// The window's size as a power of two: 8 to 15 with zlib's wrapper, 25 to 31 (16 more) for gzip, -9 to -15 for raw.
    pub window_bits: i32,
    /// 1 to 9: how much memory the encoder takes, as in zlib.
    pub mem_level: i32,
    /// How matches are searched.
    pub strategy: Strategy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrap {
    Raw,
    Zlib,
    Gzip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The number of header bytes written so far. A raw stream begins with `Body`.
    Header(usize),
    Body,
    /// The body's final block is written. The number of trailer bytes written so far.
    Trailer(usize),
    /// The trailer is written.
    Done,
}

/// A compressing stream.
#[derive(Debug)]
pub struct DeflateStream {
    wrap: Wrap,
    phase: Phase,
    body: Body,
    /// Adler-32 of the preset dictionary, which the zlib header contains.
    dictionary_check: Option<u32>,
    /// Bytes of input taken since the last reset.
    taken: u64,
    /// The flush of the last call; none at the start of a stream, and when that call may be repeated because it ran out of
    /// room or memory. A call without input whose flush ranks no higher has nothing to do.
    last_flush: Option<Flush>,
    /// `deflate()` was called since the last reset, with room for output.
    has_begun: bool,
    /// `Finish` was requested and all input taken: nothing but `Finish` may follow.
    is_finishing: bool,
    stats: Stats,
}

impl DeflateStream {
    /// Creates a stream. [`Error::Stream`] when `config` is outside zlib's ranges.
    pub fn new(config: Config, allocator: Allocator) -> Result<Self> {
        let (wrap, window_bits) = match config.window_bits {
            bits @ -15..=-8 => (Wrap::Raw, -bits),
            bits @ 8..=15 => (Wrap::Zlib, bits),
            bits @ 24..=31 => (Wrap::Gzip, bits - 16),
            _ => return Err(Error::Stream),
        };
        // A window of 256 bytes is replaced by 512, which only a zlib header can announce to the decoder.
        if !(1..=9).contains(&config.mem_level) || (window_bits == 8 && wrap != Wrap::Zlib) {
            return Err(Error::Stream);
        }
        let params = DeflateParams {
            level: config.level,
            window_bits: window_bits.max(9),
            mem_level: config.mem_level,
            strategy: config.strategy,
        };
        let check = match wrap {
            Wrap::Raw => Check::None,
            Wrap::Zlib => Check::Adler(0),
            Wrap::Gzip => Check::Crc(0),
        };
        Ok(Self {
            wrap,
            phase: Phase::start(wrap),
            body: Body::new(params, allocator, check)?,
            dictionary_check: None,
            taken: 0,
            last_flush: None,
            has_begun: false,
            is_finishing: false,
            stats: Stats::new(Operation::Deflate),
        })
    }

    /// A stream for the library's own use: its caller calls until the end of the stream, so threads may still hold output when
    /// a call returns.
    pub fn for_own_output(config: Config) -> Result<Self> {
        let mut stream = Self::new(config, Allocator::SYSTEM)?;
        stream.body.expect_all_calls();
        Ok(stream)
    }

    /// Sets an address in the code that created the stream; the file that contains it is looked up. It decides whether output
    /// may be held back between calls (`policy`).
    pub fn set_origin(&mut self, address: usize) {
        self.body.set_origin(address);
    }

    /// Compresses: takes input and writes output as far as `flush` requires and the room allows.
    ///
    /// [`Status::StreamEnd`] when the trailer is written. [`Error::Buffer`] when nothing could be done, which is not fatal;
    /// [`Error::Stream`] for `Flush::Trees`, and for any flush but `Finish` after `Finish` has taken all input.
    pub fn deflate(&mut self, input: &mut &[u8], output: &mut Output<'_>, flush: Flush) -> Result<Status> {
        self.deflate_with_header(input, output, flush, None)
    }

    /// As [`deflate`](Self::deflate); a gzip stream at its start writes `header`, and every call must pass the same one
    /// until it is written.
    pub fn deflate_with_header(
        &mut self,
        input: &mut &[u8],
        output: &mut Output<'_>,
        flush: Flush,
        header: Option<&gzip::Header<'_>>,
    ) -> Result<Status> {
        let (given, written) = (input.len(), output.written());
        let timer = self.stats.timer();
        let outcome = self.advance(input, output, flush, header);
        self.stats.count(timer, given - input.len(), output.written() - written);
        outcome
    }

    fn advance(
        &mut self,
        input: &mut &[u8],
        output: &mut Output<'_>,
        flush: Flush,
        header: Option<&gzip::Header<'_>>,
    ) -> Result<Status> {
        if flush == Flush::Trees || (self.is_finishing && flush != Flush::Finish) {
            return Err(Error::Stream);
        }
        if output.is_full() {
            return Err(Error::Buffer);
        }
        // The fast path for a few bytes of a long segment (bulk). None of the checks below applies to it: there is input, and
        // `has_begun` is set, since bulk has begun.
        if flush == Flush::None && self.phase == Phase::Body && !input.is_empty() {
            let given = input.len() as u64;
            if self.body.collect(input) {
                self.taken += given;
                self.last_flush = Some(flush);
                return Ok(Status::Ok);
            }
        }
        let asks_nothing_new = input.is_empty()
            && flush != Flush::Finish
            && self.last_flush.is_some_and(|last| rank(flush) <= rank(last));
        self.last_flush = Some(flush);
        self.has_begun = true;
        // Fails for input after `Finish` has taken all input, and for a call that requests nothing new while no output waits.
        if self.is_finishing && !input.is_empty()
            || asks_nothing_new && self.phase == Phase::Body && self.body.is_at_rest()
        {
            return Err(Error::Buffer);
        }
        // The header counts as progress, too.
        let start = (input.len(), output.written());
        if !self.write_header(output, header) {
            // The flush is not performed yet, so the same call must not count as one with nothing new.
            self.last_flush = None;
            return Ok(Status::Ok);
        }
        if self.phase == Phase::Body {
            let outcome = self.body.deflate(input, output, flush);
            point(Point::Deflate);
            self.taken += (start.0 - input.len()) as u64;
            self.is_finishing |= flush == Flush::Finish && input.is_empty();
            // The totals above are updated before any return: input may be taken even in a call that fails.
            let has_progress = start != (input.len(), output.written());
            match outcome {
                Ok(Status::StreamEnd) => self.phase = Phase::Trailer(0),
                Ok(_) if !has_progress && asks_nothing_new => return Err(Error::Buffer),
                // An engine may have nothing to do for a flush that is new to the stream.
                Err(Error::Buffer) if has_progress || !asks_nothing_new => {}
                Err(Error::Memory) => {
                    // The call may be repeated, and must then still perform its flush.
                    self.last_flush = None;
                    return Err(Error::Memory);
                }
                outcome => _ = outcome?,
            }
        }
        // As in zlib: the next call continues a flush that may be incomplete, and must not fail even if it has nothing to do.
        if output.is_full() {
            self.last_flush = None;
        }
        Ok(self.write_trailer(output))
    }

    /// Writes the rest of the header, as far as there is room. Returns true when it is written and there is room for
    /// more. If it fits exactly, the phase is `Body` and the result false.
    fn write_header(&mut self, output: &mut Output<'_>, header: Option<&gzip::Header<'_>>) -> bool {
        /// zlib's header of a gzip stream without `deflateSetHeader()`.
        const PLAIN: gzip::Header<'static> = gzip::Header {
            text: false,
            time: 0,
            os: gzip::OS_UNIX,
            extra: None,
            name: None,
            comment: None,
            has_crc: false,
        };
        let Phase::Header(mut position) = self.phase else { return true };
        let params = self.body.parameters();
        let level = params.level.number();
        let is_fast = !params.strategy.is_general() || level < 2;
        let is_out = match self.wrap {
            Wrap::Raw => true,
            Wrap::Zlib => {
                // FLEVEL (RFC 1950, 2.2), as zlib sets it.
                let effort = match level {
                    _ if is_fast => 0,
                    ..6 => 1,
                    6 => 2,
                    _ => 3,
                };
                let mut bytes = [0; 6];
                bytes[..2].copy_from_slice(&zlib::header(
                    params.window_bits as u32,
                    effort,
                    self.dictionary_check.is_some(),
                ));
                bytes[2..].copy_from_slice(&self.dictionary_check.unwrap_or_default().to_be_bytes());
                let bytes = &bytes[..if self.dictionary_check.is_some() { 6 } else { 2 }];
                position += output.put(&bytes[position..]);
                position == bytes.len()
            }
            Wrap::Gzip => {
                // XFL (RFC 1952, 2.3.1), as zlib sets it: 2 for the best compression, 4 for the fastest.
                let effort = match level {
                    9.. => 2,
                    _ if is_fast => 4,
                    _ => 0,
                };
                header.unwrap_or(&PLAIN).write(effort, &mut position, output)
            }
        };
        self.phase = if is_out { Phase::Body } else { Phase::Header(position) };
        is_out && !output.is_full()
    }

    /// Writes the rest of the trailer, as far as there is room, if the body is complete.
    fn write_trailer(&mut self, output: &mut Output<'_>) -> Status {
        if let Phase::Trailer(position) = self.phase {
            let check = self.body.check().value();
            // The trailer, and how many of the bytes it has.
            let (bytes, len) = match self.wrap {
                Wrap::Raw => ([0; 8], 0),
                Wrap::Zlib => ((u64::from(check) << 32).to_be_bytes(), 4),
                Wrap::Gzip => (gzip::trailer(check, self.taken), 8),
            };
            let position = position + output.put(&bytes[position..len]);
            self.phase = if position == len { Phase::Done } else { Phase::Trailer(position) };
        }
        if self.phase == Phase::Done { Status::StreamEnd } else { Status::Ok }
    }

    /// `deflateParams()`: data taken before, and `input`, are compressed with the old parameters, as far as the room
    /// allows; [`Error::Buffer`] if there is not enough room, and then the parameters are unchanged. After the
    /// end, levels with the same search function in zlib may be exchanged, for the stream after a reset. While the
    /// stream [is within its header](Self::is_within_header), a caller with a gzip header of its own must complete it first.
    pub fn params(
        &mut self,
        level: Level,
        strategy: Strategy,
        input: &mut &[u8],
        output: &mut Output<'_>,
    ) -> Result<()> {
        if !self.has_begun {
            return self.body.params(level, strategy, input, output, false);
        }
        let DeflateParams { level: old_level, strategy: old_strategy, .. } = *self.body.parameters();
        if (old_level, old_strategy) == (level, strategy) {
            return Ok(());
        }
        if !self.write_header(output, None) && self.phase != Phase::Body {
            return Err(Error::Buffer);
        }
        let zlib_flushes = strategy != old_strategy || level.zlib_search() != old_level.zlib_search();
        match self.phase {
            Phase::Body => {}
            // The final block is written, with the old parameters.
            _ if zlib_flushes => return Err(Error::Stream),
            _ => return self.body.params(level, strategy, &mut &[][..], output, false),
        }
        let before = input.len();
        let had_room = !output.is_full();
        let outcome = self.body.params(level, strategy, input, output, true);
        let taken = before - input.len();
        self.taken += taken as u64;
        // What the next flush is compared with: in zlib this is a call with `Z_BLOCK`, or no call.
        if had_room {
            self.last_flush = match outcome {
                Ok(()) if output.is_full() => None,
                Ok(()) if zlib_flushes => Some(Flush::Block),
                Ok(()) if taken > 0 => Some(Flush::None),
                Ok(()) => self.last_flush,
                Err(_) => None,
            };
        }
        outcome
    }

    /// Returns to the start of a stream with the same parameters.
    pub fn reset(&mut self) -> Result<()> {
        // First, because `Body::reset` clears the counters.
        self.finish_stats();
        self.body.reset(false)?;
        self.restart();
        Ok(())
    }

    /// `deflateResetKeep()`: as `reset`, but later data may refer to earlier data.
    pub fn reset_keep(&mut self) -> Result<()> {
        self.finish_stats();
        self.body.reset(true)?;
        self.restart();
        Ok(())
    }

    /// Resets the state that is not the body's.
    fn restart(&mut self) {
        self.phase = Phase::start(self.wrap);
        self.dictionary_check = None;
        self.taken = 0;
        self.last_flush = None;
        self.has_begun = false;
        self.is_finishing = false;
    }

    /// Whether [`params`](Self::params) would use input and room: data may have to be flushed.
    pub fn params_need_buffers(&self, level: Level, strategy: Strategy) -> bool {
        let current = self.body.parameters();
        self.has_begun && (current.level, current.strategy) != (level, strategy)
    }

    /// `deflateSetDictionary()`: history for later data. A zlib stream accepts it only at its start, a raw
    /// stream also after a completed flush, a gzip stream never: [`Error::Stream`]. Returns how many of its last bytes fit
    /// the window.
    pub fn set_dictionary(&mut self, dictionary: &[u8]) -> Result<usize> {
        match (self.wrap, self.phase) {
            (Wrap::Raw, _) => {}
            (Wrap::Zlib, Phase::Header(0)) => {}
            _ => return Err(Error::Stream),
        }
        self.body.set_dictionary(dictionary)?;
        // As in zlib, several dictionaries have one check value, and an empty one is not announced in the header.
        if self.wrap == Wrap::Zlib && !dictionary.is_empty() {
            let before = self.dictionary_check.unwrap_or(adler32::INITIAL);
            self.dictionary_check = Some(adler32::update(before, dictionary));
        }
        Ok(dictionary.len().min(1 << self.body.parameters().window_bits))
    }

    /// `deflateGetDictionary()`: the last bytes of dictionary and input, at most the window's size.
    pub fn dictionary(&self) -> Result<Buffer> {
        self.body.window()
    }

    /// `deflatePrime()`: inserts `bits` bits of `value` before later output. [`Error::Buffer`] if `bits` is not 0 to 16, in
    /// a segment that became bulk, while a flush waits for room, when too many bits are pending, or after the final block.
    pub fn prime(&mut self, bits: i32, value: i32) -> Result<()> {
        // zlib's limit; zlib-ng would accept more.
        if !(0..=16).contains(&bits) || matches!(self.phase, Phase::Trailer(_) | Phase::Done) {
            return Err(Error::Buffer);
        }
        // Higher bits of `value` are ignored; zlib-ng would write them.
        self.body.prime(bits, value & ((1 << bits) - 1))
    }

    /// `deflateTune()`: zlib's search parameters.
    pub fn tune(&mut self, good: i32, lazy: i32, nice: i32, chain: i32) -> Result<()> {
        self.body.tune(good, lazy, nice, chain)
    }

    /// `deflatePending()`: bytes of output that wait for room, and bits, 0 to 7, that do not fill a byte yet. `header` is the
    /// one that a gzip stream writes.
    pub fn pending(&self, header: Option<&gzip::Header<'_>>) -> (usize, u32) {
        let wrap = match self.phase {
            Phase::Header(position) if self.has_begun => self.header_len(header) - position,
            Phase::Trailer(position) => self.wrap.trailer_len() - position,
            _ => 0,
        };
        let (bytes, bits) = self.body.pending();
        (bytes + wrap, bits)
    }

    fn header_len(&self, header: Option<&gzip::Header<'_>>) -> usize {
        match self.wrap {
            Wrap::Raw => 0,
            Wrap::Zlib => 2 + if self.dictionary_check.is_some() { 4 } else { 0 },
            Wrap::Gzip => header.map_or(10, gzip::Header::encoded_len),
        }
    }

    /// `deflateBound()`: the maximum output of one `Finish` call over `len` bytes of input. `header` is the one that a
    /// gzip stream will write.
    pub fn bound(&self, len: u64, header: Option<&gzip::Header<'_>>) -> u64 {
        let wrap_len = match self.wrap {
            // Only a raw stream can have an additional last block of 10 bits (see `Body`); and a byte more, because a full
            // buffer counts as unfinished.
            Wrap::Raw => 3,
            wrap => (self.header_len(header) + wrap.trailer_len()) as u64,
        };
        let params = self.body.parameters();
        let body_len = if params.window_bits == 15 && params.mem_level == 8 {
            zlib::compress_bound(len) - 6
        } else {
            // Small tables mean short blocks: fixed codes of 9 bits per literal, or stored blocks of 127 bytes. These are the
            // formulas of zlib's `deflateBound()`.
            let fixed =
                [3, 8, 9].iter().fold(len, |sum, shift| sum.saturating_add(len >> shift)).saturating_add(4);
            let stored =
                [5, 7, 11].iter().fold(len, |sum, shift| sum.saturating_add(len >> shift)).saturating_add(7);
            fixed.max(stored)
        };
        // Primed bits are output, too.
        let (bytes, bits) = self.body.pending();
        body_len.saturating_add(wrap_len).saturating_add(bytes as u64 + u64::from(bits.div_ceil(8)))
    }

    /// An independent copy of the stream in its current state.
    pub fn try_clone(&self) -> Result<Self> {
        Ok(Self { body: self.body.try_clone()?, stats: self.stats.clone(), ..*self })
    }

    /// The value of `z_stream.adler`: the check value of the input so far (while threads compress, of the input whose
    /// output was delivered), or the dictionary's before the header is written. None for a raw stream.
    pub fn check(&self) -> Option<u32> {
        match (self.wrap, self.phase, self.dictionary_check) {
            (Wrap::Raw, ..) => None,
            (_, Phase::Header(_), Some(check)) => Some(check),
            _ => Some(self.body.check().value()),
        }
    }

    /// `Z_BINARY` (0), `Z_TEXT` (1) or `Z_UNKNOWN` (2).
    pub fn data_type(&self) -> i32 {
        self.body.data_type()
    }

    /// `deflateUsed()`: how many bits of the last byte of a finished raw stream were used, 1 to 8; 0 if that is
    /// unknown.
    pub fn used_bits(&self) -> u32 {
        self.body.used_bits()
    }

    /// Whether `deflateSetHeader()` is allowed: a gzip stream whose final block is not written.
    pub fn takes_header(&self) -> bool {
        self.wrap == Wrap::Gzip && matches!(self.phase, Phase::Header(_) | Phase::Body)
    }

    /// Whether the header is not completely written.
    pub fn has_header_left(&self) -> bool {
        matches!(self.phase, Phase::Header(_))
    }

    /// Whether calls were made and the header is not completely written.
    pub fn is_within_header(&self) -> bool {
        self.has_begun && self.has_header_left()
    }

    /// Whether `deflateEnd()` reports lost data: the stream was begun, and its end is not written. As in zlib, false also if
    /// `Finish` has taken all input and at most the size of zlib's buffer is undelivered.
    pub fn is_unfinished(&self) -> bool {
        self.has_begun && self.phase != Phase::Done && !(self.is_finishing && self.body.keeps_little())
    }

    fn finish_stats(&mut self) {
        self.stats.level = Some(self.body.level());
        self.stats.finish(self.body.counters());
    }
}

impl Drop for DeflateStream {
    fn drop(&mut self) {
        self.finish_stats();
    }
}

impl Wrap {
    fn trailer_len(self) -> usize {
        match self {
            Wrap::Raw => 0,
            Wrap::Zlib => 4,
            Wrap::Gzip => 8,
        }
    }
}

impl Phase {
    fn start(wrap: Wrap) -> Self {
        if wrap == Wrap::Raw { Phase::Body } else { Phase::Header(0) }
    }
}
