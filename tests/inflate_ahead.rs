//! `inflate()` with workers returns the same results as without, call by call.
//!
//! Every case runs on two streams that get the same calls: one serial, one with workers, whose stretches
//! are so short that small inputs have many. After each call everything that a program can see
//! must be equal: the outcome and its message, the bytes consumed and written, `data_type`, the check value,
//! `inflateMark`, `inflateSyncPoint`, `inflateCodesUsed` and the dictionary. `TEST_SEED=n` gives
//! other random numbers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "read_ahead/files.rs"]
#[allow(dead_code, reason = "shared with the tests of files")]
mod files;
#[path = "../src/random.rs"]
mod random;

use files::{gzip, kinds, text};
use random::Random;
use rigz::error::{Error, Result, Status};
use rigz::raw::{Allocator, Output};
use rigz::readahead::{InjectedFault, ReadCounters, Tuning, Way};
use rigz::stream::Flush;
use rigz::stream::inflate::{InflateStream, uncompress};

/// Short stretches, from the first byte on.
fn eager() -> Tuning {
    Tuning { engage_after: 1, stretch: 64 << 10, least_input: 64 << 10, ..Tuning::default() }
}

/// The settings to test.
fn ways() -> [Tuning; 4] {
    let patient = Tuning { patient: true, way: Way::Guessed, ..eager() };
    [
        patient,
        eager(),
        Tuning { fault: InjectedFault::Miss, ..patient },
        Tuning { way: Way::Guessed, fault: InjectedFault::Late, ..eager() },
    ]
}

fn has_threads() -> bool {
    std::env::var("RIGZ_THREADS").map_or(true, |threads| threads != "1")
        && std::thread::available_parallelism().is_ok_and(|threads| threads.get() > 1)
}

/// Everything that a program can see after a call.
#[derive(Debug, PartialEq)]
struct Visible {
    outcome: Result<Status>,
    message: Option<String>,
    taken: usize,
    given: usize,
    data_type: i32,
    check: Option<u32>,
    mark: i64,
    is_sync_point: bool,
    codes_used: usize,
    dictionary: Vec<u8>,
}

/// One stream without workers, and one with them.
struct Pair {
    serial: InflateStream,
    helped: InflateStream,
    counters: ReadCounters,
}

impl Pair {
    fn new(window_bits: i32, tuning: Tuning) -> Self {
        let stream = |tuning| {
            let mut stream = InflateStream::new(window_bits, Allocator::SYSTEM).unwrap();
            stream.tune(tuning);
            stream
        };
        let serial = stream(Tuning { way: Way::Serial, ..tuning });
        Self { serial, helped: stream(tuning), counters: ReadCounters::default() }
    }

    /// Makes the same call on both; they must agree. Returns the visible state and the bytes written.
    fn call(&mut self, input: &[u8], room: usize, flush: Flush, what: &str) -> (Visible, Vec<u8>) {
        let (expected, bytes) = call(&mut self.serial, input, room, flush);
        let (got, other) = call(&mut self.helped, input, room, flush);
        assert!(expected == got && bytes == other, "{what}: {} is not {}", brief(&got), brief(&expected));
        self.counters = self.helped.counters();
        (expected, bytes)
    }
}

fn brief(visible: &Visible) -> String {
    let Visible { dictionary, .. } = visible;
    let end = &dictionary[dictionary.len().saturating_sub(8)..];
    let rest = Visible {
        dictionary: end.to_vec(),
        outcome: visible.outcome,
        message: visible.message.clone(),
        ..*visible
    };
    format!("{rest:?} of {}", dictionary.len())
}

fn call(stream: &mut InflateStream, input: &[u8], room: usize, flush: Flush) -> (Visible, Vec<u8>) {
    // Bytes past the end of the output must not change.
    let mut bytes = vec![0xa5; room + 64];
    let mut output = Output::new(&mut bytes[..room]);
    let mut rest = input;
    let outcome = stream.inflate(&mut rest, &mut output, flush);
    let given = output.written();
    assert!(bytes[room..].iter().all(|&byte| byte == 0xa5));
    bytes.truncate(given);
    // Reading the dictionary moves the window's bytes, so this does not check it after every call.
    let is_read = outcome != Ok(Status::Ok) || rest.len().is_multiple_of(2);
    let dictionary = if is_read { stream.dictionary().to_vec() } else { Vec::new() };
    let engine = stream.engine();
    let visible = Visible {
        outcome,
        message: stream.message().map(|text| text.to_str().unwrap().to_owned()),
        taken: input.len() - rest.len(),
        given,
        data_type: engine.data_type(),
        check: engine.check(),
        mark: engine.mark(),
        is_sync_point: engine.is_sync_point(),
        codes_used: engine.codes_used(),
        dictionary,
    };
    (visible, bytes)
}

