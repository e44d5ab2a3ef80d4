//! Step 1, fill: enters positions into the tables, and stores the distances of the earlier entries.
//!
//! 1. Hash the bytes of the long key and those of the short key at each position.
//! 2. Put the position into the long key's bucket and the short key's entry. Keep the earlier
//!    positions that were there: the candidates.
//! 3. Turn the candidates, positions modulo 64 Ki, into distances (`measure`).
//!
//! No hash depends on what an earlier position found, so with vectors eight positions are hashed at
//! a time: a load of 16 bytes (two for a key of more than eight bytes), byte shuffles that put four
//! bytes of each position into a lane, and a multiplication for each four bytes of a key. Only the
//! table accesses are one by one, in the order of the positions: in a run a position's candidate is
//! the position just before it.
//!
//! ```text
//! bytes         0 1 2 3 4 5 6 7 8 9 10 ... 15
//! words(0)      0-3  1-4  2-5  3-6  4-7  5-8  6-9  7-10       lane `i` has the bytes from `i` on
//! words(2)      2-5  3-6  4-7  5-8  6-9  7-10 8-11 9-12       the rest of a key of six bytes
//! ```
//!
//! A candidate may be wrong: its hash collides, or its entry is so old that its position modulo 64
//! Ki reads as a more recent one. Nothing is tested for that here, as `verify` compares the bytes
//! of all of them. What must hold is that a candidate lies in the data.

use super::memory::{Found, Heads, POSITIONS, SHORT_BITS, long_bits};
use crate::raw::load::u64_at;

/// The multipliers of the parts of the long key, and of the short key: xxHash's 32-bit primes.
const PARTS: [u32; 4] = [0x85EB_CA77, 0xC2B2_AE3D, 0x27D4_EB2F, 0x1656_67B1];
const SHORT: u32 = 0x9E37_79B1;

/// Where part `number` of a long key begins. A key has at most four parts of four bytes; the last one may overlap the one
/// before.
const fn part_at(key: usize, number: usize) -> usize {
    if 4 * number + 4 <= key { 4 * number } else { key - 4 }
}

/// The hash of the first `KEY` bytes of `word`, 5 to 16. Its top bits are mixed best.
///
/// It is a sum of products of 32 bits, since AVX2 has no multiplication of 64-bit numbers.
#[inline(always)]
fn long_hash<const KEY: usize>(word: u128) -> u32 {
    let part = |number| ((word >> (8 * part_at(KEY, number))) as u32).wrapping_mul(PARTS[number]);
    (0..KEY.div_ceil(4)).map(part).fold(0, u32::wrapping_add)
}

/// The hash of the first `KEY` bytes of `word`, 3 or 4. The shift of the multiplier moves a fourth
/// byte that is not part of the key out of the product.
#[inline(always)]
fn short_hash<const KEY: usize>(word: u128) -> u32 {
    (word as u32).wrapping_mul(SHORT << (32 - 8 * KEY as u32))
}

/// Enters `position`, where 16 bytes are left.
#[inline(always)]
fn enter<const LONG: usize, const SHORT: usize, const WAYS: usize>(
    heads: &mut Heads<'_>,
    data: &[u8],
    position: usize,
) -> (u64, u16) {
    debug_assert!(position + 16 <= data.len());
    // SAFETY: checked by `enter_all` for all positions.
    let words = [0, 8].map(|at| unsafe { u64_at(data, position + at) });
    let word = u128::from(words[1]) << 64 | u128::from(words[0]);
    enter_word::<LONG, SHORT, WAYS>(heads, word, position)
}

/// Enters `position`, where the bytes of `word` are; returns the earlier entries of both keys.
#[inline(always)]
pub(super) fn enter_word<const LONG: usize, const SHORT: usize, const WAYS: usize>(
    heads: &mut Heads<'_>,
    word: u128,
    position: usize,
) -> (u64, u16) {
    let long = heads.push_long::<WAYS>(long_hash::<LONG>(word) >> (32 - long_bits(WAYS)), position as u16);
    let short = heads.swap_short(short_hash::<SHORT>(word) >> (32 - SHORT_BITS), position as u16);
    (long, short)
}

