//! `Compressor`: splits a segment of a stream into chunks, which any free thread compresses, and joins them in order.
//!
//! A segment is the data between two flushes. It is split on a fixed grid from its start, so its bytes depend on its data,
//! the window before it and its end, but not on the sizes of writes, on threads or on time. Each chunk is primed with the
//! 32 KiB before it. A full chunk ends only when a byte follows it, so that the last chunk of a segment always has data
//! and is known to be the last.
//!
//! [`drive`](Compressor::drive) does all the work. The *open* chunk is the last one; those before it are jobs in the ring.
//!
//! ```text
//! loop: deliver the results of jobs, in order
//!       take input into the open chunk
//!       the chunk has ended, and workers are wanted: make it a job
//!       there are jobs before it: do one of them, or wait
//!       there are none: encode the open chunk as far as it has arrived, straight to the output
//! ```
//!
//! So on one thread output is written as soon as it is decided; only jobs hold output back: see [`Drive::may_hold`].
//!
//! For example, 1 MiB in one call with workers, with chunks of 128, 256 and 512 KiB:
//!
//! ```text
//! data    |  128 KiB         |  256 KiB         |  512 KiB         |  128 KiB
//! chunk   |  0, a job        |  1, a job        |  2, a job        |  3, the open chunk
//! window  |  none            |  end of chunk 0  |  end of chunk 1  |  end of chunk 2
//! output  |  ... 00 00 ff ff |  ... 00 00 ff ff |  ... 00 00 ff ff |  ...
//! ```
//!
//! Every chunk but the last ends with a sync marker, on a byte boundary, so the results are joined
//! as bytes. Check values are computed for each chunk and combined in the same order.

use super::encoder::{ChunkEnd, Form, Level, PendingBits, Progress};
use super::job::Chunk;
use super::ring::{Between, Ring};
use crate::budget::{self, Share};
use crate::checksum::Check;
use crate::error::{Error, Result};
use crate::format::deflate::WINDOW_SIZE;
use crate::raw::{Allocator, Buffer, Output};
use std::time::Duration;

/// How a segment is compressed.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The format of the chunks.
    pub form: Form,
    /// The compression level.
    pub level: Level,
    /// Maps a chunk's number, from 0 on, to its size in bytes; the sizes are equal from number 3 on.
    pub chunk_len: fn(usize) -> usize,
    /// The segment's size in bytes from which workers are used.
    pub parallel_from: usize,
    /// The stream's check value before the segment.
    pub check: Check,
    /// Bits of an incomplete output byte before the segment, which completes it.
    pub before: PendingBits,
}

impl Settings {
    /// Bytes of the largest chunk: from the fourth on all have the same size.
    fn largest_chunk(&self) -> usize {
        (0..4).map(self.chunk_len).fold(0, usize::max)
    }

    /// Memory for a chunk of this number and its result.
    fn job_bytes(&self, number: usize) -> usize {
        let len = (self.chunk_len)(number);
        WINDOW_SIZE + len + self.form.bound(len)
    }
}

/// How one call may work.
#[derive(Clone, Copy, Debug)]
pub struct Drive {
    /// The segment ends with the input.
    pub end: Option<ChunkEnd>,
    /// Jobs may be in flight when the call returns with room left in the output: there will be another call. Otherwise
    /// workers are used only for the input of a single call, and everything decided is written within the call.
    pub may_hold: bool,
    /// What workers may do while the host is not in a call.
    pub between: Between,
}

/// Counters of one stream.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    /// Chunks delivered.
    pub chunks: u64,
    /// Of these, how many a worker compressed.
    pub by_workers: u64,
    /// Threads that could be kept busy, the caller's included.
    pub threads: usize,
    /// The workers' processor time for their chunks, if statistics are wanted.
    pub cpu: Duration,
}

impl Counters {
    /// Adds another segment's counters.
    pub fn add(&mut self, segment: Counters) {
        self.chunks += segment.chunks;
        self.by_workers += segment.by_workers;
        self.threads = self.threads.max(segment.threads);
        self.cpu += segment.cpu;
    }
}

