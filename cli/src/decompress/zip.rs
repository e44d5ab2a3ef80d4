//! The first entry of a zip file, as gzip reads it: stored or deflated, with its lengths and CRC
//! before the data or, from a program that wrote to a pipe, after it (APPNOTE.TXT, 4.3.7 to 4.3.9).
//!
//! The directory at the end is not read, so that pipes work like files.

use super::{Decoder, truncated};
use crate::progress::Progress;
use crate::transfer::{Failure, Sink, Trailing};
use rigz::raw::Allocator;
use rigz::stream::inflate::InflateStream;

const LOCAL: &[u8] = b"PK\x03\x04";
const DESCRIPTOR: &[u8] = b"PK\x07\x08";
const FIXED_LEN: usize = 30;

const IS_ENCRYPTED: u16 = 1;
const HAS_DESCRIPTOR: u16 = 8;

/// The contents of a local header.
struct Entry {
    flags: u16,
    method: u16,
    crc: u32,
    packed_len: u64,
    plain_len: u64,
    has_long_lens: bool,
}

impl Decoder<'_> {
    /// Decodes the entry, and records whether another follows.
    pub(super) fn decode_entry(&mut self, output: &mut Sink, progress: &mut Progress) -> Result<(), Failure> {
        let entry = self.take_local_header()?;
        if entry.flags & IS_ENCRYPTED != 0 {
            return Err(Failure::Broken("encrypted file -- use unzip".into()));
        }
        output.begin_check();
        let before = self.totals.bytes_in;
        match entry.method {
            8 => self.decode_member(&mut InflateStream::new(-15, Allocator::SYSTEM)?, output, progress)?,
            0 if entry.flags & HAS_DESCRIPTOR == 0 => self.copy_stored(entry.packed_len, output)?,
            method => {
                return Err(Failure::Broken(format!("zip method {method} is not supported: unzip reads it")));
            }
        }
        let packed_len = self.totals.bytes_in - before;
        output.flush()?;
        let crc = output.check().unwrap_or_default();
        self.check_entry(&entry, crc, packed_len)?;
        self.totals.wrap_len = self.totals.bytes_in - packed_len;
        if self.load_at_least(LOCAL.len())? && self.bytes().starts_with(LOCAL) {
            self.totals.trailing = Trailing::Entries;
        }
        Ok(())
    }

    fn take_local_header(&mut self) -> Result<Entry, Failure> {
        if !self.load_at_least(FIXED_LEN)? {
            return Err(truncated());
        }
        let header = &self.bytes()[..FIXED_LEN];
        let short = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let long = |at: usize| u32::from(short(at)) | u32::from(short(at + 2)) << 16;
        let (name_len, extra_len) = (usize::from(short(26)), usize::from(short(28)));
        let mut entry = Entry {
            flags: short(6),
            method: short(8),
            crc: long(14),
            packed_len: long(18).into(),
            plain_len: long(22).into(),
            has_long_lens: false,
        };
        if !self.load_at_least(FIXED_LEN + name_len + extra_len)? {
            return Err(truncated());
        }
        let extra = &self.bytes()[FIXED_LEN + name_len..][..extra_len];
        if let Some((plain_len, packed_len)) = long_lens(extra) {
            (entry.plain_len, entry.packed_len, entry.has_long_lens) = (plain_len, packed_len, true);
        }
        self.pass(FIXED_LEN + name_len + extra_len);
        Ok(entry)
    }

    fn copy_stored(&mut self, len: u64, output: &mut Sink) -> Result<(), Failure> {
        let mut left = len;
        while left > 0 {
            if self.bytes().is_empty() && !self.load()? {
                return Err(truncated());
            }
            let count = self.bytes().len().min(usize::try_from(left).unwrap_or(usize::MAX));
            output.pass(&self.bytes()[..count])?;
            self.pass(count);
            self.totals.bytes_out += count as u64;
            left -= count as u64;
        }
        Ok(())
    }

    /// Compares the data with its CRC and lengths.
    fn check_entry(&mut self, entry: &Entry, crc: u32, packed_len: u64) -> Result<(), Failure> {
        let plain_len = self.totals.bytes_out;
        let (mut wanted_crc, mut lens) = (entry.crc, (entry.packed_len, entry.plain_len));
        if entry.flags & HAS_DESCRIPTOR != 0 {
            // The signature may be missing, and lengths may have 8 bytes even if the header does not indicate it.
            let start = if self.load_at_least(4)? && self.bytes().starts_with(DESCRIPTOR) { 4 } else { 0 };
            let _ = self.load_at_least(start + 20)?;
            let Some((crc, rest)) = self.bytes().get(start..).and_then(|rest| rest.split_first_chunk::<4>())
            else {
                return Err(truncated());
            };
            wanted_crc = u32::from_le_bytes(*crc);
            let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
            let lens_of = |len: usize| Some((number(rest.get(..len)?), number(rest.get(len..2 * len)?)));
            let (short, long) = (lens_of(4), lens_of(8));
            let is_long = entry.has_long_lens
                || (short != Some((packed_len, plain_len)) && long == Some((packed_len, plain_len)));
            lens = if is_long { long } else { short }.ok_or_else(truncated)?;
            self.pass(start + 4 + if is_long { 16 } else { 8 });
        }
        match () {
            () if wanted_crc != crc => Err(Failure::Broken("invalid compressed data--crc error".into())),
            () if lens != (packed_len, plain_len) => {
                Err(Failure::Broken("invalid compressed data--length error".into()))
            }
            () => Ok(()),
        }
    }

    /// Loads at least `count` bytes; false if the input ends before.
    fn load_at_least(&mut self, count: usize) -> Result<bool, Failure> {
        while self.bytes().len() < count {
            if !self.load()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn pass(&mut self, count: usize) {
        self.start += count;
        self.totals.bytes_in += count as u64;
    }
}

/// The lengths in a zip64 field, plain and packed.
fn long_lens(mut extra: &[u8]) -> Option<(u64, u64)> {
    while let Some((&[kind_low, kind_high, len_low, len_high], rest)) = extra.split_first_chunk::<4>() {
        let len = usize::from(u16::from_le_bytes([len_low, len_high]));
        let (field, behind) = rest.split_at_checked(len)?;
        if (kind_low, kind_high) == (1, 0) {
            let (plain, rest) = field.split_first_chunk::<8>()?;
            return Some((u64::from_le_bytes(*plain), u64::from_le_bytes(*rest.first_chunk::<8>()?)));
        }
        extra = behind;
    }
    None
}
