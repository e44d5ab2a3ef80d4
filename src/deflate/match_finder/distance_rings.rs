//! The distance rings: hash chains that are built ahead of the parser.
//!
//! Usual hash-chain finders insert each position when the parser reaches it, and every step of that (hash, table, chain)
//! waits for the one before. Here a tight loop, the *fill pass*, runs about a kibibyte ahead of the parser and does nothing
//! else: it hashes, loads the most recent earlier position from the table, stores its own position there, and stores the
//! *distance* to the earlier one in a ring. The parser then computes no hashes and reads no tables. There are three such
//! rings:
//!
//! - `chain[p]`: the distance from `p` back to the previous position with the same `K` bytes, where `K` is 5 or 6. Following
//!   these distances gives the hash chain ([`tail_chain`](super::tail_chain)). It has 64 Ki entries: enough for the window
//!   and the positions filled ahead of the parser.
//! - `near[p]`: the same for four bytes, unless such matches are few ([`Keys`]). Only the first step is ever used, so the ring
//!   covers only the positions ahead.
//! - `five[p]`: likewise for five bytes, if the chain's key is 6 and such matches are worth the time ([`Keys`]).
//!
//! With `K` 6, for the text `abcdefg.abcdefg.`:
//!
//! ```text
//! position    0..8    8            9            10
//! six bytes           abcdef       bcdefg       cdefg.
//! before      none    at 0         at 1         at 2
//! chain       NONE    8            8            8
//! ```
//!
//! A distance over 32768 means that there is no such position. A distance may also be wrong (hashes
//! collide, entries saturate), so every candidate is compared before use. Errors only add
//! candidates: a position's chain contains every position in the window with the same `K` bytes.
//! Matches of three bytes use a plain table of most recent positions, which the parser updates only
//! where it searches: filling it for all positions would cost more than it gains.
//!
//! Table entries are 16 bits, relative to `base`. Every 32 KiB `base` moves up and all entries are
//! rebased by a saturating subtraction (one vector pass). Halving the cache footprint of 32-bit
//! entries saves far more than that pass costs. In the rings distances need no rebase, since they
//! do not depend on a base.
//!
//! ```text
//! relative position    0 ........ 32767        of the position that is filled: `filled - base`
//! table entry     -32768 .. -1 .. 32767        negative: before `base`
//! distance             0 ........ 65535        position - entry, as 16 bits; over 32768: none
//! ```
//!
//! Tried without success (figures in docs/ENCODER.md): hashing with vectors, 32-bit entries, positions modulo 64 Ki without a
//! rebase, rows with tags, and a four-byte table for searched positions only.

#![forbid(unsafe_code)]

use super::tail_chain::{ShortTable, TailChain};
use super::{NEAR_RING, RING, WORD, hash};
use crate::error::{Error, Result};
use crate::format::deflate::{MAX_MATCH, WINDOW_SIZE};

/// "No earlier position", in the rings: no search follows a distance over the window.
const NONE: u16 = u16::MAX;
/// "No earlier position", in a table entry: 32768 before `base`. A position is at `base` or later,
/// so its distance is 32768 or more. Only at `base` itself it is not over the window; then the
/// candidate is compared, and fails or is a real match.
const EMPTY: i16 = i16::MIN;

/// Longest chain key. 7 is faster on four-letter data, but output is 0.7 % larger there, and it is no better elsewhere.
const MAX_KEY: usize = 6;

/// Which strings the rings index; those of four bytes as well, except with `SixAlone`. `parse::tuning` chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::deflate) enum Keys {
    /// A chain of five bytes: finds most matches, but has long walks. For short inputs, whose
    /// chains are short, for binaries, and for levels 10 to 12.
    Five,
    /// A chain of six bytes. Chains are shorter, so the same depth reaches farther; matches of five
    /// bytes are missed unless they are the most recent with four.
    Six,
    /// A chain of six bytes, and the most recent position of each five. Only for inputs over [`MEDIUM_INPUT`].
    SixAndFive,
    /// A chain of six bytes, and nothing for strings of four bytes. Only for inputs over [`MEDIUM_INPUT`].
    SixAlone,
}

