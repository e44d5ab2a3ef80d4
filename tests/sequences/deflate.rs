//! The deflate tester: the system's inflate must read our output under any sequence of calls.
//!
//! Sizes differ between encoders, so the compressed bytes are not compared. The main kinds of sequence are:
//!
//! - *ample*: each call has room for all possible output. Then the compressed size does not matter, and the system's deflate gets
//!   the same calls, except deflateTune, deflatePending, deflateBound and deflateGetDictionary, whose results depend on the
//!   encoder. After each call that takes input and returns output, code, message and consumed input must be equal.
//! - *tight*: room is scarce, and the results are checked against the manual (`Pair::judge_tight` has the rules).
//!
//! In both kinds:
//!
//! - every call passes the checks of `port.rs`;
//! - after a completed flush (a flush value, room left, Z_OK or Z_BUF_ERROR) all input so far must be decodable, adler must be
//!   its checksum, and deflatePending must return no bytes; Z_BLOCK may keep back the last bits, at most 7 symbols;
//! - at the end the system's inflate must have decoded the input, and found the right trailer and nothing after it; a gzip header
//!   must be read back field by field; data_type must be right if the input determines it;
//! - deflateGetDictionary must return the last bytes of dictionary and input.
//!
//! Three kinds are special:
//!
//! - *one shot*: Z_FINISH gets exactly deflateBound's room;
//! - *same bytes*: level 9 gets the same bytes and flushes twice, in pieces of different sizes, and must write the same bytes;
//! - *large*: megabytes, so that the parallel pipeline runs, mostly plain writes without a flush; some are *same bytes*.
//!
//! Differences that are allowed:
//!
//! - deflateGetDictionary may return up to 300 bytes less than all input or a full window (this depends on the encoder);
//! - adler between flushes: an encoder may sum its input when it arrives or when it is encoded;
//! - a flush without input after a completed flush, perhaps with empty Z_NO_FLUSH calls between: zlib may write the marker again
//!   (Z_OK), and an encoder may detect that it is already there (Z_BUF_ERROR); after deflateParams, which zlib does not always
//!   count as a flush, only the other way around;
//! - a call without new input that returns output from the pipeline with Z_OK, where zlib returns Z_BUF_ERROR;
//! - deflateParams: msg after it (zlib leaves that of an inner call), and whether it takes input, which depends on whether the
//!   encoder must switch; so it gets no input in ample sequences, and is not called after Z_FINISH;
//! - data_type, if the input has text and binary bytes: the first block decides, and block boundaries differ.

use std::ffi::{c_int, c_uint};

use crate::deflate_pair::Pair;
use crate::params::{Format, Params, WrittenHeader};
use crate::random::{Rng, data};
use crate::run::{Setup, Trace, Verdict};
use crate::zlib::{
    BLOCK, BUF_ERROR, FINISH, FULL_FLUSH, NO_FLUSH, OK, PARTIAL_FLUSH, STREAM_END, SYNC_FLUSH, TREES,
};

/// More calls than any sequence needs: an encoder that reaches this number makes no progress.
const MOST_CALLS: usize = 100_000;

/// Runs the sequence of a seed.
pub(crate) fn run(setup: &Setup, seed: u64, trace: &mut Trace) -> Verdict {
    let mut rng = Rng::new(seed);
    if setup.is_large(seed) {
        return large(setup, &mut rng, trace);
    }
    all_but_large(setup, &mut rng, trace)
}

/// A sequence of any kind except *large*.
pub(crate) fn all_but_large(setup: &Setup, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    match rng.below(10) {
        0 => one_shot(setup, rng, trace),
        1 => same_bytes(setup, rng, trace, 200_000),
        _ => sequence(setup, rng, trace),
    }
}

fn random_flush(rng: &mut Rng) -> c_int {
    match rng.below(100) {
        0..70 => NO_FLUSH,
        70..78 => SYNC_FLUSH,
        78..84 => FULL_FLUSH,
        84..90 => PARTIAL_FLUSH,
        90..97 => BLOCK,
        97 => FINISH,
        // Values that deflate must reject; Z_TREES is for inflate only.
        _ => {
            let any = rng.odd_int();
            let is_valid = (NO_FLUSH..=BLOCK).contains(&any);
            if is_valid { TREES } else { rng.pick(&[-1, TREES, 7, 100, i32::MIN, any]) }
        }
    }
}

