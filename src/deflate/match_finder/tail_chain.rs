//! The tail-chain search: finds the longest match, following whichever of two chains skips more.
//!
//! To beat a match of length `L` at `p`, a candidate must also contain the `K` bytes that *end* at byte `L`: it must be on
//! the chain of `p + s`, `s = L + 1 - K`, shifted by `s`. That chain and the chain of `p` are both sorted by distance, and
//! both contain every match that can win. So the one whose next candidate is farther skips more candidates that cannot win:
//!
//! ```text
//! d = chain[p]; s = 0                      (or from the tail at once, if L is given)
//! while d <= window:
//!     next = d + chain[p + s - d]
//!     if p - d matches longer than L:                 (first compares four bytes that the chain does not guarantee)
//!         L = its length; s' = L + 1 - K;  tail = chain[p + s']
//!         d, s = (tail, s') if tail >= next else (next, s)
//!     else d = next
//! ```
//!
//! With `K` 5 and a match of 8 bytes at `p`, `s` is 4: the chain of `p + 4` leads through the bytes
//! 4 to 8. A candidate there has the byte that the current match lacks:
//!
//! ```text
//! byte        0 1 2 3 4 5 6 7 8
//! p           a b c d e f g h i
//! chain of p  a b c d e . . . .     many places begin like this, most are no longer than the match
//! chain of p + 4      e f g h i     all may be longer, if they also begin with a b c d
//! ```
//!
//! Where data repeats every few bytes, as in a run of zeros, a chain goes through it in steps of
//! the period, and all these positions have the same bytes up to the end of the run. The best is
//! the one whose run ends when the run at `p` does: the search jumps there directly (`past_run`).
//! Without that, a search in such data could use all its depth on one run.
//!
//! At equal depth this finds as much as a plain chain does with two to three times as many steps. A third chain, of the
//! middle of the match, was tried in addition and gained nothing.

use super::{Match, NEAR_RING, RING, WORD, hash, match_length, same_word};
use crate::format::deflate::{MAX_MATCH, WINDOW_SIZE};
use crate::raw::load::u32_at;
use core::cell::Cell;

/// The most recent position of each three-byte string, modulo 64 Ki, of those that the parser
/// visited. An older entry reads as a more recent position, and is compared like any other.
pub(in crate::deflate) struct ShortTable<'a> {
    heads: &'a mut [u16],
    bits: u32,
}

/// Added to a position in a [`ShortTable`], so that up to position 32767 the zero of a cleared
/// entry reads as a distance beyond the window. Later it reads as position 32767, or one 64 Ki
/// further on, which is compared.
const SHORT_BIAS: usize = WINDOW_SIZE + 1;

impl<'a> ShortTable<'a> {
    /// A table over `2^bits` entries, which must be 0 before the first use.
    pub(super) fn new(heads: &'a mut [u16], bits: u32) -> Self {
        Self { heads, bits }
    }

    /// Enters `position`, whose four bytes are `word`, and returns the distance to the previous position of the first three.
    #[inline(always)]
    fn swap(&mut self, word: u32, position: usize) -> usize {
        let head = &mut self.heads[hash(u64::from(word), 3, self.bits)];
        let now = (position + SHORT_BIAS) as u16;
        // An entry exactly 64 Ki back is beyond the window, not at distance 0.
        let distance = now.wrapping_sub(*head).wrapping_sub(1) as usize + 1;
        *head = now;
        distance
    }
}

/// Chain steps up to this length are treated as the period of a run.
const MAX_PERIOD: usize = 3;
/// Maximum positions of a run that are skipped at once. Each of them is looked up, so this bounds
/// the time of one step; a longer run takes several.
const RUN_STEPS: usize = 64;

/// The result of [`SearchPosition::enter_short`]: the bytes at the position, and the distance to
/// the table's entry for the first three, which may be any number. The bytes there are compared by
/// [`short_match`](SearchPosition::short_match).
#[derive(Clone, Copy)]
pub(in crate::deflate) struct Short {
    word: u32,
    offset: usize,
}

/// Limits of one search.
#[derive(Clone, Copy)]
pub(in crate::deflate) struct Effort {
    /// Maximum candidates compared; at least 1.
    pub(in crate::deflate) depth: u32,
    /// A match this long ends the search.
    pub(in crate::deflate) nice: usize,
}

/// The search over filled rings.
pub(in crate::deflate) struct TailChain<'a> {
    data: &'a [u8],
    chain: &'a [u16; RING],
    near: &'a [u16; NEAR_RING],
    /// The distances to the most recent position of the same five bytes, with
    /// [`Keys::SixAndFive`](super::distance_rings::Keys).
    five: Option<&'a [u16; NEAR_RING]>,
    short: ShortTable<'a>,
    /// `K`.
    key: usize,
    /// Candidates compared.
    compared: Cell<u32>,
}

