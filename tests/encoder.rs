//! The encoder, checked with the system's zlib: its output must decode to its input.

mod judge;
#[path = "../src/random.rs"]
mod random;

use judge::{ZStream, zlib};
use libc::{c_int, c_uint};
use random::Random;
use rayon::prelude::*;
use rigz::deflate::{
    ChunkEncoder, ChunkEnd, Level, MessageEncoder, MessageSettings, PendingBits, Progress, bound,
};
use rigz::raw::{Allocator, Output};

/// Decodes a raw stream that must end exactly at the end of `input`; returns the data and whether its last block was final.
fn inflate(input: &[u8], expected_len: usize) -> (Vec<u8>, bool) {
    let mut out = vec![0u8; expected_len + 1];
    // SAFETY: zero is a valid value of every field.
    let mut stream: ZStream = unsafe { core::mem::zeroed() };
    let size = size_of::<ZStream>() as c_int;
    // SAFETY: `stream` outlives the calls, and its size is passed.
    let code = unsafe { (zlib().init)(&mut stream, -15, c"1.2.11".as_ptr(), size) };
    assert_eq!(code, 0);
    stream.next_in = input.as_ptr();
    stream.avail_in = input.len() as c_uint;
    stream.next_out = out.as_mut_ptr();
    stream.avail_out = out.len() as c_uint;
    // SAFETY: both buffers outlive the call and have the sizes passed.
    let code = unsafe { (zlib().inflate)(&mut stream, 2) };
    assert!(code == 0 || code == 1 || code == -5, "inflate returned {code}");
    assert_eq!(stream.avail_in, 0, "the whole chunk is used");
    let produced = stream.total_out as usize;
    // SAFETY: initialised above.
    unsafe { (zlib().end)(&mut stream) };
    out.truncate(produced);
    (out, code == 1)
}

fn levels() -> impl Iterator<Item = Level> {
    let filtered = [2, 6, 9].into_iter().filter_map(Level::new).map(Level::filtered);
    (0..).map_while(Level::new).chain(filtered)
}

const KINDS: usize = 14;

const WORDS: [&str; 9] =
    ["the ", "window ", "of ", "a ", "literal ", "match\n", "chain ", "deflate ", "zlib "];

/// Data of one kind: noise, one byte, short periods, four letters, words, records, copies from far back, skewed bytes, noise that repeats
/// with changes, lines of a log, UTF-16, counters, a wave, mixed.
fn sample(kind: usize, len: usize, seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut data = Vec::with_capacity(len + 64);
    while data.len() < len {
        match kind {
            0 => data.push(random.next() as u8),
            1 => data.push(b'a'),
            2 => data.push((data.len() % (1 + seed as usize % 7)) as u8),
            3 => data.push(b"ACGT"[random.below(4)]),
            4 => {
                data.extend_from_slice(WORDS[random.below(WORDS.len())].as_bytes());
            }
            5 => {
                let line = format!("{:06},{},{:x}\n", data.len(), random.below(40), random.below(1 << 16));
                data.extend_from_slice(line.as_bytes());
            }
            6 if data.len() > 40 && random.below(3) > 0 => {
                let farthest = if random.below(8) == 0 { 40_000 } else { 32_768 };
                let offset = 1 + random.below(data.len().min(farthest));
                let from = data.len() - offset;
                for i in 0..3 + random.below(300) {
                    data.push(data[from + i]);
                }
            }
            6 => data.extend((0..1 + random.below(20)).map(|_| random.next() as u8)),
            7 => data.push((random.next() & random.next() & random.next()) as u8),
            8 if data.len() > 6000 => {
                let from = data.len() - 3000 - random.below(3000);
                let returned = 20 + random.below(60);
                data.extend_from_within(from..from + returned);
                data.push(random.next() as u8);
            }
            8 => data.push(random.next() as u8),
            9 => {
                let line = format!(
                    "2026-11-30 12:00:{:02} worker {} finished its request in {} ms, status 200\n",
                    random.below(60),
                    random.below(8),
                    random.below(2000)
                );
                data.extend_from_slice(line.as_bytes());
            }
            10 => {
                let word = WORDS[random.below(WORDS.len())];
                data.extend(word.bytes().flat_map(|byte| [byte, 0]));
            }
            11 => data.extend_from_slice(&(data.len() as u32 / 4 + 70_000).to_be_bytes()),
            12 => {
                let step = 0.03 + 0.01 * (seed % 90) as f64;
                data.push(if (data.len() as f64 * step).sin() > 0.0 { 200 } else { 50 });
            }
            _ => {
                let piece = sample(random.below(13), 1 + random.below(20_000), random.next());
                data.extend_from_slice(&piece);
            }
        }
    }
    data.truncate(len);
    data
}