/// The main kind: any calls in any order, ended or abandoned.
fn sequence(setup: &Setup, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    let params = Params::random(rng);
    let ample = rng.chance(50);
    let len = rng.size(200_000);
    let input = data(rng, len);
    trace.add(|| format!("deflateInit2 {params:?}, {len} bytes, {}", if ample { "ample" } else { "tight" }));
    let Some(pair) = Pair::open(setup, &params, input, ample)? else { return Ok(()) };
    let mut pairs = vec![pair];
    if rng.chance(25) {
        pairs[0].set_header(WrittenHeader::random(rng), trace)?;
    }
    if rng.chance(20) {
        let len = 1 + rng.size(50_000);
        pairs[0].set_dictionary(&data(rng, len), trace)?;
    }
    let calls = 1 + rng.size(120);
    for _ in 0..calls {
        let which = rng.below(pairs.len());
        if pairs.len() > 1 {
            trace.add(|| format!("on stream {which}:"));
        }
        let count = pairs.len();
        if let Some(copy) = random_call(&mut pairs[which], count, rng, trace)? {
            pairs.push(copy);
        }
    }
    for mut pair in pairs {
        if rng.chance(85) {
            pair.finish(rng, trace)?;
        }
        pair.end(trace)?;
    }
    Ok(())
}

/// One call of the main kinds, on one of `streams` streams; returns the new stream if the call is deflateCopy.
fn random_call<'a>(
    pair: &mut Pair<'a>,
    streams: usize,
    rng: &mut Rng,
    trace: &mut Trace,
) -> Result<Option<Pair<'a>>, String> {
    let ample = pair.theirs.is_some();
    let room = if ample { pair.ample_room() } else { rng.room() };
    match rng.below(100) {
        0..75 => {
            let mut flush = random_flush(rng);
            let mut cut = rng.cut(pair.left());
            // Once Z_FINISH has taken effect (`heard`), other flushes must be rejected, which is tried sometimes. Before that,
            // the result of another flush depends on the encoder.
            if pair.finishing && !pair.ended && !(pair.heard && rng.chance(10)) {
                flush = FINISH;
            }
            if flush == FINISH {
                cut = pair.left();
            }
            pair.deflate(cut, room, flush, rng.chance(50), trace)?;
            // These two may end a block within a byte. A dictionary set then is unusual, and must not lose the bits of that byte.
            let may_end_within_byte = matches!(flush, PARTIAL_FLUSH | BLOCK);
            if may_end_within_byte
                && pair.format == Format::Raw
                && pair.at_rest
                && !pair.ended
                && rng.chance(40)
            {
                let len = 1 + rng.size(40_000);
                pair.set_dictionary(&data(rng, len), trace)?;
            }
        }
        75..81 if !pair.finishing && !pair.ended => {
            let (mut level, mut strategy) = (rng.range(-1, 9), rng.pick(&[0, 0, 0, 1, 2, 3, 4]));
            if rng.chance(6) {
                let (a, b) = (rng.odd_int().min(-2), rng.odd_int().max(5));
                (level, strategy) =
                    rng.pick(&[(10, 0), (-2, 0), (6, 5), (6, -1), (a, 0), (6, b), (b.max(10), a)]);
            }
            let cut = if ample || rng.chance(50) { 0 } else { rng.cut(pair.left()) };
            // Often between two flushes: the second must still deliver everything.
            let flushes = [PARTIAL_FLUSH, SYNC_FLUSH, FULL_FLUSH, BLOCK];
            let between = rng.chance(40);
            if between {
                pair.deflate(0, room, rng.pick(&flushes), false, trace)?;
            }
            pair.set_params(cut, room, level, strategy, trace)?;
            if between {
                pair.deflate(0, room, rng.pick(&flushes), false, trace)?;
            }
        }
        81..84 if streams < 3 => return Ok(Some(pair.copy(rng, trace)?)),
        84..86 => pair.reset(false, rng, trace)?,
        // Raw only: elsewhere the kept window is history that no decoder has.
        86 if pair.ended && pair.format == Format::Raw => pair.reset(true, rng, trace)?,
        87..90 => {
            let has_defined_result = match pair.format {
                Format::Raw => pair.at_rest && !pair.ended,
                // After the trailer zlib accepts a dictionary as for a raw stream, which the manual does not define.
                _ => !pair.ended,
            };
            if has_defined_result {
                let len = 1 + rng.size(40_000);
                pair.set_dictionary(&data(rng, len), trace)?;
            }
        }
        90..93 => pair.get_dictionary(trace)?,
        // Only after the header: zlib writes bits that are primed earlier before it.
        93..95 if (pair.format == Format::Raw || pair.started) && pair.clean && !pair.ended => {
            pair.prime(rng, trace)?;
        }
        95 | 96 => random_tune(pair, rng, trace)?,
        97 => {
            let (mut pending, mut bits): (c_uint, c_int) = (0, -1);
            let code = pair.setup.ours.deflate_pending(&mut *pair.ours, &mut pending, &mut bits);
            trace.add(|| format!("deflatePending -> {code}, {pending} bytes, {bits} bits"));
            if code != OK || !(0..=16).contains(&bits) {
                return Err(format!("deflatePending returns {code}, {bits} bits"));
            }
            let code =
                pair.setup.ours.deflate_pending(&mut *pair.ours, std::ptr::null_mut(), std::ptr::null_mut());
            if code != OK {
                return Err(format!("deflatePending with NULL returns {code}"));
            }
        }
        98 => {
            let len = if rng.chance(80) { rng.size(1 << 20) as u64 } else { rng.bits() >> rng.below(64) };
            let bound = pair.setup.ours.deflate_bound(&mut *pair.ours, len);
            trace.add(|| format!("deflateBound({len}) -> {bound}"));
            if bound < len {
                return Err(format!("deflateBound({len}) is {bound}"));
            }
        }
        // Not between the start and the end of a gzip stream: part of the old header may have been written.
        99 if pair.ended || !pair.started || pair.format != Format::Gzip => {
            let header = WrittenHeader::random(rng);
            pair.set_header(header, trace)?;
        }
        _ => {}
    }
    Ok(None)
}

