//! Step 3, prepare: from the candidates of each position, the matches that are offered to the
//! planner, with their prices.
//!
//! For each position:
//!
//! 1. Of the candidates of the long key that are in the window, select the longest. Of equally long
//!    ones that is the most recent, whose offset costs least.
//! 2. If it has all the 32 bytes that `verify` compares, measure it to its end, up to 258 bytes. If
//!    the last match that was measured goes on here and is longer, take that one ([`Repetition`]).
//! 3. Add the prices of its length and its offset slot; likewise for one byte less (`CUT`).
//! 4. The same for the candidate of the short key, which has at most 8 bytes.
//!
//! The longest candidate is not always the cheapest, but the plan has the short one as a second
//! choice, and comparing prices here would need one more look-up for each candidate.
//!
//! Only step 2 has a branch that depends on the data, and inside a repetition it costs little.
//!
//! The form with vectors does steps 1, 3 and 4 for 32 positions at a time, in bytes: lengths are at
//! most 32, prices at most 254, and 255 means no offer. The plain form does the same for one
//! position (`prepare_one`). Step 2 follows for both, and replaces the long offer (`extend`).

use super::memory::{Found, Offers, POSITIONS, WAYS_MAX};
use super::price::{CUT, LONG, NO_OFFER, NO_PRICE, Prices, SHORT, offer};
use super::verify::LONG_LIMIT;
use crate::deflate::parse::repetition::Repetition;
use crate::format::deflate::{MIN_MATCH, WINDOW_SIZE, offset_slot};

/// The length, less 3, where there is no match. The planner computes this step too, and loads the
/// price of the path from its end. With a small length it would have to wait for the prices of the
/// next positions, which it has just computed. With one over 154 the step could become the
/// cheapest, although its price is `NO_OFFER` (`plan.rs`).
const NO_LENGTH: u8 = 61;

/// Whether a match may have this distance (RFC 1951, 3.2.5: 1 to 32,768). Others are 0, for no
/// candidate, and up to 65,535, beyond the window, since distances are computed in 16 bits.
#[inline(always)]
fn is_valid(distance: u16) -> bool {
    (1..=WINDOW_SIZE).contains(&usize::from(distance))
}

/// A repetition is resumed at multiples of this: where the groups of the form with vectors begin.
const RESUME: usize = 32;

/// Prepares the offers at indices `from..to`, of which index 0 is position `base`. `from` is a
/// multiple of [`RESUME`]. Long matches are extended in the order of their positions, which
/// [`Repetition`] relies on for its speed.
pub(super) fn prepare<const WAYS: usize>(
    (found, offers): (&Found, &mut Offers),
    prices: &Prices,
    last: &mut Repetition,
    data: &[u8],
    (from, to): (usize, usize),
    base: usize,
    vectors: bool,
) {
    assert!(to <= POSITIONS && base + to + LONG_LIMIT <= data.len(), "the positions are in the arrays");
    let mut start = from;
    debug_assert!(from.is_multiple_of(RESUME), "a span, or what is ahead of it");
    #[cfg(target_arch = "x86_64")]
    if vectors {
        // Whole groups only: `found` is not filled past `to`. The plain form does the rest.
        while start + avx2::GROUP <= to {
            // SAFETY: the processor has AVX2 if `vectors` is set; the group is in the arrays.
            let long = unsafe { avx2::prepare::<WAYS>(found, offers, prices, start) };
            last.resume(data, base + start);
            if long != 0 || last.reaches(base + start) {
                for index in start..start + avx2::GROUP {
                    let is_limit = long >> (index - start) & 1 == 1;
                    extend(offers, prices, last, data, (index, base), is_limit);
                }
            }
            start += avx2::GROUP;
        }
    }
    let _ = vectors;
    for index in start..to {
        let is_limit = prepare_one::<WAYS>(found, offers, prices, index);
        if index.is_multiple_of(RESUME) {
            last.resume(data, base + index);
        }
        extend(offers, prices, last, data, (index, base), is_limit);
    }
}

