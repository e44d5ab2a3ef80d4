//! gzFile: reads and writes gzip files like a stdio stream, in safe Rust.
//!
//! A [`GzFile`] is a `Reader` or a `Writer`, a name for its messages and the current error. The two sides report a
//! `Fault` where it occurs; this file decides what the host may do after it:
//!
//! - An error persists until it is cleared; until then every request fails. Two kinds are exceptions: a file that ends
//!   inside a member (`Error::Buffer`), after which the reader stays usable because the file may grow, and a stall of a
//!   non-blocking descriptor, which the next request clears.
//! - Data read before a fault is delivered first; then the error is reported.
//! - A request fails with [`Error::Stream`] if it is for the other direction or refused after an error, and else with the
//!   error of the fault.
//! - Messages are `<path>: <text>`, or `<fd:N>: <text>` for a descriptor that the host passed.
//!
//! C programs see zlib 1.3.1's behaviour plus some later additions: non-blocking descriptors, the `G` and `N` modes,
//! and valid data before an error. `capi::gz` translates between the C ABI and this module.

// Only `fd` may make system calls.
#![deny(unsafe_code)]

mod buffer;
mod checkpoints;
mod encoder;
mod fd;
mod mode;
mod reader;
mod seek;
mod writer;

use core::ffi::CStr;
use std::ffi::CString;
use std::io::Write;

use self::fd::{Descriptor, Errno};
use self::mode::{Access, Mode};
use self::reader::Reader;
use self::writer::Writer;
use crate::error::{Error, Result};
use crate::raw::Output;
use crate::stream::{Flush, Strategy};

pub use self::seek::Whence;
pub use crate::readahead::{InjectedFault, ReadCounters, Tuning, Way};

/// zlib's buffer size. It limits the length of a `gzprintf` string, and `gzungetc` has room for twice as many bytes.
const DEFAULT_SIZE: usize = 8192;

/// The smallest buffer size with which flushing makes progress.
const LEAST_SIZE: usize = 8;

/// A file that is read or written through gzip.
pub struct GzFile {
    /// The file's name in messages.
    name: CString,
    side: Side,
    failure: Option<Failure>,
    /// The reason of a failure that the current call reports.
    reported: Option<Errno>,
}

/// The two directions.
#[expect(clippy::large_enum_variant, reason = "one per open file, allocated with it")]
enum Side {
    Read(Reader),
    Write(Writer),
}

/// A failure of the reader or the writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fault {
    error: Error,
    text: Text,
    /// The same request may be retried: a non-blocking descriptor was not ready.
    again: bool,
}

/// The text of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Fixed(&'static CStr),
    System(Errno),
}

impl Fault {
    const MEMORY: Self = Self::fixed(Error::Memory, c"out of memory");
    const TRUNCATED: Self = Self::fixed(Error::Buffer, c"unexpected end of file");
    const INFLATE_STATE: Self = Self::fixed(Error::Stream, c"internal error: inflate stream corrupt");
    const DEFLATE_STATE: Self = Self::fixed(Error::Stream, c"internal error: deflate stream corrupt");
    const NO_ROOM_TO_PUSH: Self = Self::fixed(Error::Data, c"out of room to push characters");
    const STALLED_FORMAT: Self =
        Self { again: true, ..Self::fixed(Error::Buffer, c"stalled write on gzprintf") };

    const fn fixed(error: Error, text: &'static CStr) -> Self {
        Self { error, text: Text::Fixed(text), again: false }
    }

    fn data(message: Option<&'static CStr>) -> Self {
        Self::fixed(Error::Data, message.unwrap_or(c"compressed data error"))
    }

    fn io(errno: Errno) -> Self {
        Self { error: Error::Io, text: Text::System(errno), again: errno.would_block() }
    }
}

/// The current error.
struct Failure {
    error: Error,
    /// `None` if there was no memory for the message either.
    message: Option<CString>,
    again: bool,
}

impl Failure {
    /// Whether requests are refused until it is cleared.
    fn is_serious(&self) -> bool {
        self.error != Error::Buffer && !self.again
    }
}

impl GzFile {
    /// Opens `path`. Returns `None` for an invalid mode, without memory, or if the file cannot be opened (see `errno`).
    pub fn open(path: &CStr, mode: &[u8]) -> Option<Self> {
        let mode = Mode::parse(mode)?;
        let name = concatenate(&[path.to_bytes()])?;
        let descriptor = Descriptor::open(path, &mode)?;
        Some(Self::over(descriptor, &mode, name))
    }

