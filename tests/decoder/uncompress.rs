//! `uncompress2` against the system's: equal codes, lengths of input and output, and bytes, and no writes past the end.

use crate::data::{kinds, length};
use crate::random::Random;
use crate::reference::{How, Zlib, zlib};
use crate::{CANARY, code};
use rigz::error::Status;
use rigz::raw::Output;
use rigz::stream::oneshot;

const Z_OK: i32 = 0;
const Z_DATA_ERROR: i32 = -3;
const Z_BUF_ERROR: i32 = -5;

/// Checks that both give the same result for `source` with `room` bytes of output space; returns the code.
fn compare(zlib: &Zlib, source: &[u8], room: usize, what: &dyn Fn() -> String) -> i32 {
    let mut theirs = vec![CANARY; room + 1];
    let (mut their_written, mut their_consumed) = (room as u64, source.len() as u64);
    // SAFETY: `theirs` has `room` bytes and `source` its own length.
    let want = unsafe {
        (zlib.uncompress2)(
            theirs.as_mut_ptr(),
            &raw mut their_written,
            source.as_ptr(),
            &raw mut their_consumed,
        )
    };
    let mut ours = vec![CANARY; room + 40];
    let mut output = Output::new(&mut ours[..room]);
    let (consumed, outcome) = oneshot::uncompress(source, &mut output);
    let written = output.written();
    let got = match outcome {
        Ok(()) => Z_OK,
        Err(error) => code(Err::<Status, _>(error)),
    };
    let case = || format!("{} with room {room}", what());
    let theirs_moved = (their_consumed as usize, their_written as usize);
    assert_eq!((got, (consumed, written)), (want, theirs_moved), "{}", case());
    assert!(ours[..written] == theirs[..written], "{}", case());
    assert!(ours[room..].iter().all(|&byte| byte == CANARY), "{}", case());
    want
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
    assert_eq!(codes, [Z_OK, Z_DATA_ERROR, Z_BUF_ERROR].into());
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
    assert_eq!(with_dictionary[1] & 0x20, 0x20, "the header asks for a dictionary (RFC 1950, 2.2)");
    assert_eq!(compare(zlib, &with_dictionary, 200, &|| "dictionary, whole".to_owned()), Z_DATA_ERROR);
    for cut in 0..=with_dictionary.len() {
        for room in [0, 1, 200] {
            compare(zlib, &with_dictionary[..cut], room, &|| format!("dictionary, cut at {cut}"));
        }
    }
    for window_bits in 9..=15 {
        let data = data.repeat(20);
        let stream = zlib.compress(&data, How { window_bits, ..How::PLAIN }, &[]);
        assert_eq!(compare(zlib, &stream, data.len(), &|| format!("window bits {window_bits}")), Z_OK);
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
            let (level, strategy) = (random.below(10) as i32, random.below(5) as i32);
            let how = How { level, strategy, ..How::PLAIN };
            let mut stream = zlib.compress(data, how, &[]);
            let what = || format!("{name}, {} bytes, {how:?}, round {round}", data.len());
            for room in [data.len(), data.len() + 1, data.len() + 1000, random.below(data.len() + 1)] {
                compare(zlib, &stream, room, &what);
            }
            let cut = random.below(stream.len());
            for room in [data.len(), random.below(data.len() + 1)] {
                compare(zlib, &stream[..cut], room, &|| format!("{}, cut at {cut}", what()));
            }
            for _ in 0..4 {
                let at = random.below(stream.len());
                let before = stream[at];
                stream[at] ^= 1 + random.below(255) as u8;
                let changed = stream[at];
                for room in [data.len() + 100, random.below(data.len() + 1)] {
                    compare(zlib, &stream, room, &|| {
                        format!("{}, byte {at} changed from {before:#x} to {changed:#x}", what())
                    });
                }
                stream[at] = before;
            }
            let len = random.below(50);
            stream.extend(random.bytes(len));
            let followed = || format!("{}, {len} bytes after it", what());
            assert_eq!(compare(zlib, &stream, data.len().max(1), &followed), Z_OK);
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
        // Three of four rounds begin with a dynamic or fixed block. A random byte often begins an invalid or stored block, in
        // which noise fails within a few bytes.
        stream.insert(2, [random.below(256) as u8, 0b101, 0b011, 0b100][round % 4]);
        compare(zlib, &stream, random.below(1000), &|| format!("round {round}: {stream:x?}"));
    }
}
