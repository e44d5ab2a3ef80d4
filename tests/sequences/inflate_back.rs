//! The inflateBack tester: both libraries get the same raw streams through the same callbacks.
//!
//! Results may differ for damaged data, where zlib sometimes lets a distance reach into the window's unwritten part and returns
//! its contents; and for a stream made for a larger window, where zlib rejects distances that ours may accept: it keeps more.

use std::ffi::{c_int, c_uint, c_void};

use crate::random::Rng;
use crate::run::{Setup, Trace, Verdict};
use crate::streams::Compressed;
use crate::zlib::{BUF_ERROR, DATA_ERROR, OK, ZStream, Zlib};

/// The state of inflateBack's callbacks: the input in pieces, and the output.
struct Feed {
    bytes: Vec<u8>,
    pos: usize,
    rng: Rng,
    output: Vec<u8>,
    /// The output callback fails after this many calls.
    refuse: usize,
}

unsafe extern "C" fn read_piece(desc: *mut c_void, at: *mut *const u8) -> c_uint {
    // SAFETY: desc is the Feed that inflate_back passed, alive and used by nothing else during the call.
    let feed = unsafe { &mut *desc.cast::<Feed>() };
    let left = feed.bytes.len() - feed.pos;
    let cut = feed.rng.cut(left).max(left.min(1));
    // SAFETY: `at` is the library's place for the pointer.
    unsafe { *at = feed.bytes[feed.pos..].as_ptr() };
    feed.pos += cut;
    cut as c_uint
}

unsafe extern "C" fn write_piece(desc: *mut c_void, from: *mut u8, len: c_uint) -> c_int {
    // SAFETY: as in read_piece.
    let feed = unsafe { &mut *desc.cast::<Feed>() };
    // SAFETY: the library hands over `len` bytes of the window.
    let bytes = unsafe { std::slice::from_raw_parts(from, len as usize) };
    feed.output.extend_from_slice(bytes);
    feed.refuse = feed.refuse.saturating_sub(1);
    c_int::from(feed.refuse == 0)
}

/// inflateBack over raw streams: code, msg, the remaining input, and the output are equal. If the output callback fails, only
/// the code and the common start of the output are equal: the library chooses how often to call it. After Z_DATA_ERROR the
/// remaining input may differ, and only the common start of the output is equal: engines read ahead differently.
pub(crate) fn inflate_back(setup: &Setup, made: &Compressed, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    let bits = if rng.chance(90) {
        rng.pick(&[15, 15, made.window_bits.abs().clamp(8, 15)])
    } else {
        rng.range(0, 17)
    };
    let seed = rng.bits();
    let refuse = if rng.chance(10) { 1 + rng.below(4) } else { usize::MAX };
    let given = rng.cut(made.bytes.len());
    let mut results = Vec::new();
    for lib in [&setup.judge, &setup.ours] {
        let mut strm = ZStream::new();
        let mut window = vec![0u8; 32768];
        let code = lib.inflate_back_init(&mut strm, bits, &mut window);
        trace.add(|| format!("inflateBackInit({bits}) -> {code}; {} bytes", made.bytes.len()));
        if code != OK {
            results.push((code, String::new(), None, Vec::new(), 0));
            continue;
        }
        let mut feed =
            Feed { bytes: made.bytes.clone(), pos: given, rng: Rng::new(seed), output: Vec::new(), refuse };
        let start = feed.bytes.as_ptr();
        strm.next_in = if given == 0 { std::ptr::null() } else { start };
        strm.avail_in = given as u32;
        let desc = (&raw mut feed).cast::<c_void>();
        let code = lib.inflate_back(&mut *strm, read_piece, desc, write_piece, desc);
        trace.add(|| {
            format!("inflateBack -> {code}, {} bytes out, {} left", feed.output.len(), strm.avail_in)
        });
        let place = if strm.next_in.is_null() { None } else { Some(strm.next_in as usize - start as usize) };
        let (place, left) = if code == DATA_ERROR { (None, 0) } else { (place, strm.avail_in) };
        results.push((code, strm.message(), place, feed.output, left));
        let end = lib.inflate_back_end(&mut *strm);
        if end != OK {
            return Err(format!("inflateBackEnd gives {end}"));
        }
    }
    let (want, got) = (&results[0], &results[1]);
    // zlib's fast path accepts distances longer than a small window, and copies bytes that were overwritten there.
    let is_right = || bits < 15 && got.3 == inflated(&setup.judge, &made.bytes, got.3.len());
    if refuse != usize::MAX && (got.0 == BUF_ERROR || want.0 == BUF_ERROR) {
        let common = got.3.len().min(want.3.len());
        return if got.3[..common] == want.3[..common] || is_right() {
            Ok(())
        } else {
            Err("inflateBack's output differs".into())
        };
    }
    let is_too_far = |result: &(c_int, String, Option<usize>, Vec<u8>, u32)| {
        result.0 == DATA_ERROR && result.1 == "invalid distance too far back"
    };
    // Either may be the stricter one.
    let is_moot = is_too_far(got) || is_too_far(want);
    if (got.0, &got.1, got.2, got.4) != (want.0, &want.1, want.2, want.4) && !is_moot {
        let short = |r: &(c_int, String, Option<usize>, Vec<u8>, u32)| format!("{:?}", (r.0, &r.1, r.2, r.4));
        return Err(format!(
            "inflateBack's (code, msg, place, left) is {}, the system's {}",
            short(got),
            short(want)
        ));
    }
    if got.0 != DATA_ERROR && got.3 != want.3 && !is_moot && !is_right() {
        return Err(format!(
            "inflateBack's output differs: {} bytes, the system's {}",
            got.3.len(),
            want.3.len()
        ));
    }
    Ok(())
}

/// The first `len` bytes that the judge's `inflate()` decodes from a raw stream.
fn inflated(judge: &Zlib, bytes: &[u8], len: usize) -> Vec<u8> {
    let (mut strm, mut output) = (ZStream::new(), vec![0u8; len]);
    judge.inflate_init2(&mut strm, -15);
    (strm.next_in, strm.avail_in) = (bytes.as_ptr(), bytes.len() as u32);
    (strm.next_out, strm.avail_out) = (output.as_mut_ptr(), len as u32);
    judge.inflate(&mut *strm, 0);
    output.truncate(strm.total_out as usize);
    judge.inflate_end(&mut *strm);
    output
}