    /// Takes over the descriptor `fd` without reading or writing yet. On `None`, `fd` still belongs to the host.
    pub fn from_descriptor(fd: i32, mode: &[u8]) -> Option<Self> {
        if fd == -1 {
            return None;
        }
        let mode = Mode::parse(mode)?;
        let mut name = [0u8; 24];
        write!(&mut name[..], "<fd:{fd}>").ok()?;
        let name = concatenate(&[CStr::from_bytes_until_nul(&name).ok()?.to_bytes()])?;
        Some(Self::over(Descriptor::adopt(fd, &mode), &mode, name))
    }

    fn over(descriptor: Descriptor, mode: &Mode, name: CString) -> Self {
        let side = match mode.access {
            Access::Read => Side::Read(Reader::new(descriptor, mode.framing)),
            Access::Write | Access::Append => Side::Write(Writer::new(descriptor, mode)),
        };
        Self { name, side, failure: None, reported: None }
    }

    /// Sets the buffer size; `false` once the buffers are in use.
    pub fn set_buffer_size(&mut self, size: usize) -> bool {
        let size = size.max(LEAST_SIZE);
        match &mut self.side {
            Side::Read(reader) => reader.set_size(size),
            Side::Write(writer) => writer.set_size(size),
        }
    }

    /// Sets how other threads decode ahead of a reader, for tests and experiments.
    pub fn tune(&mut self, tuning: Tuning) {
        if let Side::Read(reader) = &mut self.side {
            reader.tune(tuning);
        }
    }

    /// Counters of the work that other threads did for a reader so far.
    pub fn counters(&self) -> ReadCounters {
        match &self.side {
            Side::Read(reader) => reader.counters(),
            Side::Write(_) => ReadCounters::default(),
        }
    }

    /// Whether the file was opened for reading.
    pub fn is_reader(&self) -> bool {
        matches!(self.side, Side::Read(_))
    }

    /// The buffered decoded bytes; the `gzgetc` macro takes them from the front.
    pub fn waiting(&self) -> &[u8] {
        match &self.side {
            Side::Read(reader) => reader.waiting(),
            Side::Write(_) => &[],
        }
    }

    /// Whether a fault follows the bytes of [`waiting`](Self::waiting).
    pub fn has_fault_ahead(&self) -> bool {
        matches!(&self.side, Side::Read(reader) if reader.has_fault_ahead())
    }

    /// Counts `count` bytes of [`waiting`](Self::waiting) as taken.
    pub fn take(&mut self, count: usize) {
        if let Side::Read(reader) = &mut self.side {
            reader.take(count);
        }
    }

    /// Whether a read may be tried: the file is open for reading and has no serious error.
    pub fn may_read(&mut self) -> bool {
        self.reader().is_some()
    }

    /// Whether a write may be tried: the file is open for writing and has no error but a stall.
    pub fn may_write(&mut self) -> bool {
        self.writer().is_some()
    }

    /// Reads until `output` is full or the file ends. An error after some bytes is left to the next call.
    pub fn read(&mut self, output: &mut Output<'_>) -> Result<()> {
        let reader = self.reader().ok_or(Error::Stream)?;
        if output.is_full() {
            return Ok(());
        }
        let before = output.written();
        let result = reader.finish_seek();
        self.settle(result)?;
        let Side::Read(reader) = &mut self.side else { return Err(Error::Stream) };
        let result = reader.read(output);
        let settled = self.settle(result);
        if output.written() > before { Ok(()) } else { settled }
    }

