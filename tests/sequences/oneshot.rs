//! compress, compress2, uncompress and uncompress2 compared with the system's.

use std::ffi::c_ulong;

use crate::random::{Rng, data};
use crate::run::{Setup, Trace, Verdict};
use crate::streams::Compressed;
use crate::zlib::{BUF_ERROR, OK, Zlib};

/// Codes, lengths and, if the code is Z_OK, the bytes are equal, for room that is short, exact or ample.
pub(crate) fn uncompress(setup: &Setup, made: &Compressed, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    let room = match rng.below(5) {
        0 => made.input_len,
        1 => made.input_len.saturating_sub(1),
        2 => rng.size(made.input_len),
        3 => 0,
        _ => made.input_len + rng.size(1000),
    };
    let with_place = rng.chance(50);
    // Bytes after a stream are not part of it.
    let mut bytes = made.bytes.clone();
    if rng.chance(20) {
        let more = 1 + rng.size(20);
        bytes.extend(data(rng, more));
    }
    let call = |lib: &Zlib| {
        let mut out = vec![0xC5u8; room + 16];
        let (mut out_len, mut in_len) = (room as c_ulong, bytes.len() as c_ulong);
        let code = if with_place {
            lib.uncompress2(out.as_mut_ptr(), &mut out_len, bytes.as_ptr(), &mut in_len)
        } else {
            lib.uncompress(out.as_mut_ptr(), &mut out_len, bytes.as_ptr(), in_len)
        };
        let guard = out.split_off(room);
        (code, out_len, in_len, out, guard)
    };
    let (want, got) = (call(&setup.judge), call(&setup.ours));
    trace.add(|| {
        let (name, len) = (if with_place { "uncompress2" } else { "uncompress" }, bytes.len());
        format!("{name}({len} bytes, room {room}) -> {}, {} out, {} in", got.0, got.1, got.2)
    });
    if got.4.iter().any(|b| *b != 0xC5) {
        return Err("uncompress writes past its room".into());
    }
    if (got.0, got.1, got.2) != (want.0, want.1, want.2) {
        let (got, want) = ((got.0, got.1, got.2), (want.0, want.1, want.2));
        return Err(format!("uncompress gives (code, out, in) {got:?}, the system's {want:?}"));
    }
    let len = got.1 as usize;
    if got.0 == OK && got.3[..len] != want.3[..len] {
        return Err("uncompress gives other bytes than the system's".into());
    }
    Ok(())
}

/// With compressBound's room it always fits and the system reads it; with next to none it is Z_BUF_ERROR.
pub(crate) fn compress(setup: &Setup, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    let len = rng.size(200_000);
    let input = data(rng, len);
    let bound = setup.ours.compress_bound(len as c_ulong);
    let level = if rng.chance(95) { rng.range(-1, 9) } else { rng.odd_int() };
    let room = match rng.below(4) {
        0 => rng.below(6),
        1 => rng.size(len + 20),
        _ => bound as usize,
    };
    trace.add(|| format!("compress2({len} bytes, level {level}, room {room} of {bound})"));
    if bound != setup.judge.compress_bound(len as c_ulong) {
        return Err(format!("compressBound({len}) is {bound}, not zlib's"));
    }
    let mut out = vec![0xC5u8; room + 16];
    let mut out_len = room as c_ulong;
    // An empty input may come as NULL.
    let from = if len == 0 && rng.chance(50) { std::ptr::null() } else { input.as_ptr() };
    let code = if level == -1 && rng.chance(50) {
        setup.ours.compress(out.as_mut_ptr(), &mut out_len, from, len as c_ulong)
    } else {
        setup.ours.compress2(out.as_mut_ptr(), &mut out_len, from, len as c_ulong, level)
    };
    if out[room..].iter().any(|b| *b != 0xC5) {
        return Err("compress2 writes past its room".into());
    }
    if !(-1..=9).contains(&level) {
        return if code == crate::zlib::STREAM_ERROR {
            Ok(())
        } else {
            Err(format!("level {level} gives {code}"))
        };
    }
    match code {
        OK => {
            let mut back = vec![0; len + 1];
            let mut back_len = back.len() as c_ulong;
            let code = setup.judge.uncompress(back.as_mut_ptr(), &mut back_len, out.as_ptr(), out_len);
            if code != OK || back_len != len as c_ulong || back[..len] != input[..] {
                return Err(format!(
                    "the system's uncompress of compress2's output gives {code}, {back_len} bytes"
                ));
            }
            if room < 6 {
                return Err(format!("compress2 says it put a stream into {room} bytes"));
            }
            Ok(())
        }
        BUF_ERROR if room < bound as usize => Ok(()),
        _ => Err(format!("compress2 gives {code} with room {room} of {bound}")),
    }
}
