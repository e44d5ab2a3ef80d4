//! `Table`: a fixed number of integers in memory of an [`Allocator`], which may fail to allocate.
//!
//! The memory is allocated once. Entries become readable only when they are set, from the front on, so an unused table
//! touches no memory. A table of a foreign allocator must be dropped on the host's thread.

use super::Allocator;
use crate::error::{Error, Result};
use core::ffi::c_uint;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

/// Integers for which every bit pattern is valid.
pub trait Integer: Copy + Send + Sync + 'static {}
impl Integer for u8 {}
impl Integer for u16 {}
impl Integer for u32 {}

/// Memory for `capacity` integers, of which the first `len` are initialised and can be read.
#[derive(Debug)]
pub struct Table<T: Integer> {
    start: NonNull<T>,
    len: usize,
    capacity: usize,
    allocator: Allocator,
}

// SAFETY: a table owns its memory alone; see the head of this file for the allocator's thread.
unsafe impl<T: Integer> Send for Table<T> {}
// SAFETY: a shared table is only read.
unsafe impl<T: Integer> Sync for Table<T> {}

impl<T: Integer> Table<T> {
    /// An empty table with memory for `capacity` entries. Fails with `Error::Memory`.
    pub fn new(capacity: usize, allocator: Allocator) -> Result<Self> {
        if capacity == 0 {
            return Ok(Self { start: NonNull::dangling(), len: 0, capacity, allocator });
        }
        let items = c_uint::try_from(capacity).map_err(|_| Error::Memory)?;
        let (alloc, _, opaque) = allocator.parts();
        // SAFETY: the allocator's constructor allows the call.
        let memory = unsafe { alloc(opaque, items, size_of::<T>() as c_uint) }.cast::<T>();
        let start = NonNull::new(memory).ok_or(Error::Memory)?;
        Ok(Self { start, len: 0, capacity, allocator })
    }

    /// Entries it has memory for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Makes all entries unreadable.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Sets all entries to `value`.
    pub fn fill_with(&mut self, value: T) {
        self.len = 0;
        self.extend_to(self.capacity, value);
    }

    /// Makes the first `len` entries readable, at most `capacity`; the newly readable ones are set to `value`.
    pub fn extend_to(&mut self, len: usize, value: T) {
        let len = len.min(self.capacity);
        for index in self.len..len {
            // SAFETY: `index < capacity`, so the place lies in the table's memory.
            let place = unsafe { self.start.add(index) };
            // SAFETY: as above; the table owns it alone.
            unsafe { place.write(value) };
        }
        self.len = self.len.max(len);
    }

    /// A table of the same capacity and contents, in memory of the same allocator. Fails with `Error::Memory`.
    pub fn try_clone(&self) -> Result<Self> {
        let mut copy = Self::new(self.capacity, self.allocator)?;
        // SAFETY: both have memory for `capacity >= len` entries, and the new memory is apart from the old.
        unsafe { core::ptr::copy_nonoverlapping(self.start.as_ptr(), copy.start.as_ptr(), self.len) };
        copy.len = self.len;
        Ok(copy)
    }
}

impl<T: Integer> Deref for Table<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: the first `len` entries are initialised and the table's own.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T: Integer> DerefMut for Table<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and `&mut self` makes this the only reference.
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl<T: Integer> Drop for Table<T> {
    fn drop(&mut self) {
        if self.capacity > 0 {
            let (_, free, opaque) = self.allocator.parts();
            // SAFETY: `new` got the memory from this allocator, and it is freed once, here.
            unsafe { free(opaque, self.start.as_ptr().cast()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_readable_once_they_are_set() {
        let mut table = Table::<u16>::new(10, Allocator::SYSTEM).expect("20 bytes");
        assert!(table.is_empty());
        table.extend_to(3, 7);
        table[1] = 8;
        table.extend_to(20, 9);
        assert_eq!(*table, [7, 8, 7, 9, 9, 9, 9, 9, 9, 9]);
        let copy = table.try_clone().expect("20 bytes");
        table.fill_with(1);
        assert_eq!((table[9], copy[9], copy.capacity()), (1, 9, 10));
    }
}
