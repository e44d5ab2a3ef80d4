//! Reading: both libraries read the same file with the same calls and must return the same results.
//!
//! The file is plain, gzip, several members, one with trailing garbage, truncated, damaged or empty. After every call these
//! are equal: the return value, the bytes, gztell, gzeof, gzdirect, gzerror's code and text; and, because a program's gzgetc
//! is a macro, the byte that this macro would take from the public fields of the file.
//!
//! Results may differ for a damaged or truncated file. zlib 1.2.13 loses the contents of its buffer before the damage, or
//! reports a truncation while there are still bytes to return. Ours returns every byte before the damage and then the error
//! (as zlib 1.3.2 does). So the first call for which the judge returns the file's error may have another result in ours. From
//! there ours is read to its end: it must return exactly the bytes that the system's inflate can decode, and then the judge's
//! error, code and text. And gzungetc may succeed where the judge has no room: our buffer may be larger. The seed ends there.

use std::ffi::c_int;
use std::fs;
use std::path::Path;

use crate::gz::{error, open};
use crate::params::Params;
use crate::random::{Rng, data};
use crate::run::{Setup, Trace, Verdict};
use crate::streams;
use crate::zlib::{BUF_ERROR, DATA_ERROR, FINISH, GzFile, NO_FLUSH, OK, STREAM_END, ZStream, Zlib};

/// A gzip member written by the system's zlib.
fn member(setup: &Setup, rng: &mut Rng, input: &[u8]) -> Vec<u8> {
    let mut strm = ZStream::new();
    setup.judge.deflate_init2(&mut strm, &Params::usual(rng.range(0, 9), 31));
    let mut out = vec![0; input.len() + input.len() / 8 + 1000];
    strm.next_in = input.as_ptr();
    strm.avail_in = input.len() as u32;
    strm.next_out = out.as_mut_ptr();
    strm.avail_out = out.len() as u32;
    let code = setup.judge.deflate(&mut *strm, FINISH);
    assert_eq!(code, STREAM_END, "the judge writes its member into ample room");
    out.truncate(strm.total_out as usize);
    setup.judge.deflate_end(&mut *strm);
    out
}

fn make_file(setup: &Setup, max: usize, rng: &mut Rng) -> (Vec<u8>, &'static str) {
    // Most files are small; some must be long enough for seeks.
    let len = if rng.chance(20) { max / 8 + rng.below(max / 4) } else { rng.size(max) };
    let input = data(rng, len);
    let mut bytes = member(setup, rng, &input);
    match rng.below(20) {
        0..2 => (input, "plain"),
        2..8 => (bytes, "gzip"),
        8..11 => {
            for _ in 0..1 + rng.below(4) {
                let len = rng.size(max / 4);
                let next = data(rng, len);
                bytes.extend(member(setup, rng, &next));
            }
            (bytes, "members")
        }
        11..13 => {
            let tail: &[&[u8]] =
                &[b"\0\0\0\0", b"garbage behind", b"\x1f", b"\x1f\x8b", b"\x1f\x8b\x07", b"\x1f\x8b\x08\0"];
            bytes.extend_from_slice(rng.pick(tail));
            (bytes, "garbage behind")
        }
        13..15 => {
            let len = rng.below(bytes.len() + 1);
            bytes.truncate(len);
            (bytes, "truncated")
        }
        15..18 => {
            streams::damage(rng, &mut bytes);
            (bytes, "damaged")
        }
        18 => {
            let made = streams::make(setup, rng, 20_000, None);
            (made.bytes, "any stream")
        }
        _ => {
            let len = rng.below(12);
            bytes.truncate(len);
            (bytes, "a few bytes")
        }
    }
}

struct Duo<'a> {
    setup: &'a Setup,
    ours: GzFile,
    theirs: GzFile,
    /// The decodable bytes of the file, and whether an error follows.
    ideal: Vec<u8>,
    is_faulty: bool,
    /// A byte was pushed back, so the bytes read are not only the file's.
    is_pushed: bool,
    /// The judge has reported the file's error, in a call where ours had another result.
    is_over: bool,
    is_cleared: bool,
    has_sought: bool,
}

