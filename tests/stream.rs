//! The streaming compressor under random calls, checked with the system's zlib: after a flush, the output must decode to the
//! input, and neither the sizes of the pieces of input and output nor a copy in mid-stream may change a byte.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fmt::Debug;

use rigz::error::{Error, Status};
use rigz::raw::{Allocator, Output};
use rigz::stream::deflate::{Config, DeflateStream};
use rigz::stream::{Flush, Level, Strategy};

mod judge;
#[path = "../src/random.rs"]
mod random;

use judge::{ZStream, zlib};
use libc::{c_int, c_uint};
use random::Random;

const Z_OK: c_int = 0;
const Z_STREAM_END: c_int = 1;
const Z_SYNC_FLUSH: c_int = 2;

fn text(len: usize, seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut data = Vec::with_capacity(len + 16);
    while data.len() < len {
        if random.below(20) == 0 {
            let count = random.below(12);
            data.extend(random.bytes(count));
        }
        data.extend_from_slice(
            [&b"deflate "[..], b"stream", b"\nblock ", b"of ", b"flushed"][random.below(5)],
        );
    }
    data.truncate(len);
    data
}

/// Calls `deflate` with `room` bytes of output each until `input` is taken and the flush is complete.
fn drive(
    stream: &mut DeflateStream,
    mut input: &[u8],
    flush: Flush,
    room: usize,
    bytes: &mut Vec<u8>,
) -> Status {
    let mut buffer = vec![0; room];
    loop {
        let mut output = Output::new(&mut buffer);
        let before = input.len();
        let outcome = stream.deflate(&mut input, &mut output, flush);
        let written = output.written();
        bytes.extend_from_slice(&buffer[..written]);
        match outcome {
            Ok(Status::StreamEnd) => {
                assert!(input.is_empty(), "the stream ended with {} bytes of input left", input.len());
                return Status::StreamEnd;
            }
            Err(Error::Buffer) if input.is_empty() && flush != Flush::Finish => return Status::Ok,
            Ok(status) if input.is_empty() && written < room && flush != Flush::Finish => return status,
            Ok(_) => assert!(written > 0 || input.len() < before, "no progress with {before} bytes left"),
            Err(error) => panic!("{error:?} with {} bytes left", input.len()),
        }
    }
}

/// The system's inflate: its last code, and the data, of at most `len` bytes. It must take all of `bytes`.
fn inflate(bytes: &[u8], window_bits: c_int, len: usize) -> (c_int, Vec<u8>) {
    let mut data = vec![0; len + 1];
    let mut stream = ZStream::new();
    let size = size_of::<ZStream>() as c_int;
    // SAFETY: `stream` outlives the calls, and the size is its own.
    let code = unsafe { (zlib().init)(&raw mut *stream, window_bits, c"1.2.11".as_ptr(), size) };
    assert_eq!(code, Z_OK);
    (stream.next_in, stream.avail_in) = (bytes.as_ptr(), bytes.len() as c_uint);
    (stream.next_out, stream.avail_out) = (data.as_mut_ptr(), data.len() as c_uint);
    // SAFETY: both buffers live and have the sizes given.
    let code = unsafe { (zlib().inflate)(&raw mut *stream, Z_SYNC_FLUSH) };
    let (input_left, written) = (stream.avail_in, stream.total_out as usize);
    // SAFETY: initialised above.
    unsafe { (zlib().end)(&raw mut *stream) };
    assert_eq!(input_left, 0, "inflate returns {code} with input left");
    data.truncate(written);
    (code, data)
}

/// `bytes` is a finished stream of `want`.
#[track_caller]
fn assert_is_stream_of(bytes: &[u8], window_bits: c_int, want: &[u8], what: impl Debug) {
    let (code, data) = inflate(bytes, window_bits, want.len());
    assert_eq!(code, Z_STREAM_END, "{what:?}");
    assert_same(&data, want, what);
}

/// `bytes` is the start of a stream that decodes to `want` so far.
#[track_caller]
fn assert_decodes_so_far(bytes: &[u8], window_bits: c_int, want: &[u8], what: impl Debug) {
    let (code, data) = inflate(bytes, window_bits, want.len());
    assert_eq!(code, Z_OK, "{what:?}");
    assert_same(&data, want, what);
}

