//! The source of a sequence's choices and bytes: a small seeded generator and several kinds of data for encoders.
//!
//! A seed alone determines every choice, on every machine and for both libraries, so that a failing seed can be replayed without
//! anything else.
//!
//! In the fuzz targets (`fuzz/`) the fuzzer's input makes the choices: it is a *script*, of which each choice takes the bytes
//! that it needs. After the end of the script the choices come from the generator; [`Rng::bits`] always uses the generator.

use crate::numbers::Random;

pub(crate) struct Rng {
    numbers: Random,
    /// The rest of the script.
    script: std::vec::IntoIter<u8>,
    is_scripted: bool,
}

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Rng { numbers: Random::new(seed), script: Vec::new().into_iter(), is_scripted: false }
    }

    /// Takes the choices from `script`, and after its end from the generator.
    #[allow(dead_code, reason = "called by the fuzz targets")]
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

    /// An `int`, most likely one that the manual does not allow: extremes, small negative ones, valid values with extra high
    /// bits, any bits.
    pub(crate) fn odd_int(&mut self) -> i32 {
        match self.below(4) {
            0 => self.pick(&[i32::MIN, i32::MAX, i32::MIN + 1, -1, -2, 256, 65536]),
            1 => -(self.below(300) as i32),
            2 => self.below(300) as i32 | 1 << (8 + self.below(24)),
            _ => self.bits() as i32,
        }
    }

    /// A number in `0..=max`. Its maximum number of bits is chosen first, so that small sizes are frequent and large ones occur.
    pub(crate) fn size(&mut self, max: usize) -> usize {
        let bits = usize::BITS - max.leading_zeros();
        let top = self.below(bits as usize + 1) as u32;
        let any = match self.is_scripted {
            true => self.below(1 << top),
            false => self.bits() as usize,
        };
        (any & ((1usize << top) - 1)).min(max)
    }

    /// How many of the `left` bytes the next call gets: none, one, few, many or all.
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

    /// How much output room the next call gets: mostly little.
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
        // Data comes from a generator of its own, since it would use up the script.
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

/// Repeats at distances around the window size, around zlib's largest distance (262 less), and at smaller ones.
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

/// Binary records of a fixed width, each of which differs from the one before in a single byte.
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
