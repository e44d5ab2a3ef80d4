//! What compression and decompression share: reading, writing by large pieces, counting, and how either may fail.

#![forbid(unsafe_code)]

use rigz::checksum::Check;
use rigz::error::Error;
use rigz::raw::Output;
use std::fs::File;
use std::io::{self, Read, Write};

/// Bytes collected before a write.
const WRITE: usize = 512 << 10;

/// What was done with one file.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    /// Bytes of headers and trailers, which gzip's ratio leaves out.
    pub(crate) wrap_len: u64,
    pub(crate) trailing: Trailing,
}

/// What stands behind the last member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Trailing {
    #[default]
    Nothing,
    /// As tapes and disks fill up their blocks.
    Zeros,
    Garbage,
}

/// Why a file could not be done.
#[derive(Debug)]
pub(crate) enum Failure {
    Read(io::Error),
    Write(io::Error),
    /// The compressed data is no good, and how.
    Broken(String),
    OutOfMemory,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Memory => Failure::OutOfMemory,
            error => Failure::Broken(format!("internal error: {error:?}")),
        }
    }
}

/// Reads what is there, at most a buffer full; 0 at the end.
pub(crate) fn read_some(input: &mut File, buffer: &mut [u8]) -> Result<usize, Failure> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome.map_err(Failure::Read),
        }
    }
}

/// Where bytes go: to a file, or nowhere when they are only tested or counted.
#[derive(Debug)]
pub(crate) struct Sink {
    file: Option<File>,
    buffer: Vec<u8>,
    filled: usize,
    check: Option<Check>,
}

impl Sink {
    pub(crate) fn new(file: Option<File>) -> Self {
        Self { file, buffer: vec![0; WRITE], filled: 0, check: None }
    }

    /// Also computes the CRC-32 of what goes through.
    pub(crate) fn with_check(mut self) -> Self {
        self.check = Some(Check::Crc(0).fresh());
        self
    }

    /// Room for more, never none. Tell by [`count`](Self::count) how much of it was used.
    pub(crate) fn room(&mut self) -> Result<Output<'_>, Failure> {
        if self.filled == self.buffer.len() {
            self.flush()?;
        }
        Ok(Output::new(&mut self.buffer[self.filled..]))
    }

    pub(crate) fn count(&mut self, written: usize) {
        self.filled += written;
    }

    /// Writes out what was collected.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        let bytes = &self.buffer[..self.filled];
        self.filled = 0;
        if let Some(check) = &mut self.check {
            check.update(bytes);
        }
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(bytes)).map_err(Failure::Write)
    }

    /// Writes bytes that are there already.
    pub(crate) fn pass(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.flush()?;
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(bytes)).map_err(Failure::Write)
    }

    /// The CRC-32 of what went through, if it was asked for.
    pub(crate) fn check(&self) -> Option<u32> {
        self.check.map(Check::value)
    }
}