/// Encodes in chunks of `chunk` bytes, each primed with the preceding data.
fn encode_chunked(
    encoder: &mut ChunkEncoder,
    level: Level,
    data: &[u8],
    chunk: usize,
    end: ChunkEnd,
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut start = 0;
    loop {
        let stop = data.len().min(start + chunk);
        let window = start.min(32768);
        let kind = if stop == data.len() { end } else { ChunkEnd::Sync };
        let before = out.len();
        let info = encoder
            .encode_to_vec(level, &data[start - window..stop], window, kind, &mut out)
            .expect("memory");
        assert!((1..=8).contains(&info));
        assert!(out.len() - before <= bound(stop - start), "{} for {}", out.len() - before, stop - start);
        if kind == ChunkEnd::Sync {
            assert_eq!(out[out.len() - 4..], [0, 0, 0xff, 0xff]);
        }
        start = stop;
        if stop == data.len() {
            return out;
        }
    }
}

fn check(encoder: &mut ChunkEncoder, level: Level, data: &[u8], chunk: usize, end: ChunkEnd) -> Vec<u8> {
    let out = encode_chunked(encoder, level, data, chunk, end);
    let (decoded, is_final) = inflate(&out, data.len());
    assert!(decoded == data, "{level:?} of {} bytes by {chunk}", data.len());
    assert_eq!(is_final, end == ChunkEnd::Finish);
    out
}

/// Runs for every kind of data, in parallel; each kind reuses one encoder.
fn for_each_kind(check_kind: impl Fn(usize, &mut ChunkEncoder) + Sync) {
    (0..KINDS).into_par_iter().for_each(|kind| check_kind(kind, &mut ChunkEncoder::new().expect("memory")));
}

#[test]
fn every_small_size_at_every_level_round_trips() {
    for_each_kind(|kind, encoder| {
        let data = sample(kind, 300, 5);
        for level in levels() {
            for len in 0..=300 {
                for end in [ChunkEnd::Sync, ChunkEnd::Finish] {
                    check(encoder, level, &data[..len], usize::MAX, end);
                }
            }
        }
    });
}

#[test]
fn large_inputs_round_trip_whole_and_in_chunks() {
    for_each_kind(|kind, encoder| {
        for level in levels() {
            let data = sample(kind, 400_000 + kind * 1017, 11 + kind as u64);
            for chunk in [usize::MAX, 128 << 10, 65_535, 4_000] {
                check(encoder, level, &data, chunk, ChunkEnd::Finish);
            }
        }
    });
}

#[test]
fn random_sizes_windows_and_mixtures_round_trip() {
    let mut encoder = ChunkEncoder::new().expect("memory");
    let mut random = Random::new(77);
    for round in 0..60 {
        let data = sample(random.below(KINDS), random.below(150_000), round + 1);
        let chunk = 1 + random.below(90_000);
        for level in levels() {
            check(&mut encoder, level, &data, chunk, ChunkEnd::Finish);
        }
    }
}

