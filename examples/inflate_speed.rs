//! Compares the decoder's speed with that of other libraries in one run.
//!
//! All decoders decode the same streams in turn, several times; the shortest thread CPU time of each counts, so that
//! other load on the machine affects all equally. The table shows MB/s of output for our decoder and, for each other, how
//! many times faster ours is. zlib-ng is a dependency; zlib, libdeflate and ISA-L are measured if their shared libraries
//! are installed.
//!
//! ```text
//! cargo run --release --example inflate_speed [ROUNDS] [CORPUS_FOLDER] [PART_OF_FILE_NAME] [PART_OF_CALLS_COLUMN]
//! ```
//!
//! The corpus folder may contain zipped or plain files; generated data is always added.

#![expect(clippy::print_stdout, reason = "the report")]

#[path = "inflate_speed/corpus.rs"]
mod corpus;
#[path = "inflate_speed/others.rs"]
mod others;

use std::path::Path;

use others::Libraries;
use rigz::error::Status;
use rigz::inflate::{End, Goal, Inflate, decode};
use rigz::raw::{Allocator, Output};
use rigz::stream::oneshot::uncompress;

/// One decoder's timed work of a round; `None` if it cannot take part.
type Run<'a> = Option<Box<dyn FnMut() + 'a>>;

fn main() {
    let mut args = std::env::args().skip(1);
    let rounds: usize = args.next().and_then(|text| text.parse().ok()).unwrap_or(5);
    let folder = args.next().unwrap_or_else(|| "../shared/corpus".into());
    let file = args.next().unwrap_or_default();
    let way = args.next().unwrap_or_default();
    let libs = Libraries::load();
    println!(
        "{:<10} {:>5} {:<10} {:>6} {:>6} {:>6} {:>6} {:>6}",
        "file", "level", "calls", "MB/s", "ng", "zlib", "libdef", "ISA-L"
    );
    let mut sums = Vec::new();
    for (name, data) in corpus::files(Path::new(&folder)).iter().filter(|(name, _)| name.contains(&file)) {
        for level in [6, 9] {
            report(&format!("{name:<10} {level:>5}"), level, data, rounds, &libs, &way, &mut sums);
        }
    }
    for (way, bytes, times) in &sums {
        print_line("all          all", way, *bytes, times);
    }
}

