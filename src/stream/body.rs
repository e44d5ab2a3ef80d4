//! `Body`: the raw DEFLATE between header and trailer, from the encoder that suits the data.
//!
//! The encoder is chosen per *segment*, the data between two flushes. The first bytes of a segment are held in the
//! message encoder's window. If a flush comes before there are 8 KiB, the segment is a *message*: the message encoder
//! compresses it, with the history that it keeps and the memory allocated at the start of the stream. A longer segment is
//! *bulk*: the pipeline cuts it into chunks, and uses workers if there is enough data. In streams with a small window
//! or little memory every segment is a message.
//!
//! ```text
//!                     8 KiB of input                     flush complete
//! Message(None) ----------------------> Bulk --------------------------> Message(None), or Finished
//!      |                                                                     ^
//!      +------- flush -------> Message(Some(flush)) ------- complete --------+
//! ```
//!
//! `Message(None)` is the state at the start of every segment, so the message encoder is kept while the pipeline is in
//! use. Between segments the last 32 KiB and the bits of an incomplete byte are passed from one encoder to the other, so
//! a stream can change encoders wherever a flush ends, even within a byte.
//!
//! The length of a segment decides, not the lengths of calls. So the output depends on the data and the flushes, but not
//! on how calls split the data.
//!
//! zlib-ng handles the strategies that look for few or no matches (Huffman only, run lengths, fixed codes). A stream
//! that requests one of these uses zlib-ng. After a change to another strategy it returns to our encoders at the next
//! reset, or at once if it has not begun.

#![forbid(unsafe_code)]

use super::data_type::DataType;
use super::log::{Decision, Log};
use super::{Flush, Level, Strategy, idle, policy, rank};
use crate::checksum::Check;
use crate::deflate::{ChunkEnd, MessageEncoder, MessageSettings, PendingBits, Progress};
use crate::error::{Error, Result, Status};
use crate::pipeline::{Compressor, Counters, Drive, Form, Settings};
use crate::raw::{Allocator, Buffer, Output, Placed};
use crate::zng::{Deflate, DeflateParams};

/// The engine in use.
#[derive(Debug)]
enum Engine {
    /// The message encoder, and the flush that it has begun, if all input before that flush is taken. Such a flush is
    /// completed before anything else, whatever the next call requests.
    Message(Option<Flush>),
    /// The pipeline, whose memory is from the system's allocator.
    Bulk(Placed<Compressor>),
    /// zlib-ng.
    Serial(Deflate),
    /// The final block is written.
    Finished,
}

/// Raw DEFLATE, segment by segment.
#[derive(Debug)]
pub(super) struct Body {
    params: DeflateParams,
    allocator: Allocator,
    /// None in a stream that has used zlib-ng from its start. Unused in a stream that changed to zlib-ng, until a reset.
    message: Option<MessageEncoder>,
    engine: Engine,
    /// The flush of the last call for the current bulk segment; fixed once the segment's last input is taken.
    bulk_flush: Flush,
    /// Allocation for bulk failed: the message encoder compresses the current segment, whatever its length.
    is_bulk_refused: bool,
    /// `deflateTune()` was called: the search uses the program's limits.
    is_tuned: bool,
    caller: policy::Caller,
    /// Check value of all input taken by the message encoder or zlib-ng, and by completed bulk segments. While a segment is
    /// bulk, the compressor has the current one.
    check: Check,
    /// Check value of the input before the current segment. A compressor continues from it, because it also takes the held
    /// bytes, which `check` already covers.
    segment_check: Check,
    data_type: DataType,
    /// zlib-ng has closed the next-to-last block of a raw stream, so the final block's bit count is known.
    has_ended_block: bool,
    /// Bits used in the last byte of a finished raw stream, 1 to 8; 0 if unknown.
    used_bits: u32,
    /// The pipeline's counters of completed segments.
    counters: Counters,
    log: Log,
}