/// Encodes one chunk with input and output in pieces of random sizes.
fn encode_cut(
    encoder: &mut ChunkEncoder,
    level: Level,
    data: &[u8],
    window: usize,
    random: &mut Random,
) -> Vec<u8> {
    let mut out = Vec::new();
    let most = 1 << random.below(17);
    let mut arrived = window;
    encoder.begin(level, window, window == 0, PendingBits::default()).expect("memory");
    loop {
        let end = (arrived == data.len()).then_some(ChunkEnd::Finish);
        let mut room = vec![0; 1 + random.below(most)];
        let mut output = Output::new(&mut room);
        let progress = encoder.advance(&data[..arrived], end, &mut output).expect("memory");
        let written = output.written();
        out.extend_from_slice(&room[..written]);
        match progress {
            Progress::NeedsRoom => assert_eq!(written, room.len()),
            Progress::NeedsInput => arrived = data.len().min(arrived + 1 + random.below(most)),
            Progress::Done => return out,
        }
    }
}

#[test]
fn output_does_not_depend_on_the_cuts_of_input_and_output() {
    for_each_kind(|kind, encoder| {
        let mut random = Random::new(kind as u64 + 5);
        for level in levels() {
            for len in [500, 60_000, 300_000] {
                let data = sample(kind, len, 21);
                for window in [0, len.min(32_768)] {
                    let mut whole = Vec::new();
                    encoder
                        .encode_to_vec(level, &data, window, ChunkEnd::Finish, &mut whole)
                        .expect("memory");
                    let cut = encode_cut(encoder, level, &data, window, &mut random);
                    assert!(cut == whole, "{level:?}, {len} bytes of kind {kind}");
                }
            }
        }
    });
}

#[test]
fn little_output_is_held_back() {
    for_each_kind(|kind, encoder| {
        for level in levels().filter(|level| level.number() < 10) {
            let data = sample(kind, 512 << 10, 13);
            let mut out = vec![0; bound(data.len())];
            let mut output = Output::new(&mut out);
            encoder.begin(level, 0, true, PendingBits::default()).expect("memory");
            for arrived in (0..=data.len()).step_by(4 << 10) {
                let before = output.written();
                let progress = encoder.advance(&data[..arrived], None, &mut output).expect("memory");
                assert_eq!(progress, Progress::NeedsInput);
                assert!(output.written() - before < 68 << 10, "{level:?} of kind {kind}");
            }
            let before = output.written();
            encoder.advance(&data, Some(ChunkEnd::Finish), &mut output).expect("memory");
            let held = output.written() - before;
            assert!(held <= 64 << 10, "{held} at {level:?} of kind {kind}");
        }
    });
}

/// One message: its bytes, and how it ends.
type Message = (std::ops::Range<usize>, ChunkEnd);

/// Compresses messages of `data` one after the other, cut at random; or whole, if there is no `random`.
fn encode_messages(
    encoder: &mut MessageEncoder,
    data: &[u8],
    messages: &[Message],
    mut random: Option<&mut Random>,
) -> Vec<u8> {
    let mut out = Vec::new();
    for (range, end) in messages {
        let mut rest = &data[range.clone()];
        let most = random.as_mut().map_or(1 << 20, |random| 1 << random.below(16));
        loop {
            let mut below = |limit| random.as_mut().map_or(limit - 1, |random| random.below(limit));
            let count = rest.len().min(1 + below(most));
            let is_last = count == rest.len();
            let mut piece = &rest[..count];
            let mut room = vec![0; 1 + below(most)];
            let mut output = Output::new(&mut room);
            let progress = encoder.advance(&mut piece, is_last.then_some(*end), &mut output);
            rest = &rest[count - piece.len()..];
            let written = output.written();
            out.extend_from_slice(&room[..written]);
            match progress {
                Progress::NeedsRoom => assert_eq!(written, room.len()),
                Progress::NeedsInput => assert!(piece.is_empty() && !is_last),
                Progress::Done => break,
            }
        }
    }
    out
}

