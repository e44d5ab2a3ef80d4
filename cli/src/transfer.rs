//! Shared by compression and decompression: reading, writing in large pieces, byte counts, and errors.

#![forbid(unsafe_code)]

use rigz::checksum::Check;
use rigz::error::Error;
use rigz::raw::Output;
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// Bytes collected before a write.
const WRITE: usize = 512 << 10;

/// The byte counts for one file.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    /// Bytes of headers and trailers, which gzip's ratio excludes.
    pub(crate) wrap_len: u64,
    pub(crate) trailing: Trailing,
}

/// The data after the last member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Trailing {
    #[default]
    Nothing,
    /// Padding of tape or disk blocks.
    Zeros,
    Garbage,
    /// More entries of a zip file.
    Entries,
}

/// Why a file could not be processed.
#[derive(Debug)]
pub(crate) enum Failure {
    Read(io::Error),
    Write(io::Error),
    /// The compressed data is damaged; the message describes how.
    Broken(String),
    OutOfMemory,
    /// A result is too long to be kept in memory.
    TooLong,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Memory => Failure::OutOfMemory,
            error => Failure::Broken(format!("internal error: {error:?}")),
        }
    }
}

/// Reads the available bytes, at most a full buffer; 0 at the end.
pub(crate) fn read_some(mut input: &File, buffer: &mut [u8]) -> Result<usize, Failure> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome.map_err(Failure::Read),
        }
    }
}

/// The longest result that is kept in memory.
const MOST_KEPT: usize = 2 << 20;

/// A large buffer that its thread keeps for the next file, so that its memory is allocated and cleared
/// only once.
#[derive(Debug)]
pub(crate) struct Lent(Vec<u8>);

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

impl Lent {
    pub(crate) fn new(len: usize) -> Self {
        let spare = SPARE.with_borrow_mut(|spare| {
            let at = spare.iter().position(|buffer| buffer.len() == len)?;
            Some(spare.swap_remove(at))
        });
        Self(spare.unwrap_or_else(|| vec![0; len]))
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.0);
        // A thread that ends does not keep it.
        _ = SPARE.try_with(|spare| spare.borrow_mut().push(buffer));
    }
}

impl Deref for Lent {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

/// Where bytes go: to a file, to memory, or nowhere when they are only tested or counted.
#[derive(Debug)]
pub(crate) struct Sink {
    file: Option<Arc<File>>,
    memory: Option<Vec<u8>>,
    buffer: Lent,
    filled: usize,
    check: Option<Check>,
}

impl Sink {
    pub(crate) fn new(file: Option<Arc<File>>) -> Self {
        Self { file, memory: None, buffer: Lent::new(WRITE), filled: 0, check: None }
    }

    /// Keeps the written bytes in memory, up to a maximum length.
    pub(crate) fn in_memory() -> Self {
        Self { memory: Some(Vec::new()), ..Self::new(None) }
    }

    /// Returns the bytes kept in memory.
    pub(crate) fn take_memory(&mut self) -> Vec<u8> {
        self.memory.take().unwrap_or_default()
    }

    /// Also computes the CRC-32 of the written bytes.
    pub(crate) fn with_check(mut self) -> Self {
        self.begin_check();
        self
    }

    /// Computes the CRC-32 of the bytes written from now on.
    pub(crate) fn begin_check(&mut self) {
        self.check = Some(Check::Crc(0).fresh());
    }

    /// Room for more bytes, never empty. Pass the number of bytes used to [`count`](Self::count).
    pub(crate) fn room(&mut self) -> Result<Output<'_>, Failure> {
        if self.filled == self.buffer.len() {
            self.flush()?;
        }
        Ok(Output::new(&mut self.buffer[self.filled..]))
    }

    pub(crate) fn count(&mut self, written: usize) {
        self.filled += written;
    }

    /// Writes the collected bytes.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        let filled = std::mem::take(&mut self.filled);
        let bytes = &self.buffer[..filled];
        if let Some(check) = &mut self.check {
            check.update(bytes);
        }
        write_to(self.file.as_deref(), &mut self.memory, bytes)
    }

    /// Writes existing bytes.
    pub(crate) fn pass(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.flush()?;
        if let Some(check) = &mut self.check {
            check.update(bytes);
        }
        write_to(self.file.as_deref(), &mut self.memory, bytes)
    }

    /// The CRC-32 of the written bytes, if requested.
    pub(crate) fn check(&self) -> Option<u32> {
        self.check.map(Check::value)
    }
}

fn write_to(file: Option<&File>, memory: &mut Option<Vec<u8>>, bytes: &[u8]) -> Result<(), Failure> {
    if let Some(memory) = memory {
        if memory.len() + bytes.len() > MOST_KEPT {
            return Err(Failure::TooLong);
        }
        memory.extend_from_slice(bytes);
    }
    file.map_or(Ok(()), |mut file| file.write_all(bytes)).map_err(Failure::Write)
}
