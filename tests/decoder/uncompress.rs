//! `uncompress2` against the system's: equal codes, lengths of input and output, and bytes, and no writes past the end.

use crate::data::{kinds, length};
use crate::random::Random;
use crate::reference::{How, Zlib, zlib};
use crate::{CANARY, code};
use rigz::error::Status;
use rigz::raw::Output;
use rigz::stream::oneshot;

/// Checks that both give the same result for `source` with `room` bytes of output space; returns the code.
fn compare(zlib: &Zlib, source: &[u8], room: usize, what: &dyn Fn() -> String) -> i32 {
    let mut theirs = vec![CANARY; room + 1];
    let (mut made, mut used) = (room as u64, source.len() as u64);
    // SAFETY: the buffers are as long as said.
    let wanted =
        unsafe { (zlib.uncompress2)(theirs.as_mut_ptr(), &raw mut made, source.as_ptr(), &raw mut used) };
    let mut ours = vec![CANARY; room + 40];
    let mut output = Output::new(&mut ours[..room]);
    let (our_use, outcome) = oneshot::uncompress(source, &mut output);
    let our_make = output.written();
    let got = match outcome {
        Ok(()) => 0,
        Err(error) => code(Err::<Status, _>(error)),
    };
    let said = || format!("{} with room {room}", what());
    assert_eq!((got, our_use, our_make), (wanted, used as usize, made as usize), "{}", said());
    assert!(ours[..our_make] == theirs[..our_make], "{}", said());
    assert!(ours[room..].iter().all(|&byte| byte == CANARY), "{}", said());
    wanted
}

/// Small streams of all kinds.
fn small_streams(zlib: &Zlib) -> Vec<(String, Vec<u8>, usize)> {
    let mut streams = Vec::new();
    for (name, data) in kinds(80) {
        for (level, strategy, len) in
            [(0, 0, 33), (1, 0, 80), (6, 4, 41), (9, 0, 80), (6, 2, 64), (6, 0, 0), (6, 0, 1)]
        {
            let data = &data[..len.min(data.len())];
            let how = How { level, strategy, ..How::PLAIN };
            streams.push((format!("{name} {level} {strategy}"), zlib.compress(data, how, &[]), data.len()));
        }
    }
    streams
}

#[test]
fn every_cut_and_every_room_end_as_in_zlib() {
    let zlib = zlib();
    let mut codes = std::collections::HashSet::new();
    for (name, stream, len) in small_streams(zlib) {
        for cut in 0..=stream.len() {
            for room in (0..=len + 2).filter(|room| cut % 7 == 0 || cut + 6 > stream.len() || room % 5 == 0) {
                codes.insert(compare(zlib, &stream[..cut], room, &|| format!("{name} cut at {cut}")));
            }
        }
    }
    assert_eq!(codes, [0, -3, -5].into());
}

#[test]
fn every_changed_bit_ends_as_in_zlib() {
    let zlib = zlib();
    for (name, mut stream, len) in small_streams(zlib) {
        for bit in 0..stream.len() * 8 {
            stream[bit / 8] ^= 1 << (bit % 8);
            for room in [0, 1, len / 2, len, len + 300] {
                compare(zlib, &stream, room, &|| format!("{name} bit {bit} changed"));
            }
            stream[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn streams_that_want_a_dictionary_or_other_windows_end_as_in_zlib() {
    let zlib = zlib();
    let data = b"a dictionary of words and more of words".repeat(3);
    let with_dictionary = zlib.compress(&data, How::PLAIN, b"more of words");
    for cut in 0..=with_dictionary.len() {
        for room in [0, 1, 200] {
            compare(zlib, &with_dictionary[..cut], room, &|| format!("dictionary, cut at {cut}"));
        }
    }
    for window_bits in 9..=15 {
        let data = data.repeat(20);
        let stream = zlib.compress(&data, How { window_bits, ..How::PLAIN }, &[]);
        assert_eq!(compare(zlib, &stream, data.len(), &|| format!("window bits {window_bits}")), 0);
    }
    for first in 0..=255 {
        for second in 0..=255 {
            let mut stream = with_dictionary.clone();
            stream[..2].copy_from_slice(&[first, second]);
            compare(zlib, &stream, 50, &|| format!("header {first:#x} {second:#x}"));
        }
    }
}

#[test]
fn large_streams_cut_damaged_and_followed_by_others_end_as_in_zlib() {
    let zlib = zlib();
    let mut random = Random::varied(77);
    for (name, data) in kinds(150_000) {
        for round in 0..24 {
            let data = &data[..length(&mut random, data.len())];
            let how = How { level: round % 10, strategy: round % 5, ..How::PLAIN };
            let mut stream = zlib.compress(data, how, &[]);
            let what = || format!("{name} {how:?} round {round}");
            for room in [data.len(), data.len() + 1, data.len() + 1000, random.below(data.len() + 1)] {
                compare(zlib, &stream, room, &what);
            }
            let cut = random.below(stream.len());
            compare(zlib, &stream[..cut], data.len(), &what);
            compare(zlib, &stream[..cut], random.below(data.len() + 1), &what);
            for _ in 0..4 {
                let at = random.below(stream.len());
                let before = stream[at];
                stream[at] ^= 1 + random.below(255) as u8;
                compare(zlib, &stream, data.len() + 100, &what);
                compare(zlib, &stream, random.below(data.len() + 1), &what);
                stream[at] = before;
            }
            let len = random.below(50);
            stream.extend(random.bytes(len));
            assert_eq!(compare(zlib, &stream, data.len().max(1), &what), 0);
        }
    }
}

#[test]
fn noise_ends_as_in_zlib() {
    let zlib = zlib();
    let mut random = Random::varied(78);
    for round in 0..20_000 {
        let len = random.below(300);
        let mut stream = [&[0x78, 0x9c][..], &random.bytes(len)].concat();
        // Mostly a valid block header: noise rarely has one.
        stream.insert(2, [random.below(256) as u8, 0b101, 0b011, 0b100][round % 4]);
        compare(zlib, &stream, random.below(1000), &|| format!("round {round}: {stream:x?}"));
    }
}
