//! The streaming compressor under random calls, checked with zlib-ng's decoder: after a flush, the output must decode to the
//! input, and neither the cuts of input and output nor a copy in mid-stream may change a byte.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use rigz::error::{Error, Status};
use rigz::raw::{Allocator, Output};
use rigz::stream::deflate::{Config, DeflateStream};
use rigz::stream::inflate::InflateStream;
use rigz::stream::{Flush, Level, Strategy};

#[path = "../src/random.rs"]
mod random;

use random::Random;

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

/// One call after another until `input` is taken and the flush is complete; `room` bytes of output each.
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
        let outcome = stream.deflate(&mut input, &mut output, flush);
        let written = output.written();
        bytes.extend_from_slice(&buffer[..written]);
        match outcome {
            Ok(Status::StreamEnd) => return Status::StreamEnd,
            Err(Error::Buffer) if input.is_empty() => return Status::Ok,
            Ok(status) if input.is_empty() && written < room && flush != Flush::Finish => return status,
            Ok(_) => {}
            Err(error) => panic!("{error:?} with {} bytes left", input.len()),
        }
    }
}

fn inflate(bytes: &[u8], window_bits: i32, len: usize) -> Vec<u8> {
    let mut stream = InflateStream::new(window_bits, Allocator::SYSTEM).unwrap();
    let mut data = vec![0; len + 1];
    let mut output = Output::new(&mut data);
    let mut input = bytes;
    let outcome = stream.inflate(&mut input, &mut output, Flush::Sync);
    assert!(matches!(outcome, Ok(_) | Err(Error::Buffer)), "{outcome:?}: {:?}", stream.message());
    let written = output.written();
    data.truncate(written);
    data
}

fn stream(level: u32, window_bits: i32) -> DeflateStream {
    let level = Level::new(level).unwrap();
    let config = Config { level, window_bits, mem_level: 8, strategy: Strategy::Default };
    DeflateStream::new(config, Allocator::SYSTEM).unwrap()
}

const FLUSHES: [Flush; 4] = [Flush::Sync, Flush::Full, Flush::Partial, Flush::Block];

#[test]
fn everything_before_a_flush_decodes() {
    // Segments on both sides of the threshold, so that the stream switches engines back and forth.
    for (seed, window_bits) in [(1, 15), (2, 31), (3, -15)] {
        let mut random = Random::new(seed);
        let data = text(6_000_000, seed);
        let (mut stream, mut bytes, mut at) = (stream(9, window_bits), Vec::new(), 0);
        while at < data.len() {
            let len = [10, 100_000, (1 << 20) - 1, 1 << 20, 1_500_000][random.below(5)].min(data.len() - at);
            let flush = FLUSHES[random.below(4)];
            drive(&mut stream, &data[at..at + len], flush, 100_000, &mut bytes);
            at += len;
            if flush != Flush::Block {
                assert_eq!(inflate(&bytes, window_bits, data.len()), data[..at], "after {flush:?} at {at}");
            }
        }
        assert_eq!(drive(&mut stream, &[], Flush::Finish, 1000, &mut bytes), Status::StreamEnd);
        assert_eq!(inflate(&bytes, window_bits, data.len()), data);
    }
}

#[test]
fn bytes_do_not_depend_on_the_cuts() {
    let data = text(3_200_000, 5);
    // The flushed segments: a bulk one, a short one, a bulk one up to the end.
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
    assert_eq!(inflate(&whole, 31, data.len()), data);
    for (piece, room) in [(1000, 4_000_000), (65_537, 5_000), (700_000, 333), (1 << 20, 4_000_000)] {
        assert!(run(piece, room) == whole, "piece {piece}, room {room}");
    }
}

#[test]
fn a_copy_in_mid_stream_goes_on_the_same() {
    let data = text(4_000_000, 6);
    for cut in [0, 1, 600_000, 1_100_000, 3_000_000] {
        let (mut first, mut bytes) = (stream(9, 15), Vec::new());
        drive(&mut first, &data[..cut], Flush::None, 50_000, &mut bytes);
        let mut copied = bytes.clone();
        let mut second = first.try_clone().unwrap();
        drive(&mut second, &data[cut..], Flush::Finish, 50_000, &mut copied);
        drive(&mut first, &data[cut..], Flush::Finish, 70_000, &mut bytes);
        assert!(copied == bytes, "cut at {cut}");
        assert_eq!(inflate(&bytes, 15, data.len()), data);
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
            assert!(run(&mut used) == run(&mut stream(9, 15)), "{flush:?} after {before}");
        }
    }
}

#[test]
fn levels_change_where_the_stream_says() {
    let data = text(5_000_000, 8);
    let mut random = Random::new(8);
    let (mut stream, mut bytes, mut at) = (stream(6, 15), Vec::new(), 0);
    let mut room = vec![0; 8_000_000];
    while at < data.len() {
        let len = [5, 70_000, 1_100_000][random.below(3)].min(data.len() - at);
        drive(&mut stream, &data[at..at + len], Flush::None, 90_000, &mut bytes);
        at += len;
        let mut output = Output::new(&mut room);
        let level = Level::new([1, 6, 9, 9, 0][random.below(5)]).unwrap();
        stream.params(level, Strategy::Default, &mut &[][..], &mut output).unwrap();
        let written = output.written();
        bytes.extend_from_slice(&room[..written]);
    }
    drive(&mut stream, &[], Flush::Finish, 90_000, &mut bytes);
    assert_eq!(inflate(&bytes, 15, data.len()), data);
}

#[test]
fn output_stays_within_zlibs_bound() {
    let mut random = Random::new(9);
    let noise = random.bytes(4_000_000);
    for level in (0..=12).filter_map(Level::new) {
        for len in [0, 1, 5, 100, 16_384, 65_535, 65_536, 300_000, 1 << 20, 2_000_001, noise.len()] {
            let mut room = vec![0; rigz::stream::oneshot::compress_bound(len as u64) as usize];
            let mut output = Output::new(&mut room);
            let outcome = rigz::stream::oneshot::compress(&noise[..len], &mut output, level);
            assert_eq!(outcome, Ok(()), "{level:?}, {len} bytes");
        }
    }
}

#[test]
fn the_window_is_the_tail_of_what_was_written() {
    let data = text(2_500_000, 10);
    for (len, flush) in
        [(10, Flush::None), (600_000, Flush::None), (600_000, Flush::Sync), (2_500_000, Flush::None)]
    {
        let mut stream = stream(9, -15);
        drive(&mut stream, &data[..len], flush, 1_000_000, &mut Vec::new());
        let window = stream.dictionary().unwrap();
        assert_eq!(*window, data[len.saturating_sub(32 << 10)..len], "{flush:?} after {len}");
    }
}

#[test]
fn calls_that_bring_nothing_are_told() {
    let mut stream = stream(9, 15);
    let mut room = [0; 100];
    let mut call = |flush| stream.deflate(&mut &[][..], &mut Output::new(&mut room), flush);
    assert_eq!(call(Flush::None), Ok(Status::Ok), "the header");
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
