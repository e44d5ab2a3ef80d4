//! `Body`: the raw DEFLATE between header and trailer, by whichever engine the data deserves.
//!
//! The unit of decision is the *segment*, the data between two flushes. A stream that may use our own engine holds a segment's
//! first bytes back until it is clear what the segment is: a whole stream that fits a chunk is encoded at once; a short message
//! within a stream goes to the serial engine, zlib-ng, which keeps its history at hand; everything else is cut into chunks by the
//! pipeline, which calls workers when there is enough of it. A stream that may not goes straight to the serial engine.
//!
//! Engines are changed between segments only, at byte boundaries, and the last 32 KiB go along as the next engine's history: to
//! the pipeline as the first chunk's window, to the serial engine as a dictionary.

#![forbid(unsafe_code)]

use super::log::{Decision, Log};
use super::{Flush, policy};
use crate::checksum::Check;
use crate::error::{Error, Result, Status};
use crate::pipeline::{ChunkEncoder, ChunkEnd, Compressor, Counters, Form, Settings, WINDOW, bound};
use crate::raw::{Allocator, Buffer, Output, Placed};
use crate::zng::{Deflate, DeflateParams};

/// zlib's `data_type` of a stream that has not told yet.
pub(super) const UNKNOWN: i32 = 2;

#[derive(Debug)]
enum Segment {
    /// The serial engine takes the data as it comes.
    Serial,
    /// Short so far: the data waits.
    Held(Buffer),
    /// A flush came early: what was held is on its way to the serial engine, up to the position told.
    Draining(Buffer, usize),
    /// For the pipeline, but the serial engine before it must come to a byte boundary first.
    /// True once the marker was asked for.
    Aligning(Buffer, bool),
    /// In the pipeline: what was held goes first, from the position told.
    Parallel(Placed<Compressor>, Buffer, usize),
    /// All of the segment is compressed; from the position told it waits for room. True for the stream's last.
    Staged(Buffer, usize, bool),
    /// The final block is out.
    Finished,
}

/// Raw DEFLATE, segment by segment.
#[derive(Debug)]
pub(super) struct Body {
    params: DeflateParams,
    allocator: Allocator,
    serial: Option<Deflate>,
    /// History that the serial engine has not seen: it starts anew from this. Empty at the start of a stream, so that an engine
    /// that has done nothing yet need not be brought to a byte boundary.
    history: Option<Buffer>,
    segment: Segment,
    /// Whether what the last segment leaves is of use: someone may ask for it, or go on from it.
    keeps_history: bool,
    /// The parallel segment ends with a full flush: nothing of it is history.
    forgets: bool,
    /// Tuned or primed: only the serial engine can do what is asked.
    is_pinned: bool,
    /// Check value at the start of the segment, and of all input taken.
    segment_check: Check,
    check: Check,
    data_type: i32,
    /// The serial engine ended the last block but one of a raw stream.
    has_ended_block: bool,
    /// Bits used in the last byte of a finished raw stream, 1 to 8; 0 when that is not known.
    used_bits: u32,
    /// What the pipeline did in segments that are through.
    counters: Counters,
    log: Log,
}

impl Body {
    pub(super) fn new(params: DeflateParams, allocator: Allocator, check: Check) -> Result<Self> {
        let mut body = Self {
            params,
            allocator,
            serial: None,
            history: None,
            keeps_history: true,
            segment: Segment::Serial,
            forgets: false,
            is_pinned: false,
            segment_check: check.fresh(),
            check: check.fresh(),
            data_type: UNKNOWN,
            has_ended_block: false,
            used_bits: 0,
            counters: Counters::default(),
            log: Log::new(),
        };
        if body.may_hold() {
            body.segment = Segment::Held(Buffer::new(allocator));
        }
        if body.may_hold() {
            body.history = Some(Buffer::new(allocator));
        } else {
            // Memory that is refused is reported by the init call, as zlib does.
            body.serial()?;
        }
        Ok(body)
    }

    /// Promises that nothing will follow this stream, and nobody ask for its dictionary.
    pub(super) fn expect_one_shot(&mut self) {
        self.keeps_history = false;
    }

    /// Takes input and gives output as far as `flush` asks and the room allows. `StreamEnd` when the final block is out.
    pub(super) fn deflate(
        &mut self,
        input: &mut &[u8],
        output: &mut Output<'_>,
        flush: Flush,
    ) -> Result<Status> {
        let outcome = self.advance(input, output, flush);
        if let Segment::Parallel(compressor, ..) = &mut self.segment {
            compressor.rest();
        }
        outcome
    }

