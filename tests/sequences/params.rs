//! What a deflate stream is from its start on: the arguments of deflateInit2, legal or not, the format they ask for, and a gzip header.

use std::ffi::c_int;

use crate::decoder::empty_header;
use crate::random::Rng;
use crate::zlib::{GzHeader, Zlib};

/// The arguments of deflateInit2.
#[derive(Clone, Debug)]
pub(crate) struct Params {
    pub(crate) level: c_int,
    pub(crate) method: c_int,
    pub(crate) window_bits: c_int,
    pub(crate) mem_level: c_int,
    pub(crate) strategy: c_int,
}

impl Params {
    pub(crate) fn usual(level: c_int, window_bits: c_int) -> Self {
        Params { level, method: 8, window_bits, mem_level: 8, strategy: 0 }
    }

    pub(crate) fn random(rng: &mut Rng) -> Self {
        let mut p = Params::usual(rng.range(-1, 9), 15);
        if rng.chance(35) {
            p.level = 9;
        }
        if rng.chance(50) {
            p.window_bits = rng.range(9, 15);
            p.mem_level = rng.range(1, 9);
        }
        if rng.chance(30) {
            p.strategy = rng.range(0, 4);
        }
        p.window_bits = match rng.below(3) {
            0 => -p.window_bits,
            1 => p.window_bits + 16,
            _ => p.window_bits,
        };
        if rng.chance(3) {
            p.window_bits = rng.pick(&[8, 24, -8, 0, 7, 16, 32, 47, -16, -7]);
        }
        if rng.chance(2) {
            p.mem_level = rng.pick(&[0, 10, -1]);
        }
        if rng.chance(2) {
            p.level = rng.pick(&[10, -2, 100]);
        }
        if rng.chance(1) {
            p.strategy = rng.pick(&[5, -1]);
        }
        if rng.chance(1) {
            p.method = rng.pick(&[0, 7, 9]);
        }
        p
    }

    pub(crate) fn window(&self) -> usize {
        let bits = if self.window_bits > 15 { self.window_bits - 16 } else { self.window_bits.abs() };
        1 << bits.max(9)
    }
}

/// The wrap of a stream, which decides its checksum.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Format {
    Raw,
    Zlib,
    Gzip,
}

impl Format {
    pub(crate) fn of(window_bits: c_int) -> Self {
        match window_bits {
            ..=-1 => Format::Raw,
            16.. => Format::Gzip,
            _ => Format::Zlib,
        }
    }

    pub(crate) fn start(self) -> u64 {
        if self == Format::Gzip { 0 } else { 1 }
    }

    pub(crate) fn update(self, judge: &Zlib, sum: u64, bytes: &[u8]) -> u64 {
        match self {
            // A NULL or empty piece would start the sum anew.
            _ if bytes.is_empty() => sum,
            Format::Raw => sum,
            Format::Zlib => judge.adler32(sum, bytes.as_ptr(), bytes.len() as u32),
            Format::Gzip => judge.crc32(sum, bytes.as_ptr(), bytes.len() as u32),
        }
    }
}

/// A gzip header to be written, with its strings; the library holds a pointer to it until it is out.
pub(crate) struct WrittenHeader {
    pub(crate) head: GzHeader,
    pub(crate) extra: Vec<u8>,
    pub(crate) name: Vec<u8>,
    pub(crate) comment: Vec<u8>,
}

impl WrittenHeader {
    pub(crate) fn random(rng: &mut Rng) -> Box<Self> {
        let string = |rng: &mut Rng| {
            let len = rng.size(200);
            let mut s: Vec<u8> = (0..len).map(|_| 1 + rng.below(255) as u8).collect();
            s.push(0);
            s
        };
        let mut h = Box::new(WrittenHeader {
            head: empty_header(),
            extra: (0..rng.size(65_535)).map(|i| i as u8).collect(),
            name: string(rng),
            comment: string(rng),
        });
        h.head.text = rng.range(0, 1);
        h.head.time = rng.bits() & 0xFFFF_FFFF;
        h.head.os = rng.range(0, 255);
        h.head.hcrc = rng.range(0, 1);
        if rng.chance(60) {
            h.head.extra = h.extra.as_mut_ptr();
            h.head.extra_len = h.extra.len() as u32;
        }
        if rng.chance(60) {
            h.head.name = h.name.as_mut_ptr();
        }
        if rng.chance(40) {
            h.head.comment = h.comment.as_mut_ptr();
        }
        h
    }
}
