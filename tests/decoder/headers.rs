//! gzip headers, as `inflateGetHeader` would collect them.

use crate::code;
use crate::judge;
use crate::reference::zlib;
use rigz::inflate::{Goal, HeaderPart, Inflate};
use rigz::raw::{Allocator, Output};

/// A gzip header as `inflateGetHeader` would collect it, with limited room for each field.
#[derive(Debug, Default, PartialEq)]
struct Collected {
    numbers: [u64; 6],
    extra: Vec<u8>,
    name: Vec<u8>,
    comment: Vec<u8>,
    /// Length of the extra field, and how much of the unfinished text was stored.
    extra_len: usize,
    stored: usize,
}

const FIELD_ROOM: usize = 12;

impl Collected {
    fn add(&mut self, part: HeaderPart<'_>) {
        let fill = |field: &mut Vec<u8>, at: usize, bytes: &[u8]| {
            for (at, &byte) in (at..FIELD_ROOM).zip(bytes) {
                field[at] = byte;
            }
        };
        let text = |field: &mut Vec<u8>, stored: &mut usize, bytes: &[u8]| {
            fill(field, *stored, bytes);
            *stored = if bytes.last() == Some(&0) { 0 } else { *stored + bytes.len() };
        };
        match part {
            HeaderPart::NotGzip => self.numbers[5] = u64::MAX,
            HeaderPart::Text(text) => self.numbers[0] = u64::from(text),
            HeaderPart::Time(time) => self.numbers[1] = u64::from(time),
            HeaderPart::Origin { extra_flags, system } => {
                (self.numbers[2], self.numbers[3]) = (u64::from(extra_flags), u64::from(system));
            }
            HeaderPart::ExtraLen(Some(len)) => self.extra_len = usize::from(len),
            HeaderPart::ExtraLen(None) => self.extra.clear(),
            HeaderPart::Extra { left, bytes } => fill(&mut self.extra, self.extra_len - left, bytes),
            HeaderPart::NoName => self.name.clear(),
            HeaderPart::Name(bytes) => text(&mut self.name, &mut self.stored, bytes),
            HeaderPart::NoComment => self.comment.clear(),
            HeaderPart::Comment(bytes) => text(&mut self.comment, &mut self.stored, bytes),
            HeaderPart::End { had_crc } => (self.numbers[4], self.numbers[5]) = (u64::from(had_crc), 1),
        }
    }
}

#[test]
fn gzip_headers_are_told_alike_in_any_cut() {
    let zlib = zlib();
    for flags in 0..32u8 {
        for piece in [1, 2, 3, 7, 11, 500] {
            let mut stream = vec![0x1f, 0x8b, 8, flags, 4, 3, 2, 1, 2, 3];
            if flags & 4 != 0 {
                stream.extend_from_slice(b"\x14\0twenty extra letters");
            }
            if flags & 8 != 0 {
                stream.extend_from_slice(if piece & 1 == 0 { b"a name that is long\0" } else { b"short\0" });
            }
            if flags & 16 != 0 {
                stream.extend_from_slice(b"a comment\0");
            }
            if flags & 2 != 0 {
                let crc = crc32fast::hash(&stream) as u16;
                stream.extend_from_slice(&crc.to_le_bytes());
            }
            stream.extend_from_slice(&[3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

            let mut theirs = zlib.inflater(31).expect("legal");
            let mut fields = [[0x55u8; FIELD_ROOM]; 3];
            let [extra, name, comment] = &mut fields;
            let mut header = judge::GzHeader {
                text: 0,
                time: 0,
                xflags: 0,
                os: 0,
                extra: extra.as_mut_ptr(),
                extra_len: 0,
                extra_max: FIELD_ROOM as u32,
                name: name.as_mut_ptr(),
                name_max: FIELD_ROOM as u32,
                comment: comment.as_mut_ptr(),
                comm_max: FIELD_ROOM as u32,
                hcrc: 0,
                done: 0,
            };
            let ptr = theirs.ptr();
            // SAFETY: the stream is open; the header and its fields live until both are dropped.
            assert_eq!(unsafe { (zlib.inflateGetHeader)(ptr, &raw mut header) }, 0);
            let mut ours = Inflate::new(31, Allocator::SYSTEM).expect("legal");
            let blank = || vec![0x55; FIELD_ROOM];
            let mut collected =
                Collected { extra: blank(), name: blank(), comment: blank(), ..Collected::default() };
            for bytes in stream.chunks(piece) {
                let mut rest = bytes;
                let mut room = [0; 10];
                let outcome =
                    ours.inflate(&mut rest, &mut Output::new(&mut room), Goal::Progress, &mut |part| {
                        collected.add(part)
                    });
                assert_eq!(code(outcome), theirs.call(bytes, &mut room, 0).0, "flags {flags} piece {piece}");
            }
            let numbers = [header.text as u64, header.time, header.xflags as u64, header.os as u64];
            assert_eq!(collected.numbers[..4], numbers, "flags {flags} piece {piece}");
            assert_eq!(collected.numbers[4..], [header.hcrc as u64, header.done as u64]);
            let kept = [header.extra, header.name, header.comment].map(|field| !field.is_null());
            for ((field, kept), ours) in
                fields.iter().zip(kept).zip([&collected.extra, &collected.name, &collected.comment])
            {
                assert_eq!(if kept { field.as_slice() } else { &[] }, ours, "flags {flags} piece {piece}");
            }
        }
    }
}
