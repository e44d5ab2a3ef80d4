//! Step 2, verify: compares the bytes at each position with those at its candidates.
//!
//! A comparison of fixed length needs no branch: it loads the bytes at both places, and counts the
//! zero bits before the first difference. Of a candidate of the long key 32 bytes are compared, one
//! vector; of one of the short key eight, one word. Equal bytes beyond 32 are counted only for the
//! match that `prepare` selects.
//!
//! Wrong candidates (colliding hashes, old entries) are compared like the others; most have length
//! 0. So the tables need no check of their own.

use super::memory::{Found, POSITIONS, WAYS_MAX};
use crate::raw::load::u64_at;

/// The bytes of each candidate of the long key that are compared. Positions with fewer bytes left
/// do not go through the steps (`tail`).
pub(super) const LONG_LIMIT: usize = 32;

/// Stores the lengths of the candidates at indices `from..to`, of which index 0 is position `base`. 32 bytes are left at each
/// position.
///
/// # Safety
/// - No distance at these indices is larger than its position.
pub(super) unsafe fn verify<const WAYS: usize>(
    found: &mut Found,
    data: &[u8],
    (from, to): (usize, usize),
    base: usize,
    vectors: bool,
) {
    assert!(to <= POSITIONS && base + to + LONG_LIMIT <= data.len(), "the positions are in the arrays");
    let Found { distances, lengths, short_distances, short_lengths, .. } = found;
    #[cfg(target_arch = "x86_64")]
    if vectors {
        // SAFETY: the processor has AVX2 if `vectors` is set; the bounds were checked above; the caller promises the rest.
        unsafe { avx2::lengths::<WAYS>(distances, lengths, data, (from, to), base) };
    }
    if !vectors {
        for (distances, lengths) in distances.iter().zip(lengths).take(WAYS) {
            let candidates = distances[from..to].iter().zip(&mut lengths[from..to]);
            for (index, (distance, length)) in candidates.enumerate() {
                // SAFETY: the bounds were checked above; the caller promises the rest.
                *length = unsafe { equal_bytes(data, base + from + index, usize::from(*distance)) };
            }
        }
    }
    // Candidates of the short key: eight bytes. The matches that only the short key finds are
    // short; a longer one is usually found by the long key too. All eight equal count as 8: the
    // number of zero bits of 0 is 64.
    let pairs = short_distances[from..to].iter().zip(&mut short_lengths[from..to]);
    for (index, (distance, length)) in pairs.enumerate() {
        let position = base + from + index;
        debug_assert!(usize::from(*distance) <= position);
        // SAFETY: 32 bytes are left at the position.
        let now = unsafe { u64_at(data, position) };
        // SAFETY: by the caller's promise the candidate is in the data, at or before the position.
        let earlier = unsafe { u64_at(data, position - usize::from(*distance)) };
        *length = ((now ^ earlier).trailing_zeros() / 8) as u8;
    }
}

/// The number of equal bytes at `position` and `distance` before it, up to [`LONG_LIMIT`].
///
/// # Safety
/// - `distance <= position`, and [`LONG_LIMIT`] bytes are left at `position`.
#[inline(always)]
unsafe fn equal_bytes(data: &[u8], position: usize, distance: usize) -> u8 {
    debug_assert!(distance <= position && position + LONG_LIMIT <= data.len());
    for start in (position..position + LONG_LIMIT).step_by(8) {
        // SAFETY: 32 bytes are left at the position.
        let now = unsafe { u64_at(data, start) };
        // SAFETY: by the caller's promise the candidate is in the data, at or before the position.
        let differing = now ^ unsafe { u64_at(data, start - distance) };
        if differing != 0 {
            return (start - position) as u8 + (differing.trailing_zeros() / 8) as u8;
        }
    }
    LONG_LIMIT as u8
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{POSITIONS, WAYS_MAX};
    use core::arch::x86_64::*;

    /// Stores the lengths of the candidates at indices `from..to`, of which index 0 is position `base`.
    ///
    /// # Safety
    /// - 32 bytes are left at each position, and no distance is larger than its position.
    #[target_feature(enable = "avx2,bmi1")]
    pub(super) unsafe fn lengths<const WAYS: usize>(
        distances: &[[u16; POSITIONS]; WAYS_MAX],
        lengths: &mut [[u8; POSITIONS]; WAYS_MAX],
        data: &[u8],
        (from, to): (usize, usize),
        base: usize,
    ) {
        let to = to.min(POSITIONS);
        for index in from..to {
            let here = data.as_ptr().wrapping_add(base + index);
            // SAFETY: 32 bytes are left at the position.
            let now = unsafe { _mm256_loadu_si256(here.cast()) };
            for way in 0..WAYS {
                let distance = usize::from(distances[way][index]);
                // SAFETY: the candidate is at or before it, in the data.
                let earlier = unsafe { _mm256_loadu_si256(here.wrapping_sub(distance).cast()) };
                // A bit for each equal byte. The first 0 is the length; 32 equal bytes leave no bit
                // set in the complement, whose count is then 32.
                let equal = _mm256_movemask_epi8(_mm256_cmpeq_epi8(now, earlier)) as u32;
                lengths[way][index] = (!equal).trailing_zeros() as u8;
            }
        }
    }
}
