//! `History`: an append-only buffer whose earlier elements may be repeated.
//!
//! A DEFLATE decoder only appends elements to its output and repeats earlier ones. This is such a buffer, over memory
//! that may be uninitialised past the write position: a caller's output buffer, or the window of a stream.
//! `low`, `position` and `limit` divide it:
//!
//! ```text
//! base        low            position        limit        capacity
//!  |  (gone)   |   may be      |    room       |   slop      |
//!  |           |   repeated    |               |             |
//! ```
//!
//! Matches may reach back to `low`; elements before it may exist but are not part of the stream's history. Elements are
//! appended up to `limit`. Wide stores may overwrite anything from `position` to `capacity`; *slop* is spare memory past the
//! limit for them. With enough of it, decoding runs at full speed up to the limit.
//!
//! A stream's window is a *ring* buffer: after its last element `position` returns to the base, and older elements are at
//! the other end; `low` is then before the base, in wrapping arithmetic. The ring is [`GAP`](History::GAP) elements larger than the largest distance, so that wide stores past the
//! position do not overwrite elements that may still be repeated.
//!
//! ```text
//! base           position                                      RING    capacity
//!  |   newest      | room, gap | oldest that may be repeated ... | slop  |
//! ```
//!
//! The element is a byte, or a 16-bit unit that can also be an index into a window that is not known yet.

use core::marker::PhantomData;

use crate::format::deflate::WINDOW_SIZE;
use crate::raw::{Output, copy};

/// An element of a decoder's output: a byte, or a 16-bit unit, whose values from 0x8000 on are indices
/// into a window that is not known yet.
///
/// # Safety
/// - Elements may be copied as bytes, and their size divides [`copy::SLOP_BYTES`].
/// - The two store functions write exactly as many elements at `target` as there are literals, and nothing else.
pub(crate) unsafe trait Element: Copy {
    /// Converts a literal to an element.
    fn literal(byte: u8) -> Self;

    /// Stores the elements of two literals, the first in the low byte of `literals`.
    ///
    /// # Safety
    /// - `target` is valid for writes of two elements.
    unsafe fn store_two(literals: u16, target: *mut Self);

    /// Stores `bytes` as elements.
    ///
    /// # Safety
    /// - `target` is valid for writes of as many elements, and does not overlap `bytes`.
    unsafe fn store_literals(bytes: &[u8], target: *mut Self);
}

// SAFETY: every byte is a valid element; `store_two` writes two elements, `store_literals` `bytes.len()`.
unsafe impl Element for u8 {
    #[inline(always)]
    fn literal(byte: u8) -> Self {
        byte
    }

    #[inline(always)]
    unsafe fn store_two(literals: u16, target: *mut Self) {
        // SAFETY: the caller's promise; the write needs no alignment.
        unsafe { target.cast::<[u8; 2]>().write_unaligned(literals.to_le_bytes()) };
    }

    unsafe fn store_literals(bytes: &[u8], target: *mut Self) {
        // SAFETY: the caller's promise.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), target, bytes.len()) };
    }
}

// SAFETY: all 16 bits are valid elements; `store_two` writes two elements, `store_literals` `bytes.len()`.
unsafe impl Element for u16 {
    #[inline(always)]
    fn literal(byte: u8) -> Self {
        u16::from(byte)
    }

    #[inline(always)]
    unsafe fn store_two(literals: u16, target: *mut Self) {
        // SAFETY: the caller's promise.
        unsafe { target.cast::<[u16; 2]>().write_unaligned([literals & 0xff, literals >> 8]) };
    }

    unsafe fn store_literals(bytes: &[u8], target: *mut Self) {
        for (at, &byte) in bytes.iter().enumerate() {
            // SAFETY: the caller's promise.
            unsafe { target.wrapping_add(at).write(u16::from(byte)) };
        }
    }
}

/// An append-only view of a buffer. Elements from `low` to `position` are initialised; in a ring those before the base are
/// at its other end.
#[derive(Debug)]
pub(crate) struct History<'a, T> {
    base: *mut T,
    /// Whether the buffer is a ring, of `RING` elements.
    is_ring: bool,
    /// Relative to the base; in a ring it may be before the base, in wrapping arithmetic.
    low: usize,
    position: usize,
    limit: usize,
    capacity: usize,
    _buffer: PhantomData<&'a mut [T]>,
}

