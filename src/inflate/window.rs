//! `Window`: what a stream decodes into, and where it keeps its last 32 KiB between calls.
//!
//! A caller's output buffer is a poor place to decode into. Its last bytes cannot be written in wide strokes, since
//! not a byte behind the room, and not one behind what is really produced, may be touched; and most matches of a call
//! with 4 KiB of room reach back to earlier calls, whose buffers are gone. So a stream decodes into a window of its
//! own, where history and new output are one piece, and hands out copies:
//!
//! ```text
//! 0                32 KiB               64 KiB
//! |    history      |    new output       | slop |
//! ```
//!
//! When the window is full its last 32 KiB slide to the front. That and the copy to the caller move a byte twice at
//! most, inside the first two cache levels: 2 to 4 % of the decoding time. In return the fast loop runs to the end of
//! every call, and calls of 4 KiB cost what large ones do. It also gives checksums their data in small, warm pieces.
//!
//! The memory comes from the stream's allocator when first needed and is never cleared: marks tell which part of it means
//! something. It begins with 24 KiB, since many a stream is short, or has given little when it comes to rest; with
//! its decoder it is then smaller than zlib's. What does not fit there moves, once, to the full size.

use core::ptr::NonNull;

use super::history::History;
use crate::error::{Error, Result};
use crate::format::deflate::WINDOW_SIZE;
use crate::raw::{Allocator, copy};

/// Where new output must stop and the window slides.
const END: usize = 2 * WINDOW_SIZE;
/// Where it stops in the first, smaller memory.
const FIRST_END: usize = 24 << 10;

/// The bytes that must follow skipped ones: all that the memory holds.
pub(crate) const SKIPPED_BEFORE: usize = END;

/// A stream's history and newest output.
#[derive(Debug)]
pub(crate) struct Window {
    /// `end` bytes and slop for wide strokes behind them, of which those before `position` are initialised, once there was something
    /// to keep.
    memory: Option<NonNull<u8>>,
    /// `FIRST_END` or `END`; 0 without memory.
    end: usize,
    allocator: Allocator,
    /// Where the next byte goes.
    position: usize,
    /// Bytes before this were handed out.
    delivered: usize,
    /// The first byte that a match may repeat.
    low: usize,
    /// Where the next byte went when the call began; 0 when that has slid out.
    call_start: usize,
}

// SAFETY: a window owns its memory alone. A foreign allocator must be called on its own thread: whoever drops a
// stream with one does so there.
unsafe impl Send for Window {}

impl Window {
    /// A window without memory.
    pub(crate) const fn new(allocator: Allocator) -> Self {
        Self { memory: None, end: 0, allocator, position: 0, delivered: 0, low: 0, call_start: 0 }
    }

    /// Forgets all history.
    pub(crate) fn clear(&mut self) {
        (self.position, self.delivered, self.low, self.call_start) = (0, 0, 0, 0);
    }

    /// Makes the last `len` bytes, and what is appended from now on, all that a match may repeat.
    pub(crate) fn begin_call(&mut self, len: usize) {
        self.low = self.position - len.min(self.position);
        self.call_start = self.position;
    }

    /// How far back a match may reach.
    pub(crate) fn reach(&self) -> usize {
        self.position - self.low
    }

    /// Counts `count` bytes as appended that nobody will look back to: [`SKIPPED_BEFORE`] bytes that
    /// are kept must follow. The window slides as if the bytes had been appended, since callers can
    /// see how much of it is left at a stream's end.
    pub(crate) fn skip(&mut self, count: usize) {
        if count > 0 {
            debug_assert!(self.end == END && self.position >= WINDOW_SIZE);
            let position = self.position + count;
            self.position = WINDOW_SIZE + 1 + (position - WINDOW_SIZE - 1) % WINDOW_SIZE;
            (self.low, self.call_start, self.delivered) = (0, 0, self.position);
        }
    }

    /// Drops what was appended in this call, if the `len` bytes before it are still there.
    pub(crate) fn end_as_begun(&mut self, len: usize) {
        if self.call_start >= len {
            (self.position, self.delivered) = (self.call_start, self.call_start);
        }
    }