/// Enters positions `from..to`, where 32 bytes are left at each, without looking at earlier ones:
/// the window before the first span. The candidates are stored at the front of `found` and not
/// used.
pub(super) fn prime<const LONG: usize, const SHORT: usize, const WAYS: usize>(
    heads: &mut Heads<'_>,
    found: &mut Found,
    data: &[u8],
    (from, to): (usize, usize),
    vectors: bool,
) {
    for start in (from..to).step_by(POSITIONS) {
        let end = to.min(start + POSITIONS);
        enter_all::<LONG, SHORT, WAYS>(heads, found, data, (start, end), 0, vectors);
    }
}

/// Enters positions `from..to`, where 32 bytes are left at each, and stores the distances of the
/// earlier entries from index `at` on. No distance is larger than its position, so `verify` may
/// load the bytes of every candidate.
pub(super) fn fill<const LONG: usize, const SHORT: usize, const WAYS: usize>(
    heads: &mut Heads<'_>,
    found: &mut Found,
    data: &[u8],
    (from, to): (usize, usize),
    at: usize,
    vectors: bool,
) {
    enter_all::<LONG, SHORT, WAYS>(heads, found, data, (from, to), at, vectors);
    // At the first 64 Ki positions a distance may reach before the front of the data: then it is
    // replaced by 0. Later any 16-bit distance is in the data. `measure` decides this once for all
    // positions of a part.
    let border = (1 << 16).clamp(from, to);
    for (start, end) in [(from, border), (border, to)] {
        let indices = (at + start - from, at + end - from);
        #[cfg(target_arch = "x86_64")]
        if vectors {
            // SAFETY: the processor has AVX2 if `vectors` is set.
            unsafe { avx2::measure::<WAYS>(found, indices, start) };
            continue;
        }
        let _ = vectors;
        measure::<WAYS>(found, indices, start);
    }
}

/// Enters positions `from..to` and stores the earlier entries from index `at` on.
fn enter_all<const LONG: usize, const SHORT: usize, const WAYS: usize>(
    heads: &mut Heads<'_>,
    found: &mut Found,
    data: &[u8],
    (from, to): (usize, usize),
    at: usize,
    vectors: bool,
) {
    assert!(
        to + 32 <= data.len() && from <= to && at + (to - from) <= POSITIONS,
        "the positions are in the arrays"
    );
    // By the assertion, `found` has an entry for each position, and the loads stay in the data: 24
    // bytes at the first position of a group, 16 at a single one.
    let mut done = 0;
    #[cfg(target_arch = "x86_64")]
    if vectors {
        // SAFETY: the processor has AVX2 if `vectors` is set; the bounds were checked above.
        done = unsafe { avx2::enter::<LONG, SHORT, WAYS>(heads, found, data, (from, to), at) };
    }
    let _ = vectors;
    for position in from + done..to {
        let (bucket, entry) = enter::<LONG, SHORT, WAYS>(heads, data, position);
        found.buckets[at + position - from] = bucket;
        found.short_distances[at + position - from] = entry;
    }
}

