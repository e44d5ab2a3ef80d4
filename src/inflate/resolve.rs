//! `Resolver`: turns elements that may be markers into bytes, once the 32 KiB before them are known.
//!
//! A table of 64 Ki bytes maps every element to its byte:
//!
//! ```text
//! 0..=255 -> itself       0x8000 | i -> window[i]
//! ```
//!
//! Elements are processed in groups of 64. A group without markers is narrowed by vectors. In a group
//! with markers, AVX-512 VBMI2 narrows all elements, packs the markers together, looks up only these,
//! and expands the results into their places; other processors look up every element.
//!
//! ```text
//! elements     'a'  m7  'b'  m9  m2  'c'      a literal, or the marker of a place in the window
//! mask          0   1    0   1   1    0      the elements' highest bits
//! narrowed     'a'  ?   'b'  ?   ?   'c'      the low byte of each element
//! packed        m7  m9  m2                   -> looked up: x y z
//! expanded     'a'  x   'b'  y   z   'c'      the next looked-up byte where the mask is 1
//! ```
//!
//! The bytes go directly to the caller's output. A stream's window gets only the last 32 KiB of
//! them, since no later match reaches back further; the running check value gets all of them.

use core::mem::MaybeUninit;
use core::ops::Range;

use super::marked::{MARKER, Marked, Waypoint};
use super::stream::Inflate;
use super::window::SKIPPED_BEFORE;
use crate::error::{Error, Result};
use crate::format::deflate::WINDOW_SIZE;
use crate::raw::{Output, load};

/// Elements that are resolved before they are counted and checked, while they are in the first-level cache.
const PIECE: usize = 16 << 10;

/// Elements that are processed together.
const GROUP: usize = 64;

/// Elements of a cache line.
const LINE: usize = 32;

/// Lines are prefetched this many elements ahead: another processor wrote them, and they come from its
/// cache. Worth 10 % of resolving.
const PREFETCH: usize = 1024;

/// One byte for each value of an element. Its size means that no look-up needs a bounds check.
type Table = [u8; 1 << 16];
/// The place in the output of a group's bytes.
type Bytes = [MaybeUninit<u8>; GROUP];

/// Turns elements into bytes.
#[derive(Debug)]
pub struct Resolver {
    /// The byte of each element.
    table: Box<Table>,
    write: Write,
}

/// How a group is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Write {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Vbmi2,
}

impl Write {
    /// Returns the fastest way on this processor.
    fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if vbmi2::is_available() {
            return Self::Vbmi2;
        }
        Self::Portable
    }
}

impl Resolver {
    /// A resolver without a window.
    pub fn new() -> Result<Self> {
        let mut table = Vec::new();
        table.try_reserve_exact(1 << 16).map_err(|_| Error::Memory)?;
        table.extend(0..=255);
        table.resize(1 << 16, 0);
        let table = table.into_boxed_slice().try_into().map_err(|_| Error::Memory)?;
        Ok(Self { table, write: Write::detect() })
    }

    /// Sets the 32 KiB before the elements, in two parts, older bytes first. The table's other
    /// half, for literals, never changes; values from 256 to 0x7fff do not occur.
    pub fn set_window(&mut self, window: [&[u8]; 2]) {
        let (old, new) = self.table[usize::from(MARKER)..].split_at_mut(window[0].len());
        old.copy_from_slice(window[0]);
        new.copy_from_slice(window[1]);
    }

