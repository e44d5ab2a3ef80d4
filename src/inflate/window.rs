//! `Window`: the buffer that a stream decodes into, which keeps its last 32 KiB between calls.
//!
//! A stream does not decode into the caller's output buffer. Its last bytes could not be written with wide stores,
//! because nothing past the bytes actually produced may be overwritten; and most matches of a call with 4 KiB of room
//! reach back to earlier calls, whose buffers may be gone. So a stream decodes into its own window, where history and new
//! output are contiguous, and copies the output to the caller. The window is a ring (`history`): new output overwrites
//! bytes more than 32 KiB back. So a stream takes no more memory than zlib's, and is not slower than with a window twice
//! as large that slides when it is full (docs/DECODER.md).
//!
//! The copy to the caller moves each byte once, inside the first cache level: 2 to 4 % of the decoding time. In return
//! the fast loop runs to the end of every call, and calls of 4 KiB cost little more than large ones do. Checksums also
//! get their data in small pieces that are still in cache.
//!
//! The memory comes from the stream's allocator and is never cleared; the fields record which part is initialised. It is
//! allocated only when necessary, like zlib's window. The first call decodes into a [`Scratch`] on the stack. If its
//! output fits there and need not be kept for later calls, the stream gets no window at all.

use core::mem::MaybeUninit;
use core::ptr::NonNull;

use super::history::History;
use crate::error::{Error, Result};
use crate::format::deflate::WINDOW_SIZE;
use crate::raw::{Allocator, copy};

/// Bytes of the ring.
const RING: usize = History::<u8>::RING;

/// Bytes that a stream's window takes: the ring, and slop for wide stores past it.
pub(super) const WINDOW_BYTES: usize = RING + copy::SLOP_BYTES;

/// Bytes that a first call may output before it allocates a window.
const SCRATCH: usize = 4096;

/// Bytes of a scratch's memory: the scratch, and slop for wide stores past it.
const SCRATCH_BYTES: usize = SCRATCH + copy::SLOP_BYTES;

/// Memory for a [`Scratch`], which need not be initialised.
pub type ScratchMemory = MaybeUninit<[u8; SCRATCH_BYTES]>;

/// The buffer that a call decodes into while the stream has no window.
///
/// It borrows its memory: in a struct that also has an initialised field the compiler (1.95) clears the
/// memory, 4 KiB in each call.
#[derive(Debug)]
pub struct Scratch<'m> {
    memory: &'m mut ScratchMemory,
    /// How many bytes at the front are initialised.
    len: usize,
}

impl<'m> Scratch<'m> {
    /// A scratch in `memory`, of which nothing is used yet.
    #[inline(always)]
    pub fn new(memory: &'m mut ScratchMemory) -> Self {
        Self { memory, len: 0 }
    }
}

/// The number of bytes that must follow skipped ones: as many as a match may reach back.
pub(super) const SKIPPED_BEFORE: usize = WINDOW_SIZE;

/// A stream's history and newest output.
#[derive(Debug)]
pub(super) struct Window {
    /// `WINDOW_BYTES` bytes, of which `len` before `position` are initialised.
    memory: Option<NonNull<u8>>,
    allocator: Allocator,
    /// Where the next byte goes.
    position: usize,
    /// Bytes before this were delivered. It is `position` between calls.
    delivered: usize,
    /// How many bytes before `position` are kept.
    len: usize,
    /// How many of them a match may repeat.
    reach: usize,
    /// How many of them this call appended; more than `len` if some have been overwritten.
    appended: usize,
}

// SAFETY: a window owns its memory alone. A foreign allocator must be called on its own thread: a stream that has one
// is dropped there.
unsafe impl Send for Window {}

impl Window {
    /// A window without memory.
    pub(super) const fn new(allocator: Allocator) -> Self {
        Self { memory: None, allocator, position: 0, delivered: 0, len: 0, reach: 0, appended: 0 }
    }

    /// The allocator of its memory.
    pub(super) fn allocator(&self) -> Allocator {
        self.allocator
    }