/// The bytes that the system's inflate decodes from a file before any error, by gzread's rules: consecutive members, anything
/// else after them ignored, a file without gzip's magic number copied as it is.
fn ideal(setup: &Setup, bytes: &[u8]) -> (Vec<u8>, bool) {
    if !bytes.starts_with(&[0x1F, 0x8B]) {
        return (bytes.to_vec(), false);
    }
    let mut strm = ZStream::new();
    setup.judge.inflate_init2(&mut strm, 31);
    strm.next_in = bytes.as_ptr();
    strm.avail_in = bytes.len() as u32;
    let mut all = Vec::new();
    let mut piece = vec![0u8; 1 << 16];
    let is_faulty = loop {
        strm.next_out = piece.as_mut_ptr();
        strm.avail_out = piece.len() as u32;
        let code = setup.judge.inflate(&mut *strm, NO_FLUSH);
        let made = piece.len() - strm.avail_out as usize;
        all.extend_from_slice(&piece[..made]);
        let rest = &bytes[bytes.len() - strm.avail_in as usize..];
        match code {
            STREAM_END if !rest.starts_with(&[0x1F, 0x8B]) => break false,
            STREAM_END => _ = setup.judge.inflate_reset(&mut *strm),
            OK if made > 0 || !rest.is_empty() => {}
            _ => break true,
        }
    };
    setup.judge.inflate_end(&mut *strm);
    (all, is_faulty)
}

impl Duo<'_> {
    fn same<T: PartialEq + std::fmt::Debug>(
        &mut self,
        what: &str,
        trace: &mut Trace,
        call: impl Fn(&Zlib, GzFile) -> T,
    ) -> Result<T, String> {
        trace.begin(|| what.to_owned());
        let want = call(&self.setup.judge, self.theirs);
        let got = call(&self.setup.ours, self.ours);
        trace.add(|| format!("{what} -> {}", short(&got)));
        let (_, message) = error(&self.setup.judge, self.theirs);
        let is_full = message.contains("out of room to push");
        // In a faulty file zlib may lose good bytes before it reports the error, and may not report it at all.
        if (self.is_faulty || is_full) && (got != want || self.compare(what).is_err()) {
            self.is_over = true;
            return Ok(got);
        }
        if got != want {
            return Err(format!("{what} gives {}, the system's {}", short(&got), short(&want)));
        }
        self.compare(what)?;
        Ok(got)
    }

    /// The judge has found the file's error: reads the rest from ours, and checks its error.
    fn judge_rest(&mut self, trace: &mut Trace) -> Verdict {
        let want = error(&self.setup.judge, self.theirs);
        if want.1.contains("out of room to push") {
            return Ok(());
        }
        let lib = &self.setup.ours;
        let start = lib.gztell(self.ours);
        let mut rest = Vec::new();
        let mut piece = vec![0u8; 40_000];
        if error(lib, self.ours).0 == OK {
            loop {
                let n = lib.gzread(self.ours, piece.as_mut_ptr(), piece.len() as u32);
                if n <= 0 {
                    break;
                }
                rest.extend_from_slice(&piece[..n as usize]);
            }
        }
        let got = error(lib, self.ours);
        trace.add(|| format!("the rest from {start}: {} bytes, then {got:?}", rest.len()));
        // After gzclearerr zlib tries to continue after the fault, and finds another.
        // And it does not report a truncated trailer if a read ended exactly at the end of the data.
        let is_told =
            got == want || ((self.is_cleared || want.0 == OK) && matches!(got.0, DATA_ERROR | BUF_ERROR));
        if !is_told {
            return Err(format!("the file's error is {got:?}, the system's {want:?}"));
        }
        let ideal = self.ideal.get(start.max(0) as usize..).unwrap_or_default();
        if !self.is_pushed && rest != ideal {
            let (got, want) = (rest.len(), ideal.len());
            return Err(format!(
                "before its error the file gives {got} bytes from {start}, not the {want} that decode"
            ));
        }
        Ok(())
    }

    fn compare(&mut self, what: &str) -> Verdict {
        let facts = |lib: &Zlib, file: GzFile| (lib.gztell(file), lib.gzeof(file), error(lib, file));
        let (got, want) = (facts(&self.setup.ours, self.ours), facts(&self.setup.judge, self.theirs));
        if got != want {
            return Err(format!("after {what} (gztell, gzeof, gzerror) is {got:?}, the system's {want:?}"));
        }
        Ok(())
    }
}

