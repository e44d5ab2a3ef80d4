//! The distance rings: hash chains that are built ahead of the parser, and the tail-chain search over them.
//!
//! **The fill pass.** Usual hash-chain finders insert each position when the parser comes by, with the hash, the table and
//! the chain each a dependent miss of their own. Here a tight loop runs about a kibibyte ahead and does nothing but that:
//! hash, load the newest earlier position from the table, store the own one, and store the *distance* to the earlier one
//! in a ring. The parser then hashes nothing and touches no table. There are two such rings:
//!
//! - `chain[p]`: the distance from `p` back to the previous place with the same `K` bytes, `K` being 5 to 7. Following it
//!   from place to place is the hash chain. 64 Ki entries: what the window and the fill ahead of the parser need.
//! - `near[p]`: the same for four bytes. Only the first step is ever asked, so the ring covers only what is ahead.
//!
//! A distance over 32768 means that there is none. A distance may also lie (hashes collide, entries saturate), so every
//! candidate is compared before it is believed. For matches of three bytes there is a plain table of newest positions,
//! which the parser touches only where it searches: counted over all positions it would cost more than it brings.
//!
//! Table entries are 16 bits, relative to `base`, which moves up every 32 KiB with all entries rebased by a saturating
//! subtraction (one vector pass). Half the cache footprint of 32-bit entries is worth far more than the pass costs.
//!
//! **The tail chain.** To beat a match of length `L` at `p`, a candidate must also hold the `K` bytes that *end* at byte
//! `L`: it must be on the chain of `p + s`, `s = L + 1 - K`, shifted by `s`. Both chains are sorted by distance and both
//! hold every match that can win, so whichever has the farther next candidate skips more that cannot:
//!
//! ```text
//! d = chain[p]; s = 0                      (or from the tail at once, if L is given)
//! while d <= window:
//!     if p - d matches longer than L:
//!         L = its length; s' = L + 1 - K
//!         next = d + chain[p + s - d];  tail = chain[p + s']
//!         d, s = (tail, s') if tail >= next else (next, s)
//!     else d += chain[p + s - d]
//! ```
//!
//! What was given up: hashing with vectors, 32-bit entries, rows with tags and the four-byte table for searched positions
//! only were measured and lost (docs/ENCODER.md).

use super::{WORD, hash, match_length, same_word};
use crate::error::{Error, Result};
use crate::format::deflate::{MAX_MATCH, WINDOW_SIZE};
use crate::raw::load::u32_at;

/// Entries of the chain ring: any position a chain may reach back to, and those filled ahead, lie within one turn.
const RING: usize = 1 << 16;
/// Entries of the four-byte ring: those ahead of the parser.
const NEAR_RING: usize = 1 << 12;
/// "No earlier place", in both rings.
const NONE: u16 = u16::MAX;
/// The value of a table entry that says the same.
const EMPTY: i16 = i16::MIN;

/// The shortest and longest chain key.
pub(in crate::deflate) const MIN_KEY: usize = 5;
/// See [`MIN_KEY`].
pub(in crate::deflate) const MAX_KEY: usize = 7;

/// How far ahead of a searched position the rings must be filled: its own 258 bytes and those of a lazy search.
pub(in crate::deflate) const LOOKAHEAD: usize = MAX_MATCH + 2 + MAX_KEY + 1;

/// Table sizes for a call, as powers of two. Small inputs use the front of the tables, since clearing half a mebibyte
/// would cost more than encoding them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Size {
    Small,
    Medium,
    Large,
}

const SMALL_BITS: u32 = 12;
const MEDIUM_BITS: u32 = 15;
const CHAIN_BITS: u32 = 17;
const NEAR_BITS: u32 = 16;
const SHORT_BITS: u32 = 15;

impl Size {
    fn for_input(len: usize) -> Self {
        match len {
            0..=4096 => Self::Small,
            4097..=65536 => Self::Medium,
            _ => Self::Large,
        }
    }

    fn chain_bits(self) -> u32 {
        match self {
            Self::Small => SMALL_BITS,
            Self::Medium => MEDIUM_BITS,
            Self::Large => CHAIN_BITS,
        }
    }

