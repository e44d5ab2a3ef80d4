//! The operations of `suite small`: streams flushed after each message, many small calls, `compress2()` of little data, and gz files
//! written in small pieces. Also measures the memory of a stream and the output that it holds back.

use std::ffi::CString;
use std::path::Path;

use crate::corpus::generate;
use crate::op;
use crate::zlib::{
    self, FINISH, Failure, GzFile, Library, NO_FLUSH, OK, RAW, Result, STREAM_END, SYNC_FLUSH, Stream,
};

/// Bytes that each operation processes: a multiple of each message length.
pub const BYTES: usize = 48_000;

pub const LEVELS: [i32; 3] = [1, 6, 9];

type Generator = fn(u64, usize) -> Vec<u8>;

/// Kinds of data: machine-written text, natural text, and binary records.
pub const KINDS: [(&str, Generator); 5] = [
    ("logs", generate::logs),
    ("source", generate::source),
    ("sql", generate::sql),
    ("text", generate::text),
    ("records", generate::records),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// A raw stream, flushed after each message of this length.
    Messages(usize),
    /// A raw stream that gets this many bytes per call.
    Calls(usize),
    /// `compress2()` of pieces of this length.
    OneShot(usize),
    /// `gzwrite()` of pieces of this length.
    GzWrite(usize),
    GzPutc,
    /// One line per `gzprintf()`.
    GzPrintf,
    /// Each line by `gzwrite()`, followed by `gzflush()`.
    GzFlush,
}

pub const ALL: [(&str, Work); 16] = [
    ("message 200", Work::Messages(200)),
    ("message 1000", Work::Messages(1000)),
    ("message 4000", Work::Messages(4000)),
    ("message 16000", Work::Messages(16_000)),
    ("deflate 1", Work::Calls(1)),
    ("deflate 16", Work::Calls(16)),
    ("deflate 256", Work::Calls(256)),
    ("compress2 50", Work::OneShot(50)),
    ("compress2 200", Work::OneShot(200)),
    ("compress2 800", Work::OneShot(800)),
    ("compress2 3000", Work::OneShot(3000)),
    ("compress2 8000", Work::OneShot(8000)),
    ("gzwrite 100", Work::GzWrite(100)),
    ("gzputc", Work::GzPutc),
    ("gzprintf line", Work::GzPrintf),
    ("gzflush line", Work::GzFlush),
];

/// An operation on one kind of data at one level, with its buffers.
pub struct Prepared<'a> {
    work: Work,
    library: &'a Library,
    level: i32,
    plain: Vec<u8>,
    lines: Vec<CString>,
    out: Vec<u8>,
    scratch: &'a Path,
}

impl<'a> Prepared<'a> {
    pub fn new(
        work: Work,
        library: &'a Library,
        level: i32,
        kind: Generator,
        scratch: &'a Path,
    ) -> Result<Self> {
        let plain = kind(1, BYTES);
        let mut lines = Vec::new();
        if matches!(work, Work::GzPrintf | Work::GzFlush) {
            for line in plain.split(|&byte| byte == b'\n') {
                // Replace the zeros of binary records, which would end a C string.
                let line = line.iter().map(|&byte| byte.max(1)).collect::<Vec<u8>>();
                lines.push(CString::new(line).map_err(|e| Failure::Wrong(e.to_string()))?);
            }
        }
        Ok(Self { work, library, level, plain, lines, out: vec![0xa5; 2 * BYTES], scratch })
    }

    /// Does the operation once and returns the size of its result.
    pub fn call(&mut self) -> Result<usize> {
        self.run(&mut |_| Ok(()))
    }

    /// Does the operation once, and checks the result with the system's zlib.
    pub fn verify(&mut self) -> Result<()> {
        let plain = self.plain.clone();
        let mut packed = Vec::new();
        self.run(&mut |part| {
            packed.push(part.to_vec());
            Ok(())
        })?;
        match self.work {
            Work::Messages(_) | Work::Calls(_) => unpack_raw(&packed.concat(), &plain),
            Work::OneShot(piece) => {
                plain.chunks(piece).zip(&packed).try_for_each(|(plain, packed)| op::judge_zlib(packed, plain))
            }
            Work::GzWrite(_) | Work::GzPutc => op::judge_gzip(&self.written()?, &plain),
            Work::GzPrintf | Work::GzFlush => {
                let plain: Vec<u8> =
                    self.lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect();
                op::judge_gzip(&self.written()?, &plain)
            }
        }
    }

    fn written(&self) -> Result<Vec<u8>> {
        std::fs::read(self.scratch).map_err(|e| Failure::Wrong(e.to_string()))
    }

