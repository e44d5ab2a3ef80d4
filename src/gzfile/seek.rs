//! Positions: `seek`, `rewind` and `tell`, for readers and writers.
//!
//! A gzip file has no random access. A seek forward decodes and drops data when reading, and writes zeros when writing;
//! both are left to the next request, so that several seeks in a row cost no more than the last. When reading, a seek
//! backward restarts at the beginning or at a checkpoint (`reader::leap`); when writing, it is refused. In a file that is
//! passed through unchanged, the file's own position is moved.
//!
//! Offsets are 64 bits wide throughout; the narrower C functions check that the result fits.

#![forbid(unsafe_code)]

use super::reader::Moved;
use super::{Failure, GzFile, Side};

/// The origin of an offset. The end of a gzip file is not known before it is read, so there is no `End`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whence {
    /// The first byte.
    Start,
    /// The current position, a pending seek included.
    Current,
}

impl GzFile {
    /// Moves to an offset and returns it; `None` if that is not possible.
    pub fn seek(&mut self, offset: i64, whence: Whence) -> Option<i64> {
        if self.failure.as_ref().is_some_and(Failure::is_serious) {
            return None;
        }
        let target = match whence {
            Whence::Start => Some(offset),
            Whence::Current => self.tell().checked_add(offset),
        };
        let moved = match &mut self.side {
            Side::Read(reader) => reader.seek(target?)?,
            Side::Write(writer) => writer.seek(target?).then_some(Moved::ByDecoding)?,
        };
        if moved == Moved::ByFilePosition {
            self.failure = None;
        }
        Some(self.tell())
    }

    /// Returns to the start; `false` for a writer, after a serious error, or if the file is not seekable.
    pub fn rewind(&mut self) -> bool {
        let Some(reader) = self.reader() else { return false };
        let rewound = reader.rewind().is_some();
        if rewound {
            self.failure = None;
        }
        rewound
    }

    /// Offset of the next byte to deliver or write; a pending seek is not included.
    pub fn position(&self) -> i64 {
        match &self.side {
            Side::Read(reader) => reader.position(),
            Side::Write(writer) => writer.position(),
        }
    }

    /// Offset of the next byte to read or write, as the host sees it.
    pub fn tell(&self) -> i64 {
        match &self.side {
            Side::Read(reader) => reader.tell(),
            Side::Write(writer) => writer.tell(),
        }
    }

    /// The offset in the compressed file of the next read or write; `None` if the file is not seekable.
    pub fn offset(&self) -> Option<i64> {
        match &self.side {
            Side::Read(reader) => reader.offset(),
            Side::Write(writer) => writer.offset(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{over, pipe, read};
    use super::*;
    use crate::stream::Flush;

    #[test]
    fn a_forward_seek_in_a_written_file_is_zeros() {
        let (from, to) = pipe();
        let mut writer = over(to, "w");
        writer.write(b"a");
        assert_eq!(writer.seek(5, Whence::Start), Some(5));
        assert_eq!(writer.seek(2, Whence::Current), Some(7));
        assert_eq!((writer.position(), writer.tell()), (1, 7));
        writer.write(b"b");
        assert_eq!(writer.seek(3, Whence::Start), None, "a writer cannot seek backward");
        assert_eq!(writer.seek(2, Whence::Current), Some(10));
        assert_eq!(writer.flush(Flush::Finish), Ok(()));
        assert_eq!((writer.tell(), writer.close()), (10, Ok(())));
        assert_eq!(read(&mut over(from, "r"), 100), Ok(b"a\0\0\0\0\0\0b\0\0".to_vec()));
    }

    #[test]
    fn before_the_start_a_seek_may_stay_or_go_forward_but_not_back() {
        for start in [&b"plain"[..], b"\x1f\x8b\x08\0\0\0\0\0\0\x03"] {
            let (from, to) = pipe();
            let mut writer = over(to, "wT");
            writer.write(start);
            writer.close().unwrap();
            let mut reader = over(from, "r");
            reader.is_direct();
            for byte in *b"zyx" {
                assert!(reader.unread(Some(byte)), "three bytes fit");
            }
            assert_eq!(reader.seek(0, Whence::Current), Some(-3));
            assert_eq!(reader.seek(1, Whence::Current), Some(-2));
            assert_eq!(reader.seek(-2, Whence::Start), Some(-2));
            assert_eq!(reader.seek(-1, Whence::Current), None);
            assert_eq!(read(&mut reader, 2), Ok(b"yz".to_vec()));
        }
    }

    #[test]
    fn a_pipe_is_skipped_forward_and_never_rewound() {
        let (from, to) = pipe();
        let mut writer = over(to, "w");
        writer.write(b"0123456789");
        writer.close().unwrap();
        let mut reader = over(from, "r");
        assert_eq!(reader.seek(4, Whence::Start), Some(4));
        assert_eq!(read(&mut reader, 2), Ok(b"45".to_vec()));
        assert_eq!(reader.seek(1, Whence::Start), None);
        assert_eq!((reader.rewind(), reader.offset(), reader.tell()), (false, None, 6));
        assert_eq!(reader.seek(1, Whence::Current), Some(7));
        assert_eq!(read(&mut reader, 2), Ok(b"78".to_vec()));
    }

    #[test]
    fn a_pending_seek_survives_format_detection() {
        let (from, to) = pipe();
        let mut writer = over(to, "wT");
        writer.write(b"plain bytes");
        writer.close().unwrap();
        let mut reader = over(from, "r");
        assert_eq!(reader.seek(6, Whence::Start), Some(6));
        assert!(reader.is_direct());
        assert_eq!((reader.waiting(), reader.tell()), (&b"bytes"[..], 6));
        assert_eq!(read(&mut reader, 100), Ok(b"bytes".to_vec()));
    }

    #[test]
    fn a_refused_seek_drops_the_pending_one() {
        let (from, _to) = pipe();
        let mut reader = over(from, "r");
        assert_eq!(reader.seek(1000, Whence::Start), Some(1000));
        assert_eq!(reader.seek(-1001, Whence::Current), None);
        assert_eq!(reader.tell(), 0);
        assert_eq!(reader.seek(i64::MAX, Whence::Current), Some(i64::MAX));
        assert_eq!(reader.seek(1, Whence::Current), None);
    }

    #[test]
    fn extreme_seeks_do_not_overflow() {
        let (from, to) = pipe();
        let mut writer = over(to, "w");
        writer.write(b"abc");
        assert_eq!(writer.seek(i64::MIN, Whence::Start), None);
        assert_eq!(writer.seek(i64::MIN, Whence::Current), None);
        assert_eq!((writer.tell(), writer.close()), (3, Ok(())));
        let mut reader = over(from, "r");
        assert!(reader.unread(Some(b'x')));
        assert_eq!(reader.tell(), -1);
        assert_eq!(reader.seek(i64::MAX, Whence::Start), None);
        assert_eq!(reader.seek(i64::MIN, Whence::Start), None);
        assert_eq!(read(&mut reader, 10), Ok(b"xabc".to_vec()));
    }
}