impl<'a> TailChain<'a> {
    pub(super) fn new(
        data: &'a [u8],
        chain: &'a [u16; RING],
        near: &'a [u16; NEAR_RING],
        five: Option<&'a [u16; NEAR_RING]>,
        short: ShortTable<'a>,
        key: usize,
    ) -> Self {
        Self { data, chain, near, five, short, key, compared: Cell::new(0) }
    }

    /// The input.
    #[inline(always)]
    pub(in crate::deflate) fn data(&self) -> &'a [u8] {
        self.data
    }

    /// The search at `position`, if [`WORD`] bytes are left there. The bounds of a match are
    /// computed here, once, and all unchecked loads of the search rely on them.
    #[inline(always)]
    pub(in crate::deflate) fn at(&mut self, position: usize) -> Option<SearchPosition<'_, 'a>> {
        let left = self.data.len().checked_sub(position)?;
        if left < WORD {
            return None;
        }
        let (limit, window) = (left.min(MAX_MATCH), position.min(WINDOW_SIZE));
        Some(SearchPosition { finder: self, position, limit, window })
    }

    /// `K`.
    pub(super) fn key(&self) -> usize {
        self.key
    }

    /// The candidates that the searches have compared so far.
    pub(in crate::deflate) fn compared(&self) -> u32 {
        self.compared.get()
    }

    /// The distance from `position` to the next one on its chain, over the window if there is none.
    #[inline(always)]
    pub(super) fn chain_at(&self, position: usize) -> usize {
        self.chain[position % RING] as usize
    }

    /// Enters the three-byte strings at both ends of a match from `position` to `end`: the second one and the last two. The
    /// others are almost never worth the time.
    #[inline(always)]
    pub(in crate::deflate) fn enter_ends(&mut self, position: usize, end: usize) {
        if end + WORD <= self.data.len() {
            for place in [position + 1, end - 2, end - 1] {
                let word = self.data[place..place + WORD].try_into().expect("a slice of four");
                self.short.swap(u32::from_le_bytes(word), place);
            }
        }
    }

    /// Whether no match of `length` bytes or more can begin one or two bytes after `position`: such a match would contain the
    /// key-long string that ends at byte `length` after `position`, which has not occurred before. Exact, and ends most lazy
    /// searches.
    #[inline(always)]
    pub(in crate::deflate) fn nothing_longer_follows(&self, position: usize, length: usize) -> bool {
        if length <= self.key {
            return false;
        }
        let last = position + 1 + length - self.key;
        self.chain_at(last) > last.min(WINDOW_SIZE)
    }
}

/// A position of a finder's data that may be searched, and the bounds of a match there. It borrows the finder, so the
/// unchecked loads of a search can rely on these bounds. Only [`TailChain::at`] constructs one.
pub(in crate::deflate) struct SearchPosition<'f, 'a> {
    pub(super) finder: &'f mut TailChain<'a>,
    pub(super) position: usize,
    /// The maximum length of a match: [`WORD`] to 258, and at least as many bytes are left in the data.
    pub(super) limit: usize,
    /// The maximum offset of a match: at most `position`.
    pub(super) window: usize,
}

impl SearchPosition<'_, '_> {
    /// The match at `offset`, if the first four bytes are equal there.
    #[inline(always)]
    pub(in crate::deflate) fn match_at(&self, offset: usize) -> Option<Match> {
        let Self { position, limit, window, .. } = *self;
        // SAFETY: `offset <= window <= position`, and a `SearchPosition` has four bytes after it at least.
        if offset <= window && unsafe { same_word(self.finder.data, position - offset, position) } {
            // SAFETY: a `SearchPosition` has `limit >= 4` bytes after it, and `position - offset` lies before.
            let length = unsafe { match_length(self.finder.data, position - offset, position, WORD, limit) };
            return Some(Match { length, offset });
        }
        None
    }

    /// The match at the most recent position of the four bytes here, if they really are there.
    #[inline(always)]
    pub(in crate::deflate) fn near_match(&self) -> Option<Match> {
        self.match_at(self.finder.near[self.position % NEAR_RING] as usize)
    }

    /// The match at the most recent position of the five bytes here, if it has more than four bytes and `near`, that of four
    /// bytes, does not; otherwise `near`.
    #[inline(always)]
    fn five_match(&self, near: Option<Match>) -> Option<Match> {
        let Some(five) = self.finder.five else { return near };
        let offset = five[self.position % NEAR_RING] as usize;
        if near.is_none_or(|near| near.length == WORD && near.offset != offset)
            && let Some(found) = self.match_at(offset)
            && found.length > WORD
        {
            return Some(found);
        }
        near
    }

