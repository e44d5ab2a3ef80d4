//! The operations that programs do with zlib; every table uses their names.
//!
//! `prepare` sets up, untimed, the buffers, compressed input and symbols, and returns a closure that does the operation once. The time
//! includes opening and closing a stream or file, except for operations whose name has `reset`. Speeds count uncompressed bytes.
//! With `verify`, the result is checked once before any timing: the system's zlib must decompress compressed output to the corpus, and
//! decompressed output must equal the corpus.
//!
//! deflate and inflate use the gzip format (window bits 31), the one-shot calls the zlib format, as most programs do.

use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::zlib::{
    self, BUF_ERROR, FINISH, Failure, GZIP, GzFile, Library, NO_FLUSH, OK, Result, STREAM_END, Stream, ZLIB,
};

const KIB: usize = 1024;

/// Messages of one call of a message operation. Enough that branch predictors cannot memorise them.
const MESSAGES: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Op {
    /// compress2 of the whole corpus.
    Compress,
    /// deflate; each call gets up to `piece` input bytes and `piece` bytes of output space.
    Deflate { piece: usize },
    /// gzopen, gzwrite in pieces, gzclose.
    GzWrite { piece: usize },
    /// uncompress of the whole corpus.
    Uncompress,
    /// inflate; each call gets up to `piece` input bytes and `piece` bytes of output space.
    Inflate { piece: usize },
    /// gzopen, gzread in pieces, gzclose.
    GzRead { piece: usize },
    /// The same, from a file that was just evicted from the page cache.
    GzReadCold { piece: usize },
    /// gzgets, line by line.
    GzGets,
    /// gzgetc, byte by byte.
    GzGetc,
    /// Seeks to 7/8 of the file, then back in four steps; reads 4 KiB after each.
    GzSeekBack,
    /// Messages of `message` bytes, each compressed alone, by compress2 or by one stream with deflateReset.
    Pack { message: usize, reset: bool },
    /// The same messages decompressed, by uncompress or by one stream with inflateReset.
    Unpack { message: usize, reset: bool },
    /// crc32 in pieces.
    Crc32 { piece: usize },
    /// adler32 in pieces.
    Adler32 { piece: usize },
}

/// Every operation under its name.
pub const ALL: &[(&str, Op)] = &[
    ("compress2", Op::Compress),
    ("deflate-64k", Op::Deflate { piece: 64 * KIB }),
    ("gzwrite-64k", Op::GzWrite { piece: 64 * KIB }),
    ("uncompress", Op::Uncompress),
    ("inflate-64k", Op::Inflate { piece: 64 * KIB }),
    ("inflate-4k", Op::Inflate { piece: 4 * KIB }),
    ("gzread-128k", Op::GzRead { piece: 128 * KIB }),
    ("gzread-4k", Op::GzRead { piece: 4 * KIB }),
    ("gzread-cold-128k", Op::GzReadCold { piece: 128 * KIB }),
    ("gzgets", Op::GzGets),
    ("gzgetc", Op::GzGetc),
    ("gzseek-back", Op::GzSeekBack),
    ("pack-200", Op::Pack { message: 200, reset: false }),
    ("pack-1k", Op::Pack { message: KIB, reset: false }),
    ("pack-10k", Op::Pack { message: 10 * KIB, reset: false }),
    ("pack-200-reset", Op::Pack { message: 200, reset: true }),
    ("pack-1k-reset", Op::Pack { message: KIB, reset: true }),
    ("pack-10k-reset", Op::Pack { message: 10 * KIB, reset: true }),
    ("unpack-200", Op::Unpack { message: 200, reset: false }),
    ("unpack-1k", Op::Unpack { message: KIB, reset: false }),
    ("unpack-10k", Op::Unpack { message: 10 * KIB, reset: false }),
    ("unpack-200-reset", Op::Unpack { message: 200, reset: true }),
    ("unpack-1k-reset", Op::Unpack { message: KIB, reset: true }),
    ("unpack-10k-reset", Op::Unpack { message: 10 * KIB, reset: true }),
    ("crc32-64k", Op::Crc32 { piece: 64 * KIB }),
    ("crc32-1k", Op::Crc32 { piece: KIB }),
    ("adler32-64k", Op::Adler32 { piece: 64 * KIB }),
    ("adler32-1k", Op::Adler32 { piece: KIB }),
];