/// A segment that is being compressed.
#[derive(Debug)]
pub struct Compressor {
    settings: Settings,
    ring: Ring,
    /// The open chunk: its window, then its data so far. Its capacity is that of the largest chunk
    /// with a full window, so appending never allocates.
    open: Buffer,
    window_len: usize,
    /// The open chunk's number.
    number: usize,
    /// `Some` if the open chunk is being encoded: the number of bytes of its output written so far.
    begun: Option<usize>,
    /// Length of `open` at which its encoder can continue; 0 if it may be able to now. Not 0 only
    /// while the open chunk is begun.
    wakes_at: usize,
    /// How the open chunk ends, once that is known; then nothing is added to it.
    closing: Option<ChunkEnd>,
    /// Bytes of `open` that `check` covers, once the chunk is being encoded.
    checked_to: usize,
    /// For the open chunk; an engine has its own share.
    own_share: Share,
    /// For the jobs of a ring with workers; `refusals` is the number of refused requests when it was granted or refused.
    jobs_share: Share,
    refusals: usize,
    /// The segment's size in bytes at which workers are requested.
    workers_from: usize,
    /// Bytes of the segment taken so far.
    taken: usize,
    /// Set once the end of the last chunk is decided: the segment's end.
    end: Option<ChunkEnd>,
    /// Set when the last chunk was encoded in place and is written. A last chunk that was a job is
    /// written when the ring is empty.
    is_done: bool,
    /// Check value of all chunks that are delivered, and of the open chunk up to `checked_to`.
    check: Check,
    /// As [`used_bits`](Self::used_bits) returns it.
    used_bits: u32,
    /// Bits of an incomplete byte after the last chunk.
    after: PendingBits,
    counters: Counters,
}

/// Fewer jobs than this keep no worker busy: one is done, one waits, one is delivered.
const LEAST_JOBS: usize = 3;

impl Compressor {
    /// Begins a segment whose history is the tail of `window`, and whose first bytes are `held`, at
    /// most a chunk. Fails with `Error::Memory` if there is no memory for an engine and a chunk.
    /// Later calls may be refused memory, too: see [`drive`](Self::drive).
    pub fn new(settings: Settings, window: &[u8], held: &[u8]) -> Result<Self> {
        let mut ring = Ring::new(Between::Rest)?;
        let mut open = ring.encoder().take_buffer(WINDOW_SIZE + settings.largest_chunk())?;
        open.extend(settings.form.history(window));
        let window_len = open.len();
        open.extend(held);
        let counters = Counters { threads: ring.threads(), ..Counters::default() };
        Ok(Self {
            settings,
            ring,
            open,
            window_len,
            number: 0,
            begun: None,
            wakes_at: 0,
            closing: None,
            checked_to: window_len,
            own_share: Share::overdrawn(settings.job_bytes(0)),
            jobs_share: Share::none(),
            refusals: 0,
            workers_from: settings.parallel_from,
            taken: held.len(),
            end: None,
            is_done: false,
            check: settings.check,
            used_bits: 0,
            after: PendingBits::default(),
            counters,
        })
    }

    /// Takes `input` if even then nothing can be decided, as in most calls with a few bytes. Returns
    /// whether it did; if not, nothing has changed.
    ///
    /// `wakes_at` is at most one byte more than a full chunk, so the input fits. It is not 0 only
    /// while the open chunk is encoded in place. Then no job is before it, and its check value can
    /// be continued.
    #[inline]
    pub fn collect(&mut self, input: &[u8]) -> bool {
        let is_too_little = self.open.len() + input.len() < self.wakes_at;
        if is_too_little {
            self.open.extend(input);
            self.taken += input.len();
            self.check_open();
        }
        is_too_little
    }

