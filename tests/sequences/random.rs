//! The source of a sequence's choices and bytes: a small seeded generator and several kinds of data for encoders.
//!
//! A seed alone determines every choice, on every machine and in both libraries, so that a failing seed can be replayed without
//! anything else.
//!
//! A fuzzer makes the choices itself (`fuzz/`). Then they come from a script, a byte or a few for each, and from the generator
//! after the end of the script.

use crate::numbers::Random;

pub(crate) struct Rng {
    numbers: Random,
    /// The remaining choices of the script, the next one first.
    script: std::vec::IntoIter<u8>,
    is_scripted: bool,
}

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Rng { numbers: Random::new(seed), script: Vec::new().into_iter(), is_scripted: false }
    }

    /// The choices of `script`, and then those of a seed.
    #[allow(dead_code, reason = "the fuzz targets' way in")]
    pub(crate) fn scripted(script: &[u8]) -> Self {
        Rng { script: Vec::from(script).into_iter(), is_scripted: true, ..Self::new(script.len() as u64) }
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.numbers.next()
    }

    /// A number in `0..limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        if self.script.as_slice().is_empty() {
            return self.numbers.below(limit);
        }
        let width = (usize::BITS - (limit - 1).leading_zeros()).div_ceil(8) as usize;
        let number = self.script.by_ref().take(width).fold(0, |number, byte| number << 8 | usize::from(byte));
        number % limit
    }

    /// A number in `low..=high`.
    pub(crate) fn range(&mut self, low: i32, high: i32) -> i32 {
        low + self.below((high - low + 1) as usize) as i32
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// An `int` outside the manual: extremes, small negative ones, valid values with extra high bits, any bits.
    pub(crate) fn odd_int(&mut self) -> i32 {
        match self.below(4) {
            0 => self.pick(&[i32::MIN, i32::MAX, i32::MIN + 1, -1, -2, 256, 65536]),
            1 => -(self.below(300) as i32),
            2 => self.below(300) as i32 | 1 << (8 + self.below(24)),
            _ => self.bits() as i32,
        }
    }

    /// `0..=max`, each power of two as likely as the next: small sizes are met often and large ones still come.
    pub(crate) fn size(&mut self, max: usize) -> usize {
        let bits = usize::BITS - max.leading_zeros();
        let top = self.below(bits as usize + 1) as u32;
        let any = match self.is_scripted {
            true => self.below(1 << top),
            false => self.bits() as usize,
        };
        (any & ((1usize << top) - 1)).min(max)
    }

    /// How much of `left` the next call gets: nothing, one byte, few, many or all.
    pub(crate) fn cut(&mut self, left: usize) -> usize {
        let wanted = match self.below(10) {
            0 => 0,
            1 => 1,
            2 => self.below(8),
            3 => self.below(300),
            4 | 5 => self.size(70_000),
            6 | 7 => self.size(left),
            _ => left,
        };
        wanted.min(left)
    }

    /// How much output room the next call gets when room is scarce.
    pub(crate) fn room(&mut self) -> usize {
        match self.below(10) {
            0 => self.below(2),
            1 | 2 => self.below(8),
            3 | 4 => self.below(64),
            5 => self.below(600),
            6 | 7 => self.size(40_000),
            _ => 1000 + self.size(300_000),
        }
    }
}

const WORDS: &[&str] = &[
    "the", "stream", "of", "window", "and", "chunk", "a", "to", "member", "in", "literal", "is", "match",
    "that", "offset", "block", "it", "was", "for", "header", "\n", "table", "on", "0", "code", "length",
    "17", ",", "as", ".",
];

/// `len` bytes of one of the kinds that make an encoder take different paths.
pub(crate) fn data(rng: &mut Rng, len: usize) -> Vec<u8> {
    if rng.is_scripted {
        // So that data does not eat up the script.
        let mut bulk = Rng::new(rng.below(1 << 16) as u64);
        return data(&mut bulk, len);
    }
    let mut out = Vec::with_capacity(len + 300);
    match rng.below(9) {
        0 | 1 => words(rng, &mut out, len),
        2 => out.extend((0..len).map(|_| rng.bits() as u8)),
        3 => out.resize(len, rng.pick(&[0u8, 0, 0xFF, b'a'])),
        4 => far_repeats(rng, &mut out, len),
        5 => records(rng, &mut out, len),
        6 => {
            let letters = 1 + rng.below(5) as u8;
            out.extend((0..len).map(|_| b'a' + (rng.bits() >> 32) as u8 % letters));
        }
        7 => runs(rng, &mut out, len),
        _ => {
            while out.len() < len {
                let piece = 1 + rng.size(40_000);
                match rng.below(3) {
                    0 => words(rng, &mut out, piece),
                    1 => out.extend((0..piece).map(|_| rng.bits() as u8)),
                    _ => out.resize(out.len() + piece, 0),
                }
            }
        }
    }
    out.truncate(len);
    out
}

fn words(rng: &mut Rng, out: &mut Vec<u8>, len: usize) {
    let end = out.len() + len;
    while out.len() < end {
        let word = rng.pick(WORDS);
        out.extend_from_slice(word.as_bytes());
        out.push(b' ');
    }
}

/// Repeats at distances around the window size and around the smaller limits of encoders.
fn far_repeats(rng: &mut Rng, out: &mut Vec<u8>, len: usize) {
    let base = 32768 + 300;
    out.extend((0..base.min(len)).map(|_| rng.bits() as u8));
    while out.len() < len {
        let back = match rng.below(4) {
            0 => 32768 - rng.below(4),
            1 => 32768 - 262 + rng.below(8) - 4,
            2 => 32769 + rng.below(3),
            _ => 1 + rng.size(32767),
        };
        let count = 3 + rng.below(300);
        for _ in 0..count {
            let byte = out[out.len() - back];
            out.push(byte);
        }
        if rng.chance(30) {
            out.push(rng.bits() as u8);
        }
    }
}

/// Binary records of a fixed width, where only some columns change.
fn records(rng: &mut Rng, out: &mut Vec<u8>, len: usize) {
    let width = 4 + rng.below(60);
    let mut record: Vec<u8> = (0..width).map(|_| rng.bits() as u8).collect();
    while out.len() < len {
        let column = rng.below(width);
        record[column] = record[column].wrapping_add(1);
        out.extend_from_slice(&record);
    }
}

fn runs(rng: &mut Rng, out: &mut Vec<u8>, len: usize) {
    while out.len() < len {
        let byte = rng.bits() as u8;
        let count = 1 + rng.size(600);
        out.resize(out.len() + count, byte);
    }
}
