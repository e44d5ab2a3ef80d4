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
//! something.

use core::ptr::NonNull;

use super::history::History;
use crate::error::{Error, Result};
use crate::format::deflate::WINDOW_SIZE;
use crate::raw::{Allocator, copy};

/// Where new output must stop and the window slides.
const END: usize = 2 * WINDOW_SIZE;
/// Bytes of a window, with slop for wide strokes behind the end.
const SIZE: usize = END + copy::SLOP_BYTES;

/// A stream's history and newest output.
#[derive(Debug)]
pub(crate) struct Window {
    /// `SIZE` bytes, of which those before `position` are initialised, once there was something to keep.
    memory: Option<NonNull<u8>>,
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
        Self { memory: None, allocator, position: 0, delivered: 0, low: 0, call_start: 0 }
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

    /// Drops what was appended in this call, if the `len` bytes before it are still there.
    pub(crate) fn end_as_begun(&mut self, len: usize) {
        if self.call_start >= len {
            (self.position, self.delivered) = (self.call_start, self.call_start);
        }
    }

    /// The history for the next `room` bytes or fewer, at least one if `room` is not 0.
    pub(crate) fn history(&mut self, room: usize) -> Result<History<'_, u8>> {
        let base = self.allocate()?;
        if self.position == END && room > 0 {
            self.slide();
        }
        let limit = END.min(self.position + room.min(END));
        // SAFETY: `SIZE` bytes belong to this window and are borrowed with it; those before `position` are
        // initialised, and `low <= position <= limit <= SIZE`.
        Ok(unsafe { History::from_raw(base.as_ptr(), self.low, self.position, limit, SIZE) })
    }

    /// Takes note that a history of this window was filled up to `position`.
    pub(crate) fn filled(&mut self, position: usize) {
        debug_assert!(position >= self.position && position <= END);
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
            let target = clone.allocate()?;
            let bytes = self.bytes(0);
            // SAFETY: the new memory has `SIZE` bytes, more than there can be before `position`.
            unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), target.as_ptr(), bytes.len()) };
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

    /// The memory, asked for when there is none yet.
    fn allocate(&mut self) -> Result<NonNull<u8>> {
        if let Some(memory) = self.memory {
            return Ok(memory);
        }
        let (alloc, _, opaque) = self.allocator.parts();
        // SAFETY: the allocator's contract allows the call on the stream's thread.
        let memory = unsafe { alloc(opaque, 1, SIZE as u32) };
        let memory = NonNull::new(memory.cast::<u8>()).ok_or(Error::Memory)?;
        self.memory = Some(memory);
        Ok(memory)
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let Some(memory) = self.memory else { return };
        let (_, free, opaque) = self.allocator.parts();
        // SAFETY: the memory came from `alloc` of the same pair and is not used again.
        unsafe { free(opaque, memory.as_ptr().cast()) };
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
