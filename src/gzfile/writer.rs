//! The writing side of a gzFile: turns the host's bytes into a gzip member, or BGZF (`encoder`).
//!
//! Small writes are buffered up to the size that `gzbuffer` set (8 KiB by default); large ones go to the stream, a
//! gzip or BGZF encoder, directly. The stream decides whether it compresses them at once or hands them to other threads. Its output is
//! buffered as well and written in pieces of at least 64 KiB, or when the host flushes. A file opened for plain writing
//! has no stream and no output buffer: its bytes are written in pieces of the `gzbuffer` size, larger writes directly.
//!
//! **Everything as late as possible.** Memory is allocated at the first write, flush or close; the member's header is written with the
//! first piece. After `Flush::Finish` the member is complete; another one begins only when there is data for it.
//!
//! **Stalls.** A non-blocking descriptor may have no room. The write that finds this returns how much of its data was
//! consumed, and a fault marked `again`; output that is not written yet stays buffered and is written before any later
//! output. Any other failed write also keeps the bytes it could not write, as zlib does.

#![forbid(unsafe_code)]

use super::buffer::Buffer;
use super::encoder::FileEncoder;
use super::fd::{Descriptor, Errno, Origin};
use super::mode::{Access, Framing, Mode};
use super::{DEFAULT_SIZE, Fault};
use crate::error::{Error, Status};
use crate::stream::{Flush, Level, Strategy};

/// The size that a write to the file should have at least: a system call costs as much as compressing a few hundred
/// bytes.
const PIECE_SIZE: usize = 64 * 1024;

/// The writing side of a gzFile.
pub(super) struct Writer {
    descriptor: Descriptor,
    /// How many bytes are buffered before they are compressed; one more than the longest formatted string.
    size: usize,
    /// Whether bytes are written as they are.
    plain: bool,
    /// The level as the program passed it: zlib compares these numbers, so -1 differs from 6.
    level: i32,
    /// `None` is a strategy that zlib does not know; it is rejected only when the stream is created.
    strategy: Option<Strategy>,
    /// The host's bytes, not yet passed to the stream. Twice `size`, so that a formatted string fits after them.
    collected: Buffer,
    /// The stream's output, not yet written.
    finished: Buffer,
    encoder: Option<FileEncoder>,
    /// The member is complete; the stream must be reset before it takes anything more.
    complete: bool,
    /// The position in the uncompressed data, in bytes: the host's bytes, and the zeros of completed seeks.
    position: i64,
    /// Zeros that a seek still has to write.
    skip: i64,
}

impl Writer {
    /// A writer to `descriptor`. It writes nothing before the first write, flush or close.
    pub(super) fn new(descriptor: Descriptor, mode: &Mode) -> Self {
        if mode.access == Access::Append {
            // With O_APPEND all writes go to the end, but a descriptor passed to `gzdopen` may lack it. This also makes
            // `gzoffset` correct before the first write.
            descriptor.seek(0, Origin::End);
        }
        Self {
            descriptor,
            size: DEFAULT_SIZE,
            plain: mode.framing == Framing::Plain,
            level: mode.level,
            strategy: Some(mode.strategy),
            collected: Buffer::default(),
            finished: Buffer::default(),
            encoder: None,
            complete: false,
            position: 0,
            skip: 0,
        }
    }

    /// Sets the buffer size; returns `false` if the buffer is in use.
    pub(super) fn set_size(&mut self, size: usize) -> bool {
        let untouched = self.collected.capacity() == 0;
        if untouched {
            self.size = size;
        }
        untouched
    }

    /// Whether bytes are written as they are.
    pub(super) fn is_plain(&self) -> bool {
        self.plain
    }

    /// The position in the uncompressed data.
    pub(super) fn position(&self) -> i64 {
        self.position
    }

    /// The same, with the zeros of a pending seek.
    pub(super) fn tell(&self) -> i64 {
        self.position + self.skip
    }

    /// The file offset of the next write; `None` if the file is not seekable.
    pub(super) fn offset(&self) -> Option<i64> {
        self.descriptor.seek(0, Origin::Current)
    }

    /// Moves forward to `target`; the next write fills the gap with zeros. Returns `false` if `target` is before the
    /// position; as in zlib, a pending seek is cancelled even then.
    pub(super) fn seek(&mut self, target: i64) -> bool {
        self.skip = target.saturating_sub(self.position).max(0);
        target >= self.position
    }