/// Passes all of `input`, with `room()` bytes of output in each call, until nothing more is written.
fn play(pair: &mut Pair, input: &[u8], flush: Flush, what: &str, mut room: impl FnMut() -> usize) -> Vec<u8> {
    let (mut at, mut decoded) = (0, Vec::new());
    loop {
        let (visible, bytes) = pair.call(&input[at..], room(), flush, what);
        decoded.extend_from_slice(&bytes);
        at += visible.taken;
        let goes_on = match visible.outcome {
            Ok(Status::Ok) => true,
            Err(Error::Buffer) => visible.taken + visible.given > 0,
            _ => false,
        };
        if !goes_on {
            return decoded;
        }
    }
}

/// The streams of `data` with each wrap, and their window bits.
fn wraps(data: &[u8], level: i32) -> [(i32, Vec<u8>); 4] {
    let member = gzip(data, level);
    let raw = &member[10..member.len() - 8];
    let mut zlib = vec![0x78, 0x9c];
    zlib.extend_from_slice(raw);
    zlib.extend_from_slice(&rigz::checksum::adler32::update(1, data).to_be_bytes());
    [(-15, raw.to_vec()), (15, zlib.clone()), (31, member), (47, zlib)]
}

#[test]
fn outputs_of_any_size_are_filled_alike() {
    for (kind, data) in kinds(6 << 20) {
        for (number, (window_bits, stream)) in
            wraps(&data, [6, 1, 9, 6][kind.len() % 4]).into_iter().enumerate()
        {
            for (way, tuning) in ways().into_iter().enumerate() {
                if kind != "text" && way != number {
                    continue;
                }
                let what = format!("{kind} in {window_bits}, {tuning:?}");
                let mut pair = Pair::new(window_bits, tuning);
                let whole = play(&mut pair, &stream, Flush::Finish, &what, || data.len() + 1);
                assert!(whole == data, "{what}");
                if has_threads() && kind == "text" && way == 0 {
                    assert!(pair.counters.bytes > 1 << 20, "{what}: {:?}", pair.counters);
                }
                let mut pair = Pair::new(window_bits, tuning);
                let small = play(&mut pair, &stream, Flush::None, &what, || 16 << 10);
                assert!(small == data, "{what}");
                if has_threads() && kind == "text" && way == 0 {
                    assert!(pair.counters.bytes > 1 << 20, "{what}: {:?}", pair.counters);
                }
                let (mut pair, mut room) = (Pair::new(window_bits, tuning), 10_000);
                let doubled = play(&mut pair, &stream, Flush::Sync, &what, || {
                    room *= 2;
                    room
                });
                assert!(doubled == data, "{what}");
            }
        }
    }
}

#[test]
fn any_calls_are_answered_alike() {
    let mut random = Random::varied(1);
    let mixed = kinds(4 << 20).swap_remove(2).1;
    let streams = [wraps(&text(5 << 20), 6), wraps(&mixed, 4)].concat();
    for round in 0..24 {
        let (window_bits, stream) = &streams[round % streams.len()];
        let tuning = ways()[[0, 0, 1, 2, 0, 3][round % 6]];
        let mut pair = Pair::new(*window_bits, tuning);
        let mut input = stream.clone();
        let mut at = 0;
        for step in 0..400 {
            let what = format!("round {round}, step {step}, {tuning:?}");
            let left = input.len() - at;
            let offered = match random.below(6) {
                0 => random.below(left + 1),
                1 => (64 << 10) + random.below(200_000),
                _ => left,
            };
            let room = match random.below(5) {
                0 => random.below(300),
                1 => 16 << 10,
                2 => random.below(1 << 20),
                _ => random.below(100_000),
            };
            let flush = match random.below(12) {
                0 => Flush::Block,
                1 => Flush::Finish,
                2 => Flush::Trees,
                3 => Flush::Sync,
                _ => Flush::None,
            };
            let (visible, _) = pair.call(&input[at..at + offered.min(left)], room, flush, &what);
            at += visible.taken;
            match random.below(60) {
                0 => {
                    pair.serial = pair.serial.try_clone().unwrap();
                    pair.helped = pair.helped.try_clone().unwrap();
                }
                1 => {
                    pair.serial.reset();
                    pair.helped.reset();
                    at = 0;
                }
                // The program passes other bytes than before.
                2 if left > 10 => {
                    let at = at + random.below(input.len() - at).min(300_000);
                    if let Some(byte) = input.get_mut(at) {
                        *byte ^= 1 << random.below(8);
                    }
                }
                3 if *window_bits < 0 => {
                    let bits = random.below(5) as i32;
                    assert_eq!(pair.serial.prime(bits, 0), pair.helped.prime(bits, 0), "{what}");
                }
                _ => {}
            }
            if !matches!(visible.outcome, Ok(Status::Ok) | Err(Error::Buffer)) {
                pair.serial.reset();
                pair.helped.reset();
                (at, input) = (0, stream.clone());
            }
        }
    }
}

