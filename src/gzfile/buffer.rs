//! `Buffer`: bytes waiting between two sides, with memory that grows only while it is empty.
//!
//! One store and a range of it. Whoever fills the buffer fills it from the front; whoever empties it takes from the front of
//! the range. The reader's output side also pushes bytes back, which go in front of the range, or to the end of the store
//! when nothing waits, so that as many as fit can follow.

#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::raw::Output;

/// A store and the range of it that waits.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    store: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffer {
    /// How many bytes fit.
    pub(super) fn capacity(&self) -> usize {
        self.store.len()
    }

    /// The bytes that wait.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.store[self.start..self.end]
    }

    /// How many bytes wait.
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether nothing more can be filled in behind what waits.
    pub(super) fn is_full(&self) -> bool {
        self.end == self.store.len()
    }

    /// Takes `count` bytes off the front.
    pub(super) fn consume(&mut self, count: usize) {
        debug_assert!(count <= self.len());
        self.start += count;
    }

    /// Drops what waits.
    pub(super) fn clear(&mut self) {
        self.start = 0;
        self.end = 0;
    }

    /// Makes the store `capacity` bytes, if it is smaller. Memory may be refused; nothing is lost then.
    pub(super) fn grow(&mut self, capacity: usize) -> Result<()> {
        if let Some(more) = capacity.checked_sub(self.store.len()) {
            self.store.try_reserve_exact(more).map_err(|_| Error::Memory)?;
            self.store.resize(capacity, 0);
        }
        Ok(())
    }

    /// Moves what waits to the front of the store, so that all other room lies behind it.
    pub(super) fn compact(&mut self) {
        if self.start > 0 {
            self.store.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
    }

    /// Lets `fill` write into the room behind what waits. The store is out of the buffer meanwhile, so that `fill` may use
    /// the buffer's owner.
    pub(super) fn lend(&mut self) -> Lent {
        Lent { store: core::mem::take(&mut self.store), start: self.start, end: self.end }
    }

    /// Takes back what [`lend`](Self::lend) gave, with `added` bytes more.
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

    /// The room behind what waits, for [`extend`](Self::extend).
    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.store[self.end..]
    }

    /// Counts `count` bytes that were written to the front of [`room`](Self::room).
    pub(super) fn extend(&mut self, count: usize) {
        debug_assert!(self.end + count <= self.store.len());
        self.end += count;
    }

    /// Puts `byte` in front of what waits; `false` when there is no room left for it.
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

/// A buffer's store while somebody fills it.
#[derive(Debug)]
pub(super) struct Lent {
    store: Vec<u8>,
    start: usize,
    end: usize,
}

impl Lent {
    /// The room behind what waits, but for `spare` bytes at the end of it.
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
    fn an_empty_buffer_takes_back_as_many_bytes_as_it_has_room() {
        let mut buffer = holding(4, b"");
        for byte in *b"dcba" {
            assert!(buffer.push_front(byte));
        }
        assert!(!buffer.push_front(b'x'));
        assert_eq!(buffer.bytes(), b"abcd");
    }

    #[test]
    fn a_pushed_byte_comes_before_what_waits_even_when_that_must_slide() {
        let mut buffer = holding(8, b"bcd");
        assert!(buffer.push_front(b'a'));
        assert_eq!(buffer.bytes(), b"abcd");
        buffer.consume(2);
        assert!(buffer.push_front(b'x'));
        assert_eq!(buffer.bytes(), b"xcd");
    }

    #[test]
    fn compacting_keeps_what_waits() {
        let mut buffer = holding(4, b"abcd");
        buffer.consume(3);
        buffer.compact();
        assert_eq!(buffer.bytes(), b"d");
        buffer.append(b"efg");
        assert_eq!(buffer.bytes(), b"defg");
        assert!(buffer.is_full());
    }

    #[test]
    fn memory_that_cannot_be_had_is_refused() {
        let mut buffer = holding(4, b"abcd");
        assert_eq!(buffer.grow(usize::MAX), Err(Error::Memory));
        assert_eq!(buffer.bytes(), b"abcd");
    }
}
