//! The decoder against the system's zlib: equal codes, messages, consumption, output, bit positions, after every call.

#[path = "decoder/data.rs"]
mod data;
#[path = "decoder/headers.rs"]
mod headers;
mod judge;
#[path = "decoder/programs.rs"]
mod programs;
#[path = "../src/random.rs"]
mod random;
#[path = "decoder/reference.rs"]
mod reference;
#[path = "decoder/uncompress.rs"]
mod uncompress;

use data::{BitWriter, complete_lengths, kinds, length};
use random::Random;
use reference::{How, Inflater, zlib};
use rigz::error::{Error, Result, Status};
use rigz::inflate::{Decoded, End, Goal, Inflate, decode};
use rigz::raw::{Allocator, Output};

/// Fills the memory past the end of the output, to detect writes there.
const CANARY: u8 = 0xA5;

/// zlib's return code for an outcome.
fn code(outcome: Result<Status>) -> i32 {
    match outcome {
        Ok(Status::Ok) => 0,
        Ok(Status::StreamEnd) => 1,
        Ok(Status::NeedDictionary) => 2,
        Err(Error::Stream) => -2,
        Err(Error::Data) => -3,
        Err(Error::Memory) => -4,
        Err(Error::Buffer) => -5,
        Err(Error::Io) => -1,
    }
}

fn goal(flush: i32) -> Goal {
    match flush {
        4 => Goal::Finish,
        5 => Goal::Block,
        6 => Goal::BlockHeader,
        _ => Goal::Progress,
    }
}

/// Our decoder and zlib's, with the same input.
struct Pair {
    ours: Inflate,
    theirs: Inflater,
    /// The output so far.
    output: Vec<u8>,
    is_raw: bool,
    buffers: (Vec<u8>, Vec<u8>),
}

impl Pair {
    fn new(window_bits: i32) -> Self {
        let theirs = zlib().inflater(window_bits).expect("legal window bits");
        let ours = Inflate::new(window_bits, Allocator::SYSTEM).expect("legal window bits");
        Self { ours, theirs, output: Vec::new(), is_raw: window_bits < 0, buffers: (Vec::new(), Vec::new()) }
    }

    /// Calls each once. Returns zlib's code and the number of bytes it consumed.
    fn call(&mut self, input: &[u8], room: usize, flush: i32, what: &dyn Fn() -> String) -> (i32, usize) {
        let (a, b) = (&mut self.buffers.0, &mut self.buffers.1);
        for buffer in [&mut *a, &mut *b] {
            buffer.clear();
            buffer.resize(room + 40, CANARY);
        }
        let (their_code, taken, made) = self.theirs.call(input, &mut b[..room], flush);
        let mut rest = input;
        let mut output = Output::new(&mut a[..room]);
        let our_code = code(self.ours.inflate(&mut rest, &mut output, goal(flush), &mut |_| {}));
        let our_made = output.written();
        assert_eq!(
            our_code,
            their_code,
            "code; {} {:?} {:?}",
            what(),
            self.ours.message(),
            self.theirs.strm.message()
        );
        assert_eq!(self.ours.message(), self.theirs.strm.message(), "message; {}", what());
        assert_eq!(input.len() - rest.len(), taken, "consumed; {}", what());
        assert_eq!(our_made, made, "produced; {}", what());
        assert_eq!(a, b, "output, and nothing behind it; {}", what());
        if our_code != 2 {
            assert_eq!(self.ours.data_type(), self.theirs.strm.data_type, "data_type; {}", what());
        }
        if let Some(check) = self.ours.check() {
            assert_eq!(u64::from(check), self.theirs.strm.adler, "check value; {}", what());
        }
        if our_code != -3 {
            let ptr = self.theirs.ptr();
            // SAFETY: the stream is open.
            let mark = unsafe { (self.theirs.zlib.inflateMark)(ptr) };
            assert_eq!(self.ours.mark(), mark, "mark; {}", what());
            // SAFETY: the stream is open.
            let point = unsafe { (self.theirs.zlib.inflateSyncPoint)(ptr) };
            assert_eq!(i32::from(self.ours.is_sync_point()), point, "sync point; {}", what());
        }
        self.output.extend_from_slice(&b[..made]);
        (their_code, taken)
    }