    /// The history for the next `room` bytes or fewer, at least one if `room` is not 0.
    pub(crate) fn history(&mut self, room: usize) -> Result<History<'_, u8>> {
        let base = match self.memory {
            Some(memory) if self.position < self.end || room == 0 => memory,
            Some(memory) if self.end == END => {
                self.slide();
                memory
            }
            Some(_) => self.move_to(END)?,
            None => self.move_to(FIRST_END)?,
        };
        let limit = self.end.min(self.position + room.min(END));
        // SAFETY: `end` bytes and the slop belong to this window and are borrowed with it; those before `position` are
        // initialised, and `low <= position <= limit <= end`.
        Ok(unsafe {
            History::from_raw(base.as_ptr(), self.low, self.position, limit, self.end + copy::SLOP_BYTES)
        })
    }

    /// Takes note that a history of this window was filled up to `position`.
    pub(crate) fn filled(&mut self, position: usize) {
        debug_assert!(position >= self.position && position <= self.end);
        self.position = position;
    }

    /// The bytes not handed out yet; from now on they are.
    pub(crate) fn deliver(&mut self) -> &[u8] {
        let start = core::mem::replace(&mut self.delivered, self.position);
        self.bytes(start)
    }

    /// The last `len` bytes, which must have been appended.
    pub(crate) fn last(&self, len: usize) -> &[u8] {
        self.bytes(self.position - len)
    }

    /// Appends bytes that were handed out by other ways, or come from elsewhere.
    pub(crate) fn remember(&mut self, mut bytes: &[u8]) -> Result<()> {
        if let Some(surplus) = bytes.len().checked_sub(WINDOW_SIZE) {
            bytes = &bytes[surplus..];
        }
        while !bytes.is_empty() {
            let mut history = self.history(bytes.len())?;
            let count = history.append(bytes);
            let position = history.position();
            self.filled(position);
            bytes = &bytes[count..];
        }
        self.delivered = self.position;
        Ok(())
    }

    /// A copy of this window, with memory of its own.
    pub(crate) fn try_clone(&self) -> Result<Self> {
        let mut clone = Self::new(self.allocator);
        if self.memory.is_some() {
            let memory = self.copied_to(self.end)?;
            (clone.memory, clone.end) = (Some(memory), self.end);
        }
        (clone.position, clone.delivered, clone.low) = (self.position, self.delivered, self.low);
        clone.call_start = self.call_start;
        Ok(clone)
    }

    /// The bytes from `start` to the position.
    fn bytes(&self, start: usize) -> &[u8] {
        let Some(memory) = self.memory else { return &[] };
        // SAFETY: everything before `position` is initialised, and `start <= position`, or the subtraction below
        // panics first.
        unsafe { core::slice::from_raw_parts(memory.as_ptr().wrapping_add(start), self.position - start) }
    }

    /// Moves the last 32 KiB to the front.
    fn slide(&mut self) {
        let Some(memory) = self.memory else { return };
        let shift = self.position - WINDOW_SIZE;
        // SAFETY: `position` is the end of 64 KiB, so both halves lie in the memory and do not overlap.
        unsafe {
            core::ptr::copy_nonoverlapping(memory.as_ptr().wrapping_add(shift), memory.as_ptr(), WINDOW_SIZE)
        };
        self.position = WINDOW_SIZE;
        self.delivered = self.delivered.saturating_sub(shift);
        self.low = self.low.saturating_sub(shift);
        self.call_start = self.call_start.saturating_sub(shift);
    }

    /// Makes the memory one with this end, with all that it holds.
    fn move_to(&mut self, end: usize) -> Result<NonNull<u8>> {
        let memory = self.copied_to(end)?;
        self.free();
        (self.memory, self.end) = (Some(memory), end);
        Ok(memory)
    }

    /// New memory with this end, which is not before `position`, that holds the same.
    fn copied_to(&self, end: usize) -> Result<NonNull<u8>> {
        let (alloc, _, opaque) = self.allocator.parts();
        // SAFETY: the allocator's contract allows the call on the stream's thread.
        let memory = unsafe { alloc(opaque, 1, (end + copy::SLOP_BYTES) as u32) };
        let memory = NonNull::new(memory.cast::<u8>()).ok_or(Error::Memory)?;
        let bytes = self.bytes(0);
        debug_assert!(bytes.len() <= end);
        // SAFETY: the new memory has more than `end` bytes, and there are no more before `position`.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), memory.as_ptr(), bytes.len()) };
        Ok(memory)
    }

    fn free(&mut self) {
        let Some(memory) = self.memory.take() else { return };
        let (_, free, opaque) = self.allocator.parts();
        // SAFETY: the memory came from `alloc` of the same pair and is not used again.
        unsafe { free(opaque, memory.as_ptr().cast()) };
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.free();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_survives_sliding() {
        let mut window = Window::new(Allocator::SYSTEM);
        let data: Vec<u8> = (0..200_000u32).map(|i| (i ^ i >> 7) as u8).collect();
        for piece in data.chunks(777) {
            window.remember(piece).expect("malloc gives 64 KiB");
        }
        assert_eq!(window.last(WINDOW_SIZE), &data[data.len() - WINDOW_SIZE..]);
    }

    #[test]
    fn a_short_history_takes_little_memory() {
        let mut window = Window::new(Allocator::SYSTEM);
        let data: Vec<u8> = (0..FIRST_END as u32 + 1).map(|i| (i ^ i >> 5) as u8).collect();
        window.remember(&data[..FIRST_END]).expect("malloc gives 24 KiB");
        assert_eq!(window.end, FIRST_END);
        assert_eq!(window.try_clone().expect("malloc gives 24 KiB").last(FIRST_END), &data[..FIRST_END]);
        window.remember(&data[FIRST_END..]).expect("malloc gives 64 KiB");
        assert_eq!((window.end, window.last(data.len())), (END, &data[..]));
    }

    #[test]
    fn refused_memory_is_told() {
        unsafe extern "C" fn refuse(_: *mut core::ffi::c_void, _: u32, _: u32) -> *mut core::ffi::c_void {
            core::ptr::null_mut()
        }
        let (_, free, opaque) = Allocator::SYSTEM.parts();
        // SAFETY: `refuse` always returns null, so `free` is never called.
        let allocator = unsafe { Allocator::foreign(refuse, free, opaque) };
        assert_eq!(Window::new(allocator).history(1).err(), Some(Error::Memory));
    }
}
