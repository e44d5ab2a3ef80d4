//! The gzip wrapper (RFC 1952): header with optional fields, and trailer.
//!
//! A name and a comment can have any length, and the output space for the header can arrive byte by byte. So [`Header::write`]
//! keeps no copy: each call walks the fields in order, skips the bytes already written, and continues from there.

#![forbid(unsafe_code)]

use crate::raw::Output;

/// The gzip header fields that the writer chooses. All slices are borrowed from the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header<'a> {
    /// `FTEXT`: probably text.
    pub text: bool,
    /// `MTIME`: seconds since 1970.
    pub time: u32,
    /// `OS`.
    pub os: u8,
    /// `FEXTRA`'s bytes, at most 65535.
    pub extra: Option<&'a [u8]>,
    /// `FNAME`, including its terminating zero.
    pub name: Option<&'a [u8]>,
    /// `FCOMMENT`, including its terminating zero.
    pub comment: Option<&'a [u8]>,
    /// `FHCRC`: the header ends with a CRC-16.
    pub has_crc: bool,
}

/// The default `OS`: Unix.
pub const OS_UNIX: u8 = 3;

impl Header<'_> {
    /// The header's size in bytes.
    pub fn encoded_len(&self) -> usize {
        let extra = self.extra.map_or(0, |extra| 2 + extra.len());
        let texts = self.name.map_or(0, <[u8]>::len) + self.comment.map_or(0, <[u8]>::len);
        10 + extra + texts + if self.has_crc { 2 } else { 0 }
    }

    /// Continues writing at `*position` (0 at first) while `output` has room; true when the header is complete.
    /// `effort` is `XFL`: 2 for best, 4 for fastest, else 0.
    pub fn write(&self, effort: u8, position: &mut usize, output: &mut Output<'_>) -> bool {
        let mut fixed = [31, 139, 8, self.flags(), 0, 0, 0, 0, effort, self.os];
        fixed[4..8].copy_from_slice(&self.time.to_le_bytes());
        let extra_len = self.extra.map(|extra| (extra.len() as u16).to_le_bytes());
        let fields: [&[u8]; 5] = [
            &fixed,
            extra_len.as_ref().map_or(&[], |len| len),
            self.extra.unwrap_or_default(),
            self.name.unwrap_or_default(),
            self.comment.unwrap_or_default(),
        ];
        let crc = self.has_crc.then(|| {
            let mut hasher = crc32fast::Hasher::new();
            fields.iter().for_each(|field| hasher.update(field));
            (hasher.finalize() as u16).to_le_bytes()
        });
        let mut start = 0;
        for field in fields.into_iter().chain(crc.as_ref().map(|crc| crc.as_slice())) {
            if (start..start + field.len()).contains(position) {
                *position += output.put(&field[*position - start..]);
            }
            start += field.len();
        }
        // A program may have shortened the header in the meantime, against zlib's rules; bytes already written stay.
        *position >= start
    }

    fn flags(&self) -> u8 {
        u8::from(self.text)
            | u8::from(self.has_crc) << 1
            | u8::from(self.extra.is_some()) << 2
            | u8::from(self.name.is_some()) << 3
            | u8::from(self.comment.is_some()) << 4
    }
}

/// The trailer: CRC-32 and length modulo 2^32 of the data.
pub fn trailer(crc: u32, len: u64) -> [u8; 8] {
    let mut trailer = [0; 8];
    trailer[..4].copy_from_slice(&crc.to_le_bytes());
    trailer[4..].copy_from_slice(&(len as u32).to_le_bytes());
    trailer
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: Header<'static> = Header {
        text: true,
        time: 0x0102_0304,
        os: OS_UNIX,
        extra: Some(b"extra"),
        name: Some(b"name\0"),
        comment: Some(b"a comment\0"),
        has_crc: true,
    };

    fn write(header: &Header<'_>, room: usize) -> Vec<u8> {
        let (mut written, mut position) = (Vec::new(), 0);
        for _ in 0..=header.encoded_len() {
            let mut buffer = vec![0; room];
            let mut output = Output::new(&mut buffer);
            let complete = header.write(2, &mut position, &mut output);
            let count = output.written();
            written.extend_from_slice(&buffer[..count]);
            if complete {
                return written;
            }
        }
        panic!("the header never completes with {room} bytes of room");
    }

    #[test]
    fn a_header_shortened_below_the_bytes_written_ends() {
        for room in 0..FULL.encoded_len() {
            let (mut buffer, mut position) = (vec![0; room], 0);
            assert!(!FULL.write(2, &mut position, &mut Output::new(&mut buffer)));
            let shorter = Header { extra: None, name: None, comment: None, ..FULL };
            let mut rest = [0; 100];
            assert!(shorter.write(2, &mut position, &mut Output::new(&mut rest)), "{room} bytes out");
        }
    }

    #[test]
    fn the_header_is_the_same_for_every_room() {
        for header in [FULL, Header { has_crc: false, ..FULL }, Header { os: OS_UNIX, ..Header::default() }] {
            let whole = write(&header, 1000);
            assert_eq!(whole.len(), header.encoded_len());
            for room in 1..=whole.len() {
                assert_eq!(write(&header, room), whole, "room {room}");
            }
        }
    }

    #[test]
    fn fields_are_in_the_order_of_the_rfc() {
        let whole = write(&FULL, 1000);
        assert_eq!(whole[..10], [31, 139, 8, 0x1f, 4, 3, 2, 1, 2, 3]);
        assert_eq!(&whole[10..whole.len() - 2], b"\x05\0extraname\0a comment\0");
        let crc = crc32fast::hash(&whole[..whole.len() - 2]) as u16;
        assert_eq!(whole[whole.len() - 2..], crc.to_le_bytes());
    }
}