    fn near_bits(self) -> u32 {
        self.chain_bits().min(NEAR_BITS)
    }

    fn short_bits(self) -> u32 {
        self.chain_bits().min(SHORT_BITS)
    }
}

/// The rings and the tables behind them.
pub(in crate::deflate) struct DistanceRings {
    chain: Box<[u16; RING]>,
    near: Box<[u16; NEAR_RING]>,
    /// Newest position of each `key`-byte hash, relative to `base`.
    chain_heads: Vec<i16>,
    /// Newest position of each four-byte hash, relative to `base`; empty when the level does without.
    near_heads: Vec<i16>,
    /// Newest searched position of each three-byte hash, plus [`SHORT_BIAS`].
    short_heads: Vec<u32>,
    size: Size,
    /// `K`.
    key: usize,
    base: usize,
    filled: usize,
}

/// Makes the zero of a fresh entry read as a distance beyond the window from any position.
const SHORT_BIAS: usize = WINDOW_SIZE + 1;

impl DistanceRings {
    pub(in crate::deflate) fn new() -> Result<Self> {
        Ok(Self {
            chain: boxed_array()?,
            near: boxed_array()?,
            chain_heads: Vec::new(),
            near_heads: Vec::new(),
            short_heads: Vec::new(),
            size: Size::Small,
            key: MIN_KEY,
            base: 0,
            filled: 0,
        })
    }

    /// Forgets everything, ready for an input of `len` bytes and keys of `key` bytes.
    pub(in crate::deflate) fn reset(&mut self, len: usize, key: usize) -> Result<()> {
        self.size = Size::for_input(len);
        cleared(&mut self.chain_heads, 1 << self.size.chain_bits(), EMPTY)?;
        cleared(&mut self.near_heads, 1 << self.size.near_bits(), EMPTY)?;
        cleared(&mut self.short_heads, 1 << self.size.short_bits(), 0)?;
        self.key = key;
        self.base = 0;
        self.filled = 0;
        Ok(())
    }

    /// Changes the key at `position`: the chains of the window before it are built again.
    pub(in crate::deflate) fn change_key(&mut self, data: &[u8], position: usize, key: usize) {
        debug_assert!((MIN_KEY..=MAX_KEY).contains(&key));
        let filled = self.filled;
        self.chain_heads.fill(EMPTY);
        self.near_heads.fill(EMPTY);
        self.key = key;
        self.base = position.saturating_sub(WINDOW_SIZE);
        self.filled = self.base;
        self.fill(data, filled);
    }

    pub(in crate::deflate) fn key(&self) -> usize {
        self.key
    }

    /// Fills the rings up to `to`, which is at most `data.len()`.
    pub(in crate::deflate) fn fill(&mut self, data: &[u8], to: usize) {
        while self.filled < to {
            if self.filled == self.base + WINDOW_SIZE {
                rebase(&mut self.chain_heads);
                rebase(&mut self.near_heads);
                self.base += WINDOW_SIZE;
            }
            // Up to the next turn of the base or of a ring, whichever comes first.
            let turn = (self.filled / NEAR_RING + 1) * NEAR_RING;
            let end = to.min(turn).min(self.base + WINDOW_SIZE);
            // The fill of a position reads eight bytes; the last seven positions read them from a padded copy.
            let whole = end.min(data.len().saturating_sub(7)).max(self.filled);
            self.fill_from(&data[self.filled..(whole + 7).min(data.len())], whole - self.filled);
            if whole < end {
                let mut padded = [0u8; 14];
                padded[..data.len() - whole].copy_from_slice(&data[whole..]);
                self.fill_from(&padded[..end - whole + 7], end - whole);
            }
        }
    }

