//! `Compressor`: a segment of a stream, cut into chunks, compressed by whoever has time, joined in order.
//!
//! A segment is the data between two flushes. It is cut on a fixed grid from its start, so its bytes depend on its data, the
//! window it begins with and its end, never on how it was written, on threads or on time. Each chunk is primed with the 32 KiB
//! before it. A full chunk is handed on only when a byte follows it, so that the last chunk of a segment always has data and
//! knows that it is the last.
//!
//! The caller drives everything: [`write`](Compressor::write) takes input until the ring is full, [`read`](Compressor::read) delivers
//! what is done, [`work`](Compressor::work) makes progress when neither does.

use super::WINDOW;
use super::encoder::{ChunkEnd, Form, Level};
use super::job::Chunk;
use super::ring::Ring;
use crate::budget::{self, Share};
use crate::checksum::Check;
use crate::error::{Error, Result};
use crate::raw::{Allocator, Buffer, Output};

/// What a segment is compressed with.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// What the chunks become.
    pub form: Form,
    /// Of the search for matches.
    pub level: Level,
    /// Bytes in the chunk of a number, from 0 on.
    pub chunk_len: fn(usize) -> usize,
    /// Bytes of the segment from which on workers are called.
    pub parallel_from: usize,
    /// The stream's check value up to here.
    pub check: Check,
}

impl Settings {
    /// Memory for a chunk of this number and its result.
    fn job_bytes(&self, number: usize) -> usize {
        let len = (self.chunk_len)(number);
        WINDOW + len + self.form.bound(len)
    }
}

/// Counters of one stream's way through the pipeline.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    /// Chunks delivered.
    pub chunks: u64,
    /// Of these, how many a worker compressed.
    pub by_workers: u64,
    /// Threads that could be kept busy, the caller's included.
    pub threads: usize,
}

impl Counters {
    /// Adds another segment's.
    pub fn add(&mut self, segment: Counters) {
        self.chunks += segment.chunks;
        self.by_workers += segment.by_workers;
        self.threads = self.threads.max(segment.threads);
    }
}

/// A segment on its way through the pipeline.
#[derive(Debug)]
pub struct Compressor {
    settings: Settings,
    ring: Ring,
    /// The open chunk: its window, then what of its data has come.
    open: Buffer,
    window_len: usize,
    /// Whether `open` has room for a whole chunk: only once data comes for it, since that is memory which the last chunk
    /// may have until then.
    has_room: bool,
    /// The last buffer that held nothing but a window, for the next time.
    spare_window: Buffer,
    /// The open chunk's number.
    number: usize,
    /// Bytes of the segment taken so far.
    taken: usize,
    /// Set once the last chunk is on its way.
    end: Option<ChunkEnd>,
    /// Check value of everything delivered.
    check: Check,
    used_bits: u32,
    counters: Counters,
    /// For the open chunk and its result.
    own_share: Share,
    /// For the jobs of a ring with workers; and the number of refused requests when it was granted, or refused.
    jobs_share: Share,
    refusals: usize,
    /// Bytes of the segment from which on workers are asked for.
    workers_from: usize,
}

/// Fewer jobs than this keep no worker busy: one is done, one waits, one is delivered.
const LEAST_JOBS: usize = 3;

impl Compressor {
    /// A segment whose history is the tail of `window`; buffers come from `allocator`, always on the caller's thread.
    pub fn new(settings: Settings, window: &[u8], allocator: Allocator) -> Result<Self> {
        let mut ring = Ring::new(allocator)?;
        let mut open = ring.input_buffer(WINDOW + (settings.chunk_len)(0))?;
        open.extend(settings.form.history(window));
        let window_len = open.len();
        let counters = Counters { threads: ring.threads(), ..Counters::default() };
        Ok(Self {
            settings,
            ring,
            open,
            window_len,
            has_room: true,
            spare_window: Buffer::new(allocator),
            number: 0,
            taken: 0,
            end: None,
            check: settings.check,
            used_bits: 0,
            counters,
            own_share: Share::overdrawn(settings.job_bytes(0)),
            jobs_share: Share::none(),
            refusals: 0,
            workers_from: settings.parallel_from,
        })
    }