#[test]
fn damage_is_found_at_the_same_byte() {
    let mut random = Random::varied(1);
    let data = text(4 << 20);
    for (round, (window_bits, good)) in wraps(&data, 6).into_iter().cycle().take(24).enumerate() {
        let mut stream = good.clone();
        let at = match round % 6 {
            0 => stream.len() - 1 - random.below(8),
            _ => random.below(stream.len()),
        };
        match round % 4 {
            0 | 1 => stream[at] ^= 1 << random.below(8),
            2 => stream.truncate(at),
            _ => {
                let end = stream.len().min(at + 3000);
                stream[at..end].fill(random.below(256) as u8);
            }
        }
        if round % 3 == 0 {
            stream.extend_from_slice(&vec![round as u8; 100_000]);
        }
        let tuning = ways()[[0, 1, 0, 2][round / 4 % 4]];
        for (flush, room) in
            [(Flush::Finish, data.len() + 9), (Flush::None, 16 << 10), (Flush::None, 300_000)]
        {
            let mut pair = Pair::new(window_bits, tuning);
            play(&mut pair, &stream, flush, &format!("round {round}, rooms of {room}, {tuning:?}"), || room);
        }
    }
}

#[test]
fn streams_with_smaller_windows_are_decoded_serially() {
    let data = text(3 << 20);
    let [_, (_, mut stream), ..] = wraps(&data[..3 << 19], 6);
    let mut pair = Pair::new(14, ways()[0]);
    let (visible, _) = pair.call(&stream, 1 << 21, Flush::Finish, "a header of 15 bits");
    assert_eq!(visible.outcome, Err(Error::Data));
    (stream[0], stream[1]) = (0x68, 0x81);
    let mut pair = Pair::new(14, ways()[0]);
    play(&mut pair, &stream, Flush::None, "14 bits", || 1 << 20);
    assert_eq!(pair.counters.hits, 0);
}

/// The results of `uncompress()`: the number of input bytes used, its outcome, the bytes.
fn uncompressed(stream: &[u8], room: usize) -> (usize, Result<()>, Vec<u8>) {
    let mut bytes = vec![0; room];
    let mut output = Output::new(&mut bytes);
    let (used, outcome) = uncompress(stream, &mut output);
    let given = output.written();
    bytes.truncate(given);
    (used, outcome, bytes)
}

#[test]
fn uncompress_of_a_large_stream_is_that_of_a_serial_one() {
    let data = text(12 << 20);
    let [_, (_, good), ..] = wraps(&data, 6);
    assert!(good.len() > 3 << 20, "large enough to be helped");
    let mut random = Random::varied(1);
    for round in 0..8 {
        let (mut stream, mut room) = (good.clone(), data.len());
        match round {
            0 => {}
            1 => room -= 1,
            2 => room = 5 << 20,
            3 => stream.extend_from_slice(&[7; 1000]),
            4 => stream.truncate(good.len() - 3),
            5 => stream.truncate(good.len() / 2),
            _ => {
                let at = random.below(stream.len());
                stream[at] ^= 0x40;
            }
        }
        let mut serial = InflateStream::new(15, Allocator::SYSTEM).unwrap();
        serial.tune(Tuning { way: Way::Serial, ..Tuning::default() });
        let (visible, bytes) = call(&mut serial, &stream, room, Flush::Finish);
        let outcome = match visible.outcome {
            Ok(Status::StreamEnd) => Ok(()),
            Err(Error::Buffer) if bytes.len() == room => Err(Error::Buffer),
            _ => Err(Error::Data),
        };
        assert!(uncompressed(&stream, room) == (visible.taken, outcome, bytes), "round {round}");
    }
}