#[test]
fn messages_round_trip_and_do_not_depend_on_cuts() {
    (0..KINDS).into_par_iter().for_each(|kind| {
        let mut random = Random::new(kind as u64 + 900);
        for (window_bits, mem_level) in
            [(15, 8), (15, 9), (15, 6), (13, 8), (12, 8), (9, 1), (15, 1), (10, 5)]
        {
            for level in 0..=9 {
                let data = sample(kind, 200_000 + random.below(60_000), random.next());
                let settings = MessageSettings { window_bits, mem_level };
                let make = || {
                    let mut encoder = MessageEncoder::new(settings, Allocator::SYSTEM).expect("memory");
                    encoder.set_level(level, kind % 5 == 4);
                    encoder
                };
                let mut messages: Vec<Message> = Vec::new();
                let mut from = 0;
                let most = [300, 5_000, 70_000, data.len()][random.below(4)];
                while from < data.len() {
                    let to = data.len().min(from + random.below(most) + 1);
                    let end = [ChunkEnd::Sync, ChunkEnd::Partial, ChunkEnd::Block][random.below(3)];
                    messages.push((from..to, if to == data.len() { ChunkEnd::Finish } else { end }));
                    from = to;
                }
                let whole = encode_messages(&mut make(), &data, &messages, None);
                let (decoded, is_final) = inflate(&whole, data.len());
                assert!(decoded == data && is_final, "level {level}, {settings:?}, kind {kind}");
                let cut = encode_messages(&mut make(), &data, &messages, Some(&mut random));
                assert!(cut == whole, "cut: level {level}, {settings:?}, kind {kind}");
            }
        }
    });
}

/// zlib finds a match up to the window's size less 262 bytes back (deflate.h, `MAX_DIST`).
#[test]
fn a_message_finds_a_repetition_at_zlibs_maximum_distance() {
    for window_bits in 9..=15 {
        let period = (1 << window_bits) - 262;
        let noise = sample(0, period, 73);
        let data = noise.repeat(4);
        let messages: Vec<Message> =
            (0..data.len()).step_by(5000).map(|at| (at..data.len().min(at + 5000), ChunkEnd::Sync)).collect();
        for level in [1, 2, 6, 9] {
            let settings = MessageSettings { window_bits, mem_level: 8 };
            let mut encoder = MessageEncoder::new(settings, Allocator::SYSTEM).expect("memory");
            encoder.set_level(level, false);
            let len = encode_messages(&mut encoder, &data, &messages, None).len();
            // Level 1 enters only some positions of noise, and so finds the repetition later.
            let most = if level == 1 { 2 * period } else { period * 5 / 4 };
            assert!(len < most + 20 * messages.len(), "{window_bits} bits, level {level}: {len}");
        }
    }
}