impl<'a, T: Element> History<'a, T> {
    /// How many elements past the end of a match the fast path may overwrite.
    pub(crate) const SLOP: usize = copy::SLOP_BYTES / size_of::<T>();
    /// How many elements a ring has in addition to those that may be repeated: one `SLOP` for wide stores, and one for the
    /// bytes that a short call which failed wrote past the position (`stream.rs`, `FEW`).
    pub(crate) const GAP: usize = 2 * Self::SLOP;
    /// How many elements a ring has.
    pub(crate) const RING: usize = WINDOW_SIZE + Self::GAP;

    /// A history over `buffer`, whose first `position` elements are already part of it and may be repeated.
    pub(crate) fn new(buffer: &'a mut [T], position: usize) -> Self {
        assert!(position <= buffer.len());
        let (base, len) = (buffer.as_mut_ptr(), buffer.len());
        Self { base, is_ring: false, low: 0, position, limit: len, capacity: len, _buffer: PhantomData }
    }

    /// A history over memory given by a pointer.
    ///
    /// # Safety
    /// - `base` is valid for reads and writes of `capacity` elements for `'a`, and nothing else touches them meanwhile.
    /// - The elements from `low` to `position` are initialised.
    /// - `low <= position <= limit <= capacity`.
    pub(crate) unsafe fn from_raw(
        base: *mut T,
        low: usize,
        position: usize,
        limit: usize,
        capacity: usize,
    ) -> Self {
        debug_assert!(low <= position && position <= limit && limit <= capacity);
        Self { base, is_ring: false, low, position, limit, capacity, _buffer: PhantomData }
    }

    /// The same for a ring.
    ///
    /// # Safety
    /// - `base` is valid for reads and writes of `RING + SLOP` elements for `'a`, and nothing else touches them meanwhile.
    /// - `position <= limit <= RING`; `reach <= WINDOW_SIZE`.
    /// - The `reach` elements before `position` are initialised, those before the base at the ring's end.
    pub(crate) unsafe fn from_ring(base: *mut T, reach: usize, position: usize, limit: usize) -> Self {
        debug_assert!(position <= limit && limit <= Self::RING && reach <= WINDOW_SIZE);
        let low = position.wrapping_sub(reach);
        let capacity = Self::RING + Self::SLOP;
        Self { base, is_ring: true, low, position, limit, capacity, _buffer: PhantomData }
    }

    /// Where the next element goes, counted from the base.
    #[inline(always)]
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// How many more elements may be appended.
    #[inline(always)]
    pub(crate) fn room(&self) -> usize {
        self.limit - self.position
    }

    /// Sets how far elements may be appended.
    pub(crate) fn set_limit(&mut self, limit: usize) {
        let most = if self.is_ring { Self::RING } else { self.capacity };
        assert!(self.position <= limit && limit <= most);
        self.limit = limit;
    }

    /// Where its memory begins.
    pub(super) fn base(&self) -> *const T {
        self.base
    }

    /// Whether this is the history of the memory at `base`. A function that lent a `&mut History` must check this before it
    /// relies on the position: the borrower may have replaced the history.
    pub(super) fn is_over(&self, base: *const T) -> bool {
        core::ptr::eq(self.base, base)
    }

    /// How far back a match may reach. In a ring this grows past `WINDOW_SIZE`, but no match reaches farther than that.
    #[inline(always)]
    pub(crate) fn reach(&self) -> usize {
        self.position.wrapping_sub(self.low)
    }

    /// Appends one element. There must be room.
    #[inline(always)]
    pub(crate) fn push(&mut self, element: T) {
        assert!(self.position < self.limit);
        // SAFETY: `position < limit <= capacity`.
        unsafe { self.base.wrapping_add(self.position).write(element) };
        self.position += 1;
    }

