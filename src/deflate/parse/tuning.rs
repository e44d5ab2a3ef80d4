//! Adapts the lazy parser's searches to its results: data differ in which strings are worth a table.
//!
//! Matches of five bytes decide between the [`Keys`]. A chunk begins with the chain of six bytes and the most recent position
//! of each five. After 16 KiB the number of matches that only the latter finds is known:
//!
//! - Few (logs, records, most source code): the table of five bytes is dropped, which loses nothing.
//! - Some: where half of the searches end as literals (binaries), chains are short, and a chain of five bytes replaces both.
//!   In text its walk would take a seventh of all time for 0.4 % of the size, so the chain of six is used alone.
//! - Many (DNA reads, very regular text): the table of five bytes is kept.
//!
//! At levels that skip short matches where these are few (`LazyLevel::skips_short`), data with very long matches
//! uses the chain of six bytes alone, with matches of six bytes and more: filling takes half of the time, and first searches,
//! now fewer, may compare twice as many candidates. This ends when matches no longer cover nearly all bytes.
//!
//! Matches of three bytes are frequent in binaries and rare in text and logs, where searching for them takes 4 to 9 % of the
//! time. The search for them pauses while less than one search in [`SHORTS_PAY`] ends in one.
//!
//! Filtered data (`Z_FILTERED`) of photographs matches by chance only: in 24 images, matches of up to five bytes made the
//! output up to 7 % larger, although their estimated cost was lower. For such data only [`LONG`] ones are taken, from the
//! chain of six.
//! If three quarters of the bytes are covered by matches (drawings, screenshots), short ones are worth as much as elsewhere.
//!
//! A paused search is tried again after a number of checks. Checks are at the ends of spans, so the
//! output depends only on the input.
//!
//! ```text
//! keys in use     at a check
//! SixAndFive      choose by the counts: SixAlone, Six, Five, or stay      (every check)
//! Six, Five       after 31 checks: SixAndFive again, to count once more
//! SixAlone        the same, and at once if matches cover less than 3/4 of the bytes
//! ```
//!
//! Only `SixAndFive` shows how many matches the table of five bytes adds; therefore every choice
//! goes through it. Inputs up to 64 KiB use a chain of five bytes throughout.

#![forbid(unsafe_code)]

use super::counts::{CHECK, Counts};
use crate::deflate::match_finder::WORD;
use crate::deflate::match_finder::distance_rings::{DistanceRings, Keys, MEDIUM_INPUT};
use crate::format::deflate::MIN_MATCH;

/// Short matches are few if there are at least this many matches of four bytes or more for each one shorter than [`LONG`],
const SHORT_FEW: u32 = 3;
/// and matches are very long if they have at least this many bytes in the mean.
const VERY_LONG: u32 = 16;
/// The number of checks that a choice of keys lasts: a chunk of the pipeline, so that it chooses once, when its window is
/// entered anyway.
const KEYS_LAST: u32 = 31;
/// Five-byte matches are few if at most one match in this many comes only from the most recent position of the five bytes,
pub(super) const FIVES_FEW: u32 = 40;
/// and many if more than one match in this many does.
const FIVES_MANY: u32 = 15;
/// The search for three-byte matches pauses unless one search in this many ends in one.
const SHORTS_PAY: u32 = 256;
/// The number of checks for which it pauses.
const SHORTS_REST: u32 = 7;

/// The minimum length of a match in filtered data, as in zlib.
pub(super) const LONG: usize = 6;
/// If matches cover at least this many bytes between two checks, filtered data uses short matches as well, and data with very
/// long matches may go without them.
const COVERED_ENOUGH: u32 = CHECK as u32 / 4 * 3;

/// The results of the searches since the last check.
#[derive(Debug, Default)]
pub(super) struct MatchStats {
    /// Bytes.
    pub(super) len: u32,
    pub(super) searches: u32,
    /// Candidates compared.
    pub(super) compared: u32,
    /// Matches of four bytes or more.
    pub(super) matches: u32,
    /// Of these, the matches of four or five bytes.
    pub(super) fours_and_fives: u32,
    /// Of these, the matches that only the most recent position of the five bytes provides.
    pub(super) fives: u32,
    /// Matches of three bytes.
    pub(super) shorts: u32,
    /// Bytes that all of them cover, plus the literals that delayed them.
    pub(super) covered: u32,
}

/// The current choices, and how long they last.
///
/// There are two choices: the keys of the rings, and the minimum length of a match. A change of the
/// keys takes time, since the window must be entered again, unless it only drops a table; a change
/// of the length does not.
#[derive(Debug)]
pub(super) struct KeyTuning {
    /// The counts since the last check.
    pub(super) stats: MatchStats,
    next_check: usize,
    /// The checks until keys other than `SixAndFive` are reconsidered.
    keys_rest: u32,
    /// The checks until three-byte matches are searched again; 0 if they are now.
    shorts_rest: u32,
    is_long: bool,
    is_filtered: bool,
    /// See `LazyLevel::skips_short`.
    skips_short: bool,
    takes_long_only: bool,
}