    /// The longest match of four bytes or more here. `near` is [`near_match`](Self::near_match) of
    /// the same position.
    ///
    /// The walk begins with the length of the most recent match, which need only be exceeded. So it
    /// may begin on that match's tail, and of equally long matches the nearest is returned.
    #[inline(always)]
    pub(in crate::deflate) fn longest(&self, near: Option<Match>, effort: Effort) -> Match {
        let best = self.five_match(near).unwrap_or(Match::NONE);
        // For most positions without a match this load alone is enough.
        if best.length < effort.nice.min(self.limit) && self.finder.chain_at(self.position) <= self.window {
            let found = self.walk(best.length, effort);
            if found.length > 0 {
                return found;
            }
        }
        best
    }

    /// The longest match here if it has at least `wanted` bytes, which is at least 3. For lazy
    /// searches, which need nothing shorter: the walk begins on the chain of the tail of such a
    /// match.
    #[inline(always)]
    pub(in crate::deflate) fn at_least(&self, wanted: usize, effort: Effort) -> Option<Match> {
        if self.limit < wanted {
            return None;
        }
        // A match to exceed, of no offset: if it is left at the end, nothing was found.
        let mut best = Match { length: wanted - 1, offset: 0 };
        // The most recent positions of four and five bytes serve only the shortest lengths: the
        // chain has all matches of `K` bytes.
        if wanted <= WORD + 1 {
            let near = if wanted <= WORD { self.near_match() } else { None };
            if let Some(found) = self.five_match(near) {
                best = found;
            }
        }
        if best.length < effort.nice.min(self.limit) {
            let found = self.walk(best.length, effort);
            if found.length > 0 {
                return Some(found);
            }
        }
        if best.offset == 0 { None } else { Some(best) }
    }

    /// Enters the three bytes here and returns their previous position.
    #[inline(always)]
    pub(in crate::deflate) fn enter_short(&mut self) -> Short {
        // SAFETY: a `SearchPosition` has four bytes after it at least.
        let word = unsafe { u32_at(self.finder.data, self.position) };
        Short { word, offset: self.finder.short.swap(word, self.position) }
    }

    /// The three-byte match that [`enter_short`](Self::enter_short) of the same position found, if the bytes are equal.
    #[inline(always)]
    pub(in crate::deflate) fn short_match(&self, short: Short) -> Match {
        if short.offset <= self.window {
            // SAFETY: `offset <= window <= position`, and a `SearchPosition` has four bytes after it at least.
            let old = unsafe { u32_at(self.finder.data, self.position - short.offset) };
            // The shift removes the fourth byte.
            if (old ^ short.word) << 8 == 0 {
                return Match { length: 3, offset: short.offset };
            }
        }
        Match::NONE
    }

    /// Searches for a match longer than `length`, as described at the head of this file. A match found has at least `K`
    /// bytes.
    ///
    /// One comparison rejects most candidates: on the front's chain that of the end, on the tail's chain that of the front.
    /// The bytes of a chain's own key are already equal, except for collisions.
    #[inline(always)]
    fn walk(&self, length: usize, effort: Effort) -> Match {
        let Self { position, limit, window, .. } = *self;
        let (data, key) = (self.finder.data, self.finder.key);
        // Candidates on the chain have `key` equal bytes; shorter matches are hash collisions and are not considered.
        let mut length = length.max(key - 1);
        let mut best = Match::NONE;
        if length >= limit {
            return best;
        }
        let nice = effort.nice.min(limit);
        let mut distance = self.finder.chain_at(position);
        // The position whose chain is followed, and the start of the four bytes that are compared first.
        let mut link = position;
        let mut check = position + length - 3;
        if length >= key {
            let tail = self.finder.chain_at(position + length + 1 - key);
            if tail >= distance {
                distance = tail;
                link = position + length + 1 - key;
                check = position;
            }
        }
        // SAFETY: `check + 4 <= position + length + 1 <= position + limit`, and a `SearchPosition` has `limit` bytes after it.
        let mut word = unsafe { u32_at(data, check) };
        // Counted in two parts, the depth here and the negative rest at the end: the depth would
        // need a register throughout the loop.
        self.count_compared(effort.depth);
        let mut left = effort.depth;
        while distance <= window {
            // SAFETY: `distance <= window <= position <= check`, and four bytes were loaded at `check`.
            if unsafe { u32_at(data, check - distance) } == word {
                // SAFETY: a `SearchPosition` has `limit` bytes after it, and `distance <= window <= position`.
                let found = unsafe { match_length(data, position - distance, position, 0, limit) };
                if found > length {
                    length = found;
                    best = Match { length, offset: distance };
                    left -= 1;
                    if length >= nice || left == 0 {
                        break;
                    }
                    // Go on with the chain whose next candidate is farther: this one's, or that of
                    // the longer match's tail.
                    let next = distance + self.step(position, link, distance);
                    let tail = self.finder.chain_at(position + length + 1 - key);
                    distance = next;
                    if tail >= next {
                        distance = tail;
                        link = position + length + 1 - key;
                    }
                    // On the tail's chain a candidate has the end of the match, so the front is
                    // compared first; on the front's chain it has the front, so the end is.
                    check = if link == position { position + length - 3 } else { position };
                    // SAFETY: as above: `check + 4 <= position + length + 1`, and `length < nice <= limit`.
                    word = unsafe { u32_at(data, check) };
                    continue;
                }
            }
            left -= 1;
            if left == 0 {
                break;
            }
            distance += self.step(position, link, distance);
        }
        self.count_compared(left.wrapping_neg());
        best
    }