#[test]
fn noise_does_not_keep_later_data_from_being_compressed() {
    let noise = sample(0, 400_000, 71);
    // Of 16 letters: a block saves less than what 400 KB of noise take more in a small window.
    let letters: Vec<u8> = sample(0, 100_000, 72).iter().map(|byte| b'a' + byte % 16).collect();
    let data = [&noise[..], &letters].concat();
    let pieces = |from: usize, to: usize, len: usize| {
        (from..to).step_by(len).map(move |at| (at..to.min(at + len), ChunkEnd::Sync))
    };
    // Many short messages of noise, one long one, and one in which letters follow without a flush.
    let before: [Vec<Message>; 3] = [
        pieces(0, noise.len(), 300).collect(),
        pieces(0, noise.len(), noise.len()).collect(),
        vec![(0..noise.len() + 50_000, ChunkEnd::Sync)],
    ];
    for (window_bits, mem_level) in [(15, 8), (15, 1), (12, 8), (12, 1), (9, 8), (9, 1)] {
        for level in [1, 6] {
            let encode = |messages: &[Message]| {
                let settings = MessageSettings { window_bits, mem_level };
                let mut encoder = MessageEncoder::new(settings, Allocator::SYSTEM).expect("memory");
                encoder.set_level(level, false);
                encode_messages(&mut encoder, &data, messages, None).len()
            };
            for noise in &before {
                let from = noise.last().expect("there are some").0.end;
                let later: Vec<Message> = pieces(from, data.len(), 2000).collect();
                let (alone, both) = (encode(&later), encode(&[&noise[..], &later].concat()));
                let all = encode(noise) + alone * 11 / 10 + 100;
                assert!(both < all, "level {level}, {window_bits} {mem_level}: {both}, {all} expected");
                assert!(encode(noise) < from * 102 / 100 + 16 * noise.len(), "level {level}, noise");
            }
            let letters = encode(&pieces(noise.len(), data.len(), 50_000).collect::<Vec<_>>());
            let mixed = encode(&before[2]) - encode(&before[1]);
            assert!(
                mixed < letters * 2 / 3,
                "level {level}, {window_bits} {mem_level}: {mixed} of {letters}"
            );
        }
    }
}

#[test]
fn a_used_encoder_writes_the_same_bytes_as_a_new_one() {
    let mut used = ChunkEncoder::new().expect("memory");
    let inputs: Vec<Vec<u8>> =
        (0..KINDS).flat_map(|kind| [200, 3_000, 40_000, 170_000].map(|len| sample(kind, len, 3))).collect();
    for level in levels() {
        for data in &inputs {
            let again = encode_chunked(&mut used, level, data, 100_000, ChunkEnd::Finish);
            let mut fresh = ChunkEncoder::new().expect("memory");
            let first = encode_chunked(&mut fresh, level, data, 100_000, ChunkEnd::Finish);
            assert!(again == first, "{level:?}, {} bytes from {:?}", data.len(), &data[..8]);
        }
    }
}

#[test]
fn noise_costs_no_more_than_stored_blocks() {
    let mut encoder = ChunkEncoder::new().expect("memory");
    for len in [1, 100, 5_000, 65_535, 65_536, 131_070, 131_071, 700_000] {
        let noise = sample(0, len, 9);
        for level in levels() {
            let out = check(&mut encoder, level, &noise, usize::MAX, ChunkEnd::Finish);
            assert!(out.len() <= bound(len), "level {}, {len}: {}", level.number(), out.len());
        }
    }
}

#[test]
fn repeated_noise_is_found_at_any_distance() {
    let mut random = Random::new(31);
    let noise: Vec<u8> = (0..100_000).map(|_| random.next() as u8).collect();
    let mut encoder = ChunkEncoder::new().expect("memory");
    for distance in [1000, 5000, 13 << 10, 17 << 10, 18_000, 30_000, 32_000] {
        let mut data = noise.clone();
        for _ in 0..60_000 {
            data.push(data[data.len() - distance]);
        }
        for level in levels().filter(|level| level.number() > 2) {
            let len = check(&mut encoder, level, &data, usize::MAX, ChunkEnd::Finish).len();
            assert!(len < noise.len() + 6000, "level {level:?}, {distance} back: {len}");
        }
    }
}