    /// Calls with the input size, room and flush of `cut`, until one call past the end, or until there is no progress.
    fn run(
        &mut self,
        stream: &[u8],
        mut cut: impl FnMut() -> (usize, usize, i32),
        what: &dyn Fn() -> String,
    ) -> i32 {
        let (mut at, mut idle, mut calls) = (0, 0, 0);
        loop {
            let (offer, room, flush) = cut();
            let offer = offer.min(stream.len() - at);
            let before = self.output.len();
            let told =
                || format!("{} call {calls} at {at} offering {offer} room {room} flush {flush}", what());
            let (code, taken) = self.call(&stream[at..at + offer], room, flush, &told);
            at += taken;
            calls += 1;
            idle = if taken == 0 && self.output.len() == before { idle + 1 } else { 0 };
            if idle > 60 || (idle > 1 && code != 0 && code != -5) {
                // zlib's history lacks the output of the call that read the check value. Ours does too, unless that output
                // has overwritten the older history; then ours is the newest output.
                let is_over = !self.is_raw && self.ours.data_type() & 64 != 0;
                let (ours, theirs) = (self.ours.dictionary(), self.theirs.dictionary());
                let is_newest = self.output.ends_with(ours) || ours.ends_with(&self.output);
                let is_newest = is_over && ours.len() == 32_768 && is_newest;
                assert!(ours == theirs || is_newest, "history; {}", what());
                return code;
            }
        }
    }
}

const FLUSHES: [i32; 6] = [0, 2, 4, 5, 6, 0];

#[test]
fn the_same_window_bits_are_legal() {
    let zlib = zlib();
    for bits in -40..=80 {
        let ours = Inflate::new(bits, Allocator::SYSTEM).is_ok();
        assert_eq!(ours, zlib.inflater(bits).is_some(), "window bits {bits}");
        let mut stream = Inflate::new(15, Allocator::SYSTEM).expect("legal");
        assert_eq!(stream.reset2(bits).is_ok(), ours, "window bits {bits}");
    }
}

#[test]
fn every_cut_of_a_small_stream() {
    let zlib = zlib();
    let data = &kinds(900)[0].1;
    for (window_bits, level) in [(15, 6), (31, 9), (-15, 1), (15, 0)] {
        let how = How { level, window_bits, flush: (if level == 9 { 2 } else { 0 }, 400), ..How::PLAIN };
        let stream = zlib.compress(data, how, &[]);
        for flush in [0, 4, 5, 6] {
            for first in 0..=stream.len() {
                let mut calls = 0;
                let cut = || {
                    calls += 1;
                    (if calls == 1 { first } else { usize::MAX }, 2000, flush)
                };
                Pair::new(window_bits).run(&stream, cut, &|| format!("{how:?} first {first}"));
            }
            for room in 0..=data.len() {
                let mut calls = 0;
                let cut = || {
                    calls += 1;
                    (usize::MAX, if calls == 1 { room } else { 2000 }, flush)
                };
                Pair::new(window_bits).run(&stream, cut, &|| format!("{how:?} first room {room}"));
            }
            for (offer, room) in
                [(1, 1), (1, 2000), (2000, 1), (2, 3), (7, 5), (13, 258), (50, 300), (200, 20)]
            {
                let mut pair = Pair::new(window_bits);
                let end = pair.run(&stream, || (offer, room, flush), &|| format!("{how:?} {offer} {room}"));
                assert_eq!((end, &pair.output), (1, data));
            }
        }
    }
}