    /// Takes input and writes output as far as the room allows. Returns true if the segment has ended and is completely
    /// written. All input is taken unless the output is full. Once `how.end` was given and the input taken, further calls
    /// must repeat it.
    ///
    /// After `Error::Memory` nothing is lost, and the call may be repeated.
    pub fn drive(&mut self, input: &mut &[u8], output: &mut Output<'_>, how: Drive) -> Result<bool> {
        // Before anything that touches a job: in a forked child the parent's jobs must be replaced.
        self.ring.check_epoch()?;
        self.ring.set_between(how.between);
        // Without `may_hold`, workers are useful only in a call with enough input for them and room for all their output.
        let fits = input.len() >= self.settings.parallel_from && output.room() >= input.len();
        let is_enough = if how.may_hold { self.taken + input.len() >= self.workers_from } else { fits };
        if is_enough && !self.ring.has_workers() {
            self.call_workers();
        }
        // Whether this call may make jobs. Without `may_hold` a small call makes none, even if an
        // earlier one has requested workers.
        let is_wide = self.ring.has_workers() && (how.may_hold || fits);
        if is_wide && !how.may_hold {
            self.ring.open();
        }
        let outcome = self.advance(input, output, how, is_wide);
        self.rest();
        outcome
    }

    /// The loop of a call, as in README.md. Each turn ends the call, or does one step, or waits for
    /// a job. Each step moves input into a chunk, a chunk into the ring, or results to the output.
    fn advance(
        &mut self,
        input: &mut &[u8],
        output: &mut Output<'_>,
        how: Drive,
        mut is_wide: bool,
    ) -> Result<bool> {
        loop {
            self.deliver(output)?;
            // Done: the last chunk was encoded in place, or it was a job (then the chunk opened
            // after it is not closing) and all jobs are delivered.
            if self.is_done || (self.end.is_some() && self.closing.is_none() && self.ring.is_empty()) {
                return Ok(true);
            }
            if self.end.is_none() {
                // Input taken while the output is full counts as held back.
                let most = if is_wide || how.may_hold { usize::MAX } else { PIECE };
                self.take(input, most);
                self.close_if_due(input, how.end);
            }
            // A chunk that has ended becomes a job, if it was not begun in place. If the ring is
            // full, the end of this turn does a job or waits for one.
            if self.begun.is_none()
                && let Some(end) = self.closing
                && self.is_for_ring(end, is_wide)
            {
                if !self.ring.is_full() {
                    match self.submit(end) {
                        // Without memory for a job the chunk is encoded here, after the jobs before it.
                        Err(Error::Memory) if self.settings.form == Form::Raw => is_wide = false,
                        outcome => outcome?,
                    }
                    continue;
                }
            } else if self.ring.is_empty() {
                // No job is before the open chunk, so its output may be written now. But one that
                // may become a job waits until it has ended; begun in place it could not be a job
                // any more.
                let waits =
                    self.closing.is_none() && (self.settings.form != Form::Raw || is_wide && how.may_hold);
                if waits && self.begun.is_none() {
                    return Ok(false);
                }
                match self.encode_open(output)? {
                    Progress::Done => continue,
                    Progress::NeedsInput if !input.is_empty() => continue,
                    Progress::NeedsRoom | Progress::NeedsInput => return Ok(false),
                }
            } else if how.may_hold && self.ring.has_workers() && self.closing.is_none() && self.end.is_none()
            {
                // The jobs continue without the caller.
                return Ok(false);
            }
            // The ring is full, or jobs before the open chunk must be delivered first.
            if output.is_full() {
                return Ok(false);
            }
            self.ring.work()?;
        }
    }

    /// Whether the open chunk, which ends with `end`, becomes a job. A chunk whose first or last byte is shared with other
    /// output is encoded here, and so are all chunks if no worker is available for this call.
    fn is_for_ring(&self, end: ChunkEnd, is_wide: bool) -> bool {
        let begins_at_byte = self.number > 0 || self.settings.before.count == 0;
        let ends_at_byte = matches!(end, ChunkEnd::Sync | ChunkEnd::Finish);
        self.settings.form != Form::Raw || is_wide && begins_at_byte && ends_at_byte
    }

    /// Moves at most `most` bytes of input to the open chunk.
    fn take(&mut self, input: &mut &[u8], most: usize) {
        if self.closing.is_none() {
            let room = self.window_len + self.chunk_len() - self.open.len();
            let count = room.min(input.len()).min(most);
            self.open.extend(&input[..count]);
            *input = &input[count..];
            self.taken += count;
        }
    }

