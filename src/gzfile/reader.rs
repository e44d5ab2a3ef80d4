//! The reading side of a gzFile: turns the file's bytes into decoded bytes.
//!
//! A reader has three parts. The *source* is the file and the bytes read from it. The *decoder*
//! determines what these bytes are and decodes them. The *cursor* buffers decoded bytes, which the
//! host may also take from the front through the `gzgetc` macro. A request at least as large as the
//! cursor's buffer is decoded straight into the host's memory.
//!
//! **Faults are reported in order.** Damage, a file that ends inside a member, or a failing read
//! may be found while valid bytes are still buffered. The cursor suspends the fault and reports it
//! after the last valid byte before it: the request that takes this byte returns it, and the next
//! one fails. A non-blocking descriptor without data is reported as a fault too, marked `again`,
//! but leaves the reader as it was: the same request may be repeated.
//!
//! **How much is decoded at once.** zlib's output buffer has 16 KiB unless `gzbuffer` sets another
//! size, and so has ours at first. For a regular file it grows to 128 KiB after as many bytes: fewer
//! interruptions of the decoder save about a tenth of the time. A program that reads only the start
//! of a large file does not wait for more than zlib decodes.

#![forbid(unsafe_code)]

mod cursor;
mod decoder;
mod leap;
mod source;

use super::Fault;
use super::fd::{Descriptor, Errno, Origin};
use super::mode::Framing;
use crate::raw::{Output, find_byte};
use crate::stream::inflate::{ReadCounters, Tuning};
use cursor::Cursor;
use decoder::{Kind, MemberDecoder, MemberState};
use source::Source;

use super::DEFAULT_SIZE;

/// The size to which both buffers of a regular file grow.
const LARGE_SIZE: usize = 128 * 1024;

/// Bytes of a large output buffer that are left free for `gzungetc`: the most that zlib could
/// accept.
const PUSH_ROOM: usize = 2 * DEFAULT_SIZE;

/// How a seek was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moved {
    /// By decoding forward; an error persists.
    ByDecoding,
    /// By moving the file's position, which clears errors.
    ByFilePosition,
}

/// The reading side of a gzFile.
pub(super) struct Reader {
    source: Source,
    decoder: MemberDecoder,
    cursor: Cursor,
}

impl Reader {
    /// Reads from the position of `descriptor`; does nothing before the first request.
    pub(super) fn new(descriptor: Descriptor, framing: Framing) -> Self {
        let (source, decoder) = (Source::new(descriptor), MemberDecoder::new(framing));
        Self { source, decoder, cursor: Cursor::default() }
    }

    /// Sets the size of the buffers, unless they are in use already.
    pub(super) fn set_size(&mut self, size: usize) -> bool {
        self.source.set_size(size)
    }

    /// Sets how the file is read ahead, and drops the bytes read ahead.
    pub(super) fn tune(&mut self, tuning: Tuning) {
        self.decoder.tune(tuning);
    }

    /// What happened while the file was read ahead.
    pub(super) fn counters(&self) -> ReadCounters {
        self.decoder.counters()
    }

    /// The buffered decoded bytes, which the host may take through the `gzgetc` macro.
    pub(super) fn waiting(&self) -> &[u8] {
        self.cursor.output.bytes()
    }

    /// Whether a fault is to be reported with the last of the buffered bytes.
    pub(super) fn has_fault_ahead(&self) -> bool {
        !self.cursor.is_clean()
    }

    /// Counts `count` of the buffered bytes as taken by the host.
    pub(super) fn take(&mut self, count: usize) {
        self.cursor.take(count);
    }

    /// Drops the buffered decoded bytes, as zlib does when an error is reported.
    pub(super) fn discard(&mut self) {
        self.cursor.output.clear();
    }

    /// The offset of the next byte to deliver.
    pub(super) fn position(&self) -> i64 {
        self.cursor.position()
    }

    /// The offset of the next byte to deliver, a pending seek included.
    pub(super) fn tell(&self) -> i64 {
        self.cursor.tell()
    }

