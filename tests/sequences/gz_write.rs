//! Writing: ours and the judge, the system's zlib, write a file each with the same calls; both must decode to the data written.
//!
//! Equal after every call: the return value, gztell, gzeof, gzerror's code and text. At the end gzclose's results are equal,
//! and the system's gzread returns from both files exactly the bytes of the model, to which each call added what it should
//! write. The judge's file tests the model.
//!
//! Results may differ for gzoffset (how much has reached the file depends on buffers): it must not decrease and not exceed the
//! size of the closed file. And the judge's file is not checked if gzseek was called before the first write: zlib 1.2.13 then
//! writes uninitialised memory instead of zeros. Ours must write zeros.

use std::ffi::{CString, c_int};
use std::fs;
use std::path::Path;

use crate::gz::{error, open};
use crate::random::{Rng, data};
use crate::run::{Setup, Trace, Verdict};
use crate::zlib::{GzFile, MEM_ERROR, OK, Zlib};

struct Duo<'a> {
    setup: &'a Setup,
    ours: GzFile,
    theirs: GzFile,
    /// The bytes that the file must decode to, from this opening on.
    model: Vec<u8>,
    offset: i64,
    /// The judge may have written anything (see the module's comment).
    judge_lost: bool,
    is_transparent: bool,
}

impl Duo<'_> {
    /// The same call on both, with equal results.
    fn same<T: PartialEq + std::fmt::Debug>(
        &mut self,
        what: &str,
        trace: &mut Trace,
        call: impl Fn(&Zlib, GzFile) -> T,
    ) -> Result<T, String> {
        trace.begin(|| what.to_owned());
        let want = call(&self.setup.judge, self.theirs);
        let got = call(&self.setup.ours, self.ours);
        trace.add(|| format!("{what} -> {got:?}"));
        if got != want {
            return Err(format!("{what} gives {got:?}, the system's {want:?}"));
        }
        let facts = |lib: &Zlib, file: GzFile| (lib.gztell(file), error(lib, file), lib.gzeof(file));
        let (ours, theirs) = (facts(&self.setup.ours, self.ours), facts(&self.setup.judge, self.theirs));
        if ours != theirs {
            return Err(format!(
                "after {what} (gztell, gzerror, gzeof) is {ours:?}, the system's {theirs:?}"
            ));
        }
        let offset = self.setup.ours.gzoffset(self.ours);
        if offset < self.offset {
            return Err(format!("after {what} gzoffset fell from {} to {offset}", self.offset));
        }
        self.offset = offset;
        Ok(got)
    }
}