impl Body {
    pub(super) fn new(params: DeflateParams, allocator: Allocator, check: Check) -> Result<Self> {
        let mut body = Self {
            params,
            allocator,
            message: None,
            engine: Engine::Message(None),
            bulk_flush: Flush::None,
            is_bulk_refused: false,
            is_tuned: false,
            caller: policy::Caller::default(),
            check: check.fresh(),
            segment_check: check.fresh(),
            data_type: DataType::new(),
            has_ended_block: false,
            used_bits: 0,
            counters: Counters::default(),
            log: Log::new(),
        };
        body.choose_engine()?;
        Ok(body)
    }

    /// Records that the library itself fetches all of the output.
    pub(super) fn expect_all_calls(&mut self) {
        self.caller.owns_output = true;
    }

    /// Sets an address in the code that created the stream; the file that contains it is looked up.
    pub(super) fn set_origin(&mut self, address: usize) {
        self.caller.origin = address;
    }

    /// Chooses the engine for a stream at its start, and resets the message encoder. On an error nothing has changed: the
    /// only steps that can fail are allocations, before the first assignment.
    fn choose_engine(&mut self) -> Result<()> {
        if policy::is_for_zng(&self.params) {
            self.engine = Engine::Serial(Deflate::new(policy::zng_params(&self.params), self.allocator)?);
            return Ok(());
        }
        let (level, is_filtered) = policy::message_level(&self.params);
        let message = match &mut self.message {
            Some(message) => {
                message.reset(false);
                message
            }
            none => {
                let settings = message_settings(&self.params);
                none.insert(match idle::take(settings, &self.allocator) {
                    Some(message) => message,
                    None => MessageEncoder::new(settings, self.allocator)?,
                })
            }
        };
        message.set_level(level, is_filtered);
        self.engine = Engine::Message(None);
        Ok(())
    }

    /// A fast path for calls with a few bytes and no flush. Takes all of the input if no output could be written even
    /// with it. Returns whether it did; if not, nothing has changed.
    #[inline]
    pub(super) fn collect(&mut self, input: &mut &[u8]) -> bool {
        let Engine::Bulk(compressor) = &mut self.engine else { return false };
        let is_collected = compressor.collect(input);
        if is_collected {
            *input = &[];
            // As `note_return` would: there is room left, or `collect` would not have been called.
            self.caller.note_progress();
        }
        is_collected
    }

    /// Takes input and writes output as far as `flush` requires and the room allows. `StreamEnd` when the final block is written.
    pub(super) fn deflate(
        &mut self,
        input: &mut &[u8],
        output: &mut Output<'_>,
        flush: Flush,
    ) -> Result<Status> {
        // With a flush, zlib requires further calls until one leaves room, and every program makes them. Only without a flush
        // does a further call show that the program fetches output that is held back.
        if flush == Flush::None {
            self.caller.note_call(input.len(), output.room());
        }
        let outcome = self.advance(input, output, flush);
        self.caller.note_return(input.len(), output.room());
        outcome
    }

    /// Each turn of the loop works on one segment: the one whose flush an earlier call began, or the current one. A call can
    /// complete an earlier call's flush and then continue with its own input and flush.
    fn advance(&mut self, input: &mut &[u8], output: &mut Output<'_>, flush: Flush) -> Result<Status> {
        loop {
            let is_done = match &self.engine {
                Engine::Finished => return Ok(Status::StreamEnd),
                Engine::Serial(_) => return self.deflate_serial(input, output, flush),
                Engine::Bulk(_) => self.deflate_bulk(input, output, flush)?,
                Engine::Message(Some(begun)) => {
                    // This call's input belongs to the next segment.
                    let begun = *begun;
                    self.end_message(&mut &[][..], output, begun)
                }
                Engine::Message(None) if self.is_bulk(input.len()) => {
                    if !self.start_bulk(input, output) {
                        return Ok(Status::Ok);
                    }
                    // The engine is `Bulk` now; or, without memory for it, `is_bulk` is now false.
                    continue;
                }
                Engine::Message(None) => self.deflate_message(input, output, flush),
            };
            match is_done {
                // The segment needs more input or more room.
                None => return Ok(Status::Ok),
                Some(Flush::Finish) => self.engine = Engine::Finished,
                // A segment has ended, perhaps by an earlier call's flush. Does this call require more?
                Some(ended) if input.is_empty() && rank(flush) <= rank(ended) => return Ok(Status::Ok),
                Some(_) => {}
            }
        }
    }

