//! `RIGZ_LEVEL_MAP`: streams requested at one level and compressed at another, checked with the system's zlib.
//!
//! The switches are read once per process, so each setting runs this file's ignored test in a new process.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use rigz::error::{Error, Status};
use rigz::raw::{Allocator, Output};
use rigz::stream::deflate::{Config, DeflateStream};
use rigz::stream::{Flush, Level, Strategy, oneshot};

mod judge;
#[path = "../src/random.rs"]
mod random;

use random::Random;

/// Words from a small vocabulary, with runs and some noise.
fn text(len: usize, seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut data = Vec::with_capacity(len + 300);
    while data.len() < len {
        match random.below(40) {
            0 => data.extend(std::iter::repeat_n(b'=', random.below(300))),
            1 => {
                let count = random.below(9);
                data.extend(random.bytes(count));
            }
            word => data.extend(
                (0..2 + word % 7).map(|letter| b'a' + (word * 31 + letter * (7 + word / 13)) as u8 % 26),
            ),
        }
        data.push(b' ');
    }
    data.truncate(len);
    data
}

/// The input of a stream: messages, bulk and a change of level, each up to a flush.
fn pieces() -> Vec<(Vec<u8>, Flush)> {
    [
        (300, Flush::Sync),
        (20_000, Flush::Sync),
        (900_000, Flush::Full),
        (0, Flush::Sync),
        (70_000, Flush::Partial),
    ]
    .into_iter()
    .chain([(5, Flush::Block), (600_000, Flush::Sync), (4_000, Flush::Finish)])
    .enumerate()
    .map(|(number, (len, flush))| (text(len, number as u64), flush))
    .collect()
}

fn whole() -> Vec<u8> {
    pieces().into_iter().flat_map(|(piece, _)| piece).collect()
}

fn level(number: u32) -> Level {
    Level::new(number).unwrap()
}

/// A zlib stream of all pieces, level `first` and then `second`, written in cuts of `cut` bytes.
fn stream(first: u32, second: u32, cut: usize) -> Vec<u8> {
    let config = Config { level: level(first), window_bits: 15, mem_level: 8, strategy: Strategy::Default };
    let mut stream = DeflateStream::new(config, Allocator::SYSTEM).unwrap();
    let mut room = vec![0; 2 << 20];
    let mut bytes = Vec::new();
    for (number, (piece, flush)) in pieces().iter().enumerate() {
        if number == 4 {
            let mut output = Output::new(&mut room);
            stream.params(level(second), Strategy::Default, &mut &[][..], &mut output).unwrap();
            let written = output.written();
            bytes.extend_from_slice(&room[..written]);
        }
        let mut cuts = piece.chunks(cut).peekable();
        loop {
            let mut input = cuts.next().unwrap_or_default();
            let flush = if cuts.peek().is_some() { Flush::None } else { *flush };
            loop {
                let mut output = Output::new(&mut room);
                let outcome = stream.deflate(&mut input, &mut output, flush);
                let (written, is_full) = (output.written(), output.is_full());
                bytes.extend_from_slice(&room[..written]);
                match outcome {
                    Ok(Status::StreamEnd) => return bytes,
                    Ok(_) | Err(Error::Buffer) if input.is_empty() && !is_full && flush != Flush::Finish => {
                        break;
                    }
                    Ok(_) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
            if cuts.peek().is_none() {
                break;
            }
        }
    }
    panic!("the last piece ends the stream");
}

fn one_shot(number: u32) -> Vec<u8> {
    let data = whole();
    let mut room = vec![0; oneshot::compress_bound(data.len() as u64) as usize];
    let mut output = Output::new(&mut room);
    oneshot::compress(&data, &mut output, level(number)).unwrap();
    let written = output.written();
    room.truncate(written);
    room
}

#[test]
#[ignore = "run by the other tests, in a new process"]
fn streams_of_this_process() {
    let directory = std::path::PathBuf::from(std::env::var_os("RIGZ_TEST_OUT").unwrap());
    std::fs::write(directory.join("one_shot_6"), one_shot(6)).unwrap();
    std::fs::write(directory.join("one_shot_9"), one_shot(9)).unwrap();
    std::fs::write(directory.join("streamed"), stream(6, 9, usize::MAX)).unwrap();
    std::fs::write(directory.join("cut"), stream(6, 9, 12_345)).unwrap();
}

/// The four streams of a process with these switches, decoded and checked.
fn streams(map: &str, threads: &str) -> [Vec<u8>; 4] {
    // Unique, because two tests may use the same switches.
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let name = format!("rigz-level-map-{}-{}", std::process::id(), CALLS.fetch_add(1, Ordering::Relaxed));
    let directory = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&directory).unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "streams_of_this_process", "--ignored", "--quiet"])
        .env("RIGZ_LEVEL_MAP", map)
        .env("RIGZ_THREADS", threads)
        .env("RIGZ_THRESHOLD", "100K")
        .env("RIGZ_TEST_OUT", &directory)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let streams = ["one_shot_6", "one_shot_9", "streamed", "cut"]
        .map(|name| std::fs::read(directory.join(name)).unwrap());
    std::fs::remove_dir_all(&directory).unwrap();
    let data = whole();
    for stream in &streams {
        assert!(system_zlib_uncompress(stream, data.len()) == data, "under {map:?}");
    }
    streams
}

/// `uncompress()` of the system's zlib.
fn system_zlib_uncompress(source: &[u8], len: usize) -> Vec<u8> {
    type Uncompress =
        unsafe extern "C" fn(*mut u8, *mut libc::c_ulong, *const u8, libc::c_ulong) -> libc::c_int;
    let address = judge::Library::system().function("uncompress");
    // SAFETY: the signature is zlib.h's.
    let uncompress = unsafe { std::mem::transmute::<*mut libc::c_void, Uncompress>(address) };
    let mut data = vec![0; len + 1];
    let mut data_len = data.len() as libc::c_ulong;
    // SAFETY: both buffers have the lengths passed.
    let code = unsafe {
        uncompress(data.as_mut_ptr(), &raw mut data_len, source.as_ptr(), source.len() as libc::c_ulong)
    };
    assert_eq!(code, 0);
    data.truncate(data_len as usize);
    data
}

#[test]
fn mapped_levels_decode_are_smaller_and_do_not_depend_on_threads_or_cuts() {
    let usual = streams("", "1");
    let mapped = streams("6=9,9=12", "1");
    assert!(mapped == streams("6=9,9=12", "4"), "parallel equals serial");
    assert!(mapped[2] == mapped[3] && usual[2] == usual[3], "cuts do not matter");
    assert!(mapped[0][2..] == usual[1][2..], "6 is compressed as 9 was");
    assert!(mapped[1].len() < usual[1].len(), "{} and {}", mapped[1].len(), usual[1].len());
    let fast = streams("6=10,9=11", "2");
    assert!(fast[0].len() > fast[1].len() && fast[1].len() >= mapped[1].len());
}

#[test]
fn an_invalid_map_is_ignored() {
    assert!(streams("9=13", "1") == streams("", "1"));
}
