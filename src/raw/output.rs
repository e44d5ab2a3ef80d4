//! `Output`: a cursor over a caller's buffer that may be uninitialised.
//!
//! C passes `next_out` and `avail_out` and guarantees only that those bytes may be written. A `&mut [u8]` would also
//! require that they are initialised, so the engines get this cursor instead: they append to it and never read through it.

use core::marker::PhantomData;
use core::mem::MaybeUninit;

/// A write-only cursor over a borrowed buffer. The first [`written`](Output::written) bytes of the buffer are initialised.
#[derive(Debug)]
pub struct Output<'a> {
    start: *mut u8,
    len: usize,
    written: usize,
    _buffer: PhantomData<&'a mut [u8]>,
}

impl<'a> Output<'a> {
    /// A cursor at the start of `buffer`.
    pub fn new(buffer: &'a mut [u8]) -> Self {
        Self { start: buffer.as_mut_ptr(), len: buffer.len(), written: 0, _buffer: PhantomData }
    }

    /// As [`new`](Self::new), for a buffer that may be uninitialised.
    pub fn of_uninit(buffer: &'a mut [MaybeUninit<u8>]) -> Self {
        Self { start: buffer.as_mut_ptr().cast(), len: buffer.len(), written: 0, _buffer: PhantomData }
    }

    /// A cursor at the start of a foreign buffer.
    ///
    /// # Safety
    /// - `start` is valid for writes of `len` bytes for `'a`, or `len` is 0.
    /// - Nothing else reads or writes those bytes during `'a`.
    pub unsafe fn from_raw(start: *mut u8, len: usize) -> Self {
        Self { start, len, written: 0, _buffer: PhantomData }
    }

    /// The number of bytes appended so far.
    pub fn written(&self) -> usize {
        self.written
    }

    /// The number of bytes that still fit.
    pub fn room(&self) -> usize {
        self.len - self.written
    }

    /// Whether nothing more fits.
    pub fn is_full(&self) -> bool {
        self.room() == 0
    }

    /// Appends as much of `bytes` as fits and returns the count.
    pub fn put(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.room());
        // SAFETY: `count <= room()`, so the destination lies in the buffer that the constructor was given for writing,
        // and a live `&[u8]` cannot overlap a buffer that is exclusively ours.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), self.cursor(), count) };
        self.written += count;
        count
    }

    /// Where the next byte goes; valid for writes of [`room`](Output::room) bytes.
    pub fn cursor(&mut self) -> *mut u8 {
        // `wrapping_add` is valid for any pointer: a C caller may pass a null one with no room.
        self.start.wrapping_add(self.written)
    }

    /// The rest of the buffer, to be written from its start. [`advance`](Self::advance) then counts the written bytes.
    pub fn spare(&mut self) -> &mut [MaybeUninit<u8>] {
        if self.is_full() {
            return &mut [];
        }
        // SAFETY: `room() > 0`, so `room()` bytes from `cursor()` on belong to the constructor's buffer, which nothing else
        // uses during `'a`; `MaybeUninit` permits uninitialised bytes.
        unsafe { core::slice::from_raw_parts_mut(self.cursor().cast(), self.room()) }
    }

    /// Appends a header of `N` bytes and then the bytes that `write` appends. `head` returns the header for their count.
    /// Returns the result of `write`, or `None`, with nothing appended, if there is no room for the header.
    pub fn put_headed<const N: usize, T>(
        &mut self,
        write: impl FnOnce(&mut Output<'_>) -> T,
        head: impl FnOnce(usize) -> [u8; N],
    ) -> Option<T> {
        let (result, count) = Output::of_uninit(self.spare().get_mut(N..)?).lend(write);
        self.put(&head(count));
        // SAFETY: `write` appended `count` bytes to the buffer after the header, so they fit and are initialised.
        unsafe { self.advance(count) };
        Some(result)
    }

    /// Lets `write` append at most `limit` bytes, and returns its result.
    pub fn limited<T>(&mut self, limit: usize, write: impl FnOnce(&mut Output<'_>) -> T) -> T {
        let len = self.room().min(limit);
        let part = Output { start: self.cursor(), len, written: 0, _buffer: PhantomData };
        let (result, count) = part.lend(write);
        self.written += count;
        result
    }

    /// Lets `write` append. Returns its result, and the number of bytes of this buffer that are written.
    ///
    /// # Panics
    /// If `write` replaces its cursor with one over another buffer: that one's count does not apply here.
    pub(crate) fn lend<T>(mut self, write: impl FnOnce(&mut Output<'_>) -> T) -> (T, usize) {
        let buffer = (self.start, self.len);
        let result = write(&mut self);
        assert!((self.start, self.len) == buffer, "the cursor was replaced");
        (result, self.written)
    }

    /// Counts `count` bytes that were written through [`cursor`](Output::cursor) or [`spare`](Output::spare).
    ///
    /// # Safety
    /// - `count <= room()`, and that many bytes from `cursor()` are initialised.
    pub unsafe fn advance(&mut self, count: usize) {
        debug_assert!(count <= self.room());
        self.written += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn put_stops_at_the_end_of_the_buffer() {
        let mut buffer = [0u8; 4];
        let mut output = Output::new(&mut buffer);
        assert_eq!(output.put(b"abc"), 3);
        assert_eq!(output.put(b"de"), 1);
        assert!(output.is_full());
        assert_eq!(output.put(b"f"), 0);
        assert_eq!(&buffer, b"abcd");
    }

    #[test]
    fn a_header_precedes_the_bytes_it_counts() {
        let mut buffer = [0u8; 8];
        let mut output = Output::new(&mut buffer);
        output.put(b"a");
        assert_eq!(output.put_headed(|body| body.put(b"bcd"), |count| [b'0' + count as u8, b':']), Some(3));
        assert_eq!(output.put_headed(|body| body.put(b"ef"), |_| [0; 3]), None);
        assert_eq!(output.written(), 6);
        assert_eq!(&buffer, b"a3:bcd\0\0");
    }

    #[test]
    #[cfg_attr(miri, ignore = "it leaks on purpose")]
    #[should_panic(expected = "replaced")]
    fn replacing_the_lent_cursor_panics() {
        // Leaked, because only a cursor over a `'static` buffer can replace one of an unknown lifetime.
        let (mut small, large) = ([0u8; 8], Box::leak(Box::new([7u8; 1000])));
        Output::new(&mut small).limited(8, |part| {
            *part = Output::new(large);
            part.put(&[1; 1000]);
        });
    }

    #[test]
    fn a_null_buffer_without_room_is_legal() {
        // SAFETY: `len` is 0.
        let mut output = unsafe { Output::from_raw(core::ptr::null_mut(), 0) };
        assert_eq!(output.put(b"x"), 0);
        assert!(output.spare().is_empty());
        assert!(output.is_full());
    }

    #[test]
    fn limited_stops_at_the_limit_and_at_the_end_of_the_buffer() {
        let mut buffer = [0u8; 8];
        let mut output = Output::new(&mut buffer);
        output.put(b"a");
        assert_eq!(output.limited(3, |part| part.put(b"bcdef")), 3);
        assert_eq!(output.limited(100, |part| part.put(b"efghijkl")), 4);
        assert!(output.is_full());
        assert_eq!(&buffer, b"abcdefgh");
    }
}