    fn advance(&mut self, input: &mut &[u8], output: &mut Output<'_>, flush: Flush) -> Result<Status> {
        loop {
            match &mut self.segment {
                Segment::Serial => return self.deflate_serial(input, output, flush),
                Segment::Held(held) => {
                    let len = held.len() + input.len();
                    let is_chunk = len > policy::chunk_len(0);
                    let is_fresh = self.history.as_ref().is_some_and(|history| history.is_empty());
                    let is_own = match flush {
                        Flush::None => false,
                        Flush::Finish if is_fresh => true,
                        _ => !policy::is_message(len),
                    };
                    if is_own && !is_chunk && self.history.is_some() {
                        self.encode_segment(input, output, flush)?;
                    } else if is_own || is_chunk {
                        self.segment = Segment::Aligning(take(held), false);
                    } else {
                        held.reserve(input.len())?;
                        held.extend(input);
                        self.check.update(std::mem::take(input));
                        if flush == Flush::None {
                            return Ok(Status::Ok);
                        }
                        self.log.note(self.params.level, Decision::Message(len));
                        self.segment = Segment::Draining(take(held), 0);
                    }
                }
                Segment::Staged(staged, done, is_final) => {
                    *done += output.put(&staged[*done..]);
                    if *done < staged.len() {
                        return Ok(Status::Ok);
                    }
                    let is_final = *is_final;
                    if self.end_segment(is_final, input, flush) {
                        return Ok(Status::Ok);
                    }
                }
                Segment::Draining(..) => {
                    if !self.drain_held(output)? {
                        return Ok(Status::Ok);
                    }
                }
                Segment::Aligning(..) => {
                    if !self.start_parallel(output)? {
                        return Ok(Status::Ok);
                    }
                }
                Segment::Parallel(..) => {
                    let Some(is_final) = self.deflate_parallel(input, output, flush)? else {
                        return Ok(Status::Ok);
                    };
                    if self.end_segment(is_final, input, flush) {
                        return Ok(Status::Ok);
                    }
                }
                Segment::Finished => return Ok(Status::StreamEnd),
            }
        }
    }

    fn deflate_serial(&mut self, input: &mut &[u8], output: &mut Output<'_>, flush: Flush) -> Result<Status> {
        if self.log.is_on() && !self.may_hold() {
            let decision = if self.is_pinned { Decision::Pinned } else { Decision::Parameters(self.params) };
            self.log.note(self.params.level, decision);
        }
        let before = *input;
        let outcome = self.call_serial(input, output, flush);
        self.check.update(&before[..before.len() - input.len()]);
        if let (UNKNOWN, Some(serial)) = (self.data_type, &self.serial) {
            self.data_type = serial.data_type();
        }
        let status = outcome?;
        if status == Status::StreamEnd {
            self.segment = Segment::Finished;
            if self.data_type == UNKNOWN && self.params.level > 0 {
                // zlib looks at the last block even if nothing is in it; zlib-ng does not.
                self.data_type = detect_data_type(&[], &[]);
            }
        } else if flush != Flush::None && input.is_empty() && !output.is_full() {
            self.begin_segment();
        }
        Ok(status)
    }

    fn call_serial(&mut self, input: &mut &[u8], output: &mut Output<'_>, flush: Flush) -> Result<Status> {
        let is_raw = self.check == Check::None;
        if flush == Flush::Finish && is_raw && self.params.level > 0 && !self.has_ended_block {
            // zlib-ng does not tell how many bits of the last byte it used. Whoever asks has a raw stream to append to; there
            // the last block is ended first, and what follows is known: 3 bits of header and 7 of end-of-block.
            match self.serial()?.deflate(input, output, Flush::Block.to_zlib()) {
                Err(Error::Buffer) if input.is_empty() && !output.is_full() => {}
                Ok(_) if input.is_empty() && !output.is_full() => {}
                outcome => return outcome,
            }
            self.used_bits = (self.serial()?.pending().1 + 10 - 1) % 8 + 1;
            self.has_ended_block = true;
        }
        self.serial()?.deflate(input, output, flush.to_zlib())
    }

    /// Feeds the serial engine what was held. False when the room is used up first.
    fn drain_held(&mut self, output: &mut Output<'_>) -> Result<bool> {
        self.serial()?;
        if let (Segment::Draining(held, done), Some(serial)) = (&mut self.segment, &mut self.serial) {
            let mut rest = &held[*done..];
            let outcome = match rest.is_empty() {
                true => Ok(Status::Ok),
                false => serial.deflate(&mut rest, output, Flush::None.to_zlib()),
            };
            *done = held.len() - rest.len();
            outcome?;
            if *done < held.len() || output.is_full() {
                return Ok(false);
            }
        }
        self.segment = Segment::Serial;
        Ok(true)
    }