#[test]
fn random_cuts_of_all_that_zlib_can_write() {
    let zlib = zlib();
    let mut random = Random::varied(1);
    for (name, data) in kinds(150_000) {
        for round in 0..24 {
            let window_bits = [15, 31, -15, 9, -10, 12][round % 6];
            let how = How {
                level: (round % 10) as i32,
                window_bits,
                mem_level: 1 + (round % 9) as i32,
                strategy: random.below(5) as i32,
                flush: ([0, 1, 2, 3, 5][random.below(5)], [0, 1000, 20_000][random.below(3)]),
            };
            let stream = zlib.compress(&data[..length(&mut random, data.len())], how, &[]);
            let open = match window_bits {
                9..=15 if round % 2 == 0 => [0, 15, 47][random.below(3)],
                31 => [31, 47][random.below(2)],
                // A smaller window than the stream's: which distances are too far then depends on the cuts.
                -15 => [-15, -9, -12][random.below(3)],
                bits => bits,
            };
            let (most_in, most_out) = (1 + length(&mut random, 70_000), 1 + length(&mut random, 100_000));
            let flush = [-1, 0, 0, 4, 5, 6][random.below(6)];
            let seed = random.next();
            let mut cuts = Random::new(seed);
            let cut = || {
                let flush = if flush < 0 { FLUSHES[cuts.below(6)] } else { flush };
                (length(&mut cuts, most_in), length(&mut cuts, most_out), flush)
            };
            Pair::new(open).run(&stream, cut, &|| format!("{name} {how:?} open {open} seed {seed}"));
        }
    }
}

#[test]
fn equal_pieces_of_every_usual_size() {
    let zlib = zlib();
    for (name, data) in kinds(300_000) {
        let stream = zlib.compress(&data, How::PLAIN, &[]);
        for piece in [1, 255, 258, 259, 1024, 4096, 32768, 65536, 65537, 1 << 20] {
            if piece == 1 && name != "text" {
                continue;
            }
            let mut pair = Pair::new(15);
            let end = pair.run(&stream, || (piece, piece, 0), &|| format!("{name} piece {piece}"));
            assert_eq!(end, 1);
            assert!(pair.output == data, "{name} piece {piece}");
        }
    }
}

#[test]
fn damaged_streams_fail_alike() {
    let zlib = zlib();
    let mut random = Random::varied(2);
    let mut failures = 0;
    for (name, data) in kinds(6_000) {
        for round in 0..400 {
            let window_bits = [15, 31, -15][round % 3];
            let level = [0, 1, 6, 9][random.below(4)];
            let strategy = [0, 0, 4, 2][random.below(4)];
            let how =
                How { level, strategy, window_bits, flush: (2, [0, 700][random.below(2)]), ..How::PLAIN };
            let mut stream = zlib.compress(&data[..length(&mut random, data.len())], how, &[]);
            for _ in 0..1 + random.below(3) {
                let at = length(&mut random, stream.len().saturating_sub(1));
                match random.below(4) {
                    0 => stream[at] = (random.next() >> 30) as u8,
                    1 => stream[at] ^= 1 << random.below(8),
                    2 if stream.len() > 1 => drop(stream.remove(at)),
                    _ => stream.truncate(at.max(1)),
                }
            }
            let seed = random.next();
            let mut cuts = Random::new(seed);
            let large = random.below(2) == 0;
            let cut = || match large {
                true => (usize::MAX, 10_000, 0),
                false => (length(&mut cuts, 300), length(&mut cuts, 600), FLUSHES[cuts.below(6)]),
            };
            let end = Pair::new(window_bits)
                .run(&stream, cut, &|| format!("{name} {how:?} seed {seed} {stream:?}"));
            failures += i32::from(end == -3);
        }
    }
    assert!(failures > 500, "the damage must be felt: {failures}");
}

#[test]
fn noise_fails_alike() {
    zlib();
    let mut random = Random::varied(3);
    for round in 0..20_000 {
        let stream = random.bytes(60);
        let window_bits = [-15, -15, 15, 31, 47][round % 5];
        let mut stream = stream;
        match round % 10 {
            2 | 7 => stream.splice(0..2, [0x78, 0x9c]).for_each(drop),
            3 | 8 => stream.splice(0..4, [0x1f, 0x8b, 8, random.below(32) as u8]).for_each(drop),
            _ => {}
        }
        let cut = (1 + length(&mut random, 59), 1 + length(&mut random, 300));
        Pair::new(window_bits).run(&stream, || (cut.0, cut.1, 0), &|| format!("{cut:?} {stream:?}"));
    }
}