pub(crate) fn run(setup: &Setup, max: usize, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    let paths = [setup.folder.join("written-by-ours.gz"), setup.folder.join("written-by-them.gz")];
    for path in &paths {
        // The previous seed may have left a file.
        let _ = fs::remove_file(path);
    }
    let mut whole = Vec::new();
    let mut judge_lost = false;
    let openings = if rng.chance(20) { 2 } else { 1 };
    let transparent = rng.chance(8);
    for opening in 0..openings {
        let mut mode = String::from(if opening > 0 || rng.chance(10) { "a" } else { "w" });
        mode.push_str(rng.pick(&["", "b", "b", "e"]));
        if rng.chance(80) {
            mode.push_str(rng.pick(&["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "9", "9"]));
        }
        mode.push_str(rng.pick(&["", "", "", "", "f", "h", "R", "F"]));
        // Meaningless, repeated and contradictory letters; for some of these the open fails.
        mode.push_str(rng.pick(&["", "", "", "", "", "", "?9", "bb", "W", " ", "6h1", "ee", "+", "x"]));
        if transparent {
            mode.push('T');
        }
        judge_lost |= one_opening(setup, &paths, &mode, &mut whole, max, rng, trace)?;
    }
    if paths.iter().all(|path| !path.exists()) && whole.is_empty() {
        // Every mode was rejected.
        return Ok(());
    }
    let judged = match (judge_lost, setup.ours_is_zlib) {
        (false, _) => &paths[..],
        (true, false) => &paths[..1],
        (true, true) => &[],
    };
    for (path, who) in judged.iter().zip(["our", "the system's (a fault of this test)"]) {
        let back = read_back(setup, path);
        if back != whole {
            let at = back.iter().zip(&whole).position(|(a, b)| a != b);
            let sizes = (back.len(), whole.len());
            return Err(format!("{who} file decodes wrongly: sizes {sizes:?}, first difference at {at:?}"));
        }
    }
    let first = fs::read(&paths[0]).map_err(|e| e.to_string())?;
    if !transparent && !first.is_empty() && !first.starts_with(&[0x1F, 0x8B]) {
        return Err("the file is no gzip file".into());
    }
    Ok(())
}

fn one_opening(
    setup: &Setup,
    paths: &[std::path::PathBuf; 2],
    mode: &str,
    whole: &mut Vec<u8>,
    max: usize,
    rng: &mut Rng,
    trace: &mut Trace,
) -> Result<bool, String> {
    let by_descriptor = rng.chance(20);
    let ours = open(&setup.ours, &paths[0], mode, by_descriptor);
    let theirs = open(&setup.judge, &paths[1], mode, by_descriptor);
    trace
        .add(|| format!("gz{}open(\"{mode}\") -> {}", if by_descriptor { "d" } else { "" }, !ours.is_null()));
    if ours.is_null() != theirs.is_null() {
        let (ours, theirs) = (ours.is_null(), theirs.is_null());
        return Err(format!("gzopen(\"{mode}\") gives NULL: {ours}, the system's: {theirs}"));
    }
    if ours.is_null() {
        return Ok(false);
    }
    let mut duo = Duo {
        setup,
        ours,
        theirs,
        model: Vec::new(),
        offset: 0,
        judge_lost: false,
        is_transparent: mode.contains('T'),
    };
    duo.offset = setup.ours.gzoffset(ours).min(0);
    let input = {
        let len = rng.size(max);
        data(rng, len)
    };
    let calls = rng.size(60);
    let mut pos = 0;
    let result = (0..calls).try_for_each(|_| random_call(&mut duo, &input, &mut pos, rng, trace));
    let how = rng.below(3);
    let close = |lib: &Zlib, file: GzFile| if how == 0 { lib.gzclose_w(file) } else { lib.gzclose(file) };
    let (got, want) = (close(&setup.ours, duo.ours), close(&setup.judge, duo.theirs));
    trace.add(|| format!("gzclose -> {got}"));
    result?;
    if got != want {
        return Err(format!("gzclose gives {got}, the system's {want}"));
    }
    if got == MEM_ERROR {
        // No member could begin (a level or strategy that does not exist): the zeros of a seek were never written.
        duo.model.clear();
    }
    let size = fs::metadata(&paths[0]).map_err(|e| e.to_string())?.len();
    if duo.offset > size as i64 {
        return Err(format!("gzoffset said {}, the closed file has {size}", duo.offset));
    }
    whole.append(&mut duo.model);
    Ok(duo.judge_lost)
}

fn random_call(duo: &mut Duo, input: &[u8], pos: &mut usize, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    match rng.below(40) {
        0..14 => {
            let piece = &input[*pos..*pos + rng.cut(input.len() - *pos)];
            *pos += piece.len();
            let (from, len) = (piece.as_ptr(), piece.len() as u32);
            let n = duo.same(&format!("gzwrite({len})"), trace, |lib, f| lib.gzwrite(f, from, len))?;
            duo.model.extend_from_slice(&piece[..n.max(0) as usize]);
        }
        14..18 => {
            let byte = if rng.chance(70) { rng.range(-3, 260) } else { rng.odd_int() };
            let n = duo.same(&format!("gzputc({byte})"), trace, |lib, f| lib.gzputc(f, byte))?;
            if n >= 0 {
                duo.model.push(byte as u8);
            }
        }
        18..21 => {
            let len = rng.size(2000);
            let s = CString::new((0..len).map(|_| 1 + rng.below(255) as u8).collect::<Vec<u8>>())
                .expect("no zero");
            let n = duo.same(&format!("gzputs({len})"), trace, |lib, f| lib.gzputs(f, s.as_ptr()))?;
            if n >= 0 {
                duo.model.extend_from_slice(s.as_bytes());
            }
        }
        21..24 => {
            // gzprintf formats into the buffer: longer text is rejected, and both libraries have the same buffer size.
            let len = if rng.chance(90) { rng.size(3000) } else { rng.size(40_000) };
            let s = CString::new(vec![b'p'; len]).expect("no zero");
            let (number, letter) = (rng.bits() as c_int, b'a' + rng.below(26) as u8);
            let n =
                duo.same(&format!("gzprintf({len})"), trace, |lib, f| lib.gz_print(f, &s, number, letter))?;
            if n > 0 {
                duo.model
                    .extend_from_slice(format!("{}:{number}:{}", "p".repeat(len), letter as char).as_bytes());
            }
        }
        24..27 => {
            let size = rng.pick(&[0usize, 1, 1, 3, 7, 100]);
            let count = rng.cut(input.len() - *pos) / size.max(1);
            let from = input[*pos..].as_ptr();
            let what = format!("gzfwrite({size}, {count})");
            let n = duo.same(&what, trace, |lib, f| lib.gzfwrite(from, size, count, f))?;
            duo.model.extend_from_slice(&input[*pos..*pos + n * size]);
            *pos += n * size;
        }
        27..30 => {
            let flush = if rng.chance(90) { rng.range(-1, 6) } else { rng.odd_int() };
            duo.same(&format!("gzflush({flush})"), trace, |lib, f| lib.gzflush(f, flush))?;
        }
        // On a transparent file zlib 1.2.13 says Z_OK and zlib 1.3.1 Z_STREAM_ERROR.
        30..33 if !duo.is_transparent => {
            let (mut level, mut strategy) = (rng.range(-1, 9), rng.range(0, 4));
            if rng.chance(5) {
                // Accepted here, and rejected when the first member begins, if it has not begun.
                (level, strategy) =
                    if rng.chance(50) { (rng.odd_int(), strategy) } else { (level, rng.odd_int()) };
            }
            let what = format!("gzsetparams({level}, {strategy})");
            duo.same(&what, trace, |lib, f| lib.gzsetparams(f, level, strategy))?;
        }
        33..36 => {
            let here = duo.model.len() as i64;
            let by = if rng.chance(80) { rng.size(30_000) as i64 } else { -(rng.size(20) as i64) };
            let mut whence = rng.pick(&[libc::SEEK_SET, libc::SEEK_CUR, libc::SEEK_CUR, libc::SEEK_END]);
            if rng.chance(5) {
                whence = rng.odd_int().max(2);
            }
            let by = if rng.chance(3) { -(1 << 40) } else { by };
            let offset = if whence == libc::SEEK_SET { here + by } else { by };
            let to = duo.same(&format!("gzseek({offset}, {whence})"), trace, |lib, f| {
                lib.gzseek(f, offset, whence)
            })?;
            duo.judge_lost |= here == 0 && to > 0;
            // A rejected seek cancels an earlier seek whose zeros are not yet written, as gztell then shows.
            let end = if to >= 0 { to } else { duo.setup.judge.gztell(duo.theirs) };
            duo.model.resize(end as usize, 0);
        }
        // At least 8: with less, zlib 1.2.13's gzflush never stops writing its marker.
        36 => {
            let size =
                if input.len() > 200_000 { 65536 } else { rng.pick(&[8u32, 9, 100, 1000, 65536, 131_072]) };
            let size = if rng.chance(10) { u32::MAX - rng.below(1 << 31) as u32 } else { size };
            duo.same(&format!("gzbuffer({size})"), trace, |lib, f| lib.gzbuffer(f, size))?;
        }
        37 => {
            // Lengths that do not fit in an int, or overflow, set an error.
            let from = input.as_ptr();
            if rng.chance(20) {
                let len = u32::MAX - rng.below(1 << 31) as u32;
                duo.same(&format!("gzwrite({len})"), trace, |lib, f| lib.gzwrite(f, from, len))?;
            } else if rng.chance(20) {
                let (size, count) = (usize::MAX >> rng.below(8), 1000 + rng.below(1000));
                let what = format!("gzfwrite({size}, {count})");
                duo.same(&what, trace, |lib, f| lib.gzfwrite(from, size, count, f))?;
            }
            if rng.chance(90) {
                duo.same("gzclearerr", trace, |lib, f| lib.gzclearerr(f))?;
            }
        }
        38 => {
            // Reading calls on a file opened for writing fail.
            let mut byte = 0u8;
            let at = &raw mut byte;
            duo.same("gzread on a written file", trace, |lib, f| lib.gzread(f, at, 1))?;
            duo.same("gzgetc on a written file", trace, |lib, f| lib.gzgetc(f))?;
            duo.same("gzrewind on a written file", trace, |lib, f| lib.gzrewind(f))?;
        }
        _ => {
            duo.same("gzdirect", trace, |lib, f| lib.gzdirect(f))?;
        }
    }
    Ok(())
}

/// The whole file, read by the system's gzread; ends early at an error.
fn read_back(setup: &Setup, path: &Path) -> Vec<u8> {
    let lib = &setup.judge;
    let file = open(lib, path, "rb", false);
    assert!(!file.is_null(), "the written file can be opened");
    let mut all = Vec::new();
    let mut piece = vec![0u8; 1 << 18];
    loop {
        let n = lib.gzread(file, piece.as_mut_ptr(), piece.len() as u32);
        if n <= 0 {
            break;
        }
        all.extend_from_slice(&piece[..n as usize]);
    }
    if lib.gzclose(file) != OK {
        all.extend_from_slice(b"(and an error at the end)");
    }
    all
}
