//! Decodes the headers of the wraps around a DEFLATE stream: zlib (RFC 1950), gzip (RFC 1952), or none. `stream` and
//! `one_shot` read the trailers.
//!
//! The input may end anywhere in a header, so it is read field by field, each when all its bytes are available; texts are
//! read byte by byte. The fields of a gzip header are reported as they are read, in [`HeaderPart`]s, because that is
//! when zlib fills in a caller's `gz_header`.
//!
//! ```text
//! zlib:  CMF FLG | DICTID, 4 bytes, if FDICT
//! gzip:  1f 8b | CM FLG | MTIME, 4 bytes | XFL OS | XLEN, 2, and the extra field, if FEXTRA
//!        | name and a zero, if FNAME | comment and a zero, if FCOMMENT | CRC-16, 2, if FHCRC
//! ```
//!
//! The first two bytes decide between the two. DICTID is sent from its high byte on, all numbers of
//! gzip from their low byte on.
//!
//! Bits that `inflatePrime` inserted precede the header. zlib reads a field into its bit buffer
//! until at least the field's bits are there, tests the whole buffer in some places, and empties it
//! after the field. The code below follows this, so that a primed stream fails or succeeds as in
//! zlib.

#![forbid(unsafe_code)]

use core::ffi::CStr;

use super::bit_reader::BitReader;
use super::message;
use crate::checksum::{adler32, crc32};

/// Which wraps a caller accepts and checks: zlib's `wrap`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wrap {
    /// A zlib header is accepted.
    pub(crate) zlib: bool,
    /// A gzip header is accepted.
    pub(crate) gzip: bool,
    /// Check values are computed and compared.
    pub(crate) checked: bool,
}

impl Wrap {
    /// No wrap.
    pub(crate) const RAW: Self = Self { zlib: false, gzip: false, checked: false };

    /// Splits `inflateInit2`'s window bits into the wrap and the window's size; returns `None` if they are not valid.
    ///
    /// A size of 0 is valid in all but the negative range: the header sets the size then.
    pub(crate) fn parse(window_bits: i32) -> Option<(Self, u32)> {
        let (wrap, bits) = match window_bits {
            ..-15 => return None,
            -15..=-1 => (Self::RAW, -window_bits),
            0..=15 => (Self { zlib: true, gzip: false, checked: true }, window_bits),
            16..=31 => (Self { zlib: false, gzip: true, checked: true }, window_bits & 15),
            32..=47 => (Self { zlib: true, gzip: true, checked: true }, window_bits & 15),
            _ => return None,
        };
        (bits == 0 || (8..=15).contains(&bits)).then_some((wrap, bits as u32))
    }

    /// Whether there is no wrap at all.
    pub(crate) fn is_raw(self) -> bool {
        !self.zlib && !self.gzip
    }
}

/// Which header was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// None yet, or none expected.
    Nothing,
    /// A zlib header.
    Zlib,
    /// A gzip header with these flags.
    Gzip(u8),
}

impl Found {
    /// Updates the check value `check` with `data`.
    pub(crate) fn update(self, check: u32, data: &[u8]) -> u32 {
        match self {
            Found::Zlib => adler32::update(check, data),
            Found::Nothing | Found::Gzip(_) => crc32::update(check, data),
        }
    }
}

/// A piece of a gzip header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderPart<'a> {
    /// There is no gzip header.
    NotGzip,
    /// `FTEXT`.
    Text(bool),
    /// `MTIME`.
    Time(u32),
    /// `XFL` and `OS`.
    Origin {
        /// `XFL`.
        extra_flags: u8,
        /// `OS`.
        system: u8,
    },
    /// The length of the extra field, if there is one.
    ExtraLen(Option<u16>),
    /// Bytes of the extra field.
    Extra {
        /// How many bytes of the field had not been reported before these.
        left: usize,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// There is no name.
    NoName,
    /// The next bytes of the name, including the closing zero.
    Name(&'a [u8]),
    /// There is no comment.
    NoComment,
    /// The next bytes of the comment, including the closing zero.
    Comment(&'a [u8]),
    /// The header is complete.
    End {
        /// Whether it had a CRC-16.
        had_crc: bool,
    },
}

/// The next field of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Magic,
    Flags,
    Time,
    Origin,
    ExtraLen,
    Extra,
    Name,
    Comment,
    Crc,
    DictionaryId,
}

/// How reading a header ended for this call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderEvent {
    /// More input is needed.
    NeedInput,
    /// The header is complete; the data follows.
    Done,
    /// The header is complete; the data needs the dictionary with the check value that is now in `check`.
    NeedDictionary,
    /// The header is damaged. `held` bits of the input are not dropped.
    Damaged {
        /// zlib's message.
        message: &'static CStr,
        /// The number of bits that zlib leaves in its bit buffer.
        held: u32,
    },
}