/// `assert_eq!` for long slices: prints only the lengths and where the first difference is.
#[track_caller]
fn assert_same(got: &[u8], want: &[u8], what: impl Debug) {
    if got != want {
        let at = got.iter().zip(want).position(|(a, b)| a != b).unwrap_or(got.len().min(want.len()));
        panic!("{what:?}: {} bytes, want {}; first difference at {at}", got.len(), want.len());
    }
}

fn stream(level: u32, window_bits: i32) -> DeflateStream {
    let level = Level::new(level).unwrap();
    let config = Config { level, window_bits, mem_level: 8, strategy: Strategy::Default };
    DeflateStream::new(config, Allocator::SYSTEM).unwrap()
}

const FLUSHES: [Flush; 4] = [Flush::Sync, Flush::Full, Flush::Partial, Flush::Block];

#[test]
fn everything_before_a_flush_decodes() {
    // Segments below and above 1 MiB, from which size on a segment is compressed in parallel: the stream switches engines.
    for (seed, window_bits) in [(1, 15), (2, 31), (3, -15)] {
        let mut random = Random::new(seed);
        let data = text(6_000_000, seed);
        let (mut stream, mut bytes, mut at) = (stream(9, window_bits), Vec::new(), 0);
        while at < data.len() {
            let len = [10, 100_000, (1 << 20) - 1, 1 << 20, 1_500_000][random.below(5)].min(data.len() - at);
            let flush = FLUSHES[random.below(4)];
            drive(&mut stream, &data[at..at + len], flush, 100_000, &mut bytes);
            at += len;
            // After `Block` the last bits may be kept back.
            if flush != Flush::Block {
                assert_decodes_so_far(&bytes, window_bits, &data[..at], (window_bits, flush, at));
            }
        }
        assert_eq!(drive(&mut stream, &[], Flush::Finish, 1000, &mut bytes), Status::StreamEnd);
        assert_is_stream_of(&bytes, window_bits, &data, window_bits);
    }
}

#[test]
fn output_does_not_depend_on_the_sizes_of_the_pieces() {
    let data = text(3_200_000, 5);
    // The flushed segments: one that is compressed in parallel, a short one, and a parallel one up to the end.
    let segments = [(1_300_000, Flush::Sync), (1_400_000, Flush::Full), (data.len(), Flush::Finish)];
    let run = |piece: usize, room: usize| {
        let (mut stream, mut bytes, mut at) = (stream(9, 31), Vec::new(), 0);
        for (end, flush) in segments {
            let mut pieces = data[at..end].chunks(piece).peekable();
            while let Some(part) = pieces.next() {
                let flush = if pieces.peek().is_none() { flush } else { Flush::None };
                drive(&mut stream, part, flush, room, &mut bytes);
            }
            at = end;
        }
        bytes
    };
    let whole = run(data.len(), 4_000_000);
    assert_is_stream_of(&whole, 31, &data, "whole");
    for (piece, room) in [(1000, 4_000_000), (65_537, 5_000), (700_000, 333), (1 << 20, 4_000_000)] {
        assert_same(&run(piece, room), &whole, (piece, room));
    }
}

#[test]
fn a_copied_stream_produces_the_same_output() {
    let data = text(4_000_000, 6);
    for at in [0, 1, 600_000, 1_100_000, 3_000_000] {
        let (mut first, mut bytes) = (stream(9, 15), Vec::new());
        drive(&mut first, &data[..at], Flush::None, 50_000, &mut bytes);
        let mut copied = bytes.clone();
        let mut second = first.try_clone().unwrap();
        drive(&mut second, &data[at..], Flush::Finish, 50_000, &mut copied);
        drive(&mut first, &data[at..], Flush::Finish, 70_000, &mut bytes);
        assert_same(&copied, &bytes, ("the copy", at));
        assert_is_stream_of(&bytes, 15, &data, at);
    }
}

#[test]
fn a_reset_stream_writes_what_a_new_one_writes() {
    let data = text(1_500_000, 7);
    let run = |stream: &mut DeflateStream| {
        let mut bytes = Vec::new();
        drive(stream, &data, Flush::Finish, 100_000, &mut bytes);
        bytes
    };
    for before in [0, 1000, 1_200_000] {
        for flush in [Flush::None, Flush::Sync, Flush::Finish] {
            let mut used = stream(9, 15);
            drive(&mut used, &data[..before], flush, 100_000, &mut Vec::new());
            used.reset().unwrap();
            assert_same(&run(&mut used), &run(&mut stream(9, 15)), (flush, before));
        }
    }
}

