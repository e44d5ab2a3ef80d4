//! Recent matches. Where data nearly repeats, as in dithered or striped images, sampled waves and
//! drawings, a short string recurs every few bytes, and a parser that compares one or two candidates
//! sees only its most recent places: it takes a match of 20 bytes although there is one of 258. zlib
//! finds the long one, since its lowest levels do not enter the positions inside a long match, so
//! that their chains lead further back.
//!
//! So where the parser has found a match of eight bytes or more, the last four different offsets of
//! such matches are tried too, and the place where the last one began whose first bytes have the same
//! hash. This goes on only while it pays: after a *trial* of [`TRIAL`] matches comes another one if
//! they became longer by one byte in [`PAYS`] of the data, else a pause. In a pause nothing is
//! remembered.
//!
//! Without this, levels 1 to 3 compressed such data to up to seven times zlib's size; with it, to half
//! of zlib's size in the mean.

#![forbid(unsafe_code)]

use super::repetition::equal_bytes;
use crate::deflate::match_finder::Match;
use crate::deflate::match_finder::hash_table::value;
use crate::format::deflate::MAX_MATCH;

/// The minimum length of a match at which others are tried. Shorter ones are frequent, and after them there is rarely a long one.
const SHORTEST: usize = 8;
/// The number of matches in a trial.
const TRIAL: u32 = 64;
/// A trial pays if it makes matches longer by one byte in this many of the data.
const PAYS: usize = 16;
/// The number of matches in a pause: it doubles from the first number to the second one, until a trial pays.
const PAUSES: (u32, u32) = (256, 4096);
/// The number of offsets that are remembered.
const OFFSETS: usize = 4;
/// The first and the last eight of this many bytes choose an entry of the table of starts. There are few different strings of
/// eight bytes in such data.
const KEY: usize = 24;
/// Entries of that table, as a power of two.
const START_BITS: u32 = 6;

/// The offsets and the starts of recent matches.
#[derive(Clone, Copy, Debug)]
pub(in crate::deflate) struct RecentMatches {
    /// The last different offsets, the latest first; 0 where there is none yet.
    offsets: [u16; OFFSETS],
    /// Where the last match with these first bytes began, by their hash; the low 16 bits, which are enough for an offset.
    starts: [u16; 1 << START_BITS],
    /// The number of matches left of the pause, and of the trial.
    wait: u32,
    trial: u32,
    /// Where the trial began, and the number of bytes by which it made matches longer.
    from: usize,
    gained: usize,
    /// The next pause.
    pause: u32,
}

impl RecentMatches {
    /// No matches yet.
    pub(in crate::deflate) const NONE: Self = Self {
        offsets: [0; OFFSETS],
        starts: [0; 1 << START_BITS],
        wait: 0,
        trial: 0,
        from: 0,
        gained: 0,
        pause: PAUSES.0,
    };

    /// Reduces all positions by `count`.
    pub(in crate::deflate) fn move_down(&mut self, count: usize) {
        self.starts.iter_mut().for_each(|start| *start = start.wrapping_sub(count as u16));
        self.from = self.from.wrapping_sub(count);
    }

    /// Returns `found`, the match at `position`, or a better one there, which is longer and at an offset of at most `max_offset`.
    /// To be called for each match that is taken; the lazy parser calls it before it looks for a later one. `found` does not reach
    /// past the end of `data`, and neither does the result.
    #[inline(always)]
    pub(in crate::deflate) fn best(
        &mut self,
        data: &[u8],
        position: usize,
        found: Match,
        max_offset: usize,
    ) -> Match {
        if found.length < SHORTEST {
            return found;
        }
        if self.wait > 0 {
            self.wait -= 1;
            return found;
        }
        self.best_in_trial(data, position, found, max_offset)
    }

    #[inline(never)]
    fn best_in_trial(&mut self, data: &[u8], position: usize, found: Match, max_offset: usize) -> Match {
        if self.trial == 0 {
            (self.trial, self.from, self.gained) = (TRIAL, position, 0);
        }
        let best = self.best_of_all(data, position, found, max_offset);
        self.gained += best.length - found.length;
        self.trial -= 1;
        if self.trial == 0 {
            // `from` may be negative after a move.
            if self.gained * PAYS >= position.wrapping_sub(self.from) {
                self.pause = PAUSES.0;
            } else {
                self.wait = self.pause;
                self.pause = PAUSES.1.min(2 * self.pause);
            }
        }
        best
    }

