//! `Buffer`: bytes in memory of an [`Allocator`], which may fail to allocate.
//!
//! Like `Vec<u8>`, but for memory that must come from the host's `zalloc`: it grows only on request, fails with
//! [`Error::Memory`] if allocation fails, and frees through the pair it was allocated with. A buffer of a foreign allocator must be dropped on the host's thread.

use super::{Allocator, Output};
use crate::error::{Error, Result};
use core::ffi::c_uint;
use core::ops::Deref;
use core::ptr::NonNull;

/// Bytes, of which the first `len` are initialised.
#[derive(Debug)]
pub struct Buffer {
    start: NonNull<u8>,
    len: usize,
    /// Bytes of memory at `start`; 0 if nothing was allocated.
    capacity: usize,
    allocator: Allocator,
}

// SAFETY: a buffer owns its memory alone, and any thread may read and write it. Only growing and dropping call the allocator: the
// creator of a foreign one guarantees that this is allowed on the threads that do it (`Allocator::foreign`).
unsafe impl Send for Buffer {}
// SAFETY: a shared buffer is only read.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// An empty buffer; allocates nothing yet.
    pub fn new(allocator: Allocator) -> Self {
        Self { start: NonNull::dangling(), len: 0, capacity: 0, allocator }
    }

    /// The allocator of its memory.
    pub fn allocator(&self) -> Allocator {
        self.allocator
    }

    /// Bytes it has memory for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// A copy of `bytes`.
    pub fn copy_of(bytes: &[u8], allocator: Allocator) -> Result<Self> {
        let mut copy = Self::new(allocator);
        copy.reserve(bytes.len())?;
        copy.extend(bytes);
        Ok(copy)
    }

    /// A copy in memory of the same allocator.
    pub fn try_clone(&self) -> Result<Self> {
        Self::copy_of(self, self.allocator)
    }

    /// Makes room for `additional` more bytes; grows by at least half, so that growing in small steps stays cheap.
    pub fn reserve(&mut self, additional: usize) -> Result<()> {
        let needed = self.len.checked_add(additional).ok_or(Error::Memory)?;
        if needed <= self.capacity {
            return Ok(());
        }
        let capacity =
            if self.capacity == 0 { needed } else { needed.max(self.capacity + self.capacity / 2) };
        let items = c_uint::try_from(capacity).map_err(|_| Error::Memory)?;
        let (alloc, _, opaque) = self.allocator.parts();
        // SAFETY: the allocator's constructor allows the call.
        let memory = unsafe { alloc(opaque, items, 1) }.cast::<u8>();
        let start = NonNull::new(memory).ok_or(Error::Memory)?;
        // SAFETY: both are valid for `len` bytes, and the new memory is apart from the old.
        unsafe { core::ptr::copy_nonoverlapping(self.start.as_ptr(), start.as_ptr(), self.len) };
        self.free();
        (self.start, self.capacity) = (start, capacity);
        Ok(())
    }

    /// Appends `bytes`, for which [`reserve`](Self::reserve) made room.
    pub fn extend(&mut self, bytes: &[u8]) {
        let count = self.append(|output| output.put(bytes));
        assert_eq!(count, bytes.len(), "the caller reserved room");
    }

    /// Lets `write` fill the free room.
    pub fn append<T>(&mut self, write: impl FnOnce(&mut Output<'_>) -> T) -> T {
        // SAFETY: `len` is within the memory at `start`, or both are 0.
        let free = unsafe { self.start.as_ptr().add(self.len) };
        // SAFETY: the memory from `len` to the capacity belongs to this buffer alone.
        let output = unsafe { Output::from_raw(free, self.capacity - self.len) };
        let (result, count) = output.lend(write);
        self.len += count;
        result
    }

    /// Drops the contents and keeps the memory.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Drops all but the first `count` bytes.
    pub fn truncate(&mut self, count: usize) {
        self.len = self.len.min(count);
    }

    /// Drops all but the last `count` bytes.
    pub fn keep_tail(&mut self, count: usize) {
        if count < self.len {
            // SAFETY: the tail begins within the contents.
            let tail = unsafe { self.start.as_ptr().add(self.len - count) };
            // SAFETY: both ranges lie within the contents; they may overlap, which `copy` allows.
            unsafe { core::ptr::copy(tail, self.start.as_ptr(), count) };
            self.len = count;
        }
    }

    fn free(&mut self) {
        if self.capacity > 0 {
            let (_, free, opaque) = self.allocator.parts();
            // SAFETY: `start` came from the same pair's `alloc`, and the caller does not use it again.
            unsafe { free(opaque, self.start.as_ptr().cast()) };
        }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the first `len` bytes are initialised; `start` is never null.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.free();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_grows_and_keeps_its_contents() {
        let mut buffer = Buffer::new(Allocator::SYSTEM);
        let mut expected = Vec::new();
        for part in [&b"abc"[..], &[7; 1000], b"", b"end"] {
            buffer.reserve(part.len()).expect("malloc returns a few bytes");
            buffer.extend(part);
            expected.extend_from_slice(part);
            assert_eq!(*buffer, expected[..]);
        }
        buffer.keep_tail(4);
        assert_eq!(*buffer, [7, b'e', b'n', b'd']);
        buffer.keep_tail(100);
        buffer.truncate(100);
        assert_eq!(buffer.len(), 4);
        buffer.truncate(1);
        assert_eq!(*buffer, [7]);
        buffer.clear();
        assert!(buffer.is_empty());
    }

    #[test]
    fn append_counts_what_was_written() {
        let mut buffer = Buffer::copy_of(b"12", Allocator::SYSTEM).expect("malloc returns a few bytes");
        buffer.reserve(3).expect("malloc returns a few bytes");
        buffer.append(|output| output.put(b"34"));
        assert_eq!(*buffer, *b"1234");
    }

    #[test]
    #[cfg_attr(miri, ignore = "it leaks on purpose")]
    #[should_panic(expected = "replaced")]
    fn a_replaced_cursor_does_not_lengthen_a_buffer() {
        let mut buffer = Buffer::copy_of(b"12345678", Allocator::SYSTEM).expect("malloc returns a few bytes");
        buffer.append(|output| *output = Output::new(Box::leak(Box::new([7u8; 1000]))));
    }

    #[test]
    #[should_panic(expected = "reserved")]
    fn extend_beyond_the_room_is_a_bug() {
        Buffer::new(Allocator::SYSTEM).extend(b"x");
    }
}