impl KeyTuning {
    /// The choices at the start of an input, and the keys for its rings. `is_long`: over [`MEDIUM_INPUT`] bytes are
    /// expected.
    pub(super) fn new(start: usize, is_long: bool, is_filtered: bool, skips_short: bool) -> (Self, Keys) {
        let keys = if is_long { Self::long_keys(is_filtered) } else { Keys::Five };
        let tuning = Self {
            stats: MatchStats::default(),
            next_check: start + CHECK,
            keys_rest: KEYS_LAST,
            shorts_rest: 0,
            is_long,
            is_filtered,
            skips_short,
            takes_long_only: is_filtered,
        };
        (tuning, keys)
    }

    /// The keys with which a long input begins. Filtered data takes no five-byte matches at first,
    /// so their table would be of no use.
    fn long_keys(is_filtered: bool) -> Keys {
        if is_filtered { Keys::Six } else { Keys::SixAndFive }
    }

    /// At the first span past [`MEDIUM_INPUT`] bytes, switches to the tables and keys of a long input.
    pub(super) fn note_length(&mut self, rings: &mut DistanceRings, data: &[u8], position: usize) {
        if !self.is_long && position >= MEDIUM_INPUT {
            self.is_long = true;
            rings.grow(data, position, Self::long_keys(self.is_filtered));
        }
    }

    /// The minimum length of a match: 3, 4 or [`LONG`].
    pub(super) fn shortest(&self) -> usize {
        match self.shorts_rest {
            _ if self.takes_long_only => LONG,
            0 => MIN_MATCH,
            _ => WORD,
        }
    }

    /// Chooses again at `position`, if a check is due there, and returns the counts since the previous check.
    pub(super) fn check(
        &mut self,
        rings: &mut DistanceRings,
        data: &[u8],
        position: usize,
    ) -> Option<Counts> {
        if position < self.next_check {
            return None;
        }
        self.next_check = position + CHECK;
        self.takes_long_only = self.is_filtered && self.stats.covered < COVERED_ENOUGH;
        if self.shorts_rest > 0 {
            self.shorts_rest -= 1;
        } else if self.stats.shorts * SHORTS_PAY < self.stats.searches {
            self.shorts_rest = SHORTS_REST;
        }
        if self.is_long {
            let keys = self.keys(rings.keys());
            if keys != rings.keys() {
                rings.change_keys(data, position, keys);
            }
            self.takes_long_only |= keys == Keys::SixAlone;
        }
        let MatchStats { len, searches, compared, matches, fives, shorts, covered, .. } =
            core::mem::take(&mut self.stats);
        let matches = matches + shorts;
        Some(Counts { len, matches, threes: shorts, covered, searches, compared, fives })
    }

    /// The keys for the next checks, by the statistics since the last one.
    fn keys(&mut self, now: Keys) -> Keys {
        if now == Keys::SixAlone && self.stats.covered < COVERED_ENOUGH {
            return Keys::SixAndFive;
        }
        if now != Keys::SixAndFive {
            self.keys_rest -= 1;
            return if self.keys_rest == 0 { Keys::SixAndFive } else { now };
        }
        self.keys_rest = KEYS_LAST;
        let MatchStats { searches, matches, fives, .. } = self.stats;
        if self.skips_short && self.has_very_long_matches() {
            Keys::SixAlone
        } else if fives * FIVES_FEW <= matches {
            Keys::Six
        } else if 2 * matches < searches {
            Keys::Five
        } else if fives * FIVES_MANY <= matches {
            Keys::Six
        } else {
            Keys::SixAndFive
        }
    }

