//! Reading ahead changes only the time: reading a file with other threads returns the same results as without, call by call.
//!
//! Every case runs on two readers of the same file, one serial and one that decodes ahead in a given way, with stretches so short
//! that small files have many. After each call these must be equal: the return value, the bytes, gztell, gzeof, gzdirect, and
//! the current error with its text. `TEST_SEED=n` gives other random numbers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "read_ahead/files.rs"]
mod files;
#[path = "../src/random.rs"]
mod random;

use files::{Scratch, encoders, gzip, kinds, text};
use random::Random;
use rigz::error::Result;
use rigz::gzfile::{GzFile, InjectedFault, ReadCounters, Tuning, Way, Whence};
use rigz::raw::Output;
use std::ffi::CString;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The ways to decode ahead, with stretches of `stretch` bytes, from the start of the file.
fn ways(stretch: u64) -> Vec<Tuning> {
    let tuning = Tuning { engage_after: 1, stretch, ..Tuning::default() };
    let patient = Tuning { patient: true, ..tuning };
    vec![
        Tuning { way: Way::Exact, ..patient },
        Tuning { way: Way::Guessed, ..patient },
        tuning,
        Tuning { way: Way::Guessed, fault: InjectedFault::Miss, ..patient },
        Tuning { way: Way::Guessed, fault: InjectedFault::Late, ..tuning },
        Tuning { way: Way::Exact, fault: InjectedFault::Late, ..tuning },
    ]
}

const SERIAL: Way = Way::Serial;

fn open(path: &Path, tuning: Tuning) -> GzFile {
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    let mut file = GzFile::open(&path, b"rb").unwrap();
    file.tune(tuning);
    file
}

fn serial(path: &Path) -> GzFile {
    open(path, Tuning { way: SERIAL, ..Tuning::default() })
}

fn read(file: &mut GzFile, len: usize) -> (Result<()>, Vec<u8>) {
    let mut bytes = vec![0; len];
    let mut output = Output::new(&mut bytes);
    let result = file.read(&mut output);
    let got = output.written();
    bytes.truncate(got);
    (result, bytes)
}

/// Everything that a program can see of a reader besides bytes.
fn visible(file: &mut GzFile) -> (i64, bool, bool, Option<(rigz::error::Error, String)>) {
    let failure = file.failure().map(|(error, text)| (error, text.to_str().unwrap().to_owned()));
    (file.tell(), file.is_past_end(), file.is_direct(), failure)
}

/// Reads both to the end, `len` bytes at a time; both must agree all the way.
fn read_alike(path: &Path, tuning: Tuning, len: usize, what: &str) -> ReadCounters {
    let (mut one, mut other) = (serial(path), open(path, tuning));
    let mut last_offset = 0;
    loop {
        let (expected, got) = (read(&mut one, len), read(&mut other, len));
        assert!(
            expected.0 == got.0 && expected.1 == got.1,
            "{what}: {tuning:?} at {}: {:?} is not {:?}",
            one.tell(),
            got.0,
            expected.0
        );
        assert_eq!(visible(&mut other), visible(&mut one), "{what}: {tuning:?}");
        let offset = other.offset().unwrap();
        assert!(
            offset >= last_offset,
            "{what}: {tuning:?}: the offset decreases from {last_offset} to {offset}"
        );
        last_offset = offset;
        if expected.1.len() < len {
            break;
        }
    }
    let counters = other.counters();
    assert_eq!(other.close(), one.close(), "{what}: {tuning:?}");
    counters
}

fn has_threads() -> bool {
    std::env::var("RIGZ_THREADS").map_or(true, |threads| threads != "1")
        && std::thread::available_parallelism().is_ok_and(|threads| threads.get() > 1)
}