impl Op {
    pub fn named(name: &str) -> Option<Op> {
        ALL.iter().find(|(n, _)| *n == name).map(|&(_, op)| op)
    }

    pub fn name(self) -> &'static str {
        ALL.iter().find(|&&(_, op)| op == self).map_or("unnamed", |&(name, _)| name)
    }

    /// Whether the operation uses the level.
    pub fn has_level(self) -> bool {
        matches!(self, Op::Compress | Op::Deflate { .. } | Op::GzWrite { .. } | Op::Pack { .. })
    }
}

/// An operation's data: the corpus, plain and compressed by the system's zlib at level 6.
pub struct Material {
    pub plain: Vec<u8>,
    pub zlib: Vec<u8>,
    pub gzip_path: PathBuf,
    /// A file that gzwrite may write.
    pub scratch: PathBuf,
}

/// An operation ready to be timed.
pub struct Prepared<'a> {
    /// Does the operation once and returns the size of its result.
    pub call: Box<dyn FnMut() -> Result<usize> + 'a>,
    /// Uncompressed bytes that one call processes.
    pub bytes: usize,
    /// Messages that one call processes, or 0.
    pub messages: usize,
}

/// Sets up `op` and, if `verify`, checks its result once.
pub fn prepare<'a>(
    op: Op,
    library: &'a Library,
    level: i32,
    material: &'a Material,
    verify: bool,
) -> Result<Prepared<'a>> {
    let plain = &material.plain;
    let whole = |call| Prepared { call, bytes: plain.len(), messages: 0 };
    Ok(match op {
        Op::Compress => {
            let compress = library.compressor()?;
            let mut out = touched(library.compress_bound(plain.len())?);
            let probe = &plain[..plain.len().min(4 * KIB)];
            if compress.run(probe, &mut out, level).is_err() {
                return Err(Failure::Lacks(format!("compress2 at level {level}")));
            }
            if verify {
                let n = compress.run(plain, &mut out, level)?;
                judge_zlib(&out[..n], plain)?;
            }
            whole(Box::new(move || compress.run(plain, &mut out, level)))
        }
        Op::Deflate { piece } => {
            let mut out = touched(piece);
            if verify {
                let mut packed = Vec::new();
                deflate_in_pieces(library, level, plain, &mut out, |part| packed.extend_from_slice(part))?;
                judge_gzip(&packed, plain)?;
            }
            whole(Box::new(move || {
                let mut size = 0;
                deflate_in_pieces(library, level, plain, &mut out, |part| size += part.len())?;
                Ok(size)
            }))
        }
        Op::GzWrite { piece } => {
            let write = move || gzwrite_in_pieces(library, level, plain, piece, &material.scratch);
            if verify {
                write()?;
                judge_gzip(&read_file(&material.scratch)?, plain)?;
            }
            whole(Box::new(write))
        }
        Op::Uncompress => {
            let uncompress = library.decompressor()?;
            let mut out = touched(plain.len());
            if verify {
                let n = uncompress.run(&material.zlib, &mut out)?;
                same(&out[..n], plain)?;
            }
            whole(Box::new(move || uncompress.run(&material.zlib, &mut out)))
        }
        Op::Inflate { piece } => {
            let gzip = read_file(&material.gzip_path)?;
            let mut out = touched(piece);
            if verify {
                let mut restored = Vec::with_capacity(plain.len());
                inflate_in_pieces(library, &gzip, &mut out, |part| restored.extend_from_slice(part))?;
                same(&restored, plain)?;
            }
            whole(Box::new(move || {
                let mut size = 0;
                inflate_in_pieces(library, &gzip, &mut out, |part| size += part.len())?;
                Ok(size)
            }))
        }
        Op::GzRead { piece } => {
            let mut out = touched(piece);
            if verify {
                let mut restored = Vec::with_capacity(plain.len());
                gzread_in_pieces(library, &material.gzip_path, &mut out, |part| {
                    restored.extend_from_slice(part);
                })?;
                same(&restored, plain)?;
            }
            whole(Box::new(move || {
                let mut size = 0;
                gzread_in_pieces(library, &material.gzip_path, &mut out, |part| size += part.len())?;
                Ok(size)
            }))
        }
        Op::GzReadCold { piece } => {
            let mut out = touched(piece);
            whole(Box::new(move || {
                let mut size = 0;
                evict_from_page_cache(&material.gzip_path)?;
                gzread_in_pieces(library, &material.gzip_path, &mut out, |part| size += part.len())?;
                Ok(size)
            }))
        }
        Op::GzGets => {
            let mut line = touched(64 * KIB);
            if verify {
                let mut restored = Vec::with_capacity(plain.len());
                gets_all(library, &material.gzip_path, &mut line, |part| restored.extend_from_slice(part))?;
                same(&restored, plain)?;
            }
            whole(Box::new(move || {
                let mut size = 0;
                gets_all(library, &material.gzip_path, &mut line, |part| size += part.len())?;
                Ok(size)
            }))
        }
        Op::GzGetc => {
            if verify {
                let mut restored = Vec::with_capacity(plain.len());
                getc_all(library, &material.gzip_path, |byte| restored.push(byte))?;
                same(&restored, plain)?;
            }
            whole(Box::new(move || {
                let mut size = 0;
                getc_all(library, &material.gzip_path, |_| size += 1)?;
                Ok(size)
            }))
        }
        Op::GzSeekBack => {
            if verify {
                seek_back(library, material, |got, at| same(got, &plain[at..at + got.len()]))?;
            }
            whole(Box::new(move || seek_back(library, material, |_, _| Ok(()))))
        }
        Op::Pack { message, reset } => {
            let messages = cut_messages(plain, message)?;
            let bytes = messages.len() * message;
            let count = messages.len();
            let mut out = touched(2 * message + 256);
            let mut pack: Packer<'a> = if reset {
                let mut stream = Stream::deflate(library, level, ZLIB)?;
                Box::new(move |input, out| {
                    stream.reset()?;
                    let step = stream.step(input, out, FINISH);
                    finished(step.code, "deflate").map(|()| step.produced)
                })
            } else {
                let compress = library.compressor()?;
                if compress.run(messages[0], &mut out, level).is_err() {
                    return Err(Failure::Lacks(format!("compress2 at level {level}")));
                }
                Box::new(move |input, out| compress.run(input, out, level))
            };
            if verify {
                for input in &messages {
                    let n = pack(input, &mut out)?;
                    judge_zlib(&out[..n], input)?;
                }
            }
            let call = Box::new(move || messages.iter().map(|input| pack(input, &mut out)).sum());
            Prepared { call, bytes, messages: count }
        }
        Op::Unpack { message, reset } => {
            let judge = zlib::judge()?;
            let compress = judge.compressor()?;
            let plain_messages = cut_messages(plain, message)?;
            let mut out = touched(2 * message + 256);
            let mut packed = Vec::new();
            for input in &plain_messages {
                let n = compress.run(input, &mut out, 6)?;
                packed.push(out[..n].to_vec());
            }
            let (bytes, count) = (packed.len() * message, packed.len());
            let mut unpack: Packer<'a> = if reset {
                let mut stream = Stream::inflate(library, ZLIB)?;
                Box::new(move |input, out| {
                    stream.reset()?;
                    let step = stream.step(input, out, FINISH);
                    finished(step.code, "inflate").map(|()| step.produced)
                })
            } else {
                let uncompress = library.decompressor()?;
                Box::new(move |input, out| uncompress.run(input, out))
            };
            if verify {
                for (input, expected) in packed.iter().zip(&plain_messages) {
                    let n = unpack(input, &mut out[..message])?;
                    same(&out[..n], expected)?;
                }
            }
            let call = Box::new(move || packed.iter().map(|input| unpack(input, &mut out[..message])).sum());
            Prepared { call, bytes, messages: count }
        }
        Op::Crc32 { piece } => whole(checksum(library, c"crc32", plain, piece, 0, verify)?),
        Op::Adler32 { piece } => whole(checksum(library, c"adler32", plain, piece, 1, verify)?),
    })
}