    /// Appends the bytes of the decoded elements in `range`, as far as they fit, and counts them into
    /// `stream`. Returns the number of bytes. [`pass`](Self::pass) must follow when all of the range
    /// was appended, by one call or several.
    pub fn resolve(
        &self,
        marked: &Marked,
        range: Range<usize>,
        stream: &mut Inflate,
        output: &mut Output<'_>,
    ) -> usize {
        let count = range.len().min(output.room());
        let elements = &marked.elements()[WINDOW_SIZE + range.start..][..count];
        // The window keeps the last 32 KiB of the range. If the output is too small for the range,
        // a later call continues with the rest of it, which has the same end, so the same bytes are
        // kept. The last of these calls also counts the bytes that it skips.
        let kept_from = range.end.saturating_sub(SKIPPED_BEFORE).max(range.start);
        if count == range.len() {
            stream.skip_history(kept_from - range.start);
        }
        let mut at = range.start;
        for piece in elements.chunks(PIECE) {
            let bytes = &mut output.spare()[..piece.len()];
            self.write_piece(piece, bytes);
            at += piece.len();
            // SAFETY: `write_piece` wrote all of them.
            let bytes = unsafe { &*(bytes as *const [MaybeUninit<u8>] as *const [u8]) };
            // `at` is the end of this piece: its bytes from `kept_from` on are kept.
            // The window has its memory already, or the stream would not be between two blocks.
            let kept = at.saturating_sub(kept_from).min(bytes.len());
            stream.count_decoded(bytes, kept).ok();
            // SAFETY: `write_piece` wrote this many bytes at the start of the spare room.
            unsafe { output.advance(piece.len()) };
        }
        count
    }

    /// Moves `stream` to `place`, after `count` bytes that were resolved and counted.
    pub fn pass(&self, place: &Waypoint, count: usize, stream: &mut Inflate) -> Result<()> {
        stream.pass_to(place, count)
    }

    /// Writes the bytes of all elements. `bytes` is as long as `elements`.
    fn write_piece(&self, elements: &[u16], bytes: &mut [MaybeUninit<u8>]) {
        let (groups, rest) = elements.as_chunks::<GROUP>();
        let (places, last) = bytes.as_chunks_mut::<GROUP>();
        match self.write {
            Write::Portable => {
                for (bytes, group) in places.iter_mut().zip(groups) {
                    prefetch(group);
                    write_portable(&self.table, group, bytes);
                }
            }
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `detect` found the features.
            Write::Vbmi2 => unsafe { vbmi2::write_groups(&self.table, groups, places) },
        }
        for (byte, &element) in last.iter_mut().zip(rest) {
            byte.write(self.table[usize::from(element)]);
        }
    }
}

/// Prefetches the lines of a later group. Their address may be past the elements' end, since a
/// prefetch never faults.
#[inline(always)]
fn prefetch(group: &[u16; GROUP]) {
    for line in 0..GROUP / LINE {
        load::prefetch(group.as_ptr().wrapping_add(PREFETCH + line * LINE));
    }
}

/// Writes the bytes of a group. One test for the whole group: a group without markers becomes a
/// loop that the compiler vectorises.
#[inline(always)]
fn write_portable(table: &Table, group: &[u16; GROUP], bytes: &mut Bytes) {
    let places = bytes.iter_mut().zip(group);
    if group.iter().fold(0, |all, element| all | element) & MARKER == 0 {
        places.for_each(|(byte, &element)| {
            byte.write(element as u8);
        });
    } else {
        places.for_each(|(byte, &element)| {
            byte.write(table[usize::from(element)]);
        });
    }
}

#[cfg(target_arch = "x86_64")]
mod vbmi2 {
    use super::{Bytes, GROUP, Table, prefetch};
    use core::arch::x86_64::*;

    /// With this many markers or more in a group, looking up every element is faster.
    const MANY: usize = 44;

    /// Markers are looked up this many at a time, in a loop of fixed length. The last step may look
    /// up places that hold no marker; they hold zeros, and their results are not used.
    const STEP: usize = 8;