/// Turns the entries found at indices `from..to` into distances; the first of them is at `position`.
/// A distance is the difference modulo 64 Ki. It is 0, for no candidate, where it would reach
/// before the front of the data, or where the entry is exactly 64 Ki old. It may be over 32 Ki,
/// which `prepare` excludes.
///
/// This is a separate loop: right after the entries were stored one by one, a vector load of them
/// would wait for the stores; the parser took 1.4 times as long.
#[inline(always)]
fn measure<const WAYS: usize>(found: &mut Found, (from, to): (usize, usize), position: usize) {
    let Found { buckets, distances, short_distances, .. } = found;
    let buckets = &buckets[from..to];
    let far = position >= 1 << 16;
    let distance = |index: usize, entry: u16| {
        let here = (position as u16).wrapping_add(index as u16);
        let distance = here.wrapping_sub(entry);
        if far || distance <= here { distance } else { 0 }
    };
    // One loop for each way, over consecutive numbers, which the compiler turns into vector loops.
    for (way, distances) in distances.iter_mut().enumerate().take(WAYS) {
        for (index, (slot, bucket)) in distances[from..to].iter_mut().zip(buckets).enumerate() {
            *slot = distance(index, (bucket >> (16 * way)) as u16);
        }
    }
    for (index, slot) in short_distances[from..to].iter_mut().enumerate() {
        *slot = distance(index, *slot);
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{Found, Heads, PARTS, SHORT_BITS, long_bits, part_at};
    use core::arch::x86_64::*;

    /// Positions at a time.
    const GROUP: usize = 8;

    /// The four bytes from `skip` bytes after each of eight positions on; `bytes` has the first 16
    /// bytes twice, since a shuffle selects within each half of the vector. `skip` is at most 5:
    /// the last index is `skip` plus 10.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn words(bytes: __m256i, skip: usize) -> __m256i {
        let first = _mm256_setr_epi8(
            0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6, 4, 5, 6, 7, 5, 6, 7, 8, 6, 7, 8, 9, 7, 8, 9, 10,
        );
        _mm256_shuffle_epi8(bytes, _mm256_add_epi8(first, _mm256_set1_epi8(skip as i8)))
    }

    /// As [`super::enter_all`], for whole groups of positions; returns how many positions they are.
    /// The hashes are the same as those of `long_hash` and `short_hash`.
    ///
    /// # Safety
    /// - The bounds that [`super::enter_all`] checks hold.
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn enter<const LONG: usize, const SHORT: usize, const WAYS: usize>(
        heads: &mut Heads<'_>,
        found: &mut Found,
        data: &[u8],
        (from, to): (usize, usize),
        at: usize,
    ) -> usize {
        let groups = (to - from) / GROUP;
        let buckets = found.buckets[at..].chunks_exact_mut(GROUP);
        let entries = found.short_distances[at..].chunks_exact_mut(GROUP);
        for (group, (buckets, entries)) in buckets.zip(entries).enumerate().take(groups) {
            let position = from + GROUP * group;
            // SAFETY: 32 bytes are left at each position.
            let load = |at| unsafe { _mm_loadu_si128(data.as_ptr().wrapping_add(position + at).cast()) };
            let bytes = [0, 8].map(|at| _mm256_broadcastsi128_si256(load(at)));
            let first = words(bytes[0], 0);
            let mut hash = _mm256_mullo_epi32(first, _mm256_set1_epi32(PARTS[0] as i32));
            for (number, &multiplier) in PARTS.iter().enumerate().take(LONG.div_ceil(4)).skip(1) {
                let at = part_at(LONG, number);
                let part = words(bytes[at / 8], at % 8);
                hash = _mm256_add_epi32(hash, _mm256_mullo_epi32(part, _mm256_set1_epi32(multiplier as i32)));
            }
            let long = _mm256_srl_epi32(hash, _mm_cvtsi32_si128(32 - long_bits(WAYS) as i32));
            let shift = 32 - 8 * SHORT as i32;
            let multiplier = _mm256_set1_epi32((super::SHORT << shift) as i32);
            let short = _mm256_srli_epi32(_mm256_mullo_epi32(first, multiplier), 32 - SHORT_BITS as i32);
            let (mut longs, mut shorts) = ([0u32; GROUP], [0u32; GROUP]);
            // SAFETY: both arrays have 32 bytes.
            unsafe { _mm256_storeu_si256(longs.as_mut_ptr().cast(), long) };
            // SAFETY: as above.
            unsafe { _mm256_storeu_si256(shorts.as_mut_ptr().cast(), short) };
            // In order: two lanes may have the same hash, and the later one must find the earlier.
            for (lane, (index, bucket)) in longs.iter().zip(buckets).enumerate() {
                *bucket = heads.push_long::<WAYS>(*index, (position + lane) as u16);
            }
            for (lane, (index, entry)) in shorts.iter().zip(entries).enumerate() {
                *entry = heads.swap_short(*index, (position + lane) as u16);
            }
        }
        GROUP * groups
    }

    /// [`super::measure`], compiled for these vectors.
    #[target_feature(enable = "avx2")]
    pub(super) fn measure<const WAYS: usize>(found: &mut Found, indices: (usize, usize), position: usize) {
        super::measure::<WAYS>(found, indices, position);
    }
}
