//! Our own parts against each other and against the judge, below the C border or only just above it.

use std::ffi::c_int;

use rigz::checksum::Check;
use rigz::error::{Error, Status};
use rigz::format::deflate::WINDOW_SIZE;
use rigz::inflate::{Decoded, End, Goal, Inflate, Marked, Resolver, Search, Start, decode, find_start};
use rigz::pipeline::{Between, ChunkEnd, Compressor, Drive, Form, Level, PendingBits, Settings};
use rigz::raw::{Allocator, Output};

use crate::calls::{judge, setup};
use crate::params::Params;
use crate::random::Rng;
use crate::streams::Compressed;
use crate::zlib::{
    BLOCK, BUF_ERROR, FINISH, FULL_FLUSH, NO_FLUSH, OK, PARTIAL_FLUSH, STREAM_END, SYNC_FLUSH, ZStream, Zlib,
};
use crate::{oneshot, split};

/// What stands behind every buffer that is lent out, to see that nobody writes there.
const CANARY: u8 = 0xC5;
const GUARD: usize = 40;

/// `content` again and again with small changes, up to a length that the script chooses: long enough for chunks and windows.
fn amplified(content: &[u8], max: usize, rng: &mut Rng) -> Vec<u8> {
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

/// Content: something to compress, made longer. Script: level, strategy, format, cuts and flushes. The stream must come back
/// through the system's inflate and through ours, all in one and in pieces.
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
    let data = amplified(content, 300_000, &mut rng);
    let stream = deflated(&params, &data, &mut rng);
    for lib in [&setup().judge, &setup().ours] {
        let pieces = (1 + rng.size(stream.len()), 1 + rng.size(data.len()));
        let back = inflated(lib, params.window_bits, &stream, pieces, data.len());
        assert!(back == data, "{params:?} {pieces:?} {} bytes, {} back", data.len(), back.len());
    }
    if params.window_bits < 0 {
        let (bytes, decoded) = decoded(&stream, data.len());
        assert_eq!((decoded.end, decoded.consumed), (End::Complete, stream.len()), "{params:?}");
        assert!(bytes == data, "{params:?}");
    }
}

/// What ours makes of `data`, in pieces and with flushes as the script says.
fn deflated(params: &Params, data: &[u8], rng: &mut Rng) -> Vec<u8> {
    let lib = &setup().ours;
    let mut strm = ZStream::new();
    assert_eq!(lib.deflate_init2(&mut strm, params), OK, "{params:?}");
    let (mut stream, mut rest) = (Vec::new(), data);
    let mut room = vec![CANARY; 70_000];
    // How often there is a flush, and of which kinds.
    let every = rng.pick(&[0, 10, 50, 100]);
    let usual_cut = 1 + rng.size(data.len()).max(data.len() / 500);
    // With less than 7 bytes a flush that fills its room exactly is written again for ever, as the manual warns.
    let usual_room = (7 + rng.size(60_000)).max(data.len() / 500);
    loop {
        let flush = match rest {
            [] => FINISH,
            _ if rng.chance(every) => rng.pick(&[PARTIAL_FLUSH, SYNC_FLUSH, FULL_FLUSH, BLOCK]),
            _ => NO_FLUSH,
        };
        let (piece, after) = rest.split_at(usual_cut.min(rest.len()));
        (strm.next_in, strm.avail_in) = (piece.as_ptr(), piece.len() as u32);
        loop {
            let guard = usual_room..usual_room + GUARD;
            room[guard.clone()].fill(CANARY);
            (strm.next_out, strm.avail_out) = (room.as_mut_ptr(), usual_room as u32);
            let code = lib.deflate(&mut *strm, flush);
            let made = usual_room - strm.avail_out as usize;
            stream.extend_from_slice(&room[..made]);
            assert!(room[guard].iter().all(|&byte| byte == CANARY), "written past avail_out");
            match code {
                STREAM_END => {
                    assert!(flush == FINISH && strm.avail_in == 0);
                    assert_eq!(lib.deflate_end(&mut *strm), OK);
                    return stream;
                }
                OK | BUF_ERROR if strm.avail_out > 0 && flush != FINISH => break,
                OK => assert!(made > 0, "no way on"),
                BUF_ERROR if flush != FINISH => break,
                _ => panic!("deflate({flush}) gives {code}, {params:?}"),
            }
        }
        assert_eq!(strm.avail_in, 0, "input is left though there is room");
        rest = after;
    }
}

