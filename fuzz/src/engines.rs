//! Compares our own parts with each other, mostly below the C interface, and in two targets with the system's zlib (the judge).
//!
//! Each public function is a fuzz target, whose input consists of content and a script of choices (see [`split`]).

use std::ffi::c_int;

use rigz::checksum::Check;
use rigz::error::{Error, Status};
use rigz::format::deflate::WINDOW_SIZE;
use rigz::inflate::{Decoded, End, Goal, Inflate, Marked, Resolver, Search, Start, decode, find_start};
use rigz::pipeline::{Between, ChunkEnd, Compressor, Drive, Form, Level, PendingBits, Settings};
use rigz::raw::{Allocator, Output};

use crate::calls::{run_tester, setup};
use crate::params::Params;
use crate::random::Rng;
use crate::streams::Compressed;
use crate::zlib::{
    BLOCK, BUF_ERROR, FINISH, FULL_FLUSH, NO_FLUSH, OK, PARTIAL_FLUSH, STREAM_END, SYNC_FLUSH, ZStream, Zlib,
};
use crate::{oneshot, split};

/// Fills the `GUARD` bytes after an output buffer, to detect writes past its end.
const CANARY: u8 = 0xC5;
const GUARD: usize = 40;

/// Returns `content`, in half of the cases repeated with small changes, up to a length of at most `max` that the script chooses:
/// long enough for chunks and windows.
fn repeated(content: &[u8], max: usize, rng: &mut Rng) -> Vec<u8> {
    let mut data = content.to_vec();
    if content.is_empty() || rng.chance(50) {
        return data;
    }
    let len = rng.size(max).max(content.len());
    while data.len() < len {
        let start = data.len();
        data.extend_from_within(start - content.len()..);
        let at = start + rng.below(content.len());
        data[at] = data[at].wrapping_add(1);
    }
    data.truncate(len);
    data
}

/// Content: data to compress, perhaps repeated. Script: level, strategy, format, pieces and flushes. Our deflate compresses it. The
/// system's inflate and ours, in pieces, must decode the stream to the data, and so must our one-call decoder if the stream is raw.
pub fn round_trip(input: &[u8]) {
    let (content, script) = split(input);
    let mut rng = Rng::scripted(script);
    let params = Params {
        level: rng.range(-1, 9),
        method: 8,
        window_bits: rng.pick(&[15, 31, -15, 15, 31, -15, 9, -9, 25, 12]),
        mem_level: rng.range(1, 9),
        strategy: rng.pick(&[0, 0, 0, 1, 2, 3, 4]),
    };
    let data = repeated(content, 300_000, &mut rng);
    let stream = deflated(&params, &data, &mut rng);
    for lib in [&setup().judge, &setup().ours] {
        let pieces = (1 + rng.size(stream.len()), 1 + rng.size(data.len()));
        let decoded = inflated(lib, params.window_bits, &stream, pieces, data.len());
        assert!(decoded == data, "{params:?} {pieces:?} {} bytes, decoded to {}", data.len(), decoded.len());
    }
    if params.window_bits < 0 {
        let (bytes, decoded) = decoded(&stream, data.len());
        assert_eq!((decoded.end, decoded.consumed), (End::Complete, stream.len()), "{params:?}");
        assert!(bytes == data, "{params:?}");
    }
}