#[test]
fn forged_code_lengths_are_judged_alike() {
    zlib();
    let mut random = Random::varied(4);
    let mut codes = [0; 2];
    for round in 0..6_000 {
        let symbols = 257 + random.below(30);
        let mut litlen = complete_lengths(&mut random, symbols, 15, 256);
        let offsets = 1 + random.below(30);
        let mut offset = match random.below(6) {
            0 => vec![0; offsets],
            1 => (0..offsets).map(|at| u8::from(at == 0)).collect(),
            2 => (0..offsets).map(|at| u8::from(at + 1 == offsets) * 2).collect(),
            _ if offsets > 2 => complete_lengths(&mut random, offsets, 15, 0),
            _ => vec![1; offsets],
        };
        match random.below(5) {
            0 => litlen[random.below(symbols)] = random.below(16) as u8,
            1 => offset[random.below(offsets)] = random.below(16) as u8,
            2 if round % 7 == 0 => litlen = (0..symbols).map(|symbol| u8::from(symbol == 256)).collect(),
            _ => {}
        }
        let mut writer = BitWriter::default();
        writer.dynamic_header(random.below(2) == 0, &litlen, &offset);
        for _ in 0..60 {
            writer.put(random.next() as u32 >> 8, 24);
        }
        let cut =
            [(usize::MAX, 100_000), (1 + length(&mut random, 200), 1 + length(&mut random, 500))][round % 2];
        let mut pair = Pair::new(-15);
        let end = pair.run(&writer.bytes, || (cut.0, cut.1, 0), &|| format!("{litlen:?} {offset:?} {cut:?}"));
        codes[usize::from(end == -3)] += 1;
        let ptr = pair.theirs.ptr();
        // SAFETY: the stream is open.
        let used = unsafe { (pair.theirs.zlib.inflateCodesUsed)(ptr) };
        if pair.ours.message().is_none_or(|message| !message.to_bytes().ends_with(b"set")) {
            assert_eq!(pair.ours.codes_used() as u64, used, "{litlen:?} {offset:?}");
        }
    }
    assert!(codes[0] > 20 && codes[1] > 1000, "{codes:?}");
}

#[test]
fn dictionaries_work_alike() {
    let zlib = zlib();
    let data = &kinds(20_000)[0].1;
    for (window_bits, dictionary) in
        [(15, &data[..5000]), (-15, &data[..5000]), (10, &data[..3000]), (15, &data[..1])]
    {
        let how = How { window_bits, level: 9, ..How::PLAIN };
        let stream = zlib.compress(&data[2500..9000], how, dictionary);
        let mut pair = Pair::new(window_bits);
        let what = || format!("{window_bits} {}", dictionary.len());
        let mut at = 0;
        if window_bits > 0 {
            let (code, taken) = pair.call(&stream, 1000, 0, &what);
            assert_eq!((code, taken), (2, 6));
            assert_eq!(pair.ours.set_dictionary(&data[1..40]), Err(Error::Data));
            at = taken;
        }
        pair.ours.set_dictionary(dictionary).expect("the right one");
        let ptr = pair.theirs.ptr();
        // SAFETY: the stream is open, the dictionary readable.
        let code = unsafe { (zlib.inflateSetDictionary)(ptr, dictionary.as_ptr(), dictionary.len() as u32) };
        assert_eq!(code, 0);
        assert_eq!(pair.ours.dictionary(), pair.theirs.dictionary());
        let end = pair.run(&stream[at..], || (333, 777, 0), &what);
        assert_eq!(end, 1);
        assert!(pair.output == data[2500..9000]);
    }
}