    /// A segment is through and out. True when the call has nothing more to do.
    fn end_segment(&mut self, is_final: bool, input: &[u8], flush: Flush) -> bool {
        if is_final {
            self.segment = Segment::Finished;
            return false;
        }
        self.begin_segment();
        // `Finish` may have come while the segment was on its way to another flush; then the end is still to write.
        input.is_empty() && flush != Flush::Finish
    }

    /// Compresses a segment that is no longer than a chunk, as the pipeline would, but at once; straight to `output` if it surely
    /// fits.
    fn encode_segment(&mut self, input: &mut &[u8], output: &mut Output<'_>, flush: Flush) -> Result<()> {
        let (Segment::Held(held), Some(history)) = (&mut self.segment, &mut self.history) else {
            return Err(Error::Stream);
        };
        let window_len = history.len();
        let is_in_place = window_len == 0 && held.is_empty();
        if !is_in_place {
            history.reserve(held.len() + input.len())?;
        } else if self.keeps_history {
            history.reserve(input.len().min(WINDOW))?;
        }
        let mut staged = Buffer::new(self.allocator);
        let room = bound(held.len() + input.len());
        if output.room() < room {
            staged.reserve(room)?;
        }
        if !is_in_place {
            history.extend(held);
            history.extend(input);
        }
        let data: &[u8] = if is_in_place { input } else { history };
        self.log.note(self.params.level, Decision::Whole(data.len() - window_len));
        let end = if flush == Flush::Finish { ChunkEnd::Finish } else { ChunkEnd::Sync };
        let mut encoder = ChunkEncoder::default();
        let level = policy::level_for(self.params.level, self.params.strategy)?;
        let mut encode = |out: &mut Output<'_>| encoder.encode(level, (data, window_len), true, end, out);
        let outcome = if output.room() >= room { encode(output) } else { staged.append(encode) };
        let info = match outcome {
            Ok(info) => info,
            Err(error) => {
                // Nothing was taken: the call may be repeated.
                if !is_in_place {
                    history.truncate(window_len);
                }
                return Err(error);
            }
        };
        self.used_bits = info;
        self.counters.chunks += 1;
        if self.data_type == UNKNOWN {
            self.data_type = detect_data_type(&data[window_len..], &[]);
        }
        if is_in_place && self.keeps_history {
            history.extend(&input[input.len().saturating_sub(WINDOW)..]);
        }
        if flush == Flush::Full {
            history.clear();
        }
        history.keep_tail(WINDOW);
        self.check.update(std::mem::take(input));
        self.segment = Segment::Staged(staged, 0, end == ChunkEnd::Finish);
        Ok(())
    }

    /// Turns the held bytes into the start of a parallel segment. False when the room is used up first.
    fn start_parallel(&mut self, output: &mut Output<'_>) -> Result<bool> {
        if let (Some(serial), None, Segment::Aligning(_, is_asked)) =
            (&mut self.serial, &self.history, &mut self.segment)
        {
            // Asked for once, then only waited for: a flush that is repeated after it filled the room exactly is written again,
            // and the bytes would depend on the room. Nothing is pending before it, since segments begin behind completed flushes.
            if output.is_full() {
                return Ok(false);
            }
            let flush = if *is_asked { Flush::None } else { Flush::Sync };
            *is_asked = true;
            match serial.deflate(&mut &[][..], output, flush.to_zlib()) {
                // `Error::Buffer`: the engine stands at a boundary already.
                Ok(_) | Err(Error::Buffer) => {}
                Err(error) => return Err(error),
            }
            if serial.pending().0 > 0 {
                return Ok(false);
            }
        }
        let window = self.window_of_engine()?;
        let settings = Settings {
            form: Form::Raw,
            level: policy::level_for(self.params.level, self.params.strategy)?,
            chunk_len: policy::chunk_len,
            parallel_from: policy::parallel_from(),
            check: self.segment_check,
        };
        let compressor = Compressor::new(settings, &window, self.allocator)?;
        let compressor = Placed::try_new(compressor, self.allocator)?;
        if let Segment::Aligning(held, _) = &mut self.segment {
            self.segment = Segment::Parallel(compressor, take(held), 0);
        }
        Ok(true)
    }

