//! What kind of data a message encoder compresses, as far as the search for matches depends on it.
//!
//! A sample of the next 256 bytes decides: at the start, and again after 2 KiB. While the data is
//! none of the following the interval doubles, up to 16 KiB.
//!
//! - *Numbers* of four or eight bytes, such as counters and offsets, match in three bytes, often at
//!   the distance at which the number before them did. The table for three bytes has only the most
//!   recent position, and misses many. With chains of three bytes such data is up to 8 % smaller. No
//!   sample of seven Silesia files or of programs is taken for numbers.
//! - *Few letters*, as in DNA: every four bytes recur, thousands of times in a window, and short
//!   matches cost more than their literals. Chains with keys of eight bytes find the matches that
//!   save bits.
//!   Where such data repeats after 12,000 bytes, level 7 without this wrote four times as much as zlib.
//! - *Characters of two bytes* (UTF-16): strings recur often, so a search may compare more
//!   candidates.

#![forbid(unsafe_code)]

use crate::deflate::parse::{
    LetterCount, SAMPLE_MIN, few_letters, has_pixels, has_wide_characters, in_short_matches,
};

/// The bytes of a sample: less than the encoder's `lookahead`, so that all of it has arrived.
pub(super) const SAMPLE: usize = 256;
/// How letters are counted in the whole of a sample, which is short: of two random letters one often fills 9 of 16 bytes,
/// so `same` is higher.
const WHOLE: LetterCount = LetterCount { step: 2, same: 11 };
/// Bytes until the next sample, at first and after data that is not usual.
const SOON: usize = 2 << 10;
/// The same after a change to usual data: a new key costs inserting the window again.
const AFTER_CHANGE: usize = 8 << 10;
/// The maximum.
const LATEST: usize = 16 << 10;

/// The kinds of data that are searched differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nature {
    Usual,
    WideCharacters,
    FewLetters,
    Numbers,
}

impl Nature {
    /// The nature of data with this sample. A sample of fewer than 64 bytes counts as usual.
    fn of(sample: &[u8]) -> Self {
        if sample.len() < SAMPLE_MIN {
            return Self::Usual;
        }
        if has_wide_characters(sample) {
            return Self::WideCharacters;
        }
        if few_letters(sample, &WHOLE) > 0 && !has_pixels(sample) {
            return Self::FewLetters;
        }
        if has_numbers(sample) { Self::Numbers } else { Self::Usual }
    }
}

/// Whether at least 5/8 of the bytes are in matches of exactly three, and the number of different
/// bytes is at least an eighth of the sample's length: with fewer, such matches occur by chance.
///
/// Before that, a cheap test excludes most other data: in numbers of four or eight bytes at least
/// 3/8 of the bytes equal the one four or eight bytes before. Without it, messages of 200 bytes took
/// 15 % longer.
fn has_numbers(sample: &[u8]) -> bool {
    let equal = |distance: usize| sample.iter().zip(&sample[distance..]).filter(|(a, b)| a == b).count();
    if equal(4).max(equal(8)) * 8 < sample.len() * 3 {
        return false;
    }
    let mut seen = [false; 256];
    sample.iter().for_each(|&byte| seen[usize::from(byte)] = true);
    let different = seen.iter().filter(|&&is_seen| is_seen).count();
    in_short_matches(sample) * 8 >= sample.len() * 5 && different * 8 >= sample.len()
}

/// The nature of the data, and where the next sample is taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) nature: Nature,
    /// From this position on it must be chosen again.
    pub(super) until: usize,
    /// Bytes between the last sample and the next.
    lasts: usize,
}

impl Choice {
    /// The first choice, for `input`, which begins at `position`.
    pub(super) fn new(input: &[u8], position: usize) -> Self {
        let nature = Nature::of(&input[..input.len().min(SAMPLE)]);
        Self { nature, until: position + SOON, lasts: SOON }
    }

    /// The next choice. It lasts twice as long if usual data goes on. Where too little input is left
    /// in a message, it is put off.
    pub(super) fn next(self, input: &[u8], position: usize) -> Self {
        if input.len() < SAMPLE_MIN {
            return Self { until: position + 1, ..self };
        }
        let next = Self::new(input, position);
        let lasts = match (self.nature, next.nature) {
            (Nature::Usual, Nature::Usual) => (2 * self.lasts).min(LATEST),
            (_, Nature::Usual) => AFTER_CHANGE,
            _ => SOON,
        };
        Self { until: position + lasts, lasts, ..next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// `count` letters of `alphabet`, at random.
    fn letters(random: &mut Random, alphabet: &[u8], count: usize) -> Vec<u8> {
        (0..count).map(|_| alphabet[random.below(alphabet.len())]).collect()
    }

    #[test]
    fn samples_show_the_nature() {
        let mut random = Random::varied(1);
        for alphabet in [b"01".as_slice(), b"ACGT"] {
            for _ in 0..100 {
                assert_eq!(Nature::of(&letters(&mut random, alphabet, SAMPLE)), Nature::FewLetters);
            }
        }
        assert_eq!(Nature::of(&letters(&mut random, b"abcdefgh", SAMPLE)), Nature::Usual);
        let counters: Vec<u8> = (70_000..70_064u32).flat_map(u32::to_be_bytes).collect();
        assert_eq!(Nature::of(&counters), Nature::Numbers);
        let wide: Vec<u8> =
            "characters of two bytes each. ".repeat(5).encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(Nature::of(&wide), Nature::WideCharacters);
        let text =
            b"A sample of text, as programs write it: words, numbers such as 12 or 345, and names.".repeat(4);
        assert_eq!(Nature::of(&text[..SAMPLE]), Nature::Usual);
        assert_eq!(Nature::of(&counters[..SAMPLE_MIN - 1]), Nature::Usual, "too short");
    }

    #[test]
    fn usual_data_is_sampled_less_and_less_often() {
        let text = [b'.'; SAMPLE];
        let mut choice = Choice::new(&text, 0);
        let mut positions = vec![];
        for _ in 0..5 {
            positions.push(choice.until >> 10);
            choice = choice.next(&text, choice.until);
        }
        assert_eq!(positions, [2, 6, 14, 30, 46]);
        let numbers: Vec<u8> = (70_000..70_064u32).flat_map(u32::to_be_bytes).collect();
        let changed = choice.next(&numbers, 100_000);
        assert_eq!((changed.nature, changed.until), (Nature::Numbers, 102_048));
        let too_short = changed.next(&text[..10], 102_048);
        assert_eq!((too_short.nature, too_short.until), (Nature::Numbers, 102_049));
        assert_eq!(changed.next(&text, 102_048).until, 102_048 + AFTER_CHANGE);
    }
}
