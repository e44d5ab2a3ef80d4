//! compress, compress2, uncompress and uncompress2, checked with the judge, which is the system's zlib: the results of uncompress
//! must be the judge's, and the judge must decode the output of compress.

use std::ffi::{c_int, c_ulong};

use crate::random::{Rng, data};
use crate::run::{Setup, Trace, Verdict};
use crate::streams::Compressed;
use crate::zlib::{BUF_ERROR, OK, STREAM_ERROR, Zlib};

/// The initial bytes of an output buffer, and how many of them after its end must remain.
const FILLER: u8 = 0xC5;
const GUARD_BYTES: usize = 16;

/// A zlib header and trailer; no zlib stream is as short (RFC 1950, 2.2).
const HEADER_AND_TRAILER: usize = 6;

/// What a call of `uncompress` or `uncompress2` returned and wrote.
struct Outcome {
    code: c_int,
    out_len: c_ulong,
    in_len: c_ulong,
    out: Vec<u8>,
    /// The bytes after the end of `out`.
    guard: Vec<u8>,
}

/// Codes and lengths must be the judge's, and also the bytes if the code is Z_OK, for room that is short, exact or ample.
pub(crate) fn uncompress(setup: &Setup, made: &Compressed, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    // The length of the data before it was compressed.
    let plain_len = made.input_len;
    let room = match rng.below(5) {
        0 => plain_len,
        1 => plain_len.saturating_sub(1),
        2 => rng.size(plain_len),
        3 => 0,
        _ => plain_len + rng.size(1000),
    };
    let is_uncompress2 = rng.chance(50);
    let name = if is_uncompress2 { "uncompress2" } else { "uncompress" };
    // Bytes after a stream are not part of it.
    let mut bytes = made.bytes.clone();
    if rng.chance(20) {
        let extra_len = 1 + rng.size(20);
        bytes.extend(data(rng, extra_len));
    }
    let call = |lib: &Zlib| {
        let mut out = vec![FILLER; room + GUARD_BYTES];
        let (mut out_len, mut in_len) = (room as c_ulong, bytes.len() as c_ulong);
        let code = if is_uncompress2 {
            lib.uncompress2(out.as_mut_ptr(), &mut out_len, bytes.as_ptr(), &mut in_len)
        } else {
            lib.uncompress(out.as_mut_ptr(), &mut out_len, bytes.as_ptr(), in_len)
        };
        let guard = out.split_off(room);
        Outcome { code, out_len, in_len, out, guard }
    };
    let (want, got) = (call(&setup.judge), call(&setup.ours));
    trace.add(|| {
        format!(
            "{name}({} bytes, room {room}) -> {}, {} out, {} in",
            bytes.len(),
            got.code,
            got.out_len,
            got.in_len
        )
    });
    if got.guard.iter().any(|byte| *byte != FILLER) {
        return Err(format!("{name} writes past the end of its output"));
    }
    let numbers = |outcome: &Outcome| (outcome.code, outcome.out_len, outcome.in_len);
    if numbers(&got) != numbers(&want) {
        let (got, want) = (numbers(&got), numbers(&want));
        return Err(format!("{name} returns (code, out, in) {got:?}, the judge's {want:?}"));
    }
    // The judge's length is at most `room`, and ours is the same.
    let out_len = got.out_len as usize;
    if got.code == OK && got.out[..out_len] != want.out[..out_len] {
        return Err(format!("{name} writes other bytes than the judge's"));
    }
    Ok(())
}

/// With compressBound's room the output always fits, and without room for a header and a trailer it never does. The judge must
/// decode output that fits.
pub(crate) fn compress(setup: &Setup, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    let len = rng.size(200_000);
    let input = data(rng, len);
    let bound = setup.ours.compress_bound(len as c_ulong);
    let level = if rng.chance(95) { rng.range(-1, 9) } else { rng.odd_int() };
    let room = match rng.below(4) {
        0 => rng.below(HEADER_AND_TRAILER),
        1 => rng.size(len + 20),
        _ => bound as usize,
    };
    // An empty input may come as NULL.
    let from = if len == 0 && rng.chance(50) { std::ptr::null() } else { input.as_ptr() };
    let is_compress = level == -1 && rng.chance(50);
    let name = if is_compress { "compress" } else { "compress2" };
    trace.add(|| format!("{name}({len} bytes, level {level}, room {room} of {bound})"));
    if bound != setup.judge.compress_bound(len as c_ulong) {
        return Err(format!("compressBound({len}) is {bound}, not the judge's"));
    }
    let mut out = vec![FILLER; room + GUARD_BYTES];
    let mut out_len = room as c_ulong;
    let code = if is_compress {
        setup.ours.compress(out.as_mut_ptr(), &mut out_len, from, len as c_ulong)
    } else {
        setup.ours.compress2(out.as_mut_ptr(), &mut out_len, from, len as c_ulong, level)
    };
    if out[room..].iter().any(|byte| *byte != FILLER) {
        return Err(format!("{name} writes past the end of its output"));
    }
    if !(-1..=9).contains(&level) {
        return match code {
            STREAM_ERROR => Ok(()),
            _ => Err(format!("{name} with level {level} returns {code}")),
        };
    }
    match code {
        OK if room <= HEADER_AND_TRAILER => Err(format!("{name} returns Z_OK with room {room}")),
        OK if out_len > room as c_ulong => Err(format!("{name} returns length {out_len} with room {room}")),
        OK => {
            let mut decoded = vec![0; len + 1];
            let mut decoded_len = decoded.len() as c_ulong;
            let code = setup.judge.uncompress(decoded.as_mut_ptr(), &mut decoded_len, out.as_ptr(), out_len);
            if code != OK || decoded_len != len as c_ulong || decoded[..len] != input[..] {
                return Err(format!(
                    "the judge's uncompress of {name}'s output returns {code}, {decoded_len} of {len} bytes"
                ));
            }
            Ok(())
        }
        BUF_ERROR if room < bound as usize => Ok(()),
        _ => Err(format!("{name} returns {code} with room {room} of {bound}")),
    }
}