    /// The decoder's offset in the file; `None` if the file is not seekable.
    pub(super) fn offset(&self) -> Option<i64> {
        self.decoder.offset(&self.source)
    }

    /// The file offset of the bytes that were ignored after the last member.
    pub(super) fn ignored_from(&self) -> Option<i64> {
        self.decoder.ignored_from()
    }

    /// Whether a request went past the end.
    pub(super) fn is_past_end(&self) -> bool {
        self.cursor.is_past_end()
    }

    /// Whether the file is passed through unchanged, or would be if it stayed empty.
    pub(super) fn is_direct(&self) -> bool {
        self.decoder.is_direct()
    }

    /// Clears the end-of-file state, in case the file grew, and faults that the next request will
    /// find again.
    pub(super) fn forget_end(&mut self) {
        self.source.forget_end();
        self.decoder.forget_end();
        self.cursor.forget_end();
    }

    /// Decodes until `output` is full or the file ends. After a fault, `output` has the bytes
    /// before it.
    pub(super) fn read(&mut self, output: &mut Output<'_>) -> Result<(), Fault> {
        let result = self.read_on(output);
        if self.is_at_end() && !output.is_full() {
            self.cursor.note_past_end();
        }
        result
    }

    fn read_on(&mut self, output: &mut Output<'_>) -> Result<(), Fault> {
        loop {
            self.cursor.take_into(output);
            self.cursor.surface()?;
            if output.is_full() || self.is_at_end() {
                return Ok(());
            }
            // A request as large as the buffer bypasses it; a smaller one fills it, which also
            // leaves room for `unread`.
            let is_looking = self.decoder.state == MemberState::Looking;
            if is_looking || output.room() < self.cursor.output.capacity() {
                self.fetch()?;
            } else {
                let before = output.written();
                let result = self.decoder.read(&mut self.source, output);
                self.cursor.pass(output.written() - before);
                result?;
            }
        }
    }

    /// Decodes up to and including the next newline, or until `output` is full or the file ends.
    pub(super) fn read_line(&mut self, output: &mut Output<'_>) -> Result<(), Fault> {
        // As in zlib, only here a plain file that has grown is read on without `gzclearerr()`.
        if self.decoder.state == MemberState::Copying && self.cursor.output.is_empty() {
            self.source.retry_end();
        }
        while !output.is_full() {
            if self.cursor.output.is_empty() {
                let result = self.cursor.surface().and_then(|()| self.fetch());
                if self.is_at_end() {
                    self.cursor.note_past_end();
                    return result;
                }
                result?;
                continue;
            }
            let waiting = self.cursor.output.bytes();
            let candidate = &waiting[..waiting.len().min(output.room())];
            let newline = find_byte(b'\n', candidate);
            let count = newline.map_or(candidate.len(), |at| at + 1);
            output.put(&candidate[..count]);
            self.cursor.take(count);
            if newline.is_some() {
                break;
            }
        }
        self.cursor.surface()
    }

    /// Pushes a byte back before all others; false when there is no room for it.
    pub(super) fn unread(&mut self, byte: u8) -> bool {
        self.cursor.unread(byte)
    }

    /// Determines what the file is, as far as that is possible without delivering anything.
    pub(super) fn sniff(&mut self) -> Result<(), Fault> {
        if self.decoder.state == MemberState::Looking && self.cursor.output.is_empty() {
            self.look()?;
            // A plain file's first bytes are buffered now; a seek made before skips them.
            self.cursor.skip_waiting();
        }
        Ok(())
    }

    /// Completes a pending seek, or goes to the end of the file if that comes first.
    pub(super) fn finish_seek(&mut self) -> Result<(), Fault> {
        self.leap()?;
        while self.cursor.skip() > 0 {
            if !self.cursor.output.is_empty() {
                self.cursor.skip_waiting();
                continue;
            }
            let result = self.cursor.surface().and_then(|()| self.fetch());
            if self.is_at_end() {
                self.cursor.set_skip(0);
            }
            result?;
        }
        Ok(())
    }