impl Keys {
    /// `K`.
    fn chain_key(self) -> usize {
        match self {
            Self::Five => 5,
            Self::Six | Self::SixAndFive | Self::SixAlone => MAX_KEY,
        }
    }
}

/// The positions that [`fill_thinly`](DistanceRings::fill_thinly) fills in each [`THIN_CYCLE`]. They are a perfect difference
/// set: modulo the cycle, every distance lies between two of them. So at whatever distance data repeats itself, one filled
/// position per cycle finds the repetition.
const THIN: [usize; 4] = [0, 1, 3, 9];
const THIN_CYCLE: usize = 13;

/// How far ahead of a searched position the rings must be filled: 258 bytes for its match and the bytes of a lazy search.
pub(in crate::deflate) const LOOKAHEAD: usize = MAX_MATCH + 2 + MAX_KEY + 1;

/// Table sizes, as powers of two. Inputs up to [`MEDIUM_INPUT`] use only the front of the tables: it fits a closer cache
/// level, and clearing half a mebibyte would cost more than encoding a short input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Medium,
    Large,
}

// Table sizes as powers of two, by key. For long inputs, smaller tables of the chain and of four
// bytes give more false candidates and are 3 to 13 % slower. The others were chosen by size: the
// short table with 2^14 entries makes binaries 0.04 to 0.08 % larger, the table of five bytes with
// 2^15 reads 0.12 %.
const MEDIUM_BITS: u32 = 15;
pub(in crate::deflate) const CHAIN_BITS: u32 = 17;
pub(in crate::deflate) const NEAR_BITS: u32 = 16;
const SHORT_BITS: u32 = 15;
const FIVE_BITS: u32 = 16;

/// The longest input that the tables of [`Size::Medium`] serve, and the bytes after which they
/// grow.
pub(in crate::deflate) const MEDIUM_INPUT: usize = 65536;