fn short<T: std::fmt::Debug>(value: &T) -> String {
    let mut all = format!("{value:?}");
    if all.len() > 120 {
        let cut = (0..=100).rev().find(|at| all.is_char_boundary(*at)).unwrap_or(0);
        all.truncate(cut);
        all.push_str("...");
    }
    all
}

pub(crate) fn run(setup: &Setup, max: usize, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    let (bytes, kind) = make_file(setup, max, rng);
    read(setup, &bytes, kind, rng, trace)
}

/// Random calls on a file with these bytes.
pub(crate) fn read(setup: &Setup, bytes: &[u8], kind: &str, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    let path = setup.folder.join("to-read.gz");
    fs::write(&path, bytes).map_err(|e| e.to_string())?;
    if !setup.ours_is_zlib && rng.chance(5) {
        unget_first(setup, &path, rng, trace)?;
    }
    let mode = rng.pick(&["r", "rb", "rb", "rb", "re", "r9", "rF0", "rhb?", "rr", "r e"]);
    let by_descriptor = rng.chance(20);
    let ours = open(&setup.ours, &path, mode, by_descriptor);
    let theirs = open(&setup.judge, &path, mode, by_descriptor);
    trace.add(|| format!("gzopen(\"{mode}\") -> {}; {kind}, {} bytes", !ours.is_null(), bytes.len()));
    if ours.is_null() || theirs.is_null() {
        return Err(format!(
            "gzopen(\"{mode}\") gives NULL: {}, the system's: {}",
            ours.is_null(),
            theirs.is_null()
        ));
    }
    let (ideal, is_faulty) = ideal(setup, bytes);
    let mut duo = Duo {
        setup,
        ours,
        theirs,
        ideal,
        is_faulty,
        is_pushed: false,
        is_over: false,
        is_cleared: false,
        has_sought: false,
    };
    let mut result = calls(&mut duo, rng, trace);
    if result.is_ok() && duo.is_over {
        result = duo.judge_rest(trace);
    }
    let how = rng.below(3);
    let close = |lib: &Zlib, file: GzFile| if how == 0 { lib.gzclose_r(file) } else { lib.gzclose(file) };
    let (got, want) = (close(&setup.ours, duo.ours), close(&setup.judge, duo.theirs));
    trace.add(|| format!("gzclose -> {got}"));
    result?;
    if got != want && !(duo.is_faulty && (duo.is_cleared || duo.is_over)) {
        return Err(format!("gzclose gives {got}, the system's {want}"));
    }
    Ok(())
}

/// gzungetc as the first call, which zlib allows since 1.3: the byte is read first, and then the unchanged file.
fn unget_first(setup: &Setup, path: &Path, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    let lib = &setup.ours;
    let byte = rng.range(0, 255);
    trace.begin(|| format!("gzungetc({byte}) as the first call"));
    let ours = open(lib, path, "rb", false);
    let back = (lib.gzungetc(byte, ours), lib.gztell(ours), lib.gzgetc(ours));
    let rest = read_into(1000, |at| lib.gzread(ours, at, 1000).into());
    lib.gzclose(ours);
    let theirs = open(&setup.judge, path, "rb", false);
    let want = read_into(1000, |at| setup.judge.gzread(theirs, at, 1000).into());
    setup.judge.gzclose(theirs);
    // For a faulty file zlib 1.2.13 may return nothing where ours returns the bytes before the damage.
    if back != (byte, -1, byte) || (rest != want && want.0 >= 0) {
        let (got, want) = (rest.0, want.0);
        return Err(format!(
            "gzungetc({byte}) first, then gztell, gzgetc: {back:?}; then gzread {got}, want {want}"
        ));
    }
    Ok(())
}