    fn run(&mut self, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<usize> {
        let Self { work, library, level, plain, lines, out, scratch } = self;
        match *work {
            Work::Messages(piece) | Work::Calls(piece) => {
                let flush = if matches!(work, Work::Messages(_)) { SYNC_FLUSH } else { NO_FLUSH };
                let mut stream = Stream::deflate(library, *level, RAW)?;
                let mut size = 0;
                for part in plain.chunks(piece) {
                    let step = stream.step(part, out, flush);
                    if step.code != OK || step.consumed != part.len() {
                        return Err(Failure::Wrong(format!("deflate returned {}", step.code)));
                    }
                    size += step.produced;
                    take(&out[..step.produced])?;
                }
                let step = stream.step(&[], out, FINISH);
                if step.code != STREAM_END {
                    return Err(Failure::Wrong(format!("deflate returned {} for Z_FINISH", step.code)));
                }
                take(&out[..step.produced])?;
                Ok(size + step.produced)
            }
            Work::OneShot(piece) => {
                let compress = library.compressor()?;
                let mut size = 0;
                for part in plain.chunks(piece) {
                    let len = compress.run(part, out, *level)?;
                    size += len;
                    take(&out[..len])?;
                }
                Ok(size)
            }
            _ => {
                let mut file = GzFile::open(library, scratch, &format!("wb{level}"))?;
                match *work {
                    Work::GzWrite(piece) => plain.chunks(piece).try_for_each(|part| file.write(part))?,
                    Work::GzPutc => plain.iter().try_for_each(|&byte| file.putc(byte))?,
                    Work::GzPrintf => lines.iter().try_for_each(|line| file.printf_line(line))?,
                    _ => lines.iter().try_for_each(|line| {
                        file.write(line.as_bytes())?;
                        file.write(b"\n")?;
                        file.flush()
                    })?,
                }
                file.close()?;
                let len = std::fs::metadata(scratch).map_err(|e| Failure::Wrong(e.to_string()))?.len();
                Ok(len as usize)
            }
        }
    }
}

fn unpack_raw(packed: &[u8], expected: &[u8]) -> Result<()> {
    let judge = zlib::judge()?;
    let mut stream = Stream::inflate(&judge, RAW)?;
    let mut out = vec![0; expected.len() + 1];
    let step = stream.step(packed, &mut out, FINISH);
    if step.code != STREAM_END || step.consumed != packed.len() {
        return Err(Failure::Wrong(format!("the system's inflate returned {}", step.code)));
    }
    op::same(&out[..step.produced], expected)
}

/// States of a stream in which its memory is measured.
pub const STATES: [&str; 6] =
    ["new", "after messages", "within bulk", "bulk, flushed", "finished", "finished, reset"];

/// Returns the heap bytes per stream in this state, averaged over many streams.
pub fn memory(library: &Library, level: i32, state: usize) -> Result<usize> {
    const STREAMS: usize = 24;
    let plain = generate::logs(1, 300_000);
    let mut out = vec![0xa5; 400_000];
    // The first stream makes the process's shared allocations, which do not count.
    drop(stream_in(library, level, state, &plain, &mut out)?);
    let mut streams = Vec::with_capacity(STREAMS);
    let before = heap();
    for _ in 0..STREAMS {
        streams.push(stream_in(library, level, state, &plain, &mut out)?);
    }
    Ok(heap().saturating_sub(before) / STREAMS)
}

fn stream_in(library: &Library, level: i32, state: usize, plain: &[u8], out: &mut [u8]) -> Result<Stream> {
    let mut stream = Stream::deflate(library, level, RAW)?;
    match state {
        0 => {}
        1 => plain[..20_000].chunks(1000).for_each(|part| _ = stream.step(part, out, SYNC_FLUSH)),
        2 => _ = stream.step(plain, out, NO_FLUSH),
        3 => _ = stream.step(plain, out, SYNC_FLUSH),
        _ => _ = stream.step(plain, out, FINISH),
    }
    if state == 5 {
        stream.reset()?;
    }
    Ok(stream)
}

/// Returns the number of heap bytes in use.
fn heap() -> usize {
    // SAFETY: the call has no conditions.
    let info = unsafe { libc::mallinfo2() };
    info.uordblks + info.hblkhd
}

/// Returns the largest output that a stream holds back when it gets `step` bytes per call and enough output space. Measured at about
/// 60 positions, by finishing copies of the stream with `Z_FINISH`.
pub fn held_back(library: &Library, level: i32, kind: Generator, step: usize) -> Result<usize> {
    let plain = kind(1, 2_000_000);
    let mut out = vec![0xa5; 3_000_000];
    let mut stream = Stream::deflate(library, level, RAW)?;
    let mut most = 0;
    let every = (plain.len() / step / 60).max(1);
    for (at, part) in plain.chunks(step).enumerate() {
        let step = stream.step(part, &mut out, NO_FLUSH);
        if step.consumed != part.len() {
            return Err(Failure::Wrong(format!("deflate consumed {} of {}", step.consumed, part.len())));
        }
        if at % every == 0 {
            let mut copy = stream.copy(library)?;
            most = most.max(copy.step(&[], &mut out, FINISH).produced);
        }
    }
    Ok(most)
}