    /// Fills `count` positions, whose bytes and seven more are `bytes`, without crossing a turn of a ring.
    fn fill_from(&mut self, bytes: &[u8], count: usize) {
        const SMALL: usize = 1 << SMALL_BITS;
        const MEDIUM: usize = 1 << MEDIUM_BITS;
        const CHAIN: usize = 1 << CHAIN_BITS;
        const NEAR: usize = 1 << NEAR_BITS;
        if count == 0 {
            return;
        }
        let relative = (self.filled - self.base) as i16;
        let (at, near_at) = (self.filled % RING, self.filled % NEAR_RING);
        let chain = &mut self.chain[at..at + count];
        let near = &mut self.near[near_at..near_at + count];
        let (chain_heads, near_heads) = (&mut self.chain_heads[..], &mut self.near_heads[..]);
        match (self.size, self.key) {
            (Size::Small, 5) => run::<5, SMALL, SMALL>(bytes, relative, chain, near, chain_heads, near_heads),
            (Size::Small, 6) => run::<6, SMALL, SMALL>(bytes, relative, chain, near, chain_heads, near_heads),
            (Size::Small, _) => run::<7, SMALL, SMALL>(bytes, relative, chain, near, chain_heads, near_heads),
            (Size::Medium, 5) => {
                run::<5, MEDIUM, MEDIUM>(bytes, relative, chain, near, chain_heads, near_heads)
            }
            (Size::Medium, 6) => {
                run::<6, MEDIUM, MEDIUM>(bytes, relative, chain, near, chain_heads, near_heads)
            }
            (Size::Medium, _) => {
                run::<7, MEDIUM, MEDIUM>(bytes, relative, chain, near, chain_heads, near_heads)
            }
            (Size::Large, 5) => run::<5, CHAIN, NEAR>(bytes, relative, chain, near, chain_heads, near_heads),
            (Size::Large, 6) => run::<6, CHAIN, NEAR>(bytes, relative, chain, near, chain_heads, near_heads),
            (Size::Large, _) => run::<7, CHAIN, NEAR>(bytes, relative, chain, near, chain_heads, near_heads),
        }
        self.filled += count;
    }

    /// The finder as a search sees it.
    pub(in crate::deflate) fn view<'a>(&'a mut self, data: &'a [u8]) -> View<'a> {
        let short_bits = self.size.short_bits();
        View {
            data,
            chain: &self.chain,
            near: &self.near,
            short: ShortTable { heads: &mut self.short_heads, bits: short_bits },
            key: self.key,
        }
    }
}

/// The fill loop. The table sizes are constants so that a hash is known to be a valid index.
#[inline(never)]
fn run<const KEY: usize, const CHAIN: usize, const NEAR: usize>(
    bytes: &[u8],
    relative: i16,
    chain: &mut [u16],
    near: &mut [u16],
    chain_heads: &mut [i16],
    near_heads: &mut [i16],
) {
    let chain_heads: &mut [i16; CHAIN] =
        chain_heads.try_into().expect("sized by `reset` for this size class");
    let near_heads: &mut [i16; NEAR] = near_heads.try_into().expect("sized by `reset` for this size class");
    let mut position = relative;
    let places = bytes.windows(8).zip(chain.iter_mut().zip(near.iter_mut()));
    for (window, (chain_distance, near_distance)) in places {
        let word = u64::from_le_bytes(window.try_into().expect("windows of eight"));
        let head = &mut chain_heads[hash(word, KEY, CHAIN.trailing_zeros())];
        *chain_distance = position.wrapping_sub(*head) as u16;
        *head = position;
        let head = &mut near_heads[hash(word, WORD, NEAR.trailing_zeros())];
        *near_distance = position.wrapping_sub(*head) as u16;
        *head = position;
        position = position.wrapping_add(1);
    }
}

/// Moves the base of all entries up by one window; entries that fall out stay at [`EMPTY`].
fn rebase(heads: &mut [i16]) {
    for head in heads {
        *head = head.saturating_add(i16::MIN);
    }
}

/// Gives `table` exactly `len` entries of `value`; memory only the first time.
fn cleared<T: Copy>(table: &mut Vec<T>, len: usize, value: T) -> Result<()> {
    table.clear();
    table.try_reserve_exact(len).map_err(|_| Error::Memory)?;
    table.resize(len, value);
    Ok(())
}

/// An array on the heap, from memory that may be refused.
fn boxed_array<const N: usize>() -> Result<Box<[u16; N]>> {
    let mut entries = Vec::new();
    cleared(&mut entries, N, NONE)?;
    Ok(entries.into_boxed_slice().try_into().expect("N entries"))
}