    /// Appends `length` elements that begin `distance` back. There must be enough reach and room.
    #[inline(always)]
    pub(crate) fn repeat(&mut self, distance: usize, length: usize) {
        assert!(distance >= 1 && distance <= self.reach() && length <= self.room());
        if length == 0 {
            return;
        }
        if self.is_ring && distance > self.position {
            self.repeat_from_end(self.position + Self::RING - distance, length);
        } else if length + Self::SLOP <= self.capacity - self.position {
            let scale = size_of::<T>();
            let target = self.base.wrapping_add(self.position).cast::<u8>();
            // SAFETY: `distance` initialised elements lie before `target` and `length + SLOP` writable ones from it on.
            unsafe { copy::copy_match(target, distance * scale, length * scale) };
        } else {
            for at in self.position..self.position + length {
                // SAFETY: `low <= at - distance`, and everything from `low` to `at` is initialised by now.
                let element = unsafe { self.base.wrapping_add(at - distance).read() };
                // SAFETY: `at < position + length <= limit <= capacity`.
                unsafe { self.base.wrapping_add(at).write(element) };
            }
        }
        self.position += length;
    }

    /// Appends `length` elements that begin at `source` near the end of the ring and may continue at its base.
    fn repeat_from_end(&mut self, source: usize, length: usize) {
        assert!(source >= self.position + Self::GAP, "no distance is larger than a window");
        for at in 0..length {
            let from = source + at;
            let from = if from < Self::RING { from } else { from - Self::RING };
            // SAFETY: `repeat` checked that the source is within reach, so it is initialised, at either end of the ring; and it
            // was not overwritten, by the assertion above.
            let element = unsafe { self.base.wrapping_add(from).read() };
            // SAFETY: `repeat` checked that there is room.
            unsafe { self.base.wrapping_add(self.position + at).write(element) };
        }
    }

    /// The fast path's view.
    #[inline(always)]
    pub(super) fn fast_parts(&mut self) -> FastParts<T> {
        // The fast path does not compare elements at the ring's other end with `low`, so it may repeat them only if a whole
        // window of 32 KiB may be repeated; in a stream with a smaller window less may be.
        let is_ahead = self.low > self.position;
        let last = self.limit.min(self.capacity.saturating_sub(Self::SLOP)).max(self.position);
        FastParts {
            base: self.base,
            wraps: is_ahead && self.reach() >= WINDOW_SIZE,
            low: self.base.wrapping_add(if is_ahead { 0 } else { self.low }),
            next: self.base.wrapping_add(self.position),
            end: self.base.wrapping_add(last),
        }
    }

    /// Moves the write position to where the fast path left it.
    ///
    /// # Safety
    /// - `next` lies between the `next` and `end` that [`fast_parts`](Self::fast_parts) returned, and everything before
    ///   it was written.
    #[inline(always)]
    pub(super) unsafe fn advance_to(&mut self, next: *mut T) {
        self.position = (next as usize - self.base as usize) / size_of::<T>();
        debug_assert!(self.position <= self.limit);
    }

    /// Appends as many of the first `bytes` as there is room for; returns how many.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> usize {
        let bytes = &bytes[..bytes.len().min(self.room())];
        // SAFETY: there is room, and a live `&[u8]` cannot overlap a buffer that is exclusively ours.
        unsafe { T::store_literals(bytes, self.base.wrapping_add(self.position)) };
        self.position += bytes.len();
        bytes.len()
    }
}

/// A history over the room of an [`Output`], empty at first.
#[derive(Debug)]
pub(crate) struct OutputHistory<'o, 'a> {
    output: &'o mut Output<'a>,
    history: History<'o, u8>,
}

impl<'o, 'a> OutputHistory<'o, 'a> {
    /// An empty history at the output's present end.
    pub(crate) fn new(output: &'o mut Output<'a>) -> Self {
        let room = output.room();
        let base = output.cursor();
        // SAFETY: the room of an output is writable and borrowed by us alone; nothing in it is claimed to be initialised.
        let history = unsafe { History::from_raw(base, 0, 0, room, room) };
        Self { output, history }
    }