/// Compresses `data` with our deflate, in pieces and with flushes that the script chooses.
fn deflated(params: &Params, data: &[u8], rng: &mut Rng) -> Vec<u8> {
    let lib = &setup().ours;
    let mut strm = ZStream::new();
    assert_eq!(lib.deflate_init2(&mut strm, params), OK, "{params:?}");
    let (mut stream, mut rest) = (Vec::new(), data);
    let mut buffer = vec![CANARY; 70_000];
    let flush_percent = rng.pick(&[0, 10, 50, 100]);
    // At least 1/500 of the data per call: smaller pieces would take too long.
    let cut = 1 + rng.size(data.len()).max(data.len() / 500);
    // With less than 7 bytes of output space, a flush that exactly fills it is repeated endlessly, as zlib's manual warns.
    let room = (7 + rng.size(60_000)).max(data.len() / 500);
    loop {
        let flush = match rest {
            [] => FINISH,
            _ if rng.chance(flush_percent) => rng.pick(&[PARTIAL_FLUSH, SYNC_FLUSH, FULL_FLUSH, BLOCK]),
            _ => NO_FLUSH,
        };
        let (piece, after) = rest.split_at(cut.min(rest.len()));
        (strm.next_in, strm.avail_in) = (piece.as_ptr(), piece.len() as u32);
        loop {
            (strm.next_out, strm.avail_out) = (buffer.as_mut_ptr(), room as u32);
            let code = lib.deflate(&mut *strm, flush);
            let made = room - strm.avail_out as usize;
            stream.extend_from_slice(&buffer[..made]);
            assert!(buffer[room..room + GUARD].iter().all(|&byte| byte == CANARY), "written past avail_out");
            match code {
                STREAM_END => {
                    assert!(flush == FINISH && strm.avail_in == 0);
                    assert_eq!(lib.deflate_end(&mut *strm), OK);
                    return stream;
                }
                OK | BUF_ERROR if strm.avail_out > 0 && flush != FINISH => break,
                OK => assert!(made > 0, "no progress"),
                BUF_ERROR if flush != FINISH => break,
                _ => panic!("deflate({flush}) returned {code}, {params:?}"),
            }
        }
        assert_eq!(strm.avail_in, 0, "input remains although there is output space");
        rest = after;
    }
}

/// Decodes the stream, which has `len` bytes of data, to its end by calls of at most `cut` bytes of input and `room` of output.
fn inflated(
    lib: &Zlib,
    window_bits: c_int,
    stream: &[u8],
    (cut, room): (usize, usize),
    len: usize,
) -> Vec<u8> {
    let mut strm = ZStream::new();
    assert_eq!(lib.inflate_init2(&mut strm, window_bits), OK);
    // At least 1/2000 of the stream and of the data per call: smaller pieces would take too long.
    let (cut, room) = (cut.max(stream.len() / 2000), room.max(len / 2000));
    let mut data = vec![CANARY; len + room + GUARD];
    let (mut at, mut made) = (0, 0);
    loop {
        let end = stream.len().min(at + cut);
        (strm.next_in, strm.avail_in) = (stream[at..].as_ptr(), (end - at) as u32);
        (strm.next_out, strm.avail_out) = (data[made..].as_mut_ptr(), room as u32);
        let code = lib.inflate(&mut *strm, NO_FLUSH);
        assert!(data[made + room..][..GUARD].iter().all(|&byte| byte == CANARY), "written past avail_out");
        let (taken, given) = (end - at - strm.avail_in as usize, room - strm.avail_out as usize);
        (at, made) = (at + taken, made + given);
        assert!(made <= len, "more output than data");
        if code == STREAM_END {
            assert_eq!(at, stream.len(), "bytes after the end");
            break;
        }
        assert!(code == OK && taken + given > 0, "inflate returned {code} {:?} at {at}", strm.message());
    }
    lib.inflate_end(&mut *strm);
    data.truncate(made);
    data
}

/// Decodes the raw stream in one call to at most `room` bytes, and checks that nothing is written past them.
fn decoded(stream: &[u8], room: usize) -> (Vec<u8>, Decoded) {
    let mut bytes = vec![CANARY; room + GUARD];
    let mut output = Output::new(&mut bytes[..room]);
    let decoded = decode(stream, &mut output);
    assert_eq!(output.written(), decoded.produced);
    assert!(bytes[room..].iter().all(|&byte| byte == CANARY), "written past the output's end");
    bytes.truncate(decoded.produced);
    (bytes, decoded)
}