/// deflateTune with any numbers, which are only hints: the call must succeed, and the stream must stay decodable.
fn random_tune(pair: &mut Pair, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    let may_be_invalid = rng.chance(40);
    let mut number = |high| match may_be_invalid {
        true if rng.chance(60) => rng.odd_int(),
        _ => rng.range(i32::from(!may_be_invalid), high),
    };
    let (good, lazy, nice, chain) = (number(258), number(258), number(258), number(4096));
    let code = pair.setup.ours.deflate_tune(&mut *pair.ours, good, lazy, nice, chain);
    trace.add(|| format!("deflateTune({good}, {lazy}, {nice}, {chain}) -> {code}"));
    if code != OK {
        return Err(format!("deflateTune returns {code}"));
    }
    Ok(())
}

/// deflateBound's promise: one Z_FINISH with that much room ends the stream.
fn one_shot(setup: &Setup, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    let params = Params::random(rng);
    let len = rng.size(200_000);
    let input = data(rng, len);
    let Some(mut pair) = Pair::open(setup, &params, input, false)? else { return Ok(()) };
    if rng.chance(30) {
        pair.set_header(WrittenHeader::random(rng), trace)?;
    }
    // Calls that may precede the first byte. The manual promises nothing about primed bits, and zlib's bound excludes them.
    let mut is_plain = true;
    if rng.chance(20) {
        is_plain = false;
        let len = 1 + rng.size(50_000);
        pair.set_dictionary(&data(rng, len), trace)?;
    }
    if rng.chance(15) {
        is_plain = false;
        let (level, strategy) = (rng.range(-1, 9), rng.range(0, 4));
        pair.set_params(0, 100, level, strategy, trace)?;
    }
    if rng.chance(10) {
        random_tune(&mut pair, rng, trace)?;
    }
    while !setup.ours_is_zlib && pair.format == Format::Raw && rng.chance(10) {
        pair.prime(rng, trace)?;
    }
    let bound = setup.ours.deflate_bound(&mut *pair.ours, len as u64) as usize;
    trace.add(|| format!("one shot: {params:?}, {len} bytes, deflateBound {bound}"));
    pair.deflate(len, bound, FINISH, false, trace)?;
    // zlib 1.2.13's own bound is a byte short for stored data in a small window. deflateParams may also have set level 0, and the
    // bound after a dictionary is not checked for zlib either.
    if !pair.ended && setup.ours_is_zlib && (params.level == 0 || !is_plain) {
        return Ok(());
    }
    if !pair.ended {
        return Err(format!("{len} bytes did not fit in deflateBound's {bound}"));
    }
    let has_compress_settings =
        is_plain && params.window_bits == 15 && params.mem_level == 8 && params.strategy == 0;
    let compress_bound = setup.judge.compress_bound(len as u64);
    if has_compress_settings && pair.ours.total_out > compress_bound {
        let total = pair.ours.total_out;
        return Err(format!("{len} bytes became {total}, more than zlib's compressBound {compress_bound}"));
    }
    pair.end(trace)
}