    /// Works on a parallel segment. When it came to its end and all of it is out: whether it was the stream's last.
    fn deflate_parallel(
        &mut self,
        input: &mut &[u8],
        output: &mut Output<'_>,
        flush: Flush,
    ) -> Result<Option<bool>> {
        let (level, is_system_memory) = (self.params.level, self.allocator.is_system());
        let Segment::Parallel(compressor, held, fed) = &mut self.segment else { return Err(Error::Stream) };
        let end = match flush {
            Flush::None => None,
            Flush::Finish => Some(ChunkEnd::Finish),
            _ => Some(ChunkEnd::Sync),
        };
        if self.data_type == UNKNOWN {
            self.data_type = detect_data_type(held, input);
        }
        while !compressor.is_drained() {
            compressor.read(output)?;
            if output.is_full() && !compressor.is_drained() {
                return Ok(None);
            }
            if compressor.end().is_none() {
                let mut rest = &held[*fed..];
                let outcome = compressor.write(&mut rest);
                *fed = held.len() - rest.len();
                outcome?;
                if *fed == held.len() {
                    *held = Buffer::new(self.allocator);
                    *fed = 0;
                    compressor.write(input)?;
                }
                if self.log.is_on() && compressor.taken() >= policy::parallel_from() {
                    let threads = compressor.counters().threads;
                    self.log.note(level, Decision::Long { threads, is_system_memory });
                }
                if held.is_empty() && input.is_empty() {
                    let Some(end) = end else {
                        compressor.read(output)?;
                        return Ok(None);
                    };
                    if compressor.close(end)? {
                        self.forgets = flush == Flush::Full;
                    }
                }
            }
            if !compressor.is_drained() {
                compressor.work()?;
            }
        }
        if self.log.is_on() && compressor.taken() < policy::parallel_from() {
            self.log.note(level, Decision::Short(compressor.taken()));
        }
        self.check = compressor.check();
        self.used_bits = compressor.used_bits();
        let window = if self.forgets { &[][..] } else { compressor.window() };
        self.history = Some(Buffer::copy_of(window, self.allocator)?);
        self.counters.add(compressor.counters());
        Ok(Some(compressor.end() == Some(ChunkEnd::Finish)))
    }

    /// `deflateParams()`: what was taken before is compressed as it was promised; the new parameters begin behind it.
    pub(super) fn params(
        &mut self,
        level: i32,
        strategy: i32,
        input: &mut &[u8],
        output: &mut Output<'_>,
        has_begun: bool,
    ) -> Result<()> {
        let is_empty = matches!(&self.segment, Segment::Held(held) if held.is_empty());
        if !matches!(self.segment, Segment::Serial) && has_begun && !(is_empty && input.is_empty()) {
            self.deflate(input, output, Flush::Block)?;
            // The serial engine, once it has all, tells for itself whether there was room.
            let is_with_serial = matches!(self.segment, Segment::Serial);
            if !input.is_empty() || !(is_with_serial || self.is_at_rest()) {
                return Err(Error::Buffer);
            }
        }
        if let Some(serial) = &mut self.serial {
            if self.history.is_some() {
                serial.reset()?;
            }
            let before = *input;
            let new =
                policy::serial_params(&DeflateParams { level, strategy, ..self.params }, self.is_pinned);
            let outcome = serial.params(new.level, strategy, input, output);
            self.check.update(&before[..before.len() - input.len()]);
            outcome?;
        }
        (self.params.level, self.params.strategy) = (level, strategy);
        match (&self.segment, self.may_hold()) {
            (Segment::Held(_), false) => self.segment = Segment::Serial,
            (Segment::Serial, true) if !has_begun => {
                self.segment = Segment::Held(Buffer::new(self.allocator))
            }
            _ => {}
        }
        Ok(())
    }

    /// Back to the start of a stream. `keep` leaves the history.
    pub(super) fn reset(&mut self, keep: bool) -> Result<()> {
        let is_serial = matches!(self.segment, Segment::Serial);
        let window = if keep && !is_serial { Some(self.window()?) } else { None };
        if let Some(serial) = &mut self.serial {
            if keep { serial.reset_keep()? } else { serial.reset()? }
        }
        self.is_pinned &= keep;
        let spare = self.history.take().filter(|_| !keep);
        self.history = window.or_else(|| {
            let is_held = !keep && self.may_hold();
            is_held.then(|| spare.map_or_else(|| Buffer::new(self.allocator), cleared))
        });
        self.check = self.check.fresh();
        self.data_type = UNKNOWN;
        self.has_ended_block = false;
        self.used_bits = 0;
        self.counters = Counters::default();
        self.segment = Segment::Serial;
        self.begin_segment();
        Ok(())
    }