    /// Takes input as far as the ring has room. What is left waits for [`read`](Self::read) or [`work`](Self::work).
    pub fn write(&mut self, input: &mut &[u8]) -> Result<()> {
        self.ring.check_epoch()?;
        if self.taken + input.len() >= self.workers_from && !self.ring.has_workers() {
            self.call_workers()?;
        }
        while !input.is_empty() {
            if self.room() == 0 {
                if self.ring.is_full() {
                    return Ok(());
                }
                self.submit(ChunkEnd::Sync)?;
            }
            if !self.has_room {
                if self.ring.is_full() && self.ring.is_serial() {
                    // Nothing would be gained by collecting more before that one is out.
                    return Ok(());
                }
                self.make_room()?;
            }
            let count = self.room().min(input.len());
            self.open.extend(&input[..count]);
            *input = &input[count..];
            self.taken += count;
        }
        Ok(())
    }

    /// Ends the open chunk here, before it is full: whoever knows the data may choose the grid. False when the ring has no room
    /// for it yet. An open chunk without data stays open.
    pub fn cut(&mut self) -> Result<bool> {
        self.ring.check_epoch()?;
        if self.open.len() > self.window_len {
            if self.ring.is_full() {
                return Ok(false);
            }
            self.submit(ChunkEnd::Sync)?;
        }
        Ok(true)
    }

    /// Ends the segment: what is in the open chunk becomes the last one. False when the ring has no room for it yet.
    pub fn close(&mut self, end: ChunkEnd) -> Result<bool> {
        self.ring.check_epoch()?;
        if self.end.is_none() {
            if self.ring.is_full() {
                return Ok(false);
            }
            self.submit(end)?;
            self.end = Some(end);
        }
        Ok(true)
    }

    /// Delivers what is done, in order.
    pub fn read(&mut self, output: &mut Output<'_>) -> Result<()> {
        self.ring.check_epoch()?;
        let Self { ring, check, used_bits, counters, .. } = self;
        ring.deliver(output, |delivered| {
            check.append(delivered.check, delivered.data_len as u64);
            *used_bits = delivered.used_bits;
            counters.chunks += 1;
            counters.by_workers += u64::from(delivered.by_worker);
        })
    }

    /// Brings the oldest chunk nearer to its delivery; returns when there may be something to read.
    pub fn work(&mut self) -> Result<()> {
        self.ring.check_epoch()?;
        self.ring.work()
    }

    /// Ends a call from the host; what may go on between calls goes on. Memory for jobs is given back if there are none and
    /// another stream was refused its own.
    pub fn rest(&mut self) {
        self.ring.rest();
        if self.jobs_share.bytes() > 0 && self.ring.is_empty() && budget::refusals() != self.refusals {
            self.ring.leave_workers();
            self.jobs_share = Share::none();
            self.workers_from = self.taken + self.settings.parallel_from;
        }
    }

    /// Asks for workers, and for memory for their jobs. When the budget is used up the stream goes on serially, and asks
    /// again after as much data as it took the first time.
    fn call_workers(&mut self) -> Result<()> {
        let Self { ring, jobs_share, settings, .. } = self;
        ring.use_workers(|wanted| jobs_share.add_units(settings.job_bytes(2), wanted, LEAST_JOBS))?;
        self.counters.threads = self.counters.threads.max(self.ring.threads());
        self.refusals = budget::refusals();
        if !self.ring.has_workers() {
            self.jobs_share = Share::none();
            self.workers_from = self.taken + self.settings.parallel_from;
        }
        Ok(())
    }

    /// Whether the segment is closed and all of it delivered.
    pub fn is_drained(&self) -> bool {
        self.end.is_some() && self.ring.is_empty()
    }

    /// Bytes of the segment taken so far.
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// How the segment ends, once it is closed.
    pub fn end(&self) -> Option<ChunkEnd> {
        self.end
    }

    /// Bytes that could be delivered at once.
    pub fn settled_len(&self) -> usize {
        self.ring.settled_len()
    }

    /// The check value of everything delivered; of all input once drained.
    pub fn check(&self) -> Check {
        self.check
    }

    /// Bits used in the last byte before the last byte boundary, 1 to 8; 0 before there is one.
    pub fn used_bits(&self) -> u32 {
        self.used_bits
    }