    /// Buffers or compresses `data`, removing the consumed bytes from its front.
    pub(super) fn write(&mut self, data: &mut &[u8]) -> Result<(), Fault> {
        self.prepare()?;
        self.finish_seek()?;
        if data.len() >= self.size {
            self.compress_collected(Flush::None)?;
            let before = data.len();
            let result = self.compress(data, Flush::None);
            self.position += (before - data.len()) as i64;
            return result;
        }
        loop {
            let count = data.len().min(self.size.saturating_sub(self.collected.len()));
            self.collected.append(&data[..count]);
            self.position += count as i64;
            *data = &data[count..];
            if data.is_empty() {
                return Ok(());
            }
            self.compress_collected(Flush::None)?;
        }
    }

    /// Buffers one byte, if there is room for it and no seek is pending: the fast path of `gzputc`.
    pub(super) fn collect(&mut self, byte: u8) -> bool {
        let collects = self.skip == 0 && self.collected.len() < self.size && self.collected.push(byte);
        self.position += i64::from(collects);
        collects
    }

    /// Lets `format` write a string of less than `size` bytes and a terminating zero into the buffer; it returns the string's
    /// length as `vsnprintf` does. Returns the number of bytes added: 0 if they do not fit.
    pub(super) fn format(&mut self, format: impl FnOnce(&mut [u8]) -> i32) -> Result<usize, Fault> {
        self.prepare()?;
        self.finish_seek()?;
        if self.collected.len() > self.size {
            match self.compress_collected(Flush::None) {
                Err(fault) if !fault.again => return Err(fault),
                Err(_) if self.collected.len() > self.size => return Err(Fault::STALLED_FORMAT),
                _ => {}
            }
        }
        let room = &mut self.collected.room()[..self.size];
        // A `vsnprintf` that truncates the string and returns the truncated length would leave a nonzero byte here.
        room[self.size - 1] = 0;
        let length = usize::try_from(format(room)).unwrap_or(usize::MAX);
        if length == 0 || length >= self.size || room[self.size - 1] != 0 {
            return Ok(0);
        }
        self.collected.extend(length);
        self.position += length as i64;
        if self.collected.len() >= self.size {
            match self.compress_collected(Flush::None) {
                Err(fault) if !fault.again => return Err(fault),
                // The string was accepted; the next call will find the stall.
                _ => {}
            }
        }
        Ok(length)
    }

    /// Compresses and writes all buffered data, as `flush` requires.
    pub(super) fn flush(&mut self, flush: Flush) -> Result<(), Fault> {
        self.finish_seek()?;
        self.prepare()?;
        self.compress_collected(flush)
    }

    /// Changes level and strategy for data written after this.
    pub(super) fn set_params(&mut self, level: i32, strategy: Option<Strategy>) -> Result<(), Fault> {
        if (level, strategy) == (self.level, self.strategy) {
            return Ok(());
        }
        self.finish_seek()?;
        if self.encoder.is_some() {
            if !self.collected.is_empty() {
                self.compress_collected(Flush::Block)?;
            }
            self.change_stream(level, strategy)?;
        }
        self.level = level;
        self.strategy = strategy;
        Ok(())
    }

    /// Completes the member and closes the file.
    pub(super) fn close(&mut self) -> Result<(), Error> {
        let finished = self.flush(Flush::Finish);
        self.descriptor.close().map_err(|_| Error::Io)?;
        finished.map_err(|fault| fault.error)
    }

    /// Closes the file, leaving the member as it is.
    pub(super) fn abandon(&mut self) -> Result<(), Errno> {
        self.descriptor.close()
    }

    /// Allocates the buffers and the stream, unless that was done before.
    fn prepare(&mut self) -> Result<(), Fault> {
        if self.collected.capacity() != 0 {
            return Ok(());
        }
        if !self.plain {
            self.finished.grow(self.size.max(PIECE_SIZE)).map_err(|_| Fault::MEMORY)?;
            // As in zlib, an unknown level or strategy is reported as a failed allocation.
            let level = Level::of_zlib(self.level).map_err(|_| Fault::MEMORY)?;
            let strategy = self.strategy.ok_or(Fault::MEMORY)?;
            self.encoder = Some(FileEncoder::new(level, strategy).map_err(|_| Fault::MEMORY)?);
        }
        self.collected.grow(2 * self.size).map_err(|_| Fault::MEMORY)
    }