    /// Reads one byte.
    pub fn read_byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        let mut output = Output::new(&mut byte);
        self.read(&mut output).ok()?;
        (output.written() == 1).then_some(byte[0])
    }

    /// Reads up to and including the next newline, or until `output` is full or the file ends; `false` when there was
    /// nothing to read.
    pub fn read_line(&mut self, output: &mut Output<'_>) -> bool {
        let Some(reader) = self.reader() else { return false };
        let result = reader.finish_seek();
        if self.settle(result).is_err() {
            return false;
        }
        let Side::Read(reader) = &mut self.side else { return false };
        let result = reader.read_line(output);
        self.settle(result).ok();
        output.written() > 0
    }

    /// Pushes `byte` back, to be read next; `None` is C's `EOF`, which cannot be pushed.
    pub fn unread(&mut self, byte: Option<u8>) -> bool {
        self.sniff();
        let Some(reader) = self.reader() else { return false };
        let result = reader.finish_seek();
        if self.settle(result).is_err() {
            return false;
        }
        let (Side::Read(reader), Some(byte)) = (&mut self.side, byte) else { return false };
        let pushed = reader.unread(byte);
        if !pushed {
            self.fail(Fault::NO_ROOM_TO_PUSH);
        }
        pushed
    }

    /// Whether bytes pass through unchanged. If nothing was read yet, a reader reads ahead to determine this.
    pub fn is_direct(&mut self) -> bool {
        self.sniff();
        match &self.side {
            Side::Read(reader) => reader.is_direct(),
            Side::Write(writer) => writer.is_plain(),
        }
    }

    /// Notes `errno` as the reason of a failure that the current call reports.
    pub fn note_errno(&mut self) {
        self.reported = Some(Errno::last());
    }

    /// Sets `errno` to the reason of a failure that the current call reports; `false` if there is none.
    pub fn set_errno(&mut self) -> bool {
        self.reported.take().map(Errno::restore).is_some()
    }

    /// Whether a read went past the end.
    pub fn is_past_end(&self) -> bool {
        matches!(&self.side, Side::Read(reader) if reader.is_past_end())
    }

    /// The file offset of the bytes that a reader at the end of the file has ignored: they follow the last member and
    /// do not begin another.
    pub fn ignored_from(&self) -> Option<i64> {
        match &self.side {
            Side::Read(reader) => reader.ignored_from(),
            Side::Write(_) => None,
        }
    }

    /// Writes `data` and returns the number of bytes accepted, which is less than its length only after an error.
    pub fn write(&mut self, mut data: &[u8]) -> usize {
        let Some(writer) = self.writer() else { return 0 };
        let offered = data.len();
        if offered == 0 {
            return 0;
        }
        match writer.write(&mut data) {
            Ok(()) => offered,
            Err(fault) => {
                self.fail(fault);
                if fault.again { offered - data.len() } else { 0 }
            }
        }
    }

    /// Writes one byte.
    pub fn write_byte(&mut self, byte: u8) -> bool {
        if self.collect_byte(byte) {
            return true;
        }
        // As in zlib, the zeros of a seek come first, whether or not the byte can be written.
        let Some(writer) = self.writer() else { return false };
        let result = writer.finish_seek();
        self.settle_all(result).is_ok() && self.write(&[byte]) == 1
    }

    /// Writes one byte if it only has to be buffered: this cannot panic, fail or make a system call.
    pub fn collect_byte(&mut self, byte: u8) -> bool {
        match &mut self.side {
            Side::Write(writer) => self.failure.is_none() && writer.collect(byte),
            Side::Read(_) => false,
        }
    }

    /// Writes the string that `format` stores in the slice it is given, as `vsnprintf` would. Returns its length, or 0
    /// if it does not fit.
    pub fn write_formatted(&mut self, format: impl FnOnce(&mut [u8]) -> i32) -> Result<usize> {
        let result = self.writer().ok_or(Error::Stream)?.format(format);
        self.settle(result)
    }

    /// Compresses and writes all buffered data, as `flush` requires.
    pub fn flush(&mut self, flush: Flush) -> Result<()> {
        let result = self.writer().ok_or(Error::Stream)?.flush(flush);
        self.settle_all(result)
    }

    /// Changes level and strategy; `None` is a strategy that zlib does not know.
    pub fn set_params(&mut self, level: i32, strategy: Option<Strategy>) -> Result<()> {
        let writer = self.writer().filter(|writer| !writer.is_plain()).ok_or(Error::Stream)?;
        let result = writer.set_params(level, strategy);
        self.settle_all(result)
    }

    /// The current error and its message.
    pub fn failure(&self) -> Option<(Error, &CStr)> {
        let failure = self.failure.as_ref()?;
        Some((failure.error, failure.message.as_deref().unwrap_or(c"out of memory")))
    }

    /// Clears the error and the end-of-file state.
    pub fn clear_failure(&mut self) {
        self.failure = None;
        if let Side::Read(reader) = &mut self.side {
            reader.forget_end();
        }
    }

    /// Records an error that the caller found in its arguments.
    pub fn refuse(&mut self, error: Error, text: &'static CStr) {
        self.fail(Fault::fixed(error, text));
    }

    /// Completes the output and closes the file, which must not be used after this.
    pub fn close(&mut self) -> Result<()> {
        match &mut self.side {
            Side::Read(reader) => {
                reader.close().map_err(|_| Error::Io)?;
                match self.failure {
                    Some(Failure { error: Error::Buffer, .. }) => Err(Error::Buffer),
                    _ => Ok(()),
                }
            }
            Side::Write(writer) => {
                writer.close()?;
                match self.failure {
                    // Data that the host wrote is missing, even if the file could be completed without it.
                    Some(Failure { error: Error::Io, again: false, .. }) => Err(Error::Io),
                    _ => Ok(()),
                }
            }
        }
    }

    /// Closes the file as it is, without completing anything.
    pub fn abandon(&mut self) {
        // The host can no longer be informed of a failure.
        match &mut self.side {
            Side::Read(reader) => reader.close().ok(),
            Side::Write(writer) => writer.abandon().ok(),
        };
    }

    /// Lets a reader detect the file's format, unless an error prevents it.
    fn sniff(&mut self) {
        if let Some(reader) = self.reader() {
            let result = reader.sniff();
            self.settle(result).ok();
        }
    }

    /// The reader, if requests are allowed. Clears a stall.
    fn reader(&mut self) -> Option<&mut Reader> {
        let serious = self.failure.as_ref().is_some_and(Failure::is_serious);
        match &mut self.side {
            Side::Read(reader) if !serious => {
                self.failure.take_if(|failure| failure.again);
                Some(reader)
            }
            _ => None,
        }
    }

    /// The writer, if requests are allowed. Clears a stall.
    fn writer(&mut self) -> Option<&mut Writer> {
        match &mut self.side {
            Side::Write(writer) if self.failure.as_ref().is_none_or(|failure| failure.again) => {
                self.failure = None;
                Some(writer)
            }
            _ => None,
        }
    }

    /// Records a fault as the current error. Returns an error unless reading may continue after it.
    fn settle<T: Default>(&mut self, result: core::result::Result<T, Fault>) -> Result<T> {
        result.or_else(|fault| {
            self.fail(fault);
            if fault.error == Error::Buffer && !fault.again { Ok(T::default()) } else { Err(fault.error) }
        })
    }

    /// Records a fault as the current error and returns it.
    fn settle_all(&mut self, result: core::result::Result<(), Fault>) -> Result<()> {
        result.map_err(|fault| {
            self.fail(fault);
            fault.error
        })
    }

    /// Records a fault as the current error.
    fn fail(&mut self, fault: Fault) {
        let mut buffer = [0; 256];
        let text = match &fault.text {
            Text::Fixed(text) => text.to_bytes(),
            Text::System(errno) => errno.describe(&mut buffer),
        };
        let message = match fault.error {
            Error::Memory => None,
            _ => concatenate(&[self.name.to_bytes(), b": ", text]),
        };
        let error = if message.is_some() { fault.error } else { Error::Memory };
        let failure = Failure { error, message, again: fault.again };
        // The host's `gzgetc` macro does not check for errors, so no bytes may be left for it.
        if let (Side::Read(reader), true) = (&mut self.side, failure.is_serious()) {
            reader.discard();
        }
        self.failure = Some(failure);
        if let Text::System(errno) = fault.text {
            self.reported = Some(errno);
        }
    }
}