/// At level 9 the same bytes and flushes produce the same output, whatever the sizes of the pieces of input and output.
fn same_bytes(setup: &Setup, rng: &mut Rng, trace: &mut Trace, max: usize) -> Verdict {
    let params = Params::usual(9, rng.pick(&[15, -15, 31]));
    let len = rng.size(max);
    let input = data(rng, len);
    let mut places: Vec<(usize, c_int)> = (0..rng.below(4))
        .map(|_| (rng.below(len + 1), rng.pick(&[SYNC_FLUSH, FULL_FLUSH, PARTIAL_FLUSH])))
        .collect();
    places.sort_unstable();
    trace.add(|| format!("same bytes: {params:?}, {len} bytes, flushes at {places:?}"));
    let mut outputs = Vec::new();
    for run in 0..2 {
        trace.add(|| format!("run {run}:"));
        let Some(mut pair) = Pair::open(setup, &params, input.clone(), false)? else { return Ok(()) };
        let (mut written, mut calls) = (Vec::new(), 0);
        let mut deflate = |pair: &mut Pair, cut: usize, room: usize, flush: c_int| -> Verdict {
            let step = pair.io(cut, room, false, |lib, s| lib.deflate(s, flush))?;
            if step.code != OK && step.code != STREAM_END && step.code != BUF_ERROR {
                return Err(format!("deflate returns {}", step.code));
            }
            calls += 1;
            if calls > MOST_CALLS {
                return Err(format!("after {MOST_CALLS} calls the stream has not ended"));
            }
            pair.ended |= step.code == STREAM_END;
            written.extend_from_slice(&step.output);
            Ok(())
        };
        for (place, flush) in &places {
            while pair.pos < *place {
                let cut = rng.cut(*place - pair.pos);
                let room = rng.room();
                deflate(&mut pair, cut, room, NO_FLUSH)?;
            }
            let room = pair.ample_room();
            deflate(&mut pair, 0, room, *flush)?;
        }
        while pair.left() > 0 {
            let cut = rng.cut(pair.left());
            let room = rng.room();
            deflate(&mut pair, cut, room, NO_FLUSH)?;
        }
        while !pair.ended {
            let room = rng.room();
            deflate(&mut pair, 0, room, FINISH)?;
        }
        pair.judge_end()?;
        outputs.push(written);
    }
    if outputs[0] != outputs[1] {
        let sizes = (outputs[0].len(), outputs[1].len());
        let at = outputs[0].iter().zip(&outputs[1]).position(|(a, b)| a != b);
        let at = at.unwrap_or(sizes.0.min(sizes.1));
        return Err(format!(
            "the sizes of the pieces change the output: {sizes:?} bytes, first difference at {at}"
        ));
    }
    Ok(())
}

/// Megabytes, for the parallel pipeline: long plain writes, in some sequences with any other calls between them.
fn large(setup: &Setup, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    if rng.chance(25) {
        return same_bytes(setup, rng, trace, 3 << 20);
    }
    let params = Params::usual(rng.pick(&[9, 9, 9, 6, 1]), rng.pick(&[15, -15, 31]));
    let len = (1 << 20) + rng.below(5 << 20);
    let input = data(rng, len);
    trace.add(|| format!("large: {params:?}, {len} bytes"));
    let Some(pair) = Pair::open(setup, &params, input, false)? else { return Ok(()) };
    let mut pairs = vec![pair];
    let has_other_calls = rng.chance(60);
    let mut calls = 0;
    while pairs.iter().any(|pair| pair.left() > 0) {
        calls += 1;
        if calls > MOST_CALLS {
            return Err(format!("after {MOST_CALLS} calls there is input left"));
        }
        let which = rng.below(pairs.len());
        let count = pairs.len();
        let pair = &mut pairs[which];
        if has_other_calls && rng.chance(4) {
            if let Some(copy) = random_call(pair, count, rng, trace)? {
                pairs.push(copy);
            }
            continue;
        }
        let cut = (1 + rng.size(2 << 20)).min(pair.left());
        let room = if rng.chance(50) { 1 << 20 } else { 1 + rng.size(1 << 18) };
        if pair.ended {
            // By one of the other calls: no more input is written.
            pair.pos = pair.data.len();
            continue;
        }
        let (cut, flush) = if pair.finishing { (pair.left(), FINISH) } else { (cut, NO_FLUSH) };
        pair.deflate(cut, room, flush, false, trace)?;
        // Sometimes Z_FINISH below gets the rest, or the streams are closed before their end.
        if rng.chance(1) {
            break;
        }
    }
    for mut pair in pairs {
        if rng.chance(85) {
            let mut calls = 0;
            while !pair.ended {
                pair.deflate(pair.left(), 1 + rng.size(4 << 20), FINISH, false, trace)?;
                calls += 1;
                if calls > MOST_CALLS {
                    return Err(format!("after {MOST_CALLS} calls Z_FINISH has not ended the stream"));
                }
            }
        }
        pair.end(trace)?;
    }
    Ok(())
}
