//! Reads the first bytes of a compressed file: the kind of file, and for a gzip header (RFC 1952) name, time and length.
//! The decoder checks whether the header is valid.

#![forbid(unsafe_code)]

/// The kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Gzip,
    Zlib,
    /// Too short for any format.
    Empty,
    /// The first entry of a zip file.
    Zip,
    /// A format that gzip reads and rigz does not: its name, and the program that reads it.
    Foreign(&'static str, &'static str),
    /// The same for a format that gzip does not read either.
    Other(&'static str, &'static str),
    Unknown,
}

/// The fields of a gzip header.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) name: Option<Vec<u8>>,
    /// Seconds since 1970; `None` if the header has 0.
    pub(crate) time: Option<u32>,
    /// Bytes of the header.
    pub(crate) len: usize,
}

impl Kind {
    /// For an unsupported format, its name and the program that reads it.
    pub(crate) fn advice(self) -> Option<String> {
        match self {
            Kind::Foreign(what, reader) | Kind::Other(what, reader) => {
                Some(format!("compressed by {what}, which is not supported: {reader} reads it"))
            }
            Kind::Gzip | Kind::Zlib | Kind::Zip | Kind::Empty | Kind::Unknown => None,
        }
    }
}

const HEADER_CRC: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;

/// The kind and header of the data that begins here; false when the bytes end before the header does.
pub(crate) fn parse(bytes: &[u8]) -> (Kind, Stored, bool) {
    let kind = match bytes {
        [0x1f, 0x8b, ..] => Kind::Gzip,
        [0x1f, 0x9d, ..] => Kind::Foreign("compress (LZW)", "gzip -d or uncompress"),
        [0x1f, 0x1e, ..] => Kind::Foreign("pack", "gzip -d"),
        [0x1f, 0xa0, ..] => Kind::Foreign("SCO compress -H", "gzip -d"),
        [b'P', b'K', 3, 4, ..] => Kind::Zip,
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Kind::Other("bzip2", "bzip2 -d"),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Kind::Other("xz", "xz -d"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Kind::Other("zstd", "zstd -d"),
        [0x04, 0x22, 0x4d, 0x18, ..] => Kind::Other("lz4", "lz4 -d"),
        [b'L', b'Z', b'I', b'P', ..] => Kind::Other("lzip", "lzip -d"),
        [0x89, b'L', b'Z', b'O', ..] => Kind::Other("lzop", "lzop -d"),
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => Kind::Other("7-Zip", "7z x"),
        // RFC 1950, 2.2: method 8, a window of at most 32 KiB, a multiple of 31, no dictionary.
        [first, second, ..]
            if first & 15 == 8
                && first >> 4 <= 7
                && u16::from_be_bytes([*first, *second]).is_multiple_of(31)
                && second & 32 == 0 =>
        {
            Kind::Zlib
        }
        [_, _, ..] => Kind::Unknown,
        _ => return (Kind::Empty, Stored::default(), false),
    };
    match (kind, parse_fields(bytes)) {
        (Kind::Gzip, Some(stored)) => (kind, stored, true),
        (Kind::Gzip, None) => (kind, Stored::default(), false),
        _ => (kind, Stored::default(), true),
    }
}

fn parse_fields(bytes: &[u8]) -> Option<Stored> {
    let (fixed, mut rest) = bytes.split_at_checked(10)?;
    let flags = fixed[3];
    let time = u32::from_le_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
    if flags & EXTRA != 0 {
        let (len, behind) = rest.split_at_checked(2)?;
        rest = behind.split_at_checked(usize::from(u16::from_le_bytes([len[0], len[1]])))?.1;
    }
    let name = if flags & NAME != 0 { Some(take_text(&mut rest)?.to_vec()) } else { None };
    if flags & COMMENT != 0 {
        take_text(&mut rest)?;
    }
    if flags & HEADER_CRC != 0 {
        rest = rest.split_at_checked(2)?.1;
    }
    Some(Stored { name, time: (time != 0).then_some(time), len: bytes.len() - rest.len() })
}

/// Removes a zero-terminated text from the front.
fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = rest.iter().position(|&byte| byte == 0)?;
    let text = &rest[..len];
    *rest = &rest[len + 1..];
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rigz::format::gzip::Header;
    use rigz::raw::Output;

    #[test]
    fn every_field_is_found_or_skipped() {
        let header = Header {
            time: 77,
            extra: Some(b"extra"),
            name: Some(b"name\0"),
            comment: Some(b"comment\0"),
            has_crc: true,
            ..Header::default()
        };
        let mut bytes = vec![0; header.encoded_len()];
        header.write(0, &mut 0, &mut Output::new(&mut bytes));
        let stored = Stored { name: Some(b"name".to_vec()), time: Some(77), len: bytes.len() };
        assert_eq!(parse(&bytes), (Kind::Gzip, stored, true));
        for len in 2..bytes.len() {
            assert_eq!(parse(&bytes[..len]), (Kind::Gzip, Stored::default(), false), "{len} bytes");
        }
    }

    #[test]
    fn first_bytes_determine_the_kind() {
        assert_eq!(parse(&[0x78, 0x9c]).0, Kind::Zlib);
        assert_eq!(parse(&[0x78, 0x9d]).0, Kind::Unknown);
        assert_eq!(parse(&[0x78, 0xbb]).0, Kind::Unknown, "a preset dictionary is never available");
        assert!(matches!(parse(&[0x1f, 0x9d]).0, Kind::Foreign(..)));
        assert_eq!(parse(b"\xfd7zXZ\0").0, Kind::Other("xz", "xz -d"));
        assert_eq!(parse(b"BZh9").0, Kind::Other("bzip2", "bzip2 -d"));
        assert_eq!(parse(b"BZhello").0, Kind::Unknown);
        for short in [&[][..], &[0x1f]] {
            assert_eq!(parse(short).0, Kind::Empty);
        }
    }
}