    /// Whether the current segment, with `more` bytes of input added, is bulk. Nothing of it is written then, so another
    /// encoder can take it: a segment without a flush is only held, and if a flush ran out of room before its input was
    /// taken, no block has ended. With the `memLevel` of bulk streams, 7 and more, a block has room for all tokens of 8 KiB.
    fn is_bulk(&self, more: usize) -> bool {
        let held = self.message.as_ref().map_or(0, MessageEncoder::message_len);
        self.may_be_bulk() && held + more >= policy::MESSAGE
    }

    /// Whether the current segment becomes bulk if it is long enough. The pipeline does not know the limits of
    /// `deflateTune()`.
    fn may_be_bulk(&self) -> bool {
        !self.is_tuned && !self.is_bulk_refused && policy::is_for_pipeline(&self.params)
    }

    /// Compresses part of a message. Returns its flush when the message is complete and written.
    fn deflate_message(&mut self, input: &mut &[u8], output: &mut Output<'_>, flush: Flush) -> Option<Flush> {
        let may_be_bulk = self.may_be_bulk();
        if flush != Flush::None {
            self.note_message_end(input, flush);
            return self.end_message(input, output, flush);
        }
        let message = self.message.as_mut()?;
        let before = *input;
        // As in zlib, waiting output is written before input is taken.
        if !message.write_primed(output) {
            return None;
        }
        if may_be_bulk {
            // No block may be begun: if the segment becomes bulk, the pipeline compresses it from its first byte.
            message.hold(input);
        } else {
            message.advance(input, None, output);
        }
        let taken = &before[..before.len() - input.len()];
        self.check.update(taken);
        self.data_type.note(taken);
        None
    }

    /// Ends a message. Returns `flush` when it is complete and written.
    fn end_message(&mut self, input: &mut &[u8], output: &mut Output<'_>, flush: Flush) -> Option<Flush> {
        let message = self.message.as_mut()?;
        let before = *input;
        let progress = message.advance(input, end_of(flush), output);
        self.check.update(&before[..before.len() - input.len()]);
        if progress != Progress::Done {
            // If all input is taken, this flush must be completed, whatever the next call's flush is. Otherwise the message
            // goes on: the input that is left belongs to it, and the next call's flush ends it.
            self.engine = Engine::Message(input.is_empty().then_some(flush));
            return None;
        }
        self.engine = Engine::Message(None);
        // The next segment may be bulk again: low memory may be temporary.
        self.is_bulk_refused = false;
        self.segment_check = self.check;
        self.used_bits = message.used_bits();
        if flush == Flush::Full {
            message.forget();
        }
        Some(flush)
    }

    /// Logs a message and decides the data type; `input` is the message's last part.
    fn note_message_end(&mut self, input: &[u8], flush: Flush) {
        let len = self.message.as_ref().map_or(0, MessageEncoder::message_len) + input.len();
        self.log.note(self.params.level, Decision::Message(len));
        // As in zlib, an empty block sets the data type only if it is the last.
        if self.params.level.number() > 0 && (len > 0 || flush == Flush::Finish) {
            self.data_type.note(input);
            self.data_type.decide();
        } else {
            self.data_type.forget();
        }
    }