    /// What happened so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The last 32 KiB taken, or all there is.
    pub fn window(&self) -> &[u8] {
        &self.open[self.open.len().saturating_sub(WINDOW)..]
    }

    /// A segment in the same state, to go on apart.
    pub fn try_clone(&self) -> Result<Self> {
        let mut ring = self.ring.try_clone()?;
        let mut open = ring.input_buffer(WINDOW + self.chunk_len())?;
        open.extend(&self.open);
        let spare_window = Buffer::new(self.spare_window.allocator());
        let jobs_share = Share::overdrawn(self.jobs_share.bytes());
        let own_share = Share::overdrawn(self.own_share.bytes());
        Ok(Self { ring, open, has_room: true, spare_window, jobs_share, own_share, ..*self })
    }

    fn room(&self) -> usize {
        self.window_len + self.chunk_len() - self.open.len()
    }

    fn chunk_len(&self) -> usize {
        (self.settings.chunk_len)(self.number)
    }

    /// Hands the open chunk on and opens the next, primed with its tail.
    fn submit(&mut self, end: ChunkEnd) -> Result<()> {
        let out = self.ring.output_buffer(self.settings.form.bound(self.open.len() - self.window_len))?;
        self.spare_window.clear();
        if let Err(error) = self.spare_window.reserve(WINDOW) {
            self.ring.keep(None, Some(out));
            return Err(error);
        }
        self.spare_window.extend(self.settings.form.history(&self.open));
        let empty = Buffer::new(self.spare_window.allocator());
        let next = std::mem::replace(&mut self.spare_window, empty);
        let (window_len, next_window_len) = (self.window_len, next.len());
        let chunk = Chunk {
            form: self.settings.form,
            level: self.settings.level,
            bytes: std::mem::replace(&mut self.open, next),
            window_len,
            is_first: self.number == 0,
            end,
            check: self.settings.check,
        };
        self.window_len = next_window_len;
        if let Err((bytes, out)) = self.ring.push(chunk, out) {
            // As if it had not been tried: nothing is lost, and the next call tries again.
            match bytes {
                Some(bytes) => self.spare_window = std::mem::replace(&mut self.open, bytes),
                None => self.has_room = false,
            }
            self.window_len = window_len;
            self.ring.keep(None, out);
            return Err(Error::Memory);
        }
        self.has_room = false;
        self.number += 1;
        Ok(())
    }

    /// Moves the window of the open chunk to where there is room for its data too.
    fn make_room(&mut self) -> Result<()> {
        let mut open = self.ring.input_buffer(WINDOW + self.chunk_len())?;
        let bytes = self.settings.job_bytes(self.number);
        if bytes > self.own_share.bytes() {
            self.own_share = Share::overdrawn(bytes);
        }
        open.extend(&self.open);
        self.spare_window = std::mem::replace(&mut self.open, open);
        self.has_room = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inflate::{Goal, Inflate};

    fn text(len: usize) -> Vec<u8> {
        let mut state = 7u32;
        let words: [&[u8]; 8] =
            [b"the ", b"chunk ", b"of a ", b"stream ", b"is ", b"a job ", b"for any ", b"thread\n"];
        let mut data = Vec::with_capacity(len + 8);
        while data.len() < len {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            data.extend_from_slice(words[(state >> 29) as usize]);
        }
        data.truncate(len);
        data
    }

    /// Ends the segment and brings all of it to `output`.
    fn finish(compressor: &mut Compressor, output: &mut Output<'_>) {
        while !compressor.close(ChunkEnd::Finish).expect("jobs succeed") {
            compressor.work().expect("jobs succeed");
            compressor.read(output).expect("jobs succeed");
        }
        while !compressor.is_drained() {
            compressor.work().expect("jobs succeed");
            compressor.read(output).expect("jobs succeed");
        }
    }

    /// Compresses `data`, written in pieces of `piece` and read in pieces of `room`.
    fn compress(data: &[u8], window: &[u8], piece: usize, room: usize) -> (Vec<u8>, Check) {
        let settings = Settings {
            form: Form::Raw,
            level: Level::new(6).expect("a level"),
            chunk_len: |_| 64 << 10,
            parallel_from: 100_000,
            check: Check::Crc(0),
        };
        let mut compressor =
            Compressor::new(settings, window, Allocator::SYSTEM).expect("memory for a compressor");
        let (mut bytes, mut buffer) = (Vec::new(), vec![0; room]);
        let mut read = |compressor: &mut Compressor| {
            let mut output = Output::new(&mut buffer);
            compressor.read(&mut output).expect("jobs succeed");
            let count = output.written();
            bytes.extend_from_slice(&buffer[..count]);
        };
        for mut input in data.chunks(piece) {
            while !input.is_empty() {
                compressor.write(&mut input).expect("jobs succeed");
                read(&mut compressor);
                if !input.is_empty() {
                    compressor.work().expect("jobs succeed");
                }
            }
        }
        while !compressor.close(ChunkEnd::Finish).expect("jobs succeed") {
            compressor.work().expect("jobs succeed");
            read(&mut compressor);
        }
        while !compressor.is_drained() {
            compressor.work().expect("jobs succeed");
            read(&mut compressor);
        }
        assert_eq!(compressor.window(), &data[data.len().saturating_sub(WINDOW)..]);
        (bytes, compressor.check())
    }

    #[test]
    fn a_segment_decodes_and_has_the_check_of_its_data() {
        let data = text(1_000_000);
        let (bytes, check) = compress(&data, &[], data.len(), 1 << 16);
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
            let whole = compress(&data, b"a window", data.len(), 1 << 20);
            for (piece, room) in [(1000, 1 << 20), (65_537, 777), (data.len(), 5)] {
                assert_eq!(compress(&data, b"a window", piece, room), whole, "piece {piece}, room {room}");
            }
        }
    }

