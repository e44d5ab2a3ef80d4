//! Decompression of one file or pipe: one member after the other, by the library's decoder, until something else comes.
//!
//! A file begins with a gzip member or a zlib stream. Behind a gzip member may stand further members, zeros, which are ignored, or
//! anything else, which is ignored with a warning. The decoder checks each member's CRC and length. All good bytes before an
//! error are written; whether they are kept is the caller's to decide.

#![forbid(unsafe_code)]

use crate::header::{self, Kind, Stored};
use crate::progress::Progress;
use crate::transfer::{Failure, Sink, Totals, Trailing, read_some};
use rigz::error::{Error, Status};
use rigz::raw::Allocator;
use rigz::stream::Flush;
use rigz::stream::inflate::InflateStream;
use std::fs::File;

/// Bytes per read. The first one must hold a header whose name is to be restored.
const READ: usize = 256 << 10;

/// Compressed input, of which the beginning was looked at.
#[derive(Debug)]
pub(crate) struct Decoder<'a> {
    input: &'a mut File,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    is_at_end: bool,
    kind: Kind,
    stored: Stored,
    totals: Totals,
}

impl<'a> Decoder<'a> {
    /// Looks at the first bytes.
    pub(crate) fn new(input: &'a mut File) -> Result<Self, Failure> {
        let mut decoder = Self {
            input,
            buffer: vec![0; READ],
            start: 0,
            end: 0,
            is_at_end: false,
            kind: Kind::Unknown,
            stored: Stored::default(),
            totals: Totals::default(),
        };
        (decoder.kind, decoder.stored) = decoder.look()?;
        Ok(decoder)
    }

    /// What begins here. A pipe may give a header in pieces, and a member may begin at a buffer's end.
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

    /// What the first header tells.
    pub(crate) fn stored(&self) -> &Stored {
        &self.stored
    }

    /// Decompresses everything.
    pub(crate) fn decode(mut self, output: &mut Sink, progress: &mut Progress) -> Result<Totals, Failure> {
        let outcome = self.decode_members(output, progress);
        // What was decoded before an error is good.
        output.flush()?;
        outcome.map(|()| self.totals)
    }

    fn decode_members(&mut self, output: &mut Sink, progress: &mut Progress) -> Result<(), Failure> {
        let (window_bits, wrap_len) = match self.kind {
            Kind::Gzip => (15 + 16, 8),
            Kind::Zlib => (15, 6),
            Kind::Empty => return Err(truncated()),
            Kind::Foreign(what) => return Err(Failure::Broken(format!("{what} is not supported"))),
            Kind::Unknown => return Err(Failure::Broken("not in gzip format".into())),
        };
        let mut stream = InflateStream::new(window_bits, Allocator::SYSTEM)?;
        self.totals.wrap_len = wrap_len + self.stored.len as u64;
        loop {
            self.decode_member(&mut stream, output, progress)?;
            let (kind, stored) = self.look()?;
            if self.bytes().is_empty() {
                return Ok(());
            }
            if (self.kind, kind) != (Kind::Gzip, Kind::Gzip) {
                return self.pass_trailing();
            }
            self.totals.wrap_len += wrap_len + stored.len as u64;
            stream.reset();
        }
    }

    fn decode_member(
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
            // The decoder may have held bytes back while room was short: only a call that did nothing needs more input.
            let is_stuck = taken == 0 && written == 0;
            if self.start == self.end && !is_full && !self.load()? && is_stuck {
                return Err(truncated());
            }
        }
    }

    /// Counts what stands behind the last member.
    fn pass_trailing(&mut self) -> Result<(), Failure> {
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

    /// Hands everything on as it is.
    pub(crate) fn copy(mut self, output: &mut Sink) -> Result<Totals, Failure> {
        loop {
            output.pass(&self.buffer[self.start..self.end])?;
            self.totals.bytes_in += (self.end - self.start) as u64;
            self.start = self.end;
            if !self.load()? {
                self.totals.bytes_out = self.totals.bytes_in;
                return Ok(self.totals);
            }
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Reads more behind what is left; false when nothing comes.
    fn load(&mut self) -> Result<bool, Failure> {
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

fn truncated() -> Failure {
    Failure::Broken("unexpected end of file".into())
}

/// gzip's words for what zlib says.
fn damaged(stream: &InflateStream) -> Failure {
    let message = stream.message().and_then(|message| message.to_str().ok()).unwrap_or("no reason given");
    let text = match message {
        "incorrect data check" => "invalid compressed data--crc error".into(),
        "incorrect length check" => "invalid compressed data--length error".into(),
        message => format!("invalid compressed data--format violated ({message})"),
    };
    Failure::Broken(text)
}