    /// Passes the current segment, of which the message encoder holds the first bytes, to the pipeline. If memory is short,
    /// the segment stays a message. Returns false if primed bytes must be written first and do not fit: the compressor can
    /// begin after an incomplete byte, but not after whole ones that wait.
    fn start_bulk(&mut self, input: &[u8], output: &mut Output<'_>) -> bool {
        if !self.message.as_mut().is_none_or(|message| message.write_primed(output)) {
            return false;
        }
        let outcome = self.new_compressor();
        let compressor = match outcome {
            Ok(compressor) => compressor,
            Err(_) => {
                self.is_bulk_refused = true;
                return true;
            }
        };
        // With this input the sample for the data type is complete.
        self.data_type.note(input);
        self.data_type.decide();
        self.bulk_flush = Flush::None;
        self.engine = Engine::Bulk(compressor);
        true
    }

    /// Creates a compressor that has taken the held part of the segment. On an error the message encoder still has that
    /// part, not parsed, and continues with it.
    fn new_compressor(&mut self) -> Result<Placed<Compressor>> {
        let Some(message) = &mut self.message else { return Err(Error::Stream) };
        let before = message.pending_bits();
        let (history, held) = message.give_up(policy::MESSAGE);
        let settings = Settings {
            form: Form::Raw,
            level: policy::level_for(self.params.level, self.params.strategy),
            chunk_len: policy::chunk_len,
            parallel_from: policy::parallel_from(),
            check: self.segment_check,
            before,
        };
        let compressor = Compressor::new(settings, history, held)?;
        Placed::try_new(compressor, Allocator::SYSTEM)
    }

    /// Compresses part of a bulk segment. Returns its flush when it has ended and all of it is written.
    fn deflate_bulk(
        &mut self,
        input: &mut &[u8],
        output: &mut Output<'_>,
        flush: Flush,
    ) -> Result<Option<Flush>> {
        let Engine::Bulk(compressor) = &mut self.engine else { return Ok(None) };
        let is_long = compressor.taken() + input.len() >= policy::parallel_from();
        let hold = self.caller.hold(output.room(), is_long);
        // The flush that the compressor has begun must be completed, whatever this call's flush is.
        if compressor.end().is_none() {
            self.bulk_flush = flush;
        }
        let end = end_of(self.bulk_flush);
        let how = Drive { end, may_hold: hold.may_hold(), between: policy::between(&self.allocator) };
        let is_done = compressor.drive(input, output, how)?;
        if self.log.is_on() && (is_done || compressor.counters().threads > 1) {
            let threads = compressor.counters().threads;
            let decision = match compressor.taken() >= policy::parallel_from() {
                true => Decision::Long { threads, hold, is_system_memory: self.allocator.is_system() },
                false => Decision::Short(compressor.taken()),
            };
            self.log.note(self.params.level, decision);
        }
        if !is_done {
            return Ok(None);
        }
        // The segment has ended: its results pass to this struct, its history and last bits to the message encoder. All are
        // read before the assignment to `engine`, which drops the compressor.
        self.check = compressor.check();
        self.segment_check = self.check;
        self.used_bits = compressor.used_bits();
        self.counters.add(compressor.counters());
        if let Some(message) = &mut self.message {
            let window = if self.bulk_flush == Flush::Full { &[][..] } else { compressor.window() };
            message.restart(window, compressor.after());
        }
        self.engine = Engine::Message(None);
        Ok(Some(self.bulk_flush))
    }

    fn deflate_serial(&mut self, input: &mut &[u8], output: &mut Output<'_>, flush: Flush) -> Result<Status> {
        self.log.note(self.params.level, Decision::Strategy(self.params.strategy));
        let before = *input;
        let outcome = self.call_serial(input, output, flush);
        // Also after an error, which may come after input was taken.
        self.check.update(&before[..before.len() - input.len()]);
        if let (false, Engine::Serial(serial)) = (self.data_type.is_known(), &self.engine) {
            self.data_type = DataType::found(serial.data_type());
        }
        let status = outcome?;
        if status == Status::StreamEnd && self.params.level.number() > 0 {
            // zlib sets the data type at the last block even if it is empty; zlib-ng does not.
            self.data_type.decide();
        }
        Ok(status)
    }