type Packer<'a> = Box<dyn FnMut(&[u8], &mut [u8]) -> Result<usize> + 'a>;

fn deflate_in_pieces(
    library: &Library,
    level: i32,
    plain: &[u8],
    out: &mut [u8],
    mut take: impl FnMut(&[u8]),
) -> Result<()> {
    let mut stream = Stream::deflate(library, level, GZIP)?;
    let mut rest = plain;
    loop {
        let input = &rest[..rest.len().min(out.len())];
        let last = input.len() == rest.len();
        let step = stream.step(input, out, if last { FINISH } else { NO_FLUSH });
        rest = &rest[step.consumed..];
        take(&out[..step.produced]);
        match step.code {
            STREAM_END => return Ok(()),
            // With Z_FINISH, both codes mean that more output is pending. A stream that makes no progress is broken.
            OK | BUF_ERROR if step.consumed + step.produced > 0 => {}
            // libdeflate: it cannot compress in several calls.
            code if step.consumed + step.produced == 0 => {
                return Err(Failure::Lacks(format!("deflate in pieces ({code})")));
            }
            code => return Err(Failure::Wrong(format!("deflate returned {code}"))),
        }
    }
}

fn inflate_in_pieces(
    library: &Library,
    packed: &[u8],
    out: &mut [u8],
    mut take: impl FnMut(&[u8]),
) -> Result<()> {
    let mut stream = Stream::inflate(library, GZIP)?;
    let mut rest = packed;
    loop {
        let input = &rest[..rest.len().min(out.len())];
        let step = stream.step(input, out, NO_FLUSH);
        rest = &rest[step.consumed..];
        take(&out[..step.produced]);
        match step.code {
            STREAM_END => return Ok(()),
            OK | BUF_ERROR if step.consumed + step.produced > 0 => {}
            code if step.consumed + step.produced == 0 => {
                return Err(Failure::Lacks(format!("inflate in pieces ({code})")));
            }
            code => return Err(Failure::Wrong(format!("inflate returned {code}"))),
        }
    }
}