    /// Writes the zeros that a seek asked for. As in zlib, a failure other than a stall cancels the rest of the seek.
    pub(super) fn finish_seek(&mut self) -> Result<(), Fault> {
        if self.skip == 0 {
            return Ok(());
        }
        let result = self.write_zeros();
        if result.is_err_and(|fault| !fault.again) {
            self.skip = 0;
        }
        result
    }

    fn write_zeros(&mut self) -> Result<(), Fault> {
        self.prepare()?;
        self.compress_collected(Flush::None)?;
        while self.skip > 0 {
            let count = usize::try_from(self.skip).map_or(self.size, |skip| skip.min(self.size));
            self.collected.clear();
            self.collected.room()[..count].fill(0);
            self.collected.extend(count);
            let result = self.compress_collected(Flush::None);
            // Zeros not consumed because of a stall are dropped here and written again later.
            let consumed = (count - self.collected.len()) as i64;
            self.collected.clear();
            self.position += consumed;
            self.skip -= consumed;
            result?;
        }
        Ok(())
    }

    /// Compresses the buffered bytes; after a stall the rest stays buffered.
    fn compress_collected(&mut self, flush: Flush) -> Result<(), Fault> {
        let collected = core::mem::take(&mut self.collected);
        let mut rest = collected.bytes();
        let result = self.compress(&mut rest, flush);
        let consumed = collected.len() - rest.len();
        self.collected = collected;
        self.collected.consume(consumed);
        self.collected.compact();
        result
    }

    /// Compresses `input`, removing the consumed bytes from its front. Writes the output when its buffer is full or
    /// `flush` requires it.
    fn compress(&mut self, input: &mut &[u8], flush: Flush) -> Result<(), Fault> {
        let Some(encoder) = &mut self.encoder else {
            return self.descriptor.write_all(input).map_err(Fault::io);
        };
        if self.complete {
            if input.is_empty() {
                return Ok(());
            }
            encoder.reset().map_err(|_| Fault::DEFLATE_STATE)?;
            self.complete = false;
        }
        loop {
            if self.finished.is_full() {
                write_finished(&self.descriptor, &mut self.finished)?;
            }
            let mut lent = self.finished.lend();
            let mut output = lent.output(0);
            let before = input.len();
            let result = encoder.deflate(input, &mut output, flush);
            let (added, full) = (output.written(), output.is_full());
            self.finished.take_back(lent, added);
            match result {
                Ok(Status::StreamEnd) => break,
                Ok(_) | Err(Error::Buffer) if full => {}
                // The stream has nothing more to do for this flush.
                Ok(_) | Err(Error::Buffer) if input.is_empty() && flush != Flush::Finish => break,
                Ok(_) if added > 0 || input.len() < before => {}
                Err(Error::Memory) => return Err(Fault::MEMORY),
                _ => return Err(Fault::DEFLATE_STATE),
            }
        }
        if flush != Flush::None {
            write_finished(&self.descriptor, &mut self.finished)?;
        }
        self.complete = flush == Flush::Finish;
        Ok(())
    }

    /// Passes new parameters to the stream. As in zlib, unknown values change nothing.
    fn change_stream(&mut self, level: i32, strategy: Option<Strategy>) -> Result<(), Fault> {
        let (Some(encoder), Some(strategy)) = (&mut self.encoder, strategy) else { return Ok(()) };
        if self.complete {
            // A stream that has ended accepts no parameters. It stays `complete`, so that no empty member begins.
            encoder.reset().map_err(|_| Fault::DEFLATE_STATE)?;
        }
        loop {
            if self.finished.is_full() {
                write_finished(&self.descriptor, &mut self.finished)?;
            }
            let mut lent = self.finished.lend();
            let mut output = lent.output(0);
            let result = Level::of_zlib(level).and_then(|level| encoder.params(level, strategy, &mut output));
            let (added, full) = (output.written(), output.is_full());
            self.finished.take_back(lent, added);
            if result != Err(Error::Buffer) || !full {
                return Ok(());
            }
        }
    }
}

/// Writes the stream's output; bytes that could not be written stay buffered.
fn write_finished(descriptor: &Descriptor, finished: &mut Buffer) -> Result<(), Fault> {
    let mut rest = finished.bytes();
    let before = rest.len();
    let result = descriptor.write_all(&mut rest).map_err(Fault::io);
    let written = before - rest.len();
    finished.consume(written);
    finished.compact();
    result
}