    fn call_serial(&mut self, input: &mut &[u8], output: &mut Output<'_>, flush: Flush) -> Result<Status> {
        let Engine::Serial(serial) = &mut self.engine else { return Err(Error::Stream) };
        let is_raw = self.check == Check::None;
        if flush == Flush::Finish && is_raw && self.params.level.number() > 0 && !self.has_ended_block {
            // zlib-ng does not report how many bits of the last byte it used. Programs need this number to append to a
            // raw stream, so in a raw stream the last block is closed first. The rest has a known length: 3 bits of
            // header and 7 of end-of-block.
            // If the output is full, the block may not be complete, and the next call continues here.
            match serial.deflate(input, output, Flush::Block) {
                // There was nothing to close.
                Err(Error::Buffer) if input.is_empty() && !output.is_full() => {}
                Ok(_) if input.is_empty() && !output.is_full() => {}
                outcome => return outcome,
            }
            self.used_bits = (serial.pending().1 + 10 - 1) % 8 + 1;
            self.has_ended_block = true;
        }
        serial.deflate(input, output, flush)
    }

    /// `deflateParams()`: data taken before, and `input`, are compressed with the old parameters; the new ones apply after
    /// them. [`Error::Buffer`] when there is no room for that; then the parameters are unchanged, but input may be taken.
    /// `has_begun`: `deflate()` was called since the last reset.
    pub(super) fn params(
        &mut self,
        level: Level,
        strategy: Strategy,
        input: &mut &[u8],
        output: &mut Output<'_>,
        has_begun: bool,
    ) -> Result<()> {
        let new = DeflateParams { level, strategy, ..self.params };
        // A segment has one level, so the current one ends here, as in zlib with `Z_BLOCK`.
        let has_ended = |body: &Self| matches!(body.engine, Engine::Serial(_)) || body.is_at_rest();
        if has_begun && !(input.is_empty() && has_ended(self)) {
            self.deflate(input, output, Flush::Block)?;
            if !input.is_empty() || !has_ended(self) {
                return Err(Error::Buffer);
            }
        }
        if let Engine::Serial(serial) = &mut self.engine {
            // Bits that `deflatePrime()` inserted cannot be fetched from zlib-ng, so then it stays in use.
            if !has_begun && !policy::is_for_zng(&new) && serial.pending() == (0, 0) {
                let history = serial.dictionary(self.allocator)?;
                let was = std::mem::replace(&mut self.params, new);
                return self.leave_serial(&history).inspect_err(|_| self.params = was);
            }
            // zlib-ng flushes what it has begun, and stays in use whatever the new strategy is.
            let before = *input;
            let zng = policy::zng_params(&new);
            let outcome = serial.params(zng.level, zng.strategy, input, output);
            self.check.update(&before[..before.len() - input.len()]);
            outcome?;
            self.params = new;
            return Ok(());
        }
        // The steps below read the new parameters from `self`; if one fails, the old ones are restored.
        let was = std::mem::replace(&mut self.params, new);
        let outcome = if policy::is_for_zng(&new) && matches!(self.engine, Engine::Message(_)) {
            self.go_serial()
        } else {
            let (level, is_filtered) = policy::message_level(&new);
            if let Some(message) = &mut self.message {
                message.set_level(level, is_filtered);
            }
            Ok(())
        };
        if outcome.is_err() {
            self.params = was;
        }
        outcome
    }

    /// Switches to zlib-ng, between two segments, with the history and the bits that are not written yet, in the order of
    /// the output. On an error nothing has changed. The message encoder is kept for the time after a reset.
    fn go_serial(&mut self) -> Result<()> {
        let mut serial = Deflate::new(policy::zng_params(&self.params), self.allocator)?;
        if let Some(message) = &self.message {
            if !message.window().is_empty() {
                serial.set_dictionary(message.window())?;
            }
            for &byte in message.primed_bytes() {
                serial.prime(8, i32::from(byte))?;
            }
            let PendingBits { bits, count } = message.pending_bits();
            serial.prime(count as i32, i32::from(bits))?;
        }
        self.engine = Engine::Serial(serial);
        Ok(())
    }