/// Newest searched position of each three-byte string.
pub(in crate::deflate) struct ShortTable<'a> {
    heads: &'a mut [u32],
    bits: u32,
}

impl ShortTable<'_> {
    /// Records that the four bytes `word` are at `position` and tells the distance to the last place of the first three.
    #[inline(always)]
    pub(in crate::deflate) fn swap(&mut self, word: u32, position: usize) -> usize {
        let head = &mut self.heads[hash(u64::from(word), 3, self.bits)];
        let now = (position + SHORT_BIAS) as u32;
        let distance = now.wrapping_sub(*head);
        *head = now;
        distance as usize
    }
}

/// What [`View::enter_short`] saw.
#[derive(Clone, Copy)]
pub(in crate::deflate) struct Short {
    word: u32,
    offset: usize,
}

/// A match at some position: `length` 0 if there is none.
#[derive(Clone, Copy)]
pub(in crate::deflate) struct Match {
    pub(in crate::deflate) length: usize,
    pub(in crate::deflate) offset: usize,
}

impl Match {
    pub(in crate::deflate) const NONE: Self = Self { length: 0, offset: 0 };
}

/// What a search reads. The rings are filled [`LOOKAHEAD`] bytes ahead of any position searched, or to the end of `data`.
pub(in crate::deflate) struct View<'a> {
    pub(in crate::deflate) data: &'a [u8],
    chain: &'a [u16; RING],
    near: &'a [u16; NEAR_RING],
    pub(in crate::deflate) short: ShortTable<'a>,
    key: usize,
}

/// Limits of one search.
#[derive(Clone, Copy)]
pub(in crate::deflate) struct Effort {
    /// Candidates compared at most; at least 1.
    pub(in crate::deflate) depth: u32,
    /// A match this long ends the search.
    pub(in crate::deflate) nice: usize,
}