    /// Decides how the open chunk ends, if it does: with the call's end if all input is taken, else
    /// with a sync marker if the chunk is full. `input` is the rest after [`take`](Self::take), so
    /// a full chunk with no byte after it stays open unless the segment ends.
    fn close_if_due(&mut self, input: &[u8], end: Option<ChunkEnd>) {
        if self.closing.is_some() {
            return;
        }
        if input.is_empty() {
            self.end = end;
            self.close(end);
        } else if self.open.len() == self.window_len + self.chunk_len() {
            self.close(Some(ChunkEnd::Sync));
        }
    }

    /// Ends the open chunk here, unless `end` is none. If so, nothing more is added to it, not even by [`collect`](Self::collect).
    fn close(&mut self, end: Option<ChunkEnd>) {
        self.closing = end;
        if end.is_some() {
            self.wakes_at = 0;
        }
    }

    #[cfg(any(test, feature = "internals"))]
    /// Ends the open chunk here, before it is full, for callers that know good places in their data. An open chunk without
    /// data stays open.
    pub fn cut(&mut self) {
        if self.open.len() > self.window_len && self.closing.is_none() {
            self.close(Some(ChunkEnd::Sync));
        }
    }

    /// Continues to encode the open chunk, which is the oldest that is not delivered.
    fn encode_open(&mut self, output: &mut Output<'_>) -> Result<Progress> {
        let Self { settings, ring, open, window_len, number, begun, .. } = self;
        let encoder = ring.encoder().incremental()?;
        let written = match *begun {
            Some(written) => written,
            // The first chunk also completes the incomplete byte before the segment.
            None => {
                let before = if *number == 0 { settings.before } else { PendingBits::default() };
                encoder.begin(settings.level, *window_len, *number == 0, before)?;
                0
            }
        };
        let before = output.written();
        let progress = encoder.advance(open, self.closing, output);
        // Also if memory was refused after some output: the next call must not begin the chunk again.
        *begun = Some(written + output.written() - before);
        let progress = progress?;
        if progress == Progress::Done {
            (self.used_bits, self.after) = (encoder.used_bits(), encoder.pending_bits());
        } else if progress == Progress::NeedsInput {
            // A byte after a full chunk ends it.
            let full = *window_len + (settings.chunk_len)(*number);
            self.wakes_at = encoder.needed_len().min(full + 1);
        }
        self.check_open();
        if progress == Progress::Done {
            self.counters.chunks += 1;
            self.is_done = self.end.is_some();
            // The next chunk is opened in the same buffer, with the tail of this one as its window.
            // After the last chunk the data stays, for `window`.
            if !self.is_done {
                let tail = self.settings.form.history(&self.open).len();
                self.open.keep_tail(tail);
                self.open_next();
            }
        }
        Ok(progress)
    }

    /// Continues the check value over the open chunk, after all chunks before it.
    fn check_open(&mut self) {
        self.check.update(&self.open[self.checked_to..]);
        self.checked_to = self.open.len();
    }

    /// Makes the open chunk a job and opens the next one, primed with its tail.
    ///
    /// The job gets the chunk's buffer itself; only the 32 KiB of window are copied. If memory is
    /// refused at any point, the open chunk is as before.
    fn submit(&mut self, end: ChunkEnd) -> Result<()> {
        let out = self.ring.output_buffer(self.settings.form.bound(self.open.len() - self.window_len))?;
        let mut next = match self.ring.input_buffer(WINDOW_SIZE + self.settings.largest_chunk()) {
            Ok(next) => next,
            Err(error) => {
                self.ring.keep(None, Some(out));
                return Err(error);
            }
        };
        next.extend(self.settings.form.history(&self.open));
        let chunk = Chunk {
            form: self.settings.form,
            level: self.settings.level,
            bytes: std::mem::replace(&mut self.open, next),
            window_len: self.window_len,
            is_first: self.number == 0,
            end,
            check: self.settings.check,
        };
        if let Err((bytes, out)) = self.ring.push(chunk, out) {
            // Restores the state before the attempt: nothing is lost, and the next call tries again.
            if let Some(bytes) = bytes {
                let next = std::mem::replace(&mut self.open, bytes);
                self.ring.keep(Some(next), None);
            }
            self.ring.keep(None, out);
            return Err(Error::Memory);
        }
        self.open_next();
        Ok(())
    }