/// The stream decoded in pieces, to its end.
fn inflated(
    lib: &Zlib,
    window_bits: c_int,
    stream: &[u8],
    (cut, room): (usize, usize),
    len: usize,
) -> Vec<u8> {
    let mut strm = ZStream::new();
    assert_eq!(lib.inflate_init2(&mut strm, window_bits), OK);
    let mut data = vec![CANARY; len + room + GUARD];
    let (mut at, mut made) = (0, 0);
    // Bytes by the thousand in steps of one would take all the time there is.
    let (cut, room) = (cut.max(stream.len() / 2000), room.max(len / 2000));
    data.resize(len + room + GUARD, CANARY);
    loop {
        let end = stream.len().min(at + cut);
        (strm.next_in, strm.avail_in) = (stream[at..].as_ptr(), (end - at) as u32);
        (strm.next_out, strm.avail_out) = (data[made..].as_mut_ptr(), room as u32);
        let code = lib.inflate(&mut *strm, NO_FLUSH);
        let (taken, given) = (end - at - strm.avail_in as usize, room - strm.avail_out as usize);
        (at, made) = (at + taken, made + given);
        assert!(made <= len, "more comes out than went in");
        if code == STREAM_END {
            assert_eq!(at, stream.len(), "bytes behind the end");
            break;
        }
        assert!(code == OK && taken + given > 0, "inflate gives {code} {:?} at {at}", strm.message());
    }
    lib.inflate_end(&mut *strm);
    data.truncate(made);
    data
}

/// The raw stream decoded at once into room for `room` bytes; nothing behind them may be touched.
fn decoded(stream: &[u8], room: usize) -> (Vec<u8>, Decoded) {
    let mut bytes = vec![CANARY; room + GUARD];
    let mut output = Output::new(&mut bytes[..room]);
    let decoded = decode(stream, &mut output);
    assert_eq!(output.written(), decoded.produced);
    assert!(bytes[room..].iter().all(|&byte| byte == CANARY), "written behind the room");
    bytes.truncate(decoded.produced);
    (bytes, decoded)
}

/// Content: a stream, as it stands (for uncompress) and raw. Script: room and cuts. Decoding it at once and in pieces must come
/// to the same, and uncompress to what the system's does.
pub fn one_shot(input: &[u8]) {
    let (content, script) = split(input);
    let mut rng = Rng::scripted(script);
    let room = rng.size(100_000);
    let pieces = (1 + rng.size(content.len()), 1 + rng.size(room));
    let (at_once, decoded) = decoded(content, room);

    let mut stream = Inflate::new(-15, Allocator::SYSTEM).expect("memory for a stream");
    let mut bytes = vec![CANARY; room];
    let (mut rest, mut made) = (content, 0);
    let outcome = loop {
        let (mut piece, after) = rest.split_at(pieces.0.max(content.len() / 2000).min(rest.len()));
        let end = room.min(made + pieces.1.max(room / 2000));
        let before = piece.len();
        let mut output = Output::new(&mut bytes[made..end]);
        let outcome = stream.inflate(&mut piece, &mut output, Goal::Progress, &mut |_| {});
        let given = output.written();
        made += given;
        let is_stuck = piece.len() == before && given == 0 && (after.is_empty() || !piece.is_empty());
        rest = &rest[before - piece.len()..];
        if !matches!(outcome, Ok(Status::Ok) | Err(Error::Buffer)) || (is_stuck && made == end.min(room)) {
            break outcome;
        }
        if is_stuck && (made == room || rest.is_empty()) {
            break outcome;
        }
    };
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
        End::NeedsDictionary => panic!("a raw stream asks for nothing"),
        End::OutputFull => {
            assert!(matches!(outcome, Ok(Status::Ok) | Err(Error::Buffer)), "{outcome:?}");
            assert_eq!((made, decoded.produced), (room, room));
        }
    }
    let made =
        Compressed { bytes: content.to_vec(), window_bits: 15, dictionary: Vec::new(), input_len: room };
    judge(|trace| oneshot::uncompress(setup(), &made, &mut Rng::scripted(script), trace));
}

/// Content: a raw stream that is entered at its start with a window nobody knows. Script: room, where to stop, and the window.
pub fn markers(input: &[u8]) {
    let (content, script) = split(input);
    from_the_middle(content, 0, &mut Rng::scripted(script));
}

/// Content: some of a file's middle. Script: as for `markers`. Whatever place the finder finds must be one to decode from, and what comes
/// of it the same by way of markers as with the window known.
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

/// Decodes from a bit of `content`, where a block may begin, to markers that are resolved when the window is known, and goes on behind
/// them; and in the usual way, the window known from the start. Both must come to the same.
fn from_the_middle(content: &[u8], bit: u64, rng: &mut Rng) {
    let room = rng.size(60_000);
    let until = rng.below(content.len() + 1);
    let mut noise = Rng::new(rng.below(256) as u64);
    let window: Vec<u8> = (0..WINDOW_SIZE).map(|_| noise.bits() as u8).collect();
    let mut marked = Marked::new(room).expect("memory for elements");
    let Some(passed) = marked.decode(content, bit, until, usize::MAX, |_, _| true) else { return };

    let mut resolver = Resolver::new().expect("memory for a table");
    resolver.set_window([&window, &[]]);
    let mut stream = raw_stream(&window);
    // To before its first block.
    let _ = stream.inflate(&mut &[][..], &mut Output::new(&mut []), Goal::Progress, &mut |_| {});
    let mut by_markers = vec![CANARY; room + 20_000];
    let mut output = Output::new(&mut by_markers);
    assert_eq!(resolver.resolve(&marked, 0..marked.len(), &mut stream, &mut output), marked.len());
    resolver.pass(&passed, marked.len(), &mut stream).expect("memory is there");
    let behind = decode_on(&mut stream, &content[passed.consumed..], &mut output);
    let made = output.written();

    let mut stream = raw_stream(&window);
    let (byte, used) = ((bit / 8) as usize, (bit % 8) as i32);
    if used > 0 {
        stream.prime(8 - used, i32::from(content[byte]) >> used).expect("up to 7 bits");
    }
    let mut known = vec![CANARY; room + 20_000];
    let mut output = Output::new(&mut known);
    let usual = decode_on(&mut stream, &content[byte + usize::from(used > 0)..], &mut output);
    assert_eq!(behind, usual);
    assert_eq!(made, output.written());
    assert!(by_markers == known, "the bytes differ");
}