    /// Drops all history.
    pub(super) fn clear(&mut self) {
        (self.position, self.delivered, self.len, self.reach, self.appended) = (0, 0, 0, 0, 0);
    }

    /// Limits matches to the last `len` bytes and the bytes appended from now on.
    #[inline]
    pub(super) fn begin_call(&mut self, len: usize) {
        self.reach = len.min(self.len);
        self.appended = 0;
    }

    /// How far back a match may reach.
    pub(super) fn reach(&self) -> usize {
        self.reach
    }

    /// Counts `count` bytes as appended without storing them. At least [`SKIPPED_BEFORE`] bytes that are
    /// stored must follow, so no match reaches back to them. The count is for
    /// [`end_as_begun`](Self::end_as_begun).
    pub(super) fn skip(&mut self, count: usize) {
        self.appended = self.appended.saturating_add(count);
    }

    /// Drops the bytes appended in this call, if the `len` bytes before them have not been overwritten.
    /// Otherwise nothing is dropped: the window then differs from zlib's (docs/DECODER.md).
    pub(super) fn end_as_begun(&mut self, len: usize) {
        if self.appended + len <= self.len {
            self.position = if self.position >= self.appended {
                self.position - self.appended
            } else {
                self.position + RING - self.appended
            };
            self.len -= self.appended;
            self.reach = self.reach.min(self.len);
            self.delivered = self.position;
        }
    }

    /// Moves the output that a call left in `scratch` to allocated memory.
    pub(super) fn keep(&mut self, scratch: &mut Scratch<'_>) -> Result<()> {
        if self.memory.is_some() || self.position == 0 {
            return Ok(());
        }
        self.allocate(Some(scratch))
    }

    /// Drops the output that a call left in its scratch.
    pub(super) fn drop_scratch(&mut self) {
        if self.memory.is_none() {
            self.clear();
        }
    }

    /// Calls `fill` with a history that has room for at most `room` bytes, and for at least one if `room` is not 0.
    ///
    /// # Panics
    /// If `fill` replaces the history by another one.
    #[inline(always)]
    pub(super) fn fill<R>(
        &mut self,
        scratch: &mut Scratch<'_>,
        room: usize,
        fill: impl FnOnce(&mut History<'_, u8>) -> R,
    ) -> Result<R> {
        let mut history = self.history(scratch, room)?;
        let base = history.base();
        let result = fill(&mut history);
        assert!(history.is_over(base));
        let position = history.position();
        if self.memory.is_none() {
            scratch.len = position;
        }
        self.count(position);
        Ok(result)
    }

    /// Whether the window has memory, and `room` bytes can be appended without crossing the ring's
    /// end.
    #[inline(always)]
    pub(super) fn has_room(&self, room: usize) -> bool {
        self.memory.is_some() && room <= RING - self.position
    }

    /// A whole call: limits matches to the last `len` bytes, and calls `fill` with a history that has room for exactly `room` bytes;
    /// the window [must have](Self::has_room) that room. Returns whether `fill` returned true and filled it; otherwise nothing is
    /// counted.
    #[inline(always)]
    pub(super) fn fill_few(
        &mut self,
        len: usize,
        room: usize,
        fill: impl FnOnce(&mut History<'_, u8>) -> bool,
    ) -> bool {
        let Some(memory) = self.memory else { return false };
        let reach = len.min(self.len);
        assert!(room <= RING - self.position);
        let limit = self.position + room;
        // SAFETY: as in `ring`; `reach <= self.len`.
        let mut history = unsafe { History::from_ring(memory.as_ptr(), reach, self.position, limit) };
        let base = history.base();
        let is_full = fill(&mut history) && history.is_over(base) && history.position() == limit;
        if is_full {
            (self.reach, self.appended) = (reach, 0);
            self.count(limit);
        }
        is_full
    }

    /// Returns the history for the next bytes, at most `room`.
    fn history<'h>(&'h mut self, scratch: &'h mut Scratch<'_>, room: usize) -> Result<History<'h, u8>> {
        if self.memory.is_none() {
            // Up to 4 KiB of a first call go to the scratch. After that the output so far is moved
            // to allocated memory, where it has the same position.
            if self.position < SCRATCH || room == 0 {
                let limit = SCRATCH.min(self.position.saturating_add(room));
                assert!(self.position <= scratch.len, "the scratch of another call");
                let (base, len) = (scratch.memory.as_mut_ptr().cast::<u8>(), SCRATCH_BYTES);
                // SAFETY: all of the scratch is writable and borrowed; those `position` bytes that this call has appended to
                // it are initialised, and `reach`, of a window that was empty, is some of them.
                return Ok(unsafe {
                    History::from_raw(base, self.position - self.reach, self.position, limit, len)
                });
            }
            self.allocate(Some(scratch))?;
        }
        self.ring(room)
    }