    /// Switches from zlib-ng to another engine, at the stream's start, with `history`.
    fn leave_serial(&mut self, history: &[u8]) -> Result<()> {
        self.choose_engine()?;
        if let Some(message) = &mut self.message {
            message.restart(history, PendingBits::default());
        }
        Ok(())
    }

    /// Resets to the start of a stream. `keep` keeps the history, and the search limits, as in
    /// zlib. The observations of the program (`caller`) are always kept.
    pub(super) fn reset(&mut self, keep: bool) -> Result<()> {
        match (&mut self.engine, &mut self.message) {
            (Engine::Serial(serial), _) if policy::is_for_zng(&self.params) => {
                if keep {
                    serial.reset_keep()?
                } else {
                    serial.reset()?
                }
            }
            (Engine::Serial(serial), _) => {
                // The strategy was changed to one that does not need zlib-ng.
                let history = if keep { Some(serial.dictionary(self.allocator)?) } else { None };
                self.leave_serial(history.as_deref().unwrap_or_default())?;
            }
            (Engine::Bulk(compressor), Some(message)) => {
                message.restart(if keep { compressor.window() } else { &[] }, PendingBits::default());
                self.engine = Engine::Message(None);
            }
            (_, Some(message)) => {
                message.reset(keep);
                self.engine = Engine::Message(None);
            }
            // Does not occur: only streams that use zlib-ng have no message encoder.
            (_, None) => self.choose_engine()?,
        }
        if !keep && matches!(self.engine, Engine::Message(_)) {
            // Resets the search limits that `deflateTune()` set.
            self.choose_engine()?;
        }
        self.is_tuned &= keep;
        self.is_bulk_refused = false;
        self.check = self.check.fresh();
        self.segment_check = self.check;
        self.data_type = DataType::new();
        self.has_ended_block = false;
        self.used_bits = 0;
        self.counters = Counters::default();
        Ok(())
    }

    /// `deflateSetDictionary()`: `dictionary` becomes history; only between segments.
    pub(super) fn set_dictionary(&mut self, dictionary: &[u8]) -> Result<()> {
        match (&mut self.engine, &mut self.message) {
            (Engine::Serial(serial), _) => serial.set_dictionary(dictionary),
            (Engine::Message(None) | Engine::Finished, Some(message)) if message.is_between_messages() => {
                message.add_history(dictionary);
                Ok(())
            }
            _ => Err(Error::Stream),
        }
    }

    /// The last bytes of the input taken, at most the window's size.
    pub(super) fn window(&self) -> Result<Buffer> {
        match (&self.engine, &self.message) {
            (Engine::Bulk(compressor), _) => Buffer::copy_of(compressor.window(), self.allocator),
            (Engine::Serial(serial), _) => serial.dictionary(self.allocator),
            (_, Some(message)) => Buffer::copy_of(message.window(), self.allocator),
            (_, None) => Ok(Buffer::new(self.allocator)),
        }
    }

    /// `deflatePrime()`: inserts bits before later output. [`Error::Buffer`] within bulk, while a flush waits for room, or when
    /// too many bits are pending.
    pub(super) fn prime(&mut self, bits: i32, value: i32) -> Result<()> {
        match (&mut self.engine, &mut self.message) {
            (Engine::Serial(serial), _) => serial.prime(bits, value),
            (Engine::Message(None) | Engine::Finished, Some(message)) => {
                message.prime(value as u32, bits as u32)
            }
            _ => Err(Error::Buffer),
        }
    }