    #[test]
    fn a_chunk_behind_a_cut_depends_on_its_window_and_data_alone() {
        let (window, tail) = (text(WINDOW), &text(200_000)[100_000..]);
        let settings = Settings {
            form: Form::Raw,
            level: Level::new(6).expect("a level"),
            chunk_len: |_| 64 << 10,
            parallel_from: 0,
            check: Check::None,
        };
        let compress_behind = |head: &[u8]| {
            let mut compressor =
                Compressor::new(settings, &[], Allocator::SYSTEM).expect("memory for a compressor");
            let mut bytes = vec![0; 400_000];
            let mut output = Output::new(&mut bytes);
            let mut behind_cut = 0;
            for mut part in [head, &window, tail] {
                while !compressor.cut().expect("jobs succeed") {
                    compressor.work().expect("jobs succeed");
                    compressor.read(&mut output).expect("jobs succeed");
                }
                while !compressor.ring.is_empty() {
                    compressor.work().expect("jobs succeed");
                    compressor.read(&mut output).expect("jobs succeed");
                }
                behind_cut = output.written();
                while !part.is_empty() {
                    compressor.write(&mut part).expect("jobs succeed");
                    compressor.work().expect("jobs succeed");
                    compressor.read(&mut output).expect("jobs succeed");
                }
            }
            finish(&mut compressor, &mut output);
            let len = output.written();
            bytes.truncate(len);
            bytes.split_off(behind_cut)
        };
        assert_eq!(compress_behind(b"one head"), compress_behind(&text(90_000)));
    }

    #[test]
    fn a_clone_goes_on_apart() {
        let data = text(400_000);
        let settings = Settings {
            form: Form::Raw,
            level: Level::new(1).expect("a level"),
            chunk_len: |_| 64 << 10,
            parallel_from: 0,
            check: Check::None,
        };
        let mut first = Compressor::new(settings, &[], Allocator::SYSTEM).expect("memory for a compressor");
        let mut input = &data[..];
        while !input.is_empty() {
            first.write(&mut input).expect("jobs succeed");
            if first.ring.is_full() {
                break;
            }
        }
        let mut second = first.try_clone().expect("memory for a compressor");
        let rest_of = |compressor: &mut Compressor| {
            let mut bytes = vec![0; 500_000];
            let mut output = Output::new(&mut bytes);
            finish(compressor, &mut output);
            let count = output.written();
            bytes.truncate(count);
            bytes
        };
        assert_eq!(rest_of(&mut second), rest_of(&mut first));
    }
}
