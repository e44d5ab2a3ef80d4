//! Both engines on inputs that are small enough for miri: every level, outputs of exact size, uninitialised memory, pieces, markers.

use core::mem::MaybeUninit;

use rigz_proof::deflate::{ChunkEncoder, ChunkEnd, Level, bound};
use rigz_proof::error::Status;
use rigz_proof::inflate::{End, Goal, Inflate, Marked, Resolver, Search, decode, find_start};
use rigz_proof::raw::{Allocator, Output};

#[path = "../../src/random.rs"]
mod random;

use random::Random;

const WINDOW: usize = 32 << 10;

/// Words, a run and some noise.
fn data(len: usize) -> Vec<u8> {
    let mut random = Random::new(9);
    let mut data = Vec::new();
    while data.len() < len {
        match random.below(4) {
            0 => data.extend_from_slice(b"the window of a chunk "),
            1 => data.extend([b'='; 40]),
            2 => data.push(random.byte()),
            _ => data.extend_from_slice(b"is a match, "),
        }
    }
    data.truncate(len);
    data
}

/// Compresses `data[window_len..]` to a raw stream, in uninitialised memory of exactly `bound` bytes.
fn encoded(level: u32, data: &[u8], window_len: usize) -> Vec<u8> {
    let mut memory = vec![MaybeUninit::uninit(); bound(data.len() - window_len)].into_boxed_slice();
    let mut output = Output::of_uninit(&mut memory);
    let mut encoder = ChunkEncoder::new().expect("memory for an encoder");
    let level = Level::new(level).expect("a level");
    let is_first = window_len == 0;
    encoder.encode(level, (data, window_len), is_first, ChunkEnd::Finish, &mut output).expect("it fits");
    let len = output.written();
    // SAFETY: the first `len` bytes were written.
    memory[..len].iter().map(|byte| unsafe { byte.assume_init() }).collect()
}

#[test]
fn every_level_decodes_at_once_and_in_pieces() {
    let data = data(500);
    for level in 1..=9 {
        let window_len = [0, 200][level as usize % 2];
        let stream = encoded(level, &data, window_len);
        let mut memory = vec![MaybeUninit::uninit(); data.len() - window_len].into_boxed_slice();
        if window_len == 0 {
            let end = decode(&stream, &mut Output::of_uninit(&mut memory)).end;
            assert_eq!(end, End::Complete, "level {level}");
        }
        let mut inflate = Inflate::new(-15, Allocator::SYSTEM).expect("memory for a stream");
        inflate.set_dictionary(&data[..window_len]).expect("a raw stream takes a dictionary");
        let mut decoded = Vec::new();
        let mut rest = &stream[..];
        let end = loop {
            let (mut piece, after) = rest.split_at(rest.len().min(7));
            let mut room = [MaybeUninit::uninit(); 23];
            let mut output = Output::of_uninit(&mut room);
            let offered = piece.len();
            let end = inflate.inflate(&mut piece, &mut output, Goal::Progress, &mut |_| {});
            let made = output.written();
            // SAFETY: the first `made` bytes were written.
            decoded.extend(room[..made].iter().map(|byte| unsafe { byte.assume_init() }));
            rest = &rest[offered - piece.len()..];
            if end != Ok(Status::Ok) || (after.is_empty() && made == 0) {
                break end;
            }
        };
        assert_eq!((end, &decoded[..]), (Ok(Status::StreamEnd), &data[window_len..]), "level {level}");
    }
}

#[test]
fn damaged_and_truncated_streams_stay_within_their_buffers() {
    let stream = encoded(6, &data(300), 0);
    for at in (0..stream.len()).step_by(3) {
        let mut damaged = stream.clone();
        damaged[at] ^= 0x55;
        for input in [&damaged[..], &stream[..at]] {
            let mut memory = vec![MaybeUninit::uninit(); 280].into_boxed_slice();
            let decoded = decode(input, &mut Output::of_uninit(&mut memory));
            assert!(decoded.consumed <= input.len() && decoded.produced <= 280);
        }
    }
}

#[test]
fn markers_resolve() {
    let data = data(WINDOW + 300);
    let stream = encoded(3, &data[WINDOW - 1000..], 1000);
    let mut marked = Marked::new(400).expect("memory for elements");
    let passed = marked.decode(&stream, 0, stream.len(), usize::MAX, |_, _| true).expect("a block");
    let mut resolver = Resolver::new().expect("memory for a table");
    resolver.set_window([&data[..WINDOW], &[]]);
    let mut inflate = Inflate::new(-15, Allocator::SYSTEM).expect("memory for a stream");
    let mut room = [0; 300];
    let mut output = Output::new(&mut room);
    assert_eq!(resolver.resolve(&marked, 0..300, &mut inflate, &mut output), 300);
    resolver.pass(&passed, 300, &mut inflate).expect("memory for a window");
    assert_eq!(room, data[WINDOW..]);
    assert_eq!(
        find_start(&stream, Search::All),
        None,
        "the finder skips blocks that are not dynamic or are the last"
    );
}