/// Content: a stream, decoded as a raw one by our engine, and as a zlib stream by uncompress. Script: output space and pieces.
/// Decoding the raw stream in one call and in pieces must have the same result, and our uncompress the same as the system's.
pub fn one_shot(input: &[u8]) {
    let (content, script) = split(input);
    let mut rng = Rng::scripted(script);
    let room = rng.size(100_000);
    let pieces = (1 + rng.size(content.len()), 1 + rng.size(room));
    let (at_once, decoded) = decoded(content, room);

    let mut stream = Inflate::new(-15, Allocator::SYSTEM).expect("memory for a stream");
    let mut bytes = vec![CANARY; room + GUARD];
    let (mut rest, mut made) = (content, 0);
    let outcome = loop {
        let mut piece = &rest[..pieces.0.max(content.len() / 2000).min(rest.len())];
        let end = room.min(made + pieces.1.max(room / 2000));
        let before = piece.len();
        let mut output = Output::new(&mut bytes[made..end]);
        let outcome = stream.inflate(&mut piece, &mut output, Goal::Progress, &mut |_| {});
        let (taken, given) = (before - piece.len(), output.written());
        assert!(bytes[end..][..GUARD].iter().all(|&byte| byte == CANARY), "written past the output's end");
        rest = &rest[taken..];
        made += given;
        // A call without progress is the last. If it had input and output space, the comparison below fails.
        let is_stuck = taken == 0 && given == 0;
        if is_stuck || !matches!(outcome, Ok(Status::Ok) | Err(Error::Buffer)) {
            break outcome;
        }
    };
    // The numbers of bytes are compared below.
    let common = made.min(at_once.len());
    assert!(bytes[..common] == at_once[..common], "the bytes differ");
    match decoded.end {
        End::Complete => {
            assert_eq!(outcome, Ok(Status::StreamEnd));
            assert_eq!((made, content.len() - rest.len()), (decoded.produced, decoded.consumed));
        }
        End::Damaged(message) => {
            assert_eq!(outcome, Err(Error::Data));
            assert_eq!((stream.message(), made), (Some(message), decoded.produced));
        }
        End::InputEnds => {
            assert!(matches!(outcome, Ok(Status::Ok) | Err(Error::Buffer)), "{outcome:?}");
            assert_eq!((made, rest.len()), (decoded.produced, 0));
        }
        End::NeedsDictionary => panic!("a raw stream needs no dictionary"),
        End::OutputFull => {
            assert!(matches!(outcome, Ok(Status::Ok) | Err(Error::Buffer)), "{outcome:?}");
            assert_eq!((made, decoded.produced), (room, room));
        }
    }
    let zlib_stream =
        Compressed { bytes: content.to_vec(), window_bits: 15, dictionary: Vec::new(), input_len: room };
    run_tester(|trace| oneshot::uncompress(setup(), &zlib_stream, &mut Rng::scripted(script), trace));
}

/// Content: a raw stream, decoded from its start with an unknown window. Script: output space, where to stop, and the window. See
/// [`from_the_middle`].
pub fn markers(input: &[u8]) {
    let (content, script) = split(input);
    from_the_middle(content, 0, &mut Rng::scripted(script));
}

/// Content: part of a gzip file, from any offset. Script: as for [`markers`]. At any position that the finder returns, decoding
/// with markers must have the same result as decoding with a known window; a position of a member must be that of a gzip header.
pub fn middle(input: &[u8]) {
    let (content, script) = split(input);
    match find_start(content, Search::All) {
        Some(Start::Block(bit) | Start::Marked(bit)) => {
            from_the_middle(content, bit, &mut Rng::scripted(script))
        }
        Some(Start::Member(at)) => assert!(content[at..].starts_with(&[0x1f, 0x8b, 8])),
        None => {}
    }
}