    /// Adds to [`TailChain::compared`]; wraps around, as one of its two calls in a search needs.
    #[inline(always)]
    fn count_compared(&self, count: u32) {
        self.finder.compared.set(self.finder.compared.get().wrapping_add(count));
    }

    /// The step from the position `distance` before `link` to the next on the chain of `link`, in a
    /// search at `position`. Runs are passed over on the front's chain only.
    #[inline(always)]
    fn step(&self, position: usize, link: usize, distance: usize) -> usize {
        let step = self.finder.chain_at(link - distance);
        if step > MAX_PERIOD || link != position { step } else { self.past_run(position, distance, step) }
    }

    /// As [`step`](Self::step), where data repeats every `step` bytes: steps to the farthest
    /// position of this run that has at most as many bytes of the run left as `position` has, or
    /// from there on to the start of the run.
    ///
    /// A candidate with fewer bytes of the run left than `position` matches only up to its run's
    /// end, so the next candidate, one period earlier, is always better. One with more bytes left
    /// matches only up to the run's end at `position`; all of them match equally far, and the
    /// nearest was already compared. One with as many may match beyond the run.
    ///
    /// Rare in most data, so it is not inlined in the walk.
    #[cold]
    #[inline(never)]
    fn past_run(&self, position: usize, distance: usize, step: usize) -> usize {
        // The bytes from `at` on that are equal to those one period later: how far the run goes on
        // after `at`.
        let run_length = |at: usize| {
            let limit = self.finder.data.len().saturating_sub(at + step).min(MAX_MATCH);
            // SAFETY: `at <= at + step`, and `limit` bytes are left there.
            unsafe { match_length(self.finder.data, at, at + step, 0, limit) }
        };
        let here = run_length(position);
        let mut there = run_length(position - distance);
        // Before the best candidate, go on while the next one is not past it. At or after it,
        // nothing in this run is better.
        let most = if there < here { here } else { usize::MAX };
        let mut jump = step;
        there += step;
        for _ in 0..RUN_STEPS {
            let place = position - distance;
            // Ends where the data begins, where the next position would have more bytes left than
            // `position`, and at the start of the run, where the chain's step is another.
            if place < jump || there + step > most || self.finder.chain_at(place - jump) != step {
                break;
            }
            jump += step;
            there += step;
        }
        jump
    }
}

#[cfg(test)]
mod tests {
    use super::super::distance_rings::{DistanceRings, Keys, LOOKAHEAD};
    use super::*;
    use crate::random::Random;
    use proptest::prelude::*;
    use proptest::sample::select;

    /// Data with runs of short periods.
    fn with_runs(seed: u64, len: usize) -> Vec<u8> {
        let mut random = Random::new(seed);
        let mut data = Vec::new();
        while data.len() < len {
            let period: Vec<u8> = (0..1 + random.below(5)).map(|_| random.below(3) as u8).collect();
            let most = random.pick(&[300, 30, 30, 30]);
            let bytes = random.below(most);
            data.extend(period.iter().cycle().take(bytes));
            data.push(random.below(4) as u8);
        }
        data.truncate(len);
        data
    }

