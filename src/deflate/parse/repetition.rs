//! The last long match. Where data repeats, the next bytes often match at the same offset, but the
//! match finders may miss that match: for a frequent string they compare only the most recent
//! positions.
//!
//! So the parsers remember the offset of the last match of at least [`LONG_MATCH`] bytes, and try
//! it inside the match and up to [`NEAR`] bytes after its end, since two copies may differ in a few
//! bytes only. The lazy parser, that of levels 10 to 12 and that of the message
//! encoder try the offset wherever they search. The flat parser does so at every 32nd position, and
//! from there on offers the match wherever it finds none longer. Without this, level 9 compressed
//! DNA that repeats after 12,000 bytes to twice zlib's size, and such random binary digits to nine
//! times.

use crate::deflate::match_finder::match_length;
use crate::format::deflate::MAX_MATCH;

/// The length of a long match.
pub(in crate::deflate) const LONG_MATCH: usize = 32;
/// The number of bytes after the end of a match in which its offset is tried.
const NEAR: usize = 256;

/// The last match of at least [`LONG_MATCH`] bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::deflate) struct Repetition {
    /// 0 before the first such match.
    pub(in crate::deflate) offset: usize,
    /// The match reaches at least up to this position.
    pub(in crate::deflate) end: usize,
}

impl Repetition {
    /// Whether its offset should be tried at `position`.
    #[inline(always)]
    pub(in crate::deflate) fn is_near(&self, position: usize) -> bool {
        self.offset > 0 && position <= self.end + NEAR
    }

    /// Whether at least [`LONG_MATCH`] bytes of the match are left at `position`, which is not before its start.
    #[inline(always)]
    pub(super) fn reaches(&self, position: usize) -> bool {
        self.end >= position + LONG_MATCH
    }

    /// Tries the offset at `position`, if it is near. If at least [`LONG_MATCH`] bytes are equal,
    /// the match goes on there.
    ///
    /// The offset may be larger than `position`: the flat parser begins at a multiple of 1 KiB,
    /// which may be before the match that another parser found.
    #[inline(always)]
    pub(super) fn resume(&mut self, data: &[u8], position: usize) {
        let is_due = self.is_near(position) && !self.reaches(position) && self.offset <= position;
        if is_due && equal_bytes(data, position, self.offset, 0, LONG_MATCH) == LONG_MATCH {
            self.end = position + LONG_MATCH;
        }
    }

    /// Returns the offset and length of the longer of two matches at `position`, and remembers it
    /// as the last match: that at the offset `found`, if any, and the one remembered so far, if it
    /// [`reaches`](Self::reaches) there. Both have at least [`LONG_MATCH`] bytes.
    ///
    /// The bytes of the last match up to `end` are not compared again. So inside a repetition most
    /// calls compare one byte instead of up to 226.
    pub(super) fn longest(
        &mut self,
        data: &[u8],
        position: usize,
        found: Option<usize>,
    ) -> Option<(usize, usize)> {
        let mut last = *self;
        let found = found.map(|offset| (offset, self.measure(data, position, offset)));
        if !last.reaches(position) || found.is_some_and(|(offset, _)| offset == last.offset) {
            return found;
        }
        let length = last.measure(data, position, last.offset);
        if found.is_some_and(|(_, other)| other >= length) {
            return found;
        }
        *self = last;
        Some((last.offset, length))
    }

    /// The length of the match at `position` and `offset`, of which the first [`LONG_MATCH`] bytes
    /// are known to be equal. It becomes the last match.
    fn measure(&mut self, data: &[u8], position: usize, offset: usize) -> usize {
        let limit = MAX_MATCH.min(data.len() - position);
        let known =
            if offset == self.offset && self.reaches(position) { self.end - position } else { LONG_MATCH };
        let length = equal_bytes(data, position, offset, known.min(limit), limit);
        *self = Self { offset, end: position + length };
        length
    }
}

/// The number of equal bytes at `position` and `offset` bytes before it, at most `limit`. The first
/// `known` are known to be equal.
pub(super) fn equal_bytes(data: &[u8], position: usize, offset: usize, known: usize, limit: usize) -> usize {
    assert!(offset <= position && known <= limit && position + limit <= data.len(), "both are in the data");
    // SAFETY: by the assertion.
    unsafe { match_length(data, position - offset, position, known, limit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two copies of the same 200 bytes; the second differs in its byte 100.
    fn data() -> Vec<u8> {
        let half: Vec<u8> = (0..200u32).map(|at| ((at * at) >> 3) as u8).collect();
        let mut data = half.repeat(2);
        data[300] ^= 1;
        data
    }

    #[test]
    fn the_last_match_is_longest_where_nothing_else_is_found() {
        let (data, mut last) = (data(), Repetition::default());
        assert_eq!(last.longest(&data, 200, Some(200)), Some((200, 100)));
        assert_eq!(last.longest(&data, 210, None), Some((200, 90)));
        assert_eq!(last.longest(&data, 269, None), None, "31 bytes are left");
    }

    #[test]
    fn an_offset_that_reaches_before_the_data_is_not_tried() {
        let data = data();
        // A match whose source is position 0 was found at 210; this parser begins at 192.
        let mut last = Repetition { offset: 210, end: 192 };
        last.resume(&data, 192);
        assert!(!last.reaches(192));
    }

    #[test]
    fn a_repetition_resumes_after_a_different_byte() {
        let (data, mut last) = (data(), Repetition { offset: 200, end: 300 });
        last.resume(&data, 300);
        assert!(!last.reaches(300));
        last.resume(&data, 301);
        assert_eq!(last.longest(&data, 301, None), Some((200, 99)));
        let mut last = Repetition { offset: 200, end: 300 - NEAR };
        last.resume(&data, 301);
        assert!(!last.reaches(301), "too far after its end");
    }
}