    /// [`history`](Self::history) of a window with memory.
    fn ring(&mut self, room: usize) -> Result<History<'_, u8>> {
        let Some(memory) = self.memory else { return Err(Error::Memory) };
        // The ring continues at its base after its end. No history crosses the end: its limit is
        // there, so a call with more room decodes in several steps. All bytes before the end have
        // been delivered by then.
        if self.position == RING && room > 0 {
            (self.position, self.delivered) = (0, self.delivered.saturating_sub(RING));
        }
        let limit = RING.min(self.position.saturating_add(room));
        // SAFETY: `WINDOW_BYTES` belong to this window and are borrowed with it; `len`, and so `reach`, bytes before
        // `position` are initialised.
        Ok(unsafe { History::from_ring(memory.as_ptr(), self.reach, self.position, limit) })
    }

    /// Counts the bytes that a history of this window, in its memory or in a scratch, has appended up to `position`.
    fn count(&mut self, position: usize) {
        debug_assert!(position >= self.position && position <= RING);
        let count = position - self.position;
        self.position = position;
        self.appended = self.appended.saturating_add(count);
        // Wide stores may have overwritten bytes farther back. Of the ring's 32 KiB and `GAP` bytes
        // at most those in the gap are affected.
        self.len = WINDOW_SIZE.min(self.len + count);
        self.reach = WINDOW_SIZE.min(self.reach + count);
    }

    /// Returns the bytes not delivered yet, and marks them as delivered. A window without memory needs `scratch`.
    #[inline(always)]
    pub(super) fn deliver<'w>(&'w mut self, scratch: Option<&'w Scratch<'_>>) -> &'w [u8] {
        let start = core::mem::replace(&mut self.delivered, self.position);
        let base = match (self.memory, scratch) {
            (Some(memory), _) => memory.as_ptr().cast_const(),
            (None, Some(scratch)) => {
                assert!(self.position <= scratch.len, "the scratch of another call");
                scratch.memory.as_ptr().cast()
            }
            (None, None) => unreachable!("only a window with memory needs no scratch"),
        };
        // SAFETY: the bytes between the two were appended since the last delivery, without crossing
        // the ring's end, so they are initialised.
        unsafe { core::slice::from_raw_parts(base.wrapping_add(start), self.position - start) }
    }

    /// The last `len` bytes, in one piece. For rare calls such as `inflateGetDictionary`: if the
    /// bytes cross the ring's end, the whole ring is rotated.
    pub(super) fn last(&mut self, len: usize) -> &[u8] {
        let len = len.min(self.len);
        let Some(memory) = self.memory else { return &[] };
        if len > self.position {
            self.rotate(memory);
        }
        // SAFETY: `len <= position`, and that many bytes before it are initialised.
        unsafe { core::slice::from_raw_parts(memory.as_ptr().wrapping_add(self.position - len), len) }
    }

    /// The last `len` bytes, which must be kept, in two parts.
    pub(super) fn last_parts(&self, len: usize) -> [&[u8]; 2] {
        assert!(len <= self.len);
        let Some(memory) = self.memory else { return [&[], &[]] };
        let (old, new) = (len.saturating_sub(self.position), len.min(self.position));
        let part = |start: usize, len: usize| {
            // SAFETY: both parts lie among the last `self.len` bytes, which are initialised, at either end of the ring.
            unsafe { core::slice::from_raw_parts(memory.as_ptr().wrapping_add(start), len) }
        };
        [part(RING - old, old), part(self.position - new, new)]
    }

    /// Rotates the ring so that all its bytes lie before the position.
    fn rotate(&mut self, memory: NonNull<u8>) {
        // SAFETY: the type allows uninitialised bytes, and the ring is borrowed with the window.
        let ring =
            unsafe { core::slice::from_raw_parts_mut(memory.as_ptr().cast::<MaybeUninit<u8>>(), RING) };
        ring.rotate_left(self.position);
        (self.position, self.delivered) = (RING, RING);
    }

    /// Appends bytes that need not be delivered: decoded elsewhere, or a dictionary.
    pub(super) fn remember(&mut self, mut bytes: &[u8]) -> Result<()> {
        if let Some(surplus) = bytes.len().checked_sub(WINDOW_SIZE) {
            bytes = &bytes[surplus..];
        }
        if self.memory.is_none() && !bytes.is_empty() {
            // Nothing is in a scratch: these bytes are a dictionary's, or follow a full window.
            self.drop_scratch();
            self.allocate(None)?;
        }
        while !bytes.is_empty() {
            let mut history = self.ring(bytes.len())?;
            let count = history.append(bytes);
            let position = history.position();
            self.count(position);
            bytes = &bytes[count..];
        }
        self.delivered = self.position;
        Ok(())
    }

    /// A copy of this window, with its own memory.
    pub(super) fn try_clone(&self) -> Result<Self> {
        let mut clone = Self { memory: None, ..*self };
        if let Some(memory) = self.memory {
            let copy = clone.allocate_bytes()?;
            // SAFETY: both are `WINDOW_BYTES` bytes, and do not overlap; uninitialised bytes are copied as such.
            unsafe { core::ptr::copy_nonoverlapping(memory.as_ptr(), copy.as_ptr(), WINDOW_BYTES) };
            clone.memory = Some(copy);
        }
        Ok(clone)
    }

    /// Allocates the memory, and copies the output that a call left in its scratch, if any.
    fn allocate(&mut self, scratch: Option<&Scratch<'_>>) -> Result<()> {
        let memory = self.allocate_bytes()?;
        if let Some(scratch) = scratch {
            assert!(self.position <= SCRATCH && self.position <= scratch.len, "the scratch of another call");
            let bytes = scratch.memory.as_ptr().cast();
            // SAFETY: `position <= SCRATCH`, which is less than either has, and the memory is new.
            unsafe { core::ptr::copy_nonoverlapping(bytes, memory.as_ptr(), self.position) };
        }
        self.memory = Some(memory);
        Ok(())
    }

    fn allocate_bytes(&self) -> Result<NonNull<u8>> {
        let (alloc, _, opaque) = self.allocator.parts();
        // SAFETY: the allocator's contract allows the call on the stream's thread.
        let memory = unsafe { alloc(opaque, 1, WINDOW_BYTES as u32) };
        NonNull::new(memory.cast::<u8>()).ok_or(Error::Memory)
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let Some(memory) = self.memory.take() else { return };
        let (_, free, opaque) = self.allocator.parts();
        // SAFETY: the memory came from `alloc` of the same pair and is not used again.
        unsafe { free(opaque, memory.as_ptr().cast()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(len: usize) -> Vec<u8> {
        (0..len as u32).map(|at| (at ^ at >> 7) as u8).collect()
    }

    #[test]
    fn history_survives_the_end_of_the_ring() {
        let data = data(200_000);
        for piece in [1, 777, 32_768, 32_800, 40_000] {
            let mut window = Window::new(Allocator::SYSTEM);
            let mut done = 0;
            for bytes in data.chunks(piece) {
                window.remember(bytes).expect("malloc returns 32 KiB");
                done += bytes.len();
                if done % 5 == 0 {
                    let len = done.min(WINDOW_SIZE);
                    assert_eq!(window.last_parts(len).concat(), data[done - len..done]);
                    assert_eq!(window.last(len), &data[done - len..done]);
                    let mut clone = window.try_clone().expect("malloc returns 32 KiB");
                    assert_eq!(clone.last(len), &data[done - len..done]);
                }
            }
        }
    }

    #[test]
    fn a_first_call_takes_memory_only_when_its_scratch_is_full_or_to_be_kept() {
        let data = data(SCRATCH + 100);
        for (len, keep) in [(10, false), (10, true), (SCRATCH, false), (SCRATCH, true), (data.len(), false)] {
            let mut window = Window::new(Allocator::SYSTEM);
            let mut memory = ScratchMemory::uninit();
            let mut scratch = Scratch::new(&mut memory);
            let (mut rest, mut given) = (&data[..len], Vec::new());
            window.begin_call(0);
            while !rest.is_empty() {
                let count = window.fill(&mut scratch, 10_000, |history| history.append(rest));
                rest = &rest[count.expect("malloc returns 32 KiB")..];
                given.extend_from_slice(window.deliver(Some(&scratch)));
            }
            assert_eq!(given, data[..len]);
            if keep {
                window.keep(&mut scratch).expect("malloc returns 32 KiB");
            }
            assert_eq!(window.memory.is_some(), keep || len > SCRATCH);
            if window.memory.is_some() {
                assert_eq!(window.last(len), &data[..len]);
            }
        }
    }

    #[test]
    fn a_call_is_undone_if_nothing_before_it_was_overwritten() {
        let data = data(WINDOW_SIZE + 20_000);
        let mut window = Window::new(Allocator::SYSTEM);
        window.remember(&data[..10_000]).expect("malloc returns 32 KiB");
        window.begin_call(10_000);
        window.remember(&data[10_000..20_000]).expect("the window has memory");
        window.end_as_begun(10_000);
        assert_eq!(window.last(10_000), &data[..10_000]);
        window.begin_call(10_000);
        window.remember(&data[10_000..WINDOW_SIZE + 1]).expect("the window has memory");
        window.end_as_begun(10_000);
        assert_eq!(window.last(WINDOW_SIZE), &data[1..WINDOW_SIZE + 1]);
    }

    #[test]
    #[should_panic(expected = "is_over")]
    fn another_history_in_place_of_the_one_lent_is_refused() {
        let mut other = [0; 10];
        let mut window = Window::new(Allocator::SYSTEM);
        let other = History::new(&mut other, 10);
        let _ = window
            .fill(&mut Scratch::new(&mut ScratchMemory::uninit()), 1, |history| replace(history, other));
        /// The lifetimes agree only because nothing is read through the history.
        fn replace<'a>(history: &mut History<'a, u8>, other: History<'_, u8>) {
            // SAFETY: for the test, which ends before the memory does.
            *history = unsafe { core::mem::transmute::<History<'_, u8>, History<'a, u8>>(other) };
        }
    }

    #[test]
    fn refused_memory_is_reported() {
        unsafe extern "C" fn refuse(_: *mut core::ffi::c_void, _: u32, _: u32) -> *mut core::ffi::c_void {
            core::ptr::null_mut()
        }
        let (_, free, opaque) = Allocator::SYSTEM.parts();
        // SAFETY: `refuse` always returns null, so `free` is never called.
        let allocator = unsafe { Allocator::foreign(refuse, free, opaque) };
        let mut window = Window::new(allocator);
        let mut memory = ScratchMemory::uninit();
        let mut scratch = Scratch::new(&mut memory);
        assert_eq!(window.fill(&mut scratch, 1, |history| history.append(b"x")), Ok(1));
        assert_eq!(window.keep(&mut scratch), Err(Error::Memory));
        assert_eq!(window.remember(b"x"), Err(Error::Memory));
    }
}