    /// `deflateSetDictionary()`: `dictionary` becomes history; only between segments.
    pub(super) fn set_dictionary(&mut self, dictionary: &[u8]) -> Result<()> {
        match &self.segment {
            Segment::Serial | Segment::Finished => self.serial()?.set_dictionary(dictionary),
            Segment::Held(held) if held.is_empty() => {
                if let (Some(serial), None) = (&mut self.serial, &self.history)
                    && serial.pending() != (0, 0)
                {
                    // The bits before the next byte boundary are the serial engine's, and must not be lost by its starting anew.
                    return serial.set_dictionary(dictionary);
                }
                let mut history = self.window()?;
                history.reserve(dictionary.len())?;
                history.extend(dictionary);
                history.keep_tail(WINDOW);
                self.history = Some(history);
                Ok(())
            }
            _ => Err(Error::Stream),
        }
    }

    /// The last 32 KiB of what was taken.
    pub(super) fn window(&self) -> Result<Buffer> {
        let mut window = self.window_of_engine()?;
        let waiting = self.segment.held();
        window.reserve(waiting.len())?;
        window.extend(waiting);
        window.keep_tail(WINDOW);
        Ok(window)
    }

    /// The last 32 KiB of what an engine has.
    fn window_of_engine(&self) -> Result<Buffer> {
        match (&self.segment, &self.history, &self.serial) {
            (Segment::Parallel(compressor, ..), ..) => Buffer::copy_of(compressor.window(), self.allocator),
            (_, Some(history), _) => history.try_clone(),
            (_, None, Some(serial)) => serial.dictionary(self.allocator),
            (_, None, None) => Ok(Buffer::new(self.allocator)),
        }
    }

    /// `deflatePrime()`: bits in front of what follows; only the serial engine can, and only between segments.
    pub(super) fn prime(&mut self, bits: i32, value: i32) -> Result<()> {
        match &self.segment {
            Segment::Serial | Segment::Finished => {}
            Segment::Held(held) if held.is_empty() => {}
            _ => return Err(Error::Buffer),
        }
        self.pin(|serial| serial.prime(bits, value))
    }

    /// `deflateTune()`: zlib's own search parameters; only the serial engine has them.
    pub(super) fn tune(&mut self, good: i32, lazy: i32, nice: i32, chain: i32) -> Result<()> {
        self.pin(|serial| serial.tune(good, lazy, nice, chain))
    }

    /// Does `work` with the serial engine, and stays with it until the next reset.
    fn pin(&mut self, work: impl FnOnce(&mut Deflate) -> Result<()>) -> Result<()> {
        let was_pinned = std::mem::replace(&mut self.is_pinned, true);
        let outcome = self.serial().and_then(work);
        if outcome.is_err() {
            self.is_pinned = was_pinned;
            return outcome;
        }
        if let Segment::Held(held) = &mut self.segment {
            // Nothing held is nothing to drain: the serial engine would call that no progress.
            let held = take(held);
            self.segment = if held.is_empty() { Segment::Serial } else { Segment::Draining(held, 0) };
        }
        Ok(())
    }

    /// Bytes and bits of output that exist but found no room yet.
    pub(super) fn pending(&self) -> (usize, u32) {
        match (&self.segment, &self.serial) {
            (Segment::Parallel(compressor, ..), _) => (compressor.settled_len(), 0),
            (Segment::Held(_), Some(serial)) if self.history.is_none() => (0, serial.pending().1),
            (Segment::Staged(staged, done, _), _) => (staged.len() - done, 0),
            (Segment::Held(_), _) | (_, None) => (0, 0),
            (_, Some(serial)) => {
                let (bytes, bits) = serial.pending();
                (bytes as usize, bits)
            }
        }
    }

    /// Whether what is still to come fits zlib's buffer for it, behind a flush that has taken all input.
    pub(super) fn keeps_little(&self) -> bool {
        const PENDING: usize = 64 << 10;
        match &self.segment {
            Segment::Parallel(..) => false,
            Segment::Staged(staged, done, _) => staged.len() - done <= PENDING,
            _ => true,
        }
    }

    /// Whether a flush is complete and nothing was taken since.
    pub(super) fn is_at_rest(&self) -> bool {
        match &self.segment {
            Segment::Held(held) => held.is_empty(),
            Segment::Finished => true,
            _ => false,
        }
    }

