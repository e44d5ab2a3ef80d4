//! Compressed streams of every format, written by the judge's deflate, and possible damage to them.

use std::ffi::c_int;

use crate::params::Params;
use crate::random::{Rng, data};
use crate::run::Setup;
use crate::zlib::{BLOCK, FINISH, FULL_FLUSH, NO_FLUSH, OK, PARTIAL_FLUSH, STREAM_END, SYNC_FLUSH, ZStream};

/// One stream or several, one after another, and what their reader may need.
pub(crate) struct Compressed {
    pub(crate) bytes: Vec<u8>,
    /// Of all the streams.
    pub(crate) window_bits: c_int,
    /// Of the first stream; the others have none.
    pub(crate) dictionary: Vec<u8>,
    /// The length of the first stream's input, which is all that `uncompress` decodes.
    pub(crate) input_len: usize,
}

/// One stream of up to `max` input bytes, sometimes with shorter streams or other bytes after it. All have the format of
/// `window_bits`, or the same random one.
pub(crate) fn make(setup: &Setup, rng: &mut Rng, max: usize, window_bits: Option<c_int>) -> Compressed {
    let mut made = one(setup, rng, max, window_bits, true);
    if rng.chance(15) {
        for _ in 0..1 + rng.below(3) {
            let next = one(setup, rng, max / 4, Some(made.window_bits), false);
            made.bytes.extend(next.bytes);
        }
    }
    if rng.chance(15) {
        let len = 1 + rng.size(100);
        made.bytes.extend(data(rng, len));
    }
    made
}

fn one(
    setup: &Setup,
    rng: &mut Rng,
    max: usize,
    window_bits: Option<c_int>,
    may_have_dictionary: bool,
) -> Compressed {
    let mut params = loop {
        let params = Params::random(rng);
        // Until deflateInit2 accepts them: the deflate tester covers the parameters that it rejects.
        let mut probe = ZStream::new();
        if setup.judge.deflate_init2(&mut probe, &params) == OK {
            setup.judge.deflate_end(&mut *probe);
            break params;
        }
    };
    if let Some(bits) = window_bits {
        params.window_bits = bits;
    }
    let len = rng.size(max);
    let input = data(rng, len);
    let mut dictionary = Vec::new();
    if may_have_dictionary && params.window_bits <= 15 && rng.chance(20) {
        let len = 1 + rng.size(40_000);
        dictionary = data(rng, len);
    }
    let mut strm = ZStream::new();
    let code = setup.judge.deflate_init2(&mut strm, &params);
    assert_eq!(code, OK, "the judge's deflateInit2 rejects {params:?}");
    let mut header = crate::decoder::empty_header();
    let mut strings = [vec![b'n'; rng.size(300)], vec![b'c'; rng.size(300)], vec![b'x'; rng.size(2000)]];
    if params.window_bits > 15 && rng.chance(60) {
        header.text = rng.range(0, 1);
        header.time = rng.bits() & 0xFFFF_FFFF;
        header.os = rng.range(0, 255);
        header.hcrc = rng.range(0, 1);
        strings[0].push(0);
        strings[1].push(0);
        if rng.chance(60) {
            header.name = strings[0].as_mut_ptr();
        }
        if rng.chance(60) {
            header.comment = strings[1].as_mut_ptr();
        }
        if rng.chance(60) {
            header.extra = strings[2].as_mut_ptr();
            header.extra_len = strings[2].len() as u32;
        }
        setup.judge.deflate_set_header(&mut *strm, &mut header);
    }
    if !dictionary.is_empty() {
        setup.judge.deflate_set_dictionary(&mut *strm, dictionary.as_ptr(), dictionary.len() as u32);
    }
    let mut bytes = vec![0; len + len / 4 + 100_000];
    strm.next_out = bytes.as_mut_ptr();
    strm.avail_out = bytes.len() as u32;
    let mut pos = 0;
    for _ in 0..rng.below(4) {
        let cut = rng.below(len - pos + 1);
        strm.next_in = input[pos..].as_ptr();
        strm.avail_in = cut as u32;
        pos += cut;
        let flush = rng.pick(&[NO_FLUSH, PARTIAL_FLUSH, SYNC_FLUSH, FULL_FLUSH, BLOCK]);
        setup.judge.deflate(&mut *strm, flush);
    }
    strm.next_in = input[pos..].as_ptr();
    strm.avail_in = (len - pos) as u32;
    let code = setup.judge.deflate(&mut *strm, FINISH);
    assert_eq!(code, STREAM_END, "the judge's deflate does not end its stream");
    bytes.truncate(strm.total_out as usize);
    setup.judge.deflate_end(&mut *strm);
    Compressed { bytes, window_bits: params.window_bits, dictionary, input_len: len }
}

/// Flips bits, inserts or removes bytes, or cuts off the end. Half of the damage is near the start or the end, where headers
/// and trailers are.
pub(crate) fn damage(rng: &mut Rng, bytes: &mut Vec<u8>) {
    for _ in 0..1 + rng.below(3) {
        if bytes.is_empty() {
            return;
        }
        let len = bytes.len();
        let at = match rng.below(4) {
            0 => rng.below(len.min(24)),
            1 => len - 1 - rng.below(len.min(16)),
            _ => rng.below(len),
        };
        match rng.below(6) {
            0..3 => bytes[at] ^= 1 << rng.below(8),
            3 => bytes.truncate(at),
            4 => bytes.insert(at, rng.bits() as u8),
            _ => {
                bytes.remove(at);
            }
        }
    }
}
