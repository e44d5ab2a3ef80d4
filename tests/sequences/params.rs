//! The initial parameters of a deflate stream: the arguments of deflateInit2, valid or not, the format, and a gzip header.

use std::ffi::c_int;

use crate::decoder::{ReadHeader, empty_header};
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
            let odd = rng.odd_int();
            p.window_bits = rng.pick(&[8, 24, -8, 0, 7, 16, 32, 47, -16, -7, odd]);
        }
        if rng.chance(2) {
            let odd = rng.odd_int();
            p.mem_level = rng.pick(&[0, 10, -1, odd]);
        }
        if rng.chance(2) {
            let odd = rng.odd_int();
            p.level = rng.pick(&[10, -2, 100, odd]);
        }
        if rng.chance(1) {
            let odd = rng.odd_int();
            p.strategy = rng.pick(&[5, -1, odd]);
        }
        if rng.chance(1) {
            let odd = rng.odd_int();
            p.method = rng.pick(&[0, 7, 9, odd]);
        }
        p
    }

    pub(crate) fn window(&self) -> usize {
        let bits = if self.window_bits > 15 { self.window_bits - 16 } else { self.window_bits.abs() };
        1 << bits.max(9)
    }
}

/// The wrapper of a stream, which determines its checksum.
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
            // A NULL or empty piece would restart the checksum.
            _ if bytes.is_empty() => sum,
            Format::Raw => sum,
            Format::Zlib => judge.adler32(sum, bytes.as_ptr(), bytes.len() as u32),
            Format::Gzip => judge.crc32(sum, bytes.as_ptr(), bytes.len() as u32),
        }
    }
}

/// A gzip header to be written, with its strings; the library holds a pointer to it until it is written. Its numbers exceed the
/// header's fields, and the fields that only a reader fills in hold anything.
pub(crate) struct WrittenHeader {
    pub(crate) head: GzHeader,
    /// As it was given.
    kept: GzHeader,
    pub(crate) extra: Vec<u8>,
    pub(crate) name: Vec<u8>,
    pub(crate) comment: Vec<u8>,
}

impl WrittenHeader {
    pub(crate) fn random(rng: &mut Rng) -> Box<Self> {
        let string = |rng: &mut Rng| {
            // Some do not fit zlib's buffer of pending output.
            let len = if rng.chance(95) { rng.size(200) } else { rng.size(70_000) };
            let mut s: Vec<u8> = (0..len).map(|_| 1 + rng.below(255) as u8).collect();
            s.push(0);
            s
        };
        let mut h = Box::new(WrittenHeader {
            head: empty_header(),
            kept: empty_header(),
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
        if rng.chance(50) {
            let odd = |rng: &mut Rng, clean: c_int| if rng.chance(60) { rng.odd_int() } else { clean };
            h.head.text = odd(rng, h.head.text);
            h.head.hcrc = odd(rng, h.head.hcrc);
            h.head.os = odd(rng, h.head.os);
            h.head.time = rng.bits();
            (h.head.xflags, h.head.done) = (rng.odd_int(), rng.odd_int());
            h.head.extra_len |= (rng.below(1 << 16) as u32) << 16;
            let mut odd = || rng.odd_int() as u32;
            [h.head.extra_max, h.head.name_max, h.head.comm_max] = std::array::from_fn(|_| odd());
        }
        h.kept = h.head.clone();
        h
    }

    /// Whether `read` equals this header, as far as the reader had room.
    pub(crate) fn came_back_as(&self, read: &ReadHeader) -> bool {
        let (w, g) = (&self.head, &read.head);
        let same = |want: *mut u8, bytes: &[u8], got: &[u8]| {
            let len = bytes.len().min(got.len());
            want.is_null() || bytes[..len] == got[..len]
        };
        g.done == 1
            && (g.text, g.hcrc) == (c_int::from(w.text != 0), c_int::from(w.hcrc != 0))
            && (g.time, g.os) == (w.time & 0xFFFF_FFFF, w.os & 0xFF)
            && (w.extra.is_null() || w.extra_len & 0xFFFF == g.extra_len)
            && same(w.extra, &self.extra, &read.extra)
            && same(w.name, &self.name, &read.name)
            && same(w.comment, &self.comment, &read.comment)
    }

    /// Whether the library has not changed it.
    pub(crate) fn is_untouched(&self) -> bool {
        let fields = |h: &GzHeader| {
            let numbers = (h.text, h.time, h.xflags, h.os, h.extra_len, h.hcrc, h.done);
            (numbers, (h.extra, h.name, h.comment), (h.extra_max, h.name_max, h.comm_max))
        };
        fields(&self.head) == fields(&self.kept)
    }
}