/// Prepares the offers at one index. Returns whether the long match has 32 bytes, so that it may be
/// longer.
#[inline(always)]
fn prepare_one<const WAYS: usize>(found: &Found, offers: &mut Offers, prices: &Prices, index: usize) -> bool {
    // The distance of way 0 is the default, so that all forms store the same one without a match.
    let (mut length, mut distance) = (0, found.distances[0][index]);
    for way in 0..WAYS.min(WAYS_MAX) {
        let other = found.distances[way][index];
        let other_length = if is_valid(other) { found.lengths[way][index] } else { 0 };
        // The ways are ordered from the most recent position on, so of equal lengths the nearest
        // one remains.
        if other_length > length {
            (length, distance) = (other_length, other);
        }
    }
    let slot_price = |distance: u16| {
        if is_valid(distance) { prices.offsets[offset_slot(usize::from(distance))] } else { NO_PRICE }
    };
    // The price of the offset is the same for the whole match and for the cut one.
    let price = slot_price(distance);
    offers.long.distances[index] = distance;
    offers.long.prices[index] = offer(prices.lengths[usize::from(length)], price, LONG);
    let is_none = offers.long.prices[index] == NO_OFFER;
    offers.long.lengths[index] = if is_none { NO_LENGTH } else { length - MIN_MATCH as u8 };
    offers.cut_prices[index] =
        if is_none { NO_OFFER } else { offer(prices.lengths[usize::from(length) - 1], price, CUT) };
    let is_limit = usize::from(length) == LONG_LIMIT;

    let (length, distance) = (found.short_lengths[index], found.short_distances[index]);
    let length = if is_valid(distance) { length } else { 0 };
    offers.short.distances[index] = distance;
    offers.short.prices[index] = offer(prices.lengths[usize::from(length)], slot_price(distance), SHORT);
    offers.short.lengths[index] =
        if offers.short.prices[index] == NO_OFFER { NO_LENGTH } else { length - MIN_MATCH as u8 };
    is_limit
}