    /// Begins the next chunk, whose window is already in `open`.
    fn open_next(&mut self) {
        self.window_len = self.open.len();
        self.number += 1;
        (self.begun, self.closing, self.wakes_at) = (None, None, 0);
        self.checked_to = self.window_len;
    }

    /// Writes the results of jobs, in order.
    fn deliver(&mut self, output: &mut Output<'_>) -> Result<()> {
        let Self { ring, check, used_bits, counters, .. } = self;
        ring.deliver(output, |delivered| {
            check.append(delivered.check, delivered.data_len as u64);
            *used_bits = delivered.used_bits;
            counters.chunks += 1;
            counters.by_workers += u64::from(delivered.by_worker);
            counters.cpu += delivered.cpu;
        })
    }

    /// Ends a call from the host. Returns the memory for jobs if there are none and another stream was refused memory.
    fn rest(&mut self) {
        self.ring.rest(self.begun.is_some());
        // `refusals` changes when any stream of the process is refused memory. This one then
        // requests workers again after another `parallel_from` bytes.
        if self.jobs_share.bytes() > 0 && self.ring.is_empty() && budget::refusals() != self.refusals {
            self.ring.leave_workers();
            self.jobs_share = Share::none();
            self.workers_from = self.taken + self.settings.parallel_from;
        }
    }

    /// Requests workers, and memory for their jobs. If the budget is used up, the stream continues serially and tries again
    /// after another `parallel_from` bytes.
    fn call_workers(&mut self) {
        let Self { ring, jobs_share, settings, .. } = self;
        // A unit is the memory of a job with the largest chunk; on the usual grid that is number 2.
        ring.use_workers(|wanted| jobs_share.add_units(settings.job_bytes(2), wanted, LEAST_JOBS));
        self.counters.threads = self.counters.threads.max(self.ring.threads());
        self.refusals = budget::refusals();
        if !self.ring.has_workers() {
            self.jobs_share = Share::none();
            self.workers_from = self.taken + self.settings.parallel_from;
        }
    }

    /// Bytes of the segment taken so far.
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// How the segment ends, after its end was given and all input taken.
    pub fn end(&self) -> Option<ChunkEnd> {
        self.end
    }

    /// Bytes and bits that are decided but not written, for lack of room, as far as known without waiting for workers.
    pub fn waiting(&self) -> (usize, u32) {
        let bits = match (self.begun, self.ring.current_engine()) {
            (Some(_), Some(engine)) => engine.waiting_bits(),
            _ => 0,
        };
        (self.ring.settled_len() + (bits / 8) as usize, (bits % 8) as u32)
    }

    /// Whether there are jobs that are not delivered yet.
    pub fn has_jobs(&self) -> bool {
        !self.ring.is_empty()
    }

    /// The check value of all chunks delivered, and of the open chunk's data after them if it is encoded here.
    pub fn check(&self) -> Check {
        self.check
    }

    /// Bits used in the last byte before the last byte boundary, 1 to 8; 0 before there is one.
    pub fn used_bits(&self) -> u32 {
        self.used_bits
    }

    /// Bits of an incomplete byte after a segment that has ended.
    pub fn after(&self) -> PendingBits {
        self.after
    }

    /// The counters so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The last 32 KiB taken, or less if there is less.
    pub fn window(&self) -> &[u8] {
        &self.open[self.open.len().saturating_sub(WINDOW_SIZE)..]
    }