    /// Moves to the offset `target`; the next request decodes up to there. `None` if the file cannot
    /// move there; a pending seek is dropped even then.
    pub(super) fn seek(&mut self, target: i64) -> Option<Moved> {
        self.cursor.set_skip(0);
        let position = self.cursor.position();
        // After bytes were pushed back at the start, the position is negative: a seek may stay there
        // or move forward.
        if target < 0 && target < position {
            return None;
        }
        if self.decoder.state == MemberState::Copying && target >= 0 {
            return self.seek_plain(target);
        }
        let moved = if target < position { self.rewind()? } else { Moved::ByDecoding };
        // From a negative position the distance may overflow.
        self.cursor.set_skip(target.checked_sub(self.cursor.position())?);
        Some(moved)
    }

    /// In a file that is passed through unchanged, only the file's own position has to move.
    fn seek_plain(&mut self, target: i64) -> Option<Moved> {
        let waiting = self.cursor.output.len() as i64;
        let distance = target.checked_sub(self.cursor.position())?.checked_sub(waiting)?;
        self.source.seek(distance, Origin::Current)?;
        self.restart(target);
        Some(Moved::ByFilePosition)
    }

    /// Returns to the start; `None` if the file is not seekable.
    pub(super) fn rewind(&mut self) -> Option<Moved> {
        self.source.seek(self.source.start(), Origin::Start)?;
        self.decoder.rewind();
        self.restart(0);
        Some(Moved::ByFilePosition)
    }

    /// Drops the state of the old position; source and decoder have moved.
    fn restart(&mut self, position: i64) {
        self.forget_end();
        self.cursor.go_to(position);
    }

    /// Closes the file.
    pub(super) fn close(&mut self) -> Result<(), Errno> {
        // Waits for other threads that are reading the file.
        self.decoder.inflater = None;
        self.source.close()
    }

    /// Whether no request can get more bytes or a fault.
    fn is_at_end(&self) -> bool {
        self.source.is_exhausted() && self.decoder.is_drained() && self.cursor.is_drained()
    }

    /// Puts decoded bytes into the empty output buffer, unless the file is at its end.
    fn fetch(&mut self) -> Result<(), Fault> {
        while self.cursor.output.is_empty() && !self.is_at_end() {
            if self.decoder.state == MemberState::Looking {
                self.look()?;
            } else {
                self.produce()?;
            }
        }
        Ok(())
    }

    /// Decides what the next bytes are.
    fn look(&mut self) -> Result<(), Fault> {
        if self.decoder.decoded == 0 && self.decoder.kind != Kind::Gzip {
            let version = self.source.examine();
            self.decoder.checkpoints.begin(version);
        }
        self.source.allocate()?;
        self.cursor.output.grow(2 * self.source.size()).map_err(|_| Fault::MEMORY)?;
        self.decoder.look(&mut self.source, &mut self.cursor.output)
    }

    /// Fills the empty output buffer as far as the file allows. A fault after valid bytes is
    /// suspended.
    fn produce(&mut self) -> Result<(), Fault> {
        let is_long = self.cursor.position() >= LARGE_SIZE as i64;
        let buffer = &mut self.cursor.output;
        let may_grow = self.source.may_grow();
        if is_long && buffer.is_full() && self.source.takes_share() {
            // A failed allocation is not a fault here: the buffer keeps its size.
            buffer.grow(LARGE_SIZE).ok();
        }
        buffer.clear();
        // Small buffers are filled as in zlib, so that as many bytes can be pushed back.
        let spare = if buffer.capacity() >= LARGE_SIZE && may_grow { PUSH_ROOM } else { 0 };
        let mut lent = buffer.lend();
        let mut output = lent.output(spare);
        let result = self.decoder.read(&mut self.source, &mut output);
        let added = output.written();
        buffer.take_back(lent, added);
        match result {
            Err(fault) if added > 0 => {
                // The next request will find a stall again.
                if !fault.again {
                    self.cursor.suspend(fault);
                }
                Ok(())
            }
            result => result,
        }
    }
}