/// Decodes from a bit of `content`, where a block may begin, in two ways that must have the same result. The first decodes
/// without a window to markers, until an offset that the script chooses or for `room` elements; then it resolves them with the
/// window, and continues as an ordinary stream. The second is an ordinary stream that has the window from the start.
fn from_the_middle(content: &[u8], bit: u64, rng: &mut Rng) {
    let room = rng.size(60_000);
    let until = rng.below(content.len() + 1);
    let mut window_rng = Rng::new(rng.below(256) as u64);
    let window: Vec<u8> = (0..WINDOW_SIZE).map(|_| window_rng.bits() as u8).collect();
    let mut marked = Marked::new(room).expect("memory for elements");
    let Some(passed) = marked.decode(content, bit, until, usize::MAX, |_, _| true) else { return };

    let mut resolver = Resolver::new().expect("memory for a table");
    resolver.set_window([&window, &[]]);
    let mut stream = raw_stream(&window);
    // Moves the stream to the start of its first block.
    let _ = stream.inflate(&mut &[][..], &mut Output::new(&mut []), Goal::Progress, &mut |_| {});
    let mut by_markers = vec![CANARY; room + 20_000];
    let mut output = Output::new(&mut by_markers);
    assert_eq!(resolver.resolve(&marked, 0..marked.len(), &mut stream, &mut output), marked.len());
    resolver.pass(&passed, marked.len(), &mut stream).expect("memory for a window");
    let after_markers = decode_rest(&mut stream, &content[passed.consumed..], &mut output);
    let made = output.written();

    let mut stream = raw_stream(&window);
    let (byte, used) = ((bit / 8) as usize, (bit % 8) as i32);
    if used > 0 {
        stream.prime(8 - used, i32::from(content[byte]) >> used).expect("up to 7 bits");
    }
    let mut known = vec![CANARY; room + 20_000];
    let mut output = Output::new(&mut known);
    let with_window = decode_rest(&mut stream, &content[byte + usize::from(used > 0)..], &mut output);
    assert_eq!(after_markers, with_window);
    assert_eq!(made, output.written());
    assert!(by_markers[..made] == known[..made], "the bytes differ");
}

/// Returns a decoder that has `window` as its history.
fn raw_stream(window: &[u8]) -> Inflate {
    let mut stream = Inflate::new(-15, Allocator::SYSTEM).expect("memory for a stream");
    stream.set_dictionary(window).expect("a raw stream takes a dictionary");
    stream
}

/// Decodes as far as possible. Returns whether the stream ended, the error message, and the number of input bytes left.
fn decode_rest(stream: &mut Inflate, input: &[u8], output: &mut Output<'_>) -> (bool, Option<String>, usize) {
    let mut rest = input;
    let outcome = stream.inflate(&mut rest, output, Goal::Progress, &mut |_| {});
    let message = stream.message().map(|message| message.to_string_lossy().into_owned());
    (outcome == Ok(Status::StreamEnd), message, rest.len())
}

/// Content: data to compress, perhaps repeated. Script: level, window, chunks, pieces. The output of several threads for data in
/// pieces must equal that of one thread for all data at once, and that of a copy made meanwhile; and it must decode to the data.
pub fn parallel(input: &[u8]) {
    const CHUNKS: [fn(usize) -> usize; 5] =
        [|_| 1, |number| 7 + number % 3, |_| 1 << 10, |number| (4 << 10) << number.min(3), |_| 32 << 10];
    // Sets the environment variables before the first worker starts.
    setup();
    let (content, script) = split(input);
    let mut rng = Rng::scripted(script);
    let mut data = repeated(content, 150_000, &mut rng);
    // Every chunk is primed with 32 KiB, so tiny chunks are used only for tiny data.
    let smallest = match data.len() {
        0..300 => 0,
        300..10_000 => 2,
        _ => 3,
    };
    let chunk_len = CHUNKS[smallest.max(rng.below(CHUNKS.len()))];
    let window_len = rng.size(data.len().min(WINDOW_SIZE + 100));
    let window: Vec<u8> = data.drain(..window_len).collect();
    let check = [Check::None, Check::Adler(1), Check::Crc(0)][rng.below(3)];
    let end = [ChunkEnd::Finish, ChunkEnd::Sync][rng.below(2)];
    let level = Level::new(rng.range(1, 9) as u32).expect("a level");
    let level = if rng.chance(80) { level } else { level.filtered() };
    let between = if rng.below(2) == 0 { Between::GoOn } else { Between::Rest };
    let how = Drive { end: None, may_hold: rng.below(2) == 0, between };
    let before = PendingBits::default();
    let settings =
        |parallel_from| Settings { form: Form::Raw, level, chunk_len, parallel_from, check, before };
    let held = rng.size(data.len().min(chunk_len(0)));
    let alone = Compressor::new(settings(usize::MAX), &window, &[]).expect("memory");
    let together = Compressor::new(settings(rng.size(data.len())), &window, &data[..held]).expect("memory");

    let whole = (usize::MAX, 1 << 20);
    let (want, want_check, _) = compressed(alone, &data, (end, how), whole, 0);
    let pieces = (1 + rng.size(data.len()), 1 + rng.size(70_000));
    let clone_at = rng.below(40);
    let (got, got_check, copy) = compressed(together, &data[held..], (end, how), pieces, clone_at);
    assert_eq!(got_check, want_check);
    assert!(want == got, "several threads produced different output: {} and {} bytes", want.len(), got.len());
    if let Some(copy) = copy {
        assert!(want == copy, "a copied compressor produced different output");
    }

    let mut stream = raw_stream(&window);
    let mut bytes = vec![0; data.len() + 1];
    let mut output = Output::new(&mut bytes);
    let outcome = stream.inflate(&mut &want[..], &mut output, Goal::Progress, &mut |_| {});
    let written = output.written();
    assert!(bytes[..written] == data, "{outcome:?}: {written} bytes of {}", data.len());
    assert_eq!(outcome.is_ok_and(|status| status == Status::StreamEnd), end == ChunkEnd::Finish);
}