/// Joins the parts; `None` without memory, or if a part contains a zero byte.
fn concatenate(parts: &[&[u8]]) -> Option<CString> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(parts.iter().map(|part| part.len()).sum::<usize>() + 1).ok()?;
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes.push(0);
    CString::from_vec_with_nul(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};

    /// Both ends of a pipe: bytes written to the second are read from the first.
    pub(super) fn pipe() -> (OwnedFd, OwnedFd) {
        let (reader, writer) = std::io::pipe().unwrap();
        (reader.into(), writer.into())
    }

    pub(super) fn over(fd: OwnedFd, mode: &str) -> GzFile {
        GzFile::from_descriptor(fd.into_raw_fd(), mode.as_bytes()).unwrap()
    }

    pub(super) fn read(file: &mut GzFile, len: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        let mut output = Output::new(&mut bytes);
        file.read(&mut output)?;
        let got = output.written();
        bytes.truncate(got);
        Ok(bytes)
    }

    #[test]
    fn written_data_is_read_back() {
        let (from, to) = pipe();
        let mut writer = over(to, "wb9");
        assert_eq!(writer.write(b"some text, "), 11);
        assert!(writer.write_byte(b'a'));
        assert_eq!(
            writer.write_formatted(|room| {
                room[..4].copy_from_slice(b"bcd\0");
                3
            }),
            Ok(3)
        );
        assert_eq!((writer.tell(), writer.is_direct(), writer.close()), (15, false, Ok(())));
        let mut reader = over(from, "rb");
        assert_eq!(read(&mut reader, 100), Ok(b"some text, abcd".to_vec()));
        assert!(reader.is_past_end() && !reader.is_direct());
        assert_eq!((reader.tell(), reader.close()), (15, Ok(())));
    }

    #[test]
    fn a_reader_reports_where_ignored_bytes_after_the_last_member_begin() {
        // A seekable file: one member, then `tail`. Returns where the ignored bytes begin, relative to the member's
        // end.
        let ignored = |tail: &[u8]| {
            let path =
                std::env::temp_dir().join(format!("rigz-ignored-{}-{}", std::process::id(), tail.len()));
            let mut writer = over(std::fs::File::create(&path).unwrap().into(), "w");
            writer.write(b"data");
            writer.close().unwrap();
            let len = path.metadata().unwrap().len() as i64;
            std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(tail).unwrap();
            let mut reader = over(std::fs::File::open(&path).unwrap().into(), "r");
            std::fs::remove_file(&path).unwrap();
            assert_eq!(read(&mut reader, 100), Ok(b"data".to_vec()));
            reader.ignored_from().map(|offset| offset - len)
        };
        assert_eq!([&b""[..], b"x", b"garbage"].map(ignored), [None, Some(0), Some(0)]);
    }

    #[test]
    fn messages_name_the_descriptor() {
        let (from, to) = pipe();
        let mut writer = over(to, "wT");
        writer.write(b"\x1f\x8bneither gzip nor plain");
        assert_eq!(writer.close(), Ok(()));
        let number = from.as_raw_fd();
        let mut reader = over(from, "r");
        assert_eq!(read(&mut reader, 10), Err(Error::Data));
        let expected = format!("<fd:{number}>: unknown compression method");
        let (error, message) = reader.failure().unwrap();
        assert_eq!((error, message.to_str().unwrap()), (Error::Data, expected.as_str()));
        reader.clear_failure();
        assert!(reader.failure().is_none());
        assert_eq!(reader.close(), Ok(()));
    }

    #[test]
    fn the_other_direction_is_refused() {
        let (from, to) = pipe();
        let (mut reader, mut writer) = (over(from, "r"), over(to, "w"));
        assert_eq!(
            (reader.write(b"x"), reader.write_byte(1), reader.flush(Flush::Sync)),
            (0, false, Err(Error::Stream))
        );
        assert_eq!(
            (read(&mut writer, 1), writer.read_byte(), writer.unread(Some(1))),
            (Err(Error::Stream), None, false)
        );
        assert!(!reader.may_write() && !writer.may_read() && reader.is_reader() && !writer.is_reader());
    }

    #[test]
    fn a_line_ends_after_its_newline() {
        let (from, to) = pipe();
        let mut writer = over(to, "w");
        writer.write(b"one\ntwo\n\nlast");
        writer.close().unwrap();
        let mut reader = over(from, "r");
        let mut line = || {
            let mut bytes = [0; 10];
            let mut output = Output::new(&mut bytes);
            reader.read_line(&mut output).then(|| output.written()).map(|count| bytes[..count].to_vec())
        };
        let lines: Vec<_> = std::iter::from_fn(&mut line).collect();
        assert_eq!(lines, [&b"one\n"[..], b"two\n", b"\n", b"last"]);
    }

    #[test]
    fn the_buffer_size_is_fixed_once_it_is_in_use() {
        let (from, to) = pipe();
        let (mut reader, mut writer) = (over(from, "r"), over(to, "w"));
        assert!(reader.set_buffer_size(1) && reader.set_buffer_size(100) && writer.set_buffer_size(100));
        writer.write(b"x");
        assert!(!writer.set_buffer_size(100));
        writer.close().unwrap();
        assert_eq!(read(&mut reader, 1), Ok(b"x".to_vec()));
        assert!(!reader.set_buffer_size(100));
    }

    #[test]
    fn a_truncated_file_yields_its_data_and_stays_readable() {
        let (from, to) = pipe();
        let mut writer = over(to, "w");
        writer.write(&[b'x'; 5000]);
        writer.close().unwrap();
        let mut member = [0; 100];
        let mut output = Output::new(&mut member);
        Descriptor::adopt(from.as_raw_fd(), &Mode::parse(b"r").unwrap()).fill(&mut output);
        let len = output.written();
        let (from, to) = pipe();
        let write = |bytes: &[u8]| {
            Descriptor::adopt(to.as_raw_fd(), &Mode::parse(b"w").unwrap()).write_all(&mut { bytes }).unwrap();
        };
        let mut reader = over(from, "rN");
        write(&member[..len - 4]);
        assert_eq!(read(&mut reader, 9000).unwrap(), vec![b'x'; 5000]);
        assert_eq!(reader.failure().unwrap().0, Error::Io, "a stall, not an end");
        assert_eq!(read(&mut reader, 1), Err(Error::Io));
        write(&member[len - 4..]);
        drop(to);
        assert_eq!(read(&mut reader, 1), Ok(Vec::new()));
        assert_eq!((reader.is_past_end(), reader.close()), (true, Ok(())));
    }
}
