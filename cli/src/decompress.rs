//! Decompression of one file or pipe with the library's decoder: one member after the other, until other data follows.
//!
//! Files are read by the library's gzFile reader, which may use more threads; pipes and zlib streams are decoded by a stream on
//! this thread.
//!
//! A file begins with a gzip member, a zlib stream or an entry of a zip file (`zip.rs`). After a gzip member there may be
//! further members, zeros, which are ignored, or other data, which is ignored with a warning. The caller may ask for a copy of
//! both, as `zcat -f` does. As in gzip, a single byte is an error, since a member may have been cut off after it, and so is
//! another format that gzip reads. The decoder checks each member's CRC and length. All good bytes before an error are written; the
//! caller decides whether to keep them.

#![forbid(unsafe_code)]

mod zip;

use crate::header::{self, Kind, Stored};
use crate::progress::Progress;
use crate::transfer::{Failure, Lent, Sink, Totals, Trailing, read_some};
use rigz::error::{Error, Status};
use rigz::gzfile::GzFile;
use rigz::raw::Allocator;
use rigz::stream::Flush;
use rigz::stream::inflate::InflateStream;
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::os::fd::IntoRawFd;

/// Bytes per read. The first read must contain the whole header if its name is to be restored.
const READ: usize = 256 << 10;

/// Compressed input whose first bytes have been read.
#[derive(Debug)]
pub(crate) struct Decoder<'a> {
    input: &'a File,
    buffer: Lent,
    start: usize,
    end: usize,
    is_at_end: bool,
    /// The position of a regular file when it was passed to us.
    position: Option<u64>,
    kind: Kind,
    stored: Stored,
    totals: Totals,
    /// Whether the data after the last gzip member is copied to the output.
    copies_rest: bool,
}

impl<'a> Decoder<'a> {
    /// Reads the first bytes; `len` is the length of a regular file.
    pub(crate) fn new(input: &'a File, len: Option<u64>) -> Result<Self, Failure> {
        let position = if len.is_some() { (&mut &*input).stream_position().ok() } else { None };
        let mut decoder = Self {
            position,
            input,
            buffer: Lent::new(READ),
            start: 0,
            end: 0,
            is_at_end: false,
            kind: Kind::Unknown,
            stored: Stored::default(),
            totals: Totals::default(),
            copies_rest: false,
        };
        (decoder.kind, decoder.stored) = decoder.look()?;
        let loaded = position.map(|position| position + decoder.end as u64);
        decoder.is_at_end |= loaded.is_some() && loaded == len;
        Ok(decoder)
    }

