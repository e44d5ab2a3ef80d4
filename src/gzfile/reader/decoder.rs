//! The reader's decoder: determines what the next bytes of the file are, and decodes them.
//!
//! It is in one of three states. *Looking*, it decides by the next two bytes whether a member begins.
//! *Decoding*, it is inside a member. *Copying*, the file did not begin with a member and is passed
//! on unchanged. It looks again after each member; bytes after the last member that do not begin
//! another is ignored.

#![forbid(unsafe_code)]

use super::super::Fault;
use super::super::buffer::Buffer;
use super::super::checkpoints::Checkpoints;
use super::super::mode::Framing;
use super::PUSH_ROOM;
use super::source::Source;
use crate::error::{Error, Status};
use crate::raw::Output;
use crate::stream::inflate::{InflateStream, ReadCounters, Tuning};

/// Window bits of 32 KiB, with a gzip wrapper.
const GZIP_WINDOW_BITS: i32 = 15 + 16;

/// What the next bytes of the file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MemberState {
    /// Perhaps the beginning of a member.
    Looking,
    /// Bytes to pass on.
    Copying,
    /// The inside of a member.
    Decoding,
}

/// What is known about the file as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing yet; the first bytes decide.
    Unknown,
    /// Nothing yet, but the host requires gzip (mode `G`).
    GzipRequired,
    /// At least one member began.
    Gzip,
    /// No gzip file.
    Plain,
}

/// Decodes the file's bytes for the reader.
pub(super) struct MemberDecoder {
    framing: Framing,
    pub(super) kind: Kind,
    pub(super) state: MemberState,
    tuning: Tuning,
    pub(super) inflater: Option<InflateStream>,
    /// The number of bytes decoded since the file's start.
    pub(super) decoded: u64,
    pub(super) checkpoints: Checkpoints,
    /// The file ended inside a member, and all that could be decoded was.
    is_truncated: bool,
    /// The offset of bytes after the last member that begin no other.
    ignored_from: Option<i64>,
}

impl MemberDecoder {
    pub(super) fn new(framing: Framing) -> Self {
        Self {
            framing,
            kind: Kind::at_start(framing),
            state: MemberState::Looking,
            tuning: Tuning::default(),
            inflater: None,
            decoded: 0,
            checkpoints: Checkpoints::new(),
            is_truncated: false,
            ignored_from: None,
        }
    }

    /// Sets how other threads decode ahead.
    pub(super) fn tune(&mut self, tuning: Tuning) {
        self.tuning = tuning;
        if let Some(inflater) = &mut self.inflater {
            inflater.tune(tuning);
        }
    }

    /// Counters of the work that other threads did.
    pub(super) fn counters(&self) -> ReadCounters {
        self.inflater.as_ref().map(InflateStream::counters).unwrap_or_default()
    }

    /// Returns to the file's start.
    pub(super) fn rewind(&mut self) {
        self.go_to(Kind::at_start(self.framing), MemberState::Looking, 0);
    }

    /// The source has moved to a position with this state.
    pub(super) fn go_to(&mut self, kind: Kind, state: MemberState, decoded: u64) {
        if let Some(inflater) = &mut self.inflater {
            inflater.forget_ahead();
        }
        (self.kind, self.state, self.decoded) = (kind, state, decoded);
        self.forget_end();
    }

    /// Clears the end-of-file state.
    pub(super) fn forget_end(&mut self) {
        self.is_truncated = false;
        self.ignored_from = None;
    }

    /// Whether the source's bytes so far yield no more output.
    pub(super) fn is_drained(&self) -> bool {
        self.state != MemberState::Decoding || self.is_truncated
    }

    /// Whether the file is passed through unchanged, or would be if it stayed empty.
    pub(super) fn is_direct(&self) -> bool {
        matches!(self.kind, Kind::Unknown | Kind::Plain)
    }

    /// The file offset of the decoder; `None` if the file is not seekable.
    pub(super) fn offset(&self, source: &Source) -> Option<i64> {
        match self.inflater.as_ref().and_then(InflateStream::offset) {
            Some(offset) => i64::try_from(offset).ok(),
            None => source.position(),
        }
    }

    /// The offset of the bytes that were ignored after the last member.
    pub(super) fn ignored_from(&self) -> Option<i64> {
        self.ignored_from
    }