    /// An independent copy of the segment. If a chunk is being encoded, the copy encodes it again up to the same place.
    ///
    /// An engine cannot be copied, but its output is a function of the chunk. So the copy's engine
    /// encodes the chunk from its start and discards as many bytes as the original has written.
    /// Jobs are made again for the same chunks.
    pub fn try_clone(&self) -> Result<Self> {
        let mut ring = self.ring.try_clone()?;
        let mut open = ring.encoder().take_buffer(self.open.capacity())?;
        open.extend(&self.open);
        let jobs_share = Share::overdrawn(self.jobs_share.bytes());
        let own_share = Share::overdrawn(self.own_share.bytes());
        let mut copy = Self { ring, open, jobs_share, own_share, ..*self };
        if let (Some(mut written), false) = (self.begun, self.is_done) {
            // Encoding again must not extend the copied check value.
            let (check, checked_to) = (copy.check, copy.checked_to);
            copy.begun = None;
            let mut scratch = Buffer::new(Allocator::SYSTEM);
            scratch.reserve(SCRATCH)?;
            while written > 0 || copy.begun.is_none() {
                scratch.clear();
                let room = written.min(SCRATCH);
                written -= scratch
                    .append(|out| out.limited(room, |out| copy.encode_open(out).map(|_| out.written())))?;
            }
            (copy.check, copy.checked_to) = (check, checked_to);
            copy.begun = self.begun;
        }
        Ok(copy)
    }

    fn chunk_len(&self) -> usize {
        (self.settings.chunk_len)(self.number)
    }
}

/// Bytes that are taken at a time if little may be held back. Input taken while the output is full
/// counts as held back.
const PIECE: usize = 8 << 10;

/// Room for output that is discarded.
const SCRATCH: usize = 4 << 10;