/// Compresses `data` in pieces. Returns the output, the check value, and the output of a copy of the compressor, taken before piece
/// `clone_at` modulo their number; none is taken if `clone_at` is 0. Another copy, taken there too, is dropped while it works.
fn compressed(
    mut compressor: Compressor,
    data: &[u8],
    (end, how): (ChunkEnd, Drive),
    (piece, room): (usize, usize),
    clone_at: usize,
) -> (Vec<u8>, Check, Option<Vec<u8>>) {
    let piece = piece.max(data.len() / 200).max(1);
    let mut bytes = Vec::new();
    let mut copied = None;
    for (number, next) in data.chunks(piece).enumerate() {
        if clone_at > 0 && number == clone_at % data.len().div_ceil(piece) {
            let left = &data[number * piece..];
            let mut dropped = compressor.try_clone().expect("memory for a copy");
            drive(&mut dropped, &mut &left[..], room, how, &mut Vec::new());
            drop(dropped);
            let mut copy = compressor.try_clone().expect("memory for a copy");
            let mut made = bytes.clone();
            write(&mut copy, left, room, how, &mut made);
            finish(&mut copy, end, room, how, &mut made);
            copied = Some(made);
        }
        write(&mut compressor, next, room, how, &mut bytes);
    }
    finish(&mut compressor, end, room, how, &mut bytes);
    (bytes, compressor.check(), copied)
}

/// Passes all of `data` to the compressor.
fn write(compressor: &mut Compressor, mut data: &[u8], room: usize, how: Drive, bytes: &mut Vec<u8>) {
    while !data.is_empty() {
        drive(compressor, &mut data, room, how, bytes);
    }
}

/// Ends the data with `end`, in calls until all output is delivered.
fn finish(compressor: &mut Compressor, end: ChunkEnd, room: usize, how: Drive, bytes: &mut Vec<u8>) {
    while !drive(compressor, &mut &[][..], room, Drive { end: Some(end), ..how }, bytes) {}
}

/// Makes one call with `room` bytes of output space. Returns the result of `Compressor::drive`.
fn drive(
    compressor: &mut Compressor,
    data: &mut &[u8],
    room: usize,
    how: Drive,
    bytes: &mut Vec<u8>,
) -> bool {
    let mut buffer = vec![0; room];
    let mut output = Output::new(&mut buffer);
    let is_done = compressor.drive(data, &mut output, how).expect("jobs succeed");
    let written = output.written();
    bytes.extend_from_slice(&buffer[..written]);
    is_done
}