#[test]
fn resets_sync_prime_and_validate_work_alike() {
    let zlib = zlib();
    let data = &kinds(30_000)[0].1;
    let how = How { flush: (3, 4_000), window_bits: 31, ..How::PLAIN };
    let stream = zlib.compress(data, how, &[]);
    for cut in [0, 1, 9, 11, 300, 2_000, 6_000] {
        let mut pair = Pair::new(47);
        pair.call(&stream[..cut], 40_000, 0, &|| format!("before sync {cut}"));
        let offer = &stream[cut..];
        let mut rest = offer;
        let ours = pair.ours.sync(&mut rest).map(|()| Status::Ok);
        (pair.theirs.strm.next_in, pair.theirs.strm.avail_in) = (offer.as_ptr(), offer.len() as u32);
        let ptr = pair.theirs.ptr();
        // SAFETY: the stream is open and the input as long as said.
        let theirs = unsafe { (zlib.inflateSync)(ptr) };
        assert_eq!((code(ours), rest.len()), (theirs, pair.theirs.strm.avail_in as usize), "sync from {cut}");
        pair.run(rest, || (1_000, 1_500, 0), &|| format!("after sync from {cut}"));

        // If only gzip's magic number was read, the stream after a sync marker counts as a zlib stream.
        if cut == 0 {
            let mark_only = [&[0x1f, 0x8b, 0, 0, 0, 0, 0xff, 0xff, 3, 0][..], &[7; 20]].concat();
            let mut pair = Pair::new(47);
            pair.call(&mark_only[..4], 100, 0, &|| "a mark".into());
            let mut rest = &mark_only[4..];
            assert_eq!(pair.ours.sync(&mut rest), Ok(()));
            (pair.theirs.strm.next_in, pair.theirs.strm.avail_in) = (mark_only[4..].as_ptr(), 26);
            let ptr = pair.theirs.ptr();
            // SAFETY: the stream is open and the input as long as said.
            assert_eq!(unsafe { (zlib.inflateSync)(ptr) }, 0);
            assert_eq!(pair.call(&mark_only[8..], 100, 4, &|| "behind a mark".into()), (1, 6));
        }

        for keep in [false, true] {
            let ptr = pair.theirs.ptr();
            if keep {
                pair.ours.reset_keep();
                // SAFETY: the stream is open.
                unsafe { (zlib.inflateResetKeep)(ptr) };
            } else {
                pair.ours.reset();
                // SAFETY: the stream is open.
                unsafe { (zlib.inflateReset)(ptr) };
            }
            pair.output.clear();
            pair.run(&stream, || (3_000, 50_000, 0), &|| format!("again, keep {keep}"));
        }
        pair.ours.reset2(31).expect("legal");
        pair.ours.validate(false);
        let ptr = pair.theirs.ptr();
        // SAFETY: the stream is open.
        unsafe { (zlib.inflateReset2)(ptr, 31) };
        // SAFETY: the stream is open.
        unsafe { (zlib.inflateValidate)(ptr, 0) };
        pair.output.clear();
        let mut wrong = stream.clone();
        let len = wrong.len();
        wrong[len - 6] ^= 1;
        let end = pair.run(&wrong, || (3_000, 50_000, 0), &|| "unchecked".into());
        assert_eq!(end, 1);
    }
    let raw = zlib.compress(data, How { window_bits: -15, ..How::PLAIN }, &[]);
    for bits in 1..=7 {
        let mut pair = Pair::new(-15);
        let value = i32::from(raw[0]) & ((1 << bits) - 1);
        let ptr = pair.theirs.ptr();
        // SAFETY: the stream is open.
        assert_eq!(unsafe { (zlib.inflatePrime)(ptr, bits, value) }, 0);
        pair.ours.prime(bits, value).expect("legal");
        let shifted: Vec<u8> = (0..raw.len())
            .map(|at| {
                (u16::from(raw[at]) | u16::from(*raw.get(at + 1).unwrap_or(&0)) << 8)
                    .checked_shr(bits as u32)
                    .unwrap_or(0) as u8
            })
            .collect();
        let end = pair.run(&shifted, || (500, 700, 0), &|| format!("primed with {bits}"));
        assert_eq!((end, &pair.output), (1, data));
    }
}

#[test]
fn a_copy_goes_on_apart() {
    let zlib = zlib();
    let data = &kinds(100_000)[0].1;
    let stream = zlib.compress(data, How::PLAIN, &[]);
    let mut ours = Inflate::new(15, Allocator::SYSTEM).expect("legal");
    let mut first = vec![0; 50_000];
    let mut input = &stream[..];
    let mut output = Output::new(&mut first);
    assert_eq!(ours.inflate(&mut input, &mut output, Goal::Progress, &mut |_| {}), Ok(Status::Ok));
    let mut copy = ours.try_clone().expect("memory");
    drop(ours);
    let mut second = vec![0; 50_000];
    let mut output = Output::new(&mut second);
    assert_eq!(copy.inflate(&mut input, &mut output, Goal::Finish, &mut |_| {}), Ok(Status::StreamEnd));
    first.extend_from_slice(&second);
    assert!(first == *data);
}