impl Drop for Compressor {
    /// Keeps the open chunk's buffer with the engine, if the ring has one, for the next segment.
    fn drop(&mut self) {
        let open = std::mem::replace(&mut self.open, Buffer::new(Allocator::SYSTEM));
        self.ring.encoder().keep_buffer(open);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inflate::{Goal, Inflate};
    use crate::random::Random;

    fn text(len: usize) -> Vec<u8> {
        let mut random = Random::new(7);
        let words: [&[u8]; 8] =
            [b"the ", b"chunk ", b"of a ", b"stream ", b"is ", b"a job ", b"for any ", b"thread\n"];
        let mut data = Vec::with_capacity(len + 8);
        while data.len() < len {
            data.extend_from_slice(random.pick(&words));
        }
        data.truncate(len);
        data
    }

    const GOES_ON: Drive = Drive { end: None, may_hold: true, between: Between::GoOn };
    const FINISH: Drive = Drive { end: Some(ChunkEnd::Finish), ..GOES_ON };

    fn settings(level: u32, parallel_from: usize, check: Check) -> Settings {
        Settings {
            form: Form::Raw,
            level: Level::new(level).expect("a level"),
            chunk_len: |_| 64 << 10,
            parallel_from,
            check,
            before: PendingBits::default(),
        }
    }

    /// Compresses `data`, written in pieces of `piece` and read in pieces of `room`.
    fn compress(data: &[u8], window: &[u8], piece: usize, room: usize, may_hold: bool) -> (Vec<u8>, Check) {
        let settings = settings(6, 100_000, Check::Crc(0));
        let mut compressor = Compressor::new(settings, window, &[]).expect("memory for a compressor");
        let (mut bytes, mut buffer) = (Vec::new(), vec![0; room]);
        let mut rest = data;
        loop {
            let mut input = &rest[..piece.min(rest.len())];
            let given = input.len();
            let how = if given == rest.len() { FINISH } else { GOES_ON };
            let mut output = Output::new(&mut buffer);
            let how = Drive { may_hold, ..how };
            let is_done = compressor.drive(&mut input, &mut output, how).expect("jobs succeed");
            let count = output.written();
            bytes.extend_from_slice(&buffer[..count]);
            rest = &rest[given - input.len()..];
            if is_done {
                break;
            }
        }
        assert_eq!(compressor.window(), &data[data.len().saturating_sub(WINDOW_SIZE)..]);
        (bytes, compressor.check())
    }

    #[test]
    fn a_segment_decodes_and_has_the_check_of_its_data() {
        let data = text(1_000_000);
        let (bytes, check) = compress(&data, &[], data.len(), 1 << 16, true);
        let mut decoder = Inflate::new(-15, Allocator::SYSTEM).expect("memory for a decoder");
        let mut decoded = vec![0; data.len() + 1];
        let mut output = Output::new(&mut decoded);
        decoder.inflate(&mut &bytes[..], &mut output, Goal::Progress, &mut |_| {}).expect("a valid stream");
        let count = output.written();
        assert_eq!(decoded[..count], data);
        assert_eq!(check, Check::Crc(crc32fast::hash(&data)));
    }

    #[test]
    fn bytes_do_not_depend_on_how_a_segment_is_written_or_read() {
        // A whole number of chunks, and one byte to either side.
        for len in [(64 << 10) * 3 - 1, (64 << 10) * 3, (64 << 10) * 3 + 1] {
            let data = text(len);
            let whole = compress(&data, b"a window", data.len(), 1 << 20, true);
            for (piece, room) in [(1000, 1 << 20), (65_537, 777), (data.len(), 5)] {
                for may_hold in [false, true] {
                    let cut = compress(&data, b"a window", piece, room, may_hold);
                    assert_eq!(cut, whole, "piece {piece}, room {room}");
                }
            }
        }
    }

    #[test]
    fn without_may_hold_nothing_is_in_flight_after_a_call() {
        let data = text(2 << 20);
        let mut compressor = Compressor::new(settings(6, 100_000, Check::None), &[], &[]).expect("memory");
        let mut room = vec![0; 3 << 20];
        let mut output = Output::new(&mut room);
        let how = Drive { may_hold: false, ..GOES_ON };
        for piece in data.chunks(700_000) {
            let mut input = piece;
            compressor.drive(&mut input, &mut output, how).expect("jobs succeed");
            assert!(input.is_empty() && !compressor.has_jobs());
        }
        let before = output.written();
        assert!(
            compressor
                .drive(&mut &[][..], &mut output, Drive { may_hold: false, ..FINISH })
                .expect("jobs succeed")
        );
        assert!(output.written() - before < 64 << 10);
    }

    #[test]
    fn a_chunk_after_a_cut_depends_on_its_window_and_data_alone() {
        let (window, tail) = (text(WINDOW_SIZE), &text(200_000)[100_000..]);
        let compress_after = |head: &[u8]| {
            let mut compressor = Compressor::new(settings(6, 0, Check::None), &[], &[]).expect("memory");
            let mut bytes = vec![0; 400_000];
            let mut output = Output::new(&mut bytes);
            let how = Drive { may_hold: false, ..GOES_ON };
            let mut after_cut = 0;
            for part in [head, &window, tail] {
                compressor.cut();
                compressor.drive(&mut &[][..], &mut output, how).expect("jobs succeed");
                after_cut = output.written();
                compressor.drive(&mut &part[..], &mut output, how).expect("jobs succeed");
            }
            compressor.drive(&mut &[][..], &mut output, FINISH).expect("jobs succeed");
            while !compressor.drive(&mut &[][..], &mut output, FINISH).expect("jobs succeed") {}
            let len = output.written();
            bytes.truncate(len);
            bytes.split_off(after_cut)
        };
        assert_eq!(compress_after(b"one head"), compress_after(&text(90_000)));
    }

    #[test]
    fn a_clone_continues_independently() {
        let data = text(400_000);
        for may_hold in [false, true] {
            let mut first = Compressor::new(settings(1, 0, Check::Adler(1)), &[], &[]).expect("memory");
            let mut start = vec![0; 500_000];
            let mut output = Output::new(&mut start);
            let how = Drive { may_hold, ..GOES_ON };
            first.drive(&mut &data[..], &mut output, how).expect("jobs succeed");
            let mut second = first.try_clone().expect("memory for a compressor");
            let rest_of = |compressor: &mut Compressor| {
                let mut bytes = vec![0; 500_000];
                let mut output = Output::new(&mut bytes);
                while !compressor.drive(&mut &[][..], &mut output, FINISH).expect("jobs succeed") {}
                let count = output.written();
                bytes.truncate(count);
                (bytes, compressor.check())
            };
            assert_eq!(rest_of(&mut second), rest_of(&mut first));
        }
    }
}