    /// Whether short matches can be left out: few are short, they have 16 bytes in the mean, and
    /// cover three quarters of the bytes. `matches` has those of four bytes and more.
    fn has_very_long_matches(&self) -> bool {
        let MatchStats { matches, fours_and_fives, shorts, covered, .. } = self.stats;
        let is_few = SHORT_FEW * (fours_and_fives + shorts) <= matches;
        is_few && covered >= VERY_LONG * (matches + shorts) && covered >= COVERED_ENOUGH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys after each of `checks` checks with the same stats, and whether three-byte matches are searched then.
    fn course(stats: [u32; 4], checks: usize) -> Vec<(Keys, bool)> {
        let data = vec![0; (checks + 1) * CHECK + MEDIUM_INPUT];
        let (mut tuning, keys) = KeyTuning::new(0, true, false, false);
        let mut rings = DistanceRings::new().unwrap();
        rings.reset(true, keys, 0).unwrap();
        (1..=checks)
            .map(|check| {
                let [searches, matches, fives, shorts] = stats;
                tuning.stats = MatchStats { searches, matches, fives, shorts, ..MatchStats::default() };
                tuning.check(&mut rings, &data, check * CHECK);
                (rings.keys(), tuning.shortest() == MIN_MATCH)
            })
            .collect()
    }

    #[test]
    fn frequent_matches_keep_their_tables() {
        assert!(course([1000, 700, 60, 100], 70).iter().all(|&choice| choice == (Keys::SixAndFive, true)));
    }

    #[test]
    fn some_five_byte_matches_are_worth_a_chain_only_where_literals_prevail() {
        assert_eq!(course([1000, 700, 40, 100], 1), [(Keys::Six, true)]);
        assert_eq!(course([1000, 400, 20, 100], 1), [(Keys::Five, true)]);
        assert_eq!(course([1000, 400, 5, 100], 1), [(Keys::Six, true)]);
    }

    #[test]
    fn paused_searches_are_tried_again() {
        let course = course([1000, 700, 0, 0], 70);
        for (check, &(keys, shorts)) in course.iter().enumerate() {
            assert_eq!(keys == Keys::SixAndFive, check % 32 == 31, "keys at {check}");
            assert_eq!(shorts, check % 8 == 7, "three bytes at {check}");
        }
    }

    #[test]
    fn filtered_data_get_short_matches_where_few_literals_are_left() {
        let data = vec![0; 8 * CHECK];
        let (mut tuning, keys) = KeyTuning::new(0, true, true, false);
        let mut rings = DistanceRings::new().unwrap();
        rings.reset(true, keys, 0).unwrap();
        let mut shortest_after = |check, covered| {
            tuning.stats =
                MatchStats { searches: 1000, matches: 700, shorts: 100, covered, ..MatchStats::default() };
            tuning.check(&mut rings, &data, check * CHECK);
            (rings.keys(), tuning.shortest())
        };
        assert_eq!(shortest_after(1, COVERED_ENOUGH), (Keys::Six, MIN_MATCH));
        assert_eq!(shortest_after(2, COVERED_ENOUGH - 1), (Keys::Six, LONG));
    }

    #[test]
    fn very_long_matches_need_no_short_ones_at_some_levels() {
        let data = vec![0; 40 * CHECK];
        let course = |skips_short, fours_and_fives, covered: u32| -> Vec<(Keys, usize)> {
            let (mut tuning, keys) = KeyTuning::new(0, true, false, skips_short);
            let mut rings = DistanceRings::new().unwrap();
            rings.reset(true, keys, 0).unwrap();
            let checks = 1..=KEYS_LAST as usize + 1;
            checks
                .map(|check| {
                    tuning.stats = MatchStats {
                        matches: covered / 16,
                        fours_and_fives,
                        covered,
                        ..MatchStats::default()
                    };
                    tuning.check(&mut rings, &data, check * CHECK);
                    (rings.keys(), tuning.shortest())
                })
                .collect()
        };
        let covered = COVERED_ENOUGH;
        let few = covered / 16 / SHORT_FEW;
        let alone = course(true, few, covered);
        let (last, rest) = alone.split_last().unwrap();
        assert!(rest.iter().all(|&choice| choice == (Keys::SixAlone, LONG)), "{alone:?}");
        assert_eq!(last.0, Keys::SixAndFive, "it is tried again");
        assert_ne!(last.1, LONG);
        for (skips_short, fours_and_fives, covered) in
            [(false, few, covered), (true, few + 1, covered), (true, 0, covered - 16), (true, 0, 0)]
        {
            let course = course(skips_short, fours_and_fives, covered);
            assert!(course.iter().all(|&(keys, shortest)| keys != Keys::SixAlone && shortest != LONG));
        }
    }

    #[test]
    fn short_matches_are_taken_again_where_few_bytes_are_covered() {
        let data = vec![0; 8 * CHECK];
        let (mut tuning, keys) = KeyTuning::new(0, true, false, true);
        let mut rings = DistanceRings::new().unwrap();
        rings.reset(true, keys, 0).unwrap();
        let mut keys_after = |check, covered: u32| {
            tuning.stats = MatchStats { matches: covered / 16, covered, ..MatchStats::default() };
            tuning.check(&mut rings, &data, check * CHECK);
            rings.keys()
        };
        assert_eq!(keys_after(1, COVERED_ENOUGH), Keys::SixAlone);
        assert_eq!(keys_after(2, COVERED_ENOUGH), Keys::SixAlone);
        assert_eq!(keys_after(3, COVERED_ENOUGH - 16), Keys::SixAndFive);
    }

    #[test]
    fn short_inputs_keep_the_chain_of_five() {
        let (mut tuning, keys) = KeyTuning::new(0, false, false, false);
        assert_eq!(keys, Keys::Five);
        let data = vec![0; MEDIUM_INPUT];
        let mut rings = DistanceRings::new().unwrap();
        rings.reset(true, keys, 0).unwrap();
        tuning.stats = MatchStats { searches: 1000, matches: 700, ..MatchStats::default() };
        tuning.check(&mut rings, &data, CHECK);
        assert_eq!((rings.keys(), tuning.shortest()), (Keys::Five, WORD));
    }
}