    #[test]
    fn skipped_positions_of_a_run_have_no_longer_match() {
        for seed in 0..20 {
            let data = with_runs(seed, 3000);
            for keys in [Keys::Five, Keys::Six] {
                let mut rings = DistanceRings::new().unwrap();
                rings.reset(false, keys, 0).unwrap();
                rings.fill(&data, data.len());
                let mut search = rings.search(&data);
                for position in (1..2900).step_by(7) {
                    let expected = naive_length(&data, position, search.key());
                    let found = search.at(position).unwrap().longest(None, EXHAUSTIVE);
                    assert_eq!(found.length, expected, "{seed} at {position}");
                }
            }
        }
    }

    /// The longest match of `key` bytes or more at `position`, by comparing every earlier position.
    fn naive_length(data: &[u8], position: usize, key: usize) -> usize {
        let limit = (data.len() - position).min(MAX_MATCH);
        (1..=position.min(WINDOW_SIZE))
            .map(|offset| {
                (0..limit).take_while(|&i| data[position + i - offset] == data[position + i]).count()
            })
            .filter(|&length| length >= key)
            .max()
            .unwrap_or(0)
    }

    /// Data in which much recurs at all distances.
    fn repetitive(seed: u64, len: usize) -> Vec<u8> {
        let mut random = Random::new(seed);
        let mut data = random.bytes(300);
        while data.len() < len {
            let offset = 1 + random.below(data.len().min(40_000));
            let from = data.len() - offset;
            for i in 0..4 + random.below(60) {
                data.push(data[from + i]);
            }
            data.push(random.byte());
        }
        data.truncate(len);
        data
    }

    const KEYS: [Keys; 4] = [Keys::Five, Keys::Six, Keys::SixAndFive, Keys::SixAlone];

    const EXHAUSTIVE: Effort = Effort { depth: u32::MAX, nice: MAX_MATCH };

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn an_exhaustive_search_finds_the_longest_match(seed: u64, keys in select(KEYS.as_slice())) {
            let data = repetitive(seed, 70_000);
            let mut rings = DistanceRings::new().unwrap();
            rings.reset(true, keys, 0).unwrap();
            let probes = [1, 2, 300, 4095, 4096, 32_767, 32_768, 32_769, 40_000, 65_535, 65_536, 69_500, 69_960, 69_990];
            for position in probes {
                rings.fill(&data, data.len().min(position + LOOKAHEAD));
                let mut search = rings.search(&data);
                let key = search.key();
                let expected = naive_length(&data, position, key);
                let found = search.at(position).unwrap().longest(None, EXHAUSTIVE);
                if keys == Keys::SixAndFive && expected == 0 {
                    let five = naive_length(&data, position, 5);
                    prop_assert!(found.length == 0 || found.length == five, "at {}", position);
                    continue;
                }
                prop_assert_eq!(found.length, expected, "at {}", position);
                for wanted in [key + 1, expected, expected + 1, expected + 9] {
                    let wanted = wanted.max(key + 1);
                    let found = search.at(position).unwrap().at_least(wanted, EXHAUSTIVE).map_or(0, |found| found.length);
                    prop_assert_eq!(found, if expected >= wanted { expected } else { 0 }, "at {}", position);
                    if search.nothing_longer_follows(position - 1, wanted) {
                        prop_assert!(expected < wanted);
                    }
                }
            }
        }

        #[test]
        fn a_change_of_keys_leaves_the_chains_whole(seed: u64, from in select(KEYS.as_slice()), to in select(KEYS.as_slice())) {
            let data = repetitive(seed, 70_000);
            let mut rings = DistanceRings::new().unwrap();
            rings.reset(true, from, 0).unwrap();
            for position in [500, 50_000] {
                rings.fill(&data, position + LOOKAHEAD);
                rings.change_keys(&data, position, to);
                let mut search = rings.search(&data);
                let expected = naive_length(&data, position, search.key());
                if expected > 0 {
                    prop_assert_eq!(search.at(position).unwrap().longest(None, EXHAUSTIVE).length, expected);
                }
            }
        }
    }

    #[test]
    fn near_and_short_matches_are_at_the_most_recent_positions() {
        let data = b"abcdXabcYabcdZabcd....";
        let mut rings = DistanceRings::new().unwrap();
        rings.reset(false, Keys::Five, 0).unwrap();
        rings.fill(data, data.len());
        let mut search = rings.search(data);
        let mut short = |position| {
            let mut at = search.at(position).unwrap();
            let entered = at.enter_short();
            at.short_match(entered)
        };
        assert_eq!(short(0).length, 0);
        assert_eq!((short(5).length, short(9).offset), (3, 4));
        let near = search.at(14).unwrap().near_match().unwrap();
        assert_eq!((near.length, near.offset), (4, 5));
        assert!(search.at(5).unwrap().near_match().is_none());
    }
}