    pub(super) fn is_available() -> bool {
        // Miri does not support these instructions.
        !cfg!(miri)
            && std::arch::is_x86_feature_detected!("avx512bw")
            && std::arch::is_x86_feature_detected!("avx512vbmi2")
            && std::arch::is_x86_feature_detected!("popcnt")
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
    pub(super) fn write_groups(table: &Table, groups: &[[u16; GROUP]], places: &mut [Bytes]) {
        for (bytes, group) in places.iter_mut().zip(groups) {
            prefetch(group);
            write_group(table, group, bytes);
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
    fn write_group(table: &Table, group: &[u16; GROUP], bytes: &mut Bytes) {
        // SAFETY: the group has 64 elements, two vectors of 32.
        let low = unsafe { _mm512_loadu_si512(group.as_ptr().cast()) };
        // SAFETY: as above; this is the second vector.
        let high = unsafe { _mm512_loadu_si512(group.as_ptr().wrapping_add(32).cast()) };
        // A marker's highest bit is its sign.
        let (low_mask, high_mask) = (_mm512_movepi16_mask(low), _mm512_movepi16_mask(high));
        let mask = u64::from(low_mask) | u64::from(high_mask) << 32;
        let narrow = _mm512_castsi256_si512(_mm512_cvtepi16_epi8(low));
        let narrow = _mm512_inserti64x4::<1>(narrow, _mm512_cvtepi16_epi8(high));
        let count = mask.count_ones() as usize;
        if count >= MANY {
            for (byte, &element) in bytes.iter_mut().zip(group) {
                byte.write(table[usize::from(element)]);
            }
            return;
        }
        let mut all = narrow;
        if count > 0 {
            // Packs the markers of both halves into one array, without a gap: the second half's
            // begin after the first half's. A whole vector is stored each time, so there is room
            // for 32 more.
            let mut markers = [0u16; GROUP + 32];
            let packed = _mm512_maskz_compress_epi16(low_mask, low);
            // SAFETY: 32 elements fit.
            unsafe { _mm512_storeu_si512(markers.as_mut_ptr().cast(), packed) };
            let second = markers.as_mut_ptr().wrapping_add(low_mask.count_ones() as usize);
            let packed = _mm512_maskz_compress_epi16(high_mask, high);
            // SAFETY: `second` is at most 32 elements from the start, and 96 fit.
            unsafe { _mm512_storeu_si512(second.cast(), packed) };
            let mut found = [0u8; GROUP];
            for (found, markers) in
                found.chunks_exact_mut(STEP).zip(markers.chunks_exact(STEP)).take(count.div_ceil(STEP))
            {
                for (byte, marker) in found.iter_mut().zip(markers) {
                    *byte = table[usize::from(*marker)];
                }
            }
            // SAFETY: 64 bytes are readable.
            let found = unsafe { _mm512_loadu_si512(found.as_ptr().cast()) };
            all = _mm512_mask_expand_epi8(narrow, mask, found);
        }
        // SAFETY: the group has 64 bytes to write.
        unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), all) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn both_ways_to_write_a_group_agree() {
        let mut random = Random::new(1);
        let window = random.bytes(WINDOW_SIZE);
        let mut fast = Resolver::new().expect("memory");
        fast.set_window([&window, &[]]);
        let mut plain = Resolver::new().expect("memory");
        (plain.write, plain.table) = (Write::Portable, fast.table.clone());
        for density in 0..=64 {
            let elements: Vec<u16> = (0..4096 + density)
                .map(|_| match random.below(64) < density {
                    true => MARKER | random.next() as u16,
                    false => random.byte().into(),
                })
                .collect();
            let resolved = |resolver: &Resolver| {
                let mut bytes = vec![MaybeUninit::new(0); elements.len()];
                resolver.write_piece(&elements, &mut bytes);
                // SAFETY: all were initialised above.
                bytes.iter().map(|byte| unsafe { byte.assume_init() }).collect::<Vec<u8>>()
            };
            let wanted = elements.iter().map(|&element| match element.checked_sub(MARKER) {
                Some(at) => window[usize::from(at)],
                None => element as u8,
            });
            let got = resolved(&plain);
            assert!(wanted.eq(got.iter().copied()));
            assert_eq!(resolved(&fast), got);
        }
    }
}