fn gzwrite_in_pieces(
    library: &Library,
    level: i32,
    plain: &[u8],
    piece: usize,
    path: &Path,
) -> Result<usize> {
    let mut file = GzFile::open(library, path, &format!("wb{level}"))?;
    for part in plain.chunks(piece) {
        file.write(part)?;
    }
    file.close()?;
    let length = std::fs::metadata(path).map_err(|e| Failure::Wrong(e.to_string()))?.len();
    Ok(length as usize)
}

fn gzread_in_pieces(
    library: &Library,
    path: &Path,
    out: &mut [u8],
    mut take: impl FnMut(&[u8]),
) -> Result<()> {
    let mut file = GzFile::open(library, path, "rb")?;
    loop {
        let n = file.read(out)?;
        if n == 0 {
            return file.close();
        }
        take(&out[..n]);
    }
}

/// Evicts the file from the page cache, except pages that are dirty or mapped.
fn evict_from_page_cache(path: &Path) -> Result<()> {
    let file = std::fs::File::open(path).map_err(|e| Failure::Wrong(e.to_string()))?;
    // SAFETY: the descriptor is open; the call only advises.
    match unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) } {
        0 => Ok(()),
        code => Err(Failure::Lacks(format!("a cold file (posix_fadvise returned {code})"))),
    }
}

fn gets_all(library: &Library, path: &Path, line: &mut [u8], mut take: impl FnMut(&[u8])) -> Result<()> {
    let mut file = GzFile::open(library, path, "rb")?;
    while let Some(n) = file.gets(line) {
        take(&line[..n]);
    }
    file.close()
}

fn getc_all(library: &Library, path: &Path, mut take: impl FnMut(u8)) -> Result<()> {
    let mut file = GzFile::open(library, path, "rb")?;
    while let Some(byte) = file.getc() {
        take(byte);
    }
    file.close()
}

fn seek_back(
    library: &Library,
    material: &Material,
    mut check: impl FnMut(&[u8], usize) -> Result<()>,
) -> Result<usize> {
    let mut file = GzFile::open(library, &material.gzip_path, "rb")?;
    let mut piece = [0u8; 4 * KIB];
    let mut size = 0;
    for eighths in [7, 6, 4, 2, 1] {
        let at = material.plain.len() / 8 * eighths;
        file.seek_to(at as u64)?;
        let n = file.read(&mut piece)?;
        check(&piece[..n], at)?;
        size += n;
    }
    file.close()?;
    Ok(size)
}