    /// The kind of data that begins here. A pipe may deliver a header in pieces, and a member may begin at a buffer's end.
    fn look(&mut self) -> Result<(Kind, Stored), Failure> {
        loop {
            let (kind, stored, is_whole) = header::parse(self.bytes());
            if is_whole || !self.load()? {
                return Ok((kind, stored));
            }
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The contents of the first header.
    pub(crate) fn stored(&self) -> &Stored {
        &self.stored
    }

    /// Copies the data after the last gzip member, even zeros, instead of ignoring it.
    pub(crate) fn copying_rest(mut self, copies_rest: bool) -> Self {
        self.copies_rest = copies_rest;
        self
    }

    /// Decompresses everything.
    pub(crate) fn decode(mut self, output: &mut Sink, progress: &mut Progress) -> Result<Totals, Failure> {
        let outcome = match (self.kind, self.position) {
            (Kind::Zip, _) => self.decode_entry(output, progress),
            // If the whole file is already read, nothing is left to decode ahead.
            (Kind::Gzip, Some(position)) if !self.is_at_end => self.decode_file(position, output, progress),
            _ => self.decode_members(output, progress),
        };
        // The data decoded before an error is good.
        output.flush()?;
        outcome.map(|()| self.totals)
    }

    /// Decodes a seekable gzip file.
    fn decode_file(
        &mut self,
        position: u64,
        output: &mut Sink,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        self.totals.wrap_len = 8 + self.stored.len as u64;
        (&mut &*self.input).seek(SeekFrom::Start(position)).map_err(Failure::Read)?;
        let descriptor = self.input.try_clone().map_err(Failure::Read)?.into_raw_fd();
        let mut file = GzFile::from_descriptor(descriptor, b"r").ok_or(Failure::OutOfMemory)?;
        let since =
            |offset: Option<i64>| offset.and_then(|offset| u64::try_from(offset).ok()?.checked_sub(position));
        let ignored_from = loop {
            let mut out = output.room()?;
            let outcome = file.read(&mut out);
            let written = out.written();
            output.count(written);
            self.totals.bytes_out += written as u64;
            self.totals.bytes_in = since(file.offset()).unwrap_or(self.totals.bytes_in);
            if outcome.is_err() || written == 0 {
                if let Some((error, message)) = file.failure() {
                    let failure = failed(error, &message.to_string_lossy());
                    file.abandon();
                    return Err(failure);
                }
                break file.ignored_from();
            }
            progress.at(self.totals.bytes_in, self.totals.bytes_out);
        };
        file.close().map_err(|_| Failure::Broken("it cannot be closed".into()))?;
        let Some(ignored_from) = ignored_from else { return Ok(()) };
        self.totals.bytes_in = since(Some(ignored_from)).unwrap_or(self.totals.bytes_in);
        (&mut &*self.input).seek(SeekFrom::Start(position + self.totals.bytes_in)).map_err(Failure::Read)?;
        (self.start, self.end, self.is_at_end) = (0, 0, false);
        self.pass_trailing(output)
    }

    /// Decodes input that is not seekable or not gzip.
    fn decode_members(&mut self, output: &mut Sink, progress: &mut Progress) -> Result<(), Failure> {
        let (window_bits, wrap_len) = match self.kind {
            Kind::Gzip => (15 + 16, 8),
            Kind::Zlib => (15, 6),
            Kind::Empty => return Err(truncated()),
            kind @ (Kind::Foreign(..) | Kind::Other(..)) => {
                return Err(Failure::Broken(kind.advice().unwrap_or_default()));
            }
            Kind::Zip | Kind::Unknown => return Err(Failure::Broken("not in gzip format".into())),
        };
        let mut stream = InflateStream::new(window_bits, Allocator::SYSTEM)?;
        self.totals.wrap_len = wrap_len + self.stored.len as u64;
        loop {
            self.decode_member(&mut stream, output, progress)?;
            let (kind, _) = self.look()?;
            if self.bytes().is_empty() {
                return Ok(());
            }
            if (self.kind, kind) != (Kind::Gzip, Kind::Gzip) {
                return self.pass_trailing(output);
            }
            stream.reset();
        }
    }

    pub(super) fn decode_member(
        &mut self,
        stream: &mut InflateStream,
        output: &mut Sink,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        loop {
            let mut input = &self.buffer[self.start..self.end];
            let offered = input.len();
            let mut out = output.room()?;
            let outcome = stream.inflate(&mut input, &mut out, Flush::None);
            let (taken, written, is_full) = (offered - input.len(), out.written(), out.is_full());
            output.count(written);
            self.start += taken;
            self.totals.bytes_in += taken as u64;
            self.totals.bytes_out += written as u64;
            match outcome {
                Ok(Status::StreamEnd) => return Ok(()),
                Ok(Status::NeedDictionary) => {
                    return Err(Failure::Broken("needs a preset dictionary".into()));
                }
                Ok(Status::Ok) | Err(Error::Buffer) => {}
                Err(Error::Data) => return Err(damaged(stream)),
                Err(error) => return Err(error.into()),
            }
            progress.at(self.totals.bytes_in, self.totals.bytes_out);
            // The decoder may hold back output that did not fit, so only a call without any progress needs more input.
            let is_stuck = taken == 0 && written == 0;
            if self.start == self.end && !is_full && !self.load()? && is_stuck {
                return Err(truncated());
            }
        }
    }

    /// Copies the data after the last member, or records whether it is zeros or other data.
    fn pass_trailing(&mut self, output: &mut Sink) -> Result<(), Failure> {
        if self.kind == Kind::Gzip {
            match self.look()?.0 {
                kind @ Kind::Foreign(..) => return Err(Failure::Broken(kind.advice().unwrap_or_default())),
                _ if self.copies_rest => return self.copy_rest(output),
                _ if matches!(self.bytes(), [1..=255]) => return Err(truncated()),
                _ => {}
            }
        }
        self.totals.trailing = Trailing::Zeros;
        loop {
            if self.bytes().iter().any(|&byte| byte != 0) {
                self.totals.trailing = Trailing::Garbage;
                return Ok(());
            }
            self.start = self.end;
            if !self.load()? {
                return Ok(());
            }
        }
    }

    /// Copies everything unchanged.
    pub(crate) fn copy(mut self, output: &mut Sink) -> Result<Totals, Failure> {
        self.copy_rest(output)?;
        Ok(self.totals)
    }

    fn copy_rest(&mut self, output: &mut Sink) -> Result<(), Failure> {
        loop {
            output.pass(&self.buffer[self.start..self.end])?;
            let copied = (self.end - self.start) as u64;
            self.totals.bytes_in += copied;
            self.totals.bytes_out += copied;
            self.start = self.end;
            if !self.load()? {
                return Ok(());
            }
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Reads more input after the unused bytes; false at the end of the input.
    pub(super) fn load(&mut self) -> Result<bool, Failure> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.is_at_end || self.end == self.buffer.len() {
            return Ok(false);
        }
        let count = read_some(self.input, &mut self.buffer[self.end..])?;
        self.end += count;
        self.is_at_end = count == 0;
        Ok(count > 0)
    }
}

pub(super) fn truncated() -> Failure {
    Failure::Broken("unexpected end of file".into())
}

fn damaged(stream: &InflateStream) -> Failure {
    let message = stream.message().and_then(|message| message.to_str().ok());
    Failure::Broken(in_gzips_words(message.unwrap_or("no reason given")))
}

/// The error of a gzFile; its messages begin with the file name that it was given.
fn failed(error: Error, message: &str) -> Failure {
    let text = message.split_once(": ").map_or(message, |(_, text)| text);
    match error {
        Error::Memory => Failure::OutOfMemory,
        Error::Data => Failure::Broken(in_gzips_words(text)),
        Error::Buffer | Error::Io | Error::Stream => Failure::Broken(text.into()),
    }
}

/// gzip's wording of zlib's messages.
fn in_gzips_words(message: &str) -> String {
    match message {
        "incorrect data check" => "invalid compressed data--crc error".into(),
        "incorrect length check" => "invalid compressed data--length error".into(),
        message => format!("invalid compressed data--format violated ({message})"),
    }
}