fn calls(duo: &mut Duo, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    if rng.chance(30) {
        let mut size = rng.pick(&[8u32, 9, 100, 1000, 65536, 200_000]);
        if duo.ideal.len() > 200_000 {
            // Megabytes by the byte are a million system calls.
            size = size.max(1000);
        }
        duo.same(&format!("gzbuffer({size})"), trace, |lib, f| lib.gzbuffer(f, size))?;
    }
    if rng.chance(20) {
        duo.same("gzdirect", trace, |lib, f| lib.gzdirect(f))?;
    }
    // Some seeds read to the end and make calls there, others seek.
    let seeking = rng.chance(50);
    if seeking && rng.chance(50) && !duo.ideal.is_empty() {
        // Data already read: ours need not decode from the start again.
        let len = duo.ideal.len();
        duo.same(&format!("gzread({len})"), trace, |lib, f| {
            read_into(len, |at| lib.gzread(f, at, len as u32).into())
        })?;
        for _ in 0..1 + rng.below(8) {
            let (target, few) = (rng.below(len + 1) as i64, rng.size(3000));
            if duo.is_over {
                break;
            }
            duo.same(&format!("gzseek({target})"), trace, |lib, f| lib.gzseek(f, target, libc::SEEK_SET))?;
            if duo.is_over {
                break;
            }
            duo.same(&format!("gzread({few})"), trace, |lib, f| {
                read_into(few, |at| lib.gzread(f, at, few as u32).into())
            })?;
        }
        duo.has_sought = true;
        if duo.is_over {
            return Ok(());
        }
    }
    let count = 3 + rng.size(120);
    let mut at_end = 0;
    for _ in 0..count {
        random_call(duo, seeking, rng, trace)?;
        if duo.is_over {
            break;
        }
        at_end += c_int::from(duo.setup.judge.gzeof(duo.theirs) == 1);
        if at_end > 12 {
            break;
        }
    }
    Ok(())
}

/// Calls gzread or a similar function on a buffer followed by a guard; returns the return value and the bytes.
fn read_into(room: usize, call: impl FnOnce(*mut u8) -> i64) -> (i64, Vec<u8>) {
    let mut buffer = vec![0xC5u8; room + 16];
    let n = call(buffer.as_mut_ptr());
    if buffer[room..].iter().any(|b| *b != 0xC5) {
        return (i64::MIN, buffer);
    }
    buffer.truncate(n.clamp(0, room as i64) as usize);
    (n, buffer)
}

