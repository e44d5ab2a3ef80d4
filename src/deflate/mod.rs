//! The encoder engine: DEFLATE (RFC 1951) from whole slices, on one thread.
//!
//! It takes a *chunk*: some bytes and up to 32 KiB before them, the window, that matches may reach into. It gives a run of
//! DEFLATE blocks that begins and ends at a byte boundary, so that the chunks of a stream, encoded in any order by any
//! number of encoders, are joined by laying them end to end.
//!
//! ```text
//! match finder -> parser -> open block -> block writer -> bit writer
//! ```
//!
//! - `match_finder`: where did these bytes occur before? Two kinds; the one of level 3 and up builds its hash chains in a
//!   pass of their own, ahead of the parser, and searches each by the better of two chains.
//! - `parse`: which of those matches are worth their bits? The lazy parser judges by the estimated cost of symbols, the
//!   near-optimal one by that of whole paths.
//! - `sequence` holds the decisions of the open block and counts symbols, `block_split` says where it ends.
//! - `block` finds the shortest form (stored, fixed, dynamic) and writes it, with `huffman` and `bit_writer`.
//! - `level` is the table of what each level does.
//!
//! Two promises shape it. **The output is a function of the level, the input, the window and the end alone.** Tables, costs
//! and statistics start over with every call, and all decisions fall on a grid counted from the chunk's first byte.
//! **No output is longer than the input in stored blocks** ([`bound`]).
//!
//! The unchecked loads of the match finders are the only unsafe code but two lines that count what was written; docs/ENCODER.md tells what was
//! measured, what each constant rests on, and what lost.

mod bit_writer;
mod block;
mod block_split;
mod huffman;
mod level;
mod match_finder;
mod parse;
mod sequence;

pub use level::Level;

use bit_writer::BitWriter;
use block::{BlockWriter, Codes, stored_size};
use block_split::BlockSplit;
use level::Method;
use match_finder::distance_rings::DistanceRings;
use parse::Sink;
use parse::near_optimal::NearOptimal;
use sequence::OpenBlock;

use crate::error::{Error, Result};
use crate::format::deflate::WINDOW_SIZE;
use crate::raw::Output;
use core::alloc::Layout;

/// How a chunk ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkEnd {
    /// No block is final; an empty stored block (00 00 FF FF) ends the chunk at a byte boundary, and more may follow.
    Sync,
    /// The last block is final, and the last byte filled up.
    Finish,
}

/// What is known of a chunk beside its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkInfo {
    /// Bits in use in the last byte before the last fill-up to a byte, 1 to 8: what `deflateUsed` tells.
    pub last_bits: u32,
}

/// The most bytes that [`Encoder::encode`] appends for `len` bytes at any level: the input in stored blocks, and an end.
pub const fn bound(len: usize) -> usize {
    stored_size(len) + 5
}

/// The encoder: tables and buffers that outlive a call, and nothing else.
pub struct Encoder {
    rings: DistanceRings,
    block: OpenBlock,
    codes: Codes,
    /// Of levels 10 to 12, from their first use on.
    near_optimal: Option<Box<NearOptimal>>,
}

impl Encoder {
    /// An encoder with its rings; the hash tables grow with the inputs, up to 0.6 MiB, and stay, as does what
    /// levels 10 to 12 need beside, up to 8 MiB.
    pub fn new() -> Result<Self> {
        Ok(Self {
            rings: DistanceRings::new()?,
            block: OpenBlock::new(),
            codes: Codes::new(),
            near_optimal: None,
        })
    }

    /// As [`new`](Self::new), made where it stays: it is too large to be moved over the small stack of a host's thread.
    pub fn boxed() -> Result<Box<Self>> {
        let rings = DistanceRings::new()?;
        // SAFETY: an encoder is not of size zero.
        let place = unsafe { std::alloc::alloc_zeroed(Layout::new::<Self>()) }.cast::<Self>();
        if place.is_null() {
            return Err(Error::Memory);
        }
        // The fields of which zero bytes are no value; the others are numbers and arrays of numbers.
        // SAFETY: within the memory of an encoder.
        let rings_place = unsafe { &raw mut (*place).rings };
        // SAFETY: within the memory of an encoder.
        let sequences_place = unsafe { &raw mut (*place).block.sequences };
        // SAFETY: within the memory of an encoder.
        let near_optimal_place = unsafe { &raw mut (*place).near_optimal };
        // SAFETY: ours alone, and nothing is there that would have to be dropped.
        unsafe { rings_place.write(rings) };
        // SAFETY: as above.
        unsafe { sequences_place.write(Vec::new()) };
        // SAFETY: as above.
        unsafe { near_optimal_place.write(None) };
        // SAFETY: every field is a value now, and the memory came from the global allocator with this layout.
        Ok(unsafe { Box::from_raw(place) })
    }

    /// As [`encode_to`](Self::encode_to), appending to a vector. `out` gets room for [`bound`] bytes first, so one that has it
    /// is not reallocated. On an error `out` is as it was.
    pub fn encode(
        &mut self,
        level: Level,
        data: &[u8],
        window_len: usize,
        end: ChunkEnd,
        out: &mut Vec<u8>,
    ) -> Result<ChunkInfo> {
        let room = bound(data.len().saturating_sub(window_len));
        out.try_reserve(room).map_err(|_| Error::Memory)?;
        let before = out.len();
        let mut output = Output::of_uninit(&mut out.spare_capacity_mut()[..room]);
        let info = self.encode_to(level, data, window_len, end, &mut output)?;
        let count = output.written();
        // SAFETY: `written` counts the bytes that are initialised behind the vector's own.
        unsafe { out.set_len(before + count) };
        Ok(info)
    }

    /// Appends `data[window_len..]`, compressed, to `out`, which has room for [`bound`]: a raw DEFLATE chunk that starts at a
    /// byte boundary. The first `window_len` bytes, at most 32768, are what precedes it; matches may reach into them.
    pub fn encode_to(
        &mut self,
        level: Level,
        data: &[u8],
        window_len: usize,
        end: ChunkEnd,
        out: &mut Output<'_>,
    ) -> Result<ChunkInfo> {
        if window_len > data.len() || window_len > WINDOW_SIZE {
            return Err(Error::Stream);
        }
        self.block.prepare(window_len, data.len() - window_len)?;
        let bits = BitWriter::new(out.spare());
        let finishing = end == ChunkEnd::Finish;
        let writer = BlockWriter::new(bits, &mut self.codes, data, window_len, finishing);
        let mut sink = Sink { block: &mut self.block, split: BlockSplit::new(), writer };
        match level.method() {
            Method::Stored => sink.writer.store(data.len()),
            Method::Fastest => parse::fastest::parse::<false>(&mut self.rings, data, window_len, &mut sink)?,
            Method::Fast => parse::fastest::parse::<true>(&mut self.rings, data, window_len, &mut sink)?,
            Method::Lazy(lazy) => {
                parse::lazy::parse(lazy, level.is_filtered(), &mut self.rings, data, window_len, &mut sink)?;
            }
            Method::NearOptimal(level) => {
                let state = match &mut self.near_optimal {
                    Some(state) => state,
                    none => none.insert(NearOptimal::boxed()?),
                };
                parse::near_optimal::parse(level, state, &mut self.rings, data, window_len, &mut sink)?;
            }
        }
        let (count, last_bits) = sink.writer.finish()?;
        // SAFETY: `finish` tells how many bytes from the start of the free room were written.
        unsafe { out.advance(count) };
        Ok(ChunkInfo { last_bits })
    }
}