#[test]
fn the_output_of_any_encoder_is_read_alike() {
    let scratch = Scratch::new("encoders");
    for (kind, data) in kinds(3 << 20) {
        for (encoder, bytes) in encoders(&data, &scratch) {
            let path = scratch.file("encoded", &bytes);
            let what = format!("{kind} by {encoder}");
            let mut total = ReadCounters::default();
            // Text runs all ways; the other kinds only the two that do not depend on time.
            let mut ways = ways(64 << 10);
            ways.truncate(if kind == "text" { ways.len() } else { 2 });
            for (tuning, len) in ways.into_iter().zip([100_000, 1 << 20].into_iter().cycle()) {
                let counters = read_alike(&path, tuning, len, &what);
                total.hits += counters.hits;
                total.exact += counters.exact;
                total.misses += counters.misses;
            }
            if has_threads()
                && kind == "text"
                && ["zlib-ng 6", "members", "bgzf", "markers"].contains(&encoder.as_str())
            {
                assert!(total.exact > 0 && total.hits > 0, "{what}: {total:?}");
            }
        }
    }
}

#[test]
fn damage_is_found_at_the_same_byte() {
    let scratch = Scratch::new("damage");
    let good = gzip(&text(4 << 20), 6);
    let mut random = Random::varied(1);
    for round in 0..20 {
        let mut bytes = good.clone();
        match round % 4 {
            // Anywhere: causes a wrong code, a bad block, or only a wrong check value.
            0 | 1 => {
                let at = 20_000 + random.below(bytes.len() - 20_000);
                bytes[at] ^= 1 << random.below(8);
            }
            2 => bytes.truncate(20_000 + random.below(good.len() - 20_000)),
            _ => {
                let at = 20_000 + random.below(bytes.len() - 20_000);
                let end = bytes.len().min(at + 3000);
                bytes[at..end].fill(random.below(256) as u8);
                bytes.extend_from_slice(b"and garbage after");
            }
        }
        let path = scratch.file("damaged", &bytes);
        // Each round uses guessed stretches and one other way, since the hand-overs take most of the time.
        let ways = ways(100 << 10);
        for tuning in [ways[1], ways[[0, 2, 3, 4, 5][round % 5]]] {
            read_alike(&path, tuning, [70_000, 300_000, 9_999][round % 3], &format!("round {round}"));
        }
    }
}

#[test]
fn data_after_a_member_is_handled_alike() {
    let scratch = Scratch::new("behind");
    let member = gzip(&text(1 << 20), 6);
    for tail in
        [&b""[..], b"\0\0\0\0", b"garbage", b"\x1f", b"\x1f\x8b", b"\x1f\x8b\x07", b"\x1f\x8b\x08\0\0\0"]
    {
        let mut bytes = Vec::new();
        for _ in 0..4 {
            bytes.extend_from_slice(&member);
        }
        bytes.extend_from_slice(tail);
        let path = scratch.file("behind", &bytes);
        for tuning in ways(40 << 10) {
            for len in [1 << 20, 123_456] {
                read_alike(&path, tuning, len, &format!("{tail:x?}"));
            }
        }
    }
}

#[test]
fn any_sequence_of_calls_is_answered_alike() {
    let scratch = Scratch::new("calls");
    let mut random = Random::varied(1);
    let members: Vec<u8> = (0..40).flat_map(|n| gzip(&text(100_000 + n * 1000), 6)).collect();
    let mut broken = gzip(&text(4 << 20), 9);
    let at = broken.len() * 3 / 4;
    broken[at] ^= 0x10;
    for (name, bytes) in [("one", gzip(&text(5 << 20), 6)), ("members", members), ("broken", broken)] {
        let path = scratch.file(name, &bytes);
        for round in 0..4 {
            for tuning in ways(32 << 10) {
                let (mut one, mut other) = (serial(&path), open(&path, tuning));
                for step in 0..60 {
                    let len = 1 << random.below(20);
                    let what = format!("{name}, round {round}, step {step}, {tuning:?}");
                    match random.below(16) {
                        0..8 => assert!(read(&mut one, len) == read(&mut other, len), "read {len}: {what}"),
                        8 => assert_eq!(one.read_byte(), other.read_byte(), "{what}"),
                        9 => {
                            let line = |file: &mut GzFile| {
                                let mut bytes = vec![0; 200];
                                let mut output = Output::new(&mut bytes);
                                let read = file.read_line(&mut output);
                                let count = output.written();
                                bytes.truncate(count);
                                (read, bytes)
                            };
                            assert_eq!(line(&mut one), line(&mut other), "{what}");
                        }
                        10 => assert_eq!(one.unread(Some(7)), other.unread(Some(7)), "{what}"),
                        11 => {
                            let by = len as i64;
                            assert_eq!(
                                one.seek(by, Whence::Current),
                                other.seek(by, Whence::Current),
                                "{what}"
                            );
                        }
                        12 => {
                            let to = random.below(5 << 20) as i64;
                            assert_eq!(one.seek(to, Whence::Start), other.seek(to, Whence::Start), "{what}");
                        }
                        13 if random.below(4) == 0 => assert_eq!(one.rewind(), other.rewind(), "{what}"),
                        14 => {
                            one.clear_failure();
                            other.clear_failure();
                        }
                        _ => {
                            let taken = one.waiting().len().min(other.waiting().len()).min(len);
                            assert_eq!(one.waiting()[..taken], other.waiting()[..taken], "{what}");
                            one.take(taken);
                            other.take(taken);
                        }
                    }
                    assert_eq!(visible(&mut one), visible(&mut other), "{what}");
                }
                assert_eq!(one.close(), other.close());
            }
        }
    }
}