/// Bytes and each decoder's time, per way of calling.
type Sums = Vec<(&'static str, usize, Vec<f64>)>;

/// Times all decoders on one file and prints a line for each way of calling.
fn report(title: &str, level: i32, data: &[u8], rounds: usize, libs: &Libraries, way: &str, sums: &mut Sums) {
    let Some(zlib) = &libs.zlib else { return };
    let whole = zlib.compress(data, level);
    let messages: Vec<Vec<u8>> =
        data.chunks(1024).take(2000).map(|chunk| zlib.compress(chunk, level)).collect();
    let mut contests =
        vec![raw_whole(data, &whole, libs), zlib_whole(data, &whole, libs), small(data, &messages, libs)];
    for (name, piece) in [("1 MiB", 1 << 20), ("64 KiB", 64 << 10), ("4 KiB", 4 << 10)] {
        contests.push(pieces(name, piece, data, &whole, libs));
    }
    contests.push(opened(data, &messages));
    contests.retain(|contest| contest.0.contains(way));
    for (name, bytes, runs) in &mut contests {
        let mut best = vec![f64::INFINITY; runs.len()];
        for _ in 0..rounds {
            for (run, best) in runs.iter_mut().zip(&mut best) {
                let Some(run) = run else { continue };
                let start = cpu_seconds();
                run();
                *best = best.min(cpu_seconds() - start);
            }
        }
        print_line(title, name, *bytes, &best);
        match sums.iter_mut().find(|sum| sum.0 == *name) {
            Some(sum) => {
                sum.1 += *bytes;
                sum.2.iter_mut().zip(&best).for_each(|(sum, time)| *sum += time);
            }
            None => sums.push((name, *bytes, best)),
        }
    }
}

fn print_line(title: &str, way: &str, bytes: usize, times: &[f64]) {
    print!("{title} {way:<10} {:>6.0}", bytes as f64 / times[0] / 1e6);
    for time in &times[1..] {
        match time.is_finite() {
            true => print!(" {:>6.2}", time / times[0]),
            false => print!(" {:>6}", "-"),
        }
    }
    println!();
}

/// The DEFLATE stream inside a zlib stream.
fn raw(stream: &[u8]) -> &[u8] {
    &stream[2..stream.len() - 4]
}

/// One call for the whole raw stream, into a buffer whose pages are mapped.
fn raw_whole<'a>(
    data: &'a [u8],
    stream: &'a [u8],
    libs: &'a Libraries,
) -> (&'static str, usize, Vec<Run<'a>>) {
    let raw = raw(stream);
    let buffer = || vec![1u8; data.len()];
    let mut runs: Vec<Run<'a>> = Vec::new();
    let mut out = buffer();
    runs.push(Some(Box::new(move || {
        let decoded = decode(raw, &mut Output::new(&mut out));
        assert_eq!((decoded.end, decoded.produced), (End::Complete, out.len()));
    })));
    let mut out = buffer();
    runs.push(Some(Box::new(move || others::zng_raw(raw, &mut out))));
    runs.push(None);
    runs.push(libs.deflate.as_ref().map(|lib| -> Box<dyn FnMut() + 'a> {
        let mut out = buffer();
        Box::new(move || lib.raw(raw, &mut out))
    }));
    runs.push(libs.isal.as_ref().map(|lib| -> Box<dyn FnMut() + 'a> {
        let mut out = buffer();
        let mut state = lib.memory();
        Box::new(move || lib.stateless(&mut state, raw, &mut out))
    }));
    ("raw whole", data.len(), runs)
}

/// `uncompress` of the whole stream, into a buffer whose pages are mapped. ISA-L gets the raw stream.
fn zlib_whole<'a>(
    data: &'a [u8],
    stream: &'a [u8],
    libs: &'a Libraries,
) -> (&'static str, usize, Vec<Run<'a>>) {
    let (_, bytes, mut runs) = raw_whole(data, stream, libs);
    let buffer = || vec![1u8; data.len()];
    let mut out = buffer();
    runs[0] = Some(Box::new(move || {
        assert_eq!(uncompress(stream, &mut Output::new(&mut out)).1, Ok(()));
    }));
    let mut out = buffer();
    runs[1] = Some(Box::new(move || others::zng_uncompress(stream, &mut out)));
    runs[2] = libs.zlib.as_ref().map(|lib| -> Box<dyn FnMut() + 'a> {
        let mut out = buffer();
        Box::new(move || lib.uncompress(stream, &mut out))
    });
    runs[3] = libs.deflate.as_ref().map(|lib| -> Box<dyn FnMut() + 'a> {
        let mut out = buffer();
        Box::new(move || lib.zlib(stream, &mut out))
    });
    ("zlib whole", bytes, runs)
}

