//! The match copy: repeat bytes from a little way back, in wide strokes that may overshoot.
//!
//! A DEFLATE match says "the `length` bytes that begin `distance` bytes back", and the two ranges overlap when the
//! distance is the shorter one: then the bytes repeat with that period. Byte by byte the rule is trivial and slow.
//! Here a match is copied 16 bytes at a stroke, which is right as long as the distance is at least 16, because then
//! every stroke reads only what an earlier one has finished. The first two strokes are unconditional: most matches
//! end within 32 bytes, and a branch on the exact length would be mispredicted far more often than the second stroke
//! is wasted.
//!
//! Short distances are lengthened first. When the bytes repeat with period `d` they also repeat with any multiple of
//! it, so one short stroke doubles the period that the next may use, until it reaches 16. A distance of one, the run,
//! is common enough to have its own stroke of a broadcast byte.
//!
//! The price is the overshoot: up to [`SLOP_BYTES`] bytes behind the match are overwritten with rubbish. The caller
//! owns them.

/// How many bytes behind the end of a match [`copy_match`] may overwrite.
pub(crate) const SLOP_BYTES: usize = 32;

/// Copies the 16 bytes at `source` to `target` in one stroke.
///
/// # Safety
/// - `source` is valid for reads of 16 bytes and `target` for writes of 16 bytes. They may overlap.
#[inline(always)]
unsafe fn stroke16(source: *const u8, target: *mut u8) {
    // SAFETY: the caller vouches for 16 readable bytes, and the read asks for no alignment.
    let bytes = unsafe { source.cast::<[u8; 16]>().read_unaligned() };
    // SAFETY: the caller vouches for 16 writable bytes.
    unsafe { target.cast::<[u8; 16]>().write_unaligned(bytes) };
}

/// Copies `length` bytes from `distance` bytes before `target` to `target`, repeating them when the ranges overlap.
///
/// # Safety
/// - `distance >= 1`, `length >= 1`.
/// - The `distance` bytes before `target` are initialised and readable.
/// - `target` is valid for writes of `length + SLOP_BYTES` bytes; those behind `length` hold rubbish afterwards.
#[inline(always)]
pub(crate) unsafe fn copy_match(target: *mut u8, distance: usize, length: usize) {
    let source = target.wrapping_sub(distance).cast_const();
    if distance >= 16 {
        // SAFETY: the 16 bytes at `source` lie before `target` and are initialised; 48 bytes at `target` are writable.
        unsafe { stroke16(source, target) };
        // SAFETY: what this stroke reads ends at or before `target + 16`, all of it written by now; see above for room.
        unsafe { stroke16(source.wrapping_add(16), target.wrapping_add(16)) };
        let mut done = 32;
        while done < length {
            // SAFETY: reads end at or before `target + done`, written by now; writes end at or before
            // `target + done + 16 < target + length + 16`.
            unsafe { stroke16(source.wrapping_add(done), target.wrapping_add(done)) };
            // SAFETY: as above, one stroke further: writes end before `target + length + 32`.
            unsafe { stroke16(source.wrapping_add(done + 16), target.wrapping_add(done + 16)) };
            done += 32;
        }
        return;
    }
    // SAFETY: `distance >= 1` puts the short form's duties within ours.
    unsafe { copy_near_match(target, distance, length) };
}

/// [`copy_match`] for distances below 16.
///
/// # Safety
/// - As for [`copy_match`], with `distance < 16`.
#[inline(always)]
unsafe fn copy_near_match(target: *mut u8, distance: usize, length: usize) {
    if distance == 1 {
        // SAFETY: the byte before `target` is initialised.
        let run = unsafe { target.wrapping_sub(1).read() };
        let mut done = 0;
        while done < length {
            // SAFETY: `done < length`, and 32 writable bytes lie behind `length`.
            unsafe { target.wrapping_add(done).cast::<[u8; 32]>().write_unaligned([run; 32]) };
            done += 32;
        }
        return;
    }
    // Lengthen the period to 16 or more. Each step reads 16 bytes of which the first `period` are valid and writes them
    // behind; the rubbish that follows them is overwritten by the next step, which starts right there.
    let source = target.wrapping_sub(distance).cast_const();
    let mut period = distance;
    let mut done = 0;
    while period < 16 && done < length {
        // SAFETY: reads start `distance` bytes before `target` and end at `target + 14` or before; `done < length`
        // here, so those bytes and the 16 written at `target + done` are within the writable range. The bytes read
        // from behind `target + done` may not be initialised yet; they are copied as such and never looked at.
        unsafe { stroke16_uninit(source, target.wrapping_add(done)) };
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

/// [`stroke16`] over bytes that may not all be initialised.
///
/// # Safety
/// - As for [`stroke16`], but the bytes at `source` need not be initialised.
#[inline(always)]
unsafe fn stroke16_uninit(source: *const u8, target: *mut u8) {
    use core::mem::MaybeUninit;
    // SAFETY: the caller vouches for 16 readable bytes; `MaybeUninit` allows any content.
    let bytes = unsafe { source.cast::<[MaybeUninit<u8>; 16]>().read_unaligned() };
    // SAFETY: the caller vouches for 16 writable bytes.
    unsafe { target.cast::<[MaybeUninit<u8>; 16]>().write_unaligned(bytes) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
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
                assert_eq!(wide.last(), Some(&0xA5), "the byte behind the slop stays");
            }
        }
    }
}
