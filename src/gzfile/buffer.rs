//! `Buffer`: bytes between a producer and a consumer.
//!
//! A buffer is a store and a range of it. Bytes are added after the range and taken from its front. Bytes pushed back
//! to the reader's output go before the range, or to the end of the store if the range is empty, so that as many as fit
//! can follow.

#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::raw::Output;
use crate::raw::alloc::zeroed_bytes;

/// A store and the range of it that holds the buffered bytes.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    store: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffer {
    /// The size of the store.
    pub(super) fn capacity(&self) -> usize {
        self.store.len()
    }

    /// The buffered bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.store[self.start..self.end]
    }

    /// The number of buffered bytes.
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether no bytes are buffered.
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether there is no room after the buffered bytes.
    pub(super) fn is_full(&self) -> bool {
        self.end == self.store.len()
    }

    /// Removes `count` bytes from the front.
    pub(super) fn consume(&mut self, count: usize) {
        debug_assert!(count <= self.len());
        self.start += count;
    }

    /// Drops the buffered bytes.
    pub(super) fn clear(&mut self) {
        self.start = 0;
        self.end = 0;
    }

    /// Grows the store to at least `capacity` bytes. If allocation fails, the buffer is unchanged.
    pub(super) fn grow(&mut self, capacity: usize) -> Result<()> {
        if capacity > self.store.len() {
            // As in zlib, only the part of a large buffer that is used takes memory.
            let mut store = zeroed_bytes(capacity).ok_or(Error::Memory)?;
            store[self.start..self.end].copy_from_slice(&self.store[self.start..self.end]);
            self.store = store;
        }
        Ok(())
    }

    /// Moves the buffered bytes to the front of the store, so that all room is after them.
    pub(super) fn compact(&mut self) {
        if self.start > 0 {
            self.store.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
    }

    /// Takes the store out of the buffer, so that the caller can write after the buffered bytes and still use the
    /// buffer's owner.
    pub(super) fn lend(&mut self) -> Lent {
        Lent { store: core::mem::take(&mut self.store), start: self.start, end: self.end }
    }

    /// Puts the store from [`lend`](Self::lend) back, with `added` more bytes.
    pub(super) fn take_back(&mut self, lent: Lent, added: usize) {
        *self = Self { store: lent.store, start: lent.start, end: lent.end + added };
    }

    /// Appends `bytes`, which must fit.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        self.store[self.end..self.end + bytes.len()].copy_from_slice(bytes);
        self.end += bytes.len();
    }

    /// Appends `byte`, if there is room.
    pub(super) fn push(&mut self, byte: u8) -> bool {
        let place = self.store.get_mut(self.end);
        self.end += usize::from(place.is_some());
        place.map(|place| *place = byte).is_some()
    }

    /// The room after the buffered bytes, for [`extend`](Self::extend).
    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.store[self.end..]
    }

    /// Counts `count` bytes that were written to the front of [`room`](Self::room).
    pub(super) fn extend(&mut self, count: usize) {
        debug_assert!(self.end + count <= self.store.len());
        self.end += count;
    }

    /// Puts `byte` before the buffered bytes; `false` if there is no room for it.
    pub(super) fn push_front(&mut self, byte: u8) -> bool {
        if self.len() == self.store.len() {
            return false;
        }
        if self.is_empty() {
            (self.start, self.end) = (self.store.len(), self.store.len());
        } else if self.start == 0 {
            let len = self.len();
            let start = self.store.len() - len;
            self.store.copy_within(0..len, start);
            (self.start, self.end) = (start, self.store.len());
        }
        self.start -= 1;
        self.store[self.start] = byte;
        true
    }
}

/// A buffer's store while it is lent out.
#[derive(Debug)]
pub(super) struct Lent {
    store: Vec<u8>,
    start: usize,
    end: usize,
}

impl Lent {
    /// The room after the buffered bytes, except for `spare` bytes at its end.
    pub(super) fn output(&mut self, spare: usize) -> Output<'_> {
        let end = self.store.len().saturating_sub(spare).max(self.end);
        Output::new(&mut self.store[self.end..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(capacity: usize, bytes: &[u8]) -> Buffer {
        let mut buffer = Buffer::default();
        buffer.grow(capacity).unwrap();
        buffer.append(bytes);
        buffer
    }

    #[test]
    fn an_empty_buffer_accepts_pushed_bytes_up_to_its_capacity() {
        let mut buffer = holding(4, b"");
        for byte in *b"dcba" {
            assert!(buffer.push_front(byte));
        }
        assert!(!buffer.push_front(b'x'));
        assert_eq!(buffer.bytes(), b"abcd");
    }

    #[test]
    fn a_pushed_byte_goes_before_the_buffered_bytes_even_if_they_must_move() {
        let mut buffer = holding(8, b"bcd");
        assert!(buffer.push_front(b'a'));
        assert_eq!(buffer.bytes(), b"abcd");
        buffer.consume(2);
        assert!(buffer.push_front(b'x'));
        assert_eq!(buffer.bytes(), b"xcd");
    }

    #[test]
    fn compacting_keeps_the_buffered_bytes() {
        let mut buffer = holding(4, b"abcd");
        buffer.consume(3);
        buffer.compact();
        assert_eq!(buffer.bytes(), b"d");
        buffer.append(b"efg");
        assert_eq!(buffer.bytes(), b"defg");
        assert!(buffer.is_full());
    }

    #[test]
    fn a_failed_allocation_leaves_the_buffer_unchanged() {
        let mut buffer = holding(4, b"abcd");
        assert_eq!(buffer.grow(usize::MAX), Err(Error::Memory));
        assert_eq!(buffer.bytes(), b"abcd");
    }
}