impl View<'_> {
    #[inline(always)]
    fn chain_at(&self, position: usize) -> usize {
        self.chain[position % RING] as usize
    }

    /// The newest place of the four bytes at `position`, as a distance, if they really are there.
    #[inline(always)]
    pub(in crate::deflate) fn near_match(&self, position: usize, limit: usize) -> Option<Match> {
        let window = position.min(WINDOW_SIZE);
        let offset = self.near[position % NEAR_RING] as usize;
        // SAFETY: `offset <= window <= position`, and `limit`, which is at least 4, bytes are left at `position`.
        if offset <= window && unsafe { same_word(self.data, position - offset, position) } {
            // SAFETY: an equal place lies before `position` (the ring holds no 0), with `limit` bytes left there.
            let length = unsafe { match_length(self.data, position - offset, position, WORD, limit) };
            return Some(Match { length, offset });
        }
        None
    }

    /// The longest match of four bytes or more at `position`, where `limit` bytes, 4 at least, may be covered. `steps` counts
    /// the candidates. `near` is [`near_match`](Self::near_match) of the same position.
    #[inline(always)]
    pub(in crate::deflate) fn longest(
        &self,
        position: usize,
        limit: usize,
        near: Option<Match>,
        effort: Effort,
        steps: &mut u32,
    ) -> Match {
        debug_assert!(limit >= WORD && position + limit <= self.data.len());
        let window = position.min(WINDOW_SIZE);
        let best = near.unwrap_or(Match::NONE);
        let distance = self.chain_at(position);
        if best.length < effort.nice.min(limit) && distance <= window {
            let (distance, shift) = self.start_of_walk(position, best, distance);
            return self.walk(position, limit, best, distance, shift, window, effort, steps);
        }
        best
    }

    /// Enters the three bytes at `position`, where four bytes are left, and tells where they were before.
    #[inline(always)]
    pub(in crate::deflate) fn enter_short(&mut self, position: usize) -> Short {
        debug_assert!(position + WORD <= self.data.len());
        // SAFETY: four bytes are left at `position`.
        let word = unsafe { u32_at(self.data, position) };
        Short { word, offset: self.short.swap(word, position) }
    }

    /// The three-byte match that [`enter_short`](Self::enter_short) of the same position saw, if it is one.
    #[inline(always)]
    pub(in crate::deflate) fn short_match(&self, position: usize, short: Short) -> Match {
        if short.offset <= position.min(WINDOW_SIZE) {
            // SAFETY: `offset <= position`, and four bytes are left at `position`.
            let old = unsafe { u32_at(self.data, position - short.offset) };
            if (old ^ short.word) << 8 == 0 {
                return Match { length: 3, offset: short.offset };
            }
        }
        Match::NONE
    }

    /// Whether no match of `length` bytes or more can begin one or two bytes after `position`: such a match would hold the
    /// key-long string that ends at byte `length` after `position`, which has not occurred. Exact, and most lazy searches
    /// end here.
    #[inline(always)]
    pub(in crate::deflate) fn nothing_longer_follows(&self, position: usize, length: usize) -> bool {
        length > self.key && self.chain_at(position + 1 + length - self.key) > WINDOW_SIZE
    }

    /// A match at `position` of `wanted` bytes or more, 3 at least, of which `limit` may be covered. `None` if not found.
    #[inline(always)]
    pub(in crate::deflate) fn at_least(
        &mut self,
        wanted: usize,
        position: usize,
        limit: usize,
        effort: Effort,
    ) -> Option<Match> {
        if limit < wanted.max(WORD) {
            return None;
        }
        let window = position.min(WINDOW_SIZE);
        let mut best = Match { length: wanted - 1, offset: 0 };
        if wanted <= WORD
            && let Some(found) = self.near_match(position, limit)
        {
            best = found;
        }
        if best.length < effort.nice.min(limit) {
            let (distance, shift) = self.start_of_walk(position, best, self.chain_at(position));
            if distance <= window {
                best = self.walk(position, limit, best, distance, shift, window, effort, &mut 0);
            }
        }
        if best.offset == 0 { None } else { Some(best) }
    }

    /// Where to begin looking for something longer than `best`: on the chain of `position`, at `distance`, or on the tail's.
    #[inline(always)]
    fn start_of_walk(&self, position: usize, best: Match, distance: usize) -> (usize, usize) {
        if best.length >= self.key {
            let shift = best.length + 1 - self.key;
            let tail = self.chain_at(position + shift);
            if tail >= distance {
                return (tail, shift);
            }
        }
        (distance, 0)
    }

    /// Walks the chain of `position + shift` from `distance` for something longer than `best`.
    #[expect(clippy::too_many_arguments, reason = "inlined into two callers, each with parts of it constant")]
    #[inline(always)]
    fn walk(
        &self,
        position: usize,
        limit: usize,
        mut best: Match,
        mut distance: usize,
        mut shift: usize,
        window: usize,
        effort: Effort,
        steps: &mut u32,
    ) -> Match {
        let (data, key) = (self.data, self.key);
        // What is on the chain has `key` bytes, so shorter ones (hash collisions) need not be looked at.
        let mut length = best.length.max(key - 1);
        if length >= limit {
            return best;
        }
        let nice = effort.nice.min(limit);
        let mut left = effort.depth;
        while distance <= window {
            let candidate = position - distance;
            // SAFETY: `3 < length < limit`, so four bytes end at `length + 1` in both places; the candidate's lie before.
            if unsafe { same_word(data, candidate + length - 3, position + length - 3) }
                // SAFETY: `limit >= 4` bytes are left at `position`, and `candidate` lies before it.
                && unsafe { same_word(data, candidate, position) }
            {
                // SAFETY: `limit` bytes are left at `position`, and `candidate < position` since no entry is 0.
                let found = unsafe { match_length(data, candidate, position, WORD, limit) };
                if found > length {
                    length = found;
                    best = Match { length, offset: distance };
                    left -= 1;
                    if length >= nice || left == 0 {
                        break;
                    }
                    let next = distance + self.chain_at(position + shift - distance);
                    let tail = self.chain_at(position + length + 1 - key);
                    distance = if tail >= next {
                        shift = length + 1 - key;
                        tail
                    } else {
                        next
                    };
                    continue;
                }
            }
            left -= 1;
            if left == 0 {
                break;
            }
            distance += self.chain_at(position + shift - distance);
        }
        *steps += effort.depth - left;
        best
    }
}