/// One call for each small message; zlib-ng and zlib by `uncompress`, which checks the Adler-32 too.
fn small<'a>(
    data: &'a [u8],
    streams: &'a [Vec<u8>],
    libs: &'a Libraries,
) -> (&'static str, usize, Vec<Run<'a>>) {
    let bytes = data.len().min(streams.len() * 1024);
    let len_of = move |at: usize| (bytes - at * 1024).min(1024);
    let mut runs: Vec<Run<'a>> = Vec::new();
    runs.push(Some(Box::new(move || {
        let mut out = [0u8; 1024];
        for stream in streams {
            let (_, outcome) = uncompress(stream, &mut Output::new(&mut out));
            assert_eq!(outcome, Ok(()));
        }
    })));
    runs.push(Some(Box::new(move || {
        let mut out = [0u8; 1024];
        streams.iter().for_each(|stream| others::zng_uncompress(stream, &mut out));
    })));
    runs.push(libs.zlib.as_ref().map(|lib| -> Box<dyn FnMut() + 'a> {
        Box::new(move || {
            let mut out = [0u8; 1024];
            streams.iter().for_each(|stream| lib.uncompress(stream, &mut out));
        })
    }));
    runs.push(libs.deflate.as_ref().map(|lib| -> Box<dyn FnMut() + 'a> {
        Box::new(move || {
            let mut out = [0u8; 1024];
            streams.iter().enumerate().for_each(|(at, stream)| lib.zlib(stream, &mut out[..len_of(at)]));
        })
    }));
    runs.push(libs.isal.as_ref().map(|lib| -> Box<dyn FnMut() + 'a> {
        let mut state = lib.memory();
        Box::new(move || {
            let mut out = [0u8; 1024];
            streams
                .iter()
                .enumerate()
                .for_each(|(at, stream)| lib.stateless(&mut state, raw(stream), &mut out[..len_of(at)]));
        })
    }));
    ("1 KiB", bytes, runs)
}

/// A stream opened, decoded in one call and closed, for each 1 KiB message.
fn opened<'a>(data: &'a [u8], streams: &'a [Vec<u8>]) -> (&'static str, usize, Vec<Run<'a>>) {
    let ours = move || {
        let mut out = [0u8; 1024];
        for stream in streams {
            let mut ours = Box::new(Inflate::new(15, Allocator::SYSTEM).expect("legal window bits"));
            let mut input = &stream[..];
            let status = ours.inflate(&mut input, &mut Output::new(&mut out), Goal::Finish, &mut |_| {});
            assert_eq!(status, Ok(Status::StreamEnd));
        }
    };
    let theirs = move || {
        let mut out = [0u8; 1024];
        streams.iter().for_each(|stream| others::zng_pieces(stream, 1024.max(stream.len()), &mut out));
    };
    let bytes = data.len().min(streams.len() * 1024);
    ("1 KiB open", bytes, vec![Some(Box::new(ours)), Some(Box::new(theirs)), None, None, None])
}

/// One stream, with at most `piece` bytes of input and output per call, always with the same output buffer.
fn pieces<'a>(
    name: &'static str,
    piece: usize,
    data: &'a [u8],
    stream: &'a [u8],
    libs: &'a Libraries,
) -> (&'static str, usize, Vec<Run<'a>>) {
    let buffer = move || vec![1u8; piece];
    let mut runs: Vec<Run<'a>> = Vec::new();
    let mut out = buffer();
    runs.push(Some(Box::new(move || {
        let mut ours = Inflate::new(15, Allocator::SYSTEM).expect("legal window bits");
        let mut rest = stream;
        loop {
            let mut now = &rest[..piece.min(rest.len())];
            let offered = now.len();
            let status = ours.inflate(&mut now, &mut Output::new(&mut out), Goal::Progress, &mut |_| {});
            rest = &rest[offered - now.len()..];
            match status {
                Ok(Status::Ok) => {}
                Ok(Status::StreamEnd) => break,
                status => panic!("{status:?}"),
            }
        }
    })));
    let mut out = buffer();
    runs.push(Some(Box::new(move || others::zng_pieces(stream, piece, &mut out))));
    runs.push(libs.zlib.as_ref().map(|lib| -> Box<dyn FnMut() + 'a> {
        let mut out = buffer();
        Box::new(move || lib.pieces(stream, piece, &mut out))
    }));
    runs.push(None);
    runs.push(libs.isal.as_ref().map(|lib| -> Box<dyn FnMut() + 'a> {
        let mut out = buffer();
        let mut state = lib.memory();
        Box::new(move || lib.pieces(&mut state, stream, piece, &mut out))
    }));
    (name, data.len(), runs)
}

fn cpu_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is writable.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