    /// Decides what the next bytes are: a member, bytes to pass on, or something to ignore. The first
    /// bytes of a plain file go to `plain`, which is empty.
    pub(super) fn look(&mut self, source: &mut Source, plain: &mut Buffer) -> Result<(), Fault> {
        if self.kind == Kind::GzipRequired {
            return self.begin_member();
        }
        // A file of one byte is not a gzip file: writers are assumed to write the header in one piece.
        while source.input().len() < 2 && !source.is_at_eof() {
            source.load()?;
        }
        if source.input().starts_with(&[0x1f, 0x8b]) {
            return self.begin_member();
        }
        let input = source.input();
        if self.kind == Kind::Gzip {
            self.ignored_from = if input.is_empty() { None } else { self.offset(source) };
            source.ignore_rest();
        } else if !input.is_empty() {
            // A large input buffer, grown before a rewind, would fill the buffer to the last byte.
            let spare = if input.len() > source.size() { PUSH_ROOM } else { 0 };
            plain.clear();
            plain.grow(input.len() + spare).map_err(|_| Fault::MEMORY)?;
            plain.append(input);
            source.clear();
            self.kind = Kind::Plain;
            self.state = MemberState::Copying;
        }
        Ok(())
    }

    /// Prepares for a member that begins with the next byte.
    fn begin_member(&mut self) -> Result<(), Fault> {
        match &mut self.inflater {
            Some(inflater) => inflater.begin_next(),
            None => {
                let inflater = InflateStream::of_file(GZIP_WINDOW_BITS, self.tuning);
                self.inflater = Some(inflater.map_err(|_| Fault::MEMORY)?);
            }
        }
        self.kind = Kind::Gzip;
        self.state = MemberState::Decoding;
        Ok(())
    }

    /// Decodes or copies until `output` is full, the member ends or the file does.
    pub(super) fn read(&mut self, source: &mut Source, output: &mut Output<'_>) -> Result<(), Fault> {
        if self.state == MemberState::Copying {
            return source.fill(output);
        }
        loop {
            let Some(inflater) = &mut self.inflater else { return Err(Fault::INFLATE_STATE) };
            let (offered, before) = (source.input().len(), output.written());
            // Data that other threads decoded is delivered in one piece.
            let is_delivering = inflater.offset().is_some();
            let room = if is_delivering { usize::MAX } else { self.checkpoints.room(self.decoded) };
            let result = output.limited(room, |output| inflater.read(source, output));
            self.decoded += (output.written() - before) as u64;
            match result {
                Ok(Status::StreamEnd) => {
                    self.state = MemberState::Looking;
                    self.keep_checkpoint(source);
                    return Ok(());
                }
                Ok(Status::Ok) | Err(Error::Buffer) => self.keep_checkpoint(source),
                Err(Error::Data) => return Err(Fault::data(inflater.message())),
                Err(Error::Memory) => return Err(Fault::MEMORY),
                Ok(Status::NeedDictionary) | Err(Error::Stream | Error::Io) => {
                    return Err(Fault::INFLATE_STATE);
                }
            }
            // Without room the decoder may hold output back, so only a call that neither consumed
            // nor produced anything shows that it needs more input than the file has.
            let is_stuck = source.input().len() == offered && output.written() == before;
            if source.needs_load(!output.is_full()) {
                source.load()?;
            } else if output.is_full() {
                return Ok(());
            } else if is_stuck && source.is_exhausted() {
                self.is_truncated = true;
                return Err(Fault::TRUNCATED);
            } else if is_stuck {
                return Err(Fault::INFLATE_STATE);
            }
        }
    }

    /// Keeps a checkpoint here, if one is due and possible.
    fn keep_checkpoint(&mut self, source: &Source) {
        if !self.checkpoints.is_due(self.decoded) {
            return;
        }
        let Some(inflater) = &mut self.inflater else { return };
        if inflater.offset().is_some() {
            // The end of the data being delivered is a better place, and near.
            return;
        }
        let bookmark = if self.state == MemberState::Decoding { inflater.bookmark() } else { None };
        if self.state == MemberState::Decoding && bookmark.is_none() {
            return self.checkpoints.postpone(self.decoded);
        }
        if !self.checkpoints.is_unchanged(source.version()) {
            // A file that is not seekable, or was written to while it was read.
            return self.checkpoints.forget();
        }
        let Some(offset) = source.position() else { return self.checkpoints.forget() };
        if self.checkpoints.keep(self.decoded, offset, bookmark) {
            inflater.count_checkpoint();
        }
    }
}

impl Kind {
    /// The kind before anything was read.
    fn at_start(framing: Framing) -> Self {
        if framing == Framing::Gzip { Self::GzipRequired } else { Self::Unknown }
    }
}
