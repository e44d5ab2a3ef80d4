//! A whole stream from one slice into one buffer: raw DEFLATE, or with the zlib wrap around it.
//!
//! For `uncompress()` and similar functions. No state is kept, so there is no window: the output is its own history. This is
//! faster than a stream: nothing is copied twice, and only a dynamic block needs memory, for its tables.
//!
//! Uses the same block machine as streams, so it consumes as much input as zlib would, also if the data is damaged, ends too
//! early or does not fit.

#![forbid(unsafe_code)]

use core::ffi::CStr;

use super::bit_reader::{BitReader, HeldBits};
use super::blocks::{Blocks, Event, Stop};
use super::history::OutputHistory;
use super::message;
use super::table::Tables;
use super::wrap::{HeaderEvent, HeaderReader, Surroundings, Wrap};
use crate::checksum::adler32;
use crate::raw::{Allocator, Output, Placed};

/// How a one-shot decoding ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The stream is complete.
    Complete,
    /// The input ends before the stream does.
    InputEnds,
    /// The stream's data does not fit in the output.
    OutputFull,
    /// The data cannot be decoded without a dictionary; none of it was.
    NeedsDictionary,
    /// The data is damaged; with zlib's message.
    Damaged(&'static CStr),
}

/// The result of a one-shot decoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Bytes of the input that belong to the stream, or were examined.
    pub consumed: usize,
    /// Bytes appended to the output.
    pub produced: usize,
    /// How it ended.
    pub end: End,
}

/// Keeps all bits that were taken: none are given back.
const ALL: u32 = u32::MAX;

#[cfg(any(test, feature = "internals"))]
/// Decodes the raw DEFLATE stream at the start of `input` to `output`.
///
/// May overwrite the unused part of `output`; never writes past its end.
pub fn decode(input: &[u8], output: &mut Output<'_>) -> Decoded {
    let mut reader = BitReader::new(HeldBits::default(), input);
    let mut history = OutputHistory::new(output);
    let (end, held) = decode_blocks(&mut reader, &mut history);
    reader.give_back(held);
    let produced = history.finish();
    Decoded { consumed: reader.consumed(), produced, end }
}

/// Decodes the zlib stream (RFC 1950) at the start of `input` to `output`, and compares its Adler-32.
///
/// May overwrite the unused part of `output`; never writes past its end.
pub fn decode_zlib(input: &[u8], output: &mut Output<'_>) -> Decoded {
    let mut reader = BitReader::new(HeldBits::default(), input);
    let mut history = OutputHistory::new(output);
    let (end, held) = match read_header(&mut reader) {
        Some(refused) => refused,
        None => match decode_blocks(&mut reader, &mut history) {
            (End::Complete, _) => check_trailer(&mut reader, history.bytes()),
            failed => failed,
        },
    };
    reader.give_back(held);
    let produced = history.finish();
    Decoded { consumed: reader.consumed(), produced, end }
}

/// Reads a zlib header. On failure returns why it ended, and how many bits zlib would hold.
fn read_header(reader: &mut BitReader<'_>) -> Option<(End, u32)> {
    let wrap = Wrap { zlib: true, gzip: false, checked: true };
    let mut around = Surroundings { wrap, window_bits: &mut 15, report: &mut |_| {} };
    match HeaderReader::new().step(reader, &mut around) {
        HeaderEvent::Done => None,
        HeaderEvent::NeedInput => Some((End::InputEnds, ALL)),
        HeaderEvent::NeedDictionary => Some((End::NeedsDictionary, 0)),
        HeaderEvent::Damaged { message, held } => Some((End::Damaged(message), held)),
    }
}

/// Decodes all blocks; returns how that ended, and how many bits zlib would hold.
///
/// The first step runs without tables: a short stream often has only fixed or stored blocks, and
/// then nothing is allocated. At a dynamic block the machine stops before it takes the counts, and
/// the second step continues there with tables.
fn decode_blocks(reader: &mut BitReader<'_>, history: &mut OutputHistory<'_, '_>) -> (End, u32) {
    let mut blocks = Blocks::new();
    let mut event = blocks.step(reader, history.history(), Stop::Nowhere, None);
    if event == Event::NeedTables {
        event = match Placed::<Tables>::zeroed(Allocator::SYSTEM) {
            Ok(mut tables) => blocks.step(reader, history.history(), Stop::Nowhere, Some(&mut tables)),
            Err(_) => with_tables_on_stack(&mut blocks, reader, history),
        };
    }
    match event {
        // With `Stop::Nowhere` the machine does not stop, and it has tables by now.
        Event::End | Event::Stopped | Event::NeedTables => (End::Complete, 0),
        Event::NeedInput => (End::InputEnds, ALL),
        Event::NeedRoom => (End::OutputFull, 0),
        Event::Damaged { message, held } => (End::Damaged(message), held),
    }
}

/// Continues with the tables on the stack when allocating them failed. They take 6 KiB, and a host's thread may have a small
/// stack, so this is only the fallback.
#[cold]
#[inline(never)]
fn with_tables_on_stack(
    blocks: &mut Blocks,
    reader: &mut BitReader<'_>,
    history: &mut OutputHistory<'_, '_>,
) -> Event {
    blocks.step(reader, history.history(), Stop::Nowhere, Some(&mut Tables::new()))
}

/// Compares the trailer with the Adler-32 of `data`, which is sent from the high byte on (RFC 1950,
/// 2.2). After damage zlib still holds the 32 bits.
fn check_trailer(reader: &mut BitReader<'_>, data: &[u8]) -> (End, u32) {
    if !reader.need(32) {
        return (End::InputEnds, ALL);
    }
    if reader.peek(32).swap_bytes() != adler32::update(adler32::INITIAL, data) {
        return (End::Damaged(message::DATA_CHECK), 32);
    }
    reader.drop_bits(32);
    (End::Complete, 0)
}