#[test]
fn a_growing_file_is_read_further() {
    let scratch = Scratch::new("grows");
    let data = text(6 << 20);
    let bytes = gzip(&data, 6);
    for tuning in ways(48 << 10) {
        let path = scratch.file("growing", &bytes[..bytes.len() / 3]);
        let mut file = open(&path, tuning);
        let mut decoded = Vec::new();
        for end in [bytes.len() / 2, bytes.len() - 3, bytes.len()] {
            let mut written = std::fs::metadata(&path).unwrap().len() as usize;
            loop {
                let (_, got) = read(&mut file, 100_000);
                decoded.extend_from_slice(&got);
                if got.len() < 100_000 {
                    break;
                }
            }
            assert!(file.is_past_end());
            let mut more = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
            while written < end {
                let count = (end - written).min(50_000);
                more.write_all(&bytes[written..written + count]).unwrap();
                written += count;
            }
            file.clear_failure();
        }
        loop {
            let (result, got) = read(&mut file, 100_000);
            decoded.extend_from_slice(&got);
            assert_eq!(result, Ok(()), "{tuning:?}");
            if got.len() < 100_000 {
                break;
            }
        }
        assert!(decoded == data, "{tuning:?}: {} of {}", decoded.len(), data.len());
        assert_eq!(file.close(), Ok(()), "{tuning:?}");
    }
}

#[test]
fn a_file_truncated_while_it_is_read_ends_with_an_error() {
    let scratch = Scratch::new("cut");
    let data = text(6 << 20);
    let bytes = gzip(&data, 6);
    for tuning in ways(48 << 10) {
        let path = scratch.file("cut", &bytes);
        let mut file = open(&path, tuning);
        let (_, mut decoded) = read(&mut file, 2 << 20);
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(bytes.len() as u64 / 2).unwrap();
        loop {
            let (result, got) = read(&mut file, 65_536);
            decoded.extend_from_slice(&got);
            if got.is_empty() || result.is_err() {
                break;
            }
        }
        assert!(decoded.len() >= 2 << 20 && data.starts_with(&decoded), "{tuning:?}");
        assert_eq!(file.failure().map(|failure| failure.0), Some(rigz::error::Error::Buffer), "{tuning:?}");
    }
}

#[test]
fn many_files_at_once_are_read_alike() {
    let scratch = Scratch::new("many");
    let data = text(1 << 20);
    let path = scratch.file("one", &gzip(&data, 6));
    let all = ways(32 << 10);
    let mut open_files: Vec<GzFile> = (0..500).map(|n| open(&path, all[n % 3])).collect();
    for part in data.chunks(200_000) {
        for file in &mut open_files {
            assert!(read(file, part.len()).1 == part);
        }
    }
    for mut file in open_files {
        assert_eq!(file.close(), Ok(()));
    }
}