    /// The best match at `position`: `found`, or a longer one at a remembered offset or start. Remembers it.
    fn best_of_all(&mut self, data: &[u8], position: usize, found: Match, max_offset: usize) -> Match {
        let limit = MAX_MATCH.min(data.len() - position);
        let same_start = self.replace_start(data, position);
        let mut best = found;
        for offset in self.offsets.map(usize::from).into_iter().chain([same_start]) {
            if best.length >= limit {
                break;
            }
            let is_longer = (1..=position.min(max_offset)).contains(&offset)
                && data[position - offset + best.length] == data[position + best.length];
            if is_longer {
                let length = equal_bytes(data, position, offset, 0, limit);
                // A byte more is not worth an offset with many more bits.
                if length > best.length && value(length, offset) > value(best.length, best.offset) {
                    best = Match { length, offset };
                }
            }
        }
        let place = self.offsets.iter().position(|&offset| usize::from(offset) == best.offset);
        self.offsets[..=place.unwrap_or(OFFSETS - 1)].rotate_right(1);
        self.offsets[0] = best.offset as u16;
        best
    }

    /// Enters `position` as a start. Returns the distance from the last start whose first bytes have the same hash, or a number
    /// that is no distance.
    fn replace_start(&mut self, data: &[u8], position: usize) -> usize {
        let word = |at: usize| Some(u64::from_le_bytes(*data.get(at..)?.first_chunk()?));
        let (Some(first), Some(last)) = (word(position), word(position + KEY - 8)) else { return 0 };
        let start = &mut self.starts[hash(first, last)];
        usize::from((position as u16).wrapping_sub(core::mem::replace(start, position as u16)))
    }
}

fn hash(first: u64, last: u64) -> usize {
    const FACTOR: u64 = 0x9e37_79b1_85eb_ca87;
    let product = first.wrapping_mul(FACTOR).rotate_left(29);
    ((product ^ last).wrapping_mul(FACTOR) >> (64 - START_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the match that is taken where the parser found one of 10 bytes at offset 10.
    fn taken(recent: &mut RecentMatches, data: &[u8], position: usize) -> Match {
        recent.best(data, position, Match { length: 10, offset: 10 }, 30_000)
    }

    #[test]
    fn a_recent_offset_is_taken_if_its_match_is_longer() {
        let data: Vec<u8> = (0..400u32).map(|at| (at % 50) as u8).collect();
        let mut recent = RecentMatches::NONE;
        let long = Match { length: 40, offset: 50 };
        assert_eq!(recent.best(&data, 100, long, 50), long);
        assert_eq!(taken(&mut recent, &data, 140), Match { length: 258, offset: 50 });
        assert_eq!(taken(&mut recent, &data, 300).length, 100, "the data ends");
        assert_eq!(taken(&mut recent, &data, 390).length, 10, "fewer bytes than the key has");
        let near = Match { length: 10, offset: 10 };
        assert_eq!(recent.best(&data, 300, near, 50).length, 100);
        assert_eq!(recent.best(&data, 300, near, 49).length, 10);
        let mut at_start = RecentMatches { offsets: [200, 0, 0, 0], ..RecentMatches::NONE };
        assert_eq!(taken(&mut at_start, &data, 199).length, 10, "the offset reaches before the data");
        assert_eq!(taken(&mut at_start, &data, 200).length, 200);
    }

    #[test]
    fn a_byte_more_is_not_worth_a_far_offset() {
        let mut data = vec![0; 30_100];
        data[..12].copy_from_slice(b"abcdefghijkl");
        data[30_000..30_012].copy_from_slice(b"abcdefghijkl");
        let mut recent = RecentMatches { offsets: [30_000, 0, 0, 0], ..RecentMatches::NONE };
        for (length, best) in [(11, 11), (8, 12)] {
            let found = Match { length, offset: 1 };
            data[30_012] = 1;
            assert_eq!(recent.best(&data, 30_000, found, 32_768).length, best);
        }
    }

    #[test]
    fn the_last_start_with_the_same_bytes_is_taken() {
        let mut data = vec![0; 3000];
        for at in [500, 2000] {
            (at..at + 300).for_each(|place| data[place] = (((place - at) * (place - at)) >> 3) as u8);
        }
        let mut recent = RecentMatches::NONE;
        assert_eq!(taken(&mut recent, &data, 501).length, 10);
        assert_eq!(taken(&mut recent, &data, 2001), Match { length: 258, offset: 1500 });
        let mut moved = RecentMatches::NONE;
        assert_eq!(taken(&mut moved, &data, 501).length, 10);
        moved.move_down(400);
        assert_eq!(taken(&mut moved, &data[400..], 1601), Match { length: 258, offset: 1500 });
    }

    #[test]
    fn a_trial_that_does_not_pay_is_followed_by_a_longer_and_longer_pause() {
        let data: Vec<u8> = (0..200_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let mut recent = RecentMatches::NONE;
        let mut tried = Vec::new();
        for turn in 0..2000 {
            let was_waiting = recent.wait > 0;
            taken(&mut recent, &data, 100 + 20 * turn);
            tried.push(!was_waiting);
        }
        let runs: Vec<(bool, usize)> = tried.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect();
        assert_eq!(runs[..5], [(true, 64), (false, 256), (true, 64), (false, 512), (true, 64)]);
    }
}
