//! The match copy: repeats earlier bytes in wide strokes that may overshoot.
//!
//! A DEFLATE match means "the `length` bytes that begin `distance` bytes back". The two ranges overlap if `distance <
//! length`: the bytes then repeat with that period. A copy byte by byte is trivial and slow. Here a match is copied in
//! strokes of 16 bytes, which is correct if the distance is at least 16, because every stroke then reads only bytes
//! that an earlier one has written. The first two strokes are unconditional: most matches end within 32 bytes, and a
//! branch on the exact length would be mispredicted far more often than the second stroke is wasted.
//!
//! Short distances are lengthened first. Bytes that repeat with period `d` also repeat with any multiple of it, so one
//! short stroke doubles the period that the next may use, until it reaches 16. A distance of one, the run, is common
//! enough to have a separate loop that stores 32 copies of the byte at a time.
//!
//! The cost is the overshoot: up to [`SLOP_BYTES`] bytes past the end of the match are overwritten with garbage. The
//! caller must own them.

/// How many bytes past the end of a match [`copy_match`] may overwrite, and read past the end of its source.
pub(crate) const SLOP_BYTES: usize = 32;

/// Copies the 16 bytes at `source` to `target` in one stroke. The bytes may be uninitialised.
///
/// # Safety
/// - `source` is valid for reads of 16 bytes and `target` for writes of 16 bytes. They may overlap.
#[inline(always)]
unsafe fn stroke16(source: *const u8, target: *mut u8) {
    // A copy of 16 bytes is one load and one store. A `[u8; 16]` in between would add two stores.
    // SAFETY: the caller's promise.
    unsafe { core::ptr::copy(source, target, 16) };
}

/// Copies `length` bytes from `distance` bytes before `target` to `target`, repeating them when the ranges overlap.
///
/// # Safety
/// - `distance >= 1`, `length >= 1`.
/// - The `distance` bytes before `target` are initialised and readable.
/// - `target` is valid for writes of `length + SLOP_BYTES` bytes; those past `length` hold garbage afterwards.
#[inline(always)]
pub(crate) unsafe fn copy_match(target: *mut u8, distance: usize, length: usize) {
    if distance >= 16 {
        // SAFETY: the source lies `distance` bytes before the target; see above for the rest.
        unsafe { copy_far(target.wrapping_sub(distance), target, length) };
    } else {
        // SAFETY: the caller's promise.
        unsafe { copy_near(target, distance, length) };
    }
}

/// Copies `length` bytes from `source` to `target`.
///
/// # Safety
/// - `source` lies at least 16 bytes before `target`, or at least `SLOP_BYTES` bytes after it and in the same memory.
/// - The `length` bytes at `source` are readable, and initialised when earlier strokes of this copy have been made;
///   `SLOP_BYTES` more are readable, initialised or not.
/// - `target` is valid for writes of `length + SLOP_BYTES` bytes; those past `length` hold garbage afterwards.
#[inline(always)]
pub(crate) unsafe fn copy_far(source: *const u8, target: *mut u8, length: usize) {
    // SAFETY: at least 16 bytes lie at `source`, at least 32 writable ones at `target`.
    unsafe { stroke16(source, target) };
    // SAFETY: as above; the bytes that this stroke reads have been written by now.
    unsafe { stroke16(source.wrapping_add(16), target.wrapping_add(16)) };
    let mut done = 32;
    while done < length {
        // SAFETY: reads and writes end before `done + 16 < length + 16`, and the bytes read have been written by now.
        unsafe { stroke16(source.wrapping_add(done), target.wrapping_add(done)) };
        // SAFETY: as above, one stroke further: both end before `length + 32`.
        unsafe { stroke16(source.wrapping_add(done + 16), target.wrapping_add(done + 16)) };
        done += 32;
    }
}

/// [`copy_match`] for distances below 16.
///
/// # Safety
/// - As for [`copy_match`], with `distance < 16`.
#[inline(always)]
unsafe fn copy_near(target: *mut u8, distance: usize, length: usize) {
    if distance == 1 {
        // SAFETY: the byte before `target` is initialised.
        let run = unsafe { target.wrapping_sub(1).read() };
        let mut done = 0;
        while done < length {
            // SAFETY: `done < length`, and 32 writable bytes lie past `length`.
            unsafe { target.wrapping_add(done).cast::<[u8; 32]>().write_unaligned([run; 32]) };
            done += 32;
        }
        return;
    }
    // Lengthen the period to 16 or more. Each step reads 16 bytes of which the first `period` are valid, and writes
    // them; the next step starts where the valid ones end, and overwrites the garbage.
    let source = target.wrapping_sub(distance).cast_const();
    let mut period = distance;
    let mut done = 0;
    while period < 16 && done < length {
        // SAFETY: reads start `distance` bytes before `target` and end at `target + 14` or before; `done < length`
        // here, so those bytes and the 16 written at `target + done` are within the writable range.
        unsafe { stroke16(source, target.wrapping_add(done)) };
        done += period;
        period *= 2;
    }
    while done < length {
        // SAFETY: `period >= 16` initialised bytes lie before `target + done`, and `done < length` leaves 32 bytes of
        // room.
        unsafe { stroke16(target.wrapping_add(done).wrapping_sub(period), target.wrapping_add(done)) };
        done += 16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "250,000 copies: slow; proof/tests/tiny.rs makes enough")]
    fn every_distance_and_length_repeats_as_byte_by_byte_would() {
        for distance in (1..=70).chain([255, 256, 257, 300]) {
            for length in 3..=258 {
                let mut plain: Vec<u8> = (0..300).map(|i| (i * 7 + i / 13) as u8).collect();
                let mut wide = plain.clone();
                for _ in 0..length {
                    plain.push(plain[plain.len() - distance]);
                }
                wide.resize(300 + length + SLOP_BYTES, 0xEE);
                wide.push(0xA5);
                // SAFETY: 300 bytes lie before the target, `length + SLOP_BYTES` from it on.
                unsafe { copy_match(wide.as_mut_ptr().wrapping_add(300), distance, length) };
                assert_eq!(wide[..300 + length], plain, "distance {distance} length {length}");
                assert_eq!(wide.last(), Some(&0xA5), "the byte past the slop stays");
            }
        }
    }
}