#[test]
fn a_repetition_is_found_in_data_with_short_matches() {
    // Each kind has many short matches or cheap literals, so that a far match is expensive, and hard to find among the others.
    // Filtered data always goes to the lazy parser, which does not find the first one in DNA.
    type Next = fn(&mut Random) -> Vec<u8>;
    let kinds: [(&str, Next); 5] = [
        ("hexadecimal digits", |random| vec![b"0123456789abcdef"[random.below(16)]]),
        ("DNA", |random| vec![b"ACGT"[random.below(4)]]),
        ("numbers", |random| format!("{} ", random.below(1_000_000)).into_bytes()),
        ("skewed letters", |random| vec![b'a' + (random.next() | 1 << 20).trailing_zeros() as u8]),
        ("words", |random| WORDS[random.below(WORDS.len())].into()),
    ];
    for (name, next) in kinds {
        for period in [12_000, 30_000] {
            let mut random = Random::new(61);
            let mut data = Vec::new();
            while data.len() < period {
                data.extend(next(&mut random));
            }
            let once = data.len();
            let data = data.repeat(6);
            for level in levels().take(13).filter(|level| level.number() > 4) {
                let mut encoder = ChunkEncoder::new().expect("memory");
                let mut len = |data| check(&mut encoder, level, data, usize::MAX, ChunkEnd::Finish).len();
                let (first, all) = (len(&data[..once]), len(&data));
                assert!(
                    all < first * 7 / 4,
                    "{name}, {once} bytes, level {level:?}: {first}, repeated {all}"
                );
            }
        }
    }
}

#[test]
fn a_window_is_used() {
    let mut encoder = ChunkEncoder::new().expect("memory");
    let secret = sample(0, 20_000, 4);
    let data = [&secret[..], &secret[..]].concat();
    for level in levels().filter(|level| level.number() > 0) {
        let mut out = Vec::new();
        encoder.encode_to_vec(level, &data, 20_000, ChunkEnd::Sync, &mut out).expect("memory");
        assert!(out.len() < 2_000, "level {}: {}", level.number(), out.len());
    }
}

#[test]
fn a_match_may_reach_back_exactly_32768() {
    let mut encoder = ChunkEncoder::new().expect("memory");
    let mut data = sample(0, 32_768, 6);
    data.extend_from_within(..258);
    for level in levels().filter(|level| level.number() >= 5) {
        let out = check(&mut encoder, level, &data, usize::MAX, ChunkEnd::Finish);
        assert!(out.len() < 32_768 + 60, "level {}: {}", level.number(), out.len());
    }
}

#[test]
fn bytes_are_literals_where_matches_cost_more() {
    let mut encoder = ChunkEncoder::new().expect("memory");
    // Letters of independent draws: no match saves anything. With each number of them, the quarters of a bit that one takes at
    // most in the best code, in which the block's end has a codeword too.
    for (letters, quarters) in [(2, 6), (3, 8), (4, 9), (6, 12)] {
        let mut random = Random::new(letters as u64);
        let data: Vec<u8> = (0..300_000).map(|_| b"ACGTUN"[random.below(letters)]).collect();
        for level in levels().filter(|level| level.number() > 0) {
            let len = check(&mut encoder, level, &data, usize::MAX, ChunkEnd::Finish).len();
            let most = data.len() * quarters / 32 + 1_000;
            assert!(len <= most, "{letters} letters at {level:?}: {len}, at most {most}");
        }
    }
}

#[test]
fn last_bits_are_those_of_zlib() {
    let mut encoder = ChunkEncoder::new().expect("memory");
    let level = Level::new(6).expect("a level");
    let mut used =
        |data: &[u8], end| encoder.encode_to_vec(level, data, 0, end, &mut Vec::new()).expect("memory");
    // An empty fixed block has ten bits; the header of an empty stored block three.
    assert_eq!(used(b"", ChunkEnd::Finish), 2);
    assert_eq!(used(b"", ChunkEnd::Sync), 3);
    // Three bits of header, eight for the letter, seven for the end: 18; three more before the marker.
    assert_eq!(used(b"a", ChunkEnd::Finish), 2);
    assert_eq!(used(b"a", ChunkEnd::Sync), 5);
}

#[test]
fn a_window_longer_than_the_format_allows_is_refused() {
    let mut encoder = ChunkEncoder::new().expect("memory");
    let data = vec![0; 40_000];
    for window in [32_769, 40_001] {
        assert!(encoder.encode_to_vec(Level::MAX, &data, window, ChunkEnd::Sync, &mut Vec::new()).is_err());
    }
}
