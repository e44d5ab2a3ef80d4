//! The reader's source: the file, and the bytes read from it that are not used yet.
//!
//! **How much is read at once.** zlib's input buffer has 8 KiB unless `gzbuffer` sets another size,
//! and so has ours at first. After 64 KiB it grows to 128 KiB if the last load filled it, the
//! file is a regular one, `gzbuffer` was not called and the process's memory budget allows it: only
//! `gzoffset` can show the difference. Pipes, sockets and
//! terminals are always read as zlib reads them, because a larger read would take bytes from them
//! that zlib would have left, or wait for bytes that zlib would not have waited for.

#![forbid(unsafe_code)]

use super::super::buffer::Buffer;
use super::super::fd::{Descriptor, Errno, Filled, Origin, Version};
use super::super::{DEFAULT_SIZE, Fault};
use super::LARGE_SIZE;
use crate::budget::Share;
use crate::raw::{Output, SharedFile};
use crate::readahead;

/// The file, and the bytes read from it.
pub(super) struct Source {
    descriptor: Descriptor,
    /// The descriptor's position when it was opened, for rewinding.
    start: i64,
    /// The buffer size that `gzbuffer` set.
    size: Option<usize>,
    /// Whether this is a regular file; known from just before its first byte is read.
    is_regular: bool,
    /// Whether the last load filled the buffer: a larger one would probably be filled too.
    was_filled: bool,
    /// The number of bytes read from the file.
    loaded_bytes: usize,
    input: Buffer,
    /// The part of the process's memory budget that is reserved for buffers larger than zlib's.
    share: Share,
    /// The last read found the end of the file, or the rest is ignored.
    is_at_eof: bool,
    /// The decoder moved the position (`go_to`), and needs input from there even if its output is full.
    was_moved: bool,
    /// The error of a read that failed after some bytes, unless it would have blocked; the next read reports it.
    deferred: Option<Errno>,
}

impl Source {
    pub(super) fn new(descriptor: Descriptor) -> Self {
        let start = descriptor.seek(0, Origin::Current).unwrap_or(0);
        Self {
            descriptor,
            start,
            size: None,
            is_regular: false,
            was_filled: false,
            loaded_bytes: 0,
            input: Buffer::default(),
            share: Share::none(),
            is_at_eof: false,
            was_moved: false,
            deferred: None,
        }
    }

    /// Sets the size of the buffers, unless they are in use already.
    pub(super) fn set_size(&mut self, size: usize) -> bool {
        let is_unused = self.input.capacity() == 0;
        if is_unused {
            self.size = Some(size);
        }
        is_unused
    }

    /// The initial size of the input buffer, half that of the output buffer.
    pub(super) fn size(&self) -> usize {
        self.size.unwrap_or(DEFAULT_SIZE)
    }

    /// Allocates the input buffer.
    pub(super) fn allocate(&mut self) -> Result<(), Fault> {
        self.input.grow(self.size()).map_err(|_| Fault::MEMORY)
    }

    /// Determines whether this is a regular file, before its first byte is read; returns its version if it is.
    pub(super) fn examine(&mut self) -> Option<Version> {
        let version = self.version();
        self.is_regular = version.is_some();
        version
    }

    /// Identifies the file's current contents.
    pub(super) fn version(&self) -> Option<Version> {
        self.descriptor.version()
    }

    /// Whether the buffers may be larger than zlib's.
    pub(super) fn may_grow(&self) -> bool {
        self.size.is_none() && self.is_regular
    }

    /// Reserves memory of the process's budget for larger buffers. Returns false if they may not grow or the budget is used up.
    pub(super) fn takes_share(&mut self) -> bool {
        self.may_grow() && (self.share.bytes() > 0 || self.share.resize(2 * LARGE_SIZE))
    }

    /// The bytes that were read and not used yet.
    pub(super) fn input(&self) -> &[u8] {
        self.input.bytes()
    }

    /// Drops the bytes that were read and not used yet.
    pub(super) fn clear(&mut self) {
        self.input.clear();
    }