    /// The history.
    #[inline(always)]
    pub(crate) fn history(&mut self) -> &mut History<'o, u8> {
        &mut self.history
    }

    /// The bytes appended.
    pub(crate) fn bytes(&self) -> &[u8] {
        if self.history.position == 0 {
            return &[]; // The base may be null if there is no room.
        }
        // SAFETY: everything from 0 to `position` was appended by the history, whose memory is borrowed with it.
        unsafe { core::slice::from_raw_parts(self.history.base, self.history.position) }
    }

    /// Advances the output by the bytes appended; returns how many.
    ///
    /// # Panics
    /// If the history that [`history`](Self::history) lent was replaced by another one.
    pub(crate) fn finish(self) -> usize {
        let count = self.history.position;
        assert!(self.history.is_over(self.output.cursor()));
        // SAFETY: the history is the output's room, and appended that many bytes from its start on.
        unsafe { self.output.advance(count) };
        count
    }
}

/// The fast path's view of a history; see [`History::fast_parts`].
#[derive(Clone, Copy, Debug)]
pub(super) struct FastParts<T> {
    /// The first element of the memory.
    pub(super) base: *mut T,
    /// Whether matches at any distance that begin before the base can be read at the end of the ring.
    pub(super) wraps: bool,
    /// The first element that a match may repeat, unless the history wraps.
    pub(super) low: *mut T,
    /// Where the next element goes.
    pub(super) next: *mut T,
    /// Matches may end here or before; past it lie at least `SLOP` more writable elements, unless it equals `next`.
    pub(super) end: *mut T,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_at_the_very_end_stays_inside() {
        for length in 1..=40 {
            let mut buffer = vec![7u8; 8 + length + 64];
            buffer[..8].copy_from_slice(b"abcdefgh");
            let mut history = History::new(&mut buffer[..8 + length], 8);
            history.repeat(3, length);
            assert_eq!(history.room(), 0);
            assert_eq!(buffer[8 + length..], [7; 64]);
            for at in 8..8 + length {
                assert_eq!(buffer[at], buffer[at - 3]);
            }
        }
    }

    #[test]
    fn a_ring_repeats_across_its_ends_as_a_linear_buffer_does() {
        const RING: usize = History::<u8>::RING;
        let mut line: Vec<u8> = (0..3 * RING as u32).map(|at| (at ^ at >> 7 ^ at >> 13) as u8).collect();
        // miri takes up to a minute for each case.
        let (positions, distances, lengths): (&[usize], &[usize], &[usize]) = if cfg!(miri) {
            (&[0, RING - 300], &[17, 32_768], &[258])
        } else {
            (
                &[0, 1, 15, 16, 40, 300, 20_000, RING - 300, RING - 1],
                &[1, 2, 15, 16, 17, 31, 39, 40, 41, 290, 299, 300, 301, 20_000, 32_767, 32_768],
                &[1, 3, 15, 16, 17, 32, 33, 100, 258],
            )
        };
        for &position in positions {
            let start = 2 * RING + position;
            for &distance in distances {
                for &length in lengths {
                    let length = length.min(RING - position);
                    let mut ring = vec![0u8; RING + History::<u8>::SLOP];
                    for at in start - WINDOW_SIZE..start {
                        ring[at % RING] = line[at];
                    }
                    for at in start..start + length {
                        line[at] = line[at - distance];
                    }
                    let base = ring.as_mut_ptr();
                    // SAFETY: the vector has this size, and is used through the history alone until that is gone.
                    let mut history = unsafe { History::from_ring(base, WINDOW_SIZE, position, RING) };
                    history.repeat(distance, length);
                    assert_eq!(history.position(), position + length);
                    let end = start + length;
                    let wanted = end - WINDOW_SIZE..end;
                    assert!(
                        wanted.clone().all(|at| ring[at % RING] == line[at]),
                        "position {position} distance {distance} length {length}"
                    );
                }
            }
        }
    }

    #[test]
    fn sixteen_bit_elements_repeat_whole() {
        let mut buffer = vec![0u16; 400];
        buffer[0] = 0x8001;
        buffer[1] = 0x8002;
        let mut history = History::new(&mut buffer, 2);
        history.repeat(2, 258);
        assert!(buffer[..260].chunks(2).all(|pair| pair == [0x8001, 0x8002]));
    }
}