fn raw_stream(window: &[u8]) -> Inflate {
    let mut stream = Inflate::new(-15, Allocator::SYSTEM).expect("memory for a stream");
    stream.set_dictionary(window).expect("a raw stream takes a dictionary");
    stream
}

/// Decodes as far as it goes: whether the end came, what is wrong with the data, and what is left of it.
fn decode_on(stream: &mut Inflate, input: &[u8], output: &mut Output<'_>) -> (bool, Option<String>, usize) {
    let mut rest = input;
    let outcome = stream.inflate(&mut rest, output, Goal::Progress, &mut |_| {});
    let message = stream.message().map(|message| message.to_string_lossy().into_owned());
    (outcome == Ok(Status::StreamEnd), message, rest.len())
}

/// Content: something to compress, made longer. Script: level, window, chunks, cuts. The bytes must be those that one thread makes
/// of it in one write, and decode to the data.
pub fn parallel(input: &[u8]) {
    const CHUNKS: [fn(usize) -> usize; 5] =
        [|_| 1, |number| 7 + number % 3, |_| 1 << 10, |number| (4 << 10) << number.min(3), |_| 32 << 10];
    // Workers are called with the environment that `setup` sets.
    setup();
    let (content, script) = split(input);
    let mut rng = Rng::scripted(script);
    let mut data = amplified(content, 150_000, &mut rng);
    // A chunk is primed with 32 KiB, however small it is: chunks of a few bytes are for a few bytes.
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
    let usual = Level::new(rng.range(1, 9) as u32).expect("a level");
    let level = if rng.chance(80) { usual } else { usual.filtered() };
    let between = if rng.below(2) == 0 { Between::GoOn } else { Between::Rest };
    let how = Drive { end: None, may_hold: rng.below(2) == 0, between };
    let before = PendingBits::default();
    let settings =
        |parallel_from| Settings { form: Form::Raw, level, chunk_len, parallel_from, check, before };
    let held = rng.size(data.len().min(chunk_len(0)));
    let alone = Compressor::new(settings(usize::MAX), &window, &[]).expect("memory");
    let together = Compressor::new(settings(rng.size(data.len())), &window, &data[..held]).expect("memory");

    let whole = (usize::MAX, 1 << 20);
    let (want, check, _) = compressed(alone, &data, (end, how), whole, 0);
    let pieces = (1 + rng.size(data.len()), 1 + rng.size(70_000));
    let clone_at = rng.below(40);
    let (got, got_check, copy) = compressed(together, &data[held..], (end, how), pieces, clone_at);
    assert_eq!(check, got_check);
    assert!(want == got, "other bytes by several threads: {} and {}", want.len(), got.len());
    if let Some(copy) = copy {
        assert!(want == copy, "other bytes by a copied compressor");
    }

    let mut stream = Inflate::new(-15, Allocator::SYSTEM).expect("memory for a stream");
    stream.set_dictionary(&window).expect("a raw stream takes a dictionary");
    let mut bytes = vec![0; data.len() + 1];
    let mut output = Output::new(&mut bytes);
    let outcome = stream.inflate(&mut &want[..], &mut output, Goal::Progress, &mut |_| {});
    let written = output.written();
    assert!(bytes[..written] == data, "{outcome:?}: {written} bytes of {}", data.len());
    assert_eq!(outcome.is_ok_and(|status| status == Status::StreamEnd), end == ChunkEnd::Finish);
}

/// What a compressor makes of `data`, written and read in pieces; its check; and what a copy makes that is taken before the piece
/// `clone_at`. Another copy, taken there too, is dropped while it works.
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
            take(&mut copy, left, room, how, &mut made);
            finish(&mut copy, end, room, how, &mut made);
            copied = Some(made);
        }
        take(&mut compressor, next, room, how, &mut bytes);
    }
    finish(&mut compressor, end, room, how, &mut bytes);
    (bytes, compressor.check(), copied)
}

/// Gives all of `data`.
fn take(compressor: &mut Compressor, mut data: &[u8], room: usize, how: Drive, bytes: &mut Vec<u8>) {
    while !data.is_empty() {
        drive(compressor, &mut data, room, how, bytes);
    }
}

fn finish(compressor: &mut Compressor, end: ChunkEnd, room: usize, how: Drive, bytes: &mut Vec<u8>) {
    while !drive(compressor, &mut &[][..], room, Drive { end: Some(end), ..how }, bytes) {}
}

/// One call with `room` bytes of room.
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