impl Size {
    fn chain_bits(self) -> u32 {
        match self {
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

/// The rings and the tables that fill them.
pub(in crate::deflate) struct DistanceRings {
    chain: Box<[u16; RING]>,
    near: Box<[u16; NEAR_RING]>,
    five: Box<[u16; NEAR_RING]>,
    /// The most recent position of each hash of the chain's key, relative to `base`.
    chain_heads: Vec<i16>,
    /// The most recent position of each four-byte hash, relative to `base`; lent to the quick and the flat parser.
    near_heads: Vec<i16>,
    /// The most recent position of each five-byte hash, relative to `base`; only for inputs over [`MEDIUM_INPUT`].
    five_heads: Vec<i16>,
    /// For [`ShortTable`].
    short_heads: Vec<u16>,
    size: Size,
    keys: Keys,
    /// The position that table entries are relative to. It moves before a position a window past it
    /// is filled, so a relative position is never negative as `i16`.
    base: usize,
    /// Positions of this input before this one are in the rings.
    filled: usize,
}

impl DistanceRings {
    pub(in crate::deflate) fn new() -> Result<Self> {
        Ok(Self {
            chain: boxed_array()?,
            near: boxed_array()?,
            five: boxed_array()?,
            chain_heads: Vec::new(),
            near_heads: Vec::new(),
            five_heads: Vec::new(),
            short_heads: Vec::new(),
            size: Size::Medium,
            keys: Keys::Five,
            base: 0,
            filled: 0,
        })
    }

    /// Clears everything; the next [`fill`](Self::fill) begins with the window before `position`. `is_long`: over
    /// [`MEDIUM_INPUT`] bytes are expected.
    pub(in crate::deflate) fn reset(&mut self, is_long: bool, keys: Keys, position: usize) -> Result<()> {
        self.filled = position.saturating_sub(WINDOW_SIZE);
        self.base = self.filled;
        self.keys = keys;
        self.size = if is_long { Size::Large } else { Size::Medium };
        // Allocate for the large size at once: growing later must not fail.
        cleared(&mut self.chain_heads, 1 << CHAIN_BITS, 1 << self.size.chain_bits(), EMPTY)?;
        cleared(&mut self.near_heads, 1 << NEAR_BITS, 1 << self.size.near_bits(), EMPTY)?;
        cleared(&mut self.five_heads, 1 << FIVE_BITS, if is_long { 1 << FIVE_BITS } else { 0 }, EMPTY)?;
        cleared(&mut self.short_heads, 1 << SHORT_BITS, 1 << self.size.short_bits(), 0)
    }

    /// Switches to the tables and `keys` of a long input at `position`. The hashes have more bits
    /// now, so old entries are in wrong places: [`change_keys`](Self::change_keys) clears the
    /// tables and fills the window again. For it the current keys must not be `SixAndFive`, from
    /// which a change needs no refill.
    pub(in crate::deflate) fn grow(&mut self, data: &[u8], position: usize, keys: Keys) {
        self.size = Size::Large;
        self.chain_heads.resize(1 << CHAIN_BITS, EMPTY);
        self.near_heads.resize(1 << NEAR_BITS, EMPTY);
        self.five_heads.resize(1 << FIVE_BITS, EMPTY);
        self.keys = Keys::Six;
        self.change_keys(data, position, keys);
    }

    /// Prepares the memory that is lent to the quick parser: zeroes `len` entries of the four-byte table, and, if `has_chain`,
    /// the chain's ring, which `HashTables::older` may read where nothing was entered. Since the memory is borrowed, an encoder
    /// that serves all levels needs no more.
    pub(super) fn clear_for_lending(&mut self, len: usize, has_chain: bool) -> Result<()> {
        if has_chain {
            self.chain.fill(0);
        }
        cleared(&mut self.near_heads, len, len, 0)
    }

    /// Lends those entries and the memory of two rings.
    pub(super) fn lend(&mut self) -> (&mut [i16], &mut [u16; RING], &mut [u16; NEAR_RING]) {
        (&mut self.near_heads, &mut self.chain, &mut self.near)
    }

    /// Zeroes the tables of the chain and of four bytes at their full sizes, for the flat parser: it uses their memory while
    /// the rings are not in use.
    pub(in crate::deflate) fn clear_heads(&mut self) -> Result<()> {
        cleared(&mut self.chain_heads, 1 << CHAIN_BITS, 1 << CHAIN_BITS, 0)?;
        cleared(&mut self.near_heads, 1 << NEAR_BITS, 1 << NEAR_BITS, 0)
    }

    /// Lends these tables.
    pub(in crate::deflate) fn heads(&mut self) -> (&mut [i16], &mut [i16]) {
        (&mut self.chain_heads, &mut self.near_heads)
    }

    /// Changes the keys at `position`, and refills the rings for the window before it.
    pub(in crate::deflate) fn change_keys(&mut self, data: &[u8], position: usize, keys: Keys) {
        // The table of five bytes exists for long inputs only. Without its key, or that of four
        // bytes, the other rings go on as they are: the chain of six is the same.
        debug_assert!(!matches!(keys, Keys::SixAndFive | Keys::SixAlone) || self.size == Size::Large);
        if self.keys == Keys::SixAndFive && matches!(keys, Keys::Six | Keys::SixAlone) {
            self.keys = keys;
            return;
        }
        self.keys = keys;
        for heads in [&mut self.chain_heads, &mut self.near_heads, &mut self.five_heads] {
            heads.fill(EMPTY);
        }
        // Fills the same positions again: the window before `position`, and those ahead of the
        // parser.
        let filled = self.filled;
        self.filled = position.saturating_sub(WINDOW_SIZE);
        self.base = self.filled;
        self.fill(data, filled);
    }

    pub(in crate::deflate) fn keys(&self) -> Keys {
        self.keys
    }

    /// Fills the rings up to `to`, which is at most `data.len()`.
    pub(in crate::deflate) fn fill(&mut self, data: &[u8], to: usize) {
        // Each turn fills a stretch in which no ring wraps and the base stays, so that the inner
        // loop goes through plain slices.
        while self.filled < to {
            let end = self.next_turn(to);
            // Filling a position reads eight bytes; the last seven positions read them from a padded copy.
            let whole = end.min(data.len().saturating_sub(7)).max(self.filled);
            self.fill_from(&data[self.filled..(whole + 7).min(data.len())], whole - self.filled);
            if whole < end {
                let mut padded = [0u8; 14];
                padded[..data.len() - whole].copy_from_slice(&data[whole..]);
                self.fill_from(&padded[..end - whole + 7], end - whole);
            }
        }
    }

    /// Fills the rings up to `to` with the positions in [`THIN`] only; the others get no earlier
    /// position. For noise: after 40 KiB of literals, four positions of 13 are enough to find a
    /// repeat within about a kibibyte.
    pub(in crate::deflate) fn fill_thinly(&mut self, data: &[u8], to: usize) {
        while self.filled < to {
            let (from, end) = (self.filled, self.next_turn(to));
            let (at, near_at, count) = (from % RING, from % NEAR_RING, end - from);
            self.chain[at..at + count].fill(NONE);
            self.near[near_at..near_at + count].fill(NONE);
            self.five[near_at..near_at + count].fill(NONE);
            // Cycles are counted from position 0, so the same positions are filled however the
            // calls divide the input.
            for cycle in (from - from % THIN_CYCLE..end).step_by(THIN_CYCLE) {
                for position in THIN.map(|step| cycle + step) {
                    if (from..end).contains(&position) {
                        self.fill_one(data, position);
                    }
                }
            }
            self.filled = end;
        }
    }

    /// Fills one position in the chain's ring and the four-byte ring, if enough bytes are left
    /// there. The ring of five bytes gets no entry here.
    fn fill_one(&mut self, data: &[u8], position: usize) {
        let Some(bytes) = data.get(position..).and_then(|rest| rest.first_chunk()) else { return };
        let word = u64::from_le_bytes(*bytes);
        let relative = (position - self.base) as i16;
        let head = &mut self.chain_heads[hash(word, self.keys.chain_key(), self.size.chain_bits())];
        self.chain[position % RING] = relative.wrapping_sub(*head) as u16;
        *head = relative;
        let head = &mut self.near_heads[hash(word, WORD, self.size.near_bits())];
        self.near[position % NEAR_RING] = relative.wrapping_sub(*head) as u16;
        *head = relative;
    }

    /// Moves the base if due, and returns how far to fill, at most `to`, before the base moves
    /// again or a ring wraps. The large ring's size is a multiple of the small one's, so the small
    /// one's border is enough. Tables that the keys do not use are not rebased: their entries are
    /// wrong until a change of the keys clears them.
    fn next_turn(&mut self, to: usize) -> usize {
        if self.filled == self.base + WINDOW_SIZE {
            rebase(&mut self.chain_heads);
            if self.keys != Keys::SixAlone {
                rebase(&mut self.near_heads);
            }
            if self.keys == Keys::SixAndFive {
                rebase(&mut self.five_heads);
            }
            self.base += WINDOW_SIZE;
        }
        let turn = (self.filled / NEAR_RING + 1) * NEAR_RING;
        to.min(turn).min(self.base + WINDOW_SIZE)
    }

    /// Fills `count` positions without wrapping a ring. `bytes` contains their bytes and seven more.
    fn fill_from(&mut self, bytes: &[u8], count: usize) {
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
        let five = &mut self.five[near_at..near_at + count];
        // One instance of the loop for each pair of sizes and keys, chosen once for a stretch. A
        // medium input has only the first two.
        let run = match (self.size, self.keys) {
            (Size::Medium, Keys::Five) => run::<5, MEDIUM, MEDIUM, true, false>,
            (Size::Medium, _) => run::<6, MEDIUM, MEDIUM, true, false>,
            (Size::Large, Keys::Five) => run::<5, CHAIN, NEAR, true, false>,
            (Size::Large, Keys::Six) => run::<6, CHAIN, NEAR, true, false>,
            (Size::Large, Keys::SixAndFive) => run::<6, CHAIN, NEAR, true, true>,
            (Size::Large, Keys::SixAlone) => run::<6, CHAIN, NEAR, false, false>,
        };
        let heads = (&mut *self.chain_heads, &mut *self.near_heads, &mut *self.five_heads);
        run(bytes, relative, (chain, near, five), heads);
        self.filled += count;
    }

    /// The search over the filled positions: correct for any position [`LOOKAHEAD`] bytes before the end of
    /// [`fill`](Self::fill), or for all positions if that was the end of `data`.
    pub(in crate::deflate) fn search<'a>(&'a mut self, data: &'a [u8]) -> TailChain<'a> {
        let short = ShortTable::new(&mut self.short_heads, self.size.short_bits());
        let five = if self.keys == Keys::SixAndFive { Some(&*self.five) } else { None };
        TailChain::new(data, &self.chain, &self.near, five, short, self.keys.chain_key())
    }
}

/// The fill loop, over the rings and tables of the chain, and, if `FOURS` and `FIVES`, of four and
/// of five bytes. The table sizes are constants so that the compiler knows that a hash is a valid
/// index.
///
/// A position costs a load of its bytes, and for each key a hash, a load, a subtraction and two
/// stores. No step waits for the result of the position before it, so a processor works on several
/// positions at once. Positions wrap around at the end of a window, where the caller moves the
/// base.
#[inline(never)]
fn run<const KEY: usize, const CHAIN: usize, const NEAR: usize, const FOURS: bool, const FIVES: bool>(
    bytes: &[u8],
    relative: i16,
    (chain, near, five): (&mut [u16], &mut [u16], &mut [u16]),
    (chain_heads, near_heads, five_heads): (&mut [i16], &mut [i16], &mut [i16]),
) {
    let chain_heads: &mut [i16; CHAIN] =
        chain_heads.try_into().expect("sized by `reset` for this size class");
    let near_heads: &mut [i16; NEAR] = near_heads.try_into().expect("sized by `reset` for this size class");
    let mut position = relative;
    let places = bytes.windows(8).zip(chain.iter_mut().zip(near.iter_mut().zip(five.iter_mut())));
    for (window, (chain_distance, (near_distance, five_distance))) in places {
        let word = u64::from_le_bytes(window.try_into().expect("windows of eight"));
        let head = &mut chain_heads[hash(word, KEY, CHAIN.trailing_zeros())];
        *chain_distance = position.wrapping_sub(*head) as u16;
        *head = position;
        if FOURS {
            let head = &mut near_heads[hash(word, WORD, NEAR.trailing_zeros())];
            *near_distance = position.wrapping_sub(*head) as u16;
            *head = position;
        }
        if FIVES {
            let head = &mut five_heads[hash(word, 5, FIVE_BITS)];
            *five_distance = position.wrapping_sub(*head) as u16;
            *head = position;
        }
        position = position.wrapping_add(1);
    }
}

/// Rebases all entries to a base one window higher; entries that fall out of range saturate at
/// [`EMPTY`]. Adding -32768 is the subtraction of a window; an entry that was negative is more than
/// a window back and is of no more use.
fn rebase(heads: &mut [i16]) {
    for head in heads {
        *head = head.saturating_add(i16::MIN);
    }
}

/// Sets `table` to exactly `len` entries of `value`, and reserves memory for `capacity`, which allocates only the first time.
fn cleared<T: Copy>(table: &mut Vec<T>, capacity: usize, len: usize, value: T) -> Result<()> {
    table.clear();
    table.try_reserve_exact(capacity).map_err(|_| Error::Memory)?;
    if cfg!(miri) {
        // Under miri, `resize` takes seconds: it is interpreted entry by entry.
        table.push(value);
        while table.len() < len {
            table.extend_from_within(..table.len().min(len - table.len()));
        }
    }
    table.resize(len, value);
    Ok(())
}

/// Allocates an array on the heap; fails if the allocation does.
fn boxed_array<const N: usize>() -> Result<Box<[u16; N]>> {
    let mut entries = Vec::new();
    cleared(&mut entries, N, N, NONE)?;
    Ok(entries.into_boxed_slice().try_into().expect("N entries"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_distance_lies_between_two_positions_that_are_filled_thinly() {
        for distance in 0..THIN_CYCLE {
            assert!(THIN.iter().any(|step| THIN.contains(&((step + distance) % THIN_CYCLE))), "{distance}");
        }
    }
}