#[test]
fn params_change_the_level_of_the_data_after_them() {
    let data = text(5_000_000, 8);
    let mut random = Random::new(8);
    let (mut stream, mut bytes, mut at) = (stream(6, 15), Vec::new(), 0);
    let mut room = vec![0; 8_000_000];
    // Since the last change between level 0, which stores, and the others: where the data and the output began.
    let (mut level, mut data_start, mut output_start, mut checked) = (6, 0, 0, [0; 2]);
    while at < data.len() {
        let len = [5, 70_000, 1_100_000][random.below(3)].min(data.len() - at);
        drive(&mut stream, &data[at..at + len], Flush::None, 90_000, &mut bytes);
        at += len;
        let mut output = Output::new(&mut room);
        let new = [1, 6, 9, 9, 0][random.below(5)];
        stream.params(Level::new(new).unwrap(), Strategy::Default, &mut &[][..], &mut output).unwrap();
        let written = output.written();
        bytes.extend_from_slice(&room[..written]);
        if (new == 0) != (level == 0) {
            let (taken, made) = (at - data_start, bytes.len() - output_start);
            // Up to 8 bytes of the last block may be kept back.
            match level {
                0 => assert!(made + 8 >= taken, "{taken} bytes were compressed to {made} at level 0"),
                _ => assert!(
                    taken < 1000 || made < taken / 2,
                    "{taken} bytes became {made}, up to level {level}"
                ),
            }
            checked[usize::from(level == 0)] += taken;
            (data_start, output_start) = (at, bytes.len());
        }
        level = new;
    }
    assert!(checked.iter().all(|&len| len >= 70_000), "{checked:?} bytes were compressed and stored");
    assert_eq!(drive(&mut stream, &[], Flush::Finish, 90_000, &mut bytes), Status::StreamEnd);
    assert_is_stream_of(&bytes, 15, &data, "all levels");
}

#[test]
fn output_stays_within_zlibs_bound() {
    let mut random = Random::new(9);
    let noise = random.bytes(4_000_000);
    for number in 0..=12 {
        let level = Level::new(number).unwrap();
        for len in [0, 1, 5, 100, 16_384, 65_535, 65_536, 300_000, 1 << 20, 2_000_001, noise.len()] {
            let mut room = vec![0; rigz::stream::oneshot::compress_bound(len as u64) as usize];
            let mut output = Output::new(&mut room);
            let outcome = rigz::stream::oneshot::compress(&noise[..len], &mut output, level);
            assert_eq!(outcome, Ok(()), "{level:?}, {len} bytes");
            let written = output.written();
            assert_is_stream_of(&room[..written], 15, &noise[..len], (level, len));
        }
    }
}

#[test]
fn the_window_is_the_end_of_the_input_so_far() {
    let data = text(2_500_000, 10);
    for (len, flush) in
        [(10, Flush::None), (600_000, Flush::None), (600_000, Flush::Sync), (2_500_000, Flush::None)]
    {
        let mut stream = stream(9, -15);
        drive(&mut stream, &data[..len], flush, 1_000_000, &mut Vec::new());
        let window = stream.dictionary().unwrap();
        assert_same(&window, &data[len.saturating_sub(32 << 10)..len], (flush, len));
    }
}

#[test]
fn calls_without_progress_return_buffer_error() {
    let mut stream = stream(9, 15);
    let mut room = [0; 100];
    let mut call = |flush| stream.deflate(&mut &[][..], &mut Output::new(&mut room), flush);
    assert_eq!(call(Flush::None), Ok(Status::Ok), "writes the header");
    assert_eq!(call(Flush::None), Err(Error::Buffer));
    assert_eq!(call(Flush::Sync), Ok(Status::Ok));
    assert_eq!(call(Flush::Sync), Err(Error::Buffer));
    assert_eq!(call(Flush::Full), Ok(Status::Ok));
    assert_eq!(call(Flush::Finish), Ok(Status::StreamEnd));
    assert_eq!(call(Flush::Finish), Ok(Status::StreamEnd));
    assert_eq!(call(Flush::Sync), Err(Error::Stream));
    assert_eq!(
        stream.deflate(&mut &b"x"[..], &mut Output::new(&mut room), Flush::Finish),
        Err(Error::Buffer)
    );
}
