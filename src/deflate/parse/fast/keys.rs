//! Which strings level 1 looks up: those of four bytes, of four and three, or of five.
//!
//! The table has one position for each string, its most recent one. That of a longer string is at
//! least as far away, but has more bytes in common. Where most matches are long, the most recent
//! position of four bytes is often not the best; that of five bytes is better, and as fast. Where
//! many matches have three bytes, a second table finds them.
//!
//! 1. At the start of an input, a sample of 256 bytes decides.
//! 2. After a block, and inside a long one, the block's symbols decide for the next data: the share
//!    of literals, the mean length of matches, and how many have three or four bytes.
//!
//! Five bytes for all data are 1.7 % smaller in the mean of 15 files, but 14 % slower on prose.
//! With these rules UTF-16, before 7 % larger than zlib's, is 4 to 6 % smaller, nci 2.9 % smaller
//! than with keys of four, xml 2.5 %, logs 1.2 %, at equal speed.

#![forbid(unsafe_code)]

use crate::deflate::parse::{SAMPLE_MIN, has_wide_characters, in_short_matches};
use crate::deflate::token::Frequencies;
use crate::format::deflate::{FIRST_LENGTH, LENGTH_BASE};

/// The bytes of a sample.
const SAMPLE: usize = 256;
/// The least length of a block that decides about matches of three bytes in the next.
const NOTED_MIN: u32 = 64;
/// The least length of a block that decides between four and five bytes: a change costs entering the window again.
const CHANGE_MIN: u32 = 4096;
/// Five bytes are looked up if matches have at least this many bytes in the mean, in tenths, and
/// few have four; or if they have at least `VERY_LONG`: 7.3 and 16 bytes.
const LONG: u32 = 73;
const VERY_LONG: u32 = 160;
/// Matches of four bytes are few if at most one match in this many is one.
const FOURS_FEW: u32 = 8;

/// The strings that level 1 looks up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::deflate) enum Keys {
    /// Four bytes: for most data.
    Four,
    /// Four bytes, and three bytes in a separate table: for tables of numbers.
    FourAndThree,
    /// Five bytes: for data with long matches, and for characters of two bytes.
    Five,
}

impl Keys {
    /// The keys for the start of `input`: five bytes for characters of two bytes, three and four if
    /// at least two fifths of the sample are in matches of exactly three.
    pub(in crate::deflate) fn at_start(input: &[u8]) -> Self {
        let sample = &input[..input.len().min(SAMPLE)];
        if has_wide_characters(sample) {
            Self::Five
        } else if sample.len() >= SAMPLE_MIN && in_short_matches(sample) * 5 >= sample.len() * 2 {
            Self::FourAndThree
        } else {
            Self::Four
        }
    }

    /// The keys for the data after a block, by the symbols of the block and its last bytes. Three
    /// bytes are looked up if more than `least` percent of the block were literals and it is not
    /// noise, and then as long as such matches are an eighth of all.
    ///
    /// Whether three-byte matches pay is known only while they are searched. So many literals start
    /// a trial, and the next block's count decides whether it goes on. Short blocks decide nothing:
    /// their counts are small, and keys of five bytes are neither begun nor left without 4 KiB,
    /// since the window must then be entered again.
    pub(super) fn after(self, frequencies: &Frequencies, least: u32, bytes: &[u8]) -> Self {
        let literals: u32 = frequencies.litlen[..256].iter().sum();
        let matches: u32 = frequencies.offset.iter().sum();
        // By the least length of each slot (RFC 1951, 3.2.5), without the extra bits: slightly too
        // few.
        let lengths = frequencies.litlen[FIRST_LENGTH..].iter().zip(&LENGTH_BASE);
        let covered: u32 = lengths.map(|(count, base)| count * u32::from(*base)).sum();
        let len = literals + covered;
        let most = frequencies.litlen[..256].iter().fold(0, |most, &count| most.max(count));
        // In noise all 256 literals are about equally frequent; in other data one usually has more
        // than 1/64.
        let is_noise = most * 64 < literals;
        let is_open = u64::from(literals) * 100 > u64::from(len) * u64::from(least) && !is_noise;
        let [threes, fours] = [frequencies.litlen[FIRST_LENGTH], frequencies.litlen[FIRST_LENGTH + 1]];
        let pays = self == Self::FourAndThree && threes * 8 >= matches;
        let is_long = |tenths| u64::from(covered) * 10 >= u64::from(matches) * u64::from(tenths);
        let suits_five = is_long(VERY_LONG) || is_long(LONG) && fours * FOURS_FEW <= matches;
        let sample = &bytes[bytes.len().saturating_sub(SAMPLE)..];
        let may_change = len >= CHANGE_MIN;
        if len < NOTED_MIN || self == Self::Five && !may_change {
            self
        } else if may_change && has_wide_characters(sample) {
            Self::Five
        } else if pays || is_open {
            Self::FourAndThree
        } else if may_change && suits_five {
            Self::Five
        } else {
            Self::Four
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deflate::parse::fast::tests::parse;
    use crate::random::Random;

    /// The keys after a block of `data`.
    fn keys_after(data: &[u8]) -> Keys {
        let keys = Keys::at_start(data);
        keys.after(&parse(data, keys).frequencies, 60, data)
    }

    fn words(random: &mut Random, len: usize) -> Vec<u8> {
        let word = |random: &mut Random| {
            b"the of and a to in he have it that for they with as not on she at by this we you"
                .split(|&byte| byte == b' ')
                .nth(random.below(22))
                .expect("22 words")
        };
        let mut text = Vec::new();
        while text.len() < len {
            text.extend_from_slice(word(random));
            text.push(b' ');
        }
        text
    }

    #[test]
    fn each_kind_of_data_gets_its_keys() {
        let mut random = Random::varied(1);
        let text = words(&mut random, 30_000);
        assert_eq!(keys_after(&text), Keys::Four);
        let wide: Vec<u8> = text.iter().flat_map(|&byte| [byte, 0]).collect();
        assert_eq!(Keys::at_start(&wide), Keys::Five, "UTF-16, little end first");
        assert_eq!(Keys::at_start(&wide[1..]), Keys::Five, "UTF-16, big end first");
        assert_eq!(keys_after(&wide), Keys::Five);
        let numbers: Vec<u8> =
            (0..8000u32).flat_map(|number| (number * 1000 + 0x0500_0000).to_be_bytes()).collect();
        assert_ne!(keys_after(&numbers), Keys::Five);
        let lines: Vec<u8> = (0..400)
            .flat_map(|_| {
                format!("2026-11-30 {:05} request handled, status 200, no error\n", random.below(99_999))
                    .into_bytes()
            })
            .collect();
        assert_eq!(Keys::at_start(&lines), Keys::Four);
        assert_eq!(keys_after(&lines), Keys::Five, "long matches");
    }

    #[test]
    fn short_data_changes_nothing() {
        assert_eq!(Keys::at_start(&[0, 65].repeat(SAMPLE_MIN / 2 - 1)), Keys::Four);
        for keys in [Keys::Four, Keys::FourAndThree, Keys::Five] {
            assert_eq!(keys.after(&Frequencies::of_bytes(b"a few bytes"), 60, b"a few bytes"), keys);
        }
    }
}