    /// `deflateTune()`: sets the search limits, from the next segment on if this one is bulk.
    pub(super) fn tune(&mut self, good: i32, lazy: i32, nice: i32, chain: i32) -> Result<()> {
        if let Engine::Serial(serial) = &mut self.engine {
            return serial.tune(good, lazy, nice, chain);
        }
        if let Some(message) = &mut self.message {
            let limit = |value: i32| value.max(0) as usize;
            message.tune(limit(good), limit(lazy), limit(nice), chain.max(1) as u32);
            self.is_tuned = true;
        }
        Ok(())
    }

    /// Bytes and bits of output that are not delivered yet for lack of room.
    pub(super) fn pending(&self) -> (usize, u32) {
        match (&self.engine, &self.message) {
            (Engine::Bulk(compressor), _) => compressor.waiting(),
            (Engine::Serial(serial), _) => {
                let (bytes, bits) = serial.pending();
                (bytes as usize, bits)
            }
            (_, Some(message)) => {
                let bits = message.waiting_bits();
                ((bits / 8) as usize, (bits % 8) as u32)
            }
            (_, None) => (0, 0),
        }
    }

    /// Whether the output still to be delivered, after a flush that has taken all input, fits zlib's buffer for it. The
    /// output of jobs in flight is not counted by `pending`, so with jobs the answer is no.
    pub(super) fn keeps_little(&self) -> bool {
        /// The size of that buffer with the default `memLevel`.
        const PENDING: usize = 64 << 10;
        self.pending().0 <= PENDING
            && !matches!(&self.engine, Engine::Bulk(compressor) if compressor.has_jobs())
    }

    /// Whether a flush is complete and nothing was taken since.
    pub(super) fn is_at_rest(&self) -> bool {
        match (&self.engine, &self.message) {
            (Engine::Message(None), Some(message)) => message.is_at_rest(),
            (Engine::Finished, _) => true,
            _ => false,
        }
    }

    pub(super) fn parameters(&self) -> &DeflateParams {
        &self.params
    }

    /// The check value of all input taken; while jobs are in flight, of what was delivered.
    pub(super) fn check(&self) -> Check {
        match &self.engine {
            Engine::Bulk(compressor) => compressor.check(),
            _ => self.check,
        }
    }

    pub(super) fn data_type(&self) -> i32 {
        self.data_type.value()
    }

    pub(super) fn used_bits(&self) -> u32 {
        self.used_bits
    }

    /// The current level.
    pub(super) fn level(&self) -> Level {
        self.params.level
    }

    pub(super) fn counters(&self) -> Counters {
        let mut counters = self.counters;
        if let Engine::Bulk(compressor) = &self.engine {
            counters.add(compressor.counters());
        }
        counters
    }

    pub(super) fn try_clone(&self) -> Result<Self> {
        let engine = match &self.engine {
            Engine::Message(begun) => Engine::Message(*begun),
            Engine::Bulk(compressor) => {
                Engine::Bulk(Placed::try_new(compressor.try_clone()?, Allocator::SYSTEM)?)
            }
            Engine::Serial(serial) => Engine::Serial(serial.try_clone()?),
            Engine::Finished => Engine::Finished,
        };
        Ok(Self {
            engine,
            message: self.message.as_ref().map(MessageEncoder::try_clone).transpose()?,
            ..*self
        })
    }
}

impl Drop for Body {
    /// Keeps the message encoder for the process's next stream.
    fn drop(&mut self) {
        if let Some(message) = self.message.take() {
            idle::give(message, message_settings(&self.params), &self.allocator);
        }
    }
}

fn message_settings(params: &DeflateParams) -> MessageSettings {
    MessageSettings { window_bits: params.window_bits as u32, mem_level: params.mem_level as u32 }
}

/// How `flush` ends a segment.
fn end_of(flush: Flush) -> Option<ChunkEnd> {
    match flush {
        Flush::None => None,
        Flush::Finish => Some(ChunkEnd::Finish),
        Flush::Partial => Some(ChunkEnd::Partial),
        Flush::Block | Flush::Trees => Some(ChunkEnd::Block),
        Flush::Sync | Flush::Full => Some(ChunkEnd::Sync),
    }
}