    /// Whether the file ended and all bytes were used.
    pub(super) fn is_exhausted(&self) -> bool {
        self.is_at_eof && self.input.is_empty()
    }

    /// Whether the decoder needs more input, and there may be some: more output is wanted, or it moved the position.
    pub(super) fn needs_load(&self, has_room: bool) -> bool {
        self.input.is_empty() && !self.is_at_eof && (has_room || self.was_moved)
    }

    /// Treats the rest of the file as read and ignored.
    pub(super) fn ignore_rest(&mut self) {
        self.input.clear();
        self.is_at_eof = true;
    }

    /// Whether the file ended, as far as is known.
    pub(super) fn is_at_eof(&self) -> bool {
        self.is_at_eof
    }

    /// Whether no read error is waiting to be reported.
    pub(super) fn is_clean(&self) -> bool {
        self.deferred.is_none()
    }

    /// Clears the end-of-file state, in case the file grew.
    pub(super) fn retry_end(&mut self) {
        self.is_at_eof = false;
    }

    /// Clears the end-of-file state and the error of a failed read.
    pub(super) fn forget_end(&mut self) {
        self.is_at_eof = false;
        self.deferred = None;
    }

    /// The file offset of the first byte that is not used yet; `None` if the file is not seekable.
    pub(super) fn position(&self) -> Option<i64> {
        Some(self.descriptor.seek(0, Origin::Current)? - self.input.len() as i64)
    }

    /// Moves the descriptor's position, and drops the bytes read from it.
    pub(super) fn seek(&mut self, offset: i64, origin: Origin) -> Option<()> {
        self.descriptor.seek(offset, origin)?;
        self.input.clear();
        self.is_at_eof = false;
        Some(())
    }

    /// The position when the file was opened.
    pub(super) fn start(&self) -> i64 {
        self.start
    }

    /// Reads more, after the bytes that are not used yet.
    pub(super) fn load(&mut self) -> Result<(), Fault> {
        self.was_moved = false;
        self.input.compact();
        // A program that reads only the start of a file should not cause a large read.
        let is_large = self.loaded_bytes >= LARGE_SIZE / 2;
        if self.input.capacity() < LARGE_SIZE && is_large && self.was_filled && self.takes_share() {
            self.input.grow(LARGE_SIZE).ok();
        }
        let mut lent = self.input.lend();
        let mut output = lent.output(0);
        let result = self.fill(&mut output);
        let added = output.written();
        self.was_filled = output.is_full();
        self.loaded_bytes = self.loaded_bytes.saturating_add(added);
        self.input.take_back(lent, added);
        result
    }

    /// Reads from the file until `output` is full, the file ends or a read fails. A failure after
    /// some bytes is reported by the next call, unless it would have blocked.
    pub(super) fn fill(&mut self, output: &mut Output<'_>) -> Result<(), Fault> {
        if let Some(errno) = self.deferred.take() {
            return Err(Fault::io(errno));
        }
        let before = output.written();
        match self.descriptor.fill(output) {
            Filled::Full => {}
            Filled::EndOfFile => self.is_at_eof = true,
            Filled::Failed(errno) if output.written() == before => return Err(Fault::io(errno)),
            Filled::Failed(errno) => self.deferred = (!errno.would_block()).then_some(errno),
        }
        Ok(())
    }

    pub(super) fn close(&mut self) -> Result<(), Errno> {
        self.descriptor.close()
    }
}

impl readahead::Source for Source {
    fn input(&self) -> &[u8] {
        self.input.bytes()
    }

    fn consume(&mut self, count: usize) {
        self.input.consume(count);
    }

    fn offset(&self) -> Option<u64> {
        u64::try_from(self.position()?).ok()
    }

    fn go_to(&mut self, offset: u64) -> Option<()> {
        self.was_moved = true;
        self.seek(i64::try_from(offset).ok()?, Origin::Start)
    }

    fn readable_size(&self) -> Option<u64> {
        self.descriptor.readable_size()
    }

    fn share(&self) -> Option<SharedFile> {
        self.descriptor.share()
    }

    fn copy(&self, _: u64, _: &mut Output<'_>) {}
}
