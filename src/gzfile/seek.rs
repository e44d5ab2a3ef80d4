//! Positions: seeking, rewinding and telling, both ways.
//!
//! A gzip file has no random access of its own. Forward means decoding and dropping when reading, and writing zeros when
//! writing; either waits for the next request, so that several seeks in a row cost no more than the last. Backward means
//! starting over when reading and is refused when writing. Where the file is handed through as it is, the file's own position
//! is moved.
//!
//! Offsets are 64 bits wide throughout; the narrower C functions check that the result fits.

#![forbid(unsafe_code)]

use super::reader::Moved;
use super::{Failure, GzFile, Side};

/// What an offset counts from. The end of a gzip file is not known before it is read, so there is no third.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whence {
    /// The first byte.
    Start,
    /// The current position, a pending seek included.
    Current,
}

impl GzFile {
    /// Moves to an offset and tells it; `None` where that cannot be.
    pub fn seek(&mut self, offset: i64, whence: Whence) -> Option<i64> {
        if self.failure.as_ref().is_some_and(Failure::is_serious) {
            return None;
        }
        let target = match whence {
            Whence::Start => Some(offset),
            Whence::Current => self.tell().checked_add(offset),
        };
        let moved = match &mut self.side {
            Side::Read(reader) => reader.seek(target?)?,
            Side::Write(writer) => writer.seek(target?).then_some(Moved::On)?,
        };
        if moved == Moved::Anew {
            self.failure = None;
        }
        Some(self.tell())
    }

    /// Starts over; `false` when writing, when a serious error stands, or where the file has no positions.
    pub fn rewind(&mut self) -> bool {
        let Some(reader) = self.reader() else { return false };
        let rewound = reader.rewind().is_some();
        if rewound {
            self.failure = None;
        }
        rewound
    }

    /// Offset of the next byte that waits or is written; a pending seek is not included.
    pub fn position(&self) -> i64 {
        match &self.side {
            Side::Read(reader) => reader.position(),
            Side::Write(writer) => writer.position(),
        }
    }

    /// Offset of the next byte to read or write, as the host sees it.
    pub fn tell(&self) -> i64 {
        match &self.side {
            Side::Read(reader) => reader.tell(),
            Side::Write(writer) => writer.tell(),
        }
    }

    /// Where in the compressed file the next read or write happens; `None` where the file has no positions.
    pub fn offset(&self) -> Option<i64> {
        match &self.side {
            Side::Read(reader) => reader.offset(),
            Side::Write(writer) => writer.offset(),
        }
    }
}