/// Measures the long match at `index` to its end if it may be longer (`is_limit`), and replaces it
/// by the last match that was measured if that one is longer.
#[inline(always)]
fn extend(
    offers: &mut Offers,
    prices: &Prices,
    last: &mut Repetition,
    data: &[u8],
    (index, base): (usize, usize),
    is_limit: bool,
) {
    let position = base + index;
    if !is_limit && !last.reaches(position) {
        return;
    }
    let found = is_limit.then_some(usize::from(offers.long.distances[index]));
    let Some((distance, length)) = last.longest(data, position, found) else { return };
    let price = prices.offsets[offset_slot(distance)];
    offers.long.distances[index] = distance as u16;
    offers.long.lengths[index] = (length - MIN_MATCH) as u8;
    offers.long.prices[index] = offer(prices.lengths[length], price, LONG);
    offers.cut_prices[index] = offer(prices.lengths[length - 1], price, CUT);
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{
        CUT, Found, LONG, LONG_LIMIT, MIN_MATCH, NO_LENGTH, NO_PRICE, Offers, POSITIONS, Prices, SHORT,
    };
    use crate::deflate::parse::flat::memory::Offer;
    use crate::deflate::parse::flat::price::CHOICE_BITS;
    use core::arch::x86_64::*;

    /// Positions at a time.
    pub(super) const GROUP: usize = super::RESUME;

    /// The bytes or 16-bit numbers from `index` on.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn load<T>(array: &[T; POSITIONS], index: usize) -> __m256i {
        let group = &array[index..index + 32 / size_of::<T>()];
        // SAFETY: the group has 32 bytes.
        unsafe { _mm256_loadu_si256(group.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn store<T>(array: &mut [T; POSITIONS], index: usize, value: __m256i) {
        let group = &mut array[index..index + 32 / size_of::<T>()];
        // SAFETY: the group has 32 bytes.
        unsafe { _mm256_storeu_si256(group.as_mut_ptr().cast(), value) }
    }

    /// The entries of `table` for 32 indices from 0 to 31.
    ///
    /// A byte shuffle selects among 16 entries, in each half of the vector for itself. So both
    /// halves get the first 16 entries, then the last 16, and each index selects one of the two
    /// results. The index 32, of a match that is still to be extended, gets some entry; `extend`
    /// replaces it.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn look_up(table: &[u8; 32], indices: __m256i) -> __m256i {
        // SAFETY: the table has 32 bytes.
        let table = unsafe { _mm256_loadu_si256(table.as_ptr().cast()) };
        let low = _mm256_permute4x64_epi64(table, 0x44);
        let high = _mm256_permute4x64_epi64(table, 0xee);
        let is_high = _mm256_cmpgt_epi8(indices, _mm256_set1_epi8(15));
        _mm256_blendv_epi8(_mm256_shuffle_epi8(low, indices), _mm256_shuffle_epi8(high, indices), is_high)
    }

    /// 32 distances, as two vectors of 16, in order.
    ///
    /// Packing two vectors of 16-bit numbers into one of bytes works on halves: the result has the
    /// quarters 0, 2, 1, 3. The permutation `0xd8` restores the order.
    #[derive(Clone, Copy)]
    struct Distances(__m256i, __m256i);

    impl Distances {
        #[inline]
        #[target_feature(enable = "avx2")]
        fn load(array: &[u16; POSITIONS], index: usize) -> Self {
            Self(load(array, index), load(array, index + 16))
        }

        /// A byte of ones for each distance from 1 to 32768: as signed numbers, these less one are
        /// not negative, and 0 less one and all larger ones are.
        #[inline]
        #[target_feature(enable = "avx2")]
        fn valid(self) -> __m256i {
            let valid = |distances| {
                _mm256_cmpgt_epi16(_mm256_sub_epi16(distances, _mm256_set1_epi16(1)), _mm256_set1_epi16(-1))
            };
            _mm256_permute4x64_epi64(_mm256_packs_epi16(valid(self.0), valid(self.1)), 0xd8)
        }

        /// The distances of `other` where `chosen` has a byte of ones.
        #[inline]
        #[target_feature(enable = "avx2")]
        fn blend(self, other: Self, chosen: __m256i) -> Self {
            let low = _mm256_cvtepi8_epi16(_mm256_castsi256_si128(chosen));
            let high = _mm256_cvtepi8_epi16(_mm256_extracti128_si256(chosen, 1));
            Self(_mm256_blendv_epi8(self.0, other.0, low), _mm256_blendv_epi8(self.1, other.1, high))
        }

        /// The prices of the offset slots of valid distances; other distances get any price.
        ///
        /// The slot of `d` is twice the exponent of `d - 1`, plus the bit after its highest bit
        /// (RFC 1951, 3.2.5). These are the top bits of that number as a float, so the conversion
        /// computes a slot without a loop or table. With `d - 1 = 6`:
        ///
        /// ```text
        /// 6.0 as a float    0 10000001 1000...     sign, 127 + 2, mantissa without its first 1
        /// >> 22               10000001 1           2 * (127 + 2) + 1
        /// - 2 * 127                    101         slot 5
        /// ```
        #[inline]
        #[target_feature(enable = "avx2")]
        fn prices(self, prices: &Prices) -> __m256i {
            let slots = |distances| {
                let offsets = _mm256_sub_epi16(distances, _mm256_set1_epi16(1));
                let slots = |offsets| {
                    let float = _mm256_castps_si256(_mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(offsets)));
                    // 127 is the exponent's bias; 0 becomes a negative number, and finally 0.
                    _mm256_sub_epi32(_mm256_srli_epi32(float, 22), _mm256_set1_epi32(2 * 127))
                };
                let (low, high) = (_mm256_castsi256_si128(offsets), _mm256_extracti128_si256(offsets, 1));
                let slots = _mm256_permute4x64_epi64(_mm256_packs_epi32(slots(low), slots(high)), 0xd8);
                // 1 has no bit after the highest: its slot is one more.
                _mm256_sub_epi16(slots, _mm256_cmpeq_epi16(offsets, _mm256_set1_epi16(1)))
            };
            let slots = _mm256_permute4x64_epi64(_mm256_packus_epi16(slots(self.0), slots(self.1)), 0xd8);
            look_up(&prices.offsets, slots)
        }

        #[inline]
        #[target_feature(enable = "avx2")]
        fn store(self, array: &mut [u16; POSITIONS], index: usize) {
            store(array, index, self.0);
            store(array, index + 16, self.1);
        }
    }

    /// Stores 32 prices with their choice; returns a byte of ones for each that is none. For these
    /// all 16 bits are set, as in `NO_OFFER`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn store_prices(array: &mut [u16; POSITIONS], index: usize, prices: __m256i, choice: u32) -> __m256i {
        let none = _mm256_cmpeq_epi8(prices, _mm256_set1_epi8(-1));
        let choice = _mm256_set1_epi16(choice as i16);
        let wide = |prices, none| {
            let prices = _mm256_slli_epi16(_mm256_cvtepu8_epi16(prices), CHOICE_BITS as i32);
            _mm256_or_si256(_mm256_or_si256(prices, choice), _mm256_cvtepi8_epi16(none))
        };
        let low = wide(_mm256_castsi256_si128(prices), _mm256_castsi256_si128(none));
        let high = wide(_mm256_extracti128_si256(prices, 1), _mm256_extracti128_si256(none, 1));
        store(array, index, low);
        store(array, index + 16, high);
        none
    }

    /// Stores the parts of 32 offers; returns a byte of ones for each that is none.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn store_offer(
        offer: &mut Offer,
        index: usize,
        distances: Distances,
        (lengths, prices): (__m256i, __m256i),
        choice: u32,
    ) -> __m256i {
        distances.store(&mut offer.distances, index);
        let none = store_prices(&mut offer.prices, index, prices, choice);
        let lengths = _mm256_sub_epi8(lengths, _mm256_set1_epi8(MIN_MATCH as i8));
        store(
            &mut offer.lengths,
            index,
            _mm256_blendv_epi8(lengths, _mm256_set1_epi8(NO_LENGTH as i8), none),
        );
        none
    }

    /// The prices of 32 matches, from those of their lengths and offsets, as `sum` in `price.rs`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn sum(lengths: __m256i, offsets: __m256i) -> __m256i {
        let none = _mm256_cmpeq_epi8(lengths, _mm256_set1_epi8(-1));
        let sums = _mm256_adds_epu8(lengths, offsets);
        _mm256_or_si256(_mm256_min_epu8(sums, _mm256_set1_epi8((NO_PRICE - 1) as i8)), none)
    }

    /// [`super::prepare_one`] for 32 indices from `index` on. Returns a bit for each long match
    /// that has 32 bytes; for the others the results are the same.
    ///
    /// An invalid distance has length 0, whose price is `NO_PRICE`, so nothing else tests for it.
    #[target_feature(enable = "avx2")]
    pub(super) fn prepare<const WAYS: usize>(
        found: &Found,
        offers: &mut Offers,
        prices: &Prices,
        index: usize,
    ) -> u32 {
        let mut distances = Distances::load(&found.distances[0], index);
        let mut lengths = _mm256_and_si256(load(&found.lengths[0], index), distances.valid());
        for way in 1..WAYS {
            let other = Distances::load(&found.distances[way], index);
            let other_lengths = _mm256_and_si256(load(&found.lengths[way], index), other.valid());
            // Signed, but lengths are at most 32. Only a longer one replaces: the nearest remains.
            let is_longer = _mm256_cmpgt_epi8(other_lengths, lengths);
            lengths = _mm256_blendv_epi8(lengths, other_lengths, is_longer);
            distances = distances.blend(other, is_longer);
        }
        let [small, small_cut] = &prices.small_lengths;
        let is_limit = _mm256_cmpeq_epi8(lengths, _mm256_set1_epi8(LONG_LIMIT as i8));
        let offsets = distances.prices(prices);
        let cut = sum(look_up(small_cut, lengths), offsets);
        let whole = sum(look_up(small, lengths), offsets);
        let none = store_offer(&mut offers.long, index, distances, (lengths, whole), LONG);
        store_prices(&mut offers.cut_prices, index, _mm256_or_si256(cut, none), CUT);

        let distances = Distances::load(&found.short_distances, index);
        let lengths = _mm256_and_si256(load(&found.short_lengths, index), distances.valid());
        let whole = sum(look_up(small, lengths), distances.prices(prices));
        store_offer(&mut offers.short, index, distances, (lengths, whole), SHORT);
        _mm256_movemask_epi8(is_limit) as u32
    }
}