#[test]
fn one_shot_agrees_with_zlib() {
    let zlib = zlib();
    let mut random = Random::varied(5);
    for (name, data) in kinds(70_000) {
        for round in 0..60 {
            let data = &data[..length(&mut random, data.len())];
            let how = How { level: round % 10, strategy: round % 5, window_bits: -15, ..How::PLAIN };
            let stream = zlib.compress(data, how, &[]);
            let mut out = vec![CANARY; data.len() + 64];
            let decoded = decode(&stream, &mut Output::new(&mut out[..data.len()]));
            let expected = Decoded { consumed: stream.len(), produced: data.len(), end: End::Complete };
            assert_eq!(decoded, expected, "{name} {how:?}");
            assert!(
                out[..data.len()] == *data && out[data.len()..].iter().all(|&byte| byte == CANARY),
                "{name} {how:?}"
            );
            if !data.is_empty() {
                let short = random.below(data.len());
                let decoded = decode(&stream, &mut Output::new(&mut out[..short]));
                assert_eq!(
                    (decoded.end, decoded.produced),
                    (End::OutputFull, short),
                    "{name} {how:?} short {short}"
                );
                assert!(out[..short] == data[..short]);
            }
            let short = random.below(stream.len());
            let decoded = decode(&stream[..short], &mut Output::new(&mut out[..data.len()]));
            assert_eq!(
                (decoded.end, decoded.consumed),
                (End::InputEnds, short),
                "{name} {how:?} input {short}"
            );
        }
    }
}

/// Memory whose last byte is followed by an inaccessible page.
struct Guarded {
    base: *mut u8,
    size: usize,
}

impl Guarded {
    fn new(size: usize) -> Self {
        let size = size.next_multiple_of(4096);
        let (protection, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a fresh anonymous mapping.
        let base = unsafe { libc::mmap(core::ptr::null_mut(), size + 4096, protection, flags, -1, 0) };
        assert_ne!(base, libc::MAP_FAILED);
        // SAFETY: the last page of that mapping.
        assert_eq!(unsafe { libc::mprotect(base.wrapping_add(size), 4096, libc::PROT_NONE) }, 0);
        Self { base: base.cast(), size }
    }

    /// The last `len` bytes before the guard.
    fn tail(&mut self, len: usize) -> &mut [u8] {
        assert!(len <= self.size);
        // SAFETY: mapped, initialised to zero by the system, and borrowed with `self`.
        unsafe { core::slice::from_raw_parts_mut(self.base.wrapping_add(self.size - len), len) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`, and no longer borrowed.
        unsafe { libc::munmap(self.base.cast(), self.size + 4096) };
    }
}

#[test]
fn nothing_behind_the_buffers_is_touched() {
    let zlib = zlib();
    let mut random = Random::varied(6);
    let (mut guarded_in, mut guarded_out) = (Guarded::new(200_000), Guarded::new(200_000));
    for (name, data) in kinds(60_000) {
        for round in 0..40 {
            let data = &data[..length(&mut random, data.len())];
            let how = How { level: 1 + round % 9, window_bits: -15, ..How::PLAIN };
            let stream = zlib.compress(data, how, &[]);
            let input = guarded_in.tail(stream.len());
            input.copy_from_slice(&stream);
            let out = guarded_out.tail(data.len());
            assert_eq!(decode(input, &mut Output::new(out)).end, End::Complete);
            assert!(out == data, "{name} {how:?}");

            let mut ours = Inflate::new(-15, Allocator::SYSTEM).expect("legal");
            let (mut at, mut done) = (0, 0);
            loop {
                let piece = &stream[at..(at + 1 + length(&mut random, 20_000)).min(stream.len())];
                let input = guarded_in.tail(piece.len());
                input.copy_from_slice(piece);
                let mut rest = &*input;
                let out = guarded_out.tail(1 + length(&mut random, 20_000));
                let mut output = Output::new(out);
                let outcome = ours.inflate(&mut rest, &mut output, Goal::Progress, &mut |_| {});
                let made = output.written();
                at += piece.len() - rest.len();
                assert!(out[..made] == data[done..done + made]);
                done += made;
                match outcome {
                    Ok(Status::StreamEnd) => break,
                    Ok(_) => {}
                    Err(error) => panic!("{name} {how:?}: {error:?}"),
                }
            }
            assert_eq!(done, data.len());
        }
    }
}