// The bits of a gzip header's FLG (RFC 1952, 2.3.1).
const TEXT: u8 = 1;
const HAS_CRC: u8 = 2;
const HAS_EXTRA: u8 = 4;
const HAS_NAME: u8 = 8;
const HAS_COMMENT: u8 = 16;
const RESERVED: u8 = 0xe0;
/// The compression method DEFLATE, in both wraps: CM.
const DEFLATED: u32 = 8;

/// The state of reading a header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeaderReader {
    /// The field that is read next. It changes only when a field is complete.
    field: Field,
    /// Which header it is.
    pub(crate) found: Found,
    /// CRC-32 of the gzip header so far, later the check value of the data.
    pub(crate) check: u32,
    /// Bytes still to come of the extra field.
    length: usize,
}

/// Values outside the header that reading it uses or changes.
pub(crate) struct Surroundings<'s, 'c> {
    /// Which wraps are accepted.
    pub(crate) wrap: Wrap,
    /// The window's size as a power of two; 0 means to use the header's.
    pub(crate) window_bits: &'s mut u32,
    /// Called with each part of a gzip header.
    pub(crate) report: &'s mut (dyn FnMut(HeaderPart<'_>) + 'c),
}

impl HeaderReader {
    /// Before the header.
    pub(crate) const fn new() -> Self {
        Self { field: Field::Magic, found: Found::Nothing, check: 0, length: 0 }
    }

    /// Whether nothing was read yet.
    pub(crate) fn is_at_start(&self) -> bool {
        self.field == Field::Magic
    }