fn checksum<'a>(
    library: &Library,
    name: &std::ffi::CStr,
    plain: &'a [u8],
    piece: usize,
    start: u64,
    verify: bool,
) -> Result<Box<dyn FnMut() -> Result<usize> + 'a>> {
    let run = library.checksum(name)?;
    if verify {
        let judged = zlib::judge()?.checksum(name)?;
        let ours = plain.chunks(piece).fold(start, &run);
        if ours != plain.chunks(piece).fold(start, judged) {
            return Err(Failure::Wrong("a checksum that differs from the system's".into()));
        }
    }
    Ok(Box::new(move || {
        std::hint::black_box(plain.chunks(piece).fold(start, &run));
        Ok(plain.len())
    }))
}

/// `MESSAGES` pieces spread evenly over the corpus.
fn cut_messages(plain: &[u8], message: usize) -> Result<Vec<&[u8]>> {
    if plain.len() < message {
        return Err(Failure::Lacks("a corpus as long as one message".into()));
    }
    let stride = (plain.len() - message) / MESSAGES;
    Ok((0..MESSAGES).map(|i| &plain[i * stride..i * stride + message]).collect())
}

fn finished(code: i32, call: &str) -> Result<()> {
    if code == STREAM_END {
        Ok(())
    } else {
        Err(Failure::Wrong(format!("{call} returned {code} for Z_FINISH")))
    }
}

pub fn judge_zlib(packed: &[u8], expected: &[u8]) -> Result<()> {
    let uncompress = zlib::judge()?.decompressor()?;
    let mut out = vec![0; expected.len() + 1];
    let n = uncompress.run(packed, &mut out)?;
    same(&out[..n], expected)
}

/// Checks with the system's zlib that `packed` is exactly one gzip member and decompresses to `expected`.
pub fn judge_gzip(packed: &[u8], expected: &[u8]) -> Result<()> {
    let judge = zlib::judge()?;
    let mut stream = Stream::inflate(&judge, GZIP)?;
    let mut out = vec![0; expected.len() + 1];
    let step = stream.step(packed, &mut out, FINISH);
    finished(step.code, "the system's inflate")?;
    if step.consumed != packed.len() {
        return Err(Failure::Wrong(format!("{} bytes after the member", packed.len() - step.consumed)));
    }
    same(&out[..step.produced], expected)
}

pub fn same(got: &[u8], expected: &[u8]) -> Result<()> {
    if got == expected {
        return Ok(());
    }
    let at = got.iter().zip(expected).take_while(|(a, b)| a == b).count();
    Err(Failure::Wrong(format!("{} bytes for {}, first difference at {at}", got.len(), expected.len())))
}

/// Returns a buffer whose pages are already mapped, so that no timed call includes page faults for it.
fn touched(len: usize) -> Vec<u8> {
    vec![0xa5; len]
}

fn read_file(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| Failure::Wrong(format!("{}: {e}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_found_by_its_name() {
        for &(name, op) in ALL {
            assert_eq!(Op::named(name), Some(op));
            assert_eq!(op.name(), name);
        }
        assert_eq!(Op::named("no such thing"), None);
    }

    #[test]
    fn the_judge_rejects_a_wrong_byte_and_bytes_after_the_member() {
        let judge = zlib::judge().unwrap();
        let plain = b"the judge decodes this and compares it with what was written".repeat(20);
        let mut packed = Vec::new();
        let mut out = vec![0; 4096];
        deflate_in_pieces(&judge, 6, &plain, &mut out, |part| packed.extend_from_slice(part)).unwrap();
        judge_gzip(&packed, &plain).unwrap();
        let mut other = plain.clone();
        other[100] ^= 1;
        assert!(matches!(judge_gzip(&packed, &other), Err(Failure::Wrong(_))));
        packed.push(0);
        assert!(matches!(judge_gzip(&packed, &plain), Err(Failure::Wrong(_))));
    }

    #[test]
    fn the_system_zlib_passes_verification_of_every_operation() {
        let library = zlib::judge().unwrap();
        let plain = crate::corpus::generate::text(7, 300_000);
        let folder = std::env::temp_dir().join(format!("rigz-bench-op-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let gzip_path = folder.join("plain.gz");
        let zlib = crate::corpus::pack(&library, &plain, &gzip_path).unwrap();
        let material = Material { plain, zlib, gzip_path, scratch: folder.join("scratch") };
        for &(name, op) in ALL {
            let mut prepared = prepare(op, &library, 6, &material, true)
                .unwrap_or_else(|failure| panic!("{name}: {failure}"));
            assert!((prepared.call)().unwrap() > 0, "{name}");
            assert!(prepared.bytes > 0, "{name}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