    pub(super) fn parameters(&self) -> &DeflateParams {
        &self.params
    }

    /// The check value of all input taken; in a parallel segment, of all input delivered.
    pub(super) fn check(&self) -> Check {
        match &self.segment {
            Segment::Parallel(compressor, ..) => compressor.check(),
            _ => self.check,
        }
    }

    pub(super) fn data_type(&self) -> i32 {
        self.data_type
    }

    pub(super) fn used_bits(&self) -> u32 {
        self.used_bits
    }

    pub(super) fn counters(&self) -> Counters {
        let mut counters = self.counters;
        if let Segment::Parallel(compressor, ..) = &self.segment {
            counters.add(compressor.counters());
        }
        counters
    }

    pub(super) fn try_clone(&self) -> Result<Self> {
        let segment = match &self.segment {
            Segment::Serial => Segment::Serial,
            Segment::Held(held) => Segment::Held(held.try_clone()?),
            Segment::Draining(held, done) => Segment::Draining(held.try_clone()?, *done),
            Segment::Aligning(held, is_asked) => Segment::Aligning(held.try_clone()?, *is_asked),
            Segment::Parallel(compressor, held, fed) => Segment::Parallel(
                Placed::try_new(compressor.try_clone()?, self.allocator)?,
                held.try_clone()?,
                *fed,
            ),
            Segment::Staged(staged, done, is_final) => Segment::Staged(staged.try_clone()?, *done, *is_final),
            Segment::Finished => Segment::Finished,
        };
        Ok(Self {
            serial: self.serial.as_ref().map(Deflate::try_clone).transpose()?,
            history: self.history.as_ref().map(Buffer::try_clone).transpose()?,
            segment,
            ..*self
        })
    }

    /// The serial engine, with the history it must have.
    fn serial(&mut self) -> Result<&mut Deflate> {
        let params = policy::serial_params(&self.params, self.is_pinned);
        if self.history.is_some()
            && self.serial.as_ref().is_some_and(|serial| serial.mem_level() < params.mem_level)
        {
            // It was made for messages, and starts anew for more.
            self.serial = None;
        }
        let serial = match &mut self.serial {
            Some(serial) => serial,
            none => none.insert(Deflate::new(params, self.allocator)?),
        };
        if let Some(history) = &self.history {
            serial.reset()?;
            if !history.is_empty() {
                serial.set_dictionary(history)?;
            }
            self.history = None;
        }
        Ok(serial)
    }

    fn may_hold(&self) -> bool {
        !self.is_pinned && policy::is_for_pipeline(&self.params)
    }

    /// A flush is complete: what follows may be for another engine.
    fn begin_segment(&mut self) {
        self.segment_check = self.check;
        self.segment =
            if self.may_hold() { Segment::Held(Buffer::new(self.allocator)) } else { Segment::Serial };
    }
}

impl Segment {
    /// What was taken and is with no engine yet.
    fn held(&self) -> &[u8] {
        match self {
            Segment::Held(held) | Segment::Aligning(held, _) => held,
            Segment::Draining(held, done) => &held[*done..],
            Segment::Parallel(_, held, fed) => &held[*fed..],
            Segment::Serial | Segment::Staged(..) | Segment::Finished => &[],
        }
    }
}

/// The buffer's memory, for other contents.
fn cleared(mut buffer: Buffer) -> Buffer {
    buffer.clear();
    buffer
}

/// The buffer's contents; an empty buffer stays.
fn take(buffer: &mut Buffer) -> Buffer {
    let empty = Buffer::new(buffer.allocator());
    std::mem::replace(buffer, empty)
}

/// zlib's guess at the kind of data, on the first bytes rather than on the first block's literals: control characters that no
/// text has make it binary (0), white space or a printable character makes it text (1).
fn detect_data_type(first: &[u8], second: &[u8]) -> i32 {
    let (mut left, mut is_text) = (64 << 10, false);
    for part in [first, second] {
        let part = &part[..part.len().min(left)];
        left -= part.len();
        // Whole pieces without a branch, so that they go through vector registers.
        for piece in part.chunks(1024) {
            let (mut binary, mut text) = (false, false);
            for &byte in piece {
                binary |= matches!(byte, 0..=6 | 14..=25 | 28..=31);
                text |= matches!(byte, 9 | 10 | 13 | 32..);
            }
            if binary {
                return 0;
            }
            is_text |= text;
        }
    }
    i32::from(is_text)
}