    /// Continues reading. One long function, because it is one state machine: one arm per field, in the order of the header.
    ///
    /// An arm whose optional field is absent reports that and goes on. After `NeedInput` the same
    /// arm is repeated; all input was taken by then, and a text's bytes so far have been reported.
    pub(crate) fn step(
        &mut self,
        reader: &mut BitReader<'_>,
        around: &mut Surroundings<'_, '_>,
    ) -> HeaderEvent {
        // Takes a field of whole bytes, or ends `step` without taking anything.
        macro_rules! field {
            ($bits:expr) => {{
                if !reader.need($bits) {
                    return HeaderEvent::NeedInput;
                }
                let value = reader.peek($bits);
                reader.drop_bits($bits);
                // zlib drops bits primed beyond a header's field.
                reader.give_back(0);
                reader.clear();
                value
            }};
        }
        loop {
            let flags = match self.found {
                Found::Gzip(flags) => flags,
                _ => 0,
            };
            let has = |flag: u8| flags & flag != 0;
            match self.field {
                Field::Magic => {
                    if !reader.need(16) {
                        return HeaderEvent::NeedInput;
                    }
                    // The header is all bits that zlib would hold: with primed bits, perhaps more than 16.
                    reader.give_back(16);
                    let magic = reader.bits();
                    if around.wrap.gzip && magic == 0x8b1f {
                        // A gzip header has no window size.
                        if *around.window_bits == 0 {
                            *around.window_bits = 15;
                        }
                        let _ = field!(16);
                        // The flags are not known yet, so these bytes are always counted. Without a
                        // header CRC the value is not used.
                        self.check = crc32::update(crc32::INITIAL, &(magic as u16).to_le_bytes());
                        self.field = Field::Flags;
                        continue;
                    }
                    (around.report)(HeaderPart::NotGzip);
                    let damaged = |message, held| HeaderEvent::Damaged { message, held };
                    // CMF * 256 + FLG is a multiple of 31; the low four bits of CMF are the method,
                    // the upper four the window's size as a power of two, minus 8 (RFC 1950, 2.2).
                    if !around.wrap.zlib || !(((magic & 0xff) << 8) + (magic >> 8)).is_multiple_of(31) {
                        return damaged(message::HEADER_CHECK, 16);
                    }
                    if magic & 15 != u64::from(DEFLATED) {
                        return damaged(message::METHOD, 16);
                    }
                    let bits = (magic >> 4 & 15) as u32 + 8;
                    if *around.window_bits == 0 {
                        *around.window_bits = bits;
                    }
                    // zlib has dropped the method's four bits when it tests the size.
                    if bits > 15 || bits > *around.window_bits {
                        reader.drop_bits(4);
                        return damaged(message::WINDOW_SIZE, 12);
                    }
                    let _ = field!(16);
                    self.found = Found::Zlib;
                    self.check = adler32::INITIAL;
                    // FDICT is bit 5 of the second byte.
                    if magic & 0x2000 == 0 {
                        return HeaderEvent::Done;
                    }
                    self.field = Field::DictionaryId;
                }
                Field::DictionaryId => {
                    self.check = field!(32).swap_bytes();
                    return HeaderEvent::NeedDictionary;
                }
                Field::Flags => {
                    if !reader.need(16) {
                        return HeaderEvent::NeedInput;
                    }
                    let value = reader.peek(16);
                    let flags = (value >> 8) as u8;
                    // zlib distinguishes the wraps by these two bytes: a header in which both are 0 is refused, and
                    // after `inflateSync` it counts as a zlib header.
                    self.found = if value == 0 { Found::Zlib } else { Found::Gzip(flags) };
                    if value & 0xff != DEFLATED {
                        return HeaderEvent::Damaged { message: message::METHOD, held: 16 };
                    }
                    if flags & RESERVED != 0 {
                        return HeaderEvent::Damaged { message: message::HEADER_FLAGS, held: 16 };
                    }
                    let _ = field!(16);
                    (around.report)(HeaderPart::Text(flags & TEXT != 0));
                    self.count(around.wrap, &(value as u16).to_le_bytes());
                    self.field = Field::Time;
                }
                Field::Time => {
                    let time = field!(32);
                    (around.report)(HeaderPart::Time(time));
                    self.count(around.wrap, &time.to_le_bytes());
                    self.field = Field::Origin;
                }
                Field::Origin => {
                    let value = field!(16) as u16;
                    let [extra_flags, system] = value.to_le_bytes();
                    (around.report)(HeaderPart::Origin { extra_flags, system });
                    self.count(around.wrap, &value.to_le_bytes());
                    self.field = Field::ExtraLen;
                }
                Field::ExtraLen => {
                    self.length = 0;
                    if has(HAS_EXTRA) {
                        let len = field!(16) as u16;
                        (around.report)(HeaderPart::ExtraLen(Some(len)));
                        self.count(around.wrap, &len.to_le_bytes());
                        self.length = usize::from(len);
                    } else {
                        (around.report)(HeaderPart::ExtraLen(None));
                    }
                    self.field = Field::Extra;
                }
                Field::Extra => {
                    // Without an extra field the length is 0, and this arm only goes on.
                    let bytes = reader.take_bytes(self.length);
                    if !bytes.is_empty() {
                        (around.report)(HeaderPart::Extra { left: self.length, bytes });
                        self.count(around.wrap, bytes);
                        self.length -= bytes.len();
                    }
                    if self.length != 0 {
                        return HeaderEvent::NeedInput;
                    }
                    self.field = Field::Name;
                }
                Field::Name => {
                    if has(HAS_NAME) {
                        let Some(bytes) = self.take_text(reader, around.wrap) else {
                            return HeaderEvent::NeedInput;
                        };
                        (around.report)(HeaderPart::Name(bytes));
                        if bytes.last() != Some(&0) {
                            return HeaderEvent::NeedInput;
                        }
                    } else {
                        (around.report)(HeaderPart::NoName);
                    }
                    self.field = Field::Comment;
                }
                Field::Comment => {
                    if has(HAS_COMMENT) {
                        let Some(bytes) = self.take_text(reader, around.wrap) else {
                            return HeaderEvent::NeedInput;
                        };
                        (around.report)(HeaderPart::Comment(bytes));
                        if bytes.last() != Some(&0) {
                            return HeaderEvent::NeedInput;
                        }
                    } else {
                        (around.report)(HeaderPart::NoComment);
                    }
                    self.field = Field::Crc;
                }
                Field::Crc => {
                    if has(HAS_CRC) {
                        // The low 16 bits of the CRC-32 of all header bytes before this field.
                        if !reader.need(16) {
                            return HeaderEvent::NeedInput;
                        }
                        reader.give_back(16);
                        if around.wrap.checked && reader.bits() != u64::from(self.check & 0xffff) {
                            return HeaderEvent::Damaged { message: message::HEADER_CRC, held: 16 };
                        }
                        let _ = field!(16);
                    }
                    (around.report)(HeaderPart::End { had_crc: has(HAS_CRC) });
                    // From here on `check` is the data's.
                    self.check = crc32::INITIAL;
                    return HeaderEvent::Done;
                }
            }
        }
    }

    /// Updates the CRC of a gzip header with `bytes`, if it has a CRC that is to be checked.
    fn count(&mut self, wrap: Wrap, bytes: &[u8]) {
        if wrap.checked && matches!(self.found, Found::Gzip(flags) if flags & HAS_CRC != 0) {
            self.check = crc32::update(self.check, bytes);
        }
    }

    /// Takes a text up to its closing zero or the end of the input; returns `None` if there is no input.
    /// The text is complete if and only if the last byte returned is zero.
    fn take_text<'i>(&mut self, reader: &mut BitReader<'i>, wrap: Wrap) -> Option<&'i [u8]> {
        let rest = reader.rest();
        let len = rest.iter().position(|&byte| byte == 0).map_or(rest.len(), |zero| zero + 1);
        let bytes = reader.take_bytes(len);
        self.count(wrap, bytes);
        (!bytes.is_empty()).then_some(bytes)
    }
}