fn random_call(duo: &mut Duo, seeking: bool, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    match rng.below(40) {
        0..12 => {
            let len = match rng.below(4) {
                0 => rng.below(20),
                1 => rng.size(3000),
                _ => rng.size(300_000),
            };
            duo.same(&format!("gzread({len})"), trace, |lib, f| {
                read_into(len, |at| lib.gzread(f, at, len as u32).into())
            })?;
        }
        12..15 => {
            let (size, count) = (rng.pick(&[1usize, 3, 7, 512]), rng.size(2000));
            duo.same(&format!("gzfread({size}, {count})"), trace, |lib, f| {
                // The bytes of a last, incomplete item are in the buffer too, but only whole items are counted.
                read_into(size * count, |at| (lib.gzfread(at, size, count, f) * size) as i64)
            })?;
        }
        15..20 => {
            let told = rng.pick(&[0, 1, 2, 10, 80, 300, 5000, -1, i32::MIN]);
            let len = told.max(0) as usize;
            duo.same(&format!("gzgets({told})"), trace, |lib, f| {
                let mut buffer = vec![0xC5u8; len + 16];
                let at = buffer.as_mut_ptr();
                let got = lib.gzgets(f, at, told);
                let place = (!got.is_null()).then(|| got as usize - at as usize);
                let guard = buffer.split_off(len);
                let end = buffer.iter().position(|b| *b == 0);
                // A line with zero bytes in it: gztell shows its length.
                let line = if place.is_some() { buffer } else { Vec::new() };
                (place, end.filter(|_| place.is_some()), line, guard.iter().all(|b| *b == 0xC5))
            })?;
        }
        20..24 => {
            duo.same("gzgetc", trace, |lib, f| if rng_free(f) { lib.gzgetc(f) } else { lib.gzgetc_(f) })?;
        }
        24..27 => {
            let times = 1 + rng.below(20);
            duo.same(&format!("the gzgetc macro, {times} times"), trace, |lib, f| {
                (0..times).map(|_| macro_getc(lib, f)).collect::<Vec<c_int>>()
            })?;
        }
        27..30 => {
            let byte = if rng.chance(80) { rng.range(-1, 255) } else { rng.odd_int() };
            // zlib 1.2.13 crashes on gzungetc before the first read; gzdirect makes it read the file.
            duo.same("gzdirect", trace, |lib, f| lib.gzdirect(f))?;
            if !duo.is_over {
                duo.is_pushed = true;
                duo.same(&format!("gzungetc({byte})"), trace, |lib, f| lib.gzungetc(byte, f))?;
            }
        }
        30..34 if seeking => {
            let whence =
                rng.pick(&[libc::SEEK_SET, libc::SEEK_SET, libc::SEEK_CUR, libc::SEEK_CUR, libc::SEEK_END]);
            let size = if rng.chance(50) {
                rng.below(duo.ideal.len() * 5 / 4 + 2) as i64
            } else {
                rng.size(duo.ideal.len().max(200_000) * 5 / 4) as i64
            };
            let whence = if rng.chance(5) { rng.odd_int().max(2) } else { whence };
            let offset = if whence == libc::SEEK_CUR && rng.chance(50) { -size / 4 } else { size };
            let offset = if rng.chance(3) { rng.pick(&[-(1 << 40), 1 << 40]) } else { offset };
            duo.same(&format!("gzseek({offset}, {whence})"), trace, |lib, f| lib.gzseek(f, offset, whence))?;
            duo.has_sought = true;
        }
        34 if seeking => {
            duo.same("gzrewind", trace, |lib, f| lib.gzrewind(f))?;
        }
        // Not after a seek: zlib then reads a plain file's first bytes, and its gzgetc macro returns them unchanged.
        35 if !duo.has_sought => {
            duo.same("gzdirect", trace, |lib, f| lib.gzdirect(f))?;
        }
        36 if rng.chance(50) => {
            duo.same("gzclearerr", trace, |lib, f| lib.gzclearerr(f))?;
            duo.is_cleared = true;
        }
        37 => {
            duo.same("gzwrite on a read file", trace, |lib, f| lib.gzwrite(f, b"x".as_ptr(), 1))?;
        }
        38 => {
            let size = rng.pick(&[8u32, 100, 65536, 1 << 31, u32::MAX]);
            duo.same(&format!("gzbuffer({size})"), trace, |lib, f| lib.gzbuffer(f, size))?;
        }
        39 if !duo.is_faulty && rng.chance(30) => {
            // Lengths that exceed the types set an error, and nothing is read. Both lose their buffered bytes, and the number of
            // these may differ, so both start again.
            let mut byte = 0xC5u8;
            let at = &raw mut byte;
            let len = u32::MAX - rng.below(1 << 31) as u32;
            duo.same(&format!("gzread({len})"), trace, |lib, f| lib.gzread(f, at, len))?;
            let (size, count) = (usize::MAX >> rng.below(8), 1000 + rng.below(1000));
            let what = format!("gzfread({size}, {count})");
            duo.same(&what, trace, |lib, f| lib.gzfread(at, size, count, f))?;
            duo.same("gzgetc", trace, macro_getc)?;
            duo.same("gzclearerr", trace, |lib, f| lib.gzclearerr(f))?;
            duo.same("gzrewind", trace, |lib, f| lib.gzrewind(f))?;
            if byte != 0xC5 {
                return Err("a refused read writes".into());
            }
        }
        _ => {
            duo.same("gzoffset is not negative", trace, |lib, f| lib.gzoffset(f) >= 0)?;
        }
    }
    Ok(())
}

/// gzgetc and gzgetc_ are the same function under two names: take either, by the file's position.
fn rng_free(file: GzFile) -> bool {
    // SAFETY: the visible head of an open gzFile.
    let position = unsafe { (*file).pos };
    position % 2 == 0
}

/// Does the same as zlib.h's gzgetc macro in a program.
fn macro_getc(lib: &Zlib, file: GzFile) -> c_int {
    // SAFETY: the visible head of an open gzFile, used by no one else during this call.
    let head = unsafe { &mut *file };
    if head.have == 0 {
        return lib.gzgetc(file);
    }
    head.have -= 1;
    head.pos += 1;
    // SAFETY: the library says that `have` bytes, at least one, lie at `next`.
    let byte = unsafe { *head.next };
    head.next = head.next.wrapping_add(1);
    c_int::from(byte)
}
